/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BASE_DAEMON_H
#define BRSKI_SERVICES_BASE_DAEMON_H

#include <event2/event.h>

#include "eap_brski/ground/env.h"
#include "eap_brski/pki/credential.h"
#include "services/base/options.h"

/*
 * What the programs here share: options, log, signals, pid file. One program; of its threads, one has
 * all of this but the log, which is everybody's.
 */

/* Options that every program has. */
struct daemon_settings {
	char *config;
	char *log; /* NULL: standard error */
	char *pid_file;
	bool verbose;
};

/* clang-format off */
/* Their rows in the table of a program, in whose structure `type` they are `member`. */
#define DAEMON_SETTINGS(type, member) \
	{"config", SETTING_TEXT, offsetof(type, member.config), 0, 0, NULL, false, "FILE", \
		"read options from FILE, lines of: name = value"}, \
	{"log", SETTING_TEXT, offsetof(type, member.log), 0, 0, NULL, false, "FILE", \
		"append the log to FILE (default: standard error)"}, \
	{"pid-file", SETTING_TEXT, offsetof(type, member.pid_file), 0, 0, NULL, false, "FILE", \
		"write the process id to FILE"}, \
	{"verbose", SETTING_FLAG, offsetof(type, member.verbose), 0, 0, NULL, false, NULL, \
		"log details"}
/* clang-format on */

#define DAEMON_SERVE 0 /* the id of the command `serve` */

struct daemon_program {
	const struct program *program;
	void *settings;                 /* the structure that the program's table describes, zeroed */
	struct daemon_settings *daemon; /* in it */
	const char *operand;            /* the setting that a command's operand is; NULL: there is none */
	enum brski_code (*serve)(const void *settings, struct brski_error *err);
	/* every other command */
	enum brski_code (*admin)(void *settings, const struct command_line *line, struct brski_error *err);
};

/*
 * All of a program: options, `serve` or one of the administrator's commands. Returns its exit status,
 * as commands.h has them. Frees what the settings hold.
 */
int daemon_main(const struct daemon_program *program, int argc, char **argv);
/* What a command's function says of wrong use: the exit status is COMMAND_WRONG_USE then. BRSKI_MALFORMED. */
enum brski_code daemon_wrong_use(struct brski_error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* brski_certs_load(), with the name of the option in the words of an error. */
BRSKI_CHECKED enum brski_code daemon_certs(
	const char *option, const char *uri, STACK_OF(X509) **out, struct brski_error *err);

/*
 * Opens the log; SIGHUP in daemon_loop() opens it anew. name and settings must stay until
 * daemon_end(). BRSKI_UNAVAILABLE.
 */
BRSKI_CHECKED enum brski_code daemon_begin(
	const char *name, const struct daemon_settings *settings, struct brski_error *err);
/* The environment for the library: clock, randomness, and the log. */
const struct brski_env *daemon_env(void);
/*
 * Writes the pid file, as everything is in place now, and runs the loop until SIGTERM or SIGINT.
 * The event in hand is finished first. BRSKI_UNAVAILABLE: the pid file; BRSKI_INTERNAL: the loop.
 */
BRSKI_CHECKED enum brski_code daemon_loop(struct event_base *base, struct brski_error *err);
/*
 * What SIGTERM and SIGINT do in daemon_loop(), each time that one comes, in place of leaving the loop:
 * for whoever has to bring something to its end before, and leaves the loop then. NULL: nothing else.
 */
void daemon_on_stop(void (*stop)(void *ctx), void *ctx);
/* Removes the pid file, closes the log. No other thread may log any more. */
void daemon_end(void);

#endif
