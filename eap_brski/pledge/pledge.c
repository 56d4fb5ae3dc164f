/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/pledge/pledge_internal.h"

#include <stdio.h>

/* RFC 8995 5.6: an unverified registrar must not delay the pledge for longer than this. */
#define PROVISIONAL_WAIT_MAX 60
#define WAIT_MAX (31L * 24 * 3600)
#define WAIT_DEFAULT 60

/* ---- the state machine ---- */

static const struct brski_pledge_transition transitions[] = {
	{BRSKI_PLEDGE_START, BRSKI_CAUSE_VOUCHER_ASKED, BRSKI_PLEDGE_VOUCHER},
	{BRSKI_PLEDGE_VOUCHER, BRSKI_CAUSE_VOUCHER_ASKED, BRSKI_PLEDGE_VOUCHER}, /* another registrar */
	{BRSKI_PLEDGE_VOUCHER, BRSKI_CAUSE_VOUCHER_TAKEN, BRSKI_PLEDGE_IMPRINTED},
	{BRSKI_PLEDGE_VOUCHER, BRSKI_CAUSE_GIVEN_UP, BRSKI_PLEDGE_FAILED},
	{BRSKI_PLEDGE_IMPRINTED, BRSKI_CAUSE_CERT_ASKED, BRSKI_PLEDGE_ENROLL},
	{BRSKI_PLEDGE_IMPRINTED, BRSKI_CAUSE_GIVEN_UP, BRSKI_PLEDGE_FAILED},
	{BRSKI_PLEDGE_ENROLL, BRSKI_CAUSE_CERT_WAITING, BRSKI_PLEDGE_POLL},
	{BRSKI_PLEDGE_ENROLL, BRSKI_CAUSE_CERT_TAKEN, BRSKI_PLEDGE_CONFIRM},
	{BRSKI_PLEDGE_ENROLL, BRSKI_CAUSE_CERT_CONFIRMED, BRSKI_PLEDGE_REPORT}, /* implicitConfirm */
	{BRSKI_PLEDGE_ENROLL, BRSKI_CAUSE_GIVEN_UP, BRSKI_PLEDGE_FAILED},
	{BRSKI_PLEDGE_ENROLL, BRSKI_CAUSE_START_OVER, BRSKI_PLEDGE_START}, /* candidate's files lost */
	{BRSKI_PLEDGE_POLL, BRSKI_CAUSE_CERT_TAKEN, BRSKI_PLEDGE_CONFIRM},
	{BRSKI_PLEDGE_POLL, BRSKI_CAUSE_CERT_CONFIRMED, BRSKI_PLEDGE_REPORT},
	{BRSKI_PLEDGE_POLL, BRSKI_CAUSE_GIVEN_UP, BRSKI_PLEDGE_FAILED},
	{BRSKI_PLEDGE_POLL, BRSKI_CAUSE_START_OVER, BRSKI_PLEDGE_START},
	{BRSKI_PLEDGE_CONFIRM, BRSKI_CAUSE_CERT_CONFIRMED, BRSKI_PLEDGE_REPORT},
	{BRSKI_PLEDGE_CONFIRM, BRSKI_CAUSE_GIVEN_UP, BRSKI_PLEDGE_FAILED},
	{BRSKI_PLEDGE_CONFIRM, BRSKI_CAUSE_START_OVER, BRSKI_PLEDGE_START},
	{BRSKI_PLEDGE_REPORT, BRSKI_CAUSE_REPORTED, BRSKI_PLEDGE_ENROLLED},
	{BRSKI_PLEDGE_REPORT, BRSKI_CAUSE_GIVEN_UP, BRSKI_PLEDGE_FAILED},
	{BRSKI_PLEDGE_REPORT, BRSKI_CAUSE_START_OVER, BRSKI_PLEDGE_START},
	{BRSKI_PLEDGE_ENROLLED, BRSKI_CAUSE_START_OVER, BRSKI_PLEDGE_START},
	{BRSKI_PLEDGE_FAILED, BRSKI_CAUSE_START_OVER, BRSKI_PLEDGE_START},
};

const char *brski_pledge_state_name(enum brski_pledge_state state)
{
	static const char *const names[] = {
		[BRSKI_PLEDGE_START] = "start",
		[BRSKI_PLEDGE_VOUCHER] = "voucher",
		[BRSKI_PLEDGE_IMPRINTED] = "imprinted",
		[BRSKI_PLEDGE_ENROLL] = "enroll",
		[BRSKI_PLEDGE_POLL] = "poll",
		[BRSKI_PLEDGE_CONFIRM] = "confirm",
		[BRSKI_PLEDGE_REPORT] = "report",
		[BRSKI_PLEDGE_ENROLLED] = "enrolled",
		[BRSKI_PLEDGE_FAILED] = "failed",
	};

	return (size_t)state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

const struct brski_pledge_transition *brski_pledge_transition(size_t i)
{
	return i < sizeof(transitions) / sizeof(transitions[0]) ? &transitions[i] : NULL;
}

const char *brski_pledge_cause_name(enum brski_pledge_cause cause)
{
	static const char *const names[] = {
		[BRSKI_CAUSE_VOUCHER_ASKED] = "voucher requested",
		[BRSKI_CAUSE_VOUCHER_TAKEN] = "voucher verified",
		[BRSKI_CAUSE_CERT_ASKED] = "certificate requested",
		[BRSKI_CAUSE_CERT_WAITING] = "told to poll",
		[BRSKI_CAUSE_CERT_TAKEN] = "certificate checked and kept",
		[BRSKI_CAUSE_CERT_CONFIRMED] = "certificate confirmed",
		[BRSKI_CAUSE_REPORTED] = "registrar has answered",
		[BRSKI_CAUSE_GIVEN_UP] = "given up",
		[BRSKI_CAUSE_START_OVER] = "start over",
	};

	return (size_t)cause < sizeof(names) / sizeof(names[0]) ? names[cause] : "unknown";
}

static const struct brski_pledge_transition *find_transition(
	enum brski_pledge_state from, enum brski_pledge_cause cause)
{
	for (size_t i = 0; i < sizeof(transitions) / sizeof(transitions[0]); i++) {
		if (transitions[i].from == from && transitions[i].cause == cause)
			return &transitions[i];
	}
	return NULL;
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

/* ---- coming back later ---- */

void brski_pledge_event_deferred(const struct brski_pledge *p)
{
	char seconds[24];

	snprintf(seconds, sizeof(seconds), "%ld", brski_pledge_retry_after(p));
	brski_pledge_event(p, BRSKI_EVENT_DEFERRED, seconds);
}

enum brski_code brski_pledge_defer(struct brski_pledge *p, long seconds, struct brski_error *err)
{
	long most = p->trust == BRSKI_TRUST_VERIFIED ? WAIT_MAX : PROVISIONAL_WAIT_MAX;
	enum brski_code code;

	if (seconds < 1)
		seconds = 1;
	p->rec.told = seconds < most ? seconds : most;
	/* part of the clock's second is over already, and RFC 8995 5.6 says: MUST wait at least so long */
	p->rec.not_before = (long)brski_now(p->config.env) + p->rec.told + 1;
	code = brski_pledge_save(p, err);
	if (code != BRSKI_OK)
		return code;
	p->over = true;
	brski_pledge_event_deferred(p);
	return BRSKI_OK;
}

long brski_pledge_retry_after(const struct brski_pledge *p)
{
	long left = p->rec.not_before - (long)brski_now(p->config.env);

	if (p->rec.told == 0 || left <= 0)
		return 0;
	return left < p->rec.told ? left : p->rec.told;
}

enum brski_code brski_pledge_put_off(
	struct brski_pledge *p, const struct brski_http *response, bool *decided, struct brski_error *err)
{
	long seconds = brski_http_retry_after(response, brski_now(p->config.env));

	*decided = false;
	if (response->status != 202 && ((response->status != 429 && response->status != 503) || seconds < 0))
		return BRSKI_OK;
	*decided = true;
	return brski_pledge_defer(p, seconds >= 0 ? seconds : WAIT_DEFAULT, err);
}

static const char *status_name(unsigned status)
{
	static const struct {
		unsigned status;
		const char *name;
	} names[] = {
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{406, "Not Acceptable"},
		{413, "Content Too Large"},
		{415, "Unsupported Media Type"},
		{429, "Too Many Requests"},
		{500, "Internal Server Error"},
		{502, "Bad Gateway"},
		{503, "Service Unavailable"},
		{504, "Gateway Timeout"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].status == status)
			return names[i].name;
	}
	return "";
}

enum brski_code brski_pledge_not_ok(
	const struct brski_http *response, const char *what, struct brski_error *why)
{
	bool in_words = brski_http_is_type(response, "text/plain") && response->body.len > 0;
	int len = response->body.len < 160 ? (int)response->body.len : 160;

	return brski_fail(why, BRSKI_REFUSED, "the registrar answered the %s with %u %s%s%.*s", what,
		response->status, status_name(response->status), in_words ? ": " : "", in_words ? len : 0,
		in_words ? (const char *)response->body.data : "");
}

/* ---- events ---- */

const char *brski_pledge_event_name(enum brski_pledge_event event)
{
	static const char *const names[] = {
		[BRSKI_EVENT_TUNNEL] = "tunnel",
		[BRSKI_EVENT_VOUCHER_REQUESTED] = "voucher-requested",
		[BRSKI_EVENT_VOUCHER_ACCEPTED] = "voucher-accepted",
		[BRSKI_EVENT_CERT_REQUESTED] = "cert-requested",
		[BRSKI_EVENT_CERT_RECEIVED] = "cert-received",
		[BRSKI_EVENT_ENROLLED] = "enrolled",
		[BRSKI_EVENT_DEFERRED] = "deferred",
		[BRSKI_EVENT_FAILED] = "failed",
	};

	return (size_t)event < sizeof(names) / sizeof(names[0]) ? names[event] : "unknown";
}

void brski_pledge_event(const struct brski_pledge *p, enum brski_pledge_event event, const char *detail)
{
	if (p->config.event)
		p->config.event(p->config.event_ctx, event, detail);
}

void brski_pledge_event_subject(const struct brski_pledge *p, enum brski_pledge_event event, const X509 *cert)
{
	char subject[256];

	brski_name_text(X509_get_subject_name(cert), subject, sizeof(subject));
	brski_pledge_event(p, event, subject);
}
