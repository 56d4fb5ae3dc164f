/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>

#include "services/registrar/store_internal.h"

#define COLUMNS "key, state, voucher, used_for, manufacturer, serial_number, since, revision"

static_assert(BRSKI_PERMISSION_VOUCHER == 0 && BRSKI_PERMISSION_TAKEN_BACK == 4 && BRSKI_JOB_VOUCHER == 0 &&
		      BRSKI_JOB_DONE == 1,
	"the states and the kind in these statements, and in the schema's triggers");

static void read_row(struct sql *q, struct brski_store_permission *p)
{
	sql_printable(q, 0, p->key, sizeof(p->key));
	p->state = (enum brski_permission_state)sql_int(q, 1);
	sql_printable(q, 2, p->voucher, sizeof(p->voucher));
	sql_printable(q, 3, p->used_for, sizeof(p->used_for));
	sql_printable(q, 4, p->manufacturer, sizeof(p->manufacturer));
	sql_printable(q, 5, p->serial_number, sizeof(p->serial_number));
	p->since = (time_t)sql_int(q, 6);
	p->revision = (uint64_t)sql_int(q, 7);
}

enum brski_code brski_store_permission_get(struct brski_store *store, const char *key,
	struct brski_store_permission *out, struct brski_error *err)
{
	struct sql q;
	bool found;
	enum brski_code code;

	*out = (struct brski_store_permission){0};
	sql_begin_read(&q, store->db, "SELECT " COLUMNS " FROM permission WHERE key = ?1", err);
	sql_bind_text(&q, key);
	found = sql_row(&q);
	if (found)
		read_row(&q, out);
	code = sql_end(&q);
	return code == BRSKI_OK && !found ? brski_fail(err, BRSKI_NOT_FOUND, "no such permission") : code;
}

/* ---- Compare and set ---- */

static const char *put_statement(const struct brski_store_permission *p)
{
	return p->revision == 0
		       ? "INSERT INTO permission (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1)"
			 " ON CONFLICT (key) DO NOTHING"
		       : "UPDATE permission SET state = ?2, voucher = ?3, used_for = ?4, manufacturer = ?5,"
			 " serial_number = ?6, since = ?7, revision = revision + 1"
			 " WHERE key = ?1 AND revision = ?8";
}

static enum brski_code put_row(
	struct brski_store *store, const struct brski_store_permission *p, struct brski_error *err)
{
	struct sql q;
	uint64_t changed;
	enum brski_code code;

	sql_begin(&q, store->db, put_statement(p), err);
	sql_bind_text(&q, p->key);
	sql_bind_int(&q, p->state);
	sql_bind_text(&q, p->voucher);
	sql_bind_text(&q, p->used_for);
	sql_bind_text(&q, p->manufacturer);
	sql_bind_text(&q, p->serial_number);
	sql_bind_int(&q, p->since);
	if (p->revision > 0)
		sql_bind_int(&q, (int64_t)p->revision);
	code = sql_run_changes(&q, &changed);
	return code == BRSKI_OK && changed == 0
		       ? brski_fail(err, BRSKI_UNEXPECTED, "the permission has changed meanwhile")
		       : code;
}

/* Each voucher gives once: whoever repeats an older request than his last gets nothing new for it. */
static enum brski_code use_voucher(struct brski_store *store, const char *key, struct brski_error *err)
{
	struct sql q;
	uint64_t changed;
	enum brski_code code;

	sql_begin(&q, store->db,
		"UPDATE job SET given = 1 WHERE key = ?1 AND kind = 0 AND state = 1 AND given = 0", err);
	sql_bind_text(&q, key);
	code = sql_run_changes(&q, &changed);
	return code == BRSKI_OK && changed == 0
		       ? brski_fail(err, BRSKI_NOT_FOUND, "that voucher is not here any more")
		       : code;
}

enum brski_code brski_store_permission_change(
	struct brski_store *store, const struct brski_store_permission *p, struct brski_error *err)
{
	enum brski_code code = put_row(store, p, err);

	if (code == BRSKI_OK && p->state == BRSKI_PERMISSION_VOUCHER && p->voucher[0] != '\0')
		code = use_voucher(store, p->voucher, err);
	return code;
}

enum brski_code brski_store_permission_put(
	struct brski_store *store, const struct brski_store_permission *p, struct brski_error *err)
{
	enum brski_code code = sql_transaction_begin(store->db, err);

	return code == BRSKI_OK
		       ? sql_transaction_end(store->db, brski_store_permission_change(store, p, err), err)
		       : code;
}

/* ---- Taking back ---- */

static enum brski_code forget_vouchers(
	struct brski_store *store, const char *manufacturer, const char *serial, struct brski_error *err)
{
	struct sql q;

	sql_begin(&q, store->db,
		"DELETE FROM job WHERE manufacturer = ?1 AND serial_number = ?2 AND state = 1 AND kind = 0",
		err);
	sql_bind_text(&q, manufacturer);
	sql_bind_text(&q, serial);
	return sql_run(&q);
}

enum brski_code brski_store_permission_fall(struct brski_store *store, const char *manufacturer,
	const char *serial, time_t at, struct brski_error *err)
{
	struct sql q;
	enum brski_code code;

	sql_begin(&q, store->db,
		"UPDATE permission SET state = 4, since = ?3, revision = revision + 1"
		" WHERE manufacturer = ?1 AND serial_number = ?2 AND state <> 4",
		err);
	sql_bind_text(&q, manufacturer);
	sql_bind_text(&q, serial);
	sql_bind_int(&q, at ? at : time(NULL));
	code = sql_run(&q);
	return code == BRSKI_OK ? forget_vouchers(store, manufacturer, serial, err) : code;
}

/* A device that is refused at every visit costs no write. */
static enum brski_code has_something(struct brski_store *store, const char *manufacturer, const char *serial,
	bool *has, struct brski_error *err)
{
	struct sql q;

	sql_begin_read(&q, store->db,
		"SELECT EXISTS (SELECT 1 FROM permission WHERE manufacturer = ?1 AND serial_number = ?2"
		" AND state <> 4) OR EXISTS (SELECT 1 FROM job WHERE manufacturer = ?1 AND serial_number = ?2"
		" AND state = 1 AND kind = 0)",
		err);
	sql_bind_text(&q, manufacturer);
	sql_bind_text(&q, serial);
	*has = sql_row(&q) && sql_int(&q, 0) != 0;
	return sql_end(&q);
}

enum brski_code brski_store_permission_take_back(struct brski_store *store, const char *manufacturer,
	const char *serial, time_t at, struct brski_error *err)
{
	bool has;
	enum brski_code code = has_something(store, manufacturer, serial, &has, err);

	if (code != BRSKI_OK || !has)
		return code;
	code = sql_transaction_begin(store->db, err);
	if (code != BRSKI_OK)
		return code;
	code = brski_store_permission_fall(store, manufacturer, serial, at, err);
	return sql_transaction_end(store->db, code, err);
}

enum brski_code brski_store_permissions_expire(
	struct brski_store *store, time_t before, unsigned *n, struct brski_error *err)
{
	struct sql q;
	uint64_t changed;
	enum brski_code code;

	sql_begin(&q, store->db,
		"DELETE FROM permission WHERE key IN (SELECT key FROM permission AS p WHERE since < ?1"
		" AND NOT EXISTS (SELECT 1 FROM job WHERE manufacturer = p.manufacturer"
		" AND serial_number = p.serial_number) LIMIT ?2)",
		err);
	sql_bind_int(&q, before);
	sql_bind_int(&q, BRSKI_STORE_STEP);
	code = sql_run_changes(&q, &changed);
	*n = (unsigned)changed;
	return code;
}
