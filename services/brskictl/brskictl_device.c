/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/brskictl/brskictl.h"

static int add_one(struct brski_store *store, const char *manufacturer, const char *serial, const char *note)
{
	struct brski_error err;

	if (!brskictl_is_name(serial, BRSKI_SERIAL_MAX))
		return brskictl_usage("'%s' is no serial number: 1 to %d printable characters", serial,
			BRSKI_SERIAL_MAX - 1);
	if (brski_store_device_put(store, manufacturer, serial, note, &err))
		return brskictl_fail(&err);
	return 0;
}

/* "SERIAL [NOTE]"; empty lines and lines that start with '#' are passed over. */
static int add_line(struct brski_store *store, const char *manufacturer, char *line, unsigned *added)
{
	char *serial = line + strspn(line, " \t\r\n");
	char *note;

	serial[strcspn(serial, "\r\n")] = '\0';
	if (*serial == '\0' || *serial == '#')
		return 0;
	note = serial + strcspn(serial, " \t,;");
	if (*note)
		*note++ = '\0';
	note += strspn(note, " \t,;");
	(*added)++;
	return add_one(store, manufacturer, serial, note);
}

static int add_file(struct brski_store *store, const char *manufacturer, const char *path)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	char line[512];
	unsigned added = 0;
	int status = 0;

	if (!f)
		return brskictl_usage("cannot open %s: %s", path, strerror(errno));
	while (!status && fgets(line, sizeof(line), f)) {
		if (!strchr(line, '\n') && !feof(f))
			status = brskictl_usage(
				"%s has a line of more than %zu characters", path, sizeof(line) - 2);
		else
			status = add_line(store, manufacturer, line, &added);
	}
	if (f != stdin)
		fclose(f);
	if (!status)
		printf("%u devices of %s are in the inventory.\n", added, manufacturer);
	return status;
}

static int add(struct brski_store *store, int argc, char **argv)
{
	int status;

	if (argc == 4 && strcmp(argv[2], "--file") == 0)
		return add_file(store, argv[1], argv[3]);
	if (argc != 3 && argc != 4)
		return brskictl_usage(
			"'device add' takes MANUFACTURER SERIAL [NOTE], or MANUFACTURER --file FILE");
	status = add_one(store, argv[1], argv[2], argc == 4 ? argv[3] : "");
	if (!status)
		printf("Device %s of %s is in the inventory.\n", argv[2], argv[1]);
	return status;
}

static void print_row(void *ctx, const struct brski_store_device *d)
{
	char seen[32];

	(*(unsigned *)ctx)++;
	printf("%-20s %-28s %-10s %-20s %s\n", d->manufacturer, d->serial_number, d->state,
		brskictl_time(d->last_seen, seen), d->note);
}

static int list(struct brski_store *store, const char *manufacturer)
{
	struct brski_error err;
	unsigned n = 0;

	printf("%-20s %-28s %-10s %-20s %s\n", "MANUFACTURER", "SERIAL NUMBER", "STATE", "LAST SEEN", "NOTE");
	if (brski_store_devices(store, manufacturer, print_row, &n, &err))
		return brskictl_fail(&err);
	if (n == 0)
		puts("None yet. Add one with 'brskictl device add MANUFACTURER SERIAL'.");
	return 0;
}

static int drop(struct brski_store *store, const char *manufacturer, const char *serial)
{
	struct brski_error err;

	if (brski_store_device_remove(store, manufacturer, serial, &err))
		return brskictl_fail(&err);
	printf("Device %s of %s is out of the inventory. Certificates that it "
	       "already has stay valid: revoke them at your CA.\n",
		serial, manufacturer);
	return 0;
}

int brskictl_device(struct brski_store *store, int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "list";

	if (strcmp(verb, "add") == 0)
		return add(store, argc - 1, argv + 1);
	if (strcmp(verb, "list") == 0 && argc <= 3)
		return list(store, argc == 3 ? argv[2] : NULL);
	if (strcmp(verb, "remove") == 0 && argc == 4)
		return drop(store, argv[2], argv[3]);
	return brskictl_usage("'device' takes add, list [MANUFACTURER] or remove MANUFACTURER SERIAL");
}
