/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/manufacturers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>

#include "eap_brski/pki/limits.h"
#include "services/registrar/manufacturer_doubts.h"
#include "services/registrar/manufacturer_row.h"

/* Two rows of a snapshot that have an anchor in common. */
struct pair {
	size_t a, b;
};

/* The manufacturers, parsed. Immutable; replaced whole when the store has changed; freed by its last user. */
struct snapshot {
	unsigned users;
	uint64_t generation;
	size_t n;
	struct brski_parsed *rows;
	size_t n_pairs;
	struct pair *pairs;
};

struct brski_manufacturers {
	struct brski_store *store;
	const struct brski_env *env;
	pthread_mutex_t lock; /* of `current` and every `users` */
	struct snapshot *current;
};

/* ---- Snapshots ---- */

static void snapshot_free(struct snapshot *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++)
		brski_parsed_free(&s->rows[i]);
	free(s->rows);
	free(s->pairs);
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

struct doubtful {
	const struct brski_env *env;
	const char *name;
};

static void log_doubt(void *ctx, const char *words)
{
	const struct doubtful *d = ctx;

	brski_log(d->env, BRSKI_LOG_WARN, "manufacturer %s: %s", d->name, words);
}

static enum brski_code load_row(struct brski_manufacturers *all, const struct brski_store_manufacturer *row,
	struct snapshot *into, struct brski_error *err)
{
	struct brski_parsed *more = realloc(into->rows, (into->n + 1) * sizeof(*more));
	enum brski_code code;

	if (!more)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for the manufacturers");
	into->rows = more;
	code = brski_parsed_read(row, all->env, &more[into->n], err);
	if (code == BRSKI_OK) {
		const struct brski_manufacturer *m = &more[into->n++].manufacturer;
		struct doubtful d = {all->env, m->name};

		brski_manufacturer_doubts(m->idevid_anchors, m->crls, brski_now(all->env), log_doubt, &d);
	}
	return code;
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

/* How much a mode keeps out; one that this version does not know lets nobody in. */
static int strictness(enum brski_mode mode)
{
	static const int of[] = {
		[BRSKI_MODE_OPEN] = 0,
		[BRSKI_MODE_MANUFACTURER] = 1,
		[BRSKI_MODE_TYPE] = 2,
		[BRSKI_MODE_MANUAL] = 3,
		[BRSKI_MODE_INVENTORY] = 4,
	};

	return (unsigned)mode < sizeof(of) / sizeof(of[0]) ? of[mode] : 5;
}

static enum brski_code add_pair(
	struct brski_manufacturers *all, struct snapshot *s, size_t a, size_t b, struct brski_error *err)
{
	const struct brski_manufacturer *first = &s->rows[a].manufacturer, *second = &s->rows[b].manufacturer;
	const X509 *anchor = brski_anchors_shared(first->idevid_anchors, second->idevid_anchors);
	const struct brski_manufacturer *strict =
		strictness(second->mode) > strictness(first->mode) ? second : first;
	struct pair *more;
	char subject[160];

	if (!anchor)
		return BRSKI_OK;
	brski_name_text(X509_get_subject_name(anchor), subject, sizeof(subject));
	brski_log(all->env, BRSKI_LOG_WARN,
		"manufacturers %s and %s have the same anchor, %s: of its devices the stricter mode decides, "
		"'%s' of %s, and whoever is refused at one of them is refused",
		first->name, second->name, subject, brski_mode_name(strict->mode), strict->name);
	more = realloc(s->pairs, (s->n_pairs + 1) * sizeof(*more));
	if (!more)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for the manufacturers");
	s->pairs = more;
	s->pairs[s->n_pairs++] = (struct pair){a, b};
	return BRSKI_OK;
}

static enum brski_code find_pairs(
	struct brski_manufacturers *all, struct snapshot *s, struct brski_error *err)
{
	enum brski_code code = BRSKI_OK;

	for (size_t a = 0; a < s->n; a++)
		for (size_t b = a + 1; code == BRSKI_OK && b < s->n; b++)
			code = add_pair(all, s, a, b, err);
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
		code = find_pairs(all, s, err);
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

/* One to which a chain leads, and what it says of it. */
struct candidate {
	const struct brski_manufacturer *m; /* NULL: there is none yet */
	unsigned distance;
	enum brski_code code;
	struct brski_error said;
};

/*
 * The nearer anchor decides. Of several as near, a refusal, and then the stricter mode: what one
 * manufacturer's entry keeps out does not get in by another's.
 */
static bool is_before(const struct candidate *a, const struct candidate *b)
{
	if (!b->m || a->distance != b->distance)
		return !b->m || a->distance < b->distance;
	if ((a->code == BRSKI_OK) != (b->code == BRSKI_OK))
		return a->code != BRSKI_OK;
	return strictness(a->m->mode) > strictness(b->m->mode);
}

/* False: it does not lead there, or nobody knows (code is BRSKI_NO_MEMORY). */
static bool try(
	const struct brski_parsed *row, const STACK_OF(X509) *chain, time_t now, struct candidate *out)
{
	struct brski_path path;

	*out = (struct candidate){.m = &row->manufacturer};
	out->code = brski_chain_follow(chain, out->m->idevid_anchors, out->m->crls, now, &path, &out->said);
	out->distance = path.distance;
	if (path.leads && row->crls_lost)
		out->code = brski_fail(&out->said, BRSKI_REFUSED,
			"its CRLs in the database cannot be read, so nobody knows whether it is revoked: give "
			"them anew with 'brskictl manufacturer set --crl'");
	return path.leads;
}

static enum brski_code search(struct brski_manufacturers *all, const struct snapshot *s,
	const STACK_OF(X509) *chain, struct brski_manufacturer *out, struct brski_error *err)
{
	struct candidate best = {0}, next;
	enum brski_code code = brski_certs_check_keys(chain, err);
	char subject[160];

	if (code != BRSKI_OK) /* no signature is looked at, so nobody knows whose it is */
		return code;
	for (size_t i = 0; i < s->n; i++) {
		bool leads = try(&s->rows[i], chain, brski_now(all->env), &next);

		if (next.code == BRSKI_NO_MEMORY ||
			next.code == BRSKI_INTERNAL) /* no word about the device */
			return brski_fail(err, next.code, "%s", next.said.why);
		if (leads && is_before(&next, &best))
			best = next;
	}
	if (best.m && best.code == BRSKI_OK)
		return brski_manufacturer_copy(out, best.m, err);
	if (best.m)
		return brski_fail(err, best.code, "device of %s: %s", best.m->name, best.said.why);
	brski_name_text(X509_get_issuer_name(sk_X509_value(chain, 0)), subject, sizeof(subject));
	return brski_fail(err, BRSKI_UNTRUSTED,
		"no known manufacturer: the device's certificate was issued by "
		"%s; add its CA with 'brskictl manufacturer add'",
		subject);
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
		if (strcmp(s->rows[i].manufacturer.name, name) == 0)
			code = brski_manufacturer_copy(out, &s->rows[i].manufacturer, err);
	snapshot_release(all, s);
	return code == BRSKI_NOT_FOUND ? brski_fail(err, code, "there is no manufacturer '%s'", name) : code;
}

/* Number i of a name's pairs. */
static const char *pair_of(const struct snapshot *s, const char *name, unsigned i)
{
	for (size_t p = 0; p < s->n_pairs; p++) {
		const char *a = s->rows[s->pairs[p].a].manufacturer.name;
		const char *b = s->rows[s->pairs[p].b].manufacturer.name;

		if (strcmp(a, name) != 0 && strcmp(b, name) != 0)
			continue;
		if (i-- == 0)
			return strcmp(a, name) == 0 ? b : a;
	}
	return NULL;
}

enum brski_code brski_manufacturers_twin(struct brski_manufacturers *all, const char *name, unsigned i,
	char other[64], struct brski_error *err)
{
	struct snapshot *s;
	const char *found;
	enum brski_code code = snapshot_take(all, &s, err);

	other[0] = '\0';
	if (code != BRSKI_OK)
		return code;
	found = pair_of(s, name, i);
	if (found)
		snprintf(other, 64, "%s", found);
	snapshot_release(all, s);
	return found ? BRSKI_OK : BRSKI_NOT_FOUND;
}

enum brski_code brski_manufacturers_load(struct brski_manufacturers *all, struct brski_error *err)
{
	struct snapshot *s;
	enum brski_code code = snapshot_take(all, &s, err);

	if (code == BRSKI_OK)
		snapshot_release(all, s);
	return code;
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
