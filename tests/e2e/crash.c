/* SPDX-License-Identifier: BSD-3-Clause */
#include <dlfcn.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Preloaded into a supplicant, this kills it at a write to its state folder, as if the power had
 * failed. A value gets into that folder by one renameat(), so that every crash is before one of
 * these or after it.
 *
 *   CRASH=before|after:NAME:N   at the Nth write of the value NAME; NAME * is any value
 */

typedef int renameat_function(int from_fd, const char *from, int to_fd, const char *to);

renameat_function renameat;

struct point {
	char side[8];
	char name[65];
	int n;
};

static bool wanted(struct point *p)
{
	const char *text = getenv("CRASH");

	return text && sscanf(text, "%7[^:]:%64[^:]:%d", p->side, p->name, &p->n) == 3;
}

static void die(const struct point *p, const char *name)
{
	fflush(NULL); /* the log is for the test, and may tell all */
	dprintf(STDERR_FILENO, "\ncrash: %s the write of %s\n", p->side, name);
	kill(getpid(), SIGKILL);
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	static int n;
	struct point p;
	renameat_function *real;
	bool here = wanted(&p) && (strcmp(p.name, "*") == 0 || strcmp(p.name, to) == 0) && ++n == p.n;
	int rc;

	*(void **)&real = dlsym(RTLD_NEXT, "renameat");
	if (here && strcmp(p.side, "before") == 0)
		die(&p, to);
	rc = real(from_fd, from, to_fd, to);
	if (here)
		die(&p, to);
	return rc;
}
