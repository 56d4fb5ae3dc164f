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

static const char usage[] =
	"brski-ca: a demonstration CA that speaks CMP (RFC 9483) over HTTP\n"
	"It is for trying things out: no revocation lists, keys in files. A site's own CA takes its place.\n"
	"\n"
	"  brski-ca init DIR --subject NAME [--key-type TYPE] [--intermediate] [--cmp-signer]\n"
	"  brski-ca issue-registrar DIR --subject NAME --out PREFIX [--san NAMES] [--days N]\n"
	"  brski-ca issue-server DIR --subject NAME --out PREFIX [--san NAMES] [--days N]\n"
	"  brski-ca issue-masa DIR --subject NAME --out PREFIX [--days N]\n"
	"  brski-ca issue-idevid DIR --serial-number SERIAL --out PREFIX [--subject NAME] [--masa-url URL]\n"
	"  brski-ca [OPTIONS] serve [DIR]\n"
	"  brski-ca list DIR\n";

int main(int argc, char **argv)
{
	struct ca_settings settings = {0};
	const struct daemon_program program = {
		.name = "brski-ca",
		.usage = usage,
		.table = ca_table,
		.settings = &settings,
		.daemon = &settings.http.daemon,
		.serve_operand = "dir",
		.serve = serve,
		.admin = ca_admin,
	};

	return daemon_main(&program, argc, argv);
}
