/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/pledge/pledge_internal.h"

#include <string.h>

#include <openssl/objects.h>
#include <openssl/x509v3.h>

/* The current credential, for whoever logs in with it. */

static bool is_alnum(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/*
 * RADIUS servers refuse user names with spaces, or with dots and at signs where a realm has none
 * (Debian's FreeRADIUS does, in policy.d/filter): every octet but letters, digits, '-' and '_'
 * becomes '-'.
 */
static void name_entry(const X509_NAME *name, int nid, char *out, size_t size)
{
	int at = X509_NAME_get_index_by_NID(name, nid, -1);
	unsigned char *utf8 = NULL;
	int len;

	out[0] = '\0';
	if (at < 0)
		return;
	len = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
	if (len > 0 && (size_t)len < size) {
		for (int i = 0; i < len; i++)
			out[i] = is_alnum(utf8[i]) || utf8[i] == '_' ? (char)utf8[i] : '-';
		out[len] = '\0';
	}
	OPENSSL_free(utf8);
}

/* The serial number tells one device from another; many have the same common name. */
static void describe(const X509 *cert, struct brski_pledge_credential *out)
{
	const X509_NAME *subject = X509_get_subject_name(cert);

	brski_name_text(subject, out->subject, sizeof(out->subject));
	name_entry(subject, NID_serialNumber, out->identity, sizeof(out->identity));
	if (out->identity[0] == '\0')
		name_entry(subject, NID_commonName, out->identity, sizeof(out->identity));
}

static enum brski_code current_generation(const struct brski_storage *storage, long *out,
	char idevid[BRSKI_FINGERPRINT_MAX], struct brski_error *err)
{
	struct brski_pledge_record rec = {0};
	struct brski_buf json = {0};
	enum brski_code code;

	code = storage->read(storage->ctx, BRSKI_PLEDGE_STATE_VALUE, &json, err);
	if (code == BRSKI_OK)
		code = brski_pledge_record_parse(brski_buf_span(&json), &rec, err);
	if (code == BRSKI_OK && rec.credential == 0)
		code = brski_fail(err, BRSKI_NOT_FOUND, "the device has not been onboarded");
	*out = rec.credential;
	memcpy(idevid, rec.idevid, sizeof(rec.idevid));
	brski_pledge_record_free(&rec);
	brski_buf_free(&json);
	return code;
}

bool brski_pledge_credential(
	const struct brski_storage *storage, struct brski_pledge_credential *out, struct brski_error *err)
{
	STACK_OF(X509) *certs = NULL;
	long generation = 0;

	*out = (struct brski_pledge_credential){0};
	if (current_generation(storage, &generation, out->idevid, err) != BRSKI_OK) {
		out->idevid[0] = '\0';
		return false;
	}
	brski_pledge_file_name(generation, BRSKI_PART_KEY, out->key);
	brski_pledge_file_name(generation, BRSKI_PART_CERT, out->cert);
	brski_pledge_file_name(generation, BRSKI_PART_ANCHORS, out->anchors);
	if (brski_pledge_read_certs(storage, out->cert, &certs, err) != BRSKI_OK) {
		*out = (struct brski_pledge_credential){0};
		return false;
	}
	describe(sk_X509_value(certs, 0), out);
	sk_X509_pop_free(certs, X509_free);
	return true;
}
