/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "services/brskictl/brskictl.h"

/* What the operator says of single devices (mode "manual"), and of types of them (mode "type"). */

/* ---- pending, accept, refuse ---- */

static void print_candidate(void *ctx, const struct brski_store_candidate *c)
{
	char first[32], last[32];

	(*(unsigned *)ctx)++;
	printf("%-20s %-28s %-8s %-14s %-14s %6u  %s%s%s%s\n", c->manufacturer, c->serial_number,
		c->refused ? "refused" : "waits", brskictl_age(c->first_seen, first),
		brskictl_age(c->last_seen, last), c->visits, c->subject, c->note[0] ? " (" : "", c->note,
		c->note[0] ? ")" : "");
	if (c->fingerprint[0])
		printf("%-20s IDevID SHA-256 %s\n", "", c->fingerprint);
}

int brskictl_pending(struct brski_store *store, int argc, char **argv)
{
	struct brski_error err;
	unsigned n = 0, refused = 0;

	(void)argv;
	if (argc > 1)
		return brskictl_usage("'pending' takes no argument");
	printf("%-20s %-28s %-8s %-14s %-14s %6s  %s\n", "MANUFACTURER", "SERIAL NUMBER", "STATE", "SINCE",
		"LAST SEEN", "VISITS", "SUBJECT (NOTE)");
	if (brski_store_candidates(store, false, print_candidate, &n, &err) ||
		brski_store_candidates(store, true, print_candidate, &refused, &err))
		return brskictl_fail(&err);
	printf("%u waiting, %u refused.\n", n, refused);
	return 0;
}

static int check_device(int argc, char **argv, const char *command)
{
	if (argc != 3 && argc != 4)
		return brskictl_usage("'%s' takes MANUFACTURER SERIAL [NOTE]", command);
	if (!brskictl_is_name(argv[2], BRSKI_SERIAL_MAX))
		return brskictl_usage("'%s' is no serial number: 1 to %d printable characters", argv[2],
			BRSKI_SERIAL_MAX - 1);
	return 0;
}

int brskictl_accept(struct brski_store *store, int argc, char **argv)
{
	int status = check_device(argc, argv, "accept");
	struct brski_error err;

	if (status)
		return status;
	if (brski_store_candidate_accept(store, argv[1], argv[2], argc == 4 ? argv[3] : NULL, &err)) {
		brskictl_fail(&err);
		if (err.code == BRSKI_NOT_FOUND)
			fputs("'brskictl pending' tells who does; 'brskictl device "
			      "add' lists a device that has not come yet.\n",
				stderr);
		return 1;
	}
	printf("Device %s of %s is accepted: it gets in on its next visit.\n", argv[2], argv[1]);
	return 0;
}

int brskictl_refuse(struct brski_store *store, int argc, char **argv)
{
	int status = check_device(argc, argv, "refuse");
	struct brski_error err;

	if (status)
		return status;
	if (brski_store_candidate_refuse(store, argv[1], argv[2], argc == 4 ? argv[3] : NULL, &err))
		return brskictl_fail(&err);
	printf("Device %s of %s is refused, now and later, until you accept or list it. A "
	       "certificate that it already has stays valid: revoke it at your CA.\n",
		argv[2], argv[1]);
	return 0;
}

/* ---- type ---- */

/*
 * "oid:" with digits and dots, and what a shell's pattern is made of; anything else is a pattern of
 * subjects.
 */
static const char *what_is_wrong(const char *pattern)
{
	if (!brskictl_is_name(pattern, BRSKI_TYPE_PATTERN_MAX))
		return "a pattern has 1 to 255 printable characters";
	if (strncmp(pattern, "oid:", 4) != 0)
		return NULL;
	if (!pattern[4] || pattern[4 + strspn(pattern + 4, "0123456789.*?[]!-")])
		return "after 'oid:' comes an object identifier in digits and dots, perhaps with * ? or "
		       "[...]";
	return NULL;
}

static int add_type(struct brski_store *store, const char *manufacturer, const char *pattern)
{
	const char *wrong = what_is_wrong(pattern);
	struct brski_store_manufacturer m;
	struct brski_error err;

	if (wrong)
		return brskictl_usage("%s", wrong);
	if (brski_store_type_put(store, manufacturer, pattern, &err) ||
		brski_store_manufacturer_get(store, manufacturer, &m, &err))
		return brskictl_fail(&err);
	printf("Devices of %s whose %s fits '%s' are let in.\n", manufacturer,
		strncmp(pattern, "oid:", 4) == 0 ? "hardware type" : "subject", pattern);
	if (m.mode != BRSKI_MODE_TYPE)
		printf("But its mode is '%s': types count only in mode 'type'.\n", brski_mode_name(m.mode));
	brski_store_manufacturer_free(&m);
	return 0;
}

static void print_type(void *ctx, const struct brski_store_type *type)
{
	char added[32];

	(*(unsigned *)ctx)++;
	printf("%-20s %-20s %s\n", type->manufacturer, brskictl_time(type->added, added), type->pattern);
}

static int list_types(struct brski_store *store, const char *manufacturer)
{
	struct brski_error err;
	unsigned n = 0;

	printf("%-20s %-20s %s\n", "MANUFACTURER", "ADDED", "PATTERN");
	if (brski_store_types(store, manufacturer, print_type, &n, &err))
		return brskictl_fail(&err);
	if (n == 0)
		puts("None yet. Add one with 'brskictl type add MANUFACTURER PATTERN'.");
	return 0;
}

static int drop_type(struct brski_store *store, const char *manufacturer, const char *pattern)
{
	struct brski_error err;

	if (brski_store_type_remove(store, manufacturer, pattern, &err))
		return brskictl_fail(&err);
	printf("'%s' is no type of %s any more.\n", pattern, manufacturer);
	return 0;
}

int brskictl_type(struct brski_store *store, int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "list";

	if (strcmp(verb, "add") == 0 && argc == 4)
		return add_type(store, argv[2], argv[3]);
	if (strcmp(verb, "list") == 0 && argc <= 3)
		return list_types(store, argc == 3 ? argv[2] : NULL);
	if (strcmp(verb, "remove") == 0 && argc == 4)
		return drop_type(store, argv[2], argv[3]);
	return brskictl_usage(
		"'type' takes add MANUFACTURER PATTERN, list [MANUFACTURER] or remove MANUFACTURER PATTERN");
}
