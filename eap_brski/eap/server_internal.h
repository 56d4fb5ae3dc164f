/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_EAP_SERVER_INTERNAL_H
#define BRSKI_EAP_SERVER_INTERNAL_H

#include <stddef.h>

/* Where a session of the EAP server stands, and what moves it. */

enum brski_server_stage {
	BRSKI_STAGE_TALKING, /* the peer's turn: handshake, requests, silence */
	BRSKI_STAGE_WORK,    /* a message is complete, and waits for somebody who does what it asks for */
	BRSKI_STAGE_JOB,     /* a request waits for MASA or PKI */
	BRSKI_STAGE_HOLD,    /* the answer is ready, and waits until what it rests on is kept */
	BRSKI_STAGE_ENDING,  /* our last words (an alert) are out; at the acknowledgement it is over */
	BRSKI_STAGE_SUCCESS,
	BRSKI_STAGE_FAILURE,
};
const char *brski_server_stage_name(enum brski_server_stage stage);

enum brski_server_cause {
	BRSKI_SERVER_ASKED,      /* a message is complete that is work */
	BRSKI_SERVER_NEEDS_JOB,  /* a request cannot be answered yet */
	BRSKI_SERVER_READY,      /* all requests of the flight have their responses */
	BRSKI_SERVER_ANSWERED,   /* an answer goes out */
	BRSKI_SERVER_LAST_WORDS, /* the peer talks in a way that no pledge does, and is told */
	BRSKI_SERVER_ENROLLED,   /* the peer has no more to say, and its success was answered */
	BRSKI_SERVER_BROKEN,     /* the peer has left, or cannot be told any more */
};
const char *brski_server_cause_name(enum brski_server_cause cause);

struct brski_server_transition {
	enum brski_server_stage from;
	enum brski_server_cause cause;
	enum brski_server_stage to;
};
/* The table, for those who draw it; NULL behind its end. */
const struct brski_server_transition *brski_server_transition(size_t i);
/* The only function that changes a stage. That the table has no such line is a fault of ours: FAILURE. */
void brski_server_move(enum brski_server_stage *stage, enum brski_server_cause cause);

#endif
