/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/ca/ca.h"

#include <stdio.h>
#include <string.h>

#include "eap_brski/cmp/cmp_oids.h"
#include "eap_brski/cmp/cmp_operation.h"
#include "services/base/http_post.h"
#include "services/ca/ca_internal.h"

static void job_free(struct ca_job *job)
{
	brski_cmp_free(&job->outer);
	brski_cmp_free(&job->inner);
	sk_X509_pop_free(job->signers, X509_free);
	brski_cmp_request_free(&job->request);
	brski_buf_free(&job->answer);
}

/* RFC 9483 4.3.1: all certificates of the CA's chain. */
static enum brski_code answer_ca_certs(struct ca_job *job, struct brski_error *err)
{
	const struct brski_credential *issuer = job->ca->issuer;
	STACK_OF(X509) *certs = sk_X509_new_null();
	bool ok = certs && sk_X509_push(certs, issuer->cert) > 0;
	enum brski_code code;

	for (int i = 0; ok && i < sk_X509_num(issuer->chain); i++)
		ok = sk_X509_push(certs, sk_X509_value(issuer->chain, i)) > 0;
	if (ok)
		code = brski_cmp_answer_genp(job->msg, job->ca->cmp_signer, BRSKI_OID_CA_CERTS, certs,
			job->ca->env, &job->answer, err);
	else
		code = brski_fail(err, BRSKI_NO_MEMORY, "out of memory");
	sk_X509_free(certs);
	return code;
}

static enum brski_code answer_genm(struct ca_job *job, struct brski_error *err)
{
	const char *type = job->request.info_type;

	snprintf(job->note, sizeof(job->note), "general message %s", type);
	if (strcmp(type, BRSKI_OID_CA_CERTS) == 0)
		return answer_ca_certs(job, err);
	if (strcmp(type, BRSKI_OID_CERT_REQ_TEMPLATE) ==
		0) /* RFC 9483 4.3.3: no value, there are no requirements */
		return brski_cmp_answer_genp(
			job->msg, job->ca->cmp_signer, type, NULL, job->ca->env, &job->answer, err);
	job->fail = BRSKI_CMP_BAD_REQUEST;
	return brski_fail(err, BRSKI_UNSUPPORTED, "general messages of type %s are not answered", type);
}

static enum brski_code answer_first(struct ca_job *job, struct brski_error *err)
{
	enum brski_code code = brski_cmp_request_check(job->msg, NULL, &job->signers, &job->request, err);

	if (code != BRSKI_OK) {
		job->fail = job->request.fail;
		job->certificate_refused = job->request.in_body;
		return code;
	}
	code = ca_check_signer(job, err);
	if (code != BRSKI_OK)
		return code;
	if (job->request.type == BRSKI_CMP_GENM)
		return answer_genm(job, err);
	if (job->request.type != BRSKI_CMP_POLLREQ)
		return ca_enroll(job, err);
	job->fail = BRSKI_CMP_BAD_REQUEST;
	return brski_fail(err, BRSKI_UNEXPECTED, "there is nothing to poll for: this CA answers at once");
}

static enum brski_code answer(struct ca_job *job, struct brski_error *err)
{
	enum brski_code code = ca_open_message(job, err);

	if (code != BRSKI_OK)
		return code;
	if (!job->msg->is_protected) {
		job->fail = BRSKI_CMP_BAD_MESSAGE_CHECK;
		return brski_fail(
			err, BRSKI_BAD_SIGNATURE, "the message is not protected; a signature is needed");
	}
	return job->msg->type == BRSKI_CMP_CERTCONF ? ca_confirm(job, err) : answer_first(job, err);
}

/* The words of an error of ours are for the operator alone. */
static enum brski_code answer_refusal(struct ca_job *job, enum brski_code why, struct brski_error *err)
{
	bool ours = why == BRSKI_INTERNAL || why == BRSKI_NO_MEMORY || why == BRSKI_UNAVAILABLE;
	enum brski_cmp_fail fail = job->fail;
	const char *text = ours ? "this CA has a problem of its own" : err->why;
	struct brski_error again = {0};
	enum brski_code code;

	if (ours || fail == BRSKI_CMP_FAIL_NONE)
		fail = brski_code_cmp_fail(why);
	brski_buf_free(&job->answer);
	code = brski_cmp_answer_refusal(job->msg, job->ca->cmp_signer, job->certificate_refused && !ours,
		fail, text, job->ca->env, &job->answer, &again);
	if (code != BRSKI_OK)
		brski_log(job->ca->env, BRSKI_LOG_ERROR, "cannot make an error message: %s", again.why);
	return code;
}

static void lapse(const struct ca *ca)
{
	struct brski_error err = {0};
	int lapsed = 0;

	if (ca_store_lapse(ca->store, brski_now(ca->env), &lapsed, &err) != BRSKI_OK)
		brski_log(ca->env, BRSKI_LOG_ERROR, "%s", err.why);
	else if (lapsed > 0)
		brski_log(ca->env, BRSKI_LOG_WARN, "%d certificate(s) lapsed: not confirmed in time", lapsed);
}

/* RFC 9483 3.6.2: a message that is wrong in form is told so in CMP, if it has a header to answer to. */
static unsigned refuse_form(struct ca_job *job, struct brski_span der, enum brski_code why,
	char what[CA_WHAT_MAX], struct brski_error *err)
{
	struct brski_error none = {0};

	if (brski_cmp_decode_header(der, &job->outer, &none) != BRSKI_OK)
		return brski_code_http_status(why);
	job->msg = &job->outer;
	snprintf(what, CA_WHAT_MAX, "%s refused: %s", brski_cmp_type_name(job->msg->type), err->why);
	return answer_refusal(job, why, err) == BRSKI_OK ? 200 : 500;
}

/* A PKIMessage that parses gets one in answer. */
static unsigned run_job(
	struct ca_job *job, struct brski_span der, char what[CA_WHAT_MAX], struct brski_error *err)
{
	const char *type;
	enum brski_code code = brski_cmp_decode(der, &job->outer, err);

	if (code != BRSKI_OK)
		return refuse_form(job, der, code, what, err);
	code = answer(job, err);
	type = brski_cmp_type_name(job->msg->type);
	if (code == BRSKI_OK) {
		snprintf(what, CA_WHAT_MAX, "%s%s%s: %s", type, job->nested ? " through " : "", job->ra,
			job->note);
		return 200;
	}
	snprintf(what, CA_WHAT_MAX, "%s%s%.140s refused: %s", type, job->nested ? " through " : "", job->ra,
		err->why);
	return answer_refusal(job, code, err) == BRSKI_OK ? 200 : 500;
}

static bool is_cmp_path(const char *path)
{
	const char *label;

	return strcmp(path, "/") == 0 || brski_cmp_path(path, &label) || strncmp(path, "/pkix", 5) == 0;
}

/* RFC 9811 3.3, 3.4 and 3.6. 0: the form is right. */
static unsigned check_form(const struct brski_http *request, struct brski_error *err)
{
	if (!is_cmp_path(request->path)) {
		brski_fail(err, BRSKI_NOT_FOUND, "there is nothing at this path");
		return 404;
	}
	return http_post_check(request, BRSKI_MEDIA_CMP, err);
}

static enum brski_code write_response(
	const struct ca_job *job, unsigned status, const char *words, struct brski_http *response)
{
	if (status == 200)
		return brski_http_response(
			response, 200, BRSKI_MEDIA_CMP, brski_buf_span(&job->answer), NULL);
	return http_post_refuse(response, status, words, NULL);
}

void ca_handle(const struct ca *ca, const struct brski_http *request, struct brski_http *response,
	char what[CA_WHAT_MAX])
{
	struct ca_job job = {.ca = ca, .fail = BRSKI_CMP_FAIL_NONE};
	struct brski_error err = {0};
	unsigned status = check_form(request, &err);

	what[0] = '\0';
	lapse(ca);
	if (status == 0)
		status = run_job(&job, brski_buf_span(&request->body), what, &err);
	if (what[0] == '\0')
		snprintf(what, CA_WHAT_MAX, "refused: %s", err.why);
	if (write_response(&job, status, status < 500 ? err.why : "", response) != BRSKI_OK) {
		brski_http_free(response);
		response->status = 500;
	}
	job_free(&job);
}
