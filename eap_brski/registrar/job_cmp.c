/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "eap_brski/registrar/registrar_internal.h"

/* What the PKI is asked for, and answers: RFC 9483 5.2, forwarding. */

static enum brski_code sign_refusal(const struct brski_job *job, bool in_body, enum brski_cmp_fail fail,
	const char *told, struct brski_buf *der, struct brski_error *err)
{
	const struct brski_registrar *r = job->registrar;
	struct brski_cmp request = {0};
	enum brski_code code = brski_cmp_decode(brski_buf_span(&job->request), &request, err);

	if (code == BRSKI_OK)
		code = brski_cmp_answer_refusal(
			&request, &r->credential, in_body, fail, told, r->env, der, err);
	brski_cmp_free(&request);
	return code;
}

static enum brski_code refuse_as(struct brski_job *job, bool in_body, const char *what,
	enum brski_cmp_fail fail, const char *told, const char *why, struct brski_error *err)
{
	struct brski_buf der = {0};
	enum brski_code code;

	brski_job_move(job, BRSKI_JOB_TURNED_DOWN);
	brski_job_tell(job, what, false, "%s", why);
	code = sign_refusal(job, in_body, fail, told, &der, err);
	if (code == BRSKI_OK)
		code = brski_http_response(&job->answer, 200, BRSKI_MEDIA_CMP, brski_buf_span(&der), err);
	brski_buf_free(&der);
	return code;
}

enum brski_code brski_job_cmp_refuse(struct brski_job *job, const char *what, enum brski_cmp_fail fail,
	const char *told, struct brski_error *err, const char *fmt, ...)
{
	char why[sizeof(job->why)];
	va_list args;

	va_start(args, fmt);
	if (vsnprintf(why, sizeof(why), fmt, args) < 0)
		why[0] = '\0';
	va_end(args);
	return refuse_as(job, true, what, fail, told, why, err);
}

/* RFC 9483 3.6.2: what is wrong with a response from upstream is said in an error message. */
static enum brski_code pki_is_wrong(struct brski_job *job, const char *words, struct brski_error *err)
{
	char why[sizeof(job->why)];

	if (snprintf(why, sizeof(why), "PKI %s: %s", job->url, words) < 0)
		why[0] = '\0';
	job->misanswered = true;
	return refuse_as(job, false, "certificate", BRSKI_CMP_SYSTEM_FAILURE,
		"the PKI's answer is not usable", why, err);
}

/* Our own trouble goes up; all else that is wrong with an answer is the PKI's fault. */
static enum brski_code blame_pki(
	struct brski_job *job, const struct brski_error *why, enum brski_code code, struct brski_error *err)
{
	if (brski_registrar_is_own_trouble(code))
		return brski_registrar_give_up(why, code, err);
	return pki_is_wrong(job, why->why, err);
}

/*
 * What the answer is an answer to: the job's request, and, if that is a pollReq, the request that
 * it polls for.
 */
struct exchange {
	struct brski_cmp request;
	struct brski_job *origin; /* NULL, if the request is no pollReq */
	struct brski_cmp first;   /* the origin's */
};

static void exchange_free(struct exchange *x)
{
	brski_cmp_free(&x->request);
	brski_cmp_free(&x->first);
	brski_job_free(x->origin);
}

/* An error is our own trouble. The request is no pollReq, or its origin is there, or it is gone. */
static enum brski_code exchange_read(const struct brski_job *job, struct exchange *x, struct brski_error *err)
{
	enum brski_code code = brski_cmp_decode(brski_buf_span(&job->request), &x->request, err);

	if (code == BRSKI_OK && job->origin[0] != '\0')
		code = brski_job_find(
			job->registrar, &job->device, &job->manufacturer, job->origin, &x->origin, err);
	if (code == BRSKI_OK && x->origin)
		code = brski_cmp_decode(brski_buf_span(&x->origin->request), &x->first, err);
	return code == BRSKI_OK ? code : brski_registrar_trouble(code, "what the PKI was asked", err);
}

static enum brski_code set_transaction(struct brski_cmp_transaction *tx, const struct brski_job *job,
	const struct exchange *x, struct brski_error *err)
{
	const struct brski_cmp *first = x->origin ? &x->first : &x->request;
	const struct brski_buf *signers = x->origin ? &x->origin->signers : &job->signers;

	if (brski_buf_set(&tx->signers, brski_buf_span(signers)) == BRSKI_OK &&
		brski_buf_set(&tx->id, brski_buf_span(&x->request.header.transaction_id)) == BRSKI_OK &&
		brski_buf_set(&tx->last_nonce, brski_buf_span(&x->request.header.sender_nonce)) == BRSKI_OK &&
		brski_buf_set(&tx->request_nonce, brski_buf_span(&first->header.sender_nonce)) == BRSKI_OK)
		return BRSKI_OK;
	return brski_fail(err, BRSKI_NO_MEMORY, "no memory");
}

/* The certificate is for the key and the name that were asked for. */
static enum brski_code check_certificate(const struct brski_job *job, const struct exchange *x,
	const struct brski_cmp_response *r, struct brski_error *err)
{
	const struct brski_registrar *registrar = job->registrar;
	struct brski_cmp_request asked = {0};
	STACK_OF(X509) *chain = NULL;
	enum brski_code code = brski_cmp_request_check(
		x->origin ? &x->first : &x->request, job->device.idevid, NULL, &asked, err);

	if (code == BRSKI_OK && !asked.key)
		code = brski_fail(err, BRSKI_UNEXPECTED, "a certificate that nobody asked for");
	if (code == BRSKI_OK)
		code = brski_cmp_cert_check(r, asked.key, asked.subject, registrar->domain_anchors,
			brski_now(registrar->env), &chain, err);
	sk_X509_pop_free(chain, X509_free);
	brski_cmp_request_free(&asked);
	return code;
}

static enum brski_code check_answer(struct brski_job *job, const struct exchange *x, struct brski_span der,
	struct brski_cmp_response *out, struct brski_error *err)
{
	const struct brski_cmp_trust trust = brski_job_pki_trust(job->registrar);
	struct brski_cmp_transaction tx = {0};
	enum brski_code code = set_transaction(&tx, job, x, err);

	if (code == BRSKI_OK)
		code = brski_cmp_response(der, &trust, &tx, out, err);
	if (code == BRSKI_OK && out->cert)
		code = check_certificate(job, x, out, err);
	if (code == BRSKI_OK)
		brski_buf_move(&job->signers, &tx.signers);
	brski_cmp_transaction_free(&tx);
	return code;
}

static void tell_issued(struct brski_job *job, const struct brski_cmp_response *r)
{
	char subject[200] = "";

	if (r->cert)
		brski_name_text(X509_get_subject_name(r->cert), subject, sizeof(subject));
	if (r->cert)
		brski_job_done(job, "certificate", "PKI %s issued a certificate to %s", job->url, subject);
	else
		brski_job_done(job, r->type == BRSKI_CMP_PKICONF ? "certificate" : NULL,
			"PKI %s confirmed the certificate", job->url);
}

/* The pledge's certConf may have said no: then a pkiConf grants nothing. */
static enum brski_code was_accepted(
	const struct brski_job *job, const struct exchange *x, bool *accepted, struct brski_error *err)
{
	const struct brski_cmp *conf = x->origin ? &x->first : &x->request;
	struct brski_cmp_request asked = {0};
	enum brski_code code = brski_cmp_request_check(conf, job->device.idevid, NULL, &asked, err);

	*accepted = code == BRSKI_OK && asked.type == BRSKI_CMP_CERTCONF &&
		    asked.conf_status != BRSKI_CMP_REJECTION;
	brski_cmp_request_free(&asked);
	return brski_registrar_is_own_trouble(code) ? code : BRSKI_OK;
}

/*
 * A PKI that has no word for genm refuses nobody, nor one that is asked again for what it has answered:
 * then it knows of nothing to poll for.
 */
static bool refuses_device(const struct exchange *x)
{
	if (x->origin)
		return x->first.type != BRSKI_CMP_GENM && x->origin->pki_waits;
	return x->request.type != BRSKI_CMP_GENM;
}

static enum brski_code relay(struct brski_job *job, const struct exchange *x, struct brski_span der,
	const struct brski_cmp_response *r, struct brski_error *err)
{
	bool accepted = false;
	enum brski_code code = brski_http_response(&job->answer, 200, BRSKI_MEDIA_CMP, der, err);

	if (code == BRSKI_OK && r->type == BRSKI_CMP_PKICONF)
		code = was_accepted(job, x, &accepted, err);
	if (code != BRSKI_OK)
		return code;
	job->relayed = true;
	job->pki_waits = brski_job_pki_says_wait(r);
	job->grants = accepted || (r->cert && r->implicit_confirm);
	if (brski_job_pki_refuses(r)) {
		brski_job_move(job, BRSKI_JOB_TURNED_DOWN);
		job->takes_back = refuses_device(x);
		brski_job_tell(job, "certificate", false, "PKI %s refused: %s%s%s", job->url,
			r->fail == BRSKI_CMP_FAIL_NONE ? "no reason given" : brski_cmp_fail_name(r->fail),
			r->text[0] ? " " : "", r->text);
	} else if (job->pki_waits) {
		brski_job_done(job, "deferred", "PKI %s wants to be asked again later", job->url);
	} else {
		tell_issued(job, r);
	}
	return BRSKI_OK;
}

static enum brski_code answer_origin(
	const struct brski_job *job, struct brski_job *origin, struct brski_error *err)
{
	bool refused = job->state == BRSKI_JOB_REFUSED;
	enum brski_code code = brski_http_response(
		&origin->answer, 200, BRSKI_MEDIA_CMP, brski_buf_span(&job->answer.body), err);

	if (brski_buf_set(&origin->signers, brski_buf_span(&job->signers)) != BRSKI_OK)
		code = brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	brski_job_move(origin, refused ? BRSKI_JOB_TURNED_DOWN : BRSKI_JOB_ANSWERED);
	origin->pki_waits = false;
	origin->grants = job->grants;
	snprintf(origin->why, sizeof(origin->why), "%s", refused ? job->why : "");
	return code == BRSKI_OK ? brski_job_put(origin, err) : code;
}

/*
 * RFC 9483 4.4: what a pollReq brought at last is the answer to the first request, kept there for
 * every later question.
 */
static enum brski_code give_to_origin(struct brski_job *job, struct exchange *x, struct brski_error *err)
{
	struct brski_job *origin = x->origin;
	enum brski_code again, code = BRSKI_UNEXPECTED;

	if (!origin || !job->relayed)
		return BRSKI_OK;
	for (unsigned i = 0; code == BRSKI_UNEXPECTED && i < BRSKI_REGISTRAR_RACES_MAX; i++) {
		if (!origin->pki_waits) /* it has its answer: this pollReq was sent again after a crash */
			return BRSKI_OK;
		if (job->pki_waits)
			return brski_note_put(job->registrar, &job->device, "poll-answer",
				brski_buf_span(&x->request.header.transaction_id), job->key, err);
		code = answer_origin(job, origin, err);
		if (code != BRSKI_UNEXPECTED)
			return code;
		again = brski_job_reread(origin, err);
		if (again == BRSKI_NOT_FOUND) /* nobody can ask for it any more */
			return BRSKI_OK;
		if (again != BRSKI_OK)
			return again;
	}
	return code;
}

/*
 * An error message without protection is a PKI's habit (EJBCA's) that no pledge may believe: so it
 * gets our signature.
 */
static enum brski_code vouch_for_error(struct brski_job *job, const struct exchange *x,
	const struct brski_cmp_response *r, struct brski_error *err)
{
	const char *words = r->text[0] ? r->text : "refused by the PKI";
	enum brski_cmp_fail fail = r->fail == BRSKI_CMP_FAIL_NONE ? BRSKI_CMP_SYSTEM_FAILURE : r->fail;
	char why[sizeof(job->why)];

	job->takes_back = refuses_device(x);
	if (snprintf(why, sizeof(why), "PKI %s refused: %s %s", job->url, brski_cmp_fail_name(fail),
		    r->text) < 0)
		why[0] = '\0';
	return refuse_as(job, false, "certificate", fail, words, why, err);
}

static enum brski_code judge_and_relay(
	struct brski_job *job, struct exchange *x, const struct brski_cmp *msg, struct brski_error *err)
{
	struct brski_cmp_response r = {0};
	struct brski_error why = {0};
	enum brski_code code;

	if (job->registrar->check_answers && msg->is_protected)
		code = check_answer(job, x, brski_buf_span(&msg->der), &r, &why);
	else
		code = brski_cmp_response_read(msg, &r, &why);
	if (code != BRSKI_OK)
		code = blame_pki(job, &why, code, err);
	else if (!job->registrar->check_answers || msg->is_protected)
		code = relay(job, x, brski_buf_span(&msg->der), &r, err);
	else if (r.type == BRSKI_CMP_ERROR)
		code = vouch_for_error(job, x, &r, err);
	else
		code = pki_is_wrong(job, "its answer is not protected", err);
	brski_cmp_response_free(&r);
	return code == BRSKI_OK ? give_to_origin(job, x, err) : code;
}

static enum brski_code on_message(struct brski_job *job, const struct brski_cmp *msg, struct brski_error *err)
{
	struct brski_error why = {0};
	struct exchange x = {0};
	char other[BRSKI_JOB_PKI_WHY];
	enum brski_code code = exchange_read(job, &x, &why);

	if (code != BRSKI_OK)
		code = blame_pki(job, &why, code, err);
	else if (job->origin[0] != '\0' && !x.origin) /* given up by the store meanwhile */
		code = pki_is_wrong(job, "the request that this pollReq asks for is gone", err);
	else if (!brski_job_pki_is_of(msg, brski_buf_span(&x.request.header.transaction_id), other))
		code = pki_is_wrong(job, other, err);
	else
		code = judge_and_relay(job, &x, msg, err);
	exchange_free(&x);
	return code;
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
		return brski_job_cmp_refuse(
			job, "policy", BRSKI_CMP_NOT_AUTHORIZED, "this device may not join", err, "%s", why);
	return brski_job_cmp_refuse(
		job, "certificate", BRSKI_CMP_SYSTEM_UNAVAIL, "no answer from the PKI", err, "%s", why);
}

/* The device's own. */
static enum brski_code transaction(const struct brski_job *job, struct brski_buf *id, struct brski_error *err)
{
	struct brski_cmp request = {0};
	enum brski_code code = brski_cmp_decode(brski_buf_span(&job->request), &request, err);

	if (code == BRSKI_OK && brski_buf_set(id, brski_buf_span(&request.header.transaction_id)) != BRSKI_OK)
		code = brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	brski_cmp_free(&request);
	return code == BRSKI_OK ? code : brski_registrar_trouble(code, "a stored request", err);
}

/* ---- The call ---- */

static enum brski_code prepare_cmp(struct brski_job *job, struct brski_error *err)
{
	const struct brski_buf *body = job->upstream.len ? &job->upstream : &job->request;

	return brski_job_pki_prepare(job, job->label, brski_buf_span(body), err);
}

static const struct brski_job_step steps[] = {{"cmp", "certificate", prepare_cmp}};

const struct brski_job_type brski_job_type_cmp = {
	.kind = BRSKI_JOB_CMP,
	.name = "cmp",
	.back_end = "PKI",
	.begins = "certification request kept",
	.request = "cert-request",
	.steps = steps,
	.n_steps = sizeof(steps) / sizeof(steps[0]),
	.anchors = brski_job_pki_anchors,
	.answer = on_answer,
	.silence = brski_job_pki_silence,
	.refuse = refuse,
	.transaction = transaction,
	.deliver = brski_registrar_deliver_cmp,
	.defer = brski_registrar_defer_cmp,
	.turn_away = brski_registrar_turn_away_cmp,
};
