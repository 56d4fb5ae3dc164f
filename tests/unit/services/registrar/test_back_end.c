/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>

#include "services/registrar/back_end.h"
#include "services/registrar/places.h"
#include "tests/unit/support/files.h"

/* When a back end is away, and how it comes back: by the test's clock. */

#define NEVER INT64_MAX
#define PAUSE 5000

static struct brski_back_end b;
static int64_t now;

static void setup(void)
{
	brski_back_end_init(&b, BRSKI_JOB_VOUCHER, "https://masa.example");
	now = 1000000;
}

/* A call of that job that comes to nothing. True: now it is away. */
static bool silent(uint64_t job)
{
	bool probe = brski_back_end_begin(&b);
	bool went = brski_back_end_silent(&b, job, probe, now, PAUSE);

	brski_back_end_end(&b, probe);
	return went;
}

static bool heard(void)
{
	bool probe = brski_back_end_begin(&b);
	bool came = brski_back_end_heard(&b, now);

	brski_back_end_end(&b, probe);
	return came;
}

static void go_away(void)
{
	ck_assert(!silent(1) && !silent(2) && silent(3));
}

START_TEST(three_silent_calls_of_different_jobs)
{
	go_away();
	ck_assert(b.away && b.running == 0);
	ck_assert_int_eq(brski_back_end_when(&b, now), now + PAUSE);
	ck_assert_int_eq(brski_back_end_when(&b, now + 2 * PAUSE), now + 2 * PAUSE);
}
END_TEST

/* It may be the job that nobody answers. */
START_TEST(one_job_alone_says_nothing)
{
	for (int i = 0; i < 10; i++)
		ck_assert(!silent(1) && !silent(2));
	ck_assert(!b.away);
	ck_assert_int_eq(brski_back_end_when(&b, now), now);
}
END_TEST

START_TEST(an_answer_in_between_counts)
{
	for (int i = 0; i < 10; i++)
		ck_assert(!silent(1) && !silent(2) && !heard());
	ck_assert(!b.away && b.most == BRSKI_PLACES);
}
END_TEST

START_TEST(one_probe_at_a_time)
{
	go_away();
	now += PAUSE;
	ck_assert_int_eq(brski_back_end_when(&b, 0), now);
	ck_assert(brski_back_end_begin(&b));
	ck_assert_int_eq(brski_back_end_when(&b, 0), NEVER);
	ck_assert(!brski_back_end_silent(&b, 4, true, now, 2 * PAUSE));
	brski_back_end_end(&b, true);
	ck_assert_uint_eq(b.failed, 2);
	ck_assert_int_eq(brski_back_end_when(&b, 0), now + 2 * PAUSE);
}
END_TEST

/* They were under way when it went, and say nothing new. */
START_TEST(calls_that_end_late_are_no_probes)
{
	for (int i = 0; i < 5; i++)
		ck_assert(!brski_back_end_begin(&b));
	for (uint64_t i = 0; i < 5; i++) {
		brski_back_end_silent(&b, i, false, now + (int64_t)i, PAUSE);
		brski_back_end_end(&b, false);
	}
	ck_assert_uint_eq(b.failed, 1);
	ck_assert_int_eq(b.probe_at, now + 2 + PAUSE);
}
END_TEST

/* One call more with each answer, so twice as many after as many answers. */
START_TEST(it_comes_back_slowly)
{
	unsigned made = 0;

	go_away();
	ck_assert(heard());
	ck_assert(!b.away && b.times == 1);
	for (unsigned most = 2; most < 64; most *= 2) {
		for (made = 0; brski_back_end_when(&b, now) <= now; made++)
			ck_assert(!brski_back_end_begin(&b));
		ck_assert_uint_eq(made, most);
		while (made-- > 0) {
			ck_assert(!brski_back_end_heard(&b, now));
			brski_back_end_end(&b, false);
		}
	}
}
END_TEST

START_TEST(it_goes_again)
{
	go_away();
	heard();
	now += 100;
	go_away();
	ck_assert_int_eq(b.silent_since, now);
	ck_assert(heard());
	ck_assert(b.times == 2 && b.most == 2);
}
END_TEST

START_TEST(a_device_brings_the_probe_forward)
{
	go_away();
	now += BRSKI_BACK_END_WAKE_MS - 1;
	ck_assert(!brski_back_end_bring_forward(&b, now));
	ck_assert_int_gt(brski_back_end_when(&b, 0), now);
	now++;
	ck_assert(brski_back_end_bring_forward(&b, now));
	ck_assert_int_eq(brski_back_end_when(&b, 0), now);
	brski_back_end_begin(&b);
	ck_assert(!brski_back_end_bring_forward(&b, now + PAUSE));
}
END_TEST

/* The store failed, for instance. */
START_TEST(a_probe_that_is_no_call_is_made_again)
{
	go_away();
	now += PAUSE;
	ck_assert(brski_back_end_begin(&b));
	brski_back_end_end(&b, true);
	ck_assert_int_le(brski_back_end_when(&b, 0), now);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {three_silent_calls_of_different_jobs, one_job_alone_says_nothing,
		an_answer_in_between_counts, one_probe_at_a_time, calls_that_end_late_are_no_probes,
		it_comes_back_slowly, it_goes_again, a_device_brings_the_probe_forward,
		a_probe_that_is_no_call_is_made_again};

	return run_tests("back_end", setup, NULL, tests, sizeof(tests) / sizeof(tests[0]));
}
