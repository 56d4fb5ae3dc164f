/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "eap_brski/registrar/registrar_internal.h"

/* Jobs put into the store, and found there. */

enum brski_code brski_job_put(struct brski_job *job, struct brski_error *err)
{
	struct brski_registrar *r = job->registrar;
	struct brski_buf blob = {0};
	enum brski_code code;

	job->changed = brski_now(r->env);
	code = brski_job_save(job, &blob, err);
	if (code == BRSKI_OK)
		code = r->ops.job_put(r->ops_ctx, job->key, job->type->kind, job->state, &job->device,
			brski_buf_span(&blob), err);
	brski_buf_free(&blob);
	return code;
}

enum brski_code brski_job_start(struct brski_job *job, struct brski_error *err)
{
	enum brski_code code = brski_job_prepare(job, err);

	return code == BRSKI_OK ? brski_job_put(job, err) : code;
}

enum brski_code brski_job_find(struct brski_registrar *r, const struct brski_device *device, const char *key,
	struct brski_job **out, struct brski_error *err)
{
	struct brski_buf blob = {0};
	enum brski_code code = r->ops.job_get(r->ops_ctx, key, &blob, err);

	*out = NULL;
	if (code == BRSKI_OK)
		code = brski_job_decode(r, brski_buf_span(&blob), out, err);
	brski_buf_free(&blob);
	if (code != BRSKI_OK)
		return code;
	if (strcmp((*out)->device.fingerprint, device->fingerprint) == 0 && strcmp((*out)->key, key) == 0) {
		code = r->ops.find_manufacturer(r->ops_ctx, (*out)->chain, &(*out)->manufacturer, err);
		brski_registrar_device_of(&(*out)->device, &(*out)->manufacturer);
		if (code == BRSKI_OK)
			code = brski_job_prepare(*out, err);
	} else {
		code = brski_fail(err, BRSKI_INTERNAL, "the store answers with a job of another device");
	}
	if (code != BRSKI_OK) {
		brski_job_free(*out);
		*out = NULL;
	}
	return code;
}
