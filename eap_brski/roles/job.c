/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "eap_brski/ground/text.h"
#include "eap_brski/roles/registrar_internal.h"

/* Work for MASA or PKI: one HTTP call after the other, stored between them. */

#define MASA_PATH "/.well-known/brski"
#define FIRST_RETRY 5 /* seconds; doubles up to the registrar's retry_after */

void brski_job_key_of(
	const struct brski_device *device, struct brski_span octets, char out[BRSKI_FINGERPRINT_MAX])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t digest[32] = {0};
	unsigned len = sizeof(digest);

	/* a key of zeros, should memory be out, leads to a job of another request at worst: brski_job_find
	 * compares */
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
	struct brski_job *job = OPENSSL_zalloc(sizeof(*job));
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
	OPENSSL_free(job);
}

/* RFC 8995 2.3.2: the path of BRSKI is assumed where the URI has none, and the scheme must be https. */
static enum brski_code masa_url(
	const struct brski_job *job, const char *operation, char *out, size_t size, struct brski_error *err)
{
	const char *url = job->device.masa_url;
	size_t len = strlen(url);
	int n;

	if (len == 0)
		return brski_fail(err, BRSKI_NOT_FOUND,
			"no MASA is known for %s: its IDevID names none, so set the manufacturer's MASA URL",
			job->device.manufacturer);
	if (strncmp(url, "https://", 8) != 0)
		return brski_fail(err, BRSKI_UNSUPPORTED, "MASA URL %.200s is not an https URL", url);
	while (len > 8 && url[len - 1] == '/')
		len--;
	n = snprintf(out, size, "%.*s%s/%s", (int)len, url, memchr(url + 8, '/', len - 8) ? "" : MASA_PATH,
		operation);
	if (n < 0 || (size_t)n >= size)
		return brski_fail(err, BRSKI_TOO_LARGE, "MASA URL %.200s is too long", url);
	return BRSKI_OK;
}

static const char *url_path(const char *url)
{
	const char *authority = strstr(url, "://");
	const char *path = authority ? strchr(authority + 3, '/') : NULL;

	return path ? path : "/";
}

static enum brski_code prepare_masa(
	struct brski_job *job, const char *operation, const char *accept, struct brski_error *err)
{
	enum brski_code code = masa_url(job, operation, job->url, sizeof(job->url), err);

	if (code == BRSKI_OK)
		code = brski_http_request(&job->call, "POST", url_path(job->url), BRSKI_MEDIA_VOUCHER,
			brski_buf_span(&job->upstream), err);
	return code == BRSKI_OK ? brski_http_set(&job->call, "accept", accept, err) : code;
}

static enum brski_code prepare_location(struct brski_job *job, struct brski_error *err)
{
	enum brski_code code;

	snprintf(job->url, sizeof(job->url), "%s", job->location);
	code = brski_http_request(&job->call, "GET", url_path(job->url), NULL, brski_span(NULL, 0), err);
	return code == BRSKI_OK ? brski_http_set(&job->call, "accept", BRSKI_MEDIA_JSON, err) : code;
}

static enum brski_code prepare_cmp(struct brski_job *job, struct brski_error *err)
{
	const struct brski_buf *body = job->upstream.len ? &job->upstream : &job->request;

	snprintf(job->url, sizeof(job->url), "%s", job->registrar->cmp_url);
	return brski_http_request(
		&job->call, "POST", url_path(job->url), BRSKI_MEDIA_CMP, brski_buf_span(body), err);
}

enum brski_code brski_job_prepare(struct brski_job *job, struct brski_error *err)
{
	brski_http_free(&job->call);
	job->url[0] = '\0';
	if (job->state != BRSKI_JOB_WAITING)
		return BRSKI_OK;
	switch (job->step) {
	case BRSKI_STEP_VOUCHER:
		return prepare_masa(job, "requestvoucher", BRSKI_MEDIA_VOUCHER, err);
	case BRSKI_STEP_AUDIT_LOG:
		return prepare_masa(job, "requestauditlog", BRSKI_MEDIA_JSON, err);
	case BRSKI_STEP_AUDIT_LOG_GET:
		return prepare_location(job, err);
	case BRSKI_STEP_CMP:
		return prepare_cmp(job, err);
	}
	return brski_fail(err, BRSKI_INTERNAL, "a job at no known step");
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
	case BRSKI_JOB_REFUSED: /* whoever refused may have changed his mind */
		return now >= job->changed + job->registrar->retry_after || now < job->changed;
	case BRSKI_JOB_DONE:
		return job->expires && now >= job->expires;
	case BRSKI_JOB_WAITING:
	default:
		return false;
	}
}

static void tell(struct brski_job *job, const char *what, bool ok, const char *fmt, va_list args)
	__attribute__((format(printf, 4, 0)));

static void tell(struct brski_job *job, const char *what, bool ok, const char *fmt, va_list args)
{
	char text[sizeof(job->why)];

	if (vsnprintf(text, sizeof(text), fmt, args) < 0)
		text[0] = '\0';
	/* the same trouble at every try is told once */
	job->what = !ok && job->state == BRSKI_JOB_WAITING && strcmp(text, job->why) == 0 ? NULL : what;
	job->what_ok = ok;
	brski_printable(brski_span_str(text), job->why, sizeof(job->why));
}

void brski_job_tell(struct brski_job *job, const char *what, bool ok, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	tell(job, what, ok, fmt, args);
	va_end(args);
}

static long next_delay(const struct brski_job *job)
{
	long delay = FIRST_RETRY;

	for (unsigned i = 0; i < job->tries && delay < job->registrar->retry_after; i++)
		delay *= 2;
	return delay < job->registrar->retry_after ? delay : job->registrar->retry_after;
}

void brski_job_wait(struct brski_job *job, const char *what, long seconds, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	tell(job, what, false, fmt, args);
	va_end(args);
	job->not_before = brski_now(job->registrar->env) + (seconds >= 0 ? seconds : next_delay(job));
	job->tries++;
}

enum brski_code brski_job_refuse_text(struct brski_job *job, const char *what, unsigned status,
	const char *told, struct brski_error *err, const char *fmt, ...)
{
	va_list args;

	job->state = BRSKI_JOB_REFUSED;
	va_start(args, fmt);
	tell(job, what, false, fmt, args);
	va_end(args);
	return brski_respond_text(&job->answer, status, told, err);
}

void brski_job_done(struct brski_job *job, const char *what, const char *fmt, ...)
{
	va_list args;

	job->state = BRSKI_JOB_DONE;
	va_start(args, fmt);
	tell(job, what, true, fmt, args);
	va_end(args);
}

bool brski_http_is_temporary(const struct brski_http *answer)
{
	return answer->status >= 500 || answer->status == 202 || answer->status == 408 ||
	       answer->status == 425 || answer->status == 429;
}

bool brski_job_call(const struct brski_job *job, struct brski_call *call)
{
	const struct brski_manufacturer *m = &job->manufacturer;

	memset(call, 0, sizeof(*call));
	if (job->state != BRSKI_JOB_WAITING)
		return false;
	call->kind = job->kind;
	snprintf(call->url, sizeof(call->url), "%s", job->url);
	call->request = &job->call;
	call->tls_anchors = job->kind == BRSKI_JOB_VOUCHER ? m->tls_anchors : job->registrar->domain_anchors;
	call->client = &job->registrar->credential;
	return true;
}

/* What the store has, if another thread's answer got further than ours. NULL: nothing better. */
static struct brski_job *stored_better(const struct brski_job *job)
{
	struct brski_registrar *r = job->registrar;
	struct brski_job *stored = NULL;
	struct brski_buf blob = {0};

	if (r->ops.job_get(r->ops_ctx, job->key, &blob, NULL) == BRSKI_OK)
		(void)!brski_job_decode(r, brski_buf_span(&blob), &stored, NULL);
	brski_buf_free(&blob);
	if (stored && (stored->state != BRSKI_JOB_WAITING ||
			      (job->state == BRSKI_JOB_WAITING && stored->step > job->step)))
		return stored;
	brski_job_free(stored);
	return NULL;
}

/* *by becomes *job; the manufacturer, which is not stored, stays. */
static void replace(struct brski_job *job, struct brski_job *by)
{
	struct brski_job old = *job;

	by->manufacturer = old.manufacturer;
	memset(&old.manufacturer, 0, sizeof(old.manufacturer));
	*job = *by;
	*by = old;
	brski_device_of(&job->device, &job->manufacturer);
	brski_job_free(by);
}

/* Compare and put: a second answer to the same job changes nothing. *adopted: the stored one is now *job. */
static enum brski_code commit(struct brski_job *job, bool *adopted, struct brski_error *err)
{
	CRYPTO_RWLOCK *lock = job->registrar->answers;
	struct brski_job *better;
	enum brski_code code;

	if (!CRYPTO_THREAD_write_lock(lock))
		return brski_fail(err, BRSKI_INTERNAL, "a lock fails");
	better = stored_better(job);
	*adopted = better != NULL;
	if (better)
		replace(job, better);
	code = better ? BRSKI_OK : brski_job_put(job, err);
	CRYPTO_THREAD_unlock(lock);
	return code;
}

static enum brski_code judge(
	struct brski_job *job, const struct brski_http *answer, const char *why, struct brski_error *err)
{
	const char *what = job->kind == BRSKI_JOB_CMP        ? "certificate"
			   : job->step == BRSKI_STEP_VOUCHER ? "voucher"
							     : "audit-log";

	if (!answer) {
		brski_job_wait(
			job, what, -1, "%s does not answer: %s", job->url, why ? why : "unknown reason");
		return BRSKI_OK;
	}
	return job->kind == BRSKI_JOB_VOUCHER ? brski_job_voucher_answer(job, answer, err)
					      : brski_job_cmp_answer(job, answer, err);
}

static void announce(struct brski_job *job)
{
	struct brski_registrar *r = job->registrar;

	if (!job->what)
		return;
	brski_log(r->env, job->what_ok ? BRSKI_LOG_INFO : BRSKI_LOG_WARN, "%s of %s: %s: %s",
		job->device.serial_number, job->device.manufacturer, job->what, job->why);
	r->ops.event(r->ops_ctx, &job->device, job->what, job->what_ok, job->why);
	job->what = NULL;
	if (job->what_ok) /* why is for troubles */
		job->why[0] = '\0';
}

enum brski_code brski_job_answer(
	struct brski_job *job, const struct brski_http *answer, const char *why, struct brski_error *err)
{
	enum brski_job_step step = job->step;
	enum brski_code code;
	bool adopted = false;

	if (job->state != BRSKI_JOB_WAITING)
		return BRSKI_OK; /* it came late, or twice */
	job->what = NULL;
	if (answer) {
		job->tries = 0;
		job->not_before = 0;
	}
	code = judge(job, answer, why, err);
	if (code == BRSKI_OK)
		code = commit(job, &adopted, err);
	if (code != BRSKI_OK) {
		/* what is not stored did not happen */
		job->state = BRSKI_JOB_WAITING;
		job->step = step;
		return code;
	}
	if (!adopted)
		announce(job);
	return brski_job_prepare(job, err);
}

enum brski_job_state brski_job_state(const struct brski_job *job)
{
	return job->state;
}

const char *brski_job_key(const struct brski_job *job)
{
	return job->key;
}

long brski_job_not_before(const struct brski_job *job)
{
	time_t now = brski_now(job->registrar->env);

	return job->state == BRSKI_JOB_WAITING && job->not_before > now ? (long)(job->not_before - now) : 0;
}

static enum brski_code refuse_now(struct brski_job *job, const char *why, struct brski_error *err)
{
	enum brski_code code = job->kind == BRSKI_JOB_VOUCHER
				       ? brski_job_refuse_text(job, "policy", 403, "this device may not join",
						 err, "%s", why)
				       : brski_job_cmp_refuse(job, "policy", BRSKI_CMP_NOT_AUTHORIZED,
						 "this device may not join", err, "%s", why);

	if (code == BRSKI_OK)
		code = brski_job_put(job, err);
	if (code == BRSKI_OK)
		announce(job);
	return code;
}

/* While a request waits, its manufacturer may be struck off the list, its IDevID be revoked or expire, the
 * device be refused. */
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
	if (decision == BRSKI_DEFER)
		job->not_before = brski_now(r->env) + (retry_after > 0 ? retry_after : r->retry_after);
	return brski_job_prepare(job, err);
}

enum brski_code brski_job_load(
	struct brski_registrar *r, struct brski_span blob, struct brski_job **out, struct brski_error *err)
{
	enum brski_code code = brski_job_decode(r, blob, out, err);

	if (code != BRSKI_OK || (*out)->state != BRSKI_JOB_WAITING)
		return code;
	code = judge_again(*out, err);
	if (code != BRSKI_OK) {
		brski_job_free(*out);
		*out = NULL;
	}
	return code;
}
