/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_BOARD_H
#define BRSKI_SERVICES_REGISTRAR_BOARD_H

#include "eap_brski/registrar/registrar.h"

/*
 * The jobs that one server has in memory: who shares them, how far each is, and when it may call
 * again. It calls nobody; the worker does (worker.h).
 *
 * Each back end has a queue, and they take turns (back_end.h, places.h). What nobody is here for need
 * not be in memory: the store has it. Of what waits there for one back end, as many are taken in as
 * leave room for others, and what must wait for long goes out again.
 */
struct brski_board;

/* ---- Sessions' side, from any thread ---- */

/* A session's share in a job; brski_worker_submit() gives it. */
struct brski_ticket;

/*
 * The job has moved: brski_ticket_look() says where to. It comes in the thread that moved it, with
 * the board locked, so that none comes after brski_ticket_release(): signal a condition, wake a
 * loop, and call nothing of board and worker.
 */
typedef void brski_ticket_moved(void *ctx);

enum brski_progress {
	BRSKI_PROGRESS_RUNNING,  /* a call is under way, or about to be */
	BRSKI_PROGRESS_PAUSED,   /* nothing will happen for *pause_ms: back end away, or it told us to wait */
	BRSKI_PROGRESS_FINISHED, /* done or refused; or gone from the store, and waits for ever */
};
/* How far it is now. pause_ms may be NULL; 0 unless it pauses. */
enum brski_progress brski_ticket_look(const struct brski_ticket *ticket, long *pause_ms);
/* The job, held still until unlock; locks for as long as a signature takes at most. */
const struct brski_job *brski_ticket_lock(struct brski_ticket *ticket);
void brski_ticket_unlock(struct brski_ticket *ticket);
/* Why the last call failed, or none is made now; "" if neither is so. Copied into why. */
void brski_ticket_trouble(const struct brski_ticket *ticket, char why[320]);
void brski_ticket_release(struct brski_ticket *ticket); /* NULL is allowed; the job goes on */

/* ---- The worker's side ---- */

/*
 * Jobs of one back end that are taken from the store into memory, if no other back end has any there.
 * It shares twice as many with those of the same kind: each gets as many as it leaves free, but a few
 * in any case; and no more than these few while it is away.
 */
#define BRSKI_BOARD_MAX 500
#define BRSKI_BOARD_FEW 8

struct brski_board_config {
	long retry_min_ms; /* first pause after a call that failed, doubled every time ... */
	long retry_max_ms; /* ... up to this */
	long scan_ms;      /* what nobody is here for, and pauses for longer, is not kept in memory */
	void *owner;       /* see brski_task_owner() */
	const struct brski_env *env;
};

/* BRSKI_NO_MEMORY */
BRSKI_CHECKED enum brski_code brski_board_new(
	const struct brski_board_config *config, struct brski_board **out, struct brski_error *err);
/* No ticket may be left. NULL is allowed. */
void brski_board_free(struct brski_board *board);
/* Jobs in memory, calls under way. */
void brski_board_count(struct brski_board *board, unsigned *held, unsigned *running);
/* The most jobs in memory since it was asked last. */
unsigned brski_board_most(struct brski_board *board);

/* As brski_worker_submit(); whoever calls has to wake the worker. */
struct brski_ticket *brski_board_submit(
	struct brski_board *board, struct brski_job *job, brski_ticket_moved *moved, void *ctx);

/* ---- What waits in the store ---- */

bool brski_board_has(struct brski_board *board, const char *key);

/* A back end, as the store has it: job_add's (registrar.h) `back_end`. */
struct brski_share {
	enum brski_job_kind kind;
	const char *back_end;
};
struct brski_share_room {
	unsigned jobs;  /* so many may be adopted now; 0 also if there are enough for the moment */
	unsigned times; /* that it has come back after it was away: what failed there is due again */
	bool left;      /* some that were in memory wait in the store */
};
void brski_board_room(
	struct brski_board *board, const struct brski_share *share, struct brski_share_room *room);
/* A look at all that waits there for it begins, or (not more) is at its end. */
void brski_board_look(struct brski_board *board, const struct brski_share *share, bool more);
/*
 * Takes a job of the store, for which nobody is here. False if it has come meanwhile, or there is no
 * room: the job stays the caller's.
 */
bool brski_board_adopt(struct brski_board *board, const struct brski_share *share, struct brski_job *job);
/* Forgets back ends that nothing waits for; now and then. */
void brski_board_tidy(struct brski_board *board);

/* ---- Whose turn it is ---- */

/* A job in memory. */
struct brski_task;
/*
 * The next one that may call now and has a place: the back ends take turns, and of one of them it is
 * the job that is due first; NULL: none. It is the worker's until brski_task_let_go(), and may be gone
 * then.
 */
struct brski_task *brski_board_take(struct brski_board *board);
void brski_task_let_go(struct brski_task *t);
/* Milliseconds until one may be taken if nothing happens before, or it is `until`. */
long brski_board_next(struct brski_board *board, int64_t until);
void *brski_task_owner(const struct brski_task *t); /* the board's, for callbacks */

/* ---- One job: nobody but the worker changes it, so that it may look without a lock ---- */

struct brski_job *brski_task_job(const struct brski_task *t);
void brski_task_replace(struct brski_task *t, struct brski_job *job); /* takes it, frees the other */
BRSKI_CHECKED enum brski_code brski_task_answer(struct brski_task *t, const struct brski_http *answer,
	const char *why, struct brski_error *err); /* as brski_job_answer() */
BRSKI_CHECKED enum brski_code brski_task_judge(
	struct brski_task *t, struct brski_error *err); /* as brski_job_judge() */
/* In whose queue it was, "https://masa.example:9443", for the log. */
const char *brski_task_origin(const struct brski_task *t);
/* Its call goes to another one now: settle it without a call, and it is queued there. */
bool brski_task_is_elsewhere(const struct brski_task *t);
/* True once: it is new in memory, and has not been compared with the store yet. */
bool brski_task_is_fresh(struct brski_task *t);

/* Its call has ended: the back end has answered something, or nothing. Before one of those below. */
void brski_task_heard(struct brski_task *t);
void brski_task_unanswered(struct brski_task *t, const char *why);

/* What next? Told to the tickets; it happens when the worker lets go of it. */
/* The call failed: a pause, longer with every failure. */
void brski_task_pause(struct brski_task *t, const char *why);
/* There was an answer: by the job's state. */
void brski_task_settle(struct brski_task *t);
/* It is gone from the store, and nobody would have the answer: finished, as it is. */
void brski_task_drop(struct brski_task *t, const char *why);
/* Another server makes its calls: to be looked at again in so many milliseconds. */
void brski_task_stand_by(struct brski_task *t, long ms);
/* No call was made, for no reason of its own: again in so many milliseconds. */
void brski_task_put_off(struct brski_task *t, const char *why, long ms);
/* Its next call is to be made at once. */
bool brski_task_goes_on(const struct brski_task *t);
/* Milliseconds of the pause after a call without an answer, that no other server should cut short; else 0. */
long brski_task_rest(const struct brski_task *t);

/* Whether the worker has the lease of its job (store.h), which the board only remembers. */
void brski_task_set_leased(struct brski_task *t, bool leased);
bool brski_task_is_leased(const struct brski_task *t);
/* Any job that has, also one that was not taken; NULL: none. When the worker has come to its end. */
struct brski_task *brski_board_leased(struct brski_board *board);

#endif
