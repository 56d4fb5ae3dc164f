/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "services/registrar/admin_internal.h"
#include "services/registrar/bundle_run.h"

/* Vouchers without nonce, fetched ahead for devices that will come when their MASA is away. */

struct brski_admin_fetch {
	struct brski_admin *admin;
	const char *manufacturer;
	struct brski_bundle_runner *runner; /* NULL: offline */
	X509 *idevid;                       /* NULL: none given */
};

/* ---- Fetch ---- */

static enum brski_code load_idevid(struct brski_admin_fetch *f, const char *uri, struct brski_error *err)
{
	STACK_OF(X509) *certs = NULL;
	enum brski_code code = brski_certs_load(uri, &certs, err);

	if (code == BRSKI_OK)
		f->idevid = sk_X509_shift(certs);
	sk_X509_pop_free(certs, X509_free);
	return code == BRSKI_OK ? code : brski_fail_context(err, code, "--idevid");
}

enum brski_code brski_admin_fetch_new(struct brski_admin *admin,
	const struct brski_admin_fetch_config *config, struct brski_admin_fetch **out,
	struct brski_error *err)
{
	const struct brski_bundle_runner_config calls = {
		.client = admin_credential(admin),
		.proxy = admin_proxy(admin),
		.masa_hosts = admin_masa_hosts(admin),
		.hosts_named_by = "masa_hosts",
	};
	struct brski_admin_fetch *f = calloc(1, sizeof(*f));
	enum brski_code code = BRSKI_OK;

	*out = NULL;
	if (!f)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for calls");
	f->admin = admin;
	f->manufacturer = config->manufacturer;
	if (!config->offline)
		code = brski_bundle_runner_new(&calls, &f->runner, err);
	if (code == BRSKI_OK && config->idevid)
		code = load_idevid(f, config->idevid, err);
	if (code != BRSKI_OK) {
		brski_admin_fetch_free(f);
		return code;
	}
	*out = f;
	return BRSKI_OK;
}

void brski_admin_fetch_free(struct brski_admin_fetch *f)
{
	if (!f)
		return;
	brski_bundle_runner_free(f->runner);
	X509_free(f->idevid);
	free(f);
}

/* The same way as a file's: what was asked, what was answered, judged. */
static enum brski_code call_masa(struct brski_admin_fetch *f, const struct brski_store_nonceless *row,
	struct brski_admin_fetched *out, struct brski_error *err)
{
	struct brski_exchange *exchange = admin_exchange(f->admin);
	struct brski_bundle bundle = {0}, answers = {.answers = true};
	struct brski_bundle_item *item = brski_bundle_add(&bundle), *answer = brski_bundle_add(&answers);
	struct brski_error judged = {0};
	enum brski_code code = BRSKI_NO_MEMORY;

	if (!item || !answer)
		brski_fail(err, code, "no memory for a request");
	else
		code = brski_exchange_nonceless_item(exchange, row, item, err);
	if (code == BRSKI_OK)
		code = brski_bundle_run(f->runner, item, answer, err);
	if (code == BRSKI_OK) {
		out->outcome = admin_outcome(brski_exchange_nonceless_answer(exchange, answer, &judged));
		snprintf(out->why, sizeof(out->why), "%s", judged.why);
	}
	brski_bundle_free(&bundle);
	brski_bundle_free(&answers);
	return code;
}

enum brski_code brski_admin_fetch_one(struct brski_admin_fetch *f, const char *serial,
	struct brski_admin_fetched *out, struct brski_error *err)
{
	char key[BRSKI_FINGERPRINT_MAX];
	struct brski_store_nonceless row;
	enum brski_code code = admin_check_serial(serial, err);

	*out = (struct brski_admin_fetched){.outcome = BRSKI_ADMIN_WAITS};
	if (code == BRSKI_OK)
		code = brski_exchange_ask(
			admin_exchange(f->admin), f->manufacturer, serial, f->idevid, key, err);
	if (code != BRSKI_OK || !f->runner)
		return code;
	code = brski_store_nonceless_by_key(f->admin->store, key, &row, err);
	if (code == BRSKI_OK)
		code = call_masa(f, &row, out, err);
	brski_store_nonceless_free(&row);
	return code;
}

/* ---- List, remove ---- */

static void tell_voucher(
	const struct brski_store_nonceless *row, time_t now, brski_admin_voucher_row *told, void *ctx)
{
	bool expired = row->expires_on && row->expires_on <= now;
	const struct brski_admin_voucher voucher = {
		.manufacturer = row->manufacturer,
		.serial_number = row->serial_number,
		.state = !row->voucher.len ? BRSKI_ADMIN_VOUCHER_ASKED
			 : expired         ? BRSKI_ADMIN_VOUCHER_EXPIRED
					   : BRSKI_ADMIN_VOUCHER_USABLE,
		.renewing = row->waiting && row->voucher.len,
		.fetched = row->fetched,
		.expires_on = row->expires_on,
	};

	told(ctx, &voucher);
}

enum brski_code brski_admin_vouchers(struct brski_admin *admin, const char *manufacturer,
	brski_admin_voucher_row *row, void *ctx, struct brski_error *err)
{
	struct brski_store_nonceless rows[BRSKI_STORE_PAGE_HEAVY];
	struct brski_store_place place = {0};
	enum brski_code code;
	unsigned n;

	do {
		code = brski_store_nonceless_page(
			admin->store, manufacturer, &place, rows, BRSKI_STORE_PAGE_HEAVY, &n, err);
		for (unsigned i = 0; i < n; i++) {
			tell_voucher(&rows[i], brski_now(admin->env), row, ctx);
			brski_store_nonceless_free(&rows[i]);
		}
	} while (code == BRSKI_OK && n == BRSKI_STORE_PAGE_HEAVY);
	return code;
}

enum brski_code brski_admin_voucher_remove(
	struct brski_admin *admin, const char *manufacturer, const char *serial, struct brski_error *err)
{
	return brski_store_nonceless_remove(admin->store, manufacturer, serial, err);
}
