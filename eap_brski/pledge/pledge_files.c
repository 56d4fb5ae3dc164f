/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/pledge/pledge_internal.h"

#include <stdio.h>
#include <string.h>

#include <openssl/objects.h>
#include <openssl/x509v3.h>

/*
 * Keys and certificates live in generations: "ldevid-3.key", "ldevid-3.pem", "ldevid-3-ca.pem". The
 * value "state" names the current one, so that its single atomic write commits all three. One
 * generation back is kept.
 */
enum part { PART_KEY, PART_CERT, PART_ANCHORS };

static void name_of(long generation, enum part part, char out[65])
{
	static const char *const suffix[] = {".key", ".pem", "-ca.pem"};

	snprintf(out, 65, "ldevid-%ld%s", generation, suffix[part]);
}

enum brski_code brski_pledge_write(const struct brski_pledge *p, const char *name, struct brski_span value,
	bool secret, struct brski_error *err)
{
	const struct brski_storage *storage = p->config.storage;

	if (!storage)
		return BRSKI_OK;
	if (storage->write(storage->ctx, name, value, secret, err) != BRSKI_OK)
		return brski_fail_context(err, "the pledge's %s cannot be stored", name);
	return BRSKI_OK;
}

enum brski_code brski_pledge_write_certs(
	const struct brski_pledge *p, const char *name, const STACK_OF(X509) *certs, struct brski_error *err)
{
	struct brski_buf pem = {0};
	enum brski_code code;

	code = brski_certs_to_pem(certs, &pem, err);
	if (code == BRSKI_OK)
		code = brski_pledge_write(p, name, brski_buf_span(&pem), false, err);
	brski_buf_free(&pem);
	return code;
}

enum brski_code brski_pledge_write_key(const struct brski_pledge *p, struct brski_error *err)
{
	struct brski_buf pem = {0};
	enum brski_code code;
	char name[65];

	name_of(p->rec.candidate, PART_KEY, name);
	code = brski_key_to_pem(p->key, &pem, err);
	if (code == BRSKI_OK)
		code = brski_pledge_write(p, name, brski_buf_span(&pem), true, err);
	brski_buf_free(&pem);
	return code;
}

/* What the device's logins are to trust: CAs, not a registrar's own certificate that a voucher pinned. */
static enum brski_code write_anchors(const struct brski_pledge *p, const char *name, struct brski_error *err)
{
	STACK_OF(X509) *cas = sk_X509_new_null();
	enum brski_code code = BRSKI_OK;

	for (int i = 0; cas && i < sk_X509_num(p->anchors); i++) {
		X509 *anchor = sk_X509_value(p->anchors, i);

		if (brski_cert_is_ca(anchor) && sk_X509_push(cas, anchor) <= 0)
			code = brski_fail(err, BRSKI_NO_MEMORY, "no memory for certificates");
	}
	if (!cas)
		code = brski_fail(err, BRSKI_NO_MEMORY, "no memory for certificates");
	if (code == BRSKI_OK)
		code = brski_pledge_write_certs(p, name, cas, err);
	sk_X509_free(cas);
	return code;
}

enum brski_code brski_pledge_write_candidate(
	const struct brski_pledge *p, const STACK_OF(X509) *chain, struct brski_error *err)
{
	enum brski_code code;
	char name[65];

	name_of(p->rec.candidate, PART_CERT, name);
	code = brski_pledge_write_certs(p, name, chain, err);
	if (code != BRSKI_OK)
		return code;
	name_of(p->rec.candidate, PART_ANCHORS, name);
	return write_anchors(p, name, err);
}

static enum brski_code read_certs(
	const struct brski_storage *storage, const char *name, STACK_OF(X509) **out, struct brski_error *err)
{
	struct brski_buf pem = {0};
	enum brski_code code;

	*out = NULL;
	code = storage->read(storage->ctx, name, &pem, err);
	if (code == BRSKI_OK)
		code = brski_certs_from_pem(brski_buf_span(&pem), out, err);
	brski_buf_free(&pem);
	return code == BRSKI_OK ? BRSKI_OK : brski_fail_context(err, "%s", name);
}

static enum brski_code read_key(struct brski_pledge *p, struct brski_error *err)
{
	const struct brski_storage *storage = p->config.storage;
	struct brski_buf pem = {0};
	enum brski_code code;
	char name[65];

	name_of(p->rec.candidate, PART_KEY, name);
	code = storage->read(storage->ctx, name, &pem, err);
	if (code == BRSKI_OK)
		code = brski_key_from_pem(brski_buf_span(&pem), &p->key, err);
	brski_buf_free(&pem);
	return code == BRSKI_OK ? BRSKI_OK : brski_fail_context(err, "%s", name);
}

static enum brski_code read_cert(struct brski_pledge *p, struct brski_error *err)
{
	STACK_OF(X509) *certs = NULL;
	enum brski_code code;
	char name[65];

	name_of(p->rec.candidate, PART_CERT, name);
	code = read_certs(p->config.storage, name, &certs, err);
	if (code == BRSKI_OK && !brski_cert_has_key(sk_X509_value(certs, 0), p->key))
		code = brski_fail(err, BRSKI_MISMATCH, "%s is not for the key beside it", name);
	if (code == BRSKI_OK)
		p->cert = sk_X509_shift(certs);
	sk_X509_pop_free(certs, X509_free);
	return code;
}

enum brski_code brski_pledge_read_candidate(struct brski_pledge *p, struct brski_error *err)
{
	enum brski_code code;

	code = read_key(p, err);
	if (code == BRSKI_OK && (p->rec.state == BRSKI_PLEDGE_CONFIRM || p->rec.state == BRSKI_PLEDGE_REPORT))
		code = read_cert(p, err);
	return code;
}

void brski_pledge_remove_generation(const struct brski_pledge *p, long generation)
{
	const struct brski_storage *storage = p->config.storage;
	struct brski_error err = {0};
	char name[65];

	if (!storage || generation <= 0)
		return;
	for (int part = PART_KEY; part <= PART_ANCHORS; part++) {
		name_of(generation, (enum part)part, name);
		if (storage->remove(storage->ctx, name, &err) != BRSKI_OK)
			brski_log(p->config.env, BRSKI_LOG_WARN, "an old file stays behind: %s", err.why);
	}
}

/* ---- the current credential, for whoever logs in with it ---- */

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

	code = storage->read(storage->ctx, "state", &json, err);
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
	name_of(generation, PART_KEY, out->key);
	name_of(generation, PART_CERT, out->cert);
	name_of(generation, PART_ANCHORS, out->anchors);
	if (read_certs(storage, out->cert, &certs, err) != BRSKI_OK) {
		*out = (struct brski_pledge_credential){0};
		return false;
	}
	describe(sk_X509_value(certs, 0), out);
	sk_X509_pop_free(certs, X509_free);
	return true;
}
