/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/base/radius_client.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "services/base/address.h"
#include "services/base/clock.h"

struct radius_client {
	struct sockaddr_storage at;
	socklen_t at_len;
	struct brski_buf secret;
	long first_ms, total_ms;
	const struct brski_env *env;
};

/* ---- Making one ---- */

static enum brski_code set_server(struct radius_client *client, const char *server, struct brski_error *err)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_DGRAM};
	struct addrinfo *found = NULL;
	char host[ADDRESS_HOST_MAX], port[ADDRESS_PORT_MAX];
	enum brski_code code = address_split(server, host, port, err);

	if (code != BRSKI_OK)
		return code;
	if (strcmp(port, "0") == 0 || getaddrinfo(host, port, &hints, &found) != 0)
		return brski_fail(err, BRSKI_MALFORMED, "\"%s\" is not ADDRESS:PORT", server);
	memcpy(&client->at, found->ai_addr, found->ai_addrlen);
	client->at_len = found->ai_addrlen;
	freeaddrinfo(found);
	return BRSKI_OK;
}

static enum brski_code set_secret(
	struct radius_client *client, struct brski_span secret, struct brski_error *err)
{
	if (secret.len < RADIUS_SECRET_MIN || secret.len > RADIUS_SECRET_MAX)
		return brski_fail(err, BRSKI_UNSUPPORTED, "a secret has %d to %d characters here, not %zu",
			RADIUS_SECRET_MIN, RADIUS_SECRET_MAX, secret.len);
	if (brski_buf_set(&client->secret, secret) != BRSKI_OK)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for a secret");
	return BRSKI_OK;
}

enum brski_code radius_client_new(
	const struct radius_client_config *config, struct radius_client **out, struct brski_error *err)
{
	struct radius_client *client = calloc(1, sizeof(*client));
	enum brski_code code;

	*out = NULL;
	if (!client)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for a RADIUS client");
	client->first_ms = config->first_ms;
	client->total_ms = config->total_ms;
	client->env = config->env;
	code = set_server(client, config->server, err);
	if (code == BRSKI_OK)
		code = set_secret(client, config->secret, err);
	if (code == BRSKI_OK)
		*out = client;
	else
		radius_client_free(client);
	return code;
}

void radius_client_free(struct radius_client *client)
{
	if (!client)
		return;
	brski_buf_free(&client->secret);
	free(client);
}

/* ---- One question ---- */

struct asking {
	struct radius_client *client;
	const struct radius_packet *question;
	struct radius_reply *reply;
	int fd;
	int64_t end;
	unsigned dropped;
	struct brski_error why_dropped; /* the last of them */
	struct brski_error *err;
};

static enum brski_code no_answer(struct asking *a, const char *what)
{
	if (a->dropped > 0)
		return brski_fail(a->err, BRSKI_UNAVAILABLE,
			"%s; %u packets came that are no answer of its own, the last since %s", what,
			a->dropped, a->why_dropped.why);
	return brski_fail(a->err, BRSKI_UNAVAILABLE, "%s", what);
}

static enum brski_code open_socket(struct asking *a)
{
	const struct radius_client *client = a->client;

	a->fd = socket(client->at.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (a->fd < 0)
		return brski_fail(a->err, BRSKI_INTERNAL, "no socket for a question: %s", strerror(errno));
	if (connect(a->fd, (const struct sockaddr *)&client->at, client->at_len) != 0)
		return no_answer(a, strerror(errno));
	return BRSKI_OK;
}

/* What does not go out now is as what gets lost. ICMP's word, that nobody listens, is told by any call. */
static bool nobody_listens(ssize_t done)
{
	return done < 0 && errno == ECONNREFUSED;
}

/* All that is there. BRSKI_NOT_FOUND: no answer among it. */
static enum brski_code read_all(struct asking *a)
{
	struct radius_reply *reply = a->reply;
	enum brski_code code;

	for (;;) {
		ssize_t len = recv(a->fd, reply->octets, sizeof(reply->octets), 0);

		if (nobody_listens(len))
			return no_answer(a, "nobody listens there");
		if (len < 0)
			return BRSKI_NOT_FOUND;
		code = radius_answer_read(brski_span(reply->octets, (size_t)len), a->question,
			brski_buf_span(&a->client->secret), &reply->answer, &a->why_dropped);
		if (code == BRSKI_OK)
			return code;
		a->dropped++;
		if (brski_now_ms() >= a->end) /* of a flood, too */
			return BRSKI_NOT_FOUND;
	}
}

static enum brski_code wait_until(struct asking *a, int64_t until)
{
	struct pollfd p = {.fd = a->fd, .events = POLLIN};
	enum brski_code code = BRSKI_NOT_FOUND;
	int64_t left;

	while (code == BRSKI_NOT_FOUND && (left = until - brski_now_ms()) > 0) {
		if (poll(&p, 1, (int)left) > 0)
			code = read_all(a);
	}
	return code;
}

static enum brski_code converse(struct asking *a)
{
	enum brski_code code = BRSKI_NOT_FOUND;
	int64_t pause = a->client->first_ms, until;

	while (code == BRSKI_NOT_FOUND && brski_now_ms() < a->end) {
		if (nobody_listens(send(a->fd, a->question->octets, a->question->len, MSG_NOSIGNAL)))
			return no_answer(a, "nobody listens there");
		until = brski_now_ms() + pause;
		code = wait_until(a, until < a->end ? until : a->end);
		pause *= 2;
	}
	return code == BRSKI_NOT_FOUND ? no_answer(a, "no answer") : code;
}

/* RFC 2865 3: the Authenticator is unpredictable, and unique as long as the secret lives. */
static enum brski_code sign(
	struct radius_client *client, struct radius_packet *question, struct brski_error *err)
{
	uint8_t random[RADIUS_AUTHENTICATOR_LEN + 1];
	enum brski_code code = brski_random(client->env, random, sizeof(random), err);

	if (code == BRSKI_OK)
		code = radius_packet_sign(question, random[RADIUS_AUTHENTICATOR_LEN], random,
			brski_buf_span(&client->secret), err);
	return code;
}

enum brski_code radius_client_ask(struct radius_client *client, struct radius_packet *question,
	struct radius_reply *reply, struct brski_error *err)
{
	struct asking a = {.client = client,
		.question = question,
		.reply = reply,
		.fd = -1,
		.end = brski_now_ms() + client->total_ms,
		.err = err};
	enum brski_code code = sign(client, question, err);

	reply->answer = (struct radius_answer){0};
	if (code == BRSKI_OK)
		code = open_socket(&a);
	if (code == BRSKI_OK)
		code = converse(&a);
	if (a.fd >= 0)
		close(a.fd);
	return code;
}
