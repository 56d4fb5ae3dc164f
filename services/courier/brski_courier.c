/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/courier/courier_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eap_brski/cmp/cmp_operation.h"
#include "eap_brski/ground/text.h"
#include "eap_brski/ground/url.h"
#include "eap_brski/pki/cms.h"
#include "eap_brski/transport/http_follow.h"
#include "services/base/file.h"
#include "services/registrar/bundle_run.h"

/* brski-courier(1): takes a registrar's requests to MASA and PKI, and brings their answers. */

/* In base64, and with all else that a file of answers has, these fit into one (BRSKI_CMS_DATA_MAX). */
#define ANSWERS_MAX (BRSKI_CMS_DATA_MAX / 2)

struct courier {
	const char *certificate, *private_key, *registrar, *cmp_url, *masa_hosts, *proxy;
	char pki[BRSKI_URL_MAX]; /* cmp_url, as it is called */
	long timeout_ms;
	struct brski_credential credential;
	unsigned answered, open;
};

static int fail(const struct brski_error *err)
{
	fprintf(stderr, "brski-courier: %s\n", err->why);
	return 1;
}

static int usage(const char *words)
{
	return command_usage(&courier_program, NULL, "%s", words);
}

/* ---- The requests ---- */

/* ctx: the courier. Before the requests are read. */
static enum brski_code check_signer(void *ctx, const STACK_OF(X509) *certs, struct brski_error *err)
{
	const struct courier *c = ctx;
	STACK_OF(X509) *anchors = NULL;
	enum brski_code code;

	if (!c->registrar)
		return BRSKI_OK;
	code = brski_certs_load(c->registrar, &anchors, err);
	if (code != BRSKI_OK)
		return brski_fail_context(err, code, "--registrar");
	code = brski_chain_verify(certs, anchors, NULL, BRSKI_USE_REGISTRAR, brski_now(NULL), err);
	sk_X509_pop_free(anchors, X509_free);
	return code == BRSKI_OK ? code : brski_fail_context(err, code, "the requests' signer");
}

/*
 * The name in the file is its signer's, so that nobody can pass on requests of another registrar as
 * his own.
 */
static enum brski_code check_name(
	const struct brski_bundle *requests, const STACK_OF(X509) *certs, struct brski_error *err)
{
	char fingerprint[BRSKI_FINGERPRINT_MAX];

	brski_cert_fingerprint(sk_X509_value(certs, 0), fingerprint);
	if (strcmp(fingerprint, requests->registrar) == 0)
		return BRSKI_OK;
	return brski_fail(err, BRSKI_MISMATCH, "the requests are not their signer's own");
}

static enum brski_code read_requests(
	struct courier *c, const char *path, struct brski_bundle *out, struct brski_error *err)
{
	struct brski_buf file = {0};
	STACK_OF(X509) *certs = NULL;
	char subject[200];
	enum brski_code code = brski_file_read(path, BRSKI_CMS_DATA_MAX, &file, err);

	if (code == BRSKI_OK) {
		code = brski_bundle_open(brski_buf_span(&file), false, check_signer, c, out, &certs, err);
		if (code != BRSKI_OK)
			brski_fail_context(err, code, "%s", path);
	}
	brski_buf_free(&file);
	if (code == BRSKI_OK)
		code = check_name(out, certs, err);
	if (code == BRSKI_OK) {
		brski_name_text(X509_get_subject_name(sk_X509_value(certs, 0)), subject, sizeof(subject));
		printf("%zu requests of %s\n", out->n_items, subject);
	} else {
		brski_bundle_free(out);
	}
	sk_X509_pop_free(certs, X509_free);
	return code;
}

/* ---- The way ---- */

/* The registrar knows the operation, and has put its label into the URL (RFC 9483 6.1). */
static enum brski_code set_cmp_url(
	const struct courier *c, struct brski_bundle_item *item, struct brski_error *err)
{
	size_t size = sizeof(item->calls[0].url);
	enum brski_code code = BRSKI_OK;
	const char *label;

	if (!c->cmp_url || item->kind != BRSKI_BUNDLE_CERTIFICATE)
		return BRSKI_OK;
	for (size_t i = 0; code == BRSKI_OK && i < item->n_calls; i++) {
		(void)brski_cmp_path(brski_http_target(item->calls[i].url), &label);
		code = brski_cmp_url(c->pki, label, item->calls[i].url, size, err);
	}
	return code;
}

static void report(struct courier *c, const struct brski_bundle_item *answer)
{
	const struct brski_http *last = answer->n_answers ? &answer->answers[answer->n_answers - 1] : NULL;

	printf("%s of %s: %s: ", answer->serial_number, answer->manufacturer,
		brski_bundle_kind_name(answer->kind));
	if (answer->trouble[0])
		printf("no answer: %s\n", answer->trouble);
	else
		printf("answered, HTTP status %u\n", last ? last->status : 0);
	if (answer->trouble[0])
		c->open++;
	else
		c->answered++;
}

static enum brski_code run_one(struct courier *c, struct brski_bundle_runner *runner,
	struct brski_bundle_item *request, struct brski_bundle *answers, struct brski_error *err)
{
	struct brski_bundle_item *out = brski_bundle_add(answers);
	enum brski_code code;

	if (!out)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for answers");
	code = set_cmp_url(c, request, err);
	if (code == BRSKI_OK)
		code = brski_bundle_run(runner, request, out, err);
	if (code == BRSKI_OK)
		report(c, out);
	return code;
}

static enum brski_code run_all(struct courier *c, struct brski_bundle *requests, struct brski_bundle *answers,
	struct brski_error *err)
{
	const struct brski_bundle_runner_config config = {.masa_hosts = c->masa_hosts,
		.hosts_named_by = "--masa-hosts",
		.request_timeout_ms = c->timeout_ms,
		.proxy = c->proxy,
		.answers_max = ANSWERS_MAX};
	struct brski_bundle_runner *runner = NULL;
	enum brski_code code = brski_bundle_runner_new(&config, &runner, err);

	for (size_t i = 0; code == BRSKI_OK && i < requests->n_items; i++)
		code = run_one(c, runner, &requests->items[i], answers, err);
	brski_bundle_runner_free(runner);
	return code;
}

static enum brski_code write_answers(const struct courier *c, const struct brski_bundle *answers,
	const char *path, struct brski_error *err)
{
	struct brski_buf file = {0};
	enum brski_code code = brski_bundle_seal(answers, &c->credential, &file, err);

	if (code == BRSKI_OK)
		code = brski_file_write(path, brski_buf_span(&file), err);
	brski_buf_free(&file);
	return code;
}

static int carry(struct courier *c, const char *from, const char *to)
{
	struct brski_bundle requests = {0}, answers = {.answers = true, .created_on = brski_now(NULL)};
	static const struct brski_credential_names names = {"--private-key", "--certificate"};
	struct brski_error err = {0};
	enum brski_code code =
		brski_credential_load_as(&names, c->private_key, NULL, c->certificate, &c->credential, &err);

	if (code == BRSKI_OK)
		code = read_requests(c, from, &requests, &err);
	memcpy(answers.registrar, requests.registrar, sizeof(answers.registrar));
	if (code == BRSKI_OK)
		code = run_all(c, &requests, &answers, &err);
	if (code == BRSKI_OK)
		code = write_answers(c, &answers, to, &err);
	brski_bundle_free(&requests);
	brski_bundle_free(&answers);
	brski_credential_free(&c->credential);
	if (code != BRSKI_OK)
		return fail(&err);
	printf("%s: %u answered, %u without an answer\n", to, c->answered, c->open);
	return c->open ? 3 : 0;
}

/* ---- Options ---- */

static const char **text_option(struct courier *c, int letter)
{
	switch (letter) {
	case 'c':
		return &c->certificate;
	case 'k':
		return &c->private_key;
	case 'r':
		return &c->registrar;
	case 'u':
		return &c->cmp_url;
	case 'm':
		return &c->masa_hosts;
	case 'p':
		return &c->proxy;
	default:
		return NULL;
	}
}

static bool set_timeout(struct courier *c, const char *text)
{
	long seconds = 0;
	bool ok = brski_number_read(text, 1, 3600, &seconds);

	c->timeout_ms = seconds * 1000;
	return ok;
}

/* The PKI's address is wrong now, and not only for every request. */
static enum brski_code check_cmp_url(struct courier *c, struct brski_error *err)
{
	enum brski_code code;

	if (!c->cmp_url)
		return BRSKI_OK;
	code = brski_url_read(brski_span_str(c->cmp_url), BRSKI_URL_HTTP_TOO, c->pki, sizeof(c->pki), err);
	return code == BRSKI_OK ? code : brski_fail_context(err, code, "--cmp-url %.160s", c->cmp_url);
}

static enum brski_code check_masa_hosts(const struct courier *c, struct brski_error *err)
{
	enum brski_code code = brski_url_hosts_check(c->masa_hosts ? c->masa_hosts : "", err);

	return code == BRSKI_OK ? code : brski_fail_context(err, code, "--masa-hosts");
}

/* False: it has no such value. */
static bool take_option(struct courier *c, const struct command_given *given)
{
	const char **text = text_option(c, given->id);

	if (!text)
		return set_timeout(c, given->value);
	*text = given->value;
	return true;
}

int main(int argc, char **argv)
{
	struct command_line line;
	struct courier c = {0};
	struct brski_error err;

	command_line_read(&courier_program, argc, argv, &line);
	if (!line.command)
		return line.status;
	for (size_t i = 0; i < line.n_given; i++)
		if (!take_option(&c, &line.given[i]))
			return usage("--timeout takes 1 to 3600 seconds");
	if (!c.certificate || !c.private_key)
		return usage("--certificate and --private-key are needed: they sign the answers");
	if (check_cmp_url(&c, &err) != BRSKI_OK || check_masa_hosts(&c, &err) != BRSKI_OK)
		return usage(err.why);
	return carry(&c, line.operands[0], line.operands[1]);
}
