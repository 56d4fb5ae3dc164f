/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include <openssl/cms.h>

#include "eap_brski/pki/cert.h"
#include "eap_brski/pki/cms.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/mutate.h"
#include "tests/unit/support/pki.h"

#define CONTENT "{\"ietf-voucher:voucher\":{}}"
#define OID_VOUCHER_CONTENT "1.2.840.113549.1.9.16.1.40"

static struct brski_error err;
static struct brski_credential root, ca, leaf;
static struct brski_buf cms, content;
static STACK_OF(X509) *certs;

static void setup(void)
{
	root = pki_root("CN=Root");
	ca = pki_ca("CN=Issuer", &root);
	leaf = pki_leaf("CN=Gadget", "P-256", &ca);
}

static void forget(void)
{
	brski_buf_free(&content);
	pki_free_certs(certs);
	certs = NULL;
}

static void teardown(void)
{
	forget();
	brski_buf_free(&cms);
	pki_free(&leaf);
	pki_free(&ca);
	pki_free(&root);
}

static enum brski_code open_cms(void)
{
	forget();
	return brski_cms_open(brski_buf_span(&cms), NULL, &content, &certs, NULL, &err);
}

static void check_opened(const X509 *signer)
{
	ck_assert(brski_span_equal(brski_buf_span(&content), brski_span_str(CONTENT)));
	ck_assert(brski_cert_equal(sk_X509_value(certs, 0), signer));
}

static void check_nothing_given(void)
{
	ck_assert_uint_eq(content.len, 0);
	ck_assert_ptr_null(certs);
}

/* ---- Ours, theirs: the openssl program is the other side ---- */

static void write_pem(const char *folder, const char *name, struct brski_buf *pem)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file_write(path, brski_buf_span(pem));
	brski_buf_free(pem);
}

static void write_files(const char *folder, const struct brski_credential *cred)
{
	STACK_OF(X509) *one = pki_certs(cred, NULL), *top = pki_certs(&root, NULL),
		       *mid = pki_certs(&ca, NULL);
	struct brski_buf pem = {0};

	EXPECT(BRSKI_OK, brski_certs_to_pem(one, &pem, &err));
	write_pem(folder, "cert.pem", &pem);
	EXPECT(BRSKI_OK, brski_certs_to_pem(mid, &pem, &err));
	write_pem(folder, "issuer.pem", &pem);
	EXPECT(BRSKI_OK, brski_certs_to_pem(top, &pem, &err));
	write_pem(folder, "root.pem", &pem);
	EXPECT(BRSKI_OK, brski_key_to_pem(cred->key, &pem, &err));
	write_pem(folder, "key.pem", &pem);
	pki_free_certs(one);
	pki_free_certs(top);
	pki_free_certs(mid);
}

static void interoperate(const char *key_type)
{
	struct brski_credential cred = pki_leaf("CN=Gadget", key_type, &ca);
	char folder[64], path[96];

	temp_make(folder);
	write_files(folder, &cred);
	EXPECT(BRSKI_OK, brski_cms_sign(brski_span_str(CONTENT), &cred, true, &cms, &err));
	snprintf(path, sizeof(path), "%s/ours.cms", folder);
	file_write(path, brski_buf_span(&cms));
	ck_assert_int_eq(run("cd %s && openssl cms -verify -binary -inform DER -in ours.cms -CAfile root.pem "
			     "-purpose any -out got && printf %%s '%s' | cmp - got",
				 folder, CONTENT),
		0);
	/* the figure of RFC 8366 5.4 and, since that is not id-data, version 3 (RFC 5652 5.1) */
	ck_assert_int_eq(run("cd %s && openssl cms -cmsout -print -inform DER -in ours.cms -out text && "
			     "grep -q 'eContentType:.*1.2.840.113549.1.9.16.1.40' text && "
			     "grep -q 'version: 3' text",
				 folder),
		0);
	EXPECT(BRSKI_OK, open_cms());
	check_opened(cred.cert);
	brski_buf_free(&cms);

	for (int own_type = 0; own_type < 2; own_type++) {
		ck_assert_int_eq(
			run("cd %s && printf %%s '%s' | openssl cms -sign -binary -nodetach -md sha256 %s "
			    "-signer cert.pem -inkey key.pem -certfile issuer.pem -outform DER -out "
			    "theirs.cms",
				folder, CONTENT, own_type ? "-econtent_type " OID_VOUCHER_CONTENT : ""),
			0);
		snprintf(path, sizeof(path), "%s/theirs.cms", folder);
		cms = file_read(path);
		EXPECT(BRSKI_OK, open_cms());
		check_opened(cred.cert);
		brski_buf_free(&cms);
	}
	temp_remove(folder);
	pki_free(&cred);
}

START_TEST(interoperates_p256)
{
	interoperate("P-256");
}
END_TEST

START_TEST(interoperates_p384)
{
	interoperate("P-384");
}
END_TEST

START_TEST(interoperates_rsa)
{
	interoperate("RSA-3072");
}
END_TEST

START_TEST(chain_goes_along_when_asked)
{
	EXPECT(BRSKI_OK, brski_cms_sign(brski_span_str(CONTENT), &leaf, true, &cms, &err));
	EXPECT(BRSKI_OK, open_cms());
	ck_assert_int_eq(sk_X509_num(certs), 2);
	ck_assert(brski_cert_equal(sk_X509_value(certs, 0), leaf.cert));
	ck_assert(brski_cert_equal(sk_X509_value(certs, 1), ca.cert));
	EXPECT(BRSKI_OK, brski_cms_sign(brski_span_str(CONTENT), &leaf, false, &cms, &err));
	EXPECT(BRSKI_OK, open_cms());
	ck_assert_int_eq(sk_X509_num(certs), 1);
}
END_TEST

/* ---- Damage ---- */

static const X509 *genuine_signer;
static unsigned n_open;

/*
 * Signed octets and signer are what they were; or the signer's certificate does not verify any
 * more; or it does not open.
 */
static void damaged_cms(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	struct brski_buf got = {0};
	STACK_OF(X509) *got_certs = NULL;
	const STACK_OF(X509) *anchors = ctx;

	if (brski_cms_open(damaged, NULL, &got, &got_certs, NULL, NULL) == BRSKI_OK) {
		ck_assert_msg(brski_span_equal(brski_buf_span(&got), brski_span_str(CONTENT)),
			"%s at %zu: other content", how->kind, how->at);
		ck_assert_msg(brski_cert_equal(sk_X509_value(got_certs, 0), genuine_signer) ||
				      brski_chain_verify(got_certs, anchors, NULL, BRSKI_USE_ANY, 0, NULL) !=
					      BRSKI_OK,
			"%s at %zu: other signer", how->kind, how->at);
		n_open++;
	} else {
		ck_assert_uint_eq(got.len, 0);
		ck_assert_ptr_null(got_certs);
	}
	brski_buf_free(&got);
	pki_free_certs(got_certs);
}

static void refuse_damaged(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	struct brski_buf got = {0};
	STACK_OF(X509) *got_certs = NULL;

	(void)ctx;
	ck_assert_msg(brski_cms_open(damaged, NULL, &got, &got_certs, NULL, NULL) != BRSKI_OK,
		"%s at %zu: opened", how->kind, how->at);
	ck_assert_ptr_null(got_certs);
	brski_buf_free(&got);
}

static void damage(const char *key_type)
{
	struct brski_credential cred = pki_leaf("CN=Gadget", key_type, &ca);
	STACK_OF(X509) *anchors = pki_certs(&root, NULL);

	genuine_signer = cred.cert;
	EXPECT(BRSKI_OK, brski_cms_sign(brski_span_str(CONTENT), &cred, true, &cms, &err));
	mutate_truncations(brski_buf_span(&cms), refuse_damaged, NULL);
	mutate_appended(brski_buf_span(&cms), refuse_damaged, NULL);
	mutate_octets_once(brski_buf_span(&cms), damaged_cms, anchors);
	/* flips in the issuer's certificate, which no one looked at, and the like: most do not open */
	ck_assert_uint_gt(n_open, 0);
	pki_free_certs(anchors);
	pki_free(&cred);
}

START_TEST(damaged_p256)
{
	damage("P-256");
}
END_TEST

START_TEST(damaged_p384)
{
	damage("P-384");
}
END_TEST

START_TEST(damaged_rsa)
{
	damage("RSA-3072");
}
END_TEST

START_TEST(content_changed_and_signature_changed)
{
	uint8_t *at;

	EXPECT(BRSKI_OK, brski_cms_sign(brski_span_str(CONTENT), &leaf, true, &cms, &err));
	at = memmem(cms.data, cms.len, CONTENT, strlen(CONTENT));
	ck_assert_ptr_nonnull(at);
	*at ^= 1;
	EXPECT(BRSKI_BAD_SIGNATURE, open_cms());
	check_nothing_given();
	*at ^= 1;
	cms.data[cms.len - 1] ^= 1;
	EXPECT(BRSKI_BAD_SIGNATURE, open_cms());
	check_nothing_given();
}
END_TEST

/* ---- Envelopes that are well-formed and wrong, made by hand ---- */

struct odd {
	const char *type; /* eContentType */
	const EVP_MD *md;
	unsigned flags;
	const struct brski_credential *second; /* another signer */
	bool detached;
	bool no_certs;
	int extra_certs;
	const char *content;
	X509 *beside;
	const char *signing_time; /* instead of now */
};

/* A GeneralizedTime of any text of the shortest length or more; ASN1_TIME_set_string() would not take all of these. */
static void add_signing_time(CMS_SignerInfo *si, const char *text)
{
	ASN1_STRING *time = ASN1_STRING_type_new(V_ASN1_GENERALIZEDTIME);
	X509_ATTRIBUTE *attribute = X509_ATTRIBUTE_new();

	ck_assert(ASN1_STRING_set(time, text, -1) == 1);
	ck_assert(X509_ATTRIBUTE_set1_object(attribute, OBJ_nid2obj(NID_pkcs9_signingTime)) == 1);
	ck_assert(X509_ATTRIBUTE_set1_data(attribute, V_ASN1_GENERALIZEDTIME, time->data, time->length) == 1);
	ck_assert(CMS_signed_add1_attr(si, attribute) == 1);
	X509_ATTRIBUTE_free(attribute);
	ASN1_STRING_free(time);
}

static void make_odd(const struct odd *odd, const struct brski_credential *signer)
{
	const unsigned flags = CMS_BINARY | CMS_PARTIAL | CMS_NOSMIMECAP | odd->flags |
			       (odd->detached ? CMS_DETACHED : 0) | (odd->no_certs ? CMS_NOCERTS : 0);
	CMS_ContentInfo *out = CMS_sign(NULL, NULL, NULL, NULL, flags);
	ASN1_OBJECT *type = OBJ_txt2obj(odd->type ? odd->type : OID_VOUCHER_CONTENT, 1);
	const char *text = odd->content ? odd->content : CONTENT;
	BIO *in = BIO_new_mem_buf(text, -1);
	unsigned char *der = NULL;
	CMS_SignerInfo *si;
	int len;

	ck_assert(CMS_set1_eContentType(out, type) == 1);
	si = CMS_add1_signer(out, signer->cert, signer->key, odd->md, flags);
	ck_assert_ptr_nonnull(si);
	if (odd->signing_time)
		add_signing_time(si, odd->signing_time);
	if (odd->second)
		ck_assert_ptr_nonnull(
			CMS_add1_signer(out, odd->second->cert, odd->second->key, odd->md, flags));
	if (odd->beside)
		ck_assert(CMS_add1_cert(out, odd->beside) == 1);
	for (int i = 0; i < odd->extra_certs; i++) {
		struct brski_credential more =
			pki_make(&(struct pki_spec){.subject = "CN=More", .key = ca.key}, &ca);

		ck_assert(CMS_add1_cert(out, more.cert) == 1);
		pki_free(&more);
	}
	ck_assert(CMS_final(out, in, NULL, flags) == 1);
	len = i2d_CMS_ContentInfo(out, &der);
	ck_assert_int_gt(len, 0);
	ck_assert_int_eq(brski_buf_set(&cms, brski_span(der, (size_t)len)), BRSKI_OK);
	OPENSSL_free(der);
	BIO_free(in);
	ASN1_OBJECT_free(type);
	CMS_ContentInfo_free(out);
}

static const struct odd plain;

START_TEST(hand_made_envelope_opens)
{
	make_odd(&plain, &leaf);
	EXPECT(BRSKI_OK, open_cms());
	check_opened(leaf.cert);
	make_odd(&(struct odd){.type = "1.2.840.113549.1.7.1"}, &leaf);
	EXPECT(BRSKI_OK, open_cms());
	check_opened(leaf.cert);
	make_odd(&(struct odd){.flags = CMS_USE_KEYID}, &leaf);
	EXPECT(BRSKI_OK, open_cms());
	make_odd(&(struct odd){.md = EVP_sha512()}, &leaf);
	EXPECT(BRSKI_OK, open_cms());
}
END_TEST

START_TEST(other_content_types)
{
	make_odd(&(struct odd){.type = "1.2.840.113549.1.9.16.1.4"}, &leaf); /* a time stamp */
	EXPECT_WHY(BRSKI_UNSUPPORTED, "of type 1.2.840.113549.1.9.16.1.4, not a JSON voucher (RFC 8366 5.4)",
		open_cms());
	check_nothing_given();
}
END_TEST

/* RFC 8366 5.4: exactly one signer here, since nothing says how to treat several */
START_TEST(two_signers)
{
	make_odd(&(struct odd){.second = &ca}, &leaf);
	EXPECT_WHY(BRSKI_MALFORMED, "2 signers", open_cms());
	check_nothing_given();
}
END_TEST

START_TEST(detached_and_empty_content)
{
	make_odd(&(struct odd){.detached = true}, &leaf);
	EXPECT_WHY(BRSKI_MALFORMED, "no content", open_cms());
	make_odd(&(struct odd){.content = ""}, &leaf);
	EXPECT_WHY(BRSKI_MALFORMED, "no content", open_cms());
}
END_TEST

START_TEST(weak_digests_and_keys)
{
	struct brski_credential weak = pki_leaf("CN=Weak", "RSA-1024", &ca);

	make_odd(&(struct odd){.md = EVP_sha1()}, &leaf);
	EXPECT_WHY(BRSKI_UNSUPPORTED, "digest", open_cms());
	make_odd(&(struct odd){.md = EVP_sha224()}, &leaf);
	EXPECT_WHY(BRSKI_UNSUPPORTED, "digest", open_cms());
	make_odd(&plain, &weak);
	EXPECT_WHY(BRSKI_UNSUPPORTED, "weak", open_cms());
	pki_free(&weak);
}
END_TEST

/*
 * RFC 5652 5.3: signed attributes MUST be there unless the content is id-data. Here they are
 * demanded of that as well, in vouchers and in files of our own.
 */
START_TEST(no_signed_attributes)
{
	make_odd(&(struct odd){.flags = CMS_NOATTR}, &leaf);
	EXPECT_WHY(BRSKI_MALFORMED, "signed attributes", open_cms());
	make_odd(&(struct odd){.type = "1.2.840.113549.1.7.1", .flags = CMS_NOATTR}, &leaf);
	EXPECT_WHY(BRSKI_MALFORMED, "signed attributes", open_cms());
	check_nothing_given();
	EXPECT_WHY(BRSKI_MALFORMED, "signed attributes",
		brski_cms_open_data(brski_buf_span(&cms), NULL, NULL, &content, &certs, &err));
	check_nothing_given();
}
END_TEST

static time_t signed_on;

static enum brski_code open_dated(void)
{
	forget();
	return brski_cms_open(brski_buf_span(&cms), NULL, &content, &certs, &signed_on, &err);
}

/* RFC 5652 11.3 */
START_TEST(signing_time)
{
	make_odd(&(struct odd){.signing_time = "20400102030405Z"}, &leaf);
	EXPECT(BRSKI_OK, open_dated());
	ck_assert_int_eq(signed_on, 2209086245);
	make_odd(&(struct odd){.signing_time = "20600102030405Z"}, &leaf);
	EXPECT(BRSKI_OK, open_dated());
	ck_assert_int_eq(signed_on, 2840238245);
	make_odd(&(struct odd){.signing_time = "yesterday at noon"}, &leaf);
	EXPECT_WHY(BRSKI_MALFORMED, "signingTime", open_dated());
	ck_assert_int_eq(signed_on, 0);
	check_nothing_given();
}
END_TEST

/*
 * RFC 5652 11.1: the content-type attribute MUST be that of the content. Both places hold the OID;
 * the first is changed.
 */
START_TEST(content_type_attribute_differs)
{
	static const uint8_t oid[] = "\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x28";
	const size_t n = sizeof(oid) - 1;
	uint8_t *at;

	EXPECT(BRSKI_OK, brski_cms_sign(brski_span_str(CONTENT), &leaf, true, &cms, &err));
	at = memmem(cms.data, cms.len, oid, n);
	ck_assert_ptr_nonnull(at);
	ck_assert_ptr_nonnull(memmem(at + n, cms.len - (size_t)(at + n - cms.data), oid, n));
	at[n - 1] ^= 1;
	EXPECT(BRSKI_UNSUPPORTED, open_cms());
	at[n - 1] ^= 1;
	/* signed as another type of the same length, then declared to be a voucher */
	make_odd(&(struct odd){.type = "1.2.840.113549.1.9.16.1.41"}, &leaf);
	at = memmem(cms.data, cms.len, "\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x29", n);
	ck_assert_ptr_nonnull(at);
	at[n - 1] = 0x28;
	EXPECT_WHY(BRSKI_MALFORMED, "another type", open_cms());
	check_nothing_given();
}
END_TEST

START_TEST(signer_must_be_allowed_to_sign)
{
	struct brski_credential mute =
		pki_make(&(struct pki_spec){.subject = "CN=Mute", .key_usage = "critical,keyAgreement"}, &ca);
	struct brski_credential notary =
		pki_make(&(struct pki_spec){.subject = "CN=Notary", .key_usage = "nonRepudiation"}, &ca);
	struct brski_credential bare =
		pki_make(&(struct pki_spec){.subject = "CN=Bare", .no_extensions = true}, &ca);

	/* CMS_add1_signer would not look at it */
	make_odd(&plain, &mute);
	EXPECT_WHY(BRSKI_UNTRUSTED, "does not allow", open_cms());
	make_odd(&plain, &notary);
	EXPECT(BRSKI_OK, open_cms());
	make_odd(&plain, &bare);
	EXPECT(BRSKI_OK, open_cms());
	pki_free(&mute);
	pki_free(&notary);
	pki_free(&bare);
}
END_TEST

START_TEST(signer_from_elsewhere)
{
	STACK_OF(X509) *known = pki_certs(&leaf, NULL);

	make_odd(&(struct odd){.no_certs = true}, &leaf);
	EXPECT_WHY(BRSKI_UNTRUSTED, "not in the message", open_cms());
	check_nothing_given();
	EXPECT(BRSKI_OK, brski_cms_open(brski_buf_span(&cms), known, &content, &certs, NULL, &err));
	check_opened(leaf.cert);
	ck_assert_int_eq(sk_X509_num(certs), 1);
	pki_free_certs(known);
}
END_TEST

START_TEST(too_many_certificates)
{
	make_odd(&(struct odd){.extra_certs = 9}, &leaf);
	EXPECT(BRSKI_OK, open_cms());
	make_odd(&(struct odd){.extra_certs = 10}, &leaf);
	cms.data[cms.len - 1] ^= 1; /* no signature is looked at before they are counted */
	EXPECT_WHY(BRSKI_TOO_LARGE, "11 certificates", open_cms());
	check_nothing_given();
}
END_TEST

/* A signature that such a key would make need not be right: it is not looked at. */
START_TEST(costly_keys_beside_the_signer)
{
	EVP_PKEY *const keys[] = {pki_public_rsa(3072, 65), pki_public_rsa(8200, 17)};

	for (size_t i = 0; i < 2; i++) {
		struct brski_credential odd =
			pki_make(&(struct pki_spec){.subject = "CN=Costly", .key = keys[i]}, &ca);

		make_odd(&(struct odd){.beside = odd.cert}, &leaf);
		cms.data[cms.len - 1] ^= 1;
		EXPECT_WHY(BRSKI_UNSUPPORTED, "CN=Costly: RSA key", open_cms());
		check_nothing_given();
		pki_free(&odd);
		EVP_PKEY_free(keys[i]);
	}
}
END_TEST

START_TEST(sizes)
{
	static uint8_t large[BRSKI_CMS_MAX + 1];

	memset(large, 'x', sizeof(large));
	EXPECT(BRSKI_TOO_LARGE, brski_cms_sign(brski_span(large, sizeof(large)), &leaf, true, &cms, &err));
	EXPECT(BRSKI_TOO_LARGE,
		brski_cms_sign(brski_span(large, sizeof(large) - 100), &leaf, true, &cms, &err));
	ck_assert_uint_eq(cms.len, 0);
	EXPECT(BRSKI_OK, brski_cms_sign(brski_span(large, sizeof(large) - 4000), &leaf, true, &cms, &err));
	EXPECT(BRSKI_OK, open_cms());
	EXPECT(BRSKI_INTERNAL, brski_cms_sign(brski_span(NULL, 0), &leaf, true, &cms, &err));
	ck_assert_int_eq(brski_buf_set(&cms, brski_span(large, sizeof(large))), BRSKI_OK);
	EXPECT(BRSKI_TOO_LARGE, open_cms());
	brski_buf_free(&cms);
	EXPECT(BRSKI_MALFORMED, open_cms());
}
END_TEST

START_TEST(other_kinds_of_cms)
{
	BIO *in = BIO_new_mem_buf(CONTENT, -1);
	CMS_ContentInfo *data = CMS_data_create(in, CMS_BINARY);
	unsigned char *der = NULL;
	int len = i2d_CMS_ContentInfo(data, &der);

	ck_assert_int_eq(brski_buf_set(&cms, brski_span(der, (size_t)len)), BRSKI_OK);
	EXPECT_WHY(BRSKI_MALFORMED, "SignedData", open_cms());
	OPENSSL_free(der);
	CMS_ContentInfo_free(data);
	BIO_free(in);
}
END_TEST

START_TEST(signer_without_a_fitting_key)
{
	struct brski_credential wrong = {.key = ca.key, .cert = leaf.cert};

	EXPECT(BRSKI_INTERNAL, brski_cms_sign(brski_span_str(CONTENT), &wrong, true, &cms, &err));
	ck_assert_uint_eq(cms.len, 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {interoperates_p256, interoperates_p384, interoperates_rsa,
		chain_goes_along_when_asked, damaged_p256, damaged_p384, damaged_rsa,
		content_changed_and_signature_changed, hand_made_envelope_opens, other_content_types,
		two_signers, detached_and_empty_content, weak_digests_and_keys, no_signed_attributes,
		signing_time, content_type_attribute_differs, signer_must_be_allowed_to_sign,
		signer_from_elsewhere, too_many_certificates, costly_keys_beside_the_signer, sizes,
		other_kinds_of_cms, signer_without_a_fitting_key};

	return run_tests("cms", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
