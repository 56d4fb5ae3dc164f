/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TESTS_PKI_H
#define BRSKI_TESTS_PKI_H

#include <time.h>

#include "eap_brski/pki/credential.h"

/*
 * Keys and certificates for tests, all in memory. Whatever goes wrong aborts the test program with
 * a line on stderr. All zero is a P-256 end entity "CN=test", valid from an hour ago for ten years,
 * with subject and authority key identifiers.
 */
struct pki_spec {
	const char *subject;   /* "CN=Gadget,O=Vendor,serialNumber=S-1"; no escapes. "" is an empty name */
	const char *key_type;  /* "P-256", "P-384", "RSA-3072", also "RSA-2048" and "ED25519" */
	EVP_PKEY *key;         /* instead of a new key; not consumed. A public key alone will do */
	bool ca;               /* basicConstraints CA:TRUE, keyUsage keyCertSign and cRLSign */
	int path_len;          /* with ca: pathLenConstraint plus one; 0: none */
	const char *key_usage; /* OpenSSL's text, instead of "digitalSignature" for an end entity */
	const char *eku;       /* OpenSSL's text: "cmcRA,serverAuth"; NULL: no such extension */
	const char *san;       /* OpenSSL's text: "DNS:masa.example" */
	const char *hw_type;   /* hardwareModuleName in subjectAltName: an OID in dots ... */
	struct brski_span hw_serial; /* ... and the serial number's octets, at most 64 */
	const char *masa_url;        /* MASA URI extension 1.3.6.1.5.5.7.1.32, an IA5String */
	time_t not_before;           /* 0: an hour ago */
	time_t not_after;            /* 0: in ten years */
	bool no_ski;
	bool no_aki;
	bool no_extensions; /* none at all; overrides the others */
};

/*
 * A certificate signed by the issuer's key, self-signed when issuer is NULL. The result's chain is
 * the issuer and what is above it, without a self-signed root. Its key is spec->key, if there is
 * one, else new.
 */
struct brski_credential pki_make(const struct pki_spec *spec, const struct brski_credential *issuer);

/* Short forms: pki_make with these members alone. */
struct brski_credential pki_root(const char *subject);
struct brski_credential pki_ca(const char *subject, const struct brski_credential *issuer);
struct brski_credential pki_leaf(
	const char *subject, const char *key_type, const struct brski_credential *issuer);

/* What a fixture keeps in one PEM file: private key, certificate, the chain above it. */
struct brski_credential pki_load(const char *folder, const char *name);
/* *cred is that instead of what it was. */
void pki_replace(struct brski_credential *cred, const char *folder, const char *name);

EVP_PKEY *pki_key(const char *key_type);
/* On P-256, for signatures by another key: what compares public keys before it signs takes this one for that of public_of. */
EVP_PKEY *pki_false_p256(const EVP_PKEY *private_of, const EVP_PKEY *public_of);
/* A public key of these sizes that nobody has the private one of. */
EVP_PKEY *pki_public_rsa(unsigned bits, unsigned exponent_bits);
/* A new stack: leaf, then the chain; the root too if it is not NULL. Free with pki_free_certs(). */
STACK_OF(X509) *pki_certs(const struct brski_credential *cred, const struct brski_credential *root);
/* A CRL of the issuer that names n certificates; valid for a day from now. */
X509_CRL *pki_crl(const struct brski_credential *issuer, X509 *const *revoked, size_t n);

void pki_free(struct brski_credential *cred); /* and zeroes it */
void pki_free_certs(STACK_OF(X509) *certs);

#endif
