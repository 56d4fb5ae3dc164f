/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_RADIUS_MODULE_PATIENCE_H
#define BRSKI_RADIUS_MODULE_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

/* How long one peer is made to wait for one thing, and in how many pieces. */
struct brski_patience {
	int64_t since;  /* ms, brski_now_ms() */
	unsigned waits; /* that the peer was sent for it */
};

void brski_patience_begin(struct brski_patience *p);
/* There is enough left of total_ms for that pause. */
bool brski_patience_has(const struct brski_patience *p, long pause_ms, long total_ms);
/*
 * Milliseconds that the peer shall wait now, and notes that it does. Half as long again as it has
 * taken so far: what is quick is not kept waiting for its peer, what is slow costs few packets.
 * Beyond total_ms there is nothing to wait for.
 */
unsigned brski_patience_next(struct brski_patience *p, long total_ms);
/* No Wait is longer than this. */
long brski_patience_longest(long total_ms);

#endif
