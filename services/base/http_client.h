/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BASE_HTTP_CLIENT_H
#define BRSKI_SERVICES_BASE_HTTP_CLIENT_H

#include "eap_brski/registrar/registrar.h"

/*
 * HTTP calls to MASAs and the PKI, in one thread of its own: libcurl's multi interface, persistent
 * connections. A MASA is called by https only; server name and chain are always verified; redirects
 * are not followed; proxies of the environment are not used.
 *
 * What runs in that thread, and when, is its owner's: `tick`. The thread sees no signals.
 */
struct http_client;

struct http_client_config {
	long connect_timeout_ms; /* 0: 5 s */
	long request_timeout_ms; /* 0: 30 s */
	size_t response_max;     /* octets of a body; 0: BRSKI_MESSAGE_MAX */
	const char *proxy;       /* NULL or "": none; copied */
	/*
	 * Runs in the thread when it starts, and again after http_client_wake, after a call has
	 * ended, and when the time it asked for has come: returns milliseconds, -1 for never. It
	 * may run before http_client_new has returned.
	 */
	long (*tick)(void *ctx, struct http_client *up);
	void *ctx;
};

BRSKI_CHECKED enum brski_code http_client_new(
	const struct http_client_config *config, struct http_client **out, struct brski_error *err);
/* Ends and joins the thread. Calls that are under way are dropped: their `done` is not called. */
void http_client_free(struct http_client *up);

/* From any thread. */
void http_client_wake(struct http_client *up);

/* answer NULL: the call could not be made, or came to no good end; why says so in words. */
typedef void http_client_done(void *ctx, const struct brski_http *answer, const char *why);
/*
 * Starts a call; from within `tick` or `done` only. `call` may go when this returns; what it points
 * to must stay until `done`. An error return (the URL, for instance): nothing was started, done is
 * not called.
 */
BRSKI_CHECKED enum brski_code http_client_call(struct http_client *up, const struct brski_call *call,
	http_client_done *done, void *ctx, struct brski_error *err);

#endif
