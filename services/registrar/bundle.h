/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_BUNDLE_H
#define BRSKI_SERVICES_REGISTRAR_BUNDLE_H

#include "eap_brski/pki/cms.h"
#include "eap_brski/registrar/registrar.h"

/*
 * The two files that a technician carries between a registrar that has no way to MASA and PKI and a
 * machine that has: requests out, answers back. JSON in CMS SignedData; docs/offline.md is the
 * format.
 */
#define BRSKI_BUNDLE_ITEMS_MAX 20000
#define BRSKI_BUNDLE_VALUES_MAX (64 * BRSKI_BUNDLE_ITEMS_MAX) /* of JSON: an entry has 20 or so */
#define BRSKI_BUNDLE_CALLS_MAX 2                              /* voucher, then audit log */
#define BRSKI_BUNDLE_ANSWERS_MAX 3 /* the audit log may be at another place, RFC 8995 5.8 */

enum brski_bundle_kind {
	BRSKI_BUNDLE_VOUCHER,
	BRSKI_BUNDLE_CERTIFICATE,
	BRSKI_BUNDLE_NONCELESS,
	BRSKI_BUNDLE_KINDS
};
/* "voucher", "certificate", "nonceless-voucher" */
const char *brski_bundle_kind_name(enum brski_bundle_kind kind);
/* RFC 8995 5.4: what goes to a MASA is called by https only. */
bool brski_bundle_kind_is_https_only(enum brski_bundle_kind kind);
const char *brski_bundle_kind_back_end(enum brski_bundle_kind kind); /* "MASA", "PKI" */
/* How a job of the registrar is carried. */
enum brski_bundle_kind brski_bundle_kind_of(enum brski_job_kind kind);

struct brski_bundle_item {
	char key[BRSKI_FINGERPRINT_MAX];
	enum brski_bundle_kind kind;
	char manufacturer[64];
	char serial_number[BRSKI_SERIAL_MAX];
	/* of requests */
	struct brski_buf tls_anchors; /* PEM, for HTTPS; empty: the system's */
	struct brski_planned calls[BRSKI_BUNDLE_CALLS_MAX];
	size_t n_calls;
	/* of answers, in the order of the calls */
	struct brski_http answers[BRSKI_BUNDLE_ANSWERS_MAX];
	size_t n_answers;
	char trouble[256]; /* why the next call has no answer; "" if all have */
};

struct brski_bundle {
	bool answers;                          /* else requests */
	char registrar[BRSKI_FINGERPRINT_MAX]; /* whose requests they are: its certificate */
	time_t created_on;
	struct brski_bundle_item *items;
	size_t n_items;
};
void brski_bundle_free(struct brski_bundle *bundle); /* and zeroes it */

/* A new item, all zero, at the end; NULL: no memory, or too many. Older pointers to items are void. */
struct brski_bundle_item *brski_bundle_add(struct brski_bundle *bundle);

/* JSON, signed. */
BRSKI_CHECKED enum brski_code brski_bundle_seal(const struct brski_bundle *bundle,
	const struct brski_credential *signer, struct brski_buf *out, struct brski_error *err);
/*
 * Has the signer judged (brski_cms_judge; NULL: anybody's file is read), verifies the signature, and
 * reads as strictly as what comes from the network: in this order, so that nobody unknown has a large
 * file parsed. *certs is new: the signer first. BRSKI_TOO_LARGE: it holds more values than
 * BRSKI_BUNDLE_ITEMS_MAX entries have.
 */
BRSKI_CHECKED enum brski_code brski_bundle_open(struct brski_span file, bool answers, brski_cms_judge *judge,
	void *ctx, struct brski_bundle *out, STACK_OF(X509) **certs, struct brski_error *err);

#endif
