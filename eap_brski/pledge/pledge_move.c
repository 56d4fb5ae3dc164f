/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/pledge/pledge_internal.h"

#include <stdio.h>

/* From one state to the next, by the table in pledge.c. */

static const struct brski_pledge_transition *find_transition(
	enum brski_pledge_state from, enum brski_pledge_cause cause)
{
	const struct brski_pledge_transition *t = NULL;

	for (size_t i = 0; (t = brski_pledge_transition(i)) != NULL; i++) {
		if (t->from == from && t->cause == cause)
			break;
	}
	return t;
}

enum brski_code brski_pledge_move(
	struct brski_pledge *p, enum brski_pledge_cause cause, struct brski_error *err)
{
	enum brski_pledge_state from = p->rec.state;
	const struct brski_pledge_transition *t = find_transition(from, cause);
	enum brski_code code;

	if (!t)
		return brski_fail(err, BRSKI_INTERNAL, "no way out of the state %s by cause %d",
			brski_pledge_state_name(from), (int)cause);
	p->rec.state = t->to;
	code = brski_pledge_save(p, err);
	if (code != BRSKI_OK) {
		p->rec.state = from;
		return code;
	}
	brski_log(p->config.env, BRSKI_LOG_DEBUG, "pledge: %s -> %s", brski_pledge_state_name(from),
		brski_pledge_state_name(t->to));
	return BRSKI_OK;
}

enum brski_code brski_pledge_give_up(
	struct brski_pledge *p, const struct brski_error *why, struct brski_error *err)
{
	long candidate = p->rec.candidate;
	enum brski_code code;

	snprintf(p->rec.reason, sizeof(p->rec.reason), "%s", why->why);
	p->failure = why->code;
	p->rec.candidate = 0;
	code = brski_pledge_move(p, BRSKI_CAUSE_GIVEN_UP, err);
	if (code != BRSKI_OK)
		return code;
	EVP_PKEY_free(p->key);
	p->key = NULL;
	brski_pledge_remove_generation(p, candidate);
	brski_log(p->config.env, BRSKI_LOG_WARN, "onboarding failed: %s", p->rec.reason);
	brski_pledge_event(p, BRSKI_EVENT_FAILED, p->rec.reason);
	return BRSKI_OK;
}
