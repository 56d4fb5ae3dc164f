/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "eap_brski/artifacts/status.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/mutate.h"

static struct brski_error err;
static struct brski_status s;

static enum brski_code parse(const char *json)
{
	return brski_status_parse(brski_span_str(json), &s, &err);
}

/* RFC 8995 figures 16 and 20 */
START_TEST(examples_of_the_rfc)
{
	EXPECT(BRSKI_OK,
		parse("{\"version\": 1,\"status\":false,\"reason\":\"Informative human-readable message\","
		      "\"reason-context\": { \"additional\" : \"JSON\" }}"));
	ck_assert(!s.status);
	ck_assert_str_eq(s.reason, "Informative human-readable message");
	ck_assert_str_eq(s.context, "{\"additional\":\"JSON\"}");
	EXPECT(BRSKI_OK, parse("{\"version\": 1,\"status\":true}"));
	ck_assert(s.status);
	ck_assert_str_eq(s.reason, "");
	ck_assert_str_eq(s.context, "");
	EXPECT(BRSKI_OK, parse("{\"version\":\"1\",\"status\":true}"));
}
END_TEST

/* RFC 8995 5.7: "The version and status fields MUST be present", keys "MUST be lowercase" */
START_TEST(every_rule_broken_once)
{
	static const struct {
		const char *json;
		enum brski_code want;
	} cases[] = {
		{"", BRSKI_MALFORMED},
		{"[]", BRSKI_MALFORMED},
		{"true", BRSKI_MALFORMED},
		{"{\"status\":true}", BRSKI_MALFORMED},
		{"{\"Version\":1,\"status\":true}", BRSKI_MALFORMED},
		{"{\"version\":0,\"status\":true}", BRSKI_MALFORMED},
		{"{\"version\":-1,\"status\":true}", BRSKI_MALFORMED},
		{"{\"version\":\"2\",\"status\":true}", BRSKI_MALFORMED},
		{"{\"version\":1.0,\"status\":true}", BRSKI_MALFORMED},
		{"{\"version\":true,\"status\":true}", BRSKI_MALFORMED},
		{"{\"version\":2,\"status\":true}", BRSKI_UNSUPPORTED},
		{"{\"version\":1}", BRSKI_MALFORMED},
		{"{\"version\":1,\"Status\":true}", BRSKI_MALFORMED},
		{"{\"version\":1,\"status\":\"true\"}", BRSKI_MALFORMED},
		{"{\"version\":1,\"status\":1}", BRSKI_MALFORMED},
		{"{\"version\":1,\"status\":null}", BRSKI_MALFORMED},
		{"{\"version\":1,\"status\":true,\"status\":false}", BRSKI_MALFORMED},
		{"{\"version\":1,\"status\":false,\"reason\":7}", BRSKI_MALFORMED},
		{"{\"version\":1,\"status\":false}{}", BRSKI_MALFORMED},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		s.status = true;
		EXPECT(cases[i].want, parse(cases[i].json));
		ck_assert(!s.status);
	}
}
END_TEST

/* RFC 8995 5.7: "A server that sees unknown fields should log them, but otherwise ignore them" */
START_TEST(unknown_members_are_passed_over)
{
	EXPECT(BRSKI_OK, parse("{\"version\":1,\"status\":true,\"Reason\":7,\"mo\\nre\":[1,2]}"));
	ck_assert(s.status);
	ck_assert_str_eq(s.unknown, "Reason, mo?re");
	EXPECT(BRSKI_OK, parse("{\"version\":1,\"status\":true,\"reason\":\"x\"}"));
	ck_assert_str_eq(s.unknown, "");
}
END_TEST

/* RFC 8995 5.7 has an object there; a plain value says as much to whoever reads it */
START_TEST(context_of_any_kind)
{
	EXPECT(BRSKI_OK, parse("{\"version\":1,\"status\":false,\"reason-context\":\"x\\ny\"}"));
	ck_assert_str_eq(s.context, "\"x\\ny\"");
	EXPECT(BRSKI_OK, parse("{\"version\":1,\"status\":false,\"reason-context\":[1]}"));
	ck_assert_str_eq(s.context, "[1]");
	EXPECT(BRSKI_OK, parse("{\"version\":1,\"status\":false,\"reason-context\":7}"));
	ck_assert_str_eq(s.context, "7");
}
END_TEST

/* It ends in a log: a peer must not be able to write lines of its own there. */
START_TEST(reason_is_made_printable_and_cut)
{
	char json[1000], text[600];

	EXPECT(BRSKI_OK, parse("{\"version\":1,\"status\":false,\"reason\":\"a\\nb\\u001b[2Jc\xc3\xbc\"}"));
	ck_assert_str_eq(s.reason, "a?b?[2Jc??");
	memset(text, 'r', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	snprintf(json, sizeof(json), "{\"version\":1,\"status\":false,\"reason\":\"%s\"}", text);
	EXPECT(BRSKI_OK, parse(json));
	ck_assert_uint_eq(strlen(s.reason), sizeof(s.reason) - 1);
	EXPECT(BRSKI_OK,
		parse("{\"version\":1,\"status\":false,\"reason-context\":{\"\\n\xc3\xbc\":\"\\u0007\"}}"));
	ck_assert_str_eq(s.context, "{\"\\n\\u00FC\":\"\\u0007\"}");
	snprintf(json, sizeof(json), "{\"version\":1,\"status\":false,\"reason-context\":{\"a\":\"%s\"}}",
		text);
	EXPECT(BRSKI_OK, parse(json));
	ck_assert_str_eq(s.context, "");
}
END_TEST

START_TEST(what_is_printed_parses_to_the_same)
{
	static const struct brski_status cases[] = {{.status = true},
		{.status = false, .reason = "voucher: \"other\" serial"},
		{.status = false, .reason = "x", .context = "{\"a\":{\"b\":[1,null,true]}}"}};
	struct brski_buf json = {0};

	for (size_t i = 0; i < 3; i++) {
		EXPECT(BRSKI_OK, brski_status_print(&cases[i], &json, &err));
		EXPECT(BRSKI_OK, brski_status_parse(brski_buf_span(&json), &s, &err));
		ck_assert(s.status == cases[i].status);
		ck_assert_str_eq(s.reason, cases[i].reason);
		ck_assert_str_eq(s.context, cases[i].context);
	}
	EXPECT(BRSKI_OK, brski_status_print(&cases[0], &json, &err));
	ck_assert(brski_span_equal(brski_buf_span(&json), brski_span_str("{\"version\":1,\"status\":true}")));
	EXPECT_WHY(BRSKI_MALFORMED, "reason-context",
		brski_status_print(&(struct brski_status){.context = "[]"}, &json, &err));
	ck_assert_uint_eq(json.len, 0);
	brski_buf_free(&json);
}
END_TEST

static void parse_damaged(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	(void)ctx;
	(void)how;
	if (brski_status_parse(damaged, &s, &err) == BRSKI_OK) {
		ck_assert_uint_lt(strlen(s.reason), sizeof(s.reason));
		for (const char *c = s.reason; *c != '\0'; c++)
			ck_assert(*c >= 0x20 && *c <= 0x7e);
	}
}

START_TEST(damaged)
{
	mutate_all(brski_span_str(
			   "{\"version\":1,\"status\":false,\"reason\":\"no\",\"reason-context\":{\"a\":1}}"),
		parse_damaged, NULL);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {examples_of_the_rfc, every_rule_broken_once,
		unknown_members_are_passed_over, context_of_any_kind, reason_is_made_printable_and_cut,
		what_is_printed_parses_to_the_same, damaged};

	return run_tests("status", NULL, NULL, tests, sizeof(tests) / sizeof(tests[0]));
}
