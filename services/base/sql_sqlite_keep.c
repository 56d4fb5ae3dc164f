/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "services/base/clock.h"
#include "services/base/sql_sqlite_internal.h"

/*
 * What the keeper's thread does. A commit writes to the end of the log and returns; the thread brings the
 * log to the disk, and at times what is in it into the database itself (a checkpoint), so that the log
 * begins anew. It has a connection of its own, and none of the others ever does a checkpoint.
 */

#define TIDY_PAGES 1000 /* of 4 KiB: SQLite's own measure */
#define MUCH_PAGES 4000 /* writers are kept away for the end of it, so that the log can begin anew */
#define MOST_PAGES 8000 /* they are kept away at once */
#define READERS_MS 200  /* how long they are kept away by one that reads */
/* How far a log is left behind that has begun anew. */
#define LOG_OCTETS "4194304"

/* ---- Changes ---- */

void sql_keep_begin(struct sql_db *db)
{
	struct keeper *keeper = atomic_load(&db->keep.keeper);

	if (keeper)
		keeper_change_begin(keeper);
}

void sql_keep_end(struct sql_db *db)
{
	struct keeper *keeper = atomic_load(&db->keep.keeper);

	if (keeper)
		keeper_change_end(keeper);
}

/* After each commit of this connection's. */
static int on_commit(void *ctx, sqlite3 *sqlite, const char *name, int pages)
{
	struct sql_keep *keep = ctx;
	int before = atomic_exchange(&keep->pages, pages);

	(void)sqlite;
	(void)name;
	if (pages < before) {
		atomic_store(&keep->tidy_at, TIDY_PAGES);
		atomic_store(&keep->pause_at, MOST_PAGES);
	}
	if (pages >= atomic_load(&keep->pause_at))
		atomic_store(&keep->pause, true);
	if (pages >= atomic_load(&keep->tidy_at))
		keeper_wake(atomic_load(&keep->keeper));
	return SQLITE_OK;
}

/* ---- In the keeper's thread: to the disk ---- */

/* The first statement opens the log. */
static enum brski_code connect(struct sql_db *db, struct brski_error *err)
{
	enum brski_code code;

	if (db->keep.sqlite)
		return BRSKI_OK;
	code = sql_connect(db, "SELECT count(*) FROM sqlite_schema", &db->keep.sqlite, err);
	if (code == BRSKI_OK) {
		sqlite3_extended_result_codes(db->keep.sqlite, 1);
		sqlite3_busy_timeout(db->keep.sqlite, READERS_MS);
	}
	return code;
}

/* The first time the folder comes along, which names the log. */
static int sync_log(sqlite3 *sqlite)
{
	sqlite3_file *log = NULL;
	int rc = sqlite3_file_control(sqlite, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);

	if (rc == SQLITE_OK && (!log || !log->pMethods))
		rc = SQLITE_CANTOPEN;
	return rc == SQLITE_OK ? log->pMethods->xSync(log, SQLITE_SYNC_NORMAL) : rc;
}

static enum brski_code keep(void *ctx, struct brski_error *err)
{
	struct sql_db *db = ctx;
	enum brski_code code = connect(db, err);
	int rc;

	if (code != BRSKI_OK)
		return code;
	sql_rights_begin(db);
	rc = sync_log(db->keep.sqlite);
	sql_rights_end(db);
	return rc == SQLITE_OK ? BRSKI_OK
			       : brski_fail(err, BRSKI_INTERNAL, "database: %s", sqlite3_errstr(rc));
}

/* ---- In the keeper's thread: into the database ---- */

static int checkpoint(struct sql_db *db, int mode, int *pages, int *done)
{
	int rc;

	sql_rights_begin(db);
	rc = sqlite3_wal_checkpoint_v2(db->keep.sqlite, NULL, mode, pages, done);
	sql_rights_end(db);
	return rc;
}

/*
 * The log may have a hole on the disk that nobody sees before the power fails; what is behind it would be
 * lost. All of it into the database then, and it begins anew with nothing in it.
 */
static enum brski_code repair(void *ctx, struct brski_error *err)
{
	struct sql_db *db = ctx;
	enum brski_code code = connect(db, err);
	int pages, done, rc;

	if (code != BRSKI_OK)
		return code;
	rc = checkpoint(db, SQLITE_CHECKPOINT_TRUNCATE, &pages, &done);
	return rc == SQLITE_OK ? BRSKI_OK
			       : brski_fail(err, sql_code_of(rc), "database: %s", sqlite3_errstr(rc));
}

/* A statement that writes one page and changes nothing. */
static void write_something(sqlite3 *sqlite)
{
	sqlite3_stmt *statement = NULL;
	char text[48] = "";

	if (sqlite3_exec(sqlite, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
		return;
	if (sqlite3_prepare_v2(sqlite, "PRAGMA user_version", -1, &statement, NULL) == SQLITE_OK &&
		sqlite3_step(statement) == SQLITE_ROW)
		snprintf(text, sizeof(text), "PRAGMA user_version = %d", sqlite3_column_int(statement, 0));
	sqlite3_finalize(statement);
	if (sqlite3_exec(sqlite, text, NULL, NULL, NULL) != SQLITE_OK ||
		sqlite3_exec(sqlite, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		sqlite3_exec(sqlite, "ROLLBACK", NULL, NULL, NULL);
}

/*
 * Whoever writes first into a log that begins anew waits for the disk with its first page, since older
 * pages behind it must not come to life. That is done here, for whoever comes next. If somebody is about
 * to write, it is his.
 */
static void begin_anew(struct sql_db *db, int pages)
{
	if (!sql_try_lock(db))
		return;
	if (atomic_load(&db->keep.pages) == pages && sqlite3_get_autocommit(db->sqlite))
		write_something(db->sqlite);
	sql_unlock(db);
}

/* While writers go on; if the log has become long all the same, without them. */
static int empty_log(struct sql_db *db)
{
	int pages = 0, done = 0, rc = checkpoint(db, SQLITE_CHECKPOINT_PASSIVE, &pages, &done);

	if (rc == SQLITE_OK && atomic_load(&db->keep.pages) >= MUCH_PAGES) {
		atomic_store(&db->keep.pause, true);
		rc = checkpoint(db, SQLITE_CHECKPOINT_RESTART, &pages, &done);
	}
	if (rc == SQLITE_OK && done == pages)
		begin_anew(db, pages);
	return rc;
}

static void log_trouble(struct sql_db *db, int rc)
{
	char more[BRSKI_LOG_MORE_MAX];
	unsigned left_out;

	if (brski_log_due(&db->keep.log_limit, brski_now_ms(), &left_out))
		brski_log(db->options.env, BRSKI_LOG_WARN, "%s: its log cannot be shortened: %s%s", db->path,
			sqlite3_errstr(rc), brski_log_more(left_out, more));
}

/* What is said to be kept stays so, in the log, unless a sync has failed. */
static enum brski_code judge(struct sql_db *db, int rc, struct brski_error *err)
{
	if (rc == SQLITE_IOERR_FSYNC || rc == SQLITE_IOERR_DIR_FSYNC)
		return brski_fail(err, BRSKI_INTERNAL, "database: %s", sqlite3_errstr(rc));
	if (rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY)
		log_trouble(db, rc);
	return BRSKI_OK;
}

/* It has not begun anew, since somebody reads it: writers go on for a while. */
static void go_on(struct sql_keep *keep)
{
	int pages = atomic_load(&keep->pages);

	atomic_store(&keep->tidy_at, pages + TIDY_PAGES);
	if (pages + MUCH_PAGES > MOST_PAGES)
		atomic_store(&keep->pause_at, pages + MUCH_PAGES);
}

static enum brski_code tidy(void *ctx, struct brski_error *err)
{
	struct sql_db *db = ctx;
	struct sql_keep *keep = &db->keep;
	enum brski_code code = connect(db, err);
	int rc, before = atomic_load(&keep->pages);

	if (code != BRSKI_OK || (before < atomic_load(&keep->tidy_at) && !atomic_load(&keep->pause)))
		return code;
	rc = empty_log(db);
	if (atomic_load(&keep->pages) >= before)
		go_on(keep);
	atomic_store(&keep->pause, false);
	return judge(db, rc, err);
}

/* ---- Beginning and end ---- */

enum brski_code sql_keep_start(struct sql_db *db, struct brski_error *err)
{
	const struct keeper_work work = {.sync = keep, .repair = repair, .tidy = tidy, .ctx = db};
	struct keeper *keeper;
	enum brski_code code;

	code = sql_execute(db, "PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = " LOG_OCTETS, err);
	if (code == BRSKI_OK)
		code = keeper_new(&work, db->path, db->options.env, &keeper, err);
	if (code != BRSKI_OK)
		return code;
	atomic_store(&db->keep.tidy_at, TIDY_PAGES);
	atomic_store(&db->keep.pause_at, MOST_PAGES);
	atomic_store(&db->keep.keeper, keeper);
	keeper_change_found(keeper); /* what is there may be of a program that was killed */
	sqlite3_wal_hook(db->sqlite, on_commit, &db->keep);
	write_something(db->sqlite); /* a log that is new begins now, when no device waits for it */
	return BRSKI_OK;
}

void sql_keep_stop(struct sql_db *db)
{
	keeper_free(atomic_load(&db->keep.keeper));
	atomic_store(&db->keep.keeper, NULL);
	sql_rights_begin(db);
	sqlite3_close(db->keep.sqlite);
	sql_rights_end(db);
}

/* ---- Marks ---- */

/* Has another process changed anything? If that cannot be seen now, it has. */
static bool have_others_changed(struct sql_db *db)
{
	sqlite3_stmt *statement = NULL;
	int64_t others = -1;
	bool changed;

	if (!sql_try_lock(db))
		return true;
	if (sqlite3_prepare_v2(db->sqlite, "PRAGMA data_version", -1, &statement, NULL) == SQLITE_OK &&
		sqlite3_step(statement) == SQLITE_ROW)
		others = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	changed = others < 0 || others != db->keep.others;
	db->keep.others = others;
	sql_unlock(db);
	return changed;
}

uint64_t sql_mark(struct sql_db *db)
{
	struct keeper *keeper = atomic_load(&db->keep.keeper);

	if (!keeper)
		return 0;
	if (have_others_changed(db))
		keeper_change_found(keeper);
	return keeper_mark(keeper);
}

enum brski_kept sql_kept(struct sql_db *db, uint64_t mark, struct brski_error *why)
{
	struct keeper *keeper = atomic_load(&db->keep.keeper);

	return keeper ? keeper_kept(keeper, mark, why) : BRSKI_KEPT;
}

enum brski_kept sql_wait_kept(struct sql_db *db, uint64_t mark, long ms, struct brski_error *why)
{
	struct keeper *keeper = atomic_load(&db->keep.keeper);

	return keeper ? keeper_wait(keeper, mark, ms, why) : BRSKI_KEPT;
}

void sql_on_kept(struct sql_db *db, void (*moved)(void *ctx), void *ctx)
{
	struct keeper *keeper = atomic_load(&db->keep.keeper);

	if (keeper)
		keeper_on_moved(keeper, moved, ctx);
}
