/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/pki/asn1.h"

#include <limits.h>

#include <openssl/asn1t.h>
#include <openssl/err.h>

static bool encodes_to(const void *value, const ASN1_ITEM *item, struct brski_span der)
{
	unsigned char *again = NULL;
	int len = ASN1_item_i2d(value, &again, item);
	bool same = len > 0 && brski_span_equal(brski_span(again, (size_t)len), der);

	OPENSSL_free(again);
	return same;
}

void *brski_asn1_read(struct brski_span der, const ASN1_ITEM *item, const char *what, struct brski_error *err)
{
	const unsigned char *at = der.data;
	ASN1_VALUE *value = NULL;

	if (der.len > 0 && der.len <= LONG_MAX)
		value = ASN1_item_d2i(NULL, &at, (long)der.len, item);
	if (!value) {
		(void)brski_fail_openssl(err, BRSKI_MALFORMED, "%s does not parse", what);
		return NULL;
	}
	if (!encodes_to(value, item, der)) { /* BER, or octets after the value */
		ASN1_item_free(value, item);
		(void)brski_fail(err, BRSKI_MALFORMED, "%s is not one value in DER", what);
		return NULL;
	}
	return value;
}

enum brski_code brski_asn1_write(
	const void *value, const ASN1_ITEM *item, struct brski_buf *out, struct brski_error *err)
{
	unsigned char *der = NULL;
	int len = ASN1_item_i2d(value, &der, item);

	if (len <= 0)
		return brski_fail_openssl(err, BRSKI_INTERNAL, "cannot encode in DER");
	brski_put(out, brski_span(der, (size_t)len));
	OPENSSL_free(der);
	return brski_buf_status(out, err);
}

void brski_asn1_wrap(struct brski_buf *out, int tag, int xclass, struct brski_span content)
{
	unsigned char head[16];
	unsigned char *at = head;

	if (content.len > INT_MAX) {
		out->failed = true;
		return;
	}
	ASN1_put_object(&at, 1, (int)content.len, tag, xclass);
	brski_put(out, brski_span(head, (size_t)(at - head)));
	brski_put(out, content);
}

bool brski_asn1_unwrap(struct brski_span der, int *tag, int *xclass, struct brski_span *content)
{
	const unsigned char *at = der.data;
	long len;
	int form;

	*tag = *xclass = 0;
	*content = (struct brski_span){0};
	if (der.len == 0 || der.len > INT_MAX)
		return false;
	form = ASN1_get_object(&at, &len, tag, xclass, (long)der.len);
	if (form != V_ASN1_CONSTRUCTED) { /* an error, primitive, or of indefinite length */
		ERR_clear_error();
		return false;
	}
	*content = brski_span(at, (size_t)len);
	return content->data + content->len == der.data + der.len &&
	       ASN1_object_size(1, (int)len, *tag) == (int)der.len;
}

struct brski_span brski_asn1_raw(const ASN1_TYPE *any)
{
	if (any && any->type == V_ASN1_SEQUENCE)
		return brski_asn1_octets(any->value.sequence);
	if (any && any->type == V_ASN1_OTHER)
		return brski_asn1_octets(any->value.asn1_string);
	return (struct brski_span){0};
}

ASN1_TYPE *brski_asn1_any(struct brski_span der)
{
	return brski_asn1_read(der, ASN1_ITEM_rptr(ASN1_ANY), "element", NULL);
}

struct brski_span brski_asn1_octets(const ASN1_STRING *s)
{
	if (!s)
		return (struct brski_span){0};
	return brski_span(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
}

bool brski_asn1_long(const ASN1_INTEGER *in, long min, long max, long *out)
{
	int64_t v;

	*out = 0;
	if (!in || ASN1_INTEGER_get_int64(&v, in) != 1) {
		ERR_clear_error();
		return false;
	}
	if (v < min || v > max)
		return false;
	*out = (long)v;
	return true;
}
