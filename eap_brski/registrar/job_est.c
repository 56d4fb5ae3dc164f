/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "eap_brski/est/est.h"
#include "eap_brski/registrar/permission_internal.h"

/*
 * A certificate for a device that asks by EST (RFC 7030 4.2): the registrar is the PKI's client, with a
 * p10cr of its own around the device's PKCS #10 (RFC 9483 4.1.4), and goes through the transaction alone.
 * The device polls by its own means, and is given nothing but the certificate. So the registrar judges
 * what the PKI says in any case: nobody else can.
 */

enum step { STEP_REQUEST, STEP_POLL, STEP_CONFIRM, STEP_CONFIRM_POLL, STEP_REJECT };

#define LABEL "pkcs10"                    /* RFC 9483 6.1: of the whole transaction */
#define CHECK_AFTER_MIN 1L                /* seconds */
#define CHECK_AFTER_MAX (31 * 24 * 3600L) /* as Retry-After's */

/* Whatever the PKI says to a rejection, the certificate is not used. */
static enum brski_code rejected(struct brski_job *job)
{
	char why[sizeof(job->why)];

	memcpy(why, job->why, sizeof(why));
	brski_job_move(job, BRSKI_JOB_TURNED_DOWN);
	brski_job_tell(job, NULL, false, "%s", why);
	return BRSKI_OK;
}

static enum brski_code pki_is_wrong(struct brski_job *job, const char *words, struct brski_error *err)
{
	job->misanswered = true;
	if (job->step == STEP_REJECT)
		return rejected(job);
	return brski_job_refuse_text(job, "certificate", 502, "the PKI's answer is not usable", err,
		"PKI %s: %s", job->url, words);
}

/* Our own trouble goes up; all else that is wrong with an answer is the PKI's fault. */
static enum brski_code blame_pki(
	struct brski_job *job, const struct brski_error *why, enum brski_code code, struct brski_error *err)
{
	if (brski_registrar_is_own_trouble(code))
		return brski_registrar_give_up(why, code, err);
	return pki_is_wrong(job, why->why, err);
}

static enum brski_code pki_refused(
	struct brski_job *job, const struct brski_cmp_response *r, struct brski_error *err)
{
	const char *name = r->fail == BRSKI_CMP_FAIL_NONE ? "no reason given" : brski_cmp_fail_name(r->fail);
	char told[sizeof(r->text) + 64];

	job->takes_back = true;
	snprintf(told, sizeof(told), "refused by the PKI: %s%s%s", name, r->text[0] ? ", " : "", r->text);
	return brski_job_refuse_text(job, "certificate", 403, told, err, "PKI %s refused: %s%s%s", job->url,
		name, r->text[0] ? " " : "", r->text);
}

/* ---- Waiting, RFC 9483 4.4 ---- */

/* What comes next is asked with another message, so it is made once, and stored before it is sent. */
static enum brski_code poll(
	struct brski_job *job, const struct brski_cmp_response *r, struct brski_error *err)
{
	const struct brski_registrar *reg = job->registrar;
	long seconds = r->check_after;

	if (seconds < CHECK_AFTER_MIN)
		seconds = CHECK_AFTER_MIN;
	if (seconds > CHECK_AFTER_MAX)
		seconds = CHECK_AFTER_MAX;
	if (job->step == STEP_REQUEST || job->step == STEP_CONFIRM)
		brski_job_tell(job, "deferred", true, "PKI %s wants to be asked again later", job->url);
	if (r->type == BRSKI_CMP_POLLREP) /* "waiting" says no time */
		job->not_before = brski_now(reg->env) + seconds;
	brski_job_move(job, BRSKI_JOB_TOLD_TO_POLL);
	return brski_cmp_poll_req(&reg->credential, r->type == BRSKI_CMP_ERROR ? -1 : r->cert_req_id,
		reg->env, &job->tx, &job->upstream, err);
}

/* ---- The certificate ---- */

/* Then the same request is one for another certificate. */
static enum brski_code set_expiry(struct brski_job *job, const X509 *cert, struct brski_error *err)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) != 1)
		return brski_fail_openssl(err, BRSKI_INTERNAL, "a certificate without an end");
	job->expires = timegm(&tm);
	return BRSKI_OK;
}

/* The answer to the device, RFC 7030 4.2.3: the certificate alone, and its path is what cacerts says. */
static enum brski_code set_answer(struct brski_job *job, X509 *cert, struct brski_error *err)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	struct brski_buf der = {0}, text = {0};
	enum brski_code code;

	if (certs && sk_X509_push(certs, cert) > 0)
		code = brski_est_certs_write(certs, &der, err);
	else
		code = brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	if (code == BRSKI_OK)
		code = brski_est_body_write(brski_buf_span(&der), &text, err);
	if (code == BRSKI_OK)
		code = brski_http_response(
			&job->answer, 200, BRSKI_MEDIA_CERTS_ONLY, brski_buf_span(&text), err);
	if (code == BRSKI_OK)
		code = set_expiry(job, cert, err);
	sk_X509_free(certs);
	brski_buf_free(&der);
	brski_buf_free(&text);
	return code == BRSKI_OK ? code : brski_registrar_trouble(code, "a certificate for the device", err);
}

/*
 * The certConf comes next; or it is one that no certConf can be made of, and the job is REFUSED. RFC 9483
 * 4.1.4: the certReqId in answers to a p10cr is -1; but there are PKIs that say 0, and want to hear that.
 */
static enum brski_code say(struct brski_job *job, const struct brski_cmp_response *answer,
	enum brski_cmp_fail fail, const char *reject, struct brski_error *err)
{
	const struct brski_registrar *r = job->registrar;
	struct brski_error why = {0};
	enum brski_code code = brski_cmp_cert_conf(&r->credential, answer->cert_req_id == -1, answer->cert,
		fail, reject, r->env, &job->tx, &job->upstream, &why);

	return code == BRSKI_OK ? code : blame_pki(job, &why, code, err);
}

/*
 * It is not to be used, and the PKI that waits for a confirmation is told so (RFC 9483 4.1.1); the device
 * is told with the status and in these words.
 */
static enum brski_code reject(struct brski_job *job, const struct brski_cmp_response *answer,
	enum brski_cmp_fail fail, unsigned status, const char *told, const char *why, struct brski_error *err)
{
	enum brski_code code = say(job, answer, fail, why, err);

	if (code != BRSKI_OK || job->state != BRSKI_JOB_WAITING)
		return code;
	brski_job_move(job, BRSKI_JOB_MISCERTIFIED);
	brski_job_tell(job, "certificate", false, "PKI %s: %s", job->url, why);
	return brski_http_reply_text(&job->answer, status, told, err);
}

/* One certificate of those that were issued is confirmed, and that uses up what the device was given. */
static enum brski_code confirm(struct brski_job *job, const struct brski_cmp_response *answer,
	const char *subject, struct brski_error *err)
{
	char why[BRSKI_PERMISSION_WHY];
	enum brski_code code = brski_permission_use(job->registrar, &job->device, BRSKI_PERMISSION_CONFIRM,
		brski_buf_span(&job->tx.id), why, err);

	if (code != BRSKI_OK)
		return code;
	if (why[0] != '\0')
		return reject(job, answer, BRSKI_CMP_NOT_AUTHORIZED, 403, "no voucher was given", why, err);
	code = say(job, answer, BRSKI_CMP_FAIL_NONE, NULL, err);
	if (code != BRSKI_OK || job->state != BRSKI_JOB_WAITING)
		return code;
	brski_job_move(job, BRSKI_JOB_CERTIFIED);
	brski_job_tell(job, "certificate", true, "PKI %s issued a certificate to %s, which is confirmed now",
		job->url, subject);
	return BRSKI_OK;
}

/* BRSKI_OK: it is for the key and the name that the device has asked for. */
static enum brski_code check_certificate(
	const struct brski_job *job, const struct brski_cmp_response *r, struct brski_error *err)
{
	const struct brski_registrar *reg = job->registrar;
	const struct brski_cmp_rule rule = {.idevid = job->device.idevid};
	struct brski_cmp_request asked = {0};
	STACK_OF(X509) *chain = NULL;
	enum brski_code code = brski_cmp_pkcs10_check(brski_buf_span(&job->request), &rule, &asked, err);

	if (code != BRSKI_OK)
		code = brski_registrar_trouble(code, "the device's request, as it was kept", err);
	else
		code = brski_cmp_cert_check(
			r, asked.key, asked.subject, reg->domain_anchors, brski_now(reg->env), &chain, err);
	sk_X509_pop_free(chain, X509_free);
	brski_cmp_request_free(&asked);
	return code;
}

static enum brski_code take_certificate(
	struct brski_job *job, const struct brski_cmp_response *r, struct brski_error *err)
{
	struct brski_error why = {0};
	char subject[200] = "";
	enum brski_code code = check_certificate(job, r, &why);

	if (brski_registrar_is_own_trouble(code) || (code != BRSKI_OK && r->implicit_confirm))
		return blame_pki(job, &why, code, err);
	if (code != BRSKI_OK)
		return reject(job, r, BRSKI_CMP_INCORRECT_DATA, 502, "the PKI's answer is not usable",
			why.why, err);
	brski_name_text(X509_get_subject_name(r->cert), subject, sizeof(subject));
	code = set_answer(job, r->cert, err);
	if (code != BRSKI_OK)
		return code;
	if (!r->implicit_confirm)
		return confirm(job, r, subject, err);
	brski_job_done(job, "certificate", "PKI %s issued a certificate to %s", job->url, subject);
	return BRSKI_OK;
}

/* ---- Step by step ---- */

static enum brski_code confirmed(
	struct brski_job *job, const struct brski_cmp_response *r, struct brski_error *err)
{
	if (r->type != BRSKI_CMP_PKICONF)
		return pki_is_wrong(job, "a confirmation was asked for, and this is none", err);
	brski_job_done(job, "certificate", "PKI %s confirmed the certificate", job->url);
	return BRSKI_OK;
}

static enum brski_code on_response(
	struct brski_job *job, const struct brski_cmp_response *r, struct brski_error *err)
{
	if (job->step == STEP_REJECT)
		return rejected(job);
	if (brski_job_pki_refuses(r))
		return pki_refused(job, r, err);
	if (brski_job_pki_says_wait(r))
		return poll(job, r, err);
	if (job->step == STEP_CONFIRM || job->step == STEP_CONFIRM_POLL)
		return confirmed(job, r, err);
	if (r->type == BRSKI_CMP_CP && r->cert)
		return take_certificate(job, r, err);
	return pki_is_wrong(job, "a certificate was asked for, and this is none", err);
}

static enum brski_code on_protected(
	struct brski_job *job, const struct brski_cmp *msg, struct brski_error *err)
{
	const struct brski_cmp_trust trust = brski_job_pki_trust(job->registrar);
	struct brski_cmp_response r = {0};
	struct brski_error why = {0};
	enum brski_code code = brski_cmp_response(brski_buf_span(&msg->der), &trust, &job->tx, &r, &why);

	code = code == BRSKI_OK ? on_response(job, &r, err) : blame_pki(job, &why, code, err);
	brski_cmp_response_free(&r);
	return code;
}

/* An error message without protection is a PKI's habit (EJBCA's): it refuses, and gives nothing. */
static enum brski_code on_unprotected(
	struct brski_job *job, const struct brski_cmp *msg, struct brski_error *err)
{
	struct brski_cmp_response r = {0};
	struct brski_error why = {0};
	enum brski_code code = brski_cmp_response_read(msg, &r, &why);

	if (code != BRSKI_OK)
		code = blame_pki(job, &why, code, err);
	else if (r.type != BRSKI_CMP_ERROR)
		code = pki_is_wrong(job, "its answer is not protected", err);
	else if (job->step == STEP_REJECT)
		code = rejected(job);
	else
		code = pki_refused(job, &r, err);
	brski_cmp_response_free(&r);
	return code;
}

static enum brski_code on_message(struct brski_job *job, const struct brski_cmp *msg, struct brski_error *err)
{
	char other[BRSKI_JOB_PKI_WHY];

	if (!brski_job_pki_is_of(msg, brski_buf_span(&job->tx.id), other))
		return pki_is_wrong(job, other, err);
	return msg->is_protected ? on_protected(job, msg, err) : on_unprotected(job, msg, err);
}

static enum brski_code on_answer(
	struct brski_job *job, const struct brski_http *answer, struct brski_error *err)
{
	static const struct brski_job_pki_judge judge = {.message = on_message, .wrong = pki_is_wrong};

	return brski_job_pki_answer(job, &judge, answer, err);
}

static enum brski_code refuse(
	struct brski_job *job, enum brski_job_refusal refusal, const char *why, struct brski_error *err)
{
	if (refusal == BRSKI_JOB_NOT_WANTED)
		return brski_job_refuse_text(job, "policy", 403, "this device may not join", err, "%s", why);
	if (job->step == STEP_REJECT) /* it is refused for a better reason */
		return rejected(job);
	return brski_job_refuse_text(job, "certificate", 504, "no answer from the PKI", err, "%s", why);
}

/* Whoever gives something back needs no permission for that. */
static enum brski_code transaction(const struct brski_job *job, struct brski_buf *id, struct brski_error *err)
{
	if (job->step == STEP_REJECT)
		return BRSKI_NOT_FOUND;
	if (brski_buf_set(id, brski_buf_span(&job->tx.id)) == BRSKI_OK)
		return BRSKI_OK;
	return brski_fail(err, BRSKI_NO_MEMORY, "no memory");
}

static enum brski_code prepare(struct brski_job *job, struct brski_error *err)
{
	return brski_job_pki_prepare(job, LABEL, brski_buf_span(&job->upstream), err);
}

bool brski_job_est_is_rejected(const struct brski_job *job)
{
	return job->state == BRSKI_JOB_WAITING && job->step == STEP_REJECT;
}

static const struct brski_job_step steps[] = {
	[STEP_REQUEST] = {"est-request", "certificate", prepare},
	[STEP_POLL] = {"est-poll", "certificate", prepare},
	[STEP_CONFIRM] = {"est-confirm", "certificate", prepare},
	[STEP_CONFIRM_POLL] = {"est-confirm-poll", "certificate", prepare},
	[STEP_REJECT] = {"est-reject", "certificate", prepare},
};

static const struct brski_job_move moves[] = {
	{STEP_REQUEST, BRSKI_JOB_TOLD_TO_POLL, STEP_POLL},
	{STEP_REQUEST, BRSKI_JOB_CERTIFIED, STEP_CONFIRM},
	{STEP_REQUEST, BRSKI_JOB_MISCERTIFIED, STEP_REJECT},
	{STEP_POLL, BRSKI_JOB_TOLD_TO_POLL, STEP_POLL},
	{STEP_POLL, BRSKI_JOB_CERTIFIED, STEP_CONFIRM},
	{STEP_POLL, BRSKI_JOB_MISCERTIFIED, STEP_REJECT},
	{STEP_CONFIRM, BRSKI_JOB_TOLD_TO_POLL, STEP_CONFIRM_POLL},
	{STEP_CONFIRM_POLL, BRSKI_JOB_TOLD_TO_POLL, STEP_CONFIRM_POLL},
};

const struct brski_job_type brski_job_type_est = {
	.kind = BRSKI_JOB_CMP,
	.name = "est",
	.back_end = "PKI",
	.begins = "EST request kept",
	.request = "cert-request",
	.has_transaction = true,
	.steps = steps,
	.n_steps = sizeof(steps) / sizeof(steps[0]),
	.moves = moves,
	.n_moves = sizeof(moves) / sizeof(moves[0]),
	.anchors = brski_job_pki_anchors,
	.answer = on_answer,
	.silence = brski_job_pki_silence,
	.refuse = refuse,
	.transaction = transaction,
	.deliver = brski_registrar_deliver_est,
	.defer = brski_registrar_defer_est,
	.turn_away = brski_registrar_session_turn_away,
};
