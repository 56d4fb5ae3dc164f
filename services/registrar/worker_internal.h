/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_WORKER_INTERNAL_H
#define BRSKI_SERVICES_REGISTRAR_WORKER_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "eap_brski/ground/log_limit.h"
#include "services/base/http_client.h"
#include "services/registrar/owner.h"
#include "services/registrar/places.h"
#include "services/registrar/refill.h"
#include "services/registrar/worker.h"

/* Private to worker*.c: worker.c has the thread, worker_job.c what it does with one job. */

/* A task whose call is to be made when the store has kept what it rests on. */
struct brski_held {
	struct brski_task *task;
	uint64_t mark;
};

struct brski_worker {
	struct brski_worker_config config;
	struct brski_board *board;
	struct http_client *client;  /* the thread's, but for waking it */
	char owner[BRSKI_OWNER_MAX]; /* of leases */
	pthread_t thread;
	bool started;
	atomic_bool stop;
	int64_t next_scan;
	bool scan_failed;
	bool keeps_house; /* and is not through with it */
	struct brski_refill refill;
	/* calls in the order of their marks, which is that of their beginning; each has a place */
	struct brski_held held[BRSKI_PLACES];
	unsigned first_held, n_held;
	int64_t paused_until; /* nothing is taken: the store is in trouble */
	struct brski_log_limit store_trouble, job_trouble;
};

/* The store is in trouble: nothing is done for a second. One line a minute. */
void brski_worker_store_fails(struct brski_worker *worker, const char *why);
/* Begins the call of a task that was taken, or lets go of it. */
void brski_worker_start(struct brski_worker *worker, struct brski_task *t);
/* Calls that were held until the store has kept what they rest on. */
void brski_worker_start_held(struct brski_worker *worker);
/* Leases of calls that have come to nothing, since the client is gone. */
void brski_worker_give_all_back(struct brski_worker *worker);

#endif
