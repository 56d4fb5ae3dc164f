/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/support/many_jobs.h"

#include <stdio.h>
#include <string.h>

#include <check.h>
#include <openssl/evp.h>

#include "eap_brski/ground/base64.h"
#include "eap_brski/ground/text.h"
#include "tests/unit/support/files.h"

static struct brski_error err;

void many_jobs_take(struct visit *v, const char *path, const char *type, struct brski_buf *blob)
{
	ck_assert_uint_eq(visit_send(v, "POST", path, type, brski_buf_span(&v->request)), 0);
	EXPECT(BRSKI_OK, brski_job_save(v->job, blob, &err));
}

/* The text's place behind `"name":"`. */
static char *value_of(struct brski_buf *blob, const char *name)
{
	char quoted[32];
	char *at;

	snprintf(quoted, sizeof(quoted), "\"%s\":\"", name);
	at = memmem(blob->data, blob->len, quoted, strlen(quoted));
	ck_assert_ptr_nonnull(at);
	return at + strlen(quoted);
}

void many_jobs_make(const struct site *site, const struct brski_buf *blob, unsigned number,
	char key[BRSKI_FINGERPRINT_MAX], struct brski_buf *out)
{
	struct brski_buf octets = {0};
	char digits[9], name[BRSKI_FINGERPRINT_MAX];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t digest[32];
	char *request;

	EXPECT(BRSKI_OK, brski_buf_set(out, brski_buf_span(blob)));
	snprintf(digits, sizeof(digits), "%08u", number);
	request = value_of(out, "request");
	memcpy(request + strcspn(request, "\"") - 12, digits, 8);
	EXPECT(BRSKI_OK, brski_base64_decode(brski_span(request, strcspn(request, "\"")), &octets, &err));
	brski_cert_fingerprint(site->idevid.cert, name);
	ck_assert(EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
		  EVP_DigestUpdate(ctx, name, strlen(name)) == 1 &&
		  EVP_DigestUpdate(ctx, octets.data, octets.len) == 1 &&
		  EVP_DigestFinal_ex(ctx, digest, NULL) == 1);
	EVP_MD_CTX_free(ctx);
	brski_hex(brski_span(digest, sizeof(digest)), key, BRSKI_FINGERPRINT_MAX);
	memcpy(value_of(out, "key"), key, strlen(key));
	brski_buf_free(&octets);
}

struct brski_job *many_jobs_another(struct site *site, const struct brski_buf *blob, unsigned number)
{
	char key[BRSKI_FINGERPRINT_MAX];
	struct brski_buf copy = {0};
	struct brski_job *job;

	many_jobs_make(site, blob, number, key, &copy);
	EXPECT(BRSKI_OK, brski_job_load(site->registrar, brski_buf_span(&copy), 1, &job, &err));
	brski_buf_free(&copy);
	return job;
}
