/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TRANSPORT_FRAME_H
#define BRSKI_TRANSPORT_FRAME_H

#include "eap_brski/ground/bytes.h"

/*
 * EAP-BRSKI packets (docs/protocol.md, "Packet"): what follows the eight-octet Expanded Type of RFC
 * 3748 5.7.
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

#define BRSKI_MTU_DEFAULT 1398 /* octets of a whole EAP packet */
#define BRSKI_MTU_MIN 128
#define BRSKI_MTU_MAX 65535     /* RFC 3748 4: Length has two octets */
#define BRSKI_MESSAGE_MAX 65535 /* octets of a reassembled message */
#define BRSKI_WAIT_MAX_MS 25000
#define BRSKI_EAP_OVERHEAD 12 /* Code, Identifier, Length, Expanded Type with vendor */

struct brski_frame {
	uint8_t flags; /* without the version */
	uint32_t message_len;
	uint16_t wait_ms;
	struct brski_span data;
};

/*
 * The combinations that the specification names, and no other:
 *   none, no data   acknowledgement            L M, data   first of several fragments
 *   none, data      the only or last fragment  M, data     a fragment in between
 *   S, no data      start, server only         W, no data  wait, server only, 1 to BRSKI_WAIT_MAX_MS
 * BRSKI_MALFORMED for everything else, BRSKI_UNSUPPORTED for another version. out->data points into
 * `in`.
 */
BRSKI_CHECKED enum brski_code brski_frame_parse(
	struct brski_span in, bool from_server, struct brski_frame *out, struct brski_error *err);
/* Appends. BRSKI_INTERNAL if the combination is none of the above. */
BRSKI_CHECKED enum brski_code brski_frame_write(
	const struct brski_frame *frame, struct brski_buf *out, struct brski_error *err);

#endif
