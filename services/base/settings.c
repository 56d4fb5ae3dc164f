/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/base/settings.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>

#include "eap_brski/ground/text.h"

#define LINE_LEN_MAX 1024

static void *member(const struct setting *s, void *of)
{
	return (char *)of + s->offset;
}

const struct setting *settings_find(const struct setting *table, const char *name)
{
	for (const struct setting *s = table; s->name; s++)
		if (strcmp(s->name, name) == 0)
			return s;
	return NULL;
}

/* ---- One value ---- */

static enum brski_code set_flag(
	const struct setting *s, bool *target, const char *value, struct brski_error *err)
{
	static const char *const words[] = {"no", "yes", "false", "true", "off", "on"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!value || strcasecmp(value, words[i]) == 0) {
			*target = !value || i % 2 == 1;
			return BRSKI_OK;
		}
	}
	return brski_fail(err, BRSKI_MALFORMED, "%s is yes or no, not \"%s\"", s->name, value);
}

static enum brski_code set_number(
	const struct setting *s, long *target, const char *value, struct brski_error *err)
{
	if (brski_number_read(value, s->min, s->max, target))
		return BRSKI_OK;
	return brski_fail(err, BRSKI_MALFORMED, "%s is a number from %ld to %ld, not \"%s\"", s->name, s->min,
		s->max, value);
}

static enum brski_code copy(const char *value, char **out, struct brski_error *err)
{
	*out = strdup(value);
	return *out ? BRSKI_OK : brski_fail(err, BRSKI_NO_MEMORY, "no memory for a setting");
}

static void forget(const struct setting *s, char **text)
{
	if (*text && s->kind == SETTING_SECRET)
		OPENSSL_cleanse(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

static enum brski_code set_text(
	const struct setting *s, char **target, const char *value, struct brski_error *err)
{
	char *text;
	enum brski_code code = copy(value, &text, err);

	if (code != BRSKI_OK)
		return code;
	forget(s, target);
	*target = text;
	return BRSKI_OK;
}

static enum brski_code add_item(
	const struct setting *s, struct setting_list *list, const char *value, struct brski_error *err)
{
	enum brski_code code;

	if (list->n >= SETTING_LIST_MAX)
		return brski_fail(
			err, BRSKI_TOO_LARGE, "%s is given more than %d times", s->name, SETTING_LIST_MAX);
	code = copy(value, &list->items[list->n], err);
	if (code == BRSKI_OK)
		list->n++;
	return code;
}

enum brski_code settings_set(const struct setting *s, void *into, const char *value, struct brski_error *err)
{
	void *target = member(s, into);

	if (!value && s->kind != SETTING_FLAG)
		return brski_fail(err, BRSKI_MALFORMED, "%s needs a value", s->name);
	switch (s->kind) {
	case SETTING_FLAG:
		return set_flag(s, target, value, err);
	case SETTING_NUMBER:
		return set_number(s, target, value, err);
	case SETTING_LIST:
		return add_item(s, target, value, err);
	case SETTING_TEXT:
	case SETTING_SECRET:
	default:
		return set_text(s, target, value, err);
	}
}

/* ---- All of them ---- */

enum brski_code settings_standard(const struct setting *table, void *into, struct brski_error *err)
{
	enum brski_code code = BRSKI_OK;

	for (const struct setting *s = table; code == BRSKI_OK && s->name; s++)
		if (s->standard)
			code = settings_set(s, into, s->standard, err);
	if (code != BRSKI_OK)
		settings_free(table, into);
	return code;
}

bool settings_given(const struct setting *s, const void *from)
{
	void *value = member(s, (void *)(uintptr_t)from);

	switch (s->kind) {
	case SETTING_TEXT:
	case SETTING_SECRET:
		return *(char **)value && **(char **)value != '\0';
	case SETTING_LIST:
		return ((struct setting_list *)value)->n > 0;
	case SETTING_FLAG:
	case SETTING_NUMBER:
	default:
		return true;
	}
}

enum brski_code settings_check(const struct setting *table, const void *from, struct brski_error *err)
{
	for (const struct setting *s = table; s->name; s++)
		if (s->required && !settings_given(s, from))
			return brski_fail(err, BRSKI_MALFORMED, "%s is missing", s->name);
	return BRSKI_OK;
}

void settings_free(const struct setting *table, void *of)
{
	for (const struct setting *s = table; s->name; s++) {
		struct setting_list *list = member(s, of);

		switch (s->kind) {
		case SETTING_FLAG:
			*(bool *)member(s, of) = false;
			break;
		case SETTING_NUMBER:
			*(long *)member(s, of) = 0;
			break;
		case SETTING_TEXT:
		case SETTING_SECRET:
			forget(s, member(s, of));
			break;
		case SETTING_LIST:
			while (list->n > 0)
				forget(s, &list->items[--list->n]);
			break;
		}
	}
}

/* ---- A file of them ---- */

static enum brski_code read_line(settings_take *take, void *ctx, char *line, struct brski_error *err)
{
	char *value;

	line = brski_trim_in_place(line);
	if (line[0] == '\0' || line[0] == '#')
		return BRSKI_OK;
	value = strchr(line, '=');
	if (!value)
		return brski_fail(err, BRSKI_MALFORMED, "not \"name = value\": %s", line);
	*value++ = '\0';
	return take(ctx, brski_trim_in_place(line), brski_trim_in_place(value), err);
}

enum brski_code settings_each(const char *path, settings_take *take, void *ctx, struct brski_error *err)
{
	char line[LINE_LEN_MAX];
	enum brski_code code = BRSKI_OK;
	unsigned number = 0;
	FILE *file = fopen(path, "re");
	int why;
	bool bad;

	if (!file)
		return brski_fail(err, BRSKI_NOT_FOUND, "cannot read %s: %s", path, strerror(errno));
	while (code == BRSKI_OK && fgets(line, sizeof(line), file)) {
		number++;
		if (strlen(line) == sizeof(line) - 1)
			code = brski_fail(err, BRSKI_TOO_LARGE, "the line is too long");
		else
			code = read_line(take, ctx, line, err);
	}
	OPENSSL_cleanse(line, sizeof(line));
	why = errno;
	bad = ferror(file) != 0; /* a folder, for one */
	fclose(file);
	if (bad)
		return brski_fail(err, BRSKI_NOT_FOUND, "cannot read %s: %s", path, strerror(why));
	return code == BRSKI_OK ? code : brski_fail_context(err, code, "%s, line %u", path, number);
}

struct reading {
	const struct setting *table;
	void *into;
};

static enum brski_code take_setting(void *ctx, const char *name, const char *value, struct brski_error *err)
{
	const struct reading *reading = ctx;
	const struct setting *s = settings_find(reading->table, name);

	if (!s)
		return brski_fail(err, BRSKI_MALFORMED, "no option has the name \"%s\"", name);
	if (value[0] == '\0' && s->kind != SETTING_FLAG)
		return brski_fail(err, BRSKI_MALFORMED, "%s needs a value", s->name);
	return settings_set(s, reading->into, value, err);
}

enum brski_code settings_read(
	const struct setting *table, void *into, const char *path, struct brski_error *err)
{
	struct reading reading = {table, into};

	return settings_each(path, take_setting, &reading, err);
}
