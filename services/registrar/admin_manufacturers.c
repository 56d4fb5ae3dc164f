/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <string.h>

#include "eap_brski/pki/limits.h"
#include "services/registrar/admin_internal.h"

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

static enum brski_code check_url(const char *url, struct brski_error *err)
{
	if (strncmp(url, "https://", 8) == 0 && url[8] && admin_is_printable(url, BRSKI_ADMIN_URL_MAX) &&
		!strchr(url, ' '))
		return BRSKI_OK;
	return brski_fail(
		err, BRSKI_MALFORMED, "the MASA's URL must be https://HOST[:PORT][/PATH], not '%s'", url);
}

static enum brski_code check_certs(struct brski_span pem, const char *source, struct brski_error *err)
{
	STACK_OF(X509) *certs = NULL;
	enum brski_code code = brski_certs_from_pem(pem, &certs, err);

	if (code == BRSKI_OK)
		code = brski_certs_check_keys(certs, err);
	sk_X509_pop_free(certs, X509_free);
	return code == BRSKI_OK ? code : brski_fail_context(err, code, "%s", source);
}

static enum brski_code check_pem(
	enum brski_admin_pem which, struct brski_span pem, const char *source, struct brski_error *err)
{
	if (which != BRSKI_ADMIN_CRLS)
		return check_certs(pem, source, err);
	if (pem.len && memmem(pem.data, pem.len, CRL_BEGIN, strlen(CRL_BEGIN)))
		return BRSKI_OK;
	return brski_fail(err, BRSKI_MALFORMED, "%s holds no CRL in PEM form", source);
}

enum brski_code brski_admin_manufacturer_set_url(
	struct brski_admin_manufacturer *m, const char *url, struct brski_error *err)
{
	enum brski_code code = check_url(url, err);

	if (code == BRSKI_OK)
		strcpy(m->masa_url, url); /* check_url has looked at its length */
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

	if (code == BRSKI_OK && brski_buf_set(&m->pem[which], pem) != BRSKI_OK)
		code = brski_fail(err, BRSKI_TOO_LARGE, "cannot read %s", source);
	return code;
}

static enum brski_code check(const struct brski_admin_manufacturer *m, struct brski_error *err)
{
	enum brski_code code = BRSKI_OK;

	if (!brski_admin_is_name(m->name))
		return brski_fail(err, BRSKI_MALFORMED,
			"a manufacturer's name is 1 to %d printable characters", BRSKI_ADMIN_NAME_MAX - 1);
	if (!m->pem[BRSKI_ADMIN_IDEVID_ANCHORS].len)
		return brski_fail(err, BRSKI_MALFORMED, "a manufacturer without anchors has no devices");
	if (m->masa_url[0])
		code = check_url(m->masa_url, err);
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

enum brski_code brski_admin_manufacturer_put(
	struct brski_admin *admin, const struct brski_admin_manufacturer *m, struct brski_error *err)
{
	const struct brski_store_manufacturer row = to_store(m);
	enum brski_code code = check(m, err);

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

void brski_admin_subjects(const struct brski_buf *pem, brski_admin_subject_row *row, void *ctx)
{
	STACK_OF(X509) *certs = NULL;
	char subject[256];

	if (!pem->len || brski_certs_from_pem(brski_buf_span(pem), &certs, NULL) != BRSKI_OK)
		return;
	for (int i = 0; i < sk_X509_num(certs); i++) {
		brski_name_text(X509_get_subject_name(sk_X509_value(certs, i)), subject, sizeof(subject));
		row(ctx, subject);
	}
	sk_X509_pop_free(certs, X509_free);
}
