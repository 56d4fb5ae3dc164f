/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/artifacts/voucher.h"

#include <string.h>

#include "eap_brski/ground/base64.h"

void brski_voucher_free(struct brski_voucher *v)
{
	brski_buf_free(&v->idevid_issuer);
	brski_buf_free(&v->nonce);
	brski_buf_free(&v->pinned_domain_cert);
	brski_buf_free(&v->pinned_domain_pubk);
	brski_buf_free(&v->pinned_domain_pubk_sha256);
	brski_buf_free(&v->proximity_registrar_cert);
	brski_buf_free(&v->prior_signed_voucher_request);
	memset(v, 0, sizeof(*v));
}

enum brski_code brski_nonce_read(struct brski_span text, struct brski_buf *out, struct brski_error *err)
{
	bool url = memchr(text.data, '-', text.len) || memchr(text.data, '_', text.len);
	enum brski_code code =
		url ? brski_base64url_decode(text, out, err) : brski_base64_decode(text, out, err);

	if (code != BRSKI_OK)
		return brski_fail_context(err, code, "nonce");
	if (out->len >= BRSKI_NONCE_MIN && out->len <= BRSKI_NONCE_MAX)
		return BRSKI_OK;
	code = brski_fail(err, BRSKI_MALFORMED, "nonce of %zu octets (RFC 8366 5.3: 8 to 32)", out->len);
	brski_buf_reset(out);
	return code;
}

static bool says(const char *text, struct brski_span octets)
{
	struct brski_buf read = {0};
	bool same = text[0] != '\0' && brski_nonce_read(brski_span_str(text), &read, NULL) == BRSKI_OK &&
		    brski_span_equal(brski_buf_span(&read), octets);

	brski_buf_free(&read);
	return same;
}

enum brski_code brski_voucher_nonce(
	const struct brski_voucher *v, char out[BRSKI_NONCE_TEXT_MAX], struct brski_error *err)
{
	struct brski_buf text = {0};

	out[0] = '\0';
	if (v->nonce.len == 0)
		return BRSKI_OK;
	if (v->nonce.len > BRSKI_NONCE_MAX)
		return brski_fail(err, BRSKI_MALFORMED, "nonce of %zu octets", v->nonce.len);
	if (says(v->nonce_text, brski_buf_span(&v->nonce))) {
		memcpy(out, v->nonce_text, strlen(v->nonce_text) + 1);
		return BRSKI_OK;
	}
	if (brski_base64_encode(brski_buf_span(&v->nonce), &text) != BRSKI_OK)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for a nonce");
	memcpy(out, text.data, text.len);
	out[text.len] = '\0';
	brski_buf_free(&text);
	return BRSKI_OK;
}

const char *brski_assertion_name(enum brski_assertion a)
{
	switch (a) {
	case BRSKI_ASSERTION_VERIFIED:
		return "verified";
	case BRSKI_ASSERTION_LOGGED:
		return "logged";
	case BRSKI_ASSERTION_PROXIMITY:
		return "proximity";
	case BRSKI_ASSERTION_AGENT_PROXIMITY:
		return "agent-proximity";
	case BRSKI_ASSERTION_OTHER:
		return "other";
	case BRSKI_ASSERTION_NONE:
		break;
	}
	return "none";
}

enum brski_assertion brski_assertion_parse(const char *name)
{
	static const enum brski_assertion all[] = {BRSKI_ASSERTION_VERIFIED, BRSKI_ASSERTION_LOGGED,
		BRSKI_ASSERTION_PROXIMITY, BRSKI_ASSERTION_AGENT_PROXIMITY};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (strcmp(brski_assertion_name(all[i]), name) == 0)
			return all[i];
	}
	return BRSKI_ASSERTION_OTHER;
}
