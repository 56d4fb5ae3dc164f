/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "services/registrar/bundle_exchange_internal.h"

/* A bundle's answers, judged one by one and stored. */

#define RACES_MAX 5 /* with the server, that may try the same request just now */

static enum brski_import_outcome fail(
	enum brski_import_outcome outcome, struct brski_error *why, const char *words)
{
	brski_fail(why, BRSKI_REFUSED, "%s", words);
	return outcome;
}

/* It goes on with another call, at another place or with other octets; or with none. */
static bool goes_on(const struct brski_job *job, const char *url, struct brski_span body)
{
	struct brski_call call;

	return !brski_job_call(job, &call) || strcmp(url, call.url) != 0 ||
	       !brski_span_equal(body, brski_buf_span(&call.request->body));
}

static enum brski_code take(
	struct brski_job *job, const struct brski_http *answer, unsigned *calls_done, struct brski_error *err)
{
	struct brski_buf body = {0};
	struct brski_call before;
	enum brski_code code = BRSKI_OK;

	if (brski_job_call(job, &before) &&
		brski_buf_set(&body, brski_buf_span(&before.request->body)) != BRSKI_OK)
		code = brski_fail(err, BRSKI_NO_MEMORY, "no memory for a request");
	if (code == BRSKI_OK)
		code = brski_job_answer(job, answer, NULL, err);
	if (code == BRSKI_OK && goes_on(job, before.url, brski_buf_span(&body)))
		++*calls_done;
	brski_buf_free(&body);
	return code;
}

/* The role takes the answers one by one, as if they came over the network. */
static enum brski_code feed(struct brski_job *job, const struct brski_bundle_item *item, unsigned *calls_done,
	struct brski_error *err)
{
	enum brski_code code = BRSKI_OK;

	*calls_done = 0;
	for (size_t i = 0;
		code == BRSKI_OK && i < item->n_answers && brski_job_state(job) == BRSKI_JOB_WAITING; i++)
		code = take(job, &item->answers[i], calls_done, err);
	return code;
}

/* *raced: the request has changed since it was read. */
static enum brski_import_outcome commit(
	struct brski_exchange *x, enum brski_import_outcome outcome, bool *raced, struct brski_error *why)
{
	char words[256];
	enum brski_code code;

	snprintf(words, sizeof(words), "%s", brski_dry_run_words(x));
	code = brski_dry_run_commit(x, why);
	*raced = code == BRSKI_UNEXPECTED;
	return code == BRSKI_OK ? fail(outcome, why, words) : BRSKI_IMPORT_WRONG;
}

static enum brski_import_outcome answer_job(struct brski_exchange *x, struct brski_job *job,
	const struct brski_bundle_item *item, bool *raced, struct brski_error *why)
{
	unsigned calls_done;

	if (brski_job_state(job) != BRSKI_JOB_WAITING)
		return fail(BRSKI_IMPORT_WRONG, why, brski_dry_run_words(x));
	if (feed(job, item, &calls_done, why) != BRSKI_OK)
		return BRSKI_IMPORT_WRONG;
	if (brski_job_misanswered(job))
		return fail(BRSKI_IMPORT_WRONG, why, brski_dry_run_words(x));
	switch (brski_job_state(job)) {
	case BRSKI_JOB_DONE:
		return commit(x, BRSKI_IMPORT_ANSWERED, raced, why);
	case BRSKI_JOB_REFUSED:
		return commit(x, BRSKI_IMPORT_REFUSED, raced, why);
	case BRSKI_JOB_WAITING:
	default:
		break;
	}
	if (calls_done > 0)
		return commit(x, BRSKI_IMPORT_GOES_ON, raced, why);
	return fail(BRSKI_IMPORT_WAITS, why, item->trouble[0] ? item->trouble : brski_dry_run_words(x));
}

static enum brski_import_outcome try_job(
	struct brski_exchange *x, const struct brski_bundle_item *item, bool *raced, struct brski_error *why)
{
	enum brski_import_outcome outcome = BRSKI_IMPORT_WRONG;
	struct brski_store_job row;
	struct brski_job *job = NULL;

	if (brski_store_job_get(x->store, item->key, &row, why) != BRSKI_OK)
		return BRSKI_IMPORT_WRONG;
	if (brski_bundle_kind_of(row.kind) != item->kind)
		fail(outcome, why, "the request is not of that kind");
	else if (row.state != BRSKI_JOB_WAITING)
		outcome = fail(BRSKI_IMPORT_REPEATED, why,
			row.state == BRSKI_JOB_DONE ? "it has been answered before"
						    : "it has been refused before, or given up");
	else if (brski_job_load(x->registrar, brski_buf_span(&row.blob), row.revision, &job, why) == BRSKI_OK)
		outcome = answer_job(x, job, item, raced, why);
	brski_job_free(job);
	brski_store_job_free(&row);
	return outcome;
}

/* The first answer counts, whoever brings it: what has changed is looked at again. */
static enum brski_import_outcome import_job(
	struct brski_exchange *x, const struct brski_bundle_item *item, struct brski_error *why)
{
	enum brski_import_outcome outcome = BRSKI_IMPORT_WRONG;
	bool raced = true;

	for (unsigned i = 0; raced && i < RACES_MAX; i++) {
		raced = false;
		brski_dry_run_clear(x);
		outcome = try_job(x, item, &raced, why);
	}
	return outcome;
}

enum brski_code brski_exchange_import(struct brski_exchange *x, const struct brski_bundle *bundle,
	brski_exchange_told *told, void *ctx, struct brski_error *err)
{
	if (strcmp(bundle->registrar, x->name) != 0)
		return brski_fail(err, BRSKI_MISMATCH,
			"these answers are for the requests of another registrar (or of this one, before its "
			"certificate was renewed: then export again)");
	for (size_t i = 0; i < bundle->n_items; i++) {
		const struct brski_bundle_item *item = &bundle->items[i];
		struct brski_error why = {0};
		enum brski_import_outcome outcome;

		brski_dry_run_clear(x);
		outcome = item->kind == BRSKI_BUNDLE_NONCELESS
				  ? brski_exchange_nonceless_answer(x, item, &why)
				  : import_job(x, item, &why);
		told(ctx, item, outcome, why.why);
	}
	brski_dry_run_clear(x);
	return BRSKI_OK;
}
