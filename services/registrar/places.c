/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/places.h"

#define MASAS_MAX 384 /* to all MASAs: the rest is the PKI's */
#define PKI_MAX 256

bool brski_places_has_room(const struct brski_places *places, enum brski_job_kind kind, unsigned own)
{
	unsigned pki = places->running[BRSKI_JOB_CMP], masas = places->running[BRSKI_JOB_VOUCHER];

	if (pki + masas >= BRSKI_PLACES)
		return false;
	return kind == BRSKI_JOB_CMP ? pki < PKI_MAX : own < MASAS_MAX - masas;
}
