/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/registrar/permission_internal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "eap_brski/ground/text.h"

/* A device's permission: what moves it, and what it allows. */

/* Clocks of several servers on one memory differ by this much at most, seconds. */
#define CLOCKS_DIFFER 600

static const struct brski_permission_move moves[] = {
	{BRSKI_PERMISSION_VOUCHER, BRSKI_PERMISSION_GOT_VOUCHER, BRSKI_PERMISSION_VOUCHER},
	{BRSKI_PERMISSION_VOUCHER, BRSKI_PERMISSION_LET_IN, BRSKI_PERMISSION_VOUCHER},
	{BRSKI_PERMISSION_VOUCHER, BRSKI_PERMISSION_ASKS_TO_CONFIRM, BRSKI_PERMISSION_CONFIRMING},
	{BRSKI_PERMISSION_VOUCHER, BRSKI_PERMISSION_IS_CONFIRMED, BRSKI_PERMISSION_CERTIFICATE},
	{BRSKI_PERMISSION_VOUCHER, BRSKI_PERMISSION_FALLS, BRSKI_PERMISSION_TAKEN_BACK},
	{BRSKI_PERMISSION_CONFIRMING, BRSKI_PERMISSION_GOT_VOUCHER, BRSKI_PERMISSION_VOUCHER},
	{BRSKI_PERMISSION_CONFIRMING, BRSKI_PERMISSION_LET_IN, BRSKI_PERMISSION_VOUCHER},
	{BRSKI_PERMISSION_CONFIRMING, BRSKI_PERMISSION_ASKS_TO_CONFIRM, BRSKI_PERMISSION_CONFIRMING},
	{BRSKI_PERMISSION_CONFIRMING, BRSKI_PERMISSION_IS_CONFIRMED, BRSKI_PERMISSION_CERTIFICATE},
	{BRSKI_PERMISSION_CONFIRMING, BRSKI_PERMISSION_FALLS, BRSKI_PERMISSION_TAKEN_BACK},
	{BRSKI_PERMISSION_CERTIFICATE, BRSKI_PERMISSION_GOT_VOUCHER, BRSKI_PERMISSION_VOUCHER},
	{BRSKI_PERMISSION_CERTIFICATE, BRSKI_PERMISSION_LET_IN, BRSKI_PERMISSION_VOUCHER},
	/* certConf and its answer are sent again if the answer was lost: nothing new is granted for that */
	{BRSKI_PERMISSION_CERTIFICATE, BRSKI_PERMISSION_ASKS_TO_CONFIRM, BRSKI_PERMISSION_CERTIFICATE},
	{BRSKI_PERMISSION_CERTIFICATE, BRSKI_PERMISSION_IS_CONFIRMED, BRSKI_PERMISSION_CERTIFICATE},
	{BRSKI_PERMISSION_CERTIFICATE, BRSKI_PERMISSION_REPORTS, BRSKI_PERMISSION_REPORTED},
	{BRSKI_PERMISSION_CERTIFICATE, BRSKI_PERMISSION_FALLS, BRSKI_PERMISSION_TAKEN_BACK},
	{BRSKI_PERMISSION_REPORTED, BRSKI_PERMISSION_GOT_VOUCHER, BRSKI_PERMISSION_VOUCHER},
	{BRSKI_PERMISSION_REPORTED, BRSKI_PERMISSION_LET_IN, BRSKI_PERMISSION_VOUCHER},
	{BRSKI_PERMISSION_REPORTED, BRSKI_PERMISSION_ASKS_TO_CONFIRM, BRSKI_PERMISSION_REPORTED},
	{BRSKI_PERMISSION_REPORTED, BRSKI_PERMISSION_IS_CONFIRMED, BRSKI_PERMISSION_REPORTED},
	{BRSKI_PERMISSION_REPORTED, BRSKI_PERMISSION_REPORTS, BRSKI_PERMISSION_REPORTED},
	{BRSKI_PERMISSION_REPORTED, BRSKI_PERMISSION_FALLS, BRSKI_PERMISSION_TAKEN_BACK},
	{BRSKI_PERMISSION_TAKEN_BACK, BRSKI_PERMISSION_GOT_VOUCHER, BRSKI_PERMISSION_VOUCHER},
	{BRSKI_PERMISSION_TAKEN_BACK, BRSKI_PERMISSION_FALLS, BRSKI_PERMISSION_TAKEN_BACK},
};

const struct brski_permission_move *brski_permission_move(size_t i)
{
	return i < sizeof(moves) / sizeof(moves[0]) ? &moves[i] : NULL;
}

const char *brski_permission_state_name(enum brski_permission_state state)
{
	static const char *const names[] = {
		[BRSKI_PERMISSION_VOUCHER] = "voucher",
		[BRSKI_PERMISSION_CONFIRMING] = "confirming",
		[BRSKI_PERMISSION_CERTIFICATE] = "certificate",
		[BRSKI_PERMISSION_REPORTED] = "reported",
		[BRSKI_PERMISSION_TAKEN_BACK] = "taken_back",
	};

	return (size_t)state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

const char *brski_permission_cause_name(enum brski_permission_cause cause)
{
	static const char *const names[] = {
		[BRSKI_PERMISSION_GOT_VOUCHER] = "another voucher delivered",
		[BRSKI_PERMISSION_LET_IN] = "let in without a voucher",
		[BRSKI_PERMISSION_ASKS_TO_CONFIRM] = "confirmation asked for",
		[BRSKI_PERMISSION_IS_CONFIRMED] = "certificate confirmed",
		[BRSKI_PERMISSION_REPORTS] = "success reported and answered",
		[BRSKI_PERMISSION_FALLS] = "refused",
	};

	return (size_t)cause < sizeof(names) / sizeof(names[0]) ? names[cause] : "unknown";
}

/* The only function that changes a permission's state here; the memory takes back by itself. */
static void move(struct brski_permission *p, enum brski_permission_cause cause, time_t now)
{
	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
		if (moves[i].from != p->state || moves[i].cause != cause)
			continue;
		if (moves[i].to != p->state || cause == BRSKI_PERMISSION_GOT_VOUCHER ||
			cause == BRSKI_PERMISSION_LET_IN)
			p->since = now; /* a repeat makes nothing younger */
		p->state = moves[i].to;
		return;
	}
	assert(false && "the table of permissions lacks a line");
	p->state = BRSKI_PERMISSION_TAKEN_BACK;
}

/* ---- what it allows ---- */

static bool is_young(const struct brski_registrar *r, const struct brski_permission *p, long age)
{
	time_t now = brski_now(r->env);

	return p->since - now <= CLOCKS_DIFFER && now - p->since <= age;
}

/* Rows of 0.2.0 do not know which transaction theirs is. */
static bool is_of(const struct brski_permission *p, const char *transaction)
{
	return p->transaction[0] == '\0' || strcmp(p->transaction, transaction) == 0;
}

static const char *why_not_begin(const struct brski_registrar *r, const struct brski_permission *p)
{
	if (p->state != BRSKI_PERMISSION_VOUCHER)
		return "its voucher was used for a certificate already: it needs a new voucher";
	if (!is_young(r, p, r->voucher_grant_age))
		return "its voucher was given too long ago (voucher_grant_age): it needs a new one";
	return NULL;
}

static const char *why_not_report(const struct brski_registrar *r, const struct brski_permission *p)
{
	if (p->state == BRSKI_PERMISSION_CERTIFICATE)
		return is_young(r, p, r->certificate_grant_age)
			       ? NULL
			       : "its certificate was granted too long ago (certificate_grant_age)";
	if (p->state == BRSKI_PERMISSION_REPORTED)
		return is_young(r, p, r->report_repeat_age)
			       ? NULL
			       : "it has reported that before, and too long ago to repeat it (report_repeat_age)";
	return "no certificate was granted to it here";
}

static const char no_voucher[] = "no voucher was given to this device here";
static const char taken_back[] = "its voucher was taken back by a refusal after it: it needs a new voucher";

/* NULL: it may. */
static const char *why_not(const struct brski_registrar *r, const struct brski_permission *p,
	enum brski_permission_use use, const char *transaction)
{
	if (p->revision == 0 && use == BRSKI_PERMISSION_REPORT)
		return "no certificate was granted to it here";
	if (p->revision == 0)
		return no_voucher;
	if (p->state == BRSKI_PERMISSION_TAKEN_BACK)
		return taken_back;
	if (use == BRSKI_PERMISSION_REPORT)
		return why_not_report(r, p);
	if (use == BRSKI_PERMISSION_BEGIN)
		return p->voucher[0] == '\0' ? no_voucher : why_not_begin(r, p);
	return p->state == BRSKI_PERMISSION_VOUCHER || is_of(p, transaction)
		       ? NULL
		       : "its voucher was used for another certificate: it needs a new voucher";
}

/* False: this use changes nothing. */
static bool use_it(
	struct brski_permission *p, enum brski_permission_use use, const char *transaction, time_t now)
{
	const enum brski_permission_state before = p->state;

	switch (use) {
	case BRSKI_PERMISSION_CONFIRM:
		move(p, BRSKI_PERMISSION_ASKS_TO_CONFIRM, now);
		break;
	case BRSKI_PERMISSION_HAVE:
		move(p, BRSKI_PERMISSION_IS_CONFIRMED, now);
		break;
	case BRSKI_PERMISSION_REPORT:
		move(p, BRSKI_PERMISSION_REPORTS, now);
		return p->state != before;
	case BRSKI_PERMISSION_BEGIN:
	case BRSKI_PERMISSION_GO_ON:
	default:
		return false;
	}
	if (p->state == before && p->transaction[0] != '\0')
		return false;
	snprintf(p->transaction, sizeof(p->transaction), "%s", transaction);
	return true;
}

/* ---- in the memory ---- */

/* *out of revision 0: there is none. */
static enum brski_code look_up(struct brski_registrar *r, const struct brski_device *device,
	struct brski_permission *out, struct brski_error *err)
{
	char key[BRSKI_FINGERPRINT_MAX];
	enum brski_code code = brski_note_key(device, "voucher", brski_span(NULL, 0), key, err);

	memset(out, 0, sizeof(*out));
	if (code != BRSKI_OK)
		return code;
	code = r->ops.permission_get(r->ops_ctx, key, out, err);
	if (code == BRSKI_NOT_FOUND)
		memset(out, 0, sizeof(*out));
	else if (code != BRSKI_OK)
		return brski_registrar_trouble(code, BRSKI_MEMORY_FAILS, err);
	memcpy(out->key, key, sizeof(out->key));
	out->device = device;
	return BRSKI_OK;
}

/* As the memory's permission_put. */
static enum brski_code put(
	struct brski_registrar *r, const struct brski_permission *p, struct brski_error *err)
{
	enum brski_code code = r->ops.permission_put(r->ops_ctx, p, err);

	if (code == BRSKI_OK || code == BRSKI_UNEXPECTED || code == BRSKI_NOT_FOUND)
		return code;
	return brski_registrar_trouble(code, BRSKI_MEMORY_FAILS, err);
}

static enum brski_code too_many_races(struct brski_error *err)
{
	return brski_fail(err, BRSKI_UNAVAILABLE, "others use the device's permission all the time");
}

/* Once, or without a change. BRSKI_UNEXPECTED: another was faster. */
static enum brski_code try_use(struct brski_registrar *r, const struct brski_device *device,
	enum brski_permission_use use, const char *transaction, bool change, char why[BRSKI_PERMISSION_WHY],
	struct brski_error *err)
{
	struct brski_permission p;
	const char *words;
	enum brski_code code = look_up(r, device, &p, err);

	if (code != BRSKI_OK)
		return code;
	words = why_not(r, &p, use, transaction);
	snprintf(why, BRSKI_PERMISSION_WHY, "%s", words ? words : "");
	if (words || !change || !use_it(&p, use, transaction, brski_now(r->env)))
		return BRSKI_OK;
	return put(r, &p, err);
}

enum brski_code brski_permission_ask(struct brski_registrar *r, const struct brski_device *device,
	enum brski_permission_use use, struct brski_span transaction, char why[BRSKI_PERMISSION_WHY],
	struct brski_error *err)
{
	char key[BRSKI_FINGERPRINT_MAX];
	enum brski_code code = brski_note_key(device, "transaction", transaction, key, err);

	why[0] = '\0';
	return code == BRSKI_OK ? try_use(r, device, use, key, false, why, err) : code;
}

enum brski_code brski_permission_use(struct brski_registrar *r, const struct brski_device *device,
	enum brski_permission_use use, struct brski_span transaction, char why[BRSKI_PERMISSION_WHY],
	struct brski_error *err)
{
	char key[BRSKI_FINGERPRINT_MAX];
	enum brski_code code = brski_note_key(device, "transaction", transaction, key, err);

	why[0] = '\0';
	if (code != BRSKI_OK)
		return code;
	for (unsigned i = 0; i < BRSKI_REGISTRAR_RACES_MAX; i++) {
		code = try_use(r, device, use, key, true, why, err);
		if (code != BRSKI_UNEXPECTED)
			return code;
	}
	return too_many_races(err);
}

/* Nothing was taken back. */
static bool stands(const struct brski_permission *p)
{
	return p->revision > 0 && p->state != BRSKI_PERMISSION_TAKEN_BACK;
}

/* BRSKI_UNEXPECTED: another was faster. */
static enum brski_code try_give(struct brski_registrar *r, const struct brski_device *device,
	const char *voucher, struct brski_error *err)
{
	struct brski_permission p;
	enum brski_code code = look_up(r, device, &p, err);
	bool newer;

	if (code != BRSKI_OK || (stands(&p) && strcmp(p.voucher, voucher) == 0))
		return code;
	newer = stands(&p);
	if (p.revision == 0)
		p.since = brski_now(r->env);
	else
		move(&p, BRSKI_PERMISSION_GOT_VOUCHER, brski_now(r->env));
	snprintf(p.voucher, sizeof(p.voucher), "%s", voucher);
	p.transaction[0] = '\0';
	code = put(r, &p, err);
	/* an older voucher than the last, of another conversation or repeated: the later one counts */
	return code == BRSKI_NOT_FOUND && newer ? BRSKI_OK : code;
}

enum brski_code brski_permission_give(struct brski_registrar *r, const struct brski_device *device,
	const char *voucher, struct brski_error *err)
{
	for (unsigned i = 0; i < BRSKI_REGISTRAR_RACES_MAX; i++) {
		enum brski_code code = try_give(r, device, voucher, err);

		if (code != BRSKI_UNEXPECTED)
			return code;
	}
	return too_many_races(err);
}

enum brski_code brski_permission_take_back(
	struct brski_registrar *r, const struct brski_device *device, struct brski_error *err)
{
	enum brski_code code = r->ops.permission_take_back(r->ops_ctx, device, err);

	return code == BRSKI_OK ? code : brski_registrar_trouble(code, BRSKI_MEMORY_FAILS, err);
}

/* ---- Without a voucher ---- */

static enum brski_code is_listed(const struct brski_registrar *r, const struct brski_device *device,
	bool *yes, struct brski_error *err)
{
	enum brski_code code = BRSKI_OK;

	*yes = false;
	if (r->ops.listed)
		code = r->ops.listed(r->ops_ctx, device, yes, err);
	return code == BRSKI_OK ? code : brski_registrar_trouble(code, BRSKI_MEMORY_FAILS, err);
}

/* NULL: nothing but the inventory stands against it. */
static const char *why_not_let_in(const struct brski_registrar *r, const struct brski_permission *p)
{
	if (!r->enroll_without_voucher)
		return p->revision == 0 || p->voucher[0] == '\0' ? no_voucher : why_not_begin(r, p);
	if (p->revision == 0)
		return NULL;
	if (p->state == BRSKI_PERMISSION_TAKEN_BACK)
		return taken_back;
	if (p->state == BRSKI_PERMISSION_CONFIRMING && is_young(r, p, r->voucher_grant_age))
		return "another certificate of its is confirmed now";
	return NULL;
}

/* What it is let in with stands already, or is put. BRSKI_UNEXPECTED: another was faster. */
static enum brski_code let_in(struct brski_registrar *r, struct brski_permission *p, struct brski_error *err)
{
	if (p->revision > 0 && p->voucher[0] == '\0' && !why_not_begin(r, p))
		return BRSKI_OK;
	if (p->revision == 0)
		p->since = brski_now(r->env);
	else
		move(p, BRSKI_PERMISSION_LET_IN, brski_now(r->env));
	p->voucher[0] = p->transaction[0] = '\0';
	return put(r, p, err);
}

static enum brski_code try_begin_est(struct brski_registrar *r, const struct brski_device *device,
	bool *without, char why[BRSKI_PERMISSION_WHY], struct brski_error *err)
{
	struct brski_permission p;
	const char *words;
	bool listed = false;
	enum brski_code code = look_up(r, device, &p, err);

	*without = false;
	why[0] = '\0';
	if (code != BRSKI_OK || !why_not(r, &p, BRSKI_PERMISSION_BEGIN, ""))
		return code;
	words = why_not_let_in(r, &p);
	if (!words) {
		code = is_listed(r, device, &listed, err);
		if (code == BRSKI_OK && listed)
			code = let_in(r, &p, err);
		*without = code == BRSKI_OK && listed;
		words = "it has no voucher, and est_without_voucher is for devices in the inventory alone";
	}
	if (code == BRSKI_OK && !*without)
		snprintf(why, BRSKI_PERMISSION_WHY, "%s", words);
	return code;
}

enum brski_code brski_permission_begin_est(struct brski_registrar *r, const struct brski_device *device,
	bool *without, char why[BRSKI_PERMISSION_WHY], struct brski_error *err)
{
	for (unsigned i = 0; i < BRSKI_REGISTRAR_RACES_MAX; i++) {
		enum brski_code code = try_begin_est(r, device, without, why, err);

		if (code != BRSKI_UNEXPECTED)
			return code;
	}
	return too_many_races(err);
}
