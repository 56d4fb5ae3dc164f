/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "eap_brski/ground/url.h"
#include "eap_brski/registrar/registrar_internal.h"

const char *brski_mode_name(enum brski_mode mode)
{
	static const char *const names[] = {
		[BRSKI_MODE_INVENTORY] = "inventory",
		[BRSKI_MODE_MANUAL] = "manual",
		[BRSKI_MODE_MANUFACTURER] = "manufacturer",
		[BRSKI_MODE_TYPE] = "type",
		[BRSKI_MODE_OPEN] = "open",
	};

	return (unsigned)mode < sizeof(names) / sizeof(names[0]) ? names[mode] : "unknown";
}

static void free_certs(STACK_OF(X509) *certs)
{
	sk_X509_pop_free(certs, X509_free);
}

void brski_manufacturer_free(struct brski_manufacturer *m)
{
	free_certs(m->idevid_anchors);
	free_certs(m->voucher_anchors);
	free_certs(m->tls_anchors);
	sk_X509_CRL_pop_free(m->crls, X509_CRL_free);
	memset(m, 0, sizeof(*m));
}

static bool copy_certs(STACK_OF(X509) **to, STACK_OF(X509) *from)
{
	*to = from ? X509_chain_up_ref(from) : NULL;
	return !from || *to;
}

static bool copy_crls(STACK_OF(X509_CRL) **to, const STACK_OF(X509_CRL) *from)
{
	*to = from ? sk_X509_CRL_dup(from) : NULL;
	for (int i = 0; *to && i < sk_X509_CRL_num(*to); i++) {
		if (X509_CRL_up_ref(sk_X509_CRL_value(*to, i)))
			continue;
		while (sk_X509_CRL_num(*to) > i)
			(void)sk_X509_CRL_pop(*to);
		return false;
	}
	return !from || *to;
}

enum brski_code brski_manufacturer_copy(
	struct brski_manufacturer *to, const struct brski_manufacturer *from, struct brski_error *err)
{
	bool ok;

	*to = *from;
	to->idevid_anchors = to->voucher_anchors = to->tls_anchors = NULL;
	to->crls = NULL;
	ok = copy_certs(&to->idevid_anchors, from->idevid_anchors) &&
	     copy_certs(&to->voucher_anchors, from->voucher_anchors) &&
	     copy_certs(&to->tls_anchors, from->tls_anchors) && copy_crls(&to->crls, from->crls);
	if (ok)
		return BRSKI_OK;
	brski_manufacturer_free(to);
	return brski_fail(err, BRSKI_NO_MEMORY, "no memory for a manufacturer's certificates");
}

bool brski_registrar_is_own_trouble(enum brski_code code)
{
	return code == BRSKI_NO_MEMORY || code == BRSKI_INTERNAL || code == BRSKI_UNAVAILABLE;
}

bool brski_registrar_is_verdict(enum brski_code code)
{
	return code == BRSKI_UNTRUSTED || code == BRSKI_EXPIRED || code == BRSKI_REVOKED ||
	       code == BRSKI_UNSUPPORTED || code == BRSKI_REFUSED;
}

enum brski_code brski_registrar_trouble(enum brski_code code, const char *words, struct brski_error *err)
{
	return brski_fail_context(
		err, brski_registrar_is_own_trouble(code) ? code : BRSKI_INTERNAL, "%s", words);
}

enum brski_code brski_registrar_give_up(
	const struct brski_error *why, enum brski_code code, struct brski_error *err)
{
	if (err)
		*err = *why;
	return code;
}

static bool has_all_ops(const struct brski_registrar_ops *ops)
{
	return ops && ops->find_manufacturer && ops->decide && ops->job_room && ops->job_add &&
	       ops->job_put && ops->job_get && ops->note_put && ops->note_get && ops->permission_get &&
	       ops->permission_put && ops->permission_take_back && ops->event;
}

static enum brski_code config_check(const struct brski_registrar_config *c, struct brski_error *err)
{
	if (!c->credential || !c->credential->key || !c->credential->cert)
		return brski_fail(err, BRSKI_INTERNAL, "the registrar has no key and certificate");
	if (!c->domain_anchors || sk_X509_num(c->domain_anchors) < 1)
		return brski_fail(err, BRSKI_INTERNAL, "the registrar has no certificate of its domain's CA");
	if (!has_all_ops(c->ops))
		return brski_fail(err, BRSKI_INTERNAL, "the registrar lacks one of its callbacks");
	return BRSKI_OK;
}

/* The MASA may pin any certificate of our chain (RFC 8995 5.5.2), and logs that one's domainID. */
static enum brski_code domain_ids_make(struct brski_registrar *r, struct brski_error *err)
{
	int own = sk_X509_num(r->own_chain);
	int n = own + sk_X509_num(r->domain_anchors);
	enum brski_code code;

	r->domain_ids = calloc((size_t)n, sizeof(*r->domain_ids));
	r->known_domains = calloc((size_t)n, sizeof(*r->known_domains));
	if (!r->domain_ids || !r->known_domains)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	for (int i = 0; i < n; i++) {
		const X509 *cert =
			i < own ? sk_X509_value(r->own_chain, i) : sk_X509_value(r->domain_anchors, i - own);

		code = brski_domain_id(cert, &r->domain_ids[i], err);
		if (code != BRSKI_OK)
			return code;
		r->known_domains[i] = brski_buf_span(&r->domain_ids[i]);
		r->n_domain_ids++;
	}
	return BRSKI_OK;
}

static enum brski_code own_chain_make(struct brski_registrar *r, struct brski_error *err)
{
	r->own_chain = r->credential.chain ? X509_chain_up_ref(r->credential.chain) : sk_X509_new_null();
	if (!r->own_chain || !X509_up_ref(r->credential.cert))
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	if (sk_X509_unshift(r->own_chain, r->credential.cert) > 0)
		return BRSKI_OK;
	X509_free(r->credential.cert);
	return brski_fail(err, BRSKI_NO_MEMORY, "no memory");
}

static void own_chain_judge(struct brski_registrar *r)
{
	struct brski_error err;
	time_t now = brski_now(r->env);

	/*
	 * RFC 8995 5.5.4: a MASA must refuse a registrar without id-kp-cmcRA. An operator may be
	 * testing, so it is said only.
	 */
	if (brski_chain_verify(r->own_chain, r->domain_anchors, NULL, BRSKI_USE_REGISTRAR, now, &err) !=
		BRSKI_OK)
		brski_log(r->env, BRSKI_LOG_WARN,
			"MASAs and pledges will refuse the registrar's own certificate: %s", err.why);
}

static void set_ages(struct brski_registrar *r, const struct brski_registrar_config *c)
{
	r->voucher_grant_age =
		c->voucher_grant_age > 0 ? c->voucher_grant_age : BRSKI_VOUCHER_GRANT_AGE_DEFAULT;
	r->certificate_grant_age =
		c->certificate_grant_age > 0 ? c->certificate_grant_age : BRSKI_CERTIFICATE_GRANT_AGE_DEFAULT;
	r->report_repeat_age =
		c->report_repeat_age > 0 ? c->report_repeat_age : BRSKI_REPORT_REPEAT_AGE_DEFAULT;
}

static enum brski_code registrar_fill(
	struct brski_registrar *r, const struct brski_registrar_config *c, struct brski_error *err)
{
	const char *url = c->cmp_url ? c->cmp_url : "";
	enum brski_code code =
		brski_url_read(brski_span_str(url), BRSKI_URL_HTTP_TOO, r->cmp_url, sizeof(r->cmp_url), err);

	if (code != BRSKI_OK)
		return brski_fail_context(err, BRSKI_INTERNAL, "\"%.80s\" is no URL of a PKI", url);
	code = brski_credential_copy(&r->credential, c->credential, err);
	if (code != BRSKI_OK)
		return code;
	r->domain_anchors = X509_chain_up_ref((STACK_OF(X509) *)c->domain_anchors);
	r->pki_tls_anchors = X509_chain_up_ref(
		(STACK_OF(X509) *)(c->pki_tls_anchors ? c->pki_tls_anchors : c->domain_anchors));
	r->cmp_signers =
		c->cmp_signers ? X509_chain_up_ref((STACK_OF(X509) *)c->cmp_signers) : sk_X509_new_null();
	if (!r->domain_anchors || !r->pki_tls_anchors || !r->cmp_signers)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	r->cmp_profiles = strdup(c->cmp_profiles ? c->cmp_profiles : "");
	r->masa_hosts = strdup(c->masa_hosts ? c->masa_hosts : "");
	if (!r->cmp_profiles || !r->masa_hosts)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	r->labels = c->labels;
	r->nest = c->nest;
	r->answer_genm = c->answer_genm;
	r->check_answers = c->check_answers;
	r->enroll_without_voucher = c->enroll_without_voucher;
	r->retry_after = c->retry_after > 0 ? c->retry_after : BRSKI_RETRY_AFTER_DEFAULT;
	r->waiting_max = c->waiting_max;
	set_ages(r, c);
	r->ops = *c->ops;
	r->ops_ctx = c->ops_ctx;
	r->env = c->env;
	code = own_chain_make(r, err);
	return code == BRSKI_OK ? domain_ids_make(r, err) : code;
}

enum brski_code brski_registrar_new(
	const struct brski_registrar_config *config, struct brski_registrar **out, struct brski_error *err)
{
	struct brski_registrar *r;
	enum brski_code code;

	*out = NULL;
	code = config_check(config, err);
	if (code != BRSKI_OK)
		return code;
	r = calloc(1, sizeof(*r));
	if (!r)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	code = registrar_fill(r, config, err);
	if (code != BRSKI_OK) {
		brski_registrar_free(r);
		return code;
	}
	own_chain_judge(r);
	*out = r;
	return BRSKI_OK;
}

void brski_registrar_free(struct brski_registrar *r)
{
	if (!r)
		return;
	brski_credential_free(&r->credential);
	free_certs(r->own_chain);
	free_certs(r->domain_anchors);
	free_certs(r->pki_tls_anchors);
	free_certs(r->cmp_signers);
	for (size_t i = 0; i < r->n_domain_ids; i++)
		brski_buf_free(&r->domain_ids[i]);
	free(r->domain_ids);
	free(r->cmp_profiles);
	free(r->masa_hosts);
	free(r->known_domains);
	free(r);
}

const struct brski_credential *brski_registrar_credential(const struct brski_registrar *r)
{
	return &r->credential;
}
