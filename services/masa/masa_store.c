/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/masa/masa_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eap_brski/pki/credential.h"
#include "eap_brski/pki/idevid_issuer.h"
#include "services/masa/masa_store_internal.h"

static const char *const steps[] = {
	"CREATE TABLE owners (name TEXT PRIMARY KEY NOT NULL, domain_cert BLOB NOT NULL) STRICT;"
	"CREATE TABLE devices (id INTEGER PRIMARY KEY, serial TEXT NOT NULL, issuer BLOB NOT NULL, "
	"owner TEXT REFERENCES owners(name), blocked INTEGER NOT NULL, added INTEGER NOT NULL, "
	"UNIQUE (serial, issuer)) STRICT;"
	"CREATE TABLE vouchers (id INTEGER PRIMARY KEY, device INTEGER NOT NULL REFERENCES devices(id), "
	"domain_id BLOB NOT NULL, pinned TEXT NOT NULL, nonce BLOB NOT NULL, assertion INTEGER NOT NULL, "
	"created_on INTEGER NOT NULL, cms BLOB NOT NULL) STRICT;"
	"CREATE INDEX vouchers_of_device ON vouchers (device, domain_id);"
	"CREATE TABLE requests (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, peer TEXT NOT NULL, "
	"what TEXT NOT NULL, serial TEXT NOT NULL, registrar TEXT NOT NULL, status INTEGER NOT NULL, "
	"detail TEXT NOT NULL) STRICT;"
	"CREATE INDEX requests_of_device ON requests (serial);",
	/* requests are counted in two rows, and what is forgotten of a device's vouchers is counted, too */
	"ALTER TABLE requests ADD COLUMN proved INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE requests ADD COLUMN n INTEGER NOT NULL DEFAULT 0;"
	"UPDATE requests SET n = id;"
	"CREATE UNIQUE INDEX requests_in_order ON requests (proved, n);"
	"ALTER TABLE devices ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX vouchers_by_assertion ON vouchers (device, assertion);"
	/* the nonce in the letters of whoever has written it; '' in what version 1 has stored */
	"ALTER TABLE vouchers ADD COLUMN nonce_text TEXT NOT NULL DEFAULT '';",
};
static const struct sql_schema schema = {.steps = steps, .version = sizeof(steps) / sizeof(steps[0])};

enum brski_code masa_store_open(const char *path, struct masa_store **out, struct brski_error *err)
{
	struct masa_store *store = calloc(1, sizeof(*store));
	enum brski_code code;

	*out = NULL;
	if (!store)
		return brski_fail(err, BRSKI_NO_MEMORY, "out of memory");
	code = sql_open_store(path, &schema, &store->db, err);
	if (code == BRSKI_OK)
		*out = store;
	else
		free(store);
	return code;
}

void masa_store_close(struct masa_store *store)
{
	if (!store)
		return;
	sql_close(store->db);
	free(store);
}

/* Ends a statement that changes rows: BRSKI_NOT_FOUND if none was. */
static enum brski_code end_change(struct sql *q, const char *what, const char *name, struct brski_error *err)
{
	uint64_t changes;
	enum brski_code code = sql_run_changes(q, &changes);

	if (code == BRSKI_OK && changes == 0)
		return brski_fail(err, BRSKI_NOT_FOUND, "no %s \"%s\"", what, name);
	return code;
}

void masa_owner_free(struct masa_owner *owner)
{
	X509_free(owner->domain_cert);
	memset(owner, 0, sizeof(*owner));
}

enum brski_code masa_owner_put(
	struct masa_store *store, const char *name, const X509 *domain_cert, struct brski_error *err)
{
	struct brski_buf der = {0};
	struct sql q;
	enum brski_code code;

	if (name[0] == '\0' || strlen(name) >= MASA_NAME_MAX)
		return brski_fail(
			err, BRSKI_MALFORMED, "an owner's name has 1 to %d characters", MASA_NAME_MAX - 1);
	code = brski_cert_to_der(domain_cert, &der, err);
	if (code == BRSKI_OK) {
		sql_begin(&q, store->db,
			"INSERT INTO owners VALUES (?1, ?2)"
			" ON CONFLICT DO UPDATE SET domain_cert = excluded.domain_cert",
			err);
		sql_bind_text(&q, name);
		sql_bind_blob(&q, brski_buf_span(&der));
		code = sql_run(&q);
	}
	brski_buf_free(&der);
	return code;
}

enum brski_code masa_owner_remove(struct masa_store *store, const char *name, struct brski_error *err)
{
	struct sql q;

	sql_begin(&q, store->db, "DELETE FROM owners WHERE name = ?1", err);
	sql_bind_text(&q, name);
	return end_change(&q, "owner", name, err);
}

static enum brski_code read_owner(struct sql *q, struct masa_owner *out, struct brski_error *err)
{
	struct brski_buf der = {0};
	enum brski_code code;

	sql_text(q, 0, out->name, sizeof(out->name));
	sql_blob(q, 1, &der);
	code = brski_cert_from_der(brski_buf_span(&der), &out->domain_cert, err);
	brski_buf_free(&der);
	return code;
}

enum brski_code masa_owner_get(
	struct masa_store *store, const char *name, struct masa_owner *out, struct brski_error *err)
{
	struct sql q;
	enum brski_code code = BRSKI_OK;
	enum brski_code end;
	bool found;

	memset(out, 0, sizeof(*out));
	sql_begin(&q, store->db, "SELECT name, domain_cert FROM owners WHERE name = ?1", err);
	sql_bind_text(&q, name);
	found = sql_row(&q);
	if (found)
		code = read_owner(&q, out, err);
	end = sql_end(&q);
	if (code == BRSKI_OK)
		code = end;
	if (code == BRSKI_OK && !found)
		code = brski_fail(err, BRSKI_NOT_FOUND, "no owner \"%s\"", name);
	return code;
}

enum brski_code masa_owners(struct masa_store *store, masa_owner_row *row, void *ctx, struct brski_error *err)
{
	struct sql q;
	enum brski_code code = BRSKI_OK;
	enum brski_code end;

	sql_begin(&q, store->db, "SELECT name, domain_cert FROM owners ORDER BY name", err);
	while (code == BRSKI_OK && sql_row(&q)) {
		struct masa_owner owner = {0};

		code = read_owner(&q, &owner, err);
		if (code == BRSKI_OK)
			row(ctx, &owner);
		masa_owner_free(&owner);
	}
	end = sql_end(&q);
	return code == BRSKI_OK ? end : code;
}

void masa_device_free(struct masa_device *device)
{
	brski_buf_free(&device->idevid_issuer);
	memset(device, 0, sizeof(*device));
}

/* By its id, since a device may be told its issuer later. */
static enum brski_code change_device(
	struct masa_store *store, const struct masa_device *device, struct brski_error *err)
{
	struct sql q;

	sql_begin(&q, store->db,
		"UPDATE devices SET issuer = ?2, owner = nullif(?3, ''), blocked = ?4 WHERE id = ?1", err);
	sql_bind_int(&q, device->id);
	sql_bind_blob(&q, brski_buf_span(&device->idevid_issuer));
	sql_bind_text(&q, device->owner);
	sql_bind_int(&q, device->blocked);
	return end_change(&q, "device", device->serial_number, err);
}

enum brski_code masa_device_put(
	struct masa_store *store, const struct masa_device *device, struct brski_error *err)
{
	struct masa_owner owner = {0};
	struct sql q;
	enum brski_code code = BRSKI_OK;

	if (device->serial_number[0] == '\0')
		return brski_fail(err, BRSKI_MALFORMED, "a device needs a serial number");
	if (device->owner[0] != '\0')
		code = masa_owner_get(store, device->owner, &owner, err);
	masa_owner_free(&owner);
	if (code != BRSKI_OK)
		return code;
	if (device->id)
		return change_device(store, device, err);
	sql_begin(&q, store->db,
		"INSERT INTO devices (serial, issuer, owner, blocked, added)"
		" VALUES (?1, ?2, nullif(?3, ''), ?4, ?5)"
		" ON CONFLICT DO UPDATE SET owner = excluded.owner, blocked = excluded.blocked",
		err);
	sql_bind_text(&q, device->serial_number);
	sql_bind_blob(&q, brski_buf_span(&device->idevid_issuer));
	sql_bind_text(&q, device->owner);
	sql_bind_int(&q, device->blocked);
	sql_bind_int(&q, device->added);
	return sql_run(&q);
}

enum brski_code masa_device_remove(struct masa_store *store, const char *serial, struct brski_error *err)
{
	struct sql q;

	sql_begin(&q, store->db, "DELETE FROM devices WHERE serial = ?1", err);
	sql_bind_text(&q, serial);
	return end_change(&q, "device", serial, err);
}

#define DEVICE_COLUMNS "id, serial, issuer, coalesce(owner, ''), blocked, added"

static void read_device(struct sql *q, struct masa_device *out)
{
	out->id = sql_int(q, 0);
	sql_text(q, 1, out->serial_number, sizeof(out->serial_number));
	sql_blob(q, 2, &out->idevid_issuer);
	sql_text(q, 3, out->owner, sizeof(out->owner));
	out->blocked = sql_int(q, 4) != 0;
	out->added = (time_t)sql_int(q, 5);
}

/*
 * The next row of a device that may be meant: of the issuer that is asked for, or of one that is not
 * told, there or here.
 */
static bool next_device(struct sql *q, struct brski_span issuer, struct masa_device *out)
{
	while (sql_row(q)) {
		masa_device_free(out);
		read_device(q, out);
		if (issuer.len == 0 || out->idevid_issuer.len == 0 ||
			brski_idevid_issuer_equal(brski_buf_span(&out->idevid_issuer), issuer))
			return true;
	}
	masa_device_free(out);
	return false;
}

/* Longest issuer first: one that is told goes before one that is not. */
enum brski_code masa_device_get(struct masa_store *store, const char *serial, struct brski_span issuer,
	struct masa_device *out, struct brski_error *err)
{
	struct masa_device other = {0};
	struct sql q;
	bool found;
	bool several;
	enum brski_code code;

	memset(out, 0, sizeof(*out));
	sql_begin(&q, store->db,
		"SELECT " DEVICE_COLUMNS " FROM devices WHERE serial = ?1 ORDER BY length(issuer) DESC", err);
	sql_bind_text(&q, serial);
	found = next_device(&q, issuer, out);
	several = found && issuer.len == 0 && next_device(&q, issuer, &other);
	masa_device_free(&other);
	code = sql_end(&q);
	if (code == BRSKI_OK && !found)
		code = brski_fail(err, BRSKI_NOT_FOUND, "no device with the serial number \"%s\"", serial);
	else if (code == BRSKI_OK && several)
		code = brski_fail(err, BRSKI_UNEXPECTED,
			"several devices have the serial number \"%s\", and the request has no idevid-issuer",
			serial);
	if (code != BRSKI_OK)
		masa_device_free(out);
	return code;
}

enum brski_code masa_devices(
	struct masa_store *store, masa_device_row *row, void *ctx, struct brski_error *err)
{
	struct sql q;

	sql_begin(&q, store->db, "SELECT " DEVICE_COLUMNS " FROM devices ORDER BY serial, issuer", err);
	while (sql_row(&q)) {
		struct masa_device device = {0};

		read_device(&q, &device);
		if (q.code == BRSKI_OK)
			row(ctx, &device);
		masa_device_free(&device);
	}
	return sql_end(&q);
}

/* Anybody can make a MASA note something: the oldest go, and none of those that are proved. */
static enum brski_code forget_seen(struct masa_store *store, bool proved, struct brski_error *err)
{
	struct sql q;

	sql_begin(&q, store->db,
		"DELETE FROM requests WHERE proved = ?1"
		" AND n <= (SELECT max(n) FROM requests WHERE proved = ?1) - ?2",
		err);
	sql_bind_int(&q, proved);
	sql_bind_int(&q, MASA_SEEN_MAX);
	return sql_run(&q);
}

enum brski_code masa_seen_add(struct masa_store *store, const struct masa_seen *seen, struct brski_error *err)
{
	struct sql q;
	enum brski_code code;

	sql_begin(&q, store->db,
		"INSERT INTO requests (at, peer, what, serial, registrar, status, detail, proved, n)"
		" SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, coalesce(max(n), 0) + 1 FROM requests"
		" WHERE proved = ?8",
		err);
	sql_bind_int(&q, seen->at);
	sql_bind_text(&q, seen->peer);
	sql_bind_text(&q, seen->what);
	sql_bind_text(&q, seen->serial_number);
	sql_bind_text(&q, seen->registrar);
	sql_bind_int(&q, seen->status);
	sql_bind_text(&q, seen->detail);
	sql_bind_int(&q, seen->proved);
	code = sql_run(&q);
	return code == BRSKI_OK ? forget_seen(store, seen->proved, err) : code;
}

enum brski_code masa_seen_list(struct masa_store *store, const char *serial, long most, masa_seen_row *row,
	void *ctx, struct brski_error *err)
{
	struct sql q;

	sql_begin(&q, store->db,
		"SELECT at, peer, what, serial, registrar, status, detail, proved FROM"
		" (SELECT * FROM requests WHERE ?1 = '' OR serial = ?1 ORDER BY id DESC LIMIT ?2) ORDER BY id",
		err);
	sql_bind_text(&q, serial ? serial : "");
	sql_bind_int(&q, most);
	while (sql_row(&q)) {
		struct masa_seen seen = {.at = (time_t)sql_int(&q, 0)};

		sql_text(&q, 1, seen.peer, sizeof(seen.peer));
		sql_text(&q, 2, seen.what, sizeof(seen.what));
		sql_text(&q, 3, seen.serial_number, sizeof(seen.serial_number));
		sql_text(&q, 4, seen.registrar, sizeof(seen.registrar));
		seen.status = (unsigned)sql_int(&q, 5);
		sql_text(&q, 6, seen.detail, sizeof(seen.detail));
		seen.proved = sql_int(&q, 7) != 0;
		row(ctx, &seen);
	}
	return sql_end(&q);
}
