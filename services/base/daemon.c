/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/base/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "eap_brski/ground/text.h"
#include "services/base/file.h"
#include "services/base/run_as.h"

/* A process is one daemon, and signals reach the process: its state is the process's. */
static struct {
	const char *name;
	const char *log_path;
	const char *pid_file;
	const char *pid_path; /* the same, once it is written */
	FILE *log;            /* guarded by log_lock */
	bool verbose;
	bool wrong_use;
	void (*stop)(void *ctx); /* NULL: the loop is left */
	void *stop_ctx;
} self;
/* A program may have threads that log, while the file is opened anew. */
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

static void write_line(void *ctx, enum brski_level level, const char *line)
{
	static const char *const names[] = {"debug", "info", "warning", "error"};
	char at[32];

	(void)ctx;
	if (level == BRSKI_LOG_DEBUG && !self.verbose)
		return;
	brski_time_format(time(NULL), at);
	pthread_mutex_lock(&log_lock);
	fprintf(self.log ? self.log : stderr, "%s %s %s: %s\n", at, self.name ? self.name : "daemon",
		names[level], line);
	fflush(self.log ? self.log : stderr);
	pthread_mutex_unlock(&log_lock);
}

/* NULL: standard error. */
static void set_log(FILE *log)
{
	FILE *before;

	pthread_mutex_lock(&log_lock);
	before = self.log;
	self.log = log;
	pthread_mutex_unlock(&log_lock);
	if (before)
		fclose(before);
}

/* Of root in a folder that is not root's alone: with the rights of the folder's owner. */
static enum brski_code open_log_file(int *fd, struct brski_error *err)
{
	struct run_as who;
	enum brski_code code = run_as_owner(self.log_path, &who, err);

	*fd = -1;
	if (code != BRSKI_OK)
		return brski_fail_context(err, code, "cannot write the log %s", self.log_path);
	run_as_begin(&who);
	*fd = open(self.log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	run_as_end(&who);
	return BRSKI_OK;
}

static enum brski_code open_log(struct brski_error *err)
{
	enum brski_code code;
	int fd;
	FILE *log;

	if (!self.log_path)
		return BRSKI_OK;
	code = open_log_file(&fd, err);
	if (code != BRSKI_OK)
		return code;
	log = fd >= 0 ? fdopen(fd, "a") : NULL;
	if (!log) {
		if (fd >= 0)
			close(fd);
		return brski_fail(err, BRSKI_UNAVAILABLE, "cannot write the log %s: %s", self.log_path,
			strerror(errno));
	}
	set_log(log);
	return BRSKI_OK;
}

/* A new file, whatever stands there, so that no link is followed. */
static enum brski_code write_pid(const char *path, struct brski_error *err)
{
	char text[24];
	enum brski_code code;

	snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (unlink(path) != 0 && errno != ENOENT)
		return brski_fail(err, BRSKI_UNAVAILABLE, "cannot write %s: %s", path, strerror(errno));
	code = brski_file_create(path, 0644, brski_span_str(text), err);
	if (code == BRSKI_OK)
		self.pid_path = path;
	return code;
}

enum brski_code daemon_begin(
	const char *name, const struct daemon_settings *settings, struct brski_error *err)
{
	self.name = name;
	self.log_path = settings->log;
	self.pid_file = settings->pid_file;
	self.verbose = settings->verbose;
	return open_log(err);
}

const struct brski_env *daemon_env(void)
{
	static const struct brski_env env = {.log = write_line};

	return &env;
}

static void on_stop(evutil_socket_t number, short what, void *arg)
{
	const struct timeval linger = {.tv_usec = 200000};

	(void)what;
	brski_log(daemon_env(), BRSKI_LOG_INFO, "signal %d: stopping", (int)number);
	if (self.stop)
		self.stop(self.stop_ctx);
	else
		event_base_loopexit(arg, &linger); /* answers under way go out */
}

void daemon_on_stop(void (*stop)(void *ctx), void *ctx)
{
	self.stop = stop;
	self.stop_ctx = ctx;
}

static void on_hangup(evutil_socket_t number, short what, void *arg)
{
	struct brski_error err = {0};

	(void)number;
	(void)what;
	(void)arg;
	if (open_log(&err) != BRSKI_OK)
		brski_log(daemon_env(), BRSKI_LOG_ERROR, "%s", err.why);
}

enum brski_code daemon_loop(struct event_base *base, struct brski_error *err)
{
	struct event *signals[3] = {evsignal_new(base, SIGTERM, on_stop, base),
		evsignal_new(base, SIGINT, on_stop, base), evsignal_new(base, SIGHUP, on_hangup, NULL)};
	enum brski_code code = BRSKI_OK;

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < 3; i++) {
		if (!signals[i] || event_add(signals[i], NULL) != 0)
			code = brski_fail(err, BRSKI_INTERNAL, "cannot catch signals");
	}
	/*
	 * not before it listens: who cannot, since another one does, must not take away the other
	 * one's file
	 */
	if (code == BRSKI_OK && self.pid_file)
		code = write_pid(self.pid_file, err);
	if (code == BRSKI_OK && event_base_dispatch(base) < 0)
		code = brski_fail(err, BRSKI_INTERNAL, "the event loop failed");
	for (size_t i = 0; i < 3; i++) {
		if (signals[i])
			event_free(signals[i]);
	}
	return code;
}

void daemon_end(void)
{
	if (self.pid_path)
		unlink(self.pid_path);
	self.pid_path = NULL;
	set_log(NULL);
	self.log_path = NULL;
	self.pid_file = NULL;
	daemon_on_stop(NULL, NULL);
}

enum brski_code daemon_wrong_use(struct brski_error *err, const char *fmt, ...)
{
	char why[sizeof(err->why)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	self.wrong_use = true;
	return brski_fail(err, BRSKI_MALFORMED, "%s", why);
}

enum brski_code daemon_certs(
	const char *option, const char *uri, STACK_OF(X509) **out, struct brski_error *err)
{
	enum brski_code code = brski_certs_load(uri, out, err);

	return code == BRSKI_OK ? code : brski_fail_context(err, code, "%s", option);
}

static enum brski_code serve(const struct daemon_program *program, struct brski_error *err)
{
	enum brski_code code = daemon_begin(program->program->name, program->daemon, err);

	if (code == BRSKI_OK)
		code = program->serve(program->settings, err);
	if (code != BRSKI_OK && self.log)
		brski_log(daemon_env(), BRSKI_LOG_ERROR, "%s", err->why);
	return code;
}

static enum brski_code run(
	const struct daemon_program *program, const struct command_line *line, struct brski_error *err)
{
	const struct setting *table = program->program->settings;
	enum brski_code code = BRSKI_OK;

	if (program->operand && line->n_operands > 0)
		code = settings_set(
			settings_find(table, program->operand), program->settings, line->operands[0], err);
	if (code != BRSKI_OK)
		return code;
	return line->command->id == DAEMON_SERVE ? serve(program, err)
						 : program->admin(program->settings, line, err);
}

/* What went wrong, to whoever typed it. */
static int tell(
	const struct daemon_program *program, const struct command_line *line, const struct brski_error *err)
{
	if (line->status == COMMAND_WRONG_USE || self.wrong_use)
		return command_usage(program->program, line->command, "%s", err->why);
	fprintf(stderr, "%s: %s\n", program->program->name, err->why);
	return COMMAND_FAILED;
}

int daemon_main(const struct daemon_program *program, int argc, char **argv)
{
	struct command_line line;
	struct brski_error err = {0};
	int status = COMMAND_DONE;
	enum brski_code code = options_read(program->program, argc, argv, program->settings, &line, &err);

	if (code == BRSKI_OK && line.command)
		code = run(program, &line, &err);
	if (code != BRSKI_OK)
		status = tell(program, &line, &err);
	daemon_end();
	settings_free(program->program->settings, program->settings);
	return status;
}
