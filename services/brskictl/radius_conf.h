/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BRSKICTL_RADIUS_CONF_H
#define BRSKI_SERVICES_BRSKICTL_RADIUS_CONF_H

#include "services/base/settings.h"

/*
 * FreeRADIUS's configuration of rlm_brski, as far as it is needed to find the registrar's key and its
 * database: lines of "name = value", with quotation marks and comments, and the variables ${certdir} and
 * ${confdir} at the beginning of a value. What is in a section of another module, or in one within that
 * of rlm_brski, does not count. Of several instances the last word counts; $INCLUDE is not followed.
 */
#define RADIUS_CONF_VALUE_MAX 512 /* octets of a value, with the terminating zero */

/* What a reader of one file may want to know of it. */
struct radius_conf_seen {
	unsigned instances; /* sections of rlm_brski */
	bool includes;      /* others' files, which may say more */
};

typedef enum brski_code radius_conf_set(
	void *ctx, const char *name, const char *value, struct brski_error *err);
/*
 * Gives each value whose name is in the table to `set`: first what mods-available/brski has, for what
 * is not in this file, then the file's, in its order. An error of `set` ends it. The file stands in
 * a folder of FreeRADIUS's (mods-enabled) beside certs. BRSKI_NOT_FOUND: there is none, and
 * only the former was set; BRSKI_UNAVAILABLE: it cannot be opened, the same; BRSKI_MALFORMED: a quotation mark is missing; BRSKI_UNSUPPORTED: another
 * variable, or a value that is too long; BRSKI_TOO_LARGE: a line is. seen may be NULL.
 */
BRSKI_CHECKED enum brski_code radius_conf_read(const char *path, const struct setting *table,
	radius_conf_set *set, void *ctx, struct radius_conf_seen *seen, struct brski_error *err);

#endif
