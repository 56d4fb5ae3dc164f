/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/pki/cert.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "eap_brski/ground/text.h"

/* Names of certificates, as text and as identities. */

void brski_name_text(const X509_NAME *name, char *out, size_t size)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	long len;

	if (size > 0)
		out[0] = '\0';
	if (bio && name && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0) {
		len = BIO_get_mem_data(bio, &text);
		if (len > 0)
			brski_printable(brski_span(text, (size_t)len), out, size);
	}
	BIO_free(bio);
}

/* Characters, whatever string type each side chose; of what is no text, type and octets. */
static bool same_value(const ASN1_STRING *a, const ASN1_STRING *b)
{
	unsigned char *ua = NULL, *ub = NULL;
	int la = ASN1_STRING_to_UTF8(&ua, a), lb = ASN1_STRING_to_UTF8(&ub, b);
	bool same;

	if (la >= 0 && lb >= 0)
		same = brski_span_equal(brski_span(ua, (size_t)la), brski_span(ub, (size_t)lb));
	else
		same = la < 0 && lb < 0 && ASN1_STRING_cmp(a, b) == 0;
	OPENSSL_free(ua);
	OPENSSL_free(ub);
	ERR_clear_error();
	return same;
}

static bool same_entry(const X509_NAME_ENTRY *a, const X509_NAME_ENTRY *b)
{
	return X509_NAME_ENTRY_set(a) == X509_NAME_ENTRY_set(b) &&
	       OBJ_cmp(X509_NAME_ENTRY_get_object(a), X509_NAME_ENTRY_get_object(b)) == 0 &&
	       same_value(X509_NAME_ENTRY_get_data(a), X509_NAME_ENTRY_get_data(b));
}

bool brski_name_equal(const X509_NAME *a, const X509_NAME *b)
{
	int n = a ? X509_NAME_entry_count(a) : -1;

	if (n < 0 || !b || X509_NAME_entry_count(b) != n)
		return false;
	for (int i = 0; i < n; i++) {
		if (!same_entry(X509_NAME_get_entry(a, i), X509_NAME_get_entry(b, i)))
			return false;
	}
	return true;
}

enum brski_code brski_name_serial_number(
	const X509_NAME *name, const ASN1_STRING **out, struct brski_error *err)
{
	int at = name ? X509_NAME_get_index_by_NID(name, NID_serialNumber, -1) : -1;

	*out = NULL;
	if (at < 0)
		return brski_fail(err, BRSKI_NOT_FOUND, "subject without a serialNumber");
	if (X509_NAME_get_index_by_NID(name, NID_serialNumber, at) >= 0)
		return brski_fail(err, BRSKI_MALFORMED, "subject with several serial numbers");
	*out = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
	return BRSKI_OK;
}

bool brski_name_same_serial(const X509_NAME *a, const X509_NAME *b)
{
	const ASN1_STRING *serial_a, *serial_b;

	return brski_name_serial_number(a, &serial_a, NULL) == BRSKI_OK &&
	       brski_name_serial_number(b, &serial_b, NULL) == BRSKI_OK && same_value(serial_a, serial_b);
}

/* X520SerialNumber is a PrintableString (RFC 5280 A.1); what has other characters is text all the same. */
static bool add_serial_number(X509_NAME *name, const char *serial)
{
	const unsigned char *text = (const unsigned char *)serial;
	int len = (int)strlen(serial);
	bool fits = ASN1_PRINTABLE_type(text, len) == V_ASN1_PRINTABLESTRING;

	return X509_NAME_add_entry_by_NID(name, NID_serialNumber,
		       fits ? V_ASN1_PRINTABLESTRING : V_ASN1_UTF8STRING, text, len, -1, 0) == 1;
}

enum brski_code brski_cert_device_name(const X509 *idevid, X509_NAME **out, struct brski_error *err)
{
	char serial[BRSKI_SERIAL_MAX];
	enum brski_code code = brski_cert_serial_number(idevid, serial, err);
	bool ok;

	*out = NULL;
	if (code != BRSKI_OK)
		return code;
	*out = X509_NAME_dup(X509_get_subject_name(idevid));
	ok = *out &&
	     (X509_NAME_get_index_by_NID(*out, NID_serialNumber, -1) >= 0 || add_serial_number(*out, serial));
	if (ok)
		return BRSKI_OK;
	X509_NAME_free(*out);
	*out = NULL;
	return brski_fail_openssl(err, BRSKI_NO_MEMORY, "no memory for a device's name");
}

static bool has_attribute(const X509_NAME *name, const X509_NAME_ENTRY *wanted)
{
	for (int i = 0; i < X509_NAME_entry_count(name); i++) {
		const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);

		if (OBJ_cmp(X509_NAME_ENTRY_get_object(entry), X509_NAME_ENTRY_get_object(wanted)) == 0 &&
			same_value(X509_NAME_ENTRY_get_data(entry), X509_NAME_ENTRY_get_data(wanted)))
			return true;
	}
	return false;
}

static int count(const X509_NAME *name, int nid)
{
	int n = 0;

	for (int at = -1; (at = X509_NAME_get_index_by_NID(name, nid, at)) >= 0;)
		n++;
	return n;
}

bool brski_name_is_same_device(const X509_NAME *name, const X509_NAME *asked)
{
	int n = asked ? X509_NAME_entry_count(asked) : 0;

	if (!name || n < 1)
		return false;
	if (count(asked, NID_serialNumber) > 0)
		return brski_name_same_serial(name, asked);
	for (int i = 0; i < n; i++) {
		if (!has_attribute(name, X509_NAME_get_entry(asked, i)))
			return false;
	}
	return count(name, NID_serialNumber) == 0 &&
	       count(name, NID_commonName) == count(asked, NID_commonName);
}
