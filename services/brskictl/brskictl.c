/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/brskictl/brskictl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eap_brski/ground/shell.h"

static int init(struct brski_admin *admin, const struct command_line *line)
{
	(void)admin;
	(void)line;
	puts("The database is ready.");
	return 0;
}

static brskictl_command *const run[] = {
	[BRSKICTL_INIT] = init,
	[BRSKICTL_MANUFACTURER_ADD] = brskictl_manufacturer_add,
	[BRSKICTL_MANUFACTURER_SET] = brskictl_manufacturer_set,
	[BRSKICTL_MANUFACTURER_LIST] = brskictl_manufacturer_list,
	[BRSKICTL_MANUFACTURER_SHOW] = brskictl_manufacturer_show,
	[BRSKICTL_MANUFACTURER_REMOVE] = brskictl_manufacturer_remove,
	[BRSKICTL_DEVICE_ADD] = brskictl_device_add,
	[BRSKICTL_DEVICE_LIST] = brskictl_device_list,
	[BRSKICTL_DEVICE_REMOVE] = brskictl_device_remove,
	[BRSKICTL_PENDING] = brskictl_pending,
	[BRSKICTL_ACCEPT] = brskictl_accept,
	[BRSKICTL_REFUSE] = brskictl_refuse,
	[BRSKICTL_TYPE_ADD] = brskictl_type_add,
	[BRSKICTL_TYPE_LIST] = brskictl_type_list,
	[BRSKICTL_TYPE_REMOVE] = brskictl_type_remove,
	[BRSKICTL_HISTORY] = brskictl_history,
	[BRSKICTL_QUEUE] = brskictl_queue,
	[BRSKICTL_VOUCHER_FETCH] = brskictl_voucher_fetch,
	[BRSKICTL_VOUCHER_LIST] = brskictl_voucher_list,
	[BRSKICTL_VOUCHER_REMOVE] = brskictl_voucher_remove,
	[BRSKICTL_EXPORT] = brskictl_export,
	[BRSKICTL_IMPORT] = brskictl_import,
};

static void tell_to_make(const char *database)
{
	char quoted[4096];

	if (strcmp(database, BRSKICTL_DATABASE) == 0 || !brski_shell_quote(quoted, sizeof(quoted), database))
		fputs("Make it, or name another one with -d: brskictl init\n", stderr);
	else
		fprintf(stderr, "Make it, or name another one with -d: brskictl -d %s init\n", quoted);
}

/* The manufacturer's name comes first; who has it the other way round is told. */
static void tell_order(struct brski_admin *admin, const struct command_line *line)
{
	struct brski_admin_manufacturer m;

	if (line->n_operands < 2 || strncmp(line->command->operands, "MANUFACTURER ", 13) != 0 ||
		brski_admin_manufacturer_get(admin, line->operands[0], &m, NULL) != BRSKI_NOT_FOUND)
		return;
	if (brski_admin_manufacturer_get(admin, line->operands[1], &m, NULL) != BRSKI_OK)
		return;
	brski_admin_manufacturer_free(&m);
	fprintf(stderr, "But '%s' is one: %s takes %s, in this order.\n", line->operands[1],
		line->command->words, line->command->operands);
}

static int run_command(const char *database, const struct command_line *line)
{
	struct brski_admin *admin;
	struct brski_error err;
	int status;

	if (brski_admin_open(database, line->command->id == BRSKICTL_INIT, NULL, &admin, &err) != BRSKI_OK) {
		brskictl_fail(&err);
		if (err.code == BRSKI_NOT_FOUND)
			tell_to_make(database);
		return 1;
	}
	status = run[line->command->id](admin, line);
	if (status == COMMAND_FAILED)
		tell_order(admin, line);
	brski_admin_close(admin);
	return status;
}

int main(int argc, char **argv)
{
	const char *database = getenv("BRSKI_DATABASE");
	struct command_line line;

	command_line_read(&brskictl_program, argc, argv, &line);
	if (!line.command)
		return line.status;
	for (size_t i = 0; i < line.n_given; i++)
		if (line.given[i].id == 'd')
			database = line.given[i].value;
	return run_command(database && database[0] ? database : BRSKICTL_DATABASE, &line);
}
