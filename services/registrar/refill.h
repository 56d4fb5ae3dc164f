/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_REFILL_H
#define BRSKI_SERVICES_REGISTRAR_REFILL_H

#include "eap_brski/ground/log_limit.h"
#include "services/registrar/board.h"
#include "services/registrar/store.h"

/*
 * What waits in the store, and comes into memory when there is room for it: from before a restart, of
 * another process, or since memory was full. Each back end has a share of the memory (board.h), and a
 * place in the store up to which its jobs were looked at; whenever its share has room again, the next
 * few follow. So a back end that is away holds up none, and one that is back is asked for all without
 * a pause.
 *
 * For one thread, the worker's.
 */
struct brski_refill_place; /* one back end's, in refill.c */
struct brski_refill {
	struct brski_registrar *registrar; /* these are borrowed */
	struct brski_store *store;
	struct brski_board *board;
	const struct brski_env *env;
	long scan_ms;
	bool has_looked; /* through the store, once */
	struct brski_refill_place *first, *last;
	struct brski_log_limit unreadable;
	unsigned taken_up; /* jobs, since the last scan */
};

/* Which back ends does anything wait for? All of them are looked at anew. */
BRSKI_CHECKED enum brski_code brski_refill_scan(struct brski_refill *refill, struct brski_error *err);
/* The next few jobs of one back end. *more: there are others, and room for them. */
BRSKI_CHECKED enum brski_code brski_refill_step(
	struct brski_refill *refill, bool *more, struct brski_error *err);
void brski_refill_clear(struct brski_refill *refill);

#endif
