/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_EAP_PEER_H
#define BRSKI_EAP_PEER_H

#include "eap_brski/eap/method.h"
#include "eap_brski/pledge/pledge.h"

/*
 * EAP-BRSKI, peer side, for an EAP stack: packets in, packets out. Link, tunnel and pledge put
 * together. What the stack does: strip Code, Identifier, Length and the eight octets of the
 * Expanded Type from requests; put them before replies.
 *
 * The end of a session: the peer answers the responses to its last flight with an acknowledgement
 * if it is enrolled, and with a TLS alert (close_notify, if there is nothing worse to say) in every
 * other case, as long as the server has not closed the tunnel. So the server believes in a success
 * only when that acknowledgement comes.
 */

struct brski_peer_config {
	struct brski_pledge_config pledge;
	uint32_t vendor_id;   /* 0: BRSKI_EAP_VENDOR_ID */
	uint32_t vendor_type; /* 0: BRSKI_EAP_VENDOR_TYPE */
	size_t mtu;           /* octets of a whole EAP packet; 0: BRSKI_MTU_DEFAULT */
};

enum brski_peer_result {
	BRSKI_PEER_REPLY, /* *reply goes out now */
	BRSKI_PEER_WAIT, /* *reply goes out after *delay_ms of silence: the server, or the PKI, wants it so */
	/*
	 * *reply goes out now; the registrar has confirmed: EAP-Success is to be believed, keys are
	 * there
	 */
	BRSKI_PEER_SUCCESS,
	BRSKI_PEER_FAILURE, /* *reply goes out now; EAP-Failure will follow (also when deferred) */
};

struct brski_peer;
BRSKI_CHECKED enum brski_code brski_peer_new(
	const struct brski_peer_config *config, struct brski_peer **out, struct brski_error *err);
void brski_peer_free(struct brski_peer *peer);

/*
 * One request's data. Start comes too early (brski_peer_retry_after is not 0): BRSKI_UNAVAILABLE,
 * and no handshake is spent on it. An error return means: send nothing, the method has failed; the
 * reason is also brski_peer_reason. A reply is always given otherwise, so that the server's last
 * words (an alert) are acknowledged.
 */
BRSKI_CHECKED enum brski_code brski_peer_process(struct brski_peer *peer, struct brski_span request,
	struct brski_buf *reply, enum brski_peer_result *result, unsigned *delay_ms, struct brski_error *err);

/* After BRSKI_PEER_SUCCESS; BRSKI_UNEXPECTED before. */
BRSKI_CHECKED enum brski_code brski_peer_keys(struct brski_peer *peer, uint8_t msk[BRSKI_EAP_KEY_LEN],
	uint8_t emsk[BRSKI_EAP_KEY_LEN], uint8_t session_id[BRSKI_EAP_SESSION_ID_LEN],
	struct brski_error *err);

enum brski_pledge_state brski_peer_state(const struct brski_peer *peer);
long brski_peer_retry_after(const struct brski_peer *peer); /* seconds; 0: none */
const char *brski_peer_reason(const struct brski_peer *peer);
/*
 * The registrar has answered something inside the tunnel. An EAP-Failure before that, of a session
 * that has not failed at this end (brski_peer_reason is ""), says nothing about the device: the server
 * is busy, or does not serve the method.
 */
bool brski_peer_heard(const struct brski_peer *peer);

/* What a session cost so far; for logs and benchmarks. */
struct brski_peer_counts {
	unsigned packets; /* requests processed = EAP round trips after Identity */
	size_t octets_in; /* EAP octets, headers included */
	size_t octets_out;
};
void brski_peer_counts(const struct brski_peer *peer, struct brski_peer_counts *out);

#endif
