/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <check.h>
#include <sqlite3.h>

#include "services/base/clock.h"
#include "services/registrar/owner.h"
#include "services/registrar/worker.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/site_store.h"
#include "tests/unit/support/site_web.h"
#include "tests/unit/support/visit.h"

/* The board of jobs, between a registrar's sessions and a MASA and CA over real HTTP. */

static struct site site;
static struct site_web web;
static struct brski_store *store;
static struct site_store memory;
static struct brski_worker *worker;
static struct brski_worker_config config;
static char folder[64];
static atomic_uint n_housekeeping;

static void setup(void)
{
	char path[128];
	struct brski_error err;

	site_open(&site, "P-256");
	site_web_start(&web, &site);
	temp_make(folder);
	snprintf(path, sizeof(path), "%s/db", folder);
	EXPECT(BRSKI_OK, brski_store_open(path, true, &store, &err));
	site_store_set(&memory, &site, store);
	site_restart(&site);
	config = (struct brski_worker_config){
		.registrar = site.registrar, .store = store, .retry_min_ms = 60, .retry_max_ms = 100000};
	n_housekeeping = 0;
}

static void start(void)
{
	struct brski_error err;

	EXPECT(BRSKI_OK, brski_worker_new(&config, &worker, &err));
}

static struct brski_ticket *submit(struct brski_job *job)
{
	return brski_worker_submit(worker, job, NULL, NULL);
}

/* Waits until it no longer runs, `ms` at most. */
static enum brski_progress wait_ticket(struct brski_ticket *t, long ms, long *pause_ms)
{
	int64_t end = brski_now_ms() + ms;
	enum brski_progress progress;

	while ((progress = brski_ticket_look(t, pause_ms)) == BRSKI_PROGRESS_RUNNING && brski_now_ms() < end)
		usleep(1000);
	return progress;
}

static void teardown(void)
{
	brski_worker_free(worker);
	worker = NULL;
	brski_store_close(store);
	temp_remove(folder);
	site_web_stop(&web);
	site_close(&site);
}

/* The job of a new voucher-request; the caller's. */
static struct brski_job *voucher_job(void)
{
	struct brski_job *job;
	struct visit v;

	visit_open(&v, &site);
	visit_make_voucher_request(&v);
	ck_assert_uint_eq(
		visit_send(&v, "POST", PATH_VOUCHER, BRSKI_MEDIA_VOUCHER, brski_buf_span(&v.request)), 0);
	job = v.job;
	v.job = NULL;
	visit_close(&v);
	return job;
}

/* The same, of a device that the policy thinks so of while it is here. */
static struct brski_job *voucher_job_of(enum brski_decision decision)
{
	enum brski_decision now = site.decision;
	struct brski_job *job;

	site.decision = decision;
	job = voucher_job();
	site.decision = now;
	return job;
}

static struct brski_job *enroll_job(void)
{
	struct brski_job *job;
	struct visit v;

	visit_open(&v, &site);
	ck_assert_uint_eq(visit_voucher(&v), 200);
	visit_make_enroll(&v, &site.idevid, false);
	ck_assert_uint_eq(
		visit_send(&v, "POST", PATH_INITIALIZATION, BRSKI_MEDIA_CMP, brski_buf_span(&v.request)), 0);
	job = v.job;
	v.job = NULL;
	visit_close(&v);
	return job;
}

/* A row, without the blob. */
static struct brski_store_job row_at(const char *key)
{
	struct brski_store_job row;
	struct brski_error err;

	EXPECT(BRSKI_OK, brski_store_job_get(store, key, &row, &err));
	brski_buf_free(&row.blob);
	return row;
}

static struct brski_store_job row_of(const struct brski_job *job)
{
	return row_at(brski_job_key(job));
}

static const struct brski_job *job_of(struct brski_ticket *t)
{
	const struct brski_job *job = brski_ticket_lock(t);

	brski_ticket_unlock(t);
	return job;
}

static enum brski_job_state state_of(struct brski_ticket *t)
{
	enum brski_job_state state = brski_job_state(brski_ticket_lock(t));

	brski_ticket_unlock(t);
	return state;
}

static void wait_for(atomic_uint *n, unsigned least)
{
	for (int i = 0; i < 500 && *n < least; i++)
		usleep(10000);
	ck_assert_uint_ge(*n, least);
}

static unsigned held(void)
{
	unsigned n, running;

	brski_worker_count(worker, &n, &running);
	return n;
}

START_TEST(a_job_is_done)
{
	struct brski_ticket *t;

	start();
	t = submit(voucher_job());
	ck_assert_int_eq(wait_ticket(t, 5000, NULL), BRSKI_PROGRESS_FINISHED);
	ck_assert_int_eq(state_of(t), BRSKI_JOB_DONE);
	ck_assert_uint_eq(web.masa.n_requests, 2); /* voucher, audit log */
	ck_assert_uint_eq(held(), 1);
	brski_ticket_release(t);
	for (int i = 0; i < 100 && held(); i++)
		usleep(1000);
	ck_assert_uint_eq(held(), 0);
}
END_TEST

START_TEST(waiting_has_an_end)
{
	struct brski_ticket *t;
	struct timespec before, after;

	web.masa.delay_ms = 400;
	start();
	t = submit(voucher_job());
	clock_gettime(CLOCK_MONOTONIC, &before);
	ck_assert_int_eq(wait_ticket(t, 50, NULL), BRSKI_PROGRESS_RUNNING);
	clock_gettime(CLOCK_MONOTONIC, &after);
	ck_assert_int_lt(
		(after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000, 200);
	ck_assert_int_eq(wait_ticket(t, 5000, NULL), BRSKI_PROGRESS_FINISHED);
	brski_ticket_release(t);
}
END_TEST

START_TEST(the_same_job_is_shared)
{
	struct brski_job *job = voucher_job(), *copy;
	struct brski_buf blob = {0};
	struct brski_ticket *one, *two;
	struct brski_error err;

	web.masa.delay_ms = 200;
	start();
	EXPECT(BRSKI_OK, brski_job_save(job, &blob, &err));
	EXPECT(BRSKI_OK, brski_job_load(site.registrar, brski_buf_span(&blob), 1, &copy, &err));
	one = submit(job);
	two = submit(copy);
	ck_assert_uint_eq(held(), 1);
	ck_assert_ptr_eq(job_of(one), job_of(two));
	brski_ticket_release(one);
	ck_assert_int_eq(wait_ticket(two, 5000, NULL), BRSKI_PROGRESS_FINISHED);
	brski_ticket_release(two);
	ck_assert_uint_eq(web.masa.n_requests, 2);
	brski_buf_free(&blob);
}
END_TEST

/* A session read "waiting" from the store, and before it came here the answer was put there. */
START_TEST(an_answer_in_the_store_counts)
{
	struct brski_job *job = voucher_job(), *answered;
	struct brski_buf blob = {0};
	struct brski_ticket *t;
	struct brski_error err;

	EXPECT(BRSKI_OK, brski_job_save(job, &blob, &err));
	EXPECT(BRSKI_OK, brski_job_load(site.registrar, brski_buf_span(&blob), 1, &answered, &err));
	site_drive(&site, answered);
	ck_assert_int_eq(brski_job_state(answered), BRSKI_JOB_DONE);
	brski_job_free(answered);
	brski_buf_free(&blob);
	start();
	t = submit(job);
	ck_assert_int_eq(wait_ticket(t, 5000, NULL), BRSKI_PROGRESS_FINISHED);
	ck_assert_int_eq(state_of(t), BRSKI_JOB_DONE);
	ck_assert_uint_eq(web.masa.n_requests, 0);
	brski_ticket_release(t);
}
END_TEST

/* `brskictl import` puts answers there, while the job pauses here. */
START_TEST(an_answer_from_elsewhere_spares_the_call)
{
	struct brski_job *job = voucher_job(), *answered;
	struct brski_buf blob = {0};
	struct brski_ticket *t;
	struct brski_error err;
	unsigned calls;

	EXPECT(BRSKI_OK, brski_job_save(job, &blob, &err));
	EXPECT(BRSKI_OK, brski_job_load(site.registrar, brski_buf_span(&blob), 1, &answered, &err));
	site.masa = MASA_DOWN;
	config.retry_min_ms = 700;
	start();
	t = submit(job);
	ck_assert_int_eq(wait_ticket(t, 5000, NULL), BRSKI_PROGRESS_PAUSED);
	calls = web.masa.n_requests;
	ck_assert_uint_gt(calls, 0);
	site.masa = MASA_RIGHT;
	site_drive(&site, answered);
	for (int i = 0; i < 500 && wait_ticket(t, 10, NULL) != BRSKI_PROGRESS_FINISHED; i++)
		usleep(10000);
	ck_assert_int_eq(wait_ticket(t, 0, NULL), BRSKI_PROGRESS_FINISHED);
	ck_assert_int_eq(state_of(t), BRSKI_JOB_DONE);
	ck_assert_uint_eq(web.masa.n_requests, calls);
	brski_ticket_release(t);
	brski_job_free(answered);
	brski_buf_free(&blob);
}
END_TEST

START_TEST(what_waits_in_the_store_is_taken_up)
{
	struct brski_store_job broken = {
		.key = "00ff", .kind = BRSKI_JOB_VOUCHER, .state = BRSKI_JOB_WAITING, .manufacturer = "acme"};
	struct brski_job *job = voucher_job();
	struct brski_error err;

	EXPECT(BRSKI_OK, brski_buf_set(&broken.blob, brski_span_str("no job")));
	EXPECT(BRSKI_OK, brski_store_job_add(store, &broken, NULL, &err)); /* stands in nobody's way */
	start();
	wait_for(&web.masa.n_requests, 2);
	for (int i = 0; i < 300 && row_of(job).state == BRSKI_JOB_WAITING; i++)
		usleep(10000);
	ck_assert_int_eq(row_of(job).state, BRSKI_JOB_DONE);
	brski_job_free(job);
	brski_store_job_free(&broken);
}
END_TEST

/* ---- Calling back ---- */

static void count_move(void *ctx)
{
	++*(atomic_uint *)ctx;
}

/* Everybody who shares a job hears of it, and nobody who has given the ticket back. */
/* It has looked through the store when a job is done: what is stored from now on is not taken up there. */
static void start_and_look(void)
{
	struct brski_ticket *t;

	start();
	t = submit(voucher_job());
	ck_assert_int_eq(wait_ticket(t, 5000, NULL), BRSKI_PROGRESS_FINISHED);
	brski_ticket_release(t);
}

START_TEST(a_ticket_calls_back)
{
	struct brski_job *job, *copies[2];
	atomic_uint moves[3] = {0};
	struct brski_ticket *tickets[3];
	struct brski_buf blob = {0};
	struct brski_error err;

	start_and_look();
	web.masa.delay_ms = 500;
	job = voucher_job();
	EXPECT(BRSKI_OK, brski_job_save(job, &blob, &err));
	for (int i = 0; i < 2; i++)
		EXPECT(BRSKI_OK, brski_job_load(site.registrar, brski_buf_span(&blob), 1, &copies[i], &err));
	tickets[0] = brski_worker_submit(worker, job, count_move, &moves[0]);
	wait_for(&moves[0], 1); /* the call is under way */
	tickets[1] = brski_worker_submit(worker, copies[0], count_move, &moves[1]);
	tickets[2] = brski_worker_submit(worker, copies[1], count_move, &moves[2]);
	brski_ticket_release(tickets[1]);
	wait_for(&moves[2], 3); /* voucher, audit log, and its end */
	ck_assert_int_eq(brski_ticket_look(tickets[2], NULL), BRSKI_PROGRESS_FINISHED);
	ck_assert_uint_eq(moves[0], moves[2] + 1);
	ck_assert_uint_eq(moves[1], 0);
	brski_ticket_release(tickets[0]);
	brski_ticket_release(tickets[2]);
	brski_buf_free(&blob);
}
END_TEST

/* ---- Pauses ---- */

START_TEST(a_back_end_that_is_away_is_tried_less_and_less)
{
	struct brski_ticket *t;
	char why[320];
	long pause;

	site.masa = MASA_DOWN;
	start();
	t = submit(voucher_job());
	ck_assert_int_eq(wait_ticket(t, 5000, &pause), BRSKI_PROGRESS_PAUSED);
	ck_assert_int_le(pause, 60 + 60 / 4);
	brski_ticket_trouble(t, why);
	ck_assert_ptr_nonnull(strstr(why, "MASA https://localhost:"));
	usleep(1000000); /* 60, 120, 240, 480 ms: four more at most, and not fewer than three */
	ck_assert_uint_ge(web.masa.n_requests, 4);
	ck_assert_uint_le(web.masa.n_requests, 5);
	ck_assert_int_eq(state_of(t), BRSKI_JOB_WAITING);
	site.masa = MASA_RIGHT;
	for (int i = 0; i < 300 && state_of(t) == BRSKI_JOB_WAITING; i++)
		usleep(10000);
	ck_assert_int_eq(state_of(t), BRSKI_JOB_DONE);
	brski_ticket_trouble(t, why);
	ck_assert_str_eq(why, "");
	brski_ticket_release(t);
}
END_TEST

/* Retry-After of a MASA's 202 is kept, whoever comes meanwhile. */
START_TEST(a_pause_that_was_asked_for_is_kept)
{
	struct brski_job *job = voucher_job(), *copy;
	struct brski_buf blob = {0};
	struct brski_ticket *t, *again;
	struct brski_error err;
	char why[320];
	long pause;

	site.masa = MASA_STATUS;
	site.masa_status = 202;
	site.masa_retry_after = "3";
	EXPECT(BRSKI_OK, brski_job_save(job, &blob, &err));
	EXPECT(BRSKI_OK, brski_job_load(site.registrar, brski_buf_span(&blob), 1, &copy, &err));
	start();
	t = submit(job);
	ck_assert_int_eq(wait_ticket(t, 5000, &pause), BRSKI_PROGRESS_PAUSED);
	ck_assert_int_gt(pause, 2500);
	ck_assert_int_le(pause, 3000);
	brski_ticket_trouble(t, why);
	ck_assert_str_eq(why, "");
	site.masa = MASA_RIGHT;
	usleep(2200000);
	again = submit(copy);
	ck_assert_int_eq(wait_ticket(again, 0, NULL), BRSKI_PROGRESS_PAUSED);
	ck_assert_uint_eq(web.masa.n_requests, 1);
	wait_for(&web.masa.n_requests, 2);
	brski_ticket_release(t);
	brski_ticket_release(again);
	brski_buf_free(&blob);
}
END_TEST

START_TEST(the_pki_is_called_too)
{
	struct brski_ticket *t;

	start();
	t = submit(enroll_job());
	ck_assert_int_eq(wait_ticket(t, 5000, NULL), BRSKI_PROGRESS_FINISHED);
	ck_assert_int_eq(state_of(t), BRSKI_JOB_DONE);
	ck_assert_uint_eq(site.n_issued, 1);
	brski_ticket_release(t);
}
END_TEST

static void wait_until_finished(struct brski_ticket *t)
{
	int64_t end = brski_now_ms() + 5000;

	while (brski_ticket_look(t, NULL) != BRSKI_PROGRESS_FINISHED && brski_now_ms() < end)
		usleep(1000);
	ck_assert_int_eq(brski_ticket_look(t, NULL), BRSKI_PROGRESS_FINISHED);
}

/* The PKI is away, and back when the device has been refused by its operator: it is not asked. */
START_TEST(refused_while_it_waits_in_memory)
{
	struct brski_ticket *t;

	site.ca = CA_DOWN;
	start();
	t = submit(enroll_job());
	ck_assert_int_eq(wait_ticket(t, 5000, NULL), BRSKI_PROGRESS_PAUSED);
	site.decision = BRSKI_REFUSE;
	site.ca = CA_RIGHT;
	wait_until_finished(t);
	ck_assert_int_eq(state_of(t), BRSKI_JOB_REFUSED);
	ck_assert_int_eq(row_of(job_of(t)).state, BRSKI_JOB_REFUSED);
	ck_assert_uint_eq(site.n_issued, 0);
	brski_ticket_release(t);
}
END_TEST

/* The same, when the MASA or whoever else has said no at another request of the device. */
START_TEST(taken_back_while_it_waits_in_memory)
{
	struct brski_ticket *t;
	struct brski_error err;

	site.ca = CA_DOWN;
	start();
	t = submit(enroll_job());
	ck_assert_int_eq(wait_ticket(t, 5000, NULL), BRSKI_PROGRESS_PAUSED);
	EXPECT(BRSKI_OK, brski_store_permission_take_back(store, "acme", SITE_SERIAL, 0, &err));
	site.ca = CA_RIGHT;
	wait_until_finished(t);
	ck_assert_int_eq(state_of(t), BRSKI_JOB_REFUSED);
	ck_assert_uint_eq(site.n_issued, 0);
	brski_ticket_release(t);
}
END_TEST

/* The policy wants it to wait: nobody is called until it does not. */
START_TEST(deferred_while_it_waits_in_memory)
{
	struct brski_ticket *t;
	long pause;

	site.decision = BRSKI_DEFER;
	start();
	t = submit(voucher_job_of(BRSKI_ACCEPT));
	ck_assert_int_eq(wait_ticket(t, 5000, &pause), BRSKI_PROGRESS_PAUSED);
	ck_assert_int_gt(pause, 40000); /* 42 s, as the policy says */
	ck_assert_int_eq(state_of(t), BRSKI_JOB_WAITING);
	ck_assert_uint_eq(web.masa.n_requests, 0);
	brski_ticket_release(t);
}
END_TEST

START_TEST(a_refusal_is_an_answer)
{
	struct brski_ticket *t;

	site.masa = MASA_STATUS;
	site.masa_status = 403;
	site.masa_text = "not yours";
	start();
	t = submit(voucher_job());
	ck_assert_int_eq(wait_ticket(t, 5000, NULL), BRSKI_PROGRESS_FINISHED);
	ck_assert_int_eq(state_of(t), BRSKI_JOB_REFUSED);
	ck_assert_uint_eq(web.masa.n_requests, 1);
	brski_ticket_release(t);
}
END_TEST

/* ---- Other servers ---- */

static void lease_to(const char *owner, const struct brski_job *job, unsigned seconds)
{
	struct brski_store_job row;
	struct brski_error err;

	EXPECT(BRSKI_OK, brski_store_job_lease(store, brski_job_key(job), owner, seconds, &row, &err));
	brski_store_job_free(&row);
}

/* That one may be at another host: nobody here can tell what has become of it. */
START_TEST(another_server_s_call_is_not_made_here)
{
	struct brski_job *job = voucher_job();
	struct brski_ticket *t;
	char why[320];
	long pause;

	lease_to("elsewhere", job, 1);
	start();
	t = submit(job);
	ck_assert_int_eq(wait_ticket(t, 5000, &pause), BRSKI_PROGRESS_PAUSED);
	ck_assert_int_le(pause, 1000);
	brski_ticket_trouble(t, why);
	ck_assert_str_eq(why, "");
	ck_assert_uint_eq(web.masa.n_requests, 0);
	wait_for(&web.masa.n_requests, 2); /* when the lease has run out */
	for (int i = 0; i < 300 && state_of(t) == BRSKI_JOB_WAITING; i++)
		usleep(10000);
	ck_assert_int_eq(state_of(t), BRSKI_JOB_DONE);
	ck_assert_str_eq(row_of(job_of(t)).lease_owner, "");
	brski_ticket_release(t);
}
END_TEST

START_TEST(another_server_s_answer_is_taken_over)
{
	struct brski_job *job = voucher_job(), *theirs;
	struct brski_buf blob = {0};
	struct brski_ticket *t;
	struct brski_error err;

	EXPECT(BRSKI_OK, brski_job_save(job, &blob, &err));
	EXPECT(BRSKI_OK, brski_job_load(site.registrar, brski_buf_span(&blob), 1, &theirs, &err));
	lease_to("elsewhere", job, 100);
	start();
	t = submit(job);
	ck_assert_int_eq(wait_ticket(t, 5000, NULL), BRSKI_PROGRESS_PAUSED);
	site_drive(&site, theirs);
	for (int i = 0; i < 300 && state_of(t) == BRSKI_JOB_WAITING; i++)
		usleep(10000);
	ck_assert_int_eq(state_of(t), BRSKI_JOB_DONE);
	ck_assert_uint_eq(web.masa.n_requests, 0);
	brski_ticket_release(t);
	brski_job_free(theirs);
	brski_buf_free(&blob);
}
END_TEST

/* They got a voucher, and were told to come back for the audit log: that is not asked for sooner here. */
START_TEST(what_another_server_was_told_holds_here)
{
	struct brski_job *job = voucher_job(), *theirs;
	struct brski_buf blob = {0};
	struct brski_ticket *t;
	struct brski_error err;
	long pause;

	EXPECT(BRSKI_OK, brski_job_save(job, &blob, &err));
	EXPECT(BRSKI_OK, brski_job_load(site.registrar, brski_buf_span(&blob), 1, &theirs, &err));
	site.masa = MASA_STATUS;
	site.masa_status = 202;
	site.masa_retry_after = "3";
	site_drive(&site, theirs);
	start();
	t = submit(job);
	ck_assert_int_eq(wait_ticket(t, 5000, &pause), BRSKI_PROGRESS_PAUSED);
	ck_assert_int_gt(pause, 1500);
	ck_assert_uint_eq(web.masa.n_requests, 0);
	ck_assert_str_eq(row_of(job_of(t)).lease_owner, "");
	brski_ticket_release(t);
	brski_job_free(theirs);
	brski_buf_free(&blob);
}
END_TEST

/* As after a restart: nobody waits for the end of its leases. */
START_TEST(the_work_of_a_dead_process_is_taken_up_at_once)
{
	struct brski_job *job = voucher_job();
	char owner[BRSKI_OWNER_MAX];
	struct brski_error err;
	int ends[2];
	pid_t pid;

	EXPECT(BRSKI_OK, brski_owner_make(NULL, owner, &err));
	ck_assert(!brski_owner_is_gone(owner));
	ck_assert(!brski_owner_is_gone("elsewhere"));
	ck_assert(!brski_owner_is_gone(""));
	ck_assert_int_eq(pipe(ends), 0);
	pid = fork();
	if (pid == 0)
		_exit(brski_owner_make(NULL, owner, &err) != BRSKI_OK ||
			write(ends[1], owner, sizeof(owner)) != sizeof(owner));
	ck_assert_int_eq(read(ends[0], owner, sizeof(owner)), sizeof(owner));
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	close(ends[0]);
	close(ends[1]);
	ck_assert(brski_owner_is_gone(owner));
	lease_to(owner, job, 100);
	start();
	wait_for(&web.masa.n_requests, 2);
	for (int i = 0; i < 300 && row_of(job).state == BRSKI_JOB_WAITING; i++)
		usleep(10000);
	ck_assert_int_eq(row_of(job).state, BRSKI_JOB_DONE);
	brski_job_free(job);
}
END_TEST

START_TEST(a_lease_is_held_for_a_call_and_no_longer)
{
	struct brski_ticket *t;

	web.masa.delay_ms = 300;
	site.masa = MASA_DOWN;
	config.retry_min_ms = 100000;
	start();
	t = submit(voucher_job());
	wait_for(&web.masa.n_requests, 1);
	ck_assert_str_ne(row_of(job_of(t)).lease_owner, "");
	ck_assert_int_eq(wait_ticket(t, 5000, NULL), BRSKI_PROGRESS_PAUSED);
	for (int i = 0; i < 100 && row_of(job_of(t)).lease_owner[0]; i++)
		usleep(1000);
	ck_assert_str_eq(row_of(job_of(t)).lease_owner, "");
	brski_ticket_release(t);
}
END_TEST

/* ---- A store that fails ---- */

static void sql(const char *statement)
{
	char path[128];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/db", folder);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_busy_timeout(db, 5000), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, statement, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* The answer may be there already, and nobody can see it. */
START_TEST(no_call_is_made_if_the_store_fails)
{
	struct brski_job *job = voucher_job();
	struct brski_ticket *t;
	char why[320];

	sql("ALTER TABLE job RENAME TO away");
	start();
	t = submit(job);
	ck_assert_int_eq(wait_ticket(t, 5000, NULL), BRSKI_PROGRESS_PAUSED);
	brski_ticket_trouble(t, why);
	ck_assert_str_ne(why, "");
	usleep(200000);
	ck_assert_uint_eq(web.masa.n_requests, 0);
	sql("ALTER TABLE away RENAME TO job");
	wait_for(&web.masa.n_requests, 2);
	for (int i = 0; i < 300 && state_of(t) == BRSKI_JOB_WAITING; i++)
		usleep(10000);
	ck_assert_int_eq(state_of(t), BRSKI_JOB_DONE);
	brski_ticket_release(t);
}
END_TEST

static atomic_uint n_told;

static void count_told(void *ctx, enum brski_level level, const char *text)
{
	(void)ctx;
	n_told += level == BRSKI_LOG_ERROR && strstr(text, "the database fails") != NULL;
}

/* A look that failed is repeated at once, and not with the next one; told once. */
START_TEST(what_waits_is_taken_up_after_the_store_has_failed)
{
	const struct brski_env env = {.log = count_told};
	struct brski_job *job = voucher_job();

	n_told = 0;
	config.env = &env;
	config.scan_ms = 3600000;
	sql("ALTER TABLE job RENAME TO away");
	start();
	wait_for(&n_told, 1);
	usleep(200000);
	sql("ALTER TABLE away RENAME TO job");
	wait_for(&web.masa.n_requests, 2);
	for (int i = 0; i < 300 && row_of(job).state == BRSKI_JOB_WAITING; i++)
		usleep(10000);
	ck_assert_int_eq(row_of(job).state, BRSKI_JOB_DONE);
	ck_assert_uint_eq(n_told, 1);
	brski_job_free(job);
	brski_worker_free(worker); /* env goes */
	worker = NULL;
}
END_TEST

START_TEST(no_call_is_made_for_what_is_gone)
{
	struct brski_job *job = voucher_job();
	struct brski_ticket *t;

	sql("DELETE FROM job");
	start();
	t = submit(job);
	ck_assert_int_eq(wait_ticket(t, 5000, NULL), BRSKI_PROGRESS_FINISHED);
	ck_assert_int_eq(state_of(t), BRSKI_JOB_WAITING);
	ck_assert_uint_eq(web.masa.n_requests, 0);
	brski_ticket_release(t);
	for (int i = 0; i < 100 && held(); i++)
		usleep(1000);
	ck_assert_uint_eq(held(), 0);
}
END_TEST

/* ---- The thread ---- */

static unsigned steps; /* that say there is more */

static bool count_housekeeping(void *ctx)
{
	ck_assert_ptr_eq(ctx, &config);
	return ++n_housekeeping <= steps;
}

START_TEST(housekeeping_comes_by)
{
	config.scan_ms = 30;
	config.housekeeping = count_housekeeping;
	config.housekeeping_ctx = &config;
	start();
	wait_for(&n_housekeeping, 3);
	brski_worker_stop(worker);
	n_housekeeping = 0;
	usleep(100000);
	ck_assert_uint_eq(n_housekeeping, 0);
}
END_TEST

START_TEST(housekeeping_goes_on_while_there_is_more)
{
	steps = 1000;
	config.scan_ms = 200;
	config.housekeeping = count_housekeeping;
	config.housekeeping_ctx = &config;
	start();
	wait_for(&n_housekeeping, steps); /* with one look at the store, not with a thousand */
}
END_TEST

static bool look_at_signals(void *ctx)
{
	pthread_sigmask(SIG_SETMASK, NULL, ctx);
	n_housekeeping++;
	return false;
}

START_TEST(signals_are_for_other_threads)
{
	sigset_t mask, mine;

	config.scan_ms = 10;
	config.housekeeping = look_at_signals;
	config.housekeeping_ctx = &mask;
	start();
	wait_for(&n_housekeeping, 1);
	brski_worker_stop(worker);
	ck_assert(sigismember(&mask, SIGTERM) && sigismember(&mask, SIGHUP) && sigismember(&mask, SIGCHLD));
	pthread_sigmask(SIG_SETMASK, NULL, &mine);
	ck_assert(!sigismember(&mine, SIGTERM));
}
END_TEST

START_TEST(a_ticket_may_come_back_after_the_end)
{
	struct brski_job *job = voucher_job();
	char key[BRSKI_FINGERPRINT_MAX];
	struct brski_ticket *t;

	web.masa.delay_ms = 300;
	snprintf(key, sizeof(key), "%s", brski_job_key(job));
	start();
	t = submit(job);
	ck_assert_int_eq(wait_ticket(t, 50, NULL), BRSKI_PROGRESS_RUNNING);
	wait_for(&web.masa.n_requests, 1);
	brski_worker_stop(worker);
	ck_assert_int_eq(state_of(t), BRSKI_JOB_WAITING);
	brski_ticket_release(t);
	ck_assert_str_ne(row_at(key).lease_owner, "");
	brski_worker_free(worker);
	worker = NULL;
	ck_assert_str_eq(row_at(key).lease_owner, ""); /* so another server goes on at once */
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_job_is_done,
		waiting_has_an_end,
		the_same_job_is_shared,
		an_answer_in_the_store_counts,
		an_answer_from_elsewhere_spares_the_call,
		what_waits_in_the_store_is_taken_up,
		a_ticket_calls_back,
		a_back_end_that_is_away_is_tried_less_and_less,
		a_pause_that_was_asked_for_is_kept,
		the_pki_is_called_too,
		refused_while_it_waits_in_memory,
		taken_back_while_it_waits_in_memory,
		deferred_while_it_waits_in_memory,
		a_refusal_is_an_answer,
		another_server_s_call_is_not_made_here,
		another_server_s_answer_is_taken_over,
		what_another_server_was_told_holds_here,
		the_work_of_a_dead_process_is_taken_up_at_once,
		a_lease_is_held_for_a_call_and_no_longer,
		no_call_is_made_if_the_store_fails,
		what_waits_is_taken_up_after_the_store_has_failed,
		no_call_is_made_for_what_is_gone,
		housekeeping_comes_by,
		housekeeping_goes_on_while_there_is_more,
		signals_are_for_other_threads,
		a_ticket_may_come_back_after_the_end,
	};

	return run_tests("worker", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
