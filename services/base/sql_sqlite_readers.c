/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/base/sql_sqlite_internal.h"

/*
 * The log is written while it is read: who reads sees it as it was when he began. So these wait for
 * nobody who writes, and are no more than a few since a thread has one but for the moment of a read.
 */

/* What writers change is read anew anyway: a large cache would hold what is old. */
#define PRAGMAS "PRAGMA query_only = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -512"

void sql_readers_init(struct sql_db *db)
{
	struct sql_readers *r = &db->readers;

	r->most = db->options.readers < SQL_READERS_MAX ? db->options.readers : SQL_READERS_MAX;
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->freed, NULL);
}

void sql_readers_close(struct sql_db *db)
{
	struct sql_readers *r = &db->readers;

	sql_rights_begin(db);
	for (unsigned i = 0; i < r->most; i++)
		sqlite3_close(r->reader[i].sqlite);
	sql_rights_end(db);
	pthread_cond_destroy(&r->freed);
	pthread_mutex_destroy(&r->lock);
}

/* Its own; else one that is open, sooner than one that is not. NULL: others have them all. */
static struct sql_reader *find(struct sql_readers *r, const void *self)
{
	struct sql_reader *open = NULL, *closed = NULL;

	for (unsigned i = 0; i < r->most; i++) {
		struct sql_reader *one = &r->reader[i];

		if (one->owner == self)
			return one;
		if (!one->owner && one->sqlite && !open)
			open = one;
		if (!one->owner && !one->sqlite && !closed)
			closed = one;
	}
	return open ? open : closed;
}

static struct sql_reader *take(struct sql_readers *r)
{
	const void *self = sql_thread();
	struct sql_reader *one;

	pthread_mutex_lock(&r->lock);
	while (!(one = find(r, self)))
		pthread_cond_wait(&r->freed, &r->lock);
	one->owner = self;
	one->depth++;
	pthread_mutex_unlock(&r->lock);
	return one;
}

enum brski_code sql_reader_take(struct sql_db *db, struct sql_reader **out, struct brski_error *err)
{
	struct sql_reader *one = take(&db->readers);
	enum brski_code code = BRSKI_OK;

	*out = NULL;
	sql_rights_begin(db);
	if (!one->sqlite)
		code = sql_connect(db, PRAGMAS, &one->sqlite, err);
	if (code == BRSKI_OK)
		*out = one;
	else
		sql_reader_give_back(db, one);
	return code;
}

void sql_reader_give_back(struct sql_db *db, struct sql_reader *one)
{
	struct sql_readers *r = &db->readers;

	sql_rights_end(db);
	pthread_mutex_lock(&r->lock);
	if (--one->depth == 0) {
		one->owner = NULL;
		pthread_cond_signal(&r->freed);
	}
	pthread_mutex_unlock(&r->lock);
}
