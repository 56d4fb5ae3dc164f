/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BASE_COMMANDS_INTERNAL_H
#define BRSKI_SERVICES_BASE_COMMANDS_INTERNAL_H

#include "services/base/commands.h"

/* What reading a command line and telling how it is used have in common. */

enum { COMMAND_HELP = 'h', COMMAND_VERSION = 'V' };
extern const struct command_option command_every_programs[]; /* --help and --version */

/* Whether the first word of the command is this one. */
bool command_begins_with(const struct command *command, const char *word);

#endif
