/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_EAP_SERVER_H
#define BRSKI_EAP_SERVER_H

#include "eap_brski/eap/peer.h" /* constants of the method */
#include "eap_brski/registrar/registrar.h"

/*
 * EAP-BRSKI, server side, for an EAP server: link, tunnel and registrar session put together. No
 * threads, no waiting.
 */
struct brski_eap_context; /* what the sessions of one server share: immutable */
struct brski_eap_config {
	struct brski_registrar *registrar; /* borrowed */
	uint32_t vendor_id;
	uint32_t vendor_type;
	size_t message_max; /* 0: BRSKI_MESSAGE_MAX */
};
BRSKI_CHECKED enum brski_code brski_eap_context_new(
	const struct brski_eap_config *config, struct brski_eap_context **out, struct brski_error *err);
void brski_eap_context_free(struct brski_eap_context *ctx);

enum brski_eap_result {
	BRSKI_EAP_SEND,    /* *reply goes out in an EAP-Request */
	BRSKI_EAP_JOB,     /* work for MASA or PKI: brski_eap_take_job; then _resume, _wait or _defer */
	BRSKI_EAP_SUCCESS, /* EAP-Success, keys are there */
	BRSKI_EAP_FAILURE, /* EAP-Failure; brski_eap_reason says why */
};

struct brski_eap_session;
/*
 * mtu: octets of a whole EAP packet. where: see brski_registrar_session_new. *reply gets the Start
 * packet's data.
 */
BRSKI_CHECKED enum brski_code brski_eap_session_new(struct brski_eap_context *ctx, size_t mtu,
	const char *where, struct brski_buf *reply, struct brski_eap_session **out, struct brski_error *err);
void brski_eap_session_free(struct brski_eap_session *s);

/*
 * One response's data (after the Expanded Type). After BRSKI_EAP_JOB followed by brski_eap_wait,
 * the peer's acknowledgement comes here too, and gives BRSKI_EAP_JOB again. An error return means
 * EAP-Failure now.
 */
BRSKI_CHECKED enum brski_code brski_eap_process(struct brski_eap_session *s, struct brski_span response,
	struct brski_buf *reply, enum brski_eap_result *result, struct brski_error *err);
/*
 * The job that the session stands at. The first call after it appeared gives ownership to the
 * caller, who may let another thread drive it; the session must not be freed before that thread let
 * go only if it still uses the session, the job is independent of it.
 */
struct brski_job *brski_eap_take_job(struct brski_eap_session *s);
/* The job is done: goes on with the session. */
BRSKI_CHECKED enum brski_code brski_eap_resume(struct brski_eap_session *s, const struct brski_job *job,
	struct brski_buf *reply, enum brski_eap_result *result, struct brski_error *err);
/* It takes longer: a Wait packet of wait_ms. */
BRSKI_CHECKED enum brski_code brski_eap_wait(
	struct brski_eap_session *s, unsigned wait_ms, struct brski_buf *reply, struct brski_error *err);
/* It takes too long: the peer is told when to come back; the session goes on to its end. */
BRSKI_CHECKED enum brski_code brski_eap_defer(struct brski_eap_session *s, const struct brski_job *job,
	struct brski_buf *reply, enum brski_eap_result *result, struct brski_error *err);

BRSKI_CHECKED enum brski_code brski_eap_keys(struct brski_eap_session *s, uint8_t msk[BRSKI_EAP_KEY_LEN],
	uint8_t emsk[BRSKI_EAP_KEY_LEN], uint8_t session_id[BRSKI_EAP_SESSION_ID_LEN],
	struct brski_error *err);
const char *brski_eap_reason(const struct brski_eap_session *s);
/* True if the peer was told to come back: the end of this session is no failure. */
bool brski_eap_deferred(const struct brski_eap_session *s);
/* NULL before the handshake told. */
const struct brski_device *brski_eap_device(const struct brski_eap_session *s);

#endif
