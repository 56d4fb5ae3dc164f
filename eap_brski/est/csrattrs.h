/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_EST_CSRATTRS_H
#define BRSKI_EST_CSRATTRS_H

#include <openssl/x509.h>

#include "eap_brski/ground/bytes.h"

/*
 * CSR attributes, what a server wants a certification request to say: RFC 7030 4.5.2 as RFC 8951 4
 * clarifies it, with values and the template of RFC 9908 (3.2 and 3.4; draft-ietf-lamps-rfc7030-csrattrs).
 */
#define BRSKI_CSRATTRS_DER_MAX 8192 /* octets */
#define BRSKI_CSRATTRS_ITEMS_MAX 32 /* elements of a list: attributes, of a name, extensions */

/* What a server says itself. All zero: nothing. */
struct brski_csrattrs {
	X509_NAME *subject;                   /* attributes with values; NULL: none */
	STACK_OF(X509_EXTENSION) *extensions; /* NULL or empty: none */
	int key_nid;                          /* type of the key pair; NID_undef: any */
	int curve_nid;                        /* of an EC key; NID_undef: any */
	int rsa_bits;                         /* of an RSA key; 0: any */
	int signature_nid; /* what the request is to be signed with; a template cannot say it; NID_undef: any */
};
/*
 * DER, *der anew: what RFC 7030 can say for clients of its day (no subject), and all of it in a template
 * (RFC 9908 4). Nothing said is an empty list. `a` is borrowed. BRSKI_TOO_LARGE: over a limit above;
 * BRSKI_INTERNAL: it cannot be encoded.
 */
BRSKI_CHECKED enum brski_code brski_csrattrs_write(
	const struct brski_csrattrs *a, struct brski_buf *der, struct brski_error *err);

/* What a client finds. */
struct brski_csrattrs_found {
	struct brski_csrattrs said;
	/* What it is to fill in: attributes of the subject, extensions, and other attributes of the request. */
	STACK_OF(ASN1_OBJECT) *subject, *extensions, *others;
};
void brski_csrattrs_found_free(struct brski_csrattrs_found *found); /* and zeroes it */
/*
 * Strict DER. Of a template and a list beside it the template alone counts (RFC 9908 4). What is not
 * known is in out->others, for RFC 7030 4.5.2 has clients pass over it. Lost are `critical` of extensions
 * without value, and where in the subject an attribute without value stands. BRSKI_TOO_LARGE: over a
 * limit above; BRSKI_MALFORMED; BRSKI_UNEXPECTED: there twice what may be there once;
 * BRSKI_UNSUPPORTED: a type of key that is not known, or RSA of other than 2,048 to 8,192 bits.
 */
BRSKI_CHECKED enum brski_code brski_csrattrs_read(
	struct brski_span der, struct brski_csrattrs_found *out, struct brski_error *err);

#endif
