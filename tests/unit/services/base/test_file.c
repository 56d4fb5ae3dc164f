/* SPDX-License-Identifier: BSD-3-Clause */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <check.h>

#include "services/base/file.h"
#include "tests/unit/support/files.h"

static struct brski_error err;
static struct brski_buf got;
static char folder[64], path[128];

static void setup(void)
{
	temp_make(folder);
	snprintf(path, sizeof(path), "%s/file", folder);
	umask(022);
}

static void teardown(void)
{
	brski_buf_free(&got);
	temp_remove(folder);
}

static void expect_file(const char *text, mode_t mode)
{
	struct stat st;

	EXPECT(BRSKI_OK, brski_file_read(path, 100, &got, &err));
	ck_assert(brski_span_equal(brski_buf_span(&got), brski_span_str(text)));
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, mode);
}

START_TEST(writing_replaces)
{
	EXPECT(BRSKI_OK, brski_file_write(path, brski_span_str("one"), &err));
	expect_file("one", 0600);
	EXPECT(BRSKI_OK, brski_file_write(path, brski_span_str(""), &err));
	expect_file("", 0600);
	EXPECT(BRSKI_OK, brski_file_write(path, brski_span_str("three"), &err));
	expect_file("three", 0600);
}
END_TEST

/* A folder cannot be replaced by a file: it stays, and nothing is left beside it. */
START_TEST(writing_all_or_nothing)
{
	char inside[160];

	snprintf(inside, sizeof(inside), "%s/inside", path);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	file_write(inside, brski_span_str("x"));
	EXPECT_WHY(BRSKI_INTERNAL, "cannot write", brski_file_write(path, brski_span_str("one"), &err));
	ck_assert_int_eq(access(inside, F_OK), 0);
	ck_assert_int_eq(unlink(inside), 0);
	ck_assert_int_eq(rmdir(path), 0);
	ck_assert_int_eq(rmdir(folder), 0);
	EXPECT_WHY(BRSKI_INTERNAL, path, brski_file_write(path, brski_span_str("one"), &err));
	ck_assert_int_eq(mkdir(folder, 0700), 0);
}
END_TEST

START_TEST(creating_never_replaces)
{
	EXPECT(BRSKI_OK, brski_file_create(path, 0644, brski_span_str("one"), &err));
	expect_file("one", 0644);
	EXPECT_WHY(
		BRSKI_UNAVAILABLE, "cannot make", brski_file_create(path, 0600, brski_span_str("2"), &err));
	expect_file("one", 0644);
	ck_assert_int_eq(unlink(path), 0);
	EXPECT(BRSKI_OK, brski_file_create(path, 0600, brski_span_str("two"), &err));
	expect_file("two", 0600);
}
END_TEST

START_TEST(reading_has_bounds)
{
	EXPECT_WHY(BRSKI_NOT_FOUND, "cannot open", brski_file_read(path, 5, &got, &err));
	file_write(path, brski_span_str("12345"));
	EXPECT(BRSKI_OK, brski_file_read(path, 5, &got, &err));
	ck_assert_uint_eq(got.len, 5);
	EXPECT_WHY(BRSKI_TOO_LARGE, "more than 4 octets", brski_file_read(path, 4, &got, &err));
	EXPECT_WHY(BRSKI_INTERNAL, "Is a directory", brski_file_read(folder, 4, &got, &err));
}
END_TEST

/* No half of a file stays where the rest cannot be written. */
START_TEST(no_half_of_a_file)
{
	static uint8_t much[100000];
	const struct rlimit small = {.rlim_cur = 50000, .rlim_max = RLIM_INFINITY};

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	EXPECT_WHY(BRSKI_UNAVAILABLE, "cannot write",
		brski_file_create(path, 0600, brski_span(much, sizeof(much)), &err));
	ck_assert_int_ne(access(path, F_OK), 0);
	EXPECT(BRSKI_OK, brski_file_write(path, brski_span_str("one"), &err));
	EXPECT_WHY(
		BRSKI_INTERNAL, "cannot write", brski_file_write(path, brski_span(much, sizeof(much)), &err));
	expect_file("one", 0600);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(rmdir(folder), 0); /* nothing else is there */
	ck_assert_int_eq(mkdir(folder, 0700), 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {writing_replaces, writing_all_or_nothing, creating_never_replaces,
		reading_has_bounds, no_half_of_a_file};

	return run_tests("file", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
