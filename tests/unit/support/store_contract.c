/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/support/store_contract_internal.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct store_driver *contract_driver;
struct brski_store *one, *two;
struct brski_error err;

static void setup(void)
{
	one = contract_driver->make();
	two = contract_driver->another();
}

static void teardown(void)
{
	brski_store_close(one);
	brski_store_close(two);
	contract_driver->remove();
}

/* ---- What the tests do ---- */

struct brski_store_job contract_job(const char *key)
{
	struct brski_store_job job = {.kind = BRSKI_JOB_CMP,
		.work = BRSKI_WORK_CERTIFICATE,
		.manufacturer = "acme",
		.serial_number = "S-1",
		.back_end = CONTRACT_BACK_END,
		.updated = 1000};

	snprintf(job.key, sizeof(job.key), "%s", key);
	return job;
}

void contract_blob(struct brski_store_job *job, const char *text)
{
	EXPECT(BRSKI_OK, brski_buf_set(&job->blob, brski_span_str(text)));
}

void contract_add(const char *key)
{
	struct brski_store_job job = contract_job(key);

	contract_blob(&job, "asked");
	EXPECT(BRSKI_OK, brski_store_job_add(one, &job, NULL, &err));
	brski_store_job_free(&job);
}

struct brski_store_job contract_get(struct brski_store *store, const char *key)
{
	struct brski_store_job job;

	EXPECT(BRSKI_OK, brski_store_job_get(store, key, &job, &err));
	return job;
}

void contract_expect_job(
	const char *key, uint64_t revision, enum brski_job_state state, const char *blob, time_t updated)
{
	struct brski_store_job job = contract_get(two, key);

	ck_assert_uint_eq(job.revision, revision);
	ck_assert_int_eq(job.state, state);
	ck_assert(brski_span_equal(brski_buf_span(&job.blob), brski_span_str(blob)));
	ck_assert_int_eq(job.created, 1000);
	ck_assert_int_eq(job.updated, updated);
	brski_store_job_free(&job);
}

void contract_expect_no_job(const char *key)
{
	struct brski_store_job job = contract_job("");

	EXPECT(BRSKI_NOT_FOUND, brski_store_job_get(two, key, &job, &err));
	ck_assert(job.revision == 0 && job.blob.len == 0 && job.updated == 0);
}

enum brski_code contract_answer(struct brski_store *store, const struct brski_store_job *read,
	enum brski_job_state state, const char *blob)
{
	struct brski_store_job job = *read;
	enum brski_code code;

	job.blob = (struct brski_buf){0};
	contract_blob(&job, blob);
	job.state = state;
	job.updated = 2000;
	code = brski_store_job_replace(store, &job, NULL, &err);
	brski_buf_free(&job.blob);
	return code;
}

void contract_both(void *(*work)(void *store))
{
	pthread_t other;

	ck_assert_int_eq(pthread_create(&other, NULL, work, two), 0);
	work(one);
	pthread_join(other, NULL);
}

struct brski_store_note contract_note(const char *key, const char *value, bool of_transaction)
{
	struct brski_store_note note = {.name = "certificate",
		.manufacturer = "acme",
		.serial_number = "S-1",
		.of_transaction = of_transaction,
		.updated = 1000};

	snprintf(note.key, sizeof(note.key), "%s", key);
	snprintf(note.value, sizeof(note.value), "%s", value);
	return note;
}

void contract_put_note(const char *key, const char *value, bool of_transaction)
{
	struct brski_store_note note = contract_note(key, value, of_transaction);

	EXPECT(BRSKI_OK, brski_store_note_put(one, &note, &err));
}

void contract_expect_note(const char *key, const char *value)
{
	struct brski_store_note note = contract_note("", "", true);

	EXPECT(value[0] ? BRSKI_OK : BRSKI_NOT_FOUND, brski_store_note_get(two, key, &note, &err));
	ck_assert_str_eq(note.value, value);
	ck_assert_str_eq(note.key, value[0] ? key : "");
}

/* ---- Jobs ---- */

START_TEST(what_is_added_waits)
{
	struct brski_store_job job = contract_job("a"), back;

	contract_blob(&job, "asked");
	job.state = BRSKI_JOB_REFUSED;
	job.revision = 7;
	EXPECT(BRSKI_OK, brski_store_job_add(one, &job, NULL, &err));
	contract_expect_job("a", 1, BRSKI_JOB_WAITING, "asked", 1000);
	back = contract_get(two, "a");
	ck_assert_int_eq(back.kind, BRSKI_JOB_CMP);
	ck_assert_str_eq(back.key, "a");
	ck_assert_str_eq(back.manufacturer, "acme");
	ck_assert_str_eq(back.serial_number, "S-1");
	ck_assert_str_eq(back.lease_owner, "");
	ck_assert_int_eq(back.lease_until, 0);
	brski_store_job_free(&back);
	contract_blob(&job, "once more");
	EXPECT_WHY(BRSKI_UNEXPECTED, "already", brski_store_job_add(two, &job, NULL, &err));
	contract_expect_job("a", 1, BRSKI_JOB_WAITING, "asked", 1000);
	contract_expect_no_job("b");
	brski_store_job_free(&job);
}
END_TEST

START_TEST(nobody_overwrites_what_he_has_not_seen)
{
	struct brski_store_job mine, his;

	contract_add("a");
	mine = contract_get(one, "a");
	his = contract_get(two, "a");
	EXPECT(BRSKI_OK, contract_answer(one, &mine, BRSKI_JOB_DONE, "mine"));
	EXPECT_WHY(BRSKI_UNEXPECTED, "meanwhile", contract_answer(two, &his, BRSKI_JOB_REFUSED, "his"));
	contract_expect_job("a", 2, BRSKI_JOB_DONE, "mine", 2000);
	his.revision = 3;
	EXPECT(BRSKI_UNEXPECTED, contract_answer(two, &his, BRSKI_JOB_REFUSED, "his"));
	his.revision = 0;
	EXPECT(BRSKI_UNEXPECTED, contract_answer(two, &his, BRSKI_JOB_REFUSED, "his"));
	his.revision = 2;
	EXPECT(BRSKI_OK, contract_answer(two, &his, BRSKI_JOB_WAITING, "again"));
	contract_expect_job("a", 3, BRSKI_JOB_WAITING, "again", 2000);
	snprintf(his.key, sizeof(his.key), "b");
	EXPECT(BRSKI_UNEXPECTED, contract_answer(two, &his, BRSKI_JOB_DONE, "of none"));
	his.revision = 0;
	EXPECT(BRSKI_UNEXPECTED, contract_answer(two, &his, BRSKI_JOB_DONE, "of none"));
	contract_expect_no_job("b");
	brski_store_job_free(&mine);
	brski_store_job_free(&his);
}
END_TEST

#define COUNT_TO 50

/* Reads a number in the blob and writes the next one, until that worked as often as it should. */
static void *count_up(void *store)
{
	struct brski_error why;
	char text[16];

	for (int done = 0; done < COUNT_TO;) {
		struct brski_store_job job;

		if (brski_store_job_get(store, "a", &job, &why) != BRSKI_OK)
			return NULL;
		snprintf(text, sizeof(text), "%.*s", (int)job.blob.len, job.blob.data);
		snprintf(text, sizeof(text), "%d", atoi(text) + 1);
		if (brski_buf_set(&job.blob, brski_span_str(text)) == BRSKI_OK &&
			brski_store_job_replace(store, &job, NULL, &why) == BRSKI_OK)
			done++;
		brski_store_job_free(&job);
	}
	return NULL;
}

START_TEST(no_change_is_lost)
{
	struct brski_store_job job = contract_job("a");
	char text[16];

	contract_blob(&job, "0");
	EXPECT(BRSKI_OK, brski_store_job_add(one, &job, NULL, &err));
	brski_store_job_free(&job);
	contract_both(count_up);
	job = contract_get(one, "a");
	ck_assert_uint_eq(job.revision, 1 + 2 * COUNT_TO);
	snprintf(text, sizeof(text), "%d", 2 * COUNT_TO);
	ck_assert(brski_span_equal(brski_buf_span(&job.blob), brski_span_str(text)));
	brski_store_job_free(&job);
}
END_TEST

START_TEST(it_is_all_there_when_it_is_opened_again)
{
	struct brski_store_note note = {.key = "n", .name = "voucher", .value = "a"};
	struct brski_store_job job;

	contract_add("a");
	job = contract_get(one, "a");
	EXPECT(BRSKI_OK, contract_answer(one, &job, BRSKI_JOB_DONE, "answered"));
	EXPECT(BRSKI_OK, brski_store_note_put(one, &note, &err));
	brski_store_job_free(&job);
	brski_store_close(one);
	brski_store_close(two);
	one = contract_driver->another();
	two = contract_driver->another();
	contract_expect_job("a", 2, BRSKI_JOB_DONE, "answered", 2000);
	EXPECT(BRSKI_OK, brski_store_note_get(one, "n", &note, &err));
}
END_TEST

START_TEST(jobs_are_counted_and_get_too_old)
{
	struct brski_store_job job = contract_job("d");
	struct brski_store_job_totals totals;
	unsigned n = 7;

	EXPECT(BRSKI_OK, brski_store_job_totals(one, &totals, &err));
	ck_assert(totals.waiting == 0 && totals.oldest == 0 && totals.octets == 0);
	contract_add("a");
	contract_add("b");
	job.kind = BRSKI_JOB_VOUCHER;
	job.updated = 900;
	EXPECT(BRSKI_OK, brski_store_job_add(one, &job, NULL, &err));
	brski_store_job_free(&job);
	job = contract_get(one, "b");
	EXPECT(BRSKI_OK, contract_answer(one, &job, BRSKI_JOB_REFUSED, "no"));
	EXPECT(BRSKI_OK, brski_store_job_totals(two, &totals, &err));
	ck_assert(totals.waiting == 2 && totals.done == 0 && totals.refused == 1);
	ck_assert(totals.waiting_by_kind[BRSKI_JOB_VOUCHER] == 1);
	ck_assert(totals.waiting_by_kind[BRSKI_JOB_CMP] == 1);
	ck_assert(totals.oldest == 900 && totals.octets == strlen("asked") + strlen("no"));
	EXPECT(BRSKI_OK, brski_store_jobs_expire(two, 900, &n, &err));
	ck_assert_uint_eq(n, 0);
	EXPECT(BRSKI_OK, brski_store_jobs_expire(two, 1001, &n, &err));
	ck_assert_uint_eq(n, 2);
	contract_expect_no_job("a");
	contract_expect_no_job("d");
	brski_store_job_free(&job);
}
END_TEST

/* ---- Bounds ---- */

static enum brski_code add_within(
	const char *key, const char *serial, const struct brski_store_limits *limits, const char *blob)
{
	struct brski_store_job job = contract_job(key);
	enum brski_code code;

	snprintf(job.serial_number, sizeof(job.serial_number), "%s", serial);
	contract_blob(&job, blob);
	err = (struct brski_error){0};
	code = brski_store_job_add(one, &job, limits, &err);
	brski_store_job_free(&job);
	return code;
}

START_TEST(what_waits_is_bounded)
{
	const struct brski_store_limits limits = {.waiting = 3, .waiting_per_device = 2, .octets = 5};
	const struct brski_store_limits none = {0};

	EXPECT(BRSKI_OK, add_within("a1", "S-1", &limits, "12345"));
	EXPECT_WHY(BRSKI_TOO_LARGE, "6 octets is not kept, the limit is 5 (max_waiting_size)",
		add_within("a2", "S-1", &limits, "123456"));
	EXPECT(BRSKI_OK, add_within("a2", "S-1", &limits, ""));
	EXPECT_WHY(BRSKI_TOO_LARGE, "2 requests of this device wait already (max_waiting_per_device)",
		add_within("a3", "S-1", &limits, ""));
	EXPECT(BRSKI_OK, add_within("b1", "S-2", &limits, ""));
	EXPECT_WHY(BRSKI_TOO_LARGE, "3 requests wait already (max_waiting)",
		add_within("c1", "S-3", &limits, ""));
	EXPECT(BRSKI_UNEXPECTED, add_within("a1", "S-1", &limits, "")); /* nothing is beyond it */
	contract_expect_no_job("a3");
	contract_expect_no_job("c1");
	EXPECT(BRSKI_OK, add_within("c1", "S-3", &none, "a long one"));
}
END_TEST

START_TEST(what_is_stored_may_always_change_but_not_wait_once_more)
{
	const struct brski_store_limits limits = {.waiting = 1, .octets = 5};
	struct brski_store_job job;

	contract_add("a");
	job = contract_get(one, "a");
	contract_blob(&job, "too long");
	EXPECT(BRSKI_OK, brski_store_job_replace(one, &job, &limits, &err)); /* it waits already */
	job.revision++;
	job.state = BRSKI_JOB_DONE;
	EXPECT(BRSKI_OK, brski_store_job_replace(one, &job, &limits, &err));
	job.revision++;
	job.state = BRSKI_JOB_WAITING;
	EXPECT_WHY(BRSKI_TOO_LARGE, "max_waiting_size", brski_store_job_replace(one, &job, &limits, &err));
	contract_add("b");
	contract_blob(&job, "short");
	EXPECT_WHY(BRSKI_TOO_LARGE, "(max_waiting)", brski_store_job_replace(one, &job, &limits, &err));
	contract_expect_job("a", 3, BRSKI_JOB_DONE, "too long", 1000);
	job.revision--;
	EXPECT(BRSKI_UNEXPECTED, brski_store_job_replace(one, &job, &limits, &err));
	job.revision++;
	EXPECT(BRSKI_OK, brski_store_job_replace(one, &job, NULL, &err));
	contract_expect_job("a", 4, BRSKI_JOB_WAITING, "short", 1000);
	brski_store_job_free(&job);
}
END_TEST

#define TRIES 30
static const struct brski_store_limits racing = {.waiting = 20, .waiting_per_device = 3};
static unsigned let_in[2], kept_out[2], failed[2];

/* On both connections the same devices, three requests each; keys differ. */
static void *add_many(void *store)
{
	int me = store == two;
	struct brski_error why;

	for (int i = 0; i < TRIES; i++) {
		struct brski_store_job job = {.kind = BRSKI_JOB_CMP, .manufacturer = "acme"};
		enum brski_code code;

		snprintf(job.key, sizeof(job.key), "%d-%d", me, i);
		snprintf(job.serial_number, sizeof(job.serial_number), "S-%d", i / 3);
		code = brski_store_job_add(store, &job, &racing, &why);
		++*(code == BRSKI_OK ? &let_in[me] : code == BRSKI_TOO_LARGE ? &kept_out[me] : &failed[me]);
	}
	return NULL;
}

static void count_device(void *ctx, struct brski_store_job *job)
{
	++((unsigned *)ctx)[atoi(job->serial_number + 2)];
}

START_TEST(bounds_are_kept_when_two_add_at_one_time)
{
	const struct brski_store_job_filter waiting = {.state = BRSKI_JOB_WAITING};
	unsigned of_device[TRIES] = {0};

	contract_both(add_many);
	ck_assert_uint_eq(failed[0] + failed[1], 0);
	ck_assert_uint_eq(let_in[0] + let_in[1], racing.waiting);
	ck_assert_uint_eq(kept_out[0] + kept_out[1], 2 * TRIES - racing.waiting);
	each_job(one, &waiting, count_device, of_device);
	for (int i = 0; i < TRIES; i++)
		ck_assert_uint_le(of_device[i], racing.waiting_per_device);
}
END_TEST

/* On both connections the same device, once each. */
static const struct brski_store_limits rated = {
	.rates = {[BRSKI_WORK_CERTIFICATE] = {.most = 20, .seconds = 60}}};

static void *add_often(void *store)
{
	int me = store == two;
	struct brski_error why;

	for (int i = 0; i < TRIES; i++) {
		struct brski_store_job job = contract_job("");
		enum brski_code code;

		snprintf(job.key, sizeof(job.key), "%d-%d", me, i);
		code = brski_store_job_add(store, &job, &rated, &why);
		++*(code == BRSKI_OK ? &let_in[me] : code == BRSKI_TOO_LARGE ? &kept_out[me] : &failed[me]);
	}
	return NULL;
}

static enum brski_code room_at(time_t at, const char *serial, long *seconds)
{
	struct brski_store_work asked = {.manufacturer = "acme", .work = BRSKI_WORK_CERTIFICATE, .at = at};

	snprintf(asked.serial_number, sizeof(asked.serial_number), "%s", serial);
	err = (struct brski_error){0};
	return brski_store_job_room(two, &asked, &rated, seconds, &err);
}

START_TEST(a_rate_is_kept_when_two_add_at_one_time)
{
	unsigned n;
	struct brski_store_job job;
	long seconds;

	contract_both(add_often);
	ck_assert_uint_eq(failed[0] + failed[1], 0);
	ck_assert_uint_eq(let_in[0] + let_in[1], 20);
	EXPECT_WHY(BRSKI_TOO_LARGE, "20 times in 60 s already (max_requests_per_device)",
		room_at(1010, "S-1", &seconds));
	ck_assert_int_eq(seconds, 50);
	EXPECT(BRSKI_OK, room_at(1010, "S-2", &seconds));
	ck_assert_int_eq(seconds, 0);
	EXPECT(BRSKI_OK, room_at(1060, "S-1", &seconds));
	/* an answer is none; to ask once more is */
	job = contract_get(one, let_in[0] ? "0-0" : "1-0");
	job.state = BRSKI_JOB_REFUSED;
	EXPECT(BRSKI_OK, brski_store_job_replace(one, &job, &rated, &err));
	job.revision++;
	job.state = BRSKI_JOB_WAITING;
	EXPECT_WHY(
		BRSKI_TOO_LARGE, "max_requests_per_device", brski_store_job_replace(one, &job, &rated, &err));
	job.updated = 1060;
	EXPECT(BRSKI_OK, brski_store_job_replace(one, &job, &rated, &err));
	EXPECT(BRSKI_OK, brski_store_rates_expire(one, 1060, 2000, &n, &err));
	EXPECT(BRSKI_OK, room_at(1010, "S-1", &seconds));
	brski_store_job_free(&job);
}
END_TEST

static void *add_the_same(void *store)
{
	int me = store == two;
	struct brski_error why;

	for (int i = 0; i < TRIES; i++) {
		struct brski_store_job job = contract_job("");
		enum brski_code code;

		snprintf(job.key, sizeof(job.key), "%d", i);
		code = brski_store_job_add(store, &job, NULL, &why);
		++*(code == BRSKI_OK ? &let_in[me] : code == BRSKI_UNEXPECTED ? &kept_out[me] : &failed[me]);
	}
	return NULL;
}

START_TEST(a_request_is_added_once)
{
	contract_both(add_the_same);
	ck_assert_uint_eq(failed[0] + failed[1], 0);
	ck_assert_uint_eq(let_in[0] + let_in[1], TRIES);
	ck_assert_uint_eq(kept_out[0] + kept_out[1], TRIES);
}
END_TEST

/* A device that the policy accepts may still be one that never stops asking. */
START_TEST(finished_vouchers_of_one_device_are_bounded)
{
	struct brski_store_job job, other;
	struct brski_store_job_totals totals;

	contract_add("cmp");
	job = contract_get(one, "cmp");
	EXPECT(BRSKI_OK, contract_answer(one, &job, BRSKI_JOB_DONE, "answered"));
	brski_store_job_free(&job);
	job = contract_job("");
	job.kind = BRSKI_JOB_VOUCHER;
	job.work = BRSKI_WORK_VOUCHER;
	for (int i = 0; i < 20; i++) {
		snprintf(job.key, sizeof(job.key), "k%02d", i);
		job.updated = 2000 + i;
		job.state = BRSKI_JOB_REFUSED;
		EXPECT(BRSKI_OK, brski_store_job_add(one, &job, NULL, &err));
		job.revision = 1;
		EXPECT(BRSKI_OK, brski_store_job_replace(one, &job, NULL, &err));
	}
	other = job;
	snprintf(other.key, sizeof(other.key), "other");
	snprintf(other.serial_number, sizeof(other.serial_number), "S-2");
	EXPECT(BRSKI_OK, brski_store_job_add(one, &other, NULL, &err));
	EXPECT(BRSKI_OK, brski_store_job_totals(one, &totals, &err));
	ck_assert(totals.done == 1 && totals.refused == 16 + 1 && totals.waiting == 1);
	contract_expect_no_job("k02");
	job = contract_get(one, "k03");
	brski_store_job_free(&job);
}
END_TEST

/* ---- All or nothing ---- */

START_TEST(answers_from_elsewhere_are_settled_wholly_or_not_at_all)
{
	const struct brski_store_note notes[2] = {
		contract_note("n", "a", false), contract_note("m", "new", true)};
	struct brski_store_job jobs[3], late;

	contract_add("a");
	contract_add("b");
	contract_put_note("m", "old", true);
	jobs[0] = contract_get(two, "a");
	jobs[1] = contract_job("new");
	jobs[2] = contract_get(two, "b");
	for (int i = 0; i < 3; i++)
		jobs[i].state = BRSKI_JOB_DONE;
	late = contract_get(one, "b");
	EXPECT(BRSKI_OK, contract_answer(one, &late, BRSKI_JOB_WAITING, "halfway"));
	EXPECT_WHY(
		BRSKI_UNEXPECTED, "meanwhile", brski_store_jobs_settle(two, jobs, 3, notes, 2, NULL, &err));
	contract_expect_job("a", 1, BRSKI_JOB_WAITING, "asked", 1000);
	contract_expect_job("b", 2, BRSKI_JOB_WAITING, "halfway", 2000);
	contract_expect_no_job("new");
	contract_expect_note("n", "");
	contract_expect_note("m", "old");
	jobs[2].revision = 2;
	EXPECT(BRSKI_OK, brski_store_jobs_settle(two, jobs, 3, notes, 2, NULL, &err));
	contract_expect_job("a", 2, BRSKI_JOB_DONE, "asked", 1000);
	contract_expect_job("b", 3, BRSKI_JOB_DONE, "asked", 1000);
	contract_expect_job("new", 1, BRSKI_JOB_DONE, "", 1000);
	contract_expect_note("n", "a");
	contract_expect_note("m", "new");
	EXPECT(BRSKI_UNEXPECTED, brski_store_jobs_settle(two, &jobs[1], 1, NULL, 0, NULL, &err));
	EXPECT(BRSKI_UNEXPECTED,
		contract_answer(one, &late, BRSKI_JOB_REFUSED, "late")); /* the call that was under way */
	for (int i = 0; i < 3; i++)
		brski_store_job_free(&jobs[i]);
	brski_store_job_free(&late);
}
END_TEST

/* ---- What is kept ---- */

static int ran;

static void count(void *ctx)
{
	(void)ctx;
	ran++;
}

/* Of what is old, too: others have their turn in between. */
START_TEST(what_is_old_goes_in_steps)
{
	static const unsigned steps[] = {BRSKI_STORE_STEP, BRSKI_STORE_STEP, 50, 0};
	char key[16];
	unsigned n;

	for (int i = 0; i < 2 * BRSKI_STORE_STEP + 50; i++) {
		snprintf(key, sizeof(key), "%d", i);
		contract_add(key);
	}
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		EXPECT(BRSKI_OK, brski_store_jobs_expire(two, 1001, &n, &err));
		ck_assert_uint_eq(n, steps[i]);
	}
}
END_TEST

START_TEST(what_is_stored_is_kept_sooner_or_later)
{
	uint64_t before = brski_store_mark(one), mark;

	brski_store_on_kept(one, count, NULL);
	contract_add("k");
	mark = brski_store_mark(one);
	ck_assert(mark >= before);
	ck_assert_int_eq(brski_store_wait_kept(one, mark, 60000, &err), BRSKI_KEPT);
	ck_assert_int_eq(brski_store_kept(one, mark, &err), BRSKI_KEPT);
	ck_assert_int_eq(brski_store_kept(one, before, &err), BRSKI_KEPT);
	brski_store_on_kept(one, NULL, NULL);
	ran = 0;
	contract_add("l");
	ck_assert_int_eq(brski_store_wait_kept(one, brski_store_mark(one), 60000, NULL), BRSKI_KEPT);
	ck_assert_int_eq(ran, 0);
}
END_TEST

/* ---- All of them ---- */

int store_contract(const char *name, const struct store_driver *driver)
{
	const TTest *const own[] = {what_is_added_waits, nobody_overwrites_what_he_has_not_seen,
		no_change_is_lost, it_is_all_there_when_it_is_opened_again, jobs_are_counted_and_get_too_old,
		what_waits_is_bounded, what_is_stored_may_always_change_but_not_wait_once_more,
		bounds_are_kept_when_two_add_at_one_time, a_rate_is_kept_when_two_add_at_one_time,
		a_request_is_added_once, finished_vouchers_of_one_device_are_bounded,
		answers_from_elsewhere_are_settled_wholly_or_not_at_all, what_is_old_goes_in_steps,
		what_is_stored_is_kept_sooner_or_later};
	const TTest *all[64];
	size_t n = sizeof(own) / sizeof(own[0]);

	contract_driver = driver;
	memcpy(all, own, sizeof(own));
	n += contract_leases(all + n);
	n += contract_lists(all + n);
	n += contract_permissions(all + n);
	return run_tests(name, setup, teardown, all, n);
}
