/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <check.h>
#include <openssl/crmf.h>
#include <openssl/x509v3.h>

#include "tests/unit/support/cmp_world.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/visit.h"

/*
 * What a registrar forwards it vouches for, RFC 9483 5.1 and 5.2: what it does not understand, powers
 * over others, and profiles that nobody has allowed stay here, in whichever form they are asked for.
 */

static struct site site;
static struct visit v;
static struct brski_error err;

static void setup(void)
{
	site_open(&site, "P-256");
	visit_open(&v, &site);
	ck_assert_uint_eq(visit_voucher(&v), 200);
}

static void teardown(void)
{
	visit_close(&v);
	site_close(&site);
}

/* ---- Requests ---- */

#define ATTRIBUTES_MAX 2
#define VALUES_MAX 2
#define EXTENSIONS_MAX 3

/* Names and values in OpenSSL's text, up to the first NULL. */
struct extensions {
	const char *text[EXTENSIONS_MAX][2];
};

struct asked {
	struct extensions extensions; /* in the template, or in the usual attribute */
	/* PKCS #10 */
	bool pkcs10;
	struct {
		int nid;
		struct extensions values[VALUES_MAX];
	} attributes[ATTRIBUTES_MAX];
	bool challenge, no_list;
	/* CRMF */
	bool validity, controls, reg_info;
	/* generalInfo */
	const char *profiles[2]; /* as many elements */
	const char *info;        /* the OID of one without value */
	bool two_names, implicit_twice;
};

static STACK_OF(X509_EXTENSION) *made_of(const struct extensions *extensions)
{
	STACK_OF(X509_EXTENSION) *made = NULL;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, NULL, NULL, NULL, NULL, 0);
	X509V3_set_ctx_nodb(&ctx);
	for (size_t i = 0; i < EXTENSIONS_MAX && extensions->text[i][0]; i++) {
		X509_EXTENSION *one = X509V3_EXT_conf(NULL, &ctx, (char *)(uintptr_t)extensions->text[i][0],
			(char *)(uintptr_t)extensions->text[i][1]);

		ck_assert_msg(X509v3_add_ext(&made, one, -1) != NULL, "%s", extensions->text[i][0]);
		X509_EXTENSION_free(one);
	}
	return made;
}

static ASN1_STRING *sequence_of(const struct extensions *extensions)
{
	STACK_OF(X509_EXTENSION) *made = made_of(extensions);
	ASN1_STRING *out = ASN1_STRING_type_new(V_ASN1_SEQUENCE);
	struct brski_buf der = {0};

	EXPECT(BRSKI_OK, brski_asn1_write(made, ASN1_ITEM_rptr(X509_EXTENSIONS), &der, &err));
	ck_assert_int_eq(ASN1_STRING_set(out, der.data, (int)der.len), 1);
	brski_buf_free(&der);
	sk_X509_EXTENSION_pop_free(made, X509_EXTENSION_free);
	return out;
}

static void put_der(struct brski_buf *out, const void *value, const ASN1_ITEM *item)
{
	EXPECT(BRSKI_OK, brski_asn1_write(value, item, out, &err));
}

/* Takes attribute. */
static void put_attribute(struct brski_buf *out, X509_ATTRIBUTE *attribute)
{
	ck_assert_ptr_nonnull(attribute);
	put_der(out, attribute, ASN1_ITEM_rptr(X509_ATTRIBUTE));
	X509_ATTRIBUTE_free(attribute);
}

static void put_extensions(struct brski_buf *out, int nid, const struct extensions values[VALUES_MAX])
{
	X509_ATTRIBUTE *attribute = X509_ATTRIBUTE_create(nid, V_ASN1_SEQUENCE, sequence_of(&values[0]));

	if (values[1].text[0][0]) {
		ASN1_STRING *second = sequence_of(&values[1]);

		ck_assert_int_eq(
			X509_ATTRIBUTE_set1_data(attribute, V_ASN1_SEQUENCE, second->data, second->length),
			1);
		ASN1_STRING_free(second);
	}
	put_attribute(out, attribute);
}

/* In the order of DER, so that their number is all that is wrong. */
static void put_attributes(struct brski_buf *out, const struct asked *asked)
{
	static const unsigned char text[] = "secret";
	struct brski_buf one[ATTRIBUTES_MAX] = {0};
	bool swapped;

	if (asked->extensions.text[0][0])
		put_extensions(out, NID_ext_req, (struct extensions[VALUES_MAX]){asked->extensions});
	if (asked->challenge)
		put_attribute(out, X509_ATTRIBUTE_create_by_NID(
					   NULL, NID_pkcs9_challengePassword, MBSTRING_ASC, text, -1));
	if (asked->no_list)
		put_attribute(
			out, X509_ATTRIBUTE_create_by_NID(NULL, NID_ext_req, V_ASN1_OCTET_STRING, text, 6));
	for (size_t i = 0; i < ATTRIBUTES_MAX && asked->attributes[i].nid; i++)
		put_extensions(&one[i], asked->attributes[i].nid, asked->attributes[i].values);
	swapped = one[1].len > 0 && memcmp(one[0].data, one[1].data, 2) > 0;
	brski_put(out, brski_buf_span(&one[swapped ? 1 : 0]));
	brski_put(out, brski_buf_span(&one[swapped ? 0 : 1]));
	for (size_t i = 0; i < ATTRIBUTES_MAX; i++)
		brski_buf_free(&one[i]);
}

/* CertificationRequestInfo, RFC 2986 4.1; OpenSSL puts no attribute there twice. */
static struct brski_buf request_info(const struct asked *asked, const X509_NAME *subject)
{
	static const uint8_t version[] = {V_ASN1_INTEGER, 1, 0};
	struct brski_buf content = {0}, attributes = {0}, out = {0};
	X509_PUBKEY *key = NULL;

	ck_assert_int_eq(X509_PUBKEY_set(&key, v.key), 1);
	brski_put(&content, brski_span(version, sizeof(version)));
	put_der(&content, subject, ASN1_ITEM_rptr(X509_NAME));
	put_der(&content, key, ASN1_ITEM_rptr(X509_PUBKEY));
	put_attributes(&attributes, asked);
	brski_asn1_wrap(&content, 0, V_ASN1_CONTEXT_SPECIFIC, brski_buf_span(&attributes));
	brski_asn1_wrap(&out, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, brski_buf_span(&content));
	X509_PUBKEY_free(key);
	brski_buf_free(&attributes);
	brski_buf_free(&content);
	return out;
}

static struct brski_buf pkcs10(const struct asked *asked, const X509_NAME *subject)
{
	struct brski_buf content = request_info(asked, subject), out = {0};
	ASN1_TYPE *info = brski_asn1_any(brski_buf_span(&content));
	X509_ALGOR *alg = X509_ALGOR_new();
	ASN1_BIT_STRING *signature = ASN1_BIT_STRING_new();

	ck_assert_int_gt(
		ASN1_item_sign(ASN1_ITEM_rptr(ASN1_ANY), alg, NULL, signature, info, v.key, EVP_sha256()), 0);
	put_der(&content, alg, ASN1_ITEM_rptr(X509_ALGOR));
	put_der(&content, signature, ASN1_ITEM_rptr(ASN1_BIT_STRING));
	brski_asn1_wrap(&out, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, brski_buf_span(&content));
	ASN1_TYPE_free(info);
	X509_ALGOR_free(alg);
	ASN1_BIT_STRING_free(signature);
	brski_buf_free(&content);
	return out;
}

static void add_to_crmf(OSSL_CRMF_MSG *msg, const struct asked *asked)
{
	ASN1_UTF8STRING *text = ASN1_UTF8STRING_new();

	ck_assert_int_eq(ASN1_STRING_set(text, "a%b", -1), 1);
	if (asked->validity)
		ck_assert_int_eq(OSSL_CRMF_MSG_set0_validity(
					 msg, ASN1_TIME_set(NULL, 1000), ASN1_TIME_set(NULL, 2000000000)),
			1);
	if (asked->controls)
		ck_assert_int_eq(OSSL_CRMF_MSG_set1_regCtrl_regToken(msg, text), 1);
	if (asked->reg_info)
		ck_assert_int_eq(OSSL_CRMF_MSG_set1_regInfo_utf8Pairs(msg, text), 1);
	ASN1_UTF8STRING_free(text);
}

static struct brski_buf crmf(const struct asked *asked, const X509_NAME *subject)
{
	OSSL_CRMF_MSGS *msgs = sk_OSSL_CRMF_MSG_new_null();
	OSSL_CRMF_MSG *msg = OSSL_CRMF_MSG_new();
	struct brski_buf der = {0};

	ck_assert_int_eq(OSSL_CRMF_MSG_set_certReqId(msg, 0), 1);
	ck_assert_int_eq(
		OSSL_CRMF_CERTTEMPLATE_fill(OSSL_CRMF_MSG_get0_tmpl(msg), v.key, subject, NULL, NULL), 1);
	if (asked->extensions.text[0][0])
		ck_assert_int_eq(OSSL_CRMF_MSG_set0_extensions(msg, made_of(&asked->extensions)), 1);
	add_to_crmf(msg, asked);
	ck_assert_int_eq(
		OSSL_CRMF_MSG_create_popo(OSSL_CRMF_POPO_SIGNATURE, msg, v.key, EVP_sha256(), NULL, NULL), 1);
	sk_OSSL_CRMF_MSG_push(msgs, msg);
	EXPECT(BRSKI_OK, brski_asn1_write(msgs, ASN1_ITEM_rptr(OSSL_CRMF_MSGS), &der, &err));
	OSSL_CRMF_MSGS_free(msgs);
	return der;
}

/* ---- generalInfo ---- */

static void add_info(BRSKI_PKIHEADER *header, const char *oid, struct brski_span value)
{
	BRSKI_INFO *info = BRSKI_INFO_new();

	ASN1_OBJECT_free(info->type);
	info->type = OBJ_txt2obj(oid, 1);
	info->value = value.len > 0 ? brski_asn1_any(value) : NULL;
	if (!header->general_info)
		header->general_info = sk_BRSKI_INFO_new_null();
	ck_assert_int_gt(sk_BRSKI_INFO_push(header->general_info, info), 0);
}

static void add_profile(BRSKI_PKIHEADER *header, const char *name, bool twice)
{
	BRSKI_FREETEXT *names = sk_ASN1_UTF8STRING_new_null();
	struct brski_buf der = {0};

	for (int i = 0; i < (twice ? 2 : 1); i++) {
		ASN1_UTF8STRING *one = ASN1_UTF8STRING_new();

		ck_assert_int_eq(ASN1_STRING_set(one, name, -1), 1);
		sk_ASN1_UTF8STRING_push(names, one);
	}
	EXPECT(BRSKI_OK, brski_asn1_write(names, ASN1_ITEM_rptr(BRSKI_FREETEXT), &der, &err));
	add_info(header, BRSKI_OID_CERT_PROFILE, brski_buf_span(&der));
	BRSKI_FREETEXT_free(names);
	brski_buf_free(&der);
}

static void add_infos(BRSKI_PKIHEADER *header, const struct asked *asked)
{
	static const uint8_t null[] = {V_ASN1_NULL, 0};

	for (size_t i = 0; i < 2 && asked->profiles[i]; i++)
		add_profile(header, asked->profiles[i], asked->two_names);
	for (int i = 0; asked->implicit_twice && i < 2; i++)
		add_info(header, BRSKI_OID_CONFIRM_IMPLICIT, brski_span(null, sizeof(null)));
	if (asked->info)
		add_info(header, asked->info, (struct brski_span){0});
}

/* v.request once more, with what is asked for in its header. */
static void put_infos(const struct asked *asked)
{
	struct brski_cmp msg = cmp_decode(&v.request);
	BRSKI_PKIHEADER *header =
		brski_asn1_read(msg.header_der, ASN1_ITEM_rptr(BRSKI_PKIHEADER), "header", &err);
	struct brski_buf der = {0};

	ck_assert_ptr_nonnull(header);
	add_infos(header, asked);
	EXPECT(BRSKI_OK, brski_asn1_write(header, ASN1_ITEM_rptr(BRSKI_PKIHEADER), &der, &err));
	msg.header_der = brski_buf_span(&der);
	brski_buf_reset(&msg.protection);
	EXPECT(BRSKI_OK,
		brski_cmp_sign(msg.header_der, msg.body_der, site.idevid.key, &msg.protection, &err));
	EXPECT(BRSKI_OK, brski_cmp_encode(&msg, &v.request, &err));
	BRSKI_PKIHEADER_free(header);
	brski_buf_free(&der);
	brski_cmp_free(&msg);
}

/* ---- A visit ---- */

static void set_content(struct brski_cmp_draft *draft, void *ctx)
{
	draft->content = brski_buf_span(ctx);
}

static void ask(const struct asked *asked)
{
	const X509_NAME *subject = X509_get_subject_name(site.idevid.cert);
	struct brski_buf content, made;

	visit_again(&v);
	visit_make_enroll(&v, &site.idevid, asked->pkcs10);
	content = asked->pkcs10 ? pkcs10(asked, subject) : crmf(asked, subject);
	made = cmp_redo(&v.request, &site.idevid, set_content, &content);
	brski_buf_move(&v.request, &made);
	brski_buf_free(&content);
	put_infos(asked);
	ck_assert_uint_eq(visit_cmp(&v, asked->pkcs10 ? PATH_PKCS10 : PATH_INITIALIZATION), 200);
}

static void refused(const struct asked *asked, enum brski_cmp_fail fail, const char *why)
{
	unsigned calls = site.n_ca_calls;

	ask(asked);
	ck_assert_msg(
		visit_reason(&v, why), "\"%s\" lacks \"%s\"", brski_registrar_session_reason(v.session), why);
	ck_assert_msg(v.cmp.fail == fail, "%s: %s", why, brski_cmp_fail_name(v.cmp.fail));
	ck_assert_int_eq(v.cmp.status, BRSKI_CMP_REJECTION);
	ck_assert_int_eq(v.judged, BRSKI_OK); /* signed by the registrar */
	ck_assert_uint_eq(site.n_ca_calls, calls);
}

static void forwarded(const struct asked *asked)
{
	ask(asked);
	ck_assert_msg(v.cmp.status == BRSKI_CMP_ACCEPTED, "%s", brski_registrar_session_reason(v.session));
	ck_assert_ptr_nonnull(v.cmp.cert);
}

#define ONE(name, value) \
	{ \
		.text = { {name, value} } \
	}

/* ---- Extensions, in both forms ---- */

START_TEST(extensions_in_both_forms)
{
	static const struct {
		struct extensions extensions;
		enum brski_cmp_fail fail; /* NONE: forwarded */
		const char *why;
	} cases[] = {
		{ONE("basicConstraints", "critical,CA:TRUE"), BRSKI_CMP_NOT_AUTHORIZED, "Basic Constraints"},
		{ONE("keyUsage", "digitalSignature,keyCertSign"), BRSKI_CMP_NOT_AUTHORIZED, "Key Usage"},
		{ONE("extendedKeyUsage", "clientAuth,serverAuth"), BRSKI_CMP_NOT_AUTHORIZED, "Extended Key"},
		{ONE("extendedKeyUsage", "anyExtendedKeyUsage"), BRSKI_CMP_NOT_AUTHORIZED, "Extended Key"},
		{ONE("extendedKeyUsage", "clientAuth,cmcRA"), BRSKI_CMP_NOT_AUTHORIZED, "Extended Key"},
		{ONE("extendedKeyUsage", "codeSigning"), BRSKI_CMP_NOT_AUTHORIZED, "Extended Key"},
		{ONE("extendedKeyUsage", "1.3.6.1.4.1.32473.7"), BRSKI_CMP_NOT_AUTHORIZED, "Extended Key"},
		{ONE("nameConstraints", "permitted;DNS:example"), BRSKI_CMP_BAD_CERT_TEMPLATE,
			"not understood"},
		{ONE("certificatePolicies", "DER:3007300506032A0304"), BRSKI_CMP_BAD_CERT_TEMPLATE,
			"not understood"},
		{ONE("1.3.6.1.4.1.32473.8", "DER:0500"), BRSKI_CMP_BAD_CERT_TEMPLATE, "32473.8"},
		{ONE("subjectAltName", "DER:0500"), BRSKI_CMP_NOT_AUTHORIZED, "Alternative Name"},
		{{.text = {{"extendedKeyUsage", "clientAuth"}, {"extendedKeyUsage", "cmcRA"}}},
			BRSKI_CMP_BAD_CERT_TEMPLATE, "twice"},
		{{.text = {{"extendedKeyUsage", "clientAuth"}, {"keyUsage", "digitalSignature"},
			  {"basicConstraints", "CA:FALSE"}}},
			BRSKI_CMP_FAIL_NONE, NULL},
		{{.text = {{"subjectAltName", "DNS:sensor.example"}, {"keyUsage", "keyAgreement"},
			  {"subjectKeyIdentifier", "DER:0403010203"}}},
			BRSKI_CMP_FAIL_NONE, NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int form = 0; form < 2; form++) {
			const struct asked asked = {.extensions = cases[i].extensions, .pkcs10 = form == 1};

			if (cases[i].why)
				refused(&asked, cases[i].fail, cases[i].why);
			else
				forwarded(&asked);
		}
	}
}
END_TEST

/* ---- PKCS #10: what one reader finds, another must find too ---- */

#define LOGIN ONE("extendedKeyUsage", "clientAuth")
/* longer, so that a reader of the first alone does not see it */
#define POWER ONE("extendedKeyUsage", "cmcRA,cmcCA,serverAuth")

START_TEST(pkcs10_says_it_once)
{
	const struct asked two_attributes = {.pkcs10 = true,
				   .attributes = {{NID_ext_req, {LOGIN}}, {NID_ext_req, {POWER}}}},
			   two_values = {.pkcs10 = true, .attributes = {{NID_ext_req, {LOGIN, POWER}}}},
			   microsoft = {.pkcs10 = true, .attributes = {{NID_ms_ext_req, {POWER}}}},
			   both = {.pkcs10 = true,
				   .attributes = {{NID_ext_req, {LOGIN}}, {NID_ms_ext_req, {POWER}}}},
			   no_list = {.pkcs10 = true, .no_list = true},
			   challenge = {.pkcs10 = true, .challenge = true};

	refused(&two_attributes, BRSKI_CMP_BAD_CERT_TEMPLATE, "extensionRequest");
	refused(&two_values, BRSKI_CMP_BAD_CERT_TEMPLATE, "extensionRequest");
	refused(&microsoft, BRSKI_CMP_BAD_CERT_TEMPLATE, "Microsoft");
	refused(&both, BRSKI_CMP_BAD_CERT_TEMPLATE, "Microsoft");
	refused(&no_list, BRSKI_CMP_BAD_CERT_TEMPLATE, "extensionRequest");
	refused(&challenge, BRSKI_CMP_BAD_CERT_TEMPLATE, "not understood");
}
END_TEST

/* ---- CRMF: RFC 4211 ---- */

START_TEST(crmf_asks_for_nothing_besides)
{
	forwarded(&(struct asked){0});
	refused(&(struct asked){.validity = true}, BRSKI_CMP_BAD_CERT_TEMPLATE, "validity");
	refused(&(struct asked){.controls = true}, BRSKI_CMP_BAD_CERT_TEMPLATE, "controls");
	refused(&(struct asked){.reg_info = true}, BRSKI_CMP_BAD_CERT_TEMPLATE, "regInfo");
}
END_TEST

/* ---- generalInfo ---- */

START_TEST(general_info)
{
	refused(&(struct asked){.profiles = {"SubCA"}}, BRSKI_CMP_NOT_AUTHORIZED, "cmp_profiles");
	ck_assert(visit_reason(&v, "SubCA"));
	site.config.cmp_profiles = "gold, sensors SubCAs";
	site_restart(&site);
	forwarded(&(struct asked){.profiles = {"sensors"}});
	forwarded(&(struct asked){.profiles = {"gold"}, .pkcs10 = true});
	refused(&(struct asked){.profiles = {"SubCA"}}, BRSKI_CMP_NOT_AUTHORIZED, "cmp_profiles");
	refused(&(struct asked){.profiles = {"gold,"}}, BRSKI_CMP_NOT_AUTHORIZED, "cmp_profiles");
	refused(&(struct asked){.profiles = {"gold", "SubCA"}}, BRSKI_CMP_BAD_REQUEST, "generalInfo");
	refused(&(struct asked){.profiles = {"gold"}, .two_names = true}, BRSKI_CMP_BAD_REQUEST,
		"generalInfo");
	refused(&(struct asked){.profiles = {"gold\x01"}}, BRSKI_CMP_BAD_REQUEST, "generalInfo");
	refused(&(struct asked){.profiles = {"SubCA of a name that is longer than what anybody would call a "
					     "profile of theirs"}},
		BRSKI_CMP_BAD_REQUEST, "generalInfo");
	refused(&(struct asked){.info = "1.3.6.1.4.1.32473.9"}, BRSKI_CMP_BAD_REQUEST, "32473.9");
	refused(&(struct asked){.info = "1.3.6.1.5.5.7.4.15"}, BRSKI_CMP_BAD_REQUEST, "4.15");
	refused(&(struct asked){.implicit_twice = true}, BRSKI_CMP_BAD_REQUEST, "generalInfo");
}
END_TEST

static unsigned genm(const char *type, struct brski_span value)
{
	struct brski_buf content = {0}, info = {0}, made;

	visit_again(&v);
	brski_buf_free(&v.request);
	EXPECT(BRSKI_OK, brski_cmp_genm(&site.idevid, type, NULL, &v.tx, &v.request, &err));
	if (value.len > 0) {
		ASN1_OBJECT *oid = OBJ_txt2obj(type, 1);
		struct brski_buf list = {0};

		EXPECT(BRSKI_OK, brski_asn1_write(oid, ASN1_ITEM_rptr(ASN1_OBJECT), &info, &err));
		brski_put(&info, value);
		brski_asn1_wrap(&list, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, brski_buf_span(&info));
		brski_asn1_wrap(&content, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, brski_buf_span(&list));
		made = cmp_redo(&v.request, &site.idevid, set_content, &content);
		brski_buf_move(&v.request, &made);
		ASN1_OBJECT_free(oid);
		brski_buf_free(&list);
	}
	ck_assert_uint_eq(visit_cmp(&v, PATH_CA_CERTS), 200);
	brski_buf_free(&content);
	brski_buf_free(&info);
	return site.n_ca_calls;
}

/* RFC 9483 4.3: the support messages of the profile. */
START_TEST(general_messages)
{
	static const uint8_t text[] = {V_ASN1_UTF8STRING, 1, 'x'};

	site.config.answer_genm = false;
	site_restart(&site);
	ck_assert_uint_eq(genm("1.3.6.1.4.1.32473.10", (struct brski_span){0}), 0);
	ck_assert(visit_reason(&v, "32473.10"));
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_ERROR);
	ck_assert_uint_eq(genm(BRSKI_OID_CA_CERTS, brski_span(text, sizeof(text))), 0);
	ck_assert(visit_reason(&v, "4.17"));
	ck_assert_uint_eq(genm(BRSKI_OID_CA_CERTS, (struct brski_span){0}), 1);
	ck_assert_int_eq(v.cmp.type, BRSKI_CMP_GENP);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {extensions_in_both_forms, pkcs10_says_it_once,
		crmf_asks_for_nothing_besides, general_info, general_messages};

	return run_tests("registrar_asks", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
