/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/base/sql.h"

#include <stdio.h>

#include "eap_brski/ground/text.h"
#include "services/base/clock.h"
#include "services/base/sql_sqlite_internal.h"

#define FIRST_PAUSE_MS 1
#define LAST_PAUSE_MS 10
#define PAUSED (SQLITE_BUSY | 0xff << 8) /* none of SQLite's own */

enum brski_code sql_code_of(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_CONSTRAINT:
		return BRSKI_UNEXPECTED;
	case SQLITE_BUSY:
		return BRSKI_UNAVAILABLE;
	default:
		return BRSKI_INTERNAL;
	}
}

const void *sql_thread(void)
{
	static _Thread_local char self;

	return &self;
}

/* ---- The lock ---- */

void sql_lock(struct sql_db *db)
{
	pthread_mutex_lock(&db->lock);
	db->depth++;
	sql_rights_begin(db);
}

bool sql_try_lock(struct sql_db *db)
{
	if (pthread_mutex_trylock(&db->lock) != 0)
		return false;
	db->depth++;
	sql_rights_begin(db);
	return true;
}

void sql_unlock(struct sql_db *db)
{
	sql_rights_end(db);
	db->depth--;
	pthread_mutex_unlock(&db->lock);
}

/* ---- What another process sits on ---- */

struct patience {
	int64_t until;
	long pause_ms;
};

static void sleep_ms(long ms)
{
	const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	nanosleep(&t, NULL);
}

/*
 * Whether it is worth another try. Nobody sits on this lock while he waits for one of another process,
 * but who has taken it for more than this statement.
 */
static bool wait_for_others(struct sql_db *db, int rc, struct patience *p)
{
	bool let_go = db->depth == 1;
	int64_t now = brski_now_ms();

	if ((rc & 0xff) != SQLITE_BUSY)
		return false;
	if (p->until == 0)
		*p = (struct patience){now + db->options.busy_ms, FIRST_PAUSE_MS};
	if (now >= p->until)
		return false;
	if (let_go)
		sql_unlock(db);
	sleep_ms(p->pause_ms);
	if (let_go)
		sql_lock(db);
	p->pause_ms = p->pause_ms * 2 < LAST_PAUSE_MS ? p->pause_ms * 2 : LAST_PAUSE_MS;
	return true;
}

enum brski_code sql_execute(struct sql_db *db, const char *text, struct brski_error *err)
{
	struct patience patience = {0};
	int rc;

	do
		rc = sqlite3_exec(db->sqlite, text, NULL, NULL, NULL);
	while (wait_for_others(db, rc, &patience));
	return rc == SQLITE_OK ? BRSKI_OK : sql_fail(db, db->sqlite, rc, err);
}

/* ---- Before each statement ---- */

/*
 * What comes after a transaction that failed must not become part of it: if it cannot be taken back
 * now, nothing else is done before it is.
 */
static enum brski_code undo(struct sql_db *db, struct brski_error *err)
{
	enum brski_code code = BRSKI_OK;

	if (db->to_undo && !sqlite3_get_autocommit(db->sqlite))
		code = sql_execute(db, "ROLLBACK", err);
	db->to_undo = code != BRSKI_OK;
	return code;
}

/*
 * Within a transaction SQLite refuses to change it: then a lazy statement is as durable as the others. Where
 * all is kept later, nothing waits for the disk, and nothing need be changed.
 */
static enum brski_code set_lazy(struct sql_db *db, bool lazy, struct brski_error *err)
{
	enum brski_code code;

	if (db->lazy == lazy || atomic_load(&db->keep.keeper))
		return BRSKI_OK;
	code = sql_execute(
		db, lazy ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL", lazy ? NULL : err);
	if (code == BRSKI_OK)
		db->lazy = lazy;
	return lazy ? BRSKI_OK : code;
}

static enum brski_code set_up(struct sql_db *db, bool lazy, struct brski_error *err)
{
	enum brski_code code = undo(db, err);

	if (code == BRSKI_OK)
		code = sql_get_ready(db, err);
	return code == BRSKI_OK ? set_lazy(db, lazy, err) : code;
}

/* ---- Statements ---- */

static sqlite3 *connection_of(const struct sql *q)
{
	const struct sql_reader *reader = q->reader;

	return reader ? reader->sqlite : q->db->sqlite;
}

static void fail(struct sql *q, int rc)
{
	if (q->code != BRSKI_OK)
		return;
	if (rc == PAUSED)
		q->code = brski_fail(q->err, BRSKI_UNAVAILABLE, "database: its log is being shortened");
	else
		q->code = sql_fail(q->db, connection_of(q), rc, q->err);
}

/* *tail: what is behind the statement. */
static void prepare(struct sql *q, const char *text, const char **tail)
{
	struct patience patience = {0};
	sqlite3_stmt *statement = NULL;
	int rc;

	do
		rc = sqlite3_prepare_v2(connection_of(q), text, -1, &statement, tail);
	while (!q->reader && wait_for_others(q->db, rc, &patience));
	q->statement = statement;
	if (rc != SQLITE_OK)
		fail(q, rc);
}

/* On the connection that writes. */
static void begin(struct sql *q, struct sql_db *db, const char *text, bool lazy, struct brski_error *err)
{
	const char *tail;

	*q = (struct sql){.db = db, .err = err, .lazy = lazy, .locked = true};
	sql_lock(db);
	q->code = set_up(db, lazy, err);
	if (q->code == BRSKI_OK)
		prepare(q, text, &tail);
	q->changes = !lazy && q->statement && !sqlite3_stmt_readonly(q->statement) &&
		     sqlite3_get_autocommit(db->sqlite);
}

void sql_begin(struct sql *q, struct sql_db *db, const char *text, struct brski_error *err)
{
	begin(q, db, text, false, err);
}

void sql_begin_lazy(struct sql *q, struct sql_db *db, const char *text, struct brski_error *err)
{
	begin(q, db, text, true, err);
}

/* Is there more than the connection that writes, and has this thread nothing to see there that others have not? */
static bool has_readers(struct sql_db *db)
{
	if (!atomic_load(&db->ready)) {
		sql_lock(db);
		(void)set_up(db, false, NULL);
		sql_unlock(db);
	}
	return atomic_load(&db->ready) && db->wal && db->readers.most > 0 &&
	       atomic_load(&db->transaction) != sql_thread();
}

void sql_begin_read(struct sql *q, struct sql_db *db, const char *text, struct brski_error *err)
{
	struct sql_reader *reader;
	const char *tail;

	if (!has_readers(db)) {
		begin(q, db, text, false, err);
		return;
	}
	*q = (struct sql){.db = db, .err = err};
	q->code = sql_reader_take(db, &reader, err);
	if (q->code != BRSKI_OK)
		return;
	q->reader = reader;
	prepare(q, text, &tail);
}

void sql_bind_int(struct sql *q, int64_t value)
{
	int rc = q->code == BRSKI_OK ? sqlite3_bind_int64(q->statement, ++q->bound, value) : SQLITE_OK;

	if (rc != SQLITE_OK)
		fail(q, rc);
}

void sql_bind_text(struct sql *q, const char *value)
{
	int rc = SQLITE_OK;

	if (q->code == BRSKI_OK)
		rc = sqlite3_bind_text(q->statement, ++q->bound, value, -1, SQLITE_TRANSIENT);
	if (rc != SQLITE_OK)
		fail(q, rc);
}

void sql_bind_blob(struct sql *q, struct brski_span value)
{
	/* A NULL pointer would bind NULL, which the schemas refuse. */
	const void *data = value.len > 0 ? (const void *)value.data : "";
	int rc = SQLITE_OK;

	if (q->code == BRSKI_OK)
		rc = sqlite3_bind_blob64(q->statement, ++q->bound, data, value.len, SQLITE_TRANSIENT);
	if (rc != SQLITE_OK)
		fail(q, rc);
}

/* Not of what is open already, since the pause is for its end. */
static bool must_pause(const struct sql *q)
{
	return !q->reader && atomic_load(&q->db->keep.pause) && sqlite3_get_autocommit(q->db->sqlite) &&
	       !sqlite3_stmt_readonly(q->statement);
}

/* A change may be seen before this returns, and is whole when the statement ends. */
static int try_step(struct sql *q)
{
	int rc;

	if (must_pause(q))
		return PAUSED;
	if (q->changes)
		sql_keep_begin(q->db);
	q->changing = q->changes;
	rc = sqlite3_step(q->statement);
	if ((rc & 0xff) != SQLITE_BUSY)
		return rc;
	sqlite3_reset(q->statement);
	if (q->changing)
		sql_keep_end(q->db);
	q->changing = false;
	return rc;
}

/* Other threads may have worked with the connection meanwhile. */
static int first_step(struct sql *q)
{
	struct patience patience = {0};
	int rc = try_step(q);

	while (!q->reader && wait_for_others(q->db, rc, &patience)) {
		q->code = set_up(q->db, q->lazy, q->err);
		if (q->code != BRSKI_OK)
			return SQLITE_BUSY;
		rc = try_step(q);
	}
	return rc;
}

bool sql_row(struct sql *q)
{
	int rc;

	if (q->code != BRSKI_OK)
		return false;
	rc = q->stepped ? sqlite3_step(q->statement) : first_step(q);
	q->stepped = true;
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		fail(q, rc);
	return rc == SQLITE_ROW;
}

int64_t sql_int(struct sql *q, int column)
{
	return sqlite3_column_int64(q->statement, column);
}

static const char *text_at(struct sql *q, int column)
{
	const unsigned char *text = sqlite3_column_text(q->statement, column);

	return text ? (const char *)text : "";
}

void sql_text(struct sql *q, int column, char *out, size_t size)
{
	snprintf(out, size, "%s", text_at(q, column));
}

void sql_printable(struct sql *q, int column, char *out, size_t size)
{
	brski_printable(brski_span_str(text_at(q, column)), out, size);
}

void sql_blob(struct sql *q, int column, struct brski_buf *out)
{
	const void *data = sqlite3_column_blob(q->statement, column);
	int len = sqlite3_column_bytes(q->statement, column);
	enum brski_code code = brski_buf_set(out, brski_span(data, len > 0 ? (size_t)len : 0));

	if (code != BRSKI_OK && q->code == BRSKI_OK)
		q->code = brski_fail(q->err, code, "database: a value does not fit into memory");
}

enum brski_code sql_end(struct sql *q)
{
	sqlite3_finalize(q->statement);
	q->statement = NULL;
	if (q->changing)
		sql_keep_end(q->db);
	if (q->reader)
		sql_reader_give_back(q->db, q->reader);
	if (q->locked)
		sql_unlock(q->db);
	return q->code;
}

enum brski_code sql_run(struct sql *q)
{
	uint64_t changes;

	return sql_run_changes(q, &changes);
}

enum brski_code sql_run_changes(struct sql *q, uint64_t *changes)
{
	while (sql_row(q))
		;
	*changes = q->code == BRSKI_OK ? (uint64_t)sqlite3_changes(connection_of(q)) : 0;
	return sql_end(q);
}

enum brski_code sql_script(struct sql_db *db, const char *text, struct brski_error *err)
{
	struct sql q;

	do {
		q = (struct sql){.db = db, .err = err, .locked = true};
		sql_lock(db);
		q.code = set_up(db, false, err);
		if (q.code == BRSKI_OK)
			prepare(&q, text, &text);
		q.changes = q.statement && sqlite3_get_autocommit(db->sqlite);
		while (q.statement && sql_row(&q))
			;
	} while (sql_end(&q) == BRSKI_OK && *text);
	return q.code;
}

/* ---- Several statements ---- */

static enum brski_code run(struct sql_db *db, const char *text, struct brski_error *err)
{
	struct sql q;

	sql_begin(&q, db, text, err);
	return sql_run(&q);
}

/* The lock stays, if it is BRSKI_OK. */
enum brski_code sql_transaction_begin(struct sql_db *db, struct brski_error *err)
{
	struct sql q;
	bool within; /* another one's, which goes on */

	sql_begin(&q, db, "BEGIN IMMEDIATE", err);
	within = !sqlite3_get_autocommit(db->sqlite);
	q.changes = false;
	(void)sql_row(&q);
	q.locked = q.code != BRSKI_OK && within;
	if (sql_end(&q) != BRSKI_OK)
		return within ? q.code : sql_transaction_end(db, q.code, NULL);
	atomic_store(&db->transaction, sql_thread());
	return BRSKI_OK;
}

enum brski_code sql_transaction_end(struct sql_db *db, enum brski_code code, struct brski_error *err)
{
	if (code == BRSKI_OK) {
		sql_keep_begin(db);
		code = run(db, "COMMIT", err);
		sql_keep_end(db);
	}
	if (code != BRSKI_OK) {
		db->to_undo = true;
		(void)undo(db, NULL);
	}
	atomic_store(&db->transaction, NULL);
	sql_unlock(db);
	return code;
}

/* ---- What the database says of itself ---- */

enum brski_code sql_check_writable(struct sql_db *db, struct brski_error *err)
{
	enum brski_code code;

	sql_lock(db);
	code = set_up(db, false, err);
	if (code == BRSKI_OK && sqlite3_db_readonly(db->sqlite, "main") == 1)
		code = sql_fail(db, db->sqlite, SQLITE_READONLY, err);
	sql_unlock(db);
	if (code == BRSKI_OK)
		code = sql_transaction_begin(db, err);
	if (code == BRSKI_OK)
		code = sql_transaction_end(db, BRSKI_UNAVAILABLE, NULL); /* nothing is kept */
	return code == BRSKI_UNAVAILABLE ? BRSKI_OK : code;
}

static enum brski_code number(struct sql_db *db, const char *text, int64_t *out, struct brski_error *err)
{
	struct sql q;

	*out = 0;
	sql_begin(&q, db, text, err);
	if (sql_row(&q))
		*out = sql_int(&q, 0);
	return sql_end(&q);
}

enum brski_code sql_version(struct sql_db *db, int *version, struct brski_error *err)
{
	int64_t n;
	enum brski_code code = number(db, "PRAGMA user_version", &n, err);

	*version = (int)n;
	return code;
}

enum brski_code sql_set_version(struct sql_db *db, int version, struct brski_error *err)
{
	char text[48];

	snprintf(text, sizeof(text), "PRAGMA user_version = %d", version);
	return sql_script(db, text, err);
}

enum brski_code sql_change_counter(struct sql_db *db, uint64_t *out, struct brski_error *err)
{
	int64_t others;
	enum brski_code code;

	*out = 0;
	sql_lock(db);
	code = number(db, "PRAGMA data_version", &others, err);
	if (code == BRSKI_OK)
		*out = (uint64_t)db->own_changes << 32 | (uint32_t)others;
	sql_unlock(db);
	return code;
}

void sql_mark_change(struct sql *q)
{
	q->db->own_changes++;
}
