/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/pledge/pledge_internal.h"

/* ---- requests ---- */

/*
 * Key and request are on disk before they are sent, so that a reboot repeats them and asks for no
 * second certificate.
 */
static enum brski_code make_request(struct brski_pledge *p, struct brski_error *err)
{
	struct brski_cmp_enroll enroll = {
		.signer = &p->idevid,
		.pkcs10 = p->config.pkcs10,
		.implicit_confirm = p->config.implicit_confirm,
		.cert_profile = p->cert_profile,
	};
	X509_NAME *name = NULL;
	enum brski_code code;

	EVP_PKEY_free(p->key);
	p->key = NULL;
	code = brski_key_generate(p->config.key_type, &p->key, err);
	if (code != BRSKI_OK)
		return code;
	p->rec.candidate = p->rec.credential + 1;
	p->rec.pkcs10 = p->config.pkcs10;
	brski_buf_free(&p->rec.poll);
	code = brski_pledge_write_key(p, err);
	enroll.key = p->key;
	if (code == BRSKI_OK)
		code = brski_cert_device_name(p->idevid.cert, &name, err);
	enroll.subject = name;
	if (code == BRSKI_OK)
		code = brski_cmp_enroll(&enroll, p->config.env, &p->rec.tx, &p->rec.request, err);
	X509_NAME_free(name);
	return code == BRSKI_OK ? brski_pledge_move(p, BRSKI_CAUSE_CERT_ASKED, err) : code;
}

enum brski_code brski_pledge_build_cert(
	struct brski_pledge *p, struct brski_http *request, struct brski_error *err)
{
	enum brski_code code = BRSKI_OK;

	if (p->rec.state == BRSKI_PLEDGE_IMPRINTED)
		code = make_request(p, err);
	if (code == BRSKI_OK)
		code = brski_pledge_cmp_post(p, &p->rec.request, request, err);
	if (code == BRSKI_OK)
		brski_pledge_event_subject(p, BRSKI_EVENT_CERT_REQUESTED, p->idevid.cert);
	return code;
}

/* ---- the certificate ---- */

/*
 * RFC 9483 4.1.1: a certificate that is not what was asked for is rejected with certConf, unless
 * none is awaited.
 */
static enum brski_code reject_cert(struct brski_pledge *p, const struct brski_cmp_response *r,
	const struct brski_error *why, struct brski_error *err)
{
	enum brski_code code = BRSKI_OK;

	if (why->code == BRSKI_NO_MEMORY)
		return brski_fail(err, why->code, "%s", why->why);
	if (!r->implicit_confirm)
		code = brski_cmp_cert_conf(&p->idevid, p->rec.pkcs10, r->cert,
			brski_code_cert_fail(why->code), why->why, p->config.env, &p->rec.tx, &p->rejection,
			err);
	return code == BRSKI_OK ? brski_pledge_refuse_enrollment(p, why, err) : code;
}

static enum brski_code keep_cert(struct brski_pledge *p, const struct brski_cmp_response *r,
	const STACK_OF(X509) *chain, struct brski_error *err)
{
	enum brski_cmp_fail none = BRSKI_CMP_FAIL_NONE;
	enum brski_code code;

	X509_free(p->cert);
	p->cert = NULL;
	if (X509_up_ref(r->cert) == 1)
		p->cert = r->cert;
	brski_pledge_event_subject(p, BRSKI_EVENT_CERT_RECEIVED, r->cert);
	code = brski_pledge_write_candidate(p, chain, err);
	if (code != BRSKI_OK)
		return code;
	if (r->implicit_confirm)
		return brski_pledge_move(p, BRSKI_CAUSE_CERT_CONFIRMED, err);
	code = brski_cmp_cert_conf(&p->idevid, p->rec.pkcs10, r->cert, none, NULL, p->config.env, &p->rec.tx,
		&p->rec.request, err);
	return code == BRSKI_OK ? brski_pledge_move(p, BRSKI_CAUSE_CERT_TAKEN, err) : code;
}

/* Of the request, which an older program may have made. */
static enum brski_code asked_subject(const struct brski_pledge *p, X509_NAME **out, struct brski_error *err)
{
	struct brski_cmp_request asked = {0};
	struct brski_cmp msg = {0};
	enum brski_code code = brski_cmp_decode(brski_buf_span(&p->rec.request), &msg, err);

	*out = NULL;
	if (code == BRSKI_OK)
		code = brski_cmp_request_check(&msg, p->idevid.cert, NULL, &asked, err);
	if (code == BRSKI_OK) {
		*out = asked.subject;
		asked.subject = NULL;
	}
	brski_cmp_request_free(&asked);
	brski_cmp_free(&msg);
	return code;
}

static enum brski_code take_cert(
	struct brski_pledge *p, const struct brski_cmp_response *r, struct brski_error *err)
{
	X509_NAME *subject = NULL;
	STACK_OF(X509) *chain = NULL;
	struct brski_error why = {0};
	enum brski_code code;

	code = asked_subject(p, &subject, &why);
	if (code == BRSKI_OK)
		code = brski_cmp_cert_check(
			r, p->key, subject, p->anchors, brski_pledge_clock(p), &chain, &why);
	if (code != BRSKI_OK) {
		brski_fail_context(&why, code, "the new certificate is refused");
		code = reject_cert(p, r, &why, err);
	} else {
		code = keep_cert(p, r, chain, err);
	}
	X509_NAME_free(subject);
	sk_X509_pop_free(chain, X509_free);
	return code;
}

/* RFC 9483 4.4: waiting has no time in it, so the first pollReq follows at once and asks for one. */
static enum brski_code wait_for_cert(
	struct brski_pledge *p, const struct brski_cmp_response *r, struct brski_error *err)
{
	if (p->rec.state == BRSKI_PLEDGE_POLL)
		return brski_pledge_poll_later(p, r, err);
	p->rec.poll_id = r->type == BRSKI_CMP_ERROR || p->rec.pkcs10 ? -1 : 0;
	return brski_pledge_move(p, BRSKI_CAUSE_WAITING, err);
}

static enum brski_code judge_answer(
	struct brski_pledge *p, const struct brski_cmp_response *r, struct brski_error *err)
{
	int cert_type = p->rec.pkcs10 ? BRSKI_CMP_CP : BRSKI_CMP_IP;
	struct brski_error why = {0};

	if (r->type == BRSKI_CMP_POLLREP && p->rec.state == BRSKI_PLEDGE_POLL)
		return brski_pledge_poll_later(p, r, err);
	if ((r->type == cert_type || r->type == BRSKI_CMP_ERROR) && r->status == BRSKI_CMP_WAITING)
		return wait_for_cert(p, r, err);
	if (r->type == cert_type && r->cert &&
		(r->status == BRSKI_CMP_ACCEPTED || r->status == BRSKI_CMP_GRANTED_WITH_MODS))
		return take_cert(p, r, err);
	brski_pledge_cmp_refusal(r, "certification request", &why);
	return brski_pledge_refuse_enrollment(p, &why, err);
}

enum brski_code brski_pledge_answer_cert(
	struct brski_pledge *p, const struct brski_http *response, struct brski_error *err)
{
	return brski_pledge_cmp_answer(p, response, judge_answer, err);
}
