/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_ARTIFACTS_VOUCHER_CHECK_H
#define BRSKI_ARTIFACTS_VOUCHER_CHECK_H

#include "eap_brski/artifacts/voucher.h"

/* What a voucher-request, and a voucher, must be before anybody acts on it. */

/*
 * Registrar, on a pledge's request (RFC 8995 5.3, 5.5): signed by the tunnel's peer (peer_chain,
 * leaf first), serial-number equal to the certificate's, proximity-registrar-cert equal to own,
 * nonce present. The signer's certificate must be in the envelope, since the MASA has no other
 * (RFC 8366 5.4): else BRSKI_MALFORMED. *out gets the request's leaves.
 */
BRSKI_CHECKED enum brski_code brski_voucher_request_check(struct brski_span cms,
	const STACK_OF(X509) *peer_chain, const X509 *own, struct brski_voucher *out,
	struct brski_error *err);

/* How far ahead of a right clock the MASA's may be, in seconds. */
#define BRSKI_CLOCK_SKEW 600

/* What a voucher must match: used by registrar (RFC 8995 5.6) and pledge (RFC 8995 5.6.1) alike. */
struct brski_voucher_expect {
	const char *serial_number;
	struct brski_span
		nonce; /* len 0: none was sent; a voucher without nonce is then right, one with is not */
	bool allow_nonceless; /* a voucher without a nonce is right although one was sent (RFC 8995 5.6.1) */
	struct brski_span idevid_issuer;    /* compared when both are there */
	const STACK_OF(X509) *masa_anchors; /* NULL: the signer is not judged */
	time_t now;                         /* 0: no clock, dates are not looked at */
	bool clock_is_right; /* `now` is a time in which there is confidence: created-on and signingTime
				are held against it as well (RFC 8995 2.6.1) */
	const STACK_OF(X509)
		*domain_chain; /* leaf first: must verify to pinned-domain-cert; NULL: not looked at */
	enum brski_use domain_use;
};
/* Opens and checks. *out and *pinned (may be NULL; new) are filled only on BRSKI_OK. */
BRSKI_CHECKED enum brski_code brski_voucher_check(struct brski_span cms,
	const struct brski_voucher_expect *expect, struct brski_voucher *out, X509 **pinned,
	struct brski_error *err);

#endif
