/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/base/commands_internal.h"

#include <string.h>

#include "eap_brski/ground/version.h"

#define COLUMN 34 /* of what something means, behind two blanks */

const struct command_option command_every_programs[] = {
	{"help", COMMAND_HELP, NULL, "print how it is used"},
	{"version", COMMAND_VERSION, NULL, "print the version"},
	{0},
};

void command_version(const struct program *p)
{
	printf("%s %s\n", p->name, BRSKI_VERSION);
}

/* In two columns; what is too long for the left one has a line of its own. */
static void print_row(FILE *to, const char *left, const char *right)
{
	const char *line = right;

	fprintf(to, "  %-*s", COLUMN, left);
	if (strlen(left) >= COLUMN)
		fprintf(to, "\n  %-*s", COLUMN, "");
	for (;;) {
		size_t len = strcspn(line, "\n");

		fprintf(to, " %.*s\n", (int)len, line);
		line += len;
		if (*line == '\0' || *++line == '\0')
			return;
		fprintf(to, "  %-*s", COLUMN, "");
	}
}

static void print_option(FILE *to, const struct command_option *o)
{
	char left[128];

	if (o->id > 0 && o->id < 256)
		snprintf(left, sizeof(left), "-%c, --%s%s%s", o->id, o->name, o->value ? " " : "",
			o->value ? o->value : "");
	else
		snprintf(left, sizeof(left), "    --%s%s%s", o->name, o->value ? " " : "",
			o->value ? o->value : "");
	print_row(to, left, o->help);
}

static void print_options(FILE *to, const struct command_option *options)
{
	for (; options && options->name; options++)
		print_option(to, options);
}

static void print_setting(FILE *to, const struct setting *s)
{
	const struct command_option o = {s->name, 0, s->value, s->help};

	print_option(to, &o);
}

/* ---- One command ---- */

/* "device add [options] MANUFACTURER [SERIAL [NOTE]]" */
static void usage_of(const struct program *p, const struct command *c, char *out, size_t size)
{
	size_t used =
		(size_t)snprintf(out, size, "%s%s", c->words, c->options || c->settings ? " [options]" : "");

	for (const struct setting *s = p->settings; s && s->name && used < size; s++)
		if (command_names(c->needs, s->name))
			used += (size_t)snprintf(out + used, size - used, " --%s %s", s->name, s->value);
	if (used < size && c->operands[0])
		snprintf(out + used, size - used, " %s", c->operands);
}

static void print_usage(const struct program *p, const struct command *c, FILE *to)
{
	char usage[256];

	usage_of(p, c, usage, sizeof(usage));
	fprintf(to, "Usage: %s%s%s\n%s", p->name, usage[0] == ' ' ? "" : " ", usage, c->help);
}

/* own: those that the command names; else those that no command does. */
static void print_settings(const struct program *p, const struct command *c, bool own, FILE *to)
{
	for (const struct setting *s = p->settings; s && s->name; s++)
		if (command_takes_setting(p, c, s->name) && command_names(c->settings, s->name) == own)
			print_setting(to, s);
}

static void print_command(const struct program *p, const struct command *c, FILE *to)
{
	print_usage(p, c, to);
	if (c->options || c->settings)
		fputs("\nOptions:\n", to);
	print_options(to, c->options);
	print_settings(p, c, true, to);
	fputs(c->words[0] ? "\nOptions of every command:\n" : "", to);
	print_options(to, p->options);
	print_settings(p, c, false, to);
	print_options(to, command_every_programs);
	if (!c->words[0] && p->more)
		fprintf(to, "\n%s", p->more);
}

/* ---- The program ---- */

static void print_program(const struct program *p, FILE *to)
{
	fprintf(to, "Usage: %s [options] COMMAND ...\n%s\nCommands:\n", p->name, p->about);
	for (const struct command *c = p->commands; c->words; c++) {
		char usage[256], first_line[160];

		usage_of(p, c, usage, sizeof(usage));
		snprintf(first_line, sizeof(first_line), "%.*s", (int)strcspn(c->help, "\n"), c->help);
		print_row(to, usage, first_line);
	}
	print_row(to, "help [COMMAND]", "How a command is used.");
	fputs("\nOptions:\n", to);
	print_options(to, p->options);
	for (const struct setting *s = p->settings; s && s->name; s++)
		print_setting(to, s);
	print_options(to, command_every_programs);
	if (p->more)
		fprintf(to, "\n%s", p->more);
}

/* The words may be the beginning of several commands. */
static bool is_meant(const struct command *c, int n, char *const *words)
{
	const char *second = strchr(c->words, ' ');

	if (!command_begins_with(c, words[0]))
		return false;
	return n == 1 || (n == 2 && second && strcmp(second + 1, words[1]) == 0);
}

bool command_help(const struct program *p, int n, char *const *words, FILE *to)
{
	unsigned found = 0;

	if (p->commands->words[0] == '\0' || n == 0) {
		if (to && p->commands->words[0] == '\0')
			print_command(p, p->commands, to);
		else if (to)
			print_program(p, to);
		return true;
	}
	for (const struct command *c = p->commands; c->words; c++) {
		if (!is_meant(c, n, words))
			continue;
		if (found++ && to)
			fputs("\n", to);
		if (to)
			print_command(p, c, to);
	}
	return found > 0;
}
