/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "eap_brski/transport/http_follow.h"
#include "services/registrar/board_internal.h"

/* ---- Back ends ---- */

static void append(struct brski_board *board, struct brski_back_end *b)
{
	b->next = NULL;
	b->prev = board->last;
	*(board->last ? &board->last->next : &board->first) = b;
	board->last = b;
}

static void unlink_back_end(struct brski_board *board, struct brski_back_end *b)
{
	*(b->prev ? &b->prev->next : &board->first) = b->next;
	*(b->next ? &b->next->prev : &board->last) = b->prev;
}

struct brski_back_end *brski_board_back_end(
	struct brski_board *board, enum brski_job_kind kind, const char *name)
{
	struct brski_back_end *b = board->first;

	while (b && (b->kind != kind || strcmp(b->name, name) != 0))
		b = b->next;
	if (b)
		return b;
	b = malloc(sizeof(*b));
	if (!b)
		return NULL;
	brski_back_end_init(b, kind, name);
	append(board, b);
	return b;
}

void brski_board_had_turn(struct brski_board *board, struct brski_back_end *b)
{
	unlink_back_end(board, b);
	append(board, b);
}

void brski_board_remove_back_end(struct brski_board *board, struct brski_back_end *b)
{
	unlink_back_end(board, b);
	free(b);
}

/* ---- Tasks ---- */

static struct brski_task **bucket_of(struct brski_board *board, const char *key)
{
	unsigned hash = 0;

	for (size_t i = 0; i < 8 && key[i]; i++) /* it is a SHA-256 in hexadecimal */
		hash = hash * 31 + (unsigned char)key[i];
	return &board->buckets[hash % BUCKETS];
}

struct brski_task *brski_board_find(struct brski_board *board, const char *key)
{
	struct brski_task *t = *bucket_of(board, key);

	while (t && strcmp(t->key, key) != 0)
		t = t->bucket;
	return t;
}

static struct brski_back_end *called_by(struct brski_board *board, const struct brski_job *job)
{
	struct brski_call call = {0};
	char name[BRSKI_BACK_END_NAME] = "";

	if (brski_job_call(job, &call))
		snprintf(name, sizeof(name), "%.*s", (int)brski_http_origin_len(call.url), call.url);
	return brski_board_back_end(board, brski_job_kind_of(job), name);
}

bool brski_board_assign(struct brski_task *t)
{
	struct brski_back_end *b = called_by(t->board, t->job);

	if (!b)
		return false;
	if (t->back_end)
		t->back_end->tasks--;
	t->back_end = b;
	b->tasks++;
	return true;
}

static struct brski_task *task_new(struct brski_board *board, struct brski_job *job)
{
	struct brski_task *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->board = board;
	t->job = job;
	if (!brski_board_assign(t)) {
		free(t);
		return NULL;
	}
	snprintf(t->key, sizeof(t->key), "%s", brski_job_key(job));
	pthread_mutex_init(&t->job_lock, NULL);
	return t;
}

struct brski_task *brski_board_add(
	struct brski_board *board, struct brski_job *job, struct brski_back_end *share)
{
	struct brski_task *t = task_new(board, job);
	struct brski_task **b;

	if (!t)
		return NULL;
	t->share = share ? share : t->back_end;
	t->share->tasks++;
	t->queued.arrival = board->arrivals++;
	t->fresh = true;
	t->failures = brski_job_tries(job);
	b = bucket_of(board, t->key);
	t->bucket = *b;
	*b = t;
	board->held++;
	if (board->held > board->most_held)
		board->most_held = board->held;
	return t;
}

void brski_board_remove(struct brski_task *t)
{
	struct brski_board *board = t->board;
	struct brski_task **b = bucket_of(board, t->key);

	brski_board_dequeue(t);
	brski_board_count_share(t, false);
	t->back_end->tasks--;
	t->share->tasks--;
	while (*b != t)
		b = &(*b)->bucket;
	*b = t->bucket;
	board->held--;
	brski_job_free(t->job);
	pthread_mutex_destroy(&t->job_lock);
	free(t);
}
