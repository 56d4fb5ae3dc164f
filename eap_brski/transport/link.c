/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/transport/link.h"

#include <stdlib.h>

#define LENGTH_OCTETS 4

/* Whose turn it is, and what may come. OWE_*: the next packet is ours. AWAIT_*: it is the other side's. */
enum link_state {
	OWE_START,      /* server: nothing was sent yet */
	OWE_ANSWER,     /* a message, Start or acknowledgement came; a message or a Wait may be queued */
	OWE_FRAGMENT,   /* something is queued and not all sent */
	OWE_ACK,        /* a fragment came and more will follow */
	OWE_WAIT_ACK,   /* peer: a Wait came */
	AWAIT_START,    /* peer: nothing came yet */
	AWAIT_MESSAGE,  /* server: Start was sent, only a message can follow */
	AWAIT_ANY,      /* our message, acknowledgement, or Wait's acknowledgement was sent */
	AWAIT_FRAGMENT, /* in the middle of a message */
	AWAIT_ACK,      /* our fragment was sent and more will follow */
	AWAIT_WAIT_ACK, /* server: Wait was sent */
	BROKEN,
};

struct brski_link {
	bool server;
	enum link_state state;
	size_t packet_max; /* octets of one frame */
	size_t message_max;
	size_t announced; /* Message-Length of what is coming in; 0: nothing is */
	struct brski_buf incoming;
	struct brski_buf outgoing;
	size_t sent;
};

enum brski_code brski_link_new(
	bool server, size_t mtu, size_t message_max, struct brski_link **out, struct brski_error *err)
{
	struct brski_link *link;

	*out = NULL;
	if (message_max == 0)
		message_max = BRSKI_MESSAGE_MAX;
	if (mtu < BRSKI_MTU_MIN || mtu > BRSKI_MTU_MAX)
		return brski_fail(err, BRSKI_TOO_LARGE, "EAP packets of %zu octets, %d to %d are possible",
			mtu, BRSKI_MTU_MIN, BRSKI_MTU_MAX);
	if (message_max > BRSKI_BUF_LIMIT)
		return brski_fail(err, BRSKI_TOO_LARGE, "messages of %zu octets, %zu are possible",
			message_max, BRSKI_BUF_LIMIT);
	link = calloc(1, sizeof(*link));
	if (!link)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for a link");
	link->server = server;
	link->state = server ? OWE_START : AWAIT_START;
	link->packet_max = mtu - BRSKI_EAP_OVERHEAD;
	link->message_max = message_max;
	link->incoming.limit = message_max;
	link->outgoing.limit = message_max;
	*out = link;
	return BRSKI_OK;
}

void brski_link_free(struct brski_link *link)
{
	if (!link)
		return;
	brski_buf_free(&link->incoming);
	brski_buf_free(&link->outgoing);
	free(link);
}

static enum brski_code fail(struct brski_error *err, enum brski_code code, const char *why)
{
	return brski_fail(err, code, "EAP-BRSKI: %s", why);
}

static enum brski_code take_data(struct brski_link *link, struct brski_span data, struct brski_error *err)
{
	brski_put(&link->incoming, data);
	return brski_buf_status(&link->incoming, err);
}

/* A fragment with L and M. The limit is on what is announced, before memory is taken for it. */
static enum brski_code receive_first(
	struct brski_link *link, const struct brski_frame *frame, struct brski_error *err)
{
	if (frame->message_len > link->message_max)
		return brski_fail(err, BRSKI_TOO_LARGE,
			"EAP-BRSKI: a message of %u octets is announced, %zu are allowed", frame->message_len,
			link->message_max);
	link->announced = frame->message_len;
	link->state = OWE_ACK;
	return take_data(link, frame->data, err);
}

static enum brski_code receive_whole(
	struct brski_link *link, const struct brski_frame *frame, struct brski_error *err)
{
	if (frame->data.len > link->message_max)
		return brski_fail(err, BRSKI_TOO_LARGE,
			"EAP-BRSKI: a message of %zu octets came, %zu are allowed", frame->data.len,
			link->message_max);
	link->state = OWE_ANSWER;
	return take_data(link, frame->data, err);
}

/* While a message is coming in: only its fragments, and exactly as many octets as were announced. */
static enum brski_code receive_fragment(struct brski_link *link, const struct brski_frame *frame,
	enum brski_link_event *event, struct brski_error *err)
{
	size_t missing = link->announced - link->incoming.len;
	bool more = frame->flags & BRSKI_FRAME_MORE;

	if ((frame->flags & ~BRSKI_FRAME_MORE) != 0 || frame->data.len == 0)
		return fail(
			err, BRSKI_UNEXPECTED, "something else came in the middle of a message's fragments");
	if (frame->data.len > missing || (more && frame->data.len == missing))
		return fail(err, BRSKI_MALFORMED, "fragments are longer than the Message-Length announced");
	if (!more && frame->data.len < missing)
		return fail(err, BRSKI_MALFORMED, "fragments are shorter than the Message-Length announced");
	link->state = more ? OWE_ACK : OWE_ANSWER;
	*event = more ? BRSKI_LINK_SEND : BRSKI_LINK_MESSAGE;
	return take_data(link, frame->data, err);
}

/* Between messages. */
static enum brski_code receive_new(struct brski_link *link, const struct brski_frame *frame,
	enum brski_link_event *event, uint16_t *wait_ms, struct brski_error *err)
{
	brski_buf_reset(&link->incoming);
	link->announced = 0;
	switch (frame->flags) {
	case BRSKI_FRAME_LENGTH | BRSKI_FRAME_MORE:
		*event = BRSKI_LINK_SEND;
		return receive_first(link, frame, err);
	case BRSKI_FRAME_WAIT:
		*event = BRSKI_LINK_WAIT;
		*wait_ms = frame->wait_ms;
		link->state = OWE_WAIT_ACK;
		return BRSKI_OK;
	case 0:
		if (frame->data.len > 0) {
			*event = BRSKI_LINK_MESSAGE;
			return receive_whole(link, frame, err);
		}
		if (link->state == AWAIT_MESSAGE)
			return fail(err, BRSKI_UNEXPECTED, "an acknowledgement came in answer to Start");
		*event = BRSKI_LINK_ACK;
		link->state = OWE_ANSWER;
		return BRSKI_OK;
	case BRSKI_FRAME_START:
		return fail(err, BRSKI_UNEXPECTED, "a second Start came");
	default:
		return fail(err, BRSKI_UNEXPECTED, "a fragment came without the first one of its message");
	}
}

static bool is_ack(const struct brski_frame *frame)
{
	return frame->flags == 0 && frame->data.len == 0;
}

static enum brski_code receive(struct brski_link *link, const struct brski_frame *frame,
	enum brski_link_event *event, uint16_t *wait_ms, struct brski_error *err)
{
	switch (link->state) {
	case AWAIT_START:
		if (frame->flags != BRSKI_FRAME_START)
			return fail(err, BRSKI_UNEXPECTED, "the server's first packet is not a Start");
		link->state = OWE_ANSWER;
		*event = BRSKI_LINK_START;
		return BRSKI_OK;
	case AWAIT_MESSAGE:
	case AWAIT_ANY:
		return receive_new(link, frame, event, wait_ms, err);
	case AWAIT_FRAGMENT:
		return receive_fragment(link, frame, event, err);
	case AWAIT_ACK:
		if (!is_ack(frame))
			return fail(err, BRSKI_UNEXPECTED,
				"a fragment was answered by something else than an acknowledgement");
		link->state = OWE_FRAGMENT;
		*event = BRSKI_LINK_SEND;
		return BRSKI_OK;
	case AWAIT_WAIT_ACK:
		if (!is_ack(frame))
			return fail(err, BRSKI_UNEXPECTED,
				"a Wait was answered by something else than an acknowledgement");
		link->state = OWE_ANSWER;
		*event = BRSKI_LINK_ACK;
		return BRSKI_OK;
	default:
		return fail(err, BRSKI_UNEXPECTED, "a packet came out of turn");
	}
}

enum brski_code brski_link_receive(struct brski_link *link, struct brski_span packet,
	enum brski_link_event *event, uint16_t *wait_ms, struct brski_error *err)
{
	struct brski_frame frame;
	enum brski_code code;

	*event = BRSKI_LINK_SEND;
	*wait_ms = 0;
	code = brski_frame_parse(packet, !link->server, &frame, err);
	if (code == BRSKI_OK)
		code = receive(link, &frame, event, wait_ms, err);
	if (code != BRSKI_OK) {
		link->state = BROKEN;
		brski_buf_reset(&link->incoming);
	}
	return code;
}

struct brski_span brski_link_message(const struct brski_link *link)
{
	bool complete = link->announced == 0 || link->incoming.len == link->announced;

	return complete ? brski_buf_span(&link->incoming) : brski_span(NULL, 0);
}

enum brski_code brski_link_queue(struct brski_link *link, struct brski_span message, struct brski_error *err)
{
	enum brski_code code;

	if (link->state != OWE_ANSWER)
		return fail(err, BRSKI_UNEXPECTED, "a message is queued out of turn");
	if (message.len > link->message_max)
		return brski_fail(err, BRSKI_TOO_LARGE,
			"EAP-BRSKI: a message of %zu octets is to be sent, %zu are allowed", message.len,
			link->message_max);
	code = brski_buf_set(&link->outgoing, message);
	if (code != BRSKI_OK)
		return brski_fail(err, code, "no memory for a message");
	link->sent = 0;
	link->state = OWE_FRAGMENT;
	return BRSKI_OK;
}

/* The next piece of what is queued; all of it, which may be nothing, if it fits one packet. */
static struct brski_frame next_fragment(struct brski_link *link)
{
	size_t left = link->outgoing.len - link->sent;
	struct brski_frame frame = {0};
	size_t room = link->packet_max - 1;

	if (left > room) {
		frame.flags = BRSKI_FRAME_MORE;
		if (link->sent == 0) {
			frame.flags |= BRSKI_FRAME_LENGTH;
			frame.message_len = (uint32_t)left;
			room -= LENGTH_OCTETS;
		}
		left = room;
	}
	if (left > 0)
		frame.data = brski_span(link->outgoing.data + link->sent, left);
	link->sent += left;
	link->state = frame.flags & BRSKI_FRAME_MORE ? AWAIT_ACK : AWAIT_ANY;
	return frame;
}

enum brski_code brski_link_next(struct brski_link *link, struct brski_buf *out, struct brski_error *err)
{
	struct brski_frame frame = {0};

	brski_buf_reset(out);
	switch (link->state) {
	case OWE_START:
		frame.flags = BRSKI_FRAME_START;
		link->state = AWAIT_MESSAGE;
		break;
	case OWE_ACK:
		link->state = AWAIT_FRAGMENT;
		break;
	case OWE_WAIT_ACK:
		link->state = AWAIT_ANY;
		break;
	case OWE_FRAGMENT:
		frame = next_fragment(link);
		break;
	default:
		return fail(err, BRSKI_UNEXPECTED, "there is no packet to send");
	}
	return brski_frame_write(&frame, out, err);
}

enum brski_code brski_link_wait(
	struct brski_link *link, uint16_t wait_ms, struct brski_buf *out, struct brski_error *err)
{
	struct brski_frame frame = {.flags = BRSKI_FRAME_WAIT, .wait_ms = wait_ms};
	enum brski_code code;

	brski_buf_reset(out);
	if (!link->server || link->state != OWE_ANSWER)
		return fail(err, BRSKI_UNEXPECTED, "a Wait is due from nobody now");
	code = brski_frame_write(&frame, out, err);
	if (code == BRSKI_OK)
		link->state = AWAIT_WAIT_ACK;
	return code;
}
