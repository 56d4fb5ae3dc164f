/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_MASA_MASA_OPTIONS_INTERNAL_H
#define BRSKI_SERVICES_MASA_MASA_OPTIONS_INTERNAL_H

#include "services/base/http_daemon.h"
#include "services/masa/masa.h"

/* Options of the MASA, and a MASA made from them. */
struct masa_settings {
	struct http_daemon_settings http;
	char *db;
	char *sign_key, *sign_cert;
	char *idevid_anchors;
	bool require_proximity;
	long min_interval;
	long nonceless_lifetime;
	/* of the management commands */
	char *owner;
	bool no_owner;
	char *idevid;
	char *cert;
	char *serial;
	long most;
	bool json;
};

extern const struct setting masa_table[];

struct masa_setup {
	struct masa masa;
	struct brski_credential signer;
	struct brski_credential tls;
	STACK_OF(X509) *idevid_anchors;
};
/*
 * Loads what the options name, and opens the store. Free it in any case. BRSKI_MALFORMED: options
 * are missing or contradict each other; else what brski_credential_load(), brski_certs_load() and
 * masa_store_open() say.
 */
BRSKI_CHECKED enum brski_code masa_setup(
	const struct masa_settings *settings, struct masa_setup *setup, struct brski_error *err);
void masa_setup_free(struct masa_setup *setup);

#endif
