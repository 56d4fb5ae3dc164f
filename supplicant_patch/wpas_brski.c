/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * EAP-BRSKI in wpa_supplicant: what an EAP method cannot do by itself, the next login after an onboarding,
 * and staying away as long as the registrar said. All of it runs from the event loop, never from inside the
 * EAPOL state machine.
 */

#include "includes.h"

#include "common.h"
#include "common/ieee802_11_defs.h"
#include "eap_peer/eap_brski.h"
#include "eapol_supp/eapol_supp_sm.h"
#include "eloop.h"
#include "rsn_supp/wpa.h"

#include "config.h"
#include "wpa_supplicant_i.h"

#include "driver_i.h"
#include "scan.h"

#define WPAS_BRSKI_TRIES 6

/* eapol_test runs EAP without an interface: there is nothing to log in to again, and nothing to hold back. */
static bool wpas_brski_has_interface(const struct wpa_supplicant *wpa_s)
{
	return wpa_s->radio && wpa_s->eapol && wpa_s->current_ssid;
}

static bool wpas_brski_is_wired(const struct wpa_supplicant *wpa_s)
{
	return (wpa_s->drv_flags & WPA_DRIVER_FLAGS_WIRED) != 0;
}

/* An association of its own, so that the access point decides anew on everything; without a cached key, which
 * would spare the EAP. */
static void wpas_brski_reassociate(struct wpa_supplicant *wpa_s)
{
	wpa_sm_pmksa_cache_flush(wpa_s->wpa, wpa_s->current_ssid);
	wpas_request_connection(wpa_s);
}

static void wpas_brski_again(void *eloop_ctx, void *timeout_ctx);

static void wpas_brski_later(struct wpa_supplicant *wpa_s, uintptr_t tries, unsigned int ms)
{
	if (tries <= WPAS_BRSKI_TRIES)
		eloop_register_timeout(ms / 1000, (ms % 1000) * 1000, wpas_brski_again, wpa_s, (void *)tries);
}

/* Until the next conversation starts, which cancels this. An EAPOL-Start may get lost, or come while the port
 * is not open yet. */
static void wpas_brski_again(void *eloop_ctx, void *timeout_ctx)
{
	struct wpa_supplicant *wpa_s = eloop_ctx;
	uintptr_t tries = (uintptr_t)timeout_ctx;

	if (!wpas_brski_has_interface(wpa_s))
		return;
	wpa_dbg(wpa_s, MSG_DEBUG, "EAP-BRSKI: login with the new certificate, try %u", (unsigned int)tries);
	if (wpas_brski_is_wired(wpa_s)) {
		eapol_sm_request_reauth(wpa_s->eapol);
		wpas_brski_later(wpa_s, tries + 1, 3000);
	} else if (wpa_s->wpa_state == WPA_COMPLETED || tries == WPAS_BRSKI_TRIES) {
		wpas_brski_reassociate(wpa_s);
	} else {
		wpas_brski_later(wpa_s, tries + 1, 500);
	}
}

void wpas_brski_login_again(void *msg_ctx)
{
	/* A tenth of a second lets the port, or the four-way handshake, settle. */
	wpas_brski_later(msg_ctx, 1, 100);
}

static void wpas_brski_wake(void *eloop_ctx, void *timeout_ctx)
{
	struct wpa_supplicant *wpa_s = eloop_ctx;

	eapol_sm_notify_portEnabled(wpa_s->eapol, true);
}

/* A disabled port sends nothing and hears nothing; the authenticator's own restarts pass by. */
static void wpas_brski_rest_wired(struct wpa_supplicant *wpa_s, unsigned int seconds)
{
	eapol_sm_notify_portEnabled(wpa_s->eapol, false);
	eloop_register_timeout(seconds, 0, wpas_brski_wake, wpa_s, NULL);
}

/* The means by which wpa_supplicant stays away from a network that refused it; its own, shorter times do not
 * shorten this one. */
static void wpas_brski_rest_wireless(struct wpa_supplicant *wpa_s, unsigned int seconds)
{
	struct wpa_ssid *ssid = wpa_s->current_ssid;
	struct os_reltime now;

	os_get_reltime(&now);
	ssid->disabled_until.sec = now.sec + (os_time_t)seconds;
	wpa_msg(wpa_s, MSG_INFO,
		WPA_EVENT_TEMP_DISABLED "id=%d ssid=\"%s\" auth_failures=%u duration=%u reason=BRSKI",
		ssid->id, wpa_ssid_txt(ssid->ssid, ssid->ssid_len), ssid->auth_failures, seconds);
	wpa_supplicant_deauthenticate(wpa_s, WLAN_REASON_DEAUTH_LEAVING);
	wpa_s->reassociate = 1;
	wpa_supplicant_req_scan(wpa_s, 1, 0);
}

static void wpas_brski_rest(void *eloop_ctx, void *timeout_ctx)
{
	struct wpa_supplicant *wpa_s = eloop_ctx;
	unsigned int seconds = (unsigned int)(uintptr_t)timeout_ctx;

	if (!wpas_brski_has_interface(wpa_s))
		return;
	if (wpas_brski_is_wired(wpa_s))
		wpas_brski_rest_wired(wpa_s, seconds);
	else
		wpas_brski_rest_wireless(wpa_s, seconds);
}

void wpas_brski_hold(void *msg_ctx, unsigned int seconds)
{
	eloop_register_timeout(0, 0, wpas_brski_rest, msg_ctx, (void *)(uintptr_t)seconds);
}

void wpas_brski_cancel(void *msg_ctx)
{
	eloop_cancel_timeout(wpas_brski_again, msg_ctx, ELOOP_ALL_CTX);
	eloop_cancel_timeout(wpas_brski_rest, msg_ctx, ELOOP_ALL_CTX);
	eloop_cancel_timeout(wpas_brski_wake, msg_ctx, ELOOP_ALL_CTX);
}
