/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <sqlite3.h>

#include "services/registrar/policy.h"
#include "services/registrar/store_internal.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/pki.h"
#include "tests/unit/support/store_rows.h"

/* A store in a file of its own, since two processes share one in real life: every test may open it twice. */
static char folder[64];
static char path[80];
static struct brski_store *store;
static struct brski_error err;

/* What SQLite calls, to see what it waits for. */
static unsigned syncs;

int fdatasync(int fd)
{
	syncs++;
	return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
	syncs++;
	return (int)syscall(SYS_fsync, fd);
}

static void set_up(void)
{
	temp_make(folder);
	snprintf(path, sizeof(path), "%s/r.db", folder);
	ck_assert_msg(brski_store_open(path, true, &store, &err) == BRSKI_OK, "%s", err.why);
}

static void tear_down(void)
{
	brski_store_close(store);
	temp_remove(folder);
}

static void put_manufacturer(
	struct brski_store *in, const char *name, X509 *anchor, enum brski_mode mode, X509_CRL *crl)
{
	struct brski_store_manufacturer m = {.mode = mode, .check_voucher = true, .audit_log = true};
	STACK_OF(X509) *certs = sk_X509_new_null();
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;

	snprintf(m.name, sizeof(m.name), "%s", name);
	snprintf(m.masa_url, sizeof(m.masa_url), "https://masa.example");
	sk_X509_push(certs, anchor);
	ck_assert(brski_certs_to_pem(certs, &m.idevid_anchors, &err) == BRSKI_OK);
	if (crl) {
		PEM_write_bio_X509_CRL(bio, crl);
		len = BIO_get_mem_data(bio, &text);
		ck_assert(brski_buf_set(&m.crls, brski_span(text, (size_t)len)) == BRSKI_OK);
	}
	ck_assert_msg(brski_store_manufacturer_put(in, &m, &err) == BRSKI_OK, "%s", err.why);
	brski_store_manufacturer_free(&m);
	BIO_free(bio);
	sk_X509_free(certs);
}

START_TEST(manufacturers_come_back_as_they_were)
{
	struct brski_credential ca = pki_root("CN=Acme CA");
	struct brski_store_manufacturer m;

	put_manufacturer(store, "acme", ca.cert, BRSKI_MODE_MANUFACTURER, NULL);
	ck_assert(brski_store_manufacturer_get(store, "acme", &m, &err) == BRSKI_OK);
	ck_assert_str_eq(m.name, "acme");
	ck_assert_str_eq(m.masa_url, "https://masa.example");
	ck_assert(m.mode == BRSKI_MODE_MANUFACTURER && m.check_voucher && m.audit_log);
	ck_assert(!m.allow_foreign_domains && !m.allow_nonceless);
	ck_assert(m.idevid_anchors.len > 0 && m.crls.len == 0 && m.tls_anchors.len == 0);
	brski_store_manufacturer_free(&m);
	ck_assert(brski_store_manufacturer_get(store, "other", &m, &err) == BRSKI_NOT_FOUND);
	ck_assert(brski_store_manufacturer_remove(store, "other", &err) == BRSKI_NOT_FOUND);
	pki_free(&ca);
}
END_TEST

START_TEST(changing_a_manufacturer_keeps_its_devices_and_removing_it_does_not)
{
	struct brski_credential ca = pki_root("CN=Acme CA");
	struct brski_store_device d;

	put_manufacturer(store, "acme", ca.cert, BRSKI_MODE_INVENTORY, NULL);
	ck_assert(brski_store_device_put(store, "acme", "S-1", "floor 2", &err) == BRSKI_OK);
	put_manufacturer(store, "acme", ca.cert, BRSKI_MODE_MANUFACTURER, NULL);
	ck_assert(brski_store_device_get(store, "acme", "S-1", &d, &err) == BRSKI_OK);
	ck_assert_str_eq(d.note, "floor 2");
	ck_assert_str_eq(d.state, "listed");
	ck_assert(brski_store_manufacturer_remove(store, "acme", &err) == BRSKI_OK);
	ck_assert(brski_store_device_get(store, "acme", "S-1", &d, &err) == BRSKI_NOT_FOUND);
	pki_free(&ca);
}
END_TEST

START_TEST(devices_need_a_manufacturer)
{
	ck_assert(brski_store_device_put(store, "nobody", "S-1", "", &err) == BRSKI_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(err.why, "nobody"));
	ck_assert(brski_store_device_remove(store, "nobody", "S-1", &err) == BRSKI_NOT_FOUND);
}
END_TEST

START_TEST(hostile_texts_stay_texts)
{
	static const char evil[] = "x'); DROP TABLE device; --";
	struct brski_credential ca = pki_root("CN=Acme CA");
	struct brski_store_device d;

	put_manufacturer(store, "acme", ca.cert, BRSKI_MODE_INVENTORY, NULL);
	ck_assert(brski_store_device_put(store, "acme", evil, evil, &err) == BRSKI_OK);
	ck_assert(brski_store_device_get(store, "acme", evil, &d, &err) == BRSKI_OK);
	ck_assert_str_eq(d.serial_number, evil);
	pki_free(&ca);
}
END_TEST

static void count_job(void *ctx, struct brski_store_job *job)
{
	(*(unsigned *)ctx)++;
	ck_assert_uint_eq(job->blob.len, 5);
}

START_TEST(jobs_survive_reopening)
{
	struct brski_store_job job = {.kind = BRSKI_JOB_CMP, .state = BRSKI_JOB_WAITING, .updated = 1000},
			       back;
	unsigned n = 0;

	strcpy(job.key, "aa");
	ck_assert(brski_buf_set(&job.blob, brski_span("12345", 5)) == BRSKI_OK);
	ck_assert(store_put_job(store, &job, NULL, &err) == BRSKI_OK);
	job.updated = 2000;
	ck_assert(store_put_job(store, &job, NULL, &err) == BRSKI_OK);
	brski_store_close(store);
	ck_assert(brski_store_open(path, false, &store, &err) == BRSKI_OK);
	ck_assert(brski_store_job_get(store, "aa", &back, &err) == BRSKI_OK);
	ck_assert(back.kind == BRSKI_JOB_CMP && back.created == 1000 && back.updated == 2000);
	brski_store_job_free(&back);
	each_job(store, &(struct brski_store_job_filter){.state = BRSKI_JOB_WAITING}, count_job, &n);
	ck_assert(n == 1);
	each_job(store, &(struct brski_store_job_filter){.state = BRSKI_JOB_DONE}, count_job, &n);
	ck_assert(n == 1);
	ck_assert(brski_store_jobs_expire(store, 2000, &n, &err) == BRSKI_OK && n == 0);
	ck_assert(brski_store_jobs_expire(store, 2001, &n, &err) == BRSKI_OK && n == 1);
	ck_assert(brski_store_job_get(store, "aa", &back, &err) == BRSKI_NOT_FOUND);
	brski_store_job_free(&job);
}
END_TEST

/* Who else changes jobs: triggers, and those who keep a device's to its share. */
START_TEST(jobs_are_counted_whoever_changes_them)
{
	static const struct sql_options options = {.busy_ms = 1000};
	struct sql_db *db;
	struct sql q;

	ck_assert(sql_open(path, &options, &db, &err) == BRSKI_OK);
	ck_assert(
		sql_script(db,
			"INSERT INTO manufacturer VALUES ('acme','',x'',x'',x'',x'',0,1,1,0,0);"
			"INSERT INTO device VALUES ('acme','S-1','',1,'onboarded',7);"
			"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)"
			" INSERT INTO job (key, kind, state, manufacturer, serial_number, created, updated, blob)"
			" SELECT 'k' || i, i % 2, i % 3, 'acme', 'S-' || (i % 4), i, i, zeroblob(i) FROM n;"
			"UPDATE job SET state = 1, blob = zeroblob(7) WHERE key IN ('k3', 'k6', 'k9');"
			"UPDATE job SET state = 0 WHERE key IN ('k1', 'k2');"
			"UPDATE job SET blob = zeroblob(1000) WHERE key = 'k20';"
			"UPDATE job SET lease_owner = 'me', lease_until = 99 WHERE state = 0;"
			"DELETE FROM job WHERE key > 'k5';"
			"DELETE FROM device WHERE serial_number = 'S-1'",
			&err) == BRSKI_OK);
	sql_begin(&q, db,
		"SELECT count(*), (SELECT count(*) FROM job), (SELECT count(*) FROM"
		" (SELECT state, kind, count(*), sum(length(blob)) FROM job GROUP BY state, kind"
		"  EXCEPT SELECT state, kind, jobs, octets FROM job_total)),"
		" (SELECT count(*) FROM job WHERE state = 1 AND kind = 0 AND serial_number = 'S-1')"
		" FROM job_total WHERE jobs > 0",
		&err);
	ck_assert(sql_row(&q));
	ck_assert_int_ge(sql_int(&q, 0), 5);
	ck_assert_int_gt(sql_int(&q, 1), 30);
	ck_assert_int_eq(sql_int(&q, 2), 0);
	ck_assert_int_eq(sql_int(&q, 3), 0); /* the trigger has been there */
	ck_assert(sql_end(&q) == BRSKI_OK);
	sql_close(db);
}
END_TEST

START_TEST(an_older_database_gets_what_was_added_since)
{
	static const struct sql_options options = {.create = true, .mode = 0640};
	struct sql_schema first = {.steps = brski_store_schema.steps, .version = 1};
	struct brski_store_job_totals totals;
	enum brski_standing standing;
	char older[300];
	struct sql_db *db;
	int found;

	snprintf(older, sizeof(older), "%s.old", path);
	ck_assert(sql_open(older, &options, &db, &err) == BRSKI_OK);
	ck_assert(sql_migrate(db, &first, &found, &err) == BRSKI_OK);
	ck_assert(sql_script(db,
			  "INSERT INTO manufacturer VALUES ('acme','','','','','',0,1,1,0,0);"
			  "INSERT INTO device VALUES ('acme','S-1','','1','onboarded',7);"
			  "INSERT INTO job VALUES ('aa',1,0,'acme','S-1',1000,1000,'12345')",
			  &err) == BRSKI_UNEXPECTED); /* STRICT: the blob is a text */
	ck_assert(sql_script(db,
			  "INSERT INTO manufacturer VALUES ('acme','',x'',x'',x'',x'',0,1,1,0,0);"
			  "INSERT INTO device VALUES ('acme','S-1','',1,'onboarded',7);"
			  "INSERT INTO job VALUES ('aa',1,0,'acme','S-1',1000,1000,x'3132333435')",
			  &err) == BRSKI_OK);
	sql_close(db);
	brski_store_close(store);
	ck_assert_msg(brski_store_open(older, false, &store, &err) == BRSKI_OK, "%s", err.why);
	ck_assert(brski_store_job_totals(store, &totals, &err) == BRSKI_OK);
	ck_assert(totals.waiting == 1 && totals.oldest == 1000 && totals.octets == 5);
	ck_assert(brski_store_standing(store, "acme", "S-1", &standing, &err) == BRSKI_OK);
	ck_assert(standing == BRSKI_STANDING_LISTED);
	ck_assert(brski_store_candidate_refuse(store, "acme", "S-1", NULL, &err) == BRSKI_OK);
	ck_assert(brski_store_standing(store, "acme", "S-1", &standing, &err) == BRSKI_OK);
	ck_assert(standing == BRSKI_STANDING_REFUSED);
	unlink(older);
}
END_TEST

static void note_turn(void *ctx, struct brski_store_job *job)
{
	brski_printf(ctx, "%s ", job->key);
}

static void expect_turn(enum brski_job_kind kind, const char *back_end, const char *want)
{
	const struct brski_store_turn turn = {.kind = kind, .back_end = back_end};
	struct brski_buf keys = {0};

	each_turn(store, &turn, note_turn, &keys);
	ck_assert_msg(brski_span_equal(brski_buf_span(&keys), brski_span_str(want)), "%.*s, not %s",
		(int)keys.len, keys.data, want);
	brski_buf_free(&keys);
}

/* As version 0.3.0 has left it: nobody knows whom the requests call, but each maker's are told apart. */
START_TEST(what_waits_in_an_older_database_has_its_turn)
{
	static const struct sql_options options = {.create = true, .mode = 0640};
	struct sql_schema sixth = {.steps = brski_store_schema.steps, .version = 6};
	char older[300];
	struct sql_db *db;
	int found;

	snprintf(older, sizeof(older), "%s.old", path);
	ck_assert(sql_open(older, &options, &db, &err) == BRSKI_OK);
	ck_assert(sql_migrate(db, &sixth, &found, &err) == BRSKI_OK);
	ck_assert(
		sql_script(db,
			"INSERT INTO job (key, kind, state, manufacturer, serial_number, created, updated, blob)"
			" VALUES ('a', 0, 0, 'acme', 'S', 1, 1, x''), ('b', 0, 1, 'acme', 'S', 1, 1, x''),"
			" ('c', 0, 0, 'bravo', 'S', 1, 1, x''), ('d', 1, 0, 'acme', 'S', 1, 1, x''),"
			" ('e', 0, 0, 'acme', 'T', 1, 1, x'')",
			&err) == BRSKI_OK);
	sql_close(db);
	brski_store_close(store);
	ck_assert_msg(brski_store_open(older, false, &store, &err) == BRSKI_OK, "%s", err.why);
	expect_turn(BRSKI_JOB_VOUCHER, "acme", "a e ");
	expect_turn(BRSKI_JOB_VOUCHER, "bravo", "c ");
	expect_turn(BRSKI_JOB_CMP, "", "d ");
	unlink(older);
}
END_TEST

/* As version 0.4.0 has left it: no door has said that it has rules. */
START_TEST(doors_with_rules_are_remembered_and_an_older_database_has_none)
{
	static const struct sql_options options = {.create = true, .mode = 0640};
	struct sql_schema seventh = {.steps = brski_store_schema.steps, .version = 7};
	struct brski_store_place place = {0};
	struct brski_store_rules rows[3];
	char older[300], name[BRSKI_STORE_DOOR_MAX + 1];
	struct sql_db *db;
	unsigned n;
	int found;

	snprintf(older, sizeof(older), "%s.old", path);
	ck_assert(sql_open(older, &options, &db, &err) == BRSKI_OK);
	ck_assert(sql_migrate(db, &seventh, &found, &err) == BRSKI_OK);
	sql_close(db);
	brski_store_close(store);
	ck_assert_msg(brski_store_open(older, false, &store, &err) == BRSKI_OK, "%s", err.why);
	ck_assert(brski_store_rules_page(store, &place, rows, 3, &n, &err) == BRSKI_OK && n == 0);
	ck_assert(brski_store_rules_set(store, "b of /etc/b", "virtual server x", &err) == BRSKI_OK);
	ck_assert(brski_store_rules_set(store, "a of /etc/a", "virtual server y", &err) == BRSKI_OK);
	ck_assert(brski_store_rules_set(store, "b of /etc/b", "virtual server z", &err) == BRSKI_OK);
	ck_assert(brski_store_rules_set(store, "c of /etc/c", NULL, &err) == BRSKI_OK);
	brski_store_close(store);
	ck_assert_msg(brski_store_open(older, false, &store, &err) == BRSKI_OK, "%s", err.why);
	place = (struct brski_store_place){0};
	ck_assert(brski_store_rules_page(store, &place, rows, 3, &n, &err) == BRSKI_OK && n == 2);
	ck_assert_str_eq(rows[0].door, "a of /etc/a");
	ck_assert_str_eq(rows[1].door, "b of /etc/b");
	ck_assert_str_eq(rows[1].rules, "virtual server z");
	ck_assert(rows[0].since > 0);
	ck_assert(brski_store_rules_set(store, "a of /etc/a", NULL, &err) == BRSKI_OK);
	place = (struct brski_store_place){0};
	ck_assert(brski_store_rules_page(store, &place, rows, 1, &n, &err) == BRSKI_OK && n == 1);
	ck_assert_str_eq(rows[0].door, "b of /etc/b");
	ck_assert(brski_store_rules_page(store, &place, rows, 1, &n, &err) == BRSKI_OK && n == 0);
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	ck_assert(brski_store_rules_set(store, name, "virtual server x", &err) == BRSKI_TOO_LARGE);
	unlink(older);
}
END_TEST

/* What stands already costs no write: a server may start while another one has the lock. */
START_TEST(a_door_that_says_the_same_again_writes_nothing)
{
	uint64_t before, after;
	struct brski_store *other;

	ck_assert(brski_store_rules_set(store, "a", "virtual server x", &err) == BRSKI_OK);
	ck_assert(brski_store_open(path, false, &other, &err) == BRSKI_OK);
	ck_assert(brski_store_generation(store, &before, &err) == BRSKI_OK);
	ck_assert(brski_store_rules_set(other, "a", "virtual server x", &err) == BRSKI_OK);
	ck_assert(brski_store_rules_set(other, "b", NULL, &err) == BRSKI_OK);
	ck_assert(brski_store_generation(store, &after, &err) == BRSKI_OK);
	ck_assert(before == after);
	ck_assert(brski_store_rules_set(other, "a", NULL, &err) == BRSKI_OK);
	ck_assert(brski_store_generation(store, &after, &err) == BRSKI_OK);
	ck_assert(before != after);
	brski_store_close(other);
}
END_TEST

/* ---- Devices that the operator must decide on ---- */

static enum brski_standing standing_of(const char *serial)
{
	enum brski_standing standing;

	ck_assert(brski_store_standing(store, "acme", serial, &standing, &err) == BRSKI_OK);
	return standing;
}

static enum brski_code knock(const char *serial, time_t at, unsigned most)
{
	struct brski_store_candidate c = {.manufacturer = "acme", .last_seen = at, .subject = "CN=Sensor"};

	snprintf(c.serial_number, sizeof(c.serial_number), "%s", serial);
	return brski_store_candidate_seen(store, &c, most, &err);
}

static void last_candidate(void *ctx, const struct brski_store_candidate *c)
{
	*(struct brski_store_candidate *)ctx = *c;
}

static void acme(void)
{
	struct brski_credential ca = pki_root("CN=Acme CA");

	put_manufacturer(store, "acme", ca.cert, BRSKI_MODE_MANUAL, NULL);
	pki_free(&ca);
}

START_TEST(a_candidate_waits_until_it_is_accepted)
{
	struct brski_store_candidate c = {.note = ""};
	struct brski_store_device d;

	ck_assert(knock("S-1", 1000, 10) == BRSKI_NOT_FOUND); /* no such manufacturer */
	acme();
	ck_assert(standing_of("S-1") == BRSKI_STANDING_UNKNOWN);
	ck_assert(knock("S-1", 1000, 10) == BRSKI_OK);
	ck_assert(knock("S-1", 2000, 10) == BRSKI_OK);
	ck_assert(standing_of("S-1") == BRSKI_STANDING_PENDING);
	each_candidate(store, false, last_candidate, &c);
	ck_assert_str_eq(c.subject, "CN=Sensor");
	ck_assert(c.first_seen == 1000 && c.last_seen == 2000 && c.visits == 2 && !c.refused);
	ck_assert(brski_store_candidate_accept(store, "acme", "S-2", NULL, &err) == BRSKI_NOT_FOUND);
	ck_assert(brski_store_candidate_accept(store, "acme", "S-1", "cellar", &err) == BRSKI_OK);
	ck_assert(standing_of("S-1") == BRSKI_STANDING_LISTED);
	ck_assert(brski_store_device_get(store, "acme", "S-1", &d, &err) == BRSKI_OK);
	ck_assert_str_eq(d.note, "cellar");
	/* nobody is asked again, also when the visit that was under way ends now */
	ck_assert(knock("S-1", 3000, 10) == BRSKI_OK);
	ck_assert(standing_of("S-1") == BRSKI_STANDING_LISTED);
	c.visits = 0;
	each_candidate(store, false, last_candidate, &c);
	ck_assert(!c.visits);
}
END_TEST

START_TEST(a_refusal_stays_until_the_operator_takes_it_back)
{
	struct brski_store_device d;
	unsigned n;

	acme();
	ck_assert(knock("S-1", 1000, 10) == BRSKI_OK);
	ck_assert(brski_store_candidate_refuse(store, "acme", "S-1", NULL, &err) == BRSKI_OK);
	ck_assert(standing_of("S-1") == BRSKI_STANDING_REFUSED);
	ck_assert(knock("S-1", 2000, 10) == BRSKI_OK);
	ck_assert(standing_of("S-1") == BRSKI_STANDING_REFUSED);
	ck_assert(brski_store_candidates_expire(store, 99999, &n, &err) == BRSKI_OK && n == 0);
	ck_assert(brski_store_candidate_accept(store, "acme", "S-1", NULL, &err) == BRSKI_OK);
	ck_assert(standing_of("S-1") == BRSKI_STANDING_LISTED);
	/* one of the inventory, and one that never came */
	ck_assert(brski_store_candidate_refuse(store, "acme", "S-1", "stolen", &err) == BRSKI_OK);
	ck_assert(standing_of("S-1") == BRSKI_STANDING_REFUSED);
	ck_assert(brski_store_device_get(store, "acme", "S-1", &d, &err) == BRSKI_NOT_FOUND);
	ck_assert(brski_store_candidate_refuse(store, "acme", "S-9", NULL, &err) == BRSKI_OK);
	ck_assert(standing_of("S-9") == BRSKI_STANDING_REFUSED);
	ck_assert(brski_store_device_put(store, "acme", "S-9", "", &err) == BRSKI_OK);
	ck_assert(standing_of("S-9") == BRSKI_STANDING_LISTED);
	ck_assert(brski_store_candidate_refuse(store, "nobody", "S-9", NULL, &err) == BRSKI_NOT_FOUND);
}
END_TEST

START_TEST(candidates_are_bounded_in_number_and_age)
{
	unsigned n;

	acme();
	ck_assert(knock("S-1", 1000, 2) == BRSKI_OK);
	ck_assert(knock("S-2", 2000, 2) == BRSKI_OK);
	ck_assert(knock("S-3", 3000, 2) == BRSKI_TOO_LARGE);
	ck_assert(standing_of("S-3") == BRSKI_STANDING_UNKNOWN);
	ck_assert(knock("S-2", 2500, 2) == BRSKI_OK); /* who waits already goes on */
	ck_assert(brski_store_candidates_expire(store, 2000, &n, &err) == BRSKI_OK && n == 1);
	ck_assert(knock("S-3", 3000, 2) == BRSKI_OK);
	ck_assert(standing_of("S-1") == BRSKI_STANDING_UNKNOWN);
}
END_TEST

static void last_type(void *ctx, const struct brski_store_type *type)
{
	*(struct brski_store_type *)ctx = *type;
}

START_TEST(type_rules_come_and_go)
{
	struct brski_store_type got = {.pattern = ""};

	ck_assert(brski_store_type_put(store, "acme", "CN=*", &err) == BRSKI_NOT_FOUND);
	acme();
	ck_assert(brski_store_type_put(store, "acme", "CN=*", &err) == BRSKI_OK);
	ck_assert(brski_store_type_put(store, "acme", "CN=*", &err) == BRSKI_OK);
	each_type(store, "acme", last_type, &got);
	ck_assert_str_eq(got.pattern, "CN=*");
	ck_assert(brski_store_type_remove(store, "acme", "CN=", &err) == BRSKI_NOT_FOUND);
	ck_assert(brski_store_type_remove(store, "acme", "CN=*", &err) == BRSKI_OK);
	got.pattern[0] = '\0';
	each_type(store, NULL, last_type, &got);
	ck_assert_str_eq(got.pattern, "");
}
END_TEST

/* ---- Bounds on requests ---- */

static enum brski_code admit(const char *key, const char *serial, enum brski_job_state state,
	const struct brski_store_limits *limits)
{
	struct brski_store_job job = {.kind = BRSKI_JOB_CMP,
		.work = BRSKI_WORK_CERTIFICATE,
		.state = state,
		.manufacturer = "acme",
		.updated = 1000};
	enum brski_code code;

	snprintf(job.key, sizeof(job.key), "%s", key);
	snprintf(job.serial_number, sizeof(job.serial_number), "%s", serial);
	ck_assert(brski_buf_set(&job.blob, brski_span("12345", 5)) == BRSKI_OK);
	code = store_put_job(store, &job, limits, &err);
	brski_store_job_free(&job);
	return code;
}

START_TEST(waiting_requests_are_bounded)
{
	struct brski_store_limits limits = {.waiting = 3, .waiting_per_device = 2, .octets = 5};
	struct brski_store_note note = {.key = "note", .name = "granted", .value = "k", .updated = 1000};
	struct brski_store_job_totals totals;
	unsigned n;

	ck_assert(admit("a1", "S-1", BRSKI_JOB_WAITING, &limits) == BRSKI_OK);
	ck_assert(admit("a2", "S-1", BRSKI_JOB_WAITING, &limits) == BRSKI_OK);
	ck_assert(admit("a3", "S-1", BRSKI_JOB_WAITING, &limits) == BRSKI_TOO_LARGE);
	ck_assert_ptr_nonnull(strstr(err.why, "max_waiting_per_device"));
	ck_assert(admit("b1", "S-2", BRSKI_JOB_WAITING, &limits) == BRSKI_OK);
	ck_assert(admit("c1", "S-3", BRSKI_JOB_WAITING, &limits) == BRSKI_TOO_LARGE);
	ck_assert_ptr_nonnull(strstr(err.why, "(max_waiting)"));
	/* what is accepted is never lost: it may change, and get its answer */
	limits = (struct brski_store_limits){.waiting = 1, .waiting_per_device = 1, .octets = 1};
	ck_assert(admit("a2", "S-1", BRSKI_JOB_WAITING, &limits) == BRSKI_OK);
	ck_assert(admit("a2", "S-1", BRSKI_JOB_DONE, &limits) == BRSKI_OK);
	ck_assert(admit("n1", "S-9", BRSKI_JOB_DONE, &limits) == BRSKI_OK);
	limits = (struct brski_store_limits){.octets = 4};
	ck_assert(admit("d1", "S-4", BRSKI_JOB_WAITING, &limits) == BRSKI_TOO_LARGE);
	ck_assert_ptr_nonnull(strstr(err.why, "max_waiting_size"));
	limits = (struct brski_store_limits){0};
	ck_assert(admit("d1", "S-4", BRSKI_JOB_WAITING, &limits) == BRSKI_OK);
	ck_assert(brski_store_job_totals(store, &totals, &err) == BRSKI_OK);
	ck_assert(totals.waiting == 3 && totals.waiting_by_kind[BRSKI_JOB_CMP] == 3);
	ck_assert(totals.done == 2 && totals.refused == 0 && totals.oldest == 1000 && totals.octets == 25);
	/* notes are what a device needs when it comes back, whenever that is */
	ck_assert(brski_store_note_put(store, &note, &err) == BRSKI_OK);
	ck_assert(brski_store_jobs_expire(store, 1001, &n, &err) == BRSKI_OK && n == 5);
	ck_assert(brski_store_notes_expire(store, 1001, &n, &err) == BRSKI_OK && n == 0);
	ck_assert(brski_store_job_totals(store, &totals, &err) == BRSKI_OK);
	ck_assert(totals.waiting == 0 && totals.done == 0 && totals.octets == 0);
	ck_assert(brski_store_note_get(store, "note", &note, &err) == BRSKI_OK);
}
END_TEST

/* A device that the policy accepts may still be one that never stops asking. */
START_TEST(vouchers_of_one_device_are_bounded)
{
	struct brski_store_limits limits = {0};
	struct brski_store_job job = {
		.kind = BRSKI_JOB_VOUCHER, .manufacturer = "acme", .serial_number = "S-1"};
	struct brski_store_job_totals totals;

	ck_assert(admit("cmp", "S-1", BRSKI_JOB_DONE, &limits) == BRSKI_OK);
	for (int i = 0; i < 100; i++) {
		snprintf(job.key, sizeof(job.key), "k%02d", i);
		job.updated = 2000 + i;
		job.state = BRSKI_JOB_WAITING;
		ck_assert(store_put_job(store, &job, &limits, &err) == BRSKI_OK);
		job.state = BRSKI_JOB_DONE;
		ck_assert(store_put_job(store, &job, &limits, &err) == BRSKI_OK);
	}
	ck_assert(brski_store_job_totals(store, &totals, &err) == BRSKI_OK);
	ck_assert_uint_eq(totals.done, 1 + 16 + 1); /* CMP, the bound, and the newest */
	ck_assert(brski_store_job_get(store, "k99", &job, &err) == BRSKI_OK);
	brski_store_job_free(&job);
	ck_assert(brski_store_job_get(store, "k00", &job, &err) == BRSKI_NOT_FOUND);
}
END_TEST

START_TEST(transactions_go_with_their_requests)
{
	struct brski_store_note note = {
		.key = "t1", .name = "transaction", .value = "k1", .of_transaction = true, .updated = 1000};
	struct brski_store_job job = {.key = "k1", .kind = BRSKI_JOB_CMP, .updated = 3000};
	unsigned n;

	ck_assert(brski_store_note_put(store, &note, &err) == BRSKI_OK);
	ck_assert(brski_store_job_add(store, &job, NULL, &err) == BRSKI_OK);
	ck_assert(brski_store_jobs_expire(store, 2000, &n, &err) == BRSKI_OK && n == 0);
	ck_assert(brski_store_notes_expire(store, 2000, &n, &err) == BRSKI_OK && n == 0);
	ck_assert(brski_store_note_get(store, "t1", &note, &err) == BRSKI_OK);
	ck_assert(brski_store_jobs_expire(store, 4000, &n, &err) == BRSKI_OK && n == 1);
	ck_assert(brski_store_notes_expire(store, 4000, &n, &err) == BRSKI_OK && n == 1);
	ck_assert(brski_store_note_get(store, "t1", &note, &err) == BRSKI_NOT_FOUND);
}
END_TEST

static void last_event(void *ctx, const struct brski_store_event *e)
{
	*(struct brski_store_event *)ctx = *e;
}

/* A whole round. */
static unsigned trim(unsigned keep, unsigned share)
{
	struct brski_store_trim round = {0};
	unsigned steps = 0;
	bool more;

	do {
		ck_assert_msg(brski_store_events_trim(store, keep, share, &round, &more, &err) == BRSKI_OK,
			"%s", err.why);
		steps++;
	} while (more);
	return steps;
}

START_TEST(history_is_in_order_and_can_be_trimmed)
{
	struct brski_store_event e = {.manufacturer = "acme", .serial_number = "S-1", .what = "policy"},
				 got = {0};

	for (int i = 1; i <= 5; i++) {
		e.at = i;
		snprintf(e.detail, sizeof(e.detail), "number %d", i);
		ck_assert(brski_store_event_add(store, &e, &err) == BRSKI_OK);
	}
	each_event(store, "S-1", 2, last_event, &got);
	ck_assert_str_eq(got.detail, "number 5");
	trim(1, 0);
	got = (struct brski_store_event){0};
	each_event(store, "S-2", 10, last_event, &got);
	ck_assert(got.at == 0);
	each_event(store, NULL, 10, last_event, &got);
	ck_assert(got.at == 5);
}
END_TEST

static unsigned syncs_of_a_job(const char *key)
{
	struct brski_store_job job = {.kind = BRSKI_JOB_VOUCHER, .state = BRSKI_JOB_WAITING};
	unsigned before = syncs;

	snprintf(job.key, sizeof(job.key), "%s", key);
	ck_assert(store_put_job(store, &job, NULL, &err) == BRSKI_OK);
	return syncs - before;
}

/* What a device is told must outlive a power failure; what happened is written down in passing. */
START_TEST(the_disk_is_waited_for_with_jobs_and_not_with_history)
{
	struct brski_store_event e = {.at = 1, .what = "voucher", .ok = true};
	struct brski_store_note note = {.key = "n", .name = "voucher", .value = "k1"};
	struct brski_store_job job;
	struct brski_credential ca = pki_root("CN=Acme CA");
	unsigned before;

	put_manufacturer(store, "acme", ca.cert, BRSKI_MODE_INVENTORY, NULL);
	ck_assert(brski_store_device_put(store, "acme", "S1", "", &err) == BRSKI_OK);
	ck_assert_uint_gt(syncs_of_a_job("k1"), 0);
	before = syncs;
	ck_assert(brski_store_event_add(store, &e, &err) == BRSKI_OK);
	ck_assert(brski_store_device_seen(store, "acme", "S1", "onboarded", &err) == BRSKI_OK);
	ck_assert(brski_store_job_lease(store, "k1", "server", 60, &job, &err) == BRSKI_OK);
	brski_store_job_free(&job);
	ck_assert(brski_store_job_release(store, "k1", "server", 0, &err) == BRSKI_OK);
	ck_assert_uint_eq(syncs, before);
	ck_assert(brski_store_note_put(store, &note, &err) == BRSKI_OK);
	ck_assert_uint_gt(syncs, before);
	ck_assert_uint_gt(syncs_of_a_job("k2"), 0);
	pki_free(&ca);
}
END_TEST

static void add_event(const char *serial, const char *detail, time_t at)
{
	struct brski_store_event e = {.at = at, .manufacturer = "acme", .what = "policy", .ok = true};

	snprintf(e.serial_number, sizeof(e.serial_number), "%s", serial);
	snprintf(e.detail, sizeof(e.detail), "%s", detail);
	ck_assert(brski_store_event_add(store, &e, &err) == BRSKI_OK);
}

static void first_event(void *ctx, const struct brski_store_event *e)
{
	struct brski_store_event *got = ctx;

	if (got->at == 0)
		*got = *e;
}

static void count_event(void *ctx, const struct brski_store_event *e)
{
	unsigned *n = ctx;

	n[0]++;
	n[1] += e->times;
}

START_TEST(what_repeats_itself_does_not_fill_the_history)
{
	struct brski_store_event got = {0};
	unsigned n[2] = {0};

	for (int i = 1; i <= 10; i++) {
		add_event("S-1", "waits for the operator", i);
		add_event("S-2", "waits for the operator", i);
		add_event("S-1", "told to come back", i);
	}
	each_event(store, "S-1", 100, count_event, n);
	ck_assert(n[0] == 2 && n[1] == 20);
	each_event(store, "S-2", 100, last_event, &got);
	ck_assert(got.at == 10 && got.times == 10);
	/* only what has just been */
	add_event("S-1", "accepted", 11);
	add_event("S-1", "onboarded", 12);
	add_event("S-1", "waits for the operator", 13);
	n[0] = n[1] = 0;
	each_event(store, "S-1", 100, count_event, n);
	ck_assert(n[0] == 5 && n[1] == 23);
}
END_TEST

/* Anybody can have himself refused in the handshake, under a new name each time. */
START_TEST(strangers_do_not_push_out_the_history)
{
	struct brski_store_event e = {.at = 2, .what = "peer"};
	unsigned n[2] = {0};

	add_event("S-1", "onboarded", 1);
	for (int i = 0; i < 50; i++) {
		snprintf(e.serial_number, sizeof(e.serial_number), "X-%d", i);
		ck_assert(brski_store_event_add(store, &e, &err) == BRSKI_OK);
	}
	trim(20, 0);
	each_event(store, "S-1", 100, count_event, n);
	ck_assert(n[0] == 1);
	each_event(store, "X-49", 100, count_event, n);
	ck_assert(n[0] == 2);
	each_event(store, NULL, 100, count_event, n);
	ck_assert_uint_eq(n[0] - 2, 1 + 3);
}
END_TEST

/* A device that is refused again and again pushes out what is told of it, and nothing else. */
START_TEST(one_device_does_not_push_out_the_history)
{
	char words[32];
	unsigned n[2] = {0};

	for (int i = 0; i < 10; i++) {
		snprintf(words, sizeof(words), "visit %d", i);
		add_event("S-1", words, 100 + i);
	}
	for (int i = 0; i < 1000; i++) {
		snprintf(words, sizeof(words), "refusal %d", i);
		add_event("S-2", words, 200 + i);
	}
	trim(1000, 1000);
	each_event(store, "S-1", 2000, count_event, n);
	ck_assert_uint_eq(n[0], 10);
	each_event(store, "S-2", 2000, count_event, n);
	ck_assert_uint_eq(n[0] - 10, 101); /* a tenth at most, whatever its share is */
	trim(1000, 7);
	n[0] = 0;
	each_event(store, NULL, 2000, count_event, n);
	ck_assert_uint_eq(n[0], 7 + 7);
}
END_TEST

/* Nor does one that claims its serial number, with a certificate of its own making. */
START_TEST(a_stranger_does_not_spoil_the_history_of_another)
{
	struct brski_store_event e = {.what = "peer"}, got = {0};
	unsigned n[2] = {0};

	snprintf(e.serial_number, sizeof(e.serial_number), "S-1");
	for (int i = 0; i < 50; i++) {
		add_event("S-1", "waits for the operator", 100 + i);
		for (int k = 0; k < 3; k++) {
			snprintf(e.detail, sizeof(e.detail), "stranger %d", 3 * i + k);
			ck_assert(brski_store_event_add(store, &e, &err) == BRSKI_OK);
		}
	}
	trim(100, 100);
	each_event(store, "S-1", 1000, count_event, n);
	ck_assert_uint_eq(n[0], 1 + 2); /* its own, all in one; a tenth of a tenth is the stranger's */
	each_event(store, "S-1", 1000, first_event, &got);
	ck_assert_str_eq(got.detail, "waits for the operator");
	ck_assert_uint_eq(got.times, 50);
}
END_TEST

static int64_t number(struct sql_db *db, const char *text)
{
	struct sql q;
	int64_t n = -1;

	sql_begin(&q, db, text, &err);
	if (sql_row(&q))
		n = sql_int(&q, 0);
	ck_assert_msg(sql_end(&q) == BRSKI_OK, "%s", err.why);
	return n;
}

/*
 * 9,000 events: 3,000 of one device; 2,500 of 500 others, in turns; 3,500 of strangers, the newest. No
 * step removes more than some hundred, and those that stay are the newest of each.
 */
START_TEST(the_history_is_shortened_in_steps)
{
	static const struct sql_options options = {.busy_ms = 1000};
	struct brski_store_trim round = {0};
	int64_t left = 9000, now;
	unsigned steps = 0;
	bool more = true;
	struct sql_db *db;

	ck_assert(sql_open(path, &options, &db, &err) == BRSKI_OK);
	ck_assert(
		sql_script(db,
			"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000)"
			" INSERT INTO event (id, at, manufacturer, serial_number, what, ok, detail)"
			" SELECT i, i, iif(i <= 5500, 'acme', ''), CASE WHEN i <= 3000 THEN 'S-0' WHEN i <= 5500"
			" THEN 'S-' || (i % 500 + 1) ELSE 'X-' || (i % 50) END, 'voucher', 1, '' FROM n",
			&err) == BRSKI_OK);
	while (more) {
		ck_assert_msg(brski_store_events_trim(store, 1600, 150, &round, &more, &err) == BRSKI_OK,
			"%s", err.why);
		now = number(db, "SELECT count(*) FROM event");
		ck_assert_int_le(left - now, 200);
		left = now;
		steps++;
	}
	ck_assert_uint_gt(steps, (9000 - 1600 - 161) / 200);
	ck_assert_uint_lt(steps, 120);
	/* by shares: 150 of S-0, 5 each of the others, 17 of each stranger: 850; by the bounds 1600 and 161 */
	ck_assert_int_eq(number(db, "SELECT count(*) FROM event WHERE manufacturer <> ''"), 1600);
	ck_assert_int_eq(number(db, "SELECT min(id) FROM event WHERE manufacturer <> ''"), 5500 - 1600 + 1);
	ck_assert_int_eq(number(db, "SELECT count(*) FROM event WHERE manufacturer = ''"), 161);
	ck_assert_int_eq(number(db, "SELECT min(id) FROM event WHERE manufacturer = ''"), 9000 - 161 + 1);
	ck_assert_uint_lt(trim(1600, 150), 10); /* nothing is left to do */
	ck_assert_int_eq(number(db, "SELECT count(*) FROM event"), 1761);
	ck_assert_uint_gt(trim(1600, 2), 3);
	ck_assert_int_eq(
		number(db, "SELECT max(n) FROM (SELECT count(*) AS n FROM event GROUP BY serial_number)"), 2);
	ck_assert_int_eq(number(db, "SELECT count(*) FROM event"), 500 * 2 + 50 * 2);
	sql_close(db);
}
END_TEST

START_TEST(a_lock_that_somebody_sits_on_is_not_waited_for_long)
{
	struct brski_store_event e = {.at = 1, .what = "voucher"};
	sqlite3 *other;
	time_t began = time(NULL);

	ck_assert(sqlite3_open(path, &other) == SQLITE_OK);
	ck_assert(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK);
	ck_assert(brski_store_event_add(store, &e, &err) == BRSKI_UNAVAILABLE);
	ck_assert_int_le(time(NULL) - began, 3);
	ck_assert(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL) == SQLITE_OK);
	ck_assert(brski_store_event_add(store, &e, &err) == BRSKI_OK);
	sqlite3_close(other);
}
END_TEST

/* A server that is started again while a backup runs, for instance: it has other users than devices. */
START_TEST(a_lock_that_somebody_sits_on_keeps_nobody_from_starting)
{
	const struct brski_store_options with = {.create = true, .keep_later = true};
	struct brski_store_job_totals totals;
	struct brski_store *another;
	sqlite3 *other;

	ck_assert(sqlite3_open(path, &other) == SQLITE_OK);
	ck_assert(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK);
	ck_assert_msg(brski_store_open_with(path, &with, &another, &err) == BRSKI_OK, "%s", err.why);
	ck_assert_msg(brski_store_check_writable(another, &err) == BRSKI_OK, "%s", err.why);
	ck_assert(brski_store_job_totals(another, &totals, &err) == BRSKI_OK);
	ck_assert(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL) == SQLITE_OK);
	sqlite3_close(other);
	brski_store_close(another);
}
END_TEST

START_TEST(what_is_no_store_is_refused)
{
	struct brski_store *other;
	char words[160];
	sqlite3 *db;
	FILE *f;

	ck_assert(brski_store_open("/tmp/brski-there-is-none.db", false, &other, &err) == BRSKI_NOT_FOUND);
	ck_assert_str_eq(err.why,
		"cannot open the database /tmp/brski-there-is-none.db: unable to open database file: No such file or directory");
	ck_assert_ptr_null(other);
	ck_assert(sqlite3_open(path, &db) == SQLITE_OK);
	ck_assert(sqlite3_exec(db, "PRAGMA user_version=999", NULL, NULL, NULL) == SQLITE_OK);
	sqlite3_close(db);
	ck_assert(brski_store_open(path, true, &other, &err) != BRSKI_OK);
	snprintf(words, sizeof(words),
		"%s: the database was made by a newer version (schema 999, this program knows %d)", path,
		brski_store_schema.version);
	ck_assert_str_eq(err.why, words);
	brski_store_close(store);
	f = fopen(path, "w");
	fputs("this is a letter to my aunt, and no database at all, whatever its name says", f);
	fclose(f);
	ck_assert(brski_store_open(path, false, &store, &err) != BRSKI_OK);
	ck_assert_ptr_null(store);
	snprintf(words, sizeof(words), "%s: database: file is not a database", path);
	ck_assert_str_eq(err.why, words);
}
END_TEST

/* ---- Policy ---- */

struct world {
	struct brski_credential ca, device, stranger;
	STACK_OF(X509) *chain, *strangers;
	struct brski_policy *policy;
	const struct brski_registrar_ops *ops;
};

static void world_begin(struct world *w)
{
	w->ca = pki_root("CN=Acme CA");
	w->device = pki_leaf("CN=Sensor,serialNumber=S-1", "P-256", &w->ca);
	w->stranger = pki_root("CN=Stranger");
	w->chain = pki_certs(&w->device, &w->ca);
	w->strangers = pki_certs(&w->stranger, NULL);
	ck_assert(brski_policy_new(store, NULL, &w->policy, &err) == BRSKI_OK);
	w->ops = brski_policy_ops();
}

static void world_end(struct world *w)
{
	brski_policy_free(w->policy);
	pki_free_certs(w->chain);
	pki_free_certs(w->strangers);
	pki_free(&w->device);
	pki_free(&w->stranger);
	pki_free(&w->ca);
}

START_TEST(manufacturers_are_found_by_their_anchors)
{
	struct world w;
	struct brski_manufacturer m;
	struct brski_store *brskictl;

	world_begin(&w);
	ck_assert(w.ops->find_manufacturer(w.policy, w.chain, &m, &err) == BRSKI_UNTRUSTED);
	/* Another process adds it: the server must see it without a restart. */
	ck_assert(brski_store_open(path, false, &brskictl, &err) == BRSKI_OK);
	put_manufacturer(brskictl, "acme", w.ca.cert, BRSKI_MODE_INVENTORY, NULL);
	ck_assert_msg(w.ops->find_manufacturer(w.policy, w.chain, &m, &err) == BRSKI_OK, "%s", err.why);
	ck_assert_str_eq(m.name, "acme");
	brski_manufacturer_free(&m);
	ck_assert(w.ops->find_manufacturer(w.policy, w.strangers, &m, &err) == BRSKI_UNTRUSTED);
	ck_assert_ptr_nonnull(strstr(err.why, "Stranger"));
	ck_assert(brski_store_manufacturer_remove(brskictl, "acme", &err) == BRSKI_OK);
	ck_assert(w.ops->find_manufacturer(w.policy, w.chain, &m, &err) == BRSKI_UNTRUSTED);
	brski_store_close(brskictl);
	world_end(&w);
}
END_TEST

START_TEST(a_revoked_device_is_told_from_a_stranger)
{
	struct world w;
	struct brski_manufacturer m;
	X509_CRL *crl;

	world_begin(&w);
	crl = pki_crl(&w.ca, &w.device.cert, 1);
	put_manufacturer(store, "acme", w.ca.cert, BRSKI_MODE_INVENTORY, crl);
	ck_assert(w.ops->find_manufacturer(w.policy, w.chain, &m, &err) == BRSKI_REVOKED);
	ck_assert_ptr_null(m.idevid_anchors);
	X509_CRL_free(crl);
	world_end(&w);
}
END_TEST

START_TEST(an_expired_device_is_told_from_a_stranger)
{
	struct pki_spec old = {.subject = "CN=Old,serialNumber=S-9", .not_before = 1000, .not_after = 2000};
	struct brski_credential device;
	struct world w;
	struct brski_manufacturer m;
	STACK_OF(X509) *chain;

	world_begin(&w);
	device = pki_make(&old, &w.ca);
	chain = pki_certs(&device, &w.ca);
	put_manufacturer(store, "acme", w.ca.cert, BRSKI_MODE_INVENTORY, NULL);
	ck_assert(w.ops->find_manufacturer(w.policy, chain, &m, &err) == BRSKI_EXPIRED);
	pki_free_certs(chain);
	pki_free(&device);
	world_end(&w);
}
END_TEST

static enum brski_decision decide(struct world *w, enum brski_mode mode, const char *serial)
{
	struct brski_device device = {.manufacturer = "acme"};
	struct brski_manufacturer m = {.name = "acme", .mode = mode};
	enum brski_decision decision;
	char why[256] = "";
	long retry_after;

	snprintf(device.serial_number, sizeof(device.serial_number), "%s", serial);
	ck_assert(
		w->ops->decide(w->policy, NULL, &device, &m, &decision, why, &retry_after, &err) == BRSKI_OK);
	ck_assert_str_ne(why, "");
	return decision;
}

START_TEST(modes_decide)
{
	struct world w;

	world_begin(&w);
	put_manufacturer(store, "acme", w.ca.cert, BRSKI_MODE_INVENTORY, NULL);
	ck_assert(brski_store_device_put(store, "acme", "S-1", "", &err) == BRSKI_OK);
	ck_assert(decide(&w, BRSKI_MODE_INVENTORY, "S-1") == BRSKI_ACCEPT);
	ck_assert(decide(&w, BRSKI_MODE_INVENTORY, "S-2") == BRSKI_REFUSE);
	ck_assert(decide(&w, BRSKI_MODE_MANUFACTURER, "S-2") == BRSKI_ACCEPT);
	ck_assert(decide(&w, BRSKI_MODE_OPEN, "S-2") == BRSKI_ACCEPT);
	ck_assert(decide(&w, (enum brski_mode)77, "S-1") == BRSKI_REFUSE);
	world_end(&w);
}
END_TEST

START_TEST(events_mark_the_device)
{
	struct brski_device device = {.manufacturer = "acme", .serial_number = "S-1"};
	struct brski_store_device row;
	struct world w;

	world_begin(&w);
	put_manufacturer(store, "acme", w.ca.cert, BRSKI_MODE_INVENTORY, NULL);
	ck_assert(brski_store_device_put(store, "acme", "S-1", "", &err) == BRSKI_OK);
	w.ops->event(w.policy, &device, "voucher", false, "MASA is down");
	ck_assert(brski_store_device_get(store, "acme", "S-1", &row, &err) == BRSKI_OK);
	ck_assert_str_eq(row.state, "failed");
	w.ops->event(w.policy, &device, "enroll-status", true, "");
	ck_assert(brski_store_device_get(store, "acme", "S-1", &row, &err) == BRSKI_OK);
	ck_assert_str_eq(row.state, "onboarded");
	ck_assert(row.last_seen > 0);
	world_end(&w);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store and policy");
	TCase *tc = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, manufacturers_come_back_as_they_were);
	tcase_add_test(tc, changing_a_manufacturer_keeps_its_devices_and_removing_it_does_not);
	tcase_add_test(tc, devices_need_a_manufacturer);
	tcase_add_test(tc, hostile_texts_stay_texts);
	tcase_add_test(tc, jobs_survive_reopening);
	tcase_add_test(tc, jobs_are_counted_whoever_changes_them);
	tcase_add_test(tc, an_older_database_gets_what_was_added_since);
	tcase_add_test(tc, what_waits_in_an_older_database_has_its_turn);
	tcase_add_test(tc, doors_with_rules_are_remembered_and_an_older_database_has_none);
	tcase_add_test(tc, a_door_that_says_the_same_again_writes_nothing);
	tcase_add_test(tc, a_candidate_waits_until_it_is_accepted);
	tcase_add_test(tc, a_refusal_stays_until_the_operator_takes_it_back);
	tcase_add_test(tc, candidates_are_bounded_in_number_and_age);
	tcase_add_test(tc, type_rules_come_and_go);
	tcase_add_test(tc, waiting_requests_are_bounded);
	tcase_add_test(tc, history_is_in_order_and_can_be_trimmed);
	tcase_add_test(tc, the_disk_is_waited_for_with_jobs_and_not_with_history);
	tcase_add_test(tc, what_repeats_itself_does_not_fill_the_history);
	tcase_add_test(tc, strangers_do_not_push_out_the_history);
	tcase_add_test(tc, one_device_does_not_push_out_the_history);
	tcase_add_test(tc, a_stranger_does_not_spoil_the_history_of_another);
	tcase_add_test(tc, vouchers_of_one_device_are_bounded);
	tcase_add_test(tc, transactions_go_with_their_requests);
	tcase_add_test(tc, the_history_is_shortened_in_steps);
	tcase_add_test(tc, a_lock_that_somebody_sits_on_is_not_waited_for_long);
	tcase_add_test(tc, a_lock_that_somebody_sits_on_keeps_nobody_from_starting);
	tcase_add_test(tc, what_is_no_store_is_refused);
	tcase_add_test(tc, manufacturers_are_found_by_their_anchors);
	tcase_add_test(tc, a_revoked_device_is_told_from_a_stranger);
	tcase_add_test(tc, an_expired_device_is_told_from_a_stranger);
	tcase_add_test(tc, modes_decide);
	tcase_add_test(tc, events_mark_the_device);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
