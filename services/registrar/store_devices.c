/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/store_internal.h"

#define COLUMNS "manufacturer, serial_number, note, added, state, last_seen"

static enum brski_code not_listed(const char *manufacturer, const char *serial, struct brski_error *err)
{
	return brski_fail(
		err, BRSKI_NOT_FOUND, "device %s of %s is not in the inventory", serial, manufacturer);
}

enum brski_code brski_store_device_put(struct brski_store *store, const char *manufacturer,
	const char *serial, const char *note, struct brski_error *err)
{
	struct sql q;

	sql_begin(&q, store->db,
		"INSERT INTO device (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, 'listed', 0)"
		" ON CONFLICT (manufacturer, serial_number) DO UPDATE SET note = iif(?5, ?3, note)",
		err);
	sql_bind_text(&q, manufacturer);
	sql_bind_text(&q, serial);
	sql_bind_text(&q, note ? note : "");
	sql_bind_int(&q, time(NULL));
	sql_bind_int(&q, note != NULL);
	return brski_store_below(sql_run(&q), manufacturer, err);
}

/* A list of former days must not let in again whom somebody has refused since. */
static enum brski_code put_item(struct brski_store *store, const char *manufacturer,
	const struct device_list_item *item, size_t *refused, struct brski_error *err)
{
	enum brski_standing standing;
	enum brski_code code = brski_store_standing(store, manufacturer, item->serial_number, &standing, err);

	if (code != BRSKI_OK)
		return code;
	if (standing == BRSKI_STANDING_REFUSED) {
		*refused += !item->again;
		return BRSKI_OK;
	}
	return brski_store_device_put(
		store, manufacturer, item->serial_number, item->note[0] ? item->note : NULL, err);
}

enum brski_code brski_store_devices_put(struct brski_store *store, const char *manufacturer,
	const struct device_list *list, size_t *refused, struct brski_error *err)
{
	enum brski_code code = sql_transaction_begin(store->db, err);

	if (code != BRSKI_OK)
		return code;
	for (size_t i = 0; code == BRSKI_OK && i < list->n; i++)
		code = put_item(store, manufacturer, &list->items[i], refused, err);
	return sql_transaction_end(store->db, code, err);
}

enum brski_code brski_store_device_remove(
	struct brski_store *store, const char *manufacturer, const char *serial, struct brski_error *err)
{
	struct sql q;
	uint64_t changed;
	enum brski_code code;

	sql_begin(&q, store->db, "DELETE FROM device WHERE manufacturer = ?1 AND serial_number = ?2", err);
	sql_bind_text(&q, manufacturer);
	sql_bind_text(&q, serial);
	code = sql_run_changes(&q, &changed);
	return code == BRSKI_OK && changed == 0 ? not_listed(manufacturer, serial, err) : code;
}

enum brski_code brski_store_device_seen(struct brski_store *store, const char *manufacturer,
	const char *serial, const char *state, struct brski_error *err)
{
	struct sql q;

	sql_begin_lazy(&q, store->db,
		"UPDATE device SET state = coalesce(nullif(?3, ''), state), last_seen = ?4"
		" WHERE manufacturer = ?1 AND serial_number = ?2",
		err);
	sql_bind_text(&q, manufacturer);
	sql_bind_text(&q, serial);
	sql_bind_text(&q, state ? state : "");
	sql_bind_int(&q, time(NULL));
	return sql_run(&q);
}

static void read_row(struct sql *q, struct brski_store_device *d)
{
	sql_printable(q, 0, d->manufacturer, sizeof(d->manufacturer));
	sql_printable(q, 1, d->serial_number, sizeof(d->serial_number));
	sql_printable(q, 2, d->note, sizeof(d->note));
	d->added = (time_t)sql_int(q, 3);
	sql_printable(q, 4, d->state, sizeof(d->state));
	d->last_seen = (time_t)sql_int(q, 5);
}

enum brski_code brski_store_device_get(struct brski_store *store, const char *manufacturer,
	const char *serial, struct brski_store_device *out, struct brski_error *err)
{
	struct sql q;
	bool found;
	enum brski_code code;

	*out = (struct brski_store_device){0};
	sql_begin_read(&q, store->db,
		"SELECT " COLUMNS " FROM device WHERE manufacturer = ?1 AND serial_number = ?2", err);
	sql_bind_text(&q, manufacturer);
	sql_bind_text(&q, serial);
	found = sql_row(&q);
	if (found)
		read_row(&q, out);
	code = sql_end(&q);
	return code == BRSKI_OK && !found ? not_listed(manufacturer, serial, err) : code;
}

enum brski_code brski_store_devices_page(struct brski_store *store, const char *manufacturer,
	struct brski_store_place *place, struct brski_store_device *rows, unsigned most, unsigned *n,
	struct brski_error *err)
{
	struct sql q;
	enum brski_code code;

	*n = 0;
	sql_begin_read(&q, store->db,
		manufacturer ? "SELECT " COLUMNS " FROM device WHERE manufacturer = ?1 AND serial_number > ?2"
			       " ORDER BY serial_number LIMIT ?3"
			     : "SELECT " COLUMNS " FROM device WHERE (manufacturer, serial_number) > (?1, ?2)"
			       " ORDER BY manufacturer, serial_number LIMIT ?3",
		err);
	sql_bind_text(&q, manufacturer ? manufacturer : place->first);
	sql_bind_text(&q, place->second);
	sql_bind_int(&q, most);
	while (*n < most && sql_row(&q)) {
		rows[*n] = (struct brski_store_device){0};
		read_row(&q, &rows[*n]);
		brski_store_place_take(&q, -1, 0, 1, place);
		++*n;
	}
	code = sql_end(&q);
	if (code != BRSKI_OK)
		*n = 0;
	return code;
}
