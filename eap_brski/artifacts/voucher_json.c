/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/artifacts/voucher_json.h"

#include <stdio.h>
#include <string.h>

#include "eap_brski/ground/base64.h"
#include "eap_brski/ground/json.h"
#include "eap_brski/ground/text.h"

#define KEY_VOUCHER "ietf-voucher:voucher"
#define KEY_REQUEST "ietf-voucher-request:voucher"

/*
 * The leaves of RFC 8366 5.3 and RFC 8995 3.4, JSON as RFC 7951 has it. Readers return
 * BRSKI_NOT_FOUND, without words, for a leaf that is not there.
 */

static enum brski_code get_text(
	const json_t *leaves, const char *name, const char **out, struct brski_error *err)
{
	const json_t *leaf = json_object_get(leaves, name);

	*out = NULL;
	if (!leaf)
		return BRSKI_NOT_FOUND;
	if (!json_is_string(leaf))
		return brski_fail(err, BRSKI_MALFORMED, "%s is not a string", name);
	*out = json_string_value(leaf);
	return BRSKI_OK;
}

static enum brski_code get_binary(
	const json_t *leaves, const char *name, struct brski_buf *out, struct brski_error *err)
{
	const char *text;
	enum brski_code code = get_text(leaves, name, &text, err);

	if (code != BRSKI_OK)
		return code;
	code = brski_base64_decode(brski_span_str(text), out, err);
	if (code != BRSKI_OK)
		return brski_fail_context(err, code, "%s", name);
	if (out->len == 0)
		return brski_fail(err, BRSKI_MALFORMED, "%s is empty", name);
	return BRSKI_OK;
}

static enum brski_code get_nonce(const json_t *leaves, struct brski_voucher *v, struct brski_error *err)
{
	const char *text;
	enum brski_code code = get_text(leaves, "nonce", &text, err);

	if (code != BRSKI_OK)
		return code;
	code = brski_nonce_read(brski_span_str(text), &v->nonce, err);
	if (code == BRSKI_OK) /* 32 octets have 44 letters at most */
		snprintf(v->nonce_text, sizeof(v->nonce_text), "%s", text);
	return code;
}

static enum brski_code get_time(const json_t *leaves, const char *name, time_t *out, struct brski_error *err)
{
	const char *text;
	enum brski_code code = get_text(leaves, name, &text, err);

	if (code != BRSKI_OK)
		return code;
	code = brski_time_parse(text, out, err);
	if (code != BRSKI_OK)
		return brski_fail_context(err, code, "%s", name);
	return code;
}

/* A date whose absence means something: 1970 and before, which the struct holds as absence, is refused. */
static enum brski_code get_deadline(
	const json_t *leaves, const char *name, time_t *out, struct brski_error *err)
{
	enum brski_code code = get_time(leaves, name, out, err);

	if (code == BRSKI_OK && *out <= 0)
		return brski_fail(err, BRSKI_MALFORMED, "%s lies before 1970", name);
	return code;
}

static enum brski_code get_boolean(
	const json_t *leaves, const char *name, bool *present, bool *out, struct brski_error *err)
{
	const json_t *leaf = json_object_get(leaves, name);

	if (!leaf)
		return BRSKI_NOT_FOUND;
	if (!json_is_boolean(leaf))
		return brski_fail(err, BRSKI_MALFORMED, "%s is not a boolean", name);
	*present = true;
	*out = json_is_true(leaf);
	return BRSKI_OK;
}

static enum brski_code get_assertion(const json_t *leaves, enum brski_assertion *out, struct brski_error *err)
{
	const char *text;
	enum brski_code code = get_text(leaves, "assertion", &text, err);

	if (code == BRSKI_OK)
		*out = brski_assertion_parse(text);
	return code;
}

static enum brski_code get_serial_number(
	const json_t *leaves, char out[BRSKI_SERIAL_MAX], struct brski_error *err)
{
	const char *text;
	enum brski_code code = get_text(leaves, "serial-number", &text, err);
	size_t len;

	if (code == BRSKI_NOT_FOUND)
		return brski_fail(err, BRSKI_MALFORMED, "serial-number is missing");
	if (code != BRSKI_OK)
		return code;
	len = strlen(text);
	if (len == 0 || len >= BRSKI_SERIAL_MAX)
		return brski_fail(err, BRSKI_MALFORMED, "serial-number of %zu octets", len);
	/* a certificate's serial number is printable, so no other can ever match */
	brski_printable(brski_span_str(text), out, BRSKI_SERIAL_MAX);
	if (strcmp(text, out) != 0)
		return brski_fail(err, BRSKI_MALFORMED, "serial-number is not printable text");
	return BRSKI_OK;
}

/*
 * What a voucher must have to be of use. rfc8366bis has created-on and assertion optional, a nonce
 * beside expires-on, and a key in place of the certificate: so it is read, whoever wrote it.
 */
static enum brski_code check_leaves(const struct brski_voucher *v, struct brski_error *err)
{
	if (v->is_request)
		return BRSKI_OK;
	if (v->pinned_domain_cert.len + v->pinned_domain_pubk.len + v->pinned_domain_pubk_sha256.len == 0)
		return brski_fail(err, BRSKI_MALFORMED, "pinned-domain-cert is missing");
	if (v->last_renewal_date != 0 && v->expires_on == 0)
		return brski_fail(
			err, BRSKI_MALFORMED, "last-renewal-date without expires-on (RFC 8366 5.3)");
	return BRSKI_OK;
}

/* "must" and "mandatory" statements of the YANG of RFC 8366 5.3, which we write by, for all readers. */
static enum brski_code check_written_leaves(const struct brski_voucher *v, struct brski_error *err)
{
	if (v->nonce.len > 0 && v->expires_on != 0)
		return brski_fail(
			err, BRSKI_MALFORMED, "nonce and expires-on exclude each other (RFC 8366 5.3)");
	if (v->assertion > BRSKI_ASSERTION_PROXIMITY)
		return brski_fail(err, BRSKI_MALFORMED, "assertion is none of RFC 8366 5.3");
	if (v->is_request)
		return BRSKI_OK;
	if (v->assertion == BRSKI_ASSERTION_NONE)
		return brski_fail(err, BRSKI_MALFORMED, "assertion is missing");
	if (v->pinned_domain_cert.len == 0)
		return brski_fail(err, BRSKI_MALFORMED, "pinned-domain-cert is missing");
	return check_leaves(v, err);
}

#define TRY(call) \
	do { \
		enum brski_code code_ = (call); \
		if (code_ != BRSKI_OK && code_ != BRSKI_NOT_FOUND) \
			return code_; \
	} while (0)

static enum brski_code read_common(const json_t *leaves, struct brski_voucher *v, struct brski_error *err)
{
	TRY(get_time(leaves, "created-on", &v->created_on, err));
	TRY(get_deadline(leaves, "expires-on", &v->expires_on, err));
	TRY(get_assertion(leaves, &v->assertion, err));
	TRY(get_serial_number(leaves, v->serial_number, err));
	TRY(get_binary(leaves, "idevid-issuer", &v->idevid_issuer, err));
	TRY(get_nonce(leaves, v, err));
	return BRSKI_OK;
}

static enum brski_code read_voucher(const json_t *leaves, struct brski_voucher *v, struct brski_error *err)
{
	TRY(read_common(leaves, v, err));
	TRY(get_binary(leaves, "pinned-domain-cert", &v->pinned_domain_cert, err));
	TRY(get_binary(leaves, "pinned-domain-pubk", &v->pinned_domain_pubk, err));
	TRY(get_binary(leaves, "pinned-domain-pubk-sha256", &v->pinned_domain_pubk_sha256, err));
	TRY(get_deadline(leaves, "last-renewal-date", &v->last_renewal_date, err));
	TRY(get_boolean(leaves, "domain-cert-revocation-checks", &v->has_revocation_checks,
		&v->domain_cert_revocation_checks, err));
	return BRSKI_OK;
}

/*
 * RFC 8995 3.4: pinned-domain-cert, last-renewal-date and domain-cert-revocation-checks are not
 * valid in a request, "and any occurrence MUST be ignored".
 */
static enum brski_code read_request(const json_t *leaves, struct brski_voucher *v, struct brski_error *err)
{
	TRY(read_common(leaves, v, err));
	TRY(get_binary(leaves, "proximity-registrar-cert", &v->proximity_registrar_cert, err));
	TRY(get_binary(leaves, "prior-signed-voucher-request", &v->prior_signed_voucher_request, err));
	return BRSKI_OK;
}

/* What is known by name, be it read or not: RFC 8366 5.3, RFC 8995 3.4. */
static bool is_leaf(const char *name)
{
	static const char *const leaves[] = {"created-on", "expires-on", "assertion", "serial-number",
		"idevid-issuer", "pinned-domain-cert", "pinned-domain-pubk", "pinned-domain-pubk-sha256",
		"domain-cert-revocation-checks", "nonce", "last-renewal-date", "prior-signed-voucher-request",
		"proximity-registrar-cert"};

	for (size_t i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++) {
		if (strcmp(leaves[i], name) == 0)
			return true;
	}
	return false;
}

/* Unknown leaves are passed over; where something is missing, one of them may be meant for it. */
static enum brski_code name_unknown(const json_t *leaves, enum brski_code code, struct brski_error *err)
{
	void *at = json_object_iter((json_t *)(uintptr_t)leaves);

	while (at && is_leaf(json_object_iter_key(at)))
		at = json_object_iter_next((json_t *)(uintptr_t)leaves, at);
	if (!at || !err)
		return code;
	return brski_fail(err, code, "%s (\"%.60s\" is there, which is no leaf that is known)", err->why,
		json_object_iter_key(at));
}

struct wanted {
	enum brski_voucher_kind kind;
	struct brski_voucher *voucher;
};

static const struct {
	const char *key, *what;
} kinds[] = {
	[BRSKI_VOUCHER] = {KEY_VOUCHER, "a voucher"},
	[BRSKI_VOUCHER_REQUEST] = {KEY_REQUEST, "a voucher-request"},
};

/* The one member; its name says what it is, and is told when it is not what is due. */
static enum brski_code find_leaves(
	const json_t *doc, enum brski_voucher_kind want, const json_t **leaves, struct brski_error *err)
{
	const char *key = json_object_iter_key(json_object_iter((json_t *)(uintptr_t)doc));
	bool other = key && (strcmp(key, KEY_VOUCHER) == 0 || strcmp(key, KEY_REQUEST) == 0);

	*leaves = json_object_get(doc, kinds[want].key);
	if (json_object_size(doc) != 1)
		return brski_fail(err, BRSKI_MALFORMED, "JSON of %zu members where %s is due, \"%s\" alone",
			json_object_size(doc), kinds[want].what, kinds[want].key);
	if (!*leaves)
		return brski_fail(err, other ? BRSKI_UNEXPECTED : BRSKI_MALFORMED,
			"JSON is \"%.60s\" where %s is due, \"%s\"", key, kinds[want].what, kinds[want].key);
	if (!json_is_object(*leaves))
		return brski_fail(err, BRSKI_MALFORMED, "%s is not a JSON object", kinds[want].key);
	return BRSKI_OK;
}

static enum brski_code read_leaves(
	const json_t *leaves, enum brski_voucher_kind kind, struct brski_voucher *v, struct brski_error *err)
{
	v->is_request = kind == BRSKI_VOUCHER_REQUEST;
	TRY(v->is_request ? read_request(leaves, v, err) : read_voucher(leaves, v, err));
	return check_leaves(v, err);
}

static enum brski_code read_document(const json_t *doc, void *into, struct brski_error *err)
{
	const struct wanted *wanted = into;
	const json_t *leaves;
	enum brski_code code = find_leaves(doc, wanted->kind, &leaves, err);

	if (code != BRSKI_OK)
		return code;
	code = read_leaves(leaves, wanted->kind, wanted->voucher, err);
	return code == BRSKI_MALFORMED ? name_unknown(leaves, code, err) : code;
}

enum brski_code brski_voucher_parse(struct brski_span json, enum brski_voucher_kind want,
	struct brski_voucher *out, struct brski_error *err)
{
	struct wanted wanted = {want, out};
	enum brski_code code;

	memset(out, 0, sizeof(*out));
	code = brski_json_read(json, read_document, &wanted, err);
	if (code != BRSKI_OK)
		brski_voucher_free(out);
	return code;
}

static bool put_text(json_t *leaves, const char *name, const char *text)
{
	return json_object_set_new(leaves, name, json_string(text)) == 0;
}

static bool put_time(json_t *leaves, const char *name, time_t t)
{
	char text[32];

	if (t == 0)
		return true;
	brski_time_format(t, text);
	return put_text(leaves, name, text);
}

static bool put_binary(json_t *leaves, const char *name, const struct brski_buf *octets)
{
	return octets->len == 0 ||
	       json_object_set_new(leaves, name, brski_json_base64(brski_buf_span(octets))) == 0;
}

static bool put_nonce(json_t *leaves, const struct brski_voucher *v)
{
	char text[BRSKI_NONCE_TEXT_MAX];

	return brski_voucher_nonce(v, text, NULL) == BRSKI_OK &&
	       (text[0] == '\0' || put_text(leaves, "nonce", text));
}

static bool put_leaves(json_t *leaves, const struct brski_voucher *v)
{
	bool ok = put_time(leaves, "created-on", v->created_on) &&
		  put_time(leaves, "expires-on", v->expires_on) &&
		  (v->assertion == BRSKI_ASSERTION_NONE ||
			  put_text(leaves, "assertion", brski_assertion_name(v->assertion))) &&
		  put_text(leaves, "serial-number", v->serial_number) &&
		  put_binary(leaves, "idevid-issuer", &v->idevid_issuer) && put_nonce(leaves, v);

	if (!ok)
		return false;
	if (v->is_request)
		return put_binary(leaves, "proximity-registrar-cert", &v->proximity_registrar_cert) &&
		       put_binary(leaves, "prior-signed-voucher-request", &v->prior_signed_voucher_request);
	return put_binary(leaves, "pinned-domain-cert", &v->pinned_domain_cert) &&
	       put_time(leaves, "last-renewal-date", v->last_renewal_date) &&
	       (!v->has_revocation_checks || json_object_set_new(leaves, "domain-cert-revocation-checks",
						     json_boolean(v->domain_cert_revocation_checks)) == 0);
}

static enum brski_code check_printable(const struct brski_voucher *v, struct brski_error *err)
{
	if (v->serial_number[0] == '\0')
		return brski_fail(err, BRSKI_MALFORMED, "serial-number is missing");
	if (v->nonce.len > 0 && (v->nonce.len < BRSKI_NONCE_MIN || v->nonce.len > BRSKI_NONCE_MAX))
		return brski_fail(err, BRSKI_MALFORMED, "nonce of %zu octets", v->nonce.len);
	if (!v->is_request && v->created_on == 0)
		return brski_fail(err, BRSKI_MALFORMED, "created-on is missing");
	return check_written_leaves(v, err);
}

enum brski_code brski_voucher_print(
	const struct brski_voucher *v, struct brski_buf *json, struct brski_error *err)
{
	json_t *doc, *leaves;
	enum brski_code code;

	brski_buf_reset(json);
	code = check_printable(v, err);
	if (code != BRSKI_OK)
		return code;
	leaves = json_object();
	doc = json_pack("{s:o}", v->is_request ? KEY_REQUEST : KEY_VOUCHER, leaves);
	if (!doc || !put_leaves(leaves, v))
		code = brski_fail(err, BRSKI_NO_MEMORY, "no memory to write a voucher");
	else
		code = brski_json_print(doc, json, err);
	json_decref(doc);
	return code;
}
