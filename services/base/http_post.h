/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BASE_HTTP_POST_H
#define BRSKI_SERVICES_BASE_HTTP_POST_H

#include "eap_brski/transport/http.h"

/* What a service that takes POST alone says to everything else. */

/*
 * 0: the request is a POST of this media type; else the status that answers it, 405 (RFC 9110
 * 15.5.6) or 415 (15.5.16), and *err has the words. A content coding over the body is 415, too.
 */
unsigned http_post_check(const struct brski_http *request, const char *media, struct brski_error *err);

/*
 * A response of a status that is an error, with words in plain text; 405 says what is allowed, and 415
 * that no content coding is. Frees what *response held. BRSKI_NO_MEMORY.
 */
BRSKI_CHECKED enum brski_code http_post_refuse(
	struct brski_http *response, unsigned status, const char *words, struct brski_error *err);

#endif
