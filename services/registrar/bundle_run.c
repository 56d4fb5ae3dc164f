/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/bundle_run.h"

#include <stdlib.h>
#include <string.h>

#include "eap_brski/artifacts/paths.h"
#include "eap_brski/ground/text.h"
#include "eap_brski/transport/http_follow.h"
#include "services/registrar/call.h"

struct brski_bundle_runner {
	struct http_client *client;
	const struct brski_credential *credential;
	struct brski_http_hosts others; /* where a MASA's audit log may be, too */
	size_t room;                    /* octets that answers may still have, all together */
};

/* ---- One call, waited for ---- */

struct outcome {
	struct brski_http *answer; /* where it goes */
	char *why;
	size_t why_size;
	bool over, answered;
};

static void on_done(void *ctx, const struct brski_http *answer, const char *why)
{
	struct outcome *o = ctx;

	o->answered = answer && brski_http_copy(o->answer, answer, NULL) == BRSKI_OK;
	if (!o->answered)
		brski_printable(
			brski_span_str(answer ? "its answer is not to be kept" : why), o->why, o->why_size);
	o->over = true;
}

/* False: *why says in words why there is no answer. */
static bool call_and_wait(struct brski_bundle_runner *runner, const struct brski_call *call,
	struct brski_http *answer, char *why, size_t why_size)
{
	struct outcome outcome = {.answer = answer, .why = why, .why_size = why_size};
	struct brski_error err = {0};

	if (brski_call_start(runner->client, call, on_done, &outcome, &err) != BRSKI_OK)
		on_done(&outcome, NULL, err.why);
	while (!outcome.over)
		http_client_run(runner->client, -1);
	return outcome.answered;
}

/* ---- The calls of one entry ---- */

static bool run_call(struct brski_bundle_runner *runner, const struct brski_bundle_item *item,
	const struct brski_planned *planned, const STACK_OF(X509) *anchors, struct brski_bundle_item *out)
{
	struct brski_call call = {
		.back_end = brski_bundle_kind_back_end(item->kind),
		.https_only = brski_bundle_kind_is_https_only(item->kind),
		.request = &planned->request,
		.tls_anchors = anchors,
		.client = runner->credential,
	};
	struct brski_http *answer = &out->answers[out->n_answers];
	char why[200];

	memcpy(call.url, planned->url, sizeof(call.url));
	if (!call_and_wait(runner, &call, answer, why, sizeof(why))) {
		snprintf(out->trouble, sizeof(out->trouble), "%.160s: %.90s", call.url, why);
	} else if (answer->body.len > runner->room) {
		snprintf(out->trouble, sizeof(out->trouble), "%.160s: %s", call.url,
			"the answers are too long for one file: carry this one another time");
	} else {
		runner->room -= answer->body.len;
		out->n_answers++;
		return answer->status == 200;
	}
	brski_http_free(answer);
	return false;
}

/* RFC 8995 5.8: an audit log may be at another place of the same MASA, or at a host that is named. */
static enum brski_code locate(const struct brski_http_hosts *others, const struct brski_planned *asked,
	const struct brski_http *answer, struct brski_planned *out, struct brski_error *err)
{
	enum brski_code code = brski_http_follow(answer, asked->url, others, out->url, sizeof(out->url), err);

	if (code == BRSKI_OK)
		code = brski_http_request(
			&out->request, "GET", brski_http_target(out->url), NULL, brski_span(NULL, 0), err);
	return code == BRSKI_OK ? brski_http_set(&out->request, "accept", BRSKI_MEDIA_JSON, err) : code;
}

static void run_elsewhere(struct brski_bundle_runner *runner, const struct brski_bundle_item *item,
	const struct brski_planned *asked, const STACK_OF(X509) *anchors, struct brski_bundle_item *out)
{
	struct brski_planned elsewhere = {0};
	struct brski_error why = {0};

	if (locate(&runner->others, asked, &out->answers[out->n_answers - 1], &elsewhere, &why) == BRSKI_OK)
		(void)run_call(runner, item, &elsewhere, anchors, out);
	else
		snprintf(out->trouble, sizeof(out->trouble), "%.100s: %.150s", asked->url, why.why);
	brski_planned_free(&elsewhere);
}

static void run_calls(struct brski_bundle_runner *runner, const struct brski_bundle_item *item,
	const STACK_OF(X509) *anchors, struct brski_bundle_item *out)
{
	size_t i = 0;

	while (i < item->n_calls && run_call(runner, item, &item->calls[i], anchors, out))
		i++;
	if (i < item->n_calls && out->n_answers == i + 1 && out->answers[i].status == 201)
		run_elsewhere(runner, item, &item->calls[i], anchors, out);
}

enum brski_code brski_bundle_run(struct brski_bundle_runner *runner, const struct brski_bundle_item *item,
	struct brski_bundle_item *out, struct brski_error *err)
{
	STACK_OF(X509) *anchors = NULL;
	enum brski_code code = BRSKI_OK;

	memcpy(out->key, item->key, sizeof(out->key));
	memcpy(out->manufacturer, item->manufacturer, sizeof(out->manufacturer));
	memcpy(out->serial_number, item->serial_number, sizeof(out->serial_number));
	out->kind = item->kind;
	if (item->tls_anchors.len)
		code = brski_certs_from_pem(brski_buf_span(&item->tls_anchors), &anchors, err);
	if (code == BRSKI_OK)
		run_calls(runner, item, anchors, out);
	sk_X509_pop_free(anchors, X509_free);
	return code;
}

/* ---- Making and ending ---- */

enum brski_code brski_bundle_runner_new(const struct brski_bundle_runner_config *config,
	struct brski_bundle_runner **out, struct brski_error *err)
{
	struct brski_bundle_runner *runner = calloc(1, sizeof(*runner));
	struct http_client_config client = {
		.connect_timeout_ms = config->connect_timeout_ms,
		.request_timeout_ms = config->request_timeout_ms,
		.proxy = config->proxy,
	};
	enum brski_code code;

	*out = NULL;
	if (!runner)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for calls");
	runner->credential = config->client;
	runner->others.names = config->masa_hosts ? config->masa_hosts : "";
	runner->others.named_by = config->hosts_named_by;
	runner->room = config->answers_max ? config->answers_max : SIZE_MAX;
	code = http_client_new(&client, &runner->client, err);
	if (code != BRSKI_OK) {
		brski_bundle_runner_free(runner);
		return code;
	}
	*out = runner;
	return BRSKI_OK;
}

void brski_bundle_runner_free(struct brski_bundle_runner *runner)
{
	if (!runner)
		return;
	http_client_free(runner->client);
	free(runner);
}
