/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "eap_brski/cmp/cmp_internal.h"
#include "eap_brski/pki/limits.h"
#include "tests/unit/support/mutate.h"
#include "tests/unit/support/pki.h"

/*
 * Messages that others made: what they say, that they come out as they went in, and that no damaged
 * one passes.
 */

#define SEEN (BRSKI_PEER_CERTS_MAX + 1)

static struct brski_buf read_file(const char *name)
{
	struct brski_buf out = {0};
	char path[256];
	uint8_t octets[4096];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "tests/vectors/cmp/%s", name);
	f = fopen(path, "rb");
	ck_assert_msg(f != NULL, "cannot open %s", path);
	while ((n = fread(octets, 1, sizeof(octets), f)) > 0)
		brski_put(&out, brski_span(octets, n));
	fclose(f);
	ck_assert(!out.failed);
	return out;
}

static struct brski_cmp decode(struct brski_span der)
{
	struct brski_error err = {0};
	struct brski_cmp msg;

	ck_assert_msg(brski_cmp_decode(der, &msg, &err) == BRSKI_OK, "%s", err.why);
	return msg;
}

static struct brski_cmp decode_file(const char *name)
{
	struct brski_buf der = read_file(name);
	struct brski_cmp msg = decode(brski_buf_span(&der));

	brski_buf_free(&der);
	return msg;
}

static enum brski_code verify(const struct brski_cmp *msg, const STACK_OF(X509) *known)
{
	STACK_OF(X509) *chain;
	struct brski_error err = {0};
	enum brski_code code = brski_cmp_verify(msg, known, &chain, &err);

	ck_assert((code == BRSKI_OK) == (chain != NULL));
	sk_X509_pop_free(chain, X509_free);
	return code;
}

/* ---- the vectors ---- */

static const struct vector {
	const char *name;
	int type;
	const char *sender;
	const char *recipient;
	const char *profile;
	bool recip_nonce;
	bool implicit_confirm;
} vectors[] = {
	{"plain/downstream_CERT_REQ.PKI", BRSKI_CMP_CR, "EE-CMP-ENDENTITY", "CA-Mock",
		"theCertProfileForOnlineEnrollment", false, false},
	{"plain/upstream_CERT_REQ.PKI", BRSKI_CMP_CR, "Upstream-CMP-ENDENTITY", "CA-Mock",
		"theCertProfileForOnlineEnrollment", false, false},
	{"plain/downstream_CERT_REP.PKI", BRSKI_CMP_CP, "CMPCA-ENDENTITY", "Upstream-CMP-ENDENTITY",
		"theCertProfileForOnlineEnrollment", true, false},
	{"plain/upstream_CERT_REP.PKI", BRSKI_CMP_CP, "CMPCA-ENDENTITY", "Upstream-CMP-ENDENTITY",
		"theCertProfileForOnlineEnrollment", true, false},
	{"plain/downstream_CERT_CONFIRM.PKI", BRSKI_CMP_CERTCONF, "EE-CMP-ENDENTITY", "CA-Mock", "", true,
		false},
	{"plain/upstream_CERT_CONFIRM.PKI", BRSKI_CMP_CERTCONF, "Upstream-CMP-ENDENTITY", "CA-Mock", "", true,
		false},
	{"plain/downstream_CONFIRM.PKI", BRSKI_CMP_PKICONF, "CMPCA-ENDENTITY", "Upstream-CMP-ENDENTITY", "",
		true, false},
	{"plain/upstream_CONFIRM.PKI", BRSKI_CMP_PKICONF, "CMPCA-ENDENTITY", "Upstream-CMP-ENDENTITY", "",
		true, false},
	{"delayed/downstream_CERT_REQ.PKI", BRSKI_CMP_CR, "EE-CMP-ENDENTITY", "CA-Mock",
		"theCertProfileForDelayedEnrollment", false, false},
	{"delayed/upstream_CERT_REQ.PKI", BRSKI_CMP_CR, "Upstream-CMP-ENDENTITY", "CA-Mock",
		"theCertProfileForDelayedEnrollment", false, false},
	{"delayed/downstream_CERT_REP.PKI", BRSKI_CMP_CP, "CMPCA-ENDENTITY", "Upstream-CMP-ENDENTITY",
		"theCertProfileForDelayedEnrollment", true, false},
	{"delayed/upstream_CERT_REP.PKI", BRSKI_CMP_CP, "CMPCA-ENDENTITY", "Upstream-CMP-ENDENTITY",
		"theCertProfileForDelayedEnrollment", true, false},
	{"delayed/downstream_POLL_REQ.PKI", BRSKI_CMP_POLLREQ, "EE-CMP-ENDENTITY", "CA-Mock", "", true,
		false},
	{"delayed/downstream_POLL_REP.PKI", BRSKI_CMP_POLLREP, "Downstream-CMP-ENDENTITY", "EE-CMP-ENDENTITY",
		"", true, false},
	{"delayed/downstream_CERT_CONFIRM.PKI", BRSKI_CMP_CERTCONF, "EE-CMP-ENDENTITY", "CA-Mock", "", true,
		false},
	{"delayed/downstream_CONFIRM.PKI", BRSKI_CMP_PKICONF, "Downstream-CMP-ENDENTITY", "EE-CMP-ENDENTITY",
		"", true, false},
};
#define VECTORS (int)(sizeof(vectors) / sizeof(vectors[0]))

static void check_cn(const X509_NAME *name, const char *want, const char *file)
{
	char cn[128] = "";

	ck_assert_ptr_nonnull(name);
	X509_NAME_get_text_by_NID(name, NID_commonName, cn, sizeof(cn));
	ck_assert_msg(strcmp(cn, want) == 0, "%s: %s, not %s", file, cn, want);
}

START_TEST(vector_says_what_it_says)
{
	const struct vector *v = &vectors[_i];
	struct brski_cmp msg = decode_file(v->name);

	ck_assert_msg(msg.type == v->type, "%s: %s", v->name, brski_cmp_type_name(msg.type));
	ck_assert_int_eq(msg.header.pvno, 2);
	check_cn(msg.header.sender, v->sender, v->name);
	check_cn(msg.header.recipient, v->recipient, v->name);
	ck_assert_str_eq(msg.header.cert_profile, v->profile);
	ck_assert_uint_eq(msg.header.transaction_id.len, 16);
	ck_assert_uint_eq(msg.header.sender_nonce.len, 16);
	ck_assert_uint_eq(msg.header.recip_nonce.len, v->recip_nonce ? 16 : 0);
	ck_assert_uint_eq(msg.header.sender_kid.len, 20);
	ck_assert(msg.header.implicit_confirm == v->implicit_confirm);
	ck_assert(
		msg.header.message_time > 1658000000 && msg.header.message_time < 1660000000); /* July 2022 */
	ck_assert(msg.is_protected);
	brski_cmp_free(&msg);
}
END_TEST

START_TEST(vector_encodes_to_the_same_octets)
{
	struct brski_buf der = read_file(vectors[_i].name), again = {0};
	struct brski_cmp msg = decode(brski_buf_span(&der));

	ck_assert_int_eq(brski_cmp_encode(&msg, &again, NULL), BRSKI_OK);
	ck_assert(brski_span_equal(brski_buf_span(&der), brski_buf_span(&again)));
	brski_buf_free(&again);
	brski_buf_free(&der);
	brski_cmp_free(&msg);
}
END_TEST

START_TEST(vector_verifies)
{
	struct brski_cmp msg = decode_file(vectors[_i].name);
	STACK_OF(X509) *chain;
	struct brski_error err = {0};

	ck_assert_msg(
		brski_cmp_verify(&msg, NULL, &chain, &err) == BRSKI_OK, "%s: %s", vectors[_i].name, err.why);
	ck_assert_int_eq(X509_NAME_cmp(X509_get_subject_name(sk_X509_value(chain, 0)), msg.header.sender), 0);
	ck_assert_int_eq(sk_X509_num(chain), sk_X509_num(msg.extra_certs));
	sk_X509_pop_free(chain, X509_free);
	brski_cmp_free(&msg);
}
END_TEST

START_TEST(signer_may_be_known_and_not_sent)
{
	struct brski_cmp msg = decode_file(vectors[_i].name);
	STACK_OF(X509) *certs = msg.extra_certs;

	msg.extra_certs = sk_X509_new_null();
	ck_assert_int_eq(verify(&msg, NULL), BRSKI_UNTRUSTED);
	ck_assert_int_eq(verify(&msg, certs), BRSKI_OK);
	sk_X509_pop_free(certs, X509_free);
	brski_cmp_free(&msg);
}
END_TEST

START_TEST(sender_and_kid_must_be_the_signers)
{
	struct brski_cmp msg = decode_file(vectors[_i].name);
	X509_NAME *sender = msg.header.sender;

	msg.header.sender = msg.header.recipient;
	ck_assert_int_eq(verify(&msg, NULL), BRSKI_UNTRUSTED);
	msg.header.sender = NULL; /* a GeneralName of another kind */
	ck_assert_int_eq(verify(&msg, NULL), BRSKI_UNTRUSTED);
	msg.header.sender = sender;
	msg.header.sender_kid.data[3] ^= 1;
	ck_assert_int_eq(verify(&msg, NULL), BRSKI_UNTRUSTED);
	brski_cmp_free(&msg);
}
END_TEST

/* ---- what each body says ---- */

START_TEST(requests_have_proof_of_possession)
{
	static const char *const names[] = {"plain/downstream_CERT_REQ.PKI", "plain/upstream_CERT_REQ.PKI",
		"delayed/downstream_CERT_REQ.PKI", "delayed/upstream_CERT_REQ.PKI"};
	struct brski_cmp msg = decode_file(names[_i]);
	struct brski_cmp_request req;
	struct brski_error err = {0};

	ck_assert_msg(brski_cmp_request_check(&msg, NULL, NULL, &req, &err) == BRSKI_OK, "%s", err.why);
	ck_assert_int_eq(req.type, BRSKI_CMP_CR);
	ck_assert_int_eq(req.cert_req_id, 0);
	ck_assert_int_eq(EVP_PKEY_get_bits(req.key), 2048);
	check_cn(req.subject, "Subject", names[_i]);
	brski_cmp_request_free(&req);
	brski_cmp_free(&msg);
}
END_TEST

START_TEST(response_and_confirmation_fit)
{
	struct brski_cmp rep =
		decode_file(_i ? "delayed/downstream_CERT_REP.PKI" : "plain/downstream_CERT_REP.PKI");
	struct brski_cmp conf =
		decode_file(_i ? "delayed/downstream_CERT_CONFIRM.PKI" : "plain/downstream_CERT_CONFIRM.PKI");
	struct brski_cmp_response r;
	struct brski_cmp_request req;

	ck_assert_int_eq(brski_cmp_response_read(&rep, &r, NULL), BRSKI_OK);
	ck_assert_int_eq(r.type, BRSKI_CMP_CP);
	ck_assert_int_eq(r.status, BRSKI_CMP_ACCEPTED);
	ck_assert_int_eq(r.fail, BRSKI_CMP_FAIL_NONE);
	ck_assert_int_eq(r.cert_req_id, 0);
	ck_assert(!r.implicit_confirm);
	check_cn(X509_get_subject_name(r.cert), "Subject", "cp");
	ck_assert_int_eq(brski_cmp_request_check(&conf, NULL, NULL, &req, NULL), BRSKI_OK);
	ck_assert_int_eq(req.conf_status, BRSKI_CMP_ACCEPTED);
	ck_assert_int_eq(req.cert_hash_nid, NID_undef);
	ck_assert(brski_cmp_cert_hash_matches(&req, r.cert));
	ck_assert(!brski_cmp_cert_hash_matches(&req, sk_X509_value(r.extra_certs, 0)));
	brski_cmp_request_free(&req);
	brski_cmp_response_free(&r);
	brski_cmp_free(&conf);
	brski_cmp_free(&rep);
}
END_TEST

START_TEST(polling)
{
	struct brski_cmp poll = decode_file("delayed/downstream_POLL_REQ.PKI");
	struct brski_cmp rep = decode_file("delayed/downstream_POLL_REP.PKI");
	struct brski_cmp_request req;
	struct brski_cmp_response r;

	ck_assert_int_eq(brski_cmp_request_check(&poll, NULL, NULL, &req, NULL), BRSKI_OK);
	ck_assert_int_eq(req.cert_req_id, 0);
	ck_assert_int_eq(brski_cmp_response_read(&rep, &r, NULL), BRSKI_OK);
	ck_assert_int_eq(r.status, BRSKI_CMP_WAITING);
	ck_assert_int_eq(r.check_after, 1);
	brski_cmp_request_free(&req);
	brski_cmp_response_free(&r);
	brski_cmp_free(&poll);
	brski_cmp_free(&rep);
}
END_TEST

START_TEST(a_request_is_no_answer_nor_the_other_way)
{
	struct brski_cmp rep = decode_file("plain/downstream_CERT_REP.PKI");
	struct brski_cmp conf = decode_file("plain/downstream_CERT_CONFIRM.PKI");
	struct brski_cmp_response r;
	struct brski_cmp_request req;

	ck_assert_int_eq(brski_cmp_response_read(&conf, &r, NULL), BRSKI_UNEXPECTED);
	ck_assert_ptr_null(r.extra_certs);
	rep.header.recip_nonce.len = 0;
	ck_assert_int_eq(brski_cmp_request_check(&rep, NULL, NULL, &req, NULL), BRSKI_UNSUPPORTED);
	ck_assert_int_eq(req.fail, BRSKI_CMP_BAD_REQUEST);
	brski_cmp_free(&rep);
	brski_cmp_free(&conf);
}
END_TEST

/* ---- damage ---- */

struct original {
	struct brski_cmp msg;
	const STACK_OF(X509) *known; /* the certificates that the message goes without */
	size_t verified;
};

static bool is_one_of(const X509 *cert, const STACK_OF(X509) *certs)
{
	EVP_PKEY *key = X509_get0_pubkey(cert);

	for (int i = 0; key && i < sk_X509_num(certs); i++) {
		if (EVP_PKEY_eq(key, X509_get0_pubkey(sk_X509_value(certs, i))) == 1)
			return true;
	}
	return false;
}

/*
 * Protection covers header and body. A damaged extraCerts may leave it right; then nothing that was
 * signed has changed.
 */
static void damaged_does_not_verify(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	struct original *o = ctx;
	struct brski_buf again = {0};
	STACK_OF(X509) *chain;
	struct brski_cmp msg;

	if (brski_cmp_decode(damaged, &msg, NULL) != BRSKI_OK)
		return;
	ck_assert_int_eq(brski_cmp_encode(&msg, &again, NULL), BRSKI_OK);
	ck_assert(brski_span_equal(damaged, brski_buf_span(&again)));
	if (brski_cmp_verify(&msg, o->known, &chain, NULL) == BRSKI_OK) {
		ck_assert_msg(brski_span_equal(msg.header_der, o->msg.header_der) &&
				      brski_span_equal(msg.body_der, o->msg.body_der) &&
				      brski_span_equal(brski_buf_span(&msg.protection),
					      brski_buf_span(&o->msg.protection)),
			"%s at %zu verifies", how->kind, how->at);
		ck_assert(is_one_of(sk_X509_value(chain, 0), o->msg.extra_certs));
		o->verified++;
	}
	sk_X509_pop_free(chain, X509_free);
	brski_buf_free(&again);
	brski_cmp_free(&msg);
	ERR_clear_error();
}

/* The message without its extraCerts, which are most of its octets and of the time to decode it. */
static struct brski_buf read_stripped(const char *name)
{
	struct brski_cmp msg = decode_file(name);
	STACK_OF(X509) *certs = msg.extra_certs;
	struct brski_buf der = {0};

	msg.extra_certs = NULL;
	ck_assert_int_eq(brski_cmp_encode(&msg, &der, NULL), BRSKI_OK);
	msg.extra_certs = certs;
	brski_cmp_free(&msg);
	return der;
}

START_TEST(damage_never_verifies)
{
	struct brski_buf der = read_stripped(vectors[_i].name);
	struct brski_cmp whole = decode_file(vectors[_i].name);
	struct original o = {.msg = decode(brski_buf_span(&der)), .known = whole.extra_certs};

	ck_assert_int_eq(verify(&o.msg, o.known), BRSKI_OK);
	sk_X509_pop_free(o.msg.extra_certs, X509_free);
	o.msg.extra_certs = X509_chain_up_ref(whole.extra_certs);
	mutate_octets_once(brski_buf_span(&der), damaged_does_not_verify, &o);
	ck_assert_uint_eq(o.verified, 0);
	brski_cmp_free(&whole);
	brski_cmp_free(&o.msg);
	brski_buf_free(&der);
}
END_TEST

static void decodes_not(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	struct brski_cmp msg;

	(void)ctx;
	ck_assert_msg(
		brski_cmp_decode(damaged, &msg, NULL) != BRSKI_OK, "%s at %zu decodes", how->kind, how->at);
	ck_assert_ptr_null(msg.der.data);
	ERR_clear_error();
}

START_TEST(damaged_certificates_change_nothing_signed)
{
	struct brski_buf der = read_file("plain/downstream_CONFIRM.PKI");
	struct original o = {.msg = decode(brski_buf_span(&der))};

	mutate_truncations(brski_buf_span(&der), decodes_not, NULL);
	mutate_octets_once(brski_buf_span(&der), damaged_does_not_verify, &o);
	ck_assert_uint_gt(o.verified, 0); /* in certificates above the signer's */
	ck_assert_uint_lt(o.verified, der.len);
	brski_cmp_free(&o.msg);
	brski_buf_free(&der);
}
END_TEST

START_TEST(cut_or_longer_never_decodes)
{
	struct brski_buf der = read_stripped(vectors[_i].name);

	mutate_truncations(brski_buf_span(&der), decodes_not, NULL);
	mutate_appended(brski_buf_span(&der), decodes_not, NULL);
	brski_buf_free(&der);
}
END_TEST

/* The readers of bodies get what no signature covers as well: a registrar reads before it judges. */
static void reads_without_harm(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	struct brski_cmp_request req = {.fail = BRSKI_CMP_FAIL_NONE};
	struct brski_cmp_response r;
	struct brski_cmp msg, inner;

	(void)ctx;
	(void)how;
	if (brski_cmp_decode(damaged, &msg, NULL) != BRSKI_OK)
		return;
	if (brski_cmp_response_read(&msg, &r, NULL) == BRSKI_OK)
		brski_cmp_response_free(&r);
	if (brski_cmp_unnest(&msg, &inner, NULL) == BRSKI_OK)
		brski_cmp_free(&inner);
	(void)!brski_cmp_crmf_read(brski_cmp_content(&msg), &req, NULL);
	brski_cmp_request_free(&req);
	(void)!brski_cmp_pkcs10_read(brski_cmp_content(&msg), &req, NULL);
	brski_cmp_request_free(&req);
	brski_cmp_free(&msg);
	ERR_clear_error();
}

/* One of each kind of body. */
static const char *const kinds[] = {"plain/upstream_CERT_REQ.PKI", "plain/upstream_CERT_REP.PKI",
	"plain/upstream_CERT_CONFIRM.PKI", "plain/upstream_CONFIRM.PKI", "delayed/downstream_POLL_REQ.PKI",
	"delayed/downstream_POLL_REP.PKI"};
#define KINDS (int)(sizeof(kinds) / sizeof(kinds[0]))

START_TEST(damaged_bodies_are_read_without_harm)
{
	struct brski_buf der = read_stripped(kinds[_i]);

	mutate_octets(brski_buf_span(&der), reads_without_harm, NULL);
	brski_buf_free(&der);
}
END_TEST

/* ---- limits and DER ---- */

static enum brski_code decode_code(struct brski_span der)
{
	struct brski_cmp msg;
	enum brski_code code = brski_cmp_decode(der, &msg, NULL);

	brski_cmp_free(&msg);
	return code;
}

START_TEST(a_message_has_a_limit)
{
	uint8_t *big = calloc(1, BRSKI_CMP_MAX + 1);

	ck_assert_int_eq(decode_code(brski_span(big, BRSKI_CMP_MAX + 1)), BRSKI_TOO_LARGE);
	ck_assert_int_eq(decode_code(brski_span(big, BRSKI_CMP_MAX)), BRSKI_MALFORMED);
	ck_assert_int_eq(decode_code(brski_span(big, 0)), BRSKI_MALFORMED);
	free(big);
}
END_TEST

/* Encodes msg's parts without the protection's being right: decoding does not look at it. */
static enum brski_code decode_remade(struct brski_cmp *msg)
{
	struct brski_buf der = {0};
	enum brski_code code = brski_cmp_encode(msg, &der, NULL);

	if (code == BRSKI_OK)
		code = decode_code(brski_buf_span(&der));
	brski_buf_free(&der);
	return code;
}

START_TEST(extra_certs_have_a_limit)
{
	struct brski_cmp msg = decode_file("plain/downstream_CONFIRM.PKI");
	X509 *cert = sk_X509_value(msg.extra_certs, 0);
	struct brski_buf der = {0};

	while (sk_X509_num(msg.extra_certs) < BRSKI_PEER_CERTS_MAX)
		ck_assert_int_eq(X509_add_cert(msg.extra_certs, cert, X509_ADD_FLAG_UP_REF), 1);
	ck_assert_int_eq(decode_remade(&msg), BRSKI_OK);
	ck_assert_int_eq(X509_add_cert(msg.extra_certs, cert, X509_ADD_FLAG_UP_REF), 1);
	ck_assert_int_eq(decode_remade(&msg), BRSKI_TOO_LARGE);
	brski_buf_free(&der);
	brski_cmp_free(&msg);
}
END_TEST

/* Before anything is verified with them, whoever's they are. */
START_TEST(extra_certs_have_keys_of_bounded_cost)
{
	struct brski_cmp msg = decode_file("plain/downstream_CONFIRM.PKI");
	struct brski_credential ca = pki_root("CN=CA");
	EVP_PKEY *costly = pki_public_rsa(3072, 3072);
	struct brski_credential made = pki_make(&(struct pki_spec){.key = costly}, &ca);

	ck_assert_int_eq(X509_add_cert(msg.extra_certs, made.cert, X509_ADD_FLAG_UP_REF), 1);
	ck_assert_int_eq(decode_remade(&msg), BRSKI_UNSUPPORTED);
	EVP_PKEY_free(costly);
	pki_free(&made);
	pki_free(&ca);
	brski_cmp_free(&msg);
}
END_TEST

START_TEST(protection_and_its_algorithm_come_together)
{
	struct brski_cmp msg = decode_file("plain/downstream_CONFIRM.PKI");

	msg.is_protected = false;
	ck_assert_int_eq(decode_remade(&msg), BRSKI_BAD_SIGNATURE);
	brski_cmp_free(&msg);
}
END_TEST

START_TEST(without_protection_is_refused)
{
	struct brski_cmp msg = decode_file("plain/downstream_CONFIRM.PKI");

	msg.is_protected = false;
	ck_assert_int_eq(verify(&msg, NULL), BRSKI_BAD_SIGNATURE);
	brski_cmp_free(&msg);
}
END_TEST

/* The long form of a length where the short one would do is BER. */
START_TEST(ber_is_refused)
{
	struct brski_cmp msg = decode_file("plain/downstream_CONFIRM.PKI");
	struct brski_buf body = {0}, header = {0};
	static const uint8_t long_body[] = {0xb3, 0x81, 0x02, 0x05, 0x00};
	static const uint8_t endless_body[] = {0xb3, 0x80, 0x05, 0x00, 0x00, 0x00};
	static const uint8_t primitive_body[] = {0x93, 0x02, 0x05, 0x00};
	static const uint8_t other_body[] = {0xbf, 0x1b, 0x02, 0x05, 0x00}; /* [27] */

	msg.body_der = brski_span(long_body, sizeof(long_body));
	ck_assert_int_eq(decode_remade(&msg), BRSKI_MALFORMED);
	msg.body_der = brski_span(endless_body, sizeof(endless_body));
	ck_assert_int_ne(decode_remade(&msg), BRSKI_OK);
	msg.body_der = brski_span(primitive_body, sizeof(primitive_body));
	ck_assert_int_eq(decode_remade(&msg), BRSKI_MALFORMED);
	msg.body_der = brski_span(other_body, sizeof(other_body));
	ck_assert_int_eq(decode_remade(&msg), BRSKI_MALFORMED);
	brski_buf_free(&body);
	brski_buf_free(&header);
	brski_cmp_free(&msg);
}
END_TEST

/* ---- algorithms ---- */

static enum brski_code algorithm_code(int nid)
{
	X509_ALGOR *alg = X509_ALGOR_new();
	enum brski_code code;

	X509_ALGOR_set0(alg, OBJ_nid2obj(nid), V_ASN1_UNDEF, NULL);
	code = brski_cmp_algorithm_check(alg, NULL);
	X509_ALGOR_free(alg);
	return code;
}

START_TEST(only_sha2_signatures)
{
	static const int good[] = {NID_ecdsa_with_SHA256, NID_ecdsa_with_SHA384, NID_ecdsa_with_SHA512,
		NID_sha256WithRSAEncryption, NID_sha384WithRSAEncryption, NID_sha512WithRSAEncryption};
	static const int bad[] = {NID_ecdsa_with_SHA1, NID_sha1WithRSAEncryption, NID_md5WithRSAEncryption,
		NID_id_PasswordBasedMAC, NID_pbmac1, NID_rsassaPss /* its default hash is SHA-1 */,
		NID_sha256, NID_rsaEncryption};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ck_assert_int_eq(algorithm_code(good[i]), BRSKI_OK);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(algorithm_code(bad[i]), BRSKI_UNSUPPORTED);
}
END_TEST

START_TEST(names)
{
	ck_assert_str_eq(brski_cmp_type_name(BRSKI_CMP_IR), "ir");
	ck_assert_str_eq(brski_cmp_type_name(BRSKI_CMP_PKICONF), "pkiConf");
	ck_assert_str_eq(brski_cmp_type_name(BRSKI_CMP_POLLREP), "pollRep");
	ck_assert_str_eq(brski_cmp_type_name(27), "unknown");
	ck_assert_str_eq(brski_cmp_fail_name(BRSKI_CMP_BAD_POP), "badPOP");
	ck_assert_str_eq(brski_cmp_fail_name(BRSKI_CMP_SYSTEM_FAILURE), "systemFailure");
	ck_assert_str_eq(brski_cmp_fail_name(-2), "unknown");
	ck_assert_int_eq(brski_code_cmp_fail(BRSKI_OK), BRSKI_CMP_FAIL_NONE);
	ck_assert_int_eq(brski_code_cmp_fail(BRSKI_BAD_SIGNATURE), BRSKI_CMP_BAD_MESSAGE_CHECK);
	ck_assert_int_eq(brski_code_cmp_fail(BRSKI_UNAVAILABLE), BRSKI_CMP_SYSTEM_UNAVAIL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cmp codec");
	TCase *golden = tcase_create("golden"), *damage = tcase_create("damage"),
	      *rules = tcase_create("rules");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(golden, vector_says_what_it_says, 0, VECTORS);
	tcase_add_loop_test(golden, vector_encodes_to_the_same_octets, 0, VECTORS);
	tcase_add_loop_test(golden, vector_verifies, 0, VECTORS);
	tcase_add_loop_test(golden, signer_may_be_known_and_not_sent, 0, VECTORS);
	tcase_add_loop_test(golden, sender_and_kid_must_be_the_signers, 0, VECTORS);
	tcase_add_loop_test(golden, requests_have_proof_of_possession, 0, 4);
	tcase_add_loop_test(golden, response_and_confirmation_fit, 0, 2);
	tcase_add_test(golden, polling);
	tcase_add_test(golden, a_request_is_no_answer_nor_the_other_way);
	suite_add_tcase(suite, golden);
	tcase_set_timeout(damage, 240);
	tcase_add_loop_test(damage, damage_never_verifies, 0, VECTORS);
	tcase_add_test(damage, damaged_certificates_change_nothing_signed);
	tcase_add_loop_test(damage, cut_or_longer_never_decodes, 0, VECTORS);
	tcase_add_loop_test(damage, damaged_bodies_are_read_without_harm, 0, KINDS);
	suite_add_tcase(suite, damage);
	tcase_add_test(rules, a_message_has_a_limit);
	tcase_add_test(rules, extra_certs_have_a_limit);
	tcase_add_test(rules, extra_certs_have_keys_of_bounded_cost);
	tcase_add_test(rules, protection_and_its_algorithm_come_together);
	tcase_add_test(rules, without_protection_is_refused);
	tcase_add_test(rules, ber_is_refused);
	tcase_add_test(rules, only_sha2_signatures);
	tcase_add_test(rules, names);
	suite_add_tcase(suite, rules);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
