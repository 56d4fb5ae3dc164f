/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "eap_brski/cmp/cmp_oids.h"
#include "eap_brski/registrar/permission_internal.h"

/* POST /.well-known/cmp/...: RFC 9483 5.1 and 5.2, RFC 9733. */

struct cmp_context {
	struct brski_registrar_session *s;
	const struct brski_registrar_endpoint *endpoint;
	struct brski_cmp *msg; /* the session's `pending` */
	struct brski_cmp_request asked;
	const char *origin;        /* of a pollReq: the job that it polls for; "" else */
	struct brski_span signers; /* of a certConf: the PKI's, as far as its answers have told them */
	struct brski_http *response;
	struct brski_job **job;
};

static enum brski_code respond_cmp(
	struct brski_http *response, enum brski_code made, struct brski_buf *der, struct brski_error *err)
{
	enum brski_code code = made;

	if (code == BRSKI_OK)
		code = brski_http_response(response, 200, BRSKI_MEDIA_CMP, brski_buf_span(der), err);
	brski_buf_free(der);
	return code;
}

/* An error message, RFC 9483 3.6.4, signed by the registrar. */
static enum brski_code answer_error(
	struct cmp_context *c, enum brski_cmp_fail fail, const char *told, struct brski_error *err)
{
	const struct brski_registrar *r = c->s->registrar;
	struct brski_buf der = {0};

	return respond_cmp(c->response,
		brski_cmp_answer_error(
			c->msg, &r->credential, BRSKI_CMP_REJECTION, fail, told, r->env, &der, err),
		&der, err);
}

/* A rejection in the form that the request has an answer of: ip or cp, else an error message. */
static enum brski_code reject(
	struct cmp_context *c, enum brski_cmp_fail fail, const char *told, struct brski_error *err)
{
	const struct brski_registrar *r = c->s->registrar;
	struct brski_buf der = {0};

	brski_registrar_session_move(c->s, BRSKI_SESSION_SAID_NO);
	return respond_cmp(c->response,
		brski_cmp_answer_status(
			c->msg, &r->credential, BRSKI_CMP_REJECTION, fail, told, r->env, &der, err),
		&der, err);
}

static enum brski_code refuse_request(
	struct cmp_context *c, enum brski_code code, const struct brski_error *why, struct brski_error *err)
{
	const struct brski_registrar *r = c->s->registrar;
	enum brski_cmp_fail fail = c->asked.fail;
	struct brski_buf der = {0};

	if (brski_registrar_is_own_trouble(code))
		return brski_registrar_give_up(why, code, err);
	brski_registrar_session_move(c->s, BRSKI_SESSION_SAID_NO);
	if (code == BRSKI_MISMATCH) { /* the tunnel's peer is one device, the request another's */
		brski_registrar_session_note(c->s, "cert-request", false,
			"certification request signed by another device: %s", why->why);
		return answer_error(c, BRSKI_CMP_NOT_AUTHORIZED, "signed by another device", err);
	}
	brski_registrar_session_note(
		c->s, "cert-request", false, "%s message: %s", brski_cmp_type_name(c->msg->type), why->why);
	if (fail == BRSKI_CMP_FAIL_NONE)
		fail = brski_code_cmp_fail(code);
	return respond_cmp(c->response,
		brski_cmp_answer_refusal(c->msg, &r->credential, c->asked.in_body, fail,
			brski_code_name(code), r->env, &der, err),
		&der, err);
}

/* RFC 9483 3.6.2: what is wrong in form is told so in CMP, if it has a header to answer to. */
static enum brski_code refuse_form(struct cmp_context *c, struct brski_span der, enum brski_code code,
	const struct brski_error *why, struct brski_error *err)
{
	struct brski_error none = {0};

	brski_registrar_session_note(c->s, "cert-request", false, "%s", why->why);
	if (brski_cmp_decode_header(der, c->msg, &none) != BRSKI_OK)
		return brski_http_reply_text(c->response, 400, "not a CMP message", err);
	return answer_error(c, brski_code_cmp_fail(code), brski_code_name(code), err);
}

static enum brski_code answer_waiting(
	struct cmp_context *c, long seconds, const char *told, struct brski_error *err)
{
	const struct brski_registrar *r = c->s->registrar;
	struct brski_buf der = {0};
	enum brski_code made;
	bool told_time = c->msg->type == BRSKI_CMP_POLLREQ; /* else a pollReq follows, to be told one */

	brski_registrar_session_move(
		c->s, told_time ? BRSKI_SESSION_SAID_COME_BACK : BRSKI_SESSION_SAID_POLL);
	if (told_time)
		made = brski_cmp_answer_poll(c->msg, &r->credential, seconds, told, r->env, &der, err);
	else
		made = brski_cmp_answer_status(c->msg, &r->credential, BRSKI_CMP_WAITING, BRSKI_CMP_FAIL_NONE,
			told, r->env, &der, err);
	if (made == BRSKI_OK)
		made = brski_registrar_nonce_said(c->s, c->msg, brski_buf_span(&der), err);
	return respond_cmp(c->response, made, &der, err);
}

/* ---- the job for a message, found or new ---- */

static enum brski_code wrap(struct cmp_context *c, struct brski_job *job, struct brski_error *err)
{
	const struct brski_registrar *r = c->s->registrar;

	return r->nest ? brski_cmp_nest(c->msg, &r->credential, &job->upstream, err) : BRSKI_OK;
}

static struct brski_span transaction_of(const struct cmp_context *c)
{
	return brski_buf_span(&c->msg->header.transaction_id);
}

/*
 * Of a transaction's pollReqs only the newest is worth forwarding: what answers an older one has a
 * nonce that the pledge no longer waits for. So a PKI that was away for days is not asked once for
 * each visit.
 */
static enum brski_code give_up_poll(struct cmp_context *c, const char *key, struct brski_error *err)
{
	struct brski_registrar_session *s = c->s;
	enum brski_code code = BRSKI_UNEXPECTED;

	for (unsigned i = 0; code == BRSKI_UNEXPECTED && i < BRSKI_REGISTRAR_RACES_MAX; i++) {
		struct brski_job *old;

		code = brski_job_find(s->registrar, &s->device, &s->manufacturer, key, &old, err);
		if (old && old->state == BRSKI_JOB_WAITING) {
			code = brski_job_cmp_refuse(old, "certificate", BRSKI_CMP_SYSTEM_UNAVAIL,
				"another pollReq came after this one", err,
				"another pollReq came after this one");
			if (code == BRSKI_OK)
				code = brski_job_put(old, err);
		}
		brski_job_free(old);
	}
	return code;
}

static enum brski_code replace_last_poll(struct cmp_context *c, const char *key, struct brski_error *err)
{
	struct brski_registrar_session *s = c->s;
	char last[BRSKI_FINGERPRINT_MAX];
	enum brski_code code = brski_note_get(s->registrar, &s->device, "poll", transaction_of(c), last, err);

	if (code != BRSKI_OK || strcmp(last, key) == 0)
		return code;
	if (last[0] != '\0')
		code = give_up_poll(c, last, err);
	return code == BRSKI_OK
		       ? brski_note_put(s->registrar, &s->device, "poll", transaction_of(c), key, err)
		       : code;
}

/*
 * pollReqs ask for the request that the transaction stands at, not for each other. The note comes
 * before the job: a note without its job is a request that the pledge will repeat, but the certConf
 * after a job without its note would be refused.
 */
static enum brski_code note_transaction(
	struct cmp_context *c, const struct brski_job *job, struct brski_error *err)
{
	struct brski_registrar_session *s = c->s;

	if (job->origin[0] != '\0')
		return replace_last_poll(c, job->key, err);
	return brski_note_put(s->registrar, &s->device, "transaction", transaction_of(c), job->key, err);
}

/* The job that the transaction stands at; "": it is none that is known here. */
static enum brski_code stands_at(
	const struct cmp_context *c, char key[BRSKI_FINGERPRINT_MAX], struct brski_error *err)
{
	return brski_note_get(c->s->registrar, &c->s->device, "transaction", transaction_of(c), key, err);
}

static enum brski_code find_job(
	const struct cmp_context *c, const char *key, struct brski_job **out, struct brski_error *err)
{
	return brski_job_find(c->s->registrar, &c->s->device, &c->s->manufacturer, key, out, err);
}

/* RFC 9483 6.1: certConf and pollReq go to where their transaction began, here and at the PKI. */
static enum brski_code set_label(const struct cmp_context *c, struct brski_job *job, struct brski_error *err)
{
	const char *label = brski_cmp_label(c->asked.type, c->asked.info_type);
	char key[BRSKI_FINGERPRINT_MAX] = "";
	struct brski_job *began = NULL;
	enum brski_code code = BRSKI_OK;

	if (!label[0])
		label = c->endpoint->label;
	if (!label[0])
		code = stands_at(c, key, err);
	if (code == BRSKI_OK && key[0] != '\0')
		code = find_job(c, key, &began, err);
	snprintf(job->label, sizeof(job->label), "%s", began ? began->label : label);
	brski_job_free(began);
	return code;
}

static enum brski_code fill(void *ctx, struct brski_job *job, struct brski_error *err)
{
	struct cmp_context *c = ctx;
	enum brski_code code;

	snprintf(job->origin, sizeof(job->origin), "%s", c->origin);
	if (brski_buf_set(&job->signers, c->signers) != BRSKI_OK)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	code = set_label(c, job, err);
	if (code == BRSKI_OK)
		code = wrap(c, job, err);
	return code == BRSKI_OK ? note_transaction(c, job, err) : code;
}

static void kept(void *ctx, const struct brski_job *job)
{
	const struct cmp_context *c = ctx;

	brski_registrar_session_note(c->s, "cert-request", true, "%s message kept; the PKI is %s",
		brski_cmp_type_name(c->msg->type), job->registrar->cmp_url);
}

static enum brski_code find_or_start(
	struct cmp_context *c, enum brski_work work, const char *origin, struct brski_error *err)
{
	const struct brski_registrar_asked asked = {.type = &brski_job_type_cmp,
		.work = work,
		.octets = brski_buf_span(&c->msg->der),
		.fill = fill,
		.kept = kept,
		.ctx = c};

	c->origin = origin;
	return brski_registrar_ask(c->s, &asked, c->response, c->job, err);
}

/* ---- what the device was given, and what this message uses of it ---- */

/* RFC 8995 5.8.3: whoever was not given a voucher here, or would not have it, gets no certificate. */
static enum brski_code refuse_without_permission(
	struct cmp_context *c, const char *why, struct brski_error *err)
{
	brski_registrar_session_move(c->s, BRSKI_SESSION_SAID_NO);
	brski_registrar_session_note(c->s, "cert-request", false, "%s", why);
	return answer_error(c, BRSKI_CMP_NOT_AUTHORIZED, "no voucher was given", err);
}

/* *may false: it is answered. */
static enum brski_code use_permission(
	struct cmp_context *c, enum brski_permission_use use, bool *may, struct brski_error *err)
{
	struct brski_registrar_session *s = c->s;
	char why[BRSKI_PERMISSION_WHY];
	enum brski_code code =
		brski_permission_use(s->registrar, &s->device, use, transaction_of(c), why, err);

	*may = code == BRSKI_OK && why[0] == '\0';
	return code == BRSKI_OK && !*may ? refuse_without_permission(c, why, err) : code;
}

/*
 * A request that nobody has begun to work on: that is what a voucher is good for, and not for ever.
 * What was begun goes on, however long the PKI takes.
 */
static enum brski_code begin(struct cmp_context *c, enum brski_work work, struct brski_error *err)
{
	char why[BRSKI_PERMISSION_WHY];
	struct brski_job *known;
	enum brski_code code = brski_permission_ask(
		c->s->registrar, &c->s->device, BRSKI_PERMISSION_BEGIN, transaction_of(c), why, err);

	if (code != BRSKI_OK)
		return code;
	if (why[0] == '\0')
		return find_or_start(c, work, "", err);
	code = brski_registrar_known(c->s, brski_buf_span(&c->msg->der), &known, err);
	if (code != BRSKI_OK)
		return code;
	return known ? brski_registrar_use_job(c->s, known, c->response, c->job, err)
		     : refuse_without_permission(c, why, err);
}

/* RFC 9483 4.1.1: one certificate of those that were issued is confirmed, and that uses up the voucher. */
static enum brski_code start_confirmation(struct cmp_context *c, struct brski_error *err)
{
	bool may = true;
	enum brski_code code = BRSKI_OK;

	if (c->asked.conf_status != BRSKI_CMP_REJECTION)
		code = use_permission(c, BRSKI_PERMISSION_CONFIRM, &may, err);
	return code == BRSKI_OK && may ? find_or_start(c, BRSKI_WORK_CONFIRMATION, "", err) : code;
}

/* ---- message by message ---- */

/*
 * RFC 9483 3.5: another request under a transactionID of this device; a second certificate for one
 * transaction is never made.
 */
static enum brski_code transaction_is_taken(struct cmp_context *c, bool *taken, struct brski_error *err)
{
	char key[BRSKI_FINGERPRINT_MAX], own[BRSKI_FINGERPRINT_MAX];
	struct brski_job *known = NULL;
	enum brski_code code = stands_at(c, key, err);

	*taken = true;
	if (code == BRSKI_OK)
		code = brski_job_key_of(&c->s->device, brski_buf_span(&c->msg->der), own, err);
	if (code != BRSKI_OK)
		return code;
	if (key[0] == '\0' || strcmp(key, own) == 0) {
		*taken = false;
		return BRSKI_OK;
	}
	/* a repeat of the first request after its certConf is known by its own key */
	code = find_job(c, own, &known, err);
	*taken = known == NULL;
	brski_job_free(known);
	return code;
}

static enum brski_code on_enroll(struct cmp_context *c, struct brski_error *err)
{
	bool taken;
	enum brski_code code = transaction_is_taken(c, &taken, err);

	if (code != BRSKI_OK)
		return code;
	if (!taken)
		return begin(c, BRSKI_WORK_CERTIFICATE, err);
	brski_registrar_session_note(
		c->s, "cert-request", false, "another request in a transaction that is open");
	return answer_error(c, BRSKI_CMP_TRANSACTION_ID_IN_USE, "transactionID in use", err);
}

static enum brski_code no_transaction(struct cmp_context *c, struct brski_error *err)
{
	brski_registrar_session_note(c->s, "cert-request", false,
		"%s message of a transaction that is not known here", brski_cmp_type_name(c->msg->type));
	return answer_error(c, BRSKI_CMP_BAD_REQUEST, "no such transaction", err);
}

/* RFC 9483 3.5: it answers another message than what was said to this device last. */
static enum brski_code not_our_nonce(struct cmp_context *c, struct brski_error *err)
{
	brski_registrar_session_move(c->s, BRSKI_SESSION_SAID_NO);
	brski_registrar_session_note(c->s, "cert-request", false,
		"%s message whose recipNonce is not that of the last answer (RFC 9483 3.5)",
		brski_cmp_type_name(c->msg->type));
	return answer_error(c, BRSKI_CMP_BAD_RECIPIENT_NONCE, "recipNonce is not of our last answer", err);
}

static enum brski_code check_confirmation(
	struct cmp_context *c, const struct brski_job *job, struct brski_error *err)
{
	struct brski_cmp said = {0};
	enum brski_code code = brski_cmp_decode(brski_buf_span(&job->answer.body), &said, err);

	if (code == BRSKI_OK)
		code = brski_cmp_conf_check(c->msg, &said, &c->asked, err);
	brski_cmp_free(&said);
	return code;
}

/* It confirms the certificate that this transaction has brought. */
static enum brski_code confirm(struct cmp_context *c, const struct brski_job *job, struct brski_error *err)
{
	struct brski_error why = {0};
	bool heard = false;
	enum brski_code code = brski_registrar_nonce_answers(c->msg, job, &heard, err);

	if (code != BRSKI_OK)
		return code;
	if (heard)
		code = check_confirmation(c, job, &why);
	if (code != BRSKI_OK)
		return refuse_request(c, code, &why, err);
	c->signers = brski_buf_span(&job->signers);
	return heard ? start_confirmation(c, err) : not_our_nonce(c, err);
}

static enum brski_code on_cert_conf(struct cmp_context *c, struct brski_error *err)
{
	char key[BRSKI_FINGERPRINT_MAX], own[BRSKI_FINGERPRINT_MAX];
	struct brski_job *job = NULL;
	enum brski_code code = stands_at(c, key, err);

	if (code == BRSKI_OK)
		code = brski_job_key_of(&c->s->device, brski_buf_span(&c->msg->der), own, err);
	if (code != BRSKI_OK)
		return code;
	if (strcmp(key, own) == 0) /* it is sent again */
		return start_confirmation(c, err);
	if (key[0] != '\0')
		code = find_job(c, key, &job, err);
	if (code == BRSKI_OK)
		code = job ? confirm(c, job, err) : no_transaction(c, err);
	brski_job_free(job);
	return code;
}

/*
 * What the PKI said last of the request that is polled for, or that request itself. The note is the
 * transaction's: it may be of the certificate, where the device polls for the pkiConf now.
 */
static enum brski_code last_word(
	struct cmp_context *c, const char *origin, struct brski_job **out, struct brski_error *err)
{
	const struct brski_registrar_session *s = c->s;
	char key[BRSKI_FINGERPRINT_MAX];
	enum brski_code code =
		brski_note_get(s->registrar, &s->device, "poll-answer", transaction_of(c), key, err);

	*out = NULL;
	if (code == BRSKI_OK && key[0] != '\0')
		code = find_job(c, key, out, err);
	if (code != BRSKI_OK || (*out ? strcmp((*out)->origin, origin) == 0 : key[0] != '\0'))
		return code;
	brski_job_free(*out);
	return find_job(c, origin, out, err);
}

/*
 * It is the PKI that wants to be polled, and by the one who signed the request. It expects a
 * pollReq that answers what it said last; a pledge that was away, and was told by us to wait, has
 * not heard that, and gets it first.
 */
static enum brski_code poll_pki(struct cmp_context *c, const char *origin, struct brski_error *err)
{
	struct brski_registrar_session *s = c->s;
	struct brski_job *last;
	bool heard = true;
	enum brski_code code = last_word(c, origin, &last, err);

	if (last && last->state == BRSKI_JOB_DONE)
		code = brski_registrar_nonce_answers(c->msg, last, &heard, err);
	if (code == BRSKI_OK && !heard)
		return brski_registrar_use_job(s, last, c->response, c->job, err);
	brski_job_free(last);
	return code == BRSKI_OK ? find_or_start(c, BRSKI_WORK_POLL, origin, err) : code;
}

/* Takes polled. */
static enum brski_code poll_job(
	struct cmp_context *c, struct brski_job *polled, const char *key, struct brski_error *err)
{
	bool heard = false;
	enum brski_code code = brski_registrar_nonce_heard(c->s, c->msg, polled, &heard, err);

	if (code == BRSKI_OK && heard && !(polled->state == BRSKI_JOB_DONE && polled->pki_waits))
		return brski_registrar_use_job(c->s, polled, c->response, c->job, err);
	brski_job_free(polled);
	if (code != BRSKI_OK)
		return code;
	return heard ? poll_pki(c, key, err) : not_our_nonce(c, err);
}

/* RFC 9483 4.4 */
static enum brski_code on_poll(struct cmp_context *c, struct brski_error *err)
{
	struct brski_job *polled = NULL;
	char key[BRSKI_FINGERPRINT_MAX];
	enum brski_code code = stands_at(c, key, err);

	if (code == BRSKI_OK && key[0] != '\0')
		code = find_job(c, key, &polled, err);
	if (code != BRSKI_OK)
		return code;
	return polled ? poll_job(c, polled, key, err) : no_transaction(c, err);
}

static enum brski_code on_genm(struct cmp_context *c, struct brski_error *err)
{
	const struct brski_registrar *r = c->s->registrar;
	const char *type = c->asked.info_type;
	struct brski_buf der = {0};

	if (!r->answer_genm)
		return begin(c, BRSKI_WORK_QUESTION, err);
	if (strcmp(type, BRSKI_OID_CA_CERTS) != 0 && strcmp(type, BRSKI_OID_CERT_REQ_TEMPLATE) != 0)
		return answer_error(c, BRSKI_CMP_BAD_REQUEST, "unknown information type", err);
	return respond_cmp(c->response,
		brski_cmp_answer_genp(c->msg, &r->credential, type,
			strcmp(type, BRSKI_OID_CA_CERTS) == 0 ? r->domain_anchors : NULL, r->env, &der, err),
		&der, err);
}

static enum brski_code dispatch(struct cmp_context *c, struct brski_error *err)
{
	switch (c->msg->type) {
	case BRSKI_CMP_IR:
	case BRSKI_CMP_P10CR:
		return on_enroll(c, err);
	case BRSKI_CMP_CERTCONF:
		return on_cert_conf(c, err);
	case BRSKI_CMP_POLLREQ:
		return on_poll(c, err);
	case BRSKI_CMP_GENM:
		return on_genm(c, err);
	default:
		return answer_error(c, BRSKI_CMP_BAD_REQUEST, "message not served", err);
	}
}

/* What this message uses of what the device was given: the transaction that it belongs to, above all. */
static enum brski_code authorize(struct cmp_context *c, struct brski_error *err)
{
	struct brski_registrar_session *s = c->s;
	enum brski_decision decision;
	long retry_after;
	bool may;
	enum brski_code code = use_permission(c, BRSKI_PERMISSION_GO_ON, &may, err);

	if (code == BRSKI_OK && may)
		code = brski_registrar_session_decide(s, &decision, &retry_after, err);
	if (code != BRSKI_OK || !may)
		return code;
	switch (decision) {
	case BRSKI_ACCEPT:
		return dispatch(c, err);
	case BRSKI_DEFER: /* nothing is kept: the same request must come again */
		return brski_registrar_session_come_back(s, 503, retry_after, c->response, err);
	case BRSKI_REFUSE:
	default:
		return reject(c, BRSKI_CMP_NOT_AUTHORIZED, "this device may not join", err);
	}
}

static enum brski_code serve(struct cmp_context *c, struct brski_error *err)
{
	const struct brski_cmp_rule rule = {.idevid = c->s->device.idevid,
		.profiles = c->s->registrar->cmp_profiles,
		.named_by = "cmp_profiles"};
	struct brski_error why = {0};
	enum brski_code code;

	if (c->msg->type < 0 || c->msg->type > 31 || !(c->endpoint->cmp_types & (1u << c->msg->type))) {
		brski_registrar_session_note(c->s, "cert-request", false, "%s message at %s",
			brski_cmp_type_name(c->msg->type),
			c->endpoint->label[0] ? c->endpoint->label : c->endpoint->path);
		return answer_error(c, BRSKI_CMP_BAD_REQUEST, "message not served here", err);
	}
	code = brski_cmp_request_check(c->msg, c->s->device.idevid, NULL, &c->asked, &why);
	if (code == BRSKI_OK)
		code = brski_cmp_request_authorize(c->msg, &c->asked, &rule, &why);
	if (code != BRSKI_OK)
		return refuse_request(c, code, &why, err);
	return authorize(c, err);
}

enum brski_code brski_registrar_handle_cmp(BRSKI_REGISTRAR_HANDLER_PARAMS)
{
	struct cmp_context c = {
		.s = s, .endpoint = endpoint, .msg = &s->pending, .response = response, .job = job};
	struct brski_error why = {0};
	enum brski_code code = brski_cmp_decode(brski_buf_span(&request->body), &s->pending, &why);

	s->pending_type = &brski_job_type_cmp;
	if (brski_registrar_is_own_trouble(code))
		return brski_registrar_give_up(&why, code, err);
	if (code != BRSKI_OK)
		return refuse_form(&c, brski_buf_span(&request->body), code, &why, err);
	c.asked.fail = BRSKI_CMP_FAIL_NONE;
	code = serve(&c, err);
	brski_cmp_request_free(&c.asked);
	return code;
}

/* ---- finished and unfinished jobs ---- */

enum brski_code brski_registrar_deliver_cmp(struct brski_registrar_session *s, const struct brski_job *job,
	struct brski_http *response, struct brski_error *err)
{
	struct cmp_context c = {.s = s, .msg = &s->pending, .response = response};
	bool may = true;
	enum brski_code code = BRSKI_OK;

	if (job->state == BRSKI_JOB_DONE && job->grants) /* from now on "onboarded" is believed */
		code = use_permission(&c, BRSKI_PERMISSION_HAVE, &may, err);
	if (code == BRSKI_OK && may && job->state == BRSKI_JOB_DONE && job->pki_waits)
		code = brski_registrar_nonce_said(s, &s->pending, brski_buf_span(&job->answer.body), err);
	if (code != BRSKI_OK || !may)
		return code;
	if (job->state == BRSKI_JOB_REFUSED) {
		brski_registrar_session_move(s, BRSKI_SESSION_SAID_NO);
		snprintf(s->reason, sizeof(s->reason), "%s", job->why);
	} else if (job->pki_waits) {
		brski_registrar_session_move(s, BRSKI_SESSION_SAID_POLL);
		snprintf(s->reason, sizeof(s->reason), "the PKI wants to be asked again later");
	} else {
		brski_registrar_session_move(s, BRSKI_SESSION_ANSWERED);
	}
	return brski_http_response(response, 200, BRSKI_MEDIA_CMP, brski_buf_span(&job->answer.body), err);
}

enum brski_code brski_registrar_defer_cmp(struct brski_registrar_session *s, const struct brski_job *job,
	struct brski_http *response, struct brski_error *err)
{
	struct cmp_context c = {.s = s, .msg = &s->pending, .response = response};
	long seconds = brski_registrar_session_wait(s, job);

	brski_registrar_session_note(
		s, "deferred", true, "told to come back in %ld s for its certificate", seconds);
	/*
	 * The PKI is asked by this very pollReq, and expects the next one to answer it. Words of
	 * ours in CMP would come between the two, so we say it in HTTP.
	 */
	if (job->origin[0] != '\0') {
		brski_registrar_session_move(s, BRSKI_SESSION_SAID_COME_BACK);
		return brski_http_reply_later(response, 503, seconds, "come back with the same request", err);
	}
	return answer_waiting(&c, seconds, "the PKI has not answered yet", err);
}

enum brski_code brski_registrar_turn_away_cmp(
	struct brski_registrar_session *s, struct brski_http *response, struct brski_error *err)
{
	struct cmp_context c = {.s = s, .msg = &s->pending, .response = response};

	return reject(&c, BRSKI_CMP_NOT_AUTHORIZED, "this device may not join", err);
}
