/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "radius_module/instance.h"
#include "services/registrar_https/door_settings.h"
#include "tests/unit/support/files.h"

/*
 * Of each door, the man page and the configuration file that is installed name the settings that its
 * tables have, all of them and no other, with their standard values and bounds.
 */

#define NAMES_MAX 4
#define N_TABLES 2

static const struct door {
	const char *page, *shipped;
	const char *indent; /* before a setting in `shipped` */
	const struct setting *tables[N_TABLES];
} doors[] = {
	{"docs/man/rlm_brski.5", "radius_module/raddb/mods-available/brski", "\t",
		{brski_settings, brski_door_settings}},
	{"docs/man/registrar.conf.5", "services/registrar_https/registrar.conf", "",
		{brski_settings, door_table}},
};
#define N_DOORS ((int)(sizeof(doors) / sizeof(doors[0])))
static const struct door *door; /* that is looked at */

static const struct setting *setting_of(const char *name)
{
	const struct setting *s = NULL;

	for (size_t i = 0; !s && i < N_TABLES; i++)
		s = settings_find(door->tables[i], name);
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

/* Which of the settings were seen. */
static const struct setting *seen[128];
static size_t n_seen;

static void look_at(int which)
{
	door = &doors[which];
	n_seen = 0;
}

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
		for (const struct setting *s = door->tables[i]; s->name; s++, n++) {
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
		see(item->settings[item->n++], door->page);
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

/* All of them; each is shown to `each`, if it is not NULL. */
static void read_page(void (*each)(const struct item *item))
{
	char *page = text_of(door->page), *end = NULL, *line;
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
			each(&item);
		read_names(&item, line + 7);
	}
	each(&item);
	all_were_seen(door->page);
	free(page);
}

START_TEST(the_man_page_has_the_tables)
{
	for (int i = 0; i < N_DOORS; i++) {
		look_at(i);
		read_page(check_item);
	}
}
END_TEST

static char *texts[128]; /* of the site's settings, where they stand in its table */

static void keep_text(const struct item *item)
{
	for (size_t i = 0; i < item->n; i++)
		if (settings_find(brski_settings, item->settings[i]->name) == item->settings[i])
			texts[item->settings[i] - brski_settings] = strdup(item->text);
}

static void compare_text(const struct item *item)
{
	for (size_t i = 0; i < item->n; i++)
		if (settings_find(brski_settings, item->settings[i]->name) == item->settings[i])
			ck_assert_str_eq(texts[item->settings[i] - brski_settings], item->text);
}

/* So that what is changed in one is changed in the other. */
START_TEST(both_pages_say_the_same_of_the_sites_settings)
{
	look_at(0);
	read_page(keep_text);
	look_at(1);
	read_page(compare_text);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free(texts[i]);
}
END_TEST

/* ---- The file that is installed ---- */

/* "name = value", also one that is commented out; false: another line. */
static bool read_setting(char *line, char **name, char **value)
{
	size_t len, indent = strlen(door->indent);

	line += line[0] == '#';
	if (strncmp(line, door->indent, indent) != 0 || !islower((unsigned char)line[indent]))
		return false;
	*name = line + indent;
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

static void check_shipped(void)
{
	char *file = text_of(door->shipped), *line, *rest = file, *name, *value;
	char above[200] = "";

	while ((line = strsep(&rest, "\n"))) {
		bool comment = line[0] == '#';
		const struct setting *s;

		if (!read_setting(line, &name, &value)) {
			snprintf(above, sizeof(above), "%s", line);
			continue;
		}
		s = setting_of(name);
		see(s, door->shipped);
		check_most(s, above);
		ck_assert_msg(comment == (!s->standard && !s->required), "%s: is it a comment?", name);
		if (s->standard)
			ck_assert_str_eq(value, s->standard);
	}
	all_were_seen(door->shipped);
	free(file);
}

START_TEST(the_installed_file_has_the_tables)
{
	for (int i = 0; i < N_DOORS; i++) {
		look_at(i);
		check_shipped();
	}
}
END_TEST

/* And the example is one that is read. */
START_TEST(the_example_is_read)
{
	struct door_settings settings = {0};
	struct brski_error err;

	EXPECT(BRSKI_OK, door_settings_read(doors[1].shipped, &settings, &err));
	ck_assert_str_eq(settings.door.listen, "[::]:8443");
	door_settings_free(&settings);
}
END_TEST

/* ---- The tables ---- */

/* Whoever reads a configuration walks both. */
START_TEST(no_name_is_in_both)
{
	struct brski_config site = {0};
	struct brski_door_config eap = {0};
	struct door_config https = {0};
	struct brski_error err;

	for (int i = 0; i < N_DOORS; i++)
		for (const struct setting *s = doors[i].tables[1]; s->name; s++)
			ck_assert_ptr_null(settings_find(brski_settings, s->name));
	EXPECT(BRSKI_OK, settings_standard(brski_settings, &site, &err));
	EXPECT(BRSKI_OK, settings_standard(brski_door_settings, &eap, &err));
	EXPECT(BRSKI_OK, settings_standard(door_table, &https, &err));
	EXPECT_WHY(BRSKI_MALFORMED, "certificate_file", settings_check(brski_settings, &site, &err));
	EXPECT(BRSKI_OK, settings_check(brski_door_settings, &eap, &err));
	EXPECT(BRSKI_OK, settings_check(door_table, &https, &err));
	settings_free(brski_settings, &site);
	settings_free(brski_door_settings, &eap);
	settings_free(door_table, &https);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		the_man_page_has_the_tables,
		both_pages_say_the_same_of_the_sites_settings,
		the_example_is_read,
		the_installed_file_has_the_tables,
		no_name_is_in_both,
	};

	return run_tests("settings in pages", NULL, NULL, tests, sizeof(tests) / sizeof(tests[0]));
}
