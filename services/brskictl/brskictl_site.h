/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BRSKICTL_BRSKICTL_SITE_H
#define BRSKI_SERVICES_BRSKICTL_BRSKICTL_SITE_H

#include "services/brskictl/brskictl.h"

/*
 * Commands that need the registrar's own key: they take it from where the server does, the file that
 * --config names, or else server_conf_standard().
 */

struct brskictl_site { /* options; NULL: as the configuration says */
	const char *config, *certificate, *private_key, *ca, *cmp_url, *proxy;
};

/* clang-format off */
#define BRSKICTL_SITE_OPTIONS \
	{"certificate", 'c', "FILE", "the registrar's certificate"}, \
	{"private-key", 'k', "FILE", "its key"}, \
	{"ca", 'a', "FILE", "trust anchors of the network"}, \
	{"cmp-url", 'u', "URL", "of the PKI"}, \
	{"proxy", 'p', "URL", "an HTTP proxy"}
/* clang-format on */

/* Those of the options that are these. */
void brskictl_site_options(struct brskictl_site *site, const struct command_line *line);
/* Has the registrar's key loaded, as the configuration and then these options say. Exit status. */
int brskictl_site_load(const struct brskictl_site *site, struct brski_admin *admin);

#endif
