/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "eap_brski/transport/link.h"
#include "tests/unit/support/mutate.h"

static struct brski_link *new_link(bool server, size_t mtu, size_t message_max)
{
	struct brski_link *link;

	ck_assert_int_eq(brski_link_new(server, mtu, message_max, &link, NULL), BRSKI_OK);
	return link;
}

static struct brski_link *server, *peer;
static size_t packet_max;
static unsigned packets;

static void new_pair(size_t mtu)
{
	server = new_link(true, mtu, 0);
	peer = new_link(false, mtu, 0);
	packet_max = mtu - BRSKI_EAP_OVERHEAD;
	packets = 0;
}

static void free_pair(void)
{
	brski_link_free(server);
	brski_link_free(peer);
	server = peer = NULL;
}

static enum brski_link_event receive(struct brski_link *to, const char *octets, size_t len)
{
	enum brski_link_event event;
	struct brski_error err;
	uint16_t wait_ms;

	ck_assert_msg(brski_link_receive(to, brski_span(octets, len), &event, &wait_ms, &err) == BRSKI_OK,
		"%s", err.why);
	return event;
}

/* One packet from one link to the other. */
static enum brski_link_event pass(struct brski_link *from, struct brski_link *to)
{
	struct brski_buf packet = {0};
	enum brski_link_event event;

	ck_assert_int_eq(brski_link_next(from, &packet, NULL), BRSKI_OK);
	ck_assert_uint_ge(packet.len, 1);
	ck_assert_uint_le(packet.len, packet_max);
	event = receive(to, (const char *)packet.data, packet.len);
	packets++;
	brski_buf_free(&packet);
	return event;
}

static void start(void)
{
	ck_assert_int_eq(pass(server, peer), BRSKI_LINK_START);
}

static struct brski_span text_of(size_t len)
{
	static uint8_t text[BRSKI_MESSAGE_MAX + 1];

	for (size_t i = 0; i < len; i++)
		text[i] = (uint8_t)(i * 31 + i / 251 + 1);
	return brski_span(text, len);
}

/* Sends a whole message; every fragment but the last is acknowledged. */
static void send(struct brski_link *from, struct brski_link *to, struct brski_span message)
{
	enum brski_link_event event;

	ck_assert_int_eq(brski_link_queue(from, message, NULL), BRSKI_OK);
	while ((event = pass(from, to)) == BRSKI_LINK_SEND)
		ck_assert_int_eq(pass(to, from), BRSKI_LINK_SEND);
	ck_assert_int_eq(event, message.len > 0 ? BRSKI_LINK_MESSAGE : BRSKI_LINK_ACK);
	ck_assert(brski_span_equal(brski_link_message(to), message));
}

static const size_t mtus[] = {128, 129, 512, 1020, 1398, 1500, 65535};
#define N_MTUS ((int)(sizeof(mtus) / sizeof(mtus[0])))

START_TEST(messages_of_many_sizes)
{
	size_t room = mtus[_i] - BRSKI_EAP_OVERHEAD;
	const size_t sizes[] = {1, 2, 100, room - 6, room - 5, room - 4, room - 2, room - 1, room, room + 1,
		2 * room - 7, 2 * room - 6, 2 * room - 5, 3 * room - 7, 5000, 65534, 65535};

	new_pair(mtus[_i]);
	start();
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (sizes[i] > BRSKI_MESSAGE_MAX)
			continue;
		send(peer, server, text_of(sizes[i]));
		send(server, peer, text_of(sizes[i]));
	}
	send(peer, server, text_of(0));
	free_pair();
}
END_TEST

START_TEST(every_size_at_the_smallest_mtu)
{
	new_pair(BRSKI_MTU_MIN);
	start();
	for (size_t len = 1; len < 600; len++) {
		send(peer, server, text_of(len));
		send(server, peer, text_of(len));
	}
	free_pair();
}
END_TEST

/* Fragments fill the path: the number of packets is the least possible. */
START_TEST(fragments_are_full)
{
	new_pair(1398);
	start();
	packets = 0;
	send(peer, server, text_of(1385));
	ck_assert_uint_eq(packets, 1);
	packets = 0;
	send(server, peer, text_of(1386));
	ck_assert_uint_eq(packets, 3);
	packets = 0;
	send(peer, server, text_of(1381 + 1385));
	ck_assert_uint_eq(packets, 3);
	packets = 0;
	send(server, peer, text_of(1381 + 1385 + 1));
	ck_assert_uint_eq(packets, 5);
	free_pair();
}
END_TEST

START_TEST(wait_takes_the_place_of_an_answer)
{
	struct brski_buf packet = {0};
	enum brski_link_event event;
	uint16_t wait_ms;

	new_pair(1398);
	start();
	send(peer, server, text_of(3000));
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(brski_link_wait(server, 700, &packet, NULL), BRSKI_OK);
		ck_assert_int_eq(
			brski_link_receive(peer, brski_buf_span(&packet), &event, &wait_ms, NULL), BRSKI_OK);
		ck_assert_int_eq(event, BRSKI_LINK_WAIT);
		ck_assert_uint_eq(wait_ms, 700);
		/* nothing but the acknowledgement can follow */
		ck_assert_int_eq(brski_link_queue(peer, text_of(5), NULL), BRSKI_UNEXPECTED);
		ck_assert_int_eq(pass(peer, server), BRSKI_LINK_ACK);
		ck_assert_uint_eq(brski_link_message(peer).len, 0);
		/* the message that the Wait is about is still there */
		ck_assert(brski_span_equal(brski_link_message(server), text_of(3000)));
	}
	send(server, peer, text_of(3000));
	send(peer, server, text_of(1));
	brski_buf_free(&packet);
	free_pair();
}
END_TEST

START_TEST(message_stays_until_the_next_packet)
{
	struct brski_buf packet = {0};

	new_pair(1398);
	start();
	send(peer, server, text_of(2000));
	ck_assert_int_eq(brski_link_queue(server, text_of(10), NULL), BRSKI_OK);
	ck_assert_uint_eq(brski_link_message(server).len, 2000);
	ck_assert_int_eq(brski_link_next(server, &packet, NULL), BRSKI_OK);
	ck_assert_uint_eq(brski_link_message(server).len, 2000);
	brski_buf_free(&packet);
	free_pair();
}
END_TEST

/* Octets that bring a fresh link into some state, then what may not come there. */
struct refusal {
	bool server;
	const char *name;
	const char *queue; /* sent first; NULL: nothing */
	size_t queue_len;
	bool after_wait; /* server: a Wait was sent */
	struct {
		const char *octets;
		size_t len;
	} packets[3]; /* the last one is refused */
	enum brski_code code;
};

#define P(octets) \
	{ \
		octets, sizeof(octets) - 1 \
	}

static const struct refusal refusals[] = {
	{false, "message before Start", NULL, 0, false, {P("\x01x")}, BRSKI_UNEXPECTED},
	{false, "acknowledgement before Start", NULL, 0, false, {P("\x01")}, BRSKI_UNEXPECTED},
	{false, "Wait before Start", NULL, 0, false, {P("\x11\x00\x05")}, BRSKI_UNEXPECTED},
	{false, "fragment before Start", NULL, 0, false, {P("\xc1\x00\x00\x00\x09x")}, BRSKI_UNEXPECTED},
	{false, "packet out of turn", NULL, 0, false, {P("\x21"), P("\x01x")}, BRSKI_UNEXPECTED},
	{false, "second Start", "q", 1, false, {P("\x21"), P("\x21")}, BRSKI_UNEXPECTED},
	{false, "fragment without a first one", "q", 1, false, {P("\x21"), P("\x41x")}, BRSKI_UNEXPECTED},
	{false, "L in a later fragment", "q", 1, false,
		{P("\x21"), P("\xc1\x00\x00\x00\x09x"), P("\xc1\x00\x00\x00\x09x")}, BRSKI_UNEXPECTED},
	{false, "Wait among fragments", "q", 1, false,
		{P("\x21"), P("\xc1\x00\x00\x00\x09x"), P("\x11\x00\x05")}, BRSKI_UNEXPECTED},
	{false, "Start among fragments", "q", 1, false, {P("\x21"), P("\xc1\x00\x00\x00\x09x"), P("\x21")},
		BRSKI_UNEXPECTED},
	{false, "empty last fragment", "q", 1, false, {P("\x21"), P("\xc1\x00\x00\x00\x09x"), P("\x01")},
		BRSKI_UNEXPECTED},
	{false, "empty fragment in between", "q", 1, false,
		{P("\x21"), P("\xc1\x00\x00\x00\x09x"), P("\x41")}, BRSKI_MALFORMED},
	{false, "too few octets", "q", 1, false,
		{P("\x21"), P("\xc1\x00\x00\x00\x09x"),
			P("\x01"
			  "2345678")},
		BRSKI_MALFORMED},
	{false, "too many octets", "q", 1, false,
		{P("\x21"), P("\xc1\x00\x00\x00\x09x"),
			P("\x01"
			  "234567890")},
		BRSKI_MALFORMED},
	{false, "too many octets and more", "q", 1, false,
		{P("\x21"), P("\xc1\x00\x00\x00\x09x"),
			P("\x41"
			  "234567890")},
		BRSKI_MALFORMED},
	{false, "all octets and more", "q", 1, false,
		{P("\x21"), P("\xc1\x00\x00\x00\x09x"),
			P("\x41"
			  "23456789")},
		BRSKI_MALFORMED},
	{false, "more than is allowed", "q", 1, false, {P("\x21"), P("\xc1\x00\x00\x01\x01x")},
		BRSKI_TOO_LARGE},
	{false, "much more than is allowed", "q", 1, false, {P("\x21"), P("\xc1\xff\xff\xff\xffx")},
		BRSKI_TOO_LARGE},
	{false, "message for a fragment's acknowledgement", "long", 200, false, {P("\x21"), P("\x01x")},
		BRSKI_UNEXPECTED},
	{false, "Wait for a fragment's acknowledgement", "long", 200, false, {P("\x21"), P("\x11\x00\x05")},
		BRSKI_UNEXPECTED},
	{false, "wrong version", "q", 1, false, {P("\x21"), P("\x02x")}, BRSKI_UNSUPPORTED},
	{false, "nothing", "q", 1, false, {P("\x21"), P("")}, BRSKI_MALFORMED},
	{true, "acknowledgement of Start", NULL, 0, false, {P("\x01")}, BRSKI_UNEXPECTED},
	{true, "Start from a peer", NULL, 0, false, {P("\x21")}, BRSKI_MALFORMED},
	{true, "Wait from a peer", NULL, 0, false, {P("\x11\x00\x05")}, BRSKI_MALFORMED},
	{true, "packet out of turn", NULL, 0, false, {P("\x01x"), P("\x01x")}, BRSKI_UNEXPECTED},
	{true, "message for a Wait's acknowledgement", NULL, 0, true, {P("\x01x"), P("\x01x")},
		BRSKI_UNEXPECTED},
	{true, "fragment for a Wait's acknowledgement", NULL, 0, true,
		{P("\x01x"), P("\xc1\x00\x00\x00\x09x")}, BRSKI_UNEXPECTED},
	{true, "fragment for a fragment's acknowledgement", "long", 200, false,
		{P("\x01x"), P("\xc1\x00\x00\x00\x09x")}, BRSKI_UNEXPECTED},
};
#define N_REFUSALS ((int)(sizeof(refusals) / sizeof(refusals[0])))

static void answer(struct brski_link *link, const struct refusal *r, enum brski_link_event event)
{
	struct brski_buf packet = {0};

	if (event == BRSKI_LINK_SEND) {
		ck_assert_int_eq(brski_link_next(link, &packet, NULL), BRSKI_OK);
	} else if (r->after_wait) {
		ck_assert_int_eq(brski_link_wait(link, 5, &packet, NULL), BRSKI_OK);
	} else if (r->queue) {
		ck_assert_int_eq(brski_link_queue(link, text_of(r->queue_len), NULL), BRSKI_OK);
		ck_assert_int_eq(brski_link_next(link, &packet, NULL), BRSKI_OK);
	}
	brski_buf_free(&packet);
}

START_TEST(refused)
{
	const struct refusal *r = &refusals[_i];
	struct brski_link *link = new_link(r->server, BRSKI_MTU_MIN, 256);
	struct brski_buf packet = {0};
	enum brski_link_event event;
	struct brski_error err = {0};
	uint16_t wait_ms;
	size_t i;

	if (r->server)
		ck_assert_int_eq(brski_link_next(link, &packet, NULL), BRSKI_OK);
	for (i = 0; i < 2 && r->packets[i + 1].octets; i++)
		answer(link, r, receive(link, r->packets[i].octets, r->packets[i].len));
	ck_assert_msg(brski_link_receive(link, brski_span(r->packets[i].octets, r->packets[i].len), &event,
			      &wait_ms, &err) == r->code,
		"%s: %s", r->name, err.why);
	/* and that is the end */
	ck_assert_uint_eq(brski_link_message(link).len, 0);
	ck_assert_int_eq(
		brski_link_receive(link, brski_span("\x01", 1), &event, &wait_ms, NULL), BRSKI_UNEXPECTED);
	ck_assert_int_eq(brski_link_queue(link, text_of(1), NULL), BRSKI_UNEXPECTED);
	ck_assert_int_eq(brski_link_next(link, &packet, NULL), BRSKI_UNEXPECTED);
	ck_assert_int_eq(brski_link_wait(link, 5, &packet, NULL), BRSKI_UNEXPECTED);
	brski_buf_free(&packet);
	brski_link_free(link);
}
END_TEST

START_TEST(limits_of_settings)
{
	struct brski_link *link;

	ck_assert_int_eq(brski_link_new(true, BRSKI_MTU_MIN - 1, 0, &link, NULL), BRSKI_TOO_LARGE);
	ck_assert_ptr_null(link);
	ck_assert_int_eq(brski_link_new(true, 65536, 0, &link, NULL), BRSKI_TOO_LARGE);
	ck_assert_int_eq(brski_link_new(true, 1398, BRSKI_BUF_LIMIT + 1, &link, NULL), BRSKI_TOO_LARGE);
	brski_link_free(NULL);
}
END_TEST

START_TEST(limit_on_what_is_sent_and_received)
{
	struct brski_link *small = new_link(false, 1398, 100);
	struct brski_buf packet = {0};
	enum brski_link_event event;
	uint16_t wait_ms;
	char octets[102] = "\x01";

	receive(small, "\x21", 1);
	ck_assert_int_eq(brski_link_queue(small, text_of(101), NULL), BRSKI_TOO_LARGE);
	ck_assert_int_eq(brski_link_queue(small, text_of(100), NULL), BRSKI_OK);
	ck_assert_int_eq(brski_link_queue(small, text_of(1), NULL), BRSKI_UNEXPECTED);
	ck_assert_int_eq(brski_link_next(small, &packet, NULL), BRSKI_OK);
	ck_assert_int_eq(brski_link_next(small, &packet, NULL), BRSKI_UNEXPECTED);
	ck_assert_int_eq(
		brski_link_receive(small, brski_span(octets, 102), &event, &wait_ms, NULL), BRSKI_TOO_LARGE);
	brski_buf_free(&packet);
	brski_link_free(small);
}
END_TEST

START_TEST(out_of_turn)
{
	struct brski_buf packet = {0};

	new_pair(1398);
	ck_assert_int_eq(brski_link_queue(server, text_of(1), NULL), BRSKI_UNEXPECTED);
	ck_assert_int_eq(brski_link_wait(server, 5, &packet, NULL), BRSKI_UNEXPECTED);
	ck_assert_int_eq(brski_link_queue(peer, text_of(1), NULL), BRSKI_UNEXPECTED);
	ck_assert_int_eq(brski_link_next(peer, &packet, NULL), BRSKI_UNEXPECTED);
	start();
	ck_assert_int_eq(brski_link_next(peer, &packet, NULL), BRSKI_UNEXPECTED);
	ck_assert_int_eq(brski_link_wait(peer, 5, &packet, NULL), BRSKI_UNEXPECTED);
	send(peer, server, text_of(1));
	ck_assert_int_eq(brski_link_wait(server, 0, &packet, NULL), BRSKI_INTERNAL);
	ck_assert_int_eq(brski_link_wait(server, 25001, &packet, NULL), BRSKI_INTERNAL);
	send(server, peer, text_of(1));
	brski_buf_free(&packet);
	free_pair();
}
END_TEST

/*
 * A recorded fragment series, one packet of it damaged: either refused, or the message has the
 * length announced.
 */
static void try_second_fragment(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	struct brski_link *link = new_link(true, BRSKI_MTU_MIN, 0);
	struct brski_buf packet = {0};
	enum brski_link_event event;
	uint16_t wait_ms;

	(void)ctx;
	ck_assert_int_eq(brski_link_next(link, &packet, NULL), BRSKI_OK);
	receive(link,
		"\xc1\x00\x00\x00\x09"
		"1234",
		9);
	ck_assert_uint_eq(brski_link_message(link).len, 0);
	ck_assert_int_eq(brski_link_next(link, &packet, NULL), BRSKI_OK);
	if (brski_link_receive(link, damaged, &event, &wait_ms, NULL) == BRSKI_OK) {
		ck_assert_msg(event == BRSKI_LINK_MESSAGE || event == BRSKI_LINK_SEND, "%s at %zu", how->kind,
			how->at);
		ck_assert_uint_eq(brski_link_message(link).len, event == BRSKI_LINK_MESSAGE ? 9 : 0);
	}
	brski_buf_free(&packet);
	brski_link_free(link);
}

START_TEST(damaged_fragment)
{
	mutate_all(brski_span("\x01"
			      "56789",
			   6),
		try_second_fragment, NULL);
	mutate_all(brski_span("\x41"
			      "567",
			   4),
		try_second_fragment, NULL);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("link");
	TCase *good = tcase_create("good");
	TCase *bad = tcase_create("refused");

	tcase_add_loop_test(good, messages_of_many_sizes, 0, N_MTUS);
	tcase_add_test(good, every_size_at_the_smallest_mtu);
	tcase_add_test(good, fragments_are_full);
	tcase_add_test(good, wait_takes_the_place_of_an_answer);
	tcase_add_test(good, message_stays_until_the_next_packet);
	tcase_set_timeout(good, 60);
	suite_add_tcase(s, good);
	tcase_add_loop_test(bad, refused, 0, N_REFUSALS);
	tcase_add_test(bad, limits_of_settings);
	tcase_add_test(bad, limit_on_what_is_sent_and_received);
	tcase_add_test(bad, out_of_turn);
	tcase_add_test(bad, damaged_fragment);
	suite_add_tcase(s, bad);
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
