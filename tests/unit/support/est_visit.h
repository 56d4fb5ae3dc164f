/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TESTS_EST_VISIT_H
#define BRSKI_TESTS_EST_VISIT_H

#include "eap_brski/artifacts/paths.h"
#include "eap_brski/est/est.h"
#include "tests/unit/support/visit.h"

/* A device that enrolls by EST: its PKCS #10 as curl would send it, and what comes back. */

struct est_ask {
	const char *serial;     /* in place of the IDevID's in the subject; NULL: that */
	const char *attributes; /* challengePassword; NULL: none */
	int unknown_attribute;  /* NID of another attribute; 0: none */
	int nid[2];             /* extensions with their values in OpenSSL's text; 0: none */
	const char *value[2];
	EVP_PKEY *key;       /* NULL: a new one */
	EVP_PKEY *sign_with; /* NULL: the key */
};
/* A device that has a voucher, at a registrar that serves EST and whose CA repeats its answers. */
void est_open(struct visit *v, struct site *site);
void est_close(struct visit *v); /* and the site */
/* DER of a new request, into v->request; its key into v->key. */
void est_make(struct visit *v, const struct est_ask *ask);
/* A session where EST is served. */
void est_again(struct visit *v);
/* Posts v->request in base64, and drives the job; the status. */
unsigned est_post(struct visit *v, const char *path);
/* As est_make of a plain request and est_post to simpleenroll. */
unsigned est_enroll(struct visit *v);
/* The same without driving: v->job is the job, and the result is 0; or the status. */
unsigned est_send(struct visit *v, const char *path);
/* The one certificate of the response, which must be a certs-only message; the caller's. */
X509 *est_certificate(const struct visit *v);
/* The response is 200 with a certificate of v->key. */
void est_expect_certificate(const struct visit *v);
/* It is of that status, in text that has these words. */
void est_expect_refusal(const struct visit *v, unsigned status, const char *words);

#endif
