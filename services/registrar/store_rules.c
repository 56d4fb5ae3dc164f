/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "services/registrar/store_internal.h"

/* Does the row say that already? rules NULL: is there none? A server that starts need not write then. */
static enum brski_code stands(
	struct brski_store *store, const char *door, const char *rules, bool *out, struct brski_error *err)
{
	struct sql q;
	char found[sizeof(((struct brski_store_rules *)0)->rules)];

	sql_begin_read(&q, store->db, "SELECT rules FROM door_rules WHERE door = ?1", err);
	sql_bind_text(&q, door);
	*out = !rules;
	if (sql_row(&q)) {
		sql_text(&q, 0, found, sizeof(found));
		*out = rules && strcmp(found, rules) == 0;
	}
	return sql_end(&q);
}

static enum brski_code put(
	struct brski_store *store, const char *door, const char *rules, struct brski_error *err)
{
	struct sql q;

	sql_begin(&q, store->db,
		rules ? "INSERT INTO door_rules (door, rules, since) VALUES (?1, ?2, unixepoch())"
			" ON CONFLICT (door) DO UPDATE SET rules = ?2, since = unixepoch()"
		      : "DELETE FROM door_rules WHERE door = ?1",
		err);
	sql_bind_text(&q, door);
	if (rules)
		sql_bind_text(&q, rules);
	return sql_run(&q);
}

enum brski_code brski_store_rules_set(
	struct brski_store *store, const char *door, const char *rules, struct brski_error *err)
{
	bool as_it_is;
	enum brski_code code;

	if (strlen(door) >= BRSKI_STORE_DOOR_MAX)
		return brski_fail(err, BRSKI_TOO_LARGE, "a door's name has %zu characters at most",
			(size_t)BRSKI_STORE_DOOR_MAX - 1);
	code = stands(store, door, rules, &as_it_is, err);
	return code == BRSKI_OK && !as_it_is ? put(store, door, rules, err) : code;
}

enum brski_code brski_store_rules_forget(struct brski_store *store, const char *door, struct brski_error *err)
{
	struct sql q;
	uint64_t changed;
	enum brski_code code;

	sql_begin(&q, store->db, "DELETE FROM door_rules WHERE door = ?1", err);
	sql_bind_text(&q, door);
	code = sql_run_changes(&q, &changed);
	if (code == BRSKI_OK && changed == 0)
		code = brski_fail(err, BRSKI_NOT_FOUND, "no door '%s' has rules", door);
	return code;
}

enum brski_code brski_store_rules_page(struct brski_store *store, struct brski_store_place *place,
	struct brski_store_rules *rows, unsigned most, unsigned *n, struct brski_error *err)
{
	struct sql q;
	enum brski_code code;

	*n = 0;
	sql_begin_read(&q, store->db,
		"SELECT door, rules, since FROM door_rules WHERE door > ?1 ORDER BY door LIMIT ?2", err);
	sql_bind_text(&q, place->second);
	sql_bind_int(&q, most);
	while (*n < most && sql_row(&q)) {
		sql_printable(&q, 0, rows[*n].door, sizeof(rows[*n].door));
		sql_printable(&q, 1, rows[*n].rules, sizeof(rows[*n].rules));
		rows[*n].since = (time_t)sql_int(&q, 2);
		brski_store_place_take(&q, -1, -1, 0, place);
		++*n;
	}
	code = sql_end(&q);
	if (code != BRSKI_OK)
		*n = 0;
	return code;
}
