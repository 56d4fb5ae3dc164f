/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_REGISTRAR_NONCELESS_H
#define BRSKI_REGISTRAR_NONCELESS_H

#include "eap_brski/registrar/registrar.h"

/*
 * Vouchers without a nonce, fetched ahead for devices that have not come yet (RFC 8995 5.5 and
 * 7.2): for a site that cannot reach the MASA when they come. The MASA gives them to a device's
 * registered owner. Nothing is known of such a device but manufacturer and serial number.
 */

/*
 * idevid-issuer of devices whose certificates this CA issues: the AuthorityKeyIdentifier extension
 * with the CA's key identifier alone. BRSKI_NOT_FOUND: the CA has no SubjectKeyIdentifier.
 */
BRSKI_CHECKED enum brski_code brski_nonceless_issuer(
	const X509 *ca, struct brski_buf *issuer, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_nonceless_request(const struct brski_registrar *r, const char *serial,
	struct brski_span issuer, struct brski_buf *cms, struct brski_error *err);
/*
 * Calls number 0, for the voucher, and 1, for the audit log, if the manufacturer's is to be looked
 * at; as brski_job_plan.
 */
BRSKI_CHECKED enum brski_code brski_nonceless_plan(const struct brski_manufacturer *m, struct brski_span cms,
	unsigned i, struct brski_planned *out, struct brski_error *err);
/*
 * Their answers, judged as a pledge's voucher is. BRSKI_UNAVAILABLE: worth another try;
 * BRSKI_REFUSED: the MASA says no, or the audit log tells against the device; all else: the answer
 * is wrong. expires_on 0: never.
 */
BRSKI_CHECKED enum brski_code brski_nonceless_voucher(const struct brski_registrar *r,
	const struct brski_manufacturer *m, const char *serial, struct brski_span issuer,
	const struct brski_http *answer, time_t *expires_on, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_nonceless_audit_log(const struct brski_registrar *r,
	const struct brski_manufacturer *m, const struct brski_http *answer, struct brski_error *err);

#endif
