/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "services/registrar/board_internal.h"

/* ---- Sessions' side ---- */

static struct brski_task *add(struct brski_board *board, struct brski_job *job)
{
	struct brski_task *t = brski_board_add(board, job, NULL);

	if (t)
		brski_board_wait(t, brski_now_ms());
	else
		brski_job_free(job);
	return t;
}

/*
 * The task of that job: the one that is there, or a new one. Takes the job. NULL: no memory. With the
 * lock held.
 */
static struct brski_task *task_of(struct brski_board *board, struct brski_job *job)
{
	struct brski_task *t = brski_board_find(board, brski_job_key(job));

	if (t)
		brski_job_free(job);
	else
		t = add(board, job);
	if (!t)
		return NULL;
	brski_board_count_share(t, false);
	brski_board_wake(t);
	return t;
}

struct brski_ticket *brski_board_submit(
	struct brski_board *board, struct brski_job *job, brski_ticket_moved *moved, void *ctx)
{
	struct brski_ticket *ticket = calloc(1, sizeof(*ticket));

	if (!ticket) {
		brski_job_free(job);
		return NULL;
	}
	*ticket = (struct brski_ticket){.moved = moved, .ctx = ctx};
	pthread_mutex_lock(&board->lock);
	ticket->task = task_of(board, job);
	if (ticket->task) {
		ticket->next = ticket->task->tickets;
		ticket->task->tickets = ticket;
	}
	pthread_mutex_unlock(&board->lock);
	if (ticket->task)
		return ticket;
	free(ticket);
	return NULL;
}

void brski_ticket_release(struct brski_ticket *ticket)
{
	struct brski_ticket **link;
	struct brski_board *board;

	if (!ticket)
		return;
	board = ticket->task->board;
	pthread_mutex_lock(&board->lock);
	link = &ticket->task->tickets;
	while (*link != ticket)
		link = &(*link)->next;
	*link = ticket->next;
	brski_board_drop_if_over(ticket->task);
	pthread_mutex_unlock(&board->lock);
	free(ticket);
}

/* With the lock held. */
static long pause_of(const struct brski_task *t)
{
	int64_t now = brski_now_ms(), at = t->queued.due;

	if (t->progress != BRSKI_PROGRESS_PAUSED)
		return 0;
	if (t->back_end->away && !t->calling && at < t->back_end->probe_at)
		at = t->back_end->probe_at;
	return at > now ? (long)(at - now) : 0;
}

enum brski_progress brski_ticket_look(const struct brski_ticket *ticket, long *pause_ms)
{
	struct brski_task *t = ticket->task;
	enum brski_progress progress;
	long pause;

	pthread_mutex_lock(&t->board->lock);
	progress = t->progress;
	pause = pause_of(t);
	pthread_mutex_unlock(&t->board->lock);
	if (pause_ms)
		*pause_ms = pause;
	return progress;
}

const struct brski_job *brski_ticket_lock(struct brski_ticket *ticket)
{
	pthread_mutex_lock(&ticket->task->job_lock);
	return ticket->task->job;
}

void brski_ticket_unlock(struct brski_ticket *ticket)
{
	pthread_mutex_unlock(&ticket->task->job_lock);
}

void brski_ticket_trouble(const struct brski_ticket *ticket, char why[320])
{
	const struct brski_task *t = ticket->task;
	const char *trouble = t->trouble;

	pthread_mutex_lock(&t->board->lock);
	if (!trouble[0] && t->progress == BRSKI_PROGRESS_PAUSED && !t->told && t->back_end->away)
		trouble = t->back_end->trouble;
	snprintf(why, 320, "%s", trouble);
	pthread_mutex_unlock(&t->board->lock);
}

void brski_board_count(struct brski_board *board, unsigned *held, unsigned *running)
{
	pthread_mutex_lock(&board->lock);
	*held = board->held;
	*running = board->running;
	pthread_mutex_unlock(&board->lock);
}

unsigned brski_board_most(struct brski_board *board)
{
	unsigned most;

	pthread_mutex_lock(&board->lock);
	most = board->most_held;
	board->most_held = board->held;
	pthread_mutex_unlock(&board->lock);
	return most;
}

/* ---- Making and ending ---- */

enum brski_code brski_board_new(
	const struct brski_board_config *config, struct brski_board **out, struct brski_error *err)
{
	struct brski_board *board = calloc(1, sizeof(*board));

	*out = NULL;
	if (!board)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for jobs");
	board->config = *config;
	pthread_mutex_init(&board->lock, NULL);
	*out = board;
	return BRSKI_OK;
}

void brski_board_free(struct brski_board *board)
{
	if (!board)
		return;
	for (unsigned i = 0; i < BUCKETS; i++)
		while (board->buckets[i])
			brski_board_remove(board->buckets[i]);
	while (board->first)
		brski_board_remove_back_end(board, board->first);
	pthread_mutex_destroy(&board->lock);
	free(board);
}
