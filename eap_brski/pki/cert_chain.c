/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/pki/cert.h"
#include "eap_brski/pki/limits.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

/* 112 bits of security: no SHA-1 signatures, no RSA keys under 2,048 bits. */
#define AUTH_LEVEL 2
#define DEPTH_MAX 8
#define CHAIN_CERTS_MAX 32 /* a peer's, and our own beside them */

/*
 * With CRLs given, the leaf must be on the books of one of them; authorities above are looked up
 * where a CRL of their issuer is at hand, since manufacturers seldom publish those.
 */
static int judge_step(int ok, X509_STORE_CTX *ctx)
{
	if (!ok && X509_STORE_CTX_get_error(ctx) == X509_V_ERR_UNABLE_TO_GET_CRL &&
		X509_STORE_CTX_get_error_depth(ctx) > 0) {
		X509_STORE_CTX_set_error(ctx, X509_V_OK);
		return 1;
	}
	return ok;
}

static enum brski_code code_of(int error)
{
	switch (error) {
	case X509_V_ERR_CERT_NOT_YET_VALID:
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return BRSKI_EXPIRED;
	case X509_V_ERR_CERT_REVOKED:
		return BRSKI_REVOKED;
	case X509_V_ERR_OUT_OF_MEM:
		return BRSKI_NO_MEMORY;
	default:
		return BRSKI_UNTRUSTED;
	}
}

static bool add_crls(X509_STORE *store, const STACK_OF(X509_CRL) *crls)
{
	for (int i = 0; i < sk_X509_CRL_num(crls); i++) {
		if (X509_STORE_add_crl(store, sk_X509_CRL_value(crls, i)) != 1)
			return false;
	}
	return true;
}

static X509_STORE *new_store(const STACK_OF(X509) *anchors, const STACK_OF(X509_CRL) *crls, time_t at)
{
	X509_STORE *store = X509_STORE_new();
	X509_VERIFY_PARAM *param = store ? X509_STORE_get0_param(store) : NULL;
	unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN;

	if (!store)
		return NULL;
	for (int i = 0; i < sk_X509_num(anchors); i++) {
		if (X509_STORE_add_cert(store, sk_X509_value(anchors, i)) != 1)
			goto failed;
	}
	if (!add_crls(store, crls))
		goto failed;
	if (sk_X509_CRL_num(crls) > 0)
		flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
	if (at == 0)
		flags |= X509_V_FLAG_NO_CHECK_TIME;
	else
		X509_VERIFY_PARAM_set_time(param, at);
	X509_VERIFY_PARAM_set_flags(param, flags);
	X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
	X509_VERIFY_PARAM_set_depth(param, DEPTH_MAX);
	X509_STORE_set_verify_cb(store, judge_step);
	return store;
failed:
	X509_STORE_free(store);
	return NULL;
}

static enum brski_code explain(X509_STORE_CTX *ctx, X509 *leaf, struct brski_error *err)
{
	int error = X509_STORE_CTX_get_error(ctx);
	X509 *at = X509_STORE_CTX_get_current_cert(ctx);
	char name[160];

	brski_name_text(X509_get_subject_name(at ? at : leaf), name, sizeof(name));
	ERR_clear_error();
	return brski_fail(
		err, code_of(error), "certificate %s: %s", name, X509_verify_cert_error_string(error));
}

static bool is_anchor(const X509 *cert, const STACK_OF(X509) *anchors)
{
	for (int i = 0; i < sk_X509_num(anchors); i++) {
		if (brski_cert_equal(cert, sk_X509_value(anchors, i)))
			return true;
	}
	return false;
}

static enum brski_code verify_path(
	X509_STORE *store, STACK_OF(X509) *certs, const STACK_OF(X509) *anchors, struct brski_error *err)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509 *leaf = sk_X509_value(certs, 0);
	enum brski_code code = BRSKI_OK;

	/* a leaf that is an anchor needs no path: what stands above it must not fail it */
	if (!ctx || X509_STORE_CTX_init(ctx, store, leaf, is_anchor(leaf, anchors) ? NULL : certs) != 1)
		code = brski_fail_openssl(err, BRSKI_NO_MEMORY, "no memory to verify a certificate");
	else if (X509_verify_cert(ctx) != 1)
		code = explain(ctx, leaf, err);
	X509_STORE_CTX_free(ctx);
	return code;
}

static bool has_extended_usage(const X509 *cert, int nid)
{
	EXTENDED_KEY_USAGE *usages = X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);
	bool found = false;

	for (int i = 0; i < sk_ASN1_OBJECT_num(usages); i++)
		found = found || OBJ_obj2nid(sk_ASN1_OBJECT_value(usages, i)) == nid;
	EXTENDED_KEY_USAGE_free(usages);
	ERR_clear_error();
	return found;
}

static enum brski_code check_use(const X509 *leaf, enum brski_use use, struct brski_error *err)
{
	char name[160];

	if (use != BRSKI_USE_REGISTRAR || has_extended_usage(leaf, NID_cmcRA))
		return BRSKI_OK;
	brski_name_text(X509_get_subject_name(leaf), name, sizeof(name));
	return brski_fail(err, BRSKI_UNTRUSTED,
		"certificate %s is not a registrar's: its extended key usage lacks id-kp-cmcRA", name);
}

enum brski_code brski_chain_verify(const STACK_OF(X509) *certs, const STACK_OF(X509) *anchors,
	const STACK_OF(X509_CRL) *crls, enum brski_use use, time_t at, struct brski_error *err)
{
	enum brski_code code;
	X509_STORE *store;

	if (sk_X509_num(certs) < 1)
		return brski_fail(err, BRSKI_UNTRUSTED, "no certificate to verify");
	if (sk_X509_num(certs) > CHAIN_CERTS_MAX)
		return brski_fail(err, BRSKI_UNTRUSTED, "a chain of %d certificates", sk_X509_num(certs));
	if (sk_X509_num(anchors) < 1)
		return brski_fail(err, BRSKI_UNTRUSTED, "no trust anchor to verify a certificate with");
	if (brski_certs_check_keys(certs, err) != BRSKI_OK)
		return brski_fail(err, BRSKI_UNTRUSTED, "%s", err ? err->why : "");
	ERR_clear_error();
	store = new_store(anchors, crls, at);
	if (!store)
		return brski_fail_openssl(err, BRSKI_NO_MEMORY, "cannot gather trust anchors");
	code = verify_path(store, (STACK_OF(X509) *)(uintptr_t)certs, anchors, err);
	X509_STORE_free(store);
	return code == BRSKI_OK ? check_use(sk_X509_value(certs, 0), use, err) : code;
}
