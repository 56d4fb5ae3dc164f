/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include <check.h>
#include <sqlite3.h>

#include "services/registrar/memory.h"
#include "tests/unit/support/files.h"

static char folder[64], path[128];
static struct brski_store *store;
static unsigned n_lines;

static void count_line(void *ctx, enum brski_level level, const char *line)
{
	(void)ctx;
	(void)level;
	ck_assert_ptr_nonnull(strstr(line, "history is incomplete"));
	n_lines++;
}

static const struct brski_env env = {.log = count_line};

static void setup(void)
{
	struct brski_error err;

	temp_make(folder);
	snprintf(path, sizeof(path), "%s/store.db", folder);
	EXPECT(BRSKI_OK, brski_store_open(path, true, &store, &err));
}

static void teardown(void)
{
	brski_store_close(store);
	temp_remove(folder);
}

/* A disk in trouble fails each device's events: the log is not filled with them. */
START_TEST(an_incomplete_history_is_told_once)
{
	struct brski_memory memory = {.store = store, .env = &env};
	sqlite3 *other;

	brski_memory_event(&memory, NULL, "peer", true, "all is well");
	ck_assert_uint_eq(n_lines, 0);
	ck_assert_int_eq(sqlite3_open(path, &other), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(other, "DROP TABLE event", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
	for (int i = 0; i < 100; i++)
		brski_memory_event(&memory, NULL, "peer", true, "nobody will read this");
	ck_assert_uint_eq(n_lines, 1);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {an_incomplete_history_is_told_once};

	return run_tests("memory", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
