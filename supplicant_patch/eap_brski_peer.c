/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * EAP-BRSKI in wpa_supplicant: from a network block to the library's peer. The IDevID is in client_cert and
 * private_key; events go to the control interface.
 */

#include "includes.h"

#include "common.h"
#include "eap_config.h"
#include "eap_i.h"

#include "eap_brski/posix/folder.h"
#include "eap_brski_peer.h"

static void eap_brski_event(void *ctx, enum brski_pledge_event event, const char *detail)
{
	struct eap_brski_onboarding *onboarding = ctx;

	if (event == BRSKI_EVENT_FAILED)
		eap_brski_failed(onboarding->sm, detail);
	else
		eap_brski_notify(onboarding->sm, brski_pledge_event_name(event), detail);
}

static void eap_brski_log(void *ctx, enum brski_level level, const char *line)
{
	static const int to[] = {
		[BRSKI_LOG_DEBUG] = MSG_DEBUG,
		[BRSKI_LOG_INFO] = MSG_INFO,
		[BRSKI_LOG_WARN] = MSG_WARNING,
		[BRSKI_LOG_ERROR] = MSG_ERROR,
	};

	wpa_printf(to[level], "EAP-BRSKI: %s", line);
}

static const struct brski_env eap_brski_env = {.log = eap_brski_log};

static int eap_brski_load(const struct eap_peer_config *config, const struct eap_brski_options *options,
	struct brski_credential *idevid, STACK_OF(X509) **anchors, struct brski_error *err)
{
	const struct eap_peer_cert_config *cert = &config->cert;
	const char *secret = cert->private_key_passwd ? cert->private_key_passwd : cert->pin;
	enum brski_code code;

	if (!cert->client_cert || !cert->private_key) {
		brski_fail(err, BRSKI_NOT_FOUND,
			"the network block names no client_cert or no private_key (the IDevID)");
		return -1;
	}
	if (!options->masa_ca[0]) {
		brski_fail(err, BRSKI_NOT_FOUND,
			"phase1 has no brski_masa_ca (the manufacturer's trust anchors)");
		return -1;
	}
	code = brski_credential_load(cert->private_key, secret, cert->client_cert, idevid, err);
	if (code != BRSKI_OK) {
		brski_fail_context(err, code, "the device's own certificate (IDevID)");
		return -1;
	}
	code = brski_certs_load(options->masa_ca, anchors, err);
	if (code != BRSKI_OK) {
		brski_fail_context(err, code, "the manufacturer's trust anchors");
		return -1;
	}
	return 0;
}

static int eap_brski_new_peer(struct eap_brski_onboarding *onboarding, const struct brski_credential *idevid,
	const STACK_OF(X509) *anchors, int fragment_size, struct brski_error *err)
{
	const struct eap_brski_options *options = &onboarding->options;
	struct brski_peer_config config = {
		.pledge =
			{
				.idevid = idevid,
				.masa_anchors = anchors,
				.key_type = options->key_type,
				.pkcs10 = options->pkcs10,
				.implicit_confirm = options->implicit_confirm,
				.cert_profile = options->profile[0] ? options->profile : NULL,
				.clock_is_right = options->clock_is_right,
				.allow_nonceless = options->allow_nonceless,
				.storage = brski_folder_storage(onboarding->folder),
				.env = &eap_brski_env,
				.event = eap_brski_event,
				.event_ctx = onboarding,
			},
		.vendor_id = options->vendor_id,
		.vendor_type = options->vendor_type,
		.mtu = fragment_size > 0 ? (size_t)fragment_size : 0,
	};

	return brski_peer_new(&config, &onboarding->peer, err) == BRSKI_OK ? 0 : -1;
}

struct eap_brski_onboarding *eap_brski_open(struct eap_sm *sm, const struct eap_peer_config *config,
	const struct eap_brski_options *options, struct brski_error *err)
{
	struct eap_brski_onboarding *onboarding;
	struct brski_credential idevid = {0};
	STACK_OF(X509) *anchors = NULL;
	int ret = -1;

	onboarding = os_zalloc(sizeof(*onboarding));
	if (!onboarding) {
		brski_fail(err, BRSKI_NO_MEMORY, "out of memory");
		return NULL;
	}
	onboarding->sm = sm;
	onboarding->options = *options;
	if (eap_brski_load(config, options, &idevid, &anchors, err) == 0 &&
		brski_folder_open(options->state, &onboarding->folder, err) == BRSKI_OK &&
		brski_folder_lock(onboarding->folder, err) == BRSKI_OK)
		ret = eap_brski_new_peer(onboarding, &idevid, anchors, config->fragment_size, err);

	brski_credential_free(&idevid);
	sk_X509_pop_free(anchors, X509_free);
	if (ret < 0) {
		eap_brski_close(onboarding);
		return NULL;
	}
	return onboarding;
}

void eap_brski_unlock(struct eap_brski_onboarding *onboarding)
{
	if (onboarding)
		brski_folder_unlock(onboarding->folder);
}

void eap_brski_close(struct eap_brski_onboarding *onboarding)
{
	if (!onboarding)
		return;
	brski_peer_free(onboarding->peer);
	brski_folder_close(onboarding->folder);
	os_free(onboarding);
}
