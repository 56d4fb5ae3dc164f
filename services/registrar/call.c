/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/call.h"

enum brski_code brski_call_start(struct http_client *client, const struct brski_call *call,
	http_client_done *done, void *ctx, struct brski_error *err)
{
	struct http_client_call http = {
		.url = call->url,
		.request = call->request,
		.anchors = call->tls_anchors,
		.client = call->client,
		.https_only = call->https_only,
	};
	enum brski_code code = http_client_call(client, &http, done, ctx, err);

	if (code == BRSKI_UNSUPPORTED)
		return brski_fail(
			err, code, "a %s is called by https only, not %s", call->back_end, call->url);
	return code;
}
