/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "eap_brski/ground/text.h"
#include "eap_brski/registrar/registrar_internal.h"

/*
 * A job's life: made, stored, found again. Its calls are in job_call.c, the answers to them in
 * job_answer.c.
 */

void brski_job_key_of(
	const struct brski_device *device, struct brski_span octets, char out[BRSKI_FINGERPRINT_MAX])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t digest[32] = {0};
	unsigned len = sizeof(digest);

	/*
	 * a key of zeros, should memory be out, leads to a job of another request at worst:
	 * brski_job_find compares
	 */
	if (ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1)
		if (EVP_DigestUpdate(ctx, device->fingerprint, strlen(device->fingerprint)) == 1 &&
			EVP_DigestUpdate(ctx, octets.data, octets.len) == 1)
			EVP_DigestFinal_ex(ctx, digest, &len);
	EVP_MD_CTX_free(ctx);
	brski_hex(brski_span(digest, sizeof(digest)), out, BRSKI_FINGERPRINT_MAX);
}

enum brski_code brski_job_new(struct brski_registrar *r, enum brski_job_kind kind,
	const STACK_OF(X509) *chain, const struct brski_manufacturer *m, struct brski_span request,
	struct brski_job **out, struct brski_error *err)
{
	struct brski_job *job = calloc(1, sizeof(*job));
	enum brski_code code = job ? brski_buf_set(&job->request, request) : BRSKI_NO_MEMORY;

	*out = NULL;
	if (code == BRSKI_OK) {
		job->chain = X509_chain_up_ref((STACK_OF(X509) *)chain);
		code = job->chain ? brski_manufacturer_copy(&job->manufacturer, m, err) : BRSKI_NO_MEMORY;
	}
	if (code == BRSKI_OK)
		code = brski_device_read(job->chain, &job->device, err);
	if (code != BRSKI_OK) {
		brski_job_free(job);
		return brski_fail(err, code, "a job cannot be made");
	}
	job->registrar = r;
	job->kind = kind;
	job->step = kind == BRSKI_JOB_VOUCHER ? BRSKI_STEP_VOUCHER : BRSKI_STEP_CMP;
	job->created = job->changed = brski_now(r->env);
	brski_device_of(&job->device, m);
	brski_job_key_of(&job->device, request, job->key);
	*out = job;
	return BRSKI_OK;
}

void brski_job_free(struct brski_job *job)
{
	if (!job)
		return;
	sk_X509_pop_free(job->chain, X509_free);
	brski_manufacturer_free(&job->manufacturer);
	brski_buf_free(&job->request);
	brski_buf_free(&job->upstream);
	brski_http_free(&job->answer);
	brski_http_free(&job->call);
	free(job);
}

enum brski_code brski_job_put(struct brski_job *job, struct brski_error *err)
{
	struct brski_registrar *r = job->registrar;
	struct brski_buf blob = {0};
	enum brski_code code;

	job->changed = brski_now(r->env);
	code = brski_job_save(job, &blob, err);
	if (code == BRSKI_OK)
		code = r->ops.job_put(r->ops_ctx, job->key, job->kind, job->state, &job->device,
			brski_buf_span(&blob), err);
	brski_buf_free(&blob);
	return code;
}

enum brski_code brski_job_start(struct brski_job *job, struct brski_error *err)
{
	enum brski_code code = brski_job_prepare(job, err);

	return code == BRSKI_OK ? brski_job_put(job, err) : code;
}

enum brski_code brski_job_find(struct brski_registrar *r, const struct brski_device *device, const char *key,
	struct brski_job **out, struct brski_error *err)
{
	struct brski_buf blob = {0};
	enum brski_code code = r->ops.job_get(r->ops_ctx, key, &blob, err);

	*out = NULL;
	if (code == BRSKI_OK)
		code = brski_job_decode(r, brski_buf_span(&blob), out, err);
	brski_buf_free(&blob);
	if (code != BRSKI_OK)
		return code;
	if (strcmp((*out)->device.fingerprint, device->fingerprint) == 0 && strcmp((*out)->key, key) == 0) {
		code = r->ops.find_manufacturer(r->ops_ctx, (*out)->chain, &(*out)->manufacturer, err);
		brski_device_of(&(*out)->device, &(*out)->manufacturer);
		if (code == BRSKI_OK)
			code = brski_job_prepare(*out, err);
	} else {
		code = brski_fail(err, BRSKI_INTERNAL, "the store answers with a job of another device");
	}
	if (code != BRSKI_OK) {
		brski_job_free(*out);
		*out = NULL;
	}
	return code;
}

bool brski_job_is_stale(const struct brski_job *job)
{
	time_t now = brski_now(job->registrar->env);

	switch (job->state) {
	case BRSKI_JOB_REFUSED:
		/* whoever refused may have changed his mind; who was given up was not refused */
		if (job->registrar->waiting_max && job->changed - job->created > job->registrar->waiting_max)
			return true;
		return now >= job->changed + job->registrar->retry_after || now < job->changed;
	case BRSKI_JOB_DONE:
		return job->expires && now >= job->expires;
	case BRSKI_JOB_WAITING:
	default:
		return false;
	}
}

enum brski_job_state brski_job_state(const struct brski_job *job)
{
	return job->state;
}

const char *brski_job_key(const struct brski_job *job)
{
	return job->key;
}

bool brski_job_misanswered(const struct brski_job *job)
{
	return job->state == BRSKI_JOB_REFUSED && job->misanswered;
}

bool brski_job_is_deferred(const struct brski_job *job)
{
	return job->state == BRSKI_JOB_WAITING && job->deferred;
}

long brski_job_not_before(const struct brski_job *job)
{
	time_t now = brski_now(job->registrar->env);

	return job->state == BRSKI_JOB_WAITING && job->not_before > now ? (long)(job->not_before - now) : 0;
}

/* It is refused already: stored, and told. */
static enum brski_code end_refused(struct brski_job *job, enum brski_code code, struct brski_error *err)
{
	if (code == BRSKI_OK)
		code = brski_job_put(job, err);
	if (code == BRSKI_OK)
		brski_job_announce(job);
	return code;
}

static enum brski_code refuse_now(struct brski_job *job, const char *why, struct brski_error *err)
{
	enum brski_code code = job->kind == BRSKI_JOB_VOUCHER
				       ? brski_job_refuse_text(job, "policy", 403, "this device may not join",
						 err, "%s", why)
				       : brski_job_cmp_refuse(job, "policy", BRSKI_CMP_NOT_AUTHORIZED,
						 "this device may not join", err, "%s", why);

	return end_refused(job, code, err);
}

/*
 * While a request waits, its manufacturer may be struck off the list, its IDevID be revoked or
 * expire, the device be refused.
 */
static enum brski_code judge_again(struct brski_job *job, struct brski_error *err)
{
	struct brski_registrar *r = job->registrar;
	enum brski_decision decision = BRSKI_DEFER;
	struct brski_error reason = {0};
	char why[256] = "";
	long retry_after = r->retry_after;
	enum brski_code code = r->ops.find_manufacturer(r->ops_ctx, job->chain, &job->manufacturer, &reason);

	if (code == BRSKI_UNTRUSTED || code == BRSKI_EXPIRED || code == BRSKI_REVOKED ||
		code == BRSKI_NOT_FOUND)
		return refuse_now(job, reason.why, err);
	if (code != BRSKI_OK) {
		if (err)
			*err = reason;
		return code;
	}
	brski_device_of(&job->device, &job->manufacturer);
	code = r->ops.decide(r->ops_ctx, &job->device, &job->manufacturer, &decision, why, &retry_after, err);
	if (code != BRSKI_OK)
		return code;
	if (decision == BRSKI_REFUSE)
		return refuse_now(job, why, err);
	job->deferred = decision == BRSKI_DEFER;
	if (job->deferred)
		job->not_before = brski_now(r->env) + (retry_after > 0 ? retry_after : r->retry_after);
	return brski_job_prepare(job, err);
}

enum brski_code brski_job_load(
	struct brski_registrar *r, struct brski_span blob, struct brski_job **out, struct brski_error *err)
{
	enum brski_code code = brski_job_decode(r, blob, out, err);

	if (code != BRSKI_OK || (*out)->state != BRSKI_JOB_WAITING)
		return code;
	if (brski_job_give_up(*out, &code, err))
		code = end_refused(*out, code, err);
	else
		code = judge_again(*out, err);
	if (code != BRSKI_OK) {
		brski_job_free(*out);
		*out = NULL;
	}
	return code;
}
