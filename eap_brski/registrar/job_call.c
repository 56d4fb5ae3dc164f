/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "eap_brski/artifacts/paths.h"
#include "eap_brski/registrar/registrar_internal.h"
#include "eap_brski/transport/http_follow.h"

/* What a job calls: one HTTP request after the other. */

/* RFC 8995 2.3.2: the path of BRSKI is assumed where the URI has none, and the scheme must be https. */
static enum brski_code operation_url(const char *url, const char *manufacturer, const char *operation,
	char *out, size_t size, struct brski_error *err)
{
	size_t len = strlen(url);
	int n;

	if (len == 0)
		return brski_fail(err, BRSKI_NOT_FOUND,
			"no MASA is known for %s: no IDevID names one, so set the manufacturer's MASA URL",
			manufacturer);
	if (strncmp(url, "https://", 8) != 0)
		return brski_fail(err, BRSKI_UNSUPPORTED, "MASA URL %.200s is not an https URL", url);
	while (len > 8 && url[len - 1] == '/')
		len--;
	n = snprintf(out, size, "%.*s%s/%s", (int)len, url,
		memchr(url + 8, '/', len - 8) ? "" : BRSKI_PATH_BRSKI, operation);
	if (n < 0 || (size_t)n >= size)
		return brski_fail(err, BRSKI_TOO_LARGE, "MASA URL %.200s is too long", url);
	return BRSKI_OK;
}

enum brski_code brski_registrar_masa_call(const char *masa_url, const char *manufacturer,
	const char *operation, struct brski_span body, char *url, size_t size, struct brski_http *request,
	struct brski_error *err)
{
	const char *accept =
		strcmp(operation, BRSKI_MASA_VOUCHER) == 0 ? BRSKI_MEDIA_VOUCHER : BRSKI_MEDIA_JSON;
	enum brski_code code = operation_url(masa_url, manufacturer, operation, url, size, err);

	if (code == BRSKI_OK)
		code = brski_http_request(
			request, "POST", brski_http_target(url), BRSKI_MEDIA_VOUCHER, body, err);
	return code == BRSKI_OK ? brski_http_set(request, "accept", accept, err) : code;
}

static enum brski_code prepare_masa(struct brski_job *job, const char *operation, struct brski_error *err)
{
	return brski_registrar_masa_call(job->device.masa_url, job->device.manufacturer, operation,
		brski_buf_span(&job->upstream), job->url, sizeof(job->url), &job->call, err);
}

static enum brski_code prepare_location(struct brski_job *job, struct brski_error *err)
{
	enum brski_code code;

	snprintf(job->url, sizeof(job->url), "%s", job->location);
	code = brski_http_request(
		&job->call, "GET", brski_http_target(job->url), NULL, brski_span(NULL, 0), err);
	return code == BRSKI_OK ? brski_http_set(&job->call, "accept", BRSKI_MEDIA_JSON, err) : code;
}

static enum brski_code prepare_cmp(struct brski_job *job, struct brski_error *err)
{
	const struct brski_buf *body = job->upstream.len ? &job->upstream : &job->request;

	snprintf(job->url, sizeof(job->url), "%s", job->registrar->cmp_url);
	return brski_http_request(
		&job->call, "POST", brski_http_target(job->url), BRSKI_MEDIA_CMP, brski_buf_span(body), err);
}

enum brski_code brski_job_prepare(struct brski_job *job, struct brski_error *err)
{
	brski_http_free(&job->call);
	job->url[0] = '\0';
	if (job->state != BRSKI_JOB_WAITING)
		return BRSKI_OK;
	switch (job->step) {
	case BRSKI_STEP_VOUCHER:
		return prepare_masa(job, BRSKI_MASA_VOUCHER, err);
	case BRSKI_STEP_AUDIT_LOG:
		return prepare_masa(job, BRSKI_MASA_AUDIT_LOG, err);
	case BRSKI_STEP_AUDIT_LOG_GET:
		return prepare_location(job, err);
	case BRSKI_STEP_CMP:
		return prepare_cmp(job, err);
	}
	return brski_fail(err, BRSKI_INTERNAL, "a job at no known step");
}

bool brski_job_call(const struct brski_job *job, struct brski_call *call)
{
	const struct brski_manufacturer *m = &job->manufacturer;

	memset(call, 0, sizeof(*call));
	if (job->state != BRSKI_JOB_WAITING)
		return false;
	call->kind = job->kind;
	snprintf(call->url, sizeof(call->url), "%s", job->url);
	call->request = &job->call;
	call->tls_anchors = job->kind == BRSKI_JOB_VOUCHER ? m->tls_anchors : job->registrar->domain_anchors;
	call->client = &job->registrar->credential;
	return true;
}

/* ---- Calls that somebody else makes ---- */

void brski_planned_free(struct brski_planned *planned)
{
	brski_http_free(&planned->request);
	memset(planned, 0, sizeof(*planned));
}

enum brski_code brski_job_plan(
	const struct brski_job *job, unsigned i, struct brski_planned *out, struct brski_error *err)
{
	enum brski_code code = BRSKI_NOT_FOUND;

	memset(out, 0, sizeof(*out));
	if (job->state == BRSKI_JOB_WAITING && i == 0) {
		memcpy(out->url, job->url, sizeof(out->url));
		code = brski_http_copy(&out->request, &job->call, err);
	} else if (job->state == BRSKI_JOB_WAITING && i == 1 && job->step == BRSKI_STEP_VOUCHER &&
		   job->manufacturer.audit_log) {
		code = brski_registrar_masa_call(job->device.masa_url, job->device.manufacturer,
			BRSKI_MASA_AUDIT_LOG, brski_buf_span(&job->upstream), out->url, sizeof(out->url),
			&out->request, err);
	}
	if (code == BRSKI_NOT_FOUND)
		brski_fail(err, code, "the job has no such call");
	if (code != BRSKI_OK)
		brski_planned_free(out);
	return code;
}
