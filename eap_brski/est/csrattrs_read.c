/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <openssl/bn.h>
#include <openssl/err.h>

#include "eap_brski/est/csrattrs_internal.h"
#include "eap_brski/pki/limits.h"

void brski_csrattrs_found_free(struct brski_csrattrs_found *found)
{
	X509_NAME_free(found->said.subject);
	sk_X509_EXTENSION_pop_free(found->said.extensions, X509_EXTENSION_free);
	sk_ASN1_OBJECT_pop_free(found->subject, ASN1_OBJECT_free);
	sk_ASN1_OBJECT_pop_free(found->extensions, ASN1_OBJECT_free);
	sk_ASN1_OBJECT_pop_free(found->others, ASN1_OBJECT_free);
	*found = (struct brski_csrattrs_found){0};
}

static enum brski_code malformed(struct brski_error *err, const char *why)
{
	return brski_fail(err, BRSKI_MALFORMED, "CSR attributes: %s", why);
}

static enum brski_code twice(struct brski_error *err, const char *what)
{
	return brski_fail(err, BRSKI_UNEXPECTED, "CSR attributes: %s is there twice", what);
}

static enum brski_code no_memory(struct brski_error *err)
{
	return brski_fail_openssl(err, BRSKI_NO_MEMORY, "no memory for CSR attributes");
}

static enum brski_code check_count(int n, struct brski_error *err)
{
	if (n <= BRSKI_CSRATTRS_ITEMS_MAX)
		return BRSKI_OK;
	return brski_fail(err, BRSKI_TOO_LARGE, "%d elements in a list of CSR attributes, %d are allowed", n,
		BRSKI_CSRATTRS_ITEMS_MAX);
}

static bool is_oid(const ASN1_OBJECT *oid, const char *dotted)
{
	char text[64];
	int len = OBJ_obj2txt(text, sizeof(text), oid, 1);

	return len > 0 && (size_t)len < sizeof(text) && strcmp(text, dotted) == 0;
}

/* A copy of oid goes into the list *to, which is made for the first. */
static enum brski_code add_oid(STACK_OF(ASN1_OBJECT) **to, const ASN1_OBJECT *oid, struct brski_error *err)
{
	ASN1_OBJECT *copy = OBJ_dup(oid);

	if (!*to)
		*to = sk_ASN1_OBJECT_new_null();
	if (copy && *to && sk_ASN1_OBJECT_push(*to, copy) > 0)
		return BRSKI_OK;
	ASN1_OBJECT_free(copy);
	return no_memory(err);
}

/* ---- the key ---- */

static enum brski_code set_rsa_bits(long bits, struct brski_csrattrs *said, struct brski_error *err)
{
	if (bits < BRSKI_RSA_BITS_MIN || bits > BRSKI_RSA_BITS_MAX)
		return brski_fail(err, BRSKI_UNSUPPORTED,
			"CSR attributes ask for RSA of %ld bits: %d to %d are used", bits, BRSKI_RSA_BITS_MIN,
			BRSKI_RSA_BITS_MAX);
	said->rsa_bits = (int)bits;
	return BRSKI_OK;
}

static bool is_key_type(const ASN1_OBJECT *type)
{
	switch (OBJ_obj2nid(type)) {
	case NID_X9_62_id_ecPublicKey:
	case NID_rsaEncryption:
	case NID_ED25519:
	case NID_ED448:
		return true;
	default:
		return false;
	}
}

static enum brski_code set_key_type(
	const ASN1_OBJECT *type, struct brski_csrattrs *said, struct brski_error *err)
{
	char name[80] = "?";

	if (said->key_nid != NID_undef)
		return twice(err, "a type of key (RFC 9908 3.2)");
	if (is_key_type(type)) {
		said->key_nid = OBJ_obj2nid(type);
		return BRSKI_OK;
	}
	OBJ_obj2txt(name, sizeof(name), type, 1);
	return brski_fail(err, BRSKI_UNSUPPORTED, "CSR attributes ask for a key of unknown type: %s", name);
}

static enum brski_code set_curve(
	const ASN1_OBJECT *curve, struct brski_csrattrs *said, struct brski_error *err)
{
	char name[80] = "?";

	if (said->key_nid != NID_X9_62_id_ecPublicKey)
		return malformed(err, "a curve for a key that is not EC");
	said->curve_nid = OBJ_obj2nid(curve);
	if (said->curve_nid != NID_undef)
		return BRSKI_OK;
	OBJ_obj2txt(name, sizeof(name), curve, 1);
	return brski_fail(err, BRSKI_UNSUPPORTED, "CSR attributes ask for an unknown curve: %s", name);
}

/* RFC 9908 3.2: what is said of the key outside of a template. */
static enum brski_code read_key_attribute(
	X509_ATTRIBUTE *attribute, struct brski_csrattrs *said, struct brski_error *err)
{
	const ASN1_TYPE *value = X509_ATTRIBUTE_get0_type(attribute, 0);
	enum brski_code code = set_key_type(X509_ATTRIBUTE_get0_object(attribute), said, err);
	long bits;

	if (code != BRSKI_OK || !value)
		return code;
	if (X509_ATTRIBUTE_count(attribute) > 1)
		return malformed(err, "more than one value for the key");
	if (value->type == V_ASN1_OBJECT)
		return set_curve(value->value.object, said, err);
	if (said->key_nid != NID_rsaEncryption || value->type != V_ASN1_INTEGER ||
		!brski_asn1_long(value->value.integer, 0, INT32_MAX, &bits))
		return malformed(err, "a value that says nothing about such a key");
	return set_rsa_bits(bits, said, err);
}

/* RFC 9908 3.4: a placeholder of the wanted modulus length. */
static enum brski_code read_placeholder(
	const ASN1_BIT_STRING *key, struct brski_csrattrs *said, struct brski_error *err)
{
	BRSKI_RSAKEY *rsa;
	BIGNUM *modulus;
	enum brski_code code;

	if (said->key_nid != NID_rsaEncryption)
		return malformed(err, "a public key, which is for RSA alone (RFC 9908 3.4)");
	rsa = brski_asn1_read(brski_asn1_octets(key), ASN1_ITEM_rptr(BRSKI_RSAKEY), "RSA placeholder", err);
	if (!rsa)
		return BRSKI_MALFORMED;
	modulus = ASN1_INTEGER_to_BN(rsa->modulus, NULL);
	BRSKI_RSAKEY_free(rsa);
	if (!modulus)
		return no_memory(err);
	if (BN_is_negative(modulus))
		code = malformed(err, "an RSA placeholder that is negative");
	else
		code = set_rsa_bits(BN_num_bits(modulus), said, err);
	BN_free(modulus);
	return code;
}

static enum brski_code read_key_template(
	const BRSKI_KEYTEMPLATE *key, struct brski_csrattrs *said, struct brski_error *err)
{
	const ASN1_OBJECT *type;
	const void *parameter;
	int form;
	enum brski_code code;

	X509_ALGOR_get0(&type, &form, &parameter, key->algorithm);
	code = set_key_type(type, said, err);
	if (code == BRSKI_OK && form == V_ASN1_OBJECT)
		code = set_curve(parameter, said, err);
	else if (code == BRSKI_OK && form != V_ASN1_NULL && form != V_ASN1_UNDEF)
		code = malformed(err, "parameters of a key that are no curve's name");
	if (code == BRSKI_OK && key->key)
		code = read_placeholder(key->key, said, err);
	return code;
}

/* ---- the subject ---- */

static bool is_text(int type)
{
	return type == V_ASN1_UTF8STRING || type == V_ASN1_PRINTABLESTRING || type == V_ASN1_IA5STRING ||
	       type == V_ASN1_T61STRING || type == V_ASN1_BMPSTRING || type == V_ASN1_UNIVERSALSTRING;
}

/* *set: 0 for the first value of an RDN, -1 for what goes with it. */
static enum brski_code read_rdn_attribute(
	const BRSKI_RDNATTRIBUTE *in, int *set, struct brski_csrattrs_found *out, struct brski_error *err)
{
	struct brski_span text;

	if (!in->value)
		return add_oid(&out->subject, in->type, err);
	if (!is_text(in->value->type))
		return malformed(err, "a value in the subject that is no text");
	text = brski_asn1_octets(in->value->value.asn1_string);
	if (text.len == 0)
		return malformed(
			err, "an empty value in the subject, where it is to be absent (RFC 9908 3.4)");
	if (!out->said.subject)
		out->said.subject = X509_NAME_new();
	if (!out->said.subject || X509_NAME_add_entry_by_OBJ(out->said.subject, in->type, in->value->type,
					  text.data, (int)text.len, -1, *set) != 1)
		return no_memory(err);
	*set = -1;
	return BRSKI_OK;
}

static enum brski_code read_rdn(
	const BRSKI_RDN *rdn, struct brski_csrattrs_found *out, struct brski_error *err)
{
	enum brski_code code = check_count(sk_BRSKI_RDNATTRIBUTE_num(rdn), err);
	int set = 0;

	if (sk_BRSKI_RDNATTRIBUTE_num(rdn) <= 0)
		return malformed(err, "nothing in a part of the subject");
	for (int i = 0; code == BRSKI_OK && i < sk_BRSKI_RDNATTRIBUTE_num(rdn); i++)
		code = read_rdn_attribute(sk_BRSKI_RDNATTRIBUTE_value(rdn, i), &set, out, err);
	return code;
}

static enum brski_code read_subject(
	const BRSKI_NAMETEMPLATE *name, struct brski_csrattrs_found *out, struct brski_error *err)
{
	enum brski_code code = check_count(sk_BRSKI_RDN_num(name), err);

	if (sk_BRSKI_RDN_num(name) == 0)
		return malformed(err, "an empty subject, where it is to be absent (RFC 9908 3.4)");
	for (int i = 0; code == BRSKI_OK && i < sk_BRSKI_RDN_num(name); i++)
		code = read_rdn(sk_BRSKI_RDN_value(name, i), out, err);
	return code;
}

/* ---- extensions ---- */

static bool has_extension(const BRSKI_EXTENSIONTEMPLATES *all, int before, const ASN1_OBJECT *id)
{
	for (int i = 0; i < before; i++) {
		if (OBJ_cmp(sk_BRSKI_EXTENSIONTEMPLATE_value(all, i)->id, id) == 0)
			return true;
	}
	return false;
}

static enum brski_code read_extension(
	const BRSKI_EXTENSIONTEMPLATE *in, struct brski_csrattrs_found *out, struct brski_error *err)
{
	X509_EXTENSION *one;

	if (!in->value)
		return add_oid(&out->extensions, in->id, err);
	one = X509_EXTENSION_create_by_OBJ(NULL, in->id, in->critical != 0, in->value);
	if (!out->said.extensions)
		out->said.extensions = sk_X509_EXTENSION_new_null();
	if (one && out->said.extensions && sk_X509_EXTENSION_push(out->said.extensions, one) > 0)
		return BRSKI_OK;
	X509_EXTENSION_free(one);
	return no_memory(err);
}

/* may_be_open: extnValue may be absent. */
static enum brski_code read_extension_list(const BRSKI_EXTENSIONTEMPLATES *all, bool may_be_open,
	struct brski_csrattrs_found *out, struct brski_error *err)
{
	enum brski_code code = check_count(sk_BRSKI_EXTENSIONTEMPLATE_num(all), err);

	if (sk_BRSKI_EXTENSIONTEMPLATE_num(all) == 0)
		return malformed(err, "an empty list of extensions");
	for (int i = 0; code == BRSKI_OK && i < sk_BRSKI_EXTENSIONTEMPLATE_num(all); i++) {
		const BRSKI_EXTENSIONTEMPLATE *one = sk_BRSKI_EXTENSIONTEMPLATE_value(all, i);

		if (!one->value && !may_be_open)
			code = malformed(err, "an extension without value in an extensionRequest");
		else if (has_extension(all, i, one->id))
			code = twice(err, "an extension (RFC 9908 3.2)");
		else
			code = read_extension(one, out, err);
	}
	return code;
}

/* RFC 7030 4.5.2 and RFC 8951 4 have an OID alone in their example: that extension, without value. */
static enum brski_code read_oid_as_extension(
	const X509_ATTRIBUTE *attribute, struct brski_csrattrs_found *out, struct brski_error *err)
{
	enum brski_code code = check_count(X509_ATTRIBUTE_count(attribute), err);

	for (int i = 0; code == BRSKI_OK && i < X509_ATTRIBUTE_count(attribute); i++) {
		const ASN1_TYPE *value = X509_ATTRIBUTE_get0_type((X509_ATTRIBUTE *)(uintptr_t)attribute, i);

		if (value->type == V_ASN1_OBJECT)
			code = add_oid(&out->extensions, value->value.object, err);
		else
			code = malformed(
				err, "an extensionRequest that is no list of extensions (RFC 9908 3.2)");
	}
	return code;
}

static enum brski_code read_extensions(X509_ATTRIBUTE *attribute, bool may_be_open,
	struct brski_csrattrs_found *out, struct brski_error *err)
{
	struct brski_span der = brski_asn1_raw(X509_ATTRIBUTE_get0_type(attribute, 0));
	BRSKI_EXTENSIONTEMPLATES *all;
	enum brski_code code;

	if (out->said.extensions || out->extensions)
		return twice(err, "a list of extensions (RFC 9908 3.2, 3.4)");
	if (X509_ATTRIBUTE_count(attribute) != 1)
		return malformed(
			err, "a list of extensions that is not exactly one value (RFC 9908 3.2, 3.4)");
	all = brski_asn1_read(
		der, ASN1_ITEM_rptr(BRSKI_EXTENSIONTEMPLATES), "CSR attributes: extensions", err);
	if (!all)
		return BRSKI_MALFORMED;
	code = read_extension_list(all, may_be_open, out, err);
	BRSKI_EXTENSIONTEMPLATES_free(all);
	return code;
}

/* ---- the template ---- */

static enum brski_code read_template_attribute(
	X509_ATTRIBUTE *attribute, struct brski_csrattrs_found *out, struct brski_error *err)
{
	const ASN1_OBJECT *type = X509_ATTRIBUTE_get0_object(attribute);

	if (is_oid(type, BRSKI_OID_EXTENSION_REQUEST))
		return read_extensions(attribute, false, out, err);
	if (is_oid(type, BRSKI_OID_EXTENSION_TEMPLATE))
		return read_extensions(attribute, true, out, err);
	return add_oid(&out->others, type, err);
}

static enum brski_code read_template_fields(
	const BRSKI_REQUESTTEMPLATE *in, struct brski_csrattrs_found *out, struct brski_error *err)
{
	enum brski_code code = check_count(sk_X509_ATTRIBUTE_num(in->attributes), err);
	long version;

	if (!brski_asn1_long(in->version, 0, 0, &version))
		return malformed(err, "a template whose version is not 0 (RFC 9908 3.4)");
	if (code == BRSKI_OK && in->subject)
		code = read_subject(in->subject, out, err);
	if (code == BRSKI_OK && in->key)
		code = read_key_template(in->key, &out->said, err);
	for (int i = 0; code == BRSKI_OK && i < sk_X509_ATTRIBUTE_num(in->attributes); i++)
		code = read_template_attribute(sk_X509_ATTRIBUTE_value(in->attributes, i), out, err);
	return code;
}

static enum brski_code read_template(
	X509_ATTRIBUTE *attribute, struct brski_csrattrs_found *out, struct brski_error *err)
{
	struct brski_span der = brski_asn1_raw(X509_ATTRIBUTE_get0_type(attribute, 0));
	BRSKI_REQUESTTEMPLATE *template;
	enum brski_code code;

	if (X509_ATTRIBUTE_count(attribute) != 1)
		return malformed(err, "a template that is not exactly one value");
	template =
		brski_asn1_read(der, ASN1_ITEM_rptr(BRSKI_REQUESTTEMPLATE), "CSR attributes: template", err);
	if (!template)
		return BRSKI_MALFORMED;
	code = read_template_fields(template, out, err);
	BRSKI_REQUESTTEMPLATE_free(template);
	return code;
}

/* ---- the list ---- */

static enum brski_code read_oid(
	const ASN1_OBJECT *oid, struct brski_csrattrs_found *out, struct brski_error *err)
{
	int nid = OBJ_obj2nid(oid), digest, key;

	if (out->said.signature_nid != NID_undef || nid == NID_undef ||
		OBJ_find_sigid_algs(nid, &digest, &key) != 1)
		return add_oid(&out->others, oid, err);
	out->said.signature_nid = nid;
	return BRSKI_OK;
}

static enum brski_code read_attribute(
	X509_ATTRIBUTE *attribute, struct brski_csrattrs_found *out, struct brski_error *err)
{
	const ASN1_OBJECT *type = X509_ATTRIBUTE_get0_object(attribute);
	const ASN1_TYPE *value = X509_ATTRIBUTE_get0_type(attribute, 0);

	if (is_key_type(type))
		return read_key_attribute(attribute, &out->said, err);
	if (!is_oid(type, BRSKI_OID_EXTENSION_REQUEST))
		return add_oid(&out->others, type, err);
	if (value && value->type == V_ASN1_OBJECT && !out->said.extensions && !out->extensions)
		return read_oid_as_extension(attribute, out, err);
	return read_extensions(attribute, false, out, err);
}

static enum brski_code read_list(
	const BRSKI_CSRATTRS *list, struct brski_csrattrs_found *out, struct brski_error *err)
{
	enum brski_code code = BRSKI_OK;

	for (int i = 0; code == BRSKI_OK && i < sk_BRSKI_ATTROROID_num(list); i++) {
		const BRSKI_ATTROROID *one = sk_BRSKI_ATTROROID_value(list, i);

		if (one->type == BRSKI_ATTROROID_OID)
			code = read_oid(one->value.oid, out, err);
		else
			code = read_attribute(one->value.attribute, out, err);
	}
	return code;
}

/* *out: the attribute that is a template, borrowed; NULL: there is none. */
static enum brski_code find_template(
	const BRSKI_CSRATTRS *list, X509_ATTRIBUTE **out, struct brski_error *err)
{
	*out = NULL;
	for (int i = 0; i < sk_BRSKI_ATTROROID_num(list); i++) {
		const BRSKI_ATTROROID *one = sk_BRSKI_ATTROROID_value(list, i);

		if (one->type != BRSKI_ATTROROID_ATTRIBUTE ||
			!is_oid(X509_ATTRIBUTE_get0_object(one->value.attribute), BRSKI_OID_REQUEST_TEMPLATE))
			continue;
		if (*out)
			return twice(err, "a template");
		*out = one->value.attribute;
	}
	return BRSKI_OK;
}

static enum brski_code read_parsed(
	const BRSKI_CSRATTRS *list, struct brski_csrattrs_found *out, struct brski_error *err)
{
	X509_ATTRIBUTE *template;
	enum brski_code code = check_count(sk_BRSKI_ATTROROID_num(list), err);

	if (code == BRSKI_OK)
		code = find_template(list, &template, err);
	if (code != BRSKI_OK)
		return code;
	return template ? read_template(template, out, err) : read_list(list, out, err);
}

enum brski_code brski_csrattrs_read(
	struct brski_span der, struct brski_csrattrs_found *out, struct brski_error *err)
{
	BRSKI_CSRATTRS *list;
	enum brski_code code;

	*out = (struct brski_csrattrs_found){0};
	if (der.len > BRSKI_CSRATTRS_DER_MAX)
		return brski_fail(err, BRSKI_TOO_LARGE, "CSR attributes of %zu octets, %d are allowed",
			der.len, BRSKI_CSRATTRS_DER_MAX);
	list = brski_asn1_read(der, ASN1_ITEM_rptr(BRSKI_CSRATTRS), "CSR attributes", err);
	if (!list)
		return BRSKI_MALFORMED;
	code = read_parsed(list, out, err);
	BRSKI_CSRATTRS_free(list);
	ERR_clear_error();
	if (code != BRSKI_OK)
		brski_csrattrs_found_free(out);
	return code;
}
