/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "services/base/clock.h"
#include "services/base/thread.h"
#include "services/registrar/worker_internal.h"

#define RETRY_MIN_MS 5000
#define RETRY_MAX_MS 300000
#define SCAN_MS 60000
#define LEASE_MARGIN_MS 10000 /* for what a call takes besides, and for the answer to be stored */
#define TAKE_AT_ONCE 16       /* then answers have their turn */

/* ---- Sessions' side ---- */

struct brski_ticket *brski_worker_submit(
	struct brski_worker *worker, struct brski_job *job, brski_ticket_moved *moved, void *ctx)
{
	struct brski_ticket *ticket = brski_board_submit(worker->board, job, moved, ctx);

	http_client_wake(worker->client);
	return ticket;
}

void brski_worker_count(struct brski_worker *worker, unsigned *held, unsigned *running)
{
	brski_board_count(worker->board, held, running);
}

unsigned brski_worker_most(struct brski_worker *worker)
{
	return brski_board_most(worker->board);
}

/* ---- The thread ---- */

static void scan(struct brski_worker *worker)
{
	struct brski_error err = {0};

	if (worker->next_scan && !worker->scan_failed && worker->config.housekeeping)
		worker->keeps_house = true;
	worker->next_scan = brski_now_ms() + worker->config.scan_ms;
	brski_board_tidy(worker->board);
	worker->scan_failed = brski_refill_scan(&worker->refill, &err) != BRSKI_OK;
	if (worker->scan_failed) {
		brski_worker_store_fails(worker, err.why); /* those who are here have their turn between */
		worker->next_scan = 2 * worker->paused_until - brski_now_ms();
	}
}

/* Some of what is due now, and some of what waits in the store. True: there is more. */
static bool do_some(struct brski_worker *worker)
{
	struct brski_error err = {0};
	struct brski_task *t;
	unsigned n = 0;
	bool more;

	if (brski_refill_step(&worker->refill, &more, &err) != BRSKI_OK)
		brski_worker_store_fails(worker, err.why);
	while (n < TAKE_AT_ONCE && brski_now_ms() >= worker->paused_until &&
		(t = brski_board_take(worker->board))) {
		brski_worker_start(worker, t);
		n++;
	}
	return more || n == TAKE_AT_ONCE;
}

/* What is due now. Milliseconds until something else is. */
static long look_around(struct brski_worker *worker)
{
	bool more = false;
	int64_t now;

	if (brski_now_ms() >= worker->next_scan)
		scan(worker);
	if (worker->keeps_house)
		worker->keeps_house = worker->config.housekeeping(worker->config.housekeeping_ctx);
	brski_worker_start_held(worker);
	if (brski_now_ms() >= worker->paused_until)
		more = do_some(worker);
	now = brski_now_ms();
	if (worker->keeps_house || (more && now >= worker->paused_until))
		return 0;
	if (now < worker->paused_until)
		return (long)(worker->paused_until - now);
	return brski_board_next(worker->board, worker->next_scan);
}

static void *work(void *arg)
{
	struct brski_worker *worker = arg;

	while (!atomic_load(&worker->stop))
		http_client_run(worker->client, look_around(worker));
	return NULL;
}

static enum brski_code start_thread(struct brski_worker *worker, struct brski_error *err)
{
	enum brski_code code = brski_thread_start(&worker->thread, work, worker, "for upstream calls", err);

	worker->started = code == BRSKI_OK;
	return code;
}

/* ---- Making and ending ---- */

static void set_defaults(struct brski_worker_config *config)
{
	if (!config->retry_min_ms)
		config->retry_min_ms = RETRY_MIN_MS;
	if (!config->retry_max_ms)
		config->retry_max_ms = RETRY_MAX_MS;
	if (!config->scan_ms)
		config->scan_ms = SCAN_MS;
	if (!config->connect_timeout_ms)
		config->connect_timeout_ms = HTTP_CLIENT_CONNECT_MS;
	if (!config->request_timeout_ms)
		config->request_timeout_ms = HTTP_CLIENT_REQUEST_MS;
	if (!config->lease_ms)
		config->lease_ms = config->connect_timeout_ms + config->request_timeout_ms + LEASE_MARGIN_MS;
}

/* In the store's own thread. */
static void on_kept(void *ctx)
{
	http_client_wake(((struct brski_worker *)ctx)->client);
}

static enum brski_code set_up(struct brski_worker *worker, struct brski_error *err)
{
	const struct brski_worker_config *config = &worker->config;
	struct brski_board_config board = {
		.retry_min_ms = config->retry_min_ms,
		.retry_max_ms = config->retry_max_ms,
		.scan_ms = config->scan_ms,
		.owner = worker,
		.env = config->env,
	};
	struct http_client_config client = {
		.connect_timeout_ms = config->connect_timeout_ms,
		.request_timeout_ms = config->request_timeout_ms,
		.response_max = config->response_max,
		.proxy = config->proxy,
	};
	enum brski_code code = brski_owner_make(config->env, worker->owner, err);

	if (code == BRSKI_OK)
		code = brski_board_new(&board, &worker->board, err);
	if (code == BRSKI_OK)
		code = http_client_new(&client, &worker->client, err);
	if (code != BRSKI_OK)
		return code;
	worker->refill = (struct brski_refill){.registrar = config->registrar,
		.store = config->store,
		.board = worker->board,
		.env = config->env,
		.scan_ms = config->scan_ms};
	brski_store_on_kept(config->store, on_kept, worker);
	return start_thread(worker, err);
}

enum brski_code brski_worker_new(
	const struct brski_worker_config *config, struct brski_worker **out, struct brski_error *err)
{
	struct brski_worker *worker = calloc(1, sizeof(*worker));
	enum brski_code code;

	*out = NULL;
	if (!worker)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for jobs");
	worker->config = *config;
	set_defaults(&worker->config);
	code = set_up(worker, err);
	if (code != BRSKI_OK) {
		brski_worker_free(worker);
		return code;
	}
	*out = worker;
	return BRSKI_OK;
}

void brski_worker_stop(struct brski_worker *worker)
{
	if (!worker || !worker->started)
		return;
	atomic_store(&worker->stop, true);
	http_client_wake(worker->client);
	pthread_join(worker->thread, NULL);
	worker->started = false;
}

void brski_worker_free(struct brski_worker *worker)
{
	if (!worker)
		return;
	brski_worker_stop(worker);
	if (worker->refill.store)
		brski_store_on_kept(worker->refill.store, NULL, worker);
	http_client_free(worker->client);
	if (worker->board) {
		brski_worker_give_all_back(worker);
		brski_refill_clear(&worker->refill);
	}
	brski_board_free(worker->board);
	free(worker);
}
