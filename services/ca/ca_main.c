/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "services/ca/ca_admin_internal.h"
#include "services/ca/ca_options_internal.h"

static void on_request(void *ctx, struct http_exchange *ex)
{
	const struct ca_setup *setup = ctx;
	struct brski_http response = {0};
	char what[CA_WHAT_MAX];

	ca_handle(&setup->ca, http_exchange_request(ex), &response, what);
	http_exchange_reply(ex, &response, what);
}

static enum brski_code serve(const void *ctx, struct brski_error *err)
{
	const struct ca_settings *settings = ctx;
	struct ca_setup setup;
	enum brski_code code = ca_setup(settings, &setup, err);

	brski_log(daemon_env(), BRSKI_LOG_WARN,
		"this is a demonstration CA: no revocation lists, keys in files");
	if (code == BRSKI_OK)
		code = http_daemon_serve(&settings->http, ca_setup_tls(&setup), on_request, &setup, err);
	ca_setup_free(&setup);
	return code;
}

int main(int argc, char **argv)
{
	struct ca_settings settings = {0};
	const struct daemon_program program = {
		.program = &ca_program,
		.settings = &settings,
		.daemon = &settings.http.daemon,
		.operand = "dir",
		.serve = serve,
		.admin = ca_admin,
	};

	return daemon_main(&program, argc, argv);
}
