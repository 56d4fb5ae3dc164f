/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/base/sql.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSY_MS 5000

static enum brski_code run(sqlite3 *db, const char *text, struct brski_error *err)
{
	if (sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK)
		return BRSKI_OK;
	return brski_fail(err, BRSKI_INTERNAL, "database: %s", sqlite3_errmsg(db));
}

static enum brski_code user_version(sqlite3 *db, int *version, struct brski_error *err)
{
	struct sql q = sql_start(db, "PRAGMA user_version");

	*version = sql_row(&q) ? (int)sql_int(&q) : 0;
	return sql_end(&q, err);
}

/* Two processes may come here at once: the lock is taken first. */
static enum brski_code make_schema(sqlite3 *db, const char *schema, int version, struct brski_error *err)
{
	char set_version[48];
	int found = 0;
	enum brski_code code = run(db, "BEGIN IMMEDIATE", err);

	if (code != BRSKI_OK)
		return code;
	code = user_version(db, &found, err);
	if (code == BRSKI_OK && found > version)
		code = brski_fail(err, BRSKI_UNSUPPORTED,
			"the database is of version %d, this program knows %d", found, version);
	if (code == BRSKI_OK && found == 0) {
		snprintf(set_version, sizeof(set_version), "PRAGMA user_version = %d", version);
		code = run(db, schema, err);
		if (code == BRSKI_OK)
			code = run(db, set_version, err);
	}
	if (code == BRSKI_OK)
		return run(db, "COMMIT", err);
	(void)run(db, "ROLLBACK", NULL);
	return code;
}

/*
 * SQLite makes files with the umask's rights: this one names devices and owners, so others shall
 * not read it.
 */
static void make_private(const char *path)
{
	int fd;

	if (strcmp(path, ":memory:") == 0)
		return;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
}

enum brski_code sql_open(
	const char *path, const char *schema, int version, sqlite3 **out, struct brski_error *err)
{
	sqlite3 *db = NULL;
	enum brski_code code;

	*out = NULL;
	make_private(path);
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
		    NULL) != SQLITE_OK) {
		code = brski_fail(err, BRSKI_UNAVAILABLE, "cannot open %s: %s", path,
			db ? sqlite3_errmsg(db) : "out of memory");
		sqlite3_close(db);
		return code;
	}
	sqlite3_busy_timeout(db, BUSY_MS);
	code = run(db,
		"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
		"PRAGMA temp_store = MEMORY",
		err);
	if (code == BRSKI_OK)
		code = make_schema(db, schema, version, err);
	if (code == BRSKI_OK)
		*out = db;
	else
		sqlite3_close(db);
	return code;
}

struct sql sql_start(sqlite3 *db, const char *text)
{
	struct sql q = {.db = db};

	q.status = sqlite3_prepare_v2(db, text, -1, &q.stmt, NULL);
	return q;
}

void sql_bind_int(struct sql *q, long long value)
{
	if (q->status == SQLITE_OK)
		q->status = sqlite3_bind_int64(q->stmt, ++q->bound, value);
}

void sql_bind_text(struct sql *q, const char *value)
{
	if (q->status == SQLITE_OK)
		q->status = sqlite3_bind_text(q->stmt, ++q->bound, value, -1, SQLITE_TRANSIENT);
}

void sql_bind_span(struct sql *q, struct brski_span value)
{
	if (q->status == SQLITE_OK)
		q->status = sqlite3_bind_blob64(q->stmt, ++q->bound,
			value.len > 0 ? (const void *)value.data : "", value.len, SQLITE_TRANSIENT);
}

bool sql_row(struct sql *q)
{
	if (q->status != SQLITE_OK && q->status != SQLITE_ROW)
		return false;
	q->column = 0;
	q->status = sqlite3_step(q->stmt);
	return q->status == SQLITE_ROW;
}

long long sql_int(struct sql *q)
{
	return sqlite3_column_int64(q->stmt, q->column++);
}

void sql_text(struct sql *q, char *out, size_t size)
{
	const unsigned char *text = sqlite3_column_text(q->stmt, q->column++);

	snprintf(out, size, "%s", text ? (const char *)text : "");
}

void sql_buf(struct sql *q, struct brski_buf *out)
{
	const void *octets = sqlite3_column_blob(q->stmt, q->column);
	int len = sqlite3_column_bytes(q->stmt, q->column++);

	if (brski_buf_set(out, brski_span(octets, len > 0 ? (size_t)len : 0)) != BRSKI_OK)
		q->status = SQLITE_NOMEM;
}

enum brski_code sql_end(struct sql *q, struct brski_error *err)
{
	enum brski_code code = BRSKI_OK;

	if (q->status == SQLITE_OK)
		q->status = sqlite3_step(q->stmt);
	if (q->status == SQLITE_CONSTRAINT)
		code = brski_fail(err, BRSKI_UNEXPECTED, "database: %s", sqlite3_errmsg(q->db));
	else if (q->status != SQLITE_OK && q->status != SQLITE_ROW && q->status != SQLITE_DONE)
		code = brski_fail(err, BRSKI_INTERNAL, "database: %s", sqlite3_errmsg(q->db));
	sqlite3_finalize(q->stmt);
	q->stmt = NULL;
	return code;
}
