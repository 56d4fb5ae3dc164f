/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_RADIUS_MODULE_CONVERSATION_H
#define BRSKI_RADIUS_MODULE_CONVERSATION_H

#include "eap_brski/eap/server.h"
#include "radius_module/serving.h"
#include "radius_module/sessions.h"
#include "services/registrar/policy.h"
#include "services/registrar/worker.h"

/*
 * EAP conversations as a RADIUS server sees them: whole EAP packets and State in, whole EAP packets
 * and what goes with them out. Knows RFC 3748's header and Identifier rules, sessions, Wait and
 * deferral. Knows no RADIUS attribute. Threads may use it at once; few of them work at one time, and
 * none waits longer than the slice.
 */
struct brski_conversations;

struct brski_conversations_config {
	struct brski_server_context *eap; /* borrowed */
	struct brski_worker *worker;      /* borrowed */
	struct brski_store *store;        /* borrowed: an answer waits until what it rests on is kept there */
	uint32_t vendor_id;
	uint32_t vendor_type;
	const char *identity_domain; /* NULL: BRSKI_IDENTITY_DOMAIN */
	bool pass_provisioning;      /* leave other identities under eap.arpa to others */
	size_t mtu_max; /* octets of an EAP packet, whatever Framed-MTU says; 0: BRSKI_MTU_DEFAULT */
	unsigned max_sessions;
	unsigned max_sessions_per_nas; /* 0: half of max_sessions */
	long session_lifetime_ms;      /* without a packet */
	long session_total_ms;         /* in all */
	unsigned max_busy_threads;     /* that do onboarding work at one time; 0: brski_gate_default() */
	long wait_slice_ms;            /* how long a thread waits before it sends Wait */
	long wait_total_ms; /* how long the peer is held with Wait before it is told to come back later */
	const struct brski_env *env;
};

BRSKI_CHECKED enum brski_code brski_conversations_new(const struct brski_conversations_config *config,
	struct brski_conversations **out, struct brski_error *err);
void brski_conversations_free(struct brski_conversations *c);

/*
 * The server's own rules, which have the last word on a device (struct brski_judge). Asked once
 * in a session, in the thread of brski_conversations_answer and before that returns. What they want
 * to remember stays with the session.
 */
struct brski_conversation_judge {
	const char *name;
	void (*ask)(void *ctx, const struct brski_device *device, const struct brski_manufacturer *m,
		const char *why, struct brski_judgement *out, void **keep);
	void (*let_in)(void *ctx,
		const void *kept);  /* with every ACCEPT, also a repeated one, if anything was kept */
	void (*forget)(void *kept); /* in any thread */
	void *ctx;
};

struct brski_conversation_in {
	struct brski_span eap;   /* a whole EAP packet */
	struct brski_span state; /* len 0: none */
	size_t framed_mtu;       /* of the Access-Request, with the EAPOL header; 0: none */
	struct brski_session_from from;
	const char *where;                            /* a line for the log: NAS, port, station */
	const struct brski_conversation_judge *judge; /* NULL: none. The same one with every packet */
};

/*
 * Is this packet ours to answer? An Identity response of the method's own identity (the server
 * takes method choice from it and never negotiates) or of another one that asks for provisioning (RFC
 * 9965), which is refused; a response of our Expanded Type, or anything in a session of ours.
 */
bool brski_conversations_claim(struct brski_conversations *c, const struct brski_conversation_in *in);

enum brski_verdict {
	BRSKI_VERDICT_CHALLENGE, /* eap and state; Access-Challenge */
	BRSKI_VERDICT_ACCEPT,    /* eap is EAP-Success; keys; Access-Accept */
	BRSKI_VERDICT_REJECT,    /* eap is EAP-Failure; Access-Reject */
	/* not for a session that is there, or for one that is over: nothing happens; eap is empty */
	BRSKI_VERDICT_INVALID,
};

struct brski_conversation_out {
	enum brski_verdict verdict;
	struct brski_buf eap;
	uint8_t state[BRSKI_STATE_LEN];
	unsigned session_timeout; /* seconds, with a Wait; 0: none */
	bool repeated;            /* the same packet came once more and gets the same answer */
	/*
	 * The session does not wait for this packet, and is as it was; the last EAP-Request goes out
	 * once more (RFC 3579 2.2: with Error-Cause 202). reason says what is wrong with it.
	 */
	bool ignored;
	uint8_t msk[BRSKI_EAP_KEY_LEN];
	uint8_t emsk[BRSKI_EAP_KEY_LEN];
	uint8_t session_id[BRSKI_EAP_SESSION_ID_LEN];
	const char *result;   /* "enrolled", "deferred", "failed" with the last answer, else "" */
	char reason[400];     /* why it was deferred or failed, for the operator */
	enum brski_busy busy; /* it was deferred for want of something of ours, not for anything of its own */
	/*
	 * With busy: not worth a line in the log. Of a crowd one has it each minute, with how many more
	 * there were since.
	 */
	bool quiet;
	unsigned left_out;
	unsigned waits; /* Wait packets so far */
	unsigned round_trips;
	size_t octets_in, octets_out;
	char manufacturer[64]; /* of the device, once it is known, else "" */
	char serial_number[BRSKI_SERIAL_MAX];
	char subject[256];
	char fingerprint[BRSKI_FINGERPRINT_MAX];
};
void brski_conversation_out_free(struct brski_conversation_out *out); /* wipes */

/* The answer to a packet that was claimed. Never fails: what goes wrong becomes a verdict and a reason. */
void brski_conversations_answer(struct brski_conversations *c, const struct brski_conversation_in *in,
	struct brski_conversation_out *out);

/* Every minute or so. Tells of those that were put off since the last line, too. */
void brski_conversations_expire(struct brski_conversations *c);
unsigned brski_conversations_count(struct brski_conversations *c);

#endif
