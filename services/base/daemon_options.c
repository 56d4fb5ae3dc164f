/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eap_brski/ground/text.h"
#include "eap_brski/ground/version.h"
#include "services/base/daemon.h"
#include "services/base/daemon_texts.h"

#define OPTIONS_MAX 48
#define LINE_MAX_LEN 1024

/* Options that every program has, and what is made of them and the program's own. */
struct parser {
	const struct daemon_program *program;
	struct daemon_option common[4];
	const char *config;
	struct option table[OPTIONS_MAX];
	const struct daemon_option *by_index[OPTIONS_MAX];
	int n;
};

enum { OPTION_HELP = 1000, OPTION_VERSION = 1001 };

static void add_option(struct parser *p, const struct daemon_option *o)
{
	if (p->n >= OPTIONS_MAX - 3)
		abort(); /* a table of ours is too long */
	p->by_index[p->n] = o;
	p->table[p->n] = (struct option){.name = o->name,
		.has_arg = o->kind == DAEMON_FLAG ? no_argument : required_argument,
		.val = p->n};
	p->n++;
}

static void make_table(
	struct parser *p, const struct daemon_program *program, struct daemon_settings *settings)
{
	memset(p, 0, sizeof(*p));
	p->program = program;
	p->common[0] = (struct daemon_option){"config", DAEMON_TEXT, &p->config, 0, 0, "FILE",
		"read options from FILE, lines of: name = value"};
	p->common[1] = (struct daemon_option){"log", DAEMON_TEXT, &settings->log, 0, 0, "FILE",
		"append the log to FILE (default: standard error)"};
	p->common[2] = (struct daemon_option){
		"pid-file", DAEMON_TEXT, &settings->pid_file, 0, 0, "FILE", "write the process id to FILE"};
	p->common[3] =
		(struct daemon_option){"verbose", DAEMON_FLAG, &settings->verbose, 0, 0, NULL, "log details"};
	for (const struct daemon_option *o = program->options; o->name; o++)
		add_option(p, o);
	for (size_t i = 0; i < 4; i++)
		add_option(p, &p->common[i]);
	p->table[p->n] = (struct option){.name = "help", .val = OPTION_HELP};
	p->table[p->n + 1] = (struct option){.name = "version", .val = OPTION_VERSION};
}

static void print_help(const struct parser *p)
{
	printf("%s\nOptions:\n", p->program->usage);
	for (int i = 0; i < p->n; i++) {
		const struct daemon_option *o = p->by_index[i];
		char left[64];

		snprintf(left, sizeof(left), "--%s%s%s", o->name, o->value ? " " : "",
			o->value ? o->value : "");
		printf("  %-32s %s\n", left, o->help);
	}
	printf("  %-32s %s\n  %-32s %s\n", "--help", "print this text", "--version", "print the version");
}

static enum brski_code set_flag(const struct daemon_option *o, const char *value, struct brski_error *err)
{
	bool *target = o->target;

	if (!value || strcmp(value, "yes") == 0)
		*target = true;
	else if (strcmp(value, "no") == 0)
		*target = false;
	else
		return brski_fail(err, BRSKI_MALFORMED, "%s is yes or no, not \"%s\"", o->name, value);
	return BRSKI_OK;
}

static enum brski_code set_number(const struct daemon_option *o, const char *value, struct brski_error *err)
{
	char *end = NULL;
	long n;

	errno = 0;
	n = strtol(value, &end, 10);
	if (errno != 0 || end == value || *end != '\0' || n < o->min || n > o->max)
		return brski_fail(err, BRSKI_MALFORMED, "%s is a number from %ld to %ld, not \"%s\"", o->name,
			o->min, o->max, value);
	*(long *)o->target = n;
	return BRSKI_OK;
}

static enum brski_code set_list(const struct daemon_option *o, const char *value, struct brski_error *err)
{
	struct daemon_list *list = o->target;

	if (list->n >= DAEMON_LIST_MAX)
		return brski_fail(
			err, BRSKI_TOO_LARGE, "%s is given more than %d times", o->name, DAEMON_LIST_MAX);
	list->items[list->n++] = value;
	return BRSKI_OK;
}

static enum brski_code set_option(const struct daemon_option *o, const char *value, struct brski_error *err)
{
	if (o->kind == DAEMON_FLAG)
		return set_flag(o, value, err);
	if (!value || value[0] == '\0')
		return brski_fail(err, BRSKI_MALFORMED, "%s needs a value", o->name);
	if (o->kind == DAEMON_NUMBER)
		return set_number(o, value, err);
	value = daemon_text_keep(value);
	if (!value)
		return brski_fail(err, BRSKI_NO_MEMORY, "out of memory");
	if (o->kind == DAEMON_LIST)
		return set_list(o, value, err);
	*(const char **)o->target = value;
	return BRSKI_OK;
}

static const struct daemon_option *find_option(const struct parser *p, const char *name)
{
	for (int i = 0; i < p->n; i++) {
		if (strcmp(p->by_index[i]->name, name) == 0 && p->by_index[i] != &p->common[0])
			return p->by_index[i];
	}
	return NULL;
}

static enum brski_code read_line(const struct parser *p, char *line, struct brski_error *err)
{
	const struct daemon_option *o;
	char *value;

	line = brski_trim_in_place(line);
	if (line[0] == '\0' || line[0] == '#')
		return BRSKI_OK;
	value = strchr(line, '=');
	if (!value)
		return brski_fail(err, BRSKI_MALFORMED, "not \"name = value\": %s", line);
	*value++ = '\0';
	o = find_option(p, brski_trim_in_place(line));
	if (!o)
		return brski_fail(
			err, BRSKI_MALFORMED, "no option has the name \"%s\"", brski_trim_in_place(line));
	return set_option(o, brski_trim_in_place(value), err);
}

static enum brski_code read_config(const struct parser *p, const char *path, struct brski_error *err)
{
	char line[LINE_MAX_LEN];
	enum brski_code code = BRSKI_OK;
	unsigned number = 0;
	FILE *file = fopen(path, "re");

	if (!file)
		return brski_fail(err, BRSKI_NOT_FOUND, "cannot read %s: %s", path, strerror(errno));
	while (code == BRSKI_OK && fgets(line, sizeof(line), file)) {
		number++;
		if (strlen(line) == sizeof(line) - 1)
			code = brski_fail(err, BRSKI_TOO_LARGE, "the line is too long");
		else
			code = read_line(p, line, err);
	}
	fclose(file);
	return code == BRSKI_OK ? code : brski_fail_context(err, "%s, line %u", path, number);
}

/* One walk along the command line. config_only: looks for --config alone, so that the file is read first. */
static enum brski_code walk(
	struct parser *p, int argc, char **argv, bool config_only, bool *answered, struct brski_error *err)
{
	int which;

	optind = 0; /* glibc: start anew */
	opterr = 0;
	while ((which = getopt_long(argc, argv, ":", p->table, NULL)) != -1) {
		const struct daemon_option *o = which >= 0 && which < p->n ? p->by_index[which] : NULL;
		enum brski_code code = BRSKI_OK;

		if (which == OPTION_HELP || which == OPTION_VERSION) {
			if (which == OPTION_HELP)
				print_help(p);
			else
				printf("%s %s\n", p->program->name, BRSKI_VERSION);
			*answered = true;
			return BRSKI_OK;
		}
		if (!o || which == ':' || which == '?')
			return brski_fail(err, BRSKI_MALFORMED,
				which == ':' ? "%s needs a value" : "unknown option %s", argv[optind - 1]);
		if (config_only == (o == &p->common[0]))
			code = set_option(o, optarg, err);
		if (code != BRSKI_OK)
			return code;
	}
	return BRSKI_OK;
}

enum brski_code daemon_options(const struct daemon_program *program, int argc, char **argv,
	struct daemon_settings *settings, int *operands, struct brski_error *err)
{
	struct parser p;
	bool answered = false;
	enum brski_code code;

	memset(settings, 0, sizeof(*settings));
	make_table(&p, program, settings);
	code = walk(&p, argc, argv, true, &answered, err);
	if (code == BRSKI_OK && !answered && p.config)
		code = read_config(&p, p.config, err);
	if (code == BRSKI_OK && !answered)
		code = walk(&p, argc, argv, false, &answered, err);
	*operands = answered ? 0 : optind;
	return code;
}
