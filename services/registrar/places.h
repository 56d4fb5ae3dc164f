/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_PLACES_H
#define BRSKI_SERVICES_REGISTRAR_PLACES_H

#include "eap_brski/registrar/registrar.h"

/*
 * The calls that are under way at one time, and who may have how many: a back end that is slow shall
 * take no place that another one needs. The PKI has places that no MASA gets. MASAs share the others,
 * each as many as it leaves free: the first may have half of them, the next one half of the rest, and
 * so on, so that one that has none yet gets some, whatever number of others are slow.
 *
 * Whoever owns it locks it.
 */
#define BRSKI_PLACES 512 /* as many connections as http_client.c has */
struct brski_places {
	unsigned running[2]; /* by enum brski_job_kind: to MASAs, to the PKI */
};

/* May one more be called there? own: calls that are under way to it. */
bool brski_places_has_room(const struct brski_places *places, enum brski_job_kind kind, unsigned own);

#endif
