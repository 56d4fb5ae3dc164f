/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TESTS_HTTP_LAB_H
#define BRSKI_TESTS_HTTP_LAB_H

#include <openssl/ssl.h>

#include "services/base/http_server.h"
#include "tests/unit/support/pki.h"

/*
 * An HTTP server on loopback, its event loop, and clients of it that send whatever octets a test
 * wants, all in one thread: whoever waits for something lets the loop turn. Whatever does not come
 * within some seconds fails the test.
 */

#define HTTP_LAB_HELD_MAX 16
#define HTTP_LAB_LOG_MAX 65536

struct http_lab {
	struct http_server_config config; /* what a test may change before http_lab_start() */
	struct event_base *base;
	struct http_server *server;
	struct brski_credential tls;
	int port;
	bool hold; /* exchanges are kept, and not answered with 200 "ok" */
	struct http_exchange *held[HTTP_LAB_HELD_MAX];
	unsigned n_held;
	bool vouch;         /* for whoever asks */
	const char *answer; /* instead of "ok" */
	/* Makes an answer in place of "ok"; the note is for the log. NULL: none does. */
	const char *(*respond)(struct brski_http *response);
	/* what happened */
	unsigned requests; /* of them `seen` is the last */
	struct brski_http seen;
	char peer[80];         /* its address */
	unsigned certificates; /* in the chain of the last one */
	unsigned closed;       /* connections with data; each has some */
	char log[HTTP_LAB_LOG_MAX];
};

/* With TLS or without; limits that no test reaches by chance. */
void http_lab_init(struct http_lab *lab, bool tls);
void http_lab_start(struct http_lab *lab);
void http_lab_stop(struct http_lab *lab);
/* Once more around the loop, and no longer than a millisecond. */
void http_lab_turn(struct http_lab *lab);
/* The exchange that was held first is answered with 200 and this text. */
void http_lab_reply(struct http_lab *lab, const char *text);
void http_lab_await_requests(struct http_lab *lab, unsigned requests);
void http_lab_await_closed(struct http_lab *lab, unsigned closed);
/* How often such words stand in the log. */
unsigned http_lab_logged(const struct http_lab *lab, const char *words);

struct http_peer {
	struct http_lab *lab;
	int fd;
	const char *ciphers; /* of TLS 1.2; NULL: all */
	SSL_CTX *ctx;
	SSL *ssl; /* NULL: octets go as they are */
	char heard[HTTP_LAB_LOG_MAX];
	size_t n_heard;
	bool gone;    /* the server has closed */
	bool said_so; /* ... after close_notify (RFC 8446 6.1) */
};

/* From an address of 127.0.0.0/8. */
void http_peer_connect(struct http_peer *peer, struct http_lab *lab, const char *from);
/* A handshake, to its end; version 0: any. False: it failed. */
bool http_peer_shake(struct http_peer *peer, const struct brski_credential *client, int version);
void http_peer_send(struct http_peer *peer, const void *octets, size_t len);
void http_peer_say(struct http_peer *peer, const char *text);
/* What is there already is taken. */
void http_peer_hear(struct http_peer *peer);
/* Until what was heard has these words. */
void http_peer_await(struct http_peer *peer, const char *words);
void http_peer_await_gone(struct http_peer *peer);
/* After some turns, too. */
void http_peer_expect_there(struct http_peer *peer);
/* The status of the answer to this. The connection stays. */
unsigned http_peer_ask(struct http_peer *peer, const char *text);
void http_peer_close(struct http_peer *peer);

#endif
