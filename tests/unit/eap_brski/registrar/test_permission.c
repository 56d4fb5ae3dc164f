/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "eap_brski/registrar/permission_internal.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/visit.h"

/*
 * Whom the registrar lets in: who was given a voucher, for one certificate, and reports it once. All of
 * it ends with time, and with the first refusal.
 */

#define DAY 86400L

static struct site site;
static struct visit v, w;
static struct brski_error err;

static void setup(void)
{
	site_open(&site, "P-256");
	visit_open(&v, &site);
	visit_open(&w, &site);
}

static void teardown(void)
{
	visit_close(&v);
	visit_close(&w);
	site_close(&site);
}

static enum brski_permission_state state(void)
{
	ck_assert_uint_gt(site.permission.row.revision, 0);
	return site.permission.row.state;
}

static void onboard(void)
{
	visit_again(&v);
	ck_assert_uint_eq(visit_voucher(&v), 200);
	ck_assert_uint_eq(visit_enroll(&v), 200);
	ck_assert_uint_eq(visit_confirm(&v), 200);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_PKICONF);
	ck_assert_uint_eq(visit_status(&v, PATH_ENROLL_STATUS, true), 200);
	ck_assert(brski_registrar_session_enrolled(v.session));
}

static void expect_report(unsigned status)
{
	visit_again(&v);
	ck_assert_uint_eq(visit_status(&v, PATH_ENROLL_STATUS, true), status);
	ck_assert(brski_registrar_session_enrolled(v.session) == (status == 200));
}

static void expect_no_certificate(const char *why)
{
	unsigned calls = site.n_ca_calls;

	visit_again(&v);
	ck_assert_uint_eq(visit_enroll(&v), 200);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_REJECTION);
	ck_assert_int_eq(v.cmp.fail, BRSKI_CMP_NOT_AUTHORIZED);
	ck_assert_msg(visit_reason(&v, why), "%s", brski_registrar_session_reason(v.session));
	ck_assert_uint_eq(site.n_ca_calls, calls);
}

/* ---- with time ---- */

/* A client that has the IDevID, and sends nothing but that it is onboarded. */
START_TEST(a_report_alone_lets_nobody_in)
{
	onboard();
	site.masa = MASA_DOWN;
	site.ca = CA_DOWN;
	site.now += 600;
	expect_report(200); /* the answer may have been lost */
	site.now++;
	expect_report(403);
	ck_assert(visit_reason(&v, "report_repeat_age"));
	expect_no_certificate("needs a new voucher");
	site.masa = MASA_RIGHT;
	site.ca = CA_RIGHT;
	onboard(); /* who has lost its certificate begins anew */
}
END_TEST

START_TEST(a_certificate_is_to_be_reported_soon)
{
	ck_assert_uint_eq(visit_voucher(&v), 200);
	ck_assert_uint_eq(visit_enroll(&v), 200);
	ck_assert_uint_eq(visit_confirm(&v), 200);
	site.now += 7 * DAY + 1;
	expect_report(403);
	ck_assert(visit_reason(&v, "certificate_grant_age"));
	site.now -= 1;
	expect_report(200);
}
END_TEST

START_TEST(a_voucher_is_to_be_used_soon)
{
	ck_assert_uint_eq(visit_voucher(&v), 200);
	site.now += 30 * DAY + 1;
	expect_no_certificate("voucher_grant_age");
	site.now -= 1;
	visit_again(&v);
	ck_assert_uint_eq(visit_enroll(&v), 200);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_ACCEPTED);
}
END_TEST

/* A clock that was wrong when a voucher was given does not make it good for ever. */
START_TEST(what_is_given_in_the_future)
{
	ck_assert_uint_eq(visit_voucher(&v), 200);
	site.permission.row.since += 365 * DAY;
	expect_no_certificate("voucher_grant_age");
}
END_TEST

/* A PKI that takes its time: what was begun goes on, its confirmation and its report, too. */
START_TEST(what_waits_goes_on)
{
	ck_assert_uint_eq(visit_voucher(&v), 200);
	site.ca = CA_DOWN;
	ck_assert_uint_eq(visit_enroll(&v), 200);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_WAITING);
	for (int i = 0; i < 2; i++) {
		site.now += 20 * DAY;
		visit_again(&v);
		ck_assert_uint_eq(visit_poll(&v, 0), 200);
		ck_assert_int_eq(v.cmp.type, BRSKI_CMP_POLLREP);
	}
	site.ca = CA_RIGHT;
	site.now += 60;
	visit_again(&v);
	ck_assert_uint_eq(visit_poll(&v, 0), 200);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_ACCEPTED);
	site.ca = CA_DOWN;
	ck_assert_uint_eq(visit_confirm(&v), 200);
	ck_assert_int_eq(state(), BRSKI_PERMISSION_CONFIRMING);
	site.now += 20 * DAY;
	site.ca = CA_RIGHT;
	visit_again(&v);
	ck_assert_uint_eq(visit_poll(&v, -1), 200);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_PKICONF);
	ck_assert_uint_eq(visit_status(&v, PATH_ENROLL_STATUS, true), 200);
}
END_TEST

/* The same octets again, after a reboot: they are answered, and nothing is as new. */
START_TEST(a_lost_answer_is_given_again)
{
	struct brski_buf ir = {0}, conf = {0};

	ck_assert_uint_eq(visit_voucher(&v), 200);
	ck_assert_uint_eq(visit_enroll(&v), 200);
	EXPECT(BRSKI_OK, brski_buf_set(&ir, brski_buf_span(&v.request)));
	ck_assert_uint_eq(visit_confirm(&v), 200);
	EXPECT(BRSKI_OK, brski_buf_set(&conf, brski_buf_span(&v.request)));
	ck_assert_uint_eq(visit_status(&v, PATH_ENROLL_STATUS, true), 200);
	site.now += 300;
	for (int i = 0; i < 2; i++) {
		visit_again(&v);
		brski_buf_move(&v.request, i == 0 ? &ir : &conf);
		ck_assert_uint_eq(visit_cmp(&v, PATH_INITIALIZATION), 200);
		ck_assert_int_eq(v.cmp.status, BRSKI_CMP_ACCEPTED);
	}
	ck_assert_uint_eq(visit_status(&v, PATH_ENROLL_STATUS, true), 200);
	site.now += 301; /* since the first report */
	expect_report(403);
	ck_assert_uint_eq(site.n_issued, 1);
	ck_assert_uint_eq(site.n_confirmed, 1);
}
END_TEST

/* ---- used up ---- */

START_TEST(one_certificate_for_a_voucher)
{
	ck_assert_uint_eq(visit_voucher(&v), 200);
	ck_assert_uint_eq(visit_enroll(&v), 200);
	ck_assert_uint_eq(visit_enroll(&w), 200); /* another conversation of the same device */
	ck_assert_int_eq(w.cmp.status, BRSKI_CMP_ACCEPTED);
	ck_assert_uint_eq(visit_confirm(&w), 200);
	ck_assert_int_eq(w.cmp.type, BRSKI_CMP_PKICONF);
	visit_again(&v);
	ck_assert_uint_eq(visit_confirm(&v), 200);
	ck_assert_int_eq(v.cmp.fail, BRSKI_CMP_NOT_AUTHORIZED);
	ck_assert(visit_reason(&v, "used for another certificate"));
	ck_assert_uint_eq(site.n_confirmed, 1);
	expect_no_certificate("needs a new voucher");
	expect_report(200);
}
END_TEST

/* The PKI confirms by itself: whose answer comes first has the certificate. */
START_TEST(implicit_confirmation_uses_up)
{
	site.ca_implicit = true;
	ck_assert_uint_eq(visit_voucher(&v), 200);
	site.ca = CA_DOWN;
	ck_assert_uint_eq(visit_enroll(&v), 200);
	ck_assert_uint_eq(visit_enroll(&w), 200);
	site.ca = CA_RIGHT;
	site.now += 30;
	visit_again(&v);
	ck_assert_uint_eq(visit_poll(&v, 0), 200);
	ck_assert(v.cmp.implicit_confirm);
	ck_assert_int_eq(state(), BRSKI_PERMISSION_CERTIFICATE);
	visit_again(&w);
	ck_assert_uint_eq(visit_poll(&w, 0), 200);
	ck_assert_int_eq(w.cmp.fail, BRSKI_CMP_NOT_AUTHORIZED);
	ck_assert_ptr_null(w.cmp.cert);
	expect_no_certificate("needs a new voucher");
	expect_report(200);
}
END_TEST

/* A certificate that the device will not have uses up nothing. */
START_TEST(a_rejected_certificate)
{
	ck_assert_uint_eq(visit_voucher(&v), 200);
	ck_assert_uint_eq(visit_enroll(&v), 200);
	brski_buf_free(&v.request);
	EXPECT(BRSKI_OK, brski_cmp_cert_conf(&site.idevid, false, sk_X509_value(site.issued, 0),
				 BRSKI_CMP_BAD_CERT_TEMPLATE, "not this one", NULL, &v.tx, &v.request, &err));
	ck_assert_uint_eq(visit_cmp(&v, PATH_INITIALIZATION), 200);
	ck_assert_int_eq(state(), BRSKI_PERMISSION_VOUCHER);
	expect_report(403);
	visit_again(&v);
	ck_assert_uint_eq(visit_enroll(&v), 200);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_ACCEPTED);
}
END_TEST

/* Vouchers of before, whose answers are kept, are given out again and permit nothing. */
START_TEST(an_old_voucher_gives_nothing_new)
{
	struct brski_buf first = {0}, second = {0};

	ck_assert_uint_eq(visit_voucher(&v), 200);
	EXPECT(BRSKI_OK, brski_buf_set(&first, brski_buf_span(&v.request)));
	ck_assert_uint_eq(visit_voucher(&v), 200);
	EXPECT(BRSKI_OK, brski_buf_set(&second, brski_buf_span(&v.request)));
	ck_assert_uint_eq(visit_enroll(&v), 200);
	ck_assert_uint_eq(visit_confirm(&v), 200);
	ck_assert_uint_eq(visit_status(&v, PATH_ENROLL_STATUS, true), 200);
	for (int i = 0; i < 2; i++) {
		visit_again(&v);
		brski_buf_move(&v.request, i == 0 ? &first : &second);
		ck_assert_uint_eq(visit_repeat(&v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER), 200);
		ck_assert_int_eq(state(), BRSKI_PERMISSION_REPORTED);
		expect_no_certificate("needs a new voucher");
	}
	ck_assert_uint_eq(site.n_masa_calls, 2);
}
END_TEST

/* ---- refused ---- */

static void expect_nothing_left(void)
{
	ck_assert_int_eq(state(), BRSKI_PERMISSION_TAKEN_BACK);
	expect_no_certificate("taken back");
	expect_report(403);
}

/* Since when it was onboarded, its owner has told the MASA that it is stolen. */
START_TEST(the_masa_refuses_later)
{
	struct brski_buf first = {0};
	unsigned calls;

	ck_assert_uint_eq(visit_voucher(&v), 200);
	EXPECT(BRSKI_OK, brski_buf_set(&first, brski_buf_span(&v.request)));
	visit_again(&v);
	site.masa = MASA_STATUS;
	site.masa_status = 403;
	site.masa_text = "stolen";
	ck_assert_uint_eq(visit_voucher(&v), 403);
	expect_nothing_left();
	/* nor by an answer from before that */
	calls = site.n_masa_calls;
	visit_again(&v);
	brski_buf_move(&v.request, &first);
	ck_assert_uint_eq(visit_repeat(&v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER), 403);
	ck_assert_uint_eq(site.n_masa_calls, calls + 1);
	expect_nothing_left();
	site.masa = MASA_RIGHT;
	onboard();
}
END_TEST

/* The same, and the device is not there to hear it. */
START_TEST(the_masa_refuses_in_the_background)
{
	ck_assert_uint_eq(visit_voucher(&v), 200);
	visit_make_voucher_request(&w);
	ck_assert_uint_eq(
		visit_send(&w, "POST", PATH_VOUCHER, BRSKI_MEDIA_VOUCHER, brski_buf_span(&w.request)), 0);
	site.masa = MASA_STATUS;
	site.masa_status = 404;
	site_drive(&site, w.job);
	expect_nothing_left();
}
END_TEST

START_TEST(the_audit_log_refuses_later)
{
	static const enum site_audit logs[] = {AUDIT_FOREIGN, AUDIT_GARBAGE};

	for (size_t i = 0; i < 2; i++) {
		site.audit = AUDIT_RIGHT;
		onboard();
		site.audit = logs[i];
		site.now += 365 * DAY;
		visit_again(&v);
		ck_assert_uint_eq(visit_voucher(&v), i == 0 ? 403 : 502);
		expect_nothing_left();
	}
}
END_TEST

START_TEST(the_pki_refuses)
{
	static const enum site_ca words[] = {CA_REFUSES, CA_UNPROTECTED_ERROR};

	for (size_t i = 0; i < 2; i++) {
		visit_again(&v);
		ck_assert_uint_eq(visit_voucher(&v), 200);
		site.ca = words[i];
		ck_assert_uint_eq(visit_enroll(&v), 200);
		ck_assert_int_eq(v.cmp.status, BRSKI_CMP_REJECTION);
		site.ca = CA_RIGHT;
		expect_nothing_left();
	}
}
END_TEST

/* A back end that is away, or out of order, has said nothing of the device. */
START_TEST(silence_takes_nothing_back)
{
	ck_assert_uint_eq(visit_voucher(&v), 200);
	site.ca = CA_GARBAGE;
	ck_assert_uint_eq(visit_enroll(&v), 200);
	ck_assert_int_eq(state(), BRSKI_PERMISSION_VOUCHER);
	site.masa = MASA_DOWN;
	visit_again(&v);
	ck_assert_uint_eq(visit_voucher(&v), 202);
	ck_assert_int_eq(state(), BRSKI_PERMISSION_VOUCHER);
	site.config.waiting_max = 60;
	site_restart(&site);
	visit_again(&v);
	site.now += 61;
	ck_assert_uint_eq(visit_repeat(&v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER), 504);
	ck_assert_int_eq(state(), BRSKI_PERMISSION_VOUCHER);
}
END_TEST

/* The policy says no once: what was permitted before that stays taken back when it says yes again. */
START_TEST(the_policy_refuses)
{
	static const char *const at[] = {PATH_VOUCHER, PATH_INITIALIZATION, PATH_ENROLL_STATUS};

	for (size_t i = 0; i < 3; i++) {
		onboard();
		ck_assert_uint_eq(visit_voucher(&v), 200);
		if (i == 2) {
			ck_assert_uint_eq(visit_enroll(&v), 200);
			ck_assert_uint_eq(visit_confirm(&v), 200);
		}
		site.decision = BRSKI_REFUSE;
		visit_again(&v);
		if (i == 0)
			ck_assert_uint_eq(visit_voucher(&v), 403);
		else if (i == 1)
			ck_assert_uint_eq(visit_enroll(&v), 200);
		else
			ck_assert_uint_eq(visit_status(&v, at[i], true), 403);
		site.decision = BRSKI_ACCEPT;
		expect_nothing_left();
	}
}
END_TEST

/* The manufacturer is removed, or the IDevID revoked, while a conversation is open. */
START_TEST(the_manufacturer_is_no_more)
{
	static const enum brski_code codes[] = {BRSKI_UNTRUSTED, BRSKI_REVOKED, BRSKI_EXPIRED};

	for (size_t i = 0; i < 3; i++) {
		visit_again(&v);
		ck_assert_uint_eq(visit_voucher(&v), 200);
		site.find_code = codes[i];
		ck_assert_uint_eq(visit_enroll(&v), 200);
		ck_assert_int_eq(v.cmp.fail, BRSKI_CMP_NOT_AUTHORIZED);
		ck_assert(visit_reason(&v, "the site says"));
		site.find_code = BRSKI_OK;
		expect_nothing_left();
	}
	ck_assert_uint_eq(site.n_ca_calls, 0);
}
END_TEST

START_TEST(the_pledge_refuses)
{
	onboard();
	ck_assert_uint_eq(visit_voucher(&v), 200);
	ck_assert_uint_eq(visit_status(&v, PATH_VOUCHER_STATUS, false), 200);
	expect_nothing_left();
}
END_TEST

/* What is there for a request that waited is not for a device that was refused meanwhile. */
START_TEST(refused_while_the_answer_came)
{
	visit_make_voucher_request(&v);
	ck_assert_uint_eq(
		visit_send(&v, "POST", PATH_VOUCHER, BRSKI_MEDIA_VOUCHER, brski_buf_span(&v.request)), 0);
	site_drive(&site, v.job);
	site.decision = BRSKI_REFUSE;
	ck_assert_uint_eq(visit_finish(&v), 403);
	site.decision = BRSKI_ACCEPT;
	visit_again(&v);
	ck_assert_uint_eq(visit_voucher(&v), 200);
	visit_make_enroll(&v, &site.idevid, false);
	ck_assert_uint_eq(
		visit_send(&v, "POST", PATH_INITIALIZATION, BRSKI_MEDIA_CMP, brski_buf_span(&v.request)), 0);
	site_drive(&site, v.job);
	site.decision = BRSKI_REFUSE;
	ck_assert_uint_eq(visit_finish(&v), 200);
	visit_read_cmp(&v);
	ck_assert_int_eq(v.cmp.fail, BRSKI_CMP_NOT_AUTHORIZED);
	ck_assert_ptr_null(v.cmp.cert);
}
END_TEST

/* ---- several at one time ---- */

static unsigned others;

/* The whole of it, in another conversation. */
static void confirm_elsewhere(struct site *s)
{
	(void)s;
	if (visit_confirm(&w) == 200 && w.cmp.type == BRSKI_CMP_PKICONF)
		others++;
}

/* At each call of the memory that one confirmation makes, another one is made: one of the two gets it. */
START_TEST(two_confirmations_at_one_time)
{
	for (unsigned n = 1;; n++) {
		bool between;

		site_forget(&site);
		visit_again(&v);
		visit_again(&w);
		others = 0;
		ck_assert_uint_eq(visit_voucher(&v), 200);
		ck_assert_uint_eq(visit_enroll(&v), 200);
		ck_assert_uint_eq(visit_enroll(&w), 200);
		site.intrude = confirm_elsewhere;
		site.intrude_at = site.n_calls + n;
		ck_assert_uint_eq(visit_confirm(&v), 200);
		between = !site.intrude;
		site.intrude = NULL;
		ck_assert_uint_eq(site.n_confirmed, 1);
		ck_assert_uint_eq((v.cmp.type == BRSKI_CMP_PKICONF) + others, 1);
		if (!between) {
			ck_assert_uint_gt(n, 6);
			break;
		}
	}
}
END_TEST

static void refuse_elsewhere(struct site *s)
{
	s->masa = MASA_STATUS;
	s->masa_status = 403;
	ck_assert_uint_eq(visit_voucher(&w), 403);
	s->masa = MASA_RIGHT;
}

/* At each call that a report makes, the MASA refuses the device: nothing is left, whichever was first. */
START_TEST(a_refusal_at_any_time)
{
	unsigned let_in = 0, n = 1;
	bool between;

	do {
		site_forget(&site);
		visit_again(&v);
		visit_again(&w);
		ck_assert_uint_eq(visit_voucher(&v), 200);
		ck_assert_uint_eq(visit_enroll(&v), 200);
		ck_assert_uint_eq(visit_confirm(&v), 200);
		site.intrude = refuse_elsewhere;
		site.intrude_at = site.n_calls + n++;
		let_in += visit_status(&v, PATH_ENROLL_STATUS, true) == 200;
		between = !site.intrude;
		if (between)
			expect_nothing_left();
	} while (between);
	ck_assert_uint_eq(let_in, 1); /* the last one, without a refusal */
	ck_assert_uint_gt(n, 4);
}
END_TEST

/* A voucher that is about to be given out, when another request of the device is refused. */
START_TEST(a_refusal_before_the_voucher)
{
	visit_make_voucher_request(&v);
	ck_assert_uint_eq(
		visit_send(&v, "POST", PATH_VOUCHER, BRSKI_MEDIA_VOUCHER, brski_buf_span(&v.request)), 0);
	site_drive(&site, v.job);
	refuse_elsewhere(&site);
	ck_assert_uint_eq(visit_finish(&v), 503);
	ck_assert(brski_registrar_session_deferred(v.session));
	ck_assert_uint_eq(site.permission.row.revision, 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {a_report_alone_lets_nobody_in, a_certificate_is_to_be_reported_soon,
		a_voucher_is_to_be_used_soon, what_is_given_in_the_future, what_waits_goes_on,
		a_lost_answer_is_given_again, one_certificate_for_a_voucher, implicit_confirmation_uses_up,
		a_rejected_certificate, an_old_voucher_gives_nothing_new, the_masa_refuses_later,
		the_masa_refuses_in_the_background, the_audit_log_refuses_later, the_pki_refuses,
		silence_takes_nothing_back, the_policy_refuses, the_manufacturer_is_no_more,
		the_pledge_refuses, refused_while_the_answer_came, two_confirmations_at_one_time,
		a_refusal_at_any_time, a_refusal_before_the_voucher};

	return run_tests("permission", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
