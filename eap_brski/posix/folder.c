/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/posix/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_LEN_MAX 64
#define TEMPORARY "write.tmp~" /* no value can have this name */
#define ASIDE_MAX 1000

struct brski_folder {
	char *path;
	int fd;
	struct brski_storage storage;
};

static enum brski_code fail_errno(struct brski_error *err, const char *what, const char *name)
{
	int saved = errno;

	return brski_fail(err, saved == ENOMEM ? BRSKI_NO_MEMORY : BRSKI_INTERNAL, "%s %s: %s", what, name,
		strerror(saved));
}

/* The names of values, as storage.h gives them; no path can hide in one. */
static bool is_name(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-");

	return len >= 1 && len <= NAME_LEN_MAX && name[len] == '\0' && name[0] != '.';
}

/* Ours, and nobody else's to write: a value may be a key, or decide whom we trust. */
static enum brski_code check_owner(const struct stat *st, const char *name, struct brski_error *err)
{
	if (st->st_uid != geteuid())
		return brski_fail(err, BRSKI_UNTRUSTED, "%s belongs to another user (%lu)", name,
			(unsigned long)st->st_uid);
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return brski_fail(err, BRSKI_UNTRUSTED, "%s may be written by others (mode %03o)", name,
			(unsigned)(st->st_mode & 0777));
	return BRSKI_OK;
}

static enum brski_code read_all(
	int fd, size_t size, const char *name, struct brski_buf *out, struct brski_error *err)
{
	struct brski_buf all = {0};
	uint8_t chunk[4096];
	enum brski_code code = BRSKI_OK;
	ssize_t got;

	while ((got = read(fd, chunk, sizeof(chunk))) > 0) {
		brski_put(&all, brski_span(chunk, (size_t)got));
		if (all.len > BRSKI_STORAGE_VALUE_MAX)
			break;
	}
	explicit_bzero(chunk, sizeof(chunk));
	if (got < 0)
		code = fail_errno(err, "cannot read", name);
	else if (all.len != size)
		code = brski_fail(err, BRSKI_INTERNAL, "%s changed while it was read", name);
	else
		code = brski_buf_status(&all, err);
	if (code == BRSKI_OK)
		brski_buf_move(out, &all);
	brski_buf_free(&all);
	return code;
}

static enum brski_code folder_read(
	void *ctx, const char *name, struct brski_buf *out, struct brski_error *err)
{
	const struct brski_folder *folder = ctx;
	enum brski_code code;
	struct stat st;
	int fd;

	brski_buf_free(out);
	if (!is_name(name))
		return brski_fail(err, BRSKI_INTERNAL, "'%s' is no name of a value", name);
	fd = openat(folder->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return brski_fail(err, BRSKI_NOT_FOUND, "%s/%s does not exist", folder->path, name);
	if (fd < 0)
		return fail_errno(err, "cannot open", name);
	if (fstat(fd, &st) != 0)
		code = fail_errno(err, "cannot look at", name);
	else if (!S_ISREG(st.st_mode))
		code = brski_fail(err, BRSKI_UNTRUSTED, "%s/%s is no ordinary file", folder->path, name);
	else if (st.st_size > BRSKI_STORAGE_VALUE_MAX)
		code = brski_fail(err, BRSKI_TOO_LARGE, "%s/%s has %lld octets", folder->path, name,
			(long long)st.st_size);
	else
		code = check_owner(&st, name, err);
	if (code == BRSKI_OK)
		code = read_all(fd, (size_t)st.st_size, name, out, err);
	close(fd);
	return code;
}

static bool write_all(int fd, struct brski_span value)
{
	while (value.len > 0) {
		ssize_t done = write(fd, value.data, value.len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		value.data += done;
		value.len -= (size_t)done;
	}
	return true;
}

/* A temporary file with the value in it, on the disk. */
static enum brski_code write_temporary(
	const struct brski_folder *folder, struct brski_span value, bool secret, struct brski_error *err)
{
	mode_t mode = secret ? 0600 : 0644;
	bool done;
	int fd;

	if (unlinkat(folder->fd, TEMPORARY, 0) != 0 && errno != ENOENT)
		return fail_errno(err, "cannot remove", TEMPORARY);
	fd = openat(folder->fd, TEMPORARY, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fail_errno(err, "cannot create a file in", folder->path);
	done = write_all(fd, value) && fchmod(fd, mode) == 0 && fsync(fd) == 0;
	if (close(fd) != 0)
		done = false;
	return done ? BRSKI_OK : fail_errno(err, "cannot write to", folder->path);
}

static enum brski_code folder_write(
	void *ctx, const char *name, struct brski_span value, bool secret, struct brski_error *err)
{
	const struct brski_folder *folder = ctx;
	enum brski_code code;

	if (!is_name(name))
		return brski_fail(err, BRSKI_INTERNAL, "'%s' is no name of a value", name);
	if (value.len > BRSKI_STORAGE_VALUE_MAX)
		return brski_fail(err, BRSKI_TOO_LARGE, "%s would have %zu octets", name, value.len);
	code = write_temporary(folder, value, secret, err);
	if (code == BRSKI_OK && renameat(folder->fd, TEMPORARY, folder->fd, name) != 0)
		code = fail_errno(err, "cannot rename to", name);
	if (code == BRSKI_OK && fsync(folder->fd) != 0)
		code = fail_errno(err, "cannot make durable", name);
	if (code != BRSKI_OK)
		unlinkat(folder->fd, TEMPORARY, 0);
	return code;
}

static enum brski_code folder_remove(void *ctx, const char *name, struct brski_error *err)
{
	const struct brski_folder *folder = ctx;

	if (!is_name(name))
		return brski_fail(err, BRSKI_INTERNAL, "'%s' is no name of a value", name);
	if (unlinkat(folder->fd, name, 0) != 0 && errno != ENOENT)
		return fail_errno(err, "cannot remove", name);
	if (fsync(folder->fd) != 0)
		return fail_errno(err, "cannot make durable the removal of", name);
	return BRSKI_OK;
}

/* The first "aside-N" that does not exist yet; *fd is it. */
static enum brski_code make_aside(const struct brski_folder *folder, int *fd, struct brski_error *err)
{
	char name[32];

	for (unsigned i = 1; i <= ASIDE_MAX; i++) {
		snprintf(name, sizeof(name), "aside-%u", i);
		if (mkdirat(folder->fd, name, 0700) != 0) {
			if (errno == EEXIST)
				continue;
			return fail_errno(err, "cannot make", name);
		}
		*fd = openat(folder->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		return *fd >= 0 ? BRSKI_OK : fail_errno(err, "cannot open", name);
	}
	return brski_fail(
		err, BRSKI_TOO_LARGE, "%s holds %d folders of values set aside", folder->path, ASIDE_MAX);
}

static enum brski_code move_values(DIR *dir, int from, int to, struct brski_error *err)
{
	const struct dirent *entry;
	struct stat st;

	while ((errno = 0, entry = readdir(dir)) != NULL) {
		if (fstatat(from, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			return fail_errno(err, "cannot look at", entry->d_name);
		if (S_ISDIR(st.st_mode))
			continue;
		if (renameat(from, entry->d_name, to, entry->d_name) != 0)
			return fail_errno(err, "cannot set aside", entry->d_name);
	}
	return errno == 0 ? BRSKI_OK : fail_errno(err, "cannot list", "the folder");
}

static enum brski_code folder_set_aside(void *ctx, struct brski_error *err)
{
	const struct brski_folder *folder = ctx;
	int aside = -1;
	int list = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = list >= 0 ? fdopendir(list) : NULL;
	enum brski_code code;

	if (!dir) {
		code = fail_errno(err, "cannot list", folder->path);
		if (list >= 0)
			close(list);
		return code;
	}
	code = make_aside(folder, &aside, err);
	if (code == BRSKI_OK)
		code = move_values(dir, folder->fd, aside, err);
	if (code == BRSKI_OK && (fsync(aside) != 0 || fsync(folder->fd) != 0))
		code = fail_errno(err, "cannot make durable", folder->path);
	if (aside >= 0)
		close(aside);
	closedir(dir);
	return code;
}

static enum brski_code open_folder(const char *path, int *fd, struct brski_error *err)
{
	enum brski_code code;
	struct stat st;

	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return fail_errno(err, "cannot make the folder", path);
	*fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd < 0)
		return fail_errno(err, "cannot open the folder", path);
	if (fstat(*fd, &st) != 0)
		return fail_errno(err, "cannot look at", path);
	code = check_owner(&st, path, err);
	return code;
}

enum brski_code brski_folder_open(const char *path, struct brski_folder **out, struct brski_error *err)
{
	struct brski_folder *folder = calloc(1, sizeof(*folder));
	enum brski_code code;

	*out = NULL;
	if (!folder || !(folder->path = strdup(path))) {
		free(folder);
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for a folder");
	}
	folder->fd = -1;
	folder->storage = (struct brski_storage){
		.ctx = folder,
		.read = folder_read,
		.write = folder_write,
		.remove = folder_remove,
		.set_aside = folder_set_aside,
	};
	code = open_folder(path, &folder->fd, err);
	if (code != BRSKI_OK) {
		brski_folder_close(folder);
		return code;
	}
	*out = folder;
	return BRSKI_OK;
}

void brski_folder_close(struct brski_folder *folder)
{
	if (!folder)
		return;
	if (folder->fd >= 0)
		close(folder->fd);
	free(folder->path);
	free(folder);
}

/* The lock is the open directory's, so it is not to be confused with one of another opening. */
enum brski_code brski_folder_lock(struct brski_folder *folder, struct brski_error *err)
{
	if (flock(folder->fd, LOCK_EX | LOCK_NB) == 0)
		return BRSKI_OK;
	if (errno != EWOULDBLOCK)
		return fail_errno(err, "cannot lock the folder", folder->path);
	return brski_fail(
		err, BRSKI_UNAVAILABLE, "%s: another onboarding with this folder is under way", folder->path);
}

void brski_folder_unlock(struct brski_folder *folder)
{
	(void)flock(folder->fd, LOCK_UN);
}

const struct brski_storage *brski_folder_storage(struct brski_folder *folder)
{
	return &folder->storage;
}

bool brski_folder_path(const struct brski_folder *folder, const char *name, char *out, size_t size)
{
	int len = snprintf(out, size, "%s/%s", folder->path, name);

	return len >= 0 && (size_t)len < size;
}
