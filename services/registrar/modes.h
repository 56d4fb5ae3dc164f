/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_MODES_H
#define BRSKI_SERVICES_REGISTRAR_MODES_H

#include "services/registrar/store.h"

/*
 * What a manufacturer's mode says of a device; why[] in words. What the operator has said of this
 * very device comes first, in every mode. most: devices that may wait for him at one time.
 */
BRSKI_CHECKED enum brski_code brski_mode_decide(struct brski_store *store, const struct brski_env *env,
	unsigned most, const struct brski_device *device, const struct brski_manufacturer *m,
	enum brski_decision *decision, char why[256], struct brski_error *err);

#define BRSKI_TYPE_HARDWARE "oid:" /* what a rule of hardware types begins with */
/*
 * Does a rule of mode "type" fit? "oid:PATTERN" is matched with the hardware type in digits and
 * dots, any other with the subject as RFC 2253 text; both the way a shell matches file names (* ?
 * [...], no escapes). A device without a hardware type fits no "oid:" rule. subject and type: "" if
 * there is none.
 */
bool brski_type_fits(const char *pattern, const char *subject, const char *type);

#endif
