/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_HTTPS_RULES_INTERNAL_H
#define BRSKI_SERVICES_REGISTRAR_HTTPS_RULES_INTERNAL_H

#include "services/base/radius_client.h"
#include "services/registrar_https/rules.h"

/* ---- rules_secret.c ---- */

/*
 * The secret of a file "secret = VALUE", as FreeRADIUS's $INCLUDE takes it, too: letters, digits, '-', '_'
 * and '.', with or without quotation marks. BRSKI_NOT_FOUND, BRSKI_UNTRUSTED: others may read it;
 * BRSKI_MALFORMED: something else is in it. No word of the file is in the error.
 */
BRSKI_CHECKED enum brski_code rules_secret_read(
	const char *path, struct brski_buf *secret, struct brski_error *err);

/* ---- rules_ask.c ---- */

/*
 * Puts one device to the server. BRSKI_TOO_LARGE: its certificate is too long for RADIUS;
 * BRSKI_UNAVAILABLE: there is no answer; BRSKI_MALFORMED: it is none that rlm_brski gives; others:
 * trouble of our own.
 */
BRSKI_CHECKED enum brski_code rules_ask(struct radius_client *client, const char *peer,
	const struct brski_device *device, const struct brski_manufacturer *m, const char *why,
	struct brski_judgement *out, struct brski_error *err);

#endif
