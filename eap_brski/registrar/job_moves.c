/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>

#include "eap_brski/registrar/registrar_internal.h"

/*
 * Where a job stands, and what moves it. That an answer could not be stored is no move: then the
 * job is put back where it was (job_answer.c).
 */

static const struct brski_job_transition transitions[] = {
	{BRSKI_AT_VOUCHER, BRSKI_JOB_GOT_VOUCHER, BRSKI_AT_AUDIT_LOG},
	{BRSKI_AT_VOUCHER, BRSKI_JOB_ANSWERED, BRSKI_AT_DONE}, /* no audit log wanted, or fetched ahead */
	{BRSKI_AT_VOUCHER, BRSKI_JOB_TURNED_DOWN, BRSKI_AT_REFUSED},
	{BRSKI_AT_AUDIT_LOG, BRSKI_JOB_SENT_ON, BRSKI_AT_AUDIT_LOG_GET}, /* RFC 8995 5.8: 201 */
	{BRSKI_AT_AUDIT_LOG, BRSKI_JOB_ANSWERED, BRSKI_AT_DONE},
	{BRSKI_AT_AUDIT_LOG, BRSKI_JOB_TURNED_DOWN, BRSKI_AT_REFUSED},
	{BRSKI_AT_AUDIT_LOG_GET, BRSKI_JOB_ANSWERED, BRSKI_AT_DONE},
	{BRSKI_AT_AUDIT_LOG_GET, BRSKI_JOB_TURNED_DOWN, BRSKI_AT_REFUSED},
	{BRSKI_AT_CMP, BRSKI_JOB_ANSWERED, BRSKI_AT_DONE},
	{BRSKI_AT_CMP, BRSKI_JOB_TURNED_DOWN, BRSKI_AT_REFUSED},
	/* what a pollReq brought, RFC 9483 4.4 */
	{BRSKI_AT_DONE, BRSKI_JOB_ANSWERED, BRSKI_AT_DONE},
	{BRSKI_AT_DONE, BRSKI_JOB_TURNED_DOWN, BRSKI_AT_REFUSED},
	{BRSKI_AT_REFUSED, BRSKI_JOB_ANSWERED, BRSKI_AT_DONE},
	{BRSKI_AT_REFUSED, BRSKI_JOB_TURNED_DOWN, BRSKI_AT_REFUSED},
};

const struct brski_job_transition *brski_job_transition(size_t i)
{
	return i < sizeof(transitions) / sizeof(transitions[0]) ? &transitions[i] : NULL;
}

const char *brski_job_place_name(enum brski_job_place place)
{
	static const char *const names[] = {
		[BRSKI_AT_VOUCHER] = "voucher",
		[BRSKI_AT_AUDIT_LOG] = "audit_log",
		[BRSKI_AT_AUDIT_LOG_GET] = "audit_log_get",
		[BRSKI_AT_CMP] = "cmp",
		[BRSKI_AT_DONE] = "done",
		[BRSKI_AT_REFUSED] = "refused",
	};

	return (size_t)place < sizeof(names) / sizeof(names[0]) ? names[place] : "unknown";
}

const char *brski_job_cause_name(enum brski_job_cause cause)
{
	static const char *const names[] = {
		[BRSKI_JOB_GOT_VOUCHER] = "voucher is right",
		[BRSKI_JOB_SENT_ON] = "audit log is elsewhere",
		[BRSKI_JOB_ANSWERED] = "answered",
		[BRSKI_JOB_TURNED_DOWN] = "refused",
	};

	return (size_t)cause < sizeof(names) / sizeof(names[0]) ? names[cause] : "unknown";
}

static enum brski_job_place place_of(const struct brski_job *job)
{
	static const enum brski_job_place waiting[] = {
		[BRSKI_STEP_VOUCHER] = BRSKI_AT_VOUCHER,
		[BRSKI_STEP_AUDIT_LOG] = BRSKI_AT_AUDIT_LOG,
		[BRSKI_STEP_AUDIT_LOG_GET] = BRSKI_AT_AUDIT_LOG_GET,
		[BRSKI_STEP_CMP] = BRSKI_AT_CMP,
	};

	switch (job->state) {
	case BRSKI_JOB_DONE:
		return BRSKI_AT_DONE;
	case BRSKI_JOB_REFUSED:
		return BRSKI_AT_REFUSED;
	case BRSKI_JOB_WAITING:
	default:
		return waiting[job->step];
	}
}

static void put_at(struct brski_job *job, enum brski_job_place place)
{
	switch (place) {
	case BRSKI_AT_AUDIT_LOG:
		job->step = BRSKI_STEP_AUDIT_LOG;
		break;
	case BRSKI_AT_AUDIT_LOG_GET:
		job->step = BRSKI_STEP_AUDIT_LOG_GET;
		break;
	case BRSKI_AT_DONE:
		job->state = BRSKI_JOB_DONE;
		break;
	case BRSKI_AT_REFUSED:
		job->state = BRSKI_JOB_REFUSED;
		break;
	case BRSKI_AT_VOUCHER: /* where jobs begin */
	case BRSKI_AT_CMP:
		break;
	}
}

static const struct brski_job_transition *find(enum brski_job_place from, enum brski_job_cause cause)
{
	for (size_t i = 0; i < sizeof(transitions) / sizeof(transitions[0]); i++) {
		if (transitions[i].from == from && transitions[i].cause == cause)
			return &transitions[i];
	}
	return NULL;
}

void brski_job_move(struct brski_job *job, enum brski_job_cause cause)
{
	const struct brski_job_transition *t = find(place_of(job), cause);

	assert(t); /* else the table lacks a line */
	if (t)
		put_at(job, t->to);
}
