/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_OWNER_H
#define BRSKI_SERVICES_REGISTRAR_OWNER_H

#include "eap_brski/ground/env.h"

/*
 * The name of one that takes leases of jobs (store.h): host, process, and random octets, since two in
 * one process are not the same.
 */

#define BRSKI_OWNER_MAX 128 /* octets, with the final zero */

/* A new name for somebody in this process. BRSKI_INTERNAL: no random octets. */
BRSKI_CHECKED enum brski_code brski_owner_make(
	const struct brski_env *env, char out[BRSKI_OWNER_MAX], struct brski_error *err);
/*
 * That was a process of this host, and it has ended: its lease is nobody's. False also if nobody can
 * tell, as with those of another host or of another container, or with what is no such name.
 */
bool brski_owner_is_gone(const char *owner);

#endif
