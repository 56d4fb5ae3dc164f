/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_BUNDLE_H
#define BRSKI_SERVICES_REGISTRAR_BUNDLE_H

#include "eap_brski/registrar/registrar.h"

/*
 * The two files that a technician carries between a registrar that has no way to MASA and PKI and a
 * machine that has: requests out, answers back. JSON in CMS SignedData; docs/offline.md is the
 * format.
 */
#define BRSKI_PARCEL_ITEMS_MAX 20000
#define BRSKI_PARCEL_CALLS_MAX 2   /* voucher, then audit log */
#define BRSKI_PARCEL_ANSWERS_MAX 3 /* the audit log may be at another place, RFC 8995 5.8 */

enum brski_parcel_kind { BRSKI_PARCEL_VOUCHER, BRSKI_PARCEL_CERTIFICATE, BRSKI_PARCEL_NONCELESS };
const char *brski_parcel_kind_name(
	enum brski_parcel_kind kind); /* "voucher", "certificate", "nonceless-voucher" */

struct brski_parcel_item {
	char key[BRSKI_FINGERPRINT_MAX];
	enum brski_parcel_kind kind;
	char manufacturer[64];
	char serial_number[BRSKI_SERIAL_MAX];
	/* of requests */
	struct brski_buf tls_anchors; /* PEM, for HTTPS; empty: the system's */
	struct brski_planned calls[BRSKI_PARCEL_CALLS_MAX];
	size_t n_calls;
	/* of answers, in the order of the calls */
	struct brski_http answers[BRSKI_PARCEL_ANSWERS_MAX];
	size_t n_answers;
	char trouble[256]; /* why the next call has no answer; "" if all have */
};

struct brski_parcel {
	bool answers;                          /* else requests */
	char registrar[BRSKI_FINGERPRINT_MAX]; /* whose requests they are: its certificate */
	time_t created_on;
	struct brski_parcel_item *items;
	size_t n_items;
};
void brski_parcel_free(struct brski_parcel *parcel); /* and zeroes it */

/* A new item, all zero, at the end; NULL: no memory, or too many. Older pointers to items are void. */
struct brski_parcel_item *brski_parcel_add(struct brski_parcel *parcel);

/* JSON, signed. */
BRSKI_CHECKED enum brski_code brski_parcel_seal(const struct brski_parcel *parcel,
	const struct brski_credential *signer, struct brski_buf *out, struct brski_error *err);
/*
 * Verifies the signature, and reads as strictly as what comes from the network. *certs is new: the
 * signer first; whether it is to be trusted is the caller's to judge.
 */
BRSKI_CHECKED enum brski_code brski_parcel_open(struct brski_span file, bool answers,
	struct brski_parcel *out, STACK_OF(X509) **certs, struct brski_error *err);

#endif
