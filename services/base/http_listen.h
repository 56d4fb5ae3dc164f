/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BASE_HTTP_LISTEN_H
#define BRSKI_SERVICES_BASE_HTTP_LISTEN_H

#include <openssl/ssl.h>

#include "eap_brski/pki/credential.h"

/*
 * A listening socket for "127.0.0.1:8443" or "[::1]:0", not blocking; *fd is the caller's to close,
 * -1 without success. bound gets the address as the kernel sees it. BRSKI_MALFORMED: no address, or
 * no host of that name; BRSKI_UNAVAILABLE: the kernel refuses, since the port is in use for one.
 */
#define HTTP_ADDRESS_MAX 80
BRSKI_CHECKED enum brski_code http_listen(
	const char *address, int *fd, char bound[HTTP_ADDRESS_MAX], struct brski_error *err);

/*
 * TLS 1.2 or later (RFC 8995 5.4); a client may show a certificate, and whoever answers the request
 * judges it. *out is new, free it with SSL_CTX_free(); it has references of its own to what
 * `server` holds. BRSKI_INTERNAL.
 */
BRSKI_CHECKED enum brski_code http_tls_new(
	const struct brski_credential *server, SSL_CTX **out, struct brski_error *err);

/*
 * Raises the process's limit on open files, where it is too low for `wanted` more than are open now
 * and some for other ends. *got: how many that are: `wanted`, or what the hard limit leaves, 1 at
 * least. BRSKI_INTERNAL.
 */
BRSKI_CHECKED enum brski_code http_files_for(unsigned wanted, unsigned *got, struct brski_error *err);

#endif
