/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TESTS_MUTATE_H
#define BRSKI_TESTS_MUTATE_H

#include "eap_brski/ground/bytes.h"

/*
 * Damages a golden message in every way below and hands each result to the callback. The memory of
 * each result is of exactly its length, so that AddressSanitizer sees a read of one octet too many.
 */
struct mutation {
	const char *kind; /* "cut", "flipped", "set" or "appended" */
	size_t at;        /* the octet's place, or the new length */
	unsigned value;   /* the octet's new value */
};

typedef void mutate_try(void *ctx, struct brski_span damaged, const struct mutation *how);

/* Every length from 0 to one less than the golden one. */
void mutate_truncations(struct brski_span golden, mutate_try *try, void *ctx);
/* At each octet: each of its bits flipped, then 0x00, then 0xff. Never the golden message itself. */
void mutate_octets(struct brski_span golden, mutate_try *try, void *ctx);
/* At each octet one bit flipped, another one from octet to octet: for checks that cost a signature each. */
void mutate_octets_once(struct brski_span golden, mutate_try *try, void *ctx);
/* One octet more at the end, 0x00 and 0xff. */
void mutate_appended(struct brski_span golden, mutate_try *try, void *ctx);
/* All but mutate_octets_once. */
void mutate_all(struct brski_span golden, mutate_try *try, void *ctx);

#endif
