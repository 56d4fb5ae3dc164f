/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_BUNDLE_EXCHANGE_H
#define BRSKI_SERVICES_REGISTRAR_BUNDLE_EXCHANGE_H

#include "services/registrar/bundle.h"
#include "services/registrar/config.h"
#include "services/registrar/store.h"

/*
 * The registrar beside the running server, for the operator's commands: requests that wait go out
 * in a file, answers come in from one, and vouchers without nonce are fetched. Every answer goes
 * through the registrar role, so that it is checked as if it had come over the network. One thread.
 */
struct brski_exchange;

struct brski_exchange_config {
	struct brski_store *store;                 /* borrowed */
	const struct brski_credential *credential; /* of the registrar; copied by reference counts */
	const STACK_OF(X509) *domain_anchors;      /* copied */
	const STACK_OF(X509) *pki_tls_anchors;     /* of the PKI's HTTPS; NULL: domain_anchors; copied */
	/*
	 * cmp_url, cmp_signer_file, cmp_labels, cmp_nested and check_pki_answers, as the server has
	 * them; needed by _new only
	 */
	const struct brski_config *settings;
	const struct brski_env *env; /* may be NULL */
};

BRSKI_CHECKED enum brski_code brski_exchange_new(
	const struct brski_exchange_config *config, struct brski_exchange **out, struct brski_error *err);
void brski_exchange_free(struct brski_exchange *x);
/* SHA-256 of our certificate: whose requests and answers a bundle holds. */
const char *brski_exchange_name(const struct brski_exchange *x);

/* ---- Requests that wait ---- */

/*
 * All that wait, and the requests for vouchers without nonce. Nothing is stored. *held: those that
 * the policy does not want to go out now.
 */
BRSKI_CHECKED enum brski_code brski_exchange_export(
	struct brski_exchange *x, struct brski_bundle *out, unsigned *held, struct brski_error *err);

enum brski_import_outcome {
	BRSKI_IMPORT_ANSWERED, /* stored: the device's next visit gets it */
	/* stored: MASA, PKI or the audit log said no; of a voucher without nonce, nothing changed */
	BRSKI_IMPORT_REFUSED,
	BRSKI_IMPORT_GOES_ON,  /* stored: a part is here, the rest must be asked for again */
	BRSKI_IMPORT_WAITS,    /* nothing changed: there is no answer yet */
	BRSKI_IMPORT_REPEATED, /* nothing changed: it was answered before */
	BRSKI_IMPORT_WRONG,    /* nothing changed: the answer is not acceptable */
};
typedef void brski_exchange_told(
	void *ctx, const struct brski_bundle_item *item, enum brski_import_outcome outcome, const char *why);
/* An error: nothing has changed. BRSKI_MISMATCH: the answers are for another registrar. */
BRSKI_CHECKED enum brski_code brski_exchange_import(struct brski_exchange *x,
	const struct brski_bundle *bundle, brski_exchange_told *told, void *ctx, struct brski_error *err);

/* ---- Vouchers without nonce ---- */

/*
 * Makes and keeps the request for a device. idevid: a certificate of a device of the same issuer,
 * for the idevid-issuer; NULL: the manufacturer has one anchor, and that issues them.
 */
BRSKI_CHECKED enum brski_code brski_exchange_ask(struct brski_exchange *x, const char *manufacturer,
	const char *serial, const X509 *idevid, char key[BRSKI_FINGERPRINT_MAX], struct brski_error *err);
/* What is to be called for it, as an entry of a bundle. */
BRSKI_CHECKED enum brski_code brski_exchange_nonceless_item(struct brski_exchange *x,
	const struct brski_store_nonceless *row, struct brski_bundle_item *out, struct brski_error *err);
/* The answers in that entry are judged and the voucher kept. why: for every outcome but ANSWERED. */
enum brski_import_outcome brski_exchange_nonceless_answer(
	struct brski_exchange *x, const struct brski_bundle_item *item, struct brski_error *why);

#endif
