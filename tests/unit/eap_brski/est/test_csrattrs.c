/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include <check.h>
#include <openssl/conf.h>
#include <openssl/x509v3.h>

#include "eap_brski/est/csrattrs_internal.h"
#include "eap_brski/est/est.h"
#include "eap_brski/pki/cert.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/mutate.h"
#include "tests/unit/support/pki.h"

/* CSR attributes: what the examples of RFC 7030, 8951 and 9908 say, what we say, and what is no such thing. */

static struct brski_error err;
static struct brski_csrattrs_found found;
static struct brski_buf out;

static void setup(void)
{
	ck_assert_int_eq(
		OBJ_create("1.2.840.113549.1.9.16.2.61", "requestTemplate", "requestTemplate") != 0, 1);
	ck_assert_int_eq(
		OBJ_create("1.2.840.113549.1.9.16.2.62", "extensionTemplate", "extensionTemplate") != 0, 1);
}

static void teardown(void)
{
	brski_csrattrs_found_free(&found);
	brski_buf_free(&out);
}

static enum brski_code read_out(void)
{
	brski_csrattrs_found_free(&found);
	return brski_csrattrs_read(brski_buf_span(&out), &found, &err);
}

/* The list is of these OIDs, blanks between them; "": none. */
static void are(const STACK_OF(ASN1_OBJECT) *list, const char *oids)
{
	char text[512] = "", oid[80];

	for (int i = 0; i < sk_ASN1_OBJECT_num(list); i++) {
		OBJ_obj2txt(oid, sizeof(oid), sk_ASN1_OBJECT_value(list, i), 0);
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i > 0 ? "," : "", oid);
	}
	ck_assert_str_eq(text, oids);
}

static const X509_EXTENSION *only_extension(void)
{
	ck_assert_int_eq(sk_X509_EXTENSION_num(found.said.extensions), 1);
	return sk_X509_EXTENSION_value(found.said.extensions, 0);
}

/* ---- examples ---- */

START_TEST(examples_of_rfc_9908)
{
	static const struct {
		const char *name;
		int key, curve, bits, signature;
		const char *others;
	} all[] = {
		{"rfc7030-example01", NID_X9_62_id_ecPublicKey, NID_secp384r1, 0, NID_ecdsa_with_SHA384,
			"challengePassword,1.3.6.1.1.1.1.22"},
		{"potato-example", NID_X9_62_id_ecPublicKey, NID_secp521r1, 0, NID_ecdsa_with_SHA512,
			"challengePassword,friendlyName,favouriteDrink,serialNumber"},
		{"harkins01", NID_rsaEncryption, NID_undef, 4096, NID_sha256WithRSAEncryption,
			"challengePassword"},
		{"harkins02", NID_X9_62_id_ecPublicKey, NID_secp384r1, 0, NID_ecdsa_with_SHA384,
			"challengePassword,serialNumber"},
		{"harkins03", NID_X9_62_id_ecPublicKey, NID_secp521r1, 0, NID_ecdsa_with_SHA512,
			"challengePassword,friendlyName,favouriteDrink,serialNumber"},
		{"realistic-acp", NID_undef, NID_undef, 0, NID_undef, ""},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct brski_buf text;
		char path[96];

		snprintf(path, sizeof(path), "tests/vectors/csrattrs/%s.csrattr.b64", all[i].name);
		text = file_read(path);
		EXPECT(BRSKI_OK,
			brski_est_body_read(brski_buf_span(&text), BRSKI_CSRATTRS_DER_MAX, &out, &err));
		EXPECT(BRSKI_OK, read_out());
		ck_assert_int_eq(found.said.key_nid, all[i].key);
		ck_assert_int_eq(found.said.curve_nid, all[i].curve);
		ck_assert_int_eq(found.said.rsa_bits, all[i].bits);
		ck_assert_int_eq(found.said.signature_nid, all[i].signature);
		are(found.others, all[i].others);
		are(found.subject, "");
		are(found.extensions, "");
		ck_assert(!found.said.subject && (!found.said.extensions || i == 5));
		brski_buf_free(&text);
	}
	/* the last: RFC 8994's AcpNodeName, with its value */
	ck_assert_int_eq(
		OBJ_obj2nid(X509_EXTENSION_get_object((X509_EXTENSION *)(uintptr_t)only_extension())),
		NID_subject_alt_name);
	ck_assert_int_eq(X509_EXTENSION_get_critical(only_extension()), 1);
	ck_assert_ptr_nonnull(
		memmem(X509_EXTENSION_get_data((X509_EXTENSION *)(uintptr_t)only_extension())->data, 75,
			"rfc8994+fd739fc23c34401122334455000000", 38));
}
END_TEST

/* RFC 8951 4 kept RFC 7030's own example, with an OID in place of extensions. */
START_TEST(example_of_rfc_8951)
{
	static const char text[] = "MEEGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiMBYGCSqGSIb3DQEJDjEJ\n"
				   "BgcrBgEBAQEWBggqhkjOPQQDAw==";

	EXPECT(BRSKI_OK, brski_est_body_read(brski_span_str(text), BRSKI_CSRATTRS_DER_MAX, &out, &err));
	EXPECT(BRSKI_OK, read_out());
	ck_assert_int_eq(found.said.key_nid, NID_X9_62_id_ecPublicKey);
	ck_assert_int_eq(found.said.curve_nid, NID_secp384r1);
	ck_assert_int_eq(found.said.signature_nid, NID_ecdsa_with_SHA384);
	are(found.others, "challengePassword");
	are(found.extensions, "1.3.6.1.1.1.1.22");
}
END_TEST

/* ---- values made of OpenSSL's text: ASN1_generate_nconf(3), its sections one a line ---- */

static void generate(const char *sections)
{
	BIO *text = BIO_new_mem_buf(sections, -1);
	CONF *conf = NCONF_new(NULL);
	unsigned char *der = NULL;
	ASN1_TYPE *value;
	long line;
	int len;

	ck_assert_msg(NCONF_load_bio(conf, text, &line) == 1, "%s", sections);
	value = ASN1_generate_nconf("SEQUENCE:list", conf);
	ck_assert_msg(value != NULL, "%s", sections);
	len = i2d_ASN1_TYPE(value, &der);
	brski_buf_reset(&out);
	brski_put(&out, brski_span(der, (size_t)len));
	OPENSSL_free(der);
	ASN1_TYPE_free(value);
	NCONF_free(conf);
	BIO_free(text);
}

/* A list of one template, whose sections are given. */
#define TEMPLATE "[list]\na=SEQUENCE:a\n[a]\nt=OID:requestTemplate\nv=SET:v\n[v]\nt=SEQUENCE:template\n"

#define DRAFT_TEMPLATE \
	TEMPLATE \
	"[template]\nversion=INTEGER:0\nsubject=SEQUENCE:subject\nkey=IMPLICIT:0,SEQUENCE:key\n" \
	"attributes=IMPLICIT:1,SET:attributes\n" \
	"[subject]\n1=SET:cn\n2=SET:dept\n3=SET:group\n" \
	"[cn]\n1=SEQUENCE:cn1\n[cn1]\nt=OID:commonName\n" \
	"[dept]\n1=SEQUENCE:dept1\n[dept1]\nt=OID:organizationalUnitName\nv=UTF8:myDept\n" \
	"[group]\n1=SEQUENCE:group1\n[group1]\nt=OID:organizationalUnitName\nv=UTF8:myGroup\n" \
	"[key]\nalgorithm=SEQUENCE:algorithm\n[algorithm]\nt=OID:id-ecPublicKey\np=OID:prime256v1\n" \
	"[attributes]\n1=SEQUENCE:extensions\n[extensions]\nt=OID:extensionTemplate\nv=SET:list1\n" \
	"[list1]\n1=SEQUENCE:list2\n[list2]\n1=SEQUENCE:san\n2=SEQUENCE:ku\n3=SEQUENCE:eku\n" \
	"[san]\nt=OID:subjectAltName\nv=FORMAT:HEX,OCTETSTRING:301482107777772e6d795365727665722e636f6d8700\n" \
	"[ku]\nt=OID:keyUsage\nc=BOOL:TRUE\nv=FORMAT:HEX,OCTETSTRING:03020388\n" \
	"[eku]\nt=OID:extendedKeyUsage\n"

/* The example at the end of the draft's section 3.4. */
START_TEST(template_of_the_draft)
{
	struct brski_credential like = pki_make(&(struct pki_spec){.subject = "OU=myDept,OU=myGroup"}, NULL);
	X509_EXTENSION *usage;

	generate(DRAFT_TEMPLATE);
	EXPECT(BRSKI_OK, read_out());
	are(found.subject, "commonName");
	ck_assert(brski_name_equal(found.said.subject, X509_get_subject_name(like.cert)));
	ck_assert_int_eq(found.said.key_nid, NID_X9_62_id_ecPublicKey);
	ck_assert_int_eq(found.said.curve_nid, NID_X9_62_prime256v1);
	are(found.extensions, "X509v3 Extended Key Usage");
	ck_assert_int_eq(sk_X509_EXTENSION_num(found.said.extensions), 2);
	usage = sk_X509_EXTENSION_value(found.said.extensions, 1);
	ck_assert_int_eq(OBJ_obj2nid(X509_EXTENSION_get_object(usage)), NID_key_usage);
	ck_assert_int_eq(X509_EXTENSION_get_critical(usage), 1);
	ck_assert_int_eq(X509_EXTENSION_get_critical(sk_X509_EXTENSION_value(found.said.extensions, 0)), 0);
	are(found.others, "");
	pki_free(&like);
}
END_TEST

/* RFC 9908 4: whoever understands the template MUST ignore the rest. */
START_TEST(template_beside_a_list)
{
	generate("[list]\na=OID:challengePassword\nb=SEQUENCE:key\nc=SEQUENCE:key\nd=SEQUENCE:a\n"
		 "[key]\nt=OID:rsaEncryption\nv=SET:bits\n[bits]\n1=INTEGER:512\n"
		 "[a]\nt=OID:requestTemplate\nv=SET:v\n[v]\nt=SEQUENCE:template\n"
		 "[template]\nversion=INTEGER:0\nattributes=IMPLICIT:1,SET:attributes\n"
		 "[attributes]\n1=SEQUENCE:one\n[one]\nt=OID:friendlyName\nv=SET:x\n[x]\n1=UTF8:x\n");
	EXPECT(BRSKI_OK, read_out());
	are(found.others, "friendlyName");
	ck_assert_int_eq(found.said.key_nid, NID_undef);
	generate(TEMPLATE
		"[template]\nversion=INTEGER:0\nattributes=IMPLICIT:1,SET:attributes\n[attributes]\n");
	EXPECT(BRSKI_OK, read_out());
	are(found.others, "");
}
END_TEST

/* ---- what we say ---- */

static struct brski_csrattrs site_says(X509_NAME *subject)
{
	struct brski_csrattrs a = {.subject = subject, .key_nid = NID_X9_62_id_ecPublicKey};
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, NULL, NULL, NULL, NULL, 0);
	a.extensions = sk_X509_EXTENSION_new_null();
	sk_X509_EXTENSION_push(
		a.extensions, X509V3_EXT_conf_nid(NULL, &ctx, NID_key_usage, "critical,digitalSignature"));
	sk_X509_EXTENSION_push(
		a.extensions, X509V3_EXT_conf_nid(NULL, &ctx, NID_ext_key_usage, "clientAuth"));
	a.curve_nid = NID_secp384r1;
	a.signature_nid = NID_ecdsa_with_SHA384;
	return a;
}

static void same_extensions(const STACK_OF(X509_EXTENSION) *a, const STACK_OF(X509_EXTENSION) *b)
{
	struct brski_buf one = {0}, other = {0};

	EXPECT(BRSKI_OK, brski_asn1_write(a, ASN1_ITEM_rptr(X509_EXTENSIONS), &one, &err));
	EXPECT(BRSKI_OK, brski_asn1_write(b, ASN1_ITEM_rptr(X509_EXTENSIONS), &other, &err));
	ck_assert(brski_span_equal(brski_buf_span(&one), brski_buf_span(&other)));
	brski_buf_free(&one);
	brski_buf_free(&other);
}

START_TEST(template_with_values)
{
	struct brski_credential device = pki_leaf("CN=Gadget,O=Maker,serialNumber=S-7", "P-256", NULL);
	struct brski_csrattrs a = site_says(X509_get_subject_name(device.cert));

	EXPECT(BRSKI_OK, brski_csrattrs_write(&a, &out, &err));
	EXPECT(BRSKI_OK, read_out());
	ck_assert(brski_name_equal(found.said.subject, a.subject));
	same_extensions(found.said.extensions, a.extensions);
	ck_assert_int_eq(found.said.key_nid, NID_X9_62_id_ecPublicKey);
	ck_assert_int_eq(found.said.curve_nid, NID_secp384r1);
	ck_assert_int_eq(found.said.signature_nid, NID_undef);
	are(found.subject, "");
	are(found.extensions, "");
	are(found.others, "");
	sk_X509_EXTENSION_pop_free(a.extensions, X509_EXTENSION_free);
	pki_free(&device);
}
END_TEST

/* Who does not know the template finds what RFC 7030 can say. */
static void forget_template(void)
{
	BRSKI_CSRATTRS *list =
		brski_asn1_read(brski_buf_span(&out), ASN1_ITEM_rptr(BRSKI_CSRATTRS), "list", NULL);

	ck_assert_ptr_nonnull(list);
	BRSKI_ATTROROID_free(sk_BRSKI_ATTROROID_pop(list));
	brski_buf_reset(&out);
	EXPECT(BRSKI_OK, brski_asn1_write(list, ASN1_ITEM_rptr(BRSKI_CSRATTRS), &out, &err));
	BRSKI_CSRATTRS_free(list);
}

START_TEST(list_with_values)
{
	struct brski_credential device = pki_leaf("CN=Gadget", "P-256", NULL);
	struct brski_csrattrs a = site_says(X509_get_subject_name(device.cert));

	EXPECT(BRSKI_OK, brski_csrattrs_write(&a, &out, &err));
	forget_template();
	EXPECT(BRSKI_OK, read_out());
	ck_assert_ptr_null(found.said.subject);
	same_extensions(found.said.extensions, a.extensions);
	ck_assert_int_eq(found.said.key_nid, NID_X9_62_id_ecPublicKey);
	ck_assert_int_eq(found.said.curve_nid, NID_secp384r1);
	ck_assert_int_eq(found.said.signature_nid, NID_ecdsa_with_SHA384);
	are(found.others, "");
	sk_X509_EXTENSION_pop_free(a.extensions, X509_EXTENSION_free);
	pki_free(&device);
}
END_TEST

/* The draft's text beside potato-example: what the octets of the list are, OpenSSL says. */
START_TEST(list_as_openssl_makes_it)
{
	struct brski_csrattrs a = {.key_nid = NID_X9_62_id_ecPublicKey,
		.curve_nid = NID_secp521r1,
		.signature_nid = NID_ecdsa_with_SHA512,
		.extensions = sk_X509_EXTENSION_new_null()};
	struct brski_buf ours = {0};
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, NULL, NULL, NULL, NULL, 0);
	sk_X509_EXTENSION_push(a.extensions,
		X509V3_EXT_conf_nid(NULL, &ctx, NID_subject_alt_name, "email:potato@example.com"));
	EXPECT(BRSKI_OK, brski_csrattrs_write(&a, &out, &err));
	forget_template();
	brski_buf_move(&ours, &out);
	generate("[list]\n1=SEQUENCE:key\n2=SEQUENCE:extensions\n3=OID:ecdsa-with-SHA512\n"
		 "[key]\nt=OID:id-ecPublicKey\nv=SET:curve\n[curve]\n1=OID:secp521r1\n"
		 "[extensions]\nt=OID:extReq\nv=SET:one\n[one]\n1=SEQUENCE:all\n[all]\n1=SEQUENCE:san\n"
		 "[san]\nt=OID:subjectAltName\nv=FORMAT:HEX,OCTETSTRING:3014811270"
		 "6f7461746f406578616d706c652e636f6d\n");
	ck_assert(brski_span_equal(brski_buf_span(&ours), brski_buf_span(&out)));
	sk_X509_EXTENSION_pop_free(a.extensions, X509_EXTENSION_free);
	brski_buf_free(&ours);
}
END_TEST

START_TEST(keys_there_and_back)
{
	static const struct brski_csrattrs all[] = {
		{.key_nid = NID_rsaEncryption},
		{.key_nid = NID_rsaEncryption, .rsa_bits = 2048},
		{.key_nid = NID_rsaEncryption, .rsa_bits = 4095},
		{.key_nid = NID_rsaEncryption, .rsa_bits = 8192},
		{.key_nid = NID_X9_62_id_ecPublicKey},
		{.key_nid = NID_X9_62_id_ecPublicKey, .curve_nid = NID_X9_62_prime256v1},
		{.key_nid = NID_ED25519},
	};

	for (size_t i = 0; i < 2 * sizeof(all) / sizeof(all[0]); i++) {
		const struct brski_csrattrs *a = &all[i / 2];

		EXPECT(BRSKI_OK, brski_csrattrs_write(a, &out, &err));
		if (i % 2 == 1)
			forget_template();
		EXPECT(BRSKI_OK, read_out());
		ck_assert_int_eq(found.said.key_nid, a->key_nid);
		ck_assert_int_eq(found.said.curve_nid, a->curve_nid);
		ck_assert_int_eq(found.said.rsa_bits, a->rsa_bits);
	}
}
END_TEST

/* RFC 8951 4: an empty SEQUENCE. */
START_TEST(nothing_wanted)
{
	EXPECT(BRSKI_OK, brski_csrattrs_write(&(struct brski_csrattrs){0}, &out, &err));
	ck_assert(brski_span_equal(brski_buf_span(&out), brski_span("\x30\x00", 2)));
	EXPECT(BRSKI_OK, read_out());
	ck_assert(!found.said.subject && !found.said.extensions && !found.others && !found.said.key_nid);
}
END_TEST

/* ---- what is refused ---- */

#define FIELDS(more) TEMPLATE "[template]\nversion=INTEGER:0\n" more
#define NO_ATTRIBUTES "attributes=IMPLICIT:1,SET:none\n[none]\n"
#define ATTRIBUTES(sections) FIELDS("attributes=IMPLICIT:1,SET:attributes\n[attributes]\n") sections
#define SUBJECT(sections) FIELDS("subject=SEQUENCE:subject\n" NO_ATTRIBUTES "[subject]\n") sections
#define KEY(sections) FIELDS("key=IMPLICIT:0,SEQUENCE:key\n" NO_ATTRIBUTES "[key]\n") sections
#define USAGE "[ku]\nt=OID:keyUsage\nv=FORMAT:HEX,OCTETSTRING:03020780\n"
#define REQUEST(name, list) "[" name "]\nt=OID:extReq\nv=SET:" list "\n"

static const struct {
	const char *sections;
	enum brski_code code;
	const char *words;
} refusals[] = {
	/* lists */
	{"[list]\na=INTEGER:1\n", BRSKI_MALFORMED, "does not parse"},
	{"[list]\na=SEQUENCE:k\nb=SEQUENCE:k\n[k]\nt=OID:rsaEncryption\nv=SET:s\n[s]\n", BRSKI_UNEXPECTED,
		"type of key"},
	{"[list]\na=SEQUENCE:k\n[k]\nt=OID:rsaEncryption\nv=SET:s\n[s]\na=INTEGER:1024\n", BRSKI_UNSUPPORTED,
		"1024 bits"},
	{"[list]\na=SEQUENCE:k\n[k]\nt=OID:rsaEncryption\nv=SET:s\n[s]\na=INTEGER:16384\n", BRSKI_UNSUPPORTED,
		"16384 bits"},
	{"[list]\na=SEQUENCE:k\n[k]\nt=OID:rsaEncryption\nv=SET:s\n[s]\na=INTEGER:-4096\n", BRSKI_MALFORMED,
		"nothing about"},
	{"[list]\na=SEQUENCE:k\n[k]\nt=OID:rsaEncryption\nv=SET:s\n[s]\na=INTEGER:2048\nb=INTEGER:4096\n",
		BRSKI_MALFORMED, "more than one"},
	{"[list]\na=SEQUENCE:k\n[k]\nt=OID:rsaEncryption\nv=SET:s\n[s]\na=OID:secp384r1\n", BRSKI_MALFORMED,
		"not EC"},
	{"[list]\na=SEQUENCE:k\n[k]\nt=OID:id-ecPublicKey\nv=SET:s\n[s]\na=INTEGER:384\n", BRSKI_MALFORMED,
		"nothing about"},
	{"[list]\na=SEQUENCE:k\n[k]\nt=OID:id-ecPublicKey\nv=SET:s\n[s]\na=OID:1.2.3.4\n", BRSKI_UNSUPPORTED,
		"1.2.3.4"},
	/* extensions */
	{"[list]\na=SEQUENCE:e\nb=SEQUENCE:e\n" REQUEST(
		 "e", "s") "[s]\n1=SEQUENCE:l\n[l]\n1=SEQUENCE:ku\n" USAGE,
		BRSKI_UNEXPECTED, "list of extensions"},
	{"[list]\na=SEQUENCE:e\n" REQUEST(
		 "e", "s") "[s]\n1=SEQUENCE:l\n[l]\n1=SEQUENCE:ku\n2=SEQUENCE:ku\n" USAGE,
		BRSKI_UNEXPECTED, "an extension"},
	{"[list]\na=SEQUENCE:e\n" REQUEST("e",
		 "s") "[s]\n1=SEQUENCE:l\n2=SEQUENCE:m\n[l]\n1=SEQUENCE:ku\n"
		      "[m]\n1=SEQUENCE:ku\n2=SEQUENCE:bc\n[bc]\nt=OID:basicConstraints\nv=FORMAT:HEX,OCTETSTRING:3000\n" USAGE,
		BRSKI_MALFORMED, "exactly one value"},
	{"[list]\na=SEQUENCE:e\n" REQUEST("e", "s") "[s]\n", BRSKI_MALFORMED, "exactly one value"},
	{"[list]\na=SEQUENCE:e\n" REQUEST("e", "s") "[s]\n1=SEQUENCE:l\n[l]\n", BRSKI_MALFORMED,
		"empty list"},
	{"[list]\na=SEQUENCE:e\n" REQUEST(
		 "e", "s") "[s]\n1=SEQUENCE:l\n[l]\n1=SEQUENCE:x\n[x]\nt=OID:keyUsage\n",
		BRSKI_MALFORMED, "without value"},
	{"[list]\na=SEQUENCE:e\n" REQUEST("e", "s") "[s]\n1=UTF8:x\n", BRSKI_MALFORMED, "does not parse"},
	{"[list]\na=SEQUENCE:e\n" REQUEST("e", "s") "[s]\n1=OID:keyUsage\n2=UTF8:x\n", BRSKI_MALFORMED,
		"no list"},
	{"[list]\na=SEQUENCE:e\n" REQUEST(
		 "e", "s") "[s]\n1=SEQUENCE:l\n[l]\n1=SEQUENCE:x\n[x]\nt=OID:keyUsage\n"
			   "c=BOOL:FALSE\nv=FORMAT:HEX,OCTETSTRING:03020780\n",
		BRSKI_MALFORMED, "in DER"},
	/* templates */
	{"[list]\na=SEQUENCE:a\nb=SEQUENCE:a\n[a]\nt=OID:requestTemplate\nv=SET:v\n[v]\nt=SEQUENCE:template\n"
	 "[template]\nversion=INTEGER:0\n" NO_ATTRIBUTES,
		BRSKI_UNEXPECTED, "a template"},
	{"[list]\na=SEQUENCE:a\n[a]\nt=OID:requestTemplate\nv=SET:v\n[v]\n", BRSKI_MALFORMED,
		"exactly one value"},
	{TEMPLATE "[template]\nversion=INTEGER:1\n" NO_ATTRIBUTES, BRSKI_MALFORMED, "version"},
	{TEMPLATE "[template]\nversion=INTEGER:0\n", BRSKI_MALFORMED, "does not parse"},
	{SUBJECT(""), BRSKI_MALFORMED, "empty subject"},
	{SUBJECT("1=SET:r\n[r]\n"), BRSKI_MALFORMED, "part of the subject"},
	{SUBJECT("1=SET:r\n[r]\n1=SEQUENCE:x\n[x]\nt=OID:commonName\nv=UTF8:\n"), BRSKI_MALFORMED,
		"empty value"},
	{SUBJECT("1=SET:r\n[r]\n1=SEQUENCE:x\n[x]\nt=OID:commonName\nv=INTEGER:1\n"), BRSKI_MALFORMED,
		"no text"},
	{KEY("a=SEQUENCE:a1\n[a1]\nt=OID:1.2.3.4\n"), BRSKI_UNSUPPORTED, "1.2.3.4"},
	{KEY("a=SEQUENCE:a1\n[a1]\nt=OID:commonName\n"), BRSKI_UNSUPPORTED, "2.5.4.3"},
	{KEY("a=SEQUENCE:a1\nk=FORMAT:BITLIST,BITSTRING:1\n[a1]\nt=OID:id-ecPublicKey\n"), BRSKI_MALFORMED,
		"RSA alone"},
	{KEY("a=SEQUENCE:a1\nk=FORMAT:BITLIST,BITSTRING:1\n[a1]\nt=OID:rsaEncryption\n"), BRSKI_MALFORMED,
		"placeholder"},
	{KEY("a=SEQUENCE:a1\nk=BITWRAP,SEQUENCE:r\n[a1]\nt=OID:rsaEncryption\n[r]\nn=INTEGER:255\ne=INTEGER:3\n"),
		BRSKI_UNSUPPORTED, "8 bits"},
	{KEY("a=SEQUENCE:a1\nk=BITWRAP,SEQUENCE:r\n[a1]\nt=OID:rsaEncryption\n[r]\nn=INTEGER:-255\ne=INTEGER:3\n"),
		BRSKI_MALFORMED, "negative"},
	{KEY("a=SEQUENCE:a1\n[a1]\nt=OID:id-ecPublicKey\np=SEQUENCE:r\n[r]\n"), BRSKI_MALFORMED, "no curve"},
	{ATTRIBUTES("1=SEQUENCE:e\n2=SEQUENCE:f\n" REQUEST("e",
		 "s") "[f]\nt=OID:extensionTemplate\nv=SET:s\n[s]\n1=SEQUENCE:l\n[l]\n1=SEQUENCE:ku\n" USAGE),
		BRSKI_UNEXPECTED, "list of extensions"},
	{ATTRIBUTES("1=SEQUENCE:f\n[f]\nt=OID:extensionTemplate\nv=SET:s\n[s]\n1=SEQUENCE:l\n"
		    "[l]\n1=SEQUENCE:ku\n2=SEQUENCE:x\n[x]\nt=OID:keyUsage\n" USAGE),
		BRSKI_UNEXPECTED, "an extension"},
	{ATTRIBUTES("1=SEQUENCE:e\n" REQUEST("e", "s") "[s]\n1=OID:keyUsage\n"), BRSKI_MALFORMED,
		"extensions"},
};
#define REFUSALS ((int)(sizeof(refusals) / sizeof(refusals[0])))

static bool is_empty(void)
{
	static const struct brski_csrattrs_found empty;

	return memcmp(&found, &empty, sizeof(found)) == 0;
}

START_TEST(refused)
{
	for (int i = 0; i < REFUSALS; i++) {
		generate(refusals[i].sections);
		EXPECT_WHY(refusals[i].code, refusals[i].words, read_out());
		ck_assert(is_empty());
	}
}
END_TEST

/* A list of n OIDs; deep: as a template's subject of n attributes. */
static void many(int n, bool as_subject)
{
	struct brski_buf text = {0};

	brski_put_str(&text, as_subject ? SUBJECT("") : "[list]\n");
	for (int i = 0; i < n; i++)
		brski_printf(&text, as_subject ? "%d=SET:r\n" : "%d=OID:commonName\n", i);
	if (as_subject)
		brski_put_str(&text, "[r]\n1=SEQUENCE:x\n[x]\nt=OID:commonName\n");
	brski_put_u8(&text, 0);
	generate((const char *)text.data);
	brski_buf_free(&text);
}

START_TEST(bounded)
{
	for (int i = 0; i < 2; i++) {
		many(BRSKI_CSRATTRS_ITEMS_MAX, i);
		EXPECT(BRSKI_OK, read_out());
		ck_assert_int_eq(
			sk_ASN1_OBJECT_num(i ? found.subject : found.others), BRSKI_CSRATTRS_ITEMS_MAX);
		many(BRSKI_CSRATTRS_ITEMS_MAX + 1, i);
		EXPECT_WHY(BRSKI_TOO_LARGE, "33 elements", read_out());
	}
	brski_buf_reset(&out);
	for (int i = 0; i <= BRSKI_CSRATTRS_DER_MAX; i++)
		brski_put_u8(&out, 0x30);
	EXPECT_WHY(BRSKI_TOO_LARGE, "8193 octets", read_out());
}
END_TEST

START_TEST(bounded_when_written)
{
	struct brski_csrattrs a = {.extensions = sk_X509_EXTENSION_new_null()};
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *one;
	static unsigned char octets[BRSKI_CSRATTRS_DER_MAX];

	ASN1_STRING_set(value, octets, sizeof(octets));
	one = X509_EXTENSION_create_by_NID(NULL, NID_key_usage, 0, value);
	sk_X509_EXTENSION_push(a.extensions, one);
	EXPECT_WHY(BRSKI_TOO_LARGE, "8192 are allowed", brski_csrattrs_write(&a, &out, &err));
	ck_assert_uint_eq(out.len, 0);
	for (int i = 0; i < BRSKI_CSRATTRS_ITEMS_MAX; i++)
		sk_X509_EXTENSION_push(a.extensions, one);
	EXPECT_WHY(BRSKI_TOO_LARGE, "32 elements", brski_csrattrs_write(&a, &out, &err));
	sk_X509_EXTENSION_free(a.extensions);
	X509_EXTENSION_free(one);
	ASN1_OCTET_STRING_free(value);
}
END_TEST

/* ---- damaged ---- */

static void found_or_nothing(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	bool whole = strcmp(how->kind, "cut") != 0 && strcmp(how->kind, "appended") != 0;

	(void)ctx;
	if (brski_csrattrs_read(damaged, &found, &err) != BRSKI_OK)
		ck_assert_msg(is_empty(), "%s at %zu", how->kind, how->at);
	else
		ck_assert_msg(whole, "%s at %zu", how->kind, how->at);
	brski_csrattrs_found_free(&found);
}

START_TEST(damaged)
{
	struct brski_credential device = pki_leaf("CN=Gadget,O=Maker,serialNumber=S-7", "P-256", NULL);
	struct brski_csrattrs a = site_says(X509_get_subject_name(device.cert));

	EXPECT(BRSKI_OK, brski_csrattrs_write(&a, &out, &err));
	mutate_all(brski_buf_span(&out), found_or_nothing, NULL);
	forget_template();
	mutate_all(brski_buf_span(&out), found_or_nothing, NULL);
	generate(DRAFT_TEMPLATE);
	mutate_all(brski_buf_span(&out), found_or_nothing, NULL);
	EXPECT(BRSKI_OK,
		brski_csrattrs_write(&(struct brski_csrattrs){.key_nid = NID_rsaEncryption, .rsa_bits = 2048},
			&out, &err));
	mutate_all(brski_buf_span(&out), found_or_nothing, NULL);
	sk_X509_EXTENSION_pop_free(a.extensions, X509_EXTENSION_free);
	pki_free(&device);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {examples_of_rfc_9908, example_of_rfc_8951, template_of_the_draft,
		template_beside_a_list, template_with_values, list_with_values, list_as_openssl_makes_it,
		keys_there_and_back, nothing_wanted, refused, bounded, bounded_when_written, damaged};

	return run_tests("csrattrs", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
