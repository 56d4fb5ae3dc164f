/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/manufacturer_row.h"

#include <string.h>

#include "eap_brski/ground/url.h"
#include "eap_brski/pki/limits.h"
#include "eap_brski/pki/pem.h"

/* ---- Anchors ---- */

static enum brski_code check_anchor(
	const struct brski_pem *pem, enum brski_anchor_use use, const X509 *cert, struct brski_error *err)
{
	const EVP_PKEY *key = X509_get0_pubkey(cert);
	enum brski_code code = key ? brski_key_check(key, err) : BRSKI_OK;
	char subject[160];

	brski_name_text(X509_get_subject_name(cert), subject, sizeof(subject));
	if (code != BRSKI_OK)
		return brski_fail_context(
			err, code, "entry %u (line %u): certificate %s", pem->entry, pem->line, subject);
	if (use != BRSKI_ANCHOR_IDEVID || brski_cert_can_be_anchor(cert))
		return BRSKI_OK;
	return brski_fail(err, BRSKI_MALFORMED,
		"entry %u (line %u): the certificate of %s is no CA's; it takes that of the CA which issued it",
		pem->entry, pem->line, subject);
}

/* The next that may be used; as of brski_pem_cert. */
static enum brski_code next_anchor(
	struct brski_pem *pem, enum brski_anchor_use use, X509 **out, struct brski_error *err)
{
	enum brski_code code = brski_pem_cert(pem, out, err);

	if (code == BRSKI_OK)
		code = check_anchor(pem, use, *out, err);
	if (code != BRSKI_OK) {
		X509_free(*out);
		*out = NULL;
	}
	return code;
}

enum brski_code brski_anchors_check(
	struct brski_span text, enum brski_anchor_use use, struct brski_error *err)
{
	struct brski_pem pem;
	enum brski_code code;
	unsigned n = 0;
	X509 *cert;

	brski_pem_begin(&pem, text);
	while ((code = next_anchor(&pem, use, &cert, err)) == BRSKI_OK) {
		X509_free(cert);
		n++;
	}
	if (code != BRSKI_NOT_FOUND)
		return code;
	return n > 0 ? BRSKI_OK : brski_fail(err, BRSKI_MALFORMED, "no certificate in PEM text");
}

const X509 *brski_anchors_shared(const STACK_OF(X509) *a, const STACK_OF(X509) *b)
{
	for (int i = 0; i < sk_X509_num(a); i++)
		for (int j = 0; j < sk_X509_num(b); j++)
			if (brski_cert_same_anchor(sk_X509_value(a, i), sk_X509_value(b, j)))
				return sk_X509_value(a, i);
	return NULL;
}

/* ---- A row ---- */

struct reading {
	const struct brski_store_manufacturer *row;
	const struct brski_env *env;
};

static void warn(const struct reading *r, const char *what, const char *why)
{
	brski_log(r->env, BRSKI_LOG_WARN,
		"manufacturer %s: %s in the database: %s: it is left out; mend it with 'brskictl manufacturer set'",
		r->row->name, what, why);
}

static enum brski_code read_anchors(const struct reading *r, const struct brski_buf *text,
	enum brski_anchor_use use, const char *what, STACK_OF(X509) **out, struct brski_error *err)
{
	struct brski_error why;
	struct brski_pem pem;
	enum brski_code code;
	X509 *cert;

	if (text->len == 0)
		return BRSKI_OK;
	*out = sk_X509_new_null();
	if (!*out)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for certificates");
	brski_pem_begin(&pem, brski_buf_span(text));
	while ((code = next_anchor(&pem, use, &cert, &why)) != BRSKI_NOT_FOUND) {
		if (code != BRSKI_OK) {
			warn(r, what, why.why);
		} else if (sk_X509_push(*out, cert) <= 0) {
			X509_free(cert);
			return brski_fail(err, BRSKI_NO_MEMORY, "no memory for certificates");
		}
	}
	if (sk_X509_num(*out) == 0)
		warn(r, what, "there is no certificate that can be used");
	return BRSKI_OK;
}

static enum brski_code read_crls(const struct reading *r, struct brski_parsed *out, struct brski_error *err)
{
	STACK_OF(X509_CRL) *crls;
	struct brski_error why;
	struct brski_pem pem;
	enum brski_code code;
	X509_CRL *crl;

	if (r->row->crls.len == 0)
		return BRSKI_OK;
	crls = out->manufacturer.crls = sk_X509_CRL_new_null();
	if (!crls)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for CRLs");
	brski_pem_begin(&pem, brski_buf_span(&r->row->crls));
	while ((code = brski_pem_crl(&pem, &crl, &why)) != BRSKI_NOT_FOUND) {
		if (code != BRSKI_OK) {
			warn(r, "CRLs", why.why);
		} else if (sk_X509_CRL_push(crls, crl) <= 0) {
			X509_CRL_free(crl);
			return brski_fail(err, BRSKI_NO_MEMORY, "no memory for CRLs");
		}
	}
	out->crls_lost = sk_X509_CRL_num(crls) == 0;
	if (out->crls_lost)
		warn(r, "CRLs", "none of them can be read, so none of its devices gets in");
	return BRSKI_OK;
}

/* One that is wrong stays: it is not called, and the device's own must not come in its place. */
static void read_url(const struct reading *r, struct brski_manufacturer *out)
{
	struct brski_error why;
	const char *url = r->row->masa_url;

	if (!url[0] || brski_url_read(brski_span_str(url), BRSKI_URL_HTTPS, out->masa_url,
			       sizeof(out->masa_url), &why) == BRSKI_OK)
		return;
	memcpy(out->masa_url, url, sizeof(out->masa_url));
	brski_log(r->env, BRSKI_LOG_WARN,
		"manufacturer %s: its MASA URL in the database, %s, cannot be used: %s; set another one with "
		"'brskictl manufacturer set --masa-url'",
		r->row->name, url, why.why);
}

static enum brski_code read_parts(const struct reading *r, struct brski_parsed *out, struct brski_error *err)
{
	const struct brski_store_manufacturer *row = r->row;
	struct brski_manufacturer *m = &out->manufacturer;
	enum brski_code code = read_anchors(
		r, &row->idevid_anchors, BRSKI_ANCHOR_IDEVID, "anchors of IDevIDs", &m->idevid_anchors, err);

	if (code == BRSKI_OK)
		code = read_anchors(r, &row->voucher_anchors, BRSKI_ANCHOR_VOUCHER, "anchors of vouchers",
			&m->voucher_anchors, err);
	if (code == BRSKI_OK)
		code = read_anchors(r, &row->tls_anchors, BRSKI_ANCHOR_TLS, "anchors of the MASA's HTTPS",
			&m->tls_anchors, err);
	if (code == BRSKI_OK)
		code = read_crls(r, out, err);
	return code;
}

enum brski_code brski_parsed_read(const struct brski_store_manufacturer *row, const struct brski_env *env,
	struct brski_parsed *out, struct brski_error *err)
{
	const struct reading r = {row, env};
	enum brski_code code;

	*out = (struct brski_parsed){.manufacturer = {
					     .mode = row->mode,
					     .check_voucher = row->check_voucher,
					     .audit_log = row->audit_log,
					     .allow_foreign_domains = row->allow_foreign_domains,
					     .allow_nonceless = row->allow_nonceless,
				     }};
	memcpy(out->manufacturer.name, row->name, sizeof(out->manufacturer.name));
	read_url(&r, &out->manufacturer);
	code = read_parts(&r, out, err);
	if (code != BRSKI_OK)
		brski_parsed_free(out);
	return code;
}

void brski_parsed_free(struct brski_parsed *parsed)
{
	brski_manufacturer_free(&parsed->manufacturer);
	*parsed = (struct brski_parsed){0};
}

/* ---- Whose an anchor is ---- */

struct ownership {
	const char *name;
	STACK_OF(X509) *anchors;
	char *other, *anchor;
};

static enum brski_code look_at(
	struct ownership *o, const struct brski_store_manufacturer *row, struct brski_error *err)
{
	const struct reading r = {row, NULL};
	STACK_OF(X509) *anchors = NULL;
	const X509 *shared;
	enum brski_code code;

	if (o->other[0] || strcmp(row->name, o->name) == 0)
		return BRSKI_OK;
	code = read_anchors(&r, &row->idevid_anchors, BRSKI_ANCHOR_IDEVID, "", &anchors, err);
	shared = brski_anchors_shared(o->anchors, anchors);
	if (code == BRSKI_OK && shared) {
		memcpy(o->other, row->name, sizeof(row->name));
		brski_name_text(X509_get_subject_name(shared), o->anchor, 160);
	}
	sk_X509_pop_free(anchors, X509_free);
	return code;
}

static enum brski_code look_through(struct brski_store *store, struct ownership *o, struct brski_error *err)
{
	struct brski_store_manufacturer rows[BRSKI_STORE_PAGE_HEAVY];
	struct brski_store_place place = {0};
	enum brski_code code;
	unsigned n;

	do {
		code = brski_store_manufacturers_page(store, &place, rows, BRSKI_STORE_PAGE_HEAVY, &n, err);
		for (unsigned i = 0; i < n; i++) {
			if (code == BRSKI_OK)
				code = look_at(o, &rows[i], err);
			brski_store_manufacturer_free(&rows[i]);
		}
	} while (code == BRSKI_OK && n == BRSKI_STORE_PAGE_HEAVY && !o->other[0]);
	return code;
}

enum brski_code brski_anchors_owner(struct brski_store *store, const char *name, struct brski_span pem,
	char other[64], char anchor[160], struct brski_error *err)
{
	struct ownership o = {.name = name, .other = other, .anchor = anchor};
	enum brski_code code = brski_certs_from_pem(pem, &o.anchors, err);

	other[0] = anchor[0] = '\0';
	if (code != BRSKI_OK)
		return code;
	code = look_through(store, &o, err);
	sk_X509_pop_free(o.anchors, X509_free);
	if (code == BRSKI_OK && !other[0])
		return brski_fail(err, BRSKI_NOT_FOUND, "no other manufacturer has these anchors");
	return code;
}
