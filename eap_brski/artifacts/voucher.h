/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_ARTIFACTS_VOUCHER_H
#define BRSKI_ARTIFACTS_VOUCHER_H

#include <time.h>

#include "eap_brski/pki/cert.h"
#include "eap_brski/pki/cms.h"

/* Media types, RFC 8366 8.3 and RFC 8995 */
#define BRSKI_MEDIA_VOUCHER "application/voucher-cms+json"
#define BRSKI_MEDIA_JSON "application/json"

#define BRSKI_NONCE_LEN 16 /* what we send */
#define BRSKI_NONCE_MIN 8  /* RFC 8366 5.3: 8 to 32 octets */
#define BRSKI_NONCE_MAX 32

enum brski_assertion {
	BRSKI_ASSERTION_NONE,
	BRSKI_ASSERTION_VERIFIED,
	BRSKI_ASSERTION_LOGGED,
	BRSKI_ASSERTION_PROXIMITY
};

/*
 * A voucher (RFC 8366 5.3) or a voucher-request (RFC 8995 3.2). All zero is an empty one. Buffers
 * with len 0 are absent leaves. Certificates are DER. Times are seconds since 1970; 0 is absent.
 */
struct brski_voucher {
	bool is_request;
	time_t created_on;
	time_t expires_on;
	time_t last_renewal_date;
	enum brski_assertion assertion;
	char serial_number[BRSKI_SERIAL_MAX];
	struct brski_buf idevid_issuer;
	struct brski_buf nonce;
	struct brski_buf pinned_domain_cert;
	struct brski_buf proximity_registrar_cert;     /* request only */
	struct brski_buf prior_signed_voucher_request; /* request only: the pledge's CMS */
	bool has_revocation_checks;
	bool domain_cert_revocation_checks;
};

void brski_voucher_free(struct brski_voucher *v); /* and zeroes it */

/*
 * Exactly one of "ietf-voucher:voucher" and "ietf-voucher-request:voucher". BRSKI_MALFORMED: wrong
 * types, duplicate keys, serial-number or (in a voucher) created-on, assertion or
 * pinned-domain-cert missing, nonce together with expires-on, last-renewal-date without (the YANG's
 * "mandatory" and "must", RFC 8366 5.3). Members that are not known are passed over (RFC 8995
 * 5.6.1), and so are leaves that have no place in a request (RFC 8995 3.4). A nonce is read in
 * base64url too, as in RFC 8995's examples. print refuses what parse would, and sign a voucher that
 * outlives its pinned-domain-cert.
 */
BRSKI_CHECKED enum brski_code brski_voucher_parse(
	struct brski_span json, struct brski_voucher *out, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_voucher_print(
	const struct brski_voucher *v, struct brski_buf *json, struct brski_error *err);

/* print + sign; open + parse (signature checked against the embedded signer, *certs as in brski_cms_open). */
BRSKI_CHECKED enum brski_code brski_voucher_sign(const struct brski_voucher *v,
	const struct brski_credential *signer, bool with_chain, struct brski_buf *cms,
	struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_voucher_open(struct brski_span cms, const STACK_OF(X509) *extra,
	struct brski_voucher *out, STACK_OF(X509) **certs, struct brski_error *err);

const char *brski_assertion_name(enum brski_assertion a);

/*
 * The pledge's own request, RFC 8995 5.2. registrar: leaf of the tunnel. Nonce and serial number of
 * the IDevID go in; assertion proximity.
 */
BRSKI_CHECKED enum brski_code brski_voucher_request_pledge(const struct brski_credential *idevid,
	const X509 *registrar, struct brski_span nonce, time_t now, struct brski_buf *cms,
	struct brski_error *err);

/*
 * Registrar, on a pledge's request (RFC 8995 5.3, 5.5): signed by the tunnel's peer (peer_chain,
 * leaf first), serial-number equal to the certificate's, proximity-registrar-cert equal to own,
 * nonce present. *out gets the request's leaves.
 */
BRSKI_CHECKED enum brski_code brski_voucher_request_check(struct brski_span cms,
	const STACK_OF(X509) *peer_chain, const X509 *own, struct brski_voucher *out,
	struct brski_error *err);

/*
 * The registrar's request to the MASA, RFC 8995 5.5: created-on is now, nonce and assertion are the
 * pledge's, serial-number and idevid-issuer the certificate's, prior-signed-voucher-request is the
 * pledge's CMS. pledge may be NULL: a nonceless request for `serial` of the manufacturer whose
 * idevid_issuer is given in issuer_akid.
 */
BRSKI_CHECKED enum brski_code brski_voucher_request_registrar(const struct brski_credential *registrar,
	const X509 *idevid, const struct brski_voucher *pledge, struct brski_span pledge_cms, time_t now,
	struct brski_buf *cms, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_voucher_request_nonceless(const struct brski_credential *registrar,
	const char *serial, struct brski_span issuer_akid, time_t now, struct brski_buf *cms,
	struct brski_error *err);

/* What a voucher must match: used by registrar (RFC 8995 5.6) and pledge (RFC 8995 5.6.1) alike. */
struct brski_voucher_expect {
	const char *serial_number;
	struct brski_span
		nonce; /* len 0: none was sent; a voucher without nonce is then right, one with is not */
	bool allow_nonceless; /* a voucher without a nonce is right although one was sent (RFC 8995 5.6.1) */
	struct brski_span idevid_issuer;    /* compared when both are there */
	const STACK_OF(X509) *masa_anchors; /* NULL: the signer is not judged */
	time_t now;                         /* 0: no clock, dates are not looked at */
	const STACK_OF(X509)
		*domain_chain; /* leaf first: must verify to pinned-domain-cert; NULL: not looked at */
	enum brski_use domain_use;
};
/* Opens and checks. *out and *pinned (may be NULL; new) are filled only on BRSKI_OK. */
BRSKI_CHECKED enum brski_code brski_voucher_check(struct brski_span cms,
	const struct brski_voucher_expect *expect, struct brski_voucher *out, X509 **pinned,
	struct brski_error *err);

#endif
