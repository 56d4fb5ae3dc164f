/* SPDX-License-Identifier: BSD-3-Clause */
#include <openssl/bn.h>
#include <openssl/rsa.h>

#include "eap_brski/est/csrattrs_internal.h"

/* Functions that make something return it new, or NULL: it cannot be made, for there is no memory. */

static X509_ATTRIBUTE *attribute_of(const char *oid, const void *value, const ASN1_ITEM *item)
{
	struct brski_buf der = {0};
	ASN1_OBJECT *type = OBJ_txt2obj(oid, 1);
	X509_ATTRIBUTE *attribute = NULL;

	if (type && brski_asn1_write(value, item, &der, NULL) == BRSKI_OK)
		attribute = X509_ATTRIBUTE_create_by_OBJ(NULL, type, V_ASN1_SEQUENCE, der.data, (int)der.len);
	ASN1_OBJECT_free(type);
	brski_buf_free(&der);
	return attribute;
}

static X509_ATTRIBUTE *extension_request(const struct brski_csrattrs *a)
{
	return attribute_of(BRSKI_OID_EXTENSION_REQUEST, a->extensions, ASN1_ITEM_rptr(X509_EXTENSIONS));
}

/* ---- the template, RFC 9908 3.4 ---- */

/* A placeholder of that modulus length. */
static bool fill_rsa(BRSKI_RSAKEY *key, int bits)
{
	BIGNUM *modulus = BN_new();
	bool ok = modulus && BN_set_bit(modulus, bits - 1) == 1 && BN_set_bit(modulus, 0) == 1 &&
		  BN_to_ASN1_INTEGER(modulus, key->modulus) && ASN1_INTEGER_set(key->exponent, RSA_F4) == 1;

	BN_free(modulus);
	return ok;
}

static ASN1_BIT_STRING *rsa_placeholder(int bits)
{
	BRSKI_RSAKEY *key = BRSKI_RSAKEY_new();
	ASN1_BIT_STRING *out = ASN1_BIT_STRING_new();
	struct brski_buf der = {0};
	bool ok = key && out && fill_rsa(key, bits) &&
		  brski_asn1_write(key, ASN1_ITEM_rptr(BRSKI_RSAKEY), &der, NULL) == BRSKI_OK &&
		  ASN1_BIT_STRING_set(out, der.data, (int)der.len) == 1;

	BRSKI_RSAKEY_free(key);
	brski_buf_free(&der);
	if (ok) {
		out->flags |= ASN1_STRING_FLAG_BITS_LEFT; /* none of the last octet */
		return out;
	}
	ASN1_BIT_STRING_free(out);
	return NULL;
}

/* Parameters are a curve, NULL for RSA (RFC 3279 2.3.1), and absent else (RFC 8410 3). */
static bool fill_key(BRSKI_KEYTEMPLATE *key, const struct brski_csrattrs *a)
{
	ASN1_OBJECT *curve = a->curve_nid != NID_undef ? OBJ_nid2obj(a->curve_nid) : NULL;
	int type = a->key_nid == NID_rsaEncryption ? V_ASN1_NULL : V_ASN1_UNDEF;

	if (X509_ALGOR_set0(key->algorithm, OBJ_nid2obj(a->key_nid), curve ? V_ASN1_OBJECT : type, curve) !=
		1)
		return false;
	if (a->rsa_bits == 0)
		return true;
	key->key = rsa_placeholder(a->rsa_bits);
	return key->key != NULL;
}

/* Where all values are there, a NameTemplate is encoded as a Name is. */
static BRSKI_NAMETEMPLATE *name_template(const X509_NAME *name)
{
	struct brski_buf der = {0};
	BRSKI_NAMETEMPLATE *out = NULL;

	if (brski_asn1_write(name, ASN1_ITEM_rptr(X509_NAME), &der, NULL) == BRSKI_OK)
		out = brski_asn1_read(
			brski_buf_span(&der), ASN1_ITEM_rptr(BRSKI_NAMETEMPLATE), "subject", NULL);
	brski_buf_free(&der);
	return out;
}

/* Where all extensions have values, the old attribute MUST be used. */
static bool fill_attributes(STACK_OF(X509_ATTRIBUTE) *attributes, const struct brski_csrattrs *a)
{
	X509_ATTRIBUTE *extensions;

	if (sk_X509_EXTENSION_num(a->extensions) <= 0)
		return true;
	extensions = extension_request(a);
	if (extensions && sk_X509_ATTRIBUTE_push(attributes, extensions) > 0)
		return true;
	X509_ATTRIBUTE_free(extensions);
	return false;
}

static bool fill_template(BRSKI_REQUESTTEMPLATE *template, const struct brski_csrattrs *a)
{
	if (X509_NAME_entry_count(a->subject) > 0) {
		template->subject = name_template(a->subject);
		if (!template->subject)
			return false;
	}
	if (a->key_nid != NID_undef) {
		template->key = BRSKI_KEYTEMPLATE_new();
		if (!template->key || !fill_key(template->key, a))
			return false;
	}
	return fill_attributes(template->attributes, a);
}

static X509_ATTRIBUTE *request_template(const struct brski_csrattrs *a)
{
	BRSKI_REQUESTTEMPLATE *template = BRSKI_REQUESTTEMPLATE_new();
	X509_ATTRIBUTE *attribute = NULL;

	if (template && fill_template(template, a))
		attribute = attribute_of(
			BRSKI_OID_REQUEST_TEMPLATE, template, ASN1_ITEM_rptr(BRSKI_REQUESTTEMPLATE));
	BRSKI_REQUESTTEMPLATE_free(template);
	return attribute;
}

/* ---- the list ---- */

/* RFC 9908 3.2: a curve, a size, or no value for any key of that type. */
static X509_ATTRIBUTE *key_attribute(const struct brski_csrattrs *a)
{
	X509_ATTRIBUTE *attribute = NULL;
	ASN1_INTEGER *bits;

	if (a->curve_nid != NID_undef)
		return X509_ATTRIBUTE_create(a->key_nid, V_ASN1_OBJECT, OBJ_nid2obj(a->curve_nid));
	if (a->rsa_bits == 0)
		return X509_ATTRIBUTE_create_by_NID(NULL, a->key_nid, 0, NULL, 0);
	bits = ASN1_INTEGER_new();
	if (bits && ASN1_INTEGER_set(bits, a->rsa_bits) == 1)
		attribute = X509_ATTRIBUTE_create(a->key_nid, V_ASN1_INTEGER, bits);
	if (!attribute)
		ASN1_INTEGER_free(bits);
	return attribute;
}

/* Takes either. */
static bool push(BRSKI_CSRATTRS *list, ASN1_OBJECT *oid, X509_ATTRIBUTE *attribute)
{
	BRSKI_ATTROROID *one = oid || attribute ? BRSKI_ATTROROID_new() : NULL;

	if (one && sk_BRSKI_ATTROROID_push(list, one) > 0) {
		one->type = oid ? BRSKI_ATTROROID_OID : BRSKI_ATTROROID_ATTRIBUTE;
		if (oid)
			one->value.oid = oid;
		else
			one->value.attribute = attribute;
		return true;
	}
	BRSKI_ATTROROID_free(one);
	ASN1_OBJECT_free(oid);
	X509_ATTRIBUTE_free(attribute);
	return false;
}

static bool fill(BRSKI_CSRATTRS *list, const struct brski_csrattrs *a)
{
	bool has_key = a->key_nid != NID_undef, has_extensions = sk_X509_EXTENSION_num(a->extensions) > 0;

	if (has_key && !push(list, NULL, key_attribute(a)))
		return false;
	if (has_extensions && !push(list, NULL, extension_request(a)))
		return false;
	if (a->signature_nid != NID_undef && !push(list, OBJ_nid2obj(a->signature_nid), NULL))
		return false;
	if (!has_key && !has_extensions && X509_NAME_entry_count(a->subject) <= 0)
		return true;
	return push(list, NULL, request_template(a));
}

static enum brski_code write_list(const BRSKI_CSRATTRS *list, struct brski_buf *der, struct brski_error *err)
{
	enum brski_code code = brski_asn1_write(list, ASN1_ITEM_rptr(BRSKI_CSRATTRS), der, err);

	if (code == BRSKI_OK && der->len > BRSKI_CSRATTRS_DER_MAX)
		code = brski_fail(err, BRSKI_TOO_LARGE, "CSR attributes of %zu octets, %d are allowed",
			der->len, BRSKI_CSRATTRS_DER_MAX);
	if (code != BRSKI_OK)
		brski_buf_reset(der);
	return code;
}

enum brski_code brski_csrattrs_write(
	const struct brski_csrattrs *a, struct brski_buf *der, struct brski_error *err)
{
	BRSKI_CSRATTRS *list;
	enum brski_code code;

	brski_buf_reset(der);
	if (X509_NAME_entry_count(a->subject) > BRSKI_CSRATTRS_ITEMS_MAX ||
		sk_X509_EXTENSION_num(a->extensions) > BRSKI_CSRATTRS_ITEMS_MAX)
		return brski_fail(err, BRSKI_TOO_LARGE, "more than %d elements in a list of CSR attributes",
			BRSKI_CSRATTRS_ITEMS_MAX);
	list = sk_BRSKI_ATTROROID_new_null();
	if (list && fill(list, a))
		code = write_list(list, der, err);
	else
		code = brski_fail_openssl(err, BRSKI_INTERNAL, "cannot make CSR attributes");
	BRSKI_CSRATTRS_free(list);
	return code;
}
