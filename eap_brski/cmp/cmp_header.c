/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

#include "eap_brski/cmp/cmp_internal.h"
#include "eap_brski/ground/text.h"

#define INFO_MAX 16 /* elements of generalInfo */

void brski_cmp_header_free(struct brski_cmp_header *header)
{
	X509_NAME_free(header->sender);
	X509_NAME_free(header->recipient);
	brski_buf_free(&header->protection_alg);
	brski_buf_free(&header->sender_kid);
	brski_buf_free(&header->transaction_id);
	brski_buf_free(&header->sender_nonce);
	brski_buf_free(&header->recip_nonce);
	*header = (struct brski_cmp_header){0};
}

/* ---- reading ---- */

static enum brski_code read_octets(
	const ASN1_OCTET_STRING *in, const char *what, struct brski_buf *out, struct brski_error *err)
{
	struct brski_span octets = brski_asn1_octets(in);

	if (in && (octets.len == 0 || octets.len > BRSKI_CMP_OCTETS_MAX))
		return brski_fail(err, BRSKI_MALFORMED, "%s of %zu octets in a CMP header", what, octets.len);
	if (brski_buf_set(out, octets) != BRSKI_OK)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	return BRSKI_OK;
}

static enum brski_code salvage_octets(
	const ASN1_OCTET_STRING *in, struct brski_buf *out, struct brski_error *err)
{
	struct brski_span octets = brski_asn1_octets(in);

	return octets.len <= BRSKI_CMP_OCTETS_MAX
		       ? read_octets(octets.len > 0 ? in : NULL, "identifier", out, err)
		       : BRSKI_OK;
}

static enum brski_code read_name(const GENERAL_NAME *in, X509_NAME **out, struct brski_error *err)
{
	if (in->type != GEN_DIRNAME)
		return BRSKI_OK;
	*out = X509_NAME_dup(in->d.directoryName);
	return *out ? BRSKI_OK : brski_fail_openssl(err, BRSKI_NO_MEMORY, "no memory");
}

static enum brski_code read_time(
	const ASN1_GENERALIZEDTIME *in, const char *what, time_t *out, struct brski_error *err)
{
	struct tm tm;

	if (!in)
		return BRSKI_OK;
	if (ASN1_TIME_to_tm(in, &tm) != 1)
		return brski_fail_openssl(err, BRSKI_MALFORMED, "%s in a CMP header is no time", what);
	*out = timegm(&tm);
	return BRSKI_OK;
}

/* As it is, or not at all: a name cut or made printable could be another one's. */
static bool read_profile_name(struct brski_span name, struct brski_cmp_header *out)
{
	brski_printable(name, out->cert_profile, sizeof(out->cert_profile));
	if (name.len > 0 && brski_span_equal(name, brski_span_str(out->cert_profile)))
		return true;
	out->cert_profile[0] = '\0';
	return false;
}

/*
 * CertProfileValue is a SEQUENCE of one name; in drafts before RFC 9480, and in software made then,
 * it was the bare name.
 */
static bool read_profile(const ASN1_TYPE *value, struct brski_cmp_header *out)
{
	BRSKI_FREETEXT *names;
	bool understood;

	if (!value || out->cert_profile[0] != '\0')
		return false;
	if (value->type == V_ASN1_UTF8STRING)
		return read_profile_name(brski_asn1_octets(value->value.utf8string), out);
	names = brski_asn1_read(brski_asn1_raw(value), ASN1_ITEM_rptr(BRSKI_FREETEXT), "certProfile", NULL);
	understood = names && sk_ASN1_UTF8STRING_num(names) == 1 &&
		     read_profile_name(brski_asn1_octets(sk_ASN1_UTF8STRING_value(names, 0)), out);
	BRSKI_FREETEXT_free(names);
	return understood;
}

/* RFC 9483 3.1: ImplicitConfirmValue is NULL; absence is taken for it. */
static enum brski_code check_implicit_confirm(const ASN1_TYPE *value, struct brski_error *err)
{
	if (!value || value->type == V_ASN1_NULL)
		return BRSKI_OK;
	return brski_fail(err, BRSKI_MALFORMED, "implicitConfirm is not NULL (RFC 9483 3.1)");
}

/* RFC 9483 3.1: ConfirmWaitTimeValue is a GeneralizedTime. */
static enum brski_code check_confirm_wait(const ASN1_TYPE *value, struct brski_error *err)
{
	if (value && value->type == V_ASN1_GENERALIZEDTIME)
		return BRSKI_OK;
	return brski_fail(err, BRSKI_MALFORMED, "confirmWaitTime is no time (RFC 9483 3.1)");
}

static enum brski_code read_implicit_confirm(
	const ASN1_TYPE *value, struct brski_cmp_header *out, bool *understood, struct brski_error *err)
{
	enum brski_code code = check_implicit_confirm(value, err);

	*understood = !out->implicit_confirm;
	out->implicit_confirm = code == BRSKI_OK;
	return code;
}

static enum brski_code read_confirm_wait(
	const ASN1_TYPE *value, struct brski_cmp_header *out, bool *understood, struct brski_error *err)
{
	enum brski_code code = check_confirm_wait(value, err);

	*understood = out->confirm_wait_time == 0;
	return code == BRSKI_OK ? read_time(value->value.generalizedtime, "confirmWaitTime",
					  &out->confirm_wait_time, err)
				: code;
}

/* RFC 9483 3.5: what we don't know in generalInfo is no error. */
static enum brski_code read_info(
	const BRSKI_INFO *info, struct brski_cmp_header *out, struct brski_error *err)
{
	char oid[BRSKI_CMP_OID_MAX];
	int len = OBJ_obj2txt(oid, sizeof(oid), info->type, 1);
	enum brski_code code = BRSKI_OK;
	bool understood = false;

	if (len <= 0 || (size_t)len >= sizeof(oid)) {
		ERR_clear_error();
		snprintf(oid, sizeof(oid), "a very long one");
	}
	if (strcmp(oid, BRSKI_OID_CONFIRM_IMPLICIT) == 0)
		code = read_implicit_confirm(info->value, out, &understood, err);
	else if (strcmp(oid, BRSKI_OID_CONFIRM_WAIT) == 0)
		code = read_confirm_wait(info->value, out, &understood, err);
	else if (strcmp(oid, BRSKI_OID_CERT_PROFILE) == 0)
		understood = read_profile(info->value, out);
	if (!understood)
		snprintf(out->odd_info, sizeof(out->odd_info), "%s", oid);
	return code;
}

static enum brski_code read_infos(
	const STACK_OF(BRSKI_INFO) *infos, struct brski_cmp_header *out, struct brski_error *err)
{
	enum brski_code code = BRSKI_OK;

	if (sk_BRSKI_INFO_num(infos) > INFO_MAX)
		return brski_fail(err, BRSKI_TOO_LARGE, "more than %d elements in generalInfo", INFO_MAX);
	for (int i = 0; code == BRSKI_OK && i < sk_BRSKI_INFO_num(infos); i++)
		code = read_info(sk_BRSKI_INFO_value(infos, i), out, err);
	return code;
}

static enum brski_code read_fields(
	const BRSKI_PKIHEADER *in, struct brski_cmp_header *out, struct brski_error *err)
{
	enum brski_code code;
	long pvno;

	/* 0: a version that nobody knows, RFC 9483 3.5: brski_cmp_version_check() */
	out->pvno = brski_asn1_long(in->pvno, 0, 255, &pvno) ? (int)pvno : 0;
	if ((code = read_name(in->sender, &out->sender, err)) != BRSKI_OK ||
		(code = read_name(in->recipient, &out->recipient, err)) != BRSKI_OK ||
		(code = read_time(in->message_time, "messageTime", &out->message_time, err)) != BRSKI_OK ||
		(code = read_octets(in->sender_kid, "senderKID", &out->sender_kid, err)) != BRSKI_OK ||
		(code = read_octets(in->transaction_id, "transactionID", &out->transaction_id, err)) !=
			BRSKI_OK ||
		(code = read_octets(in->sender_nonce, "senderNonce", &out->sender_nonce, err)) != BRSKI_OK ||
		(code = read_octets(in->recip_nonce, "recipNonce", &out->recip_nonce, err)) != BRSKI_OK)
		return code;
	if (in->protection_alg)
		code = brski_asn1_write(
			in->protection_alg, ASN1_ITEM_rptr(X509_ALGOR), &out->protection_alg, err);
	return code == BRSKI_OK ? read_infos(in->general_info, out, err) : code;
}

enum brski_code brski_cmp_header_read(
	struct brski_span der, struct brski_cmp_header *out, struct brski_error *err)
{
	BRSKI_PKIHEADER *in;
	enum brski_code code;

	*out = (struct brski_cmp_header){0};
	in = brski_asn1_read(der, ASN1_ITEM_rptr(BRSKI_PKIHEADER), "CMP header", err);
	if (!in)
		return BRSKI_MALFORMED;
	code = read_fields(in, out, err);
	BRSKI_PKIHEADER_free(in);
	if (code != BRSKI_OK)
		brski_cmp_header_free(out);
	return code;
}

enum brski_code brski_cmp_header_salvage(
	struct brski_span der, struct brski_cmp_header *out, struct brski_error *err)
{
	const unsigned char *at = der.data;
	BRSKI_PKIHEADER *in = NULL;
	enum brski_code code;
	long pvno = 0;

	*out = (struct brski_cmp_header){0};
	if (der.len > 0 && der.len <= BRSKI_CMP_MAX)
		in = (BRSKI_PKIHEADER *)ASN1_item_d2i(
			NULL, &at, (long)der.len, ASN1_ITEM_rptr(BRSKI_PKIHEADER));
	if (!in)
		return brski_fail_openssl(err, BRSKI_MALFORMED, "CMP header does not parse");
	if (brski_asn1_long(in->pvno, 0, 255, &pvno))
		out->pvno = (int)pvno;
	code = read_name(in->sender, &out->sender, err);
	if (code == BRSKI_OK)
		code = salvage_octets(in->transaction_id, &out->transaction_id, err);
	if (code == BRSKI_OK)
		code = salvage_octets(in->sender_nonce, &out->sender_nonce, err);
	BRSKI_PKIHEADER_free(in);
	if (code != BRSKI_OK)
		brski_cmp_header_free(out);
	return code;
}

enum brski_code brski_cmp_version_check(const struct brski_cmp_header *header, struct brski_error *err)
{
	if (header->pvno == 2 || header->pvno == 3)
		return BRSKI_OK;
	return brski_fail(err, BRSKI_UNSUPPORTED, "CMP version %d (RFC 9483 3.5: 2 or 3)", header->pvno);
}

/* ---- writing ---- */

/* name NULL: the NULL-DN */
static bool write_name(const X509_NAME *name, GENERAL_NAME *out)
{
	X509_NAME *copy = name ? X509_NAME_dup(name) : X509_NAME_new();

	if (!copy)
		return false;
	GENERAL_NAME_set0_value(out, GEN_DIRNAME, copy);
	return true;
}

static bool write_octets(const struct brski_buf *octets, ASN1_OCTET_STRING **out)
{
	if (octets->len == 0)
		return true;
	*out = ASN1_OCTET_STRING_new();
	return *out && ASN1_OCTET_STRING_set(*out, octets->data, (int)octets->len) == 1;
}

static bool write_algorithm(const struct brski_buf *der, X509_ALGOR **out)
{
	if (der->len == 0)
		return true;
	*out = brski_asn1_read(brski_buf_span(der), ASN1_ITEM_rptr(X509_ALGOR), "algorithm", NULL);
	return *out != NULL;
}

/* Takes value, also when it fails. */
static bool add_info(BRSKI_PKIHEADER *out, const char *oid, ASN1_TYPE *value)
{
	BRSKI_INFO *info = BRSKI_INFO_new();

	if (info) {
		ASN1_OBJECT_free(info->type);
		info->type = OBJ_txt2obj(oid, 1);
		info->value = value;
	} else {
		ASN1_TYPE_free(value);
	}
	if (!out->general_info)
		out->general_info = sk_BRSKI_INFO_new_null();
	if (info && info->type && value && out->general_info &&
		sk_BRSKI_INFO_push(out->general_info, info) > 0)
		return true;
	BRSKI_INFO_free(info);
	return false;
}

static ASN1_TYPE *null_value(void)
{
	ASN1_TYPE *value = ASN1_TYPE_new();

	if (value)
		ASN1_TYPE_set(value, V_ASN1_NULL, NULL);
	return value;
}

static ASN1_TYPE *profile_value(const char *name)
{
	BRSKI_FREETEXT *names = NULL;
	struct brski_buf der = {0};
	ASN1_TYPE *value = NULL;

	if (brski_cmp_text_new(name, &names) && names &&
		brski_asn1_write(names, ASN1_ITEM_rptr(BRSKI_FREETEXT), &der, NULL) == BRSKI_OK)
		value = brski_asn1_any(brski_buf_span(&der));
	BRSKI_FREETEXT_free(names);
	brski_buf_free(&der);
	return value;
}

static bool write_time(time_t when, ASN1_GENERALIZEDTIME **out)
{
	if (when == 0)
		return true;
	*out = ASN1_GENERALIZEDTIME_set(NULL, when);
	return *out != NULL;
}

static ASN1_TYPE *time_value(time_t when)
{
	ASN1_GENERALIZEDTIME *text = ASN1_GENERALIZEDTIME_set(NULL, when);
	ASN1_TYPE *value = ASN1_TYPE_new();

	if (text && value) {
		ASN1_TYPE_set(value, V_ASN1_GENERALIZEDTIME, text);
		return value;
	}
	ASN1_GENERALIZEDTIME_free(text);
	ASN1_TYPE_free(value);
	return NULL;
}

static bool write_fields(const struct brski_cmp_header *in, BRSKI_PKIHEADER *out)
{
	return ASN1_INTEGER_set(out->pvno, in->pvno) == 1 && write_name(in->sender, out->sender) &&
	       write_name(in->recipient, out->recipient) &&
	       write_time(in->message_time, &out->message_time) &&
	       write_algorithm(&in->protection_alg, &out->protection_alg) &&
	       write_octets(&in->sender_kid, &out->sender_kid) &&
	       write_octets(&in->transaction_id, &out->transaction_id) &&
	       write_octets(&in->sender_nonce, &out->sender_nonce) &&
	       write_octets(&in->recip_nonce, &out->recip_nonce) &&
	       (!in->implicit_confirm || add_info(out, BRSKI_OID_CONFIRM_IMPLICIT, null_value())) &&
	       (in->confirm_wait_time == 0 ||
		       add_info(out, BRSKI_OID_CONFIRM_WAIT, time_value(in->confirm_wait_time))) &&
	       (!in->cert_profile[0] ||
		       add_info(out, BRSKI_OID_CERT_PROFILE, profile_value(in->cert_profile)));
}

enum brski_code brski_cmp_header_write(
	const struct brski_cmp_header *header, struct brski_buf *out, struct brski_error *err)
{
	BRSKI_PKIHEADER *made = BRSKI_PKIHEADER_new();
	enum brski_code code;

	if (made && write_fields(header, made))
		code = brski_asn1_write(made, ASN1_ITEM_rptr(BRSKI_PKIHEADER), out, err);
	else
		code = brski_fail_openssl(err, BRSKI_NO_MEMORY, "cannot make a CMP header");
	BRSKI_PKIHEADER_free(made);
	return code;
}
