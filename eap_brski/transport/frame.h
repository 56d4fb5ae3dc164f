/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TRANSPORT_FRAME_H
#define BRSKI_TRANSPORT_FRAME_H

#include "eap_brski/ground/bytes.h"

/*
 * EAP-BRSKI packets (docs/protocol, "Packet"): what follows the eight-octet Expanded Type of RFC 3748 5.7.
 *
 *   Flags(1) | Message-Length(4) if L | Wait(2) if W | data
 */
enum {
	BRSKI_FRAME_LENGTH = 0x80, /* L: Message-Length present, first fragment of several */
	BRSKI_FRAME_MORE = 0x40,   /* M: more fragments follow */
	BRSKI_FRAME_START = 0x20,  /* S: the server's first packet, no data */
	BRSKI_FRAME_WAIT = 0x10,   /* W: server only, no data */
	BRSKI_FRAME_RESERVED = 0x08,
	BRSKI_FRAME_VERSION_MASK = 0x07,
	BRSKI_FRAME_VERSION = 1,
};

#define BRSKI_MTU_DEFAULT 1398	     /* octets of a whole EAP packet */
#define BRSKI_MTU_MIN 128
#define BRSKI_MESSAGE_MAX 65535	     /* octets of a reassembled message */
#define BRSKI_WAIT_MAX_MS 25000
#define BRSKI_EAP_OVERHEAD 12	     /* Code, Identifier, Length, Expanded Type with vendor */

struct brski_frame {
	uint8_t flags; /* without the version */
	uint32_t message_len;
	uint16_t wait_ms;
	struct brski_span data;
};

/* Every combination of flags that the specification does not name is BRSKI_MALFORMED. `from_server` tells the direction. */
BRSKI_CHECKED enum brski_code brski_frame_parse(struct brski_span in, bool from_server, struct brski_frame *out,
	struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_frame_write(const struct brski_frame *frame, struct brski_buf *out,
	struct brski_error *err);

/*
 * A link cuts messages into packets and puts them together again, for either side. It is strictly lock-step: every packet
 * in is answered by one packet out.
 */
struct brski_link;

enum brski_link_event {
	BRSKI_LINK_START,   /* peer: the server's Start has come */
	BRSKI_LINK_SEND,    /* a packet is due right away (next fragment, or an acknowledgement): brski_link_next */
	BRSKI_LINK_MESSAGE, /* a message is complete: brski_link_message */
	BRSKI_LINK_WAIT,    /* peer: stay silent wait_ms, then brski_link_next gives the acknowledgement */
	BRSKI_LINK_ACK,	    /* an acknowledgement of the last fragment, or, at the server, the end of a Wait */
};

/* mtu: octets of a whole EAP packet, BRSKI_MTU_MIN at least. message_max: 0 for BRSKI_MESSAGE_MAX. */
BRSKI_CHECKED enum brski_code brski_link_new(bool server, size_t mtu, size_t message_max, struct brski_link **out,
	struct brski_error *err);
void brski_link_free(struct brski_link *link);

/* One packet from the other side. BRSKI_LINK_WAIT fills *wait_ms (0 < wait_ms <= BRSKI_WAIT_MAX_MS). An error ends the conversation. */
BRSKI_CHECKED enum brski_code brski_link_receive(struct brski_link *link, struct brski_span packet,
	enum brski_link_event *event, uint16_t *wait_ms, struct brski_error *err);
/* The reassembled message; belongs to the link, until the next brski_link_receive. */
struct brski_span brski_link_message(const struct brski_link *link);
/* Queues a message (copied). Only when nothing else is queued. An empty message means an acknowledgement. */
BRSKI_CHECKED enum brski_code brski_link_queue(struct brski_link *link, struct brski_span message, struct brski_error *err);
/* The next packet to send: Start (server, first), fragment or acknowledgement. *out is reset first. */
BRSKI_CHECKED enum brski_code brski_link_next(struct brski_link *link, struct brski_buf *out, struct brski_error *err);
/* Server: a Wait packet instead of an answer. */
BRSKI_CHECKED enum brski_code brski_link_wait(struct brski_link *link, uint16_t wait_ms, struct brski_buf *out,
	struct brski_error *err);

#endif
