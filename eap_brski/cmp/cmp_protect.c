/* SPDX-License-Identifier: BSD-3-Clause */
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "eap_brski/cmp/cmp_internal.h"
#include "eap_brski/ground/text.h"
#include "eap_brski/pki/cert.h"
#include "eap_brski/pki/limits.h"

/* ---- algorithms: MSG_SIG_ALG of RFC 9481 3, as far as OpenSSL 3.0 can do them in CMP ---- */

/* RSASSA-PSS names its hash in parameters, and SHA-1 when it names none. */
static bool pss_hash_is_sha2(const X509_ALGOR *alg)
{
	RSA_PSS_PARAMS *params = NULL;
	bool ok = false;

	if (alg->parameter)
		params = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(RSA_PSS_PARAMS), alg->parameter);
	if (params && params->hashAlgorithm) {
		int nid = OBJ_obj2nid(params->hashAlgorithm->algorithm);

		ok = nid == NID_sha256 || nid == NID_sha384 || nid == NID_sha512;
	}
	RSA_PSS_PARAMS_free(params);
	return ok;
}

static bool is_mac(int nid)
{
	return nid == NID_id_PasswordBasedMAC || nid == NID_id_DHBasedMac || nid == NID_pbmac1 ||
	       nid == NID_hmac_sha1 || nid == NID_hmacWithSHA1 || nid == NID_hmacWithSHA256 ||
	       nid == NID_hmacWithSHA384 || nid == NID_hmacWithSHA512;
}

enum brski_code brski_cmp_algorithm_check(const X509_ALGOR *alg, struct brski_error *err)
{
	char oid[BRSKI_CMP_OID_MAX] = "?";

	if (is_mac(OBJ_obj2nid(alg->algorithm)))
		return brski_fail(err, BRSKI_UNSUPPORTED,
			"CMP protection by a shared secret (MAC) is not supported, only by signature");
	switch (OBJ_obj2nid(alg->algorithm)) {
	case NID_ecdsa_with_SHA256:
	case NID_ecdsa_with_SHA384:
	case NID_ecdsa_with_SHA512:
	case NID_sha256WithRSAEncryption:
	case NID_sha384WithRSAEncryption:
	case NID_sha512WithRSAEncryption:
		return BRSKI_OK;
	case NID_rsassaPss:
		if (pss_hash_is_sha2(alg))
			return BRSKI_OK;
		return brski_fail(err, BRSKI_UNSUPPORTED, "RSASSA-PSS with another hash than SHA-2");
	default:
		OBJ_obj2txt(oid, sizeof(oid), alg->algorithm, 0);
		return brski_fail(err, BRSKI_UNSUPPORTED, "signature algorithm %s is not supported", oid);
	}
}

/* RFC 5480 4, Table: the hash matches the curve's strength. */
static int ecdsa_nid(const EVP_PKEY *key)
{
	int bits = EVP_PKEY_get_bits(key);

	if (bits <= 256)
		return NID_ecdsa_with_SHA256;
	return bits <= 384 ? NID_ecdsa_with_SHA384 : NID_ecdsa_with_SHA512;
}

enum brski_code brski_cmp_algorithm_for(
	const EVP_PKEY *key, X509_ALGOR **out, const EVP_MD **md, struct brski_error *err)
{
	bool rsa = EVP_PKEY_is_a(key, "RSA") == 1;
	int nid, md_nid;

	*out = NULL;
	if (!rsa && EVP_PKEY_is_a(key, "EC") != 1)
		return brski_fail(err, BRSKI_UNSUPPORTED,
			"CMP needs an EC or RSA key to sign with, this is %s",
			EVP_PKEY_get0_type_name(key) ? EVP_PKEY_get0_type_name(key) : "another");
	nid = rsa ? NID_sha256WithRSAEncryption : ecdsa_nid(key);
	*out = X509_ALGOR_new();
	if (!*out || OBJ_find_sigid_algs(nid, &md_nid, NULL) != 1 || !(*md = EVP_get_digestbynid(md_nid)) ||
		X509_ALGOR_set0(*out, OBJ_nid2obj(nid), rsa ? V_ASN1_NULL : V_ASN1_UNDEF, NULL) != 1) {
		X509_ALGOR_free(*out);
		*out = NULL;
		return brski_fail_openssl(err, BRSKI_INTERNAL, "cannot name the signature algorithm");
	}
	return BRSKI_OK;
}

enum brski_code brski_cmp_signature_check(const X509_ALGOR *alg, const ASN1_BIT_STRING *signature,
	const void *value, const ASN1_ITEM *item, EVP_PKEY *key, const char *what, struct brski_error *err)
{
	enum brski_code code = brski_cmp_algorithm_check(alg, err);

	if (code != BRSKI_OK)
		return code;
	/* this compares the algorithm with the key's type as well */
	if (ASN1_item_verify(item, alg, signature, value, key) == 1)
		return BRSKI_OK;
	return brski_fail_openssl(err, BRSKI_BAD_SIGNATURE, "%s does not verify", what);
}

/* ---- signing ---- */

static enum brski_code sign_octets(struct brski_span data, const EVP_MD *md, EVP_PKEY *key,
	struct brski_buf *out, struct brski_error *err)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char *sig = NULL;
	size_t len = 0;
	bool ok = ctx && EVP_DigestSignInit(ctx, NULL, md, NULL, key) == 1 &&
		  EVP_DigestSign(ctx, NULL, &len, data.data, data.len) == 1 && (sig = OPENSSL_malloc(len)) &&
		  EVP_DigestSign(ctx, sig, &len, data.data, data.len) == 1;

	if (ok)
		brski_put(out, brski_span(sig, len));
	OPENSSL_free(sig);
	EVP_MD_CTX_free(ctx);
	return ok ? brski_buf_status(out, err) : brski_fail_openssl(err, BRSKI_INTERNAL, "cannot sign");
}

enum brski_code brski_cmp_sign(struct brski_span header, struct brski_span body, EVP_PKEY *key,
	struct brski_buf *signature, struct brski_error *err)
{
	struct brski_buf parts = {0}, protected_part = {0};
	const EVP_MD *md = NULL;
	X509_ALGOR *alg;
	enum brski_code code = brski_cmp_algorithm_for(key, &alg, &md, err);

	if (code != BRSKI_OK)
		return code;
	X509_ALGOR_free(alg);
	brski_put(&parts, header);
	brski_put(&parts, body);
	brski_asn1_wrap(&protected_part, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, brski_buf_span(&parts));
	code = brski_buf_status(&protected_part, err);
	if (code == BRSKI_OK)
		code = brski_buf_status(&parts, err);
	if (code == BRSKI_OK)
		code = sign_octets(brski_buf_span(&protected_part), md, key, signature, err);
	brski_buf_free(&parts);
	brski_buf_free(&protected_part);
	return code;
}

/* ---- verifying ---- */

/*
 * RFC 9483 3.5: sender is the signer's subject; senderKID, if present, its SubjectKeyIdentifier. They
 * say which certificate to try; who has signed is that certificate, and no name.
 */
static bool has_senders_name(const struct brski_cmp_header *header, const X509 *cert)
{
	return header->sender && X509_NAME_cmp(header->sender, X509_get_subject_name(cert)) == 0;
}

static bool has_senders_key_id(const struct brski_cmp_header *header, const X509 *cert)
{
	const ASN1_OCTET_STRING *skid = X509_get0_subject_key_id((X509 *)(uintptr_t)cert);

	return header->sender_kid.len == 0 ||
	       (skid && brski_span_equal(brski_asn1_octets(skid), brski_buf_span(&header->sender_kid)));
}

struct claim {
	X509_ALGOR *alg;
	ASN1_BIT_STRING *signature;
	BRSKI_PROTECTEDPART *part;
};

static void claim_free(struct claim *claim)
{
	X509_ALGOR_free(claim->alg);
	ASN1_BIT_STRING_free(claim->signature);
	BRSKI_PROTECTEDPART_free(claim->part);
}

static enum brski_code claim_new(const struct brski_cmp *msg, struct claim *out, struct brski_error *err)
{
	*out = (struct claim){0};
	out->alg = brski_asn1_read(brski_buf_span(&msg->header.protection_alg), ASN1_ITEM_rptr(X509_ALGOR),
		"protectionAlg", err);
	if (!out->alg)
		return BRSKI_MALFORMED;
	out->signature = ASN1_BIT_STRING_new();
	out->part = BRSKI_PROTECTEDPART_new();
	if (!out->signature || !out->part)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	ASN1_TYPE_free(out->part->header);
	ASN1_TYPE_free(out->part->body);
	out->part->header = brski_asn1_any(msg->header_der);
	out->part->body = brski_asn1_any(msg->body_der);
	if (!out->part->header || !out->part->body ||
		ASN1_BIT_STRING_set(out->signature, msg->protection.data, (int)msg->protection.len) != 1)
		return brski_fail_openssl(err, BRSKI_NO_MEMORY, "no memory");
	return brski_cmp_algorithm_check(out->alg, err);
}

/* RFC 9483 3.5: if the keyUsage extension is present, the digitalSignature bit MUST be set. */
static enum brski_code check_key_usage(X509 *cert, struct brski_error *err)
{
	if (X509_get_key_usage(cert) & KU_DIGITAL_SIGNATURE)
		return BRSKI_OK;
	return brski_fail(err, BRSKI_UNTRUSTED, "key usage of the CMP signer does not allow signatures");
}

static enum brski_code check_signer(const struct claim *claim, X509 *cert, struct brski_error *err)
{
	EVP_PKEY *key = X509_get0_pubkey(cert);
	enum brski_code code;

	if (!key)
		return brski_fail_openssl(err, BRSKI_UNSUPPORTED, "the key of the CMP signer cannot be read");
	code = brski_key_check(key, err);
	if (code != BRSKI_OK)
		return brski_fail_context(err, code, "CMP signer");
	code = brski_cmp_signature_check(claim->alg, claim->signature, claim->part,
		ASN1_ITEM_rptr(BRSKI_PROTECTEDPART), key, "CMP protection", err);
	return code == BRSKI_OK ? check_key_usage(cert, err) : code;
}

static bool chain_add(STACK_OF(X509) *chain, X509 *cert)
{
	return X509_add_cert(chain, cert, X509_ADD_FLAG_UP_REF | X509_ADD_FLAG_NO_DUP) == 1;
}

static bool chain_add_all(STACK_OF(X509) *chain, const STACK_OF(X509) *certs)
{
	for (int i = 0; i < sk_X509_num(certs); i++) {
		if (!chain_add(chain, sk_X509_value(certs, i)))
			return false;
	}
	return true;
}

static enum brski_code make_chain(X509 *signer, const struct brski_cmp *msg, const STACK_OF(X509) *known,
	STACK_OF(X509) **chain, struct brski_error *err)
{
	*chain = sk_X509_new_null();
	if (*chain && chain_add(*chain, signer) && chain_add_all(*chain, msg->extra_certs) &&
		chain_add_all(*chain, known))
		return BRSKI_OK;
	sk_X509_pop_free(*chain, X509_free);
	*chain = NULL;
	return brski_fail_openssl(err, BRSKI_NO_MEMORY, "no memory");
}

/* The search for the signer, and what it saw while there was none. */
struct search {
	const struct brski_cmp *msg;
	const struct claim *claim;
	const STACK_OF(X509) *known;
	brski_cmp_judge *judge;
	void *ctx;
	unsigned tries; /* signatures that may still be looked at */
	bool named;     /* a certificate has the sender's name */
	STACK_OF(X509) *chain;
	struct brski_error judged; /* what the judge has said of the first that has signed */
};

static enum brski_code judge_signer(struct search *search, X509 *signer, struct brski_error *err)
{
	STACK_OF(X509) *chain = NULL;
	enum brski_code code = make_chain(signer, search->msg, search->known, &chain, err);

	if (code == BRSKI_OK && search->judge)
		code = search->judge(search->ctx, chain, err);
	if (code == BRSKI_OK) {
		search->chain = chain;
		return code;
	}
	sk_X509_pop_free(chain, X509_free);
	if (search->judged.code == BRSKI_OK && err)
		search->judged = *err;
	return code;
}

/* so_far BRSKI_NOT_FOUND: no certificate yet that may be the signer's; else why one that may is not. */
static enum brski_code find_signer(
	struct search *search, const STACK_OF(X509) *certs, enum brski_code so_far, struct brski_error *err)
{
	for (int i = 0; !search->chain && i < sk_X509_num(certs); i++) {
		X509 *cert = sk_X509_value(certs, i);

		if (!has_senders_name(&search->msg->header, cert))
			continue;
		search->named = true;
		if (!has_senders_key_id(&search->msg->header, cert))
			continue;
		so_far = brski_signature_try(&search->tries, err);
		if (so_far != BRSKI_OK)
			break;
		so_far = check_signer(search->claim, cert, err);
		if (so_far == BRSKI_OK)
			so_far = judge_signer(search, cert, err);
		if (so_far == BRSKI_NO_MEMORY)
			break;
	}
	return so_far;
}

static enum brski_code no_signer(const struct search *search, struct brski_error *err)
{
	const struct brski_cmp_header *header = &search->msg->header;
	char id[2 * BRSKI_CMP_OCTETS_MAX + 1], name[160];

	if (!header->sender)
		return brski_fail(err, BRSKI_UNTRUSTED,
			"sender of the CMP message is no distinguished name (RFC 9483 3.1)");
	brski_name_text(header->sender, name, sizeof(name));
	if (!search->named)
		return brski_fail(err, BRSKI_UNTRUSTED,
			"CMP message comes without the certificate of its sender %s", name);
	brski_hex(brski_buf_span(&header->sender_kid), id, sizeof(id));
	return brski_fail(err, BRSKI_UNTRUSTED,
		"senderKID %s of the CMP message is the SubjectKeyIdentifier of no certificate of its sender "
		"%s (RFC 9483 3.1)",
		id, name);
}

static enum brski_code search_signer(struct search *search, struct brski_error *err)
{
	struct brski_error why = {0};
	enum brski_code code = find_signer(search, search->msg->extra_certs, BRSKI_NOT_FOUND, &why);

	if (code != BRSKI_TOO_LARGE && code != BRSKI_NO_MEMORY)
		code = find_signer(search, search->known, code, &why);
	if (code == BRSKI_NOT_FOUND)
		return no_signer(search, err);
	if (code != BRSKI_OK && code != BRSKI_NO_MEMORY && search->judged.code != BRSKI_OK)
		why = search->judged;
	return code == BRSKI_OK ? code : brski_fail(err, why.code, "%s", why.why);
}

/* RFC 9483 3.5: messages without protection MUST be rejected. */
static enum brski_code check_is_protected(const struct brski_cmp *msg, struct brski_error *err)
{
	if (msg->is_protected)
		return BRSKI_OK;
	return brski_fail(err, BRSKI_BAD_SIGNATURE, "CMP message without protection");
}

/* RFC 9483 3.5 names wrongIntegrity for a MAC in place of a signature. */
static bool claims_mac(const struct brski_cmp *msg)
{
	struct brski_span alg = brski_buf_span(&msg->header.protection_alg);
	X509_ALGOR *read = brski_asn1_read(alg, ASN1_ITEM_rptr(X509_ALGOR), "algorithm", NULL);
	bool mac = read && is_mac(OBJ_obj2nid(read->algorithm));

	X509_ALGOR_free(read);
	ERR_clear_error();
	return mac;
}

enum brski_cmp_fail brski_cmp_protection_fail(const struct brski_cmp *msg, enum brski_code code)
{
	switch (code) {
	case BRSKI_UNSUPPORTED:
		return claims_mac(msg) ? BRSKI_CMP_WRONG_INTEGRITY : BRSKI_CMP_BAD_ALG;
	case BRSKI_BAD_SIGNATURE:
	case BRSKI_UNTRUSTED: /* senderKID or sender fit no certificate that came with it */
		return BRSKI_CMP_BAD_MESSAGE_CHECK;
	default:
		return brski_code_cmp_fail(code);
	}
}

enum brski_code brski_cmp_verify_judged(const struct brski_cmp *msg, const STACK_OF(X509) *known,
	brski_cmp_judge *judge, void *ctx, STACK_OF(X509) **chain, struct brski_error *err)
{
	struct claim claim;
	struct search search = {.msg = msg,
		.claim = &claim,
		.known = known,
		.judge = judge,
		.ctx = ctx,
		.tries = BRSKI_SIGNATURE_TRIES_MAX};
	enum brski_code code = check_is_protected(msg, err);

	*chain = NULL;
	if (code != BRSKI_OK)
		return code;
	code = claim_new(msg, &claim, err);
	if (code == BRSKI_OK)
		code = search_signer(&search, err);
	claim_free(&claim);
	*chain = search.chain;
	return code;
}

enum brski_code brski_cmp_verify(const struct brski_cmp *msg, const STACK_OF(X509) *known,
	STACK_OF(X509) **chain, struct brski_error *err)
{
	return brski_cmp_verify_judged(msg, known, NULL, NULL, chain, err);
}
