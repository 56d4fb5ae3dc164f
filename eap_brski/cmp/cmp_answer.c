/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/cmp/cmp_internal.h"

/* Answers by a registrar or CA, RFC 9483 4.1, 4.3, 4.4 and 5.1. */

/* What the draft's spans borrow. */
struct answer {
	uint8_t nonce[BRSKI_CMP_ID_LEN];
	struct brski_buf recipient;
	struct brski_buf content;
};

static void answer_free(struct answer *a)
{
	brski_buf_free(&a->recipient);
	brski_buf_free(&a->content);
}

/*
 * RFC 9483 5.1: copy sender to recipient, senderNonce to recipNonce, and transactionID; RFC 9810 7:
 * and the version.
 */
static enum brski_code answer_sign(const struct brski_cmp *request, struct brski_cmp_draft *draft,
	struct answer *a, const struct brski_env *env, struct brski_buf *out, struct brski_error *err)
{
	enum brski_code code = brski_random(env, a->nonce, sizeof(a->nonce), err);

	if (code == BRSKI_OK && request->header.sender)
		code = brski_asn1_write(
			request->header.sender, ASN1_ITEM_rptr(X509_NAME), &a->recipient, err);
	if (code != BRSKI_OK)
		return code;
	draft->pvno = request->header.pvno == 3 ? 3 : 2;
	draft->recipient = brski_buf_span(&a->recipient);
	draft->transaction_id = brski_buf_span(&request->header.transaction_id);
	draft->recip_nonce = brski_buf_span(&request->header.sender_nonce);
	draft->sender_nonce = brski_span(a->nonce, sizeof(a->nonce));
	draft->content = brski_buf_span(&a->content);
	return brski_cmp_draft_sign(draft, out, err);
}

/* ---- ip, cp ---- */

/* -1: this request is not answered by a certificate response */
static int cert_rep_type(int request_type)
{
	switch (request_type) {
	case BRSKI_CMP_IR:
		return BRSKI_CMP_IP;
	case BRSKI_CMP_CR:
	case BRSKI_CMP_P10CR:
		return BRSKI_CMP_CP;
	case BRSKI_CMP_KUR:
		return BRSKI_CMP_KUP;
	default:
		return -1;
	}
}

static bool set_key_pair(BRSKI_CERTRESPONSE *to, const X509 *cert)
{
	if (!cert)
		return true;
	to->pair = BRSKI_KEYPAIR_new();
	if (!to->pair)
		return false;
	to->pair->cert->type = BRSKI_CERTORENC_CERTIFICATE;
	to->pair->cert->value.certificate = X509_dup((X509 *)(uintptr_t)cert);
	return to->pair->cert->value.certificate != NULL;
}

static BRSKI_CERTRESPONSE *new_cert_response(int request_type, BRSKI_STATUSINFO *status, const X509 *cert)
{
	long id = request_type == BRSKI_CMP_P10CR ? BRSKI_CERT_REQ_ID_NONE : BRSKI_CERT_REQ_ID;
	BRSKI_CERTRESPONSE *made = BRSKI_CERTRESPONSE_new();

	if (!made || !status) {
		BRSKI_STATUSINFO_free(status);
		BRSKI_CERTRESPONSE_free(made);
		return NULL;
	}
	BRSKI_STATUSINFO_free(made->status);
	made->status = status;
	if (ASN1_INTEGER_set_int64(made->cert_req_id, id) == 1 && set_key_pair(made, cert))
		return made;
	BRSKI_CERTRESPONSE_free(made);
	return NULL;
}

/* Takes response, also when it fails or is NULL. */
static enum brski_code write_cert_rep(BRSKI_CERTRESPONSE *response, const STACK_OF(X509) *ca_pubs,
	struct brski_buf *out, struct brski_error *err)
{
	BRSKI_CERTREP *rep = BRSKI_CERTREP_new();
	enum brski_code code;

	if (rep && sk_X509_num(ca_pubs) > 0)
		rep->ca_pubs = X509_chain_up_ref((STACK_OF(X509) *)(uintptr_t)ca_pubs);
	if (rep && response && (sk_X509_num(ca_pubs) <= 0 || rep->ca_pubs) &&
		sk_BRSKI_CERTRESPONSE_push(rep->responses, response) > 0) {
		response = NULL;
		code = brski_asn1_write(rep, ASN1_ITEM_rptr(BRSKI_CERTREP), out, err);
	} else {
		code = brski_fail_openssl(err, BRSKI_NO_MEMORY, "cannot make a certificate response");
	}
	BRSKI_CERTRESPONSE_free(response);
	BRSKI_CERTREP_free(rep);
	return code;
}

static enum brski_code check_grant(
	const struct brski_cmp *request, const struct brski_cmp_grant *grant, struct brski_error *err)
{
	if (cert_rep_type(request->type) >= 0 && grant->cert &&
		(grant->status == BRSKI_CMP_ACCEPTED || grant->status == BRSKI_CMP_GRANTED_WITH_MODS))
		return BRSKI_OK;
	return brski_fail(err, BRSKI_INTERNAL, "%s is not answered by a certificate of status %d",
		brski_cmp_type_name(request->type), (int)grant->status);
}

/*
 * RFC 9483 3.1: confirmWaitTime only without implicitConfirm, and never without messageTime. RFC 9810
 * 5.1.1.1: implicitConfirm is granted to those alone who asked for it.
 */
static void set_confirmation(const struct brski_cmp *request, const struct brski_cmp_grant *grant,
	const struct brski_env *env, struct brski_cmp_draft *draft)
{
	draft->implicit_confirm = grant->implicit_confirm && request->header.implicit_confirm;
	if (draft->implicit_confirm || grant->confirm_by == 0)
		return;
	draft->message_time = brski_now(env);
	draft->confirm_wait_time = grant->confirm_by;
}

enum brski_code brski_cmp_answer_cert(const struct brski_cmp *request, const struct brski_credential *signer,
	const struct brski_cmp_grant *grant, const struct brski_env *env, struct brski_buf *out,
	struct brski_error *err)
{
	struct brski_cmp_draft draft = {
		.type = cert_rep_type(request->type), .signer = signer, .more_certs = grant->chain};
	struct answer a = {0};
	enum brski_code code = check_grant(request, grant, err);

	brski_buf_reset(out);
	if (code != BRSKI_OK)
		return code;
	set_confirmation(request, grant, env, &draft);
	code = write_cert_rep(
		new_cert_response(request->type,
			brski_cmp_status_new(grant->status, BRSKI_CMP_FAIL_NONE, grant->text), grant->cert),
		grant->ca_pubs, &a.content, err);
	if (code == BRSKI_OK)
		code = answer_sign(request, &draft, &a, env, out, err);
	answer_free(&a);
	return code;
}

static enum brski_code check_negative(enum brski_cmp_status status, struct brski_error *err)
{
	if (status == BRSKI_CMP_REJECTION || status == BRSKI_CMP_WAITING)
		return BRSKI_OK;
	return brski_fail(err, BRSKI_INTERNAL, "status %d needs a certificate", (int)status);
}

enum brski_code brski_cmp_answer_status(const struct brski_cmp *request,
	const struct brski_credential *signer, enum brski_cmp_status status, enum brski_cmp_fail fail,
	const char *text, const struct brski_env *env, struct brski_buf *out, struct brski_error *err)
{
	struct brski_cmp_draft draft = {.type = cert_rep_type(request->type), .signer = signer};
	struct answer a = {0};
	enum brski_code code;

	if (draft.type < 0)
		return brski_cmp_answer_error(request, signer, status, fail, text, env, out, err);
	brski_buf_reset(out);
	code = check_negative(status, err);
	if (code == BRSKI_OK)
		code = write_cert_rep(
			new_cert_response(request->type, brski_cmp_status_new(status, fail, text), NULL),
			NULL, &a.content, err);
	if (code == BRSKI_OK)
		code = answer_sign(request, &draft, &a, env, out, err);
	answer_free(&a);
	return code;
}

/* ---- error ---- */

static enum brski_code write_error(enum brski_cmp_status status, enum brski_cmp_fail fail, const char *text,
	struct brski_buf *out, struct brski_error *err)
{
	BRSKI_ERRORMSG *msg = BRSKI_ERRORMSG_new();
	BRSKI_STATUSINFO *info = brski_cmp_status_new(status, fail, text);
	enum brski_code code;

	if (msg && info) {
		BRSKI_STATUSINFO_free(msg->status);
		msg->status = info;
		info = NULL;
		code = brski_asn1_write(msg, ASN1_ITEM_rptr(BRSKI_ERRORMSG), out, err);
	} else {
		code = brski_fail_openssl(err, BRSKI_NO_MEMORY, "cannot make an error message");
	}
	BRSKI_STATUSINFO_free(info);
	BRSKI_ERRORMSG_free(msg);
	return code;
}

enum brski_code brski_cmp_answer_error(const struct brski_cmp *request, const struct brski_credential *signer,
	enum brski_cmp_status status, enum brski_cmp_fail fail, const char *text, const struct brski_env *env,
	struct brski_buf *out, struct brski_error *err)
{
	struct brski_cmp_draft draft = {.type = BRSKI_CMP_ERROR, .signer = signer};
	struct answer a = {0};
	enum brski_code code = check_negative(status, err);

	brski_buf_reset(out);
	if (code == BRSKI_OK)
		code = write_error(status, fail, text, &a.content, err);
	if (code == BRSKI_OK)
		code = answer_sign(request, &draft, &a, env, out, err);
	answer_free(&a);
	return code;
}

enum brski_code brski_cmp_answer_refusal(const struct brski_cmp *request,
	const struct brski_credential *signer, bool in_body, enum brski_cmp_fail fail, const char *text,
	const struct brski_env *env, struct brski_buf *out, struct brski_error *err)
{
	if (in_body)
		return brski_cmp_answer_status(
			request, signer, BRSKI_CMP_REJECTION, fail, text, env, out, err);
	return brski_cmp_answer_error(request, signer, BRSKI_CMP_REJECTION, fail, text, env, out, err);
}

/* ---- pollRep ---- */

static enum brski_code write_poll_rep(
	long id, long check_after, const char *reason, struct brski_buf *out, struct brski_error *err)
{
	BRSKI_POLLREP *polls = sk_BRSKI_POLLANSWER_new_null();
	BRSKI_POLLANSWER *poll = BRSKI_POLLANSWER_new();
	enum brski_code code;

	if (polls && poll && ASN1_INTEGER_set_int64(poll->cert_req_id, id) == 1 &&
		ASN1_INTEGER_set_int64(poll->check_after, check_after) == 1 &&
		brski_cmp_text_new(reason, &poll->reason) && sk_BRSKI_POLLANSWER_push(polls, poll) > 0)
		code = brski_asn1_write(polls, ASN1_ITEM_rptr(BRSKI_POLLREP), out, err);
	else
		code = brski_fail_openssl(err, BRSKI_NO_MEMORY, "cannot make a poll response");
	sk_BRSKI_POLLANSWER_free(polls);
	BRSKI_POLLANSWER_free(poll);
	return code;
}

enum brski_code brski_cmp_answer_poll(const struct brski_cmp *request, const struct brski_credential *signer,
	long check_after, const char *reason, const struct brski_env *env, struct brski_buf *out,
	struct brski_error *err)
{
	struct brski_cmp_draft draft = {.type = BRSKI_CMP_POLLREP, .signer = signer};
	struct answer a = {0};
	enum brski_code code;
	long id = BRSKI_CERT_REQ_ID_NONE;

	brski_buf_reset(out);
	if (request->type != BRSKI_CMP_POLLREQ)
		return brski_fail(err, BRSKI_INTERNAL, "%s is not answered by pollRep",
			brski_cmp_type_name(request->type));
	code = brski_cmp_poll_req_read(request, &id, err);
	if (code == BRSKI_OK)
		code = write_poll_rep(id, check_after > 0 ? check_after : 0, reason, &a.content, err);
	if (code == BRSKI_OK)
		code = answer_sign(request, &draft, &a, env, out, err);
	answer_free(&a);
	return code;
}

/* ---- pkiConf, genp ---- */

enum brski_code brski_cmp_answer_pkiconf(const struct brski_cmp *request,
	const struct brski_credential *signer, const struct brski_env *env, struct brski_buf *out,
	struct brski_error *err)
{
	static const uint8_t null[] = {V_ASN1_NULL, 0};
	struct brski_cmp_draft draft = {.type = BRSKI_CMP_PKICONF, .signer = signer};
	struct answer a = {0};
	enum brski_code code;

	brski_buf_reset(out);
	brski_put(&a.content, brski_span(null, sizeof(null)));
	code = brski_buf_status(&a.content, err);
	if (code == BRSKI_OK)
		code = answer_sign(request, &draft, &a, env, out, err);
	answer_free(&a);
	return code;
}

enum brski_code brski_cmp_answer_genp(const struct brski_cmp *request, const struct brski_credential *signer,
	const char *info_type_oid, const STACK_OF(X509) *certs, const struct brski_env *env,
	struct brski_buf *out, struct brski_error *err)
{
	struct brski_cmp_draft draft = {.type = BRSKI_CMP_GENP, .signer = signer};
	struct answer a = {0};
	enum brski_code code = brski_cmp_info_write(info_type_oid, certs, &a.content, err);

	brski_buf_reset(out);
	if (code == BRSKI_OK)
		code = answer_sign(request, &draft, &a, env, out, err);
	answer_free(&a);
	return code;
}
