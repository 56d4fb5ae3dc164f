/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_BOARD_INTERNAL_H
#define BRSKI_SERVICES_REGISTRAR_BOARD_INTERNAL_H

#include <pthread.h>
#include <string.h>

#include "services/base/clock.h"
#include "services/registrar/back_end.h"
#include "services/registrar/board.h"
#include "services/registrar/places.h"

/*
 * Private to board*.c:
 *
 *   board.c        making and ending, and the sessions' side
 *   board_turn.c   whose turn it is
 *   board_job.c    the worker's side of one job
 *   board_share.c  what of the store is in memory
 *   board_list.c   the tasks and the back ends that there are
 */

#define BUCKETS 4096

/*
 * A job in memory. board->lock guards everything here but `job`, which has a lock of its own, held
 * while an answer is worked on. The worker alone changes jobs, so that it reads them without that
 * lock. Neither lock is ever taken while the other is held.
 */
struct brski_task {
	struct brski_queued queued; /* the first, so that the one is the other; due: its next call */
	struct brski_task *bucket;  /* next of the same hash */
	struct brski_board *board;
	struct brski_back_end *back_end; /* that it calls next, or calls now */
	struct brski_back_end *share;    /* whose it is in the store */
	pthread_mutex_t job_lock;
	struct brski_job *job;
	char key[BRSKI_FINGERPRINT_MAX];
	char trouble[320];
	enum brski_progress progress;
	bool calling;   /* the worker's, and in no queue */
	bool probe;     /* while it calls */
	bool told;      /* the pause was asked for by the back end */
	bool silent;    /* it pauses, since its call came to nothing */
	bool fresh;     /* new in memory: not compared with the store yet */
	bool leased;    /* the worker has the lease */
	bool stands_by; /* another server has */
	bool is_share;  /* counted as one of the share's */
	int64_t ended;  /* ms: the last call */
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
	struct brski_back_end *first, *last; /* in the order of their turns */
	unsigned held, running;
	unsigned most_held;
	unsigned shares[2]; /* by enum brski_job_kind */
	uint64_t arrivals;
	struct brski_places places;
};

/* All of these with the lock held. */

/* ---- board_list.c ---- */

struct brski_task *brski_board_find(struct brski_board *board, const char *key);
/* The one of that name, which is made if there is none. NULL: no memory. */
struct brski_back_end *brski_board_back_end(
	struct brski_board *board, enum brski_job_kind kind, const char *name);
/* The last one's turn it is now. */
void brski_board_had_turn(struct brski_board *board, struct brski_back_end *b);
void brski_board_remove_back_end(struct brski_board *board, struct brski_back_end *b);
/*
 * A new one, which takes the job; it is in no queue yet. share NULL: that of its call. NULL: no memory,
 * and the job stays the caller's.
 */
struct brski_task *brski_board_add(
	struct brski_board *board, struct brski_job *job, struct brski_back_end *share);
/* Out of everything, and freed. Nobody has a ticket. */
void brski_board_remove(struct brski_task *t);
/* To the queue's back end that its job is to call now. False: no memory, and it stays where it was. */
bool brski_board_assign(struct brski_task *t);

/* ---- board_share.c ---- */

/* Room for one more of the share's. */
bool brski_board_has_room(const struct brski_board *board, const struct brski_back_end *share);
void brski_board_count_share(struct brski_task *t, bool is_share);
/* Nobody is here for it, and the store may have it. */
bool brski_board_may_leave(const struct brski_task *t, int64_t now);

/* ---- board_turn.c ---- */

/* The functions that change progress, and tell the tickets. */
void brski_board_finish(struct brski_task *t);
void brski_board_call(struct brski_task *t);
/*
 * Its turn comes at `due`, if the back end is there: in the queue, unless the worker has it; from then
 * on, when that lets go.
 */
void brski_board_wait(struct brski_task *t, int64_t due);
void brski_board_dequeue(struct brski_task *t);
/* A device is here for it, and the pause is over if it may be. */
void brski_board_wake(struct brski_task *t);
/* The back end went away, or came back: for all that wait for it. */
void brski_board_went(struct brski_back_end *b);
void brski_board_came(struct brski_back_end *b);
/* Nobody's any more: finished, or the store has it. Then it is gone. */
void brski_board_drop_if_over(struct brski_task *t);

#endif
