/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_ARTIFACTS_STATUS_H
#define BRSKI_ARTIFACTS_STATUS_H

#include "eap_brski/ground/bytes.h"

/* Telemetry of RFC 8995 5.7 (voucher_status) and 5.9.4 (enrollstatus): one JSON form for both. */
struct brski_status {
	bool status;
	char reason[256]; /* "" if absent; printable ASCII */
	/* reason-context, an object or any other value, as JSON text in ASCII; "" if absent or too long */
	char context[512];
	char unknown[128]; /* names of fields that are not known, with commas; printable ASCII */
};

BRSKI_CHECKED enum brski_code brski_status_print(
	const struct brski_status *s, struct brski_buf *json, struct brski_error *err);
/*
 * version must be 1 (or "1", which RFC 8995's own example text has), status a boolean; other
 * members are named and ignored, as 5.7 says.
 */
BRSKI_CHECKED enum brski_code brski_status_parse(
	struct brski_span json, struct brski_status *out, struct brski_error *err);

#endif
