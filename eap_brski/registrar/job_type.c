/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "eap_brski/registrar/registrar_internal.h"

/* The kinds of jobs, a row and a file each. */

static const struct brski_job_type *const types[] = {
	[BRSKI_JOB_VOUCHER] = &brski_job_type_voucher,
	[BRSKI_JOB_CMP] = &brski_job_type_cmp,
};
#define N_TYPES (sizeof(types) / sizeof(types[0]))

const struct brski_job_type *brski_job_type(enum brski_job_kind kind)
{
	return (size_t)kind < N_TYPES ? types[kind] : NULL;
}

const struct brski_job_type *brski_job_type_named(const char *name)
{
	for (size_t i = 0; name && i < N_TYPES; i++) {
		if (strcmp(types[i]->name, name) == 0)
			return types[i];
	}
	return NULL;
}
