/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "eap_brski/pki/cms.h"
#include "services/registrar/admin.h"
#include "services/registrar/bundle.h"
#include "services/registrar/policy.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/visit.h"

/* The operator's export, import and vouchers ahead, with keys in files; MASA and CA are the site's. */

static struct site site;
static struct brski_store *store; /* the server's, beside the operator's */
static struct brski_policy *policy;
static struct brski_admin *admin;
static struct brski_credential courier;
static char folder[64];
static struct brski_error err;
static char rows[2048];

static void put_manufacturer(void)
{
	struct brski_admin_manufacturer m;

	brski_admin_manufacturer_init(&m);
	snprintf(m.name, sizeof(m.name), "acme");
	EXPECT(BRSKI_OK, brski_admin_manufacturer_set_url(&m, "https://masa.acme.example", &err));
	EXPECT(BRSKI_OK, brski_certs_to_pem(site.maker_anchors, &m.pem[BRSKI_ADMIN_IDEVID_ANCHORS], &err));
	EXPECT(BRSKI_OK, brski_certs_to_pem(site.masa_anchors, &m.pem[BRSKI_ADMIN_VOUCHER_ANCHORS], &err));
	EXPECT(BRSKI_OK, brski_admin_manufacturer_put(admin, &m, &err));
	brski_admin_manufacturer_free(&m);
}

static const char *in_folder(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void write_certs(const char *name, STACK_OF(X509) *certs)
{
	struct brski_buf pem = {0};

	EXPECT(BRSKI_OK, brski_certs_to_pem(certs, &pem, &err));
	file_write(in_folder(name), brski_buf_span(&pem));
	brski_buf_free(&pem);
}

static void write_credential(const char *name, const struct brski_credential *cred)
{
	STACK_OF(X509) *certs = pki_certs(cred, NULL);

	write_certs(name, certs);
	pki_free_certs(certs);
}

/* Not those above it: they would make a courier of whoever has a certificate of theirs. */
static void write_courier(void)
{
	STACK_OF(X509) *certs = sk_X509_new_null();

	ck_assert(sk_X509_push(certs, courier.cert) == 1);
	write_certs("courier.pem", certs);
	sk_X509_free(certs);
}

static void write_files(void)
{
	struct brski_buf key = {0};

	write_credential("registrar.pem", &site.registrar_cred);
	write_courier();
	write_credential("idevid.pem", &site.idevid);
	write_certs("ca.pem", site.domain_anchors);
	EXPECT(BRSKI_OK, brski_key_to_pem(site.registrar_cred.key, &key, &err));
	file_write(in_folder("registrar.key"), brski_buf_span(&key));
	brski_buf_free(&key);
}

static void load(void)
{
	EXPECT(BRSKI_OK, brski_admin_configure(admin, "certificate_file", in_folder("registrar.pem"), &err));
	EXPECT(BRSKI_OK, brski_admin_configure(admin, "private_key_file", in_folder("registrar.key"), &err));
	EXPECT(BRSKI_OK, brski_admin_configure(admin, "ca_file", in_folder("ca.pem"), &err));
	EXPECT(BRSKI_OK, brski_admin_configure(admin, "cmp_url", site.config.cmp_url, &err));
	EXPECT(BRSKI_OK, brski_admin_load(admin, &err));
}

static void setup(void)
{
	site_open(&site, "P-256");
	temp_make(folder);
	courier = pki_leaf("CN=courier", "P-256", &site.domain_ca);
	write_files();
	EXPECT(BRSKI_OK, brski_admin_open(in_folder("db"), true, &site.env, &admin, &err));
	put_manufacturer();
	EXPECT(BRSKI_OK, brski_admin_device_put(admin, "acme", SITE_SERIAL, NULL, &err));
	EXPECT(BRSKI_OK, brski_store_open(in_folder("db"), false, &store, &err));
	EXPECT(BRSKI_OK, brski_policy_new(store, &site.env, &policy, &err));
	site.config.ops = brski_policy_ops();
	site.config.ops_ctx = policy;
	site_restart(&site);
	load();
	rows[0] = '\0';
}

static void teardown(void)
{
	brski_admin_close(admin);
	brski_registrar_free(site.registrar);
	site.registrar = NULL;
	brski_policy_free(policy);
	brski_store_close(store);
	pki_free(&courier);
	temp_remove(folder);
	site_close(&site);
}

/* ---- What the tests do ---- */

static void ask_voucher(void)
{
	struct visit v;

	visit_open(&v, &site);
	visit_make_voucher_request(&v);
	ck_assert_uint_eq(
		visit_send(&v, "POST", PATH_VOUCHER, BRSKI_MEDIA_VOUCHER, brski_buf_span(&v.request)), 0);
	visit_close(&v);
}

/* As brski-courier reads it. */
static struct brski_bundle export_all(unsigned vouchers, unsigned nonceless)
{
	struct brski_admin_exported exported;
	struct brski_buf file = {0};
	struct brski_bundle bundle;
	STACK_OF(X509) *certs;

	EXPECT(BRSKI_OK, brski_admin_export(admin, &file, &exported, &err));
	ck_assert(exported.vouchers == vouchers && exported.nonceless == nonceless);
	ck_assert(exported.certificates == 0 && exported.held == 0);
	EXPECT(BRSKI_OK, brski_bundle_open(brski_buf_span(&file), false, NULL, NULL, &bundle, &certs, &err));
	ck_assert_uint_eq(bundle.n_items, vouchers + nonceless);
	ck_assert(brski_cert_equal(sk_X509_value(certs, 0), site.registrar_cred.cert));
	pki_free_certs(certs);
	brski_buf_free(&file);
	return bundle;
}

static void call(const struct brski_planned *planned, struct brski_bundle_item *out)
{
	struct brski_call c = {.back_end = "MASA",
		.request = &planned->request,
		.tls_anchors = site.masa_anchors,
		.client = &site.registrar_cred};

	memcpy(c.url, planned->url, sizeof(c.url));
	if (site_masa(&site, &c, &out->answers[out->n_answers]))
		out->n_answers++;
	else
		snprintf(out->trouble, sizeof(out->trouble), "it is down");
}

/* Signed by whoever it is. */
static struct brski_buf answers_to(const struct brski_bundle *requests, const struct brski_credential *signer)
{
	struct brski_bundle answers = {.answers = true, .created_on = site.now};
	struct brski_bundle_item *out = brski_bundle_add(&answers);
	const struct brski_bundle_item *item = &requests->items[0];
	struct brski_buf file = {0};

	memcpy(answers.registrar, requests->registrar, sizeof(answers.registrar));
	memcpy(out->key, item->key, sizeof(out->key));
	memcpy(out->manufacturer, item->manufacturer, sizeof(out->manufacturer));
	memcpy(out->serial_number, item->serial_number, sizeof(out->serial_number));
	out->kind = item->kind;
	for (size_t i = 0; i < item->n_calls && !out->trouble[0]; i++)
		call(&item->calls[i], out);
	EXPECT(BRSKI_OK, brski_bundle_seal(&answers, signer, &file, &err));
	brski_bundle_free(&answers);
	return file;
}

static struct brski_buf answer(const struct brski_credential *signer)
{
	struct brski_bundle requests = export_all(1, 0);
	struct brski_buf file = answers_to(&requests, signer);

	brski_bundle_free(&requests);
	return file;
}

static void imported_row(void *ctx, const struct brski_admin_imported *a)
{
	static const char *const words[] = {[BRSKI_ADMIN_ANSWERED] = "answered",
		[BRSKI_ADMIN_REFUSED] = "refused",
		[BRSKI_ADMIN_GOES_ON] = "goes on",
		[BRSKI_ADMIN_WAITS] = "waits",
		[BRSKI_ADMIN_REPEATED] = "repeated",
		[BRSKI_ADMIN_WRONG] = "wrong"};

	(void)ctx;
	snprintf(rows, sizeof(rows), "%s of %s: %s: %s: %s", a->serial_number, a->manufacturer, a->kind,
		words[a->outcome], a->why);
}

static enum brski_code import(const struct brski_buf *file, const char *couriers)
{
	rows[0] = '\0';
	return brski_admin_import(admin, brski_buf_span(file), couriers, imported_row, NULL, &err);
}

static void expect_row(const char *begins)
{
	ck_assert_msg(strncmp(rows, begins, strlen(begins)) == 0, "\"%s\" is not \"%s\"", rows, begins);
}

/* ---- Tests ---- */

START_TEST(answers_are_taken_once)
{
	struct brski_buf file;

	ask_voucher();
	file = answer(&courier);
	EXPECT(BRSKI_OK, import(&file, NULL));
	expect_row(SITE_SERIAL " of acme: voucher: answered: ");
	EXPECT(BRSKI_OK, import(&file, NULL));
	expect_row(SITE_SERIAL " of acme: voucher: repeated: it has been answered before");
	brski_buf_free(&file);
}
END_TEST

/* Whose it is, is asked before anything in it is looked at. */
START_TEST(a_strangers_file_is_not_looked_into)
{
	struct brski_credential stranger = pki_leaf("CN=stranger", "P-256", &site.domain_ca);
	struct brski_buf file = {0};

	EXPECT(BRSKI_OK, brski_cms_sign_data(brski_span_str("[[[[ no JSON"), &stranger, &file, &err));
	EXPECT_WHY(BRSKI_UNTRUSTED, "signed by no courier that is known", import(&file, NULL));
	brski_buf_free(&file);
	EXPECT(BRSKI_OK, brski_cms_sign_data(brski_span_str("[[[[ no JSON"), &courier, &file, &err));
	EXPECT_WHY(BRSKI_MALFORMED, "does not parse", import(&file, NULL));
	file.data[file.len - 1] ^= 1;
	EXPECT(BRSKI_BAD_SIGNATURE, import(&file, NULL));
	brski_buf_free(&file);
	pki_free(&stranger);
}
END_TEST

/* The operator takes one file for the other. */
START_TEST(requests_are_no_answers)
{
	struct brski_admin_exported exported;
	struct brski_buf file = {0};

	ask_voucher();
	EXPECT(BRSKI_OK, brski_admin_export(admin, &file, &exported, &err));
	EXPECT_WHY(BRSKI_UNEXPECTED, "no file of answers", import(&file, NULL));
	brski_buf_free(&file);
}
END_TEST

START_TEST(what_became_of_answers)
{
	struct brski_buf file;

	ask_voucher();
	site.masa = MASA_DOWN;
	file = answer(&courier);
	EXPECT(BRSKI_OK, import(&file, NULL));
	expect_row(SITE_SERIAL " of acme: voucher: waits: it is down");
	brski_buf_free(&file);
	site.masa = MASA_OTHER_NONCE;
	file = answer(&courier);
	EXPECT(BRSKI_OK, import(&file, NULL));
	expect_row(SITE_SERIAL " of acme: voucher: wrong: ");
	brski_buf_free(&file);
	site.masa = MASA_RIGHT;
	site.audit = AUDIT_DOWN;
	file = answer(&courier);
	EXPECT(BRSKI_OK, import(&file, NULL));
	expect_row(SITE_SERIAL " of acme: voucher: goes on: ");
	brski_buf_free(&file);
	site.audit = AUDIT_FOREIGN;
	file = answer(&courier);
	EXPECT(BRSKI_OK, import(&file, NULL));
	expect_row(SITE_SERIAL " of acme: voucher: refused: ");
	brski_buf_free(&file);
}
END_TEST

START_TEST(couriers_must_be_known)
{
	struct brski_credential stranger = pki_leaf("CN=stranger", "P-256", &site.domain_ca);
	struct brski_buf file;

	ask_voucher();
	file = answer(&stranger);
	EXPECT_WHY(BRSKI_UNTRUSTED, "they are signed by no courier that is known: ", import(&file, NULL));
	EXPECT_WHY(BRSKI_NOT_FOUND,
		"the couriers' certificates (--courier): ", import(&file, in_folder("no-such-file")));
	EXPECT(BRSKI_MALFORMED,
		brski_admin_import(admin, brski_span_str("garbage"), NULL, imported_row, NULL, &err));
	ck_assert_str_eq(rows, "");
	EXPECT(BRSKI_OK, import(&file, in_folder("ca.pem")));
	expect_row(SITE_SERIAL " of acme: voucher: answered: ");
	brski_buf_free(&file);
	pki_free(&stranger);
}
END_TEST

START_TEST(answers_are_for_one_registrar)
{
	struct brski_bundle requests;
	struct brski_buf file;

	ask_voucher();
	requests = export_all(1, 0);
	requests.registrar[0] = requests.registrar[0] == '0' ? '1' : '0';
	file = answers_to(&requests, &courier);
	EXPECT_WHY(BRSKI_MISMATCH, "another registrar", import(&file, NULL));
	ck_assert_str_eq(rows, "");
	brski_buf_free(&file);
	brski_bundle_free(&requests);
}
END_TEST

static void voucher_row(void *ctx, const struct brski_admin_voucher *v)
{
	size_t len = strlen(rows);

	(void)ctx;
	snprintf(rows + len, sizeof(rows) - len, "%s %s %d%s;", v->manufacturer, v->serial_number,
		(int)v->state, v->renewing ? " renewing" : "");
}

static void vouchers_are(const char *want)
{
	rows[0] = '\0';
	EXPECT(BRSKI_OK, brski_admin_vouchers(admin, NULL, voucher_row, NULL, &err));
	ck_assert_str_eq(rows, want);
}

static enum brski_code ask(const char *manufacturer, const char *idevid, const char *serial)
{
	const struct brski_admin_fetch_config config = {
		.manufacturer = manufacturer, .idevid = idevid, .offline = true};
	struct brski_admin_fetched fetched;
	struct brski_admin_fetch *fetch;
	enum brski_code code = brski_admin_fetch_new(admin, &config, &fetch, &err);

	if (code != BRSKI_OK)
		return code;
	code = brski_admin_fetch_one(fetch, serial, &fetched, &err);
	ck_assert_int_eq(fetched.outcome, BRSKI_ADMIN_WAITS);
	ck_assert_str_eq(fetched.why, "");
	brski_admin_fetch_free(fetch);
	return code;
}

START_TEST(vouchers_are_asked_for)
{
	struct brski_bundle requests;

	EXPECT(BRSKI_OK, ask("acme", NULL, "S-1"));
	EXPECT(BRSKI_OK, ask("acme", in_folder("idevid.pem"), "S-2"));
	EXPECT(BRSKI_OK, ask("acme", NULL, "S-1"));
	EXPECT_WHY(BRSKI_MALFORMED, "no serial number", ask("acme", NULL, ""));
	EXPECT(BRSKI_NOT_FOUND, ask("nobody", NULL, "S-1"));
	EXPECT(BRSKI_NOT_FOUND, ask("acme", in_folder("no-such-file"), "S-1"));
	vouchers_are("acme S-1 0;acme S-2 0;");
	requests = export_all(0, 2);
	ck_assert_int_eq(requests.items[0].kind, BRSKI_BUNDLE_NONCELESS);
	brski_bundle_free(&requests);
	EXPECT(BRSKI_OK, brski_admin_voucher_remove(admin, "acme", "S-1", &err));
	EXPECT(BRSKI_NOT_FOUND, brski_admin_voucher_remove(admin, "acme", "S-1", &err));
	vouchers_are("acme S-2 0;");
}
END_TEST

static void fill(time_t expires_on)
{
	struct brski_store_nonceless row;

	EXPECT(BRSKI_OK, brski_store_nonceless_get(store, "acme", "S-1", &row, &err));
	EXPECT(BRSKI_OK, brski_buf_set(&row.voucher, brski_span_str("voucher")));
	row.expires_on = expires_on;
	EXPECT(BRSKI_OK, brski_store_nonceless_fill(store, &row, &err));
	brski_store_nonceless_free(&row);
}

START_TEST(vouchers_expire)
{
	EXPECT(BRSKI_OK, ask("acme", NULL, "S-1"));
	fill(site.now + 10);
	vouchers_are("acme S-1 1;");
	site.now += 10;
	vouchers_are("acme S-1 2;");
	EXPECT(BRSKI_OK, ask("acme", NULL, "S-1"));
	vouchers_are("acme S-1 2 renewing;");
	fill(0);
	vouchers_are("acme S-1 1;");
}
END_TEST

START_TEST(the_key_must_fit)
{
	struct brski_buf key = {0};

	brski_admin_close(admin);
	EXPECT(BRSKI_OK, brski_admin_open(in_folder("db"), false, &site.env, &admin, &err));
	EXPECT(BRSKI_OK, brski_key_to_pem(courier.key, &key, &err));
	file_write(in_folder("registrar.key"), brski_buf_span(&key));
	brski_buf_free(&key);
	EXPECT(BRSKI_OK, brski_admin_configure(admin, "certificate_file", in_folder("registrar.pem"), &err));
	EXPECT(BRSKI_OK, brski_admin_configure(admin, "private_key_file", in_folder("registrar.key"), &err));
	EXPECT(BRSKI_OK, brski_admin_configure(admin, "ca_file", in_folder("ca.pem"), &err));
	EXPECT(BRSKI_OK, brski_admin_configure(admin, "cmp_url", "http://ca.example/", &err));
	EXPECT_WHY(BRSKI_MISMATCH, "the registrar's key and certificate: ", brski_admin_load(admin, &err));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		answers_are_taken_once,
		a_strangers_file_is_not_looked_into,
		requests_are_no_answers,
		what_became_of_answers,
		couriers_must_be_known,
		answers_are_for_one_registrar,
		vouchers_are_asked_for,
		vouchers_expire,
		the_key_must_fit,
	};

	return run_tests("admin_exchange", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
