/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/eap/peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eap_brski/transport/frame.h"
#include "eap_brski/transport/http_binary.h"
#include "eap_brski/transport/link.h"
#include "eap_brski/transport/tunnel.h"

#define VENDOR_ID_MAX 0xffffff
/* Silence that no Wait of the server's has announced; authenticators repeat a request after 3 s. */
#define PATIENCE_S 2

_Static_assert(BRSKI_FLIGHT_MAX <= BRSKI_EAP_FLIGHT_MAX, "the pledge asks for no more than a server takes");

struct brski_peer {
	uint8_t expanded_type[BRSKI_EXPANDED_TYPE_LEN];
	struct brski_link *link;
	struct brski_tunnel_config *tunnel_config;
	struct brski_tunnel *tunnel;
	struct brski_pledge *pledge;
	bool connected;                /* the pledge knows of the tunnel */
	bool heard;                    /* the registrar has answered something inside it */
	size_t expected;               /* responses to the flight that is out */
	enum brski_peer_result result; /* the last one; nothing follows SUCCESS and FAILURE */
	char reason[sizeof(((struct brski_error *)0)->why)];
	struct brski_peer_counts counts;
};

static enum brski_code make_parts(
	struct brski_peer *peer, const struct brski_peer_config *config, struct brski_error *err)
{
	struct brski_pledge_config pledge = config->pledge;
	enum brski_code code;

	pledge.patience = PATIENCE_S;
	code = brski_pledge_new(&pledge, &peer->pledge, err);
	if (code == BRSKI_OK)
		code = brski_link_new(
			false, config->mtu > 0 ? config->mtu : BRSKI_MTU_DEFAULT, 0, &peer->link, err);
	if (code == BRSKI_OK)
		code = brski_tunnel_config_new(false, config->pledge.idevid, &peer->tunnel_config, err);
	if (code == BRSKI_OK) /* provisional acceptance, RFC 8995 5.1: the pledge judges the chain */
		code = brski_tunnel_new(peer->tunnel_config, NULL, NULL, &peer->tunnel, err);
	return code;
}

enum brski_code brski_peer_new(
	const struct brski_peer_config *config, struct brski_peer **out, struct brski_error *err)
{
	uint32_t vendor_id = config->vendor_id > 0 ? config->vendor_id : BRSKI_EAP_VENDOR_ID;
	uint32_t vendor_type = config->vendor_type > 0 ? config->vendor_type : BRSKI_EAP_VENDOR_TYPE;
	struct brski_peer *peer;
	enum brski_code code;

	*out = NULL;
	if (vendor_id > VENDOR_ID_MAX)
		return brski_fail(err, BRSKI_UNSUPPORTED, "a Vendor-Id has 24 bits, %lu has more",
			(unsigned long)vendor_id);
	peer = calloc(1, sizeof(*peer));
	if (!peer)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for an EAP peer");
	peer->result = BRSKI_PEER_REPLY;
	brski_expanded_type(vendor_id, vendor_type, peer->expanded_type);
	code = make_parts(peer, config, err);
	if (code != BRSKI_OK) {
		brski_peer_free(peer);
		return code;
	}
	*out = peer;
	return BRSKI_OK;
}

void brski_peer_free(struct brski_peer *peer)
{
	if (!peer)
		return;
	brski_tunnel_free(peer->tunnel);
	brski_tunnel_config_free(peer->tunnel_config);
	brski_link_free(peer->link);
	brski_pledge_free(peer->pledge);
	free(peer);
}

/* ---- inside the tunnel ---- */

static void end_of_onboarding(struct brski_peer *peer, struct brski_buf *out)
{
	long seconds = brski_pledge_retry_after(peer->pledge);
	enum brski_pledge_state state = brski_pledge_state(peer->pledge);

	if (state == BRSKI_PLEDGE_ENROLLED) {
		peer->result = BRSKI_PEER_SUCCESS;
		return;
	}
	peer->result = BRSKI_PEER_FAILURE;
	if (state == BRSKI_PLEDGE_FAILED)
		snprintf(peer->reason, sizeof(peer->reason), "%s", brski_pledge_reason(peer->pledge));
	else
		snprintf(peer->reason, sizeof(peer->reason),
			"the registrar told us to come back in %ld seconds", seconds);
	brski_tunnel_close(peer->tunnel, out);
}

static enum brski_code encode_flight(
	const struct brski_http *requests, size_t n, struct brski_buf *plain, struct brski_error *err)
{
	enum brski_code code = BRSKI_OK;

	for (size_t i = 0; code == BRSKI_OK && i < n; i++)
		code = brski_http_encode(&requests[i], plain, err);
	return code;
}

static enum brski_code next_flight(struct brski_peer *peer, struct brski_buf *out, struct brski_error *err)
{
	struct brski_http requests[BRSKI_FLIGHT_MAX] = {0};
	struct brski_buf plain = {0};
	enum brski_code code;

	code = brski_pledge_next(peer->pledge, requests, &peer->expected, err);
	if (code == BRSKI_OK && peer->expected == 0)
		end_of_onboarding(peer, out);
	else if (code == BRSKI_OK && brski_pledge_pause(peer->pledge) > 0)
		peer->result = BRSKI_PEER_WAIT;
	if (code == BRSKI_OK)
		code = encode_flight(requests, peer->expected, &plain, err);
	if (code == BRSKI_OK && peer->expected > 0)
		code = brski_tunnel_write(peer->tunnel, brski_buf_span(&plain), out, err);
	for (size_t i = 0; i < BRSKI_FLIGHT_MAX; i++)
		brski_http_free(&requests[i]);
	brski_buf_free(&plain);
	return code;
}

/* All the responses to a flight come in one message, and nothing else does. */
static enum brski_code decode_flight(
	struct brski_span plain, struct brski_http *responses, size_t n, struct brski_error *err)
{
	bool complete = true;
	enum brski_code code = BRSKI_OK;

	for (size_t i = 0; code == BRSKI_OK && complete && i < n; i++)
		code = brski_http_decode(&plain, BRSKI_MESSAGE_MAX, &responses[i], &complete, err);
	if (code == BRSKI_OK && (!complete || plain.len > 0))
		code = brski_fail(err, BRSKI_MALFORMED, "the registrar sent %s than the %zu responses due",
			complete ? "more" : "fewer", n);
	return code;
}

static enum brski_code take_responses(
	struct brski_peer *peer, struct brski_span plain, struct brski_error *err)
{
	struct brski_http responses[BRSKI_FLIGHT_MAX] = {0};
	enum brski_code code;

	peer->heard = true;
	code = decode_flight(plain, responses, peer->expected, err);
	if (code == BRSKI_OK)
		code = brski_pledge_answer(peer->pledge, responses, peer->expected, err);
	for (size_t i = 0; i < BRSKI_FLIGHT_MAX; i++)
		brski_http_free(&responses[i]);
	return code;
}

static enum brski_code connect_pledge(
	struct brski_peer *peer, struct brski_span plain, struct brski_error *err)
{
	if (plain.len > 0)
		return brski_fail(
			err, BRSKI_UNEXPECTED, "the registrar sent data before it was asked anything");
	peer->connected = true;
	return brski_pledge_connected(peer->pledge, brski_tunnel_peer_chain(peer->tunnel), err);
}

/* After each message: what the tunnel's new state, and what came out of it, lead to. */
static enum brski_code advance(
	struct brski_peer *peer, struct brski_span plain, struct brski_buf *out, struct brski_error *err)
{
	enum brski_tunnel_state state = brski_tunnel_state(peer->tunnel);
	enum brski_code code;

	if (state == BRSKI_TUNNEL_HANDSHAKE)
		return out->len > 0 ? BRSKI_OK
				    : brski_fail(err, BRSKI_MALFORMED,
					      "a TLS message of the registrar is incomplete");
	if (state == BRSKI_TUNNEL_CLOSED && plain.len == 0)
		return brski_fail(err, BRSKI_REFUSED, "the registrar closed the tunnel");
	code = peer->connected ? take_responses(peer, plain, err) : connect_pledge(peer, plain, err);
	return code == BRSKI_OK ? next_flight(peer, out, err) : code;
}

/*
 * In TLS 1.3 the server looks at our certificate when we have already finished: its alert comes in
 * place of an answer.
 */
static void explain_alert(const struct brski_peer *peer, const struct brski_buf *out, struct brski_error *why)
{
	if (why->code != BRSKI_REFUSED || out->len > 0) /* it is our own refusal, with our own alert */
		return;
	if (peer->connected && !peer->heard)
		brski_fail_context(why, why->code, "the registrar refused our certificate");
	else
		brski_fail_context(why, why->code, "the registrar ended the session");
}

static enum brski_code through_tunnel(
	struct brski_peer *peer, struct brski_span message, struct brski_buf *out, struct brski_error *why)
{
	struct brski_buf plain = {0};
	enum brski_code code;

	code = brski_tunnel_feed(peer->tunnel, message, out, &plain, why);
	if (code != BRSKI_OK)
		explain_alert(peer, out, why);
	else
		code = advance(peer, brski_buf_span(&plain), out, why);
	brski_buf_free(&plain);
	return code;
}

/* ---- packets ---- */

/* A failure is answered too: with the alert that tells the server why, or an acknowledgement of its own. */
static enum brski_code on_message(
	struct brski_peer *peer, struct brski_span message, struct brski_buf *reply, struct brski_error *err)
{
	struct brski_error why = {0};
	struct brski_buf out = {0};
	enum brski_code code;

	if (through_tunnel(peer, message, &out, &why) != BRSKI_OK) {
		peer->result = BRSKI_PEER_FAILURE;
		snprintf(peer->reason, sizeof(peer->reason), "%s", why.why);
		brski_tunnel_close(peer->tunnel, &out);
	}
	code = brski_link_queue(peer->link, brski_buf_span(&out), err);
	if (code == BRSKI_OK)
		code = brski_link_next(peer->link, reply, err);
	brski_buf_free(&out);
	return code;
}

static enum brski_code on_start(struct brski_peer *peer, struct brski_buf *reply, struct brski_error *err)
{
	long seconds = brski_pledge_retry_after(peer->pledge);

	if (seconds > 0)
		return brski_fail(err, BRSKI_UNAVAILABLE,
			"the registrar told us to stay away for another %ld seconds", seconds);
	return on_message(peer, brski_span(NULL, 0), reply, err);
}

static enum brski_code on_event(struct brski_peer *peer, enum brski_link_event event, struct brski_buf *reply,
	struct brski_error *err)
{
	switch (event) {
	case BRSKI_LINK_START:
		return on_start(peer, reply, err);
	case BRSKI_LINK_MESSAGE:
		return on_message(peer, brski_link_message(peer->link), reply, err);
	case BRSKI_LINK_WAIT:
		peer->result = BRSKI_PEER_WAIT;
		return brski_link_next(peer->link, reply, err);
	case BRSKI_LINK_SEND:
		return brski_link_next(peer->link, reply, err);
	case BRSKI_LINK_ACK:
		break;
	}
	return brski_fail(err, BRSKI_UNEXPECTED, "the server acknowledged what it should have answered");
}

static bool has_ended(const struct brski_peer *peer)
{
	return peer->result == BRSKI_PEER_SUCCESS || peer->result == BRSKI_PEER_FAILURE;
}

static enum brski_code process(struct brski_peer *peer, struct brski_span request, struct brski_buf *reply,
	unsigned *delay_ms, struct brski_error *err)
{
	enum brski_link_event event;
	uint16_t wait_ms = 0;
	enum brski_code code;

	if (has_ended(peer))
		return brski_fail(err, BRSKI_UNEXPECTED, "the session is over: %s",
			peer->reason[0] != '\0' ? peer->reason : "the device is enrolled");
	peer->counts.packets++;
	peer->counts.octets_in += request.len + BRSKI_EAP_OVERHEAD;
	code = brski_link_receive(peer->link, request, &event, &wait_ms, err);
	if (code != BRSKI_OK)
		return code;
	peer->result = BRSKI_PEER_REPLY;
	code = on_event(peer, event, reply, err);
	if (code == BRSKI_OK && peer->result == BRSKI_PEER_WAIT)
		*delay_ms = event == BRSKI_LINK_WAIT ? wait_ms
						     : (unsigned)brski_pledge_pause(peer->pledge) * 1000;
	return code;
}

enum brski_code brski_peer_process(struct brski_peer *peer, struct brski_span request,
	struct brski_buf *reply, enum brski_peer_result *result, unsigned *delay_ms, struct brski_error *err)
{
	struct brski_error why = {0};
	enum brski_code code;

	*delay_ms = 0;
	brski_buf_reset(reply);
	code = process(peer, request, reply, delay_ms, &why);
	if (code != BRSKI_OK && !has_ended(peer)) {
		snprintf(peer->reason, sizeof(peer->reason), "%s", why.why);
		peer->result = BRSKI_PEER_FAILURE;
	}
	*result = code == BRSKI_OK ? peer->result : BRSKI_PEER_FAILURE;
	if (code != BRSKI_OK) {
		brski_buf_reset(reply);
		return brski_fail(err, code, "%s", why.why);
	}
	peer->counts.octets_out += reply->len + BRSKI_EAP_OVERHEAD;
	return BRSKI_OK;
}

/* ---- what a session gave ---- */

enum brski_code brski_peer_keys(struct brski_peer *peer, uint8_t msk[BRSKI_EAP_KEY_LEN],
	uint8_t emsk[BRSKI_EAP_KEY_LEN], uint8_t session_id[BRSKI_EAP_SESSION_ID_LEN],
	struct brski_error *err)
{
	return brski_method_keys(peer->result == BRSKI_PEER_SUCCESS ? peer->tunnel : NULL,
		peer->expanded_type, msk, emsk, session_id, err);
}

enum brski_pledge_state brski_peer_state(const struct brski_peer *peer)
{
	return brski_pledge_state(peer->pledge);
}

long brski_peer_retry_after(const struct brski_peer *peer)
{
	return brski_pledge_retry_after(peer->pledge);
}

const char *brski_peer_reason(const struct brski_peer *peer)
{
	return peer->reason;
}

bool brski_peer_heard(const struct brski_peer *peer)
{
	return peer->heard;
}

void brski_peer_counts(const struct brski_peer *peer, struct brski_peer_counts *out)
{
	*out = peer->counts;
}
