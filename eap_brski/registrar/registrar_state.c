/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>

#include "eap_brski/registrar/registrar_internal.h"

/*
 * How a session stands with its peer, and what moves it. What must outlive the session is a job or a
 * note, and not here.
 */

static const struct brski_registrar_transition transitions[] = {
	{BRSKI_SESSION_OPEN, BRSKI_SESSION_ANSWERED, BRSKI_SESSION_OPEN},
	{BRSKI_SESSION_OPEN, BRSKI_SESSION_SAID_POLL, BRSKI_SESSION_TOLD_TO_POLL},
	{BRSKI_SESSION_OPEN, BRSKI_SESSION_SAID_COME_BACK, BRSKI_SESSION_TOLD_TO_COME_BACK},
	{BRSKI_SESSION_OPEN, BRSKI_SESSION_SAID_NO, BRSKI_SESSION_REFUSED},
	{BRSKI_SESSION_OPEN, BRSKI_SESSION_CONFIRMED, BRSKI_SESSION_ENROLLED},
	{BRSKI_SESSION_TOLD_TO_POLL, BRSKI_SESSION_ANSWERED, BRSKI_SESSION_OPEN},
	{BRSKI_SESSION_TOLD_TO_POLL, BRSKI_SESSION_SAID_POLL, BRSKI_SESSION_TOLD_TO_POLL},
	{BRSKI_SESSION_TOLD_TO_POLL, BRSKI_SESSION_SAID_COME_BACK, BRSKI_SESSION_TOLD_TO_COME_BACK},
	{BRSKI_SESSION_TOLD_TO_POLL, BRSKI_SESSION_SAID_NO, BRSKI_SESSION_REFUSED},
	/* only reports are heard now; one of failure does not make another visit useless */
	{BRSKI_SESSION_TOLD_TO_COME_BACK, BRSKI_SESSION_SAID_COME_BACK, BRSKI_SESSION_TOLD_TO_COME_BACK},
	{BRSKI_SESSION_TOLD_TO_COME_BACK, BRSKI_SESSION_SAID_NO, BRSKI_SESSION_TOLD_TO_COME_BACK},
	{BRSKI_SESSION_REFUSED, BRSKI_SESSION_SAID_COME_BACK, BRSKI_SESSION_REFUSED},
	{BRSKI_SESSION_REFUSED, BRSKI_SESSION_SAID_NO, BRSKI_SESSION_REFUSED},
	/* no pledge asks for more, but if one does, what it is told counts */
	{BRSKI_SESSION_ENROLLED, BRSKI_SESSION_ANSWERED, BRSKI_SESSION_ENROLLED},
	{BRSKI_SESSION_ENROLLED, BRSKI_SESSION_CONFIRMED, BRSKI_SESSION_ENROLLED},
	{BRSKI_SESSION_ENROLLED, BRSKI_SESSION_SAID_POLL, BRSKI_SESSION_TOLD_TO_POLL},
	{BRSKI_SESSION_ENROLLED, BRSKI_SESSION_SAID_COME_BACK, BRSKI_SESSION_TOLD_TO_COME_BACK},
	{BRSKI_SESSION_ENROLLED, BRSKI_SESSION_SAID_NO, BRSKI_SESSION_REFUSED},
};

const struct brski_registrar_transition *brski_registrar_transition(size_t i)
{
	return i < sizeof(transitions) / sizeof(transitions[0]) ? &transitions[i] : NULL;
}

const char *brski_registrar_state_name(enum brski_session_state state)
{
	static const char *const names[] = {
		[BRSKI_SESSION_OPEN] = "open",
		[BRSKI_SESSION_TOLD_TO_POLL] = "told_to_poll",
		[BRSKI_SESSION_TOLD_TO_COME_BACK] = "told_to_come_back",
		[BRSKI_SESSION_REFUSED] = "refused",
		[BRSKI_SESSION_ENROLLED] = "enrolled",
	};

	return (size_t)state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

const char *brski_registrar_cause_name(enum brski_session_cause cause)
{
	static const char *const names[] = {
		[BRSKI_SESSION_ANSWERED] = "answered",
		[BRSKI_SESSION_SAID_POLL] = "told to poll",
		[BRSKI_SESSION_SAID_COME_BACK] = "told to come back",
		[BRSKI_SESSION_SAID_NO] = "refused, or the pledge reports a failure",
		[BRSKI_SESSION_CONFIRMED] = "success reported and answered",
	};

	return (size_t)cause < sizeof(names) / sizeof(names[0]) ? names[cause] : "unknown";
}

void brski_registrar_session_move(struct brski_registrar_session *s, enum brski_session_cause cause)
{
	for (size_t i = 0; i < sizeof(transitions) / sizeof(transitions[0]); i++) {
		if (transitions[i].from == s->state && transitions[i].cause == cause) {
			s->state = transitions[i].to;
			return;
		}
	}
	assert(false && "the table of a session's states lacks a line");
	s->state = BRSKI_SESSION_REFUSED;
}

bool brski_registrar_session_enrolled(const struct brski_registrar_session *s)
{
	return s->state == BRSKI_SESSION_ENROLLED;
}

bool brski_registrar_session_over(const struct brski_registrar_session *s)
{
	return s->state == BRSKI_SESSION_REFUSED || s->state == BRSKI_SESSION_TOLD_TO_COME_BACK;
}

bool brski_registrar_session_deferred(const struct brski_registrar_session *s)
{
	return s->state == BRSKI_SESSION_TOLD_TO_POLL || s->state == BRSKI_SESSION_TOLD_TO_COME_BACK;
}
