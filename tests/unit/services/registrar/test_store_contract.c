/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <stdio.h>

#include "services/base/sql.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/store_contract.h"

/* SQLite, in a file. */

static char folder[64], path[96];
static struct brski_error err;

static bool keep_later;

static struct brski_store *open_store(bool create)
{
	const struct brski_store_options options = {.create = create, .keep_later = keep_later};
	struct brski_store *store;

	EXPECT(BRSKI_OK, brski_store_open_with(path, &options, &store, &err));
	return store;
}

static struct brski_store *make(void)
{
	temp_make(folder);
	snprintf(path, sizeof(path), "%s/registrar.db", folder);
	return open_store(true);
}

static struct brski_store *another(void)
{
	return open_store(false);
}

static void spoil(void)
{
	static const struct sql_options options = {.busy_ms = 1000};
	struct sql_db *db;

	EXPECT(BRSKI_OK, sql_open(path, &options, &db, &err));
	EXPECT(BRSKI_OK,
		sql_script(db,
			"DROP TABLE note; DROP TABLE job; DROP TABLE event; DROP TABLE voucher_ahead;"
			"DROP TABLE type_rule; DROP TABLE candidate; DROP TABLE device;"
			"DROP TABLE manufacturer; DROP TABLE permission",
			&err));
	sql_close(db);
}

static void remove_store(void)
{
	temp_remove(folder);
}

int main(void)
{
	static const struct store_driver sqlite = {make, another, spoil, remove_store};

	int at_once = store_contract("store_contract, SQLite", &sqlite);

	keep_later = true;
	return store_contract("store_contract, SQLite that keeps later", &sqlite) | at_once;
}
