/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "services/registrar/admin_internal.h"
#include "services/registrar/device_list.h"

/* Single devices: the inventory, and what the operator says of those that wait for him. */

bool brski_admin_is_serial_number(const char *text)
{
	return admin_is_printable(text, BRSKI_ADMIN_SERIAL_MAX) && text[strspn(text, " ")] != '\0';
}

enum brski_code admin_check_serial(const char *serial, struct brski_error *err)
{
	if (brski_admin_is_serial_number(serial))
		return BRSKI_OK;
	return brski_fail(err, BRSKI_MALFORMED, "'%.200s' is no serial number: 1 to %d printable characters",
		serial, BRSKI_ADMIN_SERIAL_MAX - 1);
}

/* ---- The inventory ---- */

enum brski_code brski_admin_device_put(struct brski_admin *admin, const char *manufacturer,
	const char *serial, const char *note, struct brski_error *err)
{
	enum brski_code code = admin_check_serial(serial, err);

	if (code != BRSKI_OK)
		return code;
	return brski_store_device_put(admin->store, manufacturer, serial, note, err);
}

enum brski_code brski_admin_is_refused(struct brski_admin *admin, const char *manufacturer,
	const char *serial, bool *out, struct brski_error *err)
{
	enum brski_standing standing;
	enum brski_code code = brski_store_standing(admin->store, manufacturer, serial, &standing, err);

	*out = standing == BRSKI_STANDING_REFUSED;
	return code;
}

enum brski_code brski_admin_devices_put(struct brski_admin *admin, const char *manufacturer,
	struct brski_span csv, struct brski_admin_listed *out, struct brski_error *err)
{
	struct device_list list;
	size_t refused = 0;
	enum brski_code code = device_list_read(csv, &list, err);

	*out = (struct brski_admin_listed){0};
	if (code != BRSKI_OK)
		return code;
	code = brski_store_devices_put(admin->store, manufacturer, &list, &refused, err);
	if (code == BRSKI_OK) {
		out->devices = (unsigned)(list.n - list.repeated - refused);
		out->repeated = (unsigned)list.repeated;
		out->refused = (unsigned)refused;
	}
	device_list_free(&list);
	return code;
}

enum brski_code brski_admin_serials_read(
	struct brski_span csv, brski_admin_serial_row *row, void *ctx, struct brski_error *err)
{
	struct device_list list;
	enum brski_code code = device_list_read(csv, &list, err);

	if (code != BRSKI_OK)
		return code;
	for (size_t i = 0; i < list.n; i++)
		row(ctx, list.items[i].serial_number);
	device_list_free(&list);
	return BRSKI_OK;
}

enum brski_code brski_admin_device_remove(
	struct brski_admin *admin, const char *manufacturer, const char *serial, struct brski_error *err)
{
	return brski_store_device_remove(admin->store, manufacturer, serial, err);
}

static void tell_device(const struct brski_store_device *d, brski_admin_device_row *row, void *ctx)
{
	const struct brski_admin_device device = {
		.manufacturer = d->manufacturer,
		.serial_number = d->serial_number,
		.note = d->note,
		.state = d->state,
		.last_seen = d->last_seen,
	};

	row(ctx, &device);
}

enum brski_code brski_admin_devices(struct brski_admin *admin, const char *manufacturer,
	brski_admin_device_row *row, void *ctx, struct brski_error *err)
{
	struct brski_store_device rows[BRSKI_STORE_PAGE];
	struct brski_store_place place = {0};
	enum brski_code code;
	unsigned n;

	do {
		code = brski_store_devices_page(
			admin->store, manufacturer, &place, rows, BRSKI_STORE_PAGE, &n, err);
		for (unsigned i = 0; i < n; i++)
			tell_device(&rows[i], row, ctx);
	} while (code == BRSKI_OK && n == BRSKI_STORE_PAGE);
	return code;
}

/* ---- Pending, accept, refuse ---- */

static void tell_candidate(const struct brski_store_candidate *c, brski_admin_candidate_row *row, void *ctx)
{
	const struct brski_admin_candidate candidate = {
		.manufacturer = c->manufacturer,
		.serial_number = c->serial_number,
		.note = c->note,
		.refused = c->refused,
		.subject = c->subject,
		.fingerprint = c->fingerprint,
		.first_seen = c->first_seen,
		.last_seen = c->last_seen,
		.visits = c->visits,
	};

	row(ctx, &candidate);
}

static enum brski_code tell_candidates(struct brski_admin *admin, bool refused,
	brski_admin_candidate_row *row, void *ctx, struct brski_error *err)
{
	struct brski_store_candidate rows[BRSKI_STORE_PAGE];
	struct brski_store_place place = {0};
	enum brski_code code;
	unsigned n;

	do {
		code = brski_store_candidates_page(
			admin->store, refused, &place, rows, BRSKI_STORE_PAGE, &n, err);
		for (unsigned i = 0; i < n; i++)
			tell_candidate(&rows[i], row, ctx);
	} while (code == BRSKI_OK && n == BRSKI_STORE_PAGE);
	return code;
}

enum brski_code brski_admin_pending(
	struct brski_admin *admin, brski_admin_candidate_row *row, void *ctx, struct brski_error *err)
{
	enum brski_code code = tell_candidates(admin, false, row, ctx, err);

	return code == BRSKI_OK ? tell_candidates(admin, true, row, ctx, err) : code;
}

enum brski_code brski_admin_accept(struct brski_admin *admin, const char *manufacturer, const char *serial,
	const char *note, struct brski_error *err)
{
	enum brski_code code = admin_check_serial(serial, err);

	if (code != BRSKI_OK)
		return code;
	return brski_store_candidate_accept(admin->store, manufacturer, serial, note, err);
}

enum brski_code brski_admin_refuse(struct brski_admin *admin, const char *manufacturer, const char *serial,
	const char *note, struct brski_error *err)
{
	enum brski_code code = admin_check_serial(serial, err);

	if (code != BRSKI_OK)
		return code;
	return brski_store_candidate_refuse(admin->store, manufacturer, serial, note, err);
}
