/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_RADIUS_MODULE_EAP_PACKET_H
#define BRSKI_RADIUS_MODULE_EAP_PACKET_H

#include "eap_brski/ground/bytes.h"

/* EAP's header, RFC 3748 4 and 5, as far as one method's server has to do with it. */

enum { BRSKI_EAP_REQUEST = 1, BRSKI_EAP_RESPONSE = 2, BRSKI_EAP_SUCCESS = 3, BRSKI_EAP_FAILURE = 4 };
enum { BRSKI_EAP_TYPE_IDENTITY = 1 };

struct brski_eap_packet {
	struct brski_span whole; /* as its Length says */
	uint8_t code, id, type;
	struct brski_span data; /* after the type */
};

/* What is ours to answer. */
struct brski_eap_method {
	uint8_t expanded_type[8];
	char identity[280];
};

/* False, and all zero, for what is no response or not all there. Octets behind Length are padding. */
bool brski_eap_parse(struct brski_span in, struct brski_eap_packet *out);
/* True for our Expanded Type, RFC 3748 5.7; *data gets what is behind it (NULL: of no interest). */
bool brski_eap_is_ours(
	const struct brski_eap_method *m, const struct brski_eap_packet *p, struct brski_span *data);
/* A legacy Nak, or an expanded one: vendor 0, type 3 (RFC 3748 5.3). */
bool brski_eap_is_nak(const struct brski_eap_packet *p);
/* The realm in any letter case (RFC 7542 2.4); the user part as it is. */
bool brski_eap_is_our_identity(const struct brski_eap_method *m, struct brski_span identity);

/* These two append to *out. */
void brski_eap_write_request(
	const struct brski_eap_method *m, uint8_t id, const struct brski_buf *data, struct brski_buf *out);
/* EAP-Success or EAP-Failure. */
void brski_eap_write_end(uint8_t code, uint8_t id, struct brski_buf *out);

#endif
