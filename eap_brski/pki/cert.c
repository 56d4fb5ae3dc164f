/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/pki/cert.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "eap_brski/ground/text.h"
#include "eap_brski/ground/url.h"

#define OID_HARDWARE_MODULE_NAME "1.3.6.1.5.5.7.8.4" /* id-on-hardwareModuleName, RFC 4108 5 */
#define NAME_TEXT_MAX 160
#define URL_WORDS_MAX 160 /* of a wrong one, in an error */

bool brski_cert_equal(const X509 *a, const X509 *b)
{
	return a && b && X509_cmp(a, b) == 0;
}

bool brski_certs_have(const STACK_OF(X509) *certs, const X509 *cert)
{
	for (int i = 0; i < sk_X509_num(certs); i++) {
		if (brski_cert_equal(cert, sk_X509_value(certs, i)))
			return true;
	}
	return false;
}

bool brski_cert_has_key(const X509 *cert, const EVP_PKEY *key)
{
	EVP_PKEY *own = X509_get0_pubkey(cert);
	bool equal = own && key && EVP_PKEY_eq(own, key) == 1;

	ERR_clear_error(); /* keys of different types leave a complaint there */
	return equal;
}

bool brski_cert_is_ca(const X509 *cert)
{
	/* 1 is basicConstraints with cA; OpenSSL's other values guess at CAs from before RFC 5280 */
	return X509_check_ca((X509 *)(uintptr_t)cert) == 1;
}

void brski_cert_fingerprint(const X509 *cert, char out[BRSKI_FINGERPRINT_MAX])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (X509_digest(cert, EVP_sha256(), digest, &len) != 1)
		len = 0;
	brski_hex(brski_span(digest, len), out, BRSKI_FINGERPRINT_MAX);
}

enum brski_code brski_cert_dates(const X509 *cert, time_t at, struct brski_error *err)
{
	char name[NAME_TEXT_MAX];
	time_t ahead = at + BRSKI_CERT_SKEW;
	int begin, end;

	if (at == 0)
		return BRSKI_OK;
	brski_name_text(X509_get_subject_name(cert), name, sizeof(name));
	begin = X509_cmp_time(X509_get0_notBefore(cert), &ahead);
	end = X509_cmp_time(X509_get0_notAfter(cert), &at);
	if (begin == 0 || end == 0)
		return brski_fail_openssl(err, BRSKI_MALFORMED, "certificate %s: dates do not parse", name);
	if (begin > 0)
		return brski_fail(err, BRSKI_EXPIRED, "certificate %s is not yet valid", name);
	if (end < 0)
		return brski_fail(err, BRSKI_EXPIRED, "certificate %s has expired", name);
	return BRSKI_OK;
}

static bool is_printable(struct brski_span text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < 0x20 || text.data[i] > 0x7e)
			return false;
	}
	return text.len > 0;
}

static bool oid_is(const ASN1_OBJECT *oid, const char *text)
{
	char dotted[80];
	int len = OBJ_obj2txt(dotted, sizeof(dotted), oid, 1);

	return len > 0 && (size_t)len < sizeof(dotted) && strcmp(dotted, text) == 0;
}

/* HardwareModuleName ::= SEQUENCE { hwType OBJECT IDENTIFIER, hwSerialNum OCTET STRING }, RFC 4108 5 */
static bool parse_module_name(const ASN1_TYPE *value, struct brski_buf *serial, char type[BRSKI_OID_TEXT_MAX])
{
	const unsigned char *at, *end;
	ASN1_SEQUENCE_ANY *seq;
	bool ok;

	if (!value || value->type != V_ASN1_SEQUENCE)
		return false;
	at = value->value.sequence->data;
	end = at + value->value.sequence->length;
	seq = d2i_ASN1_SEQUENCE_ANY(NULL, &at, end - at);
	ok = seq && at == end && sk_ASN1_TYPE_num(seq) == 2 &&
	     sk_ASN1_TYPE_value(seq, 0)->type == V_ASN1_OBJECT &&
	     sk_ASN1_TYPE_value(seq, 1)->type == V_ASN1_OCTET_STRING;
	if (ok) {
		const ASN1_STRING *text = sk_ASN1_TYPE_value(seq, 1)->value.octet_string;
		int len = OBJ_obj2txt(type, BRSKI_OID_TEXT_MAX, sk_ASN1_TYPE_value(seq, 0)->value.object, 1);

		ok = len > 0 && len < BRSKI_OID_TEXT_MAX &&
		     brski_buf_set(serial, brski_span(text->data, (size_t)text->length)) == BRSKI_OK;
	}
	sk_ASN1_TYPE_pop_free(seq, ASN1_TYPE_free);
	return ok && serial->len > 0;
}

static enum brski_code module_name(
	const X509 *cert, struct brski_buf *serial, char type[BRSKI_OID_TEXT_MAX], struct brski_error *err)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	enum brski_code code = BRSKI_NOT_FOUND;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type != GEN_OTHERNAME ||
			!oid_is(name->d.otherName->type_id, OID_HARDWARE_MODULE_NAME))
			continue;
		if (code == BRSKI_OK || !parse_module_name(name->d.otherName->value, serial, type)) {
			code = brski_fail(
				err, BRSKI_MALFORMED, "hardwareModuleName in a certificate does not parse");
			break;
		}
		code = BRSKI_OK;
	}
	GENERAL_NAMES_free(names);
	ERR_clear_error();
	return code;
}

static enum brski_code copy_serial(
	struct brski_span text, char out[BRSKI_SERIAL_MAX], struct brski_error *err)
{
	if (text.len >= BRSKI_SERIAL_MAX)
		return brski_fail(
			err, BRSKI_TOO_LARGE, "certificate's serial number has %zu octets", text.len);
	if (!is_printable(text))
		return brski_fail(err, BRSKI_MALFORMED, "certificate's serial number is not printable text");
	memcpy(out, text.data, text.len);
	out[text.len] = '\0';
	return BRSKI_OK;
}

static enum brski_code copy_module_serial(
	struct brski_span serial, char out[BRSKI_SERIAL_MAX], struct brski_error *err)
{
	if (is_printable(serial))
		return copy_serial(serial, out, err);
	if (serial.len * 2 >= BRSKI_SERIAL_MAX)
		return brski_fail(err, BRSKI_TOO_LARGE, "module's serial number has %zu octets", serial.len);
	brski_hex(serial, out, BRSKI_SERIAL_MAX);
	return BRSKI_OK;
}

enum brski_code brski_cert_serial_number(
	const X509 *cert, char out[BRSKI_SERIAL_MAX], struct brski_error *err)
{
	const ASN1_STRING *attribute;
	struct brski_buf module = {0};
	char type[BRSKI_OID_TEXT_MAX];
	enum brski_code code = brski_name_serial_number(X509_get_subject_name(cert), &attribute, err);

	memset(out, 0, BRSKI_SERIAL_MAX);
	if (code == BRSKI_OK)
		return copy_serial(brski_span(attribute->data, (size_t)attribute->length), out, err);
	if (code != BRSKI_NOT_FOUND)
		return code;
	code = module_name(cert, &module, type, err);
	if (code == BRSKI_OK)
		code = copy_module_serial(brski_buf_span(&module), out, err);
	else if (code == BRSKI_NOT_FOUND)
		code = brski_fail(err, code,
			"certificate has neither a serialNumber in its subject nor a hardwareModuleName");
	brski_buf_free(&module);
	return code;
}

enum brski_code brski_cert_hardware_type(
	const X509 *cert, char out[BRSKI_OID_TEXT_MAX], struct brski_error *err)
{
	struct brski_buf serial = {0};
	enum brski_code code = module_name(cert, &serial, out, err);

	brski_buf_free(&serial);
	if (code == BRSKI_OK)
		return code;
	memset(out, 0, BRSKI_OID_TEXT_MAX);
	return code == BRSKI_NOT_FOUND ? brski_fail(err, code, "certificate has no hardwareModuleName")
				       : code;
}

/* The value of an extension that occurs once (RFC 5280 4.2: at most once). */
static enum brski_code extension_value(
	const X509 *cert, const char *oid, const char *what, struct brski_span *out, struct brski_error *err)
{
	ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);
	int at = obj ? X509_get_ext_by_OBJ(cert, obj, -1) : -1;
	bool twice = at >= 0 && X509_get_ext_by_OBJ(cert, obj, at) >= 0;
	const ASN1_OCTET_STRING *value;

	ASN1_OBJECT_free(obj);
	if (!obj)
		return brski_fail_openssl(err, BRSKI_NO_MEMORY, "no memory for an object identifier");
	if (at < 0)
		return brski_fail(err, BRSKI_NOT_FOUND, "certificate has no %s", what);
	if (twice)
		return brski_fail(err, BRSKI_MALFORMED, "certificate has two %ss", what);
	value = X509_EXTENSION_get_data(X509_get_ext(cert, at));
	*out = brski_span(value->data, (size_t)value->length);
	return BRSKI_OK;
}

enum brski_code brski_masa_url(struct brski_span text, char out[BRSKI_URL_MAX], struct brski_error *err)
{
	struct brski_buf whole = {0};
	bool has_scheme = false;
	enum brski_code code;

	for (size_t i = 0; i + 2 < text.len; i++)
		has_scheme = has_scheme || memcmp(text.data + i, "://", 3) == 0;
	brski_put_str(&whole, has_scheme ? "" : "https://");
	brski_put(&whole, text);
	code = brski_buf_status(&whole, err);
	if (code == BRSKI_OK) {
		code = brski_url_read(brski_buf_span(&whole), BRSKI_URL_HTTPS, out, BRSKI_URL_MAX, err);
		if (code != BRSKI_OK)
			brski_fail_context(err, code, "MASA URL \"%.*s\"",
				(int)(text.len > URL_WORDS_MAX ? URL_WORDS_MAX : text.len),
				(const char *)text.data);
	}
	brski_buf_free(&whole);
	return code;
}

enum brski_code brski_cert_masa_url(const X509 *cert, char out[BRSKI_URL_MAX], struct brski_error *err)
{
	struct brski_span value;
	enum brski_code code = extension_value(cert, BRSKI_OID_MASA_URL, "MASA URL", &value, err);
	const unsigned char *at;
	ASN1_IA5STRING *text;

	memset(out, 0, BRSKI_URL_MAX);
	if (code != BRSKI_OK)
		return code;
	at = value.data;
	text = d2i_ASN1_IA5STRING(NULL, &at, (long)value.len);
	if (!text || at != value.data + value.len)
		code = brski_fail_openssl(err, BRSKI_MALFORMED, "MASA URL in a certificate does not parse");
	else
		code = brski_masa_url(brski_span(text->data, (size_t)text->length), out, err);
	ASN1_IA5STRING_free(text);
	return code;
}

enum brski_code brski_cert_authority_key_id(const X509 *cert, struct brski_buf *out, struct brski_error *err)
{
	struct brski_span value;
	enum brski_code code = extension_value(cert, "2.5.29.35", "AuthorityKeyIdentifier", &value, err);

	brski_buf_free(out);
	if (code != BRSKI_OK)
		return code;
	code = brski_buf_set(out, value);
	return code == BRSKI_OK ? code : brski_fail(err, code, "no room for an AuthorityKeyIdentifier");
}
