/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TESTS_ODD_PEER_H
#define BRSKI_TESTS_ODD_PEER_H

#include "eap_brski/eap/peer.h"

/*
 * An EAP-BRSKI peer that does what the library's never does: its certification requests are signed
 * by another device's credential. Link, tunnel and pledge role are the library's; what leaves the
 * pledge role is replaced here.
 */
struct odd_peer;

/* cmp_signer is borrowed. */
BRSKI_CHECKED enum brski_code odd_peer_new(const struct brski_peer_config *config,
	const struct brski_credential *cmp_signer, struct odd_peer **out, struct brski_error *err);
void odd_peer_free(struct odd_peer *peer);
/* As brski_peer_process; an error ends it. */
BRSKI_CHECKED enum brski_code odd_peer_process(struct odd_peer *peer, struct brski_span request,
	struct brski_buf *reply, enum brski_peer_result *result, unsigned *delay_ms, struct brski_error *err);

#endif
