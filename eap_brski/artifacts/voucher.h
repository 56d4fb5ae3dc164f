/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_ARTIFACTS_VOUCHER_H
#define BRSKI_ARTIFACTS_VOUCHER_H

#include <time.h>

#include "eap_brski/pki/cert.h"

/* Media types: RFC 8366 8.3, RFC 8995 5.7 and 5.8 */
#define BRSKI_MEDIA_VOUCHER "application/voucher-cms+json"
#define BRSKI_MEDIA_JSON "application/json"

#define BRSKI_NONCE_LEN 16 /* what we send */
#define BRSKI_NONCE_MIN 8  /* RFC 8366 5.3: 8 to 32 octets */
#define BRSKI_NONCE_MAX 32
#define BRSKI_NONCE_TEXT_MAX 48 /* base64 of as many, with the terminating zero */

enum brski_assertion {
	BRSKI_ASSERTION_NONE,
	BRSKI_ASSERTION_VERIFIED,
	BRSKI_ASSERTION_LOGGED,
	BRSKI_ASSERTION_PROXIMITY,
	BRSKI_ASSERTION_AGENT_PROXIMITY, /* rfc8366bis; read, never written */
	BRSKI_ASSERTION_OTHER            /* a name that is not known; read, never written */
};

enum brski_voucher_kind { BRSKI_VOUCHER, BRSKI_VOUCHER_REQUEST };

/*
 * A voucher (RFC 8366 5.3) or a voucher-request (RFC 8995 3.2). All zero is an empty one. Buffers
 * with len 0 are absent leaves. Certificates are DER. Times are seconds since 1970; 0 is absent.
 */
struct brski_voucher {
	bool is_request;
	time_t created_on;
	time_t expires_on;
	time_t last_renewal_date;
	enum brski_assertion assertion;
	char serial_number[BRSKI_SERIAL_MAX];
	struct brski_buf idevid_issuer;
	struct brski_buf nonce; /* its octets; which letters they were written in stands in nonce_text */
	char nonce_text[BRSKI_NONCE_TEXT_MAX]; /* as it came; "" in one of our own */
	struct brski_buf pinned_domain_cert;
	struct brski_buf pinned_domain_pubk;           /* rfc8366bis: SubjectPublicKeyInfo, read only */
	struct brski_buf pinned_domain_pubk_sha256;    /* of that; read only */
	struct brski_buf proximity_registrar_cert;     /* request only */
	struct brski_buf prior_signed_voucher_request; /* request only: the pledge's CMS */
	time_t signed_on; /* signingTime of the envelope that it came in: no leaf, never printed */
	bool has_revocation_checks;
	bool domain_cert_revocation_checks;
};

void brski_voucher_free(struct brski_voucher *v); /* and zeroes it */

/*
 * The nonce as it is to be written: RFC 8995 5.5 and 5.6 hand it on, so letter for letter as it came,
 * if that is these octets; else base64. "" without nonce. BRSKI_NO_MEMORY; BRSKI_MALFORMED: more than
 * BRSKI_NONCE_MAX octets.
 */
BRSKI_CHECKED enum brski_code brski_voucher_nonce(
	const struct brski_voucher *v, char out[BRSKI_NONCE_TEXT_MAX], struct brski_error *err);
/*
 * A nonce's octets, appended to *out: base64, which YANG's binary is (RFC 7950 9.8.2), or base64url
 * without padding, as RFC 8995's own examples and audit log have it (C.2, 5.8.1). BRSKI_MALFORMED,
 * also for other than BRSKI_NONCE_MIN to _MAX octets; *out is then as it was, or empty.
 */
BRSKI_CHECKED enum brski_code brski_nonce_read(
	struct brski_span text, struct brski_buf *out, struct brski_error *err);

/*
 * "verified", "logged", "proximity", as RFC 8366 5.3 has them, "agent-proximity" (rfc8366bis); "none"
 * and "other". A static string.
 */
const char *brski_assertion_name(enum brski_assertion a);
/* The other way; BRSKI_ASSERTION_OTHER for any other text, "none" among them. */
enum brski_assertion brski_assertion_parse(const char *name);

#endif
