/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "eap_brski/transport/http_binary.h"
#include "tests/unit/support/plant.h"

/* A server in a process of its own, for one tunnel; HTTP messages come and go by a socket. */

#define MUST(x) \
	do { \
		if (!(x)) { \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x); \
			abort(); \
		} \
	} while (0)

static bool put(int fd, const struct brski_http *message)
{
	struct brski_buf octets = {0};
	bool sent;

	MUST(brski_http_encode(message, &octets, NULL) == BRSKI_OK);
	sent = send(fd, octets.data, octets.len, MSG_NOSIGNAL) == (ssize_t)octets.len;
	brski_buf_free(&octets);
	return sent;
}

/* False: there is nobody any more. */
static bool get(int fd, struct brski_http *message)
{
	struct brski_buf octets = {0};
	struct brski_span left;
	bool complete = false;
	uint8_t chunk[4096];
	ssize_t n = 1;

	while (!complete && n > 0) {
		n = recv(fd, chunk, sizeof(chunk), 0);
		if (n > 0)
			brski_put(&octets, brski_span(chunk, (size_t)n));
		left = brski_buf_span(&octets);
		MUST(!octets.failed);
		MUST(brski_http_decode(&left, 0, message, &complete, NULL) == BRSKI_OK);
	}
	brski_buf_free(&octets);
	return complete;
}

static void serve(struct plant *plant, int fd, plant_ask_fn *answer)
{
	struct brski_http request = {0}, response = {0};
	struct plant_server server;
	struct plant_tunnel tunnel;
	struct brski_error err = {0};

	if (plant_serve(plant, &server, &err) && plant_connect(&server, &tunnel, &err)) {
		while (get(fd, &request) && answer(&tunnel, &request, &response) && put(fd, &response))
			;
		shutdown(fd, SHUT_RDWR);
		plant_disconnect(&tunnel);
		plant_serve_end(&server);
	}
	_exit(0);
}

void plant_child(struct plant *plant, plant_ask_fn *answer, struct plant_child *child)
{
	int fds[2];

	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
	child->pid = fork();
	MUST(child->pid >= 0);
	if (child->pid == 0) {
		close(fds[0]);
		serve(plant, fds[1], answer);
	}
	close(fds[1]);
	child->fd = fds[0];
}

bool plant_child_ask(struct plant_child *child, const struct brski_http *request, struct brski_http *response)
{
	return put(child->fd, request) && get(child->fd, response);
}

int plant_child_end(struct plant_child *child)
{
	int status;

	close(child->fd);
	MUST(waitpid(child->pid, &status, 0) == child->pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
