/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/base/http_daemon.h"

/* two CMS objects of BRSKI_CMS_MAX, one inside the other in base64, do not get larger */
#define MAX_BODY 65536
#define MAX_HEADERS 8192
#define MAX_REQUESTS 10000 /* of one connection: a registrar's stays for as long as it has calls */

enum brski_code http_daemon_listen(const struct http_daemon_settings *settings,
	const struct brski_credential *tls, struct event_base *base, http_handler *handler, void *ctx,
	struct http_server **out, struct brski_error *err)
{
	const struct http_server_config config = {
		.listen = settings->listen,
		.tls = tls,
		.env = daemon_env(),
		.max_body = MAX_BODY,
		.max_headers = MAX_HEADERS,
		.timeout = (int)settings->timeout,
		.requests_max = MAX_REQUESTS,
		.max_connections = (unsigned)settings->max_connections,
		.share = (unsigned)settings->share,
		.proxies = &settings->proxies,
	};

	return http_server_new(base, &config, handler, ctx, out, err);
}

enum brski_code http_daemon_serve(const struct http_daemon_settings *settings,
	const struct brski_credential *tls, http_handler *handler, void *ctx, struct brski_error *err)
{
	struct http_server *server = NULL;
	struct event_base *base = event_base_new();
	enum brski_code code = base ? http_daemon_listen(settings, tls, base, handler, ctx, &server, err)
				    : brski_fail(err, BRSKI_NO_MEMORY, "out of memory");

	if (code == BRSKI_OK)
		code = daemon_loop(base, err);
	http_server_free(server);
	if (base)
		event_base_free(base);
	return code;
}
