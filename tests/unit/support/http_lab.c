/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/support/http_lab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>

#include "tests/unit/support/files.h"

#define TURNS 10000 /* of a millisecond at most */

static void on_request(void *ctx, struct http_exchange *ex)
{
	struct http_lab *lab = ctx;
	const STACK_OF(X509) *chain = http_exchange_chain(ex);

	lab->requests++;
	lab->certificates = chain ? (unsigned)sk_X509_num(chain) : 0;
	ck_assert_int_eq(brski_http_copy(&lab->seen, http_exchange_request(ex), NULL), BRSKI_OK);
	snprintf(lab->peer, sizeof(lab->peer), "%s", http_exchange_peer(ex));
	*http_exchange_data(ex) = lab;
	if (lab->vouch)
		http_exchange_vouch(ex);
	ck_assert_uint_lt(lab->n_held, HTTP_LAB_HELD_MAX);
	lab->held[lab->n_held++] = ex;
	if (!lab->hold)
		http_lab_reply(lab, lab->answer);
}

static void on_closed(void *ctx, void *data)
{
	ck_assert_ptr_eq(ctx, data);
	((struct http_lab *)ctx)->closed++;
}

static struct http_lab *logging;

/* The port is told in the log alone. */
static void on_log(void *ctx, enum brski_level level, const char *line)
{
	const char *at = strrchr(line, ':');
	size_t len = strlen(logging->log);

	(void)ctx;
	(void)level;
	if (strstr(line, "listening on") && at)
		logging->port = atoi(at + 1);
	snprintf(logging->log + len, sizeof(logging->log) - len, "%s\n", line);
}

static const struct brski_env env = {.log = on_log};

void http_lab_init(struct http_lab *lab, bool tls)
{
	*lab = (struct http_lab){.answer = "ok",
		.config = {.listen = "127.0.0.1:0",
			.env = &env,
			.max_body = 1000,
			.max_headers = 16384,
			.timeout = 60,
			.max_connections = 100,
			.closed = on_closed}};
	if (tls)
		lab->tls = pki_leaf("CN=localhost", "P-256", NULL);
	if (tls)
		lab->config.tls = &lab->tls;
}

void http_lab_start(struct http_lab *lab)
{
	struct brski_error err;

	logging = lab;
	lab->base = event_base_new();
	ck_assert_ptr_nonnull(lab->base);
	EXPECT(BRSKI_OK, http_server_new(lab->base, &lab->config, on_request, lab, &lab->server, &err));
	ck_assert_int_ne(lab->port, 0);
}

void http_lab_stop(struct http_lab *lab)
{
	http_server_free(lab->server);
	event_base_free(lab->base);
	brski_http_free(&lab->seen);
	if (lab->config.tls)
		pki_free(&lab->tls);
}

void http_lab_turn(struct http_lab *lab)
{
	struct timeval soon = {.tv_usec = 1000};

	event_base_loopexit(lab->base, &soon);
	event_base_loop(lab->base, EVLOOP_ONCE);
}

void http_lab_reply(struct http_lab *lab, const char *text)
{
	struct brski_http response = {0};
	struct http_exchange *ex = lab->held[0];
	const char *note = NULL;

	ck_assert_uint_gt(lab->n_held, 0);
	memmove(lab->held, lab->held + 1, --lab->n_held * sizeof(lab->held[0]));
	ck_assert_int_eq(
		brski_http_response(&response, 200, "text/plain", brski_span_str(text), NULL), BRSKI_OK);
	if (lab->respond)
		note = lab->respond(&response);
	http_exchange_reply(ex, &response, note);
}

void http_lab_await_requests(struct http_lab *lab, unsigned requests)
{
	for (int i = 0; i < TURNS && lab->requests < requests; i++)
		http_lab_turn(lab);
	ck_assert_uint_eq(lab->requests, requests);
}

void http_lab_await_closed(struct http_lab *lab, unsigned closed)
{
	for (int i = 0; i < TURNS && lab->closed < closed; i++)
		http_lab_turn(lab);
	ck_assert_uint_eq(lab->closed, closed);
}

unsigned http_lab_logged(const struct http_lab *lab, const char *words)
{
	unsigned n = 0;

	for (const char *at = strstr(lab->log, words); at; at = strstr(at + 1, words))
		n++;
	return n;
}

void http_peer_connect(struct http_peer *peer, struct http_lab *lab, const char *from)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)lab->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in at = {.sin_family = AF_INET};

	*peer = (struct http_peer){.lab = lab, .fd = socket(AF_INET, SOCK_STREAM, 0)};
	ck_assert_int_ge(peer->fd, 0);
	ck_assert_int_eq(inet_pton(AF_INET, from ? from : "127.0.0.1", &at.sin_addr), 1);
	ck_assert_int_eq(bind(peer->fd, (struct sockaddr *)&at, sizeof(at)), 0);
	ck_assert_int_eq(connect(peer->fd, (struct sockaddr *)&to, sizeof(to)), 0);
	ck_assert_int_eq(fcntl(peer->fd, F_SETFL, O_NONBLOCK), 0);
}

static bool must_wait(const struct http_peer *peer, int result)
{
	int error = SSL_get_error(peer->ssl, result);

	return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

bool http_peer_shake(struct http_peer *peer, const struct brski_credential *client, int version)
{
	int result = -1;

	peer->ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_security_level(peer->ctx, 0);
	if (peer->ciphers)
		ck_assert_int_eq(SSL_CTX_set_cipher_list(peer->ctx, peer->ciphers), 1);
	if (version)
		ck_assert_int_eq(SSL_CTX_set_max_proto_version(peer->ctx, version), 1);
	if (client)
		ck_assert_int_eq(
			SSL_CTX_use_cert_and_key(peer->ctx, client->cert, client->key, client->chain, 1), 1);
	peer->ssl = SSL_new(peer->ctx);
	ck_assert_int_eq(SSL_set_fd(peer->ssl, peer->fd), 1);
	for (int i = 0; i < TURNS && result != 1; i++) {
		ERR_clear_error();
		result = SSL_connect(peer->ssl);
		if (result != 1 && !must_wait(peer, result))
			break;
		http_lab_turn(peer->lab);
	}
	return result == 1;
}

/* Octets that went; 0: none for now. A server that has closed takes them all. */
static size_t send_some(struct http_peer *peer, const uint8_t *octets, size_t len)
{
	size_t n = 0;
	ssize_t sent;

	if (!peer->ssl) {
		sent = send(peer->fd, octets, len, MSG_NOSIGNAL);
		return sent >= 0 ? (size_t)sent : errno == EAGAIN ? 0 : len;
	}
	ERR_clear_error();
	if (SSL_write_ex(peer->ssl, octets, len, &n) == 1)
		return n;
	return must_wait(peer, 0) ? 0 : len;
}

void http_peer_send(struct http_peer *peer, const void *octets, size_t len)
{
	size_t done = 0;

	for (int i = 0; i < TURNS && done < len; i++) {
		done += send_some(peer, (const uint8_t *)octets + done, len - done);
		http_lab_turn(peer->lab);
		http_peer_hear(peer);
	}
	ck_assert_uint_eq(done, len);
}

void http_peer_say(struct http_peer *peer, const char *text)
{
	http_peer_send(peer, text, strlen(text));
}

void http_peer_hear(struct http_peer *peer)
{
	size_t room = sizeof(peer->heard) - 1 - peer->n_heard;
	size_t n = 0;
	ssize_t got = 1;

	while (got > 0 && room > 0 && !peer->gone) {
		if (peer->ssl) {
			ERR_clear_error();
			got = SSL_read_ex(peer->ssl, peer->heard + peer->n_heard, room, &n) == 1 ? (ssize_t)n
												 : 0;
			peer->gone = got == 0 && !must_wait(peer, 0);
			peer->said_so = SSL_get_shutdown(peer->ssl) & SSL_RECEIVED_SHUTDOWN;
		} else {
			got = recv(peer->fd, peer->heard + peer->n_heard, room, 0);
			peer->gone = got == 0 || (got < 0 && errno != EAGAIN);
		}
		peer->n_heard += got > 0 ? (size_t)got : 0;
		room -= got > 0 ? (size_t)got : 0;
	}
	peer->heard[peer->n_heard] = '\0';
}

void http_peer_await(struct http_peer *peer, const char *words)
{
	for (int i = 0; i < TURNS && !strstr(peer->heard, words) && !peer->gone; i++) {
		http_lab_turn(peer->lab);
		http_peer_hear(peer);
	}
	ck_assert_msg(strstr(peer->heard, words), "\"%s\" lacks \"%s\"", peer->heard, words);
}

void http_peer_await_gone(struct http_peer *peer)
{
	for (int i = 0; i < TURNS && !peer->gone; i++) {
		http_lab_turn(peer->lab);
		http_peer_hear(peer);
	}
	ck_assert(peer->gone);
}

void http_peer_expect_there(struct http_peer *peer)
{
	for (int i = 0; i < 10; i++) {
		http_lab_turn(peer->lab);
		http_peer_hear(peer);
	}
	ck_assert(!peer->gone);
}

unsigned http_peer_ask(struct http_peer *peer, const char *text)
{
	peer->n_heard = 0;
	peer->heard[0] = '\0';
	http_peer_say(peer, text);
	http_peer_await(peer, "\r\n\r\n");
	ck_assert_int_eq(strncmp(peer->heard, "HTTP/1.1 ", 9), 0);
	return (unsigned)atoi(peer->heard + 9);
}

void http_peer_close(struct http_peer *peer)
{
	SSL_free(peer->ssl);
	SSL_CTX_free(peer->ctx);
	if (peer->fd >= 0)
		close(peer->fd);
	*peer = (struct http_peer){.fd = -1};
}
