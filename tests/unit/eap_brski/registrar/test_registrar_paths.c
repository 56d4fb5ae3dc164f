/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include <check.h>
#include <jansson.h>

#include "eap_brski/cmp/cmp_oids.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/visit.h"

/* Where CMP requests come in, and where the PKI gets them: RFC 9483 6.1. */

#define PKI "https://ca.example/.well-known/cmp"
#define HERE "/.well-known/cmp"

static struct site site;
static struct visit v;
static struct brski_error err;

static void setup(void)
{
	site_open(&site, "P-256");
	site.config.cmp_url = PKI;
	site.config.answer_genm = false;
	site_restart(&site);
	visit_open(&v, &site);
	ck_assert_uint_eq(visit_voucher(&v), 200);
}

static void teardown(void)
{
	visit_close(&v);
	site_close(&site);
}

/* A voucher is good for one certificate: each begins with another one. */
static void enroll(bool pkcs10, const char *path)
{
	ck_assert_uint_eq(visit_voucher(&v), 200);
	visit_make_enroll(&v, &site.idevid, pkcs10);
	ck_assert_uint_eq(visit_cmp(&v, path), 200);
}

static void confirm(bool pkcs10, const char *path)
{
	X509 *cert = sk_X509_value(site.issued, sk_X509_num(site.issued) - 1);

	brski_buf_free(&v.request);
	EXPECT(BRSKI_OK, brski_cmp_cert_conf(&site.idevid, pkcs10, cert, BRSKI_CMP_FAIL_NONE, NULL, NULL,
				 &v.tx, &v.request, &err));
	ck_assert_uint_eq(visit_cmp(&v, path), 200);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_PKICONF);
}

static void poll(const char *path)
{
	brski_buf_free(&v.request);
	EXPECT(BRSKI_OK, brski_cmp_poll_req(&site.idevid, 0, NULL, &v.tx, &v.request, &err));
	ck_assert_uint_eq(visit_cmp(&v, path), 200);
}

static void ask(const char *oid, const char *path)
{
	ck_assert_uint_eq(visit_voucher(&v), 200);
	brski_buf_free(&v.request);
	EXPECT(BRSKI_OK, brski_cmp_genm(&site.idevid, oid, NULL, &v.tx, &v.request, &err));
	ck_assert_uint_eq(visit_cmp(&v, path), 200);
}

START_TEST(the_pki_is_asked_at_the_label)
{
	enroll(false, HERE "/initialization");
	ck_assert_str_eq(site.last_cmp_url, PKI "/initialization");
	confirm(false, HERE "/initialization");
	ck_assert_str_eq(site.last_cmp_url, PKI "/initialization");
	enroll(true, HERE "/pkcs10");
	ck_assert_str_eq(site.last_cmp_url, PKI "/pkcs10");
	confirm(true, HERE "/pkcs10");
	ck_assert_str_eq(site.last_cmp_url, PKI "/pkcs10");
	ask(BRSKI_OID_CA_CERTS, HERE "/getcacerts");
	ck_assert_str_eq(site.last_cmp_url, PKI "/getcacerts");
	ask(BRSKI_OID_CERT_REQ_TEMPLATE, HERE "/getcertreqtemplate");
	ck_assert_str_eq(site.last_cmp_url, PKI "/getcertreqtemplate");
	ask(BRSKI_OID_ROOT_CA_CERT, HERE "/getrootupdate");
	ck_assert_str_eq(site.last_cmp_url, PKI "/getrootupdate");
	ask(BRSKI_OID_CRL_STATUS_LIST, HERE "/getcrls");
	ck_assert_str_eq(site.last_cmp_url, PKI "/getcrls");
	ck_assert_uint_eq(site.n_ca_calls, 8);
}
END_TEST

/* The label is the operation's, wherever the device asks, and does not depend on cmp_nested. */
START_TEST(a_device_needs_no_label)
{
	static const char *const paths[] = {HERE, HERE "/p/plant-7", HERE "/p/plant-7/pkcs10"};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		site.config.nest = i != 1;
		site_restart(&site);
		visit_again(&v);
		enroll(true, paths[i]);
		ck_assert_str_eq(site.last_cmp_url, PKI "/pkcs10");
		confirm(true, paths[i]);
		ck_assert_str_eq(site.last_cmp_url, PKI "/pkcs10");
	}
	ask(BRSKI_OID_CA_CERTS, HERE);
	ck_assert_str_eq(site.last_cmp_url, PKI "/getcacerts");
}
END_TEST

/* Also after a restart: where a transaction began is stored. */
START_TEST(polls_go_where_the_transaction_began)
{
	site.ca = CA_WAITS;
	site.ca_polls = 1;
	enroll(false, HERE);
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_WAITING);
	site_restart(&site);
	visit_again(&v);
	site.last_cmp_url[0] = '\0';
	poll(HERE);
	ck_assert_str_eq(site.last_cmp_url, PKI "/initialization");
	poll(HERE "/initialization");
	ck_assert_str_eq(site.last_cmp_url, PKI "/initialization");
	confirm(false, HERE);
	ck_assert_str_eq(site.last_cmp_url, PKI "/initialization");
}
END_TEST

START_TEST(labels_may_be_left_out)
{
	site.config.labels = false;
	site_restart(&site);
	visit_again(&v);
	enroll(false, HERE);
	ck_assert_str_eq(site.last_cmp_url, PKI);
	site.config.labels = true;
	site.config.cmp_url = "https://ca.example/ejbca/publicweb/cmp/brski";
	site_restart(&site);
	visit_again(&v);
	enroll(false, HERE);
	ck_assert_str_eq(site.last_cmp_url, "https://ca.example/ejbca/publicweb/cmp/brski");
}
END_TEST

START_TEST(a_pki_that_knows_no_labels)
{
	site.ca = CA_STATUS;
	site.ca_status = 404;
	enroll(false, HERE);
	ck_assert(visit_reason(&v, "cmp_labels = no"));
	site.config.labels = false;
	site_restart(&site);
	visit_again(&v);
	enroll(false, HERE);
	ck_assert(visit_reason(&v, "status 404"));
	ck_assert(!visit_reason(&v, "cmp_labels"));
}
END_TEST

/* What is not for a pledge is told in CMP; what is no label is not there. */
START_TEST(labels_that_are_not_served)
{
	static const char *const known[] = {"certification", "keyupdate", "revocation", "nested"};
	static const char *const unknown[] = {"/", "/p", "/p/", "/p/x/y", "/x", "/initialization/", "s"};
	char path[64];

	visit_make_enroll(&v, &site.idevid, false);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		snprintf(path, sizeof(path), HERE "/%s", known[i]);
		ck_assert_uint_eq(visit_cmp(&v, path), 200);
		ck_assert_int_eq(v.cmp.type, BRSKI_CMP_ERROR);
		ck_assert_int_eq(v.cmp.fail, BRSKI_CMP_BAD_REQUEST);
		ck_assert_msg(visit_reason(&v, known[i]), "%s", brski_registrar_session_reason(v.session));
	}
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		snprintf(path, sizeof(path), HERE "%s", unknown[i]);
		ck_assert_msg(visit_repeat(&v, path, BRSKI_MEDIA_CMP) == 404, "%s", path);
	}
	ck_assert_uint_eq(site.n_ca_calls, 0);
}
END_TEST

START_TEST(discovery_lists_what_is_served)
{
	static const char *const served[] = {"/.well-known/brski", "/.well-known/brski/requestvoucher",
		"/.well-known/brski/voucher_status", "/.well-known/brski/enrollstatus", HERE,
		HERE "/initialization", HERE "/pkcs10", HERE "/getcacerts", HERE "/getcertreqtemplate",
		HERE "/getrootupdate", HERE "/getcrls"};
	json_t *json, *paths;

	ck_assert_uint_eq(visit_send(&v, "GET", PATH_BRSKI, NULL, brski_span(NULL, 0)), 200);
	json = json_loadb((const char *)v.response.body.data, v.response.body.len, 0, NULL);
	paths = json_object_get(json, "endpoints");
	ck_assert_uint_eq(json_array_size(paths), sizeof(served) / sizeof(served[0]));
	for (size_t i = 0; i < sizeof(served) / sizeof(served[0]); i++)
		ck_assert_str_eq(json_string_value(json_array_get(paths, i)), served[i]);
	json_decref(json);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {the_pki_is_asked_at_the_label, a_device_needs_no_label,
		polls_go_where_the_transaction_began, labels_may_be_left_out, a_pki_that_knows_no_labels,
		labels_that_are_not_served, discovery_lists_what_is_served};

	return run_tests("registrar, paths", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
