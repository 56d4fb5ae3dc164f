/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TRANSPORT_HTTP_FOLLOW_H
#define BRSKI_TRANSPORT_HTTP_FOLLOW_H

#include "eap_brski/transport/http.h"

/* URLs of calls to a MASA or PKI, and where an answer may send them. */

/* Octets of scheme, "://" and authority at the front of a URL (RFC 3986 3.2); 0 if it has none. */
size_t brski_http_origin_len(const char *url);
/* The target of a request to this URL: its path and what follows it; "/" where it has none. Borrowed. */
const char *brski_http_target(const char *url);

struct brski_http_hosts {
	const char *names;    /* brski_url_is_at(); "": none */
	const char *named_by; /* the setting, for the words of a refusal */
};
/*
 * RFC 8995 5.8: an audit log may be at another place, told by 201 with Location, absolute or relative to
 * what was asked (RFC 9110 10.2.2, brski_url_resolve()). It is followed at the same scheme, host and port,
 * and at those hosts of the same scheme that the operator names, so that nobody sends us through the
 * network. out gets the absolute URL; at the same host it is written with the scheme and authority that
 * were asked. Else "" is in out, and err says in words why: BRSKI_NOT_FOUND: there is no Location, or an
 * empty one; BRSKI_REFUSED: it is at another host or scheme; else what brski_url_resolve() says.
 */
BRSKI_CHECKED enum brski_code brski_http_follow(const struct brski_http *answer, const char *asked,
	const struct brski_http_hosts *others, char *out, size_t size, struct brski_error *err);

#endif
