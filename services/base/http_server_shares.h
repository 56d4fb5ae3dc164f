/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BASE_HTTP_SERVER_SHARES_H
#define BRSKI_SERVICES_BASE_HTTP_SERVER_SHARES_H

#include <stdbool.h>
#include <sys/socket.h>

#include <openssl/x509.h>

#include "eap_brski/ground/error.h"

/* How many of a thing each of its holders has: of connections each address, or each certificate. */

#define HTTP_HOLDER_LEN 32
struct http_holder {
	uint8_t octets[HTTP_HOLDER_LEN];
};

/*
 * An address as a holder: IPv4 by itself, also where it is mapped into IPv6; IPv6 by its first 64
 * bits, since a host has all addresses below these to choose from (RFC 7934); a link-local address,
 * whose first 64 bits all have in common, by itself and its interface. whole: never by 64 bits.
 */
struct http_holder http_holder_address(const struct sockaddr_storage *at, bool whole);
/* "192.0.2.1", "2001:db8::1", "fe80::1%eth0". BRSKI_MALFORMED: it is none. The holder is whole. */
BRSKI_CHECKED enum brski_code http_holder_read(
	const char *text, struct http_holder *out, struct brski_error *err);
/* A certificate as a holder. False: OpenSSL has no memory. */
BRSKI_CHECKED bool http_holder_certificate(const X509 *cert, struct http_holder *out);

struct http_share {
	struct http_holder holder;
	unsigned n;
};
/* All zero is empty. */
struct http_shares {
	void *tree;
};

/* NULL: the holder has none. */
struct http_share *http_share_of(const struct http_shares *shares, const struct http_holder *holder);
/*
 * One more for the holder, if that is not more than `most`; give it back with http_share_leave().
 * False, and *out NULL: it has its share, or there is no memory.
 */
BRSKI_CHECKED bool http_share_enter(
	struct http_shares *shares, const struct http_holder *holder, unsigned most, struct http_share **out);
/* share may be NULL. When nobody holds anything, nothing is left to free. */
void http_share_leave(struct http_shares *shares, struct http_share *share);

#endif
