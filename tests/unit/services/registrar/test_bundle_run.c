/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "services/registrar/bundle_run.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/web.h"

/* The courier's calls, to a server in this process that behaves as each test wants. */

static struct web web;
static struct brski_credential root, server, client, other_root;
static struct brski_bundle_runner *runner;
static struct brski_error err;

static struct {
	const char *location; /* of the audit log; NULL: it is right here */
	unsigned voucher_status;
	size_t log_len; /* 0: short */
	char client[256];
} masa;

static void say_log(struct brski_buf *raw, const char *text)
{
	size_t len = strlen(text);

	if (len < masa.log_len)
		len = masa.log_len;
	raw->limit = 2 * BRSKI_AUDIT_LOG_MAX;
	brski_printf(
		raw, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", len);
	brski_put_str(raw, text);
	for (size_t i = strlen(text); i < len; i++)
		brski_put_u8(raw, ' ');
}

static void on_request(void *ctx, const struct web_request *request, struct brski_buf *raw)
{
	struct brski_http answer = {0};

	(void)ctx;
	snprintf(masa.client, sizeof(masa.client), "%s", request->client);
	if (strstr(request->http.path, "requestvoucher")) {
		ck_assert(brski_span_equal(brski_buf_span(&request->http.body), brski_span_str("request")));
		web_say_text(raw, masa.voucher_status, "application/voucher-cms+json", "voucher");
	} else if (masa.location && strcmp(request->http.method, "POST") == 0) {
		EXPECT(BRSKI_OK, brski_http_response(&answer, 201, NULL, brski_span(NULL, 0), &err));
		EXPECT(BRSKI_OK, brski_http_set(&answer, "location", masa.location, &err));
		web_say(raw, &answer);
		brski_http_free(&answer);
	} else {
		say_log(raw, request->http.path);
	}
}

static void open_runner(size_t answers_max, const char *masa_hosts)
{
	const struct brski_bundle_runner_config config = {
		.answers_max = answers_max, .masa_hosts = masa_hosts, .hosts_named_by = "--masa-hosts"};

	brski_bundle_runner_free(runner);
	EXPECT(BRSKI_OK, brski_bundle_runner_new(&config, &runner, &err));
}

static void setup(void)
{
	root = pki_root("CN=Root");
	other_root = pki_root("CN=Other Root");
	server = pki_make(
		&(struct pki_spec){.subject = "CN=localhost", .san = "DNS:localhost", .eku = "serverAuth"},
		&root);
	client = pki_leaf("CN=The Registrar", "P-256", &root);
	memset(&masa, 0, sizeof(masa));
	masa.voucher_status = 200;
	web_start(&web, &server, on_request, NULL);
	open_runner(0, NULL);
}

static void teardown(void)
{
	brski_bundle_runner_free(runner);
	runner = NULL;
	web_stop(&web);
	pki_free(&root);
	pki_free(&other_root);
	pki_free(&server);
	pki_free(&client);
}

static void plan(struct brski_planned *call, const char *scheme, const char *path)
{
	bool log = strcmp(path, "/requestauditlog") == 0;

	snprintf(call->url, sizeof(call->url), "%s://localhost:%d%s", scheme, web.port, path);
	EXPECT(BRSKI_OK, brski_http_request(&call->request, "POST", path, "application/voucher-cms+json",
				 brski_span_str("request"), &err));
	EXPECT(BRSKI_OK, brski_http_set(&call->request, "accept",
				 log ? "application/json" : "application/voucher-cms+json", &err));
}

static struct brski_bundle_item voucher_item(const struct brski_credential *anchor)
{
	struct brski_bundle_item item = {.kind = BRSKI_BUNDLE_VOUCHER, .key = "key", .n_calls = 2};
	STACK_OF(X509) *anchors = sk_X509_new_null();

	ck_assert(sk_X509_push(anchors, anchor->cert) > 0);
	EXPECT(BRSKI_OK, brski_certs_to_pem(anchors, &item.tls_anchors, &err));
	sk_X509_free(anchors);
	plan(&item.calls[0], "https", "/requestvoucher");
	plan(&item.calls[1], "https", "/requestauditlog");
	return item;
}

static void item_free(struct brski_bundle_item *item)
{
	brski_buf_free(&item->tls_anchors);
	for (size_t i = 0; i < item->n_calls; i++)
		brski_planned_free(&item->calls[i]);
	for (size_t i = 0; i < item->n_answers; i++)
		brski_http_free(&item->answers[i]);
	memset(item, 0, sizeof(*item));
}

/* Runs it; the answers are in *out. */
static void run_item(struct brski_bundle_item *item, struct brski_bundle_item *out)
{
	memset(out, 0, sizeof(*out));
	EXPECT(BRSKI_OK, brski_bundle_run(runner, item, out, &err));
	ck_assert_str_eq(out->key, item->key);
	item_free(item);
}

START_TEST(both_calls_are_made_in_order)
{
	struct brski_bundle_item item = voucher_item(&root), out;

	run_item(&item, &out);
	ck_assert_uint_eq(out.n_answers, 2);
	ck_assert_str_eq(out.trouble, "");
	ck_assert(brski_http_is_type(&out.answers[0], "application/voucher-cms+json"));
	ck_assert(brski_span_equal(brski_buf_span(&out.answers[0].body), brski_span_str("voucher")));
	ck_assert(brski_span_equal(brski_buf_span(&out.answers[1].body), brski_span_str("/requestauditlog")));
	ck_assert_str_eq(masa.client, ""); /* the courier has no registrar's certificate to show */
	item_free(&out);
}
END_TEST

START_TEST(the_server_is_verified)
{
	struct brski_bundle_item item = voucher_item(&other_root), out;

	run_item(&item, &out);
	ck_assert_uint_eq(out.n_answers, 0);
	ck_assert_ptr_nonnull(strstr(out.trouble, "certificate"));
	ck_assert_uint_eq(web.n_requests, 0);
	item_free(&out);
}
END_TEST

START_TEST(a_masa_is_called_by_https_only)
{
	struct brski_bundle_item item = voucher_item(&root), out;

	brski_planned_free(&item.calls[0]);
	plan(&item.calls[0], "http", "/requestvoucher");
	run_item(&item, &out);
	ck_assert_uint_eq(out.n_answers, 0);
	ck_assert_ptr_nonnull(strstr(out.trouble, "a MASA is called by https only, not http://"));
	ck_assert_uint_eq(web.n_requests, 0);
	item_free(&out);
}
END_TEST

START_TEST(after_a_refusal_nothing_more_is_asked)
{
	struct brski_bundle_item item = voucher_item(&root), out;

	masa.voucher_status = 403;
	run_item(&item, &out);
	ck_assert_uint_eq(out.n_answers, 1);
	ck_assert_uint_eq(out.answers[0].status, 403);
	ck_assert_str_eq(out.trouble, "");
	ck_assert_uint_eq(web.n_requests, 1);
	item_free(&out);
}
END_TEST

START_TEST(an_audit_log_elsewhere_is_fetched)
{
	struct brski_bundle_item item, out;
	char absolute[64];
	const char *const places[] = {"/logs/1", absolute, "logs/1", "./x/../logs/1"};

	snprintf(absolute, sizeof(absolute), "https://localhost:%d/logs/1", web.port);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		item = voucher_item(&root);
		masa.location = places[i];
		run_item(&item, &out);
		ck_assert_uint_eq(out.n_answers, 3);
		ck_assert_uint_eq(out.answers[1].status, 201);
		ck_assert_str_eq(brski_http_get(&out.answers[1], "location"), places[i]);
		ck_assert(brski_span_equal(brski_buf_span(&out.answers[2].body), brski_span_str("/logs/1")));
		item_free(&out);
	}
}
END_TEST

START_TEST(a_long_audit_log_is_carried)
{
	static const char *const places[] = {NULL, "/logs/1"};
	struct brski_bundle_item item, out;

	for (size_t i = 0; i < 2; i++) {
		item = voucher_item(&root);
		masa.location = places[i];
		masa.log_len = BRSKI_AUDIT_LOG_MAX;
		run_item(&item, &out);
		ck_assert_str_eq(out.trouble, "");
		ck_assert_uint_eq(out.n_answers, 2 + i);
		ck_assert_uint_eq(out.answers[1 + i].body.len, BRSKI_AUDIT_LOG_MAX);
		item_free(&out);
	}
	item = voucher_item(&root);
	masa.log_len = BRSKI_AUDIT_LOG_MAX + 1;
	run_item(&item, &out);
	ck_assert_ptr_nonnull(strstr(out.trouble, "/logs/1: "));
	ck_assert_uint_eq(out.n_answers, 2);
	item_free(&out);
}
END_TEST

/* What does not fit into a file of answers must not cost all that is in it. */
START_TEST(answers_fit_into_a_file)
{
	struct brski_bundle_item item, out;

	open_runner(20000, NULL);
	masa.log_len = 9990;
	for (unsigned i = 0; i < 3; i++) {
		item = voucher_item(&root);
		run_item(&item, &out);
		ck_assert_uint_eq(out.n_answers, i < 2 ? 2 : 0);
		ck_assert(i < 2 ? out.trouble[0] == '\0'
				: strstr(out.trouble, "too long for one file: carry this one another time") !=
					  NULL);
		item_free(&out);
	}
}
END_TEST

START_TEST(nobody_sends_the_courier_elsewhere)
{
	static const char *const places[] = {"https://other.example/log", "//other.example/log",
		"http://localhost/log", "https://localhost", "//localhost/log"};
	struct brski_bundle_item item, out;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		item = voucher_item(&root);
		masa.location = places[i];
		run_item(&item, &out);
		ck_assert_uint_eq(out.n_answers, 2);
		ck_assert_ptr_nonnull(strstr(out.trouble,
			i == 2 ? "from https to http" : "another host, which --masa-hosts does"));
		ck_assert_uint_eq(web.n_requests, 2 * (i + 1));
		item_free(&out);
	}
}
END_TEST

/* Another server, and verified as the MASA is. */
START_TEST(a_host_that_is_named_is_believed_as_the_masa_is)
{
	struct brski_credential stranger = pki_make(
		&(struct pki_spec){.subject = "CN=localhost", .san = "DNS:localhost", .eku = "serverAuth"},
		&other_root);
	const struct brski_credential *const shown[] = {&server, &stranger};
	struct brski_bundle_item item, out;
	char place[64], hosts[64];
	struct web logs;

	for (size_t i = 0; i < 2; i++) {
		memset(&logs, 0, sizeof(logs));
		web_start(&logs, shown[i], on_request, NULL);
		snprintf(place, sizeof(place), "https://localhost:%d/logs/1", logs.port);
		snprintf(hosts, sizeof(hosts), "logs.example, localhost:%d", logs.port);
		open_runner(0, hosts);
		masa.location = place;
		item = voucher_item(&root);
		run_item(&item, &out);
		ck_assert_uint_eq(out.n_answers, i == 0 ? 3 : 2);
		ck_assert_uint_eq(logs.n_requests, i == 0);
		ck_assert(i == 0 ? out.trouble[0] == '\0' : strstr(out.trouble, "certificate") != NULL);
		item_free(&out);
		web_stop(&logs);
	}
	pki_free(&stranger);
}
END_TEST

START_TEST(who_is_away_is_told)
{
	struct brski_bundle_item item = voucher_item(&root), out;

	web_stop(&web);
	run_item(&item, &out);
	ck_assert_uint_eq(out.n_answers, 0);
	ck_assert_ptr_nonnull(strstr(out.trouble, "/requestvoucher: "));
	web_start(&web, &server, on_request, NULL);
	item_free(&out);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		both_calls_are_made_in_order,
		the_server_is_verified,
		a_masa_is_called_by_https_only,
		after_a_refusal_nothing_more_is_asked,
		an_audit_log_elsewhere_is_fetched,
		a_long_audit_log_is_carried,
		answers_fit_into_a_file,
		nobody_sends_the_courier_elsewhere,
		a_host_that_is_named_is_believed_as_the_masa_is,
		who_is_away_is_told,
	};

	return run_tests("bundle_run", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
