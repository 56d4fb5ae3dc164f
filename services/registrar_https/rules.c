/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar_https/rules.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/base/clock.h"
#include "services/registrar_https/rules_internal.h"

#define FIRST_MS 1000 /* until a question is sent once more; RULES_WAIT_MS has room for one more */

struct rules {
	struct brski_store *store;
	const struct brski_env *env;
	bool none; /* the operator says so */
	char name[60];
	struct radius_client *client; /* NULL: rules_server is "none", or not set */
	/* ms; 0: the server answers. Else it has not, and nobody waits for it before this moment */
	_Atomic int64_t away_until;
};

/* ---- What the store knows ---- */

/* BRSKI_OK: *found is a door that has rules; BRSKI_NOT_FOUND: there is none. */
static enum brski_code find_door(
	struct brski_store *store, struct brski_store_rules *found, struct brski_error *err)
{
	struct brski_store_place place = {0};
	unsigned n;
	enum brski_code code = brski_store_rules_page(store, &place, found, 1, &n, err);

	return code == BRSKI_OK && n == 0 ? BRSKI_NOT_FOUND : code;
}

/* Looked at whenever a device is judged: an EAP door may get rules while this one serves. */
static void ask_store(struct rules *rules, struct brski_judgement *out)
{
	struct brski_store_rules door;
	struct brski_error err = {0};

	switch (find_door(rules->store, &door, &err)) {
	case BRSKI_OK:
		out->decision = BRSKI_REFUSE;
		snprintf(out->why, sizeof(out->why),
			"%.60s has the last word at %.90s, and is not asked here: set rules_server",
			door.rules, door.door);
		break;
	case BRSKI_NOT_FOUND:
		out->no_rules = true;
		break;
	default:
		out->decision = BRSKI_DEFER;
		snprintf(out->why, sizeof(out->why), "whether there are rules is not known: %.200s", err.why);
	}
}

/* ---- What the server says ---- */

/* While it is away, one asks every RULES_AWAY_MS, and the others do not wait for him. */
static bool may_ask(struct rules *rules)
{
	int64_t until = atomic_load(&rules->away_until), now = brski_now_ms();

	return until == 0 || (now >= until && atomic_compare_exchange_strong(
						      &rules->away_until, &until, now + RULES_AWAY_MS));
}

static void is_here(struct rules *rules)
{
	if (atomic_exchange(&rules->away_until, 0) != 0)
		brski_log(rules->env, BRSKI_LOG_INFO, "%s answers again", rules->name);
}

static void is_away(struct rules *rules, const struct brski_error *err)
{
	if (atomic_exchange(&rules->away_until, brski_now_ms() + RULES_AWAY_MS) == 0)
		brski_log(rules->env, BRSKI_LOG_WARN,
			"%s does not answer, and devices are put off as long as that is so: %s (does it run with "
			"sites-enabled/brski-rules, and is rules_secret_file its secret?)",
			rules->name, err->why);
}

static void put_off(struct brski_judgement *out, const char *why)
{
	out->decision = BRSKI_DEFER;
	out->retry_after = 0;
	snprintf(out->why, sizeof(out->why), "%.255s", why);
}

static void ask_server(struct rules_visit *visit, const struct brski_device *device,
	const struct brski_manufacturer *m, const char *why, struct brski_judgement *out)
{
	struct rules *rules = visit->rules;
	struct brski_error err = {0};
	enum brski_code code;

	if (!may_ask(rules)) {
		put_off(out, "it did not answer, and is not asked again for some seconds");
		return;
	}
	code = rules_ask(rules->client, visit->peer, device, m, why, out, &err);
	if (code == BRSKI_UNAVAILABLE)
		is_away(rules, &err);
	else if (code == BRSKI_OK || code == BRSKI_MALFORMED)
		is_here(rules);
	if (code == BRSKI_TOO_LARGE) {
		out->decision = BRSKI_REFUSE;
		snprintf(out->why, sizeof(out->why), "%.255s", err.why);
	} else if (code != BRSKI_OK) {
		put_off(out, err.why);
	}
}

/* ---- One visit ---- */

static void ask_once(void *ctx, const struct brski_device *device, const struct brski_manufacturer *m,
	const char *why, struct brski_judgement *out)
{
	struct rules_visit *visit = ctx;

	if (!visit->judged) {
		visit->judged = true;
		if (visit->rules->client)
			ask_server(visit, device, m, why, &visit->judgement);
		else
			ask_store(visit->rules, &visit->judgement);
	}
	*out = visit->judgement;
}

void rules_visit_init(struct rules_visit *visit, struct rules *rules, const char *peer_address)
{
	*visit = (struct rules_visit){.rules = rules,
		.judge = {.name = rules->name, .ask = ask_once, .ctx = visit},
		.judged = rules->none,
		.judgement = {.decision = BRSKI_REFUSE, .no_rules = rules->none}};
	snprintf(visit->peer, sizeof(visit->peer), "%s", peer_address);
}

/* ---- All of them ---- */

static enum brski_code make_client(
	struct rules *rules, const struct rules_config *config, struct brski_error *err)
{
	struct radius_client_config client = {.server = config->server,
		.first_ms = FIRST_MS,
		.total_ms = RULES_WAIT_MS,
		.env = config->env};
	struct brski_buf secret = {0};
	enum brski_code code;

	if (!config->secret_file || !config->secret_file[0])
		return brski_fail(err, BRSKI_MALFORMED, "rules_server needs rules_secret_file");
	code = rules_secret_read(config->secret_file, &secret, err);
	client.secret = brski_buf_span(&secret);
	if (code != BRSKI_OK)
		code = brski_fail_context(err, code, "rules_secret_file");
	else if ((code = radius_client_new(&client, &rules->client, err)) != BRSKI_OK)
		code = brski_fail_context(
			err, code, code == BRSKI_UNSUPPORTED ? "rules_secret_file" : "rules_server");
	brski_buf_free(&secret);
	return code;
}

/* What the operator would wonder at later. */
static enum brski_code look_around(const struct rules *rules, struct brski_error *err)
{
	struct brski_store_rules door;
	enum brski_code code = find_door(rules->store, &door, err);

	if (code == BRSKI_OK && rules->none)
		brski_log(rules->env, BRSKI_LOG_WARN,
			"rules_server is \"none\": %s, which has the last word at %s, is not asked here",
			door.rules, door.door);
	else if (code == BRSKI_OK && !rules->client)
		brski_log(rules->env, BRSKI_LOG_WARN,
			"%s has the last word at %s, and rules_server is not set: every device is refused",
			door.rules, door.door);
	return code == BRSKI_NOT_FOUND ? BRSKI_OK : code;
}

enum brski_code rules_new(const struct rules_config *config, struct rules **out, struct brski_error *err)
{
	struct rules *rules = calloc(1, sizeof(*rules));
	bool is_set = config->server && config->server[0];
	enum brski_code code = BRSKI_OK;

	*out = NULL;
	if (!rules)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for rules");
	rules->store = config->store;
	rules->env = config->env;
	rules->none = is_set && strcmp(config->server, "none") == 0;
	snprintf(rules->name, sizeof(rules->name), "rules_server%s%s", is_set ? " " : "",
		is_set ? config->server : "");
	if (is_set && !rules->none)
		code = make_client(rules, config, err);
	if (code == BRSKI_OK)
		code = look_around(rules, err);
	if (code == BRSKI_OK)
		*out = rules;
	else
		rules_free(rules);
	return code;
}

void rules_free(struct rules *rules)
{
	if (!rules)
		return;
	radius_client_free(rules->client);
	free(rules);
}
