/* SPDX-License-Identifier: BSD-3-Clause */
#include "radius_module/store_sql.h"

enum brski_code brski_store_event_add(
	struct brski_store *store, const struct brski_store_event *event, struct brski_error *err)
{
	struct sql q;

	sql_begin_lazy(&q, store,
		"INSERT INTO event (at, manufacturer, serial_number, what, ok, detail) VALUES (?1, ?2, ?3, "
		"?4, ?5, ?6)",
		err);
	sql_bind_int(&q, event->at ? event->at : time(NULL));
	sql_bind_text(&q, event->manufacturer);
	sql_bind_text(&q, event->serial_number);
	sql_bind_text(&q, event->what);
	sql_bind_int(&q, event->ok);
	sql_bind_text(&q, event->detail);
	return sql_run(&q);
}

enum brski_code brski_store_events(struct brski_store *store, const char *serial, unsigned most,
	brski_store_event_row *row, void *ctx, struct brski_error *err)
{
	struct sql q;

	sql_begin(&q, store,
		"SELECT at, manufacturer, serial_number, what, ok, detail FROM"
		" (SELECT * FROM event WHERE ?1 = '' OR serial_number = ?1 ORDER BY id DESC LIMIT ?2) ORDER "
		"BY id",
		err);
	sql_bind_text(&q, serial ? serial : "");
	sql_bind_int(&q, most);
	while (sql_row(&q)) {
		struct brski_store_event e = {.at = (time_t)sql_int(&q, 0), .ok = sql_int(&q, 4) != 0};

		sql_copy_text(&q, 1, e.manufacturer, sizeof(e.manufacturer));
		sql_copy_text(&q, 2, e.serial_number, sizeof(e.serial_number));
		sql_copy_text(&q, 3, e.what, sizeof(e.what));
		sql_copy_text(&q, 5, e.detail, sizeof(e.detail));
		row(ctx, &e);
	}
	return sql_end(&q);
}

enum brski_code brski_store_events_trim(struct brski_store *store, unsigned keep, struct brski_error *err)
{
	struct sql q;

	sql_begin(&q, store, "DELETE FROM event WHERE id <= (SELECT max(id) FROM event) - ?1", err);
	sql_bind_int(&q, keep);
	return sql_run(&q);
}
