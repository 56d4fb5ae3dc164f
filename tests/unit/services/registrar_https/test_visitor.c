/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "eap_brski/artifacts/paths.h"
#include "services/registrar/store.h"
#include "services/registrar_https/visitor.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/visit.h"

/* One connection to the registrar role, without a connection. */

static struct site site;
static struct brski_store *store; /* that knows of no rules */
static struct rules *rules;
static struct visitor_place place;
static struct visitor *visitor;
static struct visit device; /* that makes the requests */
static struct brski_http response;
static struct brski_job *job;
static char note[VISITOR_NOTE_MAX];
static struct brski_error err;

static void connect_from(const char *address)
{
	visitor_free(visitor);
	EXPECT(BRSKI_OK, visitor_new(&place, address, &visitor, &err));
}

static void connect_anew(void)
{
	connect_from("192.0.2.7");
}

static void set_up(void)
{
	struct rules_config no_rules = {.server = "none"};

	EXPECT(BRSKI_OK, brski_store_open(":memory:", true, &store, &err));
	no_rules.store = store;
	site_open(&site, "P-256");
	EXPECT(BRSKI_OK, rules_new(&no_rules, &rules, &err));
	place = (struct visitor_place){
		.registrar = site.registrar, .rules = rules, .est = true, .retry_after = 60};
	visitor = NULL;
	connect_anew();
	visit_open(&device, &site);
}

static void tear_down(void)
{
	visit_close(&device);
	visitor_free(visitor);
	rules_free(rules);
	brski_store_close(store);
	brski_job_free(job);
	job = NULL;
	brski_http_free(&response);
	site_close(&site);
}

/* The status; 0: there is a job. */
static unsigned ask(const STACK_OF(X509) *chain, const char *method, const char *path, const char *type,
	struct brski_span body)
{
	struct brski_http request = {0};

	brski_job_free(job);
	EXPECT(BRSKI_OK, brski_http_request(&request, method, path, type, body, &err));
	EXPECT(BRSKI_OK, visitor_request(visitor, chain, &request, &response, &job, &err));
	brski_http_free(&request);
	if (job)
		return 0;
	visitor_describe(visitor, &response, note);
	return response.status;
}

static unsigned ask_voucher(const STACK_OF(X509) *chain)
{
	return ask(chain, "POST", BRSKI_PATH_REQUESTVOUCHER, BRSKI_MEDIA_VOUCHER,
		brski_buf_span(&device.request));
}

static unsigned leave(void)
{
	EXPECT(BRSKI_OK, visitor_leave_job(visitor, job, &response, &err));
	visitor_describe(visitor, &response, note);
	return response.status;
}

static bool said(const char *words)
{
	return memmem(response.body.data, response.body.len, words, strlen(words)) != NULL;
}

START_TEST(whoever_shows_no_certificate_gets_what_is_for_everybody)
{
	ck_assert_uint_eq(ask(NULL, "GET", BRSKI_PATH_BRSKI, NULL, (struct brski_span){0}), 200);
	ck_assert(!visitor_has_session(visitor));
	visit_make_voucher_request(&device);
	ck_assert_uint_eq(ask_voucher(NULL), 403);
	ck_assert(said("a client certificate is needed"));
	ck_assert_ptr_nonnull(strstr(note, "no certificate"));
	ck_assert_uint_eq(ask(NULL, "GET", "/elsewhere", NULL, (struct brski_span){0}), 404);
	ck_assert_uint_eq(site.n_events, 0);
}
END_TEST

START_TEST(a_stranger_is_turned_away_and_told_no_more_than_that)
{
	site.unknown_manufacturer = true;
	visit_make_voucher_request(&device);
	ck_assert_uint_eq(ask(site.device_chain, "GET", BRSKI_PATH_BRSKI, NULL, (struct brski_span){0}), 200);
	ck_assert_uint_eq(site.n_events, 0);
	ck_assert_uint_eq(ask_voucher(site.device_chain), 403);
	ck_assert(said("will not do here: untrusted"));
	ck_assert(site_has_event(&site, "peer", false, ""));
	/* which history is told once for a connection */
	ck_assert_uint_eq(ask_voucher(site.device_chain), 403);
	ck_assert_uint_eq(site_count_events(&site, "peer", false), 1);
	/* until it is known */
	site.unknown_manufacturer = false;
	ck_assert_uint_eq(ask_voucher(site.device_chain), 0);
	ck_assert(visitor_has_session(visitor));
}
END_TEST

/* RFC 8995 5.9.4 has devices report with their new certificate: they are told what will do. */
START_TEST(an_ldevid_is_told_what_will_do)
{
	struct brski_credential ldevid = pki_leaf(SITE_SUBJECT, "P-256", &site.domain_ca);
	STACK_OF(X509) *chain = pki_certs(&ldevid, NULL);

	ck_assert_uint_eq(ask(chain, "POST", BRSKI_PATH_ENROLLSTATUS, BRSKI_MEDIA_JSON,
				  brski_span_str("{\"version\":1,\"status\":true}")),
		403);
	ck_assert(said("and report it, with the IDevID"));
	ck_assert_uint_eq(ask(chain, "GET", BRSKI_PATH_BRSKI, NULL, (struct brski_span){0}), 200);
	pki_free_certs(chain);
	pki_free(&ldevid);
}
END_TEST

/* Whatever he does: of each address once a minute, and of all of them a bounded number. */
START_TEST(a_stranger_does_not_fill_log_and_history)
{
	char address[32];

	site.unknown_manufacturer = true;
	visit_make_voucher_request(&device);
	for (int i = 0; i < 3; i++) {
		connect_anew();
		ck_assert_uint_eq(ask_voucher(site.device_chain), 403);
	}
	ck_assert_uint_eq(site_count_events(&site, "peer", false), 1);
	for (int i = 0; i < 300; i++) {
		snprintf(address, sizeof(address), "2001:db8::%x", i);
		connect_from(address);
		ck_assert_uint_eq(ask_voucher(site.device_chain), 403);
	}
	ck_assert_uint_le(site_count_events(&site, "peer", false), VISITOR_TOLD);
	ck_assert_uint_gt(site_count_events(&site, "peer", false), VISITOR_TOLD / 2);
}
END_TEST

START_TEST(trouble_of_our_own_is_no_word_on_the_device)
{
	visit_make_voucher_request(&device);
	site.find_code = BRSKI_UNAVAILABLE;
	ck_assert_uint_eq(ask_voucher(site.device_chain), 503);
	ck_assert_str_eq(brski_http_get(&response, "retry-after"), "60");
	ck_assert(said("come back later"));
	site.find_code = BRSKI_OK;
	ck_assert_uint_eq(ask_voucher(site.device_chain), 0);
}
END_TEST

START_TEST(a_device_gets_its_voucher)
{
	visit_make_voucher_request(&device);
	ck_assert_uint_eq(ask_voucher(site.device_chain), 0);
	site_drive(&site, job);
	ck_assert_uint_eq(leave(), 200);
	ck_assert_str_eq(note, "device " SITE_SERIAL " of acme");
	ck_assert_ptr_nonnull(strstr(site.log, "at https 192.0.2.7"));
}
END_TEST

START_TEST(who_was_told_to_come_back_may_on_the_same_connection)
{
	site.masa = MASA_DOWN;
	visit_make_voucher_request(&device);
	ck_assert_uint_eq(ask_voucher(site.device_chain), 0);
	ck_assert_uint_eq(leave(), 202);
	ck_assert_ptr_nonnull(brski_http_get(&response, "retry-after"));
	/* the session has ended, the connection has not */
	site.masa = MASA_RIGHT;
	ck_assert_uint_eq(ask_voucher(site.device_chain), 0);
	site_drive(&site, job);
	ck_assert_uint_eq(leave(), 200);
}
END_TEST

START_TEST(who_was_refused_stays_so_for_the_connection)
{
	site.decision = BRSKI_REFUSE;
	site.decision_why = "not wanted";
	visit_make_voucher_request(&device);
	ck_assert_uint_eq(ask_voucher(site.device_chain), 403);
	ck_assert_str_eq(note, "device " SITE_SERIAL " of acme: not wanted");
	site.decision = BRSKI_ACCEPT;
	ck_assert_uint_eq(ask_voucher(site.device_chain), 403);
	ck_assert(said("refused before"));
	connect_anew();
	ck_assert_uint_eq(ask_voucher(site.device_chain), 0);
}
END_TEST

/* The rules are asked by what the visit brings, and it is gone behind each message. */
START_TEST(the_policy_gets_the_visits_judge)
{
	visit_make_voucher_request(&device);
	ck_assert_uint_eq(ask_voucher(site.device_chain), 0);
	ck_assert_ptr_nonnull(site.visit);
	site_drive(&site, job);
	site.visit = NULL;
	ck_assert_uint_eq(leave(), 200);
	ck_assert_ptr_nonnull(site.visit);
}
END_TEST

/* EST is this door's to have or not. */
START_TEST(est_is_served_if_it_is_to_be)
{
	ck_assert_uint_eq(ask(NULL, "GET", BRSKI_PATH_EST_CACERTS, NULL, (struct brski_span){0}), 200);
	ck_assert_uint_eq(
		ask(site.device_chain, "GET", BRSKI_PATH_EST_CACERTS, NULL, (struct brski_span){0}), 200);
	place.est = false;
	connect_anew();
	ck_assert_uint_eq(ask(NULL, "GET", BRSKI_PATH_EST_CACERTS, NULL, (struct brski_span){0}), 404);
	ck_assert_uint_eq(
		ask(site.device_chain, "GET", BRSKI_PATH_EST_CACERTS, NULL, (struct brski_span){0}), 404);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		whoever_shows_no_certificate_gets_what_is_for_everybody,
		a_stranger_is_turned_away_and_told_no_more_than_that,
		an_ldevid_is_told_what_will_do,
		a_stranger_does_not_fill_log_and_history,
		trouble_of_our_own_is_no_word_on_the_device,
		a_device_gets_its_voucher,
		who_was_told_to_come_back_may_on_the_same_connection,
		who_was_refused_stays_so_for_the_connection,
		the_policy_gets_the_visits_judge,
		est_is_served_if_it_is_to_be,
	};

	return run_tests("visitor", set_up, tear_down, tests, sizeof(tests) / sizeof(tests[0]));
}
