/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "services/registrar/store_internal.h"

/*
 * The history is shortened in steps, each a look at some hundred or thousand rows by a reader, and at most
 * one short transaction. A round goes along the devices, for those that have more than their share; then
 * along the events from the newest, to count them; and from the oldest, to remove those beyond the
 * bounds. What is removed need not be waited for: after a power failure it is removed once more.
 *
 * Anybody can make events of no manufacturer, with a certificate of his own, and a device as many as it
 * likes of itself: they must not push out the others.
 */

#define STRANGERS_SHARE 10 /* for each so many events of devices that are kept, one of others */
#define DEVICES_SHARE 10   /* of the same, one of a single device */
#define LOOK 2000          /* rows that one step looks at */
#define REMOVE 200         /* and removes */
#define VICTIMS 16         /* devices that one step takes something from */

enum { OF_DEVICES, OF_STRANGERS };

enum stage { SHARES, COUNT, REMOVAL, DONE };

struct bounds {
	unsigned most[2];  /* events of devices, and of strangers */
	unsigned share[2]; /* of a single one */
};

/* Whatever a device does, at least nine tenths are of others. */
static unsigned share_of(unsigned share, unsigned keep)
{
	unsigned most = keep / DEVICES_SHARE + 1;

	return share < most ? share : most;
}

static struct bounds bounds_of(unsigned keep, unsigned share)
{
	unsigned strangers = keep / STRANGERS_SHARE + 1;

	return (struct bounds){{keep, strangers}, {share_of(share, keep), share_of(share, strangers)}};
}

/* ---- Shares ---- */

struct device {
	struct brski_store_place name; /* first: serial number, second: manufacturer */
	unsigned events;
};

static unsigned share_of_device(const struct bounds *bounds, const struct device *d)
{
	return bounds->share[d->name.second[0] ? OF_DEVICES : OF_STRANGERS];
}

/*
 * Those with more than their share, from trim->place on, which goes on. The last device of a look may have
 * more than was seen of it: the next look begins with it, unless it was alone.
 */
static enum brski_code find_victims(struct brski_store *store, const struct bounds *bounds,
	struct brski_store_trim *trim, struct device *victims, unsigned *n, struct brski_error *err)
{
	struct device d = {0}, before = {.name = trim->place};
	unsigned seen = 0;
	struct sql q;

	*n = 0;
	sql_begin_read(&q, store->db,
		"SELECT serial_number, manufacturer, count(*) FROM (SELECT serial_number, manufacturer FROM event"
		" WHERE (serial_number, manufacturer) > (?1, ?2) ORDER BY serial_number, manufacturer LIMIT ?3)"
		" GROUP BY serial_number, manufacturer",
		err);
	sql_bind_text(&q, trim->place.first);
	sql_bind_text(&q, trim->place.second);
	sql_bind_int(&q, LOOK);
	while (*n < VICTIMS && sql_row(&q)) {
		before = d.events ? d : before;
		brski_store_place_take(&q, -1, 0, 1, &d.name);
		d.events = (unsigned)sql_int(&q, 2);
		seen += d.events;
		if (d.events > share_of_device(bounds, &d) || d.events == LOOK)
			victims[(*n)++] = d;
	}
	trim->at_end = seen < LOOK && *n < VICTIMS;
	trim->place = seen < LOOK || d.events == LOOK || *n == VICTIMS ? d.name : before.name;
	return sql_end(&q);
}

/* *left: how many more may go. */
static enum brski_code remove_of(struct brski_store *store, const struct bounds *bounds,
	const struct device *d, unsigned *left, struct brski_error *err)
{
	struct sql q;
	uint64_t removed;
	enum brski_code code;

	sql_begin_lazy(&q, store->db,
		"DELETE FROM event WHERE id IN (SELECT id FROM event WHERE serial_number = ?1"
		" AND manufacturer = ?2 AND id <= (SELECT id FROM event WHERE serial_number = ?1"
		" AND manufacturer = ?2 ORDER BY id DESC LIMIT 1 OFFSET ?3) ORDER BY id LIMIT ?4)",
		err);
	sql_bind_text(&q, d->name.first);
	sql_bind_text(&q, d->name.second);
	sql_bind_int(&q, share_of_device(bounds, d));
	sql_bind_int(&q, *left);
	code = sql_run_changes(&q, &removed);
	*left -= (unsigned)removed;
	return code;
}

/* If not all of it could go, the next step begins where this one began. */
static enum brski_code trim_shares(struct brski_store *store, const struct bounds *bounds,
	struct brski_store_trim *trim, struct brski_error *err)
{
	const struct brski_store_place began = trim->place;
	struct device victims[VICTIMS];
	unsigned n, left = REMOVE;
	enum brski_code code = find_victims(store, bounds, trim, victims, &n, err);

	for (unsigned i = 0; code == BRSKI_OK && i < n && left > 0; i++)
		code = remove_of(store, bounds, &victims[i], &left, err);
	if (left == 0)
		trim->place = began;
	else if (trim->at_end)
		trim->stage = COUNT;
	return code;
}

/* ---- All ---- */

/* Which events of `kind` go, of the window of ids below trim->id that was counted: those beyond the newest `more`. */
static enum brski_code find_cut(struct brski_store *store, struct brski_store_trim *trim, int kind,
	unsigned more, struct brski_error *err)
{
	struct sql q;

	sql_begin_read(&q, store->db,
		"SELECT id FROM event WHERE (?1 = 0 OR id < ?1) AND (manufacturer = '') = ?2"
		" ORDER BY id DESC LIMIT 1 OFFSET ?3",
		err);
	sql_bind_int(&q, trim->id);
	sql_bind_int(&q, kind == OF_STRANGERS);
	sql_bind_int(&q, more);
	if (sql_row(&q))
		trim->cut[kind] = sql_int(&q, 0);
	return sql_end(&q);
}

/* ids count from 1. *lowest 0: there is none below trim->id. */
static enum brski_code count_window(struct brski_store *store, const struct brski_store_trim *trim,
	unsigned n[2], int64_t *lowest, struct brski_error *err)
{
	struct sql q;

	n[OF_DEVICES] = n[OF_STRANGERS] = 0;
	*lowest = 0;
	sql_begin_read(&q, store->db,
		"SELECT count(*) FILTER (WHERE manufacturer <> ''), count(*) FILTER (WHERE manufacturer = ''),"
		" min(id) FROM (SELECT id, manufacturer FROM event WHERE ?1 = 0 OR id < ?1"
		" ORDER BY id DESC LIMIT ?2)",
		err);
	sql_bind_int(&q, trim->id);
	sql_bind_int(&q, LOOK);
	if (sql_row(&q)) {
		n[OF_DEVICES] = (unsigned)sql_int(&q, 0);
		n[OF_STRANGERS] = (unsigned)sql_int(&q, 1);
		*lowest = sql_int(&q, 2);
	}
	return sql_end(&q);
}

static enum brski_code count_down(struct brski_store *store, const struct bounds *bounds,
	struct brski_store_trim *trim, struct brski_error *err)
{
	unsigned n[2];
	int64_t lowest;
	enum brski_code code = count_window(store, trim, n, &lowest, err);

	for (int kind = 0; code == BRSKI_OK && kind < 2; kind++) {
		if (!trim->cut[kind] && trim->counted[kind] + n[kind] > bounds->most[kind])
			code = find_cut(store, trim, kind, bounds->most[kind] - trim->counted[kind], err);
		trim->counted[kind] += n[kind];
	}
	trim->id = lowest;
	if (lowest <= 1 || (trim->cut[OF_DEVICES] && trim->cut[OF_STRANGERS])) {
		trim->stage = REMOVAL;
		trim->id = 0;
	}
	return code;
}

#define GOES "id <= iif(manufacturer = '', ?3, ?2)"

static void bind_window(struct sql *q, const struct brski_store_trim *trim)
{
	sql_bind_int(q, trim->id);
	sql_bind_int(q, trim->cut[OF_DEVICES]);
	sql_bind_int(q, trim->cut[OF_STRANGERS]);
}

/* The next ids, the highest of them, and whether any goes. */
static enum brski_code find_window(struct brski_store *store, const struct brski_store_trim *trim,
	int64_t *upto, bool *any, struct brski_error *err)
{
	struct sql q;

	*upto = 0;
	*any = false;
	sql_begin_read(&q, store->db,
		"SELECT max(id), max(goes) FROM (SELECT id, " GOES " AS goes FROM event"
		" WHERE id > ?1 AND id <= max(?2, ?3) ORDER BY id LIMIT ?4)",
		err);
	bind_window(&q, trim);
	sql_bind_int(&q, REMOVE);
	if (sql_row(&q)) {
		*upto = sql_int(&q, 0);
		*any = sql_int(&q, 1) != 0;
	}
	return sql_end(&q);
}

static enum brski_code remove_window(
	struct brski_store *store, struct brski_store_trim *trim, struct brski_error *err)
{
	struct sql q;
	int64_t upto;
	bool any;
	enum brski_code code = find_window(store, trim, &upto, &any, err);

	if (code == BRSKI_OK && any) {
		sql_begin_lazy(&q, store->db, "DELETE FROM event WHERE id > ?1 AND id <= ?4 AND " GOES, err);
		bind_window(&q, trim);
		sql_bind_int(&q, upto);
		code = sql_run(&q);
	}
	trim->id = upto;
	if (upto == 0)
		trim->stage = DONE;
	return code;
}

/* ---- The round ---- */

enum brski_code brski_store_events_trim(struct brski_store *store, unsigned keep, unsigned share,
	struct brski_store_trim *trim, bool *more, struct brski_error *err)
{
	const struct bounds bounds = bounds_of(keep, share);
	enum brski_code code = BRSKI_OK;

	if (trim->stage == SHARES && share == 0)
		trim->stage = COUNT;
	switch ((enum stage)trim->stage) {
	case SHARES:
		code = trim_shares(store, &bounds, trim, err);
		break;
	case COUNT:
		code = count_down(store, &bounds, trim, err);
		break;
	case REMOVAL:
		code = remove_window(store, trim, err);
		break;
	case DONE:
		break;
	}
	*more = code == BRSKI_OK && trim->stage != DONE;
	if (!*more)
		*trim = (struct brski_store_trim){0};
	return code;
}
