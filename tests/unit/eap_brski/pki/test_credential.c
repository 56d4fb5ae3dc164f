/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include <openssl/pem.h>

#include "eap_brski/pki/cert.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/mutate.h"
#include "tests/unit/support/pki.h"

static struct brski_error err;
static char folder[64];
static struct brski_credential root, ca, leaf;

static void setup(void)
{
	temp_make(folder);
	root = pki_root("CN=Root");
	ca = pki_ca("CN=Issuer", &root);
	leaf = pki_leaf("CN=Gadget", "P-256", &ca);
}

static void teardown(void)
{
	pki_free(&leaf);
	pki_free(&ca);
	pki_free(&root);
	temp_remove(folder);
}

static const char *path(const char *name)
{
	static char paths[4][96];
	static unsigned next;
	char *out = paths[next++ % 4];

	snprintf(out, sizeof(paths[0]), "%s/%s", folder, name);
	return out;
}

static void write_certs(const char *name, STACK_OF(X509) *certs)
{
	struct brski_buf pem = {0};

	EXPECT(BRSKI_OK, brski_certs_to_pem(certs, &pem, &err));
	file_write(path(name), brski_buf_span(&pem));
	brski_buf_free(&pem);
}

static void write_key(const char *name, const EVP_PKEY *key)
{
	struct brski_buf pem = {0};

	EXPECT(BRSKI_OK, brski_key_to_pem(key, &pem, &err));
	file_write(path(name), brski_buf_span(&pem));
	brski_buf_free(&pem);
}

static void write_encrypted_key(const char *name, const char *password)
{
	FILE *file = fopen(path(name), "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(PEM_write_PKCS8PrivateKey(file, leaf.key, EVP_aes_128_cbc(), password,
				 (int)strlen(password), NULL, NULL),
		1);
	fclose(file);
}

START_TEST(loads_key_certificate_and_chain)
{
	STACK_OF(X509) *certs = pki_certs(&leaf, &root);
	struct brski_credential got = {0};

	write_certs("cert.pem", certs);
	write_key("key.pem", leaf.key);
	EXPECT(BRSKI_OK, brski_credential_load(path("key.pem"), NULL, path("cert.pem"), &got, &err));
	ck_assert(brski_cert_equal(got.cert, leaf.cert));
	ck_assert(brski_cert_has_key(got.cert, got.key));
	ck_assert_int_eq(sk_X509_num(got.chain), 2);
	ck_assert(brski_cert_equal(sk_X509_value(got.chain, 0), ca.cert));
	ck_assert(brski_cert_equal(sk_X509_value(got.chain, 1), root.cert));
	brski_credential_free(&got);
	ck_assert_ptr_null(got.cert);
	pki_free_certs(certs);
}
END_TEST

START_TEST(key_of_another_certificate_is_refused)
{
	STACK_OF(X509) *certs = pki_certs(&leaf, NULL);
	struct brski_credential got = {.key = leaf.key};

	write_certs("cert.pem", certs);
	write_key("key.pem", ca.key);
	EXPECT_WHY(BRSKI_MISMATCH, "key.pem",
		brski_credential_load(path("key.pem"), NULL, path("cert.pem"), &got, &err));
	ck_assert_ptr_null(got.key);
	ck_assert_ptr_null(got.cert);
	ck_assert_ptr_null(got.chain);
	pki_free_certs(certs);
}
END_TEST

/* one file for both, in either order, as many tools write it */
START_TEST(key_and_certificate_in_one_file)
{
	STACK_OF(X509) *certs = pki_certs(&leaf, NULL);
	struct brski_buf key = {0}, cert = {0}, both = {0};
	struct brski_credential got;

	EXPECT(BRSKI_OK, brski_key_to_pem(leaf.key, &key, &err));
	EXPECT(BRSKI_OK, brski_certs_to_pem(certs, &cert, &err));
	brski_put(&both, brski_buf_span(_i == 0 ? &key : &cert));
	brski_put(&both, brski_buf_span(_i == 0 ? &cert : &key));
	file_write(path("both.pem"), brski_buf_span(&both));
	EXPECT(BRSKI_OK, brski_credential_load(path("both.pem"), NULL, path("both.pem"), &got, &err));
	ck_assert(brski_cert_equal(got.cert, leaf.cert));
	ck_assert_int_eq(sk_X509_num(got.chain), 1);
	brski_credential_free(&got);
	brski_buf_free(&key);
	brski_buf_free(&cert);
	brski_buf_free(&both);
	pki_free_certs(certs);
}
END_TEST

/* OpenSSL tells of a scheme that is not registered, and of a call: whoever reads it wants to know why. */
START_TEST(files_say_what_keeps_them_from_being_read)
{
	static const struct brski_credential_names names = {"--key", "--cert"};
	STACK_OF(X509) *certs = pki_certs(&leaf, NULL), *got_certs = NULL;
	struct brski_credential got;
	char uri[200];

	write_certs("cert.pem", certs);
	write_key("key.pem", leaf.key);
	EXPECT_WHY(BRSKI_NOT_FOUND, "--key: cannot open \"",
		brski_credential_load_as(&names, path("nothing.pem"), NULL, path("cert.pem"), &got, &err));
	EXPECT_WHY(BRSKI_NOT_FOUND, "--cert: cannot open \"",
		brski_credential_load_as(&names, path("key.pem"), NULL, path("nothing.pem"), &got, &err));
	EXPECT_WHY(BRSKI_NOT_FOUND, "--cert: no certificate in",
		brski_credential_load_as(&names, path("key.pem"), NULL, path("key.pem"), &got, &err));
	ck_assert_ptr_null(got.key);
	EXPECT_WHY(BRSKI_NOT_FOUND, "Is a directory", brski_certs_load(path("."), &got_certs, &err));
	EXPECT_WHY(
		BRSKI_NOT_FOUND, "Not a directory", brski_certs_load(path("cert.pem/x"), &got_certs, &err));
	snprintf(uri, sizeof(uri), "file:%s", path("nothing.pem"));
	EXPECT_WHY(BRSKI_NOT_FOUND, "No such file or directory", brski_certs_load(uri, &got_certs, &err));
	snprintf(uri, sizeof(uri), "file:%s", path("cert.pem"));
	EXPECT(BRSKI_OK, brski_certs_load(uri, &got_certs, &err));
	sk_X509_pop_free(got_certs, X509_free);
	snprintf(uri, sizeof(uri), "file://%s", path("cert.pem"));
	EXPECT(BRSKI_OK, brski_certs_load(uri, &got_certs, &err));
	sk_X509_pop_free(got_certs, X509_free);
	/* of a URI that names no file, OpenSSL knows more: 3.0 in these words, 3.5 in those */
	EXPECT(BRSKI_NOT_FOUND, brski_certs_load("nothing:at-all", &got_certs, &err));
	ck_assert_msg(strstr(err.why, "unregistered scheme") || strstr(err.why, "No store loader found"),
		"%s", err.why);
	pki_free_certs(certs);
}
END_TEST

START_TEST(missing_files_are_named)
{
	STACK_OF(X509) *certs = pki_certs(&leaf, NULL);
	struct brski_credential got;

	write_certs("cert.pem", certs);
	EXPECT_WHY(BRSKI_NOT_FOUND, "nothing.pem\": No such file or directory",
		brski_credential_load(path("nothing.pem"), NULL, path("cert.pem"), &got, &err));
	EXPECT_WHY(BRSKI_NOT_FOUND, "nothing.pem\": No such file or directory",
		brski_credential_load(path("cert.pem"), NULL, path("nothing.pem"), &got, &err));
	EXPECT_WHY(BRSKI_NOT_FOUND, "no private key",
		brski_credential_load(path("cert.pem"), NULL, path("cert.pem"), &got, &err));
	write_key("key.pem", leaf.key);
	EXPECT_WHY(BRSKI_NOT_FOUND, "no certificate",
		brski_credential_load(path("key.pem"), NULL, path("key.pem"), &got, &err));
	pki_free_certs(certs);
}
END_TEST

START_TEST(encrypted_key_needs_its_password)
{
	STACK_OF(X509) *certs = pki_certs(&leaf, NULL);
	struct brski_credential got;

	write_certs("cert.pem", certs);
	write_encrypted_key("key.pem", "hunter2");
	EXPECT(BRSKI_OK, brski_credential_load(path("key.pem"), "hunter2", path("cert.pem"), &got, &err));
	ck_assert(brski_cert_has_key(leaf.cert, got.key));
	brski_credential_free(&got);
	ck_assert_int_ne(
		BRSKI_OK, brski_credential_load(path("key.pem"), "hunter3", path("cert.pem"), &got, &err));
	ck_assert_ptr_null(strstr(err.why, "hunter"));
	/* without one nothing may be asked: with a terminal at hand this would hang */
	ck_assert_int_ne(
		BRSKI_OK, brski_credential_load(path("key.pem"), NULL, path("cert.pem"), &got, &err));
	pki_free_certs(certs);
}
END_TEST

START_TEST(broken_certificate_in_a_file_is_not_passed_over)
{
	STACK_OF(X509) *certs = pki_certs(&leaf, NULL), *got = NULL;
	struct brski_buf pem = {0};
	char *second;

	EXPECT(BRSKI_OK, brski_certs_to_pem(certs, &pem, &err));
	brski_put_u8(&pem, 0);
	second = strstr((char *)pem.data + 30, "-----BEGIN");
	ck_assert_ptr_nonnull(second);
	memcpy(second + 60, "!!!!", 4);
	file_write(path("certs.pem"), brski_span(pem.data, pem.len - 1));
	EXPECT(BRSKI_MALFORMED, brski_certs_load(path("certs.pem"), &got, &err));
	ck_assert_ptr_null(got);
	EXPECT(BRSKI_MALFORMED, brski_certs_from_pem(brski_span(pem.data, pem.len - 1), &got, &err));
	ck_assert_ptr_null(got);
	brski_buf_free(&pem);
	pki_free_certs(certs);
}
END_TEST

START_TEST(a_file_of_certificates_has_an_end)
{
	STACK_OF(X509) *many = sk_X509_new_null(), *got = NULL;

	for (int i = 0; i < BRSKI_CERTS_LOAD_MAX; i++)
		ck_assert_int_gt(sk_X509_push(many, ca.cert), 0);
	file_write_certs(path("certs.pem"), many);
	EXPECT(BRSKI_OK, brski_certs_load(path("certs.pem"), &got, &err));
	ck_assert_int_eq(sk_X509_num(got), BRSKI_CERTS_LOAD_MAX);
	pki_free_certs(got);
	ck_assert_int_gt(sk_X509_push(many, ca.cert), 0);
	file_write_certs(path("certs.pem"), many);
	EXPECT_WHY(BRSKI_TOO_LARGE, "more than 1024 certificates",
		brski_certs_load(path("certs.pem"), &got, &err));
	ck_assert_ptr_null(got);
	sk_X509_free(many);
}
END_TEST

START_TEST(a_certificate_stands_in_a_file_once)
{
	STACK_OF(X509) *certs = pki_certs(&leaf, &root);
	struct brski_credential got;

	write_key("key.pem", leaf.key);
	ck_assert_int_eq(X509_add_cert(certs, leaf.cert, X509_ADD_FLAG_UP_REF), 1);
	write_certs("cert.pem", certs);
	EXPECT_WHY(BRSKI_MALFORMED, "number 1 and 4 in",
		brski_credential_load(path("key.pem"), NULL, path("cert.pem"), &got, &err));
	ck_assert_ptr_null(got.cert);
	X509_free(sk_X509_pop(certs));
	ck_assert_int_eq(X509_add_cert(certs, root.cert, X509_ADD_FLAG_UP_REF), 1);
	write_certs("cert.pem", certs);
	EXPECT_WHY(BRSKI_MALFORMED, "number 3 and 4 in",
		brski_credential_load(path("key.pem"), NULL, path("cert.pem"), &got, &err));
	pki_free_certs(certs);
}
END_TEST

START_TEST(pem_goes_there_and_back)
{
	STACK_OF(X509) *certs = pki_certs(&leaf, &root), *got = NULL;
	struct brski_buf pem = {0};

	EXPECT(BRSKI_OK, brski_certs_to_pem(certs, &pem, &err));
	EXPECT(BRSKI_OK, brski_certs_from_pem(brski_buf_span(&pem), &got, &err));
	ck_assert_int_eq(sk_X509_num(got), 3);
	for (int i = 0; i < 3; i++)
		ck_assert(brski_cert_equal(sk_X509_value(got, i), sk_X509_value(certs, i)));
	pki_free_certs(got);
	brski_buf_free(&pem);
	EXPECT_WHY(
		BRSKI_MALFORMED, "no certificate", brski_certs_from_pem(brski_span_str("hello"), &got, &err));
	EXPECT(BRSKI_MALFORMED, brski_certs_from_pem(brski_span(NULL, 0), &got, &err));
	pki_free_certs(certs);
}
END_TEST

START_TEST(der_has_no_tail)
{
	struct brski_buf der = {0}, again = {0};
	X509 *cert = NULL;

	EXPECT(BRSKI_OK, brski_cert_to_der(leaf.cert, &der, &err));
	EXPECT(BRSKI_OK, brski_cert_from_der(brski_buf_span(&der), &cert, &err));
	EXPECT(BRSKI_OK, brski_cert_to_der(cert, &again, &err));
	ck_assert(brski_span_equal(brski_buf_span(&der), brski_buf_span(&again)));
	X509_free(cert);
	brski_put_u8(&der, 0);
	EXPECT_WHY(BRSKI_MALFORMED, "after the end", brski_cert_from_der(brski_buf_span(&der), &cert, &err));
	ck_assert_ptr_null(cert);
	brski_buf_free(&der);
	brski_buf_free(&again);
}
END_TEST

static void damaged_certificate(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	X509 *cert = NULL;

	/* a signature breaks, or the parser refuses; OpenSSL takes more than one form of some lengths */
	if (brski_cert_from_der(damaged, &cert, &err) == BRSKI_OK && X509_verify(cert, ctx) == 1)
		ck_assert_msg(brski_cert_equal(cert, leaf.cert), "%s at %zu: genuine?", how->kind, how->at);
	X509_free(cert);
}

START_TEST(damaged_certificates_are_not_genuine)
{
	struct brski_buf der = {0};

	EXPECT(BRSKI_OK, brski_cert_to_der(leaf.cert, &der, &err));
	mutate_truncations(brski_buf_span(&der), damaged_certificate, ca.key);
	mutate_octets_once(brski_buf_span(&der), damaged_certificate, ca.key);
	mutate_appended(brski_buf_span(&der), damaged_certificate, ca.key);
	brski_buf_free(&der);
}
END_TEST

START_TEST(makes_keys_of_each_type)
{
	static const struct {
		const char *name;
		enum brski_key_type type;
		int bits;
	} types[] = {{"P-256", BRSKI_KEY_P256, 256}, {"P-384", BRSKI_KEY_P384, 384},
		{"RSA-3072", BRSKI_KEY_RSA3072, 3072}};
	enum brski_key_type type = types[_i].type;
	struct brski_buf pem = {0};
	EVP_PKEY *key, *again;

	EXPECT(BRSKI_OK, brski_key_type_parse(types[_i].name, &type, &err));
	ck_assert_int_eq(type, types[_i].type);
	EXPECT(BRSKI_OK, brski_key_generate(type, &key, &err));
	ck_assert_int_eq(EVP_PKEY_get_bits(key), types[_i].bits);
	EXPECT(BRSKI_OK, brski_key_to_pem(key, &pem, &err));
	ck_assert_int_eq(memcmp(pem.data, "-----BEGIN PRIVATE KEY-----", 27), 0);
	EXPECT(BRSKI_OK, brski_key_from_pem(brski_buf_span(&pem), &again, &err));
	ck_assert_int_eq(EVP_PKEY_eq(key, again), 1);
	brski_buf_free(&pem);
	EVP_PKEY_free(key);
	EVP_PKEY_free(again);
}
END_TEST

START_TEST(unknown_key_types_and_broken_keys)
{
	enum brski_key_type type;
	EVP_PKEY *key = leaf.key;

	EXPECT_WHY(BRSKI_UNSUPPORTED, "DSA-512", brski_key_type_parse("DSA-512", &type, &err));
	EXPECT(BRSKI_UNSUPPORTED, brski_key_type_parse("", &type, &err));
	EXPECT(BRSKI_MALFORMED,
		brski_key_from_pem(brski_span_str("-----BEGIN PRIVATE KEY-----\n"), &key, &err));
	ck_assert_ptr_null(key);
	write_encrypted_key("key.pem", "hunter2");
	struct brski_buf pem = file_read(path("key.pem"));
	EXPECT(BRSKI_MALFORMED, brski_key_from_pem(brski_buf_span(&pem), &key, &err));
	brski_buf_free(&pem);
}
END_TEST

START_TEST(a_copy_outlives_the_original)
{
	struct brski_credential copy, from = pki_leaf("CN=Other", "P-256", &ca);

	EXPECT(BRSKI_OK, brski_credential_copy(&copy, &from, &err));
	brski_credential_free(&from);
	ck_assert(brski_cert_has_key(copy.cert, copy.key));
	ck_assert_int_eq(sk_X509_num(copy.chain), 1);
	brski_credential_free(&copy);
	EXPECT(BRSKI_OK, brski_credential_copy(&copy, &from, &err)); /* none is copied as none */
	ck_assert_ptr_null(copy.cert);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("credential");
	TCase *tc = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, loads_key_certificate_and_chain);
	tcase_add_test(tc, key_of_another_certificate_is_refused);
	tcase_add_loop_test(tc, key_and_certificate_in_one_file, 0, 2);
	tcase_add_test(tc, missing_files_are_named);
	tcase_add_test(tc, files_say_what_keeps_them_from_being_read);
	tcase_add_test(tc, encrypted_key_needs_its_password);
	tcase_add_test(tc, broken_certificate_in_a_file_is_not_passed_over);
	tcase_add_test(tc, a_file_of_certificates_has_an_end);
	tcase_add_test(tc, a_certificate_stands_in_a_file_once);
	tcase_add_test(tc, pem_goes_there_and_back);
	tcase_add_test(tc, der_has_no_tail);
	tcase_add_test(tc, damaged_certificates_are_not_genuine);
	tcase_add_loop_test(tc, makes_keys_of_each_type, 0, 3);
	tcase_add_test(tc, unknown_key_types_and_broken_keys);
	tcase_add_test(tc, a_copy_outlives_the_original);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
