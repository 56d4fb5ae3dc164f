/* SPDX-License-Identifier: BSD-3-Clause */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/support/plant.h"
#include "tests/unit/support/web.h"

/*
 * MASA and CA. Each gives the same octets the same answer, as they should, so that a registrar may
 * ask again; what counts is how many different requests there were.
 */

#define MUST(x) \
	do { \
		if (!(x)) { \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x); \
			abort(); \
		} \
	} while (0)

static bool has_answered(
	const struct plant *plant, const struct brski_http *request, struct brski_http *answer)
{
	struct brski_buf all = {0};
	bool found = false;

	brski_printf(&all, "%s\n", request->path);
	brski_put(&all, brski_buf_span(&request->body));
	for (size_t i = 0; !found && i < plant->n_answers; i++) {
		found = brski_span_equal(brski_buf_span(&plant->answers[i].request), brski_buf_span(&all));
		if (found)
			MUST(brski_http_copy(answer, &plant->answers[i].answer, NULL) == BRSKI_OK);
	}
	brski_buf_free(&all);
	return found;
}

static void keep_answer(
	struct plant *plant, const struct brski_http *request, const struct brski_http *answer)
{
	struct plant_answer *kept = &plant->answers[plant->n_answers++];

	MUST(plant->n_answers <= PLANT_ANSWERS_MAX);
	*kept = (struct plant_answer){0};
	brski_printf(&kept->request, "%s\n", request->path);
	brski_put(&kept->request, brski_buf_span(&request->body));
	MUST(!kept->request.failed && brski_http_copy(&kept->answer, answer, NULL) == BRSKI_OK);
}

static bool take_one(atomic_uint *n)
{
	unsigned have = atomic_load(n);

	if (have == 0)
		return false;
	atomic_store(n, have - 1);
	return true;
}

bool plant_masa(struct plant *plant, const struct brski_http *request, struct brski_http *answer)
{
	struct site *site = &plant->site;
	struct brski_call call = {
		.request = request, .tls_anchors = site->masa_anchors, .client = &site->registrar_cred};

	site->now = (time_t)atomic_load(&plant->seen->now);
	snprintf(call.url, sizeof(call.url), "https://masa%s", request->path);
	if (has_answered(plant, request, answer))
		return true;
	if (take_one(&plant->seen->masa_waits)) {
		MUST(brski_http_response(answer, 202, NULL, brski_span(NULL, 0), NULL) == BRSKI_OK);
		MUST(brski_http_set(answer, "retry-after", "20", NULL) == BRSKI_OK);
		return true;
	}
	if (!site_masa(site, &call, answer))
		return false;
	atomic_fetch_add(
		strstr(call.url, "/requestvoucher") ? &plant->seen->vouchers : &plant->seen->logs, 1);
	keep_answer(plant, request, answer);
	return true;
}

/* What kind of message, under the registrar's signature. */
static int type_of(const struct brski_http *request)
{
	struct brski_cmp outer = {0}, inner = {0};
	int type;

	MUST(brski_cmp_decode(brski_buf_span(&request->body), &outer, NULL) == BRSKI_OK);
	MUST(outer.type == BRSKI_CMP_NESTED && brski_cmp_unnest(&outer, &inner, NULL) == BRSKI_OK);
	type = inner.type;
	brski_cmp_free(&inner);
	brski_cmp_free(&outer);
	return type;
}

bool plant_ca(struct plant *plant, const struct brski_http *request, struct brski_http *answer)
{
	struct brski_call call = {.request = request};
	struct plant_seen *seen = plant->seen;
	int type = type_of(request);

	plant->site.now = (time_t)atomic_load(&seen->now);
	snprintf(call.url, sizeof(call.url), "%s", plant->site.config.cmp_url);
	if (has_answered(plant, request, answer))
		return true;
	if (atomic_load(&seen->ca_down) || !site_ca(&plant->site, &call, answer))
		return false;
	atomic_fetch_add(type == BRSKI_CMP_CERTCONF  ? &seen->confirmations
			 : type == BRSKI_CMP_POLLREQ ? &seen->polls
						     : &seen->enrollments,
		1);
	atomic_store(&seen->certificates, plant->site.n_issued);
	keep_answer(plant, request, answer);
	return true;
}

/* ---- In a process of their own ---- */

static void on_masa(void *ctx, const struct web_request *request, struct brski_buf *raw)
{
	struct brski_http answer = {0};

	if (plant_masa(ctx, &request->http, &answer))
		web_say(raw, &answer);
	brski_http_free(&answer);
}

static void on_ca(void *ctx, const struct web_request *request, struct brski_buf *raw)
{
	struct brski_http answer = {0};

	if (plant_ca(ctx, &request->http, &answer))
		web_say(raw, &answer);
	brski_http_free(&answer);
}

static void forget(struct plant *plant)
{
	for (size_t i = 0; i < plant->n_answers; i++) {
		brski_buf_free(&plant->answers[i].request);
		brski_http_free(&plant->answers[i].answer);
	}
	plant->n_answers = 0;
	plant->site.n_issued = 0;
}

/* With each octet that comes they begin anew, until nobody holds the other end of the pipe. */
static void serve(struct plant *plant, int orders, int ready)
{
	struct plant_seen *seen = plant->seen;
	struct web masa, ca;
	char octet;

	snprintf(plant->cmp_url, sizeof(plant->cmp_url), "http://127.0.0.1/cmp");
	plant->site.config.cmp_url = plant->cmp_url;
	while (read(orders, &octet, 1) > 0) {
		plant->site.ca_polls = atomic_load(&seen->ca_polls);
		web_start(&masa, &plant->masa_tls, on_masa, plant);
		web_start(&ca, NULL, on_ca, plant);
		atomic_store(&seen->masa_port, masa.port);
		atomic_store(&seen->ca_port, ca.port);
		MUST(write(ready, &octet, 1) == 1 && read(orders, &octet, 1) == 1);
		web_stop(&masa);
		web_stop(&ca);
		forget(plant);
		MUST(write(ready, &octet, 1) == 1);
	}
	_exit(0);
}

static void start_process(struct plant *plant)
{
	int orders[2], ready[2];

	MUST(pipe2(orders, O_CLOEXEC) == 0 && pipe2(ready, O_CLOEXEC) == 0);
	plant->back_ends = fork();
	MUST(plant->back_ends >= 0);
	if (plant->back_ends == 0) {
		close(orders[1]);
		close(ready[0]);
		serve(plant, orders[0], ready[1]);
	}
	close(orders[0]);
	close(ready[1]);
	plant->orders = orders[1];
	plant->ready = ready[0];
}

static void order(struct plant *plant)
{
	char octet = '.';

	MUST(write(plant->orders, &octet, 1) == 1 && read(plant->ready, &octet, 1) == 1);
}

void plant_back_ends_begin(struct plant *plant)
{
	if (!plant->back_ends)
		start_process(plant);
	order(plant);
}

void plant_back_ends_end(struct plant *plant)
{
	if (plant->back_ends)
		order(plant);
	else
		forget(plant);
}

void plant_back_ends_free(struct plant *plant)
{
	int status;

	if (!plant->back_ends)
		return;
	close(plant->orders);
	MUST(waitpid(plant->back_ends, &status, 0) == plant->back_ends);
	MUST(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(plant->ready);
	plant->back_ends = 0;
}
