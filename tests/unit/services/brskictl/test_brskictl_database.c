/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "services/brskictl/brskictl.h"
#include "services/brskictl/brskictl_database.h"
#include "tests/unit/support/files.h"

/* On which database brskictl works. */

static struct brskictl_database found;
static struct brski_error err;
static char folder[64], config[128], radius[128], https[128], available[128];
/* A machine's, without the option --config. */
static const struct server_conf_places places = {radius, https, available};

static void setup(void)
{
	temp_make(folder);
	snprintf(config, sizeof(config), "%s/brski", folder);
	snprintf(radius, sizeof(radius), "%s/enabled", folder);
	snprintf(https, sizeof(https), "%s/registrar.conf", folder);
	snprintf(available, sizeof(available), "%s/available", folder);
}

static void teardown(void)
{
	temp_remove(folder);
}

/* database: what -d says; NULL: there is none. */
static enum brski_code find(const char *text, const char *environment, const char *database)
{
	struct command_line line = {.given = {{'C', config}}, .n_given = 1};

	if (database)
		line.given[line.n_given++] = (struct command_given){'d', database};
	file_write(config, brski_span_str(text));
	return brskictl_database_find(&places, &line, environment, &found, &err);
}

static void is(const char *path, const char *from)
{
	ck_assert_str_eq(found.path, path);
	ck_assert_str_eq(found.from, from);
}

START_TEST(the_configuration_says_which)
{
	EXPECT(BRSKI_OK, find("brski {\n\tdatabase = /srv/brski/a.db\n}\n", NULL, NULL));
	is("/srv/brski/a.db", config);
	EXPECT(BRSKI_OK, find("brski campus {\n\tdatabase = \"/srv/b.db\" # here\n}\n", NULL, NULL));
	is("/srv/b.db", config);
	EXPECT(BRSKI_OK, find("brski {\n\tdatabase = /var/lib/brski/registrar.db\n}\n", NULL, NULL));
	is(BRSKICTL_DATABASE, "");
	EXPECT(BRSKI_OK, find("brski {\n#\tdatabase = /srv/b.db\n}\n", NULL, NULL));
	is(BRSKICTL_DATABASE, "");
}
END_TEST

START_TEST(who_names_one_is_believed)
{
	static const char text[] = "brski {\n\tdatabase = ${unknown}/a.db\n}\n";

	EXPECT(BRSKI_OK, find(text, "/e.db", "/d.db"));
	is("/d.db", "");
	EXPECT(BRSKI_OK, find(text, "/e.db", NULL));
	is("/e.db", "$BRSKI_DATABASE");
	EXPECT(BRSKI_OK, find("database = /c.db\n", "", NULL));
	is("/c.db", config);
}
END_TEST

START_TEST(what_is_not_understood_is_not_guessed)
{
	static const char *const texts[] = {
		"brski {\n\tdatabase = ${localstatedir}/a.db\n}\n",
		"brski {\n\tdatabase = a.db\n}\n",
		"brski {\n\tdatabase = /srv/\\\n}\n",
		"brski {\n\t$INCLUDE site.conf\n}\n",
		"brski one {\n\tdatabase = /a.db\n}\nbrski two {\n\tdatabase = /b.db\n}\n",
		"brski one {\n\tdatabase = /a.db\n}\nbrski two {\n}\n",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		EXPECT_WHY(BRSKI_UNSUPPORTED,
			"which database the server uses is not known: ", find(texts[i], NULL, NULL));
	snprintf(config, sizeof(config), "%s/none/brski", folder);
	EXPECT_WHY(BRSKI_NOT_FOUND, "No such file or directory",
		brskictl_database_find(&places,
			&(struct command_line){.given = {{'C', config}}, .n_given = 1}, NULL, &found, &err));
}
END_TEST

START_TEST(other_sections_do_not_count)
{
	EXPECT(BRSKI_OK, find("sql brski_sql {\n\tdatabase = /sql.db\n}\n"
			      "brski {\n\tdatabase = /a.db\n\tpart { # of it\n\t\tdatabase = /b.db\n\t}\n}\n",
				 NULL, NULL));
	is("/a.db", config);
	EXPECT(BRSKI_OK,
		find("brski one {\n\tdatabase = /a.db\n}\nbrski two {\n\tdatabase = /a.db\n}\n", NULL, NULL));
	is("/a.db", config);
}
END_TEST

START_TEST(the_file_that_is_shipped_means_the_default)
{
	struct brski_buf file = file_read("radius_module/raddb/mods-available/brski");
	char *text = strndup((const char *)file.data, file.len);

	ck_assert_ptr_nonnull(text);
	EXPECT(BRSKI_OK, find(text, NULL, NULL));
	is(BRSKICTL_DATABASE, "");
	free(text);
	brski_buf_free(&file);
}
END_TEST

START_TEST(brski_registrars_own_is_read_too)
{
	struct brski_buf file = file_read("services/registrar_https/registrar.conf");
	char *text = strndup((const char *)file.data, file.len);

	EXPECT(BRSKI_OK, find(text, NULL, NULL));
	is(BRSKICTL_DATABASE, "");
	free(text);
	brski_buf_free(&file);
	EXPECT(BRSKI_OK, find("listen = [::]:443\n# it is here\ndatabase = /srv/my db/a.db\n", NULL, NULL));
	is("/srv/my db/a.db", config);
	EXPECT(BRSKI_OK, find("listen = [::]:443\n", NULL, NULL));
	is(BRSKICTL_DATABASE, "");
	EXPECT_WHY(BRSKI_MALFORMED, "line 2", find("wait = 1\nwhat\n", NULL, NULL));
	EXPECT_WHY(BRSKI_UNSUPPORTED, "no path from the root", find("database = a.db\n", NULL, NULL));
}
END_TEST

static enum brski_code find_here(void)
{
	const struct command_line line = {0};

	return brskictl_database_find(&places, &line, NULL, &found, &err);
}

/* Neither, one of them, or both. */
START_TEST(a_machine_may_have_two_servers)
{
	EXPECT(BRSKI_OK, find_here());
	is(BRSKICTL_DATABASE, "");
	file_write(available, brski_span_str("brski {\n\tdatabase = /a.db\n}\n"));
	EXPECT(BRSKI_OK, find_here());
	is("/a.db", available);
	file_write(https, brski_span_str("database = /h.db\n"));
	EXPECT(BRSKI_OK, find_here());
	is("/h.db", https);
	file_write(radius, brski_span_str("brski {\n\tdatabase = /h.db\n}\n"));
	EXPECT(BRSKI_OK, find_here());
	is("/h.db", radius);
	file_write(radius, brski_span_str("brski {\n}\n"));
	EXPECT_WHY(BRSKI_UNSUPPORTED, "FreeRADIUS has " BRSKICTL_DATABASE " (", find_here());
	file_write(https, brski_span_str("wait = 2\n"));
	EXPECT(BRSKI_OK, find_here());
	is(BRSKICTL_DATABASE, "");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		the_configuration_says_which,
		who_names_one_is_believed,
		what_is_not_understood_is_not_guessed,
		other_sections_do_not_count,
		the_file_that_is_shipped_means_the_default,
		brski_registrars_own_is_read_too,
		a_machine_may_have_two_servers,
	};

	return run_tests("brskictl_database", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
