/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_MASA_MASA_ADMIN_INTERNAL_H
#define BRSKI_SERVICES_MASA_MASA_ADMIN_INTERNAL_H

#include "services/base/daemon.h"

/* The commands of the program but `serve`. */
enum masa_command {
	MASA_DEVICE_ADD = DAEMON_SERVE + 1,
	MASA_DEVICE_LIST,
	MASA_DEVICE_REMOVE,
	MASA_DEVICE_BLOCK,
	MASA_DEVICE_UNBLOCK,
	MASA_OWNER_ADD,
	MASA_OWNER_LIST,
	MASA_OWNER_REMOVE,
	MASA_LOG,
	MASA_COMMANDS
};
extern const struct program masa_program;

/*
 * Does one of them. settings is the structure masa_settings. They work beside a running daemon. Errors
 * are what the store and brski_certs_load() say.
 */
BRSKI_CHECKED enum brski_code masa_admin(
	void *settings, const struct command_line *line, struct brski_error *err);

#endif
