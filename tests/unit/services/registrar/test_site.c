/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <check.h>

#include "eap_brski/pledge/pledge.h"
#include "services/registrar/site.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/memory.h"
#include "tests/unit/support/site_settings.h"
#include "tests/unit/support/store_rows.h"

/*
 * A whole registrar from its settings and files on (site, worker, store), and the library's pledge,
 * with HTTP messages between them and no door: this program links nothing of EAP or RADIUS, see
 * tests/check/site_links. MASA and CA are behind real HTTPS and HTTP.
 */

static struct site world;
static struct site_web web;
static struct memory memory; /* the device's */
static struct brski_config settings;
static struct brski_site *site;
static struct brski_store *store; /* another process's view of it, brskictl's for instance */
static struct brski_error err;
static char folder[64], database[96];
static atomic_long ahead; /* seconds that pass at once, for device and registrar */

static time_t now(void *ctx)
{
	(void)ctx;
	return time(NULL) + ahead;
}

static const struct brski_env env = {.now = now};

/* ---- The registrar ---- */

static void start(void)
{
	const struct brski_site_config config = {.settings = &settings, .env = &env};

	EXPECT(BRSKI_OK, brski_site_new(&config, &site, &err));
}

static void stop(void)
{
	brski_site_stop(site);
	brski_site_free(site);
	site = NULL;
}

static void setup(void)
{
	site_open(&world, "P-256");
	site_web_start(&web, &world);
	memory_open(&memory);
	temp_make(folder);
	snprintf(database, sizeof(database), "%s/registrar.db", folder);
	site_write_files(&world, &world.registrar_cred, folder);
	EXPECT(BRSKI_OK, brski_store_open(database, true, &store, &err));
	site_put_acme(store, &world, BRSKI_MODE_INVENTORY, true);
	EXPECT(BRSKI_OK, brski_store_device_put(store, "acme", SITE_SERIAL, "", &err));
	site_set_all(&settings, &web, folder, database);
	ahead = 0;
}

static void teardown(void)
{
	stop();
	site_web_stop(&web);
	settings_free(brski_settings, &settings);
	brski_store_close(store);
	temp_remove(folder);
	memory_close(&memory);
	site_close(&world);
}

/* ---- One request ---- */

struct wait {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool moved;
};

static void on_moved(void *ctx)
{
	struct wait *w = ctx;

	pthread_mutex_lock(&w->lock);
	w->moved = true;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

/* Until it pauses or ends. */
static enum brski_progress wait_for(struct brski_ticket *ticket, struct wait *w)
{
	struct timespec end;
	enum brski_progress progress;
	int failed = 0;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 10;
	while ((progress = brski_ticket_look(ticket, NULL)) == BRSKI_PROGRESS_RUNNING) {
		pthread_mutex_lock(&w->lock);
		while (!w->moved && failed == 0)
			failed = pthread_cond_timedwait(&w->changed, &w->lock, &end);
		w->moved = false;
		pthread_mutex_unlock(&w->lock);
		ck_assert_msg(failed == 0, "the job does not move");
	}
	return progress;
}

/* The worker does it, or it takes too long. */
static void do_job(
	struct brski_registrar_session *session, struct brski_job *job, struct brski_http *response)
{
	struct wait w = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
	struct brski_ticket *ticket = brski_worker_submit(brski_site_worker(site), job, on_moved, &w);
	const struct brski_job *held;
	enum brski_progress progress;

	ck_assert_ptr_nonnull(ticket);
	progress = wait_for(ticket, &w);
	held = brski_ticket_lock(ticket);
	if (progress == BRSKI_PROGRESS_FINISHED)
		EXPECT(BRSKI_OK, brski_registrar_resume(session, held, response, &err));
	else
		EXPECT(BRSKI_OK, brski_registrar_defer(session, held, response, &err));
	brski_ticket_unlock(ticket);
	brski_ticket_release(ticket);
}

/* ---- The device ---- */

/* What a visit came to. */
struct visit {
	enum brski_pledge_state state;
	long retry_after;
	char reason[256];
	bool enrolled; /* by the registrar's session */
	unsigned jobs;
	char said[512]; /* "requestvoucher 200 ..." */
};

static void answer(struct visit *v, struct brski_registrar_session *session, const struct brski_http *request,
	struct brski_http *response)
{
	struct brski_job *job = NULL;
	size_t n = strlen(v->said);

	EXPECT(BRSKI_OK, brski_registrar_request(session, request, response, &job, &err));
	if (job) {
		v->jobs++;
		do_job(session, job, response);
	}
	snprintf(v->said + n, sizeof(v->said) - n, "%s%s %u", n ? " " : "", strrchr(request->path, '/') + 1,
		response->status);
}

/* False: there is nothing more to ask. */
static bool fly(struct visit *v, struct brski_pledge *pledge, struct brski_registrar_session *session)
{
	struct brski_http requests[BRSKI_FLIGHT_MAX] = {0}, responses[BRSKI_FLIGHT_MAX] = {0};
	size_t n;

	EXPECT(BRSKI_OK, brski_pledge_next(pledge, requests, &n, &err));
	for (size_t i = 0; i < n; i++)
		answer(v, session, &requests[i], &responses[i]);
	if (n > 0)
		EXPECT(BRSKI_OK, brski_pledge_answer(pledge, responses, n, &err));
	for (size_t i = 0; i < n; i++) {
		brski_http_free(&requests[i]);
		brski_http_free(&responses[i]);
	}
	return n > 0;
}

static struct brski_pledge *power_up(void)
{
	struct brski_pledge_config config = {
		.idevid = &world.idevid,
		.masa_anchors = world.masa_anchors,
		.key_type = BRSKI_KEY_P256,
		.clock_is_right = true,
		.storage = &memory.storage,
		.env = &env,
	};
	struct brski_pledge *pledge;

	EXPECT(BRSKI_OK, brski_pledge_new(&config, &pledge, &err));
	return pledge;
}

/* The device is switched on, visits the registrar, and is switched off. */
static struct visit visit(void)
{
	struct brski_registrar *registrar = brski_site_registrar(site);
	STACK_OF(X509) *chain = pki_certs(brski_registrar_credential(registrar), NULL);
	struct brski_registrar_session *session;
	struct brski_pledge *pledge = power_up();
	struct visit v = {0};

	EXPECT(BRSKI_OK, brski_registrar_peer(registrar, world.device_chain, &err));
	EXPECT(BRSKI_OK,
		brski_registrar_session_new(registrar, world.device_chain, "port 1", &session, &err));
	EXPECT(BRSKI_OK, brski_pledge_connected(pledge, chain, &err));
	for (unsigned flights = 0; fly(&v, pledge, session); flights++)
		ck_assert_uint_lt(flights, 10);
	v.state = brski_pledge_state(pledge);
	v.retry_after = brski_pledge_retry_after(pledge);
	v.enrolled = brski_registrar_session_enrolled(session);
	snprintf(v.reason, sizeof(v.reason), "%s", brski_pledge_reason(pledge));
	brski_registrar_session_free(session);
	brski_pledge_free(pledge);
	pki_free_certs(chain);
	return v;
}

/* Not before it may. */
static struct visit come_back(const struct visit *last)
{
	ck_assert_int_gt(last->retry_after, 0);
	ahead += last->retry_after + 1;
	return visit();
}

/* ---- What must be so in the end ---- */

static struct brski_store_job_totals totals(void)
{
	struct brski_store_job_totals t;

	EXPECT(BRSKI_OK, brski_store_job_totals(store, &t, &err));
	return t;
}

/* In the background, with no device there. */
static void wait_until_answered(void)
{
	for (int i = 0; i < 3000 && totals().waiting; i++)
		usleep(10000);
	ck_assert_uint_eq(totals().waiting, 0);
}

struct search {
	const char *what;
	bool ok;
	unsigned found;
};

static void look_at(void *ctx, const struct brski_store_event *event)
{
	struct search *s = ctx;

	ck_assert_str_eq(event->manufacturer, "acme");
	s->found += event->ok == s->ok && strcmp(event->what, s->what) == 0;
}

static void expect_event(const char *what, bool ok)
{
	struct search s = {.what = what, .ok = ok};

	each_event(store, SITE_SERIAL, 1000, look_at, &s);
	ck_assert_msg(s.found > 0, "no event %s, %s", what, ok ? "ok" : "not ok");
}

static void expect_device(const char *state)
{
	struct brski_store_device device;

	EXPECT(BRSKI_OK, brski_store_device_get(store, "acme", SITE_SERIAL, &device, &err));
	ck_assert_str_eq(device.state, state);
}

/* What the device holds is the one certificate that the CA has issued. */
static void expect_credential(void)
{
	struct brski_pledge_credential names;
	STACK_OF(X509) *certs = NULL;
	struct brski_buf pem = {0};

	ck_assert_msg(brski_pledge_credential(&memory.storage, &names, &err), "%s", err.why);
	EXPECT(BRSKI_OK, memory.storage.read(memory.storage.ctx, names.cert, &pem, &err));
	EXPECT(BRSKI_OK, brski_certs_from_pem(brski_buf_span(&pem), &certs, &err));
	ck_assert_uint_eq(world.n_issued, 1);
	ck_assert(brski_cert_equal(sk_X509_value(certs, 0), sk_X509_value(world.issued, 0)));
	pki_free_certs(certs);
	brski_buf_free(&pem);
}

static void expect_onboarded(const struct visit *v)
{
	static const char *const history[] = {"policy", "voucher-request", "voucher", "audit-log",
		"voucher-status", "cert-request", "certificate", "enroll-status"};

	ck_assert_msg(
		v->state == BRSKI_PLEDGE_ENROLLED, "%s: %s", brski_pledge_state_name(v->state), v->said);
	ck_assert(v->enrolled);
	expect_credential();
	for (size_t i = 0; i < sizeof(history) / sizeof(history[0]); i++)
		expect_event(history[i], true);
	expect_device("onboarded");
	ck_assert_uint_eq(totals().waiting, 0);
	ck_assert_uint_eq(totals().refused, 0);
}

/* ---- Tests ---- */

START_TEST(a_device_is_onboarded)
{
	struct visit v;

	expect_device("listed");
	start();
	v = visit();
	expect_onboarded(&v);
	ck_assert_str_eq(v.said, "requestvoucher 200 voucher_status 200 initialization 200 "
				 "initialization 200 enrollstatus 200");
	ck_assert_uint_eq(v.jobs, 3); /* voucher, certificate, confirmation */
	ck_assert_uint_eq(world.n_masa_calls, 1);
	ck_assert_uint_eq(world.n_audit_calls, 1);
	ck_assert_uint_eq(world.n_confirmed, 1);
}
END_TEST

START_TEST(the_masa_is_away_at_first)
{
	struct visit v;

	world.masa = MASA_DOWN;
	start();
	v = visit();
	ck_assert_str_eq(v.said, "requestvoucher 202");
	ck_assert_int_eq(v.state, BRSKI_PLEDGE_VOUCHER);
	expect_event("deferred", true);
	ck_assert_uint_eq(totals().waiting_by_kind[BRSKI_JOB_VOUCHER], 1);
	world.n_masa_calls = 0;
	world.masa = MASA_RIGHT;
	wait_until_answered();
	v = come_back(&v);
	expect_onboarded(&v);
	ck_assert_uint_eq(world.n_masa_calls, 1);
}
END_TEST

START_TEST(the_pki_is_away_at_first)
{
	struct visit v;

	world.ca = CA_DOWN;
	start();
	v = visit();
	/* ir gets ip with "waiting", pollReq gets pollRep: RFC 9483 4.4 */
	ck_assert_str_eq(
		v.said, "requestvoucher 200 voucher_status 200 initialization 200 initialization 200");
	ck_assert_int_eq(v.state, BRSKI_PLEDGE_POLL);
	ck_assert_uint_eq(totals().waiting_by_kind[BRSKI_JOB_CMP], 1);
	world.ca = CA_RIGHT;
	wait_until_answered();
	ck_assert_uint_eq(world.n_issued, 1);
	v = come_back(&v);
	expect_onboarded(&v);
	ck_assert_uint_eq(world.n_masa_calls, 1);
}
END_TEST

/* "MUST wait", RFC 8995 5.6; and nothing is lost by coming in vain. */
START_TEST(who_comes_too_early_asks_nothing)
{
	struct visit early, v;

	world.masa = MASA_DOWN;
	start();
	v = visit();
	world.masa = MASA_RIGHT;
	wait_until_answered();
	early = visit();
	ck_assert_str_eq(early.said, "");
	v = come_back(&early);
	expect_onboarded(&v);
}
END_TEST

static void restart(void)
{
	stop();
	ahead += 60; /* a request waits for some seconds after a call that failed */
	start();
}

/* A registrar that is stopped while a device waits takes the work up from its store. */
START_TEST(a_restart_loses_nothing)
{
	struct visit v;

	world.masa = MASA_DOWN;
	world.ca = CA_DOWN;
	start();
	v = visit();
	ck_assert_str_eq(v.said, "requestvoucher 202");
	ck_assert_uint_eq(totals().waiting_by_kind[BRSKI_JOB_VOUCHER], 1);
	world.masa = MASA_RIGHT;
	restart();
	wait_until_answered();
	v = come_back(&v);
	ck_assert_int_eq(v.state, BRSKI_PLEDGE_POLL);
	ck_assert_uint_eq(totals().waiting_by_kind[BRSKI_JOB_CMP], 1);
	world.ca = CA_RIGHT;
	restart();
	wait_until_answered();
	restart(); /* the answer, too */
	v = come_back(&v);
	expect_onboarded(&v);
}
END_TEST

START_TEST(a_refused_device_gets_403_and_no_job)
{
	unsigned held, running;
	struct visit v;

	EXPECT(BRSKI_OK, brski_store_device_remove(store, "acme", SITE_SERIAL, &err));
	start();
	v = visit();
	ck_assert_str_eq(v.said, "requestvoucher 403");
	ck_assert_int_eq(v.state, BRSKI_PLEDGE_FAILED);
	ck_assert_msg(strstr(v.reason, "may not join") != NULL, "%s", v.reason);
	ck_assert(!v.enrolled);
	ck_assert_uint_eq(v.jobs, 0);
	brski_worker_count(brski_site_worker(site), &held, &running);
	ck_assert_uint_eq(held + running, 0);
	ck_assert_uint_eq(totals().waiting + totals().done + totals().refused, 0);
	ck_assert_uint_eq(world.n_masa_calls + world.n_ca_calls, 0);
	expect_event("policy", false);
}
END_TEST

/*
 * A device that begins anew as fast as it is onboarded: the work that it makes in an hour is bounded,
 * after a restart too, and when the hour is over it may go on.
 */
START_TEST(a_device_is_not_served_without_end)
{
	struct visit v = {0};

	start();
	for (int i = 0; i < 14; i++) {
		memory_close(&memory);
		memory_open(&memory);
		if (i == 12) {
			stop();
			start();
		}
		v = visit();
	}
	ck_assert_uint_eq(world.n_masa_calls, 10);
	ck_assert_uint_eq(world.n_issued, 10);
	ck_assert_str_eq(v.said, "requestvoucher 503");
	ck_assert_int_gt(v.retry_after, 0);
	expect_event("voucher-request", false);
	ahead += 3600;
	v = visit();
	ck_assert_int_eq(v.state, BRSKI_PLEDGE_ENROLLED);
	ck_assert_uint_eq(world.n_issued, 11);
}
END_TEST

/* Not even for what waits in the store. */
START_TEST(check_only_makes_no_worker)
{
	const struct brski_site_config config = {.settings = &settings, .check_only = true, .env = &env};
	struct visit v;

	world.masa = MASA_DOWN;
	start();
	v = visit();
	ck_assert_str_eq(v.said, "requestvoucher 202");
	stop();
	world.n_masa_calls = 0;
	EXPECT(BRSKI_OK, brski_site_new(&config, &site, &err));
	ck_assert_ptr_nonnull(brski_site_registrar(site));
	ck_assert_ptr_null(brski_site_worker(site));
	usleep(300000);
	ck_assert_uint_eq(world.n_masa_calls, 0);
	ck_assert_uint_eq(totals().waiting, 1);
}
END_TEST

/* ---- Devices that only a hardwareModuleName tells apart ---- */

static void become_sensor(const char *serial)
{
	struct pki_spec spec = {.subject = "CN=Acme Sensor,O=Acme",
		.hw_type = "1.3.6.1.4.1.32473.17.2",
		.hw_serial = brski_span_str(serial)};

	pki_free(&world.idevid);
	pki_free_certs(world.device_chain);
	world.idevid = pki_make(&spec, &world.maker_ca);
	world.device_chain = pki_certs(&world.idevid, NULL);
	memory_close(&memory);
	memory_open(&memory);
	EXPECT(BRSKI_OK, brski_store_device_put(store, "acme", serial, "", &err));
}

START_TEST(sensors_have_names_of_their_own)
{
	static const char *const serials[] = {"HW-1", "HW-2"};
	struct brski_pledge_credential credential;
	char want[64];

	start();
	for (size_t i = 0; i < 2; i++) {
		struct visit v;

		become_sensor(serials[i]);
		v = visit();
		ck_assert_msg(v.enrolled, "%s: %s", v.said, v.reason);
		ck_assert_msg(brski_pledge_credential(&memory.storage, &credential, &err), "%s", err.why);
		snprintf(want, sizeof(want), "serialNumber=%s,O=Acme,CN=Acme Sensor", serials[i]);
		ck_assert_str_eq(credential.subject, want);
		ck_assert_str_eq(credential.identity, serials[i]);
	}
}
END_TEST

/* ---- HTTPS to the PKI ---- */

START_TEST(https_to_the_pki_leads_to_ca_file)
{
	struct visit v;

	site_web_ca_tls(&web, &world.domain_ca);
	site_set(&settings, "cmp_url", "HTTPS%s", strchr(web.cmp_url, ':'));
	start();
	v = visit();
	ck_assert_msg(v.enrolled, "%s", v.said);
	expect_credential();
	ck_assert_str_eq(web.ca_path, "/cmp");
}
END_TEST

/* RFC 9483 6.1, and for a PKI that knows no labels */
START_TEST(the_pki_is_asked_at_the_operations_label)
{
	char url[96];

	snprintf(url, sizeof(url), "http://127.0.0.1:%d/.well-known/cmp", web.ca.port);
	site_set(&settings, "cmp_url", "%s", url);
	start();
	ck_assert(visit().enrolled);
	ck_assert_str_eq(web.ca_path, "/.well-known/cmp/initialization");
	stop();
	site_set(&settings, "cmp_labels", "no");
	start();
	memory_close(&memory); /* the device is reset */
	memory_open(&memory);
	ck_assert(visit().enrolled);
	ck_assert_str_eq(web.ca_path, "/.well-known/cmp");
}
END_TEST

/* A PKI may have its TLS certificate from anywhere; the CMP messages are signed under ca_file. */
START_TEST(https_to_the_pki_has_anchors_of_its_own)
{
	STACK_OF(X509) *anchors = pki_certs(&world.foreign, NULL);
	struct search s = {.what = "certificate", .ok = false};
	char file[96];
	struct visit v;

	snprintf(file, sizeof(file), "%s/pki-tls.pem", folder);
	file_write_certs(file, anchors);
	site_web_ca_tls(&web, &world.foreign);
	site_set(&settings, "cmp_url", "%s", web.cmp_url);
	start();
	v = visit();
	ck_assert(!v.enrolled);
	each_event(store, SITE_SERIAL, 1000, look_at, &s);
	ck_assert_uint_gt(s.found, 0); /* no answer: the certificate does not verify */
	ck_assert_uint_eq(world.n_ca_calls, 0);
	stop();
	site_set(&settings, "cmp_tls_ca_file", "%s", file);
	start();
	wait_until_answered();
	v = come_back(&v);
	ck_assert_msg(v.enrolled, "%s", v.said);
	expect_credential();
	pki_free_certs(anchors);
}
END_TEST

START_TEST(a_credential_must_be_a_registrars)
{
	const struct brski_site_config config = {.settings = &settings, .env = &env};
	struct brski_credential plain = pki_make(
		&(struct pki_spec){.subject = "CN=Plain", .eku = "serverAuth,clientAuth"}, &world.domain_ca);

	site_write_files(&world, &plain, folder);
	EXPECT_WHY(BRSKI_UNTRUSTED, "cmcRA", brski_site_new(&config, &site, &err));
	ck_assert_ptr_nonnull(strstr(err.why, settings.certificate_file));
	ck_assert_ptr_null(site);
	site_write_files(&world, &world.foreign, folder);
	EXPECT_WHY(BRSKI_UNTRUSTED, "does not lead to ca_file", brski_site_new(&config, &site, &err));
	ck_assert_ptr_null(site);
	pki_free(&plain);
}
END_TEST

static void write_certs(const char *name, const STACK_OF(X509) *certs)
{
	char to[128];

	snprintf(to, sizeof(to), "%s/%s", folder, name);
	file_write_certs(to, certs);
}

START_TEST(hosts_of_audit_logs_are_hosts)
{
	const struct brski_site_config config = {.settings = &settings, .check_only = true, .env = &env};

	site_set(&settings, "masa_hosts", "logs.example, https://other.example/");
	EXPECT_WHY(BRSKI_MALFORMED, "masa_hosts: \"https://other.example/\" is no HOST or HOST:PORT",
		brski_site_new(&config, &site, &err));
	site_set(&settings, "masa_hosts", "logs.example, other.example:8443");
	EXPECT(BRSKI_OK, brski_site_new(&config, &site, &err));
}
END_TEST

/* What would fail with every device is refused before the first one comes. */
START_TEST(a_credential_must_fit_together)
{
	const struct brski_site_config config = {.settings = &settings, .check_only = true, .env = &env};
	STACK_OF(X509) *certs = pki_certs(&world.registrar_cred, NULL),
		       *other = pki_certs(&world.foreign, NULL);
	X509 *last = sk_X509_value(certs, sk_X509_num(certs) - 1);

	ck_assert_int_gt(sk_X509_num(certs), 1);
	ck_assert_int_eq(X509_add_cert(certs, last, X509_ADD_FLAG_UP_REF), 1);
	write_certs("cert.pem", certs);
	EXPECT_WHY(BRSKI_MALFORMED, "are the same one", brski_site_new(&config, &site, &err));
	ck_assert_ptr_nonnull(strstr(err.why, settings.certificate_file));
	X509_free(sk_X509_pop(certs));
	write_certs("cert.pem", certs);
	EXPECT(BRSKI_OK, brski_site_new(&config, &site, &err));
	stop();
	X509_free(sk_X509_pop(certs)); /* an intermediate */
	write_certs("cert.pem", certs);
	EXPECT_WHY(BRSKI_UNTRUSTED, "put the intermediates behind", brski_site_new(&config, &site, &err));
	write_certs("cert.pem", other);
	EXPECT_WHY(
		BRSKI_MISMATCH, "is not that of the first certificate", brski_site_new(&config, &site, &err));
	site_write_files(&world, &world.registrar_cred, folder);
	write_certs("ca.pem", other);
	EXPECT_WHY(BRSKI_UNTRUSTED, "does not lead to ca_file", brski_site_new(&config, &site, &err));
	ck_assert_ptr_null(site);
	pki_free_certs(other);
	pki_free_certs(certs);
}
END_TEST

static char log_text[2048];

static void keep_line(void *ctx, enum brski_level level, const char *line)
{
	size_t len = strlen(log_text);

	(void)ctx;
	(void)level;
	snprintf(log_text + len, sizeof(log_text) - len, "%s\n", line);
}

/* No reason not to start, since other users are served, too; but it is told. */
START_TEST(an_expired_certificate_is_told_at_start)
{
	const struct brski_env loud = {.now = now, .log = keep_line};
	const struct brski_site_config config = {.settings = &settings, .check_only = true, .env = &loud};

	EXPECT(BRSKI_OK, brski_site_new(&config, &site, &err));
	ck_assert_str_eq(log_text, "");
	stop();
	ahead = 3652L * 86400;
	EXPECT(BRSKI_OK, brski_site_new(&config, &site, &err));
	ck_assert_msg(strstr(log_text, "has expired; no device will trust it") != NULL, "%s", log_text);
}
END_TEST

/* Anchors that two have in an old database. */
START_TEST(equal_anchors_are_told_at_start)
{
	const struct brski_env loud = {.now = now, .log = keep_line};
	const struct brski_site_config config = {.settings = &settings, .check_only = true, .env = &loud};
	struct brski_store_manufacturer m;

	EXPECT(BRSKI_OK, brski_store_manufacturer_get(store, "acme", &m, &err));
	snprintf(m.name, sizeof(m.name), "twin");
	m.mode = BRSKI_MODE_OPEN;
	EXPECT(BRSKI_OK, brski_store_manufacturer_put(store, &m, &err));
	brski_store_manufacturer_free(&m);
	EXPECT(BRSKI_OK, brski_site_new(&config, &site, &err));
	ck_assert_msg(
		strstr(log_text, "manufacturers acme and twin have the same anchor") != NULL, "%s", log_text);
	ck_assert_ptr_nonnull(strstr(log_text, "'inventory' of acme"));
}
END_TEST

START_TEST(settings_are_checked)
{
	const struct brski_site_config config = {.settings = &settings, .env = &env};

	site_set(&settings, "cmp_url", "ftp://127.0.0.1/");
	EXPECT_WHY(BRSKI_UNSUPPORTED, "cmp_url", brski_site_new(&config, &site, &err));
	site_set(&settings, "cmp_url", "http://127.0.0.1:99999/");
	EXPECT_WHY(BRSKI_MALFORMED, "its port is no number", brski_site_new(&config, &site, &err));
	site_set(&settings, "cmp_url", "%s", web.cmp_url);
	site_set(&settings, "cmp_tls_ca_file", "%s/no-such.pem", folder);
	ck_assert_int_ne(brski_site_new(&config, &site, &err), BRSKI_OK);
	ck_assert_msg(strstr(err.why, "cmp_tls_ca_file") != NULL, "%s", err.why);
	site_set(&settings, "cmp_tls_ca_file", "%s", "");
	site_set(&settings, "cmp_signer_file", "%s/none.pem", folder);
	EXPECT_WHY(BRSKI_NOT_FOUND, "cmp_signer_file", brski_site_new(&config, &site, &err));
	site_set(&settings, "cmp_signer_file", "%s/ca.pem", folder);
	site_set(&settings, "database", "%s/no/such/folder/r.db", folder);
	ck_assert_int_ne(brski_site_new(&config, &site, &err), BRSKI_OK);
	ck_assert_msg(strstr(err.why, "/no/such/folder/r.db") != NULL, "%s", err.why);
	ck_assert_ptr_null(site);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_device_is_onboarded,
		the_masa_is_away_at_first,
		the_pki_is_away_at_first,
		who_comes_too_early_asks_nothing,
		a_restart_loses_nothing,
		a_device_is_not_served_without_end,
		a_refused_device_gets_403_and_no_job,
		check_only_makes_no_worker,
		hosts_of_audit_logs_are_hosts,
		sensors_have_names_of_their_own,
		https_to_the_pki_leads_to_ca_file,
		https_to_the_pki_has_anchors_of_its_own,
		the_pki_is_asked_at_the_operations_label,
		a_credential_must_be_a_registrars,
		a_credential_must_fit_together,
		an_expired_certificate_is_told_at_start,
		equal_anchors_are_told_at_start,
		settings_are_checked,
	};

	return run_tests("site", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
