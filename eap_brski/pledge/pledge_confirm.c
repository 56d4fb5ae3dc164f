/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/pledge/pledge_internal.h"

#include <stdio.h>

#include "eap_brski/artifacts/paths.h"

/* ---- certConf, RFC 9483 4.1.1 ---- */

enum brski_code brski_pledge_build_confirm(
	struct brski_pledge *p, struct brski_http *request, struct brski_error *err)
{
	return brski_pledge_cmp_post(p, &p->rec.request, request, err);
}

/* Once only: the request is FAILED's last word. */
enum brski_code brski_pledge_build_reject(
	struct brski_pledge *p, struct brski_http *request, struct brski_error *err)
{
	enum brski_code code;

	code = brski_pledge_cmp_post(p, &p->rejection, request, err);
	brski_buf_free(&p->rejection);
	return code;
}

enum brski_code brski_pledge_answer_reject(
	struct brski_pledge *p, const struct brski_http *response, struct brski_error *err)
{
	(void)p;
	(void)response;
	(void)err;
	return BRSKI_OK; /* we have decided */
}

/*
 * The PKI works on the confirmation, RFC 9483 4.4: pollReq for the whole message, then no earlier
 * than told.
 */
static enum brski_code wait_for_pkiconf(
	struct brski_pledge *p, const struct brski_cmp_response *r, struct brski_error *err)
{
	if (p->rec.state == BRSKI_PLEDGE_CONFIRM_POLL)
		return brski_pledge_poll_later(p, r, err);
	p->rec.poll_id = -1;
	return brski_pledge_move(p, BRSKI_CAUSE_WAITING, err);
}

static enum brski_code judge_answer(
	struct brski_pledge *p, const struct brski_cmp_response *r, struct brski_error *err)
{
	struct brski_error why = {0};

	if (r->type == BRSKI_CMP_PKICONF)
		return brski_pledge_move(p, BRSKI_CAUSE_CERT_CONFIRMED, err);
	if ((r->type == BRSKI_CMP_POLLREP && p->rec.state == BRSKI_PLEDGE_CONFIRM_POLL) ||
		(r->type == BRSKI_CMP_ERROR && r->status == BRSKI_CMP_WAITING))
		return wait_for_pkiconf(p, r, err);
	brski_pledge_cmp_refusal(r, "certificate's confirmation", &why);
	return brski_pledge_refuse_enrollment(p, &why, err);
}

enum brski_code brski_pledge_answer_confirm(
	struct brski_pledge *p, const struct brski_http *response, struct brski_error *err)
{
	return brski_pledge_cmp_answer(p, response, judge_answer, err);
}

/* ---- enrollstatus, RFC 8995 5.9.4 ---- */

/* The registrar is verified here, so a failure is told in full. */
enum brski_code brski_pledge_build_enroll_status(
	struct brski_pledge *p, struct brski_http *request, struct brski_error *err)
{
	struct brski_status status = {.status = p->rec.state != BRSKI_PLEDGE_FAILED};
	struct brski_buf json = {0};
	enum brski_code code;

	if (!status.status) {
		snprintf(status.reason, sizeof(status.reason), "%.*s", (int)sizeof(status.reason) - 1,
			p->rec.reason);
		snprintf(status.context, sizeof(status.context), "{\"failure\":\"%s\"}",
			brski_code_name(p->failure));
	}
	code = brski_status_print(&status, &json, err);
	if (code == BRSKI_OK)
		code = brski_http_request(request, "POST", BRSKI_PATH_ENROLLSTATUS, BRSKI_MEDIA_JSON,
			brski_buf_span(&json), err);
	brski_buf_free(&json);
	return code;
}

/* The candidate becomes the credential with the one write that brski_pledge_move() makes. */
static enum brski_code commit(struct brski_pledge *p, struct brski_error *err)
{
	long generation = p->rec.candidate;
	enum brski_code code;

	brski_pledge_record_start_over(&p->rec);
	p->rec.credential = generation;
	code = brski_pledge_move(p, BRSKI_CAUSE_REPORTED, err);
	if (code != BRSKI_OK)
		return code;
	brski_pledge_remove_generation(p, generation - 2);
	brski_log(p->config.env, BRSKI_LOG_INFO, "onboarding succeeded");
	if (p->cert)
		brski_pledge_event_subject(p, BRSKI_EVENT_ENROLLED, p->cert);
	return BRSKI_OK;
}

/* The registrar's answer is the protected success indication: without it there is no success. */
enum brski_code brski_pledge_answer_enroll_status(
	struct brski_pledge *p, const struct brski_http *response, struct brski_error *err)
{
	struct brski_error why = {0};
	bool decided;
	enum brski_code code;

	if (p->rec.state != BRSKI_PLEDGE_REPORT)
		return BRSKI_OK; /* the confirmation sent along failed or waits, or this reported a failure */
	code = brski_pledge_put_off(p, response, &decided, err);
	if (code != BRSKI_OK || decided)
		return code;
	if (response->status / 100 == 2)
		return commit(p, err);
	brski_pledge_not_ok(response, "enrollment status", &why);
	return brski_pledge_give_up(p, &why, err);
}
