/* SPDX-License-Identifier: BSD-3-Clause */
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "eap_brski/cmp/cmp_internal.h"
#include "eap_brski/pki/cert.h"

/*
 * What a device may ask for, RFC 9483 5.1: the RA authorizes a request before it forwards it. A PKI
 * may believe an RA, and give what is asked for.
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

static bool asks_for_power(const void *value)
{
	return brski_cmp_usage_has_power(value);
}

static const struct {
	int nid;
	bool (*asks_too_much)(const void *value);
} judged[] = {
	{NID_basic_constraints, asks_for_ca},
	{NID_key_usage, asks_for_issuing},
	{NID_ext_key_usage, asks_for_power},
};

/* An extension that does not parse, or comes twice, is one that nobody can judge. */
static bool is_modest(
	const STACK_OF(X509_EXTENSION) *extensions, int nid, bool (*asks_too_much)(const void *value))
{
	const X509V3_EXT_METHOD *method = X509V3_EXT_get_nid(nid);
	void *value = X509V3_get_d2i(extensions, nid, NULL, NULL);
	bool modest = X509v3_get_ext_by_NID(extensions, nid, -1) < 0;

	if (value) {
		modest = !asks_too_much(value);
		ASN1_item_free(value, ASN1_ITEM_ptr(method->it));
	}
	ERR_clear_error();
	return modest;
}

enum brski_code brski_cmp_request_authorize(
	const struct brski_cmp_request *asked, const X509 *idevid, struct brski_error *err)
{
	char name[160];

	if (asked->subject && !brski_name_equal(asked->subject, X509_get_subject_name(idevid))) {
		brski_name_text(asked->subject, name, sizeof(name));
		return brski_fail(
			err, BRSKI_REFUSED, "the device asks for another subject than its own: %s", name);
	}
	for (size_t i = 0; i < sizeof(judged) / sizeof(judged[0]); i++) {
		if (!is_modest(asked->extensions, judged[i].nid, judged[i].asks_too_much))
			return brski_fail(err, BRSKI_REFUSED,
				"the device asks for powers that are a CA's or registrar's: %s",
				OBJ_nid2ln(judged[i].nid));
	}
	return BRSKI_OK;
}
