/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_RADIUS_MODULE_GATE_H
#define BRSKI_RADIUS_MODULE_GATE_H

#include <pthread.h>
#include <stdint.h>

#include "radius_module/room.h"

/*
 * So many of the server's threads do onboarding work at one time, and no more: they are the pool
 * that serves its other users, too. Who finds no place waits in line for a moment, if there is
 * room for one more thread that waits, or comes again later.
 *
 * A place goes to whoever came to the door first (a ticket is a session's, for all of its
 * messages): what has been begun gets done before what has not. Only who is there can be given a
 * place. So one who comes again goes before all in the line that came to the door after it, and if
 * there is no room it takes the place in the line of the last of them, who goes and comes again.
 * No place waits for somebody who is not there: with that, whoever does not come again would hold
 * up the others.
 */
struct brski_gate_waiter;

struct brski_gate {
	pthread_mutex_t lock;
	struct brski_room *room;
	unsigned places, busy;
	struct brski_gate_waiter *line; /* oldest ticket first */
	uint64_t last_ticket;
	int64_t mean_us; /* that the work of a whole session takes */
};

/* places: one at least. The room is shared with whoever else waits. */
void brski_gate_init(struct brski_gate *gate, unsigned places, struct brski_room *room);
void brski_gate_destroy(struct brski_gate *gate); /* nobody may be in it */

uint64_t brski_gate_ticket(struct brski_gate *gate);
/* True: the caller has a place. Waits ms milliseconds at most for it; 0 or less: not at all. */
bool brski_gate_enter(struct brski_gate *gate, uint64_t ticket, long ms);
void brski_gate_leave(struct brski_gate *gate);

/* What the work of one more session took, all of it: for the next function. */
void brski_gate_learn(struct brski_gate *gate, int64_t took_us);
/*
 * How many sessions may wait for a place, so that the last of them has it after delay_ms: one and
 * more.
 */
unsigned brski_gate_bears(struct brski_gate *gate, long delay_ms);

/* Half of the processors that this process may use, and one at least. */
unsigned brski_gate_default(void);

#endif
