/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <check.h>

#include "eap_brski/cmp/cmp_oids.h"
#include "eap_brski/cmp/cmp_operation.h"
#include "tests/unit/support/files.h"

/* Labels, paths and URLs of PKI management operations: RFC 9483 6.1, table 1. */

static const char *const labels[] = {"initialization", "certification", "keyupdate", "pkcs10", "revocation",
	"getcacerts", "getrootupdate", "getcertreqtemplate", "getcrls", "nested"};
#define N_LABELS (sizeof(labels) / sizeof(labels[0]))

START_TEST(messages_have_labels)
{
	ck_assert_str_eq(brski_cmp_label(BRSKI_CMP_IR, ""), "initialization");
	ck_assert_str_eq(brski_cmp_label(BRSKI_CMP_CR, ""), "certification");
	ck_assert_str_eq(brski_cmp_label(BRSKI_CMP_KUR, NULL), "keyupdate");
	ck_assert_str_eq(brski_cmp_label(BRSKI_CMP_P10CR, ""), "pkcs10");
	ck_assert_str_eq(brski_cmp_label(BRSKI_CMP_RR, ""), "revocation");
	ck_assert_str_eq(brski_cmp_label(BRSKI_CMP_GENM, BRSKI_OID_CA_CERTS), "getcacerts");
	ck_assert_str_eq(brski_cmp_label(BRSKI_CMP_GENM, BRSKI_OID_ROOT_CA_CERT), "getrootupdate");
	ck_assert_str_eq(brski_cmp_label(BRSKI_CMP_GENM, BRSKI_OID_CERT_REQ_TEMPLATE), "getcertreqtemplate");
	ck_assert_str_eq(brski_cmp_label(BRSKI_CMP_GENM, BRSKI_OID_CRL_STATUS_LIST), "getcrls");
	/* they begin none */
	ck_assert_str_eq(brski_cmp_label(BRSKI_CMP_GENM, "1.2.3"), "");
	ck_assert_str_eq(brski_cmp_label(BRSKI_CMP_GENM, NULL), "");
	ck_assert_str_eq(brski_cmp_label(BRSKI_CMP_CERTCONF, ""), "");
	ck_assert_str_eq(brski_cmp_label(BRSKI_CMP_POLLREQ, ""), "");
	ck_assert_str_eq(brski_cmp_label(BRSKI_CMP_NESTED, ""), "");
	ck_assert_str_eq(brski_cmp_label(-1, ""), "");
	for (size_t i = 0; i < N_LABELS; i++)
		ck_assert_uint_lt(strlen(labels[i]), BRSKI_CMP_LABEL_MAX);
}
END_TEST

static void expect_path(const char *prefix, const char *slash, const char *label)
{
	const char *got;
	char path[128];

	snprintf(path, sizeof(path), "%s%s%s", prefix, slash, label);
	ck_assert_msg(brski_cmp_path(path, &got), "%s", path);
	ck_assert_str_eq(got, label);
}

START_TEST(paths)
{
	static const char *const prefixes[] = {"/.well-known/cmp", "/.well-known/cmp/p/factory-1",
		"/.well-known/cmp/p/a%20b~:@", "/.well-known/cmp/p/p", "/.well-known/cmp/p/initialization"};
	static const char *const others[] = {"", "/", "/cmp", "/.well-known", "/.well-known/cm",
		"/.well-known/cmps", "/.well-known/cmp/", "/.well-known/cmp/p", "/.well-known/cmp/p/",
		"/.well-known/cmp/p//initialization", "/.well-known/cmp/p/x/", "/.well-known/cmp/p/x/y",
		"/.well-known/cmp/p/x?initialization", "/.well-known/cmp/Initialization",
		"/.well-known/cmp/initialization/", "/.well-known/cmp/initialization?x",
		"/.well-known/cmp/p/x/p/y", "/.Well-Known/cmp", "/x/.well-known/cmp", "/.well-known/cmp#x",
		"/.well-known/cmp/p/x y"};
	const char *label;

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		expect_path(prefixes[i], "", "");
		for (size_t k = 0; k < N_LABELS; k++)
			expect_path(prefixes[i], "/", labels[k]);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		ck_assert_msg(!brski_cmp_path(others[i], &label), "%s", others[i]);
		ck_assert_str_eq(label, "");
	}
}
END_TEST

START_TEST(urls)
{
	static const struct {
		const char *url, *label, *want;
	} cases[] = {
		{"http://ca.example/.well-known/cmp", "initialization",
			"http://ca.example/.well-known/cmp/initialization"},
		{"HTTPS://ca.example:8443/.well-known/cmp/", "pkcs10",
			"HTTPS://ca.example:8443/.well-known/cmp/pkcs10"},
		{"http://[::1]:80/.well-known/cmp/p/plant", "getcacerts",
			"http://[::1]:80/.well-known/cmp/p/plant/getcacerts"},
		{"http://ca.example/.well-known/cmp/p/plant/", "getcrls",
			"http://ca.example/.well-known/cmp/p/plant/getcrls"},
		/* nothing is known to belong there */
		{"http://ca.example/.well-known/cmp", "", "http://ca.example/.well-known/cmp"},
		{"http://ca.example/.well-known/cmp/initialization", "pkcs10",
			"http://ca.example/.well-known/cmp/initialization"},
		{"http://ca.example/ejbca/publicweb/cmp/alias", "pkcs10",
			"http://ca.example/ejbca/publicweb/cmp/alias"},
		{"http://ca.example", "pkcs10", "http://ca.example"},
		{"http://ca.example/", "pkcs10", "http://ca.example/"},
		{"http://ca.example/.well-known/cmp?x", "pkcs10", "http://ca.example/.well-known/cmp?x"},
		{"http://ca.example/a/.well-known/cmp", "pkcs10", "http://ca.example/a/.well-known/cmp"},
		{"", "pkcs10", ""},
	};
	struct brski_error err;
	char out[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		EXPECT(BRSKI_OK, brski_cmp_url(cases[i].url, cases[i].label, out, sizeof(out), &err));
		ck_assert_str_eq(out, cases[i].want);
	}
	EXPECT(BRSKI_TOO_LARGE,
		brski_cmp_url("http://ca.example/.well-known/cmp", "initialization", out, 48, &err));
	ck_assert_str_eq(out, "");
	EXPECT(BRSKI_OK, brski_cmp_url("http://ca.example/.well-known/cmp", "initialization", out, 49, &err));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {messages_have_labels, paths, urls};

	return run_tests("CMP operations", NULL, NULL, tests, sizeof(tests) / sizeof(tests[0]));
}
