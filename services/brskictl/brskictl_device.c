/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/base/file.h"
#include "services/brskictl/brskictl.h"
#include "services/brskictl/brskictl_json.h"

#define LIST_MAX ((size_t)64 * 1024 * 1024)

static enum brski_code read_list(const char *path, struct brski_buf *out, struct brski_error *err)
{
	return brski_file_read(strcmp(path, "-") == 0 ? "/dev/stdin" : path, LIST_MAX, out, err);
}

static int add_file(struct brski_admin *admin, const struct command_line *line, const char *path)
{
	const char *manufacturer = line->operands[0];
	struct brski_admin_listed listed;
	struct brski_buf csv = {0};
	struct brski_error err;
	enum brski_code code = read_list(path, &csv, &err);

	if (code == BRSKI_OK)
		code = brski_admin_devices_put(admin, manufacturer, brski_buf_span(&csv), &listed, &err);
	brski_buf_free(&csv);
	if (code == BRSKI_MALFORMED)
		return brskictl_usage(line, "%s: %s; nothing of it was added", path, err.why);
	if (code != BRSKI_OK)
		return brskictl_fail(&err);
	printf("%u devices of %s are in the inventory", listed.devices, manufacturer);
	if (listed.repeated)
		printf(" (%u lines name one of them again)", listed.repeated);
	puts(".");
	if (listed.refused)
		printf("%u of the list are refused, and stay so: see 'brskictl pending'; 'brskictl accept' lets "
		       "them in.\n",
			listed.refused);
	return 0;
}

static int add_one(struct brski_admin *admin, const struct command_line *line)
{
	const char *manufacturer = line->operands[0], *serial = line->operands[1];
	struct brski_error err;
	bool refused;

	if (brski_admin_is_refused(admin, manufacturer, serial, &refused, &err) != BRSKI_OK)
		return brskictl_fail(&err);
	if (brski_admin_device_put(admin, manufacturer, serial, brskictl_operand(line, 2), &err) != BRSKI_OK)
		return brskictl_fail(&err);
	printf("Device %s of %s is in the inventory%s.\n", serial, manufacturer,
		refused ? "; it was refused until now" : "");
	return 0;
}

int brskictl_device_add_use(const struct command_line *line)
{
	const char *file = brskictl_option(line, 'f');

	if (file ? line->n_operands != 1 : line->n_operands < 2)
		return brskictl_usage(
			line, "'device add' takes MANUFACTURER SERIAL [NOTE], or MANUFACTURER --file FILE");
	return file ? COMMAND_DONE : brskictl_check_serial(line, line->operands[1]);
}

int brskictl_device_add(struct brski_admin *admin, const struct command_line *line)
{
	const char *file = brskictl_option(line, 'f');

	return file ? add_file(admin, line, file) : add_one(admin, line);
}

static void print_row(void *ctx, const struct brski_admin_device *d)
{
	char seen[32];

	(*(unsigned *)ctx)++;
	printf("%-20s %-28s %-10s %-20s %s\n", d->manufacturer, d->serial_number, d->state,
		brskictl_time(d->last_seen, seen), d->note);
}

static void json_row(void *ctx, const struct brski_admin_device *d)
{
	listing_row(ctx, brskictl_json_device(d));
}

int brskictl_device_list(struct brski_admin *admin, const struct command_line *line)
{
	const char *manufacturer = brskictl_operand(line, 0);
	struct listing json = {.name = "devices"};
	struct brski_error err;
	unsigned n = 0;

	if (command_given(line, BRSKICTL_JSON))
		return brskictl_listed(
			&json, brski_admin_devices(admin, manufacturer, json_row, &json, &err), NULL, &err);
	printf("%-20s %-28s %-10s %-20s %s\n", "MANUFACTURER", "SERIAL NUMBER", "STATE", "LAST SEEN", "NOTE");
	if (brski_admin_devices(admin, manufacturer, print_row, &n, &err) != BRSKI_OK)
		return brskictl_fail(&err);
	if (n == 0)
		puts("None yet. Add one with 'brskictl device add MANUFACTURER SERIAL'.");
	return 0;
}

int brskictl_device_remove(struct brski_admin *admin, const struct command_line *line)
{
	const char *manufacturer = line->operands[0], *serial = line->operands[1];
	struct brski_error err;

	if (brski_admin_device_remove(admin, manufacturer, serial, &err) != BRSKI_OK)
		return brskictl_fail(&err);
	printf("Device %s of %s is out of the inventory. Certificates that it "
	       "already has stay valid: revoke them at your CA.\n",
		serial, manufacturer);
	return 0;
}
