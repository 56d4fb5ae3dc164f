/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/ground/json.h"

#include "eap_brski/ground/base64.h"

#define JSON_OCTETS_MAX ((size_t)64 * 1024)
#define JSON_DEPTH_MAX 8

/* As few octets as these need no other bound on values than their own number. */
static const struct brski_json_limits usual = {.octets = JSON_OCTETS_MAX, .values = JSON_OCTETS_MAX};

static bool depth_is_within(json_t *json, unsigned left)
{
	const char *key;
	json_t *value;
	size_t i;

	if (!json_is_object(json) && !json_is_array(json))
		return true;
	if (left == 0)
		return false;
	json_array_foreach(json, i, value)
	{
		if (!depth_is_within(value, left - 1))
			return false;
	}
	json_object_foreach(json, key, value)
	{
		if (!depth_is_within(value, left - 1))
			return false;
	}
	return true;
}

bool brski_json_has_more_values(struct brski_span text, size_t max)
{
	bool in_text = false;
	size_t n = 0;

	for (size_t i = 0; i < text.len && n <= max; i++) {
		const uint8_t c = text.data[i];

		if (in_text && c == '\\')
			i++;
		else if (c == '"')
			in_text = !in_text;
		else if (!in_text)
			n += c == '[' || c == '{' || c == ',';
	}
	return n > max;
}

static enum brski_code check_size(
	struct brski_span in, const struct brski_json_limits *limits, struct brski_error *err)
{
	if (in.len > limits->octets)
		return brski_fail(err, BRSKI_TOO_LARGE, "JSON text of %zu octets, %zu are allowed", in.len,
			limits->octets);
	if (brski_json_has_more_values(in, limits->values))
		return brski_fail(err, BRSKI_TOO_LARGE, "JSON text of more than %zu values", limits->values);
	return BRSKI_OK;
}

static enum brski_code parse_within(
	struct brski_span in, const struct brski_json_limits *limits, json_t **out, struct brski_error *err)
{
	json_error_t why;
	json_t *json;
	enum brski_code code = check_size(in, limits, err);

	*out = NULL;
	if (code != BRSKI_OK)
		return code;
	json = json_loadb(in.len ? (const char *)in.data : "", in.len, JSON_REJECT_DUPLICATES, &why);
	if (!json)
		return brski_fail(err, BRSKI_MALFORMED, "JSON text does not parse: %s", why.text);
	if (!json_is_object(json)) {
		json_decref(json);
		return brski_fail(err, BRSKI_MALFORMED, "JSON text is not an object");
	}
	if (!depth_is_within(json, JSON_DEPTH_MAX)) {
		json_decref(json);
		return brski_fail(
			err, BRSKI_TOO_LARGE, "JSON text is nested deeper than %d levels", JSON_DEPTH_MAX);
	}
	*out = json;
	return BRSKI_OK;
}

enum brski_code brski_json_parse(struct brski_span in, json_t **out, struct brski_error *err)
{
	return parse_within(in, &usual, out, err);
}

enum brski_code brski_json_read(
	struct brski_span in, brski_json_reader *read, void *into, struct brski_error *err)
{
	return brski_json_read_within(in, &usual, read, into, err);
}

enum brski_code brski_json_read_within(struct brski_span in, const struct brski_json_limits *limits,
	brski_json_reader *read, void *into, struct brski_error *err)
{
	json_t *object;
	enum brski_code code = parse_within(in, limits, &object, err);

	if (code != BRSKI_OK)
		return code;
	code = read(object, into, err);
	json_decref(object);
	return code;
}

static int append_json(const char *text, size_t len, void *ctx)
{
	struct brski_buf *out = ctx;

	brski_put(out, brski_span(text, len));
	return out->failed ? -1 : 0;
}

enum brski_code brski_json_print(const json_t *json, struct brski_buf *out, struct brski_error *err)
{
	if (json_dump_callback(json, append_json, out, JSON_COMPACT) == 0)
		return BRSKI_OK;
	if (out->failed)
		return brski_buf_status(out, err);
	return brski_fail(err, BRSKI_INTERNAL, "JSON value cannot be printed");
}

json_t *brski_json_base64(struct brski_span octets)
{
	struct brski_buf text = {.limit = (octets.len / 3 + 1) * 4};
	json_t *json = NULL;

	if (brski_base64_encode(octets, &text) == BRSKI_OK)
		json = json_stringn(text.len ? (const char *)text.data : "", text.len);
	brski_buf_free(&text);
	return json;
}
