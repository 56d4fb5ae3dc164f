/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "eap_brski/ground/text.h"
#include "eap_brski/registrar/registrar_internal.h"

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

enum brski_code brski_registrar_session_decide(struct brski_registrar_session *s,
	enum brski_decision *decision, long *retry_after, struct brski_error *err)
{
	struct brski_registrar *r = s->registrar;
	char why[256] = "";
	enum brski_code code;

	*decision = BRSKI_DEFER;
	*retry_after = r->retry_after;
	code = r->ops.decide(
		r->ops_ctx, s->visit, &s->device, &s->manufacturer, decision, why, retry_after, err);
	if (code != BRSKI_OK)
		return brski_registrar_trouble(code, "the policy cannot be asked", err);
	if (*retry_after <= 0)
		*retry_after = r->retry_after;
	tell_decision(s, *decision, why);
	return BRSKI_OK;
}

const char *brski_registrar_session_reason(const struct brski_registrar_session *s)
{
	return s->reason;
}
