/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BASE_SQL_MIGRATE_H
#define BRSKI_SERVICES_BASE_SQL_MIGRATE_H

#include "services/base/sql.h"

/*
 * A store's tables, as one step from each version of the schema to the next. A step that has been
 * released is never changed: what comes later is another step.
 */
struct sql_schema {
	const char *const *steps; /* steps[n] takes a database of version n to n + 1 */
	int version;              /* number of steps: what this program works with */
};

/*
 * Brings a database, a new one too, to schema->version: all of what has been added since its own
 * version, or nothing. Two processes may come here at once: the write lock lets one do it, and the
 * other finds it done. *found: the version that the database had. BRSKI_UNSUPPORTED: it is newer
 * than the program; the rest as in sql.h.
 */
BRSKI_CHECKED enum brski_code sql_migrate(
	struct sql_db *db, const struct sql_schema *schema, int *found, struct brski_error *err);

/*
 * A daemon's own store: opened, made if there is none (mode 0600), and migrated. Its management
 * commands, which come beside it, wait up to five seconds for its changes, and it for theirs. *out
 * is to be closed with sql_close.
 */
BRSKI_CHECKED enum brski_code sql_open_store(
	const char *database, const struct sql_schema *schema, struct sql_db **out, struct brski_error *err);

#endif
