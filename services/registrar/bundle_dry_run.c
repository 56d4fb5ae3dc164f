/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "services/registrar/bundle_exchange_internal.h"

/* The registrar's memory, on trial: it reads from the store, and writes to memory, to be kept or dropped. */

static const struct brski_registrar_ops *real(void)
{
	return brski_policy_ops();
}

static enum brski_code find_manufacturer(
	void *ctx, const STACK_OF(X509) *chain, struct brski_manufacturer *out, struct brski_error *err)
{
	return real()->find_manufacturer(((struct brski_exchange *)ctx)->policy, chain, out, err);
}

static enum brski_code decide(void *ctx, void *visit, const struct brski_device *device,
	const struct brski_manufacturer *m, enum brski_decision *decision, char why[256], long *retry_after,
	struct brski_error *err)
{
	struct brski_exchange *x = ctx;

	return real()->decide(x->policy, visit, device, m, decision, why, retry_after, err);
}

/* ---- Jobs ---- */

/* Its place, or n_rows. */
static size_t find_row(const struct dry_run *s, const char *key)
{
	size_t i = 0;

	while (i < s->n_rows && strcmp(s->rows[i].key, key) != 0)
		i++;
	return i;
}

/* A row is read into memory when it is changed first, at the revision that was read. */
static enum brski_code put_row(struct brski_exchange *x, size_t i, const struct brski_store_job *as,
	const struct brski_job_next *next, const struct brski_device *device, struct brski_span blob,
	struct brski_error *err)
{
	struct dry_run *s = &x->dry_run;
	struct brski_store_job *row = &s->rows[i];

	if (i == DRY_RUN_ROWS)
		return brski_fail(err, BRSKI_INTERNAL, "one answer changes too much");
	if (brski_buf_set(&row->blob, blob) != BRSKI_OK)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for a request");
	if (i == s->n_rows) {
		s->n_rows++;
		s->changes[i] = 0;
		row->revision = as->revision;
		row->work = as->work;
		snprintf(row->key, sizeof(row->key), "%s", as->key);
		snprintf(row->manufacturer, sizeof(row->manufacturer), "%s", device->manufacturer);
		snprintf(row->serial_number, sizeof(row->serial_number), "%s", device->serial_number);
	}
	s->changes[i]++;
	row->kind = as->kind;
	row->state = as->state;
	row->takes_back = as->takes_back;
	if (next->back_end[0])
		snprintf(row->back_end, sizeof(row->back_end), "%s", next->back_end);
	row->due = next->not_before;
	row->updated = brski_now(x->env);
	return BRSKI_OK;
}

/* The answer to a request that was let in makes no new one. */
static enum brski_code job_room(void *ctx, const struct brski_device *device, enum brski_work work,
	long *seconds, struct brski_error *err)
{
	struct brski_exchange *x = ctx;

	return real()->job_room(x->policy, device, work, seconds, err);
}

static enum brski_code job_add(void *ctx, const char *key, enum brski_job_kind kind, enum brski_work work,
	const struct brski_job_next *next, const struct brski_device *device, struct brski_span blob,
	struct brski_error *err)
{
	struct brski_exchange *x = ctx;
	struct brski_store_job as = {.kind = kind, .work = work, .state = BRSKI_JOB_WAITING};
	size_t i = find_row(&x->dry_run, key);

	if (i < x->dry_run.n_rows)
		return brski_fail(err, BRSKI_UNEXPECTED, "there is such a request");
	snprintf(as.key, sizeof(as.key), "%s", key);
	return put_row(x, i, &as, next, device, blob, err);
}

static enum brski_code job_put(void *ctx, const char *key, uint64_t revision, enum brski_job_kind kind,
	enum brski_job_state state, bool takes_back, const struct brski_job_next *next,
	const struct brski_device *device, struct brski_span blob, struct brski_error *err)
{
	struct brski_exchange *x = ctx;
	const struct dry_run *s = &x->dry_run;
	struct brski_store_job as = {
		.kind = kind, .state = state, .takes_back = takes_back, .revision = revision};
	size_t i = find_row(s, key);

	if (i < s->n_rows && s->rows[i].revision + s->changes[i] != revision)
		return brski_fail(err, BRSKI_UNEXPECTED, "the request is not what it was");
	snprintf(as.key, sizeof(as.key), "%s", key);
	return put_row(x, i, &as, next, device, blob, err);
}

static enum brski_code job_get(
	void *ctx, const char *key, struct brski_buf *blob, uint64_t *revision, struct brski_error *err)
{
	struct brski_exchange *x = ctx;
	const struct dry_run *s = &x->dry_run;
	size_t i = find_row(s, key);

	if (i == s->n_rows)
		return real()->job_get(x->policy, key, blob, revision, err);
	*revision = s->rows[i].revision + s->changes[i];
	if (brski_buf_set(blob, brski_buf_span(&s->rows[i].blob)) == BRSKI_OK)
		return BRSKI_OK;
	return brski_fail(err, BRSKI_NO_MEMORY, "no memory for a request");
}

/* ---- Notes ---- */

static struct brski_store_note *find_note(struct dry_run *s, const char *key)
{
	for (size_t i = 0; i < s->n_notes; i++)
		if (strcmp(s->notes[i].key, key) == 0)
			return &s->notes[i];
	return NULL;
}

static enum brski_code keep_note(
	struct brski_exchange *x, const struct brski_store_note *as, struct brski_error *err)
{
	struct dry_run *s = &x->dry_run;
	struct brski_store_note *note = find_note(s, as->key);

	if (!note && s->n_notes == DRY_RUN_NOTES)
		return brski_fail(err, BRSKI_INTERNAL, "one answer changes too much");
	if (!note)
		note = &s->notes[s->n_notes++];
	*note = *as;
	note->updated = brski_now(x->env);
	return BRSKI_OK;
}

static enum brski_code note_put(void *ctx, const struct brski_note *note, struct brski_error *err)
{
	struct brski_store_note as = {.of_transaction = note->of_transaction};

	snprintf(as.key, sizeof(as.key), "%s", note->key);
	snprintf(as.name, sizeof(as.name), "%s", note->name);
	snprintf(as.value, sizeof(as.value), "%s", note->value);
	snprintf(as.manufacturer, sizeof(as.manufacturer), "%s", note->device->manufacturer);
	snprintf(as.serial_number, sizeof(as.serial_number), "%s", note->device->serial_number);
	return keep_note(ctx, &as, err);
}

static enum brski_code note_get(
	void *ctx, const char *key, char value[BRSKI_FINGERPRINT_MAX], struct brski_error *err)
{
	struct brski_exchange *x = ctx;
	const struct brski_store_note *note = find_note(&x->dry_run, key);

	if (!note)
		return real()->note_get(x->policy, key, value, err);
	snprintf(value, BRSKI_FINGERPRINT_MAX, "%s", note->value);
	return BRSKI_OK;
}

/* ---- Permissions ---- */

static enum brski_code permission_get(
	void *ctx, const char *key, struct brski_permission *out, struct brski_error *err)
{
	struct brski_exchange *x = ctx;
	const struct dry_run *s = &x->dry_run;

	if (!s->uses || strcmp(s->used.key, key) != 0)
		return real()->permission_get(x->policy, key, out, err);
	brski_memory_permission_of(&s->used, out);
	out->revision++;
	return BRSKI_OK;
}

/*
 * An answer may use what a device was given, as a certConf of the registrar's own does. To give is for a
 * device that is here: it gets its voucher by a server.
 */
static enum brski_code permission_put(void *ctx, const struct brski_permission *p, struct brski_error *err)
{
	struct brski_exchange *x = ctx;
	struct dry_run *s = &x->dry_run;

	if (p->state == BRSKI_PERMISSION_VOUCHER)
		return brski_fail(err, BRSKI_INTERNAL, "a file gives no device a permission");
	if (s->uses)
		return brski_fail(err, BRSKI_INTERNAL, "one answer changes too much");
	brski_memory_permission_row(p, &s->used);
	s->uses = true;
	return BRSKI_OK;
}

/* Nor is there anything to take back: an answer that refuses takes back by itself. */
static enum brski_code permission_take_back(
	void *ctx, const struct brski_device *device, struct brski_error *err)
{
	(void)ctx;
	(void)device;
	return brski_fail(err, BRSKI_INTERNAL, "a file takes nothing from a device that is not here");
}

/* ---- What is told ---- */

static void event(void *ctx, const struct brski_device *device, const char *what, bool ok, const char *detail)
{
	struct brski_exchange *x = ctx;
	struct dry_run *s = &x->dry_run;
	struct brski_store_event *e;

	if (s->n_events == DRY_RUN_EVENTS) /* the last one tells how it ended */
		s->n_events--;
	e = &s->events[s->n_events++];
	*e = (struct brski_store_event){.at = brski_now(x->env), .ok = ok};
	snprintf(e->what, sizeof(e->what), "%s", what);
	snprintf(e->detail, sizeof(e->detail), "%s", detail ? detail : "");
	snprintf(e->manufacturer, sizeof(e->manufacturer), "%s", device ? device->manufacturer : "");
	snprintf(e->serial_number, sizeof(e->serial_number), "%s", device ? device->serial_number : "");
}

/* No nonceless_voucher: that is for the server, when it sees that the MASA is away. */
const struct brski_registrar_ops brski_dry_run_ops = {
	.find_manufacturer = find_manufacturer,
	.decide = decide,
	.job_room = job_room,
	.job_add = job_add,
	.job_put = job_put,
	.job_get = job_get,
	.note_put = note_put,
	.note_get = note_get,
	.permission_get = permission_get,
	.permission_put = permission_put,
	.permission_take_back = permission_take_back,
	.event = event,
};

void brski_dry_run_clear(struct brski_exchange *x)
{
	for (size_t i = 0; i < x->dry_run.n_rows; i++)
		brski_store_job_free(&x->dry_run.rows[i]);
	x->dry_run.n_rows = x->dry_run.n_notes = x->dry_run.n_events = 0;
	x->dry_run.uses = false;
}

const char *brski_dry_run_words(const struct brski_exchange *x)
{
	return x->dry_run.n_events ? x->dry_run.events[x->dry_run.n_events - 1].detail : "";
}

enum brski_code brski_dry_run_commit(struct brski_exchange *x, struct brski_error *err)
{
	const struct dry_run *s = &x->dry_run;
	enum brski_code code;

	if (s->n_rows == 0)
		return brski_fail(err, BRSKI_INTERNAL, "an answer that changes nothing");
	code = brski_store_jobs_settle(
		x->store, s->rows, s->n_rows, s->notes, s->n_notes, s->uses ? &s->used : NULL, err);
	for (size_t i = 0; code == BRSKI_OK && i < s->n_events; i++) {
		const struct brski_store_event *e = &s->events[i];
		struct brski_device device = {0};

		snprintf(device.manufacturer, sizeof(device.manufacturer), "%s", e->manufacturer);
		snprintf(device.serial_number, sizeof(device.serial_number), "%s", e->serial_number);
		real()->event(x->policy, &device, e->what, e->ok, e->detail);
	}
	return code;
}
