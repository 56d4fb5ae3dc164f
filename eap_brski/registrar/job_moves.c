/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>

#include "eap_brski/registrar/registrar_internal.h"

/*
 * What moves a job: from step to step as its type says, and to its end as all do. That an answer
 * could not be stored is no move: then the whole job is what it was (job_answer.c).
 */

static const struct brski_job_end ends[] = {
	{BRSKI_JOB_ANSWERED, BRSKI_JOB_DONE},
	{BRSKI_JOB_TURNED_DOWN, BRSKI_JOB_REFUSED},
};

const struct brski_job_end *brski_job_end(size_t i)
{
	return i < sizeof(ends) / sizeof(ends[0]) ? &ends[i] : NULL;
}

const struct brski_job_move *brski_job_move_of(const struct brski_job_type *type, size_t i)
{
	return i < type->n_moves ? &type->moves[i] : NULL;
}

const char *brski_job_cause_name(enum brski_job_cause cause)
{
	static const char *const names[] = {
		[BRSKI_JOB_GOT_VOUCHER] = "voucher is right",
		[BRSKI_JOB_SENT_ON] = "audit log is elsewhere",
		[BRSKI_JOB_TOLD_TO_POLL] = "told to wait",
		[BRSKI_JOB_CERTIFIED] = "certificate is right",
		[BRSKI_JOB_MISCERTIFIED] = "certificate is not to be used",
		[BRSKI_JOB_ANSWERED] = "answered",
		[BRSKI_JOB_TURNED_DOWN] = "refused",
	};

	return (size_t)cause < sizeof(names) / sizeof(names[0]) ? names[cause] : "unknown";
}

static const struct brski_job_end *find_end(enum brski_job_cause cause)
{
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (ends[i].cause == cause)
			return &ends[i];
	}
	return NULL;
}

static const struct brski_job_move *find_move(const struct brski_job *job, enum brski_job_cause cause)
{
	const struct brski_job_move *m;

	for (size_t i = 0; (m = brski_job_move_of(job->type, i)); i++) {
		if (job->state == BRSKI_JOB_WAITING && m->from == job->step && m->cause == cause)
			return m;
	}
	return NULL;
}

void brski_job_move(struct brski_job *job, enum brski_job_cause cause)
{
	const struct brski_job_end *end = find_end(cause);
	const struct brski_job_move *move = end ? NULL : find_move(job, cause);

	assert(end || move); /* else the tables lack a line */
	if (end)
		job->state = end->to;
	else if (move)
		job->step = move->to;
	if (job->state == BRSKI_JOB_REFUSED) /* whatever an answer before said */
		job->grants = job->pki_waits = false;
}
