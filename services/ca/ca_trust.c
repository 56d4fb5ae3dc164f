/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/ground/env.h"
#include "services/ca/ca_internal.h"

/* Who may ask this CA for certificates. */

/*
 * A CA knows a registration authority by its certificate's extended key usage, RFC 9483 5.2.2.1 and
 * RFC 6402 2.10.
 */
static enum brski_code check_is_ra(const struct ca *ca, const STACK_OF(X509) *chain, struct brski_error *err)
{
	enum brski_code code =
		brski_chain_verify(chain, ca->ra_anchors, NULL, BRSKI_USE_REGISTRAR, brski_now(ca->env), err);

	if (code == BRSKI_OK && ca->ra_list && !brski_certs_have(ca->ra_list, sk_X509_value(chain, 0)))
		code = brski_fail(err, BRSKI_REFUSED, "it is not in the list of registration authorities");
	return code;
}

static enum brski_code check_ra(void *ctx, const STACK_OF(X509) *chain, struct brski_error *err)
{
	struct ca_job *job = ctx;
	enum brski_code code;

	brski_name_text(X509_get_subject_name(sk_X509_value(chain, 0)), job->ra, sizeof(job->ra));
	code = check_is_ra(job->ca, chain, err);
	job->fail = BRSKI_CMP_FAIL_NONE;
	if (code == BRSKI_OK)
		return code;
	job->fail = code == BRSKI_REFUSED ? BRSKI_CMP_NOT_AUTHORIZED : BRSKI_CMP_SIGNER_NOT_TRUSTED;
	return brski_fail_context(err, code, "the registration authority %s", job->ra);
}

enum brski_code ca_open_message(struct ca_job *job, struct brski_error *err)
{
	STACK_OF(X509) *chain = NULL;
	enum brski_code code;

	job->msg = &job->outer;
	if (job->outer.type != BRSKI_CMP_NESTED)
		return BRSKI_OK;
	job->nested = true;
	code = brski_cmp_verify_judged(&job->outer, NULL, check_ra, job, &chain, err);
	sk_X509_pop_free(chain, X509_free);
	if (code != BRSKI_OK && job->fail == BRSKI_CMP_FAIL_NONE) {
		job->fail = brski_cmp_protection_fail(&job->outer, code);
		return brski_fail_context(err, code, "the registration authority's protection");
	}
	if (code == BRSKI_OK)
		code = brski_cmp_unnest(&job->outer, &job->inner, err);
	if (code == BRSKI_OK)
		job->msg = &job->inner;
	return code;
}

/* Trouble of our own is no answer: what it says is the caller's to hand on. */
static bool is_trouble(enum brski_code code)
{
	return code == BRSKI_NO_MEMORY || code == BRSKI_INTERNAL;
}

/*
 * RFC 9483 5.2.3: a registration authority may replace the protection of what it approves by its own, or
 * ask by itself for devices that speak something else to it. It is the same one as around nested
 * messages, if this CA takes any.
 */
static enum brski_code check_asks_itself(struct ca_job *job, struct brski_error *err)
{
	const struct ca *ca = job->ca;
	struct brski_error why = {0};
	char name[160];
	enum brski_code code = check_is_ra(ca, job->signers, &why);

	if (is_trouble(code))
		return brski_fail(err, code, "%s", why.why);
	job->by_ra = code == BRSKI_OK;
	if (job->by_ra && (ca->idevid_anchors || ca->trust_ra))
		return BRSKI_OK;
	if (ca->client_anchors)
		return brski_chain_verify(
			job->signers, ca->client_anchors, NULL, BRSKI_USE_ANY, brski_now(ca->env), err);
	job->fail = BRSKI_CMP_NOT_AUTHORIZED;
	brski_name_text(X509_get_subject_name(sk_X509_value(job->signers, 0)), name, sizeof(name));
	return brski_fail(err, BRSKI_REFUSED,
		"%s asks by itself: this CA takes requests through a registration authority only%s%s", name,
		job->by_ra ? "" : ", and it is none: ", job->by_ra ? "" : why.why);
}

static enum brski_code check_device(const struct ca_job *job, struct brski_error *err)
{
	const struct ca *ca = job->ca;
	char name[160];

	if (ca->idevid_anchors)
		return brski_chain_verify(
			job->signers, ca->idevid_anchors, NULL, BRSKI_USE_ANY, brski_now(ca->env), err);
	if (ca->trust_ra)
		return BRSKI_OK;
	brski_name_text(X509_get_subject_name(sk_X509_value(job->signers, 0)), name, sizeof(name));
	return brski_fail(err, BRSKI_UNTRUSTED, "%s: no manufacturer is configured", name);
}

enum brski_code ca_check_signer(struct ca_job *job, struct brski_error *err)
{
	enum brski_code code;

	job->fail = BRSKI_CMP_SIGNER_NOT_TRUSTED;
	code = job->nested ? check_device(job, err) : check_asks_itself(job, err);
	if (code != BRSKI_OK)
		return brski_fail_context(err, code, "who signed the request");
	job->fail = BRSKI_CMP_FAIL_NONE;
	return BRSKI_OK;
}
