/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TESTS_SITE_STORE_H
#define BRSKI_TESTS_SITE_STORE_H

#include "services/registrar/memory.h"
#include "tests/unit/support/site.h"

/*
 * A site whose registrar has its jobs and notes in a store, for those who look at both; policy and
 * history stay the site's.
 */
struct site_store {
	struct brski_memory memory;
	struct brski_registrar_ops ops;
};

/* Of one site at a time; site_restart() after that. The store is the caller's. */
void site_store_set(struct site_store *s, struct site *site, struct brski_store *store);

#endif
