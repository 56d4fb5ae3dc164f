/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_SITE_CREDENTIAL_H
#define BRSKI_SERVICES_REGISTRAR_SITE_CREDENTIAL_H

#include "eap_brski/ground/env.h"
#include "eap_brski/pki/credential.h"
#include "services/registrar/config.h"

/*
 * Loads the registrar's key, certificate and trust anchors as the settings say, for the server and for
 * brskictl alike, and refuses what would fail with every device: a key that does not fit
 * (BRSKI_MISMATCH), a certificate twice (BRSKI_MALFORMED), one that does not lead to ca_file, for
 * instance since an intermediate is missing, or that is no registrar's, RFC 8995 5.5.4
 * (BRSKI_UNTRUSTED). Dates are a warning in the log alone: other users of the server are served
 * nevertheless. *credential and *anchors are the caller's, also after an error.
 */
BRSKI_CHECKED enum brski_code brski_site_credential_load(const struct brski_config *settings,
	const struct brski_env *env, struct brski_credential *credential, STACK_OF(X509) **anchors,
	struct brski_error *err);

#endif
