/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/store_internal.h"

#define VOUCHERS_PER_DEVICE 16
#define COLUMNS "key, kind, state, manufacturer, serial_number, created, updated, blob"

void brski_store_job_free(struct brski_store_job *job)
{
	brski_buf_free(&job->blob);
	*job = (struct brski_store_job){0};
}

enum brski_code brski_store_job_put(
	struct brski_store *store, const struct brski_store_job *job, struct brski_error *err)
{
	struct sql q;

	sql_begin(&q, store->db,
		"INSERT INTO job (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7)"
		" ON CONFLICT (key) DO UPDATE SET kind = ?2, state = ?3, updated = ?6, blob = ?7",
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

/* ---- Answers from elsewhere ---- */

static enum brski_code settle_first(
	struct brski_store *store, const struct brski_store_job *job, struct brski_error *err)
{
	struct sql q;
	uint64_t changed;
	enum brski_code code;

	sql_begin(&q, store->db,
		"UPDATE job SET state = ?2, updated = ?3, blob = ?4 WHERE key = ?1 AND state = ?5", err);
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

enum brski_code brski_store_jobs_settle(
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

/* ---- Bounds on what may wait ---- */

static enum brski_code count(struct brski_store *store, const char *text, const struct brski_store_job *job,
	unsigned *out, struct brski_error *err)
{
	struct sql q;

	*out = 0;
	sql_begin(&q, store->db, text, err);
	sql_bind_int(&q, BRSKI_JOB_WAITING);
	sql_bind_text(&q, job->manufacturer);
	sql_bind_text(&q, job->serial_number);
	sql_bind_text(&q, job->key);
	if (sql_row(&q))
		*out = (unsigned)sql_int(&q, 0);
	return sql_end(&q);
}

/* ?1 to ?4 are all named in each, so that all can be bound. */
#define WAITING_OF_ALL "SELECT count(*) FROM job WHERE state = ?1 AND ?2 = ?2 AND ?3 = ?3 AND ?4 = ?4"
#define WAITING_OF_DEVICE \
	"SELECT count(*) FROM job WHERE state = ?1 AND manufacturer = ?2 AND serial_number = ?3 AND ?4 = ?4"
#define IS_WAITING "SELECT count(*) FROM job WHERE state = ?1 AND ?2 = ?2 AND ?3 = ?3 AND key = ?4"

static enum brski_code within(struct brski_store *store, const struct brski_store_job *job,
	const struct brski_store_limits *limits, struct brski_error *err)
{
	unsigned n;
	enum brski_code code = count(store, IS_WAITING, job, &n, err);

	if (code != BRSKI_OK || n)
		return code;
	if (limits->octets && job->blob.len > limits->octets)
		return brski_fail(err, BRSKI_TOO_LARGE,
			"a request of %zu octets is not kept, the limit is %zu (max_waiting_size)",
			job->blob.len, limits->octets);
	code = count(store, WAITING_OF_DEVICE, job, &n, err);
	if (code == BRSKI_OK && limits->waiting_per_device && n >= limits->waiting_per_device)
		code = brski_fail(err, BRSKI_TOO_LARGE,
			"%u requests of this device wait already (max_waiting_per_device)", n);
	if (code == BRSKI_OK)
		code = count(store, WAITING_OF_ALL, job, &n, err);
	if (code == BRSKI_OK && limits->waiting && n >= limits->waiting)
		code = brski_fail(err, BRSKI_TOO_LARGE, "%u requests wait already (max_waiting)", n);
	return code;
}

/*
 * A device may ask for a voucher with a new nonce as fast as the last one is answered: of these
 * answers the newest are enough. Those of CMP stay: a request that the PKI works on for days is
 * older than all pollReqs for it.
 */
static enum brski_code forget_oldest(
	struct brski_store *store, const struct brski_store_job *job, struct brski_error *err)
{
	struct sql q;

	sql_begin(&q, store->db,
		"DELETE FROM job WHERE key IN (SELECT key FROM job"
		" WHERE manufacturer = ?1 AND serial_number = ?2 AND state <> ?3 AND kind = ?4"
		" ORDER BY updated DESC LIMIT -1 OFFSET ?5)",
		err);
	sql_bind_text(&q, job->manufacturer);
	sql_bind_text(&q, job->serial_number);
	sql_bind_int(&q, BRSKI_JOB_WAITING);
	sql_bind_int(&q, BRSKI_JOB_VOUCHER);
	sql_bind_int(&q, VOUCHERS_PER_DEVICE);
	return sql_run(&q);
}

/* The server is the one that makes requests, so its own lock is enough to keep count and put together. */
enum brski_code brski_store_job_admit(struct brski_store *store, const struct brski_store_job *job,
	const struct brski_store_limits *limits, struct brski_error *err)
{
	enum brski_code code = BRSKI_OK;

	sql_lock(store->db);
	if (job->state == BRSKI_JOB_WAITING)
		code = within(store, job, limits, err);
	if (code == BRSKI_OK)
		code = brski_store_job_put(store, job, err);
	if (code == BRSKI_OK && job->state == BRSKI_JOB_WAITING && job->kind == BRSKI_JOB_VOUCHER)
		code = forget_oldest(store, job, err);
	sql_unlock(store->db);
	return code;
}

enum brski_code brski_store_job_totals(
	struct brski_store *store, struct brski_store_job_totals *out, struct brski_error *err)
{
	struct sql q;

	*out = (struct brski_store_job_totals){0};
	sql_begin(&q, store->db,
		"SELECT state, kind, count(*), min(created), sum(length(blob))"
		" FROM job WHERE kind < ?1 GROUP BY state, kind",
		err);
	sql_bind_int(&q, BRSKI_JOB_NOTE);
	while (sql_row(&q)) {
		unsigned n = (unsigned)sql_int(&q, 2);
		time_t oldest = (time_t)sql_int(&q, 3);

		out->octets += (uint64_t)sql_int(&q, 4);
		switch ((enum brski_job_state)sql_int(&q, 0)) {
		case BRSKI_JOB_WAITING:
			*(sql_int(&q, 1) == BRSKI_JOB_VOUCHER ? &out->waiting_vouchers
							      : &out->waiting_certificates) += n;
			out->waiting += n;
			if (!out->oldest || oldest < out->oldest)
				out->oldest = oldest;
			break;
		case BRSKI_JOB_DONE:
			out->done += n;
			break;
		case BRSKI_JOB_REFUSED:
			out->refused += n;
			break;
		}
	}
	return sql_end(&q);
}

/* ---- */

static void read_row(struct sql *q, struct brski_store_job *job)
{
	sql_printable(q, 0, job->key, sizeof(job->key));
	job->kind = (enum brski_job_kind)sql_int(q, 1);
	job->state = (enum brski_job_state)sql_int(q, 2);
	sql_printable(q, 3, job->manufacturer, sizeof(job->manufacturer));
	sql_printable(q, 4, job->serial_number, sizeof(job->serial_number));
	job->created = (time_t)sql_int(q, 5);
	job->updated = (time_t)sql_int(q, 6);
	sql_blob(q, 7, &job->blob);
}

enum brski_code brski_store_job_get(
	struct brski_store *store, const char *key, struct brski_store_job *out, struct brski_error *err)
{
	struct sql q;
	bool found;
	enum brski_code code;

	*out = (struct brski_store_job){0};
	sql_begin(&q, store->db, "SELECT " COLUMNS " FROM job WHERE key = ?1", err);
	sql_bind_text(&q, key);
	found = sql_row(&q);
	if (found)
		read_row(&q, out);
	code = sql_end(&q);
	if (code == BRSKI_OK && !found)
		code = brski_fail(err, BRSKI_NOT_FOUND, "there is no request %s", key);
	if (code != BRSKI_OK)
		brski_store_job_free(out);
	return code;
}

enum brski_code brski_store_jobs(struct brski_store *store, enum brski_job_state state, unsigned most,
	brski_store_job_row *row, void *ctx, struct brski_error *err)
{
	struct sql q;

	sql_begin(&q, store->db,
		"SELECT " COLUMNS " FROM job WHERE state = ?1 ORDER BY created, key LIMIT ?2", err);
	sql_bind_int(&q, state);
	sql_bind_int(&q, most);
	while (sql_row(&q)) {
		struct brski_store_job job = {0};

		read_row(&q, &job);
		if (q.code == BRSKI_OK)
			row(ctx, &job);
		brski_store_job_free(&job);
	}
	return sql_end(&q);
}

/* What names a request that is gone. */
static enum brski_code expire_transactions(struct brski_store *store, time_t before, struct brski_error *err)
{
	struct sql q;

	sql_begin(&q, store->db,
		"DELETE FROM job AS note WHERE updated < ?1 AND kind = ?2 AND NOT EXISTS"
		" (SELECT 1 FROM job WHERE key = json_extract(CAST(note.blob AS TEXT), '$.value'))",
		err);
	sql_bind_int(&q, before);
	sql_bind_int(&q, BRSKI_JOB_TRANSACTION);
	return sql_run(&q);
}

enum brski_code brski_store_jobs_expire(
	struct brski_store *store, time_t before, unsigned *n, struct brski_error *err)
{
	struct sql q;
	uint64_t changed;
	enum brski_code code;

	*n = 0;
	sql_begin(&q, store->db, "DELETE FROM job WHERE updated < ?1 AND kind < ?2", err);
	sql_bind_int(&q, before);
	sql_bind_int(&q, BRSKI_JOB_NOTE);
	code = sql_run_changes(&q, &changed);
	*n = (unsigned)changed;
	return code == BRSKI_OK ? expire_transactions(store, before, err) : code;
}
