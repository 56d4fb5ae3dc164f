/* SPDX-License-Identifier: BSD-3-Clause */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "services/base/sql_migrate.h"
#include "tests/unit/support/files.h"

static const struct sql_options options = {.create = true, .mode = 0600, .busy_ms = 5000};
static const char *const steps[] = {
	"CREATE TABLE one (n INTEGER); INSERT INTO one VALUES (1);",
	"CREATE TABLE two (n INTEGER); INSERT INTO two SELECT n FROM one;",
	"CREATE TABLE three (n INTEGER); INSERT INTO three SELECT n FROM two;",
};
static char dir[64], path[80];
static struct sql_db *db;
static struct brski_error err;
static int found;

static void set_up(void)
{
	temp_make(dir);
	snprintf(path, sizeof(path), "%s/a.db", dir);
	EXPECT(BRSKI_OK, sql_open(path, &options, &db, &err));
}

static void tear_down(void)
{
	sql_close(db);
	temp_remove(dir);
}

static struct sql_schema up_to(int version)
{
	return (struct sql_schema){.steps = steps, .version = version};
}

static enum brski_code migrate(struct sql_db *which, int version)
{
	struct sql_schema schema = up_to(version);

	return sql_migrate(which, &schema, &found, &err);
}

static int version_of(struct sql_db *which)
{
	int version;

	EXPECT(BRSKI_OK, sql_version(which, &version, &err));
	return version;
}

static bool has(const char *table)
{
	char text[64];
	struct sql q;

	snprintf(text, sizeof(text), "SELECT n FROM %s", table);
	sql_begin(&q, db, text, NULL);
	return sql_run(&q) == BRSKI_OK;
}

START_TEST(each_version_gets_what_it_lacks)
{
	EXPECT(BRSKI_OK, migrate(db, 1));
	ck_assert(found == 0 && version_of(db) == 1 && has("one") && !has("two"));
	EXPECT(BRSKI_OK, migrate(db, 3));
	ck_assert(found == 1 && version_of(db) == 3 && has("two") && has("three"));
	/* steps that have been taken are not taken again */
	EXPECT(BRSKI_OK, migrate(db, 3));
	ck_assert(found == 3 && version_of(db) == 3);
}
END_TEST

START_TEST(a_step_that_fails_leaves_the_old_version)
{
	static const char *const bad[] = {
		"", "CREATE TABLE two (n INTEGER)", "CREATE TABLE three (n INTEGER); SELECT nonsense;"};
	static const struct sql_schema schema = {.steps = bad, .version = 3};

	EXPECT(BRSKI_OK, migrate(db, 1));
	EXPECT_WHY(BRSKI_INTERNAL, "nonsense", sql_migrate(db, &schema, &found, &err));
	ck_assert(version_of(db) == 1 && has("one") && !has("two") && !has("three"));
	EXPECT(BRSKI_OK, migrate(db, 3));
	ck_assert(has("three"));
}
END_TEST

/* Killed between two steps, and when all has been done but kept. */
START_TEST(a_process_that_dies_leaves_the_old_version)
{
	int status;
	pid_t child;

	EXPECT(BRSKI_OK, migrate(db, 1));
	sql_close(db);
	for (int done = 2; done <= 3; done++) {
		child = fork();
		if (child == 0) {
			if (sql_open(path, &options, &db, &err) == BRSKI_OK &&
				sql_transaction_begin(db, &err) == BRSKI_OK &&
				sql_script(db, steps[1], &err) == BRSKI_OK &&
				(done == 2 || (sql_script(db, steps[2], &err) == BRSKI_OK &&
						      sql_set_version(db, 3, &err) == BRSKI_OK)))
				raise(SIGKILL);
			_exit(1);
		}
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert(WIFSIGNALED(status));
		EXPECT(BRSKI_OK, sql_open(path, &options, &db, &err));
		ck_assert(version_of(db) == 1 && has("one") && !has("two"));
		if (done == 2)
			sql_close(db);
	}
	EXPECT(BRSKI_OK, migrate(db, 3));
	ck_assert(found == 1 && has("three"));
}
END_TEST

START_TEST(a_newer_database_is_refused_and_left_alone)
{
	EXPECT(BRSKI_OK, migrate(db, 3));
	EXPECT_WHY(BRSKI_UNSUPPORTED, "the database is of version 3, this program knows 2", migrate(db, 2));
	ck_assert_int_eq(found, 3);
	ck_assert_int_eq(version_of(db), 3);
	/* the lock is free again */
	EXPECT(BRSKI_OK, sql_set_version(db, -1, &err));
	EXPECT(BRSKI_UNSUPPORTED, migrate(db, 3));
	ck_assert_int_eq(found, -1);
}
END_TEST

/* Of some that come at once, one makes the tables, and the others find them. */
START_TEST(several_may_come_at_once)
{
	pid_t children[4];
	int status;

	sql_close(db);
	for (int i = 0; i < 4; i++) {
		children[i] = fork();
		if (children[i] == 0)
			_exit(sql_open(path, &options, &db, &err) != BRSKI_OK || migrate(db, 3) != BRSKI_OK);
	}
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
		ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	EXPECT(BRSKI_OK, sql_open(path, &options, &db, &err));
	ck_assert(version_of(db) == 3 && has("three"));
}
END_TEST

START_TEST(who_holds_the_lock_is_not_waited_for_without_end)
{
	struct sql_options hasty = options;
	struct sql_db *other;

	hasty.busy_ms = 100;
	EXPECT(BRSKI_OK, migrate(db, 1));
	EXPECT(BRSKI_OK, sql_open(path, &hasty, &other, &err));
	EXPECT(BRSKI_OK, sql_transaction_begin(db, &err));
	EXPECT(BRSKI_UNAVAILABLE, migrate(other, 3));
	EXPECT(BRSKI_OK, sql_transaction_end(db, BRSKI_OK, &err));
	EXPECT(BRSKI_OK, migrate(other, 3));
	sql_close(other);
}
END_TEST

START_TEST(a_daemons_store_is_its_own)
{
	struct sql_schema schema = up_to(3);
	struct sql_db *store;
	struct stat st;
	char name[96];

	snprintf(name, sizeof(name), "%s/store.db", dir);
	EXPECT(BRSKI_OK, sql_open_store(name, &schema, &store, &err));
	ck_assert_int_eq(version_of(store), 3);
	ck_assert_int_eq(stat(name, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	sql_close(store);
	schema.version = 2;
	EXPECT(BRSKI_UNSUPPORTED, sql_open_store(name, &schema, &store, &err));
	ck_assert_ptr_null(store);
	ck_assert_str_eq(err.why, "the database is of version 3, this program knows 2");
	snprintf(name, sizeof(name), "%s/none/store.db", dir);
	EXPECT_WHY(BRSKI_UNAVAILABLE, "cannot open /", sql_open_store(name, &schema, &store, &err));
	ck_assert_ptr_null(store);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {each_version_gets_what_it_lacks,
		a_step_that_fails_leaves_the_old_version, a_process_that_dies_leaves_the_old_version,
		a_newer_database_is_refused_and_left_alone, several_may_come_at_once,
		who_holds_the_lock_is_not_waited_for_without_end, a_daemons_store_is_its_own};

	return run_tests("sql_migrate", set_up, tear_down, tests, sizeof(tests) / sizeof(tests[0]));
}
