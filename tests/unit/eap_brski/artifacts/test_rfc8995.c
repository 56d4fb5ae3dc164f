/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RFC 8995 Appendix C.2: the pledge's voucher-request, the registrar's, and the voucher, made by
 * others. They parse and verify as of the day they were published; each, changed in any one field,
 * is refused for the right reason, whether it is signed again with the RFC's own keys (the change
 * must be seen) or not (the signature must).
 */
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "eap_brski/artifacts/voucher.h"
#include "eap_brski/artifacts/voucher_check.h"
#include "eap_brski/artifacts/voucher_cms.h"
#include "eap_brski/artifacts/voucher_request.h"
#include "eap_brski/ground/base64.h"
#include "eap_brski/ground/json.h"
#include "eap_brski/pki/cms.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/mutate.h"

#define AT ((time_t)1619600000) /* 2021-04-28 */
#define LATER ((time_t)1700000000)
#define DIR "tests/vectors/rfc8995/"
#define SERIAL "00-D0-E5-F2-00-02"

static const uint8_t nonce_octets[] = {
	0xfb, 0xf5, 0xc4, 0xf7, 0x32, 0xbd, 0xab, 0xc2, 0xe5, 0xd6, 0xac, 0xa5, 0x32, 0xd2, 0xca, 0x7a};
static const struct brski_span nonce = {nonce_octets, sizeof(nonce_octets)};
static struct brski_error err;
static struct brski_buf vr, parboiled, voucher_cms;
static X509 *registrar, *vendor, *owner;
static STACK_OF(X509)
	*idevid; /* as the pledge's request has it: not the one beside it, which was issued later */
static STACK_OF(X509) *vendors, *owners, *tunnel;
static struct brski_voucher v;
static struct brski_voucher_expect expect;

static STACK_OF(X509) *stack_of(X509 *cert)
{
	STACK_OF(X509) *out = sk_X509_new_null();

	ck_assert_int_eq(X509_add_cert(out, cert, X509_ADD_FLAG_UP_REF), 1);
	return out;
}

static void setup(void)
{
	vr = file_read(DIR "vr.der");
	parboiled = file_read(DIR "parboiled_vr.der");
	voucher_cms = file_read(DIR "voucher.der");
	registrar = file_cert(DIR "jrc_prime256v1.crt");
	vendor = file_cert(DIR "vendor.crt");
	owner = file_cert(DIR "ownerca_secp384r1.crt");
	vendors = stack_of(vendor);
	owners = stack_of(owner);
	tunnel = stack_of(registrar);
	EXPECT(BRSKI_OK,
		brski_voucher_open(brski_buf_span(&vr), NULL, BRSKI_VOUCHER_REQUEST, &v, &idevid, &err));
	brski_voucher_free(&v);
	expect = (struct brski_voucher_expect){.serial_number = SERIAL,
		.nonce = nonce,
		.masa_anchors = vendors,
		.now = AT,
		.domain_chain = tunnel,
		.domain_use = BRSKI_USE_REGISTRAR};
}

static void free_stack(STACK_OF(X509) *certs)
{
	sk_X509_pop_free(certs, X509_free);
}

static void teardown(void)
{
	brski_voucher_free(&v);
	brski_buf_free(&vr);
	brski_buf_free(&parboiled);
	brski_buf_free(&voucher_cms);
	X509_free(registrar);
	X509_free(vendor);
	X509_free(owner);
	free_stack(idevid);
	free_stack(vendors);
	free_stack(owners);
	free_stack(tunnel);
}

/* ---- As published ---- */

static enum brski_code check_pledge_request(struct brski_span cms)
{
	brski_voucher_free(&v);
	return brski_voucher_request_check(cms, idevid, registrar, &v, &err);
}

START_TEST(pledge_request)
{
	EXPECT(BRSKI_OK, check_pledge_request(brski_buf_span(&vr)));
	ck_assert_str_eq(v.serial_number, SERIAL);
	ck_assert_int_eq(v.created_on, 1618350203); /* 17:43:23.747-04:00 */
	ck_assert_int_eq(v.assertion, BRSKI_ASSERTION_PROXIMITY);
	ck_assert(brski_span_equal(brski_buf_span(&v.nonce), nonce));
	EXPECT(BRSKI_OK, brski_chain_verify(idevid, vendors, NULL, BRSKI_USE_ANY, AT, &err));
	EXPECT(BRSKI_UNTRUSTED, brski_chain_verify(idevid, owners, NULL, BRSKI_USE_ANY, AT, &err));
}
END_TEST

START_TEST(registrar_request)
{
	STACK_OF(X509) *certs;

	EXPECT(BRSKI_OK, brski_voucher_open(
				 brski_buf_span(&parboiled), NULL, BRSKI_VOUCHER_REQUEST, &v, &certs, &err));
	ck_assert(v.is_request);
	ck_assert(brski_cert_equal(sk_X509_value(certs, 0), registrar));
	ck_assert_int_eq(sk_X509_num(certs), 2);
	EXPECT(BRSKI_OK, brski_chain_verify(certs, owners, NULL, BRSKI_USE_REGISTRAR, AT, &err));
	EXPECT(BRSKI_EXPIRED, brski_chain_verify(certs, owners, NULL, BRSKI_USE_REGISTRAR, LATER, &err));
	ck_assert_str_eq(v.serial_number, SERIAL);
	ck_assert_int_eq(v.created_on, 1618350203);
	ck_assert(brski_span_equal(brski_buf_span(&v.nonce), nonce));
	ck_assert_uint_eq(v.proximity_registrar_cert.len, 0);
	ck_assert(brski_span_equal(brski_buf_span(&v.prior_signed_voucher_request), brski_buf_span(&vr)));
	free_stack(certs);
}
END_TEST

START_TEST(voucher)
{
	X509 *pinned;

	expect.clock_is_right = true;
	EXPECT(BRSKI_OK, brski_voucher_check(brski_buf_span(&voucher_cms), &expect, &v, &pinned, &err));
	ck_assert(!v.is_request);
	ck_assert(brski_cert_equal(pinned, registrar));
	ck_assert_int_eq(v.created_on, 1618350204);
	ck_assert_int_eq(v.signed_on, 1618350204);
	ck_assert_int_eq(v.assertion, BRSKI_ASSERTION_LOGGED);
	ck_assert_str_eq(v.serial_number, SERIAL);
	ck_assert(brski_span_equal(brski_buf_span(&v.nonce), nonce));
	X509_free(pinned);
}
END_TEST

START_TEST(what_their_certificates_say)
{
	char serial[BRSKI_SERIAL_MAX], url[BRSKI_URL_MAX];
	struct brski_buf akid = {0};
	X509 *later = file_cert(DIR "idevid_00-D0-E5-F2-00-02.crt");

	EXPECT(BRSKI_OK, brski_cert_serial_number(later, serial, &err));
	ck_assert_str_eq(serial, SERIAL);
	EXPECT(BRSKI_OK, brski_cert_masa_url(later, url, &err));
	ck_assert_str_eq(url, "https://highway-test.example.com:9443");
	EXPECT(BRSKI_NOT_FOUND, brski_cert_authority_key_id(later, &akid, &err));
	/* the same key, another certificate: not the one that signed */
	ck_assert(!brski_cert_equal(later, sk_X509_value(idevid, 0)));
	X509_free(later);
}
END_TEST

/* ---- Changed and signed again with the same key ---- */

static struct brski_credential signer_of(const char *key, X509 *cert)
{
	struct brski_credential out = {.key = file_key(key), .chain = sk_X509_new_null()};

	X509_up_ref(cert);
	out.cert = cert;
	return out;
}

static json_t *content_of(struct brski_span cms)
{
	struct brski_buf json = {0};
	STACK_OF(X509) *certs;
	json_t *doc;

	EXPECT(BRSKI_OK, brski_cms_open(cms, NULL, &json, &certs, NULL, &err));
	EXPECT(BRSKI_OK, brski_json_parse(brski_buf_span(&json), &doc, &err));
	free_stack(certs);
	brski_buf_free(&json);
	return doc;
}

/* The artifact with one leaf set to value (JSON text; NULL: removed), signed again. */
static struct brski_buf changed(
	struct brski_span cms, const char *leaf, const char *value, const struct brski_credential *signer)
{
	json_t *doc = content_of(cms);
	json_t *leaves = json_object_iter_value(json_object_iter(doc));
	struct brski_buf json = {0}, out = {0};

	if (value)
		ck_assert_int_eq(
			json_object_set_new(leaves, leaf, json_loads(value, JSON_DECODE_ANY, NULL)), 0);
	else
		ck_assert_int_eq(json_object_del(leaves, leaf), 0);
	EXPECT(BRSKI_OK, brski_json_print(doc, &json, &err));
	EXPECT(BRSKI_OK, brski_cms_sign(brski_buf_span(&json), signer, false, &out, &err));
	brski_buf_free(&json);
	json_decref(doc);
	return out;
}

struct change {
	const char *leaf, *value;
	enum brski_code want;
	const char *words;
};

static const struct change pledge_changes[] = {
	/* nothing is changed by this one: what is signed again passes */
	{"assertion", "\"proximity\"", BRSKI_OK, ""},
	{"assertion", "\"logged\"", BRSKI_MISMATCH, "not proximity"},
	{"assertion", "\"near\"", BRSKI_MISMATCH, "not proximity"},
	{"assertion", NULL, BRSKI_MISMATCH, "not proximity"},
	{"created-on", "\"2021-04-31T00:00:00Z\"", BRSKI_MALFORMED, "created-on"},
	{"created-on", "1", BRSKI_MALFORMED, "created-on"},
	{"serial-number", "\"00-D0-E5-F2-00-03\"", BRSKI_MISMATCH, "serial-number"},
	{"serial-number", NULL, BRSKI_MALFORMED, "serial-number is missing"},
	{"nonce", "\"-_XE9zK9\"", BRSKI_MALFORMED, "nonce"},
	{"nonce", NULL, BRSKI_MALFORMED, "nonce"},
	{"proximity-registrar-cert", "\"MIIB\"", BRSKI_MISMATCH, "another registrar"},
	{"proximity-registrar-cert", NULL, BRSKI_MISMATCH, "proximity-registrar-cert"},
	{"expires-on", "\"2030-01-01T00:00:00Z\"", BRSKI_OK, ""},
	{"idevid-issuer", "\"-_XE9zK9q8Ll1qylMtLKeg\"", BRSKI_MALFORMED, "idevid-issuer"},
};

START_TEST(pledge_request_changed_in_one_field)
{
	struct brski_credential signer =
		signer_of(DIR "idevid_00-D0-E5-F2-00-02.key", sk_X509_value(idevid, 0));

	for (size_t i = 0; i < sizeof(pledge_changes) / sizeof(pledge_changes[0]); i++) {
		const struct change *c = &pledge_changes[i];
		struct brski_buf cms = changed(brski_buf_span(&vr), c->leaf, c->value, &signer);

		EXPECT(c->want, check_pledge_request(brski_buf_span(&cms)));
		ck_assert_msg(strstr(err.why, c->words) != NULL, "%s: %s", c->leaf, err.why);
		brski_buf_free(&cms);
	}
	brski_credential_free(&signer);
}
END_TEST

START_TEST(pledge_request_signed_by_another)
{
	struct brski_credential other = signer_of(DIR "jrc_prime256v1.key", registrar);
	struct brski_buf cms = changed(brski_buf_span(&vr), "assertion", "\"proximity\"", &other);

	EXPECT_WHY(BRSKI_MISMATCH, "another device", check_pledge_request(brski_buf_span(&cms)));
	EXPECT(BRSKI_MISMATCH, brski_voucher_request_check(brski_buf_span(&vr), idevid, owner, &v, &err));
	brski_buf_free(&cms);
	brski_credential_free(&other);
}
END_TEST

static const struct change voucher_changes[] = {
	{"assertion", "\"logged\"", BRSKI_OK, ""},
	/* rfc8366bis has them optional, and other assertions */
	{"assertion", "\"sworn\"", BRSKI_OK, ""},
	{"assertion", NULL, BRSKI_OK, ""},
	{"created-on", NULL, BRSKI_OK, ""},
	{"created-on", "\"soon\"", BRSKI_MALFORMED, "created-on"},
	{"serial-number", "\"00-D0-E5-F2-00-03\"", BRSKI_MISMATCH, "serial-number"},
	{"serial-number", NULL, BRSKI_MALFORMED, "serial-number"},
	{"nonce", "\"-_XE9zK9q8Ll1qylMtLKew\"", BRSKI_MISMATCH, "nonce"},
	{"nonce", NULL, BRSKI_MISMATCH, "no nonce"},
	{"pinned-domain-cert", "\"MIIB\"", BRSKI_MALFORMED, "pinned-domain-cert"},
	{"pinned-domain-cert", NULL, BRSKI_MALFORMED, "pinned-domain-cert"},
	{"expires-on", "\"2030-01-01T00:00:00Z\"", BRSKI_OK, ""},
	{"expires-on", "\"2021-04-20T00:00:00Z\"", BRSKI_EXPIRED, "expired"},
	{"last-renewal-date", "\"2030-01-01T00:00:00Z\"", BRSKI_MALFORMED, "last-renewal-date"},
	{"domain-cert-revocation-checks", "true", BRSKI_UNSUPPORTED, "revocation"},
};

static enum brski_code check_voucher(struct brski_span cms)
{
	brski_voucher_free(&v);
	return brski_voucher_check(cms, &expect, &v, NULL, &err);
}

START_TEST(voucher_changed_in_one_field)
{
	X509 *cert = file_cert(DIR "masa.crt");
	struct brski_credential signer = signer_of(DIR "masa.key", cert);

	for (size_t i = 0; i < sizeof(voucher_changes) / sizeof(voucher_changes[0]); i++) {
		const struct change *c = &voucher_changes[i];
		struct brski_buf cms = changed(brski_buf_span(&voucher_cms), c->leaf, c->value, &signer);

		EXPECT(c->want, check_voucher(brski_buf_span(&cms)));
		ck_assert_msg(strstr(err.why, c->words) != NULL, "%s: %s", c->leaf, err.why);
		brski_buf_free(&cms);
	}
	brski_credential_free(&signer);
	X509_free(cert);
}
END_TEST

START_TEST(voucher_that_pins_another_certificate)
{
	X509 *cert = file_cert(DIR "masa.crt"), *other = file_cert(DIR "masa_secp384r1.crt");
	struct brski_credential signer = signer_of(DIR "masa.key", cert);
	X509 *const pins[] = {owner, vendor, other};
	static const enum brski_code want[] = {BRSKI_OK, BRSKI_UNTRUSTED, BRSKI_UNTRUSTED};

	for (size_t i = 0; i < 3; i++) {
		struct brski_buf der = {0}, text = {0};
		struct brski_buf cms;

		brski_put_str(&text, "\"");
		EXPECT(BRSKI_OK, brski_cert_to_der(pins[i], &der, &err));
		EXPECT(BRSKI_OK, brski_base64_encode(brski_buf_span(&der), &text));
		brski_put(&text, brski_span("\"", 2));
		cms = changed(
			brski_buf_span(&voucher_cms), "pinned-domain-cert", (const char *)text.data, &signer);
		EXPECT(want[i], check_voucher(brski_buf_span(&cms)));
		brski_buf_free(&cms);
		brski_buf_free(&der);
		brski_buf_free(&text);
	}
	brski_credential_free(&signer);
	X509_free(cert);
	X509_free(other);
}
END_TEST

/* The other MASA key of the RFC is another manufacturer's; so are the registrar's and the pledge's keys. */
START_TEST(voucher_signed_by_another)
{
	X509 *other = file_cert(DIR "masa_secp384r1.crt");
	struct brski_credential masa = signer_of(DIR "masa_secp384r1.key", other);
	struct brski_credential jrc = signer_of(DIR "jrc_prime256v1.key", registrar);
	struct brski_buf cms = changed(brski_buf_span(&voucher_cms), "assertion", "\"logged\"", &masa);

	EXPECT_WHY(BRSKI_UNTRUSTED, "voucher's signer", check_voucher(brski_buf_span(&cms)));
	brski_buf_free(&cms);
	cms = changed(brski_buf_span(&voucher_cms), "assertion", "\"logged\"", &jrc);
	EXPECT_WHY(BRSKI_UNTRUSTED, "voucher's signer", check_voucher(brski_buf_span(&cms)));
	brski_buf_free(&cms);
	brski_credential_free(&masa);
	brski_credential_free(&jrc);
	X509_free(other);
}
END_TEST

START_TEST(voucher_at_another_time_or_place)
{
	expect.now = LATER;
	EXPECT_WHY(BRSKI_EXPIRED, "expired", check_voucher(brski_buf_span(&voucher_cms)));
	expect.now = 0; /* a pledge without a clock */
	EXPECT(BRSKI_OK, check_voucher(brski_buf_span(&voucher_cms)));
	expect.now = AT;
	expect.domain_chain = owners;
	EXPECT_WHY(BRSKI_UNTRUSTED, "does not pin", check_voucher(brski_buf_span(&voucher_cms)));
	expect.domain_chain = tunnel;
	expect.serial_number = "00-D0-E5-F2-00-01";
	EXPECT(BRSKI_MISMATCH, check_voucher(brski_buf_span(&voucher_cms)));
	expect.serial_number = SERIAL;
	expect.masa_anchors = owners;
	EXPECT(BRSKI_UNTRUSTED, check_voucher(brski_buf_span(&voucher_cms)));
	/* a request is no voucher, and the other way round */
	expect.masa_anchors = NULL;
	EXPECT(BRSKI_UNEXPECTED, check_voucher(brski_buf_span(&vr)));
	EXPECT(BRSKI_UNEXPECTED, check_pledge_request(brski_buf_span(&voucher_cms)));
}
END_TEST

static const struct change registrar_changes[] = {
	{"assertion", "\"proximity\"", BRSKI_OK, ""},
	{"assertion", "\"near\"", BRSKI_OK, ""}, /* rfc8366bis: others may come */
	{"assertion", "7", BRSKI_MALFORMED, "assertion"},
	{"created-on", "\"never\"", BRSKI_MALFORMED, "created-on"},
	{"serial-number", NULL, BRSKI_MALFORMED, "serial-number"},
	{"nonce", "\"short\"", BRSKI_MALFORMED, "nonce"},
	{"prior-signed-voucher-request", "\"\"", BRSKI_MALFORMED, "prior-signed-voucher-request"},
	{"prior-signed-voucher-request", "{}", BRSKI_MALFORMED, "prior-signed-voucher-request"},
};

START_TEST(registrar_request_changed_in_one_field)
{
	struct brski_credential signer = signer_of(DIR "jrc_prime256v1.key", registrar);

	for (size_t i = 0; i < sizeof(registrar_changes) / sizeof(registrar_changes[0]); i++) {
		const struct change *c = &registrar_changes[i];
		struct brski_buf cms = changed(brski_buf_span(&parboiled), c->leaf, c->value, &signer);
		STACK_OF(X509) *certs;

		brski_voucher_free(&v);
		EXPECT(c->want, brski_voucher_open(
					brski_buf_span(&cms), NULL, BRSKI_VOUCHER_REQUEST, &v, &certs, &err));
		ck_assert_msg(strstr(err.why, c->words) != NULL, "%s: %s", c->leaf, err.why);
		free_stack(certs);
		brski_buf_free(&cms);
	}
	brski_credential_free(&signer);
}
END_TEST

/* ---- Changed without the key ---- */

struct genuine {
	struct brski_buf content;
	X509 *signer;
	const STACK_OF(X509) *anchors;
	unsigned opened;
};

static void refuse_damaged(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	struct genuine *g = ctx;
	struct brski_buf content = {0};
	STACK_OF(X509) *certs;

	if (brski_cms_open(damaged, NULL, &content, &certs, NULL, &err) == BRSKI_OK) {
		bool same = brski_cert_equal(sk_X509_value(certs, 0), g->signer);

		ck_assert_msg(brski_span_equal(brski_buf_span(&content), brski_buf_span(&g->content)),
			"%s at %zu: other content", how->kind, how->at);
		ck_assert_msg(same || brski_chain_verify(certs, g->anchors, NULL, BRSKI_USE_ANY, AT, NULL) !=
					      BRSKI_OK,
			"%s at %zu: other signer", how->kind, how->at);
		ck_assert_msg(strcmp(how->kind, "cut") != 0 && strcmp(how->kind, "appended") != 0,
			"%s at %zu", how->kind, how->at);
		g->opened++;
	}
	brski_buf_free(&content);
	free_stack(certs);
}

static void damage(struct brski_span cms, const STACK_OF(X509) *anchors)
{
	struct genuine g = {.anchors = anchors};
	STACK_OF(X509) *certs;

	EXPECT(BRSKI_OK, brski_cms_open(cms, NULL, &g.content, &certs, NULL, &err));
	g.signer = sk_X509_value(certs, 0);
	mutate_truncations(cms, refuse_damaged, &g);
	mutate_octets_once(cms, refuse_damaged, &g);
	mutate_appended(cms, refuse_damaged, &g);
	/* few octets of an artifact are signed by nobody */
	ck_assert_uint_lt(g.opened, cms.len / 2);
	brski_buf_free(&g.content);
	free_stack(certs);
}

START_TEST(damaged_pledge_request)
{
	damage(brski_buf_span(&vr), vendors);
}
END_TEST

START_TEST(damaged_registrar_request)
{
	damage(brski_buf_span(&parboiled), owners);
}
END_TEST

START_TEST(damaged_voucher)
{
	damage(brski_buf_span(&voucher_cms), vendors);
}
END_TEST

/*
 * What the MASA would have to say to our request for the RFC's pledge: our own code at both ends,
 * their keys.
 */
START_TEST(our_requests_with_their_keys)
{
	struct brski_credential pledge =
		signer_of(DIR "idevid_00-D0-E5-F2-00-02.key", sk_X509_value(idevid, 0));
	struct brski_credential jrc = signer_of(DIR "jrc_prime256v1.key", registrar);
	struct brski_buf one = {0}, two = {0};
	struct brski_voucher outer;
	STACK_OF(X509) *certs;

	EXPECT(BRSKI_OK, brski_voucher_request_pledge(&pledge, registrar, nonce, AT, &one, &err));
	EXPECT(BRSKI_OK, check_pledge_request(brski_buf_span(&one)));
	EXPECT(BRSKI_OK, brski_voucher_request_registrar(
				 &jrc, sk_X509_value(idevid, 0), &v, brski_buf_span(&one), AT, &two, &err));
	EXPECT(BRSKI_OK,
		brski_voucher_open(brski_buf_span(&two), NULL, BRSKI_VOUCHER_REQUEST, &outer, &certs, &err));
	EXPECT(BRSKI_OK, brski_chain_verify(certs, owners, NULL, BRSKI_USE_REGISTRAR, AT, &err));
	ck_assert_str_eq(outer.serial_number, SERIAL);
	/* there is no AuthorityKeyIdentifier: rfc8366bis 6.1 has the SHA-1 of the IDevID's key */
	ck_assert_uint_eq(outer.idevid_issuer.len, 24);
	EXPECT(BRSKI_OK, check_pledge_request(brski_buf_span(&outer.prior_signed_voucher_request)));
	free_stack(certs);
	brski_voucher_free(&outer);
	brski_buf_free(&one);
	brski_buf_free(&two);
	brski_credential_free(&pledge);
	brski_credential_free(&jrc);
}
END_TEST

/* RFC 8995 5.6: the nonce is handed on letter for letter; whoever made it may compare texts. */
START_TEST(the_nonce_stays_as_it_was_written)
{
	struct brski_credential jrc = signer_of(DIR "jrc_prime256v1.key", registrar);
	struct brski_buf own = {0}, json = {0};
	STACK_OF(X509) *certs;

	EXPECT(BRSKI_OK, check_pledge_request(brski_buf_span(&vr)));
	EXPECT(BRSKI_OK, brski_voucher_request_registrar(
				 &jrc, sk_X509_value(idevid, 0), &v, brski_buf_span(&vr), AT, &own, &err));
	EXPECT(BRSKI_OK, brski_cms_open(brski_buf_span(&own), NULL, &json, &certs, NULL, &err));
	brski_put_u8(&json, 0);
	ck_assert_ptr_nonnull(strstr((const char *)json.data, "\"nonce\":\"-_XE9zK9q8Ll1qylMtLKeg\""));
	free_stack(certs);
	brski_buf_free(&json);
	brski_buf_free(&own);
	brski_credential_free(&jrc);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {pledge_request, the_nonce_stays_as_it_was_written, registrar_request,
		voucher, what_their_certificates_say, pledge_request_changed_in_one_field,
		pledge_request_signed_by_another, voucher_changed_in_one_field,
		voucher_that_pins_another_certificate, voucher_signed_by_another,
		voucher_at_another_time_or_place, registrar_request_changed_in_one_field,
		damaged_pledge_request, damaged_registrar_request, damaged_voucher,
		our_requests_with_their_keys};

	return run_tests("rfc8995", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
