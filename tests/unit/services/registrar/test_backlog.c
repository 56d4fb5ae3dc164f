/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "services/base/clock.h"
#include "services/registrar/worker.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/many_jobs.h"
#include "tests/unit/support/site_store.h"
#include "tests/unit/support/site_web.h"

/*
 * More requests wait in the store for one MASA than memory takes, and it is away; another one is not.
 * Both refuse what they are asked, so that a request needs one call. Devices of two kinds: the other
 * kind's MASA is the other one.
 */

#define MANY (BRSKI_BOARD_MAX + 60) /* more than are in memory at one time */

static struct site site;
static struct site_web web;
static struct web other; /* MASA */
static char other_url[64];
static struct brski_credential others_idevid;
static struct brski_buf blob, others_blob; /* a job of each */
static struct brski_store *store;
static struct site_store memory;
static struct brski_registrar_ops ops;
static enum brski_code (*find_acme)(
	void *ctx, const STACK_OF(X509) *chain, struct brski_manufacturer *out, struct brski_error *err);
static struct brski_worker *worker;
static struct brski_worker_config config;
static atomic_uint n_scans; /* but the first */
static unsigned most_held;

/* ---- The two kinds of devices ---- */

static enum brski_code find_manufacturer(
	void *ctx, const STACK_OF(X509) *chain, struct brski_manufacturer *out, struct brski_error *err)
{
	enum brski_code code = find_acme(ctx, chain, out, err);

	if (code == BRSKI_OK && X509_cmp(sk_X509_value(chain, 0), others_idevid.cert) == 0)
		snprintf(out->masa_url, sizeof(out->masa_url), "%s", other_url);
	return code;
}

static void refuse(void *ctx, const struct web_request *request, struct brski_buf *raw)
{
	(void)ctx;
	(void)request;
	web_say_text(raw, 403, "text/plain", "not yours");
}

/* The other kind's devices are here. Twice: they are not. */
static void swap_devices(void)
{
	struct brski_credential idevid = site.idevid;

	site.idevid = others_idevid;
	others_idevid = idevid;
	pki_free_certs(site.device_chain);
	site.device_chain = pki_certs(&site.idevid, NULL);
}

static void take_job(struct brski_buf *out)
{
	struct visit v;

	visit_open(&v, &site);
	visit_make_voucher_request(&v);
	many_jobs_take(&v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER, out);
	visit_close(&v);
}

static void make_jobs(void)
{
	take_job(&blob);
	swap_devices();
	take_job(&others_blob);
	swap_devices();
}

static void setup(void)
{
	struct pki_spec spec = {.subject = "CN=Gadget,O=Acme,serialNumber=SN-OTHER"};
	struct brski_error err;

	site_open(&site, "P-256");
	site_web_start(&web, &site);
	web_start(&other, &web.masa_tls, refuse, NULL);
	snprintf(other_url, sizeof(other_url), "https://localhost:%d", other.port);
	others_idevid = pki_make(&spec, &site.maker_ca);
	make_jobs();
	EXPECT(BRSKI_OK, brski_store_open(":memory:", true, &store, &err)); /* no disk is to be waited for */
	site_store_set(&memory, &site, store);
	ops = *site.config.ops;
	find_acme = ops.find_manufacturer;
	ops.find_manufacturer = find_manufacturer;
	site.config.ops = &ops;
	site.masa_status = 403;
	site_restart(&site);
	n_scans = most_held = 0;
}

static void teardown(void)
{
	brski_worker_free(worker);
	worker = NULL;
	brski_store_close(store);
	brski_buf_free(&blob);
	brski_buf_free(&others_blob);
	web_stop(&other);
	pki_free(&others_idevid);
	site_web_stop(&web);
	site_close(&site);
}

/* ---- What they ask ---- */

static struct brski_store_job make_row(const struct brski_buf *which, const char *masa_url, unsigned number)
{
	struct brski_store_job row = {.kind = BRSKI_JOB_VOUCHER, .manufacturer = "acme"};

	many_jobs_make(&site, which, number, row.key, &row.blob);
	snprintf(row.serial_number, sizeof(row.serial_number), "S-%u", number);
	snprintf(row.back_end, sizeof(row.back_end), "%s", masa_url);
	return row;
}

static void add(struct brski_store_job *row)
{
	struct brski_error err;

	EXPECT(BRSKI_OK, brski_store_job_add(store, row, NULL, &err));
	brski_store_job_free(row);
}

static void add_many(void)
{
	for (unsigned i = 0; i < MANY; i++) {
		struct brski_store_job row = make_row(&blob, web.masa_url, i);

		add(&row);
	}
}

#define OTHERS 20
static struct brski_store_job others[OTHERS];

static void make_others(void)
{
	swap_devices();
	for (unsigned i = 0; i < OTHERS; i++)
		others[i] = make_row(&others_blob, other_url, i);
	swap_devices();
}

static bool count_scan(void *ctx)
{
	(void)ctx;
	n_scans++;
	return false;
}

static void start(long scan_ms)
{
	struct brski_error err;

	config = (struct brski_worker_config){.registrar = site.registrar,
		.store = store,
		.retry_min_ms = 60,
		.retry_max_ms = 120,
		.scan_ms = scan_ms,
		.housekeeping = count_scan};
	EXPECT(BRSKI_OK, brski_worker_new(&config, &worker, &err));
}

static struct brski_store_job_totals look(void)
{
	struct brski_store_job_totals totals;
	struct brski_error err;
	unsigned held, running;

	brski_worker_count(worker, &held, &running);
	if (held > most_held)
		most_held = held;
	EXPECT(BRSKI_OK, brski_store_job_totals(store, &totals, &err));
	return totals;
}

static void wait_until_refused(unsigned n)
{
	for (int64_t end = brski_now_ms() + 100000; look().refused < n && brski_now_ms() < end;)
		usleep(5000);
	ck_assert_uint_eq(look().refused, n);
}

/* It is away: no more than a few of its requests are in memory. */
static void wait_until_away(void)
{
	unsigned held = 0, running = 1;

	for (int i = 0; i < 2000 && (web.masa.n_requests < 3 || held + running > BRSKI_BOARD_FEW + 1); i++) {
		usleep(5000);
		brski_worker_count(worker, &held, &running);
	}
	ck_assert_uint_ge(web.masa.n_requests, 3);
	ck_assert_uint_le(held, BRSKI_BOARD_FEW + 1);
}

/* However many wait for the one that is away: a newer request of another is taken at the next look. */
START_TEST(a_backlog_holds_up_no_other_back_end)
{
	site.masa = MASA_DOWN;
	make_others();
	add_many();
	start(200);
	wait_until_away();
	for (unsigned i = 0; i < OTHERS; i++)
		add(&others[i]);
	wait_until_refused(OTHERS);
	ck_assert_uint_eq(other.n_requests, OTHERS);
	ck_assert_uint_eq(look().waiting, MANY);
	ck_assert_uint_lt(web.masa.n_requests, MANY / 2); /* it is not run over either */
}
END_TEST

/* When it is back, all of them go out, and nobody waits for the next look at the store. */
START_TEST(a_backlog_drains_without_a_pause)
{
	site.masa = MASA_DOWN;
	add_many();
	start(3600000);
	wait_until_away();
	site.masa = MASA_STATUS;
	wait_until_refused(MANY);
	ck_assert_uint_eq(n_scans, 0);
	ck_assert_uint_le(most_held, BRSKI_BOARD_MAX + BRSKI_BOARD_FEW);
	ck_assert_uint_eq(look().waiting, 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {a_backlog_holds_up_no_other_back_end, a_backlog_drains_without_a_pause};

	return run_tests("backlog", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
