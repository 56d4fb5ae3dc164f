/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/pledge/pledge_internal.h"

#include <stdio.h>

/* What a registrar says that is no answer: come back later, or a status that is no success. */

/* RFC 8995 5.6: an unverified registrar must not delay the pledge for longer than this. */
#define PROVISIONAL_WAIT_MAX 60
#define WAIT_MAX (31L * 24 * 3600)
#define WAIT_DEFAULT 60
#define PAUSES_MAX 10 /* in one visit: a PKI may say so for ever */

void brski_pledge_event_deferred(const struct brski_pledge *p)
{
	char seconds[24];

	snprintf(seconds, sizeof(seconds), "%ld", brski_pledge_retry_after(p));
	brski_pledge_event(p, BRSKI_EVENT_DEFERRED, seconds);
}

/* It holds over a reboot, too. */
static enum brski_code remember(struct brski_pledge *p, long seconds, struct brski_error *err)
{
	long most = p->trust == BRSKI_TRUST_VERIFIED ? WAIT_MAX : PROVISIONAL_WAIT_MAX;

	if (seconds < 1)
		seconds = 1;
	p->rec.told = seconds < most ? seconds : most;
	/* part of the clock's second is over already, and RFC 8995 5.6 says: MUST wait at least so long */
	p->rec.not_before = (long)brski_now(p->config.env) + p->rec.told + 1;
	return brski_pledge_save(p, err);
}

enum brski_code brski_pledge_defer(struct brski_pledge *p, long seconds, struct brski_error *err)
{
	enum brski_code code = remember(p, seconds, err);

	if (code != BRSKI_OK)
		return code;
	p->over = true;
	brski_pledge_event_deferred(p);
	return BRSKI_OK;
}

long brski_pledge_retry_after(const struct brski_pledge *p)
{
	long left = p->rec.not_before - (long)brski_now(p->config.env);

	if (p->rec.told == 0 || left <= 0)
		return 0;
	return left < p->rec.told ? left : p->rec.told;
}

enum brski_code brski_pledge_pause_or_defer(struct brski_pledge *p, long seconds, struct brski_error *err)
{
	enum brski_code code;

	if (p->config.patience < 1 || seconds > p->config.patience || p->n_pauses >= PAUSES_MAX)
		return brski_pledge_defer(p, seconds, err);
	code = remember(p, seconds, err);
	p->pause = p->rec.told;
	p->n_pauses++;
	return code;
}

void brski_pledge_pause_over(struct brski_pledge *p)
{
	if (p->pause == 0)
		return;
	p->pause = 0;
	p->rec.told = 0;
	p->rec.not_before = 0;
}

long brski_pledge_pause(const struct brski_pledge *p)
{
	return p->pause;
}

enum brski_code brski_pledge_put_off(
	struct brski_pledge *p, const struct brski_http *response, bool *decided, struct brski_error *err)
{
	long seconds = brski_http_retry_after(response, brski_now(p->config.env));

	*decided = false;
	if (response->status != 202 && ((response->status != 429 && response->status != 503) || seconds < 0))
		return BRSKI_OK;
	*decided = true;
	return brski_pledge_defer(p, seconds >= 0 ? seconds : WAIT_DEFAULT, err);
}

static const char *status_name(unsigned status)
{
	static const struct {
		unsigned status;
		const char *name;
	} names[] = {
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{406, "Not Acceptable"},
		{413, "Content Too Large"},
		{415, "Unsupported Media Type"},
		{429, "Too Many Requests"},
		{500, "Internal Server Error"},
		{502, "Bad Gateway"},
		{503, "Service Unavailable"},
		{504, "Gateway Timeout"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].status == status)
			return names[i].name;
	}
	return "";
}

void brski_pledge_not_ok(const struct brski_http *response, const char *what, struct brski_error *why)
{
	bool in_words = brski_http_is_type(response, "text/plain") && response->body.len > 0;
	int len = response->body.len < 160 ? (int)response->body.len : 160;

	brski_fail(why, BRSKI_REFUSED, "the registrar answered the %s with %u %s%s%.*s", what,
		response->status, status_name(response->status), in_words ? ": " : "", in_words ? len : 0,
		in_words ? (const char *)response->body.data : "");
}
