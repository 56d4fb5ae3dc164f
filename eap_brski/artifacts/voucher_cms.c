/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/artifacts/voucher_cms.h"

#include <string.h>

#include "eap_brski/artifacts/voucher_json.h"

/* RFC 8366 5.3: expires-on MUST NOT exceed the expiration date of the pinned certificate. */
static enum brski_code check_expires_with_pinned(const struct brski_voucher *v, struct brski_error *err)
{
	time_t expires_on = v->expires_on;
	enum brski_code code;
	X509 *pinned;

	if (v->is_request || expires_on == 0)
		return BRSKI_OK;
	code = brski_cert_from_der(brski_buf_span(&v->pinned_domain_cert), &pinned, err);
	if (code != BRSKI_OK)
		return brski_fail_context(err, code, "pinned-domain-cert");
	if (X509_cmp_time(X509_get0_notAfter(pinned), &expires_on) < 0)
		code = brski_fail(err, BRSKI_EXPIRED, "voucher would outlive the certificate that it pins");
	X509_free(pinned);
	return code;
}

enum brski_code brski_voucher_sign(const struct brski_voucher *v, const struct brski_credential *signer,
	bool with_chain, struct brski_buf *cms, struct brski_error *err)
{
	struct brski_buf json = {0};
	enum brski_code code;

	brski_buf_reset(cms);
	code = brski_voucher_print(v, &json, err);
	if (code == BRSKI_OK)
		code = check_expires_with_pinned(v, err);
	if (code == BRSKI_OK)
		code = brski_cms_sign(brski_buf_span(&json), signer, with_chain, cms, err);
	brski_buf_free(&json);
	return code;
}

enum brski_code brski_voucher_open(struct brski_span cms, const STACK_OF(X509) *extra,
	enum brski_voucher_kind want, struct brski_voucher *out, STACK_OF(X509) **certs,
	struct brski_error *err)
{
	struct brski_buf json = {0};
	time_t signed_on;
	enum brski_code code;

	memset(out, 0, sizeof(*out));
	code = brski_cms_open(cms, extra, &json, certs, &signed_on, err);
	if (code == BRSKI_OK)
		code = brski_voucher_parse(brski_buf_span(&json), want, out, err);
	if (code == BRSKI_OK)
		out->signed_on = signed_on;
	brski_buf_free(&json);
	if (code != BRSKI_OK) {
		sk_X509_pop_free(*certs, X509_free);
		*certs = NULL;
	}
	return code;
}
