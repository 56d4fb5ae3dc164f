/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TRANSPORT_HTTP_FOLLOW_H
#define BRSKI_TRANSPORT_HTTP_FOLLOW_H

#include "eap_brski/transport/http.h"

/* URLs of calls to a MASA or PKI, and where an answer may send them. */

/* Octets of scheme, "://" and authority at the front of a URL (RFC 3986 3.2); 0 if it has none. */
size_t brski_http_origin_len(const char *url);
/* The target of a request to this URL: its path and what follows it; "/" where it has none. Borrowed. */
const char *brski_http_target(const char *url);

/*
 * RFC 8995 5.8: an audit log may be at another place, told by 201 with Location. It is followed at
 * the same scheme and authority only, so that nobody sends us through the network: Location is a
 * path, or an absolute URL whose scheme and authority are those of the URL that was asked (in
 * whatever letter case), with a path that brski_http_is_path() takes and that does not begin with
 * "//". out gets the absolute URL, written with the scheme and authority that were asked. False, and
 * "" in out: there is no Location, or it is not to be followed, or does not fit.
 */
BRSKI_CHECKED bool brski_http_follow(
	const struct brski_http *answer, const char *asked, char *out, size_t size);

#endif
