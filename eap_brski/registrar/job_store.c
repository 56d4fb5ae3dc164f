/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "eap_brski/registrar/registrar_internal.h"
#include "eap_brski/transport/http_follow.h"

/* Jobs put into the store, and found there. */

/* Of the call that is prepared, or the one before it: a next one is at the same host, or at the location. */
static void origin_of(const struct brski_job *job, char *out, size_t size)
{
	const char *url = job->location[0] ? job->location : job->url;

	snprintf(out, size, "%.*s", (int)brski_http_origin_len(url), url);
}

static enum brski_code put_row(struct brski_job *job, struct brski_span blob, struct brski_error *err)
{
	const struct brski_registrar *r = job->registrar;
	char origin[sizeof(job->url)];
	const struct brski_job_next next = {.back_end = origin, .not_before = job->not_before};

	origin_of(job, origin, sizeof(origin));
	if (job->revision == 0)
		return r->ops.job_add(
			r->ops_ctx, job->key, job->type->kind, job->work, &next, &job->device, blob, err);
	return r->ops.job_put(r->ops_ctx, job->key, job->revision, job->type->kind, job->state,
		job->state == BRSKI_JOB_REFUSED && job->takes_back, &next, &job->device, blob, err);
}

enum brski_code brski_job_put(struct brski_job *job, struct brski_error *err)
{
	struct brski_buf blob = {0};
	enum brski_code code;

	job->changed = brski_now(job->registrar->env);
	code = brski_job_save(job, &blob, err);
	if (code == BRSKI_OK) {
		code = put_row(job, brski_buf_span(&blob), err);
		if (code == BRSKI_OK)
			job->revision++;
		else if (code != BRSKI_UNEXPECTED && code != BRSKI_TOO_LARGE)
			code = brski_registrar_trouble(code, BRSKI_MEMORY_FAILS, err);
	}
	brski_buf_free(&blob);
	return code;
}

/* BRSKI_NOT_FOUND, or our own trouble. */
static enum brski_code read_job(
	struct brski_registrar *r, const char *key, struct brski_job **out, struct brski_error *err)
{
	struct brski_buf blob = {0};
	uint64_t revision = 0;
	enum brski_code code = r->ops.job_get(r->ops_ctx, key, &blob, &revision, err);

	*out = NULL;
	if (code == BRSKI_NOT_FOUND)
		return code;
	if (code == BRSKI_OK)
		code = brski_job_decode(r, brski_buf_span(&blob), out, err);
	brski_buf_free(&blob);
	if (code == BRSKI_OK && strcmp((*out)->key, key) != 0) {
		brski_job_free(*out);
		*out = NULL;
		code = brski_fail(err, BRSKI_MISMATCH, "it answers with another job");
	}
	if (code != BRSKI_OK)
		return brski_registrar_trouble(code, BRSKI_MEMORY_FAILS, err);
	(*out)->revision = revision;
	return BRSKI_OK;
}

static enum brski_code make_whole(struct brski_job *job, const struct brski_device *device,
	const struct brski_manufacturer *m, struct brski_error *err)
{
	enum brski_code code;

	if (strcmp(job->device.fingerprint, device->fingerprint) != 0)
		return brski_fail(err, BRSKI_INTERNAL, "the store answers with a job of another device");
	code = brski_manufacturer_copy(&job->manufacturer, m, err);
	if (code == BRSKI_OK)
		brski_registrar_device_of(&job->device, m);
	return code;
}

enum brski_code brski_job_find(struct brski_registrar *r, const struct brski_device *device,
	const struct brski_manufacturer *m, const char *key, struct brski_job **out, struct brski_error *err)
{
	enum brski_code code = read_job(r, key, out, err);

	if (code == BRSKI_NOT_FOUND)
		return BRSKI_OK;
	if (code == BRSKI_OK)
		code = make_whole(*out, device, m, err);
	if (code != BRSKI_OK) {
		brski_job_free(*out);
		*out = NULL;
	}
	return code;
}

enum brski_code brski_job_reread(struct brski_job *job, struct brski_error *err)
{
	struct brski_job *stored, before;
	enum brski_code code = read_job(job->registrar, job->key, &stored, err);

	if (code != BRSKI_OK)
		return code;
	before = *job;
	stored->manufacturer = before.manufacturer;
	memset(&before.manufacturer, 0, sizeof(before.manufacturer));
	*job = *stored;
	*stored = before;
	brski_job_free(stored);
	if (job->manufacturer.name[0] != '\0')
		brski_registrar_device_of(&job->device, &job->manufacturer);
	return BRSKI_OK;
}
