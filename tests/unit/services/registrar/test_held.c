/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "services/base/clock.h"
#include "services/registrar/worker.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/site_store.h"
#include "tests/unit/support/site_web.h"
#include "tests/unit/support/visit.h"

/* Nobody is asked for what a power failure might undo: the disk is one that can be stopped, and can fail. */

static struct site site;
static struct site_web web;
static struct brski_store *store;
static struct site_store memory;
static struct brski_worker *worker;
static char folder[64];
static struct brski_error err;

/* ---- The disk ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool stopped, failing; /* by the lock */

static int sync_file(void)
{
	bool fails;

	pthread_mutex_lock(&lock);
	while (stopped)
		pthread_cond_wait(&changed, &lock);
	fails = failing;
	pthread_mutex_unlock(&lock);
	if (fails)
		errno = EIO;
	return fails ? -1 : 0;
}

int fsync(int fd)
{
	(void)fd;
	return sync_file();
}

int fdatasync(int fd)
{
	(void)fd;
	return sync_file();
}

static void set_disk(bool is_stopped, bool fails)
{
	pthread_mutex_lock(&lock);
	stopped = is_stopped;
	failing = fails;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

/* ---- The worker ---- */

static void setup(void)
{
	const struct brski_store_options options = {.create = true, .keep_later = true};
	struct brski_worker_config config = {.retry_min_ms = 60, .retry_max_ms = 120};
	char path[128];

	set_disk(false, false);
	site_open(&site, "P-256");
	site_web_start(&web, &site);
	temp_make(folder);
	snprintf(path, sizeof(path), "%s/db", folder);
	EXPECT(BRSKI_OK, brski_store_open_with(path, &options, &store, &err));
	site_store_set(&memory, &site, store);
	site_restart(&site);
	config.registrar = site.registrar;
	config.store = store;
	EXPECT(BRSKI_OK, brski_worker_new(&config, &worker, &err));
}

static void teardown(void)
{
	set_disk(false, false);
	brski_worker_free(worker);
	brski_store_close(store);
	temp_remove(folder);
	site_web_stop(&web);
	site_close(&site);
}

/* A device asks for a voucher, and does not go. */
static struct brski_ticket *ask(void)
{
	struct brski_ticket *t;
	struct visit v;

	visit_open(&v, &site);
	visit_make_voucher_request(&v);
	ck_assert_uint_eq(
		visit_send(&v, "POST", PATH_VOUCHER, BRSKI_MEDIA_VOUCHER, brski_buf_span(&v.request)), 0);
	t = brski_worker_submit(worker, v.job, NULL, NULL);
	ck_assert_ptr_nonnull(t);
	v.job = NULL;
	visit_close(&v);
	return t;
}

/* The worker has looked at it, and has the right to call. */
static void wait_until_leased(struct brski_ticket *t)
{
	struct brski_store_job row = {.revision = 0};
	char key[BRSKI_FINGERPRINT_MAX];

	snprintf(key, sizeof(key), "%s", brski_job_key(brski_ticket_lock(t)));
	brski_ticket_unlock(t);
	for (int i = 0; i < 2000 && !row.lease_owner[0]; i++) {
		brski_store_job_free(&row);
		usleep(5000);
		EXPECT(BRSKI_OK, brski_store_job_get(store, key, &row, &err));
	}
	ck_assert_str_ne(row.lease_owner, "");
	brski_store_job_free(&row);
}

static void wait_until_done(struct brski_ticket *t)
{
	for (int i = 0; i < 2000 && brski_ticket_look(t, NULL) != BRSKI_PROGRESS_FINISHED; i++)
		usleep(5000);
	ck_assert_int_eq(brski_ticket_look(t, NULL), BRSKI_PROGRESS_FINISHED);
	ck_assert_int_eq(brski_job_state(brski_ticket_lock(t)), BRSKI_JOB_DONE);
	brski_ticket_unlock(t);
}

START_TEST(no_call_goes_out_before_its_job_is_kept)
{
	struct brski_ticket *tickets[3];
	uint64_t mark;

	set_disk(true, false);
	for (int i = 0; i < 3; i++) { /* with each the loop has gone round once more */
		tickets[i] = ask();
		wait_until_leased(tickets[i]);
	}
	mark = brski_store_mark(store);
	ck_assert_int_eq(brski_store_kept(store, mark, NULL), BRSKI_NOT_YET_KEPT);
	ck_assert_uint_eq(web.masa.n_requests, 0);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(brski_ticket_look(tickets[i], NULL), BRSKI_PROGRESS_RUNNING);
	set_disk(false, false);
	for (int i = 0; i < 3; i++) {
		wait_until_done(tickets[i]);
		brski_ticket_release(tickets[i]);
	}
	ck_assert_uint_eq(web.masa.n_requests, 6);
}
END_TEST

/* Then nobody knows what is there after a power failure; when the disk is well again, it goes on. */
START_TEST(what_is_not_kept_is_not_asked_for)
{
	struct brski_ticket *t;
	char why[320] = "";

	set_disk(true, false);
	t = ask();
	wait_until_leased(t);
	set_disk(false, true);
	for (int i = 0; i < 2000 && !why[0]; i++) {
		usleep(5000);
		brski_ticket_trouble(t, why);
	}
	ck_assert_str_ne(why, "");
	ck_assert_uint_eq(web.masa.n_requests, 0);
	set_disk(false, false);
	wait_until_done(t);
	brski_ticket_release(t);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		no_call_goes_out_before_its_job_is_kept, what_is_not_kept_is_not_asked_for};

	return run_tests("held", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
