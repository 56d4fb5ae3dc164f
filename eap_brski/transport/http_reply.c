/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/transport/http_reply.h"

#include <stdio.h>

#include "eap_brski/ground/text.h"

enum brski_code brski_http_reply_text(
	struct brski_http *response, unsigned status, const char *text, struct brski_error *err)
{
	return brski_http_response(response, status, BRSKI_MEDIA_TEXT, brski_span_str(text), err);
}

enum brski_code brski_http_reply_later(
	struct brski_http *response, unsigned status, long seconds, const char *text, struct brski_error *err)
{
	enum brski_code code = brski_http_reply_text(response, status, text, err);
	char value[24];

	snprintf(value, sizeof(value), "%ld", seconds);
	return code == BRSKI_OK ? brski_http_set(response, "retry-after", value, err) : code;
}

void brski_http_reply_words(const struct brski_http *response, char *out, size_t size)
{
	struct brski_span body = brski_buf_span(&response->body);

	if (!brski_http_is_type(response, "text/plain"))
		body.len = 0;
	while (body.len > 0 && (body.data[body.len - 1] == '\n' || body.data[body.len - 1] == '\r'))
		body.len--;
	brski_printable(body, out, size);
}
