/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BASE_RADIUS_CLIENT_H
#define BRSKI_SERVICES_BASE_RADIUS_CLIENT_H

#include "eap_brski/ground/env.h"
#include "services/base/radius_packet.h"

/*
 * Asks one RADIUS server over UDP, and waits for the answer in the caller's thread. Threads may share a
 * client: each question has a socket of its own, connected to the server, so that the kernel hands on
 * what comes from that address and port and nothing else, and no two questions under way have the same
 * port and Identifier.
 */
struct radius_client;

#define RADIUS_SECRET_MIN 16 /* octets, RFC 2865 3 */
#define RADIUS_SECRET_MAX 256

struct radius_client_config {
	const char *server;          /* "127.0.0.1:1812", "[::1]:1812": an address, no name */
	struct brski_span secret;    /* copied, and wiped in the end */
	long first_ms;               /* until the question is sent once more; then twice as long, and so on */
	long total_ms;               /* that one question takes at most */
	const struct brski_env *env; /* borrowed; may be NULL */
};

/* Calls nobody. BRSKI_MALFORMED: the address; BRSKI_UNSUPPORTED: the secret's length. */
BRSKI_CHECKED enum brski_code radius_client_new(
	const struct radius_client_config *config, struct radius_client **out, struct brski_error *err);
/* No question may be under way. NULL is allowed. */
void radius_client_free(struct radius_client *client);

struct radius_reply {
	struct radius_answer answer; /* within `octets`: this structure is not copied */
	uint8_t octets[RADIUS_PACKET_MAX];
};
/*
 * Signs the question with an Identifier and an Authenticator of its own, sends it, and again with the
 * same ones as long as nothing comes (RFC 2865 2.5, RFC 5080 2.2.1). What is no right answer to it is
 * dropped as if it had not come (RFC 2865 3); the words tell of it. BRSKI_UNAVAILABLE: there was none
 * in total_ms, or nobody listens there; BRSKI_TOO_LARGE: radius_packet_sign(); BRSKI_INTERNAL: trouble
 * of our own, without a socket for one.
 */
BRSKI_CHECKED enum brski_code radius_client_ask(struct radius_client *client, struct radius_packet *question,
	struct radius_reply *reply, struct brski_error *err);

#endif
