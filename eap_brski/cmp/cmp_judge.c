/* SPDX-License-Identifier: BSD-3-Clause */
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "eap_brski/cmp/cmp_internal.h"
#include "eap_brski/pki/cert.h"

/* The end entity's judgement of an answer, RFC 9483 3.5. */

#define SIGNERS_OCTETS_MAX 8192 /* that a pledge stores */

/* RFC 9483 3.5: transactionID MUST be that of the request. */
static enum brski_code check_transaction_id(const struct brski_cmp_header *header,
	const struct brski_cmp_transaction *tx, struct brski_error *err)
{
	struct brski_span id = brski_buf_span(&header->transaction_id);

	if (id.len > 0 && brski_span_equal(id, brski_buf_span(&tx->id)))
		return BRSKI_OK;
	return brski_fail(err, BRSKI_MISMATCH, "CMP answer has another transactionID than our request");
}

/* RFC 9483 3.5: senderNonce MUST be present, and have 128 bits. */
static enum brski_code check_sender_nonce(const struct brski_cmp_header *header, struct brski_error *err)
{
	if (header->sender_nonce.len >= BRSKI_CMP_ID_LEN)
		return BRSKI_OK;
	return brski_fail(err, BRSKI_MALFORMED, "senderNonce of a CMP answer has no 128 bits (RFC 9483 3.5)");
}

/*
 * RFC 9483 3.5: recipNonce MUST be the senderNonce of the message that is answered; 4.4: after
 * polling, of the request itself.
 */
static enum brski_code check_recip_nonce(const struct brski_cmp_header *header,
	const struct brski_cmp_transaction *tx, struct brski_error *err)
{
	struct brski_span nonce = brski_buf_span(&header->recip_nonce);

	if (nonce.len > 0 && (brski_span_equal(nonce, brski_buf_span(&tx->last_nonce)) ||
				     brski_span_equal(nonce, brski_buf_span(&tx->request_nonce))))
		return BRSKI_OK;
	return brski_fail(
		err, BRSKI_MISMATCH, "CMP answer is to another request: its recipNonce is not ours");
}

static enum brski_code check_header(const struct brski_cmp_header *header,
	const struct brski_cmp_transaction *tx, struct brski_error *err)
{
	enum brski_code code = brski_cmp_version_check(header, err);

	if (code == BRSKI_OK)
		code = check_transaction_id(header, tx, err);
	if (code == BRSKI_OK)
		code = check_sender_nonce(header, err);
	if (code == BRSKI_OK)
		code = check_recip_nonce(header, tx, err);
	return code;
}

bool brski_cmp_may_answer(const X509 *cert)
{
	EXTENDED_KEY_USAGE *usages = X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);
	bool found = brski_cert_is_ca(cert);

	for (int i = 0; i < sk_ASN1_OBJECT_num(usages); i++) {
		int nid = OBJ_obj2nid(sk_ASN1_OBJECT_value(usages, i));

		found = found || nid == NID_cmcRA || nid == NID_cmcCA;
	}
	EXTENDED_KEY_USAGE_free(usages);
	ERR_clear_error();
	return found;
}

/* RFC 9483 3.5: the signer's certificate MUST lead to a trust anchor. */
static enum brski_code check_signer_trusted(
	const STACK_OF(X509) *chain, const struct brski_cmp_trust *trust, struct brski_error *err)
{
	enum brski_code code =
		brski_chain_verify(chain, trust->anchors, NULL, BRSKI_USE_ANY, trust->now, err);

	if (code != BRSKI_OK)
		(void)brski_fail_context(err, code, "signer of the CMP answer");
	return code;
}

/*
 * RFC 9483 3.4, 3.5: the signer MUST be authorized, not only trusted: a neighbour's certificate
 * verifies as well. A CA of the path could have issued whatever it signs.
 */
static enum brski_code check_signer_authorized(
	const X509 *signer, const struct brski_cmp_trust *trust, struct brski_error *err)
{
	char name[160];

	if (brski_cmp_may_answer(signer) || brski_certs_have(trust->signers, signer))
		return BRSKI_OK;
	brski_name_text(X509_get_subject_name(signer), name, sizeof(name));
	return brski_fail(err, BRSKI_UNTRUSTED,
		"signer of the CMP answer, %s, is neither a CA nor has extended key usage cmcCA or cmcRA%s%s",
		name, trust->named_by ? ", and is not in " : "", trust->named_by ? trust->named_by : "");
}

static bool push_borrowed(STACK_OF(X509) *to, const STACK_OF(X509) *certs)
{
	for (int i = 0; i < sk_X509_num(certs); i++) {
		if (sk_X509_push(to, sk_X509_value(certs, i)) <= 0)
			return false;
	}
	return true;
}

/*
 * RFC 9483 3.3: a root is left out of extraCerts, also where it is the signer itself; then it is
 * one of our anchors.
 */
static STACK_OF(X509) *known_and_anchors(const STACK_OF(X509) *known, const STACK_OF(X509) *anchors)
{
	STACK_OF(X509) *all = known ? sk_X509_dup(known) : sk_X509_new_null();

	if (all && push_borrowed(all, anchors))
		return all;
	sk_X509_free(all);
	return NULL;
}

static enum brski_code judge_signer(void *ctx, const STACK_OF(X509) *chain, struct brski_error *err)
{
	const struct brski_cmp_trust *trust = ctx;
	enum brski_code code = check_signer_trusted(chain, trust, err);

	return code == BRSKI_OK ? check_signer_authorized(sk_X509_value(chain, 0), trust, err) : code;
}

/* *signers is new: those of the transaction so far. */
static enum brski_code read_signers(
	const struct brski_cmp_transaction *tx, STACK_OF(X509) **signers, struct brski_error *err)
{
	if (tx->signers.len > 0)
		return brski_cmp_certs_read(brski_buf_span(&tx->signers), signers, err);
	*signers = sk_X509_new_null();
	return *signers ? BRSKI_OK : brski_fail(err, BRSKI_NO_MEMORY, "no memory");
}

/*
 * RFC 9483 3.3: what an answer has brought, a later one of the transaction may leave out. Beyond the
 * bound nothing is kept: then they have to bring it.
 */
static enum brski_code keep_signers(const STACK_OF(X509) *chain, STACK_OF(X509) *signers,
	struct brski_cmp_transaction *tx, struct brski_error *err)
{
	STACK_OF(X509) *path = NULL;
	struct brski_buf der = {0};
	enum brski_code code = brski_cmp_cert_path(sk_X509_value(chain, 0), chain, &path, err);

	if (code == BRSKI_OK &&
		X509_add_certs(signers, path, X509_ADD_FLAG_UP_REF | X509_ADD_FLAG_NO_DUP) != 1)
		code = brski_fail_openssl(err, BRSKI_NO_MEMORY, "no memory");
	if (code == BRSKI_OK)
		code = brski_asn1_write(signers, ASN1_ITEM_rptr(BRSKI_CACERTS), &der, err);
	if (code == BRSKI_OK && der.len <= SIGNERS_OCTETS_MAX &&
		sk_X509_num(signers) <= BRSKI_CMP_CA_CERTS_MAX)
		brski_buf_move(&tx->signers, &der);
	brski_buf_free(&der);
	sk_X509_pop_free(path, X509_free);
	return code == BRSKI_TOO_LARGE ? BRSKI_OK : code;
}

static enum brski_code verify(const struct brski_cmp *msg, const struct brski_cmp_trust *trust,
	const STACK_OF(X509) *signers, STACK_OF(X509) **chain, struct brski_error *err)
{
	STACK_OF(X509) *certs = known_and_anchors(trust->known, trust->anchors);
	enum brski_code code;

	if (certs && push_borrowed(certs, signers))
		code = brski_cmp_verify_judged(
			msg, certs, judge_signer, (struct brski_cmp_trust *)(uintptr_t)trust, chain, err);
	else
		code = brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	sk_X509_free(certs);
	return code;
}

static enum brski_code check_protection(const struct brski_cmp *msg, const struct brski_cmp_trust *trust,
	struct brski_cmp_transaction *tx, struct brski_error *err)
{
	STACK_OF(X509) *signers = NULL, *chain = NULL;
	enum brski_code code = read_signers(tx, &signers, err);

	if (code == BRSKI_OK)
		code = verify(msg, trust, signers, &chain, err);
	if (code == BRSKI_OK)
		code = keep_signers(chain, signers, tx, err);
	sk_X509_pop_free(signers, X509_free);
	sk_X509_pop_free(chain, X509_free);
	return code;
}

static enum brski_code remember_answer(
	const struct brski_cmp_header *header, struct brski_cmp_transaction *tx, struct brski_error *err)
{
	struct brski_buf name = {0};
	enum brski_code code = brski_asn1_write(header->sender, ASN1_ITEM_rptr(X509_NAME), &name, err);

	if (code == BRSKI_OK &&
		brski_buf_set(&tx->peer_nonce, brski_buf_span(&header->sender_nonce)) != BRSKI_OK)
		code = brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	if (code == BRSKI_OK)
		brski_buf_move(&tx->recipient, &name);
	brski_buf_free(&name);
	return code;
}

/* RFC 9483 3.6.4: some errors cannot be protected. Anybody may have written it, so it decides nothing. */
static enum brski_code read_unprotected(
	const struct brski_cmp *msg, struct brski_cmp_response *out, struct brski_error *err)
{
	enum brski_code code = brski_cmp_response_read(msg, out, err);

	if (code != BRSKI_OK)
		return code;
	return brski_fail(err, BRSKI_UNTRUSTED, "error message without protection: %s %s",
		brski_cmp_fail_name((int)out->fail), out->text);
}

/* An error message that cannot be believed is refused, and still the best hint of what is wrong. */
static enum brski_code add_words(const struct brski_cmp *msg, enum brski_code code, struct brski_error *err)
{
	char words[BRSKI_CMP_WORDS_MAX];

	brski_cmp_error_words(msg, words);
	if (words[0] == '\0' || !err)
		return code;
	return brski_fail(err, code, "%.160s; it is an error message: %s", err->why, words);
}

static enum brski_code judge(const struct brski_cmp *msg, const struct brski_cmp_trust *trust,
	struct brski_cmp_transaction *tx, struct brski_cmp_response *out, struct brski_error *err)
{
	enum brski_code code;

	if (!msg->is_protected && msg->type == BRSKI_CMP_ERROR)
		return read_unprotected(msg, out, err);
	if ((code = check_header(&msg->header, tx, err)) != BRSKI_OK ||
		(code = check_protection(msg, trust, tx, err)) != BRSKI_OK)
		return add_words(msg, code, err);
	code = brski_cmp_response_read(msg, out, err);
	if (code != BRSKI_OK)
		return code;
	code = remember_answer(&msg->header, tx, err);
	if (code != BRSKI_OK)
		brski_cmp_response_free(out);
	return code;
}

enum brski_code brski_cmp_response(struct brski_span der, const struct brski_cmp_trust *trust,
	struct brski_cmp_transaction *tx, struct brski_cmp_response *out, struct brski_error *err)
{
	struct brski_cmp msg;
	enum brski_code code;

	*out = (struct brski_cmp_response){0};
	code = brski_cmp_decode(der, &msg, err);
	if (code != BRSKI_OK)
		return code;
	code = judge(&msg, trust, tx, out, err);
	brski_cmp_free(&msg);
	return code;
}
