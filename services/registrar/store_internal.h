/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_STORE_INTERNAL_H
#define BRSKI_SERVICES_REGISTRAR_STORE_INTERNAL_H

#include "services/base/sql_migrate.h"
#include "services/registrar/store.h"

/* Private to store*.c. */
struct brski_store {
	struct sql_db *db;
};

/* store_schema.c: the version that this program works with, and the steps to it. */
extern const struct sql_schema brski_store_schema;

/*
 * Of a statement that puts a row below a manufacturer: what a constraint forbids is
 * BRSKI_NOT_FOUND, since there is no such manufacturer; any other code as it is.
 */
BRSKI_CHECKED enum brski_code brski_store_below(
	enum brski_code code, const char *manufacturer, struct brski_error *err);

/*
 * store.c: where a list goes on after the row that is read now: the columns of its order, -1 for
 * what is not in it. As they are stored, since what is shown of them may be in another order.
 */
void brski_store_place_take(
	struct sql *q, int number, int first, int second, struct brski_store_place *place);

/* ---- store_rates.c ---- */

/* Is there room for one more? As brski_store_job_room. rate->most 0: always. */
BRSKI_CHECKED enum brski_code brski_store_rate_look(struct brski_store *store,
	const struct brski_store_work *asked, const struct brski_rate *rate, long *seconds,
	struct brski_error *err);
/* The same, and it is counted: in the transaction of what it counts. */
BRSKI_CHECKED enum brski_code brski_store_rate_take(struct brski_store *store,
	const struct brski_store_work *asked, const struct brski_rate *rate, struct brski_error *err);

/* ---- store_jobs.c, for others that select from job ---- */

#define BRSKI_STORE_JOB_COLUMNS \
	"key, kind, state, manufacturer, serial_number, created, updated, blob, revision, " \
	"lease_owner, lease_until, back_end, due"
void brski_store_job_read(struct sql *q, struct brski_store_job *job);

/* ---- store_permissions.c ---- */

/* As brski_store_permission_put(), within a transaction that is open. */
BRSKI_CHECKED enum brski_code brski_store_permission_change(
	struct brski_store *store, const struct brski_store_permission *p, struct brski_error *err);
/* As brski_store_permission_take_back(), within a transaction that is open. */
BRSKI_CHECKED enum brski_code brski_store_permission_fall(struct brski_store *store, const char *manufacturer,
	const char *serial, time_t at, struct brski_error *err);

/* ---- store_nonceless.c ---- */

/*
 * The MASA refuses the device now, or what was asked of it for the device: so a voucher that it gave
 * ahead counts no more. Within a transaction that is open; BRSKI_OK also if there is none.
 */
BRSKI_CHECKED enum brski_code brski_store_nonceless_fall(
	struct brski_store *store, const char *manufacturer, const char *serial, struct brski_error *err);

#endif
