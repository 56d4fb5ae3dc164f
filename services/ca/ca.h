/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_CA_CA_H
#define BRSKI_SERVICES_CA_CA_H

#include "eap_brski/cmp/cmp.h"
#include "eap_brski/transport/http.h"
#include "services/ca/ca_store.h"

/*
 * A demonstration CA that speaks CMP over HTTP (RFC 9811, RFC 9483): a request in, a response out,
 * no sockets. All members stay the caller's.
 */
struct ca {
	const struct brski_env *env;
	struct ca_store *store;
	const struct brski_credential *issuer;     /* signs certificates */
	const struct brski_credential *cmp_signer; /* signs CMP messages; may be the issuer */
	const STACK_OF(X509) *ra_anchors; /* what a registration authority verifies to, with id-kp-cmcRA */
	const STACK_OF(X509) *ra_list;    /* only these are registration authorities; NULL: all that verify */
	const STACK_OF(X509) *idevid_anchors; /* devices that come through a registration authority */
	bool trust_ra;                        /* any device that one vouches for */
	const STACK_OF(X509) *client_anchors; /* devices that come by themselves; NULL: none may */
	long days;                            /* validity of device certificates */
	bool copy_san;                        /* else subjectAltName in a request is dropped */
	bool implicit_confirm;                /* granted when asked for */
	bool send_ca_pubs;                    /* the root in caPubs of ip */
	long confirm_wait;                    /* seconds in which a certificate must be confirmed */
};

#define CA_WHAT_MAX 640

/*
 * Answers one request, always: a PKIMessage with HTTP status 200 (RFC 9811 3.3), or a status of 4xx
 * or 5xx when there is no PKIMessage to answer. The same request again gets the same answer, never
 * a second certificate. *response must be empty, and is the caller's to free. what gets a line for
 * the log.
 */
void ca_handle(const struct ca *ca, const struct brski_http *request, struct brski_http *response,
	char what[CA_WHAT_MAX]);

#endif
