/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <string.h>

#include "services/registrar/store_internal.h"

#define KEPT_OF_A_WORK 16 /* finished requests of one device */

void brski_store_job_free(struct brski_store_job *job)
{
	brski_buf_free(&job->blob);
	*job = (struct brski_store_job){0};
}

/* ---- Reading ---- */

void brski_store_job_read(struct sql *q, struct brski_store_job *job)
{
	sql_printable(q, 0, job->key, sizeof(job->key));
	job->kind = (enum brski_job_kind)sql_int(q, 1);
	job->state = (enum brski_job_state)sql_int(q, 2);
	sql_printable(q, 3, job->manufacturer, sizeof(job->manufacturer));
	sql_printable(q, 4, job->serial_number, sizeof(job->serial_number));
	job->created = (time_t)sql_int(q, 5);
	job->updated = (time_t)sql_int(q, 6);
	sql_blob(q, 7, &job->blob);
	job->revision = (uint64_t)sql_int(q, 8);
	sql_printable(q, 9, job->lease_owner, sizeof(job->lease_owner));
	job->lease_until = (time_t)sql_int(q, 10);
	sql_text(q, 11, job->back_end, sizeof(job->back_end));
	job->due = (time_t)sql_int(q, 12);
}

enum brski_code brski_store_job_get(
	struct brski_store *store, const char *key, struct brski_store_job *out, struct brski_error *err)
{
	struct sql q;
	bool found;
	enum brski_code code;

	*out = (struct brski_store_job){0};
	sql_begin_read(&q, store->db, "SELECT " BRSKI_STORE_JOB_COLUMNS " FROM job WHERE key = ?1", err);
	sql_bind_text(&q, key);
	found = sql_row(&q);
	if (found)
		brski_store_job_read(&q, out);
	code = sql_end(&q);
	if (code == BRSKI_OK && !found)
		code = brski_fail(err, BRSKI_NOT_FOUND, "there is no request %s", key);
	if (code != BRSKI_OK)
		brski_store_job_free(out);
	return code;
}

enum brski_code brski_store_jobs_page(struct brski_store *store, const struct brski_store_job_filter *filter,
	struct brski_store_place *place, struct brski_store_job *rows, unsigned most, unsigned *n,
	struct brski_error *err)
{
	struct sql q;
	enum brski_code code;

	*n = 0;
	sql_begin_read(&q, store->db,
		"SELECT " BRSKI_STORE_JOB_COLUMNS " FROM job WHERE state = ?1 AND (created, key) > (?2, ?3)"
		" ORDER BY created, key LIMIT ?4",
		err);
	sql_bind_int(&q, filter->state);
	sql_bind_int(&q, place->number);
	sql_bind_text(&q, place->first);
	sql_bind_int(&q, most);
	while (*n < most && sql_row(&q)) {
		rows[*n] = (struct brski_store_job){0};
		brski_store_job_read(&q, &rows[*n]);
		brski_store_place_take(&q, 5, 0, -1, place);
		++*n;
	}
	code = sql_end(&q);
	while (code != BRSKI_OK && *n > 0)
		brski_store_job_free(&rows[--*n]);
	return code;
}

/* ---- Bounds on what may wait ---- */

#define WAITING "SELECT coalesce(sum(jobs), 0) FROM job_total WHERE state = 0"

/* Of a statement whose ?1 to ?6 are the row's and ?7 to ?9 the bounds, 0 being none. */
#define IS_WITHIN \
	"(?7 = 0 OR length(?6) <= ?7)" \
	" AND (?8 = 0 OR (SELECT count(*) FROM job" \
	"  WHERE state = 0 AND manufacturer = ?3 AND serial_number = ?4) < ?8)" \
	" AND (?9 = 0 OR (" WAITING ") < ?9)"

static_assert(BRSKI_JOB_WAITING == 0, "the state in these statements");

static void bind_limits(struct sql *q, const struct brski_store_limits *limits)
{
	sql_bind_int(q, limits ? (int64_t)limits->octets : 0);
	sql_bind_int(q, limits ? limits->waiting_per_device : 0);
	sql_bind_int(q, limits ? limits->waiting : 0);
}

static enum brski_code count_waiting(struct brski_store *store, const struct brski_store_job *job,
	unsigned *of_device, unsigned *of_all, struct brski_error *err)
{
	struct sql q;

	*of_device = *of_all = 0;
	sql_begin_read(&q, store->db,
		"SELECT (SELECT count(*) FROM job WHERE state = 0 AND manufacturer = ?1 AND serial_number = ?2),"
		" (" WAITING ")",
		err);
	sql_bind_text(&q, job->manufacturer);
	sql_bind_text(&q, job->serial_number);
	if (sql_row(&q)) {
		*of_device = (unsigned)sql_int(&q, 0);
		*of_all = (unsigned)sql_int(&q, 1);
	}
	return sql_end(&q);
}

/* Which bound a row is beyond, if any. */
static enum brski_code check_waiting(struct brski_store *store, const struct brski_store_job *job,
	const struct brski_store_limits *limits, struct brski_error *err)
{
	unsigned of_device, of_all;
	enum brski_code code = count_waiting(store, job, &of_device, &of_all, err);

	if (code != BRSKI_OK)
		return code;
	if (limits->waiting_per_device && of_device >= limits->waiting_per_device)
		return brski_fail(err, BRSKI_TOO_LARGE,
			"%u requests of this device wait already (max_waiting_per_device)", of_device);
	if (limits->waiting && of_all >= limits->waiting)
		return brski_fail(err, BRSKI_TOO_LARGE, "%u requests wait already (max_waiting)", of_all);
	return BRSKI_OK;
}

/* Which bound a row was beyond that was not let in. */
static enum brski_code name_bound(struct brski_store *store, const struct brski_store_job *job,
	const struct brski_store_limits *limits, struct brski_error *err)
{
	enum brski_code code;

	if (limits->octets && job->blob.len > limits->octets)
		return brski_fail(err, BRSKI_TOO_LARGE,
			"a request of %zu octets is not kept, the limit is %zu (max_waiting_size)",
			job->blob.len, limits->octets);
	code = check_waiting(store, job, limits, err);
	return code == BRSKI_OK ? brski_fail(err, BRSKI_INTERNAL, "a request is not kept") : code;
}

enum brski_code brski_store_job_room(struct brski_store *store, const struct brski_store_work *asked,
	const struct brski_store_limits *limits, long *seconds, struct brski_error *err)
{
	struct brski_store_job job = {.work = asked->work};
	enum brski_code code;

	*seconds = 0;
	memcpy(job.manufacturer, asked->manufacturer, sizeof(job.manufacturer));
	memcpy(job.serial_number, asked->serial_number, sizeof(job.serial_number));
	code = check_waiting(store, &job, limits, err);
	if (code != BRSKI_OK || (unsigned)asked->work >= BRSKI_WORKS)
		return code;
	return brski_store_rate_look(store, asked, &limits->rates[asked->work], seconds, err);
}

/* One more of this device's, that is new. In the transaction that adds it. */
static enum brski_code count_work(struct brski_store *store, const struct brski_store_job *job,
	enum brski_work work, const struct brski_store_limits *limits, struct brski_error *err)
{
	struct brski_store_work asked = {.work = work, .at = job->updated ? job->updated : time(NULL)};

	if (!limits || (unsigned)work >= BRSKI_WORKS)
		return BRSKI_OK;
	memcpy(asked.manufacturer, job->manufacturer, sizeof(asked.manufacturer));
	memcpy(asked.serial_number, job->serial_number, sizeof(asked.serial_number));
	return brski_store_rate_take(store, &asked, &limits->rates[work], err);
}

/* ---- Adding ---- */

/* *revision 0: there is none. */
static enum brski_code find(
	struct brski_store *store, const char *key, uint64_t *revision, struct brski_error *err)
{
	struct sql q;

	*revision = 0;
	sql_begin_read(&q, store->db, "SELECT revision FROM job WHERE key = ?1", err);
	sql_bind_text(&q, key);
	if (sql_row(&q))
		*revision = (uint64_t)sql_int(&q, 0);
	return sql_end(&q);
}

static enum brski_code why_not_added(struct brski_store *store, const struct brski_store_job *job,
	const struct brski_store_limits *limits, struct brski_error *err)
{
	uint64_t revision;
	enum brski_code code = find(store, job->key, &revision, err);

	if (code != BRSKI_OK)
		return code;
	if (revision > 0 || !limits)
		return brski_fail(err, BRSKI_UNEXPECTED, "there is a request %s already", job->key);
	return name_bound(store, job, limits, err);
}

static enum brski_code insert(struct brski_store *store, const struct brski_store_job *job,
	enum brski_job_state state, const struct brski_store_limits *limits, struct brski_error *err)
{
	struct sql q;
	uint64_t changed;
	enum brski_code code;

	sql_begin(&q, store->db,
		"INSERT INTO job (key, kind, manufacturer, serial_number, created, updated, blob, state, work,"
		"  back_end, due) SELECT ?1, ?2, ?3, ?4, ?5, ?5, ?6, ?10, ?11, ?12, ?13 WHERE " IS_WITHIN
		" ON CONFLICT (key) DO NOTHING",
		err);
	sql_bind_text(&q, job->key);
	sql_bind_int(&q, job->kind);
	sql_bind_text(&q, job->manufacturer);
	sql_bind_text(&q, job->serial_number);
	sql_bind_int(&q, job->updated ? job->updated : time(NULL));
	sql_bind_blob(&q, brski_buf_span(&job->blob));
	bind_limits(&q, limits);
	sql_bind_int(&q, state);
	sql_bind_int(&q, job->work);
	sql_bind_text(&q, job->back_end);
	sql_bind_int(&q, job->due);
	code = sql_run_changes(&q, &changed);
	return code == BRSKI_OK && changed == 0 ? why_not_added(store, job, limits, err) : code;
}

/*
 * Of what a device was answered the newest is enough, of each kind of work: a request that the PKI
 * works on for days is older than all pollReqs for it, but the newest of its own kind, since a device
 * works at one certificate.
 */
static enum brski_code forget_oldest(struct brski_store *store, const struct brski_store_job *job,
	const struct brski_store_limits *limits, struct brski_error *err)
{
	struct sql q;

	sql_begin(&q, store->db,
		"DELETE FROM job WHERE key IN (SELECT key FROM (SELECT key,"
		"  row_number() OVER (PARTITION BY work ORDER BY updated DESC, key) AS nth,"
		"  sum(length(blob)) OVER (ORDER BY updated DESC, key) AS octets"
		"  FROM job WHERE manufacturer = ?1 AND serial_number = ?2 AND state <> 0)"
		" WHERE nth > ?3 OR (nth > 1 AND ?4 > 0 AND octets > ?4))",
		err);
	sql_bind_text(&q, job->manufacturer);
	sql_bind_text(&q, job->serial_number);
	sql_bind_int(&q, KEPT_OF_A_WORK);
	sql_bind_int(&q, limits ? (int64_t)limits->kept_per_device : 0);
	return sql_run(&q);
}

enum brski_code brski_store_job_add(struct brski_store *store, const struct brski_store_job *job,
	const struct brski_store_limits *limits, struct brski_error *err)
{
	enum brski_code code = sql_transaction_begin(store->db, err);

	if (code != BRSKI_OK)
		return code;
	code = insert(store, job, BRSKI_JOB_WAITING, limits, err);
	if (code == BRSKI_OK)
		code = count_work(store, job, job->work, limits, err);
	if (code == BRSKI_OK)
		code = forget_oldest(store, job, limits, err);
	return sql_transaction_end(store->db, code, err);
}

/* ---- Changing ---- */

static enum brski_code why_not_changed(struct brski_store *store, const struct brski_store_job *job,
	const struct brski_store_limits *limits, struct brski_error *err)
{
	uint64_t revision;
	enum brski_code code = find(store, job->key, &revision, err);

	if (code != BRSKI_OK)
		return code;
	if (revision != job->revision || revision == 0 || !limits)
		return brski_fail(err, BRSKI_UNEXPECTED, "the request has been answered meanwhile");
	return name_bound(store, job, limits, err);
}

static enum brski_code update(struct brski_store *store, const struct brski_store_job *job,
	const struct brski_store_limits *limits, struct brski_error *err)
{
	struct sql q;
	uint64_t changed;
	enum brski_code code;

	sql_begin(&q, store->db,
		"UPDATE job SET state = ?2, updated = ?5, blob = ?6, revision = revision + 1,"
		" lease_owner = iif(?2 = 0, lease_owner, ''), lease_until = iif(?2 = 0, lease_until, 0), given = 0,"
		" back_end = iif(?11 = '', back_end, ?11), due = ?12"
		" WHERE key = ?1 AND revision = ?10 AND (state = 0 OR ?2 <> 0 OR (" IS_WITHIN "))",
		err);
	sql_bind_text(&q, job->key);
	sql_bind_int(&q, job->state);
	sql_bind_text(&q, job->manufacturer);
	sql_bind_text(&q, job->serial_number);
	sql_bind_int(&q, job->updated ? job->updated : time(NULL));
	sql_bind_blob(&q, brski_buf_span(&job->blob));
	bind_limits(&q, limits);
	sql_bind_int(&q, (int64_t)job->revision);
	sql_bind_text(&q, job->back_end);
	sql_bind_int(&q, job->due);
	code = sql_run_changes(&q, &changed);
	return code == BRSKI_OK && changed == 0 ? why_not_changed(store, job, limits, err) : code;
}

/* A finished row that waits once more is new work. */
static enum brski_code count_again(struct brski_store *store, const struct brski_store_job *job,
	const struct brski_store_limits *limits, struct brski_error *err)
{
	struct sql q;
	bool again = false;
	enum brski_work work = BRSKI_WORK_VOUCHER;
	enum brski_code code;

	if (!limits || job->state != BRSKI_JOB_WAITING)
		return BRSKI_OK;
	sql_begin_read(
		&q, store->db, "SELECT work FROM job WHERE key = ?1 AND revision = ?2 AND state <> 0", err);
	sql_bind_text(&q, job->key);
	sql_bind_int(&q, (int64_t)job->revision);
	again = sql_row(&q);
	if (again)
		work = (enum brski_work)sql_int(&q, 0);
	code = sql_end(&q);
	return code == BRSKI_OK && again ? count_work(store, job, work, limits, err) : code;
}

static enum brski_code change(struct brski_store *store, const struct brski_store_job *job,
	const struct brski_store_limits *limits, struct brski_error *err)
{
	enum brski_code code = count_again(store, job, limits, err);

	if (code == BRSKI_OK)
		code = update(store, job, limits, err);
	if (code == BRSKI_OK && job->takes_back)
		code = brski_store_permission_fall(
			store, job->manufacturer, job->serial_number, job->updated, err);
	if (code == BRSKI_OK && job->takes_back && job->kind == BRSKI_JOB_VOUCHER)
		code = brski_store_nonceless_fall(store, job->manufacturer, job->serial_number, err);
	return code;
}

enum brski_code brski_store_job_replace(struct brski_store *store, const struct brski_store_job *job,
	const struct brski_store_limits *limits, struct brski_error *err)
{
	enum brski_code code = sql_transaction_begin(store->db, err);

	if (code != BRSKI_OK)
		return code;
	code = change(store, job, limits, err);
	return sql_transaction_end(store->db, code, err);
}

/* ---- Answers from elsewhere ---- */

enum brski_code brski_store_jobs_settle(struct brski_store *store, const struct brski_store_job *jobs,
	size_t n_jobs, const struct brski_store_note *notes, size_t n_notes,
	const struct brski_store_permission *used, struct brski_error *err)
{
	enum brski_code code = sql_transaction_begin(store->db, err);

	if (code != BRSKI_OK)
		return code;
	for (size_t i = 0; code == BRSKI_OK && i < n_jobs; i++)
		code = jobs[i].revision > 0 ? change(store, &jobs[i], NULL, err)
					    : insert(store, &jobs[i], jobs[i].state, NULL, err);
	for (size_t i = 0; code == BRSKI_OK && i < n_notes; i++)
		code = brski_store_note_put(store, &notes[i], err);
	if (code == BRSKI_OK && used)
		code = brski_store_permission_change(store, used, err);
	return sql_transaction_end(store->db, code, err);
}

/* ---- All of them ---- */

static void add_up(struct brski_store_job_totals *out, struct sql *q)
{
	uint64_t kind = (uint64_t)sql_int(q, 1);
	unsigned n = (unsigned)sql_int(q, 2);

	out->octets += (uint64_t)sql_int(q, 3);
	switch ((enum brski_job_state)sql_int(q, 0)) {
	case BRSKI_JOB_WAITING:
		if (kind < BRSKI_STORE_KINDS)
			out->waiting_by_kind[kind] += n;
		out->waiting += n;
		out->oldest = (time_t)sql_int(q, 4);
		break;
	case BRSKI_JOB_DONE:
		out->done += n;
		break;
	case BRSKI_JOB_REFUSED:
		out->refused += n;
		break;
	}
}

enum brski_code brski_store_job_totals(
	struct brski_store *store, struct brski_store_job_totals *out, struct brski_error *err)
{
	struct sql q;

	*out = (struct brski_store_job_totals){0};
	sql_begin_read(&q, store->db,
		"SELECT state, kind, jobs, octets, (SELECT min(created) FROM job WHERE state = 0) FROM job_total",
		err);
	while (sql_row(&q))
		add_up(out, &q);
	return sql_end(&q);
}

enum brski_code brski_store_jobs_expire(
	struct brski_store *store, time_t before, unsigned *n, struct brski_error *err)
{
	struct sql q;
	uint64_t changed;
	enum brski_code code;

	sql_begin(&q, store->db,
		"DELETE FROM job WHERE key IN (SELECT key FROM job WHERE updated < ?1 ORDER BY updated LIMIT ?2)",
		err);
	sql_bind_int(&q, before);
	sql_bind_int(&q, BRSKI_STORE_STEP);
	code = sql_run_changes(&q, &changed);
	*n = (unsigned)changed;
	return code;
}
