/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "eap_brski/ground/json.h"
#include "tests/unit/support/files.h"

static void ck_assert_json(const char *text, size_t len, enum brski_code expected)
{
	struct brski_error err = {0};
	json_t *json = NULL;
	enum brski_code code = brski_json_parse(brski_span(text, len), &json, &err);

	ck_assert_msg(code == expected, "%s: %s", text, err.why);
	ck_assert((json != NULL) == (expected == BRSKI_OK));
	json_decref(json);
}

START_TEST(json_is_strict)
{
	static const char *const bad[] = {"", "[]", "1", "{", "{}{}", "{} x", "{\"a\":1,\"a\":2}", "{'a':1}",
		"{\"a\":1,}", "{\"a\":\"\\u0000\"}", "{\"a\\u0000b\":1}", "{\"a\":\"\xff\"}", "null"};
	char *large;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_json(bad[i], strlen(bad[i]), BRSKI_MALFORMED);
	ck_assert_json("{}\0", 3, BRSKI_MALFORMED);
	ck_assert_json(" {\"a\":[1,{\"b\":null}]}\n", 22, BRSKI_OK);
	ck_assert_json("{\"a\":[[[[[[[]]]]]]]}", 20, BRSKI_OK);
	ck_assert_json("{\"a\":[[[[[[[[]]]]]]]]}", 22, BRSKI_TOO_LARGE);
	ck_assert_json(
		"{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}}}}", 50, BRSKI_TOO_LARGE);
	large = malloc(65537);
	memset(large, ' ', 65537);
	memcpy(large, "{}", 2);
	ck_assert_json(large, 65536, BRSKI_OK);
	ck_assert_json(large, 65537, BRSKI_TOO_LARGE);
	free(large);
}
END_TEST

static enum brski_code take_it(const json_t *object, void *into, struct brski_error *err)
{
	(void)object;
	(void)err;
	++*(int *)into;
	return BRSKI_OK;
}

START_TEST(limits_of_their_own)
{
	static const struct {
		const char *text;
		struct brski_json_limits limits;
		enum brski_code code;
	} cases[] = {
		{"{\"a\":[1,2,3]}", {13, 4}, BRSKI_OK},
		{"{\"a\":[1,2,3]}", {12, 4}, BRSKI_TOO_LARGE},
		{"{\"a\":[1,2,3]}", {13, 3}, BRSKI_TOO_LARGE},
		{"{\"a\":\"[{,\\\",\"}", {100, 1}, BRSKI_OK},
		{"[1,2]", {100, 100}, BRSKI_MALFORMED},
	};
	int taken = 0;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const int before = taken;

		ck_assert_int_eq(brski_json_read_within(brski_span_str(cases[i].text), &cases[i].limits,
					 take_it, &taken, NULL),
			cases[i].code);
		ck_assert_int_eq(taken - before, cases[i].code == BRSKI_OK);
	}
}
END_TEST

START_TEST(json_prints)
{
	json_t *json = json_pack("{s:{s:s}, s:i}", "a", "b", "c/\"", "d", 5);
	struct brski_buf out = {0};
	struct brski_buf small = {.limit = 3};

	ck_assert_int_eq(brski_json_print(json, &out, NULL), BRSKI_OK);
	ck_assert(
		brski_span_equal(brski_buf_span(&out), brski_span_str("{\"a\":{\"b\":\"c/\\\"\"},\"d\":5}")));
	ck_assert_int_ne(brski_json_print(json, &small, NULL), BRSKI_OK);
	json_decref(json);
	brski_buf_free(&out);
	brski_buf_free(&small);
}
END_TEST

START_TEST(octets_in_base64)
{
	static const struct {
		const char *octets, *text;
	} cases[] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}};
	uint8_t *large = calloc(1, BRSKI_BUF_LIMIT);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *json = brski_json_base64(brski_span_str(cases[i].octets));

		ck_assert_str_eq(json_string_value(json), cases[i].text);
		json_decref(json);
	}
	for (size_t len = BRSKI_BUF_LIMIT - 3; len <= BRSKI_BUF_LIMIT; len++) {
		json_t *json = brski_json_base64(brski_span(large, len));

		ck_assert_uint_eq(json_string_length(json), (len + 2) / 3 * 4);
		json_decref(json);
	}
	free(large);
}
END_TEST

static enum brski_code read_a(const json_t *object, void *into, struct brski_error *err)
{
	int *a = into;

	*a = (int)json_integer_value(json_object_get(object, "a"));
	return *a > 0 ? BRSKI_OK : brski_fail(err, BRSKI_MISMATCH, "a is %d", *a);
}

START_TEST(json_is_read_into)
{
	struct brski_error err = {0};
	int a = 7;

	ck_assert_int_eq(brski_json_read(brski_span_str("{"), read_a, &a, &err), BRSKI_MALFORMED);
	ck_assert_int_eq(a, 7); /* nobody was asked to read */
	ck_assert_int_eq(brski_json_read(brski_span_str("{\"a\":5}"), read_a, &a, &err), BRSKI_OK);
	ck_assert_int_eq(a, 5);
	ck_assert_int_eq(brski_json_read(brski_span_str("{}"), read_a, &a, &err), BRSKI_MISMATCH);
	ck_assert_str_eq(err.why, "a is 0");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		json_is_strict, limits_of_their_own, json_prints, octets_in_base64, json_is_read_into};

	return run_tests("json", NULL, NULL, tests, sizeof(tests) / sizeof(tests[0]));
}
