/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include <check.h>

#include "services/base/http_server_reader.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/mutate.h"

/*
 * What is a request, and what is none. Each is read whole, octet by octet, and in two parts at
 * every place: it must come to the same.
 */

#define MAX_HEAD 300
#define MAX_BODY 20
#define POST "POST /a HTTP/1.1\r\nHost: x\r\n"

static struct http_reader reader;

static void setup(void)
{
	reader = (struct http_reader){.max_head = MAX_HEAD, .max_body = MAX_BODY};
}

static void teardown(void)
{
	http_reader_reset(&reader);
}

static enum http_read take(struct brski_span *in)
{
	enum http_read got = http_reader_take(&reader, in);

	return got == HTTP_READ_WAITED ? http_reader_take(&reader, in) : got;
}

/* In parts of the first so many octets, and then so many. left: what was not taken. */
static enum http_read read_in_parts(struct brski_span all, size_t first, size_t then, struct brski_span *left)
{
	enum http_read got = HTTP_READ_MORE;
	size_t size = first;
	struct brski_span part = {0};

	http_reader_reset(&reader);
	while (got == HTTP_READ_MORE && all.len > 0) {
		if (!brski_read_span(&all, size < all.len ? size : all.len, &part))
			ck_abort();
		got = take(&part);
		size = then;
	}
	*left = brski_span(part.data, part.len + all.len);
	return got;
}

typedef void check_function(enum http_read got, struct brski_span left, const void *arg);

static void read_all_ways(struct brski_span all, check_function *check, const void *arg)
{
	struct brski_span left;
	enum http_read got = read_in_parts(all, all.len, all.len, &left);

	check(got, left, arg);
	got = read_in_parts(all, 1, 1, &left);
	check(got, left, arg);
	for (size_t i = 1; i < all.len; i++) {
		got = read_in_parts(all, i, all.len, &left);
		check(got, left, arg);
	}
}

struct expected {
	const char *octets, *method, *path, *body, *left;
};

static void is_whole(enum http_read got, struct brski_span left, const void *arg)
{
	const struct expected *e = arg;

	ck_assert_msg(got == HTTP_READ_WHOLE, "%s: %d %u %s", e->octets, got, reader.refusal, reader.why);
	ck_assert_str_eq(reader.request.method, e->method);
	ck_assert_str_eq(reader.request.path, e->path);
	ck_assert(brski_span_equal(brski_buf_span(&reader.request.body), brski_span_str(e->body)));
	ck_assert(brski_span_equal(left, brski_span_str(e->left)));
}

START_TEST(requests)
{
	static const struct expected all[] = {
		{"GET /a HTTP/1.1\r\nHost: x\r\n\r\n", "GET", "/a", "", ""},
		{"GET /a HTTP/1.1\r\nHost:\r\n\r\nGET", "GET", "/a", "", "GET"},
		{"\r\n\r\nGET / HTTP/1.1\r\nHost: x:8443\r\n\r\n", "GET", "/", "", ""},
		{"GET / HTTP/1.0\r\n\r\n", "GET", "/", "", ""},
		{"GET / HTTP/1.9\r\nhost: [::1]:8443\r\n\r\n", "GET", "/", "", ""},
		{"BREW /pot HTTP/1.1\r\nHOST: x\r\n\r\n", "BREW", "/pot", "", ""},
		{POST "Content-Length: 4\r\n\r\nbodyGET", "POST", "/a", "body", "GET"},
		{POST "Content-Length: 0\r\n\r\nGET", "POST", "/a", "", "GET"},
		{POST "Content-Length: 0000000000000000000000004\r\n\r\nbody", "POST", "/a", "body", ""},
		{POST "Content-Length: 20\r\n\r\n01234567890123456789", "POST", "/a", "01234567890123456789",
			""},
		{POST "X-\xe9: \x01\r\nX: \xfe\r\nContent-Length:4 \t\r\n\r\nbody", "POST", "/a", "body", ""},
		{POST "Transfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET", "POST", "/a", "abc",
			"GET"},
		{POST "Transfer-Encoding: chunked\r\n\r\n0000A;x=\"y\"\r\n0123456789\r\na\r\n0123456789\r\n"
		      "00;last\r\nX: y\r\nContent-Length: 7\r\n\r\n",
			"POST", "/a", "01234567890123456789", ""},
		{POST "Expect: 100-continue\r\nContent-Length: 4\r\n\r\nbody", "POST", "/a", "body", ""},
		{"GET http://other:80/b HTTP/1.1\r\nHost: x\r\n\r\n", "GET", "/b", "", ""},
		{"GET HTTPS://other HTTP/1.1\r\nHost: x\r\n\r\n", "GET", "/", "", ""},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		read_all_ways(brski_span_str(all[i].octets), is_whole, &all[i]);
}
END_TEST

struct refused {
	unsigned status;
	struct brski_span octets;
};

static void is_refused(enum http_read got, struct brski_span left, const void *arg)
{
	const struct refused *r = arg;

	(void)left;
	ck_assert_msg(got == HTTP_READ_REFUSED && reader.refusal == r->status, "%.*s: %d %u %s",
		(int)r->octets.len, (const char *)r->octets.data, got, reader.refusal, reader.why);
	ck_assert(reader.close);
	ck_assert_uint_gt(strlen(reader.why), 0);
}

#define NO(status, text) \
	{ \
		status, \
		{ \
			(const uint8_t *)(text), sizeof(text) - 1 \
		} \
	}

static void expect_refused(const struct refused *all, size_t n)
{
	for (size_t i = 0; i < n; i++)
		read_all_ways(all[i].octets, is_refused, &all[i]);
}

START_TEST(request_lines_that_are_none)
{
	static const struct refused all[] = {
		NO(400, "GET /\r\n"),
		NO(400, "GET\r\n"),
		NO(400, "GET / HTTP/1.1\n"),
		NO(400, "GET / HTTP/1.1\rX"),
		NO(400, "GET /\0 HTTP/1.1\r\n"),
		NO(400, "\0"),
		NO(400, "\n"),
		NO(400, " GET / HTTP/1.1\r\n"),
		NO(400, "GET  / HTTP/1.1\r\n"),
		NO(400, "GET / HTTP/1.1 \r\n"),
		NO(400, "GET\t/ HTTP/1.1\r\n"),
		NO(400, "G(T / HTTP/1.1\r\n"),
		NO(400, "GET a HTTP/1.1\r\n"),
		NO(400, "GET /\xe9 HTTP/1.1\r\n"),
		NO(400, "GET /a#b HTTP/1.1\r\n"),
		NO(400, "GET /a b HTTP/1.1\r\n"),
		NO(400, "GET ftp://x/ HTTP/1.1\r\n"),
		NO(400, "GET http://x@y/ HTTP/1.1\r\n"),
		NO(400, "CONNECT x:443 HTTP/1.1\r\n"),
		NO(400, "OPTIONS * HTTP/1.1\r\n"),
		NO(400, "GET / HTTPS/1.1\r\n"),
		NO(400, "\x16\x03\x01\x02\x00\x01\xfc\x03\x03\r\n"),
		NO(404, "GET /a?b HTTP/1.1\r\n"),
		NO(505, "GET / HTTP/1.10\r\n"),
		NO(505, "GET / HTTP/0.9\r\n"),
		NO(505, "PRI * HTTP/2.0\r\n"),
	};

	expect_refused(all, sizeof(all) / sizeof(all[0]));
}
END_TEST

/* RFC 9112 11.2: what one program on the way takes for one request, and another one for two. */
START_TEST(requests_that_hide_another_one)
{
	static const struct refused all[] = {
		NO(400, POST "Content-Length: 4\r\nContent-Length: 4\r\n\r\nbody"),
		NO(400, POST "Content-Length: 4\r\nContent-Length: 0\r\n\r\nbody"),
		NO(400, POST "Content-Length: 4, 4\r\n\r\nbody"),
		NO(400, POST "Content-Length: +4\r\n\r\nbody"),
		NO(400, POST "Content-Length: -1\r\n\r\n"),
		NO(400, POST "Content-Length: 0x4\r\n\r\n"),
		NO(400, POST "Content-Length: 4 4\r\n\r\n"),
		NO(400, POST "Content-Length:\r\n\r\n"),
		NO(400, POST "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
		NO(400, POST "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n"),
		NO(400, POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
		NO(400, POST "Transfer-Encoding : chunked\r\n\r\n"),
		NO(400, POST "Transfer-Encoding\x0b: chunked\r\n\r\n"),
		NO(400, POST " Transfer-Encoding: chunked\r\n\r\n"),
		NO(400, POST "X: y\r\n Transfer-Encoding: chunked\r\n\r\n"),
		NO(400, POST "X: y\r\n\tz\r\n\r\n"),
		NO(400, POST "X: y\nTransfer-Encoding: chunked\r\n\r\n"),
		NO(400, POST "X: y\rTransfer-Encoding: chunked\r\n\r\n"),
		NO(400, POST "X: y\0Transfer-Encoding: chunked\r\n\r\n"),
		NO(400, POST "X\r\n\r\n"),
		NO(400, POST ": y\r\n\r\n"),
		NO(501, POST "Transfer-Encoding: chunked, chunked\r\n\r\n"),
		NO(501, POST "Transfer-Encoding: gzip, chunked\r\n\r\n"),
		NO(501, POST "Transfer-Encoding: xchunked\r\n\r\n"),
		NO(501, POST "Transfer-Encoding: identity\r\n\r\n"),
		NO(501, POST "Transfer-Encoding:\r\n\r\n"),
		NO(400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
		NO(400, "GET / HTTP/1.1\r\n\r\n"),
		NO(400, "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n"),
		NO(400, "GET / HTTP/1.1\r\nHost: x y\r\n\r\n"),
		NO(400, "GET / HTTP/1.1\r\nHost: x/y\r\n\r\n"),
	};

	expect_refused(all, sizeof(all) / sizeof(all[0]));
}
END_TEST

START_TEST(bodies_that_are_none)
{
	static const struct refused all[] = {
		NO(413, POST "Content-Length: 21\r\n"),
		NO(413, POST "Content-Length: 18446744073709551616\r\n"),
		NO(413, POST "Content-Length: 9223372036854775808\r\n"),
		NO(413, POST "Transfer-Encoding: chunked\r\n\r\n15\r\n"),
		NO(413, POST "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"),
		NO(413, POST "Transfer-Encoding: chunked\r\n\r\n10000000000000004\r\n"),
		NO(413, POST "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n11\r\n"),
		NO(400, POST "Transfer-Encoding: chunked\r\n\r\n-1\r\n"),
		NO(400, POST "Transfer-Encoding: chunked\r\n\r\n\r\n"),
		NO(400, POST "Transfer-Encoding: chunked\r\n\r\n 4\r\n"),
		NO(400, POST "Transfer-Encoding: chunked\r\n\r\n4 \r\n"),
		NO(400, POST "Transfer-Encoding: chunked\r\n\r\n0x4\r\n"),
		NO(400, POST "Transfer-Encoding: chunked\r\n\r\n4g\r\n"),
		NO(400, POST "Transfer-Encoding: chunked\r\n\r\n4\n"),
		NO(400, POST "Transfer-Encoding: chunked\r\n\r\n4\r\nbody0\r\n"),
		NO(400, POST "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\n"),
		NO(400, POST "Transfer-Encoding: chunked\r\n\r\n0\r\nX\r\n"),
		NO(400, POST "Transfer-Encoding: chunked\r\n\r\n0\r\n X: y\r\n"),
		NO(417, POST "Expect: a-miracle\r\n"),
	};

	expect_refused(all, sizeof(all) / sizeof(all[0]));
}
END_TEST

static void refuse_long(unsigned status, const char *front, size_t n)
{
	struct brski_buf octets = {0};
	struct refused refused = {.status = status};

	brski_put_str(&octets, front);
	for (size_t i = 0; i < n; i++)
		brski_put_u8(&octets, 'x');
	refused.octets = brski_buf_span(&octets);
	read_all_ways(refused.octets, is_refused, &refused);
	brski_buf_free(&octets);
}

START_TEST(nothing_is_longer_than_it_may_be)
{
	struct brski_buf octets = {0};
	struct refused refused = {.status = 414};

	refuse_long(414, "GET /", MAX_HEAD);
	refuse_long(431, "GET / HTTP/1.1\r\nX: ", MAX_HEAD);
	refuse_long(400, POST "Transfer-Encoding: chunked\r\n\r\n4;", 256);
	refuse_long(431, POST "Transfer-Encoding: chunked\r\n\r\n0\r\nX: ", MAX_HEAD);
	/* empty lines before a request count, too */
	for (size_t i = 0; i < MAX_HEAD; i++)
		brski_put_str(&octets, "\r\n");
	refused.octets = brski_buf_span(&octets);
	read_all_ways(refused.octets, is_refused, &refused);
	brski_buf_free(&octets);
}
END_TEST

/* Whatever becomes of it, it is a request within the limits, or it is none. */
static void is_bounded(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	struct brski_span left;
	enum http_read got = read_in_parts(damaged, 1, 1, &left);

	(void)ctx;
	(void)how;
	if (got == HTTP_READ_REFUSED)
		ck_assert(reader.refusal >= 400 && reader.refusal <= 505 && reader.why[0] != '\0');
	else if (got == HTTP_READ_WHOLE)
		ck_assert(reader.request.body.len <= MAX_BODY && reader.request.path[0] == '/');
	else
		ck_assert_int_eq(got, HTTP_READ_MORE);
}

START_TEST(every_octet_damaged)
{
	mutate_all(
		brski_span_str(POST "Expect: 100-continue\r\nAccept: a\r\nTransfer-Encoding: chunked\r\n\r\n"
				    "3;x\r\nabc\r\n0\r\nX: y\r\n\r\n"),
		is_bounded, NULL);
}
END_TEST

static enum http_read read_text(const char *text)
{
	struct brski_span in = brski_span_str(text);

	http_reader_reset(&reader);
	return http_reader_take(&reader, &in);
}

START_TEST(who_is_asked)
{
	ck_assert_int_eq(
		read_text("GET / HTTP/1.1\r\nHost: registrar.example:8443\r\n\r\n"), HTTP_READ_WHOLE);
	ck_assert_str_eq(reader.request.authority, "registrar.example:8443");
	ck_assert_int_eq(read_text("GET https://[2001:db8::1]:8443/ HTTP/1.1\r\nHost: other\r\n\r\n"),
		HTTP_READ_WHOLE);
	ck_assert_str_eq(reader.request.authority, "[2001:db8::1]:8443");
	ck_assert_int_eq(read_text("GET / HTTP/1.0\r\n\r\n"), HTTP_READ_WHOLE);
	ck_assert_str_eq(reader.request.authority, "");
}
END_TEST

START_TEST(queries_where_they_are_wanted)
{
	reader.queries = true;
	ck_assert_int_eq(read_text("GET /a?rt=brski.* HTTP/1.1\r\nHost: x\r\n\r\n"), HTTP_READ_WHOLE);
	ck_assert_str_eq(reader.request.path, "/a?rt=brski.*");
}
END_TEST

START_TEST(whether_more_requests_come)
{
	ck_assert_int_eq(read_text("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), HTTP_READ_WHOLE);
	ck_assert(!reader.close);
	ck_assert_int_eq(
		read_text("GET / HTTP/1.1\r\nHost: x\r\nConnection: te, Close\r\n\r\n"), HTTP_READ_WHOLE);
	ck_assert(reader.close);
	ck_assert_int_eq(
		read_text("GET / HTTP/1.1\r\nHost: x\r\nConnection: closed\r\n\r\n"), HTTP_READ_WHOLE);
	ck_assert(!reader.close);
	ck_assert_int_eq(read_text("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), HTTP_READ_WHOLE);
	ck_assert(reader.close);
}
END_TEST

START_TEST(who_waits_for_100)
{
	ck_assert_int_eq(
		read_text(POST "Expect: 100-Continue\r\nContent-Length: 4\r\n\r\n"), HTTP_READ_WAITED);
	ck_assert_int_eq(read_text(POST "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"),
		HTTP_READ_WAITED);
	/* who sends it already waits for nothing */
	ck_assert_int_eq(
		read_text(POST "Expect: 100-continue\r\nContent-Length: 4\r\n\r\nbo"), HTTP_READ_MORE);
	ck_assert_int_eq(read_text("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"),
		HTTP_READ_MORE);
	ck_assert_int_eq(read_text(POST "Expect: 100-continue\r\n\r\n"), HTTP_READ_WHOLE);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {requests, request_lines_that_are_none, requests_that_hide_another_one,
		bodies_that_are_none, nothing_is_longer_than_it_may_be, every_octet_damaged, who_is_asked,
		queries_where_they_are_wanted, whether_more_requests_come, who_waits_for_100};

	return run_tests("HTTP server, reader", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
