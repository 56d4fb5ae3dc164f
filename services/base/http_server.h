/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BASE_HTTP_SERVER_H
#define BRSKI_SERVICES_BASE_HTTP_SERVER_H

#include <event2/event.h>

#include "eap_brski/ground/env.h"
#include "eap_brski/pki/credential.h"
#include "eap_brski/transport/http.h"
#include "services/base/settings.h"

/* An HTTP or HTTPS listener in an event loop. It carries messages and judges nothing. */
struct http_server;
struct http_exchange; /* one request that waits for its answer */

struct http_server_config {
	const char *listen;                 /* "127.0.0.1:8443", "[::1]:0"; port 0: any free one */
	const struct brski_credential *tls; /* NULL: HTTP without TLS. Must stay alive */
	const struct brski_env *env;        /* where the log goes. Must stay alive */
	size_t max_body;                    /* octets; a longer one is answered with 413 */
	bool queries; /* a target's query stands behind the path, "/a?b"; else it is answered with 404 */
	size_t max_headers; /* octets, the request line among them */
	int timeout;        /* seconds: what the next three are when they are 0 */
	int handshake_ms;   /* for a whole TLS handshake */
	int request_ms;     /* for a whole request from its first octet, and for a client to take an answer */
	int idle_ms;        /* between an answer and the first octet of the next request */
	unsigned requests_max; /* of one connection; 0: no bound */
	/*
	 * More wait in the kernel's queue; before that, idle connections are closed of clients that are
	 * not known.
	 */
	unsigned max_connections;
	/*
	 * Connections of one address (IPv6: of one /64), and of one of the addresses in `proxies`. 0, or
	 * more than that: three quarters of max_connections, so that nobody can take them all.
	 */
	unsigned share, proxy_share;
	const struct setting_list *proxies; /* addresses; NULL: none. Read in http_server_new() alone */
	/* The owner says by http_exchange_vouch() who is known; else it is whoever shows a certificate. */
	bool vouches;
	unsigned certificate_share; /* connections of one client certificate; 0: no bound */
	/*
	 * A connection whose http_exchange_data() is not NULL is gone, and its last exchange was replied
	 * to. NULL: nobody asks. ctx is the handler's.
	 */
	void (*closed)(void *ctx, void *data);
};

/*
 * Called once for each request that is HTTP. It must call http_exchange_reply() once, at once or
 * later in the same loop; meanwhile nothing closes the connection. A line of log is written then,
 * and for what does not get here; of lines that strangers and refusals cause some a minute.
 */
typedef void http_handler(void *ctx, struct http_exchange *ex);

/*
 * Listens. The limit on open files is raised where it is too low for max_connections; as far as
 * that may not be, there are fewer, and the log says so. Open everything else before. *out is new,
 * NULL without success. Errors of http_listen(), http_tls_new() and http_files_for();
 * BRSKI_NO_MEMORY; BRSKI_MALFORMED: a proxy is no address.
 */
BRSKI_CHECKED enum brski_code http_server_new(struct event_base *base,
	const struct http_server_config *config, http_handler *handler, void *ctx, struct http_server **out,
	struct brski_error *err);
/* Closes all connections, and calls `closed` for each that has data; exchanges are void. */
void http_server_free(struct http_server *server);

/* Borrowed from the exchange, as the client's certificate and its address are: gone with the reply. */
const struct brski_http *http_exchange_request(const struct http_exchange *ex);
/*
 * The client's TLS certificate; NULL if it has shown none. That it has its key is certain; nothing
 * else of it is judged.
 */
const X509 *http_exchange_client(const struct http_exchange *ex);
/*
 * What the client sent in the handshake, its own certificate first; NULL if none. Borrowed from the
 * connection: until `closed` is called, so that an owner's data may keep it.
 */
const STACK_OF(X509) *http_exchange_chain(const struct http_exchange *ex);
/* What the owner keeps with the exchange's connection: NULL at first, its own to free in `closed`. */
void **http_exchange_data(struct http_exchange *ex);
const char *http_exchange_peer(const struct http_exchange *ex); /* address in text */
/*
 * The client of this connection is known: for others' sake it is not closed, and each of its answers
 * that is no refusal has its line in the log.
 */
void http_exchange_vouch(struct http_exchange *ex);
/*
 * Takes what *response holds, and frees the exchange; perhaps its connection, too, and its data by
 * `closed`. A field "connection" that says "close" ends the connection behind it. note: a word for the
 * log, may be NULL. Harmless when the client has gone. In the loop's thread alone.
 */
void http_exchange_reply(struct http_exchange *ex, struct brski_http *response, const char *note);

#endif
