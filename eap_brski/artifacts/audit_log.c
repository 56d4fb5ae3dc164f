/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/artifacts/audit_log.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "eap_brski/ground/base64.h"
#include "eap_brski/ground/json.h"
#include "eap_brski/ground/text.h"

#define VALUES_PER_EVENT 8 /* RFC 8995 5.8.1 has five */

void brski_audit_log_free(struct brski_audit_log *log)
{
	for (size_t i = 0; i < log->n_events; i++) {
		brski_buf_free(&log->events[i].domain_id);
		brski_buf_free(&log->events[i].nonce);
	}
	free(log->events);
	memset(log, 0, sizeof(*log));
}

/* A count, as a number (the CDDL of 5.8.1) or as text (the example there); 0 if it is absent. */
static enum brski_code read_count(const json_t *in, const char *name, long *out, struct brski_error *err)
{
	const json_t *value = json_object_get(in, name);
	char *end = NULL;

	*out = 0;
	if (!value || json_is_null(value))
		return BRSKI_OK;
	if (json_is_integer(value) && json_integer_value(value) <= INT_MAX)
		*out = (long)json_integer_value(value);
	else if (json_is_string(value) && isdigit((unsigned char)json_string_value(value)[0]) &&
		 json_string_length(value) < 10)
		*out = strtol(json_string_value(value), &end, 10);
	else
		*out = -1;
	if (*out < 0 || (end && *end != '\0'))
		return brski_fail(err, BRSKI_MALFORMED, "\"%s\" in the audit log is not a count", name);
	return BRSKI_OK;
}

/*
 * An entry that somebody wrote years ago, or by another draft, is no reason to refuse a device for its
 * form: what cannot be read of it is left empty, and then it is of no known domain.
 */
static const char *text_of(const json_t *in, const char *name)
{
	const char *text = json_string_value(json_object_get(in, name));

	return text ? text : "";
}

/* 0: none that can be read */
static time_t read_date(const json_t *in)
{
	time_t date = 0;

	return brski_time_parse(text_of(in, "date"), &date, NULL) == BRSKI_OK ? date : 0;
}

static enum brski_code read_domain_id(const json_t *in, struct brski_buf *out)
{
	struct brski_span text = brski_span_str(text_of(in, "domainID"));
	enum brski_code code = brski_base64_decode(text, out, NULL);

	if (code == BRSKI_MALFORMED)
		code = brski_base64url_decode(text, out, NULL);
	if (code == BRSKI_OK && out->len > BRSKI_DOMAIN_ID_MAX)
		brski_buf_reset(out);
	return code == BRSKI_MALFORMED ? BRSKI_OK : code;
}

/*
 * RFC 8995 5.8.1: the nonce is what stood in the request, often base64, but "this should not be
 * assumed". Only its being there is judged.
 */
static enum brski_code read_nonce(const json_t *in, struct brski_buf *out)
{
	const json_t *nonce = json_object_get(in, "nonce");

	if (!nonce || json_is_null(nonce))
		return BRSKI_OK;
	if (!json_is_string(nonce))
		return brski_buf_set(out, brski_span_str("?"));
	return brski_buf_set(out, brski_span(json_string_value(nonce), json_string_length(nonce)));
}

static enum brski_code read_event(const json_t *in, struct brski_audit_event *event, struct brski_error *err)
{
	enum brski_code code = read_domain_id(in, &event->domain_id);
	long truncated;

	if (code == BRSKI_OK)
		code = read_nonce(in, &event->nonce);
	if (code != BRSKI_OK)
		return brski_fail(err, code, "no memory for an audit log");
	event->date = read_date(in);
	event->assertion = brski_assertion_parse(text_of(in, "assertion"));
	if (read_count(in, "truncated", &truncated, NULL) == BRSKI_OK && truncated > 0)
		snprintf(event->truncated, sizeof(event->truncated), "%ld", truncated);
	return BRSKI_OK;
}

static enum brski_code read_truncation(
	const json_t *doc, struct brski_audit_log *log, struct brski_error *err)
{
	const json_t *truncation = json_object_get(doc, "truncation");
	long nonced, nonceless;
	enum brski_code code;

	if (!truncation)
		return BRSKI_OK;
	if (!json_is_object(truncation))
		return brski_fail(err, BRSKI_MALFORMED, "truncation in the audit log is not an object");
	code = read_count(truncation, "arbitrary", &log->truncated, err);
	if (code == BRSKI_OK)
		code = read_count(truncation, "nonced duplicates", &nonced, err);
	if (code == BRSKI_OK)
		code = read_count(truncation, "nonceless duplicates", &nonceless, err);
	if (code == BRSKI_OK)
		log->duplicates = nonced + nonceless;
	return code;
}

static enum brski_code read_events(const json_t *doc, struct brski_audit_log *log, struct brski_error *err)
{
	const json_t *events = json_object_get(doc, "events");
	size_t n = json_array_size(events);
	enum brski_code code = BRSKI_OK;

	if (n == 0)
		return brski_fail(err, BRSKI_MALFORMED, "audit log without events");
	if (n > BRSKI_AUDIT_EVENTS_READ_MAX)
		return brski_fail(err, BRSKI_TOO_LARGE, "audit log of %zu events, %d are allowed", n,
			BRSKI_AUDIT_EVENTS_READ_MAX);
	log->events = calloc(n, sizeof(*log->events));
	if (!log->events)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for an audit log");
	log->n_events = n;
	for (size_t i = 0; code == BRSKI_OK && i < n; i++)
		code = read_event(json_array_get(events, i), &log->events[i], err);
	return code;
}

static enum brski_code read_log(const json_t *doc, void *into, struct brski_error *err)
{
	struct brski_audit_log *log = into;
	long version;
	enum brski_code code = read_count(doc, "version", &version, err);

	if (code == BRSKI_OK && version < 1)
		code = brski_fail(err, BRSKI_MALFORMED, "audit log without a version");
	if (code == BRSKI_OK)
		code = read_events(doc, log, err);
	if (code == BRSKI_OK)
		code = read_truncation(doc, log, err);
	return code;
}

enum brski_code brski_audit_log_parse(
	struct brski_span json, struct brski_audit_log *out, struct brski_error *err)
{
	static const struct brski_json_limits limits = {
		.octets = BRSKI_AUDIT_LOG_MAX,
		.values = BRSKI_AUDIT_EVENTS_READ_MAX * VALUES_PER_EVENT,
	};
	enum brski_code code;

	memset(out, 0, sizeof(*out));
	code = brski_json_read_within(json, &limits, read_log, out, err);
	if (code != BRSKI_OK)
		brski_audit_log_free(out);
	return code;
}

static json_t *event_to_json(const struct brski_audit_event *event)
{
	long truncated = strtol(event->truncated, NULL, 10);
	char date[32];
	json_t *json;

	brski_time_format(event->date, date);
	json = json_pack("{s:s, s:o, s:o, s:s}", "date", date, "domainID",
		brski_json_base64(brski_buf_span(&event->domain_id)), "nonce",
		event->nonce.len > 0 ? json_stringn((const char *)event->nonce.data, event->nonce.len)
				     : json_null(),
		"assertion", brski_assertion_name(event->assertion));
	if (json && truncated > 0)
		json_object_set_new(json, "truncated", json_integer(truncated));
	return json;
}

static json_t *log_to_json(const struct brski_audit_log *log)
{
	json_t *doc = json_pack("{s:i, s:[]}", "version", 1, "events");
	json_t *events = json_object_get(doc, "events");
	bool ok = doc != NULL;

	for (size_t i = 0; ok && i < log->n_events; i++)
		ok = json_array_append_new(events, event_to_json(&log->events[i])) == 0;
	/* of which kind the duplicates were is not kept, since nobody's decision hangs on it */
	if (ok && (log->truncated > 0 || log->duplicates > 0))
		ok = json_object_set_new(doc, "truncation",
			     json_pack("{s:I, s:I}", "nonced duplicates", (json_int_t)log->duplicates,
				     "arbitrary", (json_int_t)log->truncated)) == 0;
	if (ok)
		return doc;
	json_decref(doc);
	return NULL;
}

enum brski_code brski_audit_log_print(
	const struct brski_audit_log *log, struct brski_buf *json, struct brski_error *err)
{
	json_t *doc;
	enum brski_code code;

	brski_buf_reset(json);
	if (log->n_events == 0 || log->n_events > BRSKI_AUDIT_EVENTS_MAX)
		return brski_fail(err, BRSKI_TOO_LARGE, "audit log of %zu events, 1 to %d are allowed",
			log->n_events, BRSKI_AUDIT_EVENTS_MAX);
	doc = log_to_json(log);
	if (doc)
		code = brski_json_print(doc, json, err);
	else
		code = brski_fail(err, BRSKI_NO_MEMORY, "no memory for an audit log");
	json_decref(doc);
	return code;
}

static enum brski_code spki_fingerprint(const X509 *cert, struct brski_buf *out)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned char *der = NULL;
	unsigned len = 0;
	int der_len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	enum brski_code code = BRSKI_INTERNAL;

	if (der_len > 0 && EVP_Digest(der, (size_t)der_len, digest, &len, EVP_sha256(), NULL) == 1)
		code = brski_buf_set(out, brski_span(digest, len));
	OPENSSL_free(der);
	return code;
}

enum brski_code brski_domain_id(const X509 *pinned, struct brski_buf *out, struct brski_error *err)
{
	ASN1_OCTET_STRING *id = X509_get_ext_d2i(pinned, NID_subject_key_identifier, NULL, NULL);
	enum brski_code code;

	brski_buf_reset(out);
	if (id && id->length > 0 && id->length <= BRSKI_DOMAIN_ID_MAX)
		code = brski_buf_set(out, brski_span(id->data, (size_t)id->length));
	else
		code = spki_fingerprint(pinned, out);
	ASN1_OCTET_STRING_free(id);
	if (code != BRSKI_OK)
		return brski_fail_openssl(err, code, "cannot calculate a domainID");
	ERR_clear_error();
	return BRSKI_OK;
}

static bool is_known(const struct brski_audit_event *event, const struct brski_audit_policy *policy)
{
	for (size_t i = 0; i < policy->n_known; i++) {
		if (brski_span_equal(brski_buf_span(&event->domain_id), policy->known_domains[i]))
			return true;
	}
	return false;
}

static enum brski_code refuse(
	const struct brski_audit_event *event, const char *what, struct brski_error *err)
{
	char domain[2 * BRSKI_DOMAIN_ID_MAX + 1] = "?";
	char date[32] = "an unknown day";

	if (event->domain_id.len > 0)
		brski_hex(brski_buf_span(&event->domain_id), domain, sizeof(domain));
	if (event->date != 0)
		brski_time_format(event->date, date);
	return brski_fail(err, BRSKI_REFUSED, "audit log: on %s the device got a %s for another domain (%s)",
		date, what, domain);
}

enum brski_code brski_audit_log_judge(
	const struct brski_audit_log *log, const struct brski_audit_policy *policy, struct brski_error *err)
{
	for (size_t i = 0; i < log->n_events; i++) {
		const struct brski_audit_event *event = &log->events[i];

		if (is_known(event, policy))
			continue;
		if (!policy->allow_foreign)
			return refuse(event, "voucher", err);
		if (event->nonce.len == 0 && !policy->allow_nonceless)
			return refuse(event, "nonceless voucher", err);
	}
	if (log->truncated > 0 && !policy->allow_foreign)
		return brski_fail(err, BRSKI_REFUSED,
			"audit log: %ld events were left out, which may be of another domain",
			log->truncated);
	return BRSKI_OK;
}
