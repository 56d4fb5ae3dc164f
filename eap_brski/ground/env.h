/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_GROUND_ENV_H
#define BRSKI_GROUND_ENV_H

#include <stdint.h>
#include <time.h>

#include "eap_brski/ground/bytes.h"

enum brski_level { BRSKI_LOG_DEBUG, BRSKI_LOG_INFO, BRSKI_LOG_WARN, BRSKI_LOG_ERROR };

/*
 * What the library takes from the outside: the clock, randomness, and where lines of log go. The
 * front end owns it and keeps it alive longer than whatever was made with it. Each member may be
 * NULL: then the system's clock, RAND_bytes(), and no log. Callbacks may come from any thread that
 * calls the library.
 */
struct brski_env {
	void *ctx;
	time_t (*now)(void *ctx);                           /* seconds since 1970, UTC */
	int (*random)(void *ctx, uint8_t *out, size_t len); /* 0 on success */
	void (*log)(
		void *ctx, enum brski_level level, const char *line); /* one line, no newline, no secret */
};

time_t brski_now(const struct brski_env *env);
BRSKI_CHECKED enum brski_code brski_random(
	const struct brski_env *env, uint8_t *out, size_t len, struct brski_error *err);
void brski_log(const struct brski_env *env, enum brski_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
