/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_PKI_CMS_H
#define BRSKI_PKI_CMS_H

#include <time.h>

#include "eap_brski/pki/credential.h"

/*
 * The envelope of RFC 8366 5.4: CMS SignedData with one signer, content type id-ct-animaJSONVoucher
 * (1.2.840.113549.1.9.16.1.40); id-data is accepted too, since RFC 8995's own examples use it.
 */
#define BRSKI_CMS_MAX 32768

/*
 * Signs; the signer's certificate and its chain go with it when with_chain says so (else the
 * signer's alone).
 */
BRSKI_CHECKED enum brski_code brski_cms_sign(struct brski_span content, const struct brski_credential *signer,
	bool with_chain, struct brski_buf *out, struct brski_error *err);

/*
 * Parses and verifies the signature with the certificate in the envelope that the SignerInfo names;
 * extra certificates (may be NULL) are looked at also. It says that the signer signed, not that the
 * signer is trusted: see brski_chain_verify. *content gets the signed octets. *certs is new: the
 * signer first, then the other certificates of the envelope. *signed_on (may be NULL) is the
 * attribute signingTime, 0 if it is not there. Refused: detached content, not exactly one signer, no
 * signed attributes, trailing octets, digest algorithms weaker than SHA-256, over BRSKI_CMS_MAX,
 * what brski_peer_certs_check() refuses.
 */
BRSKI_CHECKED enum brski_code brski_cms_open(struct brski_span cms, const STACK_OF(X509) *extra,
	struct brski_buf *content, STACK_OF(X509) **certs, time_t *signed_on, struct brski_error *err);

/*
 * The same envelope for files of our own, which may be large: content type id-data, up to
 * BRSKI_CMS_DATA_MAX octets, the signer's chain always with it. *out and *content get that limit.
 *
 * judge (may be NULL) is asked whether the signer, first of certs, is one to be heard, before anything
 * is done with the content: what it returns but BRSKI_OK is what opening returns.
 */
#define BRSKI_CMS_DATA_MAX ((size_t)64 << 20)
typedef enum brski_code brski_cms_judge(void *ctx, const STACK_OF(X509) *certs, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_cms_sign_data(struct brski_span content,
	const struct brski_credential *signer, struct brski_buf *out, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_cms_open_data(struct brski_span cms, brski_cms_judge *judge, void *ctx,
	struct brski_buf *content, STACK_OF(X509) **certs, struct brski_error *err);

#endif
