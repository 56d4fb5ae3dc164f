/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "services/base/clock.h"
#include "services/registrar/call.h"
#include "services/registrar/worker_internal.h"

#define LOOK_AGAIN_MS 1000  /* at a job that another server works on */
#define STORE_PAUSE_MS 1000 /* or as long as for a back end at first, if that is less */

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
	code = brski_store_job_release(worker->config.store, key, gone, 0, err);
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
		brski_store_job_release(worker->config.store, brski_job_key(job), worker->owner,
			(unsigned)((brski_task_rest(t) + 999) / 1000), &err) != BRSKI_OK)
		brski_log(worker->config.env, BRSKI_LOG_DEBUG, "a lease is not given back: %s", err.why);
}

void brski_worker_give_all_back(struct brski_worker *worker)
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

/* Whom, and what is wrong: for tickets and log. */
static void say(struct brski_task *t, const char *why, struct brski_error *text)
{
	brski_fail(text, BRSKI_UNAVAILABLE, "%s %s: %s", back_end(t), brski_task_origin(t), why);
}

/* The registrar's history has it already, so the log gets it for debugging only. */
static void on_silence(struct brski_worker *worker, struct brski_task *t, const char *why)
{
	struct brski_error text = {0};

	say(t, why, &text);
	brski_log(worker->config.env, BRSKI_LOG_DEBUG, "%s", text.why);
	brski_task_pause(t, text.why);
}

static long store_pause(const struct brski_worker *worker)
{
	return worker->config.retry_min_ms < STORE_PAUSE_MS ? worker->config.retry_min_ms : STORE_PAUSE_MS;
}

void brski_worker_store_fails(struct brski_worker *worker, const char *why)
{
	char more[BRSKI_LOG_MORE_MAX];
	int64_t now = brski_now_ms();
	unsigned left_out;

	worker->paused_until = now + store_pause(worker);
	if (brski_log_due(&worker->store_trouble, now, &left_out))
		brski_log(worker->config.env, BRSKI_LOG_ERROR,
			"the database fails, and no call to MASA or PKI is begun until it does not: %s%s",
			why, brski_log_more(left_out, more));
}

/*
 * Our own trouble, not the back end's: nobody is called for what may be answered already, and an answer
 * that the job cannot keep is none. BRSKI_NOT_FOUND: the job is gone from the store.
 */
static void on_trouble(
	struct brski_worker *worker, struct brski_task *t, enum brski_code code, const char *why)
{
	char more[BRSKI_LOG_MORE_MAX];
	unsigned left_out;

	if (brski_log_due(&worker->job_trouble, brski_now_ms(), &left_out))
		brski_log(worker->config.env, BRSKI_LOG_ERROR, "%s %s: %s%s", back_end(t),
			brski_task_origin(t), why, brski_log_more(left_out, more));
	if (code == BRSKI_NOT_FOUND)
		brski_task_drop(t, why);
	else
		brski_task_pause(t, why);
	if (code == BRSKI_UNAVAILABLE)
		brski_worker_store_fails(worker, why);
}

/* Nothing can be done for any job, so this one has not failed. */
static void on_store_trouble(struct brski_worker *worker, struct brski_task *t, const char *why)
{
	brski_worker_store_fails(worker, why);
	brski_task_put_off(t, why, store_pause(worker));
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

	struct brski_error text = {0};

	if (answer) {
		brski_task_heard(ctx);
	} else {
		say(ctx, why, &text);
		brski_task_unanswered(ctx, text.why);
	}
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

/* Can it be called now? It pauses or has ended if not, or goes by another's queue. */
static bool settle_by(struct brski_worker *worker, struct brski_task *t, const struct brski_store_job *row,
	struct brski_error *err)
{
	bool fresh = brski_task_is_fresh(t);
	enum brski_code code = go_by(worker, t, row, &fresh, err);
	const struct brski_job *job = brski_task_job(t);
	struct brski_call call;

	if (code != BRSKI_OK)
		on_trouble(worker, t, code, err->why);
	else if (brski_job_state(job) != BRSKI_JOB_WAITING || brski_job_is_deferred(job) ||
		 (fresh && brski_job_not_before(job) > 0))
		brski_task_settle(t); /* an earlier answer said so, or the policy is to know first */
	else if (!brski_job_call(job, &call))
		brski_task_pause(t, "the request has nothing to ask and no answer");
	else if (brski_task_is_elsewhere(t))
		brski_task_put_off(t, "", 0);
	else
		return true;
	return false;
}

/* False, and the task pauses or has ended: there is nothing to call now. */
static bool may_call(struct brski_worker *worker, struct brski_task *t)
{
	struct brski_error err = {0};
	struct brski_store_job row;
	enum brski_code code = take_lease(worker, t, &row, &err);
	bool may = false;

	if (code == BRSKI_OK)
		may = settle_by(worker, t, &row, &err);
	else if (code == BRSKI_UNEXPECTED)
		stand_by(worker, t, &row);
	else if (code == BRSKI_NOT_FOUND)
		on_trouble(worker, t, code, err.why);
	else
		on_store_trouble(worker, t, err.why);
	brski_store_job_free(&row);
	return may;
}

/* ---- The thread's side: calls ---- */

static void call(struct brski_worker *worker, struct brski_task *t)
{
	struct brski_call what;
	struct brski_error err = {0};

	if (brski_job_call(brski_task_job(t), &what) &&
		brski_call_start(worker->client, &what, on_done, t, &err) == BRSKI_OK)
		return;
	digest(worker, t, NULL, err.why); /* nobody was asked */
	leave(worker, t);
}

/* Nobody is asked for what a power failure might undo. */
static void hold(struct brski_worker *worker, struct brski_task *t)
{
	unsigned i = (worker->first_held + worker->n_held++) % BRSKI_PLACES;

	worker->held[i] = (struct brski_held){.task = t, .mark = brski_store_mark(worker->config.store)};
}

static struct brski_task *let_out(struct brski_worker *worker)
{
	struct brski_task *t = worker->held[worker->first_held].task;

	worker->first_held = (worker->first_held + 1) % BRSKI_PLACES;
	worker->n_held--;
	return t;
}

void brski_worker_start_held(struct brski_worker *worker)
{
	while (worker->n_held > 0) {
		uint64_t mark = worker->held[worker->first_held].mark;
		struct brski_error err = {0};
		struct brski_task *t;

		switch (brski_store_kept(worker->config.store, mark, &err)) {
		case BRSKI_NOT_YET_KEPT:
			return;
		case BRSKI_KEPT:
			call(worker, let_out(worker));
			break;
		case BRSKI_NOT_KEPT:
			t = let_out(worker);
			on_store_trouble(worker, t, err.why);
			leave(worker, t);
			break;
		}
	}
}

void brski_worker_start(struct brski_worker *worker, struct brski_task *t)
{
	if (!may_call(worker, t)) {
		leave(worker, t);
		return;
	}
	hold(worker, t);
	brski_worker_start_held(worker);
}
