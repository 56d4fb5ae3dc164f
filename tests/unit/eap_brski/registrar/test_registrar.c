/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <jansson.h>

#include "eap_brski/pki/cms.h"
#include "eap_brski/transport/http_binary.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/mutate.h"
#include "tests/unit/support/visit.h"

/* Peers, endpoints, the order of things, and limits. Vouchers and certificates have tests of their own. */

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

START_TEST(whole_onboarding)
{
	ck_assert_uint_eq(visit_voucher(&v), 200);
	ck_assert(brski_http_is_type(&v.response, BRSKI_MEDIA_VOUCHER));
	ck_assert_uint_eq(visit_status(&v, PATH_VOUCHER_STATUS, true), 200);
	ck_assert_uint_eq(visit_enroll(&v), 200);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_IP);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_ACCEPTED);
	ck_assert(brski_cert_has_key(v.cmp.cert, v.key));
	ck_assert_uint_eq(visit_confirm(&v), 200);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_PKICONF);
	ck_assert(!brski_registrar_session_enrolled(v.session));
	ck_assert_uint_eq(visit_status(&v, PATH_ENROLL_STATUS, true), 200);
	ck_assert(brski_registrar_session_enrolled(v.session));
	ck_assert(!brski_registrar_session_over(v.session));
	ck_assert_str_eq(brski_registrar_session_reason(v.session), "");
	/* the decision is told once, whatever the number of requests */
	ck_assert_uint_eq(site_count_events(&site, "policy", true), 1);
	ck_assert(site_has_event(&site, "enroll-status", true, "onboarded"));
}
END_TEST

START_TEST(device_is_what_the_certificate_says)
{
	const struct brski_device *d = brski_registrar_session_device(v.session);

	ck_assert_str_eq(d->serial_number, SITE_SERIAL);
	ck_assert_str_eq(d->manufacturer, "acme");
	ck_assert_str_eq(d->masa_url, "https://masa.acme.example");
	ck_assert_uint_eq(strlen(d->fingerprint), 64);
}
END_TEST

START_TEST(discovery)
{
	json_t *json, *paths;

	ck_assert_uint_eq(visit_send(&v, "GET", PATH_BRSKI, NULL, brski_span(NULL, 0)), 200);
	ck_assert(brski_http_is_type(&v.response, "application/json"));
	json = json_loadb((const char *)v.response.body.data, v.response.body.len, 0, NULL);
	ck_assert_ptr_nonnull(json);
	paths = json_object_get(json, "endpoints");
	ck_assert_uint_eq(json_array_size(paths), 11);
	ck_assert_str_eq(json_string_value(json_array_get(paths, 1)), PATH_VOUCHER);
	json_decref(json);
}
END_TEST

static const struct {
	const char *method, *path, *type, *produces;
	size_t max;
} endpoints[] = {
	{"GET", PATH_BRSKI, NULL, "application/json", 0},
	{"POST", PATH_VOUCHER, BRSKI_MEDIA_VOUCHER, BRSKI_MEDIA_VOUCHER, BRSKI_CMS_MAX},
	{"POST", PATH_VOUCHER_STATUS, BRSKI_MEDIA_JSON, NULL, 4096},
	{"POST", PATH_ENROLL_STATUS, BRSKI_MEDIA_JSON, NULL, 4096},
	{"POST", PATH_INITIALIZATION, BRSKI_MEDIA_CMP, BRSKI_MEDIA_CMP, BRSKI_CMP_MAX},
	{"POST", PATH_PKCS10, BRSKI_MEDIA_CMP, BRSKI_MEDIA_CMP, BRSKI_CMP_MAX},
	{"POST", PATH_CA_CERTS, BRSKI_MEDIA_CMP, BRSKI_MEDIA_CMP, BRSKI_CMP_MAX},
	{"POST", PATH_TEMPLATE, BRSKI_MEDIA_CMP, BRSKI_MEDIA_CMP, BRSKI_CMP_MAX},
};
#define N_ENDPOINTS ((int)(sizeof(endpoints) / sizeof(endpoints[0])))

static unsigned send_with(int i, const char *field, const char *value, struct brski_span body)
{
	struct brski_http request = {0};
	struct brski_error err = {0};
	unsigned status;

	EXPECT(BRSKI_OK, brski_http_request(&request, endpoints[i].method, endpoints[i].path,
				 endpoints[i].type, body, &err));
	EXPECT(BRSKI_OK, brski_http_set(&request, field, value, &err));
	brski_http_free(&v.response);
	EXPECT(BRSKI_OK, brski_registrar_request(v.session, &request, &v.response, &v.job, &err));
	ck_assert_ptr_null(v.job);
	status = v.response.status;
	brski_http_free(&request);
	return status;
}

START_TEST(misfits)
{
	static uint8_t big[BRSKI_CMS_MAX + 1];
	struct brski_span some = brski_span_str("x");

	for (int i = 0; i < N_ENDPOINTS; i++) {
		const char *other = strcmp(endpoints[i].method, "GET") == 0 ? "POST" : "GET";
		const char *path = endpoints[i].path;

		visit_again(&v); /* for the limit on requests */
		ck_assert_uint_eq(visit_send(&v, other, path, "text/plain", some), 405);
		ck_assert_str_eq(brski_http_get(&v.response, "allow"), endpoints[i].method);
		ck_assert_uint_eq(visit_send(&v, "DELETE", path, NULL, brski_span(NULL, 0)), 405);
		ck_assert_uint_eq(visit_send(&v, endpoints[i].method, path,
					  endpoints[i].type ? endpoints[i].type : "text/plain",
					  brski_span(big, endpoints[i].max + 1)),
			413);
		if (endpoints[i].type) {
			ck_assert_uint_eq(visit_send(&v, "POST", path, "text/plain", some), 415);
			ck_assert_uint_eq(visit_send(&v, "POST", path, NULL, brski_span(NULL, 0)), 415);
			ck_assert_uint_eq(send_with(i, "content-encoding", "gzip", some), 415);
			ck_assert_str_eq(brski_http_get(&v.response, "accept-encoding"), "identity");
			ck_assert_uint_eq(visit_send(&v, "POST", path, endpoints[i].type, some), 400);
			visit_again(&v);
			ck_assert_uint_eq(
				visit_send(&v, "POST", path, endpoints[i].type, brski_span(NULL, 0)), 400);
			ck_assert(brski_http_is_type(&v.response, "text/plain"));
		}
		visit_again(&v);
		if (endpoints[i].produces) {
			ck_assert_uint_eq(
				send_with(i, "accept", "text/html, image/*", brski_span(big, 0)), 406);
			ck_assert_uint_eq(send_with(i, "accept", "*/*;q=0.0", brski_span(big, 0)), 406);
			ck_assert_uint_ne(
				send_with(i, "accept", "text/html, */* ; q=0.1", brski_span(big, 0)), 406);
			ck_assert_uint_ne(send_with(i, "accept", "application/*", brski_span(big, 0)), 406);
			ck_assert_uint_ne(
				send_with(i, "accept", endpoints[i].produces, brski_span(big, 0)), 406);
		}
	}
	ck_assert_uint_eq(site.n_rows, 0);
}
END_TEST

START_TEST(unknown_paths)
{
	static const char *const paths[] = {"/", "/.well-known/brski/", "/.well-known/brski/requestauditlog",
		"/.well-known/est/simpleenroll", "/.well-known/brski/requestvoucher?x"};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		ck_assert_uint_eq(visit_send(&v, "GET", paths[i], NULL, brski_span(NULL, 0)), 404);
}
END_TEST

START_TEST(responses_are_no_requests)
{
	struct brski_http request = {0};
	struct brski_error err;

	EXPECT(BRSKI_OK, brski_http_response(&request, 200, NULL, brski_span(NULL, 0), &err));
	EXPECT(BRSKI_OK, brski_registrar_request(v.session, &request, &v.response, &v.job, &err));
	ck_assert_uint_eq(v.response.status, 400);
	brski_http_free(&request);
}
END_TEST

/* ---- who may connect ---- */

static enum brski_code peer(const struct brski_credential *cred, struct brski_error *err)
{
	STACK_OF(X509) *chain = pki_certs(cred, NULL);
	enum brski_code code = brski_registrar_peer(site.registrar, chain, err);
	struct brski_registrar_session *session = NULL;

	if (code != BRSKI_OK) { /* and a transport that did not ask is not believed */
		ck_assert_int_ne(
			brski_registrar_session_new(site.registrar, chain, "", &session, NULL), BRSKI_OK);
		ck_assert_ptr_null(session);
	}
	pki_free_certs(chain);
	return code;
}

START_TEST(peers)
{
	struct pki_spec nameless = {.subject = "CN=Gadget,O=Acme"};
	struct pki_spec old = {
		.subject = SITE_SUBJECT, .not_before = site.now - 9999, .not_after = site.now - 99};
	struct brski_credential foreign = pki_leaf("CN=X,serialNumber=1", "P-256", &site.foreign);
	struct brski_credential ldevid = pki_leaf(SITE_SUBJECT, "P-256", &site.domain_ca);
	struct brski_credential unnamed = pki_make(&nameless, &site.maker_ca);
	struct brski_credential expired = pki_make(&old, &site.maker_ca);
	struct brski_error err;

	EXPECT(BRSKI_OK, peer(&site.idevid, &err));
	ck_assert_uint_eq(site_count_events(&site, "peer", false), 0);
	EXPECT_WHY(BRSKI_UNTRUSTED, "", peer(&foreign, &err));
	EXPECT_WHY(BRSKI_REFUSED, "own domain", peer(&ldevid, &err));
	EXPECT_WHY(BRSKI_REFUSED, "no serial number", peer(&unnamed, &err));
	ck_assert_ptr_nonnull(strstr(err.why, "neither a serialNumber in its subject nor"));
	EXPECT_WHY(BRSKI_EXPIRED, "", peer(&expired, &err));
	ck_assert_uint_eq(site_count_events(&site, "peer", false), 4);
	site.find_code = BRSKI_REVOKED;
	EXPECT(BRSKI_REVOKED, peer(&site.idevid, &err));
	EXPECT(BRSKI_UNTRUSTED, brski_registrar_peer(site.registrar, NULL, &err));
	pki_free(&foreign);
	pki_free(&ldevid);
	pki_free(&unnamed);
	pki_free(&expired);
}
END_TEST

/* ---- policy ---- */

START_TEST(policy_refuses)
{
	site.decision = BRSKI_REFUSE;
	site.decision_why = "device SN-0001 of acme is not in the inventory";
	ck_assert_uint_eq(visit_voucher(&v), 403);
	ck_assert(!visit_said(&v, "inventory")); /* that is for the operator */
	ck_assert(visit_reason(&v, "not in the inventory"));
	ck_assert(brski_registrar_session_over(v.session));
	ck_assert_uint_eq(site.n_masa_calls, 0);
	ck_assert_uint_eq(site.n_rows, 0);
	ck_assert(site_has_event(&site, "policy", false, "not in the inventory"));
	/* nothing more is served, but the pledge may still tell what it thinks of it */
	site.decision = BRSKI_ACCEPT;
	ck_assert_uint_eq(visit_voucher(&v), 403);
	ck_assert_uint_eq(visit_enroll(&v), 403);
	ck_assert_uint_eq(visit_status(&v, PATH_ENROLL_STATUS, true), 403);
	ck_assert_uint_eq(visit_status(&v, PATH_ENROLL_STATUS, false), 200);
	ck_assert(visit_reason(&v, "not in the inventory"));
	ck_assert(!brski_registrar_session_enrolled(v.session));
}
END_TEST

START_TEST(policy_defers)
{
	site.decision = BRSKI_DEFER;
	site.decision_why = "waits for the operator";
	ck_assert_uint_eq(visit_voucher(&v), 202);
	ck_assert_str_eq(brski_http_get(&v.response, "retry-after"), "42");
	ck_assert(brski_registrar_session_over(v.session));
	ck_assert(brski_registrar_session_deferred(v.session));
	ck_assert(visit_reason(&v, "waits for the operator"));
	ck_assert(site_has_event(&site, "policy", true, "waits for the operator"));
	ck_assert_uint_eq(site.n_rows, 0);
	ck_assert_uint_eq(visit_enroll(&v), 503);
	/* accepted meanwhile */
	visit_again(&v);
	site.decision = BRSKI_ACCEPT;
	site.decision_why = "accepted by the operator";
	ck_assert_uint_eq(visit_voucher(&v), 200);
	/* and struck off again, before the certificate */
	site.decision = BRSKI_DEFER;
	ck_assert_uint_eq(visit_enroll(&v), 503);
	ck_assert_str_eq(brski_http_get(&v.response, "retry-after"), "42");
	ck_assert_uint_eq(site.n_ca_calls, 0);
	visit_again(&v);
	site.decision = BRSKI_REFUSE;
	ck_assert_uint_eq(visit_enroll(&v), 200);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_IP);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_REJECTION);
	ck_assert_int_eq(v.cmp.fail, BRSKI_CMP_NOT_AUTHORIZED);
	ck_assert(!brski_registrar_session_deferred(v.session));
	ck_assert_uint_eq(site.n_ca_calls, 0);
}
END_TEST

/* ---- the order of RFC 8995 ---- */

START_TEST(no_certificate_without_voucher)
{
	ck_assert_uint_eq(visit_enroll(&v), 200);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_ERROR);
	ck_assert_int_eq(v.cmp.fail, BRSKI_CMP_NOT_AUTHORIZED);
	ck_assert(brski_registrar_session_over(v.session));
	ck_assert(visit_reason(&v, "no voucher"));
	ck_assert_uint_eq(site.n_ca_calls, 0);
}
END_TEST

START_TEST(voucher_of_an_earlier_visit_counts)
{
	ck_assert_uint_eq(visit_voucher(&v), 200);
	site_restart(&site);
	visit_again(&v);
	ck_assert_uint_eq(visit_enroll(&v), 200);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_ACCEPTED);
}
END_TEST

START_TEST(refused_voucher_ends_everything)
{
	ck_assert_uint_eq(visit_voucher(&v), 200);
	ck_assert_uint_eq(visit_status(&v, PATH_VOUCHER_STATUS, false), 200);
	ck_assert(brski_registrar_session_over(v.session));
	ck_assert(visit_reason(&v, "it is not for me"));
	ck_assert(site_has_event(&site, "voucher-status", false, "it is not for me"));
	ck_assert_uint_eq(visit_enroll(&v), 403);
	ck_assert_uint_eq(visit_status(&v, PATH_ENROLL_STATUS, true), 403);
	/* nor in another visit, until there is another voucher */
	visit_again(&v);
	ck_assert_uint_eq(visit_enroll(&v), 200);
	ck_assert_int_eq(v.cmp.fail, BRSKI_CMP_NOT_AUTHORIZED);
	visit_again(&v);
	ck_assert_uint_eq(visit_voucher(&v), 200);
	ck_assert_uint_eq(visit_enroll(&v), 200);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_ACCEPTED);
	ck_assert_uint_eq(site.n_issued, 1);
}
END_TEST

/* Whoever was given nothing leaves nothing behind. */
START_TEST(report_on_no_voucher_is_not_kept)
{
	site.decision = BRSKI_REFUSE;
	ck_assert_uint_eq(visit_status(&v, PATH_VOUCHER_STATUS, false), 200);
	ck_assert(site_has_event(&site, "voucher-status", false, "it is not for me"));
	ck_assert_uint_eq(site.n_rows, 0);
}
END_TEST

START_TEST(success_needs_a_certificate)
{
	ck_assert_uint_eq(visit_voucher(&v), 200);
	ck_assert_uint_eq(visit_status(&v, PATH_ENROLL_STATUS, true), 403);
	ck_assert(!brski_registrar_session_enrolled(v.session));
	/* one that was not confirmed is none */
	visit_again(&v);
	ck_assert_uint_eq(visit_enroll(&v), 200);
	ck_assert_uint_eq(visit_status(&v, PATH_ENROLL_STATUS, true), 403);
	visit_again(&v);
	ck_assert_uint_eq(visit_confirm(&v), 200);
	/* the report may come a visit later */
	site_restart(&site);
	visit_again(&v);
	ck_assert_uint_eq(visit_status(&v, PATH_ENROLL_STATUS, true), 200);
	ck_assert(brski_registrar_session_enrolled(v.session));
	/* but not when the device was struck off meanwhile */
	visit_again(&v);
	site.decision = BRSKI_REFUSE;
	ck_assert_uint_eq(visit_status(&v, PATH_ENROLL_STATUS, true), 403);
	ck_assert(!brski_registrar_session_enrolled(v.session));
}
END_TEST

START_TEST(implicit_confirmation_grants)
{
	site.ca_implicit = true;
	ck_assert_uint_eq(visit_voucher(&v), 200);
	ck_assert_uint_eq(visit_enroll(&v), 200);
	ck_assert(v.cmp.implicit_confirm);
	ck_assert_uint_eq(visit_status(&v, PATH_ENROLL_STATUS, true), 200);
	ck_assert(brski_registrar_session_enrolled(v.session));
}
END_TEST

START_TEST(failure_reported)
{
	ck_assert_uint_eq(visit_voucher(&v), 200);
	ck_assert_uint_eq(visit_enroll(&v), 200);
	ck_assert_uint_eq(visit_confirm(&v), 200);
	ck_assert_uint_eq(visit_status(&v, PATH_ENROLL_STATUS, true), 200);
	ck_assert_uint_eq(visit_status(&v, PATH_ENROLL_STATUS, false), 200);
	ck_assert(!brski_registrar_session_enrolled(v.session));
	ck_assert(brski_registrar_session_over(v.session));
}
END_TEST

START_TEST(reports_that_cannot_be_read)
{
	static const char *const texts[] = {"", "{}", "[]", "{\"version\":1}",
		"{\"version\":2,\"status\":true}", "{\"version\":1,\"status\":\"true\"}",
		"{\"version\":1,\"status\":true,\"status\":false}"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		ck_assert_uint_eq(
			visit_post(&v, PATH_VOUCHER_STATUS, BRSKI_MEDIA_JSON, brski_span_str(texts[i])), 400);
		ck_assert_uint_eq(
			visit_post(&v, PATH_ENROLL_STATUS, BRSKI_MEDIA_JSON, brski_span_str(texts[i])), 400);
	}
	ck_assert(!brski_registrar_session_enrolled(v.session));
}
END_TEST

/* ---- limits, and our own trouble ---- */

START_TEST(too_many_requests)
{
	for (int i = 0; i < 32; i++)
		ck_assert_uint_eq(visit_send(&v, "GET", PATH_BRSKI, NULL, brski_span(NULL, 0)), 200);
	ck_assert_uint_eq(visit_send(&v, "GET", PATH_BRSKI, NULL, brski_span(NULL, 0)), 429);
	ck_assert(brski_registrar_session_over(v.session));
}
END_TEST

static void try_damaged(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	struct brski_http request = {0};
	bool complete = false;

	(void)ctx;
	site.n_events = 0;
	if (brski_http_decode(&damaged, 65535, &request, &complete, NULL) == BRSKI_OK && complete) {
		ck_assert_str_ne(how->kind, "cut");
		visit_again(&v);
		ck_assert_int_eq(
			brski_registrar_request(v.session, &request, &v.response, &v.job, NULL), BRSKI_OK);
		ck_assert_ptr_null(v.job);
		ck_assert_uint_ne(v.response.status, 0);
		ck_assert(!brski_registrar_session_enrolled(v.session));
	}
	brski_http_free(&request);
}

/* Whole HTTP messages, as they come out of the tunnel. */
START_TEST(damaged_messages)
{
	static const char *const paths[] = {PATH_VOUCHER_STATUS, PATH_ENROLL_STATUS, PATH_INITIALIZATION};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct brski_http request = {0};
		struct brski_buf golden = {0};
		struct brski_error err;

		EXPECT(BRSKI_OK, brski_http_request(&request, "POST", paths[i], BRSKI_MEDIA_JSON,
					 brski_span_str("{\"version\":1,\"status\":true}"), &err));
		EXPECT(BRSKI_OK, brski_http_set(&request, "accept", "application/json", &err));
		EXPECT(BRSKI_OK, brski_http_encode(&request, &golden, &err));
		mutate_all(brski_buf_span(&golden), try_damaged, NULL);
		brski_http_free(&request);
		brski_buf_free(&golden);
	}
}
END_TEST

START_TEST(full_store_means_later)
{
	site.put_code = BRSKI_TOO_LARGE;
	ck_assert_uint_eq(visit_voucher(&v), 503);
	ck_assert_str_eq(brski_http_get(&v.response, "retry-after"), "30");
	ck_assert(brski_registrar_session_over(v.session));
	site.put_code = BRSKI_OK;
	visit_again(&v);
	ck_assert_uint_eq(visit_voucher(&v), 200);
	site.put_code = BRSKI_TOO_LARGE;
	ck_assert_uint_eq(visit_enroll(&v), 503);
	ck_assert_uint_eq(site.n_ca_calls, 0);
}
END_TEST

/* Asked before anything is done: nothing is signed or noted for who has had his share, and no one called. */
START_TEST(no_room_means_later_and_costs_nothing)
{
	size_t notes;

	ck_assert_uint_eq(visit_voucher(&v), 200);
	notes = site.n_notes;
	site.room_code = BRSKI_TOO_LARGE;
	site.room_seconds = 77;
	ck_assert_uint_eq(visit_enroll(&v), 503);
	ck_assert_str_eq(brski_http_get(&v.response, "retry-after"), "77");
	ck_assert(brski_registrar_session_deferred(v.session));
	ck_assert(site_has_event(&site, "cert-request", false, "the store says"));
	ck_assert(site.n_notes == notes && site.n_ca_calls == 0 && site.n_rows == 1);
	site.room_seconds = 0;
	visit_again(&v);
	ck_assert_uint_eq(visit_cmp(&v, PATH_INITIALIZATION), 503);
	ck_assert_str_eq(brski_http_get(&v.response, "retry-after"), "30");
	site.room_code = BRSKI_UNAVAILABLE;
	visit_again(&v);
	ck_assert_uint_eq(visit_cmp(&v, PATH_INITIALIZATION), 503);
	ck_assert(visit_reason(&v, "the registrar's memory fails"));
	site.room_code = BRSKI_OK;
	visit_again(&v);
	ck_assert_uint_eq(visit_cmp(&v, PATH_INITIALIZATION), 200);
	site.room_code = BRSKI_TOO_LARGE; /* what is there is delivered */
	visit_again(&v);
	ck_assert_uint_eq(visit_cmp(&v, PATH_INITIALIZATION), 200);
}
END_TEST

START_TEST(broken_store_is_our_trouble)
{
	site.put_code = BRSKI_INTERNAL;
	ck_assert_uint_eq(visit_voucher(&v), 503);
	ck_assert_str_eq(brski_http_get(&v.response, "retry-after"), "30");
	ck_assert_ptr_null(v.job);
	ck_assert_uint_eq(site.n_masa_calls, 0);
	ck_assert(brski_registrar_session_over(v.session));
	ck_assert(brski_registrar_session_deferred(v.session));
	ck_assert(visit_reason(&v, "the registrar's memory fails: the store says internal error"));
	ck_assert(site_has_event(&site, "deferred", false, "the registrar's memory fails"));
	ck_assert_ptr_nonnull(strstr(site.log, "the registrar's memory fails"));
	ck_assert(brski_registrar_session_troubled(v.session));
}
END_TEST

static unsigned count_in_log(const char *words)
{
	unsigned n = 0;

	for (const char *at = site.log; (at = strstr(at, words)); at++)
		n++;
	return n;
}

/* However many devices come meanwhile: a line a minute for the log, and one of each in the history. */
START_TEST(broken_store_is_told_once_a_minute)
{
	site.put_code = BRSKI_INTERNAL;
	for (int i = 0; i < 20; i++) {
		ck_assert_uint_eq(visit_voucher(&v), 503);
		visit_again(&v);
	}
	ck_assert_uint_eq(count_in_log("memory fails"), 1);
	site.now += 60;
	ck_assert_uint_eq(visit_voucher(&v), 503);
	ck_assert_uint_eq(count_in_log("memory fails"), 2);
	ck_assert_uint_eq(count_in_log("(and 19 more like this)"), 1);
	ck_assert_uint_eq(site_count_events(&site, "deferred", false), 21);
	site.put_code = BRSKI_OK;
	visit_again(&v);
	ck_assert_uint_ne(visit_voucher(&v), 503);
	ck_assert(!brski_registrar_session_troubled(v.session));
}
END_TEST

START_TEST(configuration)
{
	struct brski_registrar *r;
	struct brski_registrar_config c;
	struct brski_credential none = {0};
	struct brski_error err;

	c = site.config;
	c.credential = &none;
	EXPECT_WHY(BRSKI_INTERNAL, "key and certificate", brski_registrar_new(&c, &r, &err));
	ck_assert_ptr_null(r);
	c = site.config;
	c.domain_anchors = NULL;
	EXPECT_WHY(BRSKI_INTERNAL, "domain", brski_registrar_new(&c, &r, &err));
	c = site.config;
	c.cmp_url = "ftp://ca.example";
	EXPECT_WHY(BRSKI_INTERNAL, "URL", brski_registrar_new(&c, &r, &err));
	c = site.config;
	c.ops = NULL;
	EXPECT_WHY(BRSKI_INTERNAL, "callbacks", brski_registrar_new(&c, &r, &err));
	/* a certificate that MASAs will refuse is said, and taken: RFC 8995 5.5.4 */
	ck_assert_ptr_null(strstr(site.log, "will refuse"));
	c = site.config;
	c.credential = &site.domain_ca;
	EXPECT(BRSKI_OK, brski_registrar_new(&c, &r, &err));
	ck_assert_ptr_nonnull(strstr(site.log, "will refuse"));
	brski_registrar_free(r);
	ck_assert_str_eq(brski_mode_name(BRSKI_MODE_INVENTORY), "inventory");
	ck_assert_str_eq(brski_mode_name(BRSKI_MODE_OPEN), "open");
}
END_TEST

START_TEST(manufacturers_are_copied_by_reference)
{
	struct brski_manufacturer m = {.name = "acme", .mode = BRSKI_MODE_OPEN, .audit_log = true};
	struct brski_manufacturer copy, empty;
	struct brski_error err;

	m.idevid_anchors = X509_chain_up_ref(site.maker_anchors);
	m.crls = sk_X509_CRL_new_null();
	ck_assert_int_gt(sk_X509_CRL_push(m.crls, pki_crl(&site.maker_ca, NULL, 0)), 0);
	EXPECT(BRSKI_OK, brski_manufacturer_copy(&copy, &m, &err));
	ck_assert_str_eq(copy.name, "acme");
	ck_assert_int_eq(copy.mode, BRSKI_MODE_OPEN);
	ck_assert(copy.audit_log && !copy.check_voucher);
	ck_assert_ptr_null(copy.voucher_anchors);
	ck_assert_ptr_null(copy.tls_anchors);
	ck_assert_ptr_ne(copy.crls, m.crls);
	ck_assert_ptr_eq(sk_X509_CRL_value(copy.crls, 0), sk_X509_CRL_value(m.crls, 0));
	ck_assert_ptr_eq(sk_X509_value(copy.idevid_anchors, 0), sk_X509_value(m.idevid_anchors, 0));
	/* each owner frees what it has: a sanitizer counts */
	brski_manufacturer_free(&m);
	ck_assert_ptr_nonnull(X509_CRL_get0_lastUpdate(sk_X509_CRL_value(copy.crls, 0)));
	ck_assert_ptr_nonnull(X509_get0_notAfter(sk_X509_value(copy.idevid_anchors, 0)));
	brski_manufacturer_free(&copy);
	EXPECT(BRSKI_OK, brski_manufacturer_copy(&empty, &copy, &err));
	ck_assert_ptr_null(empty.crls);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {whole_onboarding, device_is_what_the_certificate_says, discovery,
		misfits, unknown_paths, responses_are_no_requests, peers, policy_refuses, policy_defers,
		no_certificate_without_voucher, voucher_of_an_earlier_visit_counts,
		refused_voucher_ends_everything, report_on_no_voucher_is_not_kept,
		success_needs_a_certificate, implicit_confirmation_grants, failure_reported,
		reports_that_cannot_be_read, too_many_requests, damaged_messages, full_store_means_later,
		no_room_means_later_and_costs_nothing, broken_store_is_our_trouble,
		broken_store_is_told_once_a_minute, configuration, manufacturers_are_copied_by_reference};

	return run_tests("registrar", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
