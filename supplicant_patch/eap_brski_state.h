/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SUPPLICANT_PATCH_EAP_BRSKI_STATE_H
#define BRSKI_SUPPLICANT_PATCH_EAP_BRSKI_STATE_H

#include "eap_brski/eap/peer.h"

#include "eap_brski_options.h"

struct eap_sm;
struct brski_folder;

/* The library's peer with what it stands on. */
struct eap_brski_onboarding {
	struct eap_brski_options options;
	struct eap_sm *sm;
	struct brski_folder *folder;
	struct brski_peer *peer;
	bool taken;
};

enum eap_brski_mode {
	EAP_BRSKI_OTHER,     /* a network block without eap=BRSKI: not our business */
	EAP_BRSKI_UNDECIDED, /* a conversation may come */
	EAP_BRSKI_SILENT,    /* nothing can or may be sent */
	EAP_BRSKI_ONBOARD,   /* EAP-BRSKI with the IDevID */
	EAP_BRSKI_LOGIN,     /* EAP-TLS with the LDevID */
};

/* Which credential a network block with eap=BRSKI uses, and when: sm->brski. */
struct eap_brski {
	enum eap_brski_mode mode;
	const struct eap_peer_config *base; /* whose conversation this is; compared, never followed */
	struct eap_brski_onboarding *onboarding;
	struct os_reltime not_before;
	unsigned int failures; /* definite ones, in a row */
	unsigned int attempts; /* to be onboarded, in a row, that came to nothing */
	unsigned int put_off;  /* in a row, before the registrar has said anything */
	unsigned int backoff;  /* these two: options, as they were when this conversation began */
	bool clock_is_right;
	bool told; /* why this conversation fails */

	/* What the state machine is shown. */
	struct eap_peer_config shown;
	struct eap_method_type methods[2];
	char identity[254];
	char key[512];
	char cert[512];
	char anchors[512];
	char phase1[2048]; /* of the login */
};

/* Tells whoever listens on the control interface and D-Bus, and the log. */
void eap_brski_notify(struct eap_sm *sm, const char *event, const char *detail);

/*
 * For the method: what was opened for this conversation, which lives until the next one and is given once; and
 * a request to stay away.
 */
struct eap_brski_onboarding *eap_brski_take(struct eap_sm *sm);
void eap_brski_deferred(struct eap_sm *sm, long seconds);

/* Tells once in a conversation why it failed; the first reason is the best one. */
void eap_brski_failed(struct eap_sm *sm, const char *why);

#endif /* BRSKI_SUPPLICANT_PATCH_EAP_BRSKI_STATE_H */
