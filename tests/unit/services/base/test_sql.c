/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "services/base/sql.h"
#include "tests/unit/support/files.h"

/* What every driver of sql.h must do. Each test has a database in a file, since several connections share one. */

#define BUSY_MS 300

static const struct sql_options options = {.create = true, .mode = 0640, .busy_ms = BUSY_MS};
static char dir[64], path[80];
static struct sql_db *db;
static struct brski_error err;

/* What the database calls, to see what it waits for. */
static unsigned syncs;

int fdatasync(int fd)
{
	syncs++;
	return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
	syncs++;
	return (int)syscall(SYS_fsync, fd);
}

static void set_up(void)
{
	temp_make(dir);
	snprintf(path, sizeof(path), "%s/a.db", dir);
	EXPECT(BRSKI_OK, sql_open(path, &options, &db, &err));
	EXPECT(BRSKI_OK, sql_script(db,
				 "CREATE TABLE parent (name TEXT PRIMARY KEY, data BLOB NOT NULL) STRICT;"
				 "CREATE TABLE child (name TEXT NOT NULL REFERENCES parent(name)) STRICT;",
				 &err));
}

static void tear_down(void)
{
	sql_close(db);
	temp_remove(dir);
}

static enum brski_code put(struct sql_db *in, const char *text, const char *name)
{
	struct sql q;

	sql_begin(&q, in, text, &err);
	sql_bind_text(&q, name);
	return sql_run(&q);
}

static enum brski_code put_parent(struct sql_db *in, const char *name)
{
	return put(in, "INSERT INTO parent VALUES (?1, x'')", name);
}

static int64_t number(struct sql_db *in, const char *text)
{
	struct sql q;
	int64_t n;

	sql_begin(&q, in, text, &err);
	ck_assert(sql_row(&q));
	n = sql_int(&q, 0);
	EXPECT(BRSKI_OK, sql_end(&q));
	return n;
}

#define PARENTS "SELECT count(*) FROM parent"

/* ---- Statements ---- */

START_TEST(values_come_back_as_they_were)
{
	static const uint8_t octets[] = {0, 1, 0xff};
	struct brski_buf blob = {0};
	char text[16], printable[16], cut[4];
	struct sql q;

	sql_begin(&q, db, "SELECT ?1, ?2, ?3, ?4, NULL, ?1 + 1", &err);
	sql_bind_int(&q, INT64_C(-9000000000));
	sql_bind_text(&q, "Z\xc3\xbcrich");
	sql_bind_blob(&q, brski_span(octets, sizeof(octets)));
	sql_bind_blob(&q, brski_span(NULL, 0));
	ck_assert(sql_row(&q));
	ck_assert(sql_int(&q, 5) == INT64_C(-8999999999) && sql_int(&q, 0) == INT64_C(-9000000000));
	sql_text(&q, 1, text, sizeof(text));
	ck_assert_str_eq(text, "Z\xc3\xbcrich");
	sql_printable(&q, 1, printable, sizeof(printable));
	ck_assert_str_eq(printable, "Z??rich");
	sql_text(&q, 1, cut, sizeof(cut));
	ck_assert_str_eq(cut, "Z\xc3\xbc");
	sql_text(&q, 4, text, sizeof(text));
	ck_assert_str_eq(text, "");
	sql_blob(&q, 2, &blob);
	ck_assert(brski_span_equal(brski_buf_span(&blob), brski_span(octets, sizeof(octets))));
	sql_blob(&q, 3, &blob);
	ck_assert_uint_eq(blob.len, 0);
	ck_assert(!sql_row(&q));
	EXPECT(BRSKI_OK, sql_end(&q));
	/* an empty value is none that is missing */
	sql_begin(&q, db, "INSERT INTO parent VALUES ('a', ?1)", &err);
	sql_bind_blob(&q, brski_span(NULL, 0));
	EXPECT(BRSKI_OK, sql_run(&q));
	brski_buf_free(&blob);
}
END_TEST

/* EXPECT wipes what a statement has said before its end. */
#define EXPECT_SAID(want, words, call) \
	do { \
		ck_assert_int_eq(call, want); \
		ck_assert_int_eq(err.code, want); \
		ck_assert_msg(strstr(err.why, words) != NULL, "%s", err.why); \
	} while (0)

START_TEST(the_first_error_is_kept)
{
	struct brski_buf blob = {.limit = 4};
	uint64_t changes = 7;
	struct sql q;

	/* in the text */
	sql_begin(&q, db, "SELECT name FROM nowhere", &err);
	sql_bind_text(&q, "a");
	ck_assert(!sql_row(&q));
	EXPECT_SAID(BRSKI_INTERNAL, "database: no such table: nowhere", sql_end(&q));
	/* in a value */
	sql_begin(&q, db, PARENTS, &err);
	sql_bind_int(&q, 1);
	sql_bind_int(&q, 2);
	ck_assert(!sql_row(&q));
	EXPECT_SAID(BRSKI_INTERNAL, "database: ", sql_run_changes(&q, &changes));
	ck_assert(changes == 0);
	/* in what is read */
	sql_begin(&q, db, "SELECT x'0102030405' UNION ALL SELECT x'01'", &err);
	ck_assert(sql_row(&q));
	sql_blob(&q, 0, &blob);
	ck_assert(!sql_row(&q));
	ck_assert_int_ne(sql_end(&q), BRSKI_OK);
	ck_assert_str_eq(err.why, "database: a value does not fit into memory");
	/* nobody wants to know why */
	sql_begin(&q, db, "SELECT name FROM nowhere", NULL);
	ck_assert_int_eq(sql_run(&q), BRSKI_INTERNAL);
	EXPECT(BRSKI_OK, put_parent(db, "a"));
	brski_buf_free(&blob);
}
END_TEST

START_TEST(constraints_have_one_code)
{
	EXPECT(BRSKI_OK, put_parent(db, "a"));
	EXPECT_SAID(BRSKI_UNEXPECTED, "database: UNIQUE", put_parent(db, "a"));
	EXPECT_SAID(BRSKI_UNEXPECTED, "database: FOREIGN KEY", put(db, "INSERT INTO child VALUES (?1)", "b"));
	EXPECT_SAID(BRSKI_UNEXPECTED, "database: NOT NULL",
		put(db, "INSERT INTO child VALUES (nullif(?1, ''))", ""));
	EXPECT_SAID(BRSKI_UNEXPECTED, "database: cannot store TEXT",
		put(db, "INSERT INTO parent VALUES ('b', ?1)", "b"));
	EXPECT(BRSKI_OK, put(db, "INSERT INTO child VALUES (?1)", "a"));
	EXPECT_SAID(BRSKI_UNEXPECTED, "database: FOREIGN KEY",
		put(db, "DELETE FROM parent WHERE name = ?1", "a"));
	ck_assert_int_eq(number(db, PARENTS), 1);
}
END_TEST

START_TEST(changes_are_counted)
{
	uint64_t changes;
	struct sql q;

	EXPECT(BRSKI_OK, put_parent(db, "a"));
	EXPECT(BRSKI_OK, put_parent(db, "b"));
	sql_begin(&q, db, "UPDATE parent SET data = x'01'", &err);
	EXPECT(BRSKI_OK, sql_run_changes(&q, &changes));
	ck_assert_uint_eq(changes, 2);
	sql_begin(&q, db, "DELETE FROM parent WHERE name = 'c'", &err);
	EXPECT(BRSKI_OK, sql_run_changes(&q, &changes));
	ck_assert_uint_eq(changes, 0);
}
END_TEST

static unsigned syncs_of(bool lazy, const char *name)
{
	unsigned before = syncs;
	struct sql q;

	(lazy ? sql_begin_lazy : sql_begin)(&q, db, "INSERT INTO parent VALUES (?1, x'')", &err);
	sql_bind_text(&q, name);
	EXPECT(BRSKI_OK, sql_run(&q));
	return syncs - before;
}

START_TEST(the_disk_is_waited_for_unless_a_statement_is_lazy)
{
	unsigned before;

	ck_assert_uint_gt(syncs_of(false, "a"), 0);
	ck_assert_uint_eq(syncs_of(true, "b"), 0);
	ck_assert_uint_gt(syncs_of(false, "c"), 0);
	ck_assert_uint_eq(syncs_of(true, "d"), 0);
	before = syncs;
	EXPECT(BRSKI_OK, sql_script(db, "INSERT INTO parent VALUES ('e', x'')", &err));
	ck_assert_uint_gt(syncs - before, 0);
	/* a transaction is kept whole, also after a lazy statement and with one in it */
	ck_assert_uint_eq(syncs_of(true, "f"), 0);
	before = syncs;
	EXPECT(BRSKI_OK, sql_transaction_begin(db, &err));
	(void)syncs_of(true, "g");
	EXPECT(BRSKI_OK, sql_transaction_end(db, BRSKI_OK, &err));
	ck_assert_uint_gt(syncs - before, 0);
}
END_TEST

/* ---- Several statements ---- */

START_TEST(a_transaction_is_all_or_nothing)
{
	EXPECT(BRSKI_OK, sql_transaction_begin(db, &err));
	EXPECT(BRSKI_OK, put_parent(db, "a"));
	ck_assert_int_eq(sql_transaction_end(db, BRSKI_MISMATCH, &err), BRSKI_MISMATCH);
	ck_assert_int_eq(number(db, PARENTS), 0);
	EXPECT(BRSKI_OK, sql_transaction_begin(db, &err));
	EXPECT(BRSKI_OK, put_parent(db, "a"));
	EXPECT(BRSKI_OK, put_parent(db, "b"));
	EXPECT(BRSKI_OK, sql_transaction_end(db, BRSKI_OK, &err));
	ck_assert_int_eq(number(db, PARENTS), 2);
	/* it does not nest, and who tries does not end the outer one */
	EXPECT(BRSKI_OK, sql_transaction_begin(db, &err));
	EXPECT(BRSKI_INTERNAL, sql_transaction_begin(db, &err));
	EXPECT(BRSKI_OK, put_parent(db, "c"));
	EXPECT(BRSKI_OK, sql_transaction_end(db, BRSKI_OK, &err));
	ck_assert_int_eq(number(db, PARENTS), 3);
}
END_TEST

static atomic_bool got_in;

static void *from_elsewhere(void *arg)
{
	struct brski_error why;
	struct sql q;

	(void)arg;
	sql_begin(&q, db, "INSERT INTO parent VALUES ('late', x'')", &why);
	atomic_store(&got_in, true);
	ck_assert_int_eq(sql_run(&q), BRSKI_OK);
	return NULL;
}

START_TEST(a_row_may_ask_again_and_other_threads_wait)
{
	static const struct timespec moment = {.tv_nsec = 50000000};
	pthread_t thread;
	struct sql q;

	EXPECT(BRSKI_OK, put_parent(db, "a"));
	sql_lock(db);
	sql_lock(db);
	ck_assert_int_eq(pthread_create(&thread, NULL, from_elsewhere, NULL), 0);
	sql_begin(&q, db, "SELECT name FROM parent", &err);
	while (sql_row(&q))
		ck_assert_int_eq(number(db, PARENTS), 1);
	sql_unlock(db);
	EXPECT(BRSKI_OK, sql_end(&q));
	nanosleep(&moment, NULL);
	ck_assert(!atomic_load(&got_in));
	sql_unlock(db);
	pthread_join(thread, NULL);
	ck_assert_int_eq(number(db, PARENTS), 2);
}
END_TEST

/* ---- Several connections ---- */

static uint64_t counter(struct sql_db *of)
{
	uint64_t n;

	EXPECT(BRSKI_OK, sql_change_counter(of, &n, &err));
	return n;
}

START_TEST(the_counter_tells_of_changes_elsewhere_and_of_those_marked)
{
	struct sql_db *other;
	struct sql q;
	uint64_t before = counter(db);

	EXPECT(BRSKI_OK, sql_open(path, &options, &other, &err));
	ck_assert(counter(db) == before);
	EXPECT(BRSKI_OK, put_parent(db, "a")); /* not marked */
	ck_assert(counter(db) == before);
	EXPECT(BRSKI_OK, put_parent(other, "b"));
	ck_assert(counter(db) != before);
	before = counter(db);
	sql_begin(&q, db, "DELETE FROM parent", &err);
	sql_mark_change(&q);
	EXPECT(BRSKI_OK, sql_run(&q));
	ck_assert(counter(db) != before);
	sql_close(other);
}
END_TEST

static long milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

START_TEST(a_lock_that_somebody_sits_on_is_not_waited_for_long)
{
	struct sql_db *other;
	long began;

	EXPECT(BRSKI_OK, sql_open(path, &options, &other, &err));
	EXPECT(BRSKI_OK, sql_transaction_begin(other, &err));
	EXPECT(BRSKI_OK, put_parent(other, "a"));
	began = milliseconds();
	ck_assert_int_eq(put_parent(db, "b"), BRSKI_UNAVAILABLE);
	ck_assert_str_eq(err.why, "database: database is locked");
	EXPECT(BRSKI_UNAVAILABLE, sql_transaction_begin(db, &err));
	ck_assert_int_le(milliseconds() - began, 2 * BUSY_MS + 2000);
	ck_assert_int_ge(milliseconds() - began, 2 * BUSY_MS - 100);
	ck_assert_int_eq(number(db, PARENTS), 0); /* who reads does not wait */
	EXPECT(BRSKI_OK, sql_transaction_end(other, BRSKI_OK, &err));
	EXPECT(BRSKI_OK, put_parent(db, "b"));
	sql_close(other);
}
END_TEST

static struct sql_options patient = {.create = true, .mode = 0640, .busy_ms = 60000};

static void *put_late(void *arg)
{
	struct brski_error why;
	struct sql q;

	sql_begin(&q, arg, "INSERT INTO parent VALUES ('late', x'')", &why);
	atomic_store(&got_in, true);
	ck_assert_int_eq(sql_run(&q), BRSKI_OK);
	return NULL;
}

static void *put_late_in_a_transaction(void *arg)
{
	struct brski_error why;

	atomic_store(&got_in, true);
	ck_assert_int_eq(sql_transaction_begin(arg, &why), BRSKI_OK);
	ck_assert_int_eq(put_parent(arg, "later"), BRSKI_OK);
	ck_assert_int_eq(sql_transaction_end(arg, BRSKI_OK, &why), BRSKI_OK);
	return NULL;
}

/* Another process has the write lock: who waits for it keeps no other thread from reading, or waiting, too. */
START_TEST(a_lock_that_somebody_sits_on_is_not_waited_for_with_ours)
{
	static const struct timespec moment = {.tv_nsec = 5000000};
	struct sql_db *of_all, *other;
	pthread_t threads[2];

	EXPECT(BRSKI_OK, sql_open(path, &patient, &of_all, &err));
	EXPECT(BRSKI_OK, sql_open(path, &options, &other, &err));
	EXPECT(BRSKI_OK, sql_transaction_begin(other, &err));
	EXPECT(BRSKI_OK, put_parent(other, "a"));
	ck_assert_int_eq(pthread_create(&threads[0], NULL, put_late, of_all), 0);
	while (!atomic_exchange(&got_in, false))
		nanosleep(&moment, NULL);
	ck_assert_int_eq(pthread_create(&threads[1], NULL, put_late_in_a_transaction, of_all), 0);
	while (!atomic_load(&got_in))
		nanosleep(&moment, NULL);
	for (int i = 0; i < 20; i++) {
		nanosleep(&moment, NULL);
		ck_assert_int_eq(number(of_all, PARENTS), 0);
	}
	EXPECT(BRSKI_OK, sql_transaction_end(other, BRSKI_OK, &err));
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	ck_assert_int_eq(number(of_all, PARENTS), 3);
	sql_close(of_all);
	sql_close(other);
}
END_TEST

/* ---- Opening ---- */

START_TEST(a_new_file_has_the_mode_that_was_asked_for)
{
	struct sql_options with = {.create = true, .mode = 0640};
	struct stat st;
	struct sql_db *other;
	char name[96];

	for (int i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "%s/%d.db", dir, i);
		umask(i == 0 ? 0 : 077);
		if (geteuid() == 0)
			ck_assert_int_eq(chown(dir, (uid_t)(i * 65534), (gid_t)(i * 65534)), 0);
		EXPECT(BRSKI_OK, sql_open(name, &with, &other, &err));
		EXPECT(BRSKI_OK, sql_script(other, "CREATE TABLE t (n INTEGER)", &err));
		for (int k = 0; k < 2; k++) {
			if (k == 1)
				strcat(name, "-wal");
			ck_assert_int_eq(stat(name, &st), 0);
			ck_assert_uint_eq(st.st_mode & 0777, 0640);
			if (geteuid() == 0)
				ck_assert_uint_eq(st.st_uid, (uid_t)(i * 65534));
		}
		sql_close(other);
	}
}
END_TEST

START_TEST(what_cannot_be_opened_says_so)
{
	static const struct sql_options there = {.create = false};
	struct sql_db *other;
	char name[96];

	snprintf(name, sizeof(name), "%s/none.db", dir);
	EXPECT_WHY(BRSKI_NOT_FOUND, "unable to open", sql_open(name, &there, &other, &err));
	ck_assert_ptr_null(other);
	ck_assert_int_ne(access(name, F_OK), 0);
	snprintf(name, sizeof(name), "%s/none/none.db", dir);
	EXPECT_WHY(BRSKI_UNAVAILABLE, "unable to open", sql_open(name, &options, &other, &err));
	ck_assert_ptr_null(other);
	/* a file that is no database: the first statement says so, and each after it */
	snprintf(name, sizeof(name), "%s/letter", dir);
	file_write(name, brski_span_str("this is a letter to my aunt, and no database at all"));
	EXPECT(BRSKI_OK, sql_open(name, &there, &other, &err));
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(put_parent(other, "a"), BRSKI_INTERNAL);
		ck_assert_str_eq(err.why, "database: file is not a database");
	}
	sql_close(other);
	sql_close(NULL);
}
END_TEST

START_TEST(a_database_may_live_in_memory)
{
	struct sql_db *one, *two;

	EXPECT(BRSKI_OK, sql_open(":memory:", &options, &one, &err));
	EXPECT(BRSKI_OK, sql_open(":memory:", &options, &two, &err));
	EXPECT(BRSKI_OK, sql_script(one, "CREATE TABLE t (n INTEGER)", &err));
	EXPECT(BRSKI_OK, sql_script(two, "CREATE TABLE t (n INTEGER)", &err));
	ck_assert_int_ne(access(":memory:", F_OK), 0);
	sql_close(one);
	sql_close(two);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {values_come_back_as_they_were, the_first_error_is_kept,
		constraints_have_one_code, changes_are_counted,
		the_disk_is_waited_for_unless_a_statement_is_lazy, a_transaction_is_all_or_nothing,
		a_row_may_ask_again_and_other_threads_wait,
		the_counter_tells_of_changes_elsewhere_and_of_those_marked,
		a_lock_that_somebody_sits_on_is_not_waited_for_long,
		a_lock_that_somebody_sits_on_is_not_waited_for_with_ours,
		a_new_file_has_the_mode_that_was_asked_for, what_cannot_be_opened_says_so,
		a_database_may_live_in_memory};

	return run_tests("sql", set_up, tear_down, tests, sizeof(tests) / sizeof(tests[0]));
}
