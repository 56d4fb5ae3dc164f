/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TESTS_SITE_WEB_H
#define BRSKI_TESTS_SITE_WEB_H

#include "tests/unit/support/site.h"
#include "tests/unit/support/web.h"

/*
 * A site's MASA behind real HTTPS and its CA behind real HTTP, for registrars that call by
 * themselves; and its files, for registrars that load theirs. What is down closes the connection.
 */
struct site_web {
	struct site *site;
	struct web masa, ca;
	char masa_url[64], cmp_url[64];
	char ca_path[64]; /* that the CA was asked at last */
	/* private */
	struct brski_credential masa_tls, ca_tls;
};

/* site->masa_url and site->config.cmp_url become those of the servers. */
void site_web_start(struct site_web *web, struct site *site);
void site_web_stop(struct site_web *web); /* before site_close() */
/* The CA moves behind HTTPS, with a certificate of this issuer: web->cmp_url, for a registrar that is not made yet. */
void site_web_ca_tls(struct site_web *web, const struct brski_credential *issuer);

/* "cert.pem" (with the chain), "key.pem" and "ca.pem" (the domain's anchors), in the folder. */
void site_write_files(const struct site *site, const struct brski_credential *registrar, const char *folder);

#endif
