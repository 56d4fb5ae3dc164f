/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "services/registrar_https/pool.h"
#include "tests/unit/support/files.h"

/* Work, threads, and the bounded queue before them. */

#define MANY 1000
#define MOST 3

/* What the pool is given: it notes when it was its turn, and the first ones wait at a gate. */
struct piece {
	struct pool_work work;
	bool waits;
	unsigned turn; /* 0: not yet */
};

static struct brski_error err;
static struct pool *pool;
static atomic_uint turns, at_gate;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void do_piece(struct pool_work *work)
{
	struct piece *p = (struct piece *)work;

	if (p->waits) {
		at_gate++;
		pthread_mutex_lock(&gate);
		pthread_mutex_unlock(&gate);
	}
	p->turn = ++turns;
}

static void make(unsigned threads, unsigned queue_max)
{
	turns = 0;
	at_gate = 0;
	EXPECT(BRSKI_OK, pool_new(threads, queue_max, &pool, &err));
}

/* The only thread of the pool does this one, until the gate is opened. */
static void keep_busy(struct piece *p)
{
	*p = (struct piece){.work.run = do_piece, .waits = true};
	pthread_mutex_lock(&gate);
	ck_assert(pool_offer(pool, &p->work));
	while (at_gate == 0)
		sched_yield();
}

static void let_go(void)
{
	pthread_mutex_unlock(&gate);
}

static void wait_for(unsigned n)
{
	while (turns < n)
		sched_yield();
}

START_TEST(everything_is_done_once)
{
	static struct piece pieces[MANY];
	unsigned seen[MANY + 1] = {0};

	make(4, MANY);
	for (int i = 0; i < MANY; i++) {
		pieces[i] = (struct piece){.work.run = do_piece};
		if (i % 3 == 0)
			pool_put(pool, &pieces[i].work);
		else
			ck_assert(pool_offer(pool, &pieces[i].work));
	}
	wait_for(MANY);
	pool_free(pool);
	for (int i = 0; i < MANY; i++)
		ck_assert_uint_eq(seen[pieces[i].turn]++, 0);
	ck_assert_uint_eq(seen[0], 0);
}
END_TEST

START_TEST(what_goes_on_is_before_what_is_new)
{
	struct piece first, pieces[4];

	make(1, 10);
	keep_busy(&first);
	for (int i = 0; i < 4; i++)
		pieces[i] = (struct piece){.work.run = do_piece};
	ck_assert(pool_offer(pool, &pieces[2].work));
	ck_assert(pool_offer(pool, &pieces[3].work));
	pool_put(pool, &pieces[0].work);
	pool_put(pool, &pieces[1].work);
	let_go();
	wait_for(5);
	pool_free(pool);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_uint_eq(pieces[i].turn, i + 2);
}
END_TEST

START_TEST(new_work_is_bounded_and_what_goes_on_is_not)
{
	struct piece first, pieces[MOST + 2];

	make(1, MOST);
	keep_busy(&first);
	for (int i = 0; i < MOST + 2; i++)
		pieces[i] = (struct piece){.work.run = do_piece};
	for (int i = 0; i < MOST; i++)
		ck_assert(pool_offer(pool, &pieces[i].work));
	ck_assert(!pool_offer(pool, &pieces[MOST].work));
	pool_put(pool, &pieces[MOST + 1].work);
	let_go();
	wait_for(MOST + 2);
	ck_assert(pool_offer(pool, &pieces[MOST].work)); /* there is room again */
	wait_for(MOST + 3);
	pool_free(pool);
}
END_TEST

static void *stop(void *arg)
{
	pool_stop(arg);
	return NULL;
}

START_TEST(what_is_being_done_is_finished)
{
	struct piece first;
	pthread_t stopper;

	make(1, MOST);
	keep_busy(&first);
	ck_assert_int_eq(pthread_create(&stopper, NULL, stop, pool), 0);
	let_go();
	pthread_join(stopper, NULL);
	ck_assert_uint_eq(first.turn, 1);
	pool_free(pool);
}
END_TEST

START_TEST(what_comes_after_the_end_is_not_begun)
{
	struct piece late = {.work.run = do_piece};

	make(2, MOST);
	pool_stop(pool);
	ck_assert(pool_offer(pool, &late.work));
	pool_put(pool, &late.work);
	pool_free(pool);
	ck_assert_uint_eq(late.turn, 0);
	pool_free(NULL);
}
END_TEST

START_TEST(there_are_two_threads_at_least)
{
	ck_assert_uint_ge(pool_threads_default(), 2);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		everything_is_done_once,
		what_goes_on_is_before_what_is_new,
		new_work_is_bounded_and_what_goes_on_is_not,
		what_is_being_done_is_finished,
		what_comes_after_the_end_is_not_begun,
		there_are_two_threads_at_least,
	};

	return run_tests("pool", NULL, NULL, tests, sizeof(tests) / sizeof(tests[0]));
}
