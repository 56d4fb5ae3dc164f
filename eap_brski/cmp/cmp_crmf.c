/* SPDX-License-Identifier: BSD-3-Clause */
#include <openssl/crmf.h>
#include <openssl/err.h>

#include "eap_brski/cmp/cmp_internal.h"
#include "eap_brski/pki/limits.h"

/*
 * CertReqMessages, RFC 4211 in the profile of RFC 9483 4.1.1. Requests are made with OpenSSL's
 * OSSL_CRMF; they are read with our own templates, for OpenSSL 3.0 gives out no public key of a
 * CertTemplate and takes a poposkInput, which the profile forbids.
 */

static enum brski_code refuse(struct brski_cmp_request *out, enum brski_cmp_fail fail, enum brski_code code,
	struct brski_error *err, const char *why)
{
	out->fail = fail;
	return brski_fail(err, code, "certification request: %s", why);
}

/* RFC 9483 4.1.1: version, if it is there, MUST be 2. */
static enum brski_code check_version(
	const BRSKI_CERTTEMPLATE *t, struct brski_cmp_request *out, struct brski_error *err)
{
	long version;

	if (!t->version || brski_asn1_long(t->version, 2, 2, &version))
		return BRSKI_OK;
	return refuse(
		out, BRSKI_CMP_BAD_CERT_TEMPLATE, BRSKI_UNEXPECTED, err, "version is not 2 (RFC 9483 4.1.1)");
}

/* RFC 4211 5: serialNumber, signingAlg and the unique identifiers MUST be omitted. */
static enum brski_code check_left_to_the_ca(
	const BRSKI_CERTTEMPLATE *t, struct brski_cmp_request *out, struct brski_error *err)
{
	if (!t->serial && !t->signing_alg && !t->issuer_uid && !t->subject_uid)
		return BRSKI_OK;
	return refuse(out, BRSKI_CMP_BAD_CERT_TEMPLATE, BRSKI_UNEXPECTED, err,
		"it sets what only the CA assigns (RFC 4211 5)");
}

/*
 * RFC 9483 4.1.1: subject and publicKey MUST be present. OpenSSL leaves the subject out where it should
 * be NULL-DN, since a subjectAltName names it.
 */
static enum brski_code check_present(
	const BRSKI_CERTTEMPLATE *t, struct brski_cmp_request *out, struct brski_error *err)
{
	bool named = t->subject || X509v3_get_ext_by_NID(t->extensions, NID_subject_alt_name, -1) >= 0;

	if (named && t->key)
		return BRSKI_OK;
	return refuse(out, BRSKI_CMP_BAD_CERT_TEMPLATE, BRSKI_UNEXPECTED, err,
		named ? "no public key (RFC 9483 4.1.1)" : "no subject (RFC 9483 4.1.1)");
}

static enum brski_code check_template(
	const BRSKI_CERTTEMPLATE *t, struct brski_cmp_request *out, struct brski_error *err)
{
	enum brski_code code = check_version(t, out, err);

	if (code == BRSKI_OK)
		code = check_left_to_the_ca(t, out, err);
	return code == BRSKI_OK ? check_present(t, out, err) : code;
}

static enum brski_code read_template(
	const BRSKI_CERTTEMPLATE *t, struct brski_cmp_request *out, struct brski_error *err)
{
	enum brski_code code = check_template(t, out, err);

	if (code != BRSKI_OK)
		return code;
	out->key = X509_PUBKEY_get(t->key);
	if (!out->key) {
		out->fail = BRSKI_CMP_BAD_ALG;
		return brski_fail_openssl(err, BRSKI_UNSUPPORTED, "certification request: its public key");
	}
	code = brski_key_check(out->key, err);
	if (code != BRSKI_OK) {
		out->fail = BRSKI_CMP_BAD_ALG;
		return brski_fail_context(err, code, "certification request");
	}
	out->wants_validity = t->validity != NULL;
	out->subject = t->subject ? X509_NAME_dup(t->subject) : X509_NAME_new();
	out->issuer = t->issuer ? X509_NAME_dup(t->issuer) : NULL;
	if (t->extensions)
		out->extensions =
			sk_X509_EXTENSION_deep_copy(t->extensions, X509_EXTENSION_dup, X509_EXTENSION_free);
	if (!out->subject || (t->issuer && !out->issuer) || (t->extensions && !out->extensions))
		return brski_fail_openssl(err, BRSKI_NO_MEMORY, "no memory");
	return BRSKI_OK;
}

/* RFC 9483 4.1.1: popo is a signature with the new key over the DER of certReq, and has no poposkInput. */
static enum brski_code check_pop(
	const BRSKI_CERTREQMSG *in, struct brski_cmp_request *out, struct brski_error *err)
{
	const BRSKI_POPOSIGNINGKEY *pop;

	if (!in->popo)
		return refuse(out, BRSKI_CMP_BAD_POP, BRSKI_BAD_SIGNATURE, err, "no proof of possession");
	/* RFC 9483 5.1.1: raVerified is an RA's word; here the request comes from the end entity itself */
	if (in->popo->type == BRSKI_POPO_RAVERIFIED)
		return refuse(out, BRSKI_CMP_NOT_AUTHORIZED, BRSKI_BAD_SIGNATURE, err,
			"raVerified in place of a proof of possession");
	if (in->popo->type != BRSKI_POPO_SIGNATURE)
		return refuse(out, BRSKI_CMP_BAD_POP, BRSKI_UNSUPPORTED, err,
			"proof of possession is no signature");
	pop = in->popo->value.signature;
	if (pop->input)
		return refuse(out, BRSKI_CMP_BAD_POP, BRSKI_UNEXPECTED, err,
			"proof of possession with poposkInput (RFC 9483 4.1.1)");
	out->fail = BRSKI_CMP_BAD_POP;
	return brski_cmp_signature_check(pop->algorithm, pop->signature, in->cert_req,
		ASN1_ITEM_rptr(ASN1_ANY), out->key, "proof of possession", err);
}

static enum brski_code read_request(
	const BRSKI_CERTREQMSG *in, struct brski_cmp_request *out, struct brski_error *err)
{
	BRSKI_CERTREQUEST *req = brski_asn1_read(
		brski_asn1_raw(in->cert_req), ASN1_ITEM_rptr(BRSKI_CERTREQUEST), "certReq", err);
	enum brski_code code;

	out->fail = BRSKI_CMP_BAD_DATA_FORMAT;
	if (!req)
		return BRSKI_MALFORMED;
	out->fail = BRSKI_CMP_BAD_REQUEST;
	code = brski_cmp_req_id_check(req->cert_req_id, BRSKI_CERT_REQ_ID,
		"certification request: certReqId is not 0 (RFC 9483 4.1.1)", &out->cert_req_id, err);
	out->wants_controls = req->controls != NULL || in->reg_info != NULL;
	if (code == BRSKI_OK)
		code = read_template(req->cert_template, out, err);
	BRSKI_CERTREQUEST_free(req);
	return code == BRSKI_OK ? check_pop(in, out, err) : code;
}

enum brski_code brski_cmp_crmf_read(
	struct brski_span content, struct brski_cmp_request *out, struct brski_error *err)
{
	BRSKI_CERTREQMSGS *in =
		brski_asn1_read(content, ASN1_ITEM_rptr(BRSKI_CERTREQMSGS), "certification request", err);
	enum brski_code code;

	out->fail = BRSKI_CMP_BAD_DATA_FORMAT;
	if (!in)
		return BRSKI_MALFORMED;
	out->fail = BRSKI_CMP_BAD_REQUEST;
	code = brski_cmp_one_check(sk_BRSKI_CERTREQMSG_num(in),
		"certification request: not exactly one CertReqMsg (RFC 9483 4.1.1)", err);
	if (code == BRSKI_OK)
		code = read_request(sk_BRSKI_CERTREQMSG_value(in, 0), out, err);
	BRSKI_CERTREQMSGS_free(in);
	return code;
}

/* ---- making one ---- */

static bool fill(OSSL_CRMF_MSG *msg, EVP_PKEY *key, const X509_NAME *subject)
{
	return OSSL_CRMF_MSG_set_certReqId(msg, BRSKI_CERT_REQ_ID) == 1 &&
	       OSSL_CRMF_CERTTEMPLATE_fill(OSSL_CRMF_MSG_get0_tmpl(msg), key, subject, NULL, NULL) == 1;
}

static OSSL_CRMF_MSGS *make_request(EVP_PKEY *key, const X509_NAME *subject, const EVP_MD *md)
{
	OSSL_CRMF_MSGS *msgs = sk_OSSL_CRMF_MSG_new_null();
	OSSL_CRMF_MSG *msg = OSSL_CRMF_MSG_new();

	if (msgs && msg && fill(msg, key, subject) &&
		OSSL_CRMF_MSG_create_popo(OSSL_CRMF_POPO_SIGNATURE, msg, key, md, NULL, NULL) == 1 &&
		sk_OSSL_CRMF_MSG_push(msgs, msg) > 0)
		return msgs;
	OSSL_CRMF_MSG_free(msg);
	OSSL_CRMF_MSGS_free(msgs);
	return NULL;
}

enum brski_code brski_cmp_crmf_write(
	EVP_PKEY *key, const X509_NAME *subject, struct brski_buf *out, struct brski_error *err)
{
	const EVP_MD *md;
	X509_ALGOR *alg;
	OSSL_CRMF_MSGS *msgs;
	enum brski_code code = brski_cmp_algorithm_for(key, &alg, &md, err);

	if (code != BRSKI_OK)
		return code;
	X509_ALGOR_free(alg);
	msgs = make_request(key, subject, md);
	if (!msgs)
		return brski_fail_openssl(err, BRSKI_INTERNAL, "cannot make a certification request");
	code = brski_asn1_write(msgs, ASN1_ITEM_rptr(OSSL_CRMF_MSGS), out, err);
	OSSL_CRMF_MSGS_free(msgs);
	return code;
}
