/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_CA_CA_OPTIONS_H
#define BRSKI_SERVICES_CA_CA_OPTIONS_H

#include "services/base/daemon.h"
#include "services/base/http_server.h"
#include "services/ca/ca.h"

#define CA_PATH_MAX 512

/* Options of the CA, and a CA made from them. */
struct ca_settings {
	const char *dir;
	const char *db;
	const char *listen;
	const char *ca_key, *ca_cert;
	const char *cmp_key, *cmp_cert;
	const char *tls_key, *tls_cert;
	const char *ra_anchors;
	struct daemon_list ra_certs;
	const char *idevid_anchors;
	bool trust_ra;
	const char *client_anchors;
	long days;
	bool copy_san;
	bool implicit_confirm;
	bool ca_pubs;
	long confirm_wait;
	long max_connections;
	long timeout;
	/* of init and issue-... */
	const char *subject;
	const char *key_type;
	bool intermediate;
	bool cmp_signer;
	const char *san;
	const char *out;
	const char *serial_number;
	const char *masa_url;
};

extern struct ca_settings ca_settings;
extern const struct daemon_option ca_options[];

/* The file of this name in --dir. BRSKI_MALFORMED if there is no --dir. */
BRSKI_CHECKED enum brski_code ca_file(const char *name, char out[CA_PATH_MAX], struct brski_error *err);
/* ca-key and ca-cert, or what lies in --dir. */
BRSKI_CHECKED enum brski_code ca_load_issuer(struct brski_credential *out, struct brski_error *err);
BRSKI_CHECKED enum brski_code ca_open_store(struct ca_store **out, struct brski_error *err);

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
/* Loads what the options name, and opens the store. Free it in any case. */
BRSKI_CHECKED enum brski_code ca_setup(struct ca_setup *setup, struct brski_error *err);
void ca_setup_free(struct ca_setup *setup);

/* The listener that the options describe. */
BRSKI_CHECKED enum brski_code ca_listen(const struct ca_setup *setup, struct event_base *base,
	http_handler *handler, void *ctx, struct http_server **out, struct brski_error *err);

#endif
