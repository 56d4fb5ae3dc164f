/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BASE_HTTP_SERVER_INTERNAL_H
#define BRSKI_SERVICES_BASE_HTTP_SERVER_INTERNAL_H

#include <event2/event_struct.h>
#include <openssl/ssl.h>

#include "eap_brski/ground/log_limit.h"
#include "services/base/http_listen.h"
#include "services/base/http_server.h"
#include "services/base/http_server_reader.h"
#include "services/base/http_server_shares.h"

/*
 * http_server.c listens and decides who may have a connection; http_server_connection.c moves one on
 * as far as its socket lets it, within its times; http_server_tls.c is its TLS; http_server_exchange.c
 * has the owner's side of a request, and the answer; http_server_log.c what is said of all that.
 */

/* Lines that anybody can cause: of each kind one a minute. */
enum http_line {
	HTTP_LINE_SHARE,   /* an address, or a certificate, has its share */
	HTTP_LINE_FULL,    /* all connections are taken */
	HTTP_LINE_TLS,     /* TLS failed, in the handshake or later */
	HTTP_LINE_TIME,    /* somebody took too long */
	HTTP_LINE_CUT,     /* a connection ended within a request, or an answer */
	HTTP_LINE_REQUEST, /* a request that is none */
	HTTP_LINE_REPLY,   /* answers to strangers, and refusals, beyond so many a minute */
	HTTP_LINES
};

enum http_state {
	HTTP_SHAKING, /* hands; without TLS nothing is to do there */
	HTTP_IDLE,    /* not an octet of a request yet */
	HTTP_READING,
	HTTP_WORKING, /* the owner is at it: no time counts, nothing is read */
	HTTP_WRITING,
	HTTP_LEAVING, /* all is said: what still comes is thrown away, so that the answer gets there */
};

struct http_exchange {
	struct http_connection *connection;
	struct brski_http request;
};

struct http_connection {
	struct http_connection *next;
	struct http_connection **link; /* what points at this one */
	struct http_server *server;
	evutil_socket_t fd;
	SSL *ssl; /* NULL: HTTP without TLS */
	struct event event;
	bool silent;       /* not an octet came yet */
	bool running;      /* further up in this call stack */
	short want;        /* EV_READ or EV_WRITE: what it waits for */
	int64_t deadline;  /* ms; 0: none */
	int64_t heard;     /* ms: when the last octet came */
	size_t octets;     /* that TLS may still take before others have their turn */
	size_t handshake;  /* octets of it so far */
	unsigned messages; /* of the handshake's kind since it was over */
	bool ended;        /* the client sends nothing more */
	enum http_state state;
	struct http_reader reader;
	struct brski_buf input;  /* read, and not looked at yet: begun or whole requests behind this one */
	struct brski_buf output; /* from `sent` on */
	size_t sent;
	bool answered; /* output is the answer; else it is 100 (Continue) */
	bool close;    /* behind the answer */
	unsigned requests;
	struct http_exchange exchange;
	STACK_OF(X509) *chain; /* the client's own first; NULL: none */
	bool known;
	struct http_share *address, *certificate;
	void *data; /* the owner's */
	char peer[HTTP_ADDRESS_MAX];
};

struct http_server {
	struct event_base *base;
	struct event *accepting, *resuming, *telling;
	int listener;
	SSL_CTX *tls;
	BIO_METHOD *transport;
	const struct brski_env *env;
	size_t max_body, max_headers;
	bool queries, vouches;
	int64_t handshake_ms, request_ms, idle_ms;
	unsigned requests_max, max_connections, share, proxy_share, certificate_share;
	struct http_holder proxies[SETTING_LIST_MAX];
	size_t n_proxies;
	http_handler *handler;
	void (*closed)(void *ctx, void *data);
	void *ctx;
	struct http_connection *connections;
	unsigned n_connections;
	struct http_shares addresses, certificates;
	struct brski_log_limit lines[HTTP_LINES];
	int64_t replies_since; /* ms */
	unsigned replies;      /* lines of HTTP_LINE_REPLY's kind since then */
};

/* http_server_connection.c. Takes fd over; NULL: no memory, or no TLS, and fd is closed. */
struct http_connection *http_connection_new(struct http_server *server, evutil_socket_t fd, const char *peer);
void http_connection_free(struct http_connection *c);
/* The same, after it has said so. */
void http_connection_end(struct http_connection *c);
/* As far as it goes. It may be gone then. */
void http_connection_run(struct http_connection *c);
/* The owner's answer. The request is freed, and the connection may be gone then. */
void http_connection_answer(struct http_connection *c, const struct brski_http *response);
/* ms since the last octet came, until now; negative: a request is being read, worked on or answered. */
int64_t http_connection_quiet(const struct http_connection *c, int64_t now);

/* http_server.c: a connection of its list is freed. */
void http_server_has_room(struct http_server *server);
/* Is this one more of its certificate's? Another idle one of these may be closed for it. */
BRSKI_CHECKED bool http_server_admits(struct http_connection *c);

/* http_server_tls.c: what became of an attempt. */
enum http_io { HTTP_IO_DONE, HTTP_IO_WAIT /* c->want */, HTTP_IO_ENDED, HTTP_IO_FAILED };
BRSKI_CHECKED BIO_METHOD *http_transport_new(void);
BRSKI_CHECKED bool http_tls_begin(struct http_connection *c);
enum http_io http_tls_shake(struct http_connection *c);
/* With or without TLS. *n: octets. */
enum http_io http_read_some(struct http_connection *c, uint8_t *to, size_t size, size_t *n);
enum http_io http_write_some(struct http_connection *c, const uint8_t *from, size_t size, size_t *n);
void http_tls_end(struct http_connection *c);
/* Which limit on what comes by TLS it has met, in words; NULL: none. */
const char *http_tls_limit(const struct http_connection *c);

/* http_server_exchange.c */
void http_exchange_begin(struct http_connection *c);
/* Into c->output. False: no memory. */
BRSKI_CHECKED bool http_answer_write(struct http_connection *c, const struct brski_http *response);

/* http_server_log.c */
void http_line(struct http_server *server, enum http_line kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* One line for each answer, within limits. */
void http_line_reply(const struct http_connection *c, unsigned status, const char *note);
/* Once a minute: how many lines of each kind were left out. */
void http_lines_tell(struct http_server *server);

#endif
