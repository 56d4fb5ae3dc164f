/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/base/radius_packet.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#define AT_LENGTH 2
#define AT_AUTHENTICATOR 4
#define ATTRIBUTE_HEADER_LEN 2
#define VENDOR_HEADER_LEN 6 /* Vendor-Id, Vendor-Type, Vendor-Length */
/* Of the value of a request's Message-Authenticator, the first attribute. */
#define AT_REQUEST_MAC (RADIUS_HEADER_LEN + ATTRIBUTE_HEADER_LEN)

/* ---- A request ---- */

static uint8_t *put(struct radius_packet *p, uint8_t type, size_t len)
{
	uint8_t *at = p->octets + p->len;

	if (len > RADIUS_VALUE_MAX || p->len + ATTRIBUTE_HEADER_LEN + len > sizeof(p->octets))
		p->failed = true;
	if (p->failed)
		return NULL;
	at[0] = type;
	at[1] = (uint8_t)(ATTRIBUTE_HEADER_LEN + len);
	p->len += ATTRIBUTE_HEADER_LEN + len;
	return at + ATTRIBUTE_HEADER_LEN;
}

void radius_packet_begin(struct radius_packet *p)
{
	*p = (struct radius_packet){.octets = {RADIUS_ACCESS_REQUEST}, .len = RADIUS_HEADER_LEN};
	put(p, RADIUS_MESSAGE_AUTHENTICATOR, RADIUS_AUTHENTICATOR_LEN);
}

void radius_packet_put(struct radius_packet *p, enum radius_attribute type, struct brski_span value)
{
	uint8_t *to = value.len > 0 ? put(p, (uint8_t)type, value.len) : NULL;

	if (to)
		memcpy(to, value.data, value.len);
}

static void write_u32(uint8_t *to, uint32_t value)
{
	to[0] = (uint8_t)(value >> 24);
	to[1] = (uint8_t)(value >> 16);
	to[2] = (uint8_t)(value >> 8);
	to[3] = (uint8_t)value;
}

void radius_packet_put_number(struct radius_packet *p, enum radius_attribute type, uint32_t value)
{
	uint8_t octets[4];

	write_u32(octets, value);
	radius_packet_put(p, type, brski_span(octets, sizeof(octets)));
}

void radius_packet_put_vendor(struct radius_packet *p, uint32_t vendor, uint8_t type, struct brski_span value)
{
	struct brski_span part;

	while (!p->failed && value.len > 0) {
		size_t len = value.len < RADIUS_VENDOR_MAX ? value.len : RADIUS_VENDOR_MAX;
		uint8_t *to = put(p, RADIUS_VENDOR_SPECIFIC, VENDOR_HEADER_LEN + len);

		if (!to || !brski_read_span(&value, len, &part))
			return;
		write_u32(to, vendor);
		to[4] = type;
		to[5] = (uint8_t)(ATTRIBUTE_HEADER_LEN + len);
		memcpy(to + VENDOR_HEADER_LEN, part.data, len);
	}
}

/* RFC 3579 3.2: over the packet with the request's Authenticator and sixteen octets of zero as this. */
static enum brski_code message_authenticator(struct brski_span packet, struct brski_span secret,
	uint8_t out[RADIUS_AUTHENTICATOR_LEN], struct brski_error *err)
{
	if (HMAC(EVP_md5(), secret.data, (int)secret.len, packet.data, packet.len, out, NULL))
		return BRSKI_OK;
	return brski_fail_openssl(err, BRSKI_INTERNAL, "HMAC-MD5 cannot be computed");
}

enum brski_code radius_packet_sign(struct radius_packet *p, uint8_t identifier,
	const uint8_t authenticator[RADIUS_AUTHENTICATOR_LEN], struct brski_span secret,
	struct brski_error *err)
{
	uint8_t mac[RADIUS_AUTHENTICATOR_LEN] = {0};
	enum brski_code code;

	if (p->failed)
		return brski_fail(
			err, BRSKI_TOO_LARGE, "a RADIUS packet has %d octets at most", RADIUS_PACKET_MAX);
	p->octets[1] = identifier;
	p->octets[AT_LENGTH] = (uint8_t)(p->len >> 8);
	p->octets[AT_LENGTH + 1] = (uint8_t)p->len;
	memcpy(p->octets + AT_AUTHENTICATOR, authenticator, RADIUS_AUTHENTICATOR_LEN);
	memset(p->octets + AT_REQUEST_MAC, 0, sizeof(mac));
	code = message_authenticator(brski_span(p->octets, p->len), secret, mac, err);
	memcpy(p->octets + AT_REQUEST_MAC, mac, sizeof(mac));
	return code;
}

/* ---- An answer ---- */

struct attribute {
	uint8_t type;
	struct brski_span value;
};

/* Those of a packet, and those of a vendor in a Vendor-Specific, have the same form. False: none is left, or not all of one. */
static bool next_attribute(struct brski_span *in, struct attribute *out)
{
	struct brski_span rest = *in;
	uint8_t len;

	if (!brski_read_u8(&rest, &out->type) || !brski_read_u8(&rest, &len) || len < ATTRIBUTE_HEADER_LEN ||
		!brski_read_span(&rest, (size_t)len - ATTRIBUTE_HEADER_LEN, &out->value))
		return false;
	*in = rest;
	return true;
}

/* What a packet's header says of itself. */
struct header {
	uint8_t code, identifier;
	struct brski_span packet; /* without what is behind its Length: padding, RFC 2865 3 */
	struct brski_span authenticator;
	struct brski_span attributes;
};

static enum brski_code read_header(struct brski_span in, struct header *out, struct brski_error *err)
{
	struct brski_span whole = in;
	uint16_t len;

	if (!brski_read_u8(&in, &out->code) || !brski_read_u8(&in, &out->identifier) ||
		!brski_read_u16(&in, &len) || len < RADIUS_HEADER_LEN || len > RADIUS_PACKET_MAX ||
		!brski_read_span(&whole, len, &out->packet))
		return brski_fail(err, BRSKI_MALFORMED, "not as long as a RADIUS packet must be");
	in.len = len - AT_AUTHENTICATOR;
	if (!brski_read_span(&in, RADIUS_AUTHENTICATOR_LEN, &out->authenticator))
		return brski_fail(err, BRSKI_MALFORMED, "a RADIUS packet without Authenticator");
	out->attributes = in;
	return BRSKI_OK;
}

/* *mac: of the one Message-Authenticator, within the packet; data NULL: there is none. */
static enum brski_code check_attributes(
	struct brski_span attributes, struct brski_span *mac, struct brski_error *err)
{
	struct attribute a;

	*mac = (struct brski_span){0};
	while (attributes.len > 0) {
		if (!next_attribute(&attributes, &a))
			return brski_fail(err, BRSKI_MALFORMED, "a RADIUS attribute is cut off");
		if (a.type != RADIUS_MESSAGE_AUTHENTICATOR)
			continue;
		if (a.value.len != RADIUS_AUTHENTICATOR_LEN || mac->data)
			return brski_fail(err, BRSKI_MALFORMED, "not one Message-Authenticator of 16 octets");
		*mac = a.value;
	}
	return BRSKI_OK;
}

/* RFC 3579 3.2, in an answer. */
static enum brski_code check_mac(const struct header *h, struct brski_span mac,
	const struct radius_packet *request, struct brski_span secret, struct brski_error *err)
{
	uint8_t copy[RADIUS_PACKET_MAX], right[RADIUS_AUTHENTICATOR_LEN];
	enum brski_code code;

	if (!mac.data)
		return brski_fail(err, BRSKI_BAD_SIGNATURE,
			"it has no Message-Authenticator, and could be anybody's (CVE-2024-3596)");
	memcpy(copy, h->packet.data, h->packet.len);
	memcpy(copy + AT_AUTHENTICATOR, request->octets + AT_AUTHENTICATOR, RADIUS_AUTHENTICATOR_LEN);
	memset(copy + (mac.data - h->packet.data), 0, RADIUS_AUTHENTICATOR_LEN);
	code = message_authenticator(brski_span(copy, h->packet.len), secret, right, err);
	if (code == BRSKI_OK && CRYPTO_memcmp(right, mac.data, sizeof(right)) != 0)
		code = brski_fail(err, BRSKI_BAD_SIGNATURE, "its Message-Authenticator is wrong");
	OPENSSL_cleanse(right, sizeof(right));
	return code;
}

static bool digest(EVP_MD_CTX *md, const struct header *h, const struct radius_packet *request,
	struct brski_span secret, uint8_t out[EVP_MAX_MD_SIZE])
{
	return md && EVP_DigestInit_ex(md, EVP_md5(), NULL) == 1 &&
	       EVP_DigestUpdate(md, h->packet.data, AT_AUTHENTICATOR) == 1 &&
	       EVP_DigestUpdate(md, request->octets + AT_AUTHENTICATOR, RADIUS_AUTHENTICATOR_LEN) == 1 &&
	       EVP_DigestUpdate(md, h->attributes.data, h->attributes.len) == 1 &&
	       EVP_DigestUpdate(md, secret.data, secret.len) == 1 && EVP_DigestFinal_ex(md, out, NULL) == 1;
}

/* RFC 2865 3: Response Authenticator. */
static enum brski_code check_authenticator(const struct header *h, const struct radius_packet *request,
	struct brski_span secret, struct brski_error *err)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint8_t right[EVP_MAX_MD_SIZE];
	enum brski_code code = BRSKI_OK;

	if (!digest(md, h, request, secret, right))
		code = brski_fail_openssl(err, BRSKI_INTERNAL, "MD5 cannot be computed");
	else if (CRYPTO_memcmp(right, h->authenticator.data, RADIUS_AUTHENTICATOR_LEN) != 0)
		code = brski_fail(err, BRSKI_BAD_SIGNATURE, "its Response Authenticator is wrong");
	EVP_MD_CTX_free(md);
	OPENSSL_cleanse(right, sizeof(right));
	return code;
}

static bool answers(uint8_t code)
{
	return code == RADIUS_ACCESS_ACCEPT || code == RADIUS_ACCESS_REJECT ||
	       code == RADIUS_ACCESS_CHALLENGE;
}

enum brski_code radius_answer_read(struct brski_span datagram, const struct radius_packet *request,
	struct brski_span secret, struct radius_answer *out, struct brski_error *err)
{
	struct brski_span mac;
	struct header h;
	enum brski_code code = read_header(datagram, &h, err);

	*out = (struct radius_answer){0};
	if (code == BRSKI_OK && (!answers(h.code) || h.identifier != request->octets[1]))
		code = brski_fail(err, BRSKI_MISMATCH, "it answers another request, or none");
	if (code == BRSKI_OK)
		code = check_attributes(h.attributes, &mac, err);
	if (code == BRSKI_OK)
		code = check_mac(&h, mac, request, secret, err);
	if (code == BRSKI_OK)
		code = check_authenticator(&h, request, secret, err);
	if (code == BRSKI_OK)
		*out = (struct radius_answer){.code = (enum radius_code)h.code, .attributes = h.attributes};
	return code;
}

/* RFC 2865 5.26: several of them may stand in one Vendor-Specific. */
bool radius_answer_vendor(
	const struct radius_answer *answer, uint32_t vendor, uint8_t type, unsigned i, struct brski_span *out)
{
	struct brski_span rest = answer->attributes;
	struct attribute a, inner;
	uint32_t of;

	while (next_attribute(&rest, &a)) {
		if (a.type != RADIUS_VENDOR_SPECIFIC || !brski_read_u32(&a.value, &of) || of != vendor)
			continue;
		while (next_attribute(&a.value, &inner)) {
			if (inner.type != type || i-- > 0)
				continue;
			*out = inner.value;
			return true;
		}
	}
	return false;
}
