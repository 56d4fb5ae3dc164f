/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "eap_brski/registrar/registrar_internal.h"

/* What an answer does to a job: judged, stored, told. */

/* What the store has, if another thread's answer got further than ours. NULL: nothing better. */
static struct brski_job *stored_better(const struct brski_job *job)
{
	struct brski_registrar *r = job->registrar;
	struct brski_job *stored = NULL;
	struct brski_buf blob = {0};

	if (r->ops.job_get(r->ops_ctx, job->key, &blob, NULL) == BRSKI_OK)
		(void)!brski_job_decode(r, brski_buf_span(&blob), &stored, NULL);
	brski_buf_free(&blob);
	if (stored && (stored->state != BRSKI_JOB_WAITING ||
			      (job->state == BRSKI_JOB_WAITING && stored->step > job->step)))
		return stored;
	brski_job_free(stored);
	return NULL;
}

/* *by becomes *job; the manufacturer, which is not stored, stays. */
static void replace(struct brski_job *job, struct brski_job *by)
{
	struct brski_job old = *job;

	by->manufacturer = old.manufacturer;
	memset(&old.manufacturer, 0, sizeof(old.manufacturer));
	*job = *by;
	*by = old;
	brski_registrar_device_of(&job->device, &job->manufacturer);
	brski_job_free(by);
}

/* Compare and put: a second answer to the same job changes nothing. *adopted: the stored one is now *job. */
static enum brski_code commit(struct brski_job *job, bool *adopted, struct brski_error *err)
{
	CRYPTO_RWLOCK *lock = job->registrar->answers;
	struct brski_job *better;
	enum brski_code code;

	if (!CRYPTO_THREAD_write_lock(lock))
		return brski_fail(err, BRSKI_INTERNAL, "a lock fails");
	better = stored_better(job);
	*adopted = better != NULL;
	if (better)
		replace(job, better);
	code = better ? BRSKI_OK : brski_job_put(job, err);
	CRYPTO_THREAD_unlock(lock);
	return code;
}

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

enum brski_code brski_job_answer(
	struct brski_job *job, const struct brski_http *answer, const char *why, struct brski_error *err)
{
	unsigned step = job->step;
	enum brski_code code;
	bool adopted = false;

	if (job->state != BRSKI_JOB_WAITING)
		return BRSKI_OK; /* it came late, or twice */
	job->what = NULL;
	if (answer) {
		job->tries = 0;
		job->not_before = 0;
	}
	code = answer ? job->type->answer(job, answer, err)
		      : job->type->silence(job, why ? why : "unknown reason", err);
	if (code == BRSKI_OK)
		(void)brski_job_give_up(job, &code, err);
	if (code == BRSKI_OK)
		code = commit(job, &adopted, err);
	if (code != BRSKI_OK) {
		/* what is not stored did not happen */
		job->state = BRSKI_JOB_WAITING;
		job->step = step;
		return code;
	}
	if (!adopted)
		brski_job_announce(job);
	return brski_job_prepare(job, err);
}
