/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "eap_brski/ground/text.h"
#include "eap_brski/registrar/registrar_internal.h"

/*
 * RFC 9483 3.5: what a pledge says next answers what it was told. Of our own words nothing is stored
 * but this note: half of it is of our last senderNonce, and half of the nonce before, that the pledge
 * has shown to know. The answer in between may have been lost.
 */

#define NOTE "said"
#define HALF (size_t)((BRSKI_FINGERPRINT_MAX - 1) / 2) /* hexadecimal digits: 128 bits */

/* Zeroes for no nonce. */
static enum brski_code half_of(struct brski_span nonce, char out[HALF + 1], struct brski_error *err)
{
	uint8_t digest[EVP_MAX_MD_SIZE] = {0};

	if (nonce.len > 0 && EVP_Digest(nonce.data, nonce.len, digest, NULL, EVP_sha256(), NULL) != 1)
		return brski_fail_openssl(err, BRSKI_INTERNAL, "no digest");
	brski_hex(brski_span(digest, HALF / 2), out, HALF + 1);
	return BRSKI_OK;
}

static enum brski_code put(struct brski_registrar_session *s, const struct brski_cmp *asked,
	const struct brski_cmp *said, struct brski_error *err)
{
	char last[HALF + 1], before[HALF + 1], value[BRSKI_FINGERPRINT_MAX];
	enum brski_code code = half_of(brski_buf_span(&said->header.sender_nonce), last, err);

	if (code == BRSKI_OK)
		code = half_of(brski_buf_span(&asked->header.recip_nonce), before, err);
	if (code != BRSKI_OK)
		return code;
	snprintf(value, sizeof(value), "%s%s", last, before);
	return brski_note_put(
		s->registrar, &s->device, NOTE, brski_buf_span(&asked->header.transaction_id), value, err);
}

enum brski_code brski_registrar_nonce_said(struct brski_registrar_session *s, const struct brski_cmp *asked,
	struct brski_span answer, struct brski_error *err)
{
	struct brski_cmp said = {0};
	enum brski_code code = brski_cmp_decode(answer, &said, err);

	code = code == BRSKI_OK ? put(s, asked, &said, err)
				: brski_registrar_trouble(code, "our own answer", err);
	brski_cmp_free(&said);
	return code;
}

static enum brski_code heard_in_note(const struct brski_registrar_session *s, const struct brski_cmp *msg,
	bool *yes, struct brski_error *err)
{
	char value[BRSKI_FINGERPRINT_MAX], half[HALF + 1];
	enum brski_code code = brski_note_get(
		s->registrar, &s->device, NOTE, brski_buf_span(&msg->header.transaction_id), value, err);

	if (code == BRSKI_OK)
		code = half_of(brski_buf_span(&msg->header.recip_nonce), half, err);
	/* no note: an older version told it to wait, or it was away for longer than notes are kept */
	*yes = code == BRSKI_OK &&
	       (value[0] == '\0' || strncmp(value, half, HALF) == 0 || strcmp(value + HALF, half) == 0);
	return code;
}

enum brski_code brski_registrar_nonce_answers(
	const struct brski_cmp *msg, const struct brski_job *job, bool *yes, struct brski_error *err)
{
	struct brski_cmp said = {0};
	enum brski_code code = BRSKI_OK;

	*yes = false;
	if (job->state == BRSKI_JOB_WAITING || job->answer.body.len == 0)
		return BRSKI_OK;
	code = brski_cmp_decode(brski_buf_span(&job->answer.body), &said, err);
	*yes = code == BRSKI_OK && brski_span_equal(brski_buf_span(&msg->header.recip_nonce),
					   brski_buf_span(&said.header.sender_nonce));
	brski_cmp_free(&said);
	return code == BRSKI_OK ? code : brski_registrar_trouble(code, "a stored answer", err);
}

enum brski_code brski_registrar_nonce_heard(const struct brski_registrar_session *s,
	const struct brski_cmp *msg, const struct brski_job *polled, bool *yes, struct brski_error *err)
{
	enum brski_code code = brski_registrar_nonce_answers(msg, polled, yes, err);

	return code == BRSKI_OK && !*yes ? heard_in_note(s, msg, yes, err) : code;
}
