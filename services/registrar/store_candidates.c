/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/store_internal.h"

#define COLUMNS \
	"manufacturer, serial_number, refused, subject, fingerprint, first_seen, last_seen, visits, note"

enum brski_code brski_store_standing(struct brski_store *store, const char *manufacturer, const char *serial,
	enum brski_standing *out, struct brski_error *err)
{
	struct sql q;

	*out = BRSKI_STANDING_UNKNOWN;
	sql_begin_read(&q, store->db,
		"SELECT ?3 FROM device WHERE manufacturer = ?1 AND serial_number = ?2 UNION ALL"
		" SELECT iif(refused, ?4, ?5) FROM candidate WHERE manufacturer = ?1 AND serial_number = ?2",
		err);
	sql_bind_text(&q, manufacturer);
	sql_bind_text(&q, serial);
	sql_bind_int(&q, BRSKI_STANDING_LISTED);
	sql_bind_int(&q, BRSKI_STANDING_REFUSED);
	sql_bind_int(&q, BRSKI_STANDING_PENDING);
	if (sql_row(&q))
		*out = (enum brski_standing)sql_int(&q, 0);
	return sql_end(&q);
}

/*
 * One statement, so that a decision that falls in this very moment is not undone. Rows beyond the
 * limit, and of devices that are listed meanwhile, are just not selected.
 */
enum brski_code brski_store_candidate_seen(struct brski_store *store, const struct brski_store_candidate *c,
	unsigned most, struct brski_error *err)
{
	struct sql q;
	uint64_t changed;
	enum brski_code code;
	enum brski_standing standing;

	sql_begin_lazy(&q, store->db,
		"INSERT INTO candidate (" COLUMNS ") SELECT ?1, ?2, 0, ?3, ?4, ?5, ?5, 1, ''"
		" WHERE NOT EXISTS (SELECT 1 FROM device WHERE manufacturer = ?1 AND serial_number = ?2)"
		" AND ((SELECT count(*) FROM candidate WHERE refused = 0) < ?6"
		"  OR EXISTS (SELECT 1 FROM candidate WHERE manufacturer = ?1 AND serial_number = ?2))"
		" ON CONFLICT (manufacturer, serial_number) DO UPDATE SET subject = ?3, fingerprint = ?4,"
		" first_seen = iif(first_seen, first_seen, ?5), last_seen = ?5, visits = visits + 1",
		err);
	sql_bind_text(&q, c->manufacturer);
	sql_bind_text(&q, c->serial_number);
	sql_bind_text(&q, c->subject);
	sql_bind_text(&q, c->fingerprint);
	sql_bind_int(&q, c->last_seen ? c->last_seen : time(NULL));
	sql_bind_int(&q, most);
	code = brski_store_below(sql_run_changes(&q, &changed), c->manufacturer, err);
	if (code != BRSKI_OK || changed > 0)
		return code;
	code = brski_store_standing(store, c->manufacturer, c->serial_number, &standing, err);
	if (code != BRSKI_OK || standing != BRSKI_STANDING_UNKNOWN)
		return code;
	return brski_fail(err, BRSKI_TOO_LARGE, "%u devices wait for a decision already", most);
}

enum brski_code brski_store_candidate_accept(struct brski_store *store, const char *manufacturer,
	const char *serial, const char *note, struct brski_error *err)
{
	struct sql q;
	uint64_t changed;
	enum brski_code code;

	sql_begin(&q, store->db,
		"INSERT INTO device (manufacturer, serial_number, note, added, state, last_seen)"
		" SELECT manufacturer, serial_number, iif(?3 = '', note, ?3), ?4, 'listed', last_seen"
		" FROM candidate WHERE manufacturer = ?1 AND serial_number = ?2",
		err);
	sql_bind_text(&q, manufacturer);
	sql_bind_text(&q, serial);
	sql_bind_text(&q, note ? note : "");
	sql_bind_int(&q, time(NULL));
	code = sql_run_changes(&q, &changed);
	if (code == BRSKI_OK && changed == 0)
		code = brski_fail(err, BRSKI_NOT_FOUND, "no device %s of %s waits for a decision", serial,
			manufacturer);
	return code;
}

enum brski_code brski_store_candidate_refuse(struct brski_store *store, const char *manufacturer,
	const char *serial, const char *note, struct brski_error *err)
{
	struct sql q;

	sql_begin(&q, store->db,
		"INSERT INTO candidate (" COLUMNS ") VALUES (?1, ?2, 1, '', '', 0, 0, 0, iif(?3 = '',"
		" coalesce((SELECT note FROM device WHERE manufacturer = ?1 AND serial_number = ?2), ''), ?3))"
		" ON CONFLICT (manufacturer, serial_number) DO UPDATE SET refused = 1,"
		" note = iif(?3 = '', note, ?3)",
		err);
	sql_bind_text(&q, manufacturer);
	sql_bind_text(&q, serial);
	sql_bind_text(&q, note ? note : "");
	return brski_store_below(sql_run(&q), manufacturer, err);
}

static void read_row(struct sql *q, struct brski_store_candidate *c)
{
	sql_printable(q, 0, c->manufacturer, sizeof(c->manufacturer));
	sql_printable(q, 1, c->serial_number, sizeof(c->serial_number));
	c->refused = sql_int(q, 2) != 0;
	sql_printable(q, 3, c->subject, sizeof(c->subject));
	sql_printable(q, 4, c->fingerprint, sizeof(c->fingerprint));
	c->first_seen = (time_t)sql_int(q, 5);
	c->last_seen = (time_t)sql_int(q, 6);
	c->visits = (unsigned)sql_int(q, 7);
	sql_printable(q, 8, c->note, sizeof(c->note));
}

enum brski_code brski_store_candidates_page(struct brski_store *store, bool refused,
	struct brski_store_place *place, struct brski_store_candidate *rows, unsigned most, unsigned *n,
	struct brski_error *err)
{
	struct sql q;
	enum brski_code code;

	*n = 0;
	sql_begin_read(&q, store->db,
		"SELECT " COLUMNS " FROM candidate WHERE refused = ?1"
		" AND (first_seen, manufacturer, serial_number) > (?2, ?3, ?4)"
		" ORDER BY first_seen, manufacturer, serial_number LIMIT ?5",
		err);
	sql_bind_int(&q, refused);
	sql_bind_int(&q, place->number);
	sql_bind_text(&q, place->first);
	sql_bind_text(&q, place->second);
	sql_bind_int(&q, most);
	while (*n < most && sql_row(&q)) {
		rows[*n] = (struct brski_store_candidate){0};
		read_row(&q, &rows[*n]);
		brski_store_place_take(&q, 5, 0, 1, place);
		++*n;
	}
	code = sql_end(&q);
	if (code != BRSKI_OK)
		*n = 0;
	return code;
}

enum brski_code brski_store_candidates_expire(
	struct brski_store *store, time_t before, unsigned *n, struct brski_error *err)
{
	struct sql q;
	uint64_t changed;
	enum brski_code code;

	*n = 0;
	sql_begin(&q, store->db,
		"DELETE FROM candidate WHERE (manufacturer, serial_number) IN (SELECT manufacturer, serial_number"
		" FROM candidate WHERE refused = 0 AND last_seen < ?1 LIMIT ?2)",
		err);
	sql_bind_int(&q, before);
	sql_bind_int(&q, BRSKI_STORE_STEP);
	code = sql_run_changes(&q, &changed);
	*n = (unsigned)changed;
	return code;
}
