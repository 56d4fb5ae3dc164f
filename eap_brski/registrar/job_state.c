/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "eap_brski/ground/base64.h"
#include "eap_brski/ground/json.h"
#include "eap_brski/ground/text.h"
#include "eap_brski/registrar/registrar_internal.h"

/*
 * Jobs as text. The store's rows are our own, but they outlive versions of this program and pass
 * through other hands, so they are read as strictly as anything else: all members that are named
 * here, and no other.
 */

#define BLOB_MAX ((size_t)512 * 1024)
#define CHAIN_MAX 10
#define STATE_VERSION 1

static const char *const states[] = {
	[BRSKI_JOB_WAITING] = "waiting", [BRSKI_JOB_DONE] = "done", [BRSKI_JOB_REFUSED] = "refused"};

static int index_of(const char *text, const char *const *names, size_t n)
{
	for (size_t i = 0; text && i < n; i++) {
		if (strcmp(text, names[i]) == 0)
			return (int)i;
	}
	return -1;
}

/* ---- writing ---- */

static json_t *chain_list(const STACK_OF(X509) *chain)
{
	json_t *list = json_array();

	for (int i = 0; list && i < sk_X509_num(chain); i++) {
		struct brski_buf der = {0};
		json_t *text = NULL;

		if (brski_cert_to_der(sk_X509_value(chain, i), &der, NULL) == BRSKI_OK)
			text = brski_json_base64(brski_buf_span(&der));
		brski_buf_free(&der);
		if (json_array_append_new(list, text) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *answer_object(const struct brski_http *answer)
{
	const char *type = brski_http_get(answer, "content-type");

	return json_pack("{s:I, s:s, s:o}", "status", (json_int_t)answer->status, "type", type ? type : "",
		"body", brski_json_base64(brski_buf_span(&answer->body)));
}

/* NULL: it has none, or there is no memory. */
static json_t *transaction_object(const struct brski_cmp_transaction *tx)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "id", brski_json_base64(brski_buf_span(&tx->id)),
		"request-nonce", brski_json_base64(brski_buf_span(&tx->request_nonce)), "last-nonce",
		brski_json_base64(brski_buf_span(&tx->last_nonce)), "peer-nonce",
		brski_json_base64(brski_buf_span(&tx->peer_nonce)), "recipient",
		brski_json_base64(brski_buf_span(&tx->recipient)), "signers",
		brski_json_base64(brski_buf_span(&tx->signers)));
}

static json_t *job_object(const struct brski_job *job)
{
	json_t *json = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:s, s:o}", "version",
		STATE_VERSION, "kind", job->type->name, "state", states[job->state], "step",
		job->type->steps[job->step].name, "key", job->key, "origin", job->origin, "chain",
		chain_list(job->chain), "request", brski_json_base64(brski_buf_span(&job->request)),
		"upstream", brski_json_base64(brski_buf_span(&job->upstream)), "location", job->location,
		"answer", answer_object(&job->answer));
	json_t *rest = json_pack("{s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:s, s:s, s:o}", "pki-waits",
		(int)job->pki_waits, "grants", (int)job->grants, "created", (json_int_t)job->created,
		"changed", (json_int_t)job->changed, "not-before", (json_int_t)job->not_before, "expires",
		(json_int_t)job->expires, "tries", (json_int_t)job->tries, "why", job->why, "label",
		job->label, "signers", brski_json_base64(brski_buf_span(&job->signers)));

	if (job->type->has_transaction && json &&
		json_object_set_new(json, "transaction", transaction_object(&job->tx)) != 0) {
		json_decref(json);
		json = NULL;
	}
	if (json && rest && json_object_update_missing(json, rest) == 0) {
		json_decref(rest);
		return json;
	}
	json_decref(json);
	json_decref(rest);
	return NULL;
}

enum brski_code brski_job_save(const struct brski_job *job, struct brski_buf *blob, struct brski_error *err)
{
	json_t *json = job_object(job);
	enum brski_code code;

	brski_buf_reset(blob);
	if (!json)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory to save a job");
	code = brski_json_print(json, blob, err);
	json_decref(json);
	return code;
}

/* ---- reading ---- */

struct job_text { /* borrowed from the JSON value */
	const char *kind, *state, *step, *key, *origin, *request, *upstream, *location, *why;
	const char *answer_type, *answer_body;
	const char *label, *signers; /* NULL: it was stored before there was any */
	json_t *chain;
	json_t *transaction; /* NULL: there is none */
	json_int_t answer_status, created, changed, not_before, expires, tries;
	int pki_waits, grants;
};

static bool unpack(json_t *json, struct job_text *t)
{
	int version;

	return json_unpack(json,
		       "{s:i, s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:s, s:s, s:{s:I, s:s, s:s !}, "
		       "s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:s, s?s, s?s, s?o !}",
		       "version", &version, "kind", &t->kind, "state", &t->state, "step", &t->step, "key",
		       &t->key, "origin", &t->origin, "chain", &t->chain, "request", &t->request, "upstream",
		       &t->upstream, "location", &t->location, "answer", "status", &t->answer_status, "type",
		       &t->answer_type, "body", &t->answer_body, "pki-waits", &t->pki_waits, "grants",
		       &t->grants, "created", &t->created, "changed", &t->changed, "not-before",
		       &t->not_before, "expires", &t->expires, "tries", &t->tries, "why", &t->why, "label",
		       &t->label, "signers", &t->signers, "transaction", &t->transaction) == 0;
}

bool brski_job_is_key(const char *text)
{
	return strlen(text) == BRSKI_FINGERPRINT_MAX - 1 &&
	       strspn(text, "0123456789abcdef") == BRSKI_FINGERPRINT_MAX - 1;
}

static bool read_numbers(struct brski_job *job, const struct job_text *t)
{
	job->created = (time_t)t->created;
	job->changed = (time_t)t->changed;
	job->not_before = (time_t)t->not_before;
	job->expires = (time_t)t->expires;
	job->tries = (unsigned)t->tries;
	job->pki_waits = t->pki_waits;
	job->grants = t->grants;
	return t->created >= 0 && t->changed >= 0 && t->not_before >= 0 && t->expires >= 0 && t->tries >= 0 &&
	       t->tries <= UINT32_MAX;
}

static bool read_step(struct brski_job *job, const char *name)
{
	job->step = 0;
	while (job->step < job->type->n_steps && strcmp(job->type->steps[job->step].name, name) != 0)
		job->step++;
	return job->step < job->type->n_steps;
}

static bool read_names(struct brski_job *job, const struct job_text *t)
{
	int state = index_of(t->state, states, sizeof(states) / sizeof(states[0]));

	job->type = brski_job_type_named(t->kind);
	if (!job->type || state < 0 || !read_step(job, t->step))
		return false;
	job->state = (enum brski_job_state)state;
	return brski_job_is_key(t->key) && (t->origin[0] == '\0' || brski_job_is_key(t->origin)) &&
	       brski_text_copy(job->key, sizeof(job->key), t->key) &&
	       brski_text_copy(job->origin, sizeof(job->origin), t->origin) &&
	       brski_text_copy(job->location, sizeof(job->location), t->location) &&
	       brski_text_copy(job->why, sizeof(job->why), t->why) &&
	       brski_text_copy(job->label, sizeof(job->label), t->label ? t->label : "");
}

static enum brski_code read_chain(struct brski_job *job, const json_t *list, struct brski_error *err)
{
	size_t n = json_array_size(list);
	enum brski_code code = BRSKI_OK;

	job->chain = sk_X509_new_null();
	if (!job->chain)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	if (n < 1 || n > CHAIN_MAX)
		return brski_fail(err, BRSKI_MALFORMED, "a stored job has %zu certificates", n);
	for (size_t i = 0; code == BRSKI_OK && i < n; i++) {
		const char *text = json_string_value(json_array_get(list, i));
		struct brski_buf der = {0};
		X509 *cert = NULL;

		code = brski_base64_decode(brski_span_str(text ? text : ""), &der, err);
		if (code == BRSKI_OK)
			code = brski_cert_from_der(brski_buf_span(&der), &cert, err);
		brski_buf_free(&der);
		if (code == BRSKI_OK && sk_X509_push(job->chain, cert) <= 0) {
			X509_free(cert);
			code = brski_fail(err, BRSKI_NO_MEMORY, "no memory");
		}
	}
	return code;
}

static enum brski_code read_answer(struct brski_job *job, const struct job_text *t, struct brski_error *err)
{
	struct brski_buf body = {0};
	enum brski_code code;

	if (t->answer_status == 0 && t->answer_body[0] == '\0')
		return BRSKI_OK; /* none yet */
	if (t->answer_status < 200 || t->answer_status > 599)
		return brski_fail(err, BRSKI_MALFORMED, "a stored job has an answer of status %ld",
			(long)t->answer_status);
	code = brski_base64_decode(brski_span_str(t->answer_body), &body, err);
	if (code == BRSKI_OK)
		code = brski_http_response(&job->answer, (unsigned)t->answer_status,
			t->answer_type[0] ? t->answer_type : NULL, brski_buf_span(&body), err);
	brski_buf_free(&body);
	return code;
}

static enum brski_code read_transaction(
	struct brski_job *job, const struct job_text *t, struct brski_error *err)
{
	struct brski_cmp_transaction *tx = &job->tx;
	struct {
		const char *text;
		struct brski_buf *to;
	} parts[] = {{NULL, &tx->id}, {NULL, &tx->request_nonce}, {NULL, &tx->last_nonce},
		{NULL, &tx->peer_nonce}, {NULL, &tx->recipient}, {NULL, &tx->signers}};
	enum brski_code code = BRSKI_OK;

	if (!t->transaction && !job->type->has_transaction)
		return BRSKI_OK;
	if (!t->transaction || !job->type->has_transaction ||
		json_unpack(t->transaction, "{s:s, s:s, s:s, s:s, s:s, s:s !}", "id", &parts[0].text,
			"request-nonce", &parts[1].text, "last-nonce", &parts[2].text, "peer-nonce",
			&parts[3].text, "recipient", &parts[4].text, "signers", &parts[5].text) != 0)
		return brski_fail(err, BRSKI_MALFORMED, "a stored job's transaction is not to be read");
	for (size_t i = 0; code == BRSKI_OK && i < sizeof(parts) / sizeof(parts[0]); i++)
		code = brski_base64_decode(brski_span_str(parts[i].text), parts[i].to, err);
	return code;
}

static enum brski_code read_job(struct brski_job *job, const struct job_text *t, struct brski_error *err)
{
	enum brski_code code;

	if (!read_names(job, t) || !read_numbers(job, t))
		return brski_fail(err, BRSKI_MALFORMED, "a stored job has values that no job has");
	code = read_chain(job, t->chain, err);
	if (code == BRSKI_OK)
		code = brski_registrar_device_read(job->chain, &job->device, err);
	if (code == BRSKI_OK)
		code = brski_base64_decode(brski_span_str(t->request), &job->request, err);
	if (code == BRSKI_OK)
		code = brski_base64_decode(brski_span_str(t->upstream), &job->upstream, err);
	if (code == BRSKI_OK && t->signers)
		code = brski_base64_decode(brski_span_str(t->signers), &job->signers, err);
	if (code == BRSKI_OK)
		code = read_transaction(job, t, err);
	if (code == BRSKI_OK)
		code = read_answer(job, t, err);
	if (code == BRSKI_OK && job->state != BRSKI_JOB_WAITING && job->answer.status == 0)
		code = brski_fail(err, BRSKI_MALFORMED, "a stored job is finished and has no answer");
	return code;
}

/* The key names request and device for good: what is under it must be about them. */
static enum brski_code check_key(const struct brski_job *job, struct brski_error *err)
{
	char key[BRSKI_FINGERPRINT_MAX];
	enum brski_code code = brski_job_key_of(&job->device, brski_buf_span(&job->request), key, err);

	if (code != BRSKI_OK || strcmp(key, job->key) == 0)
		return code;
	return brski_fail(err, BRSKI_MISMATCH, "a stored job is not what its key says");
}

static enum brski_code parse(struct brski_span blob, json_t **json, struct brski_error *err)
{
	json_error_t why;

	*json = NULL;
	if (blob.len > BLOB_MAX)
		return brski_fail(err, BRSKI_TOO_LARGE, "a stored job of %zu octets", blob.len);
	*json = json_loadb(blob.len ? (const char *)blob.data : "", blob.len, JSON_REJECT_DUPLICATES, &why);
	if (!*json)
		return brski_fail(err, BRSKI_MALFORMED, "a stored job does not parse: %s", why.text);
	if (json_integer_value(json_object_get(*json, "version")) == STATE_VERSION)
		return BRSKI_OK;
	json_decref(*json);
	*json = NULL;
	return brski_fail(err, BRSKI_UNSUPPORTED, "a stored job is of another version of this program");
}

enum brski_code brski_job_decode(
	struct brski_registrar *r, struct brski_span blob, struct brski_job **out, struct brski_error *err)
{
	struct job_text text = {0};
	struct brski_job *job;
	json_t *json;
	enum brski_code code = parse(blob, &json, err);

	*out = NULL;
	if (code != BRSKI_OK)
		return code;
	job = calloc(1, sizeof(*job));
	if (!job)
		code = brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	else if (!unpack(json, &text))
		code = brski_fail(err, BRSKI_MALFORMED, "a stored job lacks members, or has others");
	else
		code = read_job(job, &text, err);
	if (code == BRSKI_OK)
		code = check_key(job, err);
	json_decref(json);
	if (code != BRSKI_OK) {
		brski_job_free(job);
		return code;
	}
	job->registrar = r;
	*out = job;
	return BRSKI_OK;
}
