/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <openssl/x509v3.h>

#include "tests/unit/support/cmp_world.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/mutate.h"
#include "tests/unit/support/visit.h"

/* Certification requests and the PKI's answers: RFC 9483 4.1, 4.3, 4.4, 5.1.5 and 5.2. */

#define OID_CA_CERTS "1.3.6.1.5.5.7.4.17"
#define OID_TEMPLATE "1.3.6.1.5.5.7.4.19"
#define OID_ROOT_CA "1.3.6.1.5.5.7.4.20"

static struct site site;
static struct visit v;

static void setup(void)
{
	site_open(&site, "P-256");
	visit_open(&v, &site);
	ck_assert_uint_eq(visit_voucher(&v), 200);
}

static void teardown(void)
{
	visit_close(&v);
	site_close(&site);
}

static void change_config(void)
{
	site_restart(&site);
	visit_again(&v);
}

static void expect_error(int type, enum brski_cmp_fail fail, const char *reason)
{
	ck_assert_int_eq(v.cmp.type, type);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_REJECTION);
	ck_assert_msg(v.cmp.fail == fail, "%s: %s", brski_cmp_fail_name(v.cmp.fail), v.cmp.text);
	ck_assert_int_eq(v.judged, BRSKI_OK); /* signed by the registrar, with the nonce of the request */
	ck_assert_msg(visit_reason(&v, reason), "\"%s\" lacks \"%s\"",
		brski_registrar_session_reason(v.session), reason);
}

START_TEST(pkcs10)
{
	visit_make_enroll(&v, &site.idevid, true);
	ck_assert_uint_eq(visit_cmp(&v, PATH_PKCS10), 200);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_CP);
	ck_assert(brski_cert_has_key(v.cmp.cert, v.key));
	ck_assert_int_eq(v.judged, BRSKI_OK);
}
END_TEST

START_TEST(not_nested)
{
	site.config.nest = false;
	change_config();
	ck_assert_uint_eq(visit_enroll(&v), 200); /* the site's CA looks at it */
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_ACCEPTED);
	ck_assert_uint_eq(visit_confirm(&v), 200);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_PKICONF);
}
END_TEST

/* ---- requests that are refused ---- */

START_TEST(signed_by_another_device)
{
	struct brski_credential other =
		pki_leaf("CN=Gadget,O=Acme,serialNumber=SN-0002", "P-256", &site.maker_ca);
	struct brski_credential clone = pki_leaf(SITE_SUBJECT, "P-256", &site.maker_ca);

	visit_make_enroll(&v, &other, false);
	ck_assert_uint_eq(visit_cmp(&v, PATH_INITIALIZATION), 200);
	expect_error(BRSKI_CMP_ERROR, BRSKI_CMP_NOT_AUTHORIZED, "signed by another device");
	ck_assert(site_has_event(&site, "cert-request", false, "signed by another device"));
	ck_assert(brski_registrar_session_over(v.session));
	visit_again(&v);
	visit_make_enroll(&v, &clone, true);
	ck_assert_uint_eq(visit_cmp(&v, PATH_PKCS10), 200);
	expect_error(BRSKI_CMP_ERROR, BRSKI_CMP_NOT_AUTHORIZED, "signed by another device");
	ck_assert_uint_eq(site.n_ca_calls, 0);
	pki_free(&other);
	pki_free(&clone);
}
END_TEST

static void set_content(struct brski_cmp_draft *draft, void *ctx)
{
	draft->content = brski_buf_span(ctx);
}

/* p10cr of the device with a request that asks for what its own does not. */
static void ask_for(const char *subject_serial, int nid, const char *value)
{
	X509_REQ *req = X509_REQ_new();
	X509_NAME *subject = X509_NAME_dup(X509_get_subject_name(site.idevid.cert));
	STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
	struct brski_buf content = {0}, made;

	visit_make_enroll(&v, &site.idevid, true);
	if (subject_serial) {
		X509_NAME_ENTRY_free(X509_NAME_delete_entry(
			subject, X509_NAME_get_index_by_NID(subject, NID_serialNumber, -1)));
		ck_assert_int_eq(X509_NAME_add_entry_by_NID(subject, NID_serialNumber, MBSTRING_ASC,
					 (const unsigned char *)subject_serial, -1, -1, 0),
			1);
	}
	if (value)
		sk_X509_EXTENSION_push(extensions, X509V3_EXT_conf_nid(NULL, NULL, nid, value));
	ck_assert_int_eq(X509_REQ_set_subject_name(req, subject), 1);
	ck_assert_int_eq(X509_REQ_set_pubkey(req, v.key), 1);
	if (value)
		ck_assert_int_eq(X509_REQ_add_extensions(req, extensions), 1);
	ck_assert_int_gt(X509_REQ_sign(req, v.key, EVP_sha256()), 0);
	ck_assert_int_eq(brski_asn1_write(req, ASN1_ITEM_rptr(X509_REQ), &content, NULL), BRSKI_OK);
	made = cmp_redo(&v.request, &site.idevid, set_content, &content);
	brski_buf_move(&v.request, &made);
	brski_buf_free(&content);
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	X509_NAME_free(subject);
	X509_REQ_free(req);
}

/* An RA's word counts: what it forwards, a PKI may issue. */
START_TEST(asks_for_what_is_not_its_own)
{
	static const struct {
		const char *serial;
		int nid;
		const char *value, *why;
	} cases[] = {
		{"SN-0002", NID_undef, NULL, "another subject"},
		{"sn-0001", NID_undef, NULL, "another subject"},
		{" SN-0001 ", NID_undef, NULL, "another subject"},
		{NULL, NID_basic_constraints, "critical,CA:TRUE", "Basic Constraints"},
		{NULL, NID_key_usage, "digitalSignature,keyCertSign", "Key Usage"},
		{NULL, NID_key_usage, "digitalSignature,cRLSign", "Key Usage"},
		{NULL, NID_ext_key_usage, "clientAuth,cmcRA", "Extended Key Usage"},
		{NULL, NID_ext_key_usage, "cmcCA", "Extended Key Usage"},
		{NULL, NID_ext_key_usage, "OCSPSigning", "Extended Key Usage"},
		{NULL, NID_ext_key_usage, "DER:0500", "Extended Key Usage"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		visit_again(&v);
		ask_for(cases[i].serial, cases[i].nid, cases[i].value);
		ck_assert_uint_eq(visit_cmp(&v, PATH_PKCS10), 200);
		expect_error(BRSKI_CMP_CP, BRSKI_CMP_NOT_AUTHORIZED, cases[i].why);
	}
	ck_assert_uint_eq(site.n_ca_calls, 0);
	visit_again(&v);
	ask_for(NULL, NID_ext_key_usage, "clientAuth");
	ck_assert_uint_eq(visit_cmp(&v, PATH_PKCS10), 200);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_ACCEPTED);
}
END_TEST

/* A device that only its hardwareModuleName tells from others may ask for that name, and for no other's. */
START_TEST(a_sensor_asks_for_a_name_of_its_own)
{
	static const struct {
		const char *serial;
		bool served;
	} cases[] = {{"HW-1", true}, {NULL, true}, {"HW-2", false}, {"hw-1", false}, {"HW-1 ", false}};
	struct pki_spec spec = {.subject = "CN=Acme Sensor,O=Acme",
		.hw_type = "1.3.6.1.4.1.32473.17.2",
		.hw_serial = brski_span_str("HW-1"),
		.masa_url = "masa.acme.example"};

	pki_free(&site.idevid);
	pki_free_certs(site.device_chain);
	site.idevid = pki_make(&spec, &site.maker_ca);
	site.device_chain = pki_certs(&site.idevid, NULL);
	visit_again(&v);
	ck_assert_uint_eq(visit_voucher(&v), 200);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		visit_again(&v);
		ask_for(cases[i].serial, NID_undef, NULL);
		ck_assert_uint_eq(visit_cmp(&v, PATH_PKCS10), 200);
		if (cases[i].served)
			ck_assert_int_eq(v.cmp.status, BRSKI_CMP_ACCEPTED);
		else
			expect_error(BRSKI_CMP_CP, BRSKI_CMP_NOT_AUTHORIZED, "another subject");
	}
	ck_assert_uint_eq(site.n_issued, 2);
}
END_TEST

/* RFC 9483 3.6.2: what is wrong in the body, in ip or cp; in form, in an error message if anybody can */
START_TEST(faults_are_said_in_cmp)
{
	static const uint8_t none[] = {0x30, 0};
	struct brski_buf content = {0}, made;

	brski_put(&content, brski_span(none, sizeof(none)));
	visit_make_enroll(&v, &site.idevid, false);
	made = cmp_redo(&v.request, &site.idevid, set_content, &content);
	brski_buf_move(&v.request, &made);
	ck_assert_uint_eq(visit_cmp(&v, PATH_INITIALIZATION), 200);
	expect_error(BRSKI_CMP_IP, BRSKI_CMP_BAD_REQUEST, "not exactly one CertReqMsg");
	visit_again(&v);
	visit_make_enroll(&v, &site.idevid, true);
	made = cmp_redo(&v.request, &site.idevid, set_content, &content);
	brski_buf_move(&v.request, &made);
	ck_assert_uint_eq(visit_cmp(&v, PATH_PKCS10), 200);
	expect_error(BRSKI_CMP_CP, BRSKI_CMP_BAD_DATA_FORMAT, "PKCS #10");
	visit_again(&v);
	visit_make_enroll(&v, &site.idevid, false);
	brski_put_u8(&v.request, 0);
	ck_assert_uint_eq(visit_cmp(&v, PATH_INITIALIZATION), 200);
	expect_error(BRSKI_CMP_ERROR, BRSKI_CMP_BAD_DATA_FORMAT, "DER");
	ck_assert_uint_eq(site.n_ca_calls, 0);
	brski_buf_free(&content);
}
END_TEST

START_TEST(wrong_place)
{
	visit_make_enroll(&v, &site.idevid, false);
	ck_assert_uint_eq(visit_cmp(&v, PATH_PKCS10), 200);
	expect_error(BRSKI_CMP_ERROR, BRSKI_CMP_BAD_REQUEST, "ir message at");
	ck_assert_uint_eq(visit_cmp(&v, PATH_CA_CERTS), 200);
	expect_error(BRSKI_CMP_ERROR, BRSKI_CMP_BAD_REQUEST, "ir message at");
	visit_make_enroll(&v, &site.idevid, true);
	ck_assert_uint_eq(visit_cmp(&v, PATH_INITIALIZATION), 200);
	expect_error(BRSKI_CMP_ERROR, BRSKI_CMP_BAD_REQUEST, "p10cr message at");
	ck_assert_uint_eq(site.n_ca_calls, 0);
}
END_TEST

START_TEST(nested_by_the_pledge)
{
	struct brski_cmp inner = {0};
	struct brski_error err;

	visit_make_enroll(&v, &site.idevid, false);
	EXPECT(BRSKI_OK, brski_cmp_decode(brski_buf_span(&v.request), &inner, &err));
	EXPECT(BRSKI_OK, brski_cmp_nest(&inner, &site.idevid, &v.request, &err));
	ck_assert_uint_eq(visit_cmp(&v, PATH_INITIALIZATION), 200);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_ERROR);
	ck_assert_uint_eq(site.n_ca_calls, 0);
	brski_cmp_free(&inner);
}
END_TEST

static unsigned n_refused;

static void try_damaged(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	struct brski_cmp msg = {0};
	struct brski_cmp_request asked = {0};
	unsigned status;

	(void)ctx;
	(void)how;
	site.n_events = 0;
	visit_again(&v);
	status = visit_send(&v, "POST", PATH_INITIALIZATION, BRSKI_MEDIA_CMP, damaged);
	if (status != 0) { /* an answer at once can only be a refusal */
		n_refused++;
		ck_assert(status == 400 || status == 200);
		return;
	}
	/* extraCerts are not protected: what is accepted is genuine all the same */
	ck_assert_int_eq(brski_cmp_decode(damaged, &msg, NULL), BRSKI_OK);
	ck_assert_int_eq(brski_cmp_request_check(&msg, site.idevid.cert, NULL, &asked, NULL), BRSKI_OK);
	ck_assert(EVP_PKEY_eq(asked.key, v.key) == 1);
	brski_cmp_request_free(&asked);
	brski_cmp_free(&msg);
	while (site.n_rows > 2)
		brski_buf_free(&site.rows[--site.n_rows].blob);
}

START_TEST(damaged_requests)
{
	struct brski_buf golden = {0};

	visit_make_enroll(&v, &site.idevid, false);
	brski_buf_move(&golden, &v.request);
	ck_assert_uint_eq(site.n_rows, 1); /* the voucher */
	mutate_truncations(brski_buf_span(&golden), try_damaged, NULL);
	mutate_octets_once(brski_buf_span(&golden), try_damaged, NULL);
	mutate_appended(brski_buf_span(&golden), try_damaged, NULL);
	ck_assert_uint_ge(n_refused, golden.len);
	ck_assert_uint_eq(site.n_ca_calls, 0);
	brski_buf_free(&golden);
}
END_TEST

/* ---- what the PKI answers ---- */

START_TEST(pki_refuses)
{
	struct brski_buf first = {0};

	site.ca = CA_REFUSES;
	ck_assert_uint_eq(visit_enroll(&v), 200);
	expect_error(BRSKI_CMP_IP, BRSKI_CMP_BAD_CERT_TEMPLATE, "not this subject");
	ck_assert_str_eq(v.cmp.text, "not this subject"); /* the PKI's own message */
	ck_assert(site_has_event(&site, "certificate", false, "badCertTemplate not this subject"));
	ck_assert(brski_registrar_session_over(v.session));
	ck_assert_uint_eq(visit_status(&v, PATH_ENROLL_STATUS, true), 403);
	/* the same again at once: the same, and not asked again */
	visit_again(&v);
	brski_buf_move(&first, &v.response.body);
	ck_assert_uint_eq(visit_cmp(&v, PATH_INITIALIZATION), 200);
	ck_assert_uint_eq(site.n_ca_calls, 1);
	/* what it was given before is worth nothing after that, however late it tries */
	site.ca = CA_RIGHT;
	site.now += 31;
	visit_again(&v);
	ck_assert_uint_eq(visit_cmp(&v, PATH_INITIALIZATION), 200);
	expect_error(BRSKI_CMP_ERROR, BRSKI_CMP_NOT_AUTHORIZED, "it needs a new voucher");
	ck_assert_uint_eq(site.n_ca_calls, 1);
	visit_again(&v);
	ck_assert_uint_eq(visit_voucher(&v), 200);
	ck_assert_uint_eq(visit_enroll(&v), 200);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_ACCEPTED);
	brski_buf_free(&first);
}
END_TEST

START_TEST(unprotected_error_is_vouched_for)
{
	site.ca = CA_UNPROTECTED_ERROR;
	ck_assert_uint_eq(visit_enroll(&v), 200);
	expect_error(BRSKI_CMP_ERROR, BRSKI_CMP_BAD_REQUEST, "end entity unknown");
	ck_assert_str_eq(v.cmp.text, "end entity unknown");
	/* RFC 9483 3.6.4: a PKI that could not read the request knows no transaction */
	site.ca = CA_STRAY_ERROR;
	visit_again(&v);
	ck_assert_uint_eq(visit_voucher(&v), 200); /* what it was given before fell with that refusal */
	ck_assert_uint_eq(visit_enroll(&v), 200);
	expect_error(BRSKI_CMP_ERROR, BRSKI_CMP_BAD_REQUEST, "end entity unknown");
	ck_assert_str_eq(v.cmp.text, "end entity unknown");
}
END_TEST

static const struct {
	enum site_ca ca;
	const char *words;
	/* what a pledge finds when the registrar looks away; OK: it is about the certificate */
	enum brski_code pledge;
} wrong[] = {
	{CA_UNPROTECTED_IP, "not protected", BRSKI_UNTRUSTED},
	{CA_OTHER_KEY, "key", BRSKI_OK},
	{CA_OTHER_SUBJECT, "subject", BRSKI_OK},
	{CA_NO_LOGIN, "clientAuth", BRSKI_OK},
	{CA_BROKEN_SIGNATURE, "", BRSKI_BAD_SIGNATURE},
	{CA_OTHER_SIGNER, "", BRSKI_UNTRUSTED},
	{CA_OTHER_TRANSACTION, "another transaction", BRSKI_MISMATCH},
	{CA_GARBAGE, "", BRSKI_OK},
};

START_TEST(answers_that_are_wrong)
{
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		site.ca = wrong[i].ca;
		visit_again(&v);
		ck_assert_uint_eq(visit_enroll(&v), 200);
		expect_error(BRSKI_CMP_ERROR, BRSKI_CMP_SYSTEM_FAILURE, wrong[i].words);
		ck_assert(site_has_event(&site, "certificate", false, wrong[i].words));
		ck_assert_ptr_null(v.cmp.cert);
		ck_assert(brski_registrar_session_over(v.session));
		ck_assert_uint_eq(visit_status(&v, PATH_ENROLL_STATUS, true), 403);
	}
}
END_TEST

/* Every device of the domain has a certificate of it: to be the PKI takes more. */
START_TEST(a_neighbour_signs_for_the_pki)
{
	struct pki_spec spec = {.subject = "CN=Neighbour,O=Acme"};
	struct brski_credential plain = pki_make(&spec, &site.domain_ca), client;
	const struct brski_credential *neighbours[] = {&plain, &client};

	spec.eku = "clientAuth";
	client = pki_make(&spec, &site.domain_ca);
	for (int i = 0; i < 2; i++) {
		site.ca_signer = neighbours[i];
		visit_again(&v);
		ck_assert_uint_eq(visit_enroll(&v), 200);
		expect_error(BRSKI_CMP_ERROR, BRSKI_CMP_SYSTEM_FAILURE, "cmp_signer_file");
		ck_assert(site_has_event(&site, "certificate", false, "cmcCA"));
	}
	/* an old PKI's signer, which the operator names: the registrar's word is no device's */
	site.config.cmp_signers = pki_certs(&client, NULL);
	change_config();
	ck_assert_uint_eq(visit_enroll(&v), 200);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_ACCEPTED);
	ck_assert_int_eq(v.judged, BRSKI_UNTRUSTED);
	site.ca_signer = NULL;
	pki_free_certs((STACK_OF(X509) *)(uintptr_t)site.config.cmp_signers);
	pki_free(&plain);
	pki_free(&client);
}
END_TEST

/* So that the pledge's own checks can be proved: the wrong answer reaches it. */
START_TEST(answers_that_are_not_judged)
{
	site.config.check_answers = false;
	change_config();
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (wrong[i].ca == CA_OTHER_TRANSACTION || wrong[i].ca == CA_GARBAGE)
			continue; /* these answer nothing that was asked */
		site.ca = wrong[i].ca;
		visit_again(&v);
		ck_assert_uint_eq(visit_enroll(&v), 200);
		ck_assert_int_eq(v.cmp.type, BRSKI_CMP_IP);
		ck_assert_int_eq(v.cmp.status, BRSKI_CMP_ACCEPTED);
		ck_assert_msg((v.judged == BRSKI_OK) == (wrong[i].pledge == BRSKI_OK), "case %zu: %s", i,
			brski_code_name(v.judged));
	}
}
END_TEST

START_TEST(statuses_of_the_pki)
{
	static const unsigned later[] = {500, 502, 503, 429, 408};
	static const unsigned never[] = {400, 401, 403, 404, 301, 204};

	site.ca = CA_STATUS;
	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
		site.ca_status = later[i];
		visit_again(&v);
		ck_assert_uint_eq(visit_enroll(&v), 200);
		ck_assert_int_eq(v.cmp.type, BRSKI_CMP_IP);
		ck_assert_int_eq(v.cmp.status, BRSKI_CMP_WAITING);
	}
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		char words[20];

		site.ca_status = never[i];
		visit_again(&v);
		ck_assert_uint_eq(visit_enroll(&v), 200);
		snprintf(words, sizeof(words), "status %u", never[i]);
		expect_error(BRSKI_CMP_ERROR, BRSKI_CMP_SYSTEM_FAILURE, words);
	}
}
END_TEST

/* ---- delayed delivery, RFC 9483 4.4 and 5.1.5 ---- */

START_TEST(pki_is_down_and_back)
{
	site.ca = CA_DOWN;
	ck_assert_uint_eq(visit_enroll(&v), 200);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_IP);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_WAITING);
	ck_assert_int_eq(v.judged, BRSKI_OK);
	ck_assert(brski_registrar_session_deferred(v.session));
	ck_assert(visit_reason(&v, "does not answer: connection refused"));
	ck_assert(site_has_event(&site, "deferred", true, "30 s"));
	/* waiting has no time in it: a pollReq asks for one, in the same visit, and ends that */
	ck_assert(!brski_registrar_session_over(v.session));
	ck_assert_uint_eq(visit_poll(&v, 0), 200);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_POLLREP);
	ck_assert(brski_registrar_session_over(v.session));
	/* too early */
	visit_again(&v);
	ck_assert_uint_eq(visit_poll(&v, 0), 200);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_POLLREP);
	ck_assert_int_eq(v.cmp.check_after, 30);
	ck_assert_int_eq(v.judged, BRSKI_OK);
	ck_assert_uint_eq(site.n_ca_calls, 1);
	/* still down */
	site.now += 30;
	visit_again(&v);
	ck_assert_uint_eq(visit_poll(&v, 0), 200);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_POLLREP);
	ck_assert_uint_eq(site.n_ca_calls, 2);
	/* back: the poll drives the request itself */
	site.now += 30;
	site.ca = CA_RIGHT;
	visit_again(&v);
	ck_assert_uint_eq(visit_poll(&v, 0), 200);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_IP);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_ACCEPTED);
	ck_assert_int_eq(v.judged, BRSKI_OK);
	ck_assert_uint_eq(site.n_issued, 1);
	/* asked again, the answer is the same */
	visit_again(&v);
	ck_assert_uint_eq(visit_poll(&v, 0), 200);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_IP);
	ck_assert_uint_eq(site.n_issued, 1);
	/* and the transaction goes on */
	site.ca = CA_DOWN;
	ck_assert_uint_eq(visit_confirm(&v), 200);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_ERROR);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_WAITING);
	ck_assert_uint_eq(visit_status(&v, PATH_ENROLL_STATUS, true), 503);
	ck_assert(!brski_registrar_session_enrolled(v.session));
	site.ca = CA_RIGHT;
	site.now += 30;
	visit_again(&v);
	ck_assert_uint_eq(visit_poll(&v, -1), 200);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_PKICONF);
	ck_assert_uint_eq(visit_status(&v, PATH_ENROLL_STATUS, true), 200);
	ck_assert(brski_registrar_session_enrolled(v.session));
}
END_TEST

static struct site_row *waiting_row(void)
{
	for (size_t i = 0; i < site.n_rows; i++) {
		if (site.rows[i].state == BRSKI_JOB_WAITING)
			return &site.rows[i];
	}
	ck_abort_msg("nothing waits");
	return NULL;
}

/* What the worker does with it after a restart. */
static void drive_waiting_row(void)
{
	struct brski_job *job;
	struct brski_error err;

	EXPECT(BRSKI_OK, brski_job_load(site.registrar, brski_buf_span(&waiting_row()->blob),
				 waiting_row()->revision, &job, &err));
	site_drive(&site, job);
	brski_job_free(job);
}

START_TEST(forwarded_without_the_pledge)
{
	struct brski_job *job;
	struct brski_error err;
	struct site_row *row;

	site.ca = CA_DOWN;
	ck_assert_uint_eq(visit_enroll(&v), 200);
	row = waiting_row();
	site.ca = CA_RIGHT;
	site.now += 600;
	site_restart(&site);
	EXPECT(BRSKI_OK,
		brski_job_load(site.registrar, brski_buf_span(&row->blob), row->revision, &job, &err));
	site_drive(&site, job);
	ck_assert_int_eq(brski_job_state(job), BRSKI_JOB_DONE);
	ck_assert_int_eq(row->state, BRSKI_JOB_DONE);
	brski_job_free(job);
	visit_again(&v);
	ck_assert_uint_eq(visit_poll(&v, 0), 200);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_IP);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_ACCEPTED);
	ck_assert_uint_eq(site.n_issued, 1);
}
END_TEST

START_TEST(pki_wants_to_be_polled)
{
	site.ca = CA_WAITS;
	site.ca_polls = 2;
	ck_assert_uint_eq(visit_enroll(&v), 200);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_IP);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_WAITING);
	ck_assert_str_eq(v.cmp.text, "patience"); /* the PKI's own */
	for (int i = 0; i < 2; i++) {
		visit_again(&v);
		ck_assert_uint_eq(visit_poll(&v, 0), 200);
		ck_assert_int_eq(v.cmp.type, BRSKI_CMP_POLLREP);
		ck_assert_int_eq(v.cmp.check_after, 7);
		ck_assert_int_eq(v.judged, BRSKI_OK);
	}
	ck_assert_uint_eq(site.n_issued, 0);
	ck_assert_uint_eq(visit_poll(&v, 0), 200);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_IP);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_ACCEPTED);
	ck_assert_int_eq(v.judged, BRSKI_OK);
	/* the PKI is not asked again for what it gave */
	site_restart(&site);
	visit_again(&v);
	ck_assert_uint_eq(visit_poll(&v, 0), 200);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_IP);
	ck_assert_int_eq(v.judged, BRSKI_OK);
	ck_assert_uint_eq(site.n_issued, 1);
	ck_assert_uint_eq(visit_confirm(&v), 200);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_PKICONF);
}
END_TEST

static void poll_twice_in_vain(long id)
{
	for (int i = 0; i < 2; i++) {
		visit_again(&v);
		ck_assert_uint_eq(visit_poll(&v, id), 200);
		ck_assert_int_eq(v.cmp.type, BRSKI_CMP_POLLREP);
		ck_assert_int_eq(v.judged, BRSKI_OK);
	}
	visit_again(&v);
	ck_assert_uint_eq(visit_poll(&v, id), 200);
}

/* As OpenSSL 3.5's mock server does: for the certificate, and again for the pkiConf. */
START_TEST(pki_wants_to_be_polled_for_both)
{
	site.ca = CA_WAITS;
	site.ca_conf_waits = true;
	site.ca_polls = 2;
	ck_assert_uint_eq(visit_enroll(&v), 200);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_WAITING);
	poll_twice_in_vain(0);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_IP);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_ACCEPTED);
	site.ca_polls = 2;
	ck_assert_uint_eq(visit_confirm(&v), 200);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_ERROR);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_WAITING);
	ck_assert_uint_eq(visit_status(&v, PATH_ENROLL_STATUS, true), 503);
	site_restart(&site);
	poll_twice_in_vain(-1);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_PKICONF);
	ck_assert_int_eq(v.judged, BRSKI_OK);
	ck_assert_uint_eq(site.n_confirmed, 1);
	ck_assert_uint_eq(visit_status(&v, PATH_ENROLL_STATUS, true), 200);
	ck_assert(brski_registrar_session_enrolled(v.session));
}
END_TEST

static unsigned waiting_rows(void)
{
	unsigned n = 0;

	for (size_t i = 0; i < site.n_rows; i++)
		n += site.rows[i].state == BRSKI_JOB_WAITING;
	return n;
}

/* A PKI that wants to be polled, and is away: the pollReqs of many visits do not pile up. */
START_TEST(polls_do_not_pile_up)
{
	site.ca = CA_WAITS;
	ck_assert_uint_eq(visit_enroll(&v), 200);
	site.ca = CA_DOWN;
	for (int i = 0; i < 5; i++) {
		visit_again(&v);
		ck_assert_uint_eq(visit_poll(&v, 0),
			503); /* in HTTP: the PKI expects a pollReq that answers its own words */
		ck_assert_ptr_nonnull(brski_http_get(&v.response, "retry-after"));
		ck_assert(brski_registrar_session_deferred(v.session));
		ck_assert_uint_eq(waiting_rows(), 1);
		site.now += 60;
	}
	site.ca = CA_WAITS;
	visit_again(&v);
	ck_assert_uint_eq(visit_poll(&v, 0), 200);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_ACCEPTED);
	ck_assert_int_eq(v.judged, BRSKI_OK);
	ck_assert_uint_eq(waiting_rows(), 0);
}
END_TEST

/*
 * The pledge gave up a pollReq and sent another one, whose answer comes first: the late one changes
 * nothing.
 */
START_TEST(late_answer_to_an_old_poll)
{
	struct brski_http answer = {0};
	struct brski_cmp poll = {0};
	struct brski_buf error = {0};
	struct brski_error err;
	struct brski_job *old;

	site.ca = CA_WAITS;
	ck_assert_uint_eq(visit_enroll(&v), 200);
	EXPECT(BRSKI_OK, brski_cmp_poll_req(&site.idevid, 0, NULL, &v.tx, &v.request, &err));
	EXPECT(BRSKI_OK, brski_cmp_decode(brski_buf_span(&v.request), &poll, &err));
	ck_assert_uint_eq(
		visit_send(&v, "POST", PATH_INITIALIZATION, BRSKI_MEDIA_CMP, brski_buf_span(&v.request)), 0);
	old = v.job;
	v.job = NULL;
	visit_again(&v);
	ck_assert_uint_eq(visit_poll(&v, 0), 200);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_ACCEPTED);
	EXPECT(BRSKI_OK, brski_cmp_answer_error(&poll, &site.domain_ca, BRSKI_CMP_REJECTION,
				 BRSKI_CMP_BAD_REQUEST, "nothing is waiting", &site.env, &error, &err));
	EXPECT(BRSKI_OK, brski_http_response(&answer, 200, BRSKI_MEDIA_CMP, brski_buf_span(&error), &err));
	EXPECT(BRSKI_OK, brski_job_answer(old, &answer, NULL, &err));
	visit_again(&v);
	ck_assert_uint_eq(visit_poll(&v, 0), 200);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_IP);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_ACCEPTED);
	brski_job_free(old);
	brski_http_free(&answer);
	brski_buf_free(&error);
	brski_cmp_free(&poll);
}
END_TEST

/* RFC 9483 3.5: between pledge and PKI stand our own waiting and pollRep, which the PKI knows nothing of. */
START_TEST(pki_says_waiting_while_the_pledge_is_away)
{
	site.ca = CA_DOWN;
	ck_assert_uint_eq(visit_enroll(&v), 200);
	ck_assert_uint_eq(visit_poll(&v, 0), 200);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_POLLREP);
	site.ca = CA_WAITS;
	site.ca_polls = 1;
	drive_waiting_row();
	site.now += 60;
	visit_again(&v);
	ck_assert_uint_eq(visit_poll(&v, 0), 200);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_IP);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_WAITING);
	ck_assert_str_eq(v.cmp.text, "patience");
	ck_assert_int_eq(v.judged, BRSKI_OK);
	ck_assert_uint_eq(visit_poll(&v, 0), 200);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_POLLREP);
	ck_assert(brski_registrar_session_deferred(v.session));
	ck_assert_uint_eq(visit_poll(&v, 0), 200);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_ACCEPTED);
	ck_assert_int_eq(v.judged, BRSKI_OK);
}
END_TEST

/* The same pollReq comes again, since the pledge was told so or had been rebooted. */
START_TEST(pki_answers_a_poll_while_the_pledge_is_away)
{
	site.ca = CA_WAITS;
	site.ca_polls = 1;
	ck_assert_uint_eq(visit_enroll(&v), 200);
	for (int i = 0; i < 2; i++) { /* answered by a pollRep, then by the certificate */
		site.ca = CA_DOWN;
		visit_again(&v);
		ck_assert_uint_eq(visit_poll(&v, 0), 503);
		site.ca = CA_WAITS;
		drive_waiting_row();
		site.now += 60;
		visit_again(&v);
		ck_assert_uint_eq(visit_cmp(&v, PATH_INITIALIZATION), 200);
		ck_assert_int_eq(v.cmp.type, i == 0 ? BRSKI_CMP_POLLREP : BRSKI_CMP_IP);
		ck_assert_int_eq(v.judged, BRSKI_OK);
	}
	ck_assert_ptr_nonnull(v.cmp.cert);
	ck_assert_uint_eq(site.n_issued, 1);
}
END_TEST

START_TEST(polled_certificate_is_judged_too)
{
	site.ca = CA_WAITS;
	ck_assert_uint_eq(visit_enroll(&v), 200);
	site.ca = CA_OTHER_KEY;
	ck_assert_uint_eq(visit_poll(&v, 0), 200);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_ERROR);
	ck_assert_ptr_null(v.cmp.cert);
	ck_assert(visit_reason(&v, "key"));
}
END_TEST

/* ---- recipNonce, RFC 9483 3.5 ---- */

#define EXPECT_OK(call) ck_assert_int_eq((call), BRSKI_OK)

/* The device says that it answers something else. */
static void spoil_nonce(struct brski_buf *kept)
{
	brski_buf_free(kept);
	EXPECT_OK(brski_buf_set(kept, brski_buf_span(&v.tx.peer_nonce)));
	v.tx.peer_nonce.data[0] ^= 1;
}

static void restore_nonce(const struct brski_buf *kept)
{
	EXPECT_OK(brski_buf_set(&v.tx.peer_nonce, brski_buf_span(kept)));
}

static void take_nonce(struct brski_cmp_draft *draft, void *ctx)
{
	draft->sender_nonce = brski_buf_span(ctx);
}

/* RFC 9483 3.1, 4.1.1, 4.1.4: certReqId is the answer's, and the nonce its own */
START_TEST(confirmation_of_the_other_kind)
{
	struct brski_buf nonce = {0}, heard = {0}, made;
	X509 *cert;

	ck_assert_uint_eq(visit_enroll(&v), 200);
	EXPECT_OK(brski_buf_set(&nonce, brski_buf_span(&v.tx.request_nonce)));
	EXPECT_OK(brski_buf_set(&heard, brski_buf_span(&v.tx.peer_nonce)));
	cert = sk_X509_value(site.issued, 0);
	EXPECT_OK(brski_cmp_cert_conf(
		&site.idevid, true, cert, BRSKI_CMP_FAIL_NONE, NULL, NULL, &v.tx, &v.request, NULL));
	ck_assert_uint_eq(visit_cmp(&v, PATH_INITIALIZATION), 200);
	expect_error(BRSKI_CMP_ERROR, BRSKI_CMP_BAD_REQUEST, "certReqId -1");
	visit_again(&v);
	brski_buf_move(&v.tx.peer_nonce, &heard);
	EXPECT_OK(brski_cmp_cert_conf(
		&site.idevid, false, cert, BRSKI_CMP_FAIL_NONE, NULL, NULL, &v.tx, &v.request, NULL));
	made = cmp_redo(&v.request, &site.idevid, take_nonce, &nonce);
	brski_buf_move(&v.request, &made);
	brski_buf_move(&v.tx.last_nonce, &nonce);
	ck_assert_uint_eq(visit_cmp(&v, PATH_INITIALIZATION), 200);
	expect_error(BRSKI_CMP_ERROR, BRSKI_CMP_BAD_SENDER_NONCE, "senderNonce");
	ck_assert_uint_eq(site.n_confirmed, 0);
}
END_TEST

START_TEST(confirmation_answers_the_certificate)
{
	struct brski_buf nonce = {0}, conf = {0};

	ck_assert_uint_eq(visit_enroll(&v), 200);
	spoil_nonce(&nonce);
	ck_assert_uint_eq(visit_confirm(&v), 200);
	expect_error(BRSKI_CMP_ERROR, BRSKI_CMP_BAD_RECIPIENT_NONCE, "recipNonce");
	ck_assert_uint_eq(site.n_confirmed, 0);
	ck_assert_uint_eq(visit_status(&v, PATH_ENROLL_STATUS, true), 403);
	/* the right one, weeks later, after a restart */
	site.now += 29 * 86400;
	site_restart(&site);
	visit_again(&v);
	restore_nonce(&nonce);
	ck_assert_uint_eq(visit_confirm(&v), 200);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_PKICONF);
	EXPECT_OK(brski_buf_set(&conf, brski_buf_span(&v.request)));
	/* once more: the answer may have been lost; but not another one */
	visit_again(&v);
	ck_assert_uint_eq(visit_repeat(&v, PATH_INITIALIZATION, BRSKI_MEDIA_CMP), 200);
	visit_read_cmp(&v);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_PKICONF);
	restore_nonce(&nonce);
	visit_again(&v);
	ck_assert_uint_eq(visit_confirm(&v), 200);
	expect_error(BRSKI_CMP_ERROR, BRSKI_CMP_BAD_RECIPIENT_NONCE, "recipNonce");
	ck_assert_uint_eq(site.n_confirmed, 1);
	brski_buf_free(&nonce);
	brski_buf_free(&conf);
}
END_TEST

/* What the device hears from us while the PKI is away, it answers in its pollReqs. */
START_TEST(poll_answers_what_was_said)
{
	struct brski_buf nonce = {0};

	site.ca = CA_DOWN;
	ck_assert_uint_eq(visit_enroll(&v), 200);
	spoil_nonce(&nonce);
	ck_assert_uint_eq(visit_poll(&v, 0), 200);
	expect_error(BRSKI_CMP_ERROR, BRSKI_CMP_BAD_RECIPIENT_NONCE, "recipNonce");
	/* the answer is lost, and lost again: the device knows the old nonce only */
	for (int i = 0; i < 3; i++) {
		site.now += 5 * 86400;
		site_restart(&site);
		visit_again(&v);
		restore_nonce(&nonce);
		ck_assert_uint_eq(visit_poll(&v, 0), 200);
		ck_assert_int_eq(v.cmp.type, BRSKI_CMP_POLLREP);
		ck_assert_int_eq(v.judged, BRSKI_OK);
	}
	/* it has heard the last one; then the first is of the past */
	visit_again(&v);
	ck_assert_uint_eq(visit_poll(&v, 0), 200);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_POLLREP);
	visit_again(&v);
	restore_nonce(&nonce);
	ck_assert_uint_eq(visit_poll(&v, 0), 200);
	expect_error(BRSKI_CMP_ERROR, BRSKI_CMP_BAD_RECIPIENT_NONCE, "recipNonce");
	brski_buf_free(&nonce);
}
END_TEST

/* The PKI's own words count as ours. */
START_TEST(poll_answers_the_pki)
{
	struct brski_buf nonce = {0};
	unsigned calls;

	site.ca = CA_WAITS;
	site.ca_polls = 1;
	ck_assert_uint_eq(visit_enroll(&v), 200);
	calls = site.n_ca_calls;
	spoil_nonce(&nonce);
	ck_assert_uint_eq(visit_poll(&v, 0), 200);
	expect_error(BRSKI_CMP_ERROR, BRSKI_CMP_BAD_RECIPIENT_NONCE, "recipNonce");
	ck_assert_uint_eq(site.n_ca_calls, calls);
	visit_again(&v);
	restore_nonce(&nonce);
	ck_assert_uint_eq(visit_poll(&v, 0), 200);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_POLLREP);
	ck_assert_uint_eq(visit_poll(&v, 0), 200);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_ACCEPTED);
	brski_buf_free(&nonce);
}
END_TEST

/* ---- extraCerts, RFC 9483 3.3 ---- */

/* What signs for the PKI is in no file of ours: it comes with the first answer, and not again. */
START_TEST(pki_shows_its_signer_once)
{
	struct pki_spec spec = {.subject = "CN=Site CMP", .eku = "cmcCA"};
	struct brski_credential signer = pki_make(&spec, &site.domain_ca);

	site.ca_signer = &signer;
	site.ca_is_terse = true;
	site.ca = CA_WAITS;
	site.ca_polls = 1;
	ck_assert_uint_eq(visit_enroll(&v), 200);
	ck_assert_int_eq(v.judged, BRSKI_OK);
	site_restart(&site);
	visit_again(&v);
	ck_assert_uint_eq(visit_poll(&v, 0), 200);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_POLLREP);
	ck_assert_str_eq(v.cmp.text, "patience"); /* the PKI's own */
	ck_assert_int_eq(v.judged, BRSKI_OK);
	ck_assert_uint_eq(visit_poll(&v, 0), 200);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_ACCEPTED);
	/* over a restart, too */
	site_restart(&site);
	visit_again(&v);
	ck_assert_uint_eq(visit_confirm(&v), 200);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_PKICONF);
	ck_assert_int_eq(v.judged, BRSKI_OK);
	site.ca_signer = NULL;
	pki_free(&signer);
}
END_TEST

/* ---- transactions ---- */

START_TEST(transactions_that_are_unknown)
{
	visit_make_enroll(&v, &site.idevid, false); /* made, and not sent */
	ck_assert_int_eq(brski_buf_set(&v.tx.peer_nonce, brski_buf_span(&v.tx.request_nonce)), BRSKI_OK);
	ck_assert_uint_eq(visit_poll(&v, 0), 200);
	expect_error(BRSKI_CMP_ERROR, BRSKI_CMP_BAD_REQUEST, "not known here");
	ck_assert_uint_eq(visit_enroll(&v), 200);
	brski_cmp_transaction_free(&v.tx);
	visit_make_enroll(&v, &site.idevid, false);
	ck_assert_int_eq(brski_buf_set(&v.tx.peer_nonce, brski_buf_span(&v.tx.request_nonce)), BRSKI_OK);
	ck_assert_uint_eq(visit_confirm(&v), 200);
	expect_error(BRSKI_CMP_ERROR, BRSKI_CMP_BAD_REQUEST, "not known here");
	ck_assert_uint_eq(site.n_confirmed, 0);
}
END_TEST

START_TEST(repeats)
{
	struct brski_buf request = {0}, first = {0};

	ck_assert_uint_eq(visit_enroll(&v), 200);
	brski_buf_move(&first, &v.response.body);
	ck_assert_int_eq(brski_buf_set(&request, brski_buf_span(&v.request)), BRSKI_OK);
	site_restart(&site);
	visit_again(&v);
	ck_assert_uint_eq(visit_repeat(&v, PATH_INITIALIZATION, BRSKI_MEDIA_CMP), 200);
	ck_assert(brski_span_equal(brski_buf_span(&first), brski_buf_span(&v.response.body)));
	/* also after certConf, should the pledge have lost its memory of that */
	ck_assert_uint_eq(visit_confirm(&v), 200);
	brski_buf_move(&v.request, &request);
	ck_assert_uint_eq(visit_repeat(&v, PATH_INITIALIZATION, BRSKI_MEDIA_CMP), 200);
	ck_assert(brski_span_equal(brski_buf_span(&first), brski_buf_span(&v.response.body)));
	ck_assert_uint_eq(site.n_issued, 1);
	brski_buf_free(&request);
	brski_buf_free(&first);
}
END_TEST

/*
 * The registrar dies at one of the writes to its store: what the PKI gets is one request, and the
 * pledge one certificate.
 */
static bool dies_at_put(unsigned n, const char *path)
{
	unsigned status;

	site.put_fails = n;
	status = visit_send(&v, "POST", path, BRSKI_MEDIA_CMP, brski_buf_span(&v.request));
	site.put_fails = 0;
	site_restart(&site);
	visit_again(&v);
	return status == 503;
}

START_TEST(dies_between_two_writes)
{
	unsigned n = 1;

	for (;; n++) {
		ck_assert_uint_eq(visit_voucher(&v), 200); /* the last one is used up */
		visit_make_enroll(&v, &site.idevid, false);
		if (!dies_at_put(n, PATH_INITIALIZATION))
			break;
		ck_assert_uint_eq(visit_cmp(&v, PATH_INITIALIZATION), 200);
		ck_assert_int_eq(v.cmp.status, BRSKI_CMP_ACCEPTED);
		ck_assert_uint_eq(site.n_issued, n);
		ck_assert_uint_eq(visit_confirm(&v), 200);
		ck_assert_int_eq(v.cmp.type, BRSKI_CMP_PKICONF);
		ck_assert_int_eq(v.judged, BRSKI_OK);
	}
	ck_assert_uint_gt(n, 2); /* there is more than one write to die at */
}
END_TEST

/*
 * A pollReq whose answer is with the first request already, but not with itself yet, is sent again:
 * what the PKI says to that does not undo the answer.
 */
START_TEST(polled_answer_is_kept)
{
	struct brski_http answer = {0};
	struct brski_buf nonce = {0};
	struct brski_call call;
	struct brski_job *job;
	struct brski_error err;

	site.ca = CA_WAITS;
	ck_assert_uint_eq(visit_enroll(&v), 200);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_WAITING);
	brski_buf_free(&v.request);
	EXPECT(BRSKI_OK, brski_cmp_poll_req(&site.idevid, 0, NULL, &v.tx, &v.request, &err));
	ck_assert_uint_eq(
		visit_send(&v, "POST", PATH_INITIALIZATION, BRSKI_MEDIA_CMP, brski_buf_span(&v.request)), 0);
	EXPECT(BRSKI_OK, brski_buf_set(&nonce, brski_buf_span(&site.ca_nonce)));
	ck_assert(brski_job_call(v.job, &call) && site_upstream(&site, &call, &answer));
	site.put_fails = 2;
	EXPECT(BRSKI_INTERNAL, brski_job_answer(v.job, &answer, NULL, &err));
	ck_assert_uint_eq(site.put_fails, 0);
	brski_http_free(&answer);
	visit_again(&v);
	site_restart(&site);
	visit_again(&v);
	/* taken up from the store */
	site.ca = CA_REFUSES;
	brski_buf_move(&site.ca_nonce, &nonce);
	EXPECT(BRSKI_OK, brski_job_load(site.registrar, brski_buf_span(&waiting_row()->blob),
				 waiting_row()->revision, &job, &err));
	site_drive(&site, job);
	ck_assert_int_eq(brski_job_state(job), BRSKI_JOB_REFUSED);
	brski_job_free(job);
	ck_assert_uint_eq(visit_cmp(&v, PATH_INITIALIZATION), 200);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_IP);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_ACCEPTED);
	ck_assert_uint_eq(site.n_issued, 1);
}
END_TEST

/* random numbers that are not: each 128 bits are the same */
static int same(void *ctx, uint8_t *out, size_t len)
{
	const uint8_t *id = ctx;

	for (size_t i = 0; i < len; i++)
		out[i] = id[i % BRSKI_CMP_ID_LEN];
	return 0;
}

/* RFC 9483 3.5: one transactionID, two requests; the second would be a second certificate */
START_TEST(transaction_in_use)
{
	struct brski_cmp_enroll enroll = {.signer = &site.idevid};
	struct brski_cmp msg = {0};
	uint8_t id[BRSKI_CMP_ID_LEN];
	struct brski_env env = {.ctx = id, .random = same};
	struct brski_error err;

	ck_assert_uint_eq(visit_enroll(&v), 200);
	memcpy(id, v.tx.id.data, sizeof(id));
	enroll.key = v.key;
	enroll.subject = X509_get_subject_name(site.idevid.cert);
	EXPECT(BRSKI_OK, brski_cmp_enroll(&enroll, &env, &v.tx, &v.request, &err));
	EXPECT(BRSKI_OK, brski_cmp_decode(brski_buf_span(&v.request), &msg, &err));
	ck_assert_mem_eq(msg.header.transaction_id.data, id, sizeof(id));
	brski_cmp_free(&msg);
	ck_assert_uint_eq(visit_cmp(&v, PATH_INITIALIZATION), 200);
	expect_error(BRSKI_CMP_ERROR, BRSKI_CMP_TRANSACTION_ID_IN_USE, "transaction that is open");
	ck_assert_uint_eq(site.n_issued, 1);
}
END_TEST

/* ---- general messages ---- */

static void genm(const char *path, const char *type)
{
	struct brski_error err;

	brski_buf_free(&v.request);
	EXPECT(BRSKI_OK, brski_cmp_genm(&site.idevid, type, NULL, &v.tx, &v.request, &err));
	ck_assert_uint_eq(visit_cmp(&v, path), 200);
}

START_TEST(ca_certificates)
{
	genm(PATH_CA_CERTS, OID_CA_CERTS);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_GENP);
	ck_assert_int_eq(v.judged, BRSKI_OK);
	ck_assert_int_eq(sk_X509_num(v.cmp.ca_pubs), 1);
	ck_assert(brski_cert_equal(sk_X509_value(v.cmp.ca_pubs, 0), site.domain_root.cert));
	genm(PATH_TEMPLATE, OID_TEMPLATE);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_GENP);
	ck_assert_uint_eq(v.cmp.info_value.len, 0);
	genm(PATH_CA_CERTS, OID_ROOT_CA);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_ERROR);
	ck_assert_uint_eq(site.n_ca_calls, 0);
	site.config.answer_genm = false;
	change_config();
	genm(PATH_CA_CERTS, OID_CA_CERTS);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_GENP);
	ck_assert_uint_eq(site.n_ca_calls, 1);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {faults_are_said_in_cmp, pkcs10, not_nested, signed_by_another_device,
		asks_for_what_is_not_its_own, a_sensor_asks_for_a_name_of_its_own, wrong_place,
		nested_by_the_pledge, damaged_requests, pki_refuses, unprotected_error_is_vouched_for,
		answers_that_are_wrong, a_neighbour_signs_for_the_pki, answers_that_are_not_judged,
		statuses_of_the_pki, pki_is_down_and_back, forwarded_without_the_pledge,
		pki_wants_to_be_polled, pki_wants_to_be_polled_for_both,
		pki_says_waiting_while_the_pledge_is_away, pki_answers_a_poll_while_the_pledge_is_away,
		polled_certificate_is_judged_too, polls_do_not_pile_up, late_answer_to_an_old_poll,
		confirmation_answers_the_certificate, confirmation_of_the_other_kind,
		poll_answers_what_was_said, poll_answers_the_pki, pki_shows_its_signer_once,
		transactions_that_are_unknown, repeats, dies_between_two_writes, polled_answer_is_kept,
		transaction_in_use, ca_certificates};

	return run_tests("registrar_cmp", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
