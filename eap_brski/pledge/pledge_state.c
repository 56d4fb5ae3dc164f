/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/pledge/pledge_internal.h"

#include <limits.h>
#include <string.h>

#include "eap_brski/ground/base64.h"
#include "eap_brski/ground/json.h"
#include "eap_brski/pki/cms.h"

#define STATE_VERSION 1
#define STATE_MAX 65536 /* what brski_json_parse() takes */
#define GENERATION_MAX 1000000
#define WAIT_MAX (31L * 24 * 3600) /* as brski_http_retry_after() */

enum kind { OCTETS, TEXT, NUMBER, FLAG, POLLING };

/* The value "state": one JSON object with "version", "state" and these members, all of them, no other. */
static const struct member {
	const char *name;
	enum kind kind;
	size_t offset;
	size_t size; /* TEXT: of the array; OCTETS: the most octets */
	long min;    /* NUMBER */
	long max;
} members[] = {
#define AT(member) offsetof(struct brski_pledge_record, member)
	{"idevid", TEXT, AT(idevid), BRSKI_FINGERPRINT_MAX, 0, 0},
	{"credential", NUMBER, AT(credential), 0, 0, GENERATION_MAX},
	{"candidate", NUMBER, AT(candidate), 0, 0, GENERATION_MAX},
	{"not-before", NUMBER, AT(not_before), 0, 0, LONG_MAX / 2},
	{"told", NUMBER, AT(told), 0, 0, WAIT_MAX},
	{"reason", TEXT, AT(reason), sizeof(((struct brski_pledge_record *)0)->reason), 0, 0},
	{"nonce", OCTETS, AT(nonce), BRSKI_NONCE_MAX, 0, 0},
	{"voucher-request", OCTETS, AT(voucher_request), BRSKI_CMS_MAX, 0, 0},
	{"registrar", TEXT, AT(registrar), BRSKI_FINGERPRINT_MAX, 0, 0},
	{"voucher-reported", FLAG, AT(voucher_reported), 0, 0, 0},
	{"pinned-domain-cert", OCTETS, AT(pinned), BRSKI_CMS_MAX, 0, 0},
	{"domain-cas", OCTETS, AT(domain_cas), 16384, 0, 0},
	{"cmp-request", OCTETS, AT(request), BRSKI_CMP_MAX, 0, 0},
	{"cmp-pkcs10", FLAG, AT(pkcs10), 0, 0, 0},
	{"cmp-polling", POLLING, AT(state), 0, 0, 0}, /* a part of the state, see stored_name() */
	{"cmp-poll-id", NUMBER, AT(poll_id), 0, -1, 0},
	{"cmp-poll", OCTETS, AT(poll), BRSKI_CMP_MAX, 0, 0},
	{"cmp-transaction", OCTETS, AT(tx.id), 64, 0, 0},
	{"cmp-request-nonce", OCTETS, AT(tx.request_nonce), 64, 0, 0},
	{"cmp-last-nonce", OCTETS, AT(tx.last_nonce), 64, 0, 0},
	{"cmp-peer-nonce", OCTETS, AT(tx.peer_nonce), 64, 0, 0},
	{"cmp-recipient", OCTETS, AT(tx.recipient), 4096, 0, 0},
	{"cmp-signers", OCTETS, AT(tx.signers), 8192, 0, 0},
#undef AT
};
#define N_MEMBERS (sizeof(members) / sizeof(members[0]))

/* Version 0.2.0 knows no such member: it is there only when it says something. */
static bool is_optional(const struct member *m)
{
	return m->offset == offsetof(struct brski_pledge_record, tx.signers);
}

static void *at(struct brski_pledge_record *rec, const struct member *m)
{
	return (char *)rec + m->offset;
}

static const void *at_const(const struct brski_pledge_record *rec, const struct member *m)
{
	return (const char *)rec + m->offset;
}

static bool is_polling(enum brski_pledge_state state)
{
	return state == BRSKI_PLEDGE_POLL || state == BRSKI_PLEDGE_CONFIRM_POLL;
}

/* On disk CONFIRM_POLL is "confirm" with "cmp-polling", as it has been since version 0.1.0. */
static const char *stored_name(enum brski_pledge_state state)
{
	return brski_pledge_state_name(state == BRSKI_PLEDGE_CONFIRM_POLL ? BRSKI_PLEDGE_CONFIRM : state);
}

/* ---- writing ---- */

static json_t *member_to_json(const struct brski_pledge_record *rec, const struct member *m)
{
	switch (m->kind) {
	case OCTETS:
		return brski_json_base64(brski_buf_span(at_const(rec, m)));
	case TEXT:
		return json_string(at_const(rec, m));
	case NUMBER:
		return json_integer(*(const long *)at_const(rec, m));
	case FLAG:
		return json_boolean(*(const bool *)at_const(rec, m));
	case POLLING:
		return json_boolean(is_polling(*(const enum brski_pledge_state *)at_const(rec, m)));
	}
	return NULL;
}

static bool record_to_json(const struct brski_pledge_record *rec, json_t *json)
{
	if (json_object_set_new(json, "version", json_integer(STATE_VERSION)) != 0 ||
		json_object_set_new(json, "state", json_string(stored_name(rec->state))) != 0)
		return false;
	for (size_t i = 0; i < N_MEMBERS; i++) {
		if (is_optional(&members[i]) && rec->tx.signers.len == 0)
			continue;
		if (json_object_set_new(json, members[i].name, member_to_json(rec, &members[i])) != 0)
			return false;
	}
	return true;
}

/* What reading would refuse must not be written: it would be set aside at the next boot. */
static enum brski_code check_sizes(const struct brski_pledge_record *rec, struct brski_error *err)
{
	for (size_t i = 0; i < N_MEMBERS; i++) {
		const struct brski_buf *octets = at_const(rec, &members[i]);

		if (members[i].kind == OCTETS && octets->len > members[i].size)
			return brski_fail(err, BRSKI_TOO_LARGE,
				"the state's %s has %zu octets, %zu can be kept", members[i].name,
				octets->len, members[i].size);
	}
	return BRSKI_OK;
}

enum brski_code brski_pledge_record_print(
	const struct brski_pledge_record *rec, struct brski_buf *out, struct brski_error *err)
{
	enum brski_code code = check_sizes(rec, err);
	json_t *json;

	brski_buf_reset(out);
	if (code != BRSKI_OK)
		return code;
	json = json_object();
	if (!json || !record_to_json(rec, json))
		code = brski_fail(err, BRSKI_NO_MEMORY, "no memory for the pledge's state");
	else
		code = brski_json_print(json, out, err);
	if (code == BRSKI_OK && out->len > STATE_MAX)
		code = brski_fail(err, BRSKI_TOO_LARGE, "the pledge's state would take %zu octets", out->len);
	json_decref(json);
	return code;
}

/* ---- reading ---- */

static enum brski_code bad_member(const struct member *m, struct brski_error *err)
{
	return brski_fail(
		err, BRSKI_MALFORMED, "the state's %s is missing, or not what it should be", m->name);
}

static enum brski_code octets_from_json(
	const json_t *json, const struct member *m, struct brski_buf *out, struct brski_error *err)
{
	enum brski_code code;

	code = brski_base64_decode(brski_span(json_string_value(json), json_string_length(json)), out, err);
	if (code != BRSKI_OK)
		return code == BRSKI_NO_MEMORY ? code : bad_member(m, err);
	return out->len <= m->size ? BRSKI_OK : bad_member(m, err);
}

/* A state that polls says so; that others say so too means nothing, but in CONFIRM. */
static bool take_polling(bool polling, enum brski_pledge_state *state)
{
	if (polling && *state == BRSKI_PLEDGE_CONFIRM)
		*state = BRSKI_PLEDGE_CONFIRM_POLL;
	return polling || !is_polling(*state);
}

static enum brski_code member_from_json(
	const json_t *json, const struct member *m, struct brski_pledge_record *rec, struct brski_error *err)
{
	json_int_t number;

	switch (m->kind) {
	case OCTETS:
		if (!json_is_string(json))
			break;
		return octets_from_json(json, m, at(rec, m), err);
	case TEXT:
		if (!json_is_string(json) || json_string_length(json) >= m->size)
			break;
		memcpy(at(rec, m), json_string_value(json), json_string_length(json));
		return BRSKI_OK;
	case NUMBER:
		number = json_integer_value(json);
		if (!json_is_integer(json) || number < m->min || number > m->max)
			break;
		*(long *)at(rec, m) = (long)number;
		return BRSKI_OK;
	case FLAG:
		if (!json_is_boolean(json))
			break;
		*(bool *)at(rec, m) = json_is_true(json);
		return BRSKI_OK;
	case POLLING:
		if (!json_is_boolean(json) || !take_polling(json_is_true(json), at(rec, m)))
			break;
		return BRSKI_OK;
	}
	return bad_member(m, err);
}

static bool state_from_name(const char *name, enum brski_pledge_state *out)
{
	for (int state = BRSKI_PLEDGE_START; name && state <= BRSKI_PLEDGE_FAILED; state++) {
		if (strcmp(name, stored_name((enum brski_pledge_state)state)) == 0) {
			*out = (enum brski_pledge_state)state;
			return true;
		}
	}
	return false;
}

/* Each state has what it needs to go on. */
static bool is_coherent(const struct brski_pledge_record *rec)
{
	bool asked = rec->nonce.len > 0 && rec->voucher_request.len > 0 && rec->registrar[0] != '\0';
	bool open = rec->tx.id.len == BRSKI_CMP_ID_LEN && rec->candidate == rec->credential + 1;

	switch (rec->state) {
	case BRSKI_PLEDGE_START:
	case BRSKI_PLEDGE_ENROLLED:
	case BRSKI_PLEDGE_FAILED:
		return rec->candidate == 0;
	case BRSKI_PLEDGE_VOUCHER:
		return asked && rec->candidate == 0;
	case BRSKI_PLEDGE_IMPRINTED:
		return rec->pinned.len > 0 && rec->candidate == 0;
	case BRSKI_PLEDGE_ENROLL:
	case BRSKI_PLEDGE_POLL:
	case BRSKI_PLEDGE_CONFIRM:
	case BRSKI_PLEDGE_CONFIRM_POLL:
		return rec->pinned.len > 0 && open && rec->request.len > 0;
	case BRSKI_PLEDGE_REPORT:
		return rec->pinned.len > 0 && open;
	}
	return false;
}

static enum brski_code record_from_json(
	const json_t *json, struct brski_pledge_record *rec, struct brski_error *err)
{
	const json_t *version = json_object_get(json, "version");
	enum brski_code code;
	size_t n = 0;

	if (!json_is_integer(version) || json_integer_value(version) != STATE_VERSION)
		return brski_fail(err, BRSKI_MALFORMED, "the state's version is not %d", STATE_VERSION);
	if (!state_from_name(json_string_value(json_object_get(json, "state")), &rec->state))
		return brski_fail(err, BRSKI_MALFORMED, "the state has no name that is known");
	for (size_t i = 0; i < N_MEMBERS; i++) {
		const json_t *value = json_object_get(json, members[i].name);

		if (!value && is_optional(&members[i]))
			continue;
		code = member_from_json(value, &members[i], rec, err);
		if (code != BRSKI_OK)
			return code;
		n++;
	}
	if (json_object_size(json) != n + 2)
		return brski_fail(err, BRSKI_MALFORMED, "the state has members that are not known");
	if (!is_coherent(rec))
		return brski_fail(err, BRSKI_MALFORMED, "the state %s lacks what it needs",
			brski_pledge_state_name(rec->state));
	return BRSKI_OK;
}

enum brski_code brski_pledge_record_parse(
	struct brski_span in, struct brski_pledge_record *rec, struct brski_error *err)
{
	json_t *json = NULL;
	enum brski_code code;

	*rec = (struct brski_pledge_record){0};
	code = brski_json_parse(in, &json, err);
	if (code == BRSKI_OK)
		code = record_from_json(json, rec, err);
	json_decref(json);
	if (code != BRSKI_OK)
		brski_pledge_record_free(rec);
	return code;
}

void brski_pledge_record_free(struct brski_pledge_record *rec)
{
	brski_buf_free(&rec->nonce);
	brski_buf_free(&rec->voucher_request);
	brski_buf_free(&rec->pinned);
	brski_buf_free(&rec->domain_cas);
	brski_buf_free(&rec->request);
	brski_buf_free(&rec->poll);
	brski_cmp_transaction_free(&rec->tx);
	*rec = (struct brski_pledge_record){0};
}

void brski_pledge_record_start_over(struct brski_pledge_record *rec)
{
	struct brski_pledge_record fresh = {.state = rec->state, .credential = rec->credential};

	memcpy(fresh.idevid, rec->idevid, sizeof(fresh.idevid));
	brski_pledge_record_free(rec);
	*rec = fresh;
}

/* ---- the pledge's ---- */

enum brski_code brski_pledge_save(const struct brski_pledge *p, struct brski_error *err)
{
	struct brski_buf json = {0};
	enum brski_code code;

	code = brski_pledge_record_print(&p->rec, &json, err);
	if (code == BRSKI_OK)
		code = brski_pledge_write(p, BRSKI_PLEDGE_STATE_VALUE, brski_buf_span(&json), false, err);
	brski_buf_free(&json);
	return code;
}
