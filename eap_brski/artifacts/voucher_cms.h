/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_ARTIFACTS_VOUCHER_CMS_H
#define BRSKI_ARTIFACTS_VOUCHER_CMS_H

#include "eap_brski/artifacts/voucher.h"
#include "eap_brski/pki/cms.h"

/* Vouchers and voucher-requests in their signed envelope, RFC 8366 5.4. */

/*
 * Prints and signs, with the signer's chain in the envelope or without. BRSKI_EXPIRED: it is a
 * voucher and would outlive its pinned-domain-cert (RFC 8366 5.3). What *cms held is freed.
 */
BRSKI_CHECKED enum brski_code brski_voucher_sign(const struct brski_voucher *v,
	const struct brski_credential *signer, bool with_chain, struct brski_buf *cms,
	struct brski_error *err);
/*
 * Opens, and parses what must be of this kind. The signature is checked with the certificate of the envelope or of `extra` that
 * the SignerInfo names; *certs is new, as brski_cms_open() has it. Whether the signer may be trusted
 * is the caller's to judge: see voucher_check.h. On failure *out is empty and *certs NULL.
 */
BRSKI_CHECKED enum brski_code brski_voucher_open(struct brski_span cms, const STACK_OF(X509) *extra,
	enum brski_voucher_kind want, struct brski_voucher *out, STACK_OF(X509) **certs,
	struct brski_error *err);

#endif
