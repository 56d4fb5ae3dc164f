/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/manufacturers.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <pthread.h>

/* The manufacturers, parsed. Immutable; replaced whole when the store has changed; freed by its last user. */
struct snapshot {
	unsigned users;
	uint64_t generation;
	size_t n;
	struct brski_manufacturer *manufacturers;
};

struct brski_manufacturers {
	struct brski_store *store;
	const struct brski_env *env;
	pthread_mutex_t lock; /* of `current` and every `users` */
	struct snapshot *current;
};

/* ---- Parsing manufacturers ---- */

static enum brski_code parse_certs(const struct brski_buf *pem, STACK_OF(X509) **out, struct brski_error *err)
{
	return pem->len ? brski_certs_from_pem(brski_buf_span(pem), out, err) : BRSKI_OK;
}

static enum brski_code parse_crls(
	const struct brski_buf *pem, STACK_OF(X509_CRL) **out, struct brski_error *err)
{
	BIO *bio;
	X509_CRL *crl;

	if (pem->len == 0)
		return BRSKI_OK;
	bio = BIO_new_mem_buf(pem->data, (int)pem->len);
	*out = sk_X509_CRL_new_null();
	while (bio && *out && (crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL)))
		if (!sk_X509_CRL_push(*out, crl))
			X509_CRL_free(crl);
	BIO_free(bio);
	ERR_clear_error();
	if (sk_X509_CRL_num(*out) > 0)
		return BRSKI_OK;
	return brski_fail(err, BRSKI_MALFORMED, "its CRL file holds no CRL in PEM form");
}

static enum brski_code parse(
	const struct brski_store_manufacturer *row, struct brski_manufacturer *out, struct brski_error *err)
{
	enum brski_code code;

	*out = (struct brski_manufacturer){
		.mode = row->mode,
		.check_voucher = row->check_voucher,
		.audit_log = row->audit_log,
		.allow_foreign_domains = row->allow_foreign_domains,
		.allow_nonceless = row->allow_nonceless,
	};
	memcpy(out->name, row->name, sizeof(out->name));
	memcpy(out->masa_url, row->masa_url, sizeof(out->masa_url));
	code = parse_certs(&row->idevid_anchors, &out->idevid_anchors, err);
	if (code == BRSKI_OK)
		code = parse_certs(&row->voucher_anchors, &out->voucher_anchors, err);
	if (code == BRSKI_OK)
		code = parse_certs(&row->tls_anchors, &out->tls_anchors, err);
	if (code == BRSKI_OK)
		code = parse_crls(&row->crls, &out->crls, err);
	if (code != BRSKI_OK)
		brski_manufacturer_free(out);
	return code;
}

/* ---- Snapshots ---- */

static void snapshot_free(struct snapshot *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++)
		brski_manufacturer_free(&s->manufacturers[i]);
	free(s->manufacturers);
	free(s);
}

static void snapshot_release(struct brski_manufacturers *all, struct snapshot *s)
{
	bool last;

	pthread_mutex_lock(&all->lock);
	last = --s->users == 0;
	pthread_mutex_unlock(&all->lock);
	if (last)
		snapshot_free(s);
}

/*
 * A manufacturer whose certificates do not parse is left out, with a word to the operator: the
 * others go on.
 */
static enum brski_code load_row(struct brski_manufacturers *all, const struct brski_store_manufacturer *row,
	struct snapshot *into, struct brski_error *err)
{
	struct brski_manufacturer *more = realloc(into->manufacturers, (into->n + 1) * sizeof(*more));
	struct brski_error broken;

	if (!more)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for the manufacturers");
	into->manufacturers = more;
	if (parse(row, &more[into->n], &broken) != BRSKI_OK)
		brski_log(all->env, BRSKI_LOG_ERROR,
			"manufacturer %s is left out, its entry in the database is broken: %s", row->name,
			broken.why);
	else
		into->n++;
	return BRSKI_OK;
}

static enum brski_code load_rows(
	struct brski_manufacturers *all, struct snapshot *into, struct brski_error *err)
{
	struct brski_store_manufacturer rows[BRSKI_STORE_PAGE_HEAVY];
	struct brski_store_place place = {0};
	enum brski_code code;
	unsigned n;

	do {
		code = brski_store_manufacturers_page(
			all->store, &place, rows, BRSKI_STORE_PAGE_HEAVY, &n, err);
		for (unsigned i = 0; i < n; i++) {
			if (code == BRSKI_OK)
				code = load_row(all, &rows[i], into, err);
			brski_store_manufacturer_free(&rows[i]);
		}
	} while (code == BRSKI_OK && n == BRSKI_STORE_PAGE_HEAVY);
	return code;
}

static enum brski_code snapshot_load(
	struct brski_manufacturers *all, uint64_t generation, struct snapshot **out, struct brski_error *err)
{
	struct snapshot *s = calloc(1, sizeof(*s));
	enum brski_code code;

	if (!s)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for the manufacturers");
	s->generation = generation;
	code = load_rows(all, s, err);
	if (code == BRSKI_OK)
		*out = s;
	else
		snapshot_free(s);
	return code;
}

/* The newest manufacturers; to be released. Loading happens under the lock, so that it happens once. */
static enum brski_code snapshot_take(
	struct brski_manufacturers *all, struct snapshot **out, struct brski_error *err)
{
	uint64_t generation;
	struct snapshot *old = NULL, *fresh = NULL;
	enum brski_code code = brski_store_generation(all->store, &generation, err);

	if (code != BRSKI_OK)
		return code;
	pthread_mutex_lock(&all->lock);
	if (!all->current || all->current->generation != generation) {
		code = snapshot_load(all, generation, &fresh, err);
		if (code == BRSKI_OK) {
			fresh->users = 1; /* the cache itself */
			old = all->current;
			all->current = fresh;
		}
	}
	if (code == BRSKI_OK) {
		all->current->users++;
		*out = all->current;
	}
	if (old && --old->users > 0)
		old = NULL;
	pthread_mutex_unlock(&all->lock);
	snapshot_free(old);
	return code;
}

/* ---- Which manufacturer ---- */

/*
 * "Expired" and "revoked" say more than "leads nowhere", so they win over what other manufacturers'
 * anchors say.
 */
static enum brski_code search(struct brski_manufacturers *all, const struct snapshot *s,
	const STACK_OF(X509) *chain, struct brski_manufacturer *out, struct brski_error *err)
{
	char subject[160];
	struct brski_error said;

	brski_name_text(X509_get_issuer_name(sk_X509_value(chain, 0)), subject, sizeof(subject));
	brski_fail(err, BRSKI_UNTRUSTED,
		"no known manufacturer: the device's certificate was issued by "
		"%s; add its CA with 'brskictl manufacturer add'",
		subject);
	for (size_t i = 0; i < s->n; i++) {
		const struct brski_manufacturer *m = &s->manufacturers[i];
		enum brski_code code = brski_chain_verify(
			chain, m->idevid_anchors, m->crls, BRSKI_USE_ANY, brski_now(all->env), &said);

		if (code == BRSKI_OK)
			return brski_manufacturer_copy(out, m, err);
		if (code == BRSKI_NO_MEMORY || code == BRSKI_INTERNAL) /* no word about the device */
			return brski_fail(err, code, "%s", said.why);
		if (code == BRSKI_EXPIRED || code == BRSKI_REVOKED)
			brski_fail(err, code, "device of %s: %s", m->name, said.why);
	}
	return err->code;
}

enum brski_code brski_manufacturers_find(struct brski_manufacturers *all, const STACK_OF(X509) *chain,
	struct brski_manufacturer *out, struct brski_error *err)
{
	struct brski_error local;
	struct snapshot *s;
	enum brski_code code;

	*out = (struct brski_manufacturer){0};
	if (!err)
		err = &local;
	if (sk_X509_num(chain) < 1)
		return brski_fail(err, BRSKI_UNTRUSTED, "the device sent no certificate");
	code = snapshot_take(all, &s, err);
	if (code != BRSKI_OK)
		return code;
	code = search(all, s, chain, out, err);
	snapshot_release(all, s);
	return code;
}

enum brski_code brski_manufacturers_get(struct brski_manufacturers *all, const char *name,
	struct brski_manufacturer *out, struct brski_error *err)
{
	struct snapshot *s;
	enum brski_code code = snapshot_take(all, &s, err);

	*out = (struct brski_manufacturer){0};
	if (code != BRSKI_OK)
		return code;
	code = BRSKI_NOT_FOUND;
	for (size_t i = 0; code == BRSKI_NOT_FOUND && i < s->n; i++)
		if (strcmp(s->manufacturers[i].name, name) == 0)
			code = brski_manufacturer_copy(out, &s->manufacturers[i], err);
	snapshot_release(all, s);
	return code == BRSKI_NOT_FOUND ? brski_fail(err, code, "there is no manufacturer '%s'", name) : code;
}

/* ---- Making and ending ---- */

enum brski_code brski_manufacturers_new(struct brski_store *store, const struct brski_env *env,
	struct brski_manufacturers **out, struct brski_error *err)
{
	struct brski_manufacturers *all = calloc(1, sizeof(*all));

	*out = NULL;
	if (!all || pthread_mutex_init(&all->lock, NULL)) {
		free(all);
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for the manufacturers");
	}
	all->store = store;
	all->env = env;
	*out = all;
	return BRSKI_OK;
}

void brski_manufacturers_free(struct brski_manufacturers *all)
{
	if (!all)
		return;
	snapshot_free(all->current);
	pthread_mutex_destroy(&all->lock);
	free(all);
}
