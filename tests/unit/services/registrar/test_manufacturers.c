/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include <check.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "services/registrar/manufacturers.h"
#include "services/registrar/policy.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/pki.h"

/* Whose a device is, if several could have it; what is told of one that is refused; and old databases. */

static char folder[64], path[96], log_text[4096];
static struct brski_store *store;
static struct brski_manufacturers *all;
static struct brski_credential root, ca, device, stranger;
static struct brski_error err;

static void keep_line(void *ctx, enum brski_level level, const char *line)
{
	size_t len = strlen(log_text);

	(void)ctx;
	snprintf(log_text + len, sizeof(log_text) - len, "%d %s\n", (int)level, line);
}

static const struct brski_env env = {.log = keep_line};

static void setup(void)
{
	temp_make(folder);
	snprintf(path, sizeof(path), "%s/db", folder);
	EXPECT(BRSKI_OK, brski_store_open(path, true, &store, &err));
	EXPECT(BRSKI_OK, brski_manufacturers_new(store, &env, &all, &err));
	root = pki_root("CN=Root");
	ca = pki_ca("CN=Issuer", &root);
	device = pki_leaf("CN=Gadget,serialNumber=S-1", "P-256", &ca);
	stranger = pki_root("CN=Stranger");
	log_text[0] = '\0';
}

static void teardown(void)
{
	brski_manufacturers_free(all);
	brski_store_close(store);
	pki_free(&device);
	pki_free(&ca);
	pki_free(&root);
	pki_free(&stranger);
	temp_remove(folder);
}

/* ---- Rows, as any program may have written them ---- */

static void put_cert(struct brski_buf *to, const X509 *cert)
{
	STACK_OF(X509) *one = sk_X509_new_null();
	struct brski_buf pem = {0};

	sk_X509_push(one, (X509 *)(uintptr_t)cert);
	EXPECT(BRSKI_OK, brski_certs_to_pem(one, &pem, &err));
	brski_put(to, brski_buf_span(&pem));
	brski_buf_free(&pem);
	sk_X509_free(one);
}

static void put_crl(struct brski_buf *to, const struct brski_credential *issuer, X509 *revoked)
{
	X509_CRL *crl = pki_crl(issuer, &revoked, revoked ? 1 : 0);
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;
	long len;

	ck_assert_int_eq(PEM_write_bio_X509_CRL(bio, crl), 1);
	len = BIO_get_mem_data(bio, &data);
	brski_put(to, brski_span(data, (size_t)len));
	BIO_free(bio);
	X509_CRL_free(crl);
}

static void store_row(struct brski_store_manufacturer *m)
{
	EXPECT(BRSKI_OK, brski_store_manufacturer_put(store, m, &err));
	brski_store_manufacturer_free(m);
}

static void put(const char *name, const X509 *anchor, enum brski_mode mode)
{
	struct brski_store_manufacturer m = {.mode = mode};

	snprintf(m.name, sizeof(m.name), "%s", name);
	put_cert(&m.idevid_anchors, anchor);
	store_row(&m);
}

/* ---- Questions ---- */

static enum brski_code find(const struct brski_credential *who, char name[64])
{
	STACK_OF(X509) *chain = pki_certs(who, NULL);
	struct brski_manufacturer m;
	enum brski_code code = brski_manufacturers_find(all, chain, &m, &err);

	snprintf(name, 64, "%s", m.name);
	brski_manufacturer_free(&m);
	pki_free_certs(chain);
	return code;
}

static void expect_owner(const char *name)
{
	char found[64];

	EXPECT(BRSKI_OK, find(&device, found));
	ck_assert_str_eq(found, name);
}

static void expect_refused(const struct brski_credential *who, enum brski_code code, const char *words)
{
	char found[64];

	EXPECT_WHY(code, words, find(who, found));
	ck_assert_str_eq(found, "");
}

static void said(const char *words)
{
	ck_assert_msg(strstr(log_text, words) != NULL, "\"%s\" lacks \"%s\"", log_text, words);
}

/* ---- Several that could have it ---- */

START_TEST(the_nearest_anchor_decides)
{
	put("above", root.cert, BRSKI_MODE_OPEN);
	expect_owner("above");
	put("issuer", ca.cert, BRSKI_MODE_MANUFACTURER);
	expect_owner("issuer");
	put("a-first", root.cert, BRSKI_MODE_INVENTORY);
	expect_owner("issuer");
	EXPECT(BRSKI_OK, brski_store_manufacturer_remove(store, "issuer", &err));
	expect_owner("a-first");
}
END_TEST

/* It decides also if what it says is no. */
START_TEST(who_is_refused_by_the_nearest_is_not_let_in_by_another)
{
	struct brski_store_manufacturer m = {.name = "issuer", .mode = BRSKI_MODE_OPEN};

	put("above", root.cert, BRSKI_MODE_OPEN);
	put_cert(&m.idevid_anchors, ca.cert);
	put_crl(&m.crls, &ca, device.cert);
	store_row(&m);
	expect_refused(&device, BRSKI_REVOKED, "device of issuer: ");
}
END_TEST

START_TEST(of_equal_anchors_a_refusal_counts)
{
	struct brski_store_manufacturer m = {.name = "z-last", .mode = BRSKI_MODE_OPEN};

	put("a-first", ca.cert, BRSKI_MODE_INVENTORY);
	put_cert(&m.idevid_anchors, ca.cert);
	put_crl(&m.crls, &ca, device.cert);
	store_row(&m);
	expect_refused(&device, BRSKI_REVOKED, "device of z-last: ");
}
END_TEST

START_TEST(of_equal_anchors_the_stricter_mode_counts)
{
	/* from the stricter on; the last is one that this version does not know, and that lets nobody in */
	static const enum brski_mode modes[] = {BRSKI_MODE_OPEN, BRSKI_MODE_MANUFACTURER, BRSKI_MODE_TYPE,
		BRSKI_MODE_MANUAL, BRSKI_MODE_INVENTORY, (enum brski_mode)77};

	for (size_t i = 0; i + 1 < sizeof(modes) / sizeof(modes[0]); i++) {
		put("a", ca.cert, modes[i]);
		put("b", ca.cert, modes[i + 1]);
		expect_owner("b");
		put("a", ca.cert, modes[i + 1]);
		put("b", ca.cert, modes[i]);
		expect_owner("a");
	}
}
END_TEST

/* A CA that was renewed with its key is no other one. */
START_TEST(equal_anchors_are_a_warning_at_start)
{
	struct brski_credential renewed =
		pki_make(&(struct pki_spec){.subject = "CN=Issuer", .ca = true, .key = ca.key}, &stranger);

	put("old", ca.cert, BRSKI_MODE_OPEN);
	put("other", stranger.cert, BRSKI_MODE_OPEN);
	EXPECT(BRSKI_OK, brski_manufacturers_load(all, &err));
	ck_assert_str_eq(log_text, "");
	put("new", renewed.cert, BRSKI_MODE_MANUAL);
	EXPECT(BRSKI_OK, brski_manufacturers_load(all, &err));
	said("manufacturers new and old have the same anchor, CN=Issuer");
	said("'manual' of new");
	expect_owner("new");
	pki_free(&renewed);
}
END_TEST

START_TEST(whom_the_operator_refused_at_one_is_refused_at_its_twin)
{
	struct brski_policy *policy;
	const struct brski_registrar_ops *ops = brski_policy_ops();
	struct brski_device d = {.manufacturer = "b", .serial_number = "S-1", .idevid = device.cert};
	struct brski_manufacturer m = {.name = "b", .mode = BRSKI_MODE_MANUFACTURER};
	enum brski_decision decision;
	char why[256];
	long after;

	put("a", ca.cert, BRSKI_MODE_OPEN);
	put("b", ca.cert, BRSKI_MODE_MANUFACTURER);
	put("c", stranger.cert, BRSKI_MODE_OPEN);
	EXPECT(BRSKI_OK, brski_policy_new(store, &env, &policy, &err));
	EXPECT(BRSKI_OK, brski_store_candidate_refuse(store, "c", "S-1", NULL, &err));
	EXPECT(BRSKI_OK, ops->decide(policy, NULL, &d, &m, &decision, why, &after, &err));
	ck_assert_int_eq(decision, BRSKI_ACCEPT);
	EXPECT(BRSKI_OK, brski_store_candidate_refuse(store, "a", "S-1", NULL, &err));
	EXPECT(BRSKI_OK, ops->decide(policy, NULL, &d, &m, &decision, why, &after, &err));
	ck_assert_int_eq(decision, BRSKI_REFUSE);
	ck_assert_ptr_nonnull(strstr(why, "as a device of a,"));
	EXPECT(BRSKI_OK, brski_store_candidate_accept(store, "a", "S-1", NULL, &err));
	EXPECT(BRSKI_OK, ops->decide(policy, NULL, &d, &m, &decision, why, &after, &err));
	ck_assert_int_eq(decision, BRSKI_ACCEPT);
	brski_policy_free(policy);
}
END_TEST

/* ---- What is told of one that is refused ---- */

static void add_critical(X509 *cert, EVP_PKEY *issuer)
{
	ASN1_OBJECT *oid = OBJ_txt2obj("1.3.6.1.4.1.32473.1", 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *ext;

	ck_assert_int_eq(ASN1_OCTET_STRING_set(value, (const unsigned char *)"\x05\x00", 2), 1);
	ext = X509_EXTENSION_create_by_OBJ(NULL, oid, 1, value);
	ck_assert_int_eq(X509_add_ext(cert, ext, -1), 1);
	ck_assert_int_gt(X509_sign(cert, issuer, EVP_sha256()), 0);
	X509_EXTENSION_free(ext);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(oid);
}

START_TEST(the_reason_of_the_manufacturer_it_leads_to_wins)
{
	struct brski_credential odd = pki_leaf("CN=Odd", "P-256", &ca);
	struct brski_credential weak = pki_leaf("CN=Weak", "RSA-1024", &ca);
	struct brski_credential unknown = pki_leaf("CN=Unknown", "P-256", &stranger);

	put("a-other", device.cert, BRSKI_MODE_OPEN);
	put("acme", root.cert, BRSKI_MODE_OPEN);
	add_critical(odd.cert, ca.key);
	expect_refused(&odd, BRSKI_UNSUPPORTED, "device of acme: certificate CN=Odd: unhandled critical");
	expect_refused(&weak, BRSKI_UNSUPPORTED, "certificate CN=Weak: RSA key of 1024 bits");
	expect_refused(&unknown, BRSKI_UNTRUSTED,
		"no known manufacturer: the device's certificate was issued by CN=Stranger");
	pki_free(&unknown);
	pki_free(&weak);
	pki_free(&odd);
}
END_TEST

START_TEST(a_crl_of_another_ca_is_called_that)
{
	struct brski_store_manufacturer m = {.name = "acme"};

	put_cert(&m.idevid_anchors, root.cert);
	put_crl(&m.crls, &stranger, NULL);
	store_row(&m);
	expect_refused(&device, BRSKI_REFUSED, "device of acme: ");
	ck_assert_ptr_nonnull(strstr(err.why, "no CRL of its issuer"));
	ck_assert_ptr_nonnull(strstr(err.why, "CN=Issuer"));
	said("manufacturer acme: no CRL is of a CA among the anchors");
}
END_TEST

/* ---- Old databases ---- */

#define GARBAGE "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
#define GARBAGE_CRL "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"

START_TEST(what_cannot_be_read_is_left_out_alone)
{
	struct brski_store_manufacturer m = {.name = "acme", .mode = BRSKI_MODE_MANUFACTURER};

	brski_put_str(&m.idevid_anchors, GARBAGE);
	put_cert(&m.idevid_anchors, device.cert); /* no CA's */
	put_cert(&m.idevid_anchors, root.cert);
	brski_put_str(&m.crls, GARBAGE_CRL);
	put_crl(&m.crls, &ca, NULL);
	store_row(&m);
	expect_owner("acme");
	said("manufacturer acme: anchors of IDevIDs in the database: entry 1 (line 1): the certificate");
	said("entry 2 (line 4): the certificate of serialNumber=S-1,CN=Gadget is no CA's");
	said("manufacturer acme: CRLs in the database: entry 1 (line 1): the CRL does not parse");
}
END_TEST

START_TEST(without_a_crl_that_can_be_read_nobody_gets_in)
{
	struct brski_store_manufacturer m = {.name = "acme", .mode = BRSKI_MODE_OPEN};

	put_cert(&m.idevid_anchors, root.cert);
	brski_put_str(&m.crls, GARBAGE_CRL);
	store_row(&m);
	put("zzz", root.cert, BRSKI_MODE_OPEN);
	expect_refused(&device, BRSKI_REFUSED, "device of acme: its CRLs in the database cannot be read");
	said("none of them can be read");
}
END_TEST

/* NULL would be the anchors of IDevIDs, or the system's. */
START_TEST(anchors_that_are_lost_do_not_become_others)
{
	struct brski_store_manufacturer row = {.name = "acme"};
	struct brski_manufacturer m;

	put_cert(&row.idevid_anchors, root.cert);
	brski_put_str(&row.voucher_anchors, GARBAGE);
	brski_put_str(&row.tls_anchors, "nothing");
	store_row(&row);
	EXPECT(BRSKI_OK, brski_manufacturers_get(all, "acme", &m, &err));
	ck_assert_ptr_nonnull(m.voucher_anchors);
	ck_assert_int_eq(sk_X509_num(m.voucher_anchors), 0);
	ck_assert_ptr_nonnull(m.tls_anchors);
	ck_assert_int_eq(sk_X509_num(m.tls_anchors), 0);
	ck_assert_ptr_null(m.crls);
	brski_manufacturer_free(&m);
	said("anchors of vouchers in the database: there is no certificate that can be used");
	said("anchors of the MASA's HTTPS in the database: there is no certificate that can be used");
}
END_TEST

/* The device's own would be another MASA than the operator wanted. */
START_TEST(a_wrong_url_stays_and_is_told)
{
	struct brski_store_manufacturer row = {.name = "acme", .masa_url = "https://masa.example:99999"};
	struct brski_manufacturer m;

	put_cert(&row.idevid_anchors, root.cert);
	store_row(&row);
	row = (struct brski_store_manufacturer){.name = "other", .masa_url = "HTTPS://masa.example"};
	put_cert(&row.idevid_anchors, stranger.cert);
	store_row(&row);
	EXPECT(BRSKI_OK, brski_manufacturers_get(all, "acme", &m, &err));
	ck_assert_str_eq(m.masa_url, "https://masa.example:99999");
	brski_manufacturer_free(&m);
	said("manufacturer acme: its MASA URL in the database, https://masa.example:99999, cannot be used");
	said("port");
	EXPECT(BRSKI_OK, brski_manufacturers_get(all, "other", &m, &err));
	ck_assert_str_eq(m.masa_url, "https://masa.example");
	brski_manufacturer_free(&m);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {the_nearest_anchor_decides,
		who_is_refused_by_the_nearest_is_not_let_in_by_another, of_equal_anchors_a_refusal_counts,
		of_equal_anchors_the_stricter_mode_counts, equal_anchors_are_a_warning_at_start,
		whom_the_operator_refused_at_one_is_refused_at_its_twin,
		the_reason_of_the_manufacturer_it_leads_to_wins, a_crl_of_another_ca_is_called_that,
		what_cannot_be_read_is_left_out_alone, without_a_crl_that_can_be_read_nobody_gets_in,
		anchors_that_are_lost_do_not_become_others, a_wrong_url_stays_and_is_told};

	return run_tests("manufacturers", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
