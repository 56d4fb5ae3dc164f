/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BASE_DAEMON_H
#define BRSKI_SERVICES_BASE_DAEMON_H

#include <event2/event.h>

#include "eap_brski/ground/env.h"

/* What the programs here share: options, log, signals, pid file. One program, one thread. */

enum daemon_kind {
	DAEMON_FLAG,   /* bool *; "yes" or "no" in the file */
	DAEMON_TEXT,   /* const char ** */
	DAEMON_NUMBER, /* long *, from min to max */
	DAEMON_LIST,   /* struct daemon_list *; may be given several times */
};

#define DAEMON_LIST_MAX 16
struct daemon_list {
	const char *items[DAEMON_LIST_MAX];
	size_t n;
};

struct daemon_option {
	/*
	 * "listen" is --listen on the command line and "listen = ..." in the file; NULL ends a
	 * table
	 */
	const char *name;
	enum daemon_kind kind;
	void *target;
	long min, max;
	const char *value; /* what stands for the value in the help text; NULL for flags */
	const char *help;
};

struct daemon_program {
	const char *name;
	const char *usage; /* the first lines of --help */
	const struct daemon_option *options;
	enum brski_code (*serve)(struct brski_error *err);
	const char **serve_operand; /* gets the word behind "serve"; NULL: there is none */
	/* every other first word */
	enum brski_code (*admin)(int n_words, char *const *words, struct brski_error *err);
};

/* All of a program: options, `serve` or one of the administrator's words. Returns its exit status. */
int daemon_main(const struct daemon_program *program, int argc, char **argv);

/*
 * Set by the options that every program has: --log, --pid-file, --verbose. --config, --help and
 * --version are dealt with.
 */
struct daemon_settings {
	const char *log;
	const char *pid_file;
	bool verbose;
};

/*
 * Reads --config FILE first, then the command line, which overrides it. *operands gets the index in
 * argv of the first operand, or 0 after --help or --version was answered on stdout.
 * BRSKI_MALFORMED, BRSKI_NOT_FOUND (the file). Texts stay valid until daemon_end().
 */
BRSKI_CHECKED enum brski_code daemon_options(const struct daemon_program *program, int argc, char **argv,
	struct daemon_settings *settings, int *operands, struct brski_error *err);

/* Opens the log (stderr if settings->log is NULL). SIGHUP in daemon_loop() opens it anew. */
BRSKI_CHECKED enum brski_code daemon_begin(const struct daemon_program *program,
	const struct daemon_settings *settings, struct brski_error *err);
/* The environment for the library: clock, randomness, and daemon_log. */
const struct brski_env *daemon_env(void);
/*
 * Writes the pid file, as everything is in place now, and runs the loop until SIGTERM or SIGINT.
 * The event in hand is finished first.
 */
BRSKI_CHECKED enum brski_code daemon_loop(struct event_base *base, struct brski_error *err);
/* Removes the pid file, closes the log, frees texts of options. */
void daemon_end(void);

#endif
