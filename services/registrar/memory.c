/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/memory.h"

#include <string.h>

#include "services/base/clock.h"

/* A row for the store; to be freed. */
static enum brski_code make_row(const struct brski_memory *memory, const char *key, enum brski_job_kind kind,
	const struct brski_device *device, struct brski_span blob, struct brski_store_job *row,
	struct brski_error *err)
{
	*row = (struct brski_store_job){.kind = kind, .updated = brski_now(memory->env)};
	snprintf(row->key, sizeof(row->key), "%s", key);
	snprintf(row->manufacturer, sizeof(row->manufacturer), "%s", device->manufacturer);
	snprintf(row->serial_number, sizeof(row->serial_number), "%s", device->serial_number);
	if (brski_buf_set(&row->blob, blob) == BRSKI_OK)
		return BRSKI_OK;
	return brski_fail(err, BRSKI_NO_MEMORY, "no memory for a request");
}

static void set_next(struct brski_store_job *row, const struct brski_job_next *next)
{
	snprintf(row->back_end, sizeof(row->back_end), "%s", next->back_end);
	row->due = next->not_before;
}

enum brski_code brski_memory_job_room(void *ctx, const struct brski_device *device, enum brski_work work,
	long *seconds, struct brski_error *err)
{
	struct brski_memory *memory = ctx;
	struct brski_store_work asked = {.work = work, .at = brski_now(memory->env)};

	snprintf(asked.manufacturer, sizeof(asked.manufacturer), "%s", device->manufacturer);
	snprintf(asked.serial_number, sizeof(asked.serial_number), "%s", device->serial_number);
	return brski_store_job_room(memory->store, &asked, &memory->limits, seconds, err);
}

enum brski_code brski_memory_job_add(void *ctx, const char *key, enum brski_job_kind kind,
	enum brski_work work, const struct brski_job_next *next, const struct brski_device *device,
	struct brski_span blob, struct brski_error *err)
{
	struct brski_memory *memory = ctx;
	struct brski_store_job row;
	enum brski_code code = make_row(memory, key, kind, device, blob, &row, err);

	set_next(&row, next);
	row.work = work;
	if (code == BRSKI_OK)
		code = brski_store_job_add(memory->store, &row, &memory->limits, err);
	brski_store_job_free(&row);
	return code;
}

enum brski_code brski_memory_job_put(void *ctx, const char *key, uint64_t revision, enum brski_job_kind kind,
	enum brski_job_state state, bool takes_back, const struct brski_job_next *next,
	const struct brski_device *device, struct brski_span blob, struct brski_error *err)
{
	struct brski_memory *memory = ctx;
	struct brski_store_job row;
	enum brski_code code = make_row(memory, key, kind, device, blob, &row, err);

	set_next(&row, next);
	row.revision = revision;
	row.state = state;
	row.takes_back = takes_back;
	if (code == BRSKI_OK)
		code = brski_store_job_replace(memory->store, &row, &memory->limits, err);
	brski_store_job_free(&row);
	return code;
}

enum brski_code brski_memory_job_get(
	void *ctx, const char *key, struct brski_buf *blob, uint64_t *revision, struct brski_error *err)
{
	struct brski_memory *memory = ctx;
	struct brski_store_job row;
	enum brski_code code = brski_store_job_get(memory->store, key, &row, err);

	*revision = 0;
	if (code != BRSKI_OK)
		return code;
	brski_buf_move(blob, &row.blob);
	*revision = row.revision;
	brski_store_job_free(&row);
	return BRSKI_OK;
}

enum brski_code brski_memory_note_put(void *ctx, const struct brski_note *note, struct brski_error *err)
{
	struct brski_memory *memory = ctx;
	struct brski_store_note row = {
		.of_transaction = note->of_transaction, .updated = brski_now(memory->env)};

	snprintf(row.key, sizeof(row.key), "%s", note->key);
	snprintf(row.name, sizeof(row.name), "%s", note->name);
	snprintf(row.value, sizeof(row.value), "%s", note->value);
	snprintf(row.manufacturer, sizeof(row.manufacturer), "%s", note->device->manufacturer);
	snprintf(row.serial_number, sizeof(row.serial_number), "%s", note->device->serial_number);
	return brski_store_note_put(memory->store, &row, err);
}

enum brski_code brski_memory_note_get(
	void *ctx, const char *key, char value[BRSKI_FINGERPRINT_MAX], struct brski_error *err)
{
	struct brski_store_note row;
	enum brski_code code = brski_store_note_get(((struct brski_memory *)ctx)->store, key, &row, err);

	snprintf(value, BRSKI_FINGERPRINT_MAX, "%s", code == BRSKI_OK ? row.value : "");
	return code;
}

void brski_memory_permission_row(const struct brski_permission *p, struct brski_store_permission *row)
{
	*row = (struct brski_store_permission){.state = p->state, .since = p->since, .revision = p->revision};
	memcpy(row->key, p->key, sizeof(row->key));
	memcpy(row->voucher, p->voucher, sizeof(row->voucher));
	memcpy(row->used_for, p->transaction, sizeof(row->used_for));
	snprintf(row->manufacturer, sizeof(row->manufacturer), "%s", p->device->manufacturer);
	snprintf(row->serial_number, sizeof(row->serial_number), "%s", p->device->serial_number);
}

void brski_memory_permission_of(const struct brski_store_permission *row, struct brski_permission *out)
{
	*out = (struct brski_permission){.state = row->state, .since = row->since, .revision = row->revision};
	memcpy(out->key, row->key, sizeof(out->key));
	memcpy(out->voucher, row->voucher, sizeof(out->voucher));
	memcpy(out->transaction, row->used_for, sizeof(out->transaction));
}

enum brski_code brski_memory_permission_get(
	void *ctx, const char *key, struct brski_permission *out, struct brski_error *err)
{
	struct brski_store_permission row;
	enum brski_code code =
		brski_store_permission_get(((struct brski_memory *)ctx)->store, key, &row, err);

	brski_memory_permission_of(&row, out);
	return code;
}

enum brski_code brski_memory_permission_put(
	void *ctx, const struct brski_permission *p, struct brski_error *err)
{
	struct brski_store_permission row;

	brski_memory_permission_row(p, &row);
	return brski_store_permission_put(((struct brski_memory *)ctx)->store, &row, err);
}

enum brski_code brski_memory_permission_take_back(
	void *ctx, const struct brski_device *device, struct brski_error *err)
{
	const struct brski_memory *memory = ctx;

	return brski_store_permission_take_back(
		memory->store, device->manufacturer, device->serial_number, brski_now(memory->env), err);
}

enum brski_code brski_memory_listed(
	void *ctx, const struct brski_device *device, bool *yes, struct brski_error *err)
{
	const struct brski_memory *memory = ctx;
	enum brski_standing standing = BRSKI_STANDING_UNKNOWN;
	enum brski_code code = brski_store_standing(
		memory->store, device->manufacturer, device->serial_number, &standing, err);

	*yes = code == BRSKI_OK && standing == BRSKI_STANDING_LISTED;
	return code;
}

/* Each device that comes while the store is in trouble has some. */
static void tell_incomplete(struct brski_memory *memory, const char *why)
{
	char more[BRSKI_LOG_MORE_MAX];
	unsigned left_out;

	if (brski_log_due(&memory->incomplete, brski_now_ms(), &left_out))
		brski_log(memory->env, BRSKI_LOG_ERROR, "history is incomplete: %s%s", why,
			brski_log_more(left_out, more));
}

void brski_memory_event(
	void *ctx, const struct brski_device *device, const char *what, bool ok, const char *detail)
{
	struct brski_memory *memory = ctx;
	struct brski_store_event e = {.at = brski_now(memory->env), .ok = ok};
	struct brski_error err;
	enum brski_code code;
	const char *state = !ok ? "failed" : strcmp(what, "enroll-status") == 0 ? "onboarded" : NULL;

	snprintf(e.what, sizeof(e.what), "%s", what);
	snprintf(e.detail, sizeof(e.detail), "%s", detail ? detail : "");
	if (device) {
		snprintf(e.manufacturer, sizeof(e.manufacturer), "%s", device->manufacturer);
		snprintf(e.serial_number, sizeof(e.serial_number), "%s", device->serial_number);
	}
	code = brski_store_event_add(memory->store, &e, &err);
	if (code == BRSKI_OK && device)
		code = brski_store_device_seen(memory->store, e.manufacturer, e.serial_number, state, &err);
	if (code != BRSKI_OK)
		tell_incomplete(memory, err.why);
}

enum brski_code brski_memory_nonceless_voucher(
	void *ctx, const struct brski_device *device, struct brski_buf *cms, struct brski_error *err)
{
	struct brski_memory *memory = ctx;
	struct brski_store_nonceless a;
	enum brski_code code = brski_store_nonceless_get(
		memory->store, device->manufacturer, device->serial_number, &a, err);

	if (code != BRSKI_OK)
		return code;
	if (a.voucher.len)
		brski_buf_move(cms, &a.voucher);
	else
		code = brski_fail(err, BRSKI_NOT_FOUND, "the voucher was asked for, and is not here yet");
	brski_store_nonceless_free(&a);
	return code;
}
