/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include <openssl/x509v3.h>

#include "services/ca/ca.h"
#include "services/ca/ca_issue_internal.h"
#include "tests/unit/support/ca_rows.h"
#include "tests/unit/support/cmp_world.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/mutate.h"

/* The CA from HTTP request to response, without sockets. */

#define DAY 86400
#define PATH "/.well-known/cmp/initialization"

static struct brski_error err;
static struct cmp_world w;
static STACK_OF(X509) *makers;
static struct brski_http response;
static struct brski_cmp_response answer;
static struct brski_cmp_transaction tx;
static char what[CA_WHAT_MAX];
static time_t clock_now;
static struct ca ca;

static time_t test_now(void *ctx)
{
	(void)ctx;
	return clock_now;
}

static int same_octets(void *ctx, uint8_t *out, size_t len)
{
	(void)ctx;
	memset(out, 0x5a, len);
	return 0;
}

static const struct brski_env env = {.now = test_now};
/* every transactionID and nonce is the same */
static const struct brski_env env_stuck = {.now = test_now, .random = same_octets};

static void setup(void)
{
	clock_now = time(NULL);
	w = cmp_world_new("P-256");
	makers = pki_certs(&w.maker, NULL);
	ca = (struct ca){.env = &env,
		.issuer = &w.ca,
		.cmp_signer = &w.cmp,
		.ra_anchors = w.anchors,
		.idevid_anchors = makers,
		.days = 30,
		.confirm_wait = 600};
	EXPECT(BRSKI_OK, ca_store_open(":memory:", &ca.store, &err));
}

static void teardown(void)
{
	ca_store_close(ca.store);
	brski_http_free(&response);
	brski_cmp_response_free(&answer);
	brski_cmp_transaction_free(&tx);
	pki_free_certs(makers);
	cmp_world_free(&w);
}

/* ---- Requests ---- */

static unsigned send(const char *method, const char *path, const char *type, struct brski_span body)
{
	struct brski_http request = {0};

	brski_http_free(&response);
	EXPECT(BRSKI_OK, brski_http_request(&request, method, path, type, body, &err));
	ca_handle(&ca, &request, &response, what);
	brski_http_free(&request);
	return response.status;
}

static void post(struct brski_span der)
{
	ck_assert_msg(send("POST", PATH, BRSKI_MEDIA_CMP, der) == 200, "%s", what);
	ck_assert_str_eq(brski_http_get(&response, "content-type"), BRSKI_MEDIA_CMP);
}

/* What the registrar makes of a device's message. */
static void post_through(const struct brski_credential *ra, const struct brski_buf *der)
{
	struct brski_cmp msg = cmp_decode(der);
	struct brski_buf nested = {0};

	EXPECT(BRSKI_OK, brski_cmp_nest(&msg, ra, &nested, &err));
	post(brski_buf_span(&nested));
	brski_buf_free(&nested);
	brski_cmp_free(&msg);
}

/* As the device reads it. */
static void read_answer(void)
{
	brski_cmp_response_free(&answer);
	EXPECT(BRSKI_OK, brski_cmp_response(brski_buf_span(&response.body),
				 &(struct brski_cmp_trust){.anchors = w.anchors, .now = clock_now}, &tx,
				 &answer, &err));
}

static void expect_refusal(int type, enum brski_cmp_fail fail, const char *words)
{
	struct brski_cmp msg = cmp_decode(&response.body);

	brski_cmp_response_free(&answer);
	EXPECT(BRSKI_OK, brski_cmp_response_read(&msg, &answer, &err));
	ck_assert_int_eq(answer.type, type);
	ck_assert_int_eq(answer.status, BRSKI_CMP_REJECTION);
	ck_assert_msg(answer.fail == fail, "%s: %s", brski_cmp_fail_name(answer.fail), answer.text);
	ck_assert_msg(strstr(answer.text, words) != NULL, "%s", answer.text);
	ck_assert_ptr_null(answer.cert);
	ck_assert(msg.is_protected);
	brski_cmp_free(&msg);
}

static void expect_certificate(void)
{
	STACK_OF(X509) *chain = NULL;

	read_answer();
	ck_assert_int_eq(answer.status, BRSKI_CMP_ACCEPTED);
	EXPECT(BRSKI_OK, brski_cmp_cert_check(&answer, w.key, w.subject, w.anchors, clock_now, &chain, &err));
	pki_free_certs(chain);
}

static struct brski_buf enroll(EVP_PKEY *key, const X509_NAME *subject, const struct brski_env *with)
{
	struct brski_cmp_enroll request = {.signer = &w.idevid, .key = key, .subject = subject};
	struct brski_buf out = {0};

	EXPECT(BRSKI_OK, brski_cmp_enroll(&request, with, &tx, &out, &err));
	return out;
}

static X509_NAME *name(const char *text)
{
	X509_NAME *made;

	EXPECT(BRSKI_OK, ca_name_parse(text, &made, &err));
	return made;
}

/* ---- Certificates ---- */

START_TEST(ir_through_a_registrar)
{
	struct brski_buf request = cmp_enroll(&w, false, false, &tx);

	post_through(&w.ra, &request);
	expect_certificate();
	ck_assert_int_eq(answer.type, BRSKI_CMP_IP);
	ck_assert(!answer.implicit_confirm);
	ck_assert_uint_eq(ca_rows(ca.store).n, 1);
	ck_assert_int_eq(ca_rows(ca.store).state, CA_WAITING);
	brski_buf_free(&request);
}
END_TEST

START_TEST(p10cr_through_a_registrar)
{
	struct brski_buf request = cmp_enroll(&w, true, false, &tx);

	post_through(&w.ra, &request);
	expect_certificate();
	ck_assert_int_eq(answer.type, BRSKI_CMP_CP);
	brski_buf_free(&request);
}
END_TEST

START_TEST(ir_from_the_device_itself)
{
	struct brski_buf request = cmp_enroll(&w, false, false, &tx);

	post(brski_buf_span(&request));
	expect_refusal(BRSKI_CMP_ERROR, BRSKI_CMP_NOT_AUTHORIZED, "registration authority only");
	ca.client_anchors = makers;
	post(brski_buf_span(&request));
	expect_certificate();
	brski_buf_free(&request);
}
END_TEST

START_TEST(profile)
{
	struct brski_buf request = cmp_enroll(&w, false, false, &tx);
	const ASN1_INTEGER *number;
	int days, seconds;

	post_through(&w.ra, &request);
	expect_certificate();
	number = X509_get0_serialNumber(answer.cert);
	ck_assert_int_eq(ASN1_STRING_length(number), 16);
	ck_assert_uint_eq(X509_get_key_usage(answer.cert), KU_DIGITAL_SIGNATURE);
	ck_assert_uint_eq(X509_get_extended_key_usage(answer.cert), XKU_SSL_CLIENT);
	ck_assert_ptr_nonnull(X509_get0_subject_key_id(answer.cert));
	ck_assert_ptr_nonnull(X509_get0_authority_key_id(answer.cert));
	ck_assert(!brski_cert_is_ca(answer.cert));
	ck_assert_int_eq(ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(answer.cert),
				 X509_get0_notAfter(answer.cert)),
		1);
	ck_assert_int_eq(days, 30);
	brski_buf_free(&request);
}
END_TEST

START_TEST(no_certificate_outlives_its_issuer)
{
	struct brski_buf request = cmp_enroll(&w, false, false, &tx);

	ca.days = 36500;
	post_through(&w.ra, &request);
	read_answer();
	ck_assert_int_eq(
		ASN1_TIME_compare(X509_get0_notAfter(answer.cert), X509_get0_notAfter(w.ca.cert)), 0);
	brski_buf_free(&request);
}
END_TEST

START_TEST(an_expired_issuer_issues_nothing)
{
	struct pki_spec spec = {
		.subject = "CN=Old CA", .ca = true, .not_before = 1000, .not_after = clock_now - DAY};
	struct brski_credential old = pki_make(&spec, &w.root);
	struct brski_buf request = cmp_enroll(&w, false, false, &tx);

	ca.issuer = &old;
	post_through(&w.ra, &request);
	expect_refusal(BRSKI_CMP_ERROR, brski_code_cmp_fail(BRSKI_EXPIRED), "cannot issue");
	ck_assert_uint_eq(ca_rows(ca.store).n, 0);
	brski_buf_free(&request);
	pki_free(&old);
}
END_TEST

START_TEST(root_in_ca_pubs_of_ip)
{
	struct brski_credential issuer = {w.ca.key, w.ca.cert, pki_certs(&w.root, NULL)};
	struct brski_buf request = cmp_enroll(&w, false, false, &tx);
	struct brski_buf p10 = {0};

	ca.issuer = &issuer;
	ca.send_ca_pubs = true;
	post_through(&w.ra, &request);
	expect_certificate();
	ck_assert_int_eq(sk_X509_num(answer.ca_pubs), 1);
	ck_assert(brski_cert_equal(sk_X509_value(answer.ca_pubs, 0), w.root.cert));
	brski_cmp_transaction_free(&tx);
	p10 = cmp_enroll(&w, true, false, &tx);
	post_through(&w.ra, &p10);
	expect_certificate();
	ck_assert_int_le(sk_X509_num(answer.ca_pubs), 0); /* RFC 9483 4.1.2 */
	brski_buf_free(&request);
	brski_buf_free(&p10);
	pki_free_certs(issuer.chain);
}
END_TEST

/* ---- Once only ---- */

START_TEST(same_request_same_answer)
{
	struct brski_buf request = cmp_enroll(&w, false, false, &tx);
	struct brski_buf first = {0};

	post_through(&w.ra, &request);
	brski_buf_move(&first, &response.body);
	post_through(&w.ra, &request); /* the wrapper is signed anew, what is in it is the same */
	ck_assert(brski_span_equal(brski_buf_span(&first), brski_buf_span(&response.body)));
	ck_assert_uint_eq(ca_rows(ca.store).n, 1);
	brski_buf_free(&first);
	brski_buf_free(&request);
}
END_TEST

START_TEST(the_store_outlives_the_ca)
{
	struct brski_buf request = cmp_enroll(&w, false, false, &tx);
	struct brski_buf first = {0};
	char dir[64], path[80];

	temp_make(dir);
	snprintf(path, sizeof(path), "%s/ca.db", dir);
	ca_store_close(ca.store);
	EXPECT(BRSKI_OK, ca_store_open(path, &ca.store, &err));
	post_through(&w.ra, &request);
	brski_buf_move(&first, &response.body);
	ca_store_close(ca.store);
	EXPECT(BRSKI_OK, ca_store_open(path, &ca.store, &err));
	post_through(&w.ra, &request);
	ck_assert(brski_span_equal(brski_buf_span(&first), brski_buf_span(&response.body)));
	ck_assert_uint_eq(ca_rows(ca.store).n, 1);
	ca_store_close(ca.store);
	ca.store = NULL;
	temp_remove(dir);
	brski_buf_free(&first);
	brski_buf_free(&request);
}
END_TEST

/* RFC 9483 3.5 */
START_TEST(transaction_id_in_use)
{
	X509_NAME *other = name("CN=Other,serialNumber=S-7");
	struct brski_buf first = enroll(w.key, w.subject, &env_stuck);
	struct brski_buf second = enroll(w.key, other, &env_stuck);

	post_through(&w.ra, &first);
	expect_certificate();
	post_through(&w.ra, &second);
	expect_refusal(BRSKI_CMP_ERROR, BRSKI_CMP_TRANSACTION_ID_IN_USE, "another request");
	ck_assert_uint_eq(ca_rows(ca.store).n, 1);
	X509_NAME_free(other);
	brski_buf_free(&first);
	brski_buf_free(&second);
}
END_TEST

/* ---- Confirmation ---- */

static void enroll_one(void)
{
	struct brski_buf request = cmp_enroll(&w, false, false, &tx);

	post_through(&w.ra, &request);
	expect_certificate();
	brski_buf_free(&request);
}

static struct brski_buf make_conf(const struct brski_credential *signer, const X509 *cert, const char *reject)
{
	struct brski_buf out = {0};

	EXPECT(BRSKI_OK, brski_cmp_cert_conf(signer, false, cert,
				 reject ? BRSKI_CMP_INCORRECT_DATA : BRSKI_CMP_FAIL_NONE, reject, &env, &tx,
				 &out, &err));
	return out;
}

static void send_conf(const struct brski_credential *signer, const X509 *cert, const char *reject)
{
	struct brski_buf conf = make_conf(signer, cert, reject);

	post_through(&w.ra, &conf);
	brski_buf_free(&conf);
}

START_TEST(confirmed)
{
	enroll_one();
	send_conf(&w.idevid, answer.cert, NULL);
	read_answer();
	ck_assert_int_eq(answer.type, BRSKI_CMP_PKICONF);
	ck_assert_int_eq(ca_rows(ca.store).state, CA_CONFIRMED);
	clock_now += 10000; /* does not lapse any more */
	enroll_one();
	ck_assert_uint_eq(ca_rows(ca.store).n, 2);
}
END_TEST

START_TEST(confirmed_twice)
{
	struct brski_buf conf, first = {0};

	enroll_one();
	conf = make_conf(&w.idevid, answer.cert, NULL);
	post_through(&w.ra, &conf);
	brski_buf_move(&first, &response.body);
	post_through(&w.ra, &conf);
	ck_assert(brski_span_equal(brski_buf_span(&first), brski_buf_span(&response.body)));
	read_answer();
	ck_assert_int_eq(answer.type, BRSKI_CMP_PKICONF);
	brski_buf_free(&conf);
	brski_buf_free(&first);
}
END_TEST

START_TEST(rejected_by_the_device)
{
	X509 *cert;

	enroll_one();
	cert = X509_dup(answer.cert);
	send_conf(&w.idevid, cert, "not what was asked for");
	read_answer();
	ck_assert_int_eq(answer.type, BRSKI_CMP_PKICONF);
	ck_assert_int_eq(ca_rows(ca.store).state, CA_REJECTED);
	ck_assert_ptr_nonnull(strstr(what, "not what was asked for"));
	X509_free(cert);
}
END_TEST

START_TEST(rejected_and_then_confirmed)
{
	X509 *cert;
	struct brski_buf conf;
	struct brski_buf before = {0};

	enroll_one();
	cert = X509_dup(answer.cert);
	ck_assert_int_eq(brski_buf_set(&before, brski_buf_span(&tx.peer_nonce)), BRSKI_OK);
	send_conf(&w.idevid, cert, "no");
	read_answer();
	brski_buf_move(&tx.peer_nonce, &before);
	conf = make_conf(&w.idevid, cert, NULL);
	post_through(&w.ra, &conf);
	expect_refusal(BRSKI_CMP_ERROR, BRSKI_CMP_BAD_REQUEST, "rejected already");
	ck_assert_int_eq(ca_rows(ca.store).state, CA_REJECTED);
	X509_free(cert);
	brski_buf_free(&conf);
}
END_TEST

START_TEST(confirmation_of_another_certificate)
{
	enroll_one();
	send_conf(&w.idevid, w.idevid.cert, NULL);
	expect_refusal(BRSKI_CMP_ERROR, BRSKI_CMP_BAD_CERT_ID, "certHash");
	ck_assert_int_eq(ca_rows(ca.store).state, CA_WAITING);
}
END_TEST

START_TEST(confirmation_by_another_device)
{
	struct brski_credential neighbour = pki_leaf("CN=Neighbour,serialNumber=S-8", "P-256", &w.maker_ca);

	enroll_one();
	send_conf(&neighbour, answer.cert, NULL);
	expect_refusal(BRSKI_CMP_ERROR, BRSKI_CMP_NOT_AUTHORIZED, "another device");
	ck_assert_int_eq(ca_rows(ca.store).state, CA_WAITING);
	pki_free(&neighbour);
}
END_TEST

START_TEST(confirmation_with_another_nonce)
{
	enroll_one();
	tx.peer_nonce.data[0] ^= 1;
	send_conf(&w.idevid, answer.cert, NULL);
	expect_refusal(BRSKI_CMP_ERROR, BRSKI_CMP_BAD_RECIPIENT_NONCE, "recipNonce");
	ck_assert_int_eq(ca_rows(ca.store).state, CA_WAITING);
}
END_TEST

/* RFC 9483 4.1.1 and 4.1.4: 0 after ir, -1 after p10cr */
START_TEST(confirmation_under_another_id)
{
	struct brski_buf request, conf = {0};

	enroll_one();
	EXPECT(BRSKI_OK, brski_cmp_cert_conf(&w.idevid, true, answer.cert, BRSKI_CMP_FAIL_NONE, NULL, &env,
				 &tx, &conf, &err));
	post_through(&w.ra, &conf);
	expect_refusal(BRSKI_CMP_ERROR, BRSKI_CMP_BAD_REQUEST, "certReqId");
	request = cmp_enroll(&w, true, false, &tx);
	post_through(&w.ra, &request);
	expect_certificate();
	send_conf(&w.idevid, answer.cert, NULL);
	expect_refusal(BRSKI_CMP_ERROR, BRSKI_CMP_BAD_REQUEST, "certReqId");
	ck_assert_int_eq(ca_rows(ca.store).state, CA_WAITING);
	brski_buf_free(&request);
	brski_buf_free(&conf);
}
END_TEST

/* RFC 9483 3.1: nonces are fresh */
START_TEST(confirmation_with_the_nonce_of_the_request)
{
	struct brski_buf request = enroll(w.key, w.subject, &env_stuck), conf = {0};

	post_through(&w.ra, &request);
	expect_certificate();
	EXPECT(BRSKI_OK, brski_cmp_cert_conf(&w.idevid, false, answer.cert, BRSKI_CMP_FAIL_NONE, NULL,
				 &env_stuck, &tx, &conf, &err));
	post_through(&w.ra, &conf);
	expect_refusal(BRSKI_CMP_ERROR, BRSKI_CMP_BAD_SENDER_NONCE, "senderNonce");
	ck_assert_int_eq(ca_rows(ca.store).state, CA_WAITING);
	brski_buf_free(&request);
	brski_buf_free(&conf);
}
END_TEST

START_TEST(confirmation_of_nothing)
{
	enroll_one();
	tx.id.data[0] ^= 1;
	send_conf(&w.idevid, answer.cert, NULL);
	expect_refusal(BRSKI_CMP_ERROR, BRSKI_CMP_BAD_REQUEST, "no transaction");
}
END_TEST

START_TEST(confirmation_comes_too_late)
{
	enroll_one();
	clock_now += 601;
	send_conf(&w.idevid, answer.cert, NULL);
	expect_refusal(BRSKI_CMP_ERROR, BRSKI_CMP_BAD_REQUEST, "is over");
	ck_assert_int_eq(ca_rows(ca.store).state, CA_LAPSED);
}
END_TEST

START_TEST(implicit_confirmation_by_option)
{
	struct brski_buf request = cmp_enroll(&w, false, true, &tx);

	post_through(&w.ra, &request);
	expect_certificate();
	ck_assert(!answer.implicit_confirm);
	brski_buf_free(&request);
	ca.implicit_confirm = true;
	enroll_one(); /* not asked for */
	ck_assert(!answer.implicit_confirm);
	request = cmp_enroll(&w, false, true, &tx);
	post_through(&w.ra, &request);
	expect_certificate();
	ck_assert(answer.implicit_confirm);
	ck_assert_int_eq(ca_rows(ca.store).state, CA_CONFIRMED);
	send_conf(&w.idevid, answer.cert, NULL);
	expect_refusal(BRSKI_CMP_ERROR, BRSKI_CMP_BAD_REQUEST, "implicitly");
	brski_buf_free(&request);
}
END_TEST

/* ---- Who may ask ---- */

static void refuse_ra(struct pki_spec spec, const struct brski_credential *issuer)
{
	struct brski_credential ra = pki_make(&spec, issuer);
	struct brski_buf request = cmp_enroll(&w, false, false, &tx);

	post_through(&ra, &request);
	expect_refusal(BRSKI_CMP_ERROR, BRSKI_CMP_SIGNER_NOT_TRUSTED, "registration authority");
	ck_assert_uint_eq(ca_rows(ca.store).n, 0);
	brski_buf_free(&request);
	pki_free(&ra);
}

START_TEST(registrar_without_cmc_ra)
{
	refuse_ra((struct pki_spec){.subject = "CN=Printer", .eku = "clientAuth"}, &w.ca);
	refuse_ra((struct pki_spec){.subject = "CN=Printer"}, &w.ca);
}
END_TEST

START_TEST(registrar_of_another_domain)
{
	struct brski_credential other = pki_root("CN=Other Root");

	refuse_ra((struct pki_spec){.subject = "CN=RA", .eku = "cmcRA"}, &other);
	pki_free(&other);
}
END_TEST

START_TEST(registrar_expired)
{
	refuse_ra(
		(struct pki_spec){
			.subject = "CN=RA", .eku = "cmcRA", .not_before = 1000, .not_after = clock_now - DAY},
		&w.ca);
}
END_TEST

START_TEST(registrar_not_in_the_list)
{
	struct brski_buf request = cmp_enroll(&w, false, false, &tx);
	STACK_OF(X509) *list = pki_certs(&w.cmp, NULL);

	ca.ra_list = list;
	post_through(&w.ra, &request);
	expect_refusal(BRSKI_CMP_ERROR, BRSKI_CMP_NOT_AUTHORIZED, "not in the list");
	ck_assert(sk_X509_push(list, w.ra.cert) > 0 && X509_up_ref(w.ra.cert));
	post_through(&w.ra, &request);
	expect_certificate();
	pki_free_certs(list);
	brski_buf_free(&request);
}
END_TEST

START_TEST(registrar_signature_is_wrong)
{
	struct brski_buf request = cmp_enroll(&w, false, false, &tx);
	struct brski_cmp msg = cmp_decode(&request), nested;
	struct brski_buf der = {0};
	uint8_t *at;

	EXPECT(BRSKI_OK, brski_cmp_nest(&msg, &w.ra, &der, &err));
	nested = cmp_decode(&der);
	at = memmem(der.data, der.len, nested.protection.data, nested.protection.len);
	at[nested.protection.len - 1] ^= 1;
	post(brski_buf_span(&der));
	expect_refusal(BRSKI_CMP_ERROR, BRSKI_CMP_BAD_MESSAGE_CHECK, "protection");
	ck_assert_uint_eq(ca_rows(ca.store).n, 0);
	brski_cmp_free(&nested);
	brski_cmp_free(&msg);
	brski_buf_free(&der);
	brski_buf_free(&request);
}
END_TEST

START_TEST(device_of_an_unknown_manufacturer)
{
	struct brski_buf request = cmp_enroll(&w, false, false, &tx);
	STACK_OF(X509) *others = pki_certs(&w.root, NULL);

	ca.idevid_anchors = others;
	post_through(&w.ra, &request);
	expect_refusal(BRSKI_CMP_ERROR, BRSKI_CMP_SIGNER_NOT_TRUSTED, "issuer certificate");
	ca.idevid_anchors = NULL;
	post_through(&w.ra, &request);
	expect_refusal(BRSKI_CMP_ERROR, BRSKI_CMP_SIGNER_NOT_TRUSTED, "no manufacturer");
	ca.trust_ra = true;
	post_through(&w.ra, &request);
	expect_certificate();
	pki_free_certs(others);
	brski_buf_free(&request);
}
END_TEST

static struct brski_buf enroll_as(
	const struct brski_credential *device, EVP_PKEY *key, const X509_NAME *subject)
{
	struct brski_cmp_enroll request = {.signer = device, .key = key, .subject = subject};
	struct brski_buf out = {0};

	EXPECT(BRSKI_OK, brski_cmp_enroll(&request, &env, &tx, &out, &err));
	return out;
}

START_TEST(device_expired)
{
	struct pki_spec spec = {
		.subject = "CN=Old,serialNumber=S-7", .not_before = 1000, .not_after = clock_now - DAY};
	struct brski_credential old = pki_make(&spec, &w.maker_ca);
	struct brski_buf request = enroll_as(&old, w.key, w.subject);

	post_through(&w.ra, &request);
	expect_refusal(BRSKI_CMP_ERROR, BRSKI_CMP_SIGNER_NOT_TRUSTED, "expired");
	pki_free(&old);
	brski_buf_free(&request);
}
END_TEST

/* ---- What is asked for ---- */

static void refuse_template(EVP_PKEY *key, const X509_NAME *subject, const char *words)
{
	struct brski_buf request = enroll(key, subject, &env);

	post_through(&w.ra, &request);
	expect_refusal(BRSKI_CMP_IP, BRSKI_CMP_BAD_CERT_TEMPLATE, words);
	ck_assert_uint_eq(ca_rows(ca.store).n, 0);
	brski_buf_free(&request);
}

START_TEST(subject_of_another_device)
{
	X509_NAME *other = name("CN=Gadget 8,serialNumber=S-8");

	refuse_template(w.key, other, "another device");
	X509_NAME_free(other);
}
END_TEST

/* The first of them is its own. */
START_TEST(subject_with_two_serial_numbers)
{
	X509_NAME *two = name("CN=Gadget,serialNumber=S-7,serialNumber=S-8");

	refuse_template(w.key, two, "several serial numbers");
	X509_NAME_free(two);
}
END_TEST

START_TEST(subject_without_serial_number)
{
	X509_NAME *plain = name("CN=sensor.example");
	struct brski_buf request = enroll(w.key, plain, &env);

	post_through(&w.ra, &request);
	read_answer();
	ck_assert_int_eq(answer.status, BRSKI_CMP_ACCEPTED);
	ck_assert_int_eq(X509_NAME_cmp(X509_get_subject_name(answer.cert), plain), 0);
	X509_NAME_free(plain);
	brski_buf_free(&request);
}
END_TEST

START_TEST(no_subject)
{
	X509_NAME *empty = X509_NAME_new();

	refuse_template(w.key, empty, "no subject");
	X509_NAME_free(empty);
}
END_TEST

START_TEST(weak_keys)
{
	static const struct {
		const char *type;
		enum brski_code code;
	} keys[] = {{"RSA-1024", BRSKI_REFUSED}, {"RSA-2048", BRSKI_OK}, {"P-224", BRSKI_REFUSED},
		{"P-256", BRSKI_OK}, {"P-384", BRSKI_OK}, {"P-521", BRSKI_OK}, {"ED25519", BRSKI_REFUSED}};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		EVP_PKEY *key = pki_key(keys[i].type);

		EXPECT(keys[i].code, ca_key_check(key, &err));
		EVP_PKEY_free(key);
	}
}
END_TEST

static void put_sequence(struct brski_buf *out, const struct brski_buf *content)
{
	uint8_t head[8], *at = head;

	ASN1_put_object(&at, 1, (int)content->len, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
	brski_put(out, brski_span(head, (size_t)(at - head)));
	brski_put(out, brski_buf_span(content));
}

/* The header without protectionAlg, [1]. */
static void put_bare_header(struct brski_buf *out, struct brski_span header)
{
	const uint8_t *at = header.data, *end = header.data + header.len;
	struct brski_buf kept = {0};
	long len;
	int tag, class;

	ck_assert_int_eq(ASN1_get_object(&at, &len, &tag, &class, (long)header.len) & 0x80, 0);
	while (at < end) {
		const uint8_t *begin = at;

		ck_assert_int_eq(ASN1_get_object(&at, &len, &tag, &class, end - at) & 0x80, 0);
		at += len;
		if (class != V_ASN1_CONTEXT_SPECIFIC || tag != 1)
			brski_put(&kept, brski_span(begin, (size_t)(at - begin)));
	}
	put_sequence(out, &kept);
	brski_buf_free(&kept);
}

START_TEST(unprotected)
{
	struct brski_buf request = cmp_enroll(&w, false, false, &tx);
	struct brski_cmp msg = cmp_decode(&request);
	struct brski_buf content = {0}, bare = {0};

	put_bare_header(&content, msg.header_der);
	brski_put(&content, msg.body_der);
	put_sequence(&bare, &content);
	ca.client_anchors = makers;
	post(brski_buf_span(&bare));
	expect_refusal(BRSKI_CMP_ERROR, BRSKI_CMP_BAD_MESSAGE_CHECK, "not protected");
	post_through(&w.ra, &bare); /* a registrar does not make it good */
	expect_refusal(BRSKI_CMP_ERROR, BRSKI_CMP_BAD_MESSAGE_CHECK, "not protected");
	ck_assert_uint_eq(ca_rows(ca.store).n, 0);
	brski_buf_free(&content);
	brski_buf_free(&bare);
	brski_cmp_free(&msg);
	brski_buf_free(&request);
}
END_TEST

static void try_damaged(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	(void)ctx;
	(void)how;
	(void)send("POST", PATH, BRSKI_MEDIA_CMP, damaged);
}

/* What is signed cannot be changed, so at most the one certificate that was asked for comes of it. */
START_TEST(damaged_requests)
{
	struct brski_buf request = cmp_enroll(&w, false, false, &tx);
	struct brski_cmp msg = cmp_decode(&request);
	struct brski_buf nested = {0};

	EXPECT(BRSKI_OK, brski_cmp_nest(&msg, &w.ra, &nested, &err));
	mutate_truncations(brski_buf_span(&nested), try_damaged, NULL);
	ck_assert_uint_eq(ca_rows(ca.store).n, 0);
	mutate_octets_once(brski_buf_span(&nested), try_damaged, NULL);
	ck_assert_uint_le(ca_rows(ca.store).n, 1);
	if (ca_rows(ca.store).n == 1)
		ck_assert_ptr_nonnull(strstr(ca_rows(ca.store).subject, "S-7"));
	brski_cmp_free(&msg);
	brski_buf_free(&nested);
	brski_buf_free(&request);
}
END_TEST

/* ---- Other messages ---- */

static void send_genm(const char *oid)
{
	struct brski_buf request = {0};

	EXPECT(BRSKI_OK, brski_cmp_genm(&w.idevid, oid, &env, &tx, &request, &err));
	post_through(&w.ra, &request);
	brski_buf_free(&request);
}

START_TEST(general_messages)
{
	struct brski_credential issuer = {w.ca.key, w.ca.cert, pki_certs(&w.root, NULL)};

	ca.issuer = &issuer;
	send_genm("1.3.6.1.5.5.7.4.17");
	read_answer();
	ck_assert_int_eq(answer.type, BRSKI_CMP_GENP);
	ck_assert_int_eq(sk_X509_num(answer.ca_pubs), 2);
	ck_assert(brski_cert_equal(sk_X509_value(answer.ca_pubs, 0), w.ca.cert));
	ck_assert(brski_cert_equal(sk_X509_value(answer.ca_pubs, 1), w.root.cert));
	send_genm("1.3.6.1.5.5.7.4.19");
	read_answer();
	ck_assert_int_eq(answer.type, BRSKI_CMP_GENP);
	ck_assert_str_eq(answer.info_type, "1.3.6.1.5.5.7.4.19");
	ck_assert_uint_eq(answer.info_value.len, 0);
	send_genm("1.3.6.1.5.5.7.4.18");
	expect_refusal(BRSKI_CMP_ERROR, BRSKI_CMP_BAD_REQUEST, "not answered");
	pki_free_certs(issuer.chain);
}
END_TEST

START_TEST(nothing_to_poll_for)
{
	struct brski_buf poll = {0};

	enroll_one();
	EXPECT(BRSKI_OK, brski_cmp_poll_req(&w.idevid, 0, &env, &tx, &poll, &err));
	post_through(&w.ra, &poll);
	expect_refusal(BRSKI_CMP_ERROR, BRSKI_CMP_BAD_REQUEST, "poll");
	brski_buf_free(&poll);
}
END_TEST

static void no_requests(struct brski_cmp_draft *draft, void *ctx)
{
	static const uint8_t none[] = {0x30, 0};

	(void)ctx;
	draft->content = brski_span(none, sizeof(none));
}

/* RFC 9483 3.6.2 */
START_TEST(faults_of_a_body_are_said_in_its_answer)
{
	struct brski_buf ir = cmp_enroll(&w, false, false, &tx), p10 = cmp_enroll(&w, true, false, &tx);
	struct brski_buf bad_ir = cmp_redo(&ir, &w.idevid, no_requests, NULL);
	struct brski_buf bad_p10 = cmp_redo(&p10, &w.idevid, no_requests, NULL);

	post_through(&w.ra, &bad_ir);
	expect_refusal(BRSKI_CMP_IP, BRSKI_CMP_BAD_REQUEST, "CertReqMsg");
	post_through(&w.ra, &bad_p10);
	expect_refusal(BRSKI_CMP_CP, BRSKI_CMP_BAD_DATA_FORMAT, "PKCS #10");
	brski_buf_free(&ir);
	brski_buf_free(&p10);
	brski_buf_free(&bad_ir);
	brski_buf_free(&bad_p10);
}
END_TEST

START_TEST(wrong_form_is_said_in_cmp)
{
	struct brski_buf request = cmp_enroll(&w, false, false, &tx);

	brski_put_u8(&request, 0);
	post(brski_buf_span(&request));
	expect_refusal(BRSKI_CMP_ERROR, BRSKI_CMP_BAD_DATA_FORMAT, "DER");
	ck_assert_ptr_nonnull(strstr(what, "ir refused"));
	brski_buf_free(&request);
}
END_TEST

/* RFC 9811 3.3, 3.4 and 3.6 */
START_TEST(forms)
{
	struct brski_buf request = cmp_enroll(&w, false, false, &tx);
	struct brski_span der = brski_buf_span(&request);

	ca.client_anchors = makers;
	ck_assert_uint_eq(send("GET", PATH, BRSKI_MEDIA_CMP, der), 405);
	ck_assert_str_eq(brski_http_get(&response, "allow"), "POST");
	ck_assert_uint_eq(send("POST", PATH, "application/octet-stream", der), 415);
	ck_assert_uint_eq(send("POST", "/elsewhere", BRSKI_MEDIA_CMP, der), 404);
	ck_assert_uint_eq(send("POST", "/.well-known/cmpx", BRSKI_MEDIA_CMP, der), 404);
	ck_assert_uint_eq(send("POST", "/.well-known/cmp/nothing", BRSKI_MEDIA_CMP, der), 404);
	ck_assert_uint_eq(send("POST", PATH, BRSKI_MEDIA_CMP, brski_span_str("not CMP")), 400);
	ck_assert_uint_eq(ca_rows(ca.store).n, 0);
	ck_assert_uint_eq(send("POST", "/pkix/", BRSKI_MEDIA_CMP, der), 200);
	expect_certificate();
	ck_assert_uint_eq(send("POST", "/", BRSKI_MEDIA_CMP, der), 200);
	ck_assert_uint_eq(send("POST", "/.well-known/cmp", BRSKI_MEDIA_CMP, der), 200);
	ck_assert_uint_eq(send("POST", "/.well-known/cmp/p/x", BRSKI_MEDIA_CMP, der), 200);
	ck_assert_uint_eq(send("POST", "/.well-known/cmp/p/x/certification", BRSKI_MEDIA_CMP, der), 200);
	brski_buf_free(&request);
}
END_TEST

START_TEST(names)
{
	X509_NAME *made = name("CN=Doe\\, Jane,O=Example");
	char text[64];
	X509_NAME *none;

	ck_assert_int_gt(X509_NAME_get_text_by_NID(made, NID_commonName, text, sizeof(text)), 0);
	ck_assert_str_eq(text, "Doe, Jane");
	/* as it is written so it is read: a pattern of subjects that was typed alike must match it */
	brski_name_text(made, text, sizeof(text));
	ck_assert_str_eq(text, "CN=Doe\\, Jane,O=Example");
	EXPECT(BRSKI_MALFORMED, ca_name_parse("", &none, &err));
	EXPECT(BRSKI_MALFORMED, ca_name_parse("Example", &none, &err));
	EXPECT(BRSKI_MALFORMED, ca_name_parse("CN=", &none, &err));
	EXPECT(BRSKI_MALFORMED, ca_name_parse("XYZ=a", &none, &err));
	X509_NAME_free(made);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {ir_through_a_registrar, p10cr_through_a_registrar,
		ir_from_the_device_itself, profile, no_certificate_outlives_its_issuer,
		an_expired_issuer_issues_nothing, root_in_ca_pubs_of_ip, same_request_same_answer,
		the_store_outlives_the_ca, transaction_id_in_use, confirmed, confirmed_twice,
		rejected_by_the_device, rejected_and_then_confirmed, confirmation_of_another_certificate,
		confirmation_by_another_device, confirmation_with_another_nonce,
		confirmation_under_another_id, confirmation_with_the_nonce_of_the_request,
		faults_of_a_body_are_said_in_its_answer, wrong_form_is_said_in_cmp, confirmation_of_nothing,
		confirmation_comes_too_late, implicit_confirmation_by_option, registrar_without_cmc_ra,
		registrar_of_another_domain, registrar_expired, registrar_not_in_the_list,
		registrar_signature_is_wrong, device_of_an_unknown_manufacturer, device_expired,
		subject_of_another_device, subject_with_two_serial_numbers, subject_without_serial_number,
		no_subject, weak_keys, unprotected, damaged_requests, general_messages, nothing_to_poll_for,
		forms, names};

	return run_tests("ca", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
