/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_GROUND_ERROR_H
#define BRSKI_GROUND_ERROR_H

/*
 * Every function that can fail returns an enum brski_code, and says why in words that an operator
 * understands, if the caller gave it a struct brski_error. The code decides what the peer is told
 * (see brski_code_http_status), the words go to the log and never to an unauthenticated peer.
 */
enum brski_code {
	BRSKI_OK = 0,
	BRSKI_NO_MEMORY,
	BRSKI_INTERNAL,      /* our own fault, or the TLS library's */
	BRSKI_MALFORMED,     /* the bytes do not parse */
	BRSKI_TOO_LARGE,     /* over a limit on size, count or time */
	BRSKI_UNEXPECTED,    /* it parses, but not now, or not from this peer */
	BRSKI_UNSUPPORTED,   /* media type, version, algorithm, path */
	BRSKI_BAD_SIGNATURE, /* signature, MAC or proof of possession is wrong */
	BRSKI_UNTRUSTED,     /* the signature is right, the chain leads nowhere we trust */
	BRSKI_EXPIRED,       /* not yet or no longer valid */
	BRSKI_REVOKED,
	BRSKI_MISMATCH,    /* serial, nonce, key, transactionID or pinned certificate differs */
	BRSKI_REFUSED,     /* somebody decided no: policy, MASA, PKI or pledge */
	BRSKI_UNAVAILABLE, /* a back end does not answer: worth another try */
	BRSKI_NOT_FOUND,   /* no such record, file or path */
};

struct brski_error {
	enum brski_code code;
	char why[320];
};

#define BRSKI_CHECKED __attribute__((warn_unused_result))

/*
 * Fills *err (which may be NULL) and returns code, so that "return brski_fail(err, ...)" is one
 * line. Octets that are not printable ASCII are replaced by '?', since the text may quote a hostile
 * peer.
 */
enum brski_code brski_fail(struct brski_error *err, enum brski_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Like brski_fail, and appends and clears what OpenSSL's error queue of this thread says. */
enum brski_code brski_fail_openssl(struct brski_error *err, enum brski_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Like brski_fail, but puts "text: " before what err->why says already. */
enum brski_code brski_fail_context(struct brski_error *err, enum brski_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* "bad signature", "not found", ... A static string. */
const char *brski_code_name(enum brski_code code);

/* The HTTP status that tells a peer of this error: RFC 8995 5.3, 5.6; RFC 9110 15. Never 0. */
unsigned brski_code_http_status(enum brski_code code);

#endif
