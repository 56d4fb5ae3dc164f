/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/modes.h"

#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "eap_brski/ground/shell.h"

#define WHY_MAX 256
#define SUBJECT_MAX 2048 /* a subject that is longer fits no rule: what is cut off could matter */

struct question {
	struct brski_store *store;
	const struct brski_env *env;
	unsigned most;
	const struct brski_device *device;
	const struct brski_manufacturer *m;
	enum brski_standing standing;
	enum brski_decision *decision;
	char *why;
};

static enum brski_code say(struct question *q, enum brski_decision decision, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static enum brski_code say(struct question *q, enum brski_decision decision, const char *fmt, ...)
{
	va_list args;

	*q->decision = decision;
	va_start(args, fmt);
	if (vsnprintf(q->why, WHY_MAX, fmt, args) < 0)
		q->why[0] = '\0';
	va_end(args);
	return BRSKI_OK;
}

/*
 * With what the operator would type of it: all of it, or where to find it. Names that are very long
 * and full of quotation marks do not fit.
 */
static enum brski_code say_command(
	struct question *q, enum brski_decision decision, const char *words, const char *command)
{
	const char *const operands[] = {q->device->manufacturer, q->device->serial_number};
	char line[WHY_MAX];
	size_t used = strlen(words) + strlen(": ");

	if (brski_shell_command(line, sizeof(line) - used, command, operands, 2))
		return say(q, decision, "%s: %s", words, line);
	return say(q, decision, "%s (%s)", words, command);
}

/* ---- manual ---- */

static enum brski_code ask_operator(struct question *q, struct brski_error *err)
{
	struct brski_store_candidate c = {.last_seen = brski_now(q->env)};
	struct brski_error full = {0};
	enum brski_code code;

	snprintf(c.manufacturer, sizeof(c.manufacturer), "%s", q->device->manufacturer);
	snprintf(c.serial_number, sizeof(c.serial_number), "%s", q->device->serial_number);
	snprintf(c.subject, sizeof(c.subject), "%s", q->device->subject);
	snprintf(c.fingerprint, sizeof(c.fingerprint), "%s", q->device->fingerprint);
	code = brski_store_candidate_seen(q->store, &c, q->most, &full);
	if (code == BRSKI_TOO_LARGE)
		return say(q, BRSKI_DEFER, "%s (max_waiting), so this one is not noted", full.why);
	if (code != BRSKI_OK) {
		if (err)
			*err = full;
		return code;
	}
	return say_command(q, BRSKI_DEFER, "waits for the operator", "brskictl accept");
}

/* ---- type ---- */

bool brski_type_fits(const char *pattern, const char *subject, const char *type)
{
	const size_t prefix = strlen(BRSKI_TYPE_HARDWARE);

	if (strncmp(pattern, BRSKI_TYPE_HARDWARE, prefix) == 0)
		return type[0] && fnmatch(pattern + prefix, type, FNM_NOESCAPE) == 0;
	return subject[0] && fnmatch(pattern, subject, FNM_NOESCAPE) == 0;
}

struct search {
	char subject[SUBJECT_MAX];
	char type[BRSKI_OID_TEXT_MAX];
	char found[BRSKI_TYPE_PATTERN_MAX];
};

static enum brski_code try_rules(struct question *q, struct search *s, struct brski_error *err)
{
	struct brski_store_type rules[BRSKI_STORE_PAGE];
	struct brski_store_place place = {0};
	enum brski_code code;
	unsigned n;

	do {
		code = brski_store_types_page(q->store, q->m->name, &place, rules, BRSKI_STORE_PAGE, &n, err);
		for (unsigned i = 0; i < n && !s->found[0]; i++)
			if (brski_type_fits(rules[i].pattern, s->subject, s->type))
				snprintf(s->found, sizeof(s->found), "%s", rules[i].pattern);
	} while (code == BRSKI_OK && n == BRSKI_STORE_PAGE && !s->found[0]);
	return code;
}

static enum brski_code decide_type(struct question *q, struct brski_error *err)
{
	const X509 *idevid = q->device->idevid;
	struct search s = {0};
	enum brski_code code;

	if (idevid) {
		brski_name_text(X509_get_subject_name(idevid), s.subject, sizeof(s.subject));
		if (strlen(s.subject) + 1 == sizeof(s.subject))
			s.subject[0] = '\0';
		if (brski_cert_hardware_type(idevid, s.type, NULL) != BRSKI_OK)
			s.type[0] = '\0';
	}
	code = try_rules(q, &s, err);
	if (code != BRSKI_OK)
		return code;
	if (s.found[0])
		return say(q, BRSKI_ACCEPT, "its type fits '%s'", s.found);
	return say(q, BRSKI_REFUSE,
		"fits no type of manufacturer %s (brskictl type list): subject %.120s%s%s", q->m->name,
		s.subject, s.type[0] ? ", hardware type " : "", s.type);
}

/* ---- all of them ---- */

static enum brski_code by_mode(struct question *q, struct brski_error *err)
{
	switch (q->m->mode) {
	case BRSKI_MODE_INVENTORY:
		return say_command(
			q, BRSKI_REFUSE, "not in the inventory; add it with", "brskictl device add");
	case BRSKI_MODE_MANUAL:
		return ask_operator(q, err);
	case BRSKI_MODE_MANUFACTURER:
		return say(q, BRSKI_ACCEPT, "every device of %s is welcome", q->m->name);
	case BRSKI_MODE_TYPE:
		return decide_type(q, err);
	case BRSKI_MODE_OPEN:
		brski_log(q->env, BRSKI_LOG_WARN,
			"mode 'open' of manufacturer %s admits device %s WITHOUT ANY CHECK", q->m->name,
			q->device->serial_number);
		return say(q, BRSKI_ACCEPT, "mode 'open': nothing was checked");
	}
	return say(q, BRSKI_REFUSE, "the mode of manufacturer %s is one that this version does not know",
		q->m->name);
}

static bool is_known(enum brski_mode mode)
{
	return mode == BRSKI_MODE_INVENTORY || mode == BRSKI_MODE_MANUAL || mode == BRSKI_MODE_MANUFACTURER ||
	       mode == BRSKI_MODE_TYPE || mode == BRSKI_MODE_OPEN;
}

enum brski_code brski_mode_decide(struct brski_store *store, const struct brski_env *env, unsigned most,
	const struct brski_device *device, const struct brski_manufacturer *m, enum brski_decision *decision,
	char why[256], struct brski_error *err)
{
	struct question q = {.store = store,
		.env = env,
		.most = most,
		.device = device,
		.m = m,
		.decision = decision,
		.why = why};
	enum brski_code code;

	*decision = BRSKI_REFUSE;
	code = brski_store_standing(store, device->manufacturer, device->serial_number, &q.standing, err);
	if (code != BRSKI_OK)
		return code;
	if (q.standing == BRSKI_STANDING_REFUSED)
		return say_command(&q, BRSKI_REFUSE, "refused by the operator; he may change his mind with",
			"brskictl accept");
	if (q.standing == BRSKI_STANDING_LISTED && is_known(m->mode) && m->mode != BRSKI_MODE_OPEN)
		return say(&q, BRSKI_ACCEPT, "listed in the inventory");
	return by_mode(&q, err);
}
