/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/support/store_rows.h"

#include <check.h>

#define MOST 3

/* page: the call for one, of rows, place, n and err; done: what becomes of the row at last. */
#define EACH(type, page, done) \
	do { \
		struct type rows[MOST]; \
		struct brski_store_place place = {0}; \
		struct brski_error err = {0}; \
		unsigned n; \
\
		do { \
			ck_assert_msg((page) == BRSKI_OK, "%s", err.why); \
			for (unsigned i = 0; i < n; i++) { \
				row(ctx, &rows[i]); \
				done; \
			} \
		} while (n == MOST); \
	} while (0)

void each_manufacturer(struct brski_store *store,
	void (*row)(void *ctx, const struct brski_store_manufacturer *m), void *ctx)
{
	EACH(brski_store_manufacturer, brski_store_manufacturers_page(store, &place, rows, MOST, &n, &err),
		brski_store_manufacturer_free(&rows[i]));
}

void each_candidate(struct brski_store *store, bool refused,
	void (*row)(void *ctx, const struct brski_store_candidate *c), void *ctx)
{
	EACH(brski_store_candidate, brski_store_candidates_page(store, refused, &place, rows, MOST, &n, &err),
		(void)0);
}

void each_device(struct brski_store *store, const char *manufacturer,
	void (*row)(void *ctx, const struct brski_store_device *device), void *ctx)
{
	EACH(brski_store_device, brski_store_devices_page(store, manufacturer, &place, rows, MOST, &n, &err),
		(void)0);
}

void each_type(struct brski_store *store, const char *manufacturer,
	void (*row)(void *ctx, const struct brski_store_type *type), void *ctx)
{
	EACH(brski_store_type, brski_store_types_page(store, manufacturer, &place, rows, MOST, &n, &err),
		(void)0);
}

void each_nonceless(struct brski_store *store, const char *manufacturer,
	void (*row)(void *ctx, struct brski_store_nonceless *a), void *ctx)
{
	EACH(brski_store_nonceless,
		brski_store_nonceless_page(store, manufacturer, &place, rows, MOST, &n, &err),
		brski_store_nonceless_free(&rows[i]));
}

void each_event(struct brski_store *store, const char *serial, unsigned newest,
	void (*row)(void *ctx, const struct brski_store_event *event), void *ctx)
{
	EACH(brski_store_event, brski_store_events_page(store, serial, newest, &place, rows, MOST, &n, &err),
		(void)0);
}

void each_job(struct brski_store *store, const struct brski_store_job_filter *filter,
	void (*row)(void *ctx, struct brski_store_job *job), void *ctx)
{
	EACH(brski_store_job, brski_store_jobs_page(store, filter, &place, rows, MOST, &n, &err),
		brski_store_job_free(&rows[i]));
}

void each_turn(struct brski_store *store, const struct brski_store_turn *turn,
	void (*row)(void *ctx, struct brski_store_job *job), void *ctx)
{
	EACH(brski_store_job, brski_store_turn_page(store, turn, &place, rows, MOST, &n, &err),
		brski_store_job_free(&rows[i]));
}

enum brski_code store_put_job(struct brski_store *store, const struct brski_store_job *job,
	const struct brski_store_limits *limits, struct brski_error *err)
{
	const struct brski_store_limits *at_first = job->state == BRSKI_JOB_WAITING ? limits : NULL;
	struct brski_store_job next = *job, kept;
	enum brski_code code = brski_store_job_get(store, job->key, &kept, err);

	next.revision = code == BRSKI_OK ? kept.revision : 1;
	brski_store_job_free(&kept);
	if (code == BRSKI_NOT_FOUND) {
		code = brski_store_job_add(store, job, at_first, err);
		if (job->state == BRSKI_JOB_WAITING)
			return code;
	}
	return code == BRSKI_OK ? brski_store_job_replace(store, &next, limits, err) : code;
}
