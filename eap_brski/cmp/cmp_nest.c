/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/cmp/cmp_internal.h"

/* Nested messages: an RA's own protection around a request that stays as it is, RFC 9483 5.2.2.1. */

enum brski_code brski_cmp_nest(const struct brski_cmp *msg, const struct brski_credential *ra,
	struct brski_buf *out, struct brski_error *err)
{
	struct brski_buf recipient = {0}, content = {0};
	struct brski_cmp_draft draft = {
		.type = BRSKI_CMP_NESTED,
		.signer = ra,
		.transaction_id = brski_buf_span(&msg->header.transaction_id),
		.sender_nonce = brski_buf_span(&msg->header.sender_nonce),
		.recip_nonce = brski_buf_span(&msg->header.recip_nonce),
	};
	enum brski_code code = BRSKI_OK;

	brski_buf_reset(out);
	if (msg->type == BRSKI_CMP_NESTED)
		return brski_fail(err, BRSKI_UNEXPECTED, "a nested message is not wrapped again");
	if (msg->header.recipient)
		code = brski_asn1_write(msg->header.recipient, ASN1_ITEM_rptr(X509_NAME), &recipient, err);
	brski_asn1_wrap(&content, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, brski_buf_span(&msg->der));
	if (code == BRSKI_OK)
		code = brski_buf_status(&content, err);
	draft.recipient = brski_buf_span(&recipient);
	draft.content = brski_buf_span(&content);
	if (code == BRSKI_OK)
		code = brski_cmp_draft_sign(&draft, out, err);
	brski_buf_free(&recipient);
	brski_buf_free(&content);
	return code;
}

/* RFC 9483 5.2.2.1: the wrapper MUST copy the transactionID. */
static enum brski_code check_transaction_id(
	const struct brski_cmp_header *nested, const struct brski_cmp_header *inner, struct brski_error *err)
{
	if (brski_span_equal(brski_buf_span(&nested->transaction_id), brski_buf_span(&inner->transaction_id)))
		return BRSKI_OK;
	return brski_fail(
		err, BRSKI_MISMATCH, "nested CMP message: its transactionID is not the inner one's");
}

/* RFC 9483 5.2.2.1: and the senderNonce. */
static enum brski_code check_sender_nonce(
	const struct brski_cmp_header *nested, const struct brski_cmp_header *inner, struct brski_error *err)
{
	if (brski_span_equal(brski_buf_span(&nested->sender_nonce), brski_buf_span(&inner->sender_nonce)))
		return BRSKI_OK;
	return brski_fail(err, BRSKI_MISMATCH, "nested CMP message: its senderNonce is not the inner one's");
}

static enum brski_code check_inner_type(const struct brski_cmp *inner, struct brski_error *err)
{
	if (inner->type != BRSKI_CMP_NESTED)
		return BRSKI_OK;
	return brski_fail(err, BRSKI_UNEXPECTED, "nested CMP message within a nested one");
}

static enum brski_code decode_only_one(
	struct brski_span content, struct brski_cmp *inner, struct brski_error *err)
{
	BRSKI_MESSAGES *msgs =
		brski_asn1_read(content, ASN1_ITEM_rptr(BRSKI_MESSAGES), "nested message", err);
	enum brski_code code;

	if (!msgs)
		return BRSKI_MALFORMED;
	if (sk_ASN1_TYPE_num(msgs) != 1)
		code = brski_fail(err, BRSKI_UNSUPPORTED, "nested CMP message with %d messages; one is taken",
			sk_ASN1_TYPE_num(msgs));
	else
		code = brski_cmp_decode(brski_asn1_raw(sk_ASN1_TYPE_value(msgs, 0)), inner, err);
	BRSKI_MESSAGES_free(msgs);
	return code;
}

enum brski_code brski_cmp_unnest(
	const struct brski_cmp *nested, struct brski_cmp *inner, struct brski_error *err)
{
	enum brski_code code;

	*inner = (struct brski_cmp){0};
	if (nested->type != BRSKI_CMP_NESTED)
		return brski_fail(err, BRSKI_UNEXPECTED, "CMP %s is no nested message",
			brski_cmp_type_name(nested->type));
	code = decode_only_one(brski_cmp_content(nested), inner, err);
	if (code == BRSKI_OK)
		code = check_transaction_id(&nested->header, &inner->header, err);
	if (code == BRSKI_OK)
		code = check_sender_nonce(&nested->header, &inner->header, err);
	if (code == BRSKI_OK)
		code = check_inner_type(inner, err);
	if (code != BRSKI_OK)
		brski_cmp_free(inner);
	return code;
}
