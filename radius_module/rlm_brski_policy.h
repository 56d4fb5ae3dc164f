/* SPDX-License-Identifier: BSD-3-Clause */
/* clang-format off */
#ifndef BRSKI_RADIUS_MODULE_RLM_BRSKI_POLICY_H
#define BRSKI_RADIUS_MODULE_RLM_BRSKI_POLICY_H

/**
 * @file rlm_brski_policy.h
 * @brief The administrator's own unlang as the judge of devices. Like rlm_brski.c, this is FreeRADIUS's own.
 */
#include "radius_module/conversation.h"

/** One request that a device may be judged in. Must stay where it is until it has been answered. */
typedef struct brski_unlang_t {
	REQUEST			*request;	//!< the device's.
	char const		*server;	//!< virtual server that decides.
	char const		*door;		//!< that the device came to: "eap", if nobody says another one.
	char			name[128];	//!< the same, for the log.
	struct brski_conversation_judge	judge;		//!< for struct brski_conversation_in.
} brski_unlang_t;

/** Looks at the configuration: is there such a virtual server, and can it decide? Says what is wrong. */
int brski_unlang_check(CONF_SECTION *cs, char const *server);

void brski_unlang_init(brski_unlang_t *unlang, REQUEST *request, char const *server);

#endif
