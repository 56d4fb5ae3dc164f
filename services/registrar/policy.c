/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/policy.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/registrar/manufacturers.h"
#include "services/registrar/memory.h"
#include "services/registrar/modes.h"

struct brski_policy {
	struct brski_memory memory; /* the first: as all operations' ctx, the policy is that, too */
	struct brski_manufacturers *manufacturers;
};

static enum brski_code find_manufacturer(
	void *ctx, const STACK_OF(X509) *chain, struct brski_manufacturer *out, struct brski_error *err)
{
	struct brski_policy *policy = ctx;

	return brski_manufacturers_find(policy->manufacturers, chain, out, err);
}

/* ---- Whether it may join ---- */

static const char *decision_name(enum brski_decision decision)
{
	return decision == BRSKI_ACCEPT ? "accepted" : decision == BRSKI_DEFER ? "deferred" : "refused";
}

static void ask_judge(const struct brski_judge *judge, const struct brski_device *device,
	const struct brski_manufacturer *m, enum brski_decision *decision, char why[256], long *retry_after)
{
	struct brski_judgement judgement = {.decision = BRSKI_REFUSE};

	judge->ask(judge->ctx, device, m, why, &judgement);
	if (judgement.no_rules)
		return;
	*decision = judgement.decision;
	*retry_after = judgement.retry_after;
	snprintf(why, 256, "%s by %.60s%s%.160s", decision_name(*decision), judge->name,
		judgement.why[0] ? ": " : "", judgement.why);
}

/* Whom the operator has refused at one manufacturer does not get in by another with the same anchor. */
static enum brski_code ask_twins(const struct brski_policy *policy, const struct brski_device *device,
	enum brski_decision *decision, char why[256], struct brski_error *err)
{
	enum brski_standing standing = BRSKI_STANDING_UNKNOWN;
	enum brski_code code = BRSKI_OK;
	char other[64];

	for (unsigned i = 0; code == BRSKI_OK && standing != BRSKI_STANDING_REFUSED; i++) {
		code = brski_manufacturers_twin(policy->manufacturers, device->manufacturer, i, other, err);
		if (code == BRSKI_OK)
			code = brski_store_standing(
				policy->memory.store, other, device->serial_number, &standing, err);
	}
	if (code == BRSKI_OK) {
		*decision = BRSKI_REFUSE;
		snprintf(why, 256, "refused by the operator as a device of %.63s, which has the same anchor",
			other);
	}
	return code == BRSKI_NOT_FOUND ? BRSKI_OK : code;
}

/*
 * visit: the struct brski_judge of whoever has let the device in so far. In the background there is
 * none, and what was decided when the device was here holds.
 */
static enum brski_code decide(void *ctx, void *visit, const struct brski_device *device,
	const struct brski_manufacturer *m, enum brski_decision *decision, char why[256], long *retry_after,
	struct brski_error *err)
{
	const struct brski_memory *memory = &((const struct brski_policy *)ctx)->memory;
	unsigned most = memory->limits.waiting ? memory->limits.waiting : UINT_MAX;
	enum brski_code code;

	*retry_after = 0;
	code = brski_mode_decide(memory->store, memory->env, most, device, m, decision, why, err);
	if (code == BRSKI_OK && *decision != BRSKI_REFUSE)
		code = ask_twins(ctx, device, decision, why, err);
	if (code == BRSKI_OK && *decision == BRSKI_ACCEPT && visit)
		ask_judge(visit, device, m, decision, why, retry_after);
	return code;
}

/* ---- The role's operations ---- */

const struct brski_registrar_ops *brski_policy_ops(void)
{
	static const struct brski_registrar_ops ops = {
		.find_manufacturer = find_manufacturer,
		.decide = decide,
		.job_room = brski_memory_job_room,
		.job_add = brski_memory_job_add,
		.job_put = brski_memory_job_put,
		.job_get = brski_memory_job_get,
		.note_put = brski_memory_note_put,
		.note_get = brski_memory_note_get,
		.permission_get = brski_memory_permission_get,
		.permission_put = brski_memory_permission_put,
		.permission_take_back = brski_memory_permission_take_back,
		.listed = brski_memory_listed,
		.event = brski_memory_event,
		.nonceless_voucher = brski_memory_nonceless_voucher,
	};

	return &ops;
}

enum brski_code brski_policy_new(struct brski_store *store, const struct brski_env *env,
	struct brski_policy **out, struct brski_error *err)
{
	struct brski_policy *policy = calloc(1, sizeof(*policy));
	enum brski_code code;

	*out = NULL;
	if (!policy)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for the policy");
	policy->memory.store = store;
	policy->memory.env = env;
	code = brski_manufacturers_new(store, env, &policy->manufacturers, err);
	if (code != BRSKI_OK) {
		free(policy);
		return code;
	}
	*out = policy;
	return BRSKI_OK;
}

void brski_policy_set_limits(struct brski_policy *policy, const struct brski_store_limits *limits)
{
	policy->memory.limits = *limits;
}

enum brski_code brski_policy_load(struct brski_policy *policy, struct brski_error *err)
{
	return brski_manufacturers_load(policy->manufacturers, err);
}

void brski_policy_free(struct brski_policy *policy)
{
	if (!policy)
		return;
	brski_manufacturers_free(policy->manufacturers);
	free(policy);
}
