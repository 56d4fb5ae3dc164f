/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar_https/door.h"

#include <stdlib.h>

#include "services/base/address.h"
#include "services/base/http_server_shares.h"
#include "services/registrar_https/door_internal.h"

/* New requests that may wait for each thread: a few seconds of its work. */
#define QUEUE_PER_THREAD 128
#define MAX_HEADERS 8192
/* After SIGTERM: what asks the administrator's rules, or waits for the disk, has an end of its own before. */
#define STOP_S 10

/* In the worker's thread. */
static unsigned count_visitors(void *ctx)
{
	struct door *door = ctx;

	return atomic_load(&door->n_visitors);
}

/* In the store's own thread. */
static void on_kept(void *ctx)
{
	struct door *door = ctx;

	mailbox_put_kept(&door->mailbox);
}

/* What has a form; for who looks at it without serving, too. */
static enum brski_code check_settings(const struct door_config *config, struct brski_error *err)
{
	char host[ADDRESS_HOST_MAX], port[ADDRESS_PORT_MAX];
	struct http_holder holder;
	enum brski_code code = address_split(config->listen, host, port, err);

	if (code != BRSKI_OK)
		return brski_fail_context(err, code, "listen");
	for (size_t i = 0; i < config->proxies.n && code == BRSKI_OK; i++)
		code = http_holder_read(config->proxies.items[i], &holder, err);
	return code == BRSKI_OK ? code : brski_fail_context(err, code, "proxies");
}

static enum brski_code make_site(
	struct door *door, const struct door_settings *settings, struct brski_error *err)
{
	const struct brski_site_config config = {
		.settings = &settings->site,
		.check_only = !door->base,
		.housekeeping = count_visitors,
		.housekeeping_ctx = door,
		.env = door->env,
	};
	enum brski_code code = brski_site_new(&config, &door->site, err);

	if (code != BRSKI_OK)
		return code;
	door->place.registrar = brski_site_registrar(door->site);
	door->place.est = settings->door.est;
	door->place.retry_after = settings->site.retry_after;
	return BRSKI_OK;
}

static enum brski_code make_rules(struct door *door, struct brski_error *err)
{
	const struct rules_config config = {
		.server = door->config->rules_server,
		.secret_file = door->config->rules_secret_file,
		.store = brski_site_store(door->site),
		.env = door->env,
	};
	enum brski_code code = rules_new(&config, &door->rules, err);

	door->place.rules = door->rules;
	return code;
}

static enum brski_code make_pool(struct door *door, struct brski_error *err)
{
	unsigned threads =
		door->config->threads > 0 ? (unsigned)door->config->threads : pool_threads_default();

	return pool_new(threads, threads * QUEUE_PER_THREAD, &door->pool, err);
}

static enum brski_code make_server(
	struct door *door, const struct door_settings *settings, struct brski_error *err)
{
	const struct door_config *config = door->config;
	const struct http_server_config server = {
		.listen = config->listen,
		.tls = brski_registrar_credential(door->place.registrar),
		.env = door->env,
		.max_body = (size_t)settings->site.max_message,
		.max_headers = MAX_HEADERS,
		.queries = true, /* of the links that discovery gives, RFC 6690 4.1 */
		.timeout = (int)config->idle_time,
		.handshake_ms = (int)config->handshake_time * 1000,
		.request_ms = (int)config->request_time * 1000,
		.idle_ms = (int)config->idle_time * 1000,
		.requests_max = (unsigned)config->max_requests_per_connection,
		.max_connections = (unsigned)config->max_connections,
		.share = (unsigned)config->max_connections_per_address,
		.proxy_share = (unsigned)config->max_connections_per_proxy,
		.proxies = &config->proxies,
		.vouches = true,
		.certificate_share = (unsigned)config->max_connections_per_certificate,
		.closed = task_connection_closed,
	};

	enum brski_code code = http_server_new(door->base, &server, task_begin, door, &door->server, err);

	/* what the kernel does not let us have: the port, for one */
	return code == BRSKI_UNAVAILABLE ? brski_fail_context(err, code, "listen") : code;
}

/* What is left of the requests comes to nothing, and their clients see a connection that ends. */
static void on_give_up(evutil_socket_t fd, short what, void *arg)
{
	struct door *door = arg;

	(void)fd;
	(void)what;
	brski_log(door->env, BRSKI_LOG_WARN, "some requests took too long to be answered");
	event_base_loopexit(door->base, NULL);
}

static enum brski_code serve(struct door *door, const struct door_settings *settings, struct brski_error *err)
{
	enum brski_code code = mailbox_init(door, err);

	if (code == BRSKI_OK)
		code = make_pool(door, err);
	if (code != BRSKI_OK)
		return code;
	door->give_up = evtimer_new(door->base, on_give_up, door);
	if (!door->give_up)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for an event");
	brski_store_on_kept(brski_site_store(door->site), on_kept, door);
	return make_server(door, settings, err);
}

enum brski_code door_new(struct event_base *base, const struct door_settings *settings,
	const struct brski_env *env, struct door **out, struct brski_error *err)
{
	struct door *door = calloc(1, sizeof(*door));
	enum brski_code code;

	*out = NULL;
	if (!door)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for a registrar");
	door->config = &settings->door;
	door->env = env;
	door->base = base;
	door->mailbox.fd = -1;
	code = check_settings(door->config, err);
	if (code == BRSKI_OK)
		code = make_site(door, settings, err);
	if (code == BRSKI_OK)
		code = make_rules(door, err);
	if (code == BRSKI_OK && base)
		code = serve(door, settings, err);
	if (code == BRSKI_OK)
		*out = door;
	else
		door_free(door);
	return code;
}

void door_stop(struct door *door)
{
	const struct timeval stop = {.tv_sec = STOP_S};
	struct task *next;

	if (door->stopping) {
		event_base_loopexit(door->base, NULL);
		return;
	}
	door->stopping = true;
	evtimer_add(door->give_up, &stop);
	for (struct task *t = door->tasks; t; t = next) {
		next = t->next;
		task_hurry(t);
	}
	task_look_for_the_end(door);
}

/* The pool's threads and the worker's have a task each; connections have visitors, which hold sessions. */
void door_free(struct door *door)
{
	if (!door)
		return;
	if (door->site && door->base)
		brski_store_on_kept(brski_site_store(door->site), NULL, door);
	pool_stop(door->pool);
	brski_site_stop(door->site);
	while (door->tasks)
		task_free(door->tasks);
	http_server_free(door->server);
	pool_free(door->pool);
	if (door->give_up)
		event_free(door->give_up);
	mailbox_destroy(&door->mailbox);
	rules_free(door->rules);
	brski_site_free(door->site);
	free(door);
}
