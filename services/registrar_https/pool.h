/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_HTTPS_POOL_H
#define BRSKI_SERVICES_REGISTRAR_HTTPS_POOL_H

#include <stdbool.h>

#include "eap_brski/ground/error.h"

/* Threads for what a loop has no time for, and the bounded queue before them. */
struct pool;

/* One piece of work, a member of what it is about; from offer or put until run() it is the pool's. */
struct pool_work {
	void (*run)(struct pool_work *work); /* in a thread of the pool; it may free the work */
	struct pool_work *next;              /* the pool's own */
};

/* How many threads there should be if nobody says: as many as processors, but two. */
unsigned pool_threads_default(void);
/*
 * threads, queue_max: not 0. No signal is delivered to the threads. BRSKI_NO_MEMORY, BRSKI_INTERNAL.
 */
BRSKI_CHECKED enum brski_code pool_new(
	unsigned threads, unsigned queue_max, struct pool **out, struct brski_error *err);
/* New work, behind all other. False: queue_max pieces of new work wait already, and it stays the caller's. */
BRSKI_CHECKED bool pool_offer(struct pool *pool, struct pool_work *work);
/* Work that goes on: before all that is new, and never refused. */
void pool_put(struct pool *pool, struct pool_work *work);
/* What is being run is finished, what waits is not begun: it is the caller's again. NULL is allowed. */
void pool_stop(struct pool *pool);
/* Stops first, if that has not been done. */
void pool_free(struct pool *pool);

#endif
