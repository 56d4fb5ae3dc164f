/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_PKI_CREDENTIAL_H
#define BRSKI_PKI_CREDENTIAL_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "eap_brski/ground/bytes.h"

/*
 * A private key with its certificate and the chain above it. `chain` holds the intermediates, then
 * perhaps the root; never the leaf, never NULL. All zero is "none".
 */
struct brski_credential {
	EVP_PKEY *key;
	X509 *cert;
	STACK_OF(X509) *chain;
};

void brski_credential_free(struct brski_credential *cred); /* and zeroes it */
BRSKI_CHECKED enum brski_code brski_credential_copy(struct brski_credential *to,
	const struct brski_credential *from, struct brski_error *err); /* by reference counts */

/*
 * Loads through OSSL_STORE, so that files, pkcs11: and handle: URIs all work. cert_uri may name
 * several certificates: the first is the leaf, and none may be there twice (BRSKI_MALFORMED).
 * password may be NULL; then an encrypted key is an error, and nothing is ever asked on a terminal.
 * The key must fit the certificate (BRSKI_MISMATCH). BRSKI_UNSUPPORTED: brski_certs_check_keys()
 * refuses the key of one of them.
 */
BRSKI_CHECKED enum brski_code brski_credential_load(const char *key_uri, const char *password,
	const char *cert_uri, struct brski_credential *out, struct brski_error *err);

/* The same; an error names whichever it is about of what the two are called: options, settings. */
struct brski_credential_names {
	const char *key, *cert;
};
BRSKI_CHECKED enum brski_code brski_credential_load_as(const struct brski_credential_names *names,
	const char *key_uri, const char *password, const char *cert_uri, struct brski_credential *out,
	struct brski_error *err);

#define BRSKI_CERTS_LOAD_MAX 1024
/*
 * All certificates in a URI or PEM text, in order; at least one. *out is new. What is loaded from a
 * URI must also pass brski_certs_check_keys() (BRSKI_UNSUPPORTED), and be no more than
 * BRSKI_CERTS_LOAD_MAX (BRSKI_TOO_LARGE).
 */
BRSKI_CHECKED enum brski_code brski_certs_load(
	const char *uri, STACK_OF(X509) **out, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_certs_from_pem(
	struct brski_span pem, STACK_OF(X509) **out, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_certs_to_pem(
	const STACK_OF(X509) *certs, struct brski_buf *out, struct brski_error *err);

BRSKI_CHECKED enum brski_code brski_cert_from_der(
	struct brski_span der, X509 **out, struct brski_error *err); /* no trailing octets */
BRSKI_CHECKED enum brski_code brski_cert_to_der(
	const X509 *cert, struct brski_buf *out, struct brski_error *err);

/* Keys as unencrypted PKCS#8 DER or PEM; buffers wipe themselves. */
BRSKI_CHECKED enum brski_code brski_key_to_pem(
	const EVP_PKEY *key, struct brski_buf *out, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_key_from_pem(
	struct brski_span pem, EVP_PKEY **out, struct brski_error *err);

enum brski_key_type { BRSKI_KEY_P256, BRSKI_KEY_P384, BRSKI_KEY_RSA3072 };
BRSKI_CHECKED enum brski_code brski_key_generate(
	enum brski_key_type type, EVP_PKEY **out, struct brski_error *err);
/* "P-256", "P-384", "RSA-3072". */
BRSKI_CHECKED enum brski_code brski_key_type_parse(
	const char *name, enum brski_key_type *out, struct brski_error *err);

#endif
