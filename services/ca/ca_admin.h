/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_CA_CA_ADMIN_H
#define BRSKI_SERVICES_CA_CA_ADMIN_H

#include "eap_brski/ground/error.h"

/*
 * The commands init, issue-registrar, issue-server, issue-masa, issue-idevid and list.
 * BRSKI_MALFORMED: no such command.
 */
BRSKI_CHECKED enum brski_code ca_admin(int n_words, char *const *words, struct brski_error *err);

#endif
