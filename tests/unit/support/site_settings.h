/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TESTS_SITE_SETTINGS_H
#define BRSKI_TESTS_SITE_SETTINGS_H

#include "services/registrar/config.h"
#include "services/registrar/store.h"
#include "tests/unit/support/site_web.h"

/* What an operator sets and stores, for registrars that are made of settings, files and a database. */

/* One setting, by its name. */
void site_set(struct brski_config *settings, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* All that is needed, with the files of site_write_files() in that folder; calls that failed are soon made again. */
void site_set_all(
	struct brski_config *settings, const struct site_web *web, const char *folder, const char *database);

/* Manufacturer "acme": the site's anchors, and its MASA. */
void site_put_acme(struct brski_store *store, const struct site *site, enum brski_mode mode, bool audit_log);

#endif
