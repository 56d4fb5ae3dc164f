/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/eap/server.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "eap_brski/eap/server_internal.h"
#include "eap_brski/transport/http_binary.h"
#include "eap_brski/transport/link.h"
#include "eap_brski/transport/tunnel.h"

#define REQUESTS_MAX 32  /* of one session: docs/protocol.md, Limits */
#define PACKETS_MAX 1000 /* of one session; a small MTU and RSA need some */

struct brski_server_context {
	struct brski_registrar *registrar;
	struct brski_tunnel_config *tunnel;
	uint8_t expanded_type[BRSKI_EXPANDED_TYPE_LEN];
	size_t message_max;
};

struct brski_server_session {
	const struct brski_server_context *ctx;
	enum brski_server_stage stage;
	struct brski_link *link;
	struct brski_tunnel *tunnel;
	struct brski_registrar_session *registrar; /* from the end of the handshake */
	void *visit;                               /* the registrar's session's */
	struct brski_job *job;                     /* until it is taken */
	bool troubled; /* the registrar could not look at the peer's certificate */
	char where[128];
	char reason[sizeof(((struct brski_error *)0)->why)];
	unsigned n_packets;
	unsigned n_requests;
	unsigned n_flight;          /* requests of this flight so far */
	struct brski_buf plain;     /* the flight of requests that came */
	struct brski_span requests; /* what of it is not worked off */
	struct brski_buf responses; /* what goes back when it is */
	struct brski_buf records;   /* TLS octets to be sent */
};

enum brski_code brski_server_context_new(
	const struct brski_server_config *config, struct brski_server_context **out, struct brski_error *err)
{
	struct brski_server_context *ctx = calloc(1, sizeof(*ctx));
	enum brski_code code;

	*out = NULL;
	if (!ctx)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	ctx->registrar = config->registrar;
	ctx->message_max = config->message_max;
	brski_expanded_type(config->vendor_id ? config->vendor_id : BRSKI_EAP_VENDOR_ID,
		config->vendor_type ? config->vendor_type : BRSKI_EAP_VENDOR_TYPE, ctx->expanded_type);
	code = brski_tunnel_config_new(
		true, brski_registrar_credential(config->registrar), &ctx->tunnel, err);
	if (code != BRSKI_OK) {
		brski_server_context_free(ctx);
		return code;
	}
	*out = ctx;
	return BRSKI_OK;
}

void brski_server_context_free(struct brski_server_context *ctx)
{
	if (!ctx)
		return;
	brski_tunnel_config_free(ctx->tunnel);
	free(ctx);
}

static enum brski_code verify_peer(void *ctx, STACK_OF(X509) *certs, struct brski_error *err)
{
	struct brski_server_session *s = ctx;
	enum brski_code code = brski_registrar_peer(s->ctx->registrar, certs, err);

	s->troubled = code == BRSKI_UNAVAILABLE || code == BRSKI_INTERNAL || code == BRSKI_NO_MEMORY;
	return code;
}

static enum brski_code session_fill(
	struct brski_server_session *s, size_t mtu, struct brski_buf *reply, struct brski_error *err)
{
	enum brski_code code =
		brski_link_new(true, mtu ? mtu : BRSKI_MTU_DEFAULT, s->ctx->message_max, &s->link, err);

	if (code == BRSKI_OK)
		code = brski_tunnel_new(s->ctx->tunnel, verify_peer, s, &s->tunnel, err);
	return code == BRSKI_OK ? brski_link_next(s->link, reply, err) : code;
}

enum brski_code brski_server_session_new(struct brski_server_context *ctx, size_t mtu, const char *where,
	struct brski_buf *reply, struct brski_server_session **out, struct brski_error *err)
{
	struct brski_server_session *s = calloc(1, sizeof(*s));
	enum brski_code code;

	*out = NULL;
	if (!s)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	s->ctx = ctx;
	OPENSSL_strlcpy(s->where, where ? where : "", sizeof(s->where));
	code = session_fill(s, mtu, reply, err);
	if (code != BRSKI_OK) {
		brski_server_session_free(s);
		return code;
	}
	*out = s;
	return BRSKI_OK;
}

void brski_server_session_free(struct brski_server_session *s)
{
	if (!s)
		return;
	brski_job_free(s->job);
	brski_registrar_session_free(s->registrar);
	brski_tunnel_free(s->tunnel);
	brski_link_free(s->link);
	brski_buf_free(&s->plain);
	brski_buf_free(&s->responses);
	brski_buf_free(&s->records);
	free(s);
}

void brski_server_visit(struct brski_server_session *s, void *visit)
{
	s->visit = visit;
	if (s->registrar)
		brski_registrar_session_visit(s->registrar, visit);
}

static void set_reason(struct brski_server_session *s, const char *why)
{
	OPENSSL_strlcpy(s->reason, why, sizeof(s->reason));
}

/* Ends the method at once. */
static enum brski_code fail_now(struct brski_server_session *s, enum brski_code code, struct brski_error *why,
	struct brski_error *err)
{
	brski_server_move(&s->stage, BRSKI_SERVER_BROKEN);
	why->code = code;
	set_reason(s, why->why);
	if (err)
		*err = *why;
	return code;
}

/* What is in s->records goes out; nothing there is an acknowledgement. */
static enum brski_code send_records(
	struct brski_server_session *s, struct brski_buf *reply, struct brski_error *err)
{
	enum brski_code code = brski_link_queue(s->link, brski_buf_span(&s->records), err);

	brski_buf_reset(&s->records);
	return code == BRSKI_OK ? brski_link_next(s->link, reply, err) : code;
}

/* The tunnel's last words reach the peer, whose acknowledgement ends the method. */
static enum brski_code send_last_words(struct brski_server_session *s, enum brski_code code,
	struct brski_error *why, struct brski_buf *reply, struct brski_error *err)
{
	if (s->records.len == 0 || send_records(s, reply, NULL) != BRSKI_OK)
		return fail_now(s, code, why, err);
	set_reason(s, why->why);
	brski_server_move(&s->stage, BRSKI_SERVER_LAST_WORDS);
	return BRSKI_OK;
}

/* The peer talks in a way that no pledge does. */
static enum brski_code close_tunnel(struct brski_server_session *s, enum brski_code code,
	struct brski_error *why, struct brski_buf *reply, struct brski_error *err)
{
	brski_buf_reset(&s->records);
	brski_tunnel_close(s->tunnel, &s->records);
	return send_last_words(s, code, why, reply, err);
}

/* The responses of a whole flight become the octets that go out. */
static enum brski_code write_responses(struct brski_server_session *s, struct brski_error *err)
{
	enum brski_code code = BRSKI_OK;

	if (s->responses.len)
		code = brski_tunnel_write(s->tunnel, brski_buf_span(&s->responses), &s->records, err);
	brski_buf_reset(&s->responses);
	brski_buf_reset(&s->plain);
	s->requests = brski_span(NULL, 0);
	s->n_flight = 0;
	return code;
}

/* What was asked of the registrar may rest on what it has stored: such an answer is held. */
static enum brski_code finish_flight(struct brski_server_session *s, struct brski_buf *reply,
	enum brski_server_result *result, struct brski_error *err)
{
	bool hold = s->registrar && s->stage != BRSKI_STAGE_TALKING;
	enum brski_code code = write_responses(s, err);

	if (code != BRSKI_OK)
		return code;
	brski_server_move(&s->stage, hold ? BRSKI_SERVER_READY : BRSKI_SERVER_ANSWERED);
	*result = hold ? BRSKI_SERVER_HOLD : BRSKI_SERVER_SEND;
	return hold ? BRSKI_OK : send_records(s, reply, err);
}

static enum brski_code next_request(
	struct brski_server_session *s, struct brski_http *request, struct brski_error *err)
{
	bool complete;
	enum brski_code code = brski_http_decode(&s->requests, BRSKI_MESSAGE_MAX, request, &complete, err);

	if (code != BRSKI_OK)
		return code;
	if (!complete)
		return brski_fail(err, BRSKI_MALFORMED, "a flight of requests ends within a request");
	if (++s->n_requests > REQUESTS_MAX)
		return brski_fail(err, BRSKI_TOO_LARGE, "more than %d requests in one session", REQUESTS_MAX);
	if (++s->n_flight > BRSKI_EAP_FLIGHT_MAX)
		return brski_fail(
			err, BRSKI_TOO_LARGE, "more than %d requests in one flight", BRSKI_EAP_FLIGHT_MAX);
	return BRSKI_OK;
}

static enum brski_code add_response(
	struct brski_server_session *s, struct brski_http *response, struct brski_error *err)
{
	enum brski_code code = brski_http_encode(response, &s->responses, err);

	brski_http_free(response);
	return code;
}

/* Works off the flight, until it is done or a request needs a job. */
static enum brski_code work_off(struct brski_server_session *s, struct brski_buf *reply,
	enum brski_server_result *result, struct brski_error *err)
{
	struct brski_http request = {0}, response = {0};
	struct brski_error why = {0};
	enum brski_code code = BRSKI_OK;

	*result = BRSKI_SERVER_SEND;
	while (s->requests.len > 0) {
		code = next_request(s, &request, &why);
		if (code != BRSKI_OK) {
			brski_http_free(&request);
			return close_tunnel(s, code, &why, reply, err);
		}
		code = brski_registrar_request(s->registrar, &request, &response, &s->job, &why);
		brski_http_free(&request);
		if (code == BRSKI_OK && s->job) {
			brski_server_move(&s->stage, BRSKI_SERVER_NEEDS_JOB);
			*result = BRSKI_SERVER_JOB;
			return BRSKI_OK;
		}
		if (code == BRSKI_OK)
			code = add_response(s, &response, &why);
		brski_http_free(&response);
		if (code != BRSKI_OK)
			return fail_now(s, code, &why, err);
	}
	code = finish_flight(s, reply, result, &why);
	return code == BRSKI_OK ? BRSKI_OK : fail_now(s, code, &why, err);
}

static enum brski_code start_registrar(struct brski_server_session *s, struct brski_error *err)
{
	enum brski_code code;

	if (s->registrar || brski_tunnel_state(s->tunnel) != BRSKI_TUNNEL_OPEN)
		return BRSKI_OK;
	code = brski_registrar_session_new(
		s->ctx->registrar, brski_tunnel_peer_chain(s->tunnel), s->where, &s->registrar, err);
	if (code == BRSKI_OK)
		brski_registrar_session_visit(s->registrar, s->visit);
	return code;
}

static const char *silent_reason(const struct brski_server_session *s)
{
	if (s->registrar && brski_registrar_session_reason(s->registrar)[0] != '\0')
		return brski_registrar_session_reason(s->registrar);
	return s->registrar ? "the pledge left, and is not onboarded"
			    : "the pledge gave up in the TLS handshake";
}

/* The peer closed the tunnel, or sent an alert: why, it may have told the registrar before. */
static enum brski_code on_closed(
	struct brski_server_session *s, const struct brski_error *alert, enum brski_server_result *result)
{
	bool told = s->registrar && brski_registrar_session_reason(s->registrar)[0] != '\0';

	set_reason(s, alert->why[0] != '\0' && !told ? alert->why : silent_reason(s));
	brski_server_move(&s->stage, BRSKI_SERVER_BROKEN);
	*result = BRSKI_SERVER_FAILURE;
	return BRSKI_OK;
}

/* Decrypts the message, or goes on with the handshake. True: that is all there is to it. */
static bool through_tunnel(struct brski_server_session *s, struct brski_buf *reply,
	enum brski_server_result *result, struct brski_error *err, enum brski_code *code)
{
	struct brski_error why = {0};

	*code = brski_tunnel_feed(s->tunnel, brski_link_message(s->link), &s->records, &s->plain, &why);
	if (*code != BRSKI_OK && s->records.len > 0) {
		*code = send_last_words(s, *code, &why, reply, err);
		return true;
	}
	if (*code != BRSKI_OK || brski_tunnel_state(s->tunnel) == BRSKI_TUNNEL_CLOSED) {
		*code = on_closed(s, &why, result);
		return true;
	}
	*code = start_registrar(s, &why);
	if (*code != BRSKI_OK) {
		*code = close_tunnel(s, *code, &why, reply, err);
		return true;
	}
	s->requests = brski_buf_span(&s->plain);
	return false;
}

/*
 * The costly part waits for whoever calls: public-key operations, and what the registrar is asked.
 * To decrypt costs little, and so it shows at once that a peer only leaves: it waits for no answer.
 */
static enum brski_code on_message(struct brski_server_session *s, struct brski_buf *reply,
	enum brski_server_result *result, struct brski_error *err)
{
	bool at_once = brski_tunnel_state(s->tunnel) == BRSKI_TUNNEL_OPEN ||
		       brski_tunnel_is_alert(brski_link_message(s->link));
	enum brski_code code;

	*result = BRSKI_SERVER_SEND;
	if (at_once && through_tunnel(s, reply, result, err, &code))
		return code;
	if (at_once && s->requests.len == 0)
		return work_off(s, reply, result, err);
	brski_server_move(&s->stage, BRSKI_SERVER_ASKED);
	*result = BRSKI_SERVER_WORK;
	return BRSKI_OK;
}

/* The peer has nothing to say to what it got last. */
static enum brski_code on_silence(struct brski_server_session *s, struct brski_buf *reply,
	enum brski_server_result *result, struct brski_error *err)
{
	(void)reply;
	(void)err;
	if (s->registrar && brski_registrar_session_enrolled(s->registrar)) {
		brski_server_move(&s->stage, BRSKI_SERVER_ENROLLED);
		*result = BRSKI_SERVER_SUCCESS;
		return BRSKI_OK;
	}
	set_reason(s, silent_reason(s));
	brski_server_move(&s->stage, BRSKI_SERVER_BROKEN);
	*result = BRSKI_SERVER_FAILURE;
	return BRSKI_OK;
}

/* It has heard our last words. */
static enum brski_code on_end(struct brski_server_session *s, struct brski_buf *reply,
	enum brski_server_result *result, struct brski_error *err)
{
	(void)reply;
	(void)err;
	brski_server_move(&s->stage, BRSKI_SERVER_BROKEN);
	*result = BRSKI_SERVER_FAILURE;
	return BRSKI_OK;
}

/* A message has not come whole, or has not gone whole. */
static enum brski_code on_fragment(struct brski_server_session *s, struct brski_buf *reply,
	enum brski_server_result *result, struct brski_error *err)
{
	struct brski_error why = {0};
	enum brski_code code = brski_link_next(s->link, reply, &why);

	(void)result;
	return code == BRSKI_OK ? BRSKI_OK : fail_now(s, code, &why, err);
}

/* While a message, a job or an answer waits, the only thing to come is the end of a Wait. */
static enum brski_code on_wait_over(struct brski_server_session *s, struct brski_buf *reply,
	enum brski_server_result *result, struct brski_error *err)
{
	static const enum brski_server_result results[] = {
		[BRSKI_STAGE_WORK] = BRSKI_SERVER_WORK,
		[BRSKI_STAGE_JOB] = BRSKI_SERVER_JOB,
		[BRSKI_STAGE_HOLD] = BRSKI_SERVER_HOLD,
	};

	(void)reply;
	(void)err;
	*result = results[s->stage];
	return BRSKI_OK;
}

static enum brski_code on_impatience(struct brski_server_session *s, struct brski_buf *reply,
	enum brski_server_result *result, struct brski_error *err)
{
	struct brski_error why = {0};

	(void)reply;
	(void)result;
	brski_fail(&why, BRSKI_UNEXPECTED, "the pledge did not acknowledge a Wait");
	return fail_now(s, BRSKI_UNEXPECTED, &why, err);
}

/* What a packet means, by the stage that it comes in and what the link makes of it. */
typedef enum brski_code reaction(struct brski_server_session *s, struct brski_buf *reply,
	enum brski_server_result *result, struct brski_error *err);

static reaction *const reactions[][BRSKI_LINK_ACK + 1] = {
	[BRSKI_STAGE_TALKING] = {[BRSKI_LINK_SEND] = on_fragment,
		[BRSKI_LINK_MESSAGE] = on_message,
		[BRSKI_LINK_ACK] = on_silence},
	[BRSKI_STAGE_WORK] = {[BRSKI_LINK_SEND] = on_impatience,
		[BRSKI_LINK_MESSAGE] = on_impatience,
		[BRSKI_LINK_ACK] = on_wait_over},
	[BRSKI_STAGE_JOB] = {[BRSKI_LINK_SEND] = on_impatience,
		[BRSKI_LINK_MESSAGE] = on_impatience,
		[BRSKI_LINK_ACK] = on_wait_over},
	[BRSKI_STAGE_HOLD] = {[BRSKI_LINK_SEND] = on_impatience,
		[BRSKI_LINK_MESSAGE] = on_impatience,
		[BRSKI_LINK_ACK] = on_wait_over},
	[BRSKI_STAGE_ENDING] =
		{[BRSKI_LINK_SEND] = on_fragment, [BRSKI_LINK_MESSAGE] = on_end, [BRSKI_LINK_ACK] = on_end},
};

static enum brski_code on_event(struct brski_server_session *s, enum brski_link_event event,
	struct brski_buf *reply, enum brski_server_result *result, struct brski_error *err)
{
	reaction *react = reactions[s->stage][event];
	struct brski_error why = {0};

	if (react)
		return react(s, reply, result, err);
	brski_fail(&why, BRSKI_INTERNAL, "the link tells a server what only a peer is told");
	return fail_now(s, BRSKI_INTERNAL, &why, err);
}

enum brski_code brski_server_process(struct brski_server_session *s, struct brski_span response,
	struct brski_buf *reply, enum brski_server_result *result, struct brski_error *err)
{
	struct brski_error why = {0};
	enum brski_link_event event;
	enum brski_code code;
	uint16_t wait_ms;

	brski_buf_reset(reply);
	*result = BRSKI_SERVER_FAILURE;
	if (s->stage == BRSKI_STAGE_SUCCESS || s->stage == BRSKI_STAGE_FAILURE)
		return brski_fail(err, BRSKI_UNEXPECTED, "the session has ended");
	if (++s->n_packets > PACKETS_MAX) {
		brski_fail(&why, BRSKI_TOO_LARGE, "more than %d packets in one session", PACKETS_MAX);
		return fail_now(s, BRSKI_TOO_LARGE, &why, err);
	}
	code = brski_link_receive(s->link, response, &event, &wait_ms, &why);
	if (code != BRSKI_OK)
		return fail_now(s, code, &why, err);
	*result = BRSKI_SERVER_SEND;
	code = on_event(s, event, reply, result, err);
	if (code != BRSKI_OK)
		*result = BRSKI_SERVER_FAILURE;
	return code;
}

/* In one of the stages in which the session waits for whoever calls. */
static enum brski_code expect_stage(const struct brski_server_session *s, enum brski_server_stage stage,
	const char *why, struct brski_error *err)
{
	return s->stage == stage ? BRSKI_OK : brski_fail(err, BRSKI_UNEXPECTED, "%s", why);
}

enum brski_code brski_server_work(struct brski_server_session *s, struct brski_buf *reply,
	enum brski_server_result *result, struct brski_error *err)
{
	enum brski_code code = expect_stage(s, BRSKI_STAGE_WORK, "no message waits to be worked off", err);
	bool ended = false;

	brski_buf_reset(reply);
	*result = BRSKI_SERVER_FAILURE;
	if (code != BRSKI_OK)
		return code;
	*result = BRSKI_SERVER_SEND;
	if (brski_tunnel_state(s->tunnel) == BRSKI_TUNNEL_HANDSHAKE)
		ended = through_tunnel(s, reply, result, err, &code);
	if (!ended)
		code = work_off(s, reply, result, err);
	if (code != BRSKI_OK)
		*result = BRSKI_SERVER_FAILURE;
	return code;
}

enum brski_code brski_server_send(
	struct brski_server_session *s, struct brski_buf *reply, struct brski_error *err)
{
	struct brski_error why = {0};
	enum brski_code code = expect_stage(s, BRSKI_STAGE_HOLD, "no answer is held", err);

	brski_buf_reset(reply);
	if (code != BRSKI_OK)
		return code;
	brski_server_move(&s->stage, BRSKI_SERVER_ANSWERED);
	code = send_records(s, reply, &why);
	return code == BRSKI_OK ? BRSKI_OK : fail_now(s, code, &why, err);
}

struct brski_job *brski_server_take_job(struct brski_server_session *s)
{
	struct brski_job *job = s->job;

	s->job = NULL;
	return job;
}

/* brski_registrar_resume or brski_registrar_defer: the response to the request that waits. */
typedef enum brski_code respond_fn(struct brski_registrar_session *session, const struct brski_job *job,
	struct brski_http *response, struct brski_error *err);

/* The response of a job that is done, or deferred, and on with the flight. */
static enum brski_code go_on(struct brski_server_session *s, const struct brski_job *job, respond_fn *respond,
	struct brski_buf *reply, enum brski_server_result *result, struct brski_error *err)
{
	struct brski_http response = {0};
	struct brski_error why = {0};
	enum brski_code code;

	brski_buf_reset(reply);
	*result = BRSKI_SERVER_FAILURE;
	code = expect_stage(s, BRSKI_STAGE_JOB, "the session waits for no job", err);
	if (code != BRSKI_OK)
		return code;
	code = respond(s->registrar, job, &response, &why);
	if (code == BRSKI_OK)
		code = add_response(s, &response, &why);
	brski_http_free(&response);
	if (code != BRSKI_OK)
		return fail_now(s, code, &why, err);
	code = work_off(s, reply, result, err);
	if (code != BRSKI_OK)
		*result = BRSKI_SERVER_FAILURE;
	return code;
}

enum brski_code brski_server_resume(struct brski_server_session *s, const struct brski_job *job,
	struct brski_buf *reply, enum brski_server_result *result, struct brski_error *err)
{
	return go_on(s, job, brski_registrar_resume, reply, result, err);
}

enum brski_code brski_server_defer(struct brski_server_session *s, const struct brski_job *job,
	struct brski_buf *reply, enum brski_server_result *result, struct brski_error *err)
{
	return go_on(s, job, brski_registrar_defer, reply, result, err);
}

enum brski_code brski_server_wait(
	struct brski_server_session *s, unsigned wait_ms, struct brski_buf *reply, struct brski_error *err)
{
	brski_buf_reset(reply);
	if (s->stage != BRSKI_STAGE_WORK && s->stage != BRSKI_STAGE_JOB && s->stage != BRSKI_STAGE_HOLD)
		return brski_fail(err, BRSKI_UNEXPECTED, "the session waits for nothing");
	if (wait_ms < 1)
		wait_ms = 1;
	if (wait_ms > BRSKI_WAIT_MAX_MS)
		wait_ms = BRSKI_WAIT_MAX_MS;
	return brski_link_wait(s->link, (uint16_t)wait_ms, reply, err);
}

enum brski_code brski_server_keys(struct brski_server_session *s, uint8_t msk[BRSKI_EAP_KEY_LEN],
	uint8_t emsk[BRSKI_EAP_KEY_LEN], uint8_t session_id[BRSKI_EAP_SESSION_ID_LEN],
	struct brski_error *err)
{
	return brski_method_keys(s->stage == BRSKI_STAGE_SUCCESS ? s->tunnel : NULL, s->ctx->expanded_type,
		msk, emsk, session_id, err);
}

const char *brski_server_reason(const struct brski_server_session *s)
{
	if (s->reason[0] == '\0' && s->registrar)
		return brski_registrar_session_reason(s->registrar);
	return s->reason;
}

bool brski_server_deferred(const struct brski_server_session *s)
{
	return s->registrar && brski_registrar_session_deferred(s->registrar);
}

bool brski_server_troubled(const struct brski_server_session *s)
{
	return s->troubled || (s->registrar && brski_registrar_session_troubled(s->registrar));
}

const struct brski_device *brski_server_device(const struct brski_server_session *s)
{
	return s->registrar ? brski_registrar_session_device(s->registrar) : NULL;
}
