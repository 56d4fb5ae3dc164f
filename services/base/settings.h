/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BASE_SETTINGS_H
#define BRSKI_SERVICES_BASE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "eap_brski/ground/error.h"

/*
 * Settings as a table: what a program can be told, under which name, within which bounds. Whoever
 * reads settings (a daemon's command line and file, FreeRADIUS's configuration, brskictl) walks the
 * table and knows none of them by itself. The values stand in a plain structure of the owner's.
 */
enum setting_kind {
	SETTING_FLAG,   /* bool; "yes" or "no", "true" or "false", "on" or "off" */
	SETTING_NUMBER, /* long, from min to max */
	SETTING_TEXT,   /* char *; NULL: not given */
	SETTING_SECRET, /* the same, never printed or logged, wiped in settings_free() */
	SETTING_LIST,   /* struct setting_list; may be given several times */
};

#define SETTING_LIST_MAX 16
struct setting_list {
	char *items[SETTING_LIST_MAX];
	size_t n;
};

struct setting {
	const char *name; /* as it is written in a file; NULL ends a table */
	enum setting_kind kind;
	size_t offset;        /* of its member in the structure */
	long min, max;        /* of numbers */
	const char *standard; /* what it is when it is not given, as text; NULL: no, 0, nothing */
	bool required;        /* must be given, and not be empty: settings_check() */
	const char *value;    /* what stands for the value in a help text; NULL for flags */
	const char *help;     /* a line for people */
};

/* Every member of a zeroed structure gets its standard value. BRSKI_NO_MEMORY. */
BRSKI_CHECKED enum brski_code settings_standard(
	const struct setting *table, void *into, struct brski_error *err);
/* The setting of that name; NULL: there is none. */
const struct setting *settings_find(const struct setting *table, const char *name);
/*
 * Takes a value as text; what was there is replaced (of a list: added to). value is copied. Of a
 * flag, NULL means yes. BRSKI_MALFORMED: no such value, or out of bounds; BRSKI_TOO_LARGE: a list
 * is full; BRSKI_NO_MEMORY.
 */
BRSKI_CHECKED enum brski_code settings_set(
	const struct setting *setting, void *into, const char *value, struct brski_error *err);
/*
 * Reads lines of "name = value"; '#' begins a comment line; blanks around name and value go.
 * A name that is not in the table is BRSKI_MALFORMED. The error names file and line.
 * BRSKI_NOT_FOUND: the file cannot be read.
 */
BRSKI_CHECKED enum brski_code settings_read(
	const struct setting *table, void *into, const char *path, struct brski_error *err);
/*
 * The same lines for whoever wants some of them, whatever their names are: `take` gets each, in their
 * order, and its error ends it; value may be "". The error names file and line.
 */
typedef enum brski_code settings_take(
	void *ctx, const char *name, const char *value, struct brski_error *err);
BRSKI_CHECKED enum brski_code settings_each(
	const char *path, settings_take *take, void *ctx, struct brski_error *err);
/* Whether there is a value that is not empty; a flag or a number always has one. */
bool settings_given(const struct setting *setting, const void *from);
/* BRSKI_MALFORMED: a required setting is missing; the error names it. */
BRSKI_CHECKED enum brski_code settings_check(
	const struct setting *table, const void *from, struct brski_error *err);
/* Frees texts, wipes secrets, and zeroes every member. */
void settings_free(const struct setting *table, void *of);

#endif
