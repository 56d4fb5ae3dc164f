/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include <dlfcn.h>
#include <openssl/evp.h>

#include "eap_brski/registrar/registrar_internal.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/visit.h"

/*
 * The registrar's memory fails, and others change it meanwhile: nobody is refused for it, nobody gets
 * what he must not get, and nothing is done twice.
 */

static struct site site;
static struct visit v;
static struct brski_error err;

static void setup(void)
{
	site_open(&site, "P-256");
	site.ca_remembers = true;
	visit_open(&v, &site);
}

static void teardown(void)
{
	visit_close(&v);
	site_close(&site);
}

/* ---- One request, with a failure at each of the calls that it makes ---- */

/* As the worker does: an answer that cannot be kept is none. */
static void drive(struct brski_job *job)
{
	struct brski_call call;

	while (brski_job_call(job, &call) && brski_job_not_before(job) == 0) {
		struct brski_http answer = {0};
		bool up = site_upstream(&site, &call, &answer);
		enum brski_code code =
			brski_job_answer(job, up ? &answer : NULL, up ? NULL : "connection refused", &err);

		brski_http_free(&answer);
		if (code != BRSKI_OK)
			return;
	}
}

/* The status, or 0: the conversation is given up, and the device comes back. */
static unsigned post(const char *path, const char *type)
{
	struct brski_http request = {0};
	enum brski_code code;

	brski_http_free(&v.response);
	brski_cmp_response_free(&v.cmp);
	EXPECT(BRSKI_OK, brski_http_request(&request, "POST", path, type, brski_buf_span(&v.request), &err));
	code = brski_registrar_request(v.session, &request, &v.response, &v.job, &err);
	brski_http_free(&request);
	if (code == BRSKI_OK && v.job) {
		drive(v.job);
		code = brski_job_state(v.job) == BRSKI_JOB_WAITING
			       ? brski_registrar_defer(v.session, v.job, &v.response, &err)
			       : brski_registrar_resume(v.session, v.job, &v.response, &err);
		brski_job_free(v.job);
		v.job = NULL;
	}
	ck_assert_msg(code == BRSKI_OK || code == BRSKI_NO_MEMORY, "%s", err.why);
	return code == BRSKI_OK ? v.response.status : 0;
}

/* Reads it only: it is not the device's to hear. */
static bool is_waiting(void)
{
	struct brski_cmp_response said = {0};
	struct brski_cmp msg = {0};
	bool waiting;

	if (v.response.status != 200 || !brski_http_is_type(&v.response, BRSKI_MEDIA_CMP))
		return false;
	EXPECT(BRSKI_OK, brski_cmp_decode(brski_buf_span(&v.response.body), &msg, &err));
	EXPECT(BRSKI_OK, brski_cmp_response_read(&msg, &said, &err));
	waiting = said.type == BRSKI_CMP_POLLREP || said.status == BRSKI_CMP_WAITING;
	brski_cmp_response_free(&said);
	brski_cmp_free(&msg);
	return waiting;
}

static bool is_later(unsigned status)
{
	return status == 202 || status == 503 || is_waiting();
}

/*
 * v.request, with the memory failing at each of the calls that it makes; each time from where things
 * stand. The status of the last time, when nothing fails any more.
 */
static unsigned fails_everywhere(const char *path, const char *type)
{
	static const enum brski_code codes[] = {BRSKI_INTERNAL, BRSKI_UNAVAILABLE, BRSKI_MALFORMED};
	static struct site_memory before;
	unsigned status, n = 1;
	bool failed;

	site_remember(&site, &before);
	do {
		site_recall(&site, &before);
		visit_again(&v);
		site.n_calls = 0;
		site.fail_code = codes[n % 3];
		site.fail_at = n++;
		status = post(path, type);
		failed = site.n_calls >= site.fail_at;
		site.fail_at = 0;
		if (failed) {
			ck_assert_msg(is_later(status), "call %u: %u", n - 1, status);
			ck_assert(brski_registrar_session_deferred(v.session));
			ck_assert(!brski_registrar_session_enrolled(v.session));
		}
	} while (failed);
	ck_assert_uint_gt(n, 2);
	site_memory_free(&before);
	return status;
}

static void make_report(bool status)
{
	EXPECT(BRSKI_OK,
		brski_buf_set(&v.request, brski_span_str(status ? "{\"version\":1,\"status\":true}"
								: "{\"version\":1,\"status\":false}")));
}

static void make_confirm(void)
{
	X509 *cert = sk_X509_value(site.issued, sk_X509_num(site.issued) - 1);

	brski_buf_free(&v.request);
	EXPECT(BRSKI_OK, brski_cmp_cert_conf(&site.idevid, false, cert, BRSKI_CMP_FAIL_NONE, NULL, NULL,
				 &v.tx, &v.request, &err));
}

static void make_poll(void)
{
	brski_buf_free(&v.request);
	EXPECT(BRSKI_OK, brski_cmp_poll_req(&site.idevid, 0, NULL, &v.tx, &v.request, &err));
}

/* Voucher, request, confirmation, report: none is refused for a memory that fails, nor granted. */
START_TEST(each_request_of_an_onboarding)
{
	visit_make_voucher_request(&v);
	ck_assert_uint_eq(fails_everywhere(PATH_VOUCHER, BRSKI_MEDIA_VOUCHER), 200);
	ck_assert_uint_eq(fails_everywhere(PATH_VOUCHER, BRSKI_MEDIA_VOUCHER), 200); /* once more */
	visit_make_enroll(&v, &site.idevid, false);
	ck_assert_uint_eq(fails_everywhere(PATH_INITIALIZATION, BRSKI_MEDIA_CMP), 200);
	ck_assert_uint_eq(fails_everywhere(PATH_INITIALIZATION, BRSKI_MEDIA_CMP), 200);
	visit_read_cmp(&v);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_ACCEPTED);
	make_confirm();
	ck_assert_uint_eq(fails_everywhere(PATH_INITIALIZATION, BRSKI_MEDIA_CMP), 200);
	visit_read_cmp(&v);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_PKICONF);
	make_report(true);
	ck_assert_uint_eq(fails_everywhere(PATH_ENROLL_STATUS, BRSKI_MEDIA_JSON), 200);
	ck_assert(brski_registrar_session_enrolled(v.session));
	ck_assert_uint_eq(site.n_issued, 1);
	ck_assert_uint_eq(site.n_confirmed, 1);
}
END_TEST

START_TEST(each_poll)
{
	ck_assert_uint_eq(visit_voucher(&v), 200);
	site.ca = CA_DOWN;
	visit_make_enroll(&v, &site.idevid, false);
	ck_assert_uint_eq(fails_everywhere(PATH_INITIALIZATION, BRSKI_MEDIA_CMP), 200);
	visit_read_cmp(&v);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_WAITING);
	make_poll(); /* it is the registrar that waits */
	ck_assert_uint_eq(fails_everywhere(PATH_INITIALIZATION, BRSKI_MEDIA_CMP), 200);
	ck_assert(is_waiting());
	site.now += 60;
	site.ca = CA_WAITS;
	site.ca_polls = 1;
	visit_read_cmp(&v);
	make_poll();
	ck_assert_uint_eq(fails_everywhere(PATH_INITIALIZATION, BRSKI_MEDIA_CMP), 200);
	ck_assert(is_waiting());
	visit_read_cmp(&v);
	make_poll(); /* now the PKI does */
	ck_assert_uint_eq(fails_everywhere(PATH_INITIALIZATION, BRSKI_MEDIA_CMP), 200);
	ck_assert(is_waiting());
	visit_read_cmp(&v);
	make_poll();
	ck_assert_uint_eq(fails_everywhere(PATH_INITIALIZATION, BRSKI_MEDIA_CMP), 200);
	visit_read_cmp(&v);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_IP);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_ACCEPTED);
	ck_assert_uint_eq(site.n_issued, 1);
}
END_TEST

/* The rest of the requests, and what comes of them. */
START_TEST(each_other_request)
{
	struct brski_buf first = {0};

	/* a report without a certificate: it is a no when it can be known, and not before */
	make_report(true);
	ck_assert_uint_eq(fails_everywhere(PATH_ENROLL_STATUS, BRSKI_MEDIA_JSON), 403);
	/* the same of a request without a voucher */
	visit_make_enroll(&v, &site.idevid, false);
	ck_assert_uint_eq(fails_everywhere(PATH_INITIALIZATION, BRSKI_MEDIA_CMP), 200);
	visit_read_cmp(&v);
	ck_assert_int_eq(v.cmp.fail, BRSKI_CMP_NOT_AUTHORIZED);
	visit_again(&v);
	ck_assert_uint_eq(visit_voucher(&v), 200);
	ck_assert_uint_eq(visit_enroll(&v), 200);
	EXPECT(BRSKI_OK, brski_buf_set(&first, brski_buf_span(&v.request)));
	ck_assert_uint_eq(visit_confirm(&v), 200);
	/* the first request again, after its confirmation */
	brski_buf_move(&v.request, &first);
	ck_assert_uint_eq(fails_everywhere(PATH_INITIALIZATION, BRSKI_MEDIA_CMP), 200);
	visit_read_cmp(&v);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_ACCEPTED);
	ck_assert_uint_eq(site.n_issued, 1);
	/* whoever will not have the voucher gets no certificate for it */
	make_report(false);
	ck_assert_uint_eq(fails_everywhere(PATH_VOUCHER_STATUS, BRSKI_MEDIA_JSON), 200);
	visit_again(&v);
	ck_assert_uint_eq(visit_enroll(&v), 200);
	ck_assert_int_eq(v.cmp.fail, BRSKI_CMP_NOT_AUTHORIZED);
}
END_TEST

/* random numbers that are not: each 128 bits are the same */
static int same(void *ctx, uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = ((const uint8_t *)ctx)[i % BRSKI_CMP_ID_LEN];
	return 0;
}

START_TEST(no_second_certificate_for_a_transaction)
{
	struct brski_cmp_enroll enroll = {.signer = &site.idevid};
	uint8_t id[BRSKI_CMP_ID_LEN];
	struct brski_env env = {.ctx = id, .random = same};

	ck_assert_uint_eq(visit_voucher(&v), 200);
	ck_assert_uint_eq(visit_enroll(&v), 200);
	memcpy(id, v.tx.id.data, sizeof(id));
	enroll.key = v.key;
	enroll.subject = X509_get_subject_name(site.idevid.cert);
	EXPECT(BRSKI_OK, brski_cmp_enroll(&enroll, &env, &v.tx, &v.request, &err));
	ck_assert_uint_eq(fails_everywhere(PATH_INITIALIZATION, BRSKI_MEDIA_CMP), 200);
	visit_read_cmp(&v);
	ck_assert_int_eq(v.cmp.fail, BRSKI_CMP_TRANSACTION_ID_IN_USE);
	ck_assert_uint_eq(site.n_issued, 1);
}
END_TEST

/* ---- A whole onboarding, with one failure in it, or a process that dies ---- */

enum step { VOUCHER, VOUCHER_STATUS, ENROLL, POLL, CONFIRM, REPORT, ENROLLED };

static enum step step;

static void take_cert(void)
{
	visit_read_cmp(&v);
	ck_assert_int_eq(v.judged, BRSKI_OK);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_ACCEPTED);
	ck_assert(brski_cert_has_key(v.cmp.cert, v.key));
	make_confirm();
	step = CONFIRM;
}

/* An answer that is no "later". False: the device leaves, to come back. */
static bool go_on(void)
{
	switch (step) {
	case VOUCHER:
		make_report(true);
		step = VOUCHER_STATUS;
		return true;
	case VOUCHER_STATUS:
		visit_make_enroll(&v, &site.idevid, false);
		step = ENROLL;
		return true;
	case ENROLL:
	case POLL:
		if (is_waiting()) {
			visit_read_cmp(&v);
			make_poll();
			step = POLL;
			return false;
		}
		take_cert();
		return true;
	case CONFIRM:
		if (is_waiting()) /* it asks once more: the registrar has the answer by then */
			return false;
		visit_read_cmp(&v);
		ck_assert_int_eq(v.cmp.type, BRSKI_CMP_PKICONF);
		ck_assert_int_eq(v.judged, BRSKI_OK);
		make_report(true);
		step = REPORT;
		return true;
	case REPORT:
	default:
		step = ENROLLED;
		return false;
	}
}

static const struct {
	const char *path, *type;
} asks[] = {
	[VOUCHER] = {PATH_VOUCHER, BRSKI_MEDIA_VOUCHER},
	[VOUCHER_STATUS] = {PATH_VOUCHER_STATUS, BRSKI_MEDIA_JSON},
	[ENROLL] = {PATH_INITIALIZATION, BRSKI_MEDIA_CMP},
	[POLL] = {PATH_INITIALIZATION, BRSKI_MEDIA_CMP},
	[CONFIRM] = {PATH_INITIALIZATION, BRSKI_MEDIA_CMP},
	[REPORT] = {PATH_ENROLL_STATUS, BRSKI_MEDIA_JSON},
};

static void visit_once(void)
{
	unsigned status;

	brski_registrar_session_free(v.session);
	v.session = NULL;
	if (brski_registrar_peer(site.registrar, site.device_chain, &err) != BRSKI_OK ||
		brski_registrar_session_new(site.registrar, site.device_chain, "", &v.session, &err) !=
			BRSKI_OK)
		return; /* an alert of our own trouble: it comes back */
	do {
		status = post(asks[step].path, asks[step].type);
		if (status == 0 || status == 202 || status == 503)
			return;
		ck_assert_msg(status == 200, "step %d: a wrong no: %u", (int)step, status);
	} while (go_on());
	ck_assert_int_eq(brski_registrar_session_enrolled(v.session), step == ENROLLED);
}

/* What waits is taken up, as by a server between two visits. */
static void background(void)
{
	for (size_t i = 0; i < site.n_rows; i++) {
		struct brski_job *job = NULL;

		if (site.rows[i].state != BRSKI_JOB_WAITING)
			continue;
		if (brski_job_load(site.registrar, brski_buf_span(&site.rows[i].blob), site.rows[i].revision,
			    &job, &err) == BRSKI_OK)
			drive(job);
		brski_job_free(job);
	}
}

/* The memory fails at call n, from which the server, or the device, goes on. True: it did. */
static bool onboard_with_failure(unsigned n, enum brski_code code, bool on, bool late, bool in_background)
{
	unsigned visits = 0;
	bool failed = false;

	site_forget(&site);
	site.fail_at = n;
	site.fail_code = code;
	site.fail_on = on;
	site.fail_late = late;
	step = VOUCHER;
	visit_make_voucher_request(&v);
	while (step != ENROLLED) {
		ck_assert_msg(++visits < 20, "call %u: it never gets there, at step %d", n, (int)step);
		visit_once();
		if (in_background)
			background();
		if (site.n_calls >= n && site.fail_at) {
			failed = true;
			site.fail_at = 0;
			site_restart(&site);
		}
		site.now += 61;
	}
	ck_assert_uint_eq(site.n_issued, 1);
	ck_assert_uint_eq(site.n_confirmed, 1);
	ck_assert_int_eq(site.permission.row.state, BRSKI_PERMISSION_REPORTED);
	return failed;
}

static void onboard_with_each_failure(enum brski_code code, bool on, bool late, bool in_background)
{
	unsigned n = 1;

	while (onboard_with_failure(n, code, on, late, in_background))
		n++;
	ck_assert_uint_gt(n, 20);
}

START_TEST(a_call_fails)
{
	onboard_with_each_failure(BRSKI_INTERNAL, false, false, false);
	onboard_with_each_failure(BRSKI_UNAVAILABLE, false, false, true);
	onboard_with_each_failure(BRSKI_NO_MEMORY, false, false, true);
	onboard_with_each_failure(BRSKI_MALFORMED, false, false, false);
}
END_TEST

START_TEST(a_call_fails_that_has_happened)
{
	onboard_with_each_failure(BRSKI_INTERNAL, false, true, false);
	onboard_with_each_failure(BRSKI_UNAVAILABLE, false, true, true);
}
END_TEST

START_TEST(the_process_is_killed)
{
	onboard_with_each_failure(BRSKI_INTERNAL, true, false, false);
	onboard_with_each_failure(BRSKI_INTERNAL, true, false, true);
	onboard_with_each_failure(BRSKI_INTERNAL, true, true, false);
	onboard_with_each_failure(BRSKI_INTERNAL, true, true, true);
}
END_TEST

static void onboard_while_the_pki_waits(bool on, bool late, bool in_background)
{
	unsigned n = 1;

	do {
		site.ca = CA_WAITS;
		site.ca_polls = 2;
	} while (onboard_with_failure(n++, BRSKI_INTERNAL, on, late, in_background));
	ck_assert_uint_gt(n, 30);
}

START_TEST(a_pki_that_waits)
{
	onboard_while_the_pki_waits(false, false, false);
	onboard_while_the_pki_waits(false, true, true);
}
END_TEST

START_TEST(a_pki_that_waits_and_a_process_that_is_killed)
{
	onboard_while_the_pki_waits(true, false, true);
	onboard_while_the_pki_waits(true, true, false);
}
END_TEST

/* The MASA is away at first, and the device comes back for its voucher. */
START_TEST(a_masa_that_was_away)
{
	for (unsigned n = 1;; n++) {
		bool failed;

		site_forget(&site);
		site.masa = MASA_DOWN;
		visit_make_voucher_request(&v);
		visit_again(&v);
		site.n_calls = 0;
		site.fail_at = n;
		site.fail_code = BRSKI_INTERNAL;
		ck_assert(is_later(post(PATH_VOUCHER, BRSKI_MEDIA_VOUCHER)));
		failed = site.n_calls >= n;
		site.fail_at = 0;
		site.masa = MASA_RIGHT;
		site.now += 61;
		background();
		visit_again(&v);
		ck_assert_uint_eq(post(PATH_VOUCHER, BRSKI_MEDIA_VOUCHER), 200);
		ck_assert_uint_eq(site.n_rows, 1);
		if (!failed)
			break;
	}
}
END_TEST

/* ---- Others change the memory meanwhile ---- */

static struct brski_job *twin;

static struct brski_job *load(const char *key)
{
	const struct site_row *row = site_row(&site, key);
	struct brski_job *job;

	EXPECT(BRSKI_OK,
		brski_job_load(site.registrar, brski_buf_span(&row->blob), row->revision, &job, &err));
	return job;
}

static void finish_twin(struct site *s)
{
	site_drive(s, twin);
	ck_assert_int_eq(brski_job_state(twin), BRSKI_JOB_DONE);
}

static void twin_hears_nothing(struct site *s)
{
	(void)s;
	EXPECT(BRSKI_OK, brski_job_answer(twin, NULL, "no route to host", &err));
	ck_assert_int_eq(brski_job_state(twin), BRSKI_JOB_WAITING);
}

static void remove_all(struct site *s)
{
	site_forget(s);
}

/* The answer to the first call of v.job, with something going on before it is put. */
static enum brski_code answer_with(void (*intrude)(struct site *))
{
	struct brski_http answer = {0};
	struct brski_call call;
	enum brski_code code;

	ck_assert(brski_job_call(v.job, &call) && site_upstream(&site, &call, &answer));
	site.intrude = intrude;
	site.intrude_at = site.n_calls + 1;
	code = brski_job_answer(v.job, &answer, NULL, &err);
	brski_http_free(&answer);
	return code;
}

/* What is stored is what counts: an import in the same moment, for instance. */
START_TEST(the_first_answer_counts)
{
	unsigned told;

	visit_ask_for_voucher(&v);
	twin = load(brski_job_key(v.job));
	ck_assert(answer_with(finish_twin) == BRSKI_OK);
	ck_assert_int_eq(brski_job_state(v.job), BRSKI_JOB_DONE);
	told = site_count_events(&site, "voucher", true);
	ck_assert_uint_eq(told, 1);
	ck_assert_uint_eq(site_row(&site, brski_job_key(v.job))->revision, 3);
	ck_assert_uint_eq(visit_finish(&v), 200);
	brski_job_free(twin);
}
END_TEST

START_TEST(an_answer_is_judged_on_what_is_there)
{
	visit_ask_for_voucher(&v);
	twin = load(brski_job_key(v.job));
	ck_assert(answer_with(twin_hears_nothing) == BRSKI_OK);
	ck_assert_uint_eq(site_count_events(&site, "voucher", true), 1);
	ck_assert_uint_eq(site_row(&site, brski_job_key(v.job))->revision, 3);
	/* and the other one takes over what got further, instead of its silence */
	twin_hears_nothing(&site);
	site_drive(&site, v.job);
	ck_assert_int_eq(brski_job_state(v.job), BRSKI_JOB_DONE);
	EXPECT(BRSKI_OK, brski_job_answer(twin, NULL, "no route to host", &err));
	ck_assert_int_eq(brski_job_state(twin), BRSKI_JOB_DONE);
	ck_assert_uint_eq(visit_finish(&v), 200);
	brski_job_free(twin);
}
END_TEST

/* Reading again fails: a stored answer is not overwritten for that. */
START_TEST(a_stored_answer_stays)
{
	visit_ask_for_voucher(&v);
	twin = load(brski_job_key(v.job));
	site.fail_code = BRSKI_UNAVAILABLE;
	site.fail_at = site.n_calls + 2 + 2; /* the twin's two puts come between */
	ck_assert(answer_with(finish_twin) == BRSKI_UNAVAILABLE);
	ck_assert_uint_ge(site.n_calls, site.fail_at);
	ck_assert_int_eq(brski_job_state(v.job), BRSKI_JOB_WAITING);
	ck_assert_int_eq(site_row(&site, brski_job_key(v.job))->state, BRSKI_JOB_DONE);
	ck_assert_uint_eq(visit_finish(&v), 200);
	brski_job_free(twin);
}
END_TEST

START_TEST(a_job_that_is_gone)
{
	visit_ask_for_voucher(&v);
	ck_assert(answer_with(remove_all) == BRSKI_NOT_FOUND);
	ck_assert_int_eq(brski_job_state(v.job), BRSKI_JOB_WAITING);
	ck_assert_uint_eq(visit_finish(&v), 202);
	visit_again(&v);
	ck_assert_uint_eq(visit_repeat(&v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER), 200);
}
END_TEST

static void same_request_elsewhere(struct site *s)
{
	struct visit other;

	visit_open(&other, s);
	EXPECT(BRSKI_OK, brski_buf_set(&other.request, brski_buf_span(&v.request)));
	ck_assert_uint_eq(visit_repeat(&other, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER), 200);
	visit_close(&other);
}

/* Two visits with the same octets, at every moment of the first one: one job, asked for once. */
static void two_visits(bool stale)
{
	unsigned n = 1, calls;
	bool between;

	do {
		site_forget(&site);
		visit_make_voucher_request(&v);
		site.masa = MASA_STATUS;
		site.masa_status = 404;
		visit_again(&v);
		if (stale) {
			ck_assert_uint_eq(visit_repeat(&v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER), 404);
			site.now += 31;
			visit_again(&v);
		}
		site.masa = MASA_RIGHT;
		calls = site.n_masa_calls;
		site.intrude = same_request_elsewhere;
		site.intrude_at = site.n_calls + n++;
		ck_assert_uint_eq(post(PATH_VOUCHER, BRSKI_MEDIA_VOUCHER), 200);
		between = !site.intrude;
		ck_assert_uint_eq(site.n_rows, 1);
		ck_assert_int_eq(site.rows[0].state, BRSKI_JOB_DONE);
		/* both are at it if the second comes while the first calls: then each asks, and one counts */
		ck_assert_uint_le(site.n_masa_calls, calls + 2);
	} while (between);
	ck_assert_uint_gt(n, 4);
}

START_TEST(two_visits_with_one_request)
{
	two_visits(false);
	two_visits(true);
}
END_TEST

/* A finished row that both find stale goes back to waiting once. */
START_TEST(a_finished_job_is_not_undone)
{
	visit_make_voucher_request(&v);
	site.masa = MASA_STATUS;
	site.masa_status = 404;
	ck_assert_uint_eq(visit_repeat(&v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER), 404);
	site.masa = MASA_RIGHT;
	site.now += 31;
	visit_again(&v);
	site.intrude = same_request_elsewhere;
	site.intrude_at = site.n_calls + 3; /* decided, found stale: before it is put back */
	ck_assert_uint_eq(
		visit_send(&v, "POST", PATH_VOUCHER, BRSKI_MEDIA_VOUCHER, brski_buf_span(&v.request)), 200);
	ck_assert_ptr_null(site.intrude);
	ck_assert_int_eq(site.rows[0].state, BRSKI_JOB_DONE);
	ck_assert_uint_eq(site.n_masa_calls, 2);
}
END_TEST

static void origin_changes(struct site *s)
{
	for (size_t i = 0; i < s->n_rows; i++) {
		if (s->rows[i].kind == BRSKI_JOB_CMP && s->rows[i].state == BRSKI_JOB_DONE)
			s->rows[i].revision++;
	}
}

/* At every call of a pollReq's answer somebody else touches the request that it polls for. */
START_TEST(a_polled_request_that_changes)
{
	for (unsigned n = 1;; n++) {
		struct brski_http answer = {0};
		struct brski_call call;
		bool between;

		site_forget(&site);
		site.ca = CA_WAITS;
		site.ca_polls = 0;
		visit_again(&v);
		ck_assert_uint_eq(visit_voucher(&v), 200);
		ck_assert_uint_eq(visit_enroll(&v), 200);
		make_poll();
		ck_assert_uint_eq(visit_send(&v, "POST", PATH_INITIALIZATION, BRSKI_MEDIA_CMP,
					  brski_buf_span(&v.request)),
			0);
		ck_assert(brski_job_call(v.job, &call) && site_upstream(&site, &call, &answer));
		site.intrude = origin_changes;
		site.intrude_at = site.n_calls + n;
		EXPECT(BRSKI_OK, brski_job_answer(v.job, &answer, NULL, &err));
		brski_http_free(&answer);
		between = !site.intrude;
		site.intrude = NULL;
		ck_assert_uint_eq(visit_finish(&v), 200);
		visit_read_cmp(&v);
		ck_assert_int_eq(v.cmp.status, BRSKI_CMP_ACCEPTED);
		make_poll(); /* it is with the first request, too */
		ck_assert_uint_eq(visit_cmp(&v, PATH_INITIALIZATION), 200);
		ck_assert_int_eq(v.cmp.status, BRSKI_CMP_ACCEPTED);
		if (!between) {
			ck_assert_uint_gt(n, 2);
			break;
		}
	}
}
END_TEST

/* Taken up, and to be refused, while somebody else brings its answer. */
START_TEST(a_refusal_that_comes_late)
{
	const struct site_row *row;
	struct brski_job *job;

	visit_ask_for_voucher(&v);
	row = site_row(&site, brski_job_key(v.job));
	twin = load(row->key);
	site.intrude = finish_twin;
	site.intrude_at = site.n_calls + 2;
	site.find_code = BRSKI_REVOKED;
	EXPECT(BRSKI_OK,
		brski_job_load(site.registrar, brski_buf_span(&row->blob), row->revision, &job, &err));
	ck_assert_int_eq(brski_job_state(job), BRSKI_JOB_DONE);
	ck_assert_int_eq(row->state, BRSKI_JOB_DONE);
	ck_assert_uint_eq(site_count_events(&site, "policy", false), 0);
	brski_job_free(job);
	brski_job_free(twin);
}
END_TEST

/* ---- The background ---- */

/* Neither the manufacturers nor the policy can be asked: it stays where it was. */
START_TEST(taken_up_while_the_memory_fails)
{
	const struct site_row *row;
	struct brski_job *job;
	unsigned calls;

	visit_ask_for_voucher(&v);
	row = site_row(&site, brski_job_key(v.job));
	calls = site.n_calls;
	for (unsigned n = 1; n <= 2; n++) {
		site.fail_at = site.n_calls + n;
		site.fail_code = BRSKI_NOT_FOUND; /* no answer that either of them has */
		ck_assert(brski_job_load(site.registrar, brski_buf_span(&row->blob), row->revision, &job,
				  &err) == BRSKI_INTERNAL);
		ck_assert_ptr_null(job);
		ck_assert_int_eq(row->state, BRSKI_JOB_WAITING);
	}
	ck_assert_uint_eq(site.n_calls, calls + 3);
}
END_TEST

/* Whether a voucher was fetched ahead cannot be known: the MASA's silence is not kept either. */
START_TEST(what_was_fetched_ahead_cannot_be_read)
{
	static const enum site_masa away[] = {MASA_DOWN, MASA_STATUS};

	for (size_t i = 0; i < sizeof(away) / sizeof(away[0]); i++) {
		struct brski_http answer = {0};
		struct brski_call call;
		bool up;

		visit_again(&v);
		visit_ask_for_voucher(&v);
		site.masa = away[i];
		site.masa_status = 503;
		ck_assert(brski_job_call(v.job, &call));
		up = site_upstream(&site, &call, &answer);
		site.fail_at = site.n_calls + 1;
		site.fail_code = BRSKI_UNAVAILABLE;
		ck_assert(brski_job_answer(v.job, up ? &answer : NULL, "connection refused", &err) ==
			  BRSKI_UNAVAILABLE);
		ck_assert_ptr_nonnull(strstr(err.why, "memory fails"));
		ck_assert_int_eq(brski_job_state(v.job), BRSKI_JOB_WAITING);
		ck_assert_uint_eq(site_count_events(&site, "voucher", false), 0);
		ck_assert_uint_eq(site_row(&site, brski_job_key(v.job))->revision, 1);
		brski_http_free(&answer);
	}
}
END_TEST

/* ---- Besides ---- */

START_TEST(the_policy_gets_the_visit)
{
	struct brski_job *job;
	int door;

	brski_registrar_session_visit(v.session, &door);
	visit_ask_for_voucher(&v);
	ck_assert_ptr_eq(site.visit, &door);
	job = load(brski_job_key(v.job));
	ck_assert_ptr_null(site.visit); /* nobody is there */
	brski_job_free(job);
	brski_registrar_session_visit(v.session, NULL);
	ck_assert_uint_eq(visit_repeat(&v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER), 200);
	ck_assert_ptr_null(site.visit);
}
END_TEST

static bool no_digest;

/* In place of OpenSSL's. */
EVP_MD_CTX *EVP_MD_CTX_new(void)
{
	static EVP_MD_CTX *(*real)(void);

	if (no_digest)
		return NULL;
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "EVP_MD_CTX_new");
	return real();
}

/* It has no key either, and not one that others without a digest have too. */
START_TEST(a_request_without_a_digest)
{
	const struct brski_device *device = brski_registrar_session_device(v.session);
	char key[BRSKI_FINGERPRINT_MAX];

	EXPECT(BRSKI_OK, brski_job_key_of(device, brski_span_str("request"), key, &err));
	ck_assert_uint_eq(strlen(key), 64);
	no_digest = true;
	EXPECT(BRSKI_INTERNAL, brski_job_key_of(device, brski_span_str("request"), key, &err));
	no_digest = false;
	ck_assert_str_eq(key, "");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {each_request_of_an_onboarding, each_poll, each_other_request,
		no_second_certificate_for_a_transaction, a_call_fails, a_call_fails_that_has_happened,
		the_process_is_killed, a_pki_that_waits, a_pki_that_waits_and_a_process_that_is_killed,
		a_masa_that_was_away, the_first_answer_counts, an_answer_is_judged_on_what_is_there,
		a_stored_answer_stays, a_job_that_is_gone, two_visits_with_one_request,
		a_finished_job_is_not_undone, a_polled_request_that_changes, a_refusal_that_comes_late,
		taken_up_while_the_memory_fails, what_was_fetched_ahead_cannot_be_read,
		the_policy_gets_the_visit, a_request_without_a_digest};

	return run_tests("registrar_memory", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
