/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/pledge/pledge_internal.h"

/* What goes out in which state. */

static const struct {
	const char *what;
	bool provisional; /* may go to a registrar that no voucher vouches for, RFC 8995 5.1 and 5.7 */
	brski_pledge_ask_build *build;
	brski_pledge_ask_answer *answer;
} asks[] = {
	[BRSKI_ASK_VOUCHER] = {"voucher-request", true, brski_pledge_build_voucher,
		brski_pledge_answer_voucher},
	[BRSKI_ASK_VOUCHER_STATUS] = {"voucher status", true, brski_pledge_build_voucher_status,
		brski_pledge_answer_voucher_status},
	[BRSKI_ASK_CA_CERTS] = {"request for CA certificates", false, brski_pledge_build_ca_certs,
		brski_pledge_answer_ca_certs},
	[BRSKI_ASK_CERT] = {"certification request", false, brski_pledge_build_cert,
		brski_pledge_answer_cert},
	[BRSKI_ASK_POLL] = {"poll request", false, brski_pledge_build_poll, brski_pledge_answer_poll},
	[BRSKI_ASK_CONFIRM] = {"certificate confirmation", false, brski_pledge_build_confirm,
		brski_pledge_answer_confirm},
	[BRSKI_ASK_REJECT] = {"certificate rejection", false, brski_pledge_build_reject,
		brski_pledge_answer_reject},
	[BRSKI_ASK_ENROLL_STATUS] = {"enrollment status", false, brski_pledge_build_enroll_status,
		brski_pledge_answer_enroll_status},
};

static bool always(const struct brski_pledge *p)
{
	(void)p;
	return true;
}

static bool voucher_unreported(const struct brski_pledge *p)
{
	return !p->rec.voucher_reported;
}

static bool has_ca(const struct brski_pledge *p)
{
	return !brski_pledge_lacks_ca(p);
}

static bool tell_voucher_status(const struct brski_pledge *p)
{
	return p->tell_voucher_status;
}

static bool tell_rejection(const struct brski_pledge *p)
{
	return p->rejection.len > 0;
}

static bool tell_enroll_status(const struct brski_pledge *p)
{
	return p->tell_enroll_status;
}

/* A flight is every row of the state whose condition holds, in this order. */
static const struct {
	enum brski_pledge_state state;
	enum brski_pledge_ask ask;
	bool (*when)(const struct brski_pledge *p);
} flights[] = {
	{BRSKI_PLEDGE_START, BRSKI_ASK_VOUCHER, always},
	{BRSKI_PLEDGE_VOUCHER, BRSKI_ASK_VOUCHER, always},
	{BRSKI_PLEDGE_IMPRINTED, BRSKI_ASK_VOUCHER_STATUS, voucher_unreported},
	{BRSKI_PLEDGE_IMPRINTED, BRSKI_ASK_CA_CERTS, brski_pledge_lacks_ca},
	{BRSKI_PLEDGE_IMPRINTED, BRSKI_ASK_CERT, has_ca},
	{BRSKI_PLEDGE_ENROLL, BRSKI_ASK_VOUCHER_STATUS, voucher_unreported},
	{BRSKI_PLEDGE_ENROLL, BRSKI_ASK_CERT, always},
	{BRSKI_PLEDGE_POLL, BRSKI_ASK_VOUCHER_STATUS, voucher_unreported},
	{BRSKI_PLEDGE_POLL, BRSKI_ASK_POLL, always},
	{BRSKI_PLEDGE_CONFIRM, BRSKI_ASK_CONFIRM, always},
	{BRSKI_PLEDGE_CONFIRM, BRSKI_ASK_ENROLL_STATUS, always},
	{BRSKI_PLEDGE_CONFIRM_POLL, BRSKI_ASK_POLL, always},
	{BRSKI_PLEDGE_REPORT, BRSKI_ASK_ENROLL_STATUS, always},
	{BRSKI_PLEDGE_FAILED, BRSKI_ASK_VOUCHER_STATUS, tell_voucher_status},
	{BRSKI_PLEDGE_FAILED, BRSKI_ASK_REJECT, tell_rejection},
	{BRSKI_PLEDGE_FAILED, BRSKI_ASK_ENROLL_STATUS, tell_enroll_status},
};

static void plan_flight(struct brski_pledge *p)
{
	p->n_flight = 0;
	for (size_t i = 0; i < sizeof(flights) / sizeof(flights[0]); i++) {
		if (flights[i].state == p->rec.state && flights[i].when(p) && p->n_flight < BRSKI_FLIGHT_MAX)
			p->flight[p->n_flight++] = flights[i].ask;
	}
}

static enum brski_code build_flight(
	struct brski_pledge *p, struct brski_http requests[BRSKI_FLIGHT_MAX], struct brski_error *err)
{
	enum brski_code code = BRSKI_OK;

	for (size_t i = 0; code == BRSKI_OK && i < p->n_flight; i++) {
		if (!asks[p->flight[i]].provisional && p->trust != BRSKI_TRUST_VERIFIED)
			return brski_fail(err, BRSKI_INTERNAL, "a %s must not go to an unverified registrar",
				asks[p->flight[i]].what);
		code = asks[p->flight[i]].build(p, &requests[i], err);
	}
	return code;
}

/* The conversation ends here; what is stored stands, and what is in memory may be ahead of it. */
static enum brski_code halt(struct brski_pledge *p, enum brski_code code)
{
	p->over = true;
	p->halted = true;
	p->n_flight = 0;
	return code;
}

enum brski_code brski_pledge_next(struct brski_pledge *p, struct brski_http requests[BRSKI_FLIGHT_MAX],
	size_t *n, struct brski_error *err)
{
	enum brski_code code;

	*n = 0;
	for (size_t i = 0; i < BRSKI_FLIGHT_MAX; i++)
		brski_http_free(&requests[i]);
	if (p->trust == BRSKI_TRUST_NONE || p->n_flight > 0)
		return brski_fail(err, BRSKI_UNEXPECTED, "%s",
			p->n_flight > 0 ? "the last flight is not answered yet" : "there is no tunnel");
	if (p->over)
		return BRSKI_OK;
	plan_flight(p);
	code = build_flight(p, requests, err);
	if (code != BRSKI_OK) {
		for (size_t i = 0; i < BRSKI_FLIGHT_MAX; i++)
			brski_http_free(&requests[i]);
		return halt(p, code);
	}
	*n = p->n_flight;
	p->tell_voucher_status = false;
	p->tell_enroll_status = false;
	return BRSKI_OK;
}

enum brski_code brski_pledge_answer(
	struct brski_pledge *p, const struct brski_http *responses, size_t n, struct brski_error *err)
{
	size_t expected = p->n_flight;
	enum brski_code code = BRSKI_OK;

	p->n_flight = 0;
	brski_pledge_pause_over(p);
	if (n == 0 || n != expected)
		return halt(
			p, brski_fail(err, BRSKI_UNEXPECTED, "%zu responses to %zu requests", n, expected));
	for (size_t i = 0; i < n; i++) {
		if (responses[i].status == 0)
			return halt(p, brski_fail(err, BRSKI_UNEXPECTED,
					       "a request in place of the response to the %s",
					       asks[p->flight[i]].what));
	}
	for (size_t i = 0; code == BRSKI_OK && i < n; i++)
		code = asks[p->flight[i]].answer(p, &responses[i], err);
	return code == BRSKI_OK ? BRSKI_OK : halt(p, code);
}
