/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/owner.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* proc(5): of /proc/PID/stat, counted behind the name in parentheses */
#define STAT_STATE 1
#define STAT_START 20
#define PLACE_MAX 85

struct process {
	char state; /* 'Z', 'X': it has ended, and nobody has asked how */
	unsigned long long
		start; /* clock ticks since boot: a number of a process comes again, this does not */
};

/* False: proc does not say. */
static bool look_up(long pid, struct process *out)
{
	char path[64], line[1024], *field, *save;
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	n = fread(line, 1, sizeof(line) - 1, f);
	fclose(f);
	line[n] = '\0';
	field = strrchr(line, ')'); /* the name may have any octets in it */
	if (!field)
		return false;
	field = strtok_r(field + 1, " ", &save);
	out->state = field ? *field : '\0';
	for (int i = STAT_STATE; field && i < STAT_START; i++)
		field = strtok_r(NULL, " ", &save);
	out->start = field ? strtoull(field, NULL, 10) : 0;
	return field != NULL;
}

/*
 * "HOST/BOOT/NAMESPACE/": within it, a number names one process at a time. Hosts may have the same name
 * by mistake, but never the same boot_id (random(4)). False: there is none here to be told by.
 */
static bool name_place(char out[PLACE_MAX])
{
	char host[64] = "", boot[37] = "";
	struct stat ns = {0};
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (f) {
		if (fscanf(f, "%36s", boot) != 1)
			boot[0] = '\0';
		fclose(f);
	}
	if (gethostname(host, sizeof(host) - 1) != 0)
		host[0] = '\0';
	if (stat("/proc/self/ns/pid", &ns) != 0)
		ns.st_ino = 0;
	snprintf(out, PLACE_MAX, "%.24s/%s/%llu/", host, boot, (unsigned long long)ns.st_ino);
	return boot[0] && ns.st_ino != 0;
}

enum brski_code brski_owner_make(
	const struct brski_env *env, char out[BRSKI_OWNER_MAX], struct brski_error *err)
{
	char place[PLACE_MAX];
	struct process self = {0};
	uint8_t r[4];
	long pid = (long)getpid();
	enum brski_code code = brski_random(env, r, sizeof(r), err);

	out[0] = '\0';
	if (code != BRSKI_OK)
		return code;
	if (!name_place(place) || !look_up(pid, &self))
		self.start = 0;
	snprintf(out, BRSKI_OWNER_MAX, "%s%ld/%llu/%02x%02x%02x%02x", place, pid, self.start, r[0], r[1],
		r[2], r[3]);
	return BRSKI_OK;
}

bool brski_owner_is_gone(const char *owner)
{
	char place[PLACE_MAX];
	struct process p;
	unsigned long long start;
	long pid;

	if (!name_place(place) || strncmp(owner, place, strlen(place)) != 0 ||
		sscanf(owner + strlen(place), "%ld/%llu/", &pid, &start) != 2 || pid <= 0 || start == 0)
		return false;
	if (kill((pid_t)pid, 0) != 0 && errno == ESRCH)
		return true;
	return look_up(pid, &p) && (p.start != start || p.state == 'Z' || p.state == 'X');
}
