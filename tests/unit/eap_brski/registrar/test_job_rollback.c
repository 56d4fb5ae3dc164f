/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "eap_brski/registrar/registrar_internal.h"
#include "tests/unit/support/est_visit.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/visit.h"

/* An answer that could not be stored did not happen: the whole job is what it was, each field of it. */

static struct site site;
static struct visit v;
static struct brski_error err;

static void setup(void)
{
	site_open(&site, "P-256");
	visit_open(&v, &site);
}

static void teardown(void)
{
	visit_close(&v);
	site_close(&site);
}

static void ask_for_voucher(void)
{
	visit_ask_for_voucher(&v);
}

static void ask_for_audit_log(void)
{
	visit_ask_for_voucher(&v);
	site_drive_once(&site, v.job);
	ck_assert_int_eq(v.job->state, BRSKI_JOB_WAITING);
}

static void send_cmp(void)
{
	ck_assert_uint_eq(
		visit_send(&v, "POST", PATH_INITIALIZATION, BRSKI_MEDIA_CMP, brski_buf_span(&v.request)), 0);
}

static void ask_for_certificate(void)
{
	ck_assert_uint_eq(visit_voucher(&v), 200);
	visit_make_enroll(&v, &site.idevid, false);
	send_cmp();
}

static void confirm_certificate(void)
{
	X509 *cert;

	ck_assert_uint_eq(visit_voucher(&v), 200);
	ck_assert_uint_eq(visit_enroll(&v), 200);
	cert = sk_X509_value(site.issued, 0);
	brski_buf_free(&v.request);
	EXPECT(BRSKI_OK, brski_cmp_cert_conf(&site.idevid, false, cert, BRSKI_CMP_FAIL_NONE, NULL, NULL,
				 &v.tx, &v.request, &err));
	send_cmp();
}

static void poll_the_pki(void)
{
	site.ca = CA_WAITS;
	site.ca_polls = 1;
	ask_for_certificate();
	site_drive(&site, v.job);
	ck_assert_uint_eq(visit_finish(&v), 200);
	visit_read_cmp(&v);
	brski_buf_free(&v.request);
	EXPECT(BRSKI_OK, brski_cmp_poll_req(&site.idevid, 0, NULL, &v.tx, &v.request, &err));
	send_cmp();
}

static void ask_by_est(void)
{
	brski_registrar_session_serve_est(v.session);
	ck_assert_uint_eq(visit_voucher(&v), 200);
	est_make(&v, &(struct est_ask){0});
	ck_assert_uint_eq(est_send(&v, BRSKI_PATH_EST_SIMPLEENROLL), 0);
}

static void drive_est(enum site_ca ca, const char *step)
{
	site.ca = ca;
	ask_by_est();
	site_drive_once(&site, v.job);
	ck_assert_int_eq(v.job->state, BRSKI_JOB_WAITING);
	ck_assert_str_eq(v.job->type->steps[v.job->step].name, step);
}

static void confirm_by_est(void)
{
	drive_est(CA_RIGHT, "est-confirm");
}

static void reject_by_est(void)
{
	drive_est(CA_OTHER_KEY, "est-reject");
}

static void poll_by_est(void)
{
	site.ca_polls = 1;
	drive_est(CA_WAITS, "est-poll");
}

static const struct {
	const char *name;
	void (*ask)(void);
	enum site_masa masa;
	enum site_audit audit;
	enum site_ca ca;
	unsigned masa_status;
} cases[] = {
	{"a voucher", ask_for_voucher, MASA_RIGHT, AUDIT_RIGHT, CA_RIGHT, 0},
	{"a voucher that ends", ask_for_voucher, MASA_NO_NONCE, AUDIT_RIGHT, CA_RIGHT, 0},
	{"the MASA refuses", ask_for_voucher, MASA_STATUS, AUDIT_RIGHT, CA_RIGHT, 403},
	{"the MASA puts off", ask_for_voucher, MASA_STATUS, AUDIT_RIGHT, CA_RIGHT, 503},
	{"the MASA is wrong", ask_for_voucher, MASA_GARBAGE, AUDIT_RIGHT, CA_RIGHT, 0},
	{"the MASA is away", ask_for_voucher, MASA_DOWN, AUDIT_RIGHT, CA_RIGHT, 0},
	{"a log", ask_for_audit_log, MASA_RIGHT, AUDIT_RIGHT, CA_RIGHT, 0},
	{"a log at another place", ask_for_audit_log, MASA_RIGHT, AUDIT_CREATED, CA_RIGHT, 201},
	{"a log that refuses", ask_for_audit_log, MASA_RIGHT, AUDIT_FOREIGN, CA_RIGHT, 0},
	{"a log that is wrong", ask_for_audit_log, MASA_RIGHT, AUDIT_GARBAGE, CA_RIGHT, 0},
	{"a certificate", ask_for_certificate, MASA_RIGHT, AUDIT_RIGHT, CA_RIGHT, 0},
	{"the PKI refuses", ask_for_certificate, MASA_RIGHT, AUDIT_RIGHT, CA_REFUSES, 0},
	{"the PKI is wrong", ask_for_certificate, MASA_RIGHT, AUDIT_RIGHT, CA_OTHER_KEY, 0},
	{"the PKI is away", ask_for_certificate, MASA_RIGHT, AUDIT_RIGHT, CA_DOWN, 0},
	{"the PKI waits", ask_for_certificate, MASA_RIGHT, AUDIT_RIGHT, CA_WAITS, 0},
	{"a confirmation", confirm_certificate, MASA_RIGHT, AUDIT_RIGHT, CA_RIGHT, 0},
	{"the PKI waits on", poll_the_pki, MASA_RIGHT, AUDIT_RIGHT, CA_WAITS, 0},
	{"EST: a certificate", ask_by_est, MASA_RIGHT, AUDIT_RIGHT, CA_RIGHT, 0},
	{"EST: a wrong one", ask_by_est, MASA_RIGHT, AUDIT_RIGHT, CA_OTHER_KEY, 0},
	{"EST: the PKI refuses", ask_by_est, MASA_RIGHT, AUDIT_RIGHT, CA_REFUSES, 0},
	{"EST: the PKI is wrong", ask_by_est, MASA_RIGHT, AUDIT_RIGHT, CA_BROKEN_SIGNATURE, 0},
	{"EST: the PKI is away", ask_by_est, MASA_RIGHT, AUDIT_RIGHT, CA_DOWN, 0},
	{"EST: the PKI waits", ask_by_est, MASA_RIGHT, AUDIT_RIGHT, CA_WAITS, 0},
	{"EST: the PKI waits on", poll_by_est, MASA_RIGHT, AUDIT_RIGHT, CA_WAITS, 0},
	{"EST: a confirmation", confirm_by_est, MASA_RIGHT, AUDIT_RIGHT, CA_RIGHT, 0},
	{"EST: a confirmation waits", confirm_by_est, MASA_RIGHT, AUDIT_RIGHT, CA_DOWN, 0},
	{"EST: a rejection", reject_by_est, MASA_RIGHT, AUDIT_RIGHT, CA_RIGHT, 0},
};

/* And they are not there any more. */
static void expect_same_octets(struct brski_buf *a, struct brski_buf *b)
{
	ck_assert(brski_span_equal(brski_buf_span(a), brski_buf_span(b)));
	*a = *b = (struct brski_buf){0};
}

/* As a value: what a job owns is compared by what it holds. */
static void expect_same(const struct brski_job *now, const struct brski_job *before)
{
	struct brski_job a = *now, b = *before;

	ck_assert_uint_eq(a.answer.status, b.answer.status);
	ck_assert(brski_span_equal(brski_buf_span(&a.answer.body), brski_buf_span(&b.answer.body)));
	memset(&a.answer, 0, sizeof(a.answer));
	memset(&b.answer, 0, sizeof(b.answer));
	expect_same_octets(&a.upstream, &b.upstream);
	expect_same_octets(&a.signers, &b.signers);
	expect_same_octets(&a.tx.id, &b.tx.id);
	expect_same_octets(&a.tx.request_nonce, &b.tx.request_nonce);
	expect_same_octets(&a.tx.last_nonce, &b.tx.last_nonce);
	expect_same_octets(&a.tx.peer_nonce, &b.tx.peer_nonce);
	expect_same_octets(&a.tx.recipient, &b.tx.recipient);
	expect_same_octets(&a.tx.signers, &b.tx.signers);
	ck_assert_str_eq(a.manufacturer.name, b.manufacturer.name); /* it may have been looked up again */
	memset(&a.manufacturer, 0, sizeof(a.manufacturer));
	memset(&b.manufacturer, 0, sizeof(b.manufacturer));
	ck_assert_mem_eq(&a, &b, sizeof(a));
}

/* Nothing of it is what an answer leaves there by chance. */
static void make_it_strange(struct brski_job *job)
{
	job->expires = 77;
	job->not_before = 78;
	job->changed = 79;
	job->tries = 3;
	job->what_ok = true;
	job->manufacturer.allow_nonceless = true;
	if (job->step == 0)
		strcpy(job->location, "/elsewhere");
	strcpy(job->why, "an older trouble");
}

static void answer_once(size_t i, enum brski_code expected)
{
	struct brski_http answer = {0};
	struct brski_call call;
	bool up;

	site.masa = cases[i].masa;
	site.audit = cases[i].audit;
	site.ca = cases[i].ca;
	site.masa_status = cases[i].masa_status;
	site.masa_location = "/log/8f2a";
	ck_assert(brski_job_call(v.job, &call));
	up = site_upstream(&site, &call, &answer);
	EXPECT(expected,
		brski_job_answer(v.job, up ? &answer : NULL, up ? NULL : "connection refused", &err));
	brski_http_free(&answer);
}

START_TEST(every_field_is_what_it_was)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct brski_job before;
		uint64_t revision;

		site_forget(&site);
		site.ca_remembers = true; /* the same call is made more than once */
		site.masa = MASA_RIGHT;
		site.audit = AUDIT_RIGHT;
		site.ca = CA_RIGHT;
		visit_again(&v);
		cases[i].ask();
		make_it_strange(v.job);
		EXPECT(BRSKI_OK, brski_job_remember(v.job, &before, &err));
		revision = v.job->revision;
		site.now += 5;
		site.put_code = BRSKI_UNAVAILABLE;
		answer_once(i, BRSKI_UNAVAILABLE);
		expect_same(v.job, &before);
		/* the first call fails that it makes of the memory, whichever that is */
		site.put_code = BRSKI_OK;
		site.fail_code = BRSKI_UNAVAILABLE;
		site.fail_at = site.n_calls + 1;
		answer_once(i, BRSKI_UNAVAILABLE);
		expect_same(v.job, &before);
		/* the row has changed, and cannot be read again */
		site_row(&site, v.job->key)->revision++;
		site.fail_gets = true;
		answer_once(i, BRSKI_UNAVAILABLE);
		site.fail_gets = false;
		expect_same(v.job, &before);
		site_row(&site, v.job->key)->revision = revision;
		brski_job_forget(&before);
		answer_once(i, BRSKI_OK);
		ck_assert_uint_gt(v.job->revision, revision);
	}
}
END_TEST

/* So it is with what refuses a job before its call is made. */
START_TEST(a_refusal_that_is_not_stored)
{
	struct brski_job before;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		site_forget(&site);
		site.masa = MASA_RIGHT;
		site.ca = CA_RIGHT;
		visit_again(&v);
		cases[i].ask();
		make_it_strange(v.job);
		EXPECT(BRSKI_OK, brski_job_remember(v.job, &before, &err));
		site.decision = BRSKI_REFUSE;
		site.put_code = BRSKI_UNAVAILABLE;
		EXPECT(BRSKI_UNAVAILABLE, brski_job_judge(v.job, &err));
		expect_same(v.job, &before);
		site.put_code = BRSKI_OK;
		EXPECT(BRSKI_OK, brski_job_judge(v.job, &err));
		ck_assert_int_eq(v.job->state, BRSKI_JOB_REFUSED);
		site.decision = BRSKI_ACCEPT;
		brski_job_forget(&before);
	}
}
END_TEST

/* The confirmation is not stored; then the PKI says no. Whoever is refused is granted nothing. */
START_TEST(a_refused_job_grants_nothing)
{
	struct brski_http answer = {0};
	struct brski_call call;

	confirm_certificate();
	ck_assert(brski_job_call(v.job, &call) && site_upstream(&site, &call, &answer));
	site.put_code = BRSKI_INTERNAL;
	EXPECT(BRSKI_INTERNAL, brski_job_answer(v.job, &answer, NULL, &err));
	site.put_code = BRSKI_OK;
	ck_assert(!v.job->grants);
	v.job->grants = true; /* as 0.2.0 left it, also in rows that are stored */
	EXPECT(BRSKI_OK, v.job->type->refuse(v.job, BRSKI_JOB_NOT_WANTED, "struck off", &err));
	EXPECT(BRSKI_OK, brski_job_put(v.job, &err));
	ck_assert_uint_eq(visit_finish(&v), 200);
	ck_assert_uint_eq(visit_status(&v, PATH_ENROLL_STATUS, true), 403);
	visit_again(&v);
	ck_assert_uint_eq(visit_status(&v, PATH_ENROLL_STATUS, true), 403);
	brski_http_free(&answer);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		every_field_is_what_it_was, a_refusal_that_is_not_stored, a_refused_job_grants_nothing};

	return run_tests("job_rollback", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
