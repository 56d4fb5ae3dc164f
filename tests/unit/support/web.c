/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/support/web.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define MUST(x) \
	do { \
		if (!(x)) { \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x); \
			abort(); \
		} \
	} while (0)

struct connection {
	struct web *web;
	int fd;
	SSL *ssl;
	unsigned number;
	char in[65536];
	size_t n;
};

/* ---- Octets ---- */

static bool fill(struct connection *c)
{
	ssize_t n;

	if (c->n >= sizeof(c->in) - 1)
		return false;
	if (c->ssl)
		n = SSL_read(c->ssl, c->in + c->n, (int)(sizeof(c->in) - 1 - c->n));
	else
		n = read(c->fd, c->in + c->n, sizeof(c->in) - 1 - c->n);
	if (n <= 0)
		return false;
	c->n += (size_t)n;
	c->in[c->n] = '\0';
	return true;
}

static bool drain(struct connection *c, struct brski_span out)
{
	while (out.len) {
		ssize_t n =
			c->ssl ? SSL_write(c->ssl, out.data, (int)out.len) : write(c->fd, out.data, out.len);

		if (n <= 0)
			return false;
		out.data += n;
		out.len -= (size_t)n;
	}
	return true;
}

/* ---- Requests ---- */

static void parse_fields(char *line, struct brski_http *http)
{
	char *save, *colon, *value;

	for (line = strtok_r(line, "\r\n", &save); line; line = strtok_r(NULL, "\r\n", &save)) {
		colon = strchr(line, ':');
		if (!colon)
			continue;
		*colon = '\0';
		value = colon + 1 + strspn(colon + 1, " ");
		for (char *p = line; *p; p++)
			*p = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
		if (brski_http_set(http, line, value, NULL) != BRSKI_OK)
			continue;
	}
}

static void parse_head(struct web_request *request, struct brski_span body)
{
	char copy[sizeof(request->head)], method[32], path[1024];
	char *end;

	memcpy(copy, request->head, sizeof(copy));
	MUST(sscanf(copy, "%31s %1023s", method, path) == 2);
	if (path[0] != '/') /* to a proxy: see head */
		strcpy(path, "/");
	MUST(brski_http_request(&request->http, method, path, NULL, brski_span(NULL, 0), NULL) == BRSKI_OK);
	end = strstr(copy, "\r\n");
	if (end)
		parse_fields(end + 2, &request->http);
	MUST(brski_buf_set(&request->http.body, body) == BRSKI_OK);
}

static size_t body_length(const char *head)
{
	const char *field = strcasestr(head, "\r\ncontent-length:");

	return field ? strtoul(field + 17, NULL, 10) : 0;
}

static void name_client(const struct connection *c, struct web_request *request)
{
	X509 *cert = c->ssl ? SSL_get0_peer_certificate(c->ssl) : NULL;

	if (cert)
		brski_name_text(X509_get_subject_name(cert), request->client, sizeof(request->client));
}

/* False when the connection is over. */
static bool read_request(struct connection *c, struct web_request *request)
{
	char *end;
	size_t head, body;

	while (!(end = c->n ? strstr(c->in, "\r\n\r\n") : NULL))
		if (!fill(c))
			return false;
	head = (size_t)(end - c->in) + 4;
	MUST(head < sizeof(request->head));
	memcpy(request->head, c->in, head);
	request->head[head] = '\0';
	body = body_length(request->head);
	while (c->n < head + body)
		if (!fill(c))
			return false;
	parse_head(request, brski_span(c->in + head, body));
	memmove(c->in, c->in + head + body, c->n - head - body + 1);
	c->n -= head + body;
	request->connection = c->number;
	name_client(c, request);
	return true;
}

static bool serve_one(struct connection *c)
{
	struct web_request *request = calloc(1, sizeof(*request));
	struct brski_buf raw = {0};
	bool going;

	MUST(request);
	going = read_request(c, request);
	if (going) {
		if (c->web->arrived)
			c->web->arrived(c->web, request);
		pthread_mutex_lock(&c->web->turn);
		c->web->n_requests++;
		c->web->handler(c->web->ctx, request, &raw);
		pthread_mutex_unlock(&c->web->turn);
		usleep(c->web->delay_ms * 1000);
		if (c->web->leaving)
			c->web->leaving(c->web, request);
		going = raw.len && drain(c, brski_buf_span(&raw));
	}
	brski_http_free(&request->http);
	brski_buf_free(&raw);
	free(request);
	return going;
}

static void *serve(void *arg)
{
	struct connection *c = arg;

	if (c->web->ssl) {
		c->ssl = SSL_new(c->web->ssl);
		MUST(c->ssl && SSL_set_fd(c->ssl, c->fd) == 1);
	}
	if (!c->ssl || SSL_accept(c->ssl) == 1)
		while (serve_one(c))
			;
	SSL_free(c->ssl);
	shutdown(c->fd, SHUT_RDWR); /* closed by web_stop, so that its number is not used again before */
	free(c);
	return NULL;
}

/* ---- Connections ---- */

static void *accept_all(void *arg)
{
	struct web *web = arg;
	struct connection *c;
	int fd;

	while ((fd = accept(web->listener, NULL, NULL)) >= 0) {
		c = calloc(1, sizeof(*c));
		pthread_mutex_lock(&web->lock);
		MUST(c && web->n_connections < WEB_CONNECTIONS_MAX);
		c->web = web;
		c->fd = fd;
		c->number = web->n_connections + 1;
		web->fds[web->n_connections] = fd;
		MUST(pthread_create(&web->threads[web->n_connections], NULL, serve, c) == 0);
		web->n_connections++;
		pthread_mutex_unlock(&web->lock);
	}
	return NULL;
}

static int any_certificate(int ok, X509_STORE_CTX *ctx)
{
	(void)ok;
	(void)ctx;
	return 1;
}

static void set_tls(struct web *web, const struct brski_credential *tls)
{
	web->ssl = SSL_CTX_new(TLS_server_method());
	MUST(web->ssl);
	MUST(SSL_CTX_use_cert_and_key(web->ssl, tls->cert, tls->key, tls->chain, 1) == 1);
	SSL_CTX_set_verify(web->ssl, SSL_VERIFY_PEER, any_certificate);
}

int web_first_client_port(void)
{
	FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "r");
	int first;

	MUST(file && fscanf(file, "%d", &first) == 1);
	fclose(file);
	return first;
}

/* tests/lab/ports.sh has the upper half of what is below the clients' ports, this the quarter below that. */
static void take_port(struct web *web, struct sockaddr_in *at)
{
	static int tried; /* none twice, while there are others */
	int end = web_first_client_port() / 2, n = end / 2;

	for (int i = 0; i < n; i++) {
		web->port = end - 1 - (getpid() + tried++) % n;
		at->sin_port = htons((uint16_t)web->port);
		if (bind(web->listener, (struct sockaddr *)at, sizeof(*at)) == 0)
			return;
	}
	MUST(false && "a port that is free");
}

void web_start(struct web *web, const struct brski_credential *tls, web_handler *handler, void *ctx)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	*web = (struct web){.handler = handler, .ctx = ctx};
	signal(SIGPIPE, SIG_IGN);
	pthread_mutex_init(&web->lock, NULL);
	pthread_mutex_init(&web->turn, NULL);
	if (tls)
		set_tls(web, tls);
	web->listener = socket(AF_INET, SOCK_STREAM, 0);
	MUST(web->listener >= 0);
	take_port(web, &at);
	MUST(listen(web->listener, 64) == 0);
	MUST(pthread_create(&web->thread, NULL, accept_all, web) == 0);
}

void web_stop(struct web *web)
{
	shutdown(web->listener, SHUT_RDWR);
	pthread_join(web->thread, NULL);
	close(web->listener);
	for (unsigned i = 0; i < web->n_connections; i++)
		shutdown(web->fds[i], SHUT_RDWR);
	for (unsigned i = 0; i < web->n_connections; i++) {
		pthread_join(web->threads[i], NULL);
		close(web->fds[i]);
	}
	SSL_CTX_free(web->ssl);
	pthread_mutex_destroy(&web->lock);
	pthread_mutex_destroy(&web->turn);
}

/* ---- Answers ---- */

void web_say(struct brski_buf *raw, const struct brski_http *answer)
{
	brski_printf(raw, "HTTP/1.1 %u x\r\nContent-Length: %zu\r\n", answer->status, answer->body.len);
	for (size_t i = 0; i < answer->n_fields; i++)
		brski_printf(raw, "%s: %s\r\n", answer->fields[i].name, answer->fields[i].value);
	brski_put_str(raw, "\r\n");
	brski_put(raw, brski_buf_span(&answer->body));
}

void web_say_text(struct brski_buf *raw, unsigned status, const char *type, const char *body)
{
	struct brski_http answer = {0};

	MUST(brski_http_response(&answer, status, type, brski_span_str(body), NULL) == BRSKI_OK);
	web_say(raw, &answer);
	brski_http_free(&answer);
}
