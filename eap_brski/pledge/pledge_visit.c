/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/pledge/pledge_internal.h"

#include <stdlib.h>
#include <string.h>

/* Making a pledge, its visits to registrars, and what it tells of itself. */

static enum brski_code copy_config(
	struct brski_pledge *p, const struct brski_pledge_config *config, struct brski_error *err)
{
	enum brski_code code;

	p->config = *config;
	code = brski_credential_copy(&p->idevid, config->idevid, err);
	if (code != BRSKI_OK)
		return code;
	p->masa_anchors = config->masa_anchors ? X509_chain_up_ref((STACK_OF(X509) *)config->masa_anchors)
					       : sk_X509_new_null();
	p->cert_profile = config->cert_profile ? strdup(config->cert_profile) : NULL;
	if (!p->masa_anchors || (config->cert_profile && !p->cert_profile))
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for a pledge");
	p->config.idevid = &p->idevid;
	p->config.masa_anchors = p->masa_anchors;
	p->config.cert_profile = p->cert_profile;
	return BRSKI_OK;
}

/* Forgets what an earlier onboarding left behind, but not its credential. */
static enum brski_code start_over(struct brski_pledge *p, struct brski_error *err)
{
	enum brski_code code;

	brski_pledge_record_start_over(&p->rec);
	code = brski_pledge_move(p, BRSKI_CAUSE_START_OVER, err);
	if (code != BRSKI_OK)
		return code;
	brski_pledge_remove_generation(p, p->rec.credential + 1);
	sk_X509_pop_free(p->anchors, X509_free);
	EVP_PKEY_free(p->key);
	X509_free(p->cert);
	p->anchors = NULL;
	p->key = NULL;
	p->cert = NULL;
	return BRSKI_OK;
}

static enum brski_code set_up(
	struct brski_pledge *p, const struct brski_pledge_config *config, struct brski_error *err)
{
	bool again = false;
	enum brski_code code;

	code = copy_config(p, config, err);
	if (code == BRSKI_OK)
		code = brski_cert_serial_number(p->idevid.cert, p->serial_number, err);
	if (code == BRSKI_OK)
		code = brski_pledge_load(p, &again, err);
	if (code != BRSKI_OK)
		return code;
	if (again || p->rec.state == BRSKI_PLEDGE_ENROLLED || p->rec.state == BRSKI_PLEDGE_FAILED)
		return start_over(p, err);
	return BRSKI_OK;
}

enum brski_code brski_pledge_new(
	const struct brski_pledge_config *config, struct brski_pledge **out, struct brski_error *err)
{
	struct brski_pledge *p;
	enum brski_code code;

	*out = NULL;
	if (!config->idevid || !config->idevid->key || !config->idevid->cert)
		return brski_fail(
			err, BRSKI_NOT_FOUND, "a pledge needs an IDevID: certificate and private key");
	p = calloc(1, sizeof(*p));
	if (!p)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for a pledge");
	code = set_up(p, config, err);
	if (code != BRSKI_OK) {
		brski_pledge_free(p);
		return code;
	}
	*out = p;
	return BRSKI_OK;
}

void brski_pledge_free(struct brski_pledge *p)
{
	if (!p)
		return;
	brski_credential_free(&p->idevid);
	sk_X509_pop_free(p->masa_anchors, X509_free);
	free(p->cert_profile);
	brski_pledge_record_free(&p->rec);
	sk_X509_pop_free(p->anchors, X509_free);
	EVP_PKEY_free(p->key);
	X509_free(p->cert);
	sk_X509_pop_free(p->chain, X509_free);
	brski_buf_free(&p->rejection);
	free(p);
}

/* RFC 8995 5.1 before a voucher; once imprinted, the domain's certificate is the sole anchor (5.6.2). */
static enum brski_code judge_registrar(struct brski_pledge *p, struct brski_error *err)
{
	struct brski_error why = {0};
	enum brski_code code;

	if (!p->anchors) {
		p->trust = BRSKI_TRUST_PROVISIONAL;
		return BRSKI_OK;
	}
	code = brski_chain_verify(
		p->chain, p->anchors, NULL, BRSKI_USE_REGISTRAR, brski_pledge_clock(p), &why);
	if (code != BRSKI_OK) {
		brski_fail_context(&why, code, "this registrar is not of the domain that owns the device");
		brski_pledge_event(p, BRSKI_EVENT_FAILED, why.why);
		return brski_fail(err, code, "%s", why.why);
	}
	p->trust = BRSKI_TRUST_VERIFIED;
	return BRSKI_OK;
}

enum brski_code brski_pledge_connected(
	struct brski_pledge *p, const STACK_OF(X509) *chain, struct brski_error *err)
{
	enum brski_code code;

	if (p->halted || p->rec.state == BRSKI_PLEDGE_ENROLLED || p->rec.state == BRSKI_PLEDGE_FAILED)
		return brski_fail(err, BRSKI_UNEXPECTED, "this onboarding is over");
	if (sk_X509_num(chain) < 1)
		return brski_fail(err, BRSKI_UNTRUSTED, "the registrar showed no certificate");
	sk_X509_pop_free(p->chain, X509_free);
	p->chain = X509_chain_up_ref((STACK_OF(X509) *)chain);
	p->trust = BRSKI_TRUST_NONE;
	p->n_flight = 0;
	p->over = false;
	p->waiting_again = false;
	p->pause = 0;
	p->n_pauses = 0;
	if (!p->chain)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for the registrar's certificates");
	code = judge_registrar(p, err);
	if (code != BRSKI_OK)
		return code;
	brski_pledge_event_subject(p, BRSKI_EVENT_TUNNEL, sk_X509_value(p->chain, 0));
	if (brski_pledge_retry_after(p) > 0) { /* RFC 8995 5.6: the pledge MUST wait at least so long */
		p->over = true;
		brski_pledge_event_deferred(p);
		return BRSKI_OK;
	}
	p->rec.told = 0;
	p->rec.not_before = 0;
	return BRSKI_OK;
}

enum brski_pledge_state brski_pledge_state(const struct brski_pledge *p)
{
	return p->rec.state;
}

const char *brski_pledge_reason(const struct brski_pledge *p)
{
	return p->rec.state == BRSKI_PLEDGE_FAILED ? p->rec.reason : "";
}
