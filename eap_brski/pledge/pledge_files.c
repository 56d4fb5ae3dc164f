/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/pledge/pledge_internal.h"

#include <stdio.h>

/*
 * Keys and certificates live in generations: "ldevid-3.key", "ldevid-3.pem", "ldevid-3-ca.pem". The
 * value "state" names the current one, so that its single atomic write commits all three. One
 * generation back is kept.
 */
void brski_pledge_file_name(
	long generation, enum brski_pledge_part part, char out[BRSKI_PLEDGE_FILE_NAME_MAX])
{
	static const char *const suffix[] = {".key", ".pem", "-ca.pem"};

	snprintf(out, BRSKI_PLEDGE_FILE_NAME_MAX, "ldevid-%ld%s", generation, suffix[part]);
}

enum brski_code brski_pledge_write(const struct brski_pledge *p, const char *name, struct brski_span value,
	bool secret, struct brski_error *err)
{
	const struct brski_storage *storage = p->config.storage;
	enum brski_code code;

	if (!storage)
		return BRSKI_OK;
	code = storage->write(storage->ctx, name, value, secret, err);
	if (code != BRSKI_OK)
		return brski_fail_context(err, code, "the pledge's %s cannot be stored", name);
	return BRSKI_OK;
}

enum brski_code brski_pledge_write_certs(
	const struct brski_pledge *p, const char *name, const STACK_OF(X509) *certs, struct brski_error *err)
{
	struct brski_buf pem = {0};
	enum brski_code code;

	code = brski_certs_to_pem(certs, &pem, err);
	if (code == BRSKI_OK)
		code = brski_pledge_write(p, name, brski_buf_span(&pem), false, err);
	brski_buf_free(&pem);
	return code;
}

enum brski_code brski_pledge_write_key(const struct brski_pledge *p, struct brski_error *err)
{
	struct brski_buf pem = {0};
	enum brski_code code;
	char name[BRSKI_PLEDGE_FILE_NAME_MAX];

	brski_pledge_file_name(p->rec.candidate, BRSKI_PART_KEY, name);
	code = brski_key_to_pem(p->key, &pem, err);
	if (code == BRSKI_OK)
		code = brski_pledge_write(p, name, brski_buf_span(&pem), true, err);
	brski_buf_free(&pem);
	return code;
}

/* What the device's logins are to trust: CAs, not a registrar's own certificate that a voucher pinned. */
static enum brski_code write_anchors(const struct brski_pledge *p, const char *name, struct brski_error *err)
{
	STACK_OF(X509) *cas = sk_X509_new_null();
	enum brski_code code = BRSKI_OK;

	for (int i = 0; cas && i < sk_X509_num(p->anchors); i++) {
		X509 *anchor = sk_X509_value(p->anchors, i);

		if (brski_cert_is_ca(anchor) && sk_X509_push(cas, anchor) <= 0)
			code = brski_fail(err, BRSKI_NO_MEMORY, "no memory for certificates");
	}
	if (!cas)
		code = brski_fail(err, BRSKI_NO_MEMORY, "no memory for certificates");
	if (code == BRSKI_OK)
		code = brski_pledge_write_certs(p, name, cas, err);
	sk_X509_free(cas);
	return code;
}

enum brski_code brski_pledge_write_candidate(
	const struct brski_pledge *p, const STACK_OF(X509) *chain, struct brski_error *err)
{
	enum brski_code code;
	char name[BRSKI_PLEDGE_FILE_NAME_MAX];

	brski_pledge_file_name(p->rec.candidate, BRSKI_PART_CERT, name);
	code = brski_pledge_write_certs(p, name, chain, err);
	if (code != BRSKI_OK)
		return code;
	brski_pledge_file_name(p->rec.candidate, BRSKI_PART_ANCHORS, name);
	return write_anchors(p, name, err);
}

enum brski_code brski_pledge_read_certs(
	const struct brski_storage *storage, const char *name, STACK_OF(X509) **out, struct brski_error *err)
{
	struct brski_buf pem = {0};
	enum brski_code code;

	*out = NULL;
	code = storage->read(storage->ctx, name, &pem, err);
	if (code == BRSKI_OK)
		code = brski_certs_from_pem(brski_buf_span(&pem), out, err);
	brski_buf_free(&pem);
	return code == BRSKI_OK ? BRSKI_OK : brski_fail_context(err, code, "%s", name);
}

static enum brski_code read_key(struct brski_pledge *p, struct brski_error *err)
{
	const struct brski_storage *storage = p->config.storage;
	struct brski_buf pem = {0};
	enum brski_code code;
	char name[BRSKI_PLEDGE_FILE_NAME_MAX];

	brski_pledge_file_name(p->rec.candidate, BRSKI_PART_KEY, name);
	code = storage->read(storage->ctx, name, &pem, err);
	if (code == BRSKI_OK)
		code = brski_key_from_pem(brski_buf_span(&pem), &p->key, err);
	brski_buf_free(&pem);
	return code == BRSKI_OK ? BRSKI_OK : brski_fail_context(err, code, "%s", name);
}

static enum brski_code read_cert(struct brski_pledge *p, struct brski_error *err)
{
	STACK_OF(X509) *certs = NULL;
	enum brski_code code;
	char name[BRSKI_PLEDGE_FILE_NAME_MAX];

	brski_pledge_file_name(p->rec.candidate, BRSKI_PART_CERT, name);
	code = brski_pledge_read_certs(p->config.storage, name, &certs, err);
	if (code == BRSKI_OK && !brski_cert_has_key(sk_X509_value(certs, 0), p->key))
		code = brski_fail(err, BRSKI_MISMATCH, "%s is not for the key beside it", name);
	if (code == BRSKI_OK)
		p->cert = sk_X509_shift(certs);
	sk_X509_pop_free(certs, X509_free);
	return code;
}

static bool has_cert(enum brski_pledge_state state)
{
	return state == BRSKI_PLEDGE_CONFIRM || state == BRSKI_PLEDGE_CONFIRM_POLL ||
	       state == BRSKI_PLEDGE_REPORT;
}

enum brski_code brski_pledge_read_candidate(struct brski_pledge *p, struct brski_error *err)
{
	enum brski_code code;

	code = read_key(p, err);
	if (code == BRSKI_OK && has_cert(p->rec.state))
		code = read_cert(p, err);
	return code;
}

void brski_pledge_remove_generation(const struct brski_pledge *p, long generation)
{
	const struct brski_storage *storage = p->config.storage;
	struct brski_error err = {0};
	char name[BRSKI_PLEDGE_FILE_NAME_MAX];

	if (!storage || generation <= 0)
		return;
	for (int part = BRSKI_PART_KEY; part <= BRSKI_PART_ANCHORS; part++) {
		brski_pledge_file_name(generation, (enum brski_pledge_part)part, name);
		if (storage->remove(storage->ctx, name, &err) != BRSKI_OK)
			brski_log(p->config.env, BRSKI_LOG_WARN, "an old file stays behind: %s", err.why);
	}
}
