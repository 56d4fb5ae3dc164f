/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <check.h>

#include "eap_brski/artifacts/voucher_cms.h"
#include "eap_brski/registrar/nonceless.h"
#include "services/base/file.h"
#include "services/base/sql.h"
#include "services/registrar/bundle_exchange.h"
#include "services/registrar/policy.h"
#include "tests/unit/support/est_visit.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/store_rows.h"
#include "tests/unit/support/visit.h"

/*
 * Requests out, answers in, without a network; and vouchers ahead. The registrar's policy and store
 * are the real ones.
 */

static struct site site;
static struct brski_store *store;
static struct brski_policy *policy;
static struct brski_exchange *exchange;
static char folder[64], database[96];
static struct brski_error err;

static void pem_of(const STACK_OF(X509) *certs, struct brski_buf *out)
{
	EXPECT(BRSKI_OK, brski_certs_to_pem(certs, out, &err));
}

static void put_manufacturer(bool audit_log)
{
	struct brski_store_manufacturer m = {.name = "acme",
		.masa_url = "https://masa.acme.example",
		.mode = BRSKI_MODE_INVENTORY,
		.check_voucher = true,
		.audit_log = audit_log};

	pem_of(site.maker_anchors, &m.idevid_anchors);
	pem_of(site.masa_anchors, &m.voucher_anchors);
	pem_of(site.masa_anchors, &m.tls_anchors);
	EXPECT(BRSKI_OK, brski_store_manufacturer_put(store, &m, &err));
	brski_store_manufacturer_free(&m);
}

static char signer_file[96]; /* "": none */

static struct brski_exchange *make_exchange(const struct brski_credential *credential)
{
	char cmp_url[BRSKI_URL_MAX];
	const struct brski_config settings = {.cmp_url = cmp_url,
		.cmp_signer_file = signer_file,
		.cmp_nested = true,
		.check_pki_answers = true};
	struct brski_exchange_config config = {
		.store = store,
		.credential = credential,
		.domain_anchors = site.domain_anchors,
		.settings = &settings,
		.env = &site.env,
	};
	struct brski_exchange *made;

	snprintf(cmp_url, sizeof(cmp_url), "%s", site.config.cmp_url);
	EXPECT(BRSKI_OK, brski_exchange_new(&config, &made, &err));
	return made;
}

static void setup(void)
{
	site_open(&site, "P-256");
	temp_make(folder);
	snprintf(database, sizeof(database), "%s/db", folder);
	EXPECT(BRSKI_OK, brski_store_open(database, true, &store, &err));
	put_manufacturer(true);
	EXPECT(BRSKI_OK, brski_store_device_put(store, "acme", SITE_SERIAL, "", &err));
	EXPECT(BRSKI_OK, brski_policy_new(store, &site.env, &policy, &err));
	site.config.ops = brski_policy_ops();
	site.config.ops_ctx = policy;
	site_restart(&site);
	exchange = make_exchange(&site.registrar_cred);
}

static void teardown(void)
{
	brski_exchange_free(exchange);
	brski_registrar_free(site.registrar);
	site.registrar = NULL;
	brski_policy_free(policy);
	brski_store_close(store);
	temp_remove(folder);
	site_close(&site);
}

/* ---- What the tests do ---- */

static struct brski_bundle export_all(size_t n)
{
	struct brski_bundle bundle;
	unsigned held;

	EXPECT(BRSKI_OK, brski_exchange_export(exchange, &bundle, &held, &err));
	ck_assert_uint_eq(bundle.n_items, n);
	ck_assert_uint_eq(held, 0);
	return bundle;
}

/* Through the file and back, as the courier has it. */
static void carry(struct brski_bundle *bundle, const struct brski_credential *signer)
{
	struct brski_buf file = {0};
	struct brski_bundle read;
	STACK_OF(X509) *certs;

	EXPECT(BRSKI_OK, brski_bundle_seal(bundle, signer, &file, &err));
	EXPECT(BRSKI_OK,
		brski_bundle_open(brski_buf_span(&file), bundle->answers, NULL, NULL, &read, &certs, &err));
	pki_free_certs(certs);
	brski_buf_free(&file);
	brski_bundle_free(bundle);
	*bundle = read;
}

static bool call(
	const struct brski_bundle_item *item, const struct brski_planned *planned, struct brski_http *answer)
{
	struct brski_call c = {
		.back_end = brski_bundle_kind_back_end(item->kind),
		.request = &planned->request,
		.tls_anchors = site.masa_anchors,
		.client = &site.registrar_cred,
	};

	memcpy(c.url, planned->url, sizeof(c.url));
	return site_upstream(&site, &c, answer);
}

/* The courier, with the site's MASA and CA as they are now. */
static struct brski_bundle answer_all(const struct brski_bundle *requests)
{
	struct brski_bundle answers = {.answers = true, .created_on = site.now};

	memcpy(answers.registrar, requests->registrar, sizeof(answers.registrar));
	for (size_t i = 0; i < requests->n_items; i++) {
		const struct brski_bundle_item *item = &requests->items[i];
		struct brski_bundle_item *out = brski_bundle_add(&answers);

		memcpy(out->key, item->key, sizeof(out->key));
		out->kind = item->kind;
		for (size_t k = 0; k < item->n_calls; k++) {
			if (!call(item, &item->calls[k], &out->answers[k])) {
				snprintf(out->trouble, sizeof(out->trouble), "it is down");
				break;
			}
			out->n_answers++;
			if (out->answers[k].status != 200)
				break;
		}
	}
	return answers;
}

static struct {
	unsigned n;
	enum brski_import_outcome outcome;
	char why[320];
} told;

static void keep_told(
	void *ctx, const struct brski_bundle_item *item, enum brski_import_outcome outcome, const char *why)
{
	(void)ctx;
	(void)item;
	told.n++;
	told.outcome = outcome;
	snprintf(told.why, sizeof(told.why), "%s", why);
}

static void import_one(const struct brski_bundle *answers, enum brski_import_outcome want, const char *words)
{
	told.n = 0;
	EXPECT(BRSKI_OK, brski_exchange_import(exchange, answers, keep_told, NULL, &err));
	ck_assert_uint_eq(told.n, 1);
	ck_assert_msg(told.outcome == want && strstr(told.why, words), "outcome %d, not %d: \"%s\" (\"%s\")",
		(int)told.outcome, (int)want, told.why, words);
}

/* Out, there, and back. */
static void trip(enum brski_import_outcome want, const char *words)
{
	struct brski_bundle requests = export_all(1), answers;

	carry(&requests, &site.registrar_cred);
	answers = answer_all(&requests);
	carry(&answers, &site.masa_cred); /* who signs it is not judged here */
	import_one(&answers, want, words);
	brski_bundle_free(&requests);
	brski_bundle_free(&answers);
}

/* Everything in the store that an answer can change, as text. */
static void print_job(void *ctx, struct brski_store_job *job)
{
	brski_printf(ctx, "%s %d %.*s\n", job->key, (int)job->state, (int)job->blob.len, job->blob.data);
}

static void print_event(void *ctx, const struct brski_store_event *e)
{
	brski_printf(ctx, "%s %d %s\n", e->what, e->ok, e->detail);
}

static void print_notes(struct brski_buf *out)
{
	static const struct sql_options options = {0};
	char name[32], value[BRSKI_FINGERPRINT_MAX];
	struct sql_db *db;
	struct sql q;

	EXPECT(BRSKI_OK, sql_open(database, &options, &db, &err));
	sql_begin(&q, db, "SELECT name, value FROM note ORDER BY key", &err);
	while (sql_row(&q)) {
		sql_text(&q, 0, name, sizeof(name));
		sql_text(&q, 1, value, sizeof(value));
		brski_printf(out, "%s %s\n", name, value);
	}
	EXPECT(BRSKI_OK, sql_end(&q));
	sql_close(db);
}

static void contents(struct brski_buf *out)
{
	brski_buf_reset(out);
	for (int s = BRSKI_JOB_WAITING; s <= BRSKI_JOB_REFUSED; s++)
		each_job(store, &(struct brski_store_job_filter){.state = (enum brski_job_state)s}, print_job,
			out);
	print_notes(out);
	each_event(store, NULL, 100, print_event, out);
}

static void unchanged_by(void (*act)(void *ctx), void *ctx)
{
	struct brski_buf before = {0}, after = {0};

	contents(&before);
	act(ctx);
	contents(&after);
	ck_assert(before.len > 0 && brski_span_equal(brski_buf_span(&before), brski_buf_span(&after)));
	brski_buf_free(&before);
	brski_buf_free(&after);
}

struct expected {
	enum brski_import_outcome outcome;
	const char *words;
};

static void do_trip(void *ctx)
{
	const struct expected *x = ctx;

	trip(x->outcome, x->words);
}

static void trip_in_vain(enum brski_import_outcome outcome, const char *words)
{
	unchanged_by(do_trip, &(struct expected){outcome, words});
}

/* A device has asked for a voucher, and must wait. */
static void ask_voucher(struct visit *v)
{
	visit_open(v, &site);
	visit_make_voucher_request(v);
	ck_assert_uint_eq(
		visit_send(v, "POST", PATH_VOUCHER, BRSKI_MEDIA_VOUCHER, brski_buf_span(&v->request)), 0);
	brski_job_free(v->job);
	v->job = NULL;
}

static void again(struct visit *v, const char *path, const char *type, unsigned status)
{
	struct brski_buf request = {0};

	ck_assert(brski_buf_set(&request, brski_buf_span(&v->request)) == BRSKI_OK);
	ck_assert_uint_eq(visit_send(v, "POST", path, type, brski_buf_span(&request)), status);
	brski_buf_free(&request);
}

/* ---- Tests ---- */

START_TEST(a_voucher_comes_in_a_file)
{
	struct brski_bundle requests;
	struct visit v;

	ask_voucher(&v);
	requests = export_all(1);
	ck_assert_str_eq(requests.registrar, brski_exchange_name(exchange));
	ck_assert_uint_eq(requests.items[0].n_calls, 2);
	ck_assert_str_eq(
		requests.items[0].calls[0].url, "https://masa.acme.example/.well-known/brski/requestvoucher");
	ck_assert_str_eq(requests.items[0].calls[1].url,
		"https://masa.acme.example/.well-known/brski/requestauditlog");
	ck_assert_str_eq(requests.items[0].serial_number, SITE_SERIAL);
	ck_assert(brski_span_equal(brski_buf_span(&requests.items[0].calls[0].request.body),
		brski_buf_span(&requests.items[0].calls[1].request.body)));
	brski_bundle_free(&requests);
	trip(BRSKI_IMPORT_ANSWERED, "nothing against this device");
	export_all(0);
	visit_again(&v);
	again(&v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER, 200);
	ck_assert(brski_http_is_type(&v.response, BRSKI_MEDIA_VOUCHER) && v.response.body.len > 0);
	visit_close(&v);
}
END_TEST

static void repeat(void *answers)
{
	import_one(answers, BRSKI_IMPORT_REPEATED, "answered before");
}

START_TEST(the_same_answers_again_change_nothing)
{
	struct brski_bundle requests, answers;
	struct visit v;

	ask_voucher(&v);
	requests = export_all(1);
	answers = answer_all(&requests);
	import_one(&answers, BRSKI_IMPORT_ANSWERED, "");
	unchanged_by(repeat, &answers);
	brski_bundle_free(&requests);
	brski_bundle_free(&answers);
	visit_close(&v);
}
END_TEST

static void foreign(void *ctx)
{
	struct brski_bundle *answers = ctx;

	EXPECT_WHY(BRSKI_MISMATCH, "another registrar",
		brski_exchange_import(exchange, answers, keep_told, NULL, &err));
}

START_TEST(answers_for_another_registrar_change_nothing)
{
	struct brski_bundle requests, answers;
	struct visit v;

	ask_voucher(&v);
	requests = export_all(1);
	answers = answer_all(&requests);
	answers.registrar[0] = answers.registrar[0] == '0' ? '1' : '0';
	unchanged_by(foreign, &answers);
	memcpy(answers.registrar, requests.registrar, sizeof(answers.registrar));
	answers.items[0].key[0] = answers.items[0].key[0] == '0' ? '1' : '0';
	import_one(&answers, BRSKI_IMPORT_WRONG, "no request");
	memcpy(answers.items[0].key, requests.items[0].key, sizeof(answers.items[0].key));
	answers.items[0].kind = BRSKI_BUNDLE_CERTIFICATE;
	import_one(&answers, BRSKI_IMPORT_WRONG, "not of that kind");
	answers.items[0].kind = BRSKI_BUNDLE_NONCELESS;
	import_one(&answers, BRSKI_IMPORT_WRONG, "no voucher was asked for");
	answers.items[0].kind = BRSKI_BUNDLE_VOUCHER;
	import_one(&answers, BRSKI_IMPORT_ANSWERED, "");
	brski_bundle_free(&requests);
	brski_bundle_free(&answers);
	visit_close(&v);
}
END_TEST

START_TEST(a_wrong_voucher_changes_nothing)
{
	static const struct {
		enum site_masa masa;
		const char *words;
	} wrong[] = {
		{MASA_NOT_A_VOUCHER, "no voucher"},
		{MASA_GARBAGE, "parse"},
		{MASA_OTHER_SERIAL, "serial-number"},
		{MASA_OTHER_NONCE, "nonce"},
		{MASA_OTHER_SIGNER, "signer"},
		{MASA_PINS_ANOTHER, "pin"},
		{MASA_EXPIRED, "expired"},
	};
	struct visit v;

	ask_voucher(&v);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		site.masa = wrong[i].masa;
		trip_in_vain(BRSKI_IMPORT_WRONG, wrong[i].words);
	}
	site.masa = MASA_RIGHT;
	site.audit = AUDIT_GARBAGE;
	trip_in_vain(BRSKI_IMPORT_WRONG, "");
	site.audit = AUDIT_RIGHT;
	trip(BRSKI_IMPORT_ANSWERED, "");
	visit_close(&v);
}
END_TEST

START_TEST(no_answer_changes_nothing)
{
	struct visit v;

	ask_voucher(&v);
	site.masa = MASA_DOWN;
	trip_in_vain(BRSKI_IMPORT_WAITS, "it is down");
	site.masa = MASA_STATUS;
	site.masa_status = 503;
	site.masa_text = "come back later";
	trip_in_vain(BRSKI_IMPORT_WAITS, "503 come back later");
	visit_close(&v);
}
END_TEST

START_TEST(a_refusal_is_an_answer)
{
	struct brski_bundle requests, answers;
	struct visit v;

	ask_voucher(&v);
	site.masa = MASA_STATUS;
	site.masa_status = 404;
	site.masa_text = "never made that one";
	requests = export_all(1);
	answers = answer_all(&requests);
	import_one(&answers, BRSKI_IMPORT_REFUSED, "never made that one");
	import_one(&answers, BRSKI_IMPORT_REPEATED, "refused before");
	brski_bundle_free(&requests);
	brski_bundle_free(&answers);
	visit_again(&v);
	again(&v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER, 404);
	visit_close(&v);
}
END_TEST

START_TEST(an_audit_log_that_tells_against_it_is_a_refusal)
{
	struct visit v;

	ask_voucher(&v);
	site.audit = AUDIT_FOREIGN;
	trip(BRSKI_IMPORT_REFUSED, "domain");
	visit_again(&v);
	again(&v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER, 403);
	visit_close(&v);
}
END_TEST

START_TEST(a_part_of_the_answers_is_kept)
{
	struct brski_bundle requests;
	struct visit v;

	ask_voucher(&v);
	site.audit = AUDIT_DOWN;
	trip(BRSKI_IMPORT_GOES_ON, "gave a voucher");
	requests = export_all(1);
	ck_assert_uint_eq(requests.items[0].n_calls, 1);
	ck_assert(strstr(requests.items[0].calls[0].url, "/requestauditlog") != NULL);
	brski_bundle_free(&requests);
	site.audit = AUDIT_RIGHT;
	trip(BRSKI_IMPORT_ANSWERED, "");
	ck_assert_uint_eq(site.n_masa_calls, 1);
	visit_close(&v);
}
END_TEST

START_TEST(who_may_no_longer_join_gets_no_answer)
{
	struct brski_bundle requests, answers;
	struct visit v;
	unsigned held;

	ask_voucher(&v);
	requests = export_all(1);
	answers = answer_all(&requests);
	brski_bundle_free(&requests);
	EXPECT(BRSKI_OK, brski_store_device_remove(store, "acme", SITE_SERIAL, &err));
	import_one(&answers, BRSKI_IMPORT_WRONG, "inventory");
	EXPECT(BRSKI_OK, brski_exchange_export(exchange, &requests, &held, &err));
	ck_assert_uint_eq(requests.n_items, 0);
	ck_assert_uint_eq(held, 1);
	brski_bundle_free(&requests);
	brski_bundle_free(&answers);
	visit_close(&v);
}
END_TEST

/* As the server's settings do. */
static void name_signer(const struct brski_credential *signer)
{
	STACK_OF(X509) *certs = pki_certs(signer, NULL);
	struct brski_buf pem = {0};

	snprintf(signer_file, sizeof(signer_file), "%s/signer.pem", folder);
	pem_of(certs, &pem);
	EXPECT(BRSKI_OK, brski_file_create(signer_file, 0600, brski_buf_span(&pem), &err));
	brski_exchange_free(exchange);
	exchange = make_exchange(&site.registrar_cred);
	signer_file[0] = '\0';
	brski_buf_free(&pem);
	pki_free_certs(certs);
}

START_TEST(a_certificate_comes_in_a_file)
{
	static const struct {
		enum site_ca ca;
		const char *words;
	} wrong[] = {
		{CA_GARBAGE, "parse"},
		{CA_OTHER_KEY, "key"},
		{CA_OTHER_SUBJECT, "subject"},
		{CA_BROKEN_SIGNATURE, "verify"},
		{CA_OTHER_SIGNER, ""},
		{CA_OTHER_TRANSACTION, "transaction"},
		{CA_UNPROTECTED_IP, "protected"},
	};
	struct brski_credential plain = pki_leaf("CN=Old CMP", "P-256", &site.domain_ca);
	struct visit v;

	ask_voucher(&v);
	trip(BRSKI_IMPORT_ANSWERED, "");
	again(&v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER, 200);
	visit_make_enroll(&v, &site.idevid, false);
	ck_assert_uint_eq(
		visit_send(&v, "POST", PATH_INITIALIZATION, BRSKI_MEDIA_CMP, brski_buf_span(&v.request)), 0);
	brski_job_free(v.job);
	v.job = NULL;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		site.ca = wrong[i].ca;
		trip_in_vain(BRSKI_IMPORT_WRONG, wrong[i].words);
	}
	site.ca = CA_DOWN;
	trip_in_vain(BRSKI_IMPORT_WAITS, "it is down");
	site.ca = CA_RIGHT;
	site.ca_signer = &plain;
	trip_in_vain(BRSKI_IMPORT_WRONG, "cmp_signer_file");
	name_signer(&plain);
	trip(BRSKI_IMPORT_ANSWERED, "issued a certificate");
	pki_free(&plain);
	again(&v, PATH_INITIALIZATION, BRSKI_MEDIA_CMP, 200);
	visit_close(&v);
}
END_TEST

static void ask_by_est(struct visit *v)
{
	ask_voucher(v);
	trip(BRSKI_IMPORT_ANSWERED, "");
	again(v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER, 200);
	brski_registrar_session_serve_est(v->session);
	est_make(v, &(struct est_ask){0});
	ck_assert_uint_eq(est_send(v, BRSKI_PATH_EST_SIMPLEENROLL), 0);
	brski_job_free(v->job);
	v->job = NULL;
}

static void expect_permission(enum brski_permission_state state, bool used)
{
	static const struct sql_options options = {0};
	struct sql_db *db;
	struct sql q;

	EXPECT(BRSKI_OK, sql_open(database, &options, &db, &err));
	sql_begin(&q, db, "SELECT state, used_for <> '' FROM permission", &err);
	ck_assert(sql_row(&q));
	ck_assert_int_eq(sql_int(&q, 0), state);
	ck_assert_int_eq(sql_int(&q, 1), used);
	EXPECT(BRSKI_OK, sql_end(&q));
	sql_close(db);
}

/* Whatever the PKI says is one step, and the next export has the next message. */
START_TEST(a_certificate_by_est_comes_in_files)
{
	struct visit v;

	site.ca = CA_WAITS;
	site.ca_polls = 1;
	ask_by_est(&v);
	site.ca = CA_BROKEN_SIGNATURE;
	trip_in_vain(BRSKI_IMPORT_WRONG, "verify");
	site.n_issued = 0;
	site.ca = CA_DOWN;
	trip_in_vain(BRSKI_IMPORT_WAITS, "it is down");
	site.ca = CA_WAITS;
	trip(BRSKI_IMPORT_GOES_ON, "wants to be asked again later");
	trip(BRSKI_IMPORT_GOES_ON, "");
	trip(BRSKI_IMPORT_GOES_ON, "issued a certificate");
	expect_permission(BRSKI_PERMISSION_CONFIRMING, true); /* before anybody confirms */
	ck_assert_uint_eq(site.n_confirmed, 0);
	trip(BRSKI_IMPORT_ANSWERED, "confirmed the certificate");
	ck_assert_uint_eq(est_post(&v, BRSKI_PATH_EST_SIMPLEENROLL), 200);
	est_expect_certificate(&v);
	expect_permission(BRSKI_PERMISSION_CERTIFICATE, true);
	ck_assert_uint_eq(site.n_issued, 1);
	visit_close(&v);
}
END_TEST

START_TEST(what_was_answered_meanwhile_stays)
{
	struct brski_store_job rows[2] = {0}, got;
	struct brski_bundle requests;
	struct visit v;

	ask_voucher(&v);
	requests = export_all(1);
	EXPECT(BRSKI_OK, brski_store_job_get(store, requests.items[0].key, &rows[0], &err));
	rows[0].state = BRSKI_JOB_DONE;
	EXPECT(BRSKI_OK, brski_store_jobs_settle(store, rows, 1, NULL, 0, NULL, &err));
	snprintf(rows[1].key, sizeof(rows[1].key), "another");
	EXPECT_WHY(BRSKI_UNEXPECTED, "answered meanwhile",
		brski_store_jobs_settle(store, rows, 2, NULL, 0, NULL, &err));
	EXPECT(BRSKI_NOT_FOUND, brski_store_job_get(store, "another", &got, &err));
	brski_store_job_free(&rows[0]);
	brski_bundle_free(&requests);
	visit_close(&v);
}
END_TEST

/* The server tries the same request while its answer is judged: it changes, and waits still. */
static unsigned races;
static char raced_key[BRSKI_FINGERPRINT_MAX];

static time_t clock_of_a_race(void *ctx)
{
	struct brski_store_job row;

	(void)ctx;
	if (races > 0) {
		races--;
		EXPECT(BRSKI_OK, brski_store_job_get(store, raced_key, &row, &err));
		if (row.state == BRSKI_JOB_WAITING)
			EXPECT(BRSKI_OK, brski_store_job_replace(store, &row, NULL, &err));
		brski_store_job_free(&row);
	}
	return site.now;
}

START_TEST(a_request_that_changes_meanwhile)
{
	struct brski_bundle requests, answers;
	struct visit v;

	ask_voucher(&v);
	requests = export_all(1);
	answers = answer_all(&requests);
	snprintf(raced_key, sizeof(raced_key), "%s", requests.items[0].key);
	site.env.now = clock_of_a_race;
	races = 1000; /* the server never lets it be: nothing is lost, and it can be imported again */
	import_one(&answers, BRSKI_IMPORT_WRONG, "meanwhile");
	races = 2;
	import_one(&answers, BRSKI_IMPORT_ANSWERED, "nothing against this device");
	import_one(&answers, BRSKI_IMPORT_REPEATED, "answered before");
	again(&v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER, 200);
	ck_assert_uint_eq(site.n_masa_calls, 1); /* by the courier */
	brski_bundle_free(&requests);
	brski_bundle_free(&answers);
	visit_close(&v);
}
END_TEST

/* ---- Vouchers ahead ---- */

struct promise { /* what the MASA gives to a request without nonce */
	const char *serial;
	const struct brski_credential *signer;
	X509 *pinned;
	time_t expires_on;
	bool nonce, foreign_log;
};

static struct promise right(void)
{
	return (struct promise){.serial = SITE_SERIAL,
		.signer = &site.masa_cred,
		.pinned = site.domain_ca.cert,
		.expires_on = site.now + 1000};
}

static void give_voucher(const struct promise *p, const struct brski_http *request, struct brski_http *answer)
{
	struct brski_voucher asked,
		v = {.assertion = BRSKI_ASSERTION_VERIFIED, .created_on = site.now - 2000};
	STACK_OF(X509) *certs;
	struct brski_buf cms = {0};

	EXPECT(BRSKI_OK, brski_voucher_open(brski_buf_span(&request->body), NULL, BRSKI_VOUCHER_REQUEST,
				 &asked, &certs, &err));
	ck_assert(asked.is_request && asked.nonce.len == 0 && asked.prior_signed_voucher_request.len == 0);
	ck_assert_str_eq(asked.serial_number, SITE_SERIAL);
	snprintf(v.serial_number, sizeof(v.serial_number), "%s", p->serial);
	if (p->nonce)
		ck_assert(brski_buf_set(&v.nonce, brski_span_str("0123456789abcdef")) == BRSKI_OK);
	else
		v.expires_on = p->expires_on;
	ck_assert(brski_buf_set(&v.idevid_issuer, brski_buf_span(&asked.idevid_issuer)) == BRSKI_OK);
	EXPECT(BRSKI_OK, brski_cert_to_der(p->pinned, &v.pinned_domain_cert, &err));
	EXPECT(BRSKI_OK, brski_voucher_sign(&v, p->signer, true, &cms, &err));
	EXPECT(BRSKI_OK, brski_http_response(answer, 200, BRSKI_MEDIA_VOUCHER, brski_buf_span(&cms), &err));
	brski_voucher_free(&asked);
	brski_voucher_free(&v);
	pki_free_certs(certs);
	brski_buf_free(&cms);
}

static struct brski_bundle answer_nonceless(const struct promise *p)
{
	struct brski_bundle requests = export_all(1), answers = {.answers = true};
	const struct brski_bundle_item *item = &requests.items[0];
	struct brski_bundle_item *out = brski_bundle_add(&answers);
	struct brski_call c = {.back_end = "MASA",
		.request = &item->calls[1].request,
		.tls_anchors = site.masa_anchors,
		.client = &site.registrar_cred};

	ck_assert_int_eq(item->kind, BRSKI_BUNDLE_NONCELESS);
	ck_assert_uint_eq(item->n_calls, 2);
	memcpy(out->key, item->key, sizeof(out->key));
	memcpy(answers.registrar, requests.registrar, sizeof(answers.registrar));
	out->kind = BRSKI_BUNDLE_NONCELESS;
	give_voucher(p, &item->calls[0].request, &out->answers[0]);
	memcpy(c.url, item->calls[1].url, sizeof(c.url));
	site.audit = p->foreign_log ? AUDIT_FOREIGN : AUDIT_RIGHT;
	ck_assert(site_masa(&site, &c, &out->answers[1]));
	out->n_answers = 2;
	brski_bundle_free(&requests);
	return answers;
}

static void ask_nonceless(void)
{
	char key[BRSKI_FINGERPRINT_MAX];

	EXPECT(BRSKI_OK, brski_exchange_ask(exchange, "acme", SITE_SERIAL, site.idevid.cert, key, &err));
}

static void fetch_nonceless(const struct promise *p, enum brski_import_outcome want, const char *words)
{
	struct brski_bundle answers = answer_nonceless(p);

	import_one(&answers, want, words);
	if (want == BRSKI_IMPORT_ANSWERED)
		import_one(&answers, BRSKI_IMPORT_REPEATED, "answered before");
	brski_bundle_free(&answers);
}

/* The MASA does not answer a device's request; the state that leads to. */
static enum brski_job_state without_masa(struct visit *v)
{
	enum brski_job_state state;

	visit_open(v, &site);
	visit_make_voucher_request(v);
	ck_assert_uint_eq(
		visit_send(v, "POST", PATH_VOUCHER, BRSKI_MEDIA_VOUCHER, brski_buf_span(&v->request)), 0);
	EXPECT(BRSKI_OK, brski_job_answer(v->job, NULL, "connection refused", &err));
	state = brski_job_state(v->job);
	brski_job_free(v->job);
	v->job = NULL;
	return state;
}

START_TEST(a_voucher_ahead_is_used_without_the_masa)
{
	struct promise p = right();
	struct brski_store_nonceless a;
	struct visit v;

	ask_nonceless();
	fetch_nonceless(&p, BRSKI_IMPORT_ANSWERED, "valid");
	EXPECT(BRSKI_OK, brski_store_nonceless_get(store, "acme", SITE_SERIAL, &a, &err));
	ck_assert(!a.waiting && a.voucher.len > 0 && a.expires_on == p.expires_on);
	ck_assert_int_eq(without_masa(&v), BRSKI_JOB_DONE);
	again(&v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER, 200);
	ck_assert(brski_span_equal(brski_buf_span(&v.response.body), brski_buf_span(&a.voucher)));
	visit_close(&v);
	brski_store_nonceless_free(&a);
}
END_TEST

START_TEST(a_masa_out_of_order_is_none)
{
	struct brski_http answer = {0};
	struct promise p = right();
	struct visit v;

	ask_nonceless();
	fetch_nonceless(&p, BRSKI_IMPORT_ANSWERED, "");
	visit_open(&v, &site);
	visit_make_voucher_request(&v);
	ck_assert_uint_eq(
		visit_send(&v, "POST", PATH_VOUCHER, BRSKI_MEDIA_VOUCHER, brski_buf_span(&v.request)), 0);
	EXPECT(BRSKI_OK, brski_http_response(&answer, 429, NULL, brski_span(NULL, 0), &err));
	EXPECT(BRSKI_OK, brski_job_answer(v.job, &answer, NULL, &err));
	ck_assert_int_eq(
		brski_job_state(v.job), BRSKI_JOB_WAITING); /* it has answered, and wants us to wait */
	EXPECT(BRSKI_OK, brski_http_response(&answer, 502, NULL, brski_span(NULL, 0), &err));
	EXPECT(BRSKI_OK, brski_job_answer(v.job, &answer, NULL, &err));
	ck_assert_int_eq(brski_job_state(v.job), BRSKI_JOB_DONE);
	brski_http_free(&answer);
	visit_close(&v);
}
END_TEST

START_TEST(an_expired_voucher_ahead_is_not_used)
{
	struct promise p = right();
	struct visit v;

	ask_nonceless();
	fetch_nonceless(&p, BRSKI_IMPORT_ANSWERED, "");
	site.now = p.expires_on - 1;
	ck_assert_int_eq(without_masa(&v), BRSKI_JOB_DONE);
	/* and what was given to the device is not given again */
	site.now = p.expires_on;
	visit_again(&v);
	again(&v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER, 0);
	visit_close(&v);
	ck_assert_int_eq(without_masa(&v), BRSKI_JOB_WAITING);
	ck_assert(strstr(site.log, "the voucher that was fetched ahead is not used: voucher has expired") !=
		  NULL);
	visit_close(&v);
}
END_TEST

START_TEST(a_voucher_ahead_of_another_issuer_is_not_used)
{
	struct promise p = right();
	char key[BRSKI_FINGERPRINT_MAX];
	struct visit v;

	/* the root's key identifier; but an intermediate issues the devices' certificates */
	EXPECT(BRSKI_OK, brski_exchange_ask(exchange, "acme", SITE_SERIAL, NULL, key, &err));
	fetch_nonceless(&p, BRSKI_IMPORT_ANSWERED, "");
	ck_assert_int_eq(without_masa(&v), BRSKI_JOB_WAITING);
	ck_assert(strstr(site.log, "idevid-issuer") != NULL);
	visit_close(&v);
}
END_TEST

static void fetch_wrong(void *ctx)
{
	const struct promise *p = ctx;

	fetch_nonceless(p, p->foreign_log ? BRSKI_IMPORT_REFUSED : BRSKI_IMPORT_WRONG, "");
}

START_TEST(a_wrong_voucher_ahead_is_not_kept)
{
	struct promise p;
	struct brski_store_nonceless a;
	struct visit v;

	ask_nonceless();
	p = right();
	p.serial = "SN-6666";
	fetch_wrong(&p);
	p = right();
	p.signer = &site.idevid;
	fetch_wrong(&p);
	p = right();
	p.pinned = site.foreign.cert;
	fetch_wrong(&p);
	p = right();
	p.nonce = true;
	fetch_wrong(&p);
	p = right();
	p.expires_on = site.now;
	fetch_wrong(&p);
	p = right();
	p.foreign_log = true;
	fetch_wrong(&p);
	EXPECT(BRSKI_OK, brski_store_nonceless_get(store, "acme", SITE_SERIAL, &a, &err));
	ck_assert(a.waiting && a.voucher.len == 0);
	brski_store_nonceless_free(&a);
	ck_assert_int_eq(without_masa(&v), BRSKI_JOB_WAITING);
	visit_close(&v);
}
END_TEST

START_TEST(a_voucher_ahead_stays_until_the_next_is_here)
{
	struct promise p = right();
	struct brski_store_nonceless first, second;
	struct visit v;

	ask_nonceless();
	fetch_nonceless(&p, BRSKI_IMPORT_ANSWERED, "");
	EXPECT(BRSKI_OK, brski_store_nonceless_get(store, "acme", SITE_SERIAL, &first, &err));
	site.now++;
	ask_nonceless();
	EXPECT(BRSKI_OK, brski_store_nonceless_get(store, "acme", SITE_SERIAL, &second, &err));
	ck_assert(second.waiting && strcmp(first.key, second.key) != 0);
	ck_assert(brski_span_equal(brski_buf_span(&first.voucher), brski_buf_span(&second.voucher)));
	ck_assert_int_eq(without_masa(&v), BRSKI_JOB_DONE);
	visit_close(&v);
	EXPECT(BRSKI_OK, brski_store_nonceless_remove(store, "acme", SITE_SERIAL, &err));
	EXPECT(BRSKI_NOT_FOUND, brski_store_nonceless_remove(store, "acme", SITE_SERIAL, &err));
	brski_store_nonceless_free(&first);
	brski_store_nonceless_free(&second);
}
END_TEST

START_TEST(the_issuer_is_the_whole_extension)
{
	struct brski_buf made = {0}, real = {0};
	char key[BRSKI_FINGERPRINT_MAX];
	struct brski_credential bare =
		pki_make(&(struct pki_spec){.subject = "CN=CA", .ca = true, .no_ski = true}, NULL);

	EXPECT(BRSKI_OK, brski_nonceless_issuer(site.maker_ca.cert, &made, &err));
	EXPECT(BRSKI_OK, brski_cert_authority_key_id(site.idevid.cert, &real, &err));
	ck_assert(brski_span_equal(brski_buf_span(&made), brski_buf_span(&real)));
	EXPECT(BRSKI_NOT_FOUND, brski_nonceless_issuer(bare.cert, &made, &err));
	EXPECT(BRSKI_NOT_FOUND, brski_exchange_ask(exchange, "other", SITE_SERIAL, NULL, key, &err));
	pki_free(&bare);
	brski_buf_free(&made);
	brski_buf_free(&real);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_voucher_comes_in_a_file,
		the_same_answers_again_change_nothing,
		answers_for_another_registrar_change_nothing,
		a_wrong_voucher_changes_nothing,
		no_answer_changes_nothing,
		a_refusal_is_an_answer,
		an_audit_log_that_tells_against_it_is_a_refusal,
		a_part_of_the_answers_is_kept,
		who_may_no_longer_join_gets_no_answer,
		a_certificate_comes_in_a_file,
		a_certificate_by_est_comes_in_files,
		what_was_answered_meanwhile_stays,
		a_request_that_changes_meanwhile,
		a_voucher_ahead_is_used_without_the_masa,
		a_masa_out_of_order_is_none,
		an_expired_voucher_ahead_is_not_used,
		a_voucher_ahead_of_another_issuer_is_not_used,
		a_wrong_voucher_ahead_is_not_kept,
		a_voucher_ahead_stays_until_the_next_is_here,
		the_issuer_is_the_whole_extension,
	};

	return run_tests("exchange", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
