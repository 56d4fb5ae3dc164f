/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BASE_KEEPER_H
#define BRSKI_SERVICES_BASE_KEEPER_H

#include <stdbool.h>
#include <stdint.h>

#include "eap_brski/ground/env.h"
#include "services/base/kept.h"

/*
 * A thread that waits for the disk in place of all others. Changes are made at once, and counted; a
 * mark is such a count. One sync keeps all that was changed before it began, so however many threads
 * hold a mark, the disk is waited for as often as it can, and not once for each of them. A thread that
 * makes changes never waits here.
 *
 * After a sync has failed nobody knows what the disk has: the system may take for written what was
 * not. So all marks that were not kept by then never are, and no other is before a repair has
 * succeeded. It is tried once a second.
 */
struct keeper;

struct keeper_work { /* all in the keeper's thread, one at a time */
	BRSKI_CHECKED enum brski_code (*sync)(void *ctx, struct brski_error *err);
	/* In place of the syncs, until it succeeds: brings all that was ever changed to the disk anew. */
	BRSKI_CHECKED enum brski_code (*repair)(void *ctx, struct brski_error *err);
	/*
	 * After keeper_wake: what else is to be done by a thread that may wait for the disk. A failure
	 * counts as that of a sync.
	 */
	BRSKI_CHECKED enum brski_code (*tidy)(void *ctx, struct brski_error *err);
	void *ctx;
};

/*
 * name: of what is kept, in the log; copied. env is borrowed and may be NULL. BRSKI_NO_MEMORY,
 * BRSKI_INTERNAL: no thread.
 */
BRSKI_CHECKED enum brski_code keeper_new(const struct keeper_work *work, const char *name,
	const struct brski_env *env, struct keeper **out, struct brski_error *err);
/* Keeps what is not kept yet, by one more try, and ends the thread. NULL is nothing. */
void keeper_free(struct keeper *keeper);

/*
 * Around each change, before anybody can see it and after everybody can; one at a time. Who takes a
 * mark in between may have seen it: his mark has it.
 */
void keeper_change_begin(struct keeper *keeper);
void keeper_change_end(struct keeper *keeper);
/* Something is there that somebody else has changed: it is to be kept like a change of one's own. */
void keeper_change_found(struct keeper *keeper);
/* From any thread, also between the other calls. */
void keeper_wake(struct keeper *keeper);

/* All changes until now: from now on somebody waits for them. What nobody waits for is kept within a second. */
uint64_t keeper_mark(struct keeper *keeper);
/* *why (may be NULL) is filled if it is BRSKI_NOT_KEPT. */
enum brski_kept keeper_kept(struct keeper *keeper, uint64_t mark, struct brski_error *why);
enum brski_kept keeper_wait(struct keeper *keeper, uint64_t mark, long ms, struct brski_error *why);
/*
 * moved(ctx) is called in the keeper's thread whenever marks were kept or lost; it may call keeper_kept.
 * Several may want that, up to KEEPER_LISTENERS, each with a ctx of its own; moved NULL: this ctx does
 * no more. When this returns, what was called with this ctx before is not called any more, and is not
 * being called.
 */
#define KEEPER_LISTENERS 4
void keeper_on_moved(struct keeper *keeper, void (*moved)(void *ctx), void *ctx);

#endif
