/* SPDX-License-Identifier: BSD-3-Clause */
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "services/base/sql.h"
#include "services/base/sql_files.h"
#include "tests/unit/support/files.h"

/*
 * A database whose files are not its user's. Only root can make such ones; who is not root sees that
 * nothing is wrong with his own.
 */

#define OTHER 65534 /* nobody */
#define MEND "somebody mends it"

static char dir[64], folder[80], path[96], mended[1024];
static struct brski_error err;
static const struct sql_options options = {.create = true, .mode = 0640, .busy_ms = 100, .mend = MEND};

static bool is_root(void)
{
	return geteuid() == 0;
}

/* A folder of the other one's, with a database of his. */
static void set_up(void)
{
	struct sql_db *db;

	mended[0] = '\0';
	temp_make(dir);
	ck_assert_int_eq(chmod(dir, 0755), 0);
	snprintf(folder, sizeof(folder), "%s/his", dir);
	snprintf(path, sizeof(path), "%s/a.db", folder);
	ck_assert_int_eq(mkdir(folder, 0755), 0);
	if (is_root())
		ck_assert_int_eq(chown(folder, OTHER, OTHER), 0);
	EXPECT(BRSKI_OK, sql_open(path, &options, &db, &err));
	EXPECT(BRSKI_OK, sql_script(db, "CREATE TABLE t (n INTEGER)", &err));
	sql_close(db);
}

static void tear_down(void)
{
	ck_assert_int_eq(run("rm -rf %s", dir), 0);
}

static const char *beside(const char *ending)
{
	static char name[128];

	snprintf(name, sizeof(name), "%s%s", path, ending);
	return name;
}

static void restore(const char *ending, mode_t mode)
{
	if (ending[0])
		file_write(beside(ending), brski_span_str(""));
	ck_assert_int_eq(lchown(beside(ending), 0, 0), 0);
	ck_assert_int_eq(chmod(beside(ending), mode), 0);
}

static void is(const char *ending, uid_t uid, mode_t mode)
{
	struct stat st;

	ck_assert_int_eq(lstat(beside(ending), &st), 0);
	ck_assert_uint_eq(st.st_uid, uid);
	ck_assert_uint_eq(st.st_mode & 07777, mode);
}

/* What the other one, who is the server's user, is told when he opens it and looks whether he can write. */
static enum brski_code open_as_other(void)
{
	int pipes[2], status;
	pid_t child;

	ck_assert_int_eq(pipe(pipes), 0);
	child = fork();
	if (child == 0) {
		struct sql_db *db = NULL;
		enum brski_code code = BRSKI_INTERNAL;

		if (setgroups(0, NULL) == 0 && setgid(OTHER) == 0 && setuid(OTHER) == 0)
			code = sql_open(path, &options, &db, &err);
		if (code == BRSKI_OK)
			code = sql_check_writable(db, &err);
		sql_close(db);
		_exit(write(pipes[1], err.why, sizeof(err.why)) > 0 ? (int)code : 99);
	}
	close(pipes[1]);
	ck_assert_int_gt(read(pipes[0], err.why, sizeof(err.why)), 0);
	close(pipes[0]);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	return err.code = (enum brski_code)WEXITSTATUS(status);
}

static void says(const char *words)
{
	ck_assert_msg(strstr(err.why, words) != NULL, "no \"%s\" in: %s", words, err.why);
}

START_TEST(ones_own_can_be_written)
{
	char words[320];
	struct sql_db *db;

	EXPECT(BRSKI_OK, sql_open(path, &options, &db, &err));
	EXPECT(BRSKI_OK, sql_check_writable(db, &err));
	sql_close(db);
	ck_assert(!sql_files_why_not(path, MEND, words, sizeof(words)));
	ck_assert(!sql_files_why_not("none.db", MEND, words, sizeof(words)));
	snprintf(path, sizeof(path), "%s/none/a.db", folder);
	ck_assert(sql_files_why_not(path, MEND, words, sizeof(words)));
	ck_assert_ptr_nonnull(strstr(words, "there is no folder"));
}
END_TEST

START_TEST(while_another_writes_nothing_is_wrong)
{
	struct sql_db *one, *two;

	EXPECT(BRSKI_OK, sql_open(path, &options, &one, &err));
	EXPECT(BRSKI_OK, sql_open(path, &options, &two, &err));
	EXPECT(BRSKI_OK, sql_transaction_begin(one, &err));
	EXPECT(BRSKI_OK, sql_check_writable(two, &err));
	EXPECT(BRSKI_OK, sql_transaction_end(one, BRSKI_OK, &err));
	sql_close(one);
	sql_close(two);
}
END_TEST

START_TEST(the_file_is_roots)
{
	if (!is_root())
		return;
	restore("", 0644);
	ck_assert_int_ne(open_as_other(), BRSKI_OK);
	says("user nobody may not read and write ");
	says("a.db, which is root's, mode 644; " MEND);
	restore("", 0600);
	ck_assert_int_ne(open_as_other(), BRSKI_OK);
	says("a.db, which is root's, mode 600; " MEND);
}
END_TEST

START_TEST(what_is_beside_it_is_roots)
{
	static const char *const endings[] = {"-wal", "-shm"};

	for (size_t i = 0; is_root() && i < 2; i++) {
		restore(endings[i], 0644);
		ck_assert_int_ne(open_as_other(), BRSKI_OK);
		says("user nobody may not read and write ");
		says(endings[i]);
		says(", which is root's, mode 644; " MEND);
		ck_assert_int_eq(unlink(beside(endings[i])), 0);
	}
	if (is_root())
		ck_assert_int_eq(open_as_other(), BRSKI_OK);
}
END_TEST

START_TEST(the_owner_may_not_write)
{
	struct sql_db *db;

	if (!is_root())
		return;
	ck_assert_int_eq(chmod(path, 0440), 0);
	ck_assert_int_ne(open_as_other(), BRSKI_OK);
	says("a.db, which is nobody's, mode 440; " MEND);
	/* root has that user's rights there */
	EXPECT(BRSKI_OK, sql_open(path, &options, &db, &err));
	EXPECT_WHY(BRSKI_INTERNAL, "user nobody may not read and write", sql_check_writable(db, &err));
	EXPECT_WHY(BRSKI_INTERNAL, MEND, sql_script(db, "DROP TABLE t", &err));
	sql_close(db);
}
END_TEST

START_TEST(the_folder_is_anothers)
{
	if (!is_root())
		return;
	ck_assert_int_eq(chown(folder, 0, 0), 0);
	ck_assert_int_ne(open_as_other(), BRSKI_OK);
	says("user nobody may not make files in ");
	says("his, which is root's, mode 755");
	ck_assert_int_eq(chmod(folder, 0700), 0);
	ck_assert_int_eq(open_as_other(), BRSKI_UNAVAILABLE);
	says("user nobody may not look into ");
	ck_assert_ptr_null(strstr(err.why, MEND));
}
END_TEST

START_TEST(roots_file_is_told_with_what_mends_it)
{
	struct sql_db *db;

	if (!is_root())
		return;
	restore("", 0640);
	EXPECT_WHY(BRSKI_UNTRUSTED, "it belongs to root, ", sql_open(path, &options, &db, &err));
	says(MEND);
}
END_TEST

static void tell(void *ctx, const char *words)
{
	size_t len = strlen(mended);

	(void)ctx;
	snprintf(mended + len, sizeof(mended) - len, "%s\n", words);
}

START_TEST(root_gives_them_back)
{
	struct sql_db *db;

	if (!is_root())
		return;
	restore("", 0644);
	restore("-wal", 0400);
	restore("-shm", 0640);
	EXPECT(BRSKI_OK, sql_files_mend(path, tell, NULL, &err));
	is("", OTHER, 0640);
	is("-wal", OTHER, 0600);
	is("-shm", OTHER, 0640);
	ck_assert_ptr_nonnull(strstr(mended, "a.db was root's, mode 644; it is nobody's, mode 640\n"));
	ck_assert_ptr_nonnull(strstr(mended, "a.db-wal was root's, mode 400; it is nobody's, mode 600\n"));
	ck_assert_int_eq(open_as_other(), BRSKI_OK);
	/* rights of the group are the administrator's to give */
	ck_assert_int_eq(chmod(path, 0660), 0);
	mended[0] = '\0';
	EXPECT(BRSKI_OK, sql_files_mend(path, tell, NULL, &err));
	is("", OTHER, 0660);
	ck_assert_str_eq(mended, "");
	EXPECT(BRSKI_OK, sql_open(path, &options, &db, &err));
	sql_close(db);
}
END_TEST

START_TEST(what_is_no_plain_file_is_not_given_away)
{
	char victim[96];
	struct stat st;

	if (!is_root())
		return;
	snprintf(victim, sizeof(victim), "%s/victim", dir);
	file_write(victim, brski_span_str("root's own"));
	ck_assert_int_eq(chmod(victim, 0600), 0);
	ck_assert_int_eq(symlink(victim, beside("-wal")), 0);
	EXPECT_WHY(BRSKI_UNTRUSTED, "symbolic link", sql_files_mend(path, tell, NULL, &err));
	ck_assert_int_eq(unlink(beside("-wal")), 0);
	ck_assert_int_eq(link(victim, beside("-wal")), 0);
	EXPECT_WHY(BRSKI_UNTRUSTED, "no plain file", sql_files_mend(path, tell, NULL, &err));
	ck_assert_int_eq(unlink(beside("-wal")), 0);
	ck_assert_int_eq(mkfifo(beside("-wal"), 0600), 0);
	EXPECT_WHY(BRSKI_UNTRUSTED, "no plain file", sql_files_mend(path, tell, NULL, &err));
	ck_assert_int_eq(stat(victim, &st), 0);
	ck_assert(st.st_uid == 0 && (st.st_mode & 07777) == 0600);
	ck_assert_str_eq(mended, "");
}
END_TEST

START_TEST(in_a_folder_of_roots_nothing_is_changed)
{
	if (!is_root())
		return;
	ck_assert_int_eq(chown(folder, 0, 0), 0);
	EXPECT(BRSKI_OK, sql_files_mend(path, tell, NULL, &err));
	is("", OTHER, 0640);
	snprintf(path, sizeof(path), "%s/none/a.db", dir);
	EXPECT(BRSKI_OK, sql_files_mend(path, tell, NULL, &err));
	ck_assert_str_eq(mended, "");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		ones_own_can_be_written,
		while_another_writes_nothing_is_wrong,
		the_file_is_roots,
		what_is_beside_it_is_roots,
		the_owner_may_not_write,
		the_folder_is_anothers,
		roots_file_is_told_with_what_mends_it,
		root_gives_them_back,
		what_is_no_plain_file_is_not_given_away,
		in_a_folder_of_roots_nothing_is_changed,
	};

	return run_tests("sql_files", set_up, tear_down, tests, sizeof(tests) / sizeof(tests[0]));
}
