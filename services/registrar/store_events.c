/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/store_internal.h"

static void bind_event(struct sql *q, const struct brski_store_event *event)
{
	sql_bind_int(q, event->at ? event->at : time(NULL));
	sql_bind_text(q, event->manufacturer);
	sql_bind_text(q, event->serial_number);
	sql_bind_text(q, event->what);
	sql_bind_int(q, event->ok);
	sql_bind_text(q, event->detail);
}

/* Two, since a visit that ends with "come back later" leaves two: why, and when. */
static enum brski_code count_again(struct brski_store *store, const struct brski_store_event *event,
	bool *found, struct brski_error *err)
{
	struct sql q;
	uint64_t changed;
	enum brski_code code;

	sql_begin_lazy(&q, store->db,
		"UPDATE event SET at = ?1, times = times + 1 WHERE id = (SELECT id FROM"
		" (SELECT * FROM event WHERE serial_number = ?3 AND manufacturer = ?2 ORDER BY id DESC LIMIT 2)"
		" WHERE what = ?4 AND ok = ?5 AND detail = ?6)",
		err);
	bind_event(&q, event);
	code = sql_run_changes(&q, &changed);
	*found = changed > 0;
	return code;
}

enum brski_code brski_store_event_add(
	struct brski_store *store, const struct brski_store_event *event, struct brski_error *err)
{
	struct sql q;
	bool found;
	enum brski_code code = count_again(store, event, &found, err);

	if (code != BRSKI_OK || found)
		return code;
	sql_begin_lazy(&q, store->db,
		"INSERT INTO event (at, manufacturer, serial_number, what, ok, detail)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
		err);
	bind_event(&q, event);
	return sql_run(&q);
}

static void read_row(struct sql *q, struct brski_store_event *e)
{
	e->at = (time_t)sql_int(q, 1);
	sql_printable(q, 2, e->manufacturer, sizeof(e->manufacturer));
	sql_printable(q, 3, e->serial_number, sizeof(e->serial_number));
	sql_printable(q, 4, e->what, sizeof(e->what));
	e->ok = sql_int(q, 5) != 0;
	sql_printable(q, 6, e->detail, sizeof(e->detail));
	e->times = (unsigned)sql_int(q, 7);
}

/* Where the list begins is looked for on its first page only; ids count from 1. */
#define PAGE(of) \
	"SELECT id, at, manufacturer, serial_number, what, ok, detail, times FROM event WHERE " of \
	" AND id > iif(?2 > 0, ?2, coalesce((SELECT min(id) - 1 FROM" \
	" (SELECT id FROM event WHERE " of " ORDER BY id DESC LIMIT ?3)), 0)) ORDER BY id LIMIT ?4"

enum brski_code brski_store_events_page(struct brski_store *store, const char *serial, unsigned newest,
	struct brski_store_place *place, struct brski_store_event *rows, unsigned most, unsigned *n,
	struct brski_error *err)
{
	struct sql q;
	enum brski_code code;

	*n = 0;
	sql_begin_read(&q, store->db, serial ? PAGE("serial_number = ?1") : PAGE("?1 = ''"), err);
	sql_bind_text(&q, serial ? serial : "");
	sql_bind_int(&q, place->number);
	sql_bind_int(&q, newest);
	sql_bind_int(&q, most);
	while (*n < most && sql_row(&q)) {
		rows[*n] = (struct brski_store_event){0};
		read_row(&q, &rows[*n]);
		brski_store_place_take(&q, 0, -1, -1, place);
		++*n;
	}
	code = sql_end(&q);
	if (code != BRSKI_OK)
		*n = 0;
	return code;
}
