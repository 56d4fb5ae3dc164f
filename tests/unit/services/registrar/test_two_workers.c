/* SPDX-License-Identifier: BSD-3-Clause */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "services/base/clock.h"
#include "services/registrar/policy.h"
#include "services/registrar/worker.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/site_settings.h"
#include "tests/unit/support/site_web.h"
#include "tests/unit/support/visit.h"

/*
 * Two servers at one database: processes of their own, each with store, registrar and worker. The test
 * is MASA and CA for both, over HTTP.
 */

#define MUST(x) \
	do { \
		if (!(x)) { \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x); \
			abort(); \
		} \
	} while (0)

#define VOUCHERS 10 /* a store keeps the last 16 of one device */
#define REQUESTS (2 * VOUCHERS)
#define PATIENCE_MS 12000
#define ELSEWHERE "elsewhere/0/0/1/1/0" /* a server that nobody here can tell of */

static struct site site;
static char folder[64], database[128];

/* ---- What devices send: vouchers' requests, then CMP's ---- */

static struct brski_buf requests[REQUESTS];

static bool is_voucher(unsigned i)
{
	return i < VOUCHERS;
}

/* No server is needed for that, so both processes have the same octets. */
static void make_requests(void)
{
	struct visit v = {.site = &site};

	for (unsigned i = 0; i < REQUESTS; i++) {
		if (is_voucher(i)) {
			visit_make_voucher_request(&v);
		} else {
			brski_cmp_transaction_free(&v.tx);
			visit_make_enroll(&v, &site.idevid, false);
		}
		brski_buf_move(&requests[i], &v.request);
	}
	brski_cmp_transaction_free(&v.tx);
	EVP_PKEY_free(v.key);
}

/* The status; 0: there is a job in v->job. */
static unsigned send_request(struct visit *v, unsigned i)
{
	visit_open(v, &site);
	return visit_send(v, "POST", is_voucher(i) ? PATH_VOUCHER : PATH_INITIALIZATION,
		is_voucher(i) ? BRSKI_MEDIA_VOUCHER : BRSKI_MEDIA_CMP, brski_buf_span(&requests[i]));
}

/* ---- A registrar on the database: in each of the servers, and in the test ---- */

struct registrar {
	struct brski_store *store;
	struct brski_policy *policy;
};

static void registrar_open(struct registrar *r)
{
	struct brski_error err = {0};

	MUST(brski_store_open(database, true, &r->store, &err) == BRSKI_OK);
	MUST(brski_policy_new(r->store, NULL, &r->policy, &err) == BRSKI_OK);
	site.config.ops = brski_policy_ops();
	site.config.ops_ctx = r->policy;
	site.config.env = NULL;
	site_restart(&site);
}

static void registrar_close(struct registrar *r)
{
	brski_registrar_free(site.registrar);
	site.registrar = NULL;
	brski_policy_free(r->policy);
	brski_store_close(r->store);
}

/* ---- A server ---- */

struct server {
	pid_t pid;
	int to, from;
};

static struct server servers[2];

struct order {
	char cmp_url[64];
	unsigned first, n; /* the requests that devices send here */
};

static void expect_answer(struct visit *v, struct brski_ticket *t)
{
	struct brski_error err = {0};
	int64_t end = brski_now_ms() + PATIENCE_MS;

	while (brski_ticket_look(t, NULL) != BRSKI_PROGRESS_FINISHED) {
		MUST(brski_now_ms() < end);
		usleep(2000);
	}
	MUST(brski_registrar_resume(v->session, brski_ticket_lock(t), &v->response, &err) == BRSKI_OK);
	brski_ticket_unlock(t);
	brski_ticket_release(t);
	MUST(v->response.status == 200);
}

/* All of them at once, as from many devices. Says when they are all here, and each that is answered. */
static void receive(struct brski_worker *worker, const struct order *order, int out)
{
	struct visit visits[REQUESTS];
	struct brski_ticket *tickets[REQUESTS] = {0};

	for (unsigned i = 0; i < order->n; i++) {
		unsigned status = send_request(&visits[i], order->first + i);

		MUST(status == 0 || status == 200);
		if (status == 0) {
			tickets[i] = brski_worker_submit(worker, visits[i].job, NULL, NULL);
			visits[i].job = NULL;
			MUST(tickets[i]);
		}
	}
	MUST(write(out, "r", 1) == 1);
	for (unsigned i = 0; i < order->n; i++) {
		if (tickets[i])
			expect_answer(&visits[i], tickets[i]);
		visit_close(&visits[i]);
		MUST(write(out, "d", 1) == 1);
	}
}

static void serve(int in, int out)
{
	struct brski_worker_config config = {.retry_min_ms = 100, .retry_max_ms = 1000, .scan_ms = 20};
	struct brski_worker *worker;
	struct registrar registrar;
	struct brski_error err = {0};
	struct order order;
	char end;

	if (read(in, &order, sizeof(order)) != sizeof(order))
		return;
	site.config.cmp_url = order.cmp_url;
	registrar_open(&registrar);
	config.registrar = site.registrar;
	config.store = registrar.store;
	MUST(brski_worker_new(&config, &worker, &err) == BRSKI_OK);
	receive(worker, &order, out);
	MUST(read(in, &end, 1) == 0);
	brski_worker_free(worker);
	registrar_close(&registrar);
}

/* Before this process has any thread or database. */
static struct server server_start(void)
{
	struct server server;
	int to[2], from[2];

	MUST(pipe(to) == 0 && pipe(from) == 0);
	server.pid = fork();
	MUST(server.pid >= 0);
	if (server.pid == 0) {
		close(to[1]);
		close(from[0]);
		if (servers[0].pid) /* the end of that one is the test's alone to say */
			close(servers[0].to);
		serve(to[0], from[1]);
		_exit(0);
	}
	close(to[0]);
	close(from[1]);
	server.to = to[1];
	server.from = from[0];
	return server;
}

static void server_go(const struct server *server, unsigned first, unsigned n)
{
	struct order order = {.first = first, .n = n};

	snprintf(order.cmp_url, sizeof(order.cmp_url), "%s", site.config.cmp_url);
	ck_assert_int_eq(write(server->to, &order, sizeof(order)), sizeof(order));
}

static void server_says(const struct server *server, char what, unsigned times)
{
	struct pollfd p = {.fd = server->from, .events = POLLIN};
	char c;

	for (unsigned i = 0; i < times; i++) {
		ck_assert_int_eq(poll(&p, 1, PATIENCE_MS), 1);
		ck_assert_int_eq(read(server->from, &c, 1), 1);
		ck_assert_int_eq(c, what);
	}
}

static int server_end(struct server *server)
{
	int status;

	close(server->to);
	ck_assert_int_eq(waitpid(server->pid, &status, 0), server->pid);
	close(server->from);
	server->pid = 0;
	return status;
}

/* ---- MASA and CA ---- */

/* One for each path and body: what a server that asks again must repeat. */
struct call {
	uint8_t digest[32];
	unsigned under_way, most, times;
};

static struct site_web web;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct call calls[4 * REQUESTS]; /* these four: by the lock */
static unsigned n_calls, n_under_way;
static unsigned era; /* counted up when a server is killed: what it asked is not under way any more */
static bool hanging;
static unsigned era_of[2][WEB_CONNECTIONS_MAX + 1]; /* by CA or MASA and connection, whose call is one */

/* With the lock held. */
static struct call *call_of(const struct web_request *request)
{
	uint8_t digest[32];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	MUST(ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
		EVP_DigestUpdate(ctx, request->http.path, strlen(request->http.path)) == 1 &&
		EVP_DigestUpdate(ctx, request->http.body.data, request->http.body.len) == 1 &&
		EVP_DigestFinal_ex(ctx, digest, NULL) == 1);
	EVP_MD_CTX_free(ctx);
	for (unsigned i = 0; i < n_calls; i++)
		if (memcmp(calls[i].digest, digest, sizeof(digest)) == 0)
			return &calls[i];
	MUST(n_calls < sizeof(calls) / sizeof(calls[0]));
	memcpy(calls[n_calls].digest, digest, sizeof(digest));
	return &calls[n_calls++];
}

static void on_arrived(const struct web *to, const struct web_request *request)
{
	bool to_masa = to == &web.masa;
	struct call *call;

	pthread_mutex_lock(&lock);
	call = call_of(request);
	call->times++;
	call->under_way++;
	if (call->under_way > call->most)
		call->most = call->under_way;
	n_under_way++;
	era_of[to_masa][request->connection] = era;
	pthread_mutex_unlock(&lock);
}

/* A call takes its time, so that another server could make it, too. */
static void on_leaving(const struct web *to, const struct web_request *request)
{
	bool to_masa = to == &web.masa;
	struct call *call;

	usleep(30000);
	pthread_mutex_lock(&lock);
	while (hanging && era_of[to_masa][request->connection] == era)
		pthread_cond_wait(&changed, &lock);
	if (era_of[to_masa][request->connection] == era) {
		call = call_of(request);
		call->under_way--;
		n_under_way--;
	}
	pthread_mutex_unlock(&lock);
}

static void hang(bool on)
{
	pthread_mutex_lock(&lock);
	hanging = on;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

/* Whoever has asked is no more. */
static void drop_calls(void)
{
	pthread_mutex_lock(&lock);
	era++;
	n_under_way = 0;
	for (unsigned i = 0; i < n_calls; i++)
		calls[i].under_way = 0;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static void wait_for_calls(unsigned n)
{
	bool there = false;

	for (int64_t end = brski_now_ms() + PATIENCE_MS; !there && brski_now_ms() < end; usleep(2000)) {
		pthread_mutex_lock(&lock);
		there = n_under_way == n;
		pthread_mutex_unlock(&lock);
	}
	ck_assert_msg(there, "%u calls are under way, not %u", n_under_way, n);
}

/* Never two at one time; and how often in all, by the first times and by those that follow on them. */
static void check_calls(unsigned n_first, unsigned times_first, unsigned n_all)
{
	ck_assert_uint_eq(n_calls, n_all);
	for (unsigned i = 0; i < n_calls; i++) {
		ck_assert_uint_eq(calls[i].most, 1);
		ck_assert_uint_eq(calls[i].times, i < n_first ? times_first : 1);
	}
}

/* ---- The test's own registrar ---- */

static struct registrar own;

/* CMP is for devices that have had a voucher. */
static void give_voucher(void)
{
	struct visit v;

	visit_open(&v, &site);
	ck_assert_uint_eq(visit_voucher(&v), 200);
	visit_close(&v);
}

/* These wait in the store, and no device is here for them. */
static void store_requests(unsigned first, unsigned n)
{
	struct visit v;

	for (unsigned i = first; i < first + n; i++) {
		ck_assert_uint_eq(send_request(&v, i), 0);
		visit_close(&v);
	}
}

static unsigned count(enum brski_job_state state)
{
	struct brski_store_job_totals totals;
	struct brski_error err;

	EXPECT(BRSKI_OK, brski_store_job_totals(own.store, &totals, &err));
	return state == BRSKI_JOB_WAITING ? totals.waiting
	       : state == BRSKI_JOB_DONE  ? totals.done
					  : totals.refused;
}

static void wait_until_done(unsigned n)
{
	for (int64_t end = brski_now_ms() + PATIENCE_MS; count(BRSKI_JOB_DONE) < n && brski_now_ms() < end;
		usleep(10000))
		;
	ck_assert_uint_eq(count(BRSKI_JOB_DONE), n);
	ck_assert_uint_eq(count(BRSKI_JOB_WAITING), 0);
	ck_assert_uint_eq(count(BRSKI_JOB_REFUSED), 0);
}

static void setup(void)
{
	site_open(&site, "P-256");
	site.env.now = NULL;
	make_requests();
	temp_make(folder);
	snprintf(database, sizeof(database), "%s/db", folder);
	servers[0] = server_start();
	servers[1] = server_start();
	site_web_start(&web, &site);
	web.masa.arrived = web.ca.arrived = on_arrived;
	web.masa.leaving = web.ca.leaving = on_leaving;
	registrar_open(&own);
	site_put_acme(own.store, &site, BRSKI_MODE_MANUFACTURER, true);
	give_voucher();
}

static void teardown(void)
{
	for (unsigned i = 0; i < 2; i++)
		if (servers[i].pid)
			ck_assert_int_eq(server_end(&servers[i]), 0);
	hang(false);
	site_web_stop(&web);
	registrar_close(&own);
	for (unsigned i = 0; i < REQUESTS; i++)
		brski_buf_free(&requests[i]);
	temp_remove(folder);
	site_close(&site);
}

/* A voucher and its audit log, or a certificate: each was asked for once, whoever did it. */
static void check_work_of(unsigned n_vouchers, unsigned n_certificates)
{
	check_calls(0, 1, 2 * n_vouchers + n_certificates);
	wait_until_done(1 + n_vouchers + n_certificates);
}

/* Both take up what waits in the store. */
START_TEST(what_waits_is_done_by_one)
{
	store_requests(0, REQUESTS);
	for (unsigned i = 0; i < 2; i++)
		server_go(&servers[i], 0, 0);
	wait_until_done(1 + REQUESTS);
	check_work_of(VOUCHERS, VOUCHERS);
}
END_TEST

/* The same devices come to both with the same requests, and each gets its answer at both. */
START_TEST(what_comes_to_both_is_done_by_one)
{
	for (unsigned i = 0; i < 2; i++)
		server_go(&servers[i], 0, REQUESTS);
	for (unsigned i = 0; i < 2; i++) {
		server_says(&servers[i], 'r', 1);
		server_says(&servers[i], 'd', REQUESTS);
	}
	check_work_of(VOUCHERS, VOUCHERS);
}
END_TEST

/* A lease of another host's, which is not there to say that it was killed: it must run out. */
static unsigned lease_elsewhere(enum brski_job_kind kind, unsigned seconds)
{
	const struct brski_store_job_filter waiting = {.state = BRSKI_JOB_WAITING};
	struct brski_store_job rows[REQUESTS], row;
	struct brski_store_place place = {0};
	struct brski_error err;
	unsigned n, leased = 0;

	EXPECT(BRSKI_OK, brski_store_jobs_page(own.store, &waiting, &place, rows, REQUESTS, &n, &err));
	for (unsigned i = 0; i < n; i++) {
		ck_assert_str_ne(rows[i].lease_owner, "");
		if (rows[i].kind == kind) {
			EXPECT(BRSKI_OK, brski_store_job_release(
						 own.store, rows[i].key, rows[i].lease_owner, 0, &err));
			EXPECT(BRSKI_OK, brski_store_job_lease(
						 own.store, rows[i].key, ELSEWHERE, seconds, &row, &err));
			brski_store_job_free(&row);
			leased++;
		}
		brski_store_job_free(&rows[i]);
	}
	return leased;
}

/*
 * The one that makes the calls is killed while they hang: the other one makes them, with the same
 * octets, as soon as nobody has their lease. Meanwhile it makes none.
 */
START_TEST(what_a_killed_one_began_is_done_by_the_other)
{
	int64_t killed;

	store_requests(0, REQUESTS);
	hang(true);
	server_go(&servers[0], 0, 0);
	wait_for_calls(REQUESTS);
	server_go(&servers[1], 0, REQUESTS);
	server_says(&servers[1], 'r', 1);
	usleep(300000);
	check_calls(0, 1, REQUESTS);
	ck_assert_uint_eq(lease_elsewhere(BRSKI_JOB_CMP, 2), VOUCHERS);
	killed = brski_now_ms();
	kill(servers[0].pid, SIGKILL);
	ck_assert(WIFSIGNALED(server_end(&servers[0])));
	drop_calls();
	hang(false);
	server_says(&servers[1], 'd', REQUESTS);
	wait_until_done(1 + REQUESTS);
	ck_assert_int_ge(brski_now_ms() - killed, 2000);
	check_calls(REQUESTS, 2, REQUESTS + VOUCHERS);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {what_waits_is_done_by_one, what_comes_to_both_is_done_by_one,
		what_a_killed_one_began_is_done_by_the_other};

	return run_tests("two_workers", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
