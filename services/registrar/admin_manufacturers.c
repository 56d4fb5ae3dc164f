/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <string.h>

#include "eap_brski/ground/url.h"
#include "eap_brski/pki/pem.h"
#include "services/registrar/admin_internal.h"
#include "services/registrar/manufacturer_doubts.h"
#include "services/registrar/manufacturer_row.h"

#define CRL_BEGIN "-----BEGIN X509 CRL-----"

/* What admin.h says on its own account is what the library has. */
static_assert(BRSKI_ADMIN_NAME_MAX == sizeof(((struct brski_store_manufacturer *)NULL)->name), "names");
static_assert(BRSKI_ADMIN_SERIAL_MAX == BRSKI_SERIAL_MAX, "serial numbers");
static_assert(BRSKI_ADMIN_URL_MAX == BRSKI_URL_MAX, "URLs");
static_assert((int)BRSKI_ADMIN_MODE_INVENTORY == BRSKI_MODE_INVENTORY, "modes");
static_assert((int)BRSKI_ADMIN_MODE_MANUAL == BRSKI_MODE_MANUAL, "modes");
static_assert((int)BRSKI_ADMIN_MODE_MANUFACTURER == BRSKI_MODE_MANUFACTURER, "modes");
static_assert((int)BRSKI_ADMIN_MODE_TYPE == BRSKI_MODE_TYPE, "modes");
static_assert((int)BRSKI_ADMIN_MODE_OPEN == BRSKI_MODE_OPEN, "modes");

const char *brski_admin_mode_name(enum brski_admin_mode mode)
{
	return brski_mode_name((enum brski_mode)mode);
}

void brski_admin_manufacturer_init(struct brski_admin_manufacturer *m)
{
	*m = (struct brski_admin_manufacturer){.check_voucher = true, .audit_log = true};
}

void brski_admin_manufacturer_free(struct brski_admin_manufacturer *m)
{
	for (size_t i = 0; i < BRSKI_ADMIN_PEMS; i++)
		brski_buf_free(&m->pem[i]);
	*m = (struct brski_admin_manufacturer){0};
}

/* ---- What is acceptable ---- */

bool brski_admin_is_name(const char *text)
{
	return admin_is_printable(text, BRSKI_ADMIN_NAME_MAX);
}

static enum brski_code read_url(const char *url, char out[BRSKI_URL_MAX], struct brski_error *err)
{
	struct brski_error why;

	if (brski_url_read(brski_span_str(url), BRSKI_URL_HTTPS, out, BRSKI_URL_MAX, &why) == BRSKI_OK)
		return BRSKI_OK;
	return brski_fail(err, BRSKI_MALFORMED,
		"the MASA's URL must be https://HOST[:PORT][/PATH], not '%.120s': %s", url, why.why);
}

static enum brski_code check_crls(struct brski_span pem, const char *source, struct brski_error *err)
{
	STACK_OF(X509_CRL) *crls;
	enum brski_code code;

	if (!pem.len || !memmem(pem.data, pem.len, CRL_BEGIN, strlen(CRL_BEGIN)))
		return brski_fail(err, BRSKI_MALFORMED, "%s holds no CRL in PEM form", source);
	code = brski_crls_from_pem(pem, &crls, err);
	sk_X509_CRL_pop_free(crls, X509_CRL_free);
	return code == BRSKI_OK ? code : brski_fail_context(err, code, "%s", source);
}

static enum brski_code check_pem(
	enum brski_admin_pem which, struct brski_span pem, const char *source, struct brski_error *err)
{
	static const enum brski_anchor_use uses[] = {
		[BRSKI_ADMIN_IDEVID_ANCHORS] = BRSKI_ANCHOR_IDEVID,
		[BRSKI_ADMIN_VOUCHER_ANCHORS] = BRSKI_ANCHOR_VOUCHER,
		[BRSKI_ADMIN_TLS_ANCHORS] = BRSKI_ANCHOR_TLS,
	};
	enum brski_code code;

	if (which == BRSKI_ADMIN_CRLS)
		return check_crls(pem, source, err);
	code = brski_anchors_check(pem, uses[which], err);
	return code == BRSKI_OK ? code : brski_fail_context(err, code, "%s", source);
}

enum brski_code brski_admin_manufacturer_set_url(
	struct brski_admin_manufacturer *m, const char *url, struct brski_error *err)
{
	char read[BRSKI_URL_MAX];
	enum brski_code code = read_url(url, read, err);

	if (code == BRSKI_OK)
		memcpy(m->masa_url, read, sizeof(m->masa_url));
	return code;
}

enum brski_code brski_admin_manufacturer_set_mode(
	struct brski_admin_manufacturer *m, const char *name, struct brski_error *err)
{
	for (int mode = BRSKI_ADMIN_MODE_INVENTORY; mode <= BRSKI_ADMIN_MODE_OPEN; mode++) {
		if (strcmp(name, brski_admin_mode_name((enum brski_admin_mode)mode)) != 0)
			continue;
		m->mode = (enum brski_admin_mode)mode;
		return BRSKI_OK;
	}
	return brski_fail(err, BRSKI_MALFORMED,
		"there is no mode '%s': inventory, manual, manufacturer, type, open", name);
}

enum brski_code brski_admin_manufacturer_set_pem(struct brski_admin_manufacturer *m,
	enum brski_admin_pem which, struct brski_span pem, const char *source, struct brski_error *err)
{
	enum brski_code code = check_pem(which, pem, source, err);

	if (code != BRSKI_OK)
		return code;
	code = brski_buf_set(&m->pem[which], pem);
	return code == BRSKI_OK ? code
				: brski_fail(err, code, "%s: no room for %zu octets, %zu are the most",
					  source, pem.len, BRSKI_BUF_LIMIT);
}

static enum brski_code check(const struct brski_admin_manufacturer *m, struct brski_error *err)
{
	char url[BRSKI_URL_MAX];
	enum brski_code code = BRSKI_OK;

	if (!brski_admin_is_name(m->name))
		return brski_fail(err, BRSKI_MALFORMED,
			"a manufacturer's name is 1 to %d printable characters", BRSKI_ADMIN_NAME_MAX - 1);
	if (!m->pem[BRSKI_ADMIN_IDEVID_ANCHORS].len)
		return brski_fail(err, BRSKI_MALFORMED, "a manufacturer without anchors has no devices");
	if (m->masa_url[0])
		code = read_url(m->masa_url, url, err);
	for (int i = 0; code == BRSKI_OK && i < BRSKI_ADMIN_PEMS; i++)
		if (m->pem[i].len)
			code = check_pem((enum brski_admin_pem)i, brski_buf_span(&m->pem[i]), m->name, err);
	return code;
}

/* ---- To and from the store; texts are lent, not copied ---- */

static struct brski_store_manufacturer to_store(const struct brski_admin_manufacturer *m)
{
	struct brski_store_manufacturer row = {
		.idevid_anchors = m->pem[BRSKI_ADMIN_IDEVID_ANCHORS],
		.voucher_anchors = m->pem[BRSKI_ADMIN_VOUCHER_ANCHORS],
		.tls_anchors = m->pem[BRSKI_ADMIN_TLS_ANCHORS],
		.crls = m->pem[BRSKI_ADMIN_CRLS],
		.mode = (enum brski_mode)m->mode,
		.check_voucher = m->check_voucher,
		.audit_log = m->audit_log,
		.allow_foreign_domains = m->allow_foreign_domains,
		.allow_nonceless = m->allow_nonceless,
	};

	memcpy(row.name, m->name, sizeof(row.name));
	memcpy(row.masa_url, m->masa_url, sizeof(row.masa_url));
	return row;
}

static struct brski_admin_manufacturer from_store(const struct brski_store_manufacturer *row)
{
	struct brski_admin_manufacturer m = {
		.pem =
			{
				[BRSKI_ADMIN_IDEVID_ANCHORS] = row->idevid_anchors,
				[BRSKI_ADMIN_VOUCHER_ANCHORS] = row->voucher_anchors,
				[BRSKI_ADMIN_TLS_ANCHORS] = row->tls_anchors,
				[BRSKI_ADMIN_CRLS] = row->crls,
			},
		.mode = (enum brski_admin_mode)row->mode,
		.check_voucher = row->check_voucher,
		.audit_log = row->audit_log,
		.allow_foreign_domains = row->allow_foreign_domains,
		.allow_nonceless = row->allow_nonceless,
	};

	memcpy(m.name, row->name, sizeof(m.name));
	memcpy(m.masa_url, row->masa_url, sizeof(m.masa_url));
	return m;
}

/* ---- The verbs ---- */

/* Of two with one anchor, one would decide on the other's devices. */
static enum brski_code check_owner(
	struct brski_admin *admin, const struct brski_admin_manufacturer *m, struct brski_error *err)
{
	char other[BRSKI_ADMIN_NAME_MAX], anchor[160];
	enum brski_code code = brski_anchors_owner(admin->store, m->name,
		brski_buf_span(&m->pem[BRSKI_ADMIN_IDEVID_ANCHORS]), other, anchor, err);

	if (code == BRSKI_NOT_FOUND)
		return BRSKI_OK;
	if (code != BRSKI_OK)
		return code;
	return brski_fail(err, BRSKI_UNEXPECTED,
		"manufacturer %s has the anchor %s already: of devices of both, the stricter mode decides",
		other, anchor);
}

static enum brski_code check_all(
	struct brski_admin *admin, const struct brski_admin_manufacturer *m, struct brski_error *err)
{
	enum brski_code code = check(m, err);

	return code == BRSKI_OK && !m->shares_anchors ? check_owner(admin, m, err) : code;
}

enum brski_code brski_admin_manufacturer_add(
	struct brski_admin *admin, const struct brski_admin_manufacturer *m, struct brski_error *err)
{
	const struct brski_store_manufacturer row = to_store(m);
	enum brski_code code = check_all(admin, m, err);

	if (code != BRSKI_OK)
		return code;
	code = brski_store_manufacturer_add(admin->store, &row, err);
	return code == BRSKI_UNEXPECTED
		       ? brski_fail(err, BRSKI_REFUSED, "there is a manufacturer '%s' already", m->name)
		       : code;
}

enum brski_code brski_admin_manufacturer_put(
	struct brski_admin *admin, const struct brski_admin_manufacturer *m, struct brski_error *err)
{
	const struct brski_store_manufacturer row = to_store(m);
	enum brski_code code = check_all(admin, m, err);

	return code == BRSKI_OK ? brski_store_manufacturer_put(admin->store, &row, err) : code;
}

enum brski_code brski_admin_manufacturer_get(struct brski_admin *admin, const char *name,
	struct brski_admin_manufacturer *out, struct brski_error *err)
{
	struct brski_store_manufacturer row;
	enum brski_code code = brski_store_manufacturer_get(admin->store, name, &row, err);

	*out = from_store(&row); /* all zero, or the owner of its texts from now on */
	return code;
}

enum brski_code brski_admin_manufacturer_remove(
	struct brski_admin *admin, const char *name, struct brski_error *err)
{
	return brski_store_manufacturer_remove(admin->store, name, err);
}

enum brski_code brski_admin_manufacturers(
	struct brski_admin *admin, brski_admin_manufacturer_row *row, void *ctx, struct brski_error *err)
{
	struct brski_store_manufacturer rows[BRSKI_STORE_PAGE_HEAVY];
	struct brski_store_place place = {0};
	enum brski_code code;
	unsigned n;

	do {
		code = brski_store_manufacturers_page(
			admin->store, &place, rows, BRSKI_STORE_PAGE_HEAVY, &n, err);
		for (unsigned i = 0; i < n; i++) {
			const struct brski_admin_manufacturer m = from_store(&rows[i]);

			row(ctx, &m);
			brski_store_manufacturer_free(&rows[i]);
		}
	} while (code == BRSKI_OK && n == BRSKI_STORE_PAGE_HEAVY);
	return code;
}

void brski_admin_manufacturer_doubts(const struct brski_admin *admin,
	const struct brski_admin_manufacturer *m, brski_admin_doubt_row *row, void *ctx)
{
	STACK_OF(X509) *anchors;
	STACK_OF(X509_CRL) *crls;

	/* what does not parse is told as an error elsewhere */
	if (brski_certs_from_pem(brski_buf_span(&m->pem[BRSKI_ADMIN_IDEVID_ANCHORS]), &anchors, NULL) !=
		BRSKI_OK)
		anchors = NULL;
	if (brski_crls_from_pem(brski_buf_span(&m->pem[BRSKI_ADMIN_CRLS]), &crls, NULL) != BRSKI_OK)
		crls = NULL;
	brski_manufacturer_doubts(anchors, crls, brski_now(admin->env), row, ctx);
	sk_X509_pop_free(anchors, X509_free);
	sk_X509_CRL_pop_free(crls, X509_CRL_free);
}

void brski_admin_certificates(const struct brski_buf *pem, brski_admin_pem_row *row, void *ctx)
{
	char subject[256], fingerprint[BRSKI_FINGERPRINT_MAX], words[400];
	STACK_OF(X509) *certs = NULL;

	if (!pem->len || brski_certs_from_pem(brski_buf_span(pem), &certs, NULL) != BRSKI_OK)
		return;
	for (int i = 0; i < sk_X509_num(certs); i++) {
		brski_name_text(X509_get_subject_name(sk_X509_value(certs, i)), subject, sizeof(subject));
		brski_cert_fingerprint(sk_X509_value(certs, i), fingerprint);
		snprintf(words, sizeof(words), "%s (SHA-256 %s)", subject, fingerprint);
		row(ctx, words);
	}
	sk_X509_pop_free(certs, X509_free);
}

static void date_text(const ASN1_TIME *time, char out[32])
{
	struct tm tm;

	if (!time || !ASN1_TIME_to_tm(time, &tm) || !strftime(out, 32, "%Y-%m-%d %H:%M:%SZ", &tm))
		snprintf(out, 32, "?");
}

void brski_admin_crls(const struct brski_buf *pem, brski_admin_pem_row *row, void *ctx)
{
	char issuer[256], made[32], until[32], words[400];
	STACK_OF(X509_CRL) *crls = NULL;

	if (!pem->len || brski_crls_from_pem(brski_buf_span(pem), &crls, NULL) != BRSKI_OK)
		return;
	for (int i = 0; i < sk_X509_CRL_num(crls); i++) {
		X509_CRL *crl = sk_X509_CRL_value(crls, i);

		brski_name_text(X509_CRL_get_issuer(crl), issuer, sizeof(issuer));
		date_text(X509_CRL_get0_lastUpdate(crl), made);
		date_text(X509_CRL_get0_nextUpdate(crl), until);
		snprintf(words, sizeof(words), "%s of %s, until %s, %d revoked", issuer, made, until,
			sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)) > 0
				? sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl))
				: 0);
		row(ctx, words);
	}
	sk_X509_CRL_pop_free(crls, X509_CRL_free);
}
