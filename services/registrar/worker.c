/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "services/base/clock.h"
#include "services/registrar/call.h"
#include "services/registrar/owner.h"

#define RETRY_MIN_MS 5000
#define RETRY_MAX_MS 300000
#define SCAN_MS 60000
#define LEASE_MARGIN_MS 10000 /* for what a call takes besides, and for the answer to be stored */
#define LOOK_AGAIN_MS 1000    /* at a job that another server works on */

struct brski_worker {
	struct brski_worker_config config;
	struct brski_board *board;
	struct http_client *client;  /* the thread's, but for waking it */
	char owner[BRSKI_OWNER_MAX]; /* of leases */
	pthread_t thread;
	bool started;
	atomic_bool stop;
	int64_t next_scan;
	bool has_looked; /* through the store, once */
};

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

/* ---- The thread's side: the right to make a job's calls ---- */

static enum brski_code ask_for_lease(
	struct brski_worker *worker, const char *key, struct brski_store_job *row, struct brski_error *err)
{
	return brski_store_job_lease(worker->config.store, key, worker->owner,
		(unsigned)((worker->config.lease_ms + 999) / 1000), row, err);
}

/* Another server has it; but if that is no more, nobody does, and this one does not wait for the end of it. */
static enum brski_code take_over(
	struct brski_worker *worker, const char *key, struct brski_store_job *row, struct brski_error *err)
{
	char gone[sizeof(row->lease_owner)];
	enum brski_code code;

	if (!brski_owner_is_gone(row->lease_owner))
		return BRSKI_UNEXPECTED;
	memcpy(gone, row->lease_owner, sizeof(gone));
	brski_store_job_free(row);
	code = brski_store_job_release(worker->config.store, key, gone, err);
	return code == BRSKI_OK ? ask_for_lease(worker, key, row, err) : code;
}

/* As brski_store_job_lease(). */
static enum brski_code take_lease(struct brski_worker *worker, struct brski_task *t,
	struct brski_store_job *row, struct brski_error *err)
{
	const char *key = brski_job_key(brski_task_job(t));
	enum brski_code code = ask_for_lease(worker, key, row, err);

	if (code == BRSKI_UNEXPECTED)
		code = take_over(worker, key, row, err);
	brski_task_set_leased(t, code == BRSKI_OK && row->lease_owner[0]);
	return code;
}

/* A job that has ended has none any more; and if the store fails now, the lease ends by itself. */
static void give_back(struct brski_worker *worker, struct brski_task *t)
{
	const struct brski_job *job = brski_task_job(t);
	struct brski_error err = {0};

	if (!brski_task_is_leased(t))
		return;
	brski_task_set_leased(t, false);
	if (brski_job_state(job) == BRSKI_JOB_WAITING &&
		brski_store_job_release(worker->config.store, brski_job_key(job), worker->owner, &err) !=
			BRSKI_OK)
		brski_log(worker->config.env, BRSKI_LOG_DEBUG, "a lease is not given back: %s", err.why);
}

/* Of calls that have come to nothing, since the client is gone. */
static void give_all_back(struct brski_worker *worker)
{
	struct brski_task *t;

	while ((t = brski_board_leased(worker->board)))
		give_back(worker, t);
}

/* ---- The thread's side: one job ---- */

static const char *back_end(const struct brski_task *t)
{
	struct brski_call call = {0};

	return brski_job_call(brski_task_job(t), &call) ? call.back_end : "back end";
}

/* The registrar's history has it already, so the log gets it for debugging only. */
static void on_silence(struct brski_worker *worker, struct brski_task *t, const char *why)
{
	struct brski_error text = {0};

	brski_fail(&text, BRSKI_UNAVAILABLE, "%s %s: %s", back_end(t), brski_task_origin(t), why);
	brski_log(worker->config.env, BRSKI_LOG_DEBUG, "%s", text.why);
	brski_task_pause(t, text.why);
}

/*
 * The store, not the back end, is in trouble: nobody is called for what may be answered already, and an
 * answer that the job cannot keep is none. BRSKI_NOT_FOUND: the job is gone from there.
 */
static void on_trouble(
	struct brski_worker *worker, struct brski_task *t, enum brski_code code, const char *why)
{
	brski_log(worker->config.env, BRSKI_LOG_ERROR, "%s %s: %s", back_end(t), brski_task_origin(t), why);
	if (code == BRSKI_NOT_FOUND)
		brski_task_drop(t, why);
	else
		brski_task_pause(t, why);
}

static void digest(
	struct brski_worker *worker, struct brski_task *t, const struct brski_http *answer, const char *why)
{
	struct brski_error err = {0};
	enum brski_code code = brski_task_answer(t, answer, answer ? NULL : why, &err);

	if (code != BRSKI_OK)
		on_trouble(worker, t, code, err.why);
	else if (!answer && brski_job_state(brski_task_job(t)) == BRSKI_JOB_WAITING)
		on_silence(worker, t, why);
	else
		brski_task_settle(t);
}

/* Through with it, unless another call follows: then the lease is renewed for that. */
static void leave(struct brski_worker *worker, struct brski_task *t)
{
	if (!brski_task_goes_on(t))
		give_back(worker, t);
	brski_task_let_go(t);
}

static void on_done(void *ctx, const struct brski_http *answer, const char *why)
{
	struct brski_worker *worker = brski_task_owner(ctx);

	if (answer)
		brski_task_heard(ctx);
	else
		brski_task_unanswered(ctx, why);
	digest(worker, ctx, answer, why);
	leave(worker, ctx);
}

static void stand_by(struct brski_worker *worker, struct brski_task *t, const struct brski_store_job *row)
{
	int64_t ms = ((int64_t)row->lease_until - (int64_t)brski_now(worker->config.env)) * 1000;

	brski_task_stand_by(t, ms > 0 && ms < LOOK_AGAIN_MS ? (long)ms : LOOK_AGAIN_MS);
}

/*
 * Another server may have got further with it, or a session may have read the job just before its
 * answer was stored, or `brskictl import` may have brought one: then that counts, and nothing is asked
 * twice. In either case it is judged as things are now: what was let in when it came may have waited
 * here for days.
 */
static enum brski_code go_by(struct brski_worker *worker, struct brski_task *t,
	const struct brski_store_job *row, bool *fresh, struct brski_error *err)
{
	struct brski_job *job = NULL;
	enum brski_code code;

	if (row->revision == brski_job_revision(brski_task_job(t)))
		return brski_task_judge(t, err);
	code = brski_job_load(worker->config.registrar, brski_buf_span(&row->blob), row->revision, &job, err);
	if (code != BRSKI_OK)
		return code;
	brski_task_replace(t, job);
	*fresh = true;
	return BRSKI_OK;
}

/* False, and the task pauses or has ended: there is nothing to call now. */
static bool may_call(struct brski_worker *worker, struct brski_task *t)
{
	bool fresh = brski_task_is_fresh(t);
	struct brski_error err = {0};
	struct brski_store_job row;
	enum brski_code code = take_lease(worker, t, &row, &err);
	const struct brski_job *job;
	bool may = false;

	if (code == BRSKI_UNEXPECTED) {
		stand_by(worker, t, &row);
		brski_store_job_free(&row);
		return false;
	}
	if (code == BRSKI_OK)
		code = go_by(worker, t, &row, &fresh, &err);
	job = brski_task_job(t);
	if (code != BRSKI_OK)
		on_trouble(worker, t, code, err.why);
	else if (brski_job_state(job) == BRSKI_JOB_WAITING && !brski_job_is_deferred(job) &&
		 (!fresh || brski_job_not_before(job) <= 0))
		may = true;
	else /* it is finished, or must wait since an earlier answer said so, or until the policy knows */
		brski_task_settle(t);
	brski_store_job_free(&row);
	return may;
}

static void start(struct brski_worker *worker, struct brski_task *t)
{
	struct brski_call call = {0};
	struct brski_error err = {0};

	if (!may_call(worker, t)) {
		leave(worker, t);
	} else if (!brski_job_call(brski_task_job(t), &call)) {
		brski_task_pause(t, "the request has nothing to ask and no answer");
		leave(worker, t);
	} else if (brski_task_is_elsewhere(t)) {
		brski_task_settle(t);
		leave(worker, t);
	} else if (brski_call_start(worker->client, &call, on_done, t, &err) != BRSKI_OK) {
		digest(worker, t, NULL, err.why); /* nobody was asked */
		leave(worker, t);
	}
}

/* ---- The store: what waits there, from before a restart or because memory was full ---- */

/* Unless a session was quicker. */
static void adopt(struct brski_worker *worker, const struct brski_store_job *row)
{
	const struct brski_share share = {row->kind, ""};
	struct brski_error err = {0};
	struct brski_job *job = NULL;

	if (brski_job_load(worker->config.registrar, brski_buf_span(&row->blob), row->revision, &job, &err) !=
		BRSKI_OK)
		brski_log(worker->config.env, BRSKI_LOG_ERROR,
			"the stored request %s of %s is not to be read: %s", row->key, row->serial_number,
			err.why);
	else if (!brski_board_adopt(worker->board, &share, job))
		brski_job_free(job);
}

/* *taken_up: one more for each that nobody had in memory. */
static enum brski_code scan_page(struct brski_worker *worker, enum brski_job_kind kind,
	struct brski_store_place *place, unsigned *n, unsigned *taken_up, struct brski_error *err)
{
	/* at first also those with a lease: it may be one of this server, before it was killed */
	const struct brski_store_job_filter waiting = {
		.state = BRSKI_JOB_WAITING, .of_kind = true, .kind = kind, .not_leased = worker->has_looked};
	struct brski_store_job rows[BRSKI_STORE_PAGE_HEAVY];
	enum brski_code code = brski_store_jobs_page(
		worker->config.store, &waiting, place, rows, BRSKI_STORE_PAGE_HEAVY, n, err);

	for (unsigned i = 0; i < *n; i++) {
		if (!brski_board_has(worker->board, rows[i].key)) {
			adopt(worker, &rows[i]);
			++*taken_up;
		}
		brski_store_job_free(&rows[i]);
	}
	return code;
}

/* However many wait for MASAs, those for the PKI are seen. */
static enum brski_code scan_kind(
	struct brski_worker *worker, enum brski_job_kind kind, unsigned *taken_up, struct brski_error *err)
{
	struct brski_store_place place = {0};
	unsigned n, seen = 0;
	enum brski_code code;

	do {
		code = scan_page(worker, kind, &place, &n, taken_up, err);
		seen += n;
	} while (code == BRSKI_OK && n == BRSKI_STORE_PAGE_HEAVY && seen < BRSKI_BOARD_MAX);
	return code;
}

static void scan(struct brski_worker *worker)
{
	struct brski_error err = {0};
	unsigned taken_up = 0;
	enum brski_code code;

	worker->next_scan = brski_now_ms() + worker->config.scan_ms;
	code = scan_kind(worker, BRSKI_JOB_CMP, &taken_up, &err);
	if (code == BRSKI_OK)
		code = scan_kind(worker, BRSKI_JOB_VOUCHER, &taken_up, &err);
	worker->has_looked = worker->has_looked || code == BRSKI_OK;
	if (code != BRSKI_OK)
		brski_log(worker->config.env, BRSKI_LOG_ERROR, "waiting requests are not to be read: %s",
			err.why);
	if (taken_up)
		brski_log(worker->config.env, BRSKI_LOG_INFO, "%u waiting requests taken up from the store",
			taken_up);
}

/* ---- The thread ---- */

static void keep_house(struct brski_worker *worker)
{
	bool more = worker->config.housekeeping != NULL;

	while (more && !atomic_load(&worker->stop))
		more = worker->config.housekeeping(worker->config.housekeeping_ctx);
}

/* What is due now. Milliseconds until something else is. */
static long look_around(struct brski_worker *worker)
{
	struct brski_task *t;

	if (brski_now_ms() >= worker->next_scan) {
		if (worker->next_scan)
			keep_house(worker);
		scan(worker);
	}
	while ((t = brski_board_take(worker->board)))
		start(worker, t);
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
	sigset_t all, before;
	int rc;

	/* The server's signals are for its own threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&worker->thread, NULL, work, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0)
		return brski_fail(err, BRSKI_INTERNAL, "no thread for upstream calls: %s", strerror(rc));
	worker->started = true;
	return BRSKI_OK;
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
	return code == BRSKI_OK ? start_thread(worker, err) : code;
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
	http_client_free(worker->client);
	if (worker->board)
		give_all_back(worker);
	brski_board_free(worker->board);
	free(worker);
}
