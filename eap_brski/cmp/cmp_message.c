/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "eap_brski/cmp/cmp_internal.h"
#include "eap_brski/pki/cert.h"
#include "eap_brski/pki/limits.h"

/*
 * RFC 9483 3.3: self-signed certificates should be omitted, unless it is the one that protects the
 * message.
 */
static bool add_certs(STACK_OF(X509) *to, const STACK_OF(X509) *certs)
{
	for (int i = 0; i < sk_X509_num(certs); i++) {
		X509 *cert = sk_X509_value(certs, i);
		bool root = (X509_get_extension_flags(cert) & EXFLAG_SS) != 0;

		if (!root && X509_add_cert(to, cert, X509_ADD_FLAG_UP_REF | X509_ADD_FLAG_NO_DUP) != 1)
			return false;
	}
	return true;
}

static enum brski_code make_extra_certs(
	const struct brski_cmp_draft *draft, STACK_OF(X509) **out, struct brski_error *err)
{
	*out = sk_X509_new_null();
	if (!*out || X509_add_cert(*out, draft->signer->cert, X509_ADD_FLAG_UP_REF) != 1 ||
		!add_certs(*out, draft->signer->chain) || !add_certs(*out, draft->more_certs))
		return brski_fail_openssl(err, BRSKI_NO_MEMORY, "no memory");
	if (sk_X509_num(*out) > BRSKI_PEER_CERTS_MAX)
		return brski_fail(err, BRSKI_TOO_LARGE, "more than %d extraCerts", BRSKI_PEER_CERTS_MAX);
	return BRSKI_OK;
}

static enum brski_code set_identity(
	const struct brski_cmp_draft *draft, struct brski_cmp_header *out, struct brski_error *err)
{
	const ASN1_OCTET_STRING *skid = X509_get0_subject_key_id(draft->signer->cert);

	out->sender = X509_NAME_dup(X509_get_subject_name(draft->signer->cert));
	if (!out->sender || brski_buf_set(&out->sender_kid, brski_asn1_octets(skid)) != BRSKI_OK)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	if (draft->recipient.len == 0)
		return BRSKI_OK;
	out->recipient = brski_asn1_read(draft->recipient, ASN1_ITEM_rptr(X509_NAME), "recipient", err);
	return out->recipient ? BRSKI_OK : BRSKI_MALFORMED;
}

static enum brski_code set_algorithm(
	const EVP_PKEY *key, struct brski_cmp_header *out, struct brski_error *err)
{
	const EVP_MD *md;
	X509_ALGOR *alg;
	enum brski_code code = brski_cmp_algorithm_for(key, &alg, &md, err);

	if (code == BRSKI_OK)
		code = brski_asn1_write(alg, ASN1_ITEM_rptr(X509_ALGOR), &out->protection_alg, err);
	X509_ALGOR_free(alg);
	return code;
}

static enum brski_code set_header(
	const struct brski_cmp_draft *draft, struct brski_cmp_header *out, struct brski_error *err)
{
	const char *profile = draft->cert_profile ? draft->cert_profile : "";

	out->pvno = draft->pvno > 0 ? draft->pvno : 2; /* RFC 9483 3.1: 2, but for what needs 3 */
	out->implicit_confirm = draft->implicit_confirm;
	out->message_time = draft->message_time;
	out->confirm_wait_time = draft->confirm_wait_time;
	if (strlen(profile) >= sizeof(out->cert_profile))
		return brski_fail(err, BRSKI_TOO_LARGE, "name of the certificate profile is too long");
	snprintf(out->cert_profile, sizeof(out->cert_profile), "%s", profile);
	if (brski_buf_set(&out->transaction_id, draft->transaction_id) != BRSKI_OK ||
		brski_buf_set(&out->sender_nonce, draft->sender_nonce) != BRSKI_OK ||
		brski_buf_set(&out->recip_nonce, draft->recip_nonce) != BRSKI_OK)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	return set_identity(draft, out, err);
}

/* The slices that make up a message; msg's spans point into these. */
struct parts {
	struct brski_buf header;
	struct brski_buf body;
};

static enum brski_code make_message(const struct brski_cmp_draft *draft, struct parts *parts,
	struct brski_cmp *msg, struct brski_error *err)
{
	enum brski_code code;

	if ((code = set_header(draft, &msg->header, err)) != BRSKI_OK ||
		(code = set_algorithm(draft->signer->key, &msg->header, err)) != BRSKI_OK ||
		(code = brski_cmp_header_write(&msg->header, &parts->header, err)) != BRSKI_OK)
		return code;
	brski_asn1_wrap(&parts->body, draft->type, V_ASN1_CONTEXT_SPECIFIC, draft->content);
	code = brski_buf_status(&parts->body, err);
	if (code != BRSKI_OK)
		return code;
	msg->header_der = brski_buf_span(&parts->header);
	msg->body_der = brski_buf_span(&parts->body);
	msg->is_protected = true;
	code = brski_cmp_sign(msg->header_der, msg->body_der, draft->signer->key, &msg->protection, err);
	return code == BRSKI_OK ? make_extra_certs(draft, &msg->extra_certs, err) : code;
}

enum brski_code brski_cmp_draft_sign(
	const struct brski_cmp_draft *draft, struct brski_buf *out, struct brski_error *err)
{
	struct parts parts = {0};
	struct brski_cmp msg = {0};
	enum brski_code code;

	brski_buf_reset(out);
	if (!draft->signer->key || !draft->signer->cert)
		return brski_fail(err, BRSKI_INTERNAL, "no key and certificate to sign a CMP message with");
	code = make_message(draft, &parts, &msg, err);
	if (code == BRSKI_OK)
		code = brski_cmp_encode(&msg, out, err);
	brski_buf_free(&parts.header);
	brski_buf_free(&parts.body);
	brski_cmp_free(&msg);
	return code;
}
