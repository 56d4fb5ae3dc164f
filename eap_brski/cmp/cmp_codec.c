/* SPDX-License-Identifier: BSD-3-Clause */
#include <openssl/err.h>

#include "eap_brski/cmp/cmp_internal.h"
#include "eap_brski/pki/limits.h"

void brski_cmp_free(struct brski_cmp *msg)
{
	brski_buf_free(&msg->der);
	brski_buf_free(&msg->protection);
	brski_cmp_header_free(&msg->header);
	sk_X509_pop_free(msg->extra_certs, X509_free);
	*msg = (struct brski_cmp){0};
}

struct brski_span brski_cmp_content(const struct brski_cmp *msg)
{
	struct brski_span content;
	int tag, xclass;

	if (!brski_asn1_unwrap(msg->body_der, &tag, &xclass, &content))
		return (struct brski_span){0};
	return content;
}

/* Header and body lie at the start of the message's SEQUENCE, one after the other. */
static enum brski_code find_parts(const BRSKI_PKIMESSAGE *in, struct brski_cmp *out, struct brski_error *err)
{
	struct brski_span rest, content;
	int tag, xclass;

	if (!brski_asn1_unwrap(brski_buf_span(&out->der), &tag, &xclass, &rest) ||
		!brski_read_span(&rest, brski_asn1_raw(in->header).len, &out->header_der) ||
		!brski_read_span(&rest, brski_asn1_raw(in->body).len, &out->body_der))
		return brski_fail(err, BRSKI_MALFORMED, "CMP message does not parse");
	if (!brski_asn1_unwrap(out->body_der, &tag, &xclass, &content) || xclass != V_ASN1_CONTEXT_SPECIFIC ||
		tag > BRSKI_CMP_POLLREP)
		return brski_fail(err, BRSKI_MALFORMED, "CMP message has no body of a known kind");
	out->type = tag;
	return BRSKI_OK;
}

/* RFC 9810 5.1.3: protectionAlg and protection are there both, or neither. */
static enum brski_code check_protection_alg(const struct brski_cmp *msg, struct brski_error *err)
{
	if (msg->is_protected == (msg->header.protection_alg.len > 0))
		return BRSKI_OK;
	return brski_fail(err, BRSKI_BAD_SIGNATURE,
		"CMP message with protectionAlg but no protection, or the other way");
}

static enum brski_code read_protection(
	const ASN1_BIT_STRING *in, struct brski_cmp *out, struct brski_error *err)
{
	enum brski_code code;

	out->is_protected = in != NULL;
	code = check_protection_alg(out, err);
	if (code != BRSKI_OK)
		return code;
	if (in && (in->length == 0 || (in->flags & 7) != 0))
		return brski_fail(err, BRSKI_MALFORMED, "CMP protection is no string of whole octets");
	if (brski_buf_set(&out->protection, brski_asn1_octets(in)) != BRSKI_OK)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	return BRSKI_OK;
}

/* Takes the certificates out of `in`. */
static enum brski_code read_extra_certs(BRSKI_PKIMESSAGE *in, struct brski_cmp *out, struct brski_error *err)
{
	enum brski_code code;

	if (in->extra_certs && sk_X509_num(in->extra_certs) == 0)
		return brski_fail(err, BRSKI_MALFORMED, "extraCerts without a certificate (RFC 9810 5.1)");
	code = brski_peer_certs_check(in->extra_certs, err);
	if (code != BRSKI_OK)
		return brski_fail_context(err, code, "extraCerts");
	out->extra_certs = in->extra_certs ? in->extra_certs : sk_X509_new_null();
	in->extra_certs = NULL;
	return out->extra_certs ? BRSKI_OK : brski_fail(err, BRSKI_NO_MEMORY, "no memory");
}

static enum brski_code read_message(
	BRSKI_PKIMESSAGE *in, struct brski_span der, struct brski_cmp *out, struct brski_error *err)
{
	enum brski_code code;

	if (brski_buf_set(&out->der, der) != BRSKI_OK)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	if ((code = find_parts(in, out, err)) != BRSKI_OK ||
		(code = brski_cmp_header_read(out->header_der, &out->header, err)) != BRSKI_OK ||
		(code = read_protection(in->protection, out, err)) != BRSKI_OK)
		return code;
	return read_extra_certs(in, out, err);
}

enum brski_code brski_cmp_decode(struct brski_span der, struct brski_cmp *out, struct brski_error *err)
{
	BRSKI_PKIMESSAGE *in;
	enum brski_code code;

	*out = (struct brski_cmp){0};
	if (der.len > BRSKI_CMP_MAX)
		return brski_fail(err, BRSKI_TOO_LARGE, "CMP message of %zu octets, %d are allowed", der.len,
			BRSKI_CMP_MAX);
	in = brski_asn1_read(der, ASN1_ITEM_rptr(BRSKI_PKIMESSAGE), "CMP message", err);
	if (!in)
		return BRSKI_MALFORMED;
	code = read_message(in, der, out, err);
	BRSKI_PKIMESSAGE_free(in);
	if (code != BRSKI_OK)
		brski_cmp_free(out);
	return code;
}

/* ---- as much as can be answered ---- */

/* One element of whatever length octets, from the front of *rest; its head and content. */
static bool take_element(struct brski_span *rest, int *tag, int *xclass, struct brski_span *whole)
{
	const unsigned char *at = rest->data;
	long len = 0;

	if (rest->len == 0 || rest->len > BRSKI_CMP_MAX ||
		(ASN1_get_object(&at, &len, tag, xclass, (long)rest->len) & 0x81) != 0) {
		ERR_clear_error();
		return false; /* an error, or of indefinite length */
	}
	return brski_read_span(rest, (size_t)(at - rest->data) + (size_t)len, whole);
}

static bool enter(struct brski_span der, struct brski_span *inside)
{
	const unsigned char *at = der.data;
	int tag, xclass;
	long len = 0;

	if (der.len == 0 || der.len > BRSKI_CMP_MAX ||
		(ASN1_get_object(&at, &len, &tag, &xclass, (long)der.len) & 0x80) != 0 ||
		tag != V_ASN1_SEQUENCE || xclass != V_ASN1_UNIVERSAL) {
		ERR_clear_error();
		return false;
	}
	*inside = brski_span(at, der.len - (size_t)(at - der.data));
	return true;
}

enum brski_code brski_cmp_decode_header(struct brski_span der, struct brski_cmp *out, struct brski_error *err)
{
	struct brski_span rest = {0}, header = {0}, body = {0};
	int tag, xclass;
	enum brski_code code;

	*out = (struct brski_cmp){.type = -1};
	if (!enter(der, &rest) || !take_element(&rest, &tag, &xclass, &header))
		return brski_fail(err, BRSKI_MALFORMED, "not a CMP message");
	code = brski_cmp_header_salvage(header, &out->header, err);
	if (code != BRSKI_OK)
		return code;
	if (take_element(&rest, &tag, &xclass, &body) && xclass == V_ASN1_CONTEXT_SPECIFIC)
		out->type = tag;
	out->extra_certs = sk_X509_new_null();
	if (out->extra_certs)
		return BRSKI_OK;
	brski_cmp_free(out);
	return brski_fail(err, BRSKI_NO_MEMORY, "no memory");
}

/* ---- encoding ---- */

static bool set_raw(ASN1_TYPE **field, struct brski_span der)
{
	ASN1_TYPE_free(*field);
	*field = brski_asn1_any(der);
	return *field != NULL;
}

static bool set_protection(BRSKI_PKIMESSAGE *made, const struct brski_cmp *msg)
{
	if (!msg->is_protected)
		return true;
	made->protection = ASN1_BIT_STRING_new();
	if (!made->protection ||
		ASN1_BIT_STRING_set(made->protection, msg->protection.data, (int)msg->protection.len) != 1)
		return false;
	/* all bits count, also trailing zeros */
	made->protection->flags &= ~(ASN1_STRING_FLAG_BITS_LEFT | 7);
	made->protection->flags |= ASN1_STRING_FLAG_BITS_LEFT;
	return true;
}

static bool set_extra_certs(BRSKI_PKIMESSAGE *made, const struct brski_cmp *msg)
{
	if (sk_X509_num(msg->extra_certs) <= 0)
		return true;
	made->extra_certs = X509_chain_up_ref(msg->extra_certs);
	return made->extra_certs != NULL;
}

enum brski_code brski_cmp_encode(const struct brski_cmp *msg, struct brski_buf *out, struct brski_error *err)
{
	BRSKI_PKIMESSAGE *made = BRSKI_PKIMESSAGE_new();
	enum brski_code code;

	brski_buf_reset(out);
	if (made && set_raw(&made->header, msg->header_der) && set_raw(&made->body, msg->body_der) &&
		set_protection(made, msg) && set_extra_certs(made, msg))
		code = brski_asn1_write(made, ASN1_ITEM_rptr(BRSKI_PKIMESSAGE), out, err);
	else
		code = brski_fail_openssl(err, BRSKI_INTERNAL, "cannot make a CMP message");
	BRSKI_PKIMESSAGE_free(made);
	if (code == BRSKI_OK && out->len > BRSKI_CMP_MAX)
		code = brski_fail(err, BRSKI_TOO_LARGE, "CMP message of %zu octets, %d are allowed", out->len,
			BRSKI_CMP_MAX);
	if (code != BRSKI_OK)
		brski_buf_reset(out);
	return code;
}
