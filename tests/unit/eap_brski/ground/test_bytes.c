/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "eap_brski/ground/bytes.h"
#include "eap_brski/ground/env.h"
#include "eap_brski/ground/base64.h"
#include "eap_brski/ground/json.h"
#include "eap_brski/ground/text.h"

START_TEST(numbers_in_network_order)
{
	struct brski_span in = brski_span("\x01\x02\x03\x04\x05\x06\x07", 7);
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;

	ck_assert(brski_read_u8(&in, &u8) && u8 == 0x01);
	ck_assert(brski_read_u16(&in, &u16) && u16 == 0x0203);
	ck_assert(brski_read_u32(&in, &u32) && u32 == 0x04050607);
	ck_assert_uint_eq(in.len, 0);
}
END_TEST

START_TEST(too_little_changes_nothing)
{
	const char octets[] = "\xc0\x02\x03";
	struct brski_span in = brski_span(octets, 3);
	struct brski_span part = {0};
	uint64_t u64 = 7;
	uint32_t u32 = 7;
	uint16_t u16 = 7;
	uint8_t u8 = 7;

	ck_assert(!brski_read_u32(&in, &u32) && u32 == 7);
	ck_assert(!brski_read_varint(&in, &u64) && u64 == 7);
	ck_assert(!brski_read_span(&in, 4, &part) && part.data == NULL);
	ck_assert(!brski_read_span(&in, SIZE_MAX, &part));
	ck_assert(in.len == 3 && in.data == (const uint8_t *)octets);
	in = brski_span(octets, 1);
	ck_assert(!brski_read_u16(&in, &u16) && u16 == 7);
	in.len = 0;
	ck_assert(!brski_read_u8(&in, &u8) && u8 == 7);
	ck_assert(!brski_read_varint(&in, &u64) && u64 == 7);
	in = brski_span(NULL, 0);
	ck_assert(brski_read_span(&in, 0, &part) && part.len == 0);
}
END_TEST

/* RFC 9000 A.1 */
START_TEST(varint_examples)
{
	static const struct {
		const char *octets;
		size_t len;
		uint64_t value;
		bool shortest;
	} cases[] = {
		{"\xc2\x19\x7c\x5e\xff\x14\xe8\x8c", 8, UINT64_C(151288809941952652), true},
		{"\x9d\x7f\x3e\x7d", 4, 494878333, true},
		{"\x7b\xbd", 2, 15293, true},
		{"\x25", 1, 37, true},
		{"\x40\x25", 2, 37, false},
		{"\x3f", 1, 63, true},
		{"\x40\x40", 2, 64, true},
		{"\x7f\xff", 2, 16383, true},
		{"\x80\x00\x40\x00", 4, 16384, true},
		{"\xff\xff\xff\xff\xff\xff\xff\xff", 8, (UINT64_C(1) << 62) - 1, true},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct brski_span in = brski_span(cases[i].octets, cases[i].len);
		struct brski_buf out = {0};
		uint64_t v;

		ck_assert(brski_read_varint(&in, &v));
		ck_assert_uint_eq(v, cases[i].value);
		ck_assert_uint_eq(in.len, 0);
		brski_put_varint(&out, v);
		ck_assert(!cases[i].shortest ||
			  brski_span_equal(brski_buf_span(&out), brski_span(cases[i].octets, cases[i].len)));
		brski_buf_free(&out);
	}
}
END_TEST

START_TEST(varint_too_large)
{
	struct brski_buf out = {0};

	brski_put_varint(&out, UINT64_C(1) << 62);
	ck_assert(out.failed);
	ck_assert_int_eq(brski_buf_status(&out, NULL), BRSKI_NO_MEMORY);
	brski_buf_free(&out);
}
END_TEST

START_TEST(buffer_grows_and_keeps)
{
	struct brski_buf buf = {0};

	for (uint32_t i = 0; i < 5000; i++)
		brski_put_u32(&buf, i);
	ck_assert_int_eq(brski_buf_status(&buf, NULL), BRSKI_OK);
	ck_assert_uint_eq(buf.len, 20000);
	for (uint32_t i = 0; i < 5000; i++) {
		struct brski_span at = brski_span(buf.data + 4 * i, 4);
		uint32_t v;

		ck_assert(brski_read_u32(&at, &v) && v == i);
	}
	brski_buf_free(&buf);
	ck_assert(buf.data == NULL && buf.len == 0 && buf.cap == 0);
}
END_TEST

START_TEST(buffer_stops_at_its_limit)
{
	struct brski_buf buf = {.limit = 5};

	brski_put_str(&buf, "1234");
	brski_put_u16(&buf, 0);
	ck_assert(buf.failed);
	ck_assert_uint_eq(buf.len, 4);
	brski_put_u8(&buf, 0); /* would fit, but something before it is missing */
	ck_assert_uint_eq(buf.len, 4);
	ck_assert_int_eq(brski_buf_status(&buf, NULL), BRSKI_NO_MEMORY);
	brski_buf_reset(&buf);
	brski_put_str(&buf, "12345");
	ck_assert_int_eq(brski_buf_status(&buf, NULL), BRSKI_OK);
	ck_assert_int_eq(brski_buf_set(&buf, brski_span_str("123456")), BRSKI_TOO_LARGE);
	ck_assert(brski_span_equal(brski_buf_span(&buf), brski_span_str("12345")));
	ck_assert_int_eq(brski_buf_set(&buf, brski_span_str("ab")), BRSKI_OK);
	ck_assert(brski_span_equal(brski_buf_span(&buf), brski_span_str("ab")));
	ck_assert_uint_eq(buf.limit, 5);
	brski_buf_free(&buf);
}
END_TEST

START_TEST(default_limit)
{
	static uint8_t block[4096];
	struct brski_buf buf = {0};

	for (size_t i = 0; i < BRSKI_BUF_LIMIT / sizeof(block); i++)
		brski_put(&buf, brski_span(block, sizeof(block)));
	ck_assert(!buf.failed);
	brski_put_u8(&buf, 0);
	ck_assert(buf.failed);
	brski_buf_free(&buf);
}
END_TEST

START_TEST(buffer_wipes)
{
	struct brski_buf buf = {0};

	brski_put_str(&buf, "secret, and public");
	brski_buf_drop(&buf, 8);
	ck_assert(brski_span_equal(brski_buf_span(&buf), brski_span_str("and public")));
	ck_assert_mem_eq(buf.data + buf.len, "\0\0\0\0\0\0\0\0", 8);
	brski_buf_reset(&buf);
	ck_assert_mem_eq(buf.data, "\0\0\0\0\0\0\0\0\0\0\0", 10);
	brski_put_str(&buf, "x");
	brski_buf_drop(&buf, 2);
	ck_assert_uint_eq(buf.len, 0);
	brski_buf_free(&buf);
	brski_buf_drop(&buf, 1);
}
END_TEST

START_TEST(buffer_moves)
{
	struct brski_buf a = {0}, b = {0};

	brski_put_str(&a, "a");
	brski_put_str(&b, "b");
	brski_buf_move(&a, &b);
	ck_assert(brski_span_equal(brski_buf_span(&a), brski_span_str("b")));
	ck_assert(b.data == NULL && b.len == 0);
	brski_buf_move(&a, &a);
	ck_assert_uint_eq(a.len, 1);
	brski_buf_free(&a);
}
END_TEST

START_TEST(buffer_prints)
{
	struct brski_buf buf = {.limit = 8};

	brski_printf(&buf, "%d-%s", 12, "ab");
	brski_printf(&buf, "%s", "");
	ck_assert(brski_span_equal(brski_buf_span(&buf), brski_span_str("12-ab")));
	brski_printf(&buf, "%s", "12345678");
	ck_assert(buf.failed && buf.len == 5);
	brski_buf_free(&buf);
}
END_TEST

START_TEST(spans_compare)
{
	ck_assert(brski_span_equal(brski_span("a", 1), brski_span("a", 1)));
	ck_assert(!brski_span_equal(brski_span("a", 1), brski_span("b", 1)));
	ck_assert(!brski_span_equal(brski_span("ab", 2), brski_span("ab", 1)));
	ck_assert(brski_span_equal(brski_span(NULL, 0), brski_span("", 0)));
	ck_assert(brski_span_equal_secret(brski_span("ab", 2), brski_span("ab", 2)));
	ck_assert(!brski_span_equal_secret(brski_span("ab", 2), brski_span("ac", 2)));
	ck_assert(!brski_span_equal_secret(brski_span("ab", 2), brski_span("ab", 1)));
	ck_assert(brski_span_equal_secret(brski_span(NULL, 0), brski_span(NULL, 0)));
}
END_TEST

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

START_TEST(errors_say_what)
{
	struct brski_error err;

	ck_assert_int_eq(
		brski_fail(&err, BRSKI_MISMATCH, "serial \"%s\"", "a\nb\x7f\xc3\xa4"), BRSKI_MISMATCH);
	ck_assert_int_eq(err.code, BRSKI_MISMATCH);
	ck_assert_str_eq(err.why, "serial \"a?b???\"");
	ck_assert_int_eq(brski_fail_context(&err, "device %d", 5), BRSKI_MISMATCH);
	ck_assert_str_eq(err.why, "device 5: serial \"a?b???\"");
	brski_fail(&err, BRSKI_REFUSED, "again: %s", err.why);
	ck_assert_str_eq(err.why, "again: device 5: serial \"a?b???\"");
	ck_assert_int_eq(brski_fail(NULL, BRSKI_EXPIRED, "nobody listens"), BRSKI_EXPIRED);
}
END_TEST

START_TEST(errors_are_cut)
{
	struct brski_error err;
	char text[1000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	brski_fail(&err, BRSKI_REFUSED, "%s", text);
	ck_assert_uint_eq(strlen(err.why), sizeof(err.why) - 1);
	brski_fail_context(&err, "%s", text);
	ck_assert_uint_eq(strlen(err.why), sizeof(err.why) - 1);
}
END_TEST

START_TEST(errors_of_openssl)
{
	BIO *bio = BIO_new_mem_buf("no PEM", -1);
	struct brski_error err;

	ERR_clear_error();
	ck_assert_ptr_null(PEM_read_bio_X509(bio, NULL, NULL, NULL));
	ck_assert_int_eq(brski_fail_openssl(&err, BRSKI_MALFORMED, "certificate"), BRSKI_MALFORMED);
	ck_assert_str_eq(err.why, "certificate (no start line: Expecting: CERTIFICATE)");
	ck_assert_uint_eq(ERR_peek_error(), 0);
	brski_fail_openssl(&err, BRSKI_INTERNAL, "quiet");
	ck_assert_str_eq(err.why, "quiet");
	ck_assert_ptr_null(PEM_read_bio_X509(bio, NULL, NULL, NULL));
	brski_fail_openssl(NULL, BRSKI_INTERNAL, "unheard");
	ck_assert_uint_eq(ERR_peek_error(), 0);
	BIO_free(bio);
}
END_TEST

START_TEST(every_code_has_name_and_status)
{
	for (int code = BRSKI_OK; code <= BRSKI_NOT_FOUND; code++) {
		ck_assert_str_ne(brski_code_name((enum brski_code)code), "unknown error");
		ck_assert_uint_ge(
			brski_code_http_status((enum brski_code)code), code == BRSKI_OK ? 200 : 400);
	}
	ck_assert_str_eq(brski_code_name((enum brski_code)99), "unknown error");
	ck_assert_uint_eq(brski_code_http_status((enum brski_code)99), 500);
}
END_TEST

static time_t fixed_clock(void *ctx)
{
	return *(time_t *)ctx;
}

static int no_random(void *ctx, uint8_t *out, size_t len)
{
	(void)ctx;
	memset(out, 0x5a, len);
	return -1;
}

static char logged[2048];

static void keep_line(void *ctx, enum brski_level level, const char *line)
{
	(void)ctx;
	snprintf(logged, sizeof(logged), "%d %s", level, line);
}

START_TEST(environment)
{
	time_t clock = 1234;
	struct brski_env env = {.ctx = &clock, .now = fixed_clock, .random = no_random, .log = keep_line};
	uint8_t a[32] = {0}, b[32] = {0}, zero[32] = {0};

	ck_assert_int_eq(brski_now(&env), 1234);
	ck_assert_int_ge(brski_now(NULL), 1700000000);
	ck_assert_int_eq(brski_random(NULL, a, sizeof(a), NULL), BRSKI_OK);
	ck_assert_int_eq(brski_random(NULL, b, sizeof(b), NULL), BRSKI_OK);
	ck_assert_mem_ne(a, b, sizeof(a));
	ck_assert_int_eq(brski_random(&env, a, sizeof(a), NULL), BRSKI_INTERNAL);
	ck_assert_mem_eq(a, zero, sizeof(a));
	brski_log(&env, BRSKI_LOG_WARN, "device %s", "x\nforged line");
	ck_assert_str_eq(logged, "2 device x?forged line");
	brski_log(NULL, BRSKI_LOG_WARN, "to nobody");
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

static Suite *suite(void)
{
	Suite *s = suite_create("ground");
	TCase *bytes = tcase_create("bytes");
	TCase *other = tcase_create("errors, environment, text");

	tcase_add_test(bytes, numbers_in_network_order);
	tcase_add_test(bytes, too_little_changes_nothing);
	tcase_add_test(bytes, varint_examples);
	tcase_add_test(bytes, varint_too_large);
	tcase_add_test(bytes, buffer_grows_and_keeps);
	tcase_add_test(bytes, buffer_stops_at_its_limit);
	tcase_add_test(bytes, default_limit);
	tcase_add_test(bytes, buffer_wipes);
	tcase_add_test(bytes, buffer_moves);
	tcase_add_test(bytes, buffer_prints);
	tcase_add_test(bytes, spans_compare);
	tcase_add_test(bytes, base64_examples);
	tcase_add_test(bytes, base64_every_octet);
	tcase_add_test(bytes, base64_refuses);
	tcase_add_test(bytes, base64_respects_the_limit);
	tcase_add_test(bytes, hexadecimal);
	suite_add_tcase(s, bytes);
	tcase_add_test(other, errors_say_what);
	tcase_add_test(other, errors_are_cut);
	tcase_add_test(other, errors_of_openssl);
	tcase_add_test(other, every_code_has_name_and_status);
	tcase_add_test(other, environment);
	tcase_add_test(other, times);
	tcase_add_test(other, json_is_strict);
	tcase_add_test(other, json_prints);
	tcase_add_test(other, printable_text);
	suite_add_tcase(s, other);
	return s;
}

int main(void)
{
	SRunner *runner = srunner_create(suite());
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
