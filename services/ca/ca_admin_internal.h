/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_CA_CA_ADMIN_INTERNAL_H
#define BRSKI_SERVICES_CA_CA_ADMIN_INTERNAL_H

#include "eap_brski/ground/error.h"

/*
 * The commands init, issue-registrar, issue-server, issue-masa, issue-idevid and list. settings is
 * the structure ca_settings, of which `dir` may be changed. BRSKI_MALFORMED: no such command, or an
 * option that it needs is missing; BRSKI_UNAVAILABLE: a file is there already, or cannot be
 * written; else what ca_issue(), ca_load_issuer() and ca_open_store() say.
 */
BRSKI_CHECKED enum brski_code ca_admin(
	void *settings, int n_words, char *const *words, struct brski_error *err);

#endif
