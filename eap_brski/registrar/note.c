/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "eap_brski/ground/text.h"
#include "eap_brski/registrar/registrar_internal.h"

/* What must not be forgotten of a transaction. */

enum brski_code brski_note_key(const struct brski_device *device, const char *name, struct brski_span detail,
	char out[BRSKI_FINGERPRINT_MAX], struct brski_error *err)
{
	struct brski_buf text = {0};
	enum brski_code code;

	/* no request begins so: the two kinds of keys cannot meet */
	brski_put_str(&text, "note ");
	brski_put_str(&text, name);
	brski_put_u8(&text, 0);
	brski_put(&text, detail);
	if (text.failed)
		code = brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	else
		code = brski_job_key_of(device, brski_buf_span(&text), out, err);
	brski_buf_free(&text);
	return code;
}

enum brski_code brski_note_put(struct brski_registrar *r, const struct brski_device *device, const char *name,
	struct brski_span detail, const char *value, struct brski_error *err)
{
	struct brski_note note = {.name = name, .device = device, .of_transaction = detail.len > 0};
	enum brski_code code = brski_note_key(device, name, detail, note.key, err);

	if (code != BRSKI_OK)
		return code;
	if (!brski_job_is_key(value) || !brski_text_copy(note.value, sizeof(note.value), value))
		return brski_fail(err, BRSKI_INTERNAL, "a note of what is no job");
	code = r->ops.note_put(r->ops_ctx, &note, err);
	return code == BRSKI_OK ? code : brski_registrar_trouble(code, BRSKI_MEMORY_FAILS, err);
}

enum brski_code brski_note_get(struct brski_registrar *r, const struct brski_device *device, const char *name,
	struct brski_span detail, char value[BRSKI_FINGERPRINT_MAX], struct brski_error *err)
{
	char key[BRSKI_FINGERPRINT_MAX];
	enum brski_code code;

	value[0] = '\0';
	code = brski_note_key(device, name, detail, key, err);
	if (code != BRSKI_OK)
		return code;
	code = r->ops.note_get(r->ops_ctx, key, value, err);
	if (code == BRSKI_OK && brski_job_is_key(value))
		return BRSKI_OK;
	value[0] = '\0';
	if (code == BRSKI_NOT_FOUND)
		return BRSKI_OK;
	if (code == BRSKI_OK)
		code = brski_fail(err, BRSKI_MALFORMED, "a stored note has no value");
	return brski_registrar_trouble(code, BRSKI_MEMORY_FAILS, err);
}
