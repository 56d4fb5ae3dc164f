/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A process that has this library preloaded dies of SIGKILL at a point that the environment names,
 * so that a test can kill it between two steps that are microseconds apart:
 *
 *   KILL_AT=PROGRAM:say:TEXT     when it has written a log line with TEXT in it
 *   KILL_AT=PROGRAM:write:N      when it is about to make its Nth write to disk or network
 *   KILL_AT=PROGRAM:count:FILE   never; at its end FILE gets the number of such writes
 *
 * KILL_FROM=TEXT in the environment: writes are counted from the log line on that has TEXT in it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/e2e/real.h"

static const char *say;   /* NULL: not at a line */
static const char *count; /* NULL: not to be counted */
static const char *from;  /* NULL: from the start */
static unsigned long at;  /* 0: not at a write */
static atomic_ulong writes;
static atomic_bool counting;

__attribute__((constructor)) static void begin(void)
{
	const char *env = getenv("KILL_AT");
	size_t len = strlen(program_invocation_short_name);

	if (!env || strncmp(env, program_invocation_short_name, len) != 0 || env[len] != ':')
		return;
	env += len + 1;
	from = getenv("KILL_FROM");
	atomic_store(&counting, !from);
	if (strncmp(env, "say:", 4) == 0)
		say = env + 4;
	else if (strncmp(env, "write:", 6) == 0)
		at = strtoul(env + 6, NULL, 10);
	else if (strncmp(env, "count:", 6) == 0)
		count = env + 6;
}

__attribute__((destructor)) static void end(void)
{
	FILE *file = count ? fopen(count, "w") : NULL;

	if (!file)
		return;
	fprintf(file, "%lu\n", atomic_load(&writes));
	fclose(file);
}

static void die(void)
{
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

static void before_write(void)
{
	if (atomic_load(&counting) && atomic_fetch_add(&writes, 1) + 1 == at)
		die();
}

static void after_line(const void *text, size_t len)
{
	if (say && len > 0 && memmem(text, len, say, strlen(say)))
		die();
	if (from && len > 0 && memmem(text, len, from, strlen(from)))
		atomic_store(&counting, true);
}

/* Pipes are for talking to oneself. */
static bool leaves_the_process(int fd)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	struct stat st;

	if (fd <= 2 || fstat(fd, &st) != 0)
		return false;
	if (S_ISREG(st.st_mode))
		return true;
	return S_ISSOCK(st.st_mode) && getsockname(fd, (struct sockaddr *)&address, &len) == 0 &&
	       address.ss_family == AF_INET;
}

/* ---- Log lines ---- */

ssize_t write(int fd, const void *data, size_t len)
{
	ssize_t n;

	REAL(write);
	if (leaves_the_process(fd))
		before_write();
	n = real(fd, data, len);
	after_line(data, len);
	return n;
}

static int print(FILE *to, const char *fmt, va_list args)
{
	char line[4096];
	int n = vsnprintf(line, sizeof(line), fmt, args);

	if (n < 0)
		return n;
	fputs(line, to);
	if (say)
		fflush(to);
	after_line(line, strlen(line));
	return n;
}

/*
 * Log lines are all that the programs print so. vprintf() is an inline function, the others are
 * what fortified headers make of it.
 */
int vfprintf(FILE *to, const char *fmt, va_list args)
{
	return print(to, fmt, args);
}

int __vfprintf_chk(FILE *to, int flag, const char *fmt, va_list args);
int __vfprintf_chk(FILE *to, int flag, const char *fmt, va_list args)
{
	(void)flag;
	return print(to, fmt, args);
}

int vprintf(const char *fmt, va_list args)
{
	return print(stdout, fmt, args);
}

int __vprintf_chk(int flag, const char *fmt, va_list args);
int __vprintf_chk(int flag, const char *fmt, va_list args)
{
	(void)flag;
	return print(stdout, fmt, args);
}

int __fprintf_chk(FILE *to, int flag, const char *fmt, ...);
int __fprintf_chk(FILE *to, int flag, const char *fmt, ...)
{
	va_list args;
	int n;

	(void)flag;
	va_start(args, fmt);
	n = print(to, fmt, args);
	va_end(args);
	return n;
}

/* ---- What lasts, and what others see ---- */

ssize_t pwrite(int fd, const void *data, size_t len, off_t offset)
{
	REAL(pwrite);
	before_write();
	return real(fd, data, len, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t offset)
{
	REAL(pwrite64);
	before_write();
	return real(fd, data, len, offset);
}

int renameat(int old_fd, const char *old, int new_fd, const char *new_name)
{
	REAL(renameat);
	before_write();
	return real(old_fd, old, new_fd, new_name);
}

int unlinkat(int fd, const char *name, int flags)
{
	REAL(unlinkat);
	before_write();
	return real(fd, name, flags);
}

ssize_t send(int fd, const void *data, size_t len, int flags)
{
	REAL(send);
	if (leaves_the_process(fd))
		before_write();
	return real(fd, data, len, flags);
}

ssize_t sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *to, socklen_t to_len)
{
	REAL(sendto);
	if (leaves_the_process(fd))
		before_write();
	return real(fd, data, len, flags, to, to_len);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	REAL(sendmsg);
	if (leaves_the_process(fd))
		before_write();
	return real(fd, message, flags);
}

ssize_t writev(int fd, const struct iovec *data, int n)
{
	REAL(writev);
	if (leaves_the_process(fd))
		before_write();
	return real(fd, data, n);
}
