/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/store_internal.h"

/* Jobs and notes as they were before: until their callers have moved. */

#define KIND_NOTE 2
#define KIND_TRANSACTION 3

static bool is_note(const struct brski_store_job *job)
{
	return job->kind >= (enum brski_job_kind)KIND_NOTE;
}

static enum brski_code put_note(
	struct brski_store *store, const struct brski_store_job *job, struct brski_error *err)
{
	struct sql q;
	enum brski_code code = brski_store_note_remove(store, job->key, err);

	if (code != BRSKI_OK)
		return code;
	sql_begin(&q, store->db,
		"INSERT INTO note (key, name, value, manufacturer, serial_number, of_transaction, updated)"
		" SELECT ?1, json_extract(json, '$.note'), json_extract(json, '$.value'), ?3, ?4, ?5, ?6"
		" FROM (SELECT CAST(?2 AS TEXT) AS json) WHERE json_extract(json, '$.value') <> ''",
		err);
	sql_bind_text(&q, job->key);
	sql_bind_blob(&q, brski_buf_span(&job->blob));
	sql_bind_text(&q, job->manufacturer);
	sql_bind_text(&q, job->serial_number);
	sql_bind_int(&q, job->kind == (enum brski_job_kind)KIND_TRANSACTION);
	sql_bind_int(&q, job->updated ? job->updated : time(NULL));
	return sql_run(&q);
}

enum brski_code brski_store_job_put(
	struct brski_store *store, const struct brski_store_job *job, struct brski_error *err)
{
	struct sql q;

	if (is_note(job))
		return put_note(store, job, err);
	sql_begin(&q, store->db,
		"INSERT INTO job (key, kind, state, manufacturer, serial_number, created, updated, blob)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7)"
		" ON CONFLICT (key) DO UPDATE SET kind = ?2, state = ?3, updated = ?6, blob = ?7,"
		" revision = revision + 1",
		err);
	sql_bind_text(&q, job->key);
	sql_bind_int(&q, job->kind);
	sql_bind_int(&q, job->state);
	sql_bind_text(&q, job->manufacturer);
	sql_bind_text(&q, job->serial_number);
	sql_bind_int(&q, job->updated ? job->updated : time(NULL));
	sql_bind_blob(&q, brski_buf_span(&job->blob));
	return sql_run(&q);
}

/* The server is the one that makes requests, so its own lock is enough to keep count and put together. */
enum brski_code brski_store_job_admit(struct brski_store *store, const struct brski_store_job *job,
	const struct brski_store_limits *limits, struct brski_error *err)
{
	struct brski_store_job kept;
	enum brski_code code = BRSKI_NOT_FOUND;

	sql_lock(store->db);
	if (!is_note(job) && job->state == BRSKI_JOB_WAITING)
		code = brski_store_job_get(store, job->key, &kept, err);
	else
		kept = (struct brski_store_job){0};
	if (code == BRSKI_OK && kept.state != BRSKI_JOB_WAITING) {
		struct brski_store_job next = *job;

		next.revision = kept.revision;
		code = brski_store_job_replace(store, &next, limits, err);
	} else if (code == BRSKI_NOT_FOUND && !is_note(job) && job->state == BRSKI_JOB_WAITING) {
		code = brski_store_job_add(store, job, limits, err);
	} else if (code == BRSKI_OK || code == BRSKI_NOT_FOUND) {
		code = brski_store_job_put(store, job, err);
	}
	sql_unlock(store->db);
	brski_store_job_free(&kept);
	return code;
}

enum brski_code brski_store_job_or_note(
	struct brski_store *store, const char *key, struct brski_store_job *out, struct brski_error *err)
{
	struct sql q;
	bool found;
	enum brski_code code = brski_store_job_get(store, key, out, err);

	if (code != BRSKI_NOT_FOUND)
		return code;
	sql_begin(&q, store->db,
		"SELECT key, 2 + of_transaction, 1, manufacturer, serial_number, updated, updated,"
		" CAST(json_object('version', 1, 'note', name, 'value', value) AS BLOB), 1, '', 0"
		" FROM note WHERE key = ?1",
		err);
	sql_bind_text(&q, key);
	found = sql_row(&q);
	if (found)
		brski_store_job_read(&q, out);
	code = sql_end(&q);
	if (code == BRSKI_OK && !found)
		code = BRSKI_NOT_FOUND;
	if (code != BRSKI_OK)
		brski_store_job_free(out);
	return code;
}

static enum brski_code settle_first(
	struct brski_store *store, const struct brski_store_job *job, struct brski_error *err)
{
	struct sql q;
	uint64_t changed;
	enum brski_code code;

	sql_begin(&q, store->db,
		"UPDATE job SET state = ?2, updated = ?3, blob = ?4, revision = revision + 1"
		" WHERE key = ?1 AND state = ?5",
		err);
	sql_bind_text(&q, job->key);
	sql_bind_int(&q, job->state);
	sql_bind_int(&q, job->updated ? job->updated : time(NULL));
	sql_bind_blob(&q, brski_buf_span(&job->blob));
	sql_bind_int(&q, BRSKI_JOB_WAITING);
	code = sql_run_changes(&q, &changed);
	if (code == BRSKI_OK && changed == 0)
		code = brski_fail(err, BRSKI_UNEXPECTED, "the request has been answered meanwhile");
	return code;
}

enum brski_code brski_store_jobs_settle_old(
	struct brski_store *store, const struct brski_store_job *jobs, size_t n, struct brski_error *err)
{
	enum brski_code code = sql_transaction_begin(store->db, err);

	if (code != BRSKI_OK)
		return code;
	code = settle_first(store, &jobs[0], err);
	for (size_t i = 1; code == BRSKI_OK && i < n; i++)
		code = brski_store_job_put(store, &jobs[i], err);
	return sql_transaction_end(store->db, code, err);
}
