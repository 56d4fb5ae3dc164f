/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TESTS_UNIT_SUPPORT_STORE_ROWS_H
#define BRSKI_TESTS_UNIT_SUPPORT_STORE_ROWS_H

#include "services/registrar/store.h"

/* Whole lists of a store for tests, from pages of three rows. What a row holds is gone after the call. */
void each_manufacturer(struct brski_store *store,
	void (*row)(void *ctx, const struct brski_store_manufacturer *m), void *ctx);
void each_candidate(struct brski_store *store, bool refused,
	void (*row)(void *ctx, const struct brski_store_candidate *c), void *ctx);
/* manufacturer NULL: of all. */
void each_device(struct brski_store *store, const char *manufacturer,
	void (*row)(void *ctx, const struct brski_store_device *device), void *ctx);
void each_type(struct brski_store *store, const char *manufacturer,
	void (*row)(void *ctx, const struct brski_store_type *type), void *ctx);
void each_nonceless(struct brski_store *store, const char *manufacturer,
	void (*row)(void *ctx, struct brski_store_nonceless *a), void *ctx);
/* serial NULL: of all. */
void each_event(struct brski_store *store, const char *serial, unsigned newest,
	void (*row)(void *ctx, const struct brski_store_event *event), void *ctx);
void each_job(struct brski_store *store, const struct brski_store_job_filter *filter,
	void (*row)(void *ctx, struct brski_store_job *job), void *ctx);
void each_turn(struct brski_store *store, const struct brski_store_turn *turn,
	void (*row)(void *ctx, struct brski_store_job *job), void *ctx);

/*
 * A row in the state that it says, whatever is there: added, replaced, or both. limits: of what waits
 * then; NULL: none. Codes of brski_store_job_add and brski_store_job_replace.
 */
BRSKI_CHECKED enum brski_code store_put_job(struct brski_store *store, const struct brski_store_job *job,
	const struct brski_store_limits *limits, struct brski_error *err);

#endif
