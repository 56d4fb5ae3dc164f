/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/registrar/nonceless.h"

#include <string.h>

#include <openssl/x509v3.h>

#include "eap_brski/artifacts/voucher_check.h"
#include "eap_brski/artifacts/voucher_request.h"
#include "eap_brski/ground/text.h"
#include "eap_brski/pki/idevid_issuer.h"
#include "eap_brski/registrar/registrar_internal.h"

enum brski_code brski_nonceless_issuer(const X509 *ca, struct brski_buf *issuer, struct brski_error *err)
{
	ASN1_OCTET_STRING *id = X509_get_ext_d2i(ca, NID_subject_key_identifier, NULL, NULL);
	enum brski_code code;

	brski_buf_reset(issuer);
	if (!id)
		return brski_fail(err, BRSKI_NOT_FOUND, "the CA's certificate has no SubjectKeyIdentifier");
	code = brski_idevid_issuer_make(brski_span(id->data, (size_t)id->length), issuer, err);
	ASN1_OCTET_STRING_free(id);
	return code;
}

enum brski_code brski_nonceless_request(const struct brski_registrar *r, const char *serial,
	struct brski_span issuer, struct brski_buf *cms, struct brski_error *err)
{
	return brski_voucher_request_nonceless(&r->credential, serial, issuer, brski_now(r->env), cms, err);
}

enum brski_code brski_nonceless_plan(const struct brski_manufacturer *m, struct brski_span cms, unsigned i,
	struct brski_planned *out, struct brski_error *err)
{
	const char *operation = i == 0 ? BRSKI_MASA_VOUCHER : BRSKI_MASA_AUDIT_LOG;
	enum brski_code code;

	memset(out, 0, sizeof(*out));
	if (i > 1 || (i == 1 && !m->audit_log))
		return brski_fail(err, BRSKI_NOT_FOUND, "no such call");
	code = brski_registrar_masa_call(
		m->masa_url, m->name, operation, cms, out->url, sizeof(out->url), &out->request, err);
	if (code != BRSKI_OK)
		brski_planned_free(out);
	return code;
}

/* ---- Answers ---- */

enum brski_code brski_nonceless_check(const struct brski_registrar *r, const struct brski_manufacturer *m,
	const char *serial, struct brski_span issuer, struct brski_span cms, time_t *expires_on,
	struct brski_error *err)
{
	const struct brski_voucher_expect expect = {
		.serial_number = serial,
		.idevid_issuer = issuer,
		.masa_anchors = m->voucher_anchors ? m->voucher_anchors : m->idevid_anchors,
		.now = brski_now(r->env),
		.domain_chain = r->own_chain,
		.domain_use = BRSKI_USE_REGISTRAR,
	};
	struct brski_voucher voucher = {0};
	enum brski_code code = brski_voucher_check(cms, &expect, &voucher, NULL, err);

	*expires_on = voucher.expires_on;
	brski_voucher_free(&voucher);
	return code;
}

enum brski_code brski_registrar_audit_log_take(const struct brski_registrar *r,
	const struct brski_manufacturer *m, struct brski_span body, size_t *n, struct brski_error *err)
{
	const struct brski_audit_policy policy = {
		.known_domains = r->known_domains,
		.n_known = r->n_domain_ids,
		.allow_foreign = m->allow_foreign_domains,
		.allow_nonceless = m->allow_nonceless,
	};
	struct brski_audit_log log = {0};
	enum brski_code code = brski_audit_log_parse(body, &log, err);

	*n = log.n_events;
	if (code == BRSKI_OK)
		code = brski_audit_log_judge(&log, &policy, err);
	brski_audit_log_free(&log);
	return code;
}

static enum brski_code check_status(const struct brski_http *answer, struct brski_error *err)
{
	char words[128];

	if (answer->status == 200)
		return BRSKI_OK;
	brski_http_reply_words(answer, words, sizeof(words));
	return brski_fail(err, brski_http_is_temporary(answer) ? BRSKI_UNAVAILABLE : BRSKI_REFUSED,
		"the MASA %s: %u%s%s", brski_http_is_temporary(answer) ? "has no answer yet" : "refused",
		answer->status, words[0] ? " " : "", words);
}

enum brski_code brski_nonceless_voucher(const struct brski_registrar *r, const struct brski_manufacturer *m,
	const char *serial, struct brski_span issuer, const struct brski_http *answer, time_t *expires_on,
	struct brski_error *err)
{
	enum brski_code code = check_status(answer, err);

	*expires_on = 0;
	if (code != BRSKI_OK)
		return code;
	if (!brski_http_is_type(answer, BRSKI_MEDIA_VOUCHER))
		return brski_fail(
			err, BRSKI_UNSUPPORTED, "what the MASA answers is no voucher (Content-Type)");
	return brski_nonceless_check(r, m, serial, issuer, brski_buf_span(&answer->body), expires_on, err);
}

enum brski_code brski_nonceless_audit_log(const struct brski_registrar *r, const struct brski_manufacturer *m,
	const struct brski_http *answer, struct brski_error *err)
{
	enum brski_code code = check_status(answer, err);
	size_t n;

	return code == BRSKI_OK ? brski_registrar_audit_log_take(r, m, brski_buf_span(&answer->body), &n, err)
				: code;
}
