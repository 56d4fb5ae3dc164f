/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <unistd.h>

#include <check.h>

#include "radius_module/gate.h"
#include "tests/unit/support/files.h"

/* Who of a server's threads may work, in which order, and how many wait for it. */

#define LONG_MS 60000

static struct brski_room room;
static struct brski_gate gate;

static void open_gate(unsigned places, unsigned most_waiting)
{
	room.threads = 0;
	room.most = most_waiting;
	brski_gate_init(&gate, places, &room);
}

static void setup(void)
{
	open_gate(1, 3);
}

static void teardown(void)
{
	brski_gate_destroy(&gate);
}

/* ---- Threads that ask for a place ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t entered[16];
static unsigned n_entered;

struct asker {
	pthread_t thread;
	uint64_t ticket;
	bool has_place;
};

static void *ask(void *arg)
{
	struct asker *a = arg;

	a->has_place = brski_gate_enter(&gate, a->ticket, LONG_MS);
	if (!a->has_place)
		return NULL;
	pthread_mutex_lock(&lock);
	entered[n_entered++] = a->ticket;
	pthread_mutex_unlock(&lock);
	brski_gate_leave(&gate);
	return NULL;
}

/* Returns when so many threads wait. */
static void start(struct asker *a, uint64_t ticket, unsigned waiting)
{
	a->ticket = ticket;
	ck_assert_int_eq(pthread_create(&a->thread, NULL, ask, a), 0);
	while (room.threads != waiting)
		usleep(1000);
}

static bool end(struct asker *a)
{
	pthread_join(a->thread, NULL);
	return a->has_place;
}

static void expect_order(const uint64_t *tickets, unsigned n)
{
	ck_assert_uint_eq(n_entered, n);
	for (unsigned i = 0; i < n; i++)
		ck_assert_uint_eq(entered[i], tickets[i]);
	n_entered = 0;
}

/* ---- Tests ---- */

START_TEST(so_many_and_no_more)
{
	teardown();
	open_gate(2, 3);
	ck_assert(brski_gate_enter(&gate, 1, 0));
	ck_assert(brski_gate_enter(&gate, 2, 0));
	ck_assert(!brski_gate_enter(&gate, 3, 0));
	ck_assert(!brski_gate_enter(&gate, 3, -5));
	ck_assert(!brski_gate_enter(&gate, 3, 20)); /* the time is over */
	ck_assert_uint_eq(room.threads, 0);
	brski_gate_leave(&gate);
	ck_assert(brski_gate_enter(&gate, 3, 0));
	brski_gate_leave(&gate);
	brski_gate_leave(&gate);
	ck_assert(brski_gate_enter(&gate, 4, 0));
	ck_assert(brski_gate_enter(&gate, 5, 0));
	ck_assert(!brski_gate_enter(&gate, 6, 0));
}
END_TEST

START_TEST(tickets_are_in_the_order_of_arrival)
{
	uint64_t first = brski_gate_ticket(&gate);

	ck_assert_uint_gt(first, 0);
	ck_assert_uint_gt(brski_gate_ticket(&gate), first);
}
END_TEST

START_TEST(who_came_first_goes_first)
{
	struct asker a[3];

	ck_assert(brski_gate_enter(&gate, 1, 0));
	start(&a[0], 5, 1);
	start(&a[1], 3, 2);
	start(&a[2], 4, 3);
	brski_gate_leave(&gate);
	for (int i = 0; i < 3; i++)
		ck_assert(end(&a[i]));
	expect_order((const uint64_t[]){3, 4, 5}, 3);
	ck_assert_uint_eq(room.threads, 0);
}
END_TEST

/* There is room for few threads: who comes again goes before those who came after it. */
START_TEST(who_came_first_takes_the_room_of_the_last)
{
	struct asker a[3];

	room.most = 2;
	ck_assert(brski_gate_enter(&gate, 1, 0));
	start(&a[0], 7, 1);
	start(&a[1], 8, 2);
	ck_assert(!brski_gate_enter(&gate, 9, LONG_MS)); /* there is none for it */
	start(&a[2], 2, 2);
	ck_assert(!end(&a[1]));
	ck_assert_uint_eq(room.threads, 2);
	brski_gate_leave(&gate);
	ck_assert(end(&a[0]));
	ck_assert(end(&a[2]));
	expect_order((const uint64_t[]){2, 7}, 2);
	ck_assert_uint_eq(room.threads, 0);
	ck_assert(brski_gate_enter(&gate, 10, 0));
}
END_TEST

/* Those who wait for a back end are not in the line: nobody of them can be sent away. */
START_TEST(room_that_others_have_is_theirs)
{
	ck_assert(brski_gate_enter(&gate, 5, 0));
	for (unsigned i = 0; i < room.most; i++)
		ck_assert(brski_room_enter(&room));
	ck_assert(!brski_gate_enter(&gate, 1, LONG_MS));
	ck_assert_uint_eq(room.threads, room.most);
}
END_TEST

enum { THREADS = 8, TIMES = 300, PLACES = 3 };
static atomic_uint inside, most_inside, n_in;

static void *come_and_go(void *arg)
{
	unsigned now, most;

	(void)arg;
	for (int i = 0; i < TIMES; i++) {
		if (!brski_gate_enter(&gate, brski_gate_ticket(&gate), 1))
			continue;
		now = atomic_fetch_add(&inside, 1) + 1;
		most = atomic_load(&most_inside);
		while (now > most && !atomic_compare_exchange_weak(&most_inside, &most, now))
			;
		atomic_fetch_add(&n_in, 1);
		usleep(50);
		atomic_fetch_sub(&inside, 1);
		brski_gate_leave(&gate);
	}
	return NULL;
}

START_TEST(however_many_come)
{
	pthread_t threads[THREADS];

	teardown();
	open_gate(PLACES, 2);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, come_and_go, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_ge(n_in, TIMES);
	ck_assert_uint_le(most_inside, PLACES);
	ck_assert_uint_eq(room.threads, 0);
	for (uint64_t i = 0; i < PLACES; i++)
		ck_assert(brski_gate_enter(&gate, i, 0));
	ck_assert(!brski_gate_enter(&gate, 9, 0));
}
END_TEST

START_TEST(what_it_bears_is_learned)
{
	unsigned first = brski_gate_bears(&gate, 10000);

	ck_assert_uint_ge(first, 100); /* a small machine's guess */
	ck_assert_uint_le(first, 1000);
	ck_assert_uint_eq(brski_gate_bears(&gate, 0), 1);
	for (int i = 0; i < 1000; i++)
		brski_gate_learn(&gate, 100000);
	ck_assert_uint_ge(brski_gate_bears(&gate, 10000), 95);
	ck_assert_uint_le(brski_gate_bears(&gate, 10000), 105);
	for (int i = 0; i < 1000; i++)
		brski_gate_learn(&gate, 0);
	ck_assert_uint_gt(brski_gate_bears(&gate, 10000), 1000);
	teardown();
	open_gate(4, 4);
	ck_assert_uint_ge(brski_gate_bears(&gate, 10000), 4 * first - 4);
}
END_TEST

START_TEST(one_thread_may_work_at_least)
{
	ck_assert_uint_ge(brski_gate_default(), 1);
	ck_assert_uint_le(brski_gate_default(), (unsigned)sysconf(_SC_NPROCESSORS_CONF));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		so_many_and_no_more,
		tickets_are_in_the_order_of_arrival,
		who_came_first_goes_first,
		who_came_first_takes_the_room_of_the_last,
		room_that_others_have_is_theirs,
		however_many_come,
		what_it_bears_is_learned,
		one_thread_may_work_at_least,
	};

	return run_tests("gate", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
