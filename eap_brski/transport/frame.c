/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/transport/frame.h"

/* NULL if flags, lengths and data go together; else what is wrong. */
static const char *fault_of(const struct brski_frame *frame)
{
	bool has_data = frame->data.len > 0;

	switch (frame->flags) {
	case 0:
		return NULL;
	case BRSKI_FRAME_START:
		return has_data ? "Start with data" : NULL;
	case BRSKI_FRAME_WAIT:
		if (has_data)
			return "Wait with data";
		if (frame->wait_ms == 0 || frame->wait_ms > BRSKI_WAIT_MAX_MS)
			return "Wait of a time that is not allowed";
		return NULL;
	case BRSKI_FRAME_MORE:
		return has_data ? NULL : "empty fragment with more to follow";
	case BRSKI_FRAME_LENGTH | BRSKI_FRAME_MORE:
		if (!has_data)
			return "empty first fragment";
		return frame->message_len > frame->data.len ? NULL
							    : "Message-Length leaves nothing to follow";
	default:
		return "flags that do not go together";
	}
}

static bool read_lengths(struct brski_span *in, struct brski_frame *frame)
{
	if ((frame->flags & BRSKI_FRAME_LENGTH) && !brski_read_u32(in, &frame->message_len))
		return false;
	return !(frame->flags & BRSKI_FRAME_WAIT) || brski_read_u16(in, &frame->wait_ms);
}

enum brski_code brski_frame_parse(
	struct brski_span in, bool from_server, struct brski_frame *out, struct brski_error *err)
{
	struct brski_frame frame = {0};
	const char *fault;
	uint8_t first;

	*out = frame;
	if (!brski_read_u8(&in, &first))
		return brski_fail(err, BRSKI_MALFORMED, "EAP-BRSKI packet without flags");
	if ((first & BRSKI_FRAME_VERSION_MASK) != BRSKI_FRAME_VERSION)
		return brski_fail(err, BRSKI_UNSUPPORTED, "EAP-BRSKI version %d, only %d is known",
			first & BRSKI_FRAME_VERSION_MASK, BRSKI_FRAME_VERSION);
	frame.flags = (uint8_t)(first & ~BRSKI_FRAME_VERSION_MASK);
	if (!from_server && (frame.flags & (BRSKI_FRAME_START | BRSKI_FRAME_WAIT)))
		return brski_fail(err, BRSKI_MALFORMED, "EAP-BRSKI packet: Start or Wait from a peer");
	if (!read_lengths(&in, &frame))
		return brski_fail(err, BRSKI_MALFORMED, "EAP-BRSKI packet ends within its lengths");
	frame.data = in;
	fault = fault_of(&frame);
	if (fault)
		return brski_fail(err, BRSKI_MALFORMED, "EAP-BRSKI packet: %s (flags 0x%02x)", fault, first);
	*out = frame;
	return BRSKI_OK;
}

enum brski_code brski_frame_write(
	const struct brski_frame *frame, struct brski_buf *out, struct brski_error *err)
{
	const char *fault = fault_of(frame);

	if (fault)
		return brski_fail(err, BRSKI_INTERNAL, "will not send an EAP-BRSKI packet: %s", fault);
	brski_put_u8(out, frame->flags | BRSKI_FRAME_VERSION);
	if (frame->flags & BRSKI_FRAME_LENGTH)
		brski_put_u32(out, frame->message_len);
	if (frame->flags & BRSKI_FRAME_WAIT)
		brski_put_u16(out, frame->wait_ms);
	brski_put(out, frame->data);
	return brski_buf_status(out, err);
}
