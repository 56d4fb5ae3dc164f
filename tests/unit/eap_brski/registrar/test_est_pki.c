/* SPDX-License-Identifier: BSD-3-Clause */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "eap_brski/registrar/registrar_internal.h"
#include "tests/unit/support/est_visit.h"
#include "tests/unit/support/files.h"

/* EST: the registrar as the PKI's client. RFC 9483 4.1.4 and 4.4, RFC 7030 4.2.3. */

#define ENROLL BRSKI_PATH_EST_SIMPLEENROLL

static struct site site;
static struct visit v;
static struct brski_error err;

static void setup(void)
{
	est_open(&v, &site);
}

static void teardown(void)
{
	est_close(&v);
}

/* ---- step by step, with nothing kept but what is stored ---- */

static struct site_row *est_row(void)
{
	struct site_row *row = NULL;

	for (size_t i = 0; i < site.n_rows; i++)
		if (site.rows[i].kind == BRSKI_JOB_CMP)
			row = &site.rows[i];
	ck_assert_ptr_nonnull(row);
	return row;
}

/* As after a restart: the caller's. */
static struct brski_job *load(void)
{
	struct site_row *row = est_row();
	struct brski_job *job;

	EXPECT(BRSKI_OK,
		brski_job_load(site.registrar, brski_buf_span(&row->blob), row->revision, &job, &err));
	return job;
}

/* "done", "refused", or the step where it waits. */
static const char *stands(void)
{
	struct brski_job *job = load();
	const char *name = job->type->steps[job->step].name;

	if (job->state != BRSKI_JOB_WAITING)
		name = job->state == BRSKI_JOB_DONE ? "done" : "refused";
	brski_job_free(job);
	return name;
}

/* One call, when its time has come, by a registrar that has just been started; then what follows. */
static const char *go(void)
{
	struct brski_job *job;

	site_restart(&site);
	job = load();
	site.now += brski_job_not_before(job);
	site_drive_once(&site, job);
	brski_job_free(job);
	return stands();
}

/* A new request, at its first step. */
static void ask(void)
{
	est_again(&v);
	est_make(&v, &(struct est_ask){0});
	ck_assert_uint_eq(est_send(&v, ENROLL), 0);
	ck_assert_str_eq(stands(), "est-request");
}

/* The device comes with the same request. */
static unsigned come_back(void)
{
	est_again(&v);
	return est_post(&v, ENROLL);
}

START_TEST(restarted_at_each_step)
{
	ask();
	ck_assert_str_eq(go(), "est-confirm");
	ck_assert_int_eq(site.permission.row.state, BRSKI_PERMISSION_CONFIRMING);
	ck_assert_str_eq(go(), "done");
	ck_assert_uint_eq(come_back(), 200);
	est_expect_certificate(&v);
	ck_assert_uint_eq(site.n_issued, 1);
	ck_assert_uint_eq(site.n_ca_calls, 2);
}
END_TEST

START_TEST(the_pki_takes_its_time)
{
	site.ca = CA_WAITS;
	site.ca_polls = 2;
	site.ca_conf_waits = true;
	ask();
	ck_assert_str_eq(go(), "est-poll");
	ck_assert_int_eq(est_row()->not_before, 0); /* "waiting" says no time: pollRep will */
	for (int i = 0; i < 2; i++) {
		ck_assert_str_eq(go(), "est-poll");
		ck_assert_int_eq(est_row()->not_before, site.now + 7);
		ck_assert_uint_eq(come_back(), 202); /* and the PKI is not asked before its time */
		ck_assert_str_eq(brski_http_get(&v.response, "retry-after"), "30");
	}
	ck_assert_uint_eq(site.n_ca_calls, 3);
	site.ca_polls = 0;
	ck_assert_str_eq(go(), "est-confirm");
	ck_assert_str_eq(go(), "est-confirm-poll");
	site.ca_polls = 1;
	ck_assert_str_eq(go(), "est-confirm-poll");
	ck_assert_uint_eq(site.n_confirmed, 0);
	ck_assert_uint_eq(come_back(), 202);
	ck_assert_str_eq(go(), "done");
	ck_assert_uint_eq(site.n_confirmed, 1);
	ck_assert_uint_eq(come_back(), 200);
	est_expect_certificate(&v);
	ck_assert_uint_eq(site.n_issued, 1);
	ck_assert_uint_eq(site_count_events(&site, "deferred", true), 2 + 3); /* the PKI; us, to the device */
}
END_TEST

/* RFC 9483 4.1.4 has -1 in answers to a p10cr; a PKI that says 0 hears 0 again. */
START_TEST(a_pki_that_counts_from_zero)
{
	for (int zero = 0; zero < 2; zero++) {
		site_forget(&site);
		site.ca = CA_WAITS;
		site.ca_polls = 1;
		site.ca_says_zero = zero;
		est_again(&v);
		ck_assert_uint_eq(visit_voucher(&v), 200);
		ask();
		ck_assert_str_eq(go(), "est-poll");
		for (int i = 0; i < 2; i++) {
			go();
			ck_assert_int_eq(site.ca_heard, zero ? 0 : -1); /* a pollReq */
		}
		ck_assert_str_eq(go(), "done");
		ck_assert_int_eq(site.ca_heard, zero ? 0 : -1); /* the certConf */
		ck_assert_uint_eq(come_back(), 200);
		est_expect_certificate(&v);
	}
}
END_TEST

/* Each message is made once, and the same octets are sent until there is an answer. */
START_TEST(the_same_octets)
{
	struct brski_buf first = {0};

	site.ca = CA_DOWN;
	ask();
	for (int step = 0; step < 2; step++) {
		struct brski_job *job = load();

		EXPECT(BRSKI_OK, brski_buf_set(&first, brski_buf_span(&job->upstream)));
		brski_job_free(job);
		for (int i = 0; i < 3; i++) {
			site.ca = CA_DOWN;
			ck_assert_str_eq(go(), step == 0 ? "est-request" : "est-confirm");
			job = load();
			ck_assert(brski_span_equal(brski_buf_span(&first), brski_buf_span(&job->upstream)));
			brski_job_free(job);
		}
		site.ca = CA_RIGHT;
		ck_assert_str_eq(go(), step == 0 ? "est-confirm" : "done");
	}
	brski_buf_free(&first);
}
END_TEST

START_TEST(check_after)
{
	static const struct {
		long said, waits;
	} cases[] = {{1, 1}, {3600, 3600}, {10 * 365 * 86400L, 31 * 86400L}};

	site.ca = CA_WAITS;
	site.ca_polls = 100;
	ask();
	ck_assert_str_eq(go(), "est-poll");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		site.ca_check_after = cases[i].said;
		ck_assert_str_eq(go(), "est-poll");
		ck_assert_int_eq(est_row()->not_before - site.now, cases[i].waits);
	}
}
END_TEST

START_TEST(for_ever)
{
	site.ca = CA_WAITS;
	site.ca_polls = INT_MAX;
	site.config.waiting_max = 100;
	ask();
	ck_assert_str_eq(go(), "est-poll");
	site.now += 101;
	ck_assert_str_eq(go(), "refused");
	ck_assert(site_has_event(&site, "certificate", false, "given up"));
	/* nothing was taken from it: the same request is a new one */
	ck_assert_int_eq(site.permission.row.state, BRSKI_PERMISSION_VOUCHER);
	ck_assert_uint_eq(come_back(), 202);
	ck_assert_str_eq(stands(), "est-poll");
	/* one that is here at that time hears of it */
	site.now += 8;
	est_again(&v);
	ck_assert_uint_eq(est_send(&v, ENROLL), 0);
	site.now += 101;
	site_drive_once(&site, v.job);
	ck_assert_uint_eq(visit_finish(&v), 504);
	est_expect_refusal(&v, 504, "no answer from the PKI");
	site.ca = CA_RIGHT;
	ck_assert_uint_eq(come_back(), 200);
}
END_TEST

/* ---- what the PKI says ---- */

static const struct {
	enum site_ca ca;
	unsigned status;
	const char *told, *noted;
	unsigned rejected; /* certConf that does not accept it */
	bool takes_back;
} wrong[] = {
	{CA_OTHER_KEY, 502, "not usable", "key", 1, false},
	{CA_OTHER_SUBJECT, 502, "not usable", "subject", 1, false},
	{CA_NO_LOGIN, 502, "not usable", "clientAuth", 1, false},
	{CA_UNPROTECTED_IP, 502, "not usable", "not protected", 0, false},
	{CA_BROKEN_SIGNATURE, 502, "not usable", "", 0, false},
	{CA_OTHER_SIGNER, 502, "not usable", "", 0, false},
	{CA_OTHER_TRANSACTION, 502, "not usable", "another transaction", 0, false},
	{CA_GARBAGE, 502, "not usable", "", 0, false},
	{CA_REFUSES, 403, "refused by the PKI: badCertTemplate, not this subject", "not this subject", 0,
		true},
	{CA_UNPROTECTED_ERROR, 403, "refused by the PKI: badRequest, end entity unknown",
		"end entity unknown", 0, true},
	{CA_STRAY_ERROR, 403, "refused by the PKI: badRequest, end entity unknown", "end entity unknown", 0,
		true},
};
#define N_WRONG (sizeof(wrong) / sizeof(wrong[0]))

static void expect_wrong(size_t i, unsigned rejected)
{
	est_expect_refusal(&v, wrong[i].status, wrong[i].told);
	ck_assert(site_has_event(&site, "certificate", false, wrong[i].noted));
	ck_assert_uint_eq(site.n_rejected, rejected);
	ck_assert_uint_eq(site.n_confirmed, 0);
	ck_assert_int_eq(site.permission.row.state == BRSKI_PERMISSION_TAKEN_BACK, wrong[i].takes_back);
	est_again(&v);
	ck_assert_uint_eq(visit_status(&v, PATH_ENROLL_STATUS, true), 403);
}

static void begin_anew(void)
{
	site_forget(&site);
	site.ca = CA_RIGHT;
	site.ca_remembers = true;
	est_again(&v);
	ck_assert_uint_eq(visit_voucher(&v), 200);
}

START_TEST(answers_that_are_wrong)
{
	/* judged whatever the setting: there is nobody behind us who can */
	for (int check = 0; check < 2; check++) {
		site.config.check_answers = check;
		site_restart(&site);
		for (size_t i = 0; i < N_WRONG; i++) {
			begin_anew();
			site.ca = wrong[i].ca;
			est_enroll(&v);
			expect_wrong(i, wrong[i].rejected);
			/* the same again, at once: the same, and nobody is asked */
			site.n_ca_calls = 0;
			come_back();
			est_expect_refusal(&v, wrong[i].status, wrong[i].told);
			ck_assert_uint_eq(site.n_ca_calls, 0);
		}
	}
}
END_TEST

/* What is confirmed already cannot be rejected. */
START_TEST(answers_that_are_wrong_and_confirm_themselves)
{
	for (size_t i = 0; i < N_WRONG; i++) {
		begin_anew();
		site.ca_implicit = true;
		site.ca = wrong[i].ca;
		est_enroll(&v);
		expect_wrong(i, 0);
	}
}
END_TEST

START_TEST(wrong_answers_to_a_poll)
{
	for (size_t i = 0; i < N_WRONG; i++) {
		begin_anew();
		site.ca = CA_WAITS;
		site.ca_polls = 0;
		ask();
		ck_assert_str_eq(go(), "est-poll");
		site.ca = wrong[i].ca;
		go();
		if (wrong[i].rejected) {
			ck_assert_str_eq(stands(), "est-reject");
			ck_assert_str_eq(go(), "refused");
		}
		ck_assert_str_eq(stands(), "refused");
		come_back();
		expect_wrong(i, wrong[i].rejected);
	}
}
END_TEST

START_TEST(wrong_answers_to_a_confirmation)
{
	static const enum site_ca cas[] = {
		CA_UNPROTECTED_IP, CA_BROKEN_SIGNATURE, CA_OTHER_SIGNER, CA_OTHER_TRANSACTION, CA_GARBAGE};

	for (size_t i = 0; i < sizeof(cas) / sizeof(cas[0]); i++) {
		begin_anew();
		ask();
		ck_assert_str_eq(go(), "est-confirm");
		site.ca = cas[i];
		ck_assert_str_eq(go(), "refused");
		ck_assert_uint_eq(come_back(), 502);
		est_again(&v);
		ck_assert_uint_eq(visit_status(&v, PATH_ENROLL_STATUS, true), 403);
	}
	begin_anew();
	ask();
	ck_assert_str_eq(go(), "est-confirm");
	site.ca_refuses_conf = true;
	ck_assert_str_eq(go(), "refused");
	ck_assert_uint_eq(come_back(), 403);
	est_expect_refusal(&v, 403, "badCertId, too late");
	ck_assert_int_eq(site.permission.row.state, BRSKI_PERMISSION_TAKEN_BACK);
}
END_TEST

static void answer(struct brski_job *job, struct brski_span cmp)
{
	struct brski_http said = {0};

	EXPECT(BRSKI_OK, brski_http_response(&said, 200, BRSKI_MEDIA_CMP, cmp, &err));
	EXPECT(BRSKI_OK, brski_job_answer(job, &said, NULL, &err));
	brski_http_free(&said);
}

/* RFC 9483 3.5: an answer to what was said before is none to what is said now. */
START_TEST(an_older_answer)
{
	struct brski_job *job;

	ask();
	ck_assert_str_eq(go(), "est-confirm");
	job = load();
	answer(job, brski_buf_span(&site.ca_said[0]));
	ck_assert_int_eq(job->state, BRSKI_JOB_REFUSED);
	ck_assert(brski_job_misanswered(job));
	brski_job_free(job);
}
END_TEST

/* What is no CMP: come back, or never. */
START_TEST(other_statuses)
{
	static const unsigned later[] = {202, 408, 429, 500, 503}, never[] = {200, 301, 403, 404};

	site.ca = CA_STATUS;
	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
		site.ca_status = later[i];
		est_again(&v);
		ck_assert_uint_eq(est_enroll(&v), 202);
	}
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		site.ca_status = never[i];
		est_again(&v);
		ck_assert_uint_eq(est_enroll(&v), 502);
	}
}
END_TEST

/* The PKI is away when it is to hear that its certificate is not used: the device need not wait for that. */
START_TEST(a_rejection_that_is_not_heard)
{
	site.ca = CA_OTHER_KEY;
	site.config.waiting_max = 1000;
	ask();
	ck_assert_str_eq(go(), "est-reject");
	site.ca = CA_DOWN;
	ck_assert_str_eq(go(), "est-reject");
	ck_assert_uint_eq(come_back(), 502);
	est_expect_refusal(&v, 502, "not usable");
	ck_assert(brski_registrar_session_over(v.session) && !brski_registrar_session_deferred(v.session));
	site.now += 1001;
	ck_assert_str_eq(stands(), "refused"); /* given up */
	ck_assert_uint_eq(site.n_rejected, 0);
	ck_assert_uint_eq(come_back(), 202); /* and the same request is a new one */
}
END_TEST

/* ---- one voucher, one certificate ---- */

START_TEST(two_requests_at_once)
{
	struct brski_job *first, *second;

	ask();
	first = v.job;
	v.job = NULL;
	ask();
	second = v.job;
	v.job = NULL;
	site_drive_once(&site, first);
	site_drive_once(&site, second);
	ck_assert_uint_eq(site.n_issued, 2);
	ck_assert_str_eq(first->type->steps[first->step].name, "est-confirm");
	ck_assert_str_eq(second->type->steps[second->step].name, "est-reject");
	site_drive(&site, second);
	site_drive(&site, first);
	ck_assert_int_eq(first->state, BRSKI_JOB_DONE);
	ck_assert_int_eq(second->state, BRSKI_JOB_REFUSED);
	ck_assert_uint_eq(site.n_confirmed, 1);
	ck_assert_uint_eq(site.n_rejected, 1);
	ck_assert_uint_eq(come_back(), 403); /* the second */
	brski_job_free(first);
	brski_job_free(second);
}
END_TEST

/* With certificates that confirm themselves, the first that is handed out counts. */
START_TEST(two_requests_that_confirm_themselves)
{
	struct brski_buf first = {0}, second = {0};

	site.ca_implicit = true;
	ask();
	EXPECT(BRSKI_OK, brski_buf_set(&first, brski_buf_span(&v.request)));
	ask();
	EXPECT(BRSKI_OK, brski_buf_set(&second, brski_buf_span(&v.request)));
	ck_assert_uint_eq(come_back(), 200);
	brski_buf_move(&v.request, &first);
	ck_assert_uint_eq(come_back(), 403);
	est_expect_refusal(&v, 403, "it needs a new voucher");
	brski_buf_move(&v.request, &second);
	ck_assert_uint_eq(come_back(), 200);
}
END_TEST

START_TEST(by_cmp_and_by_est_at_once)
{
	struct brski_buf est = {0}, cmp = {0};
	EVP_PKEY *key;

	/* CMP is first to be confirmed */
	ck_assert_uint_eq(visit_enroll(&v), 200);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_ACCEPTED);
	key = v.key;
	v.key = NULL;
	ask();
	EXPECT(BRSKI_OK, brski_buf_set(&est, brski_buf_span(&v.request)));
	EXPECT(BRSKI_OK, brski_cmp_cert_conf(&site.idevid, false, sk_X509_value(site.issued, 0),
				 BRSKI_CMP_FAIL_NONE, NULL, NULL, &v.tx, &v.request, &err));
	est_again(&v);
	ck_assert_uint_eq(visit_cmp(&v, PATH_INITIALIZATION), 200);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_PKICONF);
	brski_buf_move(&v.request, &est);
	ck_assert_uint_eq(come_back(), 403);
	est_expect_refusal(&v, 403, "it needs a new voucher");
	EVP_PKEY_free(key);

	/* EST is */
	begin_anew();
	ck_assert_uint_eq(visit_enroll(&v), 200);
	EXPECT(BRSKI_OK, brski_cmp_cert_conf(&site.idevid, false, sk_X509_value(site.issued, 0),
				 BRSKI_CMP_FAIL_NONE, NULL, NULL, &v.tx, &cmp, &err));
	est_again(&v);
	ck_assert_uint_eq(est_enroll(&v), 200);
	est_again(&v);
	brski_buf_move(&v.request, &cmp);
	ck_assert_uint_eq(visit_cmp(&v, PATH_INITIALIZATION), 200);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_ERROR);
	ck_assert_uint_eq(site.n_confirmed, 1);
}
END_TEST

/* ---- what is taken back meanwhile ---- */

static void report_no(void)
{
	visit_again(&v);
	ck_assert_uint_eq(visit_status(&v, PATH_VOUCHER_STATUS, false), 200);
	ck_assert_int_eq(site.permission.row.state, BRSKI_PERMISSION_TAKEN_BACK);
}

START_TEST(a_voucher_taken_back)
{
	struct brski_job *job;

	/* before the request goes out */
	ask();
	report_no();
	ck_assert_str_eq(stands(), "refused");
	ck_assert_uint_eq(site.n_ca_calls, 0);
	ck_assert_uint_eq(come_back(), 403);
	/* while it is out */
	begin_anew();
	ask();
	job = load();
	report_no();
	site_drive_once(&site, job);
	ck_assert_int_eq(job->state, BRSKI_JOB_WAITING);
	brski_job_free(job);
	ck_assert_str_eq(go(), "refused");
	ck_assert_uint_eq(site.n_rejected, 1);
	ck_assert_uint_eq(site.n_confirmed, 0);
	ck_assert_uint_eq(come_back(), 403);
	/* before the confirmation */
	begin_anew();
	ask();
	ck_assert_str_eq(go(), "est-confirm");
	report_no();
	ck_assert_str_eq(stands(), "refused");
	ck_assert_uint_eq(site.n_confirmed, 0);
	/* before it is handed out */
	begin_anew();
	ask();
	ck_assert_str_eq(go(), "est-confirm");
	ck_assert_str_eq(go(), "done");
	report_no();
	ck_assert_uint_eq(come_back(), 403);
	est_expect_refusal(&v, 403, "taken back");
}
END_TEST

START_TEST(the_policy_has_changed_its_mind)
{
	ask();
	ck_assert_str_eq(go(), "est-confirm");
	site.decision = BRSKI_REFUSE;
	ck_assert_str_eq(go(), "refused");
	ck_assert_uint_eq(site.n_confirmed, 0);
	ck_assert_uint_eq(come_back(), 403);
	est_expect_refusal(&v, 403, "may not join");
	/* it is done, and the device is refused before it comes for it */
	site.decision = BRSKI_ACCEPT;
	begin_anew();
	ask();
	go();
	ck_assert_str_eq(go(), "done");
	site.decision = BRSKI_REFUSE;
	ck_assert_uint_eq(come_back(), 403);
}
END_TEST

/* Between request and resumption: what it was given falls. */
START_TEST(refused_while_it_waits)
{
	ask();
	site_drive(&site, v.job);
	ck_assert_int_eq(v.job->state, BRSKI_JOB_DONE);
	site.decision = BRSKI_REFUSE;
	ck_assert_uint_eq(visit_finish(&v), 403);
	est_expect_refusal(&v, 403, "may not join");
	ck_assert_int_eq(site.permission.row.state, BRSKI_PERMISSION_TAKEN_BACK);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {restarted_at_each_step, the_pki_takes_its_time,
		a_pki_that_counts_from_zero, the_same_octets, check_after, for_ever, answers_that_are_wrong,
		answers_that_are_wrong_and_confirm_themselves, wrong_answers_to_a_poll,
		wrong_answers_to_a_confirmation, an_older_answer, other_statuses,
		a_rejection_that_is_not_heard, two_requests_at_once, two_requests_that_confirm_themselves,
		by_cmp_and_by_est_at_once, a_voucher_taken_back, the_policy_has_changed_its_mind,
		refused_while_it_waits};

	return run_tests("EST, PKI", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
