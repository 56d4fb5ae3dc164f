/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_RADIUS_POLICY_H
#define BRSKI_RADIUS_POLICY_H

#include "radius_module/store.h"

/*
 * The registrar's judgement over the store: which manufacturer a chain belongs to, and whether the device may
 * join (DESIGN: modes). It is the registrar role's struct brski_registrar_ops. Thread-safe; keeps the
 * manufacturers' certificates parsed until the store changes.
 */
struct brski_policy;
BRSKI_CHECKED enum brski_code brski_policy_new(struct brski_store *store, const struct brski_env *env,
	struct brski_policy **out, struct brski_error *err); /* store and env are borrowed */
void brski_policy_free(struct brski_policy *policy);
const struct brski_registrar_ops *brski_policy_ops(void); /* their ctx is the struct brski_policy */

#endif
