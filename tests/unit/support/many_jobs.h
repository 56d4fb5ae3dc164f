/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TESTS_UNIT_SUPPORT_MANY_JOBS_H
#define BRSKI_TESTS_UNIT_SUPPORT_MANY_JOBS_H

#include "tests/unit/support/visit.h"

/* Thousands of requests of one device, that cost no signature each. What goes wrong fails the test. */

/* One whole, of a voucher or a certificate, as the registrar keeps it: *blob is to be freed. */
void many_jobs_take(struct visit *v, const char *path, const char *type, struct brski_buf *blob);
/*
 * The same request, another time: with other octets in its last signature, and the key that these have.
 * The device is site->idevid's. *out is to be freed.
 */
void many_jobs_make(const struct site *site, const struct brski_buf *blob, unsigned number,
	char key[BRSKI_FINGERPRINT_MAX], struct brski_buf *out);
/* As a job; the caller's. */
struct brski_job *many_jobs_another(struct site *site, const struct brski_buf *blob, unsigned number);

#endif
