/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/store_internal.h"

/* Of the device that is in this row: what brski_store_permission_take_back() does. */
#define TAKE_BACK(row) \
	"  UPDATE permission SET state = 4, since = unixepoch(), revision = revision + 1" \
	"    WHERE manufacturer = " row ".manufacturer AND serial_number = " row ".serial_number" \
	"    AND state <> 4;" \
	"  DELETE FROM job WHERE manufacturer = " row ".manufacturer" \
	"    AND serial_number = " row ".serial_number AND state = 1 AND kind = 0;"

/* One more of them, or one less. */
#define COUNT_JOB(row, sign) \
	"  INSERT INTO job_total VALUES (" row ".state, " row ".kind, " sign "1, " sign "length(" row \
	".blob))" \
	"    ON CONFLICT (state, kind) DO UPDATE SET jobs = jobs + excluded.jobs," \
	"    octets = octets + excluded.octets;"

static const char *const steps[] = {
	/* 1: manufacturers, the inventory, history, requests */
	"CREATE TABLE manufacturer ("
	"  name TEXT PRIMARY KEY,"
	"  masa_url TEXT NOT NULL,"
	"  idevid_anchors BLOB NOT NULL,"
	"  voucher_anchors BLOB NOT NULL,"
	"  tls_anchors BLOB NOT NULL,"
	"  crls BLOB NOT NULL,"
	"  mode INTEGER NOT NULL,"
	"  check_voucher INTEGER NOT NULL,"
	"  audit_log INTEGER NOT NULL,"
	"  allow_foreign_domains INTEGER NOT NULL,"
	"  allow_nonceless INTEGER NOT NULL"
	") STRICT;"
	"CREATE TABLE device ("
	"  manufacturer TEXT NOT NULL REFERENCES manufacturer(name) ON DELETE CASCADE,"
	"  serial_number TEXT NOT NULL,"
	"  note TEXT NOT NULL,"
	"  added INTEGER NOT NULL,"
	"  state TEXT NOT NULL,"
	"  last_seen INTEGER NOT NULL,"
	"  PRIMARY KEY (manufacturer, serial_number)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE event ("
	"  id INTEGER PRIMARY KEY,"
	"  at INTEGER NOT NULL,"
	"  manufacturer TEXT NOT NULL,"
	"  serial_number TEXT NOT NULL,"
	"  what TEXT NOT NULL,"
	"  ok INTEGER NOT NULL,"
	"  detail TEXT NOT NULL"
	") STRICT;"
	"CREATE INDEX event_by_serial ON event (serial_number, id);"
	"CREATE TABLE job ("
	"  key TEXT PRIMARY KEY,"
	"  kind INTEGER NOT NULL,"
	"  state INTEGER NOT NULL,"
	"  manufacturer TEXT NOT NULL,"
	"  serial_number TEXT NOT NULL,"
	"  created INTEGER NOT NULL,"
	"  updated INTEGER NOT NULL,"
	"  blob BLOB NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX job_by_state ON job (state, created);",

	/*
	 * 2: devices that the operator must decide on, or has refused; rules of mode "type";
	 * requests by device. A device is in the inventory or a candidate, never both, whoever
	 * writes: the triggers see to it.
	 */
	"CREATE TABLE candidate ("
	"  manufacturer TEXT NOT NULL REFERENCES manufacturer(name) ON DELETE CASCADE,"
	"  serial_number TEXT NOT NULL,"
	"  refused INTEGER NOT NULL,"
	"  subject TEXT NOT NULL,"
	"  fingerprint TEXT NOT NULL,"
	"  first_seen INTEGER NOT NULL,"
	"  last_seen INTEGER NOT NULL,"
	"  visits INTEGER NOT NULL,"
	"  note TEXT NOT NULL,"
	"  PRIMARY KEY (manufacturer, serial_number)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX candidate_by_age ON candidate (refused, last_seen);"
	"CREATE TRIGGER device_listed AFTER INSERT ON device BEGIN"
	"  DELETE FROM candidate WHERE manufacturer = new.manufacturer AND serial_number = new.serial_number;"
	"END;"
	"CREATE TRIGGER candidate_refused AFTER INSERT ON candidate WHEN new.refused BEGIN"
	"  DELETE FROM device WHERE manufacturer = new.manufacturer AND serial_number = new.serial_number;"
	"END;"
	"CREATE TRIGGER candidate_refused_now AFTER UPDATE OF refused ON candidate WHEN new.refused BEGIN"
	"  DELETE FROM device WHERE manufacturer = new.manufacturer AND serial_number = new.serial_number;"
	"END;"
	"CREATE TABLE type_rule ("
	"  manufacturer TEXT NOT NULL REFERENCES manufacturer(name) ON DELETE CASCADE,"
	"  pattern TEXT NOT NULL,"
	"  added INTEGER NOT NULL,"
	"  PRIMARY KEY (manufacturer, pattern)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX job_by_device ON job (manufacturer, serial_number, state);",

	/*
	 * 3: vouchers without nonce, fetched ahead. A new request leaves the old voucher in place
	 * until it is answered.
	 */
	"CREATE TABLE voucher_ahead ("
	"  manufacturer TEXT NOT NULL REFERENCES manufacturer(name) ON DELETE CASCADE,"
	"  serial_number TEXT NOT NULL,"
	"  key TEXT NOT NULL,"        /* names the request */
	"  waiting INTEGER NOT NULL," /* for its answer */
	"  asked INTEGER NOT NULL,"
	"  issuer BLOB NOT NULL,"
	"  request BLOB NOT NULL,"
	"  voucher BLOB NOT NULL," /* empty: none yet */
	"  fetched INTEGER NOT NULL,"
	"  expires_on INTEGER NOT NULL,"
	"  PRIMARY KEY (manufacturer, serial_number)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX voucher_ahead_by_key ON voucher_ahead (key);",

	/* 4: an event that comes again and again is one row */
	"ALTER TABLE event ADD COLUMN times INTEGER NOT NULL DEFAULT 1;",

	/*
	 * 5: notes, which were jobs of kind 2 and 3 (of a transaction) with a blob in JSON; one whose
	 * value is empty was a note taken back. Jobs change by revision, and are leased. Candidates
	 * are listed by their first visit.
	 */
	"CREATE TABLE note ("
	"  key TEXT PRIMARY KEY,"
	"  name TEXT NOT NULL,"
	"  value TEXT NOT NULL CHECK (value <> ''),"
	"  manufacturer TEXT NOT NULL,"
	"  serial_number TEXT NOT NULL,"
	"  of_transaction INTEGER NOT NULL,"
	"  updated INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX note_by_age ON note (of_transaction, updated);"
	"INSERT INTO note SELECT key, json_extract(json, '$.note'), json_extract(json, '$.value'),"
	"  manufacturer, serial_number, kind = 3, updated"
	"  FROM (SELECT *, CAST(blob AS TEXT) AS json FROM job WHERE kind IN (2, 3))"
	"  WHERE json_extract(json, '$.value') <> '';"
	"DELETE FROM job WHERE kind IN (2, 3);"
	"ALTER TABLE job ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;"
	"ALTER TABLE job ADD COLUMN lease_owner TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE job ADD COLUMN lease_until INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX candidate_by_first_seen ON candidate (refused, first_seen);",

	/*
	 * 6: how often a device asks; a request's kind of work, of which a device's finished ones are
	 * bounded; a device's share of the history.
	 */
	"CREATE TABLE recent ("
	"  manufacturer TEXT NOT NULL,"
	"  serial_number TEXT NOT NULL,"
	"  work INTEGER NOT NULL,"
	"  at INTEGER NOT NULL,"
	"  times INTEGER NOT NULL,"
	"  PRIMARY KEY (manufacturer, serial_number, work, at)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX recent_by_age ON recent (at);"
	"ALTER TABLE job ADD COLUMN work INTEGER NOT NULL DEFAULT 0;"
	"UPDATE job SET work = iif(json_valid(CAST(blob AS TEXT)) AND"
	"  coalesce(json_extract(CAST(blob AS TEXT), '$.origin'), '') <> '', 4, 1) WHERE kind = 1;"
	"CREATE INDEX event_by_device ON event (serial_number, manufacturer, id);"

	/*
	 * And permissions, which were notes "voucher" and "certificate" that stood for ever. Of these the
	 * later one counts, from when it was written: so one from before the last voucher is worth
	 * nothing, and an old one is too old. Whoever strikes a device off, takes back what it was
	 * permitted, and with it the vouchers that are kept for it.
	 */
	"CREATE TABLE permission ("
	"  key TEXT PRIMARY KEY,"
	"  state INTEGER NOT NULL,"
	"  voucher TEXT NOT NULL,"
	"  used_for TEXT NOT NULL,"
	"  manufacturer TEXT NOT NULL,"
	"  serial_number TEXT NOT NULL,"
	"  since INTEGER NOT NULL,"
	"  revision INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX permission_by_device ON permission (manufacturer, serial_number);"
	"CREATE INDEX permission_by_age ON permission (since);"
	"INSERT INTO permission SELECT key, iif(granted >= updated, 2, 0), value, '', manufacturer,"
	"  serial_number, max(granted, updated), 1"
	"  FROM (SELECT *, coalesce((SELECT max(c.updated) FROM note AS c WHERE c.name = 'certificate'"
	"    AND c.manufacturer = v.manufacturer AND c.serial_number = v.serial_number), -1) AS granted"
	"    FROM note AS v WHERE v.name = 'voucher');"
	"DELETE FROM note WHERE of_transaction = 0;"
	"ALTER TABLE job ADD COLUMN given INTEGER NOT NULL DEFAULT 0;"
	"UPDATE job SET given = 1 WHERE kind = 0 AND key IN (SELECT voucher FROM permission);"
	"CREATE TRIGGER permission_refused AFTER INSERT ON candidate WHEN new.refused BEGIN" TAKE_BACK(
		"new") "END;"
		       "CREATE TRIGGER permission_refused_now AFTER UPDATE OF refused ON candidate WHEN new.refused BEGIN" TAKE_BACK(
			       "new") "END;"
				      "CREATE TRIGGER permission_unlisted AFTER DELETE ON device BEGIN" TAKE_BACK(
					      "old") "END;"
						     "CREATE TRIGGER permission_unknown AFTER DELETE ON manufacturer BEGIN"
						     "  UPDATE permission SET state = 4, since = unixepoch(), revision = revision + 1"
						     "    WHERE manufacturer = old.name AND state <> 4;"
						     "  DELETE FROM job WHERE manufacturer = old.name AND state = 1 AND kind = 0;"
						     "END;",

	/*
	 * 7: whom a job that waits calls next, and when. Of those that wait already the manufacturer is
	 * enough to tell them apart: it is for fairness.
	 */
	"ALTER TABLE job ADD COLUMN back_end TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE job ADD COLUMN due INTEGER NOT NULL DEFAULT 0;"
	"UPDATE job SET back_end = manufacturer WHERE state = 0 AND kind = 0;"
	"CREATE INDEX job_by_turn ON job (kind, back_end, due, key) WHERE state = 0;"

	/*
	 * And how many there are, counted with each change: to count them when somebody asks takes seconds,
	 * once there are hundreds of thousands.
	 */
	"CREATE TABLE job_total ("
	"  state INTEGER NOT NULL,"
	"  kind INTEGER NOT NULL,"
	"  jobs INTEGER NOT NULL,"
	"  octets INTEGER NOT NULL,"
	"  PRIMARY KEY (state, kind)"
	") STRICT, WITHOUT ROWID;"
	"INSERT INTO job_total SELECT state, kind, count(*), sum(octets) FROM" /* nothing of a blob is sorted */
	"  (SELECT state, kind, length(blob) AS octets FROM job NOT INDEXED LIMIT -1) GROUP BY state, kind;"
	"CREATE TRIGGER job_counted AFTER INSERT ON job BEGIN" COUNT_JOB("new",
		"+") "END;"
		     "CREATE TRIGGER job_counted_anew AFTER UPDATE OF state, blob ON job BEGIN" COUNT_JOB(
			     "old", "-") COUNT_JOB("new",
			     "+") "END;"
				  "CREATE TRIGGER job_counted_off AFTER DELETE ON job BEGIN" COUNT_JOB("old",
					  "-") "END;"

					       /* Those that are too old are looked for every minute. */
					       "CREATE INDEX job_by_age ON job (updated);"

					       /* A device's events are few: they need no second index in which to find those of a serial number. */
					       "DROP INDEX event_by_serial;",

	/* 8: which doors have rules of the administrator's own: those that have none must know. */
	"CREATE TABLE door_rules ("
	"  door TEXT PRIMARY KEY,"
	"  rules TEXT NOT NULL,"
	"  since INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;",
};

const struct sql_schema brski_store_schema = {.steps = steps, .version = sizeof(steps) / sizeof(steps[0])};
