/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/admin_internal.h"
#include "services/registrar/bundle.h"

/* What happened, and what waits for a MASA or the PKI. */

/* ---- History ---- */

static void tell_event(const struct brski_store_event *e, brski_admin_event_row *row, void *ctx)
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

	row(ctx, &event);
}

enum brski_code brski_admin_history(struct brski_admin *admin, const char *serial, unsigned long most,
	brski_admin_event_row *row, void *ctx, struct brski_error *err)
{
	struct brski_store_event rows[BRSKI_STORE_PAGE];
	struct brski_store_place place = {0};
	unsigned long left = most;
	enum brski_code code;
	unsigned n;

	if (most == 0 || most > BRSKI_ADMIN_HISTORY_MOST)
		return brski_fail(
			err, BRSKI_MALFORMED, "a history has 1 to %d events", BRSKI_ADMIN_HISTORY_MOST);
	do {
		code = brski_store_events_page(
			admin->store, serial, (unsigned)most, &place, rows, BRSKI_STORE_PAGE, &n, err);
		for (unsigned i = 0; i < n && left > 0; i++, left--)
			tell_event(&rows[i], row, ctx);
	} while (code == BRSKI_OK && n == BRSKI_STORE_PAGE && left > 0);
	return code;
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

static void tell_request(const struct brski_store_job *job, brski_admin_request_row *row, void *ctx)
{
	const struct brski_admin_request request = {
		.manufacturer = job->manufacturer,
		.serial_number = job->serial_number,
		.waits_for = brski_bundle_kind_name(brski_bundle_kind_of(job->kind)),
		.since = job->created,
		.last_try = job->updated,
		.octets = job->blob.len,
	};

	row(ctx, &request);
}

enum brski_code brski_admin_queue(
	struct brski_admin *admin, brski_admin_request_row *row, void *ctx, struct brski_error *err)
{
	const struct brski_store_job_filter waiting = {.state = BRSKI_JOB_WAITING};
	struct brski_store_job rows[BRSKI_STORE_PAGE_HEAVY];
	struct brski_store_place place = {0};
	enum brski_code code;
	unsigned n;

	do {
		code = brski_store_jobs_page(
			admin->store, &waiting, &place, rows, BRSKI_STORE_PAGE_HEAVY, &n, err);
		for (unsigned i = 0; i < n; i++) {
			tell_request(&rows[i], row, ctx);
			brski_store_job_free(&rows[i]);
		}
	} while (code == BRSKI_OK && n == BRSKI_STORE_PAGE_HEAVY);
	return code;
}
