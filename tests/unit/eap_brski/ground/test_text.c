/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "eap_brski/ground/text.h"
#include "tests/unit/support/files.h"

START_TEST(hexadecimal)
{
	char out[9];

	brski_hex(brski_span("\x00\xab\xff", 3), out, 7);
	ck_assert_str_eq(out, "00abff");
	brski_hex(brski_span("\x00\xab\xff", 3), out, 6);
	ck_assert_str_eq(out, "00ab");
	brski_hex(brski_span("\x01", 1), out, 1);
	ck_assert_str_eq(out, "");
	brski_hex(brski_span(NULL, 0), out, 9);
	ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(times)
{
	static const struct {
		const char *text;
		time_t t;
	} good[] = {
		{"2026-11-21T08:00:00Z", 1795248000},
		{"1970-01-01T00:00:00Z", 0},
		{"2026-11-21t09:30:00.125+01:30", 1795248000},
		{"2026-11-21T03:00:00-05:00", 1795248000},
		{"2024-02-29T00:00:00Z", 1709164800},
		{"1999-12-31T23:59:59Z", 946684799},
	};
	static const char *const bad[] = {"", "2026-11-21", "2026-11-21T08:00:00", "2026-11-21T08:00:00Zx",
		"2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z", "2026-04-31T00:00:00Z", "2026-01-00T00:00:00Z",
		"2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:00.Z",
		"2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+0100", "26-01-01T00:00:00Z",
		"2026-1-1T00:00:00Z", "+026-01-01T00:00:00Z", "2026-01-01T00:00:61Z"};
	char text[32];
	time_t t;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ck_assert_int_eq(brski_time_parse(good[i].text, &t, NULL), BRSKI_OK);
		ck_assert_int_eq(t, good[i].t);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		t = 1;
		ck_assert_msg(brski_time_parse(bad[i], &t, NULL) == BRSKI_MALFORMED, "%s", bad[i]);
		ck_assert_int_eq(t, 0);
	}
	brski_time_format(1795248000, text);
	ck_assert_str_eq(text, "2026-11-21T08:00:00Z");
	brski_time_format((time_t)1 << 60, text);
	ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(printable_text)
{
	char out[5];

	brski_printable(brski_span("a\0\x1b\xff", 4), out, sizeof(out));
	ck_assert_str_eq(out, "a???");
	brski_printable(brski_span("abcdef", 6), out, sizeof(out));
	ck_assert_str_eq(out, "abcd");
	brski_printable(brski_span(NULL, 0), out, 1);
	ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(values_are_copied_whole)
{
	static const struct {
		const char *text, *copy; /* NULL: refused */
	} cases[] = {
		{"", ""},
		{"abcd", "abcd"},
		{"a b~", "a b~"},
		{"abcde", NULL},
		{"a\nb", NULL},
		{"a\x7f", NULL},
		{"\xc3\xa4", NULL},
	};
	char out[5];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(out, 'x', sizeof(out));
		ck_assert_int_eq(brski_text_copy(out, sizeof(out), cases[i].text), cases[i].copy != NULL);
		ck_assert_str_eq(out, cases[i].copy ? cases[i].copy : "");
	}
	ck_assert(!brski_text_copy(out, 0, ""));
}
END_TEST

START_TEST(ends_are_trimmed)
{
	static const struct {
		const char *text, *rest;
	} cases[] = {
		{"", ""},
		{" \t\r\n", ""},
		{"a", "a"},
		{"  a b\t\r\n", "a b"},
		{"\v a \f", "\v a \f"},
	};
	char line[16];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert(brski_span_equal(
			brski_trim(brski_span_str(cases[i].text)), brski_span_str(cases[i].rest)));
		strcpy(line, cases[i].text);
		ck_assert_str_eq(brski_trim_in_place(line), cases[i].rest);
	}
	ck_assert_uint_eq(brski_trim(brski_span(NULL, 0)).len, 0);
}
END_TEST

START_TEST(numbers_are_whole)
{
	static const char *const wrong[] = {"", "abc", "1a", "a1", " 1", "1 ", "+1", "--1", "-", "0x10",
		"1.5", "1e3", "99999999999999999999", "-6", "21"};
	long n = 7;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_msg(!brski_number_read(wrong[i], -5, 20, &n), "%s", wrong[i]);
	ck_assert_int_eq(n, 7);
	ck_assert(brski_number_read("-5", -5, 20, &n) && n == -5);
	ck_assert(brski_number_read("020", -5, 20, &n) && n == 20);
	ck_assert(brski_number_read("9223372036854775807", 0, INT64_MAX, &n) && n == INT64_MAX);
	ck_assert(!brski_number_read("9223372036854775808", 0, INT64_MAX, &n));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {hexadecimal, times, printable_text, values_are_copied_whole,
		ends_are_trimmed, numbers_are_whole};

	return run_tests("text", NULL, NULL, tests, sizeof(tests) / sizeof(tests[0]));
}
