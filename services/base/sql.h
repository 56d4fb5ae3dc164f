/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BASE_SQL_H
#define BRSKI_SERVICES_BASE_SQL_H

#include <sqlite3.h>

#include "eap_brski/ground/bytes.h"

/*
 * SQLite for the stores: what is committed is on the disk (WAL, synchronous=FULL), foreign keys
 * hold, a second process (the management commands beside the daemon) waits up to five seconds.
 * ":memory:" works too.
 */
BRSKI_CHECKED enum brski_code sql_open(
	const char *path, const char *schema, int version, sqlite3 **out, struct brski_error *err);

/*
 * A statement in use. The first mistake is kept, and what follows does nothing, so that one check
 * at the end is enough.
 */
struct sql {
	sqlite3 *db;
	sqlite3_stmt *stmt;
	int bound;
	int column;
	int status; /* SQLITE_OK, SQLITE_ROW, SQLITE_DONE, or an error */
};

struct sql sql_start(sqlite3 *db, const char *text);
/* Parameters, in order. Octets and texts are copied. */
void sql_bind_int(struct sql *q, long long value);
void sql_bind_text(struct sql *q, const char *value);
void sql_bind_span(struct sql *q, struct brski_span value); /* len 0 is an empty blob, not NULL */
/* True: there is a row, to be read column by column. */
bool sql_row(struct sql *q);
long long sql_int(struct sql *q);
void sql_text(struct sql *q, char *out, size_t size);
void sql_buf(struct sql *q, struct brski_buf *out);
/* Runs to the end if no row was asked for, and releases the statement. BRSKI_INTERNAL with SQLite's words. */
BRSKI_CHECKED enum brski_code sql_end(struct sql *q, struct brski_error *err);

#endif
