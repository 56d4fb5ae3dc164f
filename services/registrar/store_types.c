/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/store_internal.h"

#define COLUMNS "manufacturer, pattern, added"

enum brski_code brski_store_type_put(
	struct brski_store *store, const char *manufacturer, const char *pattern, struct brski_error *err)
{
	struct sql q;

	sql_begin(&q, store->db,
		"INSERT INTO type_rule (" COLUMNS ") VALUES (?1, ?2, ?3)"
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

static void read_row(struct sql *q, struct brski_store_type *t)
{
	sql_printable(q, 0, t->manufacturer, sizeof(t->manufacturer));
	sql_printable(q, 1, t->pattern, sizeof(t->pattern));
	t->added = (time_t)sql_int(q, 2);
}

enum brski_code brski_store_types_page(struct brski_store *store, const char *manufacturer,
	struct brski_store_place *place, struct brski_store_type *rows, unsigned most, unsigned *n,
	struct brski_error *err)
{
	struct sql q;
	enum brski_code code;

	*n = 0;
	sql_begin_read(&q, store->db,
		manufacturer ? "SELECT " COLUMNS " FROM type_rule WHERE manufacturer = ?1 AND pattern > ?2"
			       " ORDER BY pattern LIMIT ?3"
			     : "SELECT " COLUMNS " FROM type_rule WHERE (manufacturer, pattern) > (?1, ?2)"
			       " ORDER BY manufacturer, pattern LIMIT ?3",
		err);
	sql_bind_text(&q, manufacturer ? manufacturer : place->first);
	sql_bind_text(&q, place->second);
	sql_bind_int(&q, most);
	while (*n < most && sql_row(&q)) {
		rows[*n] = (struct brski_store_type){0};
		read_row(&q, &rows[*n]);
		brski_store_place_take(&q, -1, 0, 1, place);
		++*n;
	}
	code = sql_end(&q);
	if (code != BRSKI_OK)
		*n = 0;
	return code;
}
