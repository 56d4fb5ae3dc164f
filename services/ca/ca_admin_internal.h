/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_CA_CA_ADMIN_INTERNAL_H
#define BRSKI_SERVICES_CA_CA_ADMIN_INTERNAL_H

#include "services/base/daemon.h"

/* The commands of the program but `serve`. */
enum ca_command {
	CA_INIT = DAEMON_SERVE + 1,
	CA_ISSUE_REGISTRAR,
	CA_ISSUE_SERVER,
	CA_ISSUE_MASA,
	CA_ISSUE_IDEVID,
	CA_LIST,
	CA_COMMANDS
};
extern const struct program ca_program;

/*
 * Does one of them. settings is the structure ca_settings. BRSKI_MALFORMED: an option is not what it
 * should be; BRSKI_UNAVAILABLE: a file is there already, or cannot be written; else what ca_issue(),
 * ca_load_issuer() and ca_open_store() say.
 */
BRSKI_CHECKED enum brski_code ca_admin(
	void *settings, const struct command_line *line, struct brski_error *err);

#endif
