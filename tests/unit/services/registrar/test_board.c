/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "services/registrar/board.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/many_jobs.h"

/* Whose turn it is, when back ends are slow: no call is made here, and none comes back. */

#define MOST 512 /* calls at one time */

static struct site site;
static struct brski_board *board;
static struct brski_buf blobs[2]; /* a job for the MASA, one for the PKI */
static struct brski_ticket *tickets[2048];
static unsigned n_tickets;
static struct brski_task *tasks[2048];
static unsigned n_tasks;
static struct brski_error err;

static void setup(void)
{
	const struct brski_board_config config = {
		.retry_min_ms = 1000, .retry_max_ms = 1000, .scan_ms = 60000};
	struct visit v;

	site_open(&site, "P-256");
	EXPECT(BRSKI_OK, brski_board_new(&config, &board, &err));
	visit_open(&v, &site);
	visit_make_voucher_request(&v);
	many_jobs_take(&v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER, &blobs[0]);
	site_drive(&site, v.job);
	ck_assert_uint_eq(visit_finish(&v), 200);
	visit_make_enroll(&v, &site.idevid, false);
	many_jobs_take(&v, PATH_INITIALIZATION, BRSKI_MEDIA_CMP, &blobs[1]);
	visit_close(&v);
}

static void teardown(void)
{
	for (unsigned i = 0; i < n_tickets; i++)
		brski_ticket_release(tickets[i]);
	brski_board_free(board);
	for (int i = 0; i < 2; i++)
		brski_buf_free(&blobs[i]);
	site_close(&site);
}

static void add(int which, const char *masa_url, unsigned n)
{
	site.masa_url = masa_url;
	for (unsigned i = 0; i < n; i++) {
		struct brski_job *job = many_jobs_another(&site, &blobs[which], n_tickets);

		tickets[n_tickets] = brski_board_submit(board, job, NULL, NULL);
		ck_assert_ptr_nonnull(tickets[n_tickets++]);
	}
}

/* Takes all that may call now; how many. */
static unsigned take_all(void)
{
	unsigned n = 0;

	while ((tasks[n_tasks] = brski_board_take(board))) {
		n_tasks++;
		n++;
	}
	return n;
}

static unsigned calling(const char *origin)
{
	unsigned n = 0;

	for (unsigned i = 0; i < n_tasks; i++)
		n += strcmp(brski_task_origin(tasks[i]), origin) == 0;
	return n;
}

#define ONE "https://one.example"
#define TWO "https://two.example"
#define THREE "https://three.example"
#define PKI "http://ca.plant.example:8080"

static const struct brski_share one = {BRSKI_JOB_VOUCHER, ONE}, two = {BRSKI_JOB_VOUCHER, TWO},
				pki = {BRSKI_JOB_CMP, PKI};

START_TEST(slow_masas_leave_room_for_the_pki)
{
	add(0, ONE, 300);
	add(0, TWO, 300);
	take_all();
	ck_assert_uint_ge(calling(ONE), 128);
	ck_assert_uint_ge(calling(TWO), 64);
	add(1, ONE, 150);
	take_all();
	ck_assert_uint_ge(calling(PKI), 128);
	ck_assert_uint_le(n_tasks, MOST);
}
END_TEST

START_TEST(slow_masas_leave_room_for_another_one)
{
	add(0, ONE, 300);
	add(0, TWO, 300);
	take_all();
	add(0, THREE, 100);
	take_all();
	ck_assert_uint_ge(calling(THREE), 32);
	add(0, "https://four.example", 10);
	take_all();
	ck_assert_uint_eq(calling("https://four.example"), 10);
	ck_assert_uint_lt(n_tasks, MOST);
}
END_TEST

START_TEST(a_slow_pki_leaves_room_for_masas)
{
	add(1, ONE, 600);
	take_all();
	ck_assert_uint_eq(calling(PKI), 256);
	add(0, ONE, 300);
	take_all();
	ck_assert_uint_ge(calling(ONE), 128);
	ck_assert_uint_le(n_tasks, MOST);
}
END_TEST

/* What waits in the store for a MASA that is away keeps nothing for the PKI out of memory. */
START_TEST(waiting_for_masas_leaves_memory_for_the_pki)
{
	struct brski_job *job;
	unsigned i = 0;

	site.masa_url = ONE;
	while (i < BRSKI_BOARD_MAX)
		ck_assert(brski_board_adopt(board, &one, many_jobs_another(&site, &blobs[0], i++)));
	job = many_jobs_another(&site, &blobs[0], i);
	ck_assert(!brski_board_adopt(board, &one, job));
	brski_job_free(job);
	ck_assert(brski_board_adopt(board, &pki, many_jobs_another(&site, &blobs[1], 0)));
}
END_TEST

/* A place that is given back is the next one's. */
START_TEST(a_place_is_given_back)
{
	unsigned n;

	add(0, ONE, 400);
	n = take_all();
	ck_assert_uint_lt(n, 400);
	for (unsigned i = 0; i < n; i++) {
		brski_task_drop(tasks[i], "over");
		brski_task_let_go(tasks[i]);
	}
	ck_assert_uint_eq(take_all(), n < 200 ? n : 400 - n);
}
END_TEST

/* ---- Turns, and a back end that is away ---- */

static void restart(long retry_ms, long scan_ms)
{
	const struct brski_board_config config = {
		.retry_min_ms = retry_ms, .retry_max_ms = retry_ms, .scan_ms = scan_ms};

	brski_board_free(board);
	EXPECT(BRSKI_OK, brski_board_new(&config, &board, &err));
}

/* Its call ends. */
static void be_silent(struct brski_task *t)
{
	brski_task_unanswered(t, "no connection");
	brski_task_pause(t, "no connection");
	brski_task_let_go(t);
}

static void be_answered(struct brski_task *t)
{
	brski_task_heard(t);
	brski_task_drop(t, "over");
	brski_task_let_go(t);
}

static unsigned held(void)
{
	unsigned n, running;

	brski_board_count(board, &n, &running);
	return n;
}

static void take_one(const char *origin)
{
	tasks[n_tasks] = brski_board_take(board);
	ck_assert_ptr_nonnull(tasks[n_tasks]);
	ck_assert_str_eq(brski_task_origin(tasks[n_tasks++]), origin);
}

START_TEST(back_ends_take_turns)
{
	add(0, ONE, 4);
	add(0, TWO, 2);
	add(1, ONE, 1);
	take_one(ONE);
	take_one(TWO);
	take_one(PKI);
	take_one(ONE);
	take_one(TWO);
	take_one(ONE);
	take_one(ONE);
	ck_assert_uint_eq(take_all(), 0);
}
END_TEST

/* Ten wait for one that answers none: after them it is tried one by one, and the other one is as ever. */
START_TEST(one_that_is_away_is_tried_by_one_call_at_a_time)
{
	char why[320];
	long pause;

	restart(20, 60000);
	add(0, ONE, 10);
	ck_assert_uint_eq(take_all(), 10);
	for (unsigned i = 0; i < 10; i++)
		be_silent(tasks[i]);
	add(0, ONE, 1);
	ck_assert_int_eq(brski_ticket_look(tickets[10], &pause), BRSKI_PROGRESS_PAUSED);
	brski_ticket_trouble(tickets[10], why);
	ck_assert_str_eq(why, "no connection");
	add(0, TWO, 5);
	for (unsigned i = 0; i < 4; i++) {
		n_tasks = 0;
		usleep(30000);
		ck_assert_uint_eq(take_all(), i == 0 ? 6 : 1);
		ck_assert_uint_eq(calling(ONE), 1);
		for (unsigned j = 0; j < n_tasks; j++)
			if (strcmp(brski_task_origin(tasks[j]), ONE) == 0)
				be_silent(tasks[j]);
	}
}
END_TEST

/* With the first answer all that was silent is due at once, whatever its own pause is. */
START_TEST(one_that_is_back_is_called_for_all)
{
	unsigned round = 2, left = 19;

	restart(60000, 60000);
	add(0, ONE, 20);
	ck_assert_uint_eq(take_all(), 20);
	for (unsigned i = 0; i < 19; i++)
		be_silent(tasks[i]);
	ck_assert_uint_eq(take_all(), 0);
	be_answered(tasks[19]);
	while (left > 0) { /* 2, 4, 8 and what is left */
		n_tasks = 0;
		ck_assert_uint_eq(take_all(), round < left ? round : left);
		for (unsigned i = 0; i < n_tasks; i++)
			be_answered(tasks[i]);
		left -= n_tasks;
		round *= 2;
	}
}
END_TEST

/* It keeps its own pause, while others are answered. */
START_TEST(a_request_that_nobody_answers_holds_up_no_other)
{
	restart(60000, 60000);
	add(0, ONE, 1);
	take_one(ONE);
	be_silent(tasks[0]);
	for (unsigned i = 0; i < 10; i++) {
		add(0, ONE, 1);
		take_one(ONE);
		be_answered(tasks[1 + i]);
	}
	ck_assert_uint_eq(take_all(), 0);
	ck_assert_int_eq(brski_ticket_look(tickets[0], NULL), BRSKI_PROGRESS_PAUSED);
}
END_TEST

/* A new device's request is the next to be tried, and not one of those that have failed already. */
START_TEST(a_device_that_comes_is_the_next_to_be_tried)
{
	restart(60000, 60000);
	add(0, ONE, 5);
	ck_assert_uint_eq(take_all(), 5);
	for (unsigned i = 0; i < 5; i++)
		be_silent(tasks[i]);
	usleep(2050000); /* not sooner, BRSKI_BACK_END_WAKE_MS */
	add(0, ONE, 2);
	ck_assert_int_eq(brski_ticket_look(tickets[5], NULL), BRSKI_PROGRESS_RUNNING);
	ck_assert_uint_eq(take_all(), 1);
	be_answered(tasks[5]);
	ck_assert_int_eq(brski_ticket_look(tickets[5], NULL), BRSKI_PROGRESS_FINISHED);
	ck_assert_uint_eq(take_all(), 2);
}
END_TEST

/* ---- What of the store is in memory ---- */

static unsigned adopt_all(const struct brski_share *share, const char *masa_url, unsigned from)
{
	struct brski_job *job;
	unsigned n = 0;

	site.masa_url = masa_url;
	for (;;) {
		job = many_jobs_another(&site, &blobs[share->kind], from + n);
		if (!brski_board_adopt(board, share, job))
			break;
		n++;
	}
	brski_job_free(job);
	return n;
}

START_TEST(each_has_its_share_of_memory)
{
	static const struct brski_share others[] = {{BRSKI_JOB_VOUCHER, "https://a"},
		{BRSKI_JOB_VOUCHER, "https://b"}, {BRSKI_JOB_VOUCHER, "https://c"},
		{BRSKI_JOB_VOUCHER, "https://d"}, {BRSKI_JOB_VOUCHER, "https://e"},
		{BRSKI_JOB_VOUCHER, "https://f"}, {BRSKI_JOB_VOUCHER, "https://g"},
		{BRSKI_JOB_VOUCHER, "https://h"}, {BRSKI_JOB_VOUCHER, "https://i"},
		{BRSKI_JOB_VOUCHER, "https://j"}};
	struct brski_share_room room;
	unsigned n = 0;

	ck_assert_uint_eq(adopt_all(&one, ONE, 0), BRSKI_BOARD_MAX);
	ck_assert_uint_eq(adopt_all(&two, TWO, 1000), BRSKI_BOARD_MAX / 2);
	for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		unsigned of_it = adopt_all(&others[i], others[i].back_end, 2000 + 1000 * i);

		ck_assert_uint_ge(of_it, BRSKI_BOARD_FEW);
		n += of_it;
	}
	ck_assert_uint_le(
		BRSKI_BOARD_MAX + BRSKI_BOARD_MAX / 2 + n, 2 * BRSKI_BOARD_MAX + 10 * BRSKI_BOARD_FEW);
	brski_board_room(board, &one, &room);
	ck_assert_uint_eq(room.jobs, 0);
}
END_TEST

/* Away: a few of those that nobody is here for stay, and come back when it does. */
START_TEST(what_waits_for_one_that_is_away_leaves_memory)
{
	struct brski_share_room room;

	restart(60000, 100000);
	ck_assert_uint_eq(adopt_all(&one, ONE, 0), BRSKI_BOARD_MAX);
	ck_assert_uint_ge(take_all(), 10);
	for (unsigned i = 0; i < n_tasks - 1; i++)
		be_silent(tasks[i]);
	ck_assert_uint_le(held(), BRSKI_BOARD_FEW + 1);
	brski_board_room(board, &one, &room);
	ck_assert(room.jobs <= 1 && room.left && room.times == 0);
	be_answered(tasks[n_tasks - 1]);
	brski_board_room(board, &one, &room);
	ck_assert(room.jobs > BRSKI_BOARD_MAX / 2 && room.times == 1);
}
END_TEST

/* Not for as long as a device is here; then the store has it. */
START_TEST(what_pauses_for_long_leaves_memory)
{
	restart(1000, 500);
	add(0, ONE, 2);
	ck_assert_uint_eq(take_all(), 2);
	for (unsigned i = 0; i < 2; i++)
		be_silent(tasks[i]);
	ck_assert_uint_eq(held(), 2);
	brski_ticket_release(tickets[--n_tickets]);
	ck_assert_uint_eq(held(), 1);
}
END_TEST

/* Devices come and go: those whose requests are beyond the share leave nothing in memory. */
START_TEST(memory_is_bounded_whoever_goes)
{
	struct brski_share_room room;

	adopt_all(&one, ONE, 2048);
	add(0, ONE, 700);
	ck_assert_uint_eq(held(), BRSKI_BOARD_MAX + 700);
	ck_assert_uint_eq(brski_board_most(board), BRSKI_BOARD_MAX + 700);
	while (n_tickets > 0)
		brski_ticket_release(tickets[--n_tickets]);
	ck_assert_uint_eq(held(), BRSKI_BOARD_MAX);
	ck_assert_uint_eq(brski_board_most(board), BRSKI_BOARD_MAX + 700);
	ck_assert_uint_eq(brski_board_most(board), BRSKI_BOARD_MAX);
	brski_board_room(board, &one, &room);
	ck_assert(room.left);
	brski_board_look(board, &one, true);
	brski_board_room(board, &one, &room);
	ck_assert(!room.left);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {slow_masas_leave_room_for_the_pki,
		slow_masas_leave_room_for_another_one, a_slow_pki_leaves_room_for_masas,
		waiting_for_masas_leaves_memory_for_the_pki, a_place_is_given_back, back_ends_take_turns,
		one_that_is_away_is_tried_by_one_call_at_a_time, one_that_is_back_is_called_for_all,
		a_request_that_nobody_answers_holds_up_no_other, a_device_that_comes_is_the_next_to_be_tried,
		each_has_its_share_of_memory, what_waits_for_one_that_is_away_leaves_memory,
		what_pauses_for_long_leaves_memory, memory_is_bounded_whoever_goes};

	return run_tests("board", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
