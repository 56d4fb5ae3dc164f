/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/store_internal.h"

#define COLUMNS \
	"manufacturer, serial_number, key, waiting, asked, issuer, request, voucher, fetched, expires_on"

void brski_store_nonceless_free(struct brski_store_nonceless *a)
{
	brski_buf_free(&a->issuer);
	brski_buf_free(&a->request);
	brski_buf_free(&a->voucher);
	*a = (struct brski_store_nonceless){0};
}

enum brski_code brski_store_nonceless_ask(
	struct brski_store *store, const struct brski_store_nonceless *a, struct brski_error *err)
{
	struct sql q;

	sql_begin(&q, store->db,
		"INSERT INTO voucher_ahead (" COLUMNS ") VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6, x'', 0, 0)"
		" ON CONFLICT (manufacturer, serial_number) DO UPDATE SET"
		" key = ?3, waiting = 1, asked = ?4, issuer = ?5, request = ?6",
		err);
	sql_bind_text(&q, a->manufacturer);
	sql_bind_text(&q, a->serial_number);
	sql_bind_text(&q, a->key);
	sql_bind_int(&q, a->asked);
	sql_bind_blob(&q, brski_buf_span(&a->issuer));
	sql_bind_blob(&q, brski_buf_span(&a->request));
	return brski_store_below(sql_run(&q), a->manufacturer, err);
}

enum brski_code brski_store_nonceless_fill(
	struct brski_store *store, const struct brski_store_nonceless *a, struct brski_error *err)
{
	struct sql q;
	uint64_t changed;
	enum brski_code code;

	sql_begin(&q, store->db,
		"UPDATE voucher_ahead SET waiting = 0, voucher = ?2, fetched = ?3, expires_on = ?4"
		" WHERE key = ?1 AND waiting",
		err);
	sql_bind_text(&q, a->key);
	sql_bind_blob(&q, brski_buf_span(&a->voucher));
	sql_bind_int(&q, a->fetched);
	sql_bind_int(&q, a->expires_on);
	code = sql_run_changes(&q, &changed);
	if (code == BRSKI_OK && changed == 0)
		code = brski_fail(err, BRSKI_UNEXPECTED, "no such request waits");
	return code;
}

static void read_row(struct sql *q, struct brski_store_nonceless *a)
{
	sql_printable(q, 0, a->manufacturer, sizeof(a->manufacturer));
	sql_printable(q, 1, a->serial_number, sizeof(a->serial_number));
	sql_printable(q, 2, a->key, sizeof(a->key));
	a->waiting = sql_int(q, 3) != 0;
	a->asked = (time_t)sql_int(q, 4);
	sql_blob(q, 5, &a->issuer);
	sql_blob(q, 6, &a->request);
	sql_blob(q, 7, &a->voucher);
	a->fetched = (time_t)sql_int(q, 8);
	a->expires_on = (time_t)sql_int(q, 9);
}

static enum brski_code read_one(struct sql *q, struct brski_store_nonceless *out, struct brski_error *err)
{
	bool found = sql_row(q);
	enum brski_code code;

	*out = (struct brski_store_nonceless){0};
	if (found)
		read_row(q, out);
	code = sql_end(q);
	if (code == BRSKI_OK && !found)
		code = brski_fail(err, BRSKI_NOT_FOUND, "no voucher was asked for ahead");
	if (code != BRSKI_OK)
		brski_store_nonceless_free(out);
	return code;
}

enum brski_code brski_store_nonceless_get(struct brski_store *store, const char *manufacturer,
	const char *serial, struct brski_store_nonceless *out, struct brski_error *err)
{
	struct sql q;

	sql_begin_read(&q, store->db,
		"SELECT " COLUMNS " FROM voucher_ahead WHERE manufacturer = ?1 AND serial_number = ?2", err);
	sql_bind_text(&q, manufacturer);
	sql_bind_text(&q, serial);
	return read_one(&q, out, err);
}

enum brski_code brski_store_nonceless_by_key(struct brski_store *store, const char *key,
	struct brski_store_nonceless *out, struct brski_error *err)
{
	struct sql q;

	sql_begin_read(&q, store->db, "SELECT " COLUMNS " FROM voucher_ahead WHERE key = ?1", err);
	sql_bind_text(&q, key);
	return read_one(&q, out, err);
}

enum brski_code brski_store_nonceless_remove(
	struct brski_store *store, const char *manufacturer, const char *serial, struct brski_error *err)
{
	struct sql q;
	uint64_t changed;
	enum brski_code code;

	sql_begin(&q, store->db, "DELETE FROM voucher_ahead WHERE manufacturer = ?1 AND serial_number = ?2",
		err);
	sql_bind_text(&q, manufacturer);
	sql_bind_text(&q, serial);
	code = sql_run_changes(&q, &changed);
	if (code == BRSKI_OK && changed == 0)
		code = brski_fail(err, BRSKI_NOT_FOUND, "no voucher was fetched ahead for %s of %s", serial,
			manufacturer);
	return code;
}

static enum brski_code run_on(struct brski_store *store, const char *text, const char *manufacturer,
	const char *serial, struct brski_error *err)
{
	struct sql q;

	sql_begin(&q, store->db, text, err);
	sql_bind_text(&q, manufacturer);
	sql_bind_text(&q, serial);
	return sql_run(&q);
}

enum brski_code brski_store_nonceless_fall(
	struct brski_store *store, const char *manufacturer, const char *serial, struct brski_error *err)
{
	enum brski_code code = run_on(store,
		"DELETE FROM voucher_ahead WHERE manufacturer = ?1 AND serial_number = ?2 AND waiting = 0",
		manufacturer, serial, err);

	if (code != BRSKI_OK) /* what still waits is the MASA's to answer as it thinks now */
		return code;
	return run_on(store,
		"UPDATE voucher_ahead SET voucher = x'', fetched = 0, expires_on = 0"
		" WHERE manufacturer = ?1 AND serial_number = ?2",
		manufacturer, serial, err);
}

enum brski_code brski_store_nonceless_page(struct brski_store *store, const char *manufacturer,
	struct brski_store_place *place, struct brski_store_nonceless *rows, unsigned most, unsigned *n,
	struct brski_error *err)
{
	struct sql q;
	enum brski_code code;

	*n = 0;
	sql_begin_read(&q, store->db,
		manufacturer ? "SELECT " COLUMNS
			       " FROM voucher_ahead WHERE manufacturer = ?1 AND serial_number > ?2"
			       " ORDER BY serial_number LIMIT ?3"
			     : "SELECT " COLUMNS
			       " FROM voucher_ahead WHERE (manufacturer, serial_number) > (?1, ?2)"
			       " ORDER BY manufacturer, serial_number LIMIT ?3",
		err);
	sql_bind_text(&q, manufacturer ? manufacturer : place->first);
	sql_bind_text(&q, place->second);
	sql_bind_int(&q, most);
	while (*n < most && sql_row(&q)) {
		rows[*n] = (struct brski_store_nonceless){0};
		read_row(&q, &rows[*n]);
		brski_store_place_take(&q, -1, 0, 1, place);
		++*n;
	}
	code = sql_end(&q);
	while (code != BRSKI_OK && *n > 0)
		brski_store_nonceless_free(&rows[--*n]);
	return code;
}
