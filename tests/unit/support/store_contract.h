/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TESTS_UNIT_SUPPORT_STORE_CONTRACT_H
#define BRSKI_TESTS_UNIT_SUPPORT_STORE_CONTRACT_H

#include "services/registrar/store.h"

/*
 * What services/registrar/store.h promises, as tests that the store over any database must pass. Each
 * test has a process of its own, a new store, and two connections to it, as two servers have.
 */
struct store_driver {
	struct brski_store *(*make)(void);    /* a connection to a new store with nothing in it */
	struct brski_store *(*another)(void); /* one more to the same */
	void (*spoil)(void);                  /* from now on nothing can be read or written there */
	void (*remove)(void);                 /* the store; all connections are closed */
};

/* The exit status of main(). */
int store_contract(const char *name, const struct store_driver *driver);

#endif
