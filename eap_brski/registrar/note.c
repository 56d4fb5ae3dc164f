/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "eap_brski/ground/json.h"
#include "eap_brski/registrar/registrar_internal.h"

/* What must not be forgotten of a device, kept among the jobs: read as strictly as they are. */

static void note_key(const struct brski_device *device, const char *name, struct brski_span detail,
	char out[BRSKI_FINGERPRINT_MAX])
{
	struct brski_buf text = {0};

	/* no request begins so: the two kinds of keys cannot meet */
	brski_put_str(&text, "note ");
	brski_put_str(&text, name);
	brski_put_u8(&text, 0);
	brski_put(&text, detail);
	brski_job_key_of(device, brski_buf_span(&text), out);
	brski_buf_free(&text);
}

enum brski_code brski_note_put(struct brski_registrar *r, const struct brski_device *device, const char *name,
	struct brski_span detail, const char *value, struct brski_error *err)
{
	enum brski_job_kind kind = detail.len > 0 ? BRSKI_JOB_TRANSACTION : BRSKI_JOB_NOTE;
	char key[BRSKI_FINGERPRINT_MAX];
	struct brski_buf blob = {0};
	enum brski_code code;
	json_t *json = json_pack(
		"{s:i, s:s, s:s}", "version", BRSKI_JOB_STATE_VERSION, "note", name, "value", value);

	if (!json)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	note_key(device, name, detail, key);
	code = brski_json_print(json, &blob, err);
	json_decref(json);
	if (code == BRSKI_OK)
		code = r->ops.job_put(
			r->ops_ctx, key, kind, BRSKI_JOB_DONE, device, brski_buf_span(&blob), err);
	brski_buf_free(&blob);
	return code;
}

static enum brski_code note_read(
	struct brski_span blob, const char *name, char value[BRSKI_FINGERPRINT_MAX], struct brski_error *err)
{
	const char *stored_name = NULL, *stored_value = NULL;
	int version;
	json_t *json;
	enum brski_code code = brski_job_parse(blob, &json, err);

	if (code != BRSKI_OK)
		return code;
	if (json_unpack(json, "{s:i, s:s, s:s !}", "version", &version, "note", &stored_name, "value",
		    &stored_value) != 0 ||
		strcmp(stored_name, name) != 0)
		code = brski_fail(err, BRSKI_MALFORMED, "a stored note has not what notes have");
	else if (!brski_job_is_key(stored_value))
		code = brski_fail(err, BRSKI_NOT_FOUND, "no such note");
	else
		snprintf(value, BRSKI_FINGERPRINT_MAX, "%s", stored_value);
	json_decref(json);
	return code;
}

enum brski_code brski_note_get(struct brski_registrar *r, const struct brski_device *device, const char *name,
	struct brski_span detail, char value[BRSKI_FINGERPRINT_MAX], struct brski_error *err)
{
	char key[BRSKI_FINGERPRINT_MAX];
	struct brski_buf blob = {0};
	enum brski_code code;

	value[0] = '\0';
	note_key(device, name, detail, key);
	code = r->ops.job_get(r->ops_ctx, key, &blob, err);
	if (code == BRSKI_OK)
		code = note_read(brski_buf_span(&blob), name, value, err);
	brski_buf_free(&blob);
	return code;
}
