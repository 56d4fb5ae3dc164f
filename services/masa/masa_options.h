/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_MASA_MASA_OPTIONS_H
#define BRSKI_SERVICES_MASA_MASA_OPTIONS_H

#include "services/base/daemon.h"
#include "services/base/http_server.h"
#include "services/masa/masa.h"

/* Options of the MASA, and a MASA made from them. */
struct masa_settings {
	const char *db;
	const char *listen;
	const char *tls_key, *tls_cert;
	const char *sign_key, *sign_cert;
	const char *idevid_anchors;
	bool require_proximity;
	long min_interval;
	long nonceless_lifetime;
	long max_connections;
	long timeout;
	/* of the management commands */
	const char *owner;
	const char *idevid;
	const char *cert;
	const char *serial;
	long most;
};

extern struct masa_settings masa_settings;
extern const struct daemon_option masa_options[];

struct masa_setup {
	struct masa masa;
	struct brski_credential signer;
	struct brski_credential tls;
	STACK_OF(X509) *idevid_anchors;
};
/* Loads what the options name, and opens the store. Free it in any case. */
BRSKI_CHECKED enum brski_code masa_setup(struct masa_setup *setup, struct brski_error *err);
void masa_setup_free(struct masa_setup *setup);

/* The listener that the options describe. */
BRSKI_CHECKED enum brski_code masa_listen(const struct masa_setup *setup, struct event_base *base,
	http_handler *handler, void *ctx, struct http_server **out, struct brski_error *err);

#endif
