/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>

#include <check.h>

#include "eap_brski/ground/log_limit.h"
#include "tests/unit/support/files.h"

static struct brski_log_limit limit;

static void setup(void)
{
	limit = (struct brski_log_limit){0};
}

static void teardown(void)
{
}

static void expect(int64_t now_ms, bool due, unsigned left_out)
{
	unsigned n = 77;

	ck_assert_msg(brski_log_due(&limit, now_ms, &n) == due, "at %lld ms", (long long)now_ms);
	ck_assert_uint_eq(n, left_out);
}

START_TEST(the_first_goes_out_at_once_and_then_one_a_minute)
{
	expect(5, true, 0);
	for (int i = 0; i < 1000; i++)
		expect(5 + i, false, 0);
	expect(60004, false, 0);
	expect(60005, true, 1001);
	expect(60006, false, 0);
	expect(500000, true, 1);
	expect(600000, true, 0);
}
END_TEST

/* The clock counts from some moment, which may be now. */
START_TEST(zero_is_a_time_too)
{
	expect(0, true, 0);
	expect(0, false, 0);
}
END_TEST

/* A time of day may be set back. */
START_TEST(a_jump_back_silences_nobody)
{
	expect(900000, true, 0);
	expect(900001, false, 0);
	expect(5000, true, 1);
	expect(5001, false, 0);
	expect(65000, true, 1);
}
END_TEST

START_TEST(the_last_of_them_are_told_too)
{
	unsigned n;

	ck_assert(!brski_log_left_out(&limit, 5, &n));
	expect(5, true, 0);
	ck_assert(!brski_log_left_out(&limit, 70000, &n)); /* none was left out */
	expect(50000, false, 0);
	expect(50001, false, 0);
	ck_assert(!brski_log_left_out(&limit, 60004, &n));
	ck_assert_uint_eq(n, 0);
	ck_assert(brski_log_left_out(&limit, 60005, &n));
	ck_assert_uint_eq(n, 2);
	ck_assert(!brski_log_left_out(&limit, 200000, &n));
	expect(120004, false, 0); /* that was a line, too */
	expect(120005, true, 1);
}
END_TEST

START_TEST(what_is_put_behind_the_line)
{
	char more[BRSKI_LOG_MORE_MAX];

	ck_assert_str_eq(brski_log_more(0, more), "");
	ck_assert_str_eq(brski_log_more(12, more), " (and 12 more like this)");
	ck_assert_str_eq(brski_log_more(4294967295U, more), " (and 4294967295 more like this)");
}
END_TEST

enum { THREADS = 4, LINES = 2000 };

static void *write_lines(void *arg)
{
	unsigned *told = arg, n;

	for (int i = 0; i < LINES; i++)
		if (brski_log_due(&limit, 1000 + (int64_t)i * 100, &n))
			*told += 1 + n;
	return NULL;
}

/* Every one is either written or counted, once. */
START_TEST(threads_share_it)
{
	pthread_t threads[THREADS];
	unsigned told[THREADS] = {0}, sum = 0, n;

	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, write_lines, &told[i]), 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		sum += told[i];
	}
	if (brski_log_left_out(&limit, INT64_MAX / 2, &n))
		sum += n;
	ck_assert_uint_eq(sum, THREADS * LINES);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		the_first_goes_out_at_once_and_then_one_a_minute,
		zero_is_a_time_too,
		a_jump_back_silences_nobody,
		the_last_of_them_are_told_too,
		what_is_put_behind_the_line,
		threads_share_it,
	};

	return run_tests("log_limit", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
