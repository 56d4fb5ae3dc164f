/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_RADIUS_MODULE_TALLY_H
#define BRSKI_RADIUS_MODULE_TALLY_H

#include <stdint.h>

/*
 * How many are waiting, of those that show themselves now and then: who does not for two periods is
 * taken for gone, and is not counted any more. A member remembers the period (from 1 on, 0: it does
 * not wait) in which it has shown itself last. Not thread-safe.
 */
struct brski_tally { /* zeroed at first */
	int64_t period;
	unsigned now, before; /* that have shown themselves in this period, and in the one before */
};

/* The time has come to `period`; it never goes back. */
static inline void brski_tally_advance(struct brski_tally *t, int64_t period)
{
	if (period <= t->period)
		return;
	t->before = period == t->period + 1 ? t->now : 0;
	t->now = 0;
	t->period = period;
}

static inline unsigned brski_tally_count(struct brski_tally *t, int64_t period)
{
	brski_tally_advance(t, period);
	return t->now + t->before;
}

/* Once for each that waits. */
static inline void brski_tally_add(struct brski_tally *t, int64_t period)
{
	brski_tally_advance(t, period);
	t->now++;
}

/* It has shown itself in `member` last. */
static inline void brski_tally_remove(struct brski_tally *t, int64_t member)
{
	if (member == t->period)
		t->now--;
	else if (member == t->period - 1)
		t->before--;
}

#endif
