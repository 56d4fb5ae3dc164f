/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_CA_CA_OPTIONS_INTERNAL_H
#define BRSKI_SERVICES_CA_CA_OPTIONS_INTERNAL_H

#include "services/base/http_daemon.h"
#include "services/ca/ca.h"

#define CA_PATH_MAX 512

/* Options of the CA, and a CA made from them. */
struct ca_settings {
	struct http_daemon_settings http;
	char *dir;
	char *db;
	char *ca_key, *ca_cert;
	char *cmp_key, *cmp_cert;
	char *ra_anchors;
	struct setting_list ra_certs;
	char *idevid_anchors;
	bool trust_ra;
	char *client_anchors;
	long days;
	bool copy_san;
	bool implicit_confirm;
	bool ca_pubs;
	long confirm_wait;
	/* of init and issue-... */
	char *subject;
	char *key_type;
	bool intermediate;
	bool cmp_signer;
	char *san;
	char *out;
	char *serial_number;
	char *masa_url;
	/* of list */
	bool json;
};

extern const struct setting ca_table[];

/* The file of this name in --dir. BRSKI_MALFORMED: there is no --dir; BRSKI_TOO_LARGE. */
BRSKI_CHECKED enum brski_code ca_file(
	const struct ca_settings *settings, const char *name, char out[CA_PATH_MAX], struct brski_error *err);
/* NAME.key and NAME.pem in --dir; errors of ca_file(). */
BRSKI_CHECKED enum brski_code ca_credential_files(const struct ca_settings *settings, const char *name,
	char key[CA_PATH_MAX], char cert[CA_PATH_MAX], struct brski_error *err);
/*
 * ca-key and ca-cert, or what lies in --dir. BRSKI_MISMATCH: it is no CA; else what ca_file() and
 * brski_credential_load() say.
 */
BRSKI_CHECKED enum brski_code ca_load_issuer(
	const struct ca_settings *settings, struct brski_credential *out, struct brski_error *err);
/* --db, or ca.db in --dir; errors of ca_file() and ca_store_open(). Close it with ca_store_close(). */
BRSKI_CHECKED enum brski_code ca_open_store(
	const struct ca_settings *settings, struct ca_store **out, struct brski_error *err);

struct ca_setup {
	struct ca ca;
	struct brski_credential issuer;
	struct brski_credential cmp_signer;
	struct brski_credential tls;
	STACK_OF(X509) *ra_anchors;
	STACK_OF(X509) *ra_list;
	STACK_OF(X509) *idevid_anchors;
	STACK_OF(X509) *client_anchors;
};
/*
 * Loads what the options name, and opens the store. Free it in any case. BRSKI_MALFORMED: options
 * are missing or contradict each other; BRSKI_MISMATCH: a certificate that does not fit its use;
 * else what brski_credential_load(), brski_certs_load() and ca_store_open() say.
 */
BRSKI_CHECKED enum brski_code ca_setup(
	const struct ca_settings *settings, struct ca_setup *setup, struct brski_error *err);
void ca_setup_free(struct ca_setup *setup);
/* What the listener shows; NULL: HTTP without TLS. Borrowed. */
const struct brski_credential *ca_setup_tls(const struct ca_setup *setup);

#endif
