/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <dlfcn.h>
#include <openssl/crmf.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "eap_brski/pki/cert.h"
#include "tests/unit/support/cmp_world.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/mutate.h"

/*
 * What a registrar or CA refuses, each rule of RFC 9483 3.5, 4 and 5 broken once, and what it tells
 * the peer.
 */

static struct cmp_world world;
static struct brski_credential neighbour; /* another device of the same manufacturer */
static struct brski_buf ir, p10cr, cert_conf, poll_req, genm;

static void make_messages(void)
{
	struct cmp_world *w = &world;
	struct brski_cmp_transaction tx = {0};
	struct brski_buf answer;
	struct brski_cmp_response r;

	p10cr = cmp_enroll(w, true, false, &tx);
	ir = cmp_enroll(w, false, false, &tx);
	answer = cmp_issue(w, &ir, false);
	ck_assert_int_eq(brski_cmp_response(brski_buf_span(&answer),
				 &(struct brski_cmp_trust){.anchors = w->anchors}, &tx, &r, NULL),
		BRSKI_OK);
	ck_assert_int_eq(brski_cmp_cert_conf(&w->idevid, false, r.cert, BRSKI_CMP_FAIL_NONE, NULL, NULL, &tx,
				 &cert_conf, NULL),
		BRSKI_OK);
	ck_assert_int_eq(brski_cmp_poll_req(&w->idevid, 0, NULL, &tx, &poll_req, NULL), BRSKI_OK);
	ck_assert_int_eq(brski_cmp_genm(&w->idevid, BRSKI_OID_CA_CERTS, NULL, &tx, &genm, NULL), BRSKI_OK);
	brski_cmp_response_free(&r);
	brski_cmp_transaction_free(&tx);
	brski_buf_free(&answer);
}

static void free_messages(void)
{
	brski_buf_free(&ir);
	brski_buf_free(&p10cr);
	brski_buf_free(&cert_conf);
	brski_buf_free(&poll_req);
	brski_buf_free(&genm);
}

/* The message is refused with this code, and the peer is told this. */
static void refused_msg(
	const struct brski_cmp *msg, const X509 *signer, enum brski_code code, enum brski_cmp_fail fail)
{
	struct brski_cmp_request req;
	struct brski_error err = {0};
	STACK_OF(X509) *chain;
	enum brski_code got = brski_cmp_request_check(msg, signer, &chain, &req, &err);

	ck_assert_msg(got == code, "%s (%s)", brski_code_name(got), err.why);
	ck_assert_msg(req.fail == fail, "%s: %s", brski_cmp_fail_name((int)req.fail), err.why);
	ck_assert_int_eq(err.code, code);
	ck_assert_ptr_null(chain);
	ck_assert_ptr_null(req.key);
	ck_assert_ptr_null(req.subject);
}

static void refused(const struct brski_buf *der, enum brski_code code, enum brski_cmp_fail fail)
{
	struct brski_cmp msg = cmp_decode(der);

	refused_msg(&msg, world.idevid.cert, code, fail);
	brski_cmp_free(&msg);
}

static void refused_redone(const struct brski_buf *der, cmp_edit *edit, void *ctx, enum brski_code code,
	enum brski_cmp_fail fail)
{
	struct brski_buf other = cmp_redo(der, &world.idevid, edit, ctx);

	refused(&other, code, fail);
	brski_buf_free(&other);
}

static void accepted(const struct brski_buf *der)
{
	struct brski_cmp msg = cmp_decode(der);
	struct brski_cmp_request req;
	struct brski_error err = {0};

	ck_assert_msg(brski_cmp_request_check(&msg, world.idevid.cert, NULL, &req, &err) == BRSKI_OK, "%s",
		err.why);
	brski_cmp_request_free(&req);
	brski_cmp_free(&msg);
}

START_TEST(redoing_alone_breaks_nothing)
{
	const struct brski_buf *all[] = {&ir, &p10cr, &cert_conf, &poll_req, &genm};
	struct brski_buf other = cmp_redo(all[_i], &world.idevid, NULL, NULL);

	accepted(all[_i]);
	accepted(&other);
	brski_buf_free(&other);
}
END_TEST

/* ---- header ---- */

static void set_version(struct brski_cmp_draft *draft, void *ctx)
{
	draft->pvno = *(int *)ctx;
}

static void short_id(struct brski_cmp_draft *draft, void *ctx)
{
	(void)ctx;
	draft->transaction_id.len = 15;
}

static void no_id(struct brski_cmp_draft *draft, void *ctx)
{
	(void)ctx;
	draft->transaction_id.len = 0;
}

static void short_nonce(struct brski_cmp_draft *draft, void *ctx)
{
	(void)ctx;
	draft->sender_nonce.len = 15;
}

static void some_recip_nonce(struct brski_cmp_draft *draft, void *ctx)
{
	(void)ctx;
	draft->recip_nonce = draft->sender_nonce;
}

static void no_recip_nonce(struct brski_cmp_draft *draft, void *ctx)
{
	(void)ctx;
	draft->recip_nonce.len = 0;
}

START_TEST(header_rules)
{
	int one = 1, four = 4, three = 3;
	struct brski_buf other;

	refused_redone(&ir, set_version, &one, BRSKI_UNSUPPORTED, BRSKI_CMP_UNSUPPORTED_VERSION);
	refused_redone(&ir, set_version, &four, BRSKI_UNSUPPORTED, BRSKI_CMP_UNSUPPORTED_VERSION);
	other = cmp_redo(&ir, &world.idevid, set_version, &three);
	accepted(&other);
	brski_buf_free(&other);
	refused_redone(&ir, short_id, NULL, BRSKI_MALFORMED, BRSKI_CMP_BAD_DATA_FORMAT);
	refused_redone(&ir, no_id, NULL, BRSKI_MALFORMED, BRSKI_CMP_BAD_DATA_FORMAT);
	refused_redone(&ir, short_nonce, NULL, BRSKI_MALFORMED, BRSKI_CMP_BAD_SENDER_NONCE);
	refused_redone(&ir, some_recip_nonce, NULL, BRSKI_UNEXPECTED, BRSKI_CMP_BAD_RECIPIENT_NONCE);
	refused_redone(&p10cr, some_recip_nonce, NULL, BRSKI_UNEXPECTED, BRSKI_CMP_BAD_RECIPIENT_NONCE);
	refused_redone(&genm, some_recip_nonce, NULL, BRSKI_UNEXPECTED, BRSKI_CMP_BAD_RECIPIENT_NONCE);
	refused_redone(&cert_conf, no_recip_nonce, NULL, BRSKI_MALFORMED, BRSKI_CMP_BAD_RECIPIENT_NONCE);
	refused_redone(&poll_req, no_recip_nonce, NULL, BRSKI_MALFORMED, BRSKI_CMP_BAD_RECIPIENT_NONCE);
}
END_TEST

/* ---- protection ---- */

START_TEST(another_signer)
{
	struct brski_buf other = cmp_redo(&ir, &neighbour, NULL, NULL);
	struct brski_cmp msg = cmp_decode(&other);

	refused_msg(&msg, world.idevid.cert, BRSKI_MISMATCH, BRSKI_CMP_NOT_AUTHORIZED);
	brski_cmp_free(&msg);
	brski_buf_free(&other);
}
END_TEST

START_TEST(broken_signature)
{
	struct brski_cmp msg = cmp_decode(&ir);

	msg.protection.data[msg.protection.len - 1] ^= 1;
	refused_msg(&msg, world.idevid.cert, BRSKI_BAD_SIGNATURE, BRSKI_CMP_BAD_MESSAGE_CHECK);
	msg.is_protected = false;
	refused_msg(&msg, world.idevid.cert, BRSKI_BAD_SIGNATURE, BRSKI_CMP_BAD_MESSAGE_CHECK);
	brski_cmp_free(&msg);
}
END_TEST

START_TEST(signer_unknown)
{
	struct brski_cmp msg = cmp_decode(&ir);

	X509_free(sk_X509_delete(msg.extra_certs, 0));
	refused_msg(&msg, NULL, BRSKI_UNTRUSTED, BRSKI_CMP_BAD_MESSAGE_CHECK);
	brski_cmp_free(&msg);
}
END_TEST

static unsigned n_verified;

/* In place of OpenSSL's own, which it calls: the count is what matters. */
int ASN1_item_verify(const ASN1_ITEM *it, const X509_ALGOR *alg, const ASN1_BIT_STRING *signature,
	const void *data, EVP_PKEY *key)
{
	int (*real)(const ASN1_ITEM *, const X509_ALGOR *, const ASN1_BIT_STRING *, const void *, EVP_PKEY *);

	*(void **)&real = dlsym(RTLD_NEXT, "ASN1_item_verify");
	n_verified++;
	return real(it, alg, signature, data, key);
}

/* Twelve certificates of the sender's name that the receiver knows of: ten are tried. */
START_TEST(signers_of_one_name)
{
	const struct pki_spec spec = {.subject = "CN=Signer", .no_ski = true};
	struct brski_credential signer = pki_make(&spec, NULL), other;
	struct brski_buf der = cmp_redo(&ir, &signer, NULL, NULL);
	struct brski_cmp msg = cmp_decode(&der);
	STACK_OF(X509) *known = sk_X509_new_null(), *chain;
	struct brski_error err;

	X509_free(sk_X509_delete(msg.extra_certs, 0));
	for (int i = 0; i < 12; i++) {
		other = pki_make(&spec, NULL);
		ck_assert_int_eq(
			X509_add_cert(known, i == 9 ? signer.cert : other.cert, X509_ADD_FLAG_UP_REF), 1);
		pki_free(&other);
	}
	n_verified = 0;
	EXPECT(BRSKI_OK, brski_cmp_verify(&msg, known, &chain, &err));
	ck_assert_uint_eq(n_verified, 10);
	pki_free_certs(chain);
	X509_free(sk_X509_delete(known, 9));
	n_verified = 0;
	EXPECT_WHY(BRSKI_TOO_LARGE, "10 signatures", brski_cmp_verify(&msg, known, &chain, &err));
	ck_assert_uint_eq(n_verified, 10);
	ck_assert_ptr_null(chain);
	pki_free_certs(known);
	brski_cmp_free(&msg);
	brski_buf_free(&der);
	pki_free(&signer);
}
END_TEST

/* What the peer's operator must look for: the certificate, the key identifier, or the name itself. */
START_TEST(words_for_a_signer_that_is_not_found)
{
	struct brski_cmp msg = cmp_decode(&ir);
	X509 *own = sk_X509_value(msg.extra_certs, 0);
	STACK_OF(X509) *chain;
	struct brski_error err;

	X509_up_ref(own);
	msg.header.sender_kid.data[0] ^= 1;
	EXPECT_WHY(BRSKI_UNTRUSTED, "senderKID ", brski_cmp_verify(&msg, NULL, &chain, &err));
	ck_assert_ptr_nonnull(strstr(err.why, "CN=Gadget"));
	X509_free(sk_X509_delete(msg.extra_certs, 0));
	EXPECT_WHY(BRSKI_UNTRUSTED, "comes without the certificate of its sender ",
		brski_cmp_verify(&msg, NULL, &chain, &err));
	ck_assert_ptr_nonnull(strstr(err.why, "CN=Gadget"));
	ck_assert_int_eq(sk_X509_unshift(msg.extra_certs, own) > 0, 1);
	X509_NAME_free(msg.header.sender);
	msg.header.sender = NULL;
	EXPECT_WHY(BRSKI_UNTRUSTED, "no distinguished name", brski_cmp_verify(&msg, NULL, &chain, &err));
	brski_cmp_free(&msg);
}
END_TEST

START_TEST(signer_must_be_allowed_to_sign)
{
	struct brski_credential bad =
		pki_make(&(struct pki_spec){.subject = "CN=Encryptor", .key_usage = "keyEncipherment"},
			&world.maker_ca);
	struct brski_buf other = cmp_redo(&ir, &bad, NULL, NULL);
	struct brski_cmp msg = cmp_decode(&other);

	refused_msg(&msg, NULL, BRSKI_UNTRUSTED, BRSKI_CMP_BAD_MESSAGE_CHECK);
	brski_cmp_free(&msg);
	brski_buf_free(&other);
	pki_free(&bad);
}
END_TEST

/* The message with another protectionAlg in its header, signed as ever. */
static struct brski_cmp with_algorithm(const struct brski_buf *der, int nid, struct brski_buf *header)
{
	struct brski_cmp msg = cmp_decode(der);
	X509_ALGOR *alg = X509_ALGOR_new();

	X509_ALGOR_set0(alg, OBJ_nid2obj(nid), V_ASN1_NULL, NULL);
	brski_buf_free(&msg.header.protection_alg);
	ck_assert_int_eq(brski_asn1_write(alg, ASN1_ITEM_rptr(X509_ALGOR), &msg.header.protection_alg, NULL),
		BRSKI_OK);
	X509_ALGOR_free(alg);
	ck_assert_int_eq(brski_cmp_header_write(&msg.header, header, NULL), BRSKI_OK);
	msg.header_der = brski_buf_span(header);
	brski_buf_reset(&msg.protection);
	ck_assert_int_eq(
		brski_cmp_sign(msg.header_der, msg.body_der, world.idevid.key, &msg.protection, NULL),
		BRSKI_OK);
	return msg;
}

START_TEST(algorithm_must_fit)
{
	static const struct {
		int nid;
		enum brski_code code;
		enum brski_cmp_fail fail;
	} cases[] = {
		{NID_sha256WithRSAEncryption, BRSKI_BAD_SIGNATURE,
			BRSKI_CMP_BAD_MESSAGE_CHECK}, /* an EC key signs */
		{NID_ecdsa_with_SHA384, BRSKI_BAD_SIGNATURE, BRSKI_CMP_BAD_MESSAGE_CHECK},
		{NID_ecdsa_with_SHA1, BRSKI_UNSUPPORTED, BRSKI_CMP_BAD_ALG},
		{NID_id_PasswordBasedMAC, BRSKI_UNSUPPORTED, BRSKI_CMP_WRONG_INTEGRITY},
	};
	struct brski_buf header = {0};
	struct brski_cmp msg = with_algorithm(&ir, cases[_i].nid, &header);

	refused_msg(&msg, world.idevid.cert, cases[_i].code, cases[_i].fail);
	brski_cmp_free(&msg);
	brski_buf_free(&header);
}
END_TEST

/* Signs value with RSASSA-PSS and a hash; *alg says how. */
static void pss_sign(const void *value, const ASN1_ITEM *item, EVP_PKEY *key, const EVP_MD *md,
	X509_ALGOR *alg, ASN1_BIT_STRING *signature)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx;

	ck_assert_int_eq(EVP_DigestSignInit(ctx, &pctx, md, NULL, key), 1);
	ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING), 1);
	ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST), 1);
	ck_assert_int_gt(ASN1_item_sign_ctx(item, alg, NULL, signature, value, ctx), 0);
	EVP_MD_CTX_free(ctx);
}

static enum brski_code check_pss(const struct brski_credential *signer, const EVP_MD *md, bool broken)
{
	struct brski_buf header = {0}, good = cmp_redo(&ir, signer, NULL, NULL);
	struct brski_cmp msg = cmp_decode(&good);
	X509_ALGOR *alg = X509_ALGOR_new();
	ASN1_BIT_STRING *signature = ASN1_BIT_STRING_new();
	BRSKI_PROTECTEDPART *part = BRSKI_PROTECTEDPART_new();
	struct brski_cmp_request req;
	enum brski_code code;

	ASN1_TYPE_free(part->header);
	ASN1_TYPE_free(part->body);
	part->body = brski_asn1_any(msg.body_der);
	part->header = brski_asn1_any(msg.header_der);
	pss_sign(part, ASN1_ITEM_rptr(BRSKI_PROTECTEDPART), signer->key, md, alg,
		signature); /* to learn alg */
	brski_buf_free(&msg.header.protection_alg);
	ck_assert_int_eq(brski_asn1_write(alg, ASN1_ITEM_rptr(X509_ALGOR), &msg.header.protection_alg, NULL),
		BRSKI_OK);
	ck_assert_int_eq(brski_cmp_header_write(&msg.header, &header, NULL), BRSKI_OK);
	msg.header_der = brski_buf_span(&header);
	ASN1_TYPE_free(part->header);
	part->header = brski_asn1_any(msg.header_der);
	pss_sign(part, ASN1_ITEM_rptr(BRSKI_PROTECTEDPART), signer->key, md, alg, signature);
	ck_assert_int_eq(brski_buf_set(&msg.protection, brski_asn1_octets(signature)), BRSKI_OK);
	msg.protection.data[0] ^= broken ? 1 : 0;
	code = brski_cmp_request_check(&msg, signer->cert, NULL, &req, NULL);
	brski_cmp_request_free(&req);
	BRSKI_PROTECTEDPART_free(part);
	ASN1_BIT_STRING_free(signature);
	X509_ALGOR_free(alg);
	brski_cmp_free(&msg);
	brski_buf_free(&header);
	brski_buf_free(&good);
	return code;
}

START_TEST(pss_is_understood)
{
	struct brski_credential signer = pki_leaf("CN=RSA gadget", "RSA-2048", &world.maker_ca);

	ck_assert_int_eq(check_pss(&signer, EVP_sha256(), false), BRSKI_OK);
	ck_assert_int_eq(check_pss(&signer, EVP_sha384(), false), BRSKI_OK);
	ck_assert_int_eq(check_pss(&signer, EVP_sha256(), true), BRSKI_BAD_SIGNATURE);
	ck_assert_int_eq(check_pss(&signer, EVP_sha1(), false), BRSKI_UNSUPPORTED);
	pki_free(&signer);
}
END_TEST

/* ---- body: which one ---- */

static void set_type(struct brski_cmp_draft *draft, void *ctx)
{
	draft->type = *(int *)ctx;
}

START_TEST(messages_that_are_no_requests)
{
	int kur = BRSKI_CMP_KUR, ip = BRSKI_CMP_IP, rr = 11;

	refused_redone(&ir, set_type, &kur, BRSKI_UNSUPPORTED, BRSKI_CMP_BAD_REQUEST);
	refused_redone(&ir, set_type, &ip, BRSKI_UNSUPPORTED, BRSKI_CMP_BAD_REQUEST);
	refused_redone(&ir, set_type, &rr, BRSKI_UNSUPPORTED, BRSKI_CMP_BAD_REQUEST);
}
END_TEST

START_TEST(body_of_another_kind)
{
	int types[] = {BRSKI_CMP_P10CR, BRSKI_CMP_GENM};

	refused_redone(&ir, set_type, &types[_i], BRSKI_MALFORMED, BRSKI_CMP_BAD_DATA_FORMAT);
}
END_TEST

/* ---- body: CertReqMessages ---- */

static void set_content(struct brski_cmp_draft *draft, void *ctx)
{
	draft->content = brski_buf_span(ctx);
}

static struct brski_buf crmf_der(OSSL_CRMF_MSGS *msgs)
{
	struct brski_buf der = {0};

	ck_assert_int_eq(brski_asn1_write(msgs, ASN1_ITEM_rptr(OSSL_CRMF_MSGS), &der, NULL), BRSKI_OK);
	return der;
}

struct crmf_spec {
	int id, count, pop;
	EVP_PKEY *signer; /* of the proof of possession; NULL: the key itself */
};

static OSSL_CRMF_MSG *crmf_msg(const struct crmf_spec *spec)
{
	OSSL_CRMF_MSG *msg = OSSL_CRMF_MSG_new();
	EVP_PKEY *signer = spec->signer ? spec->signer : world.key;

	ck_assert_int_eq(OSSL_CRMF_MSG_set_certReqId(msg, spec->id), 1);
	ck_assert_int_eq(OSSL_CRMF_CERTTEMPLATE_fill(
				 OSSL_CRMF_MSG_get0_tmpl(msg), world.key, world.subject, NULL, NULL),
		1);
	ck_assert_int_eq(OSSL_CRMF_MSG_create_popo(spec->pop, msg, signer, EVP_sha256(), NULL, NULL), 1);
	return msg;
}

static void refused_crmf(const struct crmf_spec *spec, enum brski_code code, enum brski_cmp_fail fail)
{
	OSSL_CRMF_MSGS *msgs = sk_OSSL_CRMF_MSG_new_null();
	struct brski_buf der;

	for (int i = 0; i < spec->count; i++)
		sk_OSSL_CRMF_MSG_push(msgs, crmf_msg(spec));
	der = crmf_der(msgs);
	refused_redone(&ir, set_content, &der, code, fail);
	brski_buf_free(&der);
	OSSL_CRMF_MSGS_free(msgs);
}

START_TEST(one_request_with_id_0)
{
	refused_crmf(&(struct crmf_spec){.id = 1, .count = 1, .pop = OSSL_CRMF_POPO_SIGNATURE},
		BRSKI_UNEXPECTED, BRSKI_CMP_BAD_REQUEST);
	refused_crmf(&(struct crmf_spec){.id = 0, .count = 2, .pop = OSSL_CRMF_POPO_SIGNATURE},
		BRSKI_UNEXPECTED, BRSKI_CMP_BAD_REQUEST);
	refused_crmf(&(struct crmf_spec){.id = 0, .count = 0, .pop = OSSL_CRMF_POPO_SIGNATURE},
		BRSKI_UNEXPECTED, BRSKI_CMP_BAD_REQUEST);
}
END_TEST

START_TEST(proof_of_possession_rules)
{
	EVP_PKEY *key = pki_key("P-256"), *other = pki_false_p256(key, world.key);

	refused_crmf(&(struct crmf_spec){.count = 1, .pop = OSSL_CRMF_POPO_NONE}, BRSKI_BAD_SIGNATURE,
		BRSKI_CMP_BAD_POP);
	refused_crmf(&(struct crmf_spec){.count = 1, .pop = OSSL_CRMF_POPO_RAVERIFIED}, BRSKI_BAD_SIGNATURE,
		BRSKI_CMP_NOT_AUTHORIZED);
	refused_crmf(&(struct crmf_spec){.count = 1, .pop = OSSL_CRMF_POPO_KEYENC}, BRSKI_UNSUPPORTED,
		BRSKI_CMP_BAD_POP);
	refused_crmf(&(struct crmf_spec){.count = 1, .pop = OSSL_CRMF_POPO_SIGNATURE, .signer = other},
		BRSKI_BAD_SIGNATURE, BRSKI_CMP_BAD_POP);
	EVP_PKEY_free(other);
	EVP_PKEY_free(key);
}
END_TEST

/* A CertReqMsg taken apart with our own templates, changed, and put together again. */
struct taken {
	BRSKI_CERTREQMSGS *msgs;
	BRSKI_CERTREQMSG *msg;
	BRSKI_CERTREQUEST *req;
};

static struct taken take_apart(void)
{
	struct brski_cmp msg = cmp_decode(&ir);
	struct taken t = {.msgs = brski_asn1_read(
				  brski_cmp_content(&msg), ASN1_ITEM_rptr(BRSKI_CERTREQMSGS), "msgs", NULL)};

	ck_assert_ptr_nonnull(t.msgs);
	t.msg = sk_BRSKI_CERTREQMSG_value(t.msgs, 0);
	t.req = brski_asn1_read(
		brski_asn1_raw(t.msg->cert_req), ASN1_ITEM_rptr(BRSKI_CERTREQUEST), "request", NULL);
	ck_assert_ptr_nonnull(t.req);
	brski_cmp_free(&msg);
	return t;
}

/* Signs anew, so that what was changed is all that is wrong. */
static void refused_taken(struct taken *t, const EVP_MD *md, enum brski_code code, enum brski_cmp_fail fail)
{
	BRSKI_POPOSIGNINGKEY *pop = t->msg->popo->value.signature;
	struct brski_buf der = {0}, content = {0};

	ck_assert_int_eq(brski_asn1_write(t->req, ASN1_ITEM_rptr(BRSKI_CERTREQUEST), &der, NULL), BRSKI_OK);
	ASN1_TYPE_free(t->msg->cert_req);
	t->msg->cert_req = brski_asn1_any(brski_buf_span(&der));
	ck_assert_int_gt(ASN1_item_sign(ASN1_ITEM_rptr(ASN1_ANY), pop->algorithm, NULL, pop->signature,
				 t->msg->cert_req, world.key, md),
		0);
	ck_assert_int_eq(
		brski_asn1_write(t->msgs, ASN1_ITEM_rptr(BRSKI_CERTREQMSGS), &content, NULL), BRSKI_OK);
	if (code == BRSKI_OK) {
		struct brski_buf other = cmp_redo(&ir, &world.idevid, set_content, &content);

		accepted(&other);
		brski_buf_free(&other);
	} else {
		refused_redone(&ir, set_content, &content, code, fail);
	}
	brski_buf_free(&content);
	brski_buf_free(&der);
	BRSKI_CERTREQUEST_free(t->req);
	BRSKI_CERTREQMSGS_free(t->msgs);
}

static void refused_template(
	void (*edit)(BRSKI_CERTTEMPLATE *), enum brski_code code, enum brski_cmp_fail fail)
{
	struct taken t = take_apart();

	edit(t.req->cert_template);
	refused_taken(&t, EVP_sha256(), code, fail);
}

static void version_2(BRSKI_CERTTEMPLATE *t)
{
	t->version = ASN1_INTEGER_new();
	ASN1_INTEGER_set(t->version, 2);
}

static void with_two_usages(BRSKI_CERTTEMPLATE *t)
{
	t->extensions = sk_X509_EXTENSION_new_null();
	for (int i = 0; i < 2; i++)
		sk_X509_EXTENSION_push(
			t->extensions, X509V3_EXT_conf_nid(NULL, NULL, NID_key_usage, "digitalSignature"));
}

static void version_1(BRSKI_CERTTEMPLATE *t)
{
	t->version = ASN1_INTEGER_new();
	ASN1_INTEGER_set(t->version, 1);
}

static void with_serial(BRSKI_CERTTEMPLATE *t)
{
	t->serial = ASN1_INTEGER_new();
	ASN1_INTEGER_set(t->serial, 7);
}

static void with_issuer_uid(BRSKI_CERTTEMPLATE *t)
{
	t->issuer_uid = ASN1_BIT_STRING_new();
	ASN1_BIT_STRING_set_bit(t->issuer_uid, 3, 1);
}

static void with_signing_alg(BRSKI_CERTTEMPLATE *t)
{
	t->signing_alg = X509_ALGOR_new();
	X509_ALGOR_set0(t->signing_alg, OBJ_nid2obj(NID_ecdsa_with_SHA256), V_ASN1_UNDEF, NULL);
}

static void without_subject(BRSKI_CERTTEMPLATE *t)
{
	X509_NAME_free(t->subject);
	t->subject = NULL;
}

static void without_key(BRSKI_CERTTEMPLATE *t)
{
	X509_PUBKEY_free(t->key);
	t->key = NULL;
}

START_TEST(template_rules)
{
	refused_template(version_2, BRSKI_OK, BRSKI_CMP_FAIL_NONE);
	refused_template(with_two_usages, BRSKI_UNEXPECTED, BRSKI_CMP_BAD_CERT_TEMPLATE);
	refused_template(version_1, BRSKI_UNEXPECTED, BRSKI_CMP_BAD_CERT_TEMPLATE);
	refused_template(with_serial, BRSKI_UNEXPECTED, BRSKI_CMP_BAD_CERT_TEMPLATE);
	refused_template(with_issuer_uid, BRSKI_UNEXPECTED, BRSKI_CMP_BAD_CERT_TEMPLATE);
	refused_template(with_signing_alg, BRSKI_UNEXPECTED, BRSKI_CMP_BAD_CERT_TEMPLATE);
	refused_template(without_subject, BRSKI_UNEXPECTED, BRSKI_CMP_BAD_CERT_TEMPLATE);
	refused_template(without_key, BRSKI_UNEXPECTED, BRSKI_CMP_BAD_CERT_TEMPLATE);
}
END_TEST

START_TEST(proof_of_possession_has_no_input)
{
	struct taken t = take_apart();
	static const uint8_t null[] = {5, 0};

	t.msg->popo->value.signature->input = sk_ASN1_TYPE_new_null();
	sk_ASN1_TYPE_push(
		t.msg->popo->value.signature->input, brski_asn1_any(brski_span(null, sizeof(null))));
	refused_taken(&t, EVP_sha256(), BRSKI_UNEXPECTED, BRSKI_CMP_BAD_POP);
}
END_TEST

START_TEST(proof_of_possession_is_sha2)
{
	struct taken t = take_apart();

	refused_taken(&t, EVP_sha1(), BRSKI_UNSUPPORTED, BRSKI_CMP_BAD_POP);
}
END_TEST

START_TEST(extensions_are_handed_on)
{
	struct taken t = take_apart();
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:gadget.example");
	struct brski_buf content = {0}, other;
	struct brski_cmp msg;
	struct brski_cmp_request req;
	struct brski_buf der = {0};
	BRSKI_POPOSIGNINGKEY *pop = t.msg->popo->value.signature;

	t.req->cert_template->extensions = sk_X509_EXTENSION_new_null();
	sk_X509_EXTENSION_push(t.req->cert_template->extensions, ext);
	ck_assert_int_eq(brski_asn1_write(t.req, ASN1_ITEM_rptr(BRSKI_CERTREQUEST), &der, NULL), BRSKI_OK);
	ASN1_TYPE_free(t.msg->cert_req);
	t.msg->cert_req = brski_asn1_any(brski_buf_span(&der));
	ASN1_item_sign(ASN1_ITEM_rptr(ASN1_ANY), pop->algorithm, NULL, pop->signature, t.msg->cert_req,
		world.key, EVP_sha256());
	ck_assert_int_eq(
		brski_asn1_write(t.msgs, ASN1_ITEM_rptr(BRSKI_CERTREQMSGS), &content, NULL), BRSKI_OK);
	other = cmp_redo(&ir, &world.idevid, set_content, &content);
	msg = cmp_decode(&other);
	ck_assert_int_eq(brski_cmp_request_check(&msg, NULL, NULL, &req, NULL), BRSKI_OK);
	ck_assert_int_eq(sk_X509_EXTENSION_num(req.extensions), 1);
	ck_assert_int_eq(X509v3_get_ext_by_NID(req.extensions, NID_subject_alt_name, -1), 0);
	brski_cmp_request_free(&req);
	brski_cmp_free(&msg);
	brski_buf_free(&other);
	brski_buf_free(&content);
	brski_buf_free(&der);
	BRSKI_CERTREQUEST_free(t.req);
	BRSKI_CERTREQMSGS_free(t.msgs);
}
END_TEST

/* ---- body: PKCS #10 ---- */

static void refused_pkcs10_key(EVP_PKEY *key)
{
	X509_REQ *req = X509_REQ_new();
	struct brski_buf der = {0};

	X509_REQ_set_subject_name(req, world.subject);
	X509_REQ_set_pubkey(req, key);
	ck_assert_int_gt(X509_REQ_sign(req, world.key, EVP_sha256()), 0);
	ck_assert_int_eq(brski_asn1_write(req, ASN1_ITEM_rptr(X509_REQ), &der, NULL), BRSKI_OK);
	refused_redone(&p10cr, set_content, &der, BRSKI_UNSUPPORTED, BRSKI_CMP_BAD_ALG);
	brski_buf_free(&der);
	X509_REQ_free(req);
	EVP_PKEY_free(key);
}

static void costly_key(BRSKI_CERTTEMPLATE *t)
{
	EVP_PKEY *key = pki_public_rsa(3072, 3072);

	ck_assert_int_eq(X509_PUBKEY_set(&t->key, key), 1);
	EVP_PKEY_free(key);
}

/* Keys whose proof of possession would cost too much: it is not looked at. */
START_TEST(keys_of_bounded_cost)
{
	n_verified = 0;
	refused_template(costly_key, BRSKI_UNSUPPORTED, BRSKI_CMP_BAD_ALG);
	ck_assert_uint_eq(n_verified, 1); /* the protection */
	refused_pkcs10_key(pki_public_rsa(2048, 65));
	refused_pkcs10_key(pki_public_rsa(1024, 17));
}
END_TEST

static void refused_pkcs10(
	X509_REQ *req, EVP_PKEY *signer, const EVP_MD *md, enum brski_code code, enum brski_cmp_fail fail)
{
	struct brski_buf der = {0};

	X509_REQ_set_subject_name(req, world.subject);
	X509_REQ_set_pubkey(req, world.key);
	ck_assert_int_gt(X509_REQ_sign(req, signer, md), 0);
	ck_assert_int_eq(brski_asn1_write(req, ASN1_ITEM_rptr(X509_REQ), &der, NULL), BRSKI_OK);
	refused_redone(&p10cr, set_content, &der, code, fail);
	brski_buf_free(&der);
	X509_REQ_free(req);
}

/* keyUsage, as often as that. */
static X509_REQ *with_extensions(int attribute, int times)
{
	STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
	X509_REQ *req = X509_REQ_new();

	for (int i = 0; i < times; i++)
		sk_X509_EXTENSION_push(
			extensions, X509V3_EXT_conf_nid(NULL, NULL, NID_key_usage, "digitalSignature"));
	ck_assert_int_eq(X509_REQ_add_extensions_nid(req, extensions, attribute), 1);
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	return req;
}

/* X509_REQ_set_version() of OpenSSL 3.5 knows version 1 alone. */
static X509_REQ *version_2_req(void)
{
	static const uint8_t version_1[] = {2, 1, 0};
	X509_REQ *req = X509_REQ_new();
	struct brski_buf der = {0};
	const uint8_t *in;
	uint8_t *found;

	X509_REQ_set_subject_name(req, world.subject);
	X509_REQ_set_pubkey(req, world.key);
	ck_assert_int_gt(X509_REQ_sign(req, world.key, EVP_sha256()), 0);
	ck_assert_int_eq(brski_asn1_write(req, ASN1_ITEM_rptr(X509_REQ), &der, NULL), BRSKI_OK);
	found = memmem(der.data, der.len, version_1, sizeof(version_1));
	ck_assert_ptr_nonnull(found);
	found[2] = 1;
	in = der.data;
	ck_assert_ptr_nonnull(d2i_X509_REQ(&req, &in, (long)der.len));
	ck_assert_int_eq(X509_REQ_get_version(req), 1);
	brski_buf_free(&der);
	return req;
}

START_TEST(pkcs10_rules)
{
	EVP_PKEY *other = pki_key("P-256");

	refused_pkcs10(X509_REQ_new(), other, EVP_sha256(), BRSKI_BAD_SIGNATURE, BRSKI_CMP_BAD_POP);
	refused_pkcs10(X509_REQ_new(), world.key, EVP_sha1(), BRSKI_UNSUPPORTED, BRSKI_CMP_BAD_POP);
	refused_pkcs10(
		version_2_req(), world.key, EVP_sha256(), BRSKI_UNEXPECTED, BRSKI_CMP_BAD_CERT_TEMPLATE);
	refused_pkcs10(with_extensions(NID_ms_ext_req, 1), world.key, EVP_sha256(), BRSKI_UNEXPECTED,
		BRSKI_CMP_BAD_CERT_TEMPLATE);
	refused_pkcs10(with_extensions(NID_ext_req, 2), world.key, EVP_sha256(), BRSKI_UNEXPECTED,
		BRSKI_CMP_BAD_CERT_TEMPLATE);
	EVP_PKEY_free(other);
}
END_TEST

/* ---- body: certConf ---- */

typedef void conf_edit(BRSKI_CERTCONF *conf, BRSKI_CERTSTATUS *status);

static struct brski_buf edited_conf(conf_edit *edit)
{
	struct brski_cmp msg = cmp_decode(&cert_conf);
	BRSKI_CERTCONF *conf =
		brski_asn1_read(brski_cmp_content(&msg), ASN1_ITEM_rptr(BRSKI_CERTCONF), "conf", NULL);
	struct brski_buf der = {0};

	edit(conf, sk_BRSKI_CERTSTATUS_value(conf, 0));
	ck_assert_int_eq(brski_asn1_write(conf, ASN1_ITEM_rptr(BRSKI_CERTCONF), &der, NULL), BRSKI_OK);
	BRSKI_CERTCONF_free(conf);
	brski_cmp_free(&msg);
	return der;
}

static void refused_conf(conf_edit *edit, enum brski_code code, enum brski_cmp_fail fail)
{
	struct brski_buf der = edited_conf(edit);

	refused_redone(&cert_conf, set_content, &der, code, fail);
	brski_buf_free(&der);
}

static void second_status(BRSKI_CERTCONF *conf, BRSKI_CERTSTATUS *status)
{
	sk_BRSKI_CERTSTATUS_push(conf, ASN1_item_dup(ASN1_ITEM_rptr(BRSKI_CERTSTATUS), status));
}

static void no_status_at_all(BRSKI_CERTCONF *conf, BRSKI_CERTSTATUS *status)
{
	(void)status;
	BRSKI_CERTSTATUS_free(sk_BRSKI_CERTSTATUS_pop(conf));
}

static void conf_id_1(BRSKI_CERTCONF *conf, BRSKI_CERTSTATUS *status)
{
	(void)conf;
	ASN1_INTEGER_set(status->cert_req_id, 1);
}

static void conf_waiting(BRSKI_CERTCONF *conf, BRSKI_CERTSTATUS *status)
{
	(void)conf;
	ASN1_INTEGER_set(status->status->status, BRSKI_CMP_WAITING);
}

static void conf_hash_sha256(BRSKI_CERTCONF *conf, BRSKI_CERTSTATUS *status)
{
	(void)conf;
	status->hash_alg = X509_ALGOR_new();
	X509_ALGOR_set0(status->hash_alg, OBJ_nid2obj(NID_sha256), V_ASN1_UNDEF, NULL);
}

static void conf_without_status_info(BRSKI_CERTCONF *conf, BRSKI_CERTSTATUS *status)
{
	(void)conf;
	BRSKI_STATUSINFO_free(status->status);
	status->status = NULL;
}

START_TEST(cert_conf_rules)
{
	struct brski_buf der = edited_conf(conf_without_status_info), other;

	refused_conf(second_status, BRSKI_UNEXPECTED, BRSKI_CMP_BAD_REQUEST);
	refused_conf(no_status_at_all, BRSKI_UNEXPECTED, BRSKI_CMP_BAD_REQUEST);
	refused_conf(conf_id_1, BRSKI_UNEXPECTED, BRSKI_CMP_BAD_REQUEST);
	refused_conf(conf_waiting, BRSKI_UNEXPECTED, BRSKI_CMP_BAD_REQUEST);
	/* hashAlg needs version 3 */
	refused_conf(conf_hash_sha256, BRSKI_UNEXPECTED, BRSKI_CMP_BAD_REQUEST);
	/* no statusInfo is acceptance */
	other = cmp_redo(&cert_conf, &world.idevid, set_content, &der);
	accepted(&other);
	brski_buf_free(&other);
	brski_buf_free(&der);
}
END_TEST

static void set_content_3(struct brski_cmp_draft *draft, void *ctx)
{
	set_content(draft, ctx);
	draft->pvno = 3;
}

static void conf_hash_sha1(BRSKI_CERTCONF *conf, BRSKI_CERTSTATUS *status)
{
	(void)conf;
	status->hash_alg = X509_ALGOR_new();
	X509_ALGOR_set0(status->hash_alg, OBJ_nid2obj(NID_sha1), V_ASN1_UNDEF, NULL);
}

START_TEST(cert_conf_hash_algorithm)
{
	struct brski_buf good = edited_conf(conf_hash_sha256), bad = edited_conf(conf_hash_sha1), other;

	other = cmp_redo(&cert_conf, &world.idevid, set_content_3, &good);
	accepted(&other);
	brski_buf_free(&other);
	refused_redone(&cert_conf, set_content_3, &bad, BRSKI_UNSUPPORTED, BRSKI_CMP_BAD_ALG);
	brski_buf_free(&good);
	brski_buf_free(&bad);
}
END_TEST

/* ---- body: pollReq, genm ---- */

START_TEST(one_poll)
{
	static const uint8_t two[] = {0x30, 10, 0x30, 3, 2, 1, 0, 0x30, 3, 2, 1, 0};
	static const uint8_t id_5[] = {0x30, 5, 0x30, 3, 2, 1, 5};
	static const uint8_t none[] = {0x30, 0};
	struct brski_buf content = {0};

	ck_assert_int_eq(brski_buf_set(&content, brski_span(two, sizeof(two))), BRSKI_OK);
	refused_redone(&poll_req, set_content, &content, BRSKI_UNEXPECTED, BRSKI_CMP_BAD_REQUEST);
	ck_assert_int_eq(brski_buf_set(&content, brski_span(id_5, sizeof(id_5))), BRSKI_OK);
	refused_redone(&poll_req, set_content, &content, BRSKI_UNEXPECTED, BRSKI_CMP_BAD_REQUEST);
	ck_assert_int_eq(brski_buf_set(&content, brski_span(none, sizeof(none))), BRSKI_OK);
	refused_redone(&poll_req, set_content, &content, BRSKI_UNEXPECTED, BRSKI_CMP_BAD_REQUEST);
	brski_buf_free(&content);
}
END_TEST

START_TEST(one_general_message)
{
	static const uint8_t two[] = {0x30, 14, 0x30, 5, 6, 3, 0x2a, 3, 4, 0x30, 5, 6, 3, 0x2a, 3, 5};
	static const uint8_t none[] = {0x30, 0};
	struct brski_buf content = {0};

	ck_assert_int_eq(brski_buf_set(&content, brski_span(two, sizeof(two))), BRSKI_OK);
	refused_redone(&genm, set_content, &content, BRSKI_UNEXPECTED, BRSKI_CMP_BAD_REQUEST);
	ck_assert_int_eq(brski_buf_set(&content, brski_span(none, sizeof(none))), BRSKI_OK);
	refused_redone(&genm, set_content, &content, BRSKI_UNEXPECTED, BRSKI_CMP_BAD_REQUEST);
	brski_buf_free(&content);
}
END_TEST

/* ---- nested ---- */

static struct brski_buf wrapped(void)
{
	struct brski_cmp msg = cmp_decode(&ir);
	struct brski_buf out = {0};

	ck_assert_int_eq(brski_cmp_nest(&msg, &world.ra, &out, NULL), BRSKI_OK);
	brski_cmp_free(&msg);
	return out;
}

static void unnest_refused(cmp_edit *edit, void *ctx, enum brski_code code)
{
	struct brski_buf good = wrapped(), bad = cmp_redo(&good, &world.ra, edit, ctx);
	struct brski_cmp outer = cmp_decode(&bad), inner;

	ck_assert_int_eq(brski_cmp_unnest(&outer, &inner, NULL), code);
	ck_assert_ptr_null(inner.der.data);
	brski_cmp_free(&outer);
	brski_buf_free(&good);
	brski_buf_free(&bad);
}

static const uint8_t other_octets[16] = {1, 2, 3};

static void other_id(struct brski_cmp_draft *draft, void *ctx)
{
	(void)ctx;
	draft->transaction_id = brski_span(other_octets, sizeof(other_octets));
}

static void other_nonce(struct brski_cmp_draft *draft, void *ctx)
{
	(void)ctx;
	draft->sender_nonce = brski_span(other_octets, sizeof(other_octets));
}

START_TEST(nested_rules)
{
	struct brski_buf one = wrapped(), content = {0}, list = {0};

	unnest_refused(other_id, NULL, BRSKI_MISMATCH);
	unnest_refused(other_nonce, NULL, BRSKI_MISMATCH);
	brski_put(&list, brski_buf_span(&ir));
	brski_put(&list, brski_buf_span(&ir));
	brski_asn1_wrap(&content, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, brski_buf_span(&list));
	unnest_refused(set_content, &content, BRSKI_UNSUPPORTED);
	brski_buf_reset(&content);
	brski_asn1_wrap(&content, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, (struct brski_span){0});
	unnest_refused(set_content, &content, BRSKI_UNSUPPORTED);
	brski_buf_reset(&content);
	brski_asn1_wrap(&content, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, brski_buf_span(&one));
	unnest_refused(set_content, &content, BRSKI_UNEXPECTED); /* nested in nested */
	brski_buf_reset(&content);
	brski_put(&content, brski_buf_span(&ir));
	unnest_refused(set_content, &content,
		BRSKI_UNSUPPORTED); /* no list but a message: its parts are no messages */
	brski_buf_free(&one);
	brski_buf_free(&content);
	brski_buf_free(&list);
}
END_TEST

/* ---- damage: whatever still passes asks for the same, in the same device's name ---- */

static void damaged_asks_for_nothing_else(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	struct brski_cmp_request req;
	struct brski_cmp msg;

	(void)ctx;
	if (brski_cmp_decode(damaged, &msg, NULL) != BRSKI_OK)
		return;
	if (brski_cmp_request_check(&msg, world.idevid.cert, NULL, &req, NULL) == BRSKI_OK) {
		ck_assert_msg(
			req.key && EVP_PKEY_eq(req.key, world.key) == 1, "%s at %zu", how->kind, how->at);
		ck_assert_int_eq(X509_NAME_cmp(req.subject, world.subject), 0);
		brski_cmp_request_free(&req);
	}
	brski_cmp_free(&msg);
	ERR_clear_error();
}

START_TEST(damaged_requests)
{
	mutate_octets_once(brski_buf_span(_i ? &p10cr : &ir), damaged_asks_for_nothing_else, NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cmp request");
	TCase *tc = tcase_create("checks");
	SRunner *runner;
	int failed;

	world = cmp_world_new("P-256");
	neighbour = pki_leaf("CN=Gadget,O=Maker,serialNumber=S-8", "P-256", &world.maker_ca);
	tcase_add_checked_fixture(tc, make_messages, free_messages);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, redoing_alone_breaks_nothing, 0, 5);
	tcase_add_test(tc, header_rules);
	tcase_add_test(tc, another_signer);
	tcase_add_test(tc, broken_signature);
	tcase_add_test(tc, signer_unknown);
	tcase_add_test(tc, signers_of_one_name);
	tcase_add_test(tc, words_for_a_signer_that_is_not_found);
	tcase_add_test(tc, signer_must_be_allowed_to_sign);
	tcase_add_loop_test(tc, algorithm_must_fit, 0, 4);
	tcase_add_test(tc, pss_is_understood);
	tcase_add_test(tc, messages_that_are_no_requests);
	tcase_add_loop_test(tc, body_of_another_kind, 0, 2);
	tcase_add_test(tc, one_request_with_id_0);
	tcase_add_test(tc, proof_of_possession_rules);
	tcase_add_test(tc, template_rules);
	tcase_add_test(tc, proof_of_possession_has_no_input);
	tcase_add_test(tc, proof_of_possession_is_sha2);
	tcase_add_test(tc, extensions_are_handed_on);
	tcase_add_test(tc, keys_of_bounded_cost);
	tcase_add_test(tc, pkcs10_rules);
	tcase_add_test(tc, cert_conf_rules);
	tcase_add_test(tc, cert_conf_hash_algorithm);
	tcase_add_test(tc, one_poll);
	tcase_add_test(tc, one_general_message);
	tcase_add_test(tc, nested_rules);
	tcase_add_loop_test(tc, damaged_requests, 0, 2);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	pki_free(&neighbour);
	cmp_world_free(&world);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
