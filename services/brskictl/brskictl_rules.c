/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "services/brskictl/brskictl.h"
#include "services/brskictl/brskictl_json.h"

/* Doors that have rules of the administrator's own, which others must ask. */

static void print_rules(void *ctx, const struct brski_admin_rules *rules)
{
	char since[32];

	(*(unsigned *)ctx)++;
	printf("%-60s %-20s %s\n", rules->door, brskictl_time(rules->since, since), rules->rules);
}

static void json_rules(void *ctx, const struct brski_admin_rules *rules)
{
	listing_row(ctx, brskictl_json_rules(rules));
}

int brskictl_rules_list(struct brski_admin *admin, const struct command_line *line)
{
	struct listing json = {.name = "rules"};
	struct brski_error err;
	unsigned n = 0;

	if (command_given(line, BRSKICTL_JSON))
		return brskictl_listed(&json, brski_admin_rules(admin, json_rules, &json, &err), NULL, &err);
	printf("%-60s %-20s %s\n", "DOOR", "SINCE", "RULES");
	if (brski_admin_rules(admin, print_rules, &n, &err) != BRSKI_OK)
		return brskictl_fail(&err);
	if (n == 0)
		puts("None: the manufacturers' modes have the last word.");
	return 0;
}

int brskictl_rules_forget(struct brski_admin *admin, const struct command_line *line)
{
	struct brski_error err;

	if (brski_admin_rules_forget(admin, line->operands[0], &err) != BRSKI_OK)
		return brskictl_fail(&err);
	printf("The rules of '%s' are forgotten.\n", line->operands[0]);
	return 0;
}
