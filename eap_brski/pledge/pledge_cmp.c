/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/pledge/pledge_internal.h"

#include "eap_brski/artifacts/paths.h"

/* What all steps of CMP have in common. */

#define POLL_DEFAULT 60 /* seconds, where waiting is said again without a time */

/* RFC 9483 6.1: certConf and pollReq go to the endpoint of the operation that they belong to. */
static const char *cmp_path(const struct brski_pledge *p)
{
	return p->rec.pkcs10 ? BRSKI_PATH_CMP_PKCS10 : BRSKI_PATH_CMP_INITIALIZATION;
}

enum brski_code brski_pledge_cmp_post(const struct brski_pledge *p, const struct brski_buf *message,
	struct brski_http *request, struct brski_error *err)
{
	return brski_http_request(
		request, "POST", cmp_path(p), BRSKI_MEDIA_CMP, brski_buf_span(message), err);
}

enum brski_code brski_pledge_refuse_enrollment(
	struct brski_pledge *p, const struct brski_error *why, struct brski_error *err)
{
	if (why->code == BRSKI_NO_MEMORY)
		return brski_fail(err, why->code, "%s", why->why);
	p->tell_enroll_status = true;
	return brski_pledge_give_up(p, why, err);
}

/* RFC 9483 3.5 and 3.6: whatever does not verify ends the transaction. */
static enum brski_code open_answer(struct brski_pledge *p, const struct brski_http *response,
	struct brski_cmp_response *out, struct brski_error *why)
{
	const struct brski_cmp_trust trust = {
		.anchors = p->anchors, .known = p->chain, .now = brski_pledge_clock(p)};
	enum brski_code code;

	if (!brski_http_is_type(response, BRSKI_MEDIA_CMP)) {
		if (response->status / 100 != 2) {
			brski_pledge_not_ok(response, "CMP request", why);
			return why->code;
		}
		return brski_fail(
			why, BRSKI_UNSUPPORTED, "the answer to the CMP request is not %s", BRSKI_MEDIA_CMP);
	}
	code = brski_cmp_response(brski_buf_span(&response->body), &trust, &p->rec.tx, out, why);
	if (code != BRSKI_OK && out->type == BRSKI_CMP_ERROR && out->text[0] != '\0')
		return brski_fail(why, code, "%s; it says: %s", why->why, out->text);
	return code;
}

enum brski_code brski_pledge_cmp_answer(struct brski_pledge *p, const struct brski_http *response,
	brski_pledge_cmp_judge *judge, struct brski_error *err)
{
	struct brski_cmp_response r = {0};
	struct brski_error why = {0};
	bool decided;
	enum brski_code code;

	code = brski_pledge_put_off(p, response, &decided, err);
	if (code != BRSKI_OK || decided)
		return code;
	if (open_answer(p, response, &r, &why) == BRSKI_OK) {
		brski_buf_free(&p->rec.poll);
		code = judge(p, &r, err);
	} else {
		code = brski_pledge_refuse_enrollment(p, &why, err);
	}
	brski_cmp_response_free(&r);
	return code;
}

enum brski_code brski_pledge_poll_later(
	struct brski_pledge *p, const struct brski_cmp_response *r, struct brski_error *err)
{
	if (r->type == BRSKI_CMP_POLLREP)
		return brski_pledge_pause_or_defer(p, r->check_after, err);
	if (p->waiting_again)
		return brski_pledge_defer(p, POLL_DEFAULT, err);
	p->waiting_again = true;
	return brski_pledge_save(p, err);
}

void brski_pledge_cmp_refusal(const struct brski_cmp_response *r, const char *to, struct brski_error *why)
{
	const char *fail = r->fail == BRSKI_CMP_FAIL_NONE ? "no failInfo" : brski_cmp_fail_name(r->fail);

	if (r->status == BRSKI_CMP_REJECTION || r->type == BRSKI_CMP_ERROR)
		brski_fail(why, BRSKI_REFUSED, "the PKI refused the %s: %s (%s)", to,
			r->text[0] != '\0' ? r->text : "no reason given", fail);
	else
		brski_fail(why, BRSKI_UNEXPECTED, "the PKI answered the %s with %s", to,
			brski_cmp_type_name(r->type));
}
