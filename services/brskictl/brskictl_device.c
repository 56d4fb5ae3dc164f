/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/base/file.h"
#include "services/brskictl/brskictl.h"

#define LIST_MAX ((size_t)64 * 1024 * 1024)

static int status_of(enum brski_code code, const char *serial, const struct brski_error *err)
{
	return code == BRSKI_OK          ? 0
	       : code == BRSKI_MALFORMED ? brskictl_no_serial(serial)
					 : brskictl_fail(err);
}

static enum brski_code read_list(const char *path, struct brski_buf *out, struct brski_error *err)
{
	return brski_file_read(strcmp(path, "-") == 0 ? "/dev/stdin" : path, LIST_MAX, out, err);
}

static int add_file(struct brski_admin *admin, const char *manufacturer, const char *path)
{
	unsigned n = 0, repeated = 0;
	struct brski_buf csv = {0};
	struct brski_error err;
	enum brski_code code = read_list(path, &csv, &err);

	if (code == BRSKI_OK)
		code = brski_admin_devices_put(
			admin, manufacturer, brski_buf_span(&csv), &n, &repeated, &err);
	brski_buf_free(&csv);
	if (code == BRSKI_MALFORMED)
		return brskictl_usage("%s: %s; nothing of it was added", path, err.why);
	if (code != BRSKI_OK)
		return brskictl_fail(&err);
	printf("%u devices of %s are in the inventory", n, manufacturer);
	if (repeated)
		printf(" (%u lines name one of them again)", repeated);
	puts(".");
	return 0;
}

/* operands: where no word can be an option any more. */
static int add(struct brski_admin *admin, int argc, char **argv, int operands)
{
	struct brski_error err;
	enum brski_code code;
	int status;

	if (argc == 4 && operands > 2 && strcmp(argv[2], "--file") == 0)
		return add_file(admin, argv[1], argv[3]);
	if (argc != 3 && argc != 4)
		return brskictl_usage(
			"'device add' takes MANUFACTURER SERIAL [NOTE], or MANUFACTURER --file FILE");
	code = brski_admin_device_put(admin, argv[1], argv[2], argc == 4 ? argv[3] : NULL, &err);
	status = status_of(code, argv[2], &err);
	if (!status)
		printf("Device %s of %s is in the inventory.\n", argv[2], argv[1]);
	return status;
}

static void print_row(void *ctx, const struct brski_admin_device *d)
{
	char seen[32];

	(*(unsigned *)ctx)++;
	printf("%-20s %-28s %-10s %-20s %s\n", d->manufacturer, d->serial_number, d->state,
		brskictl_time(d->last_seen, seen), d->note);
}

static int list(struct brski_admin *admin, const char *manufacturer)
{
	struct brski_error err;
	unsigned n = 0;

	printf("%-20s %-28s %-10s %-20s %s\n", "MANUFACTURER", "SERIAL NUMBER", "STATE", "LAST SEEN", "NOTE");
	if (brski_admin_devices(admin, manufacturer, print_row, &n, &err) != BRSKI_OK)
		return brskictl_fail(&err);
	if (n == 0)
		puts("None yet. Add one with 'brskictl device add MANUFACTURER SERIAL'.");
	return 0;
}

static int drop(struct brski_admin *admin, const char *manufacturer, const char *serial)
{
	struct brski_error err;

	if (brski_admin_device_remove(admin, manufacturer, serial, &err) != BRSKI_OK)
		return brskictl_fail(&err);
	printf("Device %s of %s is out of the inventory. Certificates that it "
	       "already has stay valid: revoke them at your CA.\n",
		serial, manufacturer);
	return 0;
}

int brskictl_device(struct brski_admin *admin, int argc, char **argv)
{
	int operands = brskictl_operands(&argc, argv);
	const char *verb = argc > 1 ? argv[1] : "list";

	if (strcmp(verb, "add") == 0)
		return add(admin, argc - 1, argv + 1, operands - 1);
	if (strcmp(verb, "list") == 0 && argc <= 3)
		return list(admin, argc == 3 ? argv[2] : NULL);
	if (strcmp(verb, "remove") == 0 && argc == 4)
		return drop(admin, argv[2], argv[3]);
	return brskictl_usage("'device' takes add, list [MANUFACTURER] or remove MANUFACTURER SERIAL");
}
