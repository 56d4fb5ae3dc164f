/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_CA_CA_ISSUE_INTERNAL_H
#define BRSKI_SERVICES_CA_CA_ISSUE_INTERNAL_H

#include <time.h>

#include "eap_brski/ground/env.h"
#include "eap_brski/pki/credential.h"

/* What kinds of certificates the CA makes. */
enum ca_kind {
	CA_KIND_ROOT,
	CA_KIND_INTERMEDIATE,
	CA_KIND_CMP,       /* signs CMP answers for the CA: id-kp-cmcCA */
	CA_KIND_LDEVID,    /* a device in its operator's network: clientAuth */
	CA_KIND_REGISTRAR, /* id-kp-cmcRA (RFC 8995 5.3), and a TLS server and client */
	CA_KIND_SERVER,
	CA_KIND_MASA,   /* signs vouchers */
	CA_KIND_IDEVID, /* no end of validity, RFC 8995 2.3 and IEEE 802.1AR */
};

struct ca_spec {
	enum ca_kind kind;
	const X509_NAME *subject;
	EVP_PKEY *key;             /* public part; the private one when issuer is NULL */
	long days;                 /* validity; cut at the issuer's end. Not looked at for an IDevID */
	const char *san;           /* OpenSSL's text, "DNS:ra.example,IP:192.0.2.1"; NULL: none */
	const char *masa_url;      /* NULL: none. RFC 8995 2.3.2 */
	X509_EXTENSION *san_asked; /* a requested subjectAltName to be copied; NULL: none */
};

/*
 * issuer NULL: self-signed. Random serial number of 128 bits, subject and authority key
 * identifiers. *out is new, NULL without success. What brski_cert_dates() says of the issuer;
 * BRSKI_INTERNAL: not made, since san is no such text for one.
 */
BRSKI_CHECKED enum brski_code ca_issue(const struct ca_spec *spec, const struct brski_credential *issuer,
	const struct brski_env *env, X509 **out, struct brski_error *err);

/* Keys that the CA certifies: P-256, P-384, P-521, RSA of 2,048 to 8,192 bits. BRSKI_REFUSED. */
BRSKI_CHECKED enum brski_code ca_key_check(const EVP_PKEY *key, struct brski_error *err);

/*
 * "CN=Example CA,O=Example", most specific part first, as brski_name_text() writes it; a comma in a value
 * as "\,". *out is new. BRSKI_MALFORMED.
 */
BRSKI_CHECKED enum brski_code ca_name_parse(const char *text, X509_NAME **out, struct brski_error *err);
/* OpenSSL's text of a subjectAltName, as in struct ca_spec. BRSKI_MALFORMED. */
BRSKI_CHECKED enum brski_code ca_san_check(const char *text, struct brski_error *err);

#endif
