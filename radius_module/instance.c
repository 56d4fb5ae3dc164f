/* SPDX-License-Identifier: BSD-3-Clause */
#include "radius_module/instance.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "services/registrar/site.h"

/* clang-format off */
#define TEXT(name)   #name, SETTING_TEXT, offsetof(struct brski_door_config, name), 0, 0
#define FLAG(name)   #name, SETTING_FLAG, offsetof(struct brski_door_config, name), 0, 0
#define NUMBER(name) #name, SETTING_NUMBER, offsetof(struct brski_door_config, name)

const struct setting brski_door_settings[] = {
	{NUMBER(vendor_id), 0, INT32_MAX, "32473", false, "N", "of the EAP Expanded Type"},
	{NUMBER(vendor_type), 0, INT32_MAX, "1", false, "N", "of the EAP Expanded Type"},
	{TEXT(identity_domain), "example.org", true, "NAME", "in the identity brski@NAME.v.eap.arpa"},
	{FLAG(pass_provisioning), "no", false, NULL, "leave other identities under eap.arpa to other modules"},
	{NUMBER(fragment_size), 128, 3800, "1398", false, "OCTETS", "longest EAP packet sent"},
	{NUMBER(max_sessions), 1, 1000000, "2048", false, "N", "devices at one time"},
	{NUMBER(max_sessions_per_nas), 0, 1000000, "0", false, "N", "of one NAS; 0: half of max_sessions"},
	/* a peer may be silent for 25 seconds, and its authenticator repeats itself then */
	{NUMBER(session_lifetime), 30, 3600, "60", false, "SECONDS", "without a packet"},
	{NUMBER(session_total), 60, 86400, "600", false, "SECONDS", "in all"},
	{NUMBER(max_busy_threads), 0, 1024, "0", false, "N", "at work at one time; 0: half of the processors"},
	{NUMBER(wait_slice), 0, 1000, "50", false, "MILLISECONDS", "that a thread waits before it sends Wait"},
	{NUMBER(wait_total), 0, 600, "20", false, "SECONDS", "that a device is made to wait"},
	{NUMBER(onboarded_session), 0, 86400, "60", false, "SECONDS", "that an onboarded device may stay as such"},
	{TEXT(virtual_server), NULL, false, "NAME", "has the last word on who gets in"},
	{0},
};
/* clang-format on */

struct brski_instance {
	struct brski_site *site;
	struct brski_server_context *eap;
	_Atomic(struct brski_conversations *) conversations; /* the worker's thread looks too */
};

/* In the worker's thread. */
static unsigned keep_house(void *ctx)
{
	struct brski_instance *i = ctx;
	struct brski_conversations *conversations = atomic_load(&i->conversations);

	if (!conversations)
		return 0;
	brski_conversations_expire(conversations);
	return brski_conversations_count(conversations);
}

static enum brski_code check_door(const struct brski_door_config *door, struct brski_error *err)
{
	char identity[300];

	if (brski_identity(door->identity_domain, identity, sizeof(identity)))
		return BRSKI_OK;
	return brski_fail(
		err, BRSKI_UNSUPPORTED, "identity_domain is not a host name: %s", door->identity_domain);
}

static enum brski_code make_site(
	struct brski_instance *i, const struct brski_instance_config *config, struct brski_error *err)
{
	struct brski_site_config site = {
		.settings = config->site,
		.check_only = config->check_only,
		.housekeeping = keep_house,
		.housekeeping_ctx = i,
		.env = config->env,
	};

	return brski_site_new(&site, &i->site, err);
}

/* Other doors of this store must know: docs/administrator.md, "Your rules hold at both doors". */
static enum brski_code tell_of_rules(
	struct brski_instance *i, const struct brski_instance_config *config, struct brski_error *err)
{
	const char *server = config->door->virtual_server;
	char rules[128];
	enum brski_code code;

	snprintf(rules, sizeof(rules), "virtual server %s", server ? server : "");
	code = brski_store_rules_set(
		brski_site_store(i->site), config->name, server && server[0] ? rules : NULL, err);
	return code == BRSKI_OK ? code
				: brski_fail_context(
					  err, code, "the store cannot remember whether this door has rules");
}

static enum brski_code make_eap(
	struct brski_instance *i, const struct brski_instance_config *config, struct brski_error *err)
{
	struct brski_server_config eap = {
		.registrar = brski_site_registrar(i->site),
		.vendor_id = (uint32_t)config->door->vendor_id,
		.vendor_type = (uint32_t)config->door->vendor_type,
		.message_max = (size_t)config->site->max_message,
	};

	return brski_server_context_new(&eap, &i->eap, err);
}

/* A device that is made to wait as long as wait_total says must live to see the answer. */
static long total_of(const struct brski_instance_config *config)
{
	const struct brski_door_config *door = config->door;
	long least = door->wait_total + door->session_lifetime;

	if (door->session_total >= least)
		return door->session_total;
	brski_log(config->env, BRSKI_LOG_WARN,
		"session_total = %ld is less than wait_total and session_lifetime together: it is taken as %ld",
		door->session_total, least);
	return least;
}

static enum brski_code make_conversations(
	struct brski_instance *i, const struct brski_instance_config *config, struct brski_error *err)
{
	const struct brski_door_config *door = config->door;
	struct brski_conversations_config conversations = {
		.eap = i->eap,
		.worker = brski_site_worker(i->site),
		.store = brski_site_store(i->site),
		.vendor_id = (uint32_t)door->vendor_id,
		.vendor_type = (uint32_t)door->vendor_type,
		.identity_domain = door->identity_domain,
		.pass_provisioning = door->pass_provisioning,
		.mtu_max = (size_t)door->fragment_size,
		.max_sessions = (unsigned)door->max_sessions,
		.max_sessions_per_nas = (unsigned)door->max_sessions_per_nas,
		.session_lifetime_ms = door->session_lifetime * 1000,
		.session_total_ms = total_of(config) * 1000,
		.max_busy_threads = (unsigned)door->max_busy_threads,
		.wait_slice_ms = door->wait_slice,
		.wait_total_ms = door->wait_total * 1000,
		.env = config->env,
	};
	struct brski_conversations *made;
	enum brski_code code;

	code = brski_conversations_new(&conversations, &made, err);
	atomic_store(&i->conversations, made);
	return code;
}

enum brski_code brski_instance_new(
	const struct brski_instance_config *config, struct brski_instance **out, struct brski_error *err)
{
	struct brski_instance *i = calloc(1, sizeof(*i));
	enum brski_code code;

	*out = NULL;
	if (!i)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for a registrar");
	code = check_door(config->door, err);
	if (code == BRSKI_OK)
		code = make_site(i, config, err);
	if (code == BRSKI_OK)
		code = make_eap(i, config, err);
	if (code == BRSKI_OK && !config->check_only)
		code = tell_of_rules(i, config, err);
	if (code == BRSKI_OK && !config->check_only)
		code = make_conversations(i, config, err);
	if (code != BRSKI_OK) {
		brski_instance_free(i);
		return code;
	}
	*out = i;
	return BRSKI_OK;
}

/* Conversations hold tickets of the worker's jobs; sessions hold on to the registrar. */
void brski_instance_free(struct brski_instance *i)
{
	if (!i)
		return;
	brski_site_stop(i->site);
	brski_conversations_free(atomic_load(&i->conversations));
	brski_server_context_free(i->eap);
	brski_site_free(i->site);
	free(i);
}

struct brski_conversations *brski_instance_conversations(struct brski_instance *i)
{
	return atomic_load(&i->conversations);
}
