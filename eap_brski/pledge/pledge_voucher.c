/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/pledge/pledge_internal.h"

#include <stdio.h>
#include <string.h>

#include "eap_brski/artifacts/paths.h"
#include "eap_brski/artifacts/voucher_check.h"
#include "eap_brski/artifacts/voucher_request.h"
#include "eap_brski/ground/text.h"

#define VOUCHER_NAME "voucher.vcj"
#define REGISTRAR_NAME "registrar.pem"

static X509 *registrar(const struct brski_pledge *p)
{
	return sk_X509_value(p->chain, 0);
}

/* ---- the request ---- */

static enum brski_code make_request(struct brski_pledge *p, const char *fingerprint, struct brski_error *err)
{
	uint8_t nonce[BRSKI_NONCE_LEN];
	enum brski_code code;

	code = brski_random(p->config.env, nonce, sizeof(nonce), err);
	if (code != BRSKI_OK)
		return code;
	if (brski_buf_set(&p->rec.nonce, brski_span(nonce, sizeof(nonce))) != BRSKI_OK)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for a nonce");
	code = brski_voucher_request_pledge(&p->idevid, registrar(p), brski_buf_span(&p->rec.nonce),
		brski_pledge_clock(p), &p->rec.voucher_request, err);
	if (code != BRSKI_OK)
		return code;
	snprintf(p->rec.registrar, sizeof(p->rec.registrar), "%s", fingerprint);
	return brski_pledge_move(p, BRSKI_CAUSE_VOUCHER_ASKED, err);
}

/*
 * RFC 8995 5.6: a repeat MUST be the same voucher-request. Only a registrar with another
 * certificate needs another one, since the request names it (5.2).
 */
static enum brski_code need_request(struct brski_pledge *p, struct brski_error *err)
{
	char fingerprint[BRSKI_FINGERPRINT_MAX];

	brski_cert_fingerprint(registrar(p), fingerprint);
	if (p->rec.state == BRSKI_PLEDGE_VOUCHER && strcmp(p->rec.registrar, fingerprint) == 0)
		return BRSKI_OK;
	return make_request(p, fingerprint, err);
}

enum brski_code brski_pledge_build_voucher(
	struct brski_pledge *p, struct brski_http *request, struct brski_error *err)
{
	enum brski_code code;

	code = need_request(p, err);
	if (code == BRSKI_OK)
		code = brski_http_request(request, "POST", BRSKI_PATH_REQUESTVOUCHER, BRSKI_MEDIA_VOUCHER,
			brski_buf_span(&p->rec.voucher_request), err);
	if (code == BRSKI_OK)
		code = brski_http_set(request, "accept", BRSKI_MEDIA_VOUCHER, err);
	if (code == BRSKI_OK)
		brski_pledge_event(p, BRSKI_EVENT_VOUCHER_REQUESTED, "");
	return code;
}

/* ---- the voucher ---- */

/*
 * RFC 8995 7.2: a voucher without nonce may be a replay; its date is all that bounds it, so a clock
 * is needed.
 */
static enum brski_code check_nonceless(
	const struct brski_pledge *p, const struct brski_voucher *v, struct brski_error *err)
{
	if (v->nonce.len == 0 && !p->config.clock_is_right)
		return brski_fail(err, BRSKI_EXPIRED,
			"a voucher without nonce needs a clock, and this device has none that it trusts");
	return BRSKI_OK;
}

/* RFC 8995 5.6.1 and 5.6.2. */
static enum brski_code check_voucher(const struct brski_pledge *p, struct brski_span cms,
	struct brski_voucher *out, X509 **pinned, struct brski_error *err)
{
	struct brski_buf issuer = {0};
	struct brski_voucher_expect expect = {
		.serial_number = p->serial_number,
		.nonce = brski_buf_span(&p->rec.nonce),
		.allow_nonceless = p->config.allow_nonceless,
		.masa_anchors = p->masa_anchors,
		.now = brski_pledge_clock(p),
		.clock_is_right = p->config.clock_is_right,
		.domain_chain = p->chain,
		.domain_use = BRSKI_USE_REGISTRAR,
	};
	enum brski_code code;

	code = brski_cert_authority_key_id(p->idevid.cert, &issuer, err);
	if (code == BRSKI_OK || code == BRSKI_NOT_FOUND) {
		expect.idevid_issuer = brski_buf_span(&issuer);
		code = brski_voucher_check(cms, &expect, out, pinned, err);
	}
	if (code == BRSKI_OK)
		code = check_nonceless(p, out, err);
	brski_buf_free(&issuer);
	return code;
}

/* RFC 8995 5.6.2: the pinned certificate is the sole anchor. */
static enum brski_code pin(struct brski_pledge *p, const struct brski_voucher *v, struct brski_error *err)
{
	if (brski_buf_set(&p->rec.pinned, brski_buf_span(&v->pinned_domain_cert)) != BRSKI_OK)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for the pinned certificate");
	return brski_pledge_load_anchors(p, err);
}

static enum brski_code take_voucher(struct brski_pledge *p, struct brski_span cms,
	const struct brski_voucher *v, X509 *pinned, struct brski_error *err)
{
	enum brski_code code;

	code = pin(p, v, err);
	if (code == BRSKI_OK)
		code = brski_pledge_write(p, VOUCHER_NAME, cms, false, err);
	if (code == BRSKI_OK)
		code = brski_pledge_write_certs(p, REGISTRAR_NAME, p->chain, err);
	if (code == BRSKI_OK)
		code = brski_pledge_move(p, BRSKI_CAUSE_VOUCHER_TAKEN, err);
	if (code != BRSKI_OK)
		return code;
	p->trust = BRSKI_TRUST_VERIFIED;
	brski_pledge_learn_time(p, v);
	brski_pledge_event_subject(p, BRSKI_EVENT_VOUCHER_ACCEPTED, pinned);
	return BRSKI_OK;
}

static enum brski_code refuse_voucher(
	struct brski_pledge *p, struct brski_error *why, struct brski_error *err)
{
	if (why->code == BRSKI_NO_MEMORY)
		return brski_fail(err, why->code, "%s", why->why);
	brski_fail_context(why, why->code, "the voucher is refused");
	p->tell_voucher_status = true;
	return brski_pledge_give_up(p, why, err);
}

enum brski_code brski_pledge_answer_voucher(
	struct brski_pledge *p, const struct brski_http *response, struct brski_error *err)
{
	struct brski_voucher voucher = {0};
	struct brski_error why = {0};
	X509 *pinned = NULL;
	bool decided;
	enum brski_code code;

	code = brski_pledge_put_off(p, response, &decided, err);
	if (code != BRSKI_OK || decided)
		return code;
	if (response->status != 200) {
		brski_pledge_not_ok(response, "voucher-request", &why);
		return brski_pledge_give_up(p, &why, err);
	}
	if (!brski_http_is_type(response, BRSKI_MEDIA_VOUCHER)) {
		brski_fail(&why, BRSKI_UNSUPPORTED, "its media type is not %s", BRSKI_MEDIA_VOUCHER);
		return refuse_voucher(p, &why, err);
	}
	code = check_voucher(p, brski_buf_span(&response->body), &voucher, &pinned, &why);
	if (code != BRSKI_OK)
		code = refuse_voucher(p, &why, err);
	else
		code = take_voucher(p, brski_buf_span(&response->body), &voucher, pinned, err);
	brski_voucher_free(&voucher);
	X509_free(pinned);
	return code;
}

/* ---- what we think of it: RFC 8995 5.7 ---- */

/*
 * The registrar may be anybody, and the reason SHOULD NOT help an attacker (5.7). It names the
 * check that failed, with values of the voucher and of the chain that the registrar itself sent,
 * and of the IDevID that it has seen: nothing that it does not know.
 */
enum brski_code brski_pledge_build_voucher_status(
	struct brski_pledge *p, struct brski_http *request, struct brski_error *err)
{
	struct brski_status status = {.status = p->rec.state != BRSKI_PLEDGE_FAILED};
	struct brski_buf json = {0};
	enum brski_code code;

	if (!status.status) {
		brski_printable(brski_span_str(p->rec.reason), status.reason, sizeof(status.reason));
		snprintf(status.context, sizeof(status.context), "{\"failure\":\"%s\"}",
			brski_code_name(p->failure));
	}
	code = brski_status_print(&status, &json, err);
	if (code == BRSKI_OK)
		code = brski_http_request(request, "POST", BRSKI_PATH_VOUCHER_STATUS, BRSKI_MEDIA_JSON,
			brski_buf_span(&json), err);
	brski_buf_free(&json);
	return code;
}

/* RFC 8995 5.7: "The client ignores any response." It is stored with the next change. */
enum brski_code brski_pledge_answer_voucher_status(
	struct brski_pledge *p, const struct brski_http *response, struct brski_error *err)
{
	(void)response;
	(void)err;
	p->rec.voucher_reported = true;
	return BRSKI_OK;
}
