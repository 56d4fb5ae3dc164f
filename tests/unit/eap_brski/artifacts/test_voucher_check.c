/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "eap_brski/artifacts/voucher.h"
#include "eap_brski/artifacts/voucher_check.h"
#include "eap_brski/artifacts/voucher_cms.h"
#include "eap_brski/ground/base64.h"
#include "eap_brski/pki/cms.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/mutate.h"
#include "tests/unit/support/pki.h"

static const struct brski_span nonce = {(const uint8_t *)"0123456789abcdef", 16};
static const struct brski_span akid = {(const uint8_t *)"issuer", 6};
static struct brski_error err;
static time_t now;
static struct brski_credential maker, masa, domain, registrar;
static STACK_OF(X509) *anchors, *tunnel;
static struct brski_voucher_expect expect;
static struct brski_voucher given, v; /* what the MASA says, what was understood */
static struct brski_buf cms;
static X509 *pinned;

static void setup(void)
{
	now = time(NULL);
	maker = pki_root("CN=Maker");
	masa = pki_leaf("CN=MASA", "P-256", &maker);
	domain = pki_root("CN=Domain");
	registrar = pki_make(&(struct pki_spec){.subject = "CN=Registrar", .eku = "cmcRA"}, &domain);
	anchors = pki_certs(&maker, NULL);
	tunnel = pki_certs(&registrar, NULL);
	expect = (struct brski_voucher_expect){.serial_number = "S-1",
		.nonce = nonce,
		.idevid_issuer = akid,
		.masa_anchors = anchors,
		.now = now,
		.domain_chain = tunnel,
		.domain_use = BRSKI_USE_REGISTRAR};
	given = (struct brski_voucher){
		.created_on = now, .assertion = BRSKI_ASSERTION_PROXIMITY, .serial_number = "S-1"};
	ck_assert_int_eq(brski_buf_set(&given.nonce, nonce), BRSKI_OK);
	ck_assert_int_eq(brski_buf_set(&given.idevid_issuer, akid), BRSKI_OK);
	EXPECT(BRSKI_OK, brski_cert_to_der(domain.cert, &given.pinned_domain_cert, &err));
}

static void teardown(void)
{
	X509_free(pinned);
	brski_buf_free(&cms);
	brski_voucher_free(&v);
	brski_voucher_free(&given);
	pki_free_certs(tunnel);
	pki_free_certs(anchors);
	pki_free(&registrar);
	pki_free(&domain);
	pki_free(&masa);
	pki_free(&maker);
}

static enum brski_code check_cms(void)
{
	static const struct brski_voucher empty;
	enum brski_code code;

	brski_voucher_free(&v);
	X509_free(pinned);
	pinned = NULL;
	code = brski_voucher_check(brski_buf_span(&cms), &expect, &v, &pinned, &err);
	if (code == BRSKI_OK) {
		ck_assert_ptr_nonnull(pinned);
	} else {
		ck_assert_ptr_null(pinned);
		ck_assert_int_eq(memcmp(&v, &empty, sizeof(v)), 0);
	}
	return code;
}

static void issue_by(const struct brski_credential *signer)
{
	struct brski_error why;
	enum brski_code code = brski_voucher_sign(&given, signer, true, &cms, &why);

	ck_assert_msg(code == BRSKI_OK, "%s", why.why);
}

static enum brski_code check(void)
{
	issue_by(&masa);
	return check_cms();
}

START_TEST(right_voucher_passes)
{
	EXPECT(BRSKI_OK, check());
	ck_assert(brski_cert_equal(pinned, domain.cert));
	ck_assert_str_eq(v.serial_number, "S-1");
	ck_assert_int_eq(v.assertion, BRSKI_ASSERTION_PROXIMITY);
	/* nobody need take the pinned certificate */
	brski_voucher_free(&v);
	EXPECT(BRSKI_OK, brski_voucher_check(brski_buf_span(&cms), &expect, &v, NULL, &err));
}
END_TEST

START_TEST(signers_of_each_key_type)
{
	static const char *const types[] = {"P-256", "P-384", "RSA-3072"};

	for (size_t i = 0; i < 3; i++) {
		struct brski_credential signer = pki_leaf("CN=MASA", types[i], &maker);

		issue_by(&signer);
		EXPECT(BRSKI_OK, check_cms());
		pki_free(&signer);
	}
}
END_TEST

START_TEST(openssl_program_verifies_a_voucher)
{
	struct brski_buf pem = {0};
	char folder[64], path[96];

	temp_make(folder);
	EXPECT(BRSKI_OK, brski_certs_to_pem(anchors, &pem, &err));
	snprintf(path, sizeof(path), "%s/root.pem", folder);
	file_write(path, brski_buf_span(&pem));
	issue_by(&masa);
	snprintf(path, sizeof(path), "%s/voucher.cms", folder);
	file_write(path, brski_buf_span(&cms));
	ck_assert_int_eq(
		run("cd %s && openssl cms -verify -binary -inform DER -in voucher.cms -CAfile root.pem "
		    "-purpose any -out voucher.json && "
		    "grep -q '^{\"ietf-voucher:voucher\":{.*\"serial-number\":\"S-1\"' voucher.json",
			folder),
		0);
	temp_remove(folder);
	brski_buf_free(&pem);
}
END_TEST

/* RFC 8995 5.6.1: "MUST verify the voucher signature using the manufacturer-installed trust anchor(s)" */
START_TEST(not_signed_by_the_manufacturer)
{
	struct brski_credential other = pki_root("CN=Maker");
	struct brski_credential impostor = pki_leaf("CN=MASA", "P-256", &other);

	issue_by(&impostor);
	EXPECT_WHY(BRSKI_UNTRUSTED, "voucher's signer", check_cms());
	issue_by(&registrar);
	EXPECT_WHY(BRSKI_UNTRUSTED, "CN=Registrar", check_cms());
	/* a caller that does not judge the signer says so by having no anchors */
	expect.masa_anchors = NULL;
	EXPECT(BRSKI_OK, check_cms());
	pki_free(&impostor);
	pki_free(&other);
}
END_TEST

/* One CA for MASA and devices: a device's key is no MASA's, else one stolen device signs for all others. */
START_TEST(signed_by_a_device)
{
	const struct pki_spec specs[] = {
		{.subject = "CN=Gadget,serialNumber=S-2"},
		{.subject = "CN=Gadget", .hw_type = "1.2.3", .hw_serial = {(const uint8_t *)"S-2", 3}},
		{.subject = "CN=Gadget", .masa_url = "masa.example"},
	};

	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		struct brski_credential device = pki_make(&specs[i], &maker);

		issue_by(&device);
		EXPECT_WHY(BRSKI_UNTRUSTED, "signed by a device", check_cms());
		pki_free(&device);
	}
}
END_TEST

START_TEST(signature_is_wrong)
{
	issue_by(&masa);
	cms.data[cms.len - 1] ^= 1;
	EXPECT(BRSKI_BAD_SIGNATURE, check_cms());
	expect.masa_anchors = NULL;
	EXPECT(BRSKI_BAD_SIGNATURE, check_cms());
}
END_TEST

START_TEST(signer_has_expired)
{
	struct brski_credential old = pki_make(
		&(struct pki_spec){.subject = "CN=Old", .not_before = now - 2000, .not_after = now - 1000},
		&maker);

	issue_by(&old);
	EXPECT_WHY(BRSKI_EXPIRED, "CN=Old", check_cms());
	expect.now = 0;
	EXPECT(BRSKI_OK, check_cms());
	expect.now = now - 1500;
	expect.domain_chain = NULL;
	EXPECT(BRSKI_OK, check_cms());
	pki_free(&old);
}
END_TEST

/* RFC 8995 5.6.1: "MUST verify that the serial-number field of the signed voucher matches" */
START_TEST(voucher_for_another_device)
{
	strcpy(given.serial_number, "S-2");
	EXPECT_WHY(BRSKI_MISMATCH, "\"S-2\", not \"S-1\"", check());
	strcpy(given.serial_number, "S-10");
	EXPECT(BRSKI_MISMATCH, check());
	strcpy(given.serial_number, "s-1");
	EXPECT(BRSKI_MISMATCH, check());
}
END_TEST

/* RFC 8366 5.3: "MUST ensure that its IDevID Authority Key Identifier matches this value" */
START_TEST(voucher_for_another_issuers_device)
{
	ck_assert_int_eq(brski_buf_set(&given.idevid_issuer, brski_span_str("other")), BRSKI_OK);
	EXPECT_WHY(BRSKI_MISMATCH, "idevid-issuer", check());
	expect.idevid_issuer = brski_span(NULL, 0);
	EXPECT(BRSKI_OK, check());
	expect.idevid_issuer = akid;
	/* the same in an OCTET STRING, as some MASAs write it */
	ck_assert_int_eq(brski_buf_set(&given.idevid_issuer, brski_span_str("\x04\x06issuer")), BRSKI_OK);
	EXPECT(BRSKI_OK, check());
	brski_buf_free(&given.idevid_issuer);
	EXPECT(BRSKI_OK, check());
}
END_TEST

/* RFC 8995 5.6.1: "MUST verify the nonce information in the voucher"; RFC 8366 5.3 */
START_TEST(another_nonce)
{
	given.nonce.data[15] ^= 1;
	EXPECT_WHY(BRSKI_MISMATCH, "nonce", check());
	given.nonce.data[15] ^= 1;
	given.nonce.len--;
	EXPECT_WHY(BRSKI_MISMATCH, "nonce", check());
	given.nonce.len++;
	EXPECT(BRSKI_OK, check());
	/* none was sent, one comes */
	expect.nonce = brski_span(NULL, 0);
	EXPECT_WHY(BRSKI_MISMATCH, "nonce", check());
	expect.allow_nonceless = true;
	EXPECT_WHY(BRSKI_MISMATCH, "nonce", check());
}
END_TEST

START_TEST(no_nonce)
{
	brski_buf_free(&given.nonce);
	EXPECT_WHY(BRSKI_MISMATCH, "no nonce", check());
	expect.allow_nonceless = true;
	EXPECT(BRSKI_OK, check());
	expect.allow_nonceless = false;
	expect.nonce = brski_span(NULL, 0);
	EXPECT(BRSKI_OK, check());
}
END_TEST

/* RFC 8366 5.3: "MUST ensure that the expires-on time has not yet passed" */
START_TEST(voucher_has_expired)
{
	brski_buf_free(&given.nonce);
	expect.allow_nonceless = true;
	given.expires_on = now + 100;
	EXPECT(BRSKI_OK, check());
	given.expires_on = now;
	EXPECT_WHY(BRSKI_EXPIRED, "voucher has expired", check());
	given.expires_on = now - 100;
	EXPECT_WHY(BRSKI_EXPIRED, "voucher has expired", check());
	/* said as that even where the missing nonce would do */
	expect.allow_nonceless = false;
	EXPECT(BRSKI_EXPIRED, check());
	expect.allow_nonceless = true;
	expect.now = 0;
	EXPECT(BRSKI_OK, check());
}
END_TEST

/*
 * RFC 8995 2.6.1: "a pledge with a real-time clock in which it has confidence MUST check" created-on
 * and signingTime as well
 */
START_TEST(voucher_of_the_future)
{
	expect.clock_is_right = true;
	EXPECT(BRSKI_OK, check());
	given.created_on = now + BRSKI_CLOCK_SKEW;
	EXPECT(BRSKI_OK, check());
	given.created_on = now + BRSKI_CLOCK_SKEW + 1;
	EXPECT_WHY(BRSKI_EXPIRED, "created-on", check());
	given.created_on = now - 30 * 86400; /* a MASA may take its time */
	EXPECT(BRSKI_OK, check());
	/* signed now, looked at yesterday: the anchors are not older than an hour, so those are left out */
	expect.masa_anchors = NULL;
	expect.domain_chain = NULL;
	expect.now = now - 86400;
	EXPECT_WHY(BRSKI_EXPIRED, "signingTime", check());
	expect.clock_is_right = false;
	EXPECT(BRSKI_OK, check());
	expect.clock_is_right = true;
	expect.now = 0;
	EXPECT(BRSKI_OK, check());
}
END_TEST

/*
 * RFC 8995 5.6.2: the tunnel's certificate chains to pinned-domain-cert, which may be any
 * certificate of its chain
 */
START_TEST(rogue_registrar)
{
	struct brski_credential other = pki_root("CN=Domain");
	struct brski_credential rogue =
		pki_make(&(struct pki_spec){.subject = "CN=Registrar", .eku = "cmcRA"}, &other);
	STACK_OF(X509) *rogue_chain = pki_certs(&rogue, &other);

	expect.domain_chain = rogue_chain;
	EXPECT_WHY(BRSKI_UNTRUSTED, "does not pin this registrar", check());
	expect.domain_chain = tunnel;
	EXPECT(BRSKI_OK, brski_cert_to_der(registrar.cert, &given.pinned_domain_cert, &err));
	EXPECT(BRSKI_OK, check());
	ck_assert(brski_cert_equal(pinned, registrar.cert));
	expect.domain_chain = rogue_chain;
	EXPECT(BRSKI_UNTRUSTED, check());
	/* a registrar that looks at a voucher in passing does not ask */
	expect.domain_chain = NULL;
	EXPECT(BRSKI_OK, check());
	pki_free_certs(rogue_chain);
	pki_free(&rogue);
	pki_free(&other);
}
END_TEST

/*
 * RFC 8995 5.6.2: "the public key in the pinned-domain-cert directly matches the public key in the
 * end-entity certificate": the registrar's was renewed with its key after the voucher
 */
START_TEST(pinned_key_of_a_renewed_registrar)
{
	const struct pki_spec spec = {.subject = "CN=Registrar 2", .key = registrar.key, .eku = "cmcRA"};
	const struct pki_spec old = {.subject = "CN=Registrar 2",
		.key = registrar.key,
		.eku = "cmcRA",
		.not_before = now - 2000,
		.not_after = now - 1000};
	const struct pki_spec no_role = {.subject = "CN=Registrar 2", .key = registrar.key};
	const struct {
		const struct pki_spec *spec;
		enum brski_code code;
	} cases[] = {{&spec, BRSKI_OK}, {&old, BRSKI_EXPIRED}, {&no_role, BRSKI_UNTRUSTED}};

	EXPECT(BRSKI_OK, brski_cert_to_der(registrar.cert, &given.pinned_domain_cert, &err));
	for (size_t i = 0; i < 3; i++) {
		struct brski_credential renewed = pki_make(cases[i].spec, &domain);
		STACK_OF(X509) *chain = pki_certs(&renewed, NULL);

		expect.domain_chain = chain;
		EXPECT(cases[i].code, check());
		pki_free_certs(chain);
		pki_free(&renewed);
	}
	expect.domain_chain = tunnel;
}
END_TEST

/* The voucher of `leaves`, as a MASA by rfc8366bis writes it. */
static void issue_text(const char *name, struct brski_span pin)
{
	struct brski_buf text = {0}, json = {0};

	EXPECT(BRSKI_OK, brski_base64_encode(pin, &text));
	brski_printf(&json,
		"{\"ietf-voucher:voucher\":{\"serial-number\":\"S-1\",\"nonce\":"
		"\"MDEyMzQ1Njc4OWFiY2RlZg==\",\"%s\":\"%.*s\"}}",
		name, (int)text.len, (const char *)text.data);
	EXPECT(BRSKI_OK, brski_cms_sign(brski_buf_span(&json), &masa, true, &cms, &err));
	brski_buf_free(&text);
	brski_buf_free(&json);
}

/* rfc8366bis: pinned-domain-pubk, the registrar's raw public key, or its hash */
START_TEST(pinned_key_in_place_of_a_certificate)
{
	unsigned char hash[32], *der = NULL;
	int len = i2d_PUBKEY(registrar.key, &der);
	struct brski_span spki = brski_span(der, (size_t)len);

	issue_text("pinned-domain-pubk", spki);
	EXPECT(BRSKI_OK, check_cms());
	ck_assert(brski_cert_equal(pinned, registrar.cert));
	ck_assert_uint_gt(v.pinned_domain_cert.len, 0);
	EVP_Digest(der, (size_t)len, hash, NULL, EVP_sha256(), NULL);
	issue_text("pinned-domain-pubk-sha256", brski_span(hash, sizeof(hash)));
	EXPECT(BRSKI_OK, check_cms());
	hash[0] ^= 1;
	issue_text("pinned-domain-pubk-sha256", brski_span(hash, sizeof(hash)));
	EXPECT_WHY(BRSKI_UNTRUSTED, "does not pin this registrar", check_cms());
	issue_text("pinned-domain-pubk", brski_span(hash, sizeof(hash)));
	EXPECT_WHY(BRSKI_UNTRUSTED, "does not pin this registrar", check_cms());
	issue_text("pinned-domain-pubk", spki);
	expect.domain_chain = NULL;
	EXPECT(BRSKI_UNTRUSTED, check_cms());
	expect.domain_chain = tunnel;
	OPENSSL_free(der);
}
END_TEST

START_TEST(tunnel_is_no_registrars)
{
	struct brski_credential printer =
		pki_make(&(struct pki_spec){.subject = "CN=Printer", .eku = "serverAuth"}, &domain);
	STACK_OF(X509) *chain = pki_certs(&printer, NULL);

	expect.domain_chain = chain;
	EXPECT_WHY(BRSKI_UNTRUSTED, "cmcRA", check());
	expect.domain_use = BRSKI_USE_ANY;
	EXPECT(BRSKI_OK, check());
	pki_free_certs(chain);
	pki_free(&printer);
}
END_TEST

/* RFC 8366 5.3: "MUST (true)... verify the revocation status for the pinned domain certificate" */
START_TEST(revocation_checks_that_cannot_be_made)
{
	given.has_revocation_checks = true;
	EXPECT(BRSKI_OK, check());
	given.domain_cert_revocation_checks = true;
	EXPECT_WHY(BRSKI_UNSUPPORTED, "revocation", check());
	expect.domain_chain = NULL;
	EXPECT(BRSKI_OK, check());
}
END_TEST

START_TEST(pinned_certificate_does_not_parse)
{
	brski_put_u8(&given.pinned_domain_cert, 0);
	EXPECT_WHY(BRSKI_MALFORMED, "pinned-domain-cert", check());
	ck_assert_int_eq(brski_buf_set(&given.pinned_domain_cert, brski_span_str("pin")), BRSKI_OK);
	EXPECT_WHY(BRSKI_MALFORMED, "pinned-domain-cert", check());
}
END_TEST

/*
 * RFC 8995 5.6.1: "MUST be prepared to parse and fail gracefully from" a voucher without
 * pinned-domain-cert
 */
START_TEST(no_pinned_certificate)
{
	static const char json[] = "{\"ietf-voucher:voucher\":{\"created-on\":\"2026-01-01T00:00:00Z\","
				   "\"assertion\":\"logged\",\"serial-number\":\"S-1\"}}";

	EXPECT(BRSKI_OK, brski_cms_sign(brski_span_str(json), &masa, true, &cms, &err));
	EXPECT_WHY(BRSKI_MALFORMED, "pinned-domain-cert is missing", check_cms());
}
END_TEST

START_TEST(a_request_is_no_voucher)
{
	given.is_request = true;
	EXPECT_WHY(BRSKI_UNEXPECTED, "voucher is due", check());
}
END_TEST

static void refuse_damaged(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	struct brski_voucher got;
	X509 *cert;

	(void)ctx;
	if (brski_voucher_check(damaged, &expect, &got, &cert, &err) == BRSKI_OK) {
		ck_assert_str_ne(how->kind, "cut");
		ck_assert_str_ne(how->kind, "appended");
		ck_assert_msg(brski_cert_equal(cert, domain.cert), "%s at %zu", how->kind, how->at);
		ck_assert_int_eq(got.created_on, given.created_on);
		ck_assert_int_eq(got.assertion, given.assertion);
		ck_assert_uint_eq(got.idevid_issuer.len, given.idevid_issuer.len);
	}
	brski_voucher_free(&got);
	X509_free(cert);
}

START_TEST(damaged_voucher)
{
	EXPECT(BRSKI_OK, check());
	mutate_truncations(brski_buf_span(&cms), refuse_damaged, NULL);
	mutate_octets_once(brski_buf_span(&cms), refuse_damaged, NULL);
	mutate_appended(brski_buf_span(&cms), refuse_damaged, NULL);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {right_voucher_passes, signers_of_each_key_type,
		openssl_program_verifies_a_voucher, not_signed_by_the_manufacturer, signed_by_a_device,
		signature_is_wrong, signer_has_expired, voucher_for_another_device,
		voucher_for_another_issuers_device, another_nonce, no_nonce, voucher_has_expired,
		voucher_of_the_future, rogue_registrar, pinned_key_of_a_renewed_registrar,
		pinned_key_in_place_of_a_certificate, tunnel_is_no_registrars,
		revocation_checks_that_cannot_be_made, pinned_certificate_does_not_parse,
		no_pinned_certificate, a_request_is_no_voucher, damaged_voucher};

	return run_tests("voucher_check", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
