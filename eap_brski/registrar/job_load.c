/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/registrar/registrar_internal.h"

/* A stored job for the background: may it still wait? */

/* It is refused already: stored, and told. BRSKI_UNEXPECTED: another was faster. */
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

/* Nobody is here: there is no visit. */
static enum brski_code decide(struct brski_job *job, enum brski_decision *decision, char why[256],
	long *retry_after, struct brski_error *err)
{
	const struct brski_registrar *r = job->registrar;
	enum brski_code code;

	*decision = BRSKI_DEFER;
	*retry_after = r->retry_after;
	code = r->ops.decide(
		r->ops_ctx, NULL, &job->device, &job->manufacturer, decision, why, retry_after, err);
	return code == BRSKI_OK ? code : brski_registrar_trouble(code, "the policy cannot be asked", err);
}

static enum brski_code find_manufacturer(struct brski_job *job, struct brski_error *err)
{
	const struct brski_registrar *r = job->registrar;

	brski_manufacturer_free(&job->manufacturer);
	return r->ops.find_manufacturer(r->ops_ctx, job->chain, &job->manufacturer, err);
}

/* What find_manufacturer says of a chain; every other code is trouble, and no word about the device. */
static bool is_answer(enum brski_code code)
{
	return code == BRSKI_UNTRUSTED || code == BRSKI_EXPIRED || code == BRSKI_REVOKED ||
	       code == BRSKI_UNSUPPORTED || code == BRSKI_REFUSED;
}

/*
 * While a request waits, its manufacturer may be struck off the list, its IDevID be revoked or
 * expire, the device be refused.
 */
static enum brski_code judge_again(struct brski_job *job, struct brski_error *err)
{
	struct brski_registrar *r = job->registrar;
	enum brski_decision decision;
	struct brski_error reason = {0};
	char why[256] = "";
	long retry_after;
	enum brski_code code = find_manufacturer(job, &reason);

	if (is_answer(code))
		return refuse_now(job, reason.why, err);
	if (code != BRSKI_OK) {
		code = brski_registrar_trouble(code, BRSKI_MEMORY_FAILS, &reason);
		return brski_registrar_give_up(&reason, code, err);
	}
	brski_registrar_device_of(&job->device, &job->manufacturer);
	code = decide(job, &decision, why, &retry_after, err);
	if (code != BRSKI_OK)
		return code;
	if (decision == BRSKI_REFUSE)
		return refuse_now(job, why, err);
	job->deferred = decision == BRSKI_DEFER;
	if (job->deferred)
		job->not_before = brski_now(r->env) + (retry_after > 0 ? retry_after : r->retry_after);
	return brski_job_prepare(job, err);
}

static enum brski_code judge(struct brski_job *job, struct brski_error *err)
{
	enum brski_code code;

	if (job->state != BRSKI_JOB_WAITING)
		return BRSKI_OK;
	if (brski_job_give_up(job, &code, err))
		return end_refused(job, code, err);
	return judge_again(job, err);
}

enum brski_code brski_job_load(struct brski_registrar *r, struct brski_span blob, uint64_t revision,
	struct brski_job **out, struct brski_error *err)
{
	enum brski_code code = brski_job_decode(r, blob, out, err);

	if (code != BRSKI_OK)
		return code;
	(*out)->revision = revision;
	code = judge(*out, err);
	for (unsigned i = 0; code == BRSKI_UNEXPECTED && i < BRSKI_REGISTRAR_RACES_MAX; i++) {
		code = brski_job_reread(*out, err);
		if (code == BRSKI_OK)
			code = judge(*out, err);
	}
	if (code == BRSKI_UNEXPECTED)
		code = brski_fail(err, BRSKI_UNAVAILABLE, "others change the request all the time");
	if (code != BRSKI_OK) {
		brski_job_free(*out);
		*out = NULL;
	}
	return code;
}
