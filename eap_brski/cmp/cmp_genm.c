/* SPDX-License-Identifier: BSD-3-Clause */
#include <openssl/err.h>

#include "eap_brski/cmp/cmp_internal.h"

/* GenMsgContent and GenRepContent with the one element that RFC 9483 4.3 asks for. */

/* Takes value, also when it fails. */
static BRSKI_INFO *new_info(const char *oid, ASN1_TYPE *value)
{
	BRSKI_INFO *info = BRSKI_INFO_new();

	if (!info) {
		ASN1_TYPE_free(value);
		return NULL;
	}
	ASN1_OBJECT_free(info->type);
	info->value = value;
	info->type = OBJ_txt2obj(oid, 1);
	if (info->type)
		return info;
	BRSKI_INFO_free(info);
	return NULL;
}

static enum brski_code certs_value(const STACK_OF(X509) *certs, ASN1_TYPE **out, struct brski_error *err)
{
	struct brski_buf der = {0};
	enum brski_code code;

	*out = NULL;
	if (sk_X509_num(certs) <= 0)
		return BRSKI_OK; /* RFC 9483 4.3.1: absent if no CA certificate is available */
	code = brski_asn1_write(certs, ASN1_ITEM_rptr(BRSKI_CACERTS), &der, err);
	if (code == BRSKI_OK) {
		*out = brski_asn1_any(brski_buf_span(&der));
		if (!*out)
			code = brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	}
	brski_buf_free(&der);
	return code;
}

enum brski_code brski_cmp_info_write(
	const char *oid, const STACK_OF(X509) *certs, struct brski_buf *out, struct brski_error *err)
{
	BRSKI_GENMSG *infos = NULL;
	BRSKI_INFO *info = NULL;
	ASN1_TYPE *value;
	enum brski_code code = certs_value(certs, &value, err);

	if (code != BRSKI_OK)
		return code;
	infos = sk_BRSKI_INFO_new_null();
	info = new_info(oid, value);
	if (infos && info && sk_BRSKI_INFO_push(infos, info) > 0)
		code = brski_asn1_write(infos, ASN1_ITEM_rptr(BRSKI_GENMSG), out, err);
	else
		code = brski_fail_openssl(
			err, BRSKI_INTERNAL, "cannot make a general message of type %s", oid);
	sk_BRSKI_INFO_free(infos);
	BRSKI_INFO_free(info);
	return code;
}

static enum brski_code value_der(const ASN1_TYPE *value, struct brski_buf *out, struct brski_error *err)
{
	brski_buf_reset(out);
	return value ? brski_asn1_write(value, ASN1_ITEM_rptr(ASN1_ANY), out, err) : BRSKI_OK;
}

static enum brski_code read_info(
	const BRSKI_INFO *info, char oid[BRSKI_CMP_OID_MAX], struct brski_buf *value, struct brski_error *err)
{
	int len = OBJ_obj2txt(oid, BRSKI_CMP_OID_MAX, info->type, 1);

	if (len <= 0 || len >= BRSKI_CMP_OID_MAX)
		return brski_fail_openssl(err, BRSKI_TOO_LARGE, "object identifier is too long");
	return value_der(info->value, value, err);
}

enum brski_code brski_cmp_info_read(struct brski_span content, char oid[BRSKI_CMP_OID_MAX],
	struct brski_buf *value, struct brski_error *err)
{
	BRSKI_GENMSG *infos = brski_asn1_read(content, ASN1_ITEM_rptr(BRSKI_GENMSG), "general message", err);
	enum brski_code code;

	if (!infos)
		return BRSKI_MALFORMED;
	code = brski_cmp_one_check(
		sk_BRSKI_INFO_num(infos), "general message without exactly one element (RFC 9483 4.3)", err);
	if (code == BRSKI_OK)
		code = read_info(sk_BRSKI_INFO_value(infos, 0), oid, value, err);
	BRSKI_GENMSG_free(infos);
	return code;
}

enum brski_code brski_cmp_certs_read(struct brski_span der, STACK_OF(X509) **out, struct brski_error *err)
{
	*out = brski_asn1_read(der, ASN1_ITEM_rptr(BRSKI_CACERTS), "CaCertsValue", err);
	if (!*out)
		return BRSKI_MALFORMED;
	if (sk_X509_num(*out) <= BRSKI_CMP_CA_CERTS_MAX)
		return BRSKI_OK;
	BRSKI_CACERTS_free(*out);
	*out = NULL;
	return brski_fail(err, BRSKI_TOO_LARGE, "more than %d CA certificates", BRSKI_CMP_CA_CERTS_MAX);
}
