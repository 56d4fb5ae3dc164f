/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/pledge/pledge_internal.h"

/* ---- the state machine ---- */

static const struct brski_pledge_transition transitions[] = {
	{BRSKI_PLEDGE_START, BRSKI_CAUSE_VOUCHER_ASKED, BRSKI_PLEDGE_VOUCHER},
	{BRSKI_PLEDGE_VOUCHER, BRSKI_CAUSE_VOUCHER_ASKED, BRSKI_PLEDGE_VOUCHER}, /* another registrar */
	{BRSKI_PLEDGE_VOUCHER, BRSKI_CAUSE_VOUCHER_TAKEN, BRSKI_PLEDGE_IMPRINTED},
	{BRSKI_PLEDGE_VOUCHER, BRSKI_CAUSE_GIVEN_UP, BRSKI_PLEDGE_FAILED},
	{BRSKI_PLEDGE_IMPRINTED, BRSKI_CAUSE_CERT_ASKED, BRSKI_PLEDGE_ENROLL},
	{BRSKI_PLEDGE_IMPRINTED, BRSKI_CAUSE_GIVEN_UP, BRSKI_PLEDGE_FAILED},
	{BRSKI_PLEDGE_ENROLL, BRSKI_CAUSE_WAITING, BRSKI_PLEDGE_POLL},
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
	{BRSKI_PLEDGE_CONFIRM, BRSKI_CAUSE_WAITING, BRSKI_PLEDGE_CONFIRM_POLL},
	{BRSKI_PLEDGE_CONFIRM_POLL, BRSKI_CAUSE_CERT_CONFIRMED, BRSKI_PLEDGE_REPORT},
	{BRSKI_PLEDGE_CONFIRM_POLL, BRSKI_CAUSE_GIVEN_UP, BRSKI_PLEDGE_FAILED},
	{BRSKI_PLEDGE_CONFIRM_POLL, BRSKI_CAUSE_START_OVER, BRSKI_PLEDGE_START},
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
		[BRSKI_PLEDGE_CONFIRM_POLL] = "confirm_poll",
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
		[BRSKI_CAUSE_WAITING] = "told to poll",
		[BRSKI_CAUSE_CERT_TAKEN] = "certificate checked and kept",
		[BRSKI_CAUSE_CERT_CONFIRMED] = "certificate confirmed",
		[BRSKI_CAUSE_REPORTED] = "registrar has answered",
		[BRSKI_CAUSE_GIVEN_UP] = "given up",
		[BRSKI_CAUSE_START_OVER] = "start over",
	};

	return (size_t)cause < sizeof(names) / sizeof(names[0]) ? names[cause] : "unknown";
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
