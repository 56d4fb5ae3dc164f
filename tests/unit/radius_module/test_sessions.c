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

static void open_shared_table(unsigned max, unsigned max_per_nas)
{
	struct brski_sessions_config config = {
		.max = max,
		.max_per_nas = max_per_nas,
		.idle_ms = 1000,
		.total_ms = 5000,
		.linger_ms = 200,
		.free_data = count_free,
		.now_ms = fake_now,
	};

	clock_ms = 100000;
	n_freed = 0;
	ck_assert_int_eq(brski_sessions_new(&config, &table, NULL), BRSKI_OK);
}

static void open_table(unsigned max)
{
	open_shared_table(max, max);
}

static struct brski_span state_of(const uint8_t state[BRSKI_STATE_LEN])
{
	return brski_span(state, BRSKI_STATE_LEN);
}

static enum brski_code try_add(
	const struct brski_session_from *from, uint8_t state[BRSKI_STATE_LEN], struct brski_error *err)
{
	struct brski_session *s;
	void *data = malloc(1);
	enum brski_code code = brski_sessions_add(table, from, data, &s, err);

	if (code == BRSKI_OK) {
		memcpy(state, brski_session_state(s), BRSKI_STATE_LEN);
		brski_sessions_put(table, s, BRSKI_SESSION_HALF_OPEN);
	} else {
		ck_assert_ptr_null(s);
		free(data);
	}
	return code;
}

static struct brski_session_from from(const char *nas, const char *station)
{
	return (struct brski_session_from){.nas = brski_span_str(nas), .station = brski_span_str(station)};
}

/* Makes a session and gives it back. */
static void add_from(const char *nas, const char *station, uint8_t state[BRSKI_STATE_LEN])
{
	const struct brski_session_from origin = from(nas, station);

	ck_assert_int_eq(try_add(&origin, state, NULL), BRSKI_OK);
}

static void add(uint8_t state[BRSKI_STATE_LEN])
{
	add_from("", "", state);
}

static void refused_from(const char *nas, const char *why)
{
	const struct brski_session_from origin = from(nas, "");
	uint8_t state[BRSKI_STATE_LEN];
	struct brski_error err;

	ck_assert_int_eq(try_add(&origin, state, &err), BRSKI_TOO_LARGE);
	ck_assert_ptr_nonnull(strstr(err.why, why));
}

static bool advance(const uint8_t state[BRSKI_STATE_LEN], enum brski_session_stage stage)
{
	struct brski_session *s = brski_sessions_get(table, state_of(state));

	if (s)
		brski_sessions_put(table, s, stage);
	return s != NULL;
}

static bool use(const uint8_t state[BRSKI_STATE_LEN], bool over)
{
	return advance(state, over ? BRSKI_SESSION_OVER : BRSKI_SESSION_HALF_OPEN);
}

static bool has(const uint8_t state[BRSKI_STATE_LEN])
{
	return brski_sessions_has(table, state_of(state));
}

/* Sessions of stations that nobody has heard of. */
static void flood(const char *nas, unsigned n)
{
	uint8_t state[BRSKI_STATE_LEN];
	char station[32];

	for (unsigned i = 0; i < n; i++) {
		snprintf(station, sizeof(station), "%s-%u", nas, i);
		add_from(nas, station, state);
	}
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
	const struct brski_session_from origin = from("", "");
	struct brski_session *s;
	uint8_t state[BRSKI_STATE_LEN];

	open_table(1);
	ck_assert_int_eq(brski_sessions_add(table, &origin, malloc(1), &s, NULL), BRSKI_OK);
	memcpy(state, brski_session_state(s), BRSKI_STATE_LEN);
	clock_ms += 4000;
	brski_sessions_expire(table);
	ck_assert_uint_eq(n_freed, 0);
	ck_assert(brski_sessions_has(table, state_of(state)));
	brski_sessions_put(table, s, BRSKI_SESSION_HALF_OPEN);
	ck_assert(use(state, false)); /* idle since it was given back */
	s = brski_sessions_get(table, state_of(state));
	clock_ms += 4000;
	brski_sessions_expire(table); /* in all it is too old, but somebody has it */
	ck_assert_uint_eq(n_freed, 0);
	brski_sessions_put(table, s, BRSKI_SESSION_PROVED);
	ck_assert(!use(state, false));
	brski_sessions_free(table);
}
END_TEST

START_TEST(bounded_and_what_is_over_makes_room)
{
	uint8_t states[3][BRSKI_STATE_LEN], more[BRSKI_STATE_LEN];

	open_table(3);
	for (int i = 0; i < 3; i++) {
		add(states[i]);
		ck_assert(advance(states[i], BRSKI_SESSION_PROVED));
	}
	refused_from("", "max_sessions");
	ck_assert(use(states[1], true));
	add(more);
	ck_assert_uint_eq(brski_sessions_count(table), 3);
	ck_assert(!has(states[1]));
	ck_assert(has(states[0]));
	ck_assert(has(states[2]));
	brski_sessions_free(table);
	ck_assert_uint_eq(n_freed, 4);
}
END_TEST

/* ---- Who may have how many ---- */

START_TEST(a_station_has_one_that_has_proved_nothing)
{
	uint8_t first[BRSKI_STATE_LEN], second[BRSKI_STATE_LEN], other[BRSKI_STATE_LEN];
	uint8_t elsewhere[BRSKI_STATE_LEN];

	open_table(10);
	add_from("sw1", "02-01", first);
	add_from("sw1", "02-02", other);
	add_from("sw2", "02-01", elsewhere);
	add_from("sw1", "02-01", second);
	ck_assert(!has(first));
	ck_assert_uint_eq(n_freed, 1);
	ck_assert(has(second));
	ck_assert(has(other));
	ck_assert(has(elsewhere));
	/* a device that has shown who it is keeps its session, whoever has its address */
	ck_assert(advance(second, BRSKI_SESSION_PROVED));
	add_from("sw1", "02-01", first);
	ck_assert(has(first));
	ck_assert(has(second));
	/* and where no station is told, none is another's */
	add_from("sw1", "", first);
	add_from("sw1", "", second);
	ck_assert(has(first));
	brski_sessions_free(table);
}
END_TEST

/* Nobody takes a session away from a thread that has it. */
START_TEST(a_stations_first_session_may_be_in_use)
{
	const struct brski_session_from origin = from("sw1", "02-01");
	struct brski_session *s;
	uint8_t state[BRSKI_STATE_LEN], second[BRSKI_STATE_LEN];

	open_table(10);
	ck_assert_int_eq(brski_sessions_add(table, &origin, malloc(1), &s, NULL), BRSKI_OK);
	memcpy(state, brski_session_state(s), sizeof(state));
	add_from("sw1", "02-01", second);
	ck_assert(!has(state));
	ck_assert_uint_eq(n_freed, 0);
	*(unsigned char *)brski_session_data(s) = 1;
	brski_sessions_put(table, s, BRSKI_SESSION_PROVED);
	ck_assert_uint_eq(n_freed, 1);
	ck_assert(has(second));
	ck_assert_uint_eq(brski_sessions_count(table), 1);
	brski_sessions_free(table);
	ck_assert_uint_eq(n_freed, 2);
}
END_TEST

START_TEST(the_oldest_that_has_proved_nothing_gives_way)
{
	uint8_t proved[BRSKI_STATE_LEN], oldest[BRSKI_STATE_LEN], next[BRSKI_STATE_LEN];
	uint8_t late[BRSKI_STATE_LEN];

	open_table(3);
	add(proved);
	ck_assert(advance(proved, BRSKI_SESSION_PROVED));
	add(oldest);
	add(next);
	clock_ms += 500;
	ck_assert(use(oldest, false)); /* to say something does not make it younger */
	add(late);
	ck_assert(!has(oldest));
	ck_assert(has(next));
	ck_assert(has(proved));
	for (int i = 0; i < 20; i++)
		add(oldest);
	ck_assert(has(proved));
	ck_assert_uint_eq(brski_sessions_count(table), 3);
	brski_sessions_free(table);
}
END_TEST

START_TEST(a_nas_has_its_share)
{
	uint8_t honest[2][BRSKI_STATE_LEN], own[BRSKI_STATE_LEN];

	open_shared_table(8, 0); /* half of it */
	add_from("sw2", "02-01", honest[0]);
	flood("sw1", 100);
	ck_assert_uint_eq(brski_sessions_count(table), 5);
	add_from("sw1", "02-02", own);
	ck_assert(has(own)); /* one of its oldest gave way */
	ck_assert(has(honest[0]));
	/* a second one fills the table: what gives way is of the NAS with the most */
	flood("sw3", 100);
	add_from("sw2", "02-03", honest[1]);
	flood("sw1", 100);
	flood("sw3", 100);
	ck_assert_uint_eq(brski_sessions_count(table), 8);
	ck_assert(has(honest[0]));
	ck_assert(has(honest[1]));
	brski_sessions_free(table);
}
END_TEST

START_TEST(a_nas_that_is_full_of_devices_refuses)
{
	uint8_t states[4][BRSKI_STATE_LEN], more[BRSKI_STATE_LEN];

	open_shared_table(8, 4);
	for (int i = 0; i < 4; i++) {
		add_from("sw1", "", states[i]);
		ck_assert(advance(states[i], BRSKI_SESSION_PROVED));
	}
	refused_from("sw1", "max_sessions_per_nas");
	ck_assert_uint_eq(brski_sessions_count(table), 4);
	add_from("sw2", "", more);
	ck_assert(advance(states[2], BRSKI_SESSION_OVER));
	add_from("sw1", "", more); /* that one makes room */
	ck_assert(!has(states[2]));
	ck_assert(has(states[0]));
	brski_sessions_free(table);
}
END_TEST

START_TEST(a_nas_may_have_a_share_of_its_own)
{
	struct brski_session_from proxy = from("proxy", "");
	uint8_t state[BRSKI_STATE_LEN];

	open_shared_table(8, 4);
	proxy.nas_max = 7;
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(try_add(&proxy, state, NULL), BRSKI_OK);
	ck_assert_uint_eq(brski_sessions_count(table), 7);
	proxy = from("small", "");
	proxy.nas_max = 1;
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(try_add(&proxy, state, NULL), BRSKI_OK);
	ck_assert_uint_eq(brski_sessions_count(table), 8);
	brski_sessions_free(table);
}
END_TEST

/* A packet now and then keeps no place for ever, whatever has been proved. */
START_TEST(forgotten_when_too_old)
{
	uint8_t states[2][BRSKI_STATE_LEN];

	open_table(10);
	add(states[0]);
	add(states[1]);
	ck_assert(advance(states[1], BRSKI_SESSION_PROVED));
	for (int i = 0; i < 9; i++) {
		clock_ms += 500;
		ck_assert(use(states[0], false));
		ck_assert(use(states[1], false));
	}
	clock_ms += 500;
	ck_assert(!use(states[0], false));
	ck_assert(!use(states[1], false));
	ck_assert_uint_eq(brski_sessions_count(table), 0);
	brski_sessions_free(table);
}
END_TEST

/* Works so many times. */
static int failing_random(void *ctx, uint8_t *out, size_t len)
{
	unsigned *left = ctx;

	memset(out, 7, len);
	return (*left)-- > 0 ? 0 : -1;
}

/* ---- Parked ---- */

static void park(const uint8_t state[BRSKI_STATE_LEN], bool parked)
{
	struct brski_session *s = brski_sessions_get(table, state_of(state));

	brski_sessions_park(table, s, parked);
	brski_sessions_put(table, s, BRSKI_SESSION_HALF_OPEN);
}

static void expect_parked(const char *nas, unsigned of_nas, unsigned all)
{
	const struct brski_session_from origin = from(nas, "");
	unsigned n;

	ck_assert_uint_eq(brski_sessions_parked(table, &origin, &n), all);
	ck_assert_uint_eq(n, of_nas);
}

START_TEST(those_that_are_parked_are_counted)
{
	uint8_t a[3][BRSKI_STATE_LEN], b[BRSKI_STATE_LEN];

	open_table(10);
	for (int i = 0; i < 3; i++)
		add_from("a", (const char *[]){"1", "2", "3"}[i], a[i]);
	add_from("b", "1", b);
	expect_parked("a", 0, 0);
	park(a[0], true);
	park(a[1], true);
	park(a[1], true); /* once more, and counted once */
	park(b, true);
	expect_parked("a", 2, 3);
	expect_parked("b", 1, 3);
	expect_parked("c", 0, 3);
	park(a[0], false);
	park(a[2], false);
	expect_parked("a", 1, 2);
	add_from("a", "2", a[0]); /* takes the place of the station's first */
	expect_parked("a", 0, 1);
	ck_assert(use(b, true));
	park(b, false);
	expect_parked("b", 0, 0);
	brski_sessions_free(table);
}
END_TEST

/* Whoever has gone away is no load; and one that is over, or forgotten, is not either. */
START_TEST(who_does_not_come_again_is_not_counted)
{
	struct brski_sessions_config config = {.max = 10,
		.max_per_nas = 10,
		.idle_ms = 60000,
		.total_ms = 600000,
		.free_data = count_free,
		.parked_ms = 1000,
		.now_ms = fake_now};
	uint8_t state[2][BRSKI_STATE_LEN];

	clock_ms = 100000;
	ck_assert_int_eq(brski_sessions_new(&config, &table, NULL), BRSKI_OK);
	add_from("a", "1", state[0]);
	add_from("a", "2", state[1]);
	park(state[0], true);
	park(state[1], true);
	for (int i = 0; i < 5; i++) {
		expect_parked("a", i < 2 ? 2 : 1, i < 2 ? 2 : 1);
		clock_ms += 1000;
		park(state[0], true);
	}
	clock_ms += 5000;
	expect_parked("a", 0, 0);
	park(state[0], false);
	park(state[1], true);
	expect_parked("a", 1, 1);
	clock_ms += 70000;
	brski_sessions_expire(table);
	expect_parked("a", 0, 0);
	brski_sessions_free(table);
}
END_TEST

START_TEST(one_that_was_evicted_is_not_parked)
{
	uint8_t state[BRSKI_STATE_LEN], second[BRSKI_STATE_LEN];
	struct brski_session *s;

	open_table(10);
	add_from("a", "1", state);
	s = brski_sessions_get(table, state_of(state));
	add_from("a", "1", second);
	brski_sessions_park(table, s, true);
	expect_parked("a", 0, 0);
	brski_sessions_put(table, s, BRSKI_SESSION_HALF_OPEN);
	expect_parked("a", 0, 0);
	brski_sessions_free(table);
}
END_TEST

START_TEST(no_session_without_randomness)
{
	unsigned left = 0;
	const struct brski_env env = {.ctx = &left, .random = failing_random};
	struct brski_sessions_config config = {
		.max = 3, .idle_ms = 1000, .total_ms = 5000, .free_data = count_free, .env = &env};
	const struct brski_session_from origin = from("", "");
	struct brski_session *s;
	void *data = malloc(1);

	ck_assert_int_ne(brski_sessions_new(&config, &table, NULL), BRSKI_OK);
	ck_assert_ptr_null(table);
	left = 1;
	ck_assert_int_eq(brski_sessions_new(&config, &table, NULL), BRSKI_OK);
	ck_assert_int_ne(brski_sessions_add(table, &origin, data, &s, NULL), BRSKI_OK);
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
		brski_sessions_put(table, s, BRSKI_SESSION_HALF_OPEN);
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
		a_station_has_one_that_has_proved_nothing,
		a_stations_first_session_may_be_in_use,
		the_oldest_that_has_proved_nothing_gives_way,
		a_nas_has_its_share,
		a_nas_that_is_full_of_devices_refuses,
		a_nas_may_have_a_share_of_its_own,
		forgotten_when_too_old,
		those_that_are_parked_are_counted,
		who_does_not_come_again_is_not_counted,
		one_that_was_evicted_is_not_parked,
		no_session_without_randomness,
		one_thread_at_a_time,
	};

	return run_tests("session", NULL, NULL, tests, sizeof(tests) / sizeof(tests[0]));
}
