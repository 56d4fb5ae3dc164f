/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "services/masa_admin.h"
#include "services/masa_options.h"

static const struct daemon_program program = {
	.name = "brski-masa",
	.usage = "brski-masa: the manufacturer's voucher service of BRSKI (RFC 8995)\n"
		 "\n"
		 "  brski-masa [OPTIONS] serve\n"
		 "  brski-masa [OPTIONS] device add SERIAL [--owner NAME] [--idevid CERTIFICATE]\n"
		 "  brski-masa [OPTIONS] device list | remove SERIAL | block SERIAL | unblock SERIAL\n"
		 "  brski-masa [OPTIONS] owner add NAME --cert DOMAIN-CERTIFICATE\n"
		 "  brski-masa [OPTIONS] owner list | remove NAME\n"
		 "  brski-masa [OPTIONS] log [--serial SERIAL] [--most N]\n",
	.options = masa_options,
};

static void on_request(void *ctx, struct http_exchange *ex)
{
	const struct masa_setup *setup = ctx;
	const struct masa_peer peer = {http_exchange_peer(ex), http_exchange_client(ex)};
	struct brski_http response = {0};
	char what[MASA_WHAT_MAX];

	masa_handle(&setup->masa, http_exchange_request(ex), &peer, &response, what);
	http_exchange_reply(ex, &response, what);
}

static enum brski_code serve(struct brski_error *err)
{
	struct masa_setup setup;
	struct http_server *server = NULL;
	struct event_base *base = event_base_new();
	enum brski_code code = masa_setup(&setup, err);

	if (code == BRSKI_OK && !base)
		code = brski_fail(err, BRSKI_NO_MEMORY, "out of memory");
	if (code == BRSKI_OK)
		code = masa_listen(&setup, base, on_request, &setup, &server, err);
	if (code == BRSKI_OK)
		code = daemon_loop(base, err);
	http_server_free(server);
	if (base)
		event_base_free(base);
	masa_setup_free(&setup);
	return code;
}

static enum brski_code run(
	const struct daemon_settings *settings, int n_words, char *const *words, struct brski_error *err)
{
	enum brski_code code;

	if (n_words == 0)
		return brski_fail(err, BRSKI_MALFORMED, "what shall it do? see brski-masa --help");
	if (strcmp(words[0], "serve") != 0)
		return masa_admin(n_words, words, err);
	if (n_words > 1)
		return brski_fail(err, BRSKI_MALFORMED, "serve takes nothing more");
	code = daemon_begin(&program, settings, err);
	if (code == BRSKI_OK)
		code = serve(err);
	if (code != BRSKI_OK)
		brski_log(daemon_env(), BRSKI_LOG_ERROR, "%s", err->why);
	return code;
}

int main(int argc, char **argv)
{
	struct daemon_settings settings;
	struct brski_error err = {0};
	int operands = 0;
	enum brski_code code = daemon_options(&program, argc, argv, &settings, &operands, &err);

	if (code == BRSKI_OK && operands > 0)
		code = run(&settings, argc - operands, argv + operands, &err);
	if (code != BRSKI_OK)
		fprintf(stderr, "brski-masa: %s\n", err.why);
	daemon_end();
	return code == BRSKI_OK ? 0 : 1;
}
