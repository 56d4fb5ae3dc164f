/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/refill.h"

#include <stdlib.h>
#include <string.h>

#include "services/base/clock.h"

/* A look at what waits for one back end. */
struct brski_refill_place {
	struct brski_refill_place *next;
	enum brski_job_kind kind;
	char back_end[BRSKI_STORE_BACK_END_MAX];
	bool waits; /* something did, when it was asked for last */
	bool more;  /* the look has not come to its end */
	enum brski_store_leases leases;
	time_t due; /* what is due until then */
	unsigned times;
	struct brski_store_place at;
};

static struct brski_share share_of(const struct brski_refill_place *p)
{
	return (struct brski_share){.kind = p->kind, .back_end = p->back_end};
}

/* From the beginning; what is due before the next scan is in memory in time. */
static void begin(struct brski_refill *refill, struct brski_refill_place *p, enum brski_store_leases leases)
{
	const struct brski_share share = share_of(p);

	if (!p->more || leases < p->leases)
		p->leases = leases;
	p->more = true;
	p->due = brski_now(refill->env) + refill->scan_ms / 1000;
	p->at = (struct brski_store_place){0};
	brski_board_look(refill->board, &share, true);
}

static void end(struct brski_refill *refill, struct brski_refill_place *p)
{
	const struct brski_share share = share_of(p);

	p->more = false;
	brski_board_look(refill->board, &share, false);
}

/* ---- Which there are ---- */

static void append(struct brski_refill *refill, struct brski_refill_place *p)
{
	p->next = NULL;
	*(refill->last ? &refill->last->next : &refill->first) = p;
	refill->last = p;
}

static enum brski_code see(
	struct brski_refill *refill, enum brski_job_kind kind, const char *back_end, struct brski_error *err)
{
	struct brski_refill_place *p = refill->first;

	while (p && (p->kind != kind || strcmp(p->back_end, back_end) != 0))
		p = p->next;
	if (!p) {
		p = calloc(1, sizeof(*p));
		if (!p)
			return brski_fail(err, BRSKI_NO_MEMORY, "no memory for jobs");
		p->kind = kind;
		snprintf(p->back_end, sizeof(p->back_end), "%s", back_end);
		append(refill, p);
	}
	p->waits = true;
	/* at first also those with a lease: it may be one of this server, before it was killed */
	begin(refill, p, refill->has_looked ? BRSKI_STORE_NO_REST : BRSKI_STORE_ANY_LEASE);
	return BRSKI_OK;
}

static enum brski_code see_kind(
	struct brski_refill *refill, enum brski_job_kind kind, struct brski_error *err)
{
	struct brski_store_back_end rows[BRSKI_STORE_PAGE];
	struct brski_store_place place = {0};
	enum brski_code code;
	unsigned n;

	do {
		code = brski_store_back_ends_page(
			refill->store, kind, &place, rows, BRSKI_STORE_PAGE, &n, err);
		for (unsigned i = 0; code == BRSKI_OK && i < n; i++)
			code = see(refill, kind, rows[i].name, err);
	} while (code == BRSKI_OK && n == BRSKI_STORE_PAGE);
	return code;
}

static void forget(struct brski_refill *refill, bool all)
{
	struct brski_refill_place *p = refill->first, *next;

	refill->first = refill->last = NULL;
	for (; p; p = next) {
		next = p->next;
		if (p->waits && !all) {
			append(refill, p);
		} else {
			end(refill, p);
			free(p);
		}
	}
}

static void tell(struct brski_refill *refill)
{
	if (refill->taken_up)
		brski_log(refill->env, BRSKI_LOG_INFO, "%u waiting requests taken up from the store",
			refill->taken_up);
	refill->taken_up = 0;
}

enum brski_code brski_refill_scan(struct brski_refill *refill, struct brski_error *err)
{
	enum brski_code code;

	tell(refill);
	for (struct brski_refill_place *p = refill->first; p; p = p->next)
		p->waits = false;
	code = see_kind(refill, BRSKI_JOB_CMP, err);
	if (code == BRSKI_OK)
		code = see_kind(refill, BRSKI_JOB_VOUCHER, err);
	if (code == BRSKI_OK) {
		refill->has_looked = true;
		forget(refill, false);
	}
	return code;
}

void brski_refill_clear(struct brski_refill *refill)
{
	forget(refill, true);
}

/* ---- The next few ---- */

/* Unless a session was quicker. */
static void adopt(
	struct brski_refill *refill, const struct brski_share *share, const struct brski_store_job *row)
{
	char more[BRSKI_LOG_MORE_MAX];
	struct brski_error err = {0};
	struct brski_job *job = NULL;
	unsigned left_out;
	enum brski_code code =
		brski_job_load(refill->registrar, brski_buf_span(&row->blob), row->revision, &job, &err);

	if (code != BRSKI_OK && brski_log_due(&refill->unreadable, brski_now_ms(), &left_out))
		brski_log(refill->env, BRSKI_LOG_ERROR, "the stored request %s of %s is not to be read: %s%s",
			row->key, row->serial_number, err.why, brski_log_more(left_out, more));
	if (code == BRSKI_OK && brski_board_adopt(refill->board, share, job))
		refill->taken_up++;
	else
		brski_job_free(job);
}

static enum brski_code read_page(
	struct brski_refill *refill, struct brski_refill_place *p, unsigned most, struct brski_error *err)
{
	const struct brski_share share = share_of(p);
	const struct brski_store_turn turn = {
		.kind = p->kind, .back_end = p->back_end, .due = p->due, .leases = p->leases};
	struct brski_store_job rows[BRSKI_STORE_PAGE_HEAVY];
	unsigned n;
	enum brski_code code = brski_store_turn_page(refill->store, &turn, &p->at, rows, most, &n, err);

	for (unsigned i = 0; i < n; i++) {
		if (!brski_board_has(refill->board, rows[i].key))
			adopt(refill, &share, &rows[i]);
		brski_store_job_free(&rows[i]);
	}
	if (code == BRSKI_OK && n < most)
		end(refill, p);
	return code;
}

/* How many may come now. */
static unsigned find_room(struct brski_refill *refill, struct brski_refill_place *p)
{
	const struct brski_share share = share_of(p);
	struct brski_share_room room;

	brski_board_room(refill->board, &share, &room);
	if (room.times != p->times) /* it is back: what failed while it was away rests no more */
		begin(refill, p, BRSKI_STORE_NO_LEASE);
	else if (!p->more && room.left && room.jobs > 0)
		begin(refill, p, BRSKI_STORE_NO_REST);
	p->times = room.times;
	if (!p->more)
		return 0;
	return room.jobs < BRSKI_STORE_PAGE_HEAVY ? room.jobs : BRSKI_STORE_PAGE_HEAVY;
}

enum brski_code brski_refill_step(struct brski_refill *refill, bool *more, struct brski_error *err)
{
	struct brski_refill_place *p = NULL, *last = refill->last;
	unsigned most = 0;

	*more = false;
	while (most == 0 && p != last) { /* they take turns */
		p = refill->first;
		refill->first = p->next;
		if (!refill->first)
			refill->last = NULL;
		append(refill, p);
		most = find_room(refill, p);
	}
	if (most == 0)
		return BRSKI_OK;
	*more = true;
	return read_page(refill, p, most, err);
}
