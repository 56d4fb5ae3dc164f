/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/store.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "eap_brski/ground/text.h"
#include "services/registrar/store_internal.h"

/*
 * Another process's change takes milliseconds. Whoever sits on the lock longer, a forgotten shell
 * of sqlite3 for instance, must not have all of the server's threads wait for him.
 */
#define BUSY_MS 2000

/* ---- Statements ---- */

static void sql_fail(struct sql *q, enum brski_code code)
{
	if (q->code == BRSKI_OK)
		q->code = brski_fail(q->err, code, "database: %s", sqlite3_errmsg(q->store->db));
}

/* Within a transaction SQLite refuses to change it: then a lazy statement is as durable as the others. */
static void set_lazy(struct sql *q, bool lazy)
{
	struct brski_store *store = q->store;
	const char *text = lazy ? "PRAGMA synchronous=NORMAL" : "PRAGMA synchronous=FULL";

	if (store->lazy == lazy)
		return;
	if (sqlite3_exec(store->db, text, NULL, NULL, NULL) == SQLITE_OK)
		store->lazy = lazy;
	else if (!lazy)
		sql_fail(q, BRSKI_INTERNAL);
}

static void begin(
	struct sql *q, struct brski_store *store, const char *text, bool lazy, struct brski_error *err)
{
	*q = (struct sql){.store = store, .err = err, .next = 1};
	pthread_mutex_lock(&store->lock);
	set_lazy(q, lazy);
	if (q->code == BRSKI_OK && sqlite3_prepare_v2(store->db, text, -1, &q->stmt, NULL) != SQLITE_OK)
		sql_fail(q, BRSKI_INTERNAL);
}

void sql_begin(struct sql *q, struct brski_store *store, const char *text, struct brski_error *err)
{
	begin(q, store, text, false, err);
}

void sql_begin_lazy(struct sql *q, struct brski_store *store, const char *text, struct brski_error *err)
{
	begin(q, store, text, true, err);
}

void sql_bind_text(struct sql *q, const char *value)
{
	if (q->code == BRSKI_OK &&
		sqlite3_bind_text(q->stmt, q->next++, value, -1, SQLITE_TRANSIENT) != SQLITE_OK)
		sql_fail(q, BRSKI_INTERNAL);
}

void sql_bind_int(struct sql *q, int64_t value)
{
	if (q->code == BRSKI_OK && sqlite3_bind_int64(q->stmt, q->next++, value) != SQLITE_OK)
		sql_fail(q, BRSKI_INTERNAL);
}

void sql_bind_blob(struct sql *q, struct brski_span value)
{
	/* A NULL pointer would bind NULL, which the schema refuses. */
	const void *data = value.len ? (const void *)value.data : "";

	if (q->code == BRSKI_OK &&
		sqlite3_bind_blob64(q->stmt, q->next++, data, value.len, SQLITE_TRANSIENT) != SQLITE_OK)
		sql_fail(q, BRSKI_INTERNAL);
}

bool sql_row(struct sql *q)
{
	int rc;

	if (q->code != BRSKI_OK)
		return false;
	rc = sqlite3_step(q->stmt);
	if (rc == SQLITE_ROW)
		return true;
	if (rc == SQLITE_CONSTRAINT)
		sql_fail(q, BRSKI_NOT_FOUND);
	else if (rc == SQLITE_BUSY)
		sql_fail(q, BRSKI_UNAVAILABLE);
	else if (rc != SQLITE_DONE)
		sql_fail(q, BRSKI_INTERNAL);
	return false;
}

int sql_changes(const struct sql *q)
{
	return sqlite3_changes(q->store->db);
}

enum brski_code sql_end(struct sql *q)
{
	sqlite3_finalize(q->stmt);
	q->stmt = NULL;
	pthread_mutex_unlock(&q->store->lock);
	return q->code;
}

enum brski_code sql_run(struct sql *q)
{
	while (sql_row(q))
		;
	return sql_end(q);
}

void sql_copy_text(struct sql *q, int column, char *out, size_t size)
{
	const char *text = (const char *)sqlite3_column_text(q->stmt, column);

	brski_printable(brski_span_str(text ? text : ""), out, size);
}

void sql_copy_blob(struct sql *q, int column, struct brski_buf *out)
{
	const void *data = sqlite3_column_blob(q->stmt, column);
	enum brski_code code =
		brski_buf_set(out, brski_span(data, (size_t)sqlite3_column_bytes(q->stmt, column)));

	if (code && q->code == BRSKI_OK)
		q->code = brski_fail(q->err, code, "database: a value does not fit into memory");
}

int64_t sql_int(struct sql *q, int column)
{
	return sqlite3_column_int64(q->stmt, column);
}

/* ---- Opening ---- */

static enum brski_code run(struct brski_store *store, const char *text, struct brski_error *err)
{
	char *message = NULL;
	int rc = sqlite3_exec(store->db, text, NULL, NULL, &message);
	enum brski_code code = BRSKI_OK;

	if (rc != SQLITE_OK)
		code = brski_fail(err, rc == SQLITE_BUSY ? BRSKI_UNAVAILABLE : BRSKI_INTERNAL, "database: %s",
			message ? message : sqlite3_errstr(rc));
	sqlite3_free(message);
	return code;
}

static enum brski_code user_version(struct brski_store *store, int64_t *out, struct brski_error *err)
{
	struct sql q;

	*out = 0;
	sql_begin(&q, store, "PRAGMA user_version", err);
	if (sql_row(&q))
		*out = sql_int(&q, 0);
	return sql_end(&q);
}

/*
 * Two processes may come here at once: the write lock lets one make the tables, and the other finds
 * them. A database of an older version gets what has been added since, all of it or nothing.
 */
static enum brski_code make_tables(struct brski_store *store, struct brski_error *err)
{
	int64_t version;
	enum brski_code code = run(store, "BEGIN IMMEDIATE", err);

	if (code != BRSKI_OK)
		return code;
	code = user_version(store, &version, err);
	if (code == BRSKI_OK && version > brski_schema_version)
		code = brski_fail(err, BRSKI_UNSUPPORTED,
			"the database was made by a newer version (schema %lld, this program knows %d)",
			(long long)version, brski_schema_version);
	for (; code == BRSKI_OK && version < brski_schema_version; version++)
		code = run(store, brski_schema_step((int)version), err);
	if (code == BRSKI_OK)
		return run(store, "COMMIT", err);
	(void)run(store, "ROLLBACK", NULL);
	return code;
}

static enum brski_code set_up(struct brski_store *store, struct brski_error *err)
{
	enum brski_code code;

	sqlite3_busy_timeout(store->db, BUSY_MS);
	/* What a device was told must still be true after a power failure. */
	code = run(store, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;", err);
	if (code != BRSKI_OK)
		return code;
	return make_tables(store, err);
}

static enum brski_code lock_new(struct brski_store *store, struct brski_error *err)
{
	pthread_mutexattr_t attr;
	int rc;

	if (pthread_mutexattr_init(&attr))
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for a lock");
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	rc = pthread_mutex_init(&store->lock, &attr);
	pthread_mutexattr_destroy(&attr);
	return rc ? brski_fail(err, BRSKI_NO_MEMORY, "no memory for a lock") : BRSKI_OK;
}

/*
 * A database that root makes for the server belongs to whoever owns its folder, or the server could
 * not write it.
 */
static void give_to_owner_of_folder(const char *path)
{
	char folder[1024];
	const char *slash = strrchr(path, '/');
	struct stat st;

	if (!slash || slash == path || (size_t)(slash - path) >= sizeof(folder) || geteuid() != 0)
		return;
	memcpy(folder, path, (size_t)(slash - path));
	folder[slash - path] = '\0';
	if (stat(folder, &st) == 0 && st.st_uid != 0 && chown(path, st.st_uid, st.st_gid) != 0)
		return; /* the server will say that it cannot open it, and why */
}

enum brski_code brski_store_open(
	const char *path, bool create, struct brski_store **out, struct brski_error *err)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX | (create ? SQLITE_OPEN_CREATE : 0);
	struct brski_store *store = calloc(1, sizeof(*store));
	bool is_new = access(path, F_OK) != 0;
	mode_t mask;
	int rc;
	enum brski_code code;

	*out = NULL;
	if (!store)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for the store");
	code = lock_new(store, err);
	if (code != BRSKI_OK) {
		free(store);
		return code;
	}
	mask = umask(027);
	rc = sqlite3_open_v2(path, &store->db, flags, NULL);
	umask(mask);
	if (rc != SQLITE_OK)
		code = brski_fail(err, is_new && !create ? BRSKI_NOT_FOUND : BRSKI_INTERNAL,
			"cannot open the database %s: %s", path,
			store->db ? sqlite3_errmsg(store->db) : "no memory");
	if (code == BRSKI_OK && is_new)
		give_to_owner_of_folder(path);
	if (code == BRSKI_OK && set_up(store, err))
		code = brski_fail_context(err, "%s", path);
	if (code != BRSKI_OK) {
		brski_store_close(store);
		return code;
	}
	*out = store;
	return BRSKI_OK;
}

void brski_store_close(struct brski_store *store)
{
	if (!store)
		return;
	sqlite3_close(store->db);
	pthread_mutex_destroy(&store->lock);
	free(store);
}

enum brski_code brski_store_generation(struct brski_store *store, uint64_t *out, struct brski_error *err)
{
	struct sql q;

	*out = 0;
	sql_begin(&q, store, "PRAGMA data_version", err);
	if (sql_row(&q))
		*out = (uint64_t)store->own_changes << 32 | (uint32_t)sql_int(&q, 0);
	return sql_end(&q);
}
