/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/driver/radius.h"

#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

enum {
	USER_NAME = 1,
	NAS_IP_ADDRESS = 4,
	NAS_PORT = 5,
	FRAMED_MTU = 12,
	STATE = 24,
	VENDOR_SPECIFIC = 26,
	SESSION_TIMEOUT = 27,
	ERROR_CAUSE = 101, /* RFC 5176 3.5 */
	CALLING_STATION_ID = 31,
	NAS_PORT_TYPE = 61,
	EAP_MESSAGE = 79,
	MESSAGE_AUTHENTICATOR = 80,
};
enum { VENDOR_MICROSOFT = 311, MS_MPPE_SEND_KEY = 16, MS_MPPE_RECV_KEY = 17 };

#define HEADER 20
#define AUTHENTICATOR 16
#define VALUE_MAX 253

/* ---- Writing ---- */

static void put_attribute(struct brski_buf *out, uint8_t type, struct brski_span value)
{
	brski_put_u8(out, type);
	brski_put_u8(out, (uint8_t)(value.len + 2));
	brski_put(out, value);
}

static void put_text(struct brski_buf *out, uint8_t type, const char *text)
{
	put_attribute(out, type, brski_span_str(text));
}

static void put_number(struct brski_buf *out, uint8_t type, uint32_t value)
{
	brski_put_u8(out, type);
	brski_put_u8(out, 6);
	brski_put_u32(out, value);
}

static void put_eap(struct brski_buf *out, struct brski_span eap)
{
	struct brski_span piece;

	while (eap.len) {
		if (!brski_read_span(&eap, eap.len < VALUE_MAX ? eap.len : VALUE_MAX, &piece))
			return;
		put_attribute(out, EAP_MESSAGE, piece);
	}
}

static void hmac_md5(const char *secret, const uint8_t *data, size_t len, uint8_t out[AUTHENTICATOR])
{
	unsigned n = AUTHENTICATOR;

	HMAC(EVP_md5(), secret, (int)strlen(secret), data, len, out, &n);
}

bool radius_write(const struct radius_ask *ask, uint8_t id, struct brski_buf *out)
{
	static const uint8_t zero[AUTHENTICATOR];
	uint8_t authenticator[AUTHENTICATOR];

	brski_buf_reset(out);
	if (RAND_bytes(authenticator, sizeof(authenticator)) != 1)
		return false;
	brski_put_u8(out, RADIUS_REQUEST);
	brski_put_u8(out, id);
	brski_put_u16(out, 0);
	brski_put(out, brski_span(authenticator, sizeof(authenticator)));
	put_text(out, USER_NAME, ask->user_name);
	put_number(out, NAS_IP_ADDRESS, 0x7f000001);
	put_number(out, NAS_PORT, ask->port);
	put_number(out, NAS_PORT_TYPE, 15); /* Ethernet */
	put_text(out, CALLING_STATION_ID, ask->station);
	if (ask->framed_mtu)
		put_number(out, FRAMED_MTU, ask->framed_mtu);
	if (ask->state.len)
		put_attribute(out, STATE, ask->state);
	put_eap(out, ask->eap);
	put_attribute(out, MESSAGE_AUTHENTICATOR, brski_span(zero, sizeof(zero)));
	if (out->failed || out->len > RADIUS_MAX)
		return false;
	out->data[2] = (uint8_t)(out->len >> 8);
	out->data[3] = (uint8_t)out->len;
	hmac_md5(ask->secret, out->data, out->len, out->data + out->len - AUTHENTICATOR);
	return true;
}

/* ---- Reading ---- */

void radius_answer_free(struct radius_answer *answer)
{
	brski_buf_free(&answer->eap);
	*answer = (struct radius_answer){0};
}

static bool md5(const struct brski_span *parts, size_t n, uint8_t out[AUTHENTICATOR])
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool ok = md && EVP_DigestInit_ex(md, EVP_md5(), NULL) == 1;

	for (size_t i = 0; ok && i < n; i++)
		ok = EVP_DigestUpdate(md, parts[i].data, parts[i].len) == 1;
	ok = ok && EVP_DigestFinal_ex(md, out, NULL) == 1;
	EVP_MD_CTX_free(md);
	return ok;
}

/* RFC 2865 3: MD5 over the answer with the request's authenticator in it, and the secret. */
static bool response_authenticator_is_right(
	const char *secret, struct brski_span request, struct brski_span datagram)
{
	uint8_t sum[AUTHENTICATOR];
	const struct brski_span parts[] = {
		brski_span(datagram.data, 4),
		brski_span(request.data + 4, AUTHENTICATOR),
		brski_span(datagram.data + HEADER, datagram.len - HEADER),
		brski_span_str(secret),
	};

	return md5(parts, 4, sum) &&
	       brski_span_equal(brski_span(sum, sizeof(sum)), brski_span(datagram.data + 4, AUTHENTICATOR));
}

/* RFC 3579 3.2, for an answer: the request's authenticator in place, zeros where the sum stands. */
static bool message_authenticator_is_right(
	const char *secret, struct brski_span request, struct brski_span datagram, size_t offset)
{
	uint8_t copy[RADIUS_MAX], sum[AUTHENTICATOR];

	memcpy(copy, datagram.data, datagram.len);
	memcpy(copy + 4, request.data + 4, AUTHENTICATOR);
	memset(copy + offset, 0, AUTHENTICATOR);
	hmac_md5(secret, copy, datagram.len, sum);
	return brski_span_equal(
		brski_span(sum, sizeof(sum)), brski_span(datagram.data + offset, AUTHENTICATOR));
}

/* RFC 2548 2.4.2: salt, then the length and the key under MD5 of secret, authenticator and salt, chained. */
static size_t read_key(
	const char *secret, struct brski_span request, struct brski_span value, uint8_t out[RADIUS_KEY_MAX])
{
	uint8_t pad[AUTHENTICATOR], plain[VALUE_MAX + AUTHENTICATOR];
	struct brski_span salt, cipher = value;
	struct brski_span parts[3] = {brski_span_str(secret), brski_span(request.data + 4, AUTHENTICATOR)};

	if (!brski_read_span(&cipher, 2, &salt) || cipher.len == 0 || cipher.len % AUTHENTICATOR != 0)
		return 0;
	parts[2] = salt;
	for (size_t at = 0; at < cipher.len; at += AUTHENTICATOR) {
		if (!md5(parts, at == 0 ? 3 : 2, pad))
			return 0;
		for (size_t i = 0; i < AUTHENTICATOR; i++)
			plain[at + i] = cipher.data[at + i] ^ pad[i];
		parts[1] = brski_span(cipher.data + at, AUTHENTICATOR);
	}
	if (plain[0] > RADIUS_KEY_MAX || plain[0] > cipher.len - 1)
		return 0;
	memcpy(out, plain + 1, plain[0]);
	return plain[0];
}

static void read_vendor(
	const char *secret, struct brski_span request, struct brski_span value, struct radius_answer *out)
{
	uint32_t vendor;
	uint8_t type, len;

	if (!brski_read_u32(&value, &vendor) || vendor != VENDOR_MICROSOFT || !brski_read_u8(&value, &type) ||
		!brski_read_u8(&value, &len) || len != value.len + 2)
		return;
	if (type == MS_MPPE_SEND_KEY)
		out->send_key_len = read_key(secret, request, value, out->send_key);
	if (type == MS_MPPE_RECV_KEY)
		out->recv_key_len = read_key(secret, request, value, out->recv_key);
}

static uint32_t number(struct brski_span value)
{
	uint32_t v = 0;

	return brski_read_u32(&value, &v) ? v : 0;
}

static void take(const char *secret, struct brski_span request, uint8_t type, struct brski_span value,
	struct radius_answer *out)
{
	switch (type) {
	case EAP_MESSAGE:
		brski_put(&out->eap, value);
		break;
	case STATE:
		memcpy(out->state, value.data, value.len);
		out->state_len = value.len;
		break;
	case USER_NAME:
		memcpy(out->user_name, value.data, value.len);
		out->user_name[value.len] = '\0';
		break;
	case SESSION_TIMEOUT:
		out->session_timeout = (long)number(value);
		break;
	case ERROR_CAUSE:
		out->error_cause = number(value);
		break;
	case VENDOR_SPECIFIC:
		read_vendor(secret, request, value, out);
		break;
	}
}

/* *sum_at: where Message-Authenticator's value stands; 0: nowhere. */
static bool read_attributes(const char *secret, struct brski_span request, struct brski_span datagram,
	struct radius_answer *out, size_t *sum_at)
{
	struct brski_span rest = brski_span(datagram.data + HEADER, datagram.len - HEADER), value;
	uint8_t type, len;

	*sum_at = 0;
	while (rest.len) {
		if (!brski_read_u8(&rest, &type) || !brski_read_u8(&rest, &len) || len < 2 ||
			!brski_read_span(&rest, (size_t)len - 2, &value))
			return false;
		if (type == MESSAGE_AUTHENTICATOR && value.len == AUTHENTICATOR)
			*sum_at = (size_t)(value.data - datagram.data);
		take(secret, request, type, value, out);
	}
	return !out->eap.failed;
}

bool radius_read(const char *secret, struct brski_span request, struct brski_span datagram,
	struct radius_answer *out, const char **why)
{
	size_t sum_at;

	*out = (struct radius_answer){.session_timeout = -1};
	*why = "the answer is no RADIUS packet";
	if (datagram.len < HEADER || datagram.len > RADIUS_MAX ||
		(size_t)(datagram.data[2] << 8 | datagram.data[3]) != datagram.len)
		return false;
	*why = "the answer is to another request";
	if (datagram.data[1] != request.data[1])
		return false;
	*why = "the Response Authenticator is wrong";
	if (!response_authenticator_is_right(secret, request, datagram))
		return false;
	*why = "the answer's attributes do not parse";
	if (!read_attributes(secret, request, datagram, out, &sum_at))
		return false;
	*why = "Message-Authenticator is missing or wrong";
	if (!sum_at || !message_authenticator_is_right(secret, request, datagram, sum_at))
		return false;
	out->code = datagram.data[0];
	*why = "";
	return true;
}
