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
 * Reads them now, so that what is wrong with them is in the log before the first device comes: what
 * cannot be read, and anchors that several have.
 */
BRSKI_CHECKED enum brski_code brski_manufacturers_load(
	struct brski_manufacturers *all, struct brski_error *err);

/*
 * The manufacturer to one of whose anchors the chain (leaf first) verifies; *out is the caller's. Of
 * several, the one with the anchor nearest to the device; of those, whoever refuses it, and then the
 * one with the stricter mode. BRSKI_UNTRUSTED where no anchor is above the device; BRSKI_EXPIRED,
 * BRSKI_REVOKED, BRSKI_UNSUPPORTED and BRSKI_REFUSED where one is, but does not want it.
 */
BRSKI_CHECKED enum brski_code brski_manufacturers_find(struct brski_manufacturers *all,
	const STACK_OF(X509) *chain, struct brski_manufacturer *out, struct brski_error *err);
/*
 * Number i, from 0, of the others that have an anchor of this one's, too. BRSKI_NOT_FOUND: there are no
 * more, and err is not filled.
 */
BRSKI_CHECKED enum brski_code brski_manufacturers_twin(struct brski_manufacturers *all, const char *name,
	unsigned i, char other[64], struct brski_error *err);
/* By name. BRSKI_NOT_FOUND. */
BRSKI_CHECKED enum brski_code brski_manufacturers_get(struct brski_manufacturers *all, const char *name,
	struct brski_manufacturer *out, struct brski_error *err);

#endif
