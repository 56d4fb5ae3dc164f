/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_CA_CA_INTERNAL_H
#define BRSKI_SERVICES_CA_CA_INTERNAL_H

#include "services/ca/ca.h"

/* One message on its way through the CA's own files. */
struct ca_job {
	const struct ca *ca;
	struct brski_cmp outer;
	struct brski_cmp inner; /* of a nested message */
	bool nested;
	const struct brski_cmp *msg; /* what the device wrote: outer or inner; NULL: not decoded */
	char ra[160];                /* subject of the registration authority around it; "": none */
	bool by_ra;                  /* it is not nested, and a registration authority has signed it */
	STACK_OF(X509) *signers;     /* of msg */
	struct brski_cmp_request request;
	enum brski_cmp_fail fail; /* what the peer is told; BRSKI_CMP_FAIL_NONE: by the code */
	bool certificate_refused; /* said in ip or cp rather than in an error message */
	bool repeated;
	struct brski_buf answer;
	char note[256]; /* for the log, when all is well */
};

/*
 * RFC 9483 5.2.2.1: a nested message comes from a registration authority that we know
 * (BRSKI_UNTRUSTED, BRSKI_REFUSED), and its inner one becomes job->msg; any other one is the
 * device's own.
 */
BRSKI_CHECKED enum brski_code ca_open_message(struct ca_job *job, struct brski_error *err);
/*
 * job->signers may ask: devices through a registration authority; such an authority itself, where devices
 * may come through one (RFC 9483 5.2.3); others by themselves. job->by_ra is set. BRSKI_REFUSED: nobody
 * who comes this way; BRSKI_UNTRUSTED, and what brski_chain_verify() says.
 */
BRSKI_CHECKED enum brski_code ca_check_signer(struct ca_job *job, struct brski_error *err);

/* ---- ca_template.c: what a request asks for, and what it gets ---- */
/*
 * May this be asked for, and by job->signers? RFC 9483 5.1.1. BRSKI_REFUSED; job->fail and
 * job->certificate_refused tell what the peer gets to hear.
 */
BRSKI_CHECKED enum brski_code ca_template_check(struct ca_job *job, struct brski_error *err);
/* The subjectAltName to be certified: *out is new, NULL if there is none. */
BRSKI_CHECKED enum brski_code ca_template_san(
	const struct ca_job *job, X509_EXTENSION **out, struct brski_error *err);
#define CA_DIFFERS_MAX 200
/* accepted; or grantedWithMods, and `differs` gets in what cert is not as it was asked for, cut to fit. */
enum brski_cmp_status ca_template_status(
	const struct ca_job *job, const X509 *cert, char differs[CA_DIFFERS_MAX]);

/*
 * ir, cr, p10cr (RFC 9483 4.1.1 to 4.1.4) after the checks: job->answer, new or from the store. An
 * error tells job->fail and job->certificate_refused what the peer gets to hear.
 */
BRSKI_CHECKED enum brski_code ca_enroll(struct ca_job *job, struct brski_error *err);
/* certConf (RFC 9483 4.1.1), checks included: job->answer is pkiConf. Errors as of ca_enroll(). */
BRSKI_CHECKED enum brski_code ca_confirm(struct ca_job *job, struct brski_error *err);

#endif
