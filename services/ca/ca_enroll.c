/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include "eap_brski/ground/text.h"
#include "services/ca/ca_internal.h"
#include "services/ca/ca_issue_internal.h"

/* Certification requests and confirmations: what is stored, and what is answered. */

static enum brski_code set_digest(const struct ca_job *job, struct brski_buf *out, struct brski_error *err)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];

	SHA256(job->msg->der.data, job->msg->der.len, digest);
	if (brski_buf_set(out, brski_span(digest, sizeof(digest))) != BRSKI_OK)
		return brski_fail(err, BRSKI_NO_MEMORY, "out of memory");
	return BRSKI_OK;
}

static bool same(const struct brski_buf *a, const struct brski_buf *b)
{
	return brski_span_equal(brski_buf_span(a), brski_buf_span(b));
}

/* ---- ir, cr, p10cr ---- */

static bool push(STACK_OF(X509) *to, X509 *cert, bool self_signed)
{
	bool is_root = X509_NAME_cmp(X509_get_subject_name(cert), X509_get_issuer_name(cert)) == 0;

	return is_root != self_signed || sk_X509_push(to, cert) > 0;
}

/* The issuer's roots, or what stands between them and the new certificate. Borrowed certificates. */
static STACK_OF(X509) *issuer_certs(const struct ca *ca, bool roots)
{
	STACK_OF(X509) *out = sk_X509_new_null();
	bool ok = out && push(out, ca->issuer->cert, roots);

	for (int i = 0; ok && i < sk_X509_num(ca->issuer->chain); i++)
		ok = push(out, sk_X509_value(ca->issuer->chain, i), roots);
	if (ok)
		return out;
	sk_X509_free(out);
	return NULL;
}

/* RFC 9483 4.1.1: grantedWithMods tells who asked that the certificate is to be looked at. */
static enum brski_code answer_certificate(
	struct ca_job *job, const X509 *cert, bool implicit, time_t confirm_by, struct brski_error *err)
{
	const struct ca *ca = job->ca;
	STACK_OF(X509) *chain = issuer_certs(ca, false);
	STACK_OF(X509) *roots = issuer_certs(ca, true);
	/* RFC 9483 4.1.2: no caPubs in cp */
	bool ca_pubs = ca->send_ca_pubs && job->msg->type == BRSKI_CMP_IR;
	char differs[CA_DIFFERS_MAX];
	const struct brski_cmp_grant grant = {.status = ca_template_status(job, cert, differs),
		.text = differs,
		.cert = cert,
		.chain = chain,
		.ca_pubs = ca_pubs ? roots : NULL,
		.implicit_confirm = implicit,
		.confirm_by = confirm_by};
	enum brski_code code;

	if (chain && roots)
		code = brski_cmp_answer_cert(job->msg, ca->cmp_signer, &grant, ca->env, &job->answer, err);
	else
		code = brski_fail(err, BRSKI_NO_MEMORY, "out of memory");
	sk_X509_free(chain);
	sk_X509_free(roots);
	return code;
}

static enum brski_code set_answer(const struct ca_job *job, struct ca_record *r, struct brski_error *err)
{
	struct brski_cmp answer = {0};
	enum brski_code code = brski_cmp_decode(brski_buf_span(&job->answer), &answer, err);

	if (code == BRSKI_OK && (brski_buf_set(&r->answer, brski_buf_span(&job->answer)) != BRSKI_OK ||
					brski_buf_set(&r->answer_nonce,
						brski_buf_span(&answer.header.sender_nonce)) != BRSKI_OK))
		code = brski_fail(err, BRSKI_NO_MEMORY, "out of memory");
	brski_cmp_free(&answer);
	return code;
}

static void set_texts(const struct ca_job *job, const X509 *cert, struct ca_record *r)
{
	const ASN1_INTEGER *number = X509_get0_serialNumber(cert);
	char signer[120];

	brski_name_text(X509_get_subject_name(sk_X509_value(job->signers, 0)), signer, sizeof(signer));
	snprintf(r->requester, sizeof(r->requester), "%s%s%.120s", signer, job->nested ? " through " : "",
		job->ra);
	brski_hex(brski_span(ASN1_STRING_get0_data(number), (size_t)ASN1_STRING_length(number)),
		r->serial_number, sizeof(r->serial_number));
	brski_name_text(X509_get_subject_name(cert), r->subject, sizeof(r->subject));
	if (r->subject[0] == '\0')
		snprintf(r->subject, sizeof(r->subject), "(named by its subjectAltName)");
}

/*
 * The row is on the disk before the answer leaves: a CA that is killed between has issued nothing,
 * or repeats the answer.
 */
static enum brski_code store(
	struct ca_job *job, const X509 *cert, bool implicit, struct ca_record *r, struct brski_error *err)
{
	enum brski_code code;

	r->state = implicit ? CA_CONFIRMED : CA_WAITING;
	set_texts(job, cert, r);
	code = brski_cert_to_der(cert, &r->cert, err);
	if (code == BRSKI_OK)
		code = brski_cert_to_der(sk_X509_value(job->signers, 0), &r->signer, err);
	if (code == BRSKI_OK && brski_buf_set(&r->transaction_id,
					brski_buf_span(&job->msg->header.transaction_id)) != BRSKI_OK)
		code = brski_fail(err, BRSKI_NO_MEMORY, "out of memory");
	if (code == BRSKI_OK)
		code = set_answer(job, r, err);
	if (code == BRSKI_OK)
		code = ca_store_add(job->ca->store, r, err);
	if (code == BRSKI_OK)
		snprintf(job->note, sizeof(job->note), "certificate %s for %.160s%s", r->serial_number,
			r->subject, implicit ? ", implicitly confirmed" : "");
	return code;
}

static enum brski_code make(struct ca_job *job, X509 **cert, struct brski_error *err)
{
	const struct ca *ca = job->ca;
	struct ca_spec spec = {.kind = CA_KIND_LDEVID,
		.subject = job->request.subject,
		.key = job->request.key,
		.days = ca->days};
	enum brski_code code = ca_template_san(job, &spec.san_asked, err);

	if (code == BRSKI_OK)
		code = ca_issue(&spec, ca->issuer, ca->env, cert, err);
	X509_EXTENSION_free(spec.san_asked);
	return code;
}

static enum brski_code issue(struct ca_job *job, struct ca_record *record, struct brski_error *err)
{
	const struct ca *ca = job->ca;
	bool implicit = ca->implicit_confirm && job->msg->header.implicit_confirm;
	X509 *cert = NULL;
	enum brski_code code = ca_template_check(job, err);

	record->issued = brski_now(ca->env);
	record->confirm_by = implicit ? 0 : record->issued + ca->confirm_wait;
	if (code == BRSKI_OK)
		code = make(job, &cert, err);
	if (code == BRSKI_OK)
		code = answer_certificate(job, cert, implicit, record->confirm_by, err);
	if (code == BRSKI_OK)
		code = store(job, cert, implicit, record, err);
	X509_free(cert);
	return code;
}

static enum brski_code repeat(struct ca_job *job, const struct ca_record *known,
	const struct brski_buf *digest, struct brski_error *err)
{
	if (!same(&known->digest, digest)) {
		job->fail = BRSKI_CMP_TRANSACTION_ID_IN_USE; /* RFC 9483 3.5 */
		return brski_fail(err, BRSKI_REFUSED, "another request had this transactionID");
	}
	job->repeated = true;
	snprintf(job->note, sizeof(job->note), "certificate %s, the same answer as before",
		known->serial_number);
	if (brski_buf_set(&job->answer, brski_buf_span(&known->answer)) != BRSKI_OK)
		return brski_fail(err, BRSKI_NO_MEMORY, "out of memory");
	return BRSKI_OK;
}

enum brski_code ca_enroll(struct ca_job *job, struct brski_error *err)
{
	struct ca_record record = {0};
	struct ca_record known = {0};
	enum brski_code code = set_digest(job, &record.digest, err);

	if (code == BRSKI_OK)
		code = ca_store_get(
			job->ca->store, brski_buf_span(&job->msg->header.transaction_id), &known, err);
	if (code == BRSKI_OK)
		code = repeat(job, &known, &record.digest, err);
	else if (code == BRSKI_NOT_FOUND)
		code = issue(job, &record, err);
	ca_record_free(&known);
	ca_record_free(&record);
	return code;
}

/* ---- certConf ---- */

static enum brski_code check_state(struct ca_job *job, const struct ca_record *r, struct brski_error *err)
{
	bool accepted = job->request.conf_status == BRSKI_CMP_ACCEPTED;

	job->fail = BRSKI_CMP_BAD_REQUEST;
	if (r->confirm_by == 0)
		return brski_fail(
			err, BRSKI_UNEXPECTED, "certificate %s was confirmed implicitly", r->serial_number);
	if (r->state == CA_LAPSED || (r->state == CA_WAITING && r->confirm_by < brski_now(job->ca->env)))
		return brski_fail(
			err, BRSKI_EXPIRED, "the time to confirm certificate %s is over", r->serial_number);
	if (r->state != CA_WAITING && (r->state == CA_CONFIRMED) != accepted)
		return brski_fail(err, BRSKI_UNEXPECTED, "certificate %s is %s already", r->serial_number,
			ca_state_name(r->state));
	job->fail = BRSKI_CMP_FAIL_NONE;
	return BRSKI_OK;
}

/* RFC 9483 4.1.1: certHash is that of the certificate issued in this transaction. */
static enum brski_code check_hash(struct ca_job *job, const struct ca_record *r, struct brski_error *err)
{
	X509 *cert = NULL;
	enum brski_code code = brski_cert_from_der(brski_buf_span(&r->cert), &cert, err);

	if (code == BRSKI_OK && !brski_cmp_cert_hash_matches(&job->request, cert)) {
		job->fail = BRSKI_CMP_BAD_CERT_ID;
		code = brski_fail(
			err, BRSKI_MISMATCH, "certHash is not that of certificate %s", r->serial_number);
	}
	X509_free(cert);
	return code;
}

static enum brski_code check_conf(struct ca_job *job, const struct ca_record *r, struct brski_error *err)
{
	struct brski_cmp answer = {0};
	enum brski_code code = brski_cmp_decode(brski_buf_span(&r->answer), &answer, err);

	if (code == BRSKI_OK) {
		code = brski_cmp_conf_check(job->msg, &answer, &job->request, err);
		job->fail = job->request.fail;
	}
	brski_cmp_free(&answer);
	if (code == BRSKI_OK)
		code = check_hash(job, r, err);
	return code == BRSKI_OK ? check_state(job, r, err) : code;
}

static enum brski_code conclude(struct ca_job *job, const struct ca_record *r, const struct brski_buf *digest,
	struct brski_error *err)
{
	bool accepted = job->request.conf_status == BRSKI_CMP_ACCEPTED;
	enum brski_code code;

	code = brski_cmp_answer_pkiconf(job->msg, job->ca->cmp_signer, job->ca->env, &job->answer, err);
	if (code == BRSKI_OK)
		code = ca_store_confirm(job->ca->store, r->id, accepted ? CA_CONFIRMED : CA_REJECTED,
			brski_buf_span(digest), brski_buf_span(&job->answer), err);
	if (code == BRSKI_OK && accepted)
		snprintf(job->note, sizeof(job->note), "certificate %s confirmed", r->serial_number);
	else if (code == BRSKI_OK)
		snprintf(job->note, sizeof(job->note), "certificate %s rejected by its device: %.160s",
			r->serial_number, job->request.text);
	return code;
}

static enum brski_code confirm(struct ca_job *job, const struct ca_record *r, const struct brski_buf *digest,
	struct brski_error *err)
{
	X509 *signer = NULL;
	enum brski_code code = brski_cert_from_der(brski_buf_span(&r->signer), &signer, err);

	if (code != BRSKI_OK)
		return code;
	/* RFC 9483 4.1.1: the same credentials as in the first request */
	code = brski_cmp_request_check(job->msg, signer, &job->signers, &job->request, err);
	X509_free(signer);
	if (code != BRSKI_OK) {
		job->fail = job->request.fail;
		return code;
	}
	if (r->conf_digest.len > 0 && same(&r->conf_digest, digest)) {
		job->repeated = true;
		snprintf(job->note, sizeof(job->note), "certificate %s, the same answer as before",
			r->serial_number);
		return brski_buf_set(&job->answer, brski_buf_span(&r->conf_answer));
	}
	code = check_conf(job, r, err);
	return code == BRSKI_OK ? conclude(job, r, digest, err) : code;
}

enum brski_code ca_confirm(struct ca_job *job, struct brski_error *err)
{
	struct ca_record record = {0};
	struct brski_buf digest = {0};
	enum brski_code code = set_digest(job, &digest, err);

	if (code == BRSKI_OK)
		code = ca_store_get(
			job->ca->store, brski_buf_span(&job->msg->header.transaction_id), &record, err);
	if (code == BRSKI_OK)
		code = confirm(job, &record, &digest, err);
	else if (code == BRSKI_NOT_FOUND)
		job->fail = BRSKI_CMP_BAD_REQUEST;
	ca_record_free(&record);
	brski_buf_free(&digest);
	return code;
}
