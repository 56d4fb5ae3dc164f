/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BASE_HTTP_SERVER_READER_H
#define BRSKI_SERVICES_BASE_HTTP_SERVER_READER_H

#include "eap_brski/transport/http.h"

/*
 * Requests of HTTP/1.1 (RFC 9112) and HTTP/1.0 out of a connection's octets, however these are cut.
 * Where the RFC leaves a choice, the strict one is taken: what two programs on a request's way could
 * understand in two ways (RFC 9112 11.2) is refused, and so is what nobody sends.
 */

enum http_read {
	HTTP_READ_MORE,    /* all octets were taken; there must be more */
	HTTP_READ_WAITED,  /* the same, and the client waits for 100 (RFC 9110 10.1.1). Said once */
	HTTP_READ_WHOLE,   /* the request is whole; what is left in the span is behind it */
	HTTP_READ_REFUSED, /* `refusal`; where the next request would begin, nobody knows */
};

struct http_reader {
	size_t max_head; /* octets of the request line and all fields, and again of all trailers */
	size_t max_body;
	bool queries; /* whether a target may have one, which then stands in the path */
	/* What was read. The rest is private. */
	struct brski_http request; /* authority: the target's, or Host's */
	bool close;                /* no more requests come on this connection (RFC 9112 9.6) */
	unsigned refusal;          /* a status */
	char why[128];             /* of a refusal, in words */

	unsigned state;
	struct brski_buf line;
	bool cr;        /* the last octet was one */
	size_t head;    /* octets of it so far */
	uint64_t left;  /* octets of the body, or of the chunk, that are still to come */
	unsigned hosts; /* how many such fields there were */
	unsigned lengths, codings;
	bool http_1_0, absolute, expects;
};

/* A zeroed reader, or one that has read a request, is ready for the next; the limits stay. Frees. */
void http_reader_reset(struct http_reader *r);
/* Has an octet of the request come? Empty lines before it count (RFC 9112 2.2). */
bool http_reader_begun(const struct http_reader *r);
/* Takes octets from the front of *in; after WHOLE or REFUSED not before http_reader_reset(). */
enum http_read http_reader_take(struct http_reader *r, struct brski_span *in);

#endif
