/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/board_internal.h"

/* What of the store is in memory, with nobody here for it. */

#define POOL (2 * BRSKI_BOARD_MAX) /* for each kind: the PKI's are in memory, however many wait for MASAs */
#define SOON_MS 5000               /* what pauses for longer, leaves its room to what need not */

static unsigned free_of(const struct brski_board *board, const struct brski_back_end *share)
{
	unsigned n = board->shares[share->kind];

	return n < POOL ? POOL - n : 0;
}

static unsigned room_of(const struct brski_board *board, const struct brski_back_end *share)
{
	unsigned own = share->shares, left = free_of(board, share);
	unsigned few = own < BRSKI_BOARD_FEW ? BRSKI_BOARD_FEW - own : 0;
	unsigned fair = left > own && !share->away ? (left - own + 1) / 2 : 0;

	return fair > few ? fair : few;
}

bool brski_board_has_room(const struct brski_board *board, const struct brski_back_end *share)
{
	return room_of(board, share) > 0;
}

void brski_board_count_share(struct brski_task *t, bool is_share)
{
	int change = (int)is_share - (int)t->is_share;

	t->is_share = is_share;
	t->share->shares += (unsigned)change;
	t->board->shares[t->share->kind] += (unsigned)change;
}

bool brski_board_may_leave(const struct brski_task *t, int64_t now)
{
	int64_t longest = t->share->more ? SOON_MS : t->board->config.scan_ms;

	if (t->tickets || t->leased || t->progress == BRSKI_PROGRESS_FINISHED)
		return false;
	return t->stands_by || t->queued.due - now > longest || !brski_board_has_room(t->board, t->share);
}

/* ---- For the worker ---- */

bool brski_board_has(struct brski_board *board, const char *key)
{
	bool has;

	pthread_mutex_lock(&board->lock);
	has = brski_board_find(board, key) != NULL;
	pthread_mutex_unlock(&board->lock);
	return has;
}

/* What is there lasts for a while, and the store is asked for some at a time. */
static bool is_worth_it(const struct brski_back_end *b, unsigned room)
{
	return room >= BRSKI_BOARD_FEW || b->shares < BRSKI_BOARD_FEW;
}

void brski_board_room(
	struct brski_board *board, const struct brski_share *share, struct brski_share_room *room)
{
	struct brski_back_end *b;
	unsigned n;

	*room = (struct brski_share_room){0};
	pthread_mutex_lock(&board->lock);
	b = brski_board_back_end(board, share->kind, share->back_end);
	if (b) {
		n = room_of(board, b);
		room->jobs = is_worth_it(b, n) ? n : 0;
		room->times = b->times;
		room->left = b->left;
	}
	pthread_mutex_unlock(&board->lock);
}

void brski_board_look(struct brski_board *board, const struct brski_share *share, bool more)
{
	struct brski_back_end *b;

	pthread_mutex_lock(&board->lock);
	b = brski_board_back_end(board, share->kind, share->back_end);
	if (b) {
		b->more = more;
		b->left = b->left && !more;
	}
	pthread_mutex_unlock(&board->lock);
}

bool brski_board_adopt(struct brski_board *board, const struct brski_share *share, struct brski_job *job)
{
	struct brski_task *t = NULL;
	struct brski_back_end *b;

	pthread_mutex_lock(&board->lock);
	b = brski_board_back_end(board, share->kind, share->back_end);
	if (b && brski_board_has_room(board, b) && !brski_board_find(board, brski_job_key(job)))
		t = brski_board_add(board, job, b);
	if (t) {
		t->told = brski_job_not_before(job) > 0;
		brski_board_count_share(t, true);
		brski_board_wait(t, brski_now_ms() + brski_job_not_before(job) * 1000);
	}
	pthread_mutex_unlock(&board->lock);
	return t != NULL;
}

void brski_board_tidy(struct brski_board *board)
{
	int64_t since = brski_now_ms() - 2 * board->config.retry_max_ms;

	pthread_mutex_lock(&board->lock);
	for (struct brski_back_end *b = board->first, *next; b; b = next) {
		next = b->next;
		if (brski_back_end_is_idle(b, since))
			brski_board_remove_back_end(board, b);
	}
	pthread_mutex_unlock(&board->lock);
}
