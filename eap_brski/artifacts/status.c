/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/artifacts/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eap_brski/ground/json.h"
#include "eap_brski/ground/text.h"

#define VERSION 1

static json_t *to_json(const struct brski_status *s, const json_t *context)
{
	json_t *doc = json_pack("{s:i, s:b}", "version", VERSION, "status", s->status ? 1 : 0);

	if (doc && s->reason[0] != '\0')
		json_object_set_new(doc, "reason", json_string(s->reason));
	if (doc && context)
		json_object_set(doc, "reason-context", (json_t *)(uintptr_t)context);
	return doc;
}

enum brski_code brski_status_print(
	const struct brski_status *s, struct brski_buf *json, struct brski_error *err)
{
	json_t *context = NULL;
	json_t *doc;
	enum brski_code code;

	brski_buf_reset(json);
	if (s->context[0] != '\0') {
		code = brski_json_parse(brski_span_str(s->context), &context, err);
		if (code != BRSKI_OK)
			return brski_fail_context(err, code, "reason-context");
	}
	doc = to_json(s, context);
	if (doc)
		code = brski_json_print(doc, json, err);
	else
		code = brski_fail(err, BRSKI_NO_MEMORY, "no memory for telemetry");
	json_decref(doc);
	json_decref(context);
	return code;
}

/*
 * RFC 8995 5.7: MUST be present. A text "1" stands for the number, as in the example of the audit
 * log (5.8.1).
 */
static enum brski_code check_version(const json_t *doc, struct brski_error *err)
{
	const json_t *version = json_object_get(doc, "version");

	if (json_is_integer(version) && json_integer_value(version) == VERSION)
		return BRSKI_OK;
	if (json_is_string(version) && strcmp(json_string_value(version), "1") == 0)
		return BRSKI_OK;
	if (json_is_integer(version) && json_integer_value(version) > VERSION)
		return brski_fail(err, BRSKI_UNSUPPORTED, "telemetry of version %lld",
			(long long)json_integer_value(version));
	return brski_fail(err, BRSKI_MALFORMED, "telemetry without a version");
}

static enum brski_code read_reason(const json_t *doc, struct brski_status *out, struct brski_error *err)
{
	const json_t *reason = json_object_get(doc, "reason");

	if (!reason || json_is_null(reason))
		return BRSKI_OK;
	if (!json_is_string(reason))
		return brski_fail(err, BRSKI_MALFORMED, "reason in telemetry is not a string");
	brski_printable(brski_span(json_string_value(reason), json_string_length(reason)), out->reason,
		sizeof(out->reason));
	return BRSKI_OK;
}

/* For the log alone, so that one which is too long to keep is no reason to lose the report. */
static enum brski_code read_context(const json_t *doc, struct brski_status *out, struct brski_error *err)
{
	const json_t *context = json_object_get(doc, "reason-context");
	char *text;

	if (!context || json_is_null(context))
		return BRSKI_OK;
	text = json_dumps(context, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
	if (!text)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for telemetry");
	if (strlen(text) < sizeof(out->context))
		memcpy(out->context, text, strlen(text) + 1);
	free(text);
	return BRSKI_OK;
}

/* RFC 8995 5.7: "A server that sees unknown fields should log them, but otherwise ignore them." */
static void name_unknown(const json_t *doc, char *out, size_t size)
{
	static const char *const known[] = {"version", "status", "reason", "reason-context"};
	char name[40];
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)doc, key, value)
	{
		bool is_known = false;
		size_t used = strlen(out);

		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			is_known = is_known || strcmp(key, known[i]) == 0;
		if (is_known)
			continue;
		brski_printable(brski_span_str(key), name, sizeof(name));
		snprintf(out + used, size - used, "%s%s", used ? ", " : "", name);
	}
}

static enum brski_code read_status(const json_t *doc, void *into, struct brski_error *err)
{
	struct brski_status *out = into;
	const json_t *status = json_object_get(doc, "status");
	enum brski_code code = check_version(doc, err);

	if (code != BRSKI_OK)
		return code;
	/* RFC 8995 5.7: MUST be present, a boolean */
	if (!json_is_boolean(status))
		return brski_fail(err, BRSKI_MALFORMED, "status in telemetry is missing or not a boolean");
	out->status = json_is_true(status);
	name_unknown(doc, out->unknown, sizeof(out->unknown));
	code = read_reason(doc, out, err);
	return code == BRSKI_OK ? read_context(doc, out, err) : code;
}

enum brski_code brski_status_parse(struct brski_span json, struct brski_status *out, struct brski_error *err)
{
	enum brski_code code;

	memset(out, 0, sizeof(*out));
	code = brski_json_read(json, read_status, out, err);
	if (code != BRSKI_OK)
		memset(out, 0, sizeof(*out));
	return code;
}
