/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/base/sql_files.h"
#include "services/base/sql_sqlite_internal.h"

#define MEMORY ":memory:"

/* ---- Rights ---- */

static _Thread_local unsigned rights; /* how often this thread has them */

void sql_rights_begin(const struct sql_db *db)
{
	if (rights++ == 0)
		run_as_begin(&db->who);
}

void sql_rights_end(const struct sql_db *db)
{
	if (--rights == 0)
		run_as_end(&db->who);
}

/* ---- What went wrong ---- */

/* And why, if that is how its files are. */
static enum brski_code fail_files(
	struct sql_db *db, enum brski_code code, const char *said, struct brski_error *err)
{
	char words[320];

	if (sql_files_why_not(db->path, db->options.mend, words, sizeof(words)))
		return brski_fail(err, code, "%s: %s", said, words);
	return brski_fail(err, code, "%s", said);
}

enum brski_code sql_fail(struct sql_db *db, sqlite3 *sqlite, int rc, struct brski_error *err)
{
	int kind = rc & 0xff;
	enum brski_code code = sql_code_of(rc);

	if (!sqlite)
		return brski_fail(err, BRSKI_NO_MEMORY, "database: out of memory");
	if (kind != SQLITE_READONLY && kind != SQLITE_CANTOPEN && kind != SQLITE_PERM)
		return brski_fail(err, code, "database: %s", sqlite3_errmsg(sqlite));
	return brski_fail_context(err, fail_files(db, code, sqlite3_errstr(kind), err), "database");
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

	if (!options->create || strcmp(path, MEMORY) == 0)
		return;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, options->mode);
	if (fd < 0)
		return; /* it is there; else SQLite says why it cannot be */
	(void)fchmod(fd, options->mode);
	close(fd);
}

/* Who may not look, does not know. */
static bool is_missing(const struct sql_db *db)
{
	return !db->options.create && strcmp(db->path, MEMORY) != 0 && access(db->path, F_OK) != 0 &&
	       errno == ENOENT;
}

static enum brski_code fail_missing(struct brski_error *err)
{
	return brski_fail(err, BRSKI_NOT_FOUND, "unable to open database file: %s", strerror(ENOENT));
}

static enum brski_code open_file(struct sql_db *db, struct brski_error *err)
{
	int flags =
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (db->options.create ? SQLITE_OPEN_CREATE : 0);
	enum brski_code code = BRSKI_OK;

	sql_lock(db);
	make_file(db->path, &db->options);
	if (is_missing(db))
		code = fail_missing(err);
	else if (sqlite3_open_v2(db->path, &db->sqlite, flags, NULL) != SQLITE_OK)
		code = fail_files(db, BRSKI_UNAVAILABLE,
			db->sqlite ? sqlite3_errmsg(db->sqlite) : "out of memory", err);
	sql_unlock(db);
	return code;
}

/* Whose rights count. */
static enum brski_code find_owner(struct sql_db *db, struct brski_error *err)
{
	const char *mend = db->options.mend;
	struct brski_error said;
	enum brski_code code;

	if (strcmp(db->path, MEMORY) == 0)
		return BRSKI_OK;
	code = run_as_owner(db->path, &db->who, &said);
	if (code == BRSKI_OK)
		return code;
	if (code == BRSKI_UNTRUSTED && is_missing(db))
		return fail_missing(err);
	return brski_fail(err, code, "%s%s%s", said.why, mend ? "; " : "", mend ? mend : "");
}

static enum brski_code db_new(
	const char *database, const struct sql_options *options, struct sql_db **out, struct brski_error *err)
{
	struct sql_db *db = calloc(1, sizeof(*db));
	enum brski_code code = BRSKI_NO_MEMORY;

	if (db) {
		db->path = strdup(database);
		db->options = *options;
	}
	if (db && db->path)
		code = lock_new(&db->lock, err);
	if (code == BRSKI_OK) {
		sql_readers_init(db);
		*out = db;
		return BRSKI_OK;
	}
	if (db)
		free(db->path);
	free(db);
	return brski_fail(err, code, "out of memory");
}

enum brski_code sql_open(
	const char *database, const struct sql_options *options, struct sql_db **out, struct brski_error *err)
{
	struct sql_db *db = NULL;
	enum brski_code code = db_new(database, options, &db, err);

	*out = NULL;
	if (code != BRSKI_OK)
		return code;
	code = find_owner(db, err);
	if (code == BRSKI_OK)
		code = open_file(db, err);
	if (code != BRSKI_OK)
		sql_close(db);
	else
		*out = db;
	return code;
}

/* The last one to close it tidies up the files beside it. */
void sql_close(struct sql_db *db)
{
	if (!db)
		return;
	sql_keep_stop(db);
	sql_readers_close(db);
	sql_lock(db);
	sqlite3_close(db->sqlite);
	sql_unlock(db);
	pthread_mutex_destroy(&db->lock);
	free(db->path);
	free(db);
}

enum brski_code sql_connect(struct sql_db *db, const char *pragmas, sqlite3 **out, struct brski_error *err)
{
	enum brski_code code = BRSKI_OK;
	int rc;

	*out = NULL;
	sql_rights_begin(db);
	rc = sqlite3_open_v2(db->path, out, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_busy_timeout(*out, (int)db->options.busy_ms);
		rc = sqlite3_exec(*out, pragmas, NULL, NULL, NULL);
	}
	if (rc != SQLITE_OK) {
		code = sql_fail(db, *out, rc, err);
		sqlite3_close(*out);
		*out = NULL;
	}
	sql_rights_end(db);
	return code;
}

/* ---- Before the first statement ---- */

static enum brski_code look_at_journal(struct sql_db *db, struct brski_error *err)
{
	sqlite3_stmt *statement;
	int rc = sqlite3_prepare_v2(db->sqlite, "PRAGMA journal_mode", -1, &statement, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(statement);
	if (rc == SQLITE_ROW)
		db->wal = strcmp((const char *)sqlite3_column_text(statement, 0), "wal") == 0;
	else
		brski_fail(err, BRSKI_INTERNAL, "database: %s", sqlite3_errmsg(db->sqlite));
	sqlite3_finalize(statement);
	return rc == SQLITE_ROW ? BRSKI_OK : BRSKI_INTERNAL;
}

/* What a device was told must still be true after a power failure. */
enum brski_code sql_get_ready(struct sql_db *db, struct brski_error *err)
{
	enum brski_code code;

	if (atomic_load(&db->ready))
		return BRSKI_OK;
	code = sql_execute(db,
		"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
		"PRAGMA temp_store = MEMORY",
		err);
	if (code == BRSKI_OK)
		code = look_at_journal(db, err);
	if (code == BRSKI_OK && db->options.keep_later && db->wal)
		code = sql_keep_start(db, err);
	if (code == BRSKI_OK)
		atomic_store(&db->ready, true);
	return code;
}
