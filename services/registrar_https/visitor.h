/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_HTTPS_VISITOR_H
#define BRSKI_SERVICES_REGISTRAR_HTTPS_VISITOR_H

#include "eap_brski/ground/log_limit.h"
#include "eap_brski/registrar/registrar.h"
#include "services/registrar_https/rules.h"

/*
 * One TLS connection to the registrar role: who is at its other end, and the session that its
 * certificate gives it. Whoever shows none, or one that leads to no manufacturer that is known here,
 * gets what is for everybody, and is turned away else. One thread at a time has a visitor.
 */
struct visitor;

/*
 * Of all of them. Must outlive them. Whoever is nobody can come as often as he likes, by connections of
 * no use: so log and history hear of such a certificate once a minute for each address, and no more
 * often than VISITOR_TOLD times for all.
 */
#define VISITOR_TOLD 64
struct visitor_place {
	struct brski_registrar *registrar;
	struct rules *rules;
	bool est;                                  /* EST is served, too */
	long retry_after;                          /* seconds, with 503 */
	struct brski_log_limit told[VISITOR_TOLD]; /* zeroed at first */
};

/* address: as in the log. BRSKI_NO_MEMORY. */
BRSKI_CHECKED enum brski_code visitor_new(
	struct visitor_place *place, const char *address, struct visitor **out, struct brski_error *err);
void visitor_free(struct visitor *v); /* NULL is allowed */

/*
 * One request of it, with the chain that its TLS client has shown (leaf first; NULL: none), which is
 * the same each time: a response, or a job, as brski_registrar_request() has it. BRSKI_NO_MEMORY.
 *
 * A session that told its device to come back later has ended; the next request begins another one.
 * What was refused stays so for the connection.
 */
BRSKI_CHECKED enum brski_code visitor_request(struct visitor *v, const STACK_OF(X509) *chain,
	const struct brski_http *request, struct brski_http *response, struct brski_job **job,
	struct brski_error *err);
/* The response to the request that caused the job: the answer if it is there, else to come back for it. */
BRSKI_CHECKED enum brski_code visitor_leave_job(
	struct visitor *v, const struct brski_job *job, struct brski_http *response, struct brski_error *err);

/* Whether what it is answered rests on what the registrar keeps: not if it is nobody. */
bool visitor_has_session(const struct visitor *v);
/* For the log: which device it is, and, of a response that is no success, why. */
#define VISITOR_NOTE_MAX 512
void visitor_describe(
	const struct visitor *v, const struct brski_http *response, char note[VISITOR_NOTE_MAX]);

#endif
