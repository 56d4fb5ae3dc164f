/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "eap_brski/artifacts/paths.h"
#include "eap_brski/ground/url.h"
#include "eap_brski/registrar/registrar_internal.h"
#include "eap_brski/transport/http_follow.h"

/* What a job calls: one HTTP request after the other. */

/* RFC 8995 2.3.2: the path of BRSKI is assumed where the URI has none, and the scheme must be https. */
static enum brski_code operation_url(const char *url, const char *manufacturer, const char *operation,
	char *out, size_t size, struct brski_error *err)
{
	char base[BRSKI_URL_MAX];
	enum brski_code code;
	size_t len;
	int n;

	if (url[0] == '\0')
		return brski_fail(err, BRSKI_NOT_FOUND,
			"no MASA is known for %s: no IDevID names one, so set the manufacturer's MASA URL",
			manufacturer);
	code = brski_url_read(brski_span_str(url), BRSKI_URL_HTTPS, base, sizeof(base), err);
	if (code != BRSKI_OK)
		return brski_fail_context(err, BRSKI_UNSUPPORTED,
			"the MASA URL of %s, \"%.120s\", cannot be used; set another one with 'brskictl "
			"manufacturer set --masa-url'",
			manufacturer, url);
	len = strlen(base);
	while (len > 8 && base[len - 1] == '/')
		len--;
	n = snprintf(out, size, "%.*s%s/%s", (int)len, base,
		memchr(base + 8, '/', len - 8) ? "" : BRSKI_PATH_BRSKI, operation);
	if (n < 0 || (size_t)n >= size)
		return brski_fail(err, BRSKI_UNSUPPORTED, "MASA URL %.200s is too long", url);
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

enum brski_code brski_job_prepare(struct brski_job *job, struct brski_error *err)
{
	brski_http_free(&job->call);
	job->url[0] = '\0';
	if (job->state != BRSKI_JOB_WAITING)
		return BRSKI_OK;
	return job->type->steps[job->step].prepare(job, err);
}

bool brski_job_call(const struct brski_job *job, struct brski_call *call)
{
	memset(call, 0, sizeof(*call));
	if (job->state != BRSKI_JOB_WAITING)
		return false;
	call->kind = job->type->kind;
	call->back_end = job->type->back_end;
	call->https_only = job->type->https_only;
	snprintf(call->url, sizeof(call->url), "%s", job->url);
	call->request = &job->call;
	call->tls_anchors = job->type->anchors(job);
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
	} else if (job->state == BRSKI_JOB_WAITING && job->type->plan) {
		code = job->type->plan(job, i, out, err);
	}
	if (code == BRSKI_NOT_FOUND)
		brski_fail(err, code, "the job has no such call");
	if (code != BRSKI_OK)
		brski_planned_free(out);
	return code;
}
