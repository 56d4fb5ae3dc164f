/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_RADIUS_MODULE_INSTANCE_H
#define BRSKI_RADIUS_MODULE_INSTANCE_H

#include "radius_module/conversation.h"
#include "services/registrar/config.h"

/* One instance of the module: a registrar's site, and the EAP conversations that lead to it. */
struct brski_instance;

/* What an administrator sets of the EAP door. */
struct brski_door_config {
	long vendor_id; /* EAP's Expanded Type, RFC 3748 5.7 */
	long vendor_type;
	char *identity_domain;
	bool pass_provisioning; /* RFC 9965: other identities under eap.arpa are somebody else's */
	long fragment_size;     /* octets of an EAP packet */
	long max_sessions;
	long max_sessions_per_nas; /* 0: half of max_sessions */
	long session_lifetime;     /* seconds without a packet */
	long session_total;        /* seconds in all */
	long max_busy_threads;     /* 0: half of the processors */
	long wait_slice;           /* milliseconds */
	long wait_total;           /* seconds */
	long onboarded_session;    /* seconds that an onboarded device may stay; 0: not bounded here */
	char *virtual_server;      /* NULL: none; whoever knows what that is asks it */
};
extern const struct setting brski_door_settings[];

struct brski_instance_config {
	const char *name; /* under which the store knows this door, and the operator finds it */
	const struct brski_config *site; /* these two: needed by brski_instance_new only */
	const struct brski_door_config *door;
	bool check_only;             /* look at everything and serve nothing: no thread, no calls */
	const struct brski_env *env; /* borrowed */
};

/* Says what to do about what will not do. What is odd but no obstacle goes to the log. */
BRSKI_CHECKED enum brski_code brski_instance_new(
	const struct brski_instance_config *config, struct brski_instance **out, struct brski_error *err);
/* No packet may be under way. Joins the worker's thread. NULL is allowed. */
void brski_instance_free(struct brski_instance *instance);

/* NULL with check_only. */
struct brski_conversations *brski_instance_conversations(struct brski_instance *instance);

#endif
