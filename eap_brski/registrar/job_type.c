/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "eap_brski/registrar/registrar_internal.h"

/* The types of jobs, a file each. */

static const struct brski_job_type *const types[] = {
	&brski_job_type_voucher,
	&brski_job_type_cmp,
	&brski_job_type_est,
};
#define N_TYPES (sizeof(types) / sizeof(types[0]))

const struct brski_job_type *brski_job_type(size_t i)
{
	return i < N_TYPES ? types[i] : NULL;
}

const struct brski_job_type *brski_job_type_named(const char *name)
{
	for (size_t i = 0; name && i < N_TYPES; i++) {
		if (strcmp(types[i]->name, name) == 0)
			return types[i];
	}
	return NULL;
}
