/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/masa/masa_request_internal.h"

#include <string.h>

#include <openssl/x509v3.h>

#include "eap_brski/artifacts/voucher_cms.h"
#include "eap_brski/pki/idevid_issuer.h"
#include "eap_brski/pki/limits.h"

void masa_request_free(struct masa_request *request)
{
	brski_voucher_free(&request->voucher);
	sk_X509_free(request->chain);
	sk_X509_pop_free(request->certs, X509_free);
	brski_buf_free(&request->domain_id);
	masa_device_free(&request->device);
	memset(request, 0, sizeof(*request));
}

static bool names_equal(const X509_NAME *a, const X509_NAME *b)
{
	return X509_NAME_cmp(a, b) == 0;
}

/*
 * A root's own signature decides nothing in path validation; here it tells that the certificate is
 * as its domain made it.
 */
static bool is_whole(X509 *cert)
{
	EVP_PKEY *key = X509_get0_pubkey(cert);

	if (!names_equal(X509_get_subject_name(cert), X509_get_issuer_name(cert)))
		return true;
	return key && X509_verify(cert, key) == 1;
}

/* Goes up from the signer as far as `left` leads, and takes what it comes by out of it. */
static enum brski_code climb(STACK_OF(X509) *left, STACK_OF(X509) *chain, struct brski_error *err)
{
	unsigned tries = BRSKI_SIGNATURE_TRIES_MAX;
	X509 *cert = sk_X509_shift(left);
	enum brski_code code = BRSKI_OK;

	while (code == BRSKI_OK) {
		if (sk_X509_push(chain, cert) <= 0)
			return brski_fail(err, BRSKI_NO_MEMORY, "out of memory");
		if (names_equal(X509_get_subject_name(cert), X509_get_issuer_name(cert)))
			break;
		code = brski_cert_issuer(left, cert, &tries, &cert, err);
		if (code == BRSKI_OK)
			sk_X509_delete_ptr(left, cert);
	}
	return code == BRSKI_NOT_FOUND ? BRSKI_OK : code;
}

/*
 * RFC 8995 5.5.2: the registrar's chain, whose last certificate is the farthest from its own. What
 * else is in the message belongs to it no more than if it were not there.
 */
static enum brski_code find_chain(struct masa_request *r, struct brski_error *err)
{
	STACK_OF(X509) *left = sk_X509_dup(r->certs);
	enum brski_code code = BRSKI_NO_MEMORY;

	r->chain = sk_X509_new_null();
	if (left && r->chain)
		code = climb(left, r->chain, err);
	else
		(void)brski_fail(err, code, "out of memory");
	sk_X509_free(left);
	if (code != BRSKI_OK)
		return brski_fail_context(err, code, "the registrar's request");
	r->pinned = sk_X509_value(r->chain, sk_X509_num(r->chain) - 1);
	return BRSKI_OK;
}

static STACK_OF(X509) *stack_of(X509 *cert)
{
	STACK_OF(X509) *stack = sk_X509_new_null();

	if (stack && sk_X509_push(stack, cert) > 0)
		return stack;
	sk_X509_free(stack);
	return NULL;
}

static enum brski_code verify_to(
	const STACK_OF(X509) *certs, X509 *anchor, enum brski_use use, time_t now, struct brski_error *err)
{
	STACK_OF(X509) *anchors = stack_of(anchor);
	enum brski_code code;

	if (!anchors)
		return brski_fail(err, BRSKI_NO_MEMORY, "out of memory");
	code = brski_chain_verify(certs, anchors, NULL, use, now, err);
	sk_X509_free(anchors);
	return code;
}

/*
 * RFC 8995 5.5.2, 5.5.3 and 5.5.4: the domain's certificate, the chain below it, and id-kp-cmcRA in
 * the signer.
 */
static enum brski_code check_registrar(
	const struct masa *masa, struct masa_request *r, struct brski_error *err)
{
	enum brski_code code = find_chain(r, err);

	if (code != BRSKI_OK)
		return code;
	if (!is_whole(r->pinned))
		return brski_fail(
			err, BRSKI_BAD_SIGNATURE, "the domain's certificate has a signature that is wrong");
	code = verify_to(r->chain, r->pinned, BRSKI_USE_REGISTRAR, brski_now(masa->env), err);
	if (code != BRSKI_OK)
		return brski_fail_context(err, code, "the registrar that signed the request");
	brski_cert_fingerprint(r->pinned, r->pinned_fingerprint);
	return brski_domain_id(r->pinned, &r->domain_id, err);
}

/*
 * A device that was sold to a known owner goes to a registrar of that owner and to nobody else; one
 * that is blocked to none at all.
 */
static enum brski_code check_device(const struct masa *masa, struct masa_request *r, struct brski_error *err)
{
	struct masa_owner owner = {0};
	enum brski_code code;

	if (r->device.blocked)
		return brski_fail(err, BRSKI_REFUSED, "device %s is blocked by its manufacturer",
			r->voucher.serial_number);
	if (r->device.owner[0] == '\0')
		return BRSKI_OK;
	code = masa_owner_get(masa->store, r->device.owner, &owner, err);
	if (code != BRSKI_OK)
		return code;
	code = verify_to(r->certs, owner.domain_cert, BRSKI_USE_REGISTRAR, brski_now(masa->env), err);
	masa_owner_free(&owner);
	if (code != BRSKI_OK)
		return brski_fail_context(
			err, code, "device %s belongs to another owner", r->voucher.serial_number);
	r->owner = true;
	return BRSKI_OK;
}

static bool is_key_of_chain(const STACK_OF(X509) *chain, const X509 *seen)
{
	for (int i = 0; i < sk_X509_num(chain); i++) {
		if (brski_cert_has_key(seen, X509_get0_pubkey(sk_X509_value(chain, i))))
			return true;
	}
	return false;
}

/*
 * RFC 8995 5.5.5: the public key that the pledge saw in its tunnel exists in the chain of the
 * registrar that signed this request.
 */
static enum brski_code check_proximity_cert(
	const struct masa_request *r, const struct brski_voucher *prior, struct brski_error *err)
{
	X509 *seen = NULL;
	enum brski_code code;

	if (prior->assertion != BRSKI_ASSERTION_PROXIMITY || prior->proximity_registrar_cert.len == 0)
		return brski_fail(err, BRSKI_MISMATCH, "the pledge's request does not claim proximity");
	code = brski_cert_from_der(brski_buf_span(&prior->proximity_registrar_cert), &seen, err);
	if (code != BRSKI_OK)
		return brski_fail_context(err, code, "proximity-registrar-cert");
	if (!is_key_of_chain(r->chain, seen))
		code = brski_fail(err, BRSKI_MISMATCH,
			"the pledge was in contact with another registrar (proximity-registrar-cert)");
	X509_free(seen);
	return code;
}

/*
 * Where the IDevID tells its issuer, the request's must be that one; the voucher gets it as the IDevID
 * has it, since that is what the pledge compares it with.
 */
static enum brski_code check_prior_issuer(
	struct brski_voucher *v, const X509 *idevid, struct brski_error *err)
{
	struct brski_buf issuer = {0};
	enum brski_code code = BRSKI_NOT_FOUND;

	if (v->idevid_issuer.len > 0)
		code = brski_cert_authority_key_id(idevid, &issuer, err);
	if (code == BRSKI_OK &&
		!brski_idevid_issuer_equal(brski_buf_span(&issuer), brski_buf_span(&v->idevid_issuer)))
		code = brski_fail(
			err, BRSKI_MISMATCH, "idevid-issuer is not that of the pledge's certificate");
	else if (code == BRSKI_OK)
		brski_buf_move(&v->idevid_issuer, &issuer);
	brski_buf_free(&issuer);
	return code == BRSKI_NOT_FOUND ? BRSKI_OK : code;
}

/* RFC 8995 5.5.5 and 5.5.6: serial number of the IDevID, and the nonce. */
static enum brski_code check_prior_leaves(struct masa_request *r, const struct brski_voucher *prior,
	const X509 *idevid, struct brski_error *err)
{
	struct brski_voucher *v = &r->voucher;
	char serial[BRSKI_SERIAL_MAX];
	enum brski_code code = brski_cert_serial_number(idevid, serial, err);

	if (code != BRSKI_OK)
		return code;
	if (strcmp(serial, v->serial_number) != 0 || strcmp(prior->serial_number, serial) != 0)
		return brski_fail(err, BRSKI_MISMATCH, "the pledge's request is of device %s", serial);
	if (!brski_span_equal(brski_buf_span(&prior->nonce), brski_buf_span(&v->nonce)))
		return brski_fail(err, BRSKI_MISMATCH, "the nonce is not the pledge's");
	/* RFC 8995 5.6: the nonce from the pledge; its registrar may have written it anew */
	memcpy(v->nonce_text, prior->nonce_text, sizeof(v->nonce_text));
	return check_prior_issuer(v, idevid, err);
}

static enum brski_code check_prior(const struct masa *masa, struct masa_request *r, struct brski_error *err)
{
	struct brski_voucher prior = {0};
	STACK_OF(X509) *certs = NULL;
	enum brski_code code;

	code = brski_voucher_open(brski_buf_span(&r->voucher.prior_signed_voucher_request), NULL,
		BRSKI_VOUCHER_REQUEST, &prior, &certs, err);
	if (code == BRSKI_OK)
		code = brski_chain_verify(
			certs, masa->idevid_anchors, NULL, BRSKI_USE_ANY, brski_now(masa->env), err);
	if (code == BRSKI_OK)
		code = check_prior_leaves(r, &prior, sk_X509_value(certs, 0), err);
	if (code == BRSKI_OK)
		code = check_proximity_cert(r, &prior, err);
	sk_X509_pop_free(certs, X509_free);
	brski_voucher_free(&prior);
	if (code != BRSKI_OK)
		return brski_fail_context(err, code, "prior-signed-voucher-request");
	r->proximity = true;
	return BRSKI_OK;
}

/* RFC 8995 5.5.4: without a nonce, only for a registrar that is known. */
static enum brski_code check_claims(const struct masa *masa, struct masa_request *r, struct brski_error *err)
{
	const struct brski_voucher *v = &r->voucher;
	enum brski_code code = BRSKI_OK;

	if (v->nonce.len == 0 && !r->owner)
		return brski_fail(
			err, BRSKI_REFUSED, "a voucher without nonce is for the registered owner only");
	if (v->prior_signed_voucher_request.len > 0 && masa->idevid_anchors)
		code = check_prior(masa, r, err);
	if (code == BRSKI_OK && masa->require_proximity && !r->proximity && v->nonce.len > 0)
		return brski_fail(
			err, BRSKI_REFUSED, "proximity is not proved: no prior-signed-voucher-request");
	return code;
}

/*
 * A device that has shown where it is goes to no one else who only knows its number: he would have a
 * voucher, and a line in the log that other networks refuse the device for.
 */
static enum brski_code check_elsewhere(
	const struct masa *masa, const struct masa_request *r, struct brski_error *err)
{
	bool elsewhere = false;
	enum brski_code code;

	if (r->proximity || r->owner)
		return BRSKI_OK;
	code = masa_proved_elsewhere(masa->store, r->device.id, r->pinned_fingerprint, &elsewhere, err);
	if (code == BRSKI_OK && elsewhere)
		return brski_fail(err, BRSKI_REFUSED,
			"device %s has proved that it is in another domain: its own signed request is needed "
			"(prior-signed-voucher-request), or the manufacturer's word on its owner",
			r->voucher.serial_number);
	return code;
}

enum brski_code masa_request_read(
	const struct masa *masa, struct brski_span cms, struct masa_request *out, struct brski_error *err)
{
	struct brski_voucher *v = &out->voucher;
	enum brski_code code = brski_voucher_open(cms, NULL, BRSKI_VOUCHER_REQUEST, v, &out->certs, err);

	if (code != BRSKI_OK)
		return code;
	if (v->proximity_registrar_cert.len > 0) /* RFC 8995 5.5: MUST NOT be present */
		return brski_fail(err, BRSKI_MALFORMED,
			"proximity-registrar-cert has no place in a registrar's request");
	code = check_registrar(masa, out, err);
	if (code == BRSKI_OK)
		code = masa_device_get(
			masa->store, v->serial_number, brski_buf_span(&v->idevid_issuer), &out->device, err);
	return code;
}

enum brski_code masa_request_authorize(
	const struct masa *masa, struct masa_request *request, struct brski_error *err)
{
	enum brski_code code = check_device(masa, request, err);

	if (code == BRSKI_OK)
		code = check_claims(masa, request, err);
	return code == BRSKI_OK ? check_elsewhere(masa, request, err) : code;
}
