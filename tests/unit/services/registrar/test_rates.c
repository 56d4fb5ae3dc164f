/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "eap_brski/cmp/cmp_oids.h"
#include "services/registrar/policy.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/site_settings.h"
#include "tests/unit/support/store_rows.h"
#include "tests/unit/support/visit.h"

/*
 * How much work one device may make in an hour, and how much is kept of it, with role, policy and
 * store as they are: what is new is counted, what is repeated is not.
 */

#define MOST 10
#define WINDOW 3600
#define KEPT 65536

static struct site site;
static struct brski_store *store;
static struct brski_policy *policy;
static struct visit v;
static struct brski_error err;
static char folder[64], path[96];

/* Another server on the database, or the same one after a restart. */
static void start(void)
{
	struct brski_store_limits limits = {.kept_per_device = KEPT};

	for (int work = 0; work < BRSKI_WORKS; work++)
		limits.rates[work] = (struct brski_rate){MOST, WINDOW};
	limits.rates[BRSKI_WORK_POLL] = (struct brski_rate){MOST, 60};
	EXPECT(BRSKI_OK, brski_store_open(path, true, &store, &err));
	EXPECT(BRSKI_OK, brski_policy_new(store, &site.env, &policy, &err));
	brski_policy_set_limits(policy, &limits);
	site.config.ops = brski_policy_ops();
	site.config.ops_ctx = policy;
	site.config.answer_genm = false;
	site_restart(&site);
}

static void stop(void)
{
	visit_close(&v);
	brski_policy_free(policy);
	brski_store_close(store);
}

static void setup(void)
{
	site_open(&site, "P-256");
	temp_make(folder);
	snprintf(path, sizeof(path), "%s/r.db", folder);
	start();
	site_put_acme(store, &site, BRSKI_MODE_MANUFACTURER, true);
	visit_open(&v, &site);
	ck_assert_uint_eq(visit_voucher(&v), 200);
	site.n_masa_calls = 0;
}

static void teardown(void)
{
	stop();
	temp_remove(folder);
	site_close(&site);
}

/* ---- What a device does ---- */

static unsigned ask_for_voucher(void)
{
	return visit_voucher(&v);
}

static unsigned send_ir(void)
{
	return visit_enroll(&v);
}

static unsigned send_p10cr(void)
{
	visit_make_enroll(&v, &site.idevid, true);
	return visit_cmp(&v, PATH_PKCS10);
}

/* Of the first certificate, again and again: each is another message, of the one transaction. */
static unsigned send_cert_conf(void)
{
	if (site.n_issued == 0)
		ck_assert_uint_eq(visit_enroll(&v), 200);
	return visit_confirm(&v);
}

static unsigned send_genm(void)
{
	brski_buf_free(&v.request);
	EXPECT(BRSKI_OK, brski_cmp_genm(&site.idevid, BRSKI_OID_CA_CERTS, NULL, &v.tx, &v.request, &err));
	return visit_cmp(&v, PATH_CA_CERTS);
}

static const struct {
	unsigned (*ask)(void);
	unsigned before; /* how many setup() has made */
	const char *event, *words;
} kinds[] = {
	{ask_for_voucher, 1, "voucher-request", "asked for a voucher"},
	{send_ir, 0, "cert-request", "asked for a certificate"},
	{send_p10cr, 0, "cert-request", "asked for a certificate"},
	{send_cert_conf, 0, "cert-request", "confirmed a certificate"},
	{send_genm, 0, "cert-request", "sent a genm"},
};
#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static long told(void)
{
	const char *text = brski_http_get(&v.response, "retry-after");

	ck_assert_ptr_nonnull(text);
	return atol(text);
}

static void read_last(void *ctx, const struct brski_store_event *event)
{
	*(struct brski_store_event *)ctx = *event;
}

static unsigned count_rows(void)
{
	struct brski_store_job_totals t;

	EXPECT(BRSKI_OK, brski_store_job_totals(store, &t, &err));
	return t.waiting + t.done + t.refused;
}

static unsigned calls(void)
{
	return site.n_masa_calls + site.n_ca_calls;
}

/* ---- The rate ---- */

START_TEST(new_work_has_a_rate)
{
	struct brski_store_event last = {0};
	unsigned before, most = MOST - kinds[_i].before;

	site.now += 60;
	for (unsigned i = 0; i < most; i++) {
		visit_again(&v);
		ck_assert_uint_eq(kinds[_i].ask(), 200);
		site.now += 60;
	}
	before = calls();
	visit_again(&v);
	ck_assert_uint_eq(kinds[_i].ask(), 503);
	ck_assert(brski_registrar_session_deferred(v.session));
	ck_assert_int_gt(told(), 0);
	ck_assert_int_le(told(), WINDOW - 60 * (long)most);
	each_event(store, SITE_SERIAL, 1, read_last, &last);
	ck_assert_str_eq(last.what, kinds[_i].event);
	ck_assert(!last.ok && strstr(last.detail, kinds[_i].words));
	ck_assert_ptr_nonnull(strstr(last.detail, "10 times in 3600 s already (max_requests_per_device)"));
	/* it is not over a second before the window has room, and then for one */
	site.now += told() - 1;
	visit_again(&v);
	ck_assert_uint_eq(kinds[_i].ask(), 503);
	ck_assert_int_eq(told(), 1);
	ck_assert_uint_eq(calls(), before);
	site.now += 1;
	visit_again(&v);
	ck_assert_uint_eq(kinds[_i].ask(), 200);
	visit_again(&v);
	ck_assert_uint_eq(kinds[_i].ask(), 503);
}
END_TEST

/* A database serves several servers, and outlives them. */
START_TEST(a_rate_is_the_databases)
{
	struct brski_device device = *brski_registrar_session_device(v.session);
	struct brski_policy *other;
	struct brski_store *second;
	struct brski_store_limits limits = {.rates = {[BRSKI_WORK_CERTIFICATE] = {MOST, WINDOW}}};
	long seconds;

	for (unsigned i = 0; i < MOST; i++) {
		visit_again(&v);
		ck_assert_uint_eq(send_ir(), 200);
	}
	EXPECT(BRSKI_OK, brski_store_open(path, false, &second, &err));
	EXPECT(BRSKI_OK, brski_policy_new(second, &site.env, &other, &err));
	brski_policy_set_limits(other, &limits);
	EXPECT_WHY(BRSKI_TOO_LARGE, "max_requests_per_device",
		brski_policy_ops()->job_room(other, &device, BRSKI_WORK_CERTIFICATE, &seconds, &err));
	ck_assert_int_eq(seconds, WINDOW);
	EXPECT(BRSKI_OK, brski_policy_ops()->job_room(other, &device, BRSKI_WORK_VOUCHER, &seconds, &err));
	brski_policy_free(other);
	brski_store_close(second);
	stop();
	start();
	visit_open(&v, &site);
	ck_assert_uint_eq(send_ir(), 503);
	ck_assert_uint_eq(site.n_issued, MOST);
}
END_TEST

/* Who asks too often costs nothing more: no signature, no note, no row. */
START_TEST(who_is_put_off_leaves_nothing_behind)
{
	unsigned rows;
	char count[400];

	for (unsigned i = 0; i < MOST; i++) {
		visit_again(&v);
		ck_assert_uint_eq(send_ir(), 200);
	}
	rows = count_rows();
	snprintf(count, sizeof(count),
		"test \"$(sqlite3 %s \"SELECT count(*) FROM note WHERE name = 'transaction'\")\" = %d", path,
		MOST);
	for (unsigned i = 0; i < 50; i++) {
		visit_again(&v);
		ck_assert_uint_eq(send_ir(), 503);
	}
	ck_assert_uint_eq(count_rows(), rows);
	ck_assert_int_eq(run("%s", count), 0);
}
END_TEST

/* The PKI says no: the row that is kept of it costs as one with a certificate, and so does asking once more. */
START_TEST(refusals_count_too)
{
	unsigned n = 0;

	site.ca = CA_REFUSES;
	visit_again(&v);
	ck_assert_uint_eq(send_ir(), 200);
	while (++n < 30) {
		site.now += 61; /* a refusal is asked about again after that */
		/* and by another voucher, whose rate is not the matter here */
		ck_assert_int_eq(run("sqlite3 %s 'UPDATE permission SET state = 0, since = %ld'", path,
					 (long)site.now),
			0);
		visit_again(&v);
		if (visit_cmp(&v, PATH_INITIALIZATION) == 503)
			break;
	}
	ck_assert_uint_eq(n, MOST);
	ck_assert_uint_eq(site.n_ca_calls, MOST);
	ck_assert_int_gt(told(), WINDOW - 62 * MOST);
}
END_TEST

/* ---- Who is not meant ---- */

START_TEST(repeats_are_no_new_work)
{
	struct brski_buf voucher = {0};

	visit_make_voucher_request(&v);
	EXPECT(BRSKI_OK, brski_buf_set(&voucher, brski_buf_span(&v.request)));
	ck_assert_uint_eq(visit_repeat(&v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER), 200);
	ck_assert_uint_eq(send_ir(), 200);
	for (unsigned i = 0; i < 5 * MOST; i++) {
		site.now += 10;
		visit_again(&v);
		ck_assert_uint_eq(visit_repeat(&v, PATH_INITIALIZATION, BRSKI_MEDIA_CMP), 200);
		visit_again(&v);
		ck_assert_uint_eq(
			visit_post(&v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER, brski_buf_span(&voucher)), 200);
	}
	ck_assert_uint_eq(site.n_masa_calls, 1);
	ck_assert_uint_eq(site.n_ca_calls, 1);
	brski_buf_free(&voucher);
}
END_TEST

/* The PKI is away: each visit is a pollReq that the registrar answers, for as long as it takes. */
START_TEST(who_polls_a_registrar_that_waits_is_never_put_off)
{
	site.ca = CA_DOWN;
	visit_again(&v);
	ck_assert_uint_eq(send_ir(), 200);
	for (unsigned i = 0; i < 12 * MOST; i++) {
		visit_again(&v);
		ck_assert_uint_eq(visit_poll(&v, 0), 200);
		ck_assert_int_eq(v.cmp.type, BRSKI_CMP_POLLREP);
		site.now += 60;
	}
	ck_assert_uint_eq(count_rows(), 2);
}
END_TEST

/*
 * It is the PKI that wants to be polled: every pollReq is a new request, of which the last ones are kept.
 * The request that they are for is older than all of them, and stays.
 */
START_TEST(who_polls_the_pki_for_long_gets_its_certificate)
{
	site.ca = CA_WAITS;
	site.ca_polls = 12 * MOST;
	visit_again(&v);
	ck_assert_uint_eq(send_ir(), 200);
	for (int i = 0; i < 12 * MOST; i++) {
		visit_again(&v);
		ck_assert_uint_eq(visit_poll(&v, 0), 200);
		ck_assert_int_eq(v.cmp.type, BRSKI_CMP_POLLREP);
		site.now += 7; /* as it says */
	}
	visit_again(&v);
	ck_assert_uint_eq(visit_poll(&v, 0), 200);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_IP);
	ck_assert_uint_eq(site.n_issued, 1);
	ck_assert_uint_eq(visit_confirm(&v), 200);
	ck_assert_uint_le(count_rows(), 2 + 16 + 2);
}
END_TEST

START_TEST(polls_have_a_rate_of_their_own)
{
	struct brski_store_event last = {0};

	site.ca = CA_WAITS;
	site.ca_polls = 100;
	visit_again(&v);
	ck_assert_uint_eq(send_ir(), 200);
	for (int i = 0; i < MOST; i++) {
		visit_again(&v);
		ck_assert_uint_eq(visit_poll(&v, 0), 200);
	}
	visit_again(&v);
	ck_assert_uint_eq(visit_poll(&v, 0), 503);
	ck_assert_int_eq(told(), 60);
	each_event(store, SITE_SERIAL, 1, read_last, &last);
	ck_assert_ptr_nonnull(strstr(last.detail, "(max_polls_per_device)"));
	site.now += 60;
	visit_again(&v);
	ck_assert_uint_eq(visit_cmp(&v, PATH_INITIALIZATION), 200); /* the same pollReq */
}
END_TEST

/* A clock that was wrong for a while keeps nobody out after it. */
START_TEST(a_clock_that_is_put_right_locks_nobody_out)
{
	site.now += 40 * 86400;
	for (unsigned i = 0; i < MOST; i++) {
		visit_again(&v);
		ck_assert_uint_eq(send_genm(), 200);
	}
	site.now -= 40 * 86400;
	for (unsigned i = 0; i < MOST; i++) {
		visit_again(&v);
		ck_assert_uint_eq(send_genm(), 200);
	}
	visit_again(&v);
	ck_assert_uint_eq(send_genm(), 503);
	ck_assert_int_eq(told(), WINDOW);
}
END_TEST

/* ---- What is kept ---- */

static void count_octets(void *ctx, struct brski_store_job *job)
{
	((size_t *)ctx)[job->state == BRSKI_JOB_WAITING ? 0 : 1] += job->blob.len;
}

START_TEST(what_is_kept_of_a_device_is_bounded)
{
	size_t octets[2] = {0};

	for (unsigned hour = 0; hour < 3; hour++) {
		for (unsigned i = 1; i < MOST; i++) {
			visit_again(&v);
			ck_assert_uint_eq(visit_voucher(&v), 200);
			ck_assert_uint_eq(send_ir(), 200);
			ck_assert_uint_eq(visit_confirm(&v), 200);
		}
		site.now += WINDOW;
	}
	for (int state = BRSKI_JOB_WAITING; state <= BRSKI_JOB_REFUSED; state++)
		each_job(store, &(struct brski_store_job_filter){.state = (enum brski_job_state)state},
			count_octets, octets);
	ck_assert_uint_eq(octets[0], 0);
	ck_assert_uint_gt(octets[1], KEPT / 2);
	ck_assert_uint_le(octets[1], KEPT + KEPT / 4); /* the last answer came after it was counted */
	/* the newest of each kind is there */
	ck_assert_uint_eq(visit_repeat(&v, PATH_INITIALIZATION, BRSKI_MEDIA_CMP), 200);
	ck_assert_uint_eq(site.n_issued, 3 * (MOST - 1));
}
END_TEST

/* Housekeeping forgets who has not asked for an hour. */
START_TEST(the_counts_go)
{
	unsigned n;

	visit_again(&v);
	ck_assert_uint_eq(send_ir(), 200);
	EXPECT(BRSKI_OK, brski_store_rates_expire(store, site.now, site.now, &n, &err));
	ck_assert_int_eq(run("test \"$(sqlite3 %s 'SELECT count(*) FROM recent')\" = 2", path), 0);
	EXPECT(BRSKI_OK, brski_store_rates_expire(store, site.now + 1, site.now + 1, &n, &err));
	ck_assert_int_eq(run("test \"$(sqlite3 %s 'SELECT count(*) FROM recent')\" = 0", path), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rates");
	TCase *tc = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, new_work_has_a_rate, 0, (int)N_KINDS);
	tcase_add_test(tc, a_rate_is_the_databases);
	tcase_add_test(tc, who_is_put_off_leaves_nothing_behind);
	tcase_add_test(tc, refusals_count_too);
	tcase_add_test(tc, repeats_are_no_new_work);
	tcase_add_test(tc, who_polls_a_registrar_that_waits_is_never_put_off);
	tcase_add_test(tc, who_polls_the_pki_for_long_gets_its_certificate);
	tcase_add_test(tc, polls_have_a_rate_of_their_own);
	tcase_add_test(tc, a_clock_that_is_put_right_locks_nobody_out);
	tcase_add_test(tc, what_is_kept_of_a_device_is_bounded);
	tcase_add_test(tc, the_counts_go);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
