/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "eap_brski/artifacts/paths.h"
#include "eap_brski/cmp/cmp_operation.h"
#include "eap_brski/ground/json.h"
#include "eap_brski/pki/cms.h"
#include "eap_brski/registrar/registrar_internal.h"
#include "eap_brski/transport/http_accept.h"

/* One peer's requests: what is there, and who handles it. */

#define TELEMETRY_MAX 4096
#define CMP_BIT(type) (1u << (type))
#define CMP_FOLLOW_UPS (CMP_BIT(BRSKI_CMP_CERTCONF) | CMP_BIT(BRSKI_CMP_POLLREQ))
#define CMP_QUESTION (CMP_BIT(BRSKI_CMP_GENM) | CMP_BIT(BRSKI_CMP_POLLREQ))
#define CMP_NOTHING 0

static enum brski_code handle_discovery(BRSKI_REGISTRAR_HANDLER_PARAMS);

/* One operation of RFC 9483 6.1, or any ("") */
#define CMP(the_label, types) \
	{ \
		.method = "POST", .path = BRSKI_PATH_CMP, .label = the_label, .media = BRSKI_MEDIA_CMP, \
		.produces = BRSKI_MEDIA_CMP, .body_max = BRSKI_CMP_MAX, \
		.handle = brski_registrar_handle_cmp, .cmp_types = types, \
	}

/* RFC 8995 5, RFC 9483 6.1. certConf and pollReq go where their transaction began. */
static const struct brski_registrar_endpoint endpoints[] = {
	{.method = "GET", .path = BRSKI_PATH_BRSKI, .produces = BRSKI_MEDIA_JSON, .handle = handle_discovery},
	{.method = "POST",
		.path = BRSKI_PATH_REQUESTVOUCHER,
		.media = BRSKI_MEDIA_VOUCHER,
		.produces = BRSKI_MEDIA_VOUCHER,
		.body_max = BRSKI_CMS_MAX,
		.handle = brski_registrar_handle_voucher_request},
	{.method = "POST",
		.path = BRSKI_PATH_VOUCHER_STATUS,
		.media = BRSKI_MEDIA_JSON,
		.body_max = TELEMETRY_MAX,
		.handle = brski_registrar_handle_voucher_status,
		.telemetry = true},
	{.method = "POST",
		.path = BRSKI_PATH_ENROLLSTATUS,
		.media = BRSKI_MEDIA_JSON,
		.body_max = TELEMETRY_MAX,
		.handle = brski_registrar_handle_enroll_status,
		.telemetry = true},
	CMP("", CMP_BIT(BRSKI_CMP_IR) | CMP_BIT(BRSKI_CMP_P10CR) | CMP_FOLLOW_UPS | CMP_QUESTION),
	CMP("initialization", CMP_BIT(BRSKI_CMP_IR) | CMP_FOLLOW_UPS),
	CMP("pkcs10", CMP_BIT(BRSKI_CMP_P10CR) | CMP_FOLLOW_UPS),
	CMP("getcacerts", CMP_QUESTION),
	CMP("getcertreqtemplate", CMP_QUESTION),
	CMP("getrootupdate", CMP_QUESTION),
	CMP("getcrls", CMP_QUESTION),
	/* not for a pledge: they are answered in CMP, and so */
	CMP("certification", CMP_NOTHING),
	CMP("keyupdate", CMP_NOTHING),
	CMP("revocation", CMP_NOTHING),
	CMP("nested", CMP_NOTHING),
};
#define N_ENDPOINTS (sizeof(endpoints) / sizeof(endpoints[0]))

static json_t *endpoint_list(void)
{
	json_t *list = json_array();

	for (size_t i = 0; i < N_ENDPOINTS; i++) {
		const struct brski_registrar_endpoint *e = &endpoints[i];

		if (e->label && e->label[0] && e->cmp_types != CMP_NOTHING)
			json_array_append_new(list, json_sprintf("%s/%s", e->path, e->label));
		else if (!e->label || !e->label[0])
			json_array_append_new(list, json_string(e->path));
	}
	return list;
}

/* RFC 8995 5: GET of BRSKI's own path tells what is here. */
static enum brski_code handle_discovery(BRSKI_REGISTRAR_HANDLER_PARAMS)
{
	struct brski_buf text = {0};
	enum brski_code code;
	json_t *json;

	(void)s;
	(void)endpoint;
	(void)request;
	(void)job;
	json = json_pack("{s:[s], s:[s], s:o}", "voucher", BRSKI_MEDIA_VOUCHER, "enrollment", "cmp",
		"endpoints", endpoint_list());
	if (!json)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	code = brski_json_print(json, &text, err);
	json_decref(json);
	if (code == BRSKI_OK)
		code = brski_http_response(response, 200, BRSKI_MEDIA_JSON, brski_buf_span(&text), err);
	brski_buf_free(&text);
	return code;
}

/* RFC 9811 3.6: NAME in "/.well-known/cmp/p/NAME" is a PKI's affair; there is one here. */
static const struct brski_registrar_endpoint *find_endpoint(const char *path)
{
	const char *label;
	bool is_cmp = brski_cmp_path(path, &label);

	for (size_t i = 0; i < N_ENDPOINTS; i++) {
		const struct brski_registrar_endpoint *e = &endpoints[i];

		if (is_cmp ? e->label && strcmp(e->label, label) == 0 : strcmp(e->path, path) == 0)
			return e;
	}
	return NULL;
}

/* 0: the request fits the endpoint; else the status that says why it does not, and the words. */
static unsigned misfit(
	const struct brski_registrar_endpoint *endpoint, const struct brski_http *request, const char **words)
{
	if (!endpoint)
		return *words = "no such path here", 404;
	if (!request->method || strcmp(request->method, endpoint->method) != 0)
		return *words = "method not allowed here", 405;
	if (request->body.len > endpoint->body_max)
		return *words = "request too large", 413;
	if (brski_http_is_coded(request))
		return *words = "no content coding is undone here", 415;
	if (endpoint->media && !brski_http_is_type(request, endpoint->media))
		return *words = "unsupported media type", 415;
	if (!brski_http_accepts(request, endpoint->produces))
		return *words = "none of the accepted media types can be made", 406;
	return 0;
}

static enum brski_code refuse_misfit(struct brski_registrar_session *s,
	const struct brski_registrar_endpoint *endpoint, const struct brski_http *request, unsigned status,
	const char *words, struct brski_http *response, struct brski_error *err)
{
	enum brski_code code = brski_http_reply_text(response, status, words, err);

	brski_log(s->registrar->env, BRSKI_LOG_WARN, "%s of %s: %s %s answered %u, %s",
		s->device.serial_number, s->device.manufacturer,
		request->method ? request->method : "(no method)",
		request->path ? request->path : "(no path)", status, words);
	snprintf(s->reason, sizeof(s->reason), "the pledge's request was answered %u, %s", status, words);
	if (code == BRSKI_OK && status == 405)
		code = brski_http_set(response, "allow", endpoint->method, err);
	if (code == BRSKI_OK && status == 415) /* RFC 9110 15.5.16 */
		code = brski_http_set(response, "accept-encoding", "identity", err);
	return code;
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
	brski_registrar_session_move(s, BRSKI_SESSION_SAID_COME_BACK);
	brski_registrar_session_trouble(s, why->why);
	return brski_http_reply_later(response, 503, s->registrar->retry_after, "come back later", err);
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
	endpoint = find_endpoint(request->path);
	status = misfit(endpoint, request, &words);
	if (status)
		return refuse_misfit(s, endpoint, request, status, words, response, err);
	if (brski_registrar_session_over(s) && !endpoint->telemetry)
		return brski_registrar_session_deferred(s)
			       ? brski_http_reply_later(
					 response, 503, s->registrar->retry_after, "come back later", err)
			       : brski_http_reply_text(response, 403, "refused before", err);
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
		brski_registrar_session_move(s, BRSKI_SESSION_SAID_COME_BACK);
		return brski_http_reply_later(response, 503, retry_after, "come back later", err);
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
