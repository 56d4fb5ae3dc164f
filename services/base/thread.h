/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BASE_THREAD_H
#define BRSKI_SERVICES_BASE_THREAD_H

#include <pthread.h>
#include <stdint.h>

#include "eap_brski/ground/bytes.h"

/* Threads of our own in somebody else's program, and waits by the clock of brski_now_ms(). */

/*
 * run(arg), in a thread that no signal is delivered to: they are for the program's own. To be joined.
 * BRSKI_INTERNAL: "no thread", `what_for` ("for calls") and the reason.
 */
BRSKI_CHECKED enum brski_code brski_thread_start(
	pthread_t *out, void *(*run)(void *arg), void *arg, const char *what_for, struct brski_error *err);

/* A condition for the next function. To be destroyed with pthread_cond_destroy(). */
void brski_cond_init(pthread_cond_t *cond);
/* As pthread_cond_timedwait(), until brski_now_ms() is `end`: 0, or ETIMEDOUT. */
int brski_cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t end);

#endif
