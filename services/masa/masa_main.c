/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "services/masa/masa_admin_internal.h"
#include "services/masa/masa_options_internal.h"

static void on_request(void *ctx, struct http_exchange *ex)
{
	const struct masa_setup *setup = ctx;
	const struct masa_peer peer = {http_exchange_peer(ex), http_exchange_client(ex)};
	struct brski_http response = {0};
	char what[MASA_WHAT_MAX];

	masa_handle(&setup->masa, http_exchange_request(ex), &peer, &response, what);
	http_exchange_reply(ex, &response, what);
}

static enum brski_code serve(const void *ctx, struct brski_error *err)
{
	const struct masa_settings *settings = ctx;
	struct masa_setup setup;
	enum brski_code code = masa_setup(settings, &setup, err);

	if (code == BRSKI_OK)
		code = http_daemon_serve(&settings->http, &setup.tls, on_request, &setup, err);
	masa_setup_free(&setup);
	return code;
}

int main(int argc, char **argv)
{
	struct masa_settings settings = {0};
	const struct daemon_program program = {
		.program = &masa_program,
		.settings = &settings,
		.daemon = &settings.http.daemon,
		.serve = serve,
		.admin = masa_admin,
	};

	return daemon_main(&program, argc, argv);
}
