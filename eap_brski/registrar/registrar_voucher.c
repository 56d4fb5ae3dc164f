/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "eap_brski/artifacts/voucher_check.h"
#include "eap_brski/artifacts/voucher_cms.h"
#include "eap_brski/artifacts/voucher_request.h"
#include "eap_brski/registrar/permission_internal.h"

/* POST /.well-known/brski/requestvoucher: RFC 8995 5.2, 5.3, 5.5 and 5.6. */

/*
 * RFC 8995 5.2: a proximity-registrar-cert that is not ours means a man in the middle, and has a
 * status of its own.
 */
static bool was_made_for_another(struct brski_span cms, const X509 *own)
{
	struct brski_voucher v = {0};
	STACK_OF(X509) *certs = NULL;
	struct brski_buf der = {0};
	bool other = false;

	if (brski_voucher_open(cms, NULL, BRSKI_VOUCHER_REQUEST, &v, &certs, NULL) == BRSKI_OK &&
		v.proximity_registrar_cert.len && brski_cert_to_der(own, &der, NULL) == BRSKI_OK)
		other = !brski_span_equal(brski_buf_span(&der), brski_buf_span(&v.proximity_registrar_cert));
	sk_X509_pop_free(certs, X509_free);
	brski_buf_free(&der);
	brski_voucher_free(&v);
	return other;
}

static enum brski_code refuse_request(struct brski_registrar_session *s, struct brski_span cms,
	const struct brski_error *why, struct brski_http *response, struct brski_error *err)
{
	if (brski_registrar_is_own_trouble(why->code))
		return brski_registrar_give_up(why, why->code, err);
	brski_registrar_session_move(s, BRSKI_SESSION_SAID_NO);
	brski_registrar_session_note(s, "voucher-request", false, "%s", why->why);
	if (was_made_for_another(cms, s->registrar->credential.cert))
		return brski_http_reply_text(response, 401, "voucher-request names another registrar", err);
	return brski_http_reply_text(
		response, brski_code_http_status(why->code), brski_code_name(why->code), err);
}

static enum brski_code defer_device(struct brski_registrar_session *s, long retry_after,
	struct brski_http *response, struct brski_error *err)
{
	brski_registrar_session_note(s, "deferred", true, "told to come back in %ld s", retry_after);
	return brski_registrar_session_come_back(s, 202, retry_after, response, err);
}

struct voucher_context {
	struct brski_registrar_session *s;
	struct brski_span cms;
	const struct brski_voucher *pledge;
};

/* The registrar's own request, RFC 8995 5.5; it is stored with the pledge's. */
static enum brski_code fill(void *ctx, struct brski_job *job, struct brski_error *err)
{
	const struct voucher_context *c = ctx;
	const struct brski_registrar *r = c->s->registrar;

	return brski_voucher_request_registrar(&r->credential, c->s->device.idevid, c->pledge, c->cms,
		brski_now(r->env), &job->upstream, err);
}

static void kept(void *ctx, const struct brski_job *job)
{
	const struct voucher_context *c = ctx;

	brski_registrar_session_note(
		c->s, "voucher-request", true, "kept; the MASA is %s", job->device.masa_url);
}

static enum brski_code authorize(struct brski_registrar_session *s, struct brski_span cms,
	const struct brski_voucher *pledge, struct brski_http *response, struct brski_job **job,
	struct brski_error *err)
{
	struct voucher_context c = {.s = s, .cms = cms, .pledge = pledge};
	const struct brski_registrar_asked asked = {.type = &brski_job_type_voucher,
		.work = BRSKI_WORK_VOUCHER,
		.octets = cms,
		.fill = fill,
		.kept = kept,
		.ctx = &c};
	enum brski_decision decision;
	long retry_after;
	enum brski_code code = brski_registrar_session_decide(s, &decision, &retry_after, err);

	if (code != BRSKI_OK)
		return code;
	switch (decision) {
	case BRSKI_ACCEPT:
		return brski_registrar_ask(s, &asked, response, job, err);
	case BRSKI_DEFER:
		return defer_device(s, retry_after, response, err);
	case BRSKI_REFUSE:
	default:
		return brski_registrar_session_turn_away(s, response, err);
	}
}

enum brski_code brski_registrar_handle_voucher_request(BRSKI_REGISTRAR_HANDLER_PARAMS)
{
	struct brski_span cms = brski_buf_span(&request->body);
	struct brski_voucher pledge = {0};
	struct brski_error why = {0};
	enum brski_code code;

	(void)endpoint;
	code = brski_voucher_request_check(cms, s->chain, s->registrar->credential.cert, &pledge, &why);
	why.code = code;
	if (code == BRSKI_OK)
		code = authorize(s, cms, &pledge, response, job, err);
	else
		code = refuse_request(s, cms, &why, response, err);
	brski_voucher_free(&pledge);
	return code;
}

static enum brski_code copy_answer(
	const struct brski_http *answer, struct brski_http *response, struct brski_error *err)
{
	return brski_http_response(response, answer->status, brski_http_get(answer, "content-type"),
		brski_buf_span(&answer->body), err);
}

enum brski_code brski_registrar_deliver_voucher(struct brski_registrar_session *s,
	const struct brski_job *job, struct brski_http *response, struct brski_error *err)
{
	enum brski_code code;

	if (job->state == BRSKI_JOB_REFUSED) {
		brski_registrar_session_move(s, BRSKI_SESSION_SAID_NO);
		snprintf(s->reason, sizeof(s->reason), "%s", job->why);
		return copy_answer(&job->answer, response, err);
	}
	/* CMP is served to a device that was given a voucher here, in this session or before: RFC 8995 5.8.3 */
	code = brski_permission_give(s->registrar, &s->device, job->key, err);
	if (code == BRSKI_NOT_FOUND) { /* refused meanwhile, by the MASA at another request for instance */
		brski_registrar_session_note(
			s, "voucher", false, "a refusal came between, and the voucher is not given out");
		return brski_registrar_session_come_back(s, 503, s->registrar->retry_after, response, err);
	}
	return code == BRSKI_OK ? copy_answer(&job->answer, response, err) : code;
}

enum brski_code brski_registrar_defer_voucher(struct brski_registrar_session *s, const struct brski_job *job,
	struct brski_http *response, struct brski_error *err)
{
	return defer_device(s, brski_registrar_session_wait(s, job), response, err);
}
