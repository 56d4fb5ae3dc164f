/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A slow disk. In a process that has this library preloaded, fsync() and fdatasync() do as the files in
 * the folder SLOW_SYNC say, which may change meanwhile:
 *
 *   ms      so many milliseconds more for each; none: no more than the disk itself takes
 *   block   while this is there, none returns
 *   count   gets an octet for each that has begun: its size is how many there were
 *   done    the same, for each that was slowed down and has come to its end
 *
 * FreeRADIUS loads modules with RTLD_DEEPBIND, by which they and their libraries find libc's functions
 * before these; so dlopen() forgets that flag here.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/e2e/real.h"

#define LOOK_MS 10

static bool path_of(const char *name, char path[512])
{
	const char *folder = getenv("SLOW_SYNC");

	return folder && snprintf(path, 512, "%s/%s", folder, name) < 512;
}

static void count(const char *name)
{
	char path[512];
	int fd = path_of(name, path) ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;

	if (fd < 0)
		return;
	if (write(fd, ".", 1) != 1)
		abort(); /* whoever counts must not be misled */
	close(fd);
}

static long extra_ms(void)
{
	char path[512], text[16] = "";
	int fd = path_of("ms", path) ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return strtol(text, NULL, 10);
}

static bool is_blocked(void)
{
	char path[512];

	return path_of("block", path) && access(path, F_OK) == 0;
}

static void pause_ms(long ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	while (nanosleep(&t, &t) != 0 && errno == EINTR)
		;
}

static void slow_down(void)
{
	long ms = extra_ms();
	bool blocked = is_blocked();

	count("count");
	while (is_blocked())
		pause_ms(LOOK_MS);
	if (ms > 0)
		pause_ms(ms);
	if (ms > 0 || blocked)
		count("done");
}

int fdatasync(int fd)
{
	REAL(fdatasync);
	slow_down();
	return real(fd);
}

int fsync(int fd)
{
	REAL(fsync);
	slow_down();
	return real(fd);
}

void *dlopen(const char *file, int mode)
{
	REAL(dlopen);
	return real(file, mode & ~RTLD_DEEPBIND);
}
