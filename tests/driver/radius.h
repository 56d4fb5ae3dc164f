/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TESTS_RADIUS_H
#define BRSKI_TESTS_RADIUS_H

#include "eap_brski/ground/bytes.h"

/*
 * As much of RADIUS as a switch needs for EAP: RFC 2865, RFC 3579, and RFC 2548's keys. Packets are
 * whole datagrams.
 */
enum { RADIUS_REQUEST = 1, RADIUS_ACCEPT = 2, RADIUS_REJECT = 3, RADIUS_CHALLENGE = 11 };

#define RADIUS_MAX 4096
#define RADIUS_STATE_MAX 253
#define RADIUS_KEY_MAX 64

struct radius_ask {
	const char *secret;
	const char *user_name;
	const char *station; /* Calling-Station-Id */
	unsigned port;       /* NAS-Port */
	unsigned framed_mtu; /* 0: none */
	struct brski_span state;
	struct brski_span eap;
};

/* An Access-Request with a fresh authenticator; false: it does not fit. */
bool radius_write(const struct radius_ask *ask, uint8_t id, struct brski_buf *out);

struct radius_answer {
	uint8_t code;
	uint8_t state[RADIUS_STATE_MAX];
	size_t state_len;
	struct brski_buf eap;
	char user_name[256];
	long session_timeout; /* seconds; -1: none */
	uint32_t error_cause; /* 0: none */
	uint8_t send_key[RADIUS_KEY_MAX], recv_key[RADIUS_KEY_MAX];
	size_t send_key_len, recv_key_len;
};
void radius_answer_free(struct radius_answer *answer);

/*
 * Verifies Response Authenticator and Message-Authenticator against `request`. why: in words.
 * False: not to be believed.
 */
bool radius_read(const char *secret, struct brski_span request, struct brski_span datagram,
	struct radius_answer *out, const char **why);

#endif
