/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BASE_CLOCK_H
#define BRSKI_SERVICES_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/*
 * Microseconds, and milliseconds, of a clock that nobody sets, since some moment before: for pauses
 * and waits, which brski_cond_wait_until() (thread.h) measures by it too. For the time of day there is
 * brski_now().
 */
static inline int64_t brski_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static inline int64_t brski_now_ms(void)
{
	return brski_now_us() / 1000;
}

#endif
