/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TESTS_HTTPS_CONNECTION_H
#define BRSKI_TESTS_HTTPS_CONNECTION_H

#include <sys/socket.h>

#include "eap_brski/pki/credential.h"
#include "eap_brski/transport/http.h"

/*
 * One connection of a device: HTTP/1.1 over TLS, whose server is taken as it comes (RFC 8995 5.1), with
 * calls that block. Written against OpenSSL and sockets, and nothing that the servers are made of.
 */
struct connection;

struct connection_target {
	struct sockaddr_storage address;
	socklen_t address_len;
	const char *authority; /* for the Host field */
	const char *source;    /* an IPv4 address of our own; NULL: any */
	bool tls12;            /* no newer one */
	unsigned timeout_ms;   /* without an octet */
};

/* "ADDRESS:PORT" or "[ADDRESS]:PORT", which target->authority becomes. */
BRSKI_CHECKED bool connection_target_parse(const char *text, struct connection_target *target);

/* credential->cert may be NULL: no client certificate is shown. */
BRSKI_CHECKED enum brski_code connection_open(const struct connection_target *target,
	const struct brski_credential *credential, struct connection **out, struct brski_error *err);
/* Leaves at once, without a word, if `abrupt`: the other side gets a reset. NULL is allowed. */
void connection_close(struct connection *c, bool abrupt);

/* The server's, leaf first, as it was sent. Borrowed. */
const STACK_OF(X509) *connection_chain(const struct connection *c);
/* A request's octets, appended. */
void connection_write_request(
	const struct connection *c, const struct brski_http *request, struct brski_buf *out);
BRSKI_CHECKED enum brski_code connection_send(
	struct connection *c, struct brski_span octets, struct brski_error *err);
/* One response. BRSKI_UNAVAILABLE: the connection is gone, or nothing comes. */
BRSKI_CHECKED enum brski_code connection_receive(
	struct connection *c, struct brski_http *response, struct brski_error *err);
/* The server said that it closes the connection after its last response (RFC 9112 9.6). */
bool connection_closes(const struct connection *c);
/* Of all that was sent and received as HTTP. */
size_t connection_octets_up(const struct connection *c);
size_t connection_octets_down(const struct connection *c);

#endif
