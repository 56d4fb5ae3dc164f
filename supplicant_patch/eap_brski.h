/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SUPPLICANT_PATCH_EAP_BRSKI_H
#define BRSKI_SUPPLICANT_PATCH_EAP_BRSKI_H

#include "eap_brski/eap/peer.h"

struct eap_sm;
struct eap_peer_config;

/*
 * Called by the EAP state machine (eap_brski.patch). A network block with eap=BRSKI is shown to the state
 * machine as EAP-BRSKI while the device has no certificate of a domain, and as EAP-TLS with that certificate
 * when it has one. What it is is decided when a conversation starts, and stays so until the next one.
 */
void eap_brski_start(struct eap_sm *sm);
struct eap_peer_config *eap_brski_config(struct eap_sm *sm, struct eap_peer_config *config);
void eap_brski_end(struct eap_sm *sm, bool success);
void eap_brski_deinit(struct eap_sm *sm);

/* Options in phase1="brski_...=... ", see eap-brski-peer(5). */
struct eap_brski_options {
	char state[256];
	char masa_ca[256];
	char domain[254];
	char profile[128];
	u32 vendor_id;
	u32 vendor_type;
	enum brski_key_type key_type;
	bool pkcs10;
	bool implicit_confirm;
	bool clock_is_right;
	bool allow_nonceless;
	unsigned int retry_onboarding; /* failed logins before onboarding is tried again; 0: never */
};

/* 0, or -1 with the reason. Options that do not begin with brski_ are somebody else's. */
int eap_brski_parse_options(const char *phase1, struct eap_brski_options *out, struct brski_error *err);

/* The library's peer with what it stands on. */
struct eap_brski_onboarding {
	struct eap_brski_options options;
	struct eap_sm *sm;
	struct brski_folder *folder;
	struct brski_peer *peer;
	bool taken;
};

/* Loads the IDevID from the network block, and the state folder. NULL, with the reason, on failure. */
struct eap_brski_onboarding *eap_brski_open(struct eap_sm *sm, const struct eap_peer_config *config,
	const struct eap_brski_options *options, struct brski_error *err);
void eap_brski_unlock(struct eap_brski_onboarding *onboarding);
void eap_brski_close(struct eap_brski_onboarding *onboarding);

/* Tells whoever listens on the control interface and D-Bus, and the log. */
void eap_brski_notify(struct eap_sm *sm, const char *event, const char *detail);

/* Makes the method known under one more Expanded Type; harmless when it is known already. -1: no memory. */
int eap_brski_register_type(u32 vendor_id, u32 vendor_type);

/*
 * From the method to the choice of credentials: what was opened for this conversation, which lives until the
 * next one and is given once; and a request to stay away.
 */
struct eap_brski_onboarding *eap_brski_take(struct eap_sm *sm);
void eap_brski_deferred(struct eap_sm *sm, long seconds);

/* Tells once in a conversation why it failed; the first reason is the best one. */
void eap_brski_failed(struct eap_sm *sm, const char *why);

/*
 * wpas_brski.c, for what only wpa_supplicant itself can do; msg_ctx is the EAP state machine's. Both return
 * at once and act from the event loop.
 */
void wpas_brski_login_again(void *msg_ctx);
void wpas_brski_hold(void *msg_ctx, unsigned int seconds);
void wpas_brski_cancel(void *msg_ctx);

#endif /* BRSKI_SUPPLICANT_PATCH_EAP_BRSKI_H */
