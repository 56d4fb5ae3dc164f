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

/* What one verification finds out; OpenSSL carries it to judge_step(). */
struct findings {
	const STACK_OF(X509) *anchors;
	bool leads_nowhere;
	int error; /* the first that is not about the path, or X509_V_OK */
	X509 *at;  /* borrowed */
};

/* There is no path of signatures to an anchor. Everything else is said of a chain that has one. */
static bool is_of_path(int error)
{
	switch (error) {
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY:
	case X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
	case X509_V_ERR_CERT_CHAIN_TOO_LONG:
	case X509_V_ERR_SUBJECT_ISSUER_MISMATCH:
	case X509_V_ERR_AKID_SKID_MISMATCH:
	case X509_V_ERR_AKID_ISSUER_SERIAL_MISMATCH:
	case X509_V_ERR_CERT_UNTRUSTED:
	case X509_V_ERR_UNSPECIFIED:
	case X509_V_ERR_OUT_OF_MEM:
	case X509_V_ERR_STORE_LOOKUP:
		return true;
	default:
		return false;
	}
}

/*
 * With CRLs given, the leaf must be on the books of one of them; authorities above are looked up
 * where a CRL of their issuer is at hand, since manufacturers seldom publish those.
 *
 * What is wrong is kept, and the walk goes on: signatures are looked at last, and only then is it known
 * whose chain it is that something is wrong with.
 */
static bool is_borne(X509_STORE_CTX *ctx)
{
	time_t ahead = X509_VERIFY_PARAM_get_time(X509_STORE_CTX_get0_param(ctx)) + BRSKI_CERT_SKEW;
	const X509 *cert = X509_STORE_CTX_get_current_cert(ctx);

	switch (X509_STORE_CTX_get_error(ctx)) {
	case X509_V_ERR_UNABLE_TO_GET_CRL:
		return X509_STORE_CTX_get_error_depth(ctx) > 0;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return cert && X509_cmp_time(X509_get0_notBefore(cert), &ahead) < 0;
	default:
		return false;
	}
}

static int judge_step(int ok, X509_STORE_CTX *ctx)
{
	struct findings *f = X509_STORE_CTX_get_app_data(ctx);
	int error = X509_STORE_CTX_get_error(ctx);

	if (ok || is_borne(ctx)) {
		X509_STORE_CTX_set_error(ctx, X509_V_OK);
		return 1;
	}
	if (f->error == X509_V_OK || is_of_path(error)) {
		f->error = error;
		f->at = X509_STORE_CTX_get_current_cert(ctx);
	}
	f->leads_nowhere = is_of_path(error);
	return !f->leads_nowhere;
}

/* RFC 5280 6.1.1 d: another certificate of an anchor's name and key. */
static bool is_renewed_anchor(const X509 *cert, const STACK_OF(X509) *anchors)
{
	bool renewed = false;

	for (int i = 0; !renewed && i < sk_X509_num(anchors); i++)
		renewed = brski_cert_same_anchor(cert, sk_X509_value(anchors, i));
	return renewed && !brski_certs_have(anchors, cert);
}

/*
 * An authority key identifier that means another certificate of an anchor is no reason against it: its
 * name fits, and its key is the one that has signed.
 */
static int is_issued(X509_STORE_CTX *ctx, X509 *cert, X509 *issuer)
{
	const struct findings *f = X509_STORE_CTX_get_app_data(ctx);
	int error = X509_check_issued(issuer, cert);
	bool other_cert =
		error == X509_V_ERR_AKID_ISSUER_SERIAL_MISMATCH || error == X509_V_ERR_AKID_SKID_MISMATCH;
	bool signed_by;

	/* whether it may issue is looked at when the path is there, and told better then */
	if (error == X509_V_OK || error == X509_V_ERR_KEYUSAGE_NO_CERTSIGN)
		return 1;
	signed_by = other_cert && brski_certs_have(f->anchors, issuer) &&
		    X509_verify(cert, X509_get0_pubkey(issuer)) == 1;
	ERR_clear_error();
	return signed_by;
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
	case X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION:
	case X509_V_ERR_INVALID_PURPOSE:
	case X509_V_ERR_UNSUPPORTED_EXTENSION_FEATURE:
	case X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE:
	case X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX:
	case X509_V_ERR_UNSUPPORTED_NAME_SYNTAX:
	case X509_V_ERR_UNSUPPORTED_SIGNATURE_ALGORITHM:
		return BRSKI_UNSUPPORTED;
	default:
		return is_of_path(error) ? BRSKI_UNTRUSTED : BRSKI_REFUSED;
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
	X509_STORE_set_check_issued(store, is_issued);
	return store;
failed:
	X509_STORE_free(store);
	return NULL;
}

/* Of CRLs, OpenSSL's words do not say whose is missing. */
static const char *crl_words(int error)
{
	switch (error) {
	case X509_V_ERR_UNABLE_TO_GET_CRL:
		return "no CRL of its issuer is among those that are given, so nobody knows whether it is "
		       "revoked; the issuer is ";
	case X509_V_ERR_CRL_HAS_EXPIRED:
		return "the CRL of its issuer has expired; the issuer is ";
	case X509_V_ERR_CRL_NOT_YET_VALID:
		return "the CRL of its issuer is not yet valid; the issuer is ";
	case X509_V_ERR_CRL_SIGNATURE_FAILURE:
		return "the CRL with the name of its issuer is signed by somebody else; the issuer is ";
	default:
		return NULL;
	}
}

static enum brski_code explain(const struct findings *f, const X509 *leaf, struct brski_error *err)
{
	const X509 *at = f->at ? f->at : leaf;
	const char *words = crl_words(f->error);
	char name[160], issuer[160] = "";

	brski_name_text(X509_get_subject_name(at), name, sizeof(name));
	if (words)
		brski_name_text(X509_get_issuer_name(at), issuer, sizeof(issuer));
	else
		words = X509_verify_cert_error_string(f->error);
	ERR_clear_error();
	return brski_fail(err, code_of(f->error), "certificate %s: %s%s", name, words, issuer);
}

static int unasked(const X509_STORE_CTX *ctx)
{
	int error = X509_STORE_CTX_get_error(ctx);

	return error == X509_V_OK ? X509_V_ERR_UNSPECIFIED : error;
}

static enum brski_code verify_path(X509_STORE *store, STACK_OF(X509) *certs, const STACK_OF(X509) *anchors,
	struct brski_path *path, struct brski_error *err)
{
	struct findings f = {.anchors = anchors, .error = X509_V_OK};
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509 *leaf = sk_X509_value(certs, 0);
	enum brski_code code = BRSKI_OK;

	/* a leaf that is an anchor needs no path: what stands above it must not fail it */
	if (!ctx ||
		X509_STORE_CTX_init(ctx, store, leaf, brski_certs_have(anchors, leaf) ? NULL : certs) != 1 ||
		X509_STORE_CTX_set_app_data(ctx, &f) != 1) {
		code = brski_fail_openssl(err, BRSKI_NO_MEMORY, "no memory to verify a certificate");
	} else if (X509_verify_cert(ctx) != 1 || f.error != X509_V_OK) {
		if (f.error == X509_V_OK) /* trouble that it did not ask judge_step() about */
			f = (struct findings){.leads_nowhere = true, .error = unasked(ctx)};
		code = explain(&f, leaf, err);
	}
	if (code != BRSKI_NO_MEMORY) {
		path->leads = !f.leads_nowhere;
		path->distance = path->leads ? (unsigned)sk_X509_num(X509_STORE_CTX_get0_chain(ctx)) - 1 : 0;
	}
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

enum brski_code brski_chain_follow(const STACK_OF(X509) *certs, const STACK_OF(X509) *anchors,
	const STACK_OF(X509_CRL) *crls, time_t at, struct brski_path *path, struct brski_error *err)
{
	enum brski_code code;
	X509_STORE *store;

	*path = (struct brski_path){0};
	if (sk_X509_num(certs) < 1)
		return brski_fail(err, BRSKI_UNTRUSTED, "no certificate to verify");
	if (sk_X509_num(certs) > CHAIN_CERTS_MAX)
		return brski_fail(err, BRSKI_UNTRUSTED, "a chain of %d certificates", sk_X509_num(certs));
	if (sk_X509_num(anchors) < 1)
		return brski_fail(err, BRSKI_UNTRUSTED, "no trust anchor to verify a certificate with");
	if (brski_certs_check_keys(certs, err) != BRSKI_OK)
		return brski_fail(err, BRSKI_UNTRUSTED, "%s", err ? err->why : "");
	if (is_renewed_anchor(sk_X509_value(certs, 0), anchors)) {
		path->leads = true;
		return brski_cert_dates(sk_X509_value(certs, 0), at, err);
	}
	ERR_clear_error();
	store = new_store(anchors, crls, at);
	if (!store)
		return brski_fail_openssl(err, BRSKI_NO_MEMORY, "cannot gather trust anchors");
	code = verify_path(store, (STACK_OF(X509) *)(uintptr_t)certs, anchors, path, err);
	X509_STORE_free(store);
	return code;
}

/*
 * RFC 8995 5.6.2: a pin of a registrar's own certificate is one of its key, for which it may have got
 * another certificate since. Of registrars alone: whoever has the key can say of himself what he
 * likes, and what a registrar says of itself beside its role is of no interest.
 */
static bool is_pinned_key(const X509 *leaf, const STACK_OF(X509) *anchors)
{
	for (int i = 0; leaf && i < sk_X509_num(anchors); i++) {
		const X509 *anchor = sk_X509_value(anchors, i);

		if (!brski_cert_is_ca(anchor) && brski_cert_has_key(leaf, X509_get0_pubkey(anchor)))
			return true;
	}
	return false;
}

/* For its dates and its key, the leaf is then an anchor itself. */
static enum brski_code follow_pinned(X509 *leaf, const STACK_OF(X509_CRL) *crls, time_t at,
	struct brski_path *path, struct brski_error *err)
{
	STACK_OF(X509) *alone = sk_X509_new_null();
	enum brski_code code;

	if (alone && sk_X509_push(alone, leaf) > 0)
		code = brski_chain_follow(alone, alone, crls, at, path, err);
	else
		code = brski_fail(err, BRSKI_NO_MEMORY, "no memory to verify a certificate");
	sk_X509_free(alone);
	return code;
}

enum brski_code brski_chain_verify(const STACK_OF(X509) *certs, const STACK_OF(X509) *anchors,
	const STACK_OF(X509_CRL) *crls, enum brski_use use, time_t at, struct brski_error *err)
{
	X509 *leaf = sk_X509_value(certs, 0);
	struct brski_path path;
	enum brski_code code;

	if (use == BRSKI_USE_REGISTRAR && is_pinned_key(leaf, anchors))
		code = follow_pinned(leaf, crls, at, &path, err);
	else
		code = brski_chain_follow(certs, anchors, crls, at, &path, err);

	if (code == BRSKI_UNSUPPORTED || code == BRSKI_REFUSED) {
		code = BRSKI_UNTRUSTED;
		if (err)
			err->code = code;
	}
	return code == BRSKI_OK ? check_use(leaf, use, err) : code;
}

bool brski_cert_same_anchor(const X509 *a, const X509 *b)
{
	return a && b && X509_NAME_cmp(X509_get_subject_name(a), X509_get_subject_name(b)) == 0 &&
	       brski_cert_has_key(b, X509_get0_pubkey(a));
}

bool brski_cert_can_be_anchor(const X509 *cert)
{
	return X509_check_ca((X509 *)(uintptr_t)cert) != 0;
}
