/* SPDX-License-Identifier: BSD-3-Clause */
#include <openssl/sha.h>

#include "eap_brski/pki/cert.h"
#include "eap_brski/pki/idevid_issuer.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/pki.h"

static struct brski_error err;

#define ID "0123456789abcdefghij"

static struct brski_span octets(const char *text)
{
	return brski_span_str(text);
}

/* rfc8366bis 3.3 on the format, and what is seen in the field */
START_TEST(one_issuer_in_all_forms)
{
	static const char *const forms[] = {
		"\x30\x16\x80\x14" ID,                    /* the extension's value: erratum 7263 */
		"\x04\x18\x30\x16\x80\x14" ID,            /* with the OCTET STRING around it */
		"\x04\x14" ID,                            /* the key identifier in an OCTET STRING */
		ID, "\x30\x19\x80\x14" ID "\x82\x01\x05", /* with authorityCertSerialNumber */
	};
	static const char *const others[] = {"",
		"\x30\x16\x80\x14"
		"0123456789abcdefghik",
		"\x04\x14"
		"0123456789abcdefghik",
		"0123456789abcdefghi", "\x30\x03\x82\x01\x05",
		"\x04\x14"
		"0123456789abcdefghi"};

	for (size_t i = 0; i < 5; i++) {
		for (size_t j = 0; j < 5; j++)
			ck_assert_msg(brski_idevid_issuer_equal(octets(forms[i]), octets(forms[j])),
				"%zu and %zu", i, j);
		for (size_t j = 0; j < sizeof(others) / sizeof(others[0]); j++)
			ck_assert_msg(!brski_idevid_issuer_equal(octets(forms[i]), octets(others[j])),
				"%zu and the other %zu", i, j);
	}
	ck_assert(brski_idevid_issuer_equal(octets("any"), octets("any")));
	ck_assert(!brski_idevid_issuer_equal(octets(""), octets("\x04")));
}
END_TEST

START_TEST(from_the_certificate)
{
	struct brski_credential ca = pki_root("CN=CA");
	struct brski_credential with = pki_leaf("CN=Gadget", "P-256", &ca);
	struct brski_credential bare = pki_make(&(struct pki_spec){.no_aki = true}, &ca);
	const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(bare.cert);
	unsigned char hash[SHA_DIGEST_LENGTH];
	struct brski_buf issuer = {0}, akid = {0};

	EXPECT(BRSKI_OK, brski_idevid_issuer(with.cert, &issuer, &err));
	EXPECT(BRSKI_OK, brski_cert_authority_key_id(with.cert, &akid, &err));
	ck_assert(brski_span_equal(brski_buf_span(&issuer), brski_buf_span(&akid)));
	/* RFC 5280 4.2.1.2, method 1 */
	EXPECT(BRSKI_OK, brski_idevid_issuer(bare.cert, &issuer, &err));
	SHA1(key->data, (size_t)key->length, hash);
	ck_assert_uint_eq(issuer.len, 24);
	ck_assert_int_eq(memcmp(issuer.data, "\x30\x16\x80\x14", 4), 0);
	ck_assert_int_eq(memcmp(issuer.data + 4, hash, sizeof(hash)), 0);
	brski_buf_free(&issuer);
	brski_buf_free(&akid);
	pki_free(&with);
	pki_free(&bare);
	pki_free(&ca);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {one_issuer_in_all_forms, from_the_certificate};

	return run_tests("idevid_issuer", NULL, NULL, tests, sizeof(tests) / sizeof(tests[0]));
}
