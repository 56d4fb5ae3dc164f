/* SPDX-License-Identifier: BSD-3-Clause */
#include "radius_module/eap_packet.h"

#include <string.h>
#include <strings.h>

#include "eap_brski/transport/frame.h"

enum { TYPE_NAK = 3, TYPE_EXPANDED = 254 };

#define HEADER_LEN 4

static bool read_header(struct brski_span in, struct brski_eap_packet *out)
{
	struct brski_span rest = in;
	uint16_t len;

	if (!brski_read_u8(&rest, &out->code) || !brski_read_u8(&rest, &out->id) ||
		!brski_read_u16(&rest, &len) || len > in.len || len < HEADER_LEN)
		return false;
	out->whole = brski_span(in.data, len);
	rest.len = len - HEADER_LEN;
	if (out->code != BRSKI_EAP_RESPONSE || !brski_read_u8(&rest, &out->type))
		return false;
	out->data = rest;
	return true;
}

bool brski_eap_parse(struct brski_span in, struct brski_eap_packet *out)
{
	*out = (struct brski_eap_packet){0};
	if (read_header(in, out))
		return true;
	*out = (struct brski_eap_packet){0};
	return false;
}

bool brski_eap_is_ours(
	const struct brski_eap_method *m, const struct brski_eap_packet *p, struct brski_span *data)
{
	struct brski_span rest = p->data, vendor;

	if (p->type != TYPE_EXPANDED || !brski_read_span(&rest, 7, &vendor))
		return false;
	if (!brski_span_equal(vendor, brski_span(m->expanded_type + 1, 7)))
		return false;
	if (data)
		*data = rest;
	return true;
}

bool brski_eap_is_nak(const struct brski_eap_packet *p)
{
	static const uint8_t expanded_nak[7] = {0, 0, 0, 0, 0, 0, TYPE_NAK};
	struct brski_span rest = p->data, vendor;

	return p->type == TYPE_NAK ||
	       (p->type == TYPE_EXPANDED && brski_read_span(&rest, 7, &vendor) &&
		       brski_span_equal(vendor, brski_span(expanded_nak, sizeof(expanded_nak))));
}

bool brski_eap_is_our_identity(const struct brski_eap_method *m, struct brski_span id)
{
	size_t user = strcspn(m->identity, "@");

	return id.len == strlen(m->identity) && memcmp(id.data, m->identity, user) == 0 &&
	       strncasecmp((const char *)id.data + user, m->identity + user, id.len - user) == 0;
}

void brski_eap_write_request(
	const struct brski_eap_method *m, uint8_t id, const struct brski_buf *data, struct brski_buf *out)
{
	brski_put_u8(out, BRSKI_EAP_REQUEST);
	brski_put_u8(out, id);
	brski_put_u16(out, (uint16_t)(BRSKI_EAP_OVERHEAD + data->len));
	brski_put(out, brski_span(m->expanded_type, sizeof(m->expanded_type)));
	brski_put(out, brski_buf_span(data));
}

void brski_eap_write_end(uint8_t code, uint8_t id, struct brski_buf *out)
{
	brski_put_u8(out, code);
	brski_put_u8(out, id);
	brski_put_u16(out, HEADER_LEN);
}
