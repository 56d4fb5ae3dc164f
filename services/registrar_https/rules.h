/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_HTTPS_RULES_H
#define BRSKI_SERVICES_REGISTRAR_HTTPS_RULES_H

#include "services/registrar/policy.h"

/*
 * The administrator's own rules at this door. They are unlang in a virtual server of FreeRADIUS, which
 * rlm_brski runs for the devices of its EAP door; this door asks rlm_brski by RADIUS, and it runs the
 * same rules on the same attributes (services/registrar/rules_question.h).
 */
struct rules;

struct rules_config {
	/*
	 * "ADDRESS:PORT" of the RADIUS server, IPv4 or "[IPv6]:PORT"; "none": there are no rules. NULL or "":
	 * not said, and then devices are refused as long as the store knows of a door that has rules.
	 */
	const char *server;
	const char *secret_file;   /* "secret = ..." on a line, shared with that server; read by rules_new */
	struct brski_store *store; /* borrowed, like env */
	const struct brski_env *env; /* may be NULL */
};

/*
 * Calls nobody yet. BRSKI_MALFORMED, BRSKI_UNSUPPORTED: a setting will not do; BRSKI_NOT_FOUND,
 * BRSKI_UNTRUSTED: the secret's file is missing, or others than its owner and group may read it. The
 * words name the setting. What is odd but no obstacle goes to the log.
 */
BRSKI_CHECKED enum brski_code rules_new(
	const struct rules_config *config, struct rules **out, struct brski_error *err);
/* No visit may be under way. Wipes the secret. NULL is allowed. */
void rules_free(struct rules *rules);

/*
 * One session's: the rules are asked once, when the device is first put to them, and what they said
 * holds. Used by one thread at a time; must stay where it is. Asking may take RULES_WAIT_MS; while
 * the server is known not to answer it takes no time, and the device is put off (BRSKI_DEFER).
 */
struct rules_visit {
	struct brski_judge judge; /* for brski_registrar_session_visit() */
	struct rules *rules;      /* the rest is its own */
	char peer[64];
	bool judged;
	struct brski_judgement judgement;
};
/* rules are borrowed; peer_address, the device's as text, is copied. */
void rules_visit_init(struct rules_visit *visit, struct rules *rules, const char *peer_address);

#define RULES_WAIT_MS 4000  /* that one asking takes at most */
#define RULES_AWAY_MS 10000 /* that nobody else waits for a server that has not answered */

#endif
