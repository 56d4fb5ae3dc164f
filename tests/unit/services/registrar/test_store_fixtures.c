/* SPDX-License-Identifier: BSD-3-Clause */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "eap_brski/artifacts/voucher_cms.h"
#include "services/registrar/policy.h"
#include "services/registrar/store_internal.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/store_rows.h"
#include "tests/unit/support/visit.h"

/*
 * The registrar's database as version 0.1.0 has written it, with rows in every state
 * (tests/vectors/state-0.1): all of them are read, what waits is finished, and every device gets the
 * answer to the request that it made then.
 */

#define FIXTURES "tests/vectors/state-0.1/registrar"
#define REFUSED_VOUCHER 1735731663 /* when the MASA said no, on 2025-01-01 */
#define REFUSED_CMP 1735732863     /* and the PKI */
#define WRITTEN 1735735863         /* the last row */
#define EXPIRES 253402214399       /* of the voucher without nonce: 9999-12-30T23:59:59Z */

static struct site site;
static struct brski_store *store;
static struct brski_policy *policy;
static struct visit v;
static struct brski_error err;
static char folder[64], path[96];

static void setup(void)
{
	site_load(&site, FIXTURES "/keys");
	temp_make(folder);
	snprintf(path, sizeof(path), "%s/registrar.db", folder);
	ck_assert_int_eq(run("cp " FIXTURES "/registrar.db %s && chmod 640 %s", path, path), 0);
	EXPECT(BRSKI_OK, brski_store_open(path, false, &store, &err));
	EXPECT(BRSKI_OK, brski_policy_new(store, &site.env, &policy, &err));
	site.config.ops = brski_policy_ops();
	site.config.ops_ctx = policy;
	site_restart(&site);
	visit_open(&v, &site);
}

static void teardown(void)
{
	visit_close(&v);
	brski_policy_free(policy);
	brski_store_close(store);
	temp_remove(folder);
	site_close(&site);
}

/* ---- every row is read ---- */

/* user_version, https://www.sqlite.org/fileformat.html 1.3 */
START_TEST(its_schema_becomes_the_newest)
{
	const uint8_t newest[] = {0, 0, 0, (uint8_t)brski_store_schema.version};
	struct brski_buf file;

	brski_store_close(store);
	store = NULL;
	file = file_read(path);
	ck_assert_uint_gt(file.len, 100);
	ck_assert_mem_eq(file.data + 60, newest, 4);
	brski_buf_free(&file);
}
END_TEST

static void on_manufacturer(void *ctx, const struct brski_store_manufacturer *m)
{
	static const char *const names[] = {"acme", "bravo", "charlie", "delta", "echo"};
	unsigned *n = ctx;

	ck_assert_uint_lt(*n, 5);
	ck_assert_str_eq(m->name, names[*n]);
	ck_assert_uint_eq(m->mode, *n);
	ck_assert_uint_gt(m->idevid_anchors.len, 0);
	ck_assert(m->check_voucher == (*n == 0) && m->audit_log == (*n == 0));
	ck_assert(m->allow_foreign_domains == (*n > 0) && m->allow_nonceless == (*n == 0));
	++*n;
}

START_TEST(manufacturers)
{
	struct brski_store_manufacturer m;
	unsigned n = 0;

	each_manufacturer(store, on_manufacturer, &n);
	ck_assert_uint_eq(n, 5);
	EXPECT(BRSKI_OK, brski_store_manufacturer_get(store, "acme", &m, &err));
	ck_assert_str_eq(m.masa_url, "https://masa.acme.example");
	ck_assert_uint_gt(m.voucher_anchors.len, 0);
	ck_assert_uint_gt(m.tls_anchors.len, 0);
	ck_assert_uint_gt(m.crls.len, 0);
	brski_store_manufacturer_free(&m);
}
END_TEST

static void expect_device(
	const char *manufacturer, const char *serial, const char *note, const char *state, time_t last_seen)
{
	struct brski_store_device d;

	EXPECT(BRSKI_OK, brski_store_device_get(store, manufacturer, serial, &d, &err));
	ck_assert_str_eq(d.note, note);
	ck_assert_str_eq(d.state, state);
	ck_assert_int_eq(d.added, 1735729200);
	ck_assert_int_eq(d.last_seen, last_seen);
}

static void on_candidate(void *ctx, const struct brski_store_candidate *c)
{
	*(struct brski_store_candidate *)ctx = *c;
}

START_TEST(devices_and_candidates)
{
	struct brski_store_candidate waits = {.visits = 0}, refused = {.visits = 0};

	expect_device("acme", SITE_SERIAL, "", "onboarded", 1735735863);
	expect_device("acme", "SN-0002", "cellar, rack 4", "listed", 0);
	expect_device("charlie", "C-1", "", "listed", 0);
	each_candidate(store, false, on_candidate, &waits);
	each_candidate(store, true, on_candidate, &refused);
	ck_assert_str_eq(waits.serial_number, "B-1");
	ck_assert_str_eq(waits.subject, "CN=Sensor,O=Bravo");
	ck_assert_uint_eq(waits.visits, 2);
	ck_assert_int_eq(waits.first_seen, 1735729200);
	ck_assert_int_eq(waits.last_seen, 1735729260);
	ck_assert_str_eq(refused.serial_number, "B-2");
	ck_assert_str_eq(refused.note, "stolen");
	EXPECT(BRSKI_OK, brski_store_candidate_accept(store, "bravo", "B-1", "hall", &err));
	EXPECT(BRSKI_OK, brski_store_candidate_accept(store, "bravo", "B-2", NULL, &err));
}
END_TEST

static void on_type(void *ctx, const struct brski_store_type *type)
{
	ck_assert_str_eq(type->manufacturer, "delta");
	ck_assert(strcmp(type->pattern, "CN=Sensor*") == 0 ||
		  strcmp(type->pattern, "oid:1.3.6.1.4.1.9.*") == 0);
	++*(unsigned *)ctx;
}

START_TEST(type_rules)
{
	unsigned n = 0;

	each_type(store, NULL, on_type, &n);
	ck_assert_uint_eq(n, 2);
}
END_TEST

struct history {
	struct brski_store_event first, last;
	unsigned n;
};

static void on_event(void *ctx, const struct brski_store_event *event)
{
	struct history *h = ctx;

	if (h->n++ == 0)
		h->first = *event;
	h->last = *event;
}

START_TEST(history)
{
	struct history h = {.n = 0};

	each_event(store, NULL, 1000, on_event, &h);
	ck_assert_uint_eq(h.n, 49);
	ck_assert_str_eq(h.first.serial_number, "C-1");
	ck_assert_str_eq(h.first.detail, "said three times");
	ck_assert_uint_eq(h.first.times, 3);
	ck_assert(!h.first.ok);
	ck_assert_str_eq(h.last.what, "enroll-status");
	ck_assert_str_eq(h.last.detail, "onboarded");
	ck_assert_int_eq(h.last.at, 1735735863);
}
END_TEST

static void on_nonceless(void *ctx, struct brski_store_nonceless *a)
{
	bool there = strcmp(a->serial_number, SITE_SERIAL) == 0;

	ck_assert_str_eq(a->manufacturer, "acme");
	ck_assert(a->waiting != there);
	ck_assert_int_eq(a->expires_on, there ? EXPIRES : 0);
	ck_assert((a->voucher.len > 0) == there);
	ck_assert_uint_gt(a->request.len, 0);
	ck_assert_uint_gt(a->issuer.len, 0);
	++*(unsigned *)ctx;
}

START_TEST(nonceless_vouchers)
{
	struct brski_store_nonceless a;
	unsigned n = 0;

	each_nonceless(store, NULL, on_nonceless, &n);
	ck_assert_uint_eq(n, 2);
	EXPECT(BRSKI_OK, brski_store_nonceless_get(store, "acme", "SN-0002", &a, &err));
	EXPECT(BRSKI_OK, brski_buf_set(&a.voucher, brski_span_str("a voucher")));
	EXPECT(BRSKI_OK, brski_store_nonceless_fill(store, &a, &err));
	brski_store_nonceless_free(&a);
}
END_TEST

/* ---- what waits is finished ---- */

/* Those that wait, in the order in which they were asked. */
static const char *const waiting[] = {"voucher-waiting", "voucher-audit-log", "voucher-audit-log-get",
	"cmp-waiting", "cmp-polling", "cmp-confirm-waiting"};
#define N_WAITING (sizeof(waiting) / sizeof(waiting[0]))

static bool is_voucher(const char *name)
{
	return strncmp(name, "voucher", 7) == 0;
}

/* The device comes back with the request that it made in 2025. */
static unsigned repeat(const char *name)
{
	char file[128];

	snprintf(file, sizeof(file), FIXTURES "/requests/%s", name);
	brski_buf_free(&v.request);
	v.request = file_read(file);
	visit_again(&v);
	return is_voucher(name) ? visit_repeat(&v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER)
				: visit_cmp(&v, PATH_INITIALIZATION);
}

/* The CA as it was then: it has a request that waits, and answers a pollReq with a certificate. */
static void prepare_ca(const char *name)
{
	site.ca = strcmp(name, "cmp-polling") == 0 ? CA_WAITS : CA_RIGHT;
	site.ca_polls = 0;
	brski_buf_free(&site.ca_first);
	brski_buf_free(&site.ca_nonce);
	site.ca_first = file_read(FIXTURES "/ca-first.der");
	site.ca_nonce = file_read(FIXTURES "/ca-nonce");
}

static void expect_finished(const char *name)
{
	struct brski_voucher voucher;
	STACK_OF(X509) *certs = NULL;

	if (is_voucher(name)) {
		EXPECT(BRSKI_OK, brski_voucher_open(brski_buf_span(&v.response.body), NULL, BRSKI_VOUCHER,
					 &voucher, &certs, &err));
		ck_assert(!voucher.is_request);
		ck_assert_str_eq(voucher.serial_number, SITE_SERIAL);
		brski_voucher_free(&voucher);
		pki_free_certs(certs);
	} else if (strcmp(name, "cmp-confirm-waiting") == 0) {
		ck_assert_int_eq(v.cmp.type, BRSKI_CMP_PKICONF);
	} else {
		ck_assert_int_eq(v.cmp.type, BRSKI_CMP_IP);
		ck_assert_int_eq(v.cmp.status, BRSKI_CMP_ACCEPTED);
		ck_assert_ptr_nonnull(v.cmp.cert);
	}
}

static unsigned waiting_in_store(void)
{
	struct brski_store_job_totals totals;

	EXPECT(BRSKI_OK, brski_store_job_totals(store, &totals, &err));
	return totals.waiting;
}

START_TEST(the_devices_come_back)
{
	ck_assert_uint_eq(waiting_in_store(), N_WAITING);
	for (unsigned i = 0; i < N_WAITING; i++) {
		prepare_ca(waiting[i]);
		ck_assert_msg(repeat(waiting[i]) == 200, "%s: %u", waiting[i], v.response.status);
		expect_finished(waiting[i]);
		ck_assert_uint_eq(waiting_in_store(), N_WAITING - 1 - i);
	}
	/* each step but those that had been made */
	ck_assert_uint_eq(site.n_masa_calls, 1);
	ck_assert_uint_eq(site.n_audit_calls, 3);
	ck_assert_uint_eq(site.n_ca_calls, 3);
}
END_TEST

struct found {
	struct brski_store_job jobs[16];
	unsigned n;
};

static void keep_job(void *ctx, struct brski_store_job *job)
{
	struct found *found = ctx;

	ck_assert_uint_lt(found->n, 16);
	found->jobs[found->n] = *job;
	job->blob = (struct brski_buf){0};
	found->n++;
}

static void finish_in_background(const struct brski_store_job *row, const char *name)
{
	struct brski_job *job;

	ck_assert_int_eq(row->kind, is_voucher(name) ? BRSKI_JOB_VOUCHER : BRSKI_JOB_CMP);
	ck_assert_str_eq(row->manufacturer, "acme");
	ck_assert_str_eq(row->serial_number, SITE_SERIAL);
	prepare_ca(name);
	EXPECT(BRSKI_OK,
		brski_job_load(site.registrar, brski_buf_span(&row->blob), row->revision, &job, &err));
	ck_assert_str_eq(brski_job_key(job), row->key);
	site_drive(&site, job);
	ck_assert_msg(brski_job_state(job) == BRSKI_JOB_DONE, "%s", name);
	brski_job_free(job);
}

START_TEST(the_background_finishes_what_waits)
{
	struct found found = {.n = 0};

	each_job(store, &(struct brski_store_job_filter){.state = BRSKI_JOB_WAITING}, keep_job, &found);
	ck_assert_uint_eq(found.n, N_WAITING);
	for (unsigned i = 0; i < N_WAITING; i++) {
		finish_in_background(&found.jobs[i], waiting[i]);
		brski_store_job_free(&found.jobs[i]);
	}
	ck_assert_uint_eq(waiting_in_store(), 0);
	site.masa = MASA_DOWN;
	site.audit = AUDIT_DOWN;
	site.ca = CA_DOWN;
	for (unsigned i = 0; i < N_WAITING; i++) {
		ck_assert_msg(repeat(waiting[i]) == 200, "%s: %u", waiting[i], v.response.status);
		expect_finished(waiting[i]);
	}
}
END_TEST

/* ---- answers are delivered ---- */

static void expect_same_answer(const char *name)
{
	struct brski_buf kept;
	char file[128];

	snprintf(file, sizeof(file), FIXTURES "/answers/%s", name);
	kept = file_read(file);
	ck_assert_uint_eq(repeat(name), 200);
	ck_assert_msg(brski_span_equal(brski_buf_span(&kept), brski_buf_span(&v.response.body)), "%s", name);
	brski_buf_free(&kept);
}

START_TEST(answers_of_then_are_given_again)
{
	expect_same_answer("voucher-done");
	expect_same_answer("cmp-done");
	ck_assert_uint_eq(repeat("cmp-told-to-poll"), 200);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_WAITING);
	/* refusals for a short while only: who said no may have changed his mind */
	site.now = REFUSED_VOUCHER + 29;
	ck_assert_uint_eq(repeat("voucher-refused"), 403);
	site.now = REFUSED_CMP + 29;
	ck_assert_uint_eq(repeat("cmp-refused"), 200);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_REJECTION);
	/* one certificate was confirmed, so the other requests are over */
	expect_same_answer("cmp-confirmed-done");
	ck_assert_uint_eq(repeat("cmp-told-to-poll"), 200);
	ck_assert_int_eq(v.cmp.fail, BRSKI_CMP_NOT_AUTHORIZED);
	ck_assert_uint_eq(site.n_masa_calls + site.n_audit_calls + site.n_ca_calls, 0);
}
END_TEST

/* A device that was granted a certificate then may report it, and once. */
START_TEST(notes_are_known)
{
	site.now = WRITTEN + 60;
	visit_again(&v);
	ck_assert_uint_eq(visit_status(&v, PATH_ENROLL_STATUS, true), 200);
	ck_assert(brski_registrar_session_enrolled(v.session));
	site.ca = CA_RIGHT;
	visit_again(&v);
	ck_assert_uint_eq(visit_enroll(&v), 200);
	ck_assert_int_eq(v.cmp.fail, BRSKI_CMP_NOT_AUTHORIZED);
	site.now = time(NULL);
	visit_again(&v);
	ck_assert_uint_eq(visit_voucher(&v), 200);
	ck_assert_uint_eq(visit_enroll(&v), 200);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_ACCEPTED);
}
END_TEST

/* What was granted so long ago is worth nothing. */
START_TEST(notes_end_with_time)
{
	site.now = WRITTEN + BRSKI_CERTIFICATE_GRANT_AGE_DEFAULT + 1;
	visit_again(&v);
	ck_assert_uint_eq(visit_status(&v, PATH_ENROLL_STATUS, true), 403);
	ck_assert(visit_reason(&v, "certificate_grant_age"));
	ck_assert_uint_eq(visit_enroll(&v), 403);
	visit_again(&v);
	ck_assert_uint_eq(visit_enroll(&v), 200);
	ck_assert_int_eq(v.cmp.fail, BRSKI_CMP_NOT_AUTHORIZED);
	ck_assert_uint_eq(site.n_ca_calls, 0);
}
END_TEST

START_TEST(the_voucher_without_nonce_serves_when_the_masa_is_away)
{
	struct brski_store_nonceless a;

	site.masa = MASA_DOWN;
	ck_assert_uint_eq(visit_voucher(&v), 200);
	EXPECT(BRSKI_OK, brski_store_nonceless_get(store, "acme", SITE_SERIAL, &a, &err));
	ck_assert(brski_span_equal(brski_buf_span(&a.voucher), brski_buf_span(&v.response.body)));
	brski_store_nonceless_free(&a);
}
END_TEST

static void count_kind(void *ctx, struct brski_store_job *job)
{
	ck_assert_uint_le(job->kind, BRSKI_JOB_CMP);
	ck_assert_uint_eq(job->revision, 1);
	ck_assert_str_eq(job->lease_owner, "");
	((unsigned *)ctx)[job->kind]++;
}

static struct sql_db *open_database(const char *name)
{
	static const struct sql_options options = {0};
	struct sql_db *db;

	EXPECT(BRSKI_OK, sql_open(name, &options, &db, &err));
	return db;
}

static unsigned number_in(struct sql_db *db, const char *text)
{
	struct sql q;
	unsigned n;

	sql_begin(&q, db, text, &err);
	ck_assert_msg(sql_row(&q), "%s", err.why);
	n = (unsigned)sql_int(&q, 0);
	EXPECT(BRSKI_OK, sql_end(&q));
	return n;
}

static unsigned number(const char *text)
{
	struct sql_db *db = open_database(path);
	unsigned n = number_in(db, text);

	sql_close(db);
	return n;
}

START_TEST(kinds_of_jobs_and_the_notes_apart)
{
	unsigned n[2] = {0}, expired;

	for (int state = BRSKI_JOB_WAITING; state <= BRSKI_JOB_REFUSED; state++)
		each_job(store, &(struct brski_store_job_filter){.state = (enum brski_job_state)state},
			count_kind, n);
	ck_assert_uint_eq(n[BRSKI_JOB_VOUCHER], 5);
	ck_assert_uint_eq(n[BRSKI_JOB_CMP], 8);
	ck_assert_uint_eq(number("SELECT count(*) FROM note WHERE of_transaction = 0"), 0);
	ck_assert_uint_eq(number("SELECT count(*) FROM note WHERE of_transaction = 1 AND EXISTS"
				 " (SELECT 1 FROM job WHERE key = note.value)"),
		6);
	EXPECT(BRSKI_OK, brski_store_notes_expire(store, WRITTEN + 1, &expired, &err));
	ck_assert_uint_eq(expired, 0);
	EXPECT(BRSKI_OK, brski_store_jobs_expire(store, WRITTEN + 1, &expired, &err));
	ck_assert_uint_eq(expired, 5 + 8);
	EXPECT(BRSKI_OK, brski_store_notes_expire(store, WRITTEN + 1, &expired, &err));
	ck_assert_uint_eq(expired, 6);
	ck_assert_uint_eq(number("SELECT count(*) FROM note"), 0);
}
END_TEST

/* ---- the steps from schema 4 ---- */

#define N_JOBS 13
#define N_NOTES 8
#define N_OF_TRANSACTIONS 6 /* of these; the other two are one permission now */

/* A file as 0.1.0 has left it. */
static void copy_old(char name[96])
{
	snprintf(name, 96, "%s/old.db", folder);
	ck_assert_int_eq(run("cp " FIXTURES "/registrar.db %s", name), 0);
}

START_TEST(every_job_and_note_of_then_is_there)
{
	struct sql_db *db = open_database(path);
	char old[96];
	struct sql q;

	copy_old(old);
	sql_begin(&q, db, "ATTACH ?1 AS old", &err);
	sql_bind_text(&q, old);
	EXPECT(BRSKI_OK, sql_run(&q));
	ck_assert_uint_eq(number_in(db, "SELECT count(*) FROM old.job"), N_JOBS + N_NOTES);
	ck_assert_uint_eq(number_in(db, "SELECT count(*) FROM job"), N_JOBS);
	ck_assert_uint_eq(number_in(db, "SELECT count(*) FROM note"), N_OF_TRANSACTIONS);
	ck_assert_uint_eq(
		number_in(db, "SELECT count(*) FROM main.job j, old.job o WHERE o.key = j.key"
			      " AND o.kind = j.kind AND o.state = j.state"
			      " AND o.manufacturer = j.manufacturer AND o.serial_number = j.serial_number"
			      " AND o.created = j.created AND o.updated = j.updated AND o.blob = j.blob"
			      " AND revision = 1 AND lease_owner = '' AND lease_until = 0"),
		N_JOBS);
	ck_assert_uint_eq(
		number_in(db, "SELECT count(*) FROM note n, old.job o WHERE o.key = n.key"
			      " AND o.kind = 2 + of_transaction AND o.updated = n.updated"
			      " AND o.manufacturer = n.manufacturer AND o.serial_number = n.serial_number"
			      " AND CAST(o.blob AS TEXT) = json_object("
			      "  'version', 1, 'note', n.name, 'value', n.value)"),
		N_OF_TRANSACTIONS);
	sql_close(db);
}
END_TEST

static void expect_permission(
	const char *key, enum brski_permission_state state, const char *voucher, time_t since)
{
	struct brski_store_permission p;

	EXPECT(BRSKI_OK, brski_store_permission_get(store, key, &p, &err));
	ck_assert_int_eq(p.state, state);
	ck_assert_str_eq(p.voucher, voucher);
	ck_assert_str_eq(p.used_for, "");
	ck_assert_str_eq(p.manufacturer, "acme");
	ck_assert_int_eq(p.since, since);
	ck_assert_uint_eq(p.revision, 1);
}

#define OLD_NOTE(key, serial, at, name, value) \
	"INSERT INTO job SELECT '" key "', 2, 1, 'acme', '" serial "', 1, " at ", CAST(json_object(" \
	"'version', 1, 'note', '" name "', 'value', '" value "') AS BLOB);"

/* Which of a device's notes was the later one is what it may do, from when that was written. */
START_TEST(what_an_old_note_is_worth)
{
	struct brski_store_permission p;
	struct sql_db *db;
	char old[96];

	copy_old(old);
	db = open_database(old);
	EXPECT(BRSKI_OK,
		sql_script(db,
			OLD_NOTE("empty", "S", "1", "voucher", "") OLD_NOTE("full", "T", "7", "voucher", "k")
				OLD_NOTE("v1", "U", "8", "voucher", "l") OLD_NOTE("c1", "U", "9",
					"certificate", "m") OLD_NOTE("v2", "V", "11", "voucher", "n")
					OLD_NOTE("c2", "V", "10", "certificate", "o")
						OLD_NOTE("c3", "W", "12", "certificate", "p"),
			&err));
	sql_close(db);
	brski_store_close(store);
	EXPECT(BRSKI_OK, brski_store_open(old, false, &store, &err));
	EXPECT(BRSKI_NOT_FOUND, brski_store_permission_get(store, "empty", &p, &err)); /* taken back */
	expect_permission("full", BRSKI_PERMISSION_VOUCHER, "k", 7);
	expect_permission("v1", BRSKI_PERMISSION_CERTIFICATE, "l", 9);
	expect_permission("v2", BRSKI_PERMISSION_VOUCHER, "n", 11);
	EXPECT(BRSKI_NOT_FOUND, brski_store_permission_get(store, "c3", &p, &err));
}
END_TEST

static void expect_4_and_then_the_newest(const char *name)
{
	struct brski_store *again;
	struct sql_db *db = open_database(name);

	ck_assert_uint_eq(number_in(db, "SELECT user_version FROM pragma_user_version"), 4);
	ck_assert_uint_eq(number_in(db, "SELECT count(*) FROM job"), N_JOBS + N_NOTES);
	ck_assert_uint_eq(number_in(db, "SELECT count(*) FROM pragma_table_info('job')"), 8);
	ck_assert_uint_eq(number_in(db, "SELECT count(*) FROM sqlite_schema WHERE tbl_name = 'note'"), 0);
	EXPECT(BRSKI_OK, sql_script(db, "DROP INDEX IF EXISTS candidate_by_first_seen", &err));
	sql_close(db);
	EXPECT(BRSKI_OK, brski_store_open(name, false, &again, &err));
	brski_store_close(again);
	db = open_database(name);
	ck_assert_uint_eq(number_in(db, "SELECT user_version FROM pragma_user_version"),
		(unsigned)brski_store_schema.version);
	ck_assert_uint_eq(number_in(db, "SELECT count(*) FROM job"), N_JOBS);
	ck_assert_uint_eq(number_in(db, "SELECT count(*) FROM note"), N_OF_TRANSACTIONS);
	ck_assert_uint_eq(number_in(db, "SELECT count(*) FROM permission"), 1);
	sql_close(db);
}

/* The last statement finds its name taken. */
START_TEST(a_step_that_fails_leaves_4)
{
	struct brski_store *again;
	struct sql_db *db;
	char old[96];

	copy_old(old);
	db = open_database(old);
	EXPECT(BRSKI_OK, sql_script(db, "CREATE INDEX candidate_by_first_seen ON event (at)", &err));
	sql_close(db);
	EXPECT_WHY(BRSKI_INTERNAL, "candidate_by_first_seen", brski_store_open(old, false, &again, &err));
	ck_assert_ptr_null(again);
	expect_4_and_then_the_newest(old);
}
END_TEST

static void step_and_die(const char *name)
{
	struct sql_db *db = open_database(name);

	if (sql_transaction_begin(db, &err) == BRSKI_OK &&
		sql_script(db, brski_store_schema.steps[4], &err) == BRSKI_OK &&
		sql_set_version(db, 5, &err) == BRSKI_OK)
		raise(SIGKILL);
	_exit(1);
}

START_TEST(a_step_that_is_cut_off_leaves_4)
{
	char old[96];
	int status;
	pid_t child;

	copy_old(old);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0)
		step_and_die(old);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	expect_4_and_then_the_newest(old);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {its_schema_becomes_the_newest, manufacturers, devices_and_candidates,
		type_rules, history, nonceless_vouchers, the_devices_come_back,
		the_background_finishes_what_waits, answers_of_then_are_given_again, notes_are_known,
		notes_end_with_time, the_voucher_without_nonce_serves_when_the_masa_is_away,
		kinds_of_jobs_and_the_notes_apart, every_job_and_note_of_then_is_there,
		what_an_old_note_is_worth, a_step_that_fails_leaves_4, a_step_that_is_cut_off_leaves_4};

	return run_tests("store_fixtures", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
