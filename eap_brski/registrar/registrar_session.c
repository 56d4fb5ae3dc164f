/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "eap_brski/ground/text.h"
#include "eap_brski/registrar/permission_internal.h"

/* What a session tells the operator, and asks the policy. */

void brski_registrar_session_note(
	struct brski_registrar_session *s, const char *what, bool ok, const char *fmt, ...)
{
	const struct brski_registrar *r = s->registrar;
	char text[sizeof(s->reason)];
	va_list args;

	va_start(args, fmt);
	if (vsnprintf(text, sizeof(text), fmt, args) < 0)
		text[0] = '\0';
	va_end(args);
	if (!ok)
		brski_printable(brski_span_str(text), s->reason, sizeof(s->reason));
	brski_log(r->env, ok ? BRSKI_LOG_INFO : BRSKI_LOG_WARN, "%s of %s%s%s: %s: %s",
		s->device.serial_number, s->device.manufacturer, s->where[0] ? " at " : "", s->where, what,
		text);
	r->ops.event(r->ops_ctx, &s->device, what, ok, text);
}

/* Its reason and its history have it in any case. */
void brski_registrar_session_trouble(struct brski_registrar_session *s, const char *why)
{
	struct brski_registrar *r = s->registrar;
	char more[BRSKI_LOG_MORE_MAX];
	unsigned left_out;

	s->troubled = true;
	brski_printable(brski_span_str(why), s->reason, sizeof(s->reason));
	if (brski_log_due(&r->trouble, (int64_t)brski_now(r->env) * 1000, &left_out))
		brski_log(r->env, BRSKI_LOG_ERROR, "%s of %s%s%s: deferred: %s%s", s->device.serial_number,
			s->device.manufacturer, s->where[0] ? " at " : "", s->where, s->reason,
			brski_log_more(left_out, more));
	r->ops.event(r->ops_ctx, &s->device, "deferred", false, s->reason);
}

bool brski_registrar_session_troubled(const struct brski_registrar_session *s)
{
	return s->troubled;
}

static void tell_decision(struct brski_registrar_session *s, enum brski_decision decision, const char *why)
{
	if (strcmp(s->last_policy, why) == 0 && why[0] != '\0')
		return;
	snprintf(s->last_policy, sizeof(s->last_policy), "%s", why);
	/* a device that must wait has not failed */
	brski_registrar_session_note(s, "policy", decision != BRSKI_REFUSE, "%s", why);
	if (decision == BRSKI_DEFER)
		brski_printable(brski_span_str(why), s->reason, sizeof(s->reason));
}

/* The manufacturer as it is now: it may have been removed, or its anchors and CRLs be others. */
static enum brski_code find_manufacturer(struct brski_registrar_session *s, struct brski_error *err)
{
	const struct brski_registrar *r = s->registrar;
	struct brski_manufacturer now = {0};
	enum brski_code code = r->ops.find_manufacturer(r->ops_ctx, s->chain, &now, err);

	if (code != BRSKI_OK)
		return code;
	brski_manufacturer_free(&s->manufacturer);
	s->manufacturer = now;
	brski_registrar_device_of(&s->device, &s->manufacturer);
	return BRSKI_OK;
}

static enum brski_code ask(struct brski_registrar_session *s, enum brski_decision *decision, char why[256],
	long *retry_after, struct brski_error *err)
{
	struct brski_registrar *r = s->registrar;
	struct brski_error reason = {0};
	enum brski_code code = find_manufacturer(s, &reason);

	if (brski_registrar_is_verdict(code)) {
		*decision = BRSKI_REFUSE;
		snprintf(why, 256, "%.255s", reason.why);
		return BRSKI_OK;
	}
	if (code != BRSKI_OK) {
		code = brski_registrar_trouble(code, BRSKI_MEMORY_FAILS, &reason);
		return brski_registrar_give_up(&reason, code, err);
	}
	code = r->ops.decide(
		r->ops_ctx, s->visit, &s->device, &s->manufacturer, decision, why, retry_after, err);
	return code == BRSKI_OK ? code : brski_registrar_trouble(code, "the policy cannot be asked", err);
}

enum brski_code brski_registrar_session_decide(struct brski_registrar_session *s,
	enum brski_decision *decision, long *retry_after, struct brski_error *err)
{
	char why[256] = "";
	enum brski_code code;

	*decision = BRSKI_DEFER;
	*retry_after = s->registrar->retry_after;
	code = ask(s, decision, why, retry_after, err);
	if (code == BRSKI_OK && *decision == BRSKI_REFUSE)
		code = brski_permission_take_back(s->registrar, &s->device, err);
	if (code != BRSKI_OK)
		return code;
	if (*retry_after <= 0)
		*retry_after = s->registrar->retry_after;
	tell_decision(s, *decision, why);
	return BRSKI_OK;
}

const char *brski_registrar_session_reason(const struct brski_registrar_session *s)
{
	return s->reason;
}

enum brski_code brski_registrar_session_come_back(struct brski_registrar_session *s, unsigned status,
	long seconds, struct brski_http *response, struct brski_error *err)
{
	brski_registrar_session_move(s, BRSKI_SESSION_SAID_COME_BACK);
	return brski_http_reply_later(response, status, seconds,
		status == 202 ? "come back with the same request" : "come back later", err);
}

enum brski_code brski_registrar_session_turn_away(
	struct brski_registrar_session *s, struct brski_http *response, struct brski_error *err)
{
	brski_registrar_session_move(s, BRSKI_SESSION_SAID_NO);
	/* RFC 8995 5.3: 403, since an administrator can resolve it */
	return brski_http_reply_text(response, 403, "this device may not join", err);
}

long brski_registrar_session_wait(struct brski_registrar_session *s, const struct brski_job *job)
{
	long seconds = brski_job_not_before(job);

	if (job->why[0] != '\0')
		snprintf(s->reason, sizeof(s->reason), "%s", job->why);
	return seconds > s->registrar->retry_after ? seconds : s->registrar->retry_after;
}
