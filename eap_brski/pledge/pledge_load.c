/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/pledge/pledge_internal.h"

#include <string.h>

/* What an earlier run left in the storage, and whether it can be gone on with. */

/* A clock that was set back, or starts in 1970 at every boot, must not make the wait endless. */
static void limit_wait(struct brski_pledge *p)
{
	long now = (long)brski_now(p->config.env);

	if (p->rec.not_before > now && p->rec.not_before - now > p->rec.told + 1)
		p->rec.not_before = now + p->rec.told + 1;
}

/* What the storage holds is this device's, and whole. */
static enum brski_code parse_state(
	struct brski_pledge *p, struct brski_span json, const char *idevid, struct brski_error *err)
{
	enum brski_code code;

	code = brski_pledge_record_parse(json, &p->rec, err);
	if (code == BRSKI_OK && strcmp(p->rec.idevid, idevid) != 0)
		code = brski_fail(err, BRSKI_MISMATCH, "the state was kept for another IDevID");
	if (code == BRSKI_OK)
		code = brski_pledge_load_anchors(p, err);
	return code;
}

static enum brski_code set_aside(
	struct brski_pledge *p, const struct brski_error *why, struct brski_error *err)
{
	enum brski_code code;

	brski_log(p->config.env, BRSKI_LOG_ERROR,
		"the pledge's stored state is set aside, onboarding starts over: %s", why->why);
	code = p->config.storage->set_aside(p->config.storage->ctx, err);
	return code == BRSKI_OK
		       ? BRSKI_OK
		       : brski_fail_context(err, code, "the state is unusable and cannot be set aside");
}

static enum brski_code read_state(struct brski_pledge *p, const char *idevid, struct brski_error *err)
{
	struct brski_error why = {0};
	struct brski_buf json = {0};
	enum brski_code code;

	if (!p->config.storage)
		return BRSKI_OK;
	code = p->config.storage->read(p->config.storage->ctx, BRSKI_PLEDGE_STATE_VALUE, &json, &why);
	if (code == BRSKI_NOT_FOUND)
		return BRSKI_OK;
	if (code == BRSKI_TOO_LARGE) {
		code = set_aside(p, &why, err);
	} else if (code != BRSKI_OK) {
		code = brski_fail(err, code, "the pledge's state cannot be read: %s", why.why);
	} else if ((code = parse_state(p, brski_buf_span(&json), idevid, &why)) != BRSKI_OK) {
		brski_pledge_record_free(&p->rec);
		code = code == BRSKI_NO_MEMORY ? brski_fail(err, code, "%s", why.why)
					       : set_aside(p, &why, err);
	}
	brski_buf_free(&json);
	return code;
}

enum brski_code brski_pledge_load(struct brski_pledge *p, bool *start_over, struct brski_error *err)
{
	char idevid[BRSKI_FINGERPRINT_MAX];
	struct brski_error why = {0};
	enum brski_code code;

	*start_over = false;
	brski_cert_fingerprint(p->idevid.cert, idevid);
	code = read_state(p, idevid, err);
	if (code != BRSKI_OK)
		return code;
	memcpy(p->rec.idevid, idevid, sizeof(idevid));
	limit_wait(p);
	if (p->rec.candidate != 0 && brski_pledge_read_candidate(p, &why) != BRSKI_OK) {
		brski_log(p->config.env, BRSKI_LOG_ERROR,
			"onboarding starts over, what it had made is lost: %s", why.why);
		*start_over = true;
	}
	return BRSKI_OK;
}
