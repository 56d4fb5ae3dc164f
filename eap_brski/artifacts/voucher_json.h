/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_ARTIFACTS_VOUCHER_JSON_H
#define BRSKI_ARTIFACTS_VOUCHER_JSON_H

#include "eap_brski/artifacts/voucher.h"

/* Vouchers and voucher-requests as text: RFC 8366 5.3 and RFC 8995 3.4, in the JSON of RFC 7951. */

/*
 * Exactly one member, "ietf-voucher:voucher" or "ietf-voucher-request:voucher" as `want` says
 * (BRSKI_UNEXPECTED: the other one). BRSKI_MALFORMED: another name, wrong types, duplicate keys,
 * serial-number or (in a voucher) what is pinned missing, last-renewal-date without expires-on (RFC
 * 8366 5.3). Members that are not known are passed over (RFC 8995 5.6.1), and so are leaves that have
 * no place in a request (RFC 8995 3.4); so is what rfc8366bis leaves out or adds. A nonce is read as
 * brski_nonce_read() does, and printed as brski_voucher_nonce() says. print keeps the YANG of RFC 8366
 * 5.3 to the letter (BRSKI_MALFORMED), and frees what *json held. On failure *out is empty.
 */
BRSKI_CHECKED enum brski_code brski_voucher_parse(struct brski_span json, enum brski_voucher_kind want,
	struct brski_voucher *out, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_voucher_print(
	const struct brski_voucher *v, struct brski_buf *json, struct brski_error *err);

#endif
