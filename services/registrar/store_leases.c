/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/store_internal.h"

/*
 * By the database's clock, since the servers' own may differ. It counts whole seconds: one more
 * makes at least as many as were asked for.
 */
static enum brski_code take(struct brski_store *store, const char *key, const char *owner, unsigned seconds,
	struct brski_store_job *row, struct brski_error *err)
{
	struct sql q;

	sql_begin_lazy(&q, store->db,
		"UPDATE job SET lease_owner = ?2, lease_until = unixepoch() + ?3 + 1 WHERE key = ?1"
		" AND state = ?4 AND (lease_owner IN (?2, '') OR lease_until <= unixepoch())"
		" RETURNING " BRSKI_STORE_JOB_COLUMNS,
		err);
	sql_bind_text(&q, key);
	sql_bind_text(&q, owner);
	sql_bind_int(&q, seconds);
	sql_bind_int(&q, BRSKI_JOB_WAITING);
	if (sql_row(&q))
		brski_store_job_read(&q, row);
	return sql_run(&q); /* only the last step commits */
}

/* Looked at without the write lock, since a server that waits for another one's call asks each second. */
static enum brski_code is_anothers(struct brski_store *store, const char *key, const char *owner,
	bool *anothers, struct brski_error *err)
{
	struct sql q;

	sql_begin_read(&q, store->db,
		"SELECT 1 FROM job WHERE key = ?1 AND state = ?2 AND lease_owner NOT IN (?3, '')"
		" AND lease_until > unixepoch()",
		err);
	sql_bind_text(&q, key);
	sql_bind_int(&q, BRSKI_JOB_WAITING);
	sql_bind_text(&q, owner);
	*anothers = sql_row(&q);
	return sql_end(&q);
}

enum brski_code brski_store_job_lease(struct brski_store *store, const char *key, const char *owner,
	unsigned seconds, struct brski_store_job *row, struct brski_error *err)
{
	bool anothers;
	enum brski_code code = is_anothers(store, key, owner, &anothers, err);

	*row = (struct brski_store_job){0};
	if (code == BRSKI_OK && !anothers)
		code = take(store, key, owner, seconds, row, err);
	if (code != BRSKI_OK) {
		brski_store_job_free(row);
		return code;
	}
	if (row->revision > 0)
		return BRSKI_OK;
	code = brski_store_job_get(store, key, row, err);
	if (code == BRSKI_OK && row->state == BRSKI_JOB_WAITING)
		code = brski_fail(err, BRSKI_UNEXPECTED, "another server works on it");
	return code;
}

enum brski_code brski_store_job_release(
	struct brski_store *store, const char *key, const char *owner, unsigned rest, struct brski_error *err)
{
	struct sql q;

	sql_begin_lazy(&q, store->db,
		"UPDATE job SET lease_owner = '', lease_until = iif(?3 > 0, unixepoch() + ?3, 0)"
		" WHERE key = ?1 AND lease_owner = ?2",
		err);
	sql_bind_text(&q, key);
	sql_bind_text(&q, owner);
	sql_bind_int(&q, rest);
	return sql_run(&q);
}
