/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TESTS_ROGUE_H
#define BRSKI_TESTS_ROGUE_H

#include "services/base/http_daemon.h"

/*
 * What rogue-masa and rogue-ca share. They are the real MASA and CA with one fault, which is put
 * into their answers from outside: the services know nothing of it.
 */
struct rogue {
	char *asked;       /* --fault, as it is written */
	const char *fault; /* name, without a value */
	long seconds;      /* of delay=SECONDS */
	struct event_base *base;
};

/* A service that misbehaves, and its settings. */
struct rogue_program {
	const char *name;
	const struct setting *table; /* of the service */
	void *self;                  /* a zeroed structure; the table's own one is its first member */
	size_t asked;                /* where rogue.asked is in it */
	const char *const *faults;   /* NULL ends them */
};

/*
 * The service's options and --fault. Exits with 0 after --help, with 1 when the command line is
 * wrong or not "serve".
 */
void rogue_begin(struct rogue *rogue, const struct rogue_program *program,
	const struct daemon_settings *daemon, int argc, char **argv);
bool rogue_is(const struct rogue *rogue, const char *fault);
/* Replies now, or after the delay. Takes what *response holds. */
void rogue_reply(
	const struct rogue *rogue, struct http_exchange *ex, struct brski_http *response, const char *note);
/* For what a test program cannot go on without. */
void rogue_need(bool ok, const char *what, const struct brski_error *err);
/* A self-signed CA certificate that nobody trusts, of this subject, with its key. */
struct brski_credential rogue_stranger(const X509_NAME *subject);

#endif
