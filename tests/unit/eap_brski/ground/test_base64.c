/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "eap_brski/ground/base64.h"
#include "tests/unit/support/files.h"

/* RFC 4648 10 */
START_TEST(base64_examples)
{
	static const char *const cases[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"},
		{"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct brski_span plain = brski_span_str(cases[i][0]);
		struct brski_span text = brski_span_str(cases[i][1]);
		struct brski_buf out = {0};

		ck_assert_int_eq(brski_base64_encode(plain, &out), BRSKI_OK);
		ck_assert(brski_span_equal(brski_buf_span(&out), text));
		brski_buf_reset(&out);
		ck_assert_int_eq(brski_base64_decode(text, &out, NULL), BRSKI_OK);
		ck_assert(brski_span_equal(brski_buf_span(&out), plain));
		while (text.len > 0 && text.data[text.len - 1] == '=')
			text.len--;
		brski_buf_reset(&out);
		ck_assert_int_eq(brski_base64_decode(text, &out, NULL), BRSKI_OK);
		ck_assert(brski_span_equal(brski_buf_span(&out), plain));
		brski_buf_free(&out);
	}
}
END_TEST

START_TEST(base64_every_octet)
{
	struct brski_buf all = {0}, text = {0}, back = {0};

	for (unsigned i = 0; i < 256; i++)
		brski_put_u8(&all, (uint8_t)i);
	ck_assert_int_eq(brski_base64_encode(brski_buf_span(&all), &text), BRSKI_OK);
	ck_assert_int_eq(brski_base64_decode(brski_buf_span(&text), &back, NULL), BRSKI_OK);
	ck_assert(brski_span_equal(brski_buf_span(&all), brski_buf_span(&back)));
	brski_buf_reset(&back);
	for (size_t i = 0; i < text.len; i++)
		text.data[i] = text.data[i] == '+' ? '-' : text.data[i] == '/' ? '_' : text.data[i];
	ck_assert_int_eq(brski_base64_decode(brski_buf_span(&text), &back, NULL), BRSKI_MALFORMED);
	brski_buf_reset(&back);
	ck_assert_int_eq(brski_base64url_decode(brski_buf_span(&text), &back, NULL), BRSKI_OK);
	ck_assert(brski_span_equal(brski_buf_span(&all), brski_buf_span(&back)));
	brski_buf_free(&all);
	brski_buf_free(&text);
	brski_buf_free(&back);
}
END_TEST

START_TEST(base64_refuses)
{
	static const char *const cases[] = {"Z", "Zg=", "Zg===", "=", "==", "Zm9v=", "Zm9v====", "Zm 9v",
		"Zm9v\n", "Zh==", "Zm9=", "Zg==Zg==", "Zm9*", "Z=m9", "Zm9v-_8=", "====", "Zg=a"};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct brski_buf out = {0};

		ck_assert_msg(brski_base64_decode(brski_span_str(cases[i]), &out, NULL) == BRSKI_MALFORMED,
			"%s", cases[i]);
		ck_assert_uint_eq(out.len, 0);
		brski_buf_free(&out);
	}
}
END_TEST

START_TEST(base64_respects_the_limit)
{
	struct brski_buf out = {.limit = 2};

	ck_assert_int_eq(brski_base64_decode(brski_span_str("Zm9v"), &out, NULL), BRSKI_NO_MEMORY);
	brski_buf_reset(&out);
	ck_assert_int_eq(brski_base64_encode(brski_span_str("f"), &out), BRSKI_NO_MEMORY);
	brski_buf_free(&out);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		base64_examples, base64_every_octet, base64_refuses, base64_respects_the_limit};

	return run_tests("base64", NULL, NULL, tests, sizeof(tests) / sizeof(tests[0]));
}
