/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BASE_RADIUS_PACKET_H
#define BRSKI_SERVICES_BASE_RADIUS_PACKET_H

#include "eap_brski/ground/bytes.h"

/*
 * RADIUS packets of a client: Access-Request, and what answers it (RFC 2865). Nothing is taken of an
 * answer without a right Message-Authenticator: the Response Authenticator alone is MD5 over what an
 * attacker may choose, and can be forged (RFC 3579 3.2, 4.3.2; CVE-2024-3596).
 */

#define RADIUS_PACKET_MAX 4096 /* RFC 2865 3 */
#define RADIUS_HEADER_LEN 20
#define RADIUS_AUTHENTICATOR_LEN 16
#define RADIUS_VALUE_MAX 253  /* octets of an attribute */
#define RADIUS_VENDOR_MAX 247 /* of a vendor's, RFC 2865 5.26 */

enum radius_code {
	RADIUS_ACCESS_REQUEST = 1,
	RADIUS_ACCESS_ACCEPT = 2,
	RADIUS_ACCESS_REJECT = 3,
	RADIUS_ACCESS_CHALLENGE = 11,
};

enum radius_attribute {
	RADIUS_VENDOR_SPECIFIC = 26,
	RADIUS_CALLING_STATION_ID = 31,
	RADIUS_NAS_IDENTIFIER = 32,
	RADIUS_NAS_PORT_TYPE = 61,
	RADIUS_MESSAGE_AUTHENTICATOR = 80, /* RFC 3579 3.2 */
};

/* What is put into it stays as it is when something does not fit: one look at `failed`, when it is signed. */
struct radius_packet {
	uint8_t octets[RADIUS_PACKET_MAX];
	size_t len;
	bool failed;
};

/* An Access-Request; its Message-Authenticator is the first of its attributes. */
void radius_packet_begin(struct radius_packet *p);
/* One attribute; of an empty value none, which RFC 2865 5 does not allow. Longer than RADIUS_VALUE_MAX: fails. */
void radius_packet_put(struct radius_packet *p, enum radius_attribute type, struct brski_span value);
void radius_packet_put_number(struct radius_packet *p, enum radius_attribute type, uint32_t value);
/* A vendor's attribute, as many of them as the value needs. */
void radius_packet_put_vendor(
	struct radius_packet *p, uint32_t vendor, uint8_t type, struct brski_span value);
/*
 * Makes it ready to be sent: the Authenticator should be random, and never one that was used with
 * this secret before (RFC 2865 3). BRSKI_TOO_LARGE: something did not fit; BRSKI_INTERNAL: OpenSSL.
 */
BRSKI_CHECKED enum brski_code radius_packet_sign(struct radius_packet *p, uint8_t identifier,
	const uint8_t authenticator[RADIUS_AUTHENTICATOR_LEN], struct brski_span secret,
	struct brski_error *err);

struct radius_answer {
	enum radius_code code;
	struct brski_span attributes; /* within the datagram; each is whole */
};
/*
 * Is the datagram an answer to this very request? *out borrows from it. BRSKI_MALFORMED: it is no RADIUS
 * packet; BRSKI_MISMATCH: one of another kind, or for another Identifier; BRSKI_BAD_SIGNATURE: its
 * Message-Authenticator is missing or wrong, or its Response Authenticator; BRSKI_INTERNAL: OpenSSL.
 */
BRSKI_CHECKED enum brski_code radius_answer_read(struct brski_span datagram,
	const struct radius_packet *request, struct brski_span secret, struct radius_answer *out,
	struct brski_error *err);

/* The vendor's attribute of this type, number i of them from 0, in its order. False: there are no more. */
bool radius_answer_vendor(const struct radius_answer *answer, uint32_t vendor, uint8_t type, unsigned i,
	struct brski_span *out);

#endif
