/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "radius_module/wait.h"
#include "services/base/clock.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/site_store.h"
#include "tests/unit/support/site_web.h"
#include "tests/unit/support/visit.h"

/* How long a server's thread waits for a job, and how long a peer does. */

static struct site site;
static struct site_web web;
static struct brski_store *store;
static struct site_store memory;
static struct brski_worker *worker;
static struct brski_wait wait;
static struct brski_room room;

static void setup(void)
{
	struct brski_worker_config config = {.retry_min_ms = 60000};
	struct brski_error err;

	site_open(&site, "P-256");
	site_web_start(&web, &site);
	EXPECT(BRSKI_OK, brski_store_open(":memory:", true, &store, &err));
	site_store_set(&memory, &site, store);
	site_restart(&site);
	config.registrar = site.registrar;
	config.store = store;
	EXPECT(BRSKI_OK, brski_worker_new(&config, &worker, &err));
	brski_wait_init(&wait);
	room.threads = 0;
	room.most = 2;
}

static void teardown(void)
{
	brski_wait_destroy(&wait);
	brski_worker_free(worker);
	brski_store_close(store);
	site_web_stop(&web);
	site_close(&site);
}

/* It waits for a voucher. */
static void begin(void)
{
	struct brski_error err;
	struct visit v;

	visit_open(&v, &site);
	visit_make_voucher_request(&v);
	ck_assert_uint_eq(
		visit_send(&v, "POST", PATH_VOUCHER, BRSKI_MEDIA_VOUCHER, brski_buf_span(&v.request)), 0);
	EXPECT(BRSKI_OK, brski_wait_begin(&wait, worker, v.job, &err));
	v.job = NULL;
	visit_close(&v);
}

/* What it sees, and how long that took. */
static enum brski_progress look(long ms, int64_t *took)
{
	int64_t began = brski_now_ms();
	enum brski_progress progress = brski_wait_look(&wait, &room, ms, NULL);

	*took = brski_now_ms() - began;
	ck_assert_uint_le(room.threads, 2);
	return progress;
}

START_TEST(a_thread_waits_until_the_job_is_done)
{
	int64_t took;

	web.masa.delay_ms = 200;
	begin();
	ck_assert_int_eq(look(10000, &took), BRSKI_PROGRESS_FINISHED); /* voucher and audit log */
	ck_assert_int_ge(took, 300);
	ck_assert_int_lt(took, 9000);
	ck_assert_uint_eq(room.threads, 0);
	brski_wait_end(&wait);
	ck_assert_ptr_null(wait.ticket);
	begin();
	ck_assert_int_eq(look(10000, &took), BRSKI_PROGRESS_FINISHED);
}
END_TEST

START_TEST(a_thread_waits_no_longer_than_it_may)
{
	int64_t took;

	web.masa.delay_ms = 3000;
	begin();
	ck_assert_int_eq(look(100, &took), BRSKI_PROGRESS_RUNNING);
	ck_assert_int_ge(took, 99);
	ck_assert_int_lt(took, 1500);
	ck_assert_int_eq(look(-5, &took), BRSKI_PROGRESS_RUNNING);
	ck_assert_int_lt(took, 1500);
}
END_TEST

START_TEST(a_third_thread_does_not_wait)
{
	int64_t took;

	web.masa.delay_ms = 3000;
	begin();
	room.threads = 2;
	ck_assert_int_eq(brski_wait_look(&wait, &room, 2000, NULL), BRSKI_PROGRESS_RUNNING);
	ck_assert_uint_eq(room.threads, 2);
	room.threads = 1;
	ck_assert_int_eq(look(100, &took), BRSKI_PROGRESS_RUNNING);
	ck_assert_int_ge(took, 99);
}
END_TEST

START_TEST(once_the_peer_waits_no_thread_does)
{
	int64_t took;

	web.masa.delay_ms = 3000;
	begin();
	(void)brski_patience_next(&wait.patience, 20000);
	ck_assert_int_eq(look(2500, &took), BRSKI_PROGRESS_RUNNING);
	ck_assert_int_lt(took, 1500);
}
END_TEST

START_TEST(one_that_is_away_is_not_worth_waiting_for)
{
	int64_t took;
	long pause;

	site.masa = MASA_DOWN;
	begin();
	ck_assert_int_eq(look(10000, &took), BRSKI_PROGRESS_PAUSED);
	ck_assert_int_lt(took, 9000);
	ck_assert_int_eq(brski_wait_look(&wait, &room, 0, &pause), BRSKI_PROGRESS_PAUSED);
	ck_assert_int_gt(pause, 50000);
	ck_assert(!brski_wait_is_worth(&wait, 0, 20000));
}
END_TEST

START_TEST(a_pause_must_fit_into_the_total)
{
	web.masa.delay_ms = 3000;
	begin();
	ck_assert(brski_wait_is_worth(&wait, 0, 20000));
	ck_assert(brski_wait_is_worth(&wait, 15000, 20000));
	ck_assert(!brski_wait_is_worth(&wait, 20000, 20000));
	wait.patience.since -= 20000;
	ck_assert(!brski_wait_is_worth(&wait, 0, 20000));
}
END_TEST

/* What a peer is told after so many milliseconds; a second more may have gone by. */
static void expect_next(long elapsed, long total, unsigned least, unsigned most)
{
	unsigned waits = wait.patience.waits, next;

	wait.patience.since = brski_now_ms() - elapsed;
	next = brski_patience_next(&wait.patience, total);
	ck_assert_msg(next >= least && next <= most, "%ld of %ld ms: %u", elapsed, total, next);
	ck_assert_uint_eq(wait.patience.waits, waits + 1);
}

START_TEST(a_peer_waits_longer_and_longer)
{
	expect_next(0, 20000, 100, 600);
	expect_next(2000, 20000, 1000, 1500);
	expect_next(10000, 20000, 3000, 3000);
	expect_next(18000, 20000, 1000, 2000); /* not beyond the total */
	expect_next(30000, 20000, 100, 100);
	expect_next(100000, 600000, 20000, 20000); /* thirty of them at most */
	expect_next(400000, 1200000, 25000, 25000);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_thread_waits_until_the_job_is_done,
		a_thread_waits_no_longer_than_it_may,
		a_third_thread_does_not_wait,
		once_the_peer_waits_no_thread_does,
		one_that_is_away_is_not_worth_waiting_for,
		a_pause_must_fit_into_the_total,
		a_peer_waits_longer_and_longer,
	};

	return run_tests("wait", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
