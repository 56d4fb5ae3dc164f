/* SPDX-License-Identifier: BSD-3-Clause */
#include <openssl/err.h>

#include "eap_brski/cmp/cmp_internal.h"
#include "eap_brski/pki/limits.h"

/* PKCS #10 in p10cr, RFC 9483 4.1.4. */

/* RFC 9483 4.1.4: version MUST be 0. */
static enum brski_code check_version(X509_REQ *req, struct brski_cmp_request *out, struct brski_error *err)
{
	out->fail = BRSKI_CMP_BAD_CERT_TEMPLATE;
	if (X509_REQ_get_version(req) == X509_REQ_VERSION_1)
		return BRSKI_OK;
	return brski_fail(err, BRSKI_UNEXPECTED, "PKCS #10: version is not 0 (RFC 9483 4.1.4)");
}

static enum brski_code refuse(struct brski_cmp_request *out, struct brski_error *err, const char *why)
{
	out->fail = BRSKI_CMP_BAD_CERT_TEMPLATE;
	return brski_fail(err, BRSKI_UNEXPECTED, "PKCS #10: %s", why);
}

/*
 * RFC 2985 5.4.2: one attribute of one value. With more, or with the one that Microsoft had before, a
 * PKI could find other extensions than we do.
 */
static enum brski_code find_extensions(
	X509_REQ *req, struct brski_span *der, struct brski_cmp_request *out, struct brski_error *err)
{
	int at = X509_REQ_get_attr_by_NID(req, NID_ext_req, -1);
	X509_ATTRIBUTE *attribute = at >= 0 ? X509_REQ_get_attr(req, at) : NULL;

	*der = (struct brski_span){0};
	if (X509_REQ_get_attr_by_NID(req, NID_ms_ext_req, -1) >= 0)
		return refuse(out, err, "extensions in Microsoft's own attribute");
	if (!attribute)
		return BRSKI_OK;
	if (X509_REQ_get_attr_by_NID(req, NID_ext_req, at) >= 0 || X509_ATTRIBUTE_count(attribute) != 1)
		return refuse(out, err, "not exactly one extensionRequest of one value (RFC 2985 5.4.2)");
	*der = brski_asn1_raw(X509_ATTRIBUTE_get0_type(attribute, 0));
	return der->len > 0 ? BRSKI_OK : refuse(out, err, "extensionRequest is no list of extensions");
}

static enum brski_code read_extensions(X509_REQ *req, struct brski_cmp_request *out, struct brski_error *err)
{
	struct brski_span der;
	enum brski_code code = find_extensions(req, &der, out, err);

	out->wants_controls = X509_REQ_get_attr_count(req) > (der.len > 0 ? 1 : 0);
	if (code != BRSKI_OK || der.len == 0)
		return code;
	out->fail = BRSKI_CMP_BAD_CERT_TEMPLATE;
	out->extensions =
		brski_asn1_read(der, ASN1_ITEM_rptr(X509_EXTENSIONS), "PKCS #10: extensionRequest", err);
	return out->extensions ? BRSKI_OK : BRSKI_MALFORMED;
}

static enum brski_code read_fields(X509_REQ *req, struct brski_cmp_request *out, struct brski_error *err)
{
	enum brski_code code;

	out->key = X509_REQ_get_pubkey(req);
	if (!out->key) {
		out->fail = BRSKI_CMP_BAD_ALG;
		return brski_fail_openssl(err, BRSKI_UNSUPPORTED, "PKCS #10: its public key");
	}
	code = brski_key_check(out->key, err);
	if (code != BRSKI_OK) {
		out->fail = BRSKI_CMP_BAD_ALG;
		return brski_fail_context(err, code, "PKCS #10");
	}
	out->subject = X509_NAME_dup(X509_REQ_get_subject_name(req));
	if (!out->subject)
		return brski_fail_openssl(err, BRSKI_NO_MEMORY, "no memory");
	return read_extensions(req, out, err);
}

/* RFC 9483 4.1.4: the request MUST be signed with the key that it is for. */
static enum brski_code check_pop(X509_REQ *req, struct brski_cmp_request *out, struct brski_error *err)
{
	const ASN1_BIT_STRING *signature;
	const X509_ALGOR *alg;
	enum brski_code code;

	out->fail = BRSKI_CMP_BAD_POP;
	X509_REQ_get0_signature(req, &signature, &alg);
	code = brski_cmp_algorithm_check(alg, err);
	if (code != BRSKI_OK)
		return code;
	if (X509_REQ_verify(req, out->key) != 1)
		return brski_fail_openssl(err, BRSKI_BAD_SIGNATURE, "proof of possession does not verify");
	return BRSKI_OK;
}

enum brski_code brski_cmp_pkcs10_read(
	struct brski_span content, struct brski_cmp_request *out, struct brski_error *err)
{
	X509_REQ *req = brski_asn1_read(content, ASN1_ITEM_rptr(X509_REQ), "PKCS #10 request", err);
	enum brski_code code;

	out->fail = BRSKI_CMP_BAD_DATA_FORMAT;
	out->cert_req_id = BRSKI_CERT_REQ_ID_NONE;
	if (!req)
		return BRSKI_MALFORMED;
	code = check_version(req, out, err);
	if (code == BRSKI_OK)
		code = read_fields(req, out, err);
	if (code == BRSKI_OK)
		code = check_pop(req, out, err);
	X509_REQ_free(req);
	return code;
}

enum brski_code brski_cmp_pkcs10_write(
	EVP_PKEY *key, const X509_NAME *subject, struct brski_buf *out, struct brski_error *err)
{
	X509_REQ *req = X509_REQ_new();
	const EVP_MD *md;
	X509_ALGOR *alg;
	enum brski_code code = brski_cmp_algorithm_for(key, &alg, &md, err);

	X509_ALGOR_free(alg);
	if (code == BRSKI_OK &&
		(!req || X509_REQ_set_version(req, X509_REQ_VERSION_1) != 1 ||
			X509_REQ_set_subject_name(req, subject) != 1 || X509_REQ_set_pubkey(req, key) != 1 ||
			X509_REQ_sign(req, key, md) <= 0))
		code = brski_fail_openssl(err, BRSKI_INTERNAL, "cannot make a PKCS #10 request");
	if (code == BRSKI_OK)
		code = brski_asn1_write(req, ASN1_ITEM_rptr(X509_REQ), out, err);
	X509_REQ_free(req);
	return code;
}
