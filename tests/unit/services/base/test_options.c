/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "eap_brski/ground/version.h"
#include "services/base/options.h"
#include "tests/unit/support/files.h"

static struct values {
	bool flag;
	long number;
	char *text;
	struct setting_list list;
	char *config;
} v;

static const struct setting table[] = {
	{"flag", SETTING_FLAG, offsetof(struct values, flag), 0, 0, NULL, false, NULL, "a flag"},
	{"number", SETTING_NUMBER, offsetof(struct values, number), 0, 100, "7", false, "N", "a number"},
	{"text", SETTING_TEXT, offsetof(struct values, text), 0, 0, "standard", false, "TEXT", "a text"},
	{"list", SETTING_LIST, offsetof(struct values, list), 0, 0, NULL, false, "ITEM", "many"},
	{"config", SETTING_TEXT, offsetof(struct values, config), 0, 0, NULL, false, "FILE", "more of them"},
	{0},
};
static const struct command commands[] = {
	{"serve", 0, "[WORD...]", NULL, "number text flag", NULL, "Serves.\n"},
	{"thing add", 1, "NAME", NULL, "text list", "list", "Adds a thing.\n"},
	{"thing list", 2, "", NULL, NULL, NULL, "Lists things.\n"},
	{0},
};
static const struct program program = {"program", "Does nothing.\n", commands, NULL, table, NULL};

static struct brski_error err;
static char folder[64], path[128];
static struct command_line line;

static void setup(void)
{
	memset(&v, 0, sizeof(v));
	temp_make(folder);
	snprintf(path, sizeof(path), "%s/file", folder);
}

static void teardown(void)
{
	settings_free(table, &v);
	temp_remove(folder);
}

/* The words after the program's name; NULL ends them. getopt_long() moves them. */
static enum brski_code read_words(const char *const *words)
{
	static char *argv[16];
	int argc = 1;

	settings_free(table, &v);
	argv[0] = (char *)(uintptr_t) "program";
	for (; *words && argc < 15; words++)
		argv[argc++] = (char *)(uintptr_t)*words;
	argv[argc] = NULL;
	return options_read(&program, argc, argv, &v, &line, &err);
}
#define READ(...) read_words((const char *const[]){__VA_ARGS__, NULL})

/* What is printed meanwhile, in `path`. */
static void read_printed(const char *word, char *out, size_t size)
{
	int was = dup(STDOUT_FILENO);
	FILE *f;
	size_t n;

	ck_assert_ptr_nonnull(freopen(path, "w", stdout));
	EXPECT(BRSKI_OK, READ(word, "--number", "8", "serve"));
	ck_assert_int_eq(fflush(stdout), 0);
	ck_assert_int_ge(dup2(was, STDOUT_FILENO), 0);
	close(was);
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	n = fread(out, 1, size - 1, f);
	out[n] = '\0';
	fclose(f);
}

START_TEST(words_and_operands)
{
	EXPECT(BRSKI_OK, READ("--number", "12", "serve", "--flag", "this", "--text=x"));
	ck_assert(v.flag);
	ck_assert_int_eq(v.number, 12);
	ck_assert_str_eq(v.text, "x");
	ck_assert_ptr_eq(line.command, &commands[0]);
	ck_assert_int_eq(line.n_operands, 1);
	ck_assert_str_eq(line.operands[0], "this");

	EXPECT(BRSKI_OK, READ("--", "serve", "--number"));
	ck_assert_int_eq(v.number, 7);
	ck_assert_str_eq(v.text, "standard");
	ck_assert_int_eq(line.n_operands, 1);
	ck_assert_str_eq(line.operands[0], "--number");
}
END_TEST

START_TEST(what_is_wrong_is_named)
{
	char longest[300];

	EXPECT_WHY(BRSKI_MALFORMED, "unknown option --other", READ("serve", "--other"));
	EXPECT_WHY(BRSKI_MALFORMED, "unknown option --flag=yes", READ("--flag=yes"));
	EXPECT_WHY(BRSKI_MALFORMED, "unknown option", READ("-x"));
	EXPECT_WHY(BRSKI_MALFORMED, "--text needs a value", READ("--text"));
	EXPECT_WHY(BRSKI_MALFORMED, "text needs a value", READ("--text", ""));
	EXPECT_WHY(BRSKI_MALFORMED, "number needs a value", READ("--number="));
	EXPECT_WHY(BRSKI_MALFORMED, "number is a number from 0 to 100, not \"20s\"", READ("--number", "20s"));
	EXPECT_WHY(BRSKI_NOT_FOUND, "cannot read /nowhere/at/all", READ("--config", "/nowhere/at/all"));
	ck_assert_ptr_null(line.command);
	ck_assert_int_eq(line.status, COMMAND_FAILED);
	EXPECT_WHY(BRSKI_MALFORMED, "a command is missing", READ("--flag"));
	ck_assert_int_eq(line.status, COMMAND_WRONG_USE);
	EXPECT_WHY(BRSKI_MALFORMED, "there is no command 'add'", READ("add", "thing"));
	EXPECT_WHY(BRSKI_MALFORMED, "'thing add' takes NAME", READ("thing", "add", "a", "b", "--list", "x"));
	EXPECT_WHY(BRSKI_MALFORMED, "there is no command 'thang'", READ("help", "thang"));
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	EXPECT(BRSKI_OK, READ("--text", longest, "serve"));
	ck_assert_str_eq(v.text, longest);
}
END_TEST

START_TEST(the_command_line_overrides_the_file)
{
	file_write(path, brski_span_str("number = 1\ntext = file\nlist = a\nflag = yes\n"));
	EXPECT(BRSKI_OK, READ("serve", "--number", "2", "--config", path));
	ck_assert_int_eq(v.number, 2);
	ck_assert_str_eq(v.text, "file");
	ck_assert(v.flag);
	EXPECT(BRSKI_OK, READ("thing", "add", "x", "--list", "b", "--config", path));
	ck_assert_uint_eq(v.list.n, 2);
	ck_assert_str_eq(v.list.items[0], "a");
	ck_assert_str_eq(v.list.items[1], "b");
}
END_TEST

START_TEST(a_file_names_no_file)
{
	file_write(path, brski_span_str("config = /another\n"));
	EXPECT_WHY(BRSKI_MALFORMED, "line 1: no option has the name \"config\"", READ("--config", path));
	file_write(path, brski_span_str("help = yes\n"));
	EXPECT_WHY(BRSKI_MALFORMED, "no option has the name \"help\"", READ("--config", path));
}
END_TEST

START_TEST(a_table_without_config)
{
	char *argv[] = {(char *)(uintptr_t) "p", (char *)(uintptr_t) "--config", path, NULL};
	const struct setting few[] = {table[0], {0}};
	const struct program small = {"p", "", commands, NULL, few, NULL};

	EXPECT_WHY(
		BRSKI_MALFORMED, "unknown option --config", options_read(&small, 3, argv, &v, &line, &err));
}
END_TEST

START_TEST(help_and_version)
{
	char text[2048];

	read_printed("--version", text, sizeof(text));
	ck_assert_str_eq(text, "program " BRSKI_VERSION "\n");
	ck_assert_ptr_null(line.command);
	/* the whole command, of which read_printed() has the last word */
	read_printed("--help", text, sizeof(text));
	ck_assert_str_eq(text, "Usage: program serve [options] [WORD...]\nServes.\n\nOptions:\n"
			       "      --flag                         a flag\n"
			       "      --number N                     a number\n"
			       "      --text TEXT                    a text\n"
			       "\nOptions of every command:\n"
			       "      --config FILE                  more of them\n"
			       "  -h, --help                         print how it is used\n"
			       "  -V, --version                      print the version\n");
	ck_assert_ptr_null(line.command);
	ck_assert_int_eq(line.status, COMMAND_DONE);
	read_printed("help", text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, "Usage: program serve "));
}
END_TEST

/* One table for all, and yet not every option of every command. */
START_TEST(each_command_has_its_options)
{
	EXPECT_WHY(BRSKI_MALFORMED, "--list is no option of 'serve'", READ("serve", "--list", "a"));
	ck_assert_int_eq(line.status, COMMAND_WRONG_USE);
	EXPECT_WHY(BRSKI_MALFORMED, "--number is no option of 'thing add'",
		READ("thing", "add", "x", "--list", "a", "--number", "1"));
	EXPECT_WHY(BRSKI_MALFORMED, "'thing add' needs --list ITEM: many", READ("thing", "add", "x"));
	EXPECT(BRSKI_OK, READ("--text", "t", "thing", "--list", "a", "add", "x"));
	ck_assert_ptr_eq(line.command, &commands[1]);
	/* what the file has for others is of no concern */
	file_write(path, brski_span_str("number = 1\nlist = a\n"));
	EXPECT(BRSKI_OK, READ("thing", "add", "x", "--config", path));
	EXPECT(BRSKI_OK, READ("serve", "--config", path));
}
END_TEST

START_TEST(what_comes_first_counts)
{
	char text[2048];

	EXPECT_WHY(BRSKI_MALFORMED, "unknown option --other", READ("--other", "--help"));
	EXPECT_WHY(BRSKI_MALFORMED, "unknown option --other", READ("--config", "/nowhere/at/all", "--other"));
	EXPECT_WHY(BRSKI_NOT_FOUND, "cannot read", READ("--number", "20s", "--config", "/nowhere/at/all"));
	read_printed("--help", text, sizeof(text));
	ck_assert_int_eq(v.number, 7); /* nothing is read behind it */
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {words_and_operands, what_is_wrong_is_named,
		the_command_line_overrides_the_file, a_file_names_no_file, a_table_without_config,
		help_and_version, each_command_has_its_options, what_comes_first_counts};

	return run_tests("options", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
