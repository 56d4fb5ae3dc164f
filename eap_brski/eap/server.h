/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_EAP_SERVER_H
#define BRSKI_EAP_SERVER_H

#include "eap_brski/eap/method.h"
#include "eap_brski/registrar/registrar.h"

/*
 * EAP-BRSKI, server side, for an EAP server: link, tunnel and registrar session put together. No
 * threads, no waiting.
 */
struct brski_server_context; /* what the sessions of one server share: immutable */
struct brski_server_config {
	struct brski_registrar *registrar; /* borrowed */
	uint32_t vendor_id;
	uint32_t vendor_type;
	size_t message_max; /* 0: BRSKI_MESSAGE_MAX */
};
BRSKI_CHECKED enum brski_code brski_server_context_new(
	const struct brski_server_config *config, struct brski_server_context **out, struct brski_error *err);
void brski_server_context_free(struct brski_server_context *ctx);

enum brski_server_result {
	BRSKI_SERVER_SEND, /* *reply goes out in an EAP-Request */
	BRSKI_SERVER_WORK, /* a message is complete: brski_server_work does what it asks for; or _wait first */
	BRSKI_SERVER_JOB,  /* work for MASA or PKI: brski_server_take_job; then _resume, _wait or _defer */
	/*
	 * The answer is ready: brski_server_send, as soon as what the registrar has stored until now
	 * outlives a power failure; or _wait first. *reply is empty
	 */
	BRSKI_SERVER_HOLD,
	BRSKI_SERVER_SUCCESS, /* EAP-Success, keys are there */
	BRSKI_SERVER_FAILURE, /* EAP-Failure; brski_server_reason says why */
};

struct brski_server_session;
/*
 * mtu: octets of a whole EAP packet. where: see brski_registrar_session_new. *reply gets the Start
 * packet's data.
 */
BRSKI_CHECKED enum brski_code brski_server_session_new(struct brski_server_context *ctx, size_t mtu,
	const char *where, struct brski_buf *reply, struct brski_server_session **out,
	struct brski_error *err);
void brski_server_session_free(struct brski_server_session *s);
/* brski_registrar_session_visit, also for a registrar's session that is still to come. */
void brski_server_visit(struct brski_server_session *s, void *visit);

/*
 * One response's data (after the Expanded Type). What costs public-key operations, or the
 * registrar's attention, gives BRSKI_SERVER_WORK and is not done yet; everything else is done
 * here. After BRSKI_SERVER_WORK, _JOB or _HOLD followed by brski_server_wait, the peer's
 * acknowledgement comes here too, and gives the same result again. An error return means EAP-
 * Failure now.
 */
BRSKI_CHECKED enum brski_code brski_server_process(struct brski_server_session *s, struct brski_span response,
	struct brski_buf *reply, enum brski_server_result *result, struct brski_error *err);
/* After BRSKI_SERVER_WORK, once. Any result but WORK. An error return means EAP-Failure now. */
BRSKI_CHECKED enum brski_code brski_server_work(struct brski_server_session *s, struct brski_buf *reply,
	enum brski_server_result *result, struct brski_error *err);
/* After BRSKI_SERVER_HOLD, once: *reply goes out in an EAP-Request. An error return means EAP-Failure now. */
BRSKI_CHECKED enum brski_code brski_server_send(
	struct brski_server_session *s, struct brski_buf *reply, struct brski_error *err);
/*
 * The job that the session stands at. The first call after it appeared gives ownership to the
 * caller, who may let another thread drive it; the session must not be freed before that thread let
 * go only if it still uses the session, the job is independent of it.
 */
struct brski_job *brski_server_take_job(struct brski_server_session *s);
/* The job is done: goes on with the session, to _JOB, _HOLD, or its end. */
BRSKI_CHECKED enum brski_code brski_server_resume(struct brski_server_session *s, const struct brski_job *job,
	struct brski_buf *reply, enum brski_server_result *result, struct brski_error *err);
/* It takes longer: a Wait packet of wait_ms. */
BRSKI_CHECKED enum brski_code brski_server_wait(
	struct brski_server_session *s, unsigned wait_ms, struct brski_buf *reply, struct brski_error *err);
/* It takes too long: the peer is told when to come back; the session goes on to its end. */
BRSKI_CHECKED enum brski_code brski_server_defer(struct brski_server_session *s, const struct brski_job *job,
	struct brski_buf *reply, enum brski_server_result *result, struct brski_error *err);

BRSKI_CHECKED enum brski_code brski_server_keys(struct brski_server_session *s,
	uint8_t msk[BRSKI_EAP_KEY_LEN], uint8_t emsk[BRSKI_EAP_KEY_LEN],
	uint8_t session_id[BRSKI_EAP_SESSION_ID_LEN], struct brski_error *err);
const char *brski_server_reason(const struct brski_server_session *s);
/* True if the peer was told to come back: the end of this session is no failure. */
bool brski_server_deferred(const struct brski_server_session *s);
/* True if the registrar was in trouble of its own: so is not the device. */
bool brski_server_troubled(const struct brski_server_session *s);
/* NULL before the handshake told. */
const struct brski_device *brski_server_device(const struct brski_server_session *s);

#endif
