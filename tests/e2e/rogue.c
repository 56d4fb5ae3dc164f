/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/e2e/rogue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "services/base/options.h"

#define OPTIONS_MAX 64

void rogue_need(bool ok, const char *what, const struct brski_error *err)
{
	if (ok)
		return;
	fprintf(stderr, "rogue: %s: %s\n", what, err ? err->why : "");
	abort();
}

static void set_fault(struct rogue *rogue, const char *const *faults)
{
	char *end = NULL;

	rogue_need(rogue->asked != NULL, "--fault is missing", NULL);
	rogue->fault = rogue->asked;
	if (strncmp(rogue->asked, "delay=", 6) == 0) {
		rogue->fault = "delay";
		rogue->seconds = strtol(rogue->asked + 6, &end, 10);
		rogue_need(end && *end == '\0' && rogue->seconds > 0, "delay=SECONDS", NULL);
		return;
	}
	for (; *faults; faults++) {
		if (strcmp(*faults, rogue->asked) == 0)
			return;
	}
	fprintf(stderr, "rogue: no such fault: %s\n", rogue->asked);
	exit(1);
}

static const char *usage_text(const char *name, const char *const *faults)
{
	static char text[1024];
	int n = snprintf(text, sizeof(text),
		"%s: a service that misbehaves, for tests only\n\nFaults: delay=SECONDS", name);

	for (; *faults && n > 0 && (size_t)n < sizeof(text); faults++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, ", %s", *faults);
	return strcat(text, "\n");
}

void rogue_begin(struct rogue *rogue, const struct rogue_program *program,
	const struct daemon_settings *daemon, int argc, char **argv)
{
	struct setting all[OPTIONS_MAX] = {0};
	static const struct command commands[] = {
		{"serve", DAEMON_SERVE, "", NULL, NULL, NULL, "Misbehaves.\n"}, {0}};
	const struct program options = {.name = program->name,
		.about = usage_text(program->name, program->faults),
		.commands = commands,
		.settings = all};
	struct command_line line;
	struct brski_error err = {0};
	size_t n = 0;

	for (; n < OPTIONS_MAX - 2 && program->table[n].name; n++)
		all[n] = program->table[n];
	all[n] = (struct setting){.name = "fault",
		.kind = SETTING_TEXT,
		.offset = program->asked,
		.value = "NAME",
		.help = "what goes wrong"};
	rogue_need(
		options_read(&options, argc, argv, program->self, &line, &err) == BRSKI_OK, "options", &err);
	if (!line.command)
		exit(0);
	set_fault(rogue, program->faults);
	rogue_need(daemon_begin(program->name, daemon, &err) == BRSKI_OK, "start", &err);
	rogue->base = event_base_new();
	rogue_need(rogue->base != NULL, "event base", NULL);
	brski_log(daemon_env(), BRSKI_LOG_WARN, "a service for tests, with the fault %s", rogue->asked);
}

bool rogue_is(const struct rogue *rogue, const char *fault)
{
	return strcmp(rogue->fault, fault) == 0;
}

struct later {
	struct http_exchange *ex;
	struct brski_http response;
	char note[640];
};

static void reply_now(evutil_socket_t fd, short what, void *arg)
{
	struct later *later = arg;

	(void)fd;
	(void)what;
	http_exchange_reply(later->ex, &later->response, later->note);
	free(later);
}

void rogue_reply(
	const struct rogue *rogue, struct http_exchange *ex, struct brski_http *response, const char *note)
{
	struct timeval delay = {.tv_sec = rogue->seconds};
	struct later *later;

	if (rogue->seconds == 0) {
		http_exchange_reply(ex, response, note);
		return;
	}
	later = calloc(1, sizeof(*later));
	rogue_need(later != NULL, "memory", NULL);
	later->ex = ex;
	brski_http_move(&later->response, response);
	snprintf(later->note, sizeof(later->note), "%s", note);
	rogue_need(
		event_base_once(rogue->base, -1, EV_TIMEOUT, reply_now, later, &delay) == 0, "timer", NULL);
}

struct brski_credential rogue_stranger(const X509_NAME *subject)
{
	struct brski_credential made = {.cert = X509_new(), .chain = sk_X509_new_null()};
	X509 *cert = made.cert;
	X509V3_CTX ctx;
	const int nids[] = {NID_basic_constraints, NID_key_usage, NID_subject_key_identifier};
	const char *const values[] = {"critical,CA:TRUE", "critical,keyCertSign,digitalSignature", "hash"};

	made.key = EVP_EC_gen("P-256");
	rogue_need(made.key && cert && made.chain && X509_set_version(cert, 2) == 1, "stranger", NULL);
	rogue_need(ASN1_INTEGER_set(X509_get_serialNumber(cert), 4711) == 1 &&
			   X509_gmtime_adj(X509_getm_notBefore(cert), -300) &&
			   X509_gmtime_adj(X509_getm_notAfter(cert), 864000) &&
			   X509_set_subject_name(cert, subject) == 1 &&
			   X509_set_issuer_name(cert, subject) == 1 && X509_set_pubkey(cert, made.key) == 1,
		"stranger", NULL);
	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	for (size_t i = 0; i < 3; i++) {
		X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nids[i], values[i]);

		rogue_need(extension && X509_add_ext(cert, extension, -1) == 1, values[i], NULL);
		X509_EXTENSION_free(extension);
	}
	rogue_need(X509_sign(cert, made.key, EVP_sha256()) > 0, "stranger", NULL);
	return made;
}
