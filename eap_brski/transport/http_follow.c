/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/transport/http_follow.h"

#include <string.h>

#include "eap_brski/ground/url.h"

size_t brski_http_origin_len(const char *url)
{
	const char *authority = strstr(url, "://");

	if (!authority)
		return 0;
	authority += strlen("://");
	return (size_t)(authority - url) + strcspn(authority, "/?#");
}

const char *brski_http_target(const char *url)
{
	const char *target = url + brski_http_origin_len(url);

	return target[0] == '/' && target != url ? target : "/";
}

/* The scheme and authority that were asked, before the target that is there. */
static enum brski_code stay(const char *asked, char *out, size_t size, struct brski_error *err)
{
	size_t from = brski_http_origin_len(out), to = brski_http_origin_len(asked);
	size_t len = strlen(out + from);

	if (to + len >= size)
		return brski_fail(err, BRSKI_TOO_LARGE, "it has more than %zu characters", size - 1);
	memmove(out + to, out + from, len + 1);
	memcpy(out, asked, to);
	return BRSKI_OK;
}

static enum brski_code follow(const char *location, const char *asked, const struct brski_http_hosts *others,
	char *out, size_t size, struct brski_error *err)
{
	enum brski_code code = brski_url_resolve(asked, brski_span_str(location), out, size, err);

	if (code != BRSKI_OK)
		return code;
	if (brski_url_same_origin(asked, out))
		return stay(asked, out, size, err);
	if (strcspn(asked, ":") != strcspn(out, ":"))
		return brski_fail(err, BRSKI_REFUSED, "it leads from https to http, or the other way");
	if (!brski_url_is_at(out, others->names))
		return brski_fail(err, BRSKI_REFUSED, "it is at another host, which %s does not name",
			others->named_by);
	return BRSKI_OK;
}

enum brski_code brski_http_follow(const struct brski_http *answer, const char *asked,
	const struct brski_http_hosts *others, char *out, size_t size, struct brski_error *err)
{
	const char *location = brski_http_get(answer, "location");
	enum brski_code code;

	out[0] = '\0';
	if (!location || location[0] == '\0' || location[0] == '#')
		return brski_fail(err, BRSKI_NOT_FOUND, "it has no Location");
	code = follow(location, asked, others, out, size, err);
	if (code == BRSKI_OK)
		return code;
	out[0] = '\0';
	return brski_fail_context(err, code, "its Location \"%.120s\"", location);
}
