/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/pki/idevid_issuer.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "eap_brski/pki/cert.h"

enum brski_code brski_idevid_issuer_make(
	struct brski_span key_id, struct brski_buf *out, struct brski_error *err)
{
	AUTHORITY_KEYID *akid = AUTHORITY_KEYID_new();
	unsigned char *der = NULL;
	enum brski_code code;
	int len = -1;

	brski_buf_reset(out);
	if (akid && (akid->keyid = ASN1_OCTET_STRING_new()) != NULL &&
		ASN1_OCTET_STRING_set(akid->keyid, key_id.data, (int)key_id.len) == 1)
		len = i2d_AUTHORITY_KEYID(akid, &der);
	AUTHORITY_KEYID_free(akid);
	if (len <= 0)
		return brski_fail_openssl(err, BRSKI_NO_MEMORY, "a key identifier cannot be encoded");
	code = brski_buf_set(out, brski_span(der, (size_t)len));
	OPENSSL_free(der);
	return code == BRSKI_OK ? code : brski_fail(err, code, "no room for an idevid-issuer");
}

enum brski_code brski_idevid_issuer(const X509 *idevid, struct brski_buf *out, struct brski_error *err)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	enum brski_code code = brski_cert_authority_key_id(idevid, out, err);

	if (code != BRSKI_NOT_FOUND)
		return code;
	if (X509_pubkey_digest(idevid, EVP_sha1(), hash, &len) != 1)
		return brski_fail_openssl(err, BRSKI_INTERNAL, "cannot hash the key of an IDevID");
	return brski_idevid_issuer_make(brski_span(hash, len), out, err);
}

/* The content of one OCTET STRING that fills `in`; else `in` itself. */
static struct brski_span without_octet_string(struct brski_span in)
{
	const unsigned char *at = in.data;
	ASN1_OCTET_STRING *string = in.len > 0 ? d2i_ASN1_OCTET_STRING(NULL, &at, (long)in.len) : NULL;
	struct brski_span out = in;

	if (string && at == in.data + in.len)
		out = brski_span(in.data + in.len - string->length, (size_t)string->length);
	ASN1_OCTET_STRING_free(string);
	return out;
}

/* False: no AuthorityKeyIdentifier with a key identifier fills `in`. */
static bool key_id_of(struct brski_span in, struct brski_buf *out)
{
	const unsigned char *at = in.data;
	AUTHORITY_KEYID *akid = in.len > 0 ? d2i_AUTHORITY_KEYID(NULL, &at, (long)in.len) : NULL;
	bool ok = akid && at == in.data + in.len && akid->keyid &&
		  brski_buf_set(out, brski_span(akid->keyid->data, (size_t)akid->keyid->length)) == BRSKI_OK;

	AUTHORITY_KEYID_free(akid);
	return ok;
}

static enum brski_code reduce(struct brski_span in, struct brski_buf *out)
{
	struct brski_span inner = without_octet_string(in);

	return key_id_of(inner, out) ? BRSKI_OK : brski_buf_set(out, inner);
}

bool brski_idevid_issuer_equal(struct brski_span a, struct brski_span b)
{
	struct brski_buf one = {0}, other = {0};
	bool equal = brski_span_equal(a, b);

	if (!equal && reduce(a, &one) == BRSKI_OK && reduce(b, &other) == BRSKI_OK)
		equal = one.len > 0 && brski_span_equal(brski_buf_span(&one), brski_buf_span(&other));
	brski_buf_free(&one);
	brski_buf_free(&other);
	ERR_clear_error();
	return equal;
}
