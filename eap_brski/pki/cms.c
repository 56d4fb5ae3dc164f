/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/pki/cms.h"

#include <string.h>

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "eap_brski/pki/cert.h"
#include "eap_brski/pki/limits.h"

#define OID_VOUCHER_CONTENT "1.2.840.113549.1.9.16.1.40" /* id-ct-animaJSONVoucher, RFC 8366 8.4 */

/* What goes into an envelope: a voucher, or a file of ours. */
struct kind {
	const char *oid; /* NULL: id-data */
	size_t max;      /* octets of content and of the whole */
	const char *what;
};
static const struct kind voucher = {OID_VOUCHER_CONTENT, BRSKI_CMS_MAX, "a JSON voucher (RFC 8366 5.4)"};
static const struct kind data = {NULL, BRSKI_CMS_DATA_MAX, "data"};

/* RFC 8366 5.4; RFC 8995's own examples (Appendix C.2) say id-data, so that is taken as well. */
static bool is_content_type(const struct kind *kind, const ASN1_OBJECT *oid)
{
	char dotted[64];
	int len = OBJ_obj2txt(dotted, sizeof(dotted), oid, 1);

	return OBJ_obj2nid(oid) == NID_pkcs7_data ||
	       (kind->oid && len > 0 && (size_t)len < sizeof(dotted) && strcmp(dotted, kind->oid) == 0);
}

static const EVP_MD *digest_for(const EVP_PKEY *key)
{
	return EVP_PKEY_get_security_bits(key) > 128 ? EVP_sha384() : EVP_sha256();
}

static bool set_content_type(CMS_ContentInfo *cms, const struct kind *kind)
{
	ASN1_OBJECT *oid = kind->oid ? OBJ_txt2obj(kind->oid, 1) : OBJ_dup(OBJ_nid2obj(NID_pkcs7_data));
	bool ok = oid && CMS_set1_eContentType(cms, oid) == 1;

	ASN1_OBJECT_free(oid);
	return ok;
}

static CMS_ContentInfo *build(const struct kind *kind, struct brski_span content,
	const struct brski_credential *signer, bool with_chain)
{
	const unsigned flags = CMS_BINARY | CMS_PARTIAL | CMS_NOSMIMECAP;
	CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, flags);
	BIO *in = BIO_new_mem_buf(content.data, (int)content.len);
	bool ok = cms && in && set_content_type(cms, kind) &&
		  CMS_add1_signer(cms, signer->cert, signer->key, digest_for(signer->key), flags);

	for (int i = 0; ok && with_chain && i < sk_X509_num(signer->chain); i++) {
		if (!brski_cert_equal(sk_X509_value(signer->chain, i), signer->cert))
			ok = CMS_add1_cert(cms, sk_X509_value(signer->chain, i)) == 1;
	}
	ok = ok && CMS_final(cms, in, NULL, flags) == 1;
	BIO_free(in);
	if (ok)
		return cms;
	CMS_ContentInfo_free(cms);
	return NULL;
}

static enum brski_code set(
	const struct kind *kind, struct brski_buf *to, struct brski_span octets, struct brski_error *err)
{
	if (to->limit < kind->max && kind->max > BRSKI_BUF_LIMIT)
		to->limit = kind->max;
	if (brski_buf_set(to, octets) == BRSKI_OK)
		return BRSKI_OK;
	return brski_fail(err, BRSKI_NO_MEMORY, "no room for %zu octets", octets.len);
}

static enum brski_code encode(
	const struct kind *kind, CMS_ContentInfo *cms, struct brski_buf *out, struct brski_error *err)
{
	unsigned char *der = NULL;
	int len = i2d_CMS_ContentInfo(cms, &der);
	enum brski_code code;

	if (len < 0)
		return brski_fail_openssl(err, BRSKI_INTERNAL, "cannot encode a signed message");
	if ((size_t)len > kind->max)
		code = brski_fail(
			err, BRSKI_TOO_LARGE, "signed message of %d octets, %zu are allowed", len, kind->max);
	else
		code = set(kind, out, brski_span(der, (size_t)len), err);
	OPENSSL_free(der);
	return code;
}

static enum brski_code sign(const struct kind *kind, struct brski_span content,
	const struct brski_credential *signer, bool with_chain, struct brski_buf *out,
	struct brski_error *err)
{
	CMS_ContentInfo *cms;
	enum brski_code code;

	brski_buf_reset(out);
	if (content.len == 0)
		return brski_fail(err, BRSKI_INTERNAL, "nothing to sign");
	if (content.len > kind->max)
		return brski_fail(
			err, BRSKI_TOO_LARGE, "%zu octets to sign, %zu are allowed", content.len, kind->max);
	ERR_clear_error();
	cms = build(kind, content, signer, with_chain);
	if (!cms)
		return brski_fail_openssl(err, BRSKI_INTERNAL, "cannot sign");
	code = encode(kind, cms, out, err);
	CMS_ContentInfo_free(cms);
	return code;
}

enum brski_code brski_cms_sign(struct brski_span content, const struct brski_credential *signer,
	bool with_chain, struct brski_buf *out, struct brski_error *err)
{
	return sign(&voucher, content, signer, with_chain, out, err);
}

enum brski_code brski_cms_sign_data(struct brski_span content, const struct brski_credential *signer,
	struct brski_buf *out, struct brski_error *err)
{
	return sign(&data, content, signer, true, out, err);
}

static enum brski_code parse(
	const struct kind *kind, struct brski_span in, CMS_ContentInfo **out, struct brski_error *err)
{
	const unsigned char *at = in.data;
	CMS_ContentInfo *cms = NULL;

	*out = NULL;
	if (in.len > kind->max)
		return brski_fail(err, BRSKI_TOO_LARGE, "signed message of %zu octets, %zu are allowed",
			in.len, kind->max);
	if (in.len > 0)
		cms = d2i_CMS_ContentInfo(NULL, &at, (long)in.len);
	if (!cms)
		return brski_fail_openssl(err, BRSKI_MALFORMED, "signed message does not parse");
	if (at != in.data + in.len) {
		CMS_ContentInfo_free(cms);
		return brski_fail(err, BRSKI_MALFORMED, "octets after the end of a signed message");
	}
	*out = cms;
	return BRSKI_OK;
}

static enum brski_code check_envelope(const struct kind *kind, CMS_ContentInfo *cms, struct brski_error *err)
{
	ASN1_OCTET_STRING **content;
	char oid[64] = "?";

	if (OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed)
		return brski_fail(err, BRSKI_MALFORMED, "message is not CMS SignedData");
	if (!is_content_type(kind, CMS_get0_eContentType(cms))) {
		OBJ_obj2txt(oid, sizeof(oid), CMS_get0_eContentType(cms), 1);
		return brski_fail(
			err, BRSKI_UNSUPPORTED, "signed content is of type %s, not %s", oid, kind->what);
	}
	content = CMS_get0_content(cms);
	if (!content || !*content || ASN1_STRING_length(*content) == 0)
		return brski_fail(err, BRSKI_MALFORMED, "signed message holds no content");
	if (sk_CMS_SignerInfo_num(CMS_get0_SignerInfos(cms)) != 1)
		return brski_fail(err, BRSKI_MALFORMED, "message is signed by %d signers, not one",
			sk_CMS_SignerInfo_num(CMS_get0_SignerInfos(cms)));
	return BRSKI_OK;
}

static enum brski_code check_digest(CMS_SignerInfo *si, struct brski_error *err)
{
	const ASN1_OBJECT *oid = NULL;
	X509_ALGOR *digest = NULL;

	CMS_SignerInfo_get0_algs(si, NULL, NULL, &digest, NULL);
	X509_ALGOR_get0(&oid, NULL, NULL, digest);
	switch (OBJ_obj2nid(oid)) {
	case NID_sha256:
	case NID_sha384:
	case NID_sha512:
		return BRSKI_OK;
	default:
		return brski_fail(err, BRSKI_UNSUPPORTED,
			"message is signed with a digest other than SHA-256, 384 or 512");
	}
}

/*
 * RFC 5652 5.3: signed attributes are there unless the content is id-data; here always, since a
 * signature over the content alone can be one that was made over another message's attributes.
 * 11.1: their contentType is that of the content.
 */
static enum brski_code check_attributes(CMS_ContentInfo *cms, CMS_SignerInfo *si, struct brski_error *err)
{
	const ASN1_OBJECT *type = CMS_get0_eContentType(cms);
	const ASN1_OBJECT *attested;

	if (CMS_signed_get_attr_count(si) < 0)
		return brski_fail(err, BRSKI_MALFORMED, "signed message has no signed attributes");
	attested = CMS_signed_get0_data_by_OBJ(si, OBJ_nid2obj(NID_pkcs9_contentType), -3, V_ASN1_OBJECT);
	if (!attested || OBJ_cmp(attested, type) != 0)
		return brski_fail(err, BRSKI_MALFORMED,
			"signed attributes name another type of content than the message");
	return BRSKI_OK;
}

static const ASN1_TIME *signing_time_as(CMS_SignerInfo *si, int type)
{
	/* -3: one attribute of one value */
	return CMS_signed_get0_data_by_OBJ(si, OBJ_nid2obj(NID_pkcs9_signingTime), -3, type);
}

/* RFC 5652 11.3: it need not be there (*out is 0 then), but once only. */
static enum brski_code read_signing_time(CMS_SignerInfo *si, time_t *out, struct brski_error *err)
{
	const ASN1_TIME *value;
	struct tm tm;

	*out = 0;
	if (CMS_signed_get_attr_by_NID(si, NID_pkcs9_signingTime, -1) < 0)
		return BRSKI_OK;
	value = signing_time_as(si, V_ASN1_UTCTIME);
	if (!value)
		value = signing_time_as(si, V_ASN1_GENERALIZEDTIME);
	if (!value || ASN1_TIME_to_tm(value, &tm) != 1)
		return brski_fail_openssl(
			err, BRSKI_MALFORMED, "signingTime of a signed message is not one time");
	*out = timegm(&tm);
	return BRSKI_OK;
}

static enum brski_code check_signer(X509 *cert, struct brski_error *err)
{
	const EVP_PKEY *key = X509_get0_pubkey(cert);
	enum brski_code code;

	if (!key)
		return brski_fail_openssl(err, BRSKI_UNSUPPORTED, "signer's key is of no known kind");
	code = brski_key_check(key, err); /* once more, since it may be one of extra */
	if (code != BRSKI_OK)
		return brski_fail_context(err, code, "signer of a message");
	/* all bits are set if the extension is absent */
	if (!(X509_get_key_usage(cert) & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)))
		return brski_fail(err, BRSKI_UNTRUSTED, "signer's certificate does not allow signatures");
	return BRSKI_OK;
}

/* The one signer's certificate, from the envelope or from extra. */
static enum brski_code find_signer(
	CMS_ContentInfo *cms, const STACK_OF(X509) *extra, X509 **out, struct brski_error *err)
{
	CMS_SignerInfo *si = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0);
	enum brski_code code = check_digest(si, err);

	*out = NULL;
	if (code == BRSKI_OK)
		code = check_attributes(cms, si, err);
	if (code != BRSKI_OK)
		return code;
	if (CMS_set1_signers_certs(cms, (STACK_OF(X509) *)(uintptr_t)extra, 0) < 0)
		return brski_fail_openssl(err, BRSKI_NO_MEMORY, "cannot look for the signer's certificate");
	CMS_SignerInfo_get0_algs(si, NULL, out, NULL, NULL);
	if (!*out)
		return brski_fail(err, BRSKI_UNTRUSTED, "the signer's certificate is not in the message");
	return check_signer(*out, err);
}

/* The signature over the content, with the certificate that was found; its trust is not judged. */
static enum brski_code verify(
	const struct kind *kind, CMS_ContentInfo *cms, struct brski_buf *content, struct brski_error *err)
{
	const unsigned flags = CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY;
	BIO *out = BIO_new(BIO_s_mem());
	enum brski_code code;
	char *text = NULL;
	long len;

	if (!out)
		return brski_fail_openssl(err, BRSKI_NO_MEMORY, "no memory to verify a signature");
	if (CMS_verify(cms, NULL, NULL, NULL, out, flags) != 1) {
		code = brski_fail_openssl(err, BRSKI_BAD_SIGNATURE, "signature is wrong");
	} else {
		len = BIO_get_mem_data(out, &text);
		code = set(kind, content, brski_span(text, len > 0 ? (size_t)len : 0), err);
	}
	BIO_free(out);
	return code;
}

static enum brski_code list_certs(
	const STACK_OF(X509) *all, X509 *signer, STACK_OF(X509) **out, struct brski_error *err)
{
	STACK_OF(X509) *certs = sk_X509_new_null();

	*out = NULL;
	if (certs && X509_add_cert(certs, signer, X509_ADD_FLAG_UP_REF) == 1 &&
		X509_add_certs(certs, (STACK_OF(X509) *)(uintptr_t)all,
			X509_ADD_FLAG_UP_REF | X509_ADD_FLAG_NO_DUP) == 1) {
		*out = certs;
		return BRSKI_OK;
	}
	sk_X509_pop_free(certs, X509_free);
	return brski_fail_openssl(err, BRSKI_NO_MEMORY, "no memory for certificates");
}

/* How many there are, and of what keys, before a signature is looked at with any of them. */
static enum brski_code get_certs(CMS_ContentInfo *cms, STACK_OF(X509) **out, struct brski_error *err)
{
	enum brski_code code;

	*out = CMS_get1_certs(cms);
	if (!*out)
		*out = sk_X509_new_null();
	if (!*out)
		return brski_fail_openssl(err, BRSKI_NO_MEMORY, "no memory for certificates");
	code = brski_peer_certs_check(*out, err);
	return code == BRSKI_OK ? code : brski_fail_context(err, code, "signed message");
}

/* How an envelope is opened. */
struct opening {
	const struct kind *kind;
	const STACK_OF(X509) *extra; /* may be NULL */
	brski_cms_judge *judge;      /* may be NULL */
	void *ctx;
	time_t *signed_on;
};

/* The signer is judged before the content, which may be large, is hashed. */
static enum brski_code open_by(const struct opening *o, CMS_ContentInfo *cms, const STACK_OF(X509) *certs,
	struct brski_buf *content, struct brski_error *err)
{
	enum brski_code code = o->judge ? o->judge(o->ctx, certs, err) : BRSKI_OK;

	if (code == BRSKI_OK)
		code = verify(o->kind, cms, content, err);
	if (code == BRSKI_OK)
		code = read_signing_time(
			sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0), o->signed_on, err);
	return code;
}

static enum brski_code open_with(const struct opening *o, CMS_ContentInfo *cms, const STACK_OF(X509) *all,
	struct brski_buf *content, STACK_OF(X509) **certs, struct brski_error *err)
{
	X509 *signer;
	enum brski_code code = find_signer(cms, o->extra, &signer, err);

	if (code == BRSKI_OK)
		code = list_certs(all, signer, certs, err);
	if (code == BRSKI_OK)
		code = open_by(o, cms, *certs, content, err);
	if (code != BRSKI_OK) {
		sk_X509_pop_free(*certs, X509_free);
		*certs = NULL;
	}
	return code;
}

static enum brski_code open_parsed(const struct opening *o, CMS_ContentInfo *cms, struct brski_buf *content,
	STACK_OF(X509) **certs, struct brski_error *err)
{
	STACK_OF(X509) *all = NULL;
	enum brski_code code = check_envelope(o->kind, cms, err);

	if (code == BRSKI_OK)
		code = get_certs(cms, &all, err);
	if (code == BRSKI_OK)
		code = open_with(o, cms, all, content, certs, err);
	sk_X509_pop_free(all, X509_free);
	return code;
}

static enum brski_code open_message(const struct opening *o, struct brski_span cms, struct brski_buf *content,
	STACK_OF(X509) **certs, struct brski_error *err)
{
	CMS_ContentInfo *parsed;
	enum brski_code code;

	brski_buf_reset(content);
	*certs = NULL;
	*o->signed_on = 0;
	ERR_clear_error();
	code = parse(o->kind, cms, &parsed, err);
	if (code != BRSKI_OK)
		return code;
	code = open_parsed(o, parsed, content, certs, err);
	if (code != BRSKI_OK)
		brski_buf_reset(content);
	CMS_ContentInfo_free(parsed);
	ERR_clear_error();
	return code;
}

enum brski_code brski_cms_open(struct brski_span cms, const STACK_OF(X509) *extra, struct brski_buf *content,
	STACK_OF(X509) **certs, time_t *signed_on, struct brski_error *err)
{
	time_t unused;
	const struct opening o = {
		.kind = &voucher, .extra = extra, .signed_on = signed_on ? signed_on : &unused};

	return open_message(&o, cms, content, certs, err);
}

enum brski_code brski_cms_open_data(struct brski_span cms, brski_cms_judge *judge, void *ctx,
	struct brski_buf *content, STACK_OF(X509) **certs, struct brski_error *err)
{
	time_t unused;
	const struct opening o = {.kind = &data, .judge = judge, .ctx = ctx, .signed_on = &unused};

	return open_message(&o, cms, content, certs, err);
}
