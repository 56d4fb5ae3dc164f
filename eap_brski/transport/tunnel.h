/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TRANSPORT_TUNNEL_H
#define BRSKI_TRANSPORT_TUNNEL_H

#include <openssl/ssl.h>

#include "eap_brski/ground/env.h"
#include "eap_brski/pki/credential.h"

/*
 * The TLS 1.3 tunnel over memory: octets in, octets out. ALPN "eap-brski/1", certificates on both
 * sides, no tickets, no resumption, no early data. The TLS library is seen nowhere else in
 * transport/ or above.
 */
#define BRSKI_ALPN "eap-brski/1"

/*
 * Server: decides on the peer's chain (leaf first) in the handshake, before anything of the peer is
 * believed. The error's code picks the alert: BRSKI_UNTRUSTED unknown_ca, BRSKI_EXPIRED
 * certificate_expired, BRSKI_REVOKED certificate_revoked, anything else bad_certificate. `certs`
 * belongs to the tunnel.
 */
typedef enum brski_code brski_tunnel_verify(void *ctx, STACK_OF(X509) *certs, struct brski_error *err);

/*
 * Shared by the tunnels of one front end; holds the credential (reference counted). Immutable, so
 * threads may share it.
 */
struct brski_tunnel_config;
BRSKI_CHECKED enum brski_code brski_tunnel_config_new(bool server, const struct brski_credential *credential,
	struct brski_tunnel_config **out, struct brski_error *err);
void brski_tunnel_config_free(struct brski_tunnel_config *config);

struct brski_tunnel;
enum brski_tunnel_state {
	BRSKI_TUNNEL_HANDSHAKE,
	BRSKI_TUNNEL_OPEN,   /* the handshake is complete on this side */
	BRSKI_TUNNEL_CLOSED, /* close_notify, or a fatal alert, came or went */
};

/*
 * Client: verify may be NULL: provisional acceptance (RFC 8995 5.1), any server certificate is
 * taken and kept for later.
 */
BRSKI_CHECKED enum brski_code brski_tunnel_new(struct brski_tunnel_config *config,
	brski_tunnel_verify *verify, void *verify_ctx, struct brski_tunnel **out, struct brski_error *err);
void brski_tunnel_free(struct brski_tunnel *tunnel);

/*
 * Takes octets of TLS records from the other side (all of them; may be empty to start the client)
 * and goes as far as it can. What is to be sent is appended to *out, also on failure: then it holds
 * the alert. Decrypted application data is appended to *plain.
 */
BRSKI_CHECKED enum brski_code brski_tunnel_feed(struct brski_tunnel *tunnel, struct brski_span in,
	struct brski_buf *out, struct brski_buf *plain, struct brski_error *err);
/*
 * These octets are one record that holds no more than an alert, as far as its length and type tell:
 * the other side leaves. Hardly any work is in such a record, whatever it is.
 */
bool brski_tunnel_is_alert(struct brski_span records);
/* Encrypts; in state OPEN only. */
BRSKI_CHECKED enum brski_code brski_tunnel_write(
	struct brski_tunnel *tunnel, struct brski_span plain, struct brski_buf *out, struct brski_error *err);
/* Appends a close_notify alert. */
void brski_tunnel_close(struct brski_tunnel *tunnel, struct brski_buf *out);

enum brski_tunnel_state brski_tunnel_state(const struct brski_tunnel *tunnel);
/*
 * The other side's chain as it was sent, leaf first; NULL before the handshake told. Belongs to the
 * tunnel.
 */
STACK_OF(X509) *brski_tunnel_peer_chain(const struct brski_tunnel *tunnel);
/* TLS exporter, RFC 8446 7.5. Label EXPORTER_EAP_BRSKI_*, context the Expanded Type's eight octets. */
BRSKI_CHECKED enum brski_code brski_tunnel_export(struct brski_tunnel *tunnel, const char *label,
	struct brski_span context, uint8_t *out, size_t len, struct brski_error *err);

#endif
