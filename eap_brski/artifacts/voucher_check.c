/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/artifacts/voucher_check.h"

#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "eap_brski/artifacts/voucher_cms.h"
#include "eap_brski/ground/text.h"
#include "eap_brski/pki/idevid_issuer.h"

/* ---- A pledge's request, as the registrar sees it: RFC 8995 5.2, 5.3, 5.5 ---- */

/* RFC 8995 5.2: the pledge MUST sign with its IDevID; here, the very one that it proved in the tunnel. */
static enum brski_code check_signed_by_peer(
	const STACK_OF(X509) *certs, const STACK_OF(X509) *peer_chain, struct brski_error *err)
{
	if (brski_cert_equal(sk_X509_value(certs, 0), sk_X509_value(peer_chain, 0)))
		return BRSKI_OK;
	return brski_fail(
		err, BRSKI_MISMATCH, "voucher-request is signed by another device than the tunnel's peer");
}

/* RFC 8995 5.5: the registrar MUST verify that the serial-number matches the certificate's. */
static enum brski_code check_serial_of_peer(
	const struct brski_voucher *v, const X509 *peer, struct brski_error *err)
{
	char serial[BRSKI_SERIAL_MAX];
	enum brski_code code = brski_cert_serial_number(peer, serial, err);

	if (code != BRSKI_OK)
		return code;
	if (strcmp(serial, v->serial_number) == 0)
		return BRSKI_OK;
	return brski_fail(err, BRSKI_MISMATCH,
		"serial-number \"%s\" in the voucher-request, \"%s\" in the certificate", v->serial_number,
		serial);
}

/*
 * RFC 8995 5.2: assertion proximity, and proximity-registrar-cert is our own certificate; else
 * somebody stands between.
 */
static enum brski_code check_proximity(
	const struct brski_voucher *v, const X509 *own, struct brski_error *err)
{
	struct brski_buf der = {0};
	enum brski_code code;

	if (v->assertion != BRSKI_ASSERTION_PROXIMITY)
		return brski_fail(err, BRSKI_MISMATCH,
			"assertion in the voucher-request is %s, not proximity",
			brski_assertion_name(v->assertion));
	if (v->proximity_registrar_cert.len == 0)
		return brski_fail(err, BRSKI_MISMATCH, "voucher-request has no proximity-registrar-cert");
	code = brski_cert_to_der(own, &der, err);
	if (code == BRSKI_OK &&
		!brski_span_equal(brski_buf_span(&der), brski_buf_span(&v->proximity_registrar_cert)))
		code = brski_fail(err, BRSKI_MISMATCH,
			"proximity-registrar-cert is not our certificate: the pledge saw another registrar");
	brski_buf_free(&der);
	return code;
}

static enum brski_code check_request(const struct brski_voucher *v, const STACK_OF(X509) *certs,
	const STACK_OF(X509) *peer_chain, const X509 *own, struct brski_error *err)
{
	enum brski_code code;

	code = check_signed_by_peer(certs, peer_chain, err);
	if (code == BRSKI_OK)
		code = check_serial_of_peer(v, sk_X509_value(peer_chain, 0), err);
	if (code == BRSKI_OK)
		code = check_proximity(v, own, err);
	/* RFC 8995 5.2: the pledge's request MUST contain a nonce */
	if (code == BRSKI_OK && v->nonce.len == 0)
		code = brski_fail(err, BRSKI_MALFORMED, "voucher-request has no nonce");
	return code;
}

/*
 * RFC 8366 5.4: the envelope has the certificates up to the signer's anchor. The MASA sees this
 * request alone (RFC 8995 5.5.5), so what can be verified with the tunnel's help only is of no use.
 */
static enum brski_code open_request(struct brski_span cms, const STACK_OF(X509) *peer_chain,
	struct brski_voucher *out, STACK_OF(X509) **certs, struct brski_error *err)
{
	enum brski_code code = brski_voucher_open(cms, NULL, BRSKI_VOUCHER_REQUEST, out, certs, err);

	if (code != BRSKI_UNTRUSTED ||
		brski_voucher_open(cms, peer_chain, BRSKI_VOUCHER_REQUEST, out, certs, NULL) != BRSKI_OK)
		return code;
	brski_voucher_free(out);
	sk_X509_pop_free(*certs, X509_free);
	*certs = NULL;
	return brski_fail(err, BRSKI_MALFORMED,
		"voucher-request comes without the certificate of its signer, and the MASA could not verify "
		"it (RFC 8366 5.4)");
}

enum brski_code brski_voucher_request_check(struct brski_span cms, const STACK_OF(X509) *peer_chain,
	const X509 *own, struct brski_voucher *out, struct brski_error *err)
{
	STACK_OF(X509) *certs;
	enum brski_code code = open_request(cms, peer_chain, out, &certs, err);

	if (code != BRSKI_OK)
		return code;
	code = check_request(out, certs, peer_chain, own, err);
	if (code != BRSKI_OK)
		brski_voucher_free(out);
	sk_X509_pop_free(certs, X509_free);
	return code;
}

/* ---- A voucher, as registrar and pledge see it: RFC 8995 5.6 and 5.6.1, RFC 8366 5.3 ---- */

/*
 * RFC 8995 2.3.1 and 2.3.2: what an IDevID has, and no MASA. Many manufacturers have one CA for
 * both, and then whoever has one device has a key whose certificate leads to the anchor as well as
 * the MASA's does.
 */
static bool is_device(const X509 *signer)
{
	char serial[BRSKI_SERIAL_MAX];
	char url[BRSKI_URL_MAX];

	return brski_cert_serial_number(signer, serial, NULL) != BRSKI_NOT_FOUND ||
	       brski_cert_masa_url(signer, url, NULL) != BRSKI_NOT_FOUND;
}

/* RFC 8995 5.6.1: signed by the manufacturer's MASA. */
static enum brski_code check_voucher_signer(
	const STACK_OF(X509) *certs, const struct brski_voucher_expect *expect, struct brski_error *err)
{
	enum brski_code code;

	if (!expect->masa_anchors)
		return BRSKI_OK;
	code = brski_chain_verify(certs, expect->masa_anchors, NULL, BRSKI_USE_ANY, expect->now, err);
	if (code != BRSKI_OK)
		return brski_fail_context(err, code, "voucher's signer");
	if (is_device(sk_X509_value(certs, 0)))
		return brski_fail(err, BRSKI_UNTRUSTED,
			"voucher is signed by a device of the manufacturer, not its MASA");
	return BRSKI_OK;
}

/*
 * RFC 8995 5.6.1: serial-number MUST be the pledge's own; RFC 8366 5.3: so must idevid-issuer, if
 * there is one.
 */
static enum brski_code check_device(
	const struct brski_voucher *v, const struct brski_voucher_expect *expect, struct brski_error *err)
{
	if (strcmp(v->serial_number, expect->serial_number) != 0)
		return brski_fail(err, BRSKI_MISMATCH, "voucher is for serial-number \"%s\", not \"%s\"",
			v->serial_number, expect->serial_number);
	if (v->idevid_issuer.len > 0 && expect->idevid_issuer.len > 0 &&
		!brski_idevid_issuer_equal(brski_buf_span(&v->idevid_issuer), expect->idevid_issuer))
		return brski_fail(
			err, BRSKI_MISMATCH, "voucher is for a device of another issuer (idevid-issuer)");
	return BRSKI_OK;
}

/* RFC 8366 5.3: expires-on MUST NOT have passed. */
static enum brski_code check_expiry(
	const struct brski_voucher *v, const struct brski_voucher_expect *expect, struct brski_error *err)
{
	if (expect->now != 0 && v->expires_on != 0 && v->expires_on <= expect->now)
		return brski_fail(err, BRSKI_EXPIRED, "voucher has expired");
	return BRSKI_OK;
}

static enum brski_code check_made(const char *what, time_t made, time_t now, struct brski_error *err)
{
	char then[32], here[32];

	if (made <= now + BRSKI_CLOCK_SKEW)
		return BRSKI_OK;
	brski_time_format(made, then);
	brski_time_format(now, here);
	return brski_fail(err, BRSKI_EXPIRED,
		"voucher is of the future: its %s is %s, and the clock here says %s; one of the two is wrong",
		what, then, here);
}

/*
 * RFC 8995 2.6.1: whoever has confidence in his clock MUST check created-on and signingTime too.
 * How long ago they are says nothing against a voucher, since a MASA may take days.
 */
static enum brski_code check_dates_of_making(
	const struct brski_voucher *v, const struct brski_voucher_expect *expect, struct brski_error *err)
{
	enum brski_code code;

	if (!expect->clock_is_right || expect->now == 0)
		return BRSKI_OK;
	code = check_made("created-on", v->created_on, expect->now, err);
	return code == BRSKI_OK ? check_made("signingTime", v->signed_on, expect->now, err) : code;
}

/* RFC 8995 5.6.1 and RFC 8366 5.3: a nonce MUST be the one that was sent; none at all is local policy. */
static enum brski_code check_nonce(
	const struct brski_voucher *v, const struct brski_voucher_expect *expect, struct brski_error *err)
{
	if (v->nonce.len == 0) {
		if (expect->nonce.len == 0 || expect->allow_nonceless)
			return BRSKI_OK;
		return brski_fail(err, BRSKI_MISMATCH, "voucher has no nonce");
	}
	if (!brski_span_equal(brski_buf_span(&v->nonce), expect->nonce))
		return brski_fail(err, BRSKI_MISMATCH, "voucher's nonce is not the one that was sent");
	return BRSKI_OK;
}

static enum brski_code verify_to_pinned(
	X509 *pinned, const struct brski_voucher_expect *expect, struct brski_error *err)
{
	STACK_OF(X509) *anchors = sk_X509_new_null();
	enum brski_code code;

	if (!anchors || sk_X509_push(anchors, pinned) <= 0)
		code = brski_fail(err, BRSKI_NO_MEMORY, "no memory for a trust anchor");
	else
		code = brski_chain_verify(
			expect->domain_chain, anchors, NULL, expect->domain_use, expect->now, err);
	sk_X509_free(anchors);
	return code == BRSKI_OK ? code
				: brski_fail_context(err, code, "the voucher does not pin this registrar");
}

/* RFC 8995 5.6.2: the registrar's certificate chains to pinned-domain-cert. */
static enum brski_code check_domain(const struct brski_voucher *v, X509 *pinned,
	const struct brski_voucher_expect *expect, struct brski_error *err)
{
	if (!expect->domain_chain)
		return BRSKI_OK;
	/*
	 * RFC 8366 5.3: "true" is a MUST that can't be met here: nobody brings the domain's CRL
	 * before the domain is trusted
	 */
	if (v->has_revocation_checks && v->domain_cert_revocation_checks)
		return brski_fail(err, BRSKI_UNSUPPORTED,
			"voucher demands revocation checks of the domain's certificate");
	return verify_to_pinned(pinned, expect, err);
}

static enum brski_code check_voucher(const struct brski_voucher *v, const STACK_OF(X509) *certs, X509 *pinned,
	const struct brski_voucher_expect *expect, struct brski_error *err)
{
	enum brski_code code = check_voucher_signer(certs, expect, err);

	if (code == BRSKI_OK)
		code = check_device(v, expect, err);
	if (code == BRSKI_OK)
		code = check_expiry(v, expect, err);
	if (code == BRSKI_OK)
		code = check_dates_of_making(v, expect, err);
	if (code == BRSKI_OK)
		code = check_nonce(v, expect, err);
	if (code == BRSKI_OK)
		code = check_domain(v, pinned, expect, err);
	return code;
}

static bool is_pinned(const struct brski_voucher *v, struct brski_span key)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (v->pinned_domain_pubk.len > 0 && !brski_span_equal(brski_buf_span(&v->pinned_domain_pubk), key))
		return false;
	if (v->pinned_domain_pubk_sha256.len == 0)
		return true;
	return EVP_Digest(key.data, key.len, hash, &len, EVP_sha256(), NULL) == 1 &&
	       brski_span_equal(brski_buf_span(&v->pinned_domain_pubk_sha256), brski_span(hash, len));
}

/*
 * rfc8366bis: the key of the registrar, or its hash, in place of a certificate. Then the registrar's
 * own certificate is what is pinned, as where a voucher has that (RFC 8995 5.6.2).
 */
static enum brski_code pin_key(struct brski_voucher *v, const struct brski_voucher_expect *expect, X509 **out,
	struct brski_error *err)
{
	X509 *leaf = sk_X509_value(expect->domain_chain, 0);
	unsigned char *der = NULL;
	int len = leaf ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &der) : -1;
	bool pinned = len > 0 && is_pinned(v, brski_span(der, (size_t)len));

	OPENSSL_free(der);
	if (!pinned)
		return brski_fail(err, BRSKI_UNTRUSTED,
			"the voucher does not pin this registrar: its key is another (pinned-domain-pubk)");
	if (X509_up_ref(leaf) == 1)
		*out = leaf;
	return brski_cert_to_der(leaf, &v->pinned_domain_cert, err);
}

static enum brski_code read_pinned(struct brski_voucher *v, const struct brski_voucher_expect *expect,
	X509 **out, struct brski_error *err)
{
	enum brski_code code;

	*out = NULL;
	if (v->pinned_domain_cert.len == 0)
		return pin_key(v, expect, out, err);
	code = brski_cert_from_der(brski_buf_span(&v->pinned_domain_cert), out, err);
	return code == BRSKI_OK ? code : brski_fail_context(err, code, "pinned-domain-cert");
}

enum brski_code brski_voucher_check(struct brski_span cms, const struct brski_voucher_expect *expect,
	struct brski_voucher *out, X509 **pinned, struct brski_error *err)
{
	STACK_OF(X509) *certs = NULL;
	X509 *domain = NULL;
	enum brski_code code;

	if (pinned)
		*pinned = NULL;
	code = brski_voucher_open(cms, expect->masa_anchors, BRSKI_VOUCHER, out, &certs, err);
	if (code == BRSKI_OK)
		code = read_pinned(out, expect, &domain, err);
	if (code == BRSKI_OK)
		code = check_voucher(out, certs, domain, expect, err);
	sk_X509_pop_free(certs, X509_free);
	if (code != BRSKI_OK) {
		brski_voucher_free(out);
		X509_free(domain);
		return code;
	}
	if (pinned)
		*pinned = domain;
	else
		X509_free(domain);
	return BRSKI_OK;
}
