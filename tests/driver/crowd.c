/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/driver/crowd.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *program = "driver";

void crowd_begin(const char *name)
{
	program = name;
}

void crowd_die(const char *what, const char *detail)
{
	fprintf(stderr, "%s: %s%s%s\n", program, what, detail ? ": " : "", detail ? detail : "");
	exit(2);
}

/* ---- Options ---- */

unsigned crowd_number(const char *text, const char *option)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (*text == '\0' || *end != '\0' || v > 10000000)
		crowd_die("not a number", option);
	return (unsigned)v;
}

STACK_OF(X509) *crowd_certificates(const char *file)
{
	STACK_OF(X509) *certs = NULL;
	struct brski_error err;

	if (brski_certs_load(file, &certs, &err) != BRSKI_OK)
		crowd_die(file, err.why);
	return certs;
}

enum brski_key_type crowd_key_type(const char *name)
{
	enum brski_key_type type;
	struct brski_error err;

	if (brski_key_type_parse(name, &type, &err) != BRSKI_OK)
		crowd_die("--key-type", err.why);
	return type;
}

bool crowd_signer(const char *text, const char *what, struct brski_credential *out)
{
	size_t len = strlen(what);
	const char *file = text + len + 1;
	struct brski_error err;

	if (strncmp(text, what, len) != 0 || text[len] != '=')
		return false;
	if (brski_credential_load(file, NULL, file, out, &err) != BRSKI_OK)
		crowd_die(file, err.why);
	return true;
}

/* ---- Devices ---- */

static int is_certificate(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 4 && strcmp(entry->d_name + len - 4, ".pem") == 0;
}

char (*crowd_names(const char *folder, unsigned *count))[CROWD_NAME_MAX]
{
	struct dirent **entries;
	int n = scandir(folder, &entries, is_certificate, alphasort);
	char(*names)[CROWD_NAME_MAX];

	if (n < 0)
		crowd_die(folder, strerror(errno));
	if (*count == 0)
		*count = (unsigned)n;
	if (n == 0 || *count > (unsigned)n)
		crowd_die("not as many IDevIDs as that", folder);
	names = crowd_calloc(*count, sizeof(*names));
	for (unsigned i = 0; i < (unsigned)n; i++) {
		if (i < *count)
			snprintf(names[i], sizeof(names[i]), "%.*s", (int)strlen(entries[i]->d_name) - 4,
				entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return names;
}

void crowd_folder(const char *path)
{
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		crowd_die(path, strerror(errno));
}

/* ---- Figures ---- */

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

json_t *crowd_spread(int64_t *values, size_t n)
{
	int64_t sum = 0;

	if (n == 0)
		return json_object();
	for (size_t i = 0; i < n; i++)
		sum += values[i];
	qsort(values, n, sizeof(*values), by_size);
	return json_pack("{sI sI sI sI sI}", "min", (json_int_t)values[0], "median",
		(json_int_t)values[n / 2], "p95", (json_int_t)values[n * 95 / 100], "max",
		(json_int_t)values[n - 1], "sum", (json_int_t)sum);
}

void *crowd_calloc(size_t n, size_t size)
{
	void *memory = calloc(n, size);

	if (!memory)
		crowd_die("no memory", NULL);
	return memory;
}

void crowd_write(json_t *all, const char *path)
{
	if (!all || json_dump_file(all, path, JSON_INDENT(2)) != 0)
		crowd_die(path, "cannot be written");
	json_decref(all);
}
