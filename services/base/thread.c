/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/base/thread.h"

#include <signal.h>
#include <string.h>
#include <time.h>

enum brski_code brski_thread_start(
	pthread_t *out, void *(*run)(void *arg), void *arg, const char *what_for, struct brski_error *err)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(out, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc == 0)
		return BRSKI_OK;
	return brski_fail(err, BRSKI_INTERNAL, "no thread %s: %s", what_for, strerror(rc));
}

void brski_cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
}

int brski_cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t end)
{
	const struct timespec until = {
		.tv_sec = (time_t)(end / 1000), .tv_nsec = (long)(end % 1000) * 1000000};

	return pthread_cond_timedwait(cond, lock, &until);
}
