/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_PKI_PEM_H
#define BRSKI_PKI_PEM_H

#include <openssl/x509.h>

#include "eap_brski/ground/bytes.h"

/*
 * A walk along a PEM text (RFC 7468), entry by entry: certificates or CRLs. Entries of other kinds,
 * keys for instance, and what stands between entries, are passed over; all of them count, so that an
 * error can say "entry 2 (line 31)".
 */
struct brski_pem {
	struct brski_span rest;
	unsigned entry, line; /* of the entry that was read last, from 1 */
	unsigned lines;       /* that are read */
};
void brski_pem_begin(struct brski_pem *pem, struct brski_span text); /* which is borrowed */
/*
 * The next one; *out is the caller's. BRSKI_NOT_FOUND: there are no more; BRSKI_MALFORMED: it is not
 * what it says, err names entry and line, and the walk may go on behind it.
 */
BRSKI_CHECKED enum brski_code brski_pem_cert(struct brski_pem *pem, X509 **out, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_pem_crl(struct brski_pem *pem, X509_CRL **out, struct brski_error *err);

/* All CRLs of a PEM text; at least one, and all of them whole. *out is new. BRSKI_MALFORMED. */
BRSKI_CHECKED enum brski_code brski_crls_from_pem(
	struct brski_span pem, STACK_OF(X509_CRL) **out, struct brski_error *err);

#endif
