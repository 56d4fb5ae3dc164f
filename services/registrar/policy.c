/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/policy.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "services/registrar/manufacturers.h"
#include "services/registrar/modes.h"

struct brski_policy {
	struct brski_store *store;
	const struct brski_env *env;
	struct brski_manufacturers *manufacturers;
	struct brski_store_limits limits;
};

static enum brski_code find_manufacturer(
	void *ctx, const STACK_OF(X509) *chain, struct brski_manufacturer *out, struct brski_error *err)
{
	struct brski_policy *policy = ctx;

	return brski_manufacturers_find(policy->manufacturers, chain, out, err);
}

/* ---- Whether it may join ---- */

/*
 * Of this thread, while it works on a packet of the peer in question. Only a thread that has a
 * request at hand can ask the administrator's own rules; the background has none, and holds on to
 * what was decided when the device was here.
 */
static _Thread_local const struct brski_judge *judge;

void brski_policy_set_judge(const struct brski_judge *next)
{
	judge = next;
}

static const char *decision_name(enum brski_decision decision)
{
	return decision == BRSKI_ACCEPT ? "accepted" : decision == BRSKI_DEFER ? "deferred" : "refused";
}

static void ask_judge(const struct brski_device *device, const struct brski_manufacturer *m,
	enum brski_decision *decision, char why[256], long *retry_after)
{
	struct brski_judgement judgement = {.decision = BRSKI_REFUSE};

	judge->ask(judge->ctx, device, m, why, &judgement);
	*decision = judgement.decision;
	*retry_after = judgement.retry_after;
	snprintf(why, 256, "%s by %.60s%s%.160s", decision_name(*decision), judge->name,
		judgement.why[0] ? ": " : "", judgement.why);
}

static enum brski_code decide(void *ctx, void *visit, const struct brski_device *device,
	const struct brski_manufacturer *m, enum brski_decision *decision, char why[256], long *retry_after,
	struct brski_error *err)
{
	struct brski_policy *policy = ctx;
	unsigned most = policy->limits.waiting ? policy->limits.waiting : UINT_MAX;
	enum brski_code code;

	(void)visit;
	*retry_after = 0;
	code = brski_mode_decide(policy->store, policy->env, most, device, m, decision, why, err);
	if (code == BRSKI_OK && *decision == BRSKI_ACCEPT && judge)
		ask_judge(device, m, decision, why, retry_after);
	return code;
}

/* ---- Memory ---- */

/* A row for the store; to be freed. */
static enum brski_code make_row(const struct brski_policy *policy, const char *key, enum brski_job_kind kind,
	const struct brski_device *device, struct brski_span blob, struct brski_store_job *row,
	struct brski_error *err)
{
	*row = (struct brski_store_job){.kind = kind, .updated = brski_now(policy->env)};
	snprintf(row->key, sizeof(row->key), "%s", key);
	snprintf(row->manufacturer, sizeof(row->manufacturer), "%s", device->manufacturer);
	snprintf(row->serial_number, sizeof(row->serial_number), "%s", device->serial_number);
	if (brski_buf_set(&row->blob, blob) == BRSKI_OK)
		return BRSKI_OK;
	return brski_fail(err, BRSKI_NO_MEMORY, "no memory for a request");
}

static enum brski_code job_add(void *ctx, const char *key, enum brski_job_kind kind,
	const struct brski_device *device, struct brski_span blob, struct brski_error *err)
{
	struct brski_policy *policy = ctx;
	struct brski_store_job row;
	enum brski_code code = make_row(policy, key, kind, device, blob, &row, err);

	if (code == BRSKI_OK)
		code = brski_store_job_add(policy->store, &row, &policy->limits, err);
	brski_store_job_free(&row);
	return code;
}

static enum brski_code job_put(void *ctx, const char *key, uint64_t revision, enum brski_job_kind kind,
	enum brski_job_state state, const struct brski_device *device, struct brski_span blob,
	struct brski_error *err)
{
	struct brski_policy *policy = ctx;
	struct brski_store_job row;
	enum brski_code code = make_row(policy, key, kind, device, blob, &row, err);

	row.revision = revision;
	row.state = state;
	if (code == BRSKI_OK)
		code = brski_store_job_replace(policy->store, &row, &policy->limits, err);
	brski_store_job_free(&row);
	return code;
}

static enum brski_code job_get(
	void *ctx, const char *key, struct brski_buf *blob, uint64_t *revision, struct brski_error *err)
{
	struct brski_policy *policy = ctx;
	struct brski_store_job row;
	enum brski_code code = brski_store_job_get(policy->store, key, &row, err);

	*revision = 0;
	if (code != BRSKI_OK)
		return code;
	brski_buf_move(blob, &row.blob);
	*revision = row.revision;
	brski_store_job_free(&row);
	return BRSKI_OK;
}

static enum brski_code note_put(void *ctx, const struct brski_note *note, struct brski_error *err)
{
	struct brski_policy *policy = ctx;
	struct brski_store_note row = {
		.of_transaction = note->of_transaction, .updated = brski_now(policy->env)};

	snprintf(row.key, sizeof(row.key), "%s", note->key);
	snprintf(row.name, sizeof(row.name), "%s", note->name);
	snprintf(row.value, sizeof(row.value), "%s", note->value);
	snprintf(row.manufacturer, sizeof(row.manufacturer), "%s", note->device->manufacturer);
	snprintf(row.serial_number, sizeof(row.serial_number), "%s", note->device->serial_number);
	return brski_store_note_put(policy->store, &row, err);
}

static enum brski_code note_remove(void *ctx, const char *key, struct brski_error *err)
{
	return brski_store_note_remove(((struct brski_policy *)ctx)->store, key, err);
}

static enum brski_code note_get(
	void *ctx, const char *key, char value[BRSKI_FINGERPRINT_MAX], struct brski_error *err)
{
	struct brski_store_note row;
	enum brski_code code = brski_store_note_get(((struct brski_policy *)ctx)->store, key, &row, err);

	snprintf(value, BRSKI_FINGERPRINT_MAX, "%s", code == BRSKI_OK ? row.value : "");
	return code;
}

static void event(void *ctx, const struct brski_device *device, const char *what, bool ok, const char *detail)
{
	struct brski_policy *policy = ctx;
	struct brski_store_event e = {.at = brski_now(policy->env), .ok = ok};
	struct brski_error err;
	enum brski_code code;
	const char *state = !ok ? "failed" : strcmp(what, "enroll-status") == 0 ? "onboarded" : NULL;

	snprintf(e.what, sizeof(e.what), "%s", what);
	snprintf(e.detail, sizeof(e.detail), "%s", detail ? detail : "");
	if (device) {
		snprintf(e.manufacturer, sizeof(e.manufacturer), "%s", device->manufacturer);
		snprintf(e.serial_number, sizeof(e.serial_number), "%s", device->serial_number);
	}
	code = brski_store_event_add(policy->store, &e, &err);
	if (code == BRSKI_OK && device)
		code = brski_store_device_seen(policy->store, e.manufacturer, e.serial_number, state, &err);
	if (code != BRSKI_OK)
		brski_log(policy->env, BRSKI_LOG_ERROR, "history is incomplete: %s", err.why);
}

static enum brski_code nonceless_voucher(
	void *ctx, const struct brski_device *device, struct brski_buf *cms, struct brski_error *err)
{
	struct brski_policy *policy = ctx;
	struct brski_store_nonceless a;
	enum brski_code code = brski_store_nonceless_get(
		policy->store, device->manufacturer, device->serial_number, &a, err);

	if (code != BRSKI_OK)
		return code;
	if (a.voucher.len)
		brski_buf_move(cms, &a.voucher);
	else
		code = brski_fail(err, BRSKI_NOT_FOUND, "the voucher was asked for, and is not here yet");
	brski_store_nonceless_free(&a);
	return code;
}

const struct brski_registrar_ops *brski_policy_ops(void)
{
	static const struct brski_registrar_ops ops = {
		.find_manufacturer = find_manufacturer,
		.decide = decide,
		.job_add = job_add,
		.job_put = job_put,
		.job_get = job_get,
		.note_put = note_put,
		.note_remove = note_remove,
		.note_get = note_get,
		.event = event,
		.nonceless_voucher = nonceless_voucher,
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
	if (code != BRSKI_OK) {
		free(policy);
		return code;
	}
	*out = policy;
	return BRSKI_OK;
}

void brski_policy_set_limits(struct brski_policy *policy, const struct brski_store_limits *limits)
{
	policy->limits = *limits;
}

void brski_policy_free(struct brski_policy *policy)
{
	if (!policy)
		return;
	brski_manufacturers_free(policy->manufacturers);
	free(policy);
}
