/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "eap_brski/registrar/registrar_internal.h"

/* One peer's requests, and who handles them. */

static enum brski_code refuse_misfit(struct brski_registrar_session *s,
	const struct brski_registrar_endpoint *endpoint, const struct brski_http *request, unsigned status,
	const char *words, struct brski_http *response, struct brski_error *err)
{
	brski_log(s->registrar->env, BRSKI_LOG_WARN, "%s of %s: %s %s answered %u, %s",
		s->device.serial_number, s->device.manufacturer,
		request->method ? request->method : "(no method)",
		request->path ? request->path : "(no path)", status, words);
	snprintf(s->reason, sizeof(s->reason), "the pledge's request was answered %u, %s", status, words);
	return brski_registrar_answer_misfit(endpoint, status, words, response, err);
}

static bool within_limits(struct brski_registrar_session *s, const struct brski_http *request)
{
	s->n_requests++;
	s->n_octets += request->body.len;
	return s->n_requests <= BRSKI_SESSION_REQUESTS_MAX && s->n_octets <= BRSKI_SESSION_OCTETS_MAX;
}

/*
 * The one place where trouble of our own becomes a response: it is no word about the device, so it
 * comes back.
 */
static enum brski_code answer_trouble(struct brski_registrar_session *s, enum brski_code code,
	const struct brski_error *why, struct brski_http *response, struct brski_error *err)
{
	if (code == BRSKI_OK)
		return code;
	brski_http_free(response);
	if (code == BRSKI_NO_MEMORY)
		return brski_registrar_give_up(why, code, err);
	s->pending_key[0] = '\0';
	brski_registrar_session_trouble(s, why->why);
	return brski_registrar_session_come_back(s, 503, s->registrar->retry_after, response, err);
}

static enum brski_code serve(struct brski_registrar_session *s, const struct brski_http *request,
	struct brski_http *response, struct brski_job **job, struct brski_error *err)
{
	const struct brski_registrar_endpoint *endpoint;
	const char *words = "";
	unsigned status;

	if (request->status != 0 || !request->path)
		return brski_http_reply_text(response, 400, "not a request", err);
	if (!within_limits(s, request)) {
		if (!brski_registrar_session_over(s))
			brski_registrar_session_note(
				s, "peer", false, "too many or too large requests in one session");
		brski_registrar_session_move(s, BRSKI_SESSION_SAID_NO);
		return brski_http_reply_text(response, 429, "too many requests", err);
	}
	endpoint = brski_registrar_endpoint_find(request, s->est);
	status = brski_registrar_endpoint_misfit(endpoint, request, &words);
	if (status)
		return refuse_misfit(s, endpoint, request, status, words, response, err);
	if (brski_registrar_session_over(s) && !endpoint->telemetry)
		return brski_registrar_session_deferred(s)
			       ? brski_http_reply_later(
					 response, 503, s->registrar->retry_after, "come back later", err)
			       : brski_http_reply_text(response, 403, "refused before", err);
	if (endpoint->open)
		return endpoint->open(s->registrar, &s->device, s->est, request, response, err);
	return endpoint->handle(s, endpoint, request, response, job, err);
}

enum brski_code brski_registrar_request(struct brski_registrar_session *s, const struct brski_http *request,
	struct brski_http *response, struct brski_job **job, struct brski_error *err)
{
	struct brski_error why = {0};
	enum brski_code code;

	*job = NULL;
	brski_http_free(response);
	brski_cmp_free(&s->pending);
	s->pending_key[0] = '\0';
	code = serve(s, request, response, job, &why);
	return answer_trouble(s, code, &why, response, err);
}

static bool is_pending(
	const struct brski_registrar_session *s, const struct brski_job *job, struct brski_error *err)
{
	if (job->type == s->pending_type && strcmp(job->key, s->pending_key) == 0)
		return true;
	brski_fail(err, BRSKI_UNEXPECTED, "the session does not wait for this job");
	return false;
}

/* While the request waited, the device may have been refused: what is there is not for it then. */
static enum brski_code deliver(struct brski_registrar_session *s, const struct brski_job *job,
	struct brski_http *response, struct brski_error *err)
{
	enum brski_decision decision;
	long retry_after;
	enum brski_code code;

	if (job->state == BRSKI_JOB_REFUSED)
		return job->type->deliver(s, job, response, err);
	code = brski_registrar_session_decide(s, &decision, &retry_after, err);
	if (code != BRSKI_OK)
		return code;
	switch (decision) {
	case BRSKI_ACCEPT:
		return job->type->deliver(s, job, response, err);
	case BRSKI_DEFER:
		return brski_registrar_session_come_back(s, 503, retry_after, response, err);
	case BRSKI_REFUSE:
	default:
		return job->type->turn_away(s, response, err);
	}
}

enum brski_code brski_registrar_resume(struct brski_registrar_session *s, const struct brski_job *job,
	struct brski_http *response, struct brski_error *err)
{
	struct brski_error why = {0};
	enum brski_code code;

	if (!is_pending(s, job, err))
		return BRSKI_UNEXPECTED;
	if (job->state == BRSKI_JOB_WAITING)
		return brski_fail(err, BRSKI_UNEXPECTED, "the job is not done");
	s->pending_key[0] = '\0';
	code = deliver(s, job, response, &why);
	return answer_trouble(s, code, &why, response, err);
}

/* The background, or another session, may have been faster. */
static enum brski_code defer(struct brski_registrar_session *s, const struct brski_job *job,
	struct brski_http *response, struct brski_error *err)
{
	struct brski_job *stored;
	enum brski_code code =
		brski_job_find(s->registrar, &s->device, &s->manufacturer, job->key, &stored, err);

	if (code != BRSKI_OK)
		return code;
	if (stored && stored->state != BRSKI_JOB_WAITING)
		code = deliver(s, stored, response, err);
	else
		code = job->type->defer(s, stored ? stored : job, response, err);
	brski_job_free(stored);
	return code;
}

enum brski_code brski_registrar_defer(struct brski_registrar_session *s, const struct brski_job *job,
	struct brski_http *response, struct brski_error *err)
{
	struct brski_error why = {0};
	enum brski_code code;

	if (!is_pending(s, job, err))
		return BRSKI_UNEXPECTED;
	s->pending_key[0] = '\0';
	code = defer(s, job, response, &why);
	return answer_trouble(s, code, &why, response, err);
}

/* ---- Whoever it is ---- */

static enum brski_code serve_public(struct brski_registrar *r, const struct brski_http *request, bool est,
	bool *answered, struct brski_http *response, struct brski_error *err)
{
	const struct brski_registrar_endpoint *endpoint;
	const char *words = "";
	unsigned status;

	*answered = true;
	if (request->status != 0 || !request->path)
		return brski_http_reply_text(response, 400, "not a request", err);
	endpoint = brski_registrar_endpoint_find(request, est);
	*answered = !endpoint || endpoint->open;
	if (!*answered)
		return BRSKI_OK;
	status = brski_registrar_endpoint_misfit(endpoint, request, &words);
	if (status)
		return brski_registrar_answer_misfit(endpoint, status, words, response, err);
	return endpoint->open(r, NULL, est, request, response, err);
}

enum brski_code brski_registrar_public(struct brski_registrar *r, const struct brski_http *request, bool est,
	bool *answered, struct brski_http *response, struct brski_error *err)
{
	struct brski_error why = {0};
	char more[BRSKI_LOG_MORE_MAX];
	unsigned left_out;
	enum brski_code code;

	brski_http_free(response);
	code = serve_public(r, request, est, answered, response, &why);
	if (code == BRSKI_OK)
		return code;
	brski_http_free(response);
	if (code == BRSKI_NO_MEMORY)
		return brski_registrar_give_up(&why, code, err);
	if (brski_log_due(&r->trouble, (int64_t)brski_now(r->env) * 1000, &left_out))
		brski_log(r->env, BRSKI_LOG_ERROR, "%s cannot be answered: %s%s", request->path, why.why,
			brski_log_more(left_out, more));
	return brski_http_reply_later(response, 503, r->retry_after, "come back later", err);
}
