/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_EAP_METHOD_H
#define BRSKI_EAP_METHOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eap_brski/ground/bytes.h"

/*
 * What both sides of EAP-BRSKI know of the method: its type, the identity that chooses it, its keys.
 *
 * Keys come from the tunnel's exporter (RFC 8446 7.5), context the eight octets of the Expanded
 * Type. Label EXPORTER_EAP_BRSKI_Key_Material: 128 octets, MSK then EMSK. Session-Id: the Expanded
 * Type, then 64 octets of label EXPORTER_EAP_BRSKI_Session_Id.
 */
#define BRSKI_EAP_VENDOR_ID 32473 /* RFC 5612 */
#define BRSKI_EAP_VENDOR_TYPE 1
#define BRSKI_EXPANDED_TYPE_LEN 8
#define BRSKI_EAP_KEY_LEN 64
#define BRSKI_EAP_KEY_LABEL "EXPORTER_EAP_BRSKI_Key_Material"
#define BRSKI_EAP_SESSION_ID_LABEL "EXPORTER_EAP_BRSKI_Session_Id"
#define BRSKI_EAP_SESSION_ID_LEN 72 /* Expanded Type, then 64 octets of exporter */
#define BRSKI_EAP_FLIGHT_MAX 4      /* requests that go together: docs/protocol.md, Limits */
#define BRSKI_IDENTITY_DOMAIN "example.org"

/*
 * "brski@<domain>.v.eap.arpa", RFC 9965. domain NULL: BRSKI_IDENTITY_DOMAIN. False if it does not
 * fit or is no host name.
 */
bool brski_identity(const char *domain, char *out, size_t size);
/* Does this ask for provisioning: is its realm eap.arpa, or under it, in any letter case (RFC 9965)? */
bool brski_is_provisioning_identity(struct brski_span identity);
/* The eight octets 254 | Vendor-Id (3) | Vendor-Type (4). */
void brski_expanded_type(uint32_t vendor_id, uint32_t vendor_type, uint8_t out[BRSKI_EXPANDED_TYPE_LEN]);

struct brski_tunnel;
/*
 * MSK, EMSK and Session-Id of a session that has succeeded. All three are zero unless BRSKI_OK is
 * returned. tunnel NULL: it has not succeeded, BRSKI_UNEXPECTED.
 */
BRSKI_CHECKED enum brski_code brski_method_keys(struct brski_tunnel *tunnel,
	const uint8_t expanded_type[BRSKI_EXPANDED_TYPE_LEN], uint8_t msk[BRSKI_EAP_KEY_LEN],
	uint8_t emsk[BRSKI_EAP_KEY_LEN], uint8_t session_id[BRSKI_EAP_SESSION_ID_LEN],
	struct brski_error *err);

#endif
