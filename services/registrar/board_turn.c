/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/board_internal.h"

/* Whose turn it is. */

static struct brski_task *task_of(struct brski_queued *queued)
{
	return (struct brski_task *)queued;
}

/* ---- Progress ---- */

/* The one function that changes it. */
static void set_progress(struct brski_task *t, enum brski_progress progress)
{
	t->progress = progress;
	for (const struct brski_ticket *ticket = t->tickets; ticket; ticket = ticket->next)
		if (ticket->moved)
			ticket->moved(ticket->ctx);
}

void brski_board_finish(struct brski_task *t)
{
	brski_board_dequeue(t);
	set_progress(t, BRSKI_PROGRESS_FINISHED);
}

void brski_board_call(struct brski_task *t)
{
	brski_board_dequeue(t);
	t->calling = true;
	set_progress(t, BRSKI_PROGRESS_RUNNING);
}

/* It waits for nothing but a place. */
static bool is_about_to_call(const struct brski_task *t, int64_t now)
{
	const struct brski_back_end *b = t->back_end;

	if (t->queued.due > now)
		return false;
	return !b->away || (b->wanted == &t->queued && brski_back_end_when(b, t->queued.due) <= now);
}

static void enqueue(struct brski_task *t)
{
	enum brski_progress progress =
		is_about_to_call(t, brski_now_ms()) ? BRSKI_PROGRESS_RUNNING : BRSKI_PROGRESS_PAUSED;

	brski_queue_put(&t->back_end->queue, &t->queued);
	if (progress != t->progress)
		set_progress(t, progress);
}

void brski_board_dequeue(struct brski_task *t)
{
	struct brski_back_end *b = t->back_end;

	brski_queue_remove(&b->queue, &t->queued);
	if (b->wanted == &t->queued)
		b->wanted = NULL;
}

void brski_board_wait(struct brski_task *t, int64_t due)
{
	brski_board_dequeue(t);
	t->queued.due = due;
	if (!t->calling)
		enqueue(t);
	else
		set_progress(t, due > brski_now_ms() ? BRSKI_PROGRESS_PAUSED : BRSKI_PROGRESS_RUNNING);
}

/*
 * A pledge that comes back is a reason to try again before the pause is over, unless the back end
 * asked for the pause. If that is away, what this pledge waits for is the next to be tried.
 */
void brski_board_wake(struct brski_task *t)
{
	struct brski_back_end *b = t->back_end;
	int64_t now = brski_now_ms();

	if (t->calling || t->progress == BRSKI_PROGRESS_FINISHED || (t->told && t->queued.due > now))
		return;
	if (b->away && (b->wanted || !brski_back_end_bring_forward(b, now)))
		return;
	if (!b->away && (t->progress != BRSKI_PROGRESS_PAUSED || now - t->ended < BRSKI_BACK_END_WAKE_MS))
		return;
	t->trouble[0] = '\0';
	brski_board_dequeue(t);
	if (t->queued.due > now)
		t->queued.due = now;
	if (b->away)
		b->wanted = &t->queued;
	enqueue(t);
}

/* ---- A back end that comes and goes: the only times at which all that wait for it are looked at ---- */

/* All that is in the queue, the earliest first, linked by `next`. */
static struct brski_queued *empty(struct brski_queue *queue)
{
	struct brski_queued *all = NULL, **end = &all, *q;

	while ((q = queue->first)) {
		brski_queue_remove(queue, q);
		*end = q;
		end = &q->next;
	}
	return all;
}

/* Back into the queue, unless nobody is here for it and there is no room. */
static void put_back(struct brski_task *t)
{
	struct brski_back_end *share = t->share;

	if (t->is_share && share->away && share->shares > BRSKI_BOARD_FEW && !t->leased) {
		share->left = true;
		brski_board_remove(t);
	} else {
		enqueue(t);
	}
}

void brski_board_went(struct brski_back_end *b)
{
	struct brski_queued *all = empty(&b->queue), *next;

	b->wanted = NULL;
	for (struct brski_queued *q = all; q; q = next) {
		next = q->next;
		put_back(task_of(q));
	}
}

void brski_board_came(struct brski_back_end *b)
{
	struct brski_queued *all = empty(&b->queue), *next;
	int64_t now = brski_now_ms();

	b->wanted = NULL;
	for (struct brski_queued *q = all; q; q = next) {
		struct brski_task *t = task_of(q);

		next = q->next;
		if (t->silent && t->ended >= b->silent_since && q->due > now) {
			q->due = now;
			t->trouble[0] = '\0';
		}
		enqueue(t);
	}
}

/* ---- Taking turns ---- */

static struct brski_queued *next_of(const struct brski_back_end *b)
{
	return b->away && b->wanted ? b->wanted : b->queue.first;
}

/* When it may call somebody; INT64_MAX: when something has ended. */
static int64_t ready_at(const struct brski_board *board, const struct brski_back_end *b)
{
	const struct brski_queued *q = next_of(b);

	if (!q || !brski_places_has_room(&board->places, b->kind, b->running))
		return INT64_MAX;
	return brski_back_end_when(b, q->due);
}

static struct brski_task *find_due(struct brski_board *board)
{
	int64_t now = brski_now_ms();

	for (struct brski_back_end *b = board->first; b; b = b->next)
		if (ready_at(board, b) <= now)
			return task_of(next_of(b));
	return NULL;
}

static void take(struct brski_board *board, struct brski_task *t)
{
	struct brski_back_end *b = t->back_end;

	brski_board_call(t);
	t->trouble[0] = '\0';
	t->silent = t->stands_by = t->told = false;
	t->probe = brski_back_end_begin(b);
	board->places.running[b->kind]++;
	board->running++;
	brski_board_had_turn(board, b);
}

struct brski_task *brski_board_take(struct brski_board *board)
{
	struct brski_task *t;

	pthread_mutex_lock(&board->lock);
	t = find_due(board);
	if (t)
		take(board, t);
	pthread_mutex_unlock(&board->lock);
	return t;
}

long brski_board_next(struct brski_board *board, int64_t until)
{
	int64_t next = until, now = brski_now_ms();

	pthread_mutex_lock(&board->lock);
	for (const struct brski_back_end *b = board->first; b; b = b->next) {
		int64_t at = ready_at(board, b);

		next = at < next ? at : next;
	}
	pthread_mutex_unlock(&board->lock);
	return next > now ? (long)(next - now) : 0;
}

/* ---- What becomes of one that nobody is at ---- */

void brski_board_drop_if_over(struct brski_task *t)
{
	if (t->tickets || t->calling)
		return;
	if (t->progress == BRSKI_PROGRESS_FINISHED) {
		brski_board_remove(t);
		return;
	}
	if (!t->is_share && brski_board_may_leave(t, brski_now_ms())) {
		t->share->left = t->share->left || !brski_board_has_room(t->board, t->share);
		brski_board_remove(t);
		return;
	}
	if (!t->is_share)
		brski_board_count_share(t, true);
	if (!t->queued.is_in)
		enqueue(t);
}

/* The worker is through with it for now. */
void brski_task_let_go(struct brski_task *t)
{
	struct brski_board *board = t->board;
	struct brski_back_end *b = t->back_end;

	pthread_mutex_lock(&board->lock);
	t->calling = false;
	board->running--;
	board->places.running[b->kind]--;
	brski_back_end_end(b, t->probe);
	t->probe = false;
	if (t->progress != BRSKI_PROGRESS_FINISHED)
		(void)brski_board_assign(t);
	brski_board_count_share(t, false);
	if (t->tickets && t->progress != BRSKI_PROGRESS_FINISHED)
		enqueue(t);
	brski_board_drop_if_over(t);
	pthread_mutex_unlock(&board->lock);
}
