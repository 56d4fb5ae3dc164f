/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_ARTIFACTS_AUDIT_LOG_H
#define BRSKI_ARTIFACTS_AUDIT_LOG_H

#include <time.h>

#include <openssl/x509.h>

#include "eap_brski/artifacts/voucher.h"

/* The MASA's audit log of one device, RFC 8995 5.8.1. */
#define BRSKI_AUDIT_EVENTS_MAX 300            /* that are written */
#define BRSKI_AUDIT_LOG_MAX ((size_t)1 << 20) /* octets that are read: MASAs that keep all have long ones */
#define BRSKI_AUDIT_EVENTS_READ_MAX 16384     /* more than fit into that, if they have all members */

struct brski_audit_event {
	time_t date; /* 0: none that could be read */
	struct brski_buf
		domain_id;      /* brski_domain_id() of the certificate that was pinned; len 0: not read */
	struct brski_buf nonce; /* the text as it stands there; len 0: nonceless */
	enum brski_assertion assertion;
	char truncated[64]; /* decimal count of events of this domain that were left out; "" if none */
};

struct brski_audit_log {
	struct brski_audit_event *events; /* malloc'ed */
	size_t n_events;
	long truncated;  /* events left out that may be of any domain ("arbitrary"); 0 if none */
	long duplicates; /* events left out as repeats of a domain that is in the log; 0 if none */
};

void brski_audit_log_free(struct brski_audit_log *log); /* and zeroes it */
/*
 * At least one event. BRSKI_TOO_LARGE: more than BRSKI_AUDIT_LOG_MAX octets, or
 * BRSKI_AUDIT_EVENTS_READ_MAX events, or more values than as many have. Numbers may be texts, since
 * RFC 8995's own example has them so; versions above 1 are read as version 1 with more in it
 * (5.8.1), unknown members are passed over. No event is refused for its form: what cannot be read of
 * it is empty.
 */
BRSKI_CHECKED enum brski_code brski_audit_log_parse(
	struct brski_span json, struct brski_audit_log *out, struct brski_error *err);
/* BRSKI_AUDIT_EVENTS_MAX events at most (BRSKI_TOO_LARGE). */
BRSKI_CHECKED enum brski_code brski_audit_log_print(
	const struct brski_audit_log *log, struct brski_buf *json, struct brski_error *err);

#define BRSKI_DOMAIN_ID_MAX 64
/*
 * The domainID of a domain whose pinned certificate this is, RFC 8995 5.8.2: its
 * SubjectKeyIdentifier, of whatever length; if it has none, the SHA-256 of its
 * SubjectPublicKeyInfo. Since the MASA picks which of a registrar's certificates it pins, a
 * registrar knows itself by several: one for each certificate of its chain and its anchors.
 */
BRSKI_CHECKED enum brski_code brski_domain_id(
	const X509 *pinned, struct brski_buf *out, struct brski_error *err);

struct brski_audit_policy {
	const struct brski_span *known_domains; /* domainIDs: our own, and others that are no surprise */
	size_t n_known;
	bool allow_foreign;   /* a voucher to another domain at any time is no reason to refuse */
	bool allow_nonceless; /* nonceless vouchers to another domain, likewise (RFC 8995 5.8.3) */
};
/*
 * RFC 8995 5.8.3. BRSKI_REFUSED with the first entry that offends, in words; entries of known
 * domains never offend. A log with events left out that may be of any domain is refused unless
 * foreign domains are allowed.
 */
BRSKI_CHECKED enum brski_code brski_audit_log_judge(
	const struct brski_audit_log *log, const struct brski_audit_policy *policy, struct brski_error *err);

#endif
