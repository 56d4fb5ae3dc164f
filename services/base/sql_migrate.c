/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/base/sql_migrate.h"

#define BUSY_MS 5000

static enum brski_code take_steps(
	struct sql_db *db, const struct sql_schema *schema, int from, struct brski_error *err)
{
	enum brski_code code = BRSKI_OK;

	for (int version = from; code == BRSKI_OK && version < schema->version; version++)
		code = sql_script(db, schema->steps[version], err);
	return code == BRSKI_OK ? sql_set_version(db, schema->version, err) : code;
}

enum brski_code sql_migrate(
	struct sql_db *db, const struct sql_schema *schema, int *found, struct brski_error *err)
{
	enum brski_code code;

	*found = 0;
	code = sql_transaction_begin(db, err);
	if (code != BRSKI_OK)
		return code;
	code = sql_version(db, found, err);
	if (code == BRSKI_OK && (*found < 0 || *found > schema->version))
		code = brski_fail(err, BRSKI_UNSUPPORTED,
			"the database is of version %d, this program knows %d", *found, schema->version);
	if (code == BRSKI_OK && *found < schema->version)
		code = take_steps(db, schema, *found, err);
	return sql_transaction_end(db, code, err);
}

enum brski_code sql_open_store(
	const char *database, const struct sql_schema *schema, struct sql_db **out, struct brski_error *err)
{
	static const struct sql_options options = {.create = true, .mode = 0600, .busy_ms = BUSY_MS};
	int found;
	enum brski_code code = sql_open(database, &options, out, err);

	if (code != BRSKI_OK) {
		brski_fail_context(err, code, "cannot open %s", database);
		return code;
	}
	code = sql_migrate(*out, schema, &found, err);
	if (code == BRSKI_OK)
		code = sql_check_writable(*out, err);
	if (code != BRSKI_OK) {
		sql_close(*out);
		*out = NULL;
	}
	return code;
}
