/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TRANSPORT_HTTP_BINARY_H
#define BRSKI_TRANSPORT_HTTP_BINARY_H

#include "eap_brski/transport/http.h"

/*
 * HTTP messages on the wire inside the tunnel: a four-octet length, then an RFC 9292 known-length
 * message.
 */
#define BRSKI_HTTP_MESSAGE_MAX 65535

/* Appends length and message. */
BRSKI_CHECKED enum brski_code brski_http_encode(
	const struct brski_http *msg, struct brski_buf *out, struct brski_error *err);
/*
 * Takes one message from the front of *in. *complete is false, and *in untouched, when more octets
 * are needed. limit: octets of a message without its length; 0 for BRSKI_HTTP_MESSAGE_MAX. Refuses
 * informational responses, trailers that are not empty, indeterminate-length framing, and padding
 * that is not zero (RFC 9292 3.8). What *out held is freed; on failure *in is untouched and *out
 * zeroed.
 */
BRSKI_CHECKED enum brski_code brski_http_decode(
	struct brski_span *in, size_t limit, struct brski_http *out, bool *complete, struct brski_error *err);

#endif
