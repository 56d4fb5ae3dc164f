/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/eap/server_internal.h"

#include <assert.h>
#include <stdbool.h>

static const struct brski_server_transition transitions[] = {
	{BRSKI_STAGE_TALKING, BRSKI_SERVER_ASKED, BRSKI_STAGE_WORK},
	{BRSKI_STAGE_TALKING, BRSKI_SERVER_ANSWERED, BRSKI_STAGE_TALKING}, /* nothing was asked for */
	{BRSKI_STAGE_TALKING, BRSKI_SERVER_LAST_WORDS, BRSKI_STAGE_ENDING},
	{BRSKI_STAGE_TALKING, BRSKI_SERVER_ENROLLED, BRSKI_STAGE_SUCCESS},
	{BRSKI_STAGE_TALKING, BRSKI_SERVER_BROKEN, BRSKI_STAGE_FAILURE},
	{BRSKI_STAGE_WORK, BRSKI_SERVER_ANSWERED, BRSKI_STAGE_TALKING}, /* by TLS alone */
	{BRSKI_STAGE_WORK, BRSKI_SERVER_NEEDS_JOB, BRSKI_STAGE_JOB},
	{BRSKI_STAGE_WORK, BRSKI_SERVER_READY, BRSKI_STAGE_HOLD},
	{BRSKI_STAGE_WORK, BRSKI_SERVER_LAST_WORDS, BRSKI_STAGE_ENDING},
	{BRSKI_STAGE_WORK, BRSKI_SERVER_BROKEN, BRSKI_STAGE_FAILURE},
	{BRSKI_STAGE_JOB, BRSKI_SERVER_NEEDS_JOB, BRSKI_STAGE_JOB}, /* the flight's next request */
	{BRSKI_STAGE_JOB, BRSKI_SERVER_READY, BRSKI_STAGE_HOLD},
	{BRSKI_STAGE_JOB, BRSKI_SERVER_LAST_WORDS, BRSKI_STAGE_ENDING},
	{BRSKI_STAGE_JOB, BRSKI_SERVER_BROKEN, BRSKI_STAGE_FAILURE},
	{BRSKI_STAGE_HOLD, BRSKI_SERVER_ANSWERED, BRSKI_STAGE_TALKING},
	{BRSKI_STAGE_HOLD, BRSKI_SERVER_BROKEN, BRSKI_STAGE_FAILURE},
	{BRSKI_STAGE_ENDING, BRSKI_SERVER_BROKEN, BRSKI_STAGE_FAILURE},
};

const struct brski_server_transition *brski_server_transition(size_t i)
{
	return i < sizeof(transitions) / sizeof(transitions[0]) ? &transitions[i] : NULL;
}

const char *brski_server_stage_name(enum brski_server_stage stage)
{
	static const char *const names[] = {
		[BRSKI_STAGE_TALKING] = "talking",
		[BRSKI_STAGE_WORK] = "work",
		[BRSKI_STAGE_JOB] = "job",
		[BRSKI_STAGE_HOLD] = "hold",
		[BRSKI_STAGE_ENDING] = "ending",
		[BRSKI_STAGE_SUCCESS] = "success",
		[BRSKI_STAGE_FAILURE] = "failure",
	};

	return (size_t)stage < sizeof(names) / sizeof(names[0]) ? names[stage] : "unknown";
}

const char *brski_server_cause_name(enum brski_server_cause cause)
{
	static const char *const names[] = {
		[BRSKI_SERVER_ASKED] = "a message is complete",
		[BRSKI_SERVER_NEEDS_JOB] = "MASA or PKI must be asked",
		[BRSKI_SERVER_READY] = "the answer is ready",
		[BRSKI_SERVER_ANSWERED] = "the answer goes out",
		[BRSKI_SERVER_LAST_WORDS] = "an alert goes out",
		[BRSKI_SERVER_ENROLLED] = "enrolled",
		[BRSKI_SERVER_BROKEN] = "the peer left, or broke the rules",
	};

	return (size_t)cause < sizeof(names) / sizeof(names[0]) ? names[cause] : "unknown";
}

void brski_server_move(enum brski_server_stage *stage, enum brski_server_cause cause)
{
	for (size_t i = 0; i < sizeof(transitions) / sizeof(transitions[0]); i++) {
		if (transitions[i].from == *stage && transitions[i].cause == cause) {
			*stage = transitions[i].to;
			return;
		}
	}
	assert(false && "the table of stages lacks a line");
	*stage = BRSKI_STAGE_FAILURE;
}
