/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>

#include "eap_brski/est/est.h"
#include "eap_brski/ground/base64.h"
#include "eap_brski/pki/cert.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/mutate.h"
#include "tests/unit/support/pki.h"

/* Bodies and certs-only messages of EST, also against the openssl program, and damaged. */

static struct brski_error err;
static struct brski_credential root, ca, leaf;
static struct brski_buf out;
static STACK_OF(X509) *read_certs;
static char folder[64];

static void setup(void)
{
	root = pki_root("CN=Root");
	ca = pki_ca("CN=CA", &root);
	leaf = pki_leaf("CN=Gadget", "P-256", &ca);
	temp_make(folder);
}

static void teardown(void)
{
	brski_buf_free(&out);
	pki_free_certs(read_certs);
	pki_free(&leaf);
	pki_free(&ca);
	pki_free(&root);
	temp_remove(folder);
}

/* ---- bodies ---- */

static enum brski_code read_text(const char *text, size_t max)
{
	return brski_est_body_read(brski_span_str(text), max, &out, &err);
}

static bool is_out(const char *text)
{
	return brski_span_equal(brski_buf_span(&out), brski_span_str(text));
}

/* RFC 8951 3.1: white space SHOULD be tolerated. */
START_TEST(bodies_are_read)
{
	static const char *const texts[] = {
		"Zm9vYmE=", "Zm9v\r\nYmE=\r\n", "\n\t Z m9vYm\tE\n=\n", "Zm9vYmE=\n"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		EXPECT(BRSKI_OK, read_text(texts[i], 5));
		ck_assert_msg(is_out("fooba"), "%s", texts[i]);
	}
	EXPECT(BRSKI_OK, read_text("Zm9vYmFy", 6));
	ck_assert(is_out("foobar"));
}
END_TEST

START_TEST(bodies_that_are_none)
{
	static const struct {
		const char *text, *words;
	} odd[] = {
		{"", "empty"},
		{" \r\n\t ", "empty"},
		{"-----BEGIN CERTIFICATE REQUEST-----\nZm9vYmE=\n-----END CERTIFICATE REQUEST-----\n", "PEM"},
		{"Zm9vYmE", "not base64"}, /* RFC 4648 3.2: padding */
		{"Zm9vYmE==", "not base64"},
		{"Zm9vYmF=", "not base64"}, /* 3.5: bits left over */
		{"Zm9v=YmE", "not base64"},
		{"Zm-_", "not base64"}, /* 5 is another alphabet */
		{"Zm9v\vYmE=", "not base64"},
		{"Zm9v\xc2\xa0YmE=", "not base64"},
		{"0\x82\x01\x02", "not base64"},
	};

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		EXPECT(BRSKI_OK, read_text("Zm9v", 3));
		EXPECT_WHY(BRSKI_MALFORMED, odd[i].words, read_text(odd[i].text, 100));
		ck_assert_uint_eq(out.len, 0);
	}
	EXPECT_WHY(BRSKI_MALFORMED, "not base64",
		brski_est_body_read(brski_span("Zm9v\0YmE=", 9), 100, &out, &err));
}
END_TEST

START_TEST(bodies_are_bounded)
{
	struct brski_buf text = {0};

	EXPECT(BRSKI_OK, read_text("Zm9v", 3));
	EXPECT(BRSKI_OK, read_text("Zm9vYmE=", 5));
	EXPECT_WHY(BRSKI_TOO_LARGE, "4 octets", read_text("Zm9vYmE=", 4));
	ck_assert_uint_eq(out.len, 0);
	EXPECT_WHY(BRSKI_TOO_LARGE, "3 octets", read_text("Zm9vYmE=", 3));
	EXPECT(BRSKI_OK, read_text("Zm9v    ", 3));
	EXPECT(BRSKI_TOO_LARGE, read_text("Zm9v     ", 3));
	for (size_t i = 0; i < BRSKI_EST_PKCS10_MAX; i++)
		brski_put_u8(&out, (uint8_t)i);
	EXPECT(BRSKI_OK, brski_base64_encode(brski_buf_span(&out), &text));
	EXPECT(BRSKI_OK, brski_est_body_read(brski_buf_span(&text), BRSKI_EST_PKCS10_MAX, &out, &err));
	ck_assert_uint_eq(out.len, BRSKI_EST_PKCS10_MAX);
	brski_put_str(&text, "AAAA");
	EXPECT(BRSKI_TOO_LARGE, brski_est_body_read(brski_buf_span(&text), BRSKI_EST_PKCS10_MAX, &out, &err));
	brski_buf_free(&text);
}
END_TEST

/* As clients in the field want it: without white space, and with padding. */
START_TEST(bodies_are_written)
{
	struct brski_buf der = {0};

	EXPECT(BRSKI_OK, brski_est_body_write(brski_span_str("fooba"), &out, &err));
	ck_assert(is_out("Zm9vYmE="));
	for (unsigned i = 0; i < 1000; i++)
		brski_put_u8(&der, (uint8_t)i);
	EXPECT(BRSKI_OK, brski_est_body_write(brski_buf_span(&der), &out, &err));
	ck_assert_uint_eq(out.len, 1336);
	for (size_t i = 0; i < out.len; i++)
		ck_assert(out.data[i] > ' ' && out.data[i] < 0x7f);
	brski_buf_free(&der);
}
END_TEST

/* Whatever is read is of the given length at most, and is written as the same digits. */
static void read_and_written(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	struct brski_buf again = {0};

	(void)ctx;
	if (brski_est_body_read(damaged, 60, &out, &err) != BRSKI_OK) {
		ck_assert_uint_eq(out.len, 0);
		return;
	}
	ck_assert_msg(out.len > 0 && out.len <= 60, "%s at %zu", how->kind, how->at);
	EXPECT(BRSKI_OK, brski_est_body_write(brski_buf_span(&out), &again, &err));
	for (size_t i = 0, j = 0; i < damaged.len; i++) {
		if (strchr("\r\n\t ", damaged.data[i]) && damaged.data[i] != '\0')
			continue;
		ck_assert_msg(
			j < again.len && again.data[j++] == damaged.data[i], "%s at %zu", how->kind, how->at);
	}
	brski_buf_free(&again);
}

START_TEST(damaged_bodies)
{
	static const char text[] =
		"MEEGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcG\r\n BSuBBAAiMBYGCSqGSIb3DQEJDjE=\r\n";

	mutate_all(brski_span_str(text), read_and_written, NULL);
}
END_TEST

/* ---- certs-only ---- */

static void write_certs(X509 *one, X509 *two)
{
	STACK_OF(X509) *certs = sk_X509_new_null();

	sk_X509_push(certs, one);
	if (two)
		sk_X509_push(certs, two);
	EXPECT(BRSKI_OK, brski_est_certs_write(certs, &out, &err));
	sk_X509_free(certs);
}

static enum brski_code read_out(void)
{
	pki_free_certs(read_certs);
	return brski_est_certs_read(brski_buf_span(&out), &read_certs, &err);
}

static bool is_read(const X509 *cert)
{
	return brski_certs_have(read_certs, cert);
}

START_TEST(certs_there_and_back)
{
	write_certs(leaf.cert, NULL);
	EXPECT(BRSKI_OK, read_out());
	ck_assert_int_eq(sk_X509_num(read_certs), 1);
	ck_assert(is_read(leaf.cert));
	write_certs(ca.cert, root.cert);
	EXPECT(BRSKI_OK, read_out());
	ck_assert_int_eq(sk_X509_num(read_certs), 2);
	ck_assert(is_read(ca.cert) && is_read(root.cert));
	write_certs(ca.cert, ca.cert);
	EXPECT(BRSKI_OK, read_out());
	ck_assert_int_eq(sk_X509_num(read_certs), 1);
}
END_TEST

static void openssl_made(const char *options)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/p7", folder);
	ck_assert_int_eq(run("cd %s && openssl crl2pkcs7 %s -outform DER -out p7", folder, options), 0);
	brski_buf_free(&out);
	out = file_read(path);
}

static void file_of_certs(const char *name, X509 *one, X509 *two)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	char path[96];

	sk_X509_push(certs, one);
	if (two)
		sk_X509_push(certs, two);
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file_write_certs(path, certs);
	sk_X509_free(certs);
}

static void files_of_certs(void)
{
	file_of_certs("leaf.pem", leaf.cert, NULL);
	file_of_certs("more.pem", ca.cert, root.cert);
}

START_TEST(certs_of_openssl)
{
	files_of_certs();
	openssl_made("-nocrl -certfile leaf.pem");
	EXPECT(BRSKI_OK, read_out());
	ck_assert_int_eq(sk_X509_num(read_certs), 1);
	ck_assert(is_read(leaf.cert));
	openssl_made("-nocrl -certfile more.pem -certfile leaf.pem");
	EXPECT(BRSKI_OK, read_out());
	ck_assert_int_eq(sk_X509_num(read_certs), 3);
	ck_assert(is_read(leaf.cert) && is_read(ca.cert) && is_read(root.cert));
}
END_TEST

/* openssl prints the certificates of ours, and finds in it what its own message has. */
START_TEST(certs_for_openssl)
{
	struct brski_buf theirs = {0};
	char path[96];

	files_of_certs();
	write_certs(leaf.cert, NULL);
	snprintf(path, sizeof(path), "%s/ours", folder);
	file_write(path, brski_buf_span(&out));
	ck_assert_int_eq(run("cd %s && openssl pkcs7 -inform DER -in ours -print_certs -out printed && "
			     "openssl x509 -in printed -out again && cmp again leaf.pem",
				 folder),
		0);
	brski_buf_move(&theirs, &out);
	openssl_made("-nocrl -certfile leaf.pem");
	ck_assert(brski_span_equal(brski_buf_span(&out), brski_buf_span(&theirs)));
	brski_buf_free(&theirs);
}
END_TEST

/* RFC 5272 4.1: CRLs may be with it. */
START_TEST(certs_with_a_crl)
{
	X509_CRL *crl = pki_crl(&ca, &leaf.cert, 1);
	char path[96];
	FILE *file;

	files_of_certs();
	snprintf(path, sizeof(path), "%s/crl.pem", folder);
	file = fopen(path, "w");
	ck_assert(file && PEM_write_X509_CRL(file, crl) == 1 && fclose(file) == 0);
	X509_CRL_free(crl);
	openssl_made("-in crl.pem -certfile leaf.pem");
	EXPECT(BRSKI_OK, read_out());
	ck_assert_int_eq(sk_X509_num(read_certs), 1);
	openssl_made("-in crl.pem");
	EXPECT_WHY(BRSKI_MALFORMED, "no certificate", read_out());
	ck_assert_ptr_null(read_certs);
}
END_TEST

static void signed_by_openssl(const char *options)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/p7", folder);
	ck_assert_int_eq(
		run("cd %s && echo x > text && openssl cms -sign -in text -signer leaf.pem -inkey key.pem "
		    "-outform DER -out p7 %s",
			folder, options),
		0);
	brski_buf_free(&out);
	out = file_read(path);
}

START_TEST(messages_that_are_not_certs_only)
{
	char path[96];
	FILE *file;

	files_of_certs();
	snprintf(path, sizeof(path), "%s/key.pem", folder);
	file = fopen(path, "w");
	ck_assert(file && PEM_write_PrivateKey(file, leaf.key, NULL, NULL, 0, NULL, NULL) == 1 &&
		  fclose(file) == 0);
	signed_by_openssl("-nodetach");
	EXPECT_WHY(BRSKI_MALFORMED, "signer", read_out());
	signed_by_openssl("");
	EXPECT_WHY(BRSKI_MALFORMED, "signer", read_out());
	snprintf(path, sizeof(path), "%s/p7", folder);
	ck_assert_int_eq(
		run("cd %s && openssl cms -encrypt -aes128 -in text -outform DER -out p7 leaf.pem", folder),
		0);
	brski_buf_free(&out);
	out = file_read(path);
	EXPECT_WHY(BRSKI_MALFORMED, "SignedData", read_out());
	write_certs(leaf.cert, NULL);
	brski_put_u8(&out, 0);
	EXPECT_WHY(BRSKI_MALFORMED, "after its end", read_out());
	brski_buf_reset(&out);
	EXPECT_WHY(BRSKI_MALFORMED, "does not parse", read_out());
}
END_TEST

/* Content that nobody has signed. */
START_TEST(content_is_refused)
{
	PKCS7 *p7 = PKCS7_new();
	unsigned char *der = NULL;
	int len;

	ck_assert(PKCS7_set_type(p7, NID_pkcs7_signed) == 1 && PKCS7_content_new(p7, NID_pkcs7_data) == 1 &&
		  PKCS7_add_certificate(p7, leaf.cert) == 1);
	ASN1_OCTET_STRING_set(p7->d.sign->contents->d.data, (const unsigned char *)"x", 1);
	len = i2d_PKCS7(p7, &der);
	brski_put(&out, brski_span(der, (size_t)len));
	OPENSSL_free(der);
	PKCS7_free(p7);
	EXPECT_WHY(BRSKI_MALFORMED, "content", read_out());
}
END_TEST

START_TEST(certs_are_bounded)
{
	struct brski_credential one[BRSKI_EST_CERTS_MAX + 1];
	STACK_OF(X509) *certs = sk_X509_new_null();
	struct brski_buf large = {0};

	for (int i = 0; i <= BRSKI_EST_CERTS_MAX; i++)
		one[i] = pki_make(&(struct pki_spec){.key = leaf.key}, NULL);
	for (int i = 0; i < BRSKI_EST_CERTS_MAX; i++)
		sk_X509_push(certs, one[i].cert);
	EXPECT(BRSKI_OK, brski_est_certs_write(certs, &out, &err));
	EXPECT(BRSKI_OK, read_out());
	ck_assert_int_eq(sk_X509_num(read_certs), BRSKI_EST_CERTS_MAX);
	sk_X509_push(certs, one[BRSKI_EST_CERTS_MAX].cert);
	EXPECT_WHY(BRSKI_TOO_LARGE, "17 certificates", brski_est_certs_write(certs, &out, &err));
	ck_assert_uint_eq(out.len, 0);
	sk_X509_free(certs);
	for (int i = 0; i <= BRSKI_EST_CERTS_MAX; i++)
		pki_free(&one[i]);
	EXPECT(BRSKI_INTERNAL, brski_est_certs_write(NULL, &out, &err));
	files_of_certs();
	ck_assert_int_eq(
		run("cd %s && for i in 1 2 3 4 5 6 7 8 9; do cat more.pem; done > many.pem", folder), 0);
	openssl_made("-nocrl -certfile many.pem");
	EXPECT_WHY(BRSKI_TOO_LARGE, "18 certificates", read_out());
	ck_assert_ptr_null(read_certs);
	for (int i = 0; i <= BRSKI_EST_CERTS_DER_MAX; i++)
		brski_put_u8(&large, 0x30);
	EXPECT_WHY(BRSKI_TOO_LARGE, "65537 octets",
		brski_est_certs_read(brski_buf_span(&large), &read_certs, &err));
	brski_buf_free(&large);
}
END_TEST

/* A key that costs too much is known before a signature is looked at with it. */
START_TEST(keys_are_bounded)
{
	EVP_PKEY *costly = pki_public_rsa(16384, 17);
	struct brski_credential odd =
		pki_make(&(struct pki_spec){.subject = "CN=Costly", .key = costly}, &ca);

	write_certs(odd.cert, NULL);
	EXPECT_WHY(BRSKI_UNSUPPORTED, "CN=Costly", read_out());
	ck_assert_ptr_null(read_certs);
	pki_free(&odd);
	EVP_PKEY_free(costly);
}
END_TEST

/* What is read is something that can be written; else nothing comes out. */
static void certs_or_nothing(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	STACK_OF(X509) *certs;
	enum brski_code code = brski_est_certs_read(damaged, &certs, &err);

	(void)ctx;
	ck_assert_msg((code == BRSKI_OK) == (sk_X509_num(certs) > 0), "%s at %zu", how->kind, how->at);
	if (code == BRSKI_OK)
		EXPECT(BRSKI_OK, brski_est_certs_write(certs, &out, &err));
	pki_free_certs(certs);
}

static void refused(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	STACK_OF(X509) *certs;

	(void)ctx;
	ck_assert_msg(
		brski_est_certs_read(damaged, &certs, &err) != BRSKI_OK, "%s at %zu", how->kind, how->at);
	ck_assert_ptr_null(certs);
}

START_TEST(damaged_certs)
{
	struct brski_buf golden = {0};

	write_certs(leaf.cert, ca.cert);
	EXPECT(BRSKI_OK, brski_buf_set(&golden, brski_buf_span(&out)));
	mutate_truncations(brski_buf_span(&golden), refused, NULL);
	mutate_appended(brski_buf_span(&golden), refused, NULL);
	mutate_octets(brski_buf_span(&golden), certs_or_nothing, NULL);
	brski_buf_free(&golden);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {bodies_are_read, bodies_that_are_none, bodies_are_bounded,
		bodies_are_written, damaged_bodies, certs_there_and_back, certs_of_openssl, certs_for_openssl,
		certs_with_a_crl, messages_that_are_not_certs_only, content_is_refused, certs_are_bounded,
		keys_are_bounded, damaged_certs};

	return run_tests("est", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
