/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_HTTPS_DOOR_H
#define BRSKI_SERVICES_REGISTRAR_HTTPS_DOOR_H

#include <event2/event.h>

#include "services/registrar_https/door_settings.h"

/*
 * The HTTPS door to a registrar's site. One thread runs the loop, with sockets, TLS and HTTP; a few
 * more do the registrar role's work; nobody waits in one of them for a MASA, the PKI or the disk: the
 * request does, in the loop, for as long as `wait` says, and its device is told to come back then.
 */
struct door;

/*
 * Makes site and listener. base NULL: looks at everything, and serves nothing. settings and env must
 * outlive it. The error says which setting will not do, and what to do about it; what is odd but no
 * obstacle goes to the log.
 */
BRSKI_CHECKED enum brski_code door_new(struct event_base *base, const struct door_settings *settings,
	const struct brski_env *env, struct door **out, struct brski_error *err);
/*
 * In the loop's thread: every request is told to come back from now on; those under way are answered,
 * without waiting for MASA or PKI any more, and then the loop is left. The second time, at once.
 */
void door_stop(struct door *door);
/* The loop has been left. NULL is allowed. */
void door_free(struct door *door);

#endif
