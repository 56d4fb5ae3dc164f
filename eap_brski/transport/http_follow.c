/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/transport/http_follow.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

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

bool brski_http_follow(const struct brski_http *answer, const char *asked, char *out, size_t size)
{
	const char *to = brski_http_get(answer, "location");
	size_t len = brski_http_origin_len(asked);
	int n;

	out[0] = '\0';
	if (!to || len == 0)
		return false;
	if (strncasecmp(to, asked, len) == 0)
		to += len;
	if (!brski_http_is_path(brski_span_str(to)) || to[1] == '/')
		return false;
	n = snprintf(out, size, "%.*s%s", (int)len, asked, to);
	if (n > 0 && (size_t)n < size)
		return true;
	out[0] = '\0';
	return false;
}
