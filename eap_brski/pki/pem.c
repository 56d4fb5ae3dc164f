/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/pki/pem.h"

#include <limits.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#define BEGIN "-----BEGIN "
#define END "-----END "
#define CRLS_MAX 256

void brski_pem_begin(struct brski_pem *pem, struct brski_span text)
{
	*pem = (struct brski_pem){.rest = text};
}

/* With what ends it. False: there are no more. */
static bool next_line(struct brski_pem *pem, struct brski_span *line)
{
	const uint8_t *end = pem->rest.len ? memchr(pem->rest.data, '\n', pem->rest.len) : NULL;
	size_t len = end ? (size_t)(end - pem->rest.data) + 1 : pem->rest.len;

	pem->lines += len > 0;
	return brski_read_span(&pem->rest, len, line) && len > 0;
}

static bool begins(struct brski_span line, const char *with)
{
	size_t len = strlen(with);

	return line.len >= len && memcmp(line.data, with, len) == 0;
}

/* From its first line to its last; one that does not end is over where the next begins. */
static bool next_block(struct brski_pem *pem, struct brski_span *block)
{
	struct brski_span line;

	do {
		if (!next_line(pem, &line))
			return false;
	} while (!begins(line, BEGIN));
	pem->entry++;
	pem->line = pem->lines;
	*block = line;
	while (!begins(line, END) && !begins(pem->rest, BEGIN) && next_line(pem, &line))
		block->len += line.len;
	return true;
}

/* The next block with one of these labels. */
static enum brski_code find(
	struct brski_pem *pem, const char *label, const char *old_label, struct brski_span *block)
{
	while (next_block(pem, block)) {
		struct brski_span name = brski_span(block->data + strlen(BEGIN), block->len - strlen(BEGIN));

		if (begins(name, label) || (old_label && begins(name, old_label)))
			return BRSKI_OK;
	}
	return BRSKI_NOT_FOUND;
}

static BIO *reader(struct brski_span block)
{
	ERR_clear_error();
	return block.len <= INT_MAX ? BIO_new_mem_buf(block.data, (int)block.len) : NULL;
}

static enum brski_code wrong(const struct brski_pem *pem, const char *what, struct brski_error *err)
{
	return brski_fail_openssl(
		err, BRSKI_MALFORMED, "entry %u (line %u): %s does not parse", pem->entry, pem->line, what);
}

enum brski_code brski_pem_cert(struct brski_pem *pem, X509 **out, struct brski_error *err)
{
	struct brski_span block;
	enum brski_code code = find(pem, PEM_STRING_X509 "-----", PEM_STRING_X509_OLD "-----", &block);
	BIO *bio;

	*out = NULL;
	if (code != BRSKI_OK)
		return brski_fail(err, code, "there are no more certificates");
	bio = reader(block);
	*out = bio ? PEM_read_bio_X509(bio, NULL, NULL, (void *)(uintptr_t) "") : NULL;
	BIO_free(bio);
	return *out ? BRSKI_OK : wrong(pem, "the certificate", err);
}

enum brski_code brski_pem_crl(struct brski_pem *pem, X509_CRL **out, struct brski_error *err)
{
	struct brski_span block;
	enum brski_code code = find(pem, PEM_STRING_X509_CRL "-----", NULL, &block);
	BIO *bio;

	*out = NULL;
	if (code != BRSKI_OK)
		return brski_fail(err, code, "there are no more CRLs");
	bio = reader(block);
	*out = bio ? PEM_read_bio_X509_CRL(bio, NULL, NULL, (void *)(uintptr_t) "") : NULL;
	BIO_free(bio);
	return *out ? BRSKI_OK : wrong(pem, "the CRL", err);
}

static enum brski_code read_crls(struct brski_span text, STACK_OF(X509_CRL) *crls, struct brski_error *err)
{
	struct brski_pem pem;
	X509_CRL *crl;
	enum brski_code code;

	brski_pem_begin(&pem, text);
	while ((code = brski_pem_crl(&pem, &crl, err)) == BRSKI_OK) {
		if (sk_X509_CRL_num(crls) < CRLS_MAX && sk_X509_CRL_push(crls, crl) > 0)
			continue;
		X509_CRL_free(crl);
		return brski_fail(err, BRSKI_TOO_LARGE, "more than %d CRLs in a PEM text", CRLS_MAX);
	}
	if (code != BRSKI_NOT_FOUND)
		return code;
	return sk_X509_CRL_num(crls) > 0 ? BRSKI_OK : brski_fail(err, BRSKI_MALFORMED, "no CRL in PEM text");
}

enum brski_code brski_crls_from_pem(struct brski_span pem, STACK_OF(X509_CRL) **out, struct brski_error *err)
{
	STACK_OF(X509_CRL) *crls = sk_X509_CRL_new_null();
	enum brski_code code;

	*out = NULL;
	if (!crls)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for CRLs");
	code = read_crls(pem, crls, err);
	if (code != BRSKI_OK) {
		sk_X509_CRL_pop_free(crls, X509_CRL_free);
		return code;
	}
	*out = crls;
	return BRSKI_OK;
}
