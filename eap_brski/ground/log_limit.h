/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_GROUND_LOG_LIMIT_H
#define BRSKI_GROUND_LOG_LIMIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * One line of log a minute where a crowd, or a disk in trouble, would write thousands: the first at
 * once, then none for a minute, and with the next one how many were left out. One for each kind of
 * line; zeroed at first; threads may share it.
 */
struct brski_log_limit {
	_Atomic int64_t next_ms; /* no line before this */
	atomic_uint left_out;    /* since the last line */
};

#define BRSKI_LOG_LIMIT_MS 60000
#define BRSKI_LOG_MORE_MAX 64

/*
 * Is this one to be written? *left_out: lines since the last one that was. now_ms: of a clock that
 * nobody sets, if there is one; after a jump back it begins anew.
 */
bool brski_log_due(struct brski_log_limit *limit, int64_t now_ms, unsigned *left_out);
/*
 * The same for whoever has nothing to say himself, as housekeeping: true if the minute is over and
 * lines were left out in it, so that the last of them are told, too.
 */
bool brski_log_left_out(struct brski_log_limit *limit, int64_t now_ms, unsigned *left_out);

/* To be put behind the line: "" or " (and 12 more like this)". Returns `out`. */
const char *brski_log_more(unsigned left_out, char out[BRSKI_LOG_MORE_MAX]);

#endif
