/* SPDX-License-Identifier: BSD-3-Clause */
#include "radius_module/gate.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <unistd.h>

#include "services/base/clock.h"
#include "services/base/thread.h"

/* As long as no session has ended: what one of P-256 keys takes on a small machine. */
#define FIRST_GUESS_US 15000
#define WEIGHT 16 /* of what was before, against one session more */

/* A thread in the line, on its own stack; guarded by the gate's lock. */
struct brski_gate_waiter {
	struct brski_gate_waiter *next;
	uint64_t ticket;
	pthread_cond_t changed;
	bool has_place;
	bool sent_away; /* its room is another's */
};

void brski_gate_init(struct brski_gate *gate, unsigned places, struct brski_room *room)
{
	*gate = (struct brski_gate){.room = room, .places = places, .mean_us = FIRST_GUESS_US};
	pthread_mutex_init(&gate->lock, NULL);
}

void brski_gate_destroy(struct brski_gate *gate)
{
	pthread_mutex_destroy(&gate->lock);
}

uint64_t brski_gate_ticket(struct brski_gate *gate)
{
	uint64_t ticket;

	pthread_mutex_lock(&gate->lock);
	ticket = ++gate->last_ticket;
	pthread_mutex_unlock(&gate->lock);
	return ticket;
}

/* ---- The line; with the lock held ---- */

static void join_line(struct brski_gate *gate, struct brski_gate_waiter *w)
{
	struct brski_gate_waiter **at = &gate->line;

	while (*at && (*at)->ticket < w->ticket)
		at = &(*at)->next;
	w->next = *at;
	*at = w;
}

static void leave_line(struct brski_gate *gate, const struct brski_gate_waiter *w)
{
	struct brski_gate_waiter **at = &gate->line;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
}

/* Who came to the door last of those in line, if that was after this ticket, makes room. */
static bool send_away(struct brski_gate *gate, uint64_t ticket)
{
	struct brski_gate_waiter *w = gate->line;

	while (w && w->next)
		w = w->next;
	if (!w || w->ticket <= ticket)
		return false;
	leave_line(gate, w);
	w->sent_away = true;
	pthread_cond_signal(&w->changed);
	return true;
}

static void wait_in_line(struct brski_gate *gate, struct brski_gate_waiter *w, long ms)
{
	int64_t end = brski_now_ms() + ms;
	int rc = 0;

	brski_cond_init(&w->changed);
	join_line(gate, w);
	while (!w->has_place && !w->sent_away && rc != ETIMEDOUT)
		rc = brski_cond_wait_until(&w->changed, &gate->lock, end);
	if (!w->has_place && !w->sent_away) {
		leave_line(gate, w);
		brski_room_leave(gate->room);
	}
	pthread_cond_destroy(&w->changed);
}

/* ---- In and out ---- */

/* As long as anybody waits there is no place free: it goes from hand to hand. */
bool brski_gate_enter(struct brski_gate *gate, uint64_t ticket, long ms)
{
	struct brski_gate_waiter w = {.ticket = ticket};

	pthread_mutex_lock(&gate->lock);
	if (gate->busy < gate->places) {
		gate->busy++;
		w.has_place = true;
	} else if (ms > 0 && (brski_room_enter(gate->room) || send_away(gate, ticket))) {
		wait_in_line(gate, &w, ms);
	}
	pthread_mutex_unlock(&gate->lock);
	return w.has_place;
}

void brski_gate_leave(struct brski_gate *gate)
{
	struct brski_gate_waiter *next;

	pthread_mutex_lock(&gate->lock);
	next = gate->line;
	if (next) {
		leave_line(gate, next);
		brski_room_leave(gate->room);
		next->has_place = true;
		pthread_cond_signal(&next->changed);
	} else {
		gate->busy--;
	}
	pthread_mutex_unlock(&gate->lock);
}

/* ---- How much it bears ---- */

void brski_gate_learn(struct brski_gate *gate, int64_t took_us)
{
	pthread_mutex_lock(&gate->lock);
	gate->mean_us = (gate->mean_us * (WEIGHT - 1) + took_us) / WEIGHT;
	pthread_mutex_unlock(&gate->lock);
}

unsigned brski_gate_bears(struct brski_gate *gate, long delay_ms)
{
	int64_t mean, n;

	pthread_mutex_lock(&gate->lock);
	mean = gate->mean_us > 0 ? gate->mean_us : 1;
	pthread_mutex_unlock(&gate->lock);
	n = (int64_t)delay_ms * 1000 * gate->places / mean;
	return n < 1 ? 1 : n > INT_MAX ? INT_MAX : (unsigned)n;
}

unsigned brski_gate_default(void)
{
	cpu_set_t set;
	long n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set)
							      : sysconf(_SC_NPROCESSORS_ONLN);

	return n < 4 ? 1 : (unsigned)(n / 2);
}
