/* SPDX-License-Identifier: BSD-3-Clause */
/* clang-format off */
#ifndef BRSKI_RADIUS_MODULE_RLM_BRSKI_RULES_H
#define BRSKI_RADIUS_MODULE_RLM_BRSKI_RULES_H

/**
 * @file rlm_brski_rules.h
 * @brief Another door of the registrar asks for the rules that hold at this one: services/registrar/rules_question.h.
 */
#include <freeradius/radiusd.h>

#include "radius_module/rlm_brski_policy.h"

/** Makes the attributes of questions and answers, if no dictionary has. -1: the log says why. */
int brski_rules_attributes(CONF_SECTION *cs);

/** Is it a question, rightly put or not? EAP is none. */
bool brski_rules_claim(REQUEST *request);

/*
 *	Answers it, with an Access-Accept or an Access-Reject that has nothing but the decision in it. server: the virtual server
 *	that decides; NULL: none is set. Nobody but a client of "brski_rules = yes" may ask, in a packet of its own that has a
 *	Message-Authenticator: what a supplicant has sent in some method's tunnel is refused, like what is malformed.
 */
rlm_rcode_t brski_rules_answer(REQUEST *request, char const *server);

#endif
