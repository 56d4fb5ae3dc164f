/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/pledge/pledge_internal.h"

/* The time of day, as far as it is known. */

time_t brski_pledge_clock(const struct brski_pledge *p)
{
	if (p->config.clock_is_right)
		return brski_now(p->config.env);
	return p->clock_known ? brski_now(p->config.env) + p->clock_offset : 0;
}

/*
 * RFC 8995 2.6.1: a nonce proves the voucher fresh, so its date tells the time of day to a device
 * without a clock.
 */
void brski_pledge_learn_time(struct brski_pledge *p, const struct brski_voucher *v)
{
	if (p->config.clock_is_right || v->nonce.len == 0 || v->created_on <= 0)
		return;
	p->clock_offset = v->created_on - brski_now(p->config.env);
	p->clock_known = true;
}
