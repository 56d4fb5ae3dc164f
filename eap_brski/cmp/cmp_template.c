/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "eap_brski/cmp/cmp_internal.h"
#include "eap_brski/ground/text.h"
#include "eap_brski/pki/cert.h"

/*
 * What a device may ask for, RFC 9483 5.1: the RA authorizes a request before it forwards it. A PKI
 * may believe an RA, and give what is asked for; so what is not understood here stays here.
 */

/* With one of these, a device could pose as the registrar or the CA to its neighbours. */
static bool is_power(const ASN1_OBJECT *usage)
{
	int nid = OBJ_obj2nid(usage);

	return nid == NID_cmcCA || nid == NID_cmcRA || nid == NID_cmKGA || nid == NID_OCSP_sign;
}

bool brski_cmp_usage_has_power(const EXTENDED_KEY_USAGE *usages)
{
	for (int i = 0; i < sk_ASN1_OBJECT_num(usages); i++) {
		if (is_power(sk_ASN1_OBJECT_value(usages, i)))
			return true;
	}
	return false;
}

__attribute__((format(printf, 4, 5))) static enum brski_code refuse(struct brski_cmp_request *asked,
	enum brski_cmp_fail fail, struct brski_error *err, const char *fmt, ...)
{
	char why[sizeof(err->why)];
	va_list args;

	va_start(args, fmt);
	if (vsnprintf(why, sizeof(why), fmt, args) < 0)
		why[0] = '\0';
	va_end(args);
	asked->fail = fail;
	return brski_fail(err, BRSKI_REFUSED, "%s", why);
}

/* ---- extensions ---- */

static bool asks_for_ca(const void *value)
{
	const BASIC_CONSTRAINTS *constraints = value;

	return constraints->ca != 0;
}

static bool asks_for_issuing(const void *value)
{
	enum { KEY_CERT_SIGN = 5, CRL_SIGN = 6 }; /* RFC 5280 4.2.1.3 */

	return ASN1_BIT_STRING_get_bit(value, KEY_CERT_SIGN) || ASN1_BIT_STRING_get_bit(value, CRL_SIGN);
}

/* A device logs in. To be a server, or any usage, is power over its neighbours; others mean nothing here. */
static bool asks_for_more_than_login(const void *value)
{
	const EXTENDED_KEY_USAGE *usages = value;

	for (int i = 0; i < sk_ASN1_OBJECT_num(usages); i++) {
		if (OBJ_obj2nid(sk_ASN1_OBJECT_value(usages, i)) != NID_client_auth)
			return true;
	}
	return false;
}

static bool is_free(const void *value)
{
	(void)value;
	return false;
}

static const struct understood {
	int nid;
	bool (*asks_too_much)(const void *value);
} understood[] = {
	{NID_basic_constraints, asks_for_ca},
	{NID_key_usage, asks_for_issuing},
	{NID_ext_key_usage, asks_for_more_than_login},
	{NID_subject_alt_name, is_free},
	{NID_subject_key_identifier, is_free},
};

static const struct understood *find_understood(const ASN1_OBJECT *extension)
{
	int nid = OBJ_obj2nid(extension);

	for (size_t i = 0; i < sizeof(understood) / sizeof(understood[0]); i++) {
		if (nid != NID_undef && understood[i].nid == nid)
			return &understood[i];
	}
	return NULL;
}

static enum brski_code check_extension(
	struct brski_cmp_request *asked, X509_EXTENSION *extension, struct brski_error *err)
{
	const struct understood *known = find_understood(X509_EXTENSION_get_object(extension));
	const X509V3_EXT_METHOD *method = known ? X509V3_EXT_get_nid(known->nid) : NULL;
	void *value = known ? X509V3_EXT_d2i(extension) : NULL;
	char name[BRSKI_CMP_OID_MAX] = "?";
	bool too_much;

	ERR_clear_error();
	OBJ_obj2txt(name, sizeof(name), X509_EXTENSION_get_object(extension), 0);
	if (!value)
		return refuse(asked, known ? BRSKI_CMP_NOT_AUTHORIZED : BRSKI_CMP_BAD_CERT_TEMPLATE, err,
			"the device asks for an extension that is not understood: %s", name);
	too_much = known->asks_too_much(value);
	ASN1_item_free(value, ASN1_ITEM_ptr(method->it));
	if (!too_much)
		return BRSKI_OK;
	return refuse(asked, BRSKI_CMP_NOT_AUTHORIZED, err,
		"the device asks for powers that are no device's: %s", name);
}

static enum brski_code check_extensions(struct brski_cmp_request *asked, struct brski_error *err)
{
	enum brski_code code = BRSKI_OK;

	for (int i = 0; code == BRSKI_OK && i < sk_X509_EXTENSION_num(asked->extensions); i++)
		code = check_extension(asked, sk_X509_EXTENSION_value(asked->extensions, i), err);
	return code;
}

/* ---- all that there is besides ---- */

/* RFC 9483 5.1.1: the IDevID's own, as it is or with the serial number that tells the device from others. */
static enum brski_code check_subject(
	struct brski_cmp_request *asked, const X509 *idevid, struct brski_error *err)
{
	X509_NAME *device = NULL;
	struct brski_error why = {0};
	enum brski_code code;
	char name[160];
	bool own;

	if (!asked->subject || brski_name_equal(asked->subject, X509_get_subject_name(idevid)))
		return BRSKI_OK;
	code = brski_cert_device_name(idevid, &device, &why);
	own = brski_name_equal(asked->subject, device);
	X509_NAME_free(device);
	if (own || code == BRSKI_NO_MEMORY)
		return own ? BRSKI_OK : brski_fail(err, code, "%s", why.why);
	brski_name_text(asked->subject, name, sizeof(name));
	return refuse(asked, BRSKI_CMP_NOT_AUTHORIZED, err,
		"the device asks for another subject than its own: %s", name);
}

static enum brski_code check_nothing_besides(struct brski_cmp_request *asked, struct brski_error *err)
{
	if (asked->wants_validity)
		return refuse(asked, BRSKI_CMP_BAD_CERT_TEMPLATE, err,
			"the device asks for dates of its own: validity is the PKI's");
	if (asked->wants_controls)
		return refuse(asked, BRSKI_CMP_BAD_CERT_TEMPLATE, err,
			"the device asks for what is not understood: %s",
			asked->type == BRSKI_CMP_P10CR ? "attributes besides extensionRequest"
						       : "controls or regInfo (RFC 4211 6, 7)");
	return BRSKI_OK;
}

static bool is_allowed(const char *profile, const char *profiles)
{
	struct brski_span allowed;

	while ((allowed = brski_list_next(&profiles)).len > 0) {
		if (brski_span_equal(allowed, brski_span_str(profile)))
			return true;
	}
	return false;
}

/* In every message: it goes to the PKI as it is. */
static enum brski_code check_general_info(const struct brski_cmp_header *header,
	struct brski_cmp_request *asked, const struct brski_cmp_rule *rule, struct brski_error *err)
{
	if (header->odd_info[0] != '\0')
		return refuse(asked, BRSKI_CMP_BAD_REQUEST, err,
			"generalInfo has an element that is not understood: %s", header->odd_info);
	if (header->cert_profile[0] == '\0' ||
		is_allowed(header->cert_profile, rule->profiles ? rule->profiles : ""))
		return BRSKI_OK;
	return refuse(asked, BRSKI_CMP_NOT_AUTHORIZED, err,
		"the device asks for certificate profile \"%s\", which is not in %s", header->cert_profile,
		rule->named_by ? rule->named_by : "the list of allowed ones");
}

/* RFC 9483 4.3.1 and 4.3.3: infoValue absent; 4.3.2 and 4.3.4: a certificate, and what is known of CRLs. */
static enum brski_code check_info_type(struct brski_cmp_request *asked, struct brski_error *err)
{
	static const struct {
		const char *oid;
		bool may_have_value;
	} types[] = {
		{BRSKI_OID_CA_CERTS, false},
		{BRSKI_OID_CERT_REQ_TEMPLATE, false},
		{BRSKI_OID_ROOT_CA_CERT, true},
		{BRSKI_OID_CRL_STATUS_LIST, true},
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(asked->info_type, types[i].oid) == 0 &&
			(types[i].may_have_value || !asked->info_has_value))
			return BRSKI_OK;
	}
	return refuse(asked, BRSKI_CMP_BAD_REQUEST, err, "a general message that is not understood: %s%s",
		asked->info_type, asked->info_has_value ? ", with a value" : "");
}

enum brski_code brski_cmp_content_authorize(
	struct brski_cmp_request *asked, const struct brski_cmp_rule *rule, struct brski_error *err)
{
	enum brski_code code = check_subject(asked, rule->idevid, err);

	if (code == BRSKI_OK)
		code = check_extensions(asked, err);
	if (code == BRSKI_OK)
		code = check_nothing_besides(asked, err);
	if (code == BRSKI_OK && asked->type == BRSKI_CMP_GENM)
		code = check_info_type(asked, err);
	return code;
}

enum brski_code brski_cmp_request_authorize(const struct brski_cmp *msg, struct brski_cmp_request *asked,
	const struct brski_cmp_rule *rule, struct brski_error *err)
{
	enum brski_code code = check_general_info(&msg->header, asked, rule, err);

	if (code != BRSKI_OK)
		return code;
	code = brski_cmp_content_authorize(asked, rule, err);
	asked->in_body = code != BRSKI_OK;
	return code;
}
