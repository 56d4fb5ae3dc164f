/* SPDX-License-Identifier: BSD-3-Clause */
#include "radius_module/question.h"

#include <ctype.h>
#include <string.h>

#include "eap_brski/ground/text.h"
#include "eap_brski/pki/cert.h"

/* One that is there, is not longer than there is room, and has no octet that a text does not have. */
static enum brski_code take_text(
	struct brski_span in, char *out, size_t size, const char *what, struct brski_error *err)
{
	if (in.len == 0 || in.len >= size || memchr(in.data, '\0', in.len))
		return brski_fail(
			err, BRSKI_MALFORMED, "it has no %s, or not as a registrar writes it", what);
	memcpy(out, in.data, in.len);
	out[in.len] = '\0';
	return BRSKI_OK;
}

static enum brski_code take_mode(struct brski_span in, enum brski_mode *out, struct brski_error *err)
{
	for (int mode = BRSKI_MODE_INVENTORY; mode <= BRSKI_MODE_OPEN; mode++) {
		if (!brski_span_equal(in, brski_span_str(brski_mode_name((enum brski_mode)mode))))
			continue;
		*out = (enum brski_mode)mode;
		return BRSKI_OK;
	}
	return brski_fail(err, BRSKI_MALFORMED, "it names no mode of a manufacturer");
}

/* What is not EAP's door, which asks nobody. */
static enum brski_code take_door(struct brski_span in, struct brski_question *out, struct brski_error *err)
{
	enum brski_code code = take_text(in, out->door, sizeof(out->door), "door", err);

	for (const char *c = out->door; code == BRSKI_OK && *c; c++)
		if (!islower((unsigned char)*c))
			code = brski_fail(err, BRSKI_MALFORMED, "its door is no lower-case word");
	if (code == BRSKI_OK && strcmp(out->door, "eap") == 0)
		code = brski_fail(err, BRSKI_MALFORMED, "it says that it is from the EAP door");
	return code;
}

static enum brski_code take_device(struct brski_span der, struct brski_device *d, struct brski_error *err)
{
	enum brski_code code;

	if (der.len == 0)
		return brski_fail(err, BRSKI_MALFORMED, "it has no IDevID");
	code = brski_cert_from_der(der, &d->idevid, err);
	if (code != BRSKI_OK)
		return brski_fail_context(err, code, "its IDevID");
	brski_cert_fingerprint(d->idevid, d->fingerprint);
	brski_name_text(X509_get_subject_name(d->idevid), d->subject, sizeof(d->subject));
	return brski_cert_serial_number(d->idevid, d->serial_number, err);
}

enum brski_code brski_question_read(
	const struct brski_question_in *in, struct brski_question *out, struct brski_error *err)
{
	struct brski_device *d = &out->device;
	enum brski_code code;

	*out = (struct brski_question){.why = ""};
	code = take_text(in->manufacturer, d->manufacturer, sizeof(d->manufacturer), "manufacturer", err);
	if (code == BRSKI_OK)
		code = take_mode(in->mode, &out->m.mode, err);
	if (code == BRSKI_OK)
		code = take_text(in->why, out->why, sizeof(out->why), "reason", err);
	if (code == BRSKI_OK)
		code = take_door(in->door, out, err);
	if (code == BRSKI_OK)
		code = take_device(in->idevid, d, err);
	if (code == BRSKI_OK)
		memcpy(out->m.name, d->manufacturer, sizeof(out->m.name));
	else
		brski_question_free(out);
	return code;
}

void brski_question_free(struct brski_question *question)
{
	X509_free(question->device.idevid);
	*question = (struct brski_question){.why = ""};
}
