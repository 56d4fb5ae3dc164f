/* SPDX-License-Identifier: BSD-3-Clause */
#include "radius_module/policy.h"

#include <stdlib.h>
#include <string.h>

#include "radius_module/manufacturers.h"

struct brski_policy {
	struct brski_store *store;
	const struct brski_env *env;
	struct brski_manufacturers *manufacturers;
};

static enum brski_code find_manufacturer(
	void *ctx, const STACK_OF(X509) *chain, struct brski_manufacturer *out, struct brski_error *err)
{
	struct brski_policy *policy = ctx;

	return brski_manufacturers_find(policy->manufacturers, chain, out, err);
}

/* ---- Whether it may join ---- */

static enum brski_code decide_inventory(struct brski_policy *policy, const struct brski_device *device,
	enum brski_decision *decision, char why[256], struct brski_error *err)
{
	struct brski_store_device row;
	enum brski_code code =
		brski_store_device_get(policy->store, device->manufacturer, device->serial_number, &row, err);

	if (code && code != BRSKI_NOT_FOUND)
		return code;
	*decision = code ? BRSKI_REFUSE : BRSKI_ACCEPT;
	if (code)
		snprintf(why, 256, "not in the inventory; add it with: brskictl device add %s '%s'",
			device->manufacturer, device->serial_number);
	else
		snprintf(why, 256, "listed in the inventory");
	return BRSKI_OK;
}

static enum brski_code decide(void *ctx, const struct brski_device *device,
	const struct brski_manufacturer *m, enum brski_decision *decision, char why[256], long *retry_after,
	struct brski_error *err)
{
	struct brski_policy *policy = ctx;

	*decision = BRSKI_REFUSE;
	*retry_after = 0;
	switch (m->mode) {
	case BRSKI_MODE_INVENTORY:
		return decide_inventory(policy, device, decision, why, err);
	case BRSKI_MODE_MANUFACTURER:
		*decision = BRSKI_ACCEPT;
		snprintf(why, 256, "every device of %s is welcome", m->name);
		return BRSKI_OK;
	case BRSKI_MODE_OPEN:
		*decision = BRSKI_ACCEPT;
		brski_log(policy->env, BRSKI_LOG_WARN,
			"mode 'open' of manufacturer %s admits device %s WITHOUT ANY CHECK", m->name,
			device->serial_number);
		snprintf(why, 256, "mode 'open': nothing was checked");
		return BRSKI_OK;
	case BRSKI_MODE_MANUAL:
	case BRSKI_MODE_TYPE:
		break;
	}
	snprintf(why, 256, "the mode of manufacturer %s is one that this version does not know", m->name);
	return BRSKI_OK;
}

/* ---- Memory ---- */

static enum brski_code job_put(void *ctx, const char *key, enum brski_job_kind kind,
	enum brski_job_state state, const struct brski_device *device, struct brski_span blob,
	struct brski_error *err)
{
	struct brski_policy *policy = ctx;
	struct brski_store_job job = {.kind = kind, .state = state, .updated = brski_now(policy->env)};
	enum brski_code code;

	snprintf(job.key, sizeof(job.key), "%s", key);
	snprintf(job.manufacturer, sizeof(job.manufacturer), "%s", device->manufacturer);
	snprintf(job.serial_number, sizeof(job.serial_number), "%s", device->serial_number);
	code = brski_buf_set(&job.blob, blob);
	if (code)
		return brski_fail(err, code, "no memory for a request");
	code = brski_store_job_put(policy->store, &job, err);
	brski_store_job_free(&job);
	return code;
}

static enum brski_code job_get(void *ctx, const char *key, struct brski_buf *blob, struct brski_error *err)
{
	struct brski_policy *policy = ctx;
	struct brski_store_job job;
	enum brski_code code = brski_store_job_get(policy->store, key, &job, err);

	if (code)
		return code;
	brski_buf_move(blob, &job.blob);
	brski_store_job_free(&job);
	return BRSKI_OK;
}

static void event(void *ctx, const struct brski_device *device, const char *what, bool ok, const char *detail)
{
	struct brski_policy *policy = ctx;
	struct brski_store_event e = {.at = brski_now(policy->env), .ok = ok};
	struct brski_error err;
	const char *state = !ok ? "failed" : strcmp(what, "enroll-status") == 0 ? "onboarded" : NULL;

	snprintf(e.what, sizeof(e.what), "%s", what);
	snprintf(e.detail, sizeof(e.detail), "%s", detail ? detail : "");
	if (device) {
		snprintf(e.manufacturer, sizeof(e.manufacturer), "%s", device->manufacturer);
		snprintf(e.serial_number, sizeof(e.serial_number), "%s", device->serial_number);
	}
	if (brski_store_event_add(policy->store, &e, &err) ||
		(device &&
			brski_store_device_seen(policy->store, e.manufacturer, e.serial_number, state, &err)))
		brski_log(policy->env, BRSKI_LOG_ERROR, "history is incomplete: %s", err.why);
}

const struct brski_registrar_ops *brski_policy_ops(void)
{
	static const struct brski_registrar_ops ops = {
		.find_manufacturer = find_manufacturer,
		.decide = decide,
		.job_put = job_put,
		.job_get = job_get,
		.event = event,
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
	policy->store = store;
	policy->env = env;
	code = brski_manufacturers_new(store, env, &policy->manufacturers, err);
	if (code) {
		free(policy);
		return code;
	}
	*out = policy;
	return BRSKI_OK;
}

void brski_policy_free(struct brski_policy *policy)
{
	if (!policy)
		return;
	brski_manufacturers_free(policy->manufacturers);
	free(policy);
}
