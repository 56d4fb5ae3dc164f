/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TRANSPORT_LINK_H
#define BRSKI_TRANSPORT_LINK_H

#include "eap_brski/transport/frame.h"

/*
 * A link cuts messages into packets and puts them together again, for either side. It is strictly
 * lock-step: every packet in is answered by one packet out. The server speaks first:
 * brski_link_next gives its Start.
 */
struct brski_link;

enum brski_link_event {
	BRSKI_LINK_START, /* peer: the server's Start has come: queue the first message */
	/* a packet is due right away (next fragment, or an acknowledgement): brski_link_next */
	BRSKI_LINK_SEND,
	BRSKI_LINK_MESSAGE, /* a message is complete: brski_link_message, then queue an answer */
	BRSKI_LINK_WAIT,    /* peer: stay silent wait_ms, then brski_link_next gives the acknowledgement */
	BRSKI_LINK_ACK, /* an acknowledgement of the last fragment, or, at the server, the end of a Wait */
};

/* mtu: octets of a whole EAP packet, BRSKI_MTU_MIN to BRSKI_MTU_MAX. message_max: 0 for BRSKI_MESSAGE_MAX. */
BRSKI_CHECKED enum brski_code brski_link_new(
	bool server, size_t mtu, size_t message_max, struct brski_link **out, struct brski_error *err);
void brski_link_free(struct brski_link *link);

/*
 * One packet from the other side, without the Expanded Type. BRSKI_LINK_WAIT fills *wait_ms (0 <
 * wait_ms <= BRSKI_WAIT_MAX_MS). An error ends the conversation: every later call but free fails.
 */
BRSKI_CHECKED enum brski_code brski_link_receive(struct brski_link *link, struct brski_span packet,
	enum brski_link_event *event, uint16_t *wait_ms, struct brski_error *err);
/* The reassembled message; belongs to the link, until the next one comes, whatever Waits go before. */
struct brski_span brski_link_message(const struct brski_link *link);
/*
 * Queues a message (copied), in answer to START, MESSAGE or ACK, and only when nothing else is
 * queued. An empty message means an acknowledgement. BRSKI_TOO_LARGE over message_max.
 */
BRSKI_CHECKED enum brski_code brski_link_queue(
	struct brski_link *link, struct brski_span message, struct brski_error *err);
/* The next packet to send: Start (server, first), fragment or acknowledgement. *out is reset first. */
BRSKI_CHECKED enum brski_code brski_link_next(
	struct brski_link *link, struct brski_buf *out, struct brski_error *err);
/* Server: a Wait packet instead of an answer to MESSAGE or ACK. *out is reset first. */
BRSKI_CHECKED enum brski_code brski_link_wait(
	struct brski_link *link, uint16_t wait_ms, struct brski_buf *out, struct brski_error *err);

#endif
