/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_RADIUS_MODULE_QUESTION_H
#define BRSKI_RADIUS_MODULE_QUESTION_H

#include "eap_brski/registrar/registrar.h"

/* What another door asks of the rules here (services/registrar/rules_question.h), from its attributes. */

#define BRSKI_QUESTION_DOOR_MAX 16

struct brski_question_in { /* data NULL: it is not there */
	struct brski_span idevid;
	struct brski_span manufacturer;
	struct brski_span mode;
	struct brski_span why;
	struct brski_span door;
};

struct brski_question {
	struct brski_device device;  /* with idevid */
	struct brski_manufacturer m; /* name and mode, and nothing else */
	char why[256];
	char door[BRSKI_QUESTION_DOOR_MAX];
};

/*
 * Whoever asks has seen to it that the certificate is a device's of that manufacturer: it is not
 * verified once more. BRSKI_MALFORMED: something is missing, or none of ours; BRSKI_NOT_FOUND: the
 * certificate names no serial number. *out, zeroed without success, is freed by brski_question_free().
 */
BRSKI_CHECKED enum brski_code brski_question_read(
	const struct brski_question_in *in, struct brski_question *out, struct brski_error *err);
void brski_question_free(struct brski_question *question);

#endif
