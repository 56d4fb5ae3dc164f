/* SPDX-License-Identifier: BSD-3-Clause */
#include <openssl/crmf.h>
#include <openssl/x509v3.h>

#include "services/ca/ca.h"
#include "services/ca/ca_issue_internal.h"
#include "tests/unit/support/cmp_world.h"
#include "tests/unit/support/files.h"

/* What a device asks for beside a key and its name: what of it comes, and what the answer says of that. */

#define LIFE 30 /* days */
#define CONFIRM_WAIT 600

static struct brski_error err;
static struct cmp_world w;
static STACK_OF(X509) *makers;
static struct brski_http response;
static struct brski_cmp_response answer;
static struct brski_cmp answer_msg;
static char what[CA_WHAT_MAX];
static time_t clock_now;
static struct ca ca;

static time_t test_now(void *ctx)
{
	(void)ctx;
	return clock_now;
}

static const struct brski_env env = {.now = test_now};

static void setup(void)
{
	clock_now = time(NULL);
	w = cmp_world_new("P-256");
	makers = pki_certs(&w.maker, NULL);
	ca = (struct ca){.env = &env,
		.issuer = &w.ca,
		.cmp_signer = &w.cmp,
		.ra_anchors = w.anchors,
		.idevid_anchors = makers,
		.client_anchors = makers,
		.days = LIFE,
		.confirm_wait = CONFIRM_WAIT};
	EXPECT(BRSKI_OK, ca_store_open(":memory:", &ca.store, &err));
}

static void forget_answer(void)
{
	brski_http_free(&response);
	brski_cmp_response_free(&answer);
	brski_cmp_free(&answer_msg);
}

static void teardown(void)
{
	forget_answer();
	ca_store_close(ca.store);
	pki_free_certs(makers);
	cmp_world_free(&w);
}

/* ---- Requests ---- */

struct asked {
	const struct brski_credential *signer; /* NULL: the device */
	const char *subject;                   /* NULL: the device's; "": none */
	bool omitted;                          /* it is left out */
	const char *issuer;
	const char *extensions[4][2]; /* names and values in OpenSSL's text */
	bool validity, controls, reg_info, implicit;
	const char *profile;
	bool pkcs10, challenge;
	bool nested;
};

static X509_NAME *name_of(const char *text)
{
	X509_NAME *name = X509_NAME_new();

	if (!text || text[0] == '\0')
		return name;
	X509_NAME_free(name);
	EXPECT(BRSKI_OK, ca_name_parse(text, &name, &err));
	return name;
}

static STACK_OF(X509_EXTENSION) *extensions_of(const struct asked *asked)
{
	STACK_OF(X509_EXTENSION) *made = NULL;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, NULL, NULL, NULL, NULL, 0);
	for (size_t i = 0; i < 4 && asked->extensions[i][0]; i++) {
		X509_EXTENSION *one =
			X509V3_EXT_conf(NULL, &ctx, asked->extensions[i][0], asked->extensions[i][1]);

		ck_assert_msg(X509v3_add_ext(&made, one, -1) != NULL, "%s", asked->extensions[i][0]);
		X509_EXTENSION_free(one);
	}
	return made;
}

static struct brski_buf der_of(const void *value, const ASN1_ITEM *item)
{
	struct brski_buf der = {0};

	EXPECT(BRSKI_OK, brski_asn1_write(value, item, &der, &err));
	return der;
}

static void add_to_crmf(OSSL_CRMF_MSG *msg, const struct asked *asked)
{
	ASN1_UTF8STRING *text = ASN1_UTF8STRING_new();

	ck_assert_int_eq(ASN1_STRING_set(text, "a%b", -1), 1);
	if (asked->validity)
		ck_assert_int_eq(OSSL_CRMF_MSG_set0_validity(msg, ASN1_TIME_set(NULL, clock_now),
					 ASN1_TIME_set(NULL, clock_now + 86400)),
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
	X509_NAME *issuer = name_of(asked->issuer);
	struct brski_buf der;

	ck_assert_int_eq(OSSL_CRMF_MSG_set_certReqId(msg, 0), 1);
	ck_assert_int_eq(OSSL_CRMF_CERTTEMPLATE_fill(OSSL_CRMF_MSG_get0_tmpl(msg), w.key,
				 asked->omitted ? NULL : subject, asked->issuer ? issuer : NULL, NULL),
		1);
	if (asked->extensions[0][0])
		ck_assert_int_eq(OSSL_CRMF_MSG_set0_extensions(msg, extensions_of(asked)), 1);
	add_to_crmf(msg, asked);
	ck_assert_int_eq(
		OSSL_CRMF_MSG_create_popo(OSSL_CRMF_POPO_SIGNATURE, msg, w.key, EVP_sha256(), NULL, NULL), 1);
	sk_OSSL_CRMF_MSG_push(msgs, msg);
	der = der_of(msgs, ASN1_ITEM_rptr(OSSL_CRMF_MSGS));
	OSSL_CRMF_MSGS_free(msgs);
	X509_NAME_free(issuer);
	return der;
}

static struct brski_buf pkcs10(const struct asked *asked, const X509_NAME *subject)
{
	STACK_OF(X509_EXTENSION) *extensions = extensions_of(asked);
	X509_REQ *req = X509_REQ_new();
	struct brski_buf der;

	ck_assert_int_eq(X509_REQ_set_subject_name(req, subject), 1);
	ck_assert_int_eq(X509_REQ_set_pubkey(req, w.key), 1);
	if (extensions)
		ck_assert_int_eq(X509_REQ_add_extensions(req, extensions), 1);
	if (asked->challenge)
		ck_assert_int_eq(X509_REQ_add1_attr_by_NID(req, NID_pkcs9_challengePassword, MBSTRING_ASC,
					 (const unsigned char *)"secret", -1),
			1);
	ck_assert_int_gt(X509_REQ_sign(req, w.key, EVP_sha256()), 0);
	der = der_of(req, ASN1_ITEM_rptr(X509_REQ));
	X509_REQ_free(req);
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	return der;
}

static struct brski_buf request(const struct asked *asked)
{
	X509_NAME *subject = asked->subject ? name_of(asked->subject) : X509_NAME_dup(w.subject);
	struct brski_buf content = asked->pkcs10 ? pkcs10(asked, subject) : crmf(asked, subject);
	uint8_t ids[2 * BRSKI_CMP_ID_LEN];
	struct brski_cmp_draft draft = {.type = asked->pkcs10 ? BRSKI_CMP_P10CR : BRSKI_CMP_IR,
		.signer = asked->signer ? asked->signer : &w.idevid,
		.transaction_id = brski_span(ids, BRSKI_CMP_ID_LEN),
		.sender_nonce = brski_span(ids + BRSKI_CMP_ID_LEN, BRSKI_CMP_ID_LEN),
		.implicit_confirm = asked->implicit,
		.cert_profile = asked->profile,
		.content = brski_buf_span(&content)};
	struct brski_buf der = {0};

	EXPECT(BRSKI_OK, brski_random(NULL, ids, sizeof(ids), &err));
	EXPECT(BRSKI_OK, brski_cmp_draft_sign(&draft, &der, &err));
	brski_buf_free(&content);
	X509_NAME_free(subject);
	return der;
}

static struct brski_buf nest(struct brski_buf *der)
{
	struct brski_cmp msg = cmp_decode(der);
	struct brski_buf nested = {0};

	EXPECT(BRSKI_OK, brski_cmp_nest(&msg, &w.ra, &nested, &err));
	brski_cmp_free(&msg);
	brski_buf_free(der);
	return nested;
}

/* What the CA makes of it is in `answer` and `answer_msg`. */
static void ask(const struct asked *asked)
{
	struct brski_buf der = request(asked);
	struct brski_http http = {0};

	if (asked->nested)
		der = nest(&der);
	forget_answer();
	EXPECT(BRSKI_OK, brski_http_request(&http, "POST", "/.well-known/cmp/initialization", BRSKI_MEDIA_CMP,
				 brski_buf_span(&der), &err));
	ca_handle(&ca, &http, &response, what);
	ck_assert_msg(response.status == 200, "%s", what);
	answer_msg = cmp_decode(&response.body);
	EXPECT(BRSKI_OK, brski_cmp_response_read(&answer_msg, &answer, &err));
	brski_http_free(&http);
	brski_buf_free(&der);
}

static void expect_status(const struct asked *asked, enum brski_cmp_status status, const char *words)
{
	ask(asked);
	ck_assert_msg(answer.cert != NULL, "%s", what);
	ck_assert_msg(answer.status == status, "%s: %s", words, answer.text);
	ck_assert_msg(strstr(answer.text, words) != NULL, "%s", answer.text);
	ck_assert_msg((answer.text[0] == '\0') == (status == BRSKI_CMP_ACCEPTED), "%s", answer.text);
}

static void expect_refusal(const struct asked *asked, enum brski_cmp_fail fail, const char *words)
{
	ask(asked);
	ck_assert_int_eq(answer.type, asked->pkcs10 ? BRSKI_CMP_CP : BRSKI_CMP_IP);
	ck_assert_int_eq(answer.status, BRSKI_CMP_REJECTION);
	ck_assert_msg(answer.fail == fail, "%s: %s", brski_cmp_fail_name(answer.fail), answer.text);
	ck_assert_msg(strstr(answer.text, words) != NULL, "%s", answer.text);
	ck_assert_ptr_null(answer.cert);
}

#define MODS BRSKI_CMP_GRANTED_WITH_MODS

/* ---- What is not granted is said: RFC 9483 4.1.1, RFC 9810 5.2.3 ---- */

START_TEST(granted_as_asked)
{
	const struct asked asked = {
		.extensions = {{"keyUsage", "critical,digitalSignature"}, {"extendedKeyUsage", "clientAuth"},
			{"basicConstraints", "critical,CA:FALSE"}}};
	struct asked p10 = asked;

	expect_status(&asked, BRSKI_CMP_ACCEPTED, "");
	p10.pkcs10 = true;
	expect_status(&p10, BRSKI_CMP_ACCEPTED, "");
	expect_status(&(struct asked){.issuer = "O=Site,CN=Site CA"}, BRSKI_CMP_ACCEPTED, "");
}
END_TEST

START_TEST(granted_with_modifications)
{
	static const struct {
		const char *extension[2];
		const char *words;
	} cases[] = {{{"keyUsage", "digitalSignature,keyEncipherment"}, "Key Usage"},
		{{"extendedKeyUsage", "clientAuth,emailProtection"}, "Extended Key Usage"},
		{{"basicConstraints", "CA:TRUE"}, "Basic Constraints"},
		{{"certificatePolicies", "DER:3007300506032A0304"}, "Certificate Policies"},
		{{"subjectAltName", "DNS:device.example"}, "Subject Alternative Name"},
		{{"1.2.3.4.5", "DER:0500"}, "1.2.3.4.5"}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct asked asked = {
			.extensions = {{cases[i].extension[0], cases[i].extension[1]}}, .nested = true};

		expect_status(&asked, MODS, cases[i].words);
		asked.pkcs10 = true;
		expect_status(&asked, MODS, cases[i].words);
	}
	expect_status(&(struct asked){.extensions = {{"keyUsage", "digitalSignature,keyEncipherment"},
					      {"certificatePolicies", "DER:3007300506032A0304"}}},
		MODS, "Key Usage, X509v3 Certificate Policies");
}
END_TEST

START_TEST(granted_with_other_dates_and_names)
{
	expect_status(&(struct asked){.validity = true}, MODS, "validity");
	expect_status(&(struct asked){.issuer = "CN=Another CA"}, MODS, "issuer");
	expect_status(&(struct asked){.controls = true}, MODS, "controls");
	expect_status(&(struct asked){.reg_info = true}, MODS, "controls");
	expect_status(&(struct asked){.pkcs10 = true, .challenge = true}, MODS, "controls");
	expect_status(&(struct asked){.profile = "gold"}, MODS, "profile");
}
END_TEST

START_TEST(copied_names_are_as_asked)
{
	ca.copy_san = true;
	expect_status(&(struct asked){.extensions = {{"subjectAltName", "DNS:device.example"}}},
		BRSKI_CMP_ACCEPTED, "");
	expect_refusal(&(struct asked){.extensions = {{"subjectAltName", "DER:0500"}}},
		BRSKI_CMP_BAD_CERT_TEMPLATE, "no list of names");
}
END_TEST

/* ---- Whose name: RFC 9483 5.1.1 ---- */

START_TEST(another_subject_needs_a_registration_authority)
{
	struct asked other = {.subject = "CN=sensor.example"};

	expect_refusal(&other, BRSKI_CMP_NOT_AUTHORIZED, "no registration authority");
	other.pkcs10 = true;
	expect_refusal(&other, BRSKI_CMP_NOT_AUTHORIZED, "no registration authority");
	other.nested = true;
	expect_status(&other, BRSKI_CMP_ACCEPTED, "");
	/* its own: all of it, or with its serial number */
	expect_status(
		&(struct asked){.subject = "CN=Gadget,O=Maker,serialNumber=S-7"}, BRSKI_CMP_ACCEPTED, "");
	expect_status(
		&(struct asked){.subject = "CN=sensor.example,serialNumber=S-7"}, BRSKI_CMP_ACCEPTED, "");
	expect_refusal(&(struct asked){.subject = "CN=sensor.example,serialNumber=S-8"},
		BRSKI_CMP_BAD_CERT_TEMPLATE, "another device");
}
END_TEST

START_TEST(a_registration_authority_asks_for_others)
{
	struct asked other = {.subject = "CN=sensor.example", .signer = &w.ra};

	ca.client_anchors = w.anchors;
	expect_status(&other, BRSKI_CMP_ACCEPTED, "");
	/* of the same domain, but none */
	other.signer = &w.cmp;
	expect_refusal(&other, BRSKI_CMP_NOT_AUTHORIZED, "no registration authority");
}
END_TEST

#define SAN(text) .extensions = {{"subjectAltName", text}}

static void expect_named_by_san(const struct asked *asked)
{
	int crit = 0;
	GENERAL_NAMES *names;

	expect_status(asked, BRSKI_CMP_ACCEPTED, "");
	ck_assert_int_eq(X509_NAME_entry_count(X509_get_subject_name(answer.cert)), 0);
	names = X509_get_ext_d2i(answer.cert, NID_subject_alt_name, &crit, NULL);
	ck_assert_int_eq(sk_GENERAL_NAME_num(names), 1);
	ck_assert_int_eq(crit, 1); /* RFC 5280 4.2.1.6 */
	GENERAL_NAMES_free(names);
}

START_TEST(a_subject_that_is_its_alternative_name)
{
	struct asked asked = {.subject = "", SAN("DNS:device.example")};
	struct brski_credential device =
		pki_make(&(struct pki_spec){.subject = "", .san = "DNS:device.example"}, &w.maker_ca);

	expect_refusal(&(struct asked){.subject = ""}, BRSKI_CMP_BAD_CERT_TEMPLATE, "no subject");
	expect_refusal(&asked, BRSKI_CMP_BAD_CERT_TEMPLATE, "copy-san");
	ca.copy_san = true;
	expect_refusal(&asked, BRSKI_CMP_NOT_AUTHORIZED, "no registration authority");
	asked.nested = true;
	expect_named_by_san(&asked);
	asked.omitted = true; /* as OpenSSL does it */
	expect_named_by_san(&asked);
	asked.pkcs10 = true;
	expect_named_by_san(&asked);
	/* its own, by its maker's word */
	ca.copy_san = false;
	expect_named_by_san(&(struct asked){.subject = "", .signer = &device, SAN("DNS:device.example")});
	pki_free(&device);
}
END_TEST

/* ---- Until when it is to be confirmed: RFC 9483 3.1, 4.1.1 ---- */

START_TEST(the_time_to_confirm_is_told)
{
	struct asked asked = {.implicit = true};

	expect_status(&asked, BRSKI_CMP_ACCEPTED, "");
	ck_assert_int_eq(answer_msg.header.confirm_wait_time, clock_now + CONFIRM_WAIT);
	ck_assert_int_eq(answer_msg.header.message_time, clock_now);
	ck_assert(!answer_msg.header.implicit_confirm);
	ca.implicit_confirm = true;
	expect_status(&asked, BRSKI_CMP_ACCEPTED, "");
	ck_assert(answer_msg.header.implicit_confirm);
	ck_assert_int_eq(answer_msg.header.confirm_wait_time, 0);
	expect_refusal(&(struct asked){.subject = ""}, BRSKI_CMP_BAD_CERT_TEMPLATE, "no subject");
	ck_assert_int_eq(answer_msg.header.confirm_wait_time, 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {granted_as_asked, granted_with_modifications,
		granted_with_other_dates_and_names, copied_names_are_as_asked,
		another_subject_needs_a_registration_authority, a_registration_authority_asks_for_others,
		a_subject_that_is_its_alternative_name, the_time_to_confirm_is_told};

	return run_tests("ca_template", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
