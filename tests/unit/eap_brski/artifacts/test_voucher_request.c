/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "eap_brski/artifacts/voucher.h"
#include "eap_brski/artifacts/voucher_check.h"
#include "eap_brski/artifacts/voucher_cms.h"
#include "eap_brski/artifacts/voucher_request.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/mutate.h"
#include "tests/unit/support/pki.h"

#define NOW ((time_t)1700000000)

static const struct brski_span nonce = {(const uint8_t *)"0123456789abcdef", 16};
static struct brski_error err;
static struct brski_credential factory, line, idevid, domain, registrar;
static STACK_OF(X509) *peer;
static struct brski_buf cms;
static struct brski_voucher v;

static void setup(void)
{
	factory = pki_root("CN=Factory");
	line = pki_ca("CN=Line 1", &factory);
	idevid = pki_leaf("serialNumber=S-1", "P-256", &line);
	domain = pki_root("CN=Domain");
	registrar =
		pki_make(&(struct pki_spec){.subject = "CN=Registrar", .eku = "cmcRA,serverAuth"}, &domain);
	peer = pki_certs(&idevid, NULL);
}

static void teardown(void)
{
	brski_voucher_free(&v);
	brski_buf_free(&cms);
	pki_free_certs(peer);
	pki_free(&registrar);
	pki_free(&domain);
	pki_free(&idevid);
	pki_free(&line);
	pki_free(&factory);
}

static enum brski_code check(void)
{
	brski_voucher_free(&v);
	return brski_voucher_request_check(brski_buf_span(&cms), peer, registrar.cert, &v, &err);
}

static void check_refused_empty(void)
{
	static const struct brski_voucher empty;

	ck_assert_int_eq(memcmp(&v, &empty, sizeof(v)), 0);
}

static STACK_OF(X509) *signers_of(struct brski_span in, struct brski_voucher *out)
{
	STACK_OF(X509) *certs;

	EXPECT(BRSKI_OK, brski_voucher_open(in, NULL, BRSKI_VOUCHER_REQUEST, out, &certs, &err));
	return certs;
}

/* ---- The pledge's ---- */

START_TEST(pledge_request_passes)
{
	struct brski_buf der = {0};

	EXPECT(BRSKI_OK, brski_voucher_request_pledge(&idevid, registrar.cert, nonce, NOW, &cms, &err));
	EXPECT(BRSKI_OK, check());
	ck_assert(v.is_request);
	ck_assert_str_eq(v.serial_number, "S-1");
	ck_assert_int_eq(v.created_on, NOW);
	ck_assert_int_eq(v.assertion, BRSKI_ASSERTION_PROXIMITY);
	ck_assert(brski_span_equal(brski_buf_span(&v.nonce), nonce));
	EXPECT(BRSKI_OK, brski_cert_to_der(registrar.cert, &der, &err));
	ck_assert(brski_span_equal(brski_buf_span(&v.proximity_registrar_cert), brski_buf_span(&der)));
	ck_assert_uint_eq(v.prior_signed_voucher_request.len, 0);
	brski_buf_free(&der);
}
END_TEST

START_TEST(pledge_without_a_clock_says_no_date)
{
	EXPECT(BRSKI_OK, brski_voucher_request_pledge(&idevid, registrar.cert, nonce, 0, &cms, &err));
	EXPECT(BRSKI_OK, check());
	ck_assert_int_eq(v.created_on, 0);
}
END_TEST

/* intermediates help a MASA that knows the root alone; the root would only be ballast */
START_TEST(pledge_sends_its_chain_without_the_root)
{
	STACK_OF(X509) *certs;

	ck_assert_int_eq(X509_add_cert(idevid.chain, factory.cert, X509_ADD_FLAG_UP_REF), 1);
	EXPECT(BRSKI_OK, brski_voucher_request_pledge(&idevid, registrar.cert, nonce, NOW, &cms, &err));
	ck_assert_int_eq(sk_X509_num(idevid.chain), 2);
	certs = signers_of(brski_buf_span(&cms), &v);
	ck_assert_int_eq(sk_X509_num(certs), 2);
	ck_assert(brski_cert_equal(sk_X509_value(certs, 0), idevid.cert));
	ck_assert(brski_cert_equal(sk_X509_value(certs, 1), line.cert));
	pki_free_certs(certs);
}
END_TEST

START_TEST(pledge_needs_a_serial_number_and_a_fair_nonce)
{
	EXPECT(BRSKI_NOT_FOUND, brski_voucher_request_pledge(&line, registrar.cert, nonce, NOW, &cms, &err));
	EXPECT(BRSKI_INTERNAL, brski_voucher_request_pledge(
				       &idevid, registrar.cert, brski_span(nonce.data, 7), NOW, &cms, &err));
	EXPECT(BRSKI_INTERNAL,
		brski_voucher_request_pledge(&idevid, registrar.cert, brski_span(NULL, 0), NOW, &cms, &err));
	ck_assert_uint_eq(cms.len, 0);
}
END_TEST

START_TEST(openssl_program_verifies_requests)
{
	static const char *const types[] = {"P-256", "P-384", "RSA-3072"};

	for (size_t i = 0; i < 3; i++) {
		struct brski_credential dev = pki_leaf("serialNumber=S-1", types[i], &line);
		STACK_OF(X509) *root = pki_certs(&factory, NULL);
		struct brski_buf pem = {0};
		char folder[64], path[96];

		temp_make(folder);
		EXPECT(BRSKI_OK, brski_certs_to_pem(root, &pem, &err));
		snprintf(path, sizeof(path), "%s/root.pem", folder);
		file_write(path, brski_buf_span(&pem));
		EXPECT(BRSKI_OK, brski_voucher_request_pledge(&dev, registrar.cert, nonce, NOW, &cms, &err));
		snprintf(path, sizeof(path), "%s/vr.cms", folder);
		file_write(path, brski_buf_span(&cms));
		ck_assert_int_eq(
			run("cd %s && openssl cms -verify -binary -inform DER -in vr.cms -CAfile root.pem "
			    "-purpose any -out vr.json && grep -q '\"serial-number\":\"S-1\"' vr.json",
				folder),
			0);
		temp_remove(folder);
		brski_buf_free(&pem);
		pki_free_certs(root);
		pki_free(&dev);
	}
}
END_TEST

/* ---- The registrar's check of it, each rule broken once ---- */

/* RFC 8995 5.2: signed with the IDevID, which is the tunnel's peer */
START_TEST(signed_by_another_device)
{
	struct brski_credential other = pki_leaf("serialNumber=S-1", "P-256", &line);
	struct brski_credential twin =
		pki_make(&(struct pki_spec){.subject = "serialNumber=S-1", .key = idevid.key}, &line);

	EXPECT(BRSKI_OK, brski_voucher_request_pledge(&other, registrar.cert, nonce, NOW, &cms, &err));
	EXPECT_WHY(BRSKI_MISMATCH, "another device", check());
	check_refused_empty();
	EXPECT(BRSKI_OK, brski_voucher_request_pledge(&twin, registrar.cert, nonce, NOW, &cms, &err));
	EXPECT_WHY(BRSKI_MISMATCH, "another device", check());
	pki_free(&other);
	pki_free(&twin);
}
END_TEST

/* What an honest library would not make: a request with these leaves, signed by the pledge. */
static void sign_leaves(const struct brski_voucher *leaves)
{
	EXPECT(BRSKI_OK, brski_voucher_sign(leaves, &idevid, true, &cms, &err));
}

static struct brski_voucher honest(void)
{
	struct brski_voucher out = {.is_request = true,
		.created_on = NOW,
		.assertion = BRSKI_ASSERTION_PROXIMITY,
		.serial_number = "S-1"};

	ck_assert_int_eq(brski_buf_set(&out.nonce, nonce), BRSKI_OK);
	EXPECT(BRSKI_OK, brski_cert_to_der(registrar.cert, &out.proximity_registrar_cert, &err));
	return out;
}

/* RFC 8995 5.5: "MUST verify that the serial-number field it parsed matches" */
START_TEST(another_serial_number)
{
	struct brski_voucher lie = honest();

	sign_leaves(&lie);
	EXPECT(BRSKI_OK, check());
	strcpy(lie.serial_number, "S-2");
	sign_leaves(&lie);
	EXPECT_WHY(BRSKI_MISMATCH, "\"S-2\"", check());
	check_refused_empty();
	brski_voucher_free(&lie);
}
END_TEST

/* RFC 8995 5.2: "The registrar confirms that the assertion is "proximity"" */
START_TEST(another_assertion)
{
	static const enum brski_assertion others[] = {
		BRSKI_ASSERTION_NONE, BRSKI_ASSERTION_LOGGED, BRSKI_ASSERTION_VERIFIED};
	struct brski_voucher lie = honest();

	for (size_t i = 0; i < 3; i++) {
		lie.assertion = others[i];
		sign_leaves(&lie);
		EXPECT_WHY(BRSKI_MISMATCH, "not proximity", check());
	}
	brski_voucher_free(&lie);
}
END_TEST

/* RFC 8995 5.2: "and that pinned proximity-registrar-cert is the registrar's certificate" */
START_TEST(another_registrar)
{
	struct brski_credential rogue =
		pki_make(&(struct pki_spec){.subject = "CN=Registrar", .key = registrar.key}, &domain);
	struct brski_voucher lie = honest();

	EXPECT(BRSKI_OK, brski_voucher_request_pledge(&idevid, rogue.cert, nonce, NOW, &cms, &err));
	EXPECT_WHY(BRSKI_MISMATCH, "another registrar", check());
	brski_buf_free(&lie.proximity_registrar_cert);
	sign_leaves(&lie);
	EXPECT_WHY(BRSKI_MISMATCH, "no proximity-registrar-cert", check());
	ck_assert_int_eq(brski_buf_set(&lie.proximity_registrar_cert, brski_span_str("junk")), BRSKI_OK);
	sign_leaves(&lie);
	EXPECT_WHY(BRSKI_MISMATCH, "another registrar", check());
	brski_voucher_free(&lie);
	pki_free(&rogue);
}
END_TEST

/* RFC 8995 5.2: "MUST contain a cryptographically strong random or pseudo-random number nonce" */
START_TEST(no_nonce)
{
	struct brski_voucher lie = honest();

	brski_buf_free(&lie.nonce);
	sign_leaves(&lie);
	EXPECT_WHY(BRSKI_MALFORMED, "nonce", check());
	check_refused_empty();
	brski_voucher_free(&lie);
}
END_TEST

START_TEST(a_voucher_is_no_request)
{
	struct brski_voucher lie = honest();

	lie.is_request = false;
	ck_assert_int_eq(brski_buf_set(&lie.pinned_domain_cert, brski_span_str("pin")), BRSKI_OK);
	sign_leaves(&lie);
	EXPECT_WHY(BRSKI_UNEXPECTED, "voucher-request is due", check());
	brski_voucher_free(&lie);
}
END_TEST

static void refuse_damaged(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	struct brski_voucher got, *want = ctx;
	enum brski_code code = brski_voucher_request_check(damaged, peer, registrar.cert, &got, &err);

	/* what passes says the same, since the signer's certificate is the tunnel's own, octet for octet */
	if (code == BRSKI_OK) {
		ck_assert_msg(
			strcmp(got.serial_number, want->serial_number) == 0, "%s at %zu", how->kind, how->at);
		ck_assert(brski_span_equal(brski_buf_span(&got.nonce), brski_buf_span(&want->nonce)));
		ck_assert(brski_span_equal(brski_buf_span(&got.proximity_registrar_cert),
			brski_buf_span(&want->proximity_registrar_cert)));
		ck_assert_int_eq(got.created_on, want->created_on);
		ck_assert_str_ne(how->kind, "cut");
		ck_assert_str_ne(how->kind, "appended");
	}
	brski_voucher_free(&got);
}

START_TEST(damaged_pledge_request)
{
	EXPECT(BRSKI_OK, brski_voucher_request_pledge(&idevid, registrar.cert, nonce, NOW, &cms, &err));
	EXPECT(BRSKI_OK, check());
	mutate_truncations(brski_buf_span(&cms), refuse_damaged, &v);
	mutate_octets_once(brski_buf_span(&cms), refuse_damaged, &v);
	mutate_appended(brski_buf_span(&cms), refuse_damaged, &v);
}
END_TEST

/* ---- The registrar's own ---- */

/* RFC 8995 5.5 */
START_TEST(registrar_request_of_a_pledges)
{
	struct brski_buf pledge_cms = {0}, akid = {0};
	struct brski_voucher pledge;
	STACK_OF(X509) *certs;

	EXPECT(BRSKI_OK,
		brski_voucher_request_pledge(&idevid, registrar.cert, nonce, NOW, &pledge_cms, &err));
	EXPECT(BRSKI_OK, brski_voucher_request_check(
				 brski_buf_span(&pledge_cms), peer, registrar.cert, &pledge, &err));
	strcpy(pledge.serial_number, "claimed"); /* MUST NOT simply be copied */
	EXPECT(BRSKI_OK, brski_voucher_request_registrar(&registrar, idevid.cert, &pledge,
				 brski_buf_span(&pledge_cms), NOW + 5, &cms, &err));
	certs = signers_of(brski_buf_span(&cms), &v);
	ck_assert(v.is_request);
	ck_assert(brski_cert_equal(sk_X509_value(certs, 0), registrar.cert));
	ck_assert_str_eq(v.serial_number, "S-1");
	ck_assert_int_eq(v.created_on, NOW + 5);
	ck_assert_int_eq(v.assertion, BRSKI_ASSERTION_PROXIMITY);
	ck_assert(brski_span_equal(brski_buf_span(&v.nonce), nonce));
	ck_assert(brski_span_equal(
		brski_buf_span(&v.prior_signed_voucher_request), brski_buf_span(&pledge_cms)));
	EXPECT(BRSKI_OK, brski_cert_authority_key_id(idevid.cert, &akid, &err));
	ck_assert(brski_span_equal(brski_buf_span(&v.idevid_issuer), brski_buf_span(&akid)));
	/* "The proximity-registrar-cert field MUST NOT be present in the registrar voucher-request" */
	ck_assert_uint_eq(v.proximity_registrar_cert.len, 0);
	pki_free_certs(certs);
	brski_voucher_free(&pledge);
	brski_buf_free(&pledge_cms);
	brski_buf_free(&akid);
}
END_TEST

/* RFC 8995 3.1: no nonce, no prior-signed-voucher-request */
START_TEST(nonceless_registrar_requests)
{
	STACK_OF(X509) *certs;

	EXPECT(BRSKI_OK, brski_voucher_request_registrar(
				 &registrar, idevid.cert, NULL, brski_span(NULL, 0), NOW, &cms, &err));
	certs = signers_of(brski_buf_span(&cms), &v);
	ck_assert_str_eq(v.serial_number, "S-1");
	ck_assert_uint_gt(v.idevid_issuer.len, 0);
	ck_assert_uint_eq(v.nonce.len + v.prior_signed_voucher_request.len, 0);
	ck_assert_int_eq(v.assertion, BRSKI_ASSERTION_NONE);
	pki_free_certs(certs);
	brski_voucher_free(&v);

	EXPECT(BRSKI_OK, brski_voucher_request_nonceless(
				 &registrar, "S-9", brski_span_str("issuer"), NOW, &cms, &err));
	certs = signers_of(brski_buf_span(&cms), &v);
	ck_assert_str_eq(v.serial_number, "S-9");
	ck_assert(brski_span_equal(brski_buf_span(&v.idevid_issuer), brski_span_str("issuer")));
	ck_assert_uint_eq(v.nonce.len + v.prior_signed_voucher_request.len, 0);
	pki_free_certs(certs);
	EXPECT(BRSKI_MALFORMED,
		brski_voucher_request_nonceless(&registrar, "", brski_span_str("issuer"), NOW, &cms, &err));
}
END_TEST

START_TEST(idevid_without_an_authority_key_identifier)
{
	struct brski_credential bare =
		pki_make(&(struct pki_spec){.subject = "serialNumber=S-1", .no_aki = true}, &line);
	STACK_OF(X509) *certs;

	EXPECT(BRSKI_OK, brski_voucher_request_registrar(
				 &registrar, bare.cert, NULL, brski_span(NULL, 0), NOW, &cms, &err));
	certs = signers_of(brski_buf_span(&cms), &v);
	ck_assert_uint_eq(v.idevid_issuer.len, 24); /* rfc8366bis 6.1: of the SHA-1 of its key */
	pki_free_certs(certs);
	pki_free(&bare);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {pledge_request_passes, pledge_without_a_clock_says_no_date,
		pledge_sends_its_chain_without_the_root, pledge_needs_a_serial_number_and_a_fair_nonce,
		openssl_program_verifies_requests, signed_by_another_device, another_serial_number,
		another_assertion, another_registrar, no_nonce, a_voucher_is_no_request,
		damaged_pledge_request, registrar_request_of_a_pledges, nonceless_registrar_requests,
		idevid_without_an_authority_key_identifier};

	return run_tests("voucher_request", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
