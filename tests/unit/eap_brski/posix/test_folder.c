/* SPDX-License-Identifier: BSD-3-Clause */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "eap_brski/posix/folder.h"
#include "tests/unit/support/files.h"

static struct brski_error err;
static char dir[64];
static struct brski_folder *folder;
static const struct brski_storage *storage;
static struct brski_buf value;

static void setup(void)
{
	temp_make(dir);
	EXPECT(BRSKI_OK, brski_folder_open(dir, &folder, &err));
	storage = brski_folder_storage(folder);
}

static void teardown(void)
{
	brski_buf_free(&value);
	brski_folder_close(folder);
	temp_remove(dir);
}

static const char *path_of(const char *name)
{
	static char path[256];

	ck_assert(brski_folder_path(folder, name, path, sizeof(path)));
	return path;
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	ck_assert_int_eq(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static enum brski_code put(const char *name, const char *text, bool secret)
{
	return storage->write(storage->ctx, name, brski_span_str(text), secret, &err);
}

static enum brski_code get(const char *name)
{
	return storage->read(storage->ctx, name, &value, &err);
}

static void expect_value(const char *name, const char *text)
{
	EXPECT(BRSKI_OK, get(name));
	ck_assert(brski_span_equal(brski_buf_span(&value), brski_span_str(text)));
}

START_TEST(keeps_values)
{
	EXPECT(BRSKI_NOT_FOUND, get("state"));
	EXPECT(BRSKI_OK, put("state", "one", false));
	expect_value("state", "one");
	EXPECT(BRSKI_OK, put("state", "another", false));
	expect_value("state", "another");
	EXPECT(BRSKI_OK, put("empty", "", false));
	expect_value("empty", "");
	EXPECT(BRSKI_OK, storage->remove(storage->ctx, "state", &err));
	EXPECT(BRSKI_NOT_FOUND, get("state"));
	EXPECT(BRSKI_OK, storage->remove(storage->ctx, "state", &err));
	expect_value("empty", "");
}
END_TEST

START_TEST(survives_closing)
{
	EXPECT(BRSKI_OK, put("ldevid-1.key", "secret", true));
	brski_folder_close(folder);
	EXPECT(BRSKI_OK, brski_folder_open(dir, &folder, &err));
	storage = brski_folder_storage(folder);
	expect_value("ldevid-1.key", "secret");
}
END_TEST

START_TEST(modes_whatever_the_umask)
{
	umask(0);
	EXPECT(BRSKI_OK, put("ldevid-1.key", "secret", true));
	EXPECT(BRSKI_OK, put("state", "public", false));
	ck_assert_uint_eq(mode_of(path_of("ldevid-1.key")), 0600);
	ck_assert_uint_eq(mode_of(path_of("state")), 0644);
	umask(077);
	EXPECT(BRSKI_OK, put("state", "public", false));
	ck_assert_uint_eq(mode_of(path_of("state")), 0644);
	/* a public value that becomes secret */
	EXPECT(BRSKI_OK, put("state", "secret", true));
	ck_assert_uint_eq(mode_of(path_of("state")), 0600);
}
END_TEST

START_TEST(makes_the_folder)
{
	struct brski_folder *inner = NULL;
	char path[128];

	umask(0);
	snprintf(path, sizeof(path), "%s/new", dir);
	EXPECT(BRSKI_OK, brski_folder_open(path, &inner, &err));
	ck_assert_uint_eq(mode_of(path), 0700);
	brski_folder_close(inner);
	snprintf(path, sizeof(path), "%s/no/such", dir);
	EXPECT_WHY(BRSKI_INTERNAL, "No such file", brski_folder_open(path, &inner, &err));
	ck_assert_ptr_null(inner);
}
END_TEST

START_TEST(names_are_no_paths)
{
	static const char *const bad[] = {"", ".", "..", "../state", "a/b", ".hidden", "Upper", "a b", "a~",
		"12345678901234567890123456789012345678901234567890123456789012345"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		EXPECT_WHY(BRSKI_INTERNAL, "no name", put(bad[i], "x", false));
		EXPECT_WHY(BRSKI_INTERNAL, "no name", get(bad[i]));
		EXPECT_WHY(BRSKI_INTERNAL, "no name", storage->remove(storage->ctx, bad[i], &err));
	}
	EXPECT(BRSKI_OK, put("1234567890123456789012345678901234567890123456789012345678901234", "x", false));
}
END_TEST

START_TEST(limits)
{
	struct brski_buf large = {0};

	for (size_t i = 0; i < BRSKI_STORAGE_VALUE_MAX; i++)
		brski_put_u8(&large, 'x');
	EXPECT(BRSKI_OK, storage->write(storage->ctx, "a", brski_buf_span(&large), false, &err));
	EXPECT(BRSKI_OK, get("a"));
	ck_assert_uint_eq(value.len, BRSKI_STORAGE_VALUE_MAX);
	brski_put_u8(&large, 'x');
	EXPECT(BRSKI_TOO_LARGE, storage->write(storage->ctx, "a", brski_buf_span(&large), false, &err));
	file_write(path_of("b"), brski_buf_span(&large));
	EXPECT(BRSKI_TOO_LARGE, get("b"));
	brski_buf_free(&large);
}
END_TEST

START_TEST(refuses_what_others_may_write)
{
	struct brski_folder *again = NULL;

	EXPECT(BRSKI_OK, put("state", "x", false));
	ck_assert_int_eq(chmod(path_of("state"), 0664), 0);
	EXPECT_WHY(BRSKI_UNTRUSTED, "written by others", get("state"));
	ck_assert_uint_eq(value.len, 0);
	ck_assert_int_eq(chmod(path_of("state"), 0646), 0);
	EXPECT_WHY(BRSKI_UNTRUSTED, "written by others", get("state"));
	ck_assert_int_eq(chmod(dir, 0770), 0);
	EXPECT_WHY(BRSKI_UNTRUSTED, "written by others", brski_folder_open(dir, &again, &err));
	ck_assert_int_eq(chmod(dir, 0702), 0);
	EXPECT_WHY(BRSKI_UNTRUSTED, "written by others", brski_folder_open(dir, &again, &err));
	ck_assert_ptr_null(again);
}
END_TEST

START_TEST(refuses_what_belongs_to_others)
{
	struct brski_folder *again = NULL;

	if (geteuid() != 0) /* only root can give a file away */
		return;
	EXPECT(BRSKI_OK, put("state", "x", false));
	ck_assert_int_eq(chown(path_of("state"), 65534, 65534), 0);
	EXPECT_WHY(BRSKI_UNTRUSTED, "another user", get("state"));
	ck_assert_int_eq(chown(dir, 65534, 65534), 0);
	EXPECT_WHY(BRSKI_UNTRUSTED, "another user", brski_folder_open(dir, &again, &err));
}
END_TEST

START_TEST(follows_no_links)
{
	EXPECT(BRSKI_OK, put("target", "x", false));
	ck_assert_int_eq(symlink("target", path_of("state")), 0);
	EXPECT(BRSKI_INTERNAL, get("state"));
	/* writing replaces the link, not what it points to */
	EXPECT(BRSKI_OK, put("state", "y", false));
	expect_value("target", "x");
	expect_value("state", "y");
	ck_assert_int_eq(mkfifo(path_of("pipe"), 0600), 0);
	EXPECT_WHY(BRSKI_UNTRUSTED, "no ordinary file", get("pipe"));
}
END_TEST

START_TEST(a_crash_leaves_the_old_value)
{
	char partial[128];

	EXPECT(BRSKI_OK, put("state", "old", false));
	snprintf(partial, sizeof(partial), "%s/write.tmp~", dir);
	file_write(partial, brski_span_str("half of a new on"));
	expect_value("state", "old");
	EXPECT(BRSKI_OK, put("state", "new", false));
	expect_value("state", "new");
	ck_assert_int_ne(access(partial, F_OK), 0);
}
END_TEST

START_TEST(a_failed_write_changes_nothing)
{
	EXPECT(BRSKI_OK, put("state", "old", false));
	/* a folder in the way of the temporary file, then one in the way of the value */
	ck_assert_int_eq(run("mkdir '%s/write.tmp~'", dir), 0);
	EXPECT(BRSKI_INTERNAL, put("state", "new", false));
	expect_value("state", "old");
	ck_assert_int_eq(run("rmdir '%s/write.tmp~'; mkdir '%s/other'", dir, dir), 0);
	EXPECT(BRSKI_INTERNAL, put("other", "new", false));
	ck_assert_int_ne(run("test -e '%s/write.tmp~'", dir), 0);
}
END_TEST

START_TEST(set_aside_moves_everything)
{
	EXPECT(BRSKI_OK, put("state", "corrupt", false));
	EXPECT(BRSKI_OK, put("ldevid-1.key", "secret", true));
	EXPECT(BRSKI_OK, storage->set_aside(storage->ctx, &err));
	EXPECT(BRSKI_NOT_FOUND, get("state"));
	EXPECT(BRSKI_NOT_FOUND, get("ldevid-1.key"));
	ck_assert_int_eq(run("test \"$(cat '%s/aside-1/state')\" = corrupt", dir), 0);
	ck_assert_int_eq(run("test \"$(cat '%s/aside-1/ldevid-1.key')\" = secret", dir), 0);
	ck_assert_uint_eq(mode_of(path_of("aside-1")), 0700);
	EXPECT(BRSKI_OK, put("state", "again", false));
	EXPECT(BRSKI_OK, storage->set_aside(storage->ctx, &err));
	EXPECT(BRSKI_NOT_FOUND, get("state"));
	ck_assert_int_eq(run("test \"$(cat '%s/aside-2/state')\" = again", dir), 0);
	ck_assert_int_eq(run("test \"$(cat '%s/aside-1/state')\" = corrupt", dir), 0);
}
END_TEST

START_TEST(paths_fit_or_fail)
{
	char path[80];
	size_t need = strlen(dir) + strlen("/state") + 1;

	ck_assert(brski_folder_path(folder, "state", path, need));
	ck_assert_int_eq(strncmp(path, dir, strlen(dir)), 0);
	ck_assert(!brski_folder_path(folder, "state", path, need - 1));
}
END_TEST

START_TEST(one_at_a_time)
{
	struct brski_folder *other;

	EXPECT(BRSKI_OK, brski_folder_open(dir, &other, &err));
	EXPECT(BRSKI_OK, brski_folder_lock(folder, &err));
	EXPECT_WHY(BRSKI_UNAVAILABLE, "another onboarding", brski_folder_lock(other, &err));
	EXPECT(BRSKI_OK, brski_folder_lock(folder, &err)); /* it has it already */
	brski_folder_unlock(other);                        /* not its own: nothing happens */
	EXPECT(BRSKI_UNAVAILABLE, brski_folder_lock(other, &err));
	brski_folder_unlock(folder);
	brski_folder_unlock(folder);
	EXPECT(BRSKI_OK, brski_folder_lock(other, &err));
	EXPECT(BRSKI_UNAVAILABLE, brski_folder_lock(folder, &err));
	brski_folder_close(other);
	EXPECT(BRSKI_OK, brski_folder_lock(folder, &err));
}
END_TEST

START_TEST(no_other_process_either)
{
	/* flock(1) ends with 1 where the lock is taken */
	EXPECT(BRSKI_OK, brski_folder_lock(folder, &err));
	ck_assert_int_eq(run("flock -n '%s' true", dir), 1);
	brski_folder_unlock(folder);
	ck_assert_int_eq(run("flock -n '%s' true", dir), 0);
}
END_TEST

int main(void)
{
	static const TTest *tests[15];
	size_t n = 0;

	tests[n++] = keeps_values;
	tests[n++] = survives_closing;
	tests[n++] = modes_whatever_the_umask;
	tests[n++] = makes_the_folder;
	tests[n++] = names_are_no_paths;
	tests[n++] = limits;
	tests[n++] = refuses_what_others_may_write;
	tests[n++] = refuses_what_belongs_to_others;
	tests[n++] = follows_no_links;
	tests[n++] = a_crash_leaves_the_old_value;
	tests[n++] = a_failed_write_changes_nothing;
	tests[n++] = set_aside_moves_everything;
	tests[n++] = paths_fit_or_fail;
	tests[n++] = one_at_a_time;
	tests[n++] = no_other_process_either;
	return run_tests("folder", setup, teardown, tests, n);
}
