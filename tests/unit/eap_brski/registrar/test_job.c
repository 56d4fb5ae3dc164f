/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <jansson.h>

#include "eap_brski/ground/json.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/mutate.h"
#include "tests/unit/support/visit.h"

/* Jobs: kept at every step, carried on by another process, answered twice, and damaged in the store. */

static struct site site;
static struct visit v;

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

static struct brski_job *stored(const char *key)
{
	struct site_row *row = site_row(&site, key);
	struct brski_job *job = NULL;
	struct brski_error err;

	ck_assert_ptr_nonnull(row);
	EXPECT(BRSKI_OK,
		brski_job_load(site.registrar, brski_buf_span(&row->blob), row->revision, &job, &err));
	return job;
}

/* As after kill -9: only the store is left. */
static struct brski_job *restart_with(struct brski_job *job)
{
	char key[BRSKI_FINGERPRINT_MAX];

	snprintf(key, sizeof(key), "%s", brski_job_key(job));
	brski_job_free(job);
	site_restart(&site);
	return stored(key);
}

static void expect_call(const struct brski_job *job, const char *method, const char *url_end)
{
	struct brski_call call;

	ck_assert(brski_job_call(job, &call));
	ck_assert_str_eq(call.request->method, method);
	ck_assert_uint_ge(strlen(call.url), strlen(url_end));
	ck_assert_str_eq(call.url + strlen(call.url) - strlen(url_end), url_end);
}

START_TEST(voucher_job_at_every_step)
{
	struct brski_job *job;
	struct brski_call call;

	site.audit = AUDIT_CREATED;
	site.masa_status = 201;
	site.masa_location = "/log/8f2a";
	visit_ask_for_voucher(&v);
	job = v.job;
	v.job = NULL;
	brski_registrar_session_free(v.session); /* the pledge is gone too */
	v.session = NULL;

	job = restart_with(job);
	expect_call(job, "POST", "/requestvoucher");
	site_drive_once(&site, job);
	job = restart_with(job);
	expect_call(job, "POST", "/requestauditlog");
	ck_assert_int_eq(brski_job_state(job), BRSKI_JOB_WAITING);
	site_drive_once(&site, job);
	job = restart_with(job);
	expect_call(job, "GET", "/log/8f2a");
	site_drive_once(&site, job);
	job = restart_with(job);
	ck_assert_int_eq(brski_job_state(job), BRSKI_JOB_DONE);
	ck_assert(!brski_job_call(job, &call));
	ck_assert_int_eq(brski_job_not_before(job), 0);
	brski_job_free(job);

	visit_again(&v);
	ck_assert_uint_eq(visit_repeat(&v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER), 200);
	ck_assert_uint_eq(site.n_masa_calls, 1);
}
END_TEST

START_TEST(cmp_job_at_every_step)
{
	struct brski_job *job;

	ck_assert_uint_eq(visit_voucher(&v), 200);
	visit_make_enroll(&v, &site.idevid, false);
	ck_assert_uint_eq(
		visit_send(&v, "POST", PATH_INITIALIZATION, BRSKI_MEDIA_CMP, brski_buf_span(&v.request)), 0);
	job = restart_with(v.job);
	v.job = NULL;
	expect_call(job, "POST", "/cmp");
	site_drive_once(&site, job);
	job = restart_with(job);
	ck_assert_int_eq(brski_job_state(job), BRSKI_JOB_DONE);
	brski_job_free(job);
	visit_again(&v);
	ck_assert_uint_eq(visit_cmp(&v, PATH_INITIALIZATION), 200);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_ACCEPTED);
	ck_assert_uint_eq(site.n_issued, 1);
}
END_TEST

/* The same octets go to the back end at every try. */
START_TEST(call_is_the_same_after_a_restart)
{
	struct brski_buf before = {0};
	struct brski_call call;
	struct brski_job *job;

	visit_ask_for_voucher(&v);
	ck_assert(brski_job_call(v.job, &call));
	ck_assert_int_eq(brski_buf_set(&before, brski_buf_span(&call.request->body)), BRSKI_OK);
	job = restart_with(v.job);
	v.job = NULL;
	ck_assert(brski_job_call(job, &call));
	ck_assert(brski_span_equal(brski_buf_span(&before), brski_buf_span(&call.request->body)));
	ck_assert_ptr_nonnull(call.tls_anchors);
	ck_assert_ptr_nonnull(call.client);
	brski_job_free(job);
	brski_buf_free(&before);
}
END_TEST

/* ---- two of them ---- */

START_TEST(second_answer_changes_nothing)
{
	struct brski_job *twin;
	struct brski_buf first = {0};

	visit_ask_for_voucher(&v);
	twin = stored(brski_job_key(v.job));
	site_drive(&site, v.job);
	ck_assert_int_eq(brski_job_state(v.job), BRSKI_JOB_DONE);
	ck_assert_int_eq(
		brski_buf_set(&first, brski_buf_span(&site_row(&site, brski_job_key(twin))->blob)), BRSKI_OK);
	/* the other one is refused: it was too late */
	site.masa = MASA_STATUS;
	site.masa_status = 403;
	site_drive(&site, twin);
	ck_assert_int_eq(brski_job_state(twin), BRSKI_JOB_DONE);
	ck_assert(brski_span_equal(
		brski_buf_span(&first), brski_buf_span(&site_row(&site, brski_job_key(twin))->blob)));
	ck_assert_uint_eq(site_count_events(&site, "voucher", false), 0);
	ck_assert_uint_eq(visit_finish(&v), 200);
	brski_job_free(twin);
	brski_buf_free(&first);
}
END_TEST

START_TEST(slower_twin_does_not_go_back)
{
	struct brski_job *twin;
	struct brski_call call;

	visit_ask_for_voucher(&v);
	twin = stored(brski_job_key(v.job));
	site_drive_once(&site, v.job); /* the voucher is there */
	site.masa = MASA_DOWN;
	site_drive_once(&site, twin);
	ck_assert(brski_job_call(twin, &call));
	ck_assert_ptr_nonnull(strstr(call.url, "requestauditlog"));
	ck_assert_int_eq(brski_job_not_before(twin), 0);
	site_drive(&site, twin);
	ck_assert_int_eq(brski_job_state(twin), BRSKI_JOB_DONE);
	site_drive(&site, v.job);
	ck_assert_int_eq(brski_job_state(v.job), BRSKI_JOB_DONE);
	brski_job_free(twin);
}
END_TEST

START_TEST(answer_after_the_end)
{
	struct brski_error err;

	visit_ask_for_voucher(&v);
	site_drive(&site, v.job);
	EXPECT(BRSKI_OK, brski_job_answer(v.job, NULL, "too late", &err));
	ck_assert_int_eq(brski_job_state(v.job), BRSKI_JOB_DONE);
}
END_TEST

START_TEST(other_thread_was_faster)
{
	struct brski_job *twin;

	visit_ask_for_voucher(&v);
	twin = stored(brski_job_key(v.job));
	site_drive(&site, twin);
	/* the session gives up waiting, and finds the voucher in the store */
	ck_assert_uint_eq(visit_finish(&v), 200);
	ck_assert(!brski_registrar_session_over(v.session));
	brski_job_free(twin);
}
END_TEST

START_TEST(jobs_of_others)
{
	struct brski_error err;
	struct brski_job *first;

	visit_ask_for_voucher(&v);
	first = v.job;
	v.job = NULL;
	/* it is not done */
	EXPECT(BRSKI_UNEXPECTED, brski_registrar_resume(v.session, first, &v.response, &err));
	/* the session waits for another one now */
	visit_ask_for_voucher(&v);
	site_drive(&site, first);
	EXPECT(BRSKI_UNEXPECTED, brski_registrar_resume(v.session, first, &v.response, &err));
	EXPECT(BRSKI_UNEXPECTED, brski_registrar_defer(v.session, first, &v.response, &err));
	site_drive(&site, v.job);
	ck_assert_uint_eq(visit_finish(&v), 200);
	/* and for none at all */
	EXPECT(BRSKI_UNEXPECTED, brski_registrar_resume(v.session, first, &v.response, &err));
	brski_job_free(first);
}
END_TEST

/* ---- not before, and not any more ---- */

START_TEST(pauses_grow)
{
	static const long expected[] = {5, 10, 20, 30, 30};
	struct brski_error err;

	visit_ask_for_voucher(&v);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		EXPECT(BRSKI_OK, brski_job_answer(v.job, NULL, "no route to host", &err));
		ck_assert_int_eq(brski_job_not_before(v.job), expected[i]);
		site.now += expected[i];
		ck_assert_int_eq(brski_job_not_before(v.job), 0);
	}
	ck_assert_uint_eq(site_count_events(&site, "voucher", false), 1);
	EXPECT(BRSKI_OK, brski_job_answer(v.job, NULL, "connection refused", &err));
	ck_assert_uint_eq(site_count_events(&site, "voucher", false), 2);
}
END_TEST

/* The memory is told whom a job calls next, and not before when: all that wait for one, it can tell. */
static void expect_next(const char *back_end, time_t not_before)
{
	const struct site_row *row = site_row(&site, brski_job_key(v.job));

	ck_assert_ptr_nonnull(row);
	ck_assert_str_eq(row->back_end, back_end);
	ck_assert_int_eq(row->not_before, not_before);
}

START_TEST(memory_knows_whom_it_calls_next)
{
	struct brski_error err;

	site.masa_url = "https://masa.acme.example:9443/brski";
	visit_again(&v);
	visit_ask_for_voucher(&v);
	expect_next("https://masa.acme.example:9443", 0);
	EXPECT(BRSKI_OK, brski_job_answer(v.job, NULL, "no route to host", &err));
	expect_next("https://masa.acme.example:9443", site.now + 5);
	site_drive_once(&site, v.job); /* the audit log is next */
	expect_next("https://masa.acme.example:9443", 0);
	brski_job_free(v.job);
	v.job = NULL;
	visit_again(&v);
	ck_assert_uint_eq(visit_voucher(&v), 200);
	visit_make_enroll(&v, &site.idevid, false);
	ck_assert_uint_eq(
		visit_send(&v, "POST", PATH_INITIALIZATION, BRSKI_MEDIA_CMP, brski_buf_span(&v.request)), 0);
	expect_next("http://ca.plant.example:8080", 0);
}
END_TEST

/* ---- nothing waits for ever ---- */

static void bound_waiting(long seconds)
{
	visit_close(&v);
	site.config.waiting_max = seconds;
	site_restart(&site);
	visit_open(&v, &site);
}

START_TEST(given_up_when_it_is_asked_again)
{
	struct brski_error err;

	bound_waiting(3600);
	visit_ask_for_voucher(&v);
	site.now += 3600;
	EXPECT(BRSKI_OK, brski_job_answer(v.job, NULL, "connection refused", &err));
	ck_assert_int_eq(brski_job_state(v.job), BRSKI_JOB_WAITING);
	site.now++;
	EXPECT(BRSKI_OK, brski_job_answer(v.job, NULL, "connection refused", &err));
	ck_assert_int_eq(brski_job_state(v.job), BRSKI_JOB_REFUSED);
	ck_assert_int_eq(site_row(&site, brski_job_key(v.job))->state, BRSKI_JOB_REFUSED);
	ck_assert(site_has_event(&site, "voucher", false, "given up, since there was no answer in 3601 s"));
	ck_assert_uint_eq(visit_finish(&v), 504);
	/* who comes later, be it at once, begins anew with the same request */
	visit_again(&v);
	ck_assert_uint_eq(visit_repeat(&v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER), 200);
}
END_TEST

START_TEST(given_up_when_it_is_taken_up)
{
	char key[BRSKI_FINGERPRINT_MAX];
	struct brski_job *job;

	bound_waiting(3600);
	ck_assert_uint_eq(visit_voucher(&v), 200);
	visit_make_enroll(&v, &site.idevid, false);
	ck_assert_uint_eq(
		visit_send(&v, "POST", PATH_INITIALIZATION, BRSKI_MEDIA_CMP, brski_buf_span(&v.request)), 0);
	snprintf(key, sizeof(key), "%s", brski_job_key(v.job));
	site.now += 3601;
	job = stored(key);
	ck_assert_int_eq(brski_job_state(job), BRSKI_JOB_REFUSED);
	ck_assert_int_eq(site_row(&site, key)->state, BRSKI_JOB_REFUSED);
	brski_job_free(job);
	ck_assert_uint_eq(site.n_ca_calls, 0);
}
END_TEST

START_TEST(refused_while_it_waited)
{
	char key[BRSKI_FINGERPRINT_MAX];
	struct brski_job *job;

	visit_ask_for_voucher(&v);
	snprintf(key, sizeof(key), "%s", brski_job_key(v.job));
	site.decision = BRSKI_DEFER;
	job = stored(key);
	ck_assert_int_eq(brski_job_state(job), BRSKI_JOB_WAITING);
	ck_assert_int_eq(brski_job_not_before(job), 42);
	brski_job_free(job);
	site.decision = BRSKI_REFUSE;
	site.decision_why = "taken out of the inventory";
	job = stored(key);
	ck_assert_int_eq(brski_job_state(job), BRSKI_JOB_REFUSED);
	ck_assert_int_eq(site_row(&site, key)->state, BRSKI_JOB_REFUSED);
	ck_assert(site_has_event(&site, "policy", false, "taken out of the inventory"));
	brski_job_free(job);
	ck_assert_uint_eq(site.n_masa_calls, 0);
}
END_TEST

static void refuse_what_waits(enum brski_code answer)
{
	char key[BRSKI_FINGERPRINT_MAX];
	struct brski_job *job = NULL;
	struct brski_error err;

	ck_assert_uint_eq(visit_voucher(&v), 200);
	visit_make_enroll(&v, &site.idevid, false);
	ck_assert_uint_eq(
		visit_send(&v, "POST", PATH_INITIALIZATION, BRSKI_MEDIA_CMP, brski_buf_span(&v.request)), 0);
	snprintf(key, sizeof(key), "%s", brski_job_key(v.job));
	site.find_code = BRSKI_UNAVAILABLE; /* the store's trouble: no verdict */
	EXPECT(BRSKI_UNAVAILABLE, brski_job_load(site.registrar, brski_buf_span(&site_row(&site, key)->blob),
					  site_row(&site, key)->revision, &job, &err));
	ck_assert_ptr_null(job);
	ck_assert_int_eq(site_row(&site, key)->state, BRSKI_JOB_WAITING);
	site.find_code = answer;
	job = stored(key);
	ck_assert_int_eq(brski_job_state(job), BRSKI_JOB_REFUSED);
	site.find_code = BRSKI_OK;
	ck_assert_uint_eq(visit_finish(&v), 200); /* it finds the refusal in the store: a CMP message */
	ck_assert(brski_http_is_type(&v.response, BRSKI_MEDIA_CMP));
	ck_assert(brski_registrar_session_over(v.session));
	ck_assert_uint_eq(site.n_ca_calls, 0);
	brski_job_free(job);
}

START_TEST(revoked_while_it_waited)
{
	static const enum brski_code answers[] = {
		BRSKI_REVOKED, BRSKI_EXPIRED, BRSKI_UNTRUSTED, BRSKI_UNSUPPORTED, BRSKI_REFUSED};

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		site_forget(&site);
		visit_again(&v);
		refuse_what_waits(answers[i]);
	}
}
END_TEST

/* Of what is in memory as well: its manufacturer is what it is now, whatever it was when the device came. */
START_TEST(judged_again_in_memory)
{
	STACK_OF(X509) *others = pki_certs(&site.foreign, NULL), *before = site.masa_anchors;
	struct brski_call call;
	struct brski_error err;

	visit_ask_for_voucher(&v);
	site.masa_url = "https://elsewhere.example";
	site.masa_anchors = others;
	EXPECT(BRSKI_OK, brski_job_judge(v.job, &err));
	site.masa_anchors = before;
	ck_assert(brski_job_call(v.job, &call));
	ck_assert_str_eq(call.url, "https://elsewhere.example/.well-known/brski/requestvoucher");
	ck_assert(brski_cert_equal(sk_X509_value(call.tls_anchors, 0), site.foreign.cert));
	site.decision = BRSKI_DEFER;
	EXPECT(BRSKI_OK, brski_job_judge(v.job, &err));
	ck_assert(brski_job_is_deferred(v.job));
	site.decision = BRSKI_ACCEPT;
	EXPECT(BRSKI_OK, brski_job_judge(v.job, &err));
	ck_assert(!brski_job_is_deferred(v.job));
	site.find_code = BRSKI_REVOKED;
	EXPECT(BRSKI_OK, brski_job_judge(v.job, &err));
	ck_assert_int_eq(brski_job_state(v.job), BRSKI_JOB_REFUSED);
	ck_assert(!brski_job_call(v.job, &call));
	ck_assert_int_eq(site_row(&site, brski_job_key(v.job))->state, BRSKI_JOB_REFUSED);
	pki_free_certs(others);
}
END_TEST

/* What its device was given is gone, or was used for another certificate. */
START_TEST(a_request_without_permission_any_more)
{
	struct brski_error err;
	struct visit w;

	visit_open(&w, &site);
	ck_assert_uint_eq(visit_voucher(&v), 200);
	visit_make_enroll(&v, &site.idevid, false);
	ck_assert_uint_eq(
		visit_send(&v, "POST", PATH_INITIALIZATION, BRSKI_MEDIA_CMP, brski_buf_span(&v.request)), 0);
	EXPECT(BRSKI_OK, brski_job_judge(v.job, &err));
	ck_assert_int_eq(brski_job_state(v.job), BRSKI_JOB_WAITING);
	ck_assert_uint_eq(visit_enroll(&w), 200);
	ck_assert_uint_eq(visit_confirm(&w), 200);
	EXPECT(BRSKI_OK, brski_job_judge(v.job, &err));
	ck_assert_int_eq(brski_job_state(v.job), BRSKI_JOB_REFUSED);
	ck_assert(site_has_event(&site, "policy", false, "used for another certificate"));
	ck_assert_int_eq(site.permission.row.state, BRSKI_PERMISSION_CERTIFICATE); /* the other's */
	ck_assert_uint_eq(visit_status(&w, PATH_ENROLL_STATUS, true), 200);
	visit_close(&w);
}
END_TEST

/* ---- the store ---- */

START_TEST(unstored_answer_did_not_happen)
{
	struct brski_http answer = {0};
	struct brski_call call;
	struct brski_error err;

	visit_ask_for_voucher(&v);
	ck_assert(brski_job_call(v.job, &call));
	ck_assert(site_upstream(&site, &call, &answer));
	site.put_code = BRSKI_INTERNAL;
	EXPECT(BRSKI_INTERNAL, brski_job_answer(v.job, &answer, NULL, &err));
	ck_assert_int_eq(brski_job_state(v.job), BRSKI_JOB_WAITING);
	ck_assert(brski_job_call(v.job, &call));
	ck_assert_ptr_nonnull(strstr(call.url, "requestvoucher"));
	ck_assert_uint_eq(site_count_events(&site, "voucher", true), 0);
	site.put_code = BRSKI_OK;
	site_drive(&site, v.job);
	ck_assert_uint_eq(visit_finish(&v), 200);
	brski_http_free(&answer);
}
END_TEST

START_TEST(save_and_load)
{
	struct brski_buf blob = {0}, again = {0};
	struct brski_job *job;
	struct brski_error err;

	visit_ask_for_voucher(&v);
	site_drive(&site, v.job);
	EXPECT(BRSKI_OK, brski_job_save(v.job, &blob, &err));
	EXPECT(BRSKI_OK, brski_job_load(site.registrar, brski_buf_span(&blob), 1, &job, &err));
	EXPECT(BRSKI_OK, brski_job_save(job, &again, &err));
	ck_assert_uint_eq(blob.len, again.len);
	ck_assert_mem_eq(blob.data, again.data, blob.len);
	ck_assert_str_eq(brski_job_key(job), brski_job_key(v.job));
	brski_job_free(job);
	brski_buf_free(&blob);
	brski_buf_free(&again);
}
END_TEST

/* What an older version has stored knows no label: its request goes to cmp_url as it is. */
START_TEST(a_job_without_a_label)
{
	struct brski_buf blob = {0};
	struct brski_job *job;
	struct brski_call call;
	struct brski_error err;
	json_t *json;

	site.config.cmp_url = "http://ca.example/.well-known/cmp";
	site_restart(&site);
	visit_again(&v);
	ck_assert_uint_eq(visit_voucher(&v), 200);
	visit_make_enroll(&v, &site.idevid, false);
	visit_send(&v, "POST", PATH_INITIALIZATION, BRSKI_MEDIA_CMP, brski_buf_span(&v.request));
	ck_assert(brski_job_call(v.job, &call));
	ck_assert_str_eq(call.url, "http://ca.example/.well-known/cmp/initialization");
	EXPECT(BRSKI_OK, brski_job_save(v.job, &blob, &err));
	json = json_loadb((const char *)blob.data, blob.len, 0, NULL);
	ck_assert_int_eq(json_object_del(json, "label"), 0);
	brski_buf_reset(&blob);
	EXPECT(BRSKI_OK, brski_json_print(json, &blob, &err));
	EXPECT(BRSKI_OK, brski_job_load(site.registrar, brski_buf_span(&blob), 1, &job, &err));
	ck_assert(brski_job_call(job, &call));
	ck_assert_str_eq(call.url, "http://ca.example/.well-known/cmp");
	brski_job_free(job);
	brski_buf_free(&blob);
	json_decref(json);
}
END_TEST

static void try_damaged(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	const char *key = ctx;
	struct brski_job *job = NULL;
	enum brski_code code = brski_job_load(site.registrar, damaged, 1, &job, NULL);

	if (strcmp(how->kind, "cut") == 0 || strcmp(how->kind, "appended") == 0)
		ck_assert_int_ne(code, BRSKI_OK);
	/* texts and numbers may differ unseen; whose request it is, and which, may not */
	if (code == BRSKI_OK)
		ck_assert_str_eq(brski_job_key(job), key);
	brski_job_free(job);
}

START_TEST(damaged_jobs)
{
	char key[BRSKI_FINGERPRINT_MAX];
	struct brski_buf golden = {0};

	visit_ask_for_voucher(&v);
	site_drive(&site, v.job);
	snprintf(key, sizeof(key), "%s", brski_job_key(v.job));
	ck_assert_int_eq(brski_buf_set(&golden, brski_buf_span(&site_row(&site, key)->blob)), BRSKI_OK);
	mutate_truncations(brski_buf_span(&golden), try_damaged, key);
	mutate_octets_once(brski_buf_span(&golden), try_damaged, key);
	mutate_appended(brski_span(golden.data, golden.len), try_damaged, key);
	brski_buf_free(&golden);
}
END_TEST

START_TEST(not_jobs)
{
	static const char *const texts[] = {"", "{}", "null", "[]", "{\"version\":1}", "{\"version\":2}",
		"{\"version\":1,\"note\":\"voucher\",\"value\":\"\"}", "{\"version\":1,\"version\":1}"};
	struct brski_job *job;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct brski_error err;

		ck_assert_int_ne(
			brski_job_load(site.registrar, brski_span_str(texts[i]), 1, &job, &err), BRSKI_OK);
		ck_assert_ptr_null(job);
		ck_assert_str_ne(err.why, "");
	}
}
END_TEST

/* A row under another's key, or another device's, is not believed. */
START_TEST(swapped_rows)
{
	struct brski_error err;
	struct site_row *row;

	ck_assert_uint_eq(visit_voucher(&v), 200);
	visit_ask_for_voucher(&v);
	row = site_row(&site, brski_job_key(v.job));
	EXPECT(BRSKI_OK, brski_buf_set(&row->blob, brski_buf_span(&site.rows[0].blob)));
	ck_assert_uint_eq(visit_repeat(&v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER), 503);
	ck_assert(site_has_event(&site, "deferred", false, "memory fails: it answers with another job"));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {voucher_job_at_every_step, cmp_job_at_every_step,
		call_is_the_same_after_a_restart, second_answer_changes_nothing, slower_twin_does_not_go_back,
		answer_after_the_end, other_thread_was_faster, jobs_of_others, pauses_grow,
		memory_knows_whom_it_calls_next, given_up_when_it_is_asked_again,
		given_up_when_it_is_taken_up, refused_while_it_waited, revoked_while_it_waited,
		judged_again_in_memory, a_request_without_permission_any_more, unstored_answer_did_not_happen,
		save_and_load, a_job_without_a_label, damaged_jobs, not_jobs, swapped_rows};

	return run_tests("job", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
