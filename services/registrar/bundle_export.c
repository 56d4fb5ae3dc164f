/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "services/registrar/bundle_exchange_internal.h"

/* Requests that wait, into a bundle. */

#define JOBS_MOST BRSKI_BUNDLE_ITEMS_MAX

struct exporting {
	struct brski_exchange *x;
	struct brski_bundle *bundle;
	unsigned held;
};

static enum brski_code add_calls(
	const struct brski_job *job, struct brski_bundle_item *item, struct brski_error *err)
{
	struct brski_call call;
	enum brski_code code = BRSKI_OK;

	if (brski_job_call(job, &call) && call.tls_anchors)
		code = brski_certs_to_pem(call.tls_anchors, &item->tls_anchors, err);
	for (unsigned i = 0; code == BRSKI_OK && i < BRSKI_BUNDLE_CALLS_MAX; i++) {
		code = brski_job_plan(job, i, &item->calls[i], err);
		if (code == BRSKI_OK)
			item->n_calls++;
	}
	return code == BRSKI_NOT_FOUND && item->n_calls > 0 ? BRSKI_OK : code;
}

static enum brski_code add_item(struct exporting *all, const struct brski_store_job *row,
	const struct brski_job *job, struct brski_error *err)
{
	struct brski_bundle_item *item = brski_bundle_add(all->bundle);

	if (!item)
		return brski_fail(err, BRSKI_TOO_LARGE, "more than %d requests wait", BRSKI_BUNDLE_ITEMS_MAX);
	memcpy(item->key, row->key, sizeof(item->key));
	memcpy(item->manufacturer, row->manufacturer, sizeof(item->manufacturer));
	memcpy(item->serial_number, row->serial_number, sizeof(item->serial_number));
	item->kind = brski_bundle_kind_of(row->kind);
	return add_calls(job, item, err);
}

/* A request that the registrar would not make now, or cannot read, does not go out. */
static enum brski_code export_row(
	struct exporting *all, const struct brski_store_job *row, struct brski_error *err)
{
	struct brski_job *job = NULL;
	enum brski_code code = BRSKI_OK;

	brski_dry_run_clear(all->x);
	if (brski_job_load(all->x->registrar, brski_buf_span(&row->blob), row->revision, &job, NULL) !=
			BRSKI_OK ||
		brski_job_state(job) != BRSKI_JOB_WAITING || brski_job_is_deferred(job))
		all->held++;
	else
		code = add_item(all, row, job, err);
	brski_job_free(job);
	return code;
}

static enum brski_code export_jobs(struct exporting *all, struct brski_error *err)
{
	const struct brski_store_job_filter waiting = {.state = BRSKI_JOB_WAITING};
	struct brski_store_job rows[BRSKI_STORE_PAGE_HEAVY];
	struct brski_store_place place = {0};
	enum brski_code code;
	unsigned n, seen = 0;

	do {
		code = brski_store_jobs_page(
			all->x->store, &waiting, &place, rows, BRSKI_STORE_PAGE_HEAVY, &n, err);
		for (unsigned i = 0; i < n; i++) {
			if (code == BRSKI_OK && seen++ < JOBS_MOST)
				code = export_row(all, &rows[i], err);
			brski_store_job_free(&rows[i]);
		}
	} while (code == BRSKI_OK && n == BRSKI_STORE_PAGE_HEAVY && seen < JOBS_MOST);
	return code;
}

static enum brski_code export_nonceless_row(
	struct exporting *all, const struct brski_store_nonceless *row, struct brski_error *err)
{
	struct brski_bundle_item *item;

	if (!row->waiting)
		return BRSKI_OK;
	item = brski_bundle_add(all->bundle);
	if (item)
		return brski_exchange_nonceless_item(all->x, row, item, err);
	return brski_fail(err, BRSKI_TOO_LARGE, "more than %d requests wait", BRSKI_BUNDLE_ITEMS_MAX);
}

static enum brski_code export_nonceless(struct exporting *all, struct brski_error *err)
{
	struct brski_store_nonceless rows[BRSKI_STORE_PAGE_HEAVY];
	struct brski_store_place place = {0};
	enum brski_code code;
	unsigned n;

	do {
		code = brski_store_nonceless_page(
			all->x->store, NULL, &place, rows, BRSKI_STORE_PAGE_HEAVY, &n, err);
		for (unsigned i = 0; i < n; i++) {
			if (code == BRSKI_OK)
				code = export_nonceless_row(all, &rows[i], err);
			brski_store_nonceless_free(&rows[i]);
		}
	} while (code == BRSKI_OK && n == BRSKI_STORE_PAGE_HEAVY);
	return code;
}

enum brski_code brski_exchange_export(
	struct brski_exchange *x, struct brski_bundle *out, unsigned *held, struct brski_error *err)
{
	struct exporting all = {.x = x, .bundle = out};
	enum brski_code code;

	*out = (struct brski_bundle){.created_on = brski_now(x->env)};
	memcpy(out->registrar, x->name, sizeof(out->registrar));
	code = export_jobs(&all, err);
	if (code == BRSKI_OK)
		code = export_nonceless(&all, err);
	brski_dry_run_clear(x);
	*held = all.held;
	if (code != BRSKI_OK)
		brski_bundle_free(out);
	return code;
}
