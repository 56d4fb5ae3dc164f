/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_GROUND_URL_H
#define BRSKI_GROUND_URL_H

#include "eap_brski/ground/bytes.h"

/*
 * The one rule for the addresses of MASAs and PKIs, wherever they come from: a setting, a command, a
 * database, a certificate (RFC 3986):
 *
 *   https://HOST[:PORT][/PATH]        or http://, where that is allowed; the scheme in any case
 *
 * HOST is a name of letters, digits, '-', '.' and '_', or an IPv4 address, or an IPv6 address in
 * brackets; PORT is 1 to 65535. No user or password (RFC 9110 4.2.4), no query and no fragment: what
 * is called is the path with an operation behind it (RFC 8995 2.3.2, RFC 9811 3.6).
 */
enum brski_url_schemes { BRSKI_URL_HTTPS, BRSKI_URL_HTTP_TOO };

/*
 * Copies url, with its scheme in small letters, into out[size] if it is as the rule says; else out is
 * "", and err says in words what is wrong with it. BRSKI_UNSUPPORTED: another scheme; BRSKI_TOO_LARGE:
 * out is too small; else BRSKI_MALFORMED. out and url may not overlap.
 */
BRSKI_CHECKED enum brski_code brski_url_read(struct brski_span url, enum brski_url_schemes schemes, char *out,
	size_t size, struct brski_error *err);

/*
 * Where a reference leads that came with an answer from `base`, an absolute URL as above (RFC 3986 5.2,
 * RFC 9110 10.2.2): to an absolute URL, to another host ("//HOST/PATH"), or to a path, query or both on
 * the same one. *out gets an absolute URL with a path, without "." and ".." in it; it may have a query;
 * a fragment is left out. Refused as above, and so is a path that begins with "//", which one program
 * takes for a path and the next one for a host.
 */
BRSKI_CHECKED enum brski_code brski_url_resolve(
	const char *base, struct brski_span reference, char *out, size_t size, struct brski_error *err);
/*
 * The same scheme, host (in whatever letter case) and port, also where one of them leaves out the port
 * that its scheme has anyway (RFC 9110 4.3.1). Both are URLs as brski_url_read() or brski_url_resolve()
 * writes them; false for what is none.
 */
bool brski_url_same_origin(const char *a, const char *b);
/*
 * Is each of these, with commas or blanks between them, HOST[:PORT] as in a URL? The error names the
 * first that is not. "" is right, too.
 */
BRSKI_CHECKED enum brski_code brski_url_hosts_check(const char *hosts, struct brski_error *err);
/* Is the URL at one of such hosts? One that has no port means the port of the URL's scheme. */
bool brski_url_is_at(const char *url, const char *hosts);

#endif
