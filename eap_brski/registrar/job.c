/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "eap_brski/ground/text.h"
#include "eap_brski/registrar/registrar_internal.h"

/*
 * What a job is, in memory. It is stored and found by job_store.c; its calls are in job_call.c, the
 * answers to them in job_answer.c.
 */

enum brski_code brski_job_key_of(const struct brski_device *device, struct brski_span octets,
	char out[BRSKI_FINGERPRINT_MAX], struct brski_error *err)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t digest[32];
	unsigned len = sizeof(digest);
	bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
		  EVP_DigestUpdate(ctx, device->fingerprint, strlen(device->fingerprint)) == 1 &&
		  EVP_DigestUpdate(ctx, octets.data, octets.len) == 1 &&
		  EVP_DigestFinal_ex(ctx, digest, &len) == 1;

	EVP_MD_CTX_free(ctx);
	out[0] = '\0';
	if (!ok)
		return brski_fail_openssl(err, BRSKI_INTERNAL, "a request has no digest");
	brski_hex(brski_span(digest, sizeof(digest)), out, BRSKI_FINGERPRINT_MAX);
	return BRSKI_OK;
}

enum brski_code brski_job_new(struct brski_registrar *r, const struct brski_job_type *type,
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
		code = brski_registrar_device_read(job->chain, &job->device, err);
	if (code == BRSKI_OK)
		code = brski_job_key_of(&job->device, request, job->key, err);
	if (code != BRSKI_OK) {
		brski_job_free(job);
		return brski_fail(err, code, "a job cannot be made");
	}
	job->registrar = r;
	job->type = type;
	job->created = job->changed = brski_now(r->env);
	brski_registrar_device_of(&job->device, m);
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
	brski_buf_free(&job->signers);
	brski_cmp_transaction_free(&job->tx);
	brski_http_free(&job->answer);
	brski_http_free(&job->call);
	free(job);
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

static bool copy_transaction(struct brski_cmp_transaction *to, const struct brski_cmp_transaction *from)
{
	return brski_buf_set(&to->id, brski_buf_span(&from->id)) == BRSKI_OK &&
	       brski_buf_set(&to->request_nonce, brski_buf_span(&from->request_nonce)) == BRSKI_OK &&
	       brski_buf_set(&to->last_nonce, brski_buf_span(&from->last_nonce)) == BRSKI_OK &&
	       brski_buf_set(&to->peer_nonce, brski_buf_span(&from->peer_nonce)) == BRSKI_OK &&
	       brski_buf_set(&to->recipient, brski_buf_span(&from->recipient)) == BRSKI_OK &&
	       brski_buf_set(&to->signers, brski_buf_span(&from->signers)) == BRSKI_OK;
}

enum brski_code brski_job_remember(
	const struct brski_job *job, struct brski_job *before, struct brski_error *err)
{
	enum brski_code code;

	*before = *job;
	memset(&before->answer, 0, sizeof(before->answer));
	before->upstream = before->signers = (struct brski_buf){0};
	memset(&before->tx, 0, sizeof(before->tx));
	code = brski_http_copy(&before->answer, &job->answer, err);
	if (code == BRSKI_OK &&
		(brski_buf_set(&before->upstream, brski_buf_span(&job->upstream)) != BRSKI_OK ||
			brski_buf_set(&before->signers, brski_buf_span(&job->signers)) != BRSKI_OK ||
			!copy_transaction(&before->tx, &job->tx)))
		code = brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	if (code != BRSKI_OK)
		brski_job_forget(before);
	return code;
}

void brski_job_forget(struct brski_job *before)
{
	brski_http_free(&before->answer);
	brski_buf_free(&before->upstream);
	brski_buf_free(&before->signers);
	brski_cmp_transaction_free(&before->tx);
}

void brski_job_roll_back(struct brski_job *job, struct brski_job *before)
{
	brski_job_forget(job);
	*job = *before;
}

enum brski_job_state brski_job_state(const struct brski_job *job)
{
	return job->state;
}

enum brski_job_kind brski_job_kind_of(const struct brski_job *job)
{
	return job->type->kind;
}

const char *brski_job_key(const struct brski_job *job)
{
	return job->key;
}

uint64_t brski_job_revision(const struct brski_job *job)
{
	return job->revision;
}

unsigned brski_job_tries(const struct brski_job *job)
{
	return job->tries;
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
