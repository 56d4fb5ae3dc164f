/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "services/base/run_as.h"
#include "tests/unit/support/files.h"

/* What root does in somebody else's folder. Who is not root can see only that it changes nothing. */

#define OTHER 65534

static char dir[64], mine[80], theirs[80], path[96];
static struct brski_error err;
static struct run_as who;

static void give(const char *name, uid_t uid)
{
	if (geteuid() == 0)
		ck_assert_int_eq(lchown(name, uid, (gid_t)uid), 0);
}

static void set_up(void)
{
	temp_make(dir);
	ck_assert_int_eq(chmod(dir, 0755), 0);
	snprintf(mine, sizeof(mine), "%s/mine", dir);
	snprintf(theirs, sizeof(theirs), "%s/theirs", dir);
	ck_assert_int_eq(mkdir(mine, 0755), 0);
	ck_assert_int_eq(mkdir(theirs, 0755), 0);
	give(theirs, OTHER);
}

static void tear_down(void)
{
	temp_remove(dir);
}

static int make(const char *name)
{
	int fd;

	run_as_begin(&who);
	fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
	run_as_end(&who);
	if (fd >= 0)
		close(fd);
	return fd;
}

START_TEST(in_a_folder_of_ones_own_nothing_changes)
{
	snprintf(path, sizeof(path), "%s/a", mine);
	EXPECT(BRSKI_OK, run_as_owner(path, &who, &err));
	ck_assert(!who.other);
	EXPECT(BRSKI_OK, run_as_owner("a", &who, &err));
	EXPECT(BRSKI_OK, run_as_owner("/a", &who, &err));
	ck_assert(!who.other);
	snprintf(path, sizeof(path), "%s/none/a", mine);
	EXPECT(BRSKI_OK, run_as_owner(path, &who, &err)); /* whoever makes it says why he cannot */
	ck_assert(!who.other);
}
END_TEST

START_TEST(in_anothers_folder_a_link_leads_nowhere)
{
	char victim[96];
	struct stat st;

	snprintf(path, sizeof(path), "%s/a", theirs);
	snprintf(victim, sizeof(victim), "%s/victim", mine);
	ck_assert_int_eq(symlink(victim, path), 0);
	EXPECT(BRSKI_OK, run_as_owner(path, &who, &err));
	ck_assert(who.other == (geteuid() == 0));
	if (!who.other)
		return;
	ck_assert_int_lt(make(path), 0);
	ck_assert_int_eq(errno, EACCES);
	ck_assert_int_ne(lstat(victim, &st), 0);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_ge(make(path), 0);
	ck_assert_int_eq(lstat(path, &st), 0);
	ck_assert_uint_eq(st.st_uid, OTHER);
	ck_assert_uint_eq(st.st_gid, OTHER);
	ck_assert_int_ge(open(victim, O_WRONLY | O_CREAT | O_CLOEXEC, 0600), 0); /* root again */
}
END_TEST

START_TEST(what_root_would_make_useless_is_told)
{
	snprintf(path, sizeof(path), "%s/a", theirs);
	file_write(path, brski_span_str("x"));
	give(path, 0);
	if (geteuid() != 0)
		EXPECT(BRSKI_OK, run_as_owner(path, &who, &err));
	else
		EXPECT_WHY(BRSKI_UNTRUSTED, "belongs to root", run_as_owner(path, &who, &err));
	ck_assert(!who.other);
	snprintf(path, sizeof(path), "%s/a", mine);
	ck_assert_int_eq(chmod(mine, 01777), 0);
	if (geteuid() != 0)
		EXPECT(BRSKI_OK, run_as_owner(path, &who, &err));
	else
		EXPECT_WHY(BRSKI_UNTRUSTED, "everybody may write", run_as_owner(path, &who, &err));
}
END_TEST

/* 0: done, and for good. */
static int become_in_child(const char *user, const struct passwd *is)
{
	if (run_as_become(user, &err) != BRSKI_OK)
		return 1;
	if (getuid() != is->pw_uid || geteuid() != is->pw_uid || getegid() != is->pw_gid)
		return 2;
	return is->pw_uid != 0 && (seteuid(0) == 0 || setuid(0) == 0) ? 3 : 0;
}

static int child_becomes(const char *user, const struct passwd *is)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(become_in_child(user, is));
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

START_TEST(root_becomes_another_for_good)
{
	char self[64];
	const struct passwd *is = getpwuid(geteuid());

	EXPECT_WHY(
		BRSKI_NOT_FOUND, "no user nobody-of-this-name", run_as_become("nobody-of-this-name", &err));
	ck_assert_ptr_nonnull(is);
	snprintf(self, sizeof(self), "%s", is->pw_name);
	ck_assert_int_eq(child_becomes(self, is), 0);
	is = getpwuid(OTHER);
	ck_assert_ptr_nonnull(is);
	if (geteuid() == 0)
		ck_assert_int_eq(child_becomes("nobody", is), 0);
	else
		EXPECT_WHY(BRSKI_UNSUPPORTED, "only root", run_as_become("nobody", &err));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		in_a_folder_of_ones_own_nothing_changes,
		in_anothers_folder_a_link_leads_nowhere,
		what_root_would_make_useless_is_told,
		root_becomes_another_for_good,
	};

	return run_tests("run_as", set_up, tear_down, tests, sizeof(tests) / sizeof(tests[0]));
}
