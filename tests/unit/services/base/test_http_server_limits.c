/* SPDX-License-Identifier: BSD-3-Clause */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <check.h>

#include "services/base/clock.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/http_lab.h"

/* What a client can have of the HTTP server: time, connections, octets, lines of log. */

#define GET "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
#define HALF "GET /a HTTP/1.1\r\nHost:"
#define POST "POST /a HTTP/1.1\r\nHost: x\r\n"
#define A "127.0.0.2"
#define B "127.0.0.3"
#define C "127.0.0.4"
#define PEERS 8

static struct http_lab lab;
static struct http_peer peers[PEERS];

static void setup(void)
{
	http_lab_init(&lab, false);
	for (size_t i = 0; i < PEERS; i++)
		peers[i].fd = -1;
}

static void teardown(void)
{
	for (size_t i = 0; i < PEERS; i++)
		http_peer_close(&peers[i]);
	http_lab_stop(&lab);
}

static struct http_peer *come(size_t i, const char *from)
{
	http_peer_connect(&peers[i], &lab, from);
	return &peers[i];
}

/* One that keeps its place: half a request. */
static struct http_peer *come_and_stay(size_t i, const char *from)
{
	http_peer_say(come(i, from), HALF);
	http_peer_expect_there(&peers[i]);
	return &peers[i];
}

/* One that has had an answer. */
static struct http_peer *come_and_idle(size_t i, const char *from)
{
	ck_assert_uint_eq(http_peer_ask(come(i, from), GET), 200);
	return &peers[i];
}

/* An octet a turn, for as long as somebody takes them. */
static void trickle(struct http_peer *peer, const char *octet)
{
	for (int i = 0; i < 5000 && !peer->gone; i++)
		http_peer_say(peer, octet);
}

START_TEST(a_slow_header)
{
	lab.config.request_ms = 100;
	http_lab_start(&lab);
	http_peer_say(come(0, A), "GET /a HTTP/1.1\r\nX: ");
	trickle(&peers[0], "y");
	http_peer_await(&peers[0], "HTTP/1.1 408 ");
	ck_assert_uint_eq(http_lab_logged(&lab, A ": a request took too long"), 1);
	ck_assert_uint_eq(lab.requests, 0);
}
END_TEST

START_TEST(a_slow_body)
{
	lab.config.request_ms = 100;
	lab.config.max_body = 100000;
	http_lab_start(&lab);
	http_peer_say(come(0, A), POST "Transfer-Encoding: chunked\r\n\r\n");
	trickle(&peers[0], "1\r\nx\r\n");
	http_peer_await(&peers[0], "HTTP/1.1 408 ");
}
END_TEST

START_TEST(empty_lines_without_end)
{
	lab.config.request_ms = 100;
	http_lab_start(&lab);
	come(0, A);
	trickle(&peers[0], "\r\n");
	http_peer_await(&peers[0], "HTTP/1.1 408 ");
}
END_TEST

START_TEST(an_idle_connection)
{
	lab.config.idle_ms = 50;
	lab.config.handshake_ms = 50;
	http_lab_start(&lab);
	http_peer_await_gone(come_and_idle(0, A));
	http_peer_await_gone(come(1, A));
	ck_assert_uint_eq(http_lab_logged(&lab, "too long"), 0);
}
END_TEST

static void wait_ms(int64_t ms)
{
	for (int64_t end = brski_now_ms() + ms; brski_now_ms() < end;)
		http_lab_turn(&lab);
}

START_TEST(no_time_counts_while_a_request_is_worked_on)
{
	lab.config.request_ms = 50;
	lab.config.idle_ms = 50;
	lab.hold = true;
	http_lab_start(&lab);
	http_peer_say(come(0, A), GET);
	http_lab_await_requests(&lab, 1);
	wait_ms(150);
	http_peer_expect_there(&peers[0]);
	http_lab_reply(&lab, "at last");
	http_peer_await(&peers[0], "at last");
}
END_TEST

/* More than the sockets of both sides hold. */
static const char *long_answer(void)
{
	static char text[900 * 1024];

	memset(text, 'x', sizeof(text) - 1);
	return text;
}

START_TEST(a_client_that_does_not_take_its_answer)
{
	int small = 4096;

	lab.config.request_ms = 100;
	lab.answer = long_answer();
	http_lab_start(&lab);
	come(0, A);
	setsockopt(peers[0].fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	ck_assert_int_gt(send(peers[0].fd, GET GET GET GET GET GET, 6 * strlen(GET), 0), 0);
	for (int i = 0; i < 5000 && lab.closed == 0; i++)
		http_lab_turn(&lab);
	ck_assert_uint_eq(lab.closed, 1);
	ck_assert_uint_lt(lab.requests, 6);
	ck_assert_uint_eq(http_lab_logged(&lab, A ": taking an answer took too long"), 1);
}
END_TEST

START_TEST(an_answer_of_many_octets)
{
	lab.answer = "0123456789";
	http_lab_start(&lab);
	lab.answer = long_answer();
	http_peer_say(come(0, A), GET);
	http_peer_await(&peers[0], "Content-Length: 921599\r\n");
	for (size_t n = 0; n < 900000;) {
		n += peers[0].n_heard;
		peers[0].n_heard = 0;
		http_lab_turn(&lab);
		http_peer_hear(&peers[0]);
		ck_assert(!peers[0].gone);
	}
}
END_TEST

START_TEST(the_requests_of_a_connection)
{
	lab.config.requests_max = 3;
	http_lab_start(&lab);
	come_and_idle(0, A);
	ck_assert_uint_eq(http_peer_ask(&peers[0], GET), 200);
	ck_assert_ptr_null(strstr(peers[0].heard, "Connection: close"));
	ck_assert_uint_eq(http_peer_ask(&peers[0], GET), 200);
	ck_assert_ptr_nonnull(strstr(peers[0].heard, "Connection: close"));
	http_peer_await_gone(&peers[0]);
}
END_TEST

START_TEST(requests_in_a_row)
{
	lab.hold = true;
	http_lab_start(&lab);
	http_peer_say(come(0, A), GET GET HALF);
	http_lab_await_requests(&lab, 1);
	http_peer_expect_there(&peers[0]);
	ck_assert_uint_eq(lab.requests, 1);
	http_lab_reply(&lab, "first");
	http_lab_await_requests(&lab, 2);
	http_peer_say(&peers[0], " x\r\n\r\n");
	http_lab_reply(&lab, "second");
	http_lab_await_requests(&lab, 3);
	http_lab_reply(&lab, "third");
	http_peer_await(&peers[0], "third");
	ck_assert(strstr(peers[0].heard, "first") < strstr(peers[0].heard, "second"));
	ck_assert(strstr(peers[0].heard, "second") < strstr(peers[0].heard, "third"));
}
END_TEST

/* What comes while a request is worked on stays with whoever sends it. */
START_TEST(requests_in_an_endless_row)
{
	size_t sent = 0;
	ssize_t n = 1;

	lab.hold = true;
	http_lab_start(&lab);
	http_peer_say(come(0, A), GET);
	http_lab_await_requests(&lab, 1);
	while (n > 0 && sent < (size_t)64 << 20) {
		n = send(peers[0].fd, GET, strlen(GET), MSG_NOSIGNAL);
		sent += n > 0 ? (size_t)n : 0;
		if (n < 0)
			wait_ms(20);
		if (n < 0)
			n = send(peers[0].fd, GET, strlen(GET), MSG_NOSIGNAL);
	}
	ck_assert_int_lt(n, 0);
	ck_assert_uint_eq(lab.requests, 1);
	ck_assert(!peers[0].gone);
}
END_TEST

START_TEST(who_waits_for_100_gets_it)
{
	http_lab_start(&lab);
	ck_assert_uint_eq(
		http_peer_ask(come(0, A), POST "Expect: 100-continue\r\nContent-Length: 4\r\n\r\n"), 100);
	ck_assert_uint_eq(http_peer_ask(&peers[0], "body"), 200);
	ck_assert_uint_eq(
		http_peer_ask(&peers[0], POST "Expect: 100-continue\r\nContent-Length: 4000\r\n\r\n"), 413);
	http_peer_await_gone(&peers[0]);
	ck_assert_uint_eq(lab.requests, 1);
}
END_TEST

/* It gets its answer, though it goes on sending for a while. */
START_TEST(a_body_that_is_too_long)
{
	char part[4000];

	memset(part, 'x', sizeof(part));
	http_lab_start(&lab);
	http_peer_say(come(0, A), POST "Content-Length: 100000\r\n\r\n");
	for (int i = 0; i < 25; i++)
		http_peer_send(&peers[0], part, sizeof(part));
	http_peer_await(&peers[0], "HTTP/1.1 413 ");
	http_peer_await_gone(&peers[0]);
	ck_assert_uint_eq(lab.requests, 0);
}
END_TEST

START_TEST(a_request_that_is_cut)
{
	static const char whole[] = POST "Content-Length: 4\r\n\r\nbody";

	http_lab_start(&lab);
	for (size_t i = 0; i < sizeof(whole) - 1; i++) {
		http_peer_send(come(0, A), whole, i);
		http_peer_close(&peers[0]);
		http_lab_turn(&lab);
	}
	ck_assert_uint_eq(http_peer_ask(come(0, A), whole), 200);
	ck_assert_uint_eq(lab.requests, 1);
	ck_assert_uint_eq(http_lab_logged(&lab, A ": the connection ended within a request"), 1);
}
END_TEST

START_TEST(the_share_of_an_address)
{
	lab.config.share = 2;
	http_lab_start(&lab);
	come_and_stay(0, A);
	come_and_stay(1, A);
	for (int i = 0; i < 3; i++) {
		http_peer_await_gone(come(2, A));
		http_peer_close(&peers[2]);
	}
	ck_assert_uint_eq(
		http_lab_logged(&lab, A ": a connection was refused: its address has its share, 2"), 1);
	come_and_idle(3, B);
	http_peer_close(&peers[0]);
	http_lab_turn(&lab);
	come_and_idle(4, A);
	http_peer_expect_there(&peers[1]);
}
END_TEST

START_TEST(an_idle_connection_of_the_address_makes_room)
{
	lab.config.share = 2;
	http_lab_start(&lab);
	come_and_idle(0, A);
	wait_ms(5);
	come_and_idle(1, A);
	come_and_idle(2, A);
	http_peer_await_gone(&peers[0]);
	http_peer_expect_there(&peers[1]);
	/* as does one that never said a word */
	come(3, B);
	come(4, B);
	come_and_idle(5, B);
	http_peer_await_gone(&peers[3]);
	http_peer_expect_there(&peers[4]);
}
END_TEST

START_TEST(the_share_of_a_proxy)
{
	static char proxy[] = A;
	static const struct setting_list proxies = {.items = {proxy}, .n = 1};

	lab.config.share = 1;
	lab.config.proxy_share = 3;
	lab.config.proxies = &proxies;
	http_lab_start(&lab);
	for (size_t i = 0; i < 3; i++)
		come_and_stay(i, A);
	http_peer_await_gone(come(3, A));
	come_and_stay(4, B);
	http_peer_await_gone(come(5, B));
}
END_TEST

START_TEST(no_address_has_all)
{
	lab.config.max_connections = 4;
	http_lab_start(&lab);
	for (size_t i = 0; i < 3; i++)
		come_and_stay(i, A);
	http_peer_await_gone(come(3, A));
	come_and_idle(4, B);
}
END_TEST

START_TEST(whoever_comes_when_all_are_taken_waits)
{
	lab.config.max_connections = 4;
	http_lab_start(&lab);
	come_and_stay(0, A);
	come_and_stay(1, A);
	come_and_stay(2, B);
	come_and_stay(3, B);
	http_peer_say(come(4, C), GET);
	http_peer_expect_there(&peers[4]);
	ck_assert_uint_eq(lab.requests, 0);
	ck_assert_uint_eq(http_lab_logged(&lab, "all 4 connections are taken"), 1);
	http_peer_close(&peers[0]);
	http_peer_await(&peers[4], "ok");
}
END_TEST

START_TEST(an_idle_connection_makes_room)
{
	lab.config.max_connections = 4;
	http_lab_start(&lab);
	come_and_stay(0, A);
	come_and_idle(1, A);
	wait_ms(5);
	come_and_idle(2, B);
	come_and_stay(3, B);
	come_and_idle(4, C);
	http_peer_await_gone(&peers[1]);
	http_peer_expect_there(&peers[2]);
	ck_assert_uint_eq(http_lab_logged(&lab, "taken"), 0);
}
END_TEST

/* Those who have said nothing yet keep their place for a second, and no longer. */
START_TEST(silent_connections_make_room)
{
	lab.config.max_connections = 4;
	http_lab_start(&lab);
	come(0, A);
	come(1, A);
	come(2, B);
	come(3, B);
	http_peer_expect_there(&peers[3]);
	http_peer_say(come(4, C), GET);
	http_peer_expect_there(&peers[4]);
	ck_assert_uint_eq(lab.requests, 0);
	http_peer_await(&peers[4], "ok");
}
END_TEST

START_TEST(lines_of_requests_that_are_none)
{
	http_lab_start(&lab);
	for (int i = 0; i < 20; i++) {
		ck_assert_uint_eq(http_peer_ask(come(0, A), "GET /\r\n"), 400);
		http_peer_close(&peers[0]);
	}
	ck_assert_uint_eq(http_lab_logged(&lab, A " request not read: 400, the request line is not"), 1);
}
END_TEST

static struct brski_credential device;

static void tls_setup(void)
{
	setup();
	device = pki_leaf("CN=Gadget,serialNumber=S-1", "P-256", NULL);
	http_lab_init(&lab, true);
}

static void tls_teardown(void)
{
	teardown();
	pki_free(&device);
}

static struct http_peer *come_by_tls(size_t i, const char *from, const struct brski_credential *client)
{
	ck_assert(http_peer_shake(come(i, from), client, 0));
	return &peers[i];
}

START_TEST(a_slow_handshake)
{
	lab.config.handshake_ms = 100;
	http_lab_start(&lab);
	come(0, A);
	/* the head of a ClientHello's record, and some of it */
	http_peer_send(come(1, B), "\x16\x03\x01\x02\x00\x01\x00", 7);
	trickle(&peers[1], "x");
	http_peer_await_gone(&peers[0]);
	ck_assert_uint_eq(http_lab_logged(&lab, "a TLS handshake took too long"), 1);
}
END_TEST

/* Half-open ones hold up nobody. */
START_TEST(handshakes_beside_one_another)
{
	http_lab_start(&lab);
	for (size_t i = 0; i < PEERS - 1; i++)
		http_peer_send(come(i, A), "\x16\x03\x01\x02\x00\x01\x00", 7);
	ck_assert_uint_eq(http_peer_ask(come_by_tls(PEERS - 1, A, &device), GET), 200);
}
END_TEST

START_TEST(the_share_of_a_certificate)
{
	struct brski_credential other = pki_leaf("CN=Gadget,serialNumber=S-2", "P-256", NULL);

	lab.config.certificate_share = 2;
	http_lab_start(&lab);
	http_peer_say(come_by_tls(0, A, &device), HALF);
	http_peer_say(come_by_tls(1, B, &device), HALF);
	http_peer_expect_there(&peers[0]);
	http_peer_expect_there(&peers[1]);
	ck_assert_uint_eq(http_peer_ask(come_by_tls(2, C, &device), GET), 429);
	ck_assert_ptr_nonnull(strstr(peers[2].heard, "retry-after: 10\r\n"));
	http_peer_await_gone(&peers[2]);
	ck_assert_uint_eq(lab.requests, 0);
	ck_assert_uint_eq(
		http_lab_logged(&lab, C ": a connection was refused: its certificate has its share"), 1);
	ck_assert_uint_eq(http_peer_ask(come_by_tls(3, C, &other), GET), 200);
	ck_assert_uint_eq(http_peer_ask(come_by_tls(4, C, NULL), GET), 200);
	ck_assert_uint_eq(http_peer_ask(&peers[1], " x\r\n\r\n"), 200);
	ck_assert_uint_eq(http_peer_ask(come_by_tls(5, C, &device), GET), 200);
	http_peer_await_gone(&peers[1]);
	pki_free(&other);
}
END_TEST

START_TEST(an_idle_connection_with_a_certificate_stays)
{
	lab.config.max_connections = 4;
	http_lab_start(&lab);
	ck_assert_uint_eq(http_peer_ask(come_by_tls(0, A, &device), GET), 200);
	ck_assert_uint_eq(http_peer_ask(come_by_tls(1, A, &device), GET), 200);
	ck_assert_uint_eq(http_peer_ask(come_by_tls(2, B, &device), GET), 200);
	ck_assert_uint_eq(http_peer_ask(come_by_tls(3, B, NULL), GET), 200);
	ck_assert_uint_eq(http_peer_ask(come_by_tls(4, C, &device), GET), 200);
	http_peer_await_gone(&peers[3]);
	come(5, C);
	http_peer_expect_there(&peers[5]);
	ck_assert_uint_eq(http_lab_logged(&lab, "all 4 connections are taken"), 1);
	for (size_t i = 0; i < 3; i++)
		http_peer_expect_there(&peers[i]);
}
END_TEST

/* Anybody can make himself a certificate. */
START_TEST(a_certificate_that_nobody_knows_makes_room)
{
	lab.config.max_connections = 4;
	lab.config.vouches = true;
	http_lab_start(&lab);
	lab.vouch = true;
	ck_assert_uint_eq(http_peer_ask(come_by_tls(0, A, &device), GET), 200);
	lab.vouch = false;
	ck_assert_uint_eq(http_peer_ask(come_by_tls(1, A, &device), GET), 200);
	wait_ms(5);
	ck_assert_uint_eq(http_peer_ask(come_by_tls(2, B, &device), GET), 200);
	lab.vouch = true;
	ck_assert_uint_eq(http_peer_ask(come_by_tls(3, B, &device), GET), 200);
	ck_assert_uint_eq(http_peer_ask(come_by_tls(4, C, &device), GET), 200);
	http_peer_await_gone(&peers[1]);
	ck_assert(peers[1].said_so);
	ck_assert_uint_eq(http_peer_ask(come_by_tls(5, C, &device), GET), 200);
	http_peer_await_gone(&peers[2]);
	come(6, C);
	http_peer_expect_there(&peers[0]);
	http_peer_expect_there(&peers[3]);
	ck_assert_uint_eq(http_lab_logged(&lab, "all 4 connections are taken"), 1);
}
END_TEST

START_TEST(lines_that_strangers_cause)
{
	char request[64];

	http_lab_start(&lab);
	/* of answers each has a line, up to sixty a minute */
	come_by_tls(0, A, NULL);
	for (int i = 0; i < 100; i++) {
		snprintf(request, sizeof(request), "GET /%d HTTP/1.1\r\nHost: x\r\n\r\n", i);
		ck_assert_uint_eq(http_peer_ask(&peers[0], request), 200);
	}
	ck_assert_uint_eq(http_lab_logged(&lab, A " GET /"), 61);
	come_by_tls(1, A, &device);
	for (int i = 0; i < 70; i++)
		ck_assert_uint_eq(http_peer_ask(&peers[1], GET), 200);
	ck_assert_uint_eq(http_lab_logged(&lab, A " GET /a: 200"), 70);
}
END_TEST

START_TEST(lines_that_unknown_certificates_cause)
{
	lab.config.vouches = true;
	http_lab_start(&lab);
	come_by_tls(0, A, &device);
	for (int i = 0; i < 70; i++)
		ck_assert_uint_eq(http_peer_ask(&peers[0], GET), 200);
	ck_assert_uint_eq(http_lab_logged(&lab, A " GET /a: 200"), 61);
	lab.vouch = true;
	for (int i = 0; i < 70; i++)
		ck_assert_uint_eq(http_peer_ask(&peers[0], GET), 200);
	ck_assert_uint_eq(http_lab_logged(&lab, A " GET /a: 200"), 131);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {a_slow_header, a_slow_body, empty_lines_without_end, an_idle_connection,
		no_time_counts_while_a_request_is_worked_on, a_client_that_does_not_take_its_answer,
		an_answer_of_many_octets, the_requests_of_a_connection, requests_in_a_row,
		requests_in_an_endless_row, who_waits_for_100_gets_it, a_body_that_is_too_long,
		a_request_that_is_cut, the_share_of_an_address, an_idle_connection_of_the_address_makes_room,
		the_share_of_a_proxy, no_address_has_all, whoever_comes_when_all_are_taken_waits,
		an_idle_connection_makes_room, silent_connections_make_room, lines_of_requests_that_are_none};
	const TTest *const by_tls[] = {a_slow_handshake, handshakes_beside_one_another,
		the_share_of_a_certificate, an_idle_connection_with_a_certificate_stays,
		a_certificate_that_nobody_knows_makes_room, lines_that_strangers_cause,
		lines_that_unknown_certificates_cause};
	int plain =
		run_tests("HTTP server, limits", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));

	return run_tests("HTTP server, limits by TLS", tls_setup, tls_teardown, by_tls,
		       sizeof(by_tls) / sizeof(by_tls[0])) |
	       plain;
}
