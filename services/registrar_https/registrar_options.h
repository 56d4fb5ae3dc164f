/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_HTTPS_REGISTRAR_OPTIONS_H
#define BRSKI_SERVICES_REGISTRAR_HTTPS_REGISTRAR_OPTIONS_H

#include "services/base/commands.h"

/* The command line of brski-registrar: all else is in its configuration file. */
struct registrar_options {
	const char *config; /* in argv, or the standard place */
	bool check;
};

extern const struct program registrar_program;

void registrar_options_take(struct registrar_options *out, const struct command_line *line);

#endif
