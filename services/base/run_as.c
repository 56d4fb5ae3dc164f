/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/base/run_as.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/base/file.h"

#define NOBODY ((uid_t)-1) /* setfsuid() changes nothing for it, and tells what is */

static bool fs_is(uid_t uid, gid_t gid)
{
	return (uid_t)setfsuid(NOBODY) == uid && (gid_t)setfsgid((gid_t)NOBODY) == gid;
}

/* The group first: after the user has changed, it may not be. */
static bool change(uid_t uid, gid_t gid)
{
	setfsgid(gid);
	setfsuid(uid);
	return fs_is(uid, gid);
}

static bool change_back(void)
{
	setfsuid(geteuid());
	setfsgid(getegid());
	return fs_is(geteuid(), getegid());
}

/* To go on with rights that are not known would be worse than to end. */
void run_as_begin(const struct run_as *who)
{
	if (who->other && !change(who->uid, who->gid))
		abort();
}

void run_as_end(const struct run_as *who)
{
	int saved = errno;

	if (who->other && !change_back())
		abort();
	errno = saved;
}

static enum brski_code try_it(const struct run_as *who, struct brski_error *err)
{
	bool done = setgroups(0, NULL) == 0 && change(who->uid, who->gid);

	if (!change_back())
		abort();
	return done ? BRSKI_OK
		    : brski_fail(err, BRSKI_INTERNAL,
			      "cannot work with the rights of the folder's owner (user %lu)",
			      (unsigned long)who->uid);
}

static enum brski_code check(
	const struct stat *folder, int fd, const char *name, struct run_as *out, struct brski_error *err)
{
	struct stat file;

	if (folder->st_uid == 0 && (folder->st_mode & S_IWOTH))
		return brski_fail(err, BRSKI_UNTRUSTED,
			"everybody may write in its folder: root works in a folder of its own");
	if (folder->st_uid == 0)
		return BRSKI_OK;
	if (fstatat(fd, name, &file, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(file.st_mode) && file.st_uid == 0)
		return brski_fail(err, BRSKI_UNTRUSTED,
			"it belongs to root, and its folder to user %lu: give one to the owner of the other "
			"(chown)",
			(unsigned long)folder->st_uid);
	*out = (struct run_as){.other = true, .uid = folder->st_uid, .gid = folder->st_gid};
	return try_it(out, err);
}

enum brski_code run_as_owner(const char *path, struct run_as *out, struct brski_error *err)
{
	const char *slash = strrchr(path, '/');
	enum brski_code code = BRSKI_OK;
	char folder[4096];
	struct stat st;
	int fd;

	*out = (struct run_as){0};
	if (geteuid() != 0)
		return BRSKI_OK;
	brski_file_folder(path, folder, sizeof(folder));
	fd = open(folder[0] ? folder : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return BRSKI_OK; /* nothing can be made there: whoever tries says why */
	if (fstat(fd, &st) == 0)
		code = check(&st, fd, slash ? slash + 1 : path, out, err);
	else
		code = brski_fail(err, BRSKI_INTERNAL, "cannot look at its folder: %s", strerror(errno));
	close(fd);
	return code;
}

/* What can be undone has not been done. */
static bool become(const struct passwd *who)
{
	return initgroups(who->pw_name, who->pw_gid) == 0 &&
	       setresgid(who->pw_gid, who->pw_gid, who->pw_gid) == 0 &&
	       setresuid(who->pw_uid, who->pw_uid, who->pw_uid) == 0 && (who->pw_uid == 0 || setuid(0) != 0);
}

enum brski_code run_as_become(const char *user, struct brski_error *err)
{
	const struct passwd *who = getpwnam(user);

	if (!who)
		return brski_fail(err, BRSKI_NOT_FOUND, "there is no user %s", user);
	if (geteuid() == who->pw_uid && getuid() == who->pw_uid)
		return BRSKI_OK;
	if (geteuid() != 0)
		return brski_fail(err, BRSKI_UNSUPPORTED, "only root can become user %s", user);
	return become(who)
		       ? BRSKI_OK
		       : brski_fail(err, BRSKI_INTERNAL, "cannot become user %s: %s", user, strerror(errno));
}
