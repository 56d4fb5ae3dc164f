/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/support/store_contract_internal.h"

/* Permissions: given once, used once, and taken back with all that they rest on. */

static void add_voucher(const char *key, const char *serial, enum brski_job_state state)
{
	struct brski_store_job job = contract_job(key);

	job.kind = BRSKI_JOB_VOUCHER;
	job.state = state;
	snprintf(job.serial_number, sizeof(job.serial_number), "%s", serial);
	EXPECT(BRSKI_OK, store_put_job(one, &job, NULL, &err));
}

static struct brski_store_permission permission(const char *key, const char *serial, const char *voucher)
{
	struct brski_store_permission p = {
		.state = BRSKI_PERMISSION_VOUCHER, .manufacturer = "acme", .since = 1000};

	snprintf(p.key, sizeof(p.key), "%s", key);
	snprintf(p.serial_number, sizeof(p.serial_number), "%s", serial);
	snprintf(p.voucher, sizeof(p.voucher), "%s", voucher);
	return p;
}

/* A voucher, and the permission that comes with it. */
static void give(const char *key, const char *serial, const char *voucher)
{
	struct brski_store_permission p = permission(key, serial, voucher);

	add_voucher(voucher, serial, BRSKI_JOB_DONE);
	EXPECT(BRSKI_OK, brski_store_permission_put(one, &p, &err));
}

static struct brski_store_permission get(struct brski_store *store, const char *key)
{
	struct brski_store_permission p;

	EXPECT(BRSKI_OK, brski_store_permission_get(store, key, &p, &err));
	return p;
}

static void expect_state(const char *key, enum brski_permission_state state, uint64_t revision)
{
	struct brski_store_permission p = get(two, key);

	ck_assert_int_eq(p.state, state);
	ck_assert_uint_eq(p.revision, revision);
}

static void expect_job(const char *key, bool there)
{
	struct brski_store_job job;
	enum brski_code code = brski_store_job_get(two, key, &job, &err);

	ck_assert_int_eq(code, there ? BRSKI_OK : BRSKI_NOT_FOUND);
	brski_store_job_free(&job);
}

static void put_manufacturer(const char *name)
{
	struct brski_store_manufacturer m = {.mode = BRSKI_MODE_INVENTORY};

	snprintf(m.name, sizeof(m.name), "%s", name);
	EXPECT(BRSKI_OK, brski_store_manufacturer_put(one, &m, &err));
}

START_TEST(what_is_given_is_there)
{
	struct brski_store_permission p, none = {0};

	EXPECT(BRSKI_NOT_FOUND, brski_store_permission_get(one, "d", &p, &err));
	ck_assert_mem_eq(&p, &none, sizeof(p));
	give("d", "S-1", "v");
	p = get(two, "d");
	ck_assert_str_eq(p.key, "d");
	ck_assert_str_eq(p.voucher, "v");
	ck_assert_str_eq(p.used_for, "");
	ck_assert_str_eq(p.manufacturer, "acme");
	ck_assert_str_eq(p.serial_number, "S-1");
	ck_assert(p.state == BRSKI_PERMISSION_VOUCHER && p.since == 1000 && p.revision == 1);
	p.state = BRSKI_PERMISSION_CONFIRMING;
	p.since = 2000;
	snprintf(p.used_for, sizeof(p.used_for), "t");
	EXPECT(BRSKI_OK, brski_store_permission_put(two, &p, &err));
	p = get(one, "d");
	ck_assert_str_eq(p.used_for, "t");
	ck_assert(p.state == BRSKI_PERMISSION_CONFIRMING && p.since == 2000 && p.revision == 2);
}
END_TEST

/* Who is let in without a voucher names none, and takes none from others. */
START_TEST(without_a_voucher)
{
	struct brski_store_permission p = permission("d", "S-1", "");

	add_voucher("v", "S-1", BRSKI_JOB_DONE);
	EXPECT(BRSKI_OK, brski_store_permission_put(one, &p, &err));
	expect_state("d", BRSKI_PERMISSION_VOUCHER, 1);
	ck_assert_str_eq(get(two, "d").voucher, "");
	EXPECT(BRSKI_UNEXPECTED, brski_store_permission_put(two, &p, &err));
	p = get(one, "d");
	snprintf(p.voucher, sizeof(p.voucher), "v");
	EXPECT(BRSKI_OK, brski_store_permission_put(one, &p, &err));
	EXPECT(BRSKI_OK, brski_store_permission_take_back(two, "acme", "S-1", 3000, &err));
	expect_state("d", BRSKI_PERMISSION_TAKEN_BACK, 3);
}
END_TEST

/* What an answer from elsewhere uses is used with it, or nothing happens. */
START_TEST(used_with_an_answer)
{
	struct brski_store_job job = contract_job("j");
	struct brski_store_permission p;

	give("d", "S-1", "v");
	p = get(one, "d");
	p.state = BRSKI_PERMISSION_CONFIRMING;
	snprintf(p.used_for, sizeof(p.used_for), "t");
	EXPECT(BRSKI_OK, brski_store_jobs_settle(one, &job, 1, NULL, 0, &p, &err));
	expect_state("d", BRSKI_PERMISSION_CONFIRMING, 2);
	expect_job("j", true);
	brski_store_job_free(&job);
	job = contract_job("k");
	EXPECT(BRSKI_UNEXPECTED,
		brski_store_jobs_settle(two, &job, 1, NULL, 0, &p, &err)); /* it is another */
	expect_job("k", false);
	brski_store_job_free(&job);
}
END_TEST

START_TEST(nobody_uses_what_he_has_not_seen)
{
	struct brski_store_permission first = permission("d", "S-1", "v"), p;

	give("d", "S-1", "v");
	EXPECT(BRSKI_UNEXPECTED, brski_store_permission_put(two, &first, &err)); /* there is one */
	p = get(one, "d");
	p.state = BRSKI_PERMISSION_CERTIFICATE;
	EXPECT(BRSKI_OK, brski_store_permission_put(one, &p, &err));
	p.state = BRSKI_PERMISSION_REPORTED;
	EXPECT(BRSKI_UNEXPECTED, brski_store_permission_put(two, &p, &err)); /* it is another */
	expect_state("d", BRSKI_PERMISSION_CERTIFICATE, 2);
	p = permission("e", "S-2", "");
	p.state = BRSKI_PERMISSION_REPORTED;
	p.revision = 1;
	EXPECT(BRSKI_UNEXPECTED, brski_store_permission_put(two, &p, &err)); /* there is none */
	EXPECT(BRSKI_NOT_FOUND, brski_store_permission_get(one, "e", &p, &err));
}
END_TEST

#define ROUNDS 50
static atomic_uint used;

/* Both try each round; who has read a revision that is used by then reads again, and leaves it at that. */
static void *use_all(void *store)
{
	struct brski_error why;

	for (int i = 0; i < ROUNDS; i++) {
		struct brski_store_permission p;
		char key[16];

		snprintf(key, sizeof(key), "d%d", i);
		if (brski_store_permission_get(store, key, &p, &why) != BRSKI_OK ||
			p.state != BRSKI_PERMISSION_VOUCHER)
			continue;
		p.state = BRSKI_PERMISSION_CONFIRMING;
		if (brski_store_permission_put(store, &p, &why) == BRSKI_OK)
			atomic_fetch_add(&used, 1);
	}
	return NULL;
}

START_TEST(never_two_use_it)
{
	for (int i = 0; i < ROUNDS; i++) {
		char key[16], serial[16], voucher[16];

		snprintf(key, sizeof(key), "d%d", i);
		snprintf(serial, sizeof(serial), "S%d", i);
		snprintf(voucher, sizeof(voucher), "v%d", i);
		give(key, serial, voucher);
	}
	contract_both(use_all);
	ck_assert_uint_eq(atomic_load(&used), ROUNDS);
}
END_TEST

START_TEST(a_voucher_that_is_gone_gives_nothing)
{
	struct brski_store_permission p = permission("d", "S-1", "v");

	EXPECT(BRSKI_NOT_FOUND, brski_store_permission_put(one, &p, &err));
	add_voucher("v", "S-1", BRSKI_JOB_REFUSED);
	EXPECT(BRSKI_NOT_FOUND, brski_store_permission_put(one, &p, &err));
	contract_add("cmp");
	snprintf(p.voucher, sizeof(p.voucher), "cmp");
	EXPECT(BRSKI_NOT_FOUND, brski_store_permission_put(one, &p, &err));
	EXPECT(BRSKI_NOT_FOUND, brski_store_permission_get(two, "d", &p, &err));
}
END_TEST

START_TEST(a_voucher_gives_once)
{
	struct brski_store_permission p;
	struct brski_store_job job;

	give("d", "S-1", "v1");
	add_voucher("v2", "S-1", BRSKI_JOB_DONE);
	p = get(one, "d");
	snprintf(p.voucher, sizeof(p.voucher), "v2");
	EXPECT(BRSKI_OK, brski_store_permission_put(one, &p, &err));
	p = get(two, "d");
	EXPECT(BRSKI_NOT_FOUND, brski_store_permission_put(two, &p, &err));
	snprintf(p.voucher, sizeof(p.voucher), "v1");
	EXPECT(BRSKI_NOT_FOUND, brski_store_permission_put(two, &p, &err));
	expect_state("d", BRSKI_PERMISSION_VOUCHER, 2);
	ck_assert_str_eq(get(two, "d").voucher, "v2");
	/* asked for afresh, it is another voucher */
	job = contract_get(one, "v1");
	job.state = BRSKI_JOB_WAITING;
	EXPECT(BRSKI_OK, brski_store_job_replace(one, &job, NULL, &err));
	job.state = BRSKI_JOB_DONE;
	job.revision++;
	EXPECT(BRSKI_OK, brski_store_job_replace(one, &job, NULL, &err));
	EXPECT(BRSKI_OK, brski_store_permission_put(two, &p, &err));
	ck_assert_str_eq(get(two, "d").voucher, "v1");
	brski_store_job_free(&job);
}
END_TEST

START_TEST(taken_back_for_all_of_a_device)
{
	struct brski_store_permission p;

	give("d", "S-1", "v1");
	give("e", "S-1", "v2"); /* another certificate of it */
	give("f", "S-2", "v3");
	EXPECT(BRSKI_OK, brski_store_permission_take_back(one, "acme", "S-1", 3000, &err));
	expect_state("d", BRSKI_PERMISSION_TAKEN_BACK, 2);
	expect_state("e", BRSKI_PERMISSION_TAKEN_BACK, 2);
	expect_state("f", BRSKI_PERMISSION_VOUCHER, 1);
	ck_assert_int_eq(get(one, "d").since, 3000);
	expect_job("v2", false);
	expect_job("v3", true);
	/* who has read it before does not bring it back, and a second refusal changes nothing */
	p = permission("d", "S-1", "v2");
	p.state = BRSKI_PERMISSION_CERTIFICATE;
	p.revision = 1;
	EXPECT(BRSKI_UNEXPECTED, brski_store_permission_put(two, &p, &err));
	EXPECT(BRSKI_OK, brski_store_permission_take_back(two, "acme", "S-1", 4000, &err));
	expect_state("d", BRSKI_PERMISSION_TAKEN_BACK, 2);
	EXPECT(BRSKI_OK, brski_store_permission_take_back(two, "acme", "S-9", 4000, &err));
	/* a voucher that nobody was given yet is no better */
	add_voucher("v4", "S-2", BRSKI_JOB_DONE);
	EXPECT(BRSKI_OK, brski_store_permission_take_back(two, "acme", "S-2", 4000, &err));
	expect_job("v4", false);
}
END_TEST

/* The operator strikes a device off: what he says later gives nothing of it back. */
START_TEST(taken_back_by_the_operator)
{
	put_manufacturer("acme");
	for (int i = 1; i <= 5; i++) {
		char key[16], serial[16], voucher[16];

		snprintf(key, sizeof(key), "d%d", i);
		snprintf(serial, sizeof(serial), "S-%d", i);
		snprintf(voucher, sizeof(voucher), "v%d", i);
		if (i < 4)
			EXPECT(BRSKI_OK, brski_store_device_put(one, "acme", serial, "", &err));
		give(key, serial, voucher);
	}
	EXPECT(BRSKI_OK, brski_store_candidate_refuse(one, "acme", "S-1", NULL, &err)); /* listed */
	EXPECT(BRSKI_OK, brski_store_device_remove(one, "acme", "S-2", &err));
	EXPECT(BRSKI_OK, brski_store_candidate_refuse(one, "acme", "S-4", NULL, &err)); /* unknown */
	expect_state("d1", BRSKI_PERMISSION_TAKEN_BACK, 2);
	expect_state("d2", BRSKI_PERMISSION_TAKEN_BACK, 2);
	expect_state("d3", BRSKI_PERMISSION_VOUCHER, 1);
	expect_state("d4", BRSKI_PERMISSION_TAKEN_BACK, 2);
	expect_job("v1", false);
	expect_job("v2", false);
	expect_job("v3", true);
	expect_job("v4", false);
	EXPECT(BRSKI_OK, brski_store_candidate_accept(one, "acme", "S-1", NULL, &err));
	expect_state("d1", BRSKI_PERMISSION_TAKEN_BACK, 2);
	/* a change of the manufacturer is no refusal; its end is */
	put_manufacturer("acme");
	expect_state("d3", BRSKI_PERMISSION_VOUCHER, 1);
	EXPECT(BRSKI_OK, brski_store_manufacturer_remove(one, "acme", &err));
	expect_state("d3", BRSKI_PERMISSION_TAKEN_BACK, 2);
	expect_state("d5", BRSKI_PERMISSION_TAKEN_BACK, 2);
	expect_job("v5", false);
}
END_TEST

START_TEST(a_candidate_that_is_refused_later)
{
	struct brski_store_candidate c = {.manufacturer = "acme", .serial_number = "S-1"};

	put_manufacturer("acme");
	EXPECT(BRSKI_OK, brski_store_candidate_seen(one, &c, 10, &err));
	give("d", "S-1", "v");
	EXPECT(BRSKI_OK, brski_store_candidate_refuse(one, "acme", "S-1", NULL, &err));
	expect_state("d", BRSKI_PERMISSION_TAKEN_BACK, 2);
}
END_TEST

/* With the refusal that takes it back, or not at all. */
START_TEST(taken_back_by_an_answer)
{
	struct brski_store_job job;

	give("d", "S-1", "v");
	contract_add("a");
	job = contract_get(one, "a");
	job.state = BRSKI_JOB_REFUSED;
	job.takes_back = true;
	job.revision = 7;
	EXPECT(BRSKI_UNEXPECTED, brski_store_job_replace(two, &job, NULL, &err));
	EXPECT(BRSKI_UNEXPECTED, brski_store_jobs_settle(two, &job, 1, NULL, 0, NULL, &err));
	expect_state("d", BRSKI_PERMISSION_VOUCHER, 1);
	expect_job("v", true);
	job.revision = 1;
	EXPECT(BRSKI_OK, brski_store_job_replace(two, &job, NULL, &err));
	expect_state("d", BRSKI_PERMISSION_TAKEN_BACK, 2);
	expect_job("v", false);
	expect_job("a", true);
	/* another voucher, and a refusal that somebody carried here */
	add_voucher("w", "S-1", BRSKI_JOB_DONE);
	job.revision = 2;
	EXPECT(BRSKI_OK, brski_store_jobs_settle(two, &job, 1, NULL, 0, NULL, &err));
	expect_job("w", false);
	brski_store_job_free(&job);
}
END_TEST

static void fetch_ahead(const char *serial, bool again)
{
	struct brski_store_nonceless a = {.manufacturer = "acme"};

	snprintf(a.serial_number, sizeof(a.serial_number), "%s", serial);
	snprintf(a.key, sizeof(a.key), "ahead-%s", serial);
	EXPECT(BRSKI_OK, brski_store_nonceless_ask(one, &a, &err));
	ck_assert(brski_buf_set(&a.voucher, brski_span_str("voucher")) == BRSKI_OK);
	a.fetched = 1000;
	EXPECT(BRSKI_OK, brski_store_nonceless_fill(one, &a, &err));
	brski_buf_free(&a.voucher);
	if (!again)
		return;
	snprintf(a.key, sizeof(a.key), "again-%s", serial);
	EXPECT(BRSKI_OK, brski_store_nonceless_ask(one, &a, &err));
}

static void refuse(enum brski_job_kind kind, const char *key, const char *serial)
{
	struct brski_store_job job;

	add_voucher(key, serial, BRSKI_JOB_WAITING);
	job = contract_get(one, key);
	job.kind = kind;
	job.state = BRSKI_JOB_REFUSED;
	job.takes_back = true;
	EXPECT(BRSKI_OK, brski_store_job_replace(two, &job, NULL, &err));
	brski_store_job_free(&job);
}

/* there: the row is. Its voucher has `len` octets. */
static void expect_ahead(const char *serial, bool there, size_t len)
{
	struct brski_store_nonceless a;
	enum brski_code code = brski_store_nonceless_get(two, "acme", serial, &a, &err);

	ck_assert_int_eq(code, there ? BRSKI_OK : BRSKI_NOT_FOUND);
	ck_assert_uint_eq(a.voucher.len, len);
	brski_store_nonceless_free(&a);
}

START_TEST(what_the_masa_gave_ahead_falls_with_its_refusal)
{
	put_manufacturer("acme");
	fetch_ahead("S-1", false);
	fetch_ahead("S-2", true);
	fetch_ahead("S-3", false);
	fetch_ahead("S-4", false);
	refuse(BRSKI_JOB_VOUCHER, "a", "S-1");
	refuse(BRSKI_JOB_VOUCHER, "b", "S-2");
	refuse(BRSKI_JOB_CMP, "c", "S-3"); /* the PKI's refusal is no word of the MASA's */
	expect_ahead("S-1", false, 0);
	expect_ahead("S-2", true, 0); /* what it is asked for again it may still answer */
	expect_ahead("S-3", true, strlen("voucher"));
	expect_ahead("S-4", true, strlen("voucher"));
}
END_TEST

START_TEST(permissions_too_old_to_allow_anything)
{
	struct brski_store_permission p;
	unsigned n = 7;

	give("d", "S-1", "v");
	EXPECT(BRSKI_OK, brski_store_permissions_expire(one, 1001, &n, &err)); /* it has a job still */
	ck_assert_uint_eq(n, 0);
	EXPECT(BRSKI_OK, brski_store_jobs_expire(one, 1001, &n, &err));
	EXPECT(BRSKI_OK, brski_store_permissions_expire(one, 1000, &n, &err));
	ck_assert_uint_eq(n, 0);
	EXPECT(BRSKI_OK, brski_store_permissions_expire(one, 1001, &n, &err));
	ck_assert_uint_eq(n, 1);
	EXPECT(BRSKI_NOT_FOUND, brski_store_permission_get(one, "d", &p, &err));
}
END_TEST

size_t contract_permissions(const TTest **tests)
{
	const TTest *const all[] = {what_is_given_is_there, without_a_voucher, used_with_an_answer,
		nobody_uses_what_he_has_not_seen, never_two_use_it, a_voucher_that_is_gone_gives_nothing,
		a_voucher_gives_once, taken_back_for_all_of_a_device, taken_back_by_the_operator,
		a_candidate_that_is_refused_later, taken_back_by_an_answer,
		what_the_masa_gave_ahead_falls_with_its_refusal, permissions_too_old_to_allow_anything};

	memcpy(tests, all, sizeof(all));
	return sizeof(all) / sizeof(all[0]);
}
