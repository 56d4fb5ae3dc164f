/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_RADIUS_MODULE_INSTANCE_H
#define BRSKI_RADIUS_MODULE_INSTANCE_H

#include "radius_module/conversation.h"

/*
 * One configured registrar, put together: credential, store, policy, registrar role, the I/O
 * thread, conversations. Whatever serves it to the network makes one of these and needs to know
 * none of the parts.
 */
struct brski_instance;

struct brski_instance_config {
	const char *certificate_file;     /* PEM: ours, then the intermediates above it; or a URI */
	const char *private_key_file;     /* PEM file or URI (pkcs11:, handle:) */
	const char *private_key_password; /* NULL or "": none */
	const char *ca_file;              /* trust anchors of the domain */
	const char *database;
	const char *cmp_url;
	bool cmp_nested;
	bool answer_genm;
	bool check_pki_answers;
	uint32_t vendor_id;
	uint32_t vendor_type;
	const char *identity_domain;
	size_t fragment_size;
	unsigned max_sessions;
	long session_lifetime; /* seconds */
	long wait_slice_ms;
	long wait_total;         /* seconds */
	long retry_after;        /* seconds */
	long connect_timeout;    /* seconds */
	long request_timeout;    /* seconds */
	long retry_interval_min; /* seconds, before a call that failed is made again; 0: 5 */
	long retry_interval_max; /* seconds, which that pause grows to; 0: 300 */
	size_t max_message;      /* octets */
	/* requests, and devices that the operator must decide on; here and below 0: no bound */
	unsigned max_waiting;
	unsigned max_waiting_per_device;
	size_t max_waiting_size;     /* octets */
	long max_waiting_age;        /* seconds; answers are kept that long too */
	unsigned max_history;        /* events */
	const char *proxy;           /* NULL or "": none */
	bool check_only;             /* look at everything and serve nothing: no thread, no calls */
	const struct brski_env *env; /* borrowed */
};

/*
 * Says what to do about a credential that cannot be a registrar's. What is odd but no obstacle goes
 * to the log.
 */
BRSKI_CHECKED enum brski_code brski_instance_new(
	const struct brski_instance_config *config, struct brski_instance **out, struct brski_error *err);
/* No packet may be under way. Joins the I/O thread. */
void brski_instance_free(struct brski_instance *instance);

/* NULL with check_only. */
struct brski_conversations *brski_instance_conversations(struct brski_instance *instance);

#endif
