/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "radius_module/instance.h"
#include "tests/unit/support/files.h"

/*
 * The man page and the configuration file that is installed name the settings that the tables have,
 * all of them and no other, with their standard values and bounds.
 */

#define PAGE "docs/man/rlm_brski.5"
#define SHIPPED "radius_module/raddb/mods-available/brski"
#define NAMES_MAX 4

static const struct setting *const tables[] = {brski_settings, brski_door_settings};
#define N_TABLES (sizeof(tables) / sizeof(tables[0]))

static const struct setting *setting_of(const char *name)
{
	const struct setting *s = NULL;

	for (size_t i = 0; !s && i < N_TABLES; i++)
		s = settings_find(tables[i], name);
	ck_assert_msg(s != NULL, "there is no setting %s", name);
	return s;
}

static char *text_of(const char *path)
{
	struct brski_buf file = file_read(path);
	char *text = strndup((const char *)file.data, file.len);

	ck_assert_ptr_nonnull(text);
	brski_buf_free(&file);
	return text;
}

/* Which of the settings were seen, in the order of the tables. */
static const struct setting *seen[128];
static size_t n_seen;

static void see(const struct setting *s, const char *where)
{
	for (size_t i = 0; i < n_seen; i++)
		ck_assert_msg(seen[i] != s, "%s: %s is there twice", where, s->name);
	ck_assert_uint_lt(n_seen, sizeof(seen) / sizeof(seen[0]));
	seen[n_seen++] = s;
}

static void all_were_seen(const char *where)
{
	size_t n = 0;

	for (size_t i = 0; i < N_TABLES; i++) {
		for (const struct setting *s = tables[i]; s->name; s++, n++) {
			bool found = false;

			for (size_t k = 0; k < n_seen; k++)
				found = found || seen[k] == s;
			ck_assert_msg(found, "%s does not name %s", where, s->name);
		}
	}
	ck_assert_uint_eq(n, n_seen);
}

/* ---- The man page ---- */

struct item {
	const struct setting *settings[NAMES_MAX];
	size_t n;
	char text[1200]; /* what it says of them, without macros, in one line */
};

/* "name , other" behind ".It Ic" */
static void read_names(struct item *item, char *line)
{
	item->n = 0;
	for (char *name = strtok(line, " ,"); name; name = strtok(NULL, " ,")) {
		ck_assert_uint_lt(item->n, NAMES_MAX);
		item->settings[item->n] = setting_of(name);
		see(item->settings[item->n++], PAGE);
	}
	item->text[0] = '\0';
}

static void add_text(struct item *item, const char *line)
{
	size_t used = strlen(item->text);

	if (line[0] == '.')
		line += strcspn(line, " ");
	snprintf(item->text + used, sizeof(item->text) - used, "%s%s", line[0] == ' ' ? "" : " ", line);
	ck_assert_uint_lt(strlen(item->text) + 1, sizeof(item->text));
}

/* "Default: 5 and 30." */
static void check_standard(const struct item *item)
{
	char want[256] = "";
	const char *says = strstr(item->text, "Default: ");

	for (size_t i = 0; i < item->n; i++) {
		const char *standard = item->settings[i]->standard;

		snprintf(want + strlen(want), sizeof(want) - strlen(want), "%s%s", i ? " and " : "",
			standard ? standard : "none");
	}
	if (!item->settings[0]->standard && !says)
		return;
	ck_assert_msg(says != NULL, "%s lacks its default, %s", item->settings[0]->name, want);
	says += strlen("Default: ");
	ck_assert_msg(strncmp(says, want, strlen(want)) == 0 && strchr(" .,;", says[strlen(want)]),
		"%s: the default is %s, and not %s", item->settings[0]->name, want, says);
}

/* "128 to 3800": the next that it says; NULL: no more. */
static const char *next_bounds(const char *text, long *low, long *high)
{
	for (; *text; text += strspn(text, "0123456789")) {
		text += strcspn(text, "0123456789");
		if (sscanf(text, "%ld to %ld", low, high) == 2)
			return strstr(text, " to ") + strlen(" to ");
	}
	return NULL;
}

/* Of every number, in order; once for two that have the same. */
static void check_bounds(const struct item *item)
{
	const char *rest = item->text;
	long low = 0, high = 0;

	for (size_t i = 0; i < item->n; i++) {
		const struct setting *s = item->settings[i];

		if (s->kind != SETTING_NUMBER || (i > 0 && low == s->min && high == s->max))
			continue;
		rest = next_bounds(rest, &low, &high);
		ck_assert_msg(rest && low == s->min && high == s->max, "%s: from %ld to %ld, it says:%s",
			s->name, s->min, s->max, item->text);
	}
	ck_assert_msg(!next_bounds(rest, &low, &high), "%s: what has these bounds?%s",
		item->settings[0]->name, item->text);
}

static void check_item(const struct item *item)
{
	for (size_t i = 0; i < item->n; i++) {
		const struct setting *s = item->settings[i];
		bool must = s->required && !s->standard;

		ck_assert_msg(
			must == (strstr(item->text, " Required.") != NULL), "%s: is it required?", s->name);
	}
	check_standard(item);
	check_bounds(item);
}

START_TEST(the_man_page_has_the_tables)
{
	char *page = text_of(PAGE), *end = NULL, *line;
	struct item item = {0};

	line = strstr(page, ".Sh OPTIONS\n");
	ck_assert_ptr_nonnull(line);
	end = strstr(line + 1, "\n.El\n");
	ck_assert_ptr_nonnull(end);
	end[1] = '\0';
	for (line = strchr(line, '\n') + 1; *line; line = end) {
		end = strchr(line, '\n');
		*end++ = '\0';
		if (strncmp(line, ".It Ic ", 7) != 0) {
			add_text(&item, line);
			continue;
		}
		if (item.n)
			check_item(&item);
		read_names(&item, line + 7);
	}
	check_item(&item);
	all_were_seen(PAGE);
	free(page);
}
END_TEST

/* ---- The file that is installed ---- */

/* "name = value", also one that is commented out; false: another line. */
static bool read_setting(char *line, char **name, char **value)
{
	size_t len;

	line += line[0] == '#' && line[1] == '\t';
	if (line[0] != '\t' || !islower((unsigned char)line[1]))
		return false;
	*name = line + 1;
	len = strspn(*name, "abcdefghijklmnopqrstuvwxyz_");
	if (strncmp(*name + len, " = ", 3) != 0)
		return false;
	(*name)[len] = '\0';
	*value = *name + len + 3;
	if (**value == '"') {
		(*value)++;
		(*value)[strcspn(*value, "\"")] = '\0';
	}
	return true;
}

/* "At most 1000", in the comment above a setting */
static void check_most(const struct setting *s, const char *comment)
{
	const char *most = strcasestr(comment, "at most ");

	if (most)
		ck_assert_msg(strtol(most + strlen("at most "), NULL, 10) == s->max,
			"%s: at most %ld, the file says: %s", s->name, s->max, most);
}

START_TEST(the_installed_file_has_the_tables)
{
	char *file = text_of(SHIPPED), *line, *rest = file, *name, *value;
	char above[200] = "";

	while ((line = strsep(&rest, "\n"))) {
		bool comment = line[0] == '#';
		const struct setting *s;

		if (!read_setting(line, &name, &value)) {
			snprintf(above, sizeof(above), "%s", line);
			continue;
		}
		s = setting_of(name);
		see(s, SHIPPED);
		check_most(s, above);
		ck_assert_msg(comment == (!s->standard && !s->required), "%s: is it a comment?", name);
		if (s->standard)
			ck_assert_str_eq(value, s->standard);
	}
	all_were_seen(SHIPPED);
	free(file);
}
END_TEST

/* ---- The tables ---- */

/* Whoever reads FreeRADIUS's configuration walks both. */
START_TEST(no_name_is_in_both)
{
	struct brski_config site = {0};
	struct brski_door_config door = {0};
	struct brski_error err;

	for (const struct setting *s = brski_door_settings; s->name; s++)
		ck_assert_ptr_null(settings_find(brski_settings, s->name));
	EXPECT(BRSKI_OK, settings_standard(brski_settings, &site, &err));
	EXPECT(BRSKI_OK, settings_standard(brski_door_settings, &door, &err));
	EXPECT_WHY(BRSKI_MALFORMED, "certificate_file", settings_check(brski_settings, &site, &err));
	EXPECT(BRSKI_OK, settings_check(brski_door_settings, &door, &err));
	settings_free(brski_settings, &site);
	settings_free(brski_door_settings, &door);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		the_man_page_has_the_tables,
		the_installed_file_has_the_tables,
		no_name_is_in_both,
	};

	return run_tests("settings in pages", NULL, NULL, tests, sizeof(tests) / sizeof(tests[0]));
}
