/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "eap_brski/registrar/registrar_internal.h"

/* What an answer does to a job: judged, stored, told. */

bool brski_job_give_up(struct brski_job *job, enum brski_code *code, struct brski_error *err)
{
	const struct brski_registrar *r = job->registrar;
	long waited = (long)(brski_now(r->env) - job->created);
	char why[80];

	if (job->state != BRSKI_JOB_WAITING || !r->waiting_max || waited <= r->waiting_max)
		return false;
	snprintf(why, sizeof(why), "given up, since there was no answer in %ld s", waited);
	*code = job->type->refuse(job, BRSKI_JOB_UNANSWERED, why, err);
	return true;
}

static void forget_answer(struct brski_job *job)
{
	job->what = NULL;
	job->pki_waits = job->grants = job->relayed = job->misanswered = false;
}

static enum brski_code judge(
	struct brski_job *job, const struct brski_http *answer, const char *why, struct brski_error *err)
{
	enum brski_code code;

	forget_answer(job);
	if (answer) {
		job->tries = 0;
		job->not_before = 0;
	}
	code = answer ? job->type->answer(job, answer, err)
		      : job->type->silence(job, why ? why : "unknown reason", err);
	if (code == BRSKI_OK)
		(void)brski_job_give_up(job, &code, err);
	return code == BRSKI_OK ? code : brski_registrar_trouble(code, "an answer is not judged", err);
}

/*
 * Compare and put. *adopted: another was faster, and *job is what is stored. It waits for another call
 * then, or is finished: this answer is of no use to it.
 */
static enum brski_code judge_and_put(struct brski_job *job, const struct brski_http *answer, const char *why,
	bool *adopted, struct brski_error *err)
{
	const unsigned step = job->step;

	*adopted = false;
	for (unsigned i = 0; i < BRSKI_REGISTRAR_RACES_MAX; i++) {
		enum brski_code code = judge(job, answer, why, err);

		if (code == BRSKI_OK)
			code = brski_job_put(job, err);
		if (code != BRSKI_UNEXPECTED)
			return code;
		code = brski_job_reread(job, err);
		if (code == BRSKI_OK) {
			*adopted = job->state != BRSKI_JOB_WAITING || job->step != step;
			code = brski_job_prepare(job, err);
		}
		if (code != BRSKI_OK || *adopted)
			return code;
	}
	return brski_fail(err, BRSKI_UNAVAILABLE, "others change the request all the time");
}

enum brski_code brski_job_answer(
	struct brski_job *job, const struct brski_http *answer, const char *why, struct brski_error *err)
{
	unsigned step = job->step;
	char trouble[sizeof(job->why)];
	enum brski_code code;
	bool adopted;

	if (job->state != BRSKI_JOB_WAITING)
		return BRSKI_OK; /* it came late, or twice */
	memcpy(trouble, job->why, sizeof(trouble));
	code = judge_and_put(job, answer, why, &adopted, err);
	if (code == BRSKI_OK && adopted)
		return BRSKI_OK;
	if (code != BRSKI_OK) {
		/* what is not stored did not happen */
		forget_answer(job);
		job->state = BRSKI_JOB_WAITING;
		job->step = step;
		memcpy(job->why, trouble, sizeof(trouble));
		return code;
	}
	brski_job_announce(job);
	return brski_job_prepare(job, err);
}
