/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * EAP peer method: EAP-BRSKI (docs/protocol.md). The method itself is in the library; here its packets meet
 * hostap's.
 */

#include "includes.h"

#include "common.h"
#include "eap_config.h"
#include "eap_i.h"
#include "eap_methods.h"
#include "eloop.h"

#include "eap_brski.h"
#include "eap_brski_state.h"

struct eap_brski_data {
	struct eap_brski_onboarding *onboarding; /* borrowed */
	struct brski_buf reply;

	/* The answer to a Wait, and the identifier of the request that it answers. */
	struct wpabuf *pending;
	u8 pending_id;
	bool ready;

	bool keys;
	u8 msk[BRSKI_EAP_KEY_LEN];
	u8 emsk[BRSKI_EAP_KEY_LEN];
	u8 session_id[BRSKI_EAP_SESSION_ID_LEN];
};

static void *eap_brski_init(struct eap_sm *sm)
{
	struct eap_brski_data *data;
	struct eap_brski_onboarding *onboarding = eap_brski_take(sm);

	if (!onboarding)
		return NULL;
	data = os_zalloc(sizeof(*data));
	if (data)
		data->onboarding = onboarding;
	return data;
}

static void eap_brski_wait_over(void *eloop_ctx, void *timeout_ctx)
{
	struct eap_sm *sm = eloop_ctx;
	struct eap_brski_data *data = timeout_ctx;

	data->ready = true;
	eap_notify_pending(sm);
}

static void eap_brski_method_deinit(struct eap_sm *sm, void *priv)
{
	struct eap_brski_data *data = priv;

	if (!data)
		return;
	eloop_cancel_timeout(eap_brski_wait_over, sm, data);
	wpabuf_free(data->pending);
	brski_buf_free(&data->reply);
	bin_clear_free(data, sizeof(*data));
}

static struct wpabuf *eap_brski_response(struct eap_brski_data *data, u8 id)
{
	const struct eap_brski_options *options = &data->onboarding->options;
	struct wpabuf *resp;

	resp = eap_msg_alloc((int)options->vendor_id, (enum eap_type)options->vendor_type, data->reply.len,
		EAP_CODE_RESPONSE, id);
	if (resp)
		wpabuf_put_data(resp, data->reply.data, data->reply.len);
	return resp;
}

/*
 * The registrar asked for silence. No response and no `ignore` leaves the EAPOL state machine in REQUEST,
 * where it delivers nothing and has no timer of its own running; eap_notify_pending() then delivers the same
 * request once more.
 */
static struct wpabuf *eap_brski_wait(
	struct eap_sm *sm, struct eap_brski_data *data, struct wpabuf *resp, u8 id, unsigned int delay_ms)
{
	wpa_printf(MSG_DEBUG, "EAP-BRSKI: the registrar asks for %u ms of patience", delay_ms);
	wpabuf_free(data->pending);
	data->pending = resp;
	data->pending_id = id;
	data->ready = false;
	if (eloop_register_timeout(delay_ms / 1000, (delay_ms % 1000) * 1000, eap_brski_wait_over, sm, data) <
		0) {
		/* Better too early than never. */
		data->pending = NULL;
		return resp;
	}
	return NULL;
}

static struct wpabuf *eap_brski_process_pending(
	struct eap_brski_data *data, struct eap_method_ret *ret, const struct wpabuf *reqData)
{
	struct wpabuf *resp = data->pending;

	if (eap_get_id(reqData) != data->pending_id) {
		wpa_printf(MSG_DEBUG, "EAP-BRSKI: another request while one waits - ignored");
		ret->ignore = true;
		return NULL;
	}
	if (!data->ready)
		return NULL;
	data->pending = NULL;
	return resp;
}

static void eap_brski_success(struct eap_sm *sm, struct eap_brski_data *data, struct eap_method_ret *ret)
{
	struct brski_error err;
	struct brski_peer_counts counts;

	ret->methodState = METHOD_DONE;
	if (brski_peer_keys(data->onboarding->peer, data->msk, data->emsk, data->session_id, &err) !=
		BRSKI_OK) {
		eap_brski_failed(sm, err.why);
		ret->decision = DECISION_FAIL;
		return;
	}
	data->keys = true;
	/* The registrar's answer to enrollstatus, inside the tunnel, is a protected success indication (RFC
	 * 3748 7.16). */
	ret->decision = DECISION_UNCOND_SUCC;
	brski_peer_counts(data->onboarding->peer, &counts);
	wpa_printf(MSG_INFO, "EAP-BRSKI: onboarded in %u round trips, %zu octets in, %zu octets out",
		counts.packets, counts.octets_in, counts.octets_out);
}

static void eap_brski_failure(
	struct eap_sm *sm, struct eap_brski_data *data, struct eap_method_ret *ret, const char *why)
{
	long seconds = brski_peer_retry_after(data->onboarding->peer);

	ret->methodState = METHOD_DONE;
	ret->decision = DECISION_FAIL;
	if (seconds > 0)
		eap_brski_deferred(sm, seconds);
	else
		eap_brski_failed(sm, why);
}

static struct wpabuf *eap_brski_process(
	struct eap_sm *sm, void *priv, struct eap_method_ret *ret, const struct wpabuf *reqData)
{
	struct eap_brski_data *data = priv;
	const struct eap_brski_options *options = &data->onboarding->options;
	enum brski_peer_result result;
	unsigned int delay_ms = 0;
	struct brski_error err;
	struct wpabuf *resp;
	const u8 *pos;
	size_t len;

	pos = eap_hdr_validate((int)options->vendor_id, (enum eap_type)options->vendor_type, reqData, &len);
	if (!pos) {
		ret->ignore = true;
		return NULL;
	}
	ret->ignore = false;
	ret->allowNotifications = true;
	/* MAY_CONT: an EAP-Failure is believed at once, an EAP-Success not before the registrar confirmed in
	 * the tunnel. */
	ret->methodState = METHOD_MAY_CONT;
	ret->decision = DECISION_FAIL;
	if (data->pending)
		return eap_brski_process_pending(data, ret, reqData);

	if (brski_peer_process(data->onboarding->peer, brski_span(pos, len), &data->reply, &result, &delay_ms,
		    &err) != BRSKI_OK) {
		eap_brski_failure(sm, data, ret, err.why);
		return NULL;
	}
	resp = eap_brski_response(data, eap_get_id(reqData));
	if (!resp) {
		eap_brski_failure(sm, data, ret, "out of memory");
		return NULL;
	}
	switch (result) {
	case BRSKI_PEER_REPLY:
		break;
	case BRSKI_PEER_WAIT:
		return eap_brski_wait(sm, data, resp, eap_get_id(reqData), delay_ms);
	case BRSKI_PEER_SUCCESS:
		eap_brski_success(sm, data, ret);
		break;
	case BRSKI_PEER_FAILURE:
		eap_brski_failure(sm, data, ret, brski_peer_reason(data->onboarding->peer));
		break;
	}
	return resp;
}

static bool eap_brski_is_key_available(struct eap_sm *sm, void *priv)
{
	struct eap_brski_data *data = priv;

	return data->keys;
}

static u8 *eap_brski_copy(struct eap_brski_data *data, const u8 *from, size_t size, size_t *len)
{
	u8 *out;

	if (!data->keys)
		return NULL;
	out = os_memdup(from, size);
	if (out)
		*len = size;
	return out;
}

static u8 *eap_brski_get_key(struct eap_sm *sm, void *priv, size_t *len)
{
	struct eap_brski_data *data = priv;

	return eap_brski_copy(data, data->msk, sizeof(data->msk), len);
}

static u8 *eap_brski_get_emsk(struct eap_sm *sm, void *priv, size_t *len)
{
	struct eap_brski_data *data = priv;

	return eap_brski_copy(data, data->emsk, sizeof(data->emsk), len);
}

static u8 *eap_brski_get_session_id(struct eap_sm *sm, void *priv, size_t *len)
{
	struct eap_brski_data *data = priv;

	return eap_brski_copy(data, data->session_id, sizeof(data->session_id), len);
}

static int eap_brski_get_status(struct eap_sm *sm, void *priv, char *buf, size_t buflen, int verbose)
{
	struct eap_brski_data *data = priv;
	int ret;

	ret = os_snprintf(buf, buflen, "EAP-BRSKI state=%s\n",
		brski_pledge_state_name(brski_peer_state(data->onboarding->peer)));
	return os_snprintf_error(buflen, ret) ? 0 : ret;
}

static void eap_brski_method_free(struct eap_method *method)
{
	os_free((char *)method->name);
	os_free(method);
}

static int eap_brski_register_as(u32 vendor_id, u32 vendor_type, const char *name)
{
	struct eap_method *eap;
	int ret;

	eap = eap_peer_method_alloc(EAP_PEER_METHOD_INTERFACE_VERSION, (int)vendor_id,
		(enum eap_type)vendor_type, os_strdup(name));
	if (!eap)
		return -1;
	if (!eap->name) {
		os_free(eap);
		return -1;
	}

	eap->init = eap_brski_init;
	eap->deinit = eap_brski_method_deinit;
	eap->process = eap_brski_process;
	eap->isKeyAvailable = eap_brski_is_key_available;
	eap->getKey = eap_brski_get_key;
	eap->get_emsk = eap_brski_get_emsk;
	eap->getSessionId = eap_brski_get_session_id;
	eap->get_status = eap_brski_get_status;
	eap->free = eap_brski_method_free;

	ret = eap_peer_method_register(eap);
	return ret == -1 ? -1 : 0;
}

int eap_brski_register_type(u32 vendor_id, u32 vendor_type)
{
	char name[40];

	if (eap_peer_get_eap_method((int)vendor_id, (enum eap_type)vendor_type))
		return 0;
	os_snprintf(name, sizeof(name), "BRSKI-%u-%u", vendor_id, vendor_type);
	return eap_brski_register_as(vendor_id, vendor_type, name);
}

int eap_peer_brski_register(void)
{
	return eap_brski_register_as(BRSKI_EAP_VENDOR_ID, BRSKI_EAP_VENDOR_TYPE, "BRSKI");
}
