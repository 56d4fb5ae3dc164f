/* SPDX-License-Identifier: BSD-3-Clause */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "eap_brski/artifacts/paths.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/plant.h"
#include "tests/unit/support/store_rows.h"

/*
 * The registrar's database fails at its n-th call, or the server is killed there, for every n of an
 * onboarding: nobody loses by it, and nobody gains. Ordinarily that is one kind of fault at every third
 * call, and at the first one of each statement; STORE_FAILS=all in the environment, as by `make
 * check-long`, makes it every kind at every call.
 */

#define CALLS_MAX 2048
#define KILLED 77
#define VISITS_MAX 12
#define VISITS_IN_VAIN 4
#define STRIDE 3

/* ---- What fails ---- */

enum fault_kind {
	COUNT,     /* nothing */
	FAIL,      /* the call is not made */
	FAIL_LATE, /* it is made, and the error comes all the same */
	FAIL_LONG, /* it is not made, nor any other until the device has gone */
	KILL,      /* the process ends instead of the call */
	KILL_LATE, /* ... after it */
};
static const char *const fault_names[] = {"count", "fail", "fail late", "fail long", "kill", "kill late"};

struct fault { /* all processes see it */
	enum fault_kind kind;
	int rc;
	unsigned at; /* counted from 1 */
	atomic_bool armed;
	atomic_uint calls;
	atomic_bool hit;
	atomic_bool silent;        /* a request got no response */
	atomic_bool false_success; /* a session was onboarded without a certificate */
	char statement[160];       /* that it hit */
	uint64_t texts[CALLS_MAX]; /* COUNT: each call's statement */
};
static struct fault *fault;
static struct plant plant;

static void find(const char *name, void *function)
{
	void *found = dlsym(RTLD_NEXT, name);

	if (!found)
		abort();
	memcpy(function, &found, sizeof(found));
}

static uint64_t digest(const char *text)
{
	uint64_t sum = 14695981039346656037u;

	while (*text)
		sum = (sum ^ (uint8_t)*text++) * 1099511628211u;
	return sum;
}

/* True: this call is to fail. */
static bool is_due(const char *text)
{
	unsigned n;

	if (!fault || !atomic_load(&fault->armed))
		return false;
	n = atomic_fetch_add(&fault->calls, 1) + 1;
	if (fault->kind == COUNT) {
		if (n <= CALLS_MAX)
			fault->texts[n - 1] = digest(text ? text : "");
		return false;
	}
	if (n < fault->at || (n > fault->at && fault->kind != FAIL_LONG))
		return false;
	if (n == fault->at)
		snprintf(fault->statement, sizeof(fault->statement), "%s", text ? text : "");
	atomic_store(&fault->hit, true);
	return true;
}

/*
 * The database's functions, in place of SQLite's own: those of them that carry something out. SQLite
 * calls them itself, too, and must not be lied to.
 */
static _Thread_local unsigned within;

/* `call` is made or not made; the value is its result. */
#define FAULTY(text, call) \
	({ \
		bool due_ = within == 0 && is_due(text); \
		int rc_; \
		if (due_ && fault->kind == KILL) \
			_exit(KILLED); \
		within++; \
		rc_ = due_ && fault->kind != FAIL_LATE && fault->kind != KILL_LATE ? fault->rc : (call); \
		within--; \
		if (due_ && fault->kind == KILL_LATE) \
			_exit(KILLED); \
		due_ ? fault->rc : rc_; \
	})

int sqlite3_step(sqlite3_stmt *statement)
{
	static int (*real)(sqlite3_stmt *);

	if (!real)
		find("sqlite3_step", &real);
	return FAULTY(sqlite3_sql(statement), real(statement));
}

int sqlite3_exec(
	sqlite3 *db, const char *text, int (*row)(void *, int, char **, char **), void *ctx, char **why)
{
	static __typeof__(&sqlite3_exec) real;

	if (!real)
		find("sqlite3_exec", &real);
	return FAULTY(text, real(db, text, row, ctx, why));
}

int sqlite3_prepare_v2(sqlite3 *db, const char *text, int len, sqlite3_stmt **out, const char **tail)
{
	static __typeof__(&sqlite3_prepare_v2) real;
	int rc;

	if (!real)
		find("sqlite3_prepare_v2", &real);
	within++;
	rc = real(db, text, len, out, tail);
	within--;
	return rc;
}

/* Processes are killed here, and no power fails: waiting for the disk would be for nothing. */
int fsync(int fd)
{
	(void)fd;
	return 0;
}

int fdatasync(int fd)
{
	(void)fd;
	return 0;
}

/* The database's clock is everybody's, so that leases run out while the device waits. */
int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	struct timespec t;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &t);
	out->tv_sec = plant.seen ? (time_t)atomic_load(&plant.seen->now) : t.tv_sec;
	out->tv_usec = t.tv_nsec / 1000;
	return 0;
}

static void arm(enum fault_kind kind, int rc, unsigned at)
{
	memset(fault, 0, sizeof(*fault));
	fault->kind = kind;
	fault->rc = rc;
	fault->at = at;
	atomic_store(&fault->armed, true);
}

static void disarm(void)
{
	atomic_store(&fault->armed, false);
}

static unsigned n_wrong;

/* All that is wrong is told, and not only the first of it. */
static void check(bool right, const char *what)
{
	if (right)
		return;
	n_wrong++;
	fprintf(stderr, "WRONG %s; %s, code %d, at call %u: %s\n", what, fault_names[fault->kind], fault->rc,
		fault->at, fault->statement);
}

#define CHECK(x) check(x, #x)

/* ---- Who comes, and what it must not be told ---- */

struct scenario {
	void (*round)(void);
	bool restarts; /* the server, after each visit */
};
static const struct scenario *scenario;
static bool refused; /* the device, by the policy */

static bool is_cmp_refusal(const struct brski_http *response)
{
	struct brski_cmp_response read = {0};
	struct brski_cmp msg = {0};
	struct brski_error err;
	bool refusal;

	if (!brski_http_is_type(response, BRSKI_MEDIA_CMP))
		return false;
	EXPECT(BRSKI_OK, brski_cmp_decode(brski_buf_span(&response->body), &msg, &err));
	EXPECT(BRSKI_OK, brski_cmp_response_read(&msg, &read, &err));
	refusal = read.status == BRSKI_CMP_REJECTION; /* an error message may say "waiting", too */
	brski_cmp_response_free(&read);
	brski_cmp_free(&msg);
	return refusal;
}

static void check_response(const struct brski_http *request, const struct brski_http *response)
{
	bool refusal = response->status == 403 || is_cmp_refusal(response);
	bool good = response->status == 200 && !refusal;

	if (getenv("PLANT_LOG"))
		fprintf(stderr, "  %s: %u%s %.*s\n", request->path, response->status,
			refusal ? ", refused" : "", response->status == 200 ? 0 : (int)response->body.len,
			(const char *)response->body.data);
	CHECK(response->status == 200 || response->status == 202 || response->status == 503 || refusal);
	CHECK(!refusal || refused);
	if (good && strcmp(request->path, BRSKI_PATH_REQUESTVOUCHER) == 0)
		CHECK(!refused && atomic_load(&plant.seen->vouchers) == 1 &&
			atomic_load(&plant.seen->logs) == 1);
	if (good && strcmp(request->path, BRSKI_PATH_ENROLLSTATUS) == 0 && !refused)
		CHECK(atomic_load(&plant.seen->certificates) == 1);
}

/* ---- A server in this process ---- */

static struct plant_server server;

static bool answer(void *ctx, const struct brski_http *request, struct brski_http *response)
{
	struct plant_tunnel *tunnel = ctx;
	struct brski_error err = {0};
	bool answered = plant_ask(tunnel, request, response, &err);

	if (!answered) {
		fprintf(stderr, "%s: no response: %s\n", request->path, err.why);
		atomic_store(&fault->silent, true);
	}
	if (brski_registrar_session_enrolled(tunnel->session) &&
		(refused || atomic_load(&plant.seen->certificates) == 0))
		atomic_store(&fault->false_success, true);
	return answered;
}

static bool ask_here(void *ctx, const struct brski_http *request, struct brski_http *response)
{
	bool answered = answer(ctx, request, response);

	if (answered)
		check_response(request, response);
	return answered;
}

static enum brski_pledge_state visit_here(long *told)
{
	enum brski_pledge_state state = BRSKI_PLEDGE_START;
	struct plant_tunnel tunnel;
	struct brski_error err = {0};

	*told = 5;
	if (!server.store && !plant_serve(&plant, &server, &err))
		return state;
	if (plant_connect(&server, &tunnel, &err)) {
		state = plant_visit(&plant, ask_here, &tunnel, told);
		plant_disconnect(&tunnel);
	} else if (getenv("PLANT_LOG")) {
		fprintf(stderr, "  no tunnel: %s\n", err.why);
	}
	if (scenario->restarts)
		plant_serve_end(&server);
	else
		usleep(20000); /* what the worker puts off is tried again */
	return state;
}

/* ---- A server in another process ---- */

static bool ask_there(void *ctx, const struct brski_http *request, struct brski_http *response)
{
	bool answered = plant_child_ask(ctx, request, response);

	if (answered)
		check_response(request, response);
	return answered;
}

static enum brski_pledge_state visit_there(long *told)
{
	enum brski_pledge_state state;
	struct plant_child child;
	int status;

	plant_child(&plant, answer, &child);
	state = plant_visit(&plant, ask_there, &child, told);
	status = plant_child_end(&child);
	CHECK(status == (atomic_load(&fault->hit) ? KILLED : 0));
	return state;
}

static bool kills(void)
{
	return fault->kind == KILL || fault->kind == KILL_LATE;
}

static enum brski_pledge_state visit(void)
{
	enum brski_pledge_state state;
	long told;

	state = kills() && atomic_load(&fault->armed) ? visit_there(&told) : visit_here(&told);
	if (atomic_load(&fault->hit))
		disarm();
	plant_wait(&plant, told + 2);
	return state;
}

/* ---- What must be true in the end ---- */

static void check_event(void *ctx, const struct brski_store_event *e)
{
	bool *bad = ctx;
	bool false_yes = refused && e->ok &&
			 (strcmp(e->what, "certificate") == 0 || strcmp(e->what, "enroll-status") == 0);
	bool false_no = !refused && !e->ok && strcmp(e->what, "deferred") != 0 &&
			!strstr(e->detail, "has no answer yet: 202");

	if (!false_yes && !false_no)
		return;
	fprintf(stderr, "history: %s %s: %s\n", e->what, e->ok ? "ok" : "not ok", e->detail);
	*bad = true;
}

static void check_history(void)
{
	struct brski_store *store;
	struct brski_error err;
	bool bad = false;

	EXPECT(BRSKI_OK, brski_store_open(plant.database, false, &store, &err));
	each_event(store, NULL, 1000, check_event, &bad);
	brski_store_close(store);
	CHECK(!bad);
}

static void check_onboarded(enum brski_pledge_state state)
{
	const struct plant_seen *seen = plant.seen;

	CHECK(state == BRSKI_PLEDGE_ENROLLED);
	CHECK(plant.n_failures == 0);
	if (plant.n_failures)
		fprintf(stderr, "the device gave up: %s\n", plant.failure);
	CHECK(atomic_load(&seen->vouchers) == 1);
	CHECK(atomic_load(&seen->enrollments) == 1);
	CHECK(atomic_load(&seen->certificates) == 1);
	CHECK(atomic_load(&seen->confirmations) == 1);
}

static void check_kept_out(enum brski_pledge_state state)
{
	CHECK(state != BRSKI_PLEDGE_ENROLLED);
	CHECK(atomic_load(&plant.seen->certificates) == 0);
	CHECK(atomic_load(&plant.seen->confirmations) == 0);
	if (plant.not_in_the_inventory)
		CHECK(atomic_load(&plant.seen->vouchers) == 0);
	CHECK(plant.n_failures > 0); /* it has been told in the end */
}

static void check_all(enum brski_pledge_state state)
{
	disarm();
	CHECK(!atomic_load(&fault->silent));
	CHECK(!atomic_load(&fault->false_success));
	if (refused)
		check_kept_out(state);
	else
		check_onboarded(state);
	check_history();
}

/* Until nothing more is to do for it; one that is refused comes again and again. */
static void come(void)
{
	enum brski_pledge_state state = BRSKI_PLEDGE_START;
	unsigned most = refused ? VISITS_IN_VAIN : VISITS_MAX;

	for (unsigned i = 0; i < most && state != BRSKI_PLEDGE_ENROLLED; i++)
		state = visit();
	check_all(state);
}

/* ---- Each n ---- */

static unsigned n_rounds, n_hits;

static void once(enum fault_kind kind, int rc, unsigned at)
{
	plant_begin(&plant);
	refused = plant.not_in_the_inventory;
	arm(kind, rc, at);
	scenario->round();
	n_rounds++;
	n_hits += kind == COUNT || atomic_load(&fault->hit);
	plant_serve_end(&server);
	plant_end(&plant);
}

static bool takes_all(void)
{
	const char *which = getenv("STORE_FAILS");

	return which && strcmp(which, "all") == 0;
}

static bool is_first(const uint64_t *texts, unsigned i)
{
	for (unsigned k = 0; k < i; k++)
		if (texts[k] == texts[i])
			return false;
	return true;
}

static const struct {
	enum fault_kind kind;
	int rc;
} faults[] = {
	{FAIL, SQLITE_IOERR},
	{KILL, 0},
	{FAIL_LATE, SQLITE_IOERR},
	{FAIL_LONG, SQLITE_FULL},
	{KILL_LATE, 0},
	{FAIL, SQLITE_BUSY},
	{FAIL_LONG, SQLITE_NOMEM},
};
#define FAULTS (sizeof(faults) / sizeof(faults[0]))

static void fail_at(unsigned at, bool all)
{
	for (size_t k = 0; k < FAULTS; k++)
		if (all || k == at % FAULTS)
			once(faults[k].kind, faults[k].rc, at);
}

static void fail_at_each(const struct scenario *s)
{
	uint64_t texts[CALLS_MAX];
	unsigned n;

	scenario = s;
	once(COUNT, 0, 0);
	n = atomic_load(&fault->calls);
	ck_assert_uint_gt(n, 10);
	ck_assert_uint_lt(n, CALLS_MAX);
	memcpy(texts, fault->texts, sizeof(texts));
	if (getenv("PLANT_LOG"))
		fprintf(stderr, "%u calls\n", n);
	for (unsigned i = 0; i < n; i++)
		if (takes_all() || is_first(texts, i) || i % STRIDE == 0)
			fail_at(i + 1, takes_all());
	/* the worker has a thread of its own, so not every round makes as many calls */
	ck_assert_msg(n_hits + n_rounds / 20 >= n_rounds, "%u hits in %u rounds", n_hits, n_rounds);
	ck_assert_msg(n_wrong == 0, "%u things are wrong, see above", n_wrong);
}

static void setup(void)
{
	fault = mmap(NULL, sizeof(*fault), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (fault == MAP_FAILED)
		abort();
	plant_open(&plant);
}

static void teardown(void)
{
	plant_close(&plant);
	munmap(fault, sizeof(*fault));
	fault = NULL;
}

/* ---- Tests ---- */

START_TEST(a_device_that_is_onboarded_at_once)
{
	fail_at_each(&(struct scenario){.round = come});
}
END_TEST

START_TEST(a_device_that_must_wait)
{
	plant.pkcs10 = true;
	plant.masa_waits = 1;
	plant.site.ca = CA_WAITS;
	plant.site.ca_polls = 1;
	fail_at_each(&(struct scenario){.round = come, .restarts = true});
}
END_TEST

/* ---- Import: the server has no way to MASA and PKI ---- */

static struct brski_bundle requests, answers;
static struct {
	enum brski_import_outcome outcome;
	char why[320];
	unsigned n;
} told;

static void keep_told(
	void *ctx, const struct brski_bundle_item *item, enum brski_import_outcome outcome, const char *why)
{
	(void)ctx;
	(void)item;
	told.outcome = outcome;
	told.n++;
	snprintf(told.why, sizeof(told.why), "%s", why);
	if (getenv("PLANT_LOG"))
		fprintf(stderr, "  import: outcome %d %s\n", (int)outcome, why);
}

/* A command of the operator's: a process that opens the database, does one thing and ends. */
typedef enum brski_code command(struct brski_exchange *x, struct brski_error *err);

static enum brski_code export(struct brski_exchange *x, struct brski_error *err) {
	unsigned held;

	brski_bundle_free(&requests);
	return brski_exchange_export(x, &requests, &held, err);
}

static enum brski_code import(struct brski_exchange *x, struct brski_error *err)
{
	told.n = 0;
	return brski_exchange_import(x, &answers, keep_told, NULL, err);
}

static enum brski_code run_here(command *act)
{
	enum brski_code code = BRSKI_UNAVAILABLE;
	struct plant_server beside;
	struct brski_exchange *x;
	struct brski_error err = {0};

	if (!plant_serve(&plant, &beside, &err))
		return code;
	if (plant_exchange(&beside, &x, &err)) {
		code = act(x, &err);
		brski_exchange_free(x);
	}
	plant_serve_end(&beside);
	return code;
}

/* Where the fault is to come, if it has not been. */
static enum brski_code run_faulty(command *act)
{
	enum brski_code code = BRSKI_UNAVAILABLE;
	pid_t child;
	int status;

	atomic_store(&fault->armed, !atomic_load(&fault->hit));
	if (!kills() || !atomic_load(&fault->armed)) {
		code = run_here(act);
	} else {
		child = fork();
		CHECK(child >= 0);
		if (child == 0) {
			(void)run_here(act);
			_exit(0);
		}
		CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
		CHECK(WEXITSTATUS(status) == (atomic_load(&fault->hit) ? KILLED : 0));
	}
	disarm();
	return code;
}

/* What it said is true, and what it did not do can be done. */
static void import_again(void)
{
	enum brski_code code = run_faulty(import);

	if (code == BRSKI_OK && told.n) {
		CHECK(told.outcome == BRSKI_IMPORT_ANSWERED || told.outcome == BRSKI_IMPORT_REPEATED ||
			(told.outcome == BRSKI_IMPORT_WRONG && strstr(told.why, "database")));
		if (told.outcome != BRSKI_IMPORT_WRONG) {
			CHECK(run_here(import) == BRSKI_OK);
			CHECK(told.outcome == BRSKI_IMPORT_REPEATED);
		}
	}
	CHECK(run_here(import) == BRSKI_OK);
	CHECK(told.n == 1);
	CHECK(told.outcome == BRSKI_IMPORT_ANSWERED || told.outcome == BRSKI_IMPORT_REPEATED);
}

static void come_by_file(void)
{
	enum brski_pledge_state state = BRSKI_PLEDGE_START;

	disarm();
	for (unsigned i = 0; i < VISITS_MAX && state != BRSKI_PLEDGE_ENROLLED; i++) {
		state = visit();
		if (state == BRSKI_PLEDGE_ENROLLED)
			break;
		if (run_faulty(export) != BRSKI_OK)
			CHECK(run_here(export) == BRSKI_OK);
		if (requests.n_items > 0) {
			plant_carry(&plant, &requests, &answers);
			import_again();
			brski_bundle_free(&answers);
		}
		brski_bundle_free(&requests);
	}
	check_all(state);
}

START_TEST(a_device_whose_answers_are_imported)
{
	plant.offline = true;
	fail_at_each(&(struct scenario){.round = come_by_file, .restarts = true});
}
END_TEST

/* ---- Refused while its request waits ---- */

static void come_when_refused(void)
{
	enum fault_kind kind = fault->kind;
	struct brski_store *store;
	struct brski_error err;

	disarm();
	atomic_store(&plant.seen->ca_down, true);
	plant.retry_ms = 100000; /* no call is under way when it has gone */
	(void)visit();
	plant.retry_ms = 1;
	plant_serve_end(&server);
	EXPECT(BRSKI_OK, brski_store_open(plant.database, false, &store, &err));
	EXPECT(BRSKI_OK, brski_store_candidate_refuse(store, "acme", SITE_SERIAL, "", &err));
	brski_store_close(store);
	atomic_store(&plant.seen->ca_down, false);
	refused = true;
	arm(kind, fault->rc, fault->at);
	come();
}

START_TEST(a_device_that_is_refused_while_it_waits)
{
	fail_at_each(&(struct scenario){.round = come_when_refused, .restarts = true});
}
END_TEST

START_TEST(a_device_that_is_not_wanted)
{
	plant.not_in_the_inventory = true;
	fail_at_each(&(struct scenario){.round = come});
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_device_that_is_onboarded_at_once,
		a_device_that_must_wait,
		a_device_whose_answers_are_imported,
		a_device_that_is_not_wanted,
		a_device_that_is_refused_while_it_waits,
	};

	return run_tests("store fails", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
