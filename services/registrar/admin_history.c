/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/admin_internal.h"
#include "services/registrar/bundle.h"

/* What happened, and what waits for a MASA or the PKI. */

#define REQUESTS_MOST 100000

/* ---- History ---- */

struct history {
	brski_admin_event_row *row;
	void *ctx;
};

static void history_row(void *ctx, const struct brski_store_event *e)
{
	const struct brski_admin_event event = {
		.at = e->at,
		.manufacturer = e->manufacturer,
		.serial_number = e->serial_number,
		.what = e->what,
		.detail = e->detail,
		.ok = e->ok,
		.times = e->times,
	};
	const struct history *h = ctx;

	h->row(h->ctx, &event);
}

enum brski_code brski_admin_history(struct brski_admin *admin, const char *serial, unsigned long most,
	brski_admin_event_row *row, void *ctx, struct brski_error *err)
{
	struct history h = {row, ctx};

	if (most == 0 || most > BRSKI_ADMIN_HISTORY_MOST)
		return brski_fail(
			err, BRSKI_MALFORMED, "a history has 1 to %d events", BRSKI_ADMIN_HISTORY_MOST);
	return brski_store_events(admin->store, serial, (unsigned)most, history_row, &h, err);
}

/* ---- The queue ---- */

enum brski_code brski_admin_totals(
	struct brski_admin *admin, struct brski_admin_totals *out, struct brski_error *err)
{
	struct brski_store_job_totals totals = {0};
	enum brski_code code = brski_store_job_totals(admin->store, &totals, err);

	*out = (struct brski_admin_totals){
		.waiting = totals.waiting,
		.waiting_vouchers = totals.waiting_by_kind[BRSKI_JOB_VOUCHER],
		.waiting_certificates = totals.waiting_by_kind[BRSKI_JOB_CMP],
		.done = totals.done,
		.refused = totals.refused,
		.oldest = totals.oldest,
		.octets = totals.octets,
	};
	return code;
}

struct queue {
	brski_admin_request_row *row;
	void *ctx;
};

static void queue_row(void *ctx, struct brski_store_job *job)
{
	const struct brski_admin_request request = {
		.manufacturer = job->manufacturer,
		.serial_number = job->serial_number,
		.waits_for = brski_bundle_kind_name(brski_bundle_kind_of(job->kind)),
		.since = job->created,
		.last_try = job->updated,
		.octets = job->blob.len,
	};
	const struct queue *q = ctx;

	q->row(q->ctx, &request);
}

enum brski_code brski_admin_queue(
	struct brski_admin *admin, brski_admin_request_row *row, void *ctx, struct brski_error *err)
{
	struct queue q = {row, ctx};

	return brski_store_jobs(admin->store, BRSKI_JOB_WAITING, REQUESTS_MOST, queue_row, &q, err);
}
