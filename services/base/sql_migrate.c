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

static enum brski_code check_version(const struct sql_schema *schema, int found, struct brski_error *err)
{
	if (found >= 0 && found <= schema->version)
		return BRSKI_OK;
	return brski_fail(err, BRSKI_UNSUPPORTED, "the database is of version %d, this program knows %d",
		found, schema->version);
}

static enum brski_code bring_up(
	struct sql_db *db, const struct sql_schema *schema, int *found, struct brski_error *err)
{
	enum brski_code code = sql_transaction_begin(db, err);

	if (code != BRSKI_OK)
		return code;
	code = sql_version(db, found, err); /* another program may have done it meanwhile */
	if (code == BRSKI_OK)
		code = check_version(schema, *found, err);
	if (code == BRSKI_OK && *found < schema->version)
		code = take_steps(db, schema, *found, err);
	return sql_transaction_end(db, code, err);
}

/* What is there already is not waited for: a program starts, though another one sits on the write lock. */
enum brski_code sql_migrate(
	struct sql_db *db, const struct sql_schema *schema, int *found, struct brski_error *err)
{
	enum brski_code code = sql_version(db, found, err);

	if (code == BRSKI_OK)
		code = check_version(schema, *found, err);
	return code == BRSKI_OK && *found < schema->version ? bring_up(db, schema, found, err) : code;
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
