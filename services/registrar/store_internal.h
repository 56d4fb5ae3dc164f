/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_STORE_INTERNAL_H
#define BRSKI_SERVICES_REGISTRAR_STORE_INTERNAL_H

#include <pthread.h>

#include <sqlite3.h>

#include "services/registrar/store.h"

/* Private to store*.c: one connection, one statement at a time, under one lock. */
struct brski_store {
	sqlite3 *db;
	pthread_mutex_t lock; /* recursive: a row's callback may ask the store again */
	uint32_t own_changes; /* data_version does not count this connection's own */
	bool lazy;            /* synchronous=NORMAL now, see sql_begin_lazy */
};

/*
 * store_schema.c: the version of the schema that this program works with, and the statements that
 * take a database of version `from` to the next one.
 */
extern const int brski_schema_version;
const char *brski_schema_step(int from);

/*
 * A statement in use. sql_begin takes the lock, sql_end gives it back whatever happened between.
 * The first error of any of these is kept and returned by sql_end, so that callers check once.
 */
struct sql {
	struct brski_store *store;
	sqlite3_stmt *stmt;
	enum brski_code code;
	struct brski_error *err;
	int next; /* number of the next parameter to bind */
};

void sql_begin(struct sql *q, struct brski_store *store, const char *text, struct brski_error *err);
/*
 * For what may be lost in a power failure, and only then: a change that is not waited for until the
 * disk has it. It is never out of order, as the next change that is waited for takes it along.
 */
void sql_begin_lazy(struct sql *q, struct brski_store *store, const char *text, struct brski_error *err);
void sql_bind_text(struct sql *q, const char *value);
void sql_bind_int(struct sql *q, int64_t value);
void sql_bind_blob(struct sql *q, struct brski_span value);
bool sql_row(struct sql *q); /* false at the end, and after any error */
enum brski_code sql_end(struct sql *q);
/* For statements without rows: steps to the end, then sql_end. */
enum brski_code sql_run(struct sql *q);
int sql_changes(const struct sql *q);

void sql_copy_text(struct sql *q, int column, char *out, size_t size);
void sql_copy_blob(struct sql *q, int column, struct brski_buf *out);
int64_t sql_int(struct sql *q, int column);

#endif
