/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/brskictl/brskictl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "eap_brski/ground/shell.h"
#include "services/brskictl/brskictl_database.h"

static int init(struct brski_admin *admin, const struct command_line *line)
{
	(void)admin;
	puts("The database is ready.");
	if (line->n_given == 0 && !server_conf_is_there(server_conf_standard(&server_conf_places)))
		printf("No server has a configuration on this machine: brski-registrar's is %s, and an example\n"
		       "of it is in /usr/share/doc/eap-brski.\n",
			server_conf_places.https);
	return 0;
}

static const struct {
	brskictl_command *run;
	brskictl_use *use; /* NULL: what the table of commands says is all */
} commands[] = {
	[BRSKICTL_INIT] = {init, NULL},
	[BRSKICTL_MANUFACTURER_ADD] = {brskictl_manufacturer_add, brskictl_manufacturer_add_use},
	[BRSKICTL_MANUFACTURER_SET] = {brskictl_manufacturer_set, brskictl_manufacturer_set_use},
	[BRSKICTL_MANUFACTURER_LIST] = {brskictl_manufacturer_list, NULL},
	[BRSKICTL_MANUFACTURER_SHOW] = {brskictl_manufacturer_show, NULL},
	[BRSKICTL_MANUFACTURER_REMOVE] = {brskictl_manufacturer_remove, NULL},
	[BRSKICTL_DEVICE_ADD] = {brskictl_device_add, brskictl_device_add_use},
	[BRSKICTL_DEVICE_LIST] = {brskictl_device_list, NULL},
	[BRSKICTL_DEVICE_REMOVE] = {brskictl_device_remove, NULL},
	[BRSKICTL_PENDING] = {brskictl_pending, NULL},
	[BRSKICTL_ACCEPT] = {brskictl_accept, brskictl_serial_use},
	[BRSKICTL_REFUSE] = {brskictl_refuse, brskictl_serial_use},
	[BRSKICTL_TYPE_ADD] = {brskictl_type_add, brskictl_type_add_use},
	[BRSKICTL_TYPE_LIST] = {brskictl_type_list, NULL},
	[BRSKICTL_TYPE_REMOVE] = {brskictl_type_remove, NULL},
	[BRSKICTL_RULES_LIST] = {brskictl_rules_list, NULL},
	[BRSKICTL_RULES_FORGET] = {brskictl_rules_forget, NULL},
	[BRSKICTL_HISTORY] = {brskictl_history, brskictl_history_use},
	[BRSKICTL_QUEUE] = {brskictl_queue, NULL},
	[BRSKICTL_VOUCHER_FETCH] = {brskictl_voucher_fetch, brskictl_voucher_fetch_use},
	[BRSKICTL_VOUCHER_LIST] = {brskictl_voucher_list, NULL},
	[BRSKICTL_VOUCHER_REMOVE] = {brskictl_voucher_remove, NULL},
	[BRSKICTL_EXPORT] = {brskictl_export, NULL},
	[BRSKICTL_IMPORT] = {brskictl_import, NULL},
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

static void tell_to_be_root(const char *database)
{
	if (geteuid() != 0 && brski_admin_lacks_rights(database))
		fputs("Run it as root.\n", stderr);
}

static void print_mended(void *ctx, const char *words)
{
	(void)ctx;
	printf("%s.\n", words);
}

/* init is for files that have been put back, too. */
static enum brski_code open_database(const char *database, const struct command_line *line,
	struct brski_admin **admin, struct brski_error *err)
{
	bool is_init = line->command->id == BRSKICTL_INIT;
	enum brski_code code = is_init ? brski_admin_mend(database, print_mended, NULL, err) : BRSKI_OK;

	return code == BRSKI_OK ? brski_admin_open(database, is_init, NULL, admin, err) : code;
}

static int run_command(const char *database, const struct command_line *line)
{
	struct brski_admin *admin;
	struct brski_error err;
	int status;

	if (open_database(database, line, &admin, &err) != BRSKI_OK) {
		brskictl_fail(&err);
		if (err.code == BRSKI_NOT_FOUND)
			tell_to_make(database);
		else
			tell_to_be_root(database);
		return COMMAND_FAILED;
	}
	status = commands[line->command->id].run(admin, line);
	if (status == COMMAND_FAILED) {
		tell_order(admin, line);
		tell_to_be_root(database);
	}
	brski_admin_close(admin);
	return status;
}

int main(int argc, char **argv)
{
	struct brskictl_database database;
	struct command_line line;
	struct brski_error err;

	command_line_read(&brskictl_program, argc, argv, &line);
	if (line.command && commands[line.command->id].use)
		line.status = commands[line.command->id].use(&line);
	if (!line.command || line.status)
		return line.status;
	if (brskictl_database_find(&server_conf_places, &line, getenv("BRSKI_DATABASE"), &database, &err) !=
		BRSKI_OK) {
		brskictl_fail(&err);
		fputs(geteuid() != 0 && err.code == BRSKI_UNAVAILABLE
				? "Run it as root, or name the database with -d.\n"
				: "Name the database with -d.\n",
			stderr);
		return COMMAND_FAILED;
	}
	if (database.from[0])
		fprintf(stderr, "brskictl: the database is %s, as %s says\n", database.path, database.from);
	return run_command(database.path, &line);
}
