/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_MASA_MASA_ADMIN_INTERNAL_H
#define BRSKI_SERVICES_MASA_MASA_ADMIN_INTERNAL_H

#include "eap_brski/ground/error.h"

/*
 * The commands `device`, `owner` and `log`: words are the operands from that word on. settings is
 * the structure masa_settings. They work beside a running daemon. BRSKI_MALFORMED: no such command,
 * or not its words; else what the store and brski_certs_load() say.
 */
BRSKI_CHECKED enum brski_code masa_admin(
	void *settings, int n_words, char *const *words, struct brski_error *err);

#endif
