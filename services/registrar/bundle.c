/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/bundle.h"

#include <stdlib.h>
#include <string.h>

#include "eap_brski/ground/base64.h"
#include "eap_brski/ground/json.h"
#include "eap_brski/ground/text.h"
#include "eap_brski/pki/cms.h"
#include "eap_brski/transport/http_follow.h"

#define REQUESTS_VERSION "brski-requests"
#define ANSWERS_VERSION "brski-answers"
#define VERSION 1

static const struct {
	const char *name;
	const char *back_end;
	bool https_only;
	bool is_job;
	enum brski_job_kind job;
} kinds[BRSKI_BUNDLE_KINDS] = {
	[BRSKI_BUNDLE_VOUCHER] = {"voucher", "MASA", true, true, BRSKI_JOB_VOUCHER},
	[BRSKI_BUNDLE_CERTIFICATE] = {"certificate", "PKI", false, true, BRSKI_JOB_CMP},
	[BRSKI_BUNDLE_NONCELESS] = {.name = "nonceless-voucher", .back_end = "MASA", .https_only = true},
};

const char *brski_bundle_kind_name(enum brski_bundle_kind kind)
{
	return (unsigned)kind < BRSKI_BUNDLE_KINDS ? kinds[kind].name : "unknown";
}

bool brski_bundle_kind_is_https_only(enum brski_bundle_kind kind)
{
	return (unsigned)kind >= BRSKI_BUNDLE_KINDS || kinds[kind].https_only;
}

const char *brski_bundle_kind_back_end(enum brski_bundle_kind kind)
{
	return (unsigned)kind < BRSKI_BUNDLE_KINDS ? kinds[kind].back_end : "back end";
}

enum brski_bundle_kind brski_bundle_kind_of(enum brski_job_kind kind)
{
	int i = 0;

	while (i < BRSKI_BUNDLE_KINDS && !(kinds[i].is_job && kinds[i].job == kind))
		i++;
	return (enum brski_bundle_kind)i;
}

static void item_free(struct brski_bundle_item *item)
{
	brski_buf_free(&item->tls_anchors);
	for (size_t i = 0; i < item->n_calls; i++)
		brski_planned_free(&item->calls[i]);
	for (size_t i = 0; i < item->n_answers; i++)
		brski_http_free(&item->answers[i]);
}

void brski_bundle_free(struct brski_bundle *bundle)
{
	for (size_t i = 0; i < bundle->n_items; i++)
		item_free(&bundle->items[i]);
	free(bundle->items);
	memset(bundle, 0, sizeof(*bundle));
}

struct brski_bundle_item *brski_bundle_add(struct brski_bundle *bundle)
{
	struct brski_bundle_item *more;

	if (bundle->n_items >= BRSKI_BUNDLE_ITEMS_MAX)
		return NULL;
	/* room doubles: 1, 2, 4 ... */
	if ((bundle->n_items & (bundle->n_items - 1)) == 0) {
		more = realloc(bundle->items, (bundle->n_items ? 2 * bundle->n_items : 1) * sizeof(*more));
		if (!more)
			return NULL;
		bundle->items = more;
	}
	more = &bundle->items[bundle->n_items++];
	memset(more, 0, sizeof(*more));
	return more;
}

/* ---- Writing ---- */

static json_t *fields_object(const struct brski_http *msg)
{
	json_t *json = json_object();

	for (size_t i = 0; json && i < msg->n_fields; i++) {
		if (json_object_set_new(json, msg->fields[i].name, json_string(msg->fields[i].value)) == 0)
			continue;
		json_decref(json);
		return NULL;
	}
	return json;
}

static json_t *call_object(const struct brski_planned *call)
{
	return json_pack("{s:s, s:s, s:o, s:o}", "method", call->request.method, "url", call->url, "fields",
		fields_object(&call->request), "body",
		brski_json_base64(brski_buf_span(&call->request.body)));
}

static json_t *answer_object(const struct brski_http *answer)
{
	return json_pack("{s:I, s:o, s:o}", "status", (json_int_t)answer->status, "fields",
		fields_object(answer), "body", brski_json_base64(brski_buf_span(&answer->body)));
}

static json_t *calls_array(const struct brski_bundle_item *item)
{
	json_t *list = json_array();

	for (size_t i = 0; i < item->n_calls; i++)
		if (json_array_append_new(list, call_object(&item->calls[i])) != 0)
			goto fail;
	return list;
fail:
	json_decref(list);
	return NULL;
}

static json_t *answers_array(const struct brski_bundle_item *item)
{
	json_t *list = json_array();

	for (size_t i = 0; i < item->n_answers; i++)
		if (json_array_append_new(list, answer_object(&item->answers[i])) != 0)
			goto fail;
	return list;
fail:
	json_decref(list);
	return NULL;
}

static json_t *item_object(const struct brski_bundle_item *item, bool answers)
{
	json_t *json = json_pack("{s:s, s:s, s:s, s:s}", "key", item->key, "kind", kinds[item->kind].name,
		"manufacturer", item->manufacturer, "serial-number", item->serial_number);
	const struct brski_buf *pem = &item->tls_anchors;
	int rc;

	if (!json)
		return NULL;
	if (answers) {
		rc = json_object_set_new(json, "answers", answers_array(item));
		rc |= json_object_set_new(json, "trouble", json_string(item->trouble));
	} else {
		rc = json_object_set_new(json, "calls", calls_array(item));
		rc |= json_object_set_new(
			json, "tls-anchors", json_stringn(pem->len ? (const char *)pem->data : "", pem->len));
	}
	if (rc == 0)
		return json;
	json_decref(json);
	return NULL;
}

static json_t *bundle_object(const struct brski_bundle *bundle)
{
	json_t *list = json_array();
	char created[32];

	for (size_t i = 0; list && i < bundle->n_items; i++) {
		if (json_array_append_new(list, item_object(&bundle->items[i], bundle->answers)) == 0)
			continue;
		json_decref(list);
		return NULL;
	}
	brski_time_format(bundle->created_on, created);
	return json_pack("{s:i, s:s, s:s, s:o}", bundle->answers ? ANSWERS_VERSION : REQUESTS_VERSION,
		VERSION, "registrar", bundle->registrar, "created-on", created,
		bundle->answers ? "answers" : "requests", list);
}

enum brski_code brski_bundle_seal(const struct brski_bundle *bundle, const struct brski_credential *signer,
	struct brski_buf *out, struct brski_error *err)
{
	struct brski_buf text = {.limit = BRSKI_CMS_DATA_MAX};
	json_t *json = bundle_object(bundle);
	enum brski_code code;

	if (!json)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for a file");
	code = brski_json_print(json, &text, err);
	json_decref(json);
	if (code == BRSKI_OK)
		code = brski_cms_sign_data(brski_buf_span(&text), signer, out, err);
	brski_buf_free(&text);
	return code;
}

/* ---- Reading ---- */

static enum brski_code malformed(struct brski_error *err, const char *what)
{
	return brski_fail(err, BRSKI_MALFORMED, "%s", what);
}

static bool is_key(const char *text)
{
	return strlen(text) == BRSKI_FINGERPRINT_MAX - 1 &&
	       strspn(text, "0123456789abcdef") == BRSKI_FINGERPRINT_MAX - 1;
}

static enum brski_code read_fields(struct brski_http *msg, json_t *fields, struct brski_error *err)
{
	const char *name;
	json_t *value;
	enum brski_code code;

	if (!json_is_object(fields))
		return malformed(err, "a message's fields are no object");
	json_object_foreach(fields, name, value)
	{
		if (!json_is_string(value))
			return malformed(err, "a message's field is no text");
		code = brski_http_set(msg, name, json_string_value(value), err);
		if (code != BRSKI_OK)
			return code;
	}
	return BRSKI_OK;
}

static enum brski_code read_call(struct brski_planned *call, json_t *json, struct brski_error *err)
{
	const char *method, *url, *text;
	json_t *fields;
	enum brski_code code;

	if (json_unpack(json, "{s:s, s:s, s:o, s:s !}", "method", &method, "url", &url, "fields", &fields,
		    "body", &text) != 0 ||
		!brski_text_copy(call->url, sizeof(call->url), url) ||
		(strcmp(method, "POST") != 0 && strcmp(method, "GET") != 0))
		return malformed(err, "a call has other members than calls have");
	code = brski_http_request(
		&call->request, method, brski_http_target(call->url), NULL, brski_span(NULL, 0), err);
	if (code == BRSKI_OK)
		code = brski_base64_decode(brski_span_str(text), &call->request.body, err);
	return code == BRSKI_OK ? read_fields(&call->request, fields, err) : code;
}

static enum brski_code read_answer(struct brski_http *answer, json_t *json, struct brski_error *err)
{
	json_int_t status;
	const char *text;
	json_t *fields;
	enum brski_code code;

	if (json_unpack(json, "{s:I, s:o, s:s !}", "status", &status, "fields", &fields, "body", &text) !=
			0 ||
		status < 200 || status > 599)
		return malformed(err, "an answer has other members than answers have");
	code = brski_http_response(answer, (unsigned)status, NULL, brski_span(NULL, 0), err);
	if (code == BRSKI_OK)
		code = brski_base64_decode(brski_span_str(text), &answer->body, err);
	return code == BRSKI_OK ? read_fields(answer, fields, err) : code;
}

static enum brski_code read_requests(struct brski_bundle_item *item, json_t *json, struct brski_error *err)
{
	const char *pem = json_string_value(json_object_get(json, "tls-anchors"));
	json_t *list = json_object_get(json, "calls");
	size_t n = json_array_size(list);
	enum brski_code code = BRSKI_OK;

	if (!pem || n < 1 || n > BRSKI_BUNDLE_CALLS_MAX)
		return malformed(err, "a request has other members than requests have");
	if (brski_buf_set(&item->tls_anchors, brski_span_str(pem)) != BRSKI_OK)
		return brski_fail(err, BRSKI_TOO_LARGE, "trust anchors do not fit into memory");
	while (code == BRSKI_OK && item->n_calls < n) {
		item->n_calls++; /* what is half read is freed with the item */
		code = read_call(
			&item->calls[item->n_calls - 1], json_array_get(list, item->n_calls - 1), err);
	}
	return code;
}

static enum brski_code read_answers(struct brski_bundle_item *item, json_t *json, struct brski_error *err)
{
	const char *trouble = json_string_value(json_object_get(json, "trouble"));
	json_t *list = json_object_get(json, "answers");
	size_t n = json_array_size(list);
	enum brski_code code = BRSKI_OK;

	if (!trouble || !json_is_array(list) || n > BRSKI_BUNDLE_ANSWERS_MAX)
		return malformed(err, "an entry has other members than entries have");
	brski_printable(brski_span_str(trouble), item->trouble, sizeof(item->trouble));
	while (code == BRSKI_OK && item->n_answers < n) {
		item->n_answers++;
		code = read_answer(
			&item->answers[item->n_answers - 1], json_array_get(list, item->n_answers - 1), err);
	}
	return code;
}

static bool read_kind(const char *name, enum brski_bundle_kind *out)
{
	for (size_t i = 0; i < BRSKI_BUNDLE_KINDS; i++) {
		if (strcmp(name, kinds[i].name) != 0)
			continue;
		*out = (enum brski_bundle_kind)i;
		return true;
	}
	return false;
}

static enum brski_code read_item(struct brski_bundle *bundle, json_t *json, struct brski_error *err)
{
	struct brski_bundle_item *item = brski_bundle_add(bundle);
	const char *key, *kind, *manufacturer, *serial;

	if (!item)
		return brski_fail(err, BRSKI_TOO_LARGE, "more than %d entries", BRSKI_BUNDLE_ITEMS_MAX);
	if (json_object_size(json) != 6 ||
		json_unpack(json, "{s:s, s:s, s:s, s:s}", "key", &key, "kind", &kind, "manufacturer",
			&manufacturer, "serial-number", &serial) != 0 ||
		!is_key(key) || !read_kind(kind, &item->kind) ||
		!brski_text_copy(item->key, sizeof(item->key), key) ||
		!brski_text_copy(item->manufacturer, sizeof(item->manufacturer), manufacturer) ||
		!brski_text_copy(item->serial_number, sizeof(item->serial_number), serial))
		return malformed(err, "an entry has other members than entries have");
	return bundle->answers ? read_answers(item, json, err) : read_requests(item, json, err);
}

static enum brski_code read_bundle(struct brski_bundle *bundle, json_t *json, struct brski_error *err)
{
	const char *name = bundle->answers ? ANSWERS_VERSION : REQUESTS_VERSION;
	const char *registrar, *created;
	json_t *list;
	int version;
	enum brski_code code;

	if (!json_object_get(json, name))
		return brski_fail(err, BRSKI_UNEXPECTED, "this is no file of %s",
			bundle->answers ? "answers: brski-courier writes those"
					: "requests: brskictl export writes those");
	if (json_unpack(json, "{s:i, s:s, s:s, s:o !}", name, &version, "registrar", &registrar, "created-on",
		    &created, bundle->answers ? "answers" : "requests", &list) != 0 ||
		!json_is_array(list) || !is_key(registrar))
		return malformed(err, "the file has other members than such files have");
	if (version != VERSION)
		return brski_fail(err, BRSKI_UNSUPPORTED, "the file is of version %d, this program knows %d",
			version, VERSION);
	snprintf(bundle->registrar, sizeof(bundle->registrar), "%s", registrar);
	code = brski_time_parse(created, &bundle->created_on, err);
	for (size_t i = 0; code == BRSKI_OK && i < json_array_size(list); i++)
		code = read_item(bundle, json_array_get(list, i), err);
	return code;
}

static enum brski_code parse(
	struct brski_bundle *bundle, const struct brski_buf *text, struct brski_error *err)
{
	json_error_t why;
	json_t *json;
	enum brski_code code;

	if (brski_json_has_more_values(brski_buf_span(text), BRSKI_BUNDLE_VALUES_MAX))
		return brski_fail(
			err, BRSKI_TOO_LARGE, "its content has more than %d values", BRSKI_BUNDLE_VALUES_MAX);
	json = json_loadb((const char *)text->data, text->len, JSON_REJECT_DUPLICATES, &why);
	if (!json)
		return brski_fail(err, BRSKI_MALFORMED, "its content does not parse: %s", why.text);
	code = read_bundle(bundle, json, err);
	json_decref(json);
	return code;
}

enum brski_code brski_bundle_open(struct brski_span file, bool answers, brski_cms_judge *judge, void *ctx,
	struct brski_bundle *out, STACK_OF(X509) **certs, struct brski_error *err)
{
	struct brski_buf text = {0};
	enum brski_code code = brski_cms_open_data(file, judge, ctx, &text, certs, err);

	*out = (struct brski_bundle){.answers = answers};
	if (code == BRSKI_OK)
		code = parse(out, &text, err);
	brski_buf_free(&text);
	if (code != BRSKI_OK) {
		brski_bundle_free(out);
		sk_X509_pop_free(*certs, X509_free);
		*certs = NULL;
	}
	return code;
}
