/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include <openssl/x509v3.h>

#include "eap_brski/artifacts/audit_log.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/mutate.h"
#include "tests/unit/support/pki.h"

static struct brski_error err;
static struct brski_audit_log audit;

static void teardown(void)
{
	brski_audit_log_free(&audit);
}

static enum brski_code parse(const char *json)
{
	brski_audit_log_free(&audit);
	return brski_audit_log_parse(brski_span_str(json), &audit, &err);
}

/* RFC 8995 figure 18, word for word */
static const char example[] = "{\n"
			      "  \"version\":\"1\",\n"
			      "  \"events\":[\n"
			      "    {\n"
			      "        \"date\":\"2019-05-15T17:25:55.644-04:00\",\n"
			      "        \"domainID\":\"BduJhdHPpfhQLyponf48JzXSGZ8=\",\n"
			      "        \"nonce\":\"VOUFT-WwrEv0NuAQEHoV7Q\",\n"
			      "        \"assertion\":\"proximity\",\n"
			      "        \"truncated\":\"0\"\n"
			      "    },\n"
			      "    {\n"
			      "        \"date\":\"2017-05-15T17:25:55.644-04:00\",\n"
			      "        \"domainID\":\"BduJhdHPpfhQLyponf48JzXSGZ8=\",\n"
			      "        \"nonce\":\"f4G6Vi1t8nKo/FieCVgpBg==\",\n"
			      "        \"assertion\":\"proximity\"\n"
			      "    }\n"
			      "  ],\n"
			      "    \"truncation\": {\n"
			      "        \"nonced duplicates\": \"0\",\n"
			      "        \"nonceless duplicates\": \"1\",\n"
			      "        \"arbitrary\": \"2\"\n"
			      "     }\n"
			      "}\n";

START_TEST(example_of_the_rfc)
{
	EXPECT(BRSKI_OK, parse(example));
	ck_assert_uint_eq(audit.n_events, 2);
	ck_assert_int_eq(audit.events[0].date, 1557955555);
	ck_assert_int_eq(audit.events[1].date, 1494883555);
	ck_assert_uint_eq(audit.events[0].domain_id.len, 20);
	ck_assert_int_eq(memcmp(audit.events[0].domain_id.data, "\x05\xdb\x89\x85", 4), 0);
	ck_assert(brski_span_equal(
		brski_buf_span(&audit.events[0].nonce), brski_span_str("VOUFT-WwrEv0NuAQEHoV7Q")));
	ck_assert(brski_span_equal(
		brski_buf_span(&audit.events[1].nonce), brski_span_str("f4G6Vi1t8nKo/FieCVgpBg==")));
	ck_assert_int_eq(audit.events[0].assertion, BRSKI_ASSERTION_PROXIMITY);
	ck_assert_str_eq(audit.events[0].truncated, "");
	ck_assert_int_eq(audit.truncated, 2);
	ck_assert_int_eq(audit.duplicates, 1);
}
END_TEST

#define LOG(events) "{\"version\":1,\"events\":[" events "]}"
#define EV(rest) "{\"date\":\"2020-01-01T00:00:00Z\",\"domainID\":\"YWFhYQ==\"," rest "}"
#define GOOD EV("\"nonce\":null,\"assertion\":\"logged\"")
#define NO_NONCE EV("\"assertion\":\"verified\"")
#define ODD_NONCE EV("\"nonce\":\"not base64!\",\"assertion\":\"logged\"")
#define EMPTY_NONCE EV("\"nonce\":\"\",\"assertion\":\"logged\"")

START_TEST(nonces)
{
	EXPECT(BRSKI_OK, parse(LOG(GOOD "," NO_NONCE "," ODD_NONCE "," EMPTY_NONCE)));
	ck_assert_uint_eq(audit.events[0].nonce.len, 0);
	ck_assert_uint_eq(audit.events[1].nonce.len, 0);
	ck_assert(brski_span_equal(brski_buf_span(&audit.events[2].nonce), brski_span_str("not base64!")));
	ck_assert_uint_eq(audit.events[3].nonce.len, 0);
}
END_TEST

/* RFC 8995 5.8.1: a greater version has additional information, "No information will be removed" */
START_TEST(later_versions_and_unknown_members)
{
	EXPECT(BRSKI_OK, parse("{\"version\":2,\"more\":[],\"events\":[" EV(
				 "\"assertion\":\"logged\",\"more\":{}") "]}"));
	EXPECT(BRSKI_OK, parse("{\"version\":1,\"truncation\":{\"more\":\"x\"},\"events\":[" GOOD "]}"));
	ck_assert_int_eq(audit.truncated, 0);
	EXPECT(BRSKI_OK, parse(LOG(EV("\"assertion\":\"logged\",\"truncated\":12"))));
	ck_assert_str_eq(audit.events[0].truncated, "12");
}
END_TEST

/* Whatever is wrong with an entry: it is of no domain that is known, and the log is read. */
START_TEST(entries_of_any_form)
{
	static const char *const cases[] = {
		"7",
		"{}",
		"{\"domainID\":\"YWFhYQ==\",\"nonce\":null,\"assertion\":\"logged\"}",
		"{\"date\":\"2020\",\"domainID\":\"YWFhYQ==\",\"nonce\":null,\"assertion\":\"logged\"}",
		"{\"date\":7,\"domainID\":\"YWFhYQ==\",\"nonce\":7,\"assertion\":\"sworn\"}",
		"{\"date\":\"2020-01-01T00:00:00Z\",\"domainID\":\"!\",\"nonce\":null}",
		EV("\"nonce\":null,\"assertion\":\"agent-proximity\""),
		EV("\"assertion\":\"logged\",\"truncated\":\"many\""),
		EV("\"assertion\":\"logged\",\"truncated\":-1"),
	};
	struct brski_audit_policy strict = {0}, lenient = {.allow_foreign = true, .allow_nonceless = true};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char json[400];

		snprintf(json, sizeof(json), "{\"version\":1,\"events\":[%s]}", cases[i]);
		EXPECT(BRSKI_OK, parse(json));
		ck_assert_uint_eq(audit.n_events, 1);
		ck_assert_str_eq(audit.events[0].truncated, "");
		EXPECT_WHY(BRSKI_REFUSED, "another domain", brski_audit_log_judge(&audit, &strict, &err));
		EXPECT(BRSKI_OK, brski_audit_log_judge(&audit, &lenient, &err));
	}
	/* base64url, as some write it */
	EXPECT(BRSKI_OK, parse(LOG("{\"domainID\":\"-_8\"}")));
	ck_assert(brski_span_equal(brski_buf_span(&audit.events[0].domain_id), brski_span("\xfb\xff", 2)));
}
END_TEST

START_TEST(every_rule_broken_once)
{
	static const char *const cases[] = {
		"",
		"[]",
		"{\"events\":[" GOOD "]}",
		"{\"version\":0,\"events\":[" GOOD "]}",
		"{\"version\":\"one\",\"events\":[" GOOD "]}",
		"{\"version\":true,\"events\":[" GOOD "]}",
		"{\"version\":1}",
		"{\"version\":1,\"events\":{}}",
		LOG(""), /* [ + event ]: one at least */
		"{\"version\":1,\"truncation\":7,\"events\":[" GOOD "]}",
		"{\"version\":1,\"truncation\":{\"arbitrary\":-1},\"events\":[" GOOD "]}",
		"{\"version\":1,\"truncation\":{\"arbitrary\":true},\"events\":[" GOOD "]}",
		"{\"version\":1,\"truncation\":{\"nonced duplicates\":\"1x\"},\"events\":[" GOOD "]}",
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		EXPECT(BRSKI_MALFORMED, parse(cases[i]));
		ck_assert_ptr_null(audit.events);
		ck_assert_uint_eq(audit.n_events, 0);
	}
	EXPECT(BRSKI_OK, parse(LOG(GOOD)));
}
END_TEST

static struct brski_buf log_of(size_t n, const char *event)
{
	struct brski_buf json = {0};

	brski_put_str(&json, "{\"version\":1,\"events\":[");
	for (size_t i = 0; i < n; i++) {
		brski_put_str(&json, i > 0 ? "," : "");
		brski_put_str(&json, event);
	}
	brski_put_str(&json, "]}");
	return json;
}

START_TEST(long_logs)
{
	const size_t most = (BRSKI_AUDIT_LOG_MAX - sizeof(LOG(""))) / sizeof(GOOD);
	struct brski_buf json = log_of(most, GOOD);

	while (json.len < BRSKI_AUDIT_LOG_MAX)
		brski_put_u8(&json, ' ');
	ck_assert(!json.failed);
	EXPECT(BRSKI_OK, brski_audit_log_parse(brski_buf_span(&json), &audit, &err));
	ck_assert_uint_eq(audit.n_events, most);
	brski_audit_log_free(&audit);
	json.limit = BRSKI_AUDIT_LOG_MAX + 1;
	brski_put_u8(&json, ' ');
	EXPECT_WHY(BRSKI_TOO_LARGE, "1048577 octets",
		brski_audit_log_parse(brski_buf_span(&json), &audit, &err));
	brski_buf_free(&json);
}
END_TEST

/* Few octets may be many events, or many values, which take far more in memory. */
START_TEST(logs_of_many_events_or_values)
{
	struct brski_buf json = log_of(BRSKI_AUDIT_EVENTS_READ_MAX, "{}");

	EXPECT(BRSKI_OK, brski_audit_log_parse(brski_buf_span(&json), &audit, &err));
	ck_assert_uint_eq(audit.n_events, BRSKI_AUDIT_EVENTS_READ_MAX);
	brski_audit_log_free(&audit);
	brski_buf_free(&json);
	json = log_of(BRSKI_AUDIT_EVENTS_READ_MAX + 1, "{}");
	EXPECT_WHY(
		BRSKI_TOO_LARGE, "16385 events", brski_audit_log_parse(brski_buf_span(&json), &audit, &err));
	brski_buf_free(&json);
	json = log_of(400000, "1");
	EXPECT_WHY(BRSKI_TOO_LARGE, "values", brski_audit_log_parse(brski_buf_span(&json), &audit, &err));
	brski_buf_free(&json);
}
END_TEST

START_TEST(what_is_printed_parses_to_the_same)
{
	struct brski_buf first = {0}, second = {0};

	EXPECT(BRSKI_OK, parse(example));
	strcpy(audit.events[1].truncated, "3");
	brski_buf_free(&audit.events[1].nonce);
	EXPECT(BRSKI_OK, brski_audit_log_print(&audit, &first, &err));
	brski_audit_log_free(&audit);
	EXPECT(BRSKI_OK, brski_audit_log_parse(brski_buf_span(&first), &audit, &err));
	ck_assert_int_eq(audit.truncated, 2);
	ck_assert_int_eq(audit.duplicates, 1);
	ck_assert_str_eq(audit.events[1].truncated, "3");
	ck_assert_uint_eq(audit.events[0].nonce.len, 22);
	ck_assert_uint_eq(audit.events[1].nonce.len, 0);
	EXPECT(BRSKI_OK, brski_audit_log_print(&audit, &second, &err));
	ck_assert(brski_span_equal(brski_buf_span(&first), brski_buf_span(&second)));
	/* RFC 8995 5.8.1: null rather than left out; numbers, as the CDDL has them */
	ck_assert_ptr_nonnull(memmem(first.data, first.len, "\"nonce\":null", 12));
	ck_assert_ptr_nonnull(memmem(first.data, first.len, "\"version\":1,", 12));
	brski_audit_log_free(&audit);
	EXPECT(BRSKI_TOO_LARGE, brski_audit_log_print(&audit, &first, &err));
	brski_buf_free(&first);
	brski_buf_free(&second);
}
END_TEST

/* A full log of the longest events still fits what is read. */
START_TEST(longest_log_prints_and_parses)
{
	struct brski_audit_log big = {
		.n_events = BRSKI_AUDIT_EVENTS_MAX, .truncated = 1000, .duplicates = 1000};
	struct brski_buf json = {0};
	uint8_t octets[32] = {0};

	big.events = calloc(big.n_events, sizeof(*big.events));
	ck_assert_ptr_nonnull(big.events);
	for (size_t i = 0; i < big.n_events; i++) {
		big.events[i].assertion = BRSKI_ASSERTION_PROXIMITY;
		big.events[i].date = 1700000000;
		strcpy(big.events[i].truncated, "1024");
		ck_assert_int_eq(brski_buf_set(&big.events[i].domain_id, brski_span(octets, 32)), BRSKI_OK);
		ck_assert_int_eq(brski_buf_set(&big.events[i].nonce,
					 brski_span_str("MTIzNDU2NzgxMjM0NTY3ODEyMzQ1Njc4MTIzNDU2Nzg=")),
			BRSKI_OK);
	}
	EXPECT(BRSKI_OK, brski_audit_log_print(&big, &json, &err));
	EXPECT(BRSKI_OK, brski_audit_log_parse(brski_buf_span(&json), &audit, &err));
	ck_assert_uint_eq(audit.n_events, big.n_events);
	brski_buf_free(&json);
	brski_audit_log_free(&big);
}
END_TEST

/* RFC 8995 5.8.2: the SubjectKeyIdentifier; "If not, the SPKI Fingerprint as described in" RFC 7469 2.4 */
START_TEST(domain_ids)
{
	struct brski_credential with = pki_root("CN=Domain");
	struct brski_credential without =
		pki_make(&(struct pki_spec){.subject = "CN=Domain", .no_ski = true}, NULL);
	const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(with.cert);
	struct brski_buf id = {0};
	unsigned char *spki = NULL, digest[32];
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(without.cert), &spki);

	EXPECT(BRSKI_OK, brski_domain_id(with.cert, &id, &err));
	ck_assert(brski_span_equal(brski_buf_span(&id), brski_span(ski->data, (size_t)ski->length)));
	EXPECT(BRSKI_OK, brski_domain_id(without.cert, &id, &err));
	ck_assert_int_eq(EVP_Digest(spki, (size_t)len, digest, NULL, EVP_sha256(), NULL), 1);
	ck_assert(brski_span_equal(brski_buf_span(&id), brski_span(digest, 32)));
	OPENSSL_free(spki);
	brski_buf_free(&id);
	pki_free(&with);
	pki_free(&without);
}
END_TEST

/* RFC 8995 5.8.3; "YWFhYQ==" is "aaaa" */
#define OURS \
	"{\"date\":\"2020-01-01T00:00:00Z\",\"domainID\":\"b3Vycw==\",\"nonce\":null,\"assertion\":" \
	"\"logged\"}"
#define OTHERS_NONCED EV("\"nonce\":\"MTIzNDU2Nzg=\",\"assertion\":\"logged\"")
#define OTHERS_NONCELESS GOOD

static enum brski_code judge(const char *json, bool foreign, bool nonceless)
{
	const struct brski_span known[] = {brski_span_str("hers"), brski_span_str("ours")};
	const struct brski_audit_policy policy = {
		.known_domains = known, .n_known = 2, .allow_foreign = foreign, .allow_nonceless = nonceless};

	EXPECT(BRSKI_OK, parse(json));
	return brski_audit_log_judge(&audit, &policy, &err);
}

START_TEST(known_domains_never_offend)
{
	EXPECT(BRSKI_OK, judge(LOG(OURS "," OURS), false, false));
	EXPECT(BRSKI_OK,
		judge("{\"version\":1,\"truncation\":{\"nonceless duplicates\":5},\"events\":[" OURS "]}",
			false, false));
}
END_TEST

START_TEST(foreign_domains)
{
	EXPECT_WHY(BRSKI_REFUSED, "2020-01-01T00:00:00Z", judge(LOG(OURS "," OTHERS_NONCED), false, false));
	ck_assert_ptr_nonnull(strstr(err.why, "61616161"));
	EXPECT(BRSKI_REFUSED, judge(LOG(OTHERS_NONCED "," OURS), false, true));
	EXPECT(BRSKI_OK, judge(LOG(OURS "," OTHERS_NONCED), true, false));
}
END_TEST

START_TEST(nonceless_vouchers_of_foreign_domains)
{
	EXPECT_WHY(BRSKI_REFUSED, "nonceless", judge(LOG(OTHERS_NONCED "," OTHERS_NONCELESS), true, false));
	EXPECT(BRSKI_OK, judge(LOG(OTHERS_NONCELESS), true, true));
	EXPECT(BRSKI_REFUSED, judge(LOG(OTHERS_NONCELESS), false, true));
}
END_TEST

START_TEST(what_is_left_out_may_be_foreign)
{
	static const char cut[] = "{\"version\":1,\"truncation\":{\"arbitrary\":4},\"events\":[" OURS "]}";

	EXPECT_WHY(BRSKI_REFUSED, "4 events", judge(cut, false, false));
	EXPECT(BRSKI_OK, judge(cut, true, false));
}
END_TEST

/* one octet more or less is another domain */
START_TEST(domain_ids_are_compared_whole)
{
	EXPECT(BRSKI_REFUSED,
		judge(LOG("{\"date\":\"2020-01-01T00:00:00Z\",\"domainID\":\"b3Vy\",\"nonce\":null,"
			  "\"assertion\":\"logged\"}"),
			false, false));
	EXPECT(BRSKI_REFUSED,
		judge(LOG("{\"date\":\"2020-01-01T00:00:00Z\",\"domainID\":\"b3Vyc3M=\",\"nonce\":null,"
			  "\"assertion\":\"logged\"}"),
			false, false));
}
END_TEST

static void parse_damaged(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	struct brski_audit_log got;

	(void)ctx;
	(void)how;
	if (brski_audit_log_parse(damaged, &got, &err) == BRSKI_OK)
		ck_assert_uint_gt(got.n_events, 0);
	brski_audit_log_free(&got);
}

START_TEST(damaged)
{
	mutate_all(brski_span_str(example), parse_damaged, NULL);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {example_of_the_rfc, nonces, later_versions_and_unknown_members,
		entries_of_any_form, every_rule_broken_once, long_logs, logs_of_many_events_or_values,
		what_is_printed_parses_to_the_same, longest_log_prints_and_parses, domain_ids,
		known_domains_never_offend, foreign_domains, nonceless_vouchers_of_foreign_domains,
		what_is_left_out_may_be_foreign, domain_ids_are_compared_whole, damaged};

	return run_tests("audit_log", NULL, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
