/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BASE_SQL_SQLITE_INTERNAL_H
#define BRSKI_SERVICES_BASE_SQL_SQLITE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include <sqlite3.h>

#include "eap_brski/ground/log_limit.h"
#include "services/base/keeper.h"
#include "services/base/run_as.h"
#include "services/base/sql.h"

/* Private to sql_sqlite*.c. */

struct sql_reader {
	sqlite3 *sqlite;   /* NULL: not opened yet */
	const void *owner; /* the thread that has it, see sql_thread; NULL: it is free */
	unsigned depth;    /* its statements */
};

struct sql_readers {
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t freed;
	struct sql_reader reader[SQL_READERS_MAX];
	unsigned most;
};

struct sql_keep {
	struct keeper
		*_Atomic keeper; /* NULL: each commit is kept when it returns, or nothing was done yet */
	sqlite3 *sqlite;         /* its connection; NULL: not opened yet */
	atomic_int pages;        /* of the write-ahead log, as of the last commit */
	atomic_int tidy_at;      /* so many of them are too many */
	atomic_int pause_at;     /* so many, and writers are faster than the disk */
	atomic_bool pause;       /* nobody begins to write: the log is to begin anew */
	int64_t others;          /* data_version when others' changes were last looked for */
	struct brski_log_limit log_limit;
};

struct sql_db {
	sqlite3 *sqlite; /* the connection that writes */
	struct sql_options options;
	char *path;
	pthread_mutex_t lock;              /* recursive: a transaction has it around its statements */
	unsigned depth;                    /* how often its owner has it */
	struct run_as who;                 /* whose rights on files count, while somebody works */
	_Atomic(const void *) transaction; /* the thread that has one open */
	atomic_bool ready;                 /* see sql_get_ready */
	bool wal;                          /* then; else it is in memory alone */
	bool lazy;                         /* synchronous=NORMAL now, see sql_begin_lazy */
	bool to_undo;                      /* a transaction that failed is open, see undo */
	uint32_t own_changes;              /* data_version does not count this connection's own */
	struct sql_readers readers;
	struct sql_keep keep;
};

/* ---- sql_sqlite.c ---- */

enum brski_code sql_code_of(int rc);
/*
 * Statements without parameters, their rows passed over, with the lock. Each waits for other processes as
 * any statement does.
 */
BRSKI_CHECKED enum brski_code sql_execute(struct sql_db *db, const char *text, struct brski_error *err);
/* The lock, if nobody else has it. */
bool sql_try_lock(struct sql_db *db);
/* Names the calling thread, as long as it lives. */
const void *sql_thread(void);

/* ---- sql_sqlite_open.c ---- */

/* rc is what that connection of it said last, NULL if there was no memory for it. */
enum brski_code sql_fail(struct sql_db *db, sqlite3 *sqlite, int rc, struct brski_error *err);

/* With the lock, before the first statement of all. */
BRSKI_CHECKED enum brski_code sql_get_ready(struct sql_db *db, struct brski_error *err);
/* One more to the same file. The words are as of any statement. */
BRSKI_CHECKED enum brski_code sql_connect(
	struct sql_db *db, const char *pragmas, sqlite3 **out, struct brski_error *err);
/* The calling thread has the rights on files of the folder's owner. They nest. */
void sql_rights_begin(const struct sql_db *db);
void sql_rights_end(const struct sql_db *db);

/* ---- sql_sqlite_readers.c ---- */

void sql_readers_init(struct sql_db *db);
void sql_readers_close(struct sql_db *db);
/* One that nobody else has; the one that this thread has already. To be given back. */
BRSKI_CHECKED enum brski_code sql_reader_take(
	struct sql_db *db, struct sql_reader **out, struct brski_error *err);
void sql_reader_give_back(struct sql_db *db, struct sql_reader *reader);

/* ---- sql_sqlite_keep.c ---- */

/* With the lock, when the connection that writes is ready. */
BRSKI_CHECKED enum brski_code sql_keep_start(struct sql_db *db, struct brski_error *err);
/* Without the lock. */
void sql_keep_stop(struct sql_db *db);
/* Around what changes something, with the lock. */
void sql_keep_begin(struct sql_db *db);
void sql_keep_end(struct sql_db *db);

#endif
