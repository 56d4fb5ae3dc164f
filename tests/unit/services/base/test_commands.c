/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "eap_brski/ground/version.h"
#include "services/base/commands.h"
#include "tests/unit/support/files.h"

enum { INIT, THING_ADD, THING_LIST, MOVE, COLOUR = 256, LOUD };

static const struct command_option everywhere[] = {{"database", 'd', "FILE", "where"}, {0}};
static const struct command_option thing_add[] = {
	{"colour", COLOUR, "COLOUR", "of the thing\nor none"}, {"loud", LOUD, NULL, "loudly"}, {0}};
static const struct command commands[] = {
	{"init", INIT, "", NULL, NULL, NULL, "Begins.\n"},
	{"thing add", THING_ADD, "NAME [NOTE [MORE]]", thing_add, NULL, NULL, "Adds a thing.\nJust one.\n"},
	{"thing list", THING_LIST, "[NAME]", NULL, NULL, NULL, "Lists things.\n"},
	{"move", MOVE, "FROM TO...", NULL, NULL, NULL, "Moves.\n"},
	{0},
};
static const struct program several = {"prog", "Does things.\n", commands, everywhere, NULL, "The end.\n"};

static const struct command alone[] = {
	{"", INIT, "FROM TO", thing_add, NULL, NULL, "Does one thing.\n"}, {0}};
static const struct program single = {"one", "", alone, NULL, NULL, "The end.\n"};

static char folder[64], out_path[128], err_path[128];
static struct command_line line;
static char out[4096], said[1024]; /* on stdout and stderr */

static void setup(void)
{
	temp_make(folder);
	snprintf(out_path, sizeof(out_path), "%s/out", folder);
	snprintf(err_path, sizeof(err_path), "%s/err", folder);
}

static void teardown(void)
{
	temp_remove(folder);
}

static void text_of(const char *path, char *to, size_t size)
{
	struct brski_buf file = file_read(path);

	ck_assert_uint_lt(file.len, size);
	memcpy(to, file.len ? (const char *)file.data : "", file.len);
	to[file.len] = '\0';
	brski_buf_free(&file);
}

/* The words after the program's name; NULL ends them. */
static void read_words(const struct program *program, const char *const *words)
{
	static char *argv[COMMAND_GIVEN_MAX + 16];
	int was_out = dup(STDOUT_FILENO), was_err = dup(STDERR_FILENO), argc = 1;

	argv[0] = (char *)(uintptr_t) "prog";
	for (; *words; words++)
		argv[argc++] = (char *)(uintptr_t)*words;
	argv[argc] = NULL;
	ck_assert(freopen(out_path, "w", stdout) && freopen(err_path, "w", stderr));
	command_line_read(program, argc, argv, &line);
	fflush(stdout);
	fflush(stderr);
	ck_assert(dup2(was_out, STDOUT_FILENO) >= 0 && dup2(was_err, STDERR_FILENO) >= 0);
	close(was_out);
	close(was_err);
	text_of(out_path, out, sizeof(out));
	text_of(err_path, said, sizeof(said));
}
#define READ(...) read_words(&several, (const char *const[]){__VA_ARGS__, NULL})
#define READ_ONE(...) read_words(&single, (const char *const[]){__VA_ARGS__, NULL})

static void is_command(int id, int n_operands, size_t n_given)
{
	ck_assert_msg(line.command != NULL, "%s", said);
	ck_assert_int_eq(line.command->id, id);
	ck_assert_int_eq(line.n_operands, n_operands);
	ck_assert_uint_eq(line.n_given, n_given);
	ck_assert_str_eq(said, "");
	ck_assert_str_eq(out, "");
}

static void is_wrong(const char *words, const char *where)
{
	char try[128];

	snprintf(try, sizeof(try), "\nTry '%s'.\n", where);
	ck_assert_ptr_null(line.command);
	ck_assert_int_eq(line.status, COMMAND_WRONG_USE);
	ck_assert_str_eq(out, "");
	ck_assert_msg(strstr(said, words) && strstr(said, try), "%s", said);
}

static void is_help(const char *words)
{
	ck_assert_ptr_null(line.command);
	ck_assert_int_eq(line.status, COMMAND_DONE);
	ck_assert_str_eq(said, "");
	ck_assert_msg(strncmp(out, words, strlen(words)) == 0, "%s", out);
}

START_TEST(commands_operands_options)
{
	READ("init");
	is_command(INIT, 0, 0);
	READ("-d", "x", "thing", "add", "--loud", "n", "--colour=red", "a note", "--database", "y");
	is_command(THING_ADD, 2, 4);
	ck_assert_str_eq(line.operands[0], "n");
	ck_assert_str_eq(line.operands[1], "a note");
	ck_assert_int_eq(line.given[0].id, 'd');
	ck_assert_str_eq(line.given[0].value, "x");
	ck_assert_str_eq(line.given[2].value, "red");
	ck_assert_str_eq(line.given[3].value, "y");
	ck_assert(command_given(&line, LOUD));
	READ("move", "a", "b", "c", "d");
	is_command(MOVE, 4, 0);
	ck_assert(!command_given(&line, 'd'));
	READ("thing"); /* list */
	is_command(THING_LIST, 0, 0);
	READ("thing", "-d", "x");
	is_command(THING_LIST, 0, 1);
}
END_TEST

/* Whatever stands behind "--" is an operand, and nothing else that begins with '-' is. */
START_TEST(operands_that_look_like_options)
{
	READ("thing", "add", "--", "--help", "--loud");
	is_command(THING_ADD, 2, 0);
	ck_assert_str_eq(line.operands[0], "--help");
	READ("move", "a", "--", "--");
	is_command(MOVE, 2, 0);
	ck_assert_str_eq(line.operands[1], "--");
	READ("thing", "add", "-");
	is_command(THING_ADD, 1, 0);
	READ("thing", "add", "-5");
	is_wrong("-5 is no option of 'thing add'; before an operand that begins with '-', put '--'",
		"prog help thing add");
}
END_TEST

START_TEST(what_is_wrong_is_told)
{
	const char *many[COMMAND_GIVEN_MAX + 4] = {"thing", "add"};

	read_words(&several, (const char *const[]){NULL});
	is_wrong("a command is missing", "prog --help");
	READ("thong");
	is_wrong("there is no command 'thong'", "prog --help");
	READ("add", "thing");
	is_wrong("there is no command 'add'", "prog --help");
	READ("thing", "remove", "x");
	is_wrong("behind 'thing' comes add or list, not 'remove'", "prog --help");
	READ("init", "x");
	is_wrong("'init' takes no operand", "prog help init");
	READ("thing", "add");
	is_wrong("'thing add' takes NAME [NOTE [MORE]]", "prog help thing add");
	READ("thing", "add", "a", "b", "c", "d");
	is_wrong("'thing add' takes NAME [NOTE [MORE]]", "prog help thing add");
	READ("move", "a");
	is_wrong("'move' takes FROM TO...", "prog help move");
	READ("init", "--loud");
	is_wrong("--loud is no option of 'init'", "prog help init");
	READ("--loud", "init");
	is_wrong("--loud is no option;", "prog --help");
	READ("thing", "add", "x", "--colour");
	is_wrong("--colour needs a value", "prog help thing add");
	READ("thing", "add", "x", "--loud=very");
	is_wrong("--loud=very is no option", "prog help thing add");
	READ("init", "-d");
	is_wrong("-d needs a value", "prog help init");
	for (size_t i = 2; i < COMMAND_GIVEN_MAX + 3; i++)
		many[i] = "--loud";
	read_words(&several, many);
	is_wrong("too many options", "prog help thing add");
}
END_TEST

START_TEST(help_is_everywhere)
{
	READ("--help");
	is_help("Usage: prog [options] COMMAND ...\nDoes things.\n\nCommands:\n"
		"  init                               Begins.\n"
		"  thing add [options] NAME [NOTE [MORE]]\n"
		"                                     Adds a thing.\n");
	ck_assert_ptr_nonnull(strstr(out, "  -d, --database FILE                where\n"));
	ck_assert_ptr_nonnull(strstr(out, "\nThe end.\n"));
	READ("help");
	is_help("Usage: prog [options] COMMAND ...\n");
	READ("thing", "add", "--help");
	is_help("Usage: prog thing add [options] NAME [NOTE [MORE]]\nAdds a thing.\nJust one.\n\nOptions:\n"
		"      --colour COLOUR                of the thing\n"
		"                                     or none\n");
	READ("thing", "add", "a", "b", "c", "d", "e", "-h");
	is_help("Usage: prog thing add ");
	READ("help", "thing", "add");
	is_help("Usage: prog thing add ");
	READ("thing", "--help");
	is_help("Usage: prog thing add ");
	ck_assert_ptr_nonnull(strstr(out, "\n\nUsage: prog thing list [NAME]\n"));
	READ("thing", "remove", "--help");
	is_help("Usage: prog thing add ");
	READ("thong", "x", "--help");
	is_help("Usage: prog [options] COMMAND ...\n");
	READ("help", "thing", "remove");
	is_wrong("there is no command 'thing remove'", "prog --help");
	READ("help", "thong");
	is_wrong("there is no command 'thong'", "prog --help");
	READ("thong", "--", "--help");
	is_wrong("there is no command 'thong'", "prog --help");
	READ("init", "--version");
	is_help("prog " BRSKI_VERSION "\n");
}
END_TEST

START_TEST(a_program_without_commands)
{
	READ_ONE("help", "--loud", "b");
	is_command(INIT, 2, 1);
	ck_assert_str_eq(line.operands[0], "help");
	READ_ONE("a");
	is_wrong("what is needed is FROM TO", "one --help");
	READ_ONE("a", "b", "c");
	is_wrong("what is needed is FROM TO", "one --help");
	READ_ONE("a", "--soft");
	is_wrong("--soft is no option;", "one --help");
	READ_ONE("a", "--help");
	is_help("Usage: one [options] FROM TO\nDoes one thing.\n\nOptions:\n");
	ck_assert_ptr_nonnull(strstr(out, "\nThe end.\n"));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {commands_operands_options, operands_that_look_like_options,
		what_is_wrong_is_told, help_is_everywhere, a_program_without_commands};

	return run_tests("commands", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
