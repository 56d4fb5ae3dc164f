/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/support/site_store.h"

/* The operations' ctx is the site, and not the memory that they need. */
static struct brski_memory *current;

static enum brski_code job_room(void *ctx, const struct brski_device *device, enum brski_work work,
	long *seconds, struct brski_error *err)
{
	(void)ctx;
	return brski_memory_job_room(current, device, work, seconds, err);
}

static enum brski_code job_add(void *ctx, const char *key, enum brski_job_kind kind, enum brski_work work,
	const struct brski_job_next *next, const struct brski_device *device, struct brski_span blob,
	struct brski_error *err)
{
	(void)ctx;
	return brski_memory_job_add(current, key, kind, work, next, device, blob, err);
}

static enum brski_code job_put(void *ctx, const char *key, uint64_t revision, enum brski_job_kind kind,
	enum brski_job_state state, bool takes_back, const struct brski_job_next *next,
	const struct brski_device *device, struct brski_span blob, struct brski_error *err)
{
	(void)ctx;
	return brski_memory_job_put(current, key, revision, kind, state, takes_back, next, device, blob, err);
}

static enum brski_code job_get(
	void *ctx, const char *key, struct brski_buf *blob, uint64_t *revision, struct brski_error *err)
{
	(void)ctx;
	return brski_memory_job_get(current, key, blob, revision, err);
}

static enum brski_code note_put(void *ctx, const struct brski_note *note, struct brski_error *err)
{
	(void)ctx;
	return brski_memory_note_put(current, note, err);
}

static enum brski_code note_get(
	void *ctx, const char *key, char value[BRSKI_FINGERPRINT_MAX], struct brski_error *err)
{
	(void)ctx;
	return brski_memory_note_get(current, key, value, err);
}

static enum brski_code permission_get(
	void *ctx, const char *key, struct brski_permission *out, struct brski_error *err)
{
	(void)ctx;
	return brski_memory_permission_get(current, key, out, err);
}

static enum brski_code permission_put(void *ctx, const struct brski_permission *p, struct brski_error *err)
{
	(void)ctx;
	return brski_memory_permission_put(current, p, err);
}

static enum brski_code permission_take_back(
	void *ctx, const struct brski_device *device, struct brski_error *err)
{
	(void)ctx;
	return brski_memory_permission_take_back(current, device, err);
}

void site_store_set(struct site_store *s, struct site *site, struct brski_store *store)
{
	current = &s->memory;
	s->memory = (struct brski_memory){.store = store};
	s->ops = *site->config.ops;
	s->ops.job_room = job_room;
	s->ops.job_add = job_add;
	s->ops.job_put = job_put;
	s->ops.job_get = job_get;
	s->ops.note_put = note_put;
	s->ops.note_get = note_get;
	s->ops.permission_get = permission_get;
	s->ops.permission_put = permission_put;
	s->ops.permission_take_back = permission_take_back;
	site->config.ops = &s->ops;
}
