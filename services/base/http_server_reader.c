/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/base/http_server_reader.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "eap_brski/ground/text.h"
#include "services/base/http_fields.h"

#define CHUNK_LINE_MAX 256 /* octets of a chunk's size and its extensions */
#define AUTHORITY_MAX 262  /* octets: a name of 255, a colon, a port */

enum { AT_START, AT_FIELDS, AT_BODY, AT_CHUNK, AT_CHUNK_DATA, AT_CHUNK_END, AT_TRAILERS, AT_END };

void http_reader_reset(struct http_reader *r)
{
	const struct http_reader limits = {
		.max_head = r->max_head, .max_body = r->max_body, .queries = r->queries};

	brski_http_free(&r->request);
	brski_buf_free(&r->line);
	*r = limits;
}

bool http_reader_begun(const struct http_reader *r)
{
	return r->state != AT_START || r->head > 0;
}

__attribute__((format(printf, 3, 4))) static enum http_read refuse(
	struct http_reader *r, unsigned status, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(r->why, sizeof(r->why), fmt, args);
	va_end(args);
	r->refusal = status;
	r->close = true;
	return HTTP_READ_REFUSED;
}

/* The line stands in r->line as text, without its end. */
static const char *line_text(struct http_reader *r)
{
	brski_put_u8(&r->line, 0);
	return r->line.failed ? NULL : (const char *)r->line.data;
}

static enum http_read too_long(struct http_reader *r)
{
	if (r->state == AT_START)
		return refuse(r, 414, "the request line is longer than %zu octets", r->max_head);
	if (r->state == AT_CHUNK || r->state == AT_CHUNK_END)
		return refuse(r, 400, "a chunk's size has more than %d octets", CHUNK_LINE_MAX);
	return refuse(r, 431, "the fields are longer than %zu octets", r->max_head);
}

static size_t room(const struct http_reader *r)
{
	if (r->state == AT_CHUNK || r->state == AT_CHUNK_END)
		return CHUNK_LINE_MAX - r->line.len;
	return r->max_head - r->head;
}

/*
 * Takes one line. A lone CR or LF, and a zero, are refused: others take them for the end of a line
 * or of a text. *whole: r->line is one.
 */
static enum http_read take_line(struct http_reader *r, struct brski_span *in, bool *whole)
{
	uint8_t c;

	*whole = false;
	while (brski_read_u8(in, &c)) {
		if (room(r) == 0)
			return too_long(r);
		r->head++;
		if (c == 0 || (c == '\n') != r->cr)
			return refuse(r, 400, "a line ends in something other than CR LF, or has a zero");
		if (c == '\n') {
			r->cr = false;
			*whole = true;
			return HTTP_READ_MORE;
		}
		r->cr = c == '\r';
		if (!r->cr)
			brski_put_u8(&r->line, c);
	}
	return r->line.failed ? refuse(r, 503, "out of memory") : HTTP_READ_MORE;
}

/* uri-host [ ":" port ] as far as its letters say (RFC 9110 4.2); may be empty. */
static bool is_authority(struct brski_span text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (!isalnum(text.data[i]) && !memchr("-._~:[]%", text.data[i], 8))
			return false;
	}
	return text.len <= AUTHORITY_MAX;
}

static enum http_read set_authority(struct http_reader *r, struct brski_span text)
{
	char *copy = is_authority(text) ? strndup((const char *)text.data, text.len) : NULL;

	if (!copy)
		return refuse(r, 400, "no valid name and port of a host");
	free(r->request.authority);
	r->request.authority = copy;
	return HTTP_READ_MORE;
}

/* absolute-form (RFC 9112 3.2.2): *path goes to the path in it, and its authority is Host's. */
static size_t authority_length(const char *target, const char **path)
{
	const char *authority = NULL;
	size_t len;

	*path = target;
	if (strncasecmp(target, "http://", 7) == 0)
		authority = target + 7;
	else if (strncasecmp(target, "https://", 8) == 0)
		authority = target + 8;
	if (!authority)
		return 0;
	len = strcspn(authority, "/?#");
	*path = authority + len;
	return len;
}

static enum http_read take_target(struct http_reader *r, const char *method, const char *target)
{
	struct brski_error err;
	const char *path;
	size_t len = authority_length(target, &path);
	struct brski_span authority = brski_span(path - len, len);

	if (path != target && path[0] == '\0')
		path = "/";
	if (strlen(path) > BRSKI_HTTP_TEXT_MAX)
		return refuse(r, 414, "the path is longer than %d octets", BRSKI_HTTP_TEXT_MAX);
	if (!r->queries && strchr(path, '?'))
		return refuse(r, 404, "there is nothing here that takes a query");
	/* the type is that of a body whose sender names none; the fields may */
	if (brski_http_request(&r->request, method, path, "application/octet-stream",
		    (struct brski_span){NULL, 0}, &err) != BRSKI_OK)
		return refuse(r, brski_code_http_status(err.code), "no valid method and path");
	r->absolute = len > 0;
	return r->absolute ? set_authority(r, authority) : HTTP_READ_MORE;
}

static enum http_read take_version(struct http_reader *r, const char *version)
{
	if (strncmp(version, "HTTP/", 5) != 0)
		return refuse(r, 400, "this is no HTTP");
	if (strncmp(version, "HTTP/1.", 7) != 0 || !isdigit((unsigned char)version[7]) || version[8] != '\0')
		return refuse(r, 505, "HTTP/1.1 and HTTP/1.0 are understood");
	r->http_1_0 = version[7] == '0';
	r->close = r->http_1_0;
	return HTTP_READ_MORE;
}

/* RFC 9112 3: method, target and version, one blank between each. */
static enum http_read take_request_line(struct http_reader *r)
{
	const char *text = line_text(r);
	const char *first = text ? strchr(text, ' ') : NULL;
	const char *last = text ? strrchr(text, ' ') : NULL;
	char *method, *target;
	enum http_read got;

	if (!text)
		return refuse(r, 503, "out of memory");
	if (text[0] == '\0')
		return HTTP_READ_MORE; /* before a request: RFC 9112 2.2 */
	if (!first || first == last)
		return refuse(r, 400, "the request line is not method, target and version");
	method = strndup(text, (size_t)(first - text));
	target = strndup(first + 1, (size_t)(last - first - 1));
	got = method && target ? take_version(r, last + 1) : refuse(r, 503, "out of memory");
	if (got == HTTP_READ_MORE)
		got = take_target(r, method, target);
	free(method);
	free(target);
	r->state = AT_FIELDS;
	return got;
}

static enum http_read take_length(struct http_reader *r, const char *value)
{
	long length;

	if (r->lengths++ > 0 || value[0] == '\0' || value[strspn(value, "0123456789")] != '\0')
		return refuse(r, 400, "Content-Length is given twice, or is no number");
	if (!brski_number_read(value, 0, (long)r->max_body, &length))
		return refuse(r, 413, "the body has %.20s octets, more than %zu", value, r->max_body);
	r->left = (uint64_t)length;
	return HTTP_READ_MORE;
}

static enum http_read take_coding(struct http_reader *r, const char *value)
{
	if (r->codings++ > 0)
		return refuse(r, 400, "Transfer-Encoding is given twice");
	return strcasecmp(value, "chunked") == 0
		       ? HTTP_READ_MORE
		       : refuse(r, 501, "of transfer codings \"chunked\" alone is understood");
}

static void take_options(struct http_reader *r, const char *value)
{
	for (struct brski_span word = brski_list_next(&value); word.len > 0; word = brski_list_next(&value)) {
		if (word.len == 5 && strncasecmp((const char *)word.data, "close", 5) == 0)
			r->close = true;
	}
}

static enum http_read take_expectation(struct http_reader *r, const char *value)
{
	if (strcasecmp(value, "100-continue") != 0)
		return refuse(r, 417, "nothing but 100-continue may be expected");
	r->expects = !r->http_1_0; /* RFC 9110 10.1.1 */
	return HTTP_READ_MORE;
}

/* What the request's reader is interested in. Of a list's members each may be a field (RFC 9110 5.3). */
static enum http_read keep_field(struct http_reader *r, const char *name, const char *value)
{
	bool one = strcasecmp(name, "content-type") == 0;
	struct brski_error err = {0};
	enum brski_code code = one ? brski_http_set(&r->request, name, value, &err)
				   : brski_http_add(&r->request, name, value, &err);

	if (code == BRSKI_OK)
		return HTTP_READ_MORE;
	return refuse(r, brski_code_http_status(code), "%s", err.why);
}

static enum http_read take_known(struct http_reader *r, const char *name, const char *value)
{
	if (strcasecmp(name, "host") == 0) {
		if (r->hosts++ > 0)
			return refuse(r, 400, "Host is given twice");
		return r->absolute ? HTTP_READ_MORE : set_authority(r, brski_span_str(value));
	}
	if (strcasecmp(name, "content-length") == 0)
		return take_length(r, value);
	if (strcasecmp(name, "transfer-encoding") == 0)
		return take_coding(r, value);
	if (strcasecmp(name, "expect") == 0)
		return take_expectation(r, value);
	if (strcasecmp(name, "connection") == 0)
		take_options(r, value);
	return http_field_is_read(name) ? keep_field(r, name, value) : HTTP_READ_MORE;
}

/*
 * RFC 9112 5. A name that is no token is passed over, as proxies may add such; but blanks and control
 * characters in it hide a field from one reader and show it to another, and a folded line does the
 * same with its value (5.1, 5.2).
 */
static enum http_read split_field(struct http_reader *r, char **value)
{
	char *name = (char *)r->line.data;
	char *colon = strchr(name, ':');

	if (!colon || colon == name)
		return refuse(r, 400, "a line of the fields is none");
	for (const char *c = name; c < colon; c++) {
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return refuse(r, 400, "a blank or a control character in a field's name");
	}
	*colon = '\0';
	*value = brski_trim_in_place(colon + 1);
	return HTTP_READ_MORE;
}

/* What the body is, RFC 9112 6.3; and what must be there, 3.2. */
static enum http_read end_fields(struct http_reader *r)
{
	if (r->hosts == 0 && !r->http_1_0)
		return refuse(r, 400, "there is no Host");
	if (r->codings > 0 && (r->lengths > 0 || r->http_1_0))
		return refuse(r, 400, "Transfer-Encoding with Content-Length, or in HTTP/1.0");
	r->request.body.limit = r->max_body;
	if (r->codings > 0)
		r->state = AT_CHUNK;
	else
		r->state = r->left > 0 ? AT_BODY : AT_END;
	r->expects = r->expects && r->state != AT_END;
	return HTTP_READ_MORE;
}

static enum http_read take_field(struct http_reader *r)
{
	const char *text = line_text(r);
	enum http_read got;
	char *value;

	if (!text)
		return refuse(r, 503, "out of memory");
	if (text[0] == '\0')
		return end_fields(r);
	got = split_field(r, &value);
	return got == HTTP_READ_MORE ? take_known(r, text, value) : got;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 9112 7.1. Extensions are passed over. */
static enum http_read take_chunk_size(struct http_reader *r)
{
	const char *text = line_text(r);
	size_t room_left = r->max_body - r->request.body.len;
	size_t size = 0;
	size_t i;

	if (!text)
		return refuse(r, 503, "out of memory");
	for (i = 0; hex_digit(text[i]) >= 0; i++) {
		size = size * 16 + (size_t)hex_digit(text[i]);
		if (size > room_left)
			return refuse(r, 413, "the body has more than %zu octets", r->max_body);
	}
	if (i == 0 || (text[i] != '\0' && text[i] != ';'))
		return refuse(r, 400, "a chunk's size is no number");
	r->left = size;
	r->state = size > 0 ? AT_CHUNK_DATA : AT_TRAILERS;
	r->head = 0;
	return HTTP_READ_MORE;
}

/* Trailers are passed over, as RFC 9110 6.5.1 has it. */
static enum http_read take_trailer(struct http_reader *r)
{
	char *value;

	if (!line_text(r))
		return refuse(r, 503, "out of memory");
	if (r->line.data[0] != '\0')
		return split_field(r, &value);
	r->state = AT_END;
	return HTTP_READ_MORE;
}

static enum http_read take_data(struct http_reader *r, struct brski_span *in)
{
	struct brski_span part;

	if (!brski_read_span(in, in->len < r->left ? in->len : (size_t)r->left, &part))
		return refuse(r, 500, "a span is shorter than it is");
	brski_put(&r->request.body, part);
	r->left -= part.len;
	if (r->request.body.failed)
		return refuse(r, 503, "out of memory");
	if (r->left == 0)
		r->state = r->state == AT_BODY ? AT_END : AT_CHUNK_END;
	return HTTP_READ_MORE;
}

static enum http_read take_chunk_end(struct http_reader *r)
{
	if (r->line.len > 0)
		return refuse(r, 400, "a chunk is longer than its size");
	r->state = AT_CHUNK;
	return HTTP_READ_MORE;
}

static enum http_read take_whole_line(struct http_reader *r)
{
	switch (r->state) {
	case AT_START:
		return take_request_line(r);
	case AT_FIELDS:
		return take_field(r);
	case AT_CHUNK:
		return take_chunk_size(r);
	case AT_CHUNK_END:
		return take_chunk_end(r);
	default:
		return take_trailer(r);
	}
}

static enum http_read take_some(struct http_reader *r, struct brski_span *in)
{
	enum http_read got;
	bool whole;

	if (r->state == AT_BODY || r->state == AT_CHUNK_DATA)
		return take_data(r, in);
	got = take_line(r, in, &whole);
	if (got != HTTP_READ_MORE || !whole)
		return got;
	got = take_whole_line(r);
	brski_buf_reset(&r->line);
	return got;
}

enum http_read http_reader_take(struct http_reader *r, struct brski_span *in)
{
	enum http_read got = HTTP_READ_MORE;

	while (got == HTTP_READ_MORE && r->state != AT_END && in->len > 0)
		got = take_some(r, in);
	if (got == HTTP_READ_REFUSED)
		return got;
	if (r->state == AT_END) {
		brski_buf_free(&r->line);
		return HTTP_READ_WHOLE;
	}
	if (r->state < AT_BODY || !r->expects)
		return HTTP_READ_MORE;
	r->expects = false;
	return r->request.body.len + r->line.len == 0 ? HTTP_READ_WAITED : HTTP_READ_MORE;
}
