/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "eap_brski/transport/http_binary.h"
#include "tests/unit/support/mutate.h"

/* RFC 9292, Figure 8 */
static const uint8_t figure_8[] = {0x00, 0x03, 0x47, 0x45, 0x54, 0x05, 0x68, 0x74, 0x74, 0x70, 0x73, 0x00,
	0x0a, 0x2f, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x2e, 0x74, 0x78, 0x74, 0x40, 0x6c, 0x0a, 0x75, 0x73, 0x65,
	0x72, 0x2d, 0x61, 0x67, 0x65, 0x6e, 0x74, 0x34, 0x63, 0x75, 0x72, 0x6c, 0x2f, 0x37, 0x2e, 0x31, 0x36,
	0x2e, 0x33, 0x20, 0x6c, 0x69, 0x62, 0x63, 0x75, 0x72, 0x6c, 0x2f, 0x37, 0x2e, 0x31, 0x36, 0x2e, 0x33,
	0x20, 0x4f, 0x70, 0x65, 0x6e, 0x53, 0x53, 0x4c, 0x2f, 0x30, 0x2e, 0x39, 0x2e, 0x37, 0x6c, 0x20, 0x7a,
	0x6c, 0x69, 0x62, 0x2f, 0x31, 0x2e, 0x32, 0x2e, 0x33, 0x04, 0x68, 0x6f, 0x73, 0x74, 0x0f, 0x77, 0x77,
	0x77, 0x2e, 0x65, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 0x2e, 0x63, 0x6f, 0x6d, 0x0f, 0x61, 0x63, 0x63,
	0x65, 0x70, 0x74, 0x2d, 0x6c, 0x61, 0x6e, 0x67, 0x75, 0x61, 0x67, 0x65, 0x06, 0x65, 0x6e, 0x2c, 0x20,
	0x6d, 0x69, 0x00, 0x00};

/* Figure 13: a trailer section */
static const uint8_t figure_13[] = {0x01, 0x40, 0xc8, 0x00, 0x1d, 0x54, 0x68, 0x69, 0x73, 0x20, 0x63, 0x6f,
	0x6e, 0x74, 0x65, 0x6e, 0x74, 0x20, 0x63, 0x6f, 0x6e, 0x74, 0x61, 0x69, 0x6e, 0x73, 0x20, 0x43, 0x52,
	0x4c, 0x46, 0x2e, 0x0d, 0x0a, 0x0d, 0x07, 0x74, 0x72, 0x61, 0x69, 0x6c, 0x65, 0x72, 0x04, 0x74, 0x65,
	0x78, 0x74};

static struct brski_span with_length(struct brski_buf *buf, struct brski_span binary)
{
	brski_buf_reset(buf);
	brski_put_u32(buf, (uint32_t)binary.len);
	brski_put(buf, binary);
	return brski_buf_span(buf);
}

/* Decodes one binary message that stands alone. */
static enum brski_code decode(struct brski_span binary, struct brski_http *msg)
{
	struct brski_buf buf = {0};
	struct brski_span in = with_length(&buf, binary);
	bool complete;
	enum brski_code code = brski_http_decode(&in, 0, msg, &complete, NULL);

	ck_assert(complete == (code == BRSKI_OK));
	ck_assert_uint_eq(in.len, code == BRSKI_OK ? 0 : buf.len);
	brski_buf_free(&buf);
	return code;
}

static void ck_assert_figure_8(const struct brski_http *msg)
{
	ck_assert_uint_eq(msg->status, 0);
	ck_assert_str_eq(msg->method, "GET");
	ck_assert_str_eq(msg->scheme, "https");
	ck_assert_str_eq(msg->authority, "");
	ck_assert_str_eq(msg->path, "/hello.txt");
	ck_assert_uint_eq(msg->n_fields, 3);
	ck_assert_str_eq(
		brski_http_get(msg, "user-agent"), "curl/7.16.3 libcurl/7.16.3 OpenSSL/0.9.7l zlib/1.2.3");
	ck_assert_str_eq(brski_http_get(msg, "Host"), "www.example.com");
	ck_assert_str_eq(brski_http_get(msg, "Accept-Language"), "en, mi");
	ck_assert_ptr_null(brski_http_get(msg, "accept"));
	ck_assert_uint_eq(msg->body.len, 0);
}

START_TEST(request_of_the_rfc)
{
	/* 5.1: the last two octets may be left out; 3.8: padding may follow */
	static const uint8_t zeros[3] = {0};
	struct brski_buf padded = {0}, again = {0};
	struct brski_http msg = {0};

	for (size_t cut = 0; cut <= 2; cut++) {
		ck_assert_int_eq(decode(brski_span(figure_8, sizeof(figure_8) - cut), &msg), BRSKI_OK);
		ck_assert_figure_8(&msg);
	}
	brski_put(&padded, brski_span(figure_8, sizeof(figure_8)));
	brski_put(&padded, brski_span(zeros, sizeof(zeros)));
	ck_assert_int_eq(decode(brski_buf_span(&padded), &msg), BRSKI_OK);
	ck_assert_figure_8(&msg);
	ck_assert_int_eq(brski_http_encode(&msg, &again, NULL), BRSKI_OK);
	ck_assert(brski_span_equal(
		brski_span(again.data + 4, again.len - 4), brski_span(figure_8, sizeof(figure_8) - 2)));
	brski_put_u8(&padded, 1);
	ck_assert_int_eq(decode(brski_buf_span(&padded), &msg), BRSKI_MALFORMED);
	brski_http_free(&msg);
	brski_buf_free(&padded);
	brski_buf_free(&again);
}
END_TEST

START_TEST(response_of_the_rfc)
{
	struct brski_http msg = {0};

	/* as it stands it has a trailer; without it, it is the message that we take */
	ck_assert_int_eq(decode(brski_span(figure_13, sizeof(figure_13)), &msg), BRSKI_UNSUPPORTED);
	ck_assert_int_eq(decode(brski_span(figure_13, 5 + 0x1d), &msg), BRSKI_OK);
	ck_assert_uint_eq(msg.status, 200);
	ck_assert_uint_eq(msg.n_fields, 0);
	ck_assert(brski_span_equal(
		brski_buf_span(&msg.body), brski_span_str("This content contains CRLF.\r\n")));
	brski_http_free(&msg);
}
END_TEST

START_TEST(what_we_do_not_take)
{
	static const struct {
		const char *what;
		const char *octets;
		size_t len;
		enum brski_code code;
	} cases[] = {
#define CASE(what, octets, code) {what, octets, sizeof(octets) - 1, code}
		CASE("nothing", "", BRSKI_MALFORMED),
		CASE("indeterminate request", "\x02\x03GET", BRSKI_UNSUPPORTED),
		CASE("indeterminate response", "\x03\x40\xc8\x00\x00\x00", BRSKI_UNSUPPORTED),
		CASE("unknown framing", "\x04\x40\xc8\x00", BRSKI_MALFORMED),
		CASE("informational response", "\x01\x40\x66\x00\x40\xc8\x00", BRSKI_UNSUPPORTED),
		CASE("status 0", "\x01\x00\x00", BRSKI_MALFORMED),
		CASE("status 99", "\x01\x40\x63\x00", BRSKI_MALFORMED),
		CASE("status 600", "\x01\x42\x58\x00", BRSKI_MALFORMED),
		CASE("status 2^32 + 200", "\x01\xc0\x00\x00\x01\x00\x00\x00\xc8\x00", BRSKI_MALFORMED),
		CASE("empty method", "\x00\x00\x05https\x00\x01/\x00", BRSKI_MALFORMED),
		CASE("method with a space",
			"\x00\x02"
			"A \x05https\x00\x01/\x00",
			BRSKI_MALFORMED),
		CASE("empty scheme",
			"\x00\x01"
			"A\x00\x00\x01/\x00",
			BRSKI_MALFORMED),
		CASE("scheme in capitals",
			"\x00\x01"
			"A\x05HTTPS\x00\x01/\x00",
			BRSKI_MALFORMED),
		CASE("authority with user",
			"\x00\x01"
			"A\x05https\x03u@h\x01/\x00",
			BRSKI_MALFORMED),
		CASE("empty path",
			"\x00\x01"
			"A\x05https\x00\x00\x00",
			BRSKI_MALFORMED),
		CASE("path without slash",
			"\x00\x01"
			"A\x05https\x00\x01x\x00",
			BRSKI_MALFORMED),
		CASE("path with NUL",
			"\x00\x01"
			"A\x05https\x00\x03/\x00x\x00",
			BRSKI_MALFORMED),
		CASE("path with newline",
			"\x00\x01"
			"A\x05https\x00\x03/\nx\x00",
			BRSKI_MALFORMED),
		CASE("length beyond all", "\x00\xff\xff\xff\xff\xff\xff\xff\xff", BRSKI_MALFORMED),
		CASE("no header section", "\x01\x40\xc8", BRSKI_MALFORMED),
		CASE("header section cut",
			"\x01\x40\xc8\x05\x01"
			"a\x01",
			BRSKI_MALFORMED),
		CASE("field over the section's end",
			"\x01\x40\xc8\x04\x01"
			"a\x02"
			"bc",
			BRSKI_MALFORMED),
		CASE("empty field name", "\x01\x40\xc8\x02\x00\x00", BRSKI_MALFORMED),
		CASE("pseudo-field", "\x01\x40\xc8\x0a\x07:status\x01x", BRSKI_MALFORMED),
		CASE("value with CR LF",
			"\x01\x40\xc8\x06\x01"
			"a\x03"
			"b\r\n",
			BRSKI_MALFORMED),
		CASE("value with NUL",
			"\x01\x40\xc8\x06\x01"
			"a\x03"
			"b\x00"
			"c",
			BRSKI_MALFORMED),
		CASE("value that ends in a space",
			"\x01\x40\xc8\x05\x01"
			"a\x02"
			"b ",
			BRSKI_MALFORMED),
		CASE("content cut",
			"\x01\x40\xc8\x00\x05"
			"abcd",
			BRSKI_MALFORMED),
		CASE("trailer cut",
			"\x01\x40\xc8\x00\x00\x05"
			"abcd",
			BRSKI_MALFORMED),
		CASE("trailer",
			"\x01\x40\xc8\x00\x00\x04\x01"
			"a\x01"
			"b",
			BRSKI_UNSUPPORTED),
		CASE("padding that is not zero", "\x01\x40\xc8\x00\x00\x00\x00\x01", BRSKI_MALFORMED),
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct brski_http msg = {0};
		enum brski_code code = decode(brski_span(cases[i].octets, cases[i].len), &msg);

		ck_assert_msg(code == cases[i].code, "%s: %s", cases[i].what, brski_code_name(code));
		ck_assert(!msg.method && !msg.path && msg.n_fields == 0 && msg.status == 0 && !msg.body.data);
	}
}
END_TEST

static void make_request(struct brski_http *msg)
{
	ck_assert_int_eq(brski_http_request(msg, "POST", "/.well-known/brski/requestvoucher",
				 "application/voucher-cms+json", brski_span("\x00\x01{}\xff", 5), NULL),
		BRSKI_OK);
	ck_assert_int_eq(brski_http_set(msg, "Accept", "application/voucher-cms+json", NULL), BRSKI_OK);
}

static void make_response(struct brski_http *msg)
{
	ck_assert_int_eq(brski_http_response(msg, 202, NULL, brski_span(NULL, 0), NULL), BRSKI_OK);
	ck_assert_int_eq(brski_http_set(msg, "Retry-After", "120", NULL), BRSKI_OK);
}

static void ck_assert_same(const struct brski_http *a, const struct brski_http *b)
{
	ck_assert_uint_eq(a->status, b->status);
	if (a->status == 0) {
		ck_assert_str_eq(a->method, b->method);
		ck_assert_str_eq(a->scheme, b->scheme);
		ck_assert_str_eq(a->authority, b->authority);
		ck_assert_str_eq(a->path, b->path);
	}
	ck_assert_uint_eq(a->n_fields, b->n_fields);
	for (size_t i = 0; i < a->n_fields; i++) {
		ck_assert_str_eq(a->fields[i].name, b->fields[i].name);
		ck_assert_str_eq(a->fields[i].value, b->fields[i].value);
	}
	ck_assert(brski_span_equal(brski_buf_span(&a->body), brski_buf_span(&b->body)));
}

START_TEST(several_messages_in_a_row)
{
	struct brski_http sent[2] = {{0}}, got = {0};
	struct brski_buf wire = {0};
	struct brski_span in;
	bool complete;

	make_request(&sent[0]);
	make_response(&sent[1]);
	ck_assert_int_eq(brski_http_encode(&sent[0], &wire, NULL), BRSKI_OK);
	ck_assert_int_eq(brski_http_encode(&sent[1], &wire, NULL), BRSKI_OK);
	in = brski_buf_span(&wire);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(brski_http_decode(&in, 0, &got, &complete, NULL), BRSKI_OK);
		ck_assert(complete);
		ck_assert_same(&sent[i], &got);
		brski_http_free(&sent[i]);
	}
	ck_assert_uint_eq(in.len, 0);
	ck_assert_int_eq(brski_http_decode(&in, 0, &got, &complete, NULL), BRSKI_OK);
	ck_assert(!complete);
	brski_http_free(&got);
	brski_buf_free(&wire);
}
END_TEST

START_TEST(golden_request)
{
	static const char golden[] =
		"\x00\x00\x00\x79\x00\x04POST\x05https\x00\x21/.well-known/brski/requestvoucher"
		"\x40\x42\x0c"
		"content-type\x1c"
		"application/voucher-cms+json"
		"\x06"
		"accept\x10"
		"application/json\x05\x00\x01{}\xff";
	struct brski_http msg = {0};
	struct brski_buf wire = {0};

	make_request(&msg);
	ck_assert_int_eq(brski_http_set(&msg, "accept", "application/json", NULL), BRSKI_OK);
	ck_assert_int_eq(brski_http_encode(&msg, &wire, NULL), BRSKI_OK);
	ck_assert_uint_eq(wire.len, sizeof(golden) - 1);
	ck_assert_mem_eq(wire.data, golden, wire.len);
	brski_http_free(&msg);
	brski_buf_free(&wire);
}
END_TEST

START_TEST(incomplete_is_not_an_error)
{
	struct brski_http msg = {0}, got = {0};
	struct brski_buf wire = {0};
	bool complete = true;

	make_request(&msg);
	ck_assert_int_eq(brski_http_encode(&msg, &wire, NULL), BRSKI_OK);
	for (size_t len = 0; len < wire.len; len++) {
		struct brski_span in = brski_span(wire.data, len);

		ck_assert_int_eq(brski_http_decode(&in, 0, &got, &complete, NULL), BRSKI_OK);
		ck_assert(!complete && in.len == len && in.data == wire.data);
		ck_assert(got.method == NULL && got.n_fields == 0);
	}
	brski_http_free(&msg);
	brski_buf_free(&wire);
}
END_TEST

START_TEST(limit_holds_before_the_octets_come)
{
	struct brski_http got = {0};
	struct brski_span in = brski_span("\x00\x00\x00\x65", 4);
	bool complete;

	ck_assert_int_eq(brski_http_decode(&in, 100, &got, &complete, NULL), BRSKI_TOO_LARGE);
	ck_assert_int_eq(brski_http_decode(&in, 101, &got, &complete, NULL), BRSKI_OK);
	ck_assert(!complete);
	in = brski_span("\xff\xff\xff\xff", 4);
	ck_assert_int_eq(brski_http_decode(&in, 0, &got, &complete, NULL), BRSKI_TOO_LARGE);
}
END_TEST

/* Of one name, and of different ones. */
START_TEST(too_many_fields)
{
	struct brski_buf fields = {0}, binary = {0};
	struct brski_http msg = {0};

	for (int i = 0; i <= BRSKI_HTTP_FIELDS_MAX; i++) {
		brski_put_str(&fields, "\x01");
		brski_put_u8(&fields, (uint8_t)(_i == 0 ? 'a' : i < 26 ? 'a' + i : '0' + i - 26));
		brski_put_str(&fields, "\x01x");
	}
	brski_put(&binary, brski_span("\x01\x40\xc8", 3));
	brski_put_varint(&binary, fields.len);
	brski_put(&binary, brski_buf_span(&fields));
	ck_assert_int_eq(decode(brski_buf_span(&binary), &msg), BRSKI_TOO_LARGE);
	brski_buf_free(&fields);
	brski_buf_free(&binary);
}
END_TEST

START_TEST(text_too_long)
{
	struct brski_buf path = {0}, binary = {0};
	struct brski_http msg = {0};

	for (size_t len = BRSKI_HTTP_TEXT_MAX; len <= BRSKI_HTTP_TEXT_MAX + 1; len++) {
		brski_buf_reset(&path);
		brski_buf_reset(&binary);
		while (path.len < len)
			brski_put_u8(&path, '/');
		brski_put(&binary, brski_span("\x00\x01"
					      "A\x05https\x00",
					   10));
		brski_put_varint(&binary, path.len);
		brski_put(&binary, brski_buf_span(&path));
		brski_put_u8(&binary, 0);
		ck_assert_int_eq(decode(brski_buf_span(&binary), &msg),
			len > BRSKI_HTTP_TEXT_MAX ? BRSKI_TOO_LARGE : BRSKI_OK);
	}
	brski_http_free(&msg);
	brski_buf_free(&path);
	brski_buf_free(&binary);
}
END_TEST

START_TEST(repeated_fields_are_combined)
{
	static const char binary[] = "\x01\x40\xc8\x0d\x01"
				     "a\x01"
				     "b\x01"
				     "A\x01"
				     "c\x01x\x02yz";
	struct brski_http msg = {0};

	ck_assert_int_eq(decode(brski_span(binary, sizeof(binary) - 1), &msg), BRSKI_OK);
	ck_assert_uint_eq(msg.n_fields, 2);
	ck_assert_str_eq(brski_http_get(&msg, "a"), "b, c");
	ck_assert_str_eq(msg.fields[0].name, "a");
	brski_http_free(&msg);
}
END_TEST

START_TEST(combined_fields_have_a_limit)
{
	struct brski_http msg = {0};
	char half[BRSKI_HTTP_TEXT_MAX / 2 + 1];

	memset(half, 'x', sizeof(half) - 1);
	half[sizeof(half) - 1] = '\0';
	ck_assert_int_eq(brski_http_add(&msg, "a", half, NULL), BRSKI_OK);
	ck_assert_int_eq(brski_http_add(&msg, "a", half, NULL), BRSKI_TOO_LARGE);
	ck_assert_int_eq(brski_http_add(&msg, "a", half + 2, NULL), BRSKI_OK);
	ck_assert_uint_eq(strlen(brski_http_get(&msg, "a")), BRSKI_HTTP_TEXT_MAX);
	brski_http_free(&msg);
}
END_TEST

/* A damaged message is refused, or it is another valid one, which is encoded and read as itself. */
static void try_damaged(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	struct brski_span in = damaged;
	struct brski_http msg = {0}, again = {0};
	struct brski_buf wire = {0};
	bool complete;

	(void)ctx;
	if (brski_http_decode(&in, 0, &msg, &complete, NULL) != BRSKI_OK || !complete) {
		ck_assert(in.len == damaged.len && !msg.method && msg.status == 0);
		return;
	}
	ck_assert_int_eq(brski_http_encode(&msg, &wire, NULL), BRSKI_OK);
	in = brski_buf_span(&wire);
	ck_assert_int_eq(brski_http_decode(&in, 0, &again, &complete, NULL), BRSKI_OK);
	ck_assert_msg(complete && in.len == 0, "%s at %zu", how->kind, how->at);
	ck_assert_same(&msg, &again);
	brski_http_free(&msg);
	brski_http_free(&again);
	brski_buf_free(&wire);
}

START_TEST(damaged_messages)
{
	struct brski_http msg = {0};
	struct brski_buf wire = {0};

	if (_i == 0)
		make_request(&msg);
	else if (_i == 1)
		make_response(&msg);
	if (_i < 2)
		ck_assert_int_eq(brski_http_encode(&msg, &wire, NULL), BRSKI_OK);
	else
		with_length(&wire, brski_span(_i == 2 ? figure_8 : figure_13,
					   _i == 2 ? sizeof(figure_8) : sizeof(figure_13)));
	mutate_all(brski_buf_span(&wire), try_damaged, NULL);
	brski_http_free(&msg);
	brski_buf_free(&wire);
}
END_TEST

static void try_shortened(void *ctx, struct brski_span shortened, const struct mutation *how)
{
	const size_t *shortest = ctx;
	struct brski_http msg = {0};

	/* 3.8: valid as long as only the empty content and trailer section are missing */
	ck_assert_int_eq(decode(shortened, &msg) == BRSKI_OK, how->at >= *shortest);
	brski_http_free(&msg);
}

START_TEST(truncated_within_the_length)
{
	size_t shortest = sizeof(figure_8) - 2;

	mutate_truncations(brski_span(figure_8, sizeof(figure_8)), try_shortened, &shortest);
}
END_TEST

START_TEST(fields_are_checked)
{
	static const char *const names[] = {"", "a b", "a:", "a\n", "\xc3\xa4", ":path", "a\x7f"};
	static const char *const values[] = {"a\r\nb: c", "a\nb", " a", "a ", "\ta", "a\x01", "a\x7f"};
	struct brski_http msg = {0};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_int_eq(brski_http_set(&msg, names[i], "x", NULL), BRSKI_MALFORMED);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		ck_assert_int_eq(brski_http_set(&msg, "a", values[i], NULL), BRSKI_MALFORMED);
		ck_assert_int_eq(brski_http_add(&msg, "a", values[i], NULL), BRSKI_MALFORMED);
	}
	ck_assert_uint_eq(msg.n_fields, 0);
	ck_assert_int_eq(brski_http_set(&msg, "Location", "", NULL), BRSKI_OK);
	ck_assert_int_eq(brski_http_set(&msg, "location", "/a\tb", NULL), BRSKI_OK);
	ck_assert_uint_eq(msg.n_fields, 1);
	ck_assert_str_eq(msg.fields[0].name, "location");
	ck_assert_str_eq(brski_http_get(&msg, "LOCATION"), "/a\tb");
	brski_http_free(&msg);
}
END_TEST

START_TEST(messages_are_checked)
{
	struct brski_http msg = {0};
	struct brski_buf out = {0};
	struct brski_span none = brski_span(NULL, 0);

	ck_assert_int_eq(brski_http_request(&msg, "GET", "x", NULL, none, NULL), BRSKI_MALFORMED);
	ck_assert_int_eq(brski_http_request(&msg, "G T", "/", NULL, none, NULL), BRSKI_MALFORMED);
	ck_assert_int_eq(
		brski_http_request(&msg, "POST", "/", NULL, brski_span_str("x"), NULL), BRSKI_INTERNAL);
	ck_assert_int_eq(brski_http_request(&msg, "POST", "/", "a/b\r\n", none, NULL), BRSKI_MALFORMED);
	ck_assert_int_eq(brski_http_response(&msg, 199, NULL, none, NULL), BRSKI_MALFORMED);
	ck_assert_int_eq(brski_http_response(&msg, 600, NULL, none, NULL), BRSKI_MALFORMED);
	ck_assert(msg.method == NULL && msg.status == 0 && msg.n_fields == 0);
	ck_assert_int_eq(brski_http_encode(&msg, &out, NULL), BRSKI_INTERNAL);
	ck_assert_uint_eq(out.len, 0);
	/* what it held before is freed */
	make_request(&msg);
	make_response(&msg);
	ck_assert_ptr_null(msg.method);
	ck_assert_uint_eq(msg.n_fields, 1);
	brski_http_free(&msg);
}
END_TEST

START_TEST(media_types)
{
	struct brski_http msg = {0};

	ck_assert(!brski_http_is_type(&msg, "application/json"));
	ck_assert_int_eq(brski_http_response(
				 &msg, 200, "Application/JSON ; charset=utf-8", brski_span_str("{}"), NULL),
		BRSKI_OK);
	ck_assert(brski_http_is_type(&msg, "application/json"));
	ck_assert(!brski_http_is_type(&msg, "application/jso"));
	ck_assert(!brski_http_is_type(&msg, "application/json5"));
	ck_assert_int_eq(brski_http_set(&msg, "content-encoding", "gzip", NULL), BRSKI_OK);
	ck_assert(brski_http_is_coded(&msg));
	ck_assert(!brski_http_is_type(&msg, "application/json"));
	ck_assert_int_eq(brski_http_set(&msg, "content-encoding", "IDENTITY", NULL), BRSKI_OK);
	ck_assert(brski_http_is_type(&msg, "application/json"));
	ck_assert_int_eq(brski_http_set(&msg, "content-type", "application/jsonx", NULL), BRSKI_OK);
	ck_assert(!brski_http_is_type(&msg, "application/json"));
	brski_http_free(&msg);
}
END_TEST

START_TEST(retry_after)
{
	static const struct {
		const char *value;
		long seconds;
	} cases[] = {
		{"0", 0},
		{"120", 120},
		{"2678400", 2678400},
		{"2678401", 2678400},
		{"99999999999999999999999999", 2678400},
		{"-5", -1},
		{"1.5", -1},
		{"soon", -1},
		{"", -1},
		/* RFC 9110 5.6.7; now is ten seconds earlier */
		{"Sun, 06 Nov 1994 08:49:37 GMT", 10},
		{"Sunday, 06-Nov-94 08:49:37 GMT", 10},
		{"Sun Nov  6 08:49:37 1994", 10},
		{"Sun, 06 Nov 1994 08:49:27 GMT", 0},
		{"Sun, 06 Nov 1993 08:49:27 GMT", 0},
		{"Sun, 06 Nov 2094 08:49:37 GMT", 2678400},
		{"Sun, 06 Nov 1994 08:49:37 GMT x", -1},
		{"Sun, 06 Nov 1994 08:49:37", -1},
		{"Sun, 06 Nov 1994 25:49:37 GMT", -1},
		{"Sun, 06 Foo 1994 08:49:37 GMT", -1},
	};
	struct brski_http msg = {0};

	ck_assert_int_eq(brski_http_retry_after(&msg, 784111767), -1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_int_eq(brski_http_set(&msg, "retry-after", cases[i].value, NULL), BRSKI_OK);
		ck_assert_msg(brski_http_retry_after(&msg, 784111767) == cases[i].seconds, "%s: %ld",
			cases[i].value, brski_http_retry_after(&msg, 784111767));
	}
	brski_http_free(&msg);
}
END_TEST

START_TEST(moves)
{
	struct brski_http a = {0}, b = {0};

	make_request(&a);
	make_response(&b);
	brski_http_move(&a, &b);
	ck_assert_uint_eq(a.status, 202);
	ck_assert(b.status == 0 && b.n_fields == 0);
	brski_http_move(&a, &a);
	ck_assert_uint_eq(a.status, 202);
	brski_http_free(&a);
}
END_TEST

START_TEST(copies_are_messages_of_their_own)
{
	struct brski_http request = {0}, response = {0}, copy = {0};

	ck_assert_int_eq(
		brski_http_request(&request, "POST", "/a?b", "text/plain", brski_span_str("body"), NULL),
		BRSKI_OK);
	ck_assert_int_eq(brski_http_set(&request, "accept", "*/*", NULL), BRSKI_OK);
	ck_assert_int_eq(brski_http_copy(&copy, &request, NULL), BRSKI_OK);
	brski_http_free(&request);
	ck_assert_uint_eq(copy.status, 0);
	ck_assert_str_eq(copy.method, "POST");
	ck_assert_str_eq(copy.scheme, "https");
	ck_assert_str_eq(copy.authority, "");
	ck_assert_str_eq(copy.path, "/a?b");
	ck_assert_uint_eq(copy.n_fields, 2);
	ck_assert_str_eq(brski_http_get(&copy, "content-type"), "text/plain");
	ck_assert_str_eq(brski_http_get(&copy, "accept"), "*/*");
	ck_assert(brski_span_equal(brski_buf_span(&copy.body), brski_span_str("body")));

	ck_assert_int_eq(brski_http_response(&response, 404, NULL, brski_span(NULL, 0), NULL), BRSKI_OK);
	ck_assert_int_eq(brski_http_copy(&copy, &response, NULL), BRSKI_OK);
	ck_assert_uint_eq(copy.status, 404);
	ck_assert_ptr_null(copy.path);
	ck_assert_uint_eq(copy.n_fields, 0);
	ck_assert_uint_eq(copy.body.len, 0);
	brski_http_free(&copy);
	brski_http_free(&response);
}
END_TEST

START_TEST(statuses_that_pass)
{
	static const unsigned passing[] = {202, 408, 425, 429, 500, 502, 503, 504, 599};

	for (unsigned status = 200; status < 600; status++) {
		struct brski_http answer = {.status = status};
		bool expected = status >= 500;

		for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++)
			expected = expected || passing[i] == status;
		ck_assert(brski_http_is_temporary(&answer) == expected);
	}
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("http");
	TCase *values = tcase_create("values");
	TCase *binary = tcase_create("binary");

	tcase_add_test(values, copies_are_messages_of_their_own);
	tcase_add_test(values, statuses_that_pass);
	tcase_add_test(values, fields_are_checked);
	tcase_add_test(values, messages_are_checked);
	tcase_add_test(values, combined_fields_have_a_limit);
	tcase_add_test(values, media_types);
	tcase_add_test(values, retry_after);
	tcase_add_test(values, moves);
	suite_add_tcase(s, values);
	tcase_add_test(binary, request_of_the_rfc);
	tcase_add_test(binary, response_of_the_rfc);
	tcase_add_test(binary, what_we_do_not_take);
	tcase_add_test(binary, several_messages_in_a_row);
	tcase_add_test(binary, golden_request);
	tcase_add_test(binary, incomplete_is_not_an_error);
	tcase_add_test(binary, limit_holds_before_the_octets_come);
	tcase_add_loop_test(binary, too_many_fields, 0, 2);
	tcase_add_test(binary, text_too_long);
	tcase_add_test(binary, repeated_fields_are_combined);
	tcase_add_loop_test(binary, damaged_messages, 0, 4);
	tcase_add_test(binary, truncated_within_the_length);
	suite_add_tcase(s, binary);
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
