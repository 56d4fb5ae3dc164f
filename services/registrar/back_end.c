/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/back_end.h"

#include <stdio.h>

#include "services/registrar/places.h"

void brski_back_end_init(struct brski_back_end *b, enum brski_job_kind kind, const char *name)
{
	*b = (struct brski_back_end){.kind = kind, .most = BRSKI_PLACES};
	snprintf(b->name, sizeof(b->name), "%s", name);
}

int64_t brski_back_end_when(const struct brski_back_end *b, int64_t due)
{
	if (b->away && b->probing)
		return INT64_MAX;
	if (b->away)
		return due > b->probe_at ? due : b->probe_at;
	return b->running < b->most ? due : INT64_MAX;
}

bool brski_back_end_begin(struct brski_back_end *b)
{
	b->running++;
	b->probing = b->away;
	return b->away;
}

void brski_back_end_end(struct brski_back_end *b, bool probe)
{
	b->running--;
	if (probe)
		b->probing = false;
}

bool brski_back_end_heard(struct brski_back_end *b, int64_t now)
{
	bool was_away = b->away;

	b->ended = now;
	b->n_silent = 0;
	if (was_away) {
		b->away = b->probing = false;
		b->failed = 0;
		b->most = 1;
		b->times++;
		b->trouble[0] = '\0';
	}
	if (b->most < BRSKI_PLACES)
		b->most++;
	return was_away;
}

static bool was_silent(const struct brski_back_end *b, uint64_t job)
{
	for (unsigned i = 0; i < b->n_silent; i++)
		if (b->silent[i] == job)
			return true;
	return false;
}

static bool probe_failed(struct brski_back_end *b, int64_t now, long pause)
{
	b->failed++;
	b->probe_at = now + pause;
	return false;
}

bool brski_back_end_silent(struct brski_back_end *b, uint64_t job, bool probe, int64_t now, long pause)
{
	b->ended = now;
	if (b->away)
		return probe ? probe_failed(b, now, pause) : false;
	if (was_silent(b, job))
		return false;
	if (b->n_silent == 0)
		b->silent_since = now;
	b->silent[b->n_silent++] = job;
	if (b->n_silent < BRSKI_BACK_END_SILENT)
		return false;
	b->away = true;
	b->failed = 1;
	b->probe_at = now + pause;
	return true;
}

bool brski_back_end_bring_forward(struct brski_back_end *b, int64_t now)
{
	if (b->probing || now - b->ended < BRSKI_BACK_END_WAKE_MS)
		return false;
	if (b->probe_at > now)
		b->probe_at = now;
	return true;
}

bool brski_back_end_is_idle(const struct brski_back_end *b, int64_t since)
{
	if (b->tasks > 0 || b->shares > 0 || b->running > 0 || b->more)
		return false;
	return b->ended < since || (!b->away && b->n_silent == 0 && b->most >= BRSKI_PLACES);
}
