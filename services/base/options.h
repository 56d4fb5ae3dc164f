/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BASE_OPTIONS_H
#define BRSKI_SERVICES_BASE_OPTIONS_H

#include "services/base/commands.h"

/*
 * The command line of a program with settings: the setting "listen" is --listen ADDRESS:PORT there,
 * and "listen = ADDRESS:PORT" in the file that the setting "config" names, if the table has one of that
 * name (it is a text, and cannot stand in the file).
 *
 * Gives the zeroed structure `into` its standard values, reads the file, then the command line, which
 * overrides it; a list gets the items of both. line gets command and operands. line->command is NULL
 * where --help, `help` or --version was answered on stdout, and where no command was found.
 * An error of the command line sets line->status to COMMAND_WRONG_USE, any other to COMMAND_FAILED.
 * BRSKI_MALFORMED: an option that is unknown, has no such value, or is none of the command's; one that
 * it needs is missing; no such command, or not its operands; BRSKI_TOO_LARGE: a list or a line of the
 * file; BRSKI_NOT_FOUND: the file; BRSKI_NO_MEMORY. settings_free() in any case.
 */
BRSKI_CHECKED enum brski_code options_read(const struct program *program, int argc, char **argv, void *into,
	struct command_line *line, struct brski_error *err);

#endif
