/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "services/registrar/bundle_exchange_internal.h"

/* Requests that wait, into a bundle. */

#define JOBS_MOST BRSKI_BUNDLE_ITEMS_MAX

struct exporting {
	struct brski_exchange *x;
	struct brski_bundle *bundle;
	unsigned held;
	enum brski_code code;
	struct brski_error *err;
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
static void export_row(void *ctx, struct brski_store_job *row)
{
	struct exporting *all = ctx;
	struct brski_job *job = NULL;

	if (all->code != BRSKI_OK)
		return;
	brski_dry_run_clear(all->x);
	if (brski_job_load(all->x->registrar, brski_buf_span(&row->blob), &job, NULL) != BRSKI_OK ||
		brski_job_state(job) != BRSKI_JOB_WAITING || brski_job_is_deferred(job))
		all->held++;
	else
		all->code = add_item(all, row, job, all->err);
	brski_job_free(job);
}

static void export_nonceless(void *ctx, struct brski_store_nonceless *row)
{
	struct exporting *all = ctx;
	struct brski_bundle_item *item;

	if (all->code != BRSKI_OK || !row->waiting)
		return;
	item = brski_bundle_add(all->bundle);
	if (item)
		all->code = brski_exchange_nonceless_item(all->x, row, item, all->err);
	else
		all->code = brski_fail(
			all->err, BRSKI_TOO_LARGE, "more than %d requests wait", BRSKI_BUNDLE_ITEMS_MAX);
}

enum brski_code brski_exchange_export(
	struct brski_exchange *x, struct brski_bundle *out, unsigned *held, struct brski_error *err)
{
	struct exporting all = {.x = x, .bundle = out, .err = err};
	enum brski_code code;

	*out = (struct brski_bundle){.created_on = brski_now(x->env)};
	memcpy(out->registrar, x->name, sizeof(out->registrar));
	code = brski_store_jobs(x->store, BRSKI_JOB_WAITING, JOBS_MOST, export_row, &all, err);
	if (code == BRSKI_OK && all.code == BRSKI_OK)
		code = brski_store_nonceless_list(x->store, NULL, export_nonceless, &all, err);
	brski_dry_run_clear(x);
	*held = all.held;
	if (code == BRSKI_OK)
		code = all.code;
	if (code != BRSKI_OK)
		brski_bundle_free(out);
	return code;
}
