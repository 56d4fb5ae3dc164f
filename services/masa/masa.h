/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_MASA_MASA_H
#define BRSKI_SERVICES_MASA_MASA_H

#include "eap_brski/artifacts/paths.h"
#include "eap_brski/ground/env.h"
#include "eap_brski/transport/http.h"
#include "services/masa/masa_store.h"

/*
 * A Manufacturer Authorized Signing Authority, RFC 8995 5.5 to 5.8: a request in, a response out,
 * no sockets. All members stay the caller's.
 */
struct masa {
	const struct brski_env *env;
	struct masa_store *store;
	const struct brski_credential *signer; /* signs vouchers */
	const STACK_OF(X509)
		*idevid_anchors; /* NULL: no pledge's own request can be verified, nothing is "proximity" */
	bool require_proximity;  /* no "logged" vouchers */
	long min_interval;       /* seconds between two vouchers for one device; 0: any time */
	long nonceless_lifetime; /* seconds until a voucher without nonce expires */
};

/* Who sent a request, by the connection that it came on. Borrowed. */
struct masa_peer {
	const char *address;
	const X509 *tls_client; /* NULL: none shown */
};

#define MASA_WHAT_MAX 400
#define MASA_PATH_VOUCHER BRSKI_PATH_REQUESTVOUCHER
#define MASA_PATH_AUDIT_LOG BRSKI_PATH_BRSKI "/requestauditlog"

/*
 * Answers one request, always: with a voucher or an audit log, or with a status of 4xx or 5xx and
 * the reason in plain text (RFC 8995 5.6). Every request goes to the store's list and to the log.
 * *response must be empty, and is the caller's to free. what gets a few words for the log.
 */
void masa_handle(const struct masa *masa, const struct brski_http *request, const struct masa_peer *peer,
	struct brski_http *response, char what[MASA_WHAT_MAX]);

#endif
