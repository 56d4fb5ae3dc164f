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
 * What an answer changes of a job, as it was before: a copy of the whole, which owns nothing but its
 * answer to the pledge and the signers known. Request, upstream octets, chain, manufacturer and call are none of an answer's
 * business, and stay the job's.
 */
static enum brski_code remember(struct brski_job *job, struct brski_job *before, struct brski_error *err)
{
	struct brski_buf signers = {0};

	*before = *job;
	memset(&before->answer, 0, sizeof(before->answer));
	before->signers = (struct brski_buf){0};
	if (brski_buf_set(&signers, brski_buf_span(&job->signers)) != BRSKI_OK)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	before->signers = job->signers;
	job->signers = signers;
	return brski_http_copy(&before->answer, &job->answer, err);
}

static void forget(struct brski_job *before)
{
	brski_http_free(&before->answer);
	brski_buf_free(&before->signers);
}

/* What is not stored did not happen. */
static void roll_back(struct brski_job *job, struct brski_job *before)
{
	brski_http_free(&job->answer);
	brski_buf_free(&job->signers);
	*job = *before;
}

/* The job is as it was, unless it is stored as it now is. BRSKI_UNEXPECTED: another was faster. */
static enum brski_code judge_and_put(
	struct brski_job *job, const struct brski_http *answer, const char *why, struct brski_error *err)
{
	struct brski_job before;
	enum brski_code code = remember(job, &before, err);

	if (code != BRSKI_OK) {
		forget(&before);
		return code;
	}
	code = judge(job, answer, why, err);
	if (code == BRSKI_OK)
		code = brski_job_put(job, err);
	if (code == BRSKI_OK)
		forget(&before);
	else
		roll_back(job, &before);
	return code;
}

/* *adopted: *job is what is stored. It waits for another call, or is finished: this answer is of no use to it. */
static enum brski_code adopt(struct brski_job *job, unsigned step, bool *adopted, struct brski_error *err)
{
	enum brski_code code = brski_job_reread(job, err);

	if (code != BRSKI_OK)
		return code;
	*adopted = job->state != BRSKI_JOB_WAITING || job->step != step;
	return brski_job_prepare(job, err);
}

enum brski_code brski_job_answer(
	struct brski_job *job, const struct brski_http *answer, const char *why, struct brski_error *err)
{
	const unsigned step = job->step;
	enum brski_code code = BRSKI_UNEXPECTED;
	bool adopted = false;

	if (job->state != BRSKI_JOB_WAITING)
		return BRSKI_OK; /* it came late, or twice */
	for (unsigned i = 0; code == BRSKI_UNEXPECTED && i < BRSKI_REGISTRAR_RACES_MAX; i++) {
		code = judge_and_put(job, answer, why, err);
		if (code != BRSKI_UNEXPECTED)
			break;
		code = adopt(job, step, &adopted, err);
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
