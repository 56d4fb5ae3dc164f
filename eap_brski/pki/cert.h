/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_PKI_CERT_H
#define BRSKI_PKI_CERT_H

#include <time.h>

#include <openssl/x509.h>

#include "eap_brski/ground/bytes.h"

#define BRSKI_SERIAL_MAX 128 /* octets of a device's serial number, with the terminating zero */
#define BRSKI_URL_MAX 512
#define BRSKI_OID_MASA_URL "1.3.6.1.5.5.7.1.32" /* id-pe-masa-url, RFC 8995 2.3.2 */
#define BRSKI_FINGERPRINT_MAX 65                /* SHA-256 in hexadecimal */
#define BRSKI_OID_TEXT_MAX 128 /* an object identifier in digits and dots, with the terminating zero */

/* What a chain is to be used for. BRSKI_USE_ANY looks at path and dates only. */
enum brski_use {
	BRSKI_USE_ANY,
	BRSKI_USE_REGISTRAR, /* extended key usage id-kp-cmcRA, RFC 8995 5.3 and 5.5.4 */
};

/* Seconds that others' clocks may be ahead of ours: a certificate that was made now is valid now. */
#define BRSKI_CERT_SKEW 60

/*
 * RFC 5280 path validation of certs[0], with the rest of certs as untrusted intermediates, to one
 * of anchors. An anchor need not be self-signed, and may be the leaf itself (a voucher may pin the
 * registrar's own certificate; for BRSKI_USE_REGISTRAR its key is enough, RFC 8995 5.6.2). It is a
 * name and a key (RFC 5280 6.1.1 d): a CA's new certificate of the same name and key is the same
 * anchor. at = 0: dates are not looked at (a pledge without a clock, RFC 8995
 * 2.6.1). BRSKI_EXPIRED, BRSKI_REVOKED, else BRSKI_UNTRUSTED. crls may be NULL or empty; else the
 * leaf must be on the books of one of them, and authorities above it are looked up where a CRL of
 * their issuer is there. SHA-1 signatures, keys under 112 bits of security and what
 * brski_certs_check_keys() refuses of certs are BRSKI_UNTRUSTED, too.
 */
BRSKI_CHECKED enum brski_code brski_chain_verify(const STACK_OF(X509) *certs, const STACK_OF(X509) *anchors,
	const STACK_OF(X509_CRL) *crls, enum brski_use use, time_t at, struct brski_error *err);

/* How a chain and a set of anchors have to do with each other. */
struct brski_path {
	/*
	 * There is a path of signatures from certs[0] to an anchor: the chain is one of theirs, whether
	 * it is good or not.
	 */
	bool leads;
	unsigned
		distance; /* if it leads: certificates between certs[0] and the anchor, plus one; 0: it is one */
};
/*
 * As brski_chain_verify with BRSKI_USE_ANY; and *path, also of a chain that is refused. Of all anchors
 * that it leads to, the path is that to the nearest. Of a chain that leads to one and is refused the
 * code says more: BRSKI_EXPIRED, BRSKI_REVOKED; BRSKI_UNSUPPORTED, there is something in it that is not
 * understood, or that is for another purpose; BRSKI_REFUSED, it is wrong otherwise, or a CRL is
 * missing or out of date. BRSKI_UNTRUSTED: it leads to none of them.
 */
BRSKI_CHECKED enum brski_code brski_chain_follow(const STACK_OF(X509) *certs, const STACK_OF(X509) *anchors,
	const STACK_OF(X509_CRL) *crls, time_t at, struct brski_path *path, struct brski_error *err);

/*
 * Is it the same authority? An anchor is a name and a key (RFC 5280 6.1.1 d): a CA's certificate that
 * was renewed with its key is the same one.
 */
bool brski_cert_same_anchor(const X509 *a, const X509 *b);
/* It may stand above others, by what OpenSSL's path validation asks of those; roots of version 1 do. */
bool brski_cert_can_be_anchor(const X509 *cert);

/* Dates of one certificate only. */
BRSKI_CHECKED enum brski_code brski_cert_dates(const X509 *cert, time_t at, struct brski_error *err);

/*
 * The device's serial number, RFC 8995 2.3.1: the subject's serialNumber attribute; if there is
 * none, a hardwareModuleName in subjectAltName (RFC 4108), as its serial number's text or, if not
 * printable, hexadecimal. BRSKI_NOT_FOUND if there is neither.
 */
BRSKI_CHECKED enum brski_code brski_cert_serial_number(
	const X509 *cert, char out[BRSKI_SERIAL_MAX], struct brski_error *err);
/*
 * The device's type: hwType of its hardwareModuleName (RFC 4108 5) as digits and dots.
 * BRSKI_NOT_FOUND if it has none.
 */
BRSKI_CHECKED enum brski_code brski_cert_hardware_type(
	const X509 *cert, char out[BRSKI_OID_TEXT_MAX], struct brski_error *err);
/*
 * What a MASA URI extension may hold (RFC 8995 2.3.2): an https URL as ground/url.h has it, or the
 * same without the scheme, an authority alone for instance; *out has the scheme. Codes as of
 * brski_url_read.
 */
BRSKI_CHECKED enum brski_code brski_masa_url(
	struct brski_span text, char out[BRSKI_URL_MAX], struct brski_error *err);
/*
 * The MASA URI extension 1.3.6.1.5.5.7.1.32 (RFC 8995 2.3.2), an IA5String. BRSKI_NOT_FOUND: there is
 * none; else it cannot be used, as of brski_masa_url.
 */
BRSKI_CHECKED enum brski_code brski_cert_masa_url(
	const X509 *cert, char out[BRSKI_URL_MAX], struct brski_error *err);
/*
 * idevid-issuer: the whole value of the AuthorityKeyIdentifier extension (RFC 8366 5.3, erratum
 * 7263). BRSKI_NOT_FOUND.
 */
BRSKI_CHECKED enum brski_code brski_cert_authority_key_id(
	const X509 *cert, struct brski_buf *out, struct brski_error *err);

bool brski_cert_equal(const X509 *a, const X509 *b);
bool brski_certs_have(const STACK_OF(X509) *certs, const X509 *cert); /* this very one; NULL: no */
bool brski_cert_has_key(const X509 *cert, const EVP_PKEY *key);       /* public parts equal */
bool brski_cert_is_ca(const X509 *cert);
void brski_cert_fingerprint(const X509 *cert, char out[BRSKI_FINGERPRINT_MAX]);

/* ---- cert_name.c ---- */

/* RFC 2253 text, printable ASCII, cut to fit. */
void brski_name_text(const X509_NAME *name, char *out, size_t size);
/*
 * One identity: the same attributes in the same order and grouping, whose values have the same
 * characters, whatever string type either side chose. Case and blanks count, unlike with
 * X509_NAME_cmp(), which is for finding an issuer (RFC 5280 7.1) and decides no identity here.
 * NULL equals nothing.
 */
bool brski_name_equal(const X509_NAME *a, const X509_NAME *b);
/*
 * The name that a device asks its certificate for, new: the subject of its IDevID; if that has no
 * serialNumber attribute, with one behind it that has the device's serial number, since all devices
 * whose serial number is in a hardwareModuleName alone have one subject. Errors are
 * brski_cert_serial_number's.
 */
BRSKI_CHECKED enum brski_code brski_cert_device_name(
	const X509 *idevid, X509_NAME **out, struct brski_error *err);
/* The one serialNumber attribute, into the name. BRSKI_NOT_FOUND; BRSKI_MALFORMED: there are several. */
BRSKI_CHECKED enum brski_code brski_name_serial_number(
	const X509_NAME *name, const ASN1_STRING **out, struct brski_error *err);
/* Each has one serialNumber attribute, and they have the same characters. */
bool brski_name_same_serial(const X509_NAME *a, const X509_NAME *b);
/*
 * `name` is still what `asked` names, in words of a CA's own: the same serialNumber. If none is asked
 * for, name has all of its attributes, in any order and grouping, and besides them no serialNumber
 * and no CN.
 */
bool brski_name_is_same_device(const X509_NAME *name, const X509_NAME *asked);

#endif
