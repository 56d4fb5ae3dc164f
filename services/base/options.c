/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/base/options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define CONFIG "config"

/* a setting is beyond the characters that getopt_long() returns */
enum { OPTION_HELP = 'h', OPTION_VERSION = 'V', OPTION_FIRST = 256 };

/* What is made of the table for a walk along the command line. */
struct walk {
	const struct program *program;
	const struct setting *config; /* NULL: there is no file */
	size_t n;
	struct option *table;    /* of getopt_long() */
	struct setting *in_file; /* the table without `config` */
	bool *given;             /* settings of the command line */
	void *into;
	int argc;
	char **argv;
	bool asks_help;
	bool answered; /* --help or --version */
};

static void fill(struct walk *w)
{
	size_t n_in_file = 0;

	for (size_t i = 0; i < w->n; i++) {
		const struct setting *s = &w->program->settings[i];

		w->table[i] = (struct option){.name = s->name,
			.has_arg = s->kind == SETTING_FLAG ? no_argument : required_argument,
			.val = OPTION_FIRST + (int)i};
		if (s != w->config)
			w->in_file[n_in_file++] = *s;
	}
	w->table[w->n] = (struct option){.name = "help", .val = OPTION_HELP};
	w->table[w->n + 1] = (struct option){.name = "version", .val = OPTION_VERSION};
}

static enum brski_code begin(struct walk *w, struct brski_error *err)
{
	w->config = settings_find(w->program->settings, CONFIG);
	while (w->program->settings[w->n].name)
		w->n++;
	w->table = calloc(w->n + 3, sizeof(*w->table));
	w->in_file = calloc(w->n + 1, sizeof(*w->in_file));
	w->given = calloc(w->n + 1, sizeof(*w->given));
	if (!w->table || !w->in_file || !w->given)
		return brski_fail(err, BRSKI_NO_MEMORY, "out of memory");
	fill(w);
	return BRSKI_OK;
}

static enum brski_code take(struct walk *w, const struct setting *s, struct brski_error *err)
{
	if (s->kind != SETTING_FLAG && optarg[0] == '\0')
		return brski_fail(err, BRSKI_MALFORMED, "--%s needs a value", s->name);
	w->given[s - w->program->settings] = true;
	return settings_set(s, w->into, optarg, err);
}

/* One option. for_config: takes --config alone, since the file is read before all others. */
static enum brski_code look_at(struct walk *w, int which, bool for_config, struct brski_error *err)
{
	const struct setting *s;

	if (which == OPTION_HELP) {
		w->asks_help = true;
		return BRSKI_OK;
	}
	if (which == OPTION_VERSION) {
		command_version(w->program);
		w->answered = true;
		return BRSKI_OK;
	}
	if (which < OPTION_FIRST)
		return brski_fail(err, BRSKI_MALFORMED,
			which == ':' ? "%s needs a value" : "unknown option %s", w->argv[optind - 1]);
	s = &w->program->settings[which - OPTION_FIRST];
	return for_config == (s == w->config) ? take(w, s, err) : BRSKI_OK;
}

/* Behind --help there is nothing but the words that it is about. */
static enum brski_code walk_along(struct walk *w, bool for_config, struct brski_error *err)
{
	enum brski_code code = BRSKI_OK;
	int which;

	optind = 0; /* glibc: start anew */
	opterr = 0;
	while (code == BRSKI_OK && !w->answered &&
		(which = getopt_long(w->argc, w->argv, ":hV", w->table, NULL)) != -1)
		if (!w->asks_help)
			code = look_at(w, which, for_config, err);
	return code;
}

static const char *config_path(const struct walk *w)
{
	return w->config ? *(char **)((char *)w->into + w->config->offset) : NULL;
}

/* ---- Help ---- */

/* --help: of what is known of the words, the program at least. */
static void answer_option(struct walk *w)
{
	int n = w->argc - optind;
	char **words = w->argv + optind;

	if (!(n > 1 && command_help(w->program, 2, words, stdout)) &&
		!(n > 0 && command_help(w->program, 1, words, stdout)))
		(void)command_help(w->program, 0, NULL, stdout);
	w->answered = true;
}

/* `help WORDS...` */
static enum brski_code answer_word(struct walk *w, struct brski_error *err)
{
	int n = w->argc - optind;
	char **words = w->argv + optind;

	if (n == 0 || strcmp(words[0], "help") != 0)
		return BRSKI_OK;
	w->answered = command_help(w->program, n - 1, words + 1, stdout);
	return w->answered ? BRSKI_OK
			   : brski_fail(err, BRSKI_MALFORMED, "there is no command '%.80s%s%.80s'", words[1],
				     n > 2 ? " " : "", n > 2 ? words[2] : "");
}

/* ---- The command ---- */

static enum brski_code find_command(struct walk *w, struct command_line *line, struct brski_error *err)
{
	int n_words;

	line->command = command_find(w->program, w->argc - optind, w->argv + optind, &n_words, err);
	if (!line->command)
		return BRSKI_MALFORMED;
	line->operands = w->argv + optind + n_words;
	line->n_operands = w->argc - optind - n_words;
	return command_check_operands(line->command, line->n_operands, err);
}

static enum brski_code check_settings(
	const struct walk *w, const struct command *command, struct brski_error *err)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct setting *s = &w->program->settings[i];

		if (w->given[i] && !command_takes_setting(w->program, command, s->name))
			return brski_fail(
				err, BRSKI_MALFORMED, "--%s is no option of '%s'", s->name, command->words);
		if (command_names(command->needs, s->name) && !settings_given(s, w->into))
			return brski_fail(err, BRSKI_MALFORMED, "'%s' needs --%s %s: %s", command->words,
				s->name, s->value, s->help);
	}
	return BRSKI_OK;
}

static enum brski_code read_command(struct walk *w, struct command_line *line, struct brski_error *err)
{
	enum brski_code code = walk_along(w, false, err);

	if (code == BRSKI_OK)
		code = answer_word(w, err);
	if (code == BRSKI_OK && !w->answered)
		code = find_command(w, line, err);
	if (code == BRSKI_OK && !w->answered)
		code = check_settings(w, line->command, err);
	return code;
}

/* *own: an error is not one of the command line. */
static enum brski_code read_all(struct walk *w, struct command_line *line, bool *own, struct brski_error *err)
{
	enum brski_code code = settings_standard(w->program->settings, w->into, err);

	*own = code != BRSKI_OK;
	if (code == BRSKI_OK)
		code = walk_along(w, true, err);
	if (code == BRSKI_OK && w->asks_help)
		answer_option(w);
	if (code != BRSKI_OK || w->answered)
		return code;
	if (config_path(w))
		code = settings_read(w->in_file, w->into, config_path(w), err);
	if (code != BRSKI_OK)
		(void)brski_fail_context(err, code, "--config");
	*own = code != BRSKI_OK;
	return code == BRSKI_OK ? read_command(w, line, err) : code;
}

enum brski_code options_read(const struct program *program, int argc, char **argv, void *into,
	struct command_line *line, struct brski_error *err)
{
	struct walk w = {.program = program, .into = into, .argc = argc, .argv = argv};
	enum brski_code code = begin(&w, err);
	bool own = code != BRSKI_OK;

	*line = (struct command_line){0};
	if (code == BRSKI_OK)
		code = read_all(&w, line, &own, err);
	if (code != BRSKI_OK)
		line->status = own ? COMMAND_FAILED : COMMAND_WRONG_USE;
	free(w.table);
	free(w.in_file);
	free(w.given);
	return code;
}
