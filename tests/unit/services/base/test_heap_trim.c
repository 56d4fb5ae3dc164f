/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>

#include "services/base/heap_trim.h"
#include "tests/unit/support/files.h"

/* When memory is given back: once for each crowd, and not for the coming and going of every minute. */

static struct brski_heap_trim trim;

static void setup(void)
{
	trim = (struct brski_heap_trim){0};
}

START_TEST(once_after_a_crowd)
{
	ck_assert(!brski_heap_trim(&trim, 1000, 1000));
	ck_assert(!brski_heap_trim(&trim, 600, 900)); /* it may come again */
	ck_assert(brski_heap_trim(&trim, 400, 600));
	ck_assert(!brski_heap_trim(&trim, 400, 400));
	ck_assert(!brski_heap_trim(&trim, 300, 400));
	ck_assert(brski_heap_trim(&trim, 150, 300));
	ck_assert(!brski_heap_trim(&trim, 0, 150)); /* too little */
}
END_TEST

START_TEST(after_a_crowd_that_nobody_saw)
{
	ck_assert(brski_heap_trim(&trim, 3, 3000));
	ck_assert(!brski_heap_trim(&trim, 3, 100));
}
END_TEST

START_TEST(not_on_an_ordinary_day)
{
	for (int i = 0; i < 100; i++)
		ck_assert(!brski_heap_trim(&trim, i % 2 ? 0 : 200, 200));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		once_after_a_crowd, after_a_crowd_that_nobody_saw, not_on_an_ordinary_day};

	return run_tests("heap_trim", setup, NULL, tests, sizeof(tests) / sizeof(tests[0]));
}
