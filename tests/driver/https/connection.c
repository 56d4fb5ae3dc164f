/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/driver/https/connection.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#define HEAD_MAX 16384
#define BODY_MAX ((size_t)1 << 20)

struct connection {
	const struct connection_target *target;
	SSL_CTX *ctx;
	SSL *ssl;
	int fd;
	struct brski_buf in; /* received, not yet taken */
	bool closes;
	size_t octets_up, octets_down;
};

/* ---- Making one ---- */

bool connection_target_parse(const char *text, struct connection_target *target)
{
	const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
	const char *colon = strrchr(text, ':');
	struct addrinfo *found = NULL;
	char host[64];
	size_t len = colon ? (size_t)(colon - text) : 0;
	bool bracket = len > 2 && text[0] == '[' && text[len - 1] == ']';

	if (len == 0 || len >= sizeof(host))
		return false;
	snprintf(host, sizeof(host), "%.*s", (int)(bracket ? len - 2 : len), bracket ? text + 1 : text);
	if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
		return false;
	memcpy(&target->address, found->ai_addr, found->ai_addrlen);
	target->address_len = found->ai_addrlen;
	target->authority = text;
	freeaddrinfo(found);
	return true;
}

static enum brski_code gone(struct brski_error *err, const char *what)
{
	int cause = errno;

	if (ERR_peek_error() != 0)
		return brski_fail_openssl(err, BRSKI_UNAVAILABLE, "%s", what);
	return brski_fail(err, BRSKI_UNAVAILABLE, "%s: %s", what,
		cause == EAGAIN ? "the registrar is silent"
		: cause == 0    ? "the registrar closed the connection"
				: strerror(cause));
}

static bool take_source(const struct connection *c)
{
	struct sockaddr_in own = {.sin_family = AF_INET};

	if (!c->target->source)
		return true;
	return inet_pton(AF_INET, c->target->source, &own.sin_addr) == 1 &&
	       bind(c->fd, (const struct sockaddr *)&own, sizeof(own)) == 0;
}

static enum brski_code reach(struct connection *c, struct brski_error *err)
{
	const struct timeval patience = {c->target->timeout_ms / 1000, c->target->timeout_ms % 1000 * 1000};

	c->fd = socket(c->target->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0 ||
		setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) != 0 ||
		!take_source(c))
		return brski_fail(err, BRSKI_INTERNAL, "no socket: %s", strerror(errno));
	ERR_clear_error();
	if (connect(c->fd, (const struct sockaddr *)&c->target->address, c->target->address_len) != 0)
		return gone(err, "no connection");
	return BRSKI_OK;
}

static bool show(SSL_CTX *ctx, const struct brski_credential *credential)
{
	if (!credential->cert)
		return true;
	return SSL_CTX_use_certificate(ctx, credential->cert) == 1 &&
	       SSL_CTX_use_PrivateKey(ctx, credential->key) == 1 &&
	       SSL_CTX_set1_chain(ctx, credential->chain) == 1;
}

static enum brski_code shake_hands(
	struct connection *c, const struct brski_credential *credential, struct brski_error *err)
{
	c->ctx = SSL_CTX_new(TLS_client_method());
	if (!c->ctx)
		return brski_fail_openssl(err, BRSKI_NO_MEMORY, "no TLS");
	SSL_CTX_set_verify(c->ctx, SSL_VERIFY_NONE, NULL); /* provisional: the pledge judges the chain */
	SSL_CTX_set_session_cache_mode(c->ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(c->ctx, SSL_MODE_AUTO_RETRY);
	if (!show(c->ctx, credential) ||
		(c->target->tls12 && SSL_CTX_set_max_proto_version(c->ctx, TLS1_2_VERSION) != 1))
		return brski_fail_openssl(err, BRSKI_INTERNAL, "no TLS with this certificate");
	c->ssl = SSL_new(c->ctx);
	if (!c->ssl || SSL_set_fd(c->ssl, c->fd) != 1)
		return brski_fail_openssl(err, BRSKI_NO_MEMORY, "no TLS");
	errno = 0;
	if (SSL_connect(c->ssl) != 1)
		return gone(err, "TLS handshake");
	return BRSKI_OK;
}

enum brski_code connection_open(const struct connection_target *target,
	const struct brski_credential *credential, struct connection **out, struct brski_error *err)
{
	struct connection *c = calloc(1, sizeof(*c));
	enum brski_code code;

	*out = NULL;
	if (!c)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	c->target = target;
	c->fd = -1;
	code = reach(c, err);
	if (code == BRSKI_OK)
		code = shake_hands(c, credential, err);
	if (code != BRSKI_OK)
		connection_close(c, true);
	else
		*out = c;
	return code;
}

void connection_close(struct connection *c, bool abrupt)
{
	const struct linger at_once = {.l_onoff = 1};

	if (!c)
		return;
	if (c->fd >= 0 && abrupt)
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	else if (c->ssl)
		SSL_shutdown(c->ssl);
	SSL_free(c->ssl);
	SSL_CTX_free(c->ctx);
	if (c->fd >= 0)
		close(c->fd);
	brski_buf_free(&c->in);
	ERR_clear_error();
	free(c);
}

const STACK_OF(X509) *connection_chain(const struct connection *c)
{
	return SSL_get_peer_cert_chain(c->ssl);
}

bool connection_closes(const struct connection *c)
{
	return c->closes;
}

size_t connection_octets_up(const struct connection *c)
{
	return c->octets_up;
}

size_t connection_octets_down(const struct connection *c)
{
	return c->octets_down;
}

/* ---- Requests ---- */

void connection_write_request(
	const struct connection *c, const struct brski_http *request, struct brski_buf *out)
{
	brski_printf(
		out, "%s %s HTTP/1.1\r\nHost: %s\r\n", request->method, request->path, c->target->authority);
	for (size_t i = 0; i < request->n_fields; i++)
		brski_printf(out, "%s: %s\r\n", request->fields[i].name, request->fields[i].value);
	if (request->body.len > 0 || strcmp(request->method, "POST") == 0)
		brski_printf(out, "Content-Length: %zu\r\n", request->body.len);
	brski_put_str(out, "\r\n");
	brski_put(out, brski_buf_span(&request->body));
}

enum brski_code connection_send(struct connection *c, struct brski_span octets, struct brski_error *err)
{
	size_t done = 0, n = 0;

	errno = 0;
	while (done < octets.len) {
		if (SSL_write_ex(c->ssl, octets.data + done, octets.len - done, &n) != 1)
			return gone(err, "sending");
		done += n;
	}
	c->octets_up += octets.len;
	return BRSKI_OK;
}

/* ---- Responses ---- */

static enum brski_code more(struct connection *c, struct brski_error *err)
{
	uint8_t octets[8192];
	size_t n = 0;

	errno = 0;
	if (SSL_read_ex(c->ssl, octets, sizeof(octets), &n) != 1)
		return gone(err, "no answer");
	c->octets_down += n;
	brski_put(&c->in, brski_span(octets, n));
	return brski_buf_status(&c->in, err);
}

static enum brski_code take_field(
	struct connection *c, char *line, struct brski_http *response, struct brski_error *err)
{
	char *colon = strchr(line, ':'), *value;

	if (!colon)
		return brski_fail(err, BRSKI_MALFORMED, "no HTTP field: %s", line);
	*colon = '\0';
	for (char *p = line; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	for (value = colon + 1; *value == ' '; value++)
		;
	if (strcmp(line, "connection") == 0 && strcasecmp(value, "close") == 0)
		c->closes = true;
	return brski_http_set(response, line, value, err);
}

/* `head` is NUL-terminated, and ends with the last field's CRLF. */
static enum brski_code read_head(
	struct connection *c, char *head, struct brski_http *response, struct brski_error *err)
{
	enum brski_code code = BRSKI_OK;
	char *save = NULL, *line = strtok_r(head, "\r\n", &save);

	if (!line || sscanf(line, "HTTP/1.1 %3u", &response->status) != 1)
		return brski_fail(err, BRSKI_MALFORMED, "no HTTP response: %s", line ? line : "");
	while (code == BRSKI_OK && (line = strtok_r(NULL, "\r\n", &save)) != NULL)
		code = take_field(c, line, response, err);
	return code;
}

static enum brski_code receive_head(
	struct connection *c, struct brski_http *response, struct brski_error *err)
{
	enum brski_code code = BRSKI_OK;
	const uint8_t *end = NULL;
	char head[HEAD_MAX];
	size_t len;

	for (;;) {
		end = c->in.len > 0 ? memmem(c->in.data, c->in.len, "\r\n\r\n", 4) : NULL;
		if (end || c->in.len >= HEAD_MAX)
			break;
		code = more(c, err);
		if (code != BRSKI_OK)
			return code;
	}
	len = end ? (size_t)(end - c->in.data) + 2 : HEAD_MAX;
	if (len >= HEAD_MAX)
		return brski_fail(err, BRSKI_TOO_LARGE, "a head of more than %d octets", HEAD_MAX);
	memcpy(head, c->in.data, len);
	head[len] = '\0';
	brski_buf_drop(&c->in, len + 2);
	return read_head(c, head, response, err);
}

static enum brski_code receive_body(
	struct connection *c, struct brski_http *response, struct brski_error *err)
{
	const char *text = brski_http_get(response, "content-length");
	size_t len = text ? strtoul(text, NULL, 10) : 0;
	enum brski_code code = BRSKI_OK;

	if (brski_http_get(response, "transfer-encoding"))
		return brski_fail(err, BRSKI_UNSUPPORTED, "a transfer coding");
	if (len > BODY_MAX)
		return brski_fail(err, BRSKI_TOO_LARGE, "a body of %zu octets", len);
	while (code == BRSKI_OK && c->in.len < len)
		code = more(c, err);
	if (code != BRSKI_OK)
		return code;
	code = brski_buf_set(&response->body, brski_span(c->in.data, len));
	brski_buf_drop(&c->in, len);
	return code;
}

enum brski_code connection_receive(struct connection *c, struct brski_http *response, struct brski_error *err)
{
	enum brski_code code;

	brski_http_free(response);
	code = receive_head(c, response, err);
	if (code == BRSKI_OK)
		code = receive_body(c, response, err);
	if (code != BRSKI_OK)
		brski_http_free(response);
	return code;
}
