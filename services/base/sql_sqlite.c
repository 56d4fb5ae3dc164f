/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/base/sql.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "eap_brski/ground/text.h"
#include "services/base/run_as.h"
#include "services/base/sql_files.h"

struct sql_db {
	sqlite3 *sqlite;
	char *path;           /* these two for words about its files */
	const char *mend;     /* as in sql_options */
	pthread_mutex_t lock; /* recursive: a transaction has it around its statements */
	struct run_as who;    /* whose rights on files count, while somebody has the lock */
	unsigned depth;       /* how often he has */
	bool ready;           /* see get_ready */
	bool lazy;            /* synchronous=NORMAL now, see sql_begin_lazy */
	bool to_undo;         /* a transaction that failed is open, see undo */
	uint32_t own_changes; /* data_version does not count this connection's own */
};

static enum brski_code code_of(int rc)
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

/* What went wrong; and why, if that is how its files are. */
static enum brski_code fail_files(
	struct sql_db *db, enum brski_code code, const char *said, struct brski_error *err)
{
	char words[320];

	if (sql_files_why_not(db->path, db->mend, words, sizeof(words)))
		return brski_fail(err, code, "%s: %s", said, words);
	return brski_fail(err, code, "%s", said);
}

static enum brski_code fail_rc(struct sql_db *db, int rc, struct brski_error *err)
{
	int kind = rc & 0xff;

	if (kind != SQLITE_READONLY && kind != SQLITE_CANTOPEN && kind != SQLITE_PERM)
		return brski_fail(err, code_of(rc), "database: %s", sqlite3_errmsg(db->sqlite));
	return brski_fail_context(err, fail_files(db, code_of(rc), sqlite3_errstr(kind), err), "database");
}

static enum brski_code execute(struct sql_db *db, const char *text, struct brski_error *err)
{
	int rc = sqlite3_exec(db->sqlite, text, NULL, NULL, NULL);

	return rc == SQLITE_OK ? BRSKI_OK : fail_rc(db, rc, err);
}

/* ---- Opening ---- */

static enum brski_code lock_new(pthread_mutex_t *lock, struct brski_error *err)
{
	pthread_mutexattr_t attr;
	int rc;

	if (pthread_mutexattr_init(&attr) != 0)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for a lock");
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	rc = pthread_mutex_init(lock, &attr);
	pthread_mutexattr_destroy(&attr);
	return rc == 0 ? BRSKI_OK : brski_fail(err, BRSKI_NO_MEMORY, "no memory for a lock");
}

/*
 * SQLite makes files with the umask's rights: this one names devices and owners, so others shall
 * not read it. The files that SQLite puts beside it get the rights of this one.
 */
static void make_file(const char *path, const struct sql_options *options)
{
	int fd;

	if (!options->create || strcmp(path, ":memory:") == 0)
		return;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, options->mode);
	if (fd < 0)
		return; /* it is there; else SQLite says why it cannot be */
	(void)fchmod(fd, options->mode);
	close(fd);
}

/* Who may not look, does not know. */
static bool is_missing(const char *database, const struct sql_options *options)
{
	return !options->create && strcmp(database, ":memory:") != 0 && access(database, F_OK) != 0 &&
	       errno == ENOENT;
}

static enum brski_code fail_missing(struct brski_error *err)
{
	return brski_fail(err, BRSKI_NOT_FOUND, "unable to open database file: %s", strerror(ENOENT));
}

static enum brski_code open_file(
	struct sql_db *db, const char *database, const struct sql_options *options, struct brski_error *err)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (options->create ? SQLITE_OPEN_CREATE : 0);
	enum brski_code code = BRSKI_OK;

	sql_lock(db);
	make_file(database, options);
	if (is_missing(database, options))
		code = fail_missing(err);
	else if (sqlite3_open_v2(database, &db->sqlite, flags, NULL) != SQLITE_OK)
		code = fail_files(db, BRSKI_UNAVAILABLE,
			db->sqlite ? sqlite3_errmsg(db->sqlite) : "out of memory", err);
	sql_unlock(db);
	return code;
}

static enum brski_code db_new(
	const char *database, const struct sql_options *options, struct sql_db **out, struct brski_error *err)
{
	struct sql_db *db = calloc(1, sizeof(*db));
	enum brski_code code = BRSKI_NO_MEMORY;

	if (db) {
		db->path = strdup(database);
		db->mend = options->mend;
	}
	if (db && db->path)
		code = lock_new(&db->lock, err);
	if (code == BRSKI_OK) {
		*out = db;
		return BRSKI_OK;
	}
	if (db)
		free(db->path);
	free(db);
	return brski_fail(err, code, "out of memory");
}

/* Whose rights count. */
static enum brski_code find_owner(
	struct sql_db *db, const struct sql_options *options, struct brski_error *err)
{
	struct brski_error said;
	enum brski_code code;

	if (strcmp(db->path, ":memory:") == 0)
		return BRSKI_OK;
	code = run_as_owner(db->path, &db->who, &said);
	if (code == BRSKI_OK)
		return code;
	if (code == BRSKI_UNTRUSTED && is_missing(db->path, options))
		return fail_missing(err);
	return brski_fail(err, code, "%s%s%s", said.why, db->mend ? "; " : "", db->mend ? db->mend : "");
}

enum brski_code sql_open(
	const char *database, const struct sql_options *options, struct sql_db **out, struct brski_error *err)
{
	struct sql_db *db = NULL;
	enum brski_code code = db_new(database, options, &db, err);

	*out = NULL;
	if (code != BRSKI_OK)
		return code;
	code = find_owner(db, options, err);
	if (code == BRSKI_OK)
		code = open_file(db, database, options, err);
	if (code != BRSKI_OK) {
		sql_close(db);
		return code;
	}
	sqlite3_busy_timeout(db->sqlite, (int)options->busy_ms);
	*out = db;
	return BRSKI_OK;
}

/* The last one to close it tidies up the files beside it. */
void sql_close(struct sql_db *db)
{
	if (!db)
		return;
	sql_lock(db);
	sqlite3_close(db->sqlite);
	sql_unlock(db);
	pthread_mutex_destroy(&db->lock);
	free(db->path);
	free(db);
}

/*
 * What comes after a transaction that failed must not become part of it: if it cannot be taken back
 * now, nothing else is done before it is.
 */
static enum brski_code undo(struct sql_db *db, struct brski_error *err)
{
	enum brski_code code = BRSKI_OK;

	if (db->to_undo && !sqlite3_get_autocommit(db->sqlite))
		code = execute(db, "ROLLBACK", err);
	db->to_undo = code != BRSKI_OK;
	return code;
}

/* Before the first statement. What a device was told must still be true after a power failure. */
static enum brski_code get_ready(struct sql_db *db, struct brski_error *err)
{
	enum brski_code code = undo(db, err);

	if (code != BRSKI_OK || db->ready)
		return code;
	code = execute(db,
		"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
		"PRAGMA temp_store = MEMORY",
		err);
	db->ready = code == BRSKI_OK;
	return code;
}

/* Within a transaction SQLite refuses to change it: then a lazy statement is as durable as the others. */
static enum brski_code set_lazy(struct sql_db *db, bool lazy, struct brski_error *err)
{
	enum brski_code code;

	if (db->lazy == lazy)
		return BRSKI_OK;
	code = execute(
		db, lazy ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL", lazy ? NULL : err);
	if (code == BRSKI_OK)
		db->lazy = lazy;
	return lazy ? BRSKI_OK : code;
}

/* ---- Statements ---- */

static void fail(struct sql *q, int rc)
{
	if (q->code == BRSKI_OK)
		q->code = fail_rc(q->db, rc, q->err);
}

static void begin(struct sql *q, struct sql_db *db, const char *text, bool lazy, struct brski_error *err)
{
	sqlite3_stmt *statement = NULL;
	int rc;

	*q = (struct sql){.db = db, .err = err};
	sql_lock(db);
	q->code = get_ready(db, err);
	if (q->code == BRSKI_OK)
		q->code = set_lazy(db, lazy, err);
	if (q->code != BRSKI_OK)
		return;
	rc = sqlite3_prepare_v2(db->sqlite, text, -1, &statement, NULL);
	q->statement = statement;
	if (rc != SQLITE_OK)
		fail(q, rc);
}

void sql_begin(struct sql *q, struct sql_db *db, const char *text, struct brski_error *err)
{
	begin(q, db, text, false, err);
}

void sql_begin_lazy(struct sql *q, struct sql_db *db, const char *text, struct brski_error *err)
{
	begin(q, db, text, true, err);
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

bool sql_row(struct sql *q)
{
	int rc;

	if (q->code != BRSKI_OK)
		return false;
	rc = sqlite3_step(q->statement);
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
	*changes = q->code == BRSKI_OK ? (uint64_t)sqlite3_changes(q->db->sqlite) : 0;
	return sql_end(q);
}

enum brski_code sql_script(struct sql_db *db, const char *text, struct brski_error *err)
{
	enum brski_code code;

	sql_lock(db);
	code = get_ready(db, err);
	if (code == BRSKI_OK)
		code = set_lazy(db, false, err);
	if (code == BRSKI_OK)
		code = execute(db, text, err);
	sql_unlock(db);
	return code;
}

/* ---- Several statements ---- */

void sql_lock(struct sql_db *db)
{
	pthread_mutex_lock(&db->lock);
	if (db->depth++ == 0)
		run_as_begin(&db->who);
}

void sql_unlock(struct sql_db *db)
{
	if (--db->depth == 0)
		run_as_end(&db->who);
	pthread_mutex_unlock(&db->lock);
}

static enum brski_code run(struct sql_db *db, const char *text, struct brski_error *err)
{
	struct sql q;

	sql_begin(&q, db, text, err);
	return sql_run(&q);
}

enum brski_code sql_transaction_begin(struct sql_db *db, struct brski_error *err)
{
	enum brski_code code;
	bool within;

	sql_lock(db);
	within = !sqlite3_get_autocommit(db->sqlite); /* another one's, which goes on */
	code = run(db, "BEGIN IMMEDIATE", err);
	if (code != BRSKI_OK && !within)
		return sql_transaction_end(db, code, NULL);
	if (code != BRSKI_OK)
		sql_unlock(db);
	return code;
}

enum brski_code sql_transaction_end(struct sql_db *db, enum brski_code code, struct brski_error *err)
{
	if (code == BRSKI_OK)
		code = run(db, "COMMIT", err);
	if (code != BRSKI_OK) {
		db->to_undo = true;
		(void)undo(db, NULL);
	}
	sql_unlock(db);
	return code;
}

/* ---- What the database says of itself ---- */

enum brski_code sql_check_writable(struct sql_db *db, struct brski_error *err)
{
	enum brski_code code;

	sql_lock(db);
	code = get_ready(db, err);
	if (code == BRSKI_OK && sqlite3_db_readonly(db->sqlite, "main") == 1)
		code = fail_rc(db, SQLITE_READONLY, err);
	if (code == BRSKI_OK)
		code = sql_transaction_begin(db, err);
	if (code == BRSKI_OK)
		code = sql_transaction_end(db, BRSKI_UNAVAILABLE, NULL); /* nothing is kept */
	sql_unlock(db);
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
