/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/ca/ca_issue_internal.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/x509v3.h>

#include "eap_brski/pki/cert.h"

#define SERIAL_OCTETS 16
#define BACKDATE 300 /* a device's clock, if it has one, is not exact */
#define DAY 86400

static const struct profile {
	enum ca_kind kind;
	const char *constraints;
	const char *key_usage;
	const char *eku;
} profiles[] = {
	{CA_KIND_ROOT, "critical,CA:TRUE", "critical,keyCertSign,cRLSign,digitalSignature", NULL},
	{CA_KIND_INTERMEDIATE, "critical,CA:TRUE,pathlen:0", "critical,keyCertSign,cRLSign,digitalSignature",
		NULL},
	{CA_KIND_CMP, "critical,CA:FALSE", "critical,digitalSignature", "1.3.6.1.5.5.7.3.27"},
	{CA_KIND_LDEVID, "critical,CA:FALSE", "critical,digitalSignature", "clientAuth"},
	{CA_KIND_REGISTRAR, "critical,CA:FALSE", "critical,digitalSignature",
		"serverAuth,clientAuth,1.3.6.1.5.5.7.3.28"},
	{CA_KIND_SERVER, "critical,CA:FALSE", "critical,digitalSignature", "serverAuth"},
	{CA_KIND_MASA, "critical,CA:FALSE", "critical,digitalSignature", NULL},
	{CA_KIND_IDEVID, "critical,CA:FALSE", "critical,digitalSignature", NULL},
};

static const struct profile *profile_of(enum ca_kind kind)
{
	for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
		if (profiles[i].kind == kind)
			return &profiles[i];
	}
	return NULL;
}

static bool set_number(X509 *cert, const struct brski_env *env, struct brski_error *err)
{
	uint8_t octets[SERIAL_OCTETS];
	BIGNUM *number;
	bool ok;

	if (brski_random(env, octets, sizeof(octets), err) != BRSKI_OK)
		return false;
	octets[0] = (octets[0] & 0x7f) | 0x40; /* positive, and always of the same length */
	number = BN_bin2bn(octets, sizeof(octets), NULL);
	ok = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
	BN_free(number);
	return ok;
}

static bool set_validity(X509 *cert, const struct ca_spec *spec, const X509 *issuer, time_t now)
{
	time_t from = now - BACKDATE;
	time_t until = now + spec->days * DAY;

	if (!ASN1_TIME_set(X509_getm_notBefore(cert), from))
		return false;
	if (issuer && ASN1_TIME_compare(X509_get0_notBefore(issuer), X509_get0_notBefore(cert)) > 0 &&
		X509_set1_notBefore(cert, X509_get0_notBefore(issuer)) != 1)
		return false;
	if (spec->kind == CA_KIND_IDEVID) /* RFC 5280 4.1.2.5: no well-defined end */
		return ASN1_TIME_set_string_X509(X509_getm_notAfter(cert), "99991231235959Z") == 1;
	if (!ASN1_TIME_set(X509_getm_notAfter(cert), until))
		return false;
	return !issuer || ASN1_TIME_compare(X509_get0_notAfter(issuer), X509_get0_notAfter(cert)) >= 0 ||
	       X509_set1_notAfter(cert, X509_get0_notAfter(issuer)) == 1;
}

static bool add(X509 *cert, X509V3_CTX *ctx, int nid, const char *value)
{
	X509_EXTENSION *extension;
	bool ok;

	if (!value)
		return true;
	extension = X509V3_EXT_conf_nid(NULL, ctx, nid, value);
	ok = extension && X509_add_ext(cert, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return ok;
}

static bool add_masa_url(X509 *cert, const char *url)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(BRSKI_OID_MASA_URL, 1);
	ASN1_IA5STRING *text = ASN1_IA5STRING_new();
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *extension = NULL;
	uint8_t *der = NULL;
	int len = 0;
	bool ok;

	if (oid && text && value && ASN1_STRING_set(text, url, -1) == 1)
		len = i2d_ASN1_IA5STRING(text, &der);
	if (len > 0 && ASN1_OCTET_STRING_set(value, der, len) == 1)
		extension = X509_EXTENSION_create_by_OBJ(NULL, oid, 0, value);
	ok = extension && X509_add_ext(cert, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	OPENSSL_free(der);
	ASN1_OCTET_STRING_free(value);
	ASN1_IA5STRING_free(text);
	ASN1_OBJECT_free(oid);
	return ok;
}

static bool add_extensions(X509 *cert, const struct ca_spec *spec, X509 *issuer)
{
	const struct profile *profile = profile_of(spec->kind);
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	return profile && add(cert, &ctx, NID_basic_constraints, profile->constraints) &&
	       add(cert, &ctx, NID_key_usage, profile->key_usage) &&
	       add(cert, &ctx, NID_ext_key_usage, profile->eku) &&
	       add(cert, &ctx, NID_subject_key_identifier, "hash") &&
	       add(cert, &ctx, NID_authority_key_identifier, "keyid:always") &&
	       add(cert, &ctx, NID_subject_alt_name, spec->san) &&
	       (!spec->san_asked || X509_add_ext(cert, spec->san_asked, -1) == 1) &&
	       (!spec->masa_url || add_masa_url(cert, spec->masa_url));
}

/* As strong as the key: P-384 goes with SHA-384. */
static const EVP_MD *digest_for(const EVP_PKEY *key)
{
	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC && EVP_PKEY_get_bits(key) > 256)
		return EVP_sha384();
	return EVP_sha256();
}

enum brski_code ca_issue(const struct ca_spec *spec, const struct brski_credential *issuer,
	const struct brski_env *env, X509 **out, struct brski_error *err)
{
	X509 *cert = X509_new();
	X509 *above = issuer ? issuer->cert : cert;
	EVP_PKEY *key = issuer ? issuer->key : spec->key;
	enum brski_code code = BRSKI_OK;
	bool ok;

	*out = NULL;
	if (issuer)
		code = brski_cert_dates(issuer->cert, brski_now(env), err);
	if (code != BRSKI_OK) {
		X509_free(cert);
		return brski_fail_context(err, code, "the CA cannot issue");
	}
	ok = cert && X509_set_version(cert, X509_VERSION_3) == 1 && set_number(cert, env, err) &&
	     X509_set_subject_name(cert, spec->subject) == 1 && X509_set_pubkey(cert, spec->key) == 1 &&
	     X509_set_issuer_name(cert, issuer ? X509_get_subject_name(above) : spec->subject) == 1 &&
	     set_validity(cert, spec, issuer ? above : NULL, brski_now(env)) &&
	     add_extensions(cert, spec, above) && X509_sign(cert, key, digest_for(key)) > 0;
	if (ok) {
		*out = cert;
		return BRSKI_OK;
	}
	X509_free(cert);
	return brski_fail_openssl(err, BRSKI_INTERNAL, "cannot make a certificate");
}

enum brski_code ca_key_check(const EVP_PKEY *key, struct brski_error *err)
{
	char group[32] = "";
	int type = EVP_PKEY_get_base_id(key);
	int bits = EVP_PKEY_get_bits(key);

	if (type == EVP_PKEY_RSA && bits >= 2048 && bits <= 8192)
		return BRSKI_OK;
	if (type == EVP_PKEY_RSA)
		return brski_fail(err, BRSKI_REFUSED, "an RSA key of %d bits is not certified here", bits);
	if (type == EVP_PKEY_EC && EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
		(strcmp(group, "prime256v1") == 0 || strcmp(group, "secp384r1") == 0 ||
			strcmp(group, "secp521r1") == 0))
		return BRSKI_OK;
	return brski_fail(err, BRSKI_REFUSED, "a key of this type or curve is not certified here");
}

/*
 * Takes one "TYPE=value" from the front; turns "\," into ",". What is written first is the most specific
 * part, and the last one of the name (RFC 4514 2.1).
 */
static bool add_attribute(X509_NAME *name, char **rest)
{
	char *type = *rest;
	char *value = strchr(type, '=');
	char *to;
	char *from;

	if (!value)
		return false;
	*value++ = '\0';
	for (to = from = value; *from != '\0' && *from != ','; *to++ = *from++) {
		if (*from == '\\' && from[1] != '\0')
			from++;
	}
	*rest = *from == ',' ? from + 1 : from;
	*to = '\0';
	type += strspn(type, " ");
	return value[0] != '\0' && X509_NAME_add_entry_by_txt(name, type, MBSTRING_UTF8,
					   (const unsigned char *)value, -1, 0, 0) == 1;
}

enum brski_code ca_name_parse(const char *text, X509_NAME **out, struct brski_error *err)
{
	X509_NAME *name = X509_NAME_new();
	char *copy = strdup(text);
	char *rest = copy;
	bool ok = name && copy && copy[0] != '\0';

	*out = NULL;
	while (ok && *rest != '\0')
		ok = add_attribute(name, &rest);
	free(copy);
	if (ok) {
		*out = name;
		return BRSKI_OK;
	}
	X509_NAME_free(name);
	return brski_fail_openssl(
		err, BRSKI_MALFORMED, "\"%s\" is no name such as \"CN=Example,O=Example\"", text);
}

enum brski_code ca_san_check(const char *text, struct brski_error *err)
{
	X509V3_CTX nobody;
	X509_EXTENSION *extension;

	X509V3_set_ctx_test(&nobody);
	extension = X509V3_EXT_conf_nid(NULL, &nobody, NID_subject_alt_name, text);
	if (!extension)
		return brski_fail_openssl(err, BRSKI_MALFORMED,
			"\"%s\" are no names such as \"DNS:a.example,IP:192.0.2.1\"", text);
	X509_EXTENSION_free(extension);
	return BRSKI_OK;
}
