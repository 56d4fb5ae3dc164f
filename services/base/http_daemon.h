/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BASE_HTTP_DAEMON_H
#define BRSKI_SERVICES_BASE_HTTP_DAEMON_H

#include "services/base/daemon.h"
#include "services/base/http_server.h"

/* A daemon that answers requests by HTTP: its options, and its life from listening to the end. */

struct http_daemon_settings {
	struct daemon_settings daemon;
	char *listen;
	char *tls_key, *tls_cert;
	long max_connections;
	long share; /* connections of one address */
	struct setting_list proxies;
	long timeout; /* seconds */
};

/* clang-format off */
/*
 * Rows in the table of a program, in whose structure `type` the settings are `member`: where to
 * listen, the server's credential, limits. Texts are a program's own where the meaning differs.
 */
#define HTTP_DAEMON_LISTEN(type, member, standard) \
	{"listen", SETTING_TEXT, offsetof(type, member.listen), 0, 0, standard, false, "ADDRESS:PORT", \
		"where to listen (default: " standard ")"}
#define HTTP_DAEMON_TLS(type, member, key_help, cert_help) \
	{"tls-key", SETTING_TEXT, offsetof(type, member.tls_key), 0, 0, NULL, false, "URI", key_help}, \
	{"tls-cert", SETTING_TEXT, offsetof(type, member.tls_cert), 0, 0, NULL, false, "URI", cert_help}
#define HTTP_DAEMON_LIMITS(type, member) \
	{"max-connections", SETTING_NUMBER, offsetof(type, member.max_connections), 1, 10000, "1000", false, \
		"N", "at a time (default: 1000)"}, \
	{"max-connections-per-address", SETTING_NUMBER, offsetof(type, member.share), 1, 10000, "600", false, \
		"N", "of these, of one IPv4 address or IPv6 /64 (default: 600; at most 3/4)"}, \
	{"proxies", SETTING_LIST, offsetof(type, member.proxies), 0, 0, NULL, false, "ADDRESS", \
		"a proxy that many come through: 3/4 of all for it; may be repeated"}, \
	{"timeout", SETTING_NUMBER, offsetof(type, member.timeout), 1, 600, "20", false, "SECONDS", \
		"for a handshake, a request, taking an answer, being idle (default: 20)"}
/* clang-format on */

/*
 * Listens as the settings say. tls NULL: HTTP without TLS; it must stay as long as the server does.
 * Errors are http_server_new()'s, and so is who owns *out.
 */
BRSKI_CHECKED enum brski_code http_daemon_listen(const struct http_daemon_settings *settings,
	const struct brski_credential *tls, struct event_base *base, http_handler *handler, void *ctx,
	struct http_server **out, struct brski_error *err);

/*
 * The same, and runs the loop until a signal ends it (daemon_loop()); then all connections are
 * closed. BRSKI_NO_MEMORY.
 */
BRSKI_CHECKED enum brski_code http_daemon_serve(const struct http_daemon_settings *settings,
	const struct brski_credential *tls, http_handler *handler, void *ctx, struct brski_error *err);

#endif
