/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include <dlfcn.h>
#include <openssl/core_names.h>

#include "eap_brski/pki/cert.h"
#include "eap_brski/pki/limits.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/pki.h"

/* Which certificates and keys of others are taken, and how many signatures are looked at. */

static struct brski_error err;
static unsigned n_verified;

/* In place of OpenSSL's own, which it calls: the count is what matters here. */
int X509_verify(X509 *cert, EVP_PKEY *key)
{
	int (*real)(X509 *, EVP_PKEY *);

	*(void **)&real = dlsym(RTLD_NEXT, "X509_verify");
	n_verified++;
	return real(cert, key);
}

/* As it comes: out of a certificate's octets, and not as it was made. */
static enum brski_code check(EVP_PKEY *made)
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(made, &der);
	const unsigned char *at = der;
	EVP_PKEY *came = d2i_PUBKEY(NULL, &at, len);
	enum brski_code code;

	ck_assert_ptr_nonnull(came);
	code = brski_key_check(came, &err);
	EVP_PKEY_free(came);
	OPENSSL_free(der);
	EVP_PKEY_free(made);
	return code;
}

static EVP_PKEY *rsa_pss(void)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
	EVP_PKEY *key = NULL;

	ck_assert_int_eq(EVP_PKEY_keygen_init(ctx), 1);
	ck_assert_int_eq(EVP_PKEY_generate(ctx, &key), 1);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

START_TEST(rsa_keys)
{
	EXPECT(BRSKI_OK, check(pki_public_rsa(2048, 17)));
	EXPECT(BRSKI_OK, check(pki_public_rsa(8192, 64)));
	EXPECT(BRSKI_OK, check(pki_public_rsa(3072, 2)));
	EXPECT_WHY(BRSKI_UNSUPPORTED, "2047 bits is weak", check(pki_public_rsa(2047, 17)));
	EXPECT_WHY(BRSKI_UNSUPPORTED, "8193 bits: 2048 to 8192", check(pki_public_rsa(8193, 17)));
	EXPECT_WHY(BRSKI_UNSUPPORTED, "exponent of 65 bits, 64", check(pki_public_rsa(2048, 65)));
	EXPECT_WHY(BRSKI_UNSUPPORTED, "exponent of 3072 bits", check(pki_public_rsa(3072, 3072)));
	EXPECT_WHY(BRSKI_UNSUPPORTED, "that is none", check(pki_public_rsa(2048, 1)));
	EXPECT(BRSKI_OK, check(rsa_pss()));
}
END_TEST

START_TEST(curves)
{
	static const char *const taken[] = {
		"P-224", "P-256", "P-384", "P-521", "brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1"};
	static const char *const refused[] = {"P-192", "secp256k1", "sect571r1", "brainpoolP320t1", "SM2"};

	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		EXPECT(BRSKI_OK, check(EVP_EC_gen(taken[i])));
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		EXPECT(BRSKI_UNSUPPORTED, check(EVP_EC_gen(refused[i])));
	EXPECT_WHY(BRSKI_UNSUPPORTED, "sect571r1: P-224", check(EVP_EC_gen("sect571r1")));
}
END_TEST

/* RFC 5480 2.1.1: "specifiedCurve [...] MUST NOT be used", not even for a curve that has a name */
START_TEST(explicit_curves)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	ck_assert_int_eq(EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING, "explicit"), 1);
	EXPECT_WHY(BRSKI_UNSUPPORTED, "explicit parameters", check(key));
}
END_TEST

START_TEST(other_kinds)
{
	EXPECT(BRSKI_OK, check(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")));
	EXPECT(BRSKI_OK, check(EVP_PKEY_Q_keygen(NULL, NULL, "ED448")));
	EXPECT_WHY(BRSKI_UNSUPPORTED, "X25519", check(EVP_PKEY_Q_keygen(NULL, NULL, "X25519")));
}
END_TEST

START_TEST(certificates_of_a_message)
{
	struct brski_credential root = pki_root("CN=Root");
	EVP_PKEY *costly = pki_public_rsa(3072, 3072);
	struct brski_credential odd =
		pki_make(&(struct pki_spec){.subject = "CN=Costly", .key = costly}, &root);
	STACK_OF(X509) *certs = sk_X509_new_null();

	EXPECT(BRSKI_OK, brski_peer_certs_check(NULL, &err));
	for (int i = 0; i < BRSKI_PEER_CERTS_MAX; i++)
		sk_X509_push(certs, root.cert);
	EXPECT(BRSKI_OK, brski_peer_certs_check(certs, &err));
	sk_X509_push(certs, root.cert);
	EXPECT_WHY(BRSKI_TOO_LARGE, "11 certificates", brski_peer_certs_check(certs, &err));
	EXPECT(BRSKI_OK, brski_certs_check_keys(certs, &err)); /* anchors may be many */
	sk_X509_pop(certs);
	sk_X509_set(certs, BRSKI_PEER_CERTS_MAX - 1, odd.cert);
	EXPECT_WHY(BRSKI_UNSUPPORTED, "certificate CN=Costly: RSA key", brski_peer_certs_check(certs, &err));
	/* whoever verifies a path asks too */
	n_verified = 0;
	EXPECT_WHY(
		BRSKI_UNTRUSTED, "CN=Costly", brski_chain_verify(certs, certs, NULL, BRSKI_USE_ANY, 0, &err));
	sk_X509_free(certs);
	pki_free(&odd);
	pki_free(&root);
	EVP_PKEY_free(costly);
}
END_TEST

/* Twelve that could have issued it by their names: ten are tried. */
START_TEST(issuers_of_one_name)
{
	const struct pki_spec spec = {.subject = "CN=Issuer", .ca = true, .no_ski = true};
	struct brski_credential issuer[12], leaf;
	STACK_OF(X509) *certs = sk_X509_new_null();
	unsigned tries = BRSKI_SIGNATURE_TRIES_MAX;
	X509 *found;

	for (int i = 0; i < 12; i++) {
		issuer[i] = pki_make(&spec, NULL);
		sk_X509_push(certs, issuer[i].cert);
	}
	leaf = pki_make(&(struct pki_spec){.no_aki = true}, &issuer[9]);
	n_verified = 0;
	EXPECT(BRSKI_OK, brski_cert_issuer(certs, leaf.cert, &tries, &found, &err));
	ck_assert_ptr_eq(found, issuer[9].cert);
	ck_assert_uint_eq(tries, 0);
	ck_assert_uint_eq(n_verified, 10);
	EXPECT_WHY(
		BRSKI_TOO_LARGE, "10 signatures", brski_cert_issuer(certs, leaf.cert, &tries, &found, &err));
	ck_assert_ptr_null(found);
	ck_assert_uint_eq(n_verified, 10);
	pki_free(&leaf);
	leaf = pki_leaf("CN=Other", "P-256", NULL);
	EXPECT(BRSKI_NOT_FOUND, brski_cert_issuer(certs, leaf.cert, &tries, &found, &err));
	pki_free(&leaf);
	sk_X509_free(certs);
	for (int i = 0; i < 12; i++)
		pki_free(&issuer[i]);
}
END_TEST

/* What an administrator gives is told at once, and by its file. */
START_TEST(files)
{
	struct brski_credential root = pki_root("CN=Root"), odd;
	EVP_PKEY *costly = pki_public_rsa(16384, 17);
	STACK_OF(X509) *certs;
	char folder[64], path[96];

	odd = pki_make(&(struct pki_spec){.subject = "CN=Costly", .key = costly}, &root);
	certs = pki_certs(&odd, NULL);
	temp_make(folder);
	snprintf(path, sizeof(path), "%s/ca.pem", folder);
	file_write_certs(path, certs);
	pki_free_certs(certs);
	EXPECT_WHY(
		BRSKI_UNSUPPORTED, "CN=Costly: RSA key of 16384 bits", brski_certs_load(path, &certs, &err));
	ck_assert_ptr_nonnull(strstr(err.why, "ca.pem"));
	ck_assert_ptr_null(certs);
	temp_remove(folder);
	pki_free(&odd);
	pki_free(&root);
	EVP_PKEY_free(costly);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {rsa_keys, curves, explicit_curves, other_kinds,
		certificates_of_a_message, issuers_of_one_name, files};

	return run_tests("limits", NULL, NULL, tests, sizeof(tests) / sizeof(tests[0]));
}
