/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include <check.h>
#include <openssl/pem.h>

#include "eap_brski/pki/cert.h"
#include "tests/unit/support/cmp_world.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/mutate.h"

/*
 * A PKCS #10 that comes without CMP, made by the openssl program: judged as one in a p10cr is, and what
 * a registrar asks the PKI with it.
 */

static struct cmp_world w;
static struct brski_error err;
static struct brski_cmp_rule rule;
static struct brski_cmp_request asked;
static struct brski_cmp_transaction tx;
static struct brski_buf p10, out;
static char folder[64];

static void setup(void)
{
	FILE *file;
	char path[96];

	w = cmp_world_new("P-256");
	rule = (struct brski_cmp_rule){.idevid = w.idevid.cert};
	temp_make(folder);
	snprintf(path, sizeof(path), "%s/key", folder);
	file = fopen(path, "w");
	ck_assert(file && PEM_write_PrivateKey(file, w.key, NULL, NULL, 0, NULL, NULL) == 1 &&
		  fclose(file) == 0);
}

static void teardown(void)
{
	temp_remove(folder);
	brski_cmp_request_free(&asked);
	brski_cmp_transaction_free(&tx);
	brski_buf_free(&p10);
	brski_buf_free(&out);
	cmp_world_free(&w);
}

#define OWN "/CN=Gadget/O=Maker/serialNumber=S-7"

static void ask(const char *subject, const char *options)
{
	char path[96];

	ck_assert_int_eq(run("cd %s && openssl req -new -key key -subj '%s' %s -outform DER -out p10", folder,
				 subject, options),
		0);
	snprintf(path, sizeof(path), "%s/p10", folder);
	brski_buf_free(&p10);
	p10 = file_read(path);
}

static enum brski_code check(void)
{
	brski_cmp_request_free(&asked);
	return brski_cmp_pkcs10_check(brski_buf_span(&p10), &rule, &asked, &err);
}

START_TEST(accepted)
{
	ask(OWN, "-addext keyUsage=critical,digitalSignature -addext extendedKeyUsage=clientAuth");
	EXPECT(BRSKI_OK, check());
	ck_assert_int_eq(asked.type, BRSKI_CMP_P10CR);
	ck_assert_int_eq(asked.fail, BRSKI_CMP_FAIL_NONE);
	ck_assert_int_eq(EVP_PKEY_eq(asked.key, w.key), 1);
	ck_assert(brski_name_equal(asked.subject, X509_get_subject_name(w.idevid.cert)));
	ck_assert_int_eq(sk_X509_EXTENSION_num(asked.extensions), 2);
	ask(OWN, "");
	EXPECT(BRSKI_OK, check());
	ck_assert_ptr_null(asked.extensions);
}
END_TEST

static void refused(enum brski_code code, enum brski_cmp_fail fail, const char *words)
{
	EXPECT_WHY(code, words, check());
	ck_assert_msg(asked.fail == fail, "%s: %s", err.why, brski_cmp_fail_name((int)asked.fail));
	ck_assert(!asked.key && !asked.subject && !asked.extensions);
}

/* RFC 9483 5.1.1: what a registrar forwards it vouches for. */
START_TEST(what_a_device_may_not_ask_for)
{
	static const struct {
		const char *subject, *options;
		enum brski_cmp_fail fail;
		const char *words;
	} odd[] = {
		{"/CN=Gadget/O=Maker/serialNumber=S-8", "", BRSKI_CMP_NOT_AUTHORIZED, "another subject"},
		{OWN, "-addext basicConstraints=CA:TRUE", BRSKI_CMP_NOT_AUTHORIZED, "Basic Constraints"},
		{OWN, "-addext keyUsage=keyCertSign", BRSKI_CMP_NOT_AUTHORIZED, "Key Usage"},
		{OWN, "-addext extendedKeyUsage=cmcRA", BRSKI_CMP_NOT_AUTHORIZED, "Extended Key Usage"},
		{OWN, "-addext extendedKeyUsage=serverAuth", BRSKI_CMP_NOT_AUTHORIZED, "Extended Key Usage"},
		{OWN, "-addext 1.2.3.4=ASN1:NULL", BRSKI_CMP_BAD_CERT_TEMPLATE, "not understood"},
	};

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		ask(odd[i].subject, odd[i].options);
		refused(BRSKI_REFUSED, odd[i].fail, odd[i].words);
	}
}
END_TEST

/* RFC 7030 3.5 has a challengePassword link request and tunnel; TLS 1.3 has no tls-unique for it. */
START_TEST(attributes_besides_extensions)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/cnf", folder);
	file_write(
		path, brski_span_str(
			      "[req]\ndistinguished_name=dn\nattributes=a\nprompt=no\n"
			      "[dn]\nCN=Gadget\nO=Maker\nserialNumber=S-7\n[a]\nchallengePassword=secret\n"));
	ck_assert_int_eq(
		run("cd %s && openssl req -new -config cnf -key key -outform DER -out p10", folder), 0);
	snprintf(path, sizeof(path), "%s/p10", folder);
	p10 = file_read(path);
	refused(BRSKI_REFUSED, BRSKI_CMP_BAD_CERT_TEMPLATE, "attributes besides extensionRequest");
}
END_TEST

/* keyUsage twice, which not every version of the program can be brought to. */
static void ask_twice(void)
{
	STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
	X509_REQ *req = X509_REQ_new();

	for (int i = 0; i < 2; i++)
		sk_X509_EXTENSION_push(
			extensions, X509V3_EXT_conf_nid(NULL, NULL, NID_key_usage, "digitalSignature"));
	ck_assert(X509_REQ_set_subject_name(req, X509_get_subject_name(w.idevid.cert)) == 1 &&
		  X509_REQ_set_pubkey(req, w.key) == 1 && X509_REQ_add_extensions(req, extensions) == 1 &&
		  X509_REQ_sign(req, w.key, EVP_sha256()) > 0);
	brski_buf_reset(&p10);
	EXPECT(BRSKI_OK, brski_asn1_write(req, ASN1_ITEM_rptr(X509_REQ), &p10, &err));
	X509_REQ_free(req);
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}

/* RFC 5280 4.2, and RFC 9483 4.1.4. */
START_TEST(what_is_no_request)
{
	ask_twice();
	refused(BRSKI_UNEXPECTED, BRSKI_CMP_BAD_CERT_TEMPLATE, "twice");
	ask(OWN, "");
	p10.data[p10.len - 1] ^= 1;
	refused(BRSKI_BAD_SIGNATURE, BRSKI_CMP_BAD_POP, "proof of possession");
	ask(OWN, "-sha1");
	refused(BRSKI_UNSUPPORTED, BRSKI_CMP_BAD_POP, "");
	brski_put_u8(&p10, 0);
	refused(BRSKI_MALFORMED, BRSKI_CMP_BAD_DATA_FORMAT, "PKCS #10");
	brski_buf_reset(&p10);
	refused(BRSKI_MALFORMED, BRSKI_CMP_BAD_DATA_FORMAT, "PKCS #10");
	ck_assert_int_eq(run("cd %s && openssl genrsa -out key 1024", folder), 0);
	ask(OWN, "");
	refused(BRSKI_UNSUPPORTED, BRSKI_CMP_BAD_ALG, "1024 bits");
	for (size_t i = p10.len; i <= BRSKI_CMP_MAX; i++)
		brski_put_u8(&p10, 0);
	refused(BRSKI_TOO_LARGE, BRSKI_CMP_BAD_DATA_FORMAT, "octets");
}
END_TEST

/* Each is compared with all others: 3,000 of them took 30 ms. */
START_TEST(extensions_are_counted)
{
	struct brski_buf options = {0};

	for (int i = 0; i < 33; i++) {
		brski_printf(&options, "-addext 1.2.3.%d=ASN1:NULL ", i);
		if (i < 31)
			continue;
		brski_put_u8(&options, 0);
		ask(OWN, (const char *)options.data);
		options.len--;
		if (i == 31)
			refused(BRSKI_REFUSED, BRSKI_CMP_BAD_CERT_TEMPLATE, "not understood");
		else
			refused(BRSKI_TOO_LARGE, BRSKI_CMP_BAD_CERT_TEMPLATE, "33 extensions");
	}
	brski_buf_free(&options);
}
END_TEST

/* ---- the registrar's own request ---- */

START_TEST(registrar_asks_with_it)
{
	struct brski_cmp msg;
	struct brski_cmp_request got;
	STACK_OF(X509) *chain;

	ask(OWN, "-addext keyUsage=digitalSignature");
	for (int implicit = 0; implicit < 2; implicit++) {
		EXPECT(BRSKI_OK,
			brski_cmp_p10cr(&w.ra, brski_buf_span(&p10), implicit, NULL, &tx, &out, &err));
		msg = cmp_decode(&out);
		ck_assert_int_eq(msg.type, BRSKI_CMP_P10CR);
		ck_assert_int_eq(msg.header.implicit_confirm, implicit);
		ck_assert(
			brski_span_equal(brski_buf_span(&tx.id), brski_buf_span(&msg.header.transaction_id)));
		ck_assert(brski_span_equal(brski_cmp_content(&msg), brski_buf_span(&p10)));
		EXPECT(BRSKI_OK, brski_cmp_request_check(&msg, NULL, &chain, &got, &err));
		ck_assert(brski_cert_equal(sk_X509_value(chain, 0), w.ra.cert));
		ck_assert_int_eq(EVP_PKEY_eq(got.key, w.key), 1);
		brski_cmp_request_free(&got);
		pki_free_certs(chain);
		brski_cmp_free(&msg);
	}
}
END_TEST

/* Each begins a transaction of its own. */
START_TEST(transactions_are_new)
{
	struct brski_buf first = {0};

	ask(OWN, "");
	EXPECT(BRSKI_OK, brski_cmp_p10cr(&w.ra, brski_buf_span(&p10), true, NULL, &tx, &out, &err));
	EXPECT(BRSKI_OK, brski_buf_set(&first, brski_buf_span(&tx.id)));
	EXPECT(BRSKI_OK, brski_buf_set(&tx.peer_nonce, brski_buf_span(&tx.id)));
	EXPECT(BRSKI_OK, brski_cmp_p10cr(&w.ra, brski_buf_span(&p10), true, NULL, &tx, &out, &err));
	ck_assert(!brski_span_equal(brski_buf_span(&tx.id), brski_buf_span(&first)));
	ck_assert_uint_eq(tx.peer_nonce.len, 0);
	EXPECT(BRSKI_OK, brski_buf_set(&first, brski_buf_span(&tx.id)));
	EXPECT(BRSKI_INTERNAL, brski_cmp_p10cr(&w.ra, brski_span("x", 1), true, NULL, &tx, &out, &err));
	EXPECT(BRSKI_INTERNAL,
		brski_cmp_p10cr(&w.ra, brski_span(p10.data, p10.len - 1), true, NULL, &tx, &out, &err));
	ck_assert_uint_eq(out.len, 0);
	ck_assert(brski_span_equal(brski_buf_span(&tx.id), brski_buf_span(&first)));
	brski_buf_free(&first);
}
END_TEST

/* ---- damaged ---- */

static void not_taken(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	struct brski_cmp_request got;

	(void)ctx;
	ck_assert_msg(brski_cmp_pkcs10_check(damaged, &rule, &got, &err) != BRSKI_OK, "%s at %zu", how->kind,
		how->at);
	ck_assert(got.fail != BRSKI_CMP_FAIL_NONE && !got.key && !got.subject && !got.extensions);
}

START_TEST(damaged)
{
	ask(OWN, "-addext keyUsage=critical,digitalSignature");
	mutate_truncations(brski_buf_span(&p10), not_taken, NULL);
	mutate_appended(brski_buf_span(&p10), not_taken, NULL);
	mutate_octets(brski_buf_span(&p10), not_taken, NULL);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {accepted, what_a_device_may_not_ask_for, attributes_besides_extensions,
		what_is_no_request, extensions_are_counted, registrar_asks_with_it, transactions_are_new,
		damaged};

	return run_tests("cmp_pkcs10", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
