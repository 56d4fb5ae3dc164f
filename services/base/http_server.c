/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/base/http_server.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "services/base/clock.h"
#include "services/base/http_server_internal.h"

#define ACCEPT_MAX 16 /* connections, until others have their turn */
#define NEW_MS 1000   /* so long is a connection new that has had no answer yet */
#define RETRY_MS 200  /* until it is tried again to accept one, or to make room for it */

static void pause_accepting(struct http_server *server)
{
	const struct timeval retry = {.tv_usec = RETRY_MS * 1000};

	event_del(server->accepting);
	event_add(server->resuming, &retry);
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *server = arg;

	(void)fd;
	(void)what;
	event_add(server->accepting, NULL);
}

void http_server_has_room(struct http_server *server)
{
	if (!event_pending(server->resuming, EV_TIMEOUT, NULL))
		return;
	event_del(server->resuming);
	event_add(server->accepting, NULL);
}

/* Whose connections are looked at: those with a share, or of all those that are not known. */
struct whose {
	const struct http_share *address, *certificate;
};

/*
 * May it be closed for another's sake? One that has only just come must not be, so that it can send
 * its request; except, while it is silent, for another of the same address.
 */
static bool may_go(const struct http_connection *c, const struct whose *whose, int64_t quiet)
{
	bool settled = c->requests > 0 || quiet >= NEW_MS;

	if (whose->certificate)
		return c->certificate == whose->certificate && c->state == HTTP_IDLE;
	if (whose->address && c->address != whose->address)
		return false;
	return !c->known && quiet >= 0 && (settled || (whose->address && c->silent));
}

static const struct whose anybody;

/* Whoever has been quiet longest; NULL: nobody may be closed. */
static struct http_connection *find_quiet(const struct http_server *server, const struct whose *whose)
{
	struct http_connection *found = NULL;
	int64_t now = brski_now_ms();
	int64_t longest = -1;

	for (struct http_connection *c = server->connections; c; c = c->next) {
		int64_t quiet = http_connection_quiet(c, now);

		/* of equals the oldest, which is nearer to the end of the list */
		if (quiet >= longest && may_go(c, whose, quiet)) {
			longest = quiet;
			found = c;
		}
	}
	return found;
}

static bool is_full(const struct http_server *server)
{
	return server->n_connections >= server->max_connections;
}

/* IPv4 as such, however the listener has it. */
static void address_text(const struct sockaddr_storage *at, char out[HTTP_ADDRESS_MAX])
{
	struct sockaddr_in ipv4 = {.sin_family = AF_INET};
	const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)at;
	const struct sockaddr *shown = (const struct sockaddr *)at;
	socklen_t len = at->ss_family == AF_INET6 ? sizeof(*ipv6) : sizeof(ipv4);

	if (at->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&ipv6->sin6_addr)) {
		memcpy(&ipv4.sin_addr, ipv6->sin6_addr.s6_addr + 12, 4);
		shown = (const struct sockaddr *)&ipv4;
		len = sizeof(ipv4);
	}
	if (getnameinfo(shown, len, out, HTTP_ADDRESS_MAX, NULL, 0, NI_NUMERICHOST) != 0)
		snprintf(out, HTTP_ADDRESS_MAX, "?");
}

static bool is_proxy(const struct http_server *server, const struct http_holder *whole)
{
	for (size_t i = 0; i < server->n_proxies; i++) {
		if (memcmp(&server->proxies[i], whole, sizeof(*whole)) == 0)
			return true;
	}
	return false;
}

/* One more for the holder, if need be instead of its quietest one. */
static bool enter(struct http_server *server, struct http_shares *shares, const struct http_holder *holder,
	unsigned most, struct http_share **out)
{
	struct http_share *share = http_share_of(shares, holder);
	struct whose whose = {0};
	struct http_connection *quiet = NULL;

	if (shares == &server->certificates)
		whose.certificate = share;
	else
		whose.address = share;
	if (share && share->n >= most)
		quiet = find_quiet(server, &whose);
	if (quiet)
		http_connection_end(quiet);
	return http_share_enter(shares, holder, most, out);
}

bool http_server_admits(struct http_connection *c)
{
	struct http_server *server = c->server;
	struct http_holder holder;

	if (!c->chain || server->certificate_share == 0)
		return true;
	if (http_holder_certificate(sk_X509_value(c->chain, 0), &holder) &&
		enter(server, &server->certificates, &holder, server->certificate_share, &c->certificate))
		return true;
	http_line(server, HTTP_LINE_SHARE, "%s: a connection was refused: its certificate has its share, %u",
		c->peer, server->certificate_share);
	return false;
}

static bool enter_share(struct http_server *server, const struct sockaddr_storage *at, const char *peer,
	struct http_share **out)
{
	struct http_holder whole = http_holder_address(at, true);
	bool proxy = is_proxy(server, &whole);
	struct http_holder holder = proxy ? whole : http_holder_address(at, false);
	unsigned most = proxy ? server->proxy_share : server->share;

	if (enter(server, &server->addresses, &holder, most, out))
		return true;
	http_line(server, HTTP_LINE_SHARE, "%s: a connection was refused: its address has its share, %u",
		peer, most);
	return false;
}

static bool make_room(struct http_server *server)
{
	struct http_connection *quiet = is_full(server) ? find_quiet(server, &anybody) : NULL;

	if (!is_full(server))
		return true;
	if (quiet)
		http_connection_end(quiet);
	return quiet != NULL;
}

static void admit(struct http_server *server, evutil_socket_t fd, const struct sockaddr_storage *at)
{
	struct http_share *share = NULL;
	struct http_connection *c;
	char peer[HTTP_ADDRESS_MAX];

	address_text(at, peer);
	/* who has his share does not make others go */
	if (!enter_share(server, at, peer, &share) || !make_room(server)) {
		http_share_leave(&server->addresses, share);
		close(fd);
		return;
	}
	c = http_connection_new(server, fd, peer);
	if (!c) {
		http_share_leave(&server->addresses, share);
		return;
	}
	c->address = share;
	http_connection_run(c);
}

/* False: no more now. */
static bool accept_one(struct http_server *server)
{
	struct sockaddr_storage at = {0};
	socklen_t len = sizeof(at);
	evutil_socket_t fd;

	if (is_full(server) && !find_quiet(server, &anybody)) {
		http_line(server, HTTP_LINE_FULL,
			"all %u connections are taken: whoever comes waits until one ends",
			server->max_connections);
		pause_accepting(server);
		return false;
	}
	fd = accept4(server->listener, (struct sockaddr *)&at, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0)
		admit(server, fd, &at);
	else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
		pause_accepting(server);
	return fd >= 0;
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *server = arg;

	(void)fd;
	(void)what;
	for (int i = 0; i < ACCEPT_MAX && accept_one(server); i++)
		;
}

static void on_minute(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	http_lines_tell(arg);
}

static int64_t time_of(int ms, int timeout)
{
	return ms > 0 ? ms : (int64_t)timeout * 1000;
}

/* No address can have all. */
static unsigned share_of(unsigned wanted, unsigned max_connections)
{
	unsigned most = max_connections - max_connections / 4;

	if (most == max_connections && most > 1)
		most--;
	return wanted > 0 && wanted < most ? wanted : most;
}

static void set_limits(struct http_server *server, const struct http_server_config *config)
{
	server->max_body = config->max_body;
	server->max_headers = config->max_headers;
	server->queries = config->queries;
	server->vouches = config->vouches;
	server->handshake_ms = time_of(config->handshake_ms, config->timeout);
	server->request_ms = time_of(config->request_ms, config->timeout);
	server->idle_ms = time_of(config->idle_ms, config->timeout);
	server->requests_max = config->requests_max;
	server->share = share_of(config->share, server->max_connections);
	server->proxy_share = share_of(config->proxy_share, server->max_connections);
	server->certificate_share = config->certificate_share;
}

static enum brski_code read_proxies(
	struct http_server *server, const struct setting_list *proxies, struct brski_error *err)
{
	enum brski_code code = BRSKI_OK;

	for (size_t i = 0; proxies && i < proxies->n && code == BRSKI_OK; i++) {
		code = http_holder_read(proxies->items[i], &server->proxies[i], err);
		server->n_proxies = i + 1;
	}
	return code == BRSKI_OK ? code : brski_fail_context(err, code, "proxies");
}

static enum brski_code start_events(struct http_server *server, struct brski_error *err)
{
	const struct timeval minute = {.tv_sec = 60};
	struct event_base *base = server->base;

	server->accepting = event_new(base, server->listener, EV_READ | EV_PERSIST, on_accept, server);
	server->resuming = event_new(base, -1, EV_TIMEOUT, on_resume, server);
	server->telling = event_new(base, -1, EV_PERSIST, on_minute, server);
	if (!server->accepting || !server->resuming || !server->telling ||
		event_add(server->accepting, NULL) != 0 || event_add(server->telling, &minute) != 0)
		return brski_fail(err, BRSKI_NO_MEMORY, "out of memory for the HTTP server");
	return BRSKI_OK;
}

static enum brski_code start_tls(
	struct http_server *server, const struct brski_credential *tls, struct brski_error *err)
{
	if (!tls)
		return BRSKI_OK;
	server->transport = http_transport_new();
	if (!server->transport)
		return brski_fail(err, BRSKI_NO_MEMORY, "out of memory for the HTTP server");
	return http_tls_new(tls, &server->tls, err);
}

static enum brski_code start(
	struct http_server *server, const struct http_server_config *config, struct brski_error *err)
{
	char bound[HTTP_ADDRESS_MAX];
	enum brski_code code = start_tls(server, config->tls, err);

	if (code == BRSKI_OK)
		code = read_proxies(server, config->proxies, err);
	if (code == BRSKI_OK)
		code = http_listen(config->listen, &server->listener, bound, err);
	if (code == BRSKI_OK)
		code = http_files_for(config->max_connections, &server->max_connections, err);
	if (code != BRSKI_OK)
		return code;
	if (server->max_connections < config->max_connections)
		brski_log(server->env, BRSKI_LOG_WARN,
			"%u connections at a time, not %u: the limit on open files allows no more",
			server->max_connections, config->max_connections);
	set_limits(server, config);
	code = start_events(server, err);
	if (code == BRSKI_OK)
		brski_log(server->env, BRSKI_LOG_INFO, "listening on %s://%s", server->tls ? "https" : "http",
			bound);
	return code;
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
	server->listener = -1;
	server->env = config->env;
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

static void free_event(struct event *event)
{
	if (event)
		event_free(event);
}

void http_server_free(struct http_server *server)
{
	if (!server)
		return;
	while (server->connections)
		http_connection_end(server->connections);
	free_event(server->accepting);
	free_event(server->resuming);
	free_event(server->telling);
	if (server->listener >= 0)
		close(server->listener);
	SSL_CTX_free(server->tls);
	BIO_meth_free(server->transport);
	free(server);
}
