/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/brskictl/brskictl.h"
#include "services/ca/ca_admin_internal.h"
#include "services/courier/courier_internal.h"
#include "services/masa/masa_admin_internal.h"
#include "services/registrar_https/registrar_options.h"
#include "tests/unit/support/document.h"
#include "tests/unit/support/files.h"

/*
 * What bash completes is what the programs understand: the two functions of services/completion.bash
 * between "begin" and "end" are made anew from the programs' tables. "test_completion --write" puts
 * them there.
 */

#define SCRIPT "services/completion.bash"
#define BEGIN "# begin: made from the programs' tables by test_completion --write\n"
#define END "# end\n"

static const struct program *const programs[] = {
	&brskictl_program, &masa_program, &ca_program, &courier_program, &registrar_program};
#define N_PROGRAMS (sizeof(programs) / sizeof(programs[0]))

static bool writing;

static void put(struct brski_buf *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put(struct brski_buf *out, const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	ck_assert_int_lt(vsnprintf(text, sizeof(text), fmt, args), (int)sizeof(text));
	va_end(args);
	brski_put_str(out, text);
}

static bool is_one(const struct program *p)
{
	return p->commands->words[0] == '\0';
}

/* ---- Words ---- */

/* Each first word once, where it is the first time. */
static void put_first_words(struct brski_buf *out, const struct program *p)
{
	size_t last = 0;

	for (const struct command *c = p->commands; c->words; c++) {
		size_t len = strcspn(c->words, " ");

		if (c > p->commands && last == len && strncmp(c[-1].words, c->words, len) == 0)
			continue;
		put(out, "%.*s ", (int)len, c->words);
		last = len;
	}
}

static void put_second_words(struct brski_buf *out, const struct program *p, const char *first, size_t len)
{
	for (const struct command *c = p->commands; c->words; c++)
		if (strncmp(c->words, first, len) == 0 && c->words[len] == ' ')
			put(out, " %s", c->words + len + 1);
}

static void put_options(struct brski_buf *out, const struct program *p, const struct command *c)
{
	for (const struct command_option *o = c ? c->options : NULL; o && o->name; o++)
		put(out, "--%s ", o->name);
	for (const struct command_option *o = p->options; o && o->name; o++)
		put(out, "--%s ", o->name);
	for (const struct setting *s = p->settings; s && s->name; s++)
		if (!c || command_takes_setting(p, c, s->name))
			put(out, "--%s ", s->name);
	put(out, "--help --version");
}

static void put_command(struct brski_buf *out, const struct program *p, const struct command *c)
{
	put(out, "\t\"%s%s%s\") echo \"", p->name, is_one(p) ? "" : " ", c->words);
	put_options(out, p, c);
	put(out, "\" ;;\n");
}

/* "device" and "help device", behind which a second word comes. */
static void put_groups(struct brski_buf *out, const struct program *p)
{
	for (const struct command *c = p->commands; c->words; c++) {
		size_t len = strcspn(c->words, " ");

		if (c->words[len] != ' ' || (c > p->commands && strncmp(c[-1].words, c->words, len + 1) == 0))
			continue;
		put(out, "\t\"%s %.*s\" | \"%s help %.*s\") echo \"", p->name, (int)len, c->words, p->name,
			(int)len, c->words);
		put_second_words(out, p, c->words, len);
		put(out, "\" ;;\n");
	}
}

static void put_next(struct brski_buf *out, const struct program *p)
{
	if (!is_one(p)) {
		put(out, "\t\"%s\") echo \"", p->name);
		put_first_words(out, p);
		put(out, "help ");
		put_options(out, p, NULL);
		put(out, "\" ;;\n\t\"%s help\") echo \"", p->name);
		put_first_words(out, p);
		put(out, "\" ;;\n");
		put_groups(out, p);
	}
	for (const struct command *c = p->commands; c->words; c++)
		put_command(out, p, c);
}

/* ---- Values ---- */

/* FILES, or the words that it may be; "": nobody knows. */
static const char *values_of(const char *value)
{
	static char modes[128];

	if (strcmp(value, "TYPE") == 0)
		return "P-256 P-384 RSA-3072";
	if (strcmp(value, "MODE") == 0) {
		modes[0] = '\0';
		for (int mode = BRSKI_ADMIN_MODE_INVENTORY; mode <= BRSKI_ADMIN_MODE_OPEN; mode++)
			snprintf(modes + strlen(modes), sizeof(modes) - strlen(modes), " %s",
				brski_admin_mode_name((enum brski_admin_mode)mode));
		return modes + 1;
	}
	return strstr("FILE DIR URI PREFIX", value) ? "FILES" : "";
}

static void put_value(
	struct brski_buf *out, const struct program *p, const char *name, int letter, const char *value)
{
	if (!value)
		return;
	put(out, "\t\"%s --%s\"", p->name, name);
	if (letter > 0 && letter < 256)
		put(out, " | \"%s -%c\"", p->name, letter);
	put(out, ") echo \"%s\" ;;\n", values_of(value));
}

/* An option of several commands stands there once. */
static bool was_there(const struct program *p, const struct command *until, const char *name)
{
	for (const struct command *c = p->commands; c < until; c++)
		for (const struct command_option *o = c->options; o && o->name; o++)
			if (strcmp(o->name, name) == 0)
				return true;
	return false;
}

static void put_values(struct brski_buf *out, const struct program *p)
{
	for (const struct command *c = p->commands; c->words; c++)
		for (const struct command_option *o = c->options; o && o->name; o++)
			if (!was_there(p, c, o->name))
				put_value(out, p, o->name, o->id, o->value);
	for (const struct command_option *o = p->options; o && o->name; o++)
		put_value(out, p, o->name, o->id, o->value);
	for (const struct setting *s = p->settings; s && s->name; s++)
		put_value(out, p, s->name, 0, s->value);
}

/* ---- The script ---- */

static void draw(struct brski_buf *out)
{
	put(out, "\n# The words that may stand behind these. False: they are no beginning of a command.\n"
		 "_brski_next() # PROGRAM WORDS\n{\n\tcase \"$*\" in\n");
	for (size_t i = 0; i < N_PROGRAMS; i++)
		put_next(out, programs[i]);
	put(out,
		"\t*) return 1 ;;\n\tesac\n}\n\n"
		"# What an option's value may be: FILES, words, or what nobody knows. False: it takes none.\n"
		"_brski_value() # PROGRAM OPTION\n{\n\tcase \"$*\" in\n");
	for (size_t i = 0; i < N_PROGRAMS; i++)
		put_values(out, programs[i]);
	put(out, "\t*) return 1 ;;\n\tesac\n}\n\n");
}

START_TEST(the_script_has_the_tables)
{
	static const struct document_part part = {SCRIPT, BEGIN, END, draw};

	document_hold(&part, "test_completion", writing);
}
END_TEST

/* ---- Man pages ---- */

/* Behind "Fl " and "-", as mdoc(7) has long options. */
static void page_has(const struct program *p, const char *page, const char *text, const char *name)
{
	char option[64];
	bool found = false;

	snprintf(option, sizeof(option), "Fl -%s", name);
	for (const char *at = text; !found && (at = strstr(at, option)) != NULL; at++)
		found = strchr(" \n", at[strlen(option)]) != NULL;
	ck_assert_msg(found, "%s does not name --%s of %s", page, name, p->name);
}

START_TEST(the_man_pages_have_the_tables)
{
	static const char *const pages[] = {"docs/man/brskictl.8", "docs/man/brski-masa.8",
		"docs/man/brski-ca.8", "docs/man/brski-courier.1", "docs/man/brski-registrar.8"};
	const struct program *p = programs[_i];
	struct brski_buf file = file_read(pages[_i]);
	char *text = strndup((const char *)file.data, file.len);

	ck_assert_ptr_nonnull(text);
	for (const struct command *c = p->commands; c->words; c++) {
		ck_assert_msg(strstr(text, c->words) != NULL, "%s does not name %s", pages[_i], c->words);
		for (const struct command_option *o = c->options; o && o->name; o++)
			page_has(p, pages[_i], text, o->name);
	}
	for (const struct command_option *o = p->options; o && o->name; o++)
		page_has(p, pages[_i], text, o->name);
	for (const struct setting *s = p->settings; s && s->name; s++)
		page_has(p, pages[_i], text, s->name);
	free(text);
	brski_buf_free(&file);
}
END_TEST

int main(int argc, char **argv)
{
	Suite *suite = suite_create("completion");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int failed;

	writing = argc > 1 && strcmp(argv[1], "--write") == 0;
	tcase_add_test(tcase, the_script_has_the_tables);
	tcase_add_loop_test(tcase, the_man_pages_have_the_tables, 0, (int)N_PROGRAMS);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
