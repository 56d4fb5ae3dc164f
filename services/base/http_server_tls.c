/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <sys/socket.h>

#include <openssl/bio.h>
#include <openssl/err.h>

#include "services/base/clock.h"
#include "services/base/http_server_internal.h"

/*
 * OpenSSL takes some messages one after the other for as long as there are any, and answers them:
 * refused renegotiation is such. So the octets that it gets in one go are counted, and what it got
 * in the handshake, and messages of the handshake's kind after that.
 */
#define HANDSHAKE_OCTETS_MAX (96 * 1024) /* a chain of 32 KiB is in it: http_tls_new() */
#define MESSAGES_MAX 16 /* KeyUpdate (RFC 8446 4.6.3), ClientHello (RFC 5246 7.4.1.2), alerts */

const char *http_tls_limit(const struct http_connection *c)
{
	if (c->messages > MESSAGES_MAX)
		return "too many key updates, refused renegotiations, or alerts";
	return c->handshake > HANDSHAKE_OCTETS_MAX ? "too many octets" : NULL;
}

static bool is_later(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

static void hear(struct http_connection *c)
{
	c->heard = brski_now_ms();
	c->silent = false;
}

static int transport_read(BIO *bio, char *to, size_t size, size_t *n)
{
	struct http_connection *c = BIO_get_data(bio);
	ssize_t got;

	*n = 0;
	BIO_clear_retry_flags(bio);
	if (http_tls_limit(c))
		return 0;
	if (c->octets == 0) {
		BIO_set_retry_read(bio);
		return 0;
	}
	got = recv(c->fd, to, size < c->octets ? size : c->octets, 0);
	if (got < 0 && is_later(errno))
		BIO_set_retry_read(bio);
	if (got <= 0) {
		c->ended = !BIO_should_retry(bio);
		return 0;
	}
	*n = (size_t)got;
	c->octets -= *n;
	if (c->state == HTTP_SHAKING)
		c->handshake += *n;
	hear(c);
	return 1;
}

static int transport_write(BIO *bio, const char *from, size_t size, size_t *n)
{
	struct http_connection *c = BIO_get_data(bio);
	ssize_t sent = send(c->fd, from, size, MSG_NOSIGNAL);

	*n = sent > 0 ? (size_t)sent : 0;
	BIO_clear_retry_flags(bio);
	if (sent < 0 && is_later(errno))
		BIO_set_retry_write(bio);
	return sent > 0;
}

static long transport_control(BIO *bio, int command, long number, void *pointer)
{
	const struct http_connection *c = BIO_get_data(bio);

	(void)number;
	(void)pointer;
	if (command == BIO_CTRL_EOF)
		return c->ended;
	return command == BIO_CTRL_FLUSH;
}

BIO_METHOD *http_transport_new(void)
{
	BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "HTTP connection");

	if (method && BIO_meth_set_read_ex(method, transport_read) == 1 &&
		BIO_meth_set_write_ex(method, transport_write) == 1 &&
		BIO_meth_set_ctrl(method, transport_control) == 1)
		return method;
	BIO_meth_free(method);
	return NULL;
}

/* Called with each message that came (write_p 0) or went. */
static void on_message(
	int write_p, int version, int content_type, const void *message, size_t len, SSL *ssl, void *arg)
{
	struct http_connection *c = arg;

	(void)version;
	(void)message;
	(void)len;
	(void)ssl;
	if (c->state == HTTP_SHAKING)
		return;
	if (content_type == SSL3_RT_ALERT || (content_type == SSL3_RT_HANDSHAKE && !write_p))
		c->messages++;
}

bool http_tls_begin(struct http_connection *c)
{
	BIO *transport = BIO_new(c->server->transport);

	c->ssl = SSL_new(c->server->tls);
	if (!c->ssl || !transport) {
		BIO_free(transport);
		ERR_clear_error();
		return false;
	}
	BIO_set_data(transport, c);
	BIO_set_init(transport, 1);
	SSL_set_bio(c->ssl, transport, transport);
	SSL_set_msg_callback(c->ssl, on_message);
	SSL_set_msg_callback_arg(c->ssl, c);
	SSL_set_accept_state(c->ssl);
	return true;
}

static enum http_io outcome(struct http_connection *c, int result)
{
	switch (SSL_get_error(c->ssl, result)) {
	case SSL_ERROR_NONE:
		return HTTP_IO_DONE;
	case SSL_ERROR_WANT_READ:
		c->want = EV_READ;
		return HTTP_IO_WAIT;
	case SSL_ERROR_WANT_WRITE:
		c->want = EV_WRITE;
		return HTTP_IO_WAIT;
	case SSL_ERROR_ZERO_RETURN:
		return HTTP_IO_ENDED;
	default:
		return c->ended ? HTTP_IO_ENDED : HTTP_IO_FAILED;
	}
}

enum http_io http_tls_shake(struct http_connection *c)
{
	ERR_clear_error(); /* SSL_get_error() looks at what this thread's queue has */
	return outcome(c, SSL_accept(c->ssl));
}

static enum http_io plain_outcome(struct http_connection *c, ssize_t result, short want, size_t *n)
{
	*n = result > 0 ? (size_t)result : 0;
	if (result > 0)
		return HTTP_IO_DONE;
	if (result == 0)
		return HTTP_IO_ENDED;
	c->want = want;
	return is_later(errno) ? HTTP_IO_WAIT : HTTP_IO_FAILED;
}

enum http_io http_read_some(struct http_connection *c, uint8_t *to, size_t size, size_t *n)
{
	enum http_io result;

	*n = 0;
	if (!c->ssl) {
		result = plain_outcome(c, recv(c->fd, to, size, 0), EV_READ, n);
		if (result == HTTP_IO_DONE)
			hear(c);
		return result;
	}
	ERR_clear_error();
	return outcome(c, SSL_read_ex(c->ssl, to, size, n));
}

enum http_io http_write_some(struct http_connection *c, const uint8_t *from, size_t size, size_t *n)
{
	*n = 0;
	if (!c->ssl)
		return plain_outcome(c, send(c->fd, from, size, MSG_NOSIGNAL), EV_WRITE, n);
	ERR_clear_error();
	return outcome(c, SSL_write_ex(c->ssl, from, size, n));
}

void http_tls_end(struct http_connection *c)
{
	ERR_clear_error();
	if (c->ssl && SSL_is_init_finished(c->ssl))
		(void)SSL_shutdown(c->ssl); /* close_notify; whether it got away or not */
	ERR_clear_error();
}
