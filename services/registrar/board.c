/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/board.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eap_brski/transport/http_follow.h"
#include "services/base/clock.h"
#include "services/registrar/places.h"

#define STEPS_MAX 16 /* calls of one job without a pause */
#define WAKE_MS 2000 /* a visit of the pledge brings a retry forward, but not sooner than this */
#define BUCKETS 512

/*
 * A job in memory. board->lock guards everything here but `job`, which has a lock of its own, held
 * while an answer is worked on. The worker alone changes jobs, so that it reads them without that
 * lock. Neither lock is ever taken while the other is held.
 */
struct brski_task {
	struct brski_task *bucket;      /* next of the same hash */
	struct brski_task *next, *prev; /* in order of arrival */
	struct brski_board *board;
	pthread_mutex_t job_lock;
	struct brski_job *job;
	char key[BRSKI_FINGERPRINT_MAX];
	char origin[BRSKI_URL_MAX + 64]; /* of the call under way */
	enum brski_job_kind kind;        /* the job's */
	struct brski_place *place;       /* while it calls */
	char trouble[320];
	enum brski_progress progress;
	bool calling;
	bool told;     /* the pause was asked for by the back end */
	bool fresh;    /* new in memory: not compared with the store yet */
	bool leased;   /* the worker's own, who asks for it without the lock */
	int64_t due;   /* ms: when the next call may be made */
	int64_t ended; /* ms: when the last one ended */
	unsigned failures;
	unsigned steps;
	struct brski_ticket *tickets;
};

struct brski_ticket {
	struct brski_task *task;
	struct brski_ticket *next; /* of the same job */
	brski_ticket_moved *moved;
	void *ctx;
};

struct brski_board {
	struct brski_board_config config;
	pthread_mutex_t lock;
	struct brski_task *buckets[BUCKETS];
	struct brski_task *first, *last;
	unsigned held, running;
	unsigned held_of[2]; /* by enum brski_job_kind */
	struct brski_places places;
};

static struct brski_task **bucket_of(struct brski_board *board, const char *key)
{
	unsigned hash = 0;

	for (size_t i = 0; i < 8 && key[i]; i++) /* it is a SHA-256 in hexadecimal */
		hash = hash * 31 + (unsigned char)key[i];
	return &board->buckets[hash % BUCKETS];
}

static struct brski_task *find(struct brski_board *board, const char *key)
{
	struct brski_task *t = *bucket_of(board, key);

	while (t && strcmp(t->key, key) != 0)
		t = t->bucket;
	return t;
}

static struct brski_task *task_new(struct brski_board *board, struct brski_job *job)
{
	struct brski_task *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->board = board;
	t->job = job;
	t->kind = brski_job_kind_of(job);
	snprintf(t->key, sizeof(t->key), "%s", brski_job_key(job));
	pthread_mutex_init(&t->job_lock, NULL);
	return t;
}

static void task_free(struct brski_task *t)
{
	brski_job_free(t->job);
	pthread_mutex_destroy(&t->job_lock);
	free(t);
}

static void link_task(struct brski_board *board, struct brski_task *t)
{
	struct brski_task **b = bucket_of(board, t->key);

	t->bucket = *b;
	*b = t;
	t->prev = board->last;
	if (board->last)
		board->last->next = t;
	else
		board->first = t;
	board->last = t;
	board->held++;
	board->held_of[t->kind]++;
}

static void unlink_task(struct brski_board *board, struct brski_task *t)
{
	struct brski_task **b = bucket_of(board, t->key);

	while (*b != t)
		b = &(*b)->bucket;
	*b = t->bucket;
	*(t->prev ? &t->prev->next : &board->first) = t->next;
	*(t->next ? &t->next->prev : &board->last) = t->prev;
	board->held--;
	board->held_of[t->kind]--;
}

/* Nobody's any more: finished, no session at it, and the worker has let go of it. With the lock held. */
static void drop_if_over(struct brski_board *board, struct brski_task *t)
{
	if (t->tickets || t->calling || t->progress != BRSKI_PROGRESS_FINISHED)
		return;
	unlink_task(board, t);
	task_free(t);
}

/* The one function that changes progress. With the lock held. */
static void set_progress(struct brski_task *t, enum brski_progress progress, long pause_ms)
{
	t->progress = progress;
	t->due = brski_now_ms() + pause_ms;
	for (const struct brski_ticket *ticket = t->tickets; ticket; ticket = ticket->next)
		if (ticket->moved)
			ticket->moved(ticket->ctx);
}

/* A new one, which takes the job. NULL: no memory. With the lock held. */
static struct brski_task *add_task(struct brski_board *board, struct brski_job *job)
{
	struct brski_task *t = task_new(board, job);

	if (!t)
		return NULL;
	t->fresh = true;
	link_task(board, t);
	set_progress(t, BRSKI_PROGRESS_RUNNING, 0);
	return t;
}

/* ---- Sessions' side ---- */

/*
 * A pledge that comes back is a reason to try again before the pause is over, unless the back end
 * asked for the pause.
 */
static void wake(struct brski_task *t)
{
	if (t->progress != BRSKI_PROGRESS_PAUSED || t->told || brski_now_ms() - t->ended < WAKE_MS)
		return;
	t->trouble[0] = '\0';
	set_progress(t, BRSKI_PROGRESS_RUNNING, 0);
}

/*
 * The task of that job: the one that is there, or a new one. Takes the job. NULL: no memory. With the
 * lock held.
 */
static struct brski_task *task_of(struct brski_board *board, struct brski_job *job)
{
	struct brski_task *t = find(board, brski_job_key(job));

	if (t) {
		brski_job_free(job);
		wake(t);
		return t;
	}
	t = add_task(board, job);
	if (!t)
		brski_job_free(job);
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
	drop_if_over(board, ticket->task);
	pthread_mutex_unlock(&board->lock);
	free(ticket);
}

enum brski_progress brski_ticket_look(const struct brski_ticket *ticket, long *pause_ms)
{
	struct brski_task *t = ticket->task;
	enum brski_progress progress;
	int64_t pause;

	pthread_mutex_lock(&t->board->lock);
	progress = t->progress;
	pause = t->due - brski_now_ms();
	pthread_mutex_unlock(&t->board->lock);
	if (pause_ms)
		*pause_ms = progress == BRSKI_PROGRESS_PAUSED && pause > 0 ? (long)pause : 0;
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
	pthread_mutex_lock(&ticket->task->board->lock);
	snprintf(why, 320, "%s", ticket->task->trouble);
	pthread_mutex_unlock(&ticket->task->board->lock);
}

void brski_board_count(struct brski_board *board, unsigned *held, unsigned *running)
{
	pthread_mutex_lock(&board->lock);
	*held = board->held;
	*running = board->running;
	pthread_mutex_unlock(&board->lock);
}

/* ---- The worker's side: what is in the store ---- */

bool brski_board_has(struct brski_board *board, const char *key)
{
	bool has;

	pthread_mutex_lock(&board->lock);
	has = find(board, key) != NULL;
	pthread_mutex_unlock(&board->lock);
	return has;
}

bool brski_board_adopt(struct brski_board *board, struct brski_job *job)
{
	struct brski_task *t = NULL;

	pthread_mutex_lock(&board->lock);
	if (board->held_of[brski_job_kind_of(job)] < BRSKI_BOARD_MAX && !find(board, brski_job_key(job)))
		t = add_task(board, job);
	pthread_mutex_unlock(&board->lock);
	return t != NULL;
}

/* ---- The worker's side: whose turn it is ---- */

/* "https://masa.example:9443", for counting and for the log. */
static void set_origin(struct brski_task *t)
{
	struct brski_call call = {0};

	t->origin[0] = '\0';
	if (brski_job_call(t->job, &call))
		snprintf(
			t->origin, sizeof(t->origin), "%.*s", (int)brski_http_origin_len(call.url), call.url);
}

/*
 * The first that may call now and has a place. Thousands may wait for a back end that is full: whether it
 * is, is asked for the first of them. With the lock held.
 */
static struct brski_task *find_due(struct brski_board *board)
{
	const struct brski_task *full = NULL;
	int64_t now = brski_now_ms();

	if (board->running >= BRSKI_PLACES)
		return NULL;
	for (struct brski_task *t = board->first; t; t = t->next) {
		if (t->calling || t->progress == BRSKI_PROGRESS_FINISHED || t->due > now)
			continue;
		set_origin(t);
		if (full && full->kind == t->kind && strcmp(t->origin, full->origin) == 0)
			continue;
		if (brski_places_has_room(&board->places, t->kind, t->origin))
			return t;
		full = t;
	}
	return NULL;
}

/* NULL also if there is no memory for it, and then nothing has changed. */
static struct brski_task *take_due(struct brski_board *board)
{
	struct brski_task *t = find_due(board);

	if (t)
		t->place = brski_places_take(&board->places, t->kind, t->origin);
	return t && t->place ? t : NULL;
}

/* The next one that may call now, in order of arrival; taken. */
struct brski_task *brski_board_take(struct brski_board *board)
{
	struct brski_task *t;

	pthread_mutex_lock(&board->lock);
	t = take_due(board);
	if (t) {
		t->calling = true;
		t->trouble[0] = '\0';
		board->running++;
		set_progress(t, BRSKI_PROGRESS_RUNNING, 0);
	}
	pthread_mutex_unlock(&board->lock);
	return t;
}

long brski_board_next(struct brski_board *board, int64_t until)
{
	int64_t next = until, now = brski_now_ms();

	pthread_mutex_lock(&board->lock);
	for (const struct brski_task *t = board->first; t; t = t->next)
		if (t->progress == BRSKI_PROGRESS_PAUSED && t->due < next)
			next = t->due;
	pthread_mutex_unlock(&board->lock);
	return next > now ? (long)(next - now) : 0;
}

/* ---- The worker's side: one job ---- */

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
	return t->origin;
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

/* 5 s, 10 s, 20 s ... and up to a quarter more, so that a thousand jobs do not come back in one second. */
static long back_off(struct brski_board *board, unsigned failures)
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

void brski_task_pause(struct brski_task *t, const char *why)
{
	struct brski_board *board = t->board;

	pthread_mutex_lock(&board->lock);
	snprintf(t->trouble, sizeof(t->trouble), "%s", why);
	t->failures++;
	t->steps = 0;
	t->told = false;
	t->ended = brski_now_ms();
	set_progress(t, BRSKI_PROGRESS_PAUSED, back_off(board, t->failures));
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
	t->ended = brski_now_ms();
	t->told = wait > 0;
	if (state != BRSKI_JOB_WAITING)
		set_progress(t, BRSKI_PROGRESS_FINISHED, 0);
	else if (wait > 0)
		set_progress(t, BRSKI_PROGRESS_PAUSED, wait * 1000);
	else if (++t->steps >= STEPS_MAX)
		set_progress(t, BRSKI_PROGRESS_PAUSED, board->config.retry_max_ms);
	else
		set_progress(t, BRSKI_PROGRESS_RUNNING, 0);
	if (wait > 0)
		t->steps = 0;
	pthread_mutex_unlock(&board->lock);
}

void brski_task_drop(struct brski_task *t, const char *why)
{
	struct brski_board *board = t->board;

	pthread_mutex_lock(&board->lock);
	snprintf(t->trouble, sizeof(t->trouble), "%s", why);
	set_progress(t, BRSKI_PROGRESS_FINISHED, 0);
	pthread_mutex_unlock(&board->lock);
}

void brski_task_stand_by(struct brski_task *t, long ms)
{
	struct brski_board *board = t->board;

	pthread_mutex_lock(&board->lock);
	t->told = false;
	t->ended = brski_now_ms();
	set_progress(t, BRSKI_PROGRESS_PAUSED, ms);
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

void brski_task_set_leased(struct brski_task *t, bool leased)
{
	t->leased = leased;
}

bool brski_task_is_leased(const struct brski_task *t)
{
	return t->leased;
}

struct brski_task *brski_board_leased(struct brski_board *board)
{
	struct brski_task *t;

	pthread_mutex_lock(&board->lock);
	t = board->first;
	while (t && !t->leased)
		t = t->next;
	pthread_mutex_unlock(&board->lock);
	return t;
}

/* The worker is through with it for now. */
void brski_task_let_go(struct brski_task *t)
{
	struct brski_board *board = t->board;

	pthread_mutex_lock(&board->lock);
	t->calling = false;
	board->running--;
	brski_places_give_back(&board->places, t->place);
	t->place = NULL;
	drop_if_over(board, t);
	pthread_mutex_unlock(&board->lock);
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
	struct brski_task *t;

	if (!board)
		return;
	while ((t = board->first)) {
		brski_places_give_back(&board->places, t->place);
		unlink_task(board, t);
		task_free(t);
	}
	pthread_mutex_destroy(&board->lock);
	free(board);
}
