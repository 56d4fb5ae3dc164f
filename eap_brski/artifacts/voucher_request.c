/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/artifacts/voucher_request.h"

#include <string.h>

#include "eap_brski/artifacts/voucher_cms.h"
#include "eap_brski/pki/idevid_issuer.h"

/*
 * The signer without its root: the registrar and the MASA have that among their anchors or will not
 * believe it, and every octet of a pledge's request goes through EAP.
 */
static enum brski_code without_root(
	const struct brski_credential *from, struct brski_credential *to, struct brski_error *err)
{
	enum brski_code code = brski_credential_copy(to, from, err);

	for (int i = sk_X509_num(to->chain) - 1; code == BRSKI_OK && i >= 0; i--) {
		if (X509_self_signed(sk_X509_value(to->chain, i), 0) == 1)
			X509_free(sk_X509_delete(to->chain, i));
	}
	return code;
}

enum brski_code brski_voucher_request_pledge(const struct brski_credential *idevid, const X509 *registrar,
	struct brski_span nonce, time_t now, struct brski_buf *cms, struct brski_error *err)
{
	struct brski_voucher v = {
		.is_request = true, .created_on = now, .assertion = BRSKI_ASSERTION_PROXIMITY};
	struct brski_credential signer = {0};
	enum brski_code code;

	brski_buf_reset(cms);
	if (nonce.len < BRSKI_NONCE_MIN || nonce.len > BRSKI_NONCE_MAX)
		return brski_fail(err, BRSKI_INTERNAL, "nonce of %zu octets", nonce.len);
	code = brski_cert_serial_number(idevid->cert, v.serial_number, err);
	if (code == BRSKI_OK)
		code = brski_buf_set(&v.nonce, nonce);
	if (code == BRSKI_OK)
		code = brski_cert_to_der(registrar, &v.proximity_registrar_cert, err);
	if (code == BRSKI_OK)
		code = without_root(idevid, &signer, err);
	if (code == BRSKI_OK)
		code = brski_voucher_sign(&v, &signer, true, cms, err);
	brski_voucher_free(&v);
	brski_credential_free(&signer);
	return code;
}

/*
 * RFC 8995 5.5: the serial number and its issuer come from the certificate, never from what the
 * pledge says.
 */
static enum brski_code put_device(struct brski_voucher *v, const X509 *idevid, struct brski_error *err)
{
	enum brski_code code = brski_cert_serial_number(idevid, v->serial_number, err);

	if (code != BRSKI_OK)
		return code;
	/* rfc8366bis 6.1: a MUST, also where the IDevID has no AuthorityKeyIdentifier */
	return brski_idevid_issuer(idevid, &v->idevid_issuer, err);
}

enum brski_code brski_voucher_request_registrar(const struct brski_credential *registrar, const X509 *idevid,
	const struct brski_voucher *pledge, struct brski_span pledge_cms, time_t now, struct brski_buf *cms,
	struct brski_error *err)
{
	struct brski_voucher v = {.is_request = true, .created_on = now};
	enum brski_code code;

	brski_buf_reset(cms);
	code = put_device(&v, idevid, err);
	if (code == BRSKI_OK && pledge) {
		v.assertion = pledge->assertion;
		memcpy(v.nonce_text, pledge->nonce_text, sizeof(v.nonce_text));
		code = brski_buf_set(&v.nonce, brski_buf_span(&pledge->nonce));
		if (code == BRSKI_OK)
			code = brski_buf_set(&v.prior_signed_voucher_request, pledge_cms);
		if (code != BRSKI_OK)
			code = brski_fail(err, code, "no room for a pledge's voucher-request");
	}
	if (code == BRSKI_OK)
		code = brski_voucher_sign(&v, registrar, true, cms, err);
	brski_voucher_free(&v);
	return code;
}

enum brski_code brski_voucher_request_nonceless(const struct brski_credential *registrar, const char *serial,
	struct brski_span issuer_akid, time_t now, struct brski_buf *cms, struct brski_error *err)
{
	struct brski_voucher v = {.is_request = true, .created_on = now};
	size_t len = strlen(serial);
	enum brski_code code;

	brski_buf_reset(cms);
	if (len == 0 || len >= sizeof(v.serial_number))
		return brski_fail(err, BRSKI_MALFORMED, "serial number of %zu octets", len);
	memcpy(v.serial_number, serial, len + 1);
	if (brski_buf_set(&v.idevid_issuer, issuer_akid) != BRSKI_OK)
		return brski_fail(err, BRSKI_NO_MEMORY, "no room for an idevid-issuer");
	code = brski_voucher_sign(&v, registrar, true, cms, err);
	brski_voucher_free(&v);
	return code;
}
