/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <stdio.h>

#include "eap_brski/pki/cms.h"
#include "services/base/file.h"
#include "services/registrar/admin_internal.h"

/* Requests out and answers in, where there is no way to MASA and PKI. */

static_assert(BRSKI_ADMIN_FILE_MAX == BRSKI_CMS_DATA_MAX, "a file is one CMS message");
static_assert((int)BRSKI_ADMIN_ANSWERED == BRSKI_IMPORT_ANSWERED, "outcomes");
static_assert((int)BRSKI_ADMIN_REFUSED == BRSKI_IMPORT_REFUSED, "outcomes");
static_assert((int)BRSKI_ADMIN_GOES_ON == BRSKI_IMPORT_GOES_ON, "outcomes");
static_assert((int)BRSKI_ADMIN_WAITS == BRSKI_IMPORT_WAITS, "outcomes");
static_assert((int)BRSKI_ADMIN_REPEATED == BRSKI_IMPORT_REPEATED, "outcomes");
static_assert((int)BRSKI_ADMIN_WRONG == BRSKI_IMPORT_WRONG, "outcomes");

enum brski_admin_outcome admin_outcome(enum brski_import_outcome outcome)
{
	return (enum brski_admin_outcome)outcome;
}

/* ---- Export ---- */

static void count(const struct brski_bundle *bundle, struct brski_admin_exported *out)
{
	for (size_t i = 0; i < bundle->n_items; i++) {
		unsigned *const counts[BRSKI_BUNDLE_KINDS] = {
			[BRSKI_BUNDLE_VOUCHER] = &out->vouchers,
			[BRSKI_BUNDLE_CERTIFICATE] = &out->certificates,
			[BRSKI_BUNDLE_NONCELESS] = &out->nonceless,
		};

		++*counts[bundle->items[i].kind];
	}
}

enum brski_code brski_admin_export(struct brski_admin *admin, struct brski_buf *file,
	struct brski_admin_exported *exported, struct brski_error *err)
{
	struct brski_bundle bundle = {0};
	enum brski_code code;

	*exported = (struct brski_admin_exported){0};
	code = brski_exchange_export(admin_exchange(admin), &bundle, &exported->held, err);
	if (code == BRSKI_OK)
		code = brski_bundle_seal(&bundle, admin_credential(admin), file, err);
	count(&bundle, exported);
	brski_bundle_free(&bundle);
	return code;
}

/* ---- Import ---- */

/*
 * Whoever brings answers is trusted for what is not signed by MASA or PKI: the audit log, and words
 * of refusal.
 */
struct known {
	const struct brski_admin *admin;
	const char *courier; /* NULL: courier.pem */
};

static enum brski_code check_courier(void *ctx, const STACK_OF(X509) *certs, struct brski_error *err)
{
	const struct brski_admin *admin = ((const struct known *)ctx)->admin;
	const char *courier = ((const struct known *)ctx)->courier;
	STACK_OF(X509) *anchors = NULL;
	char folder[512], path[600];
	enum brski_code code;

	brski_file_folder(admin_certificate_file(admin), folder, sizeof(folder));
	snprintf(path, sizeof(path), "%s/courier.pem", folder);
	code = brski_certs_load(courier ? courier : path, &anchors, err);
	if (code != BRSKI_OK)
		return brski_fail_context(err, code, "the couriers' certificates (--courier)");
	code = brski_chain_verify(certs, anchors, NULL, BRSKI_USE_ANY, brski_now(admin->env), err);
	sk_X509_pop_free(anchors, X509_free);
	if (code == BRSKI_OK)
		return code;
	if (brski_cert_equal(sk_X509_value(certs, 0), admin_credential(admin)->cert))
		return brski_fail(err, BRSKI_UNEXPECTED,
			"this is no file of answers: this registrar has signed it itself, as it does its "
			"requests; brski-courier writes the answers");
	return brski_fail_context(err, code, "they are signed by no courier that is known");
}

struct importing {
	brski_admin_imported_row *row;
	void *ctx;
};

static void tell(
	void *ctx, const struct brski_bundle_item *item, enum brski_import_outcome outcome, const char *why)
{
	const struct brski_admin_imported answer = {
		.manufacturer = item->manufacturer,
		.serial_number = item->serial_number,
		.kind = brski_bundle_kind_name(item->kind),
		.outcome = admin_outcome(outcome),
		.why = why,
	};
	const struct importing *x = ctx;

	x->row(x->ctx, &answer);
}

enum brski_code brski_admin_import(struct brski_admin *admin, struct brski_span file, const char *courier,
	brski_admin_imported_row *row, void *ctx, struct brski_error *err)
{
	struct importing x = {row, ctx};
	struct known known = {admin, courier};
	struct brski_bundle bundle = {0};
	STACK_OF(X509) *certs = NULL;
	enum brski_code code = brski_bundle_open(file, true, check_courier, &known, &bundle, &certs, err);

	if (code == BRSKI_OK)
		code = brski_exchange_import(admin_exchange(admin), &bundle, tell, &x, err);
	sk_X509_pop_free(certs, X509_free);
	brski_bundle_free(&bundle);
	return code;
}
