/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include <openssl/pem.h>

#include "eap_brski/pki/cert.h"
#include "eap_brski/pki/pem.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/pki.h"

/* PEM texts entry by entry, and what is said of one that is wrong. */

static struct brski_error err;
static struct brski_credential ca, other;
static struct brski_buf text;

static void setup(void)
{
	ca = pki_root("CN=One");
	other = pki_root("CN=Other");
}

static void teardown(void)
{
	pki_free(&ca);
	pki_free(&other);
	brski_buf_free(&text);
}

static void put_bio(BIO *bio)
{
	char *data;
	long len = BIO_get_mem_data(bio, &data);

	brski_put(&text, brski_span(data, (size_t)len));
	BIO_free(bio);
}

static void put_cert(const X509 *cert)
{
	BIO *bio = BIO_new(BIO_s_mem());

	ck_assert_int_eq(PEM_write_bio_X509(bio, cert), 1);
	put_bio(bio);
}

static void put_crl(const struct brski_credential *issuer)
{
	X509_CRL *crl = pki_crl(issuer, NULL, 0);
	BIO *bio = BIO_new(BIO_s_mem());

	ck_assert_int_eq(PEM_write_bio_X509_CRL(bio, crl), 1);
	X509_CRL_free(crl);
	put_bio(bio);
}

static enum brski_code read_crls(void)
{
	STACK_OF(X509_CRL) *crls;
	enum brski_code code = brski_crls_from_pem(brski_buf_span(&text), &crls, &err);

	ck_assert_int_eq(crls != NULL, code == BRSKI_OK);
	sk_X509_CRL_pop_free(crls, X509_CRL_free);
	return code;
}

static enum brski_code read_certs(void)
{
	STACK_OF(X509) *certs;
	enum brski_code code = brski_certs_from_pem(brski_buf_span(&text), &certs, &err);

	ck_assert_int_eq(certs != NULL, code == BRSKI_OK);
	sk_X509_pop_free(certs, X509_free);
	return code;
}

START_TEST(entries_of_other_kinds_count_and_are_passed_over)
{
	struct brski_pem pem;
	X509 *cert;

	brski_put_str(&text, "bag attributes\r\n");
	put_cert(ca.cert);
	put_crl(&ca);
	brski_put_str(&text, "-----BEGIN NOTHING-----\nfoo\n-----END NOTHING-----\n\n");
	put_cert(other.cert);
	brski_put_str(&text, "the end");
	brski_pem_begin(&pem, brski_buf_span(&text));
	EXPECT(BRSKI_OK, brski_pem_cert(&pem, &cert, &err));
	ck_assert(brski_cert_equal(cert, ca.cert));
	ck_assert_uint_eq(pem.entry, 1);
	ck_assert_uint_eq(pem.line, 2);
	X509_free(cert);
	EXPECT(BRSKI_OK, brski_pem_cert(&pem, &cert, &err));
	ck_assert(brski_cert_equal(cert, other.cert));
	ck_assert_uint_eq(pem.entry, 4);
	X509_free(cert);
	EXPECT(BRSKI_NOT_FOUND, brski_pem_cert(&pem, &cert, &err));
	ck_assert_ptr_null(cert);
	EXPECT(BRSKI_OK, read_crls());
}
END_TEST

START_TEST(one_that_is_wrong_is_named_and_the_walk_goes_on)
{
	struct brski_pem pem;
	X509 *cert;

	brski_put_str(&text, "\n\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
	brski_put_str(&text, "-----BEGIN CERTIFICATE-----\nAAAA\n"); /* the end is missing */
	put_cert(ca.cert);
	EXPECT_WHY(BRSKI_MALFORMED, "entry 1 (line 3)", read_certs());
	brski_pem_begin(&pem, brski_buf_span(&text));
	EXPECT_WHY(BRSKI_MALFORMED, "entry 1 (line 3)", brski_pem_cert(&pem, &cert, &err));
	ck_assert_ptr_null(cert);
	EXPECT_WHY(BRSKI_MALFORMED, "entry 2 (line 6)", brski_pem_cert(&pem, &cert, &err));
	EXPECT(BRSKI_OK, brski_pem_cert(&pem, &cert, &err));
	ck_assert(brski_cert_equal(cert, ca.cert));
	X509_free(cert);
	EXPECT(BRSKI_NOT_FOUND, brski_pem_cert(&pem, &cert, &err));
}
END_TEST

START_TEST(crls_are_whole)
{
	put_crl(&ca);
	EXPECT(BRSKI_OK, read_crls());
	brski_put_str(&text, "-----BEGIN X509 CRL-----\ngarbage!\n-----END X509 CRL-----\n");
	EXPECT_WHY(BRSKI_MALFORMED, "entry 2 (line ", read_crls());
	brski_buf_reset(&text);
	brski_put_str(&text, "-----BEGIN X509 CRL-----\n");
	EXPECT_WHY(BRSKI_MALFORMED, "entry 1 (line 1)", read_crls());
	brski_buf_reset(&text);
	put_cert(ca.cert);
	EXPECT_WHY(BRSKI_MALFORMED, "no CRL", read_crls());
	brski_buf_reset(&text);
	EXPECT_WHY(BRSKI_MALFORMED, "no CRL", read_crls());
	EXPECT_WHY(BRSKI_MALFORMED, "no certificate", read_certs());
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {entries_of_other_kinds_count_and_are_passed_over,
		one_that_is_wrong_is_named_and_the_walk_goes_on, crls_are_whole};

	return run_tests("pem", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
