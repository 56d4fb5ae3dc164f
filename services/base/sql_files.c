/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/base/sql_files.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/base/file.h"

#define PATH_SIZE 4096
#define USER_SIZE 64
#define RIGHTS 07777 /* of st_mode */

/* The database's own is the first. */
static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
#define N_FILES (sizeof(endings) / sizeof(endings[0]))

static const char *user_name(uid_t uid, char out[USER_SIZE])
{
	struct passwd entry, *found = NULL;
	char text[2048];

	if (getpwuid_r(uid, &entry, text, sizeof(text), &found) == 0 && found)
		snprintf(out, USER_SIZE, "%s", found->pw_name);
	else
		snprintf(out, USER_SIZE, "%lu", (unsigned long)uid);
	return out;
}

/* ---- Why not ---- */

/* Whose rights on files this thread has: run_as.h changes them. */
static uid_t myself(void)
{
	return (uid_t)setfsuid((uid_t)-1);
}

/* True: it may not. */
static bool refused(const char *path, int how)
{
	return faccessat(AT_FDCWD, path, how, AT_EACCESS) != 0 &&
	       (errno == EACCES || errno == EPERM || errno == EROFS);
}

static void say(const char *what, const char *path, char *words, size_t size)
{
	int reason = errno;
	char me[USER_SIZE], owner[USER_SIZE];
	struct stat st;

	user_name(myself(), me);
	if (reason == EROFS)
		snprintf(words, size, "%s is on a file system that is read-only", path);
	else if (stat(path, &st) != 0)
		snprintf(words, size, "user %s may not %s %s", me, what, path);
	else
		snprintf(words, size, "user %s may not %s %s, which is %s's, mode %o", me, what, path,
			user_name(st.st_uid, owner), st.st_mode & RIGHTS);
}

/* The folder nearest to the root that bars the way to a file. */
static bool barred(const char *path, char *words, size_t size)
{
	char folder[PATH_SIZE];

	for (const char *slash = path[0] ? strchr(path + 1, '/') : NULL; slash;
		slash = strchr(slash + 1, '/')) {
		if (snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path) >=
			(int)sizeof(folder))
			return false;
		if (refused(folder, X_OK)) {
			say("look into", folder, words, size);
			return true;
		}
	}
	return false;
}

static bool is_his(const struct stat *file, const struct stat *folder)
{
	return file->st_uid == folder->st_uid && (file->st_mode & (S_IRUSR | S_IWUSR)) == (S_IRUSR | S_IWUSR);
}

static void add_mend(const char *path, const char *folder, const char *mend, char *words, size_t size)
{
	size_t len = strlen(words);
	struct stat file, at;

	if (mend && stat(path, &file) == 0 && stat(folder, &at) == 0 && !is_his(&file, &at))
		snprintf(words + len, size - len, "; %s", mend);
}

bool sql_files_why_not(const char *database, const char *mend, char *words, size_t size)
{
	char folder[PATH_SIZE], path[PATH_SIZE];

	if (barred(database, words, size))
		return true;
	brski_file_folder(database, folder, sizeof(folder));
	if (access(folder[0] ? folder : "/", F_OK) != 0 && errno == ENOENT) {
		snprintf(words, size, "there is no folder %s", folder);
		return true;
	}
	for (size_t i = 0; i < N_FILES; i++) {
		if (snprintf(path, sizeof(path), "%s%s", database, endings[i]) >= (int)sizeof(path))
			return false;
		if (refused(path, R_OK | W_OK)) {
			say("read and write", path, words, size);
			add_mend(path, folder, mend, words, size);
			return true;
		}
	}
	if (!refused(folder[0] ? folder : "/", W_OK | X_OK))
		return false;
	say("make files in", folder, words, size);
	return true;
}

/* ---- Mending ---- */

struct mending {
	int folder;
	struct stat at; /* the folder */
	sql_files_mended *tell;
	void *ctx;
};

/* What is opened here is looked at and changed, and nothing else, whatever its name is by then. */
static enum brski_code mend_open(const struct mending *m, int fd, const char *path, struct brski_error *err)
{
	char was[USER_SIZE], is[USER_SIZE], words[PATH_SIZE + 256];
	struct stat st;
	mode_t mode;

	if (fstat(fd, &st) != 0)
		return brski_fail(err, BRSKI_INTERNAL, "cannot look at %s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1)
		return brski_fail(err, BRSKI_UNTRUSTED,
			"%s is no plain file of one name: look at it, and remove it if it is not yours",
			path);
	if (is_his(&st, &m->at) && !(st.st_mode & S_IRWXO))
		return BRSKI_OK;
	mode = (st.st_mode & (S_IRWXU | S_IRWXG)) | S_IRUSR | S_IWUSR;
	if ((st.st_uid != m->at.st_uid && fchown(fd, m->at.st_uid, m->at.st_gid) != 0) ||
		fchmod(fd, mode) != 0)
		return brski_fail(
			err, BRSKI_INTERNAL, "cannot change whose %s is: %s", path, strerror(errno));
	snprintf(words, sizeof(words), "%s was %s's, mode %o; it is %s's, mode %o", path,
		user_name(st.st_uid, was), st.st_mode & RIGHTS, user_name(m->at.st_uid, is), mode);
	m->tell(m->ctx, words);
	return BRSKI_OK;
}

static enum brski_code mend_one(const struct mending *m, const char *path, struct brski_error *err)
{
	const char *slash = strrchr(path, '/');
	int fd = openat(m->folder, slash ? slash + 1 : path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	enum brski_code code;

	if (fd < 0 && errno == ENOENT)
		return BRSKI_OK;
	if (fd < 0)
		return brski_fail(err, errno == ELOOP ? BRSKI_UNTRUSTED : BRSKI_INTERNAL,
			"cannot open %s: %s", path,
			errno == ELOOP ? "it is a symbolic link" : strerror(errno));
	code = mend_open(m, fd, path, err);
	close(fd);
	return code;
}

enum brski_code sql_files_mend(
	const char *database, sql_files_mended *tell, void *ctx, struct brski_error *err)
{
	struct mending m = {.tell = tell, .ctx = ctx};
	char path[PATH_SIZE];
	enum brski_code code = BRSKI_OK;

	if (geteuid() != 0)
		return BRSKI_OK;
	brski_file_folder(database, path, sizeof(path));
	m.folder = open(path[0] ? path : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (m.folder < 0)
		return BRSKI_OK; /* whoever makes the database says why he cannot */
	if (fstat(m.folder, &m.at) != 0)
		code = brski_fail(err, BRSKI_INTERNAL, "cannot look at %s: %s", path, strerror(errno));
	for (size_t i = 0; code == BRSKI_OK && m.at.st_uid != 0 && i < N_FILES; i++) {
		if (snprintf(path, sizeof(path), "%s%s", database, endings[i]) >= (int)sizeof(path))
			code = brski_fail(err, BRSKI_TOO_LARGE, "the database's name is too long");
		else
			code = mend_one(&m, path, err);
	}
	close(m.folder);
	return code;
}
