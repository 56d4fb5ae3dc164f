/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/driver/wrong_key.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>

static bool push_group_and_public(
	OSSL_PARAM_BLD *params, const EVP_PKEY *key, char group[64], uint8_t *point, size_t size)
{
	size_t n;

	return EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, 64, NULL) == 1 &&
	       EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, size, &n) == 1 &&
	       OSSL_PARAM_BLD_push_utf8_string(params, OSSL_PKEY_PARAM_GROUP_NAME, group, 0) == 1 &&
	       OSSL_PARAM_BLD_push_octet_string(params, OSSL_PKEY_PARAM_PUB_KEY, point, n) == 1;
}

static EVP_PKEY *key_from(OSSL_PARAM_BLD *builder)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *key = NULL;

	if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
		EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	return key;
}

/* The public half of one EC key and the private half of another, so that TLS takes it and signs wrongly. */
static EVP_PKEY *mix_keys(const EVP_PKEY *public_half, const EVP_PKEY *private_half)
{
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	BIGNUM *secret = NULL;
	uint8_t point[256];
	char group[64];
	EVP_PKEY *key = NULL;

	if (builder && push_group_and_public(builder, public_half, group, point, sizeof(point)) &&
		EVP_PKEY_get_bn_param(private_half, OSSL_PKEY_PARAM_PRIV_KEY, &secret) == 1 &&
		OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, secret) == 1)
		key = key_from(builder);
	BN_clear_free(secret);
	OSSL_PARAM_BLD_free(builder);
	return key;
}

enum brski_code wrong_key_take(struct brski_credential *credential, struct brski_error *err)
{
	EVP_PKEY *other = NULL, *mixed;
	enum brski_code code = brski_key_generate(BRSKI_KEY_P256, &other, err);

	if (code != BRSKI_OK)
		return code;
	mixed = mix_keys(credential->key, other);
	EVP_PKEY_free(other);
	if (!mixed)
		return brski_fail_openssl(
			err, BRSKI_INTERNAL, "no wrong key can be made (the IDevID must be P-256)");
	EVP_PKEY_free(credential->key);
	credential->key = mixed;
	return BRSKI_OK;
}
