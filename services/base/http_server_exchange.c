/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "services/base/clock.h"
#include "services/base/http_server_internal.h"

const struct brski_http *http_exchange_request(const struct http_exchange *ex)
{
	return &ex->request;
}

const STACK_OF(X509) *http_exchange_chain(const struct http_exchange *ex)
{
	return ex->connection->chain;
}

const X509 *http_exchange_client(const struct http_exchange *ex)
{
	return ex->connection->chain ? sk_X509_value(ex->connection->chain, 0) : NULL;
}

void **http_exchange_data(struct http_exchange *ex)
{
	return &ex->connection->data;
}

const char *http_exchange_peer(const struct http_exchange *ex)
{
	return ex->connection->peer;
}

void http_exchange_vouch(struct http_exchange *ex)
{
	ex->connection->known = true;
}

void http_exchange_begin(struct http_connection *c)
{
	struct http_server *server = c->server;

	c->requests++;
	c->close = c->reader.close || (server->requests_max > 0 && c->requests >= server->requests_max);
	brski_http_move(&c->exchange.request, &c->reader.request);
	server->handler(server->ctx, &c->exchange);
}

/* RFC 9110 15; for people alone (RFC 9112 4). */
static const char *reason(unsigned status)
{
	static const struct {
		unsigned status;
		const char *text;
	} reasons[] = {{200, "OK"}, {201, "Created"}, {202, "Accepted"}, {204, "No Content"},
		{400, "Bad Request"}, {401, "Unauthorized"}, {403, "Forbidden"}, {404, "Not Found"},
		{405, "Method Not Allowed"}, {406, "Not Acceptable"}, {408, "Request Timeout"},
		{413, "Content Too Large"}, {414, "URI Too Long"}, {415, "Unsupported Media Type"},
		{429, "Too Many Requests"}, {431, "Request Header Fields Too Large"},
		{500, "Internal Server Error"}, {501, "Not Implemented"}, {503, "Service Unavailable"}};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (reasons[i].status == status)
			return reasons[i].text;
	}
	return "";
}

/* RFC 9110 6.6.1: a server with a clock says what time it is. */
static void put_date(struct brski_buf *out, time_t now)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm tm;

	if (gmtime_r(&now, &tm))
		brski_printf(out, "Date: %.3s, %02d %.3s %04d %02d:%02d:%02d GMT\r\n", days + 3 * tm.tm_wday,
			tm.tm_mday, months + 3 * tm.tm_mon, tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
			tm.tm_sec);
}

static void put_fields(struct brski_buf *out, const struct brski_http *response)
{
	for (size_t i = 0; i < response->n_fields; i++) {
		const char *name = response->fields[i].name;

		if (strcmp(name, "content-length") != 0 && strcmp(name, "connection") != 0)
			brski_printf(out, "%s: %s\r\n", name, response->fields[i].value);
	}
}

bool http_answer_write(struct http_connection *c, const struct brski_http *response)
{
	struct brski_buf *out = &c->output;
	unsigned status = response->status >= 200 && response->status < 600 ? response->status : 500;
	const char *method = c->exchange.request.method;

	out->limit = response->body.len + BRSKI_BUF_LIMIT;
	brski_printf(out, "HTTP/1.1 %u %s\r\n", status, reason(status));
	put_date(out, brski_now(c->server->env));
	put_fields(out, response);
	if (status != 204 && status != 304) /* RFC 9110 8.6 */
		brski_printf(out, "Content-Length: %zu\r\n", response->body.len);
	brski_printf(out, "%s\r\n", c->close ? "Connection: close\r\n" : "");
	if (status != 204 && status != 304 && !(method && strcmp(method, "HEAD") == 0))
		brski_put(out, brski_buf_span(&response->body));
	return !out->failed;
}

void http_exchange_reply(struct http_exchange *ex, struct brski_http *response, const char *note)
{
	struct http_connection *c = ex->connection;
	const char *connection = brski_http_get(response, "connection");

	if (connection && strcmp(connection, "close") == 0)
		c->close = true;
	http_line_reply(c, response->status, note);
	http_connection_answer(c, response);
	brski_http_free(response);
}
