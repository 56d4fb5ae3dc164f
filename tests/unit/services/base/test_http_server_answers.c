/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include <check.h>

#include "tests/unit/support/files.h"
#include "tests/unit/support/http_lab.h"

/* What a client of the HTTP server gets, and what the log says of it. */

#define REQUEST(method, fields) method " /a HTTP/1.1\r\nHost: x\r\n" fields "\r\n"
#define GET REQUEST("GET", "")

static struct http_lab lab;
static struct http_peer peer;

static void setup(void)
{
	http_lab_init(&lab, false);
	peer.fd = -1;
}

static void teardown(void)
{
	http_peer_close(&peer);
	http_lab_stop(&lab);
}

static unsigned ask(const char *request)
{
	http_peer_close(&peer);
	http_peer_connect(&peer, &lab, NULL);
	return http_peer_ask(&peer, request);
}

static bool heard(const char *words)
{
	return strstr(peer.heard, words) != NULL;
}

static void expect_end(const char *end)
{
	ck_assert_uint_gt(peer.n_heard, strlen(end));
	ck_assert_str_eq(peer.heard + peer.n_heard - strlen(end), end);
}

START_TEST(an_answer)
{
	http_lab_start(&lab);
	ck_assert_uint_eq(ask(GET), 200);
	http_peer_await(&peer, "\r\n\r\nok");
	ck_assert_int_eq(strncmp(peer.heard, "HTTP/1.1 200 OK\r\n", 17), 0);
	ck_assert(heard("\r\nDate: ") && heard(" GMT\r\n"));
	ck_assert(heard("\r\ncontent-type: text/plain\r\n"));
	ck_assert(heard("\r\nContent-Length: 2\r\n"));
	ck_assert(!heard("Connection"));
	http_peer_expect_there(&peer);
	ck_assert_uint_eq(http_lab_logged(&lab, "127.0.0.1 GET /a: 200\n"), 1);
}
END_TEST

/* RFC 9110 9.3.2: as GET, but no octet of the body. */
START_TEST(an_answer_to_head)
{
	http_lab_start(&lab);
	ck_assert_uint_eq(ask(REQUEST("HEAD", "")), 200);
	http_peer_expect_there(&peer);
	ck_assert(heard("\r\nContent-Length: 2\r\n"));
	expect_end("\r\n\r\n");
}
END_TEST

START_TEST(an_answer_by_http_1_0)
{
	http_lab_start(&lab);
	ck_assert_uint_eq(ask("GET /a HTTP/1.0\r\n\r\n"), 200);
	http_peer_await_gone(&peer);
	ck_assert(heard("\r\nConnection: close\r\n"));
	expect_end("\r\n\r\nok");
}
END_TEST

START_TEST(a_client_that_wants_no_more)
{
	http_lab_start(&lab);
	ck_assert_uint_eq(ask(REQUEST("GET", "Connection: close\r\n")), 200);
	http_peer_await_gone(&peer);
	ck_assert(heard("\r\nConnection: close\r\n"));
}
END_TEST

static const char *no_content(struct brski_http *response)
{
	ck_assert_int_eq(brski_http_response(response, 204, NULL, brski_span(NULL, 0), NULL), BRSKI_OK);
	return "nothing to say";
}

START_TEST(an_answer_without_a_body)
{
	lab.respond = no_content;
	http_lab_start(&lab);
	ck_assert_uint_eq(ask(GET), 204);
	http_peer_expect_there(&peer);
	ck_assert(!heard("Content-Length"));
	expect_end("\r\n\r\n");
	ck_assert_uint_eq(http_lab_logged(&lab, "127.0.0.1 GET /a: 204, nothing to say\n"), 1);
}
END_TEST

/* What frames an answer is the server's to say, and the owner may end a connection. */
static const char *own_frame(struct brski_http *response)
{
	ck_assert_int_eq(brski_http_set(response, "content-length", "1000", NULL), BRSKI_OK);
	ck_assert_int_eq(brski_http_set(response, "connection", "close", NULL), BRSKI_OK);
	return NULL;
}

START_TEST(an_answer_with_a_frame_of_its_own)
{
	lab.respond = own_frame;
	http_lab_start(&lab);
	ck_assert_uint_eq(ask(GET), 200);
	http_peer_await_gone(&peer);
	ck_assert(heard("\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"));
	ck_assert(!heard("1000"));
}
END_TEST

static const char *no_status(struct brski_http *response)
{
	response->status = 99;
	return NULL;
}

START_TEST(a_status_that_is_none)
{
	lab.respond = no_status;
	http_lab_start(&lab);
	ck_assert_uint_eq(ask(GET), 500);
}
END_TEST

START_TEST(a_refusal_says_why)
{
	http_lab_start(&lab);
	ck_assert_uint_eq(ask(REQUEST("POST", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n")), 400);
	http_peer_await_gone(&peer);
	ck_assert(heard("\r\nConnection: close\r\n"));
	expect_end("Transfer-Encoding with Content-Length, or in HTTP/1.0");
	ck_assert_uint_eq(http_lab_logged(&lab, "127.0.0.1 POST /a: 400, Transfer-Encoding with"), 1);
}
END_TEST

/* A listener for both kinds of addresses knows IPv4 ones by their own names. */
START_TEST(an_ipv4_client_at_an_ipv6_listener)
{
	static char proxy[] = "127.0.0.1";
	static const struct setting_list proxies = {.items = {proxy}, .n = 1};

	lab.config.listen = "[::]:0";
	lab.config.share = 1;
	lab.config.proxy_share = 2;
	lab.config.proxies = &proxies;
	lab.hold = true;
	http_lab_start(&lab);
	for (unsigned i = 1; i <= 2; i++) {
		http_peer_connect(&peer, &lab, NULL);
		http_peer_say(&peer, GET);
		http_lab_await_requests(&lab, i);
		ck_assert_str_eq(lab.peer, "127.0.0.1");
	}
}
END_TEST

START_TEST(a_proxy_that_is_no_address)
{
	static char proxy[] = "proxy.example";
	static const struct setting_list proxies = {.items = {proxy}, .n = 1};
	struct brski_error err;
	struct http_server *server;

	http_lab_start(&lab);
	lab.config.proxies = &proxies;
	EXPECT_WHY(BRSKI_MALFORMED, "proxies: \"proxy.example\" is no IP address",
		http_server_new(lab.base, &lab.config, NULL, NULL, &server, &err));
	ck_assert_ptr_null(server);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {an_answer, an_answer_to_head, an_answer_by_http_1_0,
		a_client_that_wants_no_more, an_answer_without_a_body, an_answer_with_a_frame_of_its_own,
		a_status_that_is_none, a_refusal_says_why, an_ipv4_client_at_an_ipv6_listener,
		a_proxy_that_is_no_address};

	return run_tests("HTTP server, answers", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
