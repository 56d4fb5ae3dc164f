/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_BUNDLE_RUN_H
#define BRSKI_SERVICES_REGISTRAR_BUNDLE_RUN_H

#include "services/base/http_client.h"
#include "services/registrar/bundle.h"

/*
 * The calls of a bundle's entries, made one after the other and waited for, by the same code as the
 * server's (call.h): a MASA by https only, server name and chain always verified. For programs that
 * have one thread.
 */
struct brski_bundle_runner;
struct brski_bundle_runner_config {
	long connect_timeout_ms; /* these three: see struct http_client_config */
	long request_timeout_ms;
	const char *proxy;
	const struct brski_credential *client; /* TLS client certificate; NULL: none; borrowed */
	const char *masa_hosts;                /* as in struct brski_registrar_config; NULL: none; borrowed */
	const char *hosts_named_by; /* the setting or option that this is, if it is one; borrowed */
	size_t answers_max;         /* octets of all answers' bodies together; 0: there is no bound */
};
BRSKI_CHECKED enum brski_code brski_bundle_runner_new(const struct brski_bundle_runner_config *config,
	struct brski_bundle_runner **out, struct brski_error *err);
void brski_bundle_runner_free(struct brski_bundle_runner *runner);

/*
 * Makes the calls of `item`, in order, until one has no good answer. *out, which must be zero,
 * becomes the entry of answers. An error is our own trouble; a MASA or PKI that cannot be reached
 * is told in out->trouble, and so is an answer that goes beyond answers_max: the entry waits on.
 */
BRSKI_CHECKED enum brski_code brski_bundle_run(struct brski_bundle_runner *runner,
	const struct brski_bundle_item *item, struct brski_bundle_item *out, struct brski_error *err);

#endif
