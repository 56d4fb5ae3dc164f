/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_QUEUE_H
#define BRSKI_SERVICES_REGISTRAR_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What is to be done some time, the earliest first; what is due at one time in order of arrival. A
 * pairing heap: an entry is part of what it stands for, so that none of these functions can fail, and
 * ten thousand of them cost as little as ten.
 *
 * Whoever owns it locks it. Zeroed, a queue is empty, and an entry is in none.
 */
struct brski_queued {
	int64_t due;      /* ms; both are the caller's, and stay while it is in a queue */
	uint64_t arrival; /* unlike any other's */
	bool is_in;
	struct brski_queued *child, *next, *prev; /* the queue's own; prev of a first child is its parent */
};

struct brski_queue {
	struct brski_queued *first; /* NULL: it is empty */
};

/* It is in no queue yet. */
void brski_queue_put(struct brski_queue *queue, struct brski_queued *entry);
/* Wherever it stands in this one. Nothing happens if it is in none. */
void brski_queue_remove(struct brski_queue *queue, struct brski_queued *entry);

#endif
