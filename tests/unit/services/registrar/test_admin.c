/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <openssl/pem.h>

#include "services/registrar/admin.h"
#include "services/registrar/store.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/pki.h"
#include "tests/unit/support/store_rows.h"

/* What an operator may say, and what is refused; lists. */

static struct brski_admin *admin;
static struct brski_store *store; /* the server's, beside it */
static struct brski_credential ca;
static struct brski_buf ca_pem;
static char folder[64], path[128];
static struct brski_error err;

static void setup(void)
{
	STACK_OF(X509) *certs;

	temp_make(folder);
	snprintf(path, sizeof(path), "%s/db", folder);
	EXPECT(BRSKI_OK, brski_admin_open(path, true, NULL, &admin, &err));
	EXPECT(BRSKI_OK, brski_store_open(path, false, &store, &err));
	ca = pki_root("O=Acme,CN=Acme Device CA");
	certs = pki_certs(&ca, NULL);
	EXPECT(BRSKI_OK, brski_certs_to_pem(certs, &ca_pem, &err));
	pki_free_certs(certs);
}

static void teardown(void)
{
	brski_buf_free(&ca_pem);
	pki_free(&ca);
	brski_store_close(store);
	brski_admin_close(admin);
	temp_remove(folder);
}

static void put_manufacturer(const char *name)
{
	struct brski_admin_manufacturer m;

	brski_admin_manufacturer_init(&m);
	snprintf(m.name, sizeof(m.name), "%s", name);
	m.shares_anchors = true;
	EXPECT(BRSKI_OK, brski_admin_manufacturer_set_pem(
				 &m, BRSKI_ADMIN_IDEVID_ANCHORS, brski_buf_span(&ca_pem), "ca", &err));
	EXPECT(BRSKI_OK, brski_admin_manufacturer_put(admin, &m, &err));
	brski_admin_manufacturer_free(&m);
}

/* Any row, as one line. */
static char rows[4096];

static void note_row(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void note_row(const char *fmt, ...)
{
	size_t len = strlen(rows);
	va_list args;

	va_start(args, fmt);
	ck_assert_int_gt(vsnprintf(rows + len, sizeof(rows) - len, fmt, args), 0);
	va_end(args);
}

static char *repeat(char c, size_t n)
{
	static char text[600];

	ck_assert_uint_lt(n, sizeof(text));
	memset(text, c, n);
	text[n] = '\0';
	return text;
}

/* ---- The database ---- */

START_TEST(a_database_must_be_there_or_made)
{
	struct brski_admin *other;

	snprintf(path, sizeof(path), "%s/other", folder);
	EXPECT_WHY(BRSKI_NOT_FOUND, path, brski_admin_open(path, false, NULL, &other, &err));
	ck_assert_ptr_null(other);
	EXPECT(BRSKI_OK, brski_admin_open(path, true, NULL, &other, &err));
	brski_admin_close(other);
	EXPECT(BRSKI_OK, brski_admin_open(path, false, NULL, &other, &err));
	brski_admin_close(other);
	brski_admin_close(NULL);
}
END_TEST

/* ---- Manufacturers ---- */

START_TEST(names_are_printable)
{
	ck_assert(brski_admin_is_name("acme"));
	ck_assert(brski_admin_is_name("Acme & Sons, \"the\" ~"));
	ck_assert(brski_admin_is_name(repeat('x', BRSKI_ADMIN_NAME_MAX - 1)));
	ck_assert(!brski_admin_is_name(repeat('x', BRSKI_ADMIN_NAME_MAX)));
	ck_assert(!brski_admin_is_name(""));
	ck_assert(!brski_admin_is_name("a\tb"));
	ck_assert(!brski_admin_is_name("a\nb"));
	ck_assert(!brski_admin_is_name("\xc3\xa9"));
	ck_assert(!brski_admin_is_name("a\x7f"));
}
END_TEST

START_TEST(urls_of_masas)
{
	static const char *const good[] = {"https://masa.example", "https://masa.example:8443/x/y",
		"https://[2001:db8::1]:443", "https://x"};
	static const char *const bad[] = {"", "x", "http://masa.example", "https://", "https://a b",
		"https://masa.example/\xc3\xa9", "https://masa.example\n", "https://masa.example:99999",
		"https://:443", "https:///x", "https://me:secret@masa.example", "https://masa.example/?x",
		"https://masa.example/#x"};
	struct brski_admin_manufacturer m;
	char longest[BRSKI_ADMIN_URL_MAX + 1];

	brski_admin_manufacturer_init(&m);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		EXPECT(BRSKI_OK, brski_admin_manufacturer_set_url(&m, good[i], &err));
		ck_assert_str_eq(m.masa_url, good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_WHY(BRSKI_MALFORMED, "the MASA's URL must be https://HOST[:PORT][/PATH], not '",
			brski_admin_manufacturer_set_url(&m, bad[i], &err));
	ck_assert_str_eq(m.masa_url, "https://x");
	memset(longest, 'x', BRSKI_ADMIN_URL_MAX);
	EXPECT(BRSKI_OK, brski_admin_manufacturer_set_url(&m, "HTTPS://masa.example", &err));
	ck_assert_str_eq(m.masa_url, "https://masa.example");
	memcpy(longest, "https://x/", 10);
	longest[BRSKI_ADMIN_URL_MAX] = '\0';
	EXPECT(BRSKI_MALFORMED, brski_admin_manufacturer_set_url(&m, longest, &err));
	longest[BRSKI_ADMIN_URL_MAX - 1] = '\0';
	EXPECT(BRSKI_OK, brski_admin_manufacturer_set_url(&m, longest, &err));
}
END_TEST

START_TEST(modes_have_names)
{
	static const char *const names[] = {"inventory", "manual", "manufacturer", "type", "open"};
	struct brski_admin_manufacturer m;

	brski_admin_manufacturer_init(&m);
	ck_assert_int_eq(m.mode, BRSKI_ADMIN_MODE_INVENTORY);
	for (size_t i = 0; i < 5; i++) {
		EXPECT(BRSKI_OK, brski_admin_manufacturer_set_mode(&m, names[i], &err));
		ck_assert_int_eq(m.mode, (int)i);
		ck_assert_str_eq(brski_admin_mode_name(m.mode), names[i]);
	}
	EXPECT_WHY(BRSKI_MALFORMED, "there is no mode 'Open': inventory, manual, manufacturer, type, open",
		brski_admin_manufacturer_set_mode(&m, "Open", &err));
	EXPECT(BRSKI_MALFORMED, brski_admin_manufacturer_set_mode(&m, "", &err));
	ck_assert_int_eq(m.mode, BRSKI_ADMIN_MODE_OPEN);
}
END_TEST

static enum brski_code set_pem(
	struct brski_admin_manufacturer *m, enum brski_admin_pem which, const char *text)
{
	return brski_admin_manufacturer_set_pem(m, which, brski_span_str(text), "the file", &err);
}

/* An anchor that would make every signature below it dear. */
static struct brski_buf costly_pem(void)
{
	EVP_PKEY *key = pki_public_rsa(3072, 3072);
	struct brski_credential anchor =
		pki_make(&(struct pki_spec){.subject = "CN=Costly", .key = key}, &ca);
	STACK_OF(X509) *certs = pki_certs(&anchor, NULL);
	struct brski_buf pem = {0};

	EXPECT(BRSKI_OK, brski_certs_to_pem(certs, &pem, &err));
	brski_put_u8(&pem, 0);
	pki_free_certs(certs);
	pki_free(&anchor);
	EVP_PKEY_free(key);
	return pem;
}

static void put_crl_of(struct brski_admin_manufacturer *m, const struct brski_credential *issuer)
{
	X509_CRL *crl = pki_crl(issuer, NULL, 0);
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;
	long len;

	ck_assert_int_eq(PEM_write_bio_X509_CRL(bio, crl), 1);
	len = BIO_get_mem_data(bio, &data);
	EXPECT(BRSKI_OK, brski_admin_manufacturer_set_pem(
				 m, BRSKI_ADMIN_CRLS, brski_span(data, (size_t)len), "the file", &err));
	BIO_free(bio);
	X509_CRL_free(crl);
}

static void put_crl(struct brski_admin_manufacturer *m)
{
	put_crl_of(m, &ca);
}

START_TEST(pem_texts)
{
	struct brski_admin_manufacturer m;
	struct brski_buf more = {0}, costly = costly_pem();

	brski_admin_manufacturer_init(&m);
	for (int i = 0; i < BRSKI_ADMIN_CRLS; i++) {
		EXPECT_WHY(BRSKI_MALFORMED, "the file: ", set_pem(&m, (enum brski_admin_pem)i, "garbage"));
		EXPECT(BRSKI_MALFORMED, set_pem(&m, (enum brski_admin_pem)i, ""));
		EXPECT(BRSKI_MALFORMED, set_pem(&m, (enum brski_admin_pem)i, "-----BEGIN X509 CRL-----\n"));
		ck_assert_uint_eq(m.pem[i].len, 0);
	}
	/* words around a certificate are no harm */
	brski_put_str(&more, "Acme's CA:\n");
	brski_put(&more, brski_buf_span(&ca_pem));
	brski_put_str(&more, "and so on\n");
	brski_put_u8(&more, 0);
	EXPECT(BRSKI_OK, set_pem(&m, BRSKI_ADMIN_TLS_ANCHORS, (const char *)more.data));
	ck_assert_uint_eq(m.pem[BRSKI_ADMIN_TLS_ANCHORS].len, more.len - 1);
	EXPECT_WHY(BRSKI_UNSUPPORTED, "the file: entry 1 (line 1): certificate CN=Costly: RSA key",
		set_pem(&m, BRSKI_ADMIN_IDEVID_ANCHORS, (const char *)costly.data));
	EXPECT_WHY(BRSKI_MALFORMED, "the file holds no CRL in PEM form", set_pem(&m, BRSKI_ADMIN_CRLS, ""));
	EXPECT(BRSKI_MALFORMED, set_pem(&m, BRSKI_ADMIN_CRLS, (const char *)more.data));
	EXPECT_WHY(BRSKI_MALFORMED, "the file: entry 1 (line 2): the CRL does not parse",
		set_pem(&m, BRSKI_ADMIN_CRLS, "so\n-----BEGIN X509 CRL-----\nMII="));
	put_crl(&m);
	brski_buf_free(&more);
	brski_buf_free(&costly);
	brski_admin_manufacturer_free(&m);
}
END_TEST

/* Every entry is looked at, and named by its line. */
START_TEST(anchors_of_idevids_are_those_of_cas)
{
	struct brski_credential sensor = pki_leaf("CN=Sensor", "P-256", &ca);
	STACK_OF(X509) *certs = pki_certs(&ca, NULL);
	struct brski_admin_manufacturer m;
	struct brski_buf pem = {0};
	char big[64] = "";

	brski_admin_manufacturer_init(&m);
	ck_assert_int_eq(X509_add_cert(certs, sensor.cert, X509_ADD_FLAG_UP_REF), 1);
	EXPECT(BRSKI_OK, brski_certs_to_pem(certs, &pem, &err));
	EXPECT_WHY(BRSKI_MALFORMED, "the file: entry 2 (line ",
		brski_admin_manufacturer_set_pem(
			&m, BRSKI_ADMIN_IDEVID_ANCHORS, brski_buf_span(&pem), "the file", &err));
	ck_assert_ptr_nonnull(strstr(err.why, "CN=Sensor is no CA's"));
	/* a MASA's own certificate will do as the anchor of its vouchers */
	EXPECT(BRSKI_OK, brski_admin_manufacturer_set_pem(
				 &m, BRSKI_ADMIN_VOUCHER_ANCHORS, brski_buf_span(&pem), "the file", &err));
	pem.limit = BRSKI_BUF_LIMIT + 100;
	memset(big, '\n', sizeof(big));
	while (pem.len <= BRSKI_BUF_LIMIT)
		brski_put(&pem, brski_span(big, sizeof(big)));
	EXPECT_WHY(BRSKI_TOO_LARGE, "1048576 are the most",
		brski_admin_manufacturer_set_pem(
			&m, BRSKI_ADMIN_VOUCHER_ANCHORS, brski_buf_span(&pem), "the file", &err));
	brski_buf_free(&pem);
	pki_free_certs(certs);
	pki_free(&sensor);
	brski_admin_manufacturer_free(&m);
}
END_TEST

START_TEST(an_anchor_has_one_owner)
{
	struct brski_credential renewed = pki_make(
		&(struct pki_spec){.subject = "O=Acme,CN=Acme Device CA", .ca = true, .key = ca.key}, NULL);
	STACK_OF(X509) *certs = pki_certs(&renewed, NULL);
	struct brski_admin_manufacturer m;
	struct brski_buf pem = {0};

	put_manufacturer("acme");
	brski_admin_manufacturer_init(&m);
	snprintf(m.name, sizeof(m.name), "beta");
	EXPECT(BRSKI_OK, brski_certs_to_pem(certs, &pem, &err));
	EXPECT(BRSKI_OK, brski_admin_manufacturer_set_pem(
				 &m, BRSKI_ADMIN_IDEVID_ANCHORS, brski_buf_span(&pem), "the file", &err));
	EXPECT_WHY(BRSKI_UNEXPECTED, "manufacturer acme has the anchor CN=Acme Device CA,O=Acme already",
		brski_admin_manufacturer_put(admin, &m, &err));
	EXPECT(BRSKI_NOT_FOUND, brski_admin_manufacturer_remove(admin, "beta", &err));
	m.shares_anchors = true;
	EXPECT(BRSKI_OK, brski_admin_manufacturer_put(admin, &m, &err));
	/* itself is no other */
	EXPECT(BRSKI_OK, brski_admin_manufacturer_remove(admin, "acme", &err));
	m.shares_anchors = false;
	EXPECT(BRSKI_OK, brski_admin_manufacturer_put(admin, &m, &err));
	brski_admin_manufacturer_free(&m);
	brski_buf_free(&pem);
	pki_free_certs(certs);
	pki_free(&renewed);
}
END_TEST

static void doubt_row(void *ctx, const char *words)
{
	(void)ctx;
	note_row("%s;", words);
}

static time_t at;

static time_t clock_of_a_test(void *ctx)
{
	(void)ctx;
	return at;
}

/* What is right, and keeps devices out nevertheless, is told when it is given. */
START_TEST(doubts_of_a_manufacturer)
{
	const struct brski_env env = {.now = clock_of_a_test};
	struct brski_credential stranger = pki_root("CN=Stranger"),
				namesake = pki_root("O=Acme,CN=Acme Device CA");
	struct brski_admin_manufacturer m;
	struct brski_admin *later;

	snprintf(path, sizeof(path), "%s/other", folder);
	EXPECT(BRSKI_OK, brski_admin_open(path, true, &env, &later, &err));
	at = time(NULL);
	brski_admin_manufacturer_init(&m);
	brski_admin_manufacturer_doubts(later, &m, doubt_row, NULL);
	EXPECT(BRSKI_OK, brski_admin_manufacturer_set_pem(
				 &m, BRSKI_ADMIN_IDEVID_ANCHORS, brski_buf_span(&ca_pem), "ca", &err));
	put_crl(&m);
	brski_admin_manufacturer_doubts(later, &m, doubt_row, NULL);
	ck_assert_str_eq(rows, "");
	at += 2L * 86400;
	brski_admin_manufacturer_doubts(later, &m, doubt_row, NULL);
	ck_assert_str_eq(rows,
		"the CRL of CN=Acme Device CA,O=Acme has expired, so none of the devices that it "
		"issued gets in;");
	rows[0] = '\0';
	at -= 2L * 86400;
	put_crl_of(&m, &stranger);
	brski_admin_manufacturer_doubts(later, &m, doubt_row, NULL);
	ck_assert_ptr_nonnull(strstr(rows, "no CRL is of a CA among the anchors"));
	rows[0] = '\0';
	put_crl_of(&m, &namesake);
	brski_admin_manufacturer_doubts(later, &m, doubt_row, NULL);
	ck_assert_str_eq(
		rows, "the CRL with the name of CN=Acme Device CA,O=Acme is signed by somebody else;");
	rows[0] = '\0';
	at += 3660L * 86400;
	brski_admin_manufacturer_doubts(later, &m, doubt_row, NULL);
	ck_assert_ptr_nonnull(strstr(rows, "an anchor is out of date, so no device below it gets in: "));
	brski_admin_manufacturer_free(&m);
	brski_admin_close(later);
	pki_free(&namesake);
	pki_free(&stranger);
}
END_TEST

/* put looks again: a door may have filled the structure itself. */
START_TEST(a_manufacturer_is_looked_at_whole)
{
	struct brski_admin_manufacturer m;

	brski_admin_manufacturer_init(&m);
	EXPECT_WHY(BRSKI_MALFORMED, "name", brski_admin_manufacturer_put(admin, &m, &err));
	snprintf(m.name, sizeof(m.name), "acme");
	EXPECT_WHY(BRSKI_MALFORMED, "anchors", brski_admin_manufacturer_put(admin, &m, &err));
	EXPECT(BRSKI_OK, brski_buf_set(&m.pem[BRSKI_ADMIN_IDEVID_ANCHORS], brski_span_str("garbage")));
	EXPECT_WHY(BRSKI_MALFORMED, "acme: ", brski_admin_manufacturer_put(admin, &m, &err));
	EXPECT(BRSKI_OK, brski_buf_set(&m.pem[BRSKI_ADMIN_IDEVID_ANCHORS], brski_buf_span(&ca_pem)));
	snprintf(m.masa_url, sizeof(m.masa_url), "http://x");
	EXPECT_WHY(BRSKI_MALFORMED, "URL", brski_admin_manufacturer_put(admin, &m, &err));
	EXPECT(BRSKI_NOT_FOUND, brski_admin_manufacturer_remove(admin, "acme", &err));
	m.masa_url[0] = '\0';
	EXPECT(BRSKI_OK, brski_admin_manufacturer_put(admin, &m, &err));
	brski_admin_manufacturer_free(&m);
}
END_TEST

static void manufacturer_row(void *ctx, const struct brski_admin_manufacturer *m)
{
	(void)ctx;
	note_row("%s %s %s;", m->name, brski_admin_mode_name(m->mode), m->masa_url);
}

static void pem_row(void *ctx, const char *words)
{
	(void)ctx;
	note_row("<%s>", words);
}

START_TEST(a_manufacturer_comes_back_as_it_was_put)
{
	char fingerprint[BRSKI_FINGERPRINT_MAX], expected[160];
	struct brski_admin_manufacturer m, got;

	brski_admin_manufacturer_init(&m);
	ck_assert(m.check_voucher && m.audit_log && !m.allow_foreign_domains && !m.allow_nonceless);
	snprintf(m.name, sizeof(m.name), "beta");
	EXPECT(BRSKI_OK, brski_buf_set(&m.pem[BRSKI_ADMIN_IDEVID_ANCHORS], brski_buf_span(&ca_pem)));
	EXPECT(BRSKI_OK, brski_buf_set(&m.pem[BRSKI_ADMIN_VOUCHER_ANCHORS], brski_buf_span(&ca_pem)));
	put_crl(&m);
	EXPECT(BRSKI_OK, brski_admin_manufacturer_set_url(&m, "https://masa.example", &err));
	m.mode = BRSKI_ADMIN_MODE_TYPE;
	m.audit_log = false;
	m.allow_nonceless = true;
	EXPECT(BRSKI_OK, brski_admin_manufacturer_add(admin, &m, &err));
	m.mode = BRSKI_ADMIN_MODE_OPEN;
	EXPECT_WHY(BRSKI_REFUSED, "there is a manufacturer 'beta' already",
		brski_admin_manufacturer_add(admin, &m, &err));
	put_manufacturer("acme");
	EXPECT(BRSKI_OK, brski_admin_manufacturer_get(admin, "beta", &got, &err));
	ck_assert_str_eq(got.name, "beta");
	ck_assert_str_eq(got.masa_url, "https://masa.example");
	for (int i = 0; i < BRSKI_ADMIN_PEMS; i++)
		ck_assert(brski_span_equal(brski_buf_span(&got.pem[i]), brski_buf_span(&m.pem[i])));
	ck_assert(got.mode == BRSKI_ADMIN_MODE_TYPE && got.check_voucher && !got.audit_log &&
		  !got.allow_foreign_domains && got.allow_nonceless);
	brski_cert_fingerprint(ca.cert, fingerprint);
	snprintf(expected, sizeof(expected), "<CN=Acme Device CA,O=Acme (SHA-256 %s)>", fingerprint);
	brski_admin_certificates(&got.pem[BRSKI_ADMIN_IDEVID_ANCHORS], pem_row, NULL);
	ck_assert_str_eq(rows, expected);
	brski_admin_certificates(&got.pem[BRSKI_ADMIN_TLS_ANCHORS], pem_row, NULL);
	brski_admin_certificates(&got.pem[BRSKI_ADMIN_CRLS], pem_row, NULL);
	ck_assert_str_eq(rows, expected);
	rows[0] = '\0';
	brski_admin_crls(&got.pem[BRSKI_ADMIN_CRLS], pem_row, NULL);
	ck_assert_msg(strncmp(rows, "<CN=Acme Device CA,O=Acme of 20", 31) == 0, "%s", rows);
	ck_assert_ptr_nonnull(strstr(rows, "Z, 0 revoked>"));
	brski_admin_manufacturer_free(&got);
	brski_admin_manufacturer_free(&m);
	rows[0] = '\0';
	EXPECT(BRSKI_OK, brski_admin_manufacturers(admin, manufacturer_row, NULL, &err));
	ck_assert_str_eq(rows, "acme inventory ;beta type https://masa.example;");
	EXPECT(BRSKI_OK, brski_admin_manufacturer_remove(admin, "beta", &err));
	EXPECT_WHY(BRSKI_NOT_FOUND, "there is no manufacturer 'beta'",
		brski_admin_manufacturer_get(admin, "beta", &got, &err));
	brski_admin_manufacturer_free(&got);
}
END_TEST

/* ---- Devices ---- */

static void device_row(void *ctx, const struct brski_admin_device *d)
{
	(void)ctx;
	note_row("%s %s %s (%s);", d->manufacturer, d->serial_number, d->state, d->note);
}

START_TEST(serial_numbers)
{
	put_manufacturer("acme");
	ck_assert(brski_admin_is_serial_number("PID:X SN:1"));
	ck_assert(brski_admin_is_serial_number(repeat('1', BRSKI_ADMIN_SERIAL_MAX - 1)));
	ck_assert(!brski_admin_is_serial_number(repeat('1', BRSKI_ADMIN_SERIAL_MAX)));
	ck_assert(!brski_admin_is_serial_number(""));
	EXPECT_WHY(BRSKI_MALFORMED, "'' is no serial number: 1 to 127 printable characters",
		brski_admin_device_put(admin, "acme", "", NULL, &err));
	EXPECT(BRSKI_MALFORMED, brski_admin_device_put(admin, "acme", "a\x01", NULL, &err));
	EXPECT(BRSKI_MALFORMED, brski_admin_accept(admin, "acme", "\xc3\xa9", NULL, &err));
	EXPECT(BRSKI_MALFORMED, brski_admin_refuse(admin, "acme", "", NULL, &err));
	EXPECT(BRSKI_OK, brski_admin_devices(admin, NULL, device_row, NULL, &err));
	ck_assert_str_eq(rows, "");
}
END_TEST

START_TEST(the_inventory)
{
	put_manufacturer("acme");
	put_manufacturer("beta");
	EXPECT_WHY(BRSKI_NOT_FOUND, "there is no manufacturer 'nobody'",
		brski_admin_device_put(admin, "nobody", "S-1", NULL, &err));
	EXPECT(BRSKI_OK, brski_admin_device_put(admin, "acme", "S-2", "two", &err));
	EXPECT(BRSKI_OK, brski_admin_device_put(admin, "acme", "S-1", NULL, &err));
	EXPECT(BRSKI_OK, brski_admin_device_put(admin, "beta", "S-1", "b", &err));
	EXPECT(BRSKI_OK, brski_store_device_seen(store, "acme", "S-2", "onboarded", &err));
	EXPECT(BRSKI_OK, brski_admin_devices(admin, NULL, device_row, NULL, &err));
	ck_assert_str_eq(rows, "acme S-1 listed ();acme S-2 onboarded (two);beta S-1 listed (b);");
	rows[0] = '\0';
	EXPECT(BRSKI_OK, brski_admin_device_remove(admin, "acme", "S-1", &err));
	EXPECT_WHY(BRSKI_NOT_FOUND, "not in the inventory",
		brski_admin_device_remove(admin, "acme", "S-1", &err));
	EXPECT(BRSKI_OK, brski_admin_devices(admin, "acme", device_row, NULL, &err));
	ck_assert_str_eq(rows, "acme S-2 onboarded (two);");
}
END_TEST

static enum brski_code put_list(const char *csv, struct brski_admin_listed *listed)
{
	return brski_admin_devices_put(admin, "acme", brski_span_str(csv), listed, &err);
}

START_TEST(a_list_of_devices)
{
	struct brski_admin_listed listed;

	EXPECT(BRSKI_NOT_FOUND, put_list("S-1\n", &listed));
	put_manufacturer("acme");
	EXPECT(BRSKI_OK, put_list("S-1\n\"PID:X SN:Y\",first floor\n# S-4\n\nS-1;again\n", &listed));
	ck_assert(listed.devices == 2 && listed.repeated == 1 && listed.refused == 0);
	EXPECT(BRSKI_OK, brski_admin_devices(admin, NULL, device_row, NULL, &err));
	ck_assert_str_eq(rows, "acme PID:X SN:Y listed (first floor);acme S-1 listed (again);");
}
END_TEST

START_TEST(a_list_takes_nothing_back)
{
	struct brski_admin_listed listed;
	bool refused;

	put_manufacturer("acme");
	EXPECT(BRSKI_OK, put_list("S-1,first floor\nS-2,cellar\nS-3\n", &listed));
	EXPECT(BRSKI_OK, brski_admin_refuse(admin, "acme", "S-2", NULL, &err));
	EXPECT(BRSKI_OK, put_list("S-1\nS-2,roof\nS-3\nS-2,door\n", &listed));
	ck_assert(listed.devices == 2 && listed.repeated == 1 && listed.refused == 1);
	EXPECT(BRSKI_OK, brski_admin_devices(admin, NULL, device_row, NULL, &err));
	ck_assert_str_eq(rows, "acme S-1 listed (first floor);acme S-3 listed ();");
	/* who refuses says nothing about the note either */
	rows[0] = '\0';
	EXPECT(BRSKI_OK, brski_admin_is_refused(admin, "acme", "S-2", &refused, &err));
	ck_assert(refused);
	EXPECT(BRSKI_OK, brski_admin_accept(admin, "acme", "S-2", NULL, &err));
	EXPECT(BRSKI_OK, brski_admin_is_refused(admin, "acme", "S-2", &refused, &err));
	ck_assert(!refused);
	/* nor does who lists it once more; but an empty note is one */
	EXPECT(BRSKI_OK, brski_admin_device_put(admin, "acme", "S-2", NULL, &err));
	EXPECT(BRSKI_OK, brski_admin_device_put(admin, "acme", "S-1", "", &err));
	EXPECT(BRSKI_OK, brski_admin_devices(admin, NULL, device_row, NULL, &err));
	ck_assert_str_eq(rows, "acme S-1 listed ();acme S-2 listed (cellar);acme S-3 listed ();");
}
END_TEST

START_TEST(a_list_is_taken_whole_or_not_at_all)
{
	struct brski_admin_listed listed;

	put_manufacturer("acme");
	EXPECT_WHY(BRSKI_MALFORMED, "line 3: ", put_list("S-1\nS-2\nS 3\nS-4\n", &listed));
	EXPECT(BRSKI_OK, brski_admin_devices(admin, NULL, device_row, NULL, &err));
	ck_assert_str_eq(rows, "");
	ck_assert_uint_eq(listed.devices, 0);
}
END_TEST

static void serial_row(void *ctx, const char *serial)
{
	(void)ctx;
	note_row("%s;", serial);
}

START_TEST(serial_numbers_of_a_list)
{
	EXPECT(BRSKI_OK, brski_admin_serials_read(brski_span_str("S-1,note\nPID:X SN:Y\r\n#\n\"S 2\"\n"),
				 serial_row, NULL, &err));
	ck_assert_str_eq(rows, "S-1;PID:X SN:Y;S 2;");
	rows[0] = '\0';
	EXPECT_WHY(BRSKI_MALFORMED, "line 2: ",
		brski_admin_serials_read(brski_span_str("S-1\nS-2 note\n"), serial_row, NULL, &err));
	ck_assert_str_eq(rows, "");
}
END_TEST

START_TEST(a_serial_number_is_not_blank)
{
	put_manufacturer("acme");
	EXPECT(BRSKI_MALFORMED, brski_admin_device_put(admin, "acme", " ", NULL, &err));
	EXPECT(BRSKI_MALFORMED, brski_admin_device_put(admin, "acme", "   ", NULL, &err));
	EXPECT(BRSKI_MALFORMED, brski_admin_accept(admin, "acme", " ", NULL, &err));
	EXPECT(BRSKI_OK, brski_admin_device_put(admin, "acme", "a b", NULL, &err));
}
END_TEST

static void candidate_row(void *ctx, const struct brski_admin_candidate *c)
{
	(void)ctx;
	note_row("%s %s %s %u (%s) %s;", c->manufacturer, c->serial_number, c->refused ? "refused" : "waits",
		c->visits, c->note, c->fingerprint);
}

START_TEST(the_operator_decides)
{
	const struct brski_store_candidate c = {.manufacturer = "acme",
		.serial_number = "S-1",
		.subject = "CN=x",
		.fingerprint = "0123",
		.last_seen = 1000};

	put_manufacturer("acme");
	EXPECT_WHY(BRSKI_NOT_FOUND, "nobody", brski_admin_refuse(admin, "nobody", "S-1", NULL, &err));
	EXPECT(BRSKI_NOT_FOUND, brski_admin_accept(admin, "acme", "S-1", NULL, &err));
	EXPECT(BRSKI_OK, brski_store_candidate_seen(store, &c, 10, &err));
	EXPECT(BRSKI_OK, brski_admin_refuse(admin, "acme", "S-2", "stolen", &err));
	EXPECT(BRSKI_OK, brski_admin_pending(admin, candidate_row, NULL, &err));
	ck_assert_str_eq(rows, "acme S-1 waits 1 () 0123;acme S-2 refused 0 (stolen) ;");
	EXPECT(BRSKI_OK, brski_admin_accept(admin, "acme", "S-1", "mine", &err));
	EXPECT(BRSKI_OK, brski_admin_accept(admin, "acme", "S-2", NULL, &err));
	rows[0] = '\0';
	EXPECT(BRSKI_OK, brski_admin_pending(admin, candidate_row, NULL, &err));
	EXPECT(BRSKI_OK, brski_admin_devices(admin, NULL, device_row, NULL, &err));
	ck_assert_str_eq(rows, "acme S-1 listed (mine);acme S-2 listed (stolen);");
}
END_TEST

/* ---- Types ---- */

static void type_row(void *ctx, const struct brski_admin_type *t)
{
	(void)ctx;
	ck_assert(t->added > 0);
	note_row("%s %s;", t->manufacturer, t->pattern);
}

START_TEST(patterns_of_types)
{
	static const char *const good[] = {
		"*", "*,CN=Sensor,O=Acme", "oid:1.3.6.1.*", "oid:[!0-9]?", "oid", "OID:x"};
	static const char *const bad[] = {"", "a\tb", "\xc3\xa9", "oid:", "oid:x", "oid:1.3 ", "oid:{1}"};

	put_manufacturer("acme");
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		EXPECT(BRSKI_OK, brski_admin_type_put(admin, "acme", good[i], &err));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT(BRSKI_MALFORMED, brski_admin_type_put(admin, "acme", bad[i], &err));
	EXPECT_WHY(BRSKI_MALFORMED, "1 to 255 printable characters",
		brski_admin_type_put(admin, "acme", repeat('x', 256), &err));
	EXPECT_WHY(BRSKI_MALFORMED, "after 'oid:' comes an object identifier",
		brski_admin_type_put(admin, "acme", "oid:x", &err));
	EXPECT(BRSKI_NOT_FOUND, brski_admin_type_put(admin, "nobody", "*", &err));
	ck_assert(brski_admin_type_is_hardware("oid:1") && !brski_admin_type_is_hardware("oid"));
	for (size_t i = 2; i < sizeof(good) / sizeof(good[0]); i++)
		EXPECT(BRSKI_OK, brski_admin_type_remove(admin, "acme", good[i], &err));
	EXPECT(BRSKI_NOT_FOUND, brski_admin_type_remove(admin, "acme", "oid", &err));
	EXPECT(BRSKI_OK, brski_admin_types(admin, "acme", type_row, NULL, &err));
	EXPECT(BRSKI_OK, brski_admin_types(admin, "beta", type_row, NULL, &err));
	ck_assert_str_eq(rows, "acme *;acme *,CN=Sensor,O=Acme;");
}
END_TEST

/* ---- Doors with rules ---- */

static void rules_row(void *ctx, const struct brski_admin_rules *r)
{
	(void)ctx;
	ck_assert(r->since > 0);
	note_row("%s: %s;", r->door, r->rules);
}

START_TEST(doors_with_rules_are_listed_and_forgotten)
{
	char door[24];

	for (int i = 0; i < 10; i++) { /* more than a page */
		snprintf(door, sizeof(door), "door %d", i);
		EXPECT(BRSKI_OK, brski_store_rules_set(store, door, "virtual server x", &err));
	}
	for (int i = 0; i < 8; i++) {
		snprintf(door, sizeof(door), "door %d", i);
		EXPECT(BRSKI_OK, brski_admin_rules_forget(admin, door, &err));
	}
	EXPECT_WHY(BRSKI_NOT_FOUND, "'door 0'", brski_admin_rules_forget(admin, "door 0", &err));
	EXPECT(BRSKI_OK, brski_admin_rules(admin, rules_row, NULL, &err));
	ck_assert_str_eq(rows, "door 8: virtual server x;door 9: virtual server x;");
}
END_TEST

/* ---- What happened, and what waits ---- */

static void event_row(void *ctx, const struct brski_admin_event *e)
{
	(void)ctx;
	note_row("%lld %s %s %s %d %s %u;", (long long)e->at, e->manufacturer, e->serial_number, e->what,
		e->ok, e->detail, e->times);
}

START_TEST(history)
{
	struct brski_store_event e = {
		.at = 1000, .manufacturer = "acme", .serial_number = "S-1", .what = "peer", .ok = true};

	EXPECT(BRSKI_OK, brski_store_event_add(store, &e, &err));
	e = (struct brski_store_event){.at = 2000, .what = "policy", .detail = "no"};
	EXPECT(BRSKI_OK, brski_store_event_add(store, &e, &err));
	EXPECT(BRSKI_MALFORMED, brski_admin_history(admin, NULL, 0, event_row, NULL, &err));
	EXPECT(BRSKI_MALFORMED,
		brski_admin_history(admin, NULL, BRSKI_ADMIN_HISTORY_MOST + 1, event_row, NULL, &err));
	ck_assert_str_eq(rows, "");
	EXPECT(BRSKI_OK, brski_admin_history(admin, NULL, BRSKI_ADMIN_HISTORY_MOST, event_row, NULL, &err));
	ck_assert_str_eq(rows, "1000 acme S-1 peer 1  1;2000   policy 0 no 1;");
	rows[0] = '\0';
	EXPECT(BRSKI_OK, brski_admin_history(admin, "S-1", 1, event_row, NULL, &err));
	ck_assert_str_eq(rows, "1000 acme S-1 peer 1  1;");
}
END_TEST

static void request_row(void *ctx, const struct brski_admin_request *r)
{
	(void)ctx;
	note_row("%s %s %s %zu;", r->manufacturer, r->serial_number, r->waits_for, r->octets);
}

static void put_job(const char *key, enum brski_job_kind kind, enum brski_job_state state)
{
	struct brski_store_job job = {
		.kind = kind, .state = state, .manufacturer = "acme", .serial_number = "S-1"};

	snprintf(job.key, sizeof(job.key), "%s", key);
	EXPECT(BRSKI_OK, brski_buf_set(&job.blob, brski_span_str("1234")));
	EXPECT(BRSKI_OK, store_put_job(store, &job, NULL, &err));
	brski_store_job_free(&job);
}

START_TEST(the_queue)
{
	const struct brski_store_note note = {.key = "5", .name = "voucher", .value = "3"};
	struct brski_admin_totals t;

	EXPECT(BRSKI_OK, brski_admin_totals(admin, &t, &err));
	ck_assert(t.waiting == 0 && t.oldest == 0 && t.octets == 0);
	put_job("1", BRSKI_JOB_VOUCHER, BRSKI_JOB_WAITING);
	put_job("2", BRSKI_JOB_CMP, BRSKI_JOB_WAITING);
	put_job("3", BRSKI_JOB_CMP, BRSKI_JOB_DONE);
	put_job("4", BRSKI_JOB_VOUCHER, BRSKI_JOB_REFUSED);
	EXPECT(BRSKI_OK, brski_store_note_put(store, &note, &err));
	EXPECT(BRSKI_OK, brski_admin_totals(admin, &t, &err));
	ck_assert(t.waiting == 2 && t.waiting_vouchers == 1 && t.waiting_certificates == 1);
	ck_assert(t.done == 1 && t.refused == 1 && t.octets == 16 && t.oldest > 0);
	EXPECT(BRSKI_OK, brski_admin_queue(admin, request_row, NULL, &err));
	ck_assert_str_eq(rows, "acme S-1 voucher 4;acme S-1 certificate 4;");
}
END_TEST

/* ---- Settings ---- */

START_TEST(settings_that_count_here)
{
	EXPECT(BRSKI_OK, brski_admin_configure(admin, "cmp_nested", "no", &err));
	EXPECT_WHY(
		BRSKI_MALFORMED, "cmp_nested", brski_admin_configure(admin, "cmp_nested", "perhaps", &err));
	EXPECT_WHY(BRSKI_NOT_FOUND, "there is no setting 'max_history'",
		brski_admin_configure(admin, "max_history", "1", &err));
	ck_assert_ptr_nonnull(settings_find(brski_admin_settings(admin), "private_key_password"));
	ck_assert_ptr_null(settings_find(brski_admin_settings(admin), "database"));
	EXPECT_WHY(BRSKI_MALFORMED, "certificate_file", brski_admin_load(admin, &err));
	EXPECT(BRSKI_OK, brski_admin_configure(admin, "certificate_file", "/no/such", &err));
	EXPECT(BRSKI_OK, brski_admin_configure(admin, "private_key_file", "/no/such", &err));
	EXPECT(BRSKI_OK, brski_admin_configure(admin, "ca_file", "/no/such", &err));
	EXPECT_WHY(BRSKI_MALFORMED, "cmp_url", brski_admin_load(admin, &err));
	EXPECT(BRSKI_OK, brski_admin_configure(admin, "cmp_url", "http://ca.example/", &err));
	EXPECT_WHY(BRSKI_NOT_FOUND, "the registrar's key and certificate: ", brski_admin_load(admin, &err));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_database_must_be_there_or_made,
		names_are_printable,
		urls_of_masas,
		modes_have_names,
		pem_texts,
		anchors_of_idevids_are_those_of_cas,
		an_anchor_has_one_owner,
		doubts_of_a_manufacturer,
		a_manufacturer_is_looked_at_whole,
		a_manufacturer_comes_back_as_it_was_put,
		serial_numbers,
		the_inventory,
		a_list_of_devices,
		a_list_takes_nothing_back,
		a_list_is_taken_whole_or_not_at_all,
		serial_numbers_of_a_list,
		a_serial_number_is_not_blank,
		the_operator_decides,
		patterns_of_types,
		doors_with_rules_are_listed_and_forgotten,
		history,
		the_queue,
		settings_that_count_here,
	};

	return run_tests("admin", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
