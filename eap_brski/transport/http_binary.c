/* SPDX-License-Identifier: BSD-3-Clause */
/* RFC 9292, known-length form only, each message after a four-octet length of our own. */
#include "eap_brski/transport/http_binary.h"

#include <stdlib.h>
#include <string.h>

enum {
	KNOWN_LENGTH_REQUEST = 0,
	KNOWN_LENGTH_RESPONSE = 1,
	INDETERMINATE_REQUEST = 2,
	INDETERMINATE_RESPONSE = 3
};

static void put_prefixed(struct brski_buf *out, struct brski_span bytes)
{
	brski_put_varint(out, bytes.len);
	brski_put(out, bytes);
}

static void put_text(struct brski_buf *out, const char *text)
{
	put_prefixed(out, brski_span_str(text));
}

static void put_control_data(struct brski_buf *out, const struct brski_http *msg)
{
	if (msg->status > 0) {
		brski_put_varint(out, KNOWN_LENGTH_RESPONSE);
		brski_put_varint(out, msg->status);
		return;
	}
	brski_put_varint(out, KNOWN_LENGTH_REQUEST);
	put_text(out, msg->method);
	put_text(out, msg->scheme);
	put_text(out, msg->authority);
	put_text(out, msg->path);
}

static void put_fields(struct brski_buf *out, const struct brski_http *msg)
{
	struct brski_buf section = {0};

	for (size_t i = 0; i < msg->n_fields; i++) {
		put_text(&section, msg->fields[i].name);
		put_text(&section, msg->fields[i].value);
	}
	put_prefixed(out, brski_buf_span(&section));
	if (section.failed)
		out->failed = true;
	brski_buf_free(&section);
}

enum brski_code brski_http_encode(
	const struct brski_http *msg, struct brski_buf *out, struct brski_error *err)
{
	struct brski_buf binary = {0};
	enum brski_code code;

	if (msg->status == 0 && !(msg->method && msg->path))
		return brski_fail(err, BRSKI_INTERNAL, "an empty HTTP message is to be sent");
	put_control_data(&binary, msg);
	put_fields(&binary, msg);
	/* 3.8: an empty trailer section is left out, and empty content before it too */
	if (msg->body.len > 0)
		put_prefixed(&binary, brski_buf_span(&msg->body));
	code = brski_buf_status(&binary, err);
	if (code == BRSKI_OK && binary.len > UINT32_MAX)
		code = brski_fail(err, BRSKI_TOO_LARGE, "HTTP message of %zu octets", binary.len);
	if (code == BRSKI_OK) {
		brski_put_u32(out, (uint32_t)binary.len);
		brski_put(out, brski_buf_span(&binary));
		code = brski_buf_status(out, err);
	}
	brski_buf_free(&binary);
	return code;
}

static enum brski_code malformed(struct brski_error *err, const char *what)
{
	return brski_fail(err, BRSKI_MALFORMED, "binary HTTP message: %s", what);
}

static bool read_prefixed(struct brski_span *in, struct brski_span *out)
{
	uint64_t len;

	return brski_read_varint(in, &len) && len <= in->len && brski_read_span(in, (size_t)len, out);
}

static enum brski_code read_text(struct brski_span *in, bool (*is_valid)(struct brski_span), const char *what,
	char **out, struct brski_error *err)
{
	struct brski_span text;

	if (!read_prefixed(in, &text))
		return malformed(err, "it ends too early");
	if (text.len > BRSKI_HTTP_TEXT_MAX)
		return brski_fail(
			err, BRSKI_TOO_LARGE, "binary HTTP message: the %s has %zu octets", what, text.len);
	if (!is_valid(text))
		return brski_fail(err, BRSKI_MALFORMED, "binary HTTP message: the %s is not valid", what);
	*out = text.len > 0 ? strndup((const char *)text.data, text.len) : strdup("");
	return *out ? BRSKI_OK : brski_fail(err, BRSKI_NO_MEMORY, "no memory for a binary HTTP message");
}

/* RFC 3986 3.1 */
static bool is_scheme(struct brski_span text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789+-.";

	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == 0 || !strchr(allowed, text.data[i]))
			return false;
	}
	return text.len > 0 && text.data[0] >= 'a';
}

/* RFC 9113 8.3.1: the authority of a URI, without userinfo; it may be empty. */
static bool is_authority(struct brski_span text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] <= 0x20 || text.data[i] >= 0x7f || strchr("@/?#\\\"<>", text.data[i]))
			return false;
	}
	return true;
}

static enum brski_code read_request(struct brski_span *in, struct brski_http *out, struct brski_error *err)
{
	enum brski_code code = read_text(in, brski_http_is_token, "method", &out->method, err);

	if (code == BRSKI_OK)
		code = read_text(in, is_scheme, "scheme", &out->scheme, err);
	if (code == BRSKI_OK)
		code = read_text(in, is_authority, "authority", &out->authority, err);
	if (code == BRSKI_OK)
		code = read_text(in, brski_http_is_path, "path", &out->path, err);
	return code;
}

static enum brski_code read_response(struct brski_span *in, struct brski_http *out, struct brski_error *err)
{
	uint64_t status;

	if (!brski_read_varint(in, &status))
		return malformed(err, "it ends too early");
	if (status >= 100 && status <= 199)
		return brski_fail(err, BRSKI_UNSUPPORTED, "binary HTTP message: informational response");
	if (status < 200 || status > 599)
		return malformed(err, "the status is not valid");
	out->status = (unsigned)status;
	return BRSKI_OK;
}

static enum brski_code read_control_data(
	struct brski_span *in, struct brski_http *out, struct brski_error *err)
{
	uint64_t framing;

	if (!brski_read_varint(in, &framing))
		return malformed(err, "it is empty");
	switch (framing) {
	case KNOWN_LENGTH_REQUEST:
		return read_request(in, out, err);
	case KNOWN_LENGTH_RESPONSE:
		return read_response(in, out, err);
	case INDETERMINATE_REQUEST:
	case INDETERMINATE_RESPONSE:
		return brski_fail(err, BRSKI_UNSUPPORTED, "binary HTTP message: indeterminate length");
	default:
		return malformed(err, "the framing indicator is not known");
	}
}

static enum brski_code read_field(struct brski_span *in, struct brski_http *out, struct brski_error *err)
{
	char *name = NULL;
	char *value = NULL;
	enum brski_code code = read_text(in, brski_http_is_token, "field name", &name, err);

	if (code == BRSKI_OK)
		code = read_text(in, brski_http_is_value, "field value", &value, err);
	if (code == BRSKI_OK)
		code = brski_http_add(out, name, value, err);
	free(name);
	free(value);
	return code;
}

static enum brski_code read_header(struct brski_span *in, struct brski_http *out, struct brski_error *err)
{
	struct brski_span section;
	enum brski_code code = BRSKI_OK;

	if (!read_prefixed(in, &section))
		return malformed(err, "the header section is cut");
	/* each line costs its sender few octets and us a search: count lines, not names */
	for (size_t lines = 0; code == BRSKI_OK && section.len > 0; lines++) {
		if (lines == BRSKI_HTTP_FIELDS_MAX)
			return brski_fail(
				err, BRSKI_TOO_LARGE, "more than %d HTTP fields", BRSKI_HTTP_FIELDS_MAX);
		code = read_field(&section, out, err);
	}
	return code;
}

/* Content, trailer section and padding; from the first that is missing on, none is there (RFC 9292 3.8). */
static enum brski_code read_rest(struct brski_span in, struct brski_http *out, struct brski_error *err)
{
	struct brski_span content = {0};
	struct brski_span trailer = {0};
	enum brski_code code;

	if (in.len > 0 && !read_prefixed(&in, &content))
		return malformed(err, "the content is cut");
	if (in.len > 0 && !read_prefixed(&in, &trailer))
		return malformed(err, "the trailer section is cut");
	if (trailer.len > 0)
		return brski_fail(err, BRSKI_UNSUPPORTED, "binary HTTP message: trailer section");
	for (size_t i = 0; i < in.len; i++) {
		if (in.data[i] != 0)
			return malformed(err, "padding is not zero");
	}
	code = brski_buf_set(&out->body, content);
	return code == BRSKI_OK
		       ? code
		       : brski_fail(err, code, "binary HTTP message: content of %zu octets", content.len);
}

enum brski_code brski_http_decode(
	struct brski_span *in, size_t limit, struct brski_http *out, bool *complete, struct brski_error *err)
{
	struct brski_span rest = *in;
	struct brski_span binary;
	enum brski_code code;
	uint32_t len;

	brski_http_free(out);
	*complete = false;
	if (limit == 0)
		limit = BRSKI_HTTP_MESSAGE_MAX;
	if (!brski_read_u32(&rest, &len))
		return BRSKI_OK;
	if (len > limit)
		return brski_fail(
			err, BRSKI_TOO_LARGE, "HTTP message of %u octets, %zu are allowed", len, limit);
	if (!brski_read_span(&rest, len, &binary))
		return BRSKI_OK;
	code = read_control_data(&binary, out, err);
	if (code == BRSKI_OK)
		code = read_header(&binary, out, err);
	if (code == BRSKI_OK)
		code = read_rest(binary, out, err);
	if (code != BRSKI_OK) {
		brski_http_free(out);
		return code;
	}
	*in = rest;
	*complete = true;
	return BRSKI_OK;
}
