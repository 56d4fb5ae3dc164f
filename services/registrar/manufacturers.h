/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_MANUFACTURERS_H
#define BRSKI_SERVICES_REGISTRAR_MANUFACTURERS_H

#include "services/registrar/store.h"

/* The store's manufacturers with their certificates parsed, kept until the store changes. Thread-safe. */
struct brski_manufacturers;
BRSKI_CHECKED enum brski_code brski_manufacturers_new(struct brski_store *store, const struct brski_env *env,
	struct brski_manufacturers **out, struct brski_error *err); /* store and env are borrowed */
void brski_manufacturers_free(struct brski_manufacturers *all);

/*
 * The manufacturer to one of whose anchors the chain (leaf first) verifies; *out is the caller's.
 * BRSKI_EXPIRED and BRSKI_REVOKED where one knows the device but does not want it; BRSKI_UNTRUSTED
 * where none does.
 */
BRSKI_CHECKED enum brski_code brski_manufacturers_find(struct brski_manufacturers *all,
	const STACK_OF(X509) *chain, struct brski_manufacturer *out, struct brski_error *err);
/* By name. BRSKI_NOT_FOUND. */
BRSKI_CHECKED enum brski_code brski_manufacturers_get(struct brski_manufacturers *all, const char *name,
	struct brski_manufacturer *out, struct brski_error *err);

#endif
