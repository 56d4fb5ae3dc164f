/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * EAP-BRSKI in wpa_supplicant: which credential a network block with eap=BRSKI uses, and when. The EAP state
 * machine asks for its configuration in one place, so what it is shown there decides: the onboarding, or a
 * login by EAP-TLS.
 */

#include "includes.h"

#include "common.h"
#include "eap_config.h"
#include "eap_i.h"

#include "eap_brski.h"
#include "eap_brski/posix/folder.h"
#include "eap_brski_peer.h"

static bool eap_brski_is_ours(const struct eap_peer_config *config)
{
	const struct eap_method_type *m;

	if (!config || !config->eap_methods)
		return false;
	for (m = config->eap_methods; m->vendor != EAP_VENDOR_IETF || m->method != EAP_TYPE_NONE; m++) {
		if (m->vendor == BRSKI_EAP_VENDOR_ID && m->method == BRSKI_EAP_VENDOR_TYPE)
			return true;
	}
	return false;
}

/* Loads, fits together, and has not run out, if there is a clock to tell. One that runs late does no harm here,
 * as no start of validity is looked at. */
static bool eap_brski_usable(struct eap_brski *brski)
{
	struct brski_credential cred = {0};
	struct brski_error err;
	bool usable;

	if (brski_credential_load(brski->key, NULL, brski->cert, &cred, &err) != BRSKI_OK) {
		wpa_printf(MSG_WARNING, "EAP-BRSKI: the device's certificate of its domain is unusable: %s",
			err.why);
		return false;
	}
	usable = !brski->clock_is_right || X509_cmp_time(X509_get0_notAfter(cred.cert), NULL) > 0;
	if (!usable)
		wpa_printf(MSG_WARNING, "EAP-BRSKI: the device's certificate of its domain has expired");
	brski_credential_free(&cred);
	return usable;
}

/*
 * A state folder may have been copied from another device, whose identity this one must not take. An IDevID
 * that cannot be read is no obstacle to a login.
 */
static bool eap_brski_is_own(const struct eap_peer_config *config, const struct brski_pledge_credential *cred)
{
	STACK_OF(X509) *certs = NULL;
	char fingerprint[BRSKI_FINGERPRINT_MAX];
	struct brski_error err;
	bool own;

	if (!config->cert.client_cert || brski_certs_load(config->cert.client_cert, &certs, &err) != BRSKI_OK)
		return true;
	brski_cert_fingerprint(sk_X509_value(certs, 0), fingerprint);
	own = os_strcmp(fingerprint, cred->idevid) == 0;
	sk_X509_pop_free(certs, X509_free);
	if (!own)
		wpa_printf(MSG_WARNING, "EAP-BRSKI: the state folder has the certificate of another device");
	return own;
}

static bool eap_brski_find_login(
	struct eap_brski *brski, const struct eap_peer_config *config, const char *state)
{
	struct brski_pledge_credential cred;
	struct brski_folder *folder;
	struct brski_error err;
	bool found;

	if (brski_folder_open(state, &folder, &err) != BRSKI_OK) {
		wpa_printf(MSG_WARNING, "EAP-BRSKI: %s", err.why);
		return false;
	}
	found = brski_pledge_credential(brski_folder_storage(folder), &cred, &err) &&
		eap_brski_is_own(config, &cred) &&
		brski_folder_path(folder, cred.key, brski->key, sizeof(brski->key)) &&
		brski_folder_path(folder, cred.cert, brski->cert, sizeof(brski->cert)) &&
		brski_folder_path(folder, cred.anchors, brski->anchors, sizeof(brski->anchors)) &&
		os_strlcpy(brski->identity, cred.identity, sizeof(brski->identity)) < sizeof(brski->identity);
	brski_folder_close(folder);
	return found && eap_brski_usable(brski);
}

/* After so many failed logins the other way is tried as often, and so on in turns: whichever trouble ends
 * first ends it. */
static bool eap_brski_login_is_due(const struct eap_brski *brski, const struct eap_brski_options *options)
{
	return !options->retry_onboarding || (brski->failures / options->retry_onboarding) % 2 == 0;
}

static void eap_brski_hold(struct eap_sm *sm, long seconds)
{
	sm->brski->mode = EAP_BRSKI_SILENT;
	wpas_brski_hold(sm->msg_ctx, (unsigned int)seconds);
}

/* How long to stay away: what was heard in this run of the program, or what the state folder remembers from
 * an earlier one. */
static long eap_brski_seconds_left(struct eap_brski *brski)
{
	struct os_reltime now;

	os_get_reltime(&now);
	if (os_reltime_before(&now, &brski->not_before))
		return (long)(brski->not_before.sec - now.sec) + 1;
	return brski_peer_retry_after(brski->onboarding->peer);
}

static void eap_brski_choose_onboarding(
	struct eap_sm *sm, const struct eap_peer_config *config, const struct eap_brski_options *options)
{
	struct eap_brski *brski = sm->brski;
	struct brski_error err;
	long seconds;
	char text[32];

	brski->mode = EAP_BRSKI_SILENT;
	if (eap_brski_register_type(options->vendor_id, options->vendor_type) < 0)
		return;
	brski->onboarding = eap_brski_open(sm, config, options, &err);
	if (!brski->onboarding) {
		eap_brski_failed(sm, err.why);
		return;
	}
	seconds = eap_brski_seconds_left(brski);
	if (seconds > 0) {
		os_snprintf(text, sizeof(text), "%ld", seconds);
		eap_brski_notify(sm, brski_pledge_event_name(BRSKI_EVENT_DEFERRED), text);
		eap_brski_hold(sm, seconds);
		return;
	}
	brski->methods[0].vendor = (int)options->vendor_id;
	brski->methods[0].method = options->vendor_type;
	if (brski_identity(options->domain, brski->identity, sizeof(brski->identity)))
		brski->mode = EAP_BRSKI_ONBOARD;
}

/* Keys are loaded and events told only now that the state machine wants to know what it is: it is initialized
 * more often than used. */
static void eap_brski_decide(struct eap_sm *sm, const struct eap_peer_config *config)
{
	struct eap_brski *brski = sm->brski;
	struct eap_brski_options options;
	struct brski_error err;

	brski->mode = EAP_BRSKI_SILENT;
	os_memset(brski->methods, 0, sizeof(brski->methods));
	if (eap_brski_parse_options(config->phase1, &options, &err) < 0) {
		eap_brski_failed(sm, err.why);
		return;
	}
	brski->backoff = options.backoff;
	brski->clock_is_right = options.clock_is_right;
	if (eap_brski_login_is_due(brski, &options) && eap_brski_find_login(brski, config, options.state)) {
		brski->methods[0].method = EAP_TYPE_TLS;
		brski->mode = EAP_BRSKI_LOGIN;
		eap_brski_notify(sm, "login", brski->identity);
	} else {
		eap_brski_choose_onboarding(sm, config, &options);
	}
}

void eap_brski_start(struct eap_sm *sm)
{
	const struct eap_peer_config *config = sm->eapol_cb->get_config(sm->eapol_ctx);
	bool ours = eap_brski_is_ours(config);

	if (!sm->brski && ours)
		sm->brski = os_zalloc(sizeof(*sm->brski));
	if (!sm->brski)
		return;
	wpas_brski_cancel(sm->msg_ctx);
	eap_brski_close(sm->brski->onboarding);
	sm->brski->onboarding = NULL;
	sm->brski->base = config;
	sm->brski->told = false;
	sm->brski->mode = ours ? EAP_BRSKI_UNDECIDED : EAP_BRSKI_OTHER;
}

/*
 * What wpa_supplicant's EAP-TLS does for the asking only, unless the block says otherwise: TLS 1.3, which some
 * servers insist on (RFC 9190); and, without a clock, to look at no dates.
 */
static char *eap_brski_login_phase1(struct eap_brski *brski, const char *phase1)
{
	bool says = phase1 && os_strstr(phase1, "tls_disable_tlsv1_3=");
	int len = os_snprintf(brski->phase1, sizeof(brski->phase1), "%s%s%s", phase1 ? phase1 : "",
		says ? "" : " tls_disable_tlsv1_3=0",
		brski->clock_is_right ? "" : " tls_disable_time_checks=1");

	if (os_snprintf_error(sizeof(brski->phase1), len)) {
		wpa_printf(MSG_WARNING, "EAP-BRSKI: phase1 is too long for the login");
		return NULL;
	}
	return brski->phase1;
}

/* EAP-TLS with the domain's certificate; what the block says of the server's name still holds. */
static void eap_brski_show_login(struct eap_brski *brski, const struct eap_peer_config *config)
{
	struct eap_peer_cert_config *cert = &brski->shown.cert;

	brski->shown.phase1 = eap_brski_login_phase1(brski, config->phase1);
	os_memset(cert, 0, sizeof(*cert));
	cert->private_key = brski->key;
	cert->client_cert = brski->cert;
	cert->ca_cert = brski->anchors;
	cert->subject_match = config->cert.subject_match;
	cert->check_cert_subject = config->cert.check_cert_subject;
	cert->altsubject_match = config->cert.altsubject_match;
	cert->domain_suffix_match = config->cert.domain_suffix_match;
	cert->domain_match = config->cert.domain_match;
	cert->ocsp = config->cert.ocsp;
}

/*
 * Made anew at each call from the block as it is now, since a block may be changed or freed at any time. NULL
 * is what a state machine without configuration gets: it answers no Identity request.
 */
struct eap_peer_config *eap_brski_config(struct eap_sm *sm, struct eap_peer_config *config)
{
	struct eap_brski *brski = sm->brski;

	if (!eap_brski_is_ours(config))
		return config;
	if (!brski || brski->base != config)
		return NULL;
	/* There it only asks whether it is the same configuration as last time. */
	if (sm->EAP_state == EAP_INITIALIZE)
		return &brski->shown;
	if (brski->mode == EAP_BRSKI_UNDECIDED &&
		(sm->EAP_state == EAP_IDENTITY || sm->EAP_state == EAP_GET_METHOD))
		eap_brski_decide(sm, config);
	if (brski->mode < EAP_BRSKI_ONBOARD)
		return NULL;

	brski->shown = *config;
	brski->shown.eap_methods = brski->methods;
	brski->shown.identity = (u8 *)brski->identity;
	brski->shown.identity_len = os_strlen(brski->identity);
	brski->shown.anonymous_identity = NULL;
	brski->shown.anonymous_identity_len = 0;
	brski->shown.pcsc = NULL;
	if (brski->mode == EAP_BRSKI_LOGIN)
		eap_brski_show_login(brski, config);
	return &brski->shown;
}

/* The server said no, or this side did; no answer at all tells nothing about the credential. */
static bool eap_brski_definite(const struct eap_sm *sm)
{
	return sm->rxFailure || (sm->methodState == METHOD_DONE && sm->decision == DECISION_FAIL);
}

static void eap_brski_end_success(struct eap_sm *sm)
{
	struct eap_brski *brski = sm->brski;

	brski->failures = 0;
	brski->attempts = 0;
	brski->put_off = 0;
	os_memset(&brski->not_before, 0, sizeof(brski->not_before));
	if (brski->mode == EAP_BRSKI_LOGIN)
		eap_brski_notify(sm, "logged-in", brski->identity);
	else
		wpas_brski_login_again(sm->msg_ctx);
}

/* Not all devices at once when the power is back, or a server was busy: by chance half as long or half as long
 * again. */
static long eap_brski_by_chance(unsigned long seconds)
{
	u32 r = 0;

	if (seconds == 0 || os_get_random((unsigned char *)&r, sizeof(r)) < 0)
		return (long)seconds;
	return (long)(seconds / 2 + r % (seconds + 1));
}

/* RFC 9965: fewer and fewer attempts. Twice as long each time, up to an hour. */
static long eap_brski_pause(const struct eap_brski *brski)
{
	unsigned long seconds = brski->backoff;
	unsigned int i;

	for (i = 1; i < brski->attempts && seconds < EAP_BRSKI_BACKOFF_MAX; i++)
		seconds *= 2;
	return eap_brski_by_chance(seconds > EAP_BRSKI_BACKOFF_MAX ? EAP_BRSKI_BACKOFF_MAX : seconds);
}

/*
 * The server has ended it before its registrar said anything, and this side had not: it is busy. That is no
 * failure of the device, and a crowd of devices is in soon if none of them stays away for an hour. But a network
 * that does not know the method says the same, and is not to be asked each minute for ever.
 */
static bool eap_brski_was_put_off(const struct eap_sm *sm)
{
	const struct eap_brski *brski = sm->brski;

	return sm->rxFailure && !brski->told && brski->put_off < EAP_BRSKI_BUSY_TIMES &&
	       !brski_peer_heard(brski->onboarding->peer);
}

/* Not kept anywhere: a device that is plugged into another port tries there at once. */
static void eap_brski_back_off(struct eap_sm *sm, bool put_off)
{
	struct eap_brski *brski = sm->brski;
	long seconds;

	if (put_off) {
		brski->put_off++;
		seconds = eap_brski_by_chance(
			brski->backoff < EAP_BRSKI_BUSY ? brski->backoff : EAP_BRSKI_BUSY);
	} else {
		brski->attempts++;
		seconds = eap_brski_pause(brski);
	}
	if (seconds <= 0)
		return;
	wpa_printf(MSG_INFO, "EAP-BRSKI: %sthe next attempt to be onboarded in %ld s",
		put_off ? "the server is busy: " : "", seconds);
	eap_brski_hold(sm, seconds);
}

/* What ended an attempt to be onboarded, and when the next one may be. */
static void eap_brski_end_attempt(struct eap_sm *sm)
{
	struct eap_brski *brski = sm->brski;
	bool put_off = eap_brski_was_put_off(sm);
	struct os_reltime now;

	if (brski_peer_heard(brski->onboarding->peer))
		brski->put_off = 0;
	if (put_off)
		eap_brski_notify(sm, "put-off", "the server is busy");
	else
		eap_brski_failed(sm, sm->rxFailure ? "the server refused" : "the server fell silent");
	os_get_reltime(&now);
	if (os_reltime_before(&now, &brski->not_before))
		eap_brski_hold(sm, (long)(brski->not_before.sec - now.sec) + 1);
	else
		eap_brski_back_off(sm, put_off);
}

static void eap_brski_end_failure(struct eap_sm *sm)
{
	struct eap_brski *brski = sm->brski;

	if (eap_brski_definite(sm))
		brski->failures++;
	if (brski->mode == EAP_BRSKI_ONBOARD)
		eap_brski_end_attempt(sm);
	else
		eap_brski_notify(sm, "login-failed", brski->identity);
}

void eap_brski_end(struct eap_sm *sm, bool success)
{
	if (!sm->brski || sm->brski->mode < EAP_BRSKI_ONBOARD)
		return;
	eap_brski_unlock(sm->brski->onboarding);
	if (success)
		eap_brski_end_success(sm);
	else
		eap_brski_end_failure(sm);
}

void eap_brski_deinit(struct eap_sm *sm)
{
	if (!sm->brski)
		return;
	wpas_brski_cancel(sm->msg_ctx);
	eap_brski_close(sm->brski->onboarding);
	os_free(sm->brski);
	sm->brski = NULL;
}
