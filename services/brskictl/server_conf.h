/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BRSKICTL_SERVER_CONF_H
#define BRSKI_SERVICES_BRSKICTL_SERVER_CONF_H

#include "services/brskictl/radius_conf.h"

/*
 * A server's configuration: FreeRADIUS's of rlm_brski (radius_conf.h), or brski-registrar's, which
 * registrar.conf(5) tells.
 */

/* Where servers have theirs. */
struct server_conf_places {
	const char *radius;    /* enabled */
	const char *https;     /* brski-registrar's */
	const char *available; /* FreeRADIUS's that is there, but not enabled */
};
extern const struct server_conf_places server_conf_places;

/* The one that is meant where nobody says: the first of them that is there, or else the last. */
const char *server_conf_standard(const struct server_conf_places *places);
bool server_conf_is_there(const char *path);

/*
 * As radius_conf_read(), of either form: a file that has sections, or includes others, is FreeRADIUS's.
 * In the other form, nothing is set that does not stand there.
 */
BRSKI_CHECKED enum brski_code server_conf_read(const char *path, const struct setting *table,
	radius_conf_set *set, void *ctx, struct radius_conf_seen *seen, struct brski_error *err);

#endif
