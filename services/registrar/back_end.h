/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_BACK_END_H
#define BRSKI_SERVICES_REGISTRAR_BACK_END_H

#include "eap_brski/registrar/registrar.h"
#include "services/registrar/queue.h"

/*
 * A MASA, or the PKI, as the board sees it: which calls wait for it, how many are under way, and
 * whether it is away. It is away when three calls in a row, of different jobs, came to nothing and none was
 * answered meanwhile. Then one call is made at a time, a probe, after a pause that grows with each
 * that fails; and with the first answer, of whatever status, it is back. Then few calls are made at
 * one time at first, and one more with each answer: so twice as many, when all of them are answered.
 *
 * It knows no clock and no lock: whoever owns it says what time it is, in ms.
 */
#define BRSKI_BACK_END_NAME (BRSKI_URL_MAX + 64) /* "https://masa.example:9443" */
#define BRSKI_BACK_END_SILENT 3                  /* calls, and it is away */
#define BRSKI_BACK_END_WAKE_MS \
	2000 /* a device brings a try forward, but not sooner after the last one than this */

struct brski_back_end {
	struct brski_back_end *next, *prev; /* the board's */
	enum brski_job_kind kind;           /* of its calls */
	char name[BRSKI_BACK_END_NAME];
	struct brski_queue queue; /* of jobs whose turn is to come */
	struct brski_queued
		*wanted;  /* the one of them that a device has come for: the next probe; NULL: none */
	unsigned running; /* calls that are under way */
	unsigned most;    /* of these at one time, apart from what others need (places.h) */
	bool away;
	bool probing;
	uint64_t silent[BRSKI_BACK_END_SILENT]; /* jobs of the last calls, if none was answered */
	unsigned n_silent;
	int64_t silent_since; /* the first of these ended */
	int64_t ended;        /* the last call */
	int64_t probe_at;     /* not before this */
	unsigned failed;      /* probes in a row */
	char trouble[320];    /* of the last call, while it is away */
	/* the board's, for memory: */
	unsigned tasks;  /* in memory, of its queue or called */
	unsigned shares; /* in memory, with nobody here for them, that the store has as this back end's */
	bool more;       /* the store has more of these than memory */
	bool left;       /* some of these have gone from memory, and wait there */
	unsigned times;  /* that it came back */
};

void brski_back_end_init(struct brski_back_end *b, enum brski_job_kind kind, const char *name);

/* When a call that is due at `due` can be made; INT64_MAX: when another one has ended. */
int64_t brski_back_end_when(const struct brski_back_end *b, int64_t due);

/* A call begins. True: it is a probe. */
bool brski_back_end_begin(struct brski_back_end *b);
/* A call has ended: one of these two, unless it came to nothing for a reason of our own. */
/* It was answered, by whatever status. True: it was away, and is back. */
bool brski_back_end_heard(struct brski_back_end *b, int64_t now);
/* It was not. job: its number. pause: until the next probe. True: now it is away. */
bool brski_back_end_silent(struct brski_back_end *b, uint64_t job, bool probe, int64_t now, long pause);
/* And this in any case. */
void brski_back_end_end(struct brski_back_end *b, bool probe);

/* A device is here for it: a probe may be made now. False: it is not the time, or there is one. */
bool brski_back_end_bring_forward(struct brski_back_end *b, int64_t now);

/* Nothing is to be known of it any more. since: what was silent before is not looked back upon. */
bool brski_back_end_is_idle(const struct brski_back_end *b, int64_t since);

#endif
