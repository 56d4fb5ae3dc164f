/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "services/base/clock.h"
#include "tests/unit/support/plant.h"

/* The server's parts put together, and one peer's tunnel to them, as EAP would bring it. */

#define MUST(x) \
	do { \
		if (!(x)) { \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x); \
			abort(); \
		} \
	} while (0)

#define PATIENCE_MS 20000

static enum brski_code make_registrar(struct plant_server *server, struct brski_error *err)
{
	const struct brski_store_limits limits = {
		.waiting = 1000, .waiting_per_device = 8, .octets = 1 << 20};
	struct brski_registrar_config config = server->plant->site.config;
	enum brski_code code = brski_policy_new(server->store, &server->plant->env, &server->policy, err);

	if (code != BRSKI_OK)
		return code;
	brski_policy_set_limits(server->policy, &limits);
	config.ops = brski_policy_ops();
	config.ops_ctx = server->policy;
	config.env = &server->plant->env;
	return brski_registrar_new(&config, &server->registrar, err);
}

static enum brski_code make_worker(struct plant_server *server, struct brski_error *err)
{
	const struct brski_worker_config config = {
		.registrar = server->registrar,
		.store = server->store,
		.connect_timeout_ms = 2000,
		.request_timeout_ms = 5000,
		.response_max = 65536,
		.retry_min_ms = server->plant->retry_ms,
		.retry_max_ms = server->plant->retry_ms * 8,
		.env = &server->plant->env,
	};

	return brski_worker_new(&config, &server->worker, err);
}

bool plant_serve(struct plant *plant, struct plant_server *server, struct brski_error *err)
{
	enum brski_code code;

	*server = (struct plant_server){.plant = plant};
	code = brski_store_open(plant->database, false, &server->store, err);
	if (code == BRSKI_OK)
		code = make_registrar(server, err);
	if (code == BRSKI_OK && !plant->offline)
		code = make_worker(server, err);
	if (code != BRSKI_OK)
		plant_serve_end(server);
	return code == BRSKI_OK;
}

void plant_serve_end(struct plant_server *server)
{
	brski_worker_free(server->worker);
	brski_registrar_free(server->registrar);
	brski_policy_free(server->policy);
	brski_store_close(server->store);
	*server = (struct plant_server){0};
}

/* ---- A tunnel ---- */

bool plant_connect(struct plant_server *server, struct plant_tunnel *tunnel, struct brski_error *err)
{
	const STACK_OF(X509) *chain = server->plant->site.device_chain;
	enum brski_code code = brski_registrar_peer(server->registrar, chain, err);

	*tunnel = (struct plant_tunnel){.server = server};
	if (code == BRSKI_OK)
		code = brski_registrar_session_new(server->registrar, chain, "port 1", &tunnel->session, err);
	return code == BRSKI_OK;
}

void plant_disconnect(struct plant_tunnel *tunnel)
{
	brski_registrar_session_free(tunnel->session);
	*tunnel = (struct plant_tunnel){0};
}

static enum brski_code respond(struct plant_tunnel *tunnel, const struct brski_job *job,
	struct brski_http *response, struct brski_error *err)
{
	return brski_job_state(job) == BRSKI_JOB_WAITING
		       ? brski_registrar_defer(tunnel->session, job, response, err)
		       : brski_registrar_resume(tunnel->session, job, response, err);
}

static enum brski_code work(struct plant_tunnel *tunnel, struct brski_job *job, struct brski_http *response,
	struct brski_error *err)
{
	int64_t end = brski_now_ms() + PATIENCE_MS;
	struct brski_ticket *ticket;
	enum brski_code code;

	if (!tunnel->server->worker) {
		code = respond(tunnel, job, response, err);
		brski_job_free(job);
		return code;
	}
	ticket = brski_worker_submit(tunnel->server->worker, job, NULL, NULL);
	MUST(ticket);
	while (brski_ticket_look(ticket, NULL) == BRSKI_PROGRESS_RUNNING) {
		MUST(brski_now_ms() < end);
		usleep(200);
	}
	code = respond(tunnel, brski_ticket_lock(ticket), response, err);
	brski_ticket_unlock(ticket);
	brski_ticket_release(ticket);
	return code;
}

bool plant_ask(struct plant_tunnel *tunnel, const struct brski_http *request, struct brski_http *response,
	struct brski_error *err)
{
	struct brski_job *job = NULL;
	enum brski_code code = brski_registrar_request(tunnel->session, request, response, &job, err);

	if (code == BRSKI_OK && job)
		code = work(tunnel, job, response, err);
	return code == BRSKI_OK;
}

/* ---- Beside it ---- */

bool plant_exchange(struct plant_server *server, struct brski_exchange **out, struct brski_error *err)
{
	const struct brski_config settings = {
		.cmp_url = server->plant->cmp_url, .cmp_nested = true, .check_pki_answers = true};
	const struct brski_exchange_config config = {
		.store = server->store,
		.credential = &server->plant->site.registrar_cred,
		.domain_anchors = server->plant->site.domain_anchors,
		.settings = &settings,
		.env = &server->plant->env,
	};

	return brski_exchange_new(&config, out, err) == BRSKI_OK;
}

static void carry_item(
	struct plant *plant, const struct brski_bundle_item *item, struct brski_bundle_item *out)
{
	memcpy(out->key, item->key, sizeof(out->key));
	out->kind = item->kind;
	for (size_t i = 0; i < item->n_calls; i++) {
		const struct brski_http *request = &item->calls[i].request;
		struct brski_http *answer = &out->answers[i];

		if (!(item->kind == BRSKI_BUNDLE_VOUCHER ? plant_masa : plant_ca)(plant, request, answer)) {
			snprintf(out->trouble, sizeof(out->trouble), "it is down");
			return;
		}
		out->n_answers++;
		if (answer->status != 200)
			return;
	}
}

void plant_carry(struct plant *plant, const struct brski_bundle *requests, struct brski_bundle *answers)
{
	*answers = (struct brski_bundle){.answers = true, .created_on = plant->site.now};
	memcpy(answers->registrar, requests->registrar, sizeof(answers->registrar));
	for (size_t i = 0; i < requests->n_items; i++) {
		struct brski_bundle_item *out = brski_bundle_add(answers);

		MUST(out);
		carry_item(plant, &requests->items[i], out);
	}
}
