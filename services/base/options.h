/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BASE_OPTIONS_H
#define BRSKI_SERVICES_BASE_OPTIONS_H

#include "services/base/settings.h"

/*
 * A program's command line, by a table of settings: the setting "listen" is --listen ADDRESS:PORT
 * there, and "listen = ADDRESS:PORT" in the file that the setting "config" names, if the table has
 * one of that name (it is a text, and cannot stand in the file). --help and --version are every
 * program's.
 */
struct options {
	const char *name;  /* of the program */
	const char *usage; /* the first lines of --help */
	const struct setting *table;
};

/*
 * Gives the zeroed structure `into` its standard values, reads the file, then the command line,
 * which overrides it; a list gets the items of both. *operands gets the index in argv of the first
 * operand (getopt_long() moves operands behind the options), or 0 after --help or --version was
 * answered on stdout.
 * BRSKI_MALFORMED: an option that is unknown or has no such value; BRSKI_TOO_LARGE: a list or a
 * line of the file; BRSKI_NOT_FOUND: the file; BRSKI_NO_MEMORY. settings_free() in any case.
 */
BRSKI_CHECKED enum brski_code options_read(const struct options *options, int argc, char **argv, void *into,
	int *operands, struct brski_error *err);

#endif
