/* SPDX-License-Identifier: BSD-3-Clause */
#include <openssl/err.h>

#include "eap_brski/cmp/cmp_internal.h"

/*
 * The hash of the certificate's signature algorithm. Where that names none (EdDSA), hashAlg says
 * it: SHA-512, which RFC 9481 3.3 gives to Ed25519 anyway, so that a peer that does not read
 * hashAlg comes to the same value.
 */
static int hash_of_signature(const X509 *cert, bool *explicit_alg)
{
	int md = NID_undef, pkey = NID_undef;

	*explicit_alg = false;
	if (X509_get_signature_info((X509 *)(uintptr_t)cert, &md, &pkey, NULL, NULL) == 1 && md != NID_undef)
		return md;
	ERR_clear_error();
	*explicit_alg = true;
	return NID_sha512;
}

static enum brski_code digest(const X509 *cert, int nid, struct brski_buf *out, struct brski_error *err)
{
	unsigned char octets[EVP_MAX_MD_SIZE];
	const EVP_MD *md = EVP_get_digestbynid(nid);
	unsigned len = 0;

	if (!md || X509_digest(cert, md, octets, &len) != 1)
		return brski_fail_openssl(err, BRSKI_UNSUPPORTED, "cannot hash the certificate");
	if (brski_buf_set(out, brski_span(octets, len)) != BRSKI_OK)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	return BRSKI_OK;
}

enum brski_code brski_cmp_cert_hash(
	const X509 *cert, struct brski_buf *hash, int *nid, bool *explicit_alg, struct brski_error *err)
{
	*nid = hash_of_signature(cert, explicit_alg);
	return digest(cert, *nid, hash, err);
}

bool brski_cmp_cert_hash_matches(const struct brski_cmp_request *conf, const X509 *cert)
{
	struct brski_buf hash = {0};
	bool explicit_alg, same = false;
	int nid = conf->cert_hash_nid;

	if (nid == NID_undef)
		nid = hash_of_signature(cert, &explicit_alg);
	if (digest(cert, nid, &hash, NULL) == BRSKI_OK)
		same = brski_span_equal(brski_buf_span(&hash), brski_buf_span(&conf->cert_hash));
	brski_buf_free(&hash);
	return same;
}
