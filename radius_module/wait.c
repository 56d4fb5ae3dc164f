/* SPDX-License-Identifier: BSD-3-Clause */
#include "radius_module/wait.h"

#include <errno.h>

#include "services/base/clock.h"
#include "services/base/thread.h"

void brski_wait_init(struct brski_wait *w)
{
	*w = (struct brski_wait){0};
	pthread_mutex_init(&w->lock, NULL);
	brski_cond_init(&w->changed);
}

void brski_wait_destroy(struct brski_wait *w)
{
	brski_wait_end(w);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
}

/* From the board, which is locked: w->lock is the inner one, and never held while the board is asked. */
static void on_moved(void *ctx)
{
	struct brski_wait *w = ctx;

	pthread_mutex_lock(&w->lock);
	w->moved = true;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

enum brski_code brski_wait_begin(
	struct brski_wait *w, struct brski_worker *worker, struct brski_job *job, struct brski_error *err)
{
	brski_patience_begin(&w->patience);
	w->moved = false;
	w->ticket = brski_worker_submit(worker, job, on_moved, w);
	return w->ticket ? BRSKI_OK : brski_fail(err, BRSKI_NO_MEMORY, "no memory for a job");
}

void brski_wait_end(struct brski_wait *w)
{
	brski_ticket_release(w->ticket);
	w->ticket = NULL;
}

/* ---- The server's threads ---- */

/* False: the time is over. */
static bool until_it_moves(struct brski_wait *w, int64_t end)
{
	int rc = 0;

	pthread_mutex_lock(&w->lock);
	while (!w->moved && rc != ETIMEDOUT)
		rc = brski_cond_wait_until(&w->changed, &w->lock, end);
	w->moved = false;
	pthread_mutex_unlock(&w->lock);
	return rc != ETIMEDOUT;
}

enum brski_progress brski_wait_look(struct brski_wait *w, struct brski_room *room, long ms, long *pause_ms)
{
	bool has_room = w->patience.waits == 0 && ms > 0 && brski_room_enter(room), may_wait = has_room;
	int64_t end = brski_now_ms() + ms;
	enum brski_progress progress;

	while ((progress = brski_ticket_look(w->ticket, pause_ms)) == BRSKI_PROGRESS_RUNNING && may_wait)
		may_wait = until_it_moves(w, end);
	if (has_room)
		brski_room_leave(room);
	return progress;
}

/* ---- The peer's patience ---- */

bool brski_wait_is_worth(const struct brski_wait *w, long pause_ms, long total_ms)
{
	char trouble[320];

	brski_ticket_trouble(w->ticket, trouble);
	return !trouble[0] && brski_patience_has(&w->patience, pause_ms, total_ms);
}
