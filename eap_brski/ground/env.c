/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/ground/env.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "eap_brski/ground/text.h"

time_t brski_now(const struct brski_env *env)
{
	return env && env->now ? env->now(env->ctx) : time(NULL);
}

enum brski_code brski_random(const struct brski_env *env, uint8_t *out, size_t len, struct brski_error *err)
{
	bool ok;

	if (env && env->random)
		ok = env->random(env->ctx, out, len) == 0;
	else
		ok = len <= INT32_MAX && RAND_bytes(out, (int)len) == 1;
	if (ok)
		return BRSKI_OK;
	OPENSSL_cleanse(out, len);
	return brski_fail_openssl(err, BRSKI_INTERNAL, "no random numbers");
}

void brski_log(const struct brski_env *env, enum brski_level level, const char *fmt, ...)
{
	char line[1024];
	char safe[sizeof(line)];
	va_list args;

	if (!env || !env->log)
		return;
	va_start(args, fmt);
	if (vsnprintf(line, sizeof(line), fmt, args) < 0)
		line[0] = '\0';
	va_end(args);
	/* the line may quote a peer: it must stay one line */
	brski_printable(brski_span_str(line), safe, sizeof(safe));
	env->log(env->ctx, level, safe);
}
