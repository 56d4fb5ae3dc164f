/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/store_internal.h"

#define COLUMNS "key, name, value, manufacturer, serial_number, of_transaction, updated"

enum brski_code brski_store_note_put(
	struct brski_store *store, const struct brski_store_note *note, struct brski_error *err)
{
	struct sql q;

	sql_begin(&q, store->db,
		"INSERT INTO note (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
		" ON CONFLICT (key) DO UPDATE SET name = ?2, value = ?3, manufacturer = ?4,"
		" serial_number = ?5, of_transaction = ?6, updated = ?7",
		err);
	sql_bind_text(&q, note->key);
	sql_bind_text(&q, note->name);
	sql_bind_text(&q, note->value);
	sql_bind_text(&q, note->manufacturer);
	sql_bind_text(&q, note->serial_number);
	sql_bind_int(&q, note->of_transaction);
	sql_bind_int(&q, note->updated ? note->updated : time(NULL));
	return sql_run(&q);
}

static void read_row(struct sql *q, struct brski_store_note *note)
{
	sql_printable(q, 0, note->key, sizeof(note->key));
	sql_printable(q, 1, note->name, sizeof(note->name));
	sql_printable(q, 2, note->value, sizeof(note->value));
	sql_printable(q, 3, note->manufacturer, sizeof(note->manufacturer));
	sql_printable(q, 4, note->serial_number, sizeof(note->serial_number));
	note->of_transaction = sql_int(q, 5) != 0;
	note->updated = (time_t)sql_int(q, 6);
}

enum brski_code brski_store_note_get(
	struct brski_store *store, const char *key, struct brski_store_note *out, struct brski_error *err)
{
	struct sql q;
	bool found;
	enum brski_code code;

	*out = (struct brski_store_note){0};
	sql_begin_read(&q, store->db, "SELECT " COLUMNS " FROM note WHERE key = ?1", err);
	sql_bind_text(&q, key);
	found = sql_row(&q);
	if (found)
		read_row(&q, out);
	code = sql_end(&q);
	return code == BRSKI_OK && !found ? brski_fail(err, BRSKI_NOT_FOUND, "no such note") : code;
}

enum brski_code brski_store_notes_expire(
	struct brski_store *store, time_t before, unsigned *n, struct brski_error *err)
{
	struct sql q;
	uint64_t changed;
	enum brski_code code;

	sql_begin(&q, store->db,
		"DELETE FROM note WHERE key IN (SELECT key FROM note WHERE of_transaction = 1 AND updated < ?1"
		" AND NOT EXISTS (SELECT 1 FROM job WHERE key = note.value) LIMIT ?2)",
		err);
	sql_bind_int(&q, before);
	sql_bind_int(&q, BRSKI_STORE_STEP);
	code = sql_run_changes(&q, &changed);
	*n = (unsigned)changed;
	return code;
}
