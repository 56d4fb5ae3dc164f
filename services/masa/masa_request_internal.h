/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_MASA_MASA_REQUEST_INTERNAL_H
#define BRSKI_SERVICES_MASA_MASA_REQUEST_INTERNAL_H

#include "services/masa/masa.h"

/* A registrar's voucher-request, and what could be verified of it. */
struct masa_request {
	struct brski_voucher voucher;
	STACK_OF(X509) *certs; /* of the CMS, signer first */
	STACK_OF(X509) *chain; /* of these the signer's, in order; borrowed from certs */
	X509 *pinned;          /* the domain's certificate: the last of them */
	struct brski_buf domain_id;
	char pinned_fingerprint[BRSKI_FINGERPRINT_MAX];
	struct masa_device device;
	bool proximity; /* proved by the pledge's own request */
	bool owner;     /* the registrar verifies to the certificate of the device's owner */
};
void masa_request_free(struct masa_request *request); /* and zeroes it */

/*
 * Who asks for which device: RFC 8995 5.5.2 (the domain), 5.5.3 (signature), 5.5.4 (cmcRA). cms
 * is the body. What was read until an error stays in *out for the log; free it in any case. *out must be zero.
 * BRSKI_MALFORMED: no voucher-request; BRSKI_BAD_SIGNATURE, BRSKI_UNTRUSTED: not the domain's;
 * BRSKI_NOT_FOUND: no such device; else what brski_voucher_open() and brski_chain_verify() say.
 */
BRSKI_CHECKED enum brski_code masa_request_read(
	const struct masa *masa, struct brski_span cms, struct masa_request *out, struct brski_error *err);
/*
 * May this registrar have a voucher for the device: its owner, RFC 8995 5.5.4 (nonceless), 5.5.5
 * and 5.5.6 (the pledge's request), and no proof that the device is elsewhere. Sets what was proved, `owner` and `proximity`. BRSKI_REFUSED,
 * BRSKI_MISMATCH, BRSKI_UNTRUSTED.
 */
BRSKI_CHECKED enum brski_code masa_request_authorize(
	const struct masa *masa, struct masa_request *request, struct brski_error *err);

#endif
