/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "eap_brski/transport/http_reply.h"
#include "services/base/clock.h"
#include "services/base/http_server_internal.h"

#define READ_MAX 16384           /* octets at once: a TLS record's */
#define TURN_OCTETS 65536        /* from the socket, until others have their turn */
#define TURN_STEPS 16            /* the same, in steps */
#define LATER_S 10               /* until one who has his share may try again */
#define LEAVE_MS 2000            /* RFC 9112 9.6: until the client, too, has closed */
#define LEAVE_OCTETS_MAX 1048576 /* of what it still sends meanwhile */

static const char too_late[] = "the request did not get here in time";

enum step { GO_ON, WAIT, GONE };

static void set_deadline(struct http_connection *c, int64_t ms)
{
	c->deadline = brski_now_ms() + ms;
}

static void enter(struct http_connection *c, enum http_state state, int64_t ms)
{
	c->state = state;
	c->want = state == HTTP_WRITING ? EV_WRITE : EV_READ;
	set_deadline(c, ms);
}

static void on_event(evutil_socket_t fd, short what, void *arg);

static void wait_for(struct http_connection *c)
{
	int64_t left = c->deadline - brski_now_ms();
	struct timeval until = {.tv_sec = left / 1000, .tv_usec = left % 1000 * 1000};

	if (left < 0)
		until = (struct timeval){0};
	event_assign(&c->event, c->server->base, c->fd, c->want, on_event, c);
	event_add(&c->event, &until);
}

/* OpenSSL's chain of a client lacks the client's own certificate. */
static bool read_chain(struct http_connection *c)
{
	X509 *leaf = SSL_get1_peer_certificate(c->ssl);
	STACK_OF(X509) *above = leaf ? SSL_get_peer_cert_chain(c->ssl) : NULL;

	if (!leaf)
		return true;
	c->chain = above ? X509_chain_up_ref(above) : sk_X509_new_null();
	if (c->chain && sk_X509_unshift(c->chain, leaf) > 0)
		return true;
	X509_free(leaf);
	return false;
}

void http_connection_end(struct http_connection *c)
{
	http_tls_end(c);
	http_connection_free(c);
}

/* Writing begins with the next step; the request is done with. */
static void say(struct http_connection *c, const struct brski_http *response, int64_t ms)
{
	c->answered = true;
	c->sent = 0;
	brski_buf_free(&c->output);
	/* without memory for it there is none, and the connection is closed */
	if (!http_answer_write(c, response))
		brski_buf_free(&c->output);
	brski_http_free(&c->exchange.request);
	enter(c, HTTP_WRITING, ms);
}

/* Says no, and leaves. */
static void refuse(struct http_connection *c, unsigned status, const char *why)
{
	struct brski_http response = {0};
	struct brski_error err;

	c->close = true;
	brski_buf_free(&c->input);
	/* whoever has too much of something gives it back, and comes again (RFC 6585 4) */
	if ((status == 429 ? brski_http_reply_later(&response, status, LATER_S, why, &err)
			   : brski_http_reply_text(&response, status, why, &err)) != BRSKI_OK)
		response.status = status;
	say(c, &response, LEAVE_MS);
	brski_http_free(&response);
}

static void refuse_request(struct http_connection *c, unsigned status, const char *why)
{
	const struct brski_http *request = &c->reader.request;

	http_line(c->server, HTTP_LINE_REQUEST, "%s %.32s %.320s: %u, %s", c->peer,
		request->method ? request->method : "request", request->path ? request->path : "not read",
		status, why);
	refuse(c, status, why);
}

static enum step shaken(struct http_connection *c)
{
	if (!read_chain(c))
		return GONE;
	c->known = c->chain && !c->server->vouches;
	enter(c, HTTP_IDLE, c->server->idle_ms);
	if (!http_server_admits(c))
		refuse(c, 429, "there are too many connections with this certificate");
	return GO_ON;
}

static enum step leave(struct http_connection *c)
{
	enter(c, HTTP_LEAVING, LEAVE_MS);
	c->octets = LEAVE_OCTETS_MAX;
	http_tls_end(c);
	return shutdown(c->fd, SHUT_WR) == 0 ? GO_ON : GONE;
}

/* What OpenSSL says of it, or the limit that it met. The alert is on its way to the client. */
static enum step tls_failed(struct http_connection *c, const char *what)
{
	const char *limit = http_tls_limit(c);
	struct brski_error err;

	if (limit)
		(void)brski_fail(&err, BRSKI_TOO_LARGE, "%s: %s failed: %s", c->peer, what, limit);
	else
		(void)brski_fail_openssl(&err, BRSKI_MALFORMED, "%s: %s failed", c->peer, what);
	http_line(c->server, HTTP_LINE_TLS, "%s", err.why);
	return leave(c);
}

static enum step shake(struct http_connection *c)
{
	switch (c->ssl ? http_tls_shake(c) : HTTP_IO_DONE) {
	case HTTP_IO_DONE:
		return shaken(c);
	case HTTP_IO_WAIT:
		return WAIT;
	case HTTP_IO_ENDED:
		return GONE;
	default:
		return tls_failed(c, "the TLS handshake");
	}
}

/* RFC 9110 10.1.1, 15.2.1. */
static enum step say_continue(struct http_connection *c)
{
	brski_put_str(&c->output, "HTTP/1.1 100 Continue\r\n\r\n");
	c->answered = false;
	c->state = HTTP_WRITING;
	return c->output.failed ? GONE : GO_ON;
}

static enum step take(struct http_connection *c, struct brski_span *in)
{
	if (c->state == HTTP_IDLE && in->len > 0)
		enter(c, HTTP_READING, c->server->request_ms);
	switch (http_reader_take(&c->reader, in)) {
	case HTTP_READ_MORE:
		return GO_ON;
	case HTTP_READ_WAITED:
		return say_continue(c);
	case HTTP_READ_WHOLE:
		c->state = HTTP_WORKING;
		http_exchange_begin(c);
		return c->state == HTTP_WORKING ? WAIT : GO_ON;
	default:
		in->len = 0;
		refuse_request(c, c->reader.refusal, c->reader.why);
		return GO_ON;
	}
}

/* What is behind a request waits, and nothing more is read, until that is answered. */
static enum step take_waiting(struct http_connection *c)
{
	struct brski_span in = brski_buf_span(&c->input);
	enum step step = take(c, &in);

	brski_buf_drop(&c->input, c->input.len - in.len);
	if (c->input.len == 0)
		brski_buf_free(&c->input);
	return step;
}

static enum step take_octets(struct http_connection *c, const uint8_t *octets, size_t n)
{
	struct brski_span in = brski_span(octets, n);
	enum step step = take(c, &in);

	brski_put(&c->input, in);
	return c->input.failed ? GONE : step;
}

static enum step end_of_input(struct http_connection *c)
{
	if (c->state == HTTP_READING)
		http_line(c->server, HTTP_LINE_CUT, "%s: the connection ended within a request", c->peer);
	return GONE;
}

static enum step read_more(struct http_connection *c)
{
	uint8_t octets[READ_MAX];
	size_t n;

	if (c->input.len > 0)
		return take_waiting(c);
	switch (http_read_some(c, octets, sizeof(octets), &n)) {
	case HTTP_IO_DONE:
		return take_octets(c, octets, n);
	case HTTP_IO_WAIT:
		return WAIT;
	case HTTP_IO_ENDED:
		return end_of_input(c);
	default:
		return c->ssl ? tls_failed(c, "TLS") : end_of_input(c);
	}
}

static enum step written(struct http_connection *c)
{
	brski_buf_free(&c->output);
	c->sent = 0;
	if (!c->answered) {
		c->state = HTTP_READING;
		c->want = EV_READ;
		return GO_ON;
	}
	http_reader_reset(&c->reader);
	if (c->close)
		return leave(c);
	enter(c, HTTP_IDLE, c->server->idle_ms);
	return GO_ON;
}

static enum step write_more(struct http_connection *c)
{
	size_t n;

	if (c->output.len == 0)
		return GONE;
	switch (http_write_some(c, c->output.data + c->sent, c->output.len - c->sent, &n)) {
	case HTTP_IO_DONE:
		c->sent += n;
		return c->sent < c->output.len ? GO_ON : written(c);
	case HTTP_IO_WAIT:
		return WAIT;
	default:
		http_line(c->server, HTTP_LINE_CUT, "%s: the connection ended within an answer", c->peer);
		return GONE;
	}
}

static enum step throw_away(struct http_connection *c)
{
	uint8_t octets[READ_MAX];
	ssize_t n = recv(c->fd, octets, sizeof(octets), 0);

	if (n == 0 || (n > 0 && (size_t)n >= c->octets))
		return GONE;
	if (n > 0)
		c->octets -= (size_t)n;
	return n > 0 ? GO_ON : WAIT;
}

static enum step do_step(struct http_connection *c)
{
	switch (c->state) {
	case HTTP_SHAKING:
		return shake(c);
	case HTTP_IDLE:
	case HTTP_READING:
		return read_more(c);
	case HTTP_WORKING:
		return WAIT;
	case HTTP_WRITING:
		return write_more(c);
	default:
		return throw_away(c);
	}
}

void http_connection_run(struct http_connection *c)
{
	enum step step = GO_ON;

	if (c->running)
		return;
	c->running = true;
	if (c->state != HTTP_LEAVING)
		c->octets = TURN_OCTETS;
	for (int i = 0; i < TURN_STEPS && step == GO_ON; i++)
		step = do_step(c);
	c->running = false;
	if (step == GONE) {
		http_connection_free(c);
	} else if (c->state != HTTP_WORKING) {
		wait_for(c);
		/* octets that are here already wake nobody */
		if (step == GO_ON)
			event_active(&c->event, c->want, 0);
	}
}

void http_connection_answer(struct http_connection *c, const struct brski_http *response)
{
	say(c, response, c->server->request_ms);
	http_connection_run(c);
}

static void on_time(struct http_connection *c)
{
	static const char *const what[] = {[HTTP_SHAKING] = "a TLS handshake",
		[HTTP_READING] = "a request",
		[HTTP_WRITING] = "taking an answer"};

	if (c->state == HTTP_SHAKING || c->state == HTTP_READING || c->state == HTTP_WRITING)
		http_line(c->server, HTTP_LINE_TIME, "%s: %s took too long", c->peer, what[c->state]);
	if (c->state == HTTP_READING) {
		refuse(c, 408, too_late);
		http_connection_run(c);
	} else {
		http_connection_end(c);
	}
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
	struct http_connection *c = arg;

	(void)fd;
	/* a slow stream of octets is none the less late */
	if (what == EV_TIMEOUT || brski_now_ms() >= c->deadline)
		on_time(c);
	else
		http_connection_run(c);
}

static bool set_up(struct http_connection *c)
{
	struct http_server *server = c->server;
	int one = 1;

	/* an answer, and a handshake's flight, are written whole: nothing is won by waiting for more */
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c->reader.max_head = server->max_headers;
	c->reader.max_body = server->max_body;
	c->reader.queries = server->queries;
	c->exchange.connection = c;
	c->heard = brski_now_ms();
	c->silent = true;
	enter(c, HTTP_SHAKING, server->handshake_ms);
	if (!server->tls)
		c->state = HTTP_IDLE;
	return !server->tls || http_tls_begin(c);
}

struct http_connection *http_connection_new(struct http_server *server, evutil_socket_t fd, const char *peer)
{
	struct http_connection *c = calloc(1, sizeof(*c));

	if (!c) {
		close(fd);
		return NULL;
	}
	c->server = server;
	c->fd = fd;
	snprintf(c->peer, sizeof(c->peer), "%s", peer);
	event_assign(&c->event, server->base, fd, EV_READ, on_event, c);
	c->next = server->connections;
	c->link = &server->connections;
	if (c->next)
		c->next->link = &c->next;
	server->connections = c;
	server->n_connections++;
	if (set_up(c))
		return c;
	http_connection_free(c);
	return NULL;
}

void http_connection_free(struct http_connection *c)
{
	struct http_server *server = c->server;

	event_del(&c->event);
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	server->n_connections--;
	if (c->data && server->closed)
		server->closed(server->ctx, c->data);
	http_share_leave(&server->addresses, c->address);
	http_share_leave(&server->certificates, c->certificate);
	SSL_free(c->ssl);
	close(c->fd);
	sk_X509_pop_free(c->chain, X509_free);
	http_reader_reset(&c->reader);
	brski_http_free(&c->exchange.request);
	brski_buf_free(&c->input);
	brski_buf_free(&c->output);
	free(c);
	http_server_has_room(server);
}

int64_t http_connection_quiet(const struct http_connection *c, int64_t now)
{
	if (c->state == HTTP_READING || c->state == HTTP_WORKING || c->state == HTTP_WRITING)
		return -1;
	return now - c->heard;
}
