/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "eap_brski/ground/text.h"
#include "eap_brski/pki/cert.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/mutate.h"
#include "tests/unit/support/pki.h"

#define DAY ((time_t)24 * 3600)
#define MASA_URL_OID "1.3.6.1.5.5.7.1.32"

static struct brski_error err;
static time_t now;
static struct brski_credential root, ca, leaf, stranger;

static void setup(void)
{
	now = time(NULL);
	root = pki_root("CN=Root");
	ca = pki_ca("CN=Issuer", &root);
	leaf = pki_leaf("CN=Gadget", "P-256", &ca);
	stranger = pki_root("CN=Stranger");
}

static void teardown(void)
{
	pki_free(&leaf);
	pki_free(&ca);
	pki_free(&root);
	pki_free(&stranger);
}

static enum brski_code verify_with(const struct brski_credential *cred, X509 *anchor,
	const STACK_OF(X509_CRL) *crls, enum brski_use use, time_t at)
{
	STACK_OF(X509) *certs = pki_certs(cred, NULL);
	STACK_OF(X509) *anchors = sk_X509_new_null();
	enum brski_code code;

	sk_X509_push(anchors, anchor);
	code = brski_chain_verify(certs, anchors, crls, use, at, &err);
	sk_X509_free(anchors);
	pki_free_certs(certs);
	return code;
}

static enum brski_code verify(const struct brski_credential *cred, X509 *anchor)
{
	return verify_with(cred, anchor, NULL, BRSKI_USE_ANY, now);
}

START_TEST(chain_leads_to_any_anchor_on_its_way)
{
	EXPECT(BRSKI_OK, verify(&leaf, root.cert));
	EXPECT(BRSKI_OK, verify(&leaf, ca.cert));
	EXPECT(BRSKI_OK, verify(&leaf, leaf.cert));
}
END_TEST

START_TEST(chain_to_nowhere)
{
	STACK_OF(X509) *certs = pki_certs(&leaf, NULL), *none = sk_X509_new_null();
	X509 *issuer;

	EXPECT_WHY(BRSKI_UNTRUSTED, "unable to get", verify(&leaf, stranger.cert));
	EXPECT_WHY(BRSKI_UNTRUSTED, "no trust anchor",
		brski_chain_verify(certs, none, NULL, BRSKI_USE_ANY, now, &err));
	EXPECT_WHY(BRSKI_UNTRUSTED, "no trust anchor",
		brski_chain_verify(certs, NULL, NULL, BRSKI_USE_ANY, now, &err));
	EXPECT_WHY(BRSKI_UNTRUSTED, "no certificate",
		brski_chain_verify(none, certs, NULL, BRSKI_USE_ANY, now, &err));
	EXPECT_WHY(BRSKI_UNTRUSTED, "no certificate",
		brski_chain_verify(NULL, certs, NULL, BRSKI_USE_ANY, now, &err));
	/* the intermediate is missing */
	issuer = sk_X509_pop(certs);
	sk_X509_push(none, root.cert);
	EXPECT(BRSKI_UNTRUSTED, brski_chain_verify(certs, none, NULL, BRSKI_USE_ANY, now, &err));
	X509_free(issuer);
	sk_X509_free(none);
	pki_free_certs(certs);
}
END_TEST

/* same name and same key identifier as the real issuer, another key */
START_TEST(impostor_of_an_issuer)
{
	struct brski_credential fake = pki_ca("CN=Issuer", &root);
	struct brski_credential other = pki_leaf("CN=Gadget", "P-256", &fake);

	EXPECT(BRSKI_UNTRUSTED, verify(&other, ca.cert));
	EXPECT(BRSKI_OK, verify(&other, fake.cert));
	pki_free(&other);
	pki_free(&fake);
}
END_TEST

/* Has it name its issuer's certificate by name and serial number, RFC 5280 4.2.1.1. */
static void add_aki(X509 *cert, X509 *issuer, const struct brski_credential *signer)
{
	int at = X509_get_ext_by_NID(cert, NID_authority_key_identifier, -1);
	X509V3_CTX ctx;
	X509_EXTENSION *aki;

	if (at >= 0)
		X509_EXTENSION_free(X509_delete_ext(cert, at));
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	aki = X509V3_EXT_conf_nid(NULL, &ctx, NID_authority_key_identifier, "issuer:always");
	ck_assert(aki && X509_add_ext(cert, aki, -1) == 1);
	ck_assert_int_gt(X509_sign(cert, signer->key, EVP_sha256()), 0);
	X509_EXTENSION_free(aki);
}

/* RFC 5280 6.1.1 d: an anchor is a name and a key. Here the CA has a new certificate. */
START_TEST(a_renewed_anchor_is_the_same)
{
	struct pki_spec spec = {.subject = "CN=Old CA", .ca = true}, leaf_spec = {.subject = "CN=Leaf"};
	struct brski_credential old = pki_make(&spec, NULL), renewed, other, below, strange;
	STACK_OF(X509) *anchors = pki_certs(&old, NULL), *self, *path;

	spec.key = old.key;
	spec.not_before = time(NULL) - 100;
	renewed = pki_make(&spec, NULL);
	spec.key = NULL;
	other = pki_make(&spec, NULL);
	below = pki_make(&leaf_spec, &renewed);
	add_aki(below.cert, renewed.cert, &renewed);
	strange = pki_make(&leaf_spec, &other);
	add_aki(strange.cert, renewed.cert, &other);
	self = pki_certs(&renewed, NULL);
	EXPECT(BRSKI_OK, brski_chain_verify(self, anchors, NULL, BRSKI_USE_ANY, time(NULL), &err));
	path = pki_certs(&below, &renewed); /* names the new certificate by its serial number */
	EXPECT(BRSKI_OK, brski_chain_verify(path, anchors, NULL, BRSKI_USE_ANY, time(NULL), &err));
	pki_free_certs(path);
	path = pki_certs(&below, NULL);
	EXPECT(BRSKI_OK, brski_chain_verify(path, anchors, NULL, BRSKI_USE_ANY, time(NULL), &err));
	pki_free_certs(path);
	pki_free_certs(self);
	/* another key under that name */
	self = pki_certs(&other, NULL);
	EXPECT(BRSKI_UNTRUSTED, brski_chain_verify(self, anchors, NULL, BRSKI_USE_ANY, time(NULL), &err));
	path = pki_certs(&strange, &other);
	EXPECT(BRSKI_UNTRUSTED, brski_chain_verify(path, anchors, NULL, BRSKI_USE_ANY, time(NULL), &err));
	pki_free_certs(path);
	pki_free_certs(self);
	/* the dates of what was sent count */
	spec.key = old.key;
	spec.not_before = 1000000000;
	spec.not_after = 1100000000;
	pki_free(&renewed);
	renewed = pki_make(&spec, NULL);
	self = pki_certs(&renewed, NULL);
	EXPECT(BRSKI_EXPIRED, brski_chain_verify(self, anchors, NULL, BRSKI_USE_ANY, time(NULL), &err));
	pki_free_certs(self);
	pki_free_certs(anchors);
	pki_free(&old);
	pki_free(&renewed);
	pki_free(&other);
	pki_free(&below);
	pki_free(&strange);
}
END_TEST

/* Clocks differ by seconds: what was made now is valid now. */
START_TEST(made_a_moment_ahead_of_our_clock)
{
	time_t at = time(NULL);
	struct pki_spec spec = {.subject = "CN=New", .not_before = at + 30};
	struct brski_credential soon = pki_make(&spec, &root), later;
	STACK_OF(X509) *anchors = pki_certs(&root, NULL), *certs = pki_certs(&soon, NULL);

	spec.not_before = at + 120;
	later = pki_make(&spec, &root);
	EXPECT(BRSKI_OK, brski_chain_verify(certs, anchors, NULL, BRSKI_USE_ANY, at, &err));
	EXPECT(BRSKI_OK, brski_cert_dates(soon.cert, at, &err));
	pki_free_certs(certs);
	certs = pki_certs(&later, NULL);
	EXPECT(BRSKI_EXPIRED, brski_chain_verify(certs, anchors, NULL, BRSKI_USE_ANY, at, &err));
	EXPECT(BRSKI_EXPIRED, brski_cert_dates(later.cert, at, &err));
	pki_free_certs(certs);
	pki_free_certs(anchors);
	pki_free(&soon);
	pki_free(&later);
}
END_TEST

START_TEST(dates_of_each_step_count)
{
	struct brski_credential old_ca = pki_make(
		&(struct pki_spec){
			.subject = "CN=Old", .ca = true, .not_before = now - 9 * DAY, .not_after = now - DAY},
		&root);
	struct brski_credential under_old = pki_leaf("CN=Gadget", "P-256", &old_ca);
	struct brski_credential future = pki_make(
		&(struct pki_spec){
			.subject = "CN=Future", .not_before = now + DAY, .not_after = now + 2 * DAY},
		&ca);

	EXPECT_WHY(BRSKI_EXPIRED, "CN=Old", verify(&under_old, root.cert));
	EXPECT(BRSKI_OK, verify_with(&under_old, root.cert, NULL, BRSKI_USE_ANY, 0));
	EXPECT_WHY(BRSKI_EXPIRED, "CN=Future", verify(&future, root.cert));
	EXPECT(BRSKI_OK, verify_with(&future, root.cert, NULL, BRSKI_USE_ANY, now + DAY + 1));
	EXPECT(BRSKI_OK, verify_with(&future, root.cert, NULL, BRSKI_USE_ANY, 0));
	/* an anchor has a date too, even as the leaf; what stands above it has not */
	EXPECT_WHY(BRSKI_EXPIRED, "CN=Future", verify(&future, future.cert));
	EXPECT(BRSKI_OK, verify(&under_old, under_old.cert));
	pki_free(&future);
	pki_free(&under_old);
	pki_free(&old_ca);
}
END_TEST

START_TEST(dates_of_one_certificate)
{
	struct brski_credential cert = pki_make(
		&(struct pki_spec){.subject = "CN=Brief", .not_before = now - DAY, .not_after = now + DAY},
		&ca);

	EXPECT(BRSKI_OK, brski_cert_dates(cert.cert, now, &err));
	EXPECT(BRSKI_OK, brski_cert_dates(cert.cert, 0, &err));
	EXPECT_WHY(
		BRSKI_EXPIRED, "CN=Brief is not yet valid", brski_cert_dates(cert.cert, now - 2 * DAY, &err));
	EXPECT_WHY(BRSKI_EXPIRED, "CN=Brief has expired", brski_cert_dates(cert.cert, now + 2 * DAY, &err));
	pki_free(&cert);
}
END_TEST

static STACK_OF(X509_CRL) *crls_of(const struct brski_credential *issuer, X509 *revoked)
{
	STACK_OF(X509_CRL) *crls = sk_X509_CRL_new_null();

	sk_X509_CRL_push(crls, pki_crl(issuer, &revoked, revoked ? 1 : 0));
	return crls;
}

START_TEST(revoked_leaf_and_revoked_issuer)
{
	STACK_OF(X509_CRL) *crls = crls_of(&ca, leaf.cert);

	EXPECT_WHY(BRSKI_REVOKED, "CN=Gadget", verify_with(&leaf, root.cert, crls, BRSKI_USE_ANY, now));
	EXPECT(BRSKI_REVOKED, verify_with(&leaf, ca.cert, crls, BRSKI_USE_ANY, now));
	sk_X509_CRL_pop_free(crls, X509_CRL_free);

	crls = crls_of(&ca, NULL);
	EXPECT(BRSKI_OK, verify_with(&leaf, root.cert, crls, BRSKI_USE_ANY, now));
	X509 *revoked = ca.cert;
	sk_X509_CRL_push(crls, pki_crl(&root, &revoked, 1));
	EXPECT_WHY(BRSKI_REVOKED, "CN=Issuer", verify_with(&leaf, root.cert, crls, BRSKI_USE_ANY, now));
	sk_X509_CRL_pop_free(crls, X509_CRL_free);
}
END_TEST

START_TEST(crl_must_be_the_issuers_own_and_fresh)
{
	STACK_OF(X509_CRL) *crls = crls_of(&root, NULL);

	/* CRLs are configured, but none tells of this leaf */
	EXPECT_WHY(BRSKI_UNTRUSTED, "CRL", verify_with(&leaf, root.cert, crls, BRSKI_USE_ANY, now));
	sk_X509_CRL_pop_free(crls, X509_CRL_free);

	crls = crls_of(&ca, NULL);
	EXPECT_WHY(BRSKI_UNTRUSTED, "CRL", verify_with(&leaf, root.cert, crls, BRSKI_USE_ANY, now + 3 * DAY));
	sk_X509_CRL_pop_free(crls, X509_CRL_free);

	struct brski_credential fake = pki_ca("CN=Issuer", &root);
	crls = crls_of(&fake, NULL);
	EXPECT(BRSKI_UNTRUSTED, verify_with(&leaf, root.cert, crls, BRSKI_USE_ANY, now));
	sk_X509_CRL_pop_free(crls, X509_CRL_free);
	pki_free(&fake);
}
END_TEST

/* RFC 8995 5.5.4: id-kp-cmcRA */
START_TEST(registrar_has_its_extended_key_usage)
{
	static const struct {
		const char *eku;
		enum brski_code want;
	} cases[] = {
		{"cmcRA", BRSKI_OK},
		{"critical,cmcRA", BRSKI_OK},
		{"serverAuth,cmcRA", BRSKI_OK},
		{"serverAuth,clientAuth", BRSKI_UNTRUSTED},
		{"anyExtendedKeyUsage", BRSKI_UNTRUSTED},
		{NULL, BRSKI_UNTRUSTED},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct brski_credential cred =
			pki_make(&(struct pki_spec){.subject = "CN=Registrar", .eku = cases[i].eku}, &ca);

		EXPECT(cases[i].want, verify_with(&cred, root.cert, NULL, BRSKI_USE_REGISTRAR, now));
		if (cases[i].want != BRSKI_OK)
			ck_assert_ptr_nonnull(strstr(err.why, "cmcRA"));
		EXPECT(cases[i].want, verify_with(&cred, cred.cert, NULL, BRSKI_USE_REGISTRAR, now));
		EXPECT(BRSKI_OK, verify_with(&cred, root.cert, NULL, BRSKI_USE_ANY, now));
		pki_free(&cred);
	}
}
END_TEST

/* OpenSSL remembers much of a certificate that it has seen, so the new one is parsed afresh. */
static void sign_anew(struct brski_credential *cred, EVP_PKEY *issuer, const EVP_MD *md)
{
	struct brski_buf der = {0};

	ck_assert_int_gt(X509_sign(cred->cert, issuer, md), 0);
	EXPECT(BRSKI_OK, brski_cert_to_der(cred->cert, &der, &err));
	X509_free(cred->cert);
	EXPECT(BRSKI_OK, brski_cert_from_der(brski_buf_span(&der), &cred->cert, &err));
	brski_buf_free(&der);
}

START_TEST(weak_keys_and_digests)
{
	struct brski_credential weak = pki_leaf("CN=Weak", "RSA-1024", &ca);
	struct brski_credential fair = pki_leaf("CN=Fair", "RSA-2048", &ca);
	struct brski_credential weak_ca = pki_make(
		&(struct pki_spec){.subject = "CN=WeakCA", .key_type = "RSA-1024", .ca = true}, &root);
	struct brski_credential below = pki_leaf("CN=Below", "P-256", &weak_ca);

	EXPECT_WHY(BRSKI_UNTRUSTED, "CN=Weak", verify(&weak, root.cert));
	EXPECT(BRSKI_UNTRUSTED, verify(&weak, weak.cert));
	EXPECT(BRSKI_OK, verify(&fair, root.cert));
	EXPECT_WHY(BRSKI_UNTRUSTED, "CN=WeakCA", verify(&below, root.cert));
	sign_anew(&fair, ca.key, EVP_sha1());
	EXPECT_WHY(BRSKI_UNTRUSTED, "CN=Fair", verify(&fair, root.cert));
	pki_free(&below);
	pki_free(&weak_ca);
	pki_free(&weak);
	pki_free(&fair);
}
END_TEST

/* RFC 5280 6.1.4: basicConstraints, keyUsage, pathLenConstraint; 6.1.5: unknown critical extensions */
START_TEST(issuers_must_be_authorities)
{
	struct brski_credential below_leaf = pki_leaf("CN=Below", "P-256", &leaf);
	struct brski_credential no_sign = pki_make(
		&(struct pki_spec){.subject = "CN=NoSign", .ca = true, .key_usage = "critical,cRLSign"},
		&root);
	struct brski_credential below_no_sign = pki_leaf("CN=Below", "P-256", &no_sign);
	struct brski_credential short_ca =
		pki_make(&(struct pki_spec){.subject = "CN=Short", .ca = true, .path_len = 1}, &root);
	struct brski_credential long_ca = pki_ca("CN=Long", &short_ca);
	struct brski_credential below_long = pki_leaf("CN=Below", "P-256", &long_ca);

	EXPECT_WHY(BRSKI_UNTRUSTED, "CN=Gadget", verify(&below_leaf, root.cert));
	EXPECT_WHY(BRSKI_UNTRUSTED, "CN=NoSign", verify(&below_no_sign, root.cert));
	EXPECT_WHY(BRSKI_UNTRUSTED, "CN=Short", verify(&below_long, root.cert));
	pki_free(&below_long);
	pki_free(&long_ca);
	pki_free(&short_ca);
	pki_free(&below_no_sign);
	pki_free(&no_sign);
	pki_free(&below_leaf);
}
END_TEST

static void add_extension(X509 *cert, const char *oid, bool critical, struct brski_span der)
{
	ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *ext;

	ck_assert(ASN1_OCTET_STRING_set(value, der.data, (int)der.len) == 1);
	ext = X509_EXTENSION_create_by_OBJ(NULL, obj, critical, value);
	ck_assert(X509_add_ext(cert, ext, -1) == 1);
	X509_EXTENSION_free(ext);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(obj);
}

START_TEST(unknown_critical_extension)
{
	struct brski_credential odd = pki_leaf("CN=Odd", "P-256", &ca);

	add_extension(odd.cert, "1.3.6.1.4.1.32473.1", true, brski_span("\x05\x00", 2));
	ck_assert_int_gt(X509_sign(odd.cert, ca.key, EVP_sha256()), 0);
	EXPECT_WHY(BRSKI_UNTRUSTED, "CN=Odd", verify(&odd, root.cert));
	pki_free(&odd);
}
END_TEST

static enum brski_code follow(const struct brski_credential *cred, X509 *const *anchors, int n,
	const STACK_OF(X509_CRL) *crls, struct brski_path *path)
{
	STACK_OF(X509) *certs = pki_certs(cred, NULL), *stack = sk_X509_new_null();
	enum brski_code code;

	for (int i = 0; i < n; i++)
		sk_X509_push(stack, anchors[i]);
	code = brski_chain_follow(certs, stack, crls, now, path, &err);
	sk_X509_free(stack);
	pki_free_certs(certs);
	return code;
}

START_TEST(a_chain_is_followed_to_the_nearest_anchor)
{
	X509 *const at_root[] = {root.cert}, *const at_both[] = {root.cert, ca.cert};
	X509 *const at_leaf[] = {root.cert, leaf.cert}, *const elsewhere[] = {stranger.cert};
	struct brski_path path;

	EXPECT(BRSKI_OK, follow(&leaf, at_root, 1, NULL, &path));
	ck_assert(path.leads && path.distance == 2);
	EXPECT(BRSKI_OK, follow(&leaf, at_both, 2, NULL, &path));
	ck_assert(path.leads && path.distance == 1);
	EXPECT(BRSKI_OK, follow(&leaf, at_leaf, 2, NULL, &path));
	ck_assert(path.leads && path.distance == 0);
	EXPECT(BRSKI_UNTRUSTED, follow(&leaf, elsewhere, 1, NULL, &path));
	ck_assert(!path.leads);
	EXPECT(BRSKI_UNTRUSTED, follow(&leaf, elsewhere, 0, NULL, &path));
	ck_assert(!path.leads);
}
END_TEST

/* Signatures are looked at last; what was found before is said of a chain that has them alone. */
START_TEST(a_chain_that_is_wrong_leads_somewhere_nevertheless)
{
	X509 *const at_root[] = {root.cert};
	struct brski_credential odd = pki_leaf("CN=Odd", "P-256", &ca);
	struct brski_credential below_leaf = pki_leaf("CN=Below", "P-256", &leaf);
	struct brski_credential old = pki_make(
		&(struct pki_spec){.subject = "CN=Old", .not_before = now - 9 * DAY, .not_after = now - DAY},
		&ca);
	STACK_OF(X509_CRL) *crls = crls_of(&root, NULL);
	struct brski_path path;

	add_extension(odd.cert, "1.3.6.1.4.1.32473.1", true, brski_span("\x05\x00", 2));
	sign_anew(&odd, ca.key, EVP_sha256());
	EXPECT_WHY(BRSKI_UNSUPPORTED, "CN=Odd", follow(&odd, at_root, 1, NULL, &path));
	ck_assert(path.leads && path.distance == 2);
	sign_anew(&odd, stranger.key, EVP_sha256());
	EXPECT_WHY(BRSKI_UNTRUSTED, "signature", follow(&odd, at_root, 1, NULL, &path));
	ck_assert(!path.leads);
	EXPECT_WHY(BRSKI_REFUSED, "CN=Gadget", follow(&below_leaf, at_root, 1, NULL, &path));
	ck_assert(path.leads);
	EXPECT_WHY(BRSKI_EXPIRED, "CN=Old", follow(&old, at_root, 1, NULL, &path));
	ck_assert(path.leads);
	EXPECT_WHY(BRSKI_REFUSED, "no CRL of its issuer", follow(&leaf, at_root, 1, crls, &path));
	ck_assert(path.leads);
	ck_assert_ptr_nonnull(strstr(err.why, "CN=Issuer"));
	sk_X509_CRL_pop_free(crls, X509_CRL_free);
	pki_free(&old);
	pki_free(&below_leaf);
	pki_free(&odd);
}
END_TEST

/* RFC 5280 6.1.1 d: an anchor is a name and a key */
START_TEST(an_anchor_is_a_name_and_a_key)
{
	struct brski_credential renewed =
		pki_make(&(struct pki_spec){.subject = "CN=Root", .ca = true, .key = root.key}, NULL);
	struct brski_credential crossed =
		pki_make(&(struct pki_spec){.subject = "CN=Root", .ca = true, .key = root.key}, &stranger);
	struct brski_credential namesake = pki_root("CN=Root");
	struct brski_credential renamed =
		pki_make(&(struct pki_spec){.subject = "CN=Root 2", .ca = true, .key = root.key}, NULL);

	ck_assert(brski_cert_same_anchor(root.cert, root.cert));
	ck_assert(brski_cert_same_anchor(root.cert, renewed.cert));
	ck_assert(brski_cert_same_anchor(root.cert, crossed.cert));
	ck_assert(!brski_cert_same_anchor(root.cert, namesake.cert));
	ck_assert(!brski_cert_same_anchor(root.cert, renamed.cert));
	ck_assert(!brski_cert_same_anchor(root.cert, NULL));
	ck_assert(brski_cert_can_be_anchor(root.cert));
	ck_assert(brski_cert_can_be_anchor(ca.cert));
	ck_assert(!brski_cert_can_be_anchor(leaf.cert));
	pki_free(&renamed);
	pki_free(&namesake);
	pki_free(&crossed);
	pki_free(&renewed);
}
END_TEST

START_TEST(endless_chains)
{
	STACK_OF(X509) *certs = pki_certs(&leaf, NULL), *anchors = pki_certs(&root, NULL);

	while (sk_X509_num(certs) <= 32)
		X509_add_cert(certs, ca.cert, X509_ADD_FLAG_UP_REF);
	EXPECT_WHY(BRSKI_UNTRUSTED, "33 certificates",
		brski_chain_verify(certs, anchors, NULL, BRSKI_USE_ANY, now, &err));
	X509_free(sk_X509_pop(certs));
	EXPECT(BRSKI_OK, brski_chain_verify(certs, anchors, NULL, BRSKI_USE_ANY, now, &err));
	pki_free_certs(certs);
	pki_free_certs(anchors);
}
END_TEST

START_TEST(names_of_devices)
{
	static const struct {
		const char *subject, *serial, *want;
	} cases[] = {
		{"CN=x,serialNumber=S-1", NULL, "serialNumber=S-1,CN=x"},
		{"CN=x,serialNumber=S-1", "HW-9", "serialNumber=S-1,CN=x"},
		{"CN=Acme Sensor,O=Acme", "HW-9", "serialNumber=HW-9,O=Acme,CN=Acme Sensor"},
		{"", "HW-9", "serialNumber=HW-9"},
		{"CN=x", "a_b@c #1", "serialNumber=a_b@c #1,CN=x"},
		{"CN=x", "\x01\x02", "serialNumber=0102,CN=x"},
		{"CN=x", "1234567890123456789012345678901234567890123456789012345678901234",
			"serialNumber=1234567890123456789012345678901234567890123456789012345678901234,"
			"CN=x"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pki_spec spec = {.subject = cases[i].subject};
		struct brski_credential dev;
		X509_NAME *name;
		char text[200];

		if (cases[i].serial) {
			spec.hw_type = "1.3.6.1.4.1.32473.2";
			spec.hw_serial = brski_span_str(cases[i].serial);
		}
		dev = pki_make(&spec, &ca);
		EXPECT(BRSKI_OK, brski_cert_device_name(dev.cert, &name, &err));
		brski_name_text(name, text, sizeof(text));
		ck_assert_msg(strcmp(text, cases[i].want) == 0, "%s", text);
		X509_NAME_free(name);
		pki_free(&dev);
	}
	EXPECT(BRSKI_NOT_FOUND, brski_cert_device_name(leaf.cert, &(X509_NAME *){NULL}, &err));
}
END_TEST

START_TEST(serial_number_of_the_subject)
{
	struct brski_credential dev = pki_make(&(struct pki_spec){.subject = "CN=x,serialNumber=S-1",
						       .hw_type = "1.3.6.1.4.1.32473.2",
						       .hw_serial = brski_span_str("HW-9")},
		&ca);
	struct brski_credential twice = pki_leaf("serialNumber=S-1,serialNumber=S-2", "P-256", &ca);
	struct brski_credential odd = pki_leaf("CN=x", "P-256", &ca);
	char out[BRSKI_SERIAL_MAX];

	EXPECT(BRSKI_OK, brski_cert_serial_number(dev.cert, out, &err));
	ck_assert_str_eq(out, "S-1");
	EXPECT_WHY(BRSKI_MALFORMED, "several", brski_cert_serial_number(twice.cert, out, &err));
	ck_assert_str_eq(out, "");
	ck_assert_int_eq(X509_NAME_add_entry_by_NID(X509_get_subject_name(odd.cert), NID_serialNumber,
				 V_ASN1_UTF8STRING, (const unsigned char *)"S\xc3\xbc", 3, -1, 0),
		1);
	EXPECT_WHY(BRSKI_MALFORMED, "printable", brski_cert_serial_number(odd.cert, out, &err));
	EXPECT(BRSKI_NOT_FOUND, brski_cert_serial_number(leaf.cert, out, &err));
	pki_free(&odd);
	pki_free(&twice);
	pki_free(&dev);
}
END_TEST

/* RFC 8995 2.3.1 leaves other fields to the registrar; RFC 4108 5 has the one that IEEE 802.1AR names */
START_TEST(serial_number_of_the_hardware_module)
{
	static const struct {
		struct brski_span serial;
		const char *want;
	} cases[] = {
		{{(const uint8_t *)"HW-9", 4}, "HW-9"},
		{{(const uint8_t *)"\x00\x01\xfe", 3}, "0001fe"},
		{{(const uint8_t *)"tab\t", 4}, "74616209"},
	};
	char out[BRSKI_SERIAL_MAX], type[BRSKI_OID_TEXT_MAX];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct brski_credential dev = pki_make(&(struct pki_spec){.subject = "CN=x",
							       .hw_type = "1.3.6.1.4.1.32473.2",
							       .hw_serial = cases[i].serial},
			&ca);

		EXPECT(BRSKI_OK, brski_cert_serial_number(dev.cert, out, &err));
		ck_assert_str_eq(out, cases[i].want);
		EXPECT(BRSKI_OK, brski_cert_hardware_type(dev.cert, type, &err));
		ck_assert_str_eq(type, "1.3.6.1.4.1.32473.2");
		pki_free(&dev);
	}
	EXPECT(BRSKI_NOT_FOUND, brski_cert_hardware_type(ca.cert, type, &err));
	ck_assert_str_eq(type, "");
	struct brski_credential empty =
		pki_make(&(struct pki_spec){.subject = "CN=x", .hw_type = "1.3.6.1.4.1.32473.2"}, &ca);
	EXPECT(BRSKI_MALFORMED, brski_cert_serial_number(empty.cert, out, &err));
	pki_free(&empty);
	uint8_t big[64] = {0};
	struct brski_credential large = pki_make(&(struct pki_spec){.subject = "CN=x",
							 .hw_type = "1.3.6.1.4.1.32473.2",
							 .hw_serial = brski_span(big, sizeof(big))},
		&ca);
	EXPECT(BRSKI_TOO_LARGE, brski_cert_serial_number(large.cert, out, &err));
	pki_free(&large);
}
END_TEST

START_TEST(masa_url)
{
	static const struct {
		const char *in, *out;
		enum brski_code want;
	} cases[] = {
		{"masa.example", "https://masa.example", BRSKI_OK},
		{"masa.example:9443", "https://masa.example:9443", BRSKI_OK},
		{"https://masa.example/x", "https://masa.example/x", BRSKI_OK},
		{"HTTPS://masa.example", "https://masa.example", BRSKI_OK},
		{"masa.example/x", "https://masa.example/x", BRSKI_OK},
		{"[2001:db8::1]:9443", "https://[2001:db8::1]:9443", BRSKI_OK},
		{"masa.example:99999", "", BRSKI_MALFORMED},
		{":9443", "", BRSKI_MALFORMED},
		{"https://", "", BRSKI_MALFORMED},
		{"me@masa.example", "", BRSKI_MALFORMED},
		{"masa.example?x", "", BRSKI_MALFORMED},
		{"https://masa.example/x#y", "", BRSKI_MALFORMED},
		{"http://masa.example", "", BRSKI_UNSUPPORTED},
		{"file:///etc/passwd", "", BRSKI_UNSUPPORTED},
		{"masa.example/ HTTP/1.1", "", BRSKI_MALFORMED},
		{"masa.example\r\nHost: evil", "", BRSKI_MALFORMED},
		{"masa<example>", "", BRSKI_MALFORMED},
		{"", "", BRSKI_MALFORMED},
	};
	char out[BRSKI_URL_MAX];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct brski_credential dev =
			pki_make(&(struct pki_spec){.subject = "CN=x", .masa_url = cases[i].in}, &ca);

		EXPECT(cases[i].want, brski_cert_masa_url(dev.cert, out, &err));
		ck_assert_str_eq(out, cases[i].out);
		pki_free(&dev);
	}
	EXPECT_WHY(BRSKI_NOT_FOUND, "MASA URL", brski_cert_masa_url(leaf.cert, out, &err));
}
END_TEST

START_TEST(masa_url_in_odd_der)
{
	static const struct brski_span odd[] = {
		{(const uint8_t *)"\x0c\x01m", 3},     /* UTF8String */
		{(const uint8_t *)"\x16\x01m\x00", 4}, /* octets after the end */
		{(const uint8_t *)"\x16\x02m", 3},     /* cut */
		{(const uint8_t *)"", 0},
	};
	char out[BRSKI_URL_MAX];
	uint8_t large[600];

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		struct brski_credential dev = pki_leaf("CN=x", "P-256", &ca);

		add_extension(dev.cert, MASA_URL_OID, false, odd[i]);
		EXPECT(BRSKI_MALFORMED, brski_cert_masa_url(dev.cert, out, &err));
		pki_free(&dev);
	}
	struct brski_credential dev =
		pki_make(&(struct pki_spec){.subject = "CN=x", .masa_url = "masa.example"}, &ca);
	add_extension(dev.cert, MASA_URL_OID, false, brski_span("\x16\x01m", 3));
	EXPECT_WHY(BRSKI_MALFORMED, "two", brski_cert_masa_url(dev.cert, out, &err));
	pki_free(&dev);
	memset(large, 'm', sizeof(large));
	memcpy(large, "\x16\x82\x02\x54", 4); /* 596 */
	dev = pki_leaf("CN=x", "P-256", &ca);
	add_extension(dev.cert, MASA_URL_OID, false, brski_span(large, sizeof(large)));
	EXPECT(BRSKI_MALFORMED, brski_cert_masa_url(dev.cert, out, &err));
	pki_free(&dev);
}
END_TEST

/* RFC 8366 5.3 with erratum 7263: the extension's whole value, SEQUENCE and tag included */
START_TEST(authority_key_id_is_the_whole_value)
{
	struct brski_buf out = {0};
	struct brski_credential bare = pki_make(&(struct pki_spec){.subject = "CN=x", .no_aki = true}, &ca);

	EXPECT(BRSKI_OK, brski_cert_authority_key_id(leaf.cert, &out, &err));
	ck_assert_uint_eq(out.len, 24);
	ck_assert_int_eq(memcmp(out.data, "\x30\x16\x80\x14", 4), 0);
	ck_assert_int_eq(memcmp(out.data + 4, X509_get0_subject_key_id(ca.cert)->data, 20), 0);
	EXPECT(BRSKI_NOT_FOUND, brski_cert_authority_key_id(bare.cert, &out, &err));
	ck_assert_uint_eq(out.len, 0);
	pki_free(&bare);
	brski_buf_free(&out);
}
END_TEST

START_TEST(small_questions)
{
	struct brski_credential copy;
	char print[BRSKI_FINGERPRINT_MAX], name[64], cut[6];
	uint8_t digest[32];
	char want[65];

	EXPECT(BRSKI_OK, brski_credential_copy(&copy, &leaf, &err));
	ck_assert(brski_cert_equal(leaf.cert, copy.cert));
	ck_assert(!brski_cert_equal(leaf.cert, ca.cert));
	ck_assert(!brski_cert_equal(leaf.cert, NULL));
	ck_assert(brski_cert_has_key(leaf.cert, leaf.key));
	ck_assert(!brski_cert_has_key(leaf.cert, ca.key));
	ck_assert(!brski_cert_has_key(leaf.cert, NULL));
	ck_assert(brski_cert_is_ca(ca.cert));
	ck_assert(!brski_cert_is_ca(leaf.cert));
	ck_assert_int_eq(X509_digest(leaf.cert, EVP_sha256(), digest, NULL), 1);
	brski_hex(brski_span(digest, 32), want, sizeof(want));
	brski_cert_fingerprint(leaf.cert, print);
	ck_assert_str_eq(print, want);
	brski_name_text(X509_get_subject_name(leaf.cert), name, sizeof(name));
	ck_assert_str_eq(name, "CN=Gadget");
	brski_name_text(X509_get_subject_name(leaf.cert), cut, sizeof(cut));
	ck_assert_str_eq(cut, "CN=Ga");
	brski_name_text(NULL, name, sizeof(name));
	ck_assert_str_eq(name, "");
	brski_credential_free(&copy);
}
END_TEST

START_TEST(names_are_made_printable)
{
	struct brski_credential odd = pki_leaf("CN=a\x1b[2Jb\xc3\xbc", "P-256", &ca);
	char name[64];

	brski_name_text(X509_get_subject_name(odd.cert), name, sizeof(name));
	for (const char *c = name; *c != '\0'; c++)
		ck_assert(*c >= 0x20 && *c <= 0x7e);
	pki_free(&odd);
}
END_TEST

static X509_NAME *name_of(const char *serial, int type, int set)
{
	X509_NAME *made = X509_NAME_new();

	ck_assert_int_eq(X509_NAME_add_entry_by_txt(
				 made, "CN", MBSTRING_UTF8, (const unsigned char *)"Gadget", -1, -1, 0),
		1);
	ck_assert_int_eq(X509_NAME_add_entry_by_txt(
				 made, "serialNumber", type, (const unsigned char *)serial, -1, -1, set),
		1);
	return made;
}

/* One identity, one equality. */
START_TEST(names_are_equal_to_the_letter)
{
	static const struct {
		const char *serial;
		int type, set;
		bool equal, same_serial;
	} cases[] = {
		{"SN-0001", MBSTRING_UTF8, 0, true, true},
		{"SN-0001", V_ASN1_UTF8STRING, 0, true, true}, /* how a CA encodes it is up to the CA */
		{"sn-0001", MBSTRING_UTF8, 0, false, false},
		{" SN-0001", MBSTRING_UTF8, 0, false, false},
		{"SN-0001 ", MBSTRING_UTF8, 0, false, false},
		{"SN-0001", MBSTRING_UTF8, -1, false, true}, /* another grouping */
		{"SN-00011", MBSTRING_UTF8, 0, false, false},
	};
	X509_NAME *one = name_of("SN-0001", V_ASN1_PRINTABLESTRING, 0), *twice = X509_NAME_dup(one);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		X509_NAME *other = name_of(cases[i].serial, cases[i].type, cases[i].set);

		ck_assert_msg(brski_name_equal(one, other) == cases[i].equal, "case %zu", i);
		ck_assert_msg(brski_name_equal(other, one) == cases[i].equal, "case %zu", i);
		ck_assert_msg(brski_name_same_serial(one, other) == cases[i].same_serial, "case %zu", i);
		X509_NAME_free(other);
	}
	ck_assert_int_eq(X509_NAME_add_entry_by_txt(twice, "serialNumber", MBSTRING_ASC,
				 (const unsigned char *)"SN-0002", -1, -1, 0),
		1);
	ck_assert(!brski_name_equal(one, twice));
	ck_assert(!brski_name_same_serial(one, twice));
	ck_assert(!brski_name_equal(one, NULL));
	ck_assert(!brski_name_equal(NULL, NULL));
	X509_NAME_free(one);
	X509_NAME_free(twice);
}
END_TEST

/* Certificates that two device makers really ship. */
START_TEST(real_idevids)
{
	X509 *cisco = file_cert("tests/vectors/idevid/cisco-sudi.pem");
	X509 *huawei = file_cert("tests/vectors/idevid/huawei-iak.pem");
	struct brski_buf akid = {0};
	char serial[BRSKI_SERIAL_MAX], url[BRSKI_URL_MAX];

	EXPECT(BRSKI_OK, brski_cert_serial_number(cisco, serial, &err));
	ck_assert_str_eq(serial, "PID:C9500-16X SN:FCW2117A56M");
	EXPECT(BRSKI_NOT_FOUND, brski_cert_serial_number(huawei, serial, &err));
	EXPECT(BRSKI_NOT_FOUND, brski_cert_masa_url(cisco, url, &err));
	EXPECT(BRSKI_NOT_FOUND, brski_cert_masa_url(huawei, url, &err));
	EXPECT(BRSKI_NOT_FOUND, brski_cert_authority_key_id(cisco, &akid, &err));
	EXPECT(BRSKI_OK, brski_cert_authority_key_id(huawei, &akid, &err));
	ck_assert_uint_eq(akid.len, 24);
	ck_assert_int_eq(memcmp(akid.data + 4, "\x73\x9f\xc7\x5f", 4), 0);
	EXPECT(BRSKI_OK, brski_cert_dates(cisco, 1600000000, &err));
	EXPECT(BRSKI_EXPIRED, brski_cert_dates(huawei, 1610000000, &err));
	brski_buf_free(&akid);
	X509_free(cisco);
	X509_free(huawei);
}
END_TEST

/* What a damaged certificate says is not believed; but it is read, before its chain is verified. */
static void read_damaged(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	char serial[BRSKI_SERIAL_MAX], url[BRSKI_URL_MAX], name[64], print[BRSKI_FINGERPRINT_MAX];
	struct brski_buf akid = {0};
	X509 *cert;

	(void)how;
	if (brski_cert_from_der(damaged, &cert, NULL) != BRSKI_OK)
		return;
	if (brski_cert_serial_number(cert, serial, &err) == BRSKI_OK)
		ck_assert_uint_gt(strlen(serial), 0);
	if (brski_cert_masa_url(cert, url, &err) == BRSKI_OK)
		ck_assert_int_eq(strncasecmp(url, "https://", 8), 0);
	if (brski_cert_authority_key_id(cert, &akid, &err) == BRSKI_OK)
		ck_assert_uint_gt(akid.len, 0);
	(void)brski_cert_is_ca(cert);
	if (brski_cert_dates(cert, now, &err) != BRSKI_OK)
		ck_assert_uint_gt(strlen(err.why), 0);
	brski_cert_fingerprint(cert, print);
	brski_name_text(X509_get_subject_name(cert), name, sizeof(name));
	ck_assert(brski_cert_equal(cert, ctx) || X509_verify(cert, ca.key) != 1);
	ERR_clear_error();
	brski_buf_free(&akid);
	X509_free(cert);
}

START_TEST(damaged_certificates_are_read_with_care)
{
	struct brski_credential dev = pki_make(&(struct pki_spec){.subject = "CN=x",
						       .hw_type = "1.3.6.1.4.1.32473.2",
						       .hw_serial = brski_span_str("HW-9"),
						       .masa_url = "masa.example"},
		&ca);
	struct brski_buf der = {0};

	EXPECT(BRSKI_OK, brski_cert_to_der(dev.cert, &der, &err));
	mutate_octets(brski_buf_span(&der), read_damaged, dev.cert);
	brski_buf_free(&der);
	pki_free(&dev);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {chain_leads_to_any_anchor_on_its_way, chain_to_nowhere,
		impostor_of_an_issuer, a_renewed_anchor_is_the_same, made_a_moment_ahead_of_our_clock,
		dates_of_each_step_count, dates_of_one_certificate, revoked_leaf_and_revoked_issuer,
		crl_must_be_the_issuers_own_and_fresh, registrar_has_its_extended_key_usage,
		weak_keys_and_digests, issuers_must_be_authorities, unknown_critical_extension,
		a_chain_is_followed_to_the_nearest_anchor, a_chain_that_is_wrong_leads_somewhere_nevertheless,
		an_anchor_is_a_name_and_a_key, endless_chains, names_of_devices, serial_number_of_the_subject,
		serial_number_of_the_hardware_module, masa_url, masa_url_in_odd_der,
		authority_key_id_is_the_whole_value, small_questions, names_are_made_printable,
		names_are_equal_to_the_letter, real_idevids, damaged_certificates_are_read_with_care};

	return run_tests("cert", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
