/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "eap_brski/pki/cert.h"
#include "tests/unit/support/cmp_world.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/mutate.h"

/*
 * What an end entity refuses in answers and in its new certificate, each rule of RFC 9483 3.5 and 4
 * broken once.
 */

static struct cmp_world world;
static struct brski_cmp_transaction tx; /* in which the request was sent */
static struct brski_buf request, answer;

static void copy(struct brski_buf *to, const struct brski_buf *from)
{
	ck_assert_int_eq(brski_buf_set(to, brski_buf_span(from)), BRSKI_OK);
}

static struct brski_cmp_transaction tx_copy(const struct brski_cmp_transaction *from)
{
	struct brski_cmp_transaction to = {0};

	copy(&to.id, &from->id);
	copy(&to.request_nonce, &from->request_nonce);
	copy(&to.last_nonce, &from->last_nonce);
	copy(&to.peer_nonce, &from->peer_nonce);
	copy(&to.recipient, &from->recipient);
	return to;
}

static void make_messages(void)
{
	request = cmp_enroll(&world, false, false, &tx);
	answer = cmp_issue(&world, &request, false);
}

static void free_messages(void)
{
	brski_cmp_transaction_free(&tx);
	brski_buf_free(&request);
	brski_buf_free(&answer);
}

static enum brski_code respond_at(const struct brski_buf *der, time_t now, struct brski_cmp_response *r)
{
	struct brski_error err = {0};
	enum brski_code code = brski_cmp_response(brski_buf_span(der),
		&(struct brski_cmp_trust){.anchors = world.anchors, .now = now}, &tx, r, &err);

	ck_assert_int_eq(err.code == BRSKI_OK ? BRSKI_OK : code, code);
	ck_assert(code == BRSKI_OK || err.why[0] != '\0');
	return code;
}

/* Refused, and the transaction is as it was. */
static void refused(const struct brski_buf *der, enum brski_code want)
{
	struct brski_cmp_transaction before = tx_copy(&tx);
	struct brski_cmp_response r;
	enum brski_code got = respond_at(der, time(NULL), &r);

	ck_assert_msg(got == want, "%s", brski_code_name(got));
	ck_assert_ptr_null(r.cert);
	ck_assert_ptr_null(r.extra_certs);
	ck_assert(brski_span_equal(brski_buf_span(&before.peer_nonce), brski_buf_span(&tx.peer_nonce)));
	ck_assert(brski_span_equal(brski_buf_span(&before.recipient), brski_buf_span(&tx.recipient)));
	brski_cmp_transaction_free(&before);
}

static void refused_redone(
	const struct brski_credential *signer, cmp_edit *edit, void *ctx, enum brski_code want)
{
	struct brski_buf other = cmp_redo(&answer, signer, edit, ctx);

	refused(&other, want);
	brski_buf_free(&other);
}

static void accepted_redone(const struct brski_credential *signer, cmp_edit *edit, void *ctx)
{
	struct brski_buf other = cmp_redo(&answer, signer, edit, ctx);
	struct brski_cmp_response r;
	struct brski_error err = {0};

	ck_assert_msg(brski_cmp_response(brski_buf_span(&other),
			      &(struct brski_cmp_trust){.anchors = world.anchors, .now = time(NULL)}, &tx, &r,
			      &err) == BRSKI_OK,
		"%s", err.why);
	brski_cmp_response_free(&r);
	brski_buf_free(&other);
}

/* ---- header ---- */

static const uint8_t other_octets[64] = {1, 2, 3};

static void other_id(struct brski_cmp_draft *draft, void *ctx)
{
	(void)ctx;
	draft->transaction_id = brski_span(other_octets, 16);
}

static void no_id(struct brski_cmp_draft *draft, void *ctx)
{
	(void)ctx;
	draft->transaction_id.len = 0;
}

static void other_recip_nonce(struct brski_cmp_draft *draft, void *ctx)
{
	(void)ctx;
	draft->recip_nonce = brski_span(other_octets, 16);
}

static void no_recip_nonce(struct brski_cmp_draft *draft, void *ctx)
{
	(void)ctx;
	draft->recip_nonce.len = 0;
}

static void sender_nonce_of(struct brski_cmp_draft *draft, void *ctx)
{
	draft->sender_nonce = brski_span(other_octets, *(size_t *)ctx);
}

static void version_1(struct brski_cmp_draft *draft, void *ctx)
{
	(void)ctx;
	draft->pvno = 1;
}

START_TEST(header_rules)
{
	size_t none = 0, less = 15, least = 16, most = 64;

	accepted_redone(&world.cmp, NULL, NULL);
	refused_redone(&world.cmp, other_id, NULL, BRSKI_MISMATCH);
	refused_redone(&world.cmp, no_id, NULL, BRSKI_MISMATCH);
	refused_redone(&world.cmp, other_recip_nonce, NULL, BRSKI_MISMATCH);
	refused_redone(&world.cmp, no_recip_nonce, NULL, BRSKI_MISMATCH);
	refused_redone(&world.cmp, version_1, NULL, BRSKI_UNSUPPORTED);
	refused_redone(&world.cmp, sender_nonce_of, &none, BRSKI_MALFORMED);
	refused_redone(&world.cmp, sender_nonce_of, &less, BRSKI_MALFORMED);
	accepted_redone(&world.cmp, sender_nonce_of, &least);
	accepted_redone(&world.cmp, sender_nonce_of, &most);
}
END_TEST

START_TEST(nonces_have_a_limit)
{
	static const uint8_t long_nonce[65] = {0};
	struct brski_cmp_header header = {.pvno = 2};
	struct brski_buf der = {0};
	struct brski_cmp_header out;

	copy(&header.transaction_id, &tx.id);
	ck_assert_int_eq(
		brski_buf_set(&header.sender_nonce, brski_span(long_nonce, sizeof(long_nonce))), BRSKI_OK);
	ck_assert_int_eq(brski_cmp_header_write(&header, &der, NULL), BRSKI_OK);
	ck_assert_int_eq(brski_cmp_header_read(brski_buf_span(&der), &out, NULL), BRSKI_MALFORMED);
	brski_cmp_header_free(&header);
	brski_buf_free(&der);
}
END_TEST

START_TEST(transaction_goes_on)
{
	struct brski_cmp_response r;
	struct brski_cmp msg = cmp_decode(&answer);

	ck_assert_int_eq(respond_at(&answer, time(NULL), &r), BRSKI_OK);
	ck_assert(brski_span_equal(brski_buf_span(&tx.peer_nonce), brski_buf_span(&msg.header.sender_nonce)));
	ck_assert_uint_gt(tx.recipient.len, 0);
	brski_cmp_response_free(&r);
	brski_cmp_free(&msg);
}
END_TEST

/* Once certConf is sent, the answer to the request is old. */
START_TEST(replayed_answer)
{
	struct brski_buf conf = {0};
	struct brski_cmp_response r;

	ck_assert_int_eq(respond_at(&answer, time(NULL), &r), BRSKI_OK);
	ck_assert_int_eq(brski_cmp_cert_conf(&world.idevid, false, r.cert, BRSKI_CMP_FAIL_NONE, NULL, NULL,
				 &tx, &conf, NULL),
		BRSKI_OK);
	refused(&answer, BRSKI_MISMATCH);
	brski_cmp_response_free(&r);
	brski_buf_free(&conf);
}
END_TEST

/* ---- signer ---- */

START_TEST(broken_signature)
{
	struct brski_cmp msg = cmp_decode(&answer);
	struct brski_buf der = {0};

	msg.protection.data[msg.protection.len - 1] ^= 1;
	ck_assert_int_eq(brski_cmp_encode(&msg, &der, NULL), BRSKI_OK);
	refused(&der, BRSKI_BAD_SIGNATURE);
	brski_cmp_free(&msg);
	brski_buf_free(&der);
}
END_TEST

START_TEST(signer_of_a_foreign_domain)
{
	struct brski_credential root = pki_root("CN=Site Root,O=Site");
	struct brski_credential signer =
		pki_make(&(struct pki_spec){.subject = "CN=Site CMP", .eku = "cmcCA"}, &root);

	refused_redone(&signer, NULL, NULL, BRSKI_UNTRUSTED);
	refused_redone(&world.idevid, NULL, NULL, BRSKI_UNTRUSTED);
	pki_free(&signer);
	pki_free(&root);
}
END_TEST

/* RFC 9483 3.4: authorized by role, not by being of the same domain. */
START_TEST(signer_must_be_authorized)
{
	static const struct {
		const char *eku;
		const char *key_usage;
		bool ca, good;
	} cases[] = {
		{.eku = "clientAuth"}, /* a neighbour */
		{.eku = "serverAuth,clientAuth"},
		{.eku = "cmcRA", .good = true},
		{.eku = "clientAuth,cmcCA", .good = true},
		{.eku = NULL}, /* good for everything is no role: so is an LDevID */
		{.eku = "anyExtendedKeyUsage"},
		{.ca = true, .key_usage = "digitalSignature,keyCertSign,cRLSign", .good = true},
		{.ca = true, .eku = "serverAuth", .key_usage = "digitalSignature,keyCertSign", .good = true},
		{.ca = true}, /* may not sign messages, RFC 9483 3.5 */
		{.eku = "cmcRA", .key_usage = "keyEncipherment"},
	};
	struct pki_spec spec = {.subject = "CN=Some signer",
		.eku = cases[_i].eku,
		.key_usage = cases[_i].key_usage,
		.ca = cases[_i].ca};
	struct brski_credential signer = pki_make(&spec, &world.ca);

	if (cases[_i].good)
		accepted_redone(&signer, NULL, NULL);
	else
		refused_redone(&signer, NULL, NULL, BRSKI_UNTRUSTED);
	pki_free(&signer);
}
END_TEST
#define SIGNERS 10

static enum brski_code respond_to_named(
	const struct brski_credential *signer, const STACK_OF(X509) *named, struct brski_error *err)
{
	const struct brski_cmp_trust trust = {
		.anchors = world.anchors, .signers = named, .named_by = "some_setting", .now = time(NULL)};
	struct brski_buf other = cmp_redo(&answer, signer, NULL, NULL);
	struct brski_cmp_response r;
	enum brski_code code = brski_cmp_response(brski_buf_span(&other), &trust, &tx, &r, err);

	brski_cmp_response_free(&r);
	brski_buf_free(&other);
	return code;
}

/* An old PKI's signer, named by the operator: that very certificate, and only if it is trusted. */
START_TEST(signer_may_be_named)
{
	struct pki_spec spec = {.subject = "CN=Old CMP", .eku = "serverAuth"};
	struct brski_credential old = pki_make(&spec, &world.ca), twin = pki_make(&spec, &world.ca);
	struct brski_credential foreign = pki_make(&spec, &world.maker_ca);
	STACK_OF(X509) *named = pki_certs(&world.ra, NULL), *strangers = pki_certs(&foreign, NULL);
	struct brski_error err = {0};

	ck_assert_int_eq(respond_to_named(&old, named, &err), BRSKI_UNTRUSTED);
	ck_assert_ptr_nonnull(strstr(err.why, "CN=Old CMP"));
	ck_assert_ptr_nonnull(strstr(err.why, "some_setting"));
	ck_assert_int_eq(X509_add_cert(named, old.cert, X509_ADD_FLAG_UP_REF), 1);
	ck_assert_int_eq(respond_to_named(&old, named, &err), BRSKI_OK);
	ck_assert_int_eq(respond_to_named(&twin, named, &err), BRSKI_UNTRUSTED);
	ck_assert_int_eq(respond_to_named(&foreign, strangers, &err), BRSKI_UNTRUSTED);
	pki_free_certs(named);
	pki_free_certs(strangers);
	pki_free(&old);
	pki_free(&twin);
	pki_free(&foreign);
}
END_TEST

START_TEST(expired_signer)
{
	struct pki_spec spec = {
		.subject = "CN=Old", .eku = "cmcCA", .not_before = 1000000000, .not_after = 1100000000};
	struct brski_credential signer = pki_make(&spec, &world.ca);
	struct brski_buf other = cmp_redo(&answer, &signer, NULL, NULL);
	struct brski_cmp_response r;

	refused(&other, BRSKI_EXPIRED);
	ck_assert_int_eq(respond_at(&other, 0, &r), BRSKI_OK); /* a pledge without a clock, RFC 8995 2.6.1 */
	brski_cmp_response_free(&r);
	brski_buf_free(&other);
	pki_free(&signer);
}
END_TEST

START_TEST(signer_known_but_not_sent)
{
	STACK_OF(X509) *known = pki_certs(&world.cmp, NULL);
	struct brski_cmp msg = cmp_decode(&answer);
	struct brski_buf der = {0};
	struct brski_cmp_response r;

	sk_X509_pop_free(msg.extra_certs, X509_free);
	msg.extra_certs = NULL;
	ck_assert_int_eq(brski_cmp_encode(&msg, &der, NULL), BRSKI_OK);
	refused(&der, BRSKI_UNTRUSTED);
	ck_assert_int_eq(brski_cmp_response(brski_buf_span(&der),
				 &(struct brski_cmp_trust){
					 .anchors = world.anchors, .known = known, .now = time(NULL)},
				 &tx, &r, NULL),
		BRSKI_OK);
	brski_cmp_response_free(&r);
	brski_cmp_free(&msg);
	brski_buf_free(&der);
	pki_free_certs(known);
}
END_TEST

/* ---- without protection ---- */

static struct brski_buf unprotected(const struct brski_buf *from)
{
	struct brski_cmp msg = cmp_decode(from);
	struct brski_buf header = {0}, der = {0};

	brski_buf_free(&msg.header.protection_alg);
	ck_assert_int_eq(brski_cmp_header_write(&msg.header, &header, NULL), BRSKI_OK);
	msg.header_der = brski_buf_span(&header);
	msg.is_protected = false;
	ck_assert_int_eq(brski_cmp_encode(&msg, &der, NULL), BRSKI_OK);
	brski_buf_free(&header);
	brski_cmp_free(&msg);
	return der;
}

START_TEST(unprotected_answer)
{
	struct brski_buf bare = unprotected(&answer);

	refused(&bare, BRSKI_BAD_SIGNATURE);
	brski_buf_free(&bare);
}
END_TEST

START_TEST(unprotected_error)
{
	struct brski_cmp msg = cmp_decode(&request);
	struct brski_buf error = {0}, bare;
	struct brski_cmp_response r;

	ck_assert_int_eq(brski_cmp_answer_error(&msg, &world.cmp, BRSKI_CMP_REJECTION,
				 BRSKI_CMP_BAD_MESSAGE_CHECK, "who are you", NULL, &error, NULL),
		BRSKI_OK);
	bare = unprotected(&error);
	ck_assert_int_eq(respond_at(&bare, time(NULL), &r), BRSKI_UNTRUSTED);
	ck_assert_int_eq(r.type, BRSKI_CMP_ERROR);
	ck_assert_int_eq(r.status, BRSKI_CMP_REJECTION);
	ck_assert_int_eq(r.fail, BRSKI_CMP_BAD_MESSAGE_CHECK);
	ck_assert_str_eq(r.text, "who are you");
	ck_assert_uint_eq(tx.peer_nonce.len, 0);
	brski_cmp_response_free(&r);
	brski_buf_free(&bare);
	brski_buf_free(&error);
	brski_cmp_free(&msg);
}
END_TEST

/* ---- body: ip ---- */

static void set_content(struct brski_cmp_draft *draft, void *ctx)
{
	draft->content = brski_buf_span(ctx);
}

typedef void rep_edit(BRSKI_CERTREP *rep, BRSKI_CERTRESPONSE *one);

static void refused_rep(rep_edit *edit, enum brski_code want)
{
	struct brski_cmp msg = cmp_decode(&answer);
	BRSKI_CERTREP *rep =
		brski_asn1_read(brski_cmp_content(&msg), ASN1_ITEM_rptr(BRSKI_CERTREP), "rep", NULL);
	struct brski_buf content = {0};

	edit(rep, sk_BRSKI_CERTRESPONSE_value(rep->responses, 0));
	ck_assert_int_eq(brski_asn1_write(rep, ASN1_ITEM_rptr(BRSKI_CERTREP), &content, NULL), BRSKI_OK);
	refused_redone(&world.cmp, set_content, &content, want);
	brski_buf_free(&content);
	BRSKI_CERTREP_free(rep);
	brski_cmp_free(&msg);
}

static void second_response(BRSKI_CERTREP *rep, BRSKI_CERTRESPONSE *one)
{
	sk_BRSKI_CERTRESPONSE_push(rep->responses, ASN1_item_dup(ASN1_ITEM_rptr(BRSKI_CERTRESPONSE), one));
}

static void no_response(BRSKI_CERTREP *rep, BRSKI_CERTRESPONSE *one)
{
	(void)one;
	BRSKI_CERTRESPONSE_free(sk_BRSKI_CERTRESPONSE_pop(rep->responses));
}

static void rep_id_1(BRSKI_CERTREP *rep, BRSKI_CERTRESPONSE *one)
{
	(void)rep;
	ASN1_INTEGER_set(one->cert_req_id, 1);
}

static void rep_id_none(BRSKI_CERTREP *rep, BRSKI_CERTRESPONSE *one)
{
	(void)rep;
	ASN1_INTEGER_set_int64(one->cert_req_id, -1);
}

static void accepted_without_cert(BRSKI_CERTREP *rep, BRSKI_CERTRESPONSE *one)
{
	(void)rep;
	BRSKI_KEYPAIR_free(one->pair);
	one->pair = NULL;
}

static void rejected_with_cert(BRSKI_CERTREP *rep, BRSKI_CERTRESPONSE *one)
{
	(void)rep;
	ASN1_INTEGER_set(one->status->status, BRSKI_CMP_REJECTION);
}

static void status_5(BRSKI_CERTREP *rep, BRSKI_CERTRESPONSE *one)
{
	(void)rep;
	ASN1_INTEGER_set(one->status->status, 5);
}

static void accepted_with_failure(BRSKI_CERTREP *rep, BRSKI_CERTRESPONSE *one)
{
	(void)rep;
	one->status->fail_info = ASN1_BIT_STRING_new();
	ASN1_BIT_STRING_set_bit(one->status->fail_info, 2, 1);
}

static void with_private_key(BRSKI_CERTREP *rep, BRSKI_CERTRESPONSE *one)
{
	static const uint8_t some[] = {0x30, 0};

	(void)rep;
	one->pair->private_key = brski_asn1_any(brski_span(some, sizeof(some)));
}

static void encrypted_cert(BRSKI_CERTREP *rep, BRSKI_CERTRESPONSE *one)
{
	static const uint8_t some[] = {0x30, 0};

	(void)rep;
	X509_free(one->pair->cert->value.certificate);
	one->pair->cert->type = 1;
	one->pair->cert->value.encrypted = brski_asn1_any(brski_span(some, sizeof(some)));
}

static void set_text(BRSKI_STATUSINFO *status, const char *text, int times)
{
	status->text = sk_ASN1_UTF8STRING_new_null();
	for (int i = 0; i < times; i++) {
		ASN1_UTF8STRING *s = ASN1_UTF8STRING_new();

		ASN1_STRING_set(s, text, -1);
		sk_ASN1_UTF8STRING_push(status->text, s);
	}
}

static void bad_utf8(BRSKI_CERTREP *rep, BRSKI_CERTRESPONSE *one)
{
	(void)rep;
	set_text(one->status, "\xc3\x28", 1);
}

static void no_texts(BRSKI_CERTREP *rep, BRSKI_CERTRESPONSE *one)
{
	(void)rep;
	set_text(one->status, "", 0);
}

static void many_ca_pubs(BRSKI_CERTREP *rep, BRSKI_CERTRESPONSE *one)
{
	(void)one;
	rep->ca_pubs = sk_X509_new_null();
	for (int i = 0; i <= BRSKI_CMP_CA_CERTS_MAX; i++)
		X509_add_cert(rep->ca_pubs, world.root.cert, X509_ADD_FLAG_UP_REF);
}

START_TEST(cert_rep_rules)
{
	refused_rep(second_response, BRSKI_UNEXPECTED);
	refused_rep(no_response, BRSKI_UNEXPECTED);
	refused_rep(rep_id_1, BRSKI_UNEXPECTED);
	refused_rep(rep_id_none, BRSKI_UNEXPECTED);
	refused_rep(accepted_without_cert, BRSKI_UNEXPECTED);
	refused_rep(rejected_with_cert, BRSKI_UNEXPECTED);
	refused_rep(status_5, BRSKI_UNSUPPORTED);
	refused_rep(accepted_with_failure, BRSKI_UNEXPECTED);
	refused_rep(with_private_key, BRSKI_UNEXPECTED);
	refused_rep(encrypted_cert, BRSKI_UNSUPPORTED);
	refused_rep(many_ca_pubs, BRSKI_TOO_LARGE);
}
END_TEST

static void without_transaction(struct brski_cmp_draft *draft, void *ctx)
{
	draft->transaction_id = brski_span(NULL, 0);
	if (ctx)
		draft->content = brski_buf_span(ctx);
}

static struct brski_buf error_message(const char *text)
{
	struct brski_cmp msg = cmp_decode(&request);
	struct brski_buf error = {0};

	ck_assert_int_eq(brski_cmp_answer_error(&msg, &world.cmp, BRSKI_CMP_REJECTION,
				 BRSKI_CMP_BAD_DATA_FORMAT, text, NULL, &error, NULL),
		BRSKI_OK);
	brski_cmp_free(&msg);
	return error;
}

/* Whatever is wrong with an error message, the operator must read what it says. */
static void expect_words(struct brski_buf *der, enum brski_code code, const char *why, const char *words)
{
	struct brski_cmp_response r;
	struct brski_error err = {0};

	EXPECT_WHY(code, why,
		brski_cmp_response(brski_buf_span(der),
			&(struct brski_cmp_trust){.anchors = world.anchors, .now = time(NULL)}, &tx, &r,
			&err));
	ck_assert_msg(strstr(err.why, words) != NULL, "%s", err.why);
	brski_cmp_response_free(&r);
	brski_buf_free(der);
}

START_TEST(errors_keep_their_words)
{
	struct brski_credential stranger = pki_leaf("CN=Stranger", "P-256", NULL);
	struct brski_buf error = error_message("no such profile"), other;

	other = cmp_redo(&error, &world.cmp, without_transaction, NULL);
	expect_words(&other, BRSKI_MISMATCH, "transactionID", "badDataFormat no such profile");
	other = cmp_redo(&error, &stranger, NULL, NULL);
	expect_words(&other, BRSKI_UNTRUSTED, "signer", "badDataFormat no such profile");
	other = unprotected(&error);
	expect_words(&other, BRSKI_UNTRUSTED, "without protection", "badDataFormat no such profile");
	/* nothing else says anything */
	other = cmp_redo(&answer, &world.cmp, without_transaction, NULL);
	expect_words(&other, BRSKI_MISMATCH, "transactionID", "");
	brski_buf_free(&error);
	pki_free(&stranger);
}
END_TEST

static void set_error_text(struct brski_buf *content, const char *text, int times)
{
	BRSKI_ERRORMSG *msg = BRSKI_ERRORMSG_new();

	ck_assert_int_eq(ASN1_INTEGER_set(msg->status->status, BRSKI_CMP_REJECTION), 1);
	set_text(msg->status, text, times);
	ck_assert_int_eq(brski_asn1_write(msg, ASN1_ITEM_rptr(BRSKI_ERRORMSG), content, NULL), BRSKI_OK);
	BRSKI_ERRORMSG_free(msg);
}

static void read_error_text(const char *text, int times, struct brski_cmp_response *r)
{
	struct brski_buf error = error_message("x"), content = {0}, other;

	set_error_text(&content, text, times);
	other = cmp_redo(&error, &world.cmp, set_content, &content);
	ck_assert_int_eq(respond_at(&other, time(NULL), r), BRSKI_OK);
	brski_buf_free(&other);
	brski_buf_free(&content);
	brski_buf_free(&error);
}

/* A PKI that says too much: what there is room for is kept. */
START_TEST(long_errors_keep_their_words)
{
	struct brski_cmp_response r;
	char text[6000];

	memset(text, 'x', sizeof(text));
	memcpy(text, "no such profile", 15);
	text[sizeof(text) - 1] = '\0';
	read_error_text(text, 1, &r);
	ck_assert_int_eq(strncmp(r.text, "no such profilex", 16), 0);
	ck_assert_uint_eq(strlen(r.text), sizeof(r.text) - 1);
	brski_cmp_response_free(&r);
	read_error_text("again", 100, &r);
	ck_assert_int_eq(strncmp(r.text, "again; again", 12), 0);
	brski_cmp_response_free(&r);
}
END_TEST

START_TEST(free_text_rules)
{
	refused_rep(bad_utf8, BRSKI_MALFORMED);
	refused_rep(no_texts, BRSKI_MALFORMED);
}
END_TEST

START_TEST(free_text_is_printable)
{
	BRSKI_FREETEXT *texts = sk_ASN1_UTF8STRING_new_null();
	char out[BRSKI_CMP_TEXT_MAX] = "";

	for (int i = 0; i < 3; i++) {
		ASN1_UTF8STRING *s = ASN1_UTF8STRING_new();

		ASN1_STRING_set(s, i == 1 ? "gr\xc3\xbc\xc3\x9f\x65\x1b[m" : "hello", -1);
		sk_ASN1_UTF8STRING_push(texts, s);
	}
	ck_assert_int_eq(brski_cmp_text_read(texts, out, NULL), BRSKI_OK);
	ck_assert_str_eq(out, "hello; gr????e?[m; hello");
	/* cut, never beyond */
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(brski_cmp_text_read(texts, out, NULL), BRSKI_OK);
	ck_assert_uint_eq(strlen(out), BRSKI_CMP_TEXT_MAX - 1);
	BRSKI_FREETEXT_free(texts);
}
END_TEST

START_TEST(ca_pubs_are_handed_on)
{
	struct brski_cmp msg = cmp_decode(&request);
	struct brski_credential made = cmp_world_issue(&world, world.key);
	const struct brski_cmp_grant grant = {.status = BRSKI_CMP_GRANTED_WITH_MODS,
		.cert = made.cert,
		.chain = made.chain,
		.ca_pubs = world.anchors};
	struct brski_buf out = {0};
	struct brski_cmp_response r;

	ck_assert_int_eq(brski_cmp_answer_cert(&msg, &world.cmp, &grant, NULL, &out, NULL), BRSKI_OK);
	ck_assert_int_eq(respond_at(&out, time(NULL), &r), BRSKI_OK);
	ck_assert_int_eq(r.status, BRSKI_CMP_GRANTED_WITH_MODS);
	ck_assert_int_eq(sk_X509_num(r.ca_pubs), 1);
	ck_assert(brski_cert_equal(sk_X509_value(r.ca_pubs, 0), world.root.cert));
	brski_cmp_response_free(&r);
	brski_buf_free(&out);
	brski_cmp_free(&msg);
	pki_free(&made);
}
END_TEST

/* ---- other bodies ---- */

struct body {
	int type;
	struct brski_span content;
};

static void set_body(struct brski_cmp_draft *draft, void *ctx)
{
	const struct body *body = ctx;

	draft->type = body->type;
	draft->content = body->content;
}

#define BODY(t, want, ...) \
	do { \
		static const uint8_t octets[] = {__VA_ARGS__}; \
		struct body body = {t, brski_span(octets, sizeof(octets))}; \
		if ((want) == BRSKI_OK) \
			accepted_redone(&world.cmp, set_body, &body); \
		else \
			refused_redone(&world.cmp, set_body, &body, want); \
	} while (0)

START_TEST(other_bodies)
{
	BODY(BRSKI_CMP_PKICONF, BRSKI_OK, 5, 0);
	BODY(BRSKI_CMP_PKICONF, BRSKI_MALFORMED, 2, 1, 0);
	BODY(BRSKI_CMP_ERROR, BRSKI_OK, 0x30, 5, 0x30, 3, 2, 1, 2);
	BODY(BRSKI_CMP_ERROR, BRSKI_UNEXPECTED, 0x30, 5, 0x30, 3, 2, 1, 0); /* accepted */
	BODY(BRSKI_CMP_ERROR, BRSKI_MALFORMED, 0x30, 0);
	BODY(BRSKI_CMP_POLLREP, BRSKI_OK, 0x30, 8, 0x30, 6, 2, 1, 0, 2, 1, 9);
	BODY(BRSKI_CMP_POLLREP, BRSKI_MALFORMED, 0x30, 8, 0x30, 6, 2, 1, 0, 2, 1, 0xff); /* in -1 s */
	BODY(BRSKI_CMP_POLLREP, BRSKI_MALFORMED, 0x30, 12, 0x30, 10, 2, 1, 0, 2, 5, 1, 0, 0, 0, 0);
	BODY(BRSKI_CMP_POLLREP, BRSKI_UNEXPECTED, 0x30, 8, 0x30, 6, 2, 1, 7, 2, 1, 9); /* certReqId 7 */
	BODY(BRSKI_CMP_POLLREP, BRSKI_UNEXPECTED, 0x30, 16, 0x30, 6, 2, 1, 0, 2, 1, 9, 0x30, 6, 2, 1, 0, 2, 1,
		9);
	BODY(BRSKI_CMP_GENP, BRSKI_OK, 0x30, 7, 0x30, 5, 6, 3, 0x2a, 3, 4);
	BODY(BRSKI_CMP_GENP, BRSKI_UNEXPECTED, 0x30, 14, 0x30, 5, 6, 3, 0x2a, 3, 4, 0x30, 5, 6, 3, 0x2a, 3,
		5);
	/* caCerts that are no certificates */
	BODY(BRSKI_CMP_GENP, BRSKI_MALFORMED, 0x30, 14, 0x30, 12, 6, 8, 0x2b, 6, 1, 5, 5, 7, 4, 0x11, 5, 0);
	/* requests */
	BODY(BRSKI_CMP_POLLREQ, BRSKI_UNEXPECTED, 0x30, 5, 0x30, 3, 2, 1, 0);
	BODY(BRSKI_CMP_NESTED, BRSKI_UNEXPECTED, 0x30, 0);
}
END_TEST

/* ---- the new certificate ---- */

static enum brski_code check_issued(
	X509 *cert, enum brski_cmp_status status, const STACK_OF(X509) *extra, time_t now)
{
	struct brski_cmp_response r = {
		.type = BRSKI_CMP_IP,
		.status = status,
		.cert = cert,
		.extra_certs = (STACK_OF(X509) *)(uintptr_t)extra,
	};
	STACK_OF(X509) *chain;
	enum brski_code code =
		brski_cmp_cert_check(&r, world.key, world.subject, world.anchors, now, &chain, NULL);

	ck_assert((code == BRSKI_OK) == (chain != NULL));
	sk_X509_pop_free(chain, X509_free);
	return code;
}

static enum brski_code issue_and_check(const struct pki_spec *spec, enum brski_cmp_status status)
{
	struct brski_credential made = pki_make(spec, &world.ca);
	enum brski_code code = check_issued(made.cert, status, made.chain, time(NULL));

	pki_free(&made);
	return code;
}

START_TEST(certificate_rules)
{
	struct pki_spec good = {.subject = CMP_WORLD_SUBJECT, .key = world.key}, spec;

	ck_assert_int_eq(issue_and_check(&good, BRSKI_CMP_ACCEPTED), BRSKI_OK);
	spec = good;
	spec.key = NULL; /* a key of its own */
	ck_assert_int_eq(issue_and_check(&spec, BRSKI_CMP_ACCEPTED), BRSKI_MISMATCH);
	spec.key_type = "RSA-2048";
	ck_assert_int_eq(issue_and_check(&spec, BRSKI_CMP_ACCEPTED), BRSKI_MISMATCH);
	spec = good;
	/* still this device, in a CA's own way to say so */
	spec.subject = "CN=Gadget 8,serialNumber=S-7";
	ck_assert_int_eq(issue_and_check(&spec, BRSKI_CMP_ACCEPTED), BRSKI_OK);
	ck_assert_int_eq(issue_and_check(&spec, BRSKI_CMP_GRANTED_WITH_MODS), BRSKI_OK);
	spec.subject = "CN=Gadget 7,serialNumber=S-8";
	ck_assert_int_eq(issue_and_check(&spec, BRSKI_CMP_GRANTED_WITH_MODS), BRSKI_MISMATCH);
	spec.subject = "CN=Gadget 7,serialNumber=s-7"; /* one identity, one equality */
	ck_assert_int_eq(issue_and_check(&spec, BRSKI_CMP_ACCEPTED), BRSKI_MISMATCH);
	spec.subject = "CN=Gadget 7,serialNumber= S-7";
	ck_assert_int_eq(issue_and_check(&spec, BRSKI_CMP_ACCEPTED), BRSKI_MISMATCH);
	spec.subject = "CN=Gadget 7,serialNumber=S-7,serialNumber=S-8";
	ck_assert_int_eq(issue_and_check(&spec, BRSKI_CMP_GRANTED_WITH_MODS), BRSKI_MISMATCH);
	spec.subject = "CN=Gadget 7";
	ck_assert_int_eq(issue_and_check(&spec, BRSKI_CMP_GRANTED_WITH_MODS), BRSKI_MISMATCH);
	spec = good;
	spec.ca = true;
	spec.key_usage = "digitalSignature,keyCertSign";
	ck_assert_int_eq(issue_and_check(&spec, BRSKI_CMP_ACCEPTED), BRSKI_UNEXPECTED);
	spec = good;
	spec.eku = "clientAuth,cmcRA";
	ck_assert_int_eq(issue_and_check(&spec, BRSKI_CMP_ACCEPTED), BRSKI_UNEXPECTED);
	ck_assert_int_eq(issue_and_check(&spec, BRSKI_CMP_GRANTED_WITH_MODS), BRSKI_UNEXPECTED);
	spec.eku = "clientAuth";
	ck_assert_int_eq(issue_and_check(&spec, BRSKI_CMP_ACCEPTED), BRSKI_OK);
	spec = good;
	spec.key_usage = "keyEncipherment";
	ck_assert_int_eq(issue_and_check(&spec, BRSKI_CMP_ACCEPTED), BRSKI_UNEXPECTED);
	spec.key_usage = "nonRepudiation";
	ck_assert_int_eq(issue_and_check(&spec, BRSKI_CMP_ACCEPTED), BRSKI_UNEXPECTED);
	spec = good;
	spec.not_before = 1000000000;
	spec.not_after = 1100000000;
	ck_assert_int_eq(issue_and_check(&spec, BRSKI_CMP_ACCEPTED), BRSKI_EXPIRED);
	spec.not_before = time(NULL) + 1000;
	spec.not_after = time(NULL) + 9000;
	ck_assert_int_eq(issue_and_check(&spec, BRSKI_CMP_ACCEPTED), BRSKI_EXPIRED);
}
END_TEST

static enum brski_code check_named(const char *const parts[][2], size_t n, int set, const X509_NAME *wanted)
{
	struct brski_credential made =
		pki_make(&(struct pki_spec){.subject = "CN=x", .key = world.key}, &world.ca);
	struct brski_cmp_response r = {
		.status = BRSKI_CMP_ACCEPTED, .cert = made.cert, .extra_certs = made.chain};
	X509_NAME *name = X509_NAME_new();
	STACK_OF(X509) *chain;
	enum brski_code code;

	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(X509_NAME_add_entry_by_txt(name, parts[i][0], MBSTRING_UTF8,
					 (const unsigned char *)parts[i][1], -1, -1, i ? set : 0),
			1);
	ck_assert_int_eq(X509_set_subject_name(made.cert, name), 1);
	ck_assert_int_gt(X509_sign(made.cert, world.ca.key, EVP_sha256()), 0);
	code = brski_cmp_cert_check(&r, world.key, wanted, world.anchors, time(NULL), &chain, NULL);
	pki_free_certs(chain);
	X509_NAME_free(name);
	pki_free(&made);
	return code;
}

/* A CA puts a name in an order of its own, adds to it, or makes one RDN of it, and says accepted. */
START_TEST(subject_in_the_ca_s_own_words)
{
	static const char *const turned[][2] = {{"serialNumber", "S-7"}, {"CN", "Gadget 7"}},
				 *const more[][2] = {{"O", "Site"}, {"OU", "Sensors"}, {"CN", "Gadget 7"},
					 {"serialNumber", "S-7"}},
				 *const other[][2] = {{"serialNumber", "S-8"}, {"CN", "Gadget 7"}},
				 *const cn[][2] = {{"OU", "Sensors"}, {"CN", "Gadget 7"}},
				 *const two[][2] = {{"CN", "Gadget 7"}, {"CN", "Gadget 8"}};
	X509_NAME *plain = X509_NAME_new(); /* without a serial number, the whole name tells devices apart */

	ck_assert_int_eq(X509_NAME_add_entry_by_txt(
				 plain, "CN", MBSTRING_UTF8, (const unsigned char *)"Gadget 7", -1, -1, 0),
		1);
	ck_assert_int_eq(check_named(turned, 2, 0, world.subject), BRSKI_OK);
	ck_assert_int_eq(check_named(turned, 2, -1, world.subject), BRSKI_OK);
	ck_assert_int_eq(check_named(more, 4, 0, world.subject), BRSKI_OK);
	ck_assert_int_eq(check_named(other, 2, 0, world.subject), BRSKI_MISMATCH);
	ck_assert_int_eq(check_named(cn, 2, 0, world.subject), BRSKI_MISMATCH);
	ck_assert_int_eq(check_named(cn, 2, 0, plain), BRSKI_OK);
	ck_assert_int_eq(check_named(two, 2, 0, plain), BRSKI_MISMATCH);
	ck_assert_int_eq(check_named(turned, 2, 0, plain), BRSKI_MISMATCH);
	ck_assert_int_eq(check_named(other, 1, 0, plain), BRSKI_MISMATCH);
	X509_NAME_free(plain);
}
END_TEST

/* Of two that fit, the first leads nowhere: an old certificate of the signer, or anybody's copy of it. */
START_TEST(signer_is_the_next_that_fits)
{
	struct pki_spec spec = {.subject = "CN=Site CMP", .eku = "cmcCA", .key = world.cmp.key};
	struct brski_credential stranger = pki_make(&spec, &world.maker_ca);
	STACK_OF(X509) *known = pki_certs(&world.cmp, NULL);
	struct brski_buf other = cmp_redo(&answer, &stranger, NULL, NULL);
	const struct brski_cmp_trust trust = {.anchors = world.anchors, .known = known, .now = time(NULL)};
	struct brski_cmp_response r;
	struct brski_error err = {0};

	ck_assert_msg(
		brski_cmp_response(brski_buf_span(&other), &trust, &tx, &r, &err) == BRSKI_OK, "%s", err.why);
	brski_cmp_response_free(&r);
	brski_buf_free(&other);
	pki_free_certs(known);
	pki_free(&stranger);
}
END_TEST

/* RFC 5216 5.3: with an extended key usage, it takes one of two to log in by EAP-TLS. */
START_TEST(certificate_is_good_for_a_login)
{
	static const struct {
		const char *eku;
		bool good;
	} cases[] = {
		{NULL, true},
		{"clientAuth", true},
		{"serverAuth,clientAuth", true}, /* the PKI's template says so */
		{"anyExtendedKeyUsage", true},
		{"serverAuth", false},
		{"emailProtection,codeSigning", false},
		{"1.3.6.1.4.1.32473.1", false},
		{"DER:3000", false},
		{"DER:0500", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pki_spec spec = {.subject = CMP_WORLD_SUBJECT, .key = world.key, .eku = cases[i].eku};

		ck_assert_msg(issue_and_check(&spec, BRSKI_CMP_ACCEPTED) ==
				      (cases[i].good ? BRSKI_OK : BRSKI_UNEXPECTED),
			"%s", cases[i].eku);
	}
}
END_TEST

START_TEST(certificate_without_clock)
{
	struct pki_spec spec = {.subject = CMP_WORLD_SUBJECT,
		.key = world.key,
		.not_before = 1000000000,
		.not_after = 1100000000};
	struct brski_credential made = pki_make(&spec, &world.ca);

	ck_assert_int_eq(check_issued(made.cert, BRSKI_CMP_ACCEPTED, made.chain, 0), BRSKI_OK);
	pki_free(&made);
}
END_TEST

START_TEST(certificate_chain)
{
	struct pki_spec spec = {.subject = CMP_WORLD_SUBJECT, .key = world.key};
	struct brski_credential made = pki_make(&spec, &world.ca), foreign = pki_make(&spec, &world.maker_ca);
	STACK_OF(X509) *none = sk_X509_new_null();

	ck_assert_int_eq(check_issued(made.cert, BRSKI_CMP_ACCEPTED, none, time(NULL)), BRSKI_UNTRUSTED);
	ck_assert_int_eq(
		check_issued(foreign.cert, BRSKI_CMP_ACCEPTED, foreign.chain, time(NULL)), BRSKI_UNTRUSTED);
	ck_assert_int_eq(check_issued(NULL, BRSKI_CMP_ACCEPTED, none, time(NULL)), BRSKI_UNEXPECTED);
	sk_X509_free(none);
	pki_free(&made);
	pki_free(&foreign);
}
END_TEST

/* extraCerts in any order and with strangers between (RFC 9483 3.3) give leaf and intermediates in order. */
START_TEST(certificate_chain_is_put_in_order)
{
	struct brski_credential sub = pki_ca("CN=Site Sub CA,O=Site", &world.ca);
	struct brski_credential made =
		pki_make(&(struct pki_spec){.subject = CMP_WORLD_SUBJECT, .key = world.key}, &sub);
	struct brski_cmp_response r = {.status = BRSKI_CMP_ACCEPTED, .cert = made.cert};
	STACK_OF(X509) *chain;

	r.extra_certs = sk_X509_new_null();
	sk_X509_push(r.extra_certs, world.root.cert);
	sk_X509_push(r.extra_certs, world.maker_ca.cert);
	sk_X509_push(r.extra_certs, world.ca.cert);
	sk_X509_push(r.extra_certs, world.idevid.cert);
	sk_X509_push(r.extra_certs, sub.cert);
	ck_assert_int_eq(
		brski_cmp_cert_check(&r, world.key, world.subject, world.anchors, time(NULL), &chain, NULL),
		BRSKI_OK);
	ck_assert_int_eq(sk_X509_num(chain), 3);
	ck_assert(brski_cert_equal(sk_X509_value(chain, 0), made.cert));
	ck_assert(brski_cert_equal(sk_X509_value(chain, 1), sub.cert));
	ck_assert(brski_cert_equal(sk_X509_value(chain, 2), world.ca.cert));
	pki_free_certs(chain);
	sk_X509_free(r.extra_certs);
	pki_free(&made);
	pki_free(&sub);
}
END_TEST

/* ---- damage: whatever still passes brings the same certificate ---- */

static void damaged_brings_nothing_else(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	const X509 *issued = ctx;
	struct brski_cmp_transaction at = tx_copy(&tx);
	struct brski_cmp_response r;

	if (brski_cmp_response(damaged,
		    &(struct brski_cmp_trust){.anchors = world.anchors, .now = time(NULL)}, &at, &r,
		    NULL) == BRSKI_OK)
		ck_assert_msg(r.type == BRSKI_CMP_IP && brski_cert_equal(r.cert, issued), "%s at %zu",
			how->kind, how->at);
	brski_cmp_response_free(&r);
	brski_cmp_transaction_free(&at);
	ERR_clear_error();
}

START_TEST(damaged_answers)
{
	struct brski_cmp_response r;

	ck_assert_int_eq(respond_at(&answer, time(NULL), &r), BRSKI_OK);
	mutate_octets_once(brski_buf_span(&answer), damaged_brings_nothing_else, r.cert);
	mutate_truncations(brski_buf_span(&answer), damaged_brings_nothing_else, r.cert);
	brski_cmp_response_free(&r);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cmp response");
	TCase *tc = tcase_create("checks");
	SRunner *runner;
	int failed;

	world = cmp_world_new("P-256");
	tcase_add_checked_fixture(tc, make_messages, free_messages);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, header_rules);
	tcase_add_test(tc, nonces_have_a_limit);
	tcase_add_test(tc, transaction_goes_on);
	tcase_add_test(tc, replayed_answer);
	tcase_add_test(tc, broken_signature);
	tcase_add_test(tc, signer_of_a_foreign_domain);
	tcase_add_loop_test(tc, signer_must_be_authorized, 0, SIGNERS);
	tcase_add_test(tc, signer_may_be_named);
	tcase_add_test(tc, expired_signer);
	tcase_add_test(tc, signer_known_but_not_sent);
	tcase_add_test(tc, unprotected_answer);
	tcase_add_test(tc, unprotected_error);
	tcase_add_test(tc, errors_keep_their_words);
	tcase_add_test(tc, long_errors_keep_their_words);
	tcase_add_test(tc, cert_rep_rules);
	tcase_add_test(tc, free_text_rules);
	tcase_add_test(tc, free_text_is_printable);
	tcase_add_test(tc, ca_pubs_are_handed_on);
	tcase_add_test(tc, other_bodies);
	tcase_add_test(tc, certificate_rules);
	tcase_add_test(tc, subject_in_the_ca_s_own_words);
	tcase_add_test(tc, signer_is_the_next_that_fits);
	tcase_add_test(tc, certificate_is_good_for_a_login);
	tcase_add_test(tc, certificate_without_clock);
	tcase_add_test(tc, certificate_chain);
	tcase_add_test(tc, certificate_chain_is_put_in_order);
	tcase_add_test(tc, damaged_answers);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	cmp_world_free(&world);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
