/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TESTS_PLANT_H
#define BRSKI_TESTS_PLANT_H

#include <stdatomic.h>

#include <sys/types.h>

#include "eap_brski/pledge/pledge.h"
#include "services/registrar/bundle_exchange.h"
#include "services/registrar/policy.h"
#include "services/registrar/worker.h"
#include "tests/unit/support/memory.h"
#include "tests/unit/support/site.h"

/*
 * A site with the real parts of a server on a database file, MASA and CA behind real sockets in a
 * process of their own, and one device that comes until it is onboarded. Server and back ends may
 * be killed and made again without the others. Whatever goes wrong of itself aborts.
 */

/* What MASA and CA did; all processes see it. */
struct plant_seen {
	atomic_int masa_port, ca_port;
	atomic_long now;        /* everybody's clock */
	atomic_uint masa_waits; /* so often the MASA says 202 from now on */
	atomic_bool ca_down;
	atomic_int ca_polls;
	/* New requests; the same octets once more get the same answer, and are not counted. */
	atomic_uint vouchers, logs;
	atomic_uint enrollments, polls, confirmations;
	atomic_uint certificates;
};

#define PLANT_ANSWERS_MAX 32

struct plant_answer {
	struct brski_buf request;
	struct brski_http answer;
};

struct plant {
	struct site site;    /* the credentials, and how MASA and CA behave; `now` is the device's */
	bool pkcs10;         /* the device asks so */
	bool offline;        /* the server has no way to MASA and CA */
	long retry_ms;       /* after a call that failed */
	unsigned masa_waits; /* so often the MASA says 202 */
	bool not_in_the_inventory;
	struct plant_seen *seen;
	char database[96];
	unsigned n_failures; /* how often the device gave up */
	char failure[512];   /* why, the last time */
	/* private */
	struct brski_env env;
	struct brski_credential masa_tls;
	STACK_OF(X509) *chain; /* the registrar's */
	struct memory memory;  /* the device's storage */
	char folder[64];
	char masa_url[64], cmp_url[64];
	pid_t back_ends; /* 0: there are none */
	int orders, ready;
	struct plant_answer
		answers[PLANT_ANSWERS_MAX]; /* of MASA and CA; in their process, if there is one */
	size_t n_answers;
};

void plant_open(struct plant *plant);
void plant_close(struct plant *plant);
/*
 * A new database, a new device, and MASA and CA that have seen nothing; they behave as plant->site
 * says now. Each begin has its end.
 */
void plant_begin(struct plant *plant);
void plant_end(struct plant *plant);
/* Everybody's clock goes on. */
void plant_wait(struct plant *plant, long seconds);

/* ---- The server ---- */

struct plant_server {
	struct plant *plant;
	struct brski_store *store;
	struct brski_policy *policy;
	struct brski_registrar *registrar;
	struct brski_worker *worker; /* NULL if it is offline */
};
/* False: it does not start, *err says why, and nothing is left of it. */
bool plant_serve(struct plant *plant, struct plant_server *server, struct brski_error *err);
void plant_serve_end(struct plant_server *server);
/* Beside it, for export and import. */
bool plant_exchange(struct plant_server *server, struct brski_exchange **out, struct brski_error *err);
/* What MASA and CA say to requests that wait; only where the server is offline. */
void plant_carry(struct plant *plant, const struct brski_bundle *requests, struct brski_bundle *answers);

/* One peer's tunnel to it. */
struct plant_tunnel {
	struct plant_server *server;
	struct brski_registrar_session *session;
};
/* False: there is none, as if the handshake failed. */
bool plant_connect(struct plant_server *server, struct plant_tunnel *tunnel, struct brski_error *err);
/* False: the tunnel ends without a response. */
bool plant_ask(struct plant_tunnel *tunnel, const struct brski_http *request, struct brski_http *response,
	struct brski_error *err);
void plant_disconnect(struct plant_tunnel *tunnel);

/* Puts the request to a server. False: it got no response. */
typedef bool plant_ask_fn(void *ctx, const struct brski_http *request, struct brski_http *response);

/* ---- The same in a process of its own, for one tunnel ---- */

struct plant_child {
	pid_t pid;
	int fd;
};
/* `answer` is called there, with the struct plant_tunnel. It exits with 0, whether it could start or not. */
void plant_child(struct plant *plant, plant_ask_fn *answer, struct plant_child *child);
/* False: it has gone. */
bool plant_child_ask(
	struct plant_child *child, const struct brski_http *request, struct brski_http *response);
int plant_child_end(struct plant_child *child); /* its exit status; -1: a signal */

/* ---- The device ---- */

/* One visit, up to its end or where it got no response. *told: when to come back at the earliest. */
enum brski_pledge_state plant_visit(struct plant *plant, plant_ask_fn *ask, void *ctx, long *told);

/* ---- For plant*.c ---- */

/* A MASA or CA: the same octets get the same answer. False: it is down. */
bool plant_masa(struct plant *plant, const struct brski_http *request, struct brski_http *answer);
bool plant_ca(struct plant *plant, const struct brski_http *request, struct brski_http *answer);
/* Fills seen->masa_port and ca_port; starts the process if there is none. */
void plant_back_ends_begin(struct plant *plant);
void plant_back_ends_end(struct plant *plant);
void plant_back_ends_free(struct plant *plant);

#endif
