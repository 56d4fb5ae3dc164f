/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/base/http_post.h"

#include <string.h>

#include "eap_brski/transport/http_reply.h"

unsigned http_post_check(const struct brski_http *request, const char *media, struct brski_error *err)
{
	if (strcmp(request->method, "POST") != 0) {
		brski_fail(err, BRSKI_UNSUPPORTED, "only POST is understood here");
		return 405;
	}
	if (brski_http_is_coded(request)) {
		brski_fail(err, BRSKI_UNSUPPORTED, "no content coding is undone here");
		return 415;
	}
	if (!brski_http_is_type(request, media)) {
		brski_fail(err, BRSKI_UNSUPPORTED, "a request has the type %s", media);
		return 415;
	}
	return 0;
}

enum brski_code http_post_refuse(
	struct brski_http *response, unsigned status, const char *words, struct brski_error *err)
{
	enum brski_code code = brski_http_reply_text(response, status, words, err);

	if (code == BRSKI_OK && status == 405)
		code = brski_http_set(response, "allow", "POST", err);
	if (code == BRSKI_OK && status == 415)
		code = brski_http_set(response, "accept-encoding", "identity", err);
	return code;
}
