/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BASE_COMMANDS_H
#define BRSKI_SERVICES_BASE_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "services/base/settings.h"

/*
 * A program's commands as a table, without the functions that do them: what reads a command line,
 * what tells how it is used, and the completion of shells are made from it, and so cannot tell
 * different things. --help, --version and the command `help` are every program's.
 */

struct command_option {
	const char *name;  /* behind "--"; NULL ends a table */
	int id;            /* what the command knows it by; below 256 it is a letter behind "-", too */
	const char *value; /* what stands for its value in a help text; NULL: it takes none */
	const char *help;  /* for people; a line end in it begins another line */
};

struct command {
	const char *words; /* "init", "device add"; "": the program itself, which has no others */
	int id;            /* what the program knows it by */
	/*
	 * "MANUFACTURER [SERIAL [NOTE]]": in brackets may be left out; "..." ends one that may be there
	 * several times
	 */
	const char *operands;
	const struct command_option *options; /* its own; NULL: none */
	/*
	 * Of a program with settings: names of those that are of no use to commands that do not name
	 * them, and of those that it cannot do without; NULL: none.
	 */
	const char *settings, *needs;
	const char *help; /* sentences, a line end behind each; the first line is in the program's help */
};

struct program {
	const char *name;
	const char *about;                    /* the first lines of its help */
	const struct command *commands;       /* to one without words */
	const struct command_option *options; /* of every command; NULL: none */
	const struct setting *settings;       /* that are options; NULL: none */
	const char *more;                     /* the last lines of its help; NULL: none */
};

#define COMMAND_GIVEN_MAX 64
struct command_line {
	const struct command *command; /* NULL: nothing is to be done, the status is all */
	int status;                    /* to exit with, then */
	int n_operands;
	char **operands; /* in argv, whose words getopt_long() has moved */
	struct command_given {
		int id;
		const char *value;  /* NULL: it takes none */
	} given[COMMAND_GIVEN_MAX]; /* options, in their order */
	size_t n_given;
};

enum { COMMAND_DONE = 0, COMMAND_FAILED = 1, COMMAND_WRONG_USE = 2 }; /* exit statuses */

/*
 * Reads the command line of a program without settings. What is wrong in it goes to stderr, with where
 * help is to be had (COMMAND_WRONG_USE), the answers to `help` and --help, wherever they stand, and to
 * --version to stdout. Of a pair of words of which one is "list", that is what is meant where the second
 * is missing.
 */
void command_line_read(const struct program *program, int argc, char **argv, struct command_line *line);
/* What the option of this id is called, without its dashes. */
const char *command_option_name(const struct command *command, int id);
/* Whether the option of this id was given. */
bool command_given(const struct command_line *line, int id);

/*
 * "PROGRAM: words" and where help is to be had, to stderr; returns COMMAND_WRONG_USE. command NULL: none
 * is known yet.
 */
int command_usage(const struct program *program, const struct command *command, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* ---- Parts of it, for options.c ---- */

/*
 * The command that argv, words and operands only, begins with, and how many words that are. NULL: none,
 * and err says why.
 */
const struct command *command_find(
	const struct program *program, int argc, char *const *argv, int *n_words, struct brski_error *err);
/* BRSKI_MALFORMED: so many operands are too few or too many. */
BRSKI_CHECKED enum brski_code command_check_operands(
	const struct command *command, int n, struct brski_error *err);
/* Whether the list of words, "a b", has this one. list NULL: it is empty. */
bool command_names(const char *list, const char *word);
/* Whether a setting is one of the command's: it names it, or no other command does. */
bool command_takes_setting(const struct program *program, const struct command *command, const char *setting);

/* ---- Help ---- */

/*
 * Answers `help WORDS...` and "WORDS... --help": the help of one command, of all that begin with the
 * first of the words, or, n being 0, of the program. False: there is no such command, nothing is printed.
 */
bool command_help(const struct program *program, int n, char *const *words, FILE *to); /* NULL: ask only */
/* "PROGRAM VERSION" */
void command_version(const struct program *program);

#endif
