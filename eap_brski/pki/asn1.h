/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_PKI_ASN1_H
#define BRSKI_PKI_ASN1_H

#include <openssl/asn1.h>

#include "eap_brski/ground/bytes.h"

/* Values of ASN.1 in strict DER, by OpenSSL's templates; and the elements that are kept as raw octets. */

/*
 * Strict DER: one value of this type fills der, and is encoded to the same octets again. Returns
 * it, new (free with the item's function); or NULL, and then the caller's code is BRSKI_MALFORMED.
 * `what` names it in the error.
 */
BRSKI_CHECKED void *brski_asn1_read(
	struct brski_span der, const ASN1_ITEM *item, const char *what, struct brski_error *err);
/* Appends the DER of value. */
BRSKI_CHECKED enum brski_code brski_asn1_write(
	const void *value, const ASN1_ITEM *item, struct brski_buf *out, struct brski_error *err);
/* Appends a tag and length, then content: `xclass` and `tag` as for ASN1_put_object(), constructed. */
void brski_asn1_wrap(struct brski_buf *out, int tag, int xclass, struct brski_span content);
/* The inside of one constructed element that fills der; definite and shortest length only. */
BRSKI_CHECKED bool brski_asn1_unwrap(
	struct brski_span der, int *tag, int *xclass, struct brski_span *content);

/*
 * The octets that an ASN1_TYPE keeps as they came: a SEQUENCE, or an element with a tag that is not
 * universal. len 0 for others.
 */
struct brski_span brski_asn1_raw(const ASN1_TYPE *any);
ASN1_TYPE *brski_asn1_any(struct brski_span der);          /* new; NULL: not one element, or no memory */
struct brski_span brski_asn1_octets(const ASN1_STRING *s); /* s may be NULL */
/* An INTEGER of this range. */
BRSKI_CHECKED bool brski_asn1_long(const ASN1_INTEGER *in, long min, long max, long *out);

#endif
