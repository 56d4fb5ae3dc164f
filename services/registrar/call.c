/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/call.h"

#include <string.h>

#include "eap_brski/artifacts/paths.h"

/* RFC 8995 5.8: of all that is called, an audit log alone is JSON. 0: it is none. */
static size_t audit_log_max(const struct brski_http *request)
{
	const char *accept = brski_http_get(request, "accept");

	return accept && strcmp(accept, BRSKI_MEDIA_JSON) == 0 ? BRSKI_AUDIT_LOG_MAX : 0;
}

enum brski_code brski_call_start(struct http_client *client, const struct brski_call *call,
	http_client_done *done, void *ctx, struct brski_error *err)
{
	struct http_client_call http = {
		.url = call->url,
		.request = call->request,
		.anchors = call->tls_anchors,
		.client = call->client,
		.https_only = call->https_only,
		.response_max = audit_log_max(call->request),
	};
	enum brski_code code = http_client_call(client, &http, done, ctx, err);

	if (code == BRSKI_UNSUPPORTED)
		return brski_fail(
			err, code, "a %s is called by https only, not %s", call->back_end, call->url);
	return code;
}
