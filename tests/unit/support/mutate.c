/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/support/mutate.h"

#include <stdlib.h>
#include <string.h>

static uint8_t *copy_of(struct brski_span bytes, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	if (!copy)
		abort();
	if (bytes.len > 0 && len > 0)
		memcpy(copy, bytes.data, bytes.len < len ? bytes.len : len);
	return copy;
}

void mutate_truncations(struct brski_span golden, mutate_try *try, void *ctx)
{
	for (size_t len = 0; len < golden.len; len++) {
		uint8_t *copy = copy_of(golden, len);

		try(ctx, brski_span(copy, len), &(struct mutation){.kind = "cut", .at = len});
		free(copy);
	}
}

static void replace(
	struct brski_span golden, size_t at, unsigned value, const char *kind, mutate_try *try, void *ctx)
{
	uint8_t *copy;

	if (golden.data[at] == value)
		return;
	copy = copy_of(golden, golden.len);
	copy[at] = (uint8_t)value;
	try(ctx, brski_span(copy, golden.len), &(struct mutation){.kind = kind, .at = at, .value = value});
	free(copy);
}

void mutate_octets(struct brski_span golden, mutate_try *try, void *ctx)
{
	for (size_t at = 0; at < golden.len; at++) {
		for (unsigned bit = 0; bit < 8; bit++)
			replace(golden, at, golden.data[at] ^ 1U << bit, "flipped", try, ctx);
		replace(golden, at, 0x00, "set", try, ctx);
		replace(golden, at, 0xff, "set", try, ctx);
	}
}

void mutate_octets_once(struct brski_span golden, mutate_try *try, void *ctx)
{
	for (size_t at = 0; at < golden.len; at++)
		replace(golden, at, golden.data[at] ^ 1U << (at % 8), "flipped", try, ctx);
}

void mutate_appended(struct brski_span golden, mutate_try *try, void *ctx)
{
	for (unsigned value = 0; value <= 0xff; value += 0xff) {
		uint8_t *copy = copy_of(golden, golden.len + 1);

		copy[golden.len] = (uint8_t)value;
		try(ctx, brski_span(copy, golden.len + 1),
			&(struct mutation){.kind = "appended", .at = golden.len, .value = value});
		free(copy);
	}
}

void mutate_all(struct brski_span golden, mutate_try *try, void *ctx)
{
	mutate_truncations(golden, try, ctx);
	mutate_octets(golden, try, ctx);
	mutate_appended(golden, try, ctx);
}
