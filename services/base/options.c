/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/base/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eap_brski/ground/version.h"

#define CONFIG "config"

/* beyond the characters that getopt_long() returns */
enum { OPTION_HELP = 256, OPTION_VERSION, OPTION_FIRST };

/* What is made of the table for a walk along the command line. */
struct walk {
	const struct options *options;
	const struct setting *config; /* NULL: there is no file */
	size_t n;
	struct option *table;    /* of getopt_long() */
	struct setting *in_file; /* the table without `config` */
	void *into;
	int argc;
	char **argv;
	bool answered; /* --help or --version */
};

static void fill(struct walk *w)
{
	size_t n_in_file = 0;

	for (size_t i = 0; i < w->n; i++) {
		const struct setting *s = &w->options->table[i];

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
	w->config = settings_find(w->options->table, CONFIG);
	while (w->options->table[w->n].name)
		w->n++;
	w->table = calloc(w->n + 3, sizeof(*w->table));
	w->in_file = calloc(w->n + 1, sizeof(*w->in_file));
	if (!w->table || !w->in_file)
		return brski_fail(err, BRSKI_NO_MEMORY, "out of memory");
	fill(w);
	return BRSKI_OK;
}

static void print_help(const struct walk *w)
{
	printf("%s\nOptions:\n", w->options->usage);
	for (const struct setting *s = w->options->table; s->name; s++) {
		char left[64];

		snprintf(left, sizeof(left), "--%s%s%s", s->name, s->value ? " " : "",
			s->value ? s->value : "");
		printf("  %-32s %s\n", left, s->help);
	}
	printf("  %-32s %s\n  %-32s %s\n", "--help", "print this text", "--version", "print the version");
}

static void answer(struct walk *w, int which)
{
	if (which == OPTION_HELP)
		print_help(w);
	else
		printf("%s %s\n", w->options->name, BRSKI_VERSION);
	w->answered = true;
}

static enum brski_code take(struct walk *w, const struct setting *s, struct brski_error *err)
{
	if (s->kind != SETTING_FLAG && optarg[0] == '\0')
		return brski_fail(err, BRSKI_MALFORMED, "%s needs a value", s->name);
	return settings_set(s, w->into, optarg, err);
}

/* One option. for_config: takes --config alone, since the file is read before all others. */
static enum brski_code look_at(struct walk *w, int which, bool for_config, struct brski_error *err)
{
	const struct setting *s;

	if (which == OPTION_HELP || which == OPTION_VERSION) {
		answer(w, which);
		return BRSKI_OK;
	}
	if (which < OPTION_FIRST)
		return brski_fail(err, BRSKI_MALFORMED,
			which == ':' ? "%s needs a value" : "unknown option %s", w->argv[optind - 1]);
	s = &w->options->table[which - OPTION_FIRST];
	return for_config == (s == w->config) ? take(w, s, err) : BRSKI_OK;
}

static enum brski_code walk_along(struct walk *w, bool for_config, struct brski_error *err)
{
	enum brski_code code = BRSKI_OK;
	int which;

	optind = 0; /* glibc: start anew */
	opterr = 0;
	while (code == BRSKI_OK && !w->answered &&
		(which = getopt_long(w->argc, w->argv, ":", w->table, NULL)) != -1)
		code = look_at(w, which, for_config, err);
	return code;
}

static const char *config_path(const struct walk *w)
{
	return w->config && !w->answered ? *(char **)((char *)w->into + w->config->offset) : NULL;
}

enum brski_code options_read(const struct options *options, int argc, char **argv, void *into, int *operands,
	struct brski_error *err)
{
	struct walk w = {.options = options, .into = into, .argc = argc, .argv = argv};
	enum brski_code code = begin(&w, err);

	*operands = 0;
	if (code == BRSKI_OK)
		code = settings_standard(options->table, into, err);
	if (code == BRSKI_OK)
		code = walk_along(&w, true, err);
	if (code == BRSKI_OK && config_path(&w))
		code = settings_read(w.in_file, into, config_path(&w), err);
	if (code == BRSKI_OK && !w.answered)
		code = walk_along(&w, false, err);
	if (code == BRSKI_OK && !w.answered)
		*operands = optind;
	free(w.table);
	free(w.in_file);
	return code;
}
