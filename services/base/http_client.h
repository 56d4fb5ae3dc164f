/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BASE_HTTP_CLIENT_H
#define BRSKI_SERVICES_BASE_HTTP_CLIENT_H

#include "eap_brski/pki/credential.h"
#include "eap_brski/transport/http.h"

/*
 * HTTP calls: libcurl's multi interface, persistent connections. Server name and chain are always
 * verified; redirects are not followed; proxies of the environment are not used.
 *
 * It has no thread: whoever owns it calls http_client_run() again and again, and everything happens
 * in there. One thread at a time may use it, but for http_client_wake().
 */
struct http_client;

#define HTTP_CLIENT_CONNECT_MS 5000
#define HTTP_CLIENT_REQUEST_MS 30000

struct http_client_config {
	long connect_timeout_ms; /* 0: HTTP_CLIENT_CONNECT_MS */
	long request_timeout_ms; /* of a whole call; 0: HTTP_CLIENT_REQUEST_MS */
	size_t response_max;     /* octets of a body; 0: BRSKI_MESSAGE_MAX */
	const char *proxy;       /* NULL or "": none; copied */
};

/* BRSKI_NO_MEMORY; BRSKI_INTERNAL: libcurl does not start. */
BRSKI_CHECKED enum brski_code http_client_new(
	const struct http_client_config *config, struct http_client **out, struct brski_error *err);
/* Calls that are under way are dropped: their `done` is not called. NULL is allowed. */
void http_client_free(struct http_client *client);

struct http_client_call {
	const char *url;                       /* absolute; http or https */
	const struct brski_http *request;      /* method, fields and body */
	const STACK_OF(X509) *anchors;         /* of the server; NULL: the system's */
	const struct brski_credential *client; /* shown if the server asks; NULL: none */
	size_t response_max;                   /* octets of its body; 0: the client's */
	bool https_only;
};

/*
 * How a call ended; from http_client_run(). answer NULL: it could not be made, or came to no good
 * end; why says so in words. *answer is gone when this returns. Other calls may be started here.
 */
typedef void http_client_done(void *ctx, const struct brski_http *answer, const char *why);
/*
 * Starts a call. *call may go when this returns; request and client must stay until `done`. On
 * error nothing was started, and done is not called: BRSKI_UNSUPPORTED if https_only and the URL is
 * another; BRSKI_NO_MEMORY; BRSKI_INTERNAL.
 */
BRSKI_CHECKED enum brski_code http_client_call(struct http_client *client,
	const struct http_client_call *call, http_client_done *done, void *ctx, struct brski_error *err);

/*
 * Does what there is to do. If no call has ended or begun by that, waits for more to do, wait_ms
 * milliseconds at most, or a minute; -1: a minute. It may return sooner.
 */
void http_client_run(struct http_client *client, long wait_ms);
/* From any thread: http_client_run() stops waiting, or does not begin to. */
void http_client_wake(struct http_client *client);

#endif
