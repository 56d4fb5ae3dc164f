/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/base/keeper.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eap_brski/ground/log_limit.h"
#include "services/base/clock.h"
#include "services/base/thread.h"

#define UNASKED_MS 1000 /* what nobody waits for */
#define RETRY_MS 1000   /* after a failure */
#define LOST_MAX 8      /* failures that are told from each other */

struct lost { /* the marks that were never kept: beyond `from`, up to `to` */
	uint64_t from, to;
};

struct keeper {
	struct keeper_work work;
	const struct brski_env *env;
	char name[256];
	pthread_t thread;

	pthread_mutex_t lock; /* of all below; nobody waits for a disk with it */
	pthread_cond_t to_do; /* for the thread */
	pthread_cond_t moved; /* for those who wait for a mark */
	uint64_t begun;       /* changes that may be seen; the newest mark */
	uint64_t done;        /* those of them that are whole */
	uint64_t wanted;      /* the newest mark that somebody has */
	uint64_t kept;
	int64_t since_ms; /* when the first one was done that is not kept */
	bool changing;    /* between keeper_change_begin and keeper_change_end */
	bool tidy;
	bool stop;

	bool failing;
	int64_t retry_ms;
	struct lost lost[LOST_MAX];
	unsigned n_lost;
	struct brski_error why;
	struct brski_log_limit log_limit;

	pthread_mutex_t calling; /* of what is below, and held during the calls */
	struct listener {
		void (*moved)(void *ctx);
		void *ctx;
	} listeners[KEEPER_LISTENERS];
	unsigned n_listeners;
};

/* ---- Changes ---- */

static void is_done(struct keeper *k)
{
	if (k->done == k->kept)
		k->since_ms = brski_now_ms();
	k->done = k->begun;
	pthread_cond_signal(&k->to_do);
}

void keeper_change_begin(struct keeper *k)
{
	pthread_mutex_lock(&k->lock);
	k->begun++;
	k->changing = true;
	pthread_mutex_unlock(&k->lock);
}

void keeper_change_end(struct keeper *k)
{
	pthread_mutex_lock(&k->lock);
	k->changing = false;
	is_done(k);
	pthread_mutex_unlock(&k->lock);
}

/* It is whole; a change that is under way is not, and the count goes up in order. */
static void found(struct keeper *k)
{
	k->begun++;
	if (!k->changing)
		is_done(k);
}

void keeper_change_found(struct keeper *k)
{
	pthread_mutex_lock(&k->lock);
	found(k);
	pthread_mutex_unlock(&k->lock);
}

void keeper_wake(struct keeper *k)
{
	pthread_mutex_lock(&k->lock);
	k->tidy = true;
	pthread_cond_signal(&k->to_do);
	pthread_mutex_unlock(&k->lock);
}

/* ---- Marks ---- */

uint64_t keeper_mark(struct keeper *k)
{
	uint64_t mark;

	pthread_mutex_lock(&k->lock);
	mark = k->begun;
	if (mark > k->wanted) {
		k->wanted = mark;
		pthread_cond_signal(&k->to_do);
	}
	pthread_mutex_unlock(&k->lock);
	return mark;
}

static bool is_lost(const struct keeper *k, uint64_t mark)
{
	for (unsigned i = 0; i < k->n_lost; i++)
		if (mark > k->lost[i].from && mark <= k->lost[i].to)
			return true;
	return false;
}

static enum brski_kept look(const struct keeper *k, uint64_t mark, struct brski_error *why)
{
	if (is_lost(k, mark)) {
		if (why)
			*why = k->why;
		return BRSKI_NOT_KEPT;
	}
	return mark <= k->kept ? BRSKI_KEPT : BRSKI_NOT_YET_KEPT;
}

enum brski_kept keeper_kept(struct keeper *k, uint64_t mark, struct brski_error *why)
{
	enum brski_kept is;

	pthread_mutex_lock(&k->lock);
	is = look(k, mark, why);
	pthread_mutex_unlock(&k->lock);
	return is;
}

enum brski_kept keeper_wait(struct keeper *k, uint64_t mark, long ms, struct brski_error *why)
{
	int64_t end = brski_now_ms() + ms;
	enum brski_kept is;
	int rc = 0;

	pthread_mutex_lock(&k->lock);
	while ((is = look(k, mark, why)) == BRSKI_NOT_YET_KEPT && rc == 0)
		rc = brski_cond_wait_until(&k->moved, &k->lock, end);
	pthread_mutex_unlock(&k->lock);
	return is;
}

static void forget(struct keeper *k, const void *ctx)
{
	for (unsigned i = 0; i < k->n_listeners; i++) {
		if (k->listeners[i].ctx == ctx) {
			k->listeners[i] = k->listeners[--k->n_listeners];
			return;
		}
	}
}

/* Whoever is not told waits for ever, so it is not left out in silence. */
void keeper_on_moved(struct keeper *k, void (*moved)(void *ctx), void *ctx)
{
	pthread_mutex_lock(&k->calling);
	forget(k, ctx);
	if (moved && k->n_listeners == KEEPER_LISTENERS)
		abort();
	if (moved)
		k->listeners[k->n_listeners++] = (struct listener){moved, ctx};
	pthread_mutex_unlock(&k->calling);
}

static void tell(struct keeper *k)
{
	pthread_mutex_lock(&k->calling);
	for (unsigned i = 0; i < k->n_listeners; i++)
		k->listeners[i].moved(k->listeners[i].ctx);
	pthread_mutex_unlock(&k->calling);
}

/* ---- What came of it: with the lock ---- */

/* The oldest are long forgotten by those who had them. */
static void make_room(struct keeper *k)
{
	if (k->n_lost < LOST_MAX)
		return;
	k->lost[1].from = k->lost[0].from;
	memmove(k->lost, k->lost + 1, (LOST_MAX - 1) * sizeof(k->lost[0]));
	k->n_lost--;
}

static void has_failed(struct keeper *k, const struct brski_error *why)
{
	struct lost *last = k->n_lost ? &k->lost[k->n_lost - 1] : NULL;

	k->failing = true;
	k->retry_ms = brski_now_ms() + RETRY_MS;
	k->why = *why;
	if (last && last->to >= k->kept) {
		last->to = k->begun;
	} else if (k->begun > k->kept) {
		make_room(k);
		k->lost[k->n_lost++] = (struct lost){k->kept, k->begun};
	}
}

/* Marks of the time of the failure stay lost: whoever asks from now on gets a new one. */
static void is_kept(struct keeper *k, uint64_t upto)
{
	k->kept = upto;
	k->since_ms = brski_now_ms();
	if (k->failing)
		found(k);
	k->failing = false;
}

static void log_failure(struct keeper *k, const struct brski_error *why)
{
	char more[BRSKI_LOG_MORE_MAX];
	unsigned left_out;

	if (brski_log_due(&k->log_limit, brski_now_ms(), &left_out))
		brski_log(k->env, BRSKI_LOG_ERROR,
			"%s: the disk fails, nobody is answered or called before it keeps what is written: "
			"%s%s",
			k->name, why->why, brski_log_more(left_out, more));
}

/* ---- The thread ---- */

static void settle(struct keeper *k, enum brski_code code, uint64_t upto, const struct brski_error *err)
{
	bool was_failing;

	pthread_mutex_lock(&k->lock);
	was_failing = k->failing;
	if (code == BRSKI_OK)
		is_kept(k, upto);
	else
		has_failed(k, err);
	pthread_cond_broadcast(&k->moved);
	pthread_mutex_unlock(&k->lock);
	if (code != BRSKI_OK)
		log_failure(k, err);
	else if (was_failing)
		brski_log(k->env, BRSKI_LOG_INFO, "%s: the disk keeps what is written again", k->name);
	tell(k);
}

static void keep(struct keeper *k)
{
	struct brski_error err = {0};
	uint64_t upto = k->done;
	bool failing = k->failing;
	enum brski_code code;

	pthread_mutex_unlock(&k->lock);
	code = failing ? k->work.repair(k->work.ctx, &err) : k->work.sync(k->work.ctx, &err);
	settle(k, code, upto, &err);
	pthread_mutex_lock(&k->lock);
}

static void tidy(struct keeper *k)
{
	struct brski_error err = {0};
	enum brski_code code;

	k->tidy = false;
	pthread_mutex_unlock(&k->lock);
	code = k->work.tidy(k->work.ctx, &err);
	if (code != BRSKI_OK)
		settle(k, code, 0, &err);
	pthread_mutex_lock(&k->lock);
}

/* When there is something to keep: 0 is now, -1 is when somebody says so. */
static int64_t due(const struct keeper *k)
{
	if (k->failing)
		return k->retry_ms;
	if (k->done == k->kept)
		return -1;
	return k->wanted > k->kept || k->stop ? 0 : k->since_ms + UNASKED_MS;
}

static void pause_until(struct keeper *k, int64_t ms)
{
	if (ms < 0)
		pthread_cond_wait(&k->to_do, &k->lock);
	else
		(void)brski_cond_wait_until(&k->to_do, &k->lock, ms);
}

static void *run(void *arg)
{
	struct keeper *k = arg;

	pthread_mutex_lock(&k->lock);
	while (!k->stop) {
		int64_t when = due(k);
		bool now = when >= 0 && when <= brski_now_ms();

		if (now)
			keep(k);
		if (k->tidy && !k->failing)
			tidy(k);
		else if (!now)
			pause_until(k, when);
	}
	if (k->done > k->kept)
		keep(k);
	pthread_mutex_unlock(&k->lock);
	return NULL;
}

/* ---- Making and ending ---- */

static void init_locks(struct keeper *k)
{
	pthread_mutex_init(&k->lock, NULL);
	pthread_mutex_init(&k->calling, NULL);
	brski_cond_init(&k->to_do);
	brski_cond_init(&k->moved);
}

static void destroy(struct keeper *k)
{
	pthread_cond_destroy(&k->to_do);
	pthread_cond_destroy(&k->moved);
	pthread_mutex_destroy(&k->calling);
	pthread_mutex_destroy(&k->lock);
	free(k);
}

enum brski_code keeper_new(const struct keeper_work *work, const char *name, const struct brski_env *env,
	struct keeper **out, struct brski_error *err)
{
	struct keeper *k = calloc(1, sizeof(*k));
	enum brski_code code;

	*out = NULL;
	if (!k)
		return brski_fail(err, BRSKI_NO_MEMORY, "out of memory");
	k->work = *work;
	k->env = env;
	snprintf(k->name, sizeof(k->name), "%s", name);
	init_locks(k);
	code = brski_thread_start(&k->thread, run, k, "that waits for the disk", err);
	if (code != BRSKI_OK)
		destroy(k);
	else
		*out = k;
	return code;
}

void keeper_free(struct keeper *k)
{
	if (!k)
		return;
	pthread_mutex_lock(&k->lock);
	k->stop = true;
	pthread_cond_signal(&k->to_do);
	pthread_mutex_unlock(&k->lock);
	pthread_join(k->thread, NULL);
	destroy(k);
}
