/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_BUNDLE_EXCHANGE_INTERNAL_H
#define BRSKI_SERVICES_REGISTRAR_BUNDLE_EXCHANGE_INTERNAL_H

#include "services/registrar/bundle_exchange.h"
#include "services/registrar/manufacturers.h"
#include "services/registrar/memory.h"
#include "services/registrar/policy.h"

/*
 * What the registrar role would store and tell while one answer is worked on: kept here until it is
 * known whether the whole is acceptable.
 */
#define DRY_RUN_ROWS 8
#define DRY_RUN_NOTES 8
#define DRY_RUN_EVENTS 8
struct dry_run {
	struct brski_store_job rows[DRY_RUN_ROWS]; /* revision: the one that the store has; 0: none */
	uint64_t changes[DRY_RUN_ROWS];            /* of each row, since then */
	size_t n_rows;
	struct brski_store_note notes[DRY_RUN_NOTES];
	size_t n_notes;
	struct brski_store_permission used; /* revision: the one that the store has */
	bool uses;                          /* that */
	struct brski_store_event events[DRY_RUN_EVENTS];
	size_t n_events;
};

struct brski_exchange {
	struct brski_store *store;
	const struct brski_env *env;
	struct brski_policy *policy;
	struct brski_manufacturers *manufacturers;
	struct brski_registrar *registrar;
	struct dry_run dry_run;
	char name[BRSKI_FINGERPRINT_MAX];
};

/* ---- bundle_dry_run.c ---- */

extern const struct brski_registrar_ops brski_dry_run_ops; /* their ctx is the struct brski_exchange */
void brski_dry_run_clear(struct brski_exchange *x);
/* The last thing that was told, in words; "" if nothing was. */
const char *brski_dry_run_words(const struct brski_exchange *x);
/* Stores all, if the rows are as they were read (BRSKI_UNEXPECTED). */
BRSKI_CHECKED enum brski_code brski_dry_run_commit(struct brski_exchange *x, struct brski_error *err);

#endif
