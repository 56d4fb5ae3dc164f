/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "eap_brski/transport/http_follow.h"
#include "services/registrar/board_internal.h"

/* The worker's side of one job. */

#define STEPS_MAX 16 /* calls of one job without a pause */

struct brski_job *brski_task_job(const struct brski_task *t)
{
	return t->job;
}

void *brski_task_owner(const struct brski_task *t)
{
	return t->board->config.owner;
}

const char *brski_task_origin(const struct brski_task *t)
{
	return t->back_end->name;
}

bool brski_task_is_elsewhere(const struct brski_task *t)
{
	struct brski_call call = {0};
	const char *name = t->back_end->name;

	return brski_job_call(t->job, &call) && (strlen(name) != brski_http_origin_len(call.url) ||
							strncmp(name, call.url, strlen(name)) != 0);
}

bool brski_task_is_fresh(struct brski_task *t)
{
	bool fresh = t->fresh;

	t->fresh = false;
	return fresh;
}

void brski_task_replace(struct brski_task *t, struct brski_job *job)
{
	pthread_mutex_lock(&t->job_lock);
	brski_job_free(t->job);
	t->job = job;
	pthread_mutex_unlock(&t->job_lock);
}

enum brski_code brski_task_answer(
	struct brski_task *t, const struct brski_http *answer, const char *why, struct brski_error *err)
{
	enum brski_code code;

	pthread_mutex_lock(&t->job_lock);
	code = brski_job_answer(t->job, answer, why, err);
	pthread_mutex_unlock(&t->job_lock);
	return code;
}

enum brski_code brski_task_judge(struct brski_task *t, struct brski_error *err)
{
	enum brski_code code;

	pthread_mutex_lock(&t->job_lock);
	code = brski_job_judge(t->job, err);
	pthread_mutex_unlock(&t->job_lock);
	return code;
}

/* ---- How its call has ended ---- */

/* 5 s, 10 s, 20 s ... and up to a quarter more, so that a thousand jobs do not come back in one second. */
static long back_off(const struct brski_board *board, unsigned failures)
{
	long pause = board->config.retry_min_ms;
	uint8_t r = 0;

	for (unsigned i = 1; i < failures && pause < board->config.retry_max_ms; i++)
		pause *= 2;
	if (pause > board->config.retry_max_ms)
		pause = board->config.retry_max_ms;
	if (brski_random(board->config.env, &r, 1, NULL) != BRSKI_OK)
		r = 0;
	return pause + pause * r / 1024;
}

void brski_task_heard(struct brski_task *t)
{
	struct brski_board *board = t->board;

	pthread_mutex_lock(&board->lock);
	if (brski_back_end_heard(t->back_end, brski_now_ms()))
		brski_board_came(t->back_end);
	pthread_mutex_unlock(&board->lock);
}

/* Enough of its key to tell it from others, also when it has been out of memory. */
static uint64_t number_of(const struct brski_task *t)
{
	char digits[17] = "";

	memcpy(digits, t->key, sizeof(digits) - 1);
	return strtoull(digits, NULL, 16);
}

void brski_task_unanswered(struct brski_task *t, const char *why)
{
	struct brski_board *board = t->board;
	struct brski_back_end *b = t->back_end;
	bool went;

	pthread_mutex_lock(&board->lock);
	t->silent = true;
	went = brski_back_end_silent(
		b, number_of(t), t->probe, brski_now_ms(), back_off(board, b->away ? b->failed + 1 : 1));
	if (b->away)
		snprintf(b->trouble, sizeof(b->trouble), "%s", why);
	if (went)
		brski_board_went(b);
	pthread_mutex_unlock(&board->lock);
}

/* ---- What next ---- */

/* With the lock held. */
static void pause_for(struct brski_task *t, long ms)
{
	t->ended = brski_now_ms();
	brski_board_wait(t, t->ended + ms);
}

void brski_task_pause(struct brski_task *t, const char *why)
{
	struct brski_board *board = t->board;

	pthread_mutex_lock(&board->lock);
	snprintf(t->trouble, sizeof(t->trouble), "%s", why);
	t->failures++;
	t->steps = 0;
	pause_for(t, back_off(board, t->failures));
	pthread_mutex_unlock(&board->lock);
}

/* After an answer: what next? With the job read by this thread only, no job_lock is needed to look at it. */
void brski_task_settle(struct brski_task *t)
{
	struct brski_board *board = t->board;
	enum brski_job_state state = brski_job_state(t->job);
	long wait = state == BRSKI_JOB_WAITING ? brski_job_not_before(t->job) : 0;

	pthread_mutex_lock(&board->lock);
	t->failures = 0;
	t->trouble[0] = '\0';
	t->silent = false;
	t->told = wait > 0;
	t->steps = wait > 0 ? 0 : t->steps + 1;
	if (state != BRSKI_JOB_WAITING)
		brski_board_finish(t);
	else
		pause_for(t, t->steps >= STEPS_MAX ? board->config.retry_max_ms : wait * 1000);
	pthread_mutex_unlock(&board->lock);
}

void brski_task_drop(struct brski_task *t, const char *why)
{
	struct brski_board *board = t->board;

	pthread_mutex_lock(&board->lock);
	snprintf(t->trouble, sizeof(t->trouble), "%s", why);
	brski_board_finish(t);
	pthread_mutex_unlock(&board->lock);
}

void brski_task_stand_by(struct brski_task *t, long ms)
{
	struct brski_board *board = t->board;

	pthread_mutex_lock(&board->lock);
	t->stands_by = true;
	pause_for(t, ms);
	pthread_mutex_unlock(&board->lock);
}

void brski_task_put_off(struct brski_task *t, const char *why, long ms)
{
	struct brski_board *board = t->board;

	pthread_mutex_lock(&board->lock);
	snprintf(t->trouble, sizeof(t->trouble), "%s", why);
	brski_board_wait(t, brski_now_ms() + ms);
	pthread_mutex_unlock(&board->lock);
}

bool brski_task_goes_on(const struct brski_task *t)
{
	bool goes_on;

	pthread_mutex_lock(&t->board->lock);
	goes_on = t->progress == BRSKI_PROGRESS_RUNNING;
	pthread_mutex_unlock(&t->board->lock);
	return goes_on;
}

long brski_task_rest(const struct brski_task *t)
{
	int64_t rest;

	pthread_mutex_lock(&t->board->lock);
	rest = t->silent && t->progress == BRSKI_PROGRESS_PAUSED ? t->queued.due - brski_now_ms() : 0;
	pthread_mutex_unlock(&t->board->lock);
	return rest > 0 ? (long)rest : 0;
}

/* ---- Its lease ---- */

void brski_task_set_leased(struct brski_task *t, bool leased)
{
	pthread_mutex_lock(&t->board->lock);
	t->leased = leased;
	pthread_mutex_unlock(&t->board->lock);
}

/* The worker alone changes it. */
bool brski_task_is_leased(const struct brski_task *t)
{
	return t->leased;
}

struct brski_task *brski_board_leased(struct brski_board *board)
{
	struct brski_task *t = NULL;

	pthread_mutex_lock(&board->lock);
	for (unsigned i = 0; i < BUCKETS && !t; i++)
		for (t = board->buckets[i]; t && !t->leased;)
			t = t->bucket;
	pthread_mutex_unlock(&board->lock);
	return t;
}
