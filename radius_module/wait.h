/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_RADIUS_MODULE_WAIT_H
#define BRSKI_RADIUS_MODULE_WAIT_H

#include <pthread.h>

#include "radius_module/patience.h"
#include "radius_module/room.h"
#include "services/registrar/worker.h"

/*
 * A conversation that waits for a MASA or the PKI: for which job, how long it has taken, and how
 * much of a server's threads it may have meanwhile. One thread at a time has a wait, as it has the
 * conversation.
 */

struct brski_wait {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool moved;                     /* guarded by lock: the job has, since somebody looked */
	struct brski_ticket *ticket;    /* NULL: it waits for nothing */
	struct brski_patience patience; /* the peer's, for this job */
};

void brski_wait_init(struct brski_wait *w);
void brski_wait_destroy(struct brski_wait *w); /* ends it, too */

/* Gives the job, which it takes, to the worker. BRSKI_NO_MEMORY. It must wait for nothing now. */
BRSKI_CHECKED enum brski_code brski_wait_begin(
	struct brski_wait *w, struct brski_worker *worker, struct brski_job *job, struct brski_error *err);
/* The job goes on without it. Harmless if it waits for nothing. */
void brski_wait_end(struct brski_wait *w);

/*
 * How far the job is; if it runs, this thread waits for it to pause or to end, `ms` milliseconds at
 * most. That is once for each job, before the peer is sent a Wait, and only if few threads do so
 * already: they are few, and the server's other users need them. *pause_ms: see brski_ticket_look().
 */
enum brski_progress brski_wait_look(struct brski_wait *w, struct brski_room *room, long ms, long *pause_ms);
/*
 * There is enough left of total_ms for that pause, and the back end asked for it: a back end that is
 * away is not waited for.
 */
bool brski_wait_is_worth(const struct brski_wait *w, long pause_ms, long total_ms);

#endif
