/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/base/commands_internal.h"

#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ---- Words ---- */

static const char *second_word(const struct command *c)
{
	const char *blank = strchr(c->words, ' ');

	return blank ? blank + 1 : NULL;
}

bool command_begins_with(const struct command *c, const char *word)
{
	size_t len = strcspn(c->words, " ");

	return strlen(word) == len && strncmp(c->words, word, len) == 0;
}

/* "add, list or remove" */
static void seconds_of(const struct program *p, const char *first, char *out, size_t size)
{
	const struct command *last = NULL;
	size_t n = 0;

	out[0] = '\0';
	for (const struct command *c = p->commands; c->words; c++)
		if (command_begins_with(c, first))
			last = c;
	for (const struct command *c = p->commands; c->words; c++) {
		size_t used = strlen(out);

		if (command_begins_with(c, first))
			snprintf(out + used, size - used, "%s%s",
				n++ == 0    ? ""
				: c == last ? " or "
					    : ", ",
				second_word(c));
	}
}

/* The one of a pair of words; second NULL: that one which is meant then. */
static const struct command *find_pair(
	const struct program *p, const char *first, const char *second, struct brski_error *err)
{
	char seconds[160];

	for (const struct command *c = p->commands; c->words; c++)
		if (command_begins_with(c, first) && strcmp(second_word(c), second ? second : "list") == 0)
			return c;
	seconds_of(p, first, seconds, sizeof(seconds));
	if (second)
		brski_fail(err, BRSKI_MALFORMED, "behind '%s' comes %s, not '%.80s'", first, seconds, second);
	else
		brski_fail(err, BRSKI_MALFORMED, "behind '%s' comes %s", first, seconds);
	return NULL;
}

const struct command *command_find(
	const struct program *p, int argc, char *const *argv, int *n_words, struct brski_error *err)
{
	*n_words = 0;
	if (p->commands->words[0] == '\0')
		return p->commands;
	if (argc == 0) {
		brski_fail(err, BRSKI_MALFORMED, "a command is missing");
		return NULL;
	}
	for (const struct command *c = p->commands; c->words; c++) {
		if (!command_begins_with(c, argv[0]))
			continue;
		*n_words = second_word(c) && argc > 1 && argv[1][0] != '-' ? 2 : 1;
		return second_word(c) ? find_pair(p, argv[0], *n_words == 2 ? argv[1] : NULL, err) : c;
	}
	brski_fail(err, BRSKI_MALFORMED, "there is no command '%.80s'", argv[0]);
	return NULL;
}

bool command_names(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = list; at && *at; at += strspn(at, " ")) {
		if (strcspn(at, " ") == len && strncmp(at, word, len) == 0)
			return true;
		at += strcspn(at, " ");
	}
	return false;
}

bool command_takes_setting(const struct program *p, const struct command *command, const char *setting)
{
	bool elsewhere = false;

	if (command_names(command->settings, setting))
		return true;
	for (const struct command *c = p->commands; c->words; c++)
		elsewhere = elsewhere || command_names(c->settings, setting);
	return !elsewhere;
}

/* ---- Operands ---- */

static void count_operands(const char *operands, int *least, int *most)
{
	bool optional = false;

	*least = *most = 0;
	for (const char *at = operands; *at; at += strspn(at, " ")) {
		size_t len = strcspn(at, " ");

		optional = optional || *at == '[';
		*least += optional ? 0 : 1;
		*most += *most < INT_MAX ? 1 : 0;
		for (size_t i = 0; i + 2 < len; i++)
			if (strncmp(at + i, "...", 3) == 0)
				*most = INT_MAX;
		at += len;
	}
}

enum brski_code command_check_operands(const struct command *command, int n, struct brski_error *err)
{
	int least, most;

	count_operands(command->operands, &least, &most);
	if (n >= least && n <= most)
		return BRSKI_OK;
	if (most == 0)
		return brski_fail(err, BRSKI_MALFORMED, "'%s' takes no operand", command->words);
	if (command->words[0] == '\0')
		return brski_fail(err, BRSKI_MALFORMED, "what is needed is %s", command->operands);
	return brski_fail(err, BRSKI_MALFORMED, "'%s' takes %s", command->words, command->operands);
}

/* ---- What is said ---- */

int command_usage(const struct program *program, const struct command *command, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s: ", program->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	if (command && command->words[0])
		fprintf(stderr, "\nTry '%s help %s'.\n", program->name, command->words);
	else
		fprintf(stderr, "\nTry '%s --help'.\n", program->name);
	return COMMAND_WRONG_USE;
}

/* ---- Options ---- */

/* What is made of the tables for getopt_long(). */
struct reader {
	const struct program *program;
	const struct command *command; /* NULL: it is not known yet */
	struct option *table;
	char letters[2 * 256 + 3];
	size_t n;
};

static void add_option(struct reader *r, const struct command_option *o)
{
	size_t used = strlen(r->letters);

	r->table[r->n++] = (struct option){
		.name = o->name, .has_arg = o->value ? required_argument : no_argument, .val = o->id};
	if (o->id < 256)
		snprintf(r->letters + used, sizeof(r->letters) - used, "%c%s", o->id, o->value ? ":" : "");
}

static void add_options(struct reader *r, const struct command_option *options)
{
	for (size_t i = 0; options && options[i].name; i++)
		add_option(r, &options[i]);
}

static size_t count(const struct command_option *options)
{
	size_t n = 0;

	while (options && options[n].name)
		n++;
	return n;
}

/* first: what getopt_long() has before its letters. False: memory is out. */
static bool begin(struct reader *r, const struct program *p, const struct command *command, const char *first)
{
	const struct command_option *own = command ? command->options : NULL;

	*r = (struct reader){.program = p, .command = command};
	snprintf(r->letters, sizeof(r->letters), "%s", first);
	r->table =
		calloc(count(own) + count(p->options) + count(command_every_programs) + 1, sizeof(*r->table));
	if (!r->table)
		return false;
	add_options(r, own);
	add_options(r, p->options);
	add_options(r, command_every_programs);
	optind = 0; /* glibc: start anew */
	opterr = 0;
	return true;
}

static int wrong_option(const struct reader *r, int which, char *const *argv)
{
	const char *word = argv[optind - 1];
	const char *of = r->command && r->command->words[0] ? r->command->words : NULL;
	char letter[3] = {'-', (char)optopt, '\0'};

	if (optopt > 0 && optopt < 256 && strncmp(word, "--", 2) != 0)
		word = letter;
	if (which == ':')
		return command_usage(r->program, r->command, "%s needs a value", word);
	return command_usage(r->program, r->command,
		"%s is no option%s%s%s; before an operand that begins with '-', put '--'", word,
		of ? " of '" : "", of ? of : "", of ? "'" : "");
}

enum outcome { GO_ON, HELP_ASKED, ENDED }; /* ENDED: line->status is all */

static enum outcome end_with(struct command_line *line, int status)
{
	line->status = status;
	return ENDED;
}

static enum outcome take(struct reader *r, int which, char *const *argv, struct command_line *line)
{
	switch (which) {
	case ':':
	case '?':
		return end_with(line, wrong_option(r, which, argv));
	case COMMAND_HELP:
		return HELP_ASKED;
	case COMMAND_VERSION:
		command_version(r->program);
		return end_with(line, COMMAND_DONE);
	default:
		break;
	}
	if (line->n_given == COMMAND_GIVEN_MAX)
		return end_with(line, command_usage(r->program, r->command, "too many options"));
	line->given[line->n_given++] = (struct command_given){which, optarg};
	return GO_ON;
}

/* What stands behind argv[0]; optind gets where the operands begin. */
static enum outcome read_options(const struct program *p, const struct command *command, const char *first,
	int argc, char **argv, struct command_line *line)
{
	enum outcome outcome = GO_ON;
	struct reader r;
	int which;

	if (!begin(&r, p, command, first)) {
		fprintf(stderr, "%s: out of memory\n", p->name);
		return end_with(line, COMMAND_FAILED);
	}
	while (outcome == GO_ON && (which = getopt_long(argc, argv, r.letters, r.table, NULL)) != -1)
		outcome = take(&r, which, argv, line);
	free(r.table);
	return outcome;
}

const char *command_option_name(const struct command *command, int id)
{
	for (const struct command_option *o = command->options; o && o->name; o++)
		if (o->id == id)
			return o->name;
	return "";
}

bool command_given(const struct command_line *line, int id)
{
	for (size_t i = 0; i < line->n_given; i++)
		if (line->given[i].id == id)
			return true;
	return false;
}

/* ---- All of it ---- */

/* Among words of which no command is made. */
static bool asks_for_help(int argc, char *const *argv)
{
	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

static void answer_help(const struct program *p, int n, char *const *words, struct command_line *line)
{
	line->status = COMMAND_DONE;
	if (!command_help(p, n, words, stdout))
		line->status = command_usage(p, NULL, "there is no command '%s%s%s'", words[0],
			n > 1 ? " " : "", n > 1 ? words[1] : "");
}

static void no_command(const struct program *p, int argc, char **argv, const struct brski_error *err,
	struct command_line *line)
{
	bool known = argc > 0 && command_help(p, 1, argv, NULL);

	if (asks_for_help(argc, argv))
		answer_help(p, known ? 1 : 0, argv, line);
	else if (argc > 0 && strcmp(argv[0], "help") == 0)
		answer_help(p, argc - 1, argv + 1, line);
	else
		line->status = command_usage(p, NULL, "%s", err->why);
}

/* argv begins with the command, of n_words words, perhaps none. */
static void read_command(const struct program *p, const struct command *command, int n_words, int argc,
	char **argv, struct command_line *line)
{
	struct brski_error err;

	switch (read_options(p, command, ":", argc - n_words + 1, argv + n_words - 1, line)) {
	case ENDED:
		return;
	case HELP_ASKED:
		answer_help(p, n_words, argv, line);
		return;
	case GO_ON:
		break;
	}
	line->operands = argv + n_words - 1 + optind;
	line->n_operands = argc - n_words + 1 - optind;
	if (command_check_operands(command, line->n_operands, &err) == BRSKI_OK)
		line->command = command;
	else
		line->status = command_usage(p, command, "%s", err.why);
}

void command_line_read(const struct program *p, int argc, char **argv, struct command_line *line)
{
	const struct command *command;
	struct brski_error err;
	int n_words;

	*line = (struct command_line){.status = COMMAND_DONE};
	if (p->commands->words[0] == '\0') {
		read_command(p, p->commands, 0, argc - 1, argv + 1, line);
		return;
	}
	switch (read_options(p, NULL, "+:", argc, argv, line)) {
	case ENDED:
		return;
	case HELP_ASKED:
		answer_help(p, 0, NULL, line);
		return;
	case GO_ON:
		break;
	}
	argc -= optind;
	argv += optind;
	command = command_find(p, argc, argv, &n_words, &err);
	if (command)
		read_command(p, command, n_words, argc, argv, line);
	else
		no_command(p, argc, argv, &err, line);
}
