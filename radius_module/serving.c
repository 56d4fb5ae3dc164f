/* SPDX-License-Identifier: BSD-3-Clause */
#include "radius_module/serving.h"

#include <string.h>

#include "services/base/clock.h"

#define ROOM_MIN 2 /* threads that may wait, however few may work */
/* Where no back end is waited for, a thread and the disk are still. */
#define BUSY_TOTAL_MIN_MS 2000
/* A peer may give up after fifty short packets in a row, whatever they are for. */
#define IN_A_ROW_MAX 45
/* By so much a clock that is not ours may run ahead within one Wait. */
#define EARLY_MS 20

struct step {
	struct brski_serving *w;
	struct brski_serving_place *place;
	struct brski_serving_step *out;
};

void brski_serving_place_init(struct brski_serving_place *place, unsigned busy_threads)
{
	unsigned places = busy_threads ? busy_threads : brski_gate_default();

	place->room.threads = 0;
	place->room.most = places > ROOM_MIN ? places : ROOM_MIN;
	brski_gate_init(&place->gate, places, &place->room);
}

long brski_serving_busy_total(const struct brski_serving_place *place)
{
	return place->total_ms > BUSY_TOTAL_MIN_MS ? place->total_ms : BUSY_TOTAL_MIN_MS;
}

void brski_serving_place_destroy(struct brski_serving_place *place)
{
	brski_gate_destroy(&place->gate);
}

void brski_serving_init(struct brski_serving *serving)
{
	*serving = (struct brski_serving){0};
	brski_wait_init(&serving->wait);
}

void brski_serving_end(struct brski_serving *serving, struct brski_serving_place *place)
{
	brski_wait_end(&serving->wait);
	/* one that has not come as far as to a device says nothing of what a session costs */
	if (serving->eap && brski_server_device(serving->eap))
		brski_gate_learn(&place->gate, serving->spent_us);
	brski_server_session_free(serving->eap);
	serving->eap = NULL;
}

void brski_serving_destroy(struct brski_serving *serving, struct brski_serving_place *place)
{
	brski_serving_end(serving, place);
	brski_wait_destroy(&serving->wait);
}

/* ---- What the peer hears meanwhile ---- */

static enum brski_code send_wait(struct step *s, unsigned wait_ms)
{
	s->w->waits_in_a_row++;
	s->out->wait_ms = wait_ms;
	s->out->result = BRSKI_SERVER_SEND;
	return brski_server_wait(s->w->eap, wait_ms, &s->out->reply, &s->out->err);
}

static enum brski_code put_off(struct step *s, enum brski_busy busy)
{
	s->out->busy = busy;
	s->out->result = BRSKI_SERVER_FAILURE;
	return BRSKI_OK;
}

/* Up to a third less: those who came at one time shall not all come again at one time. */
static unsigned spread(const struct brski_serving *w, unsigned wait_ms)
{
	unsigned share = (unsigned)((w->ticket * 157 + w->patience.waits * 101) % 256);

	return wait_ms - wait_ms * share / (3 * 256);
}

/* The same question again. False: there is no patience left for it. */
static bool wait_again(struct step *s, enum brski_code *code)
{
	struct brski_serving *w = s->w;
	long total_ms = brski_serving_busy_total(s->place);
	unsigned wait_ms;

	if (!w->is_patient)
		brski_patience_begin(&w->patience);
	w->is_patient = true;
	if (w->waits_in_a_row >= IN_A_ROW_MAX || !brski_patience_has(&w->patience, 0, total_ms))
		return false;
	wait_ms = spread(w, brski_patience_next(&w->patience, total_ms));
	w->not_before = brski_now_ms() + wait_ms;
	*code = send_wait(s, wait_ms);
	return true;
}

/* Who acknowledges a Wait too soon has not waited, and goes before nobody: it waits for the rest. */
static bool is_early(struct step *s, enum brski_code *code)
{
	int64_t rest = s->w->is_patient ? s->w->not_before - brski_now_ms() : 0;

	if (rest <= EARLY_MS || s->w->waits_in_a_row >= IN_A_ROW_MAX)
		return false;
	*code = send_wait(s, (unsigned)rest);
	return true;
}

static void is_served(struct step *s)
{
	s->w->is_patient = false;
}

/* ---- The gate ---- */

typedef enum brski_code work_fn(struct step *s);

/* Does it, or makes the peer wait, or puts it off. */
static enum brski_code at_gate(struct step *s, work_fn *work)
{
	struct brski_serving *w = s->w;
	enum brski_code code;
	int64_t began;

	if (!w->ticket)
		w->ticket = brski_gate_ticket(&s->place->gate);
	s->out->parked = true;
	if (is_early(s, &code))
		return code;
	if (!brski_gate_enter(&s->place->gate, w->ticket, s->place->slice_ms)) {
		if (wait_again(s, &code))
			return code;
		brski_fail(&s->out->err, BRSKI_UNAVAILABLE,
			"busy: no thread was free for it in wait_total (max_busy_threads may work at one"
			" time)");
		return put_off(s, BRSKI_BUSY_CROWD);
	}
	s->out->parked = false;
	is_served(s);
	began = brski_now_us();
	code = work(s);
	brski_gate_leave(&s->place->gate);
	w->spent_us += brski_now_us() - began;
	return code;
}

static enum brski_code work_off(struct step *s)
{
	return brski_server_work(s->w->eap, &s->out->reply, &s->out->result, &s->out->err);
}

/* ---- A back end ---- */

static enum brski_code take_job(struct step *s)
{
	struct brski_job *job = brski_server_take_job(s->w->eap);

	if (!job)
		return brski_fail(&s->out->err, BRSKI_INTERNAL, "a job was announced and is not there");
	return brski_wait_begin(&s->w->wait, s->place->worker, job, &s->out->err);
}

/* The job is finished, or nobody waits for it any longer. */
static enum brski_code leave_job(struct step *s)
{
	struct brski_serving *w = s->w;
	const struct brski_job *job;
	enum brski_code code;
	char trouble[sizeof(w->trouble)];

	brski_ticket_trouble(w->wait.ticket, trouble);
	job = brski_ticket_lock(w->wait.ticket);
	if (brski_job_state(job) == BRSKI_JOB_WAITING) {
		memcpy(w->trouble, trouble, sizeof(trouble));
		w->deferred = true;
		code = brski_server_defer(w->eap, job, &s->out->reply, &s->out->result, &s->out->err);
	} else {
		code = brski_server_resume(w->eap, job, &s->out->reply, &s->out->result, &s->out->err);
	}
	brski_ticket_unlock(w->wait.ticket);
	brski_wait_end(&w->wait);
	return code;
}

static enum brski_code at_job(struct step *s)
{
	struct brski_wait *wait = &s->w->wait;
	enum brski_code code;
	long pause = 0;

	if (!wait->ticket) {
		code = take_job(s);
		if (code != BRSKI_OK)
			return code;
	}
	switch (brski_wait_look(wait, &s->place->room, s->place->slice_ms, &pause)) {
	case BRSKI_PROGRESS_FINISHED:
		break;
	case BRSKI_PROGRESS_RUNNING:
	case BRSKI_PROGRESS_PAUSED:
		if (s->w->waits_in_a_row < IN_A_ROW_MAX &&
			brski_wait_is_worth(wait, pause, s->place->total_ms))
			return send_wait(s, brski_patience_next(&wait->patience, s->place->total_ms));
		break;
	}
	return at_gate(s, leave_job);
}

/* ---- The disk ---- */

/* This thread waits once, before the peer is sent a Wait, and if there is room for one more. */
static enum brski_kept is_kept(struct step *s)
{
	struct brski_serving *w = s->w;
	struct brski_store *store = s->place->store;
	enum brski_kept kept = brski_store_kept(store, w->mark, &s->out->err);
	long ms = s->place->slice_ms;

	if (kept != BRSKI_NOT_YET_KEPT || w->is_patient || ms <= 0 || !brski_room_enter(&s->place->room))
		return kept;
	kept = brski_store_wait_kept(store, w->mark, ms, &s->out->err);
	brski_room_leave(&s->place->room);
	return kept;
}

static enum brski_code send_answer(struct step *s)
{
	is_served(s);
	s->w->has_mark = false;
	s->out->result = BRSKI_SERVER_SEND;
	return brski_server_send(s->w->eap, &s->out->reply, &s->out->err);
}

static enum brski_code at_answer(struct step *s)
{
	struct brski_serving *w = s->w;
	enum brski_code code;

	if (!s->place->store)
		return send_answer(s);
	if (!w->has_mark)
		w->mark = brski_store_mark(s->place->store);
	w->has_mark = true;
	if (is_early(s, &code))
		return code;
	switch (is_kept(s)) {
	case BRSKI_KEPT:
		return send_answer(s);
	case BRSKI_NOT_YET_KEPT:
		if (wait_again(s, &code))
			return code;
		brski_fail(&s->out->err, BRSKI_UNAVAILABLE,
			"busy: what it was to be told was not on the disk in wait_total");
		break;
	case BRSKI_NOT_KEPT:
		brski_fail_context(
			&s->out->err, BRSKI_UNAVAILABLE, "busy: what it was to be told is not on the disk");
		break;
	}
	return put_off(s, BRSKI_BUSY_DISK);
}

/* ---- One response ---- */

/* True: the session stands still, and goes on here. */
static bool stands_still(const struct step *s)
{
	return !s->out->wait_ms &&
	       (s->out->result == BRSKI_SERVER_WORK || s->out->result == BRSKI_SERVER_JOB ||
		       s->out->result == BRSKI_SERVER_HOLD);
}

static enum brski_code go_on(struct step *s)
{
	switch (s->out->result) {
	case BRSKI_SERVER_WORK:
		return at_gate(s, work_off);
	case BRSKI_SERVER_JOB:
		return at_job(s);
	default:
		return at_answer(s);
	}
}

enum brski_code brski_serving_process(struct brski_serving *serving, struct brski_serving_place *place,
	struct brski_span response, struct brski_serving_step *step)
{
	struct step s = {.w = serving, .place = place, .out = step};
	enum brski_code code;

	*step = (struct brski_serving_step){0};
	code = brski_server_process(serving->eap, response, &step->reply, &step->result, &step->err);
	while (code == BRSKI_OK && stands_still(&s))
		code = go_on(&s);
	if (!step->wait_ms)
		serving->waits_in_a_row = 0;
	return code;
}
