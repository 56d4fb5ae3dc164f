/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_GROUND_JSON_H
#define BRSKI_GROUND_JSON_H

#include <jansson.h>

#include "eap_brski/ground/bytes.h"

/*
 * Strict JSON: one object, no duplicate keys, no trailing octets, no NUL (BRSKI_MALFORMED); at most
 * 64 KiB, and nested no deeper than eight levels (BRSKI_TOO_LARGE). *out is a new reference, NULL on
 * failure.
 */
BRSKI_CHECKED enum brski_code brski_json_parse(struct brski_span in, json_t **out, struct brski_error *err);
/*
 * True: the text may have more than max values. A value of two octets takes fifty times as many in
 * memory, so they are counted before they are parsed: whatever it is, something opens it or a comma
 * comes before it, outside of texts.
 */
bool brski_json_has_more_values(struct brski_span text, size_t max);
/*
 * Parses, and has the object read into *into by `read`, to which it is lent. The code of whichever
 * fails.
 */
typedef enum brski_code brski_json_reader(const json_t *object, void *into, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_json_read(
	struct brski_span in, brski_json_reader *read, void *into, struct brski_error *err);
/* The same with other limits than 64 KiB, for what is long by right. BRSKI_TOO_LARGE beyond either. */
struct brski_json_limits {
	size_t octets;
	size_t values;
};
BRSKI_CHECKED enum brski_code brski_json_read_within(struct brski_span in,
	const struct brski_json_limits *limits, brski_json_reader *read, void *into, struct brski_error *err);
/* Appends the value's text, without white space. */
BRSKI_CHECKED enum brski_code brski_json_print(
	const json_t *json, struct brski_buf *out, struct brski_error *err);
/* A string: these octets in base64 with padding. A new reference; NULL when memory is out. */
json_t *brski_json_base64(struct brski_span octets);

#endif
