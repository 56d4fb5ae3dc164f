/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BRSKICTL_BRSKICTL_SITE_H
#define BRSKI_SERVICES_BRSKICTL_BRSKICTL_SITE_H

#include <getopt.h>

#include "services/brskictl/brskictl.h"
#include "services/registrar/bundle_exchange.h"

/* Commands that need the registrar's own key: they take it from where the server does, mods-enabled/brski. */

struct brskictl_site {
	/* options; NULL: as the configuration says */
	const char *config, *certificate, *private_key, *ca, *cmp_url, *proxy;
	/* brskictl_site_open */
	struct brski_credential credential;
	STACK_OF(X509) *anchors;
	char folder[512];     /* where the certificate is */
	char proxy_text[512]; /* "": none */
	struct brski_exchange *offline;
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
/* Exit status; 0: *site->offline is there. brskictl_site_close in either case. */
int brskictl_site_open(struct brskictl_site *site, struct brski_store *store);
void brskictl_site_close(struct brskictl_site *site);

#endif
