/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/support/memory.h"

#include <stdio.h>
#include <string.h>

static struct brski_buf *find(struct memory *memory, const char *name, bool make)
{
	for (size_t i = 0; i < MEMORY_VALUES_MAX; i++) {
		if (strcmp(memory->values[i].name, name) == 0)
			return &memory->values[i].value;
	}
	return make ? find(memory, "", false) : NULL;
}

static enum brski_code memory_read(
	void *ctx, const char *name, struct brski_buf *out, struct brski_error *err)
{
	const struct brski_buf *value = find(ctx, name, false);

	if (!value)
		return brski_fail(err, BRSKI_NOT_FOUND, "no value %s", name);
	return brski_buf_set(out, brski_buf_span(value));
}

static enum brski_code memory_write(
	void *ctx, const char *name, struct brski_span bytes, bool secret, struct brski_error *err)
{
	struct memory *memory = ctx;
	struct brski_buf *value = find(memory, name, true);

	(void)secret;
	for (size_t i = 0; value && i < MEMORY_VALUES_MAX; i++) {
		if (value == &memory->values[i].value)
			snprintf(memory->values[i].name, sizeof(memory->values[i].name), "%s", name);
	}
	return value ? brski_buf_set(value, bytes) : brski_fail(err, BRSKI_TOO_LARGE, "too many values");
}

static enum brski_code memory_remove(void *ctx, const char *name, struct brski_error *err)
{
	struct memory *memory = ctx;

	(void)err;
	for (size_t i = 0; i < MEMORY_VALUES_MAX; i++) {
		if (strcmp(memory->values[i].name, name) != 0)
			continue;
		brski_buf_free(&memory->values[i].value);
		memory->values[i].name[0] = '\0';
		break;
	}
	return BRSKI_OK;
}

static void clear(struct memory *memory)
{
	for (size_t i = 0; i < MEMORY_VALUES_MAX; i++) {
		brski_buf_free(&memory->values[i].value);
		memory->values[i].name[0] = '\0';
	}
}

static enum brski_code memory_set_aside(void *ctx, struct brski_error *err)
{
	struct memory *memory = ctx;

	(void)err;
	clear(memory);
	memory->n_set_aside++;
	return BRSKI_OK;
}

void memory_open(struct memory *memory)
{
	memset(memory, 0, sizeof(*memory));
	memory->storage = (struct brski_storage){
		.ctx = memory,
		.read = memory_read,
		.write = memory_write,
		.remove = memory_remove,
		.set_aside = memory_set_aside,
	};
}

void memory_close(struct memory *memory)
{
	clear(memory);
	memset(memory, 0, sizeof(*memory));
}
