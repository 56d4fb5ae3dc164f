/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "services/ca/ca_admin.h"
#include "services/ca/ca_options.h"

static void on_request(void *ctx, struct http_exchange *ex)
{
	const struct ca_setup *setup = ctx;
	struct brski_http response = {0};
	char what[CA_WHAT_MAX];

	ca_handle(&setup->ca, http_exchange_request(ex), &response, what);
	http_exchange_reply(ex, &response, what);
}

static enum brski_code serve(struct brski_error *err)
{
	struct ca_setup setup;
	struct http_server *server = NULL;
	struct event_base *base = event_base_new();
	enum brski_code code = ca_setup(&setup, err);

	brski_log(daemon_env(), BRSKI_LOG_WARN,
		"this is a demonstration CA: no revocation lists, keys in files");
	if (code == BRSKI_OK && !base)
		code = brski_fail(err, BRSKI_NO_MEMORY, "out of memory");
	if (code == BRSKI_OK)
		code = ca_listen(&setup, base, on_request, &setup, &server, err);
	if (code == BRSKI_OK)
		code = daemon_loop(base, err);
	http_server_free(server);
	if (base)
		event_base_free(base);
	ca_setup_free(&setup);
	return code;
}

static const struct daemon_program program = {
	.name = "brski-ca",
	.usage =
		"brski-ca: a demonstration CA that speaks CMP (RFC 9483) over HTTP\n"
		"It is for trying things out: no revocation lists, keys in files. A site's own CA takes its place.\n"
		"\n"
		"  brski-ca init DIR --subject NAME [--key-type TYPE] [--intermediate] [--cmp-signer]\n"
		"  brski-ca issue-registrar DIR --subject NAME --out PREFIX [--san NAMES] [--days N]\n"
		"  brski-ca issue-server DIR --subject NAME --out PREFIX [--san NAMES] [--days N]\n"
		"  brski-ca issue-masa DIR --subject NAME --out PREFIX [--days N]\n"
		"  brski-ca issue-idevid DIR --serial-number SERIAL --out PREFIX [--subject NAME] [--masa-url URL]\n"
		"  brski-ca [OPTIONS] serve [DIR]\n"
		"  brski-ca list DIR\n",
	.options = ca_options,
	.serve = serve,
	.serve_operand = &ca_settings.dir,
	.admin = ca_admin,
};

int main(int argc, char **argv)
{
	return daemon_main(&program, argc, argv);
}
