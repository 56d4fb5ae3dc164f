/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BASE_LISTING_H
#define BRSKI_SERVICES_BASE_LISTING_H

#include <stdbool.h>
#include <time.h>

#include "eap_brski/ground/json.h"

/*
 * A listing as JSON, to standard output: one object with an array, whose rows are objects, a line for
 * each. docs/json.md tells the fields of all of them, which stay what they are from version to version.
 */
struct listing {
	const char *name; /* of the array; borrowed */
	bool begun;
	bool failed; /* memory was out for a row */
};

/*
 * Prints a row, which it takes; NULL: memory was out. Nothing is printed before the first one, so that
 * a listing that cannot be had leaves nothing behind.
 */
void listing_row(struct listing *listing, json_t *row);
/*
 * The end. more: members beside the array, taken, may be NULL. code: of what gave the rows, returned if it is
 * not BRSKI_OK. BRSKI_NO_MEMORY; BRSKI_INTERNAL: it cannot be written, and err says why.
 */
BRSKI_CHECKED enum brski_code listing_end(
	struct listing *listing, enum brski_code code, json_t *more, struct brski_error *err);

/* ---- Values; new references, NULL when memory is out ---- */

/* null for "" and NULL. Octets that are no UTF-8 become U+FFFD. */
json_t *listing_text(const char *text);
/* As RFC 3339 writes it, in UTC; null for 0. */
json_t *listing_time(time_t t);

#endif
