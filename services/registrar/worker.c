/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "eap_brski/transport/http_follow.h"
#include "services/base/clock.h"
#include "services/registrar/call.h"

#define RETRY_MIN_MS 5000
#define RETRY_MAX_MS 300000
#define SCAN_MS 60000
#define CALLS_MAX 512        /* at once, to all back ends */
#define CALLS_PER_ORIGIN 256 /* at once, to one: a back end that is slow shall not take every place */
#define HELD_MAX 1000        /* waiting jobs taken from the store into memory */
#define STEPS_MAX 16         /* calls of one job without a pause */
#define WAKE_MS 2000         /* a visit of the pledge brings a retry forward, but not sooner than this */
#define BUCKETS 512

/*
 * jobs->lock guards everything here but `job`, which has a lock of its own, held while an answer is
 * worked on. The I/O thread alone changes jobs, so that it reads them without that lock. Neither
 * lock is ever taken while the other is held.
 */
struct brski_ticket {
	struct brski_ticket *bucket;      /* next of the same hash */
	struct brski_ticket *next, *prev; /* in order of arrival */
	struct brski_worker *jobs;
	pthread_mutex_t job_lock;
	pthread_cond_t changed;
	struct brski_job *job;
	char key[BRSKI_FINGERPRINT_MAX];
	char origin[BRSKI_URL_MAX + 64]; /* of the call under way */
	char trouble[320];
	enum brski_progress progress;
	bool calling;
	bool told;     /* the pause was asked for by the back end */
	bool fresh;    /* new in memory: not compared with the store yet */
	int64_t due;   /* ms: when the next call may be made */
	int64_t ended; /* ms: when the last one ended */
	unsigned failures;
	unsigned steps;
	unsigned shares;
};

struct brski_worker {
	struct brski_worker_config config;
	struct http_client *client; /* the thread's, but for waking it */
	pthread_t thread;
	bool started;
	atomic_bool stop;
	pthread_mutex_t lock;
	struct brski_ticket *buckets[BUCKETS];
	struct brski_ticket *first, *last;
	unsigned held, running;
	int64_t next_scan;
};

static struct brski_ticket **bucket_of(struct brski_worker *jobs, const char *key)
{
	unsigned hash = 0;

	for (size_t i = 0; i < 8 && key[i]; i++) /* it is a SHA-256 in hexadecimal */
		hash = hash * 31 + (unsigned char)key[i];
	return &jobs->buckets[hash % BUCKETS];
}

static struct brski_ticket *find(struct brski_worker *jobs, const char *key)
{
	struct brski_ticket *t = *bucket_of(jobs, key);

	while (t && strcmp(t->key, key) != 0)
		t = t->bucket;
	return t;
}

static struct brski_ticket *ticket_new(struct brski_worker *jobs, struct brski_job *job)
{
	struct brski_ticket *t = calloc(1, sizeof(*t));
	pthread_condattr_t attr;

	if (!t)
		return NULL;
	t->jobs = jobs;
	t->job = job;
	snprintf(t->key, sizeof(t->key), "%s", brski_job_key(job));
	pthread_mutex_init(&t->job_lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&t->changed, &attr);
	pthread_condattr_destroy(&attr);
	return t;
}

static void ticket_free(struct brski_ticket *t)
{
	brski_job_free(t->job);
	pthread_cond_destroy(&t->changed);
	pthread_mutex_destroy(&t->job_lock);
	free(t);
}

static void link_ticket(struct brski_worker *jobs, struct brski_ticket *t)
{
	struct brski_ticket **b = bucket_of(jobs, t->key);

	t->bucket = *b;
	*b = t;
	t->prev = jobs->last;
	if (jobs->last)
		jobs->last->next = t;
	else
		jobs->first = t;
	jobs->last = t;
	jobs->held++;
}

static void unlink_ticket(struct brski_worker *jobs, struct brski_ticket *t)
{
	struct brski_ticket **b = bucket_of(jobs, t->key);

	while (*b != t)
		b = &(*b)->bucket;
	*b = t->bucket;
	*(t->prev ? &t->prev->next : &jobs->first) = t->next;
	*(t->next ? &t->next->prev : &jobs->last) = t->prev;
	jobs->held--;
}

/* Nobody's any more: finished, no session at it, and the I/O thread has let go of it. With the lock held. */
static void drop_if_over(struct brski_worker *jobs, struct brski_ticket *t)
{
	if (t->shares || t->calling || t->progress != BRSKI_PROGRESS_FINISHED)
		return;
	unlink_ticket(jobs, t);
	ticket_free(t);
}

/* The one function that changes progress. With the lock held. */
static void set_progress(struct brski_ticket *t, enum brski_progress progress, long pause_ms)
{
	t->progress = progress;
	t->due = brski_now_ms() + pause_ms;
	pthread_cond_broadcast(&t->changed);
}

/* ---- Sessions' side ---- */

/*
 * A pledge that comes back is a reason to try again before the pause is over, unless the back end
 * asked for the pause.
 */
static void wake(struct brski_ticket *t)
{
	if (t->progress != BRSKI_PROGRESS_PAUSED || t->told || brski_now_ms() - t->ended < WAKE_MS)
		return;
	t->trouble[0] = '\0';
	set_progress(t, BRSKI_PROGRESS_RUNNING, 0);
}

struct brski_ticket *brski_worker_submit(struct brski_worker *jobs, struct brski_job *job)
{
	struct brski_ticket *t;

	pthread_mutex_lock(&jobs->lock);
	t = find(jobs, brski_job_key(job));
	if (t) {
		brski_job_free(job);
		wake(t);
	} else {
		t = ticket_new(jobs, job);
		if (!t) {
			brski_job_free(job);
			pthread_mutex_unlock(&jobs->lock);
			return NULL;
		}
		t->fresh = true;
		link_ticket(jobs, t);
		set_progress(t, BRSKI_PROGRESS_RUNNING, 0);
	}
	t->shares++;
	pthread_mutex_unlock(&jobs->lock);
	http_client_wake(jobs->client);
	return t;
}

void brski_ticket_release(struct brski_ticket *t)
{
	struct brski_worker *jobs;

	if (!t)
		return;
	jobs = t->jobs;
	pthread_mutex_lock(&jobs->lock);
	t->shares--;
	drop_if_over(jobs, t);
	pthread_mutex_unlock(&jobs->lock);
}

enum brski_progress brski_ticket_wait(struct brski_ticket *t, long ms, long *pause_ms)
{
	struct timespec until;
	enum brski_progress progress;
	int64_t end = brski_now_ms() + ms;

	until.tv_sec = (time_t)(end / 1000);
	until.tv_nsec = (long)(end % 1000) * 1000000;
	pthread_mutex_lock(&t->jobs->lock);
	while (t->progress == BRSKI_PROGRESS_RUNNING)
		if (pthread_cond_timedwait(&t->changed, &t->jobs->lock, &until) == ETIMEDOUT)
			break;
	progress = t->progress;
	end = t->due - brski_now_ms();
	pthread_mutex_unlock(&t->jobs->lock);
	if (pause_ms)
		*pause_ms = progress == BRSKI_PROGRESS_PAUSED && end > 0 ? (long)end : 0;
	return progress;
}

const struct brski_job *brski_ticket_lock(struct brski_ticket *t)
{
	pthread_mutex_lock(&t->job_lock);
	return t->job;
}

void brski_ticket_unlock(struct brski_ticket *t)
{
	pthread_mutex_unlock(&t->job_lock);
}

void brski_ticket_trouble(struct brski_ticket *t, char why[320])
{
	pthread_mutex_lock(&t->jobs->lock);
	snprintf(why, 320, "%s", t->trouble);
	pthread_mutex_unlock(&t->jobs->lock);
}

void brski_worker_count(struct brski_worker *jobs, unsigned *held, unsigned *running)
{
	pthread_mutex_lock(&jobs->lock);
	*held = jobs->held;
	*running = jobs->running;
	pthread_mutex_unlock(&jobs->lock);
}

/* ---- The I/O thread's side ---- */

/* 5 s, 10 s, 20 s ... and up to a quarter more, so that a thousand jobs do not come back in one second. */
static long back_off(struct brski_worker *jobs, unsigned failures)
{
	long pause = jobs->config.retry_min_ms;
	uint8_t r = 0;

	for (unsigned i = 1; i < failures && pause < jobs->config.retry_max_ms; i++)
		pause *= 2;
	if (pause > jobs->config.retry_max_ms)
		pause = jobs->config.retry_max_ms;
	if (brski_random(jobs->config.env, &r, 1, NULL) != BRSKI_OK)
		r = 0;
	return pause + pause * r / 1024;
}

static void pause_failed(struct brski_ticket *t, const char *why)
{
	struct brski_worker *jobs = t->jobs;

	pthread_mutex_lock(&jobs->lock);
	snprintf(t->trouble, sizeof(t->trouble), "%s", why);
	t->failures++;
	t->steps = 0;
	t->told = false;
	t->ended = brski_now_ms();
	set_progress(t, BRSKI_PROGRESS_PAUSED, back_off(jobs, t->failures));
	pthread_mutex_unlock(&jobs->lock);
}

/* After an answer: what next? With the job read by this thread only, no job_lock is needed to look at it. */
static void settle(struct brski_ticket *t)
{
	struct brski_worker *jobs = t->jobs;
	enum brski_job_state state = brski_job_state(t->job);
	long wait = state == BRSKI_JOB_WAITING ? brski_job_not_before(t->job) : 0;

	pthread_mutex_lock(&jobs->lock);
	t->failures = 0;
	t->trouble[0] = '\0';
	t->ended = brski_now_ms();
	t->told = wait > 0;
	if (state != BRSKI_JOB_WAITING)
		set_progress(t, BRSKI_PROGRESS_FINISHED, 0);
	else if (wait > 0)
		set_progress(t, BRSKI_PROGRESS_PAUSED, wait * 1000);
	else if (++t->steps >= STEPS_MAX)
		set_progress(t, BRSKI_PROGRESS_PAUSED, jobs->config.retry_max_ms);
	else
		set_progress(t, BRSKI_PROGRESS_RUNNING, 0);
	if (wait > 0)
		t->steps = 0;
	pthread_mutex_unlock(&jobs->lock);
}

static enum brski_code feed(
	struct brski_ticket *t, const struct brski_http *answer, const char *why, struct brski_error *err)
{
	enum brski_code code;

	pthread_mutex_lock(&t->job_lock);
	code = brski_job_answer(t->job, answer, why, err);
	pthread_mutex_unlock(&t->job_lock);
	return code;
}

static const char *back_end(const struct brski_ticket *t)
{
	struct brski_call call = {0};

	return brski_job_call(t->job, &call) && call.kind == BRSKI_JOB_CMP ? "PKI" : "MASA";
}

/* The registrar's history has it already, so the log gets it for debugging only. */
static void on_silence(struct brski_ticket *t, const char *why)
{
	struct brski_error text = {0};

	brski_fail(&text, BRSKI_UNAVAILABLE, "%s %s: %s", back_end(t), t->origin, why);
	brski_log(t->jobs->config.env, BRSKI_LOG_DEBUG, "%s", text.why);
	pause_failed(t, text.why);
}

/* An answer that the job cannot keep is no answer: the store, not the back end, is in trouble. */
static void digest(struct brski_ticket *t, const struct brski_http *answer, const char *why)
{
	struct brski_error err = {0};

	if (feed(t, answer, answer ? NULL : why, &err) != BRSKI_OK) {
		brski_log(t->jobs->config.env, BRSKI_LOG_ERROR, "%s %s: %s", back_end(t), t->origin, err.why);
		pause_failed(t, err.why);
	} else if (!answer && brski_job_state(t->job) == BRSKI_JOB_WAITING) {
		on_silence(t, why);
	} else {
		settle(t);
	}
}

/* The I/O thread is through with it for now. */
static void let_go(struct brski_ticket *t)
{
	struct brski_worker *jobs = t->jobs;

	pthread_mutex_lock(&jobs->lock);
	t->calling = false;
	jobs->running--;
	drop_if_over(jobs, t);
	pthread_mutex_unlock(&jobs->lock);
}

static void on_done(void *ctx, const struct brski_http *answer, const char *why)
{
	digest(ctx, answer, why);
	let_go(ctx);
}

/*
 * A session may have read the job from the store just before its answer was put there, or `brskictl
 * import` may have brought one: then the answer counts, and nothing is asked twice.
 */
static void compare_with_store(struct brski_ticket *t)
{
	struct brski_store_job kept;
	struct brski_job *job = NULL;
	struct brski_error err;

	if (brski_store_job_get(t->jobs->config.store, t->key, &kept, NULL) != BRSKI_OK)
		return;
	if (kept.state != BRSKI_JOB_WAITING && brski_job_load(t->jobs->config.registrar,
						       brski_buf_span(&kept.blob), &job, &err) == BRSKI_OK) {
		pthread_mutex_lock(&t->job_lock);
		brski_job_free(t->job);
		t->job = job;
		pthread_mutex_unlock(&t->job_lock);
	}
	brski_store_job_free(&kept);
}

/* True if the job has nothing to call now: it is finished, or must wait since an earlier answer said so. */
static bool nothing_to_call(struct brski_ticket *t)
{
	compare_with_store(t);
	if (brski_job_state(t->job) == BRSKI_JOB_WAITING && (!t->fresh || brski_job_not_before(t->job) <= 0))
		return false;
	settle(t);
	return true;
}

static void start(struct brski_ticket *t)
{
	struct brski_call call = {0};
	struct brski_error err = {0};
	bool nothing = nothing_to_call(t);

	t->fresh = false;
	if (!nothing && !brski_job_call(t->job, &call)) {
		pause_failed(t, "the request has nothing to ask and no answer");
		nothing = true;
	}
	if (nothing) {
		let_go(t);
		return;
	}
	if (brski_call_start(t->jobs->client, &call, on_done, t, &err) != BRSKI_OK)
		on_done(t, NULL, err.why);
}

/* "https://masa.example:9443", for counting and for the log. */
static void set_origin(struct brski_ticket *t)
{
	struct brski_call call = {0};

	t->origin[0] = '\0';
	if (brski_job_call(t->job, &call))
		snprintf(
			t->origin, sizeof(t->origin), "%.*s", (int)brski_http_origin_len(call.url), call.url);
}

static bool is_full(const struct brski_worker *jobs, const char *origin)
{
	unsigned n = 0;

	if (jobs->running < CALLS_PER_ORIGIN)
		return false;
	for (const struct brski_ticket *t = jobs->first; t; t = t->next)
		n += t->calling && strcmp(t->origin, origin) == 0;
	return n >= CALLS_PER_ORIGIN;
}

/*
 * The first that may call now and has a place. One origin at most is full while there are places,
 * and it is counted once: thousands may wait for it. With the lock held.
 */
static struct brski_ticket *find_due(struct brski_worker *jobs)
{
	const char *full = NULL;
	int64_t now = brski_now_ms();

	if (jobs->running >= CALLS_MAX)
		return NULL;
	for (struct brski_ticket *t = jobs->first; t; t = t->next) {
		if (t->calling || t->progress == BRSKI_PROGRESS_FINISHED || t->due > now)
			continue;
		set_origin(t);
		if (full && strcmp(t->origin, full) == 0)
			continue;
		if (!is_full(jobs, t->origin))
			return t;
		full = t->origin;
	}
	return NULL;
}

/* The next one that may call now, in order of arrival; taken. */
static struct brski_ticket *take_due(struct brski_worker *jobs)
{
	struct brski_ticket *t;

	pthread_mutex_lock(&jobs->lock);
	t = find_due(jobs);
	if (t) {
		t->calling = true;
		t->trouble[0] = '\0';
		jobs->running++;
		set_progress(t, BRSKI_PROGRESS_RUNNING, 0);
	}
	pthread_mutex_unlock(&jobs->lock);
	return t;
}

/* Milliseconds until the next pause is over. */
static long next_due(struct brski_worker *jobs)
{
	int64_t next = jobs->next_scan, now = brski_now_ms();

	pthread_mutex_lock(&jobs->lock);
	for (const struct brski_ticket *t = jobs->first; t; t = t->next)
		if (t->progress == BRSKI_PROGRESS_PAUSED && t->due < next)
			next = t->due;
	pthread_mutex_unlock(&jobs->lock);
	return next > now ? (long)(next - now) : 0;
}

/* ---- The store: what waits there, from before a restart or because memory was full ---- */

struct found {
	struct brski_worker *jobs;
	struct brski_store_job rows[HELD_MAX];
	unsigned n;
};

static void on_row(void *ctx, struct brski_store_job *row)
{
	struct found *found = ctx;
	bool held;

	pthread_mutex_lock(&found->jobs->lock);
	held = find(found->jobs, row->key) != NULL;
	pthread_mutex_unlock(&found->jobs->lock);
	if (held || found->n >= HELD_MAX)
		return;
	found->rows[found->n] = *row;
	found->rows[found->n].blob = (struct brski_buf){0};
	brski_buf_move(&found->rows[found->n].blob, &row->blob);
	found->n++;
}

/* Unless a session was quicker. */
static void adopt(struct brski_worker *jobs, const struct brski_store_job *row)
{
	struct brski_error err = {0};
	struct brski_job *job = NULL;
	struct brski_ticket *t = NULL;

	if (brski_job_load(jobs->config.registrar, brski_buf_span(&row->blob), &job, &err) != BRSKI_OK) {
		brski_log(jobs->config.env, BRSKI_LOG_ERROR,
			"the stored request %s of %s is not to be read: %s", row->key, row->serial_number,
			err.why);
		return;
	}
	pthread_mutex_lock(&jobs->lock);
	if (jobs->held < HELD_MAX && !find(jobs, row->key))
		t = ticket_new(jobs, job);
	if (t) {
		t->fresh = true;
		link_ticket(jobs, t);
		set_progress(t, BRSKI_PROGRESS_RUNNING, 0);
	}
	pthread_mutex_unlock(&jobs->lock);
	if (!t)
		brski_job_free(job);
}

static void scan(struct brski_worker *jobs)
{
	struct found *found = calloc(1, sizeof(*found));
	struct brski_error err = {0};

	jobs->next_scan = brski_now_ms() + jobs->config.scan_ms;
	if (!found)
		return;
	found->jobs = jobs;
	if (brski_store_jobs(jobs->config.store, BRSKI_JOB_WAITING, HELD_MAX, on_row, found, &err) !=
		BRSKI_OK)
		brski_log(jobs->config.env, BRSKI_LOG_ERROR, "waiting requests are not to be read: %s",
			err.why);
	for (unsigned i = 0; i < found->n; i++) {
		adopt(jobs, &found->rows[i]);
		brski_store_job_free(&found->rows[i]);
	}
	if (found->n)
		brski_log(jobs->config.env, BRSKI_LOG_INFO, "%u waiting requests taken up from the store",
			found->n);
	free(found);
}

/* ---- The thread ---- */

/* What is due now. Milliseconds until something else is. */
static long look_around(struct brski_worker *jobs)
{
	struct brski_ticket *t;

	if (brski_now_ms() >= jobs->next_scan) {
		if (jobs->next_scan && jobs->config.housekeeping)
			jobs->config.housekeeping(jobs->config.housekeeping_ctx);
		scan(jobs);
	}
	while ((t = take_due(jobs)))
		start(t);
	return next_due(jobs);
}

static void *work(void *arg)
{
	struct brski_worker *jobs = arg;

	while (!atomic_load(&jobs->stop))
		http_client_run(jobs->client, look_around(jobs));
	return NULL;
}

static enum brski_code start_thread(struct brski_worker *jobs, struct brski_error *err)
{
	sigset_t all, before;
	int rc;

	/* The server's signals are for its own threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&jobs->thread, NULL, work, jobs);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0)
		return brski_fail(err, BRSKI_INTERNAL, "no thread for upstream calls: %s", strerror(rc));
	jobs->started = true;
	return BRSKI_OK;
}

/* ---- Making and ending ---- */

static void set_defaults(struct brski_worker_config *config)
{
	if (!config->retry_min_ms)
		config->retry_min_ms = RETRY_MIN_MS;
	if (!config->retry_max_ms)
		config->retry_max_ms = RETRY_MAX_MS;
	if (!config->scan_ms)
		config->scan_ms = SCAN_MS;
}

enum brski_code brski_worker_new(
	const struct brski_worker_config *config, struct brski_worker **out, struct brski_error *err)
{
	struct http_client_config client = {
		.connect_timeout_ms = config->connect_timeout_ms,
		.request_timeout_ms = config->request_timeout_ms,
		.response_max = config->response_max,
		.proxy = config->proxy,
	};
	struct brski_worker *jobs;
	enum brski_code code;

	*out = NULL;
	jobs = calloc(1, sizeof(*jobs));
	if (!jobs)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for jobs");
	jobs->config = *config;
	set_defaults(&jobs->config);
	pthread_mutex_init(&jobs->lock, NULL);
	code = http_client_new(&client, &jobs->client, err);
	if (code == BRSKI_OK)
		code = start_thread(jobs, err);
	if (code != BRSKI_OK) {
		brski_worker_free(jobs);
		return code;
	}
	*out = jobs;
	return BRSKI_OK;
}

void brski_worker_stop(struct brski_worker *jobs)
{
	if (!jobs || !jobs->started)
		return;
	atomic_store(&jobs->stop, true);
	http_client_wake(jobs->client);
	pthread_join(jobs->thread, NULL);
	jobs->started = false;
}

void brski_worker_free(struct brski_worker *jobs)
{
	struct brski_ticket *t;

	if (!jobs)
		return;
	brski_worker_stop(jobs);
	http_client_free(jobs->client);
	while ((t = jobs->first)) {
		unlink_ticket(jobs, t);
		ticket_free(t);
	}
	pthread_mutex_destroy(&jobs->lock);
	free(jobs);
}
