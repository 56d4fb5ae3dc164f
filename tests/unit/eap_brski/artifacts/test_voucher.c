/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "eap_brski/artifacts/voucher.h"
#include "eap_brski/artifacts/voucher_cms.h"
#include "eap_brski/artifacts/voucher_json.h"
#include "eap_brski/pki/cms.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/mutate.h"
#include "tests/unit/support/pki.h"

static struct brski_error err;
static struct brski_voucher v;

static void teardown(void)
{
	brski_voucher_free(&v);
}

static enum brski_code parse(const char *json)
{
	brski_voucher_free(&v);
	return brski_voucher_parse(brski_span_str(json),
		strstr(json, "\"ietf-voucher-request:voucher\"") ? BRSKI_VOUCHER_REQUEST : BRSKI_VOUCHER, &v,
		&err);
}

static void check_empty(void)
{
	static const struct brski_voucher empty;

	ck_assert_int_eq(memcmp(&v, &empty, sizeof(v)), 0);
}

/* RFC 8366 3, figure "example", and the leaves that RFC 8366 5.3 has; "cGlu" is "pin", "aXNz" is "iss" */
static const char full_voucher[] =
	"{\"ietf-voucher:voucher\":{\"created-on\":\"2016-10-07T19:31:42Z\",\"expires-on\":\"2016-10-21T19:"
	"31:42Z\","
	"\"assertion\":\"verified\",\"serial-number\":\"JADA123456789\",\"idevid-issuer\":\"aXNz\","
	"\"pinned-domain-cert\":\"cGlu\",\"last-renewal-date\":\"2017-10-07T19:31:42Z\","
	"\"domain-cert-revocation-checks\":true}}";

START_TEST(reads_every_leaf_of_a_voucher)
{
	EXPECT(BRSKI_OK, parse(full_voucher));
	ck_assert(!v.is_request);
	ck_assert_int_eq(v.created_on, 1475868702);
	ck_assert_int_eq(v.expires_on, 1477078302);
	ck_assert_int_eq(v.last_renewal_date, 1507404702);
	ck_assert_int_eq(v.assertion, BRSKI_ASSERTION_VERIFIED);
	ck_assert_str_eq(v.serial_number, "JADA123456789");
	ck_assert(brski_span_equal(brski_buf_span(&v.idevid_issuer), brski_span_str("iss")));
	ck_assert(brski_span_equal(brski_buf_span(&v.pinned_domain_cert), brski_span_str("pin")));
	ck_assert(v.has_revocation_checks && v.domain_cert_revocation_checks);
	ck_assert_uint_eq(v.nonce.len, 0);
}
END_TEST

START_TEST(reads_every_leaf_of_a_request)
{
	EXPECT(BRSKI_OK,
		parse("{\"ietf-voucher-request:voucher\":{\"assertion\":\"proximity\","
		      "\"nonce\":\"62a2e7693d82fcda2624de58fb6722e5\",\"serial-number\":\"JADA123456789\","
		      "\"created-on\":\"2017-01-01T00:00:00.000Z\",\"proximity-registrar-cert\":\"cHJv\","
		      "\"idevid-issuer\":\"aXNz\",\"prior-signed-voucher-request\":\"cHJp\"}}"));
	ck_assert(v.is_request);
	ck_assert_int_eq(v.created_on, 1483228800);
	ck_assert_int_eq(v.assertion, BRSKI_ASSERTION_PROXIMITY);
	ck_assert_uint_eq(v.nonce.len, 24); /* RFC 8995 3.3's text is base64, whatever it looks like */
	ck_assert(brski_span_equal(brski_buf_span(&v.proximity_registrar_cert), brski_span_str("pro")));
	ck_assert(brski_span_equal(brski_buf_span(&v.prior_signed_voucher_request), brski_span_str("pri")));
	EXPECT(BRSKI_OK, parse("{\"ietf-voucher-request:voucher\":{\"serial-number\":\"x\"}}"));
}
END_TEST

START_TEST(what_is_printed_parses_to_the_same)
{
	struct brski_voucher request = {.is_request = true,
		.created_on = 1700000000,
		.assertion = BRSKI_ASSERTION_PROXIMITY,
		.serial_number = "S \"1\""};
	struct brski_buf json = {0}, again = {0};

	EXPECT(BRSKI_OK, parse(full_voucher));
	EXPECT(BRSKI_OK, brski_voucher_print(&v, &json, &err));
	brski_voucher_free(&v);
	EXPECT(BRSKI_OK, brski_voucher_parse(brski_buf_span(&json), BRSKI_VOUCHER, &v, &err));
	EXPECT(BRSKI_OK, brski_voucher_print(&v, &again, &err));
	ck_assert(brski_span_equal(brski_buf_span(&json), brski_buf_span(&again)));
	ck_assert_uint_eq(json.len, sizeof(full_voucher) - 1);

	ck_assert_int_eq(
		brski_buf_set(&request.nonce, brski_span("\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8", 8)), BRSKI_OK);
	ck_assert_int_eq(
		brski_buf_set(&request.prior_signed_voucher_request, brski_span_str("prior")), BRSKI_OK);
	EXPECT(BRSKI_OK, brski_voucher_print(&request, &json, &err));
	brski_voucher_free(&v);
	EXPECT(BRSKI_OK, brski_voucher_parse(brski_buf_span(&json), BRSKI_VOUCHER_REQUEST, &v, &err));
	ck_assert(v.is_request);
	ck_assert_str_eq(v.serial_number, "S \"1\"");
	ck_assert(brski_span_equal(brski_buf_span(&v.nonce), brski_buf_span(&request.nonce)));
	/* YANG's binary, not base64url: RFC 7950 9.8.2 */
	ck_assert_ptr_nonnull(memmem(json.data, json.len, "\"//79/Pv6+fg=\"", 14));
	brski_voucher_free(&request);
	brski_buf_free(&json);
	brski_buf_free(&again);
}
END_TEST

START_TEST(nonce_in_either_alphabet)
{
	static const char *const same[] = {
		"-_XE9zK9q8Ll1qylMtLKeg", "+/XE9zK9q8Ll1qylMtLKeg==", "+/XE9zK9q8Ll1qylMtLKeg"};
	static const uint8_t want[] = {0xfb, 0xf5, 0xc4, 0xf7, 0x32, 0xbd, 0xab, 0xc2, 0xe5, 0xd6, 0xac, 0xa5,
		0x32, 0xd2, 0xca, 0x7a};
	char json[200];

	for (size_t i = 0; i < 3; i++) {
		snprintf(json, sizeof(json),
			"{\"ietf-voucher-request:voucher\":{\"serial-number\":\"x\",\"nonce\":\"%s\"}}",
			same[i]);
		EXPECT(BRSKI_OK, parse(json));
		ck_assert(brski_span_equal(brski_buf_span(&v.nonce), brski_span(want, sizeof(want))));
	}
}
END_TEST

#define R(leaves) "{\"ietf-voucher-request:voucher\":{" leaves "}}"
#define V(leaves) "{\"ietf-voucher:voucher\":{" leaves "}}"
#define S "\"serial-number\":\"x\""
#define VS \
	S ",\"created-on\":\"2020-01-01T00:00:00Z\",\"assertion\":\"logged\",\"pinned-domain-cert\":" \
	  "\"cGlu\""

/* Each breaks one rule of RFC 8366 5.3, RFC 8995 3.4, RFC 7951 or RFC 8259. */
static const struct {
	const char *json, *words;
} broken[] = {
	{"", ""},
	{"[]", "object"},
	{"{}", "JSON of 0 members where a voucher is due"},
	{"{\"ietf-voucher:voucher\":[]}", "object"},
	{"{\"ietf-voucher:voucher\":null}", "object"},
	{"{\"voucher\":{" VS "}}", "JSON is \"voucher\" where a voucher is due, \"ietf-voucher:voucher\""},
	{"{\"ietf-voucher-request:request\":{" S "}}", "\"ietf-voucher-request:request\" where"},
	{"{\"ietf-voucher:voucher\":{" VS "},\"ietf-voucher-request:voucher\":{" S "}}", "JSON of 2 members"},
	{"{\"ietf-voucher:voucher\":{" VS "},\"more\":1}", "JSON of 2 members"},
	{V(VS) "x", ""},
	{V(VS ",\"assertion\":\"verified\""), ""},
	{R(S ",\"serial-number\":\"y\""), ""},
	{R("\"assertion\":\"proximity\""), "serial-number is missing"},
	{R("\"serialNumber\":\"x\""), "serial-number is missing (\"serialNumber\" is there"},
	{R("\"serial-number\":\"\""), "serial-number"},
	{R("\"serial-number\":7"), "serial-number is not a string"},
	{R("\"serial-number\":\"a\\u0007\""), "serial-number"},
	{R("\"serial-number\":\"a\\u0000b\""), ""},
	{R("\"serial-number\":\"\\u00fc\""), "serial-number"},
	{V(S ",\"created-on\":\"2020-01-01T00:00:00Z\",\"assertion\":\"logged\""),
		"pinned-domain-cert is missing"},
	{V(VS ",\"last-renewal-date\":\"2030-01-01T00:00:00Z\""), "last-renewal-date without"},
	{R(S ",\"nonce\":\"MTIzNDU2Nw==\""), "7 octets"},
	{R(S ",\"nonce\":\"MTIzNDU2NzgxMjM0NTY3ODEyMzQ1Njc4MTIzNDU2Nzg5\""), "33 octets"},
	{R(S ",\"nonce\":\"\""), "0 octets"},
	{R(S ",\"nonce\":\"-/XE9zK9q8Ll1qylMtLKeg\""), "nonce"},
	{R(S ",\"nonce\":\"MTIzNDU2Nzg=\\n\""), "nonce"},
	{R(S ",\"nonce\":null"), "nonce is not a string"},
	{R(S ",\"assertion\":2"), "assertion is not a string"},
	{R(S ",\"created-on\":\"yesterday\""), "created-on"},
	{R(S ",\"created-on\":1600000000"), "created-on is not a string"},
	{R(S ",\"expires-on\":\"1970-01-01T00:00:00Z\""), "expires-on lies before 1970"},
	{R(S ",\"expires-on\":\"1960-01-01T00:00:00Z\""), "expires-on lies before 1970"},
	{R(S ",\"idevid-issuer\":\"\""), "idevid-issuer is empty"},
	{R(S ",\"idevid-issuer\":\"!\""), "idevid-issuer"},
	/* base64url is for nonces alone */
	{R(S ",\"idevid-issuer\":\"-_XE9zK9q8Ll1qylMtLKeg\""), "idevid-issuer"},
	{R(S ",\"proximity-registrar-cert\":true"), "proximity-registrar-cert is not a string"},
	{R(S ",\"prior-signed-voucher-request\":\"\""), "prior-signed-voucher-request is empty"},
	{V(VS ",\"domain-cert-revocation-checks\":\"true\""), "not a boolean"},
	{V(VS ",\"domain-cert-revocation-checks\":0"), "not a boolean"},
};

START_TEST(every_rule_broken_once)
{
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		EXPECT_WHY(BRSKI_MALFORMED, broken[i].words, parse(broken[i].json));
		check_empty();
	}
	/* and whole they are well */
	EXPECT(BRSKI_OK, parse(R(S)));
	EXPECT(BRSKI_OK, parse(V(VS)));
}
END_TEST

/* rfc8366bis is read; we write by RFC 8366, which everybody reads */
START_TEST(what_the_next_rfc_allows)
{
	struct brski_buf json = {0};

	EXPECT(BRSKI_OK, parse(V(S ",\"pinned-domain-cert\":\"cGlu\"")));
	ck_assert_int_eq(v.created_on, 0);
	ck_assert_int_eq(v.assertion, BRSKI_ASSERTION_NONE);
	EXPECT_WHY(BRSKI_MALFORMED, "created-on", brski_voucher_print(&v, &json, &err));
	EXPECT(BRSKI_OK, parse(V(VS ",\"nonce\":\"MTIzNDU2Nzg=\",\"expires-on\":\"2030-01-01T00:00:00Z\"")));
	ck_assert(v.nonce.len == 8 && v.expires_on != 0);
	EXPECT_WHY(BRSKI_MALFORMED, "exclude", brski_voucher_print(&v, &json, &err));
	EXPECT(BRSKI_OK, parse(R(S ",\"assertion\":\"agent-proximity\"")));
	ck_assert_int_eq(v.assertion, BRSKI_ASSERTION_AGENT_PROXIMITY);
	EXPECT(BRSKI_OK, parse(R(S ",\"assertion\":\"Proximity\"")));
	ck_assert_int_eq(v.assertion, BRSKI_ASSERTION_OTHER);
	EXPECT_WHY(BRSKI_MALFORMED, "assertion", brski_voucher_print(&v, &json, &err));
	EXPECT(BRSKI_OK, parse(V(S ",\"pinned-domain-pubk\":\"cGlu\"")));
	ck_assert(brski_span_equal(brski_buf_span(&v.pinned_domain_pubk), brski_span_str("pin")));
	EXPECT(BRSKI_OK, parse(V(S ",\"pinned-domain-pubk-sha256\":\"cGlu\"")));
	ck_assert(brski_span_equal(brski_buf_span(&v.pinned_domain_pubk_sha256), brski_span_str("pin")));
	brski_buf_free(&json);
}
END_TEST

START_TEST(serial_number_has_a_longest_form)
{
	char json[400], serial[BRSKI_SERIAL_MAX + 1];

	memset(serial, 's', sizeof(serial));
	serial[BRSKI_SERIAL_MAX - 1] = '\0';
	snprintf(json, sizeof(json), R("\"serial-number\":\"%s\""), serial);
	EXPECT(BRSKI_OK, parse(json));
	serial[BRSKI_SERIAL_MAX - 1] = 's';
	serial[BRSKI_SERIAL_MAX] = '\0';
	snprintf(json, sizeof(json), R("\"serial-number\":\"%s\""), serial);
	EXPECT_WHY(BRSKI_MALFORMED, "serial-number", parse(json));
}
END_TEST

/* RFC 8995 3.4: "any occurrence MUST be ignored", however broken */
START_TEST(request_ignores_what_has_no_place_there)
{
	EXPECT(BRSKI_OK, parse(R(S ",\"pinned-domain-cert\":7,\"last-renewal-date\":\"x\","
				   "\"domain-cert-revocation-checks\":\"maybe\"")));
	ck_assert_uint_eq(v.pinned_domain_cert.len, 0);
	ck_assert_int_eq(v.last_renewal_date, 0);
	ck_assert(!v.has_revocation_checks);
}
END_TEST

/* RFC 8995 5.6.1: "MUST be prepared to ignore additional fields that it does not recognize" */
START_TEST(unknown_leaves_are_passed_over)
{
	EXPECT(BRSKI_OK, parse(V(VS ",\"extensions\":[\"example\"],\"est-domain\":\"https://est.example\","
				    "\"prior-signed-voucher-request\":\"!\"")));
	ck_assert_uint_eq(v.prior_signed_voucher_request.len, 0);
}
END_TEST

/* We never say what we would refuse. */
START_TEST(print_keeps_the_rules_too)
{
	struct brski_voucher good = {
		.created_on = 1600000000, .assertion = BRSKI_ASSERTION_LOGGED, .serial_number = "x"};
	struct brski_buf json = {0};
	struct brski_voucher bad;

	EXPECT_WHY(BRSKI_MALFORMED, "pinned-domain-cert", brski_voucher_print(&good, &json, &err));
	ck_assert_int_eq(brski_buf_set(&good.pinned_domain_cert, brski_span_str("pin")), BRSKI_OK);
	EXPECT(BRSKI_OK, brski_voucher_print(&good, &json, &err));
	bad = good;
	bad.serial_number[0] = '\0';
	EXPECT_WHY(BRSKI_MALFORMED, "serial-number", brski_voucher_print(&bad, &json, &err));
	ck_assert_uint_eq(json.len, 0);
	bad = good;
	bad.created_on = 0;
	EXPECT_WHY(BRSKI_MALFORMED, "created-on", brski_voucher_print(&bad, &json, &err));
	bad = good;
	bad.assertion = BRSKI_ASSERTION_NONE;
	EXPECT_WHY(BRSKI_MALFORMED, "assertion", brski_voucher_print(&bad, &json, &err));
	bad = good;
	bad.nonce = (struct brski_buf){.data = (uint8_t[8]){0}, .len = 8};
	bad.expires_on = 1700000000;
	EXPECT_WHY(BRSKI_MALFORMED, "exclude", brski_voucher_print(&bad, &json, &err));
	bad.expires_on = 0;
	EXPECT(BRSKI_OK, brski_voucher_print(&bad, &json, &err));
	bad.nonce.len = 7;
	EXPECT_WHY(BRSKI_MALFORMED, "nonce", brski_voucher_print(&bad, &json, &err));
	brski_voucher_free(&good);
	brski_buf_free(&json);
}
END_TEST

/* RFC 8366 5.3: "The expires-on value MUST NOT exceed the expiration date of" the pinned certificate */
START_TEST(no_voucher_outlives_its_pinned_certificate)
{
	time_t now = time(NULL);
	struct brski_credential domain = pki_make(
		&(struct pki_spec){.subject = "CN=Domain", .ca = true, .not_after = now + 1000}, NULL);
	struct brski_voucher voucher = {.created_on = now,
		.assertion = BRSKI_ASSERTION_LOGGED,
		.serial_number = "x",
		.expires_on = now + 1001};
	struct brski_buf cms = {0};

	EXPECT(BRSKI_OK, brski_cert_to_der(domain.cert, &voucher.pinned_domain_cert, &err));
	EXPECT_WHY(BRSKI_EXPIRED, "outlive", brski_voucher_sign(&voucher, &domain, false, &cms, &err));
	ck_assert_uint_eq(cms.len, 0);
	voucher.expires_on = now + 999;
	EXPECT(BRSKI_OK, brski_voucher_sign(&voucher, &domain, false, &cms, &err));
	brski_voucher_free(&voucher);
	brski_buf_free(&cms);
	pki_free(&domain);
}
END_TEST

static void parse_damaged(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	struct brski_voucher got;

	(void)ctx;
	(void)how;
	/* no signature here: it must only hold together */
	if (brski_voucher_parse(damaged, BRSKI_VOUCHER, &got, &err) == BRSKI_OK) {
		ck_assert_uint_lt(strlen(got.serial_number), BRSKI_SERIAL_MAX);
		ck_assert(got.is_request || got.pinned_domain_cert.len > 0);
		ck_assert(got.nonce.len == 0 || got.nonce.len >= BRSKI_NONCE_MIN);
	}
	brski_voucher_free(&got);
}

START_TEST(damaged_json)
{
	mutate_all(brski_span_str(full_voucher), parse_damaged, NULL);
}
END_TEST

START_TEST(assertions_have_names)
{
	static const char *const others[] = {"none", "other", "", "Verified", "verified ", "unknown error"};

	for (int i = BRSKI_ASSERTION_VERIFIED; i <= BRSKI_ASSERTION_AGENT_PROXIMITY; i++)
		ck_assert_int_eq(brski_assertion_parse(brski_assertion_name((enum brski_assertion)i)), i);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		ck_assert_int_eq(brski_assertion_parse(others[i]), BRSKI_ASSERTION_OTHER);
	ck_assert_str_eq(brski_assertion_name(BRSKI_ASSERTION_NONE), "none");
}
END_TEST

/* One under the name of the other is told as that, and not by the leaves that the other has. */
START_TEST(one_kind_for_the_other)
{
	static const char request[] = R(S), as_voucher[] = V(S);

	EXPECT_WHY(BRSKI_UNEXPECTED, "\"ietf-voucher:voucher\" where a voucher-request is due",
		brski_voucher_parse(brski_span_str(as_voucher), BRSKI_VOUCHER_REQUEST, &v, &err));
	check_empty();
	EXPECT_WHY(BRSKI_UNEXPECTED, "\"ietf-voucher-request:voucher\" where a voucher is due",
		brski_voucher_parse(brski_span_str(request), BRSKI_VOUCHER, &v, &err));
	check_empty();
}
END_TEST

START_TEST(open_gives_nothing_when_the_content_is_wrong)
{
	struct brski_credential masa = pki_root("CN=MASA");
	struct brski_buf cms = {0};
	STACK_OF(X509) *certs = NULL;

	EXPECT(BRSKI_OK, brski_cms_sign(brski_span_str("{}"), &masa, false, &cms, &err));
	/* a CA's key usage does not allow it to sign messages */
	EXPECT(BRSKI_UNTRUSTED,
		brski_voucher_open(brski_buf_span(&cms), NULL, BRSKI_VOUCHER, &v, &certs, &err));
	pki_free(&masa);
	masa = pki_leaf("CN=MASA", "P-256", NULL);
	EXPECT(BRSKI_OK, brski_cms_sign(brski_span_str("{}"), &masa, false, &cms, &err));
	EXPECT(BRSKI_MALFORMED,
		brski_voucher_open(brski_buf_span(&cms), NULL, BRSKI_VOUCHER, &v, &certs, &err));
	ck_assert_ptr_null(certs);
	check_empty();
	EXPECT(BRSKI_OK, brski_cms_sign(brski_span_str(full_voucher), &masa, false, &cms, &err));
	EXPECT(BRSKI_OK, brski_voucher_open(brski_buf_span(&cms), NULL, BRSKI_VOUCHER, &v, &certs, &err));
	ck_assert(brski_cert_equal(sk_X509_value(certs, 0), masa.cert));
	pki_free_certs(certs);
	brski_buf_free(&cms);
	pki_free(&masa);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {reads_every_leaf_of_a_voucher, reads_every_leaf_of_a_request,
		what_is_printed_parses_to_the_same, nonce_in_either_alphabet, every_rule_broken_once,
		what_the_next_rfc_allows, serial_number_has_a_longest_form,
		request_ignores_what_has_no_place_there, unknown_leaves_are_passed_over,
		print_keeps_the_rules_too, no_voucher_outlives_its_pinned_certificate, damaged_json,
		assertions_have_names, one_kind_for_the_other, open_gives_nothing_when_the_content_is_wrong};

	return run_tests("voucher", NULL, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
