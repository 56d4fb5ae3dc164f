/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "eap_brski/artifacts/voucher_check.h"
#include "eap_brski/artifacts/voucher_cms.h"
#include "eap_brski/artifacts/voucher_request.h"
#include "eap_brski/registrar/registrar_internal.h"

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

	if (brski_voucher_open(cms, NULL, &v, &certs, NULL) == BRSKI_OK && v.proximity_registrar_cert.len &&
		brski_cert_to_der(own, &der, NULL) == BRSKI_OK)
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

static enum brski_code refuse_device(
	struct brski_registrar_session *s, struct brski_http *response, struct brski_error *err)
{
	brski_registrar_session_move(s, BRSKI_SESSION_SAID_NO);
	/* RFC 8995 5.3: 403, since an administrator can resolve it */
	return brski_http_reply_text(response, 403, "this device may not join", err);
}

static enum brski_code defer_device(struct brski_registrar_session *s, long retry_after,
	struct brski_http *response, struct brski_error *err)
{
	brski_registrar_session_move(s, BRSKI_SESSION_SAID_COME_BACK);
	brski_registrar_session_note(s, "deferred", true, "told to come back in %ld s", retry_after);
	return brski_http_reply_later(response, 202, retry_after, "come back with the same request", err);
}

static enum brski_code start_trouble(struct brski_registrar_session *s, enum brski_code code,
	struct brski_http *response, struct brski_error *why, struct brski_error *err)
{
	if (code == BRSKI_TOO_LARGE) { /* the store's limit on waiting requests */
		brski_registrar_session_move(s, BRSKI_SESSION_SAID_COME_BACK);
		brski_registrar_session_note(s, "voucher-request", false, "%s", why->why);
		return brski_http_reply_later(
			response, 503, s->registrar->retry_after, "come back later", err);
	}
	if (code == BRSKI_NOT_FOUND || code == BRSKI_REFUSED || code == BRSKI_UNSUPPORTED) {
		brski_registrar_session_move(s, BRSKI_SESSION_SAID_NO);
		brski_registrar_session_note(s, "voucher-request", false, "%s", why->why);
		return brski_http_reply_text(response, 404, "no MASA is known for this device", err);
	}
	return brski_registrar_give_up(why, code, err);
}

/* The registrar's own request is made (RFC 8995 5.5) and stored with the pledge's. */
static enum brski_code start_job(struct brski_registrar_session *s, struct brski_span cms,
	const struct brski_voucher *pledge, struct brski_http *response, struct brski_job **job,
	struct brski_error *err)
{
	struct brski_registrar *r = s->registrar;
	struct brski_error why = {0};
	enum brski_code code =
		brski_job_new(r, BRSKI_JOB_VOUCHER, s->chain, &s->manufacturer, cms, job, &why);

	if (code == BRSKI_OK)
		code = brski_voucher_request_registrar(&r->credential, s->device.idevid, pledge, cms,
			brski_now(r->env), &(*job)->upstream, &why);
	if (code == BRSKI_OK)
		code = brski_job_start(*job, &why);
	if (code == BRSKI_OK) {
		brski_registrar_session_note(
			s, "voucher-request", true, "kept; the MASA is %s", (*job)->device.masa_url);
		return BRSKI_OK;
	}
	brski_job_free(*job);
	*job = NULL;
	return start_trouble(s, code, response, &why, err);
}

/* A stored job answers now, or is handed out to be driven. Takes it. */
static enum brski_code use_job(struct brski_registrar_session *s, struct brski_job *found,
	struct brski_http *response, struct brski_job **job, struct brski_error *err)
{
	enum brski_code code;

	if (found->state == BRSKI_JOB_WAITING && brski_job_not_before(found) == 0) {
		*job = found;
		return BRSKI_OK;
	}
	code = found->state == BRSKI_JOB_WAITING ? brski_registrar_defer_voucher(s, found, response, err)
						 : brski_registrar_deliver_voucher(s, found, response, err);
	brski_job_free(found);
	return code;
}

/* The same request again, RFC 8995 5.6: what it led to so far. */
static enum brski_code find_or_start(struct brski_registrar_session *s, struct brski_span cms,
	const struct brski_voucher *pledge, struct brski_http *response, struct brski_job **job,
	struct brski_error *err)
{
	struct brski_job *found = NULL;
	enum brski_code code;

	s->pending_type = &brski_job_type_voucher;
	brski_job_key_of(&s->device, cms, s->pending_key);
	code = brski_job_find(s->registrar, &s->device, s->pending_key, &found, err);
	if (code == BRSKI_OK && !brski_job_is_stale(found))
		return use_job(s, found, response, job, err);
	brski_job_free(found);
	if (code != BRSKI_OK && code != BRSKI_NOT_FOUND)
		return code;
	return start_job(s, cms, pledge, response, job, err);
}

static enum brski_code authorize(struct brski_registrar_session *s, struct brski_span cms,
	const struct brski_voucher *pledge, struct brski_http *response, struct brski_job **job,
	struct brski_error *err)
{
	long retry_after;

	switch (brski_registrar_session_decide(s, &retry_after)) {
	case BRSKI_ACCEPT:
		return find_or_start(s, cms, pledge, response, job, err);
	case BRSKI_DEFER:
		return defer_device(s, retry_after, response, err);
	case BRSKI_REFUSE:
	default:
		return refuse_device(s, response, err);
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

/* CMP is served to a device that was given a voucher here, in this session or before: RFC 8995 5.8.3. */
static enum brski_code remember_voucher(
	struct brski_registrar_session *s, const struct brski_job *job, struct brski_error *err)
{
	char key[BRSKI_FINGERPRINT_MAX];

	if (brski_note_get(s->registrar, &s->device, "voucher", brski_span(NULL, 0), key, NULL) == BRSKI_OK &&
		strcmp(key, job->key) == 0)
		return BRSKI_OK;
	return brski_note_put(s->registrar, &s->device, "voucher", brski_span(NULL, 0), job->key, err);
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
	code = remember_voucher(s, job, err);
	return code == BRSKI_OK ? copy_answer(&job->answer, response, err) : code;
}

enum brski_code brski_registrar_defer_voucher(struct brski_registrar_session *s, const struct brski_job *job,
	struct brski_http *response, struct brski_error *err)
{
	long seconds = brski_job_not_before(job);

	if (job->why[0] != '\0')
		snprintf(s->reason, sizeof(s->reason), "%s", job->why);
	return defer_device(
		s, seconds > s->registrar->retry_after ? seconds : s->registrar->retry_after, response, err);
}
