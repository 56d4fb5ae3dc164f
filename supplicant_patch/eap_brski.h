/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SUPPLICANT_PATCH_EAP_BRSKI_H
#define BRSKI_SUPPLICANT_PATCH_EAP_BRSKI_H

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

/* Makes the method known under one more Expanded Type; harmless when it is known already. -1: no memory. */
int eap_brski_register_type(u32 vendor_id, u32 vendor_type);

/*
 * wpas_brski.c, for what only wpa_supplicant itself can do; msg_ctx is the EAP state machine's. Both return
 * at once and act from the event loop.
 */
void wpas_brski_login_again(void *msg_ctx);
void wpas_brski_hold(void *msg_ctx, unsigned int seconds);
void wpas_brski_cancel(void *msg_ctx);

#endif /* BRSKI_SUPPLICANT_PATCH_EAP_BRSKI_H */
