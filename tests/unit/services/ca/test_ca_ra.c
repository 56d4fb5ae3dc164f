/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <check.h>

#include "services/ca/ca.h"
#include "services/ca/ca_issue_internal.h"
#include "tests/unit/support/ca_rows.h"
#include "tests/unit/support/cmp_world.h"
#include "tests/unit/support/files.h"

/*
 * A registration authority that asks itself, RFC 9483 5.2.3: a registrar that has a device's PKCS #10 by
 * EST. It is taken when nested messages would be taken from it, and nobody else is for being alike.
 */

#define DAY 86400
#define CONFIRM_WAIT 600

static struct brski_error err;
static struct cmp_world w;
static STACK_OF(X509) *makers;
static struct brski_cmp_transaction tx;
static struct brski_cmp_response answer;
static struct brski_buf p10, request, response;
static char what[CA_WHAT_MAX];
static time_t clock_now;
static struct ca ca;

static time_t test_now(void *ctx)
{
	(void)ctx;
	return clock_now;
}

static const struct brski_env env = {.now = test_now};

/* The device's own request: its IDevID's subject and a new key. */
static void make_p10(const char *subject)
{
	X509_NAME *name;

	brski_buf_reset(&p10);
	EXPECT(BRSKI_OK, ca_name_parse(subject, &name, &err));
	EXPECT(BRSKI_OK, brski_cmp_pkcs10_write(w.key, name, &p10, &err));
	X509_NAME_free(name);
}

#define OWN "serialNumber=S-7,O=Maker,CN=Gadget"

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
		.confirm_wait = CONFIRM_WAIT};
	EXPECT(BRSKI_OK, ca_store_open(":memory:", &ca.store, &err));
	make_p10(OWN);
}

static void teardown(void)
{
	ca_store_close(ca.store);
	brski_cmp_response_free(&answer);
	brski_cmp_transaction_free(&tx);
	brski_buf_free(&p10);
	brski_buf_free(&request);
	brski_buf_free(&response);
	pki_free_certs(makers);
	cmp_world_free(&w);
}

static void post(void)
{
	struct brski_http http = {0}, got = {0};

	EXPECT(BRSKI_OK, brski_http_request(&http, "POST", "/.well-known/cmp/pkcs10", BRSKI_MEDIA_CMP,
				 brski_buf_span(&request), &err));
	ca_handle(&ca, &http, &got, what);
	ck_assert_msg(got.status == 200, "%s", what);
	brski_buf_move(&response, &got.body);
	brski_http_free(&http);
	brski_http_free(&got);
}

static void ask(const struct brski_credential *signer, bool implicit)
{
	EXPECT(BRSKI_OK, brski_cmp_p10cr(signer, brski_buf_span(&p10), implicit, &env, &tx, &request, &err));
	post();
}

/* As who has asked reads it. */
static void read_answer(void)
{
	brski_cmp_response_free(&answer);
	EXPECT(BRSKI_OK, brski_cmp_response(brski_buf_span(&response),
				 &(struct brski_cmp_trust){.anchors = w.anchors, .now = clock_now}, &tx,
				 &answer, &err));
}

static void granted(const char *subject)
{
	STACK_OF(X509) *chain;
	X509_NAME *name;

	read_answer();
	ck_assert_int_eq(answer.type, BRSKI_CMP_CP);
	ck_assert_msg(answer.status == BRSKI_CMP_ACCEPTED, "%s", what);
	EXPECT(BRSKI_OK, ca_name_parse(subject, &name, &err));
	EXPECT(BRSKI_OK, brski_cmp_cert_check(&answer, w.key, name, w.anchors, clock_now, &chain, &err));
	pki_free_certs(chain);
	X509_NAME_free(name);
}

static void refused(enum brski_cmp_fail fail, const char *words)
{
	read_answer();
	ck_assert_int_eq(answer.status, BRSKI_CMP_REJECTION);
	ck_assert_msg(answer.fail == fail, "%s: %s", brski_cmp_fail_name((int)answer.fail), what);
	ck_assert_msg(strstr(answer.text, words) != NULL, "%s", answer.text);
	ck_assert_ptr_null(answer.cert);
}

/* ---- taken ---- */

START_TEST(confirmed)
{
	ask(&w.ra, true);
	granted(OWN);
	ck_assert(!answer.implicit_confirm); /* it is not granted here */
	ck_assert_int_eq(ca_rows(ca.store).state, CA_WAITING);
	ck_assert_str_eq(ca_rows(ca.store).requester, "CN=Registrar");
	EXPECT(BRSKI_OK, brski_cmp_cert_conf(&w.ra, true, answer.cert, BRSKI_CMP_FAIL_NONE, NULL, &env, &tx,
				 &request, &err));
	post();
	read_answer();
	ck_assert_int_eq(answer.type, BRSKI_CMP_PKICONF);
	ck_assert_int_eq(ca_rows(ca.store).state, CA_CONFIRMED);
	post(); /* the same message once more */
	read_answer();
	ck_assert_int_eq(answer.type, BRSKI_CMP_PKICONF);
	ck_assert_uint_eq(ca_rows(ca.store).n, 1);
}
END_TEST

START_TEST(rejected)
{
	ask(&w.ra, false);
	granted(OWN);
	EXPECT(BRSKI_OK, brski_cmp_cert_conf(&w.ra, true, answer.cert, BRSKI_CMP_INCORRECT_DATA, "not that",
				 &env, &tx, &request, &err));
	post();
	read_answer();
	ck_assert_int_eq(answer.type, BRSKI_CMP_PKICONF);
	ck_assert_int_eq(ca_rows(ca.store).state, CA_REJECTED);
}
END_TEST

START_TEST(confirmed_implicitly)
{
	ca.implicit_confirm = true;
	ask(&w.ra, true);
	granted(OWN);
	ck_assert(answer.implicit_confirm);
	ck_assert_int_eq(ca_rows(ca.store).state, CA_CONFIRMED);
}
END_TEST

/* After a time-out the same octets are sent: there is one certificate. */
START_TEST(the_same_request_again)
{
	struct brski_buf first = {0};

	ask(&w.ra, true);
	brski_buf_move(&first, &response);
	post();
	ck_assert(brski_span_equal(brski_buf_span(&first), brski_buf_span(&response)));
	ck_assert_uint_eq(ca_rows(ca.store).n, 1);
	granted(OWN);
	brski_buf_free(&first);
}
END_TEST

/* It has seen whose the request is: any device's, with trust-ra as with manufacturers. */
START_TEST(any_device)
{
	static const char *const subjects[] = {"CN=sensor.example", "serialNumber=S-8,O=Other,CN=Gadget"};

	for (int i = 0; i < 4; i++) {
		ca.trust_ra = i >= 2;
		ca.idevid_anchors = i < 2 ? makers : NULL;
		make_p10(subjects[i % 2]);
		ask(&w.ra, false);
		granted(subjects[i % 2]);
	}
}
END_TEST

/* With ir, too: the proof of possession stays the device's. */
START_TEST(other_requests)
{
	const struct brski_cmp_enroll ir = {.signer = &w.ra, .key = w.key, .subject = w.subject};

	EXPECT(BRSKI_OK, brski_cmp_enroll(&ir, &env, &tx, &request, &err));
	post();
	read_answer();
	ck_assert_int_eq(answer.type, BRSKI_CMP_IP);
	ck_assert_int_eq(answer.status, BRSKI_CMP_ACCEPTED);
	EXPECT(BRSKI_OK, brski_cmp_genm(&w.ra, BRSKI_OID_CA_CERTS, &env, &tx, &request, &err));
	post();
	read_answer();
	ck_assert_int_eq(answer.type, BRSKI_CMP_GENP);
	ck_assert_int_gt(sk_X509_num(answer.ca_pubs), 0);
}
END_TEST

/* ---- not taken ---- */

static void refuse_as(struct pki_spec spec, const struct brski_credential *issuer, const char *words)
{
	struct brski_credential other = pki_make(&spec, issuer);

	ask(&other, false);
	refused(BRSKI_CMP_NOT_AUTHORIZED, words);
	ck_assert_uint_eq(ca_rows(ca.store).n, 0);
	pki_free(&other);
}

/* What is refused around a nested message is refused as its own signer, and the words tell why. */
START_TEST(who_is_none)
{
	struct brski_credential root = pki_root("CN=Other Root");

	refuse_as((struct pki_spec){.subject = "CN=Printer", .eku = "clientAuth"}, &w.ca, "it is none: ");
	refuse_as((struct pki_spec){.subject = "CN=Printer"}, &w.ca, "it is none: ");
	refuse_as((struct pki_spec){.subject = "CN=RA", .eku = "cmcRA"}, &root, "it is none: ");
	refuse_as(
		(struct pki_spec){
			.subject = "CN=RA", .eku = "cmcRA", .not_before = 1000, .not_after = clock_now - DAY},
		&w.ca, "expired");
	pki_free(&root);
}
END_TEST

START_TEST(who_is_not_in_the_list)
{
	STACK_OF(X509) *list = pki_certs(&w.cmp, NULL);

	ca.ra_list = list;
	ask(&w.ra, false);
	refused(BRSKI_CMP_NOT_AUTHORIZED, "not in the list");
	ck_assert(sk_X509_push(list, w.ra.cert) > 0 && X509_up_ref(w.ra.cert));
	ask(&w.ra, false);
	granted(OWN);
	pki_free_certs(list);
}
END_TEST

/* The device by itself, with the same PKCS #10: as before. */
START_TEST(the_device_itself)
{
	ask(&w.idevid, false);
	refused(BRSKI_CMP_NOT_AUTHORIZED, "registration authority only");
	ca.trust_ra = true;
	ca.idevid_anchors = NULL;
	ask(&w.idevid, false);
	refused(BRSKI_CMP_NOT_AUTHORIZED, "registration authority only");
	ca.client_anchors = makers;
	ask(&w.idevid, false);
	granted(OWN);
	make_p10("CN=sensor.example");
	ask(&w.idevid, false);
	refused(BRSKI_CMP_NOT_AUTHORIZED, "no registration authority");
	make_p10("serialNumber=S-8,O=Maker,CN=Gadget");
	ask(&w.idevid, false);
	refused(BRSKI_CMP_BAD_CERT_TEMPLATE, "another device");
}
END_TEST

/* A CA that takes nothing through a registration authority takes nothing from one either. */
START_TEST(no_authorities_here)
{
	ca.idevid_anchors = NULL;
	ca.client_anchors = makers;
	ask(&w.ra, false);
	refused(BRSKI_CMP_SIGNER_NOT_TRUSTED, "");
	ck_assert_uint_eq(ca_rows(ca.store).n, 0);
}
END_TEST

/* The rules on names stand. */
START_TEST(two_serial_numbers)
{
	make_p10("serialNumber=S-7,serialNumber=S-8,CN=Gadget");
	ask(&w.ra, false);
	refused(BRSKI_CMP_BAD_CERT_TEMPLATE, "several serial numbers");
}
END_TEST

/* RFC 9483 4.1.1: who has asked confirms, neither the device nor another registrar. */
START_TEST(confirmed_by_another)
{
	struct brski_credential other =
		pki_make(&(struct pki_spec){.subject = "CN=Registrar 2", .eku = "cmcRA"}, &w.ca);
	const struct brski_credential *others[] = {&w.idevid, &other};

	for (int i = 0; i < 2; i++) {
		ask(&w.ra, false);
		granted(OWN);
		EXPECT(BRSKI_OK, brski_cmp_cert_conf(others[i], true, answer.cert, BRSKI_CMP_FAIL_NONE, NULL,
					 &env, &tx, &request, &err));
		post();
		read_answer();
		ck_assert_int_eq(answer.status, BRSKI_CMP_REJECTION);
		ck_assert_int_eq(ca_rows(ca.store).state, CA_WAITING);
	}
	pki_free(&other);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {confirmed, rejected, confirmed_implicitly, the_same_request_again,
		any_device, other_requests, who_is_none, who_is_not_in_the_list, the_device_itself,
		no_authorities_here, two_serial_numbers, confirmed_by_another};

	return run_tests("ca_ra", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
