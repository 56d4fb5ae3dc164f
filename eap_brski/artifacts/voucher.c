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
