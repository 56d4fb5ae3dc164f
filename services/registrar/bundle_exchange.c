/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/bundle_exchange.h"

#include <stdlib.h>
#include <string.h>

#include "services/registrar/bundle_exchange_internal.h"

#define JOBS_MOST BRSKI_BUNDLE_ITEMS_MAX

enum brski_code brski_exchange_new(
	const struct brski_exchange_config *config, struct brski_exchange **out, struct brski_error *err)
{
	struct brski_exchange *o = calloc(1, sizeof(*o));
	struct brski_registrar_config registrar = {
		.credential = config->credential,
		.domain_anchors = config->domain_anchors,
		.cmp_url = config->cmp_url,
		.nest = config->cmp_nested,
		.check_answers = config->check_pki_answers,
		.ops = &brski_dry_run_ops,
		.ops_ctx = o,
		.env = config->env,
	};
	enum brski_code code;

	*out = NULL;
	if (!o)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for a registrar");
	o->store = config->store;
	o->env = config->env;
	brski_cert_fingerprint(config->credential->cert, o->name);
	code = brski_policy_new(o->store, o->env, &o->policy, err);
	if (code == BRSKI_OK)
		code = brski_manufacturers_new(o->store, o->env, &o->manufacturers, err);
	if (code == BRSKI_OK)
		code = brski_registrar_new(&registrar, &o->registrar, err);
	if (code != BRSKI_OK) {
		brski_exchange_free(o);
		return code;
	}
	*out = o;
	return BRSKI_OK;
}

void brski_exchange_free(struct brski_exchange *o)
{
	if (!o)
		return;
	brski_dry_run_clear(o);
	brski_registrar_free(o->registrar);
	brski_manufacturers_free(o->manufacturers);
	brski_policy_free(o->policy);
	free(o);
}

const char *brski_exchange_name(const struct brski_exchange *o)
{
	return o->name;
}

/* ---- Export ---- */

struct exporting {
	struct brski_exchange *o;
	struct brski_bundle *bundle;
	unsigned held;
	enum brski_code code;
	struct brski_error *err;
};

static enum brski_code add_calls(
	const struct brski_job *job, struct brski_bundle_item *item, struct brski_error *err)
{
	struct brski_call call;
	enum brski_code code = BRSKI_OK;

	if (brski_job_call(job, &call) && call.tls_anchors)
		code = brski_certs_to_pem(call.tls_anchors, &item->tls_anchors, err);
	for (unsigned i = 0; code == BRSKI_OK && i < BRSKI_BUNDLE_CALLS_MAX; i++) {
		code = brski_job_plan(job, i, &item->calls[i], err);
		if (code == BRSKI_OK)
			item->n_calls++;
	}
	return code == BRSKI_NOT_FOUND && item->n_calls > 0 ? BRSKI_OK : code;
}

static enum brski_code add_item(struct exporting *x, const struct brski_store_job *row,
	const struct brski_job *job, struct brski_error *err)
{
	struct brski_bundle_item *item = brski_bundle_add(x->bundle);

	if (!item)
		return brski_fail(err, BRSKI_TOO_LARGE, "more than %d requests wait", BRSKI_BUNDLE_ITEMS_MAX);
	memcpy(item->key, row->key, sizeof(item->key));
	memcpy(item->manufacturer, row->manufacturer, sizeof(item->manufacturer));
	memcpy(item->serial_number, row->serial_number, sizeof(item->serial_number));
	item->kind = row->kind == BRSKI_JOB_VOUCHER ? BRSKI_BUNDLE_VOUCHER : BRSKI_BUNDLE_CERTIFICATE;
	return add_calls(job, item, err);
}

/* A request that the registrar would not make now, or cannot read, does not go out. */
static void export_row(void *ctx, struct brski_store_job *row)
{
	struct exporting *x = ctx;
	struct brski_job *job = NULL;

	if (x->code != BRSKI_OK)
		return;
	brski_dry_run_clear(x->o);
	if (brski_job_load(x->o->registrar, brski_buf_span(&row->blob), &job, NULL) != BRSKI_OK ||
		brski_job_state(job) != BRSKI_JOB_WAITING || brski_job_is_deferred(job))
		x->held++;
	else
		x->code = add_item(x, row, job, x->err);
	brski_job_free(job);
}

static void export_nonceless(void *ctx, struct brski_store_nonceless *a)
{
	struct exporting *x = ctx;
	struct brski_bundle_item *item;

	if (x->code != BRSKI_OK || !a->waiting)
		return;
	item = brski_bundle_add(x->bundle);
	if (item)
		x->code = brski_exchange_nonceless_item(x->o, a, item, x->err);
	else
		x->code = brski_fail(
			x->err, BRSKI_TOO_LARGE, "more than %d requests wait", BRSKI_BUNDLE_ITEMS_MAX);
}

enum brski_code brski_exchange_export(
	struct brski_exchange *o, struct brski_bundle *out, unsigned *held, struct brski_error *err)
{
	struct exporting x = {.o = o, .bundle = out, .err = err};
	enum brski_code code;

	*out = (struct brski_bundle){.created_on = brski_now(o->env)};
	memcpy(out->registrar, o->name, sizeof(out->registrar));
	code = brski_store_jobs(o->store, BRSKI_JOB_WAITING, JOBS_MOST, export_row, &x, err);
	if (code == BRSKI_OK && x.code == BRSKI_OK)
		code = brski_store_nonceless_list(o->store, NULL, export_nonceless, &x, err);
	brski_dry_run_clear(o);
	*held = x.held;
	if (code == BRSKI_OK)
		code = x.code;
	if (code != BRSKI_OK)
		brski_bundle_free(out);
	return code;
}

/* ---- Import ---- */

static enum brski_import_outcome fail(
	enum brski_import_outcome outcome, struct brski_error *why, const char *words)
{
	brski_fail(why, BRSKI_REFUSED, "%s", words);
	return outcome;
}

/* The role takes the answers one by one, as if they came over the network. */
static enum brski_code feed(struct brski_job *job, const struct brski_bundle_item *item, unsigned *calls_done,
	struct brski_error *err)
{
	char before[sizeof(((struct brski_call *)NULL)->url)];
	struct brski_call call;
	enum brski_code code = BRSKI_OK;

	*calls_done = 0;
	for (size_t i = 0; code == BRSKI_OK && i < item->n_answers && brski_job_call(job, &call); i++) {
		memcpy(before, call.url, sizeof(before));
		code = brski_job_answer(job, &item->answers[i], NULL, err);
		if (code == BRSKI_OK && (!brski_job_call(job, &call) || strcmp(before, call.url) != 0))
			++*calls_done;
	}
	return code;
}

static enum brski_import_outcome commit(struct brski_exchange *o, const struct brski_bundle_item *item,
	enum brski_import_outcome outcome, struct brski_error *why)
{
	char words[256];

	snprintf(words, sizeof(words), "%s", brski_dry_run_words(o));
	switch (brski_dry_run_commit(o, item->key, why)) {
	case BRSKI_OK:
		return fail(outcome, why, words);
	case BRSKI_UNEXPECTED:
		return BRSKI_IMPORT_REPEATED;
	default:
		return BRSKI_IMPORT_WRONG;
	}
}

static enum brski_import_outcome answer_job(struct brski_exchange *o, struct brski_job *job,
	const struct brski_bundle_item *item, struct brski_error *why)
{
	unsigned calls_done;

	if (brski_job_state(job) != BRSKI_JOB_WAITING)
		return fail(BRSKI_IMPORT_WRONG, why, brski_dry_run_words(o));
	if (feed(job, item, &calls_done, why) != BRSKI_OK)
		return BRSKI_IMPORT_WRONG;
	if (brski_job_misanswered(job))
		return fail(BRSKI_IMPORT_WRONG, why, brski_dry_run_words(o));
	switch (brski_job_state(job)) {
	case BRSKI_JOB_DONE:
		return commit(o, item, BRSKI_IMPORT_ANSWERED, why);
	case BRSKI_JOB_REFUSED:
		return commit(o, item, BRSKI_IMPORT_REFUSED, why);
	case BRSKI_JOB_WAITING:
	default:
		break;
	}
	if (calls_done > 0)
		return commit(o, item, BRSKI_IMPORT_GOES_ON, why);
	return fail(BRSKI_IMPORT_WAITS, why, item->trouble[0] ? item->trouble : brski_dry_run_words(o));
}

static enum brski_import_outcome import_job(
	struct brski_exchange *o, const struct brski_bundle_item *item, struct brski_error *why)
{
	enum brski_job_kind kind = item->kind == BRSKI_BUNDLE_VOUCHER ? BRSKI_JOB_VOUCHER : BRSKI_JOB_CMP;
	enum brski_import_outcome outcome = BRSKI_IMPORT_WRONG;
	struct brski_store_job row;
	struct brski_job *job = NULL;

	if (brski_store_job_get(o->store, item->key, &row, why) != BRSKI_OK)
		return BRSKI_IMPORT_WRONG;
	if (row.kind != kind)
		fail(outcome, why, "the request is not of that kind");
	else if (row.state != BRSKI_JOB_WAITING)
		outcome = fail(BRSKI_IMPORT_REPEATED, why,
			row.state == BRSKI_JOB_DONE ? "it has been answered before"
						    : "it has been refused before, or given up");
	else if (brski_job_load(o->registrar, brski_buf_span(&row.blob), &job, why) == BRSKI_OK)
		outcome = answer_job(o, job, item, why);
	brski_job_free(job);
	brski_store_job_free(&row);
	return outcome;
}

enum brski_code brski_exchange_import(struct brski_exchange *o, const struct brski_bundle *bundle,
	brski_exchange_told *told, void *ctx, struct brski_error *err)
{
	if (strcmp(bundle->registrar, o->name) != 0)
		return brski_fail(err, BRSKI_MISMATCH,
			"these answers are for the requests of another registrar (or of this one, before its "
			"certificate was renewed: then export again)");
	for (size_t i = 0; i < bundle->n_items; i++) {
		const struct brski_bundle_item *item = &bundle->items[i];
		struct brski_error why = {0};
		enum brski_import_outcome outcome;

		brski_dry_run_clear(o);
		outcome = item->kind == BRSKI_BUNDLE_NONCELESS
				  ? brski_exchange_nonceless_answer(o, item, &why)
				  : import_job(o, item, &why);
		told(ctx, item, outcome, why.why);
	}
	brski_dry_run_clear(o);
	return BRSKI_OK;
}
