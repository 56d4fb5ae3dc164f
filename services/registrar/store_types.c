/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/store_internal.h"

enum brski_code brski_store_type_put(
	struct brski_store *store, const char *manufacturer, const char *pattern, struct brski_error *err)
{
	struct sql q;

	sql_begin(&q, store->db,
		"INSERT INTO type_rule (manufacturer, pattern, added) VALUES (?1, ?2, ?3)"
		" ON CONFLICT (manufacturer, pattern) DO NOTHING",
		err);
	sql_bind_text(&q, manufacturer);
	sql_bind_text(&q, pattern);
	sql_bind_int(&q, time(NULL));
	return brski_store_below(sql_run(&q), manufacturer, err);
}

enum brski_code brski_store_type_remove(
	struct brski_store *store, const char *manufacturer, const char *pattern, struct brski_error *err)
{
	struct sql q;
	uint64_t changed;
	enum brski_code code;

	sql_begin(&q, store->db, "DELETE FROM type_rule WHERE manufacturer = ?1 AND pattern = ?2", err);
	sql_bind_text(&q, manufacturer);
	sql_bind_text(&q, pattern);
	code = sql_run_changes(&q, &changed);
	if (code == BRSKI_OK && changed == 0)
		code = brski_fail(err, BRSKI_NOT_FOUND, "%s has no type '%s'", manufacturer, pattern);
	return code;
}

enum brski_code brski_store_types(struct brski_store *store, const char *manufacturer,
	brski_store_type_row *row, void *ctx, struct brski_error *err)
{
	struct sql q;

	sql_begin(&q, store->db,
		"SELECT manufacturer, pattern, added FROM type_rule WHERE ?1 = '' OR manufacturer = ?1"
		" ORDER BY manufacturer, pattern",
		err);
	sql_bind_text(&q, manufacturer ? manufacturer : "");
	while (sql_row(&q)) {
		struct brski_store_type t = {.added = (time_t)sql_int(&q, 2)};

		sql_printable(&q, 0, t.manufacturer, sizeof(t.manufacturer));
		sql_printable(&q, 1, t.pattern, sizeof(t.pattern));
		row(ctx, &t);
	}
	return sql_end(&q);
}
