/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "services/registrar/bundle_exchange_internal.h"

/* The registrar's memory, on trial: it reads from the store, and writes to memory, to be kept or dropped. */

static const struct brski_registrar_ops *real(void)
{
	return brski_policy_ops();
}

static enum brski_code find_manufacturer(
	void *ctx, const STACK_OF(X509) *chain, struct brski_manufacturer *out, struct brski_error *err)
{
	return real()->find_manufacturer(((struct brski_exchange *)ctx)->policy, chain, out, err);
}

static enum brski_code decide(void *ctx, const struct brski_device *device,
	const struct brski_manufacturer *m, enum brski_decision *decision, char why[256], long *retry_after,
	struct brski_error *err)
{
	struct brski_exchange *x = ctx;

	return real()->decide(x->policy, device, m, decision, why, retry_after, err);
}

static struct brski_store_job *find_row(struct dry_run *s, const char *key)
{
	for (size_t i = 0; i < s->n_rows; i++)
		if (strcmp(s->rows[i].key, key) == 0)
			return &s->rows[i];
	return NULL;
}

static enum brski_code job_put(void *ctx, const char *key, enum brski_job_kind kind,
	enum brski_job_state state, const struct brski_device *device, struct brski_span blob,
	struct brski_error *err)
{
	struct brski_exchange *x = ctx;
	struct dry_run *s = &x->dry_run;
	struct brski_store_job *row = find_row(s, key);

	if (!row) {
		if (s->n_rows == DRY_RUN_ROWS)
			return brski_fail(err, BRSKI_INTERNAL, "one answer changes too much");
		row = &s->rows[s->n_rows++];
		snprintf(row->key, sizeof(row->key), "%s", key);
	}
	row->kind = kind;
	row->state = state;
	row->updated = brski_now(x->env);
	snprintf(row->manufacturer, sizeof(row->manufacturer), "%s", device->manufacturer);
	snprintf(row->serial_number, sizeof(row->serial_number), "%s", device->serial_number);
	if (brski_buf_set(&row->blob, blob) == BRSKI_OK)
		return BRSKI_OK;
	return brski_fail(err, BRSKI_NO_MEMORY, "no memory for a request");
}

static enum brski_code job_get(void *ctx, const char *key, struct brski_buf *blob, struct brski_error *err)
{
	struct brski_exchange *x = ctx;
	const struct brski_store_job *row = find_row(&x->dry_run, key);

	if (!row)
		return real()->job_get(x->policy, key, blob, err);
	if (brski_buf_set(blob, brski_buf_span(&row->blob)) == BRSKI_OK)
		return BRSKI_OK;
	return brski_fail(err, BRSKI_NO_MEMORY, "no memory for a request");
}

static void event(void *ctx, const struct brski_device *device, const char *what, bool ok, const char *detail)
{
	struct brski_exchange *x = ctx;
	struct dry_run *s = &x->dry_run;
	struct brski_store_event *e;

	if (s->n_events == DRY_RUN_EVENTS) /* the last one tells how it ended */
		s->n_events--;
	e = &s->events[s->n_events++];
	*e = (struct brski_store_event){.at = brski_now(x->env), .ok = ok};
	snprintf(e->what, sizeof(e->what), "%s", what);
	snprintf(e->detail, sizeof(e->detail), "%s", detail ? detail : "");
	snprintf(e->manufacturer, sizeof(e->manufacturer), "%s", device ? device->manufacturer : "");
	snprintf(e->serial_number, sizeof(e->serial_number), "%s", device ? device->serial_number : "");
}

/* No nonceless_voucher: that is for the server, when it sees that the MASA is away. */
const struct brski_registrar_ops brski_dry_run_ops = {
	.find_manufacturer = find_manufacturer,
	.decide = decide,
	.job_put = job_put,
	.job_get = job_get,
	.event = event,
};

void brski_dry_run_clear(struct brski_exchange *x)
{
	for (size_t i = 0; i < x->dry_run.n_rows; i++)
		brski_store_job_free(&x->dry_run.rows[i]);
	x->dry_run.n_rows = x->dry_run.n_events = 0;
}

const char *brski_dry_run_words(const struct brski_exchange *x)
{
	return x->dry_run.n_events ? x->dry_run.events[x->dry_run.n_events - 1].detail : "";
}

enum brski_code brski_dry_run_commit(struct brski_exchange *x, const char *key, struct brski_error *err)
{
	struct dry_run *s = &x->dry_run;
	struct brski_store_job *first = find_row(s, key);
	struct brski_store_job swap;
	enum brski_code code;

	if (!first)
		return brski_fail(err, BRSKI_INTERNAL, "an answer that changes nothing");
	swap = s->rows[0];
	s->rows[0] = *first;
	*first = swap;
	code = brski_store_jobs_settle_old(x->store, s->rows, s->n_rows, err);
	for (size_t i = 0; code == BRSKI_OK && i < s->n_events; i++) {
		const struct brski_store_event *e = &s->events[i];
		struct brski_device device = {0};

		snprintf(device.manufacturer, sizeof(device.manufacturer), "%s", e->manufacturer);
		snprintf(device.serial_number, sizeof(device.serial_number), "%s", e->serial_number);
		real()->event(x->policy, &device, e->what, e->ok, e->detail);
	}
	return code;
}
