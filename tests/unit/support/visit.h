/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TESTS_VISIT_H
#define BRSKI_TESTS_VISIT_H

#include <check.h>

#include "tests/unit/support/site.h"

/* One visit of the site's device to its registrar, request by request, without any transport. */

#define PATH_BRSKI "/.well-known/brski"
#define PATH_VOUCHER PATH_BRSKI "/requestvoucher"
#define PATH_VOUCHER_STATUS PATH_BRSKI "/voucher_status"
#define PATH_ENROLL_STATUS PATH_BRSKI "/enrollstatus"
#define PATH_INITIALIZATION "/.well-known/cmp/initialization"
#define PATH_PKCS10 "/.well-known/cmp/pkcs10"
#define PATH_CA_CERTS "/.well-known/cmp/getcacerts"
#define PATH_TEMPLATE "/.well-known/cmp/getcertreqtemplate"

struct visit {
	struct site *site;
	struct brski_registrar_session *session;
	struct brski_http response; /* to the last request */
	struct brski_job *job;      /* of the last request, if it was not driven */
	struct brski_buf request;   /* the last body */
	/* CMP */
	EVP_PKEY *key;
	struct brski_cmp_transaction tx;
	struct brski_cmp_response cmp; /* the last one, read */
	enum brski_code judged;        /* what a pledge thinks of it, but for the certificate */
};

void visit_open(struct visit *v, struct site *site);
void visit_close(struct visit *v);
/* The device leaves and comes back: another session, the same transaction. */
void visit_again(struct visit *v);

/* Sends; a job that comes of it is kept in v->job, and 0 returned; else the status. */
unsigned visit_send(
	struct visit *v, const char *method, const char *path, const char *type, struct brski_span body);
/* Sends a POST and drives the job: resumes when it is done, defers when it is not. The status. */
unsigned visit_post(struct visit *v, const char *path, const char *type, struct brski_span body);
/* Resumes or defers what visit_send has left. */
unsigned visit_finish(struct visit *v);

void visit_make_voucher_request(struct visit *v); /* a new one, into v->request */
void visit_ask_for_voucher(struct visit *v);      /* by a new request, which waits for the MASA */
unsigned visit_voucher(struct visit *v);          /* with a new request */
unsigned visit_repeat(struct visit *v, const char *path, const char *type); /* v->request again */
unsigned visit_status(struct visit *v, const char *path, bool status);

/*
 * CMP: v->request is filled, posted and answered; v->cmp is what the answer says, unjudged. The
 * HTTP status.
 */
void visit_make_enroll(struct visit *v, const struct brski_credential *signer, bool pkcs10);
unsigned visit_enroll(struct visit *v);
unsigned visit_confirm(struct visit *v);
unsigned visit_poll(struct visit *v, long cert_req_id);
unsigned visit_cmp(struct visit *v, const char *path); /* posts v->request */
void visit_read_cmp(struct visit *v);                  /* the response, 200, into v->cmp */

bool visit_said(const struct visit *v, const char *words);   /* the response's text */
bool visit_reason(const struct visit *v, const char *words); /* the session's reason */

#endif
