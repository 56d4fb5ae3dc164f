/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_BUNDLE_EXCHANGE_INTERNAL_H
#define BRSKI_SERVICES_REGISTRAR_BUNDLE_EXCHANGE_INTERNAL_H

#include "services/registrar/bundle_exchange.h"
#include "services/registrar/manufacturers.h"
#include "services/registrar/policy.h"

/*
 * What the registrar role would store and tell while one answer is worked on: kept here until it is
 * known whether the whole is acceptable.
 */
#define SCRATCH_ROWS 8
#define SCRATCH_EVENTS 8
struct scratch {
	struct brski_store_job rows[SCRATCH_ROWS];
	size_t n_rows;
	struct brski_store_event events[SCRATCH_EVENTS];
	size_t n_events;
};

struct brski_offline {
	struct brski_store *store;
	const struct brski_env *env;
	struct brski_policy *policy;
	struct brski_manufacturers *manufacturers;
	struct brski_registrar *registrar;
	struct scratch scratch;
	char name[BRSKI_FINGERPRINT_MAX];
};

/* offline_scratch.c */
extern const struct brski_registrar_ops brski_scratch_ops; /* their ctx is the struct brski_offline */
void brski_scratch_clear(struct brski_offline *o);
/* The last thing that was told, in words; "" if nothing was. */
const char *brski_scratch_words(const struct brski_offline *o);
/* Stores all, if the row of that key still waits (BRSKI_UNEXPECTED). */
enum brski_code brski_scratch_commit(struct brski_offline *o, const char *key, struct brski_error *err);

#endif
