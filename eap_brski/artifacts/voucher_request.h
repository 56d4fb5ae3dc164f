/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_ARTIFACTS_VOUCHER_REQUEST_H
#define BRSKI_ARTIFACTS_VOUCHER_REQUEST_H

#include "eap_brski/artifacts/voucher.h"
#include "eap_brski/pki/credential.h"

/*
 * Voucher-requests: a pledge's, and a registrar's. All are signed with the signer's chain; what *cms
 * held is freed, and it is empty on failure.
 */

/*
 * The pledge's own request, RFC 8995 5.2: assertion proximity, the serial number of the IDevID, the
 * nonce (BRSKI_NONCE_MIN to _MAX octets), and as proximity-registrar-cert the certificate
 * `registrar` that the tunnel's server has. The signer's root is left out.
 */
BRSKI_CHECKED enum brski_code brski_voucher_request_pledge(const struct brski_credential *idevid,
	const X509 *registrar, struct brski_span nonce, time_t now, struct brski_buf *cms,
	struct brski_error *err);

/*
 * The registrar's request to the MASA, RFC 8995 5.5: created-on is now, nonce and assertion are
 * those of the pledge's request, serial-number and idevid-issuer the certificate's (as
 * brski_idevid_issuer() makes it), prior-signed-voucher-request is pledge_cms.
 * pledge NULL: those of the pledge are left out.
 */
BRSKI_CHECKED enum brski_code brski_voucher_request_registrar(const struct brski_credential *registrar,
	const X509 *idevid, const struct brski_voucher *pledge, struct brski_span pledge_cms, time_t now,
	struct brski_buf *cms, struct brski_error *err);
/*
 * A request ahead of the device, RFC 8995 5.5: without nonce, for `serial` of the manufacturer whose
 * idevid-issuer is issuer_akid.
 */
BRSKI_CHECKED enum brski_code brski_voucher_request_nonceless(const struct brski_credential *registrar,
	const char *serial, struct brski_span issuer_akid, time_t now, struct brski_buf *cms,
	struct brski_error *err);

#endif
