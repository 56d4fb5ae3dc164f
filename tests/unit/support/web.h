/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TESTS_WEB_H
#define BRSKI_TESTS_WEB_H

#include <pthread.h>
#include <stdatomic.h>

#include <openssl/ssl.h>

#include "eap_brski/pki/cert.h"
#include "eap_brski/transport/http.h"
#include "tests/unit/support/pki.h"

/*
 * An HTTP or HTTPS server on a port of 127.0.0.1, in threads of its own, that says what a test
 * wants. Whatever goes wrong of itself aborts the test program.
 */
#define WEB_CONNECTIONS_MAX 1024

struct web_request {
	char head[8192]; /* request line and fields, as they came */
	struct brski_http http;
	unsigned connection; /* counted from 1 */
	char client[256];    /* subject of the client's certificate; "" without one */
};

/*
 * Fills raw with what goes out, status line and all. Empty: the connection is closed. One request
 * at a time calls it.
 */
typedef void web_handler(void *ctx, const struct web_request *request, struct brski_buf *raw);
struct web;
/* For tests that look on; may sleep, and many requests at a time call it. */
typedef void web_watch(const struct web *web, const struct web_request *request);

struct web {
	int port;
	unsigned delay_ms;            /* before every answer; outside the one-at-a-time */
	web_watch *arrived, *leaving; /* when a request is there, and when its answer goes out; or NULL */
	unsigned n_connections;
	atomic_uint n_requests;
	/* private */
	int listener;
	SSL_CTX *ssl;
	web_handler *handler;
	void *ctx;
	pthread_t thread;
	pthread_mutex_t lock, turn;
	bool stop;
	int fds[WEB_CONNECTIONS_MAX];
	pthread_t threads[WEB_CONNECTIONS_MAX];
};

/* The first of the ports that the system gives to clients. */
int web_first_client_port(void);
/*
 * tls NULL: HTTP. A client may show any certificate. Its port is none that clients get: one that nobody is at any more does not become
 * that of another connection, or of the one that is just trying to reach it.
 */
void web_start(struct web *web, const struct brski_credential *tls, web_handler *handler, void *ctx);
void web_stop(struct web *web);

/* "HTTP/1.1 STATUS x", fields, body. */
void web_say(struct brski_buf *raw, const struct brski_http *answer);
void web_say_text(struct brski_buf *raw, unsigned status, const char *type, const char *body);

#endif
