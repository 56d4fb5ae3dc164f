/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BRSKICTL_BRSKICTL_DATABASE_H
#define BRSKI_SERVICES_BRSKICTL_BRSKICTL_DATABASE_H

#include "services/base/commands.h"
#include "services/brskictl/server_conf.h"

/* Which database is meant: the one that the server works on, unless somebody says another one. */

struct brskictl_database {
	char path[RADIUS_CONF_VALUE_MAX];
	char from[RADIUS_CONF_VALUE_MAX]; /* who says so, if it is not the default one; "": -d, or nobody */
};
/*
 * --database, else $BRSKI_DATABASE (which is `environment`, and may be NULL), else what the configuration
 * has as `database`, else the default one, as the server has it. The configuration is the one that
 * --config names, else those that are at their places; if FreeRADIUS and brski-registrar have one, they
 * must name the same. BRSKI_UNSUPPORTED: the configuration says something, but which database it means
 * is not understood, or the two name different ones; or what server_conf_read() says.
 */
BRSKI_CHECKED enum brski_code brskictl_database_find(const struct server_conf_places *places,
	const struct command_line *line, const char *environment, struct brskictl_database *out,
	struct brski_error *err);

#endif
