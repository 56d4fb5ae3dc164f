/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <openssl/x509v3.h>

#include "eap_brski/est/csrattrs.h"
#include "eap_brski/pki/asn1.h"
#include "tests/unit/support/est_visit.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/mutate.h"

/* EST: what a device may ask for, and what it gets. RFC 7030 4, RFC 8951, RFC 8995 5.9. */

#define ENROLL BRSKI_PATH_EST_SIMPLEENROLL
#define REENROLL BRSKI_PATH_EST_SIMPLEREENROLL

static struct site site;
static struct visit v;

static void setup(void)
{
	est_open(&v, &site);
}

static void teardown(void)
{
	est_close(&v);
}

static unsigned ask_for_voucher_and_keep_request(void)
{
	struct brski_buf kept = {0};
	unsigned status;

	brski_buf_move(&kept, &v.request);
	status = visit_voucher(&v);
	brski_buf_move(&v.request, &kept);
	return status;
}

/* ---- a certificate ---- */

START_TEST(one_visit)
{
	site.ca_implicit = true;
	ck_assert_uint_eq(est_enroll(&v), 200);
	est_expect_certificate(&v);
	ck_assert_uint_eq(site.n_issued, 1);
	ck_assert_uint_eq(site.n_confirmed, 0);
	ck_assert_int_eq(site.permission.row.state, BRSKI_PERMISSION_CERTIFICATE);
	ck_assert(site_has_event(&site, "cert-request", true, "kept"));
	ck_assert(site_has_event(&site, "certificate", true, "issued a certificate to"));
	/* RFC 8995 5.9.4: it counts as any other */
	ck_assert_uint_eq(visit_status(&v, PATH_ENROLL_STATUS, true), 200);
	ck_assert(brski_registrar_session_enrolled(v.session));
	/* the answer may have been lost: it is had again, and nothing new */
	est_again(&v);
	ck_assert_uint_eq(est_post(&v, ENROLL), 200);
	est_expect_certificate(&v);
	ck_assert_uint_eq(site.n_issued, 1);
	ck_assert_int_eq(site.permission.row.state, BRSKI_PERMISSION_REPORTED);
}
END_TEST

START_TEST(the_pki_wants_a_confirmation)
{
	ck_assert_uint_eq(est_enroll(&v), 200);
	est_expect_certificate(&v);
	ck_assert_uint_eq(site.n_issued, 1);
	ck_assert_uint_eq(site.n_confirmed, 1);
	ck_assert_uint_eq(site.n_ca_calls, 2);
	ck_assert_int_eq(site.permission.row.state, BRSKI_PERMISSION_CERTIFICATE);
	ck_assert(site_has_event(&site, "certificate", true, "confirmed the certificate"));
}
END_TEST

/* RFC 9483 6.1: a transaction stays where it began. */
START_TEST(labels)
{
	site.config.cmp_url = "http://ca.example/.well-known/cmp";
	site_restart(&site);
	est_again(&v);
	ck_assert_uint_eq(est_enroll(&v), 200);
	ck_assert_uint_eq(site.n_confirmed, 1);
	ck_assert_str_eq(site.last_cmp_url, "http://ca.example/.well-known/cmp/pkcs10");
	site.config.labels = false;
	site_restart(&site);
	est_again(&v);
	ck_assert_uint_eq(visit_voucher(&v), 200);
	ck_assert_uint_eq(est_enroll(&v), 200);
	ck_assert_str_eq(site.last_cmp_url, site.config.cmp_url);
}
END_TEST

START_TEST(reenroll)
{
	/* RFC 7030 4.2.2: the names of the certificate shown, which are the IDevID's */
	est_make(&v, &(struct est_ask){0});
	ck_assert_uint_eq(est_post(&v, REENROLL), 200);
	est_expect_certificate(&v);
	est_make(&v, &(struct est_ask){.nid = {NID_subject_alt_name}, .value = {"DNS:gadget.example"}});
	est_again(&v);
	ck_assert_uint_eq(est_post(&v, REENROLL), 403);
	est_expect_refusal(&v, 403, "Subject Alternative Name");
	/* which simpleenroll leaves to the PKI; but the voucher is used up */
	est_again(&v);
	ck_assert_uint_eq(est_post(&v, ENROLL), 403);
	est_expect_refusal(&v, 403, "it needs a new voucher");
	ck_assert_uint_eq(site.n_issued, 1);
}
END_TEST

/* With a name there must be that name, and no other. */
START_TEST(reenroll_of_a_device_with_names)
{
	struct pki_spec spec = {
		.subject = SITE_SUBJECT, .san = "DNS:gadget.example", .masa_url = "masa.acme.example"};
	static const struct est_ask asks[] = {{0},
		{.nid = {NID_subject_alt_name}, .value = {"DNS:other.example"}},
		{.nid = {NID_subject_alt_name}, .value = {"DNS:gadget.example,DNS:other.example"}},
		{.nid = {NID_subject_alt_name}, .value = {"DNS:gadget.example"}}};
	const size_t n = sizeof(asks) / sizeof(asks[0]);

	pki_free(&site.idevid);
	pki_free_certs(site.device_chain);
	site.idevid = pki_make(&spec, &site.maker_ca);
	site.device_chain = pki_certs(&site.idevid, NULL);
	est_again(&v);
	ck_assert_uint_eq(visit_voucher(&v), 200);
	for (size_t i = 0; i < n; i++) {
		est_again(&v);
		est_make(&v, &asks[i]);
		ck_assert_uint_eq(est_post(&v, REENROLL), i + 1 < n ? 403 : 200);
	}
	ck_assert_uint_eq(site.n_issued, 1);
}
END_TEST

/* ---- what is refused ---- */

static const struct {
	struct est_ask ask;
	unsigned status;
	const char *words;
} not_its_own[] = {
	{{.serial = "SN-0002"}, 403, "another subject"},
	{{.serial = "sn-0001"}, 403, "another subject"},
	{{.nid = {NID_basic_constraints}, .value = {"critical,CA:TRUE"}}, 403, "Basic Constraints"},
	{{.nid = {NID_key_usage}, .value = {"digitalSignature,keyCertSign"}}, 403, "Key Usage"},
	{{.nid = {NID_ext_key_usage}, .value = {"clientAuth,cmcRA"}}, 403, "Extended Key Usage"},
	{{.nid = {NID_ext_key_usage}, .value = {"serverAuth"}}, 403, "Extended Key Usage"},
	{{.nid = {NID_info_access}, .value = {"OCSP;URI:http://evil.example"}}, 403, ""},
	{{.attributes = "secret"}, 403, ""},
	{{.unknown_attribute = NID_pkcs9_unstructuredName}, 403, ""},
};

START_TEST(asks_for_what_is_not_its_own)
{
	for (size_t i = 0; i < sizeof(not_its_own) / sizeof(not_its_own[0]); i++) {
		est_again(&v);
		est_make(&v, &not_its_own[i].ask);
		est_post(&v, ENROLL);
		est_expect_refusal(&v, not_its_own[i].status, not_its_own[i].words);
		ck_assert(brski_registrar_session_over(v.session));
		ck_assert_uint_eq(est_post(&v, ENROLL), 403);
		est_expect_refusal(&v, 403, "refused before");
	}
	ck_assert_uint_eq(site.n_ca_calls, 0);
	ck_assert_uint_eq(site.n_rows, 1); /* the voucher */
	/* these are its own */
	est_again(&v);
	est_make(&v, &(struct est_ask){.nid = {NID_ext_key_usage, NID_subject_alt_name},
			     .value = {"clientAuth", "DNS:gadget.example"}});
	ck_assert_uint_eq(est_post(&v, ENROLL), 200);
}
END_TEST

START_TEST(proof_of_possession)
{
	EVP_PKEY *mine = pki_key("P-256"), *other = pki_key("P-256"), *liar = pki_false_p256(other, mine);

	est_make(&v, &(struct est_ask){.key = mine, .sign_with = liar});
	est_post(&v, ENROLL);
	est_expect_refusal(&v, 400, "");
	ck_assert_uint_eq(site.n_ca_calls, 0);
	EVP_PKEY_free(other);
	EVP_PKEY_free(liar);
}
END_TEST

static void try_damaged(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	struct brski_buf kept = {0};
	unsigned status;

	(void)ctx;
	(void)how;
	brski_buf_move(&kept, &v.request);
	ck_assert_int_eq(brski_buf_set(&v.request, damaged), BRSKI_OK);
	site.n_events = 0;
	est_again(&v);
	status = damaged.len > 0 ? est_send(&v, ENROLL) : 400;
	ck_assert_msg(status == 400 || status == 403, "%u", status);
	brski_buf_move(&v.request, &kept);
}

START_TEST(damaged_requests)
{
	struct brski_buf golden = {0};

	est_make(&v, &(struct est_ask){0});
	ck_assert_int_eq(brski_buf_set(&golden, brski_buf_span(&v.request)), BRSKI_OK);
	mutate_truncations(brski_buf_span(&golden), try_damaged, NULL);
	mutate_octets_once(brski_buf_span(&golden), try_damaged, NULL);
	mutate_appended(brski_buf_span(&golden), try_damaged, NULL);
	ck_assert_uint_eq(site.n_rows, 1);
	brski_buf_free(&golden);
}
END_TEST

static unsigned post_text(const char *type, const char *text)
{
	return visit_post(&v, ENROLL, type, brski_span_str(text));
}

START_TEST(bodies)
{
	static char big[2 * BRSKI_EST_PKCS10_MAX + 2];

	ck_assert_uint_eq(post_text(BRSKI_MEDIA_PKCS10, ""), 400);
	est_again(&v);
	ck_assert_uint_eq(post_text(BRSKI_MEDIA_PKCS10, "-----BEGIN CERTIFICATE REQUEST-----\n"), 400);
	est_again(&v);
	ck_assert_uint_eq(post_text(BRSKI_MEDIA_PKCS10, "AAAA"), 400);
	est_again(&v);
	ck_assert_uint_eq(post_text("application/pkcs7-mime", "AAAA"), 415);
	memset(big, 'A', sizeof(big) - 1);
	ck_assert_uint_eq(post_text(BRSKI_MEDIA_PKCS10, big), 413);
	big[sizeof(big) - 3] = '\0';
	ck_assert_uint_eq(post_text(BRSKI_MEDIA_PKCS10, big), 413);
	est_again(&v);
	ck_assert_uint_eq(visit_send(&v, "GET", ENROLL, NULL, brski_span(NULL, 0)), 405);
}
END_TEST

START_TEST(not_done_here)
{
	ck_assert_uint_eq(
		visit_post(&v, BRSKI_PATH_EST_FULLCMC, "application/pkcs7-mime", brski_span_str("x")), 501);
	est_expect_refusal(&v, 501, "Full CMC");
	ck_assert_uint_eq(
		visit_post(&v, BRSKI_PATH_EST_SERVERKEYGEN, BRSKI_MEDIA_PKCS10, brski_span_str("x")), 501);
	est_expect_refusal(&v, 501, "simpleenroll");
	/* and all else goes on */
	ck_assert_uint_eq(est_enroll(&v), 200);
}
END_TEST

static const char *const paths[] = {BRSKI_PATH_EST_CACERTS, BRSKI_PATH_EST_CSRATTRS, ENROLL, REENROLL,
	BRSKI_PATH_EST_FULLCMC, BRSKI_PATH_EST_SERVERKEYGEN};

/* At a door that does not serve it there is nothing. */
START_TEST(another_door)
{
	visit_again(&v);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		ck_assert_uint_eq(visit_send(&v, "GET", paths[i], NULL, brski_span(NULL, 0)), 404);
		ck_assert_uint_eq(
			visit_send(&v, "POST", paths[i], BRSKI_MEDIA_PKCS10, brski_span_str("AAAA")), 404);
	}
}
END_TEST

/* ---- what it was given ---- */

START_TEST(without_a_voucher)
{
	site_forget(&site);
	est_again(&v);
	ck_assert_uint_eq(est_enroll(&v), 403);
	est_expect_refusal(&v, 403, "no voucher was given");
	ck_assert(site_has_event(&site, "cert-request", false, "no voucher was given"));
	ck_assert_uint_eq(site.n_ca_calls, 0);
	ck_assert_uint_eq(site.n_rows, 0);
}
END_TEST

START_TEST(a_voucher_too_long_ago)
{
	site.now += BRSKI_VOUCHER_GRANT_AGE_DEFAULT + 1;
	ck_assert_uint_eq(est_enroll(&v), 403);
	est_expect_refusal(&v, 403, "voucher_grant_age");
	ck_assert_uint_eq(site.n_ca_calls, 0);
}
END_TEST

START_TEST(a_second_certificate)
{
	ck_assert_uint_eq(est_enroll(&v), 200);
	ck_assert_uint_eq(est_enroll(&v), 403);
	est_expect_refusal(&v, 403, "it needs a new voucher");
	est_again(&v);
	ck_assert_uint_eq(visit_enroll(&v), 200); /* nor by CMP */
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_REJECTION);
	ck_assert_uint_eq(site.n_issued, 1);
	est_again(&v);
	ck_assert_uint_eq(visit_voucher(&v), 200);
	ck_assert_uint_eq(est_enroll(&v), 200);
	ck_assert_uint_eq(site.n_issued, 2);
}
END_TEST

START_TEST(the_policy)
{
	site.decision = BRSKI_DEFER;
	ck_assert_uint_eq(est_enroll(&v), 202);
	ck_assert_str_eq(brski_http_get(&v.response, "retry-after"), "42");
	ck_assert(brski_registrar_session_deferred(v.session));
	ck_assert_uint_eq(site.n_rows, 1);
	est_again(&v);
	site.decision = BRSKI_REFUSE;
	ck_assert_uint_eq(est_post(&v, ENROLL), 403);
	est_expect_refusal(&v, 403, "may not join");
	site.decision = BRSKI_ACCEPT;
	est_again(&v);
	ck_assert_uint_eq(est_post(&v, ENROLL), 403); /* what it was given fell with the refusal */
	ck_assert_uint_eq(site.n_ca_calls, 0);
}
END_TEST

/* What a key that is used again is asked for is the same octets, with some algorithms. */
START_TEST(an_expired_certificate_is_asked_for_anew)
{
	site.ca_not_after = time(NULL) + 3600;
	ck_assert_uint_eq(est_enroll(&v), 200);
	est_again(&v);
	ck_assert_uint_eq(est_post(&v, ENROLL), 200);
	ck_assert_uint_eq(site.n_issued, 1);
	site.now += 7200;
	site.ca_not_after = 0;
	est_again(&v);
	ck_assert_uint_eq(est_post(&v, ENROLL), 403);
	est_expect_refusal(&v, 403, "new voucher");
	est_again(&v);
	ck_assert_uint_eq(ask_for_voucher_and_keep_request(), 200);
	ck_assert_uint_eq(est_post(&v, ENROLL), 200);
	est_expect_certificate(&v);
	ck_assert_uint_eq(site.n_issued, 2);
}
END_TEST

/* ---- without a voucher, since the operator wants it so ---- */

static void let_in(bool listed)
{
	site_forget(&site);
	site.ca_remembers = true;
	site.listed = listed;
	site.config.enroll_without_voucher = true;
	site_restart(&site);
	est_again(&v);
}

START_TEST(let_in_without_a_voucher)
{
	static const char loud[] = "WITHOUT a voucher, since est_without_voucher is set";

	let_in(true);
	ck_assert_uint_eq(est_enroll(&v), 200);
	est_expect_certificate(&v);
	ck_assert(site_has_event(&site, "cert-request", true, loud));
	ck_assert_ptr_nonnull(strstr(site.log, "enrolls WITHOUT a voucher"));
	/* it counts as any other: one certificate, one report */
	ck_assert_int_eq(site.permission.row.state, BRSKI_PERMISSION_CERTIFICATE);
	ck_assert_uint_eq(visit_status(&v, PATH_ENROLL_STATUS, true), 200);
	site.now += BRSKI_REPORT_REPEAT_AGE_DEFAULT + 1;
	est_again(&v);
	ck_assert_uint_eq(visit_status(&v, PATH_ENROLL_STATUS, true), 403);
	/* what is used up may be begun anew */
	site.n_events = 0;
	est_again(&v);
	ck_assert_uint_eq(est_enroll(&v), 200);
	ck_assert(site_has_event(&site, "cert-request", true, loud));
	ck_assert_uint_eq(visit_status(&v, PATH_ENROLL_STATUS, true), 200);
	ck_assert_uint_eq(site.n_issued, 2);
}
END_TEST

START_TEST(the_inventory_alone)
{
	let_in(false);
	ck_assert_uint_eq(est_enroll(&v), 403);
	est_expect_refusal(&v, 403, "inventory");
	ck_assert_uint_eq(site.n_ca_calls, 0);
	ck_assert_uint_eq(site.permission.row.revision, 0);
	/* and not where the setting is missing */
	let_in(true);
	site.config.enroll_without_voucher = false;
	site_restart(&site);
	est_again(&v);
	ck_assert_uint_eq(est_enroll(&v), 403);
	est_expect_refusal(&v, 403, "no voucher was given");
	ck_assert_uint_eq(site.permission.row.revision, 0);
}
END_TEST

START_TEST(by_est_alone)
{
	let_in(true);
	site.ca = CA_DOWN;
	ck_assert_uint_eq(est_enroll(&v), 202);
	ck_assert_int_eq(site.permission.row.state, BRSKI_PERMISSION_VOUCHER);
	site.ca = CA_RIGHT;
	visit_again(&v);
	ck_assert_uint_eq(visit_enroll(&v), 200);
	ck_assert_int_eq(v.cmp.fail, BRSKI_CMP_NOT_AUTHORIZED);
	ck_assert_uint_eq(site.n_issued, 0);
	/* a voucher makes it a device like any other */
	est_again(&v);
	ck_assert_uint_eq(visit_voucher(&v), 200);
	site.n_events = 0;
	ck_assert_uint_eq(est_enroll(&v), 200);
	ck_assert(site_has_event(&site, "cert-request", true, "kept; the PKI"));
	ck_assert(!site_has_event(&site, "cert-request", true, "WITHOUT"));
}
END_TEST

START_TEST(what_was_taken_back)
{
	let_in(true);
	ck_assert_uint_eq(visit_voucher(&v), 200);
	ck_assert_uint_eq(visit_status(&v, PATH_VOUCHER_STATUS, false), 200);
	est_again(&v);
	ck_assert_uint_eq(est_enroll(&v), 403);
	est_expect_refusal(&v, 403, "taken back");
	/* nor by the PKI's refusal */
	let_in(true);
	site.ca = CA_REFUSES;
	ck_assert_uint_eq(est_enroll(&v), 403);
	site.ca = CA_RIGHT;
	est_again(&v);
	ck_assert_uint_eq(est_enroll(&v), 403);
	est_expect_refusal(&v, 403, "taken back");
	ck_assert_uint_eq(site.n_issued, 0);
}
END_TEST

START_TEST(the_setting_is_taken_back)
{
	let_in(true);
	site.ca = CA_DOWN;
	ck_assert_uint_eq(est_enroll(&v), 202);
	site.ca = CA_RIGHT;
	site.now += 60;
	site.config.enroll_without_voucher = false;
	site_restart(&site);
	/* what was begun goes on, and nothing else is */
	est_again(&v);
	ck_assert_uint_eq(est_post(&v, ENROLL), 200);
	let_in(true);
	site.ca = CA_DOWN;
	ck_assert_uint_eq(est_enroll(&v), 202);
	site.config.enroll_without_voucher = false;
	site_restart(&site);
	est_again(&v);
	ck_assert_uint_eq(est_enroll(&v), 403);
	est_expect_refusal(&v, 403, "no voucher was given");
}
END_TEST

/* While one certificate of its is confirmed, there is no other; but not for ever. */
START_TEST(another_one_is_confirmed)
{
	let_in(true);
	est_make(&v, &(struct est_ask){0});
	ck_assert_uint_eq(est_send(&v, ENROLL), 0);
	site_drive_once(&site, v.job);
	ck_assert_int_eq(site.permission.row.state, BRSKI_PERMISSION_CONFIRMING);
	est_again(&v);
	ck_assert_uint_eq(est_enroll(&v), 403);
	est_expect_refusal(&v, 403, "is confirmed now");
	site.now += BRSKI_VOUCHER_GRANT_AGE_DEFAULT + 1;
	est_again(&v);
	ck_assert_uint_eq(est_enroll(&v), 200);
	/* so it is with a voucher that it did not use for too long */
	let_in(true);
	ck_assert_uint_eq(visit_voucher(&v), 200);
	site.now += BRSKI_VOUCHER_GRANT_AGE_DEFAULT + 1;
	est_again(&v);
	ck_assert_uint_eq(est_enroll(&v), 200);
	ck_assert(site_has_event(&site, "cert-request", true, "WITHOUT a voucher"));
}
END_TEST

/* ---- for everybody ---- */

static STACK_OF(X509) *read_cacerts(void)
{
	struct brski_buf der = {0};
	STACK_OF(X509) *certs = NULL;

	ck_assert_uint_eq(v.response.status, 200);
	ck_assert_str_eq(brski_http_get(&v.response, "content-type"), BRSKI_MEDIA_CERTS_ONLY);
	ck_assert_str_eq(brski_http_get(&v.response, "content-transfer-encoding"), "base64");
	ck_assert_int_eq(brski_est_body_read(brski_buf_span(&v.response.body), 65536, &der, NULL), BRSKI_OK);
	ck_assert_int_eq(brski_est_certs_read(brski_buf_span(&der), &certs, NULL), BRSKI_OK);
	brski_buf_free(&der);
	return certs;
}

static bool names(const STACK_OF(X509) *certs, const X509 *cert)
{
	bool found = false;

	for (int i = 0; i < sk_X509_num(certs); i++)
		found = found || brski_cert_equal(sk_X509_value(certs, i), cert);
	return found;
}

START_TEST(cacerts)
{
	struct brski_http request = {0};
	STACK_OF(X509) *certs;
	bool answered = false;

	ck_assert_uint_eq(visit_send(&v, "GET", BRSKI_PATH_EST_CACERTS, NULL, brski_span(NULL, 0)), 200);
	certs = read_cacerts();
	ck_assert(names(certs, site.domain_root.cert));
	ck_assert(names(certs, site.domain_ca.cert)); /* it is above our own certificate */
	ck_assert_int_eq(sk_X509_num(certs), 2);
	pki_free_certs(certs);
	/* RFC 7030 4.1.1: who has no trust anchor yet may ask */
	ck_assert_int_eq(
		brski_http_request(&request, "GET", BRSKI_PATH_EST_CACERTS, NULL, brski_span(NULL, 0), NULL),
		BRSKI_OK);
	ck_assert_int_eq(brski_registrar_public(site.registrar, &request, true, &answered, &v.response, NULL),
		BRSKI_OK);
	ck_assert(answered);
	pki_free_certs(read_cacerts());
	ck_assert_int_eq(
		brski_registrar_public(site.registrar, &request, false, &answered, &v.response, NULL),
		BRSKI_OK);
	ck_assert(answered);
	ck_assert_uint_eq(v.response.status, 404);
	brski_http_free(&request);
}
END_TEST

static void read_csrattrs(struct brski_csrattrs_found *found)
{
	struct brski_buf der = {0};

	ck_assert_uint_eq(v.response.status, 200);
	ck_assert_str_eq(brski_http_get(&v.response, "content-type"), BRSKI_MEDIA_CSRATTRS);
	ck_assert_int_eq(brski_est_body_read(brski_buf_span(&v.response.body), 65536, &der, NULL), BRSKI_OK);
	ck_assert_int_eq(brski_csrattrs_read(brski_buf_span(&der), found, NULL), BRSKI_OK);
	ck_assert_int_eq(sk_X509_EXTENSION_num(found->said.extensions), 2);
	brski_buf_free(&der);
}

/* What they say, a device may ask for. */
START_TEST(csrattrs)
{
	struct brski_http request = {0};
	struct brski_csrattrs_found found = {0};
	bool answered = false;
	X509_REQ *req = X509_REQ_new();

	ck_assert_uint_eq(visit_send(&v, "GET", BRSKI_PATH_EST_CSRATTRS, NULL, brski_span(NULL, 0)), 200);
	read_csrattrs(&found);
	ck_assert_int_eq(X509_NAME_cmp(found.said.subject, X509_get_subject_name(site.idevid.cert)), 0);
	EVP_PKEY_free(v.key);
	v.key = pki_key("P-384");
	ck_assert_int_eq(X509_REQ_set_subject_name(req, found.said.subject), 1);
	ck_assert_int_eq(X509_REQ_set_pubkey(req, v.key), 1);
	ck_assert_int_eq(X509_REQ_add_extensions(req, found.said.extensions), 1);
	ck_assert_int_gt(X509_REQ_sign(req, v.key, EVP_sha384()), 0);
	brski_buf_free(&v.request);
	ck_assert_int_eq(brski_asn1_write(req, ASN1_ITEM_rptr(X509_REQ), &v.request, NULL), BRSKI_OK);
	ck_assert_uint_eq(est_post(&v, ENROLL), 200);
	est_expect_certificate(&v);
	brski_csrattrs_found_free(&found);
	/* of whom nobody knows who it is, it says no name */
	ck_assert_int_eq(
		brski_http_request(&request, "GET", BRSKI_PATH_EST_CSRATTRS, NULL, brski_span(NULL, 0), NULL),
		BRSKI_OK);
	ck_assert_int_eq(brski_registrar_public(site.registrar, &request, true, &answered, &v.response, NULL),
		BRSKI_OK);
	ck_assert(answered);
	read_csrattrs(&found);
	ck_assert(!found.said.subject || X509_NAME_entry_count(found.said.subject) == 0);
	brski_csrattrs_found_free(&found);
	brski_http_free(&request);
	X509_REQ_free(req);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {one_visit, the_pki_wants_a_confirmation, labels, reenroll,
		reenroll_of_a_device_with_names, asks_for_what_is_not_its_own, proof_of_possession,
		damaged_requests, bodies, not_done_here, another_door, without_a_voucher,
		a_voucher_too_long_ago, a_second_certificate, the_policy,
		an_expired_certificate_is_asked_for_anew, let_in_without_a_voucher, the_inventory_alone,
		by_est_alone, what_was_taken_back, the_setting_is_taken_back, another_one_is_confirmed,
		cacerts, csrattrs};

	return run_tests("EST", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
