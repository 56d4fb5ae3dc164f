/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/store_internal.h"

#define COLUMNS \
	"name, masa_url, idevid_anchors, voucher_anchors, tls_anchors, crls, mode, check_voucher, " \
	"audit_log, allow_foreign_domains, allow_nonceless"

void brski_store_manufacturer_free(struct brski_store_manufacturer *m)
{
	brski_buf_free(&m->idevid_anchors);
	brski_buf_free(&m->voucher_anchors);
	brski_buf_free(&m->tls_anchors);
	brski_buf_free(&m->crls);
	*m = (struct brski_store_manufacturer){0};
}

#define INSERT "INSERT INTO manufacturer (" COLUMNS ") VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)"

static enum brski_code write_row(struct brski_store *store, const char *text,
	const struct brski_store_manufacturer *m, struct brski_error *err)
{
	struct sql q;

	sql_begin(&q, store->db, text, err);
	sql_bind_text(&q, m->name);
	sql_bind_text(&q, m->masa_url);
	sql_bind_blob(&q, brski_buf_span(&m->idevid_anchors));
	sql_bind_blob(&q, brski_buf_span(&m->voucher_anchors));
	sql_bind_blob(&q, brski_buf_span(&m->tls_anchors));
	sql_bind_blob(&q, brski_buf_span(&m->crls));
	sql_bind_int(&q, m->mode);
	sql_bind_int(&q, m->check_voucher);
	sql_bind_int(&q, m->audit_log);
	sql_bind_int(&q, m->allow_foreign_domains);
	sql_bind_int(&q, m->allow_nonceless);
	sql_mark_change(&q);
	return sql_run(&q);
}

enum brski_code brski_store_manufacturer_add(
	struct brski_store *store, const struct brski_store_manufacturer *m, struct brski_error *err)
{
	return write_row(store, INSERT, m, err);
}

/* Not REPLACE, which would delete the row, and its devices with it. */
enum brski_code brski_store_manufacturer_put(
	struct brski_store *store, const struct brski_store_manufacturer *m, struct brski_error *err)
{
	return write_row(store,
		INSERT " ON CONFLICT (name) DO UPDATE SET masa_url=?2, idevid_anchors=?3,"
		       " voucher_anchors=?4, tls_anchors=?5, crls=?6, mode=?7, check_voucher=?8,"
		       " audit_log=?9, allow_foreign_domains=?10, allow_nonceless=?11",
		m, err);
}

static void read_row(struct sql *q, struct brski_store_manufacturer *m)
{
	sql_printable(q, 0, m->name, sizeof(m->name));
	sql_printable(q, 1, m->masa_url, sizeof(m->masa_url));
	sql_blob(q, 2, &m->idevid_anchors);
	sql_blob(q, 3, &m->voucher_anchors);
	sql_blob(q, 4, &m->tls_anchors);
	sql_blob(q, 5, &m->crls);
	m->mode = (enum brski_mode)sql_int(q, 6);
	m->check_voucher = sql_int(q, 7) != 0;
	m->audit_log = sql_int(q, 8) != 0;
	m->allow_foreign_domains = sql_int(q, 9) != 0;
	m->allow_nonceless = sql_int(q, 10) != 0;
}

enum brski_code brski_store_manufacturer_get(struct brski_store *store, const char *name,
	struct brski_store_manufacturer *out, struct brski_error *err)
{
	struct sql q;
	bool found;
	enum brski_code code;

	*out = (struct brski_store_manufacturer){0};
	sql_begin_read(&q, store->db, "SELECT " COLUMNS " FROM manufacturer WHERE name = ?1", err);
	sql_bind_text(&q, name);
	found = sql_row(&q);
	if (found)
		read_row(&q, out);
	code = sql_end(&q);
	if (code == BRSKI_OK && !found)
		code = brski_fail(err, BRSKI_NOT_FOUND, "there is no manufacturer '%s'", name);
	if (code != BRSKI_OK)
		brski_store_manufacturer_free(out);
	return code;
}

enum brski_code brski_store_manufacturer_remove(
	struct brski_store *store, const char *name, struct brski_error *err)
{
	struct sql q;
	uint64_t changed;
	enum brski_code code;

	sql_begin(&q, store->db, "DELETE FROM manufacturer WHERE name = ?1", err);
	sql_bind_text(&q, name);
	sql_mark_change(&q);
	code = sql_run_changes(&q, &changed);
	if (code == BRSKI_OK && changed == 0)
		code = brski_fail(err, BRSKI_NOT_FOUND, "there is no manufacturer '%s'", name);
	return code;
}

enum brski_code brski_store_manufacturers_page(struct brski_store *store, struct brski_store_place *place,
	struct brski_store_manufacturer *rows, unsigned most, unsigned *n, struct brski_error *err)
{
	struct sql q;
	enum brski_code code;

	*n = 0;
	sql_begin_read(&q, store->db,
		"SELECT " COLUMNS " FROM manufacturer WHERE name > ?1 ORDER BY name LIMIT ?2", err);
	sql_bind_text(&q, place->first);
	sql_bind_int(&q, most);
	while (*n < most && sql_row(&q)) {
		rows[*n] = (struct brski_store_manufacturer){0};
		read_row(&q, &rows[*n]);
		brski_store_place_take(&q, -1, 0, -1, place);
		++*n;
	}
	code = sql_end(&q);
	while (code != BRSKI_OK && *n > 0)
		brski_store_manufacturer_free(&rows[--*n]);
	return code;
}
