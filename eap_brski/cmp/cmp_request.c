/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <openssl/err.h>

#include "eap_brski/cmp/cmp_internal.h"
#include "eap_brski/pki/cert.h"

/*
 * What a registrar or CA checks in a request, RFC 9483 3.5 and 5.1. Each check notes what the peer
 * is told in out->fail.
 */

void brski_cmp_request_free(struct brski_cmp_request *r)
{
	EVP_PKEY_free(r->key);
	X509_NAME_free(r->subject);
	X509_NAME_free(r->issuer);
	sk_X509_EXTENSION_pop_free(r->extensions, X509_EXTENSION_free);
	brski_buf_free(&r->cert_hash);
	*r = (struct brski_cmp_request){.fail = BRSKI_CMP_FAIL_NONE};
}

/* ---- header ---- */

static bool is_first(int type)
{
	return type != BRSKI_CMP_CERTCONF && type != BRSKI_CMP_POLLREQ;
}

/* RFC 9483 3.1: transactionID MUST have 128 bits. */
static enum brski_code check_transaction_id(
	const struct brski_cmp_header *header, struct brski_cmp_request *out, struct brski_error *err)
{
	out->fail = BRSKI_CMP_BAD_DATA_FORMAT;
	if (header->transaction_id.len >= BRSKI_CMP_ID_LEN)
		return BRSKI_OK;
	return brski_fail(err, BRSKI_MALFORMED, "transactionID has no 128 bits (RFC 9483 3.1)");
}

/* RFC 9483 3.5: senderNonce MUST be present, and have 128 bits. */
static enum brski_code check_sender_nonce(
	const struct brski_cmp_header *header, struct brski_cmp_request *out, struct brski_error *err)
{
	out->fail = BRSKI_CMP_BAD_SENDER_NONCE;
	if (header->sender_nonce.len >= BRSKI_CMP_ID_LEN)
		return BRSKI_OK;
	return brski_fail(err, BRSKI_MALFORMED, "senderNonce has no 128 bits (RFC 9483 3.5)");
}

/* RFC 9483 3.1: recipNonce MUST be absent in the first message of a transaction, 3.5: and present later. */
static enum brski_code check_recip_nonce(
	const struct brski_cmp *msg, struct brski_cmp_request *out, struct brski_error *err)
{
	bool present = msg->header.recip_nonce.len > 0;

	out->fail = BRSKI_CMP_BAD_RECIPIENT_NONCE;
	if (is_first(msg->type) && present)
		return brski_fail(err, BRSKI_UNEXPECTED,
			"recipNonce in the first message of a transaction (RFC 9483 3.1)");
	if (!is_first(msg->type) && !present)
		return brski_fail(err, BRSKI_MALFORMED, "%s without recipNonce (RFC 9483 3.5)",
			brski_cmp_type_name(msg->type));
	return BRSKI_OK;
}

static enum brski_code check_header(
	const struct brski_cmp *msg, struct brski_cmp_request *out, struct brski_error *err)
{
	enum brski_code code;

	out->fail = BRSKI_CMP_UNSUPPORTED_VERSION;
	code = brski_cmp_version_check(&msg->header, err);
	if (code == BRSKI_OK)
		code = check_transaction_id(&msg->header, out, err);
	if (code == BRSKI_OK)
		code = check_sender_nonce(&msg->header, out, err);
	if (code == BRSKI_OK)
		code = check_recip_nonce(msg, out, err);
	return code;
}

/* ---- protection ---- */

/* RFC 9483 5.1: the sender is the one that is authorized to ask: here, the device of the tunnel. */
static enum brski_code check_signed_by(void *ctx, const STACK_OF(X509) *chain, struct brski_error *err)
{
	const X509 *signer = ctx;

	if (!signer || brski_cert_equal(sk_X509_value(chain, 0), signer))
		return BRSKI_OK;
	return brski_fail(err, BRSKI_MISMATCH, "the CMP message is signed by another device");
}

/* RFC 9483 3.5: protection MUST be valid. */
static enum brski_code check_protection(const struct brski_cmp *msg, const X509 *signer,
	STACK_OF(X509) **chain, struct brski_cmp_request *out, struct brski_error *err)
{
	STACK_OF(X509) *known = sk_X509_new_null();
	enum brski_code code;

	if (!known ||
		(signer && X509_add_cert(known, (X509 *)(uintptr_t)signer, X509_ADD_FLAG_DEFAULT) != 1)) {
		sk_X509_free(known);
		return brski_fail_openssl(err, BRSKI_NO_MEMORY, "no memory");
	}
	code = brski_cmp_verify_judged(msg, known, check_signed_by, (X509 *)(uintptr_t)signer, chain, err);
	sk_X509_free(known);
	out->fail = code == BRSKI_MISMATCH ? BRSKI_CMP_NOT_AUTHORIZED : brski_cmp_protection_fail(msg, code);
	return code;
}

/* ---- bodies ---- */

/* RFC 9483 3.1 and 4.1.1: hashAlg MUST NOT be there but in version 3; SHA-2 is what we know. */
static enum brski_code check_hash_alg(
	const X509_ALGOR *alg, int pvno, struct brski_cmp_request *out, struct brski_error *err)
{
	if (pvno != 3)
		return brski_fail(
			err, BRSKI_UNEXPECTED, "hashAlg in a CMP message of version 2 (RFC 9483 3.1)");
	switch (OBJ_obj2nid(alg->algorithm)) {
	case NID_sha256:
	case NID_sha384:
	case NID_sha512:
		return BRSKI_OK;
	default:
		out->fail = BRSKI_CMP_BAD_ALG;
		return brski_fail(err, BRSKI_UNSUPPORTED, "hashAlg in certConf is not SHA-2");
	}
}

static enum brski_code read_hash_alg(
	const X509_ALGOR *alg, int pvno, struct brski_cmp_request *out, struct brski_error *err)
{
	enum brski_code code;

	if (!alg)
		return BRSKI_OK;
	code = check_hash_alg(alg, pvno, out, err);
	if (code == BRSKI_OK)
		out->cert_hash_nid = OBJ_obj2nid(alg->algorithm);
	return code;
}

/* RFC 9483 4.1.1: statusInfo in certConf is accepted, or rejection; failInfo, with a rejection only. */
static enum brski_code check_conf_status(const struct brski_cmp_status_info *info, struct brski_error *err)
{
	if (info->status != BRSKI_CMP_ACCEPTED && info->status != BRSKI_CMP_REJECTION)
		return brski_fail(
			err, BRSKI_UNEXPECTED, "certConf neither accepts nor rejects (RFC 9483 4.1.1)");
	if (info->status == BRSKI_CMP_ACCEPTED && info->fail != BRSKI_CMP_FAIL_NONE)
		return brski_fail(
			err, BRSKI_UNEXPECTED, "certConf accepts, and names a failure (RFC 9483 4.1.1)");
	return BRSKI_OK;
}

static enum brski_code read_cert_status(
	const BRSKI_CERTSTATUS *in, int pvno, struct brski_cmp_request *out, struct brski_error *err)
{
	struct brski_cmp_status_info info = {.status = BRSKI_CMP_ACCEPTED, .fail = BRSKI_CMP_FAIL_NONE};
	enum brski_code code = brski_cmp_req_id_check(in->cert_req_id, BRSKI_CERT_REQ_ID_NONE,
		"certConf with another certReqId (RFC 9483 4.1.1)", &out->cert_req_id, err);

	if (code != BRSKI_OK)
		return code;
	if (brski_buf_set(&out->cert_hash, brski_asn1_octets(in->cert_hash)) != BRSKI_OK)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	/* RFC 9483 4.1.1: omission indicates acceptance */
	if (in->status)
		code = brski_cmp_status_read(in->status, &info, err);
	if (code == BRSKI_OK)
		code = check_conf_status(&info, err);
	if (code != BRSKI_OK)
		return code;
	out->conf_status = info.status;
	out->conf_fail = info.fail;
	memcpy(out->text, info.text, sizeof(out->text));
	return read_hash_alg(in->hash_alg, pvno, out, err);
}

static enum brski_code read_cert_conf(
	const struct brski_cmp *msg, struct brski_cmp_request *out, struct brski_error *err)
{
	BRSKI_CERTCONF *conf =
		brski_asn1_read(brski_cmp_content(msg), ASN1_ITEM_rptr(BRSKI_CERTCONF), "certConf", err);
	enum brski_code code;

	out->fail = BRSKI_CMP_BAD_DATA_FORMAT;
	if (!conf)
		return BRSKI_MALFORMED;
	out->fail = BRSKI_CMP_BAD_REQUEST;
	code = brski_cmp_one_check(sk_BRSKI_CERTSTATUS_num(conf),
		"certConf without exactly one CertStatus (RFC 9483 4.1.1)", err);
	if (code == BRSKI_OK)
		code = read_cert_status(sk_BRSKI_CERTSTATUS_value(conf, 0), msg->header.pvno, out, err);
	BRSKI_CERTCONF_free(conf);
	return code;
}

enum brski_code brski_cmp_poll_req_read(
	const struct brski_cmp *msg, long *cert_req_id, struct brski_error *err)
{
	BRSKI_POLLREQ *polls =
		brski_asn1_read(brski_cmp_content(msg), ASN1_ITEM_rptr(BRSKI_POLLREQ), "pollReq", err);
	enum brski_code code;

	if (!polls)
		return BRSKI_MALFORMED;
	code = brski_cmp_one_check(
		sk_BRSKI_POLL_num(polls), "pollReq without exactly one element (RFC 9483 4.4)", err);
	if (code == BRSKI_OK)
		code = brski_cmp_req_id_check(sk_BRSKI_POLL_value(polls, 0)->cert_req_id,
			BRSKI_CERT_REQ_ID_NONE, "pollReq with another certReqId (RFC 9483 4.4)", cert_req_id,
			err);
	BRSKI_POLLREQ_free(polls);
	return code;
}

static enum brski_code read_poll_req(
	const struct brski_cmp *msg, struct brski_cmp_request *out, struct brski_error *err)
{
	enum brski_code code = brski_cmp_poll_req_read(msg, &out->cert_req_id, err);

	out->fail = code == BRSKI_MALFORMED ? BRSKI_CMP_BAD_DATA_FORMAT : BRSKI_CMP_BAD_REQUEST;
	return code;
}

static enum brski_code read_genm(
	const struct brski_cmp *msg, struct brski_cmp_request *out, struct brski_error *err)
{
	struct brski_buf value = {0};
	enum brski_code code = brski_cmp_info_read(brski_cmp_content(msg), out->info_type, &value, err);

	out->fail = code == BRSKI_UNEXPECTED ? BRSKI_CMP_BAD_REQUEST : BRSKI_CMP_BAD_DATA_FORMAT;
	out->info_has_value = value.len > 0;
	brski_buf_free(&value);
	return code;
}

/* RFC 5280 4.2: no extension twice; else each reader may take another one. */
static enum brski_code check_extensions(struct brski_cmp_request *out, struct brski_error *err)
{
	char oid[BRSKI_CMP_OID_MAX] = "?";

	out->fail = BRSKI_CMP_BAD_CERT_TEMPLATE;
	if (sk_X509_EXTENSION_num(out->extensions) > BRSKI_CMP_EXTENSIONS_MAX)
		return brski_fail(err, BRSKI_TOO_LARGE, "%d extensions are asked for, %d are allowed",
			sk_X509_EXTENSION_num(out->extensions), BRSKI_CMP_EXTENSIONS_MAX);
	for (int i = 0; i < sk_X509_EXTENSION_num(out->extensions); i++) {
		const ASN1_OBJECT *object =
			X509_EXTENSION_get_object(sk_X509_EXTENSION_value(out->extensions, i));

		if (X509v3_get_ext_by_OBJ(out->extensions, object, i) < 0)
			continue;
		OBJ_obj2txt(oid, sizeof(oid), object, 0);
		return brski_fail(
			err, BRSKI_UNEXPECTED, "extension %s is asked for twice (RFC 5280 4.2)", oid);
	}
	return BRSKI_OK;
}

static enum brski_code read_body(
	const struct brski_cmp *msg, struct brski_cmp_request *out, struct brski_error *err)
{
	switch (msg->type) {
	case BRSKI_CMP_IR:
	case BRSKI_CMP_CR:
		return brski_cmp_crmf_read(brski_cmp_content(msg), out, err);
	case BRSKI_CMP_P10CR:
		return brski_cmp_pkcs10_read(brski_cmp_content(msg), out, err);
	case BRSKI_CMP_CERTCONF:
		return read_cert_conf(msg, out, err);
	case BRSKI_CMP_POLLREQ:
		return read_poll_req(msg, out, err);
	case BRSKI_CMP_GENM:
		return read_genm(msg, out, err);
	default: /* RFC 9483 3.6.2: an invalid body type is no fault of the body */
		out->in_body = false;
		out->fail = BRSKI_CMP_BAD_REQUEST;
		return brski_fail(err, BRSKI_UNSUPPORTED, "CMP %s is no request that is served here",
			brski_cmp_type_name(msg->type));
	}
}

/* All but what the peer is told. */
static void forget(struct brski_cmp_request *out, enum brski_code code)
{
	enum brski_cmp_fail fail = out->fail;
	bool ours = code == BRSKI_NO_MEMORY || code == BRSKI_INTERNAL;
	bool in_body = out->in_body && !ours;

	brski_cmp_request_free(out);
	out->fail = ours ? brski_code_cmp_fail(code) : fail;
	out->in_body = in_body;
}

enum brski_code brski_cmp_request_check(const struct brski_cmp *msg, const X509 *signer,
	STACK_OF(X509) **chain, struct brski_cmp_request *out, struct brski_error *err)
{
	STACK_OF(X509) *signers = NULL;
	enum brski_code code;

	*out = (struct brski_cmp_request){.type = msg->type, .conf_fail = BRSKI_CMP_FAIL_NONE};
	if (chain)
		*chain = NULL;
	if ((code = check_header(msg, out, err)) == BRSKI_OK &&
		(code = check_protection(msg, signer, &signers, out, err)) == BRSKI_OK) {
		out->in_body = true;
		code = read_body(msg, out, err);
		if (code == BRSKI_OK)
			code = check_extensions(out, err);
	}
	if (code != BRSKI_OK) {
		forget(out, code);
	} else {
		out->fail = BRSKI_CMP_FAIL_NONE;
		out->in_body = false;
		if (chain) {
			*chain = signers;
			signers = NULL;
		}
	}
	sk_X509_pop_free(signers, X509_free);
	return code;
}

/* ---- a request without CMP ---- */

enum brski_code brski_cmp_pkcs10_check(struct brski_span der, const struct brski_cmp_rule *rule,
	struct brski_cmp_request *asked, struct brski_error *err)
{
	enum brski_code code;

	*asked = (struct brski_cmp_request){
		.type = BRSKI_CMP_P10CR, .conf_fail = BRSKI_CMP_FAIL_NONE, .fail = BRSKI_CMP_BAD_DATA_FORMAT};
	if (der.len > BRSKI_CMP_MAX)
		return brski_fail(err, BRSKI_TOO_LARGE, "PKCS #10 of %zu octets, %d are allowed", der.len,
			BRSKI_CMP_MAX);
	code = brski_cmp_pkcs10_read(der, asked, err);
	if (code == BRSKI_OK)
		code = check_extensions(asked, err);
	if (code == BRSKI_OK)
		code = brski_cmp_content_authorize(asked, rule, err);
	if (code != BRSKI_OK)
		forget(asked, code);
	else
		asked->fail = BRSKI_CMP_FAIL_NONE;
	return code;
}

/* ---- certConf, and the answer that it confirms ---- */

static enum brski_code check_conf_nonces(const struct brski_cmp_header *conf,
	const struct brski_cmp_header *answer, enum brski_cmp_fail *fail, struct brski_error *err)
{
	*fail = BRSKI_CMP_BAD_RECIPIENT_NONCE;
	if (!brski_span_equal(brski_buf_span(&conf->recip_nonce), brski_buf_span(&answer->sender_nonce)))
		return brski_fail(err, BRSKI_UNEXPECTED,
			"certConf: recipNonce is not the answer's senderNonce (RFC 9483 3.5)");
	*fail = BRSKI_CMP_BAD_SENDER_NONCE;
	if (brski_span_equal(brski_buf_span(&conf->sender_nonce), brski_buf_span(&answer->recip_nonce)))
		return brski_fail(err, BRSKI_UNEXPECTED,
			"certConf: senderNonce is the request's once more (RFC 9483 3.1)");
	return BRSKI_OK;
}

enum brski_code brski_cmp_conf_check(const struct brski_cmp *msg, const struct brski_cmp *answer,
	struct brski_cmp_request *conf, struct brski_error *err)
{
	struct brski_cmp_response said = {0};
	enum brski_code code = brski_cmp_response_read(answer, &said, err);

	if (code != BRSKI_OK)
		return code;
	code = check_conf_nonces(&msg->header, &answer->header, &conf->fail, err);
	if (code == BRSKI_OK && conf->cert_req_id != said.cert_req_id) {
		conf->fail = BRSKI_CMP_BAD_REQUEST;
		code = brski_fail(err, BRSKI_UNEXPECTED,
			"certConf: certReqId %ld is not the answer's (RFC 9483 4.1.1, 4.1.4)",
			conf->cert_req_id);
	}
	if (code == BRSKI_OK)
		conf->fail = BRSKI_CMP_FAIL_NONE;
	brski_cmp_response_free(&said);
	return code;
}
