/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SUPPLICANT_PATCH_EAP_BRSKI_OPTIONS_H
#define BRSKI_SUPPLICANT_PATCH_EAP_BRSKI_OPTIONS_H

#include "eap_brski/pki/credential.h"

#define EAP_BRSKI_BACKOFF_MAX 3600 /* seconds, however often an onboarding fails */

#define EAP_BRSKI_BUSY 60       /* seconds after a server that is busy has put the device off ... */
#define EAP_BRSKI_BUSY_TIMES 10 /* ... so often in a row; then it is like any failure */

/* Options in phase1="brski_...=... ", see eap-brski-peer(5). */
struct eap_brski_options {
	char state[256];
	char masa_ca[256];
	char domain[254];
	char profile[128];
	u32 vendor_id;
	u32 vendor_type;
	enum brski_key_type key_type;
	bool pkcs10;
	bool implicit_confirm;
	bool clock_is_right;
	bool allow_nonceless;
	unsigned int backoff;          /* seconds after a failed onboarding, at first; 0: none */
	unsigned int retry_onboarding; /* failed logins before onboarding is tried again; 0: never */
};

/* 0, or -1 with the reason. Options that do not begin with brski_ are somebody else's. */
int eap_brski_parse_options(const char *phase1, struct eap_brski_options *out, struct brski_error *err);

#endif /* BRSKI_SUPPLICANT_PATCH_EAP_BRSKI_OPTIONS_H */
