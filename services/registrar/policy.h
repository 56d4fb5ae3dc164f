/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_POLICY_H
#define BRSKI_SERVICES_REGISTRAR_POLICY_H

#include "services/registrar/store.h"

/*
 * The registrar's judgement over the store: which manufacturer a chain belongs to, and whether the
 * device may join (DESIGN: modes); with the memory beneath it (memory.h), it is the registrar role's
 * struct brski_registrar_ops. Thread-safe; keeps the manufacturers' certificates parsed until the store changes.
 */
struct brski_policy;
BRSKI_CHECKED enum brski_code brski_policy_new(struct brski_store *store, const struct brski_env *env,
	struct brski_policy **out, struct brski_error *err); /* store and env are borrowed */
void brski_policy_free(struct brski_policy *policy);
/*
 * Before the first use. Without it, nothing is bounded. limits.waiting bounds the devices that wait
 * for the operator, too.
 */
void brski_policy_set_limits(struct brski_policy *policy, const struct brski_store_limits *limits);
/* Reads the manufacturers now: brski_manufacturers_load. */
BRSKI_CHECKED enum brski_code brski_policy_load(struct brski_policy *policy, struct brski_error *err);
const struct brski_registrar_ops *brski_policy_ops(void); /* their ctx is the struct brski_policy */

/* ---- The last word: the administrator's own rules, in whatever form the server knows them ---- */

struct brski_judgement {
	enum brski_decision decision;
	char why[256];    /* "": none given */
	long retry_after; /* seconds, with BRSKI_DEFER; 0: the registrar's */
	bool no_rules; /* there is nobody to ask: what the mode says stands, and the rest is of no meaning */
};
/*
 * Whoever brings a device to the registrar may know of one, and says so as what it knows of this
 * visit: brski_registrar_session_visit(session, judge). It is asked before the device is accepted.
 */
struct brski_judge {
	const char *name; /* for the log: "virtual server brski-policy" */
	/*
	 * The device is one that the mode accepts, for the reason `why`. *out is BRSKI_REFUSE if it
	 * does nothing.
	 */
	void (*ask)(void *ctx, const struct brski_device *device, const struct brski_manufacturer *m,
		const char *why, struct brski_judgement *out);
	void *ctx;
};

#endif
