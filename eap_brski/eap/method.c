/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/eap/method.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>

#include "eap_brski/transport/tunnel.h"

#define LABEL_MAX 63
#define HOST_NAME_MAX_OCTETS 253

static bool is_label_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

/*
 * RFC 1123 2.1: letters, digits and hyphens, none of them at an end of a label; RFC 7542 2.2 wants
 * two labels at least.
 */
static bool is_host_name(const char *name)
{
	size_t label = 0;
	size_t labels = 1;

	if (strlen(name) > HOST_NAME_MAX_OCTETS)
		return false;
	for (const char *c = name; *c != '\0'; c++) {
		if (*c == '.') {
			if (label == 0 || c[-1] == '-')
				return false;
			label = 0;
			labels++;
		} else if (!is_label_char(*c) || (*c == '-' && label == 0) || ++label > LABEL_MAX) {
			return false;
		}
	}
	return label > 0 && name[strlen(name) - 1] != '-' && labels >= 2;
}

bool brski_identity(const char *domain, char *out, size_t size)
{
	int len;

	if (size > 0)
		out[0] = '\0';
	if (!domain)
		domain = BRSKI_IDENTITY_DOMAIN;
	if (!is_host_name(domain))
		return false;
	len = snprintf(out, size, "brski@%s.v.eap.arpa", domain);
	if (len >= 0 && (size_t)len < size)
		return true;
	if (size > 0)
		out[0] = '\0';
	return false;
}

bool brski_is_provisioning_identity(struct brski_span identity)
{
	static const char domain[] = "eap.arpa";
	size_t len = sizeof(domain) - 1;
	const char *end;

	if (identity.len <= len)
		return false;
	end = (const char *)identity.data + identity.len - len;
	if (strncasecmp(end, domain, len) != 0)
		return false;
	return end[-1] == '@' || (end[-1] == '.' && memchr(identity.data, '@', identity.len));
}

/* RFC 3748 5.7 */
void brski_expanded_type(uint32_t vendor_id, uint32_t vendor_type, uint8_t out[BRSKI_EXPANDED_TYPE_LEN])
{
	out[0] = 254;
	for (unsigned i = 0; i < 3; i++)
		out[1 + i] = (uint8_t)(vendor_id >> (16 - 8 * i));
	for (unsigned i = 0; i < 4; i++)
		out[4 + i] = (uint8_t)(vendor_type >> (24 - 8 * i));
}

static enum brski_code export_keys(struct brski_tunnel *tunnel, const uint8_t *type, uint8_t *keys,
	uint8_t *session_id, struct brski_error *err)
{
	struct brski_span context = brski_span(type, BRSKI_EXPANDED_TYPE_LEN);
	enum brski_code code =
		brski_tunnel_export(tunnel, BRSKI_EAP_KEY_LABEL, context, keys, 2 * BRSKI_EAP_KEY_LEN, err);

	if (code == BRSKI_OK)
		code = brski_tunnel_export(tunnel, BRSKI_EAP_SESSION_ID_LABEL, context,
			session_id + BRSKI_EXPANDED_TYPE_LEN,
			BRSKI_EAP_SESSION_ID_LEN - BRSKI_EXPANDED_TYPE_LEN, err);
	return code;
}

enum brski_code brski_method_keys(struct brski_tunnel *tunnel,
	const uint8_t expanded_type[BRSKI_EXPANDED_TYPE_LEN], uint8_t msk[BRSKI_EAP_KEY_LEN],
	uint8_t emsk[BRSKI_EAP_KEY_LEN], uint8_t session_id[BRSKI_EAP_SESSION_ID_LEN],
	struct brski_error *err)
{
	uint8_t keys[2 * BRSKI_EAP_KEY_LEN] = {0};
	enum brski_code code;

	memset(msk, 0, BRSKI_EAP_KEY_LEN);
	memset(emsk, 0, BRSKI_EAP_KEY_LEN);
	memset(session_id, 0, BRSKI_EAP_SESSION_ID_LEN);
	if (!tunnel)
		return brski_fail(err, BRSKI_UNEXPECTED, "there are no keys without success");
	code = export_keys(tunnel, expanded_type, keys, session_id, err);
	if (code == BRSKI_OK) {
		memcpy(msk, keys, BRSKI_EAP_KEY_LEN);
		memcpy(emsk, keys + BRSKI_EAP_KEY_LEN, BRSKI_EAP_KEY_LEN);
		memcpy(session_id, expanded_type, BRSKI_EXPANDED_TYPE_LEN);
	} else {
		memset(session_id, 0, BRSKI_EAP_SESSION_ID_LEN);
	}
	OPENSSL_cleanse(keys, sizeof(keys));
	return code;
}
