/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <openssl/crmf.h>

#include "eap_brski/pki/limits.h"
#include "tests/unit/support/cmp_world.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/mutate.h"

/* In which form, and by which bit, a peer is told what is wrong with its message: RFC 9483 3.5 and 3.6. */

static struct brski_error err;
static struct cmp_world w;
static struct brski_cmp_transaction tx;
static struct brski_buf ir, p10cr, answer_der, conf;

static void setup(void)
{
	struct brski_cmp_response r = {0};
	struct brski_cmp msg;

	w = cmp_world_new("P-256");
	p10cr = cmp_enroll(&w, true, false, &tx);
	ir = cmp_enroll(&w, false, false, &tx);
	answer_der = cmp_issue(&w, &ir, false);
	msg = cmp_decode(&answer_der);
	EXPECT(BRSKI_OK, brski_cmp_response(brski_buf_span(&answer_der),
				 &(struct brski_cmp_trust){.anchors = w.anchors}, &tx, &r, &err));
	EXPECT(BRSKI_OK, brski_cmp_cert_conf(&w.idevid, false, r.cert, BRSKI_CMP_FAIL_NONE, NULL, NULL, &tx,
				 &conf, &err));
	brski_cmp_response_free(&r);
	brski_cmp_free(&msg);
}

static void teardown(void)
{
	brski_buf_free(&ir);
	brski_buf_free(&p10cr);
	brski_buf_free(&answer_der);
	brski_buf_free(&conf);
	brski_cmp_transaction_free(&tx);
	cmp_world_free(&w);
}

/* ---- The rejection of a request that was checked ---- */

static void expect_answer(const struct brski_buf *der, int type, enum brski_cmp_fail fail)
{
	struct brski_cmp said = cmp_decode(der);
	struct brski_cmp_response r = {0};

	EXPECT(BRSKI_OK, brski_cmp_response_read(&said, &r, &err));
	ck_assert_msg(r.type == type, "%s", brski_cmp_type_name(r.type));
	ck_assert_int_eq(r.status, BRSKI_CMP_REJECTION);
	ck_assert_msg(r.fail == fail, "%s", brski_cmp_fail_name(r.fail));
	ck_assert(said.is_protected);
	brski_cmp_response_free(&r);
	brski_cmp_free(&said);
}

static void expect_refused(const struct brski_buf *der, int type, enum brski_cmp_fail fail)
{
	struct brski_cmp msg = cmp_decode(der);
	struct brski_cmp_request req = {0};
	struct brski_buf out = {0};

	ck_assert_int_ne(brski_cmp_request_check(&msg, w.idevid.cert, NULL, &req, &err), BRSKI_OK);
	ck_assert_msg(req.fail == fail, "%s: %s", brski_cmp_fail_name(req.fail), err.why);
	EXPECT(BRSKI_OK,
		brski_cmp_answer_refusal(&msg, &w.cmp, req.in_body, req.fail, err.why, NULL, &out, &err));
	expect_answer(&out, type, fail);
	brski_cmp_request_free(&req);
	brski_buf_free(&out);
	brski_cmp_free(&msg);
}

static void set_content(struct brski_cmp_draft *draft, void *ctx)
{
	draft->content = brski_buf_span(ctx);
}

static void expect_refused_body(
	const struct brski_buf *der, const struct brski_buf *content, int type, enum brski_cmp_fail fail)
{
	struct brski_buf other = cmp_redo(der, &w.idevid, set_content, (void *)(uintptr_t)content);

	expect_refused(&other, type, fail);
	brski_buf_free(&other);
}

/* CertReqMessages: so many, of this certReqId and subject, whose proof is signed by `prover`. */
static struct brski_buf crmf(int n, int id, const X509_NAME *subject, EVP_PKEY *prover)
{
	OSSL_CRMF_MSGS *msgs = sk_OSSL_CRMF_MSG_new_null();
	struct brski_buf der = {0};

	for (int i = 0; i < n; i++) {
		OSSL_CRMF_MSG *msg = OSSL_CRMF_MSG_new();

		ck_assert_int_eq(OSSL_CRMF_MSG_set_certReqId(msg, id), 1);
		ck_assert_int_eq(
			OSSL_CRMF_CERTTEMPLATE_fill(OSSL_CRMF_MSG_get0_tmpl(msg), w.key, subject, NULL, NULL),
			1);
		ck_assert_int_eq(OSSL_CRMF_MSG_create_popo(
					 prover ? OSSL_CRMF_POPO_SIGNATURE : OSSL_CRMF_POPO_RAVERIFIED, msg,
					 prover, EVP_sha256(), NULL, NULL),
			1);
		sk_OSSL_CRMF_MSG_push(msgs, msg);
	}
	EXPECT(BRSKI_OK, brski_asn1_write(msgs, ASN1_ITEM_rptr(OSSL_CRMF_MSGS), &der, &err));
	OSSL_CRMF_MSGS_free(msgs);
	return der;
}

static void expect_refused_crmf(struct brski_buf content, enum brski_cmp_fail fail)
{
	expect_refused_body(&ir, &content, BRSKI_CMP_IP, fail);
	brski_buf_free(&content);
}

/* RFC 9483 3.6.2: what is wrong in the body of ir, cr, p10cr is said in ip, cp */
START_TEST(faults_of_a_body)
{
	EVP_PKEY *key = pki_key("P-256"), *other = pki_false_p256(key, w.key);
	struct brski_buf no_body = {0}, wrong = {0};

	expect_refused_crmf(crmf(2, 0, w.subject, w.key), BRSKI_CMP_BAD_REQUEST);
	expect_refused_crmf(crmf(1, 1, w.subject, w.key), BRSKI_CMP_BAD_REQUEST);
	expect_refused_crmf(crmf(1, 0, NULL, w.key), BRSKI_CMP_BAD_CERT_TEMPLATE);
	expect_refused_crmf(crmf(1, 0, w.subject, other), BRSKI_CMP_BAD_POP);
	expect_refused_crmf(crmf(1, 0, w.subject, NULL), BRSKI_CMP_NOT_AUTHORIZED);
	brski_put(&no_body, brski_span_str("\x30"));
	brski_put_u8(&no_body, 0);
	expect_refused_body(&p10cr, &no_body, BRSKI_CMP_CP, BRSKI_CMP_BAD_DATA_FORMAT);
	EXPECT(BRSKI_OK, brski_cmp_pkcs10_write(w.key, w.subject, &wrong, &err));
	wrong.data[wrong.len - 1] ^= 1;
	expect_refused_body(&p10cr, &wrong, BRSKI_CMP_CP, BRSKI_CMP_BAD_POP);
	brski_buf_free(&no_body);
	brski_buf_free(&wrong);
	EVP_PKEY_free(other);
	EVP_PKEY_free(key);
}
END_TEST

static void short_nonce(struct brski_cmp_draft *draft, void *ctx)
{
	(void)ctx;
	draft->sender_nonce.len--;
}

static void become_kur(struct brski_cmp_draft *draft, void *ctx)
{
	(void)ctx;
	draft->type = BRSKI_CMP_KUR;
}

/* ... and all else in an error message */
START_TEST(faults_of_header_and_protection)
{
	struct brski_credential other = pki_leaf("CN=Neighbour,serialNumber=S-8", "P-256", &w.maker_ca);
	struct brski_buf der = cmp_redo(&ir, &w.idevid, short_nonce, NULL);

	expect_refused(&der, BRSKI_CMP_ERROR, BRSKI_CMP_BAD_SENDER_NONCE);
	brski_buf_free(&der);
	der = cmp_redo(&ir, &other, NULL, NULL);
	expect_refused(&der, BRSKI_CMP_ERROR, BRSKI_CMP_NOT_AUTHORIZED);
	brski_buf_free(&der);
	der = cmp_redo(&ir, &w.idevid, become_kur, NULL); /* a kind that is not served */
	expect_refused(&der, BRSKI_CMP_ERROR, BRSKI_CMP_BAD_REQUEST);
	brski_buf_free(&der);
	pki_free(&other);
}
END_TEST

/* The first octet of what stands in the message, once, is changed. */
static struct brski_buf spoil(const struct brski_buf *golden, struct brski_span part)
{
	struct brski_buf der = {0};
	uint8_t *at;

	ck_assert_int_eq(brski_buf_set(&der, brski_buf_span(golden)), BRSKI_OK);
	at = memmem(der.data, der.len, part.data, part.len);
	ck_assert_ptr_nonnull(at);
	at[part.len - 1] ^= 1;
	return der;
}

START_TEST(no_certificate_fits_the_sender)
{
	struct brski_cmp msg = cmp_decode(&ir);
	struct brski_buf der = spoil(&ir, brski_buf_span(&msg.header.sender_kid));

	expect_refused(&der, BRSKI_CMP_ERROR, BRSKI_CMP_BAD_MESSAGE_CHECK);
	brski_buf_free(&der);
	der = spoil(&ir, brski_buf_span(&msg.protection));
	expect_refused(&der, BRSKI_CMP_ERROR, BRSKI_CMP_BAD_MESSAGE_CHECK);
	brski_buf_free(&der);
	brski_cmp_free(&msg);
}
END_TEST

START_TEST(a_secret_in_place_of_a_signature)
{
	static const int macs[] = {
		NID_id_PasswordBasedMAC, NID_id_DHBasedMac, NID_pbmac1, NID_hmacWithSHA256};
	struct brski_cmp msg = cmp_decode(&ir);

	for (size_t i = 0; i < sizeof(macs) / sizeof(macs[0]); i++) {
		X509_ALGOR *alg = X509_ALGOR_new();

		ck_assert_int_eq(X509_ALGOR_set0(alg, OBJ_nid2obj(macs[i]), V_ASN1_NULL, NULL), 1);
		brski_buf_reset(&msg.header.protection_alg);
		EXPECT(BRSKI_OK,
			brski_asn1_write(alg, ASN1_ITEM_rptr(X509_ALGOR), &msg.header.protection_alg, &err));
		ck_assert_int_eq(
			brski_cmp_protection_fail(&msg, BRSKI_UNSUPPORTED), BRSKI_CMP_WRONG_INTEGRITY);
		X509_ALGOR_free(alg);
	}
	brski_cmp_free(&msg);
}
END_TEST

/* ---- certConf ---- */

static BRSKI_CERTCONF *conf_status(enum brski_cmp_fail fail)
{
	struct brski_cmp msg = cmp_decode(&conf);
	BRSKI_CERTCONF *made =
		brski_asn1_read(brski_cmp_content(&msg), ASN1_ITEM_rptr(BRSKI_CERTCONF), "certConf", &err);
	BRSKI_CERTSTATUS *status = sk_BRSKI_CERTSTATUS_value(made, 0);

	BRSKI_STATUSINFO_free(status->status);
	status->status = brski_cmp_status_new(BRSKI_CMP_REJECTION, fail, NULL);
	ck_assert_int_eq(ASN1_INTEGER_set(status->status->status, BRSKI_CMP_ACCEPTED), 1);
	brski_cmp_free(&msg);
	return made;
}

START_TEST(an_acceptance_that_names_a_failure)
{
	BRSKI_CERTCONF *made = conf_status(BRSKI_CMP_BAD_CERT_TEMPLATE);
	struct brski_buf content = {0};

	EXPECT(BRSKI_OK, brski_asn1_write(made, ASN1_ITEM_rptr(BRSKI_CERTCONF), &content, &err));
	expect_refused_body(&conf, &content, BRSKI_CMP_ERROR, BRSKI_CMP_BAD_REQUEST);
	BRSKI_CERTCONF_free(made);
	brski_buf_free(&content);
}
END_TEST

static void expect_conf(const struct brski_buf *der, enum brski_cmp_fail fail)
{
	struct brski_cmp msg = cmp_decode(der), said = cmp_decode(&answer_der);
	struct brski_cmp_request req = {0};

	EXPECT(BRSKI_OK, brski_cmp_request_check(&msg, w.idevid.cert, NULL, &req, &err));
	EXPECT(fail == BRSKI_CMP_FAIL_NONE ? BRSKI_OK : BRSKI_UNEXPECTED,
		brski_cmp_conf_check(&msg, &said, &req, &err));
	ck_assert_msg(req.fail == fail, "%s", brski_cmp_fail_name(req.fail));
	brski_cmp_request_free(&req);
	brski_cmp_free(&msg);
	brski_cmp_free(&said);
}

static void expect_edited_conf(cmp_edit *edit, void *ctx, enum brski_cmp_fail fail)
{
	struct brski_buf der = cmp_redo(&conf, &w.idevid, edit, ctx);

	expect_conf(&der, fail);
	brski_buf_free(&der);
}

static void other_recip_nonce(struct brski_cmp_draft *draft, void *ctx)
{
	(void)ctx;
	draft->recip_nonce = draft->sender_nonce;
}

static void nonce_of(struct brski_cmp_draft *draft, void *ctx)
{
	const struct brski_cmp *msg = ctx;

	draft->sender_nonce = brski_buf_span(&msg->header.sender_nonce);
}

/* RFC 9483 3.5, 4.1.1, 4.1.4 */
START_TEST(certconf_that_does_not_belong_to_the_answer)
{
	struct brski_cmp request = cmp_decode(&ir), msg;
	struct brski_cmp_response r = {0};
	struct brski_buf minus_one = {0};

	expect_conf(&conf, BRSKI_CMP_FAIL_NONE);
	expect_edited_conf(other_recip_nonce, NULL, BRSKI_CMP_BAD_RECIPIENT_NONCE);
	expect_edited_conf(nonce_of, &request, BRSKI_CMP_BAD_SENDER_NONCE);
	msg = cmp_decode(&answer_der);
	EXPECT(BRSKI_OK, brski_cmp_response_read(&msg, &r, &err));
	EXPECT(BRSKI_OK, brski_cmp_cert_conf(&w.idevid, true, r.cert, BRSKI_CMP_FAIL_NONE, NULL, NULL, &tx,
				 &minus_one, &err));
	expect_conf(&minus_one, BRSKI_CMP_BAD_REQUEST);
	/* and the other way: 0 after p10cr */
	brski_buf_free(&answer_der);
	answer_der = cmp_issue(&w, &p10cr, false);
	expect_edited_conf(other_recip_nonce, NULL, BRSKI_CMP_BAD_RECIPIENT_NONCE);
	brski_cmp_free(&msg);
	msg = cmp_decode(&answer_der);
	ck_assert_int_eq(brski_buf_set(&tx.peer_nonce, brski_buf_span(&msg.header.sender_nonce)), BRSKI_OK);
	EXPECT(BRSKI_OK, brski_cmp_cert_conf(&w.idevid, false, r.cert, BRSKI_CMP_FAIL_NONE, NULL, NULL, &tx,
				 &minus_one, &err));
	expect_conf(&minus_one, BRSKI_CMP_BAD_REQUEST);
	EXPECT(BRSKI_OK, brski_cmp_cert_conf(&w.idevid, true, r.cert, BRSKI_CMP_FAIL_NONE, NULL, NULL, &tx,
				 &minus_one, &err));
	expect_conf(&minus_one, BRSKI_CMP_FAIL_NONE);
	brski_buf_free(&minus_one);
	brski_cmp_response_free(&r);
	brski_cmp_free(&msg);
	brski_cmp_free(&request);
}
END_TEST

/* ---- Messages that are wrong in form ---- */

/* decode refuses with this code; the header is read all the same, and the answer answers it. */
static void expect_form_refused(struct brski_span der, enum brski_code code, int type)
{
	struct brski_cmp msg = {0}, first = cmp_decode(&ir), said;
	struct brski_buf out = {0};

	EXPECT(code, brski_cmp_decode(der, &msg, &err));
	EXPECT(BRSKI_OK, brski_cmp_decode_header(der, &msg, &err));
	ck_assert_msg(msg.type == type, "%s", brski_cmp_type_name(msg.type));
	EXPECT(BRSKI_OK, brski_cmp_answer_error(&msg, &w.cmp, BRSKI_CMP_REJECTION, brski_code_cmp_fail(code),
				 "form", NULL, &out, &err));
	expect_answer(&out, BRSKI_CMP_ERROR, brski_code_cmp_fail(code));
	said = cmp_decode(&out);
	ck_assert(brski_span_equal(
		brski_buf_span(&said.header.transaction_id), brski_buf_span(&first.header.transaction_id)));
	ck_assert(brski_span_equal(
		brski_buf_span(&said.header.recip_nonce), brski_buf_span(&first.header.sender_nonce)));
	ck_assert_int_eq(X509_NAME_cmp(said.header.recipient, X509_get_subject_name(w.idevid.cert)), 0);
	brski_cmp_free(&said);
	brski_cmp_free(&first);
	brski_cmp_free(&msg);
	brski_buf_free(&out);
}

static void expect_remade_refused(struct brski_cmp *msg, enum brski_code code, int type)
{
	struct brski_buf der = {0};

	EXPECT(BRSKI_OK, brski_cmp_encode(msg, &der, &err));
	expect_form_refused(brski_buf_span(&der), code, type);
	brski_buf_free(&der);
}

START_TEST(a_header_is_enough_for_an_answer)
{
	static const uint8_t unknown[] = {0xbf, 31, 0}; /* a kind that nobody knows */
	struct brski_cmp msg = cmp_decode(&ir);
	struct brski_buf longer = {0};

	brski_put(&longer, brski_buf_span(&ir));
	brski_put_u8(&longer, 0);
	expect_form_refused(brski_buf_span(&longer), BRSKI_MALFORMED, BRSKI_CMP_IR);
	msg.is_protected = false; /* but protectionAlg is there */
	expect_remade_refused(&msg, BRSKI_BAD_SIGNATURE, BRSKI_CMP_IR);
	msg.is_protected = true;
	while (sk_X509_num(msg.extra_certs) <= BRSKI_PEER_CERTS_MAX)
		ck_assert_int_eq(X509_add_cert(msg.extra_certs, w.idevid.cert, X509_ADD_FLAG_UP_REF), 1);
	expect_remade_refused(&msg, BRSKI_TOO_LARGE, BRSKI_CMP_IR);
	sk_X509_pop_free(msg.extra_certs, X509_free);
	msg.extra_certs = NULL;
	msg.body_der = brski_span(unknown, sizeof(unknown));
	expect_remade_refused(&msg, BRSKI_MALFORMED, 31);
	brski_cmp_free(&msg);
	brski_buf_free(&longer);
}
END_TEST

START_TEST(without_a_header_there_is_none)
{
	static const char *const texts[] = {
		"", "not CMP", "\x30", "\x30\x03\x02\x01\x01", "\x30\x80\x30\x03"};
	struct brski_cmp msg;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		EXPECT(BRSKI_MALFORMED, brski_cmp_decode_header(brski_span_str(texts[i]), &msg, &err));
}
END_TEST

static void read_header(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	struct brski_cmp msg;
	struct brski_buf out = {0};
	unsigned *answered = ctx;

	(void)how;
	if (brski_cmp_decode_header(damaged, &msg, NULL) != BRSKI_OK)
		return;
	if ((*answered)++ % 64 == 0) /* a signature each */
		EXPECT(BRSKI_OK, brski_cmp_answer_error(&msg, &w.cmp, BRSKI_CMP_REJECTION,
					 BRSKI_CMP_BAD_DATA_FORMAT, NULL, NULL, &out, &err));
	brski_buf_free(&out);
	brski_cmp_free(&msg);
}

START_TEST(damaged_headers_are_read_without_harm)
{
	unsigned answered = 0;

	mutate_truncations(brski_buf_span(&ir), read_header, &answered);
	mutate_octets_once(brski_buf_span(&ir), read_header, &answered);
	mutate_appended(brski_buf_span(&ir), read_header, &answered);
	ck_assert_uint_gt(answered, ir.len / 2);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {faults_of_a_body, faults_of_header_and_protection,
		no_certificate_fits_the_sender, a_secret_in_place_of_a_signature,
		an_acceptance_that_names_a_failure, certconf_that_does_not_belong_to_the_answer,
		a_header_is_enough_for_an_answer, without_a_header_there_is_none,
		damaged_headers_are_read_without_harm};

	return run_tests("cmp refusal", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
