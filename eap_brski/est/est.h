/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_EST_EST_H
#define BRSKI_EST_EST_H

#include <openssl/x509.h>

#include "eap_brski/ground/bytes.h"

/*
 * What EST carries (RFC 7030 as RFC 8951 clarifies it): bodies, which are base64 of DER, and certs-only
 * messages. The request in a body is a PKCS #10, and is judged where CMP's are (cmp.h,
 * brski_cmp_pkcs10_check()); CSR attributes are in csrattrs.h.
 */
#define BRSKI_MEDIA_PKCS10 "application/pkcs10"                                /* RFC 7030 4.2.1 */
#define BRSKI_MEDIA_CERTS_ONLY "application/pkcs7-mime; smime-type=certs-only" /* RFC 7030 4.2.3 */
#define BRSKI_MEDIA_CSRATTRS "application/csrattrs"                            /* RFC 7030 4.5.2 */
#define BRSKI_EST_PKCS10_MAX 16384                                             /* octets of DER */
#define BRSKI_EST_CERTS_MAX 16 /* certificates in one message */
#define BRSKI_EST_CERTS_DER_MAX 65536

/*
 * A body of RFC 8951 3: base64 of RFC 4648 4, with its padding, and white space anywhere (3.1) of up to
 * as many octets as the text has; into *der. BRSKI_TOO_LARGE: more than der_max octets, or more white
 * space. BRSKI_MALFORMED: anything else, an empty body, PEM and DER without base64 among it.
 */
BRSKI_CHECKED enum brski_code brski_est_body_read(
	struct brski_span text, size_t der_max, struct brski_buf *der, struct brski_error *err);
/* The same way out, *text anew, and without white space: some clients in the field take none. */
BRSKI_CHECKED enum brski_code brski_est_body_write(
	struct brski_span der, struct brski_buf *text, struct brski_error *err);

/*
 * A certs-only message (RFC 7030 4.1.3 and 4.2.3: the Simple PKI Response of RFC 5272 4.1): a SignedData
 * of certificates without content and signers, *der anew. certs: 1 to BRSKI_EST_CERTS_MAX, borrowed; one
 * that is there twice goes once.
 * BRSKI_INTERNAL: there is none; BRSKI_TOO_LARGE.
 */
BRSKI_CHECKED enum brski_code brski_est_certs_write(
	const STACK_OF(X509) *certs, struct brski_buf *der, struct brski_error *err);
/*
 * The certificates of such a message, *out new, in the order of the message, which says nothing
 * (RFC 5272 4.1). Nothing is verified, and trust in them is the caller's to judge; their keys are as
 * brski_certs_check_keys() takes them. CRLs are passed over. BRSKI_TOO_LARGE: the octets or the count;
 * BRSKI_MALFORMED: no such message, a signer, content, octets behind it, no certificate.
 */
BRSKI_CHECKED enum brski_code brski_est_certs_read(
	struct brski_span der, STACK_OF(X509) **out, struct brski_error *err);

#endif
