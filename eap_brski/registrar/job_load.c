/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "eap_brski/registrar/permission_internal.h"

/*
 * A job before it calls somebody, from the store or from memory: may it still? While a request waits,
 * its manufacturer may be struck off the list, get other anchors or CRLs, its IDevID be revoked or
 * expire, the device be refused by whomever.
 */

static enum brski_code refuse_and_put(struct brski_job *job, enum brski_job_refusal refusal, bool takes_back,
	const char *why, struct brski_error *err)
{
	enum brski_code code = job->type->refuse(job, refusal, why, err);

	job->takes_back = takes_back;
	return code == BRSKI_OK ? brski_job_put(job, err) : code;
}

/* Stored and told; else the job is as it was. BRSKI_UNEXPECTED: another was faster. */
static enum brski_code end(struct brski_job *job, enum brski_job_refusal refusal, bool takes_back,
	const char *why, struct brski_error *err)
{
	struct brski_job before;
	enum brski_code code = brski_job_remember(job, &before, err);

	if (code != BRSKI_OK)
		return code;
	code = refuse_and_put(job, refusal, takes_back, why, err);
	if (code != BRSKI_OK) {
		brski_job_roll_back(job, &before);
		return code;
	}
	brski_job_forget(&before);
	brski_job_announce(job);
	return brski_job_prepare(job, err);
}

static enum brski_code refuse_now(
	struct brski_job *job, bool takes_back, const char *why, struct brski_error *err)
{
	return end(job, BRSKI_JOB_NOT_WANTED, takes_back, why, err);
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
	struct brski_manufacturer now = {0};
	enum brski_code code = r->ops.find_manufacturer(r->ops_ctx, job->chain, &now, err);

	if (code != BRSKI_OK)
		return code;
	brski_manufacturer_free(&job->manufacturer);
	job->manufacturer = now;
	brski_registrar_device_of(&job->device, &job->manufacturer);
	return BRSKI_OK;
}

/* why[] "": what the device was given still allows it. */
static enum brski_code ask_permission(
	struct brski_job *job, char why[BRSKI_PERMISSION_WHY], struct brski_error *err)
{
	struct brski_buf id = {0};
	enum brski_code code;

	why[0] = '\0';
	if (!job->type->transaction)
		return BRSKI_OK;
	code = job->type->transaction(job, &id, err);
	if (code == BRSKI_OK)
		code = brski_permission_ask(
			job->registrar, &job->device, BRSKI_PERMISSION_GO_ON, brski_buf_span(&id), why, err);
	else if (code == BRSKI_NOT_FOUND)
		code = BRSKI_OK;
	brski_buf_free(&id);
	return code == BRSKI_OK ? code : brski_registrar_trouble(code, "what the PKI is asked", err);
}

/* It may go on, or wait until the policy knows. That nobody can be called is no end: it may be mended. */
static enum brski_code go_on(
	struct brski_job *job, enum brski_decision decision, long retry_after, struct brski_error *err)
{
	const struct brski_registrar *r = job->registrar;
	enum brski_code code;

	job->deferred = decision == BRSKI_DEFER;
	if (job->deferred)
		job->not_before = brski_now(r->env) + (retry_after > 0 ? retry_after : r->retry_after);
	code = brski_job_prepare(job, err);
	return code == BRSKI_OK ? code : brski_registrar_trouble(code, "nobody can be called", err);
}

static enum brski_code judge_again(struct brski_job *job, struct brski_error *err)
{
	enum brski_decision decision;
	struct brski_error reason = {0};
	char why[256] = "", spent[BRSKI_PERMISSION_WHY];
	long retry_after;
	enum brski_code code = find_manufacturer(job, &reason);

	if (brski_registrar_is_verdict(code))
		return refuse_now(job, true, reason.why, err);
	if (code != BRSKI_OK) {
		code = brski_registrar_trouble(code, BRSKI_MEMORY_FAILS, &reason);
		return brski_registrar_give_up(&reason, code, err);
	}
	code = decide(job, &decision, why, &retry_after, err);
	if (code == BRSKI_OK && decision == BRSKI_REFUSE)
		return refuse_now(job, true, why, err);
	if (code == BRSKI_OK)
		code = ask_permission(job, spent, err);
	if (code == BRSKI_OK && spent[0] != '\0') /* nothing falls: it may be used for another certificate */
		return refuse_now(job, false, spent, err);
	return code == BRSKI_OK ? go_on(job, decision, retry_after, err) : code;
}

/* BRSKI_UNEXPECTED: another was faster. */
static enum brski_code judge(struct brski_job *job, struct brski_error *err)
{
	char why[BRSKI_JOB_OVERDUE_WHY];

	if (job->state != BRSKI_JOB_WAITING)
		return BRSKI_OK;
	if (brski_job_is_overdue(job, why))
		return end(job, BRSKI_JOB_UNANSWERED, false, why, err);
	return judge_again(job, err);
}

enum brski_code brski_job_judge(struct brski_job *job, struct brski_error *err)
{
	enum brski_code code = judge(job, err);

	for (unsigned i = 0; code == BRSKI_UNEXPECTED && i < BRSKI_REGISTRAR_RACES_MAX; i++) {
		code = brski_job_reread(job, err);
		if (code == BRSKI_OK)
			code = judge(job, err);
	}
	if (code == BRSKI_UNEXPECTED)
		code = brski_fail(err, BRSKI_UNAVAILABLE, "others change the request all the time");
	return code;
}

enum brski_code brski_job_load(struct brski_registrar *r, struct brski_span blob, uint64_t revision,
	struct brski_job **out, struct brski_error *err)
{
	enum brski_code code = brski_job_decode(r, blob, out, err);

	if (code != BRSKI_OK)
		return code;
	(*out)->revision = revision;
	code = brski_job_judge(*out, err);
	if (code != BRSKI_OK) {
		brski_job_free(*out);
		*out = NULL;
	}
	return code;
}
