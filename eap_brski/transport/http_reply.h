/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TRANSPORT_HTTP_REPLY_H
#define BRSKI_TRANSPORT_HTTP_REPLY_H

#include "eap_brski/transport/http.h"

/*
 * Responses in words: what a server says where it has nothing better to send. RFC 8995 5.6 has
 * them as plain text for people.
 */
#define BRSKI_MEDIA_TEXT "text/plain; charset=utf-8"

/* A response with this status and text; the words go to the peer as they are. Frees what *response held. */
BRSKI_CHECKED enum brski_code brski_http_reply_text(
	struct brski_http *response, unsigned status, const char *text, struct brski_error *err);
/* The same, and Retry-After (RFC 9110 10.2.3) in seconds. */
BRSKI_CHECKED enum brski_code brski_http_reply_later(struct brski_http *response, unsigned status,
	long seconds, const char *text, struct brski_error *err);
/*
 * The other side: the words of such a response, printable, cut to fit, without line ends behind
 * them; "" where it is of another type.
 */
void brski_http_reply_words(const struct brski_http *response, char *out, size_t size);

#endif
