/* SPDX-License-Identifier: BSD-3-Clause */
/* The octets in docs/protocol.md, section 15, are what the code makes and takes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eap_brski/artifacts/paths.h"
#include "eap_brski/artifacts/status.h"
#include "eap_brski/eap/peer.h"
#include "eap_brski/transport/http_binary.h"
#include "eap_brski/transport/link.h"
#include "tests/unit/support/files.h"

#define DOCUMENT "docs/protocol.md"
#define BLOCKS_MAX 16
#define FILLER 0x5a /* what "(N octets)" stands for */

/* One indented block: octets, line by line. */
struct block {
	struct brski_buf line[16];
	size_t n_lines;
	struct brski_buf all;
};

static struct block blocks[BLOCKS_MAX];
static size_t n_blocks;
static struct brski_error err;

/* "01 0a  fe (1381 octets)" */
static void read_line(const char *text, const char *end, struct brski_buf *out)
{
	while (text < end) {
		unsigned value, many;
		int used = 0;

		if (*text == ' ') {
			text++;
		} else if (*text == '(') {
			ck_assert_msg(
				sscanf(text, "(%u octets)%n", &many, &used) == 1 && used > 0, "%.40s", text);
			while (many-- > 0)
				brski_put_u8(out, FILLER);
			text += used;
		} else {
			ck_assert_msg(sscanf(text, "%2x%n", &value, &used) == 1 && used == 2, "%.40s", text);
			brski_put_u8(out, (uint8_t)value);
			text += used;
		}
	}
}

static void add_line(struct block *b, const char *text, const char *end)
{
	struct brski_buf *line = &b->line[b->n_lines++];

	ck_assert_uint_le(b->n_lines, sizeof(b->line) / sizeof(b->line[0]));
	read_line(text, end, line);
	brski_put(&b->all, brski_buf_span(line));
	ck_assert(!line->failed && !b->all.failed);
}

static void read_document(void)
{
	struct brski_buf file = file_read(DOCUMENT);
	const char *at, *end, *stop;
	bool inside = false;

	brski_put_u8(&file, 0);
	at = strstr((const char *)file.data, "\n## 15 Examples\n");
	ck_assert_ptr_nonnull(at);
	stop = strstr(at, "\n## References\n");
	ck_assert_ptr_nonnull(stop);
	for (at++; at < stop; at = end + 1) {
		end = strchr(at, '\n');
		if (strncmp(at, "    ", 4) != 0) {
			inside = false;
			continue;
		}
		if (!inside)
			ck_assert_uint_lt(n_blocks++, BLOCKS_MAX);
		inside = true;
		add_line(&blocks[n_blocks - 1], at, end);
	}
	brski_buf_free(&file);
}

static void forget_document(void)
{
	for (size_t i = 0; i < n_blocks; i++) {
		for (size_t j = 0; j < blocks[i].n_lines; j++)
			brski_buf_free(&blocks[i].line[j]);
		brski_buf_free(&blocks[i].all);
	}
	n_blocks = 0;
}

static bool same(const struct brski_buf *a, const struct brski_buf *b)
{
	return brski_span_equal(brski_buf_span(a), brski_buf_span(b));
}

/* Code, Identifier and Length of RFC 3748 4; what follows them is left in *out. */
static uint8_t read_eap(const struct brski_buf *packet, struct brski_span *out)
{
	uint8_t code, id;
	uint16_t len;

	*out = brski_buf_span(packet);
	ck_assert(brski_read_u8(out, &code) && brski_read_u8(out, &id) && brski_read_u16(out, &len));
	ck_assert_uint_eq(len, packet->len);
	return code;
}

/* A packet of the method, which the code would write in the same way. */
static struct brski_frame read_packet(const struct brski_buf *packet)
{
	struct brski_buf again = {0};
	struct brski_span in, head;
	struct brski_frame frame;
	uint8_t type[8];
	uint8_t code = read_eap(packet, &in);

	ck_assert(code == 1 || code == 2);
	brski_expanded_type(BRSKI_EAP_VENDOR_ID, BRSKI_EAP_VENDOR_TYPE, type);
	ck_assert(brski_read_span(&in, sizeof(type), &head));
	ck_assert(brski_span_equal(head, brski_span(type, sizeof(type))));
	EXPECT(BRSKI_OK, brski_frame_parse(in, code == 1, &frame, &err));
	EXPECT(BRSKI_OK, brski_frame_write(&frame, &again, &err));
	ck_assert(brski_span_equal(brski_buf_span(&again), in));
	brski_buf_free(&again);
	return frame;
}

START_TEST(document_is_read)
{
	static const size_t lines[] = {1, 1, 2, 5, 10, 9, 1, 1, 1};

	ck_assert_uint_eq(n_blocks, sizeof(lines) / sizeof(lines[0]));
	for (size_t i = 0; i < n_blocks; i++)
		ck_assert_uint_eq(blocks[i].n_lines, lines[i]);
}
END_TEST

START_TEST(identity)
{
	struct brski_span in;
	char text[64];
	uint8_t type;

	ck_assert_uint_eq(read_eap(&blocks[0].all, &in), 2);
	ck_assert(brski_read_u8(&in, &type));
	ck_assert_uint_eq(type, 1);
	ck_assert(brski_identity(NULL, text, sizeof(text)));
	ck_assert(brski_span_equal(in, brski_span_str(text)));
}
END_TEST

START_TEST(start_and_wait)
{
	struct brski_frame frame = read_packet(&blocks[1].all);

	ck_assert_uint_eq(frame.flags, BRSKI_FRAME_START);
	frame = read_packet(&blocks[2].line[0]);
	ck_assert_uint_eq(frame.flags, BRSKI_FRAME_WAIT);
	ck_assert_uint_eq(frame.wait_ms, 500);
	frame = read_packet(&blocks[2].line[1]);
	ck_assert_uint_eq(frame.flags, 0);
	ck_assert_uint_eq(frame.data.len, 0);
}
END_TEST

static struct brski_link *started_peer(void)
{
	enum brski_link_event event;
	struct brski_link *link;
	struct brski_span start;
	uint16_t wait_ms;

	EXPECT(BRSKI_OK, brski_link_new(false, 1398, 0, &link, &err));
	start = brski_span(blocks[1].all.data + BRSKI_EAP_OVERHEAD, blocks[1].all.len - BRSKI_EAP_OVERHEAD);
	EXPECT(BRSKI_OK, brski_link_receive(link, start, &event, &wait_ms, &err));
	ck_assert_int_eq(event, BRSKI_LINK_START);
	return link;
}

/* The peer's packets of block 3 are what a link makes of 3,000 octets, and the server's move it on. */
START_TEST(fragments)
{
	struct brski_link *link = started_peer();
	struct brski_buf message = {0}, packet = {0};
	enum brski_link_event event;
	uint16_t wait_ms;

	for (int i = 0; i < 3000; i++)
		brski_put_u8(&message, FILLER);
	EXPECT(BRSKI_OK, brski_link_queue(link, brski_buf_span(&message), &err));
	for (size_t i = 0; i < blocks[3].n_lines; i++) {
		const struct brski_buf *line = &blocks[3].line[i];
		struct brski_span in =
			brski_span(line->data + BRSKI_EAP_OVERHEAD, line->len - BRSKI_EAP_OVERHEAD);

		(void)read_packet(line);
		if (line->data[0] == 1) {
			EXPECT(BRSKI_OK, brski_link_receive(link, in, &event, &wait_ms, &err));
			continue;
		}
		EXPECT(BRSKI_OK, brski_link_next(link, &packet, &err));
		ck_assert(brski_span_equal(brski_buf_span(&packet), in));
	}
	EXPECT(BRSKI_UNEXPECTED, brski_link_next(link, &packet, &err));
	brski_link_free(link);
	brski_buf_free(&message);
	brski_buf_free(&packet);
}
END_TEST

/* The document's octets are this message, both ways. Takes it. */
static void expect_http(const struct block *b, struct brski_http *msg)
{
	struct brski_span in = brski_buf_span(&b->all);
	struct brski_buf out = {0};
	struct brski_http read = {0};
	bool complete;

	EXPECT(BRSKI_OK, brski_http_encode(msg, &out, &err));
	ck_assert(same(&out, &b->all));
	EXPECT(BRSKI_OK, brski_http_decode(&in, 0, &read, &complete, &err));
	ck_assert(complete);
	ck_assert_uint_eq(in.len, 0);
	ck_assert(same(&read.body, &msg->body));
	brski_http_free(&read);
	brski_http_free(msg);
	brski_buf_free(&out);
}

START_TEST(voucher_request)
{
	struct brski_http msg = {0};
	struct brski_buf body = {0};

	for (int i = 0; i < 1800; i++)
		brski_put_u8(&body, FILLER);
	EXPECT(BRSKI_OK, brski_http_request(&msg, "POST", BRSKI_PATH_REQUESTVOUCHER, BRSKI_MEDIA_VOUCHER,
				 brski_buf_span(&body), &err));
	EXPECT(BRSKI_OK, brski_http_set(&msg, "accept", BRSKI_MEDIA_VOUCHER, &err));
	ck_assert_uint_eq(blocks[4].all.len, 1933); /* the number in the text */
	expect_http(&blocks[4], &msg);
	brski_buf_free(&body);
}
END_TEST

START_TEST(voucher_status)
{
	struct brski_status status = {.status = true};
	struct brski_http msg = {0};
	struct brski_buf body = {0};

	EXPECT(BRSKI_OK, brski_status_print(&status, &body, &err));
	EXPECT(BRSKI_OK, brski_http_request(&msg, "POST", BRSKI_PATH_VOUCHER_STATUS, BRSKI_MEDIA_JSON,
				 brski_buf_span(&body), &err));
	expect_http(&blocks[5], &msg);
	brski_buf_free(&body);
}
END_TEST

START_TEST(responses)
{
	struct brski_http msg = {0};

	EXPECT(BRSKI_OK, brski_http_response(&msg, 200, NULL, brski_span(NULL, 0), &err));
	expect_http(&blocks[6], &msg);
	EXPECT(BRSKI_OK, brski_http_response(&msg, 202, NULL, brski_span(NULL, 0), &err));
	EXPECT(BRSKI_OK, brski_http_set(&msg, "retry-after", "60", &err));
	expect_http(&blocks[7], &msg);
}
END_TEST

START_TEST(success)
{
	struct brski_span in;

	ck_assert_uint_eq(read_eap(&blocks[8].all, &in), 3);
	ck_assert_uint_eq(in.len, 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {document_is_read, identity, start_and_wait, fragments, voucher_request,
		voucher_status, responses, success};

	return run_tests(
		"protocol examples", read_document, forget_document, tests, sizeof(tests) / sizeof(tests[0]));
}
