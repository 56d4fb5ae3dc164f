/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "eap_brski/artifacts/status.h"
#include "eap_brski/registrar/permission_internal.h"

/* What the pledge reports: RFC 8995 5.7 and 5.9.4. */

/* False: *response says that the report cannot be read. */
static bool read_status(struct brski_registrar_session *s, const struct brski_http *request,
	struct brski_status *status, struct brski_http *response, enum brski_code *code,
	struct brski_error *err)
{
	struct brski_error why;

	*code = brski_status_parse(brski_buf_span(&request->body), status, &why);
	if (*code == BRSKI_OK && status->unknown[0] != '\0')
		brski_log(s->registrar->env, BRSKI_LOG_INFO,
			"the report of device %s on %s has fields that are not known: %s",
			s->device.serial_number, request->path, status->unknown);
	if (*code == BRSKI_OK)
		return true;
	/* RFC 8995 5.7: a version that we do not know is to be logged for a human */
	brski_registrar_session_note(
		s, "peer", false, "the pledge's report on %s cannot be read: %s", request->path, why.why);
	*code = brski_http_reply_text(response, 400, "report cannot be read", err);
	return false;
}

static const char *words(const struct brski_status *status)
{
	return status->reason[0] ? status->reason : "no reason given";
}

/* If the registrar had refused it before, that stays the session's reason: the pledge only repeats it. */
static void note_complaint(struct brski_registrar_session *s, const char *what, const char *complaint,
	const struct brski_status *status)
{
	char before[sizeof(s->reason)];

	snprintf(before, sizeof(before), "%s", brski_registrar_session_over(s) ? s->reason : "");
	brski_registrar_session_note(s, what, false, "%s: %s%s%s", complaint, words(status),
		status->context[0] ? " " : "", status->context);
	if (before[0] != '\0')
		snprintf(s->reason, sizeof(s->reason), "%s", before);
	brski_registrar_session_move(s, BRSKI_SESSION_SAID_NO);
}

enum brski_code brski_registrar_handle_voucher_status(BRSKI_REGISTRAR_HANDLER_PARAMS)
{
	struct brski_status status = {0};
	enum brski_code code;

	(void)endpoint;
	(void)job;
	if (!read_status(s, request, &status, response, &code, err))
		return code;
	if (status.status) {
		brski_registrar_session_note(s, "voucher-status", true, "the pledge accepted the voucher");
	} else {
		/* it will not trust us: nothing that comes after may rest on that voucher */
		code = brski_permission_take_back(s->registrar, &s->device, err);
		if (code != BRSKI_OK)
			return code;
		note_complaint(s, "voucher-status", "the pledge refused the voucher", &status);
	}
	return brski_http_response(response, 200, NULL, brski_span(NULL, 0), err);
}

static enum brski_code refuse_success(struct brski_registrar_session *s, const char *why,
	struct brski_http *response, struct brski_error *err)
{
	brski_registrar_session_move(s, BRSKI_SESSION_SAID_NO);
	brski_registrar_session_note(s, "enroll-status", false, "the pledge reports success, but %s", why);
	return brski_http_reply_text(response, 403, "no certificate was granted", err);
}

/* The policy lets it in: its certificate is good for this one report, and no other. */
static enum brski_code use_certificate(
	struct brski_registrar_session *s, struct brski_http *response, struct brski_error *err)
{
	char why[BRSKI_PERMISSION_WHY];
	enum brski_code code = brski_permission_use(
		s->registrar, &s->device, BRSKI_PERMISSION_REPORT, brski_span(NULL, 0), why, err);

	if (code != BRSKI_OK)
		return code;
	if (why[0] != '\0')
		return refuse_success(s, why, response, err);
	brski_registrar_session_move(s, BRSKI_SESSION_CONFIRMED);
	s->reason[0] = '\0';
	brski_registrar_session_note(s, "enroll-status", true, "onboarded");
	return brski_http_response(response, 200, NULL, brski_span(NULL, 0), err);
}

static enum brski_code decide_success(
	struct brski_registrar_session *s, struct brski_http *response, struct brski_error *err)
{
	enum brski_decision decision;
	long retry_after;
	enum brski_code code = brski_registrar_session_decide(s, &decision, &retry_after, err);

	if (code != BRSKI_OK)
		return code;
	switch (decision) {
	case BRSKI_ACCEPT:
		return use_certificate(s, response, err);
	case BRSKI_DEFER:
		return brski_registrar_session_come_back(s, 503, retry_after, response, err);
	case BRSKI_REFUSE:
	default:
		return brski_registrar_session_turn_away(s, response, err);
	}
}

/*
 * The pledge says that it is onboarded. The 200 is the protected success indication and opens the
 * network, so it is for a device that was given a certificate, and that the policy lets in now.
 */
static enum brski_code confirm_enrolled(
	struct brski_registrar_session *s, struct brski_http *response, struct brski_error *err)
{
	char why[BRSKI_PERMISSION_WHY];
	enum brski_code code;

	if (brski_registrar_session_deferred(s))
		return brski_http_reply_later(
			response, 503, s->registrar->retry_after, "the PKI has not confirmed yet", err);
	if (brski_registrar_session_over(s))
		return brski_http_reply_text(response, 403, "refused before", err);
	code = brski_permission_ask(
		s->registrar, &s->device, BRSKI_PERMISSION_REPORT, brski_span(NULL, 0), why, err);
	if (code != BRSKI_OK)
		return code;
	return why[0] != '\0' ? refuse_success(s, why, response, err) : decide_success(s, response, err);
}

enum brski_code brski_registrar_handle_enroll_status(BRSKI_REGISTRAR_HANDLER_PARAMS)
{
	struct brski_status status = {0};
	enum brski_code code;

	(void)endpoint;
	(void)job;
	if (!read_status(s, request, &status, response, &code, err))
		return code;
	if (status.status)
		return confirm_enrolled(s, response, err);
	note_complaint(s, "enroll-status", "the pledge could not enroll", &status);
	return brski_http_response(response, 200, NULL, brski_span(NULL, 0), err);
}
