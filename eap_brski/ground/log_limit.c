/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/ground/log_limit.h"

#include <stdio.h>

/* Of the threads that come at one time one gets the line. */
static bool take_turn(struct brski_log_limit *limit, int64_t now_ms)
{
	int64_t next = atomic_load(&limit->next_ms);

	return (next == 0 || now_ms >= next || next - now_ms > BRSKI_LOG_LIMIT_MS) &&
	       atomic_compare_exchange_strong(&limit->next_ms, &next, now_ms + BRSKI_LOG_LIMIT_MS);
}

bool brski_log_due(struct brski_log_limit *limit, int64_t now_ms, unsigned *left_out)
{
	*left_out = 0;
	if (take_turn(limit, now_ms)) {
		*left_out = atomic_exchange(&limit->left_out, 0);
		return true;
	}
	atomic_fetch_add(&limit->left_out, 1);
	return false;
}

bool brski_log_left_out(struct brski_log_limit *limit, int64_t now_ms, unsigned *left_out)
{
	*left_out = 0;
	if (atomic_load(&limit->left_out) == 0 || !take_turn(limit, now_ms))
		return false;
	*left_out = atomic_exchange(&limit->left_out, 0);
	return *left_out > 0;
}

const char *brski_log_more(unsigned left_out, char out[BRSKI_LOG_MORE_MAX])
{
	out[0] = '\0';
	if (left_out > 0)
		snprintf(out, BRSKI_LOG_MORE_MAX, " (and %u more like this)", left_out);
	return out;
}
