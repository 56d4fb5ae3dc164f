/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "eap_brski/registrar/registrar_internal.h"
#include "tests/unit/support/est_visit.h"
#include "tests/unit/support/files.h"

/*
 * EST, and the registrar's memory fails, or others change it meanwhile: the device comes back and gets
 * one certificate, the PKI is asked one thing once.
 */

#define ENROLL BRSKI_PATH_EST_SIMPLEENROLL

static struct site site;
static struct visit v;
static struct brski_error err;

static void setup(void)
{
	site_open(&site, "P-256");
	site.config.enroll_without_voucher = true;
	site_restart(&site);
	visit_open(&v, &site);
}

static void teardown(void)
{
	visit_close(&v);
	site_close(&site);
}

static void begin(enum site_ca ca, bool implicit)
{
	site_forget(&site);
	site.ca_remembers = true;
	site.ca = ca;
	site.ca_polls = 1;
	site.ca_conf_waits = true;
	site.ca_implicit = implicit;
	/* who needs no confirmation needs no voucher either, here */
	site.listed = implicit;
	est_again(&v);
	if (!implicit)
		ck_assert_uint_eq(visit_voucher(&v), 200);
	est_make(&v, &(struct est_ask){0});
}

/* As the worker does: an answer that cannot be kept is none. False: it is for another time. */
static bool drive_once(struct brski_job *job)
{
	struct brski_http answer = {0};
	struct brski_call call;
	enum brski_code code;
	bool up;

	if (!brski_job_call(job, &call) || brski_job_not_before(job) > 0)
		return false;
	up = site_upstream(&site, &call, &answer);
	code = brski_job_answer(job, up ? &answer : NULL, up ? NULL : "connection refused", &err);
	brski_http_free(&answer);
	return code == BRSKI_OK;
}

/* The status, or 0: the conversation is given up, and the device comes back. */
static unsigned come(void)
{
	struct brski_buf text = {0};
	struct brski_http request = {0};
	const unsigned n_calls = site.n_calls, fail_at = site.fail_at;
	enum brski_code code;

	site.fail_at = 0; /* a session that does not begin is the door's concern */
	est_again(&v);
	site.n_calls = n_calls;
	site.fail_at = fail_at;
	EXPECT(BRSKI_OK, brski_est_body_write(brski_buf_span(&v.request), &text, &err));
	EXPECT(BRSKI_OK, brski_http_request(
				 &request, "POST", ENROLL, BRSKI_MEDIA_PKCS10, brski_buf_span(&text), &err));
	code = brski_registrar_request(v.session, &request, &v.response, &v.job, &err);
	brski_http_free(&request);
	brski_buf_free(&text);
	if (code == BRSKI_OK && v.job) {
		while (drive_once(v.job))
			;
		code = brski_job_state(v.job) == BRSKI_JOB_WAITING
			       ? brski_registrar_defer(v.session, v.job, &v.response, &err)
			       : brski_registrar_resume(v.session, v.job, &v.response, &err);
		brski_job_free(v.job);
		v.job = NULL;
	}
	ck_assert_msg(code == BRSKI_OK || code == BRSKI_NO_MEMORY, "%s", err.why);
	return code == BRSKI_OK ? v.response.status : 0;
}

/* Until it has its certificate. It never hears a no. */
static void onboard(void)
{
	unsigned status, n = 0;

	while ((status = come()) != 200) {
		ck_assert_msg(status == 202 || status == 503 || status == 0, "%u", status);
		ck_assert(status == 0 || brski_registrar_session_deferred(v.session));
		ck_assert_uint_lt(++n, 20);
		site.now += 60;
	}
	est_expect_certificate(&v);
}

static const struct {
	enum site_ca ca;
	bool implicit;
} ways[] = {{CA_RIGHT, true}, {CA_WAITS, false}};

static void expect_one_certificate(size_t way)
{
	ck_assert_uint_eq(site.n_issued, 1);
	ck_assert_uint_eq(site.n_confirmed, ways[way].implicit ? 0 : 1);
	ck_assert_uint_eq(site.n_rejected, 0);
	est_again(&v);
	ck_assert_uint_eq(visit_status(&v, PATH_ENROLL_STATUS, true), 200);
}

/* One of its calls fails, whichever that is; what it was to change has happened, or not. */
START_TEST(one_failure)
{
	static const enum brski_code codes[] = {
		BRSKI_INTERNAL, BRSKI_UNAVAILABLE, BRSKI_MALFORMED, BRSKI_NO_MEMORY};

	for (size_t way = 0; way < sizeof(ways) / sizeof(ways[0]); way++) {
		for (int late = 0; late < 2; late++) {
			unsigned n = 0;

			do {
				begin(ways[way].ca, ways[way].implicit);
				site.n_calls = 0;
				site.fail_late = late;
				site.fail_code = codes[n % 4];
				site.fail_at = ++n;
				onboard();
				site.fail_at = 0;
				expect_one_certificate(way);
			} while (site.n_calls >= n);
			ck_assert_uint_gt(n, 12);
		}
	}
}
END_TEST

/* From one of them on all fail, until the device comes again. */
START_TEST(failures)
{
	for (size_t way = 0; way < sizeof(ways) / sizeof(ways[0]); way++) {
		unsigned n = 0;

		do {
			begin(ways[way].ca, ways[way].implicit);
			site.n_calls = 0;
			site.fail_on = true;
			site.fail_code = BRSKI_UNAVAILABLE;
			site.fail_at = n += 3;
			for (unsigned status = 0; status != 200 && site.n_calls < n; site.now += 60)
				status = come();
			site.fail_at = 0;
			onboard();
			expect_one_certificate(way);
		} while (site.n_calls >= n);
		ck_assert_uint_gt(n, 12);
	}
}
END_TEST

/* ---- others ---- */

static struct site_row *est_row(void)
{
	ck_assert_uint_gt(site.n_rows, 0);
	return &site.rows[site.n_rows - 1];
}

static struct brski_job *load(void)
{
	struct brski_job *job;

	EXPECT(BRSKI_OK, brski_job_load(site.registrar, brski_buf_span(&est_row()->blob), est_row()->revision,
				 &job, &err));
	return job;
}

static const char *step_of(const struct brski_job *job)
{
	return job->state == BRSKI_JOB_WAITING ? job->type->steps[job->step].name : "finished";
}

/* Two servers have asked the same. The second to hear of it goes by what the first has stored. */
static void answer_twice(const char *here, const char *there)
{
	struct brski_job *a = load(), *b = load();
	uint64_t revision;

	ck_assert_str_eq(step_of(a), here);
	ck_assert(drive_once(a));
	ck_assert_str_eq(step_of(a), there);
	revision = est_row()->revision;
	ck_assert(drive_once(b));
	ck_assert_str_eq(step_of(b), there);
	ck_assert_uint_eq(est_row()->revision, revision); /* nothing of the second answer */
	ck_assert(brski_span_equal(brski_buf_span(&a->upstream), brski_buf_span(&b->upstream)));
	brski_job_free(a);
	brski_job_free(b);
	site.now += 7;
}

START_TEST(two_servers)
{
	begin(CA_WAITS, false);
	site.ca_polls = 2;
	ck_assert_uint_eq(est_send(&v, ENROLL), 0);
	answer_twice("est-request", "est-poll");
	answer_twice("est-poll", "est-poll"); /* the next pollReq is another one */
	answer_twice("est-poll", "est-poll");
	answer_twice("est-poll", "est-confirm");
	answer_twice("est-confirm", "est-confirm-poll");
	answer_twice("est-confirm-poll", "finished");
	ck_assert_uint_eq(come(), 200);
	est_expect_certificate(&v);
	expect_one_certificate(1);
}
END_TEST

static unsigned times;

/* Another server stores that the PKI is away: it is the same call still. */
static void is_away(struct site *where)
{
	struct brski_job *job;

	if (times == 0)
		return;
	times--;
	job = load();
	EXPECT(BRSKI_OK, brski_job_answer(job, NULL, "connection refused", &err));
	brski_job_free(job);
	where->intrude_at = where->n_calls + 2;
	where->intrude = is_away;
}

START_TEST(the_call_is_the_same_still)
{
	struct brski_job *job;

	begin(CA_RIGHT, false);
	ck_assert_uint_eq(est_send(&v, ENROLL), 0);
	job = load();
	times = 1;
	site.intrude_at = site.n_calls + 1; /* the permission is looked at, or the job is put */
	site.intrude = is_away;
	ck_assert(drive_once(job));
	ck_assert_str_eq(step_of(job), "est-confirm");
	brski_job_free(job);
	site.now += 60;
	ck_assert_uint_eq(come(), 200);
	expect_one_certificate(1);
}
END_TEST

/* ---- what is stored ---- */

/* Everything of a job, also in the middle of a transaction. */
START_TEST(saved_and_read)
{
	struct brski_buf blob = {0};
	struct brski_job *job;

	begin(CA_WAITS, false);
	ck_assert_uint_eq(est_send(&v, ENROLL), 0);
	for (;;) {
		job = load();
		EXPECT(BRSKI_OK, brski_job_save(job, &blob, &err));
		ck_assert(brski_span_equal(brski_buf_span(&blob), brski_buf_span(&est_row()->blob)));
		site.now += brski_job_not_before(job);
		if (job->state != BRSKI_JOB_WAITING)
			break;
		ck_assert(drive_once(job));
		brski_job_free(job);
	}
	ck_assert_int_eq(job->state, BRSKI_JOB_DONE);
	brski_job_free(job);
	brski_buf_free(&blob);
}
END_TEST

static void expect_no_job(const char *member, const char *in_its_place, enum brski_code expected)
{
	struct brski_buf blob = {0};
	struct brski_job *job = NULL;
	char *text = strndup((const char *)est_row()->blob.data, est_row()->blob.len);
	char *at = strstr(text, member);

	ck_assert_ptr_nonnull(at);
	*at = '\0';
	brski_put_str(&blob, text);
	brski_put_str(&blob, in_its_place);
	brski_put_str(&blob, at + strlen(member));
	EXPECT(expected, brski_job_decode(site.registrar, brski_buf_span(&blob), &job, &err));
	brski_job_free(job);
	brski_buf_free(&blob);
	free(text);
}

START_TEST(rows_that_are_no_jobs)
{
	begin(CA_RIGHT, false);
	ck_assert_uint_eq(est_send(&v, ENROLL), 0);
	expect_no_job("est-request", "est-poll", BRSKI_OK);
	expect_no_job("est-request", "cmp", BRSKI_MALFORMED);
	expect_no_job("est-request", "est-nothing", BRSKI_MALFORMED);
	expect_no_job("\"transaction\":", "\"transactions\":", BRSKI_MALFORMED);
	expect_no_job("\"last-nonce\":", "\"lost-nonce\":", BRSKI_MALFORMED);
	expect_no_job("\"last-nonce\":\"", "\"last-nonce\":\"!", BRSKI_MALFORMED);
	/* and what has no transaction of ours must have none */
	begin(CA_RIGHT, false);
	ck_assert_uint_eq(visit_send(&v, "POST", PATH_INITIALIZATION, BRSKI_MEDIA_CMP,
				  (visit_make_enroll(&v, &site.idevid, false), brski_buf_span(&v.request))),
		0);
	expect_no_job("\"label\":", "\"transaction\":{},\"label\":", BRSKI_MALFORMED);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {one_failure, failures, two_servers, the_call_is_the_same_still,
		saved_and_read, rows_that_are_no_jobs};

	return run_tests("EST, memory", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
