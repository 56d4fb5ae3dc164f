/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/support/pki.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#define HOUR 3600
#define TEN_YEARS ((time_t)3650 * 24 * HOUR)

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "pki: %s\n", what);
	ERR_print_errors_fp(stderr);
	abort();
}

EVP_PKEY *pki_key(const char *key_type)
{
	EVP_PKEY *key;

	if (!key_type)
		key_type = "P-256";
	if (strncmp(key_type, "RSA-", 4) == 0)
		key = EVP_RSA_gen((unsigned)atoi(key_type + 4));
	else if (strcmp(key_type, "ED25519") == 0)
		key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	else
		key = EVP_EC_gen(key_type);
	need(key != NULL, key_type);
	return key;
}

EVP_PKEY *pki_false_p256(const EVP_PKEY *private_of, const EVP_PKEY *public_of)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	OSSL_PARAM_BLD *params = OSSL_PARAM_BLD_new();
	unsigned char point[65];
	size_t len;
	BIGNUM *d = NULL;
	EVP_PKEY *key = NULL;
	OSSL_PARAM *made;

	need(EVP_PKEY_get_bn_param(private_of, OSSL_PKEY_PARAM_PRIV_KEY, &d) == 1, "private key");
	need(EVP_PKEY_get_octet_string_param(
		     public_of, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &len) == 1,
		"public key");
	need(OSSL_PARAM_BLD_push_utf8_string(params, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1 &&
			OSSL_PARAM_BLD_push_octet_string(params, OSSL_PKEY_PARAM_PUB_KEY, point, len) == 1 &&
			OSSL_PARAM_BLD_push_BN(params, OSSL_PKEY_PARAM_PRIV_KEY, d) == 1,
		"parameters");
	made = OSSL_PARAM_BLD_to_param(params);
	need(EVP_PKEY_fromdata_init(ctx) == 1 && EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, made) == 1,
		"EC key");
	OSSL_PARAM_free(made);
	OSSL_PARAM_BLD_free(params);
	BN_clear_free(d);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

EVP_PKEY *pki_public_rsa(unsigned bits, unsigned exponent_bits)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM_BLD *params = OSSL_PARAM_BLD_new();
	BIGNUM *n = BN_new(), *e = BN_new();
	EVP_PKEY *key = NULL;
	OSSL_PARAM *made;

	need(BN_rand(n, (int)bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD) == 1 &&
			BN_rand(e, (int)exponent_bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD) == 1,
		"random");
	need(OSSL_PARAM_BLD_push_BN(params, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
			OSSL_PARAM_BLD_push_BN(params, OSSL_PKEY_PARAM_RSA_E, e) == 1,
		"parameters");
	made = OSSL_PARAM_BLD_to_param(params);
	need(EVP_PKEY_fromdata_init(ctx) == 1 && EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, made) == 1,
		"RSA key");
	OSSL_PARAM_free(made);
	OSSL_PARAM_BLD_free(params);
	EVP_PKEY_CTX_free(ctx);
	BN_free(n);
	BN_free(e);
	return key;
}

static void set_subject(X509 *cert, const char *subject)
{
	X509_NAME *name = X509_get_subject_name(cert);
	char *copy = strdup(subject ? subject : "CN=test");
	char *rest = NULL;

	need(copy != NULL, "strdup");
	for (char *part = strtok_r(copy, ",", &rest); part; part = strtok_r(NULL, ",", &rest)) {
		char *value = strchr(part, '=');

		need(value != NULL, subject);
		*value++ = '\0';
		need(X509_NAME_add_entry_by_txt(
			     name, part, MBSTRING_UTF8, (unsigned char *)value, -1, -1, 0) == 1,
			part);
	}
	free(copy);
}

static void set_dates(X509 *cert, const struct pki_spec *spec)
{
	time_t now = time(NULL);
	time_t from = spec->not_before ? spec->not_before : now - HOUR;
	time_t until = spec->not_after ? spec->not_after : now + TEN_YEARS;

	need(ASN1_TIME_adj(X509_getm_notBefore(cert), from, 0, 0) != NULL, "notBefore");
	need(ASN1_TIME_adj(X509_getm_notAfter(cert), until, 0, 0) != NULL, "notAfter");
}

static void set_number(ASN1_INTEGER *to)
{
	uint8_t octets[12];
	BIGNUM *bn;

	need(RAND_bytes(octets, sizeof(octets)) == 1, "random");
	octets[0] = (octets[0] & 0x7f) | 0x40;
	bn = BN_bin2bn(octets, sizeof(octets), NULL);
	need(bn && BN_to_ASN1_INTEGER(bn, to), "serial number");
	BN_free(bn);
}

static void add(X509 *cert, X509V3_CTX *ctx, int nid, const char *value)
{
	X509_EXTENSION *ext;

	if (!value)
		return;
	ext = X509V3_EXT_conf_nid(NULL, ctx, nid, value);
	need(ext && X509_add_ext(cert, ext, -1) == 1, value);
	X509_EXTENSION_free(ext);
}

static void add_masa_url(X509 *cert, const char *url)
{
	ASN1_OBJECT *oid = OBJ_txt2obj("1.3.6.1.5.5.7.1.32", 1);
	ASN1_IA5STRING *text = ASN1_IA5STRING_new();
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *ext;
	uint8_t *der = NULL;
	int len;

	need(oid && text && value && ASN1_STRING_set(text, url, -1) == 1, url);
	len = i2d_ASN1_IA5STRING(text, &der);
	need(len > 0 && ASN1_OCTET_STRING_set(value, der, len) == 1, url);
	ext = X509_EXTENSION_create_by_OBJ(NULL, oid, 0, value);
	need(ext && X509_add_ext(cert, ext, -1) == 1, url);
	X509_EXTENSION_free(ext);
	OPENSSL_free(der);
	ASN1_OCTET_STRING_free(value);
	ASN1_IA5STRING_free(text);
	ASN1_OBJECT_free(oid);
}

/* HardwareModuleName ::= SEQUENCE { hwType OBJECT IDENTIFIER, hwSerialNum OCTET STRING } */
static ASN1_TYPE *hardware_module_name(const struct pki_spec *spec)
{
	ASN1_OBJECT *type = OBJ_txt2obj(spec->hw_type, 1);
	uint8_t content[128];
	uint8_t *at = content;
	ASN1_STRING *sequence = ASN1_STRING_type_new(V_ASN1_SEQUENCE);
	ASN1_TYPE *value = ASN1_TYPE_new();
	uint8_t *der = NULL;
	int len;

	need(type && sequence && value && spec->hw_serial.len <= 64 && i2d_ASN1_OBJECT(type, NULL) <= 60,
		"hwType");
	len = i2d_ASN1_OBJECT(type, &at);
	*at++ = V_ASN1_OCTET_STRING;
	*at++ = (uint8_t)spec->hw_serial.len;
	if (spec->hw_serial.len > 0)
		memcpy(at, spec->hw_serial.data, spec->hw_serial.len);
	len += 2 + (int)spec->hw_serial.len;
	need(len < 128, "hardwareModuleName is too long");
	der = OPENSSL_malloc((size_t)len + 2);
	need(der != NULL, "memory");
	der[0] = V_ASN1_SEQUENCE | V_ASN1_CONSTRUCTED;
	der[1] = (uint8_t)len;
	memcpy(der + 2, content, (size_t)len);
	ASN1_STRING_set0(sequence, der, len + 2);
	ASN1_TYPE_set(value, V_ASN1_SEQUENCE, sequence);
	ASN1_OBJECT_free(type);
	return value;
}

static void add_hardware_module(X509 *cert, const struct pki_spec *spec)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_OBJECT *oid = OBJ_txt2obj("1.3.6.1.5.5.7.8.4", 1); /* id-on-hardwareModuleName, RFC 4108 5 */

	need(names && name && oid &&
			GENERAL_NAME_set0_othername(name, oid, hardware_module_name(spec)) == 1 &&
			sk_GENERAL_NAME_push(names, name) > 0,
		"hardwareModuleName");
	need(X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, 0) == 1, "subjectAltName");
	GENERAL_NAMES_free(names);
}

static void add_extensions(X509 *cert, const struct pki_spec *spec, X509 *issuer)
{
	char constraints[64] = "critical,CA:TRUE";
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	if (spec->ca && spec->path_len > 0)
		snprintf(constraints, sizeof(constraints), "critical,CA:TRUE,pathlen:%d", spec->path_len - 1);
	add(cert, &ctx, NID_basic_constraints, spec->ca ? constraints : NULL);
	if (spec->key_usage)
		add(cert, &ctx, NID_key_usage, spec->key_usage);
	else
		add(cert, &ctx, NID_key_usage,
			spec->ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
	add(cert, &ctx, NID_ext_key_usage, spec->eku);
	if (spec->hw_type)
		add_hardware_module(cert, spec);
	else
		add(cert, &ctx, NID_subject_alt_name, spec->san);
	if (spec->masa_url)
		add_masa_url(cert, spec->masa_url);
	if (!spec->no_ski)
		add(cert, &ctx, NID_subject_key_identifier, "hash");
	if (!spec->no_aki && issuer != cert)
		add(cert, &ctx, NID_authority_key_identifier, "keyid");
}

static bool is_self_signed(X509 *cert)
{
	return X509_self_signed(cert, 0) == 1;
}

static STACK_OF(X509) *chain_above(const struct brski_credential *issuer)
{
	STACK_OF(X509) *chain = sk_X509_new_null();

	need(chain != NULL, "memory");
	if (!issuer || is_self_signed(issuer->cert))
		return chain;
	need(X509_add_cert(chain, issuer->cert, X509_ADD_FLAG_UP_REF) == 1, "chain");
	need(X509_add_certs(chain, issuer->chain, X509_ADD_FLAG_UP_REF) == 1, "chain");
	return chain;
}

static const EVP_MD *digest_for(const EVP_PKEY *key)
{
	return EVP_PKEY_is_a(key, "ED25519")   ? NULL
	       : EVP_PKEY_get_bits(key) == 384 ? EVP_sha384()
					       : EVP_sha256();
}

struct brski_credential pki_make(const struct pki_spec *spec, const struct brski_credential *issuer)
{
	struct brski_credential cred = {.key = spec->key, .cert = X509_new(), .chain = chain_above(issuer)};
	X509 *issuer_cert = issuer ? issuer->cert : cred.cert;
	EVP_PKEY *issuer_key;

	need(cred.cert && X509_set_version(cred.cert, X509_VERSION_3) == 1, "certificate");
	if (cred.key)
		EVP_PKEY_up_ref(cred.key);
	else
		cred.key = pki_key(spec->key_type);
	issuer_key = issuer ? issuer->key : cred.key;
	set_number(X509_get_serialNumber(cred.cert));
	set_subject(cred.cert, spec->subject);
	set_dates(cred.cert, spec);
	need(X509_set_pubkey(cred.cert, cred.key) == 1, "public key");
	need(X509_set_issuer_name(cred.cert, X509_get_subject_name(issuer_cert)) == 1, "issuer");
	if (!spec->no_extensions)
		add_extensions(cred.cert, spec, issuer_cert);
	need(X509_sign(cred.cert, issuer_key, digest_for(issuer_key)) > 0, "signature");
	return cred;
}

struct brski_credential pki_root(const char *subject)
{
	return pki_make(&(struct pki_spec){.subject = subject, .ca = true}, NULL);
}

struct brski_credential pki_ca(const char *subject, const struct brski_credential *issuer)
{
	return pki_make(&(struct pki_spec){.subject = subject, .ca = true}, issuer);
}

struct brski_credential pki_leaf(
	const char *subject, const char *key_type, const struct brski_credential *issuer)
{
	return pki_make(&(struct pki_spec){.subject = subject, .key_type = key_type}, issuer);
}

struct brski_credential pki_load(const char *folder, const char *name)
{
	struct brski_credential cred = {0};
	char path[256];

	need(snprintf(path, sizeof(path), "%s/%s.pem", folder, name) < (int)sizeof(path), name);
	need(brski_credential_load(path, NULL, path, &cred, NULL) == BRSKI_OK, path);
	return cred;
}

void pki_replace(struct brski_credential *cred, const char *folder, const char *name)
{
	pki_free(cred);
	*cred = pki_load(folder, name);
}

STACK_OF(X509) *pki_certs(const struct brski_credential *cred, const struct brski_credential *root)
{
	STACK_OF(X509) *certs = sk_X509_new_null();

	need(certs && X509_add_cert(certs, cred->cert, X509_ADD_FLAG_UP_REF) == 1, "leaf");
	need(X509_add_certs(certs, cred->chain, X509_ADD_FLAG_UP_REF) == 1, "chain");
	if (root)
		need(X509_add_cert(certs, root->cert, X509_ADD_FLAG_UP_REF) == 1, "root");
	return certs;
}

X509_CRL *pki_crl(const struct brski_credential *issuer, X509 *const *revoked, size_t n)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *now = ASN1_TIME_adj(NULL, time(NULL), 0, -HOUR);
	ASN1_TIME *next = ASN1_TIME_adj(NULL, time(NULL), 1, 0);

	need(crl && now && next && X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1, "CRL");
	need(X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer->cert)) == 1, "CRL's issuer");
	need(X509_CRL_set1_lastUpdate(crl, now) == 1 && X509_CRL_set1_nextUpdate(crl, next) == 1,
		"CRL's dates");
	for (size_t i = 0; i < n; i++) {
		X509_REVOKED *entry = X509_REVOKED_new();

		need(entry && X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(revoked[i])) == 1 &&
				X509_REVOKED_set_revocationDate(entry, now) == 1 &&
				X509_CRL_add0_revoked(crl, entry) == 1,
			"CRL's entry");
	}
	need(X509_CRL_sort(crl) == 1 && X509_CRL_sign(crl, issuer->key, digest_for(issuer->key)) > 0,
		"CRL's signature");
	ASN1_TIME_free(now);
	ASN1_TIME_free(next);
	return crl;
}

void pki_free(struct brski_credential *cred)
{
	EVP_PKEY_free(cred->key);
	X509_free(cred->cert);
	pki_free_certs(cred->chain);
	*cred = (struct brski_credential){0};
}

void pki_free_certs(STACK_OF(X509) *certs)
{
	sk_X509_pop_free(certs, X509_free);
}
