/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <openssl/evp.h>

#include "eap_brski/ground/text.h"
#include "eap_brski/pki/idevid_issuer.h"
#include "eap_brski/registrar/nonceless.h"
#include "services/registrar/bundle_exchange_internal.h"

/* Vouchers without nonce for devices that have not come yet. */

static enum brski_code issuer_of(const struct brski_manufacturer *m, const X509 *idevid,
	struct brski_buf *issuer, struct brski_error *err)
{
	if (idevid)
		return brski_idevid_issuer(idevid, issuer, err);
	if (sk_X509_num(m->idevid_anchors) == 1)
		return brski_nonceless_issuer(sk_X509_value(m->idevid_anchors, 0), issuer, err);
	return brski_fail(err, BRSKI_NOT_FOUND,
		"%s has %d CAs, and nobody knows which of them issued the device's certificate: give the "
		"certificate of another device of the same issuer with --idevid",
		m->name, sk_X509_num(m->idevid_anchors));
}

static enum brski_code set_key(struct brski_store_nonceless *row, struct brski_error *err)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len;

	if (EVP_Digest(row->request.data, row->request.len, digest, &len, EVP_sha256(), NULL) != 1)
		return brski_fail_openssl(err, BRSKI_INTERNAL, "no SHA-256");
	brski_hex(brski_span(digest, len), row->key, sizeof(row->key));
	return BRSKI_OK;
}

static enum brski_code make_request(struct brski_exchange *x, const struct brski_manufacturer *m,
	const X509 *idevid, struct brski_store_nonceless *row, struct brski_error *err)
{
	enum brski_code code = issuer_of(m, idevid, &row->issuer, err);

	if (code == BRSKI_OK)
		code = brski_nonceless_request(
			x->registrar, row->serial_number, brski_buf_span(&row->issuer), &row->request, err);
	return code == BRSKI_OK ? set_key(row, err) : code;
}

/* A MASA that is known nowhere can be asked by nobody. */
static enum brski_code check_masa(
	const struct brski_manufacturer *m, const struct brski_store_nonceless *row, struct brski_error *err)
{
	struct brski_planned planned;
	enum brski_code code = brski_nonceless_plan(m, brski_buf_span(&row->request), 0, &planned, err);

	if (code == BRSKI_OK)
		brski_planned_free(&planned);
	return code;
}

enum brski_code brski_exchange_ask(struct brski_exchange *x, const char *manufacturer, const char *serial,
	const X509 *idevid, char key[BRSKI_FINGERPRINT_MAX], struct brski_error *err)
{
	struct brski_store_nonceless row = {.asked = brski_now(x->env)};
	struct brski_manufacturer m = {0};
	enum brski_code code = brski_manufacturers_get(x->manufacturers, manufacturer, &m, err);

	if (code != BRSKI_OK)
		return code;
	snprintf(row.manufacturer, sizeof(row.manufacturer), "%s", manufacturer);
	snprintf(row.serial_number, sizeof(row.serial_number), "%s", serial);
	code = make_request(x, &m, idevid, &row, err);
	if (code == BRSKI_OK)
		code = check_masa(&m, &row, err);
	if (code == BRSKI_OK)
		code = brski_store_nonceless_ask(x->store, &row, err);
	if (code == BRSKI_OK)
		memcpy(key, row.key, sizeof(row.key));
	brski_store_nonceless_free(&row);
	brski_manufacturer_free(&m);
	return code;
}

static enum brski_code plan(const struct brski_manufacturer *m, const struct brski_store_nonceless *row,
	struct brski_bundle_item *out, struct brski_error *err)
{
	enum brski_code code = BRSKI_OK;

	if (m->tls_anchors)
		code = brski_certs_to_pem(m->tls_anchors, &out->tls_anchors, err);
	for (unsigned i = 0; code == BRSKI_OK && i < BRSKI_BUNDLE_CALLS_MAX; i++) {
		code = brski_nonceless_plan(m, brski_buf_span(&row->request), i, &out->calls[i], err);
		if (code == BRSKI_OK)
			out->n_calls++;
	}
	return code == BRSKI_NOT_FOUND && out->n_calls > 0 ? BRSKI_OK : code;
}

enum brski_code brski_exchange_nonceless_item(struct brski_exchange *x,
	const struct brski_store_nonceless *row, struct brski_bundle_item *out, struct brski_error *err)
{
	struct brski_manufacturer m = {0};
	enum brski_code code = brski_manufacturers_get(x->manufacturers, row->manufacturer, &m, err);

	if (code != BRSKI_OK)
		return code;
	out->kind = BRSKI_BUNDLE_NONCELESS;
	memcpy(out->key, row->key, sizeof(out->key));
	memcpy(out->manufacturer, row->manufacturer, sizeof(out->manufacturer));
	memcpy(out->serial_number, row->serial_number, sizeof(out->serial_number));
	code = plan(&m, row, out, err);
	brski_manufacturer_free(&m);
	return code;
}

/* Voucher, then audit log: without both, the voucher is not kept. */
static enum brski_code judge(struct brski_exchange *x, const struct brski_manufacturer *m,
	struct brski_store_nonceless *row, const struct brski_bundle_item *item, struct brski_error *err)
{
	size_t due = m->audit_log ? 2 : 1;
	enum brski_code code;

	if (item->n_answers == 0)
		return brski_fail(err, BRSKI_UNAVAILABLE, "%s",
			item->trouble[0] ? item->trouble : "the MASA was not asked");
	code = brski_nonceless_voucher(x->registrar, m, row->serial_number, brski_buf_span(&row->issuer),
		&item->answers[0], &row->expires_on, err);
	if (code != BRSKI_OK)
		return code;
	if (item->n_answers < due || (due == 2 && item->answers[item->n_answers - 1].status == 201))
		return brski_fail(err, BRSKI_UNAVAILABLE, "there is a voucher, but no audit log: %s",
			item->trouble[0] ? item->trouble : "the MASA was not asked");
	/* 201 with Location brings one answer more (RFC 8995 5.8): the log itself is the last */
	if (due == 2)
		code = brski_nonceless_audit_log(x->registrar, m, &item->answers[item->n_answers - 1], err);
	if (code != BRSKI_OK)
		return brski_fail_context(err, code, "audit log");
	if (brski_buf_set(&row->voucher, brski_buf_span(&item->answers[0].body)) != BRSKI_OK)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for a voucher");
	return BRSKI_OK;
}

static void tell(
	struct brski_exchange *x, const struct brski_store_nonceless *row, bool ok, const char *detail)
{
	struct brski_store_event e = {.at = brski_now(x->env), .what = "voucher-ahead", .ok = ok};
	struct brski_error err;

	/* not by way of the policy, for which an event means that the device was here */
	memcpy(e.manufacturer, row->manufacturer, sizeof(e.manufacturer));
	memcpy(e.serial_number, row->serial_number, sizeof(e.serial_number));
	snprintf(e.detail, sizeof(e.detail), "%s", detail);
	if (brski_store_event_add(x->store, &e, &err) != BRSKI_OK)
		brski_log(x->env, BRSKI_LOG_ERROR, "history is incomplete: %s", err.why);
}

static enum brski_import_outcome keep(
	struct brski_exchange *x, struct brski_store_nonceless *row, struct brski_error *why)
{
	char until[32] = "for ever", detail[96];
	enum brski_code code;

	row->fetched = brski_now(x->env);
	code = brski_store_nonceless_fill(x->store, row, why);
	if (code != BRSKI_OK)
		return code == BRSKI_UNEXPECTED ? BRSKI_IMPORT_REPEATED : BRSKI_IMPORT_WRONG;
	if (row->expires_on)
		brski_time_format(row->expires_on, until);
	snprintf(detail, sizeof(detail), "a voucher without nonce is kept (valid: %s)", until);
	tell(x, row, true, detail);
	brski_fail(why, BRSKI_OK, "%s", detail);
	return BRSKI_IMPORT_ANSWERED;
}

static enum brski_import_outcome answer_nonceless(struct brski_exchange *x, struct brski_store_nonceless *row,
	const struct brski_bundle_item *item, struct brski_error *why)
{
	struct brski_manufacturer m = {0};
	enum brski_code code = brski_manufacturers_get(x->manufacturers, row->manufacturer, &m, why);

	if (code == BRSKI_OK)
		code = judge(x, &m, row, item, why);
	brski_manufacturer_free(&m);
	switch (code) {
	case BRSKI_OK:
		return keep(x, row, why);
	case BRSKI_UNAVAILABLE:
		return BRSKI_IMPORT_WAITS;
	case BRSKI_REFUSED:
		tell(x, row, false, why->why);
		return BRSKI_IMPORT_REFUSED;
	default:
		return BRSKI_IMPORT_WRONG;
	}
}

enum brski_import_outcome brski_exchange_nonceless_answer(
	struct brski_exchange *x, const struct brski_bundle_item *item, struct brski_error *why)
{
	enum brski_import_outcome outcome = BRSKI_IMPORT_WRONG;
	struct brski_store_nonceless row;

	if (brski_store_nonceless_by_key(x->store, item->key, &row, why) != BRSKI_OK)
		return outcome;
	if (row.waiting) {
		outcome = answer_nonceless(x, &row, item, why);
	} else {
		outcome = BRSKI_IMPORT_REPEATED;
		brski_fail(why, BRSKI_UNEXPECTED, "it has been answered before");
	}
	brski_store_nonceless_free(&row);
	return outcome;
}
