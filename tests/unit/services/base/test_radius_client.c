/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "services/base/radius_client.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/radius.h"

/* Questions by UDP to a server in this process that answers as each test wants: rightly, or to deceive. */

static struct asked_server server;
static struct radius_client *client;
static struct radius_packet question;
static struct radius_reply reply;
static struct brski_error err;

static void make_client(const char *address, long first_ms, long total_ms)
{
	const struct radius_client_config config = {.server = address,
		.secret = brski_span_str(TEST_RADIUS_SECRET),
		.first_ms = first_ms,
		.total_ms = total_ms};

	EXPECT(BRSKI_OK, radius_client_new(&config, &client, &err));
}

static void answer_rightly(struct asked_server *s, struct brski_span in)
{
	struct brski_buf attributes = {0}, out;

	asked_put_vendor(&attributes, 32473, 6, brski_span_str("accept"));
	out = asked_answer(RADIUS_ACCESS_ACCEPT, in, brski_buf_span(&attributes), &(struct asked_lie){0});
	asked_server_send(s, brski_buf_span(&out), false);
	brski_buf_free(&out);
	brski_buf_free(&attributes);
}

static void set_up(void)
{
	server = (struct asked_server){.heard = answer_rightly};
	asked_server_start(&server);
	make_client(server.address, 60000, 60000); /* nothing here waits so long but a test that fails */
	radius_packet_begin(&question);
	radius_packet_put(&question, RADIUS_NAS_IDENTIFIER, brski_span_str("test"));
}

static void tear_down(void)
{
	radius_client_free(client);
	asked_server_stop(&server);
}

static void expect_accept(void)
{
	struct brski_span said;

	EXPECT(BRSKI_OK, radius_client_ask(client, &question, &reply, &err));
	ck_assert(reply.answer.code == RADIUS_ACCESS_ACCEPT);
	ck_assert(radius_answer_vendor(&reply.answer, 32473, 6, 0, &said));
	ck_assert(brski_span_equal(said, brski_span_str("accept")));
}

/* ---- Questions ---- */

static void check_question(struct asked_server *s, struct brski_span in)
{
	*(bool *)s->ctx = asked_is_signed(in, TEST_RADIUS_SECRET) &&
			  !asked_is_signed(in, "a secret that somebody else has");
	answer_rightly(s, in);
}

START_TEST(a_question_is_signed_and_its_answer_believed)
{
	bool was_signed = false;

	server.ctx = &was_signed;
	server.heard = check_question;
	expect_accept();
	ck_assert(was_signed);
}
END_TEST

struct kept {
	struct brski_buf first;
	bool same;
};

/* The first one is lost. */
static void answer_second(struct asked_server *s, struct brski_span in)
{
	struct kept *kept = s->ctx;

	if (kept->first.len == 0) {
		ck_assert(brski_buf_set(&kept->first, in) == BRSKI_OK);
		return;
	}
	kept->same = brski_span_equal(brski_buf_span(&kept->first), in);
	answer_rightly(s, in);
}

START_TEST(what_gets_lost_is_sent_again_as_it_was)
{
	struct kept kept = {.same = false};

	server.ctx = &kept;
	server.heard = answer_second;
	radius_client_free(client);
	make_client(server.address, 20, 60000);
	expect_accept();
	ck_assert(kept.same);
	brski_buf_free(&kept.first);
}
END_TEST

static void note_question(struct asked_server *s, struct brski_span in)
{
	struct brski_buf *all = s->ctx;

	brski_put(all, brski_span(in.data + 4, RADIUS_AUTHENTICATOR_LEN));
	answer_rightly(s, in);
}

START_TEST(no_two_questions_have_one_authenticator)
{
	struct brski_buf all = {0};

	server.ctx = &all;
	server.heard = note_question;
	for (int i = 0; i < 20; i++)
		expect_accept();
	ck_assert_uint_eq(all.len, 20 * RADIUS_AUTHENTICATOR_LEN);
	for (size_t i = 0; i < all.len; i += RADIUS_AUTHENTICATOR_LEN)
		for (size_t k = 0; k < i; k += RADIUS_AUTHENTICATOR_LEN)
			ck_assert(memcmp(all.data + i, all.data + k, RADIUS_AUTHENTICATOR_LEN) != 0);
	brski_buf_free(&all);
}
END_TEST

static void *ask_many(void *arg)
{
	struct radius_packet p;
	struct radius_reply r;
	unsigned *good = arg;

	for (int i = 0; i < 50; i++) {
		radius_packet_begin(&p);
		*good += radius_client_ask(client, &p, &r, NULL) == BRSKI_OK &&
			 r.answer.code == RADIUS_ACCESS_ACCEPT;
	}
	return NULL;
}

START_TEST(threads_share_a_client)
{
	pthread_t threads[4];
	unsigned good[4] = {0};

	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_many, &good[i]), 0);
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
		ck_assert_uint_eq(good[i], 50);
	}
}
END_TEST

START_TEST(a_vendors_value_takes_as_many_attributes_as_it_needs)
{
	static const uint8_t authenticator[RADIUS_AUTHENTICATOR_LEN] = {1};
	uint8_t value[600];
	struct radius_answer as_answer;
	struct brski_span part;

	memset(value, 'x', sizeof(value));
	radius_packet_begin(&question);
	radius_packet_put_vendor(&question, 32473, 1, brski_span(value, sizeof(value)));
	radius_packet_put(&question, RADIUS_CALLING_STATION_ID, brski_span_str("")); /* not sent */
	EXPECT(BRSKI_OK, radius_packet_sign(&question, 7, authenticator, brski_span_str("s"), &err));
	ck_assert_uint_eq(question.len, 20 + 18 + 3 * 8 + 600);
	as_answer.attributes = brski_span(question.octets + 20, question.len - 20);
	ck_assert(radius_answer_vendor(&as_answer, 32473, 1, 2, &part) && part.len == 600 - 2 * 247);
	ck_assert(!radius_answer_vendor(&as_answer, 32473, 1, 3, &part));
	ck_assert(!radius_answer_vendor(&as_answer, 32473, 2, 0, &part));
	ck_assert(!radius_answer_vendor(&as_answer, 9, 1, 0, &part));
}
END_TEST

START_TEST(a_question_that_does_not_fit_is_not_sent)
{
	static uint8_t value[4096];

	radius_packet_begin(&question);
	radius_packet_put(&question, RADIUS_NAS_IDENTIFIER, brski_span(value, RADIUS_VALUE_MAX + 1));
	EXPECT_WHY(BRSKI_TOO_LARGE, "4096", radius_client_ask(client, &question, &reply, &err));
	radius_packet_begin(&question);
	radius_packet_put_vendor(&question, 32473, 1, brski_span(value, sizeof(value)));
	EXPECT_WHY(BRSKI_TOO_LARGE, "4096", radius_client_ask(client, &question, &reply, &err));
	ck_assert_uint_eq(atomic_load(&server.questions), 0);
}
END_TEST

/* ---- Answers that are none ---- */

static const struct lie {
	const char *name, *why;
	struct asked_lie lie;
	uint8_t code; /* 0: Access-Accept */
	bool other_identifier, cut, longer_than_it_is, other_port;
	const char *tail; /* octets behind the attributes that are right */
	size_t tail_len;
} lies[] = {
	{.name = "without Message-Authenticator", .lie = {.no_mac = true}, .why = "no Message-Authenticator"},
	{.name = "with a wrong one", .lie = {.bad_mac = true}, .why = "Message-Authenticator is wrong"},
	{.name = "with a short one", .lie = {.short_mac = true}, .why = "not one Message-Authenticator"},
	{.name = "with two", .lie = {.two_macs = true}, .why = "not one Message-Authenticator"},
	{.name = "of another secret",
		.lie = {.secret = "a secret that somebody else has"},
		.why = "Message-Authenticator is wrong"},
	{.name = "with a wrong Response Authenticator",
		.lie = {.bad_authenticator = true},
		.why = "Response Authenticator is wrong"},
	{.name = "with another Identifier", .other_identifier = true, .why = "answers another request"},
	{.name = "Access-Request", .code = 1, .why = "answers another request"},
	{.name = "Accounting-Response", .code = 5, .why = "answers another request"},
	{.name = "cut", .cut = true, .why = "not as long as"},
	{.name = "longer than it is", .longer_than_it_is = true, .why = "not as long as"},
	{.name = "an attribute that is cut", .tail = "\x1a\x0a\0\0", .tail_len = 4, .why = "is cut off"},
	{.name = "an attribute of length 1", .tail = "\x1a\x01", .tail_len = 2, .why = "is cut off"},
	{.name = "an attribute of length 0", .tail = "\x1a\x00", .tail_len = 2, .why = "is cut off"},
	{.name = "an attribute without length", .tail = "\x1a", .tail_len = 1, .why = "is cut off"},
	{.name = "from another port", .other_port = true, .why = "no answer"},
};

static void send_lie(struct asked_server *s, struct brski_span in)
{
	const struct lie *lie = s->ctx;
	struct brski_buf attributes = {0}, out;

	asked_put_vendor(&attributes, 32473, 6, brski_span_str("refuse"));
	brski_put(&attributes, brski_span(lie->tail, lie->tail_len));
	out = asked_answer(
		lie->code ? lie->code : RADIUS_ACCESS_ACCEPT, in, brski_buf_span(&attributes), &lie->lie);
	out.data[1] ^= lie->other_identifier;
	out.data[2] |= lie->longer_than_it_is;
	out.len -= lie->cut;
	asked_server_send(s, brski_buf_span(&out), lie->other_port);
	brski_buf_free(&out);
	brski_buf_free(&attributes);
}

static void send_lie_then_truth(struct asked_server *s, struct brski_span in)
{
	send_lie(s, in);
	answer_rightly(s, in);
}

START_TEST(a_false_answer_is_dropped_and_the_right_one_taken)
{
	server.ctx = (void *)&lies[_i];
	server.heard = send_lie_then_truth;
	expect_accept();
}
END_TEST

START_TEST(with_a_false_answer_alone_there_is_none)
{
	server.ctx = (void *)&lies[_i];
	server.heard = send_lie;
	radius_client_free(client);
	make_client(server.address, 50, 150);
	EXPECT_WHY(BRSKI_UNAVAILABLE, lies[_i].why, radius_client_ask(client, &question, &reply, &err));
	ck_assert_msg(reply.answer.attributes.len == 0, "%s", lies[_i].name);
}
END_TEST

static void send_octets_then_truth(struct asked_server *s, struct brski_span in)
{
	static const uint8_t octets[4096];

	for (size_t len = 0; len < 64; len++)
		asked_server_send(s, brski_span(octets, len), false);
	asked_server_send(s, brski_span(octets, sizeof(octets)), false);
	asked_server_send(s, in, false); /* the question itself */
	answer_rightly(s, in);
}

START_TEST(octets_of_any_length_are_dropped)
{
	server.heard = send_octets_then_truth;
	expect_accept();
}
END_TEST

static void pad(struct asked_server *s, struct brski_span in)
{
	struct brski_buf out =
		asked_answer(RADIUS_ACCESS_REJECT, in, brski_span(NULL, 0), &(struct asked_lie){0});

	brski_put_str(&out, "\x1a padding");
	asked_server_send(s, brski_buf_span(&out), false);
	brski_buf_free(&out);
}

/* RFC 2865 3: what is behind Length is no part of the packet. */
START_TEST(padding_is_not_looked_at)
{
	struct brski_span said;

	server.heard = pad;
	EXPECT(BRSKI_OK, radius_client_ask(client, &question, &reply, &err));
	ck_assert(reply.answer.code == RADIUS_ACCESS_REJECT);
	ck_assert(!radius_answer_vendor(&reply.answer, 32473, 6, 0, &said));
}
END_TEST

/* Each octet of it counts, and so does its end. */
START_TEST(nothing_of_an_answer_can_be_changed)
{
	static const uint8_t authenticator[RADIUS_AUTHENTICATOR_LEN] = {1};
	const struct brski_span secret = brski_span_str(TEST_RADIUS_SECRET);
	struct brski_buf attributes = {0}, good;
	struct radius_answer a;
	struct brski_span said;
	uint8_t *copy; /* as large as what is read, and no larger */

	EXPECT(BRSKI_OK, radius_packet_sign(&question, 7, authenticator, secret, &err));
	asked_put_vendor(&attributes, 32473, 7, brski_span_str("because"));
	asked_put_vendor(&attributes, 32473, 6, brski_span_str("accept"));
	good = asked_answer(RADIUS_ACCESS_ACCEPT, brski_span(question.octets, question.len),
		brski_buf_span(&attributes), &(struct asked_lie){0});
	EXPECT(BRSKI_OK, radius_answer_read(brski_buf_span(&good), &question, secret, &a, &err));
	ck_assert(radius_answer_vendor(&a, 32473, 6, 0, &said));
	for (size_t i = 0; i < good.len * 8; i++) {
		good.data[i / 8] ^= (uint8_t)(1 << i % 8);
		ck_assert_msg(
			radius_answer_read(brski_buf_span(&good), &question, secret, &a, &err) != BRSKI_OK,
			"bit %zu", i);
		ck_assert(a.attributes.len == 0);
		good.data[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t len = 0; len < good.len; len++) {
		copy = malloc(len + 1);
		memcpy(copy, good.data, len);
		ck_assert(radius_answer_read(brski_span(copy, len), &question, secret, &a, &err) ==
			  BRSKI_MALFORMED);
		free(copy);
	}
	brski_buf_free(&attributes);
	brski_buf_free(&good);
}
END_TEST

/* A Vendor-Specific says of itself how long what is in it is. */
START_TEST(what_is_in_a_vendors_attribute_stays_in_it)
{
	static const struct {
		const char *octets;
		size_t len;
	} bad[] = {{"\x1a\x02", 2}, {"\x1a\x05\0\0\x7e", 5}, {"\x1a\x06\0\0\x7e\xd9", 6},
		{"\x1a\x07\0\0\x7e\xd9\x06", 7}, {"\x1a\x08\0\0\x7e\xd9\x06\x03", 8},
		{"\x1a\x08\0\0\x7e\xd9\x06\x01", 8}, {"\x1a\x08\0\0\x7e\xd9\x06\xff", 8},
		{"\x1a\x09\0\0\x7e\xd8\x06\x03x", 9}};
	struct brski_span said;
	uint8_t *copy;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct radius_answer a;

		copy = malloc(bad[i].len);
		memcpy(copy, bad[i].octets, bad[i].len);
		a.attributes = brski_span(copy, bad[i].len);
		ck_assert_msg(!radius_answer_vendor(&a, 32473, 6, 0, &said), "%zu", i);
		free(copy);
	}
}
END_TEST

static void flood(struct asked_server *s, struct brski_span in)
{
	struct asked_lie lie = {.bad_mac = true};
	struct brski_buf out = asked_answer(RADIUS_ACCESS_ACCEPT, in, brski_span(NULL, 0), &lie);

	for (int i = 0; i < 2000; i++)
		asked_server_send(s, brski_buf_span(&out), false);
	brski_buf_free(&out);
}

/* It ends when its time is over, however much comes. */
START_TEST(a_flood_of_false_answers_holds_nobody)
{
	server.heard = flood;
	radius_client_free(client);
	make_client(server.address, 30, 100);
	EXPECT_WHY(BRSKI_UNAVAILABLE, "packets came", radius_client_ask(client, &question, &reply, &err));
}
END_TEST

/* An old answer, of a request with the same Identifier, has another Authenticator. */
static void repeat_old(struct asked_server *s, struct brski_span in)
{
	struct brski_buf *old = s->ctx;

	if (old->len > 0) {
		old->data[1] = in.data[1];
		asked_server_send(s, brski_buf_span(old), false);
	} else {
		*old = asked_answer(RADIUS_ACCESS_ACCEPT, in, brski_span(NULL, 0), &(struct asked_lie){0});
		asked_server_send(s, brski_buf_span(old), false);
	}
}

START_TEST(an_answer_is_good_for_one_question)
{
	struct brski_buf old = {0};

	server.ctx = &old;
	server.heard = repeat_old;
	EXPECT(BRSKI_OK, radius_client_ask(client, &question, &reply, &err));
	radius_client_free(client);
	make_client(server.address, 30, 100);
	EXPECT_WHY(BRSKI_UNAVAILABLE, "Message-Authenticator is wrong",
		radius_client_ask(client, &question, &reply, &err));
	brski_buf_free(&old);
}
END_TEST

START_TEST(where_nobody_listens_nobody_is_waited_for)
{
	char address[sizeof(server.address)];

	memcpy(address, server.address, sizeof(address));
	asked_server_stop(&server);
	radius_client_free(client);
	make_client(address, 60000, 60000);
	EXPECT_WHY(BRSKI_UNAVAILABLE, "nobody listens there",
		radius_client_ask(client, &question, &reply, &err));
	asked_server_start(&server); /* to be stopped */
}
END_TEST

/* ---- Settings ---- */

START_TEST(an_address_and_a_secret_are_what_they_must_be)
{
	static const char *const bad[] = {"", "127.0.0.1", ":1812", "127.0.0.1:", "127.0.0.1:0",
		"127.0.0.1:65536", "localhost:1812", "127.0.0.1:1812x", "none", "[::1:1812"};
	struct radius_client_config config = {.secret = brski_span_str(TEST_RADIUS_SECRET)};
	struct radius_client *c;
	char secret[RADIUS_SECRET_MAX + 1];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		config.server = bad[i];
		EXPECT_WHY(BRSKI_MALFORMED, "", radius_client_new(&config, &c, &err));
		ck_assert_ptr_null(c);
	}
	config.server = "[::1]:1812";
	EXPECT(BRSKI_OK, radius_client_new(&config, &c, &err));
	radius_client_free(c);
	memset(secret, 's', sizeof(secret));
	config.secret = brski_span(secret, RADIUS_SECRET_MIN - 1);
	EXPECT_WHY(BRSKI_UNSUPPORTED, "16 to 256", radius_client_new(&config, &c, &err));
	config.secret = brski_span(secret, RADIUS_SECRET_MAX + 1);
	EXPECT_WHY(BRSKI_UNSUPPORTED, "16 to 256", radius_client_new(&config, &c, &err));
	radius_client_free(NULL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("radius_client");
	TCase *tc = tcase_create("all");
	const int n_lies = (int)(sizeof(lies) / sizeof(lies[0]));
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, a_question_is_signed_and_its_answer_believed);
	tcase_add_test(tc, what_gets_lost_is_sent_again_as_it_was);
	tcase_add_test(tc, no_two_questions_have_one_authenticator);
	tcase_add_test(tc, threads_share_a_client);
	tcase_add_test(tc, a_vendors_value_takes_as_many_attributes_as_it_needs);
	tcase_add_test(tc, a_question_that_does_not_fit_is_not_sent);
	tcase_add_loop_test(tc, a_false_answer_is_dropped_and_the_right_one_taken, 0, n_lies);
	tcase_add_loop_test(tc, with_a_false_answer_alone_there_is_none, 0, n_lies);
	tcase_add_test(tc, octets_of_any_length_are_dropped);
	tcase_add_test(tc, padding_is_not_looked_at);
	tcase_add_test(tc, nothing_of_an_answer_can_be_changed);
	tcase_add_test(tc, what_is_in_a_vendors_attribute_stays_in_it);
	tcase_add_test(tc, a_flood_of_false_answers_holds_nobody);
	tcase_add_test(tc, an_answer_is_good_for_one_question);
	tcase_add_test(tc, where_nobody_listens_nobody_is_waited_for);
	tcase_add_test(tc, an_address_and_a_secret_are_what_they_must_be);
	suite_add_tcase(s, tc);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
