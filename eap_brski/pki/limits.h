/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_PKI_LIMITS_H
#define BRSKI_PKI_LIMITS_H

#include <openssl/x509.h>

#include "eap_brski/ground/error.h"

/*
 * What is taken of certificates and keys that others made. A signature costs whoever looks at it
 * what the signer's key says, so keys and counts are judged before any signature is.
 */

#define BRSKI_PEER_CERTS_MAX 10 /* in one message: a TLS handshake's, a CMS's, a CMP message's */
#define BRSKI_RSA_BITS_MIN 2048
#define BRSKI_RSA_BITS_MAX 8192
#define BRSKI_SIGNATURE_TRIES_MAX 10 /* for one message, where several certificates fit one name */

/* The rule on keys and counts in words, for where no more can be said. */
#define BRSKI_PEER_CERTS_RULE \
	"at most 10 certificates, and keys of RSA (2048 to 8192 bits, exponents of 64 bits at most), " \
	"EC (P-224 to P-521, brainpoolP256r1 to P512r1, by name) or EdDSA are taken"

/*
 * RSA and RSA-PSS of 2,048 to 8,192 bits, with odd public exponents of 64 bits at most; EC on P-224,
 * P-256, P-384, P-521 and Brainpool's r1 curves of 256, 384 and 512 bits, by name and never by
 * explicit parameters (RFC 5480 2.1.1); Ed25519 and Ed448. BRSKI_UNSUPPORTED.
 */
BRSKI_CHECKED enum brski_code brski_key_check(const EVP_PKEY *key, struct brski_error *err);

/*
 * The same for the keys of certificates; the error names the certificate. A key that OpenSSL cannot
 * read is passed over: nothing can be verified with it.
 */
BRSKI_CHECKED enum brski_code brski_certs_check_keys(const STACK_OF(X509) *certs, struct brski_error *err);

/*
 * A peer's certificates, as they came in one message; certs may be NULL. BRSKI_TOO_LARGE: more than
 * BRSKI_PEER_CERTS_MAX. BRSKI_UNSUPPORTED: the keys, as above.
 */
BRSKI_CHECKED enum brski_code brski_peer_certs_check(const STACK_OF(X509) *certs, struct brski_error *err);

/*
 * The certificate among certs whose key signed cert, never cert itself; *out is borrowed. *tries is
 * how many signatures may still be looked at, and counts down. BRSKI_NOT_FOUND: none.
 * BRSKI_TOO_LARGE: *tries was used up first.
 */
BRSKI_CHECKED enum brski_code brski_cert_issuer(
	const STACK_OF(X509) *certs, X509 *cert, unsigned *tries, X509 **out, struct brski_error *err);
/* One look at a signature is taken from *tries. BRSKI_TOO_LARGE: there is none left. */
BRSKI_CHECKED enum brski_code brski_signature_try(unsigned *tries, struct brski_error *err);

#endif
