/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "eap_brski/ground/text.h"
#include "eap_brski/registrar/registrar_internal.h"

/* What becomes of a job, and what is told of it. */

#define FIRST_RETRY 5 /* seconds; doubles up to the registrar's retry_after */

static void tell(struct brski_job *job, const char *what, bool ok, const char *fmt, va_list args)
	__attribute__((format(printf, 4, 0)));

static void tell(struct brski_job *job, const char *what, bool ok, const char *fmt, va_list args)
{
	char text[sizeof(job->why)];

	if (vsnprintf(text, sizeof(text), fmt, args) < 0)
		text[0] = '\0';
	/* the same trouble at every try is told once */
	job->what = !ok && job->state == BRSKI_JOB_WAITING && strcmp(text, job->why) == 0 ? NULL : what;
	job->what_ok = ok;
	brski_printable(brski_span_str(text), job->why, sizeof(job->why));
}

void brski_job_tell(struct brski_job *job, const char *what, bool ok, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	tell(job, what, ok, fmt, args);
	va_end(args);
}

static long next_delay(const struct brski_job *job)
{
	long delay = FIRST_RETRY;

	for (unsigned i = 0; i < job->tries && delay < job->registrar->retry_after; i++)
		delay *= 2;
	return delay < job->registrar->retry_after ? delay : job->registrar->retry_after;
}

void brski_job_wait(struct brski_job *job, const char *what, long seconds, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	tell(job, what, false, fmt, args);
	va_end(args);
	job->not_before = brski_now(job->registrar->env) + (seconds >= 0 ? seconds : next_delay(job));
	job->tries++;
}

enum brski_code brski_job_refuse_text(struct brski_job *job, const char *what, unsigned status,
	const char *told, struct brski_error *err, const char *fmt, ...)
{
	va_list args;

	brski_job_move(job, BRSKI_JOB_TURNED_DOWN);
	va_start(args, fmt);
	tell(job, what, false, fmt, args);
	va_end(args);
	return brski_http_reply_text(&job->answer, status, told, err);
}

void brski_job_done(struct brski_job *job, const char *what, const char *fmt, ...)
{
	va_list args;

	brski_job_move(job, BRSKI_JOB_ANSWERED);
	va_start(args, fmt);
	tell(job, what, true, fmt, args);
	va_end(args);
}

void brski_job_announce(struct brski_job *job)
{
	struct brski_registrar *r = job->registrar;

	if (!job->what)
		return;
	brski_log(r->env, job->what_ok ? BRSKI_LOG_INFO : BRSKI_LOG_WARN, "%s of %s: %s: %s",
		job->device.serial_number, job->device.manufacturer, job->what, job->why);
	r->ops.event(r->ops_ctx, &job->device, job->what, job->what_ok, job->why);
	job->what = NULL;
	if (job->what_ok) /* why is for troubles */
		job->why[0] = '\0';
}
