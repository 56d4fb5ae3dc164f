/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_MANUFACTURER_ROW_H
#define BRSKI_SERVICES_REGISTRAR_MANUFACTURER_ROW_H

#include "services/registrar/store.h"

/*
 * What may stand in the database of a manufacturer, and what is made of it. Before it is put there all
 * of it must be right; what is there already (of an older version, or of another program) and is not,
 * is left out alone, and each piece of it is a warning in the log.
 */

enum brski_anchor_use { BRSKI_ANCHOR_IDEVID, BRSKI_ANCHOR_VOUCHER, BRSKI_ANCHOR_TLS };

/*
 * PEM text of at least one certificate, each of which parses and has a key as pki/limits.h takes them;
 * those of IDevIDs stand above devices, and so are CAs'. BRSKI_MALFORMED, BRSKI_UNSUPPORTED: err names
 * the entry and its line.
 */
BRSKI_CHECKED enum brski_code brski_anchors_check(
	struct brski_span pem, enum brski_anchor_use use, struct brski_error *err);

/* A row with its certificates parsed; the caller's: brski_parsed_free. */
struct brski_parsed {
	struct brski_manufacturer manufacturer;
	/*
	 * There are CRLs, and none of them can be read. Nobody knows who is revoked, so nobody gets in.
	 */
	bool crls_lost;
};
/* Anchors that cannot be read leave an empty stack, never NULL, which would mean others. BRSKI_NO_MEMORY. */
BRSKI_CHECKED enum brski_code brski_parsed_read(const struct brski_store_manufacturer *row,
	const struct brski_env *env, struct brski_parsed *out, struct brski_error *err);
void brski_parsed_free(struct brski_parsed *parsed); /* and zeroes it */

/* The first anchor of a that is one of b's too, brski_cert_same_anchor; borrowed. NULL: there is none. */
const X509 *brski_anchors_shared(const STACK_OF(X509) *a, const STACK_OF(X509) *b);
/*
 * Who else in the store has one of the IDevID anchors in `pem`; name is not asked about itself.
 * BRSKI_NOT_FOUND: nobody. *other is his name, anchor its subject as text.
 */
BRSKI_CHECKED enum brski_code brski_anchors_owner(struct brski_store *store, const char *name,
	struct brski_span pem, char other[64], char anchor[160], struct brski_error *err);

#endif
