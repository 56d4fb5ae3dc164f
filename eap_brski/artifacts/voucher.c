/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/artifacts/voucher.h"

#include <string.h>

void brski_voucher_free(struct brski_voucher *v)
{
	brski_buf_free(&v->idevid_issuer);
	brski_buf_free(&v->nonce);
	brski_buf_free(&v->pinned_domain_cert);
	brski_buf_free(&v->proximity_registrar_cert);
	brski_buf_free(&v->prior_signed_voucher_request);
	memset(v, 0, sizeof(*v));
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
	case BRSKI_ASSERTION_NONE:
		break;
	}
	return "none";
}

bool brski_assertion_parse(const char *name, enum brski_assertion *out)
{
	static const enum brski_assertion all[] = {
		BRSKI_ASSERTION_VERIFIED, BRSKI_ASSERTION_LOGGED, BRSKI_ASSERTION_PROXIMITY};

	*out = BRSKI_ASSERTION_NONE;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (strcmp(brski_assertion_name(all[i]), name) == 0) {
			*out = all[i];
			return true;
		}
	}
	return false;
}
