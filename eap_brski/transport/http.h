/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TRANSPORT_HTTP_H
#define BRSKI_TRANSPORT_HTTP_H

#include <time.h>

#include "eap_brski/ground/bytes.h"

/*
 * HTTP messages as values. The same struct is what goes through the tunnel (http_binary.h) and what
 * carries the calls to MASA and PKI, so roles know HTTP and no transport.
 */
#define BRSKI_HTTP_FIELDS_MAX 32
#define BRSKI_HTTP_TEXT_MAX 1024 /* octets of any one method, authority, path, name or value */

struct brski_http_field {
	char *name; /* lower case */
	char *value;
};

/* All zero is an empty message. Strings are owned by it. */
struct brski_http {
	unsigned status; /* 0: this is a request */
	char *method;
	char *scheme;
	char *authority; /* "" inside the tunnel */
	char *path;
	struct brski_http_field fields[BRSKI_HTTP_FIELDS_MAX];
	size_t n_fields;
	struct brski_buf body;
};

void brski_http_free(struct brski_http *msg); /* and zeroes it */
void brski_http_move(struct brski_http *to, struct brski_http *from);
/* A message of its own with the same content; what *to held is freed. On failure *to is empty. */
BRSKI_CHECKED enum brski_code brski_http_copy(
	struct brski_http *to, const struct brski_http *from, struct brski_error *err);

/*
 * Both free what *msg held; the scheme is "https", the authority "". content_type may be NULL when
 * the body is empty. The body is copied.
 */
BRSKI_CHECKED enum brski_code brski_http_request(struct brski_http *msg, const char *method, const char *path,
	const char *content_type, struct brski_span body, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_http_response(struct brski_http *msg, unsigned status,
	const char *content_type, struct brski_span body, struct brski_error *err);

/*
 * Replaces a field of that name. Refuses control characters (RFC 9110 5.5), white space at either
 * end (RFC 9113 8.2.1) and an invalid name.
 */
BRSKI_CHECKED enum brski_code brski_http_set(
	struct brski_http *msg, const char *name, const char *value, struct brski_error *err);
/* The same, but a field of that name gets ", " and the value appended (RFC 9110 5.3). */
BRSKI_CHECKED enum brski_code brski_http_add(
	struct brski_http *msg, const char *name, const char *value, struct brski_error *err);
const char *brski_http_get(const struct brski_http *msg, const char *name); /* NULL if absent */
/* A content coding other than "identity" lies over the body (RFC 9110 8.4); nothing here undoes one. */
bool brski_http_is_coded(const struct brski_http *msg);
/*
 * True if Content-Type is this media type, whatever its parameters and letter case, and the body is that
 * as it stands: no content coding lies over it.
 */
bool brski_http_is_type(const struct brski_http *msg, const char *media_type);
/*
 * Retry-After in seconds (RFC 9110 10.2.3, both forms); -1 if absent or not understood; never over
 * 31 days.
 */
long brski_http_retry_after(const struct brski_http *msg, time_t now);
/* Statuses after which the same request may succeed later: RFC 9110 15.5.9, 15.6, RFC 6585 4; 202. */
bool brski_http_is_temporary(const struct brski_http *answer);

/*
 * Is this text fit for a method or a field name (token of RFC 9110 5.6.2), for a target's path, for
 * a field's value?
 */
bool brski_http_is_token(struct brski_span text);
bool brski_http_is_path(struct brski_span text);
bool brski_http_is_value(struct brski_span text);

#endif
