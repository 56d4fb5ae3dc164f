/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/transport/http_accept.h"

#include <string.h>
#include <strings.h>

#include "eap_brski/ground/text.h"

/* What stands before the separator; *rest is what stands behind it. */
static struct brski_span split(struct brski_span *rest, char separator)
{
	const uint8_t *at = rest->len ? memchr(rest->data, separator, rest->len) : NULL;
	struct brski_span head = brski_span(rest->data, at ? (size_t)(at - rest->data) : rest->len);

	if (at)
		*rest = brski_span(at + 1, rest->len - head.len - 1);
	else
		rest->len = 0;
	return brski_trim(head);
}

static bool text_is(struct brski_span text, const char *what)
{
	return text.len == strlen(what) && strncasecmp((const char *)text.data, what, text.len) == 0;
}

static bool range_covers(struct brski_span range, const char *media)
{
	const char *slash = strchr(media, '/');
	size_t major = (size_t)(slash - media) + 1;

	if (text_is(range, "*/*") || text_is(range, media))
		return true;
	return range.len == major + 1 && strncasecmp((const char *)range.data, media, major) == 0 &&
	       range.data[major] == '*';
}

/* RFC 9110 12.5.1: an element with weight 0 is not acceptable */
static bool has_weight(struct brski_span parameters)
{
	while (parameters.len) {
		struct brski_span p = split(&parameters, ';');

		if (p.len >= 3 && strncasecmp((const char *)p.data, "q=0", 3) == 0) {
			for (size_t i = 3; i < p.len; i++) {
				if (p.data[i] >= '1' && p.data[i] <= '9')
					return true;
			}
			return false;
		}
	}
	return true;
}

bool brski_http_accepts(const struct brski_http *request, const char *media)
{
	const char *accept = brski_http_get(request, "accept");
	struct brski_span rest;

	if (!accept || !media)
		return true;
	rest = brski_span_str(accept);
	while (rest.len) {
		struct brski_span parameters = split(&rest, ',');
		struct brski_span range = split(&parameters, ';');

		if (range_covers(range, media) && has_weight(parameters))
			return true;
	}
	return false;
}
