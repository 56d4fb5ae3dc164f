/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>

#include "services/registrar/store_internal.h"

/* What waits, by the back end that it calls next. */

static_assert(BRSKI_JOB_WAITING == 0, "the state in these statements, and in the index job_by_turn");

enum brski_code brski_store_back_ends_page(struct brski_store *store, enum brski_job_kind kind,
	struct brski_store_place *place, struct brski_store_back_end *rows, unsigned most, unsigned *n,
	struct brski_error *err)
{
	struct sql q;
	enum brski_code code;

	/* From name to name by the index, past all jobs of each. number: 1 once there was any. */
	*n = 0;
	sql_begin_read(&q, store->db,
		"WITH RECURSIVE other(name) AS ("
		" SELECT (SELECT min(back_end) FROM job WHERE state = 0 AND kind = ?1"
		"  AND (back_end > ?2 OR ?3 = 0))"
		" UNION ALL SELECT (SELECT min(back_end) FROM job WHERE state = 0 AND kind = ?1"
		"  AND back_end > other.name) FROM other WHERE name IS NOT NULL"
		") SELECT name, 1 FROM other WHERE name IS NOT NULL LIMIT ?4",
		err);
	sql_bind_int(&q, kind);
	sql_bind_text(&q, place->second);
	sql_bind_int(&q, place->number);
	sql_bind_int(&q, most);
	while (*n < most && sql_row(&q)) {
		sql_text(&q, 0, rows[*n].name, sizeof(rows[*n].name));
		brski_store_place_take(&q, 1, -1, 0, place);
		++*n;
	}
	code = sql_end(&q);
	*n = code == BRSKI_OK ? *n : 0;
	return code;
}

enum brski_code brski_store_turn_page(struct brski_store *store, const struct brski_store_turn *turn,
	struct brski_store_place *place, struct brski_store_job *rows, unsigned most, unsigned *n,
	struct brski_error *err)
{
	struct sql q;
	enum brski_code code;

	*n = 0;
	sql_begin_read(&q, store->db,
		"SELECT " BRSKI_STORE_JOB_COLUMNS " FROM job"
		" WHERE state = 0 AND kind = ?1 AND back_end = ?2 AND (due, key) > (?3, ?4) AND due <= ?5"
		" AND (?6 = 0 OR lease_until <= unixepoch() OR (?6 = 1 AND lease_owner = ''))"
		" ORDER BY due, key LIMIT ?7",
		err);
	sql_bind_int(&q, turn->kind);
	sql_bind_text(&q, turn->back_end);
	sql_bind_int(&q, place->number);
	sql_bind_text(&q, place->first);
	sql_bind_int(&q, turn->due);
	sql_bind_int(&q, turn->leases);
	sql_bind_int(&q, most);
	while (*n < most && sql_row(&q)) {
		rows[*n] = (struct brski_store_job){0};
		brski_store_job_read(&q, &rows[*n]);
		brski_store_place_take(&q, 12, 0, -1, place);
		++*n;
	}
	code = sql_end(&q);
	while (code != BRSKI_OK && *n > 0)
		brski_store_job_free(&rows[--*n]);
	return code;
}
