/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_RADIUS_MODULE_SERVING_H
#define BRSKI_RADIUS_MODULE_SERVING_H

#include "eap_brski/eap/server.h"
#include "radius_module/gate.h"
#include "radius_module/wait.h"
#include "services/registrar/store.h"

/*
 * What a response costs, in a server whose threads are other users', too: it is worked on at the
 * gate, its job is done by the worker, its answer waits for the disk. Where something of it takes
 * longer than this thread may wait, the peer is sent a Wait, and all goes on where it was at its
 * acknowledgement; where it takes longer than the peer may be made to wait, it is put off.
 */

/* Of all conversations. */
struct brski_serving_place {
	struct brski_worker *worker; /* borrowed, like the others */
	struct brski_store *store;   /* NULL: what is answered rests on nothing that must be kept */
	struct brski_gate gate;
	struct brski_room room;
	long slice_ms; /* how long a thread waits, for each thing that one response waits for */
	long total_ms; /* how long a peer is made to wait, for each of them */
};

/* Why this server cannot serve a device now that may come back soon. */
enum brski_busy {
	BRSKI_NOT_BUSY,
	BRSKI_BUSY_CROWD,    /* too many wait for a thread */
	BRSKI_BUSY_SESSIONS, /* max_sessions, or a NAS's share */
	BRSKI_BUSY_DISK,     /* what it was to be told is not kept */
	BRSKI_BUSY_STORE,    /* the registrar's memory fails, or something else of its own */
	BRSKI_BUSY_GONE,     /* its session is not there any more, or never was */
	BRSKI_BUSY_KINDS
};

/* Of one. One thread at a time has it. */
struct brski_serving {
	struct brski_server_session *eap; /* its own */
	struct brski_wait wait;           /* for a back end */
	struct brski_patience patience;   /* with the gate, or with the disk */
	bool is_patient;                  /* patience has begun */
	int64_t not_before;               /* ms: who comes sooner has not waited */
	uint64_t ticket;                  /* 0: none yet */
	uint64_t mark;                    /* of what the answer rests on */
	bool has_mark;
	unsigned waits_in_a_row;
	int64_t spent_us;
	bool deferred;
	char trouble[320]; /* of the back end, when deferred */
};

/* NULL eap: to be filled by the caller. */
void brski_serving_init(struct brski_serving *serving);
/* Waits for nothing any more; what is left of the session goes. Harmless if it has been done. */
void brski_serving_end(struct brski_serving *serving, struct brski_serving_place *place);
void brski_serving_destroy(struct brski_serving *serving, struct brski_serving_place *place);

/* The rest is the caller's to fill. busy_threads: at one time; 0: brski_gate_default(). */
void brski_serving_place_init(struct brski_serving_place *place, unsigned busy_threads);
/* How long a peer is made to wait for a thread, or for the disk: total_ms, and two seconds at least. */
long brski_serving_busy_total(const struct brski_serving_place *place);
void brski_serving_place_destroy(struct brski_serving_place *place);

/* One response, and how far it got. */
struct brski_serving_step {
	struct brski_buf reply;          /* the caller frees it */
	enum brski_server_result result; /* SEND, SUCCESS or FAILURE */
	unsigned wait_ms;                /* not 0: the reply is a Wait */
	bool parked;                     /* for a place at the gate */
	enum brski_busy busy;            /* put off, and err says why: EAP-Failure */
	struct brski_error err;
};
/* An error return means EAP-Failure. *step is zeroed first. */
BRSKI_CHECKED enum brski_code brski_serving_process(struct brski_serving *serving,
	struct brski_serving_place *place, struct brski_span response, struct brski_serving_step *step);

#endif
