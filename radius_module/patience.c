/* SPDX-License-Identifier: BSD-3-Clause */
#include "radius_module/patience.h"

#include "eap_brski/transport/frame.h"
#include "services/base/clock.h"

#define FIRST_MS 100
#define LAST_MS 3000
/* A peer may give up after fifty short packets in a row: a long total is cut into longer waits. */
#define WAITS_MAX 30

void brski_patience_begin(struct brski_patience *p)
{
	*p = (struct brski_patience){.since = brski_now_ms()};
}

bool brski_patience_has(const struct brski_patience *p, long pause_ms, long total_ms)
{
	return brski_now_ms() - p->since + pause_ms < total_ms;
}

long brski_patience_longest(long total_ms)
{
	long most = LAST_MS;

	if (total_ms / WAITS_MAX > most)
		most = total_ms / WAITS_MAX;
	return most > BRSKI_WAIT_MAX_MS ? BRSKI_WAIT_MAX_MS : most;
}

unsigned brski_patience_next(struct brski_patience *p, long total_ms)
{
	long elapsed = (long)(brski_now_ms() - p->since), wait = elapsed / 2;
	long most = brski_patience_longest(total_ms);

	p->waits++;
	if (most > total_ms - elapsed)
		most = total_ms - elapsed;
	if (wait > most)
		wait = most;
	return (unsigned)(wait > FIRST_MS ? wait : FIRST_MS);
}
