/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <openssl/cms.h>

#include "eap_brski/artifacts/voucher_check.h"
#include "eap_brski/artifacts/voucher_cms.h"
#include "eap_brski/registrar/registrar_internal.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/mutate.h"
#include "tests/unit/support/visit.h"

/* Voucher-requests, the MASA's answers, and audit logs: RFC 8995 5.2 to 5.8. */

static struct site site;
static struct visit v;

static void setup(void)
{
	site_open(&site, "P-256");
	visit_open(&v, &site);
}

static void teardown(void)
{
	visit_close(&v);
	site_close(&site);
}

/* ---- requests ---- */

/* A voucher-request of any content, signed by anyone. */
static void forge(
	const struct brski_credential *signer, const char *serial, const X509 *registrar, size_t nonce_len)
{
	struct brski_voucher r = {
		.is_request = true, .assertion = BRSKI_ASSERTION_PROXIMITY, .created_on = site.now};
	static const uint8_t nonce[32] = {1, 2, 3};
	struct brski_error err;

	snprintf(r.serial_number, sizeof(r.serial_number), "%s", serial);
	if (nonce_len)
		EXPECT(BRSKI_OK, brski_buf_set(&r.nonce, brski_span(nonce, nonce_len)));
	if (registrar)
		EXPECT(BRSKI_OK, brski_cert_to_der(registrar, &r.proximity_registrar_cert, &err));
	brski_buf_free(&v.request);
	EXPECT(BRSKI_OK, brski_voucher_sign(&r, signer, true, &v.request, &err));
	brski_voucher_free(&r);
}

static void expect_refused(unsigned status, const char *words)
{
	ck_assert_uint_eq(visit_repeat(&v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER), status);
	ck_assert_msg(visit_reason(&v, words), "\"%s\" lacks \"%s\"",
		brski_registrar_session_reason(v.session), words);
	ck_assert(brski_registrar_session_over(v.session));
	ck_assert_uint_eq(site.n_masa_calls, 0);
	ck_assert_uint_eq(site.n_rows, 0);
	ck_assert(site_has_event(&site, "voucher-request", false, words));
	visit_again(&v);
}

START_TEST(requests_that_are_refused)
{
	struct brski_credential other =
		pki_leaf("CN=Gadget,O=Acme,serialNumber=SN-0002", "P-256", &site.maker_ca);
	struct brski_credential clone = pki_leaf(SITE_SUBJECT, "P-256", &site.maker_ca);
	const X509 *own = site.registrar_cred.cert;

	forge(&site.idevid, SITE_SERIAL, own, 16);
	ck_assert_uint_eq(visit_repeat(&v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER), 200);
	teardown();
	setup();
	own = site.registrar_cred.cert;

	forge(&other, "SN-0002", own, 16); /* the tunnel's peer is another device */
	expect_refused(403, "");
	forge(&clone, SITE_SERIAL, own, 16); /* same name, another key */
	expect_refused(403, "");
	forge(&site.idevid, "SN-0002", own, 16); /* RFC 8995 5.5: the serial is the certificate's */
	expect_refused(403, "SN-0002");
	forge(&site.idevid, SITE_SERIAL, site.domain_ca.cert, 16); /* RFC 8995 5.2: a man in the middle */
	expect_refused(401, "");
	forge(&site.idevid, SITE_SERIAL, NULL, 16);
	ck_assert_uint_ge(visit_repeat(&v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER), 400);
	visit_again(&v);
	forge(&site.idevid, SITE_SERIAL, own, 0);
	ck_assert_uint_ge(visit_repeat(&v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER), 400);
	ck_assert_uint_eq(site.n_rows, 0);
	pki_free(&other);
	pki_free(&clone);
}
END_TEST

/* A voucher-request as it should be but for the certificates in its envelope: these, and not its signer's. */
static void forge_without_signer(const STACK_OF(X509) *certs)
{
	const unsigned flags = CMS_BINARY | CMS_PARTIAL | CMS_NOSMIMECAP | CMS_NOCERTS;
	CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, flags);
	STACK_OF(X509) *own = NULL;
	struct brski_buf json = {0};
	struct brski_error err;
	unsigned char *der = NULL;
	BIO *in;
	int len;

	forge(&site.idevid, SITE_SERIAL, site.registrar_cred.cert, 16);
	EXPECT(BRSKI_OK, brski_cms_open(brski_buf_span(&v.request), NULL, &json, &own, NULL, &err));
	in = BIO_new_mem_buf(json.data, (int)json.len);
	ck_assert_ptr_nonnull(CMS_add1_signer(cms, site.idevid.cert, site.idevid.key, EVP_sha256(), flags));
	for (int i = 0; i < sk_X509_num(certs); i++)
		ck_assert_int_eq(CMS_add1_cert(cms, sk_X509_value(certs, i)), 1);
	ck_assert_int_eq(CMS_final(cms, in, NULL, flags), 1);
	len = i2d_CMS_ContentInfo(cms, &der);
	EXPECT(BRSKI_OK, brski_buf_set(&v.request, brski_span(der, (size_t)len)));
	OPENSSL_free(der);
	BIO_free(in);
	CMS_ContentInfo_free(cms);
	brski_buf_free(&json);
	pki_free_certs(own);
}

/* The MASA could not verify it; whose fault that is must be told here. */
START_TEST(requests_without_their_signers_certificate)
{
	STACK_OF(X509) *above = pki_certs(&site.maker_ca, NULL);

	forge_without_signer(NULL);
	expect_refused(400, "without the certificate of its signer");
	forge_without_signer(above);
	expect_refused(400, "without the certificate of its signer");
	pki_free_certs(above);
}
END_TEST

static enum brski_code answer_of_the_masa(struct brski_job *job, struct brski_error *err)
{
	struct brski_http answer = {0};
	struct brski_call call;
	enum brski_code code;

	ck_assert(brski_job_call(job, &call));
	ck_assert(site_upstream(&site, &call, &answer));
	code = brski_job_answer(job, &answer, NULL, err);
	brski_http_free(&answer);
	return code;
}

/* What was kept, as an earlier version took it or as a disk has spoiled it: the MASA is not to blame. */
START_TEST(kept_requests_that_are_not_whole)
{
	struct brski_buf bare = {0};
	struct brski_error err;

	forge_without_signer(NULL);
	brski_buf_move(&bare, &v.request);
	forge(&site.idevid, SITE_SERIAL, site.registrar_cred.cert, 16);
	ck_assert_uint_eq(
		visit_send(&v, "POST", PATH_VOUCHER, BRSKI_MEDIA_VOUCHER, brski_buf_span(&v.request)), 0);
	ck_assert_int_eq(brski_buf_set(&v.job->request, brski_buf_span(&bare)), BRSKI_OK);
	v.job->request.data[v.job->request.len - 1] ^= 1;
	EXPECT_WHY(BRSKI_INTERNAL, "voucher-request, as it was kept", answer_of_the_masa(v.job, &err));
	ck_assert(!site_has_event(&site, "voucher", false, "MASA"));
	v.job->request.data[v.job->request.len - 1] ^= 1;
	EXPECT(BRSKI_OK, answer_of_the_masa(v.job, &err));
	ck_assert(site_has_event(&site, "voucher", true, "gave a voucher"));
	brski_buf_free(&bare);
}
END_TEST

static void try_damaged(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	unsigned status;

	(void)ctx;
	site.n_events = 0;
	visit_again(&v);
	status = visit_send(&v, "POST", PATH_VOUCHER, BRSKI_MEDIA_VOUCHER, damaged);
	/*
	 * octets that no signature covers may differ; what is accepted is then a request of its
	 * own, and genuine
	 */
	if (status == 0) {
		struct brski_voucher r = {0};
		struct brski_error err;
		STACK_OF(X509) *chain = site.device_chain;

		EXPECT(BRSKI_OK,
			brski_voucher_request_check(damaged, chain, site.registrar_cred.cert, &r, &err));
		ck_assert_str_eq(r.serial_number, SITE_SERIAL);
		brski_voucher_free(&r);
		ck_assert_uint_lt(how->at, damaged.len);
		brski_buf_free(&site.rows[--site.n_rows].blob);
		return;
	}
	ck_assert_uint_ge(status, 400);
}

START_TEST(damaged_requests)
{
	struct brski_buf golden = {0};

	visit_make_voucher_request(&v);
	brski_buf_move(&golden, &v.request);
	mutate_truncations(brski_buf_span(&golden), try_damaged, NULL);
	mutate_octets_once(brski_buf_span(&golden), try_damaged, NULL);
	mutate_appended(brski_buf_span(&golden), try_damaged, NULL);
	brski_buf_free(&golden);
}
END_TEST

/* RFC 8995 5.7: "A server that sees unknown fields should log them, but otherwise ignore them" */
START_TEST(reports_with_more_in_them)
{
	static const char report[] = "{\"version\":1,\"status\":false,\"reason\":\"no\","
				     "\"reason-context\":\"plain\",\"more\":1}";

	ck_assert_uint_eq(visit_voucher(&v), 200);
	ck_assert_uint_eq(
		visit_send(&v, "POST", PATH_VOUCHER_STATUS, BRSKI_MEDIA_JSON, brski_span_str(report)), 200);
	ck_assert_ptr_nonnull(strstr(site.log, "fields that are not known: more"));
	ck_assert(site_has_event(&site, "voucher-status", false, "no \"plain\""));
}
END_TEST

/* ---- repeats ---- */

START_TEST(repeat_gets_the_same_voucher)
{
	struct brski_buf first = {0};

	ck_assert_uint_eq(visit_voucher(&v), 200);
	brski_buf_move(&first, &v.response.body);
	ck_assert_uint_eq(visit_repeat(&v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER), 200);
	ck_assert(brski_span_equal(brski_buf_span(&first), brski_buf_span(&v.response.body)));
	site_restart(&site);
	visit_again(&v);
	ck_assert_uint_eq(visit_repeat(&v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER), 200);
	ck_assert(brski_span_equal(brski_buf_span(&first), brski_buf_span(&v.response.body)));
	ck_assert_uint_eq(site.n_masa_calls, 1);
	/* another request is another matter */
	ck_assert_uint_eq(visit_voucher(&v), 200);
	ck_assert(!brski_span_equal(brski_buf_span(&first), brski_buf_span(&v.response.body)));
	ck_assert_uint_eq(site.n_masa_calls, 2);
	brski_buf_free(&first);
}
END_TEST

START_TEST(repeat_asks_the_policy_again)
{
	ck_assert_uint_eq(visit_voucher(&v), 200);
	site.decision = BRSKI_REFUSE;
	ck_assert_uint_eq(visit_repeat(&v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER), 403);
}
END_TEST

START_TEST(refusal_is_kept_for_a_while)
{
	site.masa = MASA_STATUS;
	site.masa_status = 403;
	site.masa_text = "sold to somebody else";
	ck_assert_uint_eq(visit_voucher(&v), 403);
	ck_assert(visit_said(&v, "sold to somebody else"));
	visit_again(&v);
	ck_assert_uint_eq(visit_repeat(&v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER), 403);
	ck_assert(visit_said(&v, "sold to somebody else"));
	ck_assert_uint_eq(site.n_masa_calls, 1);
	site.masa = MASA_RIGHT;
	site.now += 31;
	visit_again(&v);
	ck_assert_uint_eq(visit_repeat(&v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER), 200);
	ck_assert_uint_eq(site.n_masa_calls, 2);
}
END_TEST

START_TEST(expired_voucher_is_fetched_anew)
{
	site.masa = MASA_NO_NONCE;
	site.allow_nonceless = true;
	visit_again(&v);
	ck_assert_uint_eq(visit_voucher(&v), 200);
	site.now += 59;
	ck_assert_uint_eq(visit_repeat(&v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER), 200);
	ck_assert_uint_eq(site.n_masa_calls, 1);
	site.now += 2;
	ck_assert_uint_eq(visit_repeat(&v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER), 200);
	ck_assert_uint_eq(site.n_masa_calls, 2);
}
END_TEST

/* ---- the MASA ---- */

START_TEST(url_of_the_masa)
{
	static const struct {
		const char *masa_url, *called;
	} cases[] = {
		/* RFC 8995 2.3.2 */
		{"", "https://masa.acme.example/.well-known/brski/requestauditlog"},
		{"https://masa.example:9443", "https://masa.example:9443/.well-known/brski/requestauditlog"},
		/* RFC 3986 3.1 */
		{"HTTPS://masa.example", "https://masa.example/.well-known/brski/requestauditlog"},
		{"https://masa.example/", "https://masa.example/.well-known/brski/requestauditlog"},
		{"https://masa.example/factory/7/", "https://masa.example/factory/7/requestauditlog"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		site.masa_url = cases[i].masa_url;
		visit_again(&v);
		ck_assert_uint_eq(visit_voucher(&v), 200);
		ck_assert_str_eq(site.last_url, cases[i].called);
	}
	/* RFC 8995 2.3.2: "the registrar MUST use HTTPS" */
	site.masa_url = "http://masa.example";
	visit_again(&v);
	ck_assert_uint_eq(visit_voucher(&v), 404);
	ck_assert(visit_reason(&v, "not an https URL"));
}
END_TEST

START_TEST(no_masa_known)
{
	struct pki_spec spec = {.subject = SITE_SUBJECT};
	struct brski_credential plain = pki_make(&spec, &site.maker_ca);

	pki_free(&site.idevid);
	pki_free_certs(site.device_chain);
	site.idevid = plain;
	site.device_chain = pki_certs(&plain, NULL);
	visit_again(&v);
	ck_assert_uint_eq(visit_voucher(&v), 404);
	ck_assert(visit_reason(&v, "set the manufacturer's MASA URL"));
	site.masa_url = "https://masa.example";
	visit_again(&v);
	ck_assert_uint_eq(visit_voucher(&v), 200);
}
END_TEST

/* The extension is there, but cannot be used: that is another thing than none. */
START_TEST(masa_url_that_cannot_be_used)
{
	struct pki_spec spec = {.subject = SITE_SUBJECT, .masa_url = "masa.example:99999"};
	struct brski_credential odd = pki_make(&spec, &site.maker_ca);

	pki_free(&site.idevid);
	pki_free_certs(site.device_chain);
	site.idevid = odd;
	site.device_chain = pki_certs(&odd, NULL);
	visit_again(&v);
	ck_assert_uint_eq(visit_voucher(&v), 404);
	ck_assert(visit_reason(&v, "what the IDevID says of its MASA cannot be used"));
	ck_assert(visit_reason(&v, "\"masa.example:99999\": its port is no number from 1 to 65535"));
	site.masa_url = "https://masa.example:99999";
	visit_again(&v);
	ck_assert_uint_eq(visit_voucher(&v), 404);
	ck_assert(visit_reason(&v, "its port is no number from 1 to 65535"));
	site.masa_url = "https://masa.example";
	visit_again(&v);
	ck_assert_uint_eq(visit_voucher(&v), 200);
}
END_TEST

static void expect_no_voucher(unsigned status, const char *words)
{
	ck_assert_uint_eq(visit_voucher(&v), status);
	ck_assert_msg(visit_reason(&v, words), "\"%s\" lacks \"%s\"",
		brski_registrar_session_reason(v.session), words);
	ck_assert(brski_registrar_session_over(v.session));
	ck_assert(!brski_http_is_type(&v.response, BRSKI_MEDIA_VOUCHER));
	/* RFC 8995 5.8.3: and so no certificate either */
	visit_again(&v);
	ck_assert_uint_eq(visit_enroll(&v), 200);
	ck_assert_int_eq(v.cmp.fail, BRSKI_CMP_NOT_AUTHORIZED);
	ck_assert_uint_eq(site.n_ca_calls, 0);
	visit_again(&v);
}

START_TEST(masa_refuses)
{
	static const struct {
		unsigned masa, pledge;
	} cases[] = {{403, 403}, {404, 404}, {406, 406}, {400, 403}, {401, 403}, {415, 403}, {410, 403}};

	site.masa = MASA_STATUS;
	site.masa_text = "unknown device\n";
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char words[80];

		site.masa_status = cases[i].masa;
		snprintf(words, sizeof(words), "refused: %u unknown device", cases[i].masa);
		expect_no_voucher(cases[i].pledge, words);
		ck_assert(site_has_event(&site, "voucher", false, words));
	}
}
END_TEST

START_TEST(masa_has_no_time)
{
	static const unsigned statuses[] = {202, 408, 429, 500, 502, 503, 504};

	site.masa = MASA_STATUS;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		site.masa_status = statuses[i];
		site.masa_retry_after = i % 2 ? "77" : NULL;
		ck_assert_uint_eq(visit_voucher(&v), 202);
		ck_assert_str_eq(brski_http_get(&v.response, "retry-after"), i % 2 ? "77" : "30");
		ck_assert(brski_registrar_session_over(v.session));
		visit_again(&v);
	}
}
END_TEST

START_TEST(masa_is_down_and_back)
{
	site.masa = MASA_DOWN;
	ck_assert_uint_eq(visit_voucher(&v), 202);
	ck_assert_str_eq(brski_http_get(&v.response, "retry-after"), "30");
	ck_assert(visit_reason(&v, "does not answer: connection refused"));
	ck_assert(site_has_event(&site, "voucher", false, "connection refused"));
	/* the pledge comes back too early: the MASA is spared */
	visit_again(&v);
	ck_assert_uint_eq(visit_repeat(&v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER), 202);
	ck_assert_uint_eq(site.n_masa_calls, 1);
	/* in time, and the MASA is still down: tried again, told once */
	site.now += 30;
	visit_again(&v);
	ck_assert_uint_eq(visit_repeat(&v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER), 202);
	ck_assert_uint_eq(site.n_masa_calls, 2);
	ck_assert_uint_eq(site_count_events(&site, "voucher", false), 1);
	site.now += 30;
	site.masa = MASA_RIGHT;
	visit_again(&v);
	ck_assert_uint_eq(visit_repeat(&v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER), 200);
	ck_assert_uint_eq(site.n_masa_calls, 3);
}
END_TEST

START_TEST(vouchers_that_are_wrong)
{
	static const struct {
		enum site_masa masa;
		const char *words;
	} cases[] = {{MASA_NOT_A_VOUCHER, "Content-Type"}, {MASA_GARBAGE, "MASA"},
		{MASA_OTHER_SERIAL, "SN-6666"}, {MASA_OTHER_NONCE, "nonce"}, {MASA_NO_NONCE, "nonce"},
		{MASA_OTHER_SIGNER, ""}, {MASA_PINS_ANOTHER, ""}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		site.masa = cases[i].masa;
		expect_no_voucher(502, cases[i].words);
		ck_assert_uint_eq(site.n_audit_calls, 0);
	}
	site.allow_nonceless = true;
	visit_again(&v);
	site.masa = MASA_EXPIRED;
	expect_no_voucher(502, "expire");
}
END_TEST

/* RFC 8995 5.6: the registrar may leave the judgement to the pledge */
START_TEST(vouchers_that_are_not_looked_at)
{
	site.check_voucher = false;
	site.masa = MASA_OTHER_NONCE;
	visit_again(&v);
	ck_assert_uint_eq(visit_voucher(&v), 200);
	site.masa = MASA_NOT_A_VOUCHER;
	ck_assert_uint_eq(visit_voucher(&v), 502);
}
END_TEST

/* ---- the audit log ---- */

START_TEST(audit_log_refuses)
{
	site.audit = AUDIT_FOREIGN;
	expect_no_voucher(403, "");
	ck_assert_uint_eq(site_count_events(&site, "audit-log", false), 1);
	ck_assert_uint_eq(site.n_audit_calls, 1);
	site.allow_foreign = true;
	visit_again(&v);
	ck_assert_uint_eq(visit_voucher(&v), 200);
}
END_TEST

START_TEST(audit_log_cannot_be_had)
{
	site.audit = AUDIT_DOWN;
	ck_assert_uint_eq(visit_voucher(&v), 202);
	ck_assert(visit_reason(&v, "requestauditlog does not answer"));
	visit_again(&v);
	site.audit = AUDIT_STATUS;
	site.masa_status = 503;
	expect_no_voucher(202, "503");
	site.masa_status = 404;
	expect_no_voucher(404, "404");
	site.audit = AUDIT_GARBAGE;
	expect_no_voucher(502, "");
	/* the voucher of the first try is kept, and only the log asked for */
	site.audit = AUDIT_RIGHT;
	site.n_masa_calls = 0;
	visit_again(&v);
	site.audit = AUDIT_DOWN;
	ck_assert_uint_eq(visit_voucher(&v), 202);
	site.audit = AUDIT_RIGHT;
	site.now += 30;
	visit_again(&v);
	ck_assert_uint_eq(visit_repeat(&v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER), 200);
	ck_assert_uint_eq(site.n_masa_calls, 1);
}
END_TEST

/* It is judged, and nothing of it stays in the request's row. */
START_TEST(long_audit_log)
{
	site.audit = AUDIT_LONG;
	visit_again(&v);
	ck_assert_uint_eq(visit_voucher(&v), 200);
	ck_assert(site_has_event(&site, "audit-log", true, "1 entries"));
	ck_assert_uint_gt(site.n_rows, 0);
	for (size_t i = 0; i < site.n_rows; i++)
		ck_assert_uint_lt(site.rows[i].blob.len, 65536);
}
END_TEST

START_TEST(audit_log_is_not_wanted)
{
	site.audit_log = false;
	site.audit = AUDIT_FOREIGN;
	visit_again(&v);
	ck_assert_uint_eq(visit_voucher(&v), 200);
	ck_assert_uint_eq(site.n_audit_calls, 0);
}
END_TEST

static void restart_with(const char *masa_hosts)
{
	visit_close(&v);
	site.config.masa_hosts = masa_hosts;
	site_restart(&site);
	visit_open(&v, &site);
	site.n_events = 0;
}

START_TEST(audit_log_elsewhere)
{
	static const struct {
		const char *location, *called; /* NULL: refused */
	} cases[] = {
		{"/log/8f2a", "https://masa.acme.example/log/8f2a"},
		{"https://masa.acme.example/log/8f2a", "https://masa.acme.example/log/8f2a"},
		{"https://masa.acme.example.evil/log", NULL},
		{"https://masa.acme.example:8443/log", NULL},
		{"https://masa.acme.example@evil/log", NULL},
		{"http://masa.acme.example/log", NULL},
		{"//evil/log", NULL},
		{"https://masa.acme.example//evil/log", NULL},
		{"log/8f2a", "https://masa.acme.example/.well-known/brski/log/8f2a"},
		{"../log/8f2a", "https://masa.acme.example/.well-known/log/8f2a"},
		{"//masa.acme.example/log/8f2a", "https://masa.acme.example/log/8f2a"},
		{"/log/8f2a#latest", "https://masa.acme.example/log/8f2a"},
		{"/log of 8f2a", NULL},
		{"/log/\xc3\xa4", NULL},
		{NULL, NULL},
	};

	site.audit = AUDIT_CREATED;
	site.masa_status = 201;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		site.masa_location = cases[i].location;
		visit_again(&v);
		ck_assert_uint_eq(visit_voucher(&v), cases[i].called ? 200 : 502);
		if (cases[i].called)
			ck_assert_str_eq(site.last_url, cases[i].called);
	}
}
END_TEST

/* With the anchors of the same manufacturer, which the site's MASA looks for. */
START_TEST(audit_log_at_a_host_that_is_named)
{
	static const char *const hosts[] = {NULL, "other.example", "other.example, logs.acme.example:8443"};

	site.audit = AUDIT_CREATED;
	site.masa_status = 201;
	site.masa_location = "https://logs.acme.example:8443/log/8f2a";
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		restart_with(hosts[i]);
		ck_assert_uint_eq(visit_voucher(&v), i == 2 ? 200 : 502);
		ck_assert_str_eq(site.last_url,
			i == 2 ? site.masa_location
			       : "https://masa.acme.example/.well-known/brski/requestauditlog");
		if (i < 2)
			ck_assert(site_has_event(&site, "audit-log", false,
				"is at another host, which masa_hosts does not name"));
	}
	site.masa_location = "http://logs.acme.example:8443/log/8f2a";
	restart_with(hosts[2]);
	ck_assert_uint_eq(visit_voucher(&v), 502);
	ck_assert(site_has_event(&site, "audit-log", false, "it leads from https to http"));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {requests_that_are_refused, requests_without_their_signers_certificate,
		kept_requests_that_are_not_whole, damaged_requests, reports_with_more_in_them,
		repeat_gets_the_same_voucher, repeat_asks_the_policy_again, refusal_is_kept_for_a_while,
		expired_voucher_is_fetched_anew, url_of_the_masa, no_masa_known, masa_url_that_cannot_be_used,
		masa_refuses, masa_has_no_time, masa_is_down_and_back, vouchers_that_are_wrong,
		vouchers_that_are_not_looked_at, audit_log_refuses, audit_log_cannot_be_had,
		audit_log_is_not_wanted, audit_log_elsewhere, audit_log_at_a_host_that_is_named,
		long_audit_log};

	return run_tests("registrar_voucher", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
