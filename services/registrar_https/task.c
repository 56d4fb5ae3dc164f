/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eap_brski/transport/http_reply.h"
#include "services/base/clock.h"
#include "services/registrar_https/door_internal.h"

/* Where no back end is waited for, a thread and the disk are still. */
#define BUSY_MIN_MS 2000

static long busy_ms(const struct door *door)
{
	return door->config->wait * 1000 > BUSY_MIN_MS ? door->config->wait * 1000 : BUSY_MIN_MS;
}

/* ---- The end ---- */

void task_free(struct task *t)
{
	*t->link = t->next;
	if (t->next)
		t->next->link = t->link;
	brski_ticket_release(t->ticket);
	if (t->timer)
		event_free(t->timer);
	brski_http_free(&t->response);
	free(t);
}

/* Leaves the loop if this was the last one that it was kept for. */
void task_look_for_the_end(struct door *door)
{
	const struct timeval linger = {.tv_usec = 200000}; /* answers under way go out */

	if (door->stopping && !door->tasks)
		event_base_loopexit(door->base, &linger);
}

static void reply(struct task *t)
{
	struct door *door = t->door;
	struct http_exchange *exchange = t->exchange;
	struct brski_http response = {0};
	struct brski_error err;
	char note[VISITOR_NOTE_MAX];

	memcpy(note, t->note, sizeof(note));
	if (t->visitor && visitor_has_session(t->visitor))
		http_exchange_vouch(exchange);
	brski_http_move(&response, &t->response);
	task_free(t);
	/* RFC 8995 5.2: behind 401 an on-path attacker may be at the other end */
	if ((door->stopping || response.status == 401) &&
		brski_http_set(&response, "connection", "close", &err) != BRSKI_OK)
		brski_log(door->env, BRSKI_LOG_WARN, "%s", err.why);
	http_exchange_reply(exchange, &response, note);
	task_look_for_the_end(door);
}

/* Nothing is wrong with the device: it comes back. Without memory for the words, the status is all. */
static void set_put_off(struct task *t, const char *why)
{
	struct brski_error err;

	snprintf(t->note, sizeof(t->note), "%s", why);
	if (brski_http_reply_later(&t->response, 503, t->door->place.retry_after, "come back later", &err) !=
		BRSKI_OK)
		t->response.status = 503;
}

static void put_off(struct task *t, const char *why)
{
	set_put_off(t, why);
	reply(t);
}

/* ---- In a thread of the pool ---- */

/* What the answer rests on; it is not sent before that is kept. */
static void finish_work(struct task *t, enum brski_code code, const struct brski_error *err)
{
	t->has_mark = visitor_has_session(t->visitor);
	if (t->has_mark)
		t->mark = brski_store_mark(brski_site_store(t->door->site));
	if (code == BRSKI_OK)
		visitor_describe(t->visitor, &t->response, t->note);
	else
		set_put_off(t, err->why);
}

/* In the board's thread, which is locked. */
static void on_moved(void *ctx)
{
	struct task *t = ctx;

	mailbox_put_moved(&t->door->mailbox, t);
}

static enum brski_code take_job(struct task *t, struct brski_job *job, struct brski_error *err)
{
	t->ticket = brski_worker_submit(brski_site_worker(t->door->site), job, on_moved, t);
	return t->ticket ? BRSKI_OK : brski_fail(err, BRSKI_NO_MEMORY, "no memory for a job");
}

static void run_request(struct pool_work *work)
{
	struct task *t = (struct task *)work;
	struct brski_error err = {0};
	struct brski_job *job = NULL;
	enum brski_code code;

	if (brski_now_ms() > t->begun_ms + busy_ms(t->door)) {
		set_put_off(t, "busy: no thread was free for it in time");
	} else {
		code = visitor_request(t->visitor, http_exchange_chain(t->exchange),
			http_exchange_request(t->exchange), &t->response, &job, &err);
		if (code == BRSKI_OK && job)
			code = take_job(t, job, &err);
		if (!t->ticket)
			finish_work(t, code, &err);
	}
	mailbox_put_done(&t->door->mailbox, t);
}

static void run_leave(struct pool_work *work)
{
	struct task *t = (struct task *)work;
	struct brski_error err = {0};
	enum brski_code code;

	code = visitor_leave_job(t->visitor, brski_ticket_lock(t->ticket), &t->response, &err);
	brski_ticket_unlock(t->ticket);
	brski_ticket_release(t->ticket);
	t->ticket = NULL;
	finish_work(t, code, &err);
	mailbox_put_done(&t->door->mailbox, t);
}

/* ---- A back end ---- */

static void leave_job(struct task *t)
{
	t->stage = TASK_AT_WORK;
	t->work.run = run_leave;
	pool_put(t->door->pool, &t->work);
}

/* False: its back end is away, or asks for more time than there is. */
static bool is_worth_waiting(const struct task *t, long pause_ms)
{
	char trouble[320];

	brski_ticket_trouble(t->ticket, trouble);
	return trouble[0] == '\0' && brski_now_ms() + pause_ms < t->until_ms;
}

static void on_time(evutil_socket_t fd, short what, void *arg);

/* Without memory for that it is over at once. */
static void wait_until(struct task *t, enum task_stage stage)
{
	int64_t ms = t->until_ms - brski_now_ms();
	struct timeval in = {0};

	if (ms > 0)
		in = (struct timeval){.tv_sec = (time_t)(ms / 1000), .tv_usec = ms % 1000 * 1000};
	t->stage = stage;
	if (evtimer_add(t->timer, &in) != 0)
		on_time(-1, EV_TIMEOUT, t);
}

static void at_job(struct task *t)
{
	long pause = 0;

	if (brski_ticket_look(t->ticket, &pause) != BRSKI_PROGRESS_FINISHED && !t->door->stopping &&
		is_worth_waiting(t, pause))
		wait_until(t, TASK_AT_JOB);
	else
		leave_job(t);
}

void task_moved(struct task *t)
{
	if (t->stage == TASK_AT_JOB)
		at_job(t);
}

void task_hurry(struct task *t)
{
	if (t->stage == TASK_AT_JOB)
		leave_job(t);
}

/* ---- The disk ---- */

static enum brski_kept is_kept(struct task *t)
{
	struct brski_error why;
	enum brski_kept kept;

	if (!t->has_mark)
		return BRSKI_KEPT;
	kept = brski_store_kept(brski_site_store(t->door->site), t->mark, &why);
	if (kept == BRSKI_NOT_KEPT)
		brski_log(t->door->env, BRSKI_LOG_DEBUG, "an answer is not given: %s", why.why);
	return kept;
}

static void at_disk(struct task *t)
{
	switch (is_kept(t)) {
	case BRSKI_KEPT:
		reply(t);
		break;
	case BRSKI_NOT_YET_KEPT:
		if (t->stage != TASK_AT_DISK)
			t->until_ms = brski_now_ms() + busy_ms(t->door);
		wait_until(t, TASK_AT_DISK);
		break;
	case BRSKI_NOT_KEPT:
		put_off(t, "busy: what it was to be told is not on the disk");
		break;
	}
}

void task_kept(struct task *t)
{
	if (t->stage == TASK_AT_DISK)
		at_disk(t);
}

void task_done(struct task *t)
{
	if (t->ticket)
		at_job(t);
	else
		at_disk(t);
}

/* ---- Time ---- */

static void on_time(evutil_socket_t fd, short what, void *arg)
{
	struct task *t = arg;

	(void)fd;
	(void)what;
	if (t->stage == TASK_AT_JOB)
		leave_job(t);
	else if (t->stage == TASK_AT_DISK)
		put_off(t, "busy: what it was to be told was not on the disk in time");
}

/* ---- The beginning ---- */

/* Of its connection. NULL: no memory. */
static struct visitor *visitor_of(struct door *door, struct http_exchange *exchange)
{
	void **data = http_exchange_data(exchange);
	struct visitor *v = *data;
	struct brski_error err;

	if (v || visitor_new(&door->place, http_exchange_peer(exchange), &v, &err) != BRSKI_OK)
		return v;
	*data = v;
	atomic_fetch_add(&door->n_visitors, 1);
	return v;
}

void task_connection_closed(void *ctx, void *data)
{
	struct door *door = ctx;

	visitor_free(data);
	atomic_fetch_sub(&door->n_visitors, 1);
}

static struct task *task_new(struct door *door, struct http_exchange *exchange)
{
	struct task *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->door = door;
	t->exchange = exchange;
	t->begun_ms = brski_now_ms();
	t->until_ms = t->begun_ms + door->config->wait * 1000;
	t->work.run = run_request;
	t->next = door->tasks;
	t->link = &door->tasks;
	if (t->next)
		t->next->link = &t->next;
	door->tasks = t;
	t->timer = evtimer_new(door->base, on_time, t);
	t->visitor = visitor_of(door, exchange);
	return t;
}

static void turn_away(struct door *door, struct http_exchange *exchange, const char *why)
{
	struct brski_http response = {0};
	struct brski_error err;

	if (brski_http_reply_later(&response, 503, door->place.retry_after, "come back later", &err) !=
			BRSKI_OK ||
		brski_http_set(&response, "connection", "close", &err) != BRSKI_OK)
		response.status = 503;
	http_exchange_reply(exchange, &response, why);
}

void task_begin(void *ctx, struct http_exchange *exchange)
{
	struct door *door = ctx;
	struct task *t;

	if (door->stopping) {
		turn_away(door, exchange, "stopping");
		return;
	}
	t = task_new(door, exchange);
	if (!t)
		turn_away(door, exchange, "no memory for a request");
	else if (!t->timer || !t->visitor)
		put_off(t, "no memory for a request");
	else if (!pool_offer(door->pool, &t->work))
		put_off(t, "busy: too many requests wait for a thread");
}
