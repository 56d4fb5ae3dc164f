/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <check.h>

#include "services/registrar/site.h"
#include "tests/unit/support/est_visit.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/site_settings.h"

/*
 * EST at a whole registrar from its settings and files on (site, worker, store): it goes through the
 * PKI's transaction alone, with no device there. MASA and CA are behind real HTTPS and HTTP.
 */

static struct site world;
static struct site_web web;
static struct brski_config settings;
static struct brski_site *site;
static struct brski_store *store; /* another process's view of it */
static struct brski_error err;
static char folder[64], database[96];
static struct visit v;

static void start(void)
{
	const struct brski_site_config config = {.settings = &settings};

	EXPECT(BRSKI_OK, brski_site_new(&config, &site, &err));
	world.registrar = brski_site_registrar(site);
}

static void stop(void)
{
	brski_registrar_session_free(v.session);
	v.session = NULL;
	brski_site_stop(site);
	brski_site_free(site);
	site = NULL;
	world.registrar = NULL;
}

static void setup(void)
{
	site_open(&world, "P-256");
	world.now = time(NULL);
	brski_registrar_free(world.registrar);
	world.registrar = NULL;
	site_web_start(&web, &world);
	temp_make(folder);
	snprintf(database, sizeof(database), "%s/registrar.db", folder);
	site_write_files(&world, &world.registrar_cred, folder);
	EXPECT(BRSKI_OK, brski_store_open(database, true, &store, &err));
	site_put_acme(store, &world, BRSKI_MODE_MANUFACTURER, false);
	site_set_all(&settings, &web, folder, database);
	memset(&v, 0, sizeof(v));
	v.site = &world;
}

static void teardown(void)
{
	stop();
	visit_close(&v);
	site_web_stop(&web);
	settings_free(brski_settings, &settings);
	brski_store_close(store);
	temp_remove(folder);
	site_close(&world);
}

static unsigned waiting(void)
{
	struct brski_store_job_totals t;

	EXPECT(BRSKI_OK, brski_store_job_totals(store, &t, &err));
	return t.waiting_by_kind[BRSKI_JOB_VOUCHER] + t.waiting_by_kind[BRSKI_JOB_CMP];
}

static void wait_until_answered(void)
{
	for (int i = 0; i < 3000 && waiting(); i++)
		usleep(10000);
	ck_assert_uint_eq(waiting(), 0);
}

/* A job is the worker's, and the result 0: nobody waits here. */
static unsigned hand_over(unsigned status)
{
	struct brski_ticket *ticket;

	if (status != 0)
		return status;
	ticket = brski_worker_submit(brski_site_worker(site), v.job, NULL, NULL);
	v.job = NULL;
	ck_assert_ptr_nonnull(ticket);
	brski_ticket_release(ticket);
	return 0;
}

static unsigned come(void)
{
	est_again(&v);
	return hand_over(est_send(&v, BRSKI_PATH_EST_SIMPLEENROLL));
}

static void get_voucher(void)
{
	struct brski_buf request = {0};

	est_again(&v);
	visit_make_voucher_request(&v);
	EXPECT(BRSKI_OK, brski_buf_set(&request, brski_buf_span(&v.request)));
	ck_assert_uint_eq(hand_over(visit_send(
				  &v, "POST", PATH_VOUCHER, BRSKI_MEDIA_VOUCHER, brski_buf_span(&request))),
		0);
	wait_until_answered();
	ck_assert_uint_eq(
		visit_send(&v, "POST", PATH_VOUCHER, BRSKI_MEDIA_VOUCHER, brski_buf_span(&request)), 200);
	brski_buf_free(&request);
}

START_TEST(the_registrar_goes_through_it_alone)
{
	world.ca_remembers = true;
	start();
	get_voucher();
	est_make(&v, &(struct est_ask){0});
	ck_assert_uint_eq(come(), 0);
	wait_until_answered();
	ck_assert_uint_eq(world.n_confirmed, 1);
	ck_assert_uint_eq(come(), 200);
	est_expect_certificate(&v);
	ck_assert_uint_eq(world.n_issued, 1);
	ck_assert_uint_eq(visit_status(&v, PATH_ENROLL_STATUS, true), 200);
}
END_TEST

/* Stopped while the PKI has it wait; what it was told is in the store. */
START_TEST(a_restart_loses_nothing)
{
	world.ca_remembers = true;
	world.ca = CA_WAITS;
	world.ca_polls = 2;
	world.ca_check_after = 1;
	start();
	get_voucher();
	est_make(&v, &(struct est_ask){0});
	ck_assert_uint_eq(come(), 0);
	for (int i = 0; i < 3000 && world.n_ca_calls < 2; i++) /* the request, and a pollReq */
		usleep(10000);
	stop();
	ck_assert_uint_eq(waiting(), 1);
	start();
	wait_until_answered();
	ck_assert_uint_eq(world.n_issued, 1);
	ck_assert_uint_eq(world.n_confirmed, 1);
	ck_assert_uint_eq(come(), 200);
	est_expect_certificate(&v);
}
END_TEST

/* The setting is the engine's, and the inventory the store's. */
START_TEST(without_a_voucher)
{
	site_set(&settings, "est_without_voucher", "yes");
	start();
	est_make(&v, &(struct est_ask){0});
	ck_assert_uint_eq(come(), 403);
	ck_assert(visit_said(&v, "inventory"));
	EXPECT(BRSKI_OK, brski_store_device_put(store, "acme", SITE_SERIAL, "", &err));
	ck_assert_uint_eq(come(), 0);
	wait_until_answered();
	ck_assert_uint_eq(come(), 200);
	est_expect_certificate(&v);
	/* out of the inventory: what it was given is taken back */
	EXPECT(BRSKI_OK, brski_store_device_remove(store, "acme", SITE_SERIAL, &err));
	ck_assert_uint_eq(come(), 403);
	EXPECT(BRSKI_OK, brski_store_device_put(store, "acme", SITE_SERIAL, "", &err));
	est_make(&v, &(struct est_ask){0});
	ck_assert_uint_eq(come(), 403);
	ck_assert(visit_said(&v, "taken back"));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		the_registrar_goes_through_it_alone, a_restart_loses_nothing, without_a_voucher};

	return run_tests("site, EST", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
