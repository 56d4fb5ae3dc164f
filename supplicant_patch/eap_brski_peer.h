/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SUPPLICANT_PATCH_EAP_BRSKI_PEER_H
#define BRSKI_SUPPLICANT_PATCH_EAP_BRSKI_PEER_H

#include "eap_brski_state.h"

/* Loads the IDevID from the network block, and the state folder. NULL, with the reason, on failure. */
struct eap_brski_onboarding *eap_brski_open(struct eap_sm *sm, const struct eap_peer_config *config,
	const struct eap_brski_options *options, struct brski_error *err);
void eap_brski_unlock(struct eap_brski_onboarding *onboarding);
void eap_brski_close(struct eap_brski_onboarding *onboarding);

#endif /* BRSKI_SUPPLICANT_PATCH_EAP_BRSKI_PEER_H */
