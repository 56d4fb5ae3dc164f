/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_WORKER_H
#define BRSKI_SERVICES_REGISTRAR_WORKER_H

#include "services/registrar/board.h"
#include "services/registrar/store.h"

/*
 * The work for MASA and PKI that one server has under way. Its one thread drives all of it; a job
 * outlives the session that caused it, and is taken up again from the store after a restart. Sessions
 * that cause the same job share it (board.h). Of several servers on one store, the one that has the
 * job's lease makes its calls; the others look on, and one of them goes on if it comes to nothing.
 */
struct brski_worker;

struct brski_worker_config {
	struct brski_registrar *registrar; /* borrowed */
	struct brski_store *store;         /* borrowed */
	long connect_timeout_ms;           /* these four: see struct http_client_config */
	long request_timeout_ms;
	size_t response_max;
	const char *proxy;
	long retry_min_ms; /* first pause after a call that failed, doubled every time; 0: 5 s */
	long retry_max_ms; /* up to this; 0: 5 minutes */
	long scan_ms;      /* how often the store is looked through for waiting jobs; 0: 60 s */
	/* of a job, for one call, in whole seconds; 0: what both timeouts allow, and 10 s more */
	long lease_ms;
	/*
	 * Runs in the thread with every such look, beginning with the second one; may be NULL. One step
	 * of some milliseconds: true if there is more to do, so that it is called again without delay.
	 */
	bool (*housekeeping)(void *ctx);
	void *housekeeping_ctx;
	const struct brski_env *env;
};

/* BRSKI_NO_MEMORY, BRSKI_INTERNAL. The thread runs when this returns. */
BRSKI_CHECKED enum brski_code brski_worker_new(
	const struct brski_worker_config *config, struct brski_worker **out, struct brski_error *err);
/*
 * Ends and joins the thread, housekeeping with it. Nothing may be submitted any more; tickets may
 * still be given back.
 */
void brski_worker_stop(struct brski_worker *worker);
/* No ticket may be left. Jobs that wait are in the store, and other servers may make their calls. */
void brski_worker_free(struct brski_worker *worker);

/*
 * Takes the job, also on failure (NULL: no memory). If one of the same key is under way, that one is
 * shared and this one freed. `moved` (may be NULL) is called whenever the job moves from now on,
 * until the ticket is given back; it may be before this returns.
 */
struct brski_ticket *brski_worker_submit(
	struct brski_worker *worker, struct brski_job *job, brski_ticket_moved *moved, void *ctx);
/* For tests and status lines: jobs in memory, calls under way. */
void brski_worker_count(struct brski_worker *worker, unsigned *held, unsigned *running);
/* The most jobs that were in memory at one time since it was asked last. */
unsigned brski_worker_most(struct brski_worker *worker);

#endif
