/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_PKI_IDEVID_ISSUER_H
#define BRSKI_PKI_IDEVID_ISSUER_H

#include <openssl/x509.h>

#include "eap_brski/ground/bytes.h"

/* The leaf idevid-issuer of vouchers and voucher-requests: who has issued a device's IDevID. */

/*
 * As rfc8366bis 6.1 has it in a registrar's request: the whole value of the IDevID's
 * AuthorityKeyIdentifier (RFC 8366 5.3, erratum 7263); where there is none, one that holds the SHA-1
 * of the IDevID's own public key (RFC 5280 4.2.1.2, method 1).
 */
BRSKI_CHECKED enum brski_code brski_idevid_issuer(
	const X509 *idevid, struct brski_buf *out, struct brski_error *err);
/* The value of an AuthorityKeyIdentifier that holds this key identifier alone. */
BRSKI_CHECKED enum brski_code brski_idevid_issuer_make(
	struct brski_span key_id, struct brski_buf *out, struct brski_error *err);
/*
 * The same issuer, in whichever form others write it: the extension's value, that in an OCTET STRING
 * (as the certificate has it), its key identifier in an OCTET STRING, or the bare key identifier.
 */
bool brski_idevid_issuer_equal(struct brski_span a, struct brski_span b);

#endif
