/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/brskictl/brskictl.h"
#include "eap_brski/ground/shell.h"
#include "eap_brski/ground/version.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_DATABASE "/var/lib/brski/registrar.db"

static const char help[] =
	"Usage: brskictl [-d DATABASE] COMMAND ...\n"
	"Manages what the EAP-BRSKI registrar in FreeRADIUS knows. Changes take effect at once, without a restart.\n"
	"\n"
	"  init                                 make the database\n"
	"  manufacturer add NAME --anchors FILE [options]\n"
	"                                       add or change a manufacturer; 'manufacturer add --help' tells the options\n"
	"  manufacturer list | show NAME | remove NAME\n"
	"  device add MANUFACTURER SERIAL [NOTE]\n"
	"  device add MANUFACTURER --file FILE  CSV, 'SERIAL[,NOTE]' a line; '-' is standard input\n"
	"  device list [MANUFACTURER] | remove MANUFACTURER SERIAL\n"
	"  pending                              devices that wait for your word (mode 'manual'), and whom you refused\n"
	"  accept MANUFACTURER SERIAL [NOTE] | refuse MANUFACTURER SERIAL [NOTE]\n"
	"  type add MANUFACTURER PATTERN        devices that mode 'type' lets in\n"
	"  type list [MANUFACTURER] | remove MANUFACTURER PATTERN\n"
	"  history [-n NUMBER] [SERIAL]         what happened, oldest first (the last 50)\n"
	"  queue                                requests that wait for a MASA or the PKI, and since when\n"
	"  voucher fetch MANUFACTURER SERIAL... | --file FILE\n"
	"                                       vouchers for when the MASA is away\n"
	"  voucher list [MANUFACTURER] | remove MANUFACTURER SERIAL\n"
	"  export FILE | import FILE            requests out and answers in, where there is no network to MASA and PKI\n"
	"\n"
	"  -d, --database FILE   default: $BRSKI_DATABASE, else " DEFAULT_DATABASE "\n"
	"  -h, --help            this text\n"
	"  -V, --version         the version\n"
	"\n"
	"Exit status: 0 done, 1 it could not be done, 2 wrong use.\n";

static int init(struct brski_admin *admin, int argc, char **argv)
{
	(void)admin;
	(void)argv;
	if (argc > 1)
		return brskictl_usage("'init' takes no argument");
	puts("The database is ready.");
	return 0;
}

static const struct command {
	const char *name;
	brskictl_command *run;
	bool makes_database;
} commands[] = {
	{"init", init, true},
	{"manufacturer", brskictl_manufacturer, false},
	{"device", brskictl_device, false},
	{"pending", brskictl_pending, false},
	{"accept", brskictl_accept, false},
	{"refuse", brskictl_refuse, false},
	{"type", brskictl_type, false},
	{"history", brskictl_history, false},
	{"queue", brskictl_queue, false},
	{"voucher", brskictl_voucher, false},
	{"export", brskictl_export, false},
	{"import", brskictl_import, false},
};

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static void tell_to_make(const char *database)
{
	char quoted[4096];

	if (strcmp(database, DEFAULT_DATABASE) == 0 || !brski_shell_quote(quoted, sizeof(quoted), database))
		fputs("Make it, or name another one with -d: brskictl init\n", stderr);
	else
		fprintf(stderr, "Make it, or name another one with -d: brskictl -d %s init\n", quoted);
}

static int run(const char *database, int argc, char **argv)
{
	const struct command *command = find(argv[0]);
	struct brski_admin *admin;
	struct brski_error err;
	int status;

	if (!command)
		return brskictl_usage("there is no command '%s'", argv[0]);
	if (brski_admin_open(database, command->makes_database, NULL, &admin, &err) != BRSKI_OK) {
		brskictl_fail(&err);
		if (err.code == BRSKI_NOT_FOUND)
			tell_to_make(database);
		return 1;
	}
	optind = 0; /* getopt starts afresh, glibc's way */
	status = command->run(admin, argc, argv);
	brski_admin_close(admin);
	return status;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"database", required_argument, NULL, 'd'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	const char *database = getenv("BRSKI_DATABASE");
	int c;

	while ((c = getopt_long(argc, argv, "+d:hV", options, NULL)) != -1) {
		switch (c) {
		case 'd':
			database = optarg;
			break;
		case 'h':
			fputs(help, stdout);
			return 0;
		case 'V':
			puts("brskictl " BRSKI_VERSION);
			return 0;
		default:
			return brskictl_usage("wrong option");
		}
	}
	if (optind == argc)
		return brskictl_usage("a command is missing");
	return run(database && database[0] ? database : DEFAULT_DATABASE, argc - optind, argv + optind);
}
