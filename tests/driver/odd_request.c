/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/driver/odd_request.h"

#include <string.h>

#include "eap_brski/artifacts/paths.h"
#include "eap_brski/cmp/cmp.h"

bool odd_request_is_ir(const struct brski_http *request)
{
	return strcmp(request->path, BRSKI_PATH_CMP_INITIALIZATION) == 0;
}

enum brski_code odd_request_sign(struct brski_http *request, const X509 *idevid,
	const struct brski_credential *signer, struct brski_error *err)
{
	struct brski_cmp_transaction tx = {0};
	struct brski_cmp_enroll enroll = {.signer = signer, .subject = X509_get_subject_name(idevid)};
	struct brski_buf der = {0};
	enum brski_code code = brski_key_generate(BRSKI_KEY_P256, &enroll.key, err);

	if (code == BRSKI_OK)
		code = brski_cmp_enroll(&enroll, NULL, &tx, &der, err);
	if (code == BRSKI_OK)
		code = brski_buf_set(&request->body, brski_buf_span(&der));
	brski_buf_free(&der);
	brski_cmp_transaction_free(&tx);
	EVP_PKEY_free(enroll.key);
	return code;
}
