/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "eap_brski/artifacts/voucher_check.h"
#include "eap_brski/artifacts/voucher_cms.h"
#include "eap_brski/ground/text.h"
#include "eap_brski/pki/cms.h"
#include "eap_brski/registrar/registrar_internal.h"
#include "eap_brski/transport/http_follow.h"

/* What the MASA is asked for, and answers: a voucher (RFC 8995 5.6), then the audit log (5.8). */

enum step { STEP_VOUCHER, STEP_AUDIT_LOG, STEP_AUDIT_LOG_GET };

#define WORDS_MAX 128 /* of the MASA's own words, RFC 8995 5.6: plain text for people */

static long retry_after(const struct brski_job *job, const struct brski_http *answer)
{
	long seconds = brski_http_retry_after(answer, brski_now(job->registrar->env));

	return seconds >= 0 ? seconds : job->registrar->retry_after;
}

/*
 * RFC 8995 5.6: these three are about the device and mean the same at the pledge. Others are
 * between us and the MASA.
 */
static unsigned relayed_status(unsigned status)
{
	return status == 404 || status == 406 ? status : 403;
}

static enum brski_code masa_refused(
	struct brski_job *job, const char *what, const struct brski_http *answer, struct brski_error *err)
{
	char words[WORDS_MAX];
	char told[WORDS_MAX + 40];

	job->takes_back = true;
	brski_http_reply_words(answer, words, sizeof(words));
	snprintf(told, sizeof(told), "refused by the MASA%s%s", words[0] ? ": " : "", words);
	return brski_job_refuse_text(job, what, relayed_status(answer->status), told, err,
		"MASA %s refused: %u%s%s", job->url, answer->status, words[0] ? " " : "", words);
}

static enum brski_code masa_is_wrong(
	struct brski_job *job, const char *what, const char *why, struct brski_error *err)
{
	job->misanswered = true;
	job->takes_back = true; /* it was the device that asked for another voucher, and there is none */
	return brski_job_refuse_text(
		job, what, 502, "the MASA's answer is not usable", err, "MASA %s: %s", job->url, why);
}

/* True: the answer was no 200 (or, if allowed, 201), and the job knows what that means. */
static bool status_is_final(struct brski_job *job, const char *what, const struct brski_http *answer,
	bool created, enum brski_code *code, struct brski_error *err)
{
	char words[WORDS_MAX];

	*code = BRSKI_OK;
	if (answer->status == 200 || (created && answer->status == 201))
		return false;
	if (brski_http_is_temporary(answer)) {
		brski_http_reply_words(answer, words, sizeof(words));
		brski_job_wait(job, what, retry_after(job, answer), "MASA %s has no answer yet: %u%s%s",
			job->url, answer->status, words[0] ? " " : "", words);
	} else if (answer->status >= 400) {
		*code = masa_refused(job, what, answer, err);
	} else {
		snprintf(
			words, sizeof(words), "status %u is not one that RFC 8995 5.6 knows", answer->status);
		*code = masa_is_wrong(job, what, words, err);
	}
	return true;
}

/*
 * What the device asked for, as it was kept. If that cannot be read, it is no fault of the MASA's. A
 * request that an earlier version kept may be without its signer's certificate.
 */
static enum brski_code read_request(
	const struct brski_job *job, struct brski_voucher *out, struct brski_error *err)
{
	STACK_OF(X509) *own = sk_X509_new_null();
	STACK_OF(X509) *certs = NULL;
	enum brski_code code;

	if (own && sk_X509_push(own, job->device.idevid) > 0)
		code = brski_voucher_open(
			brski_buf_span(&job->request), own, BRSKI_VOUCHER_REQUEST, out, &certs, err);
	else
		code = brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	sk_X509_free(own);
	sk_X509_pop_free(certs, X509_free);
	return code == BRSKI_OK
		       ? code
		       : brski_registrar_trouble(code, "the device's voucher-request, as it was kept", err);
}

static enum brski_code voucher_judge(
	struct brski_job *job, const struct brski_http *answer, struct brski_error *err)
{
	const struct brski_manufacturer *m = &job->manufacturer;
	struct brski_voucher_expect expect = {
		.serial_number = job->device.serial_number,
		.allow_nonceless = m->allow_nonceless,
		.masa_anchors = m->voucher_anchors ? m->voucher_anchors : m->idevid_anchors,
		.now = brski_now(job->registrar->env),
		.domain_chain = job->registrar->own_chain,
		.domain_use = BRSKI_USE_REGISTRAR,
	};
	struct brski_voucher pledge = {0}, voucher = {0};
	struct brski_buf issuer = {0};
	enum brski_code code = read_request(job, &pledge, err);

	if (code == BRSKI_OK) {
		expect.nonce = brski_buf_span(&pledge.nonce);
		code = brski_cert_authority_key_id(job->device.idevid, &issuer, err);
		if (code == BRSKI_OK)
			expect.idevid_issuer = brski_buf_span(&issuer);
		else if (!brski_registrar_is_own_trouble(code)) /* it has none */
			code = BRSKI_OK;
	}
	if (code == BRSKI_OK)
		code = brski_voucher_check(brski_buf_span(&answer->body), &expect, &voucher, NULL, err);
	if (code == BRSKI_OK)
		job->expires = voucher.expires_on;
	brski_voucher_free(&voucher);
	brski_voucher_free(&pledge);
	brski_buf_free(&issuer);
	return code;
}

/* ---- Without a MASA ---- */

/* Judged anew, since the voucher may have expired, and the registrar have got another certificate. */
static enum brski_code check_nonceless(
	const struct brski_job *job, const struct brski_buf *cms, time_t *expires_on, struct brski_error *err)
{
	struct brski_buf issuer = {0};
	enum brski_code code = brski_cert_authority_key_id(job->device.idevid, &issuer, err);

	if (code == BRSKI_OK || code == BRSKI_NOT_FOUND)
		code = brski_nonceless_check(job->registrar, &job->manufacturer, job->device.serial_number,
			brski_buf_span(&issuer), brski_buf_span(cms), expires_on, err);
	brski_buf_free(&issuer);
	return code;
}

static enum brski_code use_nonceless(
	struct brski_job *job, const struct brski_buf *cms, time_t expires_on, struct brski_error *err)
{
	char until[32] = "for ever";

	if (expires_on)
		brski_time_format(expires_on, until);
	job->expires = expires_on;
	brski_job_done(job, "voucher",
		"the MASA does not answer; a voucher without nonce "
		"that was fetched ahead is used (valid: %s)",
		until);
	return brski_http_response(&job->answer, 200, BRSKI_MEDIA_VOUCHER, brski_buf_span(cms), err);
}

/* *cms empty: there is none that was fetched ahead. An error is our own trouble. */
static enum brski_code find_nonceless(
	const struct brski_job *job, struct brski_buf *cms, struct brski_error *err)
{
	const struct brski_registrar *r = job->registrar;
	enum brski_code code = BRSKI_NOT_FOUND;

	if (r->ops.nonceless_voucher)
		code = r->ops.nonceless_voucher(r->ops_ctx, &job->device, cms, err);
	if (code == BRSKI_OK || code == BRSKI_NOT_FOUND)
		return BRSKI_OK;
	return brski_registrar_trouble(code, BRSKI_MEMORY_FAILS, err);
}

/*
 * The MASA cannot be asked: the job is DONE with what was fetched ahead, or stays as it is. *unused:
 * why there is one, and it is not used. An error is our own trouble.
 */
static enum brski_code try_nonceless(
	struct brski_job *job, struct brski_error *unused, struct brski_error *err)
{
	struct brski_buf cms = {0};
	time_t expires_on = 0;
	enum brski_code code = find_nonceless(job, &cms, err);

	if (code == BRSKI_OK && cms.len > 0) {
		code = check_nonceless(job, &cms, &expires_on, unused);
		if (code == BRSKI_OK)
			code = use_nonceless(job, &cms, expires_on, err);
		else
			code = brski_registrar_is_own_trouble(code)
				       ? brski_registrar_give_up(unused, code, err)
				       : BRSKI_OK;
	}
	brski_buf_free(&cms);
	return code;
}

static enum brski_code without_masa(struct brski_job *job, const char *why, struct brski_error *err)
{
	struct brski_error unused = {0};
	enum brski_code code = try_nonceless(job, &unused, err);

	if (code != BRSKI_OK || job->state != BRSKI_JOB_WAITING)
		return code;
	if (unused.why[0] == '\0')
		brski_job_wait(job, "voucher", -1, "%s does not answer: %s", job->url, why);
	else
		brski_job_wait(job, "voucher", -1,
			"the voucher that was fetched ahead is not used: %s; %s does not answer: %s",
			unused.why, job->url, why);
	return BRSKI_OK;
}

/* ---- */

static enum brski_code take_voucher(
	struct brski_job *job, const struct brski_http *answer, struct brski_error *err)
{
	enum brski_code code = brski_http_response(
		&job->answer, 200, BRSKI_MEDIA_VOUCHER, brski_buf_span(&answer->body), err);

	if (code != BRSKI_OK)
		return code;
	if (job->manufacturer.audit_log) {
		brski_job_move(job, BRSKI_JOB_GOT_VOUCHER);
		brski_job_tell(job, "voucher", true, "MASA %s gave a voucher", job->url);
	} else {
		brski_job_done(
			job, "voucher", "MASA %s gave a voucher; its audit log is not looked at", job->url);
	}
	return BRSKI_OK;
}

static enum brski_code on_voucher(
	struct brski_job *job, const struct brski_http *answer, struct brski_error *err)
{
	struct brski_error why = {0};
	enum brski_code code = BRSKI_OK;

	/* a MASA that is out of order, or a proxy that cannot reach it */
	if (answer->status >= 500)
		code = try_nonceless(job, &why, err);
	if (code != BRSKI_OK || job->state != BRSKI_JOB_WAITING)
		return code;
	if (status_is_final(job, "voucher", answer, false, &code, err))
		return code;
	if (!brski_http_is_type(answer, BRSKI_MEDIA_VOUCHER))
		return masa_is_wrong(job, "voucher", "what it answers is no voucher (Content-Type)", err);
	if (answer->body.len > BRSKI_CMS_MAX)
		return masa_is_wrong(job, "voucher", "its voucher is too large", err);
	job->expires = 0;
	if (job->manufacturer.check_voucher) {
		code = voucher_judge(job, answer, &why);
		if (brski_registrar_is_own_trouble(code))
			return brski_registrar_give_up(&why, code, err);
		if (code != BRSKI_OK)
			return masa_is_wrong(job, "voucher", why.why, err);
	}
	return take_voucher(job, answer, err);
}

static enum brski_code follow(struct brski_job *job, const struct brski_http *answer, struct brski_error *err)
{
	const struct brski_http_hosts others = {
		.names = job->registrar->masa_hosts, .named_by = "masa_hosts"};

	return brski_http_follow(answer, job->url, &others, job->location, sizeof(job->location), err);
}

static enum brski_code on_audit_log(
	struct brski_job *job, const struct brski_http *answer, struct brski_error *err)
{
	struct brski_error why = {0};
	enum brski_code code;
	size_t n;

	if (status_is_final(job, "audit-log", answer, job->step == STEP_AUDIT_LOG, &code, err))
		return code;
	if (answer->status == 201) {
		if (follow(job, answer, &why) != BRSKI_OK)
			return masa_is_wrong(job, "audit-log", why.why, err);
		brski_job_move(job, BRSKI_JOB_SENT_ON);
		return BRSKI_OK;
	}
	code = brski_registrar_audit_log_take(
		job->registrar, &job->manufacturer, brski_buf_span(&answer->body), &n, &why);
	if (brski_registrar_is_own_trouble(code))
		return brski_registrar_give_up(&why, code, err);
	if (code == BRSKI_REFUSED) { /* RFC 8995 5.8.3: the voucher is not forwarded, and a human informed */
		job->takes_back = true;
		return brski_job_refuse_text(
			job, "audit-log", 403, "refused for what the audit log tells", err, "%s", why.why);
	}
	if (code != BRSKI_OK)
		return masa_is_wrong(job, "audit-log", why.why, err);
	brski_job_done(job, "audit-log", "%zu entries, nothing against this device", n);
	return BRSKI_OK;
}

static enum brski_code on_answer(
	struct brski_job *job, const struct brski_http *answer, struct brski_error *err)
{
	return job->step == STEP_VOUCHER ? on_voucher(job, answer, err) : on_audit_log(job, answer, err);
}

static enum brski_code on_silence(struct brski_job *job, const char *why, struct brski_error *err)
{
	if (job->step == STEP_VOUCHER)
		return without_masa(job, why, err);
	brski_job_wait(job, job->type->steps[job->step].what, -1, "%s does not answer: %s", job->url, why);
	return BRSKI_OK;
}

static enum brski_code refuse(
	struct brski_job *job, enum brski_job_refusal refusal, const char *why, struct brski_error *err)
{
	if (refusal == BRSKI_JOB_NOT_WANTED)
		return brski_job_refuse_text(job, "policy", 403, "this device may not join", err, "%s", why);
	return brski_job_refuse_text(job, "voucher", 504, "no answer from the MASA", err, "%s", why);
}

/* ---- The calls ---- */

/* A MASA URL that the IDevID has, but that cannot be used, is another thing than none. */
static enum brski_code check_extension(const struct brski_job *job, struct brski_error *err)
{
	char url[BRSKI_URL_MAX];
	enum brski_code code = brski_cert_masa_url(job->device.idevid, url, err);

	if (code == BRSKI_OK || code == BRSKI_NOT_FOUND)
		return BRSKI_OK;
	return brski_fail_context(err, brski_registrar_is_own_trouble(code) ? code : BRSKI_UNSUPPORTED,
		"what the IDevID says of its MASA cannot be used, so set the manufacturer's MASA URL with "
		"'brskictl manufacturer set --masa-url'");
}

static enum brski_code prepare_masa(struct brski_job *job, const char *operation, struct brski_error *err)
{
	enum brski_code code = job->device.masa_url[0] ? BRSKI_OK : check_extension(job, err);

	if (code != BRSKI_OK)
		return code;
	return brski_registrar_masa_call(job->device.masa_url, job->device.manufacturer, operation,
		brski_buf_span(&job->upstream), job->url, sizeof(job->url), &job->call, err);
}

static enum brski_code prepare_voucher(struct brski_job *job, struct brski_error *err)
{
	return prepare_masa(job, BRSKI_MASA_VOUCHER, err);
}

static enum brski_code prepare_audit_log(struct brski_job *job, struct brski_error *err)
{
	return prepare_masa(job, BRSKI_MASA_AUDIT_LOG, err);
}

static enum brski_code prepare_location(struct brski_job *job, struct brski_error *err)
{
	enum brski_code code;

	snprintf(job->url, sizeof(job->url), "%s", job->location);
	code = brski_http_request(
		&job->call, "GET", brski_http_target(job->url), NULL, brski_span(NULL, 0), err);
	return code == BRSKI_OK ? brski_http_set(&job->call, "accept", BRSKI_MEDIA_JSON, err) : code;
}

static enum brski_code plan(
	const struct brski_job *job, unsigned i, struct brski_planned *out, struct brski_error *err)
{
	if (i != 1 || job->step != STEP_VOUCHER || !job->manufacturer.audit_log)
		return BRSKI_NOT_FOUND;
	return brski_registrar_masa_call(job->device.masa_url, job->device.manufacturer, BRSKI_MASA_AUDIT_LOG,
		brski_buf_span(&job->upstream), out->url, sizeof(out->url), &out->request, err);
}

static const STACK_OF(X509) *anchors(const struct brski_job *job)
{
	return job->manufacturer.tls_anchors;
}

static const struct brski_job_step steps[] = {
	[STEP_VOUCHER] = {"voucher", "voucher", prepare_voucher},
	[STEP_AUDIT_LOG] = {"audit-log", "audit-log", prepare_audit_log},
	[STEP_AUDIT_LOG_GET] = {"audit-log-get", "audit-log", prepare_location},
};

static const struct brski_job_move moves[] = {
	{STEP_VOUCHER, BRSKI_JOB_GOT_VOUCHER, STEP_AUDIT_LOG},
	{STEP_AUDIT_LOG, BRSKI_JOB_SENT_ON, STEP_AUDIT_LOG_GET}, /* RFC 8995 5.8: 201 */
};

const struct brski_job_type brski_job_type_voucher = {
	.kind = BRSKI_JOB_VOUCHER,
	.name = "voucher",
	.back_end = "MASA",
	.begins = "voucher-request kept",
	.request = "voucher-request",
	.https_only = true, /* RFC 8995 5.4 */
	.steps = steps,
	.n_steps = sizeof(steps) / sizeof(steps[0]),
	.moves = moves,
	.n_moves = sizeof(moves) / sizeof(moves[0]),
	.anchors = anchors,
	.answer = on_answer,
	.silence = on_silence,
	.refuse = refuse,
	.plan = plan,
	.deliver = brski_registrar_deliver_voucher,
	.defer = brski_registrar_defer_voucher,
	.turn_away = brski_registrar_session_turn_away,
};
