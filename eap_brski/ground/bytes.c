/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/ground/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

struct brski_span brski_span(const void *data, size_t len)
{
	return (struct brski_span){.data = data, .len = len};
}

struct brski_span brski_span_str(const char *text)
{
	return brski_span(text, text ? strlen(text) : 0);
}

static bool read_number(struct brski_span *in, size_t octets, uint64_t *out)
{
	uint64_t v = 0;

	if (in->len < octets)
		return false;
	for (size_t i = 0; i < octets; i++)
		v = v << 8 | in->data[i];
	in->data += octets;
	in->len -= octets;
	*out = v;
	return true;
}

bool brski_read_u8(struct brski_span *in, uint8_t *out)
{
	uint64_t v;

	if (!read_number(in, 1, &v))
		return false;
	*out = (uint8_t)v;
	return true;
}

bool brski_read_u16(struct brski_span *in, uint16_t *out)
{
	uint64_t v;

	if (!read_number(in, 2, &v))
		return false;
	*out = (uint16_t)v;
	return true;
}

bool brski_read_u32(struct brski_span *in, uint32_t *out)
{
	uint64_t v;

	if (!read_number(in, 4, &v))
		return false;
	*out = (uint32_t)v;
	return true;
}

bool brski_read_varint(struct brski_span *in, uint64_t *out)
{
	size_t octets;

	if (in->len == 0)
		return false;
	octets = (size_t)1 << (in->data[0] >> 6);
	if (!read_number(in, octets, out))
		return false;
	*out &= UINT64_MAX >> (66 - 8 * octets); /* without the two bits of length */
	return true;
}

bool brski_read_span(struct brski_span *in, size_t len, struct brski_span *out)
{
	if (in->len < len)
		return false;
	*out = brski_span(in->data, len);
	if (len > 0)
		in->data += len;
	in->len -= len;
	return true;
}

bool brski_span_equal(struct brski_span a, struct brski_span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool brski_span_equal_secret(struct brski_span a, struct brski_span b)
{
	return a.len == b.len && (a.len == 0 || CRYPTO_memcmp(a.data, b.data, a.len) == 0);
}

void brski_buf_free(struct brski_buf *buf)
{
	if (buf->data)
		OPENSSL_cleanse(buf->data, buf->cap);
	free(buf->data);
	*buf = (struct brski_buf){0};
}

void brski_buf_reset(struct brski_buf *buf)
{
	if (buf->data)
		OPENSSL_cleanse(buf->data, buf->len);
	buf->len = 0;
	buf->failed = false;
}

void brski_buf_move(struct brski_buf *to, struct brski_buf *from)
{
	if (to == from)
		return;
	brski_buf_free(to);
	*to = *from;
	*from = (struct brski_buf){0};
}

struct brski_span brski_buf_span(const struct brski_buf *buf)
{
	return brski_span(buf->data, buf->len);
}

void brski_buf_drop(struct brski_buf *buf, size_t len)
{
	size_t rest;

	if (len > buf->len)
		len = buf->len;
	if (len == 0)
		return;
	rest = buf->len - len;
	memmove(buf->data, buf->data + len, rest);
	OPENSSL_cleanse(buf->data + rest, len);
	buf->len = rest;
}

static size_t limit_of(const struct brski_buf *buf)
{
	return buf->limit > 0 ? buf->limit : BRSKI_BUF_LIMIT;
}

static bool grow(struct brski_buf *buf, size_t need)
{
	size_t cap = buf->cap > 0 ? buf->cap : 64;
	uint8_t *data;

	while (cap < need)
		cap *= 2;
	data = malloc(cap);
	if (!data)
		return false;
	if (buf->data) {
		memcpy(data, buf->data, buf->len);
		OPENSSL_cleanse(buf->data, buf->cap);
		free(buf->data);
	}
	buf->data = data;
	buf->cap = cap;
	return true;
}

/* Where the next len octets go; NULL, and the buffer marked, if they do not fit. */
static uint8_t *extend(struct brski_buf *buf, size_t len)
{
	size_t limit = limit_of(buf);
	uint8_t *at;

	if (buf->failed)
		return NULL;
	if (buf->len > limit || len > limit - buf->len ||
		(len > buf->cap - buf->len && !grow(buf, buf->len + len))) {
		buf->failed = true;
		return NULL;
	}
	at = buf->data + buf->len;
	buf->len += len;
	return at;
}

void brski_put(struct brski_buf *buf, struct brski_span bytes)
{
	uint8_t *at;

	if (bytes.len == 0)
		return;
	at = extend(buf, bytes.len);
	if (at)
		memcpy(at, bytes.data, bytes.len);
}

static void put_number(struct brski_buf *buf, size_t octets, uint64_t v)
{
	uint8_t *at = extend(buf, octets);

	for (size_t i = octets; at && i > 0; i--) {
		at[i - 1] = (uint8_t)v;
		v >>= 8;
	}
}

void brski_put_u8(struct brski_buf *buf, uint8_t v)
{
	put_number(buf, 1, v);
}

void brski_put_u16(struct brski_buf *buf, uint16_t v)
{
	put_number(buf, 2, v);
}

void brski_put_u32(struct brski_buf *buf, uint32_t v)
{
	put_number(buf, 4, v);
}

void brski_put_varint(struct brski_buf *buf, uint64_t v)
{
	if (v < UINT64_C(1) << 6)
		put_number(buf, 1, v);
	else if (v < UINT64_C(1) << 14)
		put_number(buf, 2, v | UINT64_C(1) << 14);
	else if (v < UINT64_C(1) << 30)
		put_number(buf, 4, v | UINT64_C(2) << 30);
	else if (v < UINT64_C(1) << 62)
		put_number(buf, 8, v | UINT64_C(3) << 62);
	else
		buf->failed = true;
}

void brski_put_str(struct brski_buf *buf, const char *text)
{
	brski_put(buf, brski_span_str(text));
}

void brski_printf(struct brski_buf *buf, const char *fmt, ...)
{
	va_list args;
	uint8_t *at;
	int len;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len < 0) {
		buf->failed = true;
		return;
	}
	at = extend(buf, (size_t)len + 1); /* room for vsnprintf's terminator, which is not kept */
	if (!at)
		return;
	va_start(args, fmt);
	vsnprintf((char *)at, (size_t)len + 1, fmt, args);
	va_end(args);
	buf->len--;
}

enum brski_code brski_buf_set(struct brski_buf *to, struct brski_span bytes)
{
	struct brski_buf fresh = {.limit = to->limit};

	if (bytes.len > limit_of(to))
		return BRSKI_TOO_LARGE;
	brski_put(&fresh, bytes);
	if (fresh.failed)
		return BRSKI_NO_MEMORY;
	brski_buf_move(to, &fresh);
	return BRSKI_OK;
}

enum brski_code brski_buf_status(const struct brski_buf *buf, struct brski_error *err)
{
	if (buf->failed)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for more than %zu octets", buf->len);
	return BRSKI_OK;
}
