/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/store.h"

#include <stdlib.h>
#include <string.h>

#include "services/registrar/store_internal.h"

/*
 * Another process's change takes milliseconds. Whoever sits on the lock longer, a forgotten shell
 * of sqlite3 for instance, must not have all of the server's threads wait for him.
 */
#define BUSY_MS 2000

static enum brski_code migrate(struct brski_store *store, struct brski_error *err)
{
	int found;
	enum brski_code code = sql_migrate(store->db, &brski_store_schema, &found, err);

	if (code == BRSKI_UNSUPPORTED)
		code = brski_fail(err, code,
			"the database was made by a newer version (schema %d, this program knows %d)", found,
			brski_store_schema.version);
	return code;
}

enum brski_code brski_store_open_with(const char *path, const struct brski_store_options *with,
	struct brski_store **out, struct brski_error *err)
{
	const struct sql_options options = {.create = with->create,
		.mode = 0640,
		.busy_ms = BUSY_MS,
		.mend = "'brskictl init', run by root, mends that",
		.keep_later = with->keep_later,
		.readers = with->keep_later ? SQL_READERS_MAX : 0,
		.env = with->env};
	struct brski_store *store = calloc(1, sizeof(*store));
	enum brski_code code;

	*out = NULL;
	if (!store)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for the store");
	code = sql_open(path, &options, &store->db, err);
	if (code != BRSKI_OK) {
		brski_fail_context(err, code, "cannot open the database %s", path);
	} else {
		code = migrate(store, err);
		if (code != BRSKI_OK)
			brski_fail_context(err, code, "%s", path);
	}
	if (code == BRSKI_OK)
		*out = store;
	else
		brski_store_close(store);
	return code;
}

enum brski_code brski_store_open(
	const char *path, bool create, struct brski_store **out, struct brski_error *err)
{
	const struct brski_store_options with = {.create = create};

	return brski_store_open_with(path, &with, out, err);
}

enum brski_code brski_store_check_writable(struct brski_store *store, struct brski_error *err)
{
	return sql_check_writable(store->db, err);
}

void brski_store_close(struct brski_store *store)
{
	if (!store)
		return;
	sql_close(store->db);
	free(store);
}

uint64_t brski_store_mark(struct brski_store *store)
{
	return sql_mark(store->db);
}

enum brski_kept brski_store_kept(struct brski_store *store, uint64_t mark, struct brski_error *why)
{
	return sql_kept(store->db, mark, why);
}

enum brski_kept brski_store_wait_kept(
	struct brski_store *store, uint64_t mark, long ms, struct brski_error *why)
{
	return sql_wait_kept(store->db, mark, ms, why);
}

void brski_store_on_kept(struct brski_store *store, void (*moved)(void *ctx), void *ctx)
{
	sql_on_kept(store->db, moved, ctx);
}

enum brski_code brski_store_generation(struct brski_store *store, uint64_t *out, struct brski_error *err)
{
	return sql_change_counter(store->db, out, err);
}

/* What is cut would come again and again. */
static void take_text(struct sql *q, int column, char *out, size_t size)
{
	sql_text(q, column, out, size);
	if (strlen(out) + 1 == size && q->code == BRSKI_OK)
		q->code = brski_fail(q->err, BRSKI_INTERNAL, "database: a name that is too long");
}

void brski_store_place_take(struct sql *q, int number, int first, int second, struct brski_store_place *place)
{
	if (number >= 0)
		place->number = sql_int(q, number);
	if (first >= 0)
		take_text(q, first, place->first, sizeof(place->first));
	if (second >= 0)
		take_text(q, second, place->second, sizeof(place->second));
}

enum brski_code brski_store_below(enum brski_code code, const char *manufacturer, struct brski_error *err)
{
	if (code != BRSKI_UNEXPECTED)
		return code;
	return brski_fail(err, BRSKI_NOT_FOUND, "there is no manufacturer '%s'", manufacturer);
}
