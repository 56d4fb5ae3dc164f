/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/ground/json.h"

#include "eap_brski/ground/base64.h"

#define JSON_OCTETS_MAX ((size_t)64 * 1024)
#define JSON_DEPTH_MAX 8

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

enum brski_code brski_json_parse(struct brski_span in, json_t **out, struct brski_error *err)
{
	json_error_t why;
	json_t *json;

	*out = NULL;
	if (in.len > JSON_OCTETS_MAX)
		return brski_fail(err, BRSKI_TOO_LARGE, "JSON text of %zu octets, %zu are allowed", in.len,
			JSON_OCTETS_MAX);
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

enum brski_code brski_json_read(
	struct brski_span in, brski_json_reader *read, void *into, struct brski_error *err)
{
	json_t *object;
	enum brski_code code = brski_json_parse(in, &object, err);

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
