/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TESTS_WRONG_KEY_H
#define BRSKI_TESTS_WRONG_KEY_H

#include "eap_brski/pki/credential.h"

/* The credential's private key becomes one that is not its certificate's, and that TLS takes all the same. */
BRSKI_CHECKED enum brski_code wrong_key_take(struct brski_credential *credential, struct brski_error *err);

#endif
