/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_GROUND_BYTES_H
#define BRSKI_GROUND_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eap_brski/ground/error.h"

/*
 * The span reader. Nothing else in the library moves through octets from the wire. A span borrows
 * its memory. Readers return false, and leave span and output as they were, when too little is
 * left.
 */
struct brski_span {
	const uint8_t *data;
	size_t len;
};

struct brski_span brski_span(const void *data, size_t len);
struct brski_span brski_span_str(const char *text); /* without the terminating zero */

BRSKI_CHECKED bool brski_read_u8(struct brski_span *in, uint8_t *out);
BRSKI_CHECKED bool brski_read_u16(struct brski_span *in, uint16_t *out); /* network order */
BRSKI_CHECKED bool brski_read_u32(struct brski_span *in, uint32_t *out);
BRSKI_CHECKED bool brski_read_varint(
	struct brski_span *in, uint64_t *out); /* RFC 9000 16, as RFC 9292 uses it */
BRSKI_CHECKED bool brski_read_span(struct brski_span *in, size_t len, struct brski_span *out);

bool brski_span_equal(struct brski_span a, struct brski_span b);        /* for public values */
bool brski_span_equal_secret(struct brski_span a, struct brski_span b); /* in constant time */

/*
 * The writer: a growing buffer with a limit. A failed write sets `failed`, and every later write
 * does nothing, so that a sequence of writes needs one check at its end. Memory is wiped before it
 * is given back, always: a buffer may hold a secret, and no realloc() leaves a copy behind.
 */
struct brski_buf {
	uint8_t *data;
	size_t len;
	size_t cap;
	size_t limit; /* 0: BRSKI_BUF_LIMIT */
	bool failed;
};

#define BRSKI_BUF_LIMIT ((size_t)1 << 20)

void brski_buf_free(struct brski_buf *buf);  /* wipes, frees, and zeroes *buf: it can be used again */
void brski_buf_reset(struct brski_buf *buf); /* wipes, keeps the memory, clears failed */
void brski_buf_move(struct brski_buf *to, struct brski_buf *from); /* frees *to first */
struct brski_span brski_buf_span(const struct brski_buf *buf);
void brski_buf_drop(struct brski_buf *buf, size_t len); /* removes octets from the front */

void brski_put(struct brski_buf *buf, struct brski_span bytes);
void brski_put_u8(struct brski_buf *buf, uint8_t v);
void brski_put_u16(struct brski_buf *buf, uint16_t v);
void brski_put_u32(struct brski_buf *buf, uint32_t v);
void brski_put_varint(struct brski_buf *buf, uint64_t v);
void brski_put_str(struct brski_buf *buf, const char *text);
void brski_printf(struct brski_buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Copies; BRSKI_NO_MEMORY or BRSKI_TOO_LARGE if it does not fit. Frees what *to held. */
BRSKI_CHECKED enum brski_code brski_buf_set(struct brski_buf *to, struct brski_span bytes);
/* BRSKI_OK, or BRSKI_NO_MEMORY when a write failed. */
BRSKI_CHECKED enum brski_code brski_buf_status(const struct brski_buf *buf, struct brski_error *err);

#endif
