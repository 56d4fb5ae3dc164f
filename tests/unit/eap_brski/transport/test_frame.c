/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "eap_brski/transport/frame.h"
#include "tests/unit/support/mutate.h"

#define L BRSKI_FRAME_LENGTH
#define M BRSKI_FRAME_MORE
#define S BRSKI_FRAME_START
#define W BRSKI_FRAME_WAIT

struct golden {
	const char *octets;
	size_t len;
	uint8_t flags;
	uint32_t message_len;
	uint16_t wait_ms;
	size_t data_len;
	bool server_only;
};

static const struct golden goldens[] = {
	{"\x01", 1, 0, 0, 0, 0, false},
	{"\x01xyz", 4, 0, 0, 0, 3, false},
	{"\xc1\x00\x01\x02\x03xy", 7, L | M, 0x010203, 0, 2, false},
	{"\x41x", 2, M, 0, 0, 1, false},
	{"\x21", 1, S, 0, 0, 0, true},
	{"\x11\x01\xf4", 3, W, 0, 500, 0, true},
	{"\x11\x61\xa8", 3, W, 0, 25000, 0, true},
};
#define N_GOLDENS ((int)(sizeof(goldens) / sizeof(goldens[0])))

START_TEST(golden_packets)
{
	const struct golden *g = &goldens[_i];
	struct brski_buf out = {0};
	struct brski_frame frame;

	ck_assert_int_eq(brski_frame_parse(brski_span(g->octets, g->len), true, &frame, NULL), BRSKI_OK);
	ck_assert_uint_eq(frame.flags, g->flags);
	ck_assert_uint_eq(frame.message_len, g->message_len);
	ck_assert_uint_eq(frame.wait_ms, g->wait_ms);
	ck_assert_uint_eq(frame.data.len, g->data_len);
	ck_assert_int_eq(brski_frame_write(&frame, &out, NULL), BRSKI_OK);
	ck_assert(brski_span_equal(brski_buf_span(&out), brski_span(g->octets, g->len)));
	brski_buf_free(&out);
	ck_assert_int_eq(brski_frame_parse(brski_span(g->octets, g->len), false, &frame, NULL),
		g->server_only ? BRSKI_MALFORMED : BRSKI_OK);
}
END_TEST

/*
 * The specification's table, written anew: which first octets may stand before two lengths' worth
 * of data or none.
 */
static bool is_allowed(unsigned first, bool from_server, bool has_data)
{
	switch (first) {
	case 0x01: /* acknowledgement, or an only or last fragment */
		return true;
	case 0xc1: /* first fragment */
	case 0x41: /* fragment */
		return has_data;
	case 0x21: /* Start */
	case 0x11: /* Wait */
		return from_server && !has_data;
	default:
		return false;
	}
}

/* All 256 first octets, each direction, with and without data. */
START_TEST(every_combination_of_flags)
{
	for (unsigned i = 0; i < 256 * 4; i++) {
		unsigned first = i & 0xff;
		bool from_server = i & 0x100;
		bool has_data = i & 0x200;
		struct brski_buf packet = {0};
		struct brski_frame frame;
		enum brski_code code;

		brski_put_u8(&packet, (uint8_t)first);
		if (first & L)
			brski_put_u32(&packet, 1000);
		if (first & W)
			brski_put_u16(&packet, 1000);
		if (has_data)
			brski_put_str(&packet, "data");
		code = brski_frame_parse(brski_buf_span(&packet), from_server, &frame, NULL);
		ck_assert_msg(
			(code == BRSKI_OK) == is_allowed(first, from_server, has_data), "0x%02x", first);
		if ((first & 7) != 1)
			ck_assert_int_eq(code, BRSKI_UNSUPPORTED);
		else if (code != BRSKI_OK)
			ck_assert_int_eq(code, BRSKI_MALFORMED);
		if (code != BRSKI_OK)
			ck_assert(frame.flags == 0 && frame.data.len == 0 && frame.message_len == 0);
		brski_buf_free(&packet);
	}
}
END_TEST

START_TEST(no_flags_at_all)
{
	struct brski_frame frame;

	ck_assert_int_eq(brski_frame_parse(brski_span(NULL, 0), true, &frame, NULL), BRSKI_MALFORMED);
}
END_TEST

START_TEST(lengths_that_cannot_be)
{
	static const struct {
		const char *octets;
		size_t len;
	} cases[] = {
		{"\xc1\x00\x00\x00\x00x", 6},   /* nothing announced */
		{"\xc1\x00\x00\x00\x01x", 6},   /* nothing left to follow */
		{"\xc1\x00\x00\x00\x02xyz", 8}, /* less than is here */
		{"\x11\x00\x00", 3},            /* no time */
		{"\x11\x61\xa9", 3},            /* 25,001 ms */
		{"\x11\xff\xff", 3},
	};
	struct brski_frame frame;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_int_eq(
			brski_frame_parse(brski_span(cases[i].octets, cases[i].len), true, &frame, NULL),
			BRSKI_MALFORMED);
}
END_TEST

START_TEST(will_not_write_nonsense)
{
	static const struct brski_frame cases[] = {
		{.flags = L, .message_len = 5, .data = {(const uint8_t *)"x", 1}},
		{.flags = M},
		{.flags = S, .data = {(const uint8_t *)"x", 1}},
		{.flags = W},
		{.flags = W, .wait_ms = 25001},
		{.flags = W | S, .wait_ms = 5},
		{.flags = BRSKI_FRAME_RESERVED},
		{.flags = BRSKI_FRAME_VERSION},
	};
	struct brski_buf out = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_int_eq(brski_frame_write(&cases[i], &out, NULL), BRSKI_INTERNAL);
	ck_assert_uint_eq(out.len, 0);
}
END_TEST

/* Whatever parses is one of the allowed, and is written again octet for octet. */
static void try_damaged(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	const bool *from_server = ctx;
	struct brski_buf out = {0};
	struct brski_frame frame;

	if (brski_frame_parse(damaged, *from_server, &frame, NULL) != BRSKI_OK)
		return;
	ck_assert(is_allowed(damaged.data[0], *from_server, frame.data.len > 0));
	ck_assert_int_eq(brski_frame_write(&frame, &out, NULL), BRSKI_OK);
	ck_assert_msg(brski_span_equal(brski_buf_span(&out), damaged), "%s at %zu", how->kind, how->at);
	brski_buf_free(&out);
}

START_TEST(damaged_packets)
{
	for (int from_server = 0; from_server < 2; from_server++) {
		bool direction = from_server;

		mutate_all(brski_span(goldens[_i].octets, goldens[_i].len), try_damaged, &direction);
	}
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("frame");
	TCase *t = tcase_create("packets");

	tcase_add_loop_test(t, golden_packets, 0, N_GOLDENS);
	tcase_add_test(t, every_combination_of_flags);
	tcase_add_test(t, no_flags_at_all);
	tcase_add_test(t, lengths_that_cannot_be);
	tcase_add_test(t, will_not_write_nonsense);
	tcase_add_loop_test(t, damaged_packets, 0, N_GOLDENS);
	suite_add_tcase(s, t);
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
