/* SPDX-License-Identifier: BSD-3-Clause */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

#include "eap_brski/cmp/cmp_internal.h"
#include "eap_brski/pki/cert.h"

void brski_cmp_response_free(struct brski_cmp_response *r)
{
	X509_free(r->cert);
	sk_X509_pop_free(r->ca_pubs, X509_free);
	sk_X509_pop_free(r->extra_certs, X509_free);
	brski_buf_free(&r->info_value);
	*r = (struct brski_cmp_response){0};
}

/* ---- what an answer says, by body ---- */

static enum brski_code set_status(
	const BRSKI_STATUSINFO *in, struct brski_cmp_response *out, struct brski_error *err)
{
	struct brski_cmp_status_info info;
	enum brski_code code = brski_cmp_status_read(in, &info, err);

	if (code != BRSKI_OK)
		return code;
	out->status = info.status;
	out->fail = info.fail;
	memcpy(out->text, info.text, sizeof(out->text));
	return BRSKI_OK;
}

/* RFC 9483 4.1.1: certifiedKeyPair MUST be present when the answer is positive, and only then. */
static enum brski_code check_pair_is_due(
	const BRSKI_KEYPAIR *pair, enum brski_cmp_status status, struct brski_error *err)
{
	bool positive = status == BRSKI_CMP_ACCEPTED || status == BRSKI_CMP_GRANTED_WITH_MODS;

	if (positive == (pair != NULL))
		return BRSKI_OK;
	return brski_fail(err, BRSKI_UNEXPECTED, "certificate response with status %d and %s certificate",
		(int)status, pair ? "a" : "no");
}

/* RFC 9483 4.1.1: privateKey MUST be absent, and the certificate be one in plain; failInfo, only with none. */
static enum brski_code check_pair(
	const BRSKI_KEYPAIR *pair, enum brski_cmp_fail fail, struct brski_error *err)
{
	if (pair->private_key)
		return brski_fail(err, BRSKI_UNEXPECTED,
			"certificate response brings a private key, though the key is ours");
	if (pair->cert->type != BRSKI_CERTORENC_CERTIFICATE)
		return brski_fail(
			err, BRSKI_UNSUPPORTED, "certificate response with an encrypted certificate");
	if (fail != BRSKI_CMP_FAIL_NONE)
		return brski_fail(
			err, BRSKI_UNEXPECTED, "certificate response with a certificate and a failure");
	return BRSKI_OK;
}

static enum brski_code read_key_pair(
	const BRSKI_KEYPAIR *pair, struct brski_cmp_response *out, struct brski_error *err)
{
	enum brski_code code = check_pair_is_due(pair, out->status, err);

	if (code != BRSKI_OK || !pair)
		return code;
	code = check_pair(pair, out->fail, err);
	if (code != BRSKI_OK)
		return code;
	out->cert = pair->cert->value.certificate;
	X509_up_ref(out->cert);
	return BRSKI_OK;
}

static enum brski_code read_cert_response(
	const BRSKI_CERTRESPONSE *in, struct brski_cmp_response *out, struct brski_error *err)
{
	/* RFC 9483 4.1.1: certReqId MUST be 0; 4.1.4: -1 in the cp that answers a p10cr */
	long least = out->type == BRSKI_CMP_CP ? BRSKI_CERT_REQ_ID_NONE : BRSKI_CERT_REQ_ID;
	enum brski_code code = brski_cmp_req_id_check(in->cert_req_id, least,
		"certificate response with another certReqId", &out->cert_req_id, err);

	if (code == BRSKI_OK)
		code = set_status(in->status, out, err);
	return code == BRSKI_OK ? read_key_pair(in->pair, out, err) : code;
}

static enum brski_code read_cert_rep(
	struct brski_span content, struct brski_cmp_response *out, struct brski_error *err)
{
	BRSKI_CERTREP *rep =
		brski_asn1_read(content, ASN1_ITEM_rptr(BRSKI_CERTREP), "certificate response", err);
	enum brski_code code;

	if (!rep)
		return BRSKI_MALFORMED;
	code = brski_cmp_one_check(sk_BRSKI_CERTRESPONSE_num(rep->responses),
		"not exactly one CertResponse (RFC 9483 4.1.1)", err);
	if (code == BRSKI_OK && sk_X509_num(rep->ca_pubs) > BRSKI_CMP_CA_CERTS_MAX)
		code = brski_fail(err, BRSKI_TOO_LARGE, "more than %d caPubs", BRSKI_CMP_CA_CERTS_MAX);
	if (code == BRSKI_OK) {
		code = read_cert_response(sk_BRSKI_CERTRESPONSE_value(rep->responses, 0), out, err);
		out->ca_pubs = rep->ca_pubs;
		rep->ca_pubs = NULL;
	}
	BRSKI_CERTREP_free(rep);
	return code;
}

/* RFC 9483 3.6.4: an error message says rejection; 4.4: or waiting, for delayed delivery. */
static enum brski_code check_error_status(enum brski_cmp_status status, struct brski_error *err)
{
	if (status == BRSKI_CMP_REJECTION || status == BRSKI_CMP_WAITING)
		return BRSKI_OK;
	return brski_fail(err, BRSKI_UNEXPECTED, "error message with a positive status");
}

static enum brski_code read_error(
	struct brski_span content, struct brski_cmp_response *out, struct brski_error *err)
{
	BRSKI_ERRORMSG *msg = brski_asn1_read(content, ASN1_ITEM_rptr(BRSKI_ERRORMSG), "error message", err);
	enum brski_code code;

	if (!msg)
		return BRSKI_MALFORMED;
	code = set_status(msg->status, out, err);
	if (code == BRSKI_OK)
		code = brski_cmp_text_read(msg->details, out->text, err);
	BRSKI_ERRORMSG_free(msg);
	if (code == BRSKI_OK)
		code = check_error_status(out->status, err);
	out->cert_req_id = BRSKI_CERT_REQ_ID_NONE;
	return code;
}

/* RFC 9483 4.4: checkAfter is the time in seconds to wait. */
static enum brski_code check_check_after(const ASN1_INTEGER *in, long *out, struct brski_error *err)
{
	if (brski_asn1_long(in, 0, INT_MAX, out))
		return BRSKI_OK;
	return brski_fail(err, BRSKI_MALFORMED, "poll response: checkAfter is no number of seconds");
}

static enum brski_code read_poll_answer(
	const BRSKI_POLLANSWER *in, struct brski_cmp_response *out, struct brski_error *err)
{
	enum brski_code code = brski_cmp_req_id_check(in->cert_req_id, BRSKI_CERT_REQ_ID_NONE,
		"poll response with another certReqId (RFC 9483 4.4)", &out->cert_req_id, err);

	if (code == BRSKI_OK)
		code = check_check_after(in->check_after, &out->check_after, err);
	return code == BRSKI_OK ? brski_cmp_text_read(in->reason, out->text, err) : code;
}

static enum brski_code read_poll_rep(
	struct brski_span content, struct brski_cmp_response *out, struct brski_error *err)
{
	BRSKI_POLLREP *polls = brski_asn1_read(content, ASN1_ITEM_rptr(BRSKI_POLLREP), "poll response", err);
	enum brski_code code;

	if (!polls)
		return BRSKI_MALFORMED;
	out->status = BRSKI_CMP_WAITING;
	code = brski_cmp_one_check(sk_BRSKI_POLLANSWER_num(polls),
		"poll response without exactly one element (RFC 9483 4.4)", err);
	if (code == BRSKI_OK)
		code = read_poll_answer(sk_BRSKI_POLLANSWER_value(polls, 0), out, err);
	BRSKI_POLLREP_free(polls);
	return code;
}

static enum brski_code read_genp(
	struct brski_span content, struct brski_cmp_response *out, struct brski_error *err)
{
	enum brski_code code = brski_cmp_info_read(content, out->info_type, &out->info_value, err);

	if (code == BRSKI_OK && out->info_value.len > 0 && strcmp(out->info_type, BRSKI_OID_CA_CERTS) == 0)
		code = brski_cmp_certs_read(brski_buf_span(&out->info_value), &out->ca_pubs, err);
	return code;
}

/* RFC 9483 4.1.1: the content of pkiConf MUST be NULL. */
static enum brski_code check_pki_conf(struct brski_span content, struct brski_error *err)
{
	ASN1_NULL *null = brski_asn1_read(content, ASN1_ITEM_rptr(ASN1_NULL), "pkiConf", err);

	if (!null)
		return BRSKI_MALFORMED;
	ASN1_NULL_free(null);
	return BRSKI_OK;
}

static enum brski_code read_body(
	const struct brski_cmp *msg, struct brski_cmp_response *out, struct brski_error *err)
{
	struct brski_span content = brski_cmp_content(msg);

	switch (msg->type) {
	case BRSKI_CMP_IP:
	case BRSKI_CMP_CP:
	case BRSKI_CMP_KUP:
		return read_cert_rep(content, out, err);
	case BRSKI_CMP_PKICONF:
		return check_pki_conf(content, err);
	case BRSKI_CMP_GENP:
		return read_genp(content, out, err);
	case BRSKI_CMP_ERROR:
		return read_error(content, out, err);
	case BRSKI_CMP_POLLREP:
		return read_poll_rep(content, out, err);
	default:
		return brski_fail(
			err, BRSKI_UNEXPECTED, "CMP message %s is no answer", brski_cmp_type_name(msg->type));
	}
}

enum brski_code brski_cmp_response_read(
	const struct brski_cmp *msg, struct brski_cmp_response *out, struct brski_error *err)
{
	enum brski_code code;

	*out = (struct brski_cmp_response){.type = msg->type, .fail = BRSKI_CMP_FAIL_NONE};
	out->implicit_confirm = msg->header.implicit_confirm;
	out->extra_certs = X509_chain_up_ref(msg->extra_certs);
	if (!out->extra_certs)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	code = read_body(msg, out, err);
	if (code != BRSKI_OK)
		brski_cmp_response_free(out);
	return code;
}

void brski_cmp_error_words(const struct brski_cmp *msg, char out[BRSKI_CMP_WORDS_MAX])
{
	struct brski_cmp_response r;

	out[0] = '\0';
	if (msg->type != BRSKI_CMP_ERROR || brski_cmp_response_read(msg, &r, NULL) != BRSKI_OK)
		return;
	snprintf(out, BRSKI_CMP_WORDS_MAX, "%s%s%s",
		r.fail == BRSKI_CMP_FAIL_NONE ? "" : brski_cmp_fail_name((int)r.fail),
		r.fail != BRSKI_CMP_FAIL_NONE && r.text[0] ? " " : "", r.text);
	brski_cmp_response_free(&r);
}
