/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TESTS_ODD_REQUEST_H
#define BRSKI_TESTS_ODD_REQUEST_H

#include "eap_brski/pki/credential.h"
#include "eap_brski/transport/http.h"

/* Is this a pledge's request for its first certificate, by ir? */
bool odd_request_is_ir(const struct brski_http *request);
/*
 * It becomes one that is right in everything but its signer: subject and key as the device of this IDevID
 * would have them.
 */
BRSKI_CHECKED enum brski_code odd_request_sign(struct brski_http *request, const X509 *idevid,
	const struct brski_credential *signer, struct brski_error *err);

#endif
