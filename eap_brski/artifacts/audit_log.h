/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_ARTIFACTS_AUDIT_LOG_H
#define BRSKI_ARTIFACTS_AUDIT_LOG_H

#include <time.h>

#include <openssl/x509.h>

#include "eap_brski/artifacts/voucher.h"

/* The MASA's audit log of one device, RFC 8995 5.8.1. */
#define BRSKI_AUDIT_EVENTS_MAX 1000

struct brski_audit_event {
	time_t date;
	struct brski_buf domain_id; /* SHA-1 of the domain CA's subjectPublicKey, RFC 8995 5.8.2 */
	struct brski_buf nonce;	    /* len 0: nonceless */
	enum brski_assertion assertion;
	char truncated[64];	    /* not empty if the log was cut, RFC 8995 5.8.1 */
};

struct brski_audit_log {
	struct brski_audit_event *events;
	size_t n_events;
	long truncated; /* number of entries the MASA left out; 0 if none */
};

void brski_audit_log_free(struct brski_audit_log *log);
BRSKI_CHECKED enum brski_code brski_audit_log_parse(struct brski_span json, struct brski_audit_log *out, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_audit_log_print(const struct brski_audit_log *log, struct brski_buf *json, struct brski_error *err);

/* domainID of a domain's CA certificate: 20 octets. */
BRSKI_CHECKED enum brski_code brski_domain_id(const X509 *domain_ca, uint8_t out[20], struct brski_error *err);

struct brski_audit_policy {
	uint8_t (*known_domains)[20]; /* our own first */
	size_t n_known;
	bool allow_foreign;   /* a voucher to another domain at any time is no reason to refuse */
	bool allow_nonceless; /* nonceless vouchers to another domain, likewise (RFC 8995 5.8.3) */
};
/* RFC 8995 5.8.3. BRSKI_REFUSED with the first entry that offends, in words; entries of known domains never offend. */
BRSKI_CHECKED enum brski_code brski_audit_log_judge(const struct brski_audit_log *log, const struct brski_audit_policy *policy,
	struct brski_error *err);

#endif
