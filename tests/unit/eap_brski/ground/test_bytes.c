/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "eap_brski/ground/bytes.h"
#include "tests/unit/support/files.h"

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

int main(void)
{
	const TTest *const tests[] = {numbers_in_network_order, too_little_changes_nothing, varint_examples,
		varint_too_large, buffer_grows_and_keeps, buffer_stops_at_its_limit, default_limit,
		buffer_wipes, buffer_moves, buffer_prints, spans_compare};

	return run_tests("bytes", NULL, NULL, tests, sizeof(tests) / sizeof(tests[0]));
}
