/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/cmp/cmp_internal.h"

void brski_cmp_transaction_free(struct brski_cmp_transaction *tx)
{
	brski_buf_free(&tx->id);
	brski_buf_free(&tx->request_nonce);
	brski_buf_free(&tx->last_nonce);
	brski_buf_free(&tx->peer_nonce);
	brski_buf_free(&tx->recipient);
	brski_buf_free(&tx->signers);
}

static enum brski_code new_id(const struct brski_env *env, struct brski_buf *out, struct brski_error *err)
{
	uint8_t id[BRSKI_CMP_ID_LEN];
	enum brski_code code = brski_random(env, id, sizeof(id), err);

	if (code == BRSKI_OK && brski_buf_set(out, brski_span(id, sizeof(id))) != BRSKI_OK)
		code = brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	return code;
}

/* What RFC 9483 3.5 lets us expect as recipNonce from now on. */
static enum brski_code remember_nonce(
	struct brski_cmp_transaction *tx, int type, struct brski_buf *nonce, struct brski_error *err)
{
	if (type != BRSKI_CMP_POLLREQ && brski_buf_set(&tx->request_nonce, brski_buf_span(nonce)) != BRSKI_OK)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	brski_buf_move(&tx->last_nonce, nonce);
	return BRSKI_OK;
}

/* Fills in what belongs to the transaction, signs, and updates *tx if that went well. */
static enum brski_code send_draft(struct brski_cmp_draft *draft, const struct brski_env *env,
	struct brski_cmp_transaction *tx, struct brski_buf *out, struct brski_error *err)
{
	struct brski_buf nonce = {0};
	enum brski_code code = new_id(env, &nonce, err);

	draft->recipient = brski_buf_span(&tx->recipient);
	draft->transaction_id = brski_buf_span(&tx->id);
	draft->recip_nonce = brski_buf_span(&tx->peer_nonce);
	draft->sender_nonce = brski_buf_span(&nonce);
	if (code == BRSKI_OK)
		code = brski_cmp_draft_sign(draft, out, err);
	if (code == BRSKI_OK)
		code = remember_nonce(tx, draft->type, &nonce, err);
	if (code != BRSKI_OK)
		brski_buf_reset(out);
	brski_buf_free(&nonce);
	return code;
}

/* The first message of a transaction; *tx is replaced if that went well. */
static enum brski_code send_first(struct brski_cmp_draft *draft, const struct brski_env *env,
	struct brski_cmp_transaction *tx, struct brski_buf *out, struct brski_error *err)
{
	struct brski_cmp_transaction fresh = {0};
	enum brski_code code = new_id(env, &fresh.id, err);

	if (code == BRSKI_OK)
		code = send_draft(draft, env, &fresh, out, err);
	if (code != BRSKI_OK) {
		brski_cmp_transaction_free(&fresh);
		return code;
	}
	brski_cmp_transaction_free(tx);
	*tx = fresh;
	return BRSKI_OK;
}

enum brski_code brski_cmp_enroll(const struct brski_cmp_enroll *req, const struct brski_env *env,
	struct brski_cmp_transaction *tx, struct brski_buf *out, struct brski_error *err)
{
	struct brski_buf content = {0};
	struct brski_cmp_draft draft = {
		.type = req->pkcs10 ? BRSKI_CMP_P10CR : BRSKI_CMP_IR,
		.signer = req->signer,
		.implicit_confirm = req->implicit_confirm,
		.cert_profile = req->cert_profile,
	};
	enum brski_code code;

	brski_buf_reset(out);
	if (req->pkcs10)
		code = brski_cmp_pkcs10_write(req->key, req->subject, &content, err);
	else
		code = brski_cmp_crmf_write(req->key, req->subject, &content, err);
	draft.content = brski_buf_span(&content);
	if (code == BRSKI_OK)
		code = send_first(&draft, env, tx, out, err);
	brski_buf_free(&content);
	return code;
}

enum brski_code brski_cmp_p10cr(const struct brski_credential *signer, struct brski_span pkcs10,
	bool implicit_confirm, const struct brski_env *env, struct brski_cmp_transaction *tx,
	struct brski_buf *out, struct brski_error *err)
{
	struct brski_cmp_draft draft = {
		.type = BRSKI_CMP_P10CR,
		.signer = signer,
		.implicit_confirm = implicit_confirm,
		.content = pkcs10,
	};
	struct brski_span inside;
	int tag, xclass;

	brski_buf_reset(out);
	if (!brski_asn1_unwrap(pkcs10, &tag, &xclass, &inside))
		return brski_fail(err, BRSKI_INTERNAL, "what is to be sent is no PKCS #10");
	return send_first(&draft, env, tx, out, err);
}

/* ---- certConf ---- */

static bool fill_cert_status(BRSKI_CERTSTATUS *to, struct brski_span hash, int hash_alg, bool pkcs10,
	enum brski_cmp_fail fail, const char *reject)
{
	long id = pkcs10 ? BRSKI_CERT_REQ_ID_NONE : BRSKI_CERT_REQ_ID;

	if (ASN1_OCTET_STRING_set(to->cert_hash, hash.data, (int)hash.len) != 1 ||
		ASN1_INTEGER_set_int64(to->cert_req_id, id) != 1)
		return false;
	/* statusInfo absent would do for acceptance, but should be there (RFC 9483 4.1.1) */
	to->status = brski_cmp_status_new(reject ? BRSKI_CMP_REJECTION : BRSKI_CMP_ACCEPTED, fail, reject);
	if (hash_alg == NID_undef)
		return to->status != NULL;
	to->hash_alg = X509_ALGOR_new();
	return to->status && to->hash_alg &&
	       X509_ALGOR_set0(to->hash_alg, OBJ_nid2obj(hash_alg), V_ASN1_UNDEF, NULL) == 1;
}

static enum brski_code write_cert_conf(
	BRSKI_CERTSTATUS *status, struct brski_buf *out, struct brski_error *err)
{
	BRSKI_CERTCONF *conf = sk_BRSKI_CERTSTATUS_new_null();
	enum brski_code code;

	if (conf && sk_BRSKI_CERTSTATUS_push(conf, status) > 0)
		code = brski_asn1_write(conf, ASN1_ITEM_rptr(BRSKI_CERTCONF), out, err);
	else
		code = brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	sk_BRSKI_CERTSTATUS_free(conf);
	return code;
}

static enum brski_code make_cert_conf(const X509 *cert, bool pkcs10, enum brski_cmp_fail fail,
	const char *reject, struct brski_buf *out, bool *explicit_alg, struct brski_error *err)
{
	BRSKI_CERTSTATUS *status = BRSKI_CERTSTATUS_new();
	struct brski_buf hash = {0};
	int nid = NID_undef;
	enum brski_code code = brski_cmp_cert_hash(cert, &hash, &nid, explicit_alg, err);

	if (code == BRSKI_OK && (!status || !fill_cert_status(status, brski_buf_span(&hash),
						    *explicit_alg ? nid : NID_undef, pkcs10, fail, reject)))
		code = brski_fail_openssl(err, BRSKI_NO_MEMORY, "cannot make a certificate confirmation");
	if (code == BRSKI_OK)
		code = write_cert_conf(status, out, err);
	BRSKI_CERTSTATUS_free(status);
	brski_buf_free(&hash);
	return code;
}

enum brski_code brski_cmp_cert_conf(const struct brski_credential *signer, bool pkcs10, const X509 *cert,
	enum brski_cmp_fail fail, const char *reject, const struct brski_env *env,
	struct brski_cmp_transaction *tx, struct brski_buf *out, struct brski_error *err)
{
	struct brski_cmp_draft draft = {.type = BRSKI_CMP_CERTCONF, .signer = signer};
	struct brski_buf content = {0};
	bool explicit_alg = false;
	enum brski_code code = make_cert_conf(cert, pkcs10, fail, reject, &content, &explicit_alg, err);

	brski_buf_reset(out);
	draft.pvno = explicit_alg ? 3 : 2; /* RFC 9483 3.1: 3 when using the hashAlg field */
	draft.content = brski_buf_span(&content);
	if (code == BRSKI_OK)
		code = send_draft(&draft, env, tx, out, err);
	brski_buf_free(&content);
	return code;
}

/* ---- pollReq ---- */

static enum brski_code write_poll(long cert_req_id, struct brski_buf *out, struct brski_error *err)
{
	BRSKI_POLLREQ *polls = sk_BRSKI_POLL_new_null();
	BRSKI_POLL *poll = BRSKI_POLL_new();
	enum brski_code code;

	if (polls && poll && ASN1_INTEGER_set_int64(poll->cert_req_id, cert_req_id) == 1 &&
		sk_BRSKI_POLL_push(polls, poll) > 0)
		code = brski_asn1_write(polls, ASN1_ITEM_rptr(BRSKI_POLLREQ), out, err);
	else
		code = brski_fail_openssl(err, BRSKI_NO_MEMORY, "cannot make a poll request");
	sk_BRSKI_POLL_free(polls);
	BRSKI_POLL_free(poll);
	return code;
}

enum brski_code brski_cmp_poll_req(const struct brski_credential *signer, long cert_req_id,
	const struct brski_env *env, struct brski_cmp_transaction *tx, struct brski_buf *out,
	struct brski_error *err)
{
	struct brski_cmp_draft draft = {.type = BRSKI_CMP_POLLREQ, .signer = signer};
	struct brski_buf content = {0};
	enum brski_code code = write_poll(cert_req_id, &content, err);

	brski_buf_reset(out);
	draft.content = brski_buf_span(&content);
	if (code == BRSKI_OK)
		code = send_draft(&draft, env, tx, out, err);
	brski_buf_free(&content);
	return code;
}

/* ---- genm ---- */

enum brski_code brski_cmp_genm(const struct brski_credential *signer, const char *info_type_oid,
	const struct brski_env *env, struct brski_cmp_transaction *tx, struct brski_buf *out,
	struct brski_error *err)
{
	struct brski_cmp_draft draft = {.type = BRSKI_CMP_GENM, .signer = signer};
	struct brski_buf content = {0};
	enum brski_code code = brski_cmp_info_write(info_type_oid, NULL, &content, err);

	brski_buf_reset(out);
	draft.content = brski_buf_span(&content);
	if (code == BRSKI_OK)
		code = send_first(&draft, env, tx, out, err);
	brski_buf_free(&content);
	return code;
}
