/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "radius_module/sessions.h"
#include "tests/unit/support/files.h"

static int64_t clock_ms;
static unsigned n_freed;
static struct brski_sessions *table;

static int64_t fake_now(void *ctx)
{
	(void)ctx;
	return clock_ms;
}

static void count_free(void *data)
{
	n_freed++;
	free(data);
}

static void open_table(unsigned max)
{
	struct brski_sessions_config config = {
		.max = max, .idle_ms = 1000, .linger_ms = 200, .free_data = count_free, .now_ms = fake_now};

	clock_ms = 5000;
	n_freed = 0;
	ck_assert_int_eq(brski_sessions_new(&config, &table, NULL), BRSKI_OK);
}

static struct brski_span state_of(const uint8_t state[BRSKI_STATE_LEN])
{
	return brski_span(state, BRSKI_STATE_LEN);
}

/* Makes a session and gives it back. */
static void add(uint8_t state[BRSKI_STATE_LEN])
{
	struct brski_session *s;

	ck_assert_int_eq(brski_sessions_add(table, malloc(1), &s, NULL), BRSKI_OK);
	memcpy(state, brski_session_state(s), BRSKI_STATE_LEN);
	brski_sessions_put(table, s, false);
}

static bool use(const uint8_t state[BRSKI_STATE_LEN], bool over)
{
	struct brski_session *s = brski_sessions_get(table, state_of(state));

	if (s)
		brski_sessions_put(table, s, over);
	return s != NULL;
}

START_TEST(found_by_its_state_only)
{
	uint8_t state[BRSKI_STATE_LEN], other[BRSKI_STATE_LEN];

	open_table(10);
	add(state);
	add(other);
	ck_assert(memcmp(state, other, sizeof(state)) != 0);
	ck_assert(brski_sessions_has(table, state_of(state)));
	ck_assert(!brski_sessions_has(table, brski_span(state, BRSKI_STATE_LEN - 1)));
	ck_assert(!brski_sessions_has(table, brski_span(NULL, 0)));
	ck_assert(use(state, false));
	for (size_t i = 0; i < sizeof(state); i++) {
		state[i] ^= 1;
		ck_assert(!use(state, false));
		state[i] ^= 1;
	}
	brski_sessions_free(table);
	ck_assert_uint_eq(n_freed, 2);
}
END_TEST

START_TEST(forgotten_when_idle)
{
	uint8_t kept[BRSKI_STATE_LEN], idle[BRSKI_STATE_LEN];

	open_table(10);
	add(kept);
	add(idle);
	clock_ms += 900;
	ck_assert(use(kept, false));
	clock_ms += 200;
	ck_assert(!use(idle, false));
	ck_assert(use(kept, false));
	ck_assert_uint_eq(brski_sessions_count(table), 1);
	ck_assert_uint_eq(n_freed, 1);
	clock_ms += 5000;
	brski_sessions_expire(table);
	ck_assert_uint_eq(brski_sessions_count(table), 0);
	brski_sessions_free(table);
	ck_assert_uint_eq(n_freed, 2);
}
END_TEST

START_TEST(lingers_when_over)
{
	uint8_t state[BRSKI_STATE_LEN];

	open_table(10);
	add(state);
	ck_assert(use(state, true));
	clock_ms += 150;
	ck_assert(use(state, false)); /* once over, always over */
	clock_ms += 150;
	ck_assert(use(state, false));
	clock_ms += 250;
	ck_assert(!use(state, false));
	brski_sessions_free(table);
}
END_TEST

START_TEST(not_forgotten_while_somebody_has_it)
{
	struct brski_session *s;
	uint8_t state[BRSKI_STATE_LEN];

	open_table(1);
	ck_assert_int_eq(brski_sessions_add(table, malloc(1), &s, NULL), BRSKI_OK);
	memcpy(state, brski_session_state(s), BRSKI_STATE_LEN);
	clock_ms += 100000;
	brski_sessions_expire(table);
	ck_assert_uint_eq(n_freed, 0);
	ck_assert(brski_sessions_has(table, state_of(state)));
	brski_sessions_put(table, s, false);
	ck_assert(use(state, false)); /* idle since it was given back */
	brski_sessions_free(table);
}
END_TEST

START_TEST(bounded_and_what_is_over_makes_room)
{
	uint8_t states[3][BRSKI_STATE_LEN];
	struct brski_session *s;
	struct brski_error err;
	void *data = malloc(1);

	open_table(3);
	for (int i = 0; i < 3; i++)
		add(states[i]);
	ck_assert_int_eq(brski_sessions_add(table, data, &s, &err), BRSKI_TOO_LARGE);
	ck_assert_ptr_null(s);
	ck_assert_ptr_nonnull(strstr(err.why, "max_sessions"));
	ck_assert(use(states[1], true));
	ck_assert_int_eq(brski_sessions_add(table, data, &s, NULL), BRSKI_OK);
	brski_sessions_put(table, s, false);
	ck_assert_uint_eq(brski_sessions_count(table), 3);
	ck_assert(!use(states[1], false));
	ck_assert(use(states[0], false));
	ck_assert(use(states[2], false));
	brski_sessions_free(table);
	ck_assert_uint_eq(n_freed, 4);
}
END_TEST

static int failing_random(void *ctx, uint8_t *out, size_t len)
{
	(void)ctx;
	(void)out;
	(void)len;
	return -1;
}

START_TEST(no_session_without_randomness)
{
	const struct brski_env env = {.random = failing_random};
	struct brski_sessions_config config = {
		.max = 3, .idle_ms = 1000, .free_data = count_free, .env = &env};
	struct brski_session *s;
	void *data = malloc(1);

	ck_assert_int_eq(brski_sessions_new(&config, &table, NULL), BRSKI_OK);
	ck_assert_int_ne(brski_sessions_add(table, data, &s, NULL), BRSKI_OK);
	ck_assert_uint_eq(brski_sessions_count(table), 0);
	free(data);
	brski_sessions_free(table);
}
END_TEST

/* ---- Threads ---- */

#define ROUNDS 300
static uint8_t shared[BRSKI_STATE_LEN];
static unsigned inside, most_inside;

static void *visitor(void *arg)
{
	struct brski_session *s;

	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		s = brski_sessions_get(table, state_of(shared));
		if (!s)
			return (void *)1;
		if (__atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST) > most_inside)
			most_inside = inside;
		if (i % 50 == 0)
			usleep(100);
		*(unsigned char *)brski_session_data(s) += 1;
		__atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
		brski_sessions_put(table, s, false);
	}
	return NULL;
}

START_TEST(one_thread_at_a_time)
{
	pthread_t threads[4];
	void *failed;

	open_table(3);
	add(shared);
	inside = most_inside = 0;
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, visitor, NULL), 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &failed);
		ck_assert_ptr_null(failed);
	}
	ck_assert_uint_eq(most_inside, 1);
	brski_sessions_free(table);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		found_by_its_state_only,
		forgotten_when_idle,
		lingers_when_over,
		not_forgotten_while_somebody_has_it,
		bounded_and_what_is_over_makes_room,
		no_session_without_randomness,
		one_thread_at_a_time,
	};

	return run_tests("session", NULL, NULL, tests, sizeof(tests) / sizeof(tests[0]));
}
