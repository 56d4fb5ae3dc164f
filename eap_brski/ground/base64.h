/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_GROUND_BASE64_H
#define BRSKI_GROUND_BASE64_H

#include "eap_brski/ground/bytes.h"

/*
 * Base64 as RFC 4648 has it, appended to *out. Encoding fails when memory is out
 * (BRSKI_NO_MEMORY). Decoding takes text with or without padding and refuses anything else as
 * BRSKI_MALFORMED: white space, other characters, a wrong length, bits left over that are not zero
 * (3.5); *out is then as it was.
 */

/* RFC 4648 4; encoding writes the padding. */
BRSKI_CHECKED enum brski_code brski_base64_encode(struct brski_span in, struct brski_buf *out);
BRSKI_CHECKED enum brski_code brski_base64_decode(
	struct brski_span in, struct brski_buf *out, struct brski_error *err);
/* The URL-safe alphabet (RFC 4648 5), which RFC 8995's example nonces use. */
BRSKI_CHECKED enum brski_code brski_base64url_decode(
	struct brski_span in, struct brski_buf *out, struct brski_error *err);

#endif
