/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "eap_brski/cmp/cmp_internal.h"
#include "eap_brski/ground/text.h"

#define FAIL_BITS 27 /* PKIFailureInfo, RFC 9810 5.2.3 */

static bool is_utf8(struct brski_span text)
{
	while (text.len > 0) {
		unsigned long c;
		struct brski_span one;
		int n = UTF8_getc(text.data, (int)text.len, &c);

		if (n <= 0 || !brski_read_span(&text, (size_t)n, &one))
			return false;
	}
	return true;
}

static void append_text(struct brski_span text, char out[BRSKI_CMP_TEXT_MAX])
{
	size_t used = strlen(out);

	if (used > 0 && used + 2 < BRSKI_CMP_TEXT_MAX) {
		memcpy(out + used, "; ", 3);
		used += 2;
	}
	brski_printable(text, out + used, BRSKI_CMP_TEXT_MAX - used);
}

enum brski_code brski_cmp_text_read(
	const BRSKI_FREETEXT *in, char out[BRSKI_CMP_TEXT_MAX], struct brski_error *err)
{
	if (in && sk_ASN1_UTF8STRING_num(in) == 0)
		return brski_fail(err, BRSKI_MALFORMED, "PKIFreeText without a text (RFC 9810 5.1.1)");
	for (int i = 0; i < sk_ASN1_UTF8STRING_num(in); i++) {
		struct brski_span text = brski_asn1_octets(sk_ASN1_UTF8STRING_value(in, i));

		if (!is_utf8(text)) {
			append_text(text, out);
			return brski_fail(
				err, BRSKI_MALFORMED, "PKIFreeText is not UTF-8 (RFC 9810 5.1.1): %s", out);
		}
		append_text(text, out);
	}
	return BRSKI_OK;
}

bool brski_cmp_text_new(const char *text, BRSKI_FREETEXT **out)
{
	char printable[BRSKI_CMP_TEXT_MAX];
	ASN1_UTF8STRING *s;

	*out = NULL;
	if (!text || !text[0])
		return true;
	brski_printable(brski_span_str(text), printable, sizeof(printable));
	s = ASN1_UTF8STRING_new();
	*out = sk_ASN1_UTF8STRING_new_null();
	if (s && *out && ASN1_STRING_set(s, printable, -1) == 1 && sk_ASN1_UTF8STRING_push(*out, s) > 0)
		return true;
	ASN1_UTF8STRING_free(s);
	sk_ASN1_UTF8STRING_free(*out);
	*out = NULL;
	return false;
}

static enum brski_cmp_fail first_bit(const ASN1_BIT_STRING *bits)
{
	for (int i = 0; bits && i < FAIL_BITS; i++) {
		if (ASN1_BIT_STRING_get_bit(bits, i))
			return (enum brski_cmp_fail)i;
	}
	return BRSKI_CMP_FAIL_NONE;
}

enum brski_code brski_cmp_status_read(
	const BRSKI_STATUSINFO *in, struct brski_cmp_status_info *out, struct brski_error *err)
{
	long status;

	*out = (struct brski_cmp_status_info){.fail = BRSKI_CMP_FAIL_NONE};
	/* the warnings above waiting(3) are for revocation and key update */
	if (!brski_asn1_long(in->status, BRSKI_CMP_ACCEPTED, BRSKI_CMP_WAITING, &status))
		return brski_fail(err, BRSKI_UNSUPPORTED,
			"PKIStatus is none of accepted, grantedWithMods, rejection and waiting");
	out->status = (enum brski_cmp_status)status;
	out->fail = first_bit(in->fail_info);
	return brski_cmp_text_read(in->text, out->text, err);
}

BRSKI_STATUSINFO *brski_cmp_status_new(
	enum brski_cmp_status status, enum brski_cmp_fail fail, const char *text)
{
	BRSKI_STATUSINFO *made = BRSKI_STATUSINFO_new();
	/* RFC 9483 4.1.1 and 4.4: failInfo with a rejection only */
	bool with_fail = status == BRSKI_CMP_REJECTION && fail != BRSKI_CMP_FAIL_NONE;

	if (!made || ASN1_INTEGER_set(made->status, status) != 1 || !brski_cmp_text_new(text, &made->text))
		goto failed;
	if (with_fail) {
		made->fail_info = ASN1_BIT_STRING_new();
		if (!made->fail_info || ASN1_BIT_STRING_set_bit(made->fail_info, (int)fail, 1) != 1)
			goto failed;
	}
	return made;
failed:
	BRSKI_STATUSINFO_free(made);
	return NULL;
}
