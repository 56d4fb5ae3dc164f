/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_ADMIN_INTERNAL_H
#define BRSKI_SERVICES_REGISTRAR_ADMIN_INTERNAL_H

#include "services/registrar/admin.h"
#include "services/registrar/bundle_exchange.h"
#include "services/registrar/store.h"

struct brski_admin {
	struct brski_store *store;
	const struct brski_env *env;
	struct admin_site *site; /* admin_site.c */
};

/* admin.c: 1 to size - 1 printable ASCII characters */
bool admin_is_printable(const char *text, size_t size);
/* admin_devices.c */
BRSKI_CHECKED enum brski_code admin_check_serial(const char *serial, struct brski_error *err);

/* ---- admin_site.c ---- */

BRSKI_CHECKED enum brski_code admin_site_new(struct admin_site **out, struct brski_error *err);
void admin_site_free(struct admin_site *site); /* NULL is allowed */
/* These are NULL, or empty, before brski_admin_load. */
struct brski_exchange *admin_exchange(const struct brski_admin *admin);
const struct brski_credential *admin_credential(const struct brski_admin *admin);
const char *admin_certificate_file(const struct brski_admin *admin);
const char *admin_masa_hosts(const struct brski_admin *admin);
const char *admin_proxy(const struct brski_admin *admin);

/* admin_exchange.c */
enum brski_admin_outcome admin_outcome(enum brski_import_outcome outcome);

#endif
