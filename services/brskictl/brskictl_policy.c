/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "services/brskictl/brskictl.h"
#include "services/brskictl/brskictl_json.h"

/* What the operator says of single devices (mode "manual"), and of types of them (mode "type"). */

/* ---- pending, accept, refuse ---- */

struct pending {
	unsigned waiting, refused;
};

static void print_candidate(void *ctx, const struct brski_admin_candidate *c)
{
	struct pending *pending = ctx;
	char first[32], last[32];

	if (c->refused)
		pending->refused++;
	else
		pending->waiting++;
	printf("%-20s %-28s %-8s %-14s %-14s %6u  %s%s%s%s\n", c->manufacturer, c->serial_number,
		c->refused ? "refused" : "waits", brskictl_age(c->first_seen, first),
		brskictl_age(c->last_seen, last), c->visits, c->subject, c->note[0] ? " (" : "", c->note,
		c->note[0] ? ")" : "");
	if (c->fingerprint[0])
		printf("%-20s IDevID SHA-256 %s\n", "", c->fingerprint);
}

static void json_candidate(void *ctx, const struct brski_admin_candidate *c)
{
	listing_row(ctx, brskictl_json_candidate(c));
}

int brskictl_pending(struct brski_admin *admin, const struct command_line *line)
{
	struct pending pending = {0};
	struct listing json = {.name = "devices"};
	struct brski_error err;

	if (command_given(line, BRSKICTL_JSON))
		return brskictl_listed(
			&json, brski_admin_pending(admin, json_candidate, &json, &err), NULL, &err);
	printf("%-20s %-28s %-8s %-14s %-14s %6s  %s\n", "MANUFACTURER", "SERIAL NUMBER", "STATE", "SINCE",
		"LAST SEEN", "VISITS", "SUBJECT (NOTE)");
	if (brski_admin_pending(admin, print_candidate, &pending, &err) != BRSKI_OK)
		return brskictl_fail(&err);
	printf("%u waiting, %u refused.\n", pending.waiting, pending.refused);
	return 0;
}

int brskictl_accept(struct brski_admin *admin, const struct command_line *line)
{
	const char *manufacturer = line->operands[0], *serial = line->operands[1];
	struct brski_error err;

	switch (brski_admin_accept(admin, manufacturer, serial, brskictl_operand(line, 2), &err)) {
	case BRSKI_OK:
		printf("Device %s of %s is accepted: it gets in on its next visit.\n", serial, manufacturer);
		return 0;
	case BRSKI_NOT_FOUND:
		brskictl_fail(&err);
		fputs("'brskictl pending' tells who does; 'brskictl device "
		      "add' lists a device that has not come yet.\n",
			stderr);
		return 1;
	default:
		return brskictl_fail(&err);
	}
}

int brskictl_refuse(struct brski_admin *admin, const struct command_line *line)
{
	const char *manufacturer = line->operands[0], *serial = line->operands[1];
	struct brski_error err;

	if (brski_admin_refuse(admin, manufacturer, serial, brskictl_operand(line, 2), &err) != BRSKI_OK)
		return brskictl_fail(&err);
	printf("Device %s of %s is refused, now and later, until you accept or list it. A certificate that "
	       "it already has stays valid: revoke it at your CA.\n",
		serial, manufacturer);
	return 0;
}

/* ---- type ---- */

int brskictl_type_add_use(const struct command_line *line)
{
	struct brski_error err;

	if (brski_admin_type_check(line->operands[1], &err) == BRSKI_OK)
		return COMMAND_DONE;
	return brskictl_usage(line, "%s", err.why);
}

int brskictl_type_add(struct brski_admin *admin, const struct command_line *line)
{
	const char *manufacturer = line->operands[0], *pattern = line->operands[1];
	struct brski_admin_manufacturer m;
	struct brski_error err;

	if (brski_admin_type_put(admin, manufacturer, pattern, &err) != BRSKI_OK ||
		brski_admin_manufacturer_get(admin, manufacturer, &m, &err) != BRSKI_OK)
		return brskictl_fail(&err);
	printf("Devices of %s whose %s fits '%s' are let in.\n", manufacturer,
		brski_admin_type_is_hardware(pattern) ? "hardware type" : "subject", pattern);
	if (m.mode != BRSKI_ADMIN_MODE_TYPE)
		printf("But its mode is '%s': types count only in mode 'type'.\n",
			brski_admin_mode_name(m.mode));
	brski_admin_manufacturer_free(&m);
	return 0;
}

static void print_type(void *ctx, const struct brski_admin_type *type)
{
	char added[32];

	(*(unsigned *)ctx)++;
	printf("%-20s %-20s %s\n", type->manufacturer, brskictl_time(type->added, added), type->pattern);
}

static void json_type_row(void *ctx, const struct brski_admin_type *type)
{
	listing_row(ctx, brskictl_json_type(type));
}

int brskictl_type_list(struct brski_admin *admin, const struct command_line *line)
{
	const char *manufacturer = brskictl_operand(line, 0);
	struct listing json = {.name = "types"};
	struct brski_error err;
	unsigned n = 0;

	if (command_given(line, BRSKICTL_JSON))
		return brskictl_listed(&json,
			brski_admin_types(admin, manufacturer, json_type_row, &json, &err), NULL, &err);
	printf("%-20s %-20s %s\n", "MANUFACTURER", "ADDED", "PATTERN");
	if (brski_admin_types(admin, manufacturer, print_type, &n, &err) != BRSKI_OK)
		return brskictl_fail(&err);
	if (n == 0)
		puts("None yet. Add one with 'brskictl type add MANUFACTURER PATTERN'.");
	return 0;
}

int brskictl_type_remove(struct brski_admin *admin, const struct command_line *line)
{
	const char *manufacturer = line->operands[0], *pattern = line->operands[1];
	struct brski_error err;

	if (brski_admin_type_remove(admin, manufacturer, pattern, &err) != BRSKI_OK)
		return brskictl_fail(&err);
	printf("'%s' is no type of %s any more.\n", pattern, manufacturer);
	return 0;
}
