/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include <unistd.h>

#include "services/base/run_as.h"
#include "services/registrar_https/door.h"
#include "services/registrar_https/registrar_options.h"

/* brski-registrar(8): the HTTPS door to a registrar. */

static void on_stop(void *door)
{
	door_stop(door);
}

static enum brski_code serve_in(
	struct event_base *base, const struct door_settings *settings, struct brski_error *err)
{
	struct door *door = NULL;
	enum brski_code code = door_new(base, settings, daemon_env(), &door, err);

	if (code == BRSKI_OK) {
		daemon_on_stop(on_stop, door);
		code = daemon_loop(base, err);
	}
	door_free(door);
	return code;
}

static enum brski_code serve(const struct door_settings *settings, struct brski_error *err)
{
	struct event_base *base = NULL;
	enum brski_code code = daemon_begin(registrar_program.name, &settings->door.daemon, err);

	if (code != BRSKI_OK)
		return code;
	if (geteuid() == 0)
		brski_log(daemon_env(), BRSKI_LOG_WARN,
			"this runs as root, and need not: run_as names the user whose the database is");
	base = event_base_new();
	code = base ? serve_in(base, settings, err) : brski_fail(err, BRSKI_NO_MEMORY, "out of memory");
	if (base)
		event_base_free(base);
	if (code != BRSKI_OK && settings->door.daemon.log)
		brski_log(daemon_env(), BRSKI_LOG_ERROR, "%s", err->why);
	return code;
}

static enum brski_code check(const struct door_settings *settings, const char *path, struct brski_error *err)
{
	const struct daemon_settings here = {.verbose = settings->door.daemon.verbose};
	struct door *door = NULL;
	enum brski_code code = daemon_begin(registrar_program.name, &here, err);

	if (code == BRSKI_OK)
		code = door_new(NULL, settings, daemon_env(), &door, err);
	door_free(door);
	if (code == BRSKI_OK)
		printf("%s: nothing is wrong with it\n", path);
	return code;
}

/* Before anything is looked at but the configuration, which may be root's. */
static enum brski_code become_user(const struct door_settings *settings, struct brski_error *err)
{
	const char *user = settings->door.run_as;
	enum brski_code code = user ? run_as_become(user, err) : BRSKI_OK;

	return code == BRSKI_OK ? code : brski_fail_context(err, code, "run_as");
}

static enum brski_code run(const struct registrar_options *options, struct brski_error *err)
{
	struct door_settings settings = {0};
	enum brski_code code = door_settings_read(options->config, &settings, err);

	if (code == BRSKI_OK)
		code = become_user(&settings, err);
	if (code == BRSKI_OK)
		code = options->check ? check(&settings, options->config, err) : serve(&settings, err);
	daemon_end();
	door_settings_free(&settings);
	return code;
}

int main(int argc, char **argv)
{
	struct registrar_options options;
	struct command_line line;
	struct brski_error err = {0};

	command_line_read(&registrar_program, argc, argv, &line);
	if (!line.command)
		return line.status;
	registrar_options_take(&options, &line);
	if (run(&options, &err) == BRSKI_OK)
		return COMMAND_DONE;
	fprintf(stderr, "%s: %s\n", registrar_program.name, err.why);
	return COMMAND_FAILED;
}
