/* SPDX-License-Identifier: BSD-3-Clause */
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "eap_brski/cmp/cmp_internal.h"
#include "eap_brski/pki/cert.h"
#include "eap_brski/pki/limits.h"

/* Is the new certificate what was asked for? */

#define CHAIN_MAX 8

/*
 * RFC 9483 4.1.1: the subject is what was asked for, or still this device. A CA that has an order of
 * its own, or adds where the device belongs to, says "accepted" as often as grantedWithMods.
 */
static enum brski_code check_subject(const X509 *cert, const X509_NAME *subject, struct brski_error *err)
{
	const X509_NAME *got = X509_get_subject_name(cert);
	char name[160];

	if (brski_name_equal(got, subject) || brski_name_is_same_device(got, subject))
		return BRSKI_OK;
	brski_name_text(got, name, sizeof(name));
	return brski_fail(err, BRSKI_MISMATCH, "new certificate is for another subject: %s", name);
}

static enum brski_code check_key(const X509 *cert, const EVP_PKEY *key, struct brski_error *err)
{
	if (brski_cert_has_key(cert, key))
		return BRSKI_OK;
	return brski_fail(err, BRSKI_MISMATCH, "new certificate is for another key than ours");
}

static enum brski_code check_no_ca(const X509 *cert, struct brski_error *err)
{
	if (!brski_cert_is_ca(cert))
		return BRSKI_OK;
	return brski_fail(err, BRSKI_UNEXPECTED, "new certificate is a CA's");
}

/* It would make every device of the domain a registrar to its neighbours. */
static enum brski_code check_no_power(const X509 *cert, struct brski_error *err)
{
	EXTENDED_KEY_USAGE *usages = X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);
	bool found = brski_cmp_usage_has_power(usages);

	EXTENDED_KEY_USAGE_free(usages);
	ERR_clear_error();
	if (!found)
		return BRSKI_OK;
	return brski_fail(
		err, BRSKI_UNEXPECTED, "new certificate has extended key usages of a registrar or CA");
}

/* RFC 9483 3.5, RFC 5216 5.3: with less, its messages and its logins would be refused. */
static enum brski_code check_key_usage(const X509 *cert, struct brski_error *err)
{
	if (X509_get_key_usage((X509 *)(uintptr_t)cert) & KU_DIGITAL_SIGNATURE)
		return BRSKI_OK;
	return brski_fail(
		err, BRSKI_UNEXPECTED, "key usage of the new certificate does not allow signatures");
}

static bool may_log_in(const EXTENDED_KEY_USAGE *usages)
{
	for (int i = 0; i < sk_ASN1_OBJECT_num(usages); i++) {
		int nid = OBJ_obj2nid(sk_ASN1_OBJECT_value(usages, i));

		if (nid == NID_client_auth || nid == NID_anyExtendedKeyUsage)
			return true;
	}
	return false;
}

/*
 * RFC 5216 5.3, RFC 5280 4.2.1.12: a device that is onboarded logs in with it by EAP-TLS, and an
 * extended key usage restricts.
 */
static enum brski_code check_login(const X509 *cert, struct brski_error *err)
{
	int crit = 0;
	EXTENDED_KEY_USAGE *usages = X509_get_ext_d2i(cert, NID_ext_key_usage, &crit, NULL);
	bool absent = !usages && crit == -1;
	bool good = absent || may_log_in(usages);

	EXTENDED_KEY_USAGE_free(usages);
	ERR_clear_error();
	if (good)
		return BRSKI_OK;
	return brski_fail(err, BRSKI_UNEXPECTED,
		"nobody can log in with the new certificate: its extended key usage has neither clientAuth "
		"nor anyExtendedKeyUsage (RFC 5216 5.3)");
}

static enum brski_code check_leaf(const struct brski_cmp_response *r, const EVP_PKEY *key,
	const X509_NAME *subject, struct brski_error *err)
{
	enum brski_code code;

	if (!r->cert)
		return brski_fail(err, BRSKI_UNEXPECTED, "the answer brings no certificate");
	code = check_key(r->cert, key, err);
	if (code == BRSKI_OK)
		code = check_no_ca(r->cert, err);
	if (code == BRSKI_OK)
		code = check_no_power(r->cert, err);
	if (code == BRSKI_OK)
		code = check_key_usage(r->cert, err);
	if (code == BRSKI_OK)
		code = check_login(r->cert, err);
	return code == BRSKI_OK ? check_subject(r->cert, subject, err) : code;
}

static bool push(STACK_OF(X509) *to, X509 *cert)
{
	return X509_add_cert(to, cert, X509_ADD_FLAG_UP_REF | X509_ADD_FLAG_NO_DUP) == 1;
}

/* All that may help to find a path; none of it is trusted. */
static STACK_OF(X509) *candidates(const struct brski_cmp_response *r)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	bool ok = certs && push(certs, r->cert);

	for (int i = 0; ok && i < sk_X509_num(r->extra_certs); i++)
		ok = push(certs, sk_X509_value(r->extra_certs, i));
	if (ok)
		return certs;
	sk_X509_pop_free(certs, X509_free);
	return NULL;
}

static bool is_root(X509 *cert)
{
	return (X509_get_extension_flags(cert) & EXFLAG_SS) != 0;
}

/* Leaf and intermediates in order, without a self-signed root. */
static enum brski_code order(
	X509 *leaf, const STACK_OF(X509) *certs, STACK_OF(X509) *chain, struct brski_error *err)
{
	unsigned tries = BRSKI_SIGNATURE_TRIES_MAX;
	enum brski_code code = BRSKI_OK;
	X509 *at = leaf;

	for (int depth = 0; code == BRSKI_OK && depth < CHAIN_MAX; depth++) {
		if (depth > 0 && is_root(at))
			break;
		if (!push(chain, at))
			return brski_fail_openssl(err, BRSKI_NO_MEMORY, "no memory");
		code = brski_cert_issuer(certs, at, &tries, &at, err);
	}
	return code == BRSKI_NOT_FOUND ? BRSKI_OK : code;
}

enum brski_code brski_cmp_cert_path(
	X509 *leaf, const STACK_OF(X509) *certs, STACK_OF(X509) **out, struct brski_error *err)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	enum brski_code code;

	*out = NULL;
	if (!chain)
		return brski_fail_openssl(err, BRSKI_NO_MEMORY, "no memory");
	code = order(leaf, certs, chain, err);
	if (code == BRSKI_OK)
		*out = chain;
	else
		sk_X509_pop_free(chain, X509_free);
	return code;
}

enum brski_code brski_cmp_cert_check(const struct brski_cmp_response *r, const EVP_PKEY *key,
	const X509_NAME *subject, const STACK_OF(X509) *anchors, time_t now, STACK_OF(X509) **chain,
	struct brski_error *err)
{
	STACK_OF(X509) *certs;
	enum brski_code code;

	*chain = NULL;
	code = check_leaf(r, key, subject, err);
	if (code != BRSKI_OK)
		return code;
	certs = candidates(r);
	if (!certs)
		return brski_fail_openssl(err, BRSKI_NO_MEMORY, "no memory");
	code = brski_chain_verify(certs, anchors, NULL, BRSKI_USE_ANY, now, err);
	if (code != BRSKI_OK)
		(void)brski_fail_context(err, code, "new certificate");
	else
		code = brski_cmp_cert_path(r->cert, certs, chain, err);
	sk_X509_pop_free(certs, X509_free);
	return code;
}
