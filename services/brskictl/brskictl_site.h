/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BRSKICTL_BRSKICTL_SITE_H
#define BRSKI_SERVICES_BRSKICTL_BRSKICTL_SITE_H

#include <getopt.h>

#include "services/brskictl/brskictl.h"

/* Commands that need the registrar's own key: they take it from where the server does, mods-enabled/brski. */

struct brskictl_site { /* options; NULL: as the configuration says */
	const char *config, *certificate, *private_key, *ca, *cmp_url, *proxy;
};

#define BRSKICTL_SITE_OPTIONS \
	{"config", required_argument, NULL, 'C'}, {"certificate", required_argument, NULL, 'c'}, \
		{"private-key", required_argument, NULL, 'k'}, {"ca", required_argument, NULL, 'a'}, \
		{"cmp-url", required_argument, NULL, 'u'}, \
	{ \
		"proxy", required_argument, NULL, 'p' \
	}
#define BRSKICTL_SITE_SHORT "C:c:k:a:u:p:"

/* True if the option was one of these. */
bool brskictl_site_option(struct brskictl_site *site, int c, const char *value);
/* Has the registrar's key loaded, as the configuration and then these options say. Exit status. */
int brskictl_site_load(const struct brskictl_site *site, struct brski_admin *admin);

#endif
