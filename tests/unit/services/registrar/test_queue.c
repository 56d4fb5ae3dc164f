/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include <check.h>

#include "services/registrar/queue.h"
#include "tests/unit/support/files.h"

/* The earliest first, whatever comes and goes. */

#define N 2000

static struct brski_queue queue;
static struct brski_queued entries[N];
static unsigned seed;

static void setup(void)
{
	queue = (struct brski_queue){0};
	seed = 1;
	for (unsigned i = 0; i < N; i++)
		entries[i] = (struct brski_queued){.arrival = i};
}

static unsigned any(unsigned below)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % below;
}

/* Takes all that is left in it; how many. */
static unsigned drain(void)
{
	const struct brski_queued *before = NULL;
	unsigned n = 0;

	while (queue.first) {
		struct brski_queued *entry = queue.first;

		ck_assert(!before || before->due < entry->due ||
			  (before->due == entry->due && before->arrival < entry->arrival));
		brski_queue_remove(&queue, entry);
		ck_assert(!entry->is_in);
		before = entry;
		n++;
	}
	return n;
}

START_TEST(the_earliest_comes_first)
{
	for (unsigned i = 0; i < N; i++) {
		entries[i].due = any(50); /* many at one time */
		brski_queue_put(&queue, &entries[i]);
	}
	ck_assert_uint_eq(drain(), N);
}
END_TEST

START_TEST(from_anywhere_one_may_go)
{
	unsigned left = 0;

	for (unsigned i = 0; i < N; i++) {
		entries[i].due = any(1000);
		brski_queue_put(&queue, &entries[i]);
		if (i % 3 == 2)
			brski_queue_remove(&queue, &entries[any(i + 1)]);
		if (i % 100 == 99) /* so that there are deep ones */
			brski_queue_remove(&queue, queue.first);
	}
	for (unsigned i = 0; i < N; i++)
		left += entries[i].is_in;
	ck_assert_uint_lt(left, N);
	ck_assert_uint_eq(drain(), left);
}
END_TEST

START_TEST(what_is_in_none_may_go_too)
{
	brski_queue_remove(&queue, &entries[0]);
	brski_queue_put(&queue, &entries[0]);
	brski_queue_remove(&queue, &entries[1]);
	ck_assert_ptr_eq(queue.first, &entries[0]);
	brski_queue_remove(&queue, &entries[0]);
	brski_queue_put(&queue, &entries[0]);
	ck_assert_uint_eq(drain(), 1);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		the_earliest_comes_first, from_anywhere_one_may_go, what_is_in_none_may_go_too};

	return run_tests("queue", setup, NULL, tests, sizeof(tests) / sizeof(tests[0]));
}
