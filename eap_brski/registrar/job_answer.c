/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "eap_brski/registrar/registrar_internal.h"

/* What an answer does to a job: judged, stored, told. */

bool brski_job_is_overdue(const struct brski_job *job, char why[BRSKI_JOB_OVERDUE_WHY])
{
	const struct brski_registrar *r = job->registrar;
	long waited = (long)(brski_now(r->env) - job->created);

	why[0] = '\0';
	if (job->state != BRSKI_JOB_WAITING || !r->waiting_max || waited <= r->waiting_max)
		return false;
	snprintf(why, BRSKI_JOB_OVERDUE_WHY, "given up, since there was no answer in %ld s", waited);
	return true;
}

static void forget_answer(struct brski_job *job)
{
	job->what = NULL;
	job->pki_waits = job->grants = job->relayed = job->misanswered = job->takes_back = false;
}

static enum brski_code judge(
	struct brski_job *job, const struct brski_http *answer, const char *why, struct brski_error *err)
{
	char overdue[BRSKI_JOB_OVERDUE_WHY];
	enum brski_code code;

	forget_answer(job);
	if (answer) {
		job->tries = 0;
		job->not_before = 0;
	}
	code = answer ? job->type->answer(job, answer, err)
		      : job->type->silence(job, why ? why : "unknown reason", err);
	if (code == BRSKI_OK && brski_job_is_overdue(job, overdue))
		code = job->type->refuse(job, BRSKI_JOB_UNANSWERED, overdue, err);
	return code == BRSKI_OK ? code : brski_registrar_trouble(code, "an answer is not judged", err);
}

/* The job is as it was, unless it is stored as it now is. BRSKI_UNEXPECTED: another was faster. */
static enum brski_code judge_and_put(
	struct brski_job *job, const struct brski_http *answer, const char *why, struct brski_error *err)
{
	struct brski_job before;
	enum brski_code code = brski_job_remember(job, &before, err);

	if (code != BRSKI_OK)
		return code;
	code = judge(job, answer, why, err);
	if (code == BRSKI_OK)
		code = brski_job_put(job, err);
	if (code == BRSKI_OK)
		brski_job_forget(&before);
	else
		brski_job_roll_back(job, &before);
	return code;
}

/*
 * *adopted: *job is what is stored. It waits for another call, or is finished: this answer is of no use
 * to it. Two steps may say different things at one place, and one the next thing of its kind.
 */
static enum brski_code adopt(struct brski_job *job, bool *adopted, struct brski_error *err)
{
	const unsigned step = job->step;
	struct brski_buf said = {0};
	enum brski_code code = brski_buf_set(&said, brski_buf_span(&job->upstream));

	if (code == BRSKI_OK)
		code = brski_job_reread(job, err);
	else
		brski_fail(err, code, "no memory");
	if (code == BRSKI_OK) {
		*adopted = job->state != BRSKI_JOB_WAITING || job->step != step ||
			   !brski_span_equal(brski_buf_span(&said), brski_buf_span(&job->upstream));
		code = brski_job_prepare(job, err);
	}
	brski_buf_free(&said);
	return code;
}

enum brski_code brski_job_answer(
	struct brski_job *job, const struct brski_http *answer, const char *why, struct brski_error *err)
{
	enum brski_code code = BRSKI_UNEXPECTED;
	bool adopted = false;

	if (job->state != BRSKI_JOB_WAITING)
		return BRSKI_OK; /* it came late, or twice */
	for (unsigned i = 0; code == BRSKI_UNEXPECTED && i < BRSKI_REGISTRAR_RACES_MAX; i++) {
		code = judge_and_put(job, answer, why, err);
		if (code != BRSKI_UNEXPECTED)
			break;
		code = adopt(job, &adopted, err);
		if (code != BRSKI_OK || adopted)
			return code;
		code = BRSKI_UNEXPECTED;
	}
	if (code == BRSKI_UNEXPECTED)
		return brski_fail(err, BRSKI_UNAVAILABLE, "others change the request all the time");
	if (code != BRSKI_OK)
		return code;
	brski_job_announce(job);
	return brski_job_prepare(job, err);
}
