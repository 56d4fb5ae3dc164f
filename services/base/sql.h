/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BASE_SQL_H
#define BRSKI_SERVICES_BASE_SQL_H

#include <sys/types.h>

#include "eap_brski/ground/env.h"
#include "services/base/kept.h"

/*
 * A database behind one header, for the stores: what is committed is on the disk, or will be soon
 * ("What is kept"), foreign keys hold, and several processes may use it at one time. Which database it
 * is, the driver knows, and nobody else. The stores' SQL is in its dialect, with parameters ?1, ?2, ...
 *
 * The codes of all that can fail, with the database's words after "database: ":
 *   BRSKI_UNEXPECTED   a constraint of the schema forbids it: no such parent, others refer to it,
 *                      it exists already
 *   BRSKI_UNAVAILABLE  somebody else sat on the write lock for longer than busy_ms
 *   BRSKI_INTERNAL     anything else
 *
 * Where the rights on its files are the reason, the words say on which, and whose (sql_files.h).
 *
 * A connection may be used from any thread, but not over a fork(): it has a recursive lock, which a
 * statement and a transaction hold from their beginning to their end. It is let go while another
 * process's change is waited for, and no disk is waited for with it but by a commit that is kept at
 * once.
 */
struct sql_db;

struct sql_options {
	bool create;      /* make it if there is none */
	mode_t mode;      /* of a file that is made, whatever the umask is */
	unsigned busy_ms; /* how long to wait for others' changes */
	/*
	 * For the operator, where its files are not its folder's owner's: what puts that right. Borrowed
	 * until sql_close; may be NULL.
	 */
	const char *mend;
	bool keep_later;  /* a commit does not wait for the disk, see "What is kept" */
	unsigned readers; /* connections for sql_begin_read, SQL_READERS_MAX at most; 0: none */
	const struct brski_env
		*env; /* with keep_later: its log hears of a disk that fails; borrowed, may be NULL */
};
#define SQL_READERS_MAX 4

/*
 * database: a file's path, or ":memory:", which is this connection's alone and gone with it. What is
 * in the file is looked at by the first statement. Root works on it, and on the files beside it, with
 * the rights of its folder's owner (run_as.h). BRSKI_NOT_FOUND: there is none, and none shall be
 * made; BRSKI_UNAVAILABLE: it cannot be opened; else what run_as_owner() says. The words are the bare
 * reason, without the name.
 * *out is to be closed with sql_close.
 */
BRSKI_CHECKED enum brski_code sql_open(const char *database, const struct sql_options *options,
	struct sql_db **out, struct brski_error *err);
/* What is not kept yet, is kept before this returns, if the disk can. NULL is nothing. */
void sql_close(struct sql_db *db);

/* ---- Statements ---- */

/*
 * A statement in use, between sql_begin and sql_end (or sql_run). The first error of any of these is
 * kept in `code`, its words in the err that sql_begin was given; what follows does nothing. So one
 * check at the end is enough.
 */
struct sql {
	struct sql_db *db;
	void *statement; /* these two are the driver's */
	void *reader;
	enum brski_code code;
	struct brski_error *err;
	int bound;     /* number of the last parameter that has a value */
	bool locked;   /* the rest is the driver's, too */
	bool lazy;     /* see sql_begin_lazy */
	bool changes;  /* what is to be kept */
	bool changing; /* it is doing so */
	bool stepped;  /* its first row or its end has been there */
};

/* err may be NULL, and outlives the statement. */
void sql_begin(struct sql *q, struct sql_db *db, const char *text, struct brski_error *err);
/*
 * For what may be lost in a power failure, and only then: a change that is not waited for until the
 * disk has it. It is never out of order, as the next change that is waited for takes it along. In a
 * transaction it is as any other.
 */
void sql_begin_lazy(struct sql *q, struct sql_db *db, const char *text, struct brski_error *err);

/*
 * For what changes nothing: it waits for nobody's change, on this connection or another, as long as there
 * is a reader free. It sees what has been committed before; within a transaction of this thread, what
 * that has done. Others' changes do not show between its first row and its end.
 */
void sql_begin_read(struct sql *q, struct sql_db *db, const char *text, struct brski_error *err);

/* Values of the parameters, in the order of their numbers. They are copied. */
void sql_bind_int(struct sql *q, int64_t value);
void sql_bind_text(struct sql *q, const char *value);
void sql_bind_blob(struct sql *q, struct brski_span value); /* len 0 is an empty value, not NULL */

bool sql_row(struct sql *q); /* true: there is another one; false at the end, and after any error */

/* Columns of a row, counted from 0. */
int64_t sql_int(struct sql *q, int column);
void sql_text(struct sql *q, int column, char *out, size_t size);      /* cut to fit; NULL is "" */
void sql_printable(struct sql *q, int column, char *out, size_t size); /* the same, by brski_printable */
void sql_blob(struct sql *q, int column, struct brski_buf *out);       /* replaces what out has */

/* Releases the statement, whatever happened before. */
BRSKI_CHECKED enum brski_code sql_end(struct sql *q);
/* For statements without rows: to the end, then sql_end. */
BRSKI_CHECKED enum brski_code sql_run(struct sql *q);
/* The same; *changes: how many rows it inserted, updated or deleted, those of triggers not counted; 0 after an error. */
BRSKI_CHECKED enum brski_code sql_run_changes(struct sql *q, uint64_t *changes);

/* Statements without parameters and rows, one after the other: steps of a schema. */
BRSKI_CHECKED enum brski_code sql_script(struct sql_db *db, const char *text, struct brski_error *err);

/* ---- Several statements ---- */

/* No other thread gets between them. Other processes do. */
void sql_lock(struct sql_db *db);
void sql_unlock(struct sql_db *db);

/*
 * All or nothing, and under the write lock from the start: what is read is true until the end. Does
 * not nest. sql_transaction_end is called if and only if the beginning was BRSKI_OK: it keeps the
 * changes if `code` is BRSKI_OK and takes them back otherwise, and returns `code`, or why they could
 * not be kept.
 */
BRSKI_CHECKED enum brski_code sql_transaction_begin(struct sql_db *db, struct brski_error *err);
BRSKI_CHECKED enum brski_code sql_transaction_end(
	struct sql_db *db, enum brski_code code, struct brski_error *err);

/* ---- What is kept ---- */

/*
 * With keep_later a commit is seen by everybody when it returns, and is kept by a thread of the
 * connection's own: keeper.h says how. Without, it is kept when it returns, and so is each mark. A mark
 * covers what this connection has committed, but for what was lazy, and what others have, if it can be
 * seen. None of these blocks but sql_wait_kept. Not within a transaction.
 */
uint64_t sql_mark(struct sql_db *db);
enum brski_kept sql_kept(struct sql_db *db, uint64_t mark, struct brski_error *why);
enum brski_kept sql_wait_kept(struct sql_db *db, uint64_t mark, long ms, struct brski_error *why);
/* As keeper_on_moved. */
void sql_on_kept(struct sql_db *db, void (*moved)(void *ctx), void *ctx);

/* ---- What the database says of itself ---- */

/*
 * SQLite reads what it may not write, and says nothing before it has to. This is an error then;
 * BRSKI_OK while somebody else writes.
 */
BRSKI_CHECKED enum brski_code sql_check_writable(struct sql_db *db, struct brski_error *err);

/* Version of its schema, kept with it; 0: it has none. */
BRSKI_CHECKED enum brski_code sql_version(struct sql_db *db, int *version, struct brski_error *err);
BRSKI_CHECKED enum brski_code sql_set_version(struct sql_db *db, int version, struct brski_error *err);

/*
 * For caches: *out differs from what it was before if another connection has changed anything
 * since, or a statement of this one that was marked by sql_mark_change between its beginning and its
 * end.
 */
BRSKI_CHECKED enum brski_code sql_change_counter(struct sql_db *db, uint64_t *out, struct brski_error *err);
void sql_mark_change(struct sql *q);

#endif
