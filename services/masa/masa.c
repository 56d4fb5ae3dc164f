/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/masa/masa.h"

#include <stdio.h>
#include <string.h>

#include "eap_brski/artifacts/voucher_cms.h"
#include "eap_brski/transport/http_accept.h"
#include "eap_brski/transport/http_reply.h"
#include "services/base/http_post.h"
#include "services/masa/masa_request_internal.h"

/* One request on its way to its answer. */
struct job {
	const struct masa *masa;
	struct masa_request request;
	long retry_after; /* seconds; 0: not told */
	struct brski_buf answer;
	const char *answer_type;
	bool repeated;
};

/* The newest certificate the voucher relies on bounds its life, RFC 8995 5.6. */
static time_t nonceless_expiry(const struct job *job, time_t now)
{
	time_t expires = now + job->masa->nonceless_lifetime;
	struct tm tm;
	time_t end;

	for (int i = 0; i < sk_X509_num(job->request.chain); i++) {
		if (ASN1_TIME_to_tm(X509_get0_notAfter(sk_X509_value(job->request.chain, i)), &tm) != 1)
			continue;
		end = timegm(&tm);
		if (end < expires)
			expires = end;
	}
	return expires;
}

static enum brski_assertion assertion_of(const struct masa_request *r)
{
	if (r->proximity)
		return BRSKI_ASSERTION_PROXIMITY;
	return r->owner ? BRSKI_ASSERTION_VERIFIED : BRSKI_ASSERTION_LOGGED;
}

/* RFC 8995 5.6, the voucher's leaves. */
static enum brski_code fill_voucher(
	const struct job *job, time_t now, struct brski_voucher *v, struct brski_error *err)
{
	const struct masa_request *r = &job->request;
	enum brski_code code;

	v->created_on = now;
	v->assertion = assertion_of(r);
	snprintf(v->serial_number, sizeof(v->serial_number), "%s", r->voucher.serial_number);
	v->has_revocation_checks = true;
	if (r->voucher.nonce.len == 0)
		v->expires_on = nonceless_expiry(job, now);
	code = brski_cert_to_der(r->pinned, &v->pinned_domain_cert, err);
	if (code == BRSKI_OK)
		code = brski_buf_set(&v->nonce, brski_buf_span(&r->voucher.nonce));
	memcpy(v->nonce_text, r->voucher.nonce_text, sizeof(v->nonce_text));
	if (code == BRSKI_OK)
		code = brski_buf_set(&v->idevid_issuer, brski_buf_span(&r->voucher.idevid_issuer));
	return code;
}

static struct masa_issued issued_like(const struct masa_request *r)
{
	return (struct masa_issued){
		.device = r->device.id,
		.domain_id = brski_buf_span(&r->domain_id),
		.pinned = r->pinned_fingerprint,
		.nonce = brski_buf_span(&r->voucher.nonce),
		.nonce_text = r->voucher.nonce_text,
		.assertion = assertion_of(r),
	};
}

static enum brski_code issue(struct job *job, time_t now, struct brski_error *err)
{
	struct masa_issued issued = issued_like(&job->request);
	struct brski_voucher v = {0};
	enum brski_code code = fill_voucher(job, now, &v, err);

	if (code == BRSKI_OK)
		code = brski_voucher_sign(&v, job->masa->signer, true, &job->answer, err);
	brski_voucher_free(&v);
	if (code != BRSKI_OK)
		return code;
	issued.created_on = now;
	issued.cms = brski_buf_span(&job->answer);
	/* RFC 8995 5.6: no voucher leaves before it stands in the audit log */
	return masa_voucher_add(job->masa->store, &issued, err);
}

/*
 * Whoever knows a serial number can ask for a voucher: that keeps nobody waiting who is the owner, or
 * whom the device itself has asked.
 */
static enum brski_code check_rate(struct job *job, time_t now, struct brski_error *err)
{
	bool proved = masa_is_proved(assertion_of(&job->request));
	time_t latest = 0;
	time_t wait;
	enum brski_code code =
		masa_voucher_latest(job->masa->store, job->request.device.id, proved, &latest, err);

	if (code != BRSKI_OK || job->masa->min_interval == 0 || latest == 0)
		return code;
	wait = latest + job->masa->min_interval - now;
	if (wait <= 0)
		return BRSKI_OK;
	job->retry_after = wait <= job->masa->min_interval ? (long)wait : job->masa->min_interval;
	return brski_fail(err, BRSKI_UNAVAILABLE,
		"device %s had a voucher %s a moment ago, ask again in %ld seconds",
		job->request.voucher.serial_number,
		proved ? "that was proved to be its own" : "without proof", job->retry_after);
}

/*
 * A registrar that was killed asks again with the pledge's nonce: the voucher that it lost, and no
 * second one.
 */
static enum brski_code find_issued(struct job *job, time_t now, struct brski_error *err)
{
	struct masa_issued like = issued_like(&job->request);
	time_t since = like.nonce.len > 0 ? 0 : now - job->masa->min_interval;

	return masa_voucher_find(job->masa->store, &like, since, &job->answer, err);
}

static enum brski_code answer_voucher(struct job *job, struct brski_error *err)
{
	time_t now = brski_now(job->masa->env);
	enum brski_code code = masa_request_authorize(job->masa, &job->request, err);

	job->answer_type = BRSKI_MEDIA_VOUCHER;
	if (code != BRSKI_OK)
		return code;
	code = find_issued(job, now, err);
	job->repeated = code == BRSKI_OK;
	if (code != BRSKI_NOT_FOUND)
		return code;
	code = check_rate(job, now, err);
	return code == BRSKI_OK ? issue(job, now, err) : code;
}

/* The log is no voucher: what a voucher would be refused for keeps nobody from it. */
static void find_out_who(struct job *job)
{
	struct brski_error why = {0};

	if (masa_request_authorize(job->masa, &job->request, &why) != BRSKI_OK)
		brski_log(job->masa->env, BRSKI_LOG_DEBUG, "who asks for an audit log proves nothing: %s",
			why.why);
}

/* RFC 8995 5.8: 404 for a domain that never had a voucher for this device. */
static enum brski_code answer_audit_log(struct job *job, struct brski_error *err)
{
	struct masa_request *r = &job->request;
	struct brski_audit_log log = {0};
	bool had = false;
	enum brski_code code;

	job->answer_type = BRSKI_MEDIA_JSON;
	code = masa_domain_had(job->masa->store, r->device.id, brski_buf_span(&r->domain_id), &had, err);
	if (code == BRSKI_OK && !had)
		code = brski_fail(err, BRSKI_NOT_FOUND, "this domain never had a voucher for device %s",
			r->voucher.serial_number);
	if (code == BRSKI_OK)
		code = masa_audit_log(job->masa->store, r->device.id, &log, err);
	if (code == BRSKI_OK)
		code = brski_audit_log_print(&log, &job->answer, err);
	brski_audit_log_free(&log);
	if (code == BRSKI_OK)
		find_out_who(job);
	return code;
}

/* 0: the request's form is right; else the status that says what is wrong. */
static unsigned check_form(const struct brski_http *request, bool voucher, struct brski_error *err)
{
	unsigned status = http_post_check(request, BRSKI_MEDIA_VOUCHER, err);

	if (status != 0)
		return status;
	if (!brski_http_accepts(request, voucher ? BRSKI_MEDIA_VOUCHER : BRSKI_MEDIA_JSON) &&
		!brski_http_accepts(request, BRSKI_MEDIA_VOUCHER)) {
		brski_fail(err, BRSKI_UNSUPPORTED, "the answer has a type that is not accepted");
		return 406;
	}
	return 0;
}

static unsigned status_of(const struct job *job, enum brski_code code)
{
	return job->retry_after > 0 ? 429 : brski_code_http_status(code);
}

static unsigned run_job(
	struct job *job, const struct brski_http *request, bool voucher, struct brski_error *err)
{
	unsigned status = check_form(request, voucher, err);
	enum brski_code code;

	if (status != 0)
		return status;
	code = masa_request_read(job->masa, brski_buf_span(&request->body), &job->request, err);
	if (code == BRSKI_OK)
		code = voucher ? answer_voucher(job, err) : answer_audit_log(job, err);
	return status_of(job, code);
}

static enum brski_code write_answer(
	const struct job *job, unsigned status, struct brski_http *response, struct brski_error *err)
{
	/* the words of an internal error are for the operator alone */
	const char *words = status < 500 ? err->why : "the MASA has a problem of its own, ask again later";

	if (status == 200)
		return brski_http_response(
			response, 200, job->answer_type, brski_buf_span(&job->answer), err);
	if (job->retry_after > 0)
		return brski_http_reply_later(response, status, job->retry_after, words, NULL);
	return http_post_refuse(response, status, words, NULL);
}

static void describe(const struct job *job, unsigned status, bool voucher, const struct brski_error *err,
	char what[MASA_WHAT_MAX])
{
	const struct masa_request *r = &job->request;

	if (status != 200)
		snprintf(what, MASA_WHAT_MAX, "refused: %s", err->why);
	else if (!voucher)
		snprintf(what, MASA_WHAT_MAX, "audit log of device %s", r->voucher.serial_number);
	else
		snprintf(what, MASA_WHAT_MAX, "voucher for device %s, %s%s%s", r->voucher.serial_number,
			brski_assertion_name(assertion_of(r)),
			r->voucher.nonce.len > 0 ? "" : ", without nonce",
			job->repeated ? ", the same as before" : "");
}

/*
 * RFC 8995 5.4.1: a registrar may show a certificate of any PKI in TLS. It proves nothing here, where
 * the signature counts, but whoever reads the log is told of it.
 */
static void name_client(const struct job *job, const struct masa_peer *peer, char what[MASA_WHAT_MAX])
{
	size_t used = strlen(what);
	char name[160];

	if (!peer->tls_client || brski_cert_equal(peer->tls_client, sk_X509_value(job->request.certs, 0)))
		return;
	brski_name_text(X509_get_subject_name(peer->tls_client), name, sizeof(name));
	snprintf(what + used, MASA_WHAT_MAX - used, " (the TLS client is %s)", name);
}

static void remember(
	const struct job *job, const struct masa_peer *peer, bool voucher, unsigned status, const char *what)
{
	struct masa_seen seen = {.at = brski_now(job->masa->env),
		.status = status,
		.proved = masa_is_proved(assertion_of(&job->request))};
	X509 *signer = sk_X509_value(job->request.certs, 0);
	struct brski_error err = {0};

	snprintf(seen.peer, sizeof(seen.peer), "%s", peer->address);
	snprintf(seen.what, sizeof(seen.what), "%s", voucher ? "voucher" : "audit log");
	snprintf(seen.serial_number, sizeof(seen.serial_number), "%s", job->request.voucher.serial_number);
	if (signer)
		brski_name_text(X509_get_subject_name(signer), seen.registrar, sizeof(seen.registrar));
	snprintf(seen.detail, sizeof(seen.detail), "%s", what);
	if (masa_seen_add(job->masa->store, &seen, &err) != BRSKI_OK)
		brski_log(job->masa->env, BRSKI_LOG_ERROR, "cannot note a request: %s", err.why);
}

void masa_handle(const struct masa *masa, const struct brski_http *request, const struct masa_peer *peer,
	struct brski_http *response, char what[MASA_WHAT_MAX])
{
	struct job job = {.masa = masa};
	struct brski_error err = {0};
	bool voucher = strcmp(request->path, MASA_PATH_VOUCHER) == 0;
	unsigned status = 404;

	if (voucher || strcmp(request->path, MASA_PATH_AUDIT_LOG) == 0)
		status = run_job(&job, request, voucher, &err);
	else
		brski_fail(&err, BRSKI_NOT_FOUND, "there is nothing at this path");
	describe(&job, status, voucher, &err, what);
	name_client(&job, peer, what);
	remember(&job, peer, voucher, status, what);
	if (write_answer(&job, status, response, &err) != BRSKI_OK) {
		brski_http_free(response);
		response->status = 500;
	}
	masa_request_free(&job.request);
	brski_buf_free(&job.answer);
}
