/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * EAP-BRSKI in wpa_supplicant: what is told of a conversation, and what passes from the choice of credentials
 * to the method and back.
 */

#include "includes.h"

#include "common.h"
#include "eap_config.h"
#include "eap_i.h"

#include "eap_brski_state.h"

void eap_brski_notify(struct eap_sm *sm, const char *event, const char *detail)
{
	char status[64], text[512], *c;

	os_snprintf(status, sizeof(status), "brski %s", event);
	os_strlcpy(text, detail ? detail : "", sizeof(text));
	/* The text may quote a peer: a line is a line. */
	for (c = text; *c; c++) {
		if ((u8)*c < 0x20 || *c == 0x7f)
			*c = '_';
	}
	wpa_printf(MSG_INFO, "EAP-BRSKI: %s%s%s", event, text[0] ? ": " : "", text);
	/* Monitors find the end of a parameter by its quotation mark. */
	while ((c = os_strchr(text, '\'')))
		*c = '`';
	if (sm->eapol_cb->notify_status)
		sm->eapol_cb->notify_status(sm->eapol_ctx, status, text);
}

void eap_brski_failed(struct eap_sm *sm, const char *why)
{
	if (sm->brski->told)
		return;
	sm->brski->told = true;
	eap_brski_notify(sm, brski_pledge_event_name(BRSKI_EVENT_FAILED), why);
}

struct eap_brski_onboarding *eap_brski_take(struct eap_sm *sm)
{
	struct eap_brski_onboarding *onboarding = sm->brski ? sm->brski->onboarding : NULL;

	if (!onboarding || onboarding->taken)
		return NULL;
	onboarding->taken = true;
	return onboarding;
}

void eap_brski_deferred(struct eap_sm *sm, long seconds)
{
	sm->brski->told = true;
	os_get_reltime(&sm->brski->not_before);
	sm->brski->not_before.sec += seconds;
}
