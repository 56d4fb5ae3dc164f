/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TESTS_RADIUS_H
#define BRSKI_TESTS_RADIUS_H

#include <pthread.h>
#include <stdatomic.h>

#include "eap_brski/ground/bytes.h"

/*
 * A RADIUS server on loopback that answers as a test wants, rightly or not, in a thread of its own. It
 * makes its packets by itself: RFC 2865 3, RFC 3579 3.2.
 */
struct asked_server {
	/* In the server's thread, for each datagram. */
	void (*heard)(struct asked_server *s, struct brski_span question);
	void *ctx;        /* the test's */
	uint16_t port;    /* 0: any; that it has then, also after asked_server_stop() */
	char address[32]; /* "127.0.0.1:PORT" */
	atomic_uint questions;
	struct brski_buf last; /* the question that is being heard */
	int fd, other_fd;      /* other_fd has another port */
	pthread_t thread;
	struct brski_buf from; /* a socket's address */
};
void asked_server_start(struct asked_server *s);
void asked_server_stop(struct asked_server *s);

/* To whoever asked last; from the other port, if so. */
void asked_server_send(struct asked_server *s, struct brski_span datagram, bool from_other_port);

#define TEST_RADIUS_SECRET "a-secret-that-nobody-else-knows"

struct asked_lie { /* zeroed: none */
	bool no_mac, bad_mac, short_mac, two_macs, bad_authenticator;
	const char *secret; /* NULL: TEST_RADIUS_SECRET */
};
/* An answer to that question. Free with brski_buf_free(). */
struct brski_buf asked_answer(
	uint8_t code, struct brski_span question, struct brski_span attributes, const struct asked_lie *lie);
/* Attributes for one: of a vendor, RFC 2865 5.26. */
void asked_put_vendor(struct brski_buf *attributes, uint32_t vendor, uint8_t type, struct brski_span value);
/* Is the Message-Authenticator, which must be the first attribute, that of an Access-Request with this secret? */
bool asked_is_signed(struct brski_span question, const char *secret);

#endif
