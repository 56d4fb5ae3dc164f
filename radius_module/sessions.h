/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_RADIUS_MODULE_SESSIONS_H
#define BRSKI_RADIUS_MODULE_SESSIONS_H

#include "eap_brski/ground/env.h"

/*
 * Sessions by their State (RFC 2865 5.24). The table knows nothing of what a session holds. One
 * thread at a time has a session; the next one that asks for it waits. Bounded in number, in idle
 * time and in total time; a session that is over stays a little longer, so that its last answer can
 * be repeated.
 *
 * Anybody can open a session, so places are shared out: a station has one session that has proved
 * nothing, a NAS a share of the table, and where there is no place the oldest session that has
 * proved nothing gives way. One that has proved something does not.
 */
#define BRSKI_STATE_LEN 16

struct brski_sessions;
struct brski_session;

/* In this order; a session never goes back. */
enum brski_session_stage {
	BRSKI_SESSION_HALF_OPEN, /* its peer has proved nothing */
	BRSKI_SESSION_PROVED,    /* the peer has shown that its certificate's key is its own */
	BRSKI_SESSION_OVER,      /* nothing more is expected but repetitions */
};

struct brski_sessions_config {
	unsigned max;
	unsigned max_per_nas;          /* 0: half of max, and one at least */
	int64_t idle_ms;               /* forgotten after this without a packet */
	int64_t total_ms;              /* forgotten after this, if it is not over */
	int64_t linger_ms;             /* forgotten after this once it is over */
	int64_t parked_ms;             /* who is parked shows itself in this time; 0: five seconds */
	void (*free_data)(void *data); /* from any thread, without the table's lock */
	int64_t (*now_ms)(void *ctx);  /* NULL: the system's monotonic clock */
	void *now_ctx;
	const struct brski_env *env; /* randomness; may be NULL */
};

BRSKI_CHECKED enum brski_code brski_sessions_new(
	const struct brski_sessions_config *config, struct brski_sessions **out, struct brski_error *err);
/* Nobody may have a session. Frees all data. */
void brski_sessions_free(struct brski_sessions *table);

/* Who opens a session. Octets that tell one from another, no more. */
struct brski_session_from {
	struct brski_span nas;     /* whose packet it is; nothing is one NAS, too */
	unsigned nas_max;          /* sessions of this one; 0: config.max_per_nas */
	struct brski_span station; /* at that NAS; len 0: not known */
};

/*
 * A new session with a State of 16 random octets; the caller has it. Takes data on success.
 * BRSKI_TOO_LARGE: the table, or the NAS's share of it, is full of sessions that have proved
 * something.
 */
BRSKI_CHECKED enum brski_code brski_sessions_add(struct brski_sessions *table,
	const struct brski_session_from *from, void *data, struct brski_session **out,
	struct brski_error *err);
/* NULL: there is none of that State (any more). */
struct brski_session *brski_sessions_get(struct brski_sessions *table, struct brski_span state);
bool brski_sessions_has(struct brski_sessions *table, struct brski_span state);
/* Gives it back. An earlier stage than the one it has changes nothing. */
void brski_sessions_put(
	struct brski_sessions *table, struct brski_session *session, enum brski_session_stage stage);

/*
 * A session that waits for a thread is parked: said of one that the caller has, each time that it has
 * shown itself, and unsaid when it waits no more. Who does not show itself is not counted for long.
 */
void brski_sessions_park(struct brski_sessions *table, struct brski_session *session, bool parked);
/* How many sessions are parked, and how many of that NAS. */
unsigned brski_sessions_parked(
	struct brski_sessions *table, const struct brski_session_from *from, unsigned *of_nas);

void *brski_session_data(const struct brski_session *session);
const uint8_t *brski_session_state(const struct brski_session *session);

/* Forgets what is due; every other call does so too. */
void brski_sessions_expire(struct brski_sessions *table);
unsigned brski_sessions_count(struct brski_sessions *table);

#endif
