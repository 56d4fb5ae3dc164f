/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/places.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MASAS_MAX 384 /* to all MASAs: the rest is the PKI's */
#define PKI_MAX 256

struct brski_place {
	struct brski_place *next;
	enum brski_job_kind kind;
	unsigned running;
	char origin[BRSKI_URL_MAX + 64];
};

static struct brski_place **find(
	struct brski_place *const *first, enum brski_job_kind kind, const char *origin)
{
	struct brski_place *const *p = first;

	while (*p && ((*p)->kind != kind || strcmp((*p)->origin, origin) != 0))
		p = &(*p)->next;
	return (struct brski_place **)(uintptr_t)p;
}

bool brski_places_has_room(const struct brski_places *places, enum brski_job_kind kind, const char *origin)
{
	unsigned pki = places->running[BRSKI_JOB_CMP], masas = places->running[BRSKI_JOB_VOUCHER];
	const struct brski_place *own;

	if (pki + masas >= BRSKI_PLACES)
		return false;
	if (kind == BRSKI_JOB_CMP)
		return pki < PKI_MAX;
	own = *find(&places->first, kind, origin);
	return (own ? own->running : 0) < MASAS_MAX - masas;
}

struct brski_place *brski_places_take(
	struct brski_places *places, enum brski_job_kind kind, const char *origin)
{
	struct brski_place *p = *find(&places->first, kind, origin);

	if (!p) {
		p = calloc(1, sizeof(*p));
		if (!p)
			return NULL;
		p->kind = kind;
		snprintf(p->origin, sizeof(p->origin), "%s", origin);
		p->next = places->first;
		places->first = p;
	}
	p->running++;
	places->running[kind]++;
	return p;
}

void brski_places_give_back(struct brski_places *places, struct brski_place *place)
{
	if (!place)
		return;
	places->running[place->kind]--;
	if (--place->running > 0)
		return;
	*find(&places->first, place->kind, place->origin) = place->next;
	free(place);
}
