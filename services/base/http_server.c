/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/base/http_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <openssl/err.h>

#include "eap_brski/transport/http_reply.h"
#include "services/base/http_fields.h"
#include "services/base/http_listen.h"

#define ALL_METHODS \
	(EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE | \
		EVHTTP_REQ_OPTIONS | EVHTTP_REQ_PATCH)

struct http_exchange {
	struct http_connection *connection;
	struct evhttp_request *req; /* NULL: the client has gone */
	struct brski_http request;
};

/* It lives until the client has gone and its exchange was replied to. */
struct http_connection {
	struct http_connection *next;
	struct http_connection **link; /* what points at this one */
	struct http_server *server;
	struct evhttp_connection *evcon; /* NULL: the client has gone */
	struct http_exchange *exchange;  /* evhttp has one at a time; NULL: none */
	STACK_OF(X509) *chain;           /* NULL: none, or not asked for yet */
	void *data;                      /* the owner's */
	char peer[HTTP_ADDRESS_MAX];
};

struct http_server {
	struct event_base *base;
	struct evhttp *evhttp;
	struct evconnlistener *listener;
	SSL_CTX *tls;
	size_t max_body;
	const struct brski_env *env;
	http_handler *handler;
	void (*closed)(void *ctx, void *data);
	void *ctx;
	struct http_connection *connections;
};

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

static const char *method_name(const struct evhttp_request *req)
{
	switch (evhttp_request_get_command(req)) {
	case EVHTTP_REQ_GET:
		return "GET";
	case EVHTTP_REQ_POST:
		return "POST";
	case EVHTTP_REQ_HEAD:
		return "HEAD";
	case EVHTTP_REQ_PUT:
		return "PUT";
	case EVHTTP_REQ_DELETE:
		return "DELETE";
	case EVHTTP_REQ_OPTIONS:
		return "OPTIONS";
	default:
		return "PATCH";
	}
}

static void connection_free(struct http_connection *c)
{
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	if (c->data && c->server->closed)
		c->server->closed(c->server->ctx, c->data);
	sk_X509_pop_free(c->chain, X509_free);
	free(c);
}

static void exchange_free(struct http_exchange *ex)
{
	struct http_connection *c = ex->connection;

	c->exchange = NULL;
	if (!c->evcon)
		connection_free(c);
	brski_http_free(&ex->request);
	free(ex);
}

static void on_close(struct evhttp_connection *evcon, void *arg)
{
	struct http_connection *c = arg;

	(void)evcon;
	c->evcon = NULL;
	if (c->exchange)
		c->exchange->req = NULL; /* evhttp frees it with the connection */
	else
		connection_free(c);
}

static void read_peer(struct http_connection *c)
{
	char *address = NULL;
	ev_uint16_t port = 0;

	evhttp_connection_get_peer(c->evcon, &address, &port);
	snprintf(c->peer, sizeof(c->peer), "%s", address ? address : "?");
}

static struct http_connection *connection_new(struct http_server *server, struct evhttp_connection *evcon)
{
	struct http_connection *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->server = server;
	c->evcon = evcon;
	c->next = server->connections;
	c->link = &server->connections;
	if (c->next)
		c->next->link = &c->next;
	server->connections = c;
	read_peer(c);
	evhttp_connection_set_closecb(evcon, on_close, c);
	return c;
}

/* OpenSSL's chain of a client lacks the client's own certificate. */
static bool read_chain(struct http_connection *c)
{
	SSL *ssl = bufferevent_openssl_get_ssl(evhttp_connection_get_bufferevent(c->evcon));
	X509 *leaf = ssl ? SSL_get1_peer_certificate(ssl) : NULL;
	STACK_OF(X509) *above = leaf ? SSL_get_peer_cert_chain(ssl) : NULL;

	if (!leaf || c->chain) {
		X509_free(leaf);
		return true;
	}
	c->chain = above ? X509_chain_up_ref(above) : sk_X509_new_null();
	if (c->chain && sk_X509_unshift(c->chain, leaf) > 0)
		return true;
	X509_free(leaf);
	sk_X509_pop_free(c->chain, X509_free);
	c->chain = NULL;
	return false;
}

static enum brski_code read_fields(struct http_exchange *ex, struct brski_error *err)
{
	const struct evkeyval *field;
	enum brski_code code = BRSKI_OK;

	for (field = evhttp_request_get_input_headers(ex->req)->tqh_first; field && code == BRSKI_OK;
		field = field->next.tqe_next) {
		/* the type in place of read_request()'s; lists may be in several (RFC 9110 5.3) */
		if (strcasecmp(field->key, "content-type") == 0)
			code = brski_http_set(&ex->request, field->key, field->value, err);
		else if (http_field_is_read(field->key))
			code = brski_http_add(&ex->request, field->key, field->value, err);
	}
	return code;
}

static enum brski_code read_request(struct http_exchange *ex, struct brski_error *err)
{
	struct evbuffer *body = evhttp_request_get_input_buffer(ex->req);
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(ex->req);
	const char *path = uri ? evhttp_uri_get_path(uri) : NULL;
	size_t len = evbuffer_get_length(body);
	const uint8_t *octets = evbuffer_pullup(body, -1);
	enum brski_code code;

	if (len > ex->connection->server->max_body)
		return brski_fail(err, BRSKI_TOO_LARGE, "the body has %zu octets, more than %zu", len,
			ex->connection->server->max_body);
	if (uri && evhttp_uri_get_query(uri))
		return brski_fail(err, BRSKI_NOT_FOUND, "there is nothing here that takes a query");
	/* the type is set from the fields */
	code = brski_http_request(&ex->request, method_name(ex->req), path && path[0] != '\0' ? path : "/",
		"application/octet-stream", brski_span(octets, len), err);
	return code == BRSKI_OK ? read_fields(ex, err) : code;
}

static void refuse(struct http_exchange *ex, const struct brski_error *why)
{
	struct brski_http response = {0};
	struct brski_error err;

	if (brski_http_reply_text(&response, brski_code_http_status(why->code), why->why, &err) != BRSKI_OK)
		response.status = 500;
	http_exchange_reply(ex, &response, why->why);
}

static struct http_connection *connection_of(struct http_server *server, struct evhttp_connection *evcon)
{
	struct http_connection *c = server->connections;

	while (c && c->evcon != evcon)
		c = c->next;
	return c ? c : connection_new(server, evcon);
}

static void on_request(struct evhttp_request *req, void *arg)
{
	struct http_server *server = arg;
	struct http_connection *c = connection_of(server, evhttp_request_get_connection(req));
	struct http_exchange *ex = c ? calloc(1, sizeof(*ex)) : NULL;
	struct brski_error err = {0};

	if (!ex || !read_chain(c)) {
		free(ex);
		evhttp_send_error(req, HTTP_SERVUNAVAIL, NULL);
		return;
	}
	ex->connection = c;
	ex->req = req;
	c->exchange = ex;
	if (read_request(ex, &err) != BRSKI_OK)
		refuse(ex, &err);
	else
		server->handler(server->ctx, ex);
	/*
	 * libevent asks SSL_get_error() of this same thread: an old error in the queue would close
	 * a connection
	 */
	ERR_clear_error();
}

static void write_fields(struct evhttp_request *req, const struct brski_http *response)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(req);

	for (size_t i = 0; i < response->n_fields; i++) {
		if (strcmp(response->fields[i].name, "content-length") != 0)
			evhttp_add_header(headers, response->fields[i].name, response->fields[i].value);
	}
}

static void write_response(struct evhttp_request *req, const struct brski_http *response)
{
	struct evbuffer *body = evbuffer_new();
	int status = response->status >= 200 && response->status < 600 ? (int)response->status : 500;

	if (!body || evbuffer_add(body, response->body.data, response->body.len) != 0) {
		evhttp_send_error(req, HTTP_INTERNAL, NULL);
	} else {
		write_fields(req, response);
		evhttp_send_reply(req, status, NULL, body);
	}
	if (body)
		evbuffer_free(body);
}

void http_exchange_reply(struct http_exchange *ex, struct brski_http *response, const char *note)
{
	const char *method = ex->request.method ? ex->request.method : "request";
	const char *path = ex->request.path ? ex->request.path : "not read";
	struct evhttp_request *req;

	brski_log(ex->connection->server->env, response->status < 400 ? BRSKI_LOG_INFO : BRSKI_LOG_WARN,
		"%s %s %s: %u%s%s%s", ex->connection->peer, method, path, response->status,
		ex->req ? "" : " (the client has gone)", note ? ", " : "", note ? note : "");
	req = ex->req;
	exchange_free(ex);
	if (req)
		write_response(req, response);
	brski_http_free(response);
}

static struct bufferevent *new_tls_connection(struct event_base *base, void *arg)
{
	struct http_server *server = arg;
	SSL *ssl = SSL_new(server->tls);
	struct bufferevent *bev = NULL;

	if (ssl)
		bev = bufferevent_openssl_socket_new(
			base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (!bev) {
		/* evhttp would go on without TLS: rather none */
		brski_log(server->env, BRSKI_LOG_ERROR, "out of memory for a TLS connection");
		abort();
	}
	bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	return bev;
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	evconnlistener_enable(arg);
}

/*
 * No descriptor left: http_limit_connections() was reached. The kernel queues connections
 * meanwhile. arg is evhttp's.
 */
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
	struct timeval pause = {.tv_usec = 100000};

	(void)arg;
	if (event_base_once(evconnlistener_get_base(listener), -1, EV_TIMEOUT, on_resume, listener, &pause) ==
		0)
		evconnlistener_disable(listener);
}

static void set_limits(struct http_server *server, const struct http_server_config *config)
{
	/* evhttp's own limit is a wider one: what is over it evhttp refuses without a word in the log */
	evhttp_set_max_body_size(server->evhttp, (ev_ssize_t)config->max_body * 4);
	evhttp_set_max_headers_size(server->evhttp, (ev_ssize_t)config->max_headers);
	evhttp_set_timeout(server->evhttp, config->timeout);
	evhttp_set_allowed_methods(server->evhttp, ALL_METHODS);
	evhttp_set_default_content_type(server->evhttp, NULL);
	if (server->tls)
		evhttp_set_bevcb(server->evhttp, new_tls_connection, server);
	evhttp_set_gencb(server->evhttp, on_request, server);
}

static enum brski_code start(
	struct http_server *server, const struct http_server_config *config, struct brski_error *err)
{
	char bound[HTTP_ADDRESS_MAX];
	int fd = -1;
	enum brski_code code = config->tls ? http_tls_new(config->tls, &server->tls, err) : BRSKI_OK;

	if (code == BRSKI_OK)
		code = http_listen(config->listen, &fd, bound, err);
	if (code != BRSKI_OK)
		return code;
	server->listener = evconnlistener_new(
		server->base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, -1, fd);
	server->evhttp = evhttp_new(server->base);
	if (!server->listener || !server->evhttp)
		return brski_fail(err, BRSKI_NO_MEMORY, "out of memory for the HTTP server");
	set_limits(server, config);
	if (!evhttp_bind_listener(server->evhttp, server->listener))
		return brski_fail(err, BRSKI_INTERNAL, "cannot start the HTTP server");
	evconnlistener_set_error_cb(server->listener, on_accept_error);
	brski_log(server->env, BRSKI_LOG_INFO, "listening on %s://%s", server->tls ? "https" : "http", bound);
	return http_limit_connections(config->max_connections, err);
}

enum brski_code http_server_new(struct event_base *base, const struct http_server_config *config,
	http_handler *handler, void *ctx, struct http_server **out, struct brski_error *err)
{
	struct http_server *server = calloc(1, sizeof(*server));
	enum brski_code code;

	*out = NULL;
	if (!server)
		return brski_fail(err, BRSKI_NO_MEMORY, "out of memory");
	server->base = base;
	server->env = config->env;
	server->max_body = config->max_body;
	server->handler = handler;
	server->closed = config->closed;
	server->ctx = ctx;
	code = start(server, config, err);
	if (code == BRSKI_OK)
		*out = server;
	else
		http_server_free(server);
	return code;
}

void http_server_free(struct http_server *server)
{
	if (!server)
		return;
	if (server->evhttp)
		evhttp_free(server->evhttp); /* and the listener, once bound */
	else if (server->listener)
		evconnlistener_free(server->listener);
	while (server->connections && server->connections->exchange)
		exchange_free(server->connections->exchange);
	SSL_CTX_free(server->tls);
	free(server);
}
