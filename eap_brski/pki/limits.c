/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/pki/limits.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "eap_brski/pki/cert.h"

#define RSA_EXPONENT_BITS_MAX 64

static enum brski_code check_rsa(const EVP_PKEY *key, struct brski_error *err)
{
	int bits = EVP_PKEY_get_bits(key);
	BIGNUM *e = NULL;
	enum brski_code code = BRSKI_OK;

	if (bits < BRSKI_RSA_BITS_MIN)
		return brski_fail(err, BRSKI_UNSUPPORTED, "RSA key of %d bits is weak: %d to %d are taken",
			bits, BRSKI_RSA_BITS_MIN, BRSKI_RSA_BITS_MAX);
	if (bits > BRSKI_RSA_BITS_MAX)
		return brski_fail(err, BRSKI_UNSUPPORTED, "RSA key of %d bits: %d to %d are taken", bits,
			BRSKI_RSA_BITS_MIN, BRSKI_RSA_BITS_MAX);
	if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) != 1)
		return brski_fail_openssl(err, BRSKI_UNSUPPORTED, "RSA key without a public exponent");
	if (BN_num_bits(e) > RSA_EXPONENT_BITS_MAX)
		code = brski_fail(err, BRSKI_UNSUPPORTED,
			"RSA key with a public exponent of %d bits, %d are allowed", BN_num_bits(e),
			RSA_EXPONENT_BITS_MAX);
	else if (!BN_is_odd(e) || BN_is_one(e))
		code = brski_fail(err, BRSKI_UNSUPPORTED, "RSA key with a public exponent that is none");
	BN_free(e);
	return code;
}

static bool is_taken_curve(int nid)
{
	static const int taken[] = {NID_secp224r1, NID_X9_62_prime256v1, NID_secp384r1, NID_secp521r1,
		NID_brainpoolP256r1, NID_brainpoolP384r1, NID_brainpoolP512r1};

	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		if (taken[i] == nid)
			return true;
	}
	return false;
}

static enum brski_code check_ec(const EVP_PKEY *key, struct brski_error *err)
{
	char curve[64] = "";
	int is_explicit = 0;

	/* RFC 5480 2.1.1: specifiedCurve MUST NOT be used; it may also pose as a curve that has a name */
	if (EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &is_explicit) != 1 ||
		is_explicit) {
		ERR_clear_error();
		return brski_fail(err, BRSKI_UNSUPPORTED,
			"EC key with explicit parameters in place of a curve's name (RFC 5480 2.1.1)");
	}
	if (EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL) != 1)
		return brski_fail_openssl(err, BRSKI_UNSUPPORTED, "EC key on a curve without a name");
	if (is_taken_curve(OBJ_txt2nid(curve)))
		return BRSKI_OK;
	return brski_fail(err, BRSKI_UNSUPPORTED,
		"EC key on %s: P-224, P-256, P-384, P-521 and brainpoolP256r1, P384r1, P512r1 are taken",
		curve);
}

enum brski_code brski_key_check(const EVP_PKEY *key, struct brski_error *err)
{
	const char *kind;

	if (EVP_PKEY_is_a(key, "RSA") == 1 || EVP_PKEY_is_a(key, "RSA-PSS") == 1)
		return check_rsa(key, err);
	if (EVP_PKEY_is_a(key, "EC") == 1)
		return check_ec(key, err);
	if (EVP_PKEY_is_a(key, "ED25519") == 1 || EVP_PKEY_is_a(key, "ED448") == 1)
		return BRSKI_OK;
	kind = EVP_PKEY_get0_type_name(key);
	return brski_fail(
		err, BRSKI_UNSUPPORTED, "key of kind %s: RSA, EC and EdDSA are taken", kind ? kind : "?");
}

enum brski_code brski_certs_check_keys(const STACK_OF(X509) *certs, struct brski_error *err)
{
	enum brski_code code = BRSKI_OK;
	char name[160];

	for (int i = 0; code == BRSKI_OK && i < sk_X509_num(certs); i++) {
		X509 *cert = sk_X509_value(certs, i);
		const EVP_PKEY *key = X509_get0_pubkey(cert);

		if (key)
			code = brski_key_check(key, err);
		if (code != BRSKI_OK) {
			brski_name_text(X509_get_subject_name(cert), name, sizeof(name));
			code = brski_fail_context(err, code, "certificate %s", name);
		}
	}
	ERR_clear_error(); /* of keys that could not be read */
	return code;
}

enum brski_code brski_peer_certs_check(const STACK_OF(X509) *certs, struct brski_error *err)
{
	if (sk_X509_num(certs) > BRSKI_PEER_CERTS_MAX)
		return brski_fail(err, BRSKI_TOO_LARGE, "%d certificates in one message, %d are allowed",
			sk_X509_num(certs), BRSKI_PEER_CERTS_MAX);
	return brski_certs_check_keys(certs, err);
}

enum brski_code brski_signature_try(unsigned *tries, struct brski_error *err)
{
	if (*tries == 0)
		return brski_fail(err, BRSKI_TOO_LARGE,
			"more than %d signatures to try: too many certificates fit the same name",
			BRSKI_SIGNATURE_TRIES_MAX);
	(*tries)--;
	return BRSKI_OK;
}

enum brski_code brski_cert_issuer(
	const STACK_OF(X509) *certs, X509 *cert, unsigned *tries, X509 **out, struct brski_error *err)
{
	enum brski_code code = BRSKI_NOT_FOUND;

	*out = NULL;
	for (int i = 0; i < sk_X509_num(certs) && code == BRSKI_NOT_FOUND; i++) {
		X509 *issuer = sk_X509_value(certs, i);
		EVP_PKEY *key = X509_get0_pubkey(issuer);

		if (issuer == cert || !key || X509_check_issued(issuer, cert) != X509_V_OK)
			continue;
		code = brski_signature_try(tries, err);
		if (code == BRSKI_OK && X509_verify(cert, key) != 1)
			code = BRSKI_NOT_FOUND;
		if (code == BRSKI_OK)
			*out = issuer;
	}
	ERR_clear_error();
	return code == BRSKI_NOT_FOUND ? brski_fail(err, code, "no issuer among the certificates") : code;
}
