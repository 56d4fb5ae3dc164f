/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/base/sql.h"
#include "tests/unit/support/files.h"

/*
 * Commits that are kept later. The disk is one of our own: it can be stopped, it can fail, and it knows
 * what it would have if the power failed now.
 */

static const struct sql_options later = {
	.create = true, .mode = 0640, .busy_ms = 2000, .keep_later = true, .readers = SQL_READERS_MAX};
static const struct sql_options at_once = {.create = true, .mode = 0640, .busy_ms = 2000};
static char dir[64], path[80];
static struct sql_db *db;
static struct brski_error err;

/* ---- The disk ---- */

struct image { /* a file as the disk has it */
	char *data;
	size_t len;
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stopped;     /* a sync waits until it is not */
	bool fails;       /* then a sync says so, and has not kept anything */
	unsigned waiting; /* in one */
	unsigned syncs;   /* of files that went well */
	bool named;       /* the folder was synced since the log was there */
	struct image database, log;
} disk = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void take_image(int fd, struct image *out)
{
	struct stat st;
	ssize_t n;

	ck_assert_int_eq(fstat(fd, &st), 0);
	free(out->data);
	out->data = malloc((size_t)st.st_size + 1);
	ck_assert_ptr_nonnull(out->data);
	n = pread(fd, out->data, (size_t)st.st_size, 0);
	ck_assert_int_ge(n, 0);
	out->len = (size_t)n;
}

static void keep(int fd, const char *name)
{
	char log[96];

	snprintf(log, sizeof(log), "%s-wal", path);
	if (strcmp(name, path) == 0)
		take_image(fd, &disk.database);
	else if (strcmp(name, log) == 0)
		take_image(fd, &disk.log);
	else if (access(log, F_OK) == 0)
		disk.named = true;
	disk.syncs++;
}

static _Thread_local bool is_writer; /* one that never waits for the disk */

/* What was written before it began is kept. */
static bool disk_keeps(int fd, const char *name)
{
	bool keeps;

	ck_assert(!is_writer);
	pthread_mutex_lock(&disk.lock);
	disk.waiting++;
	pthread_cond_broadcast(&disk.changed);
	while (disk.stopped)
		pthread_cond_wait(&disk.changed, &disk.lock);
	disk.waiting--;
	keeps = !disk.fails;
	if (keeps)
		keep(fd, name);
	pthread_mutex_unlock(&disk.lock);
	return keeps;
}

/* The real disk need not do anything. */
static int sync_file(int fd)
{
	char link[64], name[128] = "";

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ck_assert_int_gt(readlink(link, name, sizeof(name) - 1), 0);
	if (strncmp(name, dir, strlen(dir)) != 0 || disk_keeps(fd, name))
		return 0;
	errno = EIO;
	return -1;
}

int fdatasync(int fd)
{
	return sync_file(fd);
}

int fsync(int fd)
{
	return sync_file(fd);
}

static void set(bool *what, bool value)
{
	pthread_mutex_lock(&disk.lock);
	*what = value;
	pthread_cond_broadcast(&disk.changed);
	pthread_mutex_unlock(&disk.lock);
}

static unsigned syncs(void)
{
	unsigned n;

	pthread_mutex_lock(&disk.lock);
	n = disk.syncs;
	pthread_mutex_unlock(&disk.lock);
	return n;
}

static void await_a_sync(void)
{
	pthread_mutex_lock(&disk.lock);
	while (disk.waiting == 0)
		pthread_cond_wait(&disk.changed, &disk.lock);
	pthread_mutex_unlock(&disk.lock);
}

/* ---- The database ---- */

static void set_up(void)
{
	temp_make(dir);
	snprintf(path, sizeof(path), "%s/a.db", dir);
	EXPECT(BRSKI_OK, sql_open(path, &later, &db, &err));
	EXPECT(BRSKI_OK,
		sql_script(db, "CREATE TABLE t (n INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT", &err));
	ck_assert_int_eq(sql_wait_kept(db, sql_mark(db), 60000, &err), BRSKI_KEPT);
}

static void tear_down(void)
{
	set(&disk.stopped, false);
	set(&disk.fails, false);
	sql_close(db);
	temp_remove(dir);
}

static enum brski_code put_octets(struct sql_db *in, int64_t n, int64_t octets)
{
	struct brski_error why;
	struct sql q;

	sql_begin(&q, in, "INSERT INTO t VALUES (?1, zeroblob(?2))", &why);
	sql_bind_int(&q, n);
	sql_bind_int(&q, octets);
	return sql_run(&q);
}

static void put(struct sql_db *in, int64_t n)
{
	ck_assert_int_eq(put_octets(in, n, 1), BRSKI_OK);
}

static void put_lazy(int64_t n)
{
	struct sql q;

	sql_begin_lazy(&q, db, "INSERT INTO t VALUES (?1, x'')", &err);
	sql_bind_int(&q, n);
	EXPECT(BRSKI_OK, sql_run(&q));
}

static int64_t number(struct sql_db *in, const char *text)
{
	struct sql q;
	int64_t n = -1;

	sql_begin_read(&q, in, text, &err);
	if (sql_row(&q))
		n = sql_int(&q, 0);
	EXPECT(BRSKI_OK, sql_end(&q));
	return n;
}

#define ROWS "SELECT count(*) FROM t"

static enum brski_kept is_kept(uint64_t mark)
{
	return sql_kept(db, mark, &err);
}

static enum brski_kept wait_for(uint64_t mark)
{
	return sql_wait_kept(db, mark, 60000, &err);
}

/* ---- After a power failure ---- */

static void write_image(const char *name, const struct image *image)
{
	file_write(name, brski_span((const uint8_t *)image->data, image->len));
}

/* The database as the disk has it, of which *folder is to be removed. */
static struct sql_db *after_a_power_failure(char folder[64])
{
	struct sql_db *found;
	char name[96], log[112];

	temp_make(folder);
	snprintf(name, sizeof(name), "%s/a.db", folder);
	snprintf(log, sizeof(log), "%s-wal", name);
	pthread_mutex_lock(&disk.lock);
	write_image(name, &disk.database);
	if (disk.named && disk.log.len > 0)
		write_image(log, &disk.log);
	pthread_mutex_unlock(&disk.lock);
	EXPECT(BRSKI_OK, sql_open(name, &at_once, &found, &err));
	return found;
}

static void expect_on_disk(int64_t rows)
{
	char folder[64];
	struct sql_db *found = after_a_power_failure(folder);

	ck_assert_int_ge(number(found, ROWS), rows);
	sql_close(found);
	temp_remove(folder);
}

static bool is_on_disk(int64_t n)
{
	char folder[64], text[64];
	struct sql_db *found = after_a_power_failure(folder);
	bool is;

	snprintf(text, sizeof(text), "SELECT count(*) FROM t WHERE n = %d", (int)n);
	is = number(found, text) == 1;
	sql_close(found);
	temp_remove(folder);
	return is;
}

/* ---- Commits share syncs ---- */

#define THREADS 20

static uint64_t marks[THREADS];

static void *commit(void *arg)
{
	uint64_t *mark = arg;

	put(db, mark - marks);
	*mark = sql_mark(db);
	return NULL;
}

START_TEST(all_that_is_committed_meanwhile_is_kept_by_one_sync)
{
	pthread_t threads[THREADS];
	uint64_t first;
	unsigned before;

	set(&disk.stopped, true);
	put(db, 1000);
	first = sql_mark(db);
	await_a_sync();
	before = syncs();
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, commit, &marks[i]), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL); /* nobody has waited for the disk */
	ck_assert_int_eq(number(db, ROWS), THREADS + 1);
	ck_assert_int_eq(is_kept(first), BRSKI_NOT_YET_KEPT);
	ck_assert_int_eq(sql_wait_kept(db, marks[0], 1, NULL), BRSKI_NOT_YET_KEPT);
	ck_assert(!is_on_disk(1000));
	set(&disk.stopped, false);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(wait_for(marks[i]), BRSKI_KEPT);
	ck_assert_uint_eq(syncs() - before, 2); /* the first one's, and one for all others */
	expect_on_disk(THREADS + 1);
}
END_TEST

START_TEST(what_nobody_waits_for_is_kept_too)
{
	unsigned before = syncs();

	put(db, 1);
	while (syncs() == before)
		usleep(10000);
	expect_on_disk(1);
}
END_TEST

START_TEST(a_transaction_is_kept_as_a_whole)
{
	set(&disk.stopped, true);
	EXPECT(BRSKI_OK, sql_transaction_begin(db, &err));
	put(db, 1);
	put_lazy(2);
	EXPECT(BRSKI_OK, sql_transaction_end(db, BRSKI_OK, &err));
	ck_assert_int_eq(is_kept(sql_mark(db)), BRSKI_NOT_YET_KEPT);
	set(&disk.stopped, false);
	ck_assert_int_eq(wait_for(sql_mark(db)), BRSKI_KEPT);
	expect_on_disk(2);
}
END_TEST

START_TEST(what_is_lazy_is_waited_for_by_nobody)
{
	uint64_t mark = sql_mark(db);
	unsigned before = syncs();

	set(&disk.stopped, true);
	put_lazy(1);
	ck_assert_int_eq(number(db, ROWS), 1);
	ck_assert_uint_eq(sql_mark(db), mark);
	ck_assert_int_eq(is_kept(mark), BRSKI_KEPT);
	ck_assert_uint_eq(syncs(), before);
	set(&disk.stopped, false);
	put(db, 2); /* and comes along with what is not */
	ck_assert_int_eq(wait_for(sql_mark(db)), BRSKI_KEPT);
	expect_on_disk(2);
}
END_TEST

/* Another server on the same database: what is seen of it may not be on the disk yet. */
START_TEST(what_others_have_changed_is_to_be_kept_before_it_is_told)
{
	struct sql_db *other;
	uint64_t mark;

	EXPECT(BRSKI_OK, sql_open(path, &later, &other, &err));
	ck_assert_int_eq(number(other, ROWS), 0);
	mark = sql_mark(db);
	ck_assert_int_eq(wait_for(mark), BRSKI_KEPT);
	set(&disk.stopped, true);
	put(other, 1);
	ck_assert_int_eq(number(db, ROWS), 1);
	mark = sql_mark(db);
	ck_assert_int_eq(is_kept(mark), BRSKI_NOT_YET_KEPT);
	set(&disk.stopped, false);
	ck_assert_int_eq(wait_for(mark), BRSKI_KEPT);
	expect_on_disk(1);
	sql_close(other);
}
END_TEST

/* A server was killed before its commits were on the disk; the next one finds them. */
START_TEST(what_was_there_at_the_beginning_is_to_be_kept)
{
	struct sql_db *other;
	uint64_t mark;

	put(db, 1);
	set(&disk.stopped, true);
	EXPECT(BRSKI_OK, sql_open(path, &later, &other, &err));
	ck_assert_int_eq(number(other, ROWS), 1);
	mark = sql_mark(other);
	ck_assert_int_eq(sql_kept(other, mark, NULL), BRSKI_NOT_YET_KEPT);
	set(&disk.stopped, false);
	ck_assert_int_eq(sql_wait_kept(other, mark, 60000, NULL), BRSKI_KEPT);
	expect_on_disk(1);
	sql_close(other);
}
END_TEST

START_TEST(closing_keeps_what_is_not_kept)
{
	struct sql_db *other; /* so that the one that is closed is not the last */

	EXPECT(BRSKI_OK, sql_open(path, &at_once, &other, &err));
	ck_assert_int_eq(number(other, ROWS), 0);
	put(db, 1);
	sql_close(db);
	expect_on_disk(1);
	db = other;
}
END_TEST

START_TEST(the_log_has_a_name_on_the_disk)
{
	char name[112];
	struct sql_db *other;

	sql_close(db); /* the log goes with the last connection */
	snprintf(name, sizeof(name), "%s-wal", path);
	ck_assert_int_ne(access(name, F_OK), 0);
	set(&disk.named, false);
	EXPECT(BRSKI_OK, sql_open(path, &later, &db, &err));
	put(db, 1);
	ck_assert_int_eq(wait_for(sql_mark(db)), BRSKI_KEPT);
	ck_assert(disk.named);
	expect_on_disk(1);
	/* who keeps at once has no marks to wait for */
	EXPECT(BRSKI_OK, sql_open(path, &at_once, &other, &err));
	put(other, 2);
	ck_assert_uint_eq(sql_mark(other), 0);
	ck_assert_int_eq(sql_kept(other, 0, NULL), BRSKI_KEPT);
	ck_assert_int_eq(sql_wait_kept(other, 0, 0, NULL), BRSKI_KEPT);
	expect_on_disk(2);
	sql_close(other);
}
END_TEST

static atomic_uint calls, others_calls;

static void on_moved(void *ctx)
{
	ck_assert_ptr_eq(ctx, &calls);
	calls++;
}

static void on_moved_too(void *ctx)
{
	ck_assert_ptr_eq(ctx, &others_calls);
	others_calls++;
}

START_TEST(whoever_wants_to_know_is_told)
{
	uint64_t mark;

	sql_on_kept(db, on_moved, &calls);
	sql_on_kept(db, on_moved_too, &others_calls);
	put(db, 1);
	mark = sql_mark(db);
	ck_assert_int_eq(wait_for(mark), BRSKI_KEPT);
	while (calls == 0 || others_calls == 0)
		usleep(1000);
	sql_on_kept(db, NULL, &calls);
	calls = 0;
	others_calls = 0;
	put(db, 2);
	while (others_calls == 0)
		usleep(1000);
	ck_assert_uint_eq(calls, 0);
	sql_on_kept(db, NULL, &others_calls);
	put(db, 3);
	mark = sql_mark(db);
	ck_assert_int_eq(wait_for(mark), BRSKI_KEPT);
	sql_close(db); /* with whoever would call */
	ck_assert_uint_eq(calls, 0);
	EXPECT(BRSKI_OK, sql_open(path, &later, &db, &err));
}
END_TEST

START_TEST(a_database_in_memory_has_nothing_to_keep)
{
	struct sql_db *memory;

	EXPECT(BRSKI_OK, sql_open(":memory:", &later, &memory, &err));
	ck_assert_uint_eq(sql_mark(memory), 0);
	EXPECT(BRSKI_OK, sql_script(memory, "CREATE TABLE t (n INTEGER, data BLOB)", &err));
	put(memory, 1);
	ck_assert_int_eq(number(memory, ROWS), 1);
	ck_assert_uint_eq(sql_mark(memory), 0);
	ck_assert_int_eq(sql_kept(memory, 0, NULL), BRSKI_KEPT);
	sql_on_kept(memory, on_moved, NULL);
	sql_close(memory);
}
END_TEST

/* ---- Readers ---- */

static pthread_barrier_t barrier;

static void *have_a_transaction_open(void *arg)
{
	struct brski_error why;

	ck_assert_int_eq(sql_transaction_begin(arg, &why), BRSKI_OK);
	put(arg, 1);
	ck_assert_int_eq(number(arg, ROWS), 1); /* it sees what it has done */
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	ck_assert_int_eq(sql_transaction_end(arg, BRSKI_MISMATCH, &why), BRSKI_MISMATCH);
	return NULL;
}

START_TEST(who_reads_waits_for_no_transaction)
{
	struct sql_db *other;
	pthread_t thread;

	EXPECT(BRSKI_OK, sql_open(path, &at_once, &other, &err));
	pthread_barrier_init(&barrier, NULL, 2);
	for (int i = 0; i < 2; i++) { /* of another thread, of another process */
		ck_assert_int_eq(pthread_create(&thread, NULL, have_a_transaction_open, i ? other : db), 0);
		pthread_barrier_wait(&barrier);
		ck_assert_int_eq(number(db, ROWS), 0);
		(void)is_kept(sql_mark(db)); /* nor for a mark */
		pthread_barrier_wait(&barrier);
		pthread_join(thread, NULL);
	}
	ck_assert_int_eq(number(db, ROWS), 0);
	sql_close(other);
}
END_TEST

static void *read_within(void *arg)
{
	struct brski_error why;
	struct sql q;

	(void)arg;
	sql_begin_read(&q, db, "SELECT n FROM t", &why);
	while (sql_row(&q))
		ck_assert_int_ge(
			number(db, ROWS), 10); /* on the same connection: nobody waits for a second one */
	ck_assert_int_eq(sql_end(&q), BRSKI_OK);
	return NULL;
}

START_TEST(any_number_may_read_and_ask_again_meanwhile)
{
	pthread_t threads[THREADS];
	struct sql q;

	for (int i = 0; i < 10; i++)
		put(db, i);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, read_within, NULL), 0);
	for (int i = 10; i < 20; i++)
		put(db, i);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	/* who reads only reads, and what is wrong with it is said */
	sql_begin_read(&q, db, "DELETE FROM t", &err);
	ck_assert_int_eq(sql_run(&q), BRSKI_INTERNAL);
	ck_assert_ptr_nonnull(strstr(err.why, "readonly"));
	sql_begin_read(&q, db, "SELECT n FROM nowhere", &err);
	ck_assert_int_eq(sql_run(&q), BRSKI_INTERNAL);
	ck_assert_str_eq(err.why, "database: no such table: nowhere");
	ck_assert_int_eq(number(db, ROWS), 20);
}
END_TEST

/* The first of all statements, and no connection to be had. */
START_TEST(a_reader_that_cannot_be_opened_says_so)
{
	char elsewhere[96];
	struct sql q;

	snprintf(elsewhere, sizeof(elsewhere), "%s.away", path);
	ck_assert_int_eq(rename(path, elsewhere), 0);
	for (int i = 0; i < 2 * SQL_READERS_MAX; i++) {
		sql_begin_read(&q, db, ROWS, &err);
		ck_assert(!sql_row(&q));
		ck_assert_int_eq(sql_end(&q), BRSKI_INTERNAL);
		ck_assert_str_eq(err.why, "database: unable to open database file");
	}
	ck_assert_int_eq(rename(elsewhere, path), 0);
	ck_assert_int_eq(number(db, ROWS), 0);
}
END_TEST

/* ---- The disk fails ---- */

static atomic_uint errors, others;

static void count_line(void *ctx, enum brski_level level, const char *line)
{
	(void)ctx;
	if (level == BRSKI_LOG_ERROR && strstr(line, "the disk fails"))
		errors++;
	else
		others++;
}

static const struct brski_env env = {.log = count_line};

static void reopen_with_log(void)
{
	struct sql_options options = later;

	sql_close(db);
	options.env = &env;
	EXPECT(BRSKI_OK, sql_open(path, &options, &db, &err));
	put(db, 1000);
	ck_assert_int_eq(wait_for(sql_mark(db)), BRSKI_KEPT);
}

START_TEST(after_a_failure_nothing_is_kept_before_all_has_been_written_anew)
{
	struct sql_db *reader;
	uint64_t before, lost, more;
	struct sql q;

	reopen_with_log();
	before = sql_mark(db);
	EXPECT(BRSKI_OK, sql_open(path, &at_once, &reader, &err));
	set(&disk.fails, true);
	put(db, 1);
	lost = sql_mark(db);
	ck_assert_int_eq(wait_for(lost), BRSKI_NOT_KEPT);
	ck_assert_ptr_nonnull(strstr(err.why, "disk I/O error"));
	ck_assert_int_eq(is_kept(before), BRSKI_KEPT); /* what was said holds */
	/* it is there to be seen, but whoever sees it has nothing to tell; nor whoever comes after it */
	ck_assert_int_eq(number(db, ROWS), 2);
	ck_assert_int_eq(wait_for(sql_mark(db)), BRSKI_NOT_KEPT);
	put(db, 2);
	ck_assert_int_eq(wait_for(sql_mark(db)), BRSKI_NOT_KEPT);
	/* the syncs go well again, but the log cannot be brought into the database: somebody reads it */
	sql_begin(&q, reader, ROWS, &err);
	ck_assert(sql_row(&q));
	set(&disk.fails, false);
	for (int i = 3; i < 5; i++) {
		put(db, i);
		more = sql_mark(db);
		ck_assert_int_eq(wait_for(more), BRSKI_NOT_KEPT);
	}
	EXPECT(BRSKI_OK, sql_end(&q));
	do {
		more = sql_mark(db);
	} while (wait_for(more) != BRSKI_KEPT);
	expect_on_disk(5);
	ck_assert_int_eq(is_kept(lost), BRSKI_NOT_KEPT); /* for ever */
	put(db, 6);
	ck_assert_int_eq(wait_for(sql_mark(db)), BRSKI_KEPT);
	expect_on_disk(6);
	sql_close(reader);
	ck_assert_uint_eq(errors, 1); /* a minute */
	ck_assert_uint_eq(others, 1); /* it works again */
}
END_TEST

/* The disk keeps nothing of the log's end, though it says so the second time. */
START_TEST(what_is_behind_a_hole_in_the_log_is_on_the_disk_all_the_same)
{
	struct image hole;

	set(&disk.fails, true);
	put(db, 1);
	ck_assert_int_eq(wait_for(sql_mark(db)), BRSKI_NOT_KEPT);
	pthread_mutex_lock(&disk.lock);
	hole = disk.log; /* as it was before, and as it stays where the first row is */
	ck_assert(hole.len > 0);
	disk.fails = false;
	pthread_mutex_unlock(&disk.lock);
	while (wait_for(sql_mark(db)) != BRSKI_KEPT)
		;
	ck_assert(is_on_disk(1));
	/* the log is another one: nothing of it hangs together with what was before the hole */
	pthread_mutex_lock(&disk.lock);
	ck_assert_uint_eq(disk.log.len, 0);
	pthread_mutex_unlock(&disk.lock);
}
END_TEST

/* ---- The log ---- */

static size_t log_size(void)
{
	struct stat st;
	char name[96];

	snprintf(name, sizeof(name), "%s-wal", path);
	return stat(name, &st) == 0 ? (size_t)st.st_size : 0;
}

#define WRITERS 4
#define ROWS_EACH 200
#define ROW_OCTETS 20000

static atomic_int_fast64_t told; /* rows that somebody was told of */
static atomic_uint working;

static void *write_much(void *arg)
{
	int64_t first = *(int *)arg * 10000;

	for (int64_t i = 0; i < ROWS_EACH; i++) {
		ck_assert_int_eq(put_octets(db, first + i, ROW_OCTETS), BRSKI_OK);
		ck_assert_int_eq(sql_wait_kept(db, sql_mark(db), 60000, NULL), BRSKI_KEPT);
		told++;
	}
	working--;
	return NULL;
}

/* The log's salt, which is another one when it has begun anew. */
static uint64_t salt(void)
{
	char name[96];
	uint64_t n = 0;
	FILE *f;

	snprintf(name, sizeof(name), "%s-wal", path);
	f = fopen(name, "r");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fseek(f, 16, SEEK_SET), 0);
	ck_assert_uint_eq(fread(&n, sizeof(n), 1, f), 1);
	fclose(f);
	return n;
}

/* Its first page must not be written before its head is on the disk. */
START_TEST(whoever_writes_first_into_a_new_log_waits_for_no_disk)
{
	uint64_t before = salt();

	is_writer = true;                                       /* the disk would say so */
	ck_assert_int_eq(put_octets(db, 1, 6000000), BRSKI_OK); /* more than a log should have */
	while (salt() == before)
		usleep(1000);
	put(db, 1000);
	is_writer = false;
	ck_assert_int_eq(wait_for(sql_mark(db)), BRSKI_KEPT);
	expect_on_disk(2);
	ck_assert_uint_lt(log_size(), 8u << 20);
}
END_TEST

/* Any moment is a good one for a power failure. */
static void fail_now(void)
{
	char folder[64];
	int64_t rows = told;
	struct sql_db *found = after_a_power_failure(folder);

	ck_assert_int_ge(number(found, ROWS), rows);
	ck_assert_int_eq(
		number(found, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
	sql_close(found);
	temp_remove(folder);
}

static void start_writers(pthread_t threads[WRITERS], void *(*write)(void *))
{
	static int names[WRITERS] = {0, 1, 2, 3};

	working = WRITERS;
	for (int i = 0; i < WRITERS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, write, &names[i]), 0);
}

static void join_writers(pthread_t threads[WRITERS])
{
	for (int i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_int_eq(number(db, ROWS), WRITERS * ROWS_EACH);
}

START_TEST(what_was_told_outlives_a_power_failure_at_any_moment)
{
	pthread_t threads[WRITERS];

	start_writers(threads, write_much);
	for (unsigned n = 0; working > 0; n++) {
		if (n % 50 == 0)
			fail_now();
		usleep(1000);
	}
	join_writers(threads);
	fail_now();
}
END_TEST

static void *write_without_pause(void *arg)
{
	int64_t first = *(int *)arg * 10000;

	for (int64_t i = 0; i < ROWS_EACH; i++)
		ck_assert_int_eq(put_octets(db, first + i, 4 * ROW_OCTETS), BRSKI_OK);
	working--;
	return NULL;
}

/* Sixty-four million octets go through it. */
START_TEST(the_log_stays_short_whatever_is_written)
{
	pthread_t threads[WRITERS];
	size_t longest = 0;

	start_writers(threads, write_without_pause);
	while (working > 0) {
		size_t size = log_size();

		longest = size > longest ? size : longest;
		usleep(1000);
	}
	join_writers(threads);
	ck_assert_uint_le(longest, 40u << 20);
	ck_assert_uint_gt(longest, 1u << 20);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {all_that_is_committed_meanwhile_is_kept_by_one_sync,
		what_nobody_waits_for_is_kept_too, a_transaction_is_kept_as_a_whole,
		what_is_lazy_is_waited_for_by_nobody,
		what_others_have_changed_is_to_be_kept_before_it_is_told,
		what_was_there_at_the_beginning_is_to_be_kept, closing_keeps_what_is_not_kept,
		the_log_has_a_name_on_the_disk, whoever_wants_to_know_is_told,
		a_database_in_memory_has_nothing_to_keep, who_reads_waits_for_no_transaction,
		any_number_may_read_and_ask_again_meanwhile, a_reader_that_cannot_be_opened_says_so,
		whoever_writes_first_into_a_new_log_waits_for_no_disk,
		after_a_failure_nothing_is_kept_before_all_has_been_written_anew,
		what_is_behind_a_hole_in_the_log_is_on_the_disk_all_the_same,
		what_was_told_outlives_a_power_failure_at_any_moment,
		the_log_stays_short_whatever_is_written};

	return run_tests("sql_keep", set_up, tear_down, tests, sizeof(tests) / sizeof(tests[0]));
}
