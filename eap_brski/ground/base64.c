/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/ground/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

enum brski_code brski_base64_encode(struct brski_span in, struct brski_buf *out)
{
	while (in.len > 0) {
		size_t take = in.len < 3 ? in.len : 3;
		uint32_t group = 0;

		for (size_t i = 0; i < 3; i++)
			group = group << 8 | (i < take ? in.data[i] : 0U);
		for (size_t i = 0; i < 4; i++) {
			uint32_t index = group >> (18 - 6 * i) & 0x3f;

			brski_put_u8(out, (uint8_t)(i <= take ? alphabet[index] : '='));
		}
		in = brski_span(in.data + take, in.len - take);
	}
	return brski_buf_status(out, NULL);
}

static int digit_value(uint8_t c, char digit62, char digit63)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == (uint8_t)digit62)
		return 62;
	if (c == (uint8_t)digit63)
		return 63;
	return -1;
}

/*
 * Padding may be absent, but what is there must be right: it fills the last group of four, two
 * octets at most.
 */
static bool strip_padding(struct brski_span *in)
{
	size_t padding = 0;

	while (padding < 2 && padding < in->len && in->data[in->len - 1 - padding] == '=')
		padding++;
	if (padding > 0 && in->len % 4 != 0)
		return false;
	in->len -= padding;
	return in->len % 4 != 1;
}

/* False if there is anything but digits, or what RFC 4648 3.5 forbids: bits left over that are not zero. */
static bool decode_digits(struct brski_span in, char digit62, char digit63, struct brski_buf *out)
{
	uint32_t group = 0;
	unsigned bits = 0;

	for (size_t i = 0; i < in.len; i++) {
		int value = digit_value(in.data[i], digit62, digit63);

		if (value < 0)
			return false;
		group = (group << 6 | (uint32_t)value) & 0xffff;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			brski_put_u8(out, (uint8_t)(group >> bits));
		}
	}
	return (group & ((1U << bits) - 1)) == 0;
}

static enum brski_code decode(
	struct brski_span in, char digit62, char digit63, struct brski_buf *out, struct brski_error *err)
{
	struct brski_buf plain = {0};
	enum brski_code code = BRSKI_OK;

	if (!strip_padding(&in))
		code = brski_fail(err, BRSKI_MALFORMED, "base64 text has a wrong length or padding");
	else if (!decode_digits(in, digit62, digit63, &plain))
		code = brski_fail(err, BRSKI_MALFORMED, "text is not base64");
	if (code == BRSKI_OK)
		code = brski_buf_status(&plain, err);
	if (code == BRSKI_OK) {
		brski_put(out, brski_buf_span(&plain));
		code = brski_buf_status(out, err);
	}
	brski_buf_free(&plain);
	return code;
}

enum brski_code brski_base64_decode(struct brski_span in, struct brski_buf *out, struct brski_error *err)
{
	return decode(in, '+', '/', out, err);
}

enum brski_code brski_base64url_decode(struct brski_span in, struct brski_buf *out, struct brski_error *err)
{
	return decode(in, '-', '_', out, err);
}
