/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <check.h>

#include "services/base/http_server.h"
#include "tests/unit/support/files.h"

/* Requests as octets, to a server in this thread; what its handler then sees. */

static struct event_base *base;
static struct http_server *server;
static int port;
static struct brski_http seen;
static unsigned n_seen;

static void on_request(void *ctx, struct http_exchange *ex)
{
	struct brski_http response = {0};

	(void)ctx;
	n_seen++;
	ck_assert_int_eq(brski_http_copy(&seen, http_exchange_request(ex), NULL), BRSKI_OK);
	ck_assert_int_eq(
		brski_http_response(&response, 200, "text/plain", brski_span_str("ok"), NULL), BRSKI_OK);
	http_exchange_reply(ex, &response, NULL);
}

/* The port is told in the log alone. */
static void on_log(void *ctx, enum brski_level level, const char *line)
{
	const char *at = strstr(line, "127.0.0.1:");

	(void)ctx;
	(void)level;
	if (strstr(line, "listening on") && at)
		port = atoi(at + strlen("127.0.0.1:"));
}

static const struct brski_env env = {.log = on_log};

static void setup(void)
{
	const struct http_server_config config = {.listen = "127.0.0.1:0",
		.env = &env,
		.max_body = 1000,
		.max_headers = 16384,
		.timeout = 20,
		.max_connections = 100};
	struct brski_error err;

	base = event_base_new();
	EXPECT(BRSKI_OK, http_server_new(base, &config, on_request, NULL, &server, &err));
	ck_assert_int_ne(port, 0);
}

static void teardown(void)
{
	http_server_free(server);
	event_base_free(base);
	brski_http_free(&seen);
}

/* The answer's status. */
static unsigned ask(const struct brski_buf *raw)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char line[16] = "";
	ssize_t n = -1;

	ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	ck_assert_int_eq(send(fd, raw->data, raw->len, 0), (ssize_t)raw->len);
	while (n < 0) {
		event_base_loop(base, EVLOOP_ONCE);
		n = recv(fd, line, sizeof(line) - 1, MSG_DONTWAIT);
	}
	close(fd);
	ck_assert_int_eq(strncmp(line, "HTTP/1.1 ", 9), 0);
	return (unsigned)atoi(line + 9);
}

static unsigned post(const char *fields)
{
	struct brski_buf raw = {0};
	unsigned status;

	brski_printf(&raw, "POST /a HTTP/1.1\r\nHost: x\r\n%sContent-Length: 4\r\n\r\nbody", fields);
	status = ask(&raw);
	brski_buf_free(&raw);
	return status;
}

START_TEST(a_request_arrives_whole)
{
	ck_assert_uint_eq(post("Content-Type: application/pkixcmp\r\nAccept: text/plain\r\n"), 200);
	ck_assert_str_eq(seen.method, "POST");
	ck_assert_str_eq(seen.path, "/a");
	ck_assert_str_eq(brski_http_get(&seen, "content-type"), "application/pkixcmp");
	ck_assert_str_eq(brski_http_get(&seen, "accept"), "text/plain");
	ck_assert(brski_span_equal(brski_buf_span(&seen.body), brski_span_str("body")));
}
END_TEST

/* Proxies add fields as they like: many of them, long ones, and such as are none. */
START_TEST(fields_that_nobody_reads_do_no_harm)
{
	struct brski_buf fields = {0};

	for (int i = 0; i < 40; i++)
		brski_printf(&fields, "X-Gateway-%d: z\r\n", i);
	brski_put_str(&fields, "Cookie: ");
	for (int i = 0; i < 3000; i++)
		brski_put_u8(&fields, 'y');
	brski_put_str(&fields, "\r\nX-Empty:\r\nX-\xe9: \x01\r\nContent-Type: application/pkixcmp\r\n");
	brski_put_u8(&fields, 0);
	ck_assert_uint_eq(post((const char *)fields.data), 200);
	ck_assert_str_eq(brski_http_get(&seen, "content-type"), "application/pkixcmp");
	ck_assert_ptr_null(brski_http_get(&seen, "cookie"));
	ck_assert_ptr_null(brski_http_get(&seen, "content-length"));
	brski_buf_free(&fields);
}
END_TEST

START_TEST(a_list_may_be_in_several_fields)
{
	ck_assert_uint_eq(post("Accept: text/plain\r\nAccept: application/json\r\n"), 200);
	ck_assert_str_eq(brski_http_get(&seen, "accept"), "text/plain, application/json");
}
END_TEST

START_TEST(a_coding_is_seen)
{
	ck_assert_uint_eq(post("Content-Type: text/plain\r\nContent-Encoding: gzip\r\n"), 200);
	ck_assert(brski_http_is_coded(&seen));
	ck_assert(!brski_http_is_type(&seen, "text/plain"));
}
END_TEST

START_TEST(what_is_too_long_does_not_get_there)
{
	struct brski_buf raw = {0};

	brski_put_str(&raw, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n");
	for (int i = 0; i < 1001; i++)
		brski_put_u8(&raw, 'x');
	ck_assert_uint_eq(ask(&raw), 413);
	ck_assert_uint_eq(n_seen, 0);
	brski_buf_free(&raw);
	brski_put_str(&raw, "GET /a?b HTTP/1.1\r\nHost: x\r\n\r\n");
	ck_assert_uint_eq(ask(&raw), 404);
	ck_assert_uint_eq(n_seen, 0);
	brski_buf_free(&raw);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {a_request_arrives_whole, fields_that_nobody_reads_do_no_harm,
		a_list_may_be_in_several_fields, a_coding_is_seen, what_is_too_long_does_not_get_there};

	return run_tests("HTTP server", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
