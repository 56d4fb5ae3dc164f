/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>

#include "services/base/clock.h"
#include "services/base/http_server_internal.h"

#define REPLIES_A_MINUTE 60 /* lines of refusals, and of answers to whoever is not known */

static void write_line(
	struct http_server *server, enum http_line kind, enum brski_level level, const char *line)
{
	char more[BRSKI_LOG_MORE_MAX];
	unsigned left_out;

	if (brski_log_due(&server->lines[kind], brski_now_ms(), &left_out))
		brski_log(server->env, level, "%s%s", line, brski_log_more(left_out, more));
}

void http_line(struct http_server *server, enum http_line kind, const char *fmt, ...)
{
	char line[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	write_line(server, kind, BRSKI_LOG_WARN, line);
}

/* Whoever is known and served may fill the log: what it is served is wanted there. */
static bool is_counted(const struct http_connection *c, unsigned status)
{
	return status >= 400 || (c->ssl && !c->known);
}

static bool is_over(struct http_server *server)
{
	int64_t now = brski_now_ms();

	if (now - server->replies_since >= BRSKI_LOG_LIMIT_MS) {
		server->replies_since = now;
		server->replies = 0;
	}
	return ++server->replies > REPLIES_A_MINUTE;
}

void http_line_reply(const struct http_connection *c, unsigned status, const char *note)
{
	const struct brski_http *request = &c->exchange.request;
	enum brski_level level = status < 400 ? BRSKI_LOG_INFO : BRSKI_LOG_WARN;
	char line[1024];

	snprintf(line, sizeof(line), "%s %.32s %.320s: %u%s%s", c->peer,
		request->method ? request->method : "request", request->path ? request->path : "not read",
		status, note ? ", " : "", note ? note : "");
	if (is_counted(c, status) && is_over(c->server))
		write_line(c->server, HTTP_LINE_REPLY, level, line);
	else
		brski_log(c->server->env, level, "%s", line);
}

void http_lines_tell(struct http_server *server)
{
	static const char *const what[HTTP_LINES] = {
		[HTTP_LINE_SHARE] = "connections of those who have their share",
		[HTTP_LINE_FULL] = "times that all connections were taken",
		[HTTP_LINE_TLS] = "connections whose TLS failed",
		[HTTP_LINE_TIME] = "connections that took too long",
		[HTTP_LINE_CUT] = "connections that ended within a request or an answer",
		[HTTP_LINE_REQUEST] = "requests that are none",
		[HTTP_LINE_REPLY] = "answers that refuse, or to clients that are not known",
	};
	unsigned left_out;

	for (size_t i = 0; i < HTTP_LINES; i++) {
		if (brski_log_left_out(&server->lines[i], brski_now_ms(), &left_out))
			brski_log(server->env, BRSKI_LOG_WARN, "%u more %s", left_out, what[i]);
	}
}
