/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/est/est.h"

#include <openssl/cms.h>
#include <openssl/err.h>

#include "eap_brski/ground/base64.h"
#include "eap_brski/pki/asn1.h"
#include "eap_brski/pki/limits.h"

/* ---- bodies ---- */

/* RFC 8951 3.1: CR, LF, blank and tab. */
static bool is_white(uint8_t c)
{
	return c == '\r' || c == '\n' || c == ' ' || c == '\t';
}

static size_t count_digits(struct brski_span text)
{
	size_t n = 0;
	uint8_t c;

	while (brski_read_u8(&text, &c))
		n += is_white(c) ? 0 : 1;
	return n;
}

static void put_digits(struct brski_span text, struct brski_buf *digits)
{
	uint8_t c;

	while (brski_read_u8(&text, &c)) {
		if (!is_white(c))
			brski_put_u8(digits, c);
	}
}

static enum brski_code decode(struct brski_span digits, struct brski_buf *der, struct brski_error *err)
{
	if (digits.len == 0)
		return brski_fail(err, BRSKI_MALFORMED, "EST body is empty");
	if (digits.data[0] == '-')
		return brski_fail(err, BRSKI_MALFORMED,
			"EST body is PEM, where base64 without lines BEGIN and END is wanted (RFC 8951 3)");
	if (digits.len % 4 != 0 || brski_base64_decode(digits, der, NULL) != BRSKI_OK)
		return brski_fail(err, BRSKI_MALFORMED, "EST body is not base64 (RFC 8951 3)");
	return BRSKI_OK;
}

static enum brski_code refuse_length(size_t der_max, struct brski_error *err)
{
	return brski_fail(err, BRSKI_TOO_LARGE,
		"EST body is too long: %zu octets of DER are taken, and as much white space as base64",
		der_max);
}

enum brski_code brski_est_body_read(
	struct brski_span text, size_t der_max, struct brski_buf *der, struct brski_error *err)
{
	const size_t digits_max = (der_max + 2) / 3 * 4;
	struct brski_buf digits = {0};
	enum brski_code code;

	brski_buf_reset(der);
	if (text.len > 2 * digits_max || count_digits(text) > digits_max)
		return refuse_length(der_max, err);
	put_digits(text, &digits);
	code = brski_buf_status(&digits, err);
	if (code == BRSKI_OK)
		code = decode(brski_buf_span(&digits), der, err);
	if (code == BRSKI_OK && der->len > der_max)
		code = refuse_length(der_max, err);
	if (code != BRSKI_OK)
		brski_buf_reset(der);
	brski_buf_free(&digits);
	return code;
}

enum brski_code brski_est_body_write(struct brski_span der, struct brski_buf *text, struct brski_error *err)
{
	brski_buf_reset(text);
	if (brski_base64_encode(der, text) == BRSKI_OK)
		return BRSKI_OK;
	brski_buf_reset(text);
	return brski_fail(err, BRSKI_NO_MEMORY, "no room for an EST body of %zu octets", der.len);
}

/* ---- certs-only ---- */

static enum brski_code check_count(int n, struct brski_error *err)
{
	if (n <= BRSKI_EST_CERTS_MAX)
		return BRSKI_OK;
	return brski_fail(err, BRSKI_TOO_LARGE, "%d certificates in a certs-only message, %d are allowed", n,
		BRSKI_EST_CERTS_MAX);
}

/*
 * RFC 5272 4.1: no eContent; its type is id-data then (RFC 5652 5.2), as OpenSSL has it. Of one
 * certificate that is given twice, OpenSSL makes an error.
 */
static CMS_ContentInfo *make_message(const STACK_OF(X509) *certs)
{
	STACK_OF(X509) *once = sk_X509_new_null();
	CMS_ContentInfo *cms = NULL;

	if (once && X509_add_certs(once, (STACK_OF(X509) *)(uintptr_t)certs, X509_ADD_FLAG_NO_DUP) == 1)
		cms = CMS_sign(NULL, NULL, once, NULL, CMS_PARTIAL | CMS_BINARY | CMS_DETACHED);
	sk_X509_free(once);
	if (cms && CMS_set_detached(cms, 1) == 1)
		return cms;
	CMS_ContentInfo_free(cms);
	return NULL;
}

static enum brski_code encode(CMS_ContentInfo *cms, struct brski_buf *der, struct brski_error *err)
{
	enum brski_code code = brski_asn1_write(cms, ASN1_ITEM_rptr(CMS_ContentInfo), der, err);

	if (code == BRSKI_OK && der->len > BRSKI_EST_CERTS_DER_MAX)
		code = brski_fail(err, BRSKI_TOO_LARGE, "certs-only message of %zu octets, %d are allowed",
			der->len, BRSKI_EST_CERTS_DER_MAX);
	if (code != BRSKI_OK)
		brski_buf_reset(der);
	return code;
}

enum brski_code brski_est_certs_write(
	const STACK_OF(X509) *certs, struct brski_buf *der, struct brski_error *err)
{
	CMS_ContentInfo *cms;
	enum brski_code code;

	brski_buf_reset(der);
	if (sk_X509_num(certs) <= 0)
		return brski_fail(err, BRSKI_INTERNAL, "no certificate for a certs-only message");
	code = check_count(sk_X509_num(certs), err);
	if (code != BRSKI_OK)
		return code;
	cms = make_message(certs);
	code = cms ? encode(cms, der, err)
		   : brski_fail_openssl(err, BRSKI_INTERNAL, "cannot make a certs-only message");
	CMS_ContentInfo_free(cms);
	return code;
}

static enum brski_code malformed(struct brski_error *err, const char *why)
{
	return brski_fail(err, BRSKI_MALFORMED, "certs-only message: %s", why);
}

/* RFC 5272 4.1: a SignedData, with no content and no signer. */
static enum brski_code check_form(CMS_ContentInfo *cms, struct brski_error *err)
{
	ASN1_OCTET_STRING **content;

	if (OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed)
		return malformed(err, "it is not CMS SignedData");
	if (sk_CMS_SignerInfo_num(CMS_get0_SignerInfos(cms)) > 0)
		return malformed(err, "it has a signer (RFC 5272 4.1)");
	content = CMS_get0_content(cms);
	if (content && *content)
		return malformed(err, "it has content (RFC 5272 4.1)");
	return BRSKI_OK;
}

static enum brski_code get_certs(CMS_ContentInfo *cms, STACK_OF(X509) **out, struct brski_error *err)
{
	enum brski_code code = check_form(cms, err);

	if (code != BRSKI_OK)
		return code;
	*out = CMS_get1_certs(cms);
	if (sk_X509_num(*out) <= 0)
		return malformed(err, "it has no certificate");
	code = check_count(sk_X509_num(*out), err);
	return code == BRSKI_OK ? brski_certs_check_keys(*out, err) : code;
}

enum brski_code brski_est_certs_read(struct brski_span der, STACK_OF(X509) **out, struct brski_error *err)
{
	const unsigned char *at = der.data;
	CMS_ContentInfo *cms = NULL;
	enum brski_code code;

	*out = NULL;
	if (der.len > BRSKI_EST_CERTS_DER_MAX)
		return brski_fail(err, BRSKI_TOO_LARGE, "certs-only message of %zu octets, %d are allowed",
			der.len, BRSKI_EST_CERTS_DER_MAX);
	ERR_clear_error();
	if (der.len > 0)
		cms = d2i_CMS_ContentInfo(NULL, &at, (long)der.len);
	if (!cms)
		return brski_fail_openssl(err, BRSKI_MALFORMED, "certs-only message does not parse");
	code = at == der.data + der.len ? get_certs(cms, out, err) : malformed(err, "octets after its end");
	CMS_ContentInfo_free(cms);
	ERR_clear_error();
	if (code != BRSKI_OK) {
		sk_X509_pop_free(*out, X509_free);
		*out = NULL;
	}
	return code;
}
