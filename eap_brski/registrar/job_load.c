/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/registrar/registrar_internal.h"

/* A stored job for the background: may it still wait? */

/* It is refused already: stored, and told. */
static enum brski_code end_refused(struct brski_job *job, enum brski_code code, struct brski_error *err)
{
	if (code == BRSKI_OK)
		code = brski_job_put(job, err);
	if (code == BRSKI_OK)
		brski_job_announce(job);
	return code;
}

static enum brski_code refuse_now(struct brski_job *job, const char *why, struct brski_error *err)
{
	enum brski_code code = job->type->refuse(job, BRSKI_JOB_NOT_WANTED, why, err);

	return end_refused(job, code, err);
}

/*
 * While a request waits, its manufacturer may be struck off the list, its IDevID be revoked or
 * expire, the device be refused.
 */
static enum brski_code judge_again(struct brski_job *job, struct brski_error *err)
{
	struct brski_registrar *r = job->registrar;
	enum brski_decision decision = BRSKI_DEFER;
	struct brski_error reason = {0};
	char why[256] = "";
	long retry_after = r->retry_after;
	enum brski_code code = r->ops.find_manufacturer(r->ops_ctx, job->chain, &job->manufacturer, &reason);

	if (code == BRSKI_UNTRUSTED || code == BRSKI_EXPIRED || code == BRSKI_REVOKED ||
		code == BRSKI_NOT_FOUND)
		return refuse_now(job, reason.why, err);
	if (code != BRSKI_OK)
		return brski_registrar_give_up(&reason, code, err);
	brski_registrar_device_of(&job->device, &job->manufacturer);
	code = r->ops.decide(r->ops_ctx, &job->device, &job->manufacturer, &decision, why, &retry_after, err);
	if (code != BRSKI_OK)
		return code;
	if (decision == BRSKI_REFUSE)
		return refuse_now(job, why, err);
	job->deferred = decision == BRSKI_DEFER;
	if (job->deferred)
		job->not_before = brski_now(r->env) + (retry_after > 0 ? retry_after : r->retry_after);
	return brski_job_prepare(job, err);
}

enum brski_code brski_job_load(
	struct brski_registrar *r, struct brski_span blob, struct brski_job **out, struct brski_error *err)
{
	enum brski_code code = brski_job_decode(r, blob, out, err);

	if (code != BRSKI_OK || (*out)->state != BRSKI_JOB_WAITING)
		return code;
	if (brski_job_give_up(*out, &code, err))
		code = end_refused(*out, code, err);
	else
		code = judge_again(*out, err);
	if (code != BRSKI_OK) {
		brski_job_free(*out);
		*out = NULL;
	}
	return code;
}
