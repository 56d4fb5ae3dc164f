/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/pledge/pledge_internal.h"

/* pollReq, RFC 9483 4.4: for a certificate, or for its confirmation. */

/*
 * A pollReq that was sent, and not answered by CMP, is sent again as it is, also after a reboot:
 * the PKI may have answered it meanwhile, and expects a later one to answer that answer
 * (recipNonce, RFC 9483 3.5).
 */
enum brski_code brski_pledge_build_poll(
	struct brski_pledge *p, struct brski_http *request, struct brski_error *err)
{
	enum brski_code code = BRSKI_OK;

	if (p->rec.poll.len == 0) {
		code = brski_cmp_poll_req(
			&p->idevid, p->rec.poll_id, p->config.env, &p->rec.tx, &p->rec.poll, err);
		if (code == BRSKI_OK)
			code = brski_pledge_save(p, err);
	}
	return code == BRSKI_OK ? brski_pledge_cmp_post(p, &p->rec.poll, request, err) : code;
}

enum brski_code brski_pledge_answer_poll(
	struct brski_pledge *p, const struct brski_http *response, struct brski_error *err)
{
	if (p->rec.state == BRSKI_PLEDGE_CONFIRM_POLL)
		return brski_pledge_answer_confirm(p, response, err);
	return brski_pledge_answer_cert(p, response, err);
}
