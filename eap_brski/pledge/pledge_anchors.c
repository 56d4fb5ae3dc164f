/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/cmp/cmp_oids.h"
#include "eap_brski/pledge/pledge_internal.h"

#include "eap_brski/artifacts/paths.h"

/*
 * Whom a voucher makes us trust. Most pin a CA of the domain. One may pin the registrar's own
 * certificate (RFC 8995 5.6.2 and C.2): then nothing else of the domain verifies yet, and the
 * registrar is asked for the domain's CA certificates before anything else, RFC 8995 5.9.1 by the
 * means of RFC 9483 4.3.1. It must sign that answer itself.
 */

static enum brski_code add_pinned(
	const struct brski_pledge *p, STACK_OF(X509) *anchors, struct brski_error *err)
{
	X509 *pinned = NULL;
	enum brski_code code;

	code = brski_cert_from_der(brski_buf_span(&p->rec.pinned), &pinned, err);
	if (code != BRSKI_OK)
		return code;
	if (sk_X509_push(anchors, pinned) > 0)
		return BRSKI_OK;
	X509_free(pinned);
	return brski_fail(err, BRSKI_NO_MEMORY, "no memory for the pinned certificate");
}

static enum brski_code add_domain_cas(
	const struct brski_pledge *p, STACK_OF(X509) *anchors, struct brski_error *err)
{
	STACK_OF(X509) *cas = NULL;
	enum brski_code code;

	if (p->rec.domain_cas.len == 0)
		return BRSKI_OK;
	code = brski_certs_from_pem(brski_buf_span(&p->rec.domain_cas), &cas, err);
	if (code == BRSKI_OK && X509_add_certs(anchors, cas, X509_ADD_FLAG_UP_REF) != 1)
		code = brski_fail(err, BRSKI_NO_MEMORY, "no memory for the domain's certificates");
	sk_X509_pop_free(cas, X509_free);
	return code;
}

enum brski_code brski_pledge_load_anchors(struct brski_pledge *p, struct brski_error *err)
{
	STACK_OF(X509) *anchors;
	enum brski_code code;

	if (p->rec.pinned.len == 0)
		return BRSKI_OK;
	anchors = sk_X509_new_null();
	code = anchors ? add_pinned(p, anchors, err)
		       : brski_fail(err, BRSKI_NO_MEMORY, "no memory for anchors");
	if (code == BRSKI_OK)
		code = add_domain_cas(p, anchors, err);
	if (code != BRSKI_OK) {
		sk_X509_pop_free(anchors, X509_free);
		return code;
	}
	sk_X509_pop_free(p->anchors, X509_free);
	p->anchors = anchors;
	return BRSKI_OK;
}

bool brski_pledge_lacks_ca(const struct brski_pledge *p)
{
	return p->rec.domain_cas.len == 0 && !brski_cert_is_ca(sk_X509_value(p->anchors, 0));
}

/* The transaction ends with its answer, so nothing of it is stored. */
enum brski_code brski_pledge_build_ca_certs(
	struct brski_pledge *p, struct brski_http *request, struct brski_error *err)
{
	struct brski_buf message = {0};
	enum brski_code code;

	code = brski_cmp_genm(&p->idevid, BRSKI_OID_CA_CERTS, p->config.env, &p->rec.tx, &message, err);
	if (code == BRSKI_OK)
		code = brski_http_request(request, "POST", BRSKI_PATH_CMP_GETCACERTS, BRSKI_MEDIA_CMP,
			brski_buf_span(&message), err);
	brski_buf_free(&message);
	return code;
}

static enum brski_code check_cas(const struct brski_cmp_response *r, struct brski_error *why)
{
	if (r->type != BRSKI_CMP_GENP) {
		brski_pledge_cmp_refusal(r, "request for CA certificates", why);
		return why->code;
	}
	if (sk_X509_num(r->ca_pubs) < 1)
		return brski_fail(why, BRSKI_NOT_FOUND, "the registrar has no CA certificates of its domain");
	for (int i = 0; i < sk_X509_num(r->ca_pubs); i++) {
		if (!brski_cert_is_ca(sk_X509_value(r->ca_pubs, i)))
			return brski_fail(why, BRSKI_MISMATCH, "a CA certificate of the domain is none");
	}
	return BRSKI_OK;
}

static enum brski_code take_cas(
	struct brski_pledge *p, const struct brski_cmp_response *r, struct brski_error *err)
{
	enum brski_code code;

	code = brski_certs_to_pem(r->ca_pubs, &p->rec.domain_cas, err);
	if (code == BRSKI_OK)
		code = brski_pledge_load_anchors(p, err);
	return code == BRSKI_OK ? brski_pledge_save(p, err) : code;
}

static enum brski_code judge_answer(
	struct brski_pledge *p, const struct brski_cmp_response *r, struct brski_error *err)
{
	struct brski_error why = {0};

	/* asked anew at the next visit: there is no harm in a second question */
	if (r->type == BRSKI_CMP_ERROR && r->status == BRSKI_CMP_WAITING)
		return brski_pledge_poll_later(p, r, err);
	if (check_cas(r, &why) != BRSKI_OK)
		return brski_pledge_refuse_enrollment(p, &why, err);
	return take_cas(p, r, err);
}

enum brski_code brski_pledge_answer_ca_certs(
	struct brski_pledge *p, const struct brski_http *response, struct brski_error *err)
{
	return brski_pledge_cmp_answer(p, response, judge_answer, err);
}
