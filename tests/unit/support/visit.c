/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/support/visit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eap_brski/artifacts/voucher_request.h"

#define MUST(call) \
	do { \
		struct brski_error err = {0}; \
		enum brski_code code_ = (call); \
		if (code_ != BRSKI_OK) { \
			fprintf(stderr, "visit: %s: %s %s\n", #call, brski_code_name(code_), err.why); \
			abort(); \
		} \
	} while (0)

void visit_open(struct visit *v, struct site *site)
{
	memset(v, 0, sizeof(*v));
	v->site = site;
	v->session = site_session(site);
}

static void forget_response(struct visit *v)
{
	brski_http_free(&v->response);
	brski_job_free(v->job);
	v->job = NULL;
	brski_cmp_response_free(&v->cmp);
}

void visit_close(struct visit *v)
{
	forget_response(v);
	brski_registrar_session_free(v->session);
	brski_buf_free(&v->request);
	brski_cmp_transaction_free(&v->tx);
	EVP_PKEY_free(v->key);
	memset(v, 0, sizeof(*v));
}

void visit_again(struct visit *v)
{
	forget_response(v);
	brski_registrar_session_free(v->session);
	v->session = site_session(v->site);
}

unsigned visit_send(
	struct visit *v, const char *method, const char *path, const char *type, struct brski_span body)
{
	struct brski_http request = {0};

	forget_response(v);
	MUST(brski_http_request(&request, method, path, type, body, &err));
	MUST(brski_registrar_request(v->session, &request, &v->response, &v->job, &err));
	brski_http_free(&request);
	return v->job ? 0 : v->response.status;
}

unsigned visit_finish(struct visit *v)
{
	if (brski_job_state(v->job) == BRSKI_JOB_WAITING)
		MUST(brski_registrar_defer(v->session, v->job, &v->response, &err));
	else
		MUST(brski_registrar_resume(v->session, v->job, &v->response, &err));
	brski_job_free(v->job);
	v->job = NULL;
	return v->response.status;
}

unsigned visit_post(struct visit *v, const char *path, const char *type, struct brski_span body)
{
	unsigned status = visit_send(v, "POST", path, type, body);

	if (status != 0)
		return status;
	site_drive(v->site, v->job);
	return visit_finish(v);
}

void visit_make_voucher_request(struct visit *v)
{
	uint8_t nonce[BRSKI_NONCE_LEN];

	MUST(brski_random(NULL, nonce, sizeof(nonce), &err));
	brski_buf_free(&v->request);
	MUST(brski_voucher_request_pledge(&v->site->idevid, v->site->registrar_cred.cert,
		brski_span(nonce, sizeof(nonce)), v->site->now, &v->request, &err));
}

void visit_ask_for_voucher(struct visit *v)
{
	visit_make_voucher_request(v);
	ck_assert_uint_eq(
		visit_send(v, "POST", PATH_VOUCHER, BRSKI_MEDIA_VOUCHER, brski_buf_span(&v->request)), 0);
}

unsigned visit_voucher(struct visit *v)
{
	visit_make_voucher_request(v);
	return visit_repeat(v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER);
}

unsigned visit_repeat(struct visit *v, const char *path, const char *type)
{
	return visit_post(v, path, type, brski_buf_span(&v->request));
}

unsigned visit_status(struct visit *v, const char *path, bool status)
{
	const char *text = status ? "{\"version\":1,\"status\":true}"
				  : "{\"version\":1,\"status\":false,\"reason\":\"it is not for me\"}";

	return visit_post(v, path, BRSKI_MEDIA_JSON, brski_span_str(text));
}

void visit_make_enroll(struct visit *v, const struct brski_credential *signer, bool pkcs10)
{
	struct brski_cmp_enroll enroll = {
		.signer = signer, .pkcs10 = pkcs10, .implicit_confirm = v->site->ca_implicit};

	EVP_PKEY_free(v->key);
	v->key = pki_key("P-256");
	enroll.key = v->key;
	enroll.subject = X509_get_subject_name(v->site->idevid.cert);
	brski_buf_free(&v->request);
	MUST(brski_cmp_enroll(&enroll, NULL, &v->tx, &v->request, &err));
}

void visit_read_cmp(struct visit *v)
{
	struct brski_cmp_response judged = {0};
	struct brski_cmp msg = {0};

	ck_assert(brski_http_is_type(&v->response, BRSKI_MEDIA_CMP));
	MUST(brski_cmp_decode(brski_buf_span(&v->response.body), &msg, &err));
	MUST(brski_cmp_response_read(&msg, &v->cmp, &err));
	brski_cmp_free(&msg);
	/* what a pledge thinks of it; the transaction goes on with its nonces */
	v->judged = brski_cmp_response(brski_buf_span(&v->response.body),
		&(struct brski_cmp_trust){.anchors = v->site->domain_anchors, .now = v->site->now}, &v->tx,
		&judged, NULL);
	brski_cmp_response_free(&judged);
}

unsigned visit_cmp(struct visit *v, const char *path)
{
	unsigned status = visit_repeat(v, path, BRSKI_MEDIA_CMP);

	if (status == 200)
		visit_read_cmp(v);
	return status;
}

unsigned visit_enroll(struct visit *v)
{
	visit_make_enroll(v, &v->site->idevid, false);
	return visit_cmp(v, PATH_INITIALIZATION);
}

unsigned visit_confirm(struct visit *v)
{
	X509 *cert = sk_X509_value(v->site->issued, sk_X509_num(v->site->issued) - 1);

	brski_buf_free(&v->request);
	MUST(brski_cmp_cert_conf(
		&v->site->idevid, false, cert, BRSKI_CMP_FAIL_NONE, NULL, NULL, &v->tx, &v->request, &err));
	return visit_cmp(v, PATH_INITIALIZATION);
}

unsigned visit_poll(struct visit *v, long cert_req_id)
{
	brski_buf_free(&v->request);
	MUST(brski_cmp_poll_req(&v->site->idevid, cert_req_id, NULL, &v->tx, &v->request, &err));
	return visit_cmp(v, PATH_INITIALIZATION);
}

bool visit_said(const struct visit *v, const char *words)
{
	return v->response.body.len >= strlen(words) &&
	       memmem(v->response.body.data, v->response.body.len, words, strlen(words));
}

bool visit_reason(const struct visit *v, const char *words)
{
	return strstr(brski_registrar_session_reason(v->session), words) != NULL;
}
