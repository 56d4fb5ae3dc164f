/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "eap_brski/registrar/registrar_internal.h"

/*
 * The job that a session's request waits for. The same octets are the same request, RFC 8995 5.6: what
 * it led to so far is found, by however many visits it is sent.
 */

/* Not kept, and so nothing to poll for: the same request must come again. seconds 0: nobody knows when. */
static enum brski_code put_off(struct brski_registrar_session *s, const struct brski_job_type *type,
	long seconds, const struct brski_error *why, struct brski_http *response, struct brski_error *err)
{
	brski_registrar_session_note(s, type->request, false, "%s", why->why);
	return brski_registrar_session_come_back(
		s, 503, seconds > 0 ? seconds : s->registrar->retry_after, response, err);
}

static enum brski_code refuse(struct brski_registrar_session *s, const struct brski_job_type *type,
	const struct brski_error *why, struct brski_http *response, struct brski_error *err)
{
	char told[80];

	snprintf(told, sizeof(told), "no %s is known for this device", type->back_end);
	brski_registrar_session_move(s, BRSKI_SESSION_SAID_NO);
	brski_registrar_session_note(s, type->request, false, "%s", why->why);
	return brski_http_reply_text(response, 404, told, err);
}

/* BRSKI_NOT_FOUND, BRSKI_UNSUPPORTED: there is nobody to call, which is an answer. */
static bool is_uncallable(enum brski_code prepared)
{
	return prepared == BRSKI_NOT_FOUND || prepared == BRSKI_UNSUPPORTED;
}

enum brski_code brski_registrar_use_job(struct brski_registrar_session *s, struct brski_job *found,
	struct brski_http *response, struct brski_job **job, struct brski_error *err)
{
	struct brski_error why = {0};
	enum brski_code code;

	s->pending_type = found->type;
	snprintf(s->pending_key, sizeof(s->pending_key), "%s", found->key);
	if (found->state != BRSKI_JOB_WAITING) {
		code = found->type->deliver(s, found, response, err);
	} else if (brski_job_not_before(found) > 0) {
		code = found->type->defer(s, found, response, err);
	} else {
		code = brski_job_prepare(found, &why);
		if (code == BRSKI_OK) {
			*job = found;
			return BRSKI_OK;
		}
		code = is_uncallable(code) ? refuse(s, found->type, &why, response, err)
					   : brski_registrar_give_up(&why, code, err);
	}
	brski_job_free(found);
	return code;
}

/* A new job, complete but for its call. */
static enum brski_code make(struct brski_registrar_session *s, const struct brski_registrar_asked *asked,
	struct brski_job **fresh, struct brski_error *err)
{
	enum brski_code code = brski_job_new(
		s->registrar, asked->type, s->chain, &s->manufacturer, asked->octets, fresh, err);

	if (code == BRSKI_OK) {
		(*fresh)->work = asked->work;
		code = asked->fill(asked->ctx, *fresh, err);
	}
	return code == BRSKI_OK ? code : brski_registrar_trouble(code, asked->type->request, err);
}

/* BRSKI_TOO_LARGE: it is new, and this device has had its share for now. */
static enum brski_code find_room(struct brski_registrar_session *s, const struct brski_registrar_asked *asked,
	long *seconds, struct brski_error *err)
{
	const struct brski_registrar *r = s->registrar;
	enum brski_code code = r->ops.job_room(r->ops_ctx, &s->device, asked->work, seconds, err);

	return code == BRSKI_OK || code == BRSKI_TOO_LARGE
		       ? code
		       : brski_registrar_trouble(code, BRSKI_MEMORY_FAILS, err);
}

/* A row of that revision becomes the job's; 0: there is none. BRSKI_UNEXPECTED: another was faster. */
static enum brski_code start(struct brski_registrar_session *s, const struct brski_registrar_asked *asked,
	uint64_t revision, struct brski_http *response, struct brski_job **job, struct brski_error *err)
{
	struct brski_job *fresh = NULL;
	struct brski_error why = {0};
	long seconds = 0;
	enum brski_code code = find_room(s, asked, &seconds, &why);

	if (code == BRSKI_OK)
		code = make(s, asked, &fresh, &why);
	if (code == BRSKI_OK)
		code = brski_job_prepare(fresh, &why);
	if (code == BRSKI_OK) {
		fresh->revision = revision;
		code = brski_job_put(fresh, &why);
	}
	if (code == BRSKI_OK) {
		asked->kept(asked->ctx, fresh);
		*job = fresh;
		return BRSKI_OK;
	}
	brski_job_free(fresh);
	if (is_uncallable(code))
		return refuse(s, asked->type, &why, response, err);
	if (code == BRSKI_TOO_LARGE)
		return put_off(s, asked->type, seconds, &why, response, err);
	return brski_registrar_give_up(&why, code, err);
}

enum brski_code brski_registrar_known(const struct brski_registrar_session *s, struct brski_span octets,
	struct brski_job **out, struct brski_error *err)
{
	char key[BRSKI_FINGERPRINT_MAX];
	enum brski_code code = brski_job_key_of(&s->device, octets, key, err);

	*out = NULL;
	if (code == BRSKI_OK)
		code = brski_job_find(s->registrar, &s->device, &s->manufacturer, key, out, err);
	if (*out && brski_job_is_stale(*out)) {
		brski_job_free(*out);
		*out = NULL;
	}
	return code;
}

enum brski_code brski_registrar_ask(struct brski_registrar_session *s,
	const struct brski_registrar_asked *asked, struct brski_http *response, struct brski_job **job,
	struct brski_error *err)
{
	enum brski_code code;

	s->pending_type = asked->type;
	code = brski_job_key_of(&s->device, asked->octets, s->pending_key, err);
	for (unsigned i = 0; code == BRSKI_OK && i < BRSKI_REGISTRAR_RACES_MAX; i++) {
		struct brski_job *found = NULL;
		uint64_t revision;

		code = brski_job_find(
			s->registrar, &s->device, &s->manufacturer, s->pending_key, &found, err);
		if (found && !brski_job_is_stale(found))
			return brski_registrar_use_job(s, found, response, job, err);
		revision = found ? found->revision : 0;
		brski_job_free(found);
		if (code != BRSKI_OK)
			return code;
		code = start(s, asked, revision, response, job, err);
		if (code != BRSKI_UNEXPECTED)
			return code;
		code = BRSKI_OK; /* what the other one has stored is found now */
	}
	if (code != BRSKI_OK)
		return code;
	return brski_fail(err, BRSKI_UNAVAILABLE, "others ask the same all the time");
}
