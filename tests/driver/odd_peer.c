/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/driver/odd_peer.h"

#include <stdlib.h>

#include "eap_brski/transport/frame.h"
#include "eap_brski/transport/http_binary.h"
#include "eap_brski/transport/link.h"
#include "eap_brski/transport/tunnel.h"
#include "tests/driver/odd_request.h"

struct odd_peer {
	const struct brski_credential *cmp_signer;
	struct brski_credential self;
	struct brski_link *link;
	struct brski_tunnel_config *config;
	struct brski_tunnel *tunnel;
	struct brski_pledge *pledge;
	bool connected;
	bool over;
	size_t expected;
};

void odd_peer_free(struct odd_peer *p)
{
	if (!p)
		return;
	brski_tunnel_free(p->tunnel);
	brski_tunnel_config_free(p->config);
	brski_link_free(p->link);
	brski_pledge_free(p->pledge);
	brski_credential_free(&p->self);
	free(p);
}

enum brski_code odd_peer_new(const struct brski_peer_config *config,
	const struct brski_credential *cmp_signer, struct odd_peer **out, struct brski_error *err)
{
	struct odd_peer *p = calloc(1, sizeof(*p));
	enum brski_code rc;

	*out = NULL;
	if (!p)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	p->cmp_signer = cmp_signer;
	rc = brski_credential_copy(&p->self, config->pledge.idevid, err);
	if (!rc)
		rc = brski_pledge_new(&config->pledge, &p->pledge, err);
	if (!rc)
		rc = brski_link_new(false, config->mtu ? config->mtu : BRSKI_MTU_DEFAULT, 0, &p->link, err);
	if (!rc)
		rc = brski_tunnel_config_new(false, config->pledge.idevid, &p->config, err);
	if (!rc)
		rc = brski_tunnel_new(p->config, NULL, NULL, &p->tunnel, err);
	if (rc)
		odd_peer_free(p);
	else
		*out = p;
	return rc;
}

static enum brski_code send_flight(struct odd_peer *p, struct brski_buf *out, struct brski_error *err)
{
	struct brski_http requests[BRSKI_FLIGHT_MAX] = {0};
	struct brski_buf plain = {0};
	enum brski_code rc = brski_pledge_next(p->pledge, requests, &p->expected, err);

	for (size_t i = 0; !rc && i < p->expected; i++) {
		if (odd_request_is_ir(&requests[i]))
			rc = odd_request_sign(&requests[i], p->self.cert, p->cmp_signer, err);
		if (!rc)
			rc = brski_http_encode(&requests[i], &plain, err);
	}
	p->over = !rc && p->expected == 0;
	if (!rc && p->expected)
		rc = brski_tunnel_write(p->tunnel, brski_buf_span(&plain), out, err);
	for (size_t i = 0; i < BRSKI_FLIGHT_MAX; i++)
		brski_http_free(&requests[i]);
	brski_buf_free(&plain);
	return rc;
}

static enum brski_code take_flight(struct odd_peer *p, struct brski_span plain, struct brski_error *err)
{
	struct brski_http responses[BRSKI_FLIGHT_MAX] = {0};
	bool complete = true;
	enum brski_code rc = BRSKI_OK;

	for (size_t i = 0; !rc && complete && i < p->expected; i++)
		rc = brski_http_decode(&plain, BRSKI_MESSAGE_MAX, &responses[i], &complete, err);
	if (!rc && !complete)
		rc = brski_fail(err, BRSKI_MALFORMED, "responses are missing");
	if (!rc)
		rc = brski_pledge_answer(p->pledge, responses, p->expected, err);
	for (size_t i = 0; i < BRSKI_FLIGHT_MAX; i++)
		brski_http_free(&responses[i]);
	return rc;
}

static enum brski_code advance(
	struct odd_peer *p, struct brski_span plain, struct brski_buf *out, struct brski_error *err)
{
	enum brski_code rc;

	if (brski_tunnel_state(p->tunnel) == BRSKI_TUNNEL_HANDSHAKE)
		return BRSKI_OK;
	if (brski_tunnel_state(p->tunnel) == BRSKI_TUNNEL_CLOSED && !plain.len)
		return brski_fail(err, BRSKI_REFUSED, "the registrar closed the tunnel");
	if (p->connected) {
		rc = take_flight(p, plain, err);
	} else {
		p->connected = true;
		rc = brski_pledge_connected(p->pledge, brski_tunnel_peer_chain(p->tunnel), err);
	}
	return rc ? rc : send_flight(p, out, err);
}

static enum brski_code on_message(
	struct odd_peer *p, struct brski_span message, struct brski_buf *reply, struct brski_error *err)
{
	struct brski_buf plain = {0}, out = {0};
	enum brski_code rc = brski_tunnel_feed(p->tunnel, message, &out, &plain, err);

	if (!rc)
		rc = advance(p, brski_buf_span(&plain), &out, err);
	if (!rc)
		rc = brski_link_queue(p->link, brski_buf_span(&out), err);
	if (!rc)
		rc = brski_link_next(p->link, reply, err);
	brski_buf_free(&plain);
	brski_buf_free(&out);
	return rc;
}

enum brski_code odd_peer_process(struct odd_peer *p, struct brski_span request, struct brski_buf *reply,
	enum brski_peer_result *result, unsigned *delay_ms, struct brski_error *err)
{
	enum brski_link_event event;
	uint16_t wait = 0;
	enum brski_code rc = brski_link_receive(p->link, request, &event, &wait, err);

	*result = BRSKI_PEER_REPLY;
	*delay_ms = 0;
	if (rc)
		return rc;
	if (event == BRSKI_LINK_START || event == BRSKI_LINK_MESSAGE) {
		rc = on_message(p,
			event == BRSKI_LINK_START ? brski_span(NULL, 0) : brski_link_message(p->link), reply,
			err);
	} else {
		rc = brski_link_next(p->link, reply, err);
		if (event == BRSKI_LINK_WAIT)
			*result = BRSKI_PEER_WAIT;
		*delay_ms = wait;
	}
	if (p->over)
		*result = BRSKI_PEER_FAILURE;
	return rc;
}
